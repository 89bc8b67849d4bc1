/* The SQLite backend on real files: what is a database, cells, cursors, cancel, damage, discovery. */
#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include "aurora/db.h"
#include "tap.h"

static apr_pool_t *pool;
static const char *dir;

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

/* --- files -------------------------------------------------------------------------------------- */

static const char *path_of(const char *name)
{
    return apr_pstrcat(pool, dir, "/", name, NULL);
}

static const char *write_file(const char *name, const char *bytes, apr_size_t len)
{
    const char *path = path_of(name);
    FILE *f = fopen(path, "wb");

    if (!f || fwrite(bytes, 1, len, f) != len || fclose(f)) {
        printf("Bail out! cannot write %s\n", name);
        exit(1);
    }
    return path;
}

static const char *make_db(const char *name, const char *script)
{
    const char *path = path_of(name);
    char *message = NULL;
    sqlite3 *db;

    if (sqlite3_open(path, &db) != SQLITE_OK ||
        sqlite3_exec(db, "PRAGMA synchronous=OFF", NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(db, script, NULL, NULL, &message) != SQLITE_OK) {
        printf("Bail out! %s: %s\n", name, message ? message : sqlite3_errmsg(db));
        exit(1);
    }
    sqlite3_close(db);
    return path;
}

static aur_db_settings_t settings_for(const char *path)
{
    aur_db_settings_t settings = {.driver = "sqlite3",
                                  .params = path,
                                  .pool_max = 2,
                                  .pool_timeout = apr_time_from_msec(300)};
    return settings;
}

/* --- is it a database? -------------------------------------------------------------------------- */

static void test_check(void)
{
    static const char torn[] = "SQLite format 3\0and then nothing of the kind, not even a page";
    const char *good = make_db("good.db", "CREATE TABLE t(x)");
    const char *odd = make_db("a %41?mode=memory#b'\"\xc3\xa4.db", "CREATE TABLE t(x)");
    struct {
        const char *name, *driver, *path, *says;
    } cases[] = {
        {"a database", "sqlite3", good, NULL},
        {"a name with everything a URI minds", "sqlite3", odd, NULL},
        {"a missing file", "sqlite3", path_of("missing.db"), "cannot be found"},
        {"an empty file", "sqlite3", write_file("empty.db", "", 0), "is empty"},
        {"a short file", "sqlite3", write_file("short.db", "SQLite", 6), "not an SQLite database"},
        {"a file of something else", "sqlite3", write_file("text.db", "Dear Sir or Madam,\n", 19),
         "not an SQLite database"},
        {"a header and rubbish", "sqlite3", write_file("torn.db", torn, sizeof(torn)),
         "cannot be read"},
        {"a directory", "sqlite3", dir, "is not a file"},
        {"no name", "sqlite3", "", "no database file"},
        {"no parameters", "sqlite3", NULL, "no database file"},
        {"memory", "sqlite3", ":memory:", "path"},
        {"a URI", "sqlite3", "file:x?mode=memory", "path"},
        {"a driver that is not there", "nonesuch", good, "nonesuch"},
        {"no driver", NULL, good, "not supported"},
    };
    apr_finfo_t info;
    aur_error_t err;
    int i;

    for (i = 0; i < N(cases); i++) {
        aur_db_settings_t settings = settings_for(cases[i].path);
        apr_status_t rv;
        settings.driver = cases[i].driver;
        aur_error_clear(&err);
        rv = aur_db_check(&settings, &err, pool);
        if (!cases[i].says) {
            ok(rv == APR_SUCCESS, "%s is accepted%s%s", cases[i].name, rv ? ": " : "",
               rv ? err.detail : "");
        }
        else if (!ok(rv == APR_EGENERAL && strstr(err.detail, cases[i].says),
                     "%s is refused with the reason", cases[i].name)) {
            printf("# rv %d: %s\n", rv, err.detail);
        }
    }
    ok(apr_stat(&info, path_of("missing.db"), APR_FINFO_TYPE, pool) != APR_SUCCESS,
       "a missing file is not created");
    ok(apr_stat(&info, path_of("empty.db"), APR_FINFO_SIZE, pool) == APR_SUCCESS && info.size == 0,
       "an empty file stays empty");
}

/* --- a db to work with -------------------------------------------------------------------------- */

typedef struct {
    apr_pool_t *p, *request;
    aur_db_t *db;
    aur_conn_t *conn;
    aur_error_t err;
    char logged[4096];
} fixture_t;

__attribute__((format(printf, 4, 5))) static void log_line(void *ctx, int level, apr_status_t rv,
                                                           const char *fmt, ...)
{
    fixture_t *f = ctx;
    apr_size_t len = strlen(f->logged);
    va_list ap;

    va_start(ap, fmt);
    apr_vsnprintf(f->logged + len, sizeof(f->logged) - len, fmt, ap);
    va_end(ap);
}

static void open_db(fixture_t *f, const char *path)
{
    aur_db_settings_t settings = settings_for(path);

    memset(f, 0, sizeof(*f));
    aur_error_clear(&f->err);
    apr_pool_create(&f->p, pool);
    if (aur_db_child_create(&f->db, &settings, log_line, f, f->p) != APR_SUCCESS) {
        printf("Bail out! no db\n");
        exit(1);
    }
    apr_pool_create(&f->request, f->p);
    if (aur_conn_borrow(&f->conn, f->db, AUR_USE_PREVIEW, "user", "id", &f->err, f->request) !=
        APR_SUCCESS) {
        f->conn = NULL;
    }
}

static void close_db(fixture_t *f)
{
    apr_pool_destroy(f->p);
}

static const aur_sql_t *sql_of(const char *text)
{
    aur_sql_t *sql = apr_pcalloc(pool, sizeof(*sql));

    sql->text = text;
    sql->len = strlen(text);
    return sql;
}

static const char *show(const aur_cell_t *cell)
{
    char number[64];

    switch (cell->kind) {
    case AUR_V_NULL:
        return "null";
    case AUR_V_INT:
        return apr_psprintf(pool, "int %" APR_INT64_T_FMT, cell->v.i);
    case AUR_V_BOOL:
        return cell->v.i ? "true" : "false";
    case AUR_V_DOUBLE:
        snprintf(number, sizeof(number), "double %.17g", cell->v.d);
        return apr_pstrdup(pool, number);
    case AUR_V_DATE:
        return apr_psprintf(pool, "date %.*s", (int)cell->len, cell->v.s);
    case AUR_V_TIMESTAMP:
        return apr_psprintf(pool, "timestamp %.*s", (int)cell->len, cell->v.s);
    case AUR_V_TIMESTAMP_TZ:
        return apr_psprintf(pool, "timestamptz %.*s", (int)cell->len, cell->v.s);
    case AUR_V_TEXT:
        return apr_psprintf(pool, "text %.*s", (int)cell->len, cell->v.s);
    case AUR_V_BINARY:
        return apr_psprintf(pool, "binary %d", (int)cell->len);
    case AUR_V_DECIMAL:
        return "decimal";
    case AUR_V_PIECES:
        return "pieces";
    }
    return "?";
}

/* The first cell of the first row, or the error's code. */
static const char *first(fixture_t *f, const char *text)
{
    const aur_cell_t *cells;
    aur_cursor_t *cursor;
    const char *shown;
    apr_status_t rv = aur_cursor_open(&cursor, f->conn, sql_of(text), &f->err, f->request);

    if (rv != APR_SUCCESS) {
        return aur_error_code(f->err.code);
    }
    rv = aur_cursor_next(&cells, cursor, &f->err);
    shown = rv == APR_SUCCESS ? show(&cells[0])
            : rv == APR_EOF   ? "end"
                              : aur_error_code(f->err.code);
    aur_cursor_close(cursor);
    return shown;
}

/* --- cells -------------------------------------------------------------------------------------- */

static void test_cells(void)
{
    static const struct {
        const char *declared, *value, *shown;
    } cases[] = {
        {"INTEGER", "42", "int 42"},
        {"INTEGER", "-9223372036854775808", "int -9223372036854775808"},
        {"INTEGER", "NULL", "null"},
        {"INTEGER", "'abc'", "text abc"},
        {"INTEGER", "'7'", "int 7"},
        {"DECIMAL(10,2)", "0.1", "double 0.10000000000000001"},
        {"REAL", "9e999", "double inf"},
        {"REAL", "3", "double 3"},
        {"TEXT", "''", "text "},
        {"TEXT", "'2024-01-01'", "text 2024-01-01"},
        {"TEXT", "x'00ff'", "binary 2"},
        {"BLOB", "x''", "binary 0"},
        {"BLOB", "'text'", "text text"},
        {"BOOLEAN", "1", "true"},
        {"BOOLEAN", "0", "false"},
        {"BOOLEAN", "2", "int 2"},
        {"BOOLEAN", "-1", "int -1"},
        {"BOOLEAN", "'yes'", "text yes"},
        {"DATE", "'2024-02-29'", "date 2024-02-29"},
        {"DATE", "'1969-12-31'", "date 1969-12-31"},
        {"DATE", "'2024-13-01'", "text 2024-13-01"},
        {"DATE", "'2024-00-01'", "text 2024-00-01"},
        {"DATE", "'2024-01-32'", "text 2024-01-32"},
        {"DATE", "'2024-01-0x'", "text 2024-01-0x"},
        {"DATE", "'2024-01-1'", "text 2024-01-1"},
        {"DATE", "'2024-01-01 10:00:00'", "timestamp 2024-01-01 10:00:00"},
        {"DATE", "19700101", "int 19700101"},
        {"TIMESTAMP", "'2024-01-01'", "date 2024-01-01"},
        {"TIMESTAMP", "'2024-01-01 10:00'", "text 2024-01-01 10:00"},
        {"TIMESTAMP", "'2024-01-01T10:00:00'", "timestamp 2024-01-01T10:00:00"},
        {"TIMESTAMP", "'2024-01-01 10:00:00.1'", "timestamp 2024-01-01 10:00:00.1"},
        {"TIMESTAMP", "'2024-01-01 10:00:00.123456789'", "timestamp 2024-01-01 10:00:00.123456789"},
        {"TIMESTAMP", "'2024-01-01 10:00:00.1234567890'", "text 2024-01-01 10:00:00.1234567890"},
        {"TIMESTAMP", "'2024-01-01 10:00:00.'", "text 2024-01-01 10:00:00."},
        {"TIMESTAMP", "'2024-01-01 10:00:00.x'", "text 2024-01-01 10:00:00.x"},
        {"TIMESTAMP", "'2024-01-01 24:00:00'", "text 2024-01-01 24:00:00"},
        {"TIMESTAMP", "'2024-01-01 10:60:00'", "text 2024-01-01 10:60:00"},
        {"TIMESTAMP", "'2024-01-01 10:00:00Z'", "timestamptz 2024-01-01 10:00:00Z"},
        {"TIMESTAMP", "'2024-01-01 10:00:00.5+02:00'", "timestamptz 2024-01-01 10:00:00.5+02:00"},
        {"TIMESTAMP", "'2024-01-01 10:00:00-05'", "timestamptz 2024-01-01 10:00:00-05"},
        {"TIMESTAMP", "'2024-01-01 10:00:00+0530'", "timestamptz 2024-01-01 10:00:00+0530"},
        {"TIMESTAMP", "'2024-01-01 10:00:00+5'", "text 2024-01-01 10:00:00+5"},
        {"TIMESTAMP", "'2024-01-01 10:00:00+05:3'", "text 2024-01-01 10:00:00+05:3"},
        {"TIMESTAMP", "'2024-01-01 10:00:00 UTC'", "text 2024-01-01 10:00:00 UTC"},
    };
    fixture_t f;
    int i;

    for (i = 0; i < N(cases); i++) {
        open_db(&f, make_db(apr_psprintf(pool, "cell%d.db", i),
                            apr_psprintf(pool, "CREATE TABLE t(x %s); INSERT INTO t VALUES(%s)",
                                         cases[i].declared, cases[i].value)));
        is_str(first(&f, "SELECT x FROM t"), cases[i].shown,
               apr_psprintf(pool, "%s in a column %s", cases[i].value, cases[i].declared));
        close_db(&f);
    }
    open_db(&f, make_db("utf16.db", "PRAGMA encoding='UTF-16'; CREATE TABLE t(x TEXT);"
                                    "INSERT INTO t VALUES('\xc3\xa4\xe2\x82\xac')"));
    is_str(first(&f, "SELECT x FROM t"), "text \xc3\xa4\xe2\x82\xac", "UTF-16 arrives as UTF-8");
    is_str(first(&f, "SELECT aurora_fold('\xc3\x84 B')"), "text \xc3\xa4 b", "aurora_fold folds");
    is_str(first(&f, "SELECT aurora_fold(NULL)"), "null", "and leaves NULL alone");
    is_str(first(&f, "SELECT length(aurora_fold(printf('%5000s', 'A')))"), "int 5000",
           "and takes long text");
    close_db(&f);
}

static void test_binds(void)
{
    static const struct {
        aur_cell_t cell;
        const char *type, *shown;
    } cases[] = {
        {{AUR_V_INT, 0, {.i = 7}}, "integer", "int 7"},
        {{AUR_V_BOOL, 0, {.i = 1}}, "integer", "int 1"},
        {{AUR_V_NULL, 0, {.i = 0}}, "null", "null"},
        {{AUR_V_DOUBLE, 0, {.d = 0.5}}, "real", "double 0.5"},
        {{AUR_V_DECIMAL, 19, {.s = "9223372036854775807"}}, "integer", "int 9223372036854775807"},
        {{AUR_V_DECIMAL, 19, {.s = "9223372036854775808"}},
         "real",
         "double 9.2233720368547758e+18"},
        {{AUR_V_DECIMAL, 5, {.s = "12.00"}}, "integer", "int 12"},
        {{AUR_V_DECIMAL, 5, {.s = "12.25999"}}, "real", "double 12.25"},
        {{AUR_V_TEXT, 3, {.s = "abcdef"}}, "text", "text abc"},
        {{AUR_V_TEXT, 0, {.s = ""}}, "text", "text "},
        {{AUR_V_DATE, 10, {.s = "2024-01-01"}}, "text", "text 2024-01-01"},
        {{AUR_V_TIMESTAMP, 19, {.s = "2024-01-01 00:00:00"}}, "text", "text 2024-01-01 00:00:00"},
    };
    fixture_t f;
    int i;

    open_db(&f, make_db("binds.db", "CREATE TABLE t(x)"));
    for (i = 0; i < N(cases); i++) {
        aur_bind_t binds[2] = {{cases[i].cell, AUR_T_TEXT}, {cases[i].cell, AUR_T_TEXT}};
        aur_sql_t sql = *sql_of("SELECT ?, typeof(?)");
        const aur_cell_t *cells;
        aur_cursor_t *cursor;
        sql.nbinds = 2;
        sql.binds = binds;
        if (aur_cursor_open(&cursor, f.conn, &sql, &f.err, f.request) == APR_SUCCESS &&
            aur_cursor_next(&cells, cursor, &f.err) == APR_SUCCESS) {
            const char *kind = apr_pstrmemdup(pool, cells[1].v.s, cells[1].len);
            is_str(show(&cells[0]), cases[i].shown, apr_psprintf(pool, "bind %d", i));
            is_str(kind, cases[i].type, apr_psprintf(pool, "bind %d as %s", i, cases[i].type));
            aur_cursor_close(cursor);
        }
        else {
            ok(0, "bind %d: %s", i, f.err.native);
        }
    }
    close_db(&f);
}

/* --- cursors ------------------------------------------------------------------------------------ */

#define FIVE                                                                                       \
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<5) SELECT i FROM n"
#define ENDLESS                                                                                    \
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT count(*) FROM n"

static void test_cursor(void)
{
    static const aur_result_column_t named[] = {{"N", "Number", NULL, AUR_T_NUMBER}};
    const aur_result_column_t *columns;
    aur_cursor_t *a, *b, *c;
    const aur_cell_t *cells;
    apr_pool_t *p;
    aur_sql_t sql;
    fixture_t f;
    int n = 0;

    open_db(&f, make_db("cursor.db", "CREATE TABLE t(x DATE, y BLOB)"));
    apr_pool_create(&p, f.request);
    ok(!aur_cursor_open(&a, f.conn, sql_of(FIVE), &f.err, f.request) &&
           !aur_cursor_open(&b, f.conn, sql_of(FIVE), &f.err, p),
       "two cursors on one connection");
    while (aur_cursor_next(&cells, a, &f.err) == APR_SUCCESS) {
        n += (int)cells[0].v.i;
    }
    is_int(n, 15, "every row, once");
    ok(aur_cursor_next(&cells, a, &f.err) == APR_EOF, "the end stays the end");
    ok(aur_cursor_next(&cells, b, &f.err) == APR_SUCCESS && cells[0].v.i == 1,
       "the other has a place of its own");
    apr_pool_destroy(p);
    sql = *sql_of("SELECT 1 AS n");
    sql.ncolumns = 1;
    sql.columns = named;
    ok(!aur_cursor_open(&c, f.conn, &sql, &f.err, f.request) &&
           aur_cursor_columns(c, &n) == named && n == 1,
       "the statement's own columns");
    aur_cursor_close(c);
    aur_cursor_close(c);
    ok(!aur_cursor_open(&c, f.conn, sql_of("SELECT x, y, 1 z FROM t"), &f.err, f.request),
       "a statement whose columns are not known");
    columns = aur_cursor_columns(c, &n);
    ok(n == 3 && columns[0].type == AUR_T_DATE && columns[1].type == AUR_T_BINARY &&
           !strcmp(columns[2].name, "z"),
       "is described by the database");
    sql.ncolumns = 2;
    ok(aur_cursor_open(&c, f.conn, &sql, &f.err, f.request) == APR_EGENERAL &&
           f.err.code == AUR_E_INTERNAL,
       "another number of columns than promised is refused");
    is_str(first(&f, "SELECT ?"), "INTERNAL_ERROR", "a placeholder without its value is refused");
    is_str(first(&f, "SELECT * FROM nothere"), "DATABASE_ERROR", "a table that is not there");
    ok(!strncmp(f.err.native, "sqlite 1: no such table", 23), "native code and text for the log");
    ok(!strstr(f.err.detail, "nothere") && !f.err.connection_lost,
       "neither SQL nor names for the client; the connection lives");
    is_str(first(&f, "SELECT 'x' || abs(-9223372036854775808)"), "DATABASE_ERROR",
           "a failure while running");
    ok(!aur_cursor_open(&c, f.conn, sql_of(FIVE), &f.err, f.p), "a cursor in a longer pool");
    apr_pool_destroy(f.request);
    aur_error_clear(&f.err);
    ok(aur_cursor_next(&cells, c, &f.err) == APR_EGENERAL && f.err.code == AUR_E_INTERNAL,
       "ends with its connection");
    close_db(&f);
}

static void test_number(void)
{
    static const struct {
        const char *text;
        long long number;
        const char *code;
    } cases[] = {{"SELECT 42", 42, NULL},
                 {"SELECT '17'", 17, NULL},
                 {"SELECT NULL", 0, "DATABASE_ERROR"},
                 {"SELECT 1.5", 0, "DATABASE_ERROR"},
                 {"SELECT 'x'", 0, "DATABASE_ERROR"},
                 {"SELECT 1 WHERE 0", 0, "DATABASE_ERROR"},
                 {"SELECT x", 0, "DATABASE_ERROR"}};
    fixture_t f;
    int i;

    open_db(&f, make_db("number.db", "CREATE TABLE t(x)"));
    for (i = 0; i < N(cases); i++) {
        apr_int64_t number = 0;
        apr_status_t rv;
        aur_error_clear(&f.err);
        rv = aur_db_number(&number, f.conn, sql_of(cases[i].text), &f.err, f.request);
        ok(cases[i].code ? rv == APR_EGENERAL && !strcmp(aur_error_code(f.err.code), cases[i].code)
                         : rv == APR_SUCCESS && number == cases[i].number,
           "number of %s", cases[i].text);
    }
    close_db(&f);
}

static void test_read_only(void)
{
    static const char *const writes[] = {"INSERT INTO t VALUES(1)",
                                         "CREATE TABLE u(x)",
                                         "DROP TABLE t",
                                         "UPDATE sqlite_master SET sql = 'x'",
                                         "ATTACH 'x.db' AS x",
                                         "SELECT load_extension('x')",
                                         "VACUUM INTO 'y.db'"};
    fixture_t f;
    int i;

    open_db(&f, make_db("readonly.db", "PRAGMA journal_mode=WAL; CREATE TABLE t(x);"
                                       "INSERT INTO t VALUES(1)"));
    for (i = 0; i < N(writes); i++) {
        is_str(first(&f, writes[i]), "DATABASE_ERROR", writes[i]);
    }
    is_str(first(&f, "SELECT count(*) FROM t"), "int 1", "reading goes on");
    make_db("readonly.db", "INSERT INTO t VALUES(2)");
    is_str(first(&f, "SELECT count(*) FROM t"), "int 1", "a borrower sees one state to the end");
    aur_conn_return(f.conn);
    aur_conn_borrow(&f.conn, f.db, AUR_USE_PREVIEW, NULL, NULL, &f.err, f.request);
    is_str(first(&f, "SELECT count(*) FROM t"), "int 2", "the next borrower the next");
    is_str(first(&f, "PRAGMA temp_store"), "int 2", "sorting stays in memory");
    close_db(&f);
}

/* --- cancel ------------------------------------------------------------------------------------- */

static void *APR_THREAD_FUNC cancel_later(apr_thread_t *thread, void *data)
{
    apr_sleep(apr_time_from_msec(100));
    aur_conn_cancel(data);
    return NULL;
}

static void test_cancel(void)
{
    apr_thread_t *thread;
    apr_status_t rv;
    apr_time_t start;
    fixture_t f;

    open_db(&f, make_db("cancel.db", "CREATE TABLE t(x)"));
    start = apr_time_now();
    apr_thread_create(&thread, NULL, cancel_later, f.conn, pool);
    is_str(first(&f, ENDLESS), "QUERY_TIMEOUT",
           "an endless statement is stopped by another thread");
    ok(apr_time_now() - start < apr_time_from_sec(2), "soon");
    apr_thread_join(&rv, thread);
    ok(!f.err.connection_lost, "the connection is not in doubt");
    is_str(first(&f, "SELECT 1"), "QUERY_TIMEOUT", "a cancelled borrower gets nothing more");
    aur_conn_return(f.conn);
    aur_conn_cancel(f.conn);
    rv = aur_conn_borrow(&f.conn, f.db, AUR_USE_EXPORT, NULL, NULL, &f.err, f.request);
    is_int(rv, APR_SUCCESS, "the next one borrows it");
    is_str(first(&f, "SELECT 1"), "int 1", "and is not cancelled");
    close_db(&f);
}

/* --- damage ------------------------------------------------------------------------------------- */

#define MANY                                                                                       \
    "PRAGMA page_size=1024; CREATE TABLE t(i INTEGER, x TEXT); WITH RECURSIVE n(i) AS (SELECT 1 "  \
    "UNION ALL SELECT i+1 FROM n WHERE i<5000) INSERT INTO t SELECT i, printf('%200d', i) FROM n"

static void scribble(const char *path, long at, int byte, int count)
{
    FILE *file = fopen(path, "r+b");

    if (!file || fseek(file, at, SEEK_SET)) {
        printf("Bail out! cannot scribble\n");
        exit(1);
    }
    while (count-- > 0) {
        fputc(byte, file);
    }
    fclose(file);
}

static void test_damage(void)
{
    const char *path = make_db("damage.db", MANY);
    const aur_cell_t *cells;
    aur_cursor_t *cursor;
    apr_status_t rv;
    fixture_t f;
    int rows = 0;

    open_db(&f, path);
    aur_cursor_open(&cursor, f.conn, sql_of("SELECT * FROM t"), &f.err, f.request);
    while ((rv = aur_cursor_next(&cells, cursor, &f.err)) == APR_SUCCESS) {
        if (++rows == 100) {
            scribble(path, 800 * 1024L, 0xff, 1024 * 20);
        }
    }
    ok(rv == APR_EGENERAL && f.err.code == AUR_E_DATABASE_ERROR,
       "pages that rot under a cursor end it with an error");
    ok(rows >= 100 && rows < 5000, "after the rows that were whole");
    ok(!strncmp(f.err.native, "sqlite ", 7) && strstr(f.err.native, "malformed"),
       "the log learns what SQLite said");
    ok(f.err.connection_lost, "the connection is in doubt");
    ok(aur_cursor_next(&cells, cursor, &f.err) == APR_EGENERAL,
       "asked again, the cursor does not begin anew");
    aur_conn_return(f.conn);
    rv = aur_conn_borrow(&f.conn, f.db, AUR_USE_PREVIEW, NULL, NULL, &f.err, f.request);
    is_int(rv, APR_SUCCESS, "a new connection takes its place");
    is_str(first(&f, "SELECT i FROM t LIMIT 1"), "int 1", "and reads what is whole");
    close_db(&f);
}

static void test_cut(void)
{
    const char *path = make_db("cut.db", MANY);
    const aur_cell_t *cells;
    aur_cursor_t *cursor;
    apr_status_t rv;
    fixture_t f;
    int rows = 0;

    open_db(&f, path);
    aur_cursor_open(&cursor, f.conn, sql_of("SELECT * FROM t"), &f.err, f.request);
    while ((rv = aur_cursor_next(&cells, cursor, &f.err)) == APR_SUCCESS) {
        if (++rows == 100 && truncate(path, 500 * 1024L)) {
            break;
        }
    }
    ok(rv == APR_EGENERAL && rows > 100 && rows < 5000, "a file cut short under a cursor");
    ok(f.err.connection_lost, "puts the connection in doubt");
    close_db(&f);
}

static void test_replaced(void)
{
    const char *path = make_db("replaced.db", "CREATE TABLE t(x); INSERT INTO t VALUES(1)");
    const char *other = make_db("other.db", "CREATE TABLE t(x); INSERT INTO t VALUES(2)");
    apr_finfo_t info;
    int i;
    apr_status_t rv;
    fixture_t f;

    open_db(&f, path);
    is_str(first(&f, "SELECT x FROM t"), "int 1", "the old file");
    aur_conn_return(f.conn);
    rename(other, path);
    aur_conn_borrow(&f.conn, f.db, AUR_USE_PREVIEW, NULL, NULL, &f.err, f.request);
    is_str(first(&f, "SELECT x FROM t"), "int 2", "a file renamed over it is read from then on");
    aur_conn_return(f.conn);
    unlink(path);
    rv = aur_conn_borrow(&f.conn, f.db, AUR_USE_PREVIEW, NULL, NULL, &f.err, f.request);
    ok(rv == APR_EGENERAL && f.err.code == AUR_E_DB_UNAVAILABLE && f.err.retry_after == 5,
       "a file that is gone is an unavailable database");
    ok(!strstr(f.err.detail, "replaced") && strstr(f.err.native, "replaced.db"),
       "its path goes to the log only");
    ok(apr_stat(&info, path, APR_FINFO_TYPE, pool) != APR_SUCCESS, "and it is not created");
    make_db("replaced.db", "CREATE TABLE t(x); INSERT INTO t VALUES(3)");
    for (i = 0; i < 50; i++) { /* it is looked for in the background */
        rv = aur_conn_borrow(&f.conn, f.db, AUR_USE_PREVIEW, NULL, NULL, &f.err, f.request);
        if (rv == APR_SUCCESS) {
            break;
        }
        apr_sleep(apr_time_from_msec(100));
    }
    ok(rv == APR_SUCCESS && !strcmp(first(&f, "SELECT x FROM t"), "int 3"), "until it is back");
    close_db(&f);
}

static void test_locked(void)
{
    const char *path = make_db("locked.db", "CREATE TABLE t(x)");
    apr_time_t start;
    sqlite3 *writer;
    fixture_t f;

    open_db(&f, path);
    sqlite3_open(path, &writer);
    sqlite3_exec(writer, "BEGIN EXCLUSIVE", NULL, NULL, NULL);
    start = apr_time_now();
    is_str(first(&f, "SELECT count(*) FROM t"), "DATABASE_ERROR", "a writer that does not finish");
    ok(apr_time_now() - start > apr_time_from_msec(1500) &&
           apr_time_now() - start < apr_time_from_sec(5),
       "is waited for, but not for ever");
    sqlite3_exec(writer, "ROLLBACK", NULL, NULL, NULL);
    is_str(first(&f, "SELECT count(*) FROM t"), "int 0",
           "then the connection is as good as before");
    sqlite3_close(writer);
    close_db(&f);
}

/* --- discovery ---------------------------------------------------------------------------------- */

static const char discover_script[] =
    "CREATE TABLE types(a INTEGER PRIMARY KEY, b VARCHAR(40) NOT NULL, c DECIMAL(10,2), d DATE,"
    " e DATETIME, f TIMESTAMP WITH TIME ZONE, g BOOLEAN, h BLOB, i DOUBLE PRECISION, j UUID, k "
    "JSON,"
    " l TIME, m, n MONEY, o BYTEA, p GENERATED ALWAYS AS (a+1) VIRTUAL);"
    "INSERT INTO types(a, b, m) VALUES (1, 'x', 1.5), (2, 'y', NULL);"
    "CREATE VIEW v AS SELECT a, b AS name, a*2 AS twice, b||'!' AS loud, NULL AS nil,"
    " x'00' AS bytes, CASE a WHEN 1 THEN 1 ELSE 'one' END AS mixed FROM types;"
    "CREATE TABLE gone(x); CREATE VIEW broken AS SELECT x FROM gone; DROP TABLE gone;"
    "CREATE VIEW circle AS SELECT * FROM circle2; CREATE VIEW circle2 AS SELECT * FROM circle;"
    "CREATE VIEW endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n)"
    " SELECT max(i) AS top FROM n;"
    "CREATE VIRTUAL TABLE search USING fts5(title, body);"
    "CREATE TABLE \"we\"\"ird; DROP TABLE types;--\"(\"col\"\"umn\" TEXT, \"?\");"
    "CREATE TABLE counted(x); CREATE INDEX counted_x ON counted(x) WHERE x > 9000;"
    "CREATE INDEX counted_all ON counted(x, 1);"
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<10000)"
    " INSERT INTO counted SELECT i FROM n; ANALYZE counted;";

static const char *describe(const aur_dataset_t *d)
{
    const char *s = apr_psprintf(pool, "%s%s %" APR_INT64_T_FMT ":", d->table,
                                 d->is_view ? " view" : "", d->row_estimate);
    int i;

    for (i = 0; i < d->ncolumns; i++) {
        const aur_column_t *c = &d->columns[i];
        s = apr_pstrcat(pool, s, " ", c->name, "=", aur_type_name(c->type),
                        c->type == AUR_T_TIMESTAMP_TZ ? "tz" : "", c->nullable ? "" : "!",
                        c->comparable ? "" : "#", NULL);
    }
    return s;
}

static void test_discover(void)
{
    static const char *const expected[] = {
        "counted 10000: x=number",
        "endless view -1: top=text",
        "search -1: title=text body=text",
        "types -1: a=number! b=text! c=number d=date e=timestamp f=timestamptz g=boolean h=binary# "
        "i=number j=text k=text l=text m=number n=number o=binary# p=number",
        "v view -1: a=number name=text twice=number loud=text nil=text bytes=binary# "
        "mixed=text",
        "we\"ird; DROP TABLE types;-- -1: col\"umn=text ?=text",
    };
    aur_catalog_builder_t *b = aur_catalog_builder_create(pool);
    const char *const *warnings;
    aur_catalog_t *catalog;
    apr_time_t start;
    fixture_t f;
    int i;

    open_db(&f, make_db("discover.db", discover_script));
    start = apr_time_now();
    ok(aur_db_discover(b, f.conn, &f.err, f.request) == APR_SUCCESS, "discovery");
    ok(apr_time_now() - start < apr_time_from_sec(3), "does not wait for a view without end");
    catalog = aur_catalog_build(b, NULL, &warnings);
    is_int(aur_catalog_count(catalog), N(expected), "tables and views, nothing of SQLite's own");
    for (i = 0; i < N(expected) && i < aur_catalog_count(catalog); i++) {
        is_str(describe(aur_catalog_get(catalog, i)), expected[i],
               aur_catalog_get(catalog, i)->name);
    }
    ok(strstr(f.logged, "broken") && strstr(f.logged, "circle"),
       "views that cannot be read are named in the log");
    aur_conn_cancel(f.conn);
    ok(aur_db_discover(b, f.conn, &f.err, f.request) == APR_EGENERAL &&
           f.err.code == AUR_E_QUERY_TIMEOUT,
       "a cancelled discovery says so");
    close_db(&f);
    open_db(&f, make_db("nothing.db", "CREATE TABLE t(x); DROP TABLE t"));
    b = aur_catalog_builder_create(pool);
    ok(aur_db_discover(b, f.conn, &f.err, f.request) == APR_SUCCESS &&
           aur_catalog_count(aur_catalog_build(b, NULL, &warnings)) == 0,
       "a database without tables is an empty catalogue");
    close_db(&f);
}

static void remove_dir(void)
{
    apr_finfo_t info;
    apr_dir_t *d;

    if (apr_dir_open(&d, dir, pool) == APR_SUCCESS) {
        while (apr_dir_read(&info, APR_FINFO_NAME | APR_FINFO_TYPE, d) == APR_SUCCESS) {
            if (info.filetype == APR_REG) {
                apr_file_remove(path_of(info.name), pool);
            }
        }
        apr_dir_close(d);
    }
    ok(apr_dir_remove(dir, pool) == APR_SUCCESS, "nothing else was left in the folder");
}

int main(void)
{
    const char *tmp;

    apr_initialize();
    atexit(apr_terminate);
    apr_pool_create(&pool, NULL);
    if (apr_temp_dir_get(&tmp, pool) != APR_SUCCESS ||
        apr_dir_make(dir = apr_psprintf(pool, "%s/aurora-db-%d", tmp, (int)getpid()),
                     APR_FPROT_OS_DEFAULT, pool) != APR_SUCCESS) {
        printf("Bail out! no folder for the test\n");
        return 1;
    }
    test_check();
    test_cells();
    test_binds();
    test_cursor();
    test_number();
    test_read_only();
    test_cancel();
    test_damage();
    test_cut();
    test_replaced();
    test_locked();
    test_discover();
    remove_dir();
    apr_pool_destroy(pool);
    return tap_done();
}
