/* shared_lock.c - see shared_lock.h. */
#include "shared_lock.h"

#include <errno.h>
#include <time.h>

apr_status_t aur_shared_lock_create(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attr;
    int rc = pthread_mutexattr_init(&attr);

    if (rc) {
        return rc;
    }
    rc = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    if (!rc) {
        rc = pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    }
    if (!rc) {
        rc = pthread_mutex_init(lock, &attr);
    }
    pthread_mutexattr_destroy(&attr);
    return rc;
}

static int taken(pthread_mutex_t *lock, int rc)
{
    if (rc == EOWNERDEAD) {
        rc = pthread_mutex_consistent(lock);
    }
    return rc == 0;
}

int aur_shared_lock(pthread_mutex_t *lock)
{
    return taken(lock, pthread_mutex_lock(lock));
}

int aur_shared_lock_within(pthread_mutex_t *lock, apr_interval_time_t within)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until); /* the clock that this call goes by */
    within += until.tv_nsec / 1000;
    until.tv_sec += (time_t)(within / APR_USEC_PER_SEC);
    until.tv_nsec = (long)(within % APR_USEC_PER_SEC) * 1000;
    return taken(lock, pthread_mutex_timedlock(lock, &until));
}

void aur_shared_unlock(pthread_mutex_t *lock)
{
    pthread_mutex_unlock(lock);
}
