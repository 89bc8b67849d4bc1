/* fetch.c - rows, by portions of what the caller asks for: no result is ever held as a whole. */
#include "stmt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int cursor_done(dbl_stmt_t *stmt, dbl_err_t *err)
{
    dbl_server_t *srv = stmt->svc->server;
    char sql[48];
    stmt->open = false;
    srv->cursors -= srv->cursors > 0;
    if (!srv->cursors && !srv->in_transaction) {
        return dbl_block_done(srv, err);
    }
    snprintf(sql, sizeof(sql), "CLOSE oci_c%u", stmt->cursor);
    return dbl_run(srv, err, sql, NULL, NULL);
}

int dbl_portion(dbl_stmt_t *stmt, dbl_err_t *err, uint32_t n)
{
    dbl_server_t *srv = stmt->svc->server;
    char sql[128];
    if (!stmt->open || stmt->epoch != srv->epoch) {
        return dbl_fail(err, 1002, NULL);
    }
    snprintf(sql, sizeof(sql), "%sFETCH FORWARD %u FROM oci_c%u; RELEASE SAVEPOINT oci",
             srv->savepoint ? "" : "SAVEPOINT oci; ", n, stmt->cursor);
    PQclear(stmt->rows);
    stmt->rows = NULL;
    stmt->next_row = 0;
    srv->savepoint = true;
    int rv = dbl_run(srv, err, sql, NULL, &stmt->rows);
    if (rv != OCI_SUCCESS) {
        PQclear(stmt->rows);
        stmt->rows = NULL;
        stmt->open = stmt->executed = false;
        srv->cursors -= srv->cursors > 0;
        dbl_block_undo(srv);
        return rv;
    }
    srv->savepoint = false;
    stmt->last_portion = (uint32_t)PQntuples(stmt->rows) < n;
    return stmt->last_portion ? cursor_done(stmt, err) : OCI_SUCCESS;
}

static bool has_lobs(const dbl_stmt_t *stmt)
{
    for (uint32_t i = 0; i < stmt->column_count; i++) {
        if (stmt->columns[i].kind == DBL_K_CLOB || stmt->columns[i].kind == DBL_K_BLOB) {
            return true;
        }
    }
    return false;
}

static int put_row(dbl_stmt_t *stmt, dbl_err_t *err, uint32_t row)
{
    int rv = OCI_SUCCESS;
    for (uint32_t i = 0; i < stmt->define_count && i < stmt->column_count; i++) {
        dbl_define_t *def = stmt->defines[i];
        const dbl_column_t *c = &stmt->columns[i];
        if (!def) {
            continue;
        }
        int at = stmt->next_row, column = (int)i, len = PQgetlength(stmt->rows, at, column);
        bool null = PQgetisnull(stmt->rows, at, column) || (!len && c->kind == DBL_K_TEXT);
        int one = dbl_define_put(def, stmt, err, c, row,
                                 null ? NULL : PQgetvalue(stmt->rows, at, column), (size_t)len);
        if (one != OCI_SUCCESS && one != OCI_SUCCESS_WITH_INFO) {
            return one;
        }
        rv = one == OCI_SUCCESS_WITH_INFO ? one : rv;
    }
    return rv;
}

/* A text column without a declared length is a VARCHAR2(4000): nothing longer can be in one. */
static int too_long(dbl_stmt_t *stmt, dbl_err_t *err)
{
    for (uint32_t i = 0; i < stmt->column_count; i++) {
        const dbl_column_t *c = &stmt->columns[i];
        if (c->dty == SQLT_CHR && !c->char_used &&
            PQgetlength(stmt->rows, stmt->next_row, (int)i) > c->size) {
            return dbl_fail(err, 1489, NULL);
        }
    }
    return OCI_SUCCESS;
}

int dbl_fetch(dbl_stmt_t *stmt, dbl_err_t *err, uint32_t n)
{
    uint32_t done = 0;
    bool cut = false;
    stmt->rows_fetched = 0;
    if (!stmt->define_count) {
        return dbl_fail(err, 24374, NULL);
    }
    while (done < n) {
        if (!stmt->rows || stmt->next_row >= PQntuples(stmt->rows)) {
            if (stmt->last_portion) {
                break;
            }
            uint32_t ahead = has_lobs(stmt) ? 0 : stmt->prefetch_rows;
            int rv = dbl_portion(stmt, err, n - done + ahead);
            if (rv != OCI_SUCCESS) {
                return rv;
            }
            continue;
        }
        int rv = too_long(stmt, err);
        rv = rv == OCI_SUCCESS ? put_row(stmt, err, done) : rv;
        if (rv != OCI_SUCCESS && rv != OCI_SUCCESS_WITH_INFO) {
            return rv;
        }
        cut |= rv == OCI_SUCCESS_WITH_INFO;
        stmt->next_row++;
        done++;
    }
    stmt->rows_fetched = done;
    stmt->row_count += done;
    if (done < n) {
        stmt->ended = true;
        dbl_fail(err, 1403, "no data found");
        return OCI_NO_DATA;
    }
    if (cut) {
        dbl_fail(err, 24345, NULL);
        return OCI_SUCCESS_WITH_INFO;
    }
    return OCI_SUCCESS;
}

static int fetch_call(dbl_stmt_t *stmt, dbl_err_t *err, uint32_t n)
{
    dbl_server_t *srv = stmt->svc->server;
    bool buffered =
        stmt->last_portion || (stmt->rows && PQntuples(stmt->rows) - stmt->next_row >= (int64_t)n);
    pthread_mutex_lock(&srv->lock);
    int rv = buffered ? OCI_SUCCESS
                      : dbl_call_begin(srv, stmt->svc->session, err, stmt->svc->call_timeout);
    if (rv == OCI_SUCCESS) {
        rv = dbl_fetch(stmt, err, n);
        if (!buffered) {
            dbl_call_end(srv);
        }
    }
    pthread_mutex_unlock(&srv->lock);
    return rv;
}

int OCIStmtFetch2(void *handle, void *err_handle, uint32_t nrows, uint16_t orientation,
                  int32_t offset, uint32_t mode)
{
    dbl_stmt_t *stmt = dbl_check(handle, OCI_HTYPE_STMT, __func__);
    if (!stmt) {
        return OCI_INVALID_HANDLE;
    }
    DBL_ENTER(err, err_handle, stmt->svc ? stmt->svc->server : NULL);
    int rv;
    if (!nrows) {
        dbl_stmt_close(stmt);
        rv = OCI_SUCCESS;
    }
    else if (!stmt->executed || !stmt->svc || !stmt->svc->server) {
        rv = dbl_fail(err, 24338, NULL);
    }
    else if (stmt->ended) {
        rv = dbl_fail(err, 1002, NULL);
    }
    else if (orientation != OCI_FETCH_NEXT && orientation != 0) {
        rv = dbl_fail(err, 24391, "invalid fetch operation: orientation %u", orientation);
    }
    else {
        rv = fetch_call(stmt, err, nrows);
    }
    return dbl_err_leave(err, rv);
}
