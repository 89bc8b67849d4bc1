/* The pool of connections: waiting, giving back, failing, threads, and the child's end. */
#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aurora/db.h"
#include "tap.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#define THREADS 8
#define ROUNDS  150
#define WAIT    apr_time_from_msec(300)
#define ENDLESS                                                                                    \
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT count(*) FROM n"

static apr_pool_t *pool;
static const char *path;

static void make_db(const char *file)
{
    sqlite3 *db;

    if (sqlite3_open(file, &db) != SQLITE_OK ||
        sqlite3_exec(db,
                     "PRAGMA synchronous=OFF; CREATE TABLE t(x); WITH RECURSIVE n(i) AS (SELECT 1 "
                     "UNION ALL SELECT i+1 FROM n WHERE i<1000) INSERT INTO t SELECT i FROM n",
                     NULL, NULL, NULL) != SQLITE_OK) {
        printf("Bail out! %s\n", sqlite3_errmsg(db));
        exit(1);
    }
    sqlite3_close(db);
}

static aur_db_t *db_create(int max, apr_pool_t *pchild)
{
    aur_db_settings_t settings = {
        .driver = "sqlite3", .params = path, .pool_max = max, .pool_timeout = WAIT};
    aur_db_t *db;

    if (aur_db_child_create(&db, &settings, NULL, NULL, pchild) != APR_SUCCESS) {
        printf("Bail out! no db\n");
        exit(1);
    }
    return db;
}

static const aur_sql_t *sql_of(const char *text)
{
    static aur_sql_t sql;

    sql.text = text;
    sql.len = strlen(text);
    return &sql;
}

static apr_status_t borrow(aur_conn_t **conn, aur_db_t *db, aur_error_t *err, apr_pool_t *p)
{
    aur_error_clear(err);
    return aur_conn_borrow(conn, db, AUR_USE_PREVIEW, NULL, NULL, err, p);
}

/* --- waiting ------------------------------------------------------------------------------------ */

static void *APR_THREAD_FUNC return_later(apr_thread_t *thread, void *data)
{
    apr_sleep(apr_time_from_msec(100));
    apr_pool_destroy(data);
    return NULL;
}

static void test_waiting(void)
{
    apr_pool_t *pchild, *a, *b, *c, *other;
    aur_conn_t *conn;
    aur_error_t err;
    apr_thread_t *thread;
    apr_status_t rv, ended;
    apr_time_t start, took;
    aur_db_t *db;

    apr_pool_create(&pchild, pool);
    db = db_create(2, pchild);
    apr_pool_create(&a, pchild);
    apr_pool_create(&c, pchild);
    apr_pool_create_unmanaged_ex(&b, NULL, NULL); /* destroyed by another thread */
    ok(!borrow(&conn, db, &err, a) && !borrow(&conn, db, &err, b), "as many as the pool holds");
    start = apr_time_now();
    rv = borrow(&conn, db, &err, c);
    took = apr_time_now() - start;
    ok(rv == APR_EGENERAL && err.code == AUR_E_POOL_EXHAUSTED && err.retry_after == 5,
       "one more is refused");
    ok(took >= WAIT - 10000 && took < WAIT + 200000, "when the wait is over, and not later");
    apr_pool_create_unmanaged_ex(&other, NULL, NULL);
    apr_thread_create(&thread, NULL, return_later, b, other);
    start = apr_time_now();
    rv = borrow(&conn, db, &err, c);
    took = apr_time_now() - start;
    ok(rv == APR_SUCCESS && took > 50000 && took < WAIT,
       "one that comes back by the end of its pool goes to who waits");
    apr_thread_join(&ended, thread);
    apr_pool_destroy(other);
    aur_conn_return(conn);
    aur_conn_return(conn);
    ok(!borrow(&conn, db, &err, c),
       "one that was returned can be borrowed; twice returned is once");
    apr_pool_create(&b, pchild);
    rv = borrow(&conn, db, &err, b);
    ok(rv == APR_EGENERAL && err.code == AUR_E_POOL_EXHAUSTED, "the pool did not grow by it");
    apr_pool_destroy(pchild);
}

static void test_failing(void)
{
    const char *good = path;
    apr_pool_t *pchild;
    aur_conn_t *conn;
    aur_error_t err;
    aur_db_t *db;
    int i, refused = 0;

    path = apr_pstrcat(pool, good, ".missing", NULL);
    apr_pool_create(&pchild, pool);
    db = db_create(1, pchild);
    for (i = 0; i < 5; i++) {
        refused += borrow(&conn, db, &err, pchild) == APR_EGENERAL &&
                   err.code == AUR_E_DB_UNAVAILABLE && err.retry_after == 5 && err.connection_lost;
    }
    is_int(refused, 5, "a database that is not there is told each time");
    make_db(path);
    ok(!borrow(&conn, db, &err, pchild), "failed connects have used up no place in the pool");
    apr_pool_destroy(pchild);
    unlink(path);
    path = good;
}

/* --- memory and threads --------------------------------------------------------------------------- */

static long rss_kib(void)
{
    long size = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (f) {
        if (fscanf(f, "%ld %ld", &size, &resident) != 2) {
            resident = 0;
        }
        fclose(f);
    }
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static int one_round(aur_db_t *db, apr_pool_t *p)
{
    aur_conn_t *conn;
    aur_error_t err;
    apr_int64_t n = 0;
    aur_sql_t sql = {.text = "SELECT count(*) FROM t", .len = 22};

    return borrow(&conn, db, &err, p) == APR_SUCCESS &&
           aur_db_number(&n, conn, &sql, &err, p) == APR_SUCCESS && n == 1000;
}

static void test_flat(void)
{
    apr_pool_t *pchild, *p;
    aur_db_t *db;
    long before = 0;
    int i, good = 0;

    apr_pool_create(&pchild, pool);
    db = db_create(2, pchild);
    apr_pool_create(&p, pchild);
    for (i = 0; i < 10000; i++) {
        if (i == 1000) {
            before = rss_kib();
        }
        good += one_round(db, p);
        apr_pool_clear(p);
    }
    is_int(good, 10000, "ten thousand borrowers, one after the other");
    if (!SANITIZED) { /* a sanitizer keeps freed memory */
        ok(before > 0 && rss_kib() - before < 256, "leave no trace in memory");
    }
    apr_pool_destroy(pchild);
}

typedef struct {
    aur_db_t *db;
    int good, stopped, exhausted, bad;
} worker_t;

static void *APR_THREAD_FUNC work(apr_thread_t *thread, void *data)
{
    worker_t *w = data;
    aur_sql_t endless = {.text = ENDLESS, .len = sizeof(ENDLESS) - 1};
    apr_pool_t *p;
    int i;

    apr_pool_create_unmanaged_ex(&p, NULL, NULL);
    for (i = 0; i < ROUNDS; i++) {
        aur_conn_t *conn;
        aur_error_t err;
        apr_int64_t n;
        if (i % 10 != 9) {
            w->good += one_round(w->db, p);
        }
        else if (borrow(&conn, w->db, &err, p) == APR_SUCCESS) {
            aur_conn_cancel(conn); /* the next borrower must not feel it */
            w->stopped += aur_db_number(&n, conn, &endless, &err, p) == APR_EGENERAL &&
                          err.code == AUR_E_QUERY_TIMEOUT;
            aur_conn_return(conn);
        }
        apr_pool_clear(p);
    }
    apr_pool_destroy(p);
    return NULL;
}

static void test_threads(void)
{
    apr_thread_t *threads[THREADS];
    worker_t workers[THREADS];
    apr_pool_t *pchild;
    apr_status_t rv;
    aur_db_t *db;
    int i, good = 0, stopped = 0;

    apr_pool_create(&pchild, pool);
    db = db_create(4, pchild);
    memset(workers, 0, sizeof(workers));
    for (i = 0; i < THREADS; i++) {
        workers[i].db = db;
        apr_thread_create(&threads[i], NULL, work, &workers[i], pool);
    }
    for (i = 0; i < THREADS; i++) {
        apr_thread_join(&rv, threads[i]);
        good += workers[i].good;
        stopped += workers[i].stopped;
    }
    is_int(good, THREADS * (ROUNDS - ROUNDS / 10), "eight threads on four connections");
    is_int(stopped, THREADS * (ROUNDS / 10), "with cancelled ones in between");
    apr_pool_destroy(pchild);
}

/* --- the child's end ------------------------------------------------------------------------------ */

static void test_end_before_borrower(void)
{
    apr_pool_t *pchild, *request;
    aur_cursor_t *cursor = NULL;
    aur_conn_t *conn;
    const aur_cell_t *cells;
    aur_error_t err;
    aur_db_t *db;

    apr_pool_create(&request, pool);
    apr_pool_create(&pchild, pool);
    db = db_create(1, pchild);
    ok(!borrow(&conn, db, &err, request) &&
           !aur_cursor_open(&cursor, conn, sql_of("SELECT x FROM t"), &err, request) &&
           !aur_cursor_next(&cells, cursor, &err),
       "a borrower in the middle of its rows");
    apr_pool_destroy(pchild);
    ok(aur_cursor_next(&cells, cursor, &err) == APR_EGENERAL, "the db ends: no more rows");
    ok(aur_cursor_open(&cursor, conn, sql_of("SELECT 1"), &err, request) == APR_EGENERAL,
       "no more statements");
    aur_conn_cancel(conn);
    aur_conn_return(conn);
    ok(aur_cursor_next(&cells, cursor, &err) == APR_EGENERAL,
       "and giving it back afterwards changes nothing");
    apr_pool_destroy(request);
}

static apr_pool_t *dying;

static void die_in_handler(int sig)
{
    apr_pool_destroy(dying);
    _exit(42);
}

/* As prefork ends a child: pchild is destroyed by the signal handler, inside a running statement. */
static void test_end_inside_statement(void)
{
    int status = 0;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        apr_pool_t *request;
        aur_conn_t *conn;
        aur_error_t err;
        apr_int64_t n;
        aur_db_t *db;
        apr_pool_create(&dying, pool);
        apr_pool_create(&request, dying);
        db = db_create(1, dying);
        signal(SIGALRM, die_in_handler);
        alarm(1);
        if (borrow(&conn, db, &err, request) == APR_SUCCESS) {
            aur_db_number(&n, conn, sql_of(ENDLESS), &err, request);
        }
        _exit(1);
    }
    ok(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 42,
       "a child that is ended inside a statement ends in order");
}

static void test_unknown_driver(void)
{
    aur_db_settings_t settings = {.driver = NULL, .params = path, .pool_max = 1};
    aur_db_t *db;

    ok(aur_db_child_create(&db, &settings, NULL, NULL, pool) == APR_ENOTIMPL,
       "a driver without a backend makes no db");
}

int main(void)
{
    const char *tmp;

    apr_initialize();
    atexit(apr_terminate);
    apr_pool_create(&pool, NULL);
    if (apr_temp_dir_get(&tmp, pool) != APR_SUCCESS) {
        printf("Bail out! no folder for the test\n");
        return 1;
    }
    path = apr_psprintf(pool, "%s/aurora-pool-%d.db", tmp, (int)getpid());
    make_db(path);
    test_waiting();
    test_failing();
    test_flat();
    test_threads();
    test_end_before_borrower();
    if (!SANITIZED) { /* ThreadSanitizer rightly minds what prefork does in its handler */
        test_end_inside_statement();
    }
    test_unknown_driver();
    unlink(path);
    apr_pool_destroy(pool);
    return tap_done();
}
