/* query_plan.c - a parsed request against the catalogue: what comes out, grouped and sorted how
 * (aurora/query.h). Tables, filters and partitions have files of their own. */
#include <apr_strings.h>
#include <apr_tables.h>
#include <string.h>

#include "aurora/json_in.h"
#include "aurora/text.h"
#include "query_planner.h"
#include "query_value.h"

#define AT(pl, ...)     apr_psprintf((pl)->scratch, __VA_ARGS__)
#define SHOWN(pl, name) aur_name_shown((name), (pl)->scratch)

static apr_status_t refuse_column(aur_planner_t *pl, const char *name, const char *pointer,
                                  const char *why)
{
    aur_error_set(pl->err, AUR_E_BAD_REQUEST, pointer, "%s %s.", SHOWN(pl, name), why);
    aur_error_column(pl->err, name);
    return APR_EGENERAL;
}

static int sortable(const aur_column_t *column)
{
    return column->comparable && column->type != AUR_T_BINARY;
}

/* --- aggregations ---------------------------------------------------------------------------- */

/* @return what is wrong with taking this function of that column, or NULL */
static const char *agg_misfit(aur_agg_e function, const aur_column_t *column)
{
    switch (function) {
    case AUR_AGG_SUM:
    case AUR_AGG_AVG:
        return column->type == AUR_T_NUMBER && column->comparable
                   ? NULL
                   : "is not a number, so it has no sum or avg";
    case AUR_AGG_MIN:
    case AUR_AGG_MAX:
        return sortable(column) && column->type != AUR_T_BOOLEAN
                   ? NULL
                   : "has no order, so it has no min or max";
    case AUR_AGG_DISTINCT_COUNT:
        return sortable(column) ? NULL : "cannot be compared, so its values cannot be told apart";
    default:
        return NULL;
    }
}

static apr_status_t agg_plan(aur_plan_agg_t *out, aur_planner_t *pl, const aur_query_agg_t *agg,
                             int index)
{
    const char *pointer = AT(pl, "/aggregations/%d/column", index), *wrong;
    const aur_column_t *column;
    apr_status_t rv;

    out->function = agg->function;
    out->output_name = agg->output_name;
    out->type = AUR_T_NUMBER;
    out->star = agg->function == AUR_AGG_COUNT && !strcmp(agg->column, "*");
    if (out->star) {
        return APR_SUCCESS;
    }
    rv = aur_planner_column(&out->column, pl, agg->column, pointer);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    column = aur_planner_at(pl, out->column);
    wrong = agg_misfit(agg->function, column);
    if (wrong) {
        return refuse_column(pl, agg->column, pointer, wrong);
    }
    if (agg->function == AUR_AGG_MIN || agg->function == AUR_AGG_MAX) {
        out->type = column->type;
    }
    return APR_SUCCESS;
}

static apr_status_t aggs_plan(aur_planner_t *pl)
{
    const aur_query_t *q = pl->query;
    int i;

    pl->agg_by_name = apr_hash_make(pl->scratch);
    pl->aggregations = apr_pcalloc(pl->p, (apr_size_t)q->naggregations * sizeof(aur_plan_agg_t));
    pl->plan->aggregations = pl->aggregations;
    for (i = 0; i < q->naggregations; i++) {
        aur_plan_agg_t *out = &pl->aggregations[i];
        apr_status_t rv = agg_plan(out, pl, &q->aggregations[i], i);
        apr_size_t len;
        const char *key;

        if (rv != APR_SUCCESS) {
            return rv;
        }
        key = aur_casefold(out->output_name, strlen(out->output_name), &len, pl->scratch);
        if (apr_hash_get(pl->agg_by_name, key, (apr_ssize_t)len)) {
            return refuse_column(pl, out->output_name, AT(pl, "/aggregations/%d/output_name", i),
                                 "is the name of two aggregations");
        }
        apr_hash_set(pl->agg_by_name, key, (apr_ssize_t)len, out);
    }
    pl->plan->naggregations = q->naggregations;
    return APR_SUCCESS;
}

/* --- grouping -------------------------------------------------------------------------------- */

static int is_grouped(const aur_plan_t *plan, aur_column_ref_t ref)
{
    int i;

    for (i = 0; i < plan->ngroup_by; i++) {
        if (plan->group_by[i].table == ref.table && plan->group_by[i].column == ref.column) {
            return 1;
        }
    }
    return 0;
}

static apr_status_t group_plan(aur_planner_t *pl)
{
    const aur_query_t *q = pl->query;
    aur_column_ref_t *refs = apr_pcalloc(pl->p, (apr_size_t)q->ngroup_by * sizeof(*refs));
    int i;

    pl->plan->grouped = q->ngroup_by || q->naggregations;
    pl->plan->group_by = refs;
    for (i = 0; i < q->ngroup_by; i++) {
        aur_column_ref_t ref;
        const char *pointer = AT(pl, "/group_by/%d", i);
        apr_status_t rv = aur_planner_column(&ref, pl, q->group_by[i], pointer);

        if (rv != APR_SUCCESS) {
            return rv;
        }
        if (!sortable(aur_planner_at(pl, ref))) {
            return refuse_column(pl, q->group_by[i], pointer, "cannot be grouped by");
        }
        if (!is_grouped(pl->plan, ref)) {
            refs[pl->plan->ngroup_by++] = ref;
        }
    }
    return APR_SUCCESS;
}

/* --- outputs --------------------------------------------------------------------------------- */

/* What columns and sorting may name. */
typedef aur_plan_output_t named_t;

/* An output name of an aggregation wins over a column of the same name. */
static apr_status_t name_find(named_t *out, aur_planner_t *pl, const char *name,
                              const char *pointer)
{
    const aur_plan_agg_t *agg = aur_planner_agg(pl, name);
    apr_status_t rv;

    memset(out, 0, sizeof(*out));
    out->aggregation = agg ? (int)(agg - pl->aggregations) : -1;
    if (agg) {
        return APR_SUCCESS;
    }
    rv = aur_planner_column(&out->column, pl, name, pointer);
    if (rv == APR_SUCCESS && pl->plan->grouped && !is_grouped(pl->plan, out->column)) {
        return refuse_column(pl, name, pointer, "is neither in group_by nor an aggregation");
    }
    return rv;
}

/* The outputs while they are being collected. */
typedef struct outputs_t {
    aur_planner_t *pl;
    aur_plan_output_t *outputs;
    aur_result_column_t *columns;
    int n;
    apr_hash_t *keys;
    char *shown; /* by aggregation: is it among the outputs? */
} outputs_t;

static const char *display_of(const aur_column_t *column, const char *key)
{
    return strcmp(column->display_name, column->name) ? column->display_name : key;
}

static apr_status_t output_add(outputs_t *x, const named_t *what, const char *key,
                               const char *pointer)
{
    aur_result_column_t *out = &x->columns[x->n];

    if (apr_hash_get(x->keys, key, APR_HASH_KEY_STRING)) {
        return refuse_column(x->pl, key, pointer, "would stand twice in the result");
    }
    apr_hash_set(x->keys, key, APR_HASH_KEY_STRING, key);
    out->name = key;
    out->display = key;
    if (what->aggregation >= 0) {
        const aur_plan_agg_t *agg = &x->pl->aggregations[what->aggregation];
        int counts = agg->function == AUR_AGG_COUNT || agg->function == AUR_AGG_DISTINCT_COUNT;
        out->format = counts ? NULL : aur_planner_at(x->pl, agg->column)->format;
        out->type = agg->type;
        x->shown[what->aggregation] = 1;
    }
    else {
        const aur_column_t *column = aur_planner_at(x->pl, what->column);
        out->display = display_of(column, key);
        out->format = column->format;
        out->type = column->type;
    }
    x->outputs[x->n++] = *what;
    return APR_SUCCESS;
}

static apr_status_t named_outputs(outputs_t *x, const char *const *names, int n, const char *member)
{
    int i;

    for (i = 0; i < n; i++) {
        const char *pointer = AT(x->pl, "/%s/%d", member, i);
        named_t what;
        apr_status_t rv = name_find(&what, x->pl, names[i], pointer);

        if (rv == APR_SUCCESS) {
            rv = output_add(x, &what, names[i], pointer);
        }
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    return APR_SUCCESS;
}

/* Without `columns` every grouped column comes out once, under the first name it was given; here
 * the name means the column even where an aggregation has the same. */
static apr_status_t grouped_outputs(outputs_t *x)
{
    aur_planner_t *pl = x->pl;
    char *done = apr_pcalloc(pl->scratch, (apr_size_t)pl->plan->ngroup_by);
    apr_status_t rv = APR_SUCCESS;
    int i, g;

    for (i = 0; i < pl->query->ngroup_by && rv == APR_SUCCESS; i++) {
        const char *name = pl->query->group_by[i], *pointer = AT(pl, "/group_by/%d", i);
        named_t what = {-1, {0, 0}};

        rv = aur_planner_column(&what.column, pl, name, pointer);
        for (g = 0; g < pl->plan->ngroup_by && rv == APR_SUCCESS; g++) {
            if (!memcmp(&pl->plan->group_by[g], &what.column, sizeof(what.column)) && !done[g]) {
                done[g] = 1;
                rv = output_add(x, &what, name, pointer);
            }
        }
    }
    return rv;
}

static apr_status_t remaining_aggs(outputs_t *x)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; i < x->pl->plan->naggregations && rv == APR_SUCCESS; i++) {
        named_t what = {i, {0, 0}};
        if (!x->shown[i]) {
            rv = output_add(x, &what, x->pl->aggregations[i].output_name,
                            AT(x->pl, "/aggregations/%d/output_name", i));
        }
    }
    return rv;
}

static apr_status_t every_column(outputs_t *x)
{
    const aur_dataset_t *dataset = x->pl->tables[0].dataset;
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; i < dataset->ncolumns && rv == APR_SUCCESS; i++) {
        named_t what = {-1, {0, i}};
        rv = output_add(x, &what, dataset->columns[i].name, "/columns");
    }
    return rv;
}

static apr_status_t outputs_plan(aur_planner_t *pl)
{
    const aur_query_t *q = pl->query;
    apr_size_t room = (apr_size_t)q->ncolumns + (apr_size_t)q->ngroup_by +
                      (apr_size_t)q->naggregations + (apr_size_t)pl->tables[0].dataset->ncolumns;
    outputs_t x = {pl, NULL, NULL, 0, NULL, NULL};
    apr_status_t rv;

    x.outputs = apr_pcalloc(pl->p, room * sizeof(*x.outputs));
    x.columns = apr_pcalloc(pl->p, room * sizeof(*x.columns));
    x.keys = apr_hash_make(pl->scratch);
    x.shown = apr_pcalloc(pl->scratch, (apr_size_t)q->naggregations + 1);
    if (!q->all_columns) {
        rv = named_outputs(&x, q->columns, q->ncolumns, "columns");
    }
    else if (pl->plan->grouped) {
        rv = grouped_outputs(&x);
    }
    else {
        rv = every_column(&x);
    }
    if (rv == APR_SUCCESS) {
        rv = remaining_aggs(&x);
    }
    pl->plan->noutputs = x.n;
    pl->plan->outputs = x.outputs;
    pl->plan->columns = x.columns;
    return rv;
}

/* --- sorting --------------------------------------------------------------------------------- */

static apr_status_t sort_plan(aur_plan_sort_t *out, aur_planner_t *pl, const aur_query_sort_t *sort,
                              const char *pointer)
{
    named_t what;
    apr_status_t rv = name_find(&what, pl, sort->column, pointer);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (what.aggregation < 0 && !sortable(aur_planner_at(pl, what.column))) {
        return refuse_column(pl, sort->column, pointer, "cannot be sorted by");
    }
    out->aggregation = what.aggregation;
    out->column = what.column;
    out->descending = sort->descending;
    out->nulls_first =
        sort->nulls == AUR_NULLS_DEFAULT ? sort->descending : sort->nulls == AUR_NULLS_FIRST;
    return APR_SUCCESS;
}

/* The catalogue's own order, for a request that asks for none. */
static void default_sorting(aur_planner_t *pl, const aur_dataset_t *dataset)
{
    aur_plan_sort_t *out = apr_pcalloc(pl->p, (apr_size_t)dataset->nsorting * sizeof(*out));
    int i;

    for (i = 0; i < dataset->nsorting; i++) {
        out[i].aggregation = -1;
        out[i].column.column = dataset->sorting[i].column;
        out[i].descending = dataset->sorting[i].descending;
        out[i].nulls_first = dataset->sorting[i].nulls_first;
    }
    pl->plan->nsorting = dataset->nsorting;
    pl->plan->sorting = out;
}

static apr_status_t sorting_plan(aur_planner_t *pl)
{
    const aur_query_t *q = pl->query;
    aur_plan_sort_t *out;
    apr_status_t rv = APR_SUCCESS;
    int i;

    if (!q->nsorting) {
        if (!pl->plan->grouped) {
            default_sorting(pl, pl->tables[0].dataset);
        }
        return APR_SUCCESS;
    }
    out = apr_pcalloc(pl->p, (apr_size_t)q->nsorting * sizeof(*out));
    for (i = 0; i < q->nsorting && rv == APR_SUCCESS; i++) {
        rv = sort_plan(&out[i], pl, &q->sorting[i], AT(pl, "/sorting/%d/column", i));
    }
    pl->plan->nsorting = q->nsorting;
    pl->plan->sorting = out;
    return rv;
}

/* --- the whole ------------------------------------------------------------------------------- */

static apr_status_t plan_make(aur_plan_t **plan, const aur_query_t *query,
                              const aur_catalog_t *catalog, int valueless, aur_error_t *err,
                              apr_pool_t *p)
{
    static apr_status_t (*const steps[])(aur_planner_t *) = {
        aur_planner_tables,     aggs_plan,    group_plan,  aur_planner_filters, aur_planner_rights,
        aur_planner_partitions, outputs_plan, sorting_plan};
    aur_planner_t pl;
    apr_size_t i;
    apr_status_t rv;

    memset(&pl, 0, sizeof(pl));
    rv = apr_pool_create(&pl.scratch, p);
    if (rv != APR_SUCCESS) {
        return aur_error_set(err, AUR_E_INTERNAL, NULL, "There is no memory left.");
    }
    apr_pool_tag(pl.scratch, "aur_query_plan");
    pl.query = query;
    pl.catalog = catalog;
    pl.valueless = valueless;
    pl.err = err;
    pl.p = p;
    pl.plan = apr_pcalloc(p, sizeof(*pl.plan));
    pl.plan->limit = query->limit;
    pl.plan->offset = query->offset;
    pl.plan->arrays = query->arrays;
    for (i = 0; i < sizeof(steps) / sizeof(steps[0]) && rv == APR_SUCCESS; i++) {
        rv = steps[i](&pl);
    }
    apr_pool_destroy(pl.scratch);
    if (rv == APR_SUCCESS) {
        *plan = pl.plan;
    }
    return rv;
}

apr_status_t aur_query_plan(aur_plan_t **plan, const aur_query_t *query,
                            const aur_catalog_t *catalog, aur_error_t *err, apr_pool_t *p)
{
    return plan_make(plan, query, catalog, 0, err, p);
}

apr_status_t aur_query_plannable(const aur_query_t *query, const aur_catalog_t *catalog,
                                 aur_error_t *err, apr_pool_t *p)
{
    aur_plan_t *unused; /* nothing may run it: it lets every row through */

    return plan_make(&unused, query, catalog, 1, err, p);
}
