/* query_filter.c - `filters` of a request: groups, rules, values (aurora/query.h). */
#include <apr_strings.h>

#include "aurora/query_words.h"
#include "query_read.h"

const char *aur_op_word(aur_op_e op)
{
    const aur_word_t *w = aur_query_words(AUR_WORDS_OPERATOR);

    while (w->word && w->value != (int)op) {
        w++;
    }
    return w->word ? w->word : "this operator";
}

/* --- values ---------------------------------------------------------------------------------- */

static apr_status_t no_value(aur_query_reader_t *r, const char *column, const aur_json_at_t *at)
{
    aur_error_set(
        r->in.err, AUR_E_BAD_VALUE, aur_json_pointer(at, r->in.p),
        "A value is missing here; to look for rows without one, use the operator is_null.");
    aur_error_column(r->in.err, column ? column : "");
    return APR_EGENERAL;
}

static int is_callers(const aur_query_reader_t *r, const json_t *value)
{
    int i;

    for (i = 0; r->callers && i < r->callers->nelts; i++) {
        if (APR_ARRAY_IDX(r->callers, i, const json_t *) == value) {
            return 1;
        }
    }
    return 0;
}

static apr_status_t scalar_read(aur_scalar_t *out, aur_query_reader_t *r, const json_t *value,
                                const char *column, const aur_json_at_t *at)
{
    if (++r->nvalues > AUR_QUERY_VALUES_MAX) {
        return aur_json_refuse(&r->in, at, "The request has more than %d values.",
                               AUR_QUERY_VALUES_MAX);
    }
    if (!value || json_is_null(value)) {
        return no_value(r, column, at);
    }
    out->callers = is_callers(r, value);
    switch (json_typeof(value)) {
    case JSON_STRING:
        out->kind = AUR_J_STRING;
        out->len = json_string_length(value);
        out->s = apr_pstrmemdup(r->in.p, json_string_value(value), out->len);
        return APR_SUCCESS;
    case JSON_INTEGER:
        out->kind = AUR_J_INT;
        out->i = json_integer_value(value);
        return APR_SUCCESS;
    case JSON_REAL:
        out->kind = AUR_J_REAL;
        out->d = json_real_value(value);
        return APR_SUCCESS;
    case JSON_TRUE:
    case JSON_FALSE:
        out->kind = AUR_J_BOOL;
        out->i = json_is_true(value);
        return APR_SUCCESS;
    default:
        if (r->exprs && json_is_object(value)) {
            return aur_query_read_expr(out, r, value, at);
        }
        return aur_json_refuse(&r->in, at, "A single value is expected here, not %s.",
                               aur_json_kind(value));
    }
}

static apr_status_t elements_read(const aur_scalar_t **values, int *nvalues, aur_query_reader_t *r,
                                  const json_t *array, const char *column, const aur_json_at_t *at)
{
    aur_scalar_t *out = apr_pcalloc(r->in.p, json_array_size(array) * sizeof(*out));
    const json_t *value;
    apr_size_t i;

    json_array_foreach(array, i, value)
    {
        apr_status_t rv = scalar_read(&out[i], r, value, column, AUR_AT_ELEMENT(at, i));
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    *values = out;
    *nvalues = (int)json_array_size(array);
    return APR_SUCCESS;
}

static apr_status_t single_read(const aur_scalar_t **values, int *nvalues, aur_query_reader_t *r,
                                const json_t *value, const char *column, const aur_json_at_t *at)
{
    aur_scalar_t *out = apr_pcalloc(r->in.p, sizeof(*out));

    *values = out;
    *nvalues = 1;
    return scalar_read(out, r, value, column, at);
}

apr_status_t aur_query_read_list(const aur_scalar_t **values, int *nvalues, aur_query_reader_t *r,
                                 const json_t *value, const char *column, const aur_json_at_t *at)
{
    if (!value || json_is_null(value)) {
        return no_value(r, column, at);
    }
    if (!json_is_array(value)) {
        return aur_json_refuse(&r->in, at, "A list of values is expected here, not %s.",
                               aur_json_kind(value));
    }
    if (!json_array_size(value) || json_array_size(value) > AUR_QUERY_IN_MAX) {
        return aur_json_refuse(&r->in, at, "A list of 1 to %d values is expected here.",
                               AUR_QUERY_IN_MAX);
    }
    return elements_read(values, nvalues, r, value, column, at);
}

static apr_status_t pair_read(aur_filter_t *f, aur_query_reader_t *r, const json_t *value,
                              const aur_json_at_t *at)
{
    if (!value) {
        return no_value(r, f->column, at);
    }
    if (json_is_string(value) || (r->exprs && json_is_object(value))) {
        r->nvalues++; /* it stands for two */
        return single_read(&f->values, &f->nvalues, r, value, f->column, at);
    }
    if (!json_is_array(value) || json_array_size(value) != 2) {
        return aur_json_refuse(&r->in, at, "between needs [low, high] or the text \"low,high\".");
    }
    return elements_read(&f->values, &f->nvalues, r, value, f->column, at);
}

/* --- rules and groups ------------------------------------------------------------------------ */

static apr_status_t operator_read(aur_filter_t *f, aur_query_reader_t *r, const json_t *rule,
                                  const aur_json_at_t *at)
{
    const aur_word_t *operators = aur_query_words(AUR_WORDS_OPERATOR), *found;
    const char *word = NULL;
    apr_status_t rv = aur_json_need_string(&word, &r->in, rule, "operator", at);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    found = aur_word_find(operators, word);
    if (!found) {
        aur_error_set(r->in.err, AUR_E_UNKNOWN_OPERATOR,
                      aur_json_pointer(AUR_AT_MEMBER(at, "operator"), r->in.p),
                      "There is no operator %s; there are: %s.", aur_name_shown(word, r->in.p),
                      aur_word_list(operators, r->in.p));
        aur_error_column(r->in.err, f->column);
        return APR_EGENERAL;
    }
    f->op = (aur_op_e)found->value;
    return APR_SUCCESS;
}

static apr_status_t values_read(aur_filter_t *f, aur_query_reader_t *r, const json_t *rule,
                                const aur_json_at_t *at)
{
    const json_t *value = aur_json_member(rule, "value");
    const aur_json_at_t *here = AUR_AT_MEMBER(at, "value");

    switch (f->op) {
    case AUR_OP_IS_NULL:
    case AUR_OP_IS_NOT_NULL:
    case AUR_OP_IS_EMPTY:
    case AUR_OP_IS_NOT_EMPTY:
        return APR_SUCCESS;
    case AUR_OP_IN:
    case AUR_OP_NOT_IN:
        if (r->exprs && json_is_object(value)) {
            f->whole_list = 1;
            return single_read(&f->values, &f->nvalues, r, value, f->column, here);
        }
        return aur_query_read_list(&f->values, &f->nvalues, r, value, f->column, here);
    case AUR_OP_BETWEEN:
        return pair_read(f, r, value, here);
    default:
        return single_read(&f->values, &f->nvalues, r, value, f->column, here);
    }
}

static apr_status_t rule_read(aur_filter_t *f, aur_query_reader_t *r, const json_t *rule,
                              const aur_json_at_t *at)
{
    apr_status_t rv;

    if (++r->nrules > AUR_QUERY_RULES_MAX) {
        return aur_json_refuse(&r->in, at, "The request has more than %d rules.",
                               AUR_QUERY_RULES_MAX);
    }
    rv = aur_json_need_string(&f->column, &r->in, rule, "column", at);
    if (rv == APR_SUCCESS) {
        rv = operator_read(f, r, rule, at);
    }
    if (rv == APR_SUCCESS) {
        rv = aur_json_get_flag(&f->ignore_case, &r->in, rule, "ignore_case", at);
    }
    if (rv == APR_SUCCESS) {
        rv = values_read(f, r, rule, at);
    }
    return rv;
}

static apr_status_t node_read(aur_filter_t **out, aur_query_reader_t *r, const json_t *node,
                              const aur_json_at_t *at);

/* *out stays NULL for a group that restricts nothing. */
static apr_status_t group_read(aur_filter_t **out, aur_query_reader_t *r, const json_t *group,
                               const aur_json_at_t *at)
{
    const aur_json_at_t *list = AUR_AT_MEMBER(at, "conditions");
    json_t *conditions = NULL, *node;
    aur_filter_t **children, *f = apr_pcalloc(r->in.p, sizeof(*f));
    apr_size_t i;
    apr_status_t rv;

    if (++r->ngroups > AUR_QUERY_RULES_MAX) {
        return aur_json_refuse(&r->in, at, "The request has more than %d groups.",
                               AUR_QUERY_RULES_MAX);
    }
    f->is_group = 1;
    rv = aur_json_get_word(&f->any, &r->in, group, "logic", at, aur_query_words(AUR_WORDS_LOGIC));
    if (rv == APR_SUCCESS) {
        rv = aur_json_get_array(&conditions, &r->in, group, "conditions", at, AUR_QUERY_RULES_MAX);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    children = apr_pcalloc(r->in.p, (json_array_size(conditions) + 1) * sizeof(*children));
    json_array_foreach(conditions, i, node)
    {
        rv = node_read(&children[f->nchildren], r, node, AUR_AT_ELEMENT(list, i));
        if (rv != APR_SUCCESS) {
            return rv;
        }
        f->nchildren += children[f->nchildren] != NULL;
    }
    f->pointer = aur_json_pointer(at, r->in.p);
    f->children = children;
    *out = f->nchildren ? f : NULL;
    return APR_SUCCESS;
}

static apr_status_t node_read(aur_filter_t **out, aur_query_reader_t *r, const json_t *node,
                              const aur_json_at_t *at)
{
    apr_status_t rv = aur_json_need_object(&r->in, node, at);
    int rule, group;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    rule = aur_json_member(node, "column") != NULL;
    group = aur_json_member(node, "conditions") != NULL;
    if (rule == group) {
        return aur_json_refuse(&r->in, at,
                               "Either a rule (column, operator, value) or a group (logic, "
                               "conditions) is expected here.");
    }
    if (group) {
        return group_read(out, r, node, at);
    }
    *out = apr_pcalloc(r->in.p, sizeof(**out));
    (*out)->pointer = aur_json_pointer(at, r->in.p);
    return rule_read(*out, r, node, at);
}

apr_status_t aur_query_read_group(aur_filter_t **out, aur_query_reader_t *r, const json_t *group,
                                  const aur_json_at_t *at)
{
    apr_status_t rv = aur_json_need_object(&r->in, group, at);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!aur_json_member(group, "conditions")) {
        return aur_json_refuse(&r->in, at, "%s must be a group: logic and conditions.",
                               at->key ? at->key : "This");
    }
    return node_read(out, r, group, at);
}

apr_status_t aur_query_read_filters(aur_query_reader_t *r, const json_t *root)
{
    const json_t *filters = aur_json_member(root, "filters");
    aur_filter_t *top = NULL;
    apr_status_t rv;

    if (!filters) {
        return APR_SUCCESS;
    }
    rv = aur_query_read_group(&top, r, filters, AUR_AT_MEMBER(NULL, "filters"));
    r->q->filters = top;
    return rv;
}
