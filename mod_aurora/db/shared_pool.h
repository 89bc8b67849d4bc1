/* shared_pool.h - pools whose whole family may be used from any thread. */
#ifndef AURORA_SHARED_POOL_H
#define AURORA_SHARED_POOL_H

#include <apr_pools.h>

/** A pool with an allocator of its own that has a mutex: children may be made and destroyed by several
 * threads at once. All memory goes back to the system when the pool is destroyed.
 * @param parent  its own allocator need not have a mutex if no other thread uses parent right now */
apr_status_t aur_shared_pool_create(apr_pool_t **pool, apr_pool_t *parent, const char *tag);

#endif
