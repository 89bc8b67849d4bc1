/* stmt.c - statements: prepared, executed, released. */
#include "double.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stmt.h"

/* --- preparing ---------------------------------------------------------------------------------- */

/* Thirteen characters that differ where the texts do. */
static void sql_id(char out[14], const char *s, size_t n)
{
    static const char digits[] = "0123456789abcdfghjkmnpqrstuvwxyz";
    uint64_t hash = 14695981039346656037ULL;
    for (size_t i = 0; i < n; i++) {
        hash = (hash ^ (unsigned char)s[i]) * 1099511628211ULL;
    }
    for (int i = 12; i >= 0; i--) {
        out[i] = digits[hash & 31];
        hash >>= 5;
    }
    out[13] = '\0';
}

static int prepare(dbl_stmt_t *stmt, dbl_err_t *err, const char *sql, uint32_t len)
{
    if (!sql || !len) {
        return dbl_fail(err, 24373, "invalid length specified for statement");
    }
    dbl_sql_destroy(stmt->sql);
    stmt->sql = dbl_sql_create(sql, len);
    sql_id(stmt->sql_id, sql, len);
    return OCI_SUCCESS;
}

int OCIStmtPrepare2(void *svc_handle, void **stmt, void *err_handle, const char *sql, uint32_t len,
                    const char *key, uint32_t keylen, uint32_t lang, uint32_t mode)
{
    dbl_svc_t *svc = dbl_check(svc_handle, OCI_HTYPE_SVCCTX, __func__);
    if (!svc) {
        return OCI_INVALID_HANDLE;
    }
    DBL_ENTER(err, err_handle, svc->server);
    dbl_stmt_t *made = dbl_alloc(svc->head.env, OCI_HTYPE_STMT);
    if (!made) {
        return dbl_err_leave(err, dbl_fail(err, 4030, "out of process memory"));
    }
    made->prefetch_rows = 1;
    made->by_prepare2 = true;
    made->svc = svc;
    int rv = prepare(made, err, sql, len);
    if (rv != OCI_SUCCESS) {
        dbl_free(made);
        made = NULL;
    }
    *stmt = made;
    return dbl_err_leave(err, rv);
}

int OCIStmtPrepare(void *handle, void *err_handle, const char *sql, uint32_t len, uint32_t lang,
                   uint32_t mode)
{
    dbl_stmt_t *stmt = dbl_check(handle, OCI_HTYPE_STMT, __func__);
    if (!stmt) {
        return OCI_INVALID_HANDLE;
    }
    DBL_ENTER(err, err_handle, NULL);
    dbl_stmt_close(stmt);
    stmt->prefetch_rows = stmt->prefetch_rows ? stmt->prefetch_rows : 1;
    return dbl_err_leave(err, prepare(stmt, err, sql, len));
}

int OCIStmtRelease(void *handle, void *err_handle, const char *key, uint32_t keylen, uint32_t mode)
{
    dbl_stmt_t *stmt = dbl_check(handle, OCI_HTYPE_STMT, __func__);
    if (!stmt) {
        return OCI_INVALID_HANDLE;
    }
    DBL_ENTER(err, err_handle, NULL);
    if (!stmt->by_prepare2) {
        return dbl_err_leave(err, dbl_fail(err, 24337, "the statement is not of OCIStmtPrepare2"));
    }
    if ((mode & OCI_STRLS_CACHE_DELETE) && stmt->svc && !stmt->svc->cache_size) {
        return dbl_err_leave(err, dbl_fail(err, 24300, NULL));
    }
    dbl_free(stmt);
    return dbl_err_leave(err, OCI_SUCCESS);
}

/* A cursor whose connection is busy in another thread is closed when that call ends. */
void dbl_stmt_close(dbl_stmt_t *stmt)
{
    dbl_server_t *srv = stmt->svc ? stmt->svc->server : NULL;
    PQclear(stmt->rows);
    stmt->rows = NULL;
    stmt->next_row = 0;
    bool open = stmt->open && srv && stmt->epoch == srv->epoch;
    stmt->open = stmt->executed = stmt->ended = false;
    if (!open) {
        return;
    }
    char close[48];
    snprintf(close, sizeof(close), "CLOSE oci_c%u;", stmt->cursor);
    pthread_mutex_lock(&srv->closing_lock);
    dbl_puts(&srv->closing, close);
    srv->closing_count++;
    pthread_mutex_unlock(&srv->closing_lock);
    if (pthread_mutex_trylock(&srv->lock) == 0) {
        dbl_cursors_close(srv);
        pthread_mutex_unlock(&srv->lock);
    }
}

/* --- executing ---------------------------------------------------------------------------------- */

/* Where in the caller's text PostgreSQL met the error; its positions count characters from 1. */
static void error_offset(dbl_stmt_t *stmt, const PGresult *res, size_t prefix)
{
    const char *text = res ? PQresultErrorField(res, PG_DIAG_STATEMENT_POSITION) : NULL;
    size_t position = text ? strtoul(text, NULL, 10) : 0, at = 0;
    stmt->error_offset = 0;
    if (position <= prefix) {
        return;
    }
    position -= prefix + 1;
    for (const char *s = stmt->sql->out.s; position && s[at]; at++) {
        position -= ((unsigned char)s[at + 1] & 0xC0) != 0x80;
    }
    size_t source = dbl_sql_source(stmt->sql, at);
    stmt->error_offset = (uint16_t)(source > 65535 ? 65535 : source);
}

static bool state_is(const PGresult *res, const char *state)
{
    const char *s = res ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;
    return s && !strcmp(s, state);
}

/* Texts that PostgreSQL could not find a type for are texts. */
static bool types_decide(dbl_params_t *params, const PGresult *res)
{
    bool any = false;
    if (!state_is(res, "42725") && !state_is(res, "42P18") && !state_is(res, "42883")) {
        return false;
    }
    for (int i = 0; i < params->n; i++) {
        any |= !params->types[i];
        params->types[i] = params->types[i] ? params->types[i] : 25;
    }
    return any;
}

static int run_typed(dbl_stmt_t *stmt, dbl_err_t *err, const char *sql, size_t prefix,
                     dbl_params_t *params, PGresult **res)
{
    dbl_server_t *srv = stmt->svc->server;
    int rv = dbl_run(srv, err, sql, params, res);
    if (rv == OCI_ERROR && !srv->lost && types_decide(params, *res)) {
        PQclear(*res);
        *res = NULL;
        rv = dbl_run(srv, err, "ROLLBACK TO SAVEPOINT oci", NULL, NULL);
        rv = rv == OCI_SUCCESS ? dbl_run(srv, err, sql, params, res) : rv;
    }
    if (rv != OCI_SUCCESS) {
        error_offset(stmt, *res, prefix);
    }
    return rv;
}

static int describe_only(dbl_stmt_t *stmt, dbl_err_t *err)
{
    dbl_server_t *srv = stmt->svc->server;
    dbl_params_t params;
    PGresult *res = NULL;
    int rv = dbl_block_begin(srv, err);
    if (rv != OCI_SUCCESS) {
        return rv;
    }
    dbl_params_none(&params, stmt);
    rv = dbl_run_describe(srv, err, stmt->sql->out.s, &params, &res);
    if (rv == OCI_SUCCESS) {
        rv = dbl_describe(stmt, err, res);
    }
    else {
        error_offset(stmt, res, 0);
    }
    PQclear(res);
    dbl_params_free(&params);
    if (rv != OCI_SUCCESS) {
        dbl_block_undo(srv);
        return rv;
    }
    return dbl_block_done(srv, err);
}

static int cursor_open(dbl_stmt_t *stmt, dbl_err_t *err, dbl_params_t *params)
{
    dbl_server_t *srv = stmt->svc->server;
    dbl_sql_buf_t sql = {0};
    char head[64], *name = head + strlen("DECLARE ");
    PGresult *res = NULL;
    stmt->cursor = srv->serial++;
    size_t prefix =
        (size_t)snprintf(head, sizeof(head), "DECLARE oci_c%u NO SCROLL CURSOR FOR ", stmt->cursor);
    dbl_puts(&sql, head);
    dbl_puts(&sql, stmt->sql->out.s);
    int rv = run_typed(stmt, err, sql.s, prefix, params, &res);
    PQclear(res);
    res = NULL;
    free(sql.s);
    if (rv == OCI_SUCCESS) {
        *strchr(name, ' ') = '\0';
        rv = dbl_run_portal(srv, err, name, &res);
        rv = rv == OCI_SUCCESS ? dbl_describe(stmt, err, res) : rv;
        PQclear(res);
    }
    if (rv == OCI_SUCCESS) {
        srv->cursors++;
        srv->in_transaction |= stmt->sql->for_update;
        stmt->open = true;
        stmt->epoch = srv->epoch;
    }
    return rv;
}

static int execute_select(dbl_stmt_t *stmt, dbl_err_t *err, uint32_t iters)
{
    dbl_params_t params;
    int rv = dbl_params_make(&params, stmt, err, 0);
    if (rv == OCI_SUCCESS) {
        rv = dbl_block_begin(stmt->svc->server, err);
    }
    if (rv == OCI_SUCCESS) {
        rv = cursor_open(stmt, err, &params);
        if (rv != OCI_SUCCESS) {
            dbl_block_undo(stmt->svc->server);
        }
    }
    dbl_params_free(&params);
    if (rv != OCI_SUCCESS) {
        return rv;
    }
    stmt->executed = true;
    stmt->last_portion = false;
    stmt->row_count = 0;
    if (!iters && stmt->prefetch_rows) {
        return dbl_portion(stmt, err, stmt->prefetch_rows);
    }
    return iters ? dbl_fetch(stmt, err, iters) : OCI_SUCCESS;
}

static int execute_rows(dbl_stmt_t *stmt, dbl_err_t *err, uint32_t iters, uint32_t rowoff)
{
    dbl_server_t *srv = stmt->svc->server;
    int rv = dbl_block_begin(srv, err);
    stmt->row_count = 0;
    for (uint32_t i = rowoff; rv == OCI_SUCCESS && i < iters; i++) {
        dbl_params_t params;
        PGresult *res = NULL;
        rv = dbl_params_make(&params, stmt, err, i);
        if (rv == OCI_SUCCESS) {
            rv = run_typed(stmt, err, stmt->sql->out.s, 0, &params, &res);
        }
        if (rv == OCI_SUCCESS) {
            stmt->row_count += strtoull(PQcmdTuples(res), NULL, 10);
        }
        PQclear(res);
        dbl_params_free(&params);
    }
    if (rv != OCI_SUCCESS) {
        dbl_block_undo(srv);
        return rv;
    }
    srv->in_transaction = true;
    return OCI_SUCCESS;
}

/* A definition ends the transaction before it and is one of its own. */
static int execute_definition(dbl_stmt_t *stmt, dbl_err_t *err)
{
    dbl_server_t *srv = stmt->svc->server;
    PGresult *res = NULL;
    int rv = dbl_block_end(srv, err, true);
    if (rv == OCI_SUCCESS) {
        rv = dbl_run(srv, err, stmt->sql->out.s, NULL, &res);
        if (rv != OCI_SUCCESS) {
            error_offset(stmt, res, 0);
        }
    }
    PQclear(res);
    return rv;
}

static int execute(dbl_stmt_t *stmt, dbl_err_t *err, uint32_t iters, uint32_t rowoff, uint32_t mode)
{
    bool done = false;
    uint16_t type = stmt->sql->type;
    dbl_stmt_close(stmt);
    stmt->error_offset = 0;
    if (type == OCI_STMT_SELECT) {
        if (stmt->sql->from_missing) {
            stmt->error_offset = (uint16_t)stmt->sql->len;
            return dbl_fail(err, 923, NULL);
        }
        return mode & (OCI_DESCRIBE_ONLY | OCI_PARSE_ONLY) ? describe_only(stmt, err)
                                                           : execute_select(stmt, err, iters);
    }
    if (mode & (OCI_DESCRIBE_ONLY | OCI_PARSE_ONLY)) {
        return OCI_SUCCESS;
    }
    if (!iters) {
        return dbl_fail(err, 24333, NULL);
    }
    int rv = dbl_special(stmt, err, &done);
    if (done) {
        return rv;
    }
    if (stmt->sql->returning) {
        return dbl_fail(err, 3001, "unimplemented feature: RETURNING INTO");
    }
    rv = type == OCI_STMT_INSERT || type == OCI_STMT_UPDATE || type == OCI_STMT_DELETE ||
                 type == OCI_STMT_MERGE
             ? execute_rows(stmt, err, iters, rowoff)
             : execute_definition(stmt, err);
    if (rv == OCI_SUCCESS && (mode & OCI_COMMIT_ON_SUCCESS)) {
        rv = dbl_block_end(stmt->svc->server, err, true);
    }
    return rv;
}

int OCIStmtExecute(void *svc_handle, void *handle, void *err_handle, uint32_t iters,
                   uint32_t rowoff, const void *snap_in, void *snap_out, uint32_t mode)
{
    dbl_svc_t *svc = dbl_check(svc_handle, OCI_HTYPE_SVCCTX, __func__);
    dbl_stmt_t *stmt = dbl_check(handle, OCI_HTYPE_STMT, __func__);
    if (!svc || !stmt || !svc->server) {
        return OCI_INVALID_HANDLE;
    }
    DBL_ENTER(err, err_handle, svc->server);
    if (!stmt->sql) {
        return dbl_err_leave(err, dbl_fail(err, 24337, NULL));
    }
    dbl_trace("OCIStmtExecute mode=%u iters=%u %s", mode, iters, stmt->sql->text);
    stmt->svc = svc;
    int rv = dbl_call_begin(svc->server, svc->session, err, svc->call_timeout);
    if (rv == OCI_SUCCESS) {
        rv = execute(stmt, err, iters, rowoff, mode);
        dbl_call_end(svc->server);
    }
    return dbl_err_leave(err, rv);
}

int OCIStmtGetNextResult(void *stmt, void *err_handle, void **result, uint32_t *type, uint32_t mode)
{
    if (!dbl_check(stmt, OCI_HTYPE_STMT, __func__)) {
        return OCI_INVALID_HANDLE;
    }
    DBL_ENTER(err, err_handle, NULL);
    return dbl_err_leave(err, OCI_NO_DATA);
}

int OCIStmtGetBindInfo(void *handle, void *err_handle, uint32_t size, uint32_t start,
                       int32_t *found, char *names[], uint8_t namelens[], char *inds[],
                       uint8_t indlens[], uint8_t dup[], void *hndl[])
{
    dbl_stmt_t *stmt = dbl_check(handle, OCI_HTYPE_STMT, __func__);
    if (!stmt) {
        return OCI_INVALID_HANDLE;
    }
    DBL_ENTER(err, err_handle, NULL);
    uint32_t total = stmt->sql ? stmt->sql->bind_count : 0, n = 0;
    if (!total || !start || start > total) {
        *found = 0;
        return dbl_err_leave(err, OCI_NO_DATA);
    }
    for (uint32_t i = start - 1; i < total && n < size; i++, n++) {
        names[n] = stmt->sql->binds[i];
        namelens[n] = (uint8_t)strlen(names[n]);
        inds[n] = NULL;
        indlens[n] = 0;
        hndl[n] = NULL;
        dup[n] = 0;
        for (uint32_t k = 0; k < i; k++) {
            dup[n] |= !strcmp(stmt->sql->binds[k], names[n]);
        }
    }
    *found = start - 1 + n < total ? -(int32_t)total : (int32_t)total;
    return dbl_err_leave(err, OCI_SUCCESS);
}
