/* The dialect of Oracle: what plans become as text; t/86-oracle.t runs them. */
#include "tap.h"

#include <string.h>

#include "aurora/sql.h"

static apr_pool_t *pool;
static aur_error_t err;

enum { S_ID, S_NAME, S_CODE, S_TOWN };
static const aur_column_t sales_columns[] = {
    {"ID", "ID", "NUMBER(10)", NULL, AUR_T_NUMBER, 0, 1},
    {"Na\"me", "NAME", "VARCHAR2(40)", NULL, AUR_T_TEXT, 1, 1},
    {"CODE", "CODE", "CHAR(5)", NULL, AUR_T_TEXT, 1, 1},
    {"TOWN", "TOWN", "NVARCHAR2(40)", NULL, AUR_T_TEXT, 1, 1},
};
static const aur_dataset_t sales = {.name = "SALES",
                                    .schema = "A",
                                    .table = "SALES",
                                    .row_estimate = -1,
                                    .ncolumns = 4,
                                    .columns = sales_columns};
static const aur_plan_table_t one_table[] = {{.dataset = &sales, .label = "SALES"}};
static const aur_plan_output_t out_id[] = {{.aggregation = -1, .column = {0, S_ID}}};
static const aur_result_column_t col_id[] = {{"id", "id", NULL, AUR_T_NUMBER}};
static const aur_plan_sort_t by_id[] = {{.aggregation = -1, .column = {0, S_ID}}};

static const aur_sql_t *build(const int version[3], const aur_plan_expr_t *where, aur_sql_e kind,
                              apr_int64_t offset)
{
    aur_plan_t plan = {.ntables = 1,
                       .tables = one_table,
                       .noutputs = 1,
                       .outputs = out_id,
                       .columns = col_id,
                       .where = where,
                       .nsorting = 1,
                       .sorting = by_id,
                       .limit = 10,
                       .offset = offset,
                       .dataset_name = "SALES"};
    aur_sql_t *sql = NULL;

    aur_sql_build(&sql, aur_dialect_oracle_for(version), &plan, kind, &err, pool);
    return sql;
}

static const int v19[3] = {19, 3, 0}, v11[3] = {11, 2, 0}, unknown[3] = {0, 0, 0};

static void page_is(const int version[3], aur_sql_e kind, apr_int64_t offset, const char *want,
                    const char *name)
{
    is_str(build(version, NULL, kind, offset)->text, want, name);
}

#define ROWS  "SELECT t0.\"ID\" AS c0 FROM \"A\".\"SALES\" t0"
#define ORDER " ORDER BY t0.\"ID\""

static void test_pages(void)
{
    page_is(v19, AUR_SQL_PAGE, 0, ROWS ORDER " FETCH FIRST 10 ROWS ONLY", "a first page");
    page_is(unknown, AUR_SQL_PAGE, 5, ROWS ORDER " OFFSET 5 ROWS FETCH FIRST 10 ROWS ONLY",
            "a page, of a server that is not known");
    page_is(v11, AUR_SQL_PAGE, 0, "SELECT c0 FROM (" ROWS ORDER ") p WHERE ROWNUM <= 10",
            "a first page before 12.1");
    page_is(v11, AUR_SQL_PAGE, 5,
            "SELECT c0 FROM (SELECT p.*, ROWNUM r FROM (" ROWS ORDER
            ") p WHERE ROWNUM <= 15) WHERE r > 5",
            "a page before 12.1");
    page_is(v11, AUR_SQL_ALL, 0, ROWS ORDER, "every row before 12.1");
    page_is(v11, AUR_SQL_COUNT_BOUNDED, 0,
            "SELECT count(*) FROM (SELECT c0 FROM (SELECT 1 AS c0 FROM \"A\".\"SALES\" t0) p "
            "WHERE ROWNUM <= 10) q",
            "a bounded count before 12.1");
}

#define S(text)                                                                                    \
    {                                                                                              \
        AUR_V_TEXT, sizeof(text) - 1,                                                              \
        {                                                                                          \
            .s = text                                                                              \
        }                                                                                          \
    }

static void test_rules(void)
{
    static const struct {
        const char *want;
        int column, nbinds, nvalues;
        aur_op_e op;
        aur_cell_t values[2];
    } cases[] = {
        {"t0.\"Na\"\"me\" = :1", S_NAME, 1, 1, AUR_OP_EQ, {S("x")}},
        {"1 = 0", S_NAME, 0, 1, AUR_OP_EQ, {S("")}},
        {"t0.\"Na\"\"me\" IS NOT NULL", S_NAME, 0, 1, AUR_OP_NEQ, {S("")}},
        {"t0.\"Na\"\"me\" IS NOT NULL", S_NAME, 0, 1, AUR_OP_GTE, {S("")}},
        {"1 = 0", S_NAME, 0, 1, AUR_OP_LTE, {S("")}},
        {"t0.\"Na\"\"me\" <= :1", S_NAME, 1, 2, AUR_OP_BETWEEN, {S(""), S("m")}},
        {"1 = 0", S_NAME, 0, 2, AUR_OP_BETWEEN, {S("m"), S("")}},
        {"t0.\"Na\"\"me\" IN (:1)", S_NAME, 1, 2, AUR_OP_IN, {S(""), S("a")}},
        {"1 = 0", S_NAME, 0, 2, AUR_OP_IN, {S(""), S("")}},
        {"t0.\"Na\"\"me\" NOT IN (:1)", S_NAME, 1, 2, AUR_OP_NOT_IN, {S("a"), S("")}},
        {"t0.\"Na\"\"me\" IS NOT NULL", S_NAME, 0, 1, AUR_OP_NOT_IN, {S("")}},
        {"t0.\"Na\"\"me\" LIKE :1 ESCAPE '|'", S_NAME, 1, 1, AUR_OP_CONTAINS, {S("%")}},
        {"t0.\"TOWN\" LIKE :1 ESCAPE N'|'", S_TOWN, 1, 1, AUR_OP_CONTAINS, {S("x")}},
        {"t0.\"TOWN\" NOT LIKE :1 ESCAPE N'|'", S_TOWN, 1, 1, AUR_OP_NOT_CONTAINS, {S("x")}},
        {"t0.\"TOWN\" LIKE :1 ESCAPE N'|'", S_TOWN, 1, 1, AUR_OP_STARTS_WITH, {S("x")}},
        {"t0.\"TOWN\" LIKE :1 ESCAPE N'|'", S_TOWN, 1, 1, AUR_OP_ENDS_WITH, {S("x")}},
        {"t0.\"Na\"\"me\" IS NULL", S_NAME, 0, 0, AUR_OP_IS_EMPTY, {S("")}},
        {"RTRIM(t0.\"CODE\") IS NULL", S_CODE, 0, 0, AUR_OP_IS_EMPTY, {S("")}},
        {"RTRIM(t0.\"CODE\") IS NOT NULL", S_CODE, 0, 0, AUR_OP_IS_NOT_EMPTY, {S("")}},
        {"CASE WHEN t0.\"CODE\" IS NOT NULL THEN NVL(RTRIM(t0.\"CODE\"), ' ') END <> :1",
         S_CODE,
         1,
         1,
         AUR_OP_NEQ,
         {S("x")}},
        {"(t0.\"CODE\" = CAST(:1 AS CHAR(2000)) AND "
         "CASE WHEN t0.\"CODE\" IS NOT NULL THEN NVL(RTRIM(t0.\"CODE\"), ' ') END = :2)",
         S_CODE,
         2,
         1,
         AUR_OP_EQ,
         {S("x")}},
    };
    apr_size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        aur_plan_expr_t rule = {.aggregation = -1,
                                .column = {0, cases[i].column},
                                .type = AUR_T_TEXT,
                                .op = cases[i].op,
                                .nvalues = cases[i].nvalues,
                                .values = cases[i].values};
        const aur_sql_t *sql = build(v19, &rule, AUR_SQL_COUNT, 0);
        const char *where = strstr(sql->text, " WHERE ");

        is_str(where ? where + 7 : sql->text, cases[i].want, cases[i].want);
        is_int(sql->nbinds, cases[i].nbinds, "  and its binds");
        ok(sql->nbinds == 0 || sql->binds[0].column == &sales_columns[cases[i].column],
           "  which say what they are compared with");
    }
}

int main(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    test_pages();
    test_rules();
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
