/* cursor_pgsql.c - rows of a statement, as text, in libpq's single-row mode.
 *
 * Text is what the writers want: numbers and moments go from libpq's buffer to the client unchanged. Only
 * what PostgreSQL writes otherwise than cell.h is rewritten, into memory that the next row uses again: dates
 * before the year 1, and bytes, which travel as hexadecimal digits.
 *
 * Why single rows and no cursor with FETCH: t/bench/pg_fetch.pl has the figures. The server keeps nothing,
 * plans as for any query (a cursor's never run in parallel), and one row is all that is held here. Only a
 * page of a preview, few rows and at most a mebibyte, comes whole: that halves libpq's part of it. */
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "pgsql_private.h"

#define MOMENT_ROOM 48 /* a timestamp with zone and BC */
/* Megabytes of rows may still be on their way: a new connection is cheaper than to read them all. */
#define CLOSE_PATIENCE apr_time_from_msec(300)
#define BYTES_ROOM     4096 /* first size of the memory for bytea */

typedef struct rows_t rows_t;
typedef void read_fn(aur_cell_t *cell, rows_t *rows, int column);

typedef struct {
    read_fn *read; /* of this column's type */
    char *moment;  /* MOMENT_ROOM bytes for a date or timestamp; NULL for other types */
} reader_t;

struct rows_t {
    aur_pgsql_t *s;
    PGresult *result; /* what came last: one row, or all of them */
    int at;           /* the next row of it */
    int ended;        /* the end of the result has been read */
    int nbytea;       /* columns of that type */
    reader_t *readers;
    char *bytes; /* decoded bytea of the row at hand */
    apr_size_t bytes_size, bytes_used;
    apr_pool_t *pool;
};

/* --- cells ---------------------------------------------------------------------------------------- */

static void read_text(aur_cell_t *cell, rows_t *rows, int column)
{
    cell->kind = AUR_V_TEXT;
}

/* Canonical as it comes: numeric is never written with an exponent. */
static void read_number(aur_cell_t *cell, rows_t *rows, int column)
{
    cell->kind = AUR_V_DECIMAL;
}

static void read_float(aur_cell_t *cell, rows_t *rows, int column)
{
    if (memchr(cell->v.s, 'e', cell->len) || (cell->len == 2 && cell->v.s[1] == '0')) {
        /* an exponent, or -0 */
        cell->v.d = strtod_l(cell->v.s, NULL, rows->s->c_locale);
        cell->len = 0;
        cell->kind = AUR_V_DOUBLE;
        return;
    }
    cell->kind = AUR_V_DECIMAL;
}

static void read_bool(aur_cell_t *cell, rows_t *rows, int column)
{
    cell->v.i = cell->v.s[0] == 't';
    cell->len = 0;
    cell->kind = AUR_V_BOOL;
}

/* "0044-03-15 BC" is -0043-03-15; infinity is no date and stays the word. */
static void read_moment(aur_cell_t *cell, rows_t *rows, int column, aur_cell_e kind)
{
    const char *s = cell->v.s, *rest;
    char *out = rows->readers[column].moment;
    int last = cell->len > 0 ? s[cell->len - 1] : '\0';
    int year;

    cell->kind = kind;
    if (last >= '0' && last <= '9') {
        return;
    }
    rest = strchr(s, '-');
    if (last != 'C' || !rest || rest == s || cell->len + 2 > MOMENT_ROOM) {
        cell->kind = AUR_V_TEXT;
        return;
    }
    year = 1 - atoi(s);
    cell->len = (apr_size_t)apr_snprintf(out, MOMENT_ROOM, year < 0 ? "%05d%.*s" : "%04d%.*s", year,
                                         (int)(s + cell->len - 3 - rest), rest);
    cell->v.s = out;
}

static void read_date(aur_cell_t *cell, rows_t *rows, int column)
{
    read_moment(cell, rows, column, AUR_V_DATE);
}

static void read_timestamp(aur_cell_t *cell, rows_t *rows, int column)
{
    read_moment(cell, rows, column, AUR_V_TIMESTAMP);
}

static void read_timestamptz(aur_cell_t *cell, rows_t *rows, int column)
{
    read_moment(cell, rows, column, AUR_V_TIMESTAMP_TZ);
}

static unsigned nibble(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

/* \x0123…; the row's bytes have been counted before, so there is room. */
static void read_bytea(aur_cell_t *cell, rows_t *rows, int column)
{
    const char *s = cell->v.s;
    char *out = rows->bytes + rows->bytes_used;
    apr_size_t i, n = cell->len / 2;

    if (n == 0 || s[0] != '\\' || s[1] != 'x') {
        cell->kind = AUR_V_TEXT; /* not of this session's making: shown as it came */
        return;
    }
    n--;
    for (i = 0; i < n; i++) {
        out[i] = (char)(nibble(s[2 * i + 2]) << 4 | nibble(s[2 * i + 3]));
    }
    cell->kind = AUR_V_BINARY;
    cell->v.s = out;
    cell->len = n;
    rows->bytes_used += n;
}

/* Memory for the row's bytes; doubled when it grows, so what it once was is never more than the rest. */
static void bytes_reserve(rows_t *rows, int ncolumns)
{
    apr_size_t need = 0;
    int i;

    for (i = 0; i < ncolumns; i++) {
        if (rows->readers[i].read == read_bytea) {
            need += (apr_size_t)PQgetlength(rows->result, rows->at, i) / 2;
        }
    }
    rows->bytes_used = 0;
    if (need <= rows->bytes_size) {
        return;
    }
    while (rows->bytes_size < need) {
        rows->bytes_size = rows->bytes_size ? rows->bytes_size * 2 : BYTES_ROOM;
    }
    rows->bytes = apr_palloc(rows->pool, rows->bytes_size);
}

static void read_row(aur_cursor_t *cursor, rows_t *rows)
{
    const PGresult *result = rows->result;
    aur_cell_t *cell = cursor->cells;
    int i, n = cursor->ncolumns, at = rows->at;

    if (rows->nbytea > 0) {
        bytes_reserve(rows, n);
    }
    for (i = 0; i < n; i++, cell++) {
        cell->len = (apr_size_t)PQgetlength(result, at, i);
        if (cell->len == 0 && PQgetisnull(result, at, i)) {
            cell->kind = AUR_V_NULL;
            continue;
        }
        cell->v.s = PQgetvalue(result, at, i);
        rows->readers[i].read(cell, rows, i);
    }
    rows->at++;
}

/* --- columns -------------------------------------------------------------------------------------- */

aur_type_e aur_pgsql_type(Oid type)
{
    switch (type) {
    case AUR_PGSQL_INT2:
    case AUR_PGSQL_INT4:
    case AUR_PGSQL_INT8:
    case AUR_PGSQL_OID:
    case AUR_PGSQL_FLOAT4:
    case AUR_PGSQL_FLOAT8:
    case AUR_PGSQL_NUMERIC:
        return AUR_T_NUMBER;
    case AUR_PGSQL_BOOL:
        return AUR_T_BOOLEAN;
    case AUR_PGSQL_BYTEA:
        return AUR_T_BINARY;
    case AUR_PGSQL_DATE:
        return AUR_T_DATE;
    case AUR_PGSQL_TIMESTAMP:
        return AUR_T_TIMESTAMP;
    case AUR_PGSQL_TIMESTAMPTZ:
        return AUR_T_TIMESTAMP_TZ;
    default:
        return AUR_T_TEXT;
    }
}

static read_fn *reader_of(Oid type)
{
    switch (type) {
    case AUR_PGSQL_INT2:
    case AUR_PGSQL_INT4:
    case AUR_PGSQL_INT8:
    case AUR_PGSQL_OID:
    case AUR_PGSQL_NUMERIC:
        return read_number;
    case AUR_PGSQL_FLOAT4:
    case AUR_PGSQL_FLOAT8:
        return read_float;
    case AUR_PGSQL_BOOL:
        return read_bool;
    case AUR_PGSQL_BYTEA:
        return read_bytea;
    case AUR_PGSQL_DATE:
        return read_date;
    case AUR_PGSQL_TIMESTAMP:
        return read_timestamp;
    case AUR_PGSQL_TIMESTAMPTZ:
        return read_timestamptz;
    default:
        return read_text;
    }
}

static int is_moment(read_fn *read)
{
    return read == read_date || read == read_timestamp || read == read_timestamptz;
}

/* Names and types of a statement that has none of its own. */
static const aur_result_column_t *describe(const PGresult *result, int ncolumns, apr_pool_t *p)
{
    aur_result_column_t *columns = apr_pcalloc(p, (apr_size_t)ncolumns * sizeof(*columns));
    int i;

    for (i = 0; i < ncolumns; i++) {
        columns[i].name = apr_pstrdup(p, PQfname(result, i));
        columns[i].display = columns[i].name;
        columns[i].type = aur_pgsql_type(PQftype(result, i));
    }
    return columns;
}

static apr_status_t columns_set(aur_cursor_t *cursor, rows_t *rows, aur_error_t *err)
{
    const aur_sql_t *sql = cursor->sql;
    const PGresult *result = rows->result;
    int i, n = PQnfields(result);

    if (n < 1 || (sql->ncolumns > 0 && sql->ncolumns != n)) {
        cursor->session->doubtful = 1; /* whose answer is this? */
        return aur_error_set(err, AUR_E_INTERNAL, NULL,
                             "The statement has %d columns where %d are expected.", n,
                             sql->ncolumns);
    }
    cursor->ncolumns = n;
    cursor->columns = sql->ncolumns > 0 ? sql->columns : describe(result, n, cursor->pool);
    rows->readers = apr_pcalloc(cursor->pool, (apr_size_t)n * sizeof(*rows->readers));
    for (i = 0; i < n; i++) {
        rows->readers[i].read = reader_of(PQftype(result, i));
        rows->nbytea += rows->readers[i].read == read_bytea;
        if (is_moment(rows->readers[i].read)) {
            rows->readers[i].moment = apr_palloc(cursor->pool, MOMENT_ROOM);
        }
    }
    return APR_SUCCESS;
}

/* --- the cursor ----------------------------------------------------------------------------------- */

static void rows_end(rows_t *rows)
{
    PQclear(rows->result);
    rows->result = NULL;
    if (!rows->ended) {
        rows->ended = 1;
        aur_pgsql_abandon_rows(rows->s, CLOSE_PATIENCE);
    }
}

apr_status_t aur_pgsql_cursor_open(aur_cursor_t *cursor, aur_error_t *err)
{
    rows_t *rows = apr_pcalloc(cursor->pool, sizeof(*rows));
    apr_status_t rv;

    rows->s = cursor->session->private;
    rows->pool = cursor->pool;
    rv = aur_pgsql_start(&rows->result, cursor->session, cursor->sql, 1, err, cursor->pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = columns_set(cursor, rows, err);
    if (rv != APR_SUCCESS) {
        rows_end(rows);
        return rv;
    }
    cursor->private = rows;
    return APR_SUCCESS;
}

apr_status_t aur_pgsql_cursor_next(aur_cursor_t *cursor, aur_error_t *err)
{
    rows_t *rows = cursor->private;
    ExecStatusType status;
    apr_status_t rv;

    status = PQresultStatus(rows->result);
    if (status == PGRES_SINGLE_TUPLE && rows->at > 0) {
        PQclear(rows->result);
        rows->at = 0;
        rows->result = aur_pgsql_result(rows->s);
        status = PQresultStatus(rows->result);
    }
    if ((status == PGRES_SINGLE_TUPLE || status == PGRES_TUPLES_OK) &&
        rows->at < PQntuples(rows->result)) {
        read_row(cursor, rows);
        return APR_SUCCESS;
    }
    rows->ended = 1;
    if (status == PGRES_TUPLES_OK) {
        rv = aur_pgsql_settle(rows->s, err);
        return rv == APR_SUCCESS ? APR_EOF : rv;
    }
    aur_pgsql_error(cursor->session, rows->result, err);
    aur_pgsql_settle(rows->s, NULL);
    err->connection_lost = cursor->session->doubtful;
    return APR_EGENERAL;
}

void aur_pgsql_cursor_close(aur_cursor_t *cursor)
{
    rows_end(cursor->private);
}
