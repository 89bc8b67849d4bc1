/* discover_sqlite.c - what an SQLite file has to offer: tables, views and virtual tables with their
 * columns. SQLite's own tables and the shadow tables behind virtual ones are left out. */
#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_tables.h>
#include <string.h>
#include <syslog.h>

#include "aurora/sync.h"
#include "sqlite_private.h"

#define SAMPLE_ROWS     50
#define SAMPLE_TIME     apr_time_from_msec(250)  /* for one table or view */
#define SAMPLE_TIME_ALL apr_time_from_msec(3000) /* for all of them */

/* What a sample of an undeclared column has shown. */
enum { SEEN_NUMBER = 1, SEEN_TEXT = 2, SEEN_BLOB = 4 };

typedef struct column_t {
    const char *name, *declared;
    int type; /* aur_type_e; -1: not declared */
    int nullable, comparable, seen;
} column_t;

typedef struct discover_t {
    aur_session_t *session;
    sqlite3 *db;
    aur_catalog_builder_t *builder;
    apr_hash_t *estimates; /* table name -> apr_int64_t */
    apr_array_header_t *names;
    apr_array_header_t *columns; /* of the table at hand: column_t */
    apr_time_t sampled;          /* spent on samples so far */
    int analyzed;                /* ANALYZE has left its table */
    apr_pool_t *p;               /* for the whole discovery */
    apr_pool_t *table_pool;      /* for the table at hand */
} discover_t;

typedef struct name_t {
    const char *name;
    int is_view;
} name_t;

/* --- types ------------------------------------------------------------------------------------ */

static int has(const char *declared, const char *word)
{
    apr_size_t len = strlen(word);

    for (; *declared; declared++) {
        if (!strncasecmp(declared, word, len)) {
            return 1;
        }
    }
    return 0;
}

/* Words are looked for in this order, as SQLite's own affinity rules do: the first one decides. */
static const struct {
    const char *word;
    aur_type_e type;
} words[] = {
    {"INT", AUR_T_NUMBER},         {"REAL", AUR_T_NUMBER},  {"FLOA", AUR_T_NUMBER},
    {"DOUB", AUR_T_NUMBER},        {"NUM", AUR_T_NUMBER},   {"DEC", AUR_T_NUMBER},
    {"MONEY", AUR_T_NUMBER},       {"CHAR", AUR_T_TEXT},    {"CLOB", AUR_T_TEXT},
    {"TEXT", AUR_T_TEXT},          {"STRING", AUR_T_TEXT},  {"UUID", AUR_T_TEXT},
    {"JSON", AUR_T_TEXT},          {"BOOL", AUR_T_BOOLEAN}, {"TIMESTAMP", AUR_T_TIMESTAMP},
    {"DATETIME", AUR_T_TIMESTAMP}, {"DATE", AUR_T_DATE},    {"BLOB", AUR_T_BINARY},
    {"BINARY", AUR_T_BINARY},      {"BYTE", AUR_T_BINARY},
};

int aur_sqlite_type(const char *declared, int *comparable)
{
    apr_size_t i;
    aur_type_e type = AUR_T_TEXT;

    *comparable = 1;
    if (!declared || !*declared || !strcasecmp(declared, "ANY")) {
        return -1;
    }
    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (has(declared, words[i].word)) {
            type = words[i].type;
            break;
        }
    }
    if (type == AUR_T_TIMESTAMP && (has(declared, "TIMESTAMPTZ") || has(declared, "WITH TIME") ||
                                    has(declared, "WITH LOCAL"))) {
        type = AUR_T_TIMESTAMP_TZ;
    }
    *comparable = type != AUR_T_BINARY;
    return (int)type;
}

/* --- reading the schema ----------------------------------------------------------------------- */

typedef void row_fn(discover_t *d, sqlite3_stmt *stmt);

/* Run text, with name as its only value where it has one. @return SQLite's code, OK at the end */
static int each_row(discover_t *d, const char *text, const char *name, row_fn *fn)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(d->db, text, -1, &stmt, NULL);

    if (rc == SQLITE_OK && name) {
        rc = sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
    }
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(stmt);
        if (rc == SQLITE_ROW) {
            fn(d, stmt);
        }
    }
    sqlite3_finalize(stmt);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static const char *column_text(sqlite3_stmt *stmt, int i, apr_pool_t *p)
{
    const char *text = (const char *)sqlite3_column_text(stmt, i);
    return apr_pstrdup(p, text ? text : "");
}

static void add_name(discover_t *d, sqlite3_stmt *stmt)
{
    name_t *name = apr_array_push(d->names);

    name->name = column_text(stmt, 0, d->p);
    name->is_view = !strcmp((const char *)sqlite3_column_text(stmt, 1), "view");
}

static void add_estimate(discover_t *d, sqlite3_stmt *stmt)
{
    const char *table = column_text(stmt, 0, d->p);
    apr_int64_t rows = sqlite3_column_int64(stmt, 1);
    apr_int64_t *known = apr_hash_get(d->estimates, table, APR_HASH_KEY_STRING);

    if (rows < 0) {
        return;
    }
    if (!known) {
        known = apr_palloc(d->p, sizeof(*known));
        *known = rows;
        apr_hash_set(d->estimates, table, APR_HASH_KEY_STRING, known);
    }
    else if (rows > *known) {
        *known = rows; /* a partial index counts fewer rows than its table has */
    }
}

static void mark_analyzed(discover_t *d, sqlite3_stmt *stmt)
{
    d->analyzed = 1;
}

/* ANALYZE's first figure is the table's number of rows: the cast reads up to the first blank. */
static int read_estimates(discover_t *d)
{
    int rc =
        each_row(d, "SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'", NULL, mark_analyzed);

    if (rc != SQLITE_OK || !d->analyzed) {
        return rc;
    }
    return each_row(d, "SELECT tbl, CAST(stat AS INTEGER) FROM sqlite_stat1", NULL, add_estimate);
}

static int read_names(discover_t *d)
{
    if (sqlite3_libversion_number() >= 3037000) {
        return each_row(
            d,
            "SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND type IN "
            "('table', 'view', 'virtual') AND substr(name, 1, 7) <> 'sqlite_' "
            "ORDER BY name",
            NULL, add_name);
    }
    return each_row(d,
                    "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view') "
                    "AND substr(name, 1, 7) <> 'sqlite_' ORDER BY name",
                    NULL, add_name);
}

static void add_column(discover_t *d, sqlite3_stmt *stmt)
{
    column_t *column;

    if (sqlite3_column_int(stmt, 4) == 1) {
        return; /* a virtual table's hidden argument, not a column; generated columns are 2 and 3 */
    }
    column = apr_array_push(d->columns);
    memset(column, 0, sizeof(*column));
    column->name = column_text(stmt, 0, d->table_pool);
    column->declared = column_text(stmt, 1, d->table_pool);
    column->nullable = !sqlite3_column_int(stmt, 2) && !sqlite3_column_int(stmt, 3);
    column->type = aur_sqlite_type(column->declared, &column->comparable);
}

/* --- samples of undeclared columns -------------------------------------------------------------- */

static void look(discover_t *d, sqlite3_stmt *stmt)
{
    column_t *columns = (column_t *)d->columns->elts;
    int i, n;

    for (i = 0, n = 0; i < d->columns->nelts; i++) {
        const char *type;
        if (columns[i].type >= 0) {
            continue;
        }
        type = (const char *)sqlite3_column_text(stmt, n++);
        if (!type) {
            continue;
        }
        if (!strcmp(type, "integer") || !strcmp(type, "real")) {
            columns[i].seen |= SEEN_NUMBER;
        }
        else if (!strcmp(type, "text")) {
            columns[i].seen |= SEEN_TEXT;
        }
        else if (!strcmp(type, "blob")) {
            columns[i].seen |= SEEN_BLOB;
        }
    }
}

/* SELECT typeof(t."a"), … of the undeclared columns; NULL when there are none. */
static char *sample_text(discover_t *d, const char *table)
{
    const column_t *columns = (const column_t *)d->columns->elts;
    sqlite3_str *text = sqlite3_str_new(d->db);
    int i, n = 0;

    for (i = 0; i < d->columns->nelts; i++) {
        if (columns[i].type < 0) {
            sqlite3_str_appendf(text, "%s typeof(t.\"%w\")", n++ ? "," : "SELECT", columns[i].name);
        }
    }
    sqlite3_str_appendf(text, " FROM \"%w\" t LIMIT %d", table, SAMPLE_ROWS);
    if (n == 0) {
        sqlite3_free(sqlite3_str_finish(text));
        return NULL;
    }
    return sqlite3_str_finish(text);
}

/* Run out of time is no failure: what has been seen by then decides. */
static int sample(discover_t *d, const char *table)
{
    aur_sqlite_t *s = d->session->private;
    apr_time_t start = aur_clock();
    char *text = sample_text(d, table);
    int rc = SQLITE_OK;

    if (text && d->sampled < SAMPLE_TIME_ALL) {
        s->deadline = start + SAMPLE_TIME;
        rc = each_row(d, text, NULL, look);
        s->deadline = 0;
        d->sampled += aur_clock() - start;
        if ((rc & 0xff) == SQLITE_INTERRUPT && !aur_session_cancelled(d->session)) {
            rc = SQLITE_OK;
        }
    }
    sqlite3_free(text);
    return rc;
}

static void settle(column_t *column)
{
    if (column->type >= 0) {
        return;
    }
    if (column->seen == SEEN_NUMBER) {
        column->type = AUR_T_NUMBER;
    }
    else if (column->seen == SEEN_BLOB) {
        column->type = AUR_T_BINARY;
        column->comparable = 0;
    }
    else {
        column->type = AUR_T_TEXT;
    }
}

/* --- one table ---------------------------------------------------------------------------------- */

static int read_table(discover_t *d, const name_t *name)
{
    const apr_int64_t *estimate;
    column_t *columns;
    int i, rc;

    d->columns = apr_array_make(d->table_pool, 16, sizeof(column_t));
    rc = each_row(d, "SELECT name, type, \"notnull\", pk, hidden FROM pragma_table_xinfo(?)",
                  name->name, add_column);
    if (rc == SQLITE_OK) {
        rc = sample(d, name->name);
    }
    if (rc != SQLITE_OK || d->columns->nelts == 0) {
        return rc;
    }
    estimate = apr_hash_get(d->estimates, name->name, APR_HASH_KEY_STRING);
    aur_catalog_add_table(d->builder, NULL, name->name, name->is_view, estimate ? *estimate : -1);
    columns = (column_t *)d->columns->elts;
    for (i = 0; i < d->columns->nelts; i++) {
        settle(&columns[i]);
        aur_catalog_add_column(d->builder, columns[i].name, columns[i].declared,
                               (aur_type_e)columns[i].type, columns[i].nullable,
                               columns[i].comparable);
    }
    return SQLITE_OK;
}

static apr_status_t read_tables(discover_t *d, aur_error_t *err)
{
    const name_t *names = (const name_t *)d->names->elts;
    int i, rc;

    for (i = 0; i < d->names->nelts; i++) {
        apr_pool_clear(d->table_pool);
        rc = read_table(d, &names[i]);
        /* A view on a table that is gone, a virtual table whose module is not there: the
         * others are still worth having. */
        if ((rc & 0xff) == SQLITE_ERROR) {
            d->session->log(d->session->log_ctx, LOG_WARNING, APR_SUCCESS,
                            "%s is left out of the catalogue: %s", names[i].name,
                            sqlite3_errmsg(d->db));
        }
        else if (rc != SQLITE_OK) {
            return aur_sqlite_error(d->session, rc, err);
        }
    }
    return APR_SUCCESS;
}

apr_status_t aur_sqlite_discover(aur_catalog_builder_t *builder, aur_session_t *session,
                                 aur_error_t *err, apr_pool_t *p)
{
    discover_t d = {.session = session, .db = session->native, .builder = builder, .p = p};
    apr_status_t rv;
    int rc;

    d.estimates = apr_hash_make(p);
    d.names = apr_array_make(p, 64, sizeof(name_t));
    if ((rc = read_estimates(&d)) != SQLITE_OK || (rc = read_names(&d)) != SQLITE_OK) {
        return aur_sqlite_error(session, rc, err);
    }
    rv = apr_pool_create(&d.table_pool, p);
    if (rv != APR_SUCCESS) {
        return aur_error_set(err, AUR_E_INTERNAL, NULL, "The server is out of memory.");
    }
    rv = read_tables(&d, err);
    apr_pool_destroy(d.table_pool);
    return rv;
}
