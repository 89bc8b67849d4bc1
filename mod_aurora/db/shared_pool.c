/* shared_pool.c - see shared_pool.h. */
#include "shared_pool.h"

#include <apr_allocator.h>
#include <apr_thread_mutex.h>

apr_status_t aur_shared_pool_create(apr_pool_t **pool, apr_pool_t *parent, const char *tag)
{
    apr_allocator_t *allocator;
    apr_thread_mutex_t *mutex;
    apr_status_t rv = apr_allocator_create(&allocator);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = apr_pool_create_ex(pool, parent, NULL, allocator);
    if (rv != APR_SUCCESS) {
        apr_allocator_destroy(allocator);
        return rv;
    }
    apr_allocator_owner_set(allocator, *pool);
    apr_pool_tag(*pool, tag);
    rv = apr_thread_mutex_create(&mutex, APR_THREAD_MUTEX_DEFAULT, *pool);
    if (rv != APR_SUCCESS) {
        apr_pool_destroy(*pool);
        return rv;
    }
    apr_allocator_mutex_set(allocator, mutex);
    return APR_SUCCESS;
}
