/* sql_conditions.c - rules and groups of rules (sql_build.h). */
#include <apr_strings.h>
#include <string.h>

#include "sql_build.h"

#define PATTERN_ESCAPE '|'

static void put_template(const aur_build_t *b, const char *template, const aur_plan_expr_t *e,
                         aur_place_e place);

/* What the rule's placeholders are followed by, or NULL. */
static const char *value_cast(const aur_build_t *b, const aur_plan_expr_t *e)
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
                   ? b->q->dialect->value_cast(aur_build_column_at(b, &e->column), e)
                   : NULL;
    default:
        return NULL;
    }
}

/* The column whose values stand left of the rule's operator, or NULL. */
static const aur_column_t *column_of(const aur_build_t *b, const aur_plan_expr_t *e)
{
    const aur_plan_agg_t *agg = e->aggregation < 0 ? NULL : &b->plan->aggregations[e->aggregation];

    if (!agg) {
        return aur_build_column_at(b, &e->column);
    }
    return agg->function == AUR_AGG_MIN || agg->function == AUR_AGG_MAX
               ? aur_build_column_at(b, &agg->column)
               : NULL;
}

static void put_cell(const aur_build_t *b, const aur_plan_expr_t *e, const aur_cell_t *cell)
{
    aur_sql_bind_for(b->q, cell, e->type, column_of(b, e));
}

/* One value of a comparison. */
static void put_bind(const aur_build_t *b, const aur_plan_expr_t *e, int index)
{
    const char *cast = value_cast(b, e);

    put_cell(b, e, &e->values[index]);
    if (cast) {
        aur_sql_text_n(b->q, cast, strlen(cast));
    }
}

/* The column or aggregation of a rule, as it is. */
static void put_value_at(const aur_build_t *b, const aur_plan_expr_t *e, aur_place_e place)
{
    if (e->aggregation >= 0) {
        aur_build_aggregation(b, e->aggregation);
    }
    else {
        aur_build_column(b, &e->column, place);
    }
}

static int asks_content(const aur_plan_expr_t *e)
{
    return e->op == AUR_OP_IS_EMPTY || e->op == AUR_OP_IS_NOT_EMPTY;
}

/* What stands left of a rule's operator. */
static void put_left(const aur_build_t *b, const aur_plan_expr_t *e, aur_place_e place, int fold)
{
    if (fold) {
        put_template(b, b->q->dialect->fold, e, place);
    }
    else if (e->aggregation >= 0 || value_cast(b, e)) {
        put_value_at(b, e, place);
    }
    else if (asks_content(e) && b->q->dialect->content) {
        aur_build_as(b, b->q->dialect->content(aur_build_column_at(b, &e->column)), &e->column,
                     place);
    }
    else {
        aur_build_operand(b, &e->column, place);
    }
}

/* A LIKE pattern made of the rule's value: token p, b or e (dialect.h). */
static void put_pattern(const aur_build_t *b, const aur_plan_expr_t *e, char token)
{
    const aur_cell_t *value = &e->values[0];
    aur_cell_t pattern = {.kind = AUR_V_TEXT};
    char *text = apr_palloc(b->q->p, 2 * value->len + 2), *at = text;
    apr_size_t i;

    if (token != 'b') {
        *at++ = '%';
    }
    for (i = 0; i < value->len; i++) {
        char c = value->v.s[i];
        if (c == '%' || c == '_' || c == PATTERN_ESCAPE) {
            *at++ = PATTERN_ESCAPE;
        }
        *at++ = c;
    }
    if (token != 'e') {
        *at++ = '%';
    }
    pattern.v.s = text;
    pattern.len = (apr_size_t)(at - text);
    put_cell(b, e, &pattern);
}

static void put_national(const aur_build_t *b, const aur_plan_expr_t *e)
{
    const aur_column_t *column = column_of(b, e);

    if (column && b->q->dialect->national && b->q->dialect->national(column)) {
        aur_sql_text(b->q, "N");
    }
}

static void put_list(const aur_build_t *b, const aur_plan_expr_t *e);

static void put_token(const aur_build_t *b, char token, const aur_plan_expr_t *e, aur_place_e place,
                      int fold)
{
    switch (token) {
    case 'l':
        put_left(b, e, place, fold);
        break;
    case 'c':
        put_value_at(b, e, place);
        break;
    case 'w':
        put_list(b, e);
        break;
    case 'v':
        put_cell(b, e, &e->values[0]);
        break;
    case 'h':
        put_cell(b, e, &e->values[e->nvalues - 1]);
        break;
    case 'n':
        put_national(b, e);
        break;
    default:
        put_pattern(b, e, token);
        break;
    }
}

static void put_template(const aur_build_t *b, const char *template, const aur_plan_expr_t *e,
                         aur_place_e place)
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
        put_token(b, s[1], e, place, fold);
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

static void put_match(const aur_build_t *b, const aur_plan_expr_t *e, aur_place_e place)
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

/* Is it a value that no row has, because the database takes it for NULL? */
static int is_void(const aur_build_t *b, const aur_plan_expr_t *e, int index)
{
    const aur_cell_t *value = &e->values[index];

    return b->q->dialect->empty_is_null && value->kind == AUR_V_TEXT && value->len == 0;
}

static void put_list(const aur_build_t *b, const aur_plan_expr_t *e)
{
    int i, n = 0;

    aur_sql_text(b->q, "(");
    for (i = 0; i < e->nvalues; i++) {
        if (is_void(b, e, i)) {
            continue;
        }
        if (n++ > 0) {
            aur_sql_text(b->q, ", ");
        }
        put_bind(b, e, i);
    }
    aur_sql_text(b->q, ")");
}

/* A comparison with such a value, where that alone decides it.
 * @return whether it was one */
static int put_void(const aur_build_t *b, const aur_plan_expr_t *e, aur_place_e place)
{
    const char *never = b->q->dialect->never;
    int all;

    switch (e->op) {
    case AUR_OP_NEQ:
    case AUR_OP_GT:
    case AUR_OP_GTE:
        all = 1;
        break;
    case AUR_OP_EQ:
    case AUR_OP_LT:
    case AUR_OP_LTE:
        all = 0;
        break;
    case AUR_OP_BETWEEN:
        if (is_void(b, e, 0) && !is_void(b, e, 1)) {
            put_left(b, e, place, e->ignore_case);
            aur_sql_text(b->q, " <= ");
            put_bind(b, e, 1);
            return 1;
        }
        all = 0;
        break;
    case AUR_OP_IN:
    case AUR_OP_NOT_IN:
        for (all = 0; all < e->nvalues && is_void(b, e, all); all++) {
        }
        if (all < e->nvalues) {
            return 0;
        }
        all = e->op == AUR_OP_NOT_IN;
        break;
    default:
        return 0;
    }
    if (e->op != AUR_OP_IN && e->op != AUR_OP_NOT_IN && !is_void(b, e, e->nvalues - 1)) {
        return 0;
    }
    if (!all) {
        aur_sql_text_n(b->q, never, strlen(never));
        return 1;
    }
    put_left(b, e, place, 0);
    aur_sql_text(b->q, " IS NOT NULL");
    return 1;
}

static void put_comparison(const aur_build_t *b, const aur_plan_expr_t *e)
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

static void put_operator(const aur_build_t *b, const aur_plan_expr_t *e, aur_place_e place)
{
    if (put_void(b, e, place)) {
        return;
    }
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

static void put_rule(const aur_build_t *b, const aur_plan_expr_t *e, aur_place_e place)
{
    const aur_dialect_t *dialect = b->q->dialect;
    const char *narrow = dialect->narrow && e->aggregation < 0
                             ? dialect->narrow(aur_build_column_at(b, &e->column), e)
                             : NULL;

    if (!narrow) {
        put_operator(b, e, place);
        return;
    }
    aur_sql_text(b->q, "(");
    put_template(b, narrow, e, place);
    aur_sql_text(b->q, " AND ");
    put_operator(b, e, place);
    aur_sql_text(b->q, ")");
}

/* Children lo..hi-1, halved again and again: the tree's depth is the logarithm of their number, and
 * no parser's limit (SQLite: 1000) is met by a long list. */
static void put_children(const aur_build_t *b, const aur_plan_expr_t *e, int lo, int hi,
                         aur_place_e place)
{
    int mid = lo + (hi - lo) / 2;

    if (hi - lo == 1) {
        aur_build_expr(b, e->children[lo], place);
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

void aur_build_expr(const aur_build_t *b, const aur_plan_expr_t *e, aur_place_e place)
{
    if (e->never) {
        aur_sql_text_n(b->q, b->q->dialect->never, strlen(b->q->dialect->never));
    }
    else if (e->is_group) {
        put_children(b, e, 0, e->nchildren, place);
    }
    else {
        put_rule(b, e, place);
    }
}
