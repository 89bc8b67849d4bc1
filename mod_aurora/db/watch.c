/* watch.c - the thread, its list of tasks, and the threads that cancel.
 *
 * One lock guards the list and everything in a task that its worker does not write by itself. It is held
 * while the list is looked through, which blocks nowhere.
 *
 * What is cancelled may come to its end while the cancel is under way: the target is held for that long
 * by the one who cancels, and the task knows nothing of it any more once it is left.
 *
 * The watch's own memory is freed by the last one who uses it: a cancel that hangs on a dead network may
 * still be there when the child's pools are gone. */
#include "aurora/watch.h"

#include "aurora/sync.h"
#include "watch_judge.h"

/* The thread goes on ticking for so long without tasks, so that a busy child's workers need not wake it. */
#define LINGER apr_time_from_sec(1)

typedef struct cancel_t cancel_t;
typedef struct aur_watched_t aur_watched_t;

struct aur_watched_t {
    aur_task_t task;
    aur_watch_t *watch; /* NULL: left, or the watch has ended */
    aur_watched_t *prev, *next;
    apr_pool_t *pool;
    aur_task_limits_t limits;
    aur_task_client_t client;
    const aur_task_target_t *target; /* NULL: nothing to cancel */
    void *target_ctx;
    aur_judge_t judge;
    apr_time_t stopped; /* when the reason was set */
    int cancel_sent, abandoned, shut;
    cancel_t *cancelling; /* under way */
};

/* A cancel under way, or the cut that follows it, in a pool of its own. */
struct cancel_t {
    aur_watch_t *watch;
    aur_watched_t *watched; /* NULL: nobody waits for it, or not any more */
    const aur_task_target_t *target;
    void (*call)(void *ctx); /* the target's cancel or abandon */
    void *ctx;
    apr_pool_t *pool;
};

struct aur_watch_t {
    aur_lock_t lock;
    aur_cond_t wake;   /* the thread */
    aur_cond_t change; /* a cancel has ended */
    aur_watched_t *first;
    int count;
    int asleep, stopping, ended, gone;
    int users;         /* the watch itself, and each cancel under way */
    aur_relay_t relay; /* of cancels that are through */
    pthread_t thread;
    apr_pool_t *pool;
};

/* --- memory ------------------------------------------------------------------------------------- */

/* Under the lock, which is gone afterwards. */
static void release_and_unlock(aur_watch_t *watch)
{
    int last = --watch->users == 0;

    aur_unlock(&watch->lock);
    if (last) {
        aur_cond_end(&watch->wake);
        aur_cond_end(&watch->change);
        aur_lock_end(&watch->lock);
        apr_pool_destroy(watch->pool);
    }
}

/* --- cancelling --------------------------------------------------------------------------------- */

static void *cancel_run(void *data)
{
    cancel_t *cancel = data;
    aur_watch_t *watch = cancel->watch;
    aur_relay_t before = {.any = 0};

    cancel->call(cancel->ctx);
    cancel->target->drop(cancel->ctx);
    aur_lock(&watch->lock);
    if (cancel->watched) {
        cancel->watched->cancelling = NULL;
    }
    aur_cond_wake_all(&watch->change);
    apr_pool_destroy(cancel->pool);
    if (watch->gone) {
        pthread_detach(pthread_self());
    }
    else {
        before = aur_relay_pass(&watch->relay);
    }
    release_and_unlock(watch);
    aur_relay_join(before);
    return NULL;
}

/* Under the lock. @return the call that has been started; NULL: there is no memory or no thread for it */
static cancel_t *call_start(const aur_watched_t *watched, void (*call)(void *ctx))
{
    aur_watch_t *watch = watched->watch;
    pthread_t thread;
    cancel_t *cancel;
    apr_pool_t *p;

    if (apr_pool_create_unmanaged_ex(&p, NULL, NULL) != APR_SUCCESS) {
        return NULL;
    }
    cancel = apr_pcalloc(p, sizeof(*cancel));
    cancel->watch = watch;
    cancel->target = watched->target;
    cancel->call = call;
    cancel->ctx = watched->target_ctx;
    cancel->pool = p;
    cancel->target->hold(cancel->ctx);
    watch->users++;
    if (aur_thread_start(&thread, cancel_run, cancel) != APR_SUCCESS) {
        watch->users--;
        cancel->target->drop(cancel->ctx);
        apr_pool_destroy(p);
        return NULL;
    }
    return cancel;
}

/* Under the lock. Where it cannot be started there is still the connection to cut, a second later. */
static void cancel_start(aur_watched_t *watched)
{
    watched->cancel_sent = 1;
    watched->cancelling = call_start(watched, watched->target->cancel);
    if (watched->cancelling) {
        watched->cancelling->watched = watched;
    }
}

/* Under the lock. Nobody waits for it: what is cut is never used again. Without a thread it is better done here, where
 * it may be in the way of others, than not at all. */
static void abandon_start(aur_watched_t *watched)
{
    watched->abandoned = 1;
    if (!call_start(watched, watched->target->abandon)) {
        watched->target->abandon(watched->target_ctx);
    }
}

/* --- looking ------------------------------------------------------------------------------------ */

static aur_task_state_e state_of(const aur_watched_t *watched)
{
    return (aur_task_state_e)__atomic_load_n(&watched->task.state, __ATOMIC_RELAXED);
}

static int set_reason(aur_task_t *task, aur_stop_e reason)
{
    apr_uint32_t none = AUR_STOP_NONE;
    apr_int64_t never = 0;

    __atomic_compare_exchange_n(&task->asked, &never, aur_clock(), 0, __ATOMIC_RELAXED,
                                __ATOMIC_RELAXED);
    return __atomic_compare_exchange_n(&task->reason, &none, (apr_uint32_t)reason, 0,
                                       __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static void see(aur_watched_t *watched, aur_seen_t *seen, apr_time_t now)
{
    const apr_uint32_t *flag = watched->limits.cancel_flag;

    seen->now = now;
    seen->state = state_of(watched);
    seen->progress = __atomic_load_n(&watched->task.progress, __ATOMIC_RELAXED);
    seen->holding = watched->target != NULL;
    seen->gone = watched->client.gone && watched->client.gone(watched->client.ctx);
    seen->cancelled = flag && __atomic_load_n(flag, __ATOMIC_RELAXED);
    seen->acked = 0;
    seen->acked_known = seen->holding && seen->state == AUR_TASK_IN_CLIENT &&
                        watched->client.acked &&
                        watched->client.acked(watched->client.ctx, &seen->acked);
}

static void shut_client(aur_watched_t *watched)
{
    if (!watched->shut && watched->client.shut) {
        watched->client.shut(watched->client.ctx);
    }
    watched->shut = 1;
}

/* Others lose their answers by it: only where the task does not end by itself, or everything ends. */
static int may_shut(const aur_watched_t *watched, apr_time_t now)
{
    return !watched->client.shared || now - watched->stopped >= AUR_WATCH_GRACE ||
           aur_task_reason(&watched->task) == AUR_STOP_STOPPING;
}

/* A task with a reason: at the first look after it was set, and at each one from then on. */
static void enforce(aur_watched_t *watched, apr_time_t now)
{
    int reading = state_of(watched) == AUR_TASK_IN_CLIENT;

    if (!watched->stopped) {
        watched->stopped = now;
        if (reading && may_shut(watched, now)) {
            shut_client(watched);
        }
    }
    if (!watched->target) {
        if (reading && watched->client.shared && may_shut(watched, now)) {
            shut_client(watched);
        }
        return;
    }
    if (!watched->cancel_sent) {
        cancel_start(watched);
    }
    /* With a connection still held, what is being written is the result that has to end. */
    if (reading) {
        if (may_shut(watched, now)) {
            shut_client(watched);
        }
    }
    else if (!watched->abandoned && now - watched->stopped >= AUR_WATCH_GRACE) {
        abandon_start(watched);
    }
}

/* Under the lock. */
static void look(aur_watch_t *watch, apr_time_t now)
{
    aur_watched_t *watched;
    aur_seen_t seen;

    for (watched = watch->first; watched; watched = watched->next) {
        if (aur_task_reason(&watched->task) == AUR_STOP_NONE) {
            aur_stop_e reason = AUR_STOP_STOPPING;
            if (!watch->stopping) {
                see(watched, &seen, now);
                reason = aur_judge(&watched->judge, &watched->limits, &seen);
            }
            if (reason != AUR_STOP_NONE) {
                set_reason(&watched->task, reason);
            }
        }
        if (aur_task_reason(&watched->task) != AUR_STOP_NONE) {
            enforce(watched, now);
        }
    }
}

static void *watch_run(void *data)
{
    aur_watch_t *watch = data;
    apr_time_t now = aur_clock(), busy = now;

    aur_lock(&watch->lock);
    while (!watch->ended) {
        if (watch->first) {
            busy = now;
            watch->stopping |= aur_ending_waits();
            look(watch, now);
        }
        watch->asleep = !watch->first && now - busy >= LINGER;
        aur_cond_wait(&watch->wake, &watch->lock, watch->asleep ? 0 : now + AUR_WATCH_TICK);
        watch->asleep = 0;
        now = aur_clock();
    }
    watch->stopping = 1;
    look(watch, now);
    aur_unlock(&watch->lock);
    return NULL;
}

/* --- the watch ---------------------------------------------------------------------------------- */

/* Runs before the cleanups of what is watched. */
static apr_status_t watch_end(void *data)
{
    aur_watch_t *watch = data;
    apr_time_t until = aur_clock() + AUR_WATCH_GRACE;
    aur_relay_t relay;

    aur_lock(&watch->lock);
    watch->ended = 1;
    aur_cond_wake_all(&watch->wake);
    aur_unlock(&watch->lock);
    pthread_join(watch->thread, NULL);

    aur_lock(&watch->lock);
    while (watch->users > 1 && aur_cond_wait(&watch->change, &watch->lock, until)) {
    }
    for (; watch->first; watch->first = watch->first->next) {
        if (watch->first->cancelling) {
            watch->first->cancelling->watched = NULL;
        }
        watch->first->watch = NULL;
    }
    watch->gone = 1;
    relay = watch->relay;
    if (watch->users > 1) {
        aur_leave_behind();
    }
    release_and_unlock(watch);
    aur_relay_join(relay);
    return APR_SUCCESS;
}

apr_status_t aur_watch_create(aur_watch_t **watch, apr_pool_t *pchild)
{
    aur_watch_t *made;
    apr_pool_t *p;
    apr_status_t rv = apr_pool_create_unmanaged_ex(&p, NULL, NULL);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    apr_pool_tag(p, "aur_watch");
    made = apr_pcalloc(p, sizeof(*made));
    made->pool = p;
    made->users = 1;
    if ((rv = aur_lock_init(&made->lock)) != APR_SUCCESS ||
        (rv = aur_cond_init(&made->wake)) != APR_SUCCESS ||
        (rv = aur_cond_init(&made->change)) != APR_SUCCESS ||
        (rv = aur_thread_start(&made->thread, watch_run, made)) != APR_SUCCESS) {
        apr_pool_destroy(p);
        return rv;
    }
    apr_pool_pre_cleanup_register(pchild, made, watch_end);
    *watch = made;
    return APR_SUCCESS;
}

void aur_watch_stop(aur_watch_t *watch)
{
    aur_lock(&watch->lock);
    watch->stopping = 1;
    aur_cond_wake(&watch->wake);
    aur_unlock(&watch->lock);
}

int aur_watch_count(aur_watch_t *watch)
{
    int count;

    aur_lock(&watch->lock);
    count = watch->count;
    aur_unlock(&watch->lock);
    return count;
}

/* --- tasks -------------------------------------------------------------------------------------- */

static apr_status_t task_end(void *data)
{
    aur_watched_t *watched = data;
    aur_watch_t *watch = watched->watch;

    if (!watch) {
        return APR_SUCCESS;
    }
    aur_lock(&watch->lock);
    if (watched->cancelling) {
        watched->cancelling->watched = NULL;
        watched->cancelling = NULL;
    }
    if (watched->next) {
        watched->next->prev = watched->prev;
    }
    if (watched->prev) {
        watched->prev->next = watched->next;
    }
    else {
        watch->first = watched->next;
    }
    watch->count--;
    watched->watch = NULL;
    aur_unlock(&watch->lock);
    return APR_SUCCESS;
}

aur_task_t *aur_task_enter(aur_watch_t *watch, const aur_task_limits_t *limits,
                           const aur_task_client_t *client, apr_pool_t *p)
{
    aur_watched_t *watched = apr_pcalloc(p, sizeof(*watched));

    watched->task.watched = watched;
    watched->watch = watch;
    watched->pool = p;
    watched->limits = *limits;
    watched->client = *client;
    aur_judge_begin(&watched->judge, aur_clock());
    aur_lock(&watch->lock);
    watched->next = watch->first;
    if (watched->next) {
        watched->next->prev = watched;
    }
    watch->first = watched;
    watch->count++;
    if (watch->asleep) {
        aur_cond_wake(&watch->wake);
    }
    aur_unlock(&watch->lock);
    apr_pool_cleanup_register(p, watched, task_end, apr_pool_cleanup_null);
    return &watched->task;
}

void aur_task_leave(aur_task_t *task)
{
    if (task) {
        apr_pool_cleanup_run(task->watched->pool, task->watched, task_end);
    }
}

void aur_task_attach(aur_task_t *task, const aur_task_target_t *target, void *ctx)
{
    aur_watched_t *watched = task ? task->watched : NULL;

    if (watched && watched->watch) {
        aur_lock(&watched->watch->lock);
        watched->target = target;
        watched->target_ctx = ctx;
        watched->cancel_sent = 0;
        watched->abandoned = 0;
        aur_unlock(&watched->watch->lock);
    }
}

void aur_task_detach(aur_task_t *task)
{
    aur_watched_t *watched = task ? task->watched : NULL;
    apr_time_t until;

    if (!watched || !watched->watch) {
        return;
    }
    aur_lock(&watched->watch->lock);
    watched->target = NULL;
    if (watched->cancelling) {
        until = aur_clock() + AUR_WATCH_GRACE;
        while (watched->cancelling &&
               aur_cond_wait(&watched->watch->change, &watched->watch->lock, until)) {
        }
    }
    aur_unlock(&watched->watch->lock);
}

apr_interval_time_t aur_task_patience(const aur_task_t *task)
{
    /* limits and the time of entering stay what they are from entering on */
    const aur_watched_t *watched = task ? task->watched : NULL;
    apr_interval_time_t patience = watched ? watched->limits.query_timeout : 0, left;

    if (watched && watched->limits.task_timeout > 0) {
        left = watched->judge.entered + watched->limits.task_timeout - aur_clock();
        left = left > 0 ? left : 1;
        patience = patience > 0 && patience < left ? patience : left;
    }
    return patience;
}

void aur_task_listen(aur_task_t *task, const apr_uint32_t *cancel_flag)
{
    aur_watched_t *watched = task ? task->watched : NULL;

    if (watched && watched->watch) {
        aur_lock(&watched->watch->lock);
        watched->limits.cancel_flag = cancel_flag;
        aur_unlock(&watched->watch->lock);
    }
}

void aur_task_cancel(aur_task_t *task, aur_stop_e reason)
{
    aur_watched_t *watched = task->watched;

    if (set_reason(task, reason) && watched->watch) {
        aur_lock(&watched->watch->lock);
        aur_cond_wake(&watched->watch->wake);
        aur_unlock(&watched->watch->lock);
    }
}
