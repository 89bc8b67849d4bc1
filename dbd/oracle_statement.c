/* oracle_statement.c - statements: prepared, run, fetched in arrays, let go. */
#include "oracle.h"

#include <limits.h>
#include <string.h>

static void unlink_stmt(apr_dbd_oracle_stmt_t *st)
{
    if (st->prev) {
        st->prev->next = st->next;
    }
    else {
        st->h->open = st->next;
    }
    if (st->next) {
        st->next->prev = st->prev;
    }
}

void ora_stmt_release(apr_dbd_oracle_stmt_t *st)
{
    int i;

    if (!st->h) {
        return;
    }
    for (i = 0; i < st->ncolumns; i++) {
        if (st->columns[i].var) {
            dpiVar_release(st->columns[i].var);
            st->columns[i].var = NULL;
        }
    }
    if (st->stmt) {
        dpiStmt_release(st->stmt);
        st->stmt = NULL;
    }
    unlink_stmt(st);
    st->h = NULL;
}

static apr_status_t stmt_cleanup(void *data)
{
    ora_stmt_release(data);
    return APR_SUCCESS;
}

void ora_stmt_close(apr_dbd_oracle_stmt_t *st)
{
    if (st) {
        apr_pool_destroy(st->pool);
    }
}

static apr_dbd_oracle_stmt_t *stmt_create(apr_dbd_t *h, apr_pool_t *parent)
{
    apr_dbd_oracle_stmt_t *st;
    apr_pool_t *pool;

    apr_pool_create(&pool, parent);
    apr_pool_tag(pool, "apr_dbd_oracle_stmt");
    st = apr_pcalloc(pool, sizeof(*st));
    st->pool = pool;
    st->h = h;
    st->next = h->open;
    if (h->open) {
        h->open->prev = st;
    }
    h->open = st;
    apr_pool_cleanup_register(pool, st, stmt_cleanup, apr_pool_cleanup_null);
    return st;
}

/* Nothing of this goes to the server. */
static int prepare(apr_dbd_t *h, dpiStmt **stmt, dpiStmtInfo *info, const char *sql, apr_size_t len,
                   const apr_dbd_oracle_value_t *binds, int nbinds)
{
    if (!h->conn) {
        return ora_error_set(h, APR_DBD_ORACLE_LOST, "the connection is closed");
    }
    if (len > INT_MAX) {
        return ora_error_set(h, APR_DBD_ORACLE_OTHER, "the statement is longer than 2 GiB");
    }
    if (dpiConn_prepareStmt(h->conn, 0, sql, (uint32_t)len, NULL, 0, stmt) != DPI_SUCCESS) {
        *stmt = NULL;
        return ora_error_take(h, 0);
    }
    if (dpiStmt_getInfo(*stmt, info) != DPI_SUCCESS) {
        return ora_error_take(h, 0);
    }
    return ora_bind(h, *stmt, binds, nbinds);
}

static int run(apr_dbd_oracle_stmt_t *st, int rows)
{
    apr_dbd_t *h = st->h;
    uint32_t ncolumns = 0;
    int what;

    if (dpiStmt_setPrefetchRows(st->stmt, h->params.prefetch_rows) != DPI_SUCCESS) {
        return ora_error_take(h, 0);
    }
    if ((what = ora_enter(h)) != 0 ||
        (what = ora_leave(h, dpiStmt_execute(st->stmt, DPI_MODE_EXEC_DEFAULT, &ncolumns))) != 0) {
        return what;
    }
    st->ncolumns = (int)ncolumns;
    st->columns = apr_pcalloc(st->pool, ncolumns * sizeof(*st->columns));
    st->described = apr_pcalloc(st->pool, ncolumns * sizeof(*st->described));
    st->values = apr_pcalloc(st->pool, ncolumns * sizeof(*st->values));
    st->more = 1;
    return ora_define(st, rows);
}

int ora_stmt_open(apr_dbd_oracle_stmt_t **stmt, apr_dbd_t *h, const char *sql, apr_size_t len,
                  const apr_dbd_oracle_value_t *binds, int nbinds, int rows, apr_pool_t *pool)
{
    apr_dbd_oracle_stmt_t *st = stmt_create(h, pool);
    dpiStmtInfo info = {0};
    int what = prepare(h, &st->stmt, &info, sql, len, binds, nbinds);

    if (!what && !info.isQuery) {
        what = ora_error_set(h, APR_DBD_ORACLE_OTHER,
                             "only queries are run here, and this statement is none");
    }
    if (!what) {
        what = run(st, rows > 0 ? rows : (int)h->params.fetch_rows);
    }
    if (what) {
        ora_stmt_close(st);
        return what;
    }
    *stmt = st;
    return 0;
}

int ora_execute(apr_dbd_t *h, const char *sql, apr_size_t len, const apr_dbd_oracle_value_t *binds,
                int nbinds, int commit, int *nrows)
{
    dpiStmt *stmt = NULL;
    dpiStmtInfo info = {0};
    uint64_t count = 0;
    int what = prepare(h, &stmt, &info, sql, len, binds, nbinds);

    if (!what && (what = ora_enter(h)) == 0) {
        dpiExecMode mode =
            commit && !info.isQuery ? DPI_MODE_EXEC_COMMIT_ON_SUCCESS : DPI_MODE_EXEC_DEFAULT;
        what = ora_leave(h, dpiStmt_execute(stmt, mode, NULL));
    }
    if (!what && nrows) {
        if (info.isDML && dpiStmt_getRowCount(stmt, &count) != DPI_SUCCESS) {
            what = ora_error_take(h, 0);
        }
        *nrows = count > INT_MAX ? INT_MAX : (int)count;
    }
    if (stmt) {
        dpiStmt_release(stmt);
    }
    return what;
}

/* The next array. @return 0; -1: there is none */
static int fetch(apr_dbd_oracle_stmt_t *st)
{
    apr_dbd_t *h = st->h;
    uint32_t first = 0, rows = 0;
    int what, more = 0;

    if (!st->more) {
        return -1;
    }
    if ((what = ora_enter(h)) != 0 ||
        (what = ora_leave(h, dpiStmt_fetchRows(st->stmt, st->array_rows, &first, &rows, &more))) !=
            0) {
        return what;
    }
    st->first = first;
    st->rows = rows;
    st->at = 0;
    st->more = more;
    return rows ? 0 : -1;
}

int ora_stmt_next(const apr_dbd_oracle_value_t **values, apr_dbd_oracle_stmt_t *st)
{
    int i, what = 0;

    if (!st->h) {
        return APR_DBD_ORACLE_LOST;
    }
    if (st->failed) {
        return st->failed;
    }
    if (st->at == st->rows) {
        what = fetch(st);
    }
    for (i = 0; i < st->ncolumns && !what; i++) {
        what = ora_column_value(st, &st->columns[i], st->first + st->at, &st->values[i]);
    }
    if (what) {
        st->rows = st->at = 0;
        st->more = 0;
        st->failed = what > 0 ? what : 0;
        return what;
    }
    st->at++;
    *values = st->values;
    return 0;
}
