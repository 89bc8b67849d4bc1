/* query_fill.c - see query_fill.h. Values are put in as values of JSON, never as text of it. */
#include "query_fill.h"

#include <apr_strings.h>
#include <string.h>

#include "aurora/json_in.h"

/* What is being filled in. */
typedef struct fill_t {
    aur_json_in_t in;
    const aur_report_t *report;
    const aur_report_value_t *values;
    apr_array_header_t *callers; /* values that came with the caller; NULL: nobody asks */
} fill_t;

/* What became of a place. */
typedef enum {
    PLAIN,   /* there was none: the value stands for itself */
    FILLED,  /* with the values of a parameter */
    ABSENT,  /* its parameter has no value */
    WITHHELD /* its parameter should have come with the caller, and did not */
} outcome_e;

/* The members of a request (query.h; those at the end are for compatibility), and of what stands in them. */
static const char *const of_request[] = {"dataset",
                                         "columns",
                                         "joins",
                                         "filters",
                                         "group_by",
                                         "aggregations",
                                         "sorting",
                                         "partition_filters",
                                         "partition_load_type",
                                         "limit",
                                         "offset",
                                         "shape",
                                         "column_metadata",
                                         "use_high_perf_hints",
                                         "is_virtual_scroll",
                                         "is_preview",
                                         NULL};
static const char *const of_join[] = {
    "left_dataset", "right_dataset", "join_type", "alias", "on", NULL};
static const char *const of_on[] = {"left_column", "right_column", NULL};
static const char *const of_group[] = {"logic", "conditions", NULL};
static const char *const of_rule[] = {"column",      "operator", "value",
                                      "ignore_case", "datatype", NULL};
static const char *const of_aggregation[] = {"column", "function", "output_name", NULL};
static const char *const of_sort[] = {"column", "direction", "nulls", NULL};

/* --- places -------------------------------------------------------------------------------------- */

const char *aur_fill_place(const json_t *value, apr_size_t *len)
{
    const char *text = json_string_value(value);
    apr_size_t n = json_string_length(value);

    if (!text || n < 4 || strncmp(text, "${", 2) || text[n - 1] != '}') {
        return NULL;
    }
    *len = n - 3;
    return text + 2;
}

static apr_status_t no_place(const fill_t *f, const aur_json_at_t *at)
{
    return aur_json_refuse(&f->in, at,
                           "a parameter cannot stand here: it takes the place of a whole value in "
                           "filters, partition_filters, partition_load_type, limit or offset.");
}

static apr_status_t out_of_memory(const fill_t *f)
{
    return aur_error_set(f->in.err, AUR_E_INTERNAL, NULL, "The server is out of memory.");
}

/* The parameter at a place; *index is -1 where there is no place. */
static apr_status_t place_find(int *index, const fill_t *f, const json_t *value,
                               const aur_json_at_t *at)
{
    apr_size_t len;
    const char *name = aur_fill_place(value, &len);

    *index = -1;
    if (!name) {
        return json_is_string(value) && strstr(json_string_value(value), "${") ? no_place(f, at)
                                                                               : APR_SUCCESS;
    }
    *index = aur_report_param(f->report, name, len);
    if (*index < 0) {
        return aur_json_refuse(&f->in, at, "this report has no parameter %s.",
                               aur_name_shown(apr_pstrmemdup(f->in.p, name, len), f->in.p));
    }
    return APR_SUCCESS;
}

static json_t *value_json(const fill_t *f, int index, int i)
{
    const aur_report_value_t *value = &f->values[index];
    const aur_cell_t *cell = &value->cells[i];
    json_t *made = cell->kind == AUR_V_INT ? json_integer(cell->v.i) : json_string(value->texts[i]);

    if (f->callers && f->report->params[index].expr) {
        APR_ARRAY_PUSH(f->callers, const json_t *) = made;
    }
    return made;
}

/* All values of a parameter, behind what is in the array. */
static apr_status_t values_append(json_t *array, const fill_t *f, int index)
{
    int i;

    for (i = 0; i < f->values[index].nvalues; i++) {
        if (json_array_append_new(array, value_json(f, index, i)) != 0) {
            return out_of_memory(f);
        }
    }
    return APR_SUCCESS;
}

static outcome_e outcome_of(const fill_t *f, int index)
{
    if (f->values[index].nvalues > 0) {
        return FILLED;
    }
    return f->report->params[index].expr ? WITHHELD : ABSENT;
}

/* A list whose elements may be places; a parameter with several values adds them all. */
static apr_status_t list_fill(json_t **out, outcome_e *outcome, const fill_t *f, const json_t *list,
                              const aur_json_at_t *at)
{
    json_t *array = json_array(), *element;
    apr_status_t rv = array ? APR_SUCCESS : out_of_memory(f);
    apr_size_t i;

    *outcome = FILLED;
    for (i = 0; rv == APR_SUCCESS && i < json_array_size(list); i++) {
        int index;
        element = json_array_get(list, i);
        rv = place_find(&index, f, element, AUR_AT_ELEMENT(at, i));
        if (rv == APR_SUCCESS && index >= 0) {
            outcome_e one = outcome_of(f, index);
            *outcome = one > *outcome ? one : *outcome;
            rv = values_append(array, f, index);
        }
        else if (rv == APR_SUCCESS && json_array_append_new(array, json_deep_copy(element)) != 0) {
            rv = out_of_memory(f);
        }
    }
    *out = array;
    return rv;
}

/* A value: *out is set where it was filled, to be released; as_list: also one value is a list. */
static apr_status_t value_fill(json_t **out, outcome_e *outcome, const fill_t *f,
                               const json_t *value, int as_list, const aur_json_at_t *at)
{
    int index;
    apr_status_t rv;

    *out = NULL;
    *outcome = PLAIN;
    if (json_is_array(value)) {
        return list_fill(out, outcome, f, value, at);
    }
    rv = place_find(&index, f, value, at);
    if (rv != APR_SUCCESS || index < 0) {
        return rv;
    }
    *outcome = outcome_of(f, index);
    if (*outcome != FILLED) {
        return APR_SUCCESS;
    }
    if (!as_list && !f->report->params[index].multiple) {
        *out = value_json(f, index, 0);
        return *out ? APR_SUCCESS : out_of_memory(f);
    }
    *out = json_array();
    return *out ? values_append(*out, f, index) : out_of_memory(f);
}

/* --- filters ------------------------------------------------------------------------------------- */

/* No row meets it, whatever the column. */
static json_t *never(const json_t *rule)
{
    const char *column = json_string_value(json_object_get(rule, "column"));

    return json_pack("{s:s, s:[{s:s, s:s}, {s:s, s:s}]}", "logic", "AND", "conditions", "column",
                     column ? column : "", "operator", "is_null", "column", column ? column : "",
                     "operator", "is_not_null");
}

/* The rule itself (a copy, which is changed), another in its place, or NULL: it is left out. */
static apr_status_t rule_fill(json_t **rule, const fill_t *f, const aur_json_at_t *at)
{
    const json_t *value = json_object_get(*rule, "value");
    json_t *filled, *old = *rule;
    outcome_e outcome;
    apr_status_t rv = value_fill(&filled, &outcome, f, value, 0, AUR_AT_MEMBER(at, "value"));

    if (rv == APR_SUCCESS && outcome == FILLED) {
        return json_object_set_new(old, "value", filled) == 0 ? APR_SUCCESS : out_of_memory(f);
    }
    json_decref(filled);
    if (rv != APR_SUCCESS || outcome == PLAIN) {
        return rv;
    }
    *rule = outcome == WITHHELD ? never(old) : NULL;
    json_decref(old);
    return *rule || outcome == ABSENT ? APR_SUCCESS : out_of_memory(f);
}

/* A node of `filters`, a copy of its own. As deep as the catalogue file may be. */
static apr_status_t node_fill(json_t **node, const fill_t *f, const aur_json_at_t *at)
{
    const aur_json_at_t *list = AUR_AT_MEMBER(at, "conditions");
    json_t *old = json_object_get(*node, "conditions"), *conditions, *child;
    apr_size_t i;
    apr_status_t rv = APR_SUCCESS;

    if (!json_is_array(old)) {
        return json_is_object(*node) ? rule_fill(node, f, at) : APR_SUCCESS;
    }
    conditions = json_array();
    for (i = 0; rv == APR_SUCCESS && i < json_array_size(old); i++) {
        child = json_incref(json_array_get(old, i));
        rv = node_fill(&child, f, AUR_AT_ELEMENT(list, i));
        if (rv == APR_SUCCESS && child && json_array_append(conditions, child) != 0) {
            rv = out_of_memory(f);
        }
        json_decref(child);
    }
    if (json_object_set_new(*node, "conditions", conditions) != 0 && rv == APR_SUCCESS) {
        rv = out_of_memory(f);
    }
    return rv;
}

/* --- the other members --------------------------------------------------------------------------- */

/* A member that is left out where its parameter has no value. */
static apr_status_t member_fill(json_t *object, const char *name, int as_list, const fill_t *f,
                                const aur_json_at_t *at)
{
    const aur_json_at_t *here = AUR_AT_MEMBER(at, name);
    const json_t *value = json_object_get(object, name);
    outcome_e outcome;
    json_t *filled;
    apr_status_t rv = value_fill(&filled, &outcome, f, value, as_list, here);

    if (rv == APR_SUCCESS && outcome == FILLED) {
        return json_object_set_new(object, name, filled) == 0 ? APR_SUCCESS : out_of_memory(f);
    }
    json_decref(filled);
    if (rv == APR_SUCCESS && outcome == WITHHELD) {
        /* the check when the server starts keeps such parameters to rules */
        return aur_json_refuse(&f->in, here, "a value of the caller's cannot stand here.");
    }
    if (rv == APR_SUCCESS && outcome == ABSENT) {
        json_object_del(object, name);
    }
    return rv;
}

static apr_status_t partitions_fill(json_t *root, const fill_t *f)
{
    const aur_json_at_t *here = AUR_AT_MEMBER(NULL, "partition_filters");
    json_t *parts = json_object_get(root, "partition_filters"), *value;
    const char *dataset;
    void *next;
    apr_status_t rv = APR_SUCCESS;

    json_object_foreach_safe(parts, next, dataset, value)
    {
        if (rv == APR_SUCCESS) {
            rv = member_fill(parts, dataset, 1, f, here);
        }
    }
    return rv;
}

static apr_status_t root_fill(json_t *root, const fill_t *f)
{
    static const char *const single[] = {"partition_load_type", "limit", "offset"};
    json_t *filters = json_object_get(root, "filters");
    apr_status_t rv = APR_SUCCESS;
    apr_size_t i;

    if (filters && json_is_array(json_object_get(filters, "conditions"))) {
        rv = node_fill(&filters, f, AUR_AT_MEMBER(NULL, "filters"));
    }
    if (rv == APR_SUCCESS) {
        rv = partitions_fill(root, f);
    }
    for (i = 0; rv == APR_SUCCESS && i < sizeof(single) / sizeof(single[0]); i++) {
        rv = member_fill(root, single[i], 0, f, NULL);
    }
    return rv;
}

apr_status_t aur_fill(json_t **filled, apr_array_header_t *callers, const aur_report_t *report,
                      const aur_report_value_t *values, aur_error_t *err, apr_pool_t *p)
{
    fill_t f = {{err, p, AUR_QUERY_NAME_MAX}, report, values, callers};
    json_t *root = json_deep_copy(report->query);
    apr_status_t rv = root ? root_fill(root, &f) : out_of_memory(&f);

    if (rv != APR_SUCCESS) {
        json_decref(root);
        return rv;
    }
    *filled = root;
    return APR_SUCCESS;
}

/* --- the check ----------------------------------------------------------------------------------- */

/* Where a value may stand; a value of the caller's in rules alone. */
typedef enum { NOWHERE, ANY_VALUE, RULE_VALUE } here_e;

static int is(const aur_json_at_t *at, const char *name)
{
    return at && at->key && !strcmp(at->key, name);
}

/* As root_fill goes. */
static here_e allowed_at(const aur_json_at_t *at)
{
    const aur_json_at_t *value = at && !at->key ? at->up : at, *top = value;

    if (!value) {
        return NOWHERE;
    }
    if (!value->up) {
        return value == at && (is(value, "partition_load_type") || is(value, "limit") ||
                               is(value, "offset"))
                   ? ANY_VALUE
                   : NOWHERE;
    }
    if (!value->up->up && is(value->up, "partition_filters")) {
        return ANY_VALUE;
    }
    while (top->up) {
        top = top->up;
    }
    return is(top, "filters") && is(value, "value") && !value->up->key ? RULE_VALUE : NOWHERE;
}

static apr_status_t string_check(const fill_t *f, const json_t *value, const aur_json_at_t *at)
{
    here_e here = allowed_at(at);
    int index;
    apr_status_t rv;

    if (!strstr(json_string_value(value), "${")) {
        return APR_SUCCESS;
    }
    if (here == NOWHERE) {
        return no_place(f, at);
    }
    rv = place_find(&index, f, value, at);
    if (rv == APR_SUCCESS && here != RULE_VALUE && f->report->params[index].expr) {
        rv = aur_json_refuse(&f->in, at, "a parameter with expr can stand in filters only.");
    }
    return rv;
}

/* As deep as the catalogue file may be. */
static apr_status_t places_check(const fill_t *f, const json_t *node, const aur_json_at_t *at)
{
    apr_status_t rv = APR_SUCCESS;
    const char *name;
    json_t *value;
    apr_size_t i;

    if (json_is_string(node)) {
        return string_check(f, node, at);
    }
    json_array_foreach(node, i, value)
    {
        rv = rv == APR_SUCCESS ? places_check(f, value, AUR_AT_ELEMENT(at, i)) : rv;
    }
    json_object_foreach((json_t *)node, name, value)
    {
        const aur_json_at_t *here = AUR_AT_MEMBER(at, name);
        if (rv == APR_SUCCESS && strstr(name, "${")) {
            rv = no_place(f, here);
        }
        rv = rv == APR_SUCCESS ? places_check(f, value, here) : rv;
    }
    return rv;
}

/* A request may carry what it likes; a slip of the administrator's would be ignored without a word. What is no
 * object is told when the request is read. */
static apr_status_t members_check(const fill_t *f, const json_t *object, const char *const *known,
                                  const aur_json_at_t *at)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)object, name, value)
    {
        const char *const *k = known;
        while (*k && strcmp(*k, name)) {
            k++;
        }
        if (!*k) {
            return aur_json_refuse(&f->in, AUR_AT_MEMBER(at, name), "this member is not known.");
        }
    }
    return APR_SUCCESS;
}

/* Those of each object in a list. */
static apr_status_t list_check(const fill_t *f, const json_t *object, const char *name,
                               const char *const *known, const aur_json_at_t *at)
{
    const aur_json_at_t *list = AUR_AT_MEMBER(at, name);
    apr_status_t rv = APR_SUCCESS;
    json_t *value;
    apr_size_t i;

    json_array_foreach(json_object_get(object, name), i, value)
    {
        const aur_json_at_t *here = AUR_AT_ELEMENT(list, i);
        if (rv == APR_SUCCESS) {
            rv = members_check(f, value, known, here);
        }
        if (rv == APR_SUCCESS && known == of_join) {
            rv = list_check(f, value, "on", of_on, here);
        }
    }
    return rv;
}

/* As deep as the catalogue file may be. */
static apr_status_t filters_check(const fill_t *f, const json_t *node, const aur_json_at_t *at)
{
    const json_t *conditions = aur_json_member(node, "conditions");
    const aur_json_at_t *list = AUR_AT_MEMBER(at, "conditions");
    apr_status_t rv = members_check(f, node, conditions ? of_group : of_rule, at);
    json_t *value;
    apr_size_t i;

    json_array_foreach(conditions, i, value)
    {
        rv = rv == APR_SUCCESS ? filters_check(f, value, AUR_AT_ELEMENT(list, i)) : rv;
    }
    return rv;
}

apr_status_t aur_fill_check(const aur_report_t *report, aur_error_t *err, apr_pool_t *p)
{
    fill_t f = {{err, p, AUR_QUERY_NAME_MAX}, report, NULL, NULL};
    const json_t *query = report->query;
    apr_status_t rv = members_check(&f, query, of_request, NULL);

    if (rv == APR_SUCCESS) {
        rv = list_check(&f, query, "joins", of_join, NULL);
    }
    if (rv == APR_SUCCESS) {
        rv = filters_check(&f, json_object_get(query, "filters"), AUR_AT_MEMBER(NULL, "filters"));
    }
    if (rv == APR_SUCCESS) {
        rv = list_check(&f, query, "aggregations", of_aggregation, NULL);
    }
    if (rv == APR_SUCCESS) {
        rv = list_check(&f, query, "sorting", of_sort, NULL);
    }
    return rv == APR_SUCCESS ? places_check(&f, query, NULL) : rv;
}
