/* sql_written.c - hand-written SQL: which ":name" is a parameter and which is text, and what is made
 * around the statement. Values: a = 1, b = 'x', l = ('x', 'y'), none without a value, d a date. */
#include <apr_general.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "aurora/query.h"
#include "aurora/sql.h"
#include "tap.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const aur_cell_t one = {.kind = AUR_V_INT, .v.i = 1};
static const aur_cell_t xy[] = {{.kind = AUR_V_TEXT, .len = 1, .v.s = "x"},
                                {.kind = AUR_V_TEXT, .len = 1, .v.s = "y"}};
static const aur_cell_t day = {.kind = AUR_V_DATE, .len = 10, .v.s = "2024-01-31"};
static const aur_written_value_t values[] = {
    {"a", AUR_T_NUMBER, 1, &one},    {"b", AUR_T_TEXT, 1, xy},   {"l", AUR_T_TEXT, 2, xy},
    {"none", AUR_T_NUMBER, 0, NULL}, {"d", AUR_T_DATE, 1, &day},
};

#define S  "sqlite3"
#define PG "pgsql"
#define MY "mysql"
#define OR "oracle"
#define OL "oracle 11.2"
#define AN "odbc"

static const aur_dialect_t *dialect_of(const char *driver)
{
    static const int old[3] = {11, 2, 0};

    return strcmp(driver, OL) ? aur_dialect_get(driver) : aur_dialect_oracle_for(old);
}

/* Of `offset` rows, limit 10. The statement's text, "!" and what is wrong, and behind it the values. */
static const char *build(const char *driver, const char *text, aur_sql_e kind, apr_int64_t offset,
                         apr_pool_t *p)
{
    aur_written_t written = {text, COUNT(values), values};
    aur_plan_t plan = {.written = &written, .limit = 10, .offset = offset};
    aur_error_t err;
    aur_sql_t *sql;
    const char *out;
    int i;

    aur_error_clear(&err);
    if (aur_sql_build(&sql, dialect_of(driver), &plan, kind, &err, p) != APR_SUCCESS) {
        return apr_pstrcat(p, "!", err.detail, NULL);
    }
    out = sql->text;
    for (i = 0; i < sql->nbinds; i++) {
        const aur_cell_t *cell = &sql->binds[i].cell;
        out = apr_pstrcat(p, out, " |",
                          cell->kind == AUR_V_INT    ? apr_itoa(p, (int)cell->v.i)
                          : cell->kind == AUR_V_NULL ? "NULL"
                                                     : apr_pstrmemdup(p, cell->v.s, cell->len),
                          NULL);
    }
    if (sql->len != strlen(sql->text) || sql->ncolumns != 0) {
        return "wrong length or columns";
    }
    return out;
}

static const struct {
    const char *driver, *text, *want;
} cases[] = {
    /* parameters */
    {S, "SELECT :a", "SELECT ? |1"},
    {S, "SELECT :a, :b,:a", "SELECT ?, ?,? |1 |x |1"},
    {S, "SELECT 1 WHERE x IN (:l)", "SELECT 1 WHERE x IN (?, ?) |x |y"},
    {S, "SELECT :none", "SELECT ? |NULL"},
    {S, "SELECT :ab", "!This report has no such parameter: ab."},
    {S, "SELECT :a\xc3\xa9", "!This report has no such parameter: a\xc3\xa9."},
    {PG, ":\xc3\xa9", "!A report begins with SELECT or WITH, not so: \xc3\xa9."},
    {S, "SELECT :A", "!This report has no such parameter: A."},
    {S, "SELECT x=:a", "SELECT x=? |1"},
    {PG, "SELECT :a, :b, :d, :none",
     "SELECT ($1::bigint), ($2::text), ($3::date), ($4::numeric) |1 |x |2024-01-31 |NULL"},
    {PG, "SELECT 1 LIMIT :a", "SELECT 1 LIMIT ($1::bigint) |1"},
    {PG, "SELECT :a::text", "SELECT ($1::bigint)::text |1"},
    {MY, "SELECT :a, :d, 5 % 2", "SELECT %s, CAST(%s AS DATE), 5 %% 2 |1 |2024-01-31"},
    {MY, "SELECT '%s %' LIMIT :a", "SELECT '%%s %%' LIMIT %s |1"},
    {OR, "SELECT :a, :l, 5 % 2", "SELECT :1, :2, :3, 5 % 2 |1 |x |y"},
    {AN, "SELECT :a, '%'", "SELECT CAST(%s AS DECIMAL(19, 0)), '%%' |1"},
    /* what only looks like them: literals */
    {S, "SELECT ':a'", "SELECT ':a'"},
    {S, "SELECT 'it''s :a'", "SELECT 'it''s :a'"},
    {S, "SELECT 'a\\', :a", "SELECT 'a\\', ? |1"},
    {MY, "SELECT 'it\\'s :a', :b", "SELECT 'it\\'s :a', %s |x"},
    {MY, "SELECT \"it\\\"s :a\"", "SELECT \"it\\\"s :a\""},
    {PG, "SELECT 'a\\', :a", "SELECT 'a\\', ($1::bigint) |1"},
    {PG, "SELECT E'it\\'s :a', :b", "SELECT E'it\\'s :a', ($1::text) |x"},
    {PG, "SELECT e'\\\\', :b", "SELECT e'\\\\', ($1::text) |x"},
    {PG, "SELECT x[1:e$t$], ':a $t$'", "SELECT x[1:e$t$], ':a $t$'"},
    {PG, "SELECT x[1:E'\\':a'], :b", "SELECT x[1:E'\\':a'], ($1::text) |x"},
    {PG, "SELECT case'\\', :b", "SELECT case'\\', ($1::text) |x"},
    {PG, "SELECT $$:a '$$, :b", "SELECT $$:a '$$, ($1::text) |x"},
    {PG, "SELECT $t$:a $$ $u$ :a$t$, :b", "SELECT $t$:a $$ $u$ :a$t$, ($1::text) |x"},
    {PG, "SELECT a$b$ :a, c$b$", "SELECT a$b$ ($1::bigint), c$b$ |1"},
    {AN, "SELECT q'[it's :a]', :b", "SELECT q'[it's :a]', %s |x"},
    {AN, "SELECT Q'!it's :a!' || nq'{':a'}'", "SELECT Q'!it's :a!' || nq'{':a'}'"},
    {OR, "SELECT nQ'(it's :a)' || q'':a'', :b", "SELECT nQ'(it's :a)' || q'':a'', :1 |x"},
    {OR, "SELECT N':a', 'a\\', :b", "SELECT N':a', 'a\\', :1 |x"},
    {AN, "SELECT aq'[', :b", "SELECT aq'[', %s |x"},
    {S, "SELECT q'[', :b", "SELECT q'[', ? |x"},
    /* names */
    {S, "SELECT \":a\", \"x\"\":a\"", "SELECT \":a\", \"x\"\":a\""},
    {OR, "SELECT \":a\", x(:b)", "SELECT \":a\", x(:1) |x"},
    {S, "SELECT [:a], `:a`", "SELECT [:a], `:a`"},
    {MY, "SELECT `:a`, `x``:a`", "SELECT `:a`, `x``:a`"},
    {PG, "SELECT x[:a]", "SELECT x[($1::bigint)] |1"},
    /* comments */
    {S, "SELECT 1 -- :a", "SELECT 1 -- :a"},
    {S, "SELECT 1 -- it's\n, :a", "SELECT 1 -- it's\n, ? |1"},
    {S, "-- first\n/* :a */ SELECT :b", "-- first\n/* :a */ SELECT ? |x"},
    {S, "SELECT 1 /* /* :a */, :b", "SELECT 1 /* /* :a */, ? |x"},
    {PG, "SELECT 1 /* /* :a */ :a */, :b", "SELECT 1 /* /* :a */ :a */, ($1::text) |x"},
    {MY, "SELECT 1 # it's :a\n, :b", "SELECT 1 # it's :a\n, %s |x"},
    {MY, "SELECT a# it's :a\n, :b", "SELECT a# it's :a\n, %s |x"},
    {PG, "SELECT 5#$t$ :a $t$, :b", "SELECT 5#$t$ :a $t$, ($1::text) |x"},
    {OR, "SELECT a#b, a#:b", "!A parameter needs a blank before its colon: b."},
    {MY, "SELECT 1 --:a", "SELECT 1 --%s |1"},
    {MY, "SELECT 1 -- :a", "SELECT 1 -- :a"},
    {S, "SELECT 1--", "SELECT 1--"},
    /* colons that are none of ours */
    {PG, "SELECT x::int, y::a", "SELECT x::int, y::a"},
    {MY, "SELECT @x := 1", "SELECT @x := 1"},
    {PG, "SELECT x[1:2], x[lo:hi]", "SELECT x[1:2], x[lo:hi]"},
    {PG, "SELECT x[1:a]", "!A parameter needs a blank before its colon: a."},
    {S, "SELECT x:y", "!This report has no such parameter: y."},
    {S, "SELECT x:a", "!A parameter needs a blank before its colon: a."},
    {S, "SELECT 1 :", "SELECT 1 :"},
    /* the database's own placeholders */
    {S, "SELECT ?", "!Parameters are written as :name, not as the database does: ?."},
    {S, "SELECT @a", "!Parameters are written as :name, not as the database does: @."},
    {S, "SELECT $a", "!Parameters are written as :name, not as the database does: $."},
    {S, "SELECT $1", "!Parameters are written as :name, not as the database does: $."},
    {S, "SELECT @1", "!Parameters are written as :name, not as the database does: @."},
    {S, "SELECT 1 WHERE#a", "!Parameters are written as :name, not as the database does: #."},
    {S, "SELECT :$", "!Parameters are written as :name, not as the database does: :$."},
    {S, "SELECT :::$a", "!Parameters are written as :name, not as the database does: :$."},
    {OR, "SELECT :$a, :#", "!Parameters are written as :name, not as the database does: :$."},
    {OR, "SELECT :#", "!Parameters are written as :name, not as the database does: :#."},
    {PG, "SELECT x[1:$t$:a$t$]", "SELECT x[1:$t$:a$t$]"},
    {S, "SELECT $::a", "!Parameters are written as :name, not as the database does: $."},
    {S, "SELECT #::a", "!Parameters are written as :name, not as the database does: #."},
    {S, "SELECT $$", "!Parameters are written as :name, not as the database does: $."},
    {S, "SELECT :1", "!Parameters are written as :name, not as the database does: :1."},
    {OR, "SELECT :1", "!Parameters are written as :name, not as the database does: :1."},
    {PG, "SELECT $1", "!Parameters are written as :name, not as the database does: $."},
    {PG, "SELECT j ? 'k'", "SELECT j ? 'k'"},
    {MY, "SELECT ?", "!Parameters are written as :name, not as the database does: ?."},
    /* one statement */
    {S, "SELECT 1;", "SELECT 1"},
    {S, "SELECT 1 ; ; -- the end", "SELECT 1 "},
    {S, "SELECT ';', \";\" /* ; */", "SELECT ';', \";\" /* ; */"},
    {S, "SELECT 1; SELECT 2", "!A report is one statement; this stands behind its end: SELECT."},
    {S, "SELECT 1; :a", "!A report is one statement; this stands behind its end: a."},
    {S, "DELETE FROM x", "!A report begins with SELECT or WITH, not so: DELETE."},
    {S, " -- x\n select 1", " -- x\n select 1"},
    {S, "WITH x AS (SELECT :a) SELECT * FROM x", "WITH x AS (SELECT ?) SELECT * FROM x |1"},
    {PG, "((SELECT 1) UNION SELECT 2)", "((SELECT 1) UNION SELECT 2)"},
    {S, "SELECTED", "!A report begins with SELECT or WITH, not so: SELECTED."},
    {S, "", "!A report begins with SELECT or WITH, not so: ."},
    {S, " -- SELECT", "!A report begins with SELECT or WITH, not so: ."},
    {S, ";", "!A report begins with SELECT or WITH, not so: ;."},
    /* what has no end */
    {S, "SELECT 'x", "!This has no end: 'x."},
    {S, "SELECT \"x", "!This has no end: \"x."},
    {S, "SELECT /* x", "!This has no end: /* x."},
    {S, "SELECT /*", "!This has no end: /*."},
    {PG, "SELECT /* /* */", "!This has no end: /* /* */."},
    {PG, "SELECT $x$ $y$", "!This has no end: $x$ $y$."},
    {PG, "SELECT E'\\", "!This has no end: E'\\."},
    {AN, "SELECT q'[x'", "!This has no end: q'[x'."},
    {AN, "SELECT q'", "!This has no end: q'."},
    {OR, "SELECT q'{x}", "!This has no end: q'{x}."},
    {MY, "SELECT 'x\\'", "!This has no end: 'x\\'."},
};

static void writes(apr_pool_t *p)
{
    apr_size_t i;

    for (i = 0; i < COUNT(cases); i++) {
        is_str(build(cases[i].driver, cases[i].text, AUR_SQL_ALL, 5, p), cases[i].want,
               apr_pstrcat(p, cases[i].driver, ": ", cases[i].text, NULL));
    }
}

static const struct {
    const char *driver, *text;
    aur_sql_e kind;
    const char *want;
    int first; /* without an offset; else with one of 5 */
} around[] = {
    {S, "SELECT :a --x;", AUR_SQL_PAGE,
     "SELECT * FROM (SELECT ? --x;\n) q LIMIT ? OFFSET ? |1 |10 |5"},
    {S, "SELECT 1;", AUR_SQL_COUNT, "SELECT count(*) FROM (SELECT 1 AS c0 FROM (SELECT 1\n) r) q"},
    {S, "SELECT :a", AUR_SQL_COUNT_BOUNDED,
     "SELECT count(*) FROM (SELECT 1 AS c0 FROM (SELECT ?\n) r LIMIT ?) q |1 |10"},
    {PG, "SELECT :a", AUR_SQL_PAGE,
     "SELECT * FROM (SELECT ($1::bigint)\n) q OFFSET ($2::bigint) ROWS FETCH FIRST ($3::bigint) "
     "ROWS ONLY |1 |5 |10"},
    /* MariaDB forgets the order of a derived table, unless that has a limit of its own */
    {MY, "SELECT :a ORDER BY 1", AUR_SQL_PAGE, "SELECT %s ORDER BY 1\n LIMIT 10 OFFSET 5 |1"},
    {MY, "SELECT 1 LIMIT 3", AUR_SQL_PAGE,
     "SELECT * FROM (SELECT 1 LIMIT 3\n) q LIMIT 10 OFFSET 5"},
    {MY, "(SELECT 1 LIMIT 3)", AUR_SQL_PAGE, "(SELECT 1 LIMIT 3)\n LIMIT 10 OFFSET 5"},
    {MY, "SELECT t.offset, t.limit FROM t ORDER BY 1", AUR_SQL_PAGE,
     "SELECT t.offset, t.limit FROM t ORDER BY 1\n LIMIT 10 OFFSET 5"},
    {MY, "SELECT 'limit', `limit` -- limit", AUR_SQL_PAGE,
     "SELECT 'limit', `limit` -- limit\n LIMIT 10 OFFSET 5"},
    {OR, "SELECT :a FROM dual", AUR_SQL_PAGE,
     "SELECT * FROM (SELECT :1 FROM dual\n) q OFFSET 5 ROWS FETCH FIRST 10 ROWS ONLY |1"},
    {OR, "SELECT :a FROM dual", AUR_SQL_COUNT_BOUNDED,
     "SELECT count(*) FROM (SELECT 1 AS c0 FROM (SELECT :1 FROM dual\n) r FETCH FIRST 10 ROWS "
     "ONLY) q |1"},
    /* with ROWNUM, which would be a column of its own where rows are passed over */
    {OL, "SELECT :a FROM dual", AUR_SQL_PAGE,
     "SELECT * FROM (SELECT * FROM (SELECT :1 FROM dual\n) q) p WHERE ROWNUM <= 10 |1", 1},
    {OL, "SELECT :a FROM dual", AUR_SQL_PAGE,
     "!The database is too old for an offset in this report; ask for more rows, or for the file."},
    {OL, "SELECT :a FROM dual", AUR_SQL_COUNT,
     "SELECT count(*) FROM (SELECT 1 AS c0 FROM (SELECT :1 FROM dual\n) r) q |1"},
    {OL, "SELECT :a FROM dual", AUR_SQL_COUNT_BOUNDED,
     "SELECT count(*) FROM (SELECT c0 FROM (SELECT 1 AS c0 FROM (SELECT :1 FROM dual\n) r) p "
     "WHERE ROWNUM <= 10) q |1"},
};

static void wraps(apr_pool_t *p)
{
    apr_size_t i;

    for (i = 0; i < COUNT(around); i++) {
        is_str(build(around[i].driver, around[i].text, around[i].kind, around[i].first ? 0 : 5, p),
               around[i].want,
               apr_pstrcat(p, around[i].driver, ", kind ", apr_itoa(p, around[i].kind), ": ",
                           around[i].text, NULL));
    }
}

/* Every beginning and every end of every case: nothing is read beyond the text. */
static void survives(apr_pool_t *p)
{
    static const char *const drivers[] = {S, PG, MY, OR, OL, AN};
    apr_size_t i, d, at, built = 0;

    for (i = 0; i < COUNT(cases); i++) {
        for (d = 0; d < COUNT(drivers); d++) {
            apr_size_t len = strlen(cases[i].text);
            for (at = 0; at <= len; at++) {
                char *head = strndup(cases[i].text, at); /* exactly as long as it is */
                apr_pool_t *scratch;
                apr_pool_create(&scratch, p);
                built += build(drivers[d], head, AUR_SQL_PAGE, 0, scratch) != NULL;
                built += build(drivers[d], cases[i].text + at, AUR_SQL_ALL, 5, scratch) != NULL;
                apr_pool_destroy(scratch);
                free(head);
            }
        }
    }
    ok(built > 10000, "pieces of statements are built or refused (%d)", (int)built);
}

int main(void)
{
    apr_pool_t *p;

    apr_initialize();
    atexit(apr_terminate);
    apr_pool_create(&p, NULL);
    writes(p);
    wraps(p);
    survives(p);
    apr_pool_destroy(p);
    return tap_done();
}
