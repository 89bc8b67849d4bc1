/* Plans made by hand, built for PostgreSQL and run on a server: what counts is the rows that come out, and
 * that indexes can be used. */
#include "pgsql.h"

#include "aurora/sql.h"

#define HOSTILE "a\"b; DROP TABLE sales;--"

enum {
    S_ID,
    S_REGION,
    S_AMOUNT,
    S_QTY,
    S_SOLD,
    S_AT,
    S_PAID,
    S_RID,
    S_F,
    S_U,
    S_C,
    S_MOOD,
    S_TZ,
    S_TAGS
};
static const aur_column_t sales_columns[] = {
    {"Id", "Id", "bigint", NULL, AUR_T_NUMBER, 0, 1},
    {"region", "region", "character varying(40)", NULL, AUR_T_TEXT, 1, 1},
    {"amount", "amount", "numeric(20,2)", NULL, AUR_T_NUMBER, 1, 1},
    {"qty", "qty", "smallint", NULL, AUR_T_NUMBER, 1, 1},
    {"sold", "sold", "date", NULL, AUR_T_DATE, 1, 1},
    {"at", "at", "timestamp without time zone", NULL, AUR_T_TIMESTAMP, 1, 1},
    {"paid", "paid", "boolean", NULL, AUR_T_BOOLEAN, 1, 1},
    {"rid", "rid", "integer", NULL, AUR_T_NUMBER, 1, 1},
    {"f", "f", "double precision", NULL, AUR_T_NUMBER, 1, 1},
    {"u", "u", "uuid", NULL, AUR_T_TEXT, 1, 1},
    {"c", "c", "character(5)", NULL, AUR_T_TEXT, 1, 1},
    {"mood", "mood", "mood", NULL, AUR_T_TEXT, 1, 1},
    {"tz", "tz", "timestamp with time zone", NULL, AUR_T_TIMESTAMP_TZ, 1, 1},
    {"tags", "tags", "text[]", NULL, AUR_T_TEXT, 1, 1},
};
enum { R_RID, R_NAME, R_UTEXT };
static const aur_column_t regions_columns[] = {
    {"rid", "rid", "numeric", NULL, AUR_T_NUMBER, 0, 1},
    {"NAME", "NAME", "text", NULL, AUR_T_TEXT, 1, 1},
    {"utext", "utext", "text", NULL, AUR_T_TEXT, 1, 1},
};
static const aur_column_t hostile_columns[] = {
    {"c\"d", "c\"d", "text", NULL, AUR_T_TEXT, 1, 1},
    {"order", "order", "integer", NULL, AUR_T_NUMBER, 1, 1},
};
#define DATASET(n, s, t, c)                                                                        \
    {                                                                                              \
        .name = n, .schema = s, .table = t, .row_estimate = -1, .ncolumns = N(c), .columns = c     \
    }
static const aur_dataset_t sales = DATASET("SALES", "public", "sales", sales_columns);
static const aur_dataset_t regions = DATASET("REGIONS", "public", "Regions", regions_columns);
static const aur_dataset_t hostile = DATASET(HOSTILE, "odd \"schema", HOSTILE, hostile_columns);

static const char fixture[] =
    "CREATE TYPE mood AS ENUM ('glad', 'sad');"
    "CREATE TABLE sales (\"Id\" bigint PRIMARY KEY, region varchar(40), amount numeric(20,2), qty "
    "smallint,"
    " sold date, at timestamp, paid boolean, rid int, f float8, u uuid, c char(5), mood mood, tz "
    "timestamptz,"
    " tags text[]);"
    "INSERT INTO sales VALUES"
    "(1,'North',10.5,1,'2024-01-01','2024-01-01 "
    "10:00',true,1,0.1,'11111111-1111-1111-1111-111111111111',"
    " 'a','glad','2024-01-01 10:00+00','{x}'),"
    "(2,'north',20,2,'2024-01-02','2024-01-02 "
    "10:00:00.5',false,1,2.5,'22222222-2222-2222-2222-222222222222',"
    " 'ab ','sad','2024-01-01 12:00+02','{x,y}'),"
    "(3,'South 100%_\\x',30.25,3,'0044-03-15 BC','1969-12-31 "
    "23:59:59',true,2,1e300,NULL,'abc',NULL,NULL,NULL),"
    "(4,'',NULL,NULL,NULL,NULL,NULL,9,NULL,NULL,'     ',NULL,NULL,'{}'),"
    "(5,NULL,-5,5,'2024-02-29','2024-02-29 00:00',false,NULL,'NaN',NULL,NULL,'glad',NULL,NULL),"
    "(6,'\xc3\x84rger',9007199254740993,6,'2024-03-01','2024-03-01 "
    "00:00',true,2,NULL,NULL,NULL,NULL,NULL,NULL),"
    "(7,'\xc3\xa4rger East',0.1,7,'2024-03-02','2024-03-02 "
    "00:00',true,3,NULL,NULL,NULL,NULL,NULL,NULL);"
    "CREATE TABLE \"Regions\" (rid numeric, \"NAME\" text, utext text);"
    "INSERT INTO \"Regions\" VALUES "
    "(1,'one','11111111-1111-1111-1111-111111111111'),(2,'two',NULL),"
    " (3,'three','x'),(4,'four',NULL);"
    "CREATE SCHEMA \"odd \"\"schema\";"
    "CREATE TABLE \"odd \"\"schema\".\"a\"\"b; DROP TABLE sales;--\" (\"c\"\"d\" text, \"order\" "
    "integer);"
    "INSERT INTO \"odd \"\"schema\".\"a\"\"b; DROP TABLE sales;--\" VALUES ('x',1),('y',2);";

/* --- plans ---------------------------------------------------------------------------------------- */

static const aur_plan_table_t one_table[] = {{.dataset = &sales, .label = "SALES"}};
static const aur_plan_output_t out_id[] = {{.aggregation = -1, .column = {0, S_ID}}};
static const aur_result_column_t col_id[] = {{"id", "id", NULL, AUR_T_NUMBER}};
static const aur_plan_sort_t by_id[] = {{.aggregation = -1, .column = {0, S_ID}}};

static aur_plan_t id_plan(const aur_plan_expr_t *where)
{
    aur_plan_t plan = {.ntables = 1,
                       .tables = one_table,
                       .noutputs = 1,
                       .outputs = out_id,
                       .columns = col_id,
                       .where = where,
                       .nsorting = 1,
                       .sorting = by_id,
                       .limit = 100,
                       .dataset_name = "SALES"};
    return plan;
}

static const aur_sql_t *build(const aur_plan_t *plan, aur_sql_e kind)
{
    aur_sql_t *sql = NULL;

    if (aur_sql_build(&sql, aur_dialect_get("pgsql"), plan, kind, &err, request) != APR_SUCCESS) {
        printf("# refused: %s\n", err.detail);
    }
    return sql;
}

static void rows_are(const aur_plan_t *plan, aur_sql_e kind, const char *want, const char *name)
{
    const aur_sql_t *sql = build(plan, kind);
    const char *got = sql ? rows_of(borrow(), sql) : "refused";

    if (!is_str(got, want, name)) {
        printf("# %s\n# %s\n", sql ? sql->text : "", err.native);
    }
    request_end();
}

/* --- rules ---------------------------------------------------------------------------------------- */

#define S(text)                                                                                    \
    {                                                                                              \
        AUR_V_TEXT, sizeof(text) - 1,                                                              \
        {                                                                                          \
            .s = text                                                                              \
        }                                                                                          \
    }
#define DEC(text)                                                                                  \
    {                                                                                              \
        AUR_V_DECIMAL, sizeof(text) - 1,                                                           \
        {                                                                                          \
            .s = text                                                                              \
        }                                                                                          \
    }
#define DAY(text)                                                                                  \
    {                                                                                              \
        AUR_V_DATE, sizeof(text) - 1,                                                              \
        {                                                                                          \
            .s = text                                                                              \
        }                                                                                          \
    }
#define TIME(text)                                                                                 \
    {                                                                                              \
        AUR_V_TIMESTAMP, sizeof(text) - 1,                                                         \
        {                                                                                          \
            .s = text                                                                              \
        }                                                                                          \
    }
#define I(n)                                                                                       \
    {                                                                                              \
        AUR_V_INT, 0,                                                                              \
        {                                                                                          \
            .i = n                                                                                 \
        }                                                                                          \
    }
#define B(n)                                                                                       \
    {                                                                                              \
        AUR_V_BOOL, 0,                                                                             \
        {                                                                                          \
            .i = n                                                                                 \
        }                                                                                          \
    }

static void test_rules(void)
{
    static const struct {
        const char *want;
        int column, ncase, nvalues;
        aur_op_e op;
        aur_cell_t values[3];
    } cases[] = {
        {"1", S_ID, 0, 1, AUR_OP_EQ, {I(1)}},
        {"", S_QTY, 0, 1, AUR_OP_EQ, {I(APR_INT64_MAX)}}, /* beyond a smallint is no error */
        {"3;5;6;7", S_QTY, 0, 1, AUR_OP_GT, {DEC("2.5")}},
        {"2", S_QTY, 0, 1, AUR_OP_EQ, {DEC("2.00")}},
        {"6", S_AMOUNT, 0, 1, AUR_OP_EQ, {I(9007199254740993)}},
        {"1", S_AMOUNT, 0, 1, AUR_OP_EQ, {DEC("10.50")}},
        {"1", S_F, 0, 1, AUR_OP_EQ, {DEC("0.1")}},
        {"3;5", S_F, 0, 1, AUR_OP_GT, {I(1000)}}, /* NaN is above everything */
        {"2;3;5;6;7", S_ID, 0, 3, AUR_OP_NOT_IN, {I(1), I(4), I(4)}},
        {"1;3", S_AMOUNT, 0, 2, AUR_OP_IN, {DEC("10.5"), DEC("30.25")}},
        {"1;7", S_AMOUNT, 0, 2, AUR_OP_BETWEEN, {I(0), I(11)}},
        {"1", S_REGION, 0, 1, AUR_OP_EQ, {S("North")}},
        {"1;2", S_REGION, 1, 1, AUR_OP_EQ, {S("north")}},
        {"3;4;6;7", S_REGION, 1, 1, AUR_OP_NEQ, {S("north")}},
        {"6", S_REGION, 1, 1, AUR_OP_EQ, {S("\xc3\xa4rger")}},
        {"7", S_REGION, 0, 1, AUR_OP_STARTS_WITH, {S("\xc3\xa4rger")}},
        {"6;7", S_REGION, 1, 1, AUR_OP_STARTS_WITH, {S("\xc3\xa4rger")}},
        {"3", S_REGION, 0, 1, AUR_OP_CONTAINS, {S("%")}},
        {"3", S_REGION, 0, 1, AUR_OP_CONTAINS, {S("_\\")}},
        {"3", S_REGION, 0, 1, AUR_OP_ENDS_WITH, {S("\\x")}},
        {"", S_REGION, 0, 1, AUR_OP_CONTAINS, {S("N%h")}},
        {"1;2;4;6;7", S_REGION, 0, 1, AUR_OP_NOT_CONTAINS, {S("100%")}},
        {"1;2;3;4;6;7", S_REGION, 0, 1, AUR_OP_CONTAINS, {S("")}},
        {"", S_REGION, 0, 1, AUR_OP_NOT_CONTAINS, {S("")}},
        {"4;5", S_REGION, 0, 0, AUR_OP_IS_EMPTY, {I(0)}},
        {"1;2;3;6;7", S_REGION, 0, 0, AUR_OP_IS_NOT_EMPTY, {I(0)}},
        {"5", S_REGION, 0, 0, AUR_OP_IS_NULL, {I(0)}},
        {"3", S_SOLD, 0, 1, AUR_OP_LT, {DAY("0000-01-01")}},
        {"3", S_SOLD, 0, 1, AUR_OP_EQ, {DAY("-0043-03-15")}},
        {"1;2", S_SOLD, 0, 2, AUR_OP_BETWEEN, {DAY("2024-01-01"), DAY("2024-01-31")}},
        {"2", S_AT, 0, 1, AUR_OP_EQ, {TIME("2024-01-02 10:00:00.5")}},
        {"1;2", S_TZ, 0, 1, AUR_OP_EQ, {TIME("2024-01-01 10:00:00")}},
        {"1;3;6;7", S_PAID, 0, 1, AUR_OP_EQ, {B(1)}},
        {"2;5", S_PAID, 0, 1, AUR_OP_NEQ, {B(1)}},
        {"1", S_U, 0, 1, AUR_OP_EQ, {S("11111111-1111-1111-1111-111111111111")}},
        {"", S_U, 0, 1, AUR_OP_EQ, {S("no uuid")}},
        {"1;2", S_U, 0, 1, AUR_OP_NEQ, {S("no uuid")}},
        {"1", S_U, 0, 2, AUR_OP_IN, {S("no uuid"), S("11111111-1111-1111-1111-111111111111")}},
        {"2", S_U, 0, 1, AUR_OP_CONTAINS, {S("2-2")}},
        {"2", S_C, 0, 1, AUR_OP_EQ, {S("ab")}},
        {"2", S_C, 0, 1, AUR_OP_EQ, {S("ab   ")}},
        {"2;3", S_C, 0, 1, AUR_OP_STARTS_WITH, {S("ab")}},
        {"2", S_C, 0, 1, AUR_OP_ENDS_WITH, {S("b")}},
        {"4;5;6;7", S_C, 0, 0, AUR_OP_IS_EMPTY, {I(0)}},
        {"1;5", S_MOOD, 0, 1, AUR_OP_EQ, {S("glad")}},
        {"", S_MOOD, 0, 1, AUR_OP_EQ, {S("no such mood")}},
        {"2", S_MOOD, 1, 1, AUR_OP_CONTAINS, {S("sa")}},
        {"2", S_TAGS, 0, 1, AUR_OP_EQ, {S("{x,y}")}},
    };
    int i;

    for (i = 0; i < N(cases); i++) {
        aur_plan_expr_t rule = {.aggregation = -1,
                                .column = {0, cases[i].column},
                                .type = sales_columns[cases[i].column].type,
                                .op = cases[i].op,
                                .ignore_case = cases[i].ncase,
                                .nvalues = cases[i].nvalues,
                                .values = cases[i].values};
        aur_plan_t plan = id_plan(&rule);
        rows_are(&plan, AUR_SQL_ALL, cases[i].want,
                 apr_psprintf(pool, "rule %d on %s", i + 1, sales_columns[cases[i].column].name));
    }
}

/* --- joins, totals, order, pages --------------------------------------------------------------------- */

static void test_joins(void)
{
    static const char *const want[] = {
        "1|one;2|one;3|two;6|two;7|three",
        "1|one;2|one;3|two;4|~;5|~;6|two;7|three",
        "1|one;2|one;3|two;6|two;7|three;~|four",
        "1|one;2|one;3|two;4|~;5|~;6|two;7|three;~|four",
    };
    static const aur_column_ref_t left_rid[] = {{0, S_RID}}, left_u[] = {{0, S_U}};
    static const int right_rid[] = {R_RID}, right_utext[] = {R_UTEXT};
    static const aur_plan_output_t outputs[] = {{-1, {0, S_ID}}, {-1, {1, R_NAME}}};
    static const aur_result_column_t columns[] = {{"id", "id", NULL, AUR_T_NUMBER},
                                                  {"NAME", "NAME", NULL, AUR_T_TEXT}};
    static const aur_join_e kinds[] = {AUR_JOIN_INNER, AUR_JOIN_LEFT, AUR_JOIN_RIGHT,
                                       AUR_JOIN_OUTER};
    static const aur_cell_t four = I(4);
    const aur_plan_expr_t not_four = {.aggregation = -1,
                                      .column = {1, R_RID},
                                      .type = AUR_T_NUMBER,
                                      .op = AUR_OP_NEQ,
                                      .nvalues = 1,
                                      .values = &four};
    aur_plan_table_t tables[] = {
        {.dataset = &sales, .label = "SALES"},
        {.dataset = &regions, .label = "REGIONS", .non = 1, .left = left_rid, .right = right_rid}};
    aur_plan_t plan = id_plan(NULL);
    int i;

    plan.ntables = 2;
    plan.tables = tables;
    plan.noutputs = 2;
    plan.outputs = outputs;
    plan.columns = columns;
    for (i = 0; i < N(kinds); i++) {
        tables[1].join = kinds[i];
        rows_are(&plan, AUR_SQL_ALL, want[i],
                 apr_psprintf(pool, "join %d of integer and numeric", i));
    }
    tables[1].restriction = &not_four;
    rows_are(&plan, AUR_SQL_ALL, want[1], "a restriction lies below the outer join");
    tables[1].join = AUR_JOIN_INNER;
    tables[1].left = left_u;
    tables[1].right = right_utext;
    rows_are(&plan, AUR_SQL_ALL, "1|one", "a uuid joins a text");
    tables[1].join = AUR_JOIN_OUTER;
    rows_are(&plan, AUR_SQL_COUNT, "9", "and fully");
}

/* Types that are texts to the contract only are compared as the texts they show. */
static void test_newest(void)
{
    static const struct {
        const char *want;
        int below; /* restricted to qty < this; 0: to nothing */
        int n, columns[AUR_NEWEST_MAX];
    } cases[] = {
        {"4", 0, 1, {S_RID}},           {"3;6", 7, 1, {S_RID}},       {"", -100, 1, {S_RID}},
        {"7", 0, 1, {S_SOLD}},          {"7", 0, 2, {S_SOLD, S_RID}}, {"2", 6, 2, {S_SOLD, S_RID}},
        {"", -100, 2, {S_SOLD, S_RID}}, {"2", 0, 1, {S_U}},           {"3", 0, 1, {S_C}},
        {"2", 0, 1, {S_MOOD}},          {"1;2", 0, 1, {S_TZ}},        {"2", 0, 2, {S_TZ, S_QTY}},
        {"7", 0, 2, {S_AT, S_AMOUNT}},
    };
    int i;

    for (i = 0; i < N(cases); i++) {
        aur_cell_t below = I(cases[i].below);
        aur_plan_expr_t rule = {.aggregation = -1,
                                .column = {0, S_QTY},
                                .type = AUR_T_NUMBER,
                                .op = AUR_OP_LT,
                                .nvalues = 1,
                                .values = &below};
        aur_plan_table_t table = {.dataset = &sales, .label = "SALES", .nnewest = cases[i].n};
        aur_plan_t plan = id_plan(NULL);

        memcpy(table.newest, cases[i].columns, sizeof(table.newest));
        table.restriction = cases[i].below ? &rule : NULL;
        plan.tables = &table;
        rows_are(&plan, AUR_SQL_ALL, cases[i].want, apr_psprintf(pool, "the newest, %d", i));
    }
}

static void test_totals(void)
{
    static const aur_plan_agg_t aggregations[] = {
        {AUR_AGG_SUM, 0, {0, S_QTY}, AUR_T_NUMBER, "s"},
        {AUR_AGG_COUNT, 1, {0, 0}, AUR_T_NUMBER, "n"},
        {AUR_AGG_MIN, 0, {0, S_SOLD}, AUR_T_DATE, "d"},
        {AUR_AGG_MAX, 0, {0, S_U}, AUR_T_TEXT, "u"},
        {AUR_AGG_DISTINCT_COUNT, 0, {0, S_MOOD}, AUR_T_NUMBER, "m"},
        {AUR_AGG_MAX, 0, {0, S_MOOD}, AUR_T_TEXT, "mm"},
    };
    static const aur_column_ref_t group[] = {{0, S_PAID}};
    static const aur_plan_output_t outputs[] = {{-1, {0, S_PAID}}, {0, {0, 0}}, {1, {0, 0}},
                                                {2, {0, 0}},       {3, {0, 0}}, {4, {0, 0}},
                                                {5, {0, 0}}};
    static const aur_result_column_t columns[] = {
        {"paid", "paid", NULL, AUR_T_BOOLEAN}, {"s", "s", NULL, AUR_T_NUMBER},
        {"n", "n", NULL, AUR_T_NUMBER},        {"d", "d", NULL, AUR_T_DATE},
        {"u", "u", NULL, AUR_T_TEXT},          {"m", "m", NULL, AUR_T_NUMBER},
        {"mm", "mm", NULL, AUR_T_TEXT}};
    static const aur_plan_sort_t sorting[] = {{.aggregation = 1, .descending = 1}};
    static const aur_cell_t two = I(2);
    static const aur_plan_expr_t having = {
        .aggregation = 1, .type = AUR_T_NUMBER, .op = AUR_OP_GTE, .nvalues = 1, .values = &two};
    aur_plan_t plan = id_plan(NULL);

    plan.noutputs = N(outputs);
    plan.outputs = outputs;
    plan.columns = columns;
    plan.naggregations = N(aggregations);
    plan.aggregations = aggregations;
    plan.grouped = 1;
    plan.ngroup_by = 1;
    plan.group_by = group;
    plan.nsorting = 1;
    plan.sorting = sorting;
    rows_are(&plan, AUR_SQL_ALL,
             "true|17|4|-0043-03-15|11111111-1111-1111-1111-111111111111|1|glad;"
             "false|7|2|2024-01-02|22222222-2222-2222-2222-222222222222|2|sad;~|~|1|~|~|0|~",
             "groups with every total");
    plan.having = &having;
    rows_are(&plan, AUR_SQL_COUNT, "2", "groups are counted after HAVING");
    plan.ngroup_by = 0;
    plan.outputs = outputs + 1;
    plan.columns = columns + 1;
    plan.noutputs = 2;
    plan.nsorting = 0;
    rows_are(&plan, AUR_SQL_ALL, "24|7", "HAVING without groups");
}

static void test_pages(void)
{
    static const struct {
        int descending, nulls_first;
        const char *want;
    } orders[] = {{0, 0, "5;7;1;2;3;6;4"},
                  {0, 1, "4;5;7;1;2;3;6"},
                  {1, 1, "4;6;3;2;1;7;5"},
                  {1, 0, "6;3;2;1;7;5;4"}};
    aur_plan_sort_t by_amount = {.aggregation = -1, .column = {0, S_AMOUNT}};
    aur_plan_t plan = id_plan(NULL);
    int i;

    plan.sorting = &by_amount;
    for (i = 0; i < N(orders); i++) {
        by_amount.descending = orders[i].descending;
        by_amount.nulls_first = orders[i].nulls_first;
        rows_are(&plan, AUR_SQL_ALL, orders[i].want,
                 apr_psprintf(pool, "order %d: NULL stands where it was asked for", i));
    }
    plan.sorting = by_id;
    plan.limit = 3;
    rows_are(&plan, AUR_SQL_PAGE, "1;2;3", "a first page");
    plan.offset = 5;
    rows_are(&plan, AUR_SQL_PAGE, "6;7", "a last page");
    plan.offset = 50;
    rows_are(&plan, AUR_SQL_PAGE, "", "a page after the last");
    rows_are(&plan, AUR_SQL_COUNT, "7", "all are counted whatever the page");
    rows_are(&plan, AUR_SQL_COUNT_BOUNDED, "3", "or no further than the limit");
    plan.limit = APR_INT64_MAX;
    plan.offset = 0;
    rows_are(&plan, AUR_SQL_PAGE, "1;2;3;4;5;6;7", "the largest limit");
}

static void test_hostile(void)
{
    static const aur_plan_table_t tables[] = {{.dataset = &hostile, .label = HOSTILE}};
    static const aur_plan_output_t outputs[] = {{-1, {0, 0}}, {-1, {0, 1}}, {-1, {0, 1}}};
    static const aur_result_column_t columns[] = {{"a", "a", NULL, AUR_T_TEXT},
                                                  {"b", "b", NULL, AUR_T_NUMBER},
                                                  {"b", "b", NULL, AUR_T_NUMBER}};
    static const aur_cell_t value = S("x'; DROP TABLE sales; --");
    static const aur_plan_expr_t rule = {.aggregation = -1,
                                         .column = {0, 0},
                                         .type = AUR_T_TEXT,
                                         .op = AUR_OP_NEQ,
                                         .nvalues = 1,
                                         .values = &value};
    aur_plan_t plan = id_plan(&rule);

    plan.tables = tables;
    plan.noutputs = 3;
    plan.outputs = outputs;
    plan.columns = columns;
    plan.nsorting = 0;
    rows_are(&plan, AUR_SQL_ALL, "x|1|1;y|2|2", "names and values of the worst kind");
    rows_are(&plan, AUR_SQL_COUNT, "2", "counted");
    is_str(admin_do("SELECT count(*) FROM sales"), "7", "and nothing is dropped");
}

/* --- indexes ----------------------------------------------------------------------------------------- */

/* The newest value is read off the end of its index, and its rows are found by it. */
static void test_newest_plan(const aur_dataset_t *set)
{
    static const aur_cell_t seen = S("t2");
    const aur_plan_expr_t rule = {.aggregation = -1,
                                  .column = {0, 2},
                                  .type = AUR_T_TEXT,
                                  .op = AUR_OP_STARTS_WITH,
                                  .ignore_case = 1,
                                  .nvalues = 1,
                                  .values = &seen};
    static const int columns[][AUR_NEWEST_MAX] = {{0}, {1}, {2}, {5, 0}};
    int i;

    for (i = 0; i < 2 * N(columns); i++) {
        aur_plan_table_t table = {.dataset = set, .label = "INDEXED", .nnewest = 1 + (i / 2 == 3)};
        aur_plan_t plan = id_plan(NULL);
        aur_sql_t explain;
        const char *shown;

        memcpy(table.newest, columns[i / 2], sizeof(table.newest));
        table.restriction = i % 2 ? &rule : NULL;
        plan.tables = &table;
        plan.nsorting = 0;
        explain = *build(&plan, AUR_SQL_ALL);
        explain.ncolumns = 0;
        explain.text = apr_pstrcat(request, "EXPLAIN ", explain.text, NULL);
        shown = rows_of(borrow(), &explain);
        if (!ok(strstr(shown, "Index") && !strstr(shown, "Seq Scan"),
                "indexes tell the newest of %s%s", set->columns[columns[i / 2][0]].name,
                i % 2 ? ", restricted" : "")) {
            printf("# %s: %s\n", explain.text, shown);
        }
        request_end();
    }
}

static void test_indexes(void)
{
    static const aur_column_t columns[] = {
        {"i", "i", "integer", NULL, AUR_T_NUMBER, 1, 1},
        {"n", "n", "numeric", NULL, AUR_T_NUMBER, 1, 1},
        {"t", "t", "text", NULL, AUR_T_TEXT, 1, 1},
        {"u", "u", "uuid", NULL, AUR_T_TEXT, 1, 1},
        {"c", "c", "character(8)", NULL, AUR_T_TEXT, 1, 1},
        {"d", "d", "date", NULL, AUR_T_DATE, 1, 1},
    };
    static const aur_dataset_t set = DATASET("INDEXED", "public", "indexed", columns);
    static const aur_plan_table_t tables[] = {{.dataset = &set, .label = "INDEXED"}};
    static const struct {
        int column;
        aur_op_e op;
        aur_cell_t value;
        int ignore_case;
    } cases[] = {
        {0, AUR_OP_EQ, I(77), 0},
        {1, AUR_OP_EQ, I(77), 0},
        {1, AUR_OP_EQ, DEC("77.5"), 0},
        {2, AUR_OP_EQ, S("t77"), 0},
        {2, AUR_OP_STARTS_WITH, S("t77"), 0},
        {2, AUR_OP_EQ, S("t77"), 1},
        {3, AUR_OP_EQ, S("6ba7b810-9dad-11d1-80b4-00c04fd430c8"), 0},
        {4, AUR_OP_EQ, S("t77"), 0},
        {5, AUR_OP_EQ, DAY("2024-01-01"), 0},
    };
    int i;

    admin_do(
        "CREATE TABLE indexed AS SELECT n AS i, n::numeric AS n, 't' || n AS t, "
        "md5(n::text)::uuid AS u, ('t' || n)::char(8) AS c, date '2000-01-01' + n AS d "
        "FROM generate_series(1, 20000) AS n;"
        "CREATE INDEX ON indexed (i); CREATE INDEX ON indexed (n);"
        "CREATE INDEX ON indexed (t text_pattern_ops); CREATE INDEX ON indexed (t); CREATE INDEX "
        "ON indexed (lower(t));"
        "CREATE INDEX ON indexed (u); CREATE INDEX ON indexed (c); CREATE INDEX ON indexed (d);"
        "ANALYZE indexed");
    for (i = 0; i < N(cases); i++) {
        aur_plan_expr_t rule = {.aggregation = -1,
                                .column = {0, cases[i].column},
                                .type = columns[cases[i].column].type,
                                .op = cases[i].op,
                                .ignore_case = cases[i].ignore_case,
                                .nvalues = 1,
                                .values = &cases[i].value};
        aur_plan_t plan = id_plan(&rule);
        aur_sql_t explain;
        const char *shown;
        plan.tables = tables;
        plan.nsorting = 0;
        explain = *build(&plan, AUR_SQL_ALL);
        explain.ncolumns = 0;
        explain.text = apr_pstrcat(request, "EXPLAIN ", explain.text, NULL);
        shown = rows_of(borrow(), &explain);
        if (!ok(strstr(shown, "Index") != NULL, "an index on %s helps rule %d",
                columns[cases[i].column].name, i + 1)) {
            printf("# %s: %s\n", explain.text, shown);
        }
        request_end();
    }
    test_newest_plan(&set);
}

int main(void)
{
    if (!pgsql_begin()) {
        return 0;
    }
    admin_fresh(fixture);
    db = db_create(getenv("AURORA_PG"));
    test_rules();
    test_joins();
    test_newest();
    test_totals();
    test_pages();
    test_hostile();
    test_indexes();
    return pgsql_end();
}
