/* pools.c - pools that hide nothing from AddressSanitizer: this apr_palloc stands before APR's own and takes
 * every request from malloc, at its exact size. Memory that APR takes for itself (formatted strings, the
 * records of cleanups, buckets) still comes from the pool's blocks. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

typedef void *palloc_fn(apr_pool_t *p, apr_size_t size);

static apr_status_t block_free(void *block)
{
    free(block);
    return APR_SUCCESS;
}

static void *in_the_pool(apr_pool_t *p, apr_size_t size)
{
    static palloc_fn *real;

    if (!real) {
        void *found = dlsym(RTLD_NEXT, "apr_palloc");
        if (!found) {
            abort();
        }
        memcpy(&real, &found, sizeof(real));
    }
    return real(p, size);
}

/* A pool's cleanups run last one first, so that what a later one needs is still there. */
__attribute__((visibility("default"))) void *apr_palloc(apr_pool_t *p, apr_size_t size)
{
    static __thread int registering;
    void *block;

    if (registering) {
        return in_the_pool(p, size);
    }
    block = calloc(1, size ? size : 1);
    if (!block) {
        abort();
    }
    memset(block, 0xa5, size); /* nobody may count on zeros */
    registering = 1;
    apr_pool_cleanup_register(p, block, block_free, apr_pool_cleanup_null);
    registering = 0;
    return block;
}
