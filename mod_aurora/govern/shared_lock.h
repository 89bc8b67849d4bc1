/* shared_lock.h - a lock between processes that outlives a holder who dies. */
#ifndef AURORA_SHARED_LOCK_H
#define AURORA_SHARED_LOCK_H

#include <apr_errno.h>
#include <apr_time.h>
#include <pthread.h>

apr_status_t aur_shared_lock_create(pthread_mutex_t *lock);
/** Take it. What its holders do under it must leave the data fit for use after each single step.
 * @return whether it is held now; 0 only where the lock is broken for good */
int aur_shared_lock(pthread_mutex_t *lock);
/** As above, but wait no longer than this. */
int aur_shared_lock_within(pthread_mutex_t *lock, apr_interval_time_t within);
void aur_shared_unlock(pthread_mutex_t *lock);

#endif
