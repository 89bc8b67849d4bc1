/* The generic backend on a real MariaDB through apr_dbd's mysql driver: values, streaming, errors, cancel,
 * lost connections, discovery; and through its odbc driver, where that is there. */
#include "dbd.h"

#include <apr_thread_proc.h>
#include <unistd.h>

#include "freeze.h"

#define MB (1024 * 1024)

static aur_sql_t sql_text(const char *text)
{
    aur_sql_t sql = {.text = text, .len = strlen(text)};
    return sql;
}

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
        const char *name, *driver, *params, *says;
    } cases[] = {
        {"a connection", "mysql", "host=h,user=u,pass=secret", NULL},
        {"no parameters", "mysql", NULL, "AuroraDBParams is empty"},
        {"empty parameters", "mysql", "", "AuroraDBParams is empty"},
        {"a driver that is not there", "nonesuch", "x=secret", "nonesuch cannot be loaded"},
    };
    int i;

    for (i = 0; i < N(cases); i++) {
        aur_db_settings_t settings = settings_for(cases[i].driver, cases[i].params);
        apr_status_t rv = aur_db_check(&settings, &err, request);
        ok(cases[i].says ? rv == APR_EGENERAL && strstr(err.detail, cases[i].says)
                         : rv == APR_SUCCESS,
           "%s: %s", cases[i].name, cases[i].says ? "refused with the reason" : "accepted");
        ok(!strstr(err.detail, "secret"), "%s: the message tells no secret", cases[i].name);
        request_end();
    }
}

static void test_unreachable(void)
{
    aur_db_t *real = db;
    aur_conn_t *conn;
    apr_status_t rv;

    db = db_create("mysql", "host=127.0.0.1,port=1,user=u,pass=secret,dbname=d");
    rv = aur_conn_borrow(&conn, db, AUR_USE_PREVIEW, NULL, NULL, &err, request);
    ok(rv == APR_EGENERAL && err.code == AUR_E_DB_UNAVAILABLE && err.retry_after == 5,
       "nobody listens: the database is unavailable");
    ok(*err.native && !strstr(err.native, "secret") && !strstr(err.detail, "127.0.0.1"),
       "the log says why, without a password");
    db = real;
    request_end();
}

/* --- values --------------------------------------------------------------------------------------- */

static const struct {
    const char *name, *expression;
    aur_type_e type;
    const char *text;
    aur_cell_e kind;
} values[] = {
    {"NULL", "NULL", AUR_T_TEXT, "~", AUR_V_NULL},
    {"an empty text", "''", AUR_T_TEXT, "", AUR_V_TEXT},
    {"NULL, a number", "NULL", AUR_T_NUMBER, "~", AUR_V_NULL},
    {"every script", "'\xd0\x96\xe4\xb8\xad\xf0\x9f\x98\x80'", AUR_T_TEXT,
     "\xd0\x96\xe4\xb8\xad\xf0\x9f\x98\x80", AUR_V_TEXT},
    {"bytes", "x'00ff0a00'", AUR_T_BINARY, "00ff0a00", AUR_V_BINARY},
    {"no bytes", "x''", AUR_T_BINARY, "", AUR_V_BINARY},
    {"NULL bytes", "NULL", AUR_T_BINARY, "~", AUR_V_NULL},
    {"18 digits", "123456789012345678", AUR_T_NUMBER, "123456789012345678", AUR_V_DECIMAL},
    {"unsigned", "18446744073709551615", AUR_T_NUMBER, "18446744073709551615", AUR_V_DECIMAL},
    {"65 digits", "-99999999999999999999999999999999999.999999999999999999999999999999",
     AUR_T_NUMBER, "-99999999999999999999999999999999999.999999999999999999999999999999",
     AUR_V_DECIMAL},
    {"trailing zeros", "1.500", AUR_T_NUMBER, "1.500", AUR_V_DECIMAL},
    {"below one", "-0.5", AUR_T_NUMBER, "-0.5", AUR_V_DECIMAL},
    {"leading zeros", "'00042'", AUR_T_NUMBER, "42", AUR_V_DECIMAL},
    {"no zero before the point", "'-.5'", AUR_T_NUMBER, "-0.5", AUR_V_DECIMAL},
    {"minus zero", "-0e0", AUR_T_NUMBER, "0", AUR_V_DECIMAL},
    {"a huge double", "1.7976931348623157e308", AUR_T_NUMBER, "1.7976931348623157e+308",
     AUR_V_DOUBLE},
    {"a tiny double", "5e-324", AUR_T_NUMBER, "4.9406564584124654e-324", AUR_V_DOUBLE},
    {"no number", "'twelve'", AUR_T_NUMBER, "twelve", AUR_V_TEXT},
    {"an empty number", "''", AUR_T_NUMBER, "", AUR_V_TEXT},
    {"a date", "DATE'0001-01-01'", AUR_T_DATE, "0001-01-01", AUR_V_DATE},
    {"the zero date", "CAST('0000-00-00' AS DATE)", AUR_T_DATE, "0000-00-00", AUR_V_TEXT},
    {"a date of no day", "'2024-02-30'", AUR_T_DATE, "2024-02-30", AUR_V_TEXT},
    {"a timestamp", "TIMESTAMP'9999-12-31 23:59:59.999999'", AUR_T_TIMESTAMP,
     "9999-12-31 23:59:59.999999", AUR_V_TIMESTAMP},
    {"no more of a second than counts", "TIMESTAMP'2024-01-01 00:00:00.500000'", AUR_T_TIMESTAMP,
     "2024-01-01 00:00:00.5", AUR_V_TIMESTAMP},
    {"nothing of a second", "TIMESTAMP'2024-01-01 00:00:10.000000'", AUR_T_TIMESTAMP,
     "2024-01-01 00:00:10", AUR_V_TIMESTAMP},
    {"the zero timestamp", "'0000-00-00 00:00:00'", AUR_T_TIMESTAMP_TZ, "0000-00-00 00:00:00",
     AUR_V_TEXT},
    {"an instant", "'2024-07-01 10:00:00'", AUR_T_TIMESTAMP_TZ, "2024-07-01 10:00:00+00",
     AUR_V_TIMESTAMP_TZ},
    {"true", "TRUE", AUR_T_BOOLEAN, "true", AUR_V_BOOL},
    {"false", "FALSE", AUR_T_BOOLEAN, "false", AUR_V_BOOL},
    {"neither", "-7", AUR_T_BOOLEAN, "-7", AUR_V_DECIMAL},
};

static void test_values(void)
{
    aur_result_column_t column = {.name = "v", .display = "v"};
    int i;

    for (i = 0; i < N(values); i++) {
        aur_conn_t *conn = borrow();
        aur_sql_t sql = sql_text(apr_pstrcat(request, "SELECT ", values[i].expression, NULL));
        aur_cursor_t *cursor;
        const aur_cell_t *cells;
        column.type = values[i].type;
        sql.ncolumns = 1;
        sql.columns = &column;
        if (!conn || aur_cursor_open(&cursor, conn, &sql, &err, request) != APR_SUCCESS ||
            aur_cursor_next(&cells, cursor, &err) != APR_SUCCESS) {
            ok(0, "%s: %s (%s)", values[i].name, err.detail, err.native);
        }
        else {
            is_str(cell_text(&cells[0]), values[i].text, values[i].name);
            is_int(cells[0].kind, values[i].kind,
                   apr_psprintf(request, "%s: kind", values[i].name));
        }
        request_end();
    }
}

static void test_binds(void)
{
    static const char zeros[] = "a\0b";
    aur_bind_t binds[] = {
        {{.kind = AUR_V_INT, .v.i = APR_INT64_MIN}, AUR_T_NUMBER},
        {{.kind = AUR_V_DECIMAL, .v.s = "12345678901234567890123456789.5", .len = 31},
         AUR_T_NUMBER},
        {{.kind = AUR_V_TEXT,
          .v.s = "%s ? ' \\ \xf0\x9f\x98\x80"
                 "cut here",
          .len = 13},
         AUR_T_TEXT},
        {{.kind = AUR_V_BOOL, .v.i = 1}, AUR_T_BOOLEAN},
        {{.kind = AUR_V_NULL}, AUR_T_TEXT},
        {{.kind = AUR_V_TEXT, .v.s = "", .len = 0}, AUR_T_TEXT},
    };
    aur_conn_t *conn = borrow();
    aur_cursor_t *cursor = NULL;
    const aur_cell_t *cells;
    aur_sql_t sql = sql_text("SELECT %s, %s, %s, %s, %s, %s, '100%%'");

    sql.nbinds = N(binds);
    sql.binds = binds;
    is_str(
        rows_of(conn, &sql),
        "-9223372036854775808|12345678901234567890123456789.5|%s ? ' \\ \xf0\x9f\x98\x80|1|~||100%",
        "every kind of value arrives as it is");
    request_end();

    conn = borrow();
    sql = sql_text("SELECT concat('a', char(0), 'b')");
    ok(conn && aur_cursor_open(&cursor, conn, &sql, &err, request) == APR_SUCCESS &&
           aur_cursor_next(&cells, cursor, &err) == APR_SUCCESS && cells[0].len == 3 &&
           !memcmp(cells[0].v.s, zeros, 3),
       "a text keeps what stands behind a NUL");
    request_end();
}

static void test_long(void)
{
    static const char *const sizes[] = {"1048575", "1048576", "5000000"};
    aur_cursor_t *cursor = NULL;
    const aur_cell_t *cells;
    int i;

    for (i = 0; i < N(sizes); i++) {
        aur_conn_t *conn = borrow();
        aur_sql_t sql =
            sql_text(apr_psprintf(request, "SELECT concat(repeat('\xc3\xa4', %s), '|')", sizes[i]));
        apr_size_t want = 2 * (apr_size_t)atoi(sizes[i]) + 1;
        ok(conn && aur_cursor_open(&cursor, conn, &sql, &err, request) == APR_SUCCESS &&
               aur_cursor_next(&cells, cursor, &err) == APR_SUCCESS && cells[0].len == want &&
               cells[0].v.s[want - 1] == '|',
           "a text of %s letters comes whole", sizes[i]);
        request_end();
    }
}

/* --- streaming ------------------------------------------------------------------------------------ */

static long resident_kb(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (f && fscanf(f, "%*s %ld", &pages) != 1) {
        pages = 0;
    }
    if (f) {
        fclose(f);
    }
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Reads all rows. @return how many; -1: an error, which err has */
static long read_all(aur_conn_t *conn, const char *text)
{
    aur_sql_t *sql =
        apr_pmemdup(request, &(aur_sql_t){.text = text, .len = strlen(text)}, sizeof(*sql));
    aur_cursor_t *cursor = NULL;
    const aur_cell_t *cells;
    apr_status_t rv = aur_cursor_open(&cursor, conn, sql, &err, request);
    long rows = 0;

    while (rv == APR_SUCCESS && (rv = aur_cursor_next(&cells, cursor, &err)) == APR_SUCCESS) {
        rows++;
    }
    return rv == APR_EOF ? rows : -1;
}

static void test_streaming(void)
{
    aur_conn_t *conn = borrow();
    long before;

    is_int(read_all(conn, "SELECT seq, repeat('x', 100) FROM seq_1_to_1000"), 1000, "1,000 rows");
    before = resident_kb();
    is_int(read_all(conn, "SELECT seq, repeat('x', 100) FROM seq_1_to_300000"), 300000,
           "300,000 rows");
    if (!ok(resident_kb() - before < 2048, "take no more memory")) {
        printf("# %ld kB more\n", resident_kb() - before);
    }
    request_end();
}

/* 30 million rows: whoever has to read them all is seen. */
static void test_early_close(void)
{
    aur_conn_t *conn = borrow();
    aur_sql_t sql = sql_text("SELECT seq FROM seq_1_to_30000000");
    aur_cursor_t *cursor = NULL;
    const aur_cell_t *cells;
    apr_time_t start = apr_time_now();

    ok(conn && aur_cursor_open(&cursor, conn, &sql, &err, request) == APR_SUCCESS &&
           aur_cursor_next(&cells, cursor, &err) == APR_SUCCESS,
       "a long result begins");
    is_str(ask(conn, "SELECT 1"), "error: INTERNAL_ERROR", "no second one beside it");
    aur_cursor_close(cursor);
    ok(seconds_since(start) < 2, "closed before its end, it is stopped in the database");
    is_str(ask(conn, "SELECT 2"), "2", "and the connection is of use");
    request_end();
    is_str(ask(borrow(), "SELECT 3"), "3", "also to the next one");
    request_end();
}

/* --- errors --------------------------------------------------------------------------------------- */

static void test_errors(void)
{
    static const struct {
        const char *name, *before, *text, *rows, *native, *detail;
    } cases[] = {
        {"a table that has gone", NULL, "SELECT * FROM nowhere", "error: DATABASE_ERROR",
         "mysql 1146", "has changed"},
        {"a column that has gone", NULL, "SELECT nothing FROM plain", "error: DATABASE_ERROR",
         "mysql 1054", "has changed"},
        {"a right that was never given", NULL, "SELECT * FROM mysql.user", "error: DATABASE_ERROR",
         "mysql 1142", "does not let"},
        {"wrong SQL", NULL, "SELEC 1", "error: DATABASE_ERROR", "mysql 1064", "refused"},
        {"a limit of the server", "SET GLOBAL max_statement_time = 0.2", "SELECT sleep(5)",
         "error: QUERY_TIMEOUT", "mysql 1969", "stopped"},
        {"an error among the rows", "SET GLOBAL max_statement_time = 0",
         "SELECT (SELECT s.seq FROM seq_1_to_2 s WHERE p.seq > 5000 OR s.seq = 1) FROM "
         "seq_1_to_9000 p",
         "error: DATABASE_ERROR", "mysql 1242", "refused"},
        {"a write", NULL, "DELETE FROM plain", "error: DATABASE_ERROR", "mysql 1142",
         "does not let"},
    };
    int i;

    for (i = 0; i < N(cases); i++) {
        aur_conn_t *conn;
        if (cases[i].before) {
            admin_do(cases[i].before);
            db = db_create("mysql",
                           getenv("AURORA_MY")); /* global settings are those of new sessions */
        }
        conn = borrow();
        is_str(ask(conn, cases[i].text), cases[i].rows, cases[i].name);
        if (!ok(strstr(err.native, cases[i].native) && strstr(err.detail, cases[i].detail),
                "%s: what the log and the client learn", cases[i].name)) {
            printf("# %s (%s)\n", err.detail, err.native);
        }
        ok(!err.connection_lost, "%s: the connection is not lost", cases[i].name);
        is_str(ask(conn, "SELECT 1"), "1", "and of use");
        request_end();
    }
}

/* Who may write may not through this. */
static void test_read_only(void)
{
    aur_db_t *real = db;

    db = db_create("mysql", getenv("AURORA_MY_ADMIN"));
    is_str(ask(borrow(), "DELETE FROM plain"), "error: DATABASE_ERROR", "a write is refused");
    ok(strstr(err.native, "1792") != NULL, "because the transaction is read-only");
    request_end();
    is_str(ask(borrow(), "SELECT @@tx_isolation, @@time_zone, @@character_set_client, @@sql_mode"),
           "REPEATABLE-READ|+00:00|utf8mb4|", "the session is set up");
    request_end();
    db = real;
}

static void test_snapshot(void)
{
    aur_conn_t *conn = borrow();

    admin_do("INSERT INTO plain VALUES (100, 'new')");
    is_str(ask(conn, "SELECT count(*) FROM plain"), "2",
           "rows written after the borrow are not seen");
    request_end();
    is_str(ask(borrow(), "SELECT count(*) FROM plain"), "3", "the next borrower sees them");
    request_end();
}

/* --- cancel --------------------------------------------------------------------------------------- */

typedef struct {
    aur_conn_t *conn;
    const char *by_id; /* not NULL: the administrator does it */
    int done;
} canceller_t;

static void *APR_THREAD_FUNC cancel_soon(apr_thread_t *thread, void *data)
{
    canceller_t *c = data;

    apr_sleep(apr_time_from_msec(200));
    aur_conn_cancel(c->conn);
    __atomic_store_n(&c->done, 1, __ATOMIC_RELEASE);
    return NULL;
}

static void cancel_one(const char *name, const char *text)
{
    aur_conn_t *conn = borrow();
    canceller_t c = {.conn = conn};
    apr_thread_t *thread;
    apr_status_t rv;
    apr_time_t start = apr_time_now();

    apr_thread_create(&thread, NULL, cancel_soon, &c, request);
    is_int(read_all(conn, text), -1, apr_psprintf(request, "%s does not come to its end", name));
    ok(err.code == AUR_E_QUERY_TIMEOUT, "%s: it was stopped", name);
    ok(seconds_since(start) < 1.5, "%s: soon", name);
    apr_thread_join(&rv, thread);
    is_str(ask(conn, "SELECT 1"), "error: QUERY_TIMEOUT", "what the borrower asks now fails too");
    request_end();
    is_str(ask(borrow(), "SELECT 1"), "1", "the next borrower is not met by it");
    request_end();
}

static void test_cancel(void)
{
    aur_conn_t *conn;
    int i;

    cancel_one("a statement without rows yet", "SELECT sleep(20)");
    cancel_one("a statement among its rows", "SELECT seq, repeat('x', 500) FROM seq_1_to_30000000");
    for (i = 0; i < 5; i++) {
        canceller_t c = {.conn = borrow()};
        apr_thread_t *thread;
        apr_status_t rv;
        apr_thread_create(&thread, NULL, cancel_soon, &c, request);
        apr_thread_join(&rv, thread);
        request_end();
        conn = borrow();
        is_str(ask(conn, "SELECT count(*) FROM seq_1_to_100000"), "100000",
               "a cancel between two statements meets no later one");
        request_end();
    }
}

static const char *const killed_text = "SELECT seq, repeat('x', 1000) FROM seq_1_to_30000000";

/* From outside, among the rows: an end that looks like the last row would be a short file. */
static void test_killed(const char *command, aur_code_e code, const char *name)
{
    aur_conn_t *conn = borrow();
    const char *id = ask(conn, "SELECT CONNECTION_ID()");
    aur_sql_t sql = sql_text(killed_text);
    aur_cursor_t *cursor = NULL;
    const aur_cell_t *cells;
    apr_status_t rv = aur_cursor_open(&cursor, conn, &sql, &err, request);
    int i;

    for (i = 0; i < 10 && rv == APR_SUCCESS; i++) {
        rv = aur_cursor_next(&cells, cursor, &err);
    }
    admin_dof("%s %s", command, id);
    while (rv == APR_SUCCESS) {
        rv = aur_cursor_next(&cells, cursor, &err);
    }
    if (!ok(rv == APR_EGENERAL && err.code == code, "%s is an error, not the end of the rows",
            name)) {
        printf("# %d %s (%s)\n", rv, err.detail, err.native);
    }
    ok(err.connection_lost == (code == AUR_E_DB_UNAVAILABLE), "%s: is the connection lost?", name);
    request_end();
    is_str(ask(borrow(), "SELECT 1"), "1", "the next borrower has a connection");
    request_end();
}

/* An idle connection that was ended is replaced unseen, and never by the client library itself, which would
 * know nothing of the session's set-up. */
static void test_idle(void)
{
    const char *id = ask(borrow(), "SELECT CONNECTION_ID()"), *now;

    admin_dof("KILL %s", id);
    id = apr_pstrdup(pool, id);
    request_end();
    now = ask(borrow(), "SELECT CONNECTION_ID()");
    ok(*now >= '0' && *now <= '9' && strcmp(now, id),
       "an idle connection that was ended is replaced");
    is_str(ask(borrow(), "SELECT @@time_zone"), "+00:00", "by one that is set up");
    request_end();
}

/* --- a server that stands still ----------------------------------------------------------------------- */

static aur_watch_t *watch;

static aur_task_t *watched(void)
{
    aur_task_limits_t limits = {.query_timeout = apr_time_from_msec(300)};
    aur_task_client_t client = {0};

    return aur_task_enter(watch, &limits, &client, request);
}

/* On a connection that has been used before. */
static aur_conn_t *borrow_watched(void)
{
    aur_conn_t *conn = NULL;
    aur_task_t *task;

    ask(borrow(), "SELECT 1");
    request_end();
    task = watched();
    return aur_conn_borrow_for(&conn, db, AUR_USE_PREVIEW, NULL, NULL, task, &err, request) ==
                   APR_SUCCESS
               ? conn
               : NULL;
}

static pid_t server_pid(void)
{
    FILE *f = fopen(admin_ask("SELECT @@pid_file"), "r");
    long pid = 0;

    if (!f || fscanf(f, "%ld", &pid) != 1) {
        printf("Bail out! where is the server?\n");
        exit(1);
    }
    fclose(f);
    return (pid_t)pid;
}

static void thaw(freeze_t *freeze)
{
    freeze_end(freeze);
    request_end();
    is_str(ask(borrow(), "SELECT 1"), "1", "the next borrower has a good one");
    request_end();
}

static void test_frozen(void)
{
    const char *pid = apr_psprintf(pool, "%d", (int)server_pid());
    aur_sql_t sql = sql_text("SELECT seq FROM seq_1_to_30000000");
    aur_cursor_t *cursor = NULL;
    const aur_cell_t *cells;
    aur_conn_t *conn;
    apr_time_t start;
    freeze_t freeze;
    apr_status_t rv;
    int i;

    conn = borrow_watched();
    freeze_begin(&freeze, 1, pid);
    start = aur_clock();
    ok(!strncmp(ask(conn, "SELECT 1"), "error: ", 7), "a server that stands still");
    soon(start, "a statement is not waited for any longer than it may take");
    request_end();
    soon(start, "nor is the end of its transaction");
    thaw(&freeze);

    conn = borrow_watched();
    ask(conn, "SELECT 1");
    freeze_begin(&freeze, 1, pid);
    start = aur_clock();
    request_end();
    soon(start, "a transaction that has nothing else to do ends in time");
    thaw(&freeze);

    ask(borrow(), "SELECT 1");
    request_end();
    freeze_begin(&freeze, 1, pid);
    start = aur_clock();
    rv = aur_conn_borrow_for(&conn, db, AUR_USE_PREVIEW, NULL, NULL, watched(), &err, request);
    ok(rv != APR_SUCCESS, "nor does a transaction begin");
    soon(start, "which is told in time");
    thaw(&freeze);

    conn = borrow_watched();
    ok(conn && aur_cursor_open(&cursor, conn, &sql, &err, request) == APR_SUCCESS,
       "a long result begins");
    rv = APR_SUCCESS;
    for (i = 0; i < 1000 && rv == APR_SUCCESS; i++) {
        rv = aur_cursor_next(&cells, cursor, &err);
    }
    freeze_begin(&freeze, 1, pid);
    start = aur_clock();
    aur_cursor_close(cursor);
    soon(start, "a server that takes no KILL holds nobody up who has read enough");
    request_end();
    soon(start, "nor who gives the connection back");
    thaw(&freeze);
}

/* --- discovery ------------------------------------------------------------------------------------ */

static void describe(const aur_dataset_t *d, const char **text)
{
    int i;

    for (i = 0; d && i < d->ncolumns; i++) {
        const aur_column_t *c = &d->columns[i];
        *text = apr_psprintf(request, "%s%s %s %s%s%s\n", *text, c->name, c->data_type,
                             aur_type_name(c->type), c->nullable ? " null" : "",
                             c->comparable ? "" : " opaque");
    }
}

static void test_discovery(void)
{
    const aur_catalog_t *catalog = discovered(request);
    const aur_dataset_t *d;
    const char *text = "";

    describe(aur_catalog_find(catalog, "kinds", request), &text);
    is_str(text,
           "i int(10) unsigned number\n"
           "t tinyint(4) number null\n"
           "b tinyint(1) boolean null\n"
           "b1 bit(1) boolean null\n"
           "b8 bit(8) number null\n"
           "n decimal(65,30) number null\n"
           "f float number null\n"
           "d double number null\n"
           "y year(4) number null\n"
           "c char(3) COLLATE utf8mb4_bin text null\n"
           "v varchar(9) COLLATE latin1_swedish_ci text null\n"
           "l longtext COLLATE utf8mb4_general_ci text null\n"
           "j longtext COLLATE utf8mb4_bin text null\n"
           "e enum('a COLLATE b','x') COLLATE utf8mb4_general_ci text null\n"
           "u uuid text null\n"
           "dd date date null\n"
           "dt datetime(6) timestamp null\n"
           "ts timestamp timestamp null\n"
           "tm time text null\n"
           "bl blob binary null opaque\n"
           "vb varbinary(9) binary null opaque\n"
           "g point binary null opaque\n",
           "every type");
    d = aur_catalog_find(catalog, "kinds", request);
    ok(d && d->columns[17].type == AUR_T_TIMESTAMP_TZ, "a timestamp is an instant");
    d = aur_catalog_find(catalog, "plain", request);
    ok(d && d->row_estimate >= 0 && !d->is_view && !strcmp(d->schema, "aurora"), "a table");
    d = aur_catalog_find(catalog, "shown", request);
    ok(d && d->row_estimate == -1 && d->is_view && d->ncolumns == 1, "a view");
    ok(!aur_catalog_find(catalog, "COLUMNS", request) &&
           !aur_catalog_find(catalog, "proc", request),
       "nothing of the server's own");
    ok(!aur_catalog_find(catalog, "other.hidden", request), "nothing that may not be read");
    d = aur_catalog_find(catalog, "other.half", request);
    ok(d && d->ncolumns == 1 && !strcmp(d->columns[0].name, "seen"),
       "of a table that may be read in part, that part");
    request_end();
}

static void test_schemas(void)
{
    static const char *const schemas[] = {"other", "no ' such % \"`", NULL};
    aur_db_settings_t settings = settings_for("mysql", getenv("AURORA_MY"));
    aur_db_t *real = db;
    const aur_catalog_t *catalog;

    settings.schemas = schemas;
    if (aur_db_child_create(&db, &settings, NULL, NULL, pool) == APR_SUCCESS) {
        catalog = discovered(request);
        ok(aur_catalog_count(catalog) == 1 && aur_catalog_find(catalog, "half", request),
           "only the schemas that are asked for");
    }
    db = real;
    request_end();
}

/* --- odbc ----------------------------------------------------------------------------------------- */

static void test_odbc(void)
{
    static const struct {
        const char *name, *body, *rows;
    } cases[] = {
        {"rows",
         "{\"dataset\":\"plain\",\"sorting\":[{\"column\":\"id\",\"direction\":\"DESC\"}],"
         "\"limit\":2,\"offset\":1}",
         "2|two;1|one"},
        {"a number",
         "{\"dataset\":\"plain\",\"columns\":[\"name\"],\"filters\":{\"logic\":\"AND\","
         "\"conditions\":[{\"column\":\"id\",\"operator\":\"in\",\"value\":[1,\"100.0\"]}]},"
         "\"sorting\":[{\"column\":\"name\",\"direction\":\"ASC\"}]}",
         "new;one"},
        {"a text",
         "{\"dataset\":\"plain\",\"columns\":[\"id\"],\"filters\":{\"logic\":\"AND\","
         "\"conditions\":[{\"column\":\"name\",\"operator\":\"contains\",\"value\":\"w\"},{"
         "\"column\":\"name\",\"operator\":\"not_contains\",\"value\":\"%\"}]},"
         "\"sorting\":[{\"column\":\"id\",\"direction\":\"ASC\"}]}",
         "2;100"},
        {"NULLs and empty texts",
         "{\"dataset\":\"odd\",\"columns\":[\"id\",\"t\",\"l\"],\"sorting\":[{"
         "\"column\":\"t\",\"direction\":\"ASC\"}],\"limit\":3}",
         "2||;3|a|~;1|~|x"},
        {"bytes",
         "{\"dataset\":\"odd\",\"columns\":[\"b\"],\"sorting\":[{\"column\":\"id\","
         "\"direction\":\"ASC\"}],\"limit\":3}",
         "00ff00;~;61"},
    };
    const char *params = getenv("AURORA_ODBC");
    aur_db_t *real = db;
    const aur_catalog_t *catalog;
    aur_conn_t *conn;
    int i;

    if (!params) {
        ok(1, "odbc # SKIP AURORA_ODBC is not set");
        return;
    }
    db = db_create("odbc", params);
    catalog = discovered(pool);
    request_end();
    for (i = 0; i < N(cases); i++) {
        aur_plan_t *plan = plan_of(catalog, cases[i].body);
        aur_sql_t *sql = NULL;
        conn = borrow();
        if (plan) {
            aur_sql_build(&sql, aur_db_dialect(db), plan, AUR_SQL_PAGE, &err, request);
        }
        is_str(sql ? rows_of(conn, sql) : failure(), cases[i].rows,
               apr_psprintf(request, "odbc: %s", cases[i].name));
        if (err.code) {
            printf("# %s (%s) %s\n", err.detail, err.native, sql ? sql->text : "");
        }
        request_end();
    }
    conn = borrow();
    is_str(ask(conn, "SELECT * FROM nowhere"), "error: DATABASE_ERROR", "odbc: a missing table");
    ok(strstr(err.detail, "has changed") != NULL, "odbc: what the client learns");
    is_str(ask(conn, "SELECT count(*) FROM plain"), "3", "odbc: the connection is of use");
    request_end();
    conn = borrow();
    is_int((long)strlen(ask(conn, "SELECT concat(repeat('x', 200000), '|') FROM plain LIMIT 1")),
           200001, "odbc: a long text comes whole, or not at all");
    request_end();
    db = real;
}

static const char *const schema[] = {
    "CREATE TABLE plain (id int NOT NULL PRIMARY KEY, name varchar(20))",
    "INSERT INTO plain VALUES (1, 'one'), (2, 'two')",
    "CREATE TABLE odd (id int NOT NULL, t varchar(20), l longtext, b blob)",
    "CREATE VIEW shown AS SELECT name FROM plain",
    ("CREATE TABLE kinds (i int(10) unsigned NOT NULL, t tinyint(4), b boolean, b1 bit(1), b8 "
     "bit(8), "
     "n decimal(65,30), f float, d double, y year, c char(3) COLLATE utf8mb4_bin, v varchar(9) "
     "CHARACTER "
     "SET latin1, l longtext, j json, e enum('a COLLATE b','x'), u uuid, dd date, dt datetime(6), "
     "ts timestamp NULL, tm time, bl blob, vb varbinary(9), g point)"),
    "CREATE DATABASE other",
    "CREATE TABLE other.hidden (a int)",
    "CREATE TABLE other.half (seen int, secret int)",
    "GRANT SELECT (seen) ON other.half TO aurora@'127.0.0.1'",
};

int main(void)
{
    int i;

    if (!dbd_begin()) {
        return 0;
    }
    for (i = 0; i < N(schema); i++) {
        admin_do(schema[i]);
    }
    admin_do(
        "INSERT INTO odd VALUES (1, NULL, 'x', x'00ff00'), (2, '', '', NULL), (3, 'a', NULL, 'a')");
    db = db_create("mysql", getenv("AURORA_MY"));
    test_check();
    test_unreachable();
    test_values();
    test_binds();
    test_long();
    test_streaming();
    test_early_close();
    test_discovery();
    test_schemas();
    test_errors();
    test_read_only();
    test_snapshot();
    test_cancel();
    test_killed("KILL QUERY", AUR_E_QUERY_TIMEOUT, "KILL QUERY");
    test_killed("KILL CONNECTION", AUR_E_DB_UNAVAILABLE, "KILL CONNECTION");
    test_idle();
    if (aur_watch_create(&watch, pool) != APR_SUCCESS) {
        printf("Bail out! no watch\n");
        return 1;
    }
    test_frozen();
    test_odbc();
    return dbd_end();
}
