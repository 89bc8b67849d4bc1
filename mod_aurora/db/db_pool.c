/* db_pool.c - the connections of a child: an apr_reslist of slots.
 *
 * apr_reslist_acquire calls the constructor while it holds the list's lock, so what the list holds is
 * a slot, which costs nothing; the borrower connects it afterwards, outside the lock. The list is
 * last in, first out: a quiet server uses few connections and the rest grow idle.
 *
 * Memory: db->pool and everything below it share an allocator with a mutex, because workers make and
 * destroy sessions side by side. Of pchild itself that cannot be assumed (prefork).
 *
 * The end: a child may be told to end in the middle of a request (prefork does so from its signal
 * handler), and pchild's pools end in an order that is not ours: the borrower's pool may well outlive
 * the db. So all borrowed connections stand in a list, and the db's end takes them back first. */
#include <apr_reslist.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <syslog.h>

#include "backend.h"
#include "shared_pool.h"

#define IDLE_CHECK      apr_time_from_sec(5)  /* idle for longer: asked whether it still lives */
#define CONNECT_MIN     apr_time_from_msec(1) /* what remains of the wait is never nothing */
#define CONNECT_DEFAULT apr_time_from_sec(2)  /* where the wait has no end */
#define RETRY_AFTER     5                     /* seconds, as the contract has it */

typedef struct aur_slot_t {
    apr_pool_t *pool;
    aur_session_t *session; /* NULL: not connected */
} aur_slot_t;

struct aur_db_t {
    aur_db_settings_t settings;
    const aur_backend_t *backend;
    const aur_dialect_t *dialect;
    apr_reslist_t *slots;
    apr_thread_mutex_t *lock; /* guards `borrowed` and each conn->db */
    aur_conn_t *borrowed;
    aur_log_fn *log; /* never NULL */
    void *log_ctx;
    apr_pool_t *pool;
};

/* --- slots -------------------------------------------------------------------------------------- */

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

static void slot_disconnect(aur_slot_t *slot)
{
    if (slot->session) {
        aur_session_close(slot->session);
        slot->session = NULL;
    }
}

static apr_status_t slot_end(void *resource, void *params, apr_pool_t *pool)
{
    aur_slot_t *slot = resource;

    slot_disconnect(slot);
    apr_pool_destroy(slot->pool);
    return APR_SUCCESS;
}

/* A slot without a connection is not kept: the next borrower should find a connected one first. */
static void slot_release(aur_db_t *db, aur_slot_t *slot)
{
    if (slot->session) {
        apr_reslist_release(db->slots, slot);
    }
    else {
        apr_reslist_invalidate(db->slots, slot);
    }
}

/* Is the session that lay in the pool still good? */
static int still_good(const aur_db_t *db, aur_session_t *session)
{
    aur_error_t why;

    if (!db->backend->current(session)) {
        return 0;
    }
    if (apr_time_now() - session->used < IDLE_CHECK) {
        return 1;
    }
    aur_error_clear(&why);
    if (db->backend->ping(session, &why) == APR_SUCCESS) {
        return 1;
    }
    db->log(db->log_ctx, LOG_INFO, APR_SUCCESS, "an idle connection had gone: %s", why.native);
    return 0;
}

static apr_status_t slot_begin(aur_slot_t *slot, const char *user, const char *correlation,
                               aur_error_t *err)
{
    aur_session_t *session = slot->session;
    apr_status_t rv;

    __atomic_store_n(&session->cancelled, 0, __ATOMIC_RELAXED);
    aur_session_enter(session);
    rv = session->backend->begin(session, user, correlation, err);
    aur_session_leave(session);
    if (rv != APR_SUCCESS) {
        slot_disconnect(slot);
    }
    return rv;
}

/* Leave the slot with a connection in a transaction. A pooled one that turns out dead is replaced
 * once, unseen; a new one that fails is told. */
static apr_status_t slot_ready(aur_db_t *db, aur_slot_t *slot, apr_interval_time_t wait_us,
                               const char *user, const char *correlation, aur_error_t *err)
{
    apr_status_t rv;

    if (slot->session && !still_good(db, slot->session)) {
        slot_disconnect(slot);
    }
    if (slot->session && slot_begin(slot, user, correlation, err) == APR_SUCCESS) {
        return APR_SUCCESS;
    }
    rv = aur_session_open(&slot->session, db->backend, &db->settings, wait_us, db->log, db->log_ctx,
                          err, db->pool);
    if (rv == APR_SUCCESS) {
        rv = slot_begin(slot, user, correlation, err);
    }
    if (rv != APR_SUCCESS) {
        err->code = AUR_E_DB_UNAVAILABLE;
        err->retry_after = RETRY_AFTER;
    }
    return rv;
}

/* --- the db ------------------------------------------------------------------------------------- */

static void link_conn(aur_db_t *db, aur_conn_t *conn)
{
    apr_thread_mutex_lock(db->lock);
    conn->db = db;
    conn->next = db->borrowed;
    if (conn->next) {
        conn->next->prev = conn;
    }
    db->borrowed = conn;
    apr_thread_mutex_unlock(db->lock);
}

static void unlink_conn(aur_db_t *db, aur_conn_t *conn)
{
    apr_thread_mutex_lock(db->lock);
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
    apr_thread_mutex_unlock(db->lock);
}

/* The child ends while conn is out. A connection in the middle of a call cannot be closed, not even
 * looked at: this may be the signal handler that interrupted the call. */
static void take_back(aur_db_t *db, aur_conn_t *conn)
{
    aur_slot_t *slot = conn->slot;
    aur_session_t *session = conn->session;

    if (!session) {
        /* Still connecting or being checked: whatever is there is in the middle of it. */
        if (slot->session) {
            aur_session_abandon(slot->session);
            slot->session = NULL;
        }
    }
    else if (__atomic_load_n(&session->inside, __ATOMIC_RELAXED)) {
        aur_conn_cancel(conn);
        for (; conn->cursors; conn->cursors = conn->cursors->next) {
            conn->cursors->session = NULL;
        }
        aur_session_abandon(session);
        slot->session = NULL;
    }
    else {
        aur_conn_close_cursors(conn);
    }
    unlink_conn(db, conn);
    apr_reslist_release(db->slots, slot);
}

static apr_status_t db_end(void *data)
{
    aur_db_t *db = data;

    while (db->borrowed) {
        take_back(db, db->borrowed);
    }
    /* Before the pool's children, which hold the sessions, are destroyed on their own. */
    return apr_reslist_destroy(db->slots);
}

apr_status_t aur_db_child_create(aur_db_t **db, const aur_db_settings_t *settings, aur_log_fn *log,
                                 void *log_ctx, apr_pool_t *pchild)
{
    aur_db_t *made;
    apr_pool_t *p;
    int max = settings->pool_max > 0 ? settings->pool_max : 1;
    apr_status_t rv = apr_dbd_init(pchild);

    if (rv != APR_SUCCESS || (rv = aur_shared_pool_create(&p, pchild, "aur_db")) != APR_SUCCESS) {
        return rv;
    }
    made = apr_pcalloc(p, sizeof(*made));
    made->settings = *settings;
    made->backend = aur_backend_get(settings->driver);
    made->dialect = aur_dialect_get(settings->driver);
    made->log = log ? log : aur_log_none;
    made->log_ctx = log_ctx;
    made->pool = p;
    rv = made->backend && made->dialect ? APR_SUCCESS : APR_ENOTIMPL;
    if (rv == APR_SUCCESS) {
        rv = apr_thread_mutex_create(&made->lock, APR_THREAD_MUTEX_DEFAULT, p);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_reslist_create(&made->slots, 0, max, max, 0, slot_make, slot_end, made, p);
    }
    if (rv != APR_SUCCESS) {
        apr_pool_destroy(p);
        return rv;
    }
    apr_reslist_timeout_set(made->slots, settings->pool_timeout);
    apr_pool_pre_cleanup_register(p, made, db_end);
    *db = made;
    return APR_SUCCESS;
}

const aur_dialect_t *aur_db_dialect(const aur_db_t *db)
{
    return db->dialect;
}

/* --- borrowing ---------------------------------------------------------------------------------- */

static apr_status_t conn_end(void *data)
{
    aur_conn_t *conn = data;
    aur_db_t *db = conn->db;
    aur_slot_t *slot = conn->slot;
    aur_session_t *session = conn->session;

    if (!db) {
        return APR_SUCCESS; /* the db ended first */
    }
    aur_conn_close_cursors(conn);
    unlink_conn(db, conn);
    aur_session_enter(session);
    if (session->doubtful || session->backend->rollback(session) != APR_SUCCESS) {
        slot_disconnect(slot);
    }
    else {
        aur_session_leave(session);
        session->used = apr_time_now();
    }
    slot_release(db, slot);
    return APR_SUCCESS;
}

/* What is left for connecting. */
static apr_interval_time_t remains(const aur_db_t *db, apr_time_t start)
{
    apr_interval_time_t left = db->settings.pool_timeout - (apr_time_now() - start);

    if (db->settings.pool_timeout == 0) {
        return CONNECT_DEFAULT;
    }
    return left > CONNECT_MIN ? left : CONNECT_MIN;
}

static apr_status_t no_slot(aur_db_t *db, apr_status_t rv, aur_error_t *err)
{
    if (APR_STATUS_IS_TIMEUP(rv)) {
        aur_error_set(err, AUR_E_POOL_EXHAUSTED, NULL,
                      "All database connections are in use; try again in a few seconds.");
        err->retry_after = RETRY_AFTER;
        return APR_EGENERAL;
    }
    db->log(db->log_ctx, LOG_ERR, rv, "no place in the pool of database connections");
    return aur_error_set(err, AUR_E_INTERNAL, NULL, "The server cannot open a connection.");
}

apr_status_t aur_conn_borrow(aur_conn_t **conn, aur_db_t *db, aur_db_use_e use, const char *user,
                             const char *correlation, aur_error_t *err, apr_pool_t *p)
{
    apr_time_t start = apr_time_now();
    aur_conn_t *made = apr_pcalloc(p, sizeof(*made));
    void *slot;
    apr_status_t rv = apr_reslist_acquire(db->slots, &slot);

    if (rv != APR_SUCCESS) {
        return no_slot(db, rv, err);
    }
    made->slot = slot;
    made->pool = p;
    link_conn(db, made); /* before the connect: from here on db_end knows of the slot */
    rv = slot_ready(db, slot, remains(db, start), user, correlation, err);
    if (rv != APR_SUCCESS) {
        unlink_conn(db, made);
        slot_release(db, slot);
        return rv;
    }
    made->session = made->slot->session;
    apr_pool_cleanup_register(p, made, conn_end, apr_pool_cleanup_null);
    *conn = made;
    return APR_SUCCESS;
}

void aur_conn_return(aur_conn_t *conn)
{
    apr_pool_cleanup_run(conn->pool, conn, conn_end);
}

void aur_conn_cancel(aur_conn_t *conn)
{
    aur_session_t *session = conn->session;

    if (!conn->db) {
        return; /* given back */
    }
    __atomic_store_n(&session->cancelled, 1, __ATOMIC_RELAXED);
    session->backend->cancel(session);
}
