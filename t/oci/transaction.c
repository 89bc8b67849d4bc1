/* transaction.c - PostgreSQL's blocks under Oracle's transactions.
 *
 * Cursors need a block, so a query opens one; it ends with the last cursor unless Oracle would hold a transaction.
 * Each statement stands behind a savepoint: as in Oracle, a statement that fails takes nothing else with it. */
#include "double.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int dbl_block_begin(dbl_server_t *srv, dbl_err_t *err)
{
    const char *sql = !srv->in_block   ? "BEGIN; SAVEPOINT oci"
                      : srv->savepoint ? "RELEASE SAVEPOINT oci; SAVEPOINT oci"
                                       : "SAVEPOINT oci";
    srv->savepoint = srv->in_block = true;
    int rv = dbl_run(srv, err, sql, NULL, NULL);
    if (rv != OCI_SUCCESS) {
        dbl_block_undo(srv);
    }
    return rv;
}

static void forget(dbl_server_t *srv)
{
    srv->in_block = srv->savepoint = srv->in_transaction = srv->read_only = false;
    srv->cursors = 0;
    srv->epoch++;
}

/* Housekeeping is not what a break or a timeout is meant for, and its errors are of a session that is lost. */
static void quietly(dbl_server_t *srv, const char *sql)
{
    dbl_err_t ignored = {.code = 0};
    uint32_t timeout_ms = srv->timeout_ms;
    srv->timeout_ms = 0;
    bool breaking = atomic_exchange(&srv->breaking, false);
    int rv = dbl_run(srv, &ignored, sql, NULL, NULL);
    if (rv != OCI_SUCCESS && ignored.code == 1013) {
        dbl_run(srv, &ignored, sql, NULL, NULL);
    }
    if (breaking) {
        atomic_store(&srv->breaking, true);
    }
    srv->timeout_ms = timeout_ms;
}

void dbl_block_undo(dbl_server_t *srv)
{
    if (srv->lost || !srv->in_block) {
        return;
    }
    if (srv->savepoint && (srv->cursors || srv->in_transaction)) {
        srv->savepoint = false;
        quietly(srv, "ROLLBACK TO SAVEPOINT oci");
        quietly(srv, "RELEASE SAVEPOINT oci");
    }
    else {
        quietly(srv, "ROLLBACK");
        forget(srv);
    }
}

int dbl_block_done(dbl_server_t *srv, dbl_err_t *err)
{
    if (!srv->in_block || srv->cursors || srv->in_transaction) {
        return OCI_SUCCESS;
    }
    return dbl_block_end(srv, err, true);
}

int dbl_block_end(dbl_server_t *srv, dbl_err_t *err, bool commit)
{
    if (!srv->in_block) {
        return OCI_SUCCESS;
    }
    int rv = dbl_run(srv, err, commit ? "COMMIT" : "ROLLBACK", NULL, NULL);
    if (rv != OCI_SUCCESS && PQtransactionStatus(srv->conn) == PQTRANS_INERROR) {
        quietly(srv, "ROLLBACK"); /* a break came before it was begun */
    }
    if (rv == OCI_SUCCESS || PQtransactionStatus(srv->conn) == PQTRANS_IDLE) {
        forget(srv);
    }
    return rv;
}

int dbl_transaction_read_only(dbl_server_t *srv, dbl_err_t *err)
{
    if (srv->in_transaction || srv->cursors) {
        return dbl_fail(err, 1453, NULL);
    }
    int rv = dbl_block_end(srv, err, true);
    if (rv == OCI_SUCCESS) {
        rv = dbl_run(srv, err, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", NULL, NULL);
    }
    if (rv == OCI_SUCCESS) {
        srv->in_block = srv->in_transaction = srv->read_only = true;
    }
    return rv;
}

void dbl_cursors_close(dbl_server_t *srv)
{
    dbl_sql_buf_t sql = {0};
    unsigned count = 0;
    pthread_mutex_lock(&srv->closing_lock);
    if (srv->closing_count) {
        sql = srv->closing;
        count = srv->closing_count;
        memset(&srv->closing, 0, sizeof(srv->closing));
        srv->closing_count = 0;
    }
    pthread_mutex_unlock(&srv->closing_lock);
    if (!count) {
        return;
    }
    if (!srv->lost && srv->in_block) {
        srv->cursors = srv->cursors > count ? srv->cursors - count : 0;
        if (!srv->cursors && !srv->in_transaction) {
            quietly(srv, "COMMIT");
            forget(srv);
        }
        else {
            quietly(srv, sql.s);
        }
    }
    free(sql.s);
}

/* --- entry points ------------------------------------------------------------------------------- */

static int end_call(void *handle, void *err_handle, bool commit, const char *where)
{
    dbl_svc_t *svc = dbl_check(handle, OCI_HTYPE_SVCCTX, where);
    if (!svc || !svc->server) {
        return OCI_INVALID_HANDLE;
    }
    dbl_err_t *err = dbl_err_enter(err_handle, where);
    if (!err) {
        return OCI_INVALID_HANDLE;
    }
    int rv = dbl_fault(where, err, svc->server);
    if (rv == OCI_SUCCESS) {
        rv = dbl_call_begin(svc->server, NULL, err, svc->call_timeout);
        if (rv == OCI_SUCCESS) {
            rv = svc->server->in_block ? dbl_block_end(svc->server, err, commit)
                                       : dbl_run(svc->server, err, "", NULL, NULL);
            /* within the block it would be rolled back with it */
            rv = rv == OCI_SUCCESS ? dbl_session_tell(svc->server, svc->session, err) : rv;
            dbl_call_end(svc->server);
        }
    }
    return dbl_err_leave(err, rv);
}

int OCITransCommit(void *svc, void *err, uint32_t flags)
{
    return end_call(svc, err, true, __func__);
}

int OCITransRollback(void *svc, void *err, uint32_t flags)
{
    return end_call(svc, err, false, __func__);
}

int OCITransStart(void *handle, void *err_handle, unsigned timeout, uint32_t flags)
{
    dbl_svc_t *svc = dbl_check(handle, OCI_HTYPE_SVCCTX, __func__);
    if (!svc || !svc->server) {
        return OCI_INVALID_HANDLE;
    }
    DBL_ENTER(err, err_handle, svc->server);
    int rv = dbl_call_begin(svc->server, svc->session, err, svc->call_timeout);
    if (rv == OCI_SUCCESS) {
        rv = flags & OCI_TRANS_READONLY ? dbl_transaction_read_only(svc->server, err)
                                        : dbl_block_begin(svc->server, err);
        svc->server->in_transaction |= rv == OCI_SUCCESS;
        dbl_call_end(svc->server);
    }
    return dbl_err_leave(err, rv);
}

int OCIPing(void *handle, void *err_handle, uint32_t mode)
{
    dbl_svc_t *svc = dbl_check(handle, OCI_HTYPE_SVCCTX, __func__);
    if (!svc || !svc->server) {
        return OCI_INVALID_HANDLE;
    }
    DBL_ENTER(err, err_handle, svc->server);
    int rv = dbl_call_begin(svc->server, svc->session, err, svc->call_timeout);
    if (rv == OCI_SUCCESS) {
        rv = dbl_run(svc->server, err, "", NULL, NULL);
        dbl_call_end(svc->server);
    }
    return dbl_err_leave(err, rv);
}
