/* cursor_oracle.c - rows of a statement, from the driver's arrays to cells. Nothing is copied but large objects:
 * small ones are read into memory that the next row uses again, larger ones through it, piece by piece. */
#include <apr_strings.h>
#include <string.h>

#include "oracle_private.h"

#define MIDNIGHT      " 00:00:00"
#define LOB_WHOLE_MAX 65536 /* bytes of a value that is held as a whole */
#define LOB_PIECE     65536 /* asked for at once */
#define PAGE_ROWS_MAX 100

/* Memory for one column's large objects. */
typedef struct {
    char *bytes;     /* NULL: none has come yet */
    apr_size_t used; /* of a beginning that has not been given out */
} lob_t;

typedef struct {
    aur_oracle_t *s;
    apr_dbd_oracle_stmt_t *stmt;
    lob_t *lobs; /* one per column */
    aur_task_t *task;
} rows_t;

/* --- cells ---------------------------------------------------------------------------------------- */

/* One call of the driver's: each may be a wait for the database. */
static apr_status_t lob_read(rows_t *rows, int column, char *buf, apr_size_t *len, aur_error_t *err)
{
    if (rows->s->calls->lob_read(rows->stmt, column, buf, len) != 0) {
        return aur_oracle_error(rows->s->session, err);
    }
    aur_task_progress(rows->task);
    return APR_SUCCESS;
}

/* A large object's beginning, which is the whole of a small one: that is a cell like any other. */
static apr_status_t read_lob(aur_cursor_t *cursor, int column, aur_cell_e kind, aur_error_t *err)
{
    rows_t *rows = cursor->private;
    aur_cell_t *cell = &cursor->cells[column];
    lob_t *lob = &rows->lobs[column];
    apr_size_t n = 1;
    apr_status_t rv;

    if (!lob->bytes) {
        lob->bytes = apr_palloc(cursor->pool, LOB_WHOLE_MAX + LOB_PIECE);
    }
    for (lob->used = 0; n > 0 && lob->used <= LOB_WHOLE_MAX; lob->used += n) {
        n = LOB_PIECE;
        rv = lob_read(rows, column, lob->bytes + lob->used, &n, err);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    if (n > 0) {
        aur_cursor_piecewise(cursor, column, kind);
        return APR_SUCCESS;
    }
    cell->kind = kind;
    cell->v.s = lob->bytes;
    cell->len = lob->used;
    return APR_SUCCESS;
}

/* First what has been read to know that it is long; then from the database. */
apr_status_t aur_oracle_cursor_piece(aur_cursor_t *cursor, int column, const char **s,
                                     apr_size_t *len, aur_error_t *err)
{
    rows_t *rows = cursor->private;
    lob_t *lob = &rows->lobs[column];

    *s = lob->bytes;
    if (lob->used > 0) {
        *len = lob->used;
        lob->used = 0;
        return APR_SUCCESS;
    }
    *len = LOB_WHOLE_MAX + LOB_PIECE;
    return lob_read(rows, column, lob->bytes, len, err);
}

/* A DATE of Oracle's has a time of day: at midnight it is the day, else nothing of it may be lost. */
static void read_date(aur_cell_t *cell, const apr_dbd_oracle_value_t *value)
{
    static const apr_size_t time = sizeof(MIDNIGHT) - 1;

    cell->v.s = value->v.s;
    cell->len = value->len;
    cell->kind = AUR_V_TIMESTAMP;
    if (value->len > time && !memcmp(value->v.s + value->len - time, MIDNIGHT, time)) {
        cell->kind = AUR_V_DATE;
        cell->len -= time;
    }
}

static void read_text(aur_cell_t *cell, const apr_dbd_oracle_value_t *value, aur_cell_e kind)
{
    cell->kind = kind;
    cell->v.s = value->v.s;
    cell->len = value->len;
}

static apr_status_t read_cell(aur_cursor_t *cursor, int column, const apr_dbd_oracle_value_t *value,
                              aur_error_t *err)
{
    aur_cell_t *cell = &cursor->cells[column];

    cell->len = 0;
    switch (value->kind) {
    case APR_DBD_ORACLE_NULL:
        cell->kind = AUR_V_NULL;
        break;
    case APR_DBD_ORACLE_NUMBER:
        read_text(cell, value, AUR_V_DECIMAL);
        break;
    case APR_DBD_ORACLE_DOUBLE:
    case APR_DBD_ORACLE_FLOAT:
        cell->kind = AUR_V_DOUBLE;
        cell->v.d = value->v.d;
        break;
    case APR_DBD_ORACLE_TEXT:
    case APR_DBD_ORACLE_NTEXT: /* of binds alone */
        read_text(cell, value, AUR_V_TEXT);
        break;
    case APR_DBD_ORACLE_BYTES:
        read_text(cell, value, AUR_V_BINARY);
        break;
    case APR_DBD_ORACLE_DATE:
        read_date(cell, value);
        break;
    case APR_DBD_ORACLE_TIMESTAMP:
        read_text(cell, value, AUR_V_TIMESTAMP);
        break;
    case APR_DBD_ORACLE_TIMESTAMP_TZ:
        read_text(cell, value, AUR_V_TIMESTAMP_TZ);
        break;
    case APR_DBD_ORACLE_BOOLEAN:
        cell->kind = AUR_V_BOOL;
        cell->v.i = value->v.i;
        break;
    case APR_DBD_ORACLE_CLOB:
        return read_lob(cursor, column, AUR_V_TEXT, err);
    case APR_DBD_ORACLE_BLOB:
        return read_lob(cursor, column, AUR_V_BINARY, err);
    }
    return APR_SUCCESS;
}

/* --- the cursor ----------------------------------------------------------------------------------- */

static aur_type_e type_of(apr_dbd_oracle_kind_e kind)
{
    switch (kind) {
    case APR_DBD_ORACLE_NUMBER:
    case APR_DBD_ORACLE_DOUBLE:
    case APR_DBD_ORACLE_FLOAT:
        return AUR_T_NUMBER;
    case APR_DBD_ORACLE_DATE:
        return AUR_T_DATE;
    case APR_DBD_ORACLE_TIMESTAMP:
        return AUR_T_TIMESTAMP;
    case APR_DBD_ORACLE_TIMESTAMP_TZ:
        return AUR_T_TIMESTAMP_TZ;
    case APR_DBD_ORACLE_BOOLEAN:
        return AUR_T_BOOLEAN;
    case APR_DBD_ORACLE_BYTES:
    case APR_DBD_ORACLE_BLOB:
        return AUR_T_BINARY;
    default:
        return AUR_T_TEXT;
    }
}

static const aur_result_column_t *describe(const apr_dbd_oracle_column_t *from, int n,
                                           apr_pool_t *p)
{
    aur_result_column_t *columns = apr_pcalloc(p, (apr_size_t)n * sizeof(*columns));
    int i;

    for (i = 0; i < n; i++) {
        columns[i].name = apr_pstrdup(p, from[i].name);
        columns[i].display = columns[i].name;
        columns[i].type = type_of(from[i].kind);
    }
    return columns;
}

static apr_status_t columns_set(aur_cursor_t *cursor, const rows_t *rows, aur_error_t *err)
{
    const aur_sql_t *sql = cursor->sql;
    const apr_dbd_oracle_column_t *columns;
    int n;

    columns = rows->s->calls->columns(rows->stmt, &n);
    if (n < 1 || (sql->ncolumns > 0 && sql->ncolumns != n)) {
        return aur_error_set(err, AUR_E_INTERNAL, NULL,
                             "The statement has %d columns where %d are expected.", n,
                             sql->ncolumns);
    }
    cursor->ncolumns = n;
    cursor->columns = sql->ncolumns > 0 ? sql->columns : describe(columns, n, cursor->pool);
    return APR_SUCCESS;
}

apr_status_t aur_oracle_cursor_open(aur_cursor_t *cursor, aur_error_t *err)
{
    aur_oracle_t *s = cursor->session->private;
    const aur_sql_t *sql = cursor->sql;
    rows_t *rows = apr_pcalloc(cursor->pool, sizeof(*rows));
    int batch = sql->rows_max > 0 && sql->rows_max < PAGE_ROWS_MAX ? (int)sql->rows_max + 1 : 0;
    apr_status_t rv = aur_oracle_start(s, err);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    rows->s = s;
    rows->task = cursor->conn->task;
    if (s->calls->open(&rows->stmt, s->handle, sql->text, sql->len,
                       aur_oracle_binds(sql, cursor->pool), sql->nbinds, batch,
                       cursor->pool) != 0) {
        return aur_oracle_error(cursor->session, err);
    }
    rv = columns_set(cursor, rows, err);
    if (rv != APR_SUCCESS) {
        s->calls->close(rows->stmt);
        return rv;
    }
    rows->lobs = apr_pcalloc(cursor->pool, (apr_size_t)cursor->ncolumns * sizeof(*rows->lobs));
    cursor->private = rows;
    return APR_SUCCESS;
}

apr_status_t aur_oracle_cursor_next(aur_cursor_t *cursor, aur_error_t *err)
{
    rows_t *rows = cursor->private;
    const apr_dbd_oracle_value_t *values;
    apr_status_t rv = APR_SUCCESS;
    int i, rc = rows->s->calls->next(&values, rows->stmt);

    if (rc == -1) {
        return APR_EOF;
    }
    if (rc != 0) {
        return aur_oracle_error(cursor->session, err);
    }
    for (i = 0; i < cursor->ncolumns && rv == APR_SUCCESS; i++) {
        rv = read_cell(cursor, i, &values[i], err);
    }
    return rv;
}

void aur_oracle_cursor_close(aur_cursor_t *cursor)
{
    rows_t *rows = cursor->private;

    rows->s->calls->close(rows->stmt);
}
