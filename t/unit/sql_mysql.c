/* Requests from their JSON to the rows of a real MariaDB whose collations ignore letter case and blanks at
 * the end: what counts is the rows, which are those of a database that tells all texts apart. */
#include "dbd.h"

static const aur_catalog_t *catalog;

static const char *const schema[] = {
    /* four collations: ignores case, exact but for blanks, exact, and another character set */
    ("CREATE TABLE T (ID int NOT NULL PRIMARY KEY, NAME varchar(40), CODE varchar(40) COLLATE "
     "utf8mb4_bin "
     "NOT NULL, EXACT varchar(40) COLLATE utf8mb4_nopad_bin, OLD varchar(40) CHARACTER SET latin1, "
     "AMOUNT decimal(30,2), BIG bigint, DAY date, AT datetime(6), SEEN timestamp(6) NULL, "
     "PAID tinyint(1), FLAGS bit(3), BIT1 bit(1), F float, D double, KIND enum('zeta','Alpha'), "
     "KEY (NAME), KEY (CODE), KEY (EXACT)) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"),
    ("INSERT INTO T VALUES "
     "(1, 'North', 'a', 'North', 'North', 10.50, 9007199254740993, '2024-01-01', "
     "'2024-01-01 10:00:00.123456', '2024-01-01 10:00:00', 1, 5, 1, 0.1, 0.1, 'zeta'),"
     "(2, 'north', 'A', 'north', 'north', 20, -1, '2024-01-02', '2024-01-02 10:00:00.5', "
     "'2024-01-02 10:00:00', 0, 0, 0, 16777216, 1e22, 'Alpha'),"
     "(3, 'north ', 'a ', 'north ', 'north ', 30.25, 9223372036854775807, '1969-12-31', "
     "'1969-12-31 23:59:59', NULL, 1, 7, 1, 3, -1.5e-7, 'zeta'),"
     "(4, '', 'b', '', '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),"
     "(5, NULL, 'B', NULL, NULL, -5, 0, '2024-02-29', '2024-02-29 00:00:00', NULL, 0, 1, 0, 0, 0, "
     "'Alpha'),"
     "(6, '100%_|x', 'c', '100%_|x', '100%_|x', 0.10, 6, '9999-12-31', '9999-12-31 "
     "23:59:59.999999', "
     "NULL, 1, 2, 1, 1, 1, 'zeta'),"
     "(7, '\xc3\x84rger', 'd', '\xc3\x84rger', '\xc3\x84rger', 7, 7, '0001-01-01', "
     "'0001-01-01 00:00:00', NULL, 1, 3, 1, 1, 1, 'zeta'),"
     "(8, '\xc3\xa4rger East', 'D', '\xc3\xa4rger East', '\xc3\xa4rger East', "
     "1234567890123456789012345678.99, "
     "8, '2024-03-02', '2024-03-02 00:00:00', NULL, 1, 4, 1, 1, 1, 'zeta')"),
    ("CREATE TABLE R (NAME varchar(20) NOT NULL, RID int, KEY (NAME)) CHARACTER SET utf8mb4 "
     "COLLATE utf8mb4_general_ci"),
    "INSERT INTO R VALUES ('North', 1), ('NORTH', 2), ('north', 3), ('other', 4)",
    "CREATE TABLE LATIN (NAME varchar(20) NOT NULL, LID int) CHARACTER SET latin1",
    "INSERT INTO LATIN VALUES ('North', 1), ('NORTH', 2), (_latin1 0xC472676572, 3)",
    "CREATE TABLE A1 (K int, V varchar(5))",
    "INSERT INTO A1 VALUES (1, 'a1'), (2, 'a2'), (2, 'a2b'), (NULL, 'an')",
    "CREATE TABLE B1 (K int, V varchar(5))",
    "INSERT INTO B1 VALUES (2, 'b2'), (3, 'b3'), (NULL, 'bn')",
    "CREATE TABLE C1 (K int, V varchar(5))",
    "INSERT INTO C1 VALUES (3, 'c3'), (1, 'c1')",
    "CREATE TABLE `we``ird %s \"t` (`c``%d` varchar(9), `%%x` int)",
    "INSERT INTO `we``ird %s \"t` VALUES ('x', 1), ('%s', 2)",
};

#define FILTER(column, op, value)                                                                  \
    "{\"dataset\":\"T\",\"columns\":[\"ID\"],\"sorting\":[{\"column\":\"ID\",\"direction\":"       \
    "\"ASC\"}],\"filters\":{\"logic\":\"AND\",\"conditions\":[{\"column\":\"" column               \
    "\",\"operator\":\"" op "\",\"value\":" value "}]}}"
#define FOLDED(column, op, value) FILTER(column, op, value ",\"ignore_case\":true")
#define SORTED(column, rest)                                                                       \
    "{\"dataset\":\"T\",\"columns\":[\"ID\"],\"sorting\":[{\"column\":\"" column "\"," rest        \
    "},{\"column\":\"ID\",\"direction\":\"ASC\"}]}"
#define JOIN(type) JOINED("A1", "B1", "K", type)
#define JOINED(l, r, on, type)                                                                     \
    "{\"left_dataset\":\"" l "\",\"right_dataset\":\"" r "\",\"join_type\":\"" type                \
    "\",\"on\":[{\"left_column\":\"" on "\",\"right_column\":\"" on "\"}]}"

static const struct {
    const char *name, *body, *rows;
} cases[] = {
    /* every text column compares alike */
    {"eq, letter case", FILTER("NAME", "eq", "\"north\""), "2"},
    {"eq, blank at the end", FILTER("NAME", "eq", "\"north \""), "3"},
    {"eq, a _bin column that pads", FILTER("CODE", "eq", "\"a\""), "1"},
    {"eq, an exact column", FILTER("EXACT", "eq", "\"north\""), "2"},
    {"eq, another character set", FILTER("OLD", "eq", "\"\xc3\x84rger\""), "7"},
    {"eq, a character that set has not", FILTER("OLD", "eq", "\"\xd0\x96\""), ""},
    {"eq, empty", FILTER("NAME", "eq", "\"\""), "4"},
    {"eq, an enumeration", FILTER("KIND", "eq", "\"ALPHA\""), ""},
    {"neq", FILTER("NAME", "neq", "\"north\""), "1;3;4;6;7;8"},
    {"in", FILTER("NAME", "in", "[\"north\",\"\xc3\x84rger\"]"), "2;7"},
    {"not_in", FILTER("NAME", "not_in", "[\"north\",\"\"]"), "1;3;6;7;8"},
    {"gt goes by code points", FILTER("NAME", "gt", "\"North\""), "2;3;7;8"},
    {"gt, an exact column", FILTER("EXACT", "gt", "\"North\""), "2;3;7;8"},
    {"gte, an exact column", FILTER("EXACT", "gte", "\"north\""), "2;3;7;8"},
    {"lt", FILTER("NAME", "lt", "\"north\""), "1;4;6"},
    {"lte, an exact column", FILTER("EXACT", "lte", "\"north\""), "1;2;4;6"},
    {"between", FILTER("NAME", "between", "[\"N\",\"o\"]"), "1;2;3"},
    {"between, an exact column", FILTER("EXACT", "between", "[\"N\",\"north\"]"), "1;2"},
    {"contains, letter case", FILTER("NAME", "contains", "\"ort\""), "1;2;3"},
    {"contains, other letter case", FILTER("NAME", "contains", "\"ORT\""), ""},
    {"contains wildcards", FILTER("NAME", "contains", "\"%_|\""), "6"},
    {"contains, more than one byte", FILTER("OLD", "contains", "\"\xc3\x84r\""), "7"},
    {"not_contains", FILTER("NAME", "not_contains", "\"orth\""), "4;6;7;8"},
    {"starts_with", FILTER("NAME", "starts_with", "\"n\""), "2;3"},
    {"starts_with wildcards", FILTER("NAME", "starts_with", "\"100%_|\""), "6"},
    {"starts_with a wildcard", FILTER("NAME", "starts_with", "\"%\""), ""},
    {"starts_with, umlaut", FILTER("NAME", "starts_with", "\"\xc3\x84\""), "7"},
    {"ends_with", FILTER("NAME", "ends_with", "\"th\""), "1;2"},
    {"ends_with a blank", FILTER("NAME", "ends_with", "\"h \""), "3"},
    {"starts_with nothing", FILTER("NAME", "starts_with", "\"\""), "1;2;3;4;6;7;8"},
    {"not_contains nothing", FILTER("NAME", "not_contains", "\"\""), ""},
    {"eq without case", FOLDED("NAME", "eq", "\"NORTH\""), "1;2"},
    {"contains without case", FOLDED("NAME", "contains", "\"\xc3\xa4RG\""), "7;8"},
    {"starts_with without case", FOLDED("EXACT", "starts_with", "\"NO\""), "1;2;3"},
    {"in without case", FOLDED("OLD", "in", "[\"NORTH\",\"\xc3\xa4RGER\"]"), "1;2;7"},
    {"is_empty", FILTER("NAME", "is_empty", "null"), "4;5"},
    {"is_not_empty", FILTER("NAME", "is_not_empty", "null"), "1;2;3;6;7;8"},
    {"is_null", FILTER("NAME", "is_null", "null"), "5"},
    {"an injection is a text", FILTER("NAME", "eq", "\"' OR 1=1 -- \\\\' %s %d \""), ""},
    /* numbers, moments, booleans */
    {"an integer beyond doubles", FILTER("BIG", "eq", "9007199254740993"), "1"},
    {"its neighbour", FILTER("BIG", "eq", "9007199254740992"), ""},
    {"the largest", FILTER("BIG", "gte", "9223372036854775807"), "3"},
    {"a decimal", FILTER("AMOUNT", "eq", "\"10.5\""), "1"},
    {"a decimal of 30 digits", FILTER("AMOUNT", "eq", "\"1234567890123456789012345678.99\""), "8"},
    {"its neighbour", FILTER("AMOUNT", "gt", "\"1234567890123456789012345678.98\""), "8"},
    {"between decimals", FILTER("AMOUNT", "between", "[-5, 10.5]"), "1;5;6;7"},
    {"a number too long for a decimal", FILTER("AMOUNT", "lt", "\"1e80\""), "1;2;3;5;6;7;8"},
    {"numbers in a list", FILTER("AMOUNT", "in", "[20, \"0.1\", 7]"), "2;6;7"},
    {"a double", FILTER("D", "eq", "0.1"), "1"},
    {"a date", FILTER("DAY", "eq", "\"1969-12-31\""), "3"},
    {"dates between", FILTER("DAY", "between", "[\"2024-01-02\",\"2024-02-29\"]"), "2;5"},
    {"the first and the last date", FILTER("DAY", "in", "[\"0001-01-01\",\"9999-12-31\"]"), "6;7"},
    {"a timestamp to the microsecond", FILTER("AT", "eq", "\"2024-01-01T10:00:00.123456Z\""), "1"},
    {"an instant, zone given", FILTER("SEEN", "eq", "\"2024-01-01T12:00:00+02:00\""), "1"},
    {"true", FILTER("PAID", "eq", "true"), "1;3;6;7;8"},
    {"one bit", FILTER("BIT1", "eq", "false"), "2;5"},
    {"bits as a number", FILTER("FLAGS", "gte", "5"), "1;3"},
    {"a date the database has not", FILTER("DAY", "lt", "\"10000-01-01\""), "error: BAD_VALUE"},
    /* order */
    {"text by code points", SORTED("NAME", "\"direction\":\"ASC\""), "4;6;1;2;3;7;8;5"},
    {"text down, NULL first", SORTED("NAME", "\"direction\":\"DESC\""), "5;8;7;3;2;1;6;4"},
    {"text up, NULL first", SORTED("NAME", "\"direction\":\"ASC\",\"nulls\":\"first\""),
     "5;4;6;1;2;3;7;8"},
    {"text down, NULL last", SORTED("NAME", "\"direction\":\"DESC\",\"nulls\":\"last\""),
     "8;7;3;2;1;6;4;5"},
    {"a _bin column by its index", SORTED("CODE", "\"direction\":\"ASC\""), "2;5;8;1;3;4;6;7"},
    {"an enumeration by its text", SORTED("KIND", "\"direction\":\"ASC\""), "2;5;1;3;6;7;8;4"},
    {"numbers", SORTED("AMOUNT", "\"direction\":\"ASC\""), "5;6;7;1;2;3;8;4"},
    {"a page",
     "{\"dataset\":\"T\",\"columns\":[\"ID\"],\"sorting\":[{\"column\":\"ID\",\"direction\":"
     "\"ASC\"}],"
     "\"limit\":2,\"offset\":3}",
     "4;5"},
    /* values come out whole */
    {"floats and bits",
     "{\"dataset\":\"T\",\"columns\":[\"F\",\"D\",\"FLAGS\",\"BIT1\"],\"sorting\":[{\"column\":"
     "\"ID\","
     "\"direction\":\"ASC\"}],\"limit\":3}",
     "0.10000000149011612|0.1|5|true;16777216|1e+22|0|false;3|-0.00000015|7|true"},
    {"moments",
     "{\"dataset\":\"T\",\"columns\":[\"DAY\",\"AT\",\"SEEN\"],\"sorting\":[{\"column\":\"ID\","
     "\"direction\":\"ASC\"}],\"limit\":1}",
     "2024-01-01|2024-01-01 10:00:00.123456|2024-01-01 10:00:00+00"},
    /* groups */
    {"groups tell letter case and blanks apart",
     "{\"dataset\":\"T\",\"columns\":[\"NAME\"],\"group_by\":[\"NAME\"],\"aggregations\":[{"
     "\"column\":"
     "\"*\",\"function\":\"count\",\"output_name\":\"n\"}],\"sorting\":[{\"column\":\"NAME\","
     "\"direction\":\"ASC\"}]}",
     "|1;100%_|x|1;North|1;north|1;north |1;\xc3\x84rger|1;\xc3\xa4rger East|1;~|1"},
    {"distinct_count, min and max of texts",
     "{\"dataset\":\"T\",\"columns\":[],\"aggregations\":[{\"column\":\"NAME\",\"function\":"
     "\"distinct_count\",\"output_name\":\"d\"},{\"column\":\"NAME\",\"function\":\"min\"},{"
     "\"column\":"
     "\"NAME\",\"function\":\"max\"},{\"column\":\"KIND\",\"function\":\"min\"},{\"column\":"
     "\"OLD\","
     "\"function\":\"max\"}]}",
     "7||\xc3\xa4rger East|Alpha|\xc3\xa4rger East"},
    {"sums, averages and floats",
     "{\"dataset\":\"T\",\"columns\":[],\"aggregations\":[{\"column\":\"AMOUNT\",\"function\":"
     "\"sum\"},"
     "{\"column\":\"ID\",\"function\":\"avg\"},{\"column\":\"F\",\"function\":\"max\"},{\"column\":"
     "\"*\","
     "\"function\":\"count\"},{\"column\":\"NAME\",\"function\":\"count\"}]}",
     "1234567890123456789012345741.84|4.5000000000000000|16777216|8|7"},
    {"HAVING",
     "{\"dataset\":\"T\",\"columns\":[\"PAID\",\"n\"],\"group_by\":[\"PAID\"],\"aggregations\":[{"
     "\"column\":\"ID\",\"function\":\"count\",\"output_name\":\"n\"}],\"filters\":{\"logic\":"
     "\"AND\","
     "\"conditions\":[{\"column\":\"n\",\"operator\":\"gt\",\"value\":1}]},\"sorting\":[{"
     "\"column\":\"n\","
     "\"direction\":\"DESC\"}]}",
     "true|5;false|2"},
    {"HAVING on a text's minimum, without case",
     "{\"dataset\":\"T\",\"columns\":[\"PAID\",\"m\"],\"group_by\":[\"PAID\"],\"aggregations\":[{"
     "\"column\":\"NAME\",\"function\":\"max\",\"output_name\":\"m\"}],\"filters\":{\"logic\":"
     "\"AND\","
     "\"conditions\":[{\"column\":\"m\",\"operator\":\"eq\",\"value\":\"NORTH\",\"ignore_case\":"
     "true}]}}",
     "false|north"},
    /* joins */
    {"a join on text, letter case",
     "{\"dataset\":\"T\",\"columns\":[\"T.ID\",\"R.RID\"],\"joins\":[" JOINED(
         "T", "R", "NAME", "inner") "],\"sorting\":[{\"column\":\"ID\",\"direction\":\"ASC\"}]}",
     "1|1;2|3"},
    {"a join on texts of two character sets",
     "{\"dataset\":\"T\",\"columns\":[\"T.ID\",\"LATIN.LID\"],\"joins\":[" JOINED(
         "T", "LATIN", "NAME",
         "inner") "],\"sorting\":[{\"column\":\"ID\",\"direction\":\"ASC\"}]}",
     "1|1;7|3"},
    {"left",
     "{\"dataset\":\"A1\",\"columns\":[\"A1.V\",\"B1.V\"],\"joins\":[" JOIN(
         "left") "],\"sorting\":[{"
                 "\"column\":\"A1.V\",\"direction\":\"ASC\"}]}",
     "a1|~;a2|b2;a2b|b2;an|~"},
    {"right",
     "{\"dataset\":\"A1\",\"columns\":[\"A1.V\",\"B1.V\"],\"joins\":[" JOIN(
         "right") "],\"sorting\":[{"
                  "\"column\":\"B1.V\",\"direction\":\"ASC\"},{\"column\":\"A1.V\",\"direction\":"
                  "\"ASC\"}]}",
     "a2|b2;a2b|b2;~|b3;~|bn"},
    {"full",
     "{\"dataset\":\"A1\",\"columns\":[\"A1.V\",\"B1.V\",\"A1.K\",\"B1.K\"],\"joins\":[" JOIN(
         "outer") "],\"sorting\":[{\"column\":\"A1.V\",\"direction\":\"ASC\"},{\"column\":\"B1.V\","
                  "\"direction\":"
                  "\"ASC\"}]}",
     "a1|~|1|~;a2|b2|2|2;a2b|b2|2|2;an|~|~|~;~|b3|~|3;~|bn|~|~"},
    {"full, filtered",
     "{\"dataset\":\"A1\",\"columns\":[\"A1.V\",\"B1.V\"],\"joins\":[" JOIN(
         "outer") "],\"filters\":{"
                  "\"logic\":\"OR\",\"conditions\":[{\"column\":\"A1.V\",\"operator\":\"eq\","
                  "\"value\":\"a2\"},{"
                  "\"column\":\"B1.V\",\"operator\":\"starts_with\",\"value\":\"bn\"}]},"
                  "\"sorting\":[{\"column\":"
                  "\"B1.V\",\"direction\":\"ASC\"}]}",
     "a2|b2;~|bn"},
    {"full, then left, on a column of its right side",
     "{\"dataset\":\"A1\",\"columns\":[\"A1.V\",\"B1.V\",\"C1.V\"],\"joins\":[" JOIN(
         "outer") "," JOINED("B1", "C1", "K",
                             "left") "],\"sorting\":[{\"column\":\"A1.V\",\"direction\":\"ASC\"},{"
                                     "\"column\":\"B1.V\",\"direction\":\"ASC\"}]}",
     "a1|~|~;a2|b2|~;a2b|b2|~;an|~|~;~|b3|c3;~|bn|~"},
    {"left, then full",
     "{\"dataset\":\"A1\",\"columns\":[\"A1.V\",\"B1.V\",\"C1.V\"],\"joins\":[" JOIN(
         "left") "," JOINED("A1", "C1", "K",
                            "outer") "],\"sorting\":[{\"column\":\"A1.V\",\"direction\":\"ASC\"},{"
                                     "\"column\":\"C1.V\",\"direction\":\"ASC\"}]}",
     "a1|~|c1;a2|b2|~;a2b|b2|~;an|~|~;~|~|c3"},
    {"full, grouped",
     "{\"dataset\":\"A1\",\"columns\":[\"B1.V\"],\"joins\":[" JOIN(
         "outer") "],\"group_by\":[\"B1.V\"],"
                  "\"aggregations\":[{\"column\":\"A1.V\",\"function\":\"count\",\"output_name\":"
                  "\"n\"},{\"column\":"
                  "\"A1.V\",\"function\":\"max\"}],\"sorting\":[{\"column\":\"B1.V\",\"direction\":"
                  "\"ASC\"}]}",
     "b2|2|a2b;b3|0|~;bn|0|~;~|2|an"},
    {"two full joins",
     "{\"dataset\":\"A1\",\"columns\":[\"A1.V\"],\"joins\":[" JOIN("outer") "," JOINED(
         "A1", "C1", "K", "outer") "]}",
     "error: BAD_REQUEST"},
    /* names */
    {"names that hold everything",
     "{\"dataset\":\"we`ird %s "
     "\\\"t\",\"columns\":[\"c`%d\",\"%%x\"],\"filters\":{\"logic\":\"AND\","
     "\"conditions\":[{\"column\":\"c`%d\",\"operator\":\"eq\",\"value\":\"%s\"}]}}",
     "%s|2"},
};

static const char *answer(aur_conn_t *conn, const char *body, aur_sql_e kind)
{
    aur_plan_t *plan = plan_of(catalog, body);
    aur_sql_t *sql;
    const char *rows;

    if (!plan ||
        aur_sql_build(&sql, aur_db_dialect(db), plan, kind, &err, request) != APR_SUCCESS) {
        return failure();
    }
    rows = rows_of(conn, sql);
    if (!strncmp(rows, "error", 5)) {
        printf("# %s (%s) in %s\n", err.detail, err.native, sql->text);
    }
    return rows;
}

static int count_rows(const char *rows)
{
    int n = *rows != '\0';

    for (; *rows; rows++) {
        n += *rows == ';';
    }
    return n;
}

static void test_rows(void)
{
    int i;

    for (i = 0; i < N(cases); i++) {
        aur_conn_t *conn = borrow();
        is_str(answer(conn, cases[i].body, AUR_SQL_PAGE), cases[i].rows, cases[i].name);
        request_end();
    }
}

/* What is counted is what comes. */
static void test_counts(void)
{
    int i, rows, bounded;

    for (i = 0; i < N(cases); i++) {
        aur_conn_t *conn = borrow();
        aur_plan_t *plan = plan_of(catalog, cases[i].body);
        if (!plan || !strncmp(cases[i].rows, "error", 5)) {
            request_end();
            continue;
        }
        rows = count_rows(answer(conn, cases[i].body, AUR_SQL_ALL));
        if (!strcmp(cases[i].name, "eq, empty") || strstr(cases[i].name, "group")) {
            rows = -1; /* rows that begin with nothing cannot be counted by their text */
        }
        is_int(rows < 0 ? rows : atoi(answer(conn, cases[i].body, AUR_SQL_COUNT)), rows,
               apr_psprintf(request, "count: %s", cases[i].name));
        bounded = atoi(answer(conn, cases[i].body, AUR_SQL_COUNT_BOUNDED));
        ok(bounded <= plan->limit &&
               (rows < 0 || bounded == (rows < plan->limit ? rows : plan->limit)),
           "bounded count: %s", cases[i].name);
        request_end();
    }
}

/* --- the newest partition ---------------------------------------------------------------------------- */

/* Texts that are equal to a collation are told apart, and the greatest is that of the bytes. */
static void test_newest(void)
{
    static const struct {
        const char *filter; /* of another plan: what restricts this one */
        const char *columns[AUR_NEWEST_MAX];
        const char *ids;
    } newest[] = {
        {NULL, {"BIG"}, "3"},
        {FILTER("ID", "neq", "3"), {"BIG"}, "1"},
        {FILTER("ID", "lt", "0"), {"BIG"}, ""},
        {NULL, {"CODE"}, "7"},
        {FILTER("ID", "lt", "6"), {"CODE"}, "4"},
        {FILTER("ID", "lt", "4"), {"CODE"}, "3"},
        {FILTER("ID", "lt", "4"), {"NAME"}, "3"},
        {FILTER("ID", "lt", "3"), {"NAME"}, "2"},
        {FILTER("NAME", "in", "[\"north\",\"North\"]"), {"OLD"}, "2"},
        {NULL, {"FLAGS"}, "3"},
        {NULL, {"DAY"}, "6"},
        {FILTER("ID", "neq", "6"), {"AT"}, "8"},
        {NULL, {"KIND", "BIG"}, "3"},
        {FILTER("DAY", "lt", "\"9999-01-01\""), {"DAY", "SEEN"}, "2"},
        {FILTER("ID", "lt", "0"), {"DAY", "SEEN"}, ""},
    };
    int i, k;

    for (i = 0; i < N(newest); i++) {
        aur_conn_t *conn = borrow();
        aur_plan_t *plan = plan_of(catalog, FILTER("ID", "gt", "-1"));
        aur_plan_table_t table = plan->tables[0];
        const aur_dataset_t *set = table.dataset;
        aur_sql_t *sql;

        table.restriction = newest[i].filter ? plan_of(catalog, newest[i].filter)->where : NULL;
        for (k = 0; k < AUR_NEWEST_MAX && newest[i].columns[k]; k++) {
            const char *name = newest[i].columns[k];
            table.newest[k] = aur_dataset_column(set, name, strlen(name), request);
        }
        table.nnewest = k;
        plan->tables = &table;
        is_str(
            aur_sql_build(&sql, aur_db_dialect(db), plan, AUR_SQL_ALL, &err, request) == APR_SUCCESS
                ? rows_of(conn, sql)
                : failure(),
            newest[i].ids, apr_psprintf(request, "the newest of %s, %d", newest[i].columns[0], i));
        request_end();
    }
}

/* --- what the planner makes of it ----------------------------------------------------------------- */

static apr_int64_t expected(aur_conn_t *conn, const char *body)
{
    aur_plan_t *plan = plan_of(catalog, body);
    aur_sql_t *sql;
    apr_int64_t rows = -1;
    apr_status_t rv =
        plan ? aur_sql_build(&sql, aur_db_dialect(db), plan, AUR_SQL_ALL, &err, request)
             : APR_EGENERAL;

    if (rv == APR_SUCCESS) {
        rv = aur_db_explain(&rows, conn, sql, &err, request);
    }
    if (rv != APR_SUCCESS) {
        printf("# rv %d %s (%s)\n", rv, err.detail, err.native);
    }
    return rows;
}

#define BIG(column, op, value)                                                                     \
    "{\"dataset\":\"BIG\",\"columns\":[\"ID\"],\"filters\":{\"logic\":\"AND\",\"conditions\":[{"   \
    "\"column\":\"" column "\",\"operator\":\"" op "\",\"value\":" value "}]}}"

static void test_plans(void)
{
    static const struct {
        const char *name, *body;
        apr_int64_t low, high;
    } plans[] = {
        {"the whole table", "{\"dataset\":\"BIG\",\"columns\":[\"ID\"]}", 15000, 25000},
        {"an equal text is found by index", BIG("NAME", "eq", "\"key 77\""), 1, 5},
        {"a list of texts is", BIG("NAME", "in", "[\"key 77\",\"key 78\"]"), 1, 10},
        {"a prefix is", BIG("NAME", "starts_with", "\"key 777\""), 1, 100},
        {"a range of an exact column is", BIG("EXACT", "between", "[\"key 777\",\"key 778\"]"), 1,
         100},
        {"a number is", BIG("ID", "eq", "5"), 1, 1},
        {"what cannot be", BIG("ID", "lt", "-5"), 0, 1},
        {"what has no index is not", BIG("NAME", "contains", "\"777\""), 15000, 25000},
        {"a join by a text's index",
         "{\"dataset\":\"BIG\",\"columns\":[\"BIG.ID\"],\"joins\":[{"
         "\"left_dataset\":\"BIG\",\"right_dataset\":\"BIG\",\"alias\":\"B\",\"join_type\":"
         "\"inner\","
         "\"on\":[{\"left_column\":\"NAME\",\"right_column\":\"NAME\"}]}]}",
         15000, 50000},
        {"a full join adds both halves",
         "{\"dataset\":\"BIG\",\"columns\":[\"BIG.ID\"],\"joins\":[{"
         "\"left_dataset\":\"BIG\",\"right_dataset\":\"BIG\",\"alias\":\"B\",\"join_type\":"
         "\"outer\","
         "\"on\":[{\"left_column\":\"ID\",\"right_column\":\"ID\"}]}]}",
         15000, 60000},
        {"groups are the rows they are made of",
         "{\"dataset\":\"BIG\",\"columns\":[\"NAME\"],"
         "\"group_by\":[\"NAME\"],\"sorting\":[{\"column\":\"NAME\",\"direction\":\"ASC\"}]}",
         15000, 25000},
    };
    int i;

    for (i = 0; i < N(plans); i++) {
        aur_conn_t *conn = borrow();
        apr_int64_t rows = conn ? expected(conn, plans[i].body) : -1;
        if (!ok(rows >= plans[i].low && rows <= plans[i].high, "plan: %s", plans[i].name)) {
            printf("# %" APR_INT64_T_FMT " rows\n", rows);
        }
        request_end();
    }
}

int main(void)
{
    int i;

    if (!dbd_begin()) {
        return 0;
    }
    for (i = 0; i < N(schema); i++) {
        admin_do(schema[i]);
    }
    admin_do("CREATE TABLE BIG (ID int NOT NULL PRIMARY KEY, NAME varchar(40) NOT NULL, EXACT "
             "varchar(40) "
             "COLLATE utf8mb4_nopad_bin, KEY (NAME), KEY (EXACT)) COLLATE utf8mb4_general_ci AS "
             "SELECT seq AS ID, concat('key ', seq) AS NAME, concat('key ', seq) AS EXACT "
             "FROM seq_1_to_20000");
    admin_do("ANALYZE TABLE BIG");
    db = db_create("mysql", getenv("AURORA_MY"));
    catalog = discovered(pool);
    request_end();
    test_rows();
    test_counts();
    test_newest();
    test_plans();
    return dbd_end();
}
