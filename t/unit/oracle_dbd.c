/* The Oracle driver through apr_dbd's own calls: what the contract says, and where the driver that apr-util has in its
 * sources fails. With an argument it is a tool for t/80-oracle-driver.t: open, fork, inherit PARAMS. */
#include "oracle.h"

#include <apr_buckets.h>
#include <limits.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- tools ------------------------------------------------------------------------------------------------ */

/* Open and close; what another driver does then. */
static int tool_open(const char *params)
{
    const apr_dbd_driver_t *sqlite = NULL;
    const char *error = "(nothing said)";
    apr_dbd_t *h = NULL;
    apr_status_t rv = apr_dbd_get_driver(pool, "oracle", &driver);

    printf("driver: %d\n", rv);
    if (rv == APR_SUCCESS) {
        rv = apr_dbd_open_ex(driver, pool, params, &h, &error);
        printf("open: %s\n", rv == APR_SUCCESS ? "ok" : error);
    }
    rv = apr_dbd_get_driver(pool, "sqlite3", &sqlite);
    if (rv == APR_SUCCESS) {
        rv = apr_dbd_open_ex(sqlite, pool, ":memory:", &h, &error);
    }
    printf("sqlite3: %s\n", rv == APR_SUCCESS ? "ok" : "failed");
    return 0;
}

/* In a child: connect, ask, leave. */
static int child(const char *params)
{
    const char *error = "(nothing said)", *got;

    if (apr_dbd_open_ex(driver, pool, params, &db, &error) != APR_SUCCESS) {
        printf("child: %s\n", error);
        return 0;
    }
    got = value_of("SELECT 40 + 2 AS N FROM DUAL");
    printf("child: answer %s\n", got ? got : "none");
    apr_dbd_close(driver, db);
    return 0;
}

static void in_child(const char *params)
{
    int status;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        (void)child(params);
        fflush(stdout);
        _exit(0); /* what the parent has made is the parent's to end */
    }
    waitpid(pid, &status, 0);
    printf("child ended: %d\n", status);
}

/* As httpd does: the driver comes in the parent, connections in its children. */
static int tool_fork(const char *params, int inherit)
{
    const char *error = "(nothing said)";

    if (apr_dbd_get_driver(pool, "oracle", &driver) != APR_SUCCESS) {
        return 1;
    }
    if (inherit && apr_dbd_open_ex(driver, pool, params, &db, &error) != APR_SUCCESS) {
        printf("parent: %s\n", error);
        return 1;
    }
    in_child(params);
    in_child(params);
    if (inherit) {
        const char *got = value_of("SELECT 40 + 2 AS N FROM DUAL");
        printf("parent: answer %s\n", got ? got : "none");
    }
    return 0;
}

/* --- results ------------------------------------------------------------------------------------------------ */

static void test_select(void)
{
    apr_dbd_results_t *res = NULL;
    apr_dbd_row_t *row = NULL, *rows[3] = {NULL, NULL, NULL};
    int i, n, good = 1;

    is_int(apr_dbd_select(driver, pool, db, &res, "SELECT N, TXT FROM ROWS_1000 ORDER BY N", 0), 0,
           "a select");
    is_int(apr_dbd_num_cols(driver, res), 2, "its columns");
    is_int(apr_dbd_num_tuples(driver, res), -1, "rows are not counted while they stream");
    is_str(apr_dbd_get_name(driver, res, 0), "N", "a column's name");
    is_str(apr_dbd_get_name(driver, res, 1), "TXT", "another's");
    ok(!apr_dbd_get_name(driver, res, 2), "no name behind the last");
    for (i = 0; i < 3; i++) {
        is_int(apr_dbd_get_row(driver, pool, res, &rows[i], -1), 0, "a row");
    }
    is_str(apr_dbd_get_entry(driver, rows[0], 0), "1",
           "the first row object is still the first row");
    is_str(apr_dbd_get_entry(driver, rows[1], 1), "text 2", "the second the second");
    ok(!apr_dbd_get_entry(driver, rows[0], 2) && !apr_dbd_get_entry(driver, rows[0], -1),
       "no entry beyond the columns");
    for (n = 3; apr_dbd_get_row(driver, pool, res, &row, -1) == 0; n++) {
        good &= int_of(apr_dbd_get_entry(driver, row, 0)) == n + 1;
    }
    is_int(n, 1000, "all rows have come");
    ok(good, "  in their order, over several arrays");
    is_str(apr_dbd_get_entry(driver, rows[0], 1), "text 1",
           "the first row object has outlived them");
    is_int(apr_dbd_get_row(driver, pool, res, &row, -1), -1, "behind the last row there is none");
    is_int(apr_dbd_get_row(driver, pool, res, &row, -1), -1, "  however often one asks");
    is_str(apr_dbd_get_name(driver, res, 1), "TXT", "names stay");
}

static void test_rownum(void)
{
    apr_dbd_results_t *res = NULL;
    apr_dbd_row_t *row = NULL;
    static const int numbers[] = {500, 1, 0, -1};
    int i;

    (void)apr_dbd_select(driver, pool, db, &res, "SELECT N FROM ROWS_1000 ORDER BY N", 1);
    is_int(apr_dbd_num_tuples(driver, res), 1000, "random access: rows are counted");
    is_int(apr_dbd_get_row(driver, pool, res, &row, 1000), 0, "the last");
    is_str(apr_dbd_get_entry(driver, row, 0), "1000", "  is the last");
    is_int(apr_dbd_get_row(driver, pool, res, &row, 7), 0, "back");
    is_str(apr_dbd_get_entry(driver, row, 0), "7", "  to the seventh");
    is_int(apr_dbd_get_row(driver, pool, res, &row, -1), 0, "the next");
    is_str(apr_dbd_get_entry(driver, row, 0), "8", "  follows");
    is_int(apr_dbd_get_row(driver, pool, res, &row, 1001), -1, "beyond the last");
    is_int(apr_dbd_get_row(driver, pool, res, &row, 0), -1, "before the first");

    res = NULL;
    row = NULL;
    (void)apr_dbd_select(driver, pool, db, &res, "SELECT N FROM ROWS_1000 ORDER BY N", 0);
    for (i = 0; i < 4; i++) {
        is_int(apr_dbd_get_row(driver, pool, res, &row, numbers[i]), 0, "streaming");
        is_int(int_of(apr_dbd_get_entry(driver, row, 0)), i + 1,
               "  the next row, whatever number is asked for");
    }
}

/* Loops that follow one another may well have one row object. */
static void test_one_object(void)
{
    apr_dbd_results_t *res = NULL;
    apr_dbd_row_t *row = NULL, *first;

    (void)apr_dbd_select(driver, pool, db, &res, "SELECT N, TXT, N + 1 AS M FROM ROWS_1000", 0);
    is_int(apr_dbd_get_row(driver, pool, res, &row, -1), 0, "the row of a result");
    first = row;
    res = NULL;
    (void)apr_dbd_select(driver, pool, db, &res, "SELECT 'x' AS A FROM DUAL", 0);
    is_int(apr_dbd_get_row(driver, pool, res, &row, -1), 0, "its object is given to another's");
    is_str(apr_dbd_get_entry(driver, row, 0), "x", "  for that one's value");
    ok(!apr_dbd_get_entry(driver, row, 1), "  and has no columns of the first");
    ok(apr_dbd_get_entry(driver, first, 2) != NULL, "  which keeps its own");
}

static void test_wide(void)
{
    char *sql = apr_pstrdup(pool, "SELECT 1 AS C1");
    apr_dbd_results_t *res = NULL;
    apr_dbd_row_t *row = NULL;
    int i, good = 1;

    for (i = 2; i <= 900; i++) {
        sql = apr_psprintf(pool, "%s, %d AS C%d", sql, i, i);
    }
    is_int(apr_dbd_select(driver, pool, db, &res, apr_pstrcat(pool, sql, " FROM DUAL", NULL), 0), 0,
           "900 columns");
    is_int(apr_dbd_get_row(driver, pool, res, &row, -1), 0, "  have a row");
    for (i = 0; i < 900; i++) {
        good &= row && int_of(apr_dbd_get_entry(driver, row, i)) == i + 1;
    }
    ok(good, "  with all their values");
}

static const char *brigade_text(const apr_dbd_row_t *row, int col, apr_dbd_type_e type,
                                apr_size_t *len)
{
    apr_bucket_alloc_t *alloc = apr_bucket_alloc_create(pool);
    apr_bucket_brigade *bb = apr_brigade_create(pool, alloc);
    char *text = NULL;

    *len = 0;
    if (apr_dbd_datum_get(driver, (apr_dbd_row_t *)row, col, type, bb) != APR_SUCCESS ||
        apr_brigade_pflatten(bb, &text, len, pool) != APR_SUCCESS) {
        return NULL;
    }
    return text;
}

static void test_types(void)
{
    static const struct {
        const char *column, *want;
    } cases[] = {
        {"NUM", "-12345678901234567890.123456"},
        {"INT9", "123456789"},
        {"HALF", "0.5"},
        {"DBL", "0.1"},
        {"VC", "h\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"FIXED", "ab   "},
        {"BORN", "2024-02-29 13:30:05"},
        {"STAMP", "2024-02-29 13:30:05.123456"},
        {"STAMPTZ", "2024-02-29 13:30:05.5+00:00"},
        {"BYTES", "00FF10"},
        {"RI", "AAAR3sAAEAAAACXAAA"},
        {"EMPTY", NULL},
    };
    apr_dbd_results_t *res = NULL;
    apr_dbd_row_t *row = NULL;
    const char *s;
    apr_size_t len;
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        is_str(value_of(apr_psprintf(pool, "SELECT %s FROM KINDS WHERE ID = 1", cases[i].column)),
               cases[i].want, cases[i].column);
    }
    s = value_of("SELECT BIGTEXT FROM KINDS WHERE ID = 1");
    is_int(s ? (long long)strlen(s) : -1, 100000 * 6, "a CLOB comes whole");
    ok(s && !strncmp(s, "\xc3\xa4\xf0\x9f\x98\x80\xc3\xa4", 8) &&
           !memcmp(s + 599994, "\xc3\xa4\xf0\x9f\x98\x80", 6),
       "  in UTF-8");
    s = value_of("SELECT RI FROM LOGICAL");
    ok(s && strlen(s) == 5265 && !strcmp(s + 5261, "BAEA"),
       "the ROWID of an index-organized table comes whole");
    s = value_of("SELECT LONGTEXT FROM KINDS WHERE ID = 1");
    is_int(s ? (long long)strlen(s) : -1, 70000, "a LONG comes whole");
    (void)apr_dbd_select(driver, pool, db, &res,
                         "SELECT BIN, BIGTEXT, BYTES, EMPTY FROM KINDS WHERE ID = 1", 0);
    if (!ok(apr_dbd_get_row(driver, pool, res, &row, -1) == 0, "large objects as brigades")) {
        return;
    }
    s = brigade_text(row, 0, APR_DBD_TYPE_BLOB, &len);
    ok(s && len == 50003 && !memcmp(s, "\0\xff\1", 3), "  a BLOB has its bytes");
    s = brigade_text(row, 1, APR_DBD_TYPE_CLOB, &len);
    is_int((long long)len, 600000, "  a CLOB its text");
    s = brigade_text(row, 2, APR_DBD_TYPE_BLOB, &len);
    ok(s && len == 3 && !memcmp(s, "\0\xff\x10", 3), "  RAW its bytes");
    is_int(apr_dbd_datum_get(driver, row, 3, APR_DBD_TYPE_BLOB, NULL), APR_ENOENT,
           "  NULL is told");
}

/* A loop over rows in one row object takes no memory for each of them. */
static void test_same_room(void)
{
    apr_dbd_results_t *res = NULL;
    apr_dbd_row_t *row = NULL;
    const char *first = NULL, *s;
    int n, same = 1;

    (void)apr_dbd_select(driver, pool, db, &res,
                         "SELECT K.BYTES FROM KINDS K, ROWS_1000 R WHERE K.ID = 1", 0);
    for (n = 0; res && apr_dbd_get_row(driver, pool, res, &row, -1) == 0; n++) {
        s = apr_dbd_get_entry(driver, row, 0);
        first = first ? first : s;
        same &= s && s == first && !strcmp(s, "00FF10");
    }
    ok(n == 1000 && same, "hexadecimal texts of a row stand where those of the last row stood");
}

static void test_datum(void)
{
    apr_dbd_results_t *res = NULL;
    apr_dbd_row_t *row = NULL;
    signed char tiny = 0;
    unsigned char utiny = 0;
    short s = 0;
    unsigned short us = 0;
    int i = 0;
    unsigned u = 0;
    long l = 0;
    unsigned long ul = 0;
    apr_int64_t ll = 0;
    apr_uint64_t ull = 0;
    float f = 0;
    double d = 0;
    char *text = NULL;

    (void)apr_dbd_select(
        driver, pool, db, &res,
        "SELECT -5 AS A, 200 AS B, 18446744073709551615 AS C, -2.5 AS D, NULL AS E FROM DUAL", 0);
    is_int(apr_dbd_get_row(driver, pool, res, &row, -1), 0, "a row of numbers");
    ok(!apr_dbd_datum_get(driver, row, 0, APR_DBD_TYPE_TINY, &tiny) && tiny == -5, "TINY");
    ok(!apr_dbd_datum_get(driver, row, 1, APR_DBD_TYPE_UTINY, &utiny) && utiny == 200, "UTINY");
    ok(!apr_dbd_datum_get(driver, row, 0, APR_DBD_TYPE_SHORT, &s) && s == -5, "SHORT");
    ok(!apr_dbd_datum_get(driver, row, 1, APR_DBD_TYPE_USHORT, &us) && us == 200, "USHORT");
    ok(!apr_dbd_datum_get(driver, row, 0, APR_DBD_TYPE_INT, &i) && i == -5, "INT");
    ok(!apr_dbd_datum_get(driver, row, 1, APR_DBD_TYPE_UINT, &u) && u == 200, "UINT");
    ok(!apr_dbd_datum_get(driver, row, 0, APR_DBD_TYPE_LONG, &l) && l == -5, "LONG");
    ok(!apr_dbd_datum_get(driver, row, 1, APR_DBD_TYPE_ULONG, &ul) && ul == 200, "ULONG");
    ok(!apr_dbd_datum_get(driver, row, 0, APR_DBD_TYPE_LONGLONG, &ll) && ll == -5, "LONGLONG");
    ok(!apr_dbd_datum_get(driver, row, 2, APR_DBD_TYPE_ULONGLONG, &ull) && ull == APR_UINT64_MAX,
       "ULONGLONG");
    ok(!apr_dbd_datum_get(driver, row, 3, APR_DBD_TYPE_FLOAT, &f) && f == -2.5f, "FLOAT");
    ok(!apr_dbd_datum_get(driver, row, 3, APR_DBD_TYPE_DOUBLE, &d) && d == -2.5, "DOUBLE");
    ok(!apr_dbd_datum_get(driver, row, 0, APR_DBD_TYPE_STRING, &text) && !strcmp(text, "-5"),
       "STRING");
    is_int(apr_dbd_datum_get(driver, row, 1, APR_DBD_TYPE_TINY, &tiny), APR_EGENERAL,
           "200 is no signed byte");
    is_int(apr_dbd_datum_get(driver, row, 0, APR_DBD_TYPE_ULONGLONG, &ull), APR_EGENERAL,
           "-5 is not unsigned");
    is_int(apr_dbd_datum_get(driver, row, 2, APR_DBD_TYPE_LONGLONG, &ll), APR_EGENERAL,
           "2^64-1 is no signed number");
    is_int(apr_dbd_datum_get(driver, row, 4, APR_DBD_TYPE_INT, &i), APR_ENOENT, "NULL is told");
    is_int(apr_dbd_datum_get(driver, row, 4, APR_DBD_TYPE_STRING, &text), APR_ENOENT,
           "  for texts as well");
    ok(!text, "  whose pointer is NULL then");
    is_int(apr_dbd_datum_get(driver, row, 9, APR_DBD_TYPE_INT, &i), APR_EGENERAL, "no such column");
}

/* --- statements ---------------------------------------------------------------------------------------------- */

static const char *stored(int id)
{
    return value_of(
        apr_psprintf(pool, "SELECT N || '|' || COALESCE(TXT, '') FROM WRITTEN WHERE ID = %d", id));
}

static void test_prepared(void)
{
    apr_dbd_prepared_t *insert = NULL, *select = NULL, *wrong = NULL;
    const char *args[] = {"1", "1.5E1", "it's", "2024-02-29"}, *nulls[] = {"2", NULL, NULL, NULL};
    const char *bad[] = {"3", "abc", "x", NULL};
    int nrows = -1, id = 4, n = -7;
    apr_dbd_results_t *res = NULL;
    apr_dbd_row_t *row = NULL;

    is_int(apr_dbd_prepare(driver, pool, db,
                           "INSERT INTO WRITTEN (ID, N, TXT, BORN) VALUES (%d, %f, %s, %pDd)",
                           "insert", &insert),
           0, "prepare");
    is_int(apr_dbd_pquery(driver, pool, db, &nrows, insert, 4, args), 0, "run with texts");
    is_int(nrows, 1, "  one row");
    is_str(stored(1), "15|it's", "  is there");
    is_str(value_of("SELECT BORN FROM WRITTEN WHERE ID = 1"), "2024-02-29 00:00:00",
           "  its date as well");
    is_int(apr_dbd_pquery(driver, pool, db, &nrows, insert, 4, nulls), 0, "NULLs");
    is_str(value_of("SELECT COUNT(*) FROM WRITTEN WHERE ID = 2 AND N IS NULL AND TXT IS NULL AND "
                    "BORN IS NULL"),
           "1", "  are there");
    ok(apr_dbd_pquery(driver, pool, db, &nrows, insert, 4, bad) > 0,
       "a number that is none is refused: %s", apr_dbd_error(driver, db, 0));
    is_int(apr_dbd_pvquery(driver, pool, db, &nrows, insert, "3", "-2", "", "1999-12-31"), 0,
           "arguments one by one");
    is_str(stored(3), "-2|", "  an empty text is NULL in Oracle");
    is_int(
        apr_dbd_pvbquery(driver, pool, db, &nrows, insert, &id, &(float){2.5f}, "b", "2000-01-01"),
        0, "arguments of C's types");
    is_str(stored(4), "2.5|b", "  are there");

    is_int(apr_dbd_prepare(driver, pool, db,
                           "SELECT ID, TXT FROM WRITTEN WHERE N = %d OR ID = %d ORDER BY ID", NULL,
                           &select),
           0, "a query");
    is_int(apr_dbd_pvselect(driver, pool, db, &res, select, 0, "15", "4", NULL), 0, "  with texts");
    is_int(apr_dbd_get_row(driver, pool, res, &row, -1), 0, "  has a row");
    is_str(apr_dbd_get_entry(driver, row, 0), "1", "  the first");
    is_int(apr_dbd_get_row(driver, pool, res, &row, -1), 0, "  and another");
    is_str(apr_dbd_get_entry(driver, row, 1), "b", "  the second");
    is_int(apr_dbd_get_row(driver, pool, res, &row, -1), -1, "  no more");
    res = NULL;
    row = NULL;
    is_int(apr_dbd_pvbselect(driver, pool, db, &res, select, 1, &n, &id, NULL), 0,
           "  with C's types");
    is_int(apr_dbd_num_tuples(driver, res), 1, "  at random");

    is_int(apr_dbd_prepare(driver, pool, db, "SELECT NOTHING FROM NOWHERE", NULL, &wrong), 0,
           "prepare asks nobody");
    res = NULL;
    ok(apr_dbd_pvselect(driver, pool, db, &res, wrong, 0, NULL) > 0 && !res,
       "  the run tells what is wrong");
    ok(strstr(apr_dbd_error(driver, db, 0), "ORA-00942"), "  %s", apr_dbd_error(driver, db, 0));
}

static void test_large_arguments(void)
{
    apr_dbd_prepared_t *insert = NULL;
    apr_size_t blob_len = 40000, clob_len = 60000;
    char *blob = apr_pcalloc(pool, blob_len), *clob = apr_palloc(pool, clob_len);
    const char *args[] = {"10", clob, "60000", "t", "c", blob, "40000", "t", "c"};
    int nrows = 0, id = 11;
    size_t i;

    for (i = 0; i < clob_len; i += 2) {
        memcpy(clob + i, "\xc3\xa4", 2);
    }
    blob[0] = (char)0xff;
    is_int(apr_dbd_prepare(driver, pool, db, "INSERT INTO LARGE (ID, C, B) VALUES (%d, %pDc, %pDb)",
                           NULL, &insert),
           0, "large objects as arguments");
    is_int(apr_dbd_pquery(driver, pool, db, &nrows, insert, 9, args), 0,
           "  four values each, as texts");
    is_int(apr_dbd_pvbquery(driver, pool, db, &nrows, insert, &id, clob, &clob_len, "t", "c", blob,
                            &blob_len, "t", "c"),
           0, "  and as C's types");
    is_str(value_of("SELECT COUNT(*) FROM LARGE WHERE LENGTH(C) = 30000"), "2",
           "  the text is there");
    {
        const char *hex = value_of("SELECT B FROM LARGE WHERE ID = 11");
        ok(hex && strlen(hex) == 80000 && !strncmp(hex, "FF00", 4), "  the bytes are there");
    }
}

static void test_transactions(void)
{
    apr_dbd_transaction_t *t = NULL, *second = NULL;
    apr_dbd_t *other = oracle_open(pool), *mine = db;
    int nrows = 0;

    is_int(apr_dbd_query(driver, db, &nrows, "INSERT INTO WRITTEN (ID) VALUES (100)"), 0,
           "outside a transaction");
    db = other;
    is_str(value_of("SELECT COUNT(*) FROM WRITTEN WHERE ID = 100"), "1",
           "  a change is there for all at once");
    db = mine;
    is_int(apr_dbd_transaction_start(driver, pool, db, &t), 0, "a transaction");
    ok(apr_dbd_transaction_start(driver, pool, db, &second) > 0, "  there is but one");
    is_int(apr_dbd_query(driver, db, &nrows, "UPDATE WRITTEN SET N = 7 WHERE ID IN (1, 100)"), 0,
           "  changes");
    is_int(nrows, 2, "  two rows");
    db = other;
    is_str(value_of("SELECT COUNT(*) FROM WRITTEN WHERE N = 7"), "0", "  which nobody else sees");
    db = mine;
    is_int(apr_dbd_transaction_end(driver, pool, t), 0, "  until its end");
    db = other;
    is_str(value_of("SELECT COUNT(*) FROM WRITTEN WHERE N = 7"), "2", "  then all do");
    db = mine;
    (void)apr_dbd_transaction_start(driver, pool, db, &t);
    is_int(apr_dbd_transaction_mode_set(driver, t, APR_DBD_TRANSACTION_ROLLBACK),
           APR_DBD_TRANSACTION_ROLLBACK, "one that will be rolled back");
    (void)apr_dbd_query(driver, db, &nrows, "DELETE FROM WRITTEN");
    is_int(apr_dbd_transaction_end(driver, pool, t), 0, "  ends");
    ok(int_of(value_of("SELECT COUNT(*) FROM WRITTEN")) > 2, "  and has changed nothing");
    (void)apr_dbd_transaction_mode_set(driver, t, APR_DBD_TRANSACTION_COMMIT);
    (void)apr_dbd_transaction_start(driver, pool, db, &t);
    (void)apr_dbd_query(driver, db, &nrows, "UPDATE WRITTEN SET N = 8 WHERE ID = 1");
    ok(apr_dbd_query(driver, db, &nrows, "UPDATE NOWHERE SET N = 8") > 0,
       "one in which a statement fails");
    ok(apr_dbd_query(driver, db, &nrows, "UPDATE WRITTEN SET N = 8 WHERE ID = 1") > 0,
       "  runs no more");
    is_int(apr_dbd_transaction_end(driver, pool, t), 0, "  and ends");
    is_str(value_of("SELECT COUNT(*) FROM WRITTEN WHERE N = 8"), "0", "  without a change");
    (void)apr_dbd_transaction_mode_set(driver, t, APR_DBD_TRANSACTION_IGNORE_ERRORS);
    (void)apr_dbd_transaction_start(driver, pool, db, &t);
    (void)apr_dbd_query(driver, db, &nrows, "UPDATE NOWHERE SET N = 9");
    is_int(apr_dbd_query(driver, db, &nrows, "UPDATE WRITTEN SET N = 9 WHERE ID = 1"), 0,
           "errors may be ignored");
    (void)apr_dbd_transaction_end(driver, pool, t);
    is_str(value_of("SELECT COUNT(*) FROM WRITTEN WHERE N = 9"), "1", "  and the rest is kept");
    is_int(apr_dbd_transaction_end(driver, pool, second), -1, "one that never began has no end");
    apr_dbd_close(driver, other);
}

static void test_rest(void)
{
    apr_dbd_results_t *res = NULL;
    apr_dbd_row_t *row = NULL;
    const char *quoted = apr_dbd_escape(driver, pool, "it's '' \\", db), *error;
    char name[301];

    is_str(quoted, "it''s '''' \\", "escape doubles quotes");
    is_str(value_of(apr_psprintf(pool, "SELECT '%s' FROM DUAL", quoted)), "it's '' \\",
           "  and nothing else");
    is_int(apr_dbd_check_conn(driver, pool, db), APR_SUCCESS, "the connection answers");
    is_int(apr_dbd_set_dbname(driver, pool, db, "x"), APR_ENOTIMPL, "there is no other database");
    is_str(apr_dbd_name(driver), "oracle", "the driver's name");
    memset(name, 'x', 300);
    name[300] = '\0';
    ok(apr_dbd_select(driver, pool, db, &res,
                      apr_psprintf(pool, "SELECT '%s' + '%s' FROM DUAL", name, name), 0) > 0,
       "a statement that fails");
    error = apr_dbd_error(driver, db, 0);
    ok(!strncmp(error, "ORA-", 4) && error[strlen(error) - 1] != '\n', "  has its text: %.60s",
       error);
    (void)apr_dbd_select(driver, pool, db, &res, "SELECT N FROM ROWS_1000", 0);
    is_int(apr_dbd_get_row(driver, pool, res, &row, -1), 0,
           "a connection that ends before its result");
    is_int(apr_dbd_close(driver, db), APR_SUCCESS, "  ends well");
    ok(apr_dbd_get_row(driver, pool, res, &row, 900) > 0, "  and the result with it");
}

int main(int argc, const char *const *argv)
{
    oracle_begin();
    if (argc > 2) {
        return !strcmp(argv[1], "open") ? tool_open(argv[2])
                                        : tool_fork(argv[2], !strcmp(argv[1], "inherit"));
    }
    db = oracle_open(pool);
    test_select();
    test_rownum();
    test_one_object();
    test_wide();
    test_types();
    test_same_room();
    test_datum();
    test_prepared();
    test_large_arguments();
    test_transactions();
    test_rest();
    apr_pool_destroy(pool);
    return tap_done();
}
