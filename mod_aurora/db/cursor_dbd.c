/* cursor_dbd.c - rows by apr_dbd's own calls, one at a time, typed by what the statement says of its
 * columns (apr_dbd tells nothing of types: a statement without columns of its own gives texts).
 *
 * Facts of the drivers, from their sources at apr-util 1.6:
 * - mysql: an unprepared result with random = 0 streams (mysql_use_result); get_row uses the row object
 *   again; get_entry points into the client library's row. Only a LOB bucket tells a value's length. The end
 *   of the rows and a broken connection return the same -1: only the error's text tells them apart.
 * - odbc: get_row allocates a row each time, get_entry copies each value into the result's pool, so
 *   neither is used without a pool that is cleared, nor at all. What is longer than the driver's buffer is cut
 *   with a warning, SQLSTATE 01004; of long columns the next call gives the next piece. Whether
 *   rows stream is up to the ODBC driver (MariaDB's: FORWARDONLY=1;NO_CACHE=1).
 *
 * The result's pool has no parent: it ends in close alone, never with a session that was abandoned. */
#include <apr_buckets.h>
#include <apr_strings.h>
#include <string.h>

#include "dbd_private.h"

#define DRAIN_ROWS 100 /* read to an end that is near; what is longer is stopped in the database */
#define KILL_WAIT  apr_time_from_sec(1)
#define CUT        "01004"
#define ODBC_END   "SQL_NO_DATA"

typedef struct rows_t {
    aur_dbd_t *d;
    apr_dbd_results_t *result;
    apr_dbd_row_t *row;
    aur_dbd_room_t *rooms; /* one per column */
    apr_bucket_brigade *bb;
    int ended;
    apr_pool_t *pool;
    apr_pool_t *row_pool; /* odbc: cleared for each row */
} rows_t;

/* --- values --------------------------------------------------------------------------------------- */

/* The text of the last call: some drivers tell there what they do not return. */
static const char *last_said(const aur_dbd_t *d)
{
    const char *text = apr_dbd_error(d->session->driver, d->session->handle, 0);
    return text ? text : "";
}

static apr_status_t mysql_value(const char **s, apr_size_t *len, rows_t *rows, int column,
                                aur_type_e type)
{
    const apr_dbd_driver_t *driver = rows->d->session->driver;
    apr_bucket *bucket;
    apr_status_t rv;

    if (type != AUR_T_TEXT && type != AUR_T_BINARY) {
        *s = apr_dbd_get_entry(driver, rows->row, column);
        *len = *s ? strlen(*s) : 0;
        return *s ? APR_SUCCESS : APR_ENOENT;
    }
    rv = apr_dbd_datum_get(driver, rows->row, column, APR_DBD_TYPE_BLOB, rows->bb);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    bucket = APR_BRIGADE_FIRST(rows->bb);
    rv = apr_bucket_read(bucket, s, len, APR_BLOCK_READ);
    /* what it points to is the row's, not the bucket's */
    apr_brigade_cleanup(rows->bb);
    return rv;
}

/* Bytes. An empty value and NULL look the same through this driver. */
static apr_status_t odbc_bytes(const char **s, apr_size_t *len, rows_t *rows, int column)
{
    aur_dbd_room_t *room = &rows->rooms[column];
    apr_status_t rv =
        apr_dbd_datum_get(rows->d->session->driver, rows->row, column, APR_DBD_TYPE_BLOB, rows->bb);
    apr_bucket *bucket;

    *len = 0;
    while (rv == APR_SUCCESS && !APR_BRIGADE_EMPTY(rows->bb)) {
        const char *piece;
        apr_size_t n;
        bucket = APR_BRIGADE_FIRST(rows->bb);
        if (APR_BUCKET_IS_EOS(bucket)) {
            break;
        }
        rv = apr_bucket_read(bucket, &piece, &n, APR_BLOCK_READ);
        if (rv == APR_SUCCESS && n > 0) {
            memcpy(aur_dbd_room(room, *len + n, rows->pool) + *len, piece, n);
            *len += n;
        }
        apr_bucket_delete(bucket);
    }
    apr_brigade_cleanup(rows->bb);
    *s = room->text;
    return rv == APR_SUCCESS && *len == 0 ? APR_ENOENT : rv;
}

static apr_status_t odbc_value(const char **s, apr_size_t *len, rows_t *rows, int column,
                               aur_type_e type)
{
    const apr_dbd_driver_t *driver = rows->d->session->driver;
    aur_dbd_room_t *room = &rows->rooms[column];
    char *piece;
    apr_size_t n;
    apr_status_t rv;

    if (type == AUR_T_BINARY) {
        return odbc_bytes(s, len, rows, column);
    }
    rv = apr_dbd_datum_get(driver, rows->row, column, APR_DBD_TYPE_STRING, &piece);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    *s = piece;
    *len = strlen(piece);
    if (!strstr(last_said(rows->d), CUT)) {
        return APR_SUCCESS;
    }
    for (n = *len, *len = 0; rv == APR_SUCCESS;) {
        memcpy(aur_dbd_room(room, *len + n + 1, rows->pool) + *len, piece, n + 1);
        *len += n;
        if (!strstr(last_said(rows->d), CUT)) {
            break;
        }
        rv = apr_dbd_datum_get(driver, rows->row, column, APR_DBD_TYPE_STRING, &piece);
        n = rv == APR_SUCCESS ? strlen(piece) : 0;
    }
    *s = room->text;
    return rv == APR_ENOENT ? APR_SUCCESS : rv; /* nothing was left */
}

static apr_status_t value(const char **s, apr_size_t *len, rows_t *rows, int column,
                          aur_type_e type)
{
    switch (rows->d->kind) {
    case AUR_DBD_MYSQL:
        return mysql_value(s, len, rows, column, type);
    case AUR_DBD_ODBC:
        return odbc_value(s, len, rows, column, type);
    case AUR_DBD_OTHER:
        break;
    }
    *s = apr_dbd_get_entry(rows->d->session->driver, rows->row, column);
    *len = *s ? strlen(*s) : 0;
    return *s ? APR_SUCCESS : APR_ENOENT;
}

static apr_status_t read_row(aur_cursor_t *cursor, rows_t *rows, aur_error_t *err)
{
    aur_cell_t *cell = cursor->cells;
    int i;

    for (i = 0; i < cursor->ncolumns; i++, cell++) {
        aur_type_e type = cursor->columns[i].type;
        const char *s;
        apr_size_t len;
        apr_status_t rv = value(&s, &len, rows, i, type);
        if (rv == APR_SUCCESS) {
            aur_dbd_cell(cell, type, s, len, &rows->rooms[i], rows->d, rows->pool);
        }
        else if (rv == APR_ENOENT) {
            cell->kind = AUR_V_NULL;
            cell->len = 0;
        }
        else {
            return aur_dbd_error(cursor->session, 0, err);
        }
    }
    return APR_SUCCESS;
}

/* --- rows ----------------------------------------------------------------------------------------- */

static void no_more(rows_t *rows)
{
    rows->ended = 1;
    rows->d->streaming = NULL;
}

static int fetch(rows_t *rows)
{
    aur_session_t *session = rows->d->session;
    apr_pool_t *p = rows->pool;

    if (rows->d->kind == AUR_DBD_ODBC) {
        apr_pool_clear(rows->row_pool);
        p = rows->row_pool;
        rows->row = NULL;
    }
    return apr_dbd_get_row(session->driver, p, rows->result, &rows->row, -1);
}

/* There was no row: is that the end, or did something break? */
static int is_end(const rows_t *rows, int rc)
{
    switch (rows->d->kind) {
    case AUR_DBD_MYSQL:
        return rc == -1 && !*last_said(rows->d);
    case AUR_DBD_ODBC:
        return strstr(last_said(rows->d), ODBC_END) != NULL;
    case AUR_DBD_OTHER:
        break;
    }
    return rc == -1;
}

apr_status_t aur_dbd_cursor_next(aur_cursor_t *cursor, aur_error_t *err)
{
    rows_t *rows = cursor->private;
    int rc = fetch(rows);

    if (rc != 0) {
        int end = is_end(rows, rc);
        no_more(rows);
        return end ? APR_EOF : aur_dbd_error(cursor->session, rc > 0 ? rc : 0, err);
    }
    if (rows->d->kind == AUR_DBD_ODBC && strstr(last_said(rows->d), CUT)) {
        aur_error_set(err, AUR_E_DATABASE_ERROR, NULL,
                      "The database's driver would have cut a value short.");
        aur_error_native(err, CUT, last_said(rows->d));
        return APR_EGENERAL;
    }
    return read_row(cursor, rows, err);
}

/* --- open and close ------------------------------------------------------------------------------- */

static const aur_result_column_t *describe(rows_t *rows, int ncolumns, apr_pool_t *p)
{
    aur_result_column_t *columns = apr_pcalloc(p, (apr_size_t)ncolumns * sizeof(*columns));
    int i;

    for (i = 0; i < ncolumns; i++) {
        const char *name = apr_dbd_get_name(rows->d->session->driver, rows->result, i);
        columns[i].name = apr_pstrdup(p, name ? name : "");
        columns[i].display = columns[i].name;
        columns[i].type = AUR_T_TEXT;
    }
    return columns;
}

static apr_status_t columns_set(aur_cursor_t *cursor, rows_t *rows, aur_error_t *err)
{
    const aur_sql_t *sql = cursor->sql;
    int n = apr_dbd_num_cols(rows->d->session->driver, rows->result);

    if (n < 1 || (sql->ncolumns > 0 && sql->ncolumns != n)) {
        return aur_error_set(err, AUR_E_INTERNAL, NULL,
                             "The statement has %d columns where %d are expected.", n,
                             sql->ncolumns);
    }
    cursor->ncolumns = n;
    cursor->columns = sql->ncolumns > 0 ? sql->columns : describe(rows, n, cursor->pool);
    rows->rooms = apr_pcalloc(rows->pool, (apr_size_t)n * sizeof(*rows->rooms));
    return APR_SUCCESS;
}

static void kill_statement(aur_session_t *session)
{
    aur_dbd_kill(session->private);
}

/* Leave nothing unread: the connection takes no other statement before. */
static void drain(rows_t *rows)
{
    int i;

    if (rows->d->kind != AUR_DBD_MYSQL) {
        return; /* closing the result is enough */
    }
    for (i = 0; i < DRAIN_ROWS && !aur_session_cancelled(rows->d->session); i++) {
        if (fetch(rows) != 0) {
            return;
        }
    }
    if (!aur_session_cancelled(rows->d->session) &&
        !aur_session_beside(rows->d->session, kill_statement, KILL_WAIT)) {
        aur_dbd_abandon(rows->d->session); /* or the rest would be read after all */
        rows->d->session->doubtful = 1;
    }
}

static void rows_end(rows_t *rows)
{
    if (!rows->ended) {
        if (rows->result) {
            drain(rows);
        }
        no_more(rows);
    }
    apr_pool_destroy(rows->pool);
}

/* NULL: out of memory */
static rows_t *rows_make(aur_dbd_t *d)
{
    rows_t *rows;
    apr_pool_t *p;

    if (apr_pool_create_unmanaged_ex(&p, NULL, NULL) != APR_SUCCESS) {
        return NULL;
    }
    rows = apr_pcalloc(p, sizeof(*rows));
    rows->d = d;
    rows->pool = p;
    if (apr_pool_create(&rows->row_pool, p) != APR_SUCCESS) {
        apr_pool_destroy(p);
        return NULL;
    }
    rows->bb = apr_brigade_create(p, apr_bucket_alloc_create(p));
    return rows;
}

apr_status_t aur_dbd_cursor_open(aur_cursor_t *cursor, aur_error_t *err)
{
    aur_dbd_t *d = cursor->session->private;
    rows_t *rows;
    apr_status_t rv;

    if (d->streaming) {
        aur_error_set(err, AUR_E_INTERNAL, NULL,
                      "Another result of this connection is still being read.");
        return APR_EGENERAL;
    }
    rows = rows_make(d);
    if (!rows) {
        aur_error_set(err, AUR_E_INTERNAL, NULL, "The server is out of memory.");
        return APR_EGENERAL;
    }
    rv = aur_dbd_run(&rows->result, d, cursor->sql, err, rows->pool);
    if (rv == APR_SUCCESS) {
        d->streaming = cursor;
        rv = columns_set(cursor, rows, err);
    }
    if (rv != APR_SUCCESS) {
        rows_end(rows);
        return rv;
    }
    cursor->private = rows;
    return APR_SUCCESS;
}

void aur_dbd_cursor_close(aur_cursor_t *cursor)
{
    rows_end(cursor->private);
}

/* --- small results -------------------------------------------------------------------------------- */

apr_status_t aur_dbd_each(aur_session_t *session, const aur_sql_t *sql, aur_dbd_row_fn *fn,
                          void *ctx, aur_error_t *err, apr_pool_t *p)
{
    aur_cursor_t cursor = {.session = session, .sql = sql, .pool = p};
    const char **fields;
    apr_pool_t *row;
    apr_status_t rv = aur_dbd_cursor_open(&cursor, err);
    int i;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    cursor.cells = apr_pcalloc(p, (apr_size_t)cursor.ncolumns * sizeof(*cursor.cells));
    fields = apr_pcalloc(p, (apr_size_t)(cursor.ncolumns + 1) * sizeof(*fields));
    apr_pool_create(&row, p);
    while ((rv = aur_dbd_cursor_next(&cursor, err)) == APR_SUCCESS) {
        apr_pool_clear(row);
        for (i = 0; i < cursor.ncolumns; i++) {
            const aur_cell_t *cell = &cursor.cells[i];
            fields[i] = cell->kind == AUR_V_NULL ? "" : apr_pstrmemdup(row, cell->v.s, cell->len);
        }
        fn(ctx, fields);
    }
    aur_dbd_cursor_close(&cursor);
    apr_pool_destroy(row);
    return rv == APR_EOF ? APR_SUCCESS : rv;
}
