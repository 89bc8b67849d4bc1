/* query_parse.c - a request's JSON as plain data (aurora/query.h). */
#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

#include "aurora/query_words.h"
#include "query_read.h"

#define LIMIT_DEFAULT 100
/* a dataset each for the main one and the joins */
#define PARTITIONS_MAX (AUR_QUERY_JOINS_MAX + 1)

static apr_status_t read_dataset(aur_query_reader_t *r, const json_t *root)
{
    return aur_json_need_string(&r->q->dataset, &r->in, root, "dataset", NULL);
}

static apr_status_t read_columns(aur_query_reader_t *r, const json_t *root)
{
    return aur_json_get_strings(&r->q->columns, &r->q->ncolumns, &r->in, root, "columns", NULL,
                                AUR_QUERY_COLUMNS_MAX);
}

static apr_status_t read_group_by(aur_query_reader_t *r, const json_t *root)
{
    return aur_json_get_strings(&r->q->group_by, &r->q->ngroup_by, &r->in, root, "group_by", NULL,
                                AUR_QUERY_COLUMNS_MAX);
}

/* --- joins ----------------------------------------------------------------------------------- */

static apr_status_t read_on(aur_query_join_t *j, aur_query_reader_t *r, const json_t *join,
                            const aur_json_at_t *at)
{
    const aur_json_at_t *list = AUR_AT_MEMBER(at, "on");
    json_t *array = NULL, *pair;
    const char **left, **right;
    apr_size_t i;
    apr_status_t rv = aur_json_get_array(&array, &r->in, join, "on", at, AUR_QUERY_ON_MAX);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!array || !json_array_size(array)) {
        return aur_json_refuse(&r->in, list, "A join needs at least one pair of columns.");
    }
    left = apr_pcalloc(r->in.p, json_array_size(array) * sizeof(*left));
    right = apr_pcalloc(r->in.p, json_array_size(array) * sizeof(*right));
    json_array_foreach(array, i, pair)
    {
        const aur_json_at_t *here = AUR_AT_ELEMENT(list, i);
        rv = aur_json_need_object(&r->in, pair, here);
        if (rv == APR_SUCCESS) {
            rv = aur_json_need_string(&left[i], &r->in, pair, "left_column", here);
        }
        if (rv == APR_SUCCESS) {
            rv = aur_json_need_string(&right[i], &r->in, pair, "right_column", here);
        }
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    j->non = (int)json_array_size(array);
    j->left_columns = left;
    j->right_columns = right;
    return APR_SUCCESS;
}

static apr_status_t read_join(aur_query_join_t *j, aur_query_reader_t *r, const json_t *join,
                              const aur_json_at_t *at)
{
    int type = AUR_JOIN_INNER;
    apr_status_t rv = aur_json_need_object(&r->in, join, at);

    if (rv == APR_SUCCESS) {
        rv = aur_json_need_string(&j->left_dataset, &r->in, join, "left_dataset", at);
    }
    if (rv == APR_SUCCESS) {
        rv = aur_json_need_string(&j->right_dataset, &r->in, join, "right_dataset", at);
    }
    if (rv == APR_SUCCESS) {
        rv = aur_json_get_string(&j->alias, &r->in, join, "alias", at);
    }
    if (rv == APR_SUCCESS) {
        rv = aur_json_get_word(&type, &r->in, join, "join_type", at,
                               aur_query_words(AUR_WORDS_JOIN));
    }
    j->type = (aur_join_e)type;
    j->alias = j->alias && *j->alias ? j->alias : NULL;
    return rv == APR_SUCCESS ? read_on(j, r, join, at) : rv;
}

static apr_status_t read_joins(aur_query_reader_t *r, const json_t *root)
{
    const aur_json_at_t *list = AUR_AT_MEMBER(NULL, "joins");
    json_t *array = NULL, *join;
    aur_query_join_t *joins;
    apr_size_t i;
    apr_status_t rv = aur_json_get_array(&array, &r->in, root, "joins", NULL, AUR_QUERY_JOINS_MAX);

    if (rv != APR_SUCCESS || !array) {
        return rv;
    }
    joins = apr_pcalloc(r->in.p, (json_array_size(array) + 1) * sizeof(*joins));
    json_array_foreach(array, i, join)
    {
        rv = read_join(&joins[i], r, join, AUR_AT_ELEMENT(list, i));
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    r->q->joins = joins;
    r->q->njoins = (int)json_array_size(array);
    return APR_SUCCESS;
}

/* --- aggregations and sorting ---------------------------------------------------------------- */

static const char *default_output_name(aur_query_reader_t *r, const aur_word_t *function,
                                       const char *column)
{
    char *name = apr_pstrcat(r->in.p, function->word, "_", column, NULL), *c;

    for (c = name; c < name + strlen(function->word); c++) {
        *c = apr_toupper(*c);
    }
    return name;
}

static apr_status_t read_aggregation(aur_query_agg_t *a, aur_query_reader_t *r, const json_t *agg,
                                     const aur_json_at_t *at)
{
    const aur_word_t *functions = aur_query_words(AUR_WORDS_FUNCTION), *function;
    const char *word = NULL;
    apr_status_t rv = aur_json_need_object(&r->in, agg, at);

    if (rv == APR_SUCCESS) {
        rv = aur_json_need_string(&a->column, &r->in, agg, "column", at);
    }
    if (rv == APR_SUCCESS) {
        rv = aur_json_need_string(&word, &r->in, agg, "function", at);
    }
    if (rv == APR_SUCCESS) {
        rv = aur_json_get_string(&a->output_name, &r->in, agg, "output_name", at);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    function = aur_word_find(functions, word);
    if (!function) {
        return aur_json_refuse(&r->in, AUR_AT_MEMBER(at, "function"),
                               "function must be one of: %s.", aur_word_list(functions, r->in.p));
    }
    a->function = (aur_agg_e)function->value;
    if (!strcmp(a->column, "*") && a->function != AUR_AGG_COUNT) {
        return aur_json_refuse(&r->in, AUR_AT_MEMBER(at, "column"),
                               "Only count can be taken of *; name a column for %s.",
                               function->word);
    }
    if (!a->output_name || !*a->output_name) {
        a->output_name = default_output_name(r, function, a->column);
    }
    return APR_SUCCESS;
}

static apr_status_t read_aggregations(aur_query_reader_t *r, const json_t *root)
{
    const aur_json_at_t *list = AUR_AT_MEMBER(NULL, "aggregations");
    json_t *array = NULL, *agg;
    aur_query_agg_t *aggs;
    apr_size_t i;
    apr_status_t rv =
        aur_json_get_array(&array, &r->in, root, "aggregations", NULL, AUR_QUERY_COLUMNS_MAX);

    if (rv != APR_SUCCESS || !array) {
        return rv;
    }
    aggs = apr_pcalloc(r->in.p, (json_array_size(array) + 1) * sizeof(*aggs));
    json_array_foreach(array, i, agg)
    {
        rv = read_aggregation(&aggs[i], r, agg, AUR_AT_ELEMENT(list, i));
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    r->q->aggregations = aggs;
    r->q->naggregations = (int)json_array_size(array);
    return APR_SUCCESS;
}

static apr_status_t read_sort(aur_query_sort_t *s, aur_query_reader_t *r, const json_t *entry,
                              const aur_json_at_t *at)
{
    aur_json_order_t order = {0, -1};
    apr_status_t rv = aur_json_need_object(&r->in, entry, at);

    if (rv == APR_SUCCESS) {
        rv = aur_json_need_string(&s->column, &r->in, entry, "column", at);
    }
    if (rv == APR_SUCCESS) {
        rv = aur_json_get_order(&order, &r->in, entry, at);
    }
    s->descending = order.descending;
    s->nulls = order.nulls_first < 0 ? AUR_NULLS_DEFAULT
               : order.nulls_first   ? AUR_NULLS_FIRST
                                     : AUR_NULLS_LAST;
    return rv;
}

static apr_status_t read_sorting(aur_query_reader_t *r, const json_t *root)
{
    const aur_json_at_t *list = AUR_AT_MEMBER(NULL, "sorting");
    json_t *array = NULL, *entry;
    aur_query_sort_t *sorting;
    apr_size_t i;
    apr_status_t rv =
        aur_json_get_array(&array, &r->in, root, "sorting", NULL, AUR_QUERY_COLUMNS_MAX);

    if (rv != APR_SUCCESS || !array) {
        return rv;
    }
    sorting = apr_pcalloc(r->in.p, (json_array_size(array) + 1) * sizeof(*sorting));
    json_array_foreach(array, i, entry)
    {
        rv = read_sort(&sorting[i], r, entry, AUR_AT_ELEMENT(list, i));
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    r->q->sorting = sorting;
    r->q->nsorting = (int)json_array_size(array);
    return APR_SUCCESS;
}

/* --- partitions ------------------------------------------------------------------------------ */

static apr_status_t read_partition(aur_query_partition_t *part, aur_query_reader_t *r,
                                   const char *dataset, const json_t *value,
                                   const aur_json_at_t *at)
{
    apr_size_t len = strlen(dataset);

    if (!len || len > AUR_QUERY_NAME_MAX) {
        return aur_json_refuse(&r->in, at, "The name of a dataset has 1 to %d bytes.",
                               AUR_QUERY_NAME_MAX);
    }
    part->dataset = apr_pstrmemdup(r->in.p, dataset, len);
    return aur_query_read_list(&part->values, &part->nvalues, r, value, NULL, at);
}

static apr_status_t read_partitions(aur_query_reader_t *r, const json_t *root)
{
    const aur_json_at_t *here = AUR_AT_MEMBER(NULL, "partition_filters");
    json_t *object = aur_json_member(root, "partition_filters"), *value;
    aur_query_partition_t *parts;
    const char *dataset;
    apr_status_t rv;

    if (!object) {
        return APR_SUCCESS;
    }
    rv = aur_json_need_object(&r->in, object, here);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (json_object_size(object) > PARTITIONS_MAX) {
        return aur_json_refuse(&r->in, here, "partition_filters has more than %d entries.",
                               PARTITIONS_MAX);
    }
    parts = apr_pcalloc(r->in.p, (json_object_size(object) + 1) * sizeof(*parts));
    r->q->partitions = parts;
    json_object_foreach(object, dataset, value)
    {
        if (json_is_null(value)) {
            continue;
        }
        rv = read_partition(&parts[r->q->npartitions++], r, dataset, value,
                            AUR_AT_MEMBER(here, dataset));
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    return APR_SUCCESS;
}

static apr_status_t read_load_type(aur_query_reader_t *r, const json_t *root)
{
    aur_query_t *q = r->q;
    apr_status_t rv = aur_json_get_string(&q->load_type, &r->in, root, "partition_load_type", NULL);

    if (rv == APR_SUCCESS && q->load_type && !*q->load_type) {
        q->load_type = NULL;
    }
    return rv;
}

/* --- the rest -------------------------------------------------------------------------------- */

static apr_status_t read_paging(aur_query_reader_t *r, const json_t *root)
{
    apr_status_t rv;

    r->q->limit = LIMIT_DEFAULT;
    rv = aur_json_get_whole(&r->q->limit, &r->in, root, "limit", NULL, 1);
    if (rv == APR_SUCCESS) {
        rv = aur_json_get_whole(&r->q->offset, &r->in, root, "offset", NULL, 0);
    }
    if (rv == APR_SUCCESS) {
        rv = aur_json_get_word(&r->q->arrays, &r->in, root, "shape", NULL,
                               aur_query_words(AUR_WORDS_SHAPE));
    }
    return rv;
}

/* An empty list of columns leaves the choice to the grouping; without one there is nothing to
 * show. */
static apr_status_t check_columns(aur_query_reader_t *r, const json_t *root)
{
    int grouped = r->q->ngroup_by || r->q->naggregations;

    if (r->q->columns && !r->q->ncolumns && !grouped) {
        return aur_json_refuse(&r->in, AUR_AT_MEMBER(NULL, "columns"),
                               "Name at least one column, or leave columns out for all of them.");
    }
    r->q->all_columns = !r->q->ncolumns;
    return APR_SUCCESS;
}

apr_status_t aur_query_read(aur_query_t **query, const json_t *root,
                            const apr_array_header_t *callers, aur_error_t *err, apr_pool_t *p)
{
    static apr_status_t (*const steps[])(aur_query_reader_t *, const json_t *) = {
        read_dataset,   read_columns,      read_joins,   aur_query_read_filters,
        read_group_by,  read_aggregations, read_sorting, read_partitions,
        read_load_type, read_paging,       check_columns};
    aur_query_reader_t r = {{err, p, AUR_QUERY_NAME_MAX}, NULL, 0, 0, 0, NULL, callers};
    apr_size_t i;
    apr_status_t rv = aur_json_need_object(&r.in, root, NULL);

    r.q = apr_pcalloc(p, sizeof(*r.q));
    for (i = 0; i < sizeof(steps) / sizeof(steps[0]) && rv == APR_SUCCESS; i++) {
        rv = steps[i](&r, root);
    }
    if (rv == APR_SUCCESS) {
        *query = r.q;
    }
    return rv;
}

apr_status_t aur_query_parse(aur_query_t **query, const char *body, apr_size_t len,
                             aur_error_t *err, apr_pool_t *p)
{
    json_t *root = NULL;
    apr_status_t rv = aur_json_load(&root, body, len, AUR_QUERY_DEPTH_MAX, "The body", err);

    if (rv == APR_SUCCESS) {
        rv = aur_query_read(query, root, NULL, err, p);
        json_decref(root);
    }
    return rv;
}
