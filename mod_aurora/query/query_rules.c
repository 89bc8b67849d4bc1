/* query_rules.c - filters of a request, checked and split into WHERE and HAVING
 * (query_planner.h). */
#include <apr_strings.h>
#include <apr_tables.h>

#include "aurora/json_in.h"
#include "query_planner.h"
#include "query_read.h"
#include "query_value.h"

#define SHOWN(pl, name) aur_name_shown((name), (pl)->scratch)

/* What a filter becomes: either part may be NULL. */
typedef struct parts_t {
    aur_plan_expr_t *where;
    aur_plan_expr_t *having;
} parts_t;

/* What stands left of an operator. */
typedef struct operand_t {
    int aggregation; /* -1: a column */
    aur_column_ref_t column;
    aur_type_e type;
    int comparable;
} operand_t;

/* --- expressions ----------------------------------------------------------------------------- */

aur_cell_t *aur_planner_values(aur_planner_t *pl, int n, const char *pointer)
{
    pl->nvalues += n;
    if (pl->nvalues > AUR_QUERY_VALUES_MAX) {
        aur_error_set(pl->err, AUR_E_BAD_REQUEST, pointer,
                      "The request needs more than %d values, counting partition values once for "
                      "each use of their dataset.",
                      AUR_QUERY_VALUES_MAX);
        return NULL;
    }
    return apr_pcalloc(pl->p, (apr_size_t)n * sizeof(aur_cell_t));
}

aur_plan_expr_t *aur_planner_rule(aur_planner_t *pl, aur_column_ref_t column, aur_type_e type,
                                  aur_op_e op)
{
    aur_plan_expr_t *e = apr_pcalloc(pl->p, sizeof(*e));

    e->aggregation = -1;
    e->column = column;
    e->type = type;
    e->op = op;
    return e;
}

aur_plan_expr_t *aur_planner_group(aur_planner_t *pl, const apr_array_header_t *exprs, int any)
{
    aur_plan_expr_t *e;

    if (exprs->nelts < 2) {
        return exprs->nelts ? APR_ARRAY_IDX(exprs, 0, aur_plan_expr_t *) : NULL;
    }
    e = apr_pcalloc(pl->p, sizeof(*e));
    e->is_group = 1;
    e->any = any;
    e->aggregation = -1;
    e->nchildren = exprs->nelts;
    e->children =
        apr_pmemdup(pl->p, exprs->elts, (apr_size_t)exprs->nelts * sizeof(aur_plan_expr_t *));
    return e;
}

/* --- operators ------------------------------------------------------------------------------- */

static int takes_no_value(aur_op_e op)
{
    return op == AUR_OP_IS_NULL || op == AUR_OP_IS_NOT_NULL || op == AUR_OP_IS_EMPTY ||
           op == AUR_OP_IS_NOT_EMPTY;
}

/* What an operator works on, as the end of "eq works on"; NULL: it works on this operand. */
static const char *works_on_others(aur_op_e op, const operand_t *o)
{
    switch (op) {
    case AUR_OP_IS_NULL:
    case AUR_OP_IS_NOT_NULL:
        return NULL;
    case AUR_OP_CONTAINS:
    case AUR_OP_NOT_CONTAINS:
    case AUR_OP_STARTS_WITH:
    case AUR_OP_ENDS_WITH:
    case AUR_OP_IS_EMPTY:
    case AUR_OP_IS_NOT_EMPTY:
        return o->type == AUR_T_TEXT && o->comparable ? NULL : "text columns";
    case AUR_OP_GT:
    case AUR_OP_GTE:
    case AUR_OP_LT:
    case AUR_OP_LTE:
    case AUR_OP_BETWEEN:
        return o->comparable && o->type != AUR_T_BOOLEAN && o->type != AUR_T_BINARY
                   ? NULL
                   : "numbers, dates, timestamps and texts";
    default:
        return o->comparable && o->type != AUR_T_BINARY ? NULL : "columns that can be compared";
    }
}

static int folds(aur_op_e op)
{
    switch (op) {
    case AUR_OP_EQ:
    case AUR_OP_NEQ:
    case AUR_OP_IN:
    case AUR_OP_NOT_IN:
    case AUR_OP_CONTAINS:
    case AUR_OP_NOT_CONTAINS:
    case AUR_OP_STARTS_WITH:
    case AUR_OP_ENDS_WITH:
        return 1;
    default:
        return 0;
    }
}

static apr_status_t refuse_op(aur_planner_t *pl, const aur_filter_t *f, const char *member,
                              const char *what, const char *works_on, const operand_t *o)
{
    aur_error_set(pl->err, AUR_E_UNKNOWN_OPERATOR, apr_pstrcat(pl->p, f->pointer, member, NULL),
                  "%s works on %s; %s is %s%s.", what, works_on, SHOWN(pl, f->column),
                  aur_value_noun(o->type), o->comparable ? "" : " that cannot be compared");
    aur_error_column(pl->err, f->column);
    return APR_EGENERAL;
}

static apr_status_t op_check(aur_planner_t *pl, const aur_filter_t *f, const operand_t *o)
{
    const char *others = works_on_others(f->op, o);

    if (others) {
        return refuse_op(pl, f, "/operator", aur_op_word(f->op), others, o);
    }
    if (f->ignore_case && !takes_no_value(f->op) && (!folds(f->op) || o->type != AUR_T_TEXT)) {
        return refuse_op(pl, f, "/ignore_case", "ignore_case",
                         "texts with eq, neq, in, not_in, contains, not_contains, starts_with and "
                         "ends_with",
                         o);
    }
    return APR_SUCCESS;
}

/* --- rules ----------------------------------------------------------------------------------- */

static apr_status_t operand_find(operand_t *o, aur_planner_t *pl, const aur_filter_t *f)
{
    const aur_plan_agg_t *agg = aur_planner_agg(pl, f->column);
    const aur_column_t *column;
    apr_status_t rv;

    if (agg) {
        o->aggregation = (int)(agg - pl->aggregations);
        o->column = agg->column;
        o->type = agg->type;
        o->comparable = 1;
        return APR_SUCCESS;
    }
    rv = aur_planner_column(&o->column, pl, f->column,
                            apr_pstrcat(pl->scratch, f->pointer, "/column", NULL));
    if (rv != APR_SUCCESS) {
        return rv;
    }
    column = aur_planner_at(pl, o->column);
    o->aggregation = -1;
    o->type = column->type;
    o->comparable = column->comparable;
    return APR_SUCCESS;
}

static apr_status_t values_set(aur_plan_expr_t *e, aur_planner_t *pl, const aur_filter_t *f)
{
    aur_value_for_t want = {e->type, e->ignore_case, f->column, NULL};
    const aur_scalar_t *values = f->values;
    int split = f->op == AUR_OP_BETWEEN && f->nvalues == 1;
    int list = f->op == AUR_OP_IN || f->op == AUR_OP_NOT_IN || (f->op == AUR_OP_BETWEEN && !split);
    aur_scalar_t pair[2];
    aur_cell_t *cells;
    apr_status_t rv = APR_SUCCESS;
    int i;

    want.pointer = apr_pstrcat(pl->scratch, f->pointer, "/value", NULL);
    want.timed = e->aggregation < 0 && aur_planner_at(pl, e->column)->timed;
    e->nvalues = split ? 2 : f->nvalues;
    cells = aur_planner_values(pl, e->nvalues, want.pointer);
    if (!cells) {
        return APR_EGENERAL;
    }
    if (split) {
        rv = aur_value_split(pair, &want, f->values, pl->err);
        values = pair;
    }
    for (i = 0; i < f->nvalues; i++) {
        e->callers |= f->values[i].callers;
    }
    for (i = 0; i < e->nvalues && rv == APR_SUCCESS; i++) {
        rv = aur_value_read(&cells[i], &want, &values[i], list ? i : -1, pl->err, pl->p);
    }
    e->values = cells;
    return rv;
}

static apr_status_t rule_make(aur_plan_expr_t **out, aur_planner_t *pl, const aur_filter_t *f,
                              const operand_t *o)
{
    aur_plan_expr_t *e;
    apr_status_t rv = op_check(pl, f, o);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    e = aur_planner_rule(pl, o->column, o->type, f->op);
    e->aggregation = o->aggregation;
    *out = e;
    if (takes_no_value(f->op) || pl->valueless) {
        return APR_SUCCESS;
    }
    e->ignore_case = f->ignore_case;
    return values_set(e, pl, f);
}

static apr_status_t rule_plan(parts_t *out, aur_planner_t *pl, const aur_filter_t *f)
{
    operand_t o;
    apr_status_t rv = operand_find(&o, pl, f);

    return rv == APR_SUCCESS ? rule_make(o.aggregation < 0 ? &out->where : &out->having, pl, f, &o)
                             : rv;
}

apr_status_t aur_planner_rule_on(aur_plan_expr_t **out, aur_planner_t *pl, const aur_filter_t *f,
                                 aur_column_ref_t column)
{
    const aur_column_t *c = aur_planner_at(pl, column);
    operand_t o = {-1, column, c->type, c->comparable};

    return rule_make(out, pl, f, &o);
}

/* --- groups ---------------------------------------------------------------------------------- */

static apr_status_t filter_plan(parts_t *out, aur_planner_t *pl, const aur_filter_t *f);

/* An AND group falls apart into its two parts; an OR group cannot. One with a single child is
 * neither. */
static apr_status_t group_plan(parts_t *out, aur_planner_t *pl, const aur_filter_t *f)
{
    apr_array_header_t *where = apr_array_make(pl->scratch, f->nchildren, sizeof(void *));
    apr_array_header_t *having = apr_array_make(pl->scratch, f->nchildren, sizeof(void *));
    int i;

    for (i = 0; i < f->nchildren; i++) {
        parts_t parts = {NULL, NULL};
        apr_status_t rv = filter_plan(&parts, pl, f->children[i]);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        if (parts.where) {
            APR_ARRAY_PUSH(where, aur_plan_expr_t *) = parts.where;
        }
        if (parts.having) {
            APR_ARRAY_PUSH(having, aur_plan_expr_t *) = parts.having;
        }
    }
    if (f->any && f->nchildren > 1 && where->nelts && having->nelts) {
        return aur_error_set(
            pl->err, AUR_E_MIXED_AGGREGATE, f->pointer,
            "An OR group cannot mix totals (sum, count, …) with plain columns; put "
            "them into separate groups joined by AND.");
    }
    out->where = aur_planner_group(pl, where, f->any);
    out->having = aur_planner_group(pl, having, f->any);
    return APR_SUCCESS;
}

static apr_status_t filter_plan(parts_t *out, aur_planner_t *pl, const aur_filter_t *f)
{
    return f->is_group ? group_plan(out, pl, f) : rule_plan(out, pl, f);
}

apr_status_t aur_planner_filters(aur_planner_t *pl)
{
    parts_t parts = {NULL, NULL};
    apr_status_t rv;

    if (!pl->query->filters) {
        return APR_SUCCESS;
    }
    rv = filter_plan(&parts, pl, pl->query->filters);
    pl->plan->where = parts.where;
    pl->plan->having = parts.having;
    return rv;
}
