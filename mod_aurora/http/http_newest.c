/* http_newest.c - a plan's estimate where its newest partition counts. While a plan is made that partition is not known yet, and
 * planners guess: PostgreSQL takes every partition of a table that is partitioned by the load id. So where a guess would refuse the
 * request, the database is asked for the partition first, and what it says stands in the plan that is estimated. It is the
 * estimate's alone: the request itself asks for the newest in its own statement. */
#include "http/http_private.h"

#include <apr_strings.h>

#include "aurora/number.h"

/* The expression with its columns, all of one table, as columns of another one. */
static aur_plan_expr_t *expr_moved(const aur_plan_expr_t *e, int table, apr_pool_t *p)
{
    aur_plan_expr_t *moved = apr_pmemdup(p, e, sizeof(*e)), **children;
    int i;

    moved->column.table = table;
    if (e->is_group) {
        children = apr_palloc(p, (apr_size_t)e->nchildren * sizeof(*children));
        for (i = 0; i < e->nchildren; i++) {
            children[i] = expr_moved(e->children[i], table, p);
        }
        moved->children = children;
    }
    return moved;
}

/* One row of the newest partition of a table, with the columns that tell partitions apart. */
static apr_status_t row_open(aur_cursor_t **cursor, aur_request_t *x, const aur_plan_table_t *from)
{
    apr_pool_t *p = x->r->pool;
    aur_plan_table_t *table = apr_pmemdup(p, from, sizeof(*from));
    aur_plan_output_t *outputs = apr_pcalloc(p, AUR_NEWEST_MAX * sizeof(*outputs));
    aur_result_column_t *columns = apr_pcalloc(p, AUR_NEWEST_MAX * sizeof(*columns));
    aur_plan_t plan = {.ntables = 1,
                       .tables = table,
                       .noutputs = from->nnewest,
                       .outputs = outputs,
                       .columns = columns,
                       .limit = 1,
                       .dataset_name = from->dataset->name};
    int i;

    table->restriction = from->restriction ? expr_moved(from->restriction, 0, p) : NULL;
    for (i = 0; i < from->nnewest; i++) {
        const aur_column_t *column = &from->dataset->columns[from->newest[i]];
        outputs[i].aggregation = -1;
        outputs[i].column.column = from->newest[i];
        columns[i].name = columns[i].display = column->name;
        columns[i].type = column->type;
    }
    return aur_run_open(x, &plan, AUR_SQL_PAGE, cursor);
}

/* Is a value of this kind also one of a bind? */
static int can_bind(const aur_cell_t *cell)
{
    return cell->kind == AUR_V_INT || cell->kind == AUR_V_DECIMAL || cell->kind == AUR_V_TEXT ||
           cell->kind == AUR_V_DATE || cell->kind == AUR_V_TIMESTAMP;
}

static aur_plan_expr_t *rule_of(const aur_plan_table_t *table, int index, int nth,
                                const aur_cell_t *cell, apr_pool_t *p)
{
    aur_plan_expr_t *rule = apr_pcalloc(p, sizeof(*rule));
    aur_cell_t *value = apr_pmemdup(p, cell, sizeof(*cell));
    apr_int64_t whole;

    if (cell->kind == AUR_V_DECIMAL && aur_number_valid(cell->v.s, cell->len) &&
        aur_number_to_int(cell->v.s, cell->len, &whole)) {
        value->kind = AUR_V_INT; /* as requests have it, so that planners compare like with like */
        value->len = 0;
        value->v.i = whole;
    }
    else if (cell->kind != AUR_V_INT) {
        value->v.s = apr_pstrmemdup(p, cell->v.s, cell->len);
    }
    rule->aggregation = -1;
    rule->column.table = index;
    rule->column.column = table->newest[nth];
    rule->type = table->dataset->columns[table->newest[nth]].type;
    rule->op = AUR_OP_EQ;
    rule->nvalues = 1;
    rule->values = value;
    return rule;
}

/* The table with the values of that row in place of the question for them. One without such a row, or
 * with values that cannot be bound, stays as it is. */
static void table_settle(aur_plan_table_t *table, int index, const aur_cell_t *cells, apr_pool_t *p)
{
    aur_plan_expr_t **rules = apr_palloc(p, (AUR_NEWEST_MAX + 1) * sizeof(*rules));
    aur_plan_expr_t *all = apr_pcalloc(p, sizeof(*all));
    int n = 0, i;

    for (i = 0; i < table->nnewest; i++) {
        if (!can_bind(&cells[i])) {
            return;
        }
        rules[n++] = rule_of(table, index, i, &cells[i], p);
    }
    if (table->restriction) {
        rules[n++] = expr_moved(table->restriction, index, p);
    }
    all->is_group = 1;
    all->aggregation = -1;
    all->nchildren = n;
    all->children = rules;
    table->restriction = n > 1 ? all : rules[0];
    table->nnewest = 0;
}

int aur_newest_any(const aur_plan_t *plan)
{
    int i;

    for (i = 0; i < plan->ntables && plan->tables[i].nnewest == 0; i++) {
    }
    return i < plan->ntables;
}

apr_status_t aur_newest_settle(aur_plan_t *settled, aur_request_t *x, const aur_plan_t *plan)
{
    aur_plan_table_t *tables =
        apr_pmemdup(x->r->pool, plan->tables, (apr_size_t)plan->ntables * sizeof(*tables));
    apr_status_t rv = APR_SUCCESS;
    int i;

    *settled = *plan;
    settled->tables = tables;
    for (i = 0; i < plan->ntables && rv == APR_SUCCESS; i++) {
        const aur_cell_t *cells;
        aur_cursor_t *cursor;

        if (tables[i].nnewest == 0) {
            continue;
        }
        rv = row_open(&cursor, x, &tables[i]);
        if (rv != APR_SUCCESS) {
            break;
        }
        rv = aur_cursor_next(&cells, cursor, &x->err);
        if (rv == APR_SUCCESS) {
            table_settle(&tables[i], i, cells, x->r->pool);
        }
        aur_cursor_close(cursor);
        rv = rv == APR_EOF ? APR_SUCCESS : rv;
    }
    return rv;
}
