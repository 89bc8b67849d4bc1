/* request.c - any body as a request: parsed, planned against a fixed catalogue, built for every dialect. What
 * becomes a statement consists of words of ours, of names from the catalogue in quotes and of placeholders;
 * SQLite must be able to prepare it. What is refused says why, at a place that exists. */
#include <apr_strings.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "aurora/datetime.h"
#include "aurora/number.h"
#include "aurora/query.h"
#include "aurora/sql.h"
#include "lib/fixture.h"
#include "lib/fuzz.h"
#include "lib/sql_tokens.h"
#include "lib/utf8_rules.h"

static const aur_catalog_t *catalog;
static sqlite3 *db;

static void fold(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    sqlite3_result_value(ctx, argv[0]);
}

static void prepare_once(void)
{
    apr_pool_t *p = fuzz_forever();
    aur_catalog_file_t *file;
    aur_error_t err;

    if (catalog) {
        return;
    }
    aur_error_clear(&err);
    FUZZ_CHECK(aur_catalog_file_parse(&file, fixture_file, strlen(fixture_file), &err, p) ==
                   APR_SUCCESS,
               "%s", err.detail);
    catalog = aur_catalog_build(fixture_tables(p), file, NULL);
    FUZZ_CHECK(aur_catalog_count(catalog) == 5, "%d datasets", aur_catalog_count(catalog));
    FUZZ_CHECK(sqlite3_open(":memory:", &db) == SQLITE_OK, "no SQLite");
    FUZZ_CHECK(sqlite3_exec(db, fixture_sqlite, NULL, NULL, NULL) == SQLITE_OK, "%s",
               sqlite3_errmsg(db));
    FUZZ_CHECK(sqlite3_create_function(db, "aurora_fold", 1, SQLITE_UTF8, NULL, fold, NULL, NULL) ==
                   SQLITE_OK,
               "%s", sqlite3_errmsg(db));
}

/* --- what a statement consists of ---------------------------------------------------------------- */

static int is_alias(const char *word)
{
    apr_size_t n = strspn(word + 1, "0123456789_");

    return strchr("tcfq", *word) && !word[n + 1];
}

static int is_word(const char *word)
{
    static const char *const words =
        " SELECT AS FROM WHERE AND OR NOT IN IS NULL LIKE ESCAPE BETWEEN JOIN LEFT RIGHT FULL ON "
        "GROUP BY HAVING"
        " ORDER DESC NULLS FIRST LAST LIMIT OFFSET FETCH ROWS ONLY CASE WHEN THEN ELSE END UNION "
        "ALL EXISTS DISTINCT"
        " CAST CONVERT USING utf8mb4 BINARY COLLATE utf8mb4_unicode_520_ci LOWER LOCATE LENGTH "
        "DATE DATETIME DECIMAL"
        " DOUBLE PRECISION"
        " sum avg count min max instr substr length aurora_fold lower replace false true bigint "
        "numeric date timestamp"
        " timestamptz boolean bytea text uuid bpchar pg_catalog inet_out ";
    const char *found = strstr(words, word);

    for (; found; found = strstr(found + 1, word)) {
        if (found[-1] == ' ' && found[strlen(word)] == ' ') {
            return 1;
        }
    }
    return is_alias(word);
}

static int is_string(const char *text)
{
    static const char *const strings[] = {"", "|", "%", "_", "\\", "\\\\", "\\%", "\\_"};
    apr_size_t i;

    for (i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        if (!strcmp(text, strings[i])) {
            return 1;
        }
    }
    return 0;
}

static void check_tokens(const sql_tokens_t *tokens, const char *text)
{
    int i;

    for (i = 0; i < tokens->n; i++) {
        const sql_token_t *t = &tokens->t[i];
        if (t->is == SQL_WORD) {
            FUZZ_CHECK(is_word(t->text), "%s is no word of ours: %s", t->text, text);
        }
        else if (t->is == SQL_STRING) {
            FUZZ_CHECK(is_string(t->text), "'%s' is no text of ours: %s", t->text, text);
        }
        else if (t->is == SQL_NAME) {
            FUZZ_CHECK(fixture_has_name(t->text), "%s is no name of the catalogue", t->text);
        }
    }
}

static void check_bind(const aur_bind_t *bind)
{
    const aur_cell_t *c = &bind->cell;
    aur_datetime_t dt;

    switch (bind->type) {
    case AUR_T_NUMBER:
        FUZZ_CHECK(c->kind == AUR_V_INT ||
                       (c->kind == AUR_V_DECIMAL && aur_number_valid(c->v.s, c->len)),
                   "a number that is none");
        break;
    case AUR_T_DATE:
        FUZZ_CHECK(c->kind == AUR_V_DATE && aur_datetime_parse(&dt, c->v.s, c->len) && !dt.has_time,
                   "a date that is none");
        break;
    case AUR_T_TIMESTAMP:
    case AUR_T_TIMESTAMP_TZ:
        FUZZ_CHECK(c->kind == AUR_V_TIMESTAMP && aur_datetime_parse(&dt, c->v.s, c->len) &&
                       dt.has_time && !dt.has_zone,
                   "a timestamp that is none: %.*s", (int)c->len, c->v.s);
        break;
    case AUR_T_BOOLEAN:
        FUZZ_CHECK(c->kind == AUR_V_BOOL && (c->v.i == 0 || c->v.i == 1), "neither true nor false");
        break;
    default:
        FUZZ_CHECK(c->kind == AUR_V_TEXT && utf8_whole(c->v.s, c->len) &&
                       !memchr(c->v.s, '\0', c->len),
                   "a text that is none");
        break;
    }
}

/* --- steps --------------------------------------------------------------------------------------- */

static void check_prepares(const aur_sql_t *sql)
{
    sqlite3_stmt *stmt = NULL;
    const char *rest = "";
    int rc = sqlite3_prepare_v2(db, sql->text, (int)sql->len + 1, &stmt, &rest);

    FUZZ_CHECK(rc == SQLITE_OK && stmt && !*rest, "SQLite: %s: %s", sqlite3_errmsg(db), sql->text);
    FUZZ_CHECK(sqlite3_bind_parameter_count(stmt) == sql->nbinds, "%d binds: %s", sql->nbinds,
               sql->text);
    FUZZ_CHECK(!sql->ncolumns || sqlite3_column_count(stmt) == sql->ncolumns, "%d columns: %s",
               sql->ncolumns, sql->text);
    FUZZ_CHECK(sqlite3_stmt_readonly(stmt), "it writes: %s", sql->text);
    sqlite3_finalize(stmt);
}

static void build(const char *driver, const aur_plan_t *plan, aur_sql_e kind, apr_pool_t *p)
{
    aur_error_t err;
    aur_sql_t *sql;
    int i;

    aur_error_clear(&err);
    if (aur_sql_build(&sql, aur_dialect_get(driver), plan, kind, &err, p) != APR_SUCCESS) {
        fuzz_check_error(&err, NULL, 0);
        FUZZ_CHECK(err.code == AUR_E_BAD_REQUEST, "%s", err.detail);
        return;
    }
    check_tokens(sql_tokens(driver, sql, p), sql->text);
    for (i = 0; i < sql->nbinds; i++) {
        check_bind(&sql->binds[i]);
    }
    if (!strcmp(driver, "sqlite3")) {
        check_prepares(sql);
    }
}

static void check_plan(const aur_plan_t *plan)
{
    int i;

    FUZZ_CHECK(plan->ntables > 0 && plan->noutputs > 0, "a plan of nothing");
    FUZZ_CHECK(plan->limit >= 1 && plan->offset >= 0, "limit or offset");
    for (i = 0; i < plan->noutputs; i++) {
        const aur_plan_output_t *o = &plan->outputs[i];
        FUZZ_CHECK(o->aggregation < plan->naggregations, "no such aggregation");
        FUZZ_CHECK(plan->columns[i].name &&
                       utf8_whole(plan->columns[i].name, strlen(plan->columns[i].name)),
                   "a column's name");
        /* what the catalogue hides is never shown */
        FUZZ_CHECK(o->aggregation >= 0 ||
                       o->column.column < plan->tables[o->column.table].dataset->ncolumns,
                   "a hidden column comes out");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_in_t in = {data, size};
    apr_pool_t *p = fuzz_pool();
    char *body = malloc(size ? size : 1);
    aur_query_t *query = NULL;
    aur_plan_t *plan = NULL;
    aur_error_t err;
    apr_status_t rv;
    int i;

    prepare_once();
    if (size > 0) {
        memcpy(body, data, size);
    }
    aur_error_clear(&err);
    rv = aur_query_parse(&query, body, size, &err, p);
    free(body); /* the query points into its pool alone */
    if (rv == APR_SUCCESS) {
        rv = aur_query_plan(&plan, query, catalog, &err, p);
    }
    if (rv != APR_SUCCESS) {
        fuzz_text_t text = fuzz_rest(&in, p);
        fuzz_check_error(&err, text.s, text.len);
    }
    else {
        check_plan(plan);
        for (i = 0; i < SQL_DRIVERS * 4; i++) {
            build(sql_drivers[i / 4], plan, (aur_sql_e)(i % 4), p);
        }
    }
    apr_pool_destroy(p);
    return 0;
}
