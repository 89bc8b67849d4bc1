/* discover_dbd.c - what a database has to offer, from its information_schema: tables and views that this
 * user may read, with their columns. A database without one (Oracle or SQLite behind ODBC) cannot be
 * discovered this way.
 *
 * MariaDB and MySQL: a text column's data_type ends with its collation, because the dialect has to know
 * it; columns that may be written but not read are left out. */
#include <apr_strings.h>
#include <apr_tables.h>
#include <string.h>

#include "dbd_private.h"

enum { SCHEMA, TABLE, KIND, ESTIMATE, COLUMN, DATA_TYPE, TYPE, NULLABLE, COLLATION };

#define MYSQL_COLUMNS                                                                              \
    "SELECT c.TABLE_SCHEMA, c.TABLE_NAME, t.TABLE_TYPE, t.TABLE_ROWS, c.COLUMN_NAME, "             \
    "c.COLUMN_TYPE, c.DATA_TYPE, c.IS_NULLABLE, c.COLLATION_NAME "                                 \
    "FROM information_schema.COLUMNS c JOIN information_schema.TABLES t "                          \
    "ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME "                          \
    "WHERE t.TABLE_TYPE <> 'SEQUENCE' AND FIND_IN_SET('select', c.PRIVILEGES) > 0 "                \
    "AND c.TABLE_SCHEMA "
#define MYSQL_SYSTEM "NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')"
#define MYSQL_ORDER  " ORDER BY c.TABLE_SCHEMA, c.TABLE_NAME, c.ORDINAL_POSITION"

#define ANSI_COLUMNS                                                                               \
    "SELECT c.table_schema, c.table_name, t.table_type, -1, c.column_name, c.data_type, "          \
    "c.data_type, c.is_nullable, '' "                                                              \
    "FROM information_schema.columns c JOIN information_schema.tables t "                          \
    "ON t.table_schema = c.table_schema AND t.table_name = c.table_name WHERE c.table_schema "
#define ANSI_SYSTEM                                                                                \
    "NOT IN ('information_schema', 'INFORMATION_SCHEMA', 'pg_catalog', 'mysql', "                  \
    "'performance_schema', 'sys')"
#define ANSI_ORDER " ORDER BY c.table_schema, c.table_name, c.ordinal_position"

/* --- types ---------------------------------------------------------------------------------------- */

/* By the first word of the type, in small letters. What is not here is shown as the text it gives. */
static const struct {
    const char *word;
    aur_type_e type;
    int comparable;
} types[] = {
    {"tinyint", AUR_T_NUMBER, 1},        {"smallint", AUR_T_NUMBER, 1},
    {"mediumint", AUR_T_NUMBER, 1},      {"int", AUR_T_NUMBER, 1},
    {"integer", AUR_T_NUMBER, 1},        {"bigint", AUR_T_NUMBER, 1},
    {"decimal", AUR_T_NUMBER, 1},        {"numeric", AUR_T_NUMBER, 1},
    {"float", AUR_T_NUMBER, 1},          {"double", AUR_T_NUMBER, 1},
    {"real", AUR_T_NUMBER, 1},           {"money", AUR_T_NUMBER, 1},
    {"smallmoney", AUR_T_NUMBER, 1},     {"year", AUR_T_NUMBER, 1},
    {"number", AUR_T_NUMBER, 1},         {"date", AUR_T_DATE, 1},
    {"datetime", AUR_T_TIMESTAMP, 1},    {"datetime2", AUR_T_TIMESTAMP, 1},
    {"boolean", AUR_T_BOOLEAN, 1},       {"bool", AUR_T_BOOLEAN, 1},
    {"binary", AUR_T_BINARY, 0},         {"varbinary", AUR_T_BINARY, 0},
    {"tinyblob", AUR_T_BINARY, 0},       {"blob", AUR_T_BINARY, 0},
    {"mediumblob", AUR_T_BINARY, 0},     {"longblob", AUR_T_BINARY, 0},
    {"image", AUR_T_BINARY, 0},          {"bytea", AUR_T_BINARY, 0},
    {"geometry", AUR_T_BINARY, 0},       {"point", AUR_T_BINARY, 0},
    {"linestring", AUR_T_BINARY, 0},     {"polygon", AUR_T_BINARY, 0},
    {"multipoint", AUR_T_BINARY, 0},     {"multilinestring", AUR_T_BINARY, 0},
    {"multipolygon", AUR_T_BINARY, 0},   {"geometrycollection", AUR_T_BINARY, 0},
    {"geomcollection", AUR_T_BINARY, 0}, {"vector", AUR_T_BINARY, 0},
};

static aur_type_e by_word(const char *word, apr_size_t len, int *comparable)
{
    apr_size_t i;

    *comparable = 1;
    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strlen(types[i].word) == len && !strncasecmp(types[i].word, word, len)) {
            *comparable = types[i].comparable;
            return types[i].type;
        }
    }
    return AUR_T_TEXT;
}

static aur_type_e mysql_type(const char *const *f, int *comparable)
{
    const char *whole = f[DATA_TYPE], *word = f[TYPE];

    *comparable = 1;
    if (!strncmp(whole, "tinyint(1)", 10) || !strcmp(whole, "bit(1)")) {
        return AUR_T_BOOLEAN;
    }
    if (!strcmp(word, "bit")) {
        return AUR_T_NUMBER;
    }
    if (!strcmp(word, "timestamp")) {
        return AUR_T_TIMESTAMP_TZ; /* an instant, and the session's zone is UTC */
    }
    return by_word(word, strlen(word), comparable);
}

static aur_type_e ansi_type(const char *word, int *comparable)
{
    *comparable = 1;
    if (!strncasecmp(word, "timestamp", 9)) {
        return strstr(word, "with time") || strstr(word, "WITH TIME") ? AUR_T_TIMESTAMP_TZ
                                                                      : AUR_T_TIMESTAMP;
    }
    if (!strcasecmp(word, "datetimeoffset")) {
        return AUR_T_TIMESTAMP_TZ;
    }
    return by_word(word, strcspn(word, " ("), comparable);
}

/* --- reading -------------------------------------------------------------------------------------- */

typedef struct reader_t {
    aur_catalog_builder_t *builder;
    int mysql;
    const char *schema, *table; /* started last */
    apr_pool_t *p;
} reader_t;

static void start_table(reader_t *reader, const char *const *f)
{
    int is_view = strstr(f[KIND], "VIEW") != NULL;
    apr_int64_t rows = reader->mysql && !is_view && *f[ESTIMATE] ? apr_atoi64(f[ESTIMATE]) : -1;

    if (reader->schema && !strcmp(reader->schema, f[SCHEMA]) && !strcmp(reader->table, f[TABLE])) {
        return;
    }
    reader->schema = apr_pstrdup(reader->p, f[SCHEMA]);
    reader->table = apr_pstrdup(reader->p, f[TABLE]);
    aur_catalog_add_table(reader->builder, reader->schema, reader->table, is_view, rows);
}

static void add_column(void *ctx, const char *const *f)
{
    reader_t *reader = ctx;
    const char *data_type = f[DATA_TYPE];
    aur_type_e type;
    int comparable;

    start_table(reader, f);
    type = reader->mysql ? mysql_type(f, &comparable) : ansi_type(f[TYPE], &comparable);
    if (reader->mysql && type == AUR_T_TEXT && *f[COLLATION]) {
        data_type = apr_pstrcat(reader->p, data_type, " COLLATE ", f[COLLATION], NULL);
    }
    aur_catalog_add_column(reader->builder, f[COLUMN], data_type, type,
                           strncasecmp(f[NULLABLE], "NO", 2) != 0, comparable);
}

/* The statement: head, the schemas asked for as values or else what is not the server's own, order. */
static aur_sql_t columns_sql(const aur_session_t *session, int mysql, apr_pool_t *p)
{
    const char *const *schemas = session->settings->schemas;
    const char *which = mysql ? MYSQL_SYSTEM : ANSI_SYSTEM;
    apr_array_header_t *binds = apr_array_make(p, 8, sizeof(aur_bind_t));
    aur_sql_t sql = {.ncolumns = 0};
    int i;

    for (i = 0; schemas && schemas[i]; i++) {
        aur_bind_t bind = {.type = AUR_T_TEXT,
                           .cell = {.kind = AUR_V_TEXT, .len = strlen(schemas[i])}};
        bind.cell.v.s = schemas[i];
        APR_ARRAY_PUSH(binds, aur_bind_t) = bind;
        which = i == 0 ? "IN (%s" : apr_pstrcat(p, which, ", %s", NULL);
    }
    sql.text = apr_pstrcat(p, mysql ? MYSQL_COLUMNS : ANSI_COLUMNS, which, i > 0 ? ")" : "",
                           mysql ? MYSQL_ORDER : ANSI_ORDER, NULL);
    sql.len = strlen(sql.text);
    sql.nbinds = binds->nelts;
    sql.binds = (const aur_bind_t *)binds->elts;
    return sql;
}

apr_status_t aur_dbd_discover(aur_catalog_builder_t *builder, aur_session_t *session,
                              aur_error_t *err, apr_pool_t *p)
{
    const aur_dbd_t *d = session->private;
    reader_t reader = {.builder = builder, .mysql = d->kind == AUR_DBD_MYSQL, .p = p};
    const aur_sql_t sql = columns_sql(session, reader.mysql, p);

    return aur_dbd_each(session, &sql, add_column, &reader, err, p);
}
