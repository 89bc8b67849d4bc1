/* The PostgreSQL backend on a real server: values, errors, cancel, lost connections, discovery. */
#include "pgsql.h"

#include <apr_thread_proc.h>
#include <arpa/inet.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "aurora/catalog_store.h"
#include "freeze.h"

static const char *ask(aur_conn_t *conn, const char *text)
{
    aur_sql_t sql = sql_text(text);
    return rows_of(conn, &sql);
}

static double seconds_since(apr_time_t start)
{
    return (double)(apr_time_now() - start) / APR_USEC_PER_SEC;
}

/* --- before any connection ---------------------------------------------------------------------- */

static void test_check(void)
{
    static const struct {
        const char *name, *params;
        int good;
    } cases[] = {
        {"keywords", "host=127.0.0.1 dbname=x password=secret", 1},
        {"a URI", "postgresql://u:secret@h:5433,h2/db?sslmode=verify-full", 1},
        {"nothing at all, which leaves it to the environment", "", 1},
        {"no parameters", NULL, 1},
        {"an unknown keyword", "hots=127.0.0.1 password=secret", 0},
        {"a quote that is not closed", "password='secret", 0},
        {"a replication connection", "host=h replication=database", 0},
    };
    int i;

    for (i = 0; i < N(cases); i++) {
        aur_db_settings_t settings = settings_for(cases[i].params);
        apr_status_t rv;
        aur_error_clear(&err);
        rv = aur_db_check(&settings, &err, request);
        ok((rv == APR_SUCCESS) == cases[i].good, "%s: %s", cases[i].name,
           cases[i].good ? "accepted" : "refused");
        ok(!strstr(err.detail, "secret"), "%s: the message tells no secret", cases[i].name);
    }
    request_end();
}

static void test_unreachable(void)
{
    static const char *const names[] = {"a port where nobody listens", "a port that never answers"};
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    int i, fd = socket(AF_INET, SOCK_STREAM, 0);
    aur_db_t *real = db;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
        getsockname(fd, (struct sockaddr *)&address, &len)) {
        ok(0, "a socket of our own");
        return;
    }
    for (i = 0; i < 2; i++) {
        aur_conn_t *conn;
        apr_time_t start = apr_time_now();
        apr_status_t rv;
        if (i == 1) {
            listen(fd, 5);
        }
        db = db_create(apr_psprintf(pool, "host=127.0.0.1 port=%d user=u dbname=d password=secret",
                                    ntohs(address.sin_port)));
        rv = aur_conn_borrow(&conn, db, AUR_USE_PREVIEW, NULL, NULL, &err, request);
        ok(rv == APR_EGENERAL && err.code == AUR_E_DB_UNAVAILABLE && err.retry_after == 5,
           "%s: the database is unavailable", names[i]);
        ok(seconds_since(start) < 3.5, "%s: it is said soon", names[i]);
        ok(*err.native && !strstr(err.native, "secret") && !strstr(err.detail, "127.0.0.1"),
           "%s: the log says why, without a password", names[i]);
        request_end();
    }
    close(fd);
    db = real;
}

/* --- values ------------------------------------------------------------------------------------- */

static const struct {
    const char *expression;
    aur_type_e type;
    aur_cell_e kind;
    const char *text;
} values[] = {
    {"32767::int2", AUR_T_NUMBER, AUR_V_DECIMAL, "32767"},
    {"(-2147483648)::int4", AUR_T_NUMBER, AUR_V_DECIMAL, "-2147483648"},
    {"(-9223372036854775808)::int8", AUR_T_NUMBER, AUR_V_DECIMAL, "-9223372036854775808"},
    {"4294967295::oid", AUR_T_NUMBER, AUR_V_DECIMAL, "4294967295"},
    {"123456789012345678901234567890.1234567890", AUR_T_NUMBER, AUR_V_DECIMAL,
     "123456789012345678901234567890.1234567890"},
    {"(-0.50)::numeric(5,2)", AUR_T_NUMBER, AUR_V_DECIMAL, "-0.50"},
    {"1e-20::numeric", AUR_T_NUMBER, AUR_V_DECIMAL, "0.00000000000000000001"},
    {"1e25::numeric", AUR_T_NUMBER, AUR_V_DECIMAL, "10000000000000000000000000"},
    {"'NaN'::numeric", AUR_T_NUMBER, AUR_V_DECIMAL, "NaN"},
    {"0.1::float8", AUR_T_NUMBER, AUR_V_DECIMAL, "0.1"},
    {"0.1::float4", AUR_T_NUMBER, AUR_V_DECIMAL, "0.1"},
    {"1e300::float8", AUR_T_NUMBER, AUR_V_DOUBLE, "1.0000000000000001e+300"},
    {"5e-324::float8", AUR_T_NUMBER, AUR_V_DOUBLE, "4.9406564584124654e-324"},
    {"'-0'::float8", AUR_T_NUMBER, AUR_V_DOUBLE, "-0"},
    {"'Infinity'::float8", AUR_T_NUMBER, AUR_V_DECIMAL, "Infinity"},
    {"'-Infinity'::float4", AUR_T_NUMBER, AUR_V_DECIMAL, "-Infinity"},
    {"'NaN'::float8", AUR_T_NUMBER, AUR_V_DECIMAL, "NaN"},
    {"true", AUR_T_BOOLEAN, AUR_V_BOOL, "true"},
    {"false", AUR_T_BOOLEAN, AUR_V_BOOL, "false"},
    {"date '2024-02-29'", AUR_T_DATE, AUR_V_DATE, "2024-02-29"},
    {"date '0001-01-01'", AUR_T_DATE, AUR_V_DATE, "0001-01-01"},
    {"date '0001-12-31 BC'", AUR_T_DATE, AUR_V_DATE, "0000-12-31"},
    {"date '0044-03-15 BC'", AUR_T_DATE, AUR_V_DATE, "-0043-03-15"},
    {"date '4713-01-01 BC'", AUR_T_DATE, AUR_V_DATE, "-4712-01-01"},
    {"date '12024-12-31'", AUR_T_DATE, AUR_V_DATE, "12024-12-31"},
    {"date 'infinity'", AUR_T_DATE, AUR_V_TEXT, "infinity"},
    {"timestamp '2024-01-02 03:04:05'", AUR_T_TIMESTAMP, AUR_V_TIMESTAMP, "2024-01-02 03:04:05"},
    {"timestamp '1969-12-31 23:59:59.000001'", AUR_T_TIMESTAMP, AUR_V_TIMESTAMP,
     "1969-12-31 23:59:59.000001"},
    {"timestamp '0044-03-15 12:00:00.5 BC'", AUR_T_TIMESTAMP, AUR_V_TIMESTAMP,
     "-0043-03-15 12:00:00.5"},
    {"timestamp '-infinity'", AUR_T_TIMESTAMP, AUR_V_TEXT, "-infinity"},
    {"timestamptz '2024-07-01 12:00:00+05:30'", AUR_T_TIMESTAMP_TZ, AUR_V_TIMESTAMP_TZ,
     "2024-07-01 06:30:00+00"},
    {"timestamptz '0044-03-15 12:00:00+00 BC'", AUR_T_TIMESTAMP_TZ, AUR_V_TIMESTAMP_TZ,
     "-0043-03-15 12:00:00+00"},
    {"timestamptz 'infinity'", AUR_T_TIMESTAMP_TZ, AUR_V_TEXT, "infinity"},
    {"'\\x00ff7fdeadbeef'::bytea", AUR_T_BINARY, AUR_V_BINARY, "00ff7fdeadbeef"},
    {"''::bytea", AUR_T_BINARY, AUR_V_BINARY, ""},
    {"'a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80'::text", AUR_T_TEXT, AUR_V_TEXT,
     "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
    {"''::text", AUR_T_TEXT, AUR_V_TEXT, ""},
    {"'ab'::char(4)", AUR_T_TEXT, AUR_V_TEXT, "ab  "},
    {"'n'::name", AUR_T_TEXT, AUR_V_TEXT, "n"},
    {"'6ba7b810-9dad-11d1-80b4-00c04fd430c8'::uuid", AUR_T_TEXT, AUR_V_TEXT,
     "6ba7b810-9dad-11d1-80b4-00c04fd430c8"},
    {"'{\"a\": 1}'::json", AUR_T_TEXT, AUR_V_TEXT, "{\"a\": 1}"},
    {"'{\"a\":1}'::jsonb", AUR_T_TEXT, AUR_V_TEXT, "{\"a\": 1}"},
    {"'<a/>'::xml", AUR_T_TEXT, AUR_V_TEXT, "<a/>"},
    {"'10.0.0.0/8'::cidr", AUR_T_TEXT, AUR_V_TEXT, "10.0.0.0/8"},
    {"ARRAY[1,NULL,3]", AUR_T_TEXT, AUR_V_TEXT, "{1,NULL,3}"},
    {"int4range(1,5)", AUR_T_TEXT, AUR_V_TEXT, "[1,5)"},
    {"interval '1 day 02:03:04.5'", AUR_T_TEXT, AUR_V_TEXT, "P1DT2H3M4.5S"},
    {"time '10:11:12'", AUR_T_TEXT, AUR_V_TEXT, "10:11:12"},
    {"12.5::money", AUR_T_TEXT, AUR_V_TEXT, "$12.50"},
    {"point(1,2)", AUR_T_TEXT, AUR_V_TEXT, "(1,2)"},
    {"B'101'", AUR_T_TEXT, AUR_V_TEXT, "101"},
    {"row(1,'x')", AUR_T_TEXT, AUR_V_TEXT, "(1,x)"},
    {"NULL::numeric", AUR_T_NUMBER, AUR_V_NULL, "~"},
    {"NULL::bytea", AUR_T_BINARY, AUR_V_NULL, "~"},
    {"NULL::date", AUR_T_DATE, AUR_V_NULL, "~"},
    {"NULL", AUR_T_TEXT, AUR_V_NULL, "~"},
};

/* All of them as the columns of one row, so that memory that is used again for the next cell would show. */
static void test_values(void)
{
    const char *text = "SELECT ";
    aur_conn_t *conn = borrow();
    const aur_result_column_t *columns;
    const aur_cell_t *cells;
    aur_cursor_t *cursor;
    aur_sql_t sql;
    int i, n = 0, row;

    for (i = 0; i < N(values); i++) {
        text = apr_pstrcat(request, text, i ? ", " : "", values[i].expression, NULL);
    }
    sql = sql_text(apr_pstrcat(request, text, " FROM generate_series(1, 2)", NULL));
    if (!ok(aur_cursor_open(&cursor, conn, &sql, &err, request) == APR_SUCCESS, "open")) {
        printf("# %s\n", err.native);
        return;
    }
    columns = aur_cursor_columns(cursor, &n);
    is_int(n, N(values), "as many columns as asked for");
    for (row = 0; row < 2; row++) {
        ok(aur_cursor_next(&cells, cursor, &err) == APR_SUCCESS, "row %d", row + 1);
        for (i = 0; i < N(values); i++) {
            const char *name = apr_psprintf(request, "row %d: %s", row + 1, values[i].expression);
            ok(columns[i].type == values[i].type && cells[i].kind == values[i].kind, "%s: its kind",
               name);
            is_str(cell_text(&cells[i]), values[i].text, name);
        }
    }
    ok(aur_cursor_next(&cells, cursor, &err) == APR_EOF, "then the end");
    ok(aur_cursor_next(&cells, cursor, &err) == APR_EOF, "and the end again");
    request_end();
}

#define TEXT(kind, type, text)                                                                     \
    {                                                                                              \
        {kind, sizeof(text) - 1, {.s = text}}, type                                                \
    }

static void test_binds(void)
{
    static const struct {
        const char *name, *text, *want;
        aur_bind_t bind;
    } cases[] = {
        {"the least integer",
         "$1::bigint",
         "-9223372036854775808",
         {{AUR_V_INT, 0, {.i = APR_INT64_MIN}}, AUR_T_NUMBER}},
        {"a long decimal", "$1::numeric", "-123456789012345678901234567890.10",
         TEXT(AUR_V_DECIMAL, AUR_T_NUMBER, "-123456789012345678901234567890.10")},
        {"a text with everything", "$1::text", "a'\"\\%_$1;--\n\t\xc3\xa4",
         TEXT(AUR_V_TEXT, AUR_T_TEXT, "a'\"\\%_$1;--\n\t\xc3\xa4")},
        {"an empty text is not NULL", "$1::text IS NULL", "false",
         TEXT(AUR_V_TEXT, AUR_T_TEXT, "")},
        {"NULL", "$1::text IS NULL", "true", {{AUR_V_NULL, 0, {.s = NULL}}, AUR_T_TEXT}},
        {"true", "$1::boolean", "true", {{AUR_V_BOOL, 0, {.i = 1}}, AUR_T_BOOLEAN}},
        {"false", "$1::boolean", "false", {{AUR_V_BOOL, 0, {.i = 0}}, AUR_T_BOOLEAN}},
        {"a date", "$1::date", "2024-02-29", TEXT(AUR_V_DATE, AUR_T_DATE, "2024-02-29")},
        {"a date before Christ", "$1::date", "-0043-03-15",
         TEXT(AUR_V_DATE, AUR_T_DATE, "-0043-03-15")},
        {"the year 0", "$1::date = date '0001-03-15 BC'", "true",
         TEXT(AUR_V_DATE, AUR_T_DATE, "0000-03-15")},
        {"a far date", "$1::date", "123456-01-31", TEXT(AUR_V_DATE, AUR_T_DATE, "123456-01-31")},
        {"a timestamp", "$1::timestamp", "2024-01-02 03:04:05.000001",
         TEXT(AUR_V_TIMESTAMP, AUR_T_TIMESTAMP, "2024-01-02 03:04:05.000001")},
        {"a timestamp for a column with zone is UTC", "$1::timestamptz", "2024-01-02 03:04:05+00",
         TEXT(AUR_V_TIMESTAMP, AUR_T_TIMESTAMP_TZ, "2024-01-02 03:04:05")},
        {"a timestamp before Christ", "$1::timestamp", "-0999-12-31 23:59:59",
         TEXT(AUR_V_TIMESTAMP, AUR_T_TIMESTAMP, "-0999-12-31 23:59:59")},
        {"a number where a column is text", "$1::text", "12", TEXT(AUR_V_TEXT, AUR_T_TEXT, "12")},
        {"a date that PostgreSQL does not know", "$1::date", "error: BAD_VALUE 22008",
         TEXT(AUR_V_DATE, AUR_T_DATE, "-9999-01-01")},
        {"a timestamp that it does not know", "$1::timestamp", "error: BAD_VALUE 22008",
         TEXT(AUR_V_TIMESTAMP, AUR_T_TIMESTAMP, "999999-01-01 00:00:00")},
        {"a text that is not UTF-8", "$1::text", "error: BAD_VALUE 22021",
         TEXT(AUR_V_TEXT, AUR_T_TEXT, "a\xff")},
        {"a text with a NUL", "$1::text", "error: BAD_VALUE ",
         TEXT(AUR_V_TEXT, AUR_T_TEXT, "a\0b")},
    };
    aur_conn_t *conn = borrow();
    int i;

    for (i = 0; i < N(cases); i++) {
        aur_sql_t sql = sql_text(apr_pstrcat(request, "SELECT ", cases[i].text, NULL));
        sql.nbinds = 1;
        sql.binds = &cases[i].bind;
        aur_error_clear(&err);
        is_str(rows_of(conn, &sql), cases[i].want, cases[i].name);
    }
    is_str(ask(conn, "SELECT 1"), "1", "and the connection is as good as before");
    request_end();
}

/* As many values as a request may have. */
static void test_many_binds(void)
{
    enum { MANY = 10000 };
    aur_bind_t *binds = apr_pcalloc(request, MANY * sizeof(*binds));
    char *text = apr_palloc(request, MANY * 16 + 64), *at = text;
    aur_sql_t sql;
    int i;

    at += sprintf(at, "SELECT count(*) FROM generate_series(1, 20000) AS n WHERE n IN (");
    for (i = 0; i < MANY; i++) {
        at += sprintf(at, "%s$%d::bigint", i ? "," : "", i + 1);
        binds[i].type = AUR_T_NUMBER;
        binds[i].cell.kind = AUR_V_INT;
        binds[i].cell.v.i = i;
    }
    strcpy(at, ")");
    sql = sql_text(text);
    sql.nbinds = MANY;
    sql.binds = binds;
    is_str(rows_of(borrow(), &sql), "9999", "10000 values in one statement");
    request_end();
}

/* --- the session -------------------------------------------------------------------------------- */

static void test_session(void)
{
    static const struct {
        const char *setting, *want;
    } cases[] = {
        {"transaction_read_only", "on"},
        {"default_transaction_read_only", "on"},
        {"transaction_isolation", "repeatable read"},
        {"TimeZone", "UTC"},
        {"DateStyle", "ISO, YMD"},
        {"client_encoding", "UTF8"},
        {"application_name", "aurora:ann:c-1"},
        {"standard_conforming_strings", "on"},
        {"bytea_output", "hex"},
    };
    aur_conn_t *conn = borrow();
    apr_int64_t before, after;
    aur_sql_t count = sql_text("SELECT count(*) FROM small");
    int i;

    for (i = 0; i < N(cases); i++) {
        is_str(ask(conn, apr_psprintf(request, "SELECT current_setting('%s')", cases[i].setting)),
               cases[i].want, cases[i].setting);
    }
    is_str(ask(conn, "WITH x AS (INSERT INTO small VALUES (9) RETURNING a) SELECT * FROM x"),
           "error: DATABASE_ERROR 25006", "nothing can be written");
    is_str(ask(conn, "SELECT count(*) FROM small"), "3", "the same connection then reads");
    ok(aur_db_number(&before, conn, &count, &err, request) == APR_SUCCESS, "a number");
    admin_do("INSERT INTO small VALUES (4)");
    ok(aur_db_number(&after, conn, &count, &err, request) == APR_SUCCESS && before == after,
       "what others write meanwhile is not seen");
    request_end();
    conn = borrow();
    is_str(ask(conn, "SELECT count(*) FROM small"), "4", "the next borrower sees it");
    admin_do("DELETE FROM small WHERE a = 4");
    request_end();

    ok(aur_conn_borrow(
           &conn, db, AUR_USE_PREVIEW, "\xc3\xa4nne with a very long name, longer than fits",
           "0123456789abcdef-0123456789abcdef-01-and-more", &err, request) == APR_SUCCESS,
       "a user with an odd name");
    is_str(ask(conn, "SELECT current_setting('application_name')"),
           "aurora:??nne with a very l:0123456789abcdef-0123456789abcdef-01",
           "is shown in ASCII and cut where the server would cut");
    request_end();
    ok(aur_conn_borrow(&conn, db, AUR_USE_INTERNAL, NULL, NULL, &err, request) == APR_SUCCESS,
       "no user at all");
    is_str(ask(conn, "SELECT current_setting('application_name')"), "aurora",
           "leaves the plain name");
    request_end();
    sessions_are("idle", "one connection did it all, and no transaction is left open");
}

/* --- errors -------------------------------------------------------------------------------------- */

static void test_errors(void)
{
    static const struct {
        const char *name, *prepare, *text, *want;
    } cases[] = {
        {"a table that is gone", "DROP TABLE IF EXISTS gone", "SELECT * FROM gone",
         "error: DATABASE_ERROR 42P01"},
        {"a column that is gone", "ALTER TABLE changing RENAME b TO b2", "SELECT b FROM changing",
         "error: DATABASE_ERROR 42703"},
        {"a grant that is gone", "REVOKE SELECT ON changing FROM aurora", "SELECT a FROM changing",
         "error: DATABASE_ERROR 42501"},
        {"a syntax error", "SELECT 1", "SELECT FROM WHERE", "error: DATABASE_ERROR 42601"},
        {"a division by zero half-way", "SELECT 1",
         "SELECT 1/(5000-n) FROM generate_series(1, 10000) AS n", "error: DATABASE_ERROR 22012"},
        {"a bad value in the database's own view", "SELECT 1", "SELECT a FROM bad_view",
         "error: DATABASE_ERROR 22P02"},
        {"the role's own time limit", "ALTER ROLE aurora SET statement_timeout = '200ms'",
         "SELECT 1", "1"},
        {"no rows, but a command", "SELECT 1", "SHOW no_such_setting",
         "error: DATABASE_ERROR 42704"},
        {"a command", "SELECT 1", "SET work_mem = '1MB'", "error: DATABASE_ERROR "},
        {"two statements", "SELECT 1", "SELECT 1; SELECT 2", "error: DATABASE_ERROR 42601"},
        {"a COPY", "SELECT 1", "COPY small TO STDOUT", "error: DATABASE_ERROR "},
    };
    int i;

    for (i = 0; i < N(cases); i++) {
        aur_conn_t *conn;
        const char *got;
        admin_do(cases[i].prepare);
        conn = borrow();
        got = ask(conn, cases[i].text);
        is_str(got, cases[i].want, cases[i].name);
        /* libpq has no way out of a COPY in a pipeline */
        if (strncmp(cases[i].text, "COPY", 4)) {
            ok(!err.connection_lost, "%s: the connection is kept", cases[i].name);
            aur_error_clear(&err);
            is_str(ask(conn, "SELECT 7"), "7", "and goes on with another statement");
        }
        request_end();
        is_str(ask(borrow(), "SELECT 8"), "8", "and the next borrower's");
        request_end();
    }
    admin_do("ALTER ROLE aurora SET statement_timeout = '200ms'");
    admin_do(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'aurora'");
    is_str(ask(borrow(), "SELECT pg_sleep(5)"), "error: QUERY_TIMEOUT 57014",
           "a statement over the role's limit");
    ok(!err.connection_lost, "which costs no connection");
    request_end();
    admin_do("ALTER ROLE aurora RESET statement_timeout");
    admin_do(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'aurora'");
    is_str(ask(borrow(), "SELECT 9"), "9", "a connection ended while idle is replaced unseen");
    request_end();
}

static void test_changed_type(void)
{
    static const aur_result_column_t columns[] = {{"a", "a", NULL, AUR_T_NUMBER}};
    aur_sql_t sql = sql_text("SELECT a FROM retyped");
    aur_sql_t two = sql_text("SELECT a, a FROM retyped");

    sql.ncolumns = two.ncolumns = 1;
    sql.columns = two.columns = columns;
    is_str(rows_of(borrow(), &sql), "1", "a column is a number");
    request_end();
    admin_do("ALTER TABLE retyped ALTER a TYPE text USING 'one'");
    is_str(rows_of(borrow(), &sql), "one", "and a text the next time: the value decides");
    request_end();
    is_str(rows_of(borrow(), &two), "error: INTERNAL_ERROR ",
           "another number of columns than the statement's is refused");
    request_end();
    is_str(ask(borrow(), "SELECT 1"), "1", "with a usable connection");
    request_end();
}

/* --- cancel and close ----------------------------------------------------------------------------- */

static void *APR_THREAD_FUNC cancel_soon(apr_thread_t *thread, void *data)
{
    apr_sleep(apr_time_from_msec(200));
    aur_conn_cancel(data);
    return NULL;
}

static void test_cancel(void)
{
    static const struct {
        const char *name, *text;
    } cases[] = {
        {"a statement that thinks", "SELECT pg_sleep(30)"},
        {"a statement that works",
         "SELECT count(*) FROM (SELECT generate_series(1, 2000000000)) s"},
        {"a statement that sends",
         "SELECT repeat('x', 1000) FROM (SELECT generate_series(1, 2000000000)) s"},
    };
    int i;

    for (i = 0; i < N(cases); i++) {
        aur_conn_t *conn = borrow();
        aur_sql_t sql = sql_text(cases[i].text);
        apr_time_t start = apr_time_now();
        const aur_cell_t *cells;
        aur_cursor_t *cursor;
        apr_thread_t *thread;
        apr_status_t rv, rv2;
        apr_thread_create(&thread, NULL, cancel_soon, conn, pool);
        rv = aur_cursor_open(&cursor, conn, &sql, &err, request);
        while (rv == APR_SUCCESS) {
            rv = aur_cursor_next(&cells, cursor, &err);
        }
        ok(rv == APR_EGENERAL && err.code == AUR_E_QUERY_TIMEOUT, "%s stops with QUERY_TIMEOUT",
           cases[i].name);
        ok(seconds_since(start) < 1.5, "%s: at once", cases[i].name);
        apr_thread_join(&rv2, thread);
        request_end();
        sessions_are("idle", "nothing runs on in the server");
        is_str(ask(borrow(), "SELECT 1"), "1", "and the connection is usable");
        request_end();
    }
}

static void test_close(void)
{
    aur_conn_t *conn = borrow();
    aur_sql_t sql =
        sql_text("SELECT n, repeat('x', 500) FROM (SELECT generate_series(1, 100000000) AS n) s");
    const char *pid = apr_pstrdup(pool, ask(conn, "SELECT pg_backend_pid()"));
    apr_time_t start = apr_time_now();
    const aur_cell_t *cells;
    aur_cursor_t *cursor;

    ok(aur_cursor_open(&cursor, conn, &sql, &err, request) == APR_SUCCESS &&
           aur_cursor_next(&cells, cursor, &err) == APR_SUCCESS,
       "one row of very many");
    aur_cursor_close(cursor);
    if (!ok(seconds_since(start) < 1, "the rest is not waited for")) {
        printf("# %.3f s\n", seconds_since(start));
    }
    is_str(ask(conn, "SELECT 5"), "5", "the connection goes on");
    is_str(ask(conn, "SELECT pg_backend_pid()"), pid, "it is the same one");
    request_end();

    conn = borrow();
    start = apr_time_now();
    ok(aur_cursor_open(&cursor, conn, &sql, &err, request) == APR_SUCCESS, "and unread");
    request_end();
    ok(seconds_since(start) < 1, "given back in the middle: nothing is waited for either");
    is_str(ask(borrow(), "SELECT 6"), "6", "and the next borrower has a good one");
    request_end();
    sessions_are("idle", "nothing runs on in the server");
}

/* --- lost ------------------------------------------------------------------------------------------- */

static void test_lost(void)
{
    aur_conn_t *conn = borrow();
    aur_sql_t sql =
        sql_text("SELECT n, repeat('x', 100) FROM (SELECT generate_series(1, 100000000) AS n) s");
    const char *pid = apr_pstrdup(pool, ask(conn, "SELECT pg_backend_pid()"));
    const aur_cell_t *cells;
    aur_cursor_t *cursor;
    apr_status_t rv = aur_cursor_open(&cursor, conn, &sql, &err, request);
    int rows = 0;

    while (rv == APR_SUCCESS) {
        rv = aur_cursor_next(&cells, cursor, &err);
        if (++rows == 100) {
            admin_dof("SELECT pg_terminate_backend(%s)", pid);
        }
    }
    ok(rv == APR_EGENERAL && err.code == AUR_E_DB_UNAVAILABLE && err.connection_lost,
       "a connection that ends in the middle of rows is lost, not at its end");
    ok(rows > 100, "after some more rows that were on their way");
    request_end();
    conn = borrow();
    ok(strcmp(ask(conn, "SELECT pg_backend_pid()"), pid) != 0, "the next borrower has another one");
    request_end();
    sessions_are("idle", "and none is left over");
}

/* --- a server that stands still ----------------------------------------------------------------------- */

/* The one that takes connections, cancels among them. */
static const char *postmaster(void)
{
    return admin_do("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)");
}

static void test_close_frozen(void)
{
    aur_conn_t *conn = borrow();
    aur_sql_t sql =
        sql_text("SELECT n, repeat('x', 500) FROM (SELECT generate_series(1, 100000000) AS n) s");
    const aur_cell_t *cells;
    aur_cursor_t *cursor;
    apr_time_t start;
    freeze_t freeze;

    ok(aur_cursor_open(&cursor, conn, &sql, &err, request) == APR_SUCCESS &&
           aur_cursor_next(&cells, cursor, &err) == APR_SUCCESS,
       "a result that nobody reads to its end");
    freeze_begin(&freeze, 1, postmaster());
    start = aur_clock();
    request_end();
    soon(start, "a server that takes no cancel holds nobody up who gives a connection back");
    freeze_end(&freeze);
    is_str(ask(borrow(), "SELECT 7"), "7", "and the next borrower has a good one");
    request_end();
    sessions_are("idle", "nothing runs on in the server");
}

/* A session that has been set up and idles; waited for. */
static const char *idle_pid(void)
{
    const char *pid = "";
    int i;

    for (i = 0; i < 500 && !*pid; i++) {
        apr_sleep(apr_time_from_msec(10));
        pid = admin_do("SELECT coalesce(max(pid)::text, '') FROM pg_stat_activity "
                       "WHERE application_name = 'aurora' AND state = 'idle'");
    }
    return pid;
}

static int loads(aur_catalog_store_t *store)
{
    const aur_catalog_t *catalog;
    apr_time_t start = aur_clock();
    apr_status_t rv;

    do {
        rv = aur_catalog_store_get(&catalog, store, apr_time_from_sec(1), &err, request);
    } while (rv != APR_SUCCESS && aur_clock() - start < apr_time_from_sec(2 * THAW_AFTER));
    return rv == APR_SUCCESS;
}

/* In a child of its own, with one session that is there before the catalogue asks for one. */
static void test_load_frozen(int all, const char *name)
{
    aur_db_settings_t settings = settings_for(getenv("AURORA_PG"));
    aur_catalog_store_t *store;
    apr_pool_t *pchild;
    aur_db_t *own;
    apr_time_t start;
    freeze_t freeze;
    const char *pid, *head = postmaster();

    settings.pool_min = 1;
    apr_pool_create(&pchild, pool);
    if (aur_db_child_create(&own, &settings, NULL, NULL, pchild) != APR_SUCCESS) {
        printf("Bail out! no pool of connections\n");
        exit(1);
    }
    pid = idle_pid();
    freeze_begin(&freeze, all ? 2 : 1, pid, head);
    start = aur_clock();
    ok(aur_catalog_store_create(&store, own, NULL, 0, all ? 0 : apr_time_from_msec(300), NULL, NULL,
                                pchild) == APR_SUCCESS,
       "%s: a load is asked for", name);
    if (!all) {
        ok(loads(store), "%s: there is a catalogue", name);
        soon(start, "while the first session is still silent");
    }
    apr_sleep(apr_time_from_msec(200)); /* the statement is on its way */
    start = aur_clock();
    request_end();
    apr_pool_destroy(pchild);
    soon(start, "the child's end waits for nothing");
    freeze_end(&freeze);
    request_end();
    sessions_are("", "no session is left over");
}

/* --- the wall clock is set ---------------------------------------------------------------------------- */

static apr_int64_t set_back; /* atomic; microseconds */

/* In the place of APR's. */
apr_time_t apr_time_now(void)
{
    struct timeval now;

    gettimeofday(&now, NULL);
    return apr_time_from_sec((apr_time_t)now.tv_sec) + now.tv_usec -
           __atomic_load_n(&set_back, __ATOMIC_SEQ_CST);
}

static void *APR_THREAD_FUNC set_clock_soon(apr_thread_t *thread, void *data)
{
    apr_sleep(apr_time_from_msec(500));
    __atomic_store_n(&set_back, apr_time_from_sec(3600), __ATOMIC_SEQ_CST);
    return NULL;
}

/* What lay idle for long is asked whether it still answers. */
static void test_clock(void)
{
    const char *pid = apr_pstrdup(pool, ask(borrow(), "SELECT pg_backend_pid()")), *other;
    apr_thread_t *thread;
    apr_time_t start;
    apr_status_t rv;
    freeze_t freeze;

    request_end();
    apr_sleep(apr_time_from_msec(3200));
    freeze_begin(&freeze, 1, pid);
    apr_thread_create(&thread, NULL, set_clock_soon, NULL, pool);
    start = aur_clock();
    borrow(); /* its patience may be over with that of the question */
    soon(start, "a clock that is set back prolongs no wait for a silent session");
    request_end();
    other = ask(borrow(), "SELECT pg_backend_pid()");
    ok(strcmp(other, pid) != 0 && atoi(other) > 0, "which is replaced");
    apr_thread_join(&rv, thread);
    __atomic_store_n(&set_back, 0, __ATOMIC_SEQ_CST);
    request_end();
    freeze_end(&freeze);
    sessions_are("idle", "and is no more, once it can be");
}

/* --- much ------------------------------------------------------------------------------------------- */

static long peak_kib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

static void test_much(void)
{
    aur_conn_t *conn = borrow();
    aur_sql_t many =
        sql_text("SELECT n, md5(n::text), n * 1.5 FROM generate_series(1, 500000) AS n");
    aur_sql_t wide =
        sql_text("SELECT repeat('\xc3\xa4', 524288), decode(repeat('ab', n * 10000), 'hex') "
                 "FROM generate_series(1, 100) AS n");
    const aur_cell_t *cells;
    aur_cursor_t *cursor;
    long before = peak_kib();
    int n = 0, good = 1;

    ok(aur_cursor_open(&cursor, conn, &many, &err, request) == APR_SUCCESS, "500,000 rows");
    while (aur_cursor_next(&cells, cursor, &err) == APR_SUCCESS) {
        n++;
    }
    aur_cursor_close(cursor);
    is_int(n, 500000, "all of them come");
    ok(peak_kib() - before < 8192 || getenv("AURORA_ASAN"), "in flat memory");

    ok(aur_cursor_open(&cursor, conn, &wide, &err, request) == APR_SUCCESS, "texts of 1 MiB");
    for (n = 0; aur_cursor_next(&cells, cursor, &err) == APR_SUCCESS; n++) {
        good = good && cells[0].len == 1048576 && cells[1].kind == AUR_V_BINARY &&
               cells[1].len == (apr_size_t)(n + 1) * 10000 &&
               (unsigned char)cells[1].v.s[cells[1].len - 1] == 0xab;
    }
    ok(n == 100 && good, "each whole");
    request_end();
}

/* Pages are read whole, unless they are too large for that; either way the rows are the same. */
static void test_pages(void)
{
    static const struct {
        const char *name, *text;
        int rows, bytes;
    } cases[] = {
        {"no row", "SELECT 'x' WHERE false", 0, 0},
        {"a narrow page", "SELECT repeat('x', 100) FROM generate_series(1, 500)", 500, 100},
        {"a page of just under a mebibyte", "SELECT repeat('x', 2000) FROM generate_series(1, 500)",
         500, 2000},
        {"a page of 50 MB", "SELECT repeat('x', 100000) FROM generate_series(1, 500)", 500, 100000},
    };
    int i, round, n;

    for (i = 0; i < N(cases); i++) {
        for (round = 0; round < 4; round++) { /* as text, prepared, and again */
            aur_conn_t *conn = borrow();
            aur_sql_t sql = sql_text(cases[i].text);
            const aur_cell_t *cells;
            aur_cursor_t *cursor;
            apr_status_t rv;
            int good = 1;
            sql.rows_max = 500;
            rv = aur_cursor_open(&cursor, conn, &sql, &err, request);
            for (n = 0; rv == APR_SUCCESS; n++) {
                rv = aur_cursor_next(&cells, cursor, &err);
                good = good && (rv != APR_SUCCESS || cells[0].len == (apr_size_t)cases[i].bytes);
            }
            if (!ok(rv == APR_EOF && good && n == cases[i].rows + 1, "%s, round %d", cases[i].name,
                    round + 1)) {
                printf("# %d rows, %s %s\n", n, err.detail, err.native);
            }
            request_end();
        }
    }
    is_str(admin_do("SELECT count(*) FROM pg_stat_activity WHERE usename = 'aurora'"), "1",
           "all on one connection");
}

/* A prepared statement whose table changes, or that somebody else has dropped, is sent anew. */
static void test_prepared(void)
{
    int i;

    admin_do("CREATE TABLE moving AS SELECT 1 AS a");
    for (i = 0; i < 3; i++) {
        is_str(ask(borrow(), "SELECT * FROM moving"), "1", "asked again");
        request_end();
    }
    admin_do("ALTER TABLE moving ADD b text DEFAULT 'new'");
    for (i = 0; i < 3; i++) {
        is_str(ask(borrow(), "SELECT * FROM moving"), "1|new", "after the table has changed");
        request_end();
    }
    is_str(ask(borrow(), "DEALLOCATE ALL"), "error: DATABASE_ERROR ", "all are dropped");
    request_end();
    for (i = 0; i < 3; i++) {
        is_str(ask(borrow(), "SELECT * FROM moving"), "1|new", "after that");
        request_end();
    }
    for (i = 0; i < 200; i++) { /* more than a connection remembers, each twice */
        const char *want = apr_psprintf(pool, "%d", i / 2);
        if (strcmp(ask(borrow(), apr_psprintf(request, "SELECT %d", i / 2)), want)) {
            break;
        }
        request_end();
    }
    is_int(i, 200, "many statements");
    i = atoi(ask(borrow(), "SELECT count(*) FROM pg_prepared_statements"));
    ok(i <= 32, "%d of them are kept", i);
    request_end();
    admin_do("DROP TABLE moving");
}

/* --- discovery and estimates ------------------------------------------------------------------------ */

static const char *dataset_text(const aur_dataset_t *set)
{
    const char *text =
        apr_psprintf(request, "%s.%s%s:", set->schema, set->table, set->is_view ? " view" : "");
    int i;

    for (i = 0; i < set->ncolumns; i++) {
        const aur_column_t *c = &set->columns[i];
        text =
            apr_psprintf(request, "%s %s=%s/%s%s%s", text, c->name, c->data_type,
                         aur_type_name(c->type), c->nullable ? "?" : "", c->comparable ? "" : "!");
    }
    return text;
}

static void test_discover(void)
{
    static const char *const want[] = {
        "Mixed.Case Table: Id=integer/number? order=text/text?",
        "public.bad_view view: a=integer/number?",
        "public.big: n=integer/number?",
        "public.by_column: a=integer/number?",
        "public.kinds: id=bigint/number n=numeric(12,2)/number? f=double precision/number? "
        "c=character varying(40)/text? p=character(5)/text? u=uuid/text? j=json/text?! "
        "jb=jsonb/text? "
        "b=bytea/binary?! d=date/date? ts=timestamp without time zone/timestamp? "
        "tz=timestamp with time zone/timestamp? ok=boolean/boolean? a=integer[]/text? "
        "va=character varying(3)[]/text? e=mood/text? dom=numeric(8,3)/number? pt=point/text?! "
        "r=int4range/text? iv=interval/text?",
        "public.mat view: a=integer/number?",
        "public.parted: k=integer/number? v=text/text?",
        "public.retyped: a=text/text?",
        "public.small: a=integer/number?",
        "public.small_view view: a=integer/number?",
    };
    aur_catalog_builder_t *builder = aur_catalog_builder_create(request);
    const char *const *warnings;
    aur_catalog_t *catalog;
    aur_conn_t *conn = borrow();
    int i;

    if (!ok(aur_db_discover(builder, conn, &err, request) == APR_SUCCESS, "discovery")) {
        printf("# %s\n", err.native);
        return;
    }
    catalog = aur_catalog_build(builder, NULL, &warnings);
    is_int(aur_catalog_count(catalog), N(want), "as many datasets as may be read");
    for (i = 0; i < N(want) && i < aur_catalog_count(catalog); i++) {
        const char *found = NULL;
        int k;
        for (k = 0; k < aur_catalog_count(catalog); k++) {
            const char *text = dataset_text(aur_catalog_get(catalog, k));
            apr_size_t stem = strcspn(want[i], ":") + 1;
            if (!strncmp(text, want[i], stem)) {
                found = text;
            }
        }
        is_str(found, want[i], want[i]);
    }
    is_int(aur_catalog_find(catalog, "big", request)->row_estimate, 20000, "an estimate");
    is_int(aur_catalog_find(catalog, "parted", request)->row_estimate, 3000,
           "of a partitioned table: its partitions' sum");
    is_int(aur_catalog_find(catalog, "small_view", request)->row_estimate, -1, "none of a view");
    ok(aur_catalog_find(catalog, "CASE TABLE", request) != NULL, "names match in any case");
    is_str(ask(conn, "SELECT 1"), "1", "the connection goes on");
    request_end();
}

static void test_schemas(void)
{
    static const char *const only[] = {"MIXED", NULL};
    aur_db_settings_t settings = settings_for(getenv("AURORA_PG"));
    aur_catalog_builder_t *builder = aur_catalog_builder_create(request);
    const char *const *warnings;
    aur_catalog_t *catalog;
    aur_conn_t *conn;
    aur_db_t *made;

    settings.schemas = only;
    ok(aur_db_child_create(&made, &settings, NULL, NULL, pool) == APR_SUCCESS &&
           aur_conn_borrow(&conn, made, AUR_USE_INTERNAL, NULL, NULL, &err, request) ==
               APR_SUCCESS &&
           aur_db_discover(builder, conn, &err, request) == APR_SUCCESS,
       "discovery in one schema");
    catalog = aur_catalog_build(builder, NULL, &warnings);
    ok(aur_catalog_count(catalog) == 1 && !strcmp(aur_catalog_get(catalog, 0)->schema, "Mixed"),
       "whose name is matched without regard to case");
    request_end();
}

static void test_explain(void)
{
    static const aur_bind_t bind = {{AUR_V_INT, 0, {.i = 100}}, AUR_T_NUMBER};
    aur_conn_t *conn = borrow();
    aur_sql_t all = sql_text("SELECT n FROM big"),
              some = sql_text("SELECT n FROM big WHERE n <= $1::bigint");
    aur_sql_t bad = sql_text("SELECT nonsense FROM big");
    apr_int64_t rows = -1;

    some.nbinds = 1;
    some.binds = &bind;
    ok(aur_db_explain(&rows, conn, &all, &err, request) == APR_SUCCESS && rows == 20000,
       "the planner's figure for a whole table");
    ok(aur_db_explain(&rows, conn, &some, &err, request) == APR_SUCCESS && rows > 20 && rows < 500,
       "it knows the values");
    ok(aur_db_explain(&rows, conn, &bad, &err, request) == APR_EGENERAL &&
           err.code == AUR_E_DATABASE_ERROR && !strncmp(err.native, "42703", 5),
       "an error is an error");
    is_str(ask(conn, "SELECT 1"), "1", "the connection goes on");
    request_end();
}

static const char fixture[] =
    "CREATE TABLE small (a int); INSERT INTO small VALUES (1), (2), (3);"
    "CREATE TABLE changing (a int, b int); CREATE TABLE retyped (a int); INSERT INTO retyped "
    "VALUES (1);"
    "CREATE VIEW bad_view AS SELECT 'x'::text::int AS a FROM small;"
    "CREATE VIEW small_view AS SELECT a FROM small;"
    "CREATE TABLE big AS SELECT n FROM generate_series(1, 20000) AS n; ANALYZE big;"
    "CREATE MATERIALIZED VIEW mat AS SELECT a FROM small;"
    "CREATE TABLE parted (k int, v text) PARTITION BY RANGE (k);"
    "CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (1000);"
    "CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (1000) TO (9000);"
    "INSERT INTO parted SELECT n, 'v' FROM generate_series(0, 2999) AS n;"
    "ANALYZE parted_1; ANALYZE parted_2;"
    "CREATE TYPE mood AS ENUM ('glad', 'sad'); CREATE DOMAIN amount AS numeric(8,3);"
    "CREATE DOMAIN amount2 AS amount;"
    "CREATE TABLE kinds (id bigint PRIMARY KEY, n numeric(12,2), f float8, c varchar(40), p "
    "char(5), u uuid,"
    " j json, jb jsonb, b bytea, d date, ts timestamp, tz timestamptz, ok boolean, a int[], va "
    "varchar(3)[],"
    " e mood, dom amount2, pt point, r int4range, iv interval);"
    "CREATE TABLE secret (a int); REVOKE ALL ON secret FROM aurora;"
    "CREATE TABLE by_column (a int, b int); REVOKE ALL ON by_column FROM aurora;"
    "GRANT SELECT (a) ON by_column TO aurora;"
    "CREATE SCHEMA \"Mixed\"; CREATE TABLE \"Mixed\".\"Case Table\" (\"Id\" int, \"order\" text);";

int main(void)
{
    if (!pgsql_begin()) {
        return 0;
    }
    admin_fresh(fixture);
    test_load_frozen(0, "a session falls silent");
    test_load_frozen(1, "the whole server does");
    db = db_create(getenv("AURORA_PG"));
    test_check();
    test_unreachable();
    test_values();
    test_binds();
    test_many_binds();
    test_session();
    test_errors();
    test_changed_type();
    test_cancel();
    test_close();
    test_close_frozen();
    test_clock();
    test_lost();
    test_much();
    test_pages();
    test_prepared();
    test_discover();
    test_schemas();
    test_explain();
    return pgsql_end();
}
