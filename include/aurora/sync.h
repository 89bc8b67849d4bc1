/* sync.h - locks, waiting, time and threads for what runs beside the workers of a child.
 *
 * Time is the monotonic clock's, in microseconds: a wall clock that is set must neither end a wait nor
 * prolong it. APR has neither such a clock nor such a wait, so this stands on POSIX directly.
 *
 * A child with one thread (prefork) is ended by a signal handler that runs its pools' cleanups, which take
 * these locks again. So there the signals that end a child wait while a lock is held. */
#ifndef AURORA_SYNC_H
#define AURORA_SYNC_H

#include <apr.h>
#include <apr_errno.h>
#include <apr_time.h>
#include <pthread.h>
#include <signal.h>

typedef struct aur_lock_t {
    pthread_mutex_t mutex;
    sigset_t before; /* the holder's signal mask */
    int masked;      /* whether it is set */
} aur_lock_t;

/* See aur_ending_hold. */
typedef struct aur_ending_t {
    sigset_t before;
    int masked;
} aur_ending_t;

typedef struct aur_cond_t {
    pthread_cond_t cond;
} aur_cond_t;

/* Threads that come and go by themselves: each one that ends joins the one before it. So whoever joins the last has
 * joined them all, to the end of what libraries do when a thread ends. Guarded by a lock of its owner's. */
typedef struct aur_relay_t {
    pthread_t last;
    int any;
} aur_relay_t;

/** Now, in microseconds since some moment before the start. */
apr_time_t aur_clock(void);

/** Say whether a signal handler of this process may run pool cleanups. Once, before the first lock. */
void aur_sync_handlers_set(int handlers_clean_up);

apr_status_t aur_lock_init(aur_lock_t *lock);
void aur_lock_end(aur_lock_t *lock);
void aur_lock(aur_lock_t *lock);
void aur_unlock(aur_lock_t *lock);

/** Is such a signal waiting? For threads of aur_thread_start's. */
int aur_ending_waits(void);
/** Keep the signals that end a child waiting, where their handler runs cleanups: between the two calls of something
 * that it must find either done or not begun, a library's lock included. May be nested. */
void aur_ending_hold(aur_ending_t *ending);
void aur_ending_release(const aur_ending_t *ending);

apr_status_t aur_cond_init(aur_cond_t *cond);
void aur_cond_end(aur_cond_t *cond);
/** Wait, at most until the clock says `until` (0: for ever). The lock is held before and after.
 * @return whether it was signalled (or woke without a reason); 0: the time is over */
int aur_cond_wait(aur_cond_t *cond, aur_lock_t *lock, apr_time_t until);
void aur_cond_wake(aur_cond_t *cond);
void aur_cond_wake_all(aur_cond_t *cond);

/** Start a thread with all signals blocked: the server's signals are for its own threads.
 * @param thread  to be joined, or detached, by somebody */
apr_status_t aur_thread_start(pthread_t *thread, void *(*run)(void *ctx), void *ctx);

/** The calling thread is about to end. Under the lock of the relay's owner.
 * @return whom it has to join, as its last act and without the lock */
aur_relay_t aur_relay_pass(aur_relay_t *relay);
void aur_relay_join(aur_relay_t before);

/** Note that something of this process is not waited for: a thread that hangs in a library, or a call of one that a
 * signal has interrupted. */
void aur_leave_behind(void);
/** Whether there is such a thing: what libraries do when the process exits would pull the ground from under it. */
int aur_left_behind(void);

#endif
