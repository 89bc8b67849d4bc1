/* oracle_results.c - results and rows as apr_dbd has them: texts.
 *
 * A row object owns copies of its values, so that it stays what it is while later rows are read. One that is given to
 * get_row again, as loops do, is filled anew and takes no more memory than its longest row. */
#include "oracle.h"

#include <apr_buckets.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct apr_dbd_results_t {
    apr_dbd_t *h;
    apr_pool_t *pool;
    apr_dbd_oracle_stmt_t *stmt;
    const apr_dbd_oracle_column_t *columns;
    int ncols;
    int done;  /* behind the last row */
    int at;    /* random access: rows up to the one given last */
    int nrows; /* random access: how many; else -1 */
    apr_dbd_row_t **rows;
};

typedef struct {
    int null;
    apr_size_t offset, len; /* in buf; a NUL follows */
    char *hex;              /* of bytes; room that the next row uses again */
    apr_size_t hex_size;
    int hex_done; /* it is this row's */
} cell_t;

struct apr_dbd_row_t {
    apr_pool_t *pool;
    int ncols;
    const apr_dbd_oracle_column_t *columns;
    cell_t *cells;
    char *buf;
    apr_size_t size, used;
};

/* --- rows ---------------------------------------------------------------------------------------------- */

static apr_dbd_row_t *row_create(const apr_dbd_results_t *res, apr_pool_t *pool)
{
    apr_dbd_row_t *row = apr_pcalloc(pool, sizeof(*row));

    row->pool = pool;
    row->ncols = res->ncols;
    row->columns = res->columns;
    row->cells = apr_pcalloc(pool, (apr_size_t)res->ncols * sizeof(*row->cells));
    return row;
}

/* Room for `more` bytes and a NUL behind what is there. */
static void row_reserve(apr_dbd_row_t *row, apr_size_t more)
{
    apr_size_t need = row->used + more + 1;
    char *buf;

    if (need <= row->size) {
        return;
    }
    need = need > 2 * row->size ? need : 2 * row->size;
    buf = apr_palloc(row->pool, need);
    if (row->used) {
        memcpy(buf, row->buf, row->used);
    }
    row->buf = buf;
    row->size = need;
}

static void row_append(apr_dbd_row_t *row, const char *s, apr_size_t len)
{
    row_reserve(row, len);
    memcpy(row->buf + row->used, s, len);
    row->used += len;
}

static int row_append_lob(apr_dbd_row_t *row, apr_dbd_oracle_stmt_t *st, int column)
{
    apr_size_t piece = ORA_LOB_PREFETCH, len;
    int what;

    for (;;) {
        row_reserve(row, piece);
        len = piece;
        if ((what = ora_lob_read(st, column, row->buf + row->used, &len)) != 0 || !len) {
            return what;
        }
        row->used += len;
        /* Fewer and fewer round trips for a long one. */
        piece = piece < 1024 * 1024 ? 2 * piece : piece;
    }
}

static int row_append_value(apr_dbd_row_t *row, apr_dbd_oracle_stmt_t *st, int i,
                            const apr_dbd_oracle_value_t *v)
{
    char text[ORA_TIME_TEXT];

    switch (v->kind) {
    case APR_DBD_ORACLE_NULL:
        return 0;
    case APR_DBD_ORACLE_DOUBLE:
    case APR_DBD_ORACLE_FLOAT:
        row_append(row, text, ora_double_write(text, v->v.d, v->kind == APR_DBD_ORACLE_FLOAT));
        return 0;
    case APR_DBD_ORACLE_BOOLEAN:
        row_append(row, v->v.i ? "1" : "0", 1);
        return 0;
    case APR_DBD_ORACLE_CLOB:
    case APR_DBD_ORACLE_BLOB:
        return row_append_lob(row, st, i);
    default:
        row_append(row, v->v.s, v->len);
        return 0;
    }
}

static int row_fill(apr_dbd_row_t *row, apr_dbd_oracle_stmt_t *st,
                    const apr_dbd_oracle_value_t *values)
{
    int i, what = 0;

    row->used = 0;
    for (i = 0; i < row->ncols && !what; i++) {
        cell_t *cell = &row->cells[i];
        cell->null = values[i].kind == APR_DBD_ORACLE_NULL;
        cell->hex_done = 0;
        cell->offset = row->used;
        what = row_append_value(row, st, i, &values[i]);
        cell->len = row->used - cell->offset;
        row_append(row, "", 1);
    }
    return what;
}

/* --- results -------------------------------------------------------------------------------------------- */

static int all_rows(apr_dbd_results_t *res)
{
    const apr_dbd_oracle_value_t *values;
    int room = 0, what;

    res->nrows = 0;
    while ((what = ora_stmt_next(&values, res->stmt)) == 0) {
        if (res->nrows == INT_MAX / 2) {
            return ora_error_set(res->h, APR_DBD_ORACLE_OTHER, "too many rows for random access");
        }
        if (res->nrows == room) {
            apr_dbd_row_t **rows;
            room = room ? 2 * room : 64;
            rows = apr_palloc(res->pool, (apr_size_t)room * sizeof(*rows));
            if (res->nrows) {
                memcpy(rows, res->rows, (apr_size_t)res->nrows * sizeof(*rows));
            }
            res->rows = rows;
        }
        res->rows[res->nrows] = row_create(res, res->pool);
        if ((what = row_fill(res->rows[res->nrows], res->stmt, values)) != 0) {
            return what;
        }
        res->nrows++;
    }
    ora_stmt_release(res->stmt);
    return what < 0 ? 0 : what;
}

int ora_select(apr_pool_t *pool, apr_dbd_t *h, apr_dbd_results_t **out, const char *sql,
               apr_size_t len, const apr_dbd_oracle_value_t *binds, int nbinds, int random)
{
    apr_dbd_results_t *res = apr_pcalloc(pool, sizeof(*res));
    int what;

    res->h = h;
    res->pool = pool;
    res->nrows = -1;
    if ((what = ora_stmt_open(&res->stmt, h, sql, len, binds, nbinds, 0, pool)) != 0) {
        return what;
    }
    res->columns = res->stmt->described;
    res->ncols = res->stmt->ncolumns;
    if (random && (what = all_rows(res)) != 0) {
        ora_stmt_close(res->stmt);
        return what;
    }
    *out = res;
    return 0;
}

int ora_num_cols(apr_dbd_results_t *res)
{
    return res->ncols;
}

int ora_num_tuples(apr_dbd_results_t *res)
{
    return res->nrows;
}

static int stored_row(apr_dbd_results_t *res, apr_dbd_row_t **row, int rownum)
{
    int at = rownum >= 0 ? rownum - 1 : res->at;

    if (at < 0 || at >= res->nrows) {
        return -1;
    }
    *row = res->rows[at];
    res->at = at + 1;
    return 0;
}

/* As apr_dbd has it, a row's number counts with random access only. */
int ora_get_row(apr_pool_t *pool, apr_dbd_results_t *res, apr_dbd_row_t **row, int rownum)
{
    const apr_dbd_oracle_value_t *values = NULL;
    int what;

    if (res->nrows >= 0) {
        return stored_row(res, row, rownum);
    }
    if (res->done) {
        return -1;
    }
    what = ora_stmt_next(&values, res->stmt);
    if (what < 0) {
        res->done = 1;
        ora_stmt_release(res->stmt);
    }
    if (what) {
        return what;
    }
    /* The object of an earlier result has that one's columns. */
    if (!*row || (*row)->columns != res->columns || (*row)->ncols != res->ncols) {
        *row = row_create(res, pool);
    }
    return row_fill(*row, res->stmt, values);
}

const char *ora_get_name(const apr_dbd_results_t *res, int col)
{
    return col >= 0 && col < res->ncols ? res->columns[col].name : NULL;
}

/* --- values of a row -------------------------------------------------------------------------------------- */

static int is_bytes(const apr_dbd_row_t *row, int col)
{
    return row->columns[col].kind == APR_DBD_ORACLE_BYTES ||
           row->columns[col].kind == APR_DBD_ORACLE_BLOB;
}

static const char *hex_of(const apr_dbd_row_t *row, cell_t *cell)
{
    static const char digits[] = "0123456789ABCDEF";
    const char *s = row->buf + cell->offset;
    apr_size_t need = 2 * cell->len + 1, i;
    char *w;

    if (!cell->hex_done) {
        if (cell->hex_size < need) {
            cell->hex_size = need > 2 * cell->hex_size ? need : 2 * cell->hex_size;
            cell->hex = apr_palloc(row->pool, cell->hex_size);
        }
        w = cell->hex;
        cell->hex_done = 1;
        for (i = 0; i < cell->len; i++) {
            *w++ = digits[(unsigned char)s[i] >> 4];
            *w++ = digits[(unsigned char)s[i] & 15];
        }
        *w = '\0';
    }
    return cell->hex;
}

const char *ora_get_entry(const apr_dbd_row_t *row, int col)
{
    if (col < 0 || col >= row->ncols || row->cells[col].null) {
        return NULL;
    }
    return is_bytes(row, col) ? hex_of(row, &row->cells[col]) : row->buf + row->cells[col].offset;
}

/* Stores the whole number s if it lies between the two. */
static apr_status_t int_get(const char *s, apr_int64_t min, apr_int64_t max, apr_int64_t *out)
{
    char *end;

    errno = 0;
    *out = apr_strtoi64(s, &end, 10);
    return errno || end == s || *out < min || *out > max ? APR_EGENERAL : APR_SUCCESS;
}

static apr_status_t uint64_get(const char *s, apr_uint64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoull(s, &end, 10);
    return errno || end == s || *s == '-' ? APR_EGENERAL : APR_SUCCESS;
}

static apr_status_t double_get(const char *s, double *out)
{
    return ora_double_read(out, s) == 0 ? APR_SUCCESS : APR_EGENERAL;
}

static apr_status_t brigade_get(const apr_dbd_row_t *row, int col, apr_bucket_brigade *bb)
{
    const cell_t *cell = &row->cells[col];

    /* A copy: the row may be filled anew while the brigade is under way. */
    APR_BRIGADE_INSERT_TAIL(
        bb, apr_bucket_heap_create(row->buf + cell->offset, cell->len, NULL, bb->bucket_alloc));
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(bb->bucket_alloc));
    return APR_SUCCESS;
}

#define INT(ctype, min, max)                                                                       \
    rv = int_get(s, min, max, &i);                                                                 \
    if (rv == APR_SUCCESS) {                                                                       \
        *(ctype *)data = (ctype)i;                                                                 \
    }                                                                                              \
    return rv

static apr_status_t integer_get(const char *s, apr_dbd_type_e type, void *data)
{
    apr_status_t rv;
    apr_int64_t i;

    switch (type) {
    case APR_DBD_TYPE_TINY:
        INT(signed char, SCHAR_MIN, SCHAR_MAX);
    case APR_DBD_TYPE_UTINY:
        INT(unsigned char, 0, UCHAR_MAX);
    case APR_DBD_TYPE_SHORT:
        INT(short, SHRT_MIN, SHRT_MAX);
    case APR_DBD_TYPE_USHORT:
        INT(unsigned short, 0, USHRT_MAX);
    case APR_DBD_TYPE_INT:
        INT(int, INT_MIN, INT_MAX);
    case APR_DBD_TYPE_UINT:
        INT(unsigned int, 0, UINT_MAX);
    case APR_DBD_TYPE_LONG:
        INT(long, LONG_MIN, LONG_MAX);
    case APR_DBD_TYPE_LONGLONG:
        INT(apr_int64_t, APR_INT64_MIN, APR_INT64_MAX);
    default:
        return APR_EGENERAL;
    }
}

/* Numbers wider than that, and numbers with a fraction. */
static apr_status_t number_get(const char *s, apr_dbd_type_e type, void *data)
{
    apr_status_t rv;
    apr_uint64_t u;
    double d;

    switch (type) {
    case APR_DBD_TYPE_ULONG:
    case APR_DBD_TYPE_ULONGLONG:
        if (uint64_get(s, &u) != APR_SUCCESS || (type == APR_DBD_TYPE_ULONG && u > ULONG_MAX)) {
            return APR_EGENERAL;
        }
        if (type == APR_DBD_TYPE_ULONG) {
            *(unsigned long *)data = (unsigned long)u;
        }
        else {
            *(apr_uint64_t *)data = u;
        }
        return APR_SUCCESS;
    case APR_DBD_TYPE_FLOAT:
    case APR_DBD_TYPE_DOUBLE:
        if ((rv = double_get(s, &d)) != APR_SUCCESS) {
            return rv;
        }
        if (type == APR_DBD_TYPE_FLOAT) {
            *(float *)data = (float)d;
        }
        else {
            *(double *)data = d;
        }
        return APR_SUCCESS;
    default:
        return integer_get(s, type, data);
    }
}

apr_status_t ora_datum_get(const apr_dbd_row_t *row, int col, apr_dbd_type_e type, void *data)
{
    const char *s;

    if (col < 0 || col >= row->ncols) {
        return APR_EGENERAL;
    }
    if (row->cells[col].null) {
        if (type >= APR_DBD_TYPE_STRING && type <= APR_DBD_TYPE_ZTIMESTAMP) {
            *(const char **)data = NULL;
        }
        return APR_ENOENT;
    }
    switch (type) {
    case APR_DBD_TYPE_BLOB:
    case APR_DBD_TYPE_CLOB:
        return brigade_get(row, col, data);
    case APR_DBD_TYPE_NULL:
        *(void **)data = NULL;
        return APR_SUCCESS;
    case APR_DBD_TYPE_NONE:
        return APR_EGENERAL;
    default:
        break;
    }
    s = ora_get_entry(row, col);
    if (type >= APR_DBD_TYPE_STRING && type <= APR_DBD_TYPE_ZTIMESTAMP) {
        *(const char **)data = s;
        return APR_SUCCESS;
    }
    return number_get(s, type, data);
}
