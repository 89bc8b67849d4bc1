/* cursor_sqlite.c - rows of a statement, streamed from sqlite3_step.
 *
 * Reading is the larger part of an export's work in the database, so each cell is asked for once:
 * sqlite3_column_value gives it, sqlite3_value_* read it without a lock. What column_value gives
 * may only be read so while the connection's mutex is held; the row takes it once, and the calls
 * inside find it theirs already. sqlite3_interrupt needs no mutex and gets through. */
#include <apr_strings.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "aurora/number.h"
#include "sqlite_private.h"

typedef struct {
    sqlite3_stmt *stmt;
    sqlite3_mutex *mutex;
} rows_t;

/* --- binds ------------------------------------------------------------------------------------ */

/* A locale-free strtod: a module of the same server may have called setlocale. */
static double to_double(const char *s, apr_size_t len, apr_pool_t *p)
{
    const char *text = apr_pstrmemdup(p, s, len);
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    double d;

    if (!c) {
        return strtod(text, NULL);
    }
    d = strtod_l(text, NULL, c);
    freelocale(c);
    return d;
}

static int bind_decimal(sqlite3_stmt *stmt, int n, const aur_cell_t *cell, apr_pool_t *p)
{
    apr_int64_t i;

    if (aur_number_valid(cell->v.s, cell->len) && aur_number_to_int(cell->v.s, cell->len, &i)) {
        return sqlite3_bind_int64(stmt, n, i);
    }
    return sqlite3_bind_double(stmt, n, to_double(cell->v.s, cell->len, p));
}

/* Text is bound where it lies: it lives as long as the plan. */
static int bind_cell(sqlite3_stmt *stmt, int n, const aur_cell_t *cell, apr_pool_t *p)
{
    switch (cell->kind) {
    case AUR_V_NULL:
        return sqlite3_bind_null(stmt, n);
    case AUR_V_INT:
    case AUR_V_BOOL:
        return sqlite3_bind_int64(stmt, n, cell->v.i);
    case AUR_V_DOUBLE:
        return sqlite3_bind_double(stmt, n, cell->v.d);
    case AUR_V_DECIMAL:
        return bind_decimal(stmt, n, cell, p);
    case AUR_V_TEXT:
    case AUR_V_DATE:
    case AUR_V_TIMESTAMP:
    case AUR_V_TIMESTAMP_TZ:
        return sqlite3_bind_text64(stmt, n, cell->v.s, cell->len, SQLITE_STATIC, SQLITE_UTF8);
    case AUR_V_BINARY:
        return sqlite3_bind_blob64(stmt, n, cell->v.s, cell->len, SQLITE_STATIC);
    case AUR_V_PIECES: /* never bound */
        break;
    }
    return SQLITE_MISUSE;
}

/* --- columns ---------------------------------------------------------------------------------- */

static const aur_result_column_t *describe(sqlite3_stmt *stmt, int ncolumns, apr_pool_t *p)
{
    aur_result_column_t *columns = apr_pcalloc(p, (apr_size_t)ncolumns * sizeof(*columns));
    int i, comparable;

    for (i = 0; i < ncolumns; i++) {
        const char *name = sqlite3_column_name(stmt, i);
        int type = aur_sqlite_type(sqlite3_column_decltype(stmt, i), &comparable);
        columns[i].name = apr_pstrdup(p, name ? name : "");
        columns[i].display = columns[i].name;
        columns[i].type = type < 0 ? AUR_T_TEXT : (aur_type_e)type;
    }
    return columns;
}

static apr_status_t prepared(aur_cursor_t *cursor, sqlite3_stmt *stmt, aur_error_t *err)
{
    const aur_sql_t *sql = cursor->sql;
    int i, rc;

    if (sqlite3_bind_parameter_count(stmt) != sql->nbinds) {
        return aur_error_set(err, AUR_E_INTERNAL, NULL,
                             "The statement and its values do not belong together.");
    }
    for (i = 0; i < sql->nbinds; i++) {
        rc = bind_cell(stmt, i + 1, &sql->binds[i].cell, cursor->pool);
        if (rc != SQLITE_OK) {
            return aur_sqlite_error(cursor->session, rc, err);
        }
    }
    cursor->ncolumns = sqlite3_column_count(stmt);
    if (sql->ncolumns > 0 && sql->ncolumns != cursor->ncolumns) {
        return aur_error_set(err, AUR_E_INTERNAL, NULL,
                             "The statement has %d columns where %d are expected.",
                             cursor->ncolumns, sql->ncolumns);
    }
    cursor->columns =
        sql->ncolumns > 0 ? sql->columns : describe(stmt, cursor->ncolumns, cursor->pool);
    return APR_SUCCESS;
}

apr_status_t aur_sqlite_cursor_open(aur_cursor_t *cursor, aur_error_t *err)
{
    sqlite3 *db = cursor->session->native;
    rows_t *rows = apr_pcalloc(cursor->pool, sizeof(*rows));
    apr_status_t rv;
    int rc;

    if (cursor->sql->len > INT_MAX - 1) {
        return aur_error_set(err, AUR_E_BAD_REQUEST, NULL, "The query is too long.");
    }
    rc = sqlite3_prepare_v2(db, cursor->sql->text, (int)cursor->sql->len + 1, &rows->stmt, NULL);
    if (rc != SQLITE_OK) {
        return aur_sqlite_error(cursor->session, rc, err);
    }
    rows->mutex = sqlite3_db_mutex(db);
    rv = prepared(cursor, rows->stmt, err);
    if (rv != APR_SUCCESS) {
        sqlite3_finalize(rows->stmt);
        return rv;
    }
    cursor->private = rows;
    return APR_SUCCESS;
}

void aur_sqlite_cursor_close(aur_cursor_t *cursor)
{
    rows_t *rows = cursor->private;

    /* The code repeats the last step's, which was told then. */
    sqlite3_finalize(rows->stmt);
    rows->stmt = NULL;
}

/* --- rows ------------------------------------------------------------------------------------- */

#define DIGIT(i) ((unsigned char)(s[i] - '0') <= 9)
#define PAIR(i)  ((s[i] - '0') * 10 + (s[(i) + 1] - '0'))

static int is_date(const char *s)
{
    return DIGIT(0) && DIGIT(1) && DIGIT(2) && DIGIT(3) && s[4] == '-' && DIGIT(5) && DIGIT(6) &&
           s[7] == '-' && DIGIT(8) && DIGIT(9) && PAIR(5) >= 1 && PAIR(5) <= 12 && PAIR(8) >= 1 &&
           PAIR(8) <= 31;
}

static int is_time(const char *s)
{
    return DIGIT(0) && DIGIT(1) && s[2] == ':' && DIGIT(3) && DIGIT(4) && s[5] == ':' && DIGIT(6) &&
           DIGIT(7) && PAIR(0) <= 23 && PAIR(3) <= 59 && PAIR(6) <= 59;
}

/* Z, +HH, +HHMM or +HH:MM */
static int is_zone(const char *s, apr_size_t len)
{
    if (len == 1) {
        return s[0] == 'Z';
    }
    if (len < 3 || (s[0] != '+' && s[0] != '-') || !DIGIT(1) || !DIGIT(2)) {
        return 0;
    }
    return len == 3 || (len == 5 && DIGIT(3) && DIGIT(4)) ||
           (len == 6 && s[3] == ':' && DIGIT(4) && DIGIT(5));
}

aur_cell_e aur_sqlite_moment(const char *s, apr_size_t len)
{
    apr_size_t i = 19;

    if (len < 10 || !is_date(s)) {
        return AUR_V_TEXT;
    }
    if (len == 10) {
        return AUR_V_DATE;
    }
    if (len < 19 || (s[10] != ' ' && s[10] != 'T') || !is_time(s + 11)) {
        return AUR_V_TEXT;
    }
    if (len > 20 && s[19] == '.') {
        for (i = 20; i < len && i < 29 && DIGIT(i); i++) {
        }
        if (i == 20) {
            return AUR_V_TEXT;
        }
    }
    if (i == len) {
        return AUR_V_TIMESTAMP;
    }
    return is_zone(s + i, len - i) ? AUR_V_TIMESTAMP_TZ : AUR_V_TEXT;
}

static void read_text(aur_cell_t *cell, aur_type_e type)
{
    cell->kind = type == AUR_T_DATE || type == AUR_T_TIMESTAMP || type == AUR_T_TIMESTAMP_TZ
                     ? aur_sqlite_moment(cell->v.s, cell->len)
                     : AUR_V_TEXT;
}

/* Fill the cells by what is stored, which in SQLite may differ from what was declared.
 * @return 0 when SQLite ran out of memory */
static int read_row(aur_cursor_t *cursor, sqlite3_stmt *stmt)
{
    const aur_result_column_t *columns = cursor->columns;
    aur_cell_t *cell = cursor->cells;
    int i, n = cursor->ncolumns;

    for (i = 0; i < n; i++, cell++) {
        sqlite3_value *value = sqlite3_column_value(stmt, i);
        switch (sqlite3_value_type(value)) {
        case SQLITE_INTEGER:
            cell->v.i = sqlite3_value_int64(value);
            cell->len = 0;
            cell->kind = columns[i].type == AUR_T_BOOLEAN && (cell->v.i & ~(apr_int64_t)1) == 0
                             ? AUR_V_BOOL
                             : AUR_V_INT;
            break;
        case SQLITE_FLOAT:
            cell->v.d = sqlite3_value_double(value);
            cell->len = 0;
            cell->kind = AUR_V_DOUBLE;
            break;
        case SQLITE_TEXT:
            cell->v.s = (const char *)sqlite3_value_text(value);
            if (!cell->v.s) {
                return 0;
            }
            cell->len = (apr_size_t)sqlite3_value_bytes(value);
            read_text(cell, columns[i].type);
            break;
        case SQLITE_BLOB:
            cell->v.s = sqlite3_value_blob(value);
            cell->len = (apr_size_t)sqlite3_value_bytes(value);
            cell->kind = AUR_V_BINARY;
            if (!cell->v.s) {
                if (cell->len > 0) {
                    return 0;
                }
                cell->v.s = ""; /* SQLite has no address for an empty blob */
            }
            break;
        default:
            cell->len = 0;
            cell->kind = AUR_V_NULL;
            break;
        }
    }
    return 1;
}

apr_status_t aur_sqlite_cursor_next(aur_cursor_t *cursor, aur_error_t *err)
{
    rows_t *rows = cursor->private;
    int rc;

    sqlite3_mutex_enter(rows->mutex);
    rc = sqlite3_step(rows->stmt);
    if (rc == SQLITE_ROW && !read_row(cursor, rows->stmt)) {
        rc = SQLITE_NOMEM;
    }
    sqlite3_mutex_leave(rows->mutex);
    if (rc == SQLITE_ROW) {
        return APR_SUCCESS;
    }
    return rc == SQLITE_DONE ? APR_EOF : aur_sqlite_error(cursor->session, rc, err);
}
