/* explain_dbd.c - how many rows MariaDB or MySQL expect of a statement: EXPLAIN FORMAT=JSON, whose shape
 * differs between the two and from version to version.
 *
 * A plan is a chain of tables, each read once for every row of those before it; its rows, less what its
 * conditions are expected to let through of them (`filtered`, percent), multiply. Groups and sorts lie
 * around the chain and change nothing: a grouped statement is taken for the rows it reads. The parts of
 * a UNION add up. LIMIT does not show. Subqueries in expressions are not counted. */
#include <apr_strings.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dbd_private.h"

#define DEPTH_MAX 64
#define ROWS_MAX  9e18 /* below the largest 64-bit number */

/* What may lie between a block and its tables. */
static const char *const wrappers[] = {
    "query_block",        "ordering_operation",
    "grouping_operation", "duplicates_removal",
    "buffer_result",      "windowing",
    "filesort",           "temporary_table",
    "read_sorted_file",   "window_functions_computation",
    "block-nl-join",      "materialized",
};

/* -1: not understood */
static double rows_of(const json_t *node, int depth);

static double number_of(const json_t *object, const char *name, double otherwise)
{
    const json_t *value = json_object_get(object, name);

    if (json_is_string(value)) {
        return atof(json_string_value(value)); /* MySQL writes "100.00" */
    }
    return json_is_number(value) ? json_number_value(value) : otherwise;
}

static double rows_of_table(const json_t *table, int depth)
{
    double rows = number_of(table, "rows", number_of(table, "rows_examined_per_scan", -1));
    const json_t *inner = json_object_get(table, "materialized_from_subquery");

    if (rows >= 0) {
        return rows * number_of(table, "filtered", 100) / 100;
    }
    if (json_is_object(inner)) {
        return rows_of(inner, depth + 1);
    }
    /* "Impossible WHERE", "No matching row in const table" */
    return json_is_string(json_object_get(table, "message")) ? 1 : -1;
}

static double product(const json_t *chain, int depth)
{
    double rows = 1, part;
    size_t i;

    for (i = 0; i < json_array_size(chain); i++) {
        part = rows_of(json_array_get(chain, i), depth + 1);
        if (part < 0) {
            return -1;
        }
        rows *= part;
    }
    return rows;
}

static double sum(const json_t *parts, int depth)
{
    double rows = 0, part;
    size_t i;

    for (i = 0; i < json_array_size(parts); i++) {
        part = rows_of(json_array_get(parts, i), depth + 1);
        if (part < 0) {
            return -1;
        }
        rows += part;
    }
    return rows;
}

static double rows_of(const json_t *node, int depth)
{
    const json_t *part;
    size_t i;

    if (!json_is_object(node) || depth > DEPTH_MAX) {
        return -1;
    }
    if ((part = json_object_get(node, "nested_loop")) != NULL) {
        return product(part, depth);
    }
    if ((part = json_object_get(node, "union_result")) != NULL) {
        return sum(json_object_get(part, "query_specifications"), depth);
    }
    if ((part = json_object_get(node, "table")) != NULL) {
        return rows_of_table(part, depth);
    }
    for (i = 0; i < sizeof(wrappers) / sizeof(wrappers[0]); i++) {
        if ((part = json_object_get(node, wrappers[i])) != NULL) {
            return rows_of(part, depth + 1);
        }
    }
    return json_is_string(json_object_get(node, "message")) ? 1 : -1;
}

/* Older MariaDB repeats the member "table" in one object: refused, so that none is missed. */
static apr_status_t plan_rows(apr_int64_t *rows, const char *text)
{
    json_t *plan = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    double found = rows_of(plan, 0);

    json_decref(plan);
    if (found < 0 || isnan(found)) {
        return APR_ENOTIMPL;
    }
    *rows = found >= ROWS_MAX ? APR_INT64_MAX : (apr_int64_t)ceil(found);
    return APR_SUCCESS;
}

typedef struct plan_t {
    const char *text;
    apr_pool_t *p;
} plan_t;

static void take_text(void *ctx, const char *const *fields)
{
    plan_t *plan = ctx;
    plan->text = apr_pstrdup(plan->p, fields[0]);
}

apr_status_t aur_dbd_explain(apr_int64_t *rows, aur_session_t *session, const aur_sql_t *sql,
                             aur_error_t *err, apr_pool_t *p)
{
    const aur_dbd_t *d = session->private;
    aur_sql_t explain = *sql;
    plan_t plan = {.text = "", .p = p};
    apr_status_t rv;

    if (d->kind != AUR_DBD_MYSQL) {
        return APR_ENOTIMPL;
    }
    explain.text = apr_pstrcat(p, "EXPLAIN FORMAT=JSON ", sql->text, NULL);
    explain.len = strlen(explain.text);
    explain.ncolumns = 0;
    explain.columns = NULL;
    rv = aur_dbd_each(session, &explain, take_text, &plan, err, p);
    return rv == APR_SUCCESS ? plan_rows(rows, plan.text) : rv;
}
