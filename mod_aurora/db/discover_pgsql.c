/* discover_pgsql.c - what a PostgreSQL database has to offer, from pg_catalog: tables, views, materialised
 * views, partitioned and foreign tables that this role may read, with the columns it may read; and how many
 * rows the planner expects of a statement. Partitions stand behind their parent. */
#include <apr_strings.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "aurora/number.h"
#include "aurora/sql_text.h"
#include "pgsql_private.h"

/* A partitioned table's own estimate is set by a manual ANALYZE only, so its partitions' are added up. */
#define TABLES                                                                                     \
    "SELECT c.oid, n.nspname, c.relname, c.relkind, CASE "                                         \
    "WHEN c.relkind = 'v' THEN -1 "                                                                \
    "WHEN c.relkind = 'p' AND c.reltuples <= 0 THEN (WITH RECURSIVE part AS ("                     \
    "SELECT inhrelid FROM pg_catalog.pg_inherits WHERE inhparent = c.oid UNION ALL "               \
    "SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN part p ON i.inhparent = p.inhrelid) "    \
    "SELECT coalesce(sum(l.reltuples) FILTER (WHERE l.reltuples > 0), -1) "                        \
    "FROM part p JOIN pg_catalog.pg_class l ON l.oid = p.inhrelid) "                               \
    "WHEN c.reltuples = 0 AND c.relpages = 0 AND c.relkind <> 'f' THEN "                           \
    "CASE WHEN pg_catalog.pg_relation_size(c.oid) = 0 THEN 0 ELSE -1 END "                         \
    "ELSE c.reltuples END::bigint AS estimate, "                                                   \
    "pg_catalog.has_table_privilege(c.oid, 'SELECT') AS whole "                                    \
    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "         \
    "WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition "                       \
    "AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' "                               \
    "AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') "                                         \
    "AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT')"

/* A domain is what it stands on (two levels deep; beyond that it shows its name). A type can be compared
 * where it has an order: its own, its elements', or the one that all of its kind have. */
#define COLUMNS_HEAD                                                                               \
    "SELECT t.nspname, t.relname, t.relkind IN ('v', 'm'), t.estimate, a.attname, "                \
    "pg_catalog.format_type(b.oid, CASE WHEN y.typtype = 'd' THEN CASE WHEN d.typtype = 'd' "      \
    "THEN d.typtypmod ELSE y.typtypmod END ELSE a.atttypmod END), b.oid, NOT a.attnotnull, "       \
    "b.typtype IN ('e', 'r', 'm') OR b.oid = 'pg_catalog.varchar'::pg_catalog.regtype OR EXISTS (" \
    "SELECT 1 FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod "        \
    "WHERE m.amname = 'btree' AND o.opcdefault AND o.opcintype IN (b.oid, "                        \
    "CASE WHEN b.typcategory = 'A' THEN CASE b.typelem WHEN "                                      \
    "'pg_catalog.varchar'::pg_catalog.regtype "                                                    \
    "THEN 'pg_catalog.text'::pg_catalog.regtype ELSE b.typelem END END)) "                         \
    "FROM ("
#define COLUMNS_TAIL                                                                               \
    " OFFSET 0) t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 "          \
    "AND NOT a.attisdropped AND (t.whole OR pg_catalog.has_column_privilege(t.oid, a.attnum, "     \
    "'SELECT')) "                                                                                  \
    "JOIN pg_catalog.pg_type y ON y.oid = a.atttypid "                                             \
    "LEFT JOIN pg_catalog.pg_type d ON y.typtype = 'd' AND d.oid = y.typbasetype "                 \
    "LEFT JOIN pg_catalog.pg_type e ON d.typtype = 'd' AND e.oid = d.typbasetype "                 \
    "JOIN pg_catalog.pg_type b ON b.oid = coalesce(e.oid, d.oid, y.oid) "                          \
    "ORDER BY t.nspname, t.relname, a.attnum"

enum { SCHEMA, TABLE, IS_VIEW, ESTIMATE, COLUMN, DATA_TYPE, TYPE, NULLABLE, COMPARABLE, NFIELDS };

static const aur_sql_t *discover_sql(const aur_db_settings_t *settings, apr_pool_t *p)
{
    aur_sql_buf_t *q = aur_sql_buf_create(aur_dialect_get("pgsql"), p);
    int i;

    aur_sql_text(q, COLUMNS_HEAD TABLES);
    for (i = 0; settings->schemas && settings->schemas[i]; i++) {
        aur_cell_t name = {.kind = AUR_V_TEXT, .len = strlen(settings->schemas[i])};
        name.v.s = settings->schemas[i];
        if (i == 0) {
            aur_sql_text(q, " AND pg_catalog.lower(n.nspname) IN (");
        }
        else {
            aur_sql_text(q, ", ");
        }
        aur_sql_text(q, "pg_catalog.lower(");
        aur_sql_bind(q, &name, AUR_T_TEXT);
        aur_sql_text(q, ")");
    }
    if (i > 0) {
        aur_sql_text(q, ")");
    }
    aur_sql_text(q, COLUMNS_TAIL);
    return aur_sql_buf_finish(q);
}

/* The last table's names, to see where the next one begins. */
typedef struct {
    char *schema, *table;
    apr_pool_t *p;
} last_t;

static int is_same_table(const last_t *last, const char *schema, const char *table)
{
    return last->table && !strcmp(last->schema, schema) && !strcmp(last->table, table);
}

static void add_row(aur_catalog_builder_t *builder, const PGresult *row, last_t *last)
{
    const char *field[NFIELDS];
    apr_int64_t estimate;
    aur_type_e type;
    int i;

    for (i = 0; i < NFIELDS; i++) {
        field[i] = PQgetvalue(row, 0, i);
    }
    if (!is_same_table(last, field[SCHEMA], field[TABLE])) {
        apr_pool_clear(last->p);
        last->schema = apr_pstrdup(last->p, field[SCHEMA]);
        last->table = apr_pstrdup(last->p, field[TABLE]);
        if (!aur_number_to_int(field[ESTIMATE], strlen(field[ESTIMATE]), &estimate)) {
            estimate = -1;
        }
        aur_catalog_add_table(builder, last->schema, last->table, field[IS_VIEW][0] == 't',
                              estimate < 0 ? -1 : estimate);
    }
    type = aur_pgsql_type((Oid)strtoul(field[TYPE], NULL, 10));
    aur_catalog_add_column(builder, field[COLUMN], field[DATA_TYPE], type,
                           field[NULLABLE][0] == 't',
                           type != AUR_T_BINARY && field[COMPARABLE][0] == 't');
}

apr_status_t aur_pgsql_discover(aur_catalog_builder_t *builder, aur_session_t *session,
                                aur_error_t *err, apr_pool_t *p)
{
    aur_pgsql_t *s = session->private;
    last_t last = {0};
    PGresult *row;
    apr_status_t rv = aur_pgsql_start(&row, session, discover_sql(session->settings, p), 0, err, p);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    apr_pool_create(&last.p, p);
    while (PQresultStatus(row) == PGRES_SINGLE_TUPLE) {
        add_row(builder, row, &last);
        PQclear(row);
        row = aur_pgsql_result(s);
    }
    if (PQresultStatus(row) != PGRES_TUPLES_OK) {
        rv = aur_pgsql_error(session, row, err);
        aur_pgsql_settle(s, NULL);
    }
    else {
        rv = aur_pgsql_settle(s, err);
    }
    PQclear(row);
    apr_pool_destroy(last.p);
    return rv;
}

/* --- the planner's estimate ------------------------------------------------------------------------- */

/* [{"Plan": {"Plan Rows": n, …}}] */
static apr_status_t plan_rows(apr_int64_t *rows, const PGresult *result, aur_error_t *err)
{
    const char *text = PQntuples(result) == 1 ? PQgetvalue(result, 0, 0) : "";
    json_t *plans = json_loads(text, 0, NULL);
    const json_t *figure =
        json_object_get(json_object_get(json_array_get(plans, 0), "Plan"), "Plan Rows");
    double n = json_number_value(figure);
    int known = json_is_number(figure) && n >= 0;

    json_decref(plans);
    if (!known) {
        return aur_error_set(err, AUR_E_DATABASE_ERROR, NULL,
                             "The database gave no estimate for the query.");
    }
    *rows = n < 9e18 ? (apr_int64_t)n : APR_INT64_MAX;
    return APR_SUCCESS;
}

apr_status_t aur_pgsql_explain(apr_int64_t *rows, aur_session_t *session, const aur_sql_t *sql,
                               aur_error_t *err, apr_pool_t *p)
{
    aur_pgsql_t *s = session->private;
    aur_sql_t explain = *sql;
    PGresult *result;
    apr_status_t rv;

    explain.text = apr_pstrcat(p, "EXPLAIN (FORMAT JSON) ", sql->text, NULL);
    explain.len = strlen(explain.text);
    /* as often as the query itself: the gate asks for each preview's plan */
    rv = aur_pgsql_start(&result, session, &explain, 1, err, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = plan_rows(rows, result, err);
    PQclear(result);
    if (rv == APR_SUCCESS) {
        return aur_pgsql_settle(s, err);
    }
    aur_pgsql_settle(s, NULL);
    return rv;
}
