/* db_pool.c - the connections of a child: made, borrowed, given back, ended. See pool.h for the parts.
 *
 * A borrower has one deadline for everything: a place for its use (exports may not take the last ones), a
 * place in the list, a session. It waits in slices, and between two it looks whether anybody still
 * waits for it.
 *
 * The end: a child may be told to end in the middle of a request (prefork does so from its signal
 * handler), and pchild's pools end in an order that is not ours: the borrower's pool may well outlive
 * the db. So all borrowed connections stand in a list, and the db's end takes them back first. */
#include <apr_strings.h>

#include "pool.h"

#define NEW_FOR apr_time_from_sec(1) /* a session that was connected just now needs no check */
#define UNWATCHED_WAIT                                                                             \
    apr_time_from_sec(300) /* for an answer: the dictionary of a large database takes its time */
#define END_WAIT apr_time_from_msec(100) /* for connects under way, at the end of the child */

/* --- slots -------------------------------------------------------------------------------------- */

/* Called under the list's lock: a slot costs nothing. */
static apr_status_t slot_make(void **resource, void *params, apr_pool_t *pool)
{
    aur_slot_t *slot;
    apr_pool_t *p;
    apr_status_t rv = apr_pool_create(&p, pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    slot = apr_pcalloc(p, sizeof(*slot));
    slot->pool = p;
    *resource = slot;
    return APR_SUCCESS;
}

static apr_status_t slot_end(void *resource, void *params, apr_pool_t *pool)
{
    apr_pool_destroy(((aur_slot_t *)resource)->pool);
    return APR_SUCCESS;
}

/* --- what is cancelled when a task has to stop ---------------------------------------------------- */

static void target_hold(void *ctx)
{
    __atomic_add_fetch(&((aur_session_t *)ctx)->held, 1, __ATOMIC_ACQ_REL);
}

static void target_drop(void *ctx)
{
    __atomic_sub_fetch(&((aur_session_t *)ctx)->held, 1, __ATOMIC_ACQ_REL);
}

static void session_cancel(aur_session_t *session)
{
    __atomic_store_n(&session->cancelled, 1, __ATOMIC_RELAXED);
    session->backend->cancel(session);
}

static void target_cancel(void *ctx)
{
    session_cancel(ctx);
}

static void target_abandon(void *ctx)
{
    aur_session_t *session = ctx;

    if (session->backend->abandon) {
        session->backend->abandon(session);
    }
}

static const aur_task_target_t target = {target_hold, target_drop, target_cancel, target_abandon};

/* --- the list of those that are out --------------------------------------------------------------- */

static void link_conn(aur_db_t *db, aur_conn_t *conn)
{
    aur_lock(&db->lock);
    conn->db = db;
    conn->next = db->borrowed;
    if (conn->next) {
        conn->next->prev = conn;
    }
    db->borrowed = conn;
    aur_unlock(&db->lock);
}

/* Under the lock. What it held of the pool is free again. */
static void unlink_conn(aur_db_t *db, aur_conn_t *conn)
{
    if (conn->next) {
        conn->next->prev = conn->prev;
    }
    if (conn->prev) {
        conn->prev->next = conn->next;
    }
    else {
        db->borrowed = conn->next;
    }
    conn->prev = conn->next = NULL;
    conn->db = NULL;
    db->nexports -= conn->use == AUR_USE_EXPORT;
    aur_cond_wake_all(&db->change);
}

static void drop_session(aur_conn_t *conn)
{
    aur_lock(&conn->db->lock);
    conn->db->nborrowed--;
    aur_bury(conn->db, conn->session);
    conn->session = NULL;
    aur_unlock(&conn->db->lock);
}

/* --- the end -------------------------------------------------------------------------------------- */

/* The child ends while conn is out. A connection in the middle of a call cannot be closed, not even
 * looked at: this may be the signal handler that interrupted the call. */
static void take_back(aur_db_t *db, aur_conn_t *conn)
{
    aur_session_t *session = conn->session;
    aur_slot_t *slot = conn->slot;

    if (session && __atomic_load_n(&session->inside, __ATOMIC_RELAXED)) {
        if (!aur_session_cancelled(session)) { /* the watch has seen to it where there is one */
            session_cancel(session);
        }
        for (; conn->cursors; conn->cursors = conn->cursors->next) {
            conn->cursors->session = NULL;
        }
        aur_session_abandon(session);
        aur_leave_behind();
    }
    else if (session) {
        aur_conn_close_cursors(conn);
        drop_session(conn);
    }
    aur_lock(&db->lock);
    unlink_conn(db, conn);
    aur_unlock(&db->lock);
    if (slot) {
        apr_reslist_release(db->slots, slot);
    }
}

static apr_status_t db_end(void *data)
{
    aur_db_t *db = data;
    apr_time_t until = aur_clock() + END_WAIT;
    aur_session_t *session;
    aur_relay_t relay;

    aur_keeper_stop(db);
    while (db->borrowed) {
        take_back(db, db->borrowed);
    }
    aur_lock(&db->lock);
    while ((session = aur_idle_take(db)) != NULL) {
        aur_bury(db, session);
    }
    aur_bury_close(db);
    while (db->connectors && aur_cond_wait(&db->change, &db->lock, until)) {
    }
    db->ended = 1;
    relay = db->relay;
    if (db->connectors) {
        aur_leave_behind();
    }
    aur_bury_close(db);
    apr_reslist_destroy(db->slots);
    aur_db_release_and_unlock(db);
    aur_relay_join(relay);
    return APR_SUCCESS;
}

/* --- the beginning -------------------------------------------------------------------------------- */

static apr_status_t make_parts(aur_db_t *db)
{
    apr_status_t rv = db->backend && db->dialect ? APR_SUCCESS : APR_ENOTIMPL;

    if (rv == APR_SUCCESS) {
        rv = aur_lock_init(&db->lock);
    }
    if (rv == APR_SUCCESS) {
        rv = aur_cond_init(&db->change);
    }
    if (rv == APR_SUCCESS) {
        rv = aur_cond_init(&db->work);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_reslist_create(&db->slots, 0, db->max, db->max, 0, slot_make, slot_end, db,
                                db->pool);
    }
    if (rv == APR_SUCCESS) {
        apr_reslist_timeout_set(db->slots, db->wait < AUR_POOL_SLICE ? db->wait : AUR_POOL_SLICE);
        rv = aur_keeper_start(db);
    }
    return rv;
}

apr_status_t aur_db_child_create_with(aur_db_t **db, const aur_db_settings_t *settings,
                                      const aur_db_hooks_t *hooks, aur_log_fn *log, void *log_ctx,
                                      apr_pool_t *pchild)
{
    aur_db_t *made;
    apr_pool_t *p;
    apr_status_t rv = apr_dbd_init(pchild);

    if (rv != APR_SUCCESS || (rv = apr_pool_create_unmanaged_ex(&p, NULL, NULL)) != APR_SUCCESS) {
        return rv;
    }
    apr_pool_tag(p, "aur_db");
    made = apr_pcalloc(p, sizeof(*made));
    made->settings = *settings;
    made->wait = settings->pool_timeout > 0 ? settings->pool_timeout : AUR_POOL_WAIT;
    made->max = settings->pool_max > 0 ? settings->pool_max : 1;
    made->backend = aur_backend_get(settings->driver);
    made->dialect = aur_dialect_get(settings->driver);
    if (hooks) {
        made->hooks = *hooks;
    }
    made->log = log ? log : aur_log_none;
    made->log_ctx = log_ctx;
    made->pool = p;
    made->users = 1;
    rv = make_parts(made);
    if (rv != APR_SUCCESS) {
        apr_pool_destroy(p);
        return rv;
    }
    apr_pool_pre_cleanup_register(pchild, made, db_end);
    *db = made;
    return APR_SUCCESS;
}

apr_status_t aur_db_child_create(aur_db_t **db, const aur_db_settings_t *settings, aur_log_fn *log,
                                 void *log_ctx, apr_pool_t *pchild)
{
    return aur_db_child_create_with(db, settings, NULL, log, log_ctx, pchild);
}

void aur_db_stop(aur_db_t *db)
{
    aur_lock(&db->lock);
    db->stopping = 1;
    aur_cond_wake_all(&db->change);
    aur_cond_wake_all(&db->work);
    aur_unlock(&db->lock);
}

const aur_dialect_t *aur_db_dialect(const aur_db_t *db)
{
    return __atomic_load_n(&db->dialect, __ATOMIC_RELAXED);
}

/* --- waiting -------------------------------------------------------------------------------------- */

static apr_status_t exhausted(aur_error_t *err)
{
    aur_error_set(err, AUR_E_POOL_EXHAUSTED, NULL,
                  "All database connections are in use; try again in a few seconds.");
    err->retry_after = AUR_POOL_RETRY_AFTER;
    return APR_EGENERAL;
}

/* Is there a reason not to wait any longer? Under the lock. @return APR_SUCCESS: there is none */
static apr_status_t look_up(aur_db_t *db, const aur_task_t *task, apr_time_t now,
                            apr_time_t deadline, aur_error_t *err)
{
    aur_connect_look(db, now);
    if (db->stopping) {
        aur_error_set(err, AUR_E_DB_UNAVAILABLE, NULL, "The server is stopping.");
        err->retry_after = AUR_POOL_RETRY_AFTER;
        return APR_EGENERAL;
    }
    if (aur_task_reason(task) != AUR_STOP_NONE) {
        return aur_error_set(err, AUR_E_CLIENT_GONE, NULL, "Nobody waits for the answer.");
    }
    if (aur_circuit_refuses(db)) {
        return aur_circuit_error(db, err);
    }
    if (now >= deadline) {
        return db->circuit.open ? aur_circuit_error(db, err) : exhausted(err);
    }
    return APR_SUCCESS;
}

/* One slice. The lock is let go of at its end, for a signal that ends the child. */
static void wait_slice(aur_db_t *db, apr_time_t now, apr_time_t deadline)
{
    aur_cond_wait(&db->change, &db->lock,
                  now + AUR_POOL_SLICE < deadline ? now + AUR_POOL_SLICE : deadline);
    aur_unlock(&db->lock);
    aur_lock(&db->lock);
}

/* Exports leave the last places to previews. */
static apr_status_t wait_use(aur_db_t *db, aur_conn_t *conn, apr_time_t deadline, aur_error_t *err)
{
    int max = db->max - db->settings.pool_reserve;
    apr_status_t rv = APR_SUCCESS;

    if (conn->use != AUR_USE_EXPORT) {
        return APR_SUCCESS;
    }
    max = max > 0 ? max : 1;
    aur_lock(&db->lock);
    while (db->nexports >= max) {
        apr_time_t now = aur_clock();
        rv = look_up(db, conn->task, now, deadline, err);
        if (rv != APR_SUCCESS) {
            break;
        }
        wait_slice(db, now, deadline);
    }
    db->nexports += rv == APR_SUCCESS;
    aur_unlock(&db->lock);
    return rv;
}

static apr_status_t wait_slot(aur_db_t *db, aur_conn_t *conn, apr_time_t deadline, aur_error_t *err)
{
    aur_ending_t ending;
    apr_status_t rv;
    void *slot;

    for (;;) {
        aur_ending_hold(&ending);
        rv = apr_reslist_acquire(db->slots, &slot);
        if (rv == APR_SUCCESS) {
            conn->slot = slot;
        }
        aur_ending_release(&ending);
        if (rv == APR_SUCCESS) {
            return APR_SUCCESS;
        }
        if (!APR_STATUS_IS_TIMEUP(rv)) {
            db->log(db->log_ctx, LOG_ERR, rv, "no place in the pool of database connections");
            return aur_error_set(err, AUR_E_INTERNAL, NULL, "The server cannot open a connection.");
        }
        aur_lock(&db->lock);
        rv = look_up(db, conn->task, aur_clock(), deadline, err);
        aur_unlock(&db->lock);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
}

/* An idle session, or one that is being connected. Under the lock. */
static apr_status_t wait_session(aur_db_t *db, aur_conn_t *conn, apr_time_t deadline,
                                 aur_error_t *err)
{
    apr_status_t rv = APR_SUCCESS;
    apr_time_t now;

    db->nwanting++;
    while (!(conn->session = aur_idle_take(db))) {
        now = aur_clock();
        rv = look_up(db, conn->task, now, deadline, err);
        if (rv != APR_SUCCESS) {
            break;
        }
        if (!db->circuit.open && aur_connect_count(db) < db->nwanting) {
            aur_connect_start(db, now);
        }
        wait_slice(db, now, deadline);
    }
    db->nwanting--;
    db->nborrowed += rv == APR_SUCCESS;
    return rv;
}

/* --- borrowing ------------------------------------------------------------------------------------ */

static apr_status_t begin(aur_conn_t *conn, aur_error_t *err)
{
    aur_session_t *session = conn->session;
    apr_status_t rv;

    if (session->dialect) {
        __atomic_store_n(&conn->db->dialect, session->dialect, __ATOMIC_RELAXED);
    }
    aur_session_enter(session);
    rv = session->backend->begin(session, conn->user, conn->correlation, err);
    aur_session_leave(session);
    return rv;
}

static int is_new(const aur_session_t *session)
{
    return !session->lent && aur_clock() - session->used < NEW_FOR;
}

/* From here on the task's stop cancels what runs on the session. */
static void watch_session(aur_conn_t *conn)
{
    __atomic_store_n(&conn->session->cancelled, 0, __ATOMIC_RELAXED);
    aur_task_state(conn->task, AUR_TASK_IN_DB);
    aur_task_attach(conn->task, &target, conn->session);
}

/* Leave conn with a session in a transaction, and watched. One that turns out dead is replaced unseen, as long as
 * there is time; a new one that fails is told.
 * @param ask  whether they are asked if they still answer, however young or new */
static apr_status_t get_session(aur_conn_t *conn, int ask, apr_time_t deadline, aur_error_t *err)
{
    aur_db_t *db = conn->db;
    apr_status_t rv;

    for (;;) {
        aur_lock(&db->lock);
        rv = wait_session(db, conn, deadline, err);
        aur_unlock(&db->lock);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        conn->from_idle = ask || !is_new(conn->session);
        conn->session->lent = 1;
        watch_session(conn);
        if ((!conn->from_idle || aur_session_good(db, conn->session, ask)) &&
            (rv = begin(conn, err)) == APR_SUCCESS) {
            return APR_SUCCESS;
        }
        aur_task_detach(conn->task);
        aur_task_state(conn->task, AUR_TASK_WAITING);
        drop_session(conn);
        if (!conn->from_idle) {
            err->code = AUR_E_DB_UNAVAILABLE;
            err->retry_after = AUR_POOL_RETRY_AFTER;
            return rv;
        }
        aur_error_clear(err);
    }
}

/* A task that has been stopped has no more cancels to come; any other may be stopped in the middle of this, and
 * nobody knows then what its cancel has met.
 * @return whether another borrower may have the session */
static int rolled_back(aur_conn_t *conn)
{
    aur_session_t *session = conn->session;
    int watched = aur_task_reason(conn->task) == AUR_STOP_NONE;
    int cancelled = aur_session_cancelled(session), good;

    if (session->doubtful || __atomic_load_n(&session->held, __ATOMIC_ACQUIRE)) {
        return 0;
    }
    if (watched) {
        aur_task_progress(conn->task);
        aur_task_attach(conn->task, &target, session);
    }
    aur_session_enter(session);
    good = session->backend->rollback(session) == APR_SUCCESS;
    aur_session_leave(session);
    if (watched) {
        aur_task_detach(conn->task);
        good = good && cancelled == aur_session_cancelled(session) &&
               !__atomic_load_n(&session->held, __ATOMIC_ACQUIRE);
    }
    return good;
}

static void tell_borrowers(const aur_db_t *db, int waiting, int busy)
{
    if (db->hooks.borrowers) {
        db->hooks.borrowers(db->hooks.ctx, waiting, busy);
    }
}

/* Its session is accounted for. The end of the child finds conn with its place or neither: a place that nobody
 * answers for would be missed by the list. */
static void leave(aur_db_t *db, aur_conn_t *conn)
{
    aur_ending_t ending;

    aur_ending_hold(&ending);
    aur_lock(&db->lock);
    unlink_conn(db, conn);
    aur_unlock(&db->lock);
    if (conn->slot) {
        apr_reslist_release(db->slots, conn->slot);
        conn->slot = NULL;
    }
    aur_ending_release(&ending);
}

static apr_status_t conn_end(void *data)
{
    aur_conn_t *conn = data;
    aur_db_t *db = conn->db;
    aur_session_t *session = conn->session;
    int good;

    if (!db) {
        return APR_SUCCESS; /* the db ended first */
    }
    tell_borrowers(db, 0, -1);
    aur_conn_close_cursors(conn);
    aur_task_detach(conn->task);
    good = session && rolled_back(conn);
    aur_task_state(conn->task, AUR_TASK_ELSEWHERE);

    aur_lock(&db->lock);
    db->nborrowed -= session != NULL;
    if (good) {
        aur_idle_put(db, session);
    }
    else if (session) {
        aur_bury(db, session);
    }
    conn->session = NULL;
    aur_unlock(&db->lock);
    leave(db, conn);
    return APR_SUCCESS;
}

static apr_status_t borrow(aur_conn_t **conn, aur_db_t *db, aur_db_use_e use, const char *user,
                           const char *correlation, aur_task_t *task, aur_error_t *err,
                           apr_pool_t *p)
{
    apr_time_t deadline = aur_clock() + db->wait;
    aur_conn_t *made = apr_pcalloc(p, sizeof(*made));
    apr_status_t rv;

    made->pool = p;
    made->use = use;
    made->user = user;
    made->correlation = correlation;
    made->task = task;
    made->patience = UNWATCHED_WAIT;
    aur_task_state(task, AUR_TASK_WAITING);
    rv = wait_use(db, made, deadline, err);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    link_conn(db, made); /* from here on db_end knows of the place */
    rv = wait_slot(db, made, deadline, err);
    if (rv == APR_SUCCESS) {
        rv = get_session(made, 0, deadline, err);
    }
    if (rv != APR_SUCCESS) {
        leave(db, made);
        return rv;
    }
    apr_pool_cleanup_register(p, made, conn_end, apr_pool_cleanup_null);
    *conn = made;
    return APR_SUCCESS;
}

apr_status_t aur_conn_borrow_for(aur_conn_t **conn, aur_db_t *db, aur_db_use_e use,
                                 const char *user, const char *correlation, aur_task_t *task,
                                 aur_error_t *err, apr_pool_t *p)
{
    apr_status_t rv;

    tell_borrowers(db, 1, 0);
    rv = borrow(conn, db, use, user, correlation, task, err, p);
    tell_borrowers(db, -1, rv == APR_SUCCESS);
    return rv;
}

apr_status_t aur_conn_borrow(aur_conn_t **conn, aur_db_t *db, aur_db_use_e use, const char *user,
                             const char *correlation, aur_error_t *err, apr_pool_t *p)
{
    return aur_conn_borrow_for(conn, db, use, user, correlation, NULL, err, p);
}

void aur_conn_return(aur_conn_t *conn)
{
    apr_pool_cleanup_run(conn->pool, conn, conn_end);
}

apr_status_t aur_conn_replace(aur_conn_t *conn, const aur_error_t *err)
{
    aur_db_t *db = conn->db;
    aur_error_t why;

    if (!err->connection_lost || !conn->from_idle || conn->used ||
        aur_task_reason(conn->task) != AUR_STOP_NONE || aur_session_cancelled(conn->session)) {
        return APR_EGENERAL;
    }
    db->log(db->log_ctx, LOG_INFO, APR_SUCCESS, "a connection had gone and is replaced: %s",
            err->native);
    aur_task_detach(conn->task);
    conn->used = 1;
    drop_session(conn);
    aur_error_clear(&why);
    return get_session(conn, 1, aur_clock() + db->wait, &why);
}

void aur_conn_cancel(aur_conn_t *conn)
{
    if (conn->db && conn->session) { /* not given back */
        session_cancel(conn->session);
    }
}
