/* Plans made by hand, built for SQLite and run there: what counts is the rows that come out. */
#include <apr_general.h>
#include <apr_strings.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "aurora/sql.h"
#include "aurora/text.h"
#include "tap.h"

static apr_pool_t *pool;
static sqlite3 *db;

#define N(a)    ((int)(sizeof(a) / sizeof((a)[0])))
#define HOSTILE "a\"b; DROP TABLE SALES;--"

enum { S_ID, S_REGION, S_AMOUNT, S_QTY, S_SOLD, S_AT, S_PAID, S_RID };
static const aur_column_t sales_columns[] = {
    {"ID", "ID", "INTEGER", NULL, AUR_T_NUMBER, 0, 1},
    {"REGION", "REGION", "TEXT", NULL, AUR_T_TEXT, 1, 1},
    {"AMOUNT", "AMOUNT", "DECIMAL(10,2)", NULL, AUR_T_NUMBER, 1, 1},
    {"QTY", "QTY", "INTEGER", NULL, AUR_T_NUMBER, 1, 1},
    {"SOLD", "SOLD", "DATE", NULL, AUR_T_DATE, 1, 1},
    {"AT", "AT", "TIMESTAMP", NULL, AUR_T_TIMESTAMP, 1, 1},
    {"PAID", "PAID", "BOOLEAN", NULL, AUR_T_BOOLEAN, 1, 1},
    {"RID", "RID", "INTEGER", NULL, AUR_T_NUMBER, 1, 1},
};
enum { R_RID, R_NAME };
static const aur_column_t regions_columns[] = {
    {"RID", "RID", "INTEGER", NULL, AUR_T_NUMBER, 0, 1},
    {"NAME", "NAME", "TEXT", NULL, AUR_T_TEXT, 1, 1},
};
static const aur_column_t hostile_columns[] = {
    {"c\"d", "c\"d", "TEXT", NULL, AUR_T_TEXT, 1, 1},
    {"order", "order", "INTEGER", NULL, AUR_T_NUMBER, 1, 1},
    {"no such", "no such", "TEXT", NULL, AUR_T_TEXT, 1, 1},
};
static const aur_dataset_t sales = {.name = "SALES",
                                    .table = "SALES",
                                    .row_estimate = -1,
                                    .ncolumns = N(sales_columns),
                                    .columns = sales_columns};
static const aur_dataset_t regions = {.name = "REGIONS",
                                      .schema = "main",
                                      .table = "REGIONS",
                                      .row_estimate = -1,
                                      .ncolumns = N(regions_columns),
                                      .columns = regions_columns};
static const aur_dataset_t hostile = {.name = HOSTILE,
                                      .table = HOSTILE,
                                      .row_estimate = -1,
                                      .ncolumns = N(hostile_columns),
                                      .columns = hostile_columns};

static const char schema[] =
    "CREATE TABLE SALES(ID INTEGER PRIMARY KEY, REGION TEXT, AMOUNT DECIMAL(10,2), QTY INTEGER,"
    " SOLD DATE, AT TIMESTAMP, PAID BOOLEAN, RID INTEGER);"
    "INSERT INTO SALES VALUES"
    "(1,'North',10.5,1,'2024-01-01','2024-01-01 10:00:00',1,1),"
    "(2,'north',20,2,'2024-01-02','2024-01-02 10:00:00.5',0,1),"
    "(3,'South 100%_\\x',30.25,3,'1969-12-31','1969-12-31 23:59:59',1,2),"
    "(4,'',NULL,NULL,NULL,NULL,NULL,9),"
    "(5,NULL,-5,5,'2024-02-29','2024-02-29 00:00:00',0,NULL),"
    "(6,'\xc3\x84rger',9007199254740993,6,'2024-03-01','2024-03-01 00:00:00',1,2),"
    "(7,'\xc3\xa4rger East',0.1,7,'2024-03-02','2024-03-02 00:00:00',1,3);"
    "CREATE TABLE REGIONS(RID INTEGER, NAME TEXT);"
    "INSERT INTO REGIONS VALUES (1,'one'),(2,'two'),(3,'three'),(4,'four');"
    "CREATE TABLE \"a\"\"b; DROP TABLE SALES;--\"(\"c\"\"d\" TEXT, \"order\" INTEGER);"
    "INSERT INTO \"a\"\"b; DROP TABLE SALES;--\" VALUES ('x',1),('no such',2);";

/* --- running ----------------------------------------------------------------------------------- */

static void fold(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    const char *s = (const char *)sqlite3_value_text(argv[0]);
    apr_size_t len;
    const char *folded;

    if (s) {
        folded = aur_casefold(s, (apr_size_t)sqlite3_value_bytes(argv[0]), &len, pool);
        sqlite3_result_text(ctx, folded, (int)len, SQLITE_TRANSIENT);
    }
}

static int bind_value(sqlite3_stmt *stmt, int n, const aur_cell_t *cell)
{
    switch (cell->kind) {
    case AUR_V_INT:
    case AUR_V_BOOL:
        return sqlite3_bind_int64(stmt, n, cell->v.i);
    case AUR_V_DECIMAL:
        return sqlite3_bind_double(stmt, n,
                                   strtod(apr_pstrmemdup(pool, cell->v.s, cell->len), NULL));
    default:
        return sqlite3_bind_text(stmt, n, cell->v.s, (int)cell->len, SQLITE_STATIC);
    }
}

/* Rows as "a|b;c|d", NULL as "~"; or "error: …". */
static const char *run(const aur_plan_t *plan, aur_sql_e kind)
{
    sqlite3_stmt *stmt = NULL;
    const char *rows = "";
    aur_sql_t *sql;
    aur_error_t err;
    int i, rc;

    aur_error_clear(&err);
    if (aur_sql_build(&sql, aur_dialect_get("sqlite3"), plan, kind, &err, pool) != APR_SUCCESS) {
        return apr_psprintf(pool, "refused: %s", aur_error_code(err.code));
    }
    if (strlen(sql->text) != sql->len ||
        sqlite3_prepare_v2(db, sql->text, -1, &stmt, NULL) != SQLITE_OK) {
        return apr_psprintf(pool, "error: %s in %s", sqlite3_errmsg(db), sql->text);
    }
    if (sqlite3_bind_parameter_count(stmt) != sql->nbinds) {
        return "error: placeholders and binds differ";
    }
    for (i = 0; i < sql->nbinds; i++) {
        if (bind_value(stmt, i + 1, &sql->binds[i].cell) != SQLITE_OK) {
            return "error: bind";
        }
    }
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        rows = apr_pstrcat(pool, rows, *rows ? ";" : "", NULL);
        for (i = 0; i < sqlite3_column_count(stmt); i++) {
            const char *text = (const char *)sqlite3_column_text(stmt, i);
            rows = apr_pstrcat(pool, rows, i ? "|" : "", text ? text : "~", NULL);
        }
    }
    if (rc != SQLITE_DONE) {
        rows = apr_psprintf(pool, "error: %s", sqlite3_errmsg(db));
    }
    sqlite3_finalize(stmt);
    return rows;
}

static const char *text_of(const aur_plan_t *plan, aur_sql_e kind)
{
    aur_sql_t *sql;
    aur_error_t err;

    aur_error_clear(&err);
    return aur_sql_build(&sql, aur_dialect_get("sqlite3"), plan, kind, &err, pool) == APR_SUCCESS
               ? sql->text
               : "refused";
}

/* --- parts of plans ---------------------------------------------------------------------------- */

#define INT(n)                                                                                     \
    {                                                                                              \
        .kind = AUR_V_INT, .v.i = (n)                                                              \
    }
#define TEXT(t)                                                                                    \
    {                                                                                              \
        .kind = AUR_V_TEXT, .len = sizeof(t) - 1, .v.s = t                                         \
    }
#define DEC(t)                                                                                     \
    {                                                                                              \
        .kind = AUR_V_DECIMAL, .len = sizeof(t) - 1, .v.s = t                                      \
    }
#define DATE(t)                                                                                    \
    {                                                                                              \
        .kind = AUR_V_DATE, .len = sizeof(t) - 1, .v.s = t                                         \
    }
#define TIME(t)                                                                                    \
    {                                                                                              \
        .kind = AUR_V_TIMESTAMP, .len = sizeof(t) - 1, .v.s = t                                    \
    }
#define BOOL(n)                                                                                    \
    {                                                                                              \
        .kind = AUR_V_BOOL, .v.i = (n)                                                             \
    }
#define COLUMN(t, c)                                                                               \
    {                                                                                              \
        .aggregation = -1, .column = { t, c }                                                      \
    }

static const aur_plan_output_t id_only[] = {COLUMN(0, S_ID)};
static const aur_plan_sort_t by_id[] = {{.aggregation = -1, .column = {0, S_ID}, .nulls_first = 0}};
static const aur_plan_table_t only_sales[] = {{.dataset = &sales, .label = "SALES"}};

/* SELECT ID FROM SALES WHERE … ORDER BY ID */
static aur_plan_t ids_where(const aur_plan_expr_t *where)
{
    aur_plan_t plan = {.ntables = 1,
                       .tables = only_sales,
                       .noutputs = 1,
                       .outputs = id_only,
                       .where = where,
                       .nsorting = 1,
                       .sorting = by_id,
                       .limit = 100};
    return plan;
}

/* --- every operator on every type -------------------------------------------------------------- */

static const struct {
    const char *name;
    int column;
    aur_op_e op;
    int ignore_case, nvalues;
    aur_cell_t values[3];
    const char *ids;
} rules[] = {
    {"eq number", S_QTY, AUR_OP_EQ, 0, 1, {INT(2)}, "2"},
    {"eq decimal", S_AMOUNT, AUR_OP_EQ, 0, 1, {DEC("10.50")}, "1"},
    {"eq keeps 54 bits", S_AMOUNT, AUR_OP_EQ, 0, 1, {INT(9007199254740993)}, "6"},
    {"eq 0.1", S_AMOUNT, AUR_OP_EQ, 0, 1, {DEC("0.1")}, "7"},
    {"neq number leaves NULL out", S_QTY, AUR_OP_NEQ, 0, 1, {INT(2)}, "1;3;5;6;7"},
    {"gt", S_QTY, AUR_OP_GT, 0, 1, {INT(3)}, "5;6;7"},
    {"gte", S_QTY, AUR_OP_GTE, 0, 1, {INT(3)}, "3;5;6;7"},
    {"lt", S_AMOUNT, AUR_OP_LT, 0, 1, {INT(0)}, "5"},
    {"lte", S_QTY, AUR_OP_LTE, 0, 1, {INT(2)}, "1;2"},
    {"between", S_QTY, AUR_OP_BETWEEN, 0, 2, {INT(2), INT(5)}, "2;3;5"},
    {"in", S_QTY, AUR_OP_IN, 0, 3, {INT(1), INT(5), INT(99)}, "1;5"},
    {"not_in leaves NULL out", S_QTY, AUR_OP_NOT_IN, 0, 2, {INT(1), INT(5)}, "2;3;6;7"},
    {"eq text, case counts", S_REGION, AUR_OP_EQ, 0, 1, {TEXT("North")}, "1"},
    {"eq text, ignore_case", S_REGION, AUR_OP_EQ, 1, 1, {TEXT("north")}, "1;2"},
    {"neq text, ignore_case", S_REGION, AUR_OP_NEQ, 1, 1, {TEXT("north")}, "3;4;6;7"},
    {"in text, ignore_case", S_REGION, AUR_OP_IN, 1, 2, {TEXT("north"), TEXT("x")}, "1;2"},
    {"eq empty text is not NULL", S_REGION, AUR_OP_EQ, 0, 1, {TEXT("")}, "4"},
    {"eq text that is SQL", S_REGION, AUR_OP_EQ, 0, 1, {TEXT("' OR 1=1 --")}, ""},
    {"between text", S_REGION, AUR_OP_BETWEEN, 0, 2, {TEXT("M"), TEXT("Q")}, "1"},
    {"eq date", S_SOLD, AUR_OP_EQ, 0, 1, {DATE("2024-02-29")}, "5"},
    {"lt date before 1970", S_SOLD, AUR_OP_LT, 0, 1, {DATE("1970-01-01")}, "3"},
    {"gte timestamp", S_AT, AUR_OP_GTE, 0, 1, {TIME("2024-03-01 00:00:00")}, "6;7"},
    {"eq timestamp with fraction", S_AT, AUR_OP_EQ, 0, 1, {TIME("2024-01-02 10:00:00.5")}, "2"},
    {"eq true", S_PAID, AUR_OP_EQ, 0, 1, {BOOL(1)}, "1;3;6;7"},
    {"neq true", S_PAID, AUR_OP_NEQ, 0, 1, {BOOL(1)}, "2;5"},
    {"contains, case counts", S_REGION, AUR_OP_CONTAINS, 0, 1, {TEXT("orth")}, "1;2"},
    {"contains N", S_REGION, AUR_OP_CONTAINS, 0, 1, {TEXT("N")}, "1"},
    {"contains %", S_REGION, AUR_OP_CONTAINS, 0, 1, {TEXT("%")}, "3"},
    {"contains _", S_REGION, AUR_OP_CONTAINS, 0, 1, {TEXT("_")}, "3"},
    {"contains backslash", S_REGION, AUR_OP_CONTAINS, 0, 1, {TEXT("\\")}, "3"},
    {"contains nothing: all but NULL", S_REGION, AUR_OP_CONTAINS, 0, 1, {TEXT("")}, "1;2;3;4;6;7"},
    {"contains, ignore_case", S_REGION, AUR_OP_CONTAINS, 1, 1, {TEXT("\xc3\xa4rg")}, "6;7"},
    {"contains nothing, ignore_case", S_REGION, AUR_OP_CONTAINS, 1, 1, {TEXT("")}, "1;2;3;4;6;7"},
    {"not_contains", S_REGION, AUR_OP_NOT_CONTAINS, 0, 1, {TEXT("orth")}, "3;4;6;7"},
    {"not_contains, ignore_case", S_REGION, AUR_OP_NOT_CONTAINS, 1, 1, {TEXT("n")}, "3;4;6;7"},
    {"not_contains nothing", S_REGION, AUR_OP_NOT_CONTAINS, 0, 1, {TEXT("")}, ""},
    {"starts_with", S_REGION, AUR_OP_STARTS_WITH, 0, 1, {TEXT("No")}, "1"},
    {"starts_with, ignore_case", S_REGION, AUR_OP_STARTS_WITH, 1, 1, {TEXT("no")}, "1;2"},
    {"starts_with two bytes", S_REGION, AUR_OP_STARTS_WITH, 0, 1, {TEXT("\xc3\x84")}, "6"},
    {"starts_with nothing", S_REGION, AUR_OP_STARTS_WITH, 0, 1, {TEXT("")}, "1;2;3;4;6;7"},
    {"starts_with more than there is", S_REGION, AUR_OP_STARTS_WITH, 0, 1, {TEXT("Northern")}, ""},
    {"ends_with", S_REGION, AUR_OP_ENDS_WITH, 0, 1, {TEXT("rth")}, "1;2"},
    {"ends_with, ignore_case", S_REGION, AUR_OP_ENDS_WITH, 1, 1, {TEXT("east")}, "7"},
    {"ends_with two bytes", S_REGION, AUR_OP_ENDS_WITH, 0, 1, {TEXT("\xc3\xa4rger East")}, "7"},
    {"ends_with nothing", S_REGION, AUR_OP_ENDS_WITH, 0, 1, {TEXT("")}, "1;2;3;4;6;7"},
    {"ends_with more than there is", S_REGION, AUR_OP_ENDS_WITH, 0, 1, {TEXT("xNorth")}, ""},
    {"is_null", S_REGION, AUR_OP_IS_NULL, 0, 0, {INT(0)}, "5"},
    {"is_not_null", S_REGION, AUR_OP_IS_NOT_NULL, 0, 0, {INT(0)}, "1;2;3;4;6;7"},
    {"is_empty", S_REGION, AUR_OP_IS_EMPTY, 0, 0, {INT(0)}, "4;5"},
    {"is_not_empty", S_REGION, AUR_OP_IS_NOT_EMPTY, 0, 0, {INT(0)}, "1;2;3;6;7"},
    {"is_empty, ignore_case", S_REGION, AUR_OP_IS_EMPTY, 1, 0, {INT(0)}, "4;5"},
    {"is_null number", S_AMOUNT, AUR_OP_IS_NULL, 0, 0, {INT(0)}, "4"},
};

static void test_rules(void)
{
    int i;

    for (i = 0; i < N(rules); i++) {
        aur_plan_expr_t e = {.aggregation = -1,
                             .column = {0, rules[i].column},
                             .type = sales_columns[rules[i].column].type,
                             .op = rules[i].op,
                             .ignore_case = rules[i].ignore_case,
                             .nvalues = rules[i].nvalues,
                             .values = rules[i].values};
        aur_plan_t plan = ids_where(&e);
        is_str(run(&plan, AUR_SQL_ALL), rules[i].ids, rules[i].name);
    }
}

/* --- groups ------------------------------------------------------------------------------------ */

static aur_plan_expr_t *rule(int column, aur_op_e op, apr_int64_t value)
{
    aur_plan_expr_t *e = apr_pcalloc(pool, sizeof(*e));
    aur_cell_t *cell = apr_pcalloc(pool, sizeof(*cell));

    cell->kind = AUR_V_INT;
    cell->v.i = value;
    e->aggregation = -1;
    e->column.column = column;
    e->type = AUR_T_NUMBER;
    e->op = op;
    e->nvalues = 1;
    e->values = cell;
    return e;
}

static aur_plan_expr_t *group(int any, int n, aur_plan_expr_t *const *children)
{
    aur_plan_expr_t *e = apr_pcalloc(pool, sizeof(*e));

    e->is_group = 1;
    e->any = any;
    e->nchildren = n;
    e->children = children;
    e->aggregation = -1;
    return e;
}

static void test_groups(void)
{
    aur_plan_expr_t *inner[] = {rule(S_QTY, AUR_OP_EQ, 1), rule(S_QTY, AUR_OP_EQ, 2)};
    aur_plan_expr_t *outer[] = {group(1, 2, inner), rule(S_AMOUNT, AUR_OP_GT, 15)};
    aur_plan_expr_t *mixed[] = {rule(S_QTY, AUR_OP_EQ, 7), group(0, 2, outer)};
    aur_plan_expr_t **many = apr_pcalloc(pool, 1000 * sizeof(*many)), *deep;
    aur_plan_t plan;
    int i;

    plan = ids_where(group(0, 2, outer));
    is_str(run(&plan, AUR_SQL_ALL), "2", "(a OR b) AND c");
    plan = ids_where(group(1, 2, mixed));
    is_str(run(&plan, AUR_SQL_ALL), "2;7", "a OR ((b OR c) AND d)");
    plan = ids_where(group(0, 1, inner));
    is_str(run(&plan, AUR_SQL_ALL), "1", "a group of one");

    for (i = 0; i < 1000; i++) {
        many[i] = rule(S_QTY, AUR_OP_EQ, i + 3);
    }
    plan = ids_where(group(1, 1000, many));
    is_str(run(&plan, AUR_SQL_ALL), "3;5;6;7", "1000 rules in an OR");
    for (i = 0; i < 1000; i++) {
        many[i] = rule(S_QTY, AUR_OP_NEQ, i + 3);
    }
    plan = ids_where(group(0, 1000, many));
    is_str(run(&plan, AUR_SQL_ALL), "1;2", "1000 rules in an AND");
    for (deep = rule(S_QTY, AUR_OP_EQ, 2), i = 0; i < AUR_QUERY_DEPTH_MAX; i++) {
        aur_plan_expr_t **pair = apr_pcalloc(pool, 2 * sizeof(*pair));
        pair[0] = deep;
        pair[1] = rule(S_QTY, i % 2 ? AUR_OP_LT : AUR_OP_GT, i % 2 ? 100 : 200);
        deep = group(i % 2 == 0, 2, pair);
    }
    plan = ids_where(deep);
    is_str(run(&plan, AUR_SQL_ALL), "2", "groups nested as deep as requests may");
}

static void test_many_values(void)
{
    aur_plan_expr_t *e = rule(S_QTY, AUR_OP_IN, 0);
    aur_cell_t *values = apr_pcalloc(pool, AUR_QUERY_IN_MAX * sizeof(*values));
    aur_plan_t plan = ids_where(e);
    int i;

    for (i = 0; i < AUR_QUERY_IN_MAX; i++) {
        values[i].kind = AUR_V_INT;
        values[i].v.i = i + 5;
    }
    e->nvalues = AUR_QUERY_IN_MAX;
    e->values = values;
    is_str(run(&plan, AUR_SQL_ALL), "5;6;7", "an `in` with as many values as requests may have");
}

/* --- order and pages --------------------------------------------------------------------------- */

static void test_order(void)
{
    static const struct {
        int descending, nulls_first;
        const char *ids;
    } cases[] = {{0, 0, "1;2;3;5;6;7;4"},
                 {0, 1, "4;1;2;3;5;6;7"},
                 {1, 0, "7;6;5;3;2;1;4"},
                 {1, 1, "4;7;6;5;3;2;1"}};
    aur_plan_sort_t sort[2] = {{.aggregation = -1, .column = {0, S_QTY}}};
    aur_plan_t plan = ids_where(NULL);
    int i;

    plan.sorting = sort;
    for (i = 0; i < N(cases); i++) {
        sort[0].descending = cases[i].descending;
        sort[0].nulls_first = cases[i].nulls_first;
        is_str(run(&plan, AUR_SQL_ALL), cases[i].ids,
               apr_psprintf(pool, "%s, NULLs %s", cases[i].descending ? "DESC" : "ASC",
                            cases[i].nulls_first ? "first" : "last"));
    }
    sort[0].column.column = S_PAID;
    sort[0].descending = 1;
    sort[0].nulls_first = 0;
    sort[1].aggregation = -1;
    sort[1].column.column = S_ID;
    sort[1].descending = 1;
    plan.nsorting = 2;
    is_str(run(&plan, AUR_SQL_ALL), "7;6;3;1;5;2;4", "two keys");
}

static void test_pages(void)
{
    aur_plan_t plan = ids_where(NULL);

    plan.limit = 2;
    is_str(run(&plan, AUR_SQL_PAGE), "1;2", "the first page");
    plan.offset = 5;
    is_str(run(&plan, AUR_SQL_PAGE), "6;7", "the last page");
    plan.offset = 7;
    is_str(run(&plan, AUR_SQL_PAGE), "", "past the end");
    is_str(run(&plan, AUR_SQL_ALL), "1;2;3;4;5;6;7", "ALL knows neither limit nor offset");
    is_str(run(&plan, AUR_SQL_COUNT), "7", "COUNT neither");
    is_str(run(&plan, AUR_SQL_COUNT_BOUNDED), "2", "a bounded count stops at the limit");
    plan.limit = 8;
    is_str(run(&plan, AUR_SQL_COUNT_BOUNDED), "7", "and below it is exact");
    ok(!strstr(text_of(&plan, AUR_SQL_COUNT), "ORDER"), "a count sorts nothing");
    ok(!strstr(text_of(&plan, AUR_SQL_PAGE), "8"), "limits travel as values");
}

/* --- joins ------------------------------------------------------------------------------------- */

static const aur_column_ref_t left_rid[] = {{0, S_RID}};
static const int right_rid[] = {R_RID};

static void test_joins(void)
{
    static const struct {
        const char *name;
        aur_join_e join;
        const char *rows, *restricted;
    } cases[] = {
        {"inner", AUR_JOIN_INNER, "1|one;2|one;3|two;6|two;7|three", "3|two;6|two"},
        {"left", AUR_JOIN_LEFT, "1|one;2|one;3|two;4|~;5|~;6|two;7|three",
         "1|~;2|~;3|two;4|~;5|~;6|two;7|~"},
        {"right", AUR_JOIN_RIGHT, "~|four;1|one;2|one;3|two;6|two;7|three", "3|two;6|two"},
        {"outer", AUR_JOIN_OUTER, "~|four;1|one;2|one;3|two;4|~;5|~;6|two;7|three",
         "1|~;2|~;3|two;4|~;5|~;6|two;7|~"},
    };
    aur_plan_expr_t *e = rule(R_NAME, AUR_OP_STARTS_WITH, 0);
    aur_cell_t value = TEXT("tw");
    aur_plan_table_t tables[] = {
        {.dataset = &sales, .label = "SALES"},
        {.dataset = &regions, .label = "REGIONS", .non = 1, .left = left_rid, .right = right_rid}};
    aur_plan_output_t outputs[] = {COLUMN(0, S_ID), COLUMN(1, R_NAME)};
    aur_plan_sort_t sort[] = {{.aggregation = -1, .column = {0, S_ID}, .nulls_first = 1}};
    aur_plan_t plan = {.ntables = 2,
                       .tables = tables,
                       .noutputs = 2,
                       .outputs = outputs,
                       .nsorting = 1,
                       .sorting = sort,
                       .limit = 100};
    int i;

    e->column.table = 1; /* a restriction names the table it stands under */
    e->type = AUR_T_TEXT;
    e->values = &value;
    for (i = 0; i < N(cases); i++) {
        int native = sqlite3_libversion_number() >= 3039000;
        int new_join = cases[i].join == AUR_JOIN_RIGHT || cases[i].join == AUR_JOIN_OUTER;
        tables[1].join = cases[i].join;
        tables[1].restriction = NULL;
        is_str(run(&plan, AUR_SQL_ALL),
               native || !new_join ? cases[i].rows : "refused: BAD_REQUEST", cases[i].name);
        if (native || !new_join) {
            tables[1].restriction = e;
            is_str(run(&plan, AUR_SQL_ALL), cases[i].restricted,
                   apr_pstrcat(pool, cases[i].name, ", the joined table restricted", NULL));
        }
    }
    is_str(run(&plan, AUR_SQL_COUNT), "7", "the count of an outer join with a restriction");
}

/* A table no row of which may be seen is an empty one, in every dialect. */
static void test_never(void)
{
    static const char *const drivers[] = {"sqlite3", "pgsql", "mysql", "odbc", "oracle"};
    aur_plan_expr_t never = {.never = 1, .aggregation = -1, .column = {1, 0}};
    aur_plan_expr_t *pair[] = {rule(R_RID, AUR_OP_GT, 0), &never};
    aur_plan_expr_t both = {.is_group = 1, .nchildren = 2, .children = pair, .aggregation = -1};
    aur_plan_table_t tables[] = {{.dataset = &sales, .label = "SALES"},
                                 {.dataset = &regions,
                                  .label = "REGIONS",
                                  .join = AUR_JOIN_LEFT,
                                  .non = 1,
                                  .left = left_rid,
                                  .right = right_rid,
                                  .restriction = &never}};
    aur_plan_output_t outputs[] = {COLUMN(0, S_ID), COLUMN(1, R_NAME)};
    aur_plan_t plan = {
        .ntables = 2, .tables = tables, .noutputs = 2, .outputs = outputs, .limit = 100};
    int i;

    pair[0]->column.table = 1;
    is_str(run(&plan, AUR_SQL_ALL), "1|~;2|~;3|~;4|~;5|~;6|~;7|~",
           "joined on the left, no row has a partner");
    tables[1].restriction = &both;
    is_str(run(&plan, AUR_SQL_ALL), "1|~;2|~;3|~;4|~;5|~;6|~;7|~",
           "nor with another rule beside it");
    tables[1].join = AUR_JOIN_INNER;
    is_str(run(&plan, AUR_SQL_COUNT), "0", "joined inside there is none");
    plan.ntables = plan.noutputs = 1;
    tables[0].restriction = &never;
    is_str(run(&plan, AUR_SQL_COUNT_BOUNDED), "0", "nor of the table itself");
    for (i = 0; i < N(drivers); i++) {
        const aur_dialect_t *dialect = aur_dialect_get(drivers[i]);
        aur_sql_t *sql = NULL;
        aur_error_t err;
        const char *text;
        aur_error_clear(&err);
        text = aur_sql_build(&sql, dialect, &plan, AUR_SQL_ALL, &err, pool) == APR_SUCCESS
                   ? sql->text
                   : err.detail;
        ok(strstr(text, "t WHERE 1 = 0)") || strstr(text, "t WHERE 0 = 1)") ||
               strstr(text, "t WHERE false)"),
           "%s: %s", drivers[i], text);
    }
}

static void test_self_join(void)
{
    static const aur_column_ref_t left[] = {{0, S_RID}, {0, S_PAID}};
    static const int right[] = {S_RID, S_PAID};
    aur_plan_table_t tables[] = {
        {.dataset = &sales, .label = "SALES", .restriction = rule(S_QTY, AUR_OP_LT, 7)},
        {.dataset = &sales, .label = "SALES_2", .non = 2, .left = left, .right = right}};
    aur_plan_output_t outputs[] = {COLUMN(0, S_ID), COLUMN(1, S_ID), COLUMN(0, S_ID)};
    aur_plan_sort_t sort[] = {{.aggregation = -1, .column = {0, S_ID}},
                              {.aggregation = -1, .column = {1, S_ID}}};
    aur_plan_t plan = {.ntables = 2,
                       .tables = tables,
                       .noutputs = 3,
                       .outputs = outputs,
                       .nsorting = 2,
                       .sorting = sort,
                       .limit = 3};

    is_str(run(&plan, AUR_SQL_ALL), "1|1|1;2|2|2;3|3|3;3|6|3;6|3|6;6|6|6",
           "a table joined to itself on two columns, one of the two restricted");
    is_str(run(&plan, AUR_SQL_COUNT), "6", "counted, with one output twice");
    is_str(run(&plan, AUR_SQL_COUNT_BOUNDED), "3", "counted up to the limit");
}

/* --- the newest partition ------------------------------------------------------------------------ */

static const struct {
    const char *name;
    int below; /* restricted to QTY < this; 0: to nothing */
    int n, columns[AUR_NEWEST_MAX];
    const char *ids;
} newest[] = {
    {"the greatest number", 0, 1, {S_RID}, "4"},
    {"of the rows that may be seen", 7, 1, {S_RID}, "3;6"},
    {"of none", -100, 1, {S_RID}, ""},
    {"the greatest text by its bytes", 0, 1, {S_REGION}, "7"},
    {"the newest date", 0, 1, {S_SOLD}, "7"},
    {"the newest date, then its greatest number", 0, 2, {S_PAID, S_RID}, "7"},
    {"both of the rows that may be seen", 7, 2, {S_PAID, S_RID}, "3;6"},
    {"a date whose rows have no number is not the newest", 6, 2, {S_SOLD, S_RID}, "2"},
    {"both of none", -100, 2, {S_SOLD, S_RID}, ""},
};

static void test_newest(void)
{
    int i;

    for (i = 0; i < N(newest); i++) {
        aur_plan_table_t table = {.dataset = &sales, .label = "SALES", .nnewest = newest[i].n};
        aur_plan_t plan = ids_where(NULL);
        int rows = *newest[i].ids ? 1 : 0;
        const char *s;

        memcpy(table.newest, newest[i].columns, sizeof(table.newest));
        table.restriction = newest[i].below ? rule(S_QTY, AUR_OP_LT, newest[i].below) : NULL;
        plan.tables = &table;
        for (s = newest[i].ids; *s; s++) {
            rows += *s == ';';
        }
        is_str(run(&plan, AUR_SQL_ALL), newest[i].ids, newest[i].name);
        is_str(run(&plan, AUR_SQL_COUNT), apr_itoa(pool, rows), "counted alike");
        plan.where = rule(S_ID, AUR_OP_LT, 0);
        is_str(run(&plan, AUR_SQL_ALL), "", "a filter chooses among its rows");
    }
}

static void test_newest_joined(void)
{
    static const char *const rows[] = {
        [AUR_JOIN_INNER] = "7|three",
        [AUR_JOIN_LEFT] = "1|~;2|~;3|~;4|~;5|~;6|~;7|three",
        [AUR_JOIN_RIGHT] = "7|three",
        [AUR_JOIN_OUTER] = "1|~;2|~;3|~;4|~;5|~;6|~;7|three",
    };
    aur_plan_expr_t *below_four = rule(R_RID, AUR_OP_LT, 4);
    aur_plan_table_t tables[] = {{.dataset = &sales, .label = "SALES"},
                                 {.dataset = &regions,
                                  .label = "REGIONS",
                                  .non = 1,
                                  .left = left_rid,
                                  .right = right_rid,
                                  .restriction = below_four,
                                  .nnewest = 1,
                                  .newest = {R_RID}}};
    aur_plan_output_t outputs[] = {COLUMN(0, S_ID), COLUMN(1, R_NAME)};
    aur_plan_t plan = ids_where(NULL);
    int i;

    below_four->column.table = 1;
    plan.ntables = plan.noutputs = 2;
    plan.tables = tables;
    plan.outputs = outputs;
    for (i = 0; i < N(rows); i++) {
        tables[1].join = (aur_join_e)i;
        if (i < AUR_JOIN_RIGHT || sqlite3_libversion_number() >= 3039000) {
            is_str(run(&plan, AUR_SQL_ALL), rows[i],
                   apr_psprintf(pool, "the newest of the joined table, join %d", i));
        }
    }
}

/* Where no database of that kind is at hand, the text tells. */
static void test_newest_ansi(void)
{
    aur_plan_table_t table = {.dataset = &sales,
                              .label = "SALES",
                              .restriction = rule(S_QTY, AUR_OP_IS_NOT_NULL, 0),
                              .nnewest = 2,
                              .newest = {S_SOLD, S_RID}};
    aur_plan_t plan = ids_where(NULL);
    aur_sql_t *sql;
    aur_error_t err;

    plan.tables = &table;
    plan.nsorting = 0;
    ok(aur_sql_build(&sql, aur_dialect_get("odbc"), &plan, AUR_SQL_ALL, &err, pool) == APR_SUCCESS,
       "the common dialect builds");
#define SEEN " FROM \"SALES\" t WHERE t.\"QTY\" IS NOT NULL"
#define DAY  " AND t.\"SOLD\" = (SELECT max(t.\"SOLD\")" SEEN " AND t.\"RID\" IS NOT NULL)"
    is_str(sql->text,
           "SELECT t0.\"ID\" AS c0 FROM (SELECT *" SEEN DAY
           " AND t.\"RID\" = (SELECT max(t.\"RID\")" SEEN DAY ")) t0",
           "in words that most databases know");
}

/* --- groups and totals ------------------------------------------------------------------------- */

enum { A_SUM, A_AVG, A_COUNT, A_STAR, A_MIN, A_MAX, A_DISTINCT };
static const aur_plan_agg_t totals[] = {
    {AUR_AGG_SUM, 0, {0, S_QTY}, AUR_T_NUMBER, "sum"},
    {AUR_AGG_AVG, 0, {0, S_QTY}, AUR_T_NUMBER, "avg"},
    {AUR_AGG_COUNT, 0, {0, S_QTY}, AUR_T_NUMBER, "count"},
    {AUR_AGG_COUNT, 1, {0, 0}, AUR_T_NUMBER, "star"},
    {AUR_AGG_MIN, 0, {0, S_SOLD}, AUR_T_DATE, "min"},
    {AUR_AGG_MAX, 0, {0, S_REGION}, AUR_T_TEXT, "max"},
    {AUR_AGG_DISTINCT_COUNT, 0, {0, S_RID}, AUR_T_NUMBER, "distinct"},
};
#define TOTAL(n)                                                                                   \
    {                                                                                              \
        .aggregation = (n)                                                                         \
    }

static void test_totals(void)
{
    static const aur_plan_output_t all[] = {TOTAL(A_SUM),     TOTAL(A_AVG), TOTAL(A_COUNT),
                                            TOTAL(A_STAR),    TOTAL(A_MIN), TOTAL(A_MAX),
                                            TOTAL(A_DISTINCT)};
    aur_plan_t plan = {.ntables = 1,
                       .tables = only_sales,
                       .noutputs = N(all),
                       .outputs = all,
                       .naggregations = N(totals),
                       .aggregations = totals,
                       .grouped = 1,
                       .limit = 100};
    aur_plan_expr_t *having = rule(0, AUR_OP_GT, 100);

    is_str(run(&plan, AUR_SQL_ALL), "24|4.0|6|7|1969-12-31|\xc3\xa4rger East|4", "every function");
    is_str(run(&plan, AUR_SQL_COUNT), "1", "totals without groups are one row");
    having->aggregation = A_SUM;
    plan.having = having;
    is_str(run(&plan, AUR_SQL_ALL), "", "HAVING without GROUP BY drops it");
    is_str(run(&plan, AUR_SQL_COUNT), "0", "and it is not counted");
    plan.having = NULL;
    plan.where = rule(S_QTY, AUR_OP_GT, 1000);
    is_str(run(&plan, AUR_SQL_ALL), "~|~|0|0|~|~|0", "totals of nothing");
}

static void test_grouped(void)
{
    static const aur_column_ref_t by_rid[] = {{0, S_RID}};
    static const aur_plan_output_t outputs[] = {COLUMN(0, S_RID), TOTAL(A_SUM)};
    aur_plan_sort_t sort[] = {{.aggregation = A_SUM, .descending = 1, .nulls_first = 0},
                              {.aggregation = -1, .column = {0, S_RID}}};
    aur_plan_t plan = {.ntables = 1,
                       .tables = only_sales,
                       .noutputs = 2,
                       .outputs = outputs,
                       .naggregations = N(totals),
                       .aggregations = totals,
                       .grouped = 1,
                       .ngroup_by = 1,
                       .group_by = by_rid,
                       .nsorting = 2,
                       .sorting = sort,
                       .limit = 2};
    aur_plan_expr_t *having = rule(0, AUR_OP_BETWEEN, 0), *filled;
    aur_cell_t bounds[] = {INT(3), INT(7)};

    is_str(run(&plan, AUR_SQL_ALL), "2|9;3|7;~|5;1|3;9|~", "sorted by a total, NULL last");
    sort[0].nulls_first = 1;
    is_str(run(&plan, AUR_SQL_ALL), "9|~;2|9;3|7;~|5;1|3", "NULL first");
    is_str(run(&plan, AUR_SQL_PAGE), "9|~;2|9", "a page of groups");
    is_str(run(&plan, AUR_SQL_COUNT), "5", "groups are counted, not rows");
    is_str(run(&plan, AUR_SQL_COUNT_BOUNDED), "2", "up to the limit");
    having->aggregation = A_SUM;
    having->nvalues = 2;
    having->values = bounds;
    plan.having = having;
    is_str(run(&plan, AUR_SQL_ALL), "3|7;~|5;1|3", "HAVING on a total");
    is_str(run(&plan, AUR_SQL_COUNT), "3", "counted with HAVING");
    filled = rule(S_RID, AUR_OP_IS_NOT_NULL, 0);
    plan.where = filled;
    is_str(run(&plan, AUR_SQL_ALL), "3|7;1|3", "WHERE before, HAVING after");
    having->aggregation = A_MAX;
    having->op = AUR_OP_CONTAINS;
    having->type = AUR_T_TEXT;
    having->ignore_case = 1;
    having->nvalues = 1;
    having->values = &(aur_cell_t)TEXT("ea");
    is_str(run(&plan, AUR_SQL_ALL), "3|7", "HAVING with a text operator");
}

/* --- names that want to be SQL ------------------------------------------------------------------ */

static void test_hostile(void)
{
    aur_plan_table_t tables[] = {{.dataset = &hostile, .label = "x"}};
    aur_plan_output_t outputs[] = {COLUMN(0, 0), COLUMN(0, 1)};
    aur_plan_sort_t sort[] = {{.aggregation = -1, .column = {0, 1}, .descending = 1}};
    aur_cell_t value = TEXT("no such");
    aur_plan_expr_t e = {.aggregation = -1,
                         .column = {0, 0},
                         .type = AUR_T_TEXT,
                         .op = AUR_OP_EQ,
                         .nvalues = 1,
                         .values = &value};
    aur_plan_t plan = {.ntables = 1,
                       .tables = tables,
                       .noutputs = 2,
                       .outputs = outputs,
                       .nsorting = 1,
                       .sorting = sort,
                       .limit = 10};

    is_str(run(&plan, AUR_SQL_ALL), "no such|2;x|1", "a table and columns with quotes and SQL");
    tables[0].restriction = &e;
    is_str(run(&plan, AUR_SQL_ALL), "no such|2", "the same, restricted");
    tables[0].restriction = NULL;
    e.column.column = 2;
    plan.where = &e;
    ok(strstr(run(&plan, AUR_SQL_ALL), "error: no such column") != NULL,
       "a column that is not there is an error, not the text of its name");
    plan.where = NULL;
    tables[0].dataset = &sales;
    plan.nsorting = 0;
    is_str(run(&plan, AUR_SQL_COUNT), "7", "and SALES is still there");
}

static void test_result(void)
{
    aur_result_column_t columns[] = {{"ID", "Number", NULL, AUR_T_NUMBER}};
    aur_plan_t plan = ids_where(rule(S_QTY, AUR_OP_EQ, 4711));
    aur_sql_t *sql;
    aur_error_t err;

    plan.columns = columns;
    ok(aur_sql_build(&sql, aur_dialect_get("sqlite3"), &plan, AUR_SQL_ALL, &err, pool) ==
           APR_SUCCESS,
       "builds");
    is_int(sql->ncolumns, 1, "the plan's columns go along");
    ok(sql->columns == columns, "as they are");
    is_int(sql->nbinds, 1, "one value");
    ok(sql->binds[0].cell.v.i == 4711 && sql->binds[0].type == AUR_T_NUMBER, "with its type");
    ok(!strstr(sql->text, "4711"), "which is not in the text");
    ok(aur_sql_build(&sql, aur_dialect_get("sqlite3"), &plan, AUR_SQL_COUNT, &err, pool) ==
               APR_SUCCESS &&
           sql->ncolumns == 0,
       "a count has no columns of the plan");
    ok(aur_dialect_get("no such driver") == aur_dialect_get("odbc") &&
           aur_dialect_get("odbc") != aur_dialect_get("sqlite3") && aur_dialect_get(NULL) == NULL,
       "unknown drivers share a dialect, no driver has none");
}

int main(void)
{
    char *message = NULL;

    apr_initialize();
    atexit(apr_terminate);
    apr_pool_create(&pool, NULL);
    if (sqlite3_open(":memory:", &db) != SQLITE_OK ||
        sqlite3_exec(db, schema, NULL, NULL, &message) != SQLITE_OK ||
        sqlite3_create_function_v2(db, "aurora_fold", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL,
                                   fold, NULL, NULL, NULL) != SQLITE_OK) {
        printf("Bail out! %s\n", message ? message : sqlite3_errmsg(db));
        return 1;
    }
    test_rules();
    test_groups();
    test_many_values();
    test_order();
    test_pages();
    test_joins();
    test_never();
    test_self_join();
    test_newest();
    test_newest_joined();
    test_newest_ansi();
    test_totals();
    test_grouped();
    test_hostile();
    test_result();
    ok(sqlite3_close(db) == SQLITE_OK, "nothing is left open");
    apr_pool_destroy(pool);
    return tap_done();
}
