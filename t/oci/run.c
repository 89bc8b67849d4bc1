/* run.c - statements sent to PostgreSQL, and the wait for what it answers: a break and a timeout reach it from here,
 * again and again until it has heard, for PostgreSQL forgets a cancel that finds nothing to do. */
#include "double.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TICK_MS      20
#define CANCEL_TICKS 10

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void cancel_send(dbl_server_t *srv)
{
    char text[256];
    pthread_mutex_lock(&srv->cancel_lock);
    if (srv->cancel) {
        PQcancel(srv->cancel, text, sizeof(text));
    }
    pthread_mutex_unlock(&srv->cancel_lock);
}

/* Until a result can be had without waiting. */
static bool wait_result(dbl_server_t *srv, int64_t deadline)
{
    unsigned ticks = 0;
    for (;;) {
        struct pollfd fd = {.fd = PQsocket(srv->conn), .events = POLLIN};
        if (PQflush(srv->conn) > 0) {
            fd.events |= POLLOUT;
        }
        if (!PQisBusy(srv->conn)) {
            return true;
        }
        int n = poll(&fd, 1, TICK_MS);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        if (n > 0 && !PQconsumeInput(srv->conn)) {
            return false;
        }
        if (n == 0) {
            bool late = deadline && now_ms() >= deadline;
            srv->timed_out |= late && !atomic_load(&srv->breaking);
            if ((late || atomic_load(&srv->breaking)) && ticks++ % CANCEL_TICKS == 0) {
                cancel_send(srv);
            }
        }
    }
}

static bool has_rows(const PGresult *res)
{
    return PQresultStatus(res) == PGRES_TUPLES_OK;
}

/* All results of what was sent. */
static int collect(dbl_server_t *srv, dbl_err_t *err, bool sent, PGresult **out)
{
    int64_t deadline = srv->timeout_ms ? now_ms() + srv->timeout_ms : 0;
    PGresult *res, *kept = NULL, *failed = NULL;
    srv->timed_out = false;
    while (sent && wait_result(srv, deadline) && (res = PQgetResult(srv->conn))) {
        ExecStatusType status = PQresultStatus(res);
        if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
            PQclear(failed);
            failed = res;
        }
        else if (!kept || has_rows(res) || !has_rows(kept)) {
            PQclear(kept);
            kept = res;
        }
        else {
            PQclear(res);
        }
    }
    if (!failed && kept && PQstatus(srv->conn) == CONNECTION_OK) {
        *out = kept;
        return OCI_SUCCESS;
    }
    int rv = dbl_fail_result(err, srv, failed);
    *out = failed;
    PQclear(kept);
    return rv;
}

static int finish(dbl_server_t *srv, dbl_err_t *err, bool sent, PGresult **res)
{
    PGresult *own = NULL;
    int rv = collect(srv, err, sent, &own);
    if (res) {
        *res = own;
    }
    else {
        PQclear(own);
    }
    return rv;
}

int dbl_run(dbl_server_t *srv, dbl_err_t *err, const char *sql, const dbl_params_t *params,
            PGresult **res)
{
    dbl_trace("sql %s", sql);
    bool sent = params ? PQsendQueryParams(srv->conn, sql, params->n, params->types,
                                           (const char *const *)params->values, params->lengths,
                                           params->formats, 0)
                       : PQsendQuery(srv->conn, sql);
    return finish(srv, err, sent, res);
}

int dbl_run_describe(dbl_server_t *srv, dbl_err_t *err, const char *sql, const dbl_params_t *params,
                     PGresult **res)
{
    dbl_trace("describe %s", sql);
    int rv = finish(srv, err, PQsendPrepare(srv->conn, "", sql, params->n, params->types), res);
    if (rv != OCI_SUCCESS) {
        return rv;
    }
    PQclear(*res);
    return finish(srv, err, PQsendDescribePrepared(srv->conn, ""), res);
}

int dbl_run_portal(dbl_server_t *srv, dbl_err_t *err, const char *name, PGresult **res)
{
    return finish(srv, err, PQsendDescribePortal(srv->conn, name), res);
}

/* Text of a session attribute for application_name: a bar parts them. */
static void name_part(dbl_sql_buf_t *buf, const char *s)
{
    for (; *s; s++) {
        dbl_put(buf, *s == '|' ? "/" : s, 1);
    }
}

int dbl_session_tell(dbl_server_t *srv, dbl_session_t *ses, dbl_err_t *err)
{
    /* PostgreSQL takes back with a block what was set in it. */
    bool taken_back = srv->told_in_block && !srv->in_block;
    if (!ses || (!ses->dirty && !taken_back)) {
        return OCI_SUCCESS;
    }
    srv->told_in_block = srv->in_block;
    dbl_sql_buf_t name = {0}, sql = {0};
    name_part(&name, ses->client_identifier);
    dbl_puts(&name, "|");
    name_part(&name, ses->module);
    dbl_puts(&name, "|");
    name_part(&name, ses->action);
    char *literal = PQescapeLiteral(srv->conn, name.s, name.len);
    if (!literal) {
        abort();
    }
    dbl_puts(&sql, "SET application_name = ");
    dbl_puts(&sql, literal);
    PQfreemem(literal);
    if (*ses->schema) {
        literal = PQescapeLiteral(srv->conn, ses->schema, strlen(ses->schema));
        if (!literal) {
            abort();
        }
        dbl_puts(&sql, "; SELECT set_config('search_path', quote_ident(");
        dbl_puts(&sql, literal);
        dbl_puts(&sql, ") || ',\"SYS\",oracle,pg_catalog,dbms_lob,public', false)");
        PQfreemem(literal);
    }
    int rv = dbl_run(srv, err, sql.s, NULL, NULL);
    ses->dirty = rv != OCI_SUCCESS;
    free(name.s);
    free(sql.s);
    return rv;
}

int dbl_call_begin(dbl_server_t *srv, dbl_session_t *ses, dbl_err_t *err, uint32_t timeout_ms)
{
    pthread_mutex_lock(&srv->lock);
    int code = 0;
    if (!srv->conn || srv->lost) {
        code = srv->lost ? (int)srv->lost : 3114;
        srv->lost = srv->lost == 3113 ? 3114 : srv->lost;
    }
    else if (atomic_exchange(&srv->breaking, false)) {
        code = 1013;
    }
    if (code) {
        pthread_mutex_unlock(&srv->lock);
        return dbl_fail(err, code, NULL);
    }
    srv->timeout_ms = timeout_ms;
    atomic_store(&srv->calling, true);
    dbl_cursors_close(srv);
    int rv = dbl_session_tell(srv, ses, err);
    if (rv != OCI_SUCCESS) {
        if (PQtransactionStatus(srv->conn) == PQTRANS_INERROR) {
            dbl_block_undo(srv); /* a break met what is told ahead of the call */
        }
        dbl_call_end(srv);
    }
    return rv;
}

void dbl_call_end(dbl_server_t *srv)
{
    dbl_cursors_close(srv);
    atomic_store(&srv->calling, false);
    srv->timeout_ms = 0;
    pthread_mutex_unlock(&srv->lock);
}

/* --- break -------------------------------------------------------------------------------------- */

/* A break belongs to the connection, whichever of the two handles names it. */
static dbl_server_t *server_of(void *handle, const char *where)
{
    dbl_head_t *h = dbl_check(handle, 0, where);
    if (h && h->type == OCI_HTYPE_SERVER) {
        return (dbl_server_t *)h;
    }
    if (h && h->type == OCI_HTYPE_SVCCTX && ((dbl_svc_t *)h)->server) {
        return ((dbl_svc_t *)h)->server;
    }
    return NULL;
}

int OCIBreak(void *handle, void *err_handle)
{
    dbl_server_t *srv = server_of(handle, __func__);
    if (!srv) {
        return OCI_INVALID_HANDLE;
    }
    DBL_ENTER(err, err_handle, srv);
    dbl_trace("OCIBreak");
    if (atomic_load(&srv->deaf)) {
        return dbl_err_leave(err, OCI_SUCCESS);
    }
    atomic_store(&srv->breaking, true);
    if (atomic_load(&srv->calling)) {
        cancel_send(srv);
    }
    return dbl_err_leave(err, OCI_SUCCESS);
}

int OCIReset(void *handle, void *err_handle)
{
    dbl_server_t *srv = server_of(handle, __func__);
    if (!srv) {
        return OCI_INVALID_HANDLE;
    }
    DBL_ENTER(err, err_handle, srv);
    atomic_store(&srv->breaking, false);
    return dbl_err_leave(err, OCI_SUCCESS);
}
