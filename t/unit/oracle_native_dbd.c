/* The Oracle driver's native interface: columns, values, large objects in pieces, binds, breaks, time limits, lost
 * sessions. AURORA_ORACLE_KILL is a command that ends all sessions. With an argument: what servers of 23 have besides. */
#include "oracle.h"

#include <apr_atomic.h>
#include <unistd.h>

static const apr_dbd_oracle_t *native;
static const apr_dbd_oracle_calls_t *calls;

#define SLOW "SELECT COUNT(*) FROM ROWS_1000 A, ROWS_1000 B, ROWS_1000 C WHERE A.N + B.N + C.N > 5"

static apr_dbd_oracle_stmt_t *begin_with(const char *sql, const apr_dbd_oracle_value_t *binds,
                                         int nbinds, int rows)
{
    apr_dbd_oracle_stmt_t *st = NULL;

    if (calls->open(&st, db, sql, strlen(sql), binds, nbinds, rows, pool) != 0) {
        printf("# %s: %s\n", sql, calls->error(db)->message);
        return NULL;
    }
    return st;
}

static apr_dbd_oracle_stmt_t *begin(const char *sql)
{
    return begin_with(sql, NULL, 0, 0);
}

/* The class of the error that running it to its end gives; 0: none. */
static int outcome(const char *sql)
{
    const apr_dbd_oracle_value_t *v;
    apr_dbd_oracle_stmt_t *st = NULL;
    int rv = calls->open(&st, db, sql, strlen(sql), NULL, 0, 0, pool);

    if (rv) {
        return (int)calls->error(db)->what;
    }
    while ((rv = calls->next(&v, st)) == 0) {
        ;
    }
    calls->close(st);
    return rv < 0 ? 0 : (int)calls->error(db)->what;
}

static int works(void)
{
    const char *got = value_of("SELECT 40 + 2 AS N FROM DUAL");

    return got && !strcmp(got, "42");
}

/* --- columns and values --------------------------------------------------------------------------------------- */

static void test_columns(void)
{
    static const struct {
        const char *name;
        apr_dbd_oracle_kind_e kind;
        int precision, scale;
        const char *text; /* NULL: not compared as text */
    } want[] = {
        {"ID", APR_DBD_ORACLE_NUMBER, 9, 0, "1"},
        {"NUM", APR_DBD_ORACLE_NUMBER, 38, 6, "-12345678901234567890.123456"},
        {"HALF", APR_DBD_ORACLE_NUMBER, 3, 2, "0.5"},
        {"DBL", APR_DBD_ORACLE_DOUBLE, 0, 0, NULL},
        {"VC", APR_DBD_ORACLE_TEXT, 0, 0, "h\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"FIXED", APR_DBD_ORACLE_TEXT, 0, 0, "ab   "},
        {"BORN", APR_DBD_ORACLE_DATE, 0, 0, "2024-02-29 13:30:05"},
        {"STAMP", APR_DBD_ORACLE_TIMESTAMP, 0, 0, "2024-02-29 13:30:05.123456"},
        {"STAMPTZ", APR_DBD_ORACLE_TIMESTAMP_TZ, 0, 0, "2024-02-29 13:30:05.5+00:00"},
        {"SPAN", APR_DBD_ORACLE_TEXT, 0, 0, "+01 02:03:04.5"},
        {"BIGTEXT", APR_DBD_ORACLE_CLOB, 0, 0, NULL},
        {"BIN", APR_DBD_ORACLE_BLOB, 0, 0, NULL},
    };
    enum { N = sizeof(want) / sizeof(want[0]) };
    apr_dbd_oracle_stmt_t *st =
        begin("SELECT ID, NUM, HALF, DBL, VC, FIXED, BORN, STAMP, STAMPTZ, SPAN, BIGTEXT, BIN "
              "FROM KINDS ORDER BY ID");
    const apr_dbd_oracle_value_t *v = NULL;
    const apr_dbd_oracle_column_t *c;
    int i, n = 0;

    if (!ok(st, "a query")) {
        return;
    }
    c = calls->columns(st, &n);
    is_int(n, N, "its columns");
    is_int(calls->next(&v, st), 0, "its first row");
    for (i = 0; i < N; i++) {
        is_str(c[i].name, want[i].name, want[i].name);
        is_int(c[i].kind, want[i].kind, "  its kind");
        is_int(v[i].kind, want[i].kind, "  and its value's");
        if (want[i].kind == APR_DBD_ORACLE_NUMBER) {
            is_int(c[i].precision, want[i].precision, "  precision");
            is_int(c[i].scale, want[i].scale, "  scale");
        }
        if (want[i].text) {
            is_mem(v[i].v.s,
                   i == 9 && v[i].len > 14 ? 14 : v[i].len, /* digits of a fraction may follow */
                   want[i].text, "  text");
        }
    }
    ok(v[3].v.d == 0.1, "a double is one");
    is_int(c[10].size, 0, "a large object has no size");
    is_int(calls->next(&v, st), 0, "the second row");
    for (i = 1; i < N; i++) {
        ok(v[i].kind == APR_DBD_ORACLE_NULL, "%s is NULL there", want[i].name);
    }
    is_int(calls->next(&v, st), -1, "there is no third");
    is_int(calls->next(&v, st), -1, "  still");
    calls->close(st);
}

static void test_arrays(void)
{
    static const int sizes[] = {1, 7, 1000, 10000};
    const apr_dbd_oracle_value_t *v;
    size_t i;

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        apr_dbd_oracle_stmt_t *st =
            begin_with("SELECT N, TXT FROM ROWS_1000 ORDER BY N", NULL, 0, sizes[i]);
        int n = 0, good = 1;
        while (st && calls->next(&v, st) == 0) {
            char want[32];
            n++;
            (void)apr_snprintf(want, sizeof(want), "text %d", n);
            good &= v[1].len == strlen(want) && !memcmp(v[1].v.s, want, v[1].len);
        }
        ok(good && n == 1000, "1000 rows in arrays of %d", sizes[i]);
        calls->close(st);
    }
}

/* The whole of a large object in pieces of `room` bytes; NULL where a piece cuts a character. */
static char *lob_whole(apr_dbd_oracle_stmt_t *st, int column, apr_size_t room, apr_size_t *total,
                       apr_pool_t *p)
{
    char *all = apr_palloc(p, 700000);
    int rv;

    for (*total = 0;;) {
        apr_size_t len = room;
        rv = calls->lob_read(st, column, all + *total, &len);
        if (rv || !len) {
            break;
        }
        if (len > room || (column == 0 && (all[*total] & 0xc0) == 0x80)) {
            return NULL;
        }
        *total += len;
    }
    return rv ? NULL : all;
}

static void test_lobs(void)
{
    static const apr_size_t rooms[] = {16, 17, 18, 19, 1000, 65536};
    const apr_dbd_oracle_value_t *v;
    apr_size_t i, len, n, j;
    apr_pool_t *p;

    apr_pool_create(&p, pool);
    for (i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
        apr_dbd_oracle_stmt_t *st =
            begin(rooms[i] < 1000 ? "SELECT SHORTTEXT, BIN FROM KINDS WHERE ID = 1"
                                  : "SELECT BIGTEXT, BIN FROM KINDS WHERE ID = 1");
        apr_size_t want = rooms[i] < 1000 ? 6000 : 600000;
        int good = 1;
        char *s;

        if (!ok(st && calls->next(&v, st) == 0, "large objects in pieces of %d", (int)rooms[i])) {
            continue;
        }
        s = lob_whole(st, 0, rooms[i], &len, p);
        for (j = 0; s && j < len; j += 6) {
            good &= !memcmp(s + j, "\xc3\xa4\xf0\x9f\x98\x80", 6);
        }
        ok(s && len == want && good, "  the text is whole, and so is each character");
        n = 16;
        is_int(calls->lob_read(st, 0, s, &n), 0, "  behind its end");
        is_int((long long)n, 0, "    there is nothing");
        s = rooms[i] < 1000 ? NULL : lob_whole(st, 1, rooms[i], &len, p);
        ok(rooms[i] < 1000 || (s && len == 50003 && !memcmp(s, "\0\xff\1", 3)), "  bytes");
        calls->close(st);
        apr_pool_clear(p);
    }
    {
        apr_dbd_oracle_stmt_t *st = begin("SELECT BIGTEXT, ID FROM KINDS WHERE ID = 2");
        char buf[16];
        n = sizeof(buf);
        ok(st && !calls->next(&v, st) && calls->lob_read(st, 0, buf, &n) > 0, "a NULL is not read");
        ok(calls->lob_read(st, 1, buf, &n) > 0 && calls->lob_read(st, 5, buf, &n) > 0,
           "  nor a number, nor nothing");
        calls->close(st);
    }
}

/* The server makes them for the rows of an expression; t/80-oracle-driver.t counts whether it is told of all their ends. */
static void test_temporary_lobs(void)
{
    const apr_dbd_oracle_value_t *v;
    apr_dbd_oracle_stmt_t *st;
    char buf[64];
    apr_size_t len;
    int n, rv = 0, good = 1;

    st = begin_with("SELECT TO_CLOB(TXT) AS T FROM ROWS_1000 ORDER BY N", NULL, 0, 100);
    for (n = 0; st && (rv = calls->next(&v, st)) == 0; n++) {
        len = sizeof(buf);
        good &=
            n % 3 || (!calls->lob_read(st, 0, buf, &len) && len > 5 && !memcmp(buf, "text ", 5));
    }
    ok(rv == -1 && n == 1000 && good, "large objects of an expression, a third of them read");
    calls->close(st);
    st = begin_with("SELECT TO_CLOB(TXT) AS T FROM ROWS_1000 ORDER BY N", NULL, 0, 100);
    ok(st && !calls->next(&v, st), "  and only the first of them");
    calls->close(st);
    st = begin_with("SELECT TO_CLOB(TXT) AS T, 1 / (N - 150) AS Q FROM ROWS_1000", NULL, 0, 100);
    while (st && (rv = calls->next(&v, st)) == 0) {
        ;
    }
    ok(rv > 0, "  and those before an error");
    calls->close(st);
}

static apr_dbd_oracle_value_t text(apr_dbd_oracle_kind_e kind, const char *s)
{
    apr_dbd_oracle_value_t v = {.kind = kind, .len = strlen(s)};

    v.v.s = s;
    return v;
}

static void test_binds(void)
{
    apr_dbd_oracle_value_t b[2];
    static const struct {
        const char *where;
        apr_dbd_oracle_kind_e kind;
        const char *s;
    } cases[] = {
        {"NUM = :1", APR_DBD_ORACLE_NUMBER, "-12345678901234567890.123456"},
        {"NUM = :1", APR_DBD_ORACLE_NUMBER, "-1.2345678901234567890123456E19"},
        {"ID = :1", APR_DBD_ORACLE_NUMBER, "+1"},
        {"VC = :1", APR_DBD_ORACLE_TEXT, "h\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"BORN = :1", APR_DBD_ORACLE_DATE, "2024-02-29 13:30:05"},
        {"BORN > :1", APR_DBD_ORACLE_DATE, "2024-02-29"},
        {"STAMP = :1", APR_DBD_ORACLE_TIMESTAMP, "2024-02-29T13:30:05.123456"},
        {"STAMPTZ = :1", APR_DBD_ORACLE_TIMESTAMP_TZ, "2024-02-29 15:30:05.5+02:00"},
        {"BYTES = :1", APR_DBD_ORACLE_BYTES, NULL},
    };
    static const char *const bad[] = {"2024-02-30", "10000-01-01", "yesterday", ""};
    const apr_dbd_oracle_value_t *v;
    apr_dbd_oracle_stmt_t *st;
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        b[0] = text(cases[i].kind, cases[i].s ? cases[i].s : "");
        if (!cases[i].s) {
            b[0].v.s = "\0\xff\x10";
            b[0].len = 3;
        }
        st = begin_with(apr_psprintf(pool, "SELECT ID FROM KINDS WHERE %s", cases[i].where), b, 1,
                        0);
        ok(st && calls->next(&v, st) == 0 && v[0].len == 1 && *v[0].v.s == '1', "bound: %s %s",
           cases[i].where, cases[i].s ? cases[i].s : "bytes");
        calls->close(st);
    }
    b[0] = (apr_dbd_oracle_value_t){.kind = APR_DBD_ORACLE_DOUBLE, .v.d = 0.1};
    b[1] = (apr_dbd_oracle_value_t){.kind = APR_DBD_ORACLE_BOOLEAN, .v.i = 1};
    st = begin_with("SELECT ID FROM KINDS WHERE DBL = :1 AND ID = :2", b, 2, 0);
    ok(st && calls->next(&v, st) == 0, "bound: a double and a truth");
    calls->close(st);
    b[0] = (apr_dbd_oracle_value_t){.kind = APR_DBD_ORACLE_NULL};
    st = begin_with("SELECT COUNT(*) FROM KINDS WHERE VC = :1", b, 1, 0);
    ok(st && calls->next(&v, st) == 0 && *v[0].v.s == '0', "bound: NULL, which equals nothing");
    calls->close(st);
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]) - 1; i++) {
        b[0] = text(APR_DBD_ORACLE_DATE, bad[i]);
        ok(calls->open(&st, db, "SELECT ID FROM KINDS WHERE BORN = :1", 35, b, 1, 0, pool) > 0,
           "no date: %s", bad[i]);
    }
    b[0] = text(APR_DBD_ORACLE_NUMBER, "1x");
    ok(calls->open(&st, db, "SELECT ID FROM KINDS WHERE ID = :1", 34, b, 1, 0, pool) > 0,
       "no number");
    ok(calls->open(&st, db, "SELECT ID FROM KINDS WHERE ID = :1", 34, NULL, 0, 0, pool) > 0 &&
           calls->error(db)->code == 1008,
       "a placeholder without a value: %s", calls->error(db)->message);
}

/* A server of 23 and later has them. */
static void test_booleans(void)
{
    apr_dbd_oracle_value_t bind = {.kind = APR_DBD_ORACLE_BOOLEAN};
    const apr_dbd_oracle_value_t *v;
    const apr_dbd_oracle_column_t *c;
    apr_dbd_oracle_stmt_t *st = begin("SELECT F FROM FLAGS ORDER BY ID");
    int n = 0;

    if (!ok(st, "truths")) {
        return;
    }
    c = calls->columns(st, &n);
    is_int(c[0].kind, APR_DBD_ORACLE_BOOLEAN, "  are a kind of their own");
    ok(!calls->next(&v, st) && v[0].kind == APR_DBD_ORACLE_BOOLEAN && v[0].v.i == 1, "  true");
    ok(!calls->next(&v, st) && v[0].kind == APR_DBD_ORACLE_BOOLEAN && v[0].v.i == 0, "  false");
    ok(!calls->next(&v, st) && v[0].kind == APR_DBD_ORACLE_NULL, "  and neither");
    calls->close(st);
    for (n = 1; n <= 2; n++) {
        bind.v.i = n == 1;
        st = begin_with("SELECT ID FROM FLAGS WHERE F = :1", &bind, 1, 0);
        ok(st && !calls->next(&v, st) && *v[0].v.s == '0' + n && calls->next(&v, st) == -1,
           "  bound: %s", n == 1 ? "true" : "false");
        calls->close(st);
    }
    is_str(value_of("SELECT F FROM FLAGS WHERE ID = 1"), "1", "  as texts they are 1");
    is_str(value_of("SELECT F FROM FLAGS WHERE ID = 2"), "0", "  and 0");
}

/* --- errors ---------------------------------------------------------------------------------------------------- */

static void test_errors(void)
{
    const apr_dbd_oracle_error_t *e = calls->error(db);
    apr_dbd_oracle_stmt_t *st = NULL, *other;
    const apr_dbd_oracle_value_t *v;
    int rv, array, n = 0;

    is_int(outcome("DELETE FROM ROWS_1000"), APR_DBD_ORACLE_OTHER, "what is no query is refused");
    is_int(e->code, 0, "  by the driver");
    is_int(outcome("SELECT NOTHING FROM NOWHERE"), APR_DBD_ORACLE_OTHER,
           "a table that is not there");
    is_int(e->code, 942, "  is ORA-00942");
    ok(!strchr(e->message, '\n'), "  in one line: %s", e->message);
    is_int(outcome("SELECT X1 FROM ROWS_1000"), APR_DBD_ORACLE_OTHER, "a column that is not there");
    is_int(e->offset, 7, "  stands at byte 7");
    st = begin_with("SELECT N, 100 / (500 - N) AS Q FROM ROWS_1000", NULL, 0, 50);
    while ((rv = calls->next(&v, st)) == 0) {
        n++;
    }
    ok(rv > 0 && e->code == 1476, "a failure between rows: %s", e->message);
    ok(n < 500, "  ends them");
    ok(calls->next(&v, st) > 0, "  for good");
    calls->close(st);
    is_int(outcome("SELECT B FROM CUT WHERE N <> 30"), 0, "values of their column's full size");
    for (array = 1; array <= 50; array += 49) {
        int rows = 0;
        st = begin_with("SELECT N, B FROM CUT ORDER BY N", NULL, 0, array);
        while (st && (rv = calls->next(&v, st)) == 0) {
            rows++;
        }
        ok(rv > 0 && e->code == 1406, "  one that would be cut is an error: %s", e->message);
        ok(rows < 30, "  and not given, in arrays of %d: %d before", array, rows);
        calls->close(st);
    }
    st = begin("SELECT N FROM ROWS_1000 ORDER BY N");
    other = begin("SELECT N + 1 FROM ROWS_1000 ORDER BY N");
    ok(!calls->next(&v, st) && *v[0].v.s == '1' && !calls->next(&v, other) && *v[0].v.s == '2' &&
           !calls->next(&v, st) && *v[0].v.s == '2',
       "two statements at once");
    calls->close(st);
    ok(!calls->next(&v, other) && *v[0].v.s == '3', "  one ends before the other");
    calls->close(other);
    ok(works(), "the connection works on");
}

/* --- from another thread ---------------------------------------------------------------------------------------- */

typedef struct {
    apr_interval_time_t wait, every;
    int times, abandon; /* times 0: until storm_over */
} breaker_t;

static apr_uint32_t storm_over;

static void *APR_THREAD_FUNC breaker_run(apr_thread_t *thread, void *data)
{
    const breaker_t *b = data;
    int i;

    apr_sleep(b->wait);
    for (i = 0; b->times ? i < b->times : !apr_atomic_read32(&storm_over); i++) {
        if (b->abandon) {
            calls->abandon(db);
        }
        else {
            calls->interrupt(db);
        }
        apr_sleep(b->every);
    }
    return NULL;
}

static apr_thread_t *breaker(breaker_t *b)
{
    apr_thread_t *thread = NULL;

    apr_thread_create(&thread, NULL, breaker_run, b, pool);
    return thread;
}

static void test_breaks(void)
{
    breaker_t once = {300000, 0, 1, 0}, storm = {0, 200, 0, 0};
    apr_time_t begun = apr_time_now();
    apr_status_t rv;
    apr_thread_t *thread;
    int i, wrong = 0, broken = 0; /* few moments are within a call: as many tries as that takes */

    calls->interrupt(db);
    ok(works(), "nothing to break is no error");
    thread = breaker(&once);
    is_int(outcome(SLOW), APR_DBD_ORACLE_INTERRUPTED, "a running call is broken");
    ok(apr_time_now() - begun < apr_time_from_sec(5), "  soon");
    apr_thread_join(&rv, thread);
    is_int(calls->error(db)->code, 1013, "  with ORA-01013");
    ok(works(), "  and the session works on");

    thread = breaker(&storm);
    for (i = 0; i < 300 || (broken < 20 && i < 20000); i++) {
        int what = calls->execute(db, "SET TRANSACTION READ ONLY", 25, NULL, 0);
        /* Who asks is told ahead of the next call. */
        (void)calls->identify(db, NULL, NULL, i % 2 ? "odd" : "even");
        what = what ? what : outcome("SELECT N FROM ROWS_1000 WHERE N < 20");
        wrong += what != 0 && what != APR_DBD_ORACLE_INTERRUPTED;
        broken += what == APR_DBD_ORACLE_INTERRUPTED;
        while ((what = calls->rollback(db)) == APR_DBD_ORACLE_INTERRUPTED) {
            broken++;
        }
        wrong += what != 0;
    }
    apr_atomic_set32(&storm_over, 1);
    apr_thread_join(&rv, thread);
    is_int(wrong, 0, "breaks at any moment give nothing but broken calls");
    ok(broken >= 20, "  of which there were some: %d of %d", broken, i);
    for (i = wrong = 0; i < 20; i++) {
        wrong += !works();
    }
    is_int(wrong, 0, "  and none comes late");
}

static void test_timeout(void)
{
    apr_time_t begun = apr_time_now();

    is_int(calls->call_timeout(db, 300000), 0, "a limit for each round trip");
    is_int(outcome(SLOW), APR_DBD_ORACLE_TIMEOUT, "  is kept");
    ok(apr_time_now() - begun < apr_time_from_sec(6), "  in time: %s", calls->error(db)->message);
    is_int(calls->call_timeout(db, 0), 0, "no limit");
    ok(works(), "the session works on");
}

static void test_session(void)
{
    int version[3] = {0, 0, 0};

    is_int(calls->server_version(db, version), 0, "the server's version");
    ok(version[0] >= 11, "  %d.%d.%d", version[0], version[1], version[2]);
    is_int(calls->identify(db, "someone", "module", "action"), 0, "who asks");
    is_str(value_of("SELECT SYS_CONTEXT('USERENV', 'CLIENT_IDENTIFIER') FROM DUAL"), "someone",
           "  is shown");
    is_int(calls->identify(db, NULL, NULL, ""), 0, "  in part");
    is_str(value_of("SELECT SYS_CONTEXT('USERENV', 'CLIENT_IDENTIFIER') FROM DUAL"), "someone",
           "  stays");
    is_int(calls->identify(db, "", "", ""), 0, "  and is cleared");
    is_str(value_of("SELECT SYS_CONTEXT('USERENV', 'CLIENT_IDENTIFIER') FROM DUAL"), NULL,
           "  again");
    is_int(calls->ping(db), 0, "a ping");
    is_int(calls->execute(db, "SET TRANSACTION READ ONLY", 25, NULL, 0), 0,
           "a statement without rows");
    is_int(calls->rollback(db), 0, "a rollback");
}

/* --- ends -------------------------------------------------------------------------------------------------------- */

static void test_lost(void)
{
    const char *kill = getenv("AURORA_ORACLE_KILL");
    apr_dbd_oracle_stmt_t *st = begin_with("SELECT N FROM ROWS_1000 ORDER BY N", NULL, 0, 10);
    const apr_dbd_oracle_value_t *v;
    int rv;

    if (!kill) {
        printf("ok %d # SKIP AURORA_ORACLE_KILL is not set\n", ++tap_count);
        return;
    }
    is_int(calls->next(&v, st), 0, "rows of a session");
    is_int(system(kill), 0, "  that is ended");
    while ((rv = calls->next(&v, st)) == 0) {
        ;
    }
    is_int(calls->error(db)->what, APR_DBD_ORACLE_LOST, "  is lost");
    printf("# %s\n", calls->error(db)->message);
    is_int(outcome("SELECT 1 FROM DUAL"), APR_DBD_ORACLE_LOST, "  and stays it");
    is_int(apr_dbd_check_conn(driver, pool, db), APR_EGENERAL, "  which a check finds");
    calls->close(st);
    is_int(apr_dbd_close(driver, db), APR_SUCCESS, "  and it ends well");
    db = oracle_open(pool);
    native = apr_dbd_native_handle(driver, db);
    ok(works(), "another session works");
}

static void test_ends(void)
{
    breaker_t once = {300000, 0, 1, 1};
    const apr_dbd_oracle_value_t *v;
    apr_dbd_oracle_stmt_t *st = NULL;
    apr_thread_t *thread;
    apr_pool_t *p;
    apr_status_t rv;

    apr_pool_create(&p, pool);
    ok(calls->open(&st, db, "SELECT N FROM ROWS_1000", 23, NULL, 0, 10, p) == 0 &&
           !calls->next(&v, st),
       "a statement in a pool");
    apr_pool_destroy(p);
    ok(works(), "  ends with it");
    st = begin("SELECT N FROM ROWS_1000");
    thread = breaker(&once);
    ok(outcome(SLOW) != 0, "a connection that is given up ends its call");
    apr_thread_join(&rv, thread);
    is_int(calls->ping(db), APR_DBD_ORACLE_LOST, "  and takes no other");
    is_int(apr_dbd_close(driver, db), APR_SUCCESS, "  but ends");
    ok(calls->next(&v, st) > 0, "  and its statements with it");
    calls->close(st);
}

int main(int argc, char **argv)
{
    oracle_begin();
    db = oracle_open(pool);
    native = apr_dbd_native_handle(driver, db);
    ok(native && native->magic == APR_DBD_ORACLE_MAGIC && native->version == APR_DBD_ORACLE_VERSION,
       "the native handle tells what it is");
    ok(native->dpi_conn != NULL, "  and has ODPI-C's connection");
    calls = native->calls;
    ok(calls->error(db) != NULL && calls->error(db)->what == APR_DBD_ORACLE_OK, "no error so far");
    if (argc > 1) {
        test_booleans();
        apr_pool_destroy(pool);
        return tap_done();
    }
    test_columns();
    test_arrays();
    test_lobs();
    test_temporary_lobs();
    test_binds();
    test_errors();
    test_session();
    test_breaks();
    test_timeout();
    test_lost();
    test_ends();
    apr_pool_destroy(pool);
    return tap_done();
}
