/* pool_connect.c - connecting, in threads that can be left behind: a driver that hangs in a connect cannot be
 * stopped from outside. What they open goes to the list of idle sessions. */
#include "pool.h"

#include "aurora/metrics.h"

/* Hanging ones beyond those that may be needed: two rounds of borrowers. */
#define CONNECTORS_SPARE 4
/* A connector that began a moment after its borrower counts as late with it. */
#define LATE_SLACK apr_time_from_msec(60)
/* Pause after AuroraDBSessionsMax stood in the way. */
#define CAP_PAUSE apr_time_from_msec(100)

void aur_db_release_and_unlock(aur_db_t *db)
{
    int last = --db->users == 0;

    aur_unlock(&db->lock);
    if (last) {
        aur_cond_end(&db->change);
        aur_cond_end(&db->work);
        aur_lock_end(&db->lock);
        apr_pool_destroy(db->pool);
    }
}

/* What the database itself allows is asked once, on a new session before anybody has it. */
static void ask_capacity(aur_db_t *db, aur_session_t *session)
{
    aur_sql_t sql = {.text = db->backend->capacity(&db->settings)};
    aur_conn_t conn = {.db = db, .session = session, .patience = db->wait};
    apr_int64_t capacity;
    aur_error_t err;
    apr_pool_t *p;

    if (!sql.text) {
        return;
    }
    sql.len = strlen(sql.text);
    aur_error_clear(&err);
    if (apr_pool_create_unmanaged_ex(&p, NULL, NULL) != APR_SUCCESS) {
        return;
    }
    if (session->backend->begin(session, NULL, NULL, &err) == APR_SUCCESS &&
        aur_db_number(&capacity, &conn, &sql, &err, p) == APR_SUCCESS) {
        db->hooks.capacity(db->hooks.ctx, capacity);
    }
    else {
        db->log(db->log_ctx, LOG_INFO, APR_SUCCESS,
                "the database does not tell how many sessions it allows: %s", err.native);
    }
    if (session->backend->rollback(session) != APR_SUCCESS) {
        session->doubtful = 1;
    }
    apr_pool_destroy(p);
}

/* Is it for this thread to ask? */
static int may_ask(aur_db_t *db)
{
    int ask;

    aur_lock(&db->lock);
    ask = db->backend->capacity && db->hooks.capacity && !db->asked && !db->stopping;
    db->asked |= ask;
    aur_unlock(&db->lock);
    return ask;
}

static void unlink_connector(aur_db_t *db, aur_connector_t *connector)
{
    if (connector->next) {
        connector->next->prev = connector->prev;
    }
    if (connector->prev) {
        connector->prev->next = connector->next;
    }
    else {
        db->connectors = connector->next;
    }
    db->nconnectors--;
}

/* Hand over what came of it. Under the lock. */
static void deliver(aur_db_t *db, aur_connector_t *connector, aur_session_t *session,
                    const aur_error_t *err)
{
    apr_time_t now = aur_clock();

    if (!session) {
        aur_metrics_connect_error();
        aur_circuit_fail(db, connector->started, now, err);
        return;
    }
    aur_circuit_succeed(db, now);
    if (session->doubtful) {
        aur_bury(db, session);
        aur_cond_wake_all(&db->change);
    }
    else {
        aur_idle_put(db, session);
    }
}

/* Nobody counts sessions of a child that has ended, and its hooks are gone. Nobody joins its threads either. */
static void leave(aur_db_t *db, aur_connector_t *connector, aur_session_t *session)
{
    aur_relay_t before = {.any = 0};
    apr_pool_t *p = connector->pool;

    if (session) {
        aur_unlock(&db->lock);
        aur_session_close(session);
        aur_lock(&db->lock);
    }
    unlink_connector(db, connector);
    apr_pool_destroy(p);
    aur_cond_wake_all(&db->change);
    if (db->ended) {
        pthread_detach(pthread_self());
    }
    else {
        before = aur_relay_pass(&db->relay);
    }
    aur_db_release_and_unlock(db);
    aur_relay_join(before);
}

static void *connect_run(void *data)
{
    aur_connector_t *connector = data;
    aur_db_t *db = connector->db;
    aur_session_t *session = NULL;
    aur_error_t err;
    int taken = !db->hooks.take || db->hooks.take(db->hooks.ctx);

    aur_error_clear(&err);
    if (taken && aur_session_open(&session, db->backend, &db->settings, db->wait, db->log,
                                  db->log_ctx, &err, NULL) != APR_SUCCESS) {
        session = NULL;
    }
    if (session && may_ask(db)) {
        ask_capacity(db, session);
    }
    aur_lock(&db->lock);
    if (db->ended) {
        leave(db, connector, session);
        return NULL;
    }
    if (taken) {
        deliver(db, connector, session, &err);
    }
    else {
        db->capped = aur_clock();
    }
    if (taken && !session && db->hooks.give) {
        db->hooks.give(db->hooks.ctx);
    }
    leave(db, connector, NULL);
    return NULL;
}

static int may_start(const aur_db_t *db, apr_time_t now)
{
    return !db->stopping && db->nconnectors < 2 * db->max + CONNECTORS_SPARE &&
           aur_connect_count(db) + db->nidle + db->nborrowed < db->max &&
           (!db->capped || now - db->capped >= CAP_PAUSE);
}

int aur_connect_start(aur_db_t *db, apr_time_t now)
{
    aur_connector_t *connector;
    pthread_t thread;
    apr_pool_t *p;
    apr_status_t rv;

    if (!may_start(db, now)) {
        return 0;
    }
    rv = apr_pool_create_unmanaged_ex(&p, NULL, NULL);
    if (rv != APR_SUCCESS) {
        return 0;
    }
    connector = apr_pcalloc(p, sizeof(*connector));
    connector->db = db;
    connector->pool = p;
    connector->started = now;
    connector->next = db->connectors;
    if (connector->next) {
        connector->next->prev = connector;
    }
    db->connectors = connector;
    db->nconnectors++;
    db->users++;
    rv = aur_thread_start(&thread, connect_run, connector);
    if (rv != APR_SUCCESS) {
        db->log(db->log_ctx, LOG_ERR, rv, "no thread for connecting to the database");
        unlink_connector(db, connector);
        db->users--;
        apr_pool_destroy(p);
        return 0;
    }
    return 1;
}

int aur_connect_count(const aur_db_t *db)
{
    const aur_connector_t *connector;
    int count = 0;

    for (connector = db->connectors; connector; connector = connector->next) {
        count += !connector->late;
    }
    return count;
}

void aur_connect_look(aur_db_t *db, apr_time_t now)
{
    aur_connector_t *connector;
    aur_error_t why;

    for (connector = db->connectors; connector; connector = connector->next) {
        if (!connector->late && now - connector->started >= db->wait - LATE_SLACK &&
            now - connector->started >= db->wait / 2) {
            connector->late = 1;
            aur_error_clear(&why);
            aur_error_set(&why, AUR_E_DB_UNAVAILABLE, NULL, "The database cannot be reached.");
            aur_error_native(&why, db->settings.driver, "no answer in time to a connect");
            aur_circuit_fail(db, connector->started, now, &why);
        }
    }
}
