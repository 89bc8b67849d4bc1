/* http_about.c - what a file is, in words, for whoever opens it a year later. */
#include "http/http_xlsx.h"

#include <apr_strings.h>
#include <apr_time.h>

#include "aurora/text.h"

/* A cell holds little more; what does not fit is cut and says so. */
#define WORDS_MAX 30000
#define FACTS_MAX 10

typedef struct words_t {
    char *text;
    apr_size_t len;
    int cut;
} words_t;

static words_t *words_create(apr_pool_t *p)
{
    words_t *w = apr_pcalloc(p, sizeof(*w));

    w->text = apr_palloc(p, WORDS_MAX + sizeof(" ..."));
    return w;
}

static void say_n(words_t *w, const char *s, apr_size_t len)
{
    apr_size_t n = aur_utf8_clip(s, len, WORDS_MAX - w->len);

    if (!w->cut) {
        memcpy(w->text + w->len, s, n);
        w->len += n;
        w->cut = n < len;
    }
}

static void say(words_t *w, const char *s)
{
    say_n(w, s, strlen(s));
}

static const char *said(words_t *w)
{
    apr_cpystrn(w->text + w->len, w->cut ? " ..." : "", sizeof(" ..."));
    return w->text;
}

/* --- filters -------------------------------------------------------------------------------------- */

static const char *const operators[] = {
    [AUR_OP_EQ] = " is ",
    [AUR_OP_NEQ] = " is not ",
    [AUR_OP_GT] = " is more than ",
    [AUR_OP_GTE] = " is at least ",
    [AUR_OP_LT] = " is less than ",
    [AUR_OP_LTE] = " is at most ",
    [AUR_OP_BETWEEN] = " is between ",
    [AUR_OP_IN] = " is one of ",
    [AUR_OP_NOT_IN] = " is none of ",
    [AUR_OP_CONTAINS] = " contains ",
    [AUR_OP_NOT_CONTAINS] = " does not contain ",
    [AUR_OP_STARTS_WITH] = " starts with ",
    [AUR_OP_ENDS_WITH] = " ends with ",
    [AUR_OP_IS_NULL] = " has no value",
    [AUR_OP_IS_NOT_NULL] = " has a value",
    [AUR_OP_IS_EMPTY] = " is empty",
    [AUR_OP_IS_NOT_EMPTY] = " is not empty",
};

static void say_number(words_t *w, apr_int64_t n)
{
    char text[32];

    say_n(w, text, (apr_size_t)apr_snprintf(text, sizeof(text), "%" APR_INT64_T_FMT, n));
}

static void say_value(words_t *w, const aur_cell_t *cell)
{
    switch (cell->kind) {
    case AUR_V_INT:
        say_number(w, cell->v.i);
        break;
    case AUR_V_BOOL:
        say(w, cell->v.i ? "true" : "false");
        break;
    case AUR_V_TEXT:
        say(w, "\"");
        say_n(w, cell->v.s, cell->len);
        say(w, "\"");
        break;
    case AUR_V_DECIMAL:
    case AUR_V_DATE:
    case AUR_V_TIMESTAMP:
    case AUR_V_TIMESTAMP_TZ:
        say_n(w, cell->v.s, cell->len);
        break;
    case AUR_V_NULL:
    case AUR_V_DOUBLE:
    case AUR_V_BINARY:
    case AUR_V_PIECES: /* no bind is of these kinds */
        break;
    }
}

static void say_column(words_t *w, const aur_plan_t *plan, aur_column_ref_t ref)
{
    const aur_plan_table_t *table = &plan->tables[ref.table];

    if (plan->ntables > 1) {
        say(w, table->label);
        say(w, ".");
    }
    say(w, table->dataset->columns[ref.column].display_name);
}

static void say_rule(words_t *w, const aur_plan_t *plan, const aur_plan_expr_t *rule)
{
    int i;

    if (rule->aggregation >= 0) {
        say(w, plan->aggregations[rule->aggregation].output_name);
    }
    else {
        say_column(w, plan, rule->column);
    }
    say(w, operators[rule->op]);
    if (rule->callers) {
        say(w, "what comes with the caller");
        return;
    }
    for (i = 0; i < rule->nvalues; i++) {
        say(w, i == 0 ? "" : rule->op == AUR_OP_BETWEEN ? " and " : ", ");
        say_value(w, &rule->values[i]);
    }
    say(w, rule->ignore_case ? " (in any letter case)" : "");
}

/* As deep as a request may be nested (AUR_QUERY_DEPTH_MAX). */
static void say_expr(words_t *w, const aur_plan_t *plan, const aur_plan_expr_t *expr, int inner)
{
    int i;

    if (!expr->is_group) {
        say_rule(w, plan, expr);
        return;
    }
    say(w, inner ? "(" : "");
    for (i = 0; i < expr->nchildren; i++) {
        say(w, i == 0 ? "" : expr->any ? " or " : " and ");
        say_expr(w, plan, expr->children[i], 1);
    }
    say(w, inner ? ")" : "");
}

static const char *filters(const aur_plan_t *plan, apr_pool_t *p)
{
    words_t *w = words_create(p);

    if (plan->where) {
        say_expr(w, plan, plan->where, plan->having != NULL);
    }
    if (plan->having) {
        say(w, plan->where ? " and " : "");
        say_expr(w, plan, plan->having, plan->where != NULL);
    }
    say(w, plan->where || plan->having ? "" : "none");
    return said(w);
}

static void say_scalar(words_t *w, const aur_scalar_t *value, apr_pool_t *p)
{
    switch (value->kind) {
    case AUR_J_STRING:
        say_n(w, value->s, value->len);
        break;
    case AUR_J_INT:
        say_number(w, value->i);
        break;
    case AUR_J_REAL:
        say(w, apr_psprintf(p, "%.17g", value->d));
        break;
    case AUR_J_BOOL:
        say(w, value->i ? "true" : "false");
        break;
    case AUR_J_NULL:
    case AUR_J_EXPR: /* no request has one */
        break;
    }
}

/* A limit that nobody asked for: the reader of the file cannot know of it otherwise. But where roles hide what
 * partitions are told by, there are none for him. */
static void say_newest(words_t *w, const aur_plan_t *plan)
{
    int i;

    for (i = 0; i < plan->ntables; i++) {
        if (plan->tables[i].nnewest > 0 && !aur_dataset_newest_unknown(plan->tables[i].dataset)) {
            say(w, w->len > 0 ? "; " : "");
            say(w, plan->tables[i].label);
            say(w, ": the newest");
        }
    }
}

/* As the request named them: the column behind a partition may be one that callers do not see. "" when
 * all rows of all partitions are here. */
static const char *partitions(const aur_query_t *query, const aur_plan_t *plan, apr_pool_t *p)
{
    words_t *w = words_create(p);
    int i, k;

    for (i = 0; i < query->npartitions; i++) {
        say(w, i > 0 ? "; " : "");
        say(w, query->partitions[i].dataset);
        say(w, ": ");
        for (k = 0; k < query->partitions[i].nvalues; k++) {
            say(w, k > 0 ? ", " : "");
            say_scalar(w, &query->partitions[i].values[k], p);
        }
    }
    if (query->load_type) {
        say(w, w->len > 0 ? "; load type " : "load type ");
        say(w, query->load_type);
    }
    say_newest(w, plan);
    return said(w);
}

/* --- reports -------------------------------------------------------------------------------------- */

static const char *report(const aur_report_t *report, apr_pool_t *p)
{
    words_t *w = words_create(p);

    say(w, report->display_name);
    if (strcmp(report->display_name, report->name)) {
        say(w, " (");
        say(w, report->name);
        say(w, ")");
    }
    return said(w);
}

/* What was given or is a default; what comes with the caller is not told. */
static const char *parameters(const aur_request_t *x, apr_pool_t *p)
{
    words_t *w = words_create(p);
    int i, k;

    for (i = 0; i < x->report->nparams; i++) {
        const aur_report_value_t *value = &x->report_values[i];
        for (k = 0; !x->report->params[i].expr && k < value->nvalues; k++) {
            if (k == 0) {
                say(w, w->len > 0 ? "; " : "");
                say(w, x->report->params[i].display_name);
            }
            say(w, k == 0 ? ": " : ", ");
            say(w, value->texts[k]);
        }
    }
    say(w, w->len > 0 ? "" : "none");
    return said(w);
}

/* --- the rest ------------------------------------------------------------------------------------- */

static const char *dataset(const aur_plan_t *plan, apr_pool_t *p)
{
    words_t *w = words_create(p);
    int i;

    for (i = 0; i < plan->ntables; i++) {
        const aur_dataset_t *set = plan->tables[i].dataset;
        say(w, i == 0 ? "" : i == 1 ? ", joined with " : ", ");
        say(w, set->display_name);
        if (strcmp(set->display_name, set->name)) {
            say(w, " (");
            say(w, set->name);
            say(w, ")");
        }
    }
    return said(w);
}

/* 2024-02-29 12:30:00 +01:00 */
static const char *moment(apr_time_t when, apr_pool_t *p)
{
    apr_time_exp_t t;
    int zone;

    (void)apr_time_exp_lt(&t, when);
    zone = t.tm_gmtoff < 0 ? -t.tm_gmtoff / 60 : t.tm_gmtoff / 60;
    return apr_psprintf(p, "%04d-%02d-%02d %02d:%02d:%02d %c%02d:%02d", t.tm_year + 1900,
                        t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec,
                        t.tm_gmtoff < 0 ? '-' : '+', zone / 60, zone % 60);
}

static const char *limits(const aur_request_t *x, apr_pool_t *p)
{
    return apr_psprintf(
        p, "at most %" APR_INT64_T_FMT " rows in a workbook; texts of at most 32,767 characters",
        x->loc->xlsx_max_rows);
}

int aur_xlsx_facts(const aur_xlsx_fact_t **facts, aur_request_t *x, const aur_query_t *query,
                   const aur_plan_t *plan)
{
    apr_pool_t *p = x->r->pool;
    aur_xlsx_fact_t *list = apr_palloc(p, FACTS_MAX * sizeof(*list));
    const char *chosen = query ? partitions(query, plan, p) : "";
    int n = 0;

    if (x->report) {
        list[n++] = (aur_xlsx_fact_t){"Report", report(x->report, p)};
        list[n++] = (aur_xlsx_fact_t){"Parameters", parameters(x, p)};
    }
    if (!plan->written) {
        list[n++] = (aur_xlsx_fact_t){"Dataset", dataset(plan, p)};
        list[n++] = (aur_xlsx_fact_t){"Filters", filters(plan, p)};
    }
    if (*chosen) {
        list[n++] = (aur_xlsx_fact_t){"Partitions", chosen};
    }
    list[n++] = (aur_xlsx_fact_t){"Exported by", x->user};
    list[n++] = (aur_xlsx_fact_t){"Exported at", moment(x->start, p)};
    list[n++] = (aur_xlsx_fact_t){"Request", x->correlation};
    list[n++] = (aur_xlsx_fact_t){"Limits", limits(x, p)};
    *facts = list;
    return n;
}
