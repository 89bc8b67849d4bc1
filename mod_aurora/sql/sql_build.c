/* sql_build.c - the clauses of a statement (sql_build.h). */
#include "aurora/sql.h"

#include <string.h>

#include "sql_build.h"
#include "sql_written.h"

static void put_outputs(const aur_build_t *b)
{
    int i;

    for (i = 0; i < b->plan->noutputs; i++) {
        const aur_plan_output_t *output = &b->plan->outputs[i];
        if (i > 0) {
            aur_sql_text(b->q, ", ");
        }
        aur_build_value(b, output->aggregation, b->q->dialect->output, &output->column);
        /* Two outputs may be the same column, and a derived table wants names that differ. */
        aur_sql_text(b->q, " AS c");
        aur_sql_index(b->q, i);
    }
}

/* FROM … HAVING: what both the rows and their count are made of. */
static void put_source(const aur_build_t *b)
{
    const aur_plan_t *plan = b->plan;
    int i;

    aur_build_from(b);
    if (plan->where) {
        aur_sql_text(b->q, " WHERE ");
        aur_build_expr(b, plan->where, AUR_IN_QUERY);
    }
    for (i = 0; i < plan->ngroup_by; i++) {
        if (i == 0) {
            aur_sql_text(b->q, " GROUP BY ");
        }
        else {
            aur_sql_text(b->q, ", ");
        }
        aur_build_column(b, &plan->group_by[i], AUR_IN_QUERY);
        if (b->q->dialect->exact && aur_build_ask(b, b->q->dialect->operand, &plan->group_by[i])) {
            /* the column itself stays a key: it is what is selected */
            aur_sql_text(b->q, ", ");
            aur_build_operand(b, &plan->group_by[i], AUR_IN_QUERY);
        }
    }
    if (plan->having) {
        aur_sql_text(b->q, " HAVING ");
        aur_build_expr(b, plan->having, AUR_IN_QUERY);
    }
}

/* Can what is sorted by be NULL at all? */
static int can_be_null(const aur_build_t *b, const aur_plan_sort_t *sort)
{
    int i;

    if (sort->aggregation >= 0 || aur_build_column_at(b, &sort->column)->nullable) {
        return 1;
    }
    for (i = 1; i < b->plan->ntables && b->plan->tables[i].join == AUR_JOIN_INNER; i++) {
    }
    return i < b->plan->ntables;
}

static void put_sort(const aur_build_t *b, const aur_plan_sort_t *sort)
{
    const aur_dialect_t *dialect = b->q->dialect;
    const char *null_key = dialect->null_key && can_be_null(b, sort)
                               ? dialect->null_key(sort->descending, sort->nulls_first)
                               : NULL;
    const char *left = null_key ? strstr(null_key, "$l") : NULL;

    if (left) {
        aur_sql_text_n(b->q, null_key, (apr_size_t)(left - null_key));
        aur_build_value(b, sort->aggregation, NULL, &sort->column);
        aur_sql_text_n(b->q, left + 2, strlen(left + 2));
        aur_sql_text(b->q, ", ");
    }
    aur_build_value(b, sort->aggregation, dialect->sort_key, &sort->column);
    dialect->direction(b->q, sort->descending, sort->nulls_first);
}

static void put_order(const aur_build_t *b)
{
    int i;

    for (i = 0; i < b->plan->nsorting; i++) {
        if (i == 0) {
            aur_sql_text(b->q, " ORDER BY ");
        }
        else {
            aur_sql_text(b->q, ", ");
        }
        put_sort(b, &b->plan->sorting[i]);
    }
}

static void put_page_before(const aur_build_t *b, int noutputs, apr_int64_t limit,
                            apr_int64_t offset)
{
    if (b->q->dialect->page_before) {
        b->q->dialect->page_before(b->q, noutputs, limit, offset);
    }
}

/* The number of rows, counted no further than bound (< 0: to the end). The order of rows and, unless
 * they are groups, their columns make no difference to it. */
static void put_count(const aur_build_t *b, apr_int64_t bound)
{
    aur_sql_text(b->q, "SELECT count(*)");
    if (!b->plan->grouped && bound < 0) {
        put_source(b);
        return;
    }
    aur_sql_text(b->q, " FROM (");
    put_page_before(b, b->plan->grouped ? b->plan->noutputs : 1, bound, 0);
    aur_sql_text(b->q, "SELECT ");
    if (b->plan->grouped) {
        put_outputs(b);
    }
    else {
        aur_sql_text(b->q, "1 AS c0");
    }
    put_source(b);
    b->q->dialect->page(b->q, bound, 0);
    aur_sql_text(b->q, ") q");
}

static apr_status_t check_features(const aur_dialect_t *dialect, const aur_plan_t *plan,
                                   aur_error_t *err)
{
    int i;

    for (i = 1; i < plan->ntables; i++) {
        aur_join_e join = plan->tables[i].join;
        if (join == AUR_JOIN_RIGHT && !dialect->can(AUR_SQL_CAN_RIGHT_JOIN)) {
            return aur_error_set(err, AUR_E_BAD_REQUEST, "/joins",
                                 "This database cannot do a right join; swap the two datasets and "
                                 "ask for a left join.");
        }
        if (join == AUR_JOIN_OUTER && !dialect->can(AUR_SQL_CAN_FULL_JOIN) &&
            aur_build_full_join(dialect, plan) != i) {
            return aur_error_set(err, AUR_E_BAD_REQUEST, "/joins",
                                 "This database can do one full outer join in a query, not two.");
        }
    }
    if (plan->having && plan->ngroup_by == 0 && !dialect->can(AUR_SQL_CAN_HAVING_ALONE)) {
        return aur_error_set(err, AUR_E_BAD_REQUEST, "/filters",
                             "This database cannot filter on a total without group_by.");
    }
    return APR_SUCCESS;
}

apr_status_t aur_sql_build(aur_sql_t **sql, const aur_dialect_t *dialect, const aur_plan_t *plan,
                           aur_sql_e kind, aur_error_t *err, apr_pool_t *p)
{
    aur_build_t build = {.plan = plan};
    const aur_build_t *b = &build;
    apr_status_t rv;

    if (plan->written) {
        return aur_sql_written(sql, dialect, plan, kind, err, p);
    }
    rv = check_features(dialect, plan, err);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    build.q = aur_sql_buf_create(dialect, p);
    build.full = aur_build_full_join(dialect, plan);
    if (kind == AUR_SQL_COUNT || kind == AUR_SQL_COUNT_BOUNDED) {
        put_count(b, kind == AUR_SQL_COUNT ? -1 : plan->limit);
        *sql = aur_sql_buf_finish(b->q);
        return APR_SUCCESS;
    }
    if (kind == AUR_SQL_PAGE) {
        put_page_before(b, plan->noutputs, plan->limit, plan->offset);
    }
    aur_sql_text(b->q, "SELECT ");
    put_outputs(b);
    put_source(b);
    put_order(b);
    if (kind == AUR_SQL_PAGE) {
        dialect->page(b->q, plan->limit, plan->offset);
    }
    *sql = aur_sql_buf_finish(b->q);
    (*sql)->rows_max = kind == AUR_SQL_PAGE ? plan->limit : 0;
    (*sql)->ncolumns = plan->noutputs;
    (*sql)->columns = plan->columns;
    return APR_SUCCESS;
}
