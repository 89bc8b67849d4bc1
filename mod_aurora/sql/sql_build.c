/* sql_build.c - the walk over a plan, the same for every dialect.
 *
 * Tables are t0, t1, … in the plan's order and every column is qualified by one of them. A table
 * with a restriction becomes a derived table, so that an outer join meets only the rows that may
 * be seen: `t0 LEFT JOIN (SELECT * FROM "X" t WHERE …) t1`. */
#include "aurora/sql.h"

#include <string.h>

#include "dialect.h"

/* Where columns of an expression are looked up: t0, t1, … or, inside a derived table, t. */
typedef enum { IN_QUERY, IN_TABLE } place_e;

typedef struct build_t {
    aur_sql_buf_t *q;
    const aur_plan_t *plan;
} build_t;

static void put_column(const build_t *b, const aur_column_ref_t *ref, place_e place)
{
    const aur_dataset_t *dataset = b->plan->tables[ref->table].dataset;

    aur_sql_text(b->q, "t");
    if (place == IN_QUERY) {
        aur_sql_index(b->q, ref->table);
    }
    aur_sql_text(b->q, ".");
    aur_sql_ident(b->q, dataset->columns[ref->column].name);
}

static const aur_column_t *column_at(const build_t *b, const aur_column_ref_t *ref)
{
    return &b->plan->tables[ref->table].dataset->columns[ref->column];
}

/* A column where its value counts, not only its presence. */
static void put_operand(const build_t *b, const aur_column_ref_t *ref, place_e place)
{
    const aur_dialect_t *dialect = b->q->dialect;
    const char *template = dialect->operand ? dialect->operand(column_at(b, ref)) : NULL;
    const char *left = template ? strstr(template, "$l") : NULL;

    if (!left) {
        put_column(b, ref, place);
        return;
    }
    aur_sql_text_n(b->q, template, (apr_size_t)(left - template));
    put_column(b, ref, place);
    aur_sql_text_n(b->q, left + 2, strlen(left + 2));
}

static void put_aggregation(const build_t *b, int index)
{
    const aur_plan_agg_t *agg = &b->plan->aggregations[index];

    switch (agg->function) {
    case AUR_AGG_SUM:
        aur_sql_text(b->q, "sum(");
        break;
    case AUR_AGG_AVG:
        aur_sql_text(b->q, "avg(");
        break;
    case AUR_AGG_COUNT:
        aur_sql_text(b->q, "count(");
        break;
    case AUR_AGG_MIN:
        aur_sql_text(b->q, "min(");
        break;
    case AUR_AGG_MAX:
        aur_sql_text(b->q, "max(");
        break;
    case AUR_AGG_DISTINCT_COUNT:
        aur_sql_text(b->q, "count(DISTINCT ");
        break;
    }
    if (agg->star) {
        aur_sql_text(b->q, "*");
    }
    else if (agg->function == AUR_AGG_MIN || agg->function == AUR_AGG_MAX) {
        put_operand(b, &agg->column, IN_QUERY);
    }
    else {
        put_column(b, &agg->column, IN_QUERY);
    }
    aur_sql_text(b->q, ")");
}

/* A column or an aggregation, whichever it is. */
static void put_value(const build_t *b, int aggregation, const aur_column_ref_t *column)
{
    if (aggregation >= 0) {
        put_aggregation(b, aggregation);
    }
    else {
        put_column(b, column, IN_QUERY);
    }
}

/* --- conditions ---------------------------------------------------------------------------- */

static void put_template(const build_t *b, const char *template, const aur_plan_expr_t *e,
                         place_e place);

/* What the rule's placeholders are followed by, or NULL. */
static const char *value_cast(const build_t *b, const aur_plan_expr_t *e)
{
    switch (e->op) {
    case AUR_OP_EQ:
    case AUR_OP_NEQ:
    case AUR_OP_GT:
    case AUR_OP_GTE:
    case AUR_OP_LT:
    case AUR_OP_LTE:
    case AUR_OP_BETWEEN:
    case AUR_OP_IN:
    case AUR_OP_NOT_IN:
        return b->q->dialect->value_cast && e->aggregation < 0
                   ? b->q->dialect->value_cast(column_at(b, &e->column), e)
                   : NULL;
    default:
        return NULL;
    }
}

/* One value of a comparison. */
static void put_bind(const build_t *b, const aur_plan_expr_t *e, int index)
{
    const char *cast = value_cast(b, e);

    aur_sql_bind(b->q, &e->values[index], e->type);
    if (cast) {
        aur_sql_text_n(b->q, cast, strlen(cast));
    }
}

/* What stands left of a rule's operator. */
static void put_left(const build_t *b, const aur_plan_expr_t *e, place_e place, int fold)
{
    if (fold) {
        put_template(b, b->q->dialect->fold, e, place);
    }
    else if (e->aggregation >= 0) {
        put_aggregation(b, e->aggregation);
    }
    else if (value_cast(b, e)) {
        put_column(b, &e->column, place);
    }
    else {
        put_operand(b, &e->column, place);
    }
}

static void put_template(const build_t *b, const char *template, const aur_plan_expr_t *e,
                         place_e place)
{
    const aur_dialect_t *dialect = b->q->dialect;
    /* Only the fold template itself meets the bare column; NULL and '' are what they are folded
     * or not. */
    int fold = e->ignore_case && template != dialect->fold && template != dialect->is_empty &&
               template != dialect->is_not_empty;
    const char *s, *from = template;

    for (s = template; *s; s++) {
        if (s[0] != '$') {
            continue;
        }
        aur_sql_text_n(b->q, from, (apr_size_t)(s - from));
        if (s[1] == 'l') {
            put_left(b, e, place, fold);
        }
        else {
            aur_sql_bind(b->q, &e->values[0], e->type);
        }
        s++;
        from = s + 1;
    }
    aur_sql_text_n(b->q, from, (apr_size_t)(s - from));
}

/* Does the pattern have no character? Every value has that in it, and only NULL has not. */
static int pattern_empty(const aur_plan_expr_t *e)
{
    return e->values[0].kind == AUR_V_TEXT && e->values[0].len == 0;
}

static void put_match(const build_t *b, const aur_plan_expr_t *e, place_e place)
{
    const aur_dialect_t *dialect = b->q->dialect;

    if (pattern_empty(e) && e->op == AUR_OP_NOT_CONTAINS) {
        aur_sql_text_n(b->q, dialect->never, strlen(dialect->never));
    }
    else if (pattern_empty(e)) {
        put_left(b, e, place, 0);
        aur_sql_text(b->q, " IS NOT NULL");
    }
    else if (e->op == AUR_OP_CONTAINS) {
        put_template(b, dialect->contains, e, place);
    }
    else if (e->op == AUR_OP_NOT_CONTAINS) {
        put_template(b, dialect->not_contains, e, place);
    }
    else if (e->op == AUR_OP_STARTS_WITH) {
        put_template(b, dialect->starts_with, e, place);
    }
    else {
        put_template(b, dialect->ends_with, e, place);
    }
}

static void put_list(const build_t *b, const aur_plan_expr_t *e)
{
    int i;

    aur_sql_text(b->q, "(");
    for (i = 0; i < e->nvalues; i++) {
        if (i > 0) {
            aur_sql_text(b->q, ", ");
        }
        put_bind(b, e, i);
    }
    aur_sql_text(b->q, ")");
}

static void put_comparison(const build_t *b, const aur_plan_expr_t *e)
{
    switch (e->op) {
    case AUR_OP_NEQ:
        aur_sql_text(b->q, " <> ");
        break;
    case AUR_OP_GT:
        aur_sql_text(b->q, " > ");
        break;
    case AUR_OP_GTE:
        aur_sql_text(b->q, " >= ");
        break;
    case AUR_OP_LT:
        aur_sql_text(b->q, " < ");
        break;
    case AUR_OP_LTE:
        aur_sql_text(b->q, " <= ");
        break;
    default:
        aur_sql_text(b->q, " = ");
        break;
    }
    put_bind(b, e, 0);
}

static void put_rule(const build_t *b, const aur_plan_expr_t *e, place_e place)
{
    switch (e->op) {
    case AUR_OP_EQ:
    case AUR_OP_NEQ:
    case AUR_OP_GT:
    case AUR_OP_GTE:
    case AUR_OP_LT:
    case AUR_OP_LTE:
        put_left(b, e, place, e->ignore_case);
        put_comparison(b, e);
        break;
    case AUR_OP_BETWEEN:
        put_left(b, e, place, e->ignore_case);
        aur_sql_text(b->q, " BETWEEN ");
        put_bind(b, e, 0);
        aur_sql_text(b->q, " AND ");
        put_bind(b, e, 1);
        break;
    case AUR_OP_IN:
    case AUR_OP_NOT_IN:
        put_left(b, e, place, e->ignore_case);
        if (e->op == AUR_OP_NOT_IN) {
            aur_sql_text(b->q, " NOT");
        }
        aur_sql_text(b->q, " IN ");
        put_list(b, e);
        break;
    case AUR_OP_CONTAINS:
    case AUR_OP_NOT_CONTAINS:
    case AUR_OP_STARTS_WITH:
    case AUR_OP_ENDS_WITH:
        put_match(b, e, place);
        break;
    case AUR_OP_IS_NULL:
        put_left(b, e, place, 0);
        aur_sql_text(b->q, " IS NULL");
        break;
    case AUR_OP_IS_NOT_NULL:
        put_left(b, e, place, 0);
        aur_sql_text(b->q, " IS NOT NULL");
        break;
    case AUR_OP_IS_EMPTY:
        put_template(b, b->q->dialect->is_empty, e, place);
        break;
    case AUR_OP_IS_NOT_EMPTY:
        put_template(b, b->q->dialect->is_not_empty, e, place);
        break;
    }
}

static void put_expr(const build_t *b, const aur_plan_expr_t *e, place_e place);

/* Children lo..hi-1, halved again and again: the tree's depth is the logarithm of their number, and
 * no parser's limit (SQLite: 1000) is met by a long list. */
static void put_children(const build_t *b, const aur_plan_expr_t *e, int lo, int hi, place_e place)
{
    int mid = lo + (hi - lo) / 2;

    if (hi - lo == 1) {
        put_expr(b, e->children[lo], place);
        return;
    }
    aur_sql_text(b->q, "(");
    put_children(b, e, lo, mid, place);
    if (e->any) {
        aur_sql_text(b->q, " OR ");
    }
    else {
        aur_sql_text(b->q, " AND ");
    }
    put_children(b, e, mid, hi, place);
    aur_sql_text(b->q, ")");
}

static void put_expr(const build_t *b, const aur_plan_expr_t *e, place_e place)
{
    if (e->is_group) {
        put_children(b, e, 0, e->nchildren, place);
    }
    else {
        put_rule(b, e, place);
    }
}

/* --- clauses ------------------------------------------------------------------------------- */

static void put_table(const build_t *b, int index)
{
    const aur_plan_table_t *table = &b->plan->tables[index];

    if (table->restriction) {
        aur_sql_text(b->q, "(SELECT * FROM ");
    }
    if (table->dataset->schema) {
        aur_sql_ident(b->q, table->dataset->schema);
        aur_sql_text(b->q, ".");
    }
    aur_sql_ident(b->q, table->dataset->table);
    if (table->restriction) {
        aur_sql_text(b->q, " t WHERE ");
        put_expr(b, table->restriction, IN_TABLE);
        aur_sql_text(b->q, ")");
    }
    aur_sql_text(b->q, " t");
    aur_sql_index(b->q, index);
}

/* Columns of the very same type compare as they are, and by index. */
static void put_pair(const build_t *b, const aur_column_ref_t *left, const aur_column_ref_t *right)
{
    int same = !strcmp(column_at(b, left)->data_type, column_at(b, right)->data_type);
    void (*put)(const build_t *, const aur_column_ref_t *, place_e) =
        same ? put_column : put_operand;

    put(b, left, IN_QUERY);
    aur_sql_text(b->q, " = ");
    put(b, right, IN_QUERY);
}

static void put_join(const build_t *b, int index)
{
    const aur_plan_table_t *table = &b->plan->tables[index];
    int i;

    switch (table->join) {
    case AUR_JOIN_INNER:
        aur_sql_text(b->q, " JOIN ");
        break;
    case AUR_JOIN_LEFT:
        aur_sql_text(b->q, " LEFT JOIN ");
        break;
    case AUR_JOIN_RIGHT:
        aur_sql_text(b->q, " RIGHT JOIN ");
        break;
    case AUR_JOIN_OUTER:
        aur_sql_text(b->q, " FULL JOIN ");
        break;
    }
    put_table(b, index);
    for (i = 0; i < table->non; i++) {
        aur_column_ref_t right = {.table = index, .column = table->right[i]};
        if (i == 0) {
            aur_sql_text(b->q, " ON ");
        }
        else {
            aur_sql_text(b->q, " AND ");
        }
        put_pair(b, &table->left[i], &right);
    }
}

static void put_outputs(const build_t *b)
{
    int i;

    for (i = 0; i < b->plan->noutputs; i++) {
        const aur_plan_output_t *output = &b->plan->outputs[i];
        if (i > 0) {
            aur_sql_text(b->q, ", ");
        }
        put_value(b, output->aggregation, &output->column);
        /* Two outputs may be the same column, and a derived table wants names that differ. */
        aur_sql_text(b->q, " AS c");
        aur_sql_index(b->q, i);
    }
}

/* FROM … HAVING: what both the rows and their count are made of. */
static void put_source(const build_t *b)
{
    const aur_plan_t *plan = b->plan;
    int i;

    aur_sql_text(b->q, " FROM ");
    put_table(b, 0);
    for (i = 1; i < plan->ntables; i++) {
        put_join(b, i);
    }
    if (plan->where) {
        aur_sql_text(b->q, " WHERE ");
        put_expr(b, plan->where, IN_QUERY);
    }
    for (i = 0; i < plan->ngroup_by; i++) {
        if (i == 0) {
            aur_sql_text(b->q, " GROUP BY ");
        }
        else {
            aur_sql_text(b->q, ", ");
        }
        put_column(b, &plan->group_by[i], IN_QUERY);
    }
    if (plan->having) {
        aur_sql_text(b->q, " HAVING ");
        put_expr(b, plan->having, IN_QUERY);
    }
}

static void put_order(const build_t *b)
{
    int i;

    for (i = 0; i < b->plan->nsorting; i++) {
        const aur_plan_sort_t *sort = &b->plan->sorting[i];
        if (i == 0) {
            aur_sql_text(b->q, " ORDER BY ");
        }
        else {
            aur_sql_text(b->q, ", ");
        }
        put_value(b, sort->aggregation, &sort->column);
        b->q->dialect->direction(b->q, sort->descending, sort->nulls_first);
    }
}

/* The number of rows, counted no further than bound (< 0: to the end). The order of rows and, unless
 * they are groups, their columns make no difference to it. */
static void put_count(const build_t *b, apr_int64_t bound)
{
    aur_sql_text(b->q, "SELECT count(*)");
    if (!b->plan->grouped && bound < 0) {
        put_source(b);
        return;
    }
    aur_sql_text(b->q, " FROM (SELECT ");
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
        if (join == AUR_JOIN_OUTER && !dialect->can(AUR_SQL_CAN_FULL_JOIN)) {
            return aur_error_set(err, AUR_E_BAD_REQUEST, "/joins",
                                 "This database cannot do a full outer join.");
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
    build_t build = {.plan = plan};
    const build_t *b = &build;
    apr_status_t rv = check_features(dialect, plan, err);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    build.q = aur_sql_buf_create(dialect, p);
    if (kind == AUR_SQL_COUNT || kind == AUR_SQL_COUNT_BOUNDED) {
        put_count(b, kind == AUR_SQL_COUNT ? -1 : plan->limit);
        *sql = aur_sql_buf_finish(b->q);
        return APR_SUCCESS;
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
