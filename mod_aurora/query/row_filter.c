/* row_filter.c - row filters of the catalogue file: read once, planned for each caller
 * (aurora/row_filter.h). */
#include "aurora/row_filter.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_tables.h>
#include <string.h>

#include "aurora/text.h"
#include "query_planner.h"
#include "query_read.h"

#define EXPR_MAX 4096 /* bytes of an expression's text */

struct aur_row_filter_t {
    const aur_filter_t *root;
};

/* --- reading --------------------------------------------------------------------------------- */

apr_status_t aur_query_read_expr(aur_scalar_t *out, aur_query_reader_t *r, const json_t *value,
                                 const aur_json_at_t *at)
{
    const aur_json_at_t *here = AUR_AT_MEMBER(at, "expr");
    aur_json_in_t in = {r->in.err, r->in.p, EXPR_MAX};
    const char *wrong, *name;
    json_t *unused;
    apr_status_t rv;

    json_object_foreach((json_t *)value, name, unused)
    {
        if (strcmp(name, "expr")) {
            return aur_json_refuse(&r->in, AUR_AT_MEMBER(at, name), "this member is not known.");
        }
    }
    if (!json_object_get(value, "expr")) {
        return aur_json_refuse(&r->in, at,
                               "A value, or an object with the one member expr, is "
                               "expected here.");
    }
    rv = aur_json_need_string(&out->s, &in, value, "expr", at);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    wrong = r->exprs->compile(&out->expr, r->exprs->ctx, out->s, r->in.p);
    if (wrong) {
        return aur_json_refuse(&r->in, here, "the expression cannot be read: %s", wrong);
    }
    out->kind = AUR_J_EXPR;
    out->len = strlen(out->s);
    return APR_SUCCESS;
}

static apr_status_t filter_read(const aur_row_filter_t **filter, void *ctx, const json_t *json,
                                const char *dataset, aur_error_t *err, apr_pool_t *p)
{
    aur_query_reader_t r = {{err, p, AUR_QUERY_NAME_MAX}, NULL, 0, 0, 0, ctx};
    const aur_json_at_t *at =
        AUR_AT_MEMBER(AUR_AT_MEMBER(AUR_AT_MEMBER(NULL, "datasets"), dataset), "row_filter");
    aur_row_filter_t *made = apr_pcalloc(p, sizeof(*made));
    aur_filter_t *root = NULL;
    apr_status_t rv = aur_query_read_group(&root, &r, json, at);

    if (rv == APR_SUCCESS && !root) {
        rv = aur_json_refuse(&r.in, at, "this filter restricts nothing.");
    }
    made->root = root;
    *filter = rv == APR_SUCCESS ? made : NULL;
    return rv;
}

apr_status_t aur_row_filters_read(aur_catalog_file_t *file, const aur_expr_compiler_t *compiler,
                                  aur_error_t *err, apr_pool_t *p)
{
    return aur_catalog_file_filters(file, filter_read, (void *)compiler, err, p);
}

/* --- values for one caller ------------------------------------------------------------------- */

/* One table's filter being planned. */
typedef struct rows_t {
    aur_planner_t *pl;
    const aur_viewer_t *viewer;
    const aur_dataset_t *dataset;
    int table;
    const char *why; /* no row may be seen, for this reason; NULL so far */
} rows_t;

static void fail(rows_t *x, const char *column, const char *why)
{
    x->why = apr_psprintf(x->pl->p, "column %s: %s", column, why);
}

/* What the expression gives; NULL with the reason set. */
static char *evaluated(rows_t *x, const aur_filter_t *f, const aur_scalar_t *value)
{
    const char *text =
        x->viewer && x->viewer->value ? x->viewer->value(x->viewer->ctx, value->expr) : NULL;

    if (!text) {
        fail(x, f->column, "its expression cannot be evaluated");
    }
    else if (!*text) {
        fail(x, f->column, "its expression gives nothing");
    }
    else if (!aur_utf8_valid(text, strlen(text))) {
        fail(x, f->column, "its expression gives something that is not UTF-8");
    }
    return x->why ? NULL : apr_pstrdup(x->pl->p, text);
}

static void text_value(aur_scalar_t *out, const char *text, apr_size_t len)
{
    memset(out, 0, sizeof(*out));
    out->kind = AUR_J_STRING;
    out->s = text;
    out->len = len;
}

/* The parts of "a, b,c", without blanks around them; what is empty is no part. */
static void list_set(rows_t *x, aur_filter_t *f, char *text)
{
    apr_array_header_t *parts = apr_array_make(x->pl->p, 8, sizeof(aur_scalar_t));
    char *next, *end;

    for (; text; text = next) {
        next = strchr(text, ',');
        end = next ? next : text + strlen(text);
        next = next ? next + 1 : NULL;
        while (text < end && apr_isspace(*text)) {
            text++;
        }
        while (end > text && apr_isspace(end[-1])) {
            end--;
        }
        *end = '\0';
        if (end > text) {
            text_value(apr_array_push(parts), text, (apr_size_t)(end - text));
        }
    }
    if (parts->nelts == 0 || parts->nelts > AUR_QUERY_IN_MAX) {
        fail(x, f->column,
             parts->nelts ? "its expression gives too many values"
                          : "its expression gives nothing");
    }
    f->nvalues = parts->nelts;
    f->values = (const aur_scalar_t *)parts->elts;
}

/* "low,high" with nothing on one side of the comma would be a range without an end. */
static int half_empty(const char *text)
{
    const char *comma = strchr(text, ',');

    return comma && (comma == text || !comma[1]);
}

/* f with the caller's values in place of expressions. */
static void values_set(rows_t *x, aur_filter_t *f)
{
    aur_scalar_t *values;
    int i;

    if (!f->nvalues) {
        return;
    }
    values = apr_pmemdup(x->pl->p, f->values, (apr_size_t)f->nvalues * sizeof(*values));
    for (i = 0; i < f->nvalues && !x->why; i++) {
        char *text;
        if (values[i].kind != AUR_J_EXPR) {
            continue;
        }
        text = evaluated(x, f, &values[i]);
        if (!text) {
            return;
        }
        if (f->whole_list) {
            list_set(x, f, text);
            return;
        }
        if (f->op == AUR_OP_BETWEEN && f->nvalues == 1 && half_empty(text)) {
            fail(x, f->column, "its expression gives no range");
        }
        text_value(&values[i], text, strlen(text));
    }
    f->values = values;
}

/* --- planning -------------------------------------------------------------------------------- */

static int column_find(const aur_dataset_t *dataset, const char *name)
{
    int i;

    for (i = 0; i < dataset->nfilter_columns; i++) {
        if (!strcmp(dataset->filter_columns[i].name, name)) {
            return dataset->filter_columns[i].column;
        }
    }
    return -1;
}

static aur_plan_expr_t *rule_plan(rows_t *x, const aur_filter_t *f)
{
    aur_column_ref_t ref = {x->table, column_find(x->dataset, f->column)};
    aur_filter_t mine = *f;
    aur_plan_expr_t *e = NULL;

    if (ref.column < 0) {
        fail(x, f->column, "it is not there");
        return NULL;
    }
    values_set(x, &mine);
    if (!x->why && aur_planner_rule_on(&e, x->pl, &mine, ref) != APR_SUCCESS) {
        fail(x, f->column, x->pl->err->detail);
    }
    return e;
}

/* As deep as the file may be nested. */
static aur_plan_expr_t *filter_plan(rows_t *x, const aur_filter_t *f)
{
    apr_array_header_t *children;
    int i;

    if (!f->is_group) {
        return rule_plan(x, f);
    }
    children = apr_array_make(x->pl->scratch, f->nchildren, sizeof(aur_plan_expr_t *));
    for (i = 0; i < f->nchildren && !x->why; i++) {
        APR_ARRAY_PUSH(children, aur_plan_expr_t *) = filter_plan(x, f->children[i]);
    }
    return x->why ? NULL : aur_planner_group(x->pl, children, f->any);
}

static aur_plan_expr_t *rights_of(aur_planner_t *pl, int table)
{
    rows_t x = {pl, aur_catalog_viewer(pl->catalog), pl->tables[table].dataset, table, NULL};
    aur_plan_expr_t *e = NULL;

    if (!x.dataset->restricted) {
        return NULL;
    }
    if (x.dataset->row_filter) {
        e = filter_plan(&x, x.dataset->row_filter->root);
    }
    else {
        x.why = "it has not been read";
    }
    if (!x.why && e) {
        return e;
    }
    if (x.viewer && x.viewer->no_rows) {
        x.viewer->no_rows(x.viewer->ctx, x.dataset, x.why);
    }
    e = apr_pcalloc(pl->p, sizeof(*e));
    e->never = 1;
    e->aggregation = -1;
    e->column.table = table;
    return e;
}

apr_status_t aur_planner_rights(aur_planner_t *pl)
{
    aur_error_t *err = pl->err, unsaid;
    int nvalues = pl->nvalues, i;

    pl->rights = apr_pcalloc(pl->scratch, (apr_size_t)pl->plan->ntables * sizeof(*pl->rights));
    /* Neither what goes wrong here nor how many values it takes is the caller's to know. */
    pl->err = &unsaid;
    for (i = 0; i < pl->plan->ntables && !pl->valueless; i++) {
        aur_error_clear(&unsaid);
        pl->nvalues = 0;
        pl->rights[i] = rights_of(pl, i);
        pl->plan->rows_hidden |= pl->rights[i] != NULL;
    }
    pl->err = err;
    pl->nvalues = nvalues;
    return APR_SUCCESS;
}
