/* db.c - the front of db/: picks the backend, keeps cursors in line with their connection. */
#include <apr_strings.h>
#include <string.h>

#include "aurora/number.h"
#include "backend.h"

static const aur_backend_t *const backends[] = {&aur_backend_sqlite, &aur_backend_pgsql,
                                                &aur_backend_oracle};

const aur_backend_t *aur_backend_get(const char *driver)
{
    apr_size_t i;

    if (!driver) {
        return NULL;
    }
    for (i = 0; i < sizeof(backends) / sizeof(backends[0]); i++) {
        if (!strcmp(backends[i]->driver, driver)) {
            return backends[i];
        }
    }
    return &aur_backend_dbd;
}

void aur_log_none(void *ctx, int level, apr_status_t rv, const char *fmt, ...)
{
}

apr_status_t aur_db_check(const aur_db_settings_t *settings, aur_error_t *err, apr_pool_t *p)
{
    const aur_backend_t *backend = aur_backend_get(settings->driver);
    const apr_dbd_driver_t *driver;
    char text[128];
    apr_status_t rv;

    if (!backend || !aur_dialect_get(settings->driver)) {
        return aur_error_set(err, AUR_E_DB_UNAVAILABLE, NULL,
                             "the database driver %s is not supported by this version of Aurora",
                             settings->driver ? settings->driver : "(none)");
    }
    rv = apr_dbd_init(p);
    if (rv == APR_SUCCESS) {
        rv = apr_dbd_get_driver(p, settings->driver, &driver);
    }
    if (rv != APR_SUCCESS) {
        return aur_error_set(err, AUR_E_DB_UNAVAILABLE, NULL,
                             "apr-util's database driver %s cannot be loaded: %s", settings->driver,
                             apr_strerror(rv, text, sizeof(text)));
    }
    return backend->check(settings, err, p);
}

/* --- cursors ------------------------------------------------------------------------------------ */

static void unlink_cursor(aur_cursor_t *cursor)
{
    aur_cursor_t **at;

    for (at = &cursor->conn->cursors; *at; at = &(*at)->next) {
        if (*at == cursor) {
            *at = cursor->next;
            return;
        }
    }
}

static apr_status_t cursor_end(void *data)
{
    aur_cursor_t *cursor = data;
    aur_session_t *session = cursor->session;

    if (session) {
        cursor->session = NULL;
        unlink_cursor(cursor);
        aur_session_enter(session);
        session->backend->close(cursor);
        aur_session_leave(session);
    }
    return APR_SUCCESS;
}

void aur_conn_close_cursors(aur_conn_t *conn)
{
    while (conn->cursors) {
        aur_cursor_close(conn->cursors);
    }
}

static apr_status_t stopped(aur_error_t *err)
{
    aur_error_set(err, AUR_E_QUERY_TIMEOUT, NULL, "The query was stopped before its end.");
    return APR_EGENERAL;
}

static apr_status_t over(aur_error_t *err, const char *what)
{
    aur_error_set(err, AUR_E_INTERNAL, NULL, "The %s is in use no longer.", what);
    return APR_EGENERAL;
}

static apr_interval_time_t patience_of(const aur_conn_t *conn)
{
    return conn->task ? aur_task_patience(conn->task) : conn->patience;
}

static apr_status_t open_on(aur_cursor_t *cursor, aur_session_t *session, aur_error_t *err)
{
    apr_status_t rv;

    cursor->session = session;
    session->patience = patience_of(cursor->conn);
    aur_session_enter(session);
    rv = session->backend->open(cursor, err);
    aur_session_leave(session);
    return rv;
}

apr_status_t aur_cursor_open(aur_cursor_t **cursor, aur_conn_t *conn, const aur_sql_t *sql,
                             aur_error_t *err, apr_pool_t *p)
{
    aur_session_t *session = conn->session;
    aur_cursor_t *made;
    apr_status_t rv;

    if (!conn->db || !session) {
        return over(err, "connection");
    }
    if (aur_session_cancelled(session)) {
        return stopped(err);
    }
    made = apr_pcalloc(p, sizeof(*made));
    made->conn = conn;
    made->sql = sql;
    made->pool = p;
    rv = open_on(made, session, err);
    if (rv != APR_SUCCESS && aur_conn_replace(conn, err) == APR_SUCCESS) {
        aur_error_clear(err);
        rv = open_on(made, conn->session, err);
    }
    conn->used = 1;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    made->cells = apr_pcalloc(p, (apr_size_t)made->ncolumns * sizeof(*made->cells));
    made->next = conn->cursors;
    conn->cursors = made;
    apr_pool_cleanup_register(p, made, cursor_end, apr_pool_cleanup_null);
    *cursor = made;
    return APR_SUCCESS;
}

const aur_result_column_t *aur_cursor_columns(const aur_cursor_t *cursor, int *ncolumns)
{
    *ncolumns = cursor->ncolumns;
    return cursor->columns;
}

/* --- values in pieces --------------------------------------------------------------------------- */

typedef struct aur_piecewise_t {
    aur_pieces_t base;
    aur_cursor_t *cursor;
    int column;
} piecewise_t;

/* What holds between two rows holds between two pieces: each is one wait for the database, and a stop is heeded. */
static apr_status_t piece_next(aur_pieces_t *base, const char **s, apr_size_t *len)
{
    piecewise_t *pieces = (piecewise_t *)base;
    aur_cursor_t *cursor = pieces->cursor;
    aur_session_t *session = cursor->session;
    apr_status_t rv;

    *len = 0;
    if (!session) {
        return over(cursor->err, "result");
    }
    if (aur_session_cancelled(session)) {
        rv = stopped(cursor->err);
    }
    else {
        aur_session_enter(session);
        rv = session->backend->piece(cursor, pieces->column, s, len, cursor->err);
        aur_session_leave(session);
    }
    if (rv != APR_SUCCESS) {
        *len = 0;
        aur_cursor_close(cursor);
        return rv;
    }
    aur_task_progress(cursor->conn->task);
    return APR_SUCCESS;
}

void aur_cursor_piecewise(aur_cursor_t *cursor, int column, aur_cell_e kind)
{
    aur_cell_t *cell = &cursor->cells[column];
    piecewise_t *pieces;
    int i;

    if (!cursor->piecewise) {
        cursor->piecewise =
            apr_pcalloc(cursor->pool, (apr_size_t)cursor->ncolumns * sizeof(*cursor->piecewise));
        for (i = 0; i < cursor->ncolumns; i++) {
            pieces = &cursor->piecewise[i];
            pieces->base.next = piece_next;
            pieces->cursor = cursor;
            pieces->column = i;
        }
    }
    pieces = &cursor->piecewise[column];
    pieces->base.kind = kind;
    cell->kind = AUR_V_PIECES;
    cell->len = 0;
    cell->v.pieces = &pieces->base;
}

/* --- rows --------------------------------------------------------------------------------------- */

apr_status_t aur_cursor_next(const aur_cell_t **cells, aur_cursor_t *cursor, aur_error_t *err)
{
    aur_session_t *session = cursor->session;
    apr_status_t rv;

    if (cursor->done) {
        return APR_EOF;
    }
    if (!session) {
        return over(err, "result");
    }
    if (aur_session_cancelled(session)) {
        return stopped(err);
    }
    cursor->err = err;
    aur_session_enter(session);
    rv = session->backend->next(cursor, err);
    aur_session_leave(session);
    if (rv == APR_SUCCESS) {
        *cells = cursor->cells;
        return APR_SUCCESS;
    }
    /* A driver may begin anew when it is asked after the end or after an error. */
    if (rv == APR_EOF) {
        cursor->done = 1;
    }
    else {
        aur_cursor_close(cursor);
    }
    return rv;
}

void aur_cursor_close(aur_cursor_t *cursor)
{
    apr_pool_cleanup_run(cursor->pool, cursor, cursor_end);
}

/* --- small questions ---------------------------------------------------------------------------- */

static apr_status_t whole_number(apr_int64_t *number, const aur_cell_t *cell, aur_error_t *err)
{
    if (cell->kind == AUR_V_INT) {
        *number = cell->v.i;
        return APR_SUCCESS;
    }
    if ((cell->kind == AUR_V_DECIMAL || cell->kind == AUR_V_TEXT) &&
        aur_number_valid(cell->v.s, cell->len) && aur_number_to_int(cell->v.s, cell->len, number)) {
        return APR_SUCCESS;
    }
    return aur_error_set(err, AUR_E_DATABASE_ERROR, NULL,
                         "The database gave no whole number where one was asked for.");
}

apr_status_t aur_db_number(apr_int64_t *number, aur_conn_t *conn, const aur_sql_t *sql,
                           aur_error_t *err, apr_pool_t *p)
{
    aur_cursor_t *cursor;
    const aur_cell_t *cells;
    apr_status_t rv = aur_cursor_open(&cursor, conn, sql, err, p);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = aur_cursor_next(&cells, cursor, err);
    if (rv == APR_EOF || (rv == APR_SUCCESS && cursor->ncolumns < 1)) {
        rv = aur_error_set(err, AUR_E_DATABASE_ERROR, NULL, "The database gave no number.");
    }
    else if (rv == APR_SUCCESS) {
        rv = whole_number(number, &cells[0], err);
    }
    aur_cursor_close(cursor);
    return rv;
}

apr_status_t aur_db_discover(aur_catalog_builder_t *builder, aur_conn_t *conn, aur_error_t *err,
                             apr_pool_t *p)
{
    aur_session_t *session = conn->session;
    apr_status_t rv;

    if (!conn->db || !session) {
        return over(err, "connection");
    }
    if (aur_session_cancelled(session)) {
        return stopped(err);
    }
    session->patience = patience_of(conn);
    aur_session_enter(session);
    rv = session->backend->discover(builder, session, err, p);
    aur_session_leave(session);
    return rv;
}

static apr_status_t explain_on(apr_int64_t *rows, aur_conn_t *conn, const aur_sql_t *sql,
                               aur_error_t *err, apr_pool_t *p)
{
    aur_session_t *session = conn->session;
    apr_status_t rv;

    session->patience = patience_of(conn);
    aur_session_enter(session);
    rv = session->backend->explain(rows, session, sql, err, p);
    aur_session_leave(session);
    return rv;
}

apr_status_t aur_db_explain(apr_int64_t *rows, aur_conn_t *conn, const aur_sql_t *sql,
                            aur_error_t *err, apr_pool_t *p)
{
    aur_session_t *session = conn->session;
    apr_status_t rv;

    if (!conn->db || !session) {
        return over(err, "connection");
    }
    if (!session->backend->explain) {
        return APR_ENOTIMPL;
    }
    if (aur_session_cancelled(session)) {
        return stopped(err);
    }
    rv = explain_on(rows, conn, sql, err, p);
    if (rv != APR_SUCCESS && aur_conn_replace(conn, err) == APR_SUCCESS) {
        aur_error_clear(err);
        rv = explain_on(rows, conn, sql, err, p);
    }
    conn->used = 1;
    return rv;
}
