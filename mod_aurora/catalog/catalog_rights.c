/* catalog_rights.c - members of the catalogue file that say who may see what: roles, row_filter
 * (aurora/catalog.h). A slip in them must not open anything: an empty list and a filter that
 * restricts nothing are refused. And in the whole file null is: left out means every column, every caller. */
#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

#include "catalog_parts.h"

#define ROLES_MAX 1000

/* Of a rule: its operator says what value may be, and nobody looks at datatype. */
static int takes_null(const char *name)
{
    return !strcmp(name, "value") || !strcmp(name, "datatype");
}

apr_status_t aur_file_members_check(const aur_json_in_t *in, const json_t *object,
                                    const aur_json_at_t *at, const char *const *known)
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
            return aur_json_refuse(in, AUR_AT_MEMBER(at, name), "this member is not known.");
        }
        if (json_is_null(value) && !takes_null(name)) {
            return aur_json_refuse(in, AUR_AT_MEMBER(at, name), "null is no value; leave %s out.",
                                   name);
        }
    }
    return APR_SUCCESS;
}

apr_status_t aur_file_refused(aur_error_t *err, apr_pool_t *p)
{
    const char *pointer = apr_pstrdup(p, err->pointer), *detail = apr_pstrdup(p, err->detail);

    return aur_error_set(err, err->code, pointer, "%s: %s", *pointer ? pointer : "(document)",
                         detail);
}

/* --- roles ----------------------------------------------------------------------------------- */

/* Can a caller have it at all? AuroraRoles gives words between commas, without blanks around them. */
static int is_role(const char *role)
{
    apr_size_t len = strlen(role);

    return len > 0 && !strchr(role, ',') && !apr_isspace(role[0]) && !apr_isspace(role[len - 1]);
}

apr_status_t aur_file_roles_read(const char *const **roles, const aur_json_in_t *in,
                                 const json_t *object, const aur_json_at_t *at)
{
    const aur_json_at_t *here = AUR_AT_MEMBER(at, "roles");
    const char *const *names = NULL;
    int n = 0, i;
    apr_status_t rv;

    if (!json_object_get(object, "roles")) {
        return APR_SUCCESS;
    }
    rv = aur_json_get_strings(&names, &n, in, object, "roles", at, ROLES_MAX);
    if (rv == APR_SUCCESS && n == 0) {
        rv = aur_json_refuse(in, here, "name at least one role, or leave roles out.");
    }
    for (i = 0; i < n && rv == APR_SUCCESS; i++) {
        if (!is_role(names[i])) {
            rv = aur_json_refuse(in, AUR_AT_ELEMENT(here, (apr_size_t)i),
                                 "a role has no comma in it and no blank around it.");
        }
    }
    *roles = names;
    return rv;
}

/* --- row_filter ------------------------------------------------------------------------------ */

/* The columns of one filter while they are collected. */
typedef struct names_t {
    const aur_json_in_t *in;
    apr_array_header_t *columns; /* const char * */
} names_t;

static void column_add(const names_t *x, const char *name)
{
    int i;

    for (i = 0; i < x->columns->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(x->columns, i, const char *), name)) {
            return;
        }
    }
    APR_ARRAY_PUSH(x->columns, const char *) = apr_pstrdup(x->in->p, name);
}

static apr_status_t rule_shape(const names_t *x, const json_t *rule, const aur_json_at_t *at)
{
    static const char *const known[] = {"column",      "operator", "value",
                                        "ignore_case", "datatype", NULL};
    const char *column = NULL;
    apr_status_t rv = aur_file_members_check(x->in, rule, at, known);

    if (rv == APR_SUCCESS) {
        rv = aur_json_need_string(&column, x->in, rule, "column", at);
    }
    if (rv == APR_SUCCESS) {
        column_add(x, column);
    }
    return rv;
}

/* As deep as the file may be nested. */
static apr_status_t group_shape(const names_t *x, const json_t *group, const aur_json_at_t *at)
{
    static const char *const known[] = {"logic", "conditions", NULL};
    const aur_json_at_t *list = AUR_AT_MEMBER(at, "conditions");
    const json_t *conditions = json_object_get(group, "conditions"), *node;
    apr_size_t i;
    apr_status_t rv = aur_file_members_check(x->in, group, at, known);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!json_is_array(conditions) || json_array_size(conditions) == 0) {
        return aur_json_refuse(x->in, list, "a group needs at least one condition.");
    }
    json_array_foreach((json_t *)conditions, i, node)
    {
        const aur_json_at_t *here = AUR_AT_ELEMENT(list, i);
        rv = aur_json_need_object(x->in, node, here);
        if (rv == APR_SUCCESS && json_object_get(node, "column")) {
            rv = rule_shape(x, node, here);
        }
        else if (rv == APR_SUCCESS) {
            rv = group_shape(x, node, here);
        }
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    return APR_SUCCESS;
}

static apr_status_t json_release(void *json)
{
    json_decref(json);
    return APR_SUCCESS;
}

apr_status_t aur_file_row_filter_read(aur_file_dataset_t *d, const aur_json_in_t *in,
                                      const json_t *dataset, const aur_json_at_t *at)
{
    const aur_json_at_t *here = AUR_AT_MEMBER(at, "row_filter");
    json_t *filter = json_object_get(dataset, "row_filter");
    names_t x = {in, NULL};
    apr_status_t rv;

    if (!filter) {
        return APR_SUCCESS;
    }
    rv = aur_json_need_object(in, filter, here);
    x.columns = apr_array_make(in->p, 4, sizeof(const char *));
    if (rv == APR_SUCCESS) {
        rv = group_shape(&x, filter, here);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    json_incref(filter);
    apr_pool_cleanup_register(in->p, filter, json_release, apr_pool_cleanup_null);
    d->row_filter = filter;
    d->nfilter_columns = x.columns->nelts;
    d->filter_columns = (const char *const *)x.columns->elts;
    return APR_SUCCESS;
}

apr_status_t aur_catalog_file_filters(aur_catalog_file_t *file, aur_row_filter_fn *read, void *ctx,
                                      aur_error_t *err, apr_pool_t *p)
{
    int i;

    for (i = 0; i < file->ndatasets; i++) {
        aur_file_dataset_t *d = &file->datasets[i];
        if (d->row_filter && read(&d->filter, ctx, d->row_filter, d->name, err, p) != APR_SUCCESS) {
            return aur_file_refused(err, p);
        }
    }
    return APR_SUCCESS;
}
