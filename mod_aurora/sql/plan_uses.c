/* plan_uses.c - see plan_uses.h. */
#include "plan_uses.h"

static int same(const aur_column_ref_t *a, const aur_column_ref_t *b)
{
    return a->table == b->table && a->column == b->column;
}

static int in_expr(const aur_plan_expr_t *e, const aur_column_ref_t *column)
{
    int i;

    if (!e || e->never) {
        return 0;
    }
    for (i = 0; e->is_group && i < e->nchildren; i++) {
        if (in_expr(e->children[i], column)) {
            return 1;
        }
    }
    return !e->is_group && e->aggregation < 0 && same(&e->column, column);
}

static int in_joins(const aur_plan_t *plan, int joined, const aur_column_ref_t *column)
{
    int i, on;

    for (i = joined + 1; i < plan->ntables; i++) {
        for (on = 0; on < plan->tables[i].non; on++) {
            if (same(&plan->tables[i].left[on], column)) {
                return 1;
            }
        }
    }
    return 0;
}

int aur_plan_uses(const aur_plan_t *plan, int joined, const aur_column_ref_t *column)
{
    int i;

    for (i = 0; i < plan->noutputs; i++) {
        if (plan->outputs[i].aggregation < 0 && same(&plan->outputs[i].column, column)) {
            return 1;
        }
    }
    for (i = 0; i < plan->naggregations; i++) {
        if (!plan->aggregations[i].star && same(&plan->aggregations[i].column, column)) {
            return 1;
        }
    }
    for (i = 0; i < plan->ngroup_by; i++) {
        if (same(&plan->group_by[i], column)) {
            return 1;
        }
    }
    for (i = 0; i < plan->nsorting; i++) {
        if (plan->sorting[i].aggregation < 0 && same(&plan->sorting[i].column, column)) {
            return 1;
        }
    }
    return in_expr(plan->where, column) || in_joins(plan, joined, column);
}
