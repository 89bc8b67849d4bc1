/* sync.c - see aurora/sync.h. */
#include "aurora/sync.h"

#include <time.h>

static int handlers;
static int left_behind; /* atomic */

apr_time_t aur_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return apr_time_from_sec((apr_time_t)now.tv_sec) + now.tv_nsec / 1000;
}

void aur_sync_handlers_set(int handlers_clean_up)
{
    handlers = handlers_clean_up;
}

/* --- locks -------------------------------------------------------------------------------------- */

apr_status_t aur_lock_init(aur_lock_t *lock)
{
    lock->masked = 0;
    return pthread_mutex_init(&lock->mutex, NULL);
}

void aur_lock_end(aur_lock_t *lock)
{
    pthread_mutex_destroy(&lock->mutex);
}

static int mask_ending(sigset_t *before)
{
    sigset_t ending;

    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGHUP);
    sigaddset(&ending, SIGUSR1);
    return pthread_sigmask(SIG_BLOCK, &ending, before) == 0;
}

void aur_lock(aur_lock_t *lock)
{
    sigset_t before;
    int masked = handlers && mask_ending(&before);

    pthread_mutex_lock(&lock->mutex);
    lock->masked = masked;
    if (masked) {
        lock->before = before;
    }
}

void aur_unlock(aur_lock_t *lock)
{
    sigset_t before;
    int masked = lock->masked;

    if (masked) {
        before = lock->before;
    }
    pthread_mutex_unlock(&lock->mutex);
    if (masked) {
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
}

void aur_ending_hold(aur_ending_t *ending)
{
    ending->masked = handlers && mask_ending(&ending->before);
}

void aur_ending_release(const aur_ending_t *ending)
{
    if (ending->masked) {
        pthread_sigmask(SIG_SETMASK, &ending->before, NULL);
    }
}

int aur_ending_waits(void)
{
    sigset_t waiting;

    return handlers && sigpending(&waiting) == 0 &&
           (sigismember(&waiting, SIGTERM) == 1 || sigismember(&waiting, SIGHUP) == 1);
}

/* --- waiting ------------------------------------------------------------------------------------ */

apr_status_t aur_cond_init(aur_cond_t *cond)
{
    pthread_condattr_t attr;
    apr_status_t rv = pthread_condattr_init(&attr);

    if (rv == APR_SUCCESS) {
        rv = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        if (rv == APR_SUCCESS) {
            rv = pthread_cond_init(&cond->cond, &attr);
        }
        pthread_condattr_destroy(&attr);
    }
    return rv;
}

void aur_cond_end(aur_cond_t *cond)
{
    pthread_cond_destroy(&cond->cond);
}

int aur_cond_wait(aur_cond_t *cond, aur_lock_t *lock, apr_time_t until)
{
    sigset_t before = lock->before; /* others hold the lock meanwhile */
    int masked = lock->masked, rc;
    struct timespec at;

    if (until) {
        at.tv_sec = (time_t)apr_time_sec(until);
        at.tv_nsec = (long)apr_time_usec(until) * 1000;
        rc = pthread_cond_timedwait(&cond->cond, &lock->mutex, &at);
    }
    else {
        rc = pthread_cond_wait(&cond->cond, &lock->mutex);
    }
    lock->before = before;
    lock->masked = masked;
    return rc == 0;
}

void aur_cond_wake(aur_cond_t *cond)
{
    pthread_cond_signal(&cond->cond);
}

void aur_cond_wake_all(aur_cond_t *cond)
{
    pthread_cond_broadcast(&cond->cond);
}

/* --- threads ------------------------------------------------------------------------------------ */

apr_status_t aur_thread_start(pthread_t *thread, void *(*run)(void *ctx), void *ctx)
{
    sigset_t all, before;
    apr_status_t rv;

    /* A new thread inherits the mask of its maker. */
    sigfillset(&all);
    rv = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = pthread_create(thread, NULL, run, ctx);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rv;
}

aur_relay_t aur_relay_pass(aur_relay_t *relay)
{
    aur_relay_t before = *relay;

    relay->last = pthread_self();
    relay->any = 1;
    return before;
}

void aur_relay_join(aur_relay_t before)
{
    if (before.any) {
        pthread_join(before.last, NULL);
    }
}

void aur_leave_behind(void)
{
    __atomic_store_n(&left_behind, 1, __ATOMIC_RELEASE);
}

int aur_left_behind(void)
{
    return __atomic_load_n(&left_behind, __ATOMIC_ACQUIRE);
}
