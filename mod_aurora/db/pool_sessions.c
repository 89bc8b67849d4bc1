/* pool_sessions.c - open sessions that nobody uses. The list is last in, first out: a quiet server uses few
 * and the rest grow old. */
#include "pool.h"

#define CANCEL_PAUSE apr_time_from_msec(1)
#define IDLE_CHECK   apr_time_from_sec(3) /* idle for longer: asked whether it still answers */
#define IDLE_SPARE                                                                                 \
    apr_time_from_msec(200) /* idle for longer: may go when another process is in need */

static void unlink_idle(aur_db_t *db, aur_session_t *session)
{
    if (session->prev) {
        session->prev->next = session->next;
    }
    else {
        db->newest = session->next;
    }
    if (session->next) {
        session->next->prev = session->prev;
    }
    else {
        db->oldest = session->prev;
    }
    session->prev = session->next = NULL;
    db->nidle--;
}

aur_session_t *aur_idle_take(aur_db_t *db)
{
    aur_session_t *session = db->newest;

    if (session) {
        unlink_idle(db, session);
    }
    return session;
}

void aur_idle_put(aur_db_t *db, aur_session_t *session)
{
    /* One that came late may be one too many. */
    if (db->stopping || db->nidle + db->nborrowed >= db->max) {
        aur_bury(db, session);
        return;
    }
    session->used = aur_clock();
    session->prev = NULL;
    session->next = db->newest;
    if (db->newest) {
        db->newest->prev = session;
    }
    else {
        db->oldest = session;
    }
    db->newest = session;
    db->nidle++;
    aur_cond_wake_all(&db->change);
}

void aur_idle_expire(aur_db_t *db, apr_time_t now, int wanted_elsewhere)
{
    aur_session_t *session;

    while ((session = db->oldest) != NULL) {
        apr_interval_time_t idle = now - session->used;
        int old = db->settings.pool_idle > 0 && idle >= db->settings.pool_idle &&
                  db->nidle + db->nborrowed > db->settings.pool_min;
        if (!old && !(wanted_elsewhere && idle >= IDLE_SPARE)) {
            return;
        }
        wanted_elsewhere = 0; /* one at a time */
        unlink_idle(db, session);
        aur_bury(db, session);
    }
}

void aur_bury(aur_db_t *db, aur_session_t *session)
{
    session->prev = NULL;
    session->next = db->buried;
    db->buried = session;
    aur_cond_wake(&db->work);
}

static void close_session(aur_db_t *db, aur_session_t *session)
{
    aur_session_close(session);
    if (db->hooks.give) {
        db->hooks.give(db->hooks.ctx);
    }
}

int aur_bury_close(aur_db_t *db)
{
    aur_session_t **at = &db->buried, *session, *ready = NULL;
    int left;

    while ((session = *at) != NULL) {
        if (__atomic_load_n(&session->held, __ATOMIC_ACQUIRE) > 0) {
            at = &session->next;
            continue;
        }
        *at = session->next;
        session->next = ready;
        ready = session;
    }
    left = db->buried != NULL;
    aur_unlock(&db->lock);
    while ((session = ready) != NULL) {
        ready = session->next;
        close_session(db, session);
    }
    aur_lock(&db->lock);
    return left;
}

int aur_session_good(aur_db_t *db, aur_session_t *session, int ask)
{
    aur_error_t why;
    apr_status_t rv;

    if (!db->backend->current(session)) {
        db->log(db->log_ctx, LOG_INFO, APR_SUCCESS, "an idle connection had gone");
        return 0;
    }
    if (!ask && aur_clock() - session->used < IDLE_CHECK) {
        return 1;
    }
    aur_error_clear(&why);
    aur_session_enter(session);
    rv = db->backend->ping(session, &why);
    aur_session_leave(session);
    if (rv != APR_SUCCESS) {
        db->log(db->log_ctx, LOG_INFO, APR_SUCCESS, "an idle connection had gone: %s", why.native);
    }
    return rv == APR_SUCCESS;
}

int aur_cancels_settled(const int *cancelling, apr_interval_time_t wait_us)
{
    apr_time_t until = aur_clock() + wait_us;

    while (__atomic_load_n(cancelling, __ATOMIC_ACQUIRE) > 0) {
        if (aur_clock() > until) {
            return 0;
        }
        apr_sleep(CANCEL_PAUSE);
    }
    return 1;
}

/* --- beside the borrower -------------------------------------------------------------------------- */

enum { RUNNING = 0, ENDED, LEFT };

typedef struct beside_t {
    aur_session_t *session;
    void (*run)(aur_session_t *session);
    int state; /* atomic; who comes second frees this */
    apr_pool_t *pool;
} beside_t;

/* @return whether the other one has not come yet */
static int comes_first(beside_t *beside, int as)
{
    int running = RUNNING;

    return __atomic_compare_exchange_n(&beside->state, &running, as, 0, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}

static void *beside_run(void *data)
{
    beside_t *beside = data;

    beside->run(beside->session);
    __atomic_sub_fetch(&beside->session->held, 1, __ATOMIC_ACQ_REL);
    if (!comes_first(beside, ENDED)) {
        apr_pool_destroy(beside->pool);
    }
    return NULL;
}

int aur_session_beside(aur_session_t *session, void (*run)(aur_session_t *session),
                       apr_interval_time_t wait_us)
{
    apr_time_t until = aur_clock() + wait_us;
    beside_t *beside;
    pthread_t thread;
    apr_pool_t *p;

    if (apr_pool_create_unmanaged_ex(&p, NULL, NULL) != APR_SUCCESS) {
        return 0;
    }
    beside = apr_pcalloc(p, sizeof(*beside));
    beside->session = session;
    beside->run = run;
    beside->pool = p;
    __atomic_add_fetch(&session->held, 1, __ATOMIC_ACQ_REL);
    if (aur_thread_start(&thread, beside_run, beside) != APR_SUCCESS) {
        __atomic_sub_fetch(&session->held, 1, __ATOMIC_ACQ_REL);
        apr_pool_destroy(p);
        return 0;
    }
    while (__atomic_load_n(&beside->state, __ATOMIC_ACQUIRE) == RUNNING) {
        if (aur_clock() > until && comes_first(beside, LEFT)) {
            pthread_detach(thread);
            aur_leave_behind();
            return 0;
        }
        apr_sleep(CANCEL_PAUSE);
    }
    pthread_join(thread, NULL);
    apr_pool_destroy(p);
    return 1;
}
