/* request.c - any body as a request: parsed, planned against a fixed catalogue, built for every dialect. What
 * becomes a statement consists of words of ours, of names from the catalogue in quotes and of placeholders;
 * SQLite must be able to prepare it. What is refused says why, at a place that exists. */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "aurora/query.h"
#include "aurora/sql.h"
#include "lib/fixture.h"
#include "lib/fuzz.h"
#include "lib/sql_rules.h"
#include "lib/utf8_rules.h"

static const aur_catalog_t *catalog;

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
    FUZZ_CHECK(aur_catalog_count(catalog) == 6, "%d datasets", aur_catalog_count(catalog));
}

/* --- steps --------------------------------------------------------------------------------------- */

static void check_prepares(const aur_sql_t *sql)
{
    sqlite3_stmt *stmt = NULL;
    const char *rest = "";
    int rc = sqlite3_prepare_v2(fixture_db(), sql->text, (int)sql->len + 1, &stmt, &rest);

    FUZZ_CHECK(rc == SQLITE_OK && stmt && !*rest, "SQLite: %s: %s", sqlite3_errmsg(fixture_db()),
               sql->text);
    FUZZ_CHECK(sqlite3_bind_parameter_count(stmt) == sql->nbinds, "%d binds: %s", sql->nbinds,
               sql->text);
    FUZZ_CHECK(!sql->ncolumns || sqlite3_column_count(stmt) == sql->ncolumns, "%d columns: %s",
               sql->ncolumns, sql->text);
    FUZZ_CHECK(sqlite3_stmt_readonly(stmt), "it writes: %s", sql->text);
    sqlite3_finalize(stmt);
}

static void build(const char *driver, const aur_plan_t *plan, aur_sql_e kind, apr_pool_t *p)
{
    const aur_sql_t *sql = sql_ours(driver, plan, kind, p);

    if (sql && !strcmp(driver, "sqlite3")) {
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
