/* quoting.c - names and values of any text through every dialect: a statement with hostile names must have the
 * very shape of the one with plain names, its quotes must give the names back, and its binds the value.
 *
 * Input: schema, table, column, data type, value, each up to a byte 0xff. */
#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

#include "aurora/query.h"
#include "aurora/sql.h"
#include "lib/fuzz.h"
#include "lib/sql_tokens.h"
#include "lib/utf8_rules.h"

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

enum { C_TEXT, C_NUMBER, C_COLUMNS };

/* What a statement is made of. */
typedef struct words_t {
    const char *schema, *table, *column, *data_type;
    fuzz_text_t value;
    int ignore_case; /* in every other rule: 0 those with even numbers, 1 those with odd ones */
} words_t;

static const aur_op_e ops[] = {
    AUR_OP_EQ,           AUR_OP_NEQ,         AUR_OP_GT,        AUR_OP_GTE,     AUR_OP_LT,
    AUR_OP_LTE,          AUR_OP_BETWEEN,     AUR_OP_IN,        AUR_OP_NOT_IN,  AUR_OP_CONTAINS,
    AUR_OP_NOT_CONTAINS, AUR_OP_STARTS_WITH, AUR_OP_ENDS_WITH, AUR_OP_IS_NULL, AUR_OP_IS_NOT_NULL,
    AUR_OP_IS_EMPTY,     AUR_OP_IS_NOT_EMPTY};

#define PATTERNS 9 /* the first of ops that looks inside a text */

static aur_dataset_t *dataset_of(const words_t *w, apr_pool_t *p)
{
    aur_column_t *columns = apr_pcalloc(p, C_COLUMNS * sizeof(*columns));
    aur_dataset_t *d = apr_pcalloc(p, sizeof(*d));
    int i;

    for (i = 0; i < C_COLUMNS; i++) {
        columns[i].name = columns[i].display_name = w->column;
        columns[i].data_type = w->data_type;
        columns[i].type = i == C_TEXT ? AUR_T_TEXT : AUR_T_NUMBER;
        columns[i].nullable = columns[i].comparable = 1;
    }
    d->name = d->display_name = d->table = w->table;
    d->schema = *w->schema ? w->schema : NULL;
    d->ncolumns = C_COLUMNS;
    d->columns = columns;
    return d;
}

/* Every operator, or those that make patterns, ANDed. */
static aur_plan_expr_t *rules_of(const words_t *w, int table, int first, int count, apr_pool_t *p)
{
    aur_plan_expr_t *group = apr_pcalloc(p, sizeof(*group)), **children;
    int i;

    group->is_group = 1;
    group->nchildren = count;
    children = apr_pcalloc(p, sizeof(ops) / sizeof(ops[0]) * sizeof(*children));
    for (i = 0; i < group->nchildren; i++) {
        aur_plan_expr_t *e = apr_pcalloc(p, sizeof(*e));
        aur_cell_t *values = apr_pcalloc(p, 2 * sizeof(*values));
        e->aggregation = -1;
        e->column.table = table;
        e->column.column = C_TEXT;
        e->type = AUR_T_TEXT;
        e->op = ops[first + i];
        e->ignore_case = (i + w->ignore_case) % 2;
        e->nvalues = e->op == AUR_OP_BETWEEN || e->op == AUR_OP_IN ? 2 : 1;
        values[0].kind = values[1].kind = AUR_V_TEXT;
        values[0].v.s = values[1].v.s = w->value.s;
        values[0].len = values[1].len = w->value.len;
        e->values = values;
        children[i] = e;
    }
    group->children = children;
    return group;
}

/* SELECT both columns, joined to itself, restricted, grouped, sorted. */
static const aur_plan_t *plan_of(const words_t *w, aur_join_e join, apr_pool_t *p)
{
    static const aur_plan_output_t outputs[] = {
        {-1, {0, C_TEXT}}, {-1, {1, C_NUMBER}}, {0, {0, 0}}};
    static const aur_column_ref_t left[] = {{0, C_TEXT}, {0, C_NUMBER}},
                                  keys[] = {{0, C_TEXT}, {1, C_NUMBER}};
    static const int right[] = {C_TEXT, C_TEXT};
    static const aur_plan_agg_t aggregations[] = {{AUR_AGG_MAX, 0, {1, C_TEXT}, AUR_T_TEXT, "n"}};
    static const aur_plan_sort_t sorting[] = {{-1, {0, C_TEXT}, 0, 1}, {0, {0, 0}, 1, 0}};
    aur_plan_table_t *tables = apr_pcalloc(p, 2 * sizeof(*tables));
    aur_plan_t *plan = apr_pcalloc(p, sizeof(*plan));

    tables[0].dataset = tables[1].dataset = dataset_of(w, p);
    tables[0].label = tables[1].label = w->table;
    tables[1].join = join;
    tables[1].non = 2;
    tables[1].left = left;
    tables[1].right = right;
    tables[1].restriction = rules_of(w, 1, PATTERNS, 4, p);
    plan->ntables = 2;
    plan->tables = tables;
    plan->noutputs = N(outputs);
    plan->outputs = outputs;
    plan->naggregations = N(aggregations);
    plan->aggregations = aggregations;
    plan->grouped = 1;
    plan->ngroup_by = N(keys);
    plan->group_by = keys;
    plan->where = rules_of(w, 0, 0, N(ops), p);
    plan->nsorting = N(sorting);
    plan->sorting = sorting;
    plan->limit = 10;
    plan->offset = 5;
    return plan;
}

static int same(const aur_cell_t *cell, fuzz_text_t text)
{
    return cell->len == text.len && !memcmp(cell->v.s, text.s, text.len);
}

/* Does a LIKE pattern with the escape '|' stand for just this text, with % before, behind or around it? */
static int is_pattern_of(const aur_cell_t *cell, fuzz_text_t text)
{
    apr_size_t at = 0, end = cell->len, n = 0;
    int before = end > 0 && cell->v.s[0] == '%';

    for (at = (apr_size_t)before; at < end && n < text.len; at++, n++) {
        char c = cell->v.s[at];
        if (c == '%' || c == '_') {
            return 0; /* would stand for any text */
        }
        if (c == '|') {
            at++;
        }
        if (at == end || cell->v.s[at] != text.s[n]) {
            return 0;
        }
    }
    return n == text.len && (at == end ? before : at + 1 == end && cell->v.s[at] == '%');
}

static void check_binds(const aur_sql_t *sql, fuzz_text_t value)
{
    int i;

    for (i = 0; i < sql->nbinds; i++) {
        const aur_cell_t *cell = &sql->binds[i].cell;
        FUZZ_CHECK(cell->kind == AUR_V_INT || same(cell, value) || is_pattern_of(cell, value),
                   "bind %d is neither the value nor a pattern of it: %.*s", i, (int)cell->len,
                   cell->v.s);
    }
}

static void check_names(const sql_tokens_t *tokens, const words_t *w)
{
    int i, n = 0;

    for (i = 0; i < tokens->n; i++) {
        const sql_token_t *t = &tokens->t[i];
        if (t->is == SQL_NAME) {
            n++;
            FUZZ_CHECK(!strcmp(t->text, w->table) || !strcmp(t->text, w->column) ||
                           !strcmp(t->text, w->schema),
                       "a name nobody gave: %s", t->text);
        }
    }
    FUZZ_CHECK(n > 2, "no names at all");
}

static const char *shape_of(const char *driver, const words_t *w, aur_sql_e kind, aur_join_e join,
                            apr_pool_t *p)
{
    const sql_tokens_t *tokens;
    aur_error_t err;
    aur_sql_t *sql;

    aur_error_clear(&err);
    FUZZ_CHECK(aur_sql_build(&sql, sql_dialect(driver), plan_of(w, join, p), kind, &err, p) ==
                   APR_SUCCESS,
               "%s: %s", driver, err.detail);
    tokens = sql_tokens(driver, sql, p);
    check_names(tokens, w);
    check_binds(sql, w->value);
    return sql_shape(tokens, p);
}

static int is_ascii(fuzz_text_t text)
{
    apr_size_t i;

    for (i = 0; i < text.len && (unsigned char)text.s[i] < 0x80; i++) {
    }
    return i == text.len;
}

static int is_uuid(fuzz_text_t text)
{
    apr_size_t i;

    for (i = 0; i < text.len; i++) {
        int dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text.s[i] != '-' : !apr_isxdigit(text.s[i])) {
            return 0;
        }
    }
    return text.len == 36;
}

/* A value that dialects treat as this one: nothing else about it may count. */
static fuzz_text_t plain_like(fuzz_text_t value)
{
    static const fuzz_text_t empty = {"", 0}, letter = {"x", 1}, accent = {"\xc3\xa9", 2},
                             uuid = {"00000000-0000-0000-0000-000000000000", 36};

    return !value.len ? empty : is_uuid(value) ? uuid : is_ascii(value) ? letter : accent;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_in_t in = {data, size};
    apr_pool_t *p = fuzz_pool();
    words_t hostile, plain;
    int i;

    hostile.schema = fuzz_name(&in, p);
    hostile.table = fuzz_name(&in, p);
    hostile.column = fuzz_name(&in, p);
    hostile.data_type = fuzz_name(&in, p);
    hostile.value = fuzz_field(&in, p);
    hostile.ignore_case = (int)(size / 2 % 2);
    plain = hostile;
    plain.schema = *hostile.schema ? "s" : "";
    plain.table = "t";
    plain.column = "c";
    plain.value = plain_like(hostile.value);
    for (i = 0; i < SQL_DRIVERS; i++) {
        aur_sql_e kind = i % 2 ? AUR_SQL_COUNT_BOUNDED : AUR_SQL_PAGE;
        aur_join_e join = i % 2 ? AUR_JOIN_OUTER : AUR_JOIN_LEFT;
        if (size % 2) {
            kind = i % 2 ? AUR_SQL_PAGE : AUR_SQL_COUNT;
        }
        FUZZ_CHECK(!strcmp(shape_of(sql_drivers[i], &hostile, kind, join, p),
                           shape_of(sql_drivers[i], &plain, kind, join, p)),
                   "%s: names or values change the statement", sql_drivers[i]);
    }
    apr_pool_destroy(p);
    return 0;
}
