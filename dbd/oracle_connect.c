/* oracle_connect.c - connections: opened, guarded while they run, broken, closed. */
#include "oracle.h"

#include <string.h>

#define STATEMENTS_CACHED 40
/* Logging off takes round trips, too, and one that was given up is not likely to answer them. */
#define GIVEN_UP_MS 5000
/* A break that has not left by then is on a network that takes nothing. */
#define BREAK_WAIT apr_time_from_sec(1)

/* OCI_HTYPE_SESSION and its attribute for the bytes of a LOB that come with the row. */
#define SESSION_HANDLE    9
#define LOB_PREFETCH_ATTR 438

/* Values do not depend on them, but what the statements of others compare and convert does. */
static const char session_sql[] = "ALTER SESSION SET NLS_DATE_FORMAT = 'YYYY-MM-DD HH24:MI:SS'"
                                  " NLS_TIMESTAMP_FORMAT = 'YYYY-MM-DD HH24:MI:SS.FF'"
                                  " NLS_TIMESTAMP_TZ_FORMAT = 'YYYY-MM-DD HH24:MI:SS.FF TZH:TZM'"
                                  " NLS_NUMERIC_CHARACTERS = '.,'"
                                  " NLS_SORT = BINARY NLS_COMP = BINARY"
                                  " TIME_ZONE = '+00:00'";

/* --- calls ------------------------------------------------------------------------------------------ */

int ora_enter(apr_dbd_t *h)
{
    int gone;

    if (!h->conn) {
        return ora_error_set(h, APR_DBD_ORACLE_LOST, "the connection is closed");
    }
    apr_thread_mutex_lock(h->gate);
    gone = h->abandoned;
    h->running = !gone;
    apr_thread_mutex_unlock(h->gate);
    return gone ? ora_error_set(h, APR_DBD_ORACLE_LOST, "the connection has been given up") : 0;
}

/* A break that reaches the server after its call has ended hits the next one: that shall be a ping. */
static void soak(apr_dbd_t *h)
{
    dpiErrorInfo info;
    int i;

    for (i = 0; i < 2 && dpiConn_ping(h->conn) != DPI_SUCCESS; i++) {
        dpiContext_getError(h->context, &info);
        if (ora_error_class(info.code, 0, 0) != APR_DBD_ORACLE_INTERRUPTED) {
            break; /* the next call says what it is */
        }
    }
}

/* Under the gate. A break that is still under way could meet the next call: there is none, then. */
static void await_break(apr_dbd_t *h)
{
    apr_time_t now = apr_time_now(), until = now + BREAK_WAIT;

    while (h->breaking && now < until) {
        (void)apr_thread_cond_timedwait(h->settled, h->gate, until - now);
        now = apr_time_now();
    }
    h->abandoned |= h->breaking;
}

int ora_leave(apr_dbd_t *h, int dpi_result)
{
    int broken, what = 0;

    apr_thread_mutex_lock(h->gate);
    await_break(h);
    broken = h->broken && !h->abandoned; /* there is no next call then */
    h->running = h->broken = 0;
    apr_thread_mutex_unlock(h->gate);
    if (dpi_result != DPI_SUCCESS) {
        what = ora_error_take(h, 0);
    }
    if (broken && what != APR_DBD_ORACLE_INTERRUPTED && what != APR_DBD_ORACLE_LOST) {
        soak(h);
    }
    return what;
}

/* Under the gate, which is open while the client library is busy: who waits for it is the call's own thread. The
 * connection is not released as long as it is. */
static void break_call(apr_dbd_t *h)
{
    dpiConn *conn = h->conn;

    if (h->running && !h->broken && conn) {
        h->broken = h->breaking = 1;
        apr_thread_mutex_unlock(h->gate);
        (void)dpiConn_breakExecution(conn); /* the call itself tells how it went */
        apr_thread_mutex_lock(h->gate);
        h->breaking = 0;
        apr_thread_cond_broadcast(h->settled);
    }
}

void ora_interrupt(apr_dbd_t *h)
{
    apr_thread_mutex_lock(h->gate);
    break_call(h);
    apr_thread_mutex_unlock(h->gate);
}

void ora_abandon(apr_dbd_t *h)
{
    apr_thread_mutex_lock(h->gate);
    h->abandoned = 1;
    break_call(h);
    apr_thread_mutex_unlock(h->gate);
}

/* Clients before 18 cannot limit calls. */
void ora_limit_connecting(apr_dbd_t *h, int on)
{
    if (h->conn && h->params.connect_timeout_s) {
        (void)dpiConn_setCallTimeout(h->conn,
                                     on ? h->params.connect_timeout_s * 1000 : h->call_timeout_ms);
    }
}

/* --- opening ---------------------------------------------------------------------------------------- */

static int create_quietly(apr_dbd_t *h, const char *server, dpiCommonCreateParams *common,
                          dpiConnCreateParams *create)
{
    const char *user = h->params.user, *pass = h->params.pass;
    sigset_t before;
    int rc;

    ora_signals_block(&before);
    rc = dpiConn_create(h->context, user, user ? (uint32_t)strlen(user) : 0, pass,
                        pass ? (uint32_t)strlen(pass) : 0, server, (uint32_t)strlen(server), common,
                        create, &h->conn);
    ora_signals_restore(&before);
    return rc;
}

static int connect_to(apr_dbd_t *h, const char *server)
{
    dpiCommonCreateParams common;
    dpiConnCreateParams create;

    if (dpiContext_initCommonCreateParams(h->context, &common) != DPI_SUCCESS ||
        dpiContext_initConnCreateParams(h->context, &create) != DPI_SUCCESS) {
        return ora_error_take(h, 1);
    }
    common.createMode = DPI_MODE_CREATE_DEFAULT | DPI_MODE_CREATE_THREADED;
    common.encoding = common.nencoding = "UTF-8";
    common.driverName = "apr_dbd_oracle";
    common.driverNameLength = (uint32_t)strlen(common.driverName);
    common.stmtCacheSize = STATEMENTS_CACHED;
    if (h->params.edition) {
        common.edition = h->params.edition;
        common.editionLength = (uint32_t)strlen(h->params.edition);
    }
    if (!h->params.user || !*h->params.user || !strcmp(h->params.user, "/")) {
        h->params.user = h->params.pass = NULL;
        create.externalAuth = 1;
    }
    if (create_quietly(h, server, &common, &create) != DPI_SUCCESS) {
        h->conn = NULL;
        return ora_error_take(h, 1);
    }
    return 0;
}

/* A session that works, whatever the client's environment or the database's defaults are. */
static int settle(apr_dbd_t *h)
{
    apr_uint32_t prefetch = ORA_LOB_PREFETCH;
    dpiVersionInfo version;
    const char *release;
    uint32_t len;
    int what;

    ora_limit_connecting(h, 1);
    if ((what = ora_enter(h)) != 0 ||
        (what = ora_leave(h, dpiConn_getServerVersion(h->conn, &release, &len, &version))) != 0) {
        return what;
    }
    h->version[0] = version.versionNum;
    h->version[1] = version.releaseNum;
    h->version[2] = version.updateNum;
    /* Saves a round trip per small LOB, no more: a client that does not know it works as well. */
    (void)dpiConn_setOciAttr(h->conn, SESSION_HANDLE, LOB_PREFETCH_ATTR, &prefetch, 0);
    what = ora_execute(h, session_sql, sizeof(session_sql) - 1, NULL, 0, 0, NULL);
    ora_limit_connecting(h, 0);
    return what;
}

static apr_status_t conn_cleanup(void *data)
{
    apr_dbd_t *h = data;
    apr_dbd_oracle_stmt_t *st;
    dpiConn *conn;
    int abandoned;

    while ((st = h->open)) {
        ora_stmt_release(st);
    }
    apr_thread_mutex_lock(h->gate);
    while (h->breaking) {
        apr_thread_cond_wait(h->settled, h->gate);
    }
    conn = h->conn;
    abandoned = h->abandoned;
    h->conn = NULL;
    h->native.dpi_conn = NULL;
    apr_thread_mutex_unlock(h->gate);
    if (conn && abandoned) {
        (void)dpiConn_setCallTimeout(conn, GIVEN_UP_MS); /* old clients cannot */
    }
    if (conn) {
        dpiConn_release(conn); /* rolls back what is open, ends the session */
    }
    return APR_SUCCESS;
}

apr_status_t ora_close(apr_dbd_t *h)
{
    return apr_pool_cleanup_run(h->pool, h, conn_cleanup);
}

/* What stands before connecting: parameters, password, library. */
static const char *prepare(apr_dbd_t *h, const char *params, apr_pool_t *pool)
{
    const char *why = ora_params_parse(&h->params, params, pool);

    if (!why) {
        why = ora_params_pass_file(&h->params, pool);
    }
    if (!why) {
        h->context = ora_context(h->params.libdir, &why, pool);
    }
    return why;
}

apr_dbd_t *ora_open(apr_pool_t *pool, const char *params, const char **error)
{
    apr_dbd_t *h = apr_pcalloc(pool, sizeof(*h));
    const char *why, *server;
    dpiVersionInfo client;

    h->pool = pool;
    h->native.magic = APR_DBD_ORACLE_MAGIC;
    h->native.version = APR_DBD_ORACLE_VERSION;
    h->native.calls = &ora_calls;
    h->error.message = "";
    why = prepare(h, params, pool);
    if (!why && (apr_thread_mutex_create(&h->gate, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS ||
                 apr_thread_cond_create(&h->settled, pool) != APR_SUCCESS)) {
        why = "no mutex for the connection";
    }
    if (!why && dpiContext_getClientVersion(h->context, &client) != DPI_SUCCESS) {
        (void)ora_error_take(h, 1);
        why = apr_pstrdup(pool, h->error_text);
    }
    if (!why) {
        server = ora_server_with_timeout(h->params.server, h->params.connect_timeout_s,
                                         client.versionNum >= 19, pool);
        apr_pool_cleanup_register(pool, h, conn_cleanup, apr_pool_cleanup_null);
        if (connect_to(h, server) != 0 || settle(h) != 0) {
            why = apr_pstrdup(pool, h->error_text);
            ora_abandon(h);
            ora_close(h);
        }
    }
    if (why) {
        if (error) {
            *error = why;
        }
        return NULL;
    }
    h->native.dpi_conn = h->conn;
    return h;
}
