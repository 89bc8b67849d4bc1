/* report_rules.c - see report_rules.h. */
#include "report_rules.h"

#include <string.h>

#include "aurora/query_report.h"
#include "aurora/sql.h"
#include "sql_rules.h"
#include "utf8_rules.h"
#include "written_rules.h"

/* Would end a literal, a name, a comment or a parameter, if any of it came into a statement. */
#define HOSTILE "x'\"`]*/--${n};%s"

#define GIVEN_MAX 200 /* a report has at most 100 parameters */

/* What is looked at. */
typedef struct run_t {
    const aur_report_t *report;
    const aur_catalog_t *view;
    apr_pool_t *p;
} run_t;

/* --- values --------------------------------------------------------------------------------------- */

static const char *caller(void *ctx, const aur_report_param_t *param)
{
    return ctx;
}

/* A value of the parameter's type, as hostile as it may be. */
static const char *hostile_of(const aur_report_param_t *param)
{
    switch (param->type) {
    case AUR_PARAM_NUMBER:
        return "-12345678901234567890.5";
    case AUR_PARAM_DATE:
        return "0001-01-01";
    case AUR_PARAM_TIMESTAMP:
        return "9999-12-31T23:59:59.999999+14:00";
    case AUR_PARAM_CHOICE:
        return param->choices[param->nchoices - 1];
    case AUR_PARAM_TEXT:
        break;
    }
    return HOSTILE;
}

static int has_param(const aur_report_t *report, const char *name)
{
    return aur_report_param(report, name, strlen(name)) >= 0;
}

/* @return NULL where they are refused, which has to name a parameter */
static const aur_report_value_t *values_of(const run_t *x, int hostile)
{
    static char says[] = HOSTILE;
    aur_report_given_t given[GIVEN_MAX];
    const aur_report_value_t *values = NULL;
    aur_error_t err;
    int n = 0, i;

    for (i = 0; i < x->report->nparams && hostile; i++) {
        const aur_report_param_t *param = &x->report->params[i];
        int times = param->expr ? 0 : param->multiple ? 2 : 1;
        while (times-- > 0 && n < GIVEN_MAX) {
            given[n].name = param->name;
            given[n++].value = hostile_of(param);
        }
    }
    aur_error_clear(&err);
    if (aur_report_values(&values, x->report, given, n, caller, hostile ? says : NULL, &err,
                          x->p) == APR_SUCCESS) {
        return values;
    }
    fuzz_check_error(&err, NULL, 0);
    FUZZ_CHECK(!hostile, "right values are refused: %s", err.detail);
    FUZZ_CHECK(err.code == AUR_E_MISSING_PARAMETER && has_param(x->report, err.column), "%s",
               err.detail);
    return NULL;
}

/* --- stored requests ------------------------------------------------------------------------------ */

static void check_ref(const aur_plan_t *plan, aur_column_ref_t ref)
{
    FUZZ_CHECK(ref.table >= 0 && ref.table < plan->ntables && ref.column >= 0 &&
                   ref.column < plan->tables[ref.table].dataset->ncolumns,
               "a column that the caller does not see");
}

static void check_rules(const aur_plan_t *plan, const aur_plan_expr_t *e)
{
    int i;

    if (!e) {
        return;
    }
    for (i = 0; e->is_group && i < e->nchildren; i++) {
        check_rules(plan, e->children[i]);
    }
    if (!e->is_group && e->aggregation < 0) {
        check_ref(plan, e->column);
    }
}

static int lets_rows_through(const aur_plan_expr_t *e)
{
    return !e || (e->is_group && e->nchildren == 0);
}

static void check_plan(const aur_plan_t *plan)
{
    int i;

    for (i = 0; i < plan->noutputs; i++) {
        if (plan->outputs[i].aggregation < 0) {
            check_ref(plan, plan->outputs[i].column);
        }
    }
    for (i = 0; i < plan->ngroup_by; i++) {
        check_ref(plan, plan->group_by[i]);
    }
    check_rules(plan, plan->where);
    for (i = 0; i < plan->ntables; i++) {
        const aur_plan_table_t *t = &plan->tables[i];
        FUZZ_CHECK(!t->dataset->restricted || !lets_rows_through(t->restriction),
                   "%s without its row filter", t->dataset->name);
    }
}

static void stored_check(const run_t *x, const aur_report_value_t *values, int readable)
{
    aur_query_t *query;
    aur_plan_t *plan;
    aur_error_t err;
    int i;

    aur_error_clear(&err);
    if (aur_report_query(&query, x->report, values, &err, x->p) != APR_SUCCESS ||
        aur_query_plan(&plan, query, x->view, &err, x->p) != APR_SUCCESS) {
        fuzz_check_error(&err, NULL, 0);
        FUZZ_CHECK(!readable ||
                       (err.code != AUR_E_UNKNOWN_COLUMN && err.code != AUR_E_UNKNOWN_DATASET),
                   "a report that is there names what is not: %s", err.detail);
        return;
    }
    if (!readable) {
        return; /* nobody runs it: what he may not see stood in a rule that was left out */
    }
    check_plan(plan);
    for (i = 0; i < SQL_DRIVERS * 4; i++) {
        (void)sql_ours(sql_drivers[i / 4], plan, (aur_sql_e)(i % 4), x->p);
    }
}

/* As the list of reports asks. */
static int is_readable(const run_t *x)
{
    const aur_report_value_t *sample = aur_report_sample(x->report, x->p);
    aur_query_t *query;
    aur_error_t err;

    aur_error_clear(&err);
    FUZZ_CHECK(aur_report_query(&query, x->report, sample, &err, x->p) == APR_SUCCESS,
               "a report that was accepted is none: %s", err.detail);
    if (aur_query_plannable(query, x->view, &err, x->p) == APR_SUCCESS) {
        return 1;
    }
    fuzz_check_error(&err, NULL, 0);
    FUZZ_CHECK(err.code != AUR_E_BAD_VALUE, "values were looked at: %s", err.detail);
    return 0;
}

/* --- SQL by hand ---------------------------------------------------------------------------------- */

/* Is it refused by the text alone, and are values never part of a statement? */
static void written_check(const run_t *x, const aur_report_value_t *values, const char *driver)
{
    const aur_report_value_t *sample = aur_report_sample(x->report, x->p);
    int kind, refused = -1;
    aur_error_t err;
    aur_sql_t *sql;

    for (kind = 0; kind < 8; kind++) {
        aur_plan_t *plan = aur_report_written(x->report, kind < 4 ? sample : values, x->p);
        apr_status_t rv;
        aur_error_clear(&err);
        rv = aur_sql_build(&sql, sql_dialect(driver), plan, (aur_sql_e)(kind % 4), &err, x->p);
        if (rv != APR_SUCCESS) {
            fuzz_check_error(&err, NULL, 0);
        }
        else {
            FUZZ_CHECK(strlen(sql->text) == sql->len && utf8_whole(sql->text, sql->len), "%s",
                       sql->text);
            written_check_placeholders(driver, sql);
            FUZZ_CHECK(strstr(x->report->sql, HOSTILE) || !strstr(sql->text, HOSTILE),
                       "a value is part of the statement: %s", sql->text);
        }
        FUZZ_CHECK(refused < 0 || refused == (rv != APR_SUCCESS),
                   "%s: refused for more than its text: %s", driver, x->report->sql);
        refused = rv != APR_SUCCESS;
    }
}

/* --- all of them ---------------------------------------------------------------------------------- */

static void report_check(const run_t *x, fuzz_text_t text)
{
    int readable, hostile, i;
    aur_error_t err;

    FUZZ_CHECK(!x->report->query != !x->report->sql, "a report is one of both");
    aur_error_clear(&err);
    if (aur_report_check(x->report, &err, x->p) != APR_SUCCESS) {
        fuzz_check_error(&err, text.s, text.len); /* the server does not start */
        return;
    }
    readable = x->report->query ? is_readable(x) : 0;
    for (hostile = 0; hostile < 2; hostile++) {
        const aur_report_value_t *values = values_of(x, hostile);
        if (values && x->report->query) {
            stored_check(x, values, readable);
        }
        for (i = 0; values && x->report->sql && i < SQL_DRIVERS; i++) {
            written_check(x, values, sql_drivers[i]);
        }
    }
}

void report_check_all(const aur_catalog_file_t *file, const aur_catalog_t *view, fuzz_text_t text,
                      apr_pool_t *p)
{
    run_t x = {NULL, view, p};
    int i;

    for (i = 0; i < aur_reports_count(file); i++) {
        x.report = aur_reports_get(file, i);
        FUZZ_CHECK(aur_reports_find(file, x.report->name) == x.report, "%s is not found",
                   x.report->name);
        report_check(&x, text);
    }
}
