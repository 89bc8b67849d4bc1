/* The pool of connections: waiting, giving back, failing, threads, and the child's end. */
#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <netinet/in.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aurora/db.h"
#include "sanitized.h"
#include "tap.h"

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
    apr_status_t rv = APR_EGENERAL;
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
    for (i = 0; i < 50 && (rv = borrow(&conn, db, &err, pchild)) != APR_SUCCESS; i++) {
        apr_sleep(apr_time_from_msec(100));
    }
    ok(rv == APR_SUCCESS, "once it is there, it is found");
    aur_conn_return(conn);
    ok(!borrow(&conn, db, &err, pchild), "failed connects have used up no place in the pool");
    apr_pool_destroy(pchild);
    unlink(path);
    path = good;
}

/* --- uses, tasks, idle ones --------------------------------------------------------------------- */

static aur_db_t *db_create_as(const aur_db_settings_t *settings, const aur_db_hooks_t *hooks,
                              apr_pool_t *pchild)
{
    aur_db_t *db;

    if (aur_db_child_create_with(&db, settings, hooks, NULL, NULL, pchild) != APR_SUCCESS) {
        printf("Bail out! no db\n");
        exit(1);
    }
    return db;
}

static void test_reserve(void)
{
    aur_db_settings_t settings = {.driver = "sqlite3",
                                  .params = path,
                                  .pool_max = 3,
                                  .pool_reserve = 1,
                                  .pool_timeout = WAIT};
    apr_pool_t *pchild, *p;
    aur_conn_t *exports[3], *conn;
    aur_error_t err;
    aur_db_t *db;
    int i, got = 0;

    apr_pool_create(&pchild, pool);
    db = db_create_as(&settings, NULL, pchild);
    apr_pool_create(&p, pchild);
    for (i = 0; i < 3; i++) {
        aur_error_clear(&err);
        got += aur_conn_borrow(&exports[i], db, AUR_USE_EXPORT, NULL, NULL, &err, p) == APR_SUCCESS;
    }
    ok(got == 2 && err.code == AUR_E_POOL_EXHAUSTED, "exports leave one place alone");
    ok(!borrow(&conn, db, &err, p), "which a preview finds");
    aur_conn_return(conn);
    aur_conn_return(exports[0]);
    ok(!aur_conn_borrow(&exports[0], db, AUR_USE_EXPORT, NULL, NULL, &err, p),
       "an export that ends makes room for another");
    apr_pool_destroy(pchild);
}

typedef struct {
    aur_db_t *db;
    aur_task_t *task;
    aur_error_t err;
    apr_status_t rv;
    apr_interval_time_t took;
} waiter_t;

static void *APR_THREAD_FUNC wait_for_conn(apr_thread_t *thread, void *data)
{
    waiter_t *w = data;
    apr_time_t start = apr_time_now();
    aur_conn_t *conn;
    apr_pool_t *p;

    apr_pool_create_unmanaged_ex(&p, NULL, NULL);
    aur_error_clear(&w->err);
    w->rv = aur_conn_borrow_for(&conn, w->db, AUR_USE_PREVIEW, NULL, NULL, w->task, &w->err, p);
    w->took = apr_time_now() - start;
    apr_pool_destroy(p);
    return NULL;
}

static void test_task(void)
{
    aur_db_settings_t settings = {
        .driver = "sqlite3", .params = path, .pool_max = 1, .pool_timeout = apr_time_from_sec(5)};
    aur_task_limits_t limits = {.query_timeout = apr_time_from_msec(200)};
    aur_task_client_t nobody = {NULL};
    apr_pool_t *pchild, *request, *p;
    aur_watch_t *watch;
    aur_conn_t *conn;
    apr_thread_t *thread;
    apr_status_t ended;
    aur_error_t err;
    apr_int64_t n;
    waiter_t w;

    apr_pool_create(&pchild, pool);
    w.db = db_create_as(&settings, NULL, pchild);
    aur_watch_create(&watch, pchild);
    apr_pool_create(&request, pchild);
    apr_pool_create_unmanaged_ex(&p, NULL, NULL);
    aur_error_clear(&err);
    w.task = aur_task_enter(watch, &limits, &nobody, p);
    ok(!aur_conn_borrow_for(&conn, w.db, AUR_USE_PREVIEW, NULL, NULL, w.task, &err, request),
       "a task has a connection");
    ok(aur_db_number(&n, conn, sql_of(ENDLESS), &err, request) == APR_EGENERAL &&
           aur_task_reason(w.task) == AUR_STOP_TIMEOUT,
       "its statement is stopped when it takes too long");
    aur_conn_return(conn);
    aur_task_leave(w.task);
    ok(!borrow(&conn, w.db, &err, request) &&
           !aur_db_number(&n, conn, sql_of("SELECT count(*) FROM t"), &err, request) && n == 1000,
       "the next one on the connection is not");

    w.task = aur_task_enter(watch, &limits, &nobody, p);
    apr_thread_create(&thread, NULL, wait_for_conn, &w, pool);
    apr_sleep(apr_time_from_msec(150));
    aur_task_cancel(w.task, AUR_STOP_CANCELLED);
    apr_thread_join(&ended, thread);
    ok(w.rv == APR_EGENERAL && w.err.code == AUR_E_CLIENT_GONE && w.took < apr_time_from_msec(1000),
       "a task that is stopped does not wait for a connection any longer");
    aur_task_leave(w.task);
    w.task = NULL;
    apr_thread_create(&thread, NULL, wait_for_conn, &w, pool);
    apr_sleep(apr_time_from_msec(150));
    aur_db_stop(w.db);
    apr_thread_join(&ended, thread);
    ok(w.rv == APR_EGENERAL && w.err.code == AUR_E_DB_UNAVAILABLE &&
           w.took < apr_time_from_msec(1000),
       "nor does anybody once the child is to end");
    aur_conn_return(conn);
    apr_pool_destroy(p);
    apr_pool_destroy(pchild);
}

/* Sessions that others may have, too. */
typedef struct {
    int open, most, max, refused; /* atomic */
    int wanted;                   /* atomic */
} shared_t;

static int shared_take(void *ctx)
{
    shared_t *shared = ctx;
    int open = __atomic_add_fetch(&shared->open, 1, __ATOMIC_SEQ_CST);

    if (open > shared->max) {
        __atomic_sub_fetch(&shared->open, 1, __ATOMIC_SEQ_CST);
        __atomic_add_fetch(&shared->refused, 1, __ATOMIC_SEQ_CST);
        return 0;
    }
    return 1;
}

static void shared_give(void *ctx)
{
    __atomic_sub_fetch(&((shared_t *)ctx)->open, 1, __ATOMIC_SEQ_CST);
}

static int shared_wanted(void *ctx)
{
    return __atomic_load_n(&((shared_t *)ctx)->wanted, __ATOMIC_SEQ_CST);
}

static int becomes(const int *what, int value)
{
    int i;

    for (i = 0; i < 600 && __atomic_load_n(what, __ATOMIC_SEQ_CST) != value; i++) {
        apr_sleep(apr_time_from_msec(10));
    }
    return __atomic_load_n(what, __ATOMIC_SEQ_CST) == value;
}

static void test_kept(void)
{
    aur_db_settings_t settings = {.driver = "sqlite3",
                                  .params = path,
                                  .pool_min = 2,
                                  .pool_max = 5,
                                  .pool_timeout = WAIT,
                                  .pool_idle = apr_time_from_msec(500)};
    static shared_t shared; /* hooks outlive the child */
    aur_db_hooks_t hooks = {&shared, shared_take, shared_give, shared_wanted, NULL};
    aur_conn_t *conns[5];
    apr_pool_t *pchild, *p;
    aur_error_t err;
    aur_db_t *db;
    int i, got = 0;

    shared.max = 4;
    apr_pool_create(&pchild, pool);
    db = db_create_as(&settings, &hooks, pchild);
    ok(becomes(&shared.open, 2), "the minimum is opened by itself");
    apr_pool_create(&p, pchild);
    for (i = 0; i < 5; i++) {
        got += borrow(&conns[i], db, &err, p) == APR_SUCCESS;
    }
    ok(got == 4 && err.code == AUR_E_POOL_EXHAUSTED, "no more than the children may have together");
    ok(shared.refused > 0 && shared.open == 4, "which is asked for each");
    apr_pool_clear(p);
    ok(becomes(&shared.open, 2), "idle ones go, down to the minimum");
    __atomic_store_n(&shared.wanted, 1, __ATOMIC_SEQ_CST);
    ok(becomes(&shared.open, 0), "and below it where another child is in need");
    apr_pool_destroy(pchild);
    is_int(shared.open, 0, "all are given back in the end");
}

/* --- a database that does not answer ------------------------------------------------------------- */

#define HANGERS 8

/* Accepts (the kernel does) and never says a word. */
static int listen_mute(int *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)&at, len) != 0 || listen(fd, 64) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) != 0) {
        printf("Bail out! no loopback\n");
        exit(1);
    }
    *port = ntohs(at.sin_port);
    return fd;
}

static void test_mute(void)
{
    aur_db_settings_t settings = {
        .driver = "pgsql", .pool_max = 3, .pool_timeout = apr_time_from_msec(500)};
    apr_thread_t *threads[HANGERS];
    waiter_t waiters[HANGERS];
    apr_interval_time_t longest = 0;
    apr_pool_t *pchild;
    apr_status_t ended;
    apr_time_t start;
    int fd, port, i, refused = 0;

    fd = listen_mute(&port);
    settings.params = apr_psprintf(pool,
                                   "host=127.0.0.1 port=%d dbname=x sslmode=disable "
                                   "gssencmode=disable connect_timeout=2",
                                   port);
    apr_pool_create(&pchild, pool);
    waiters[0].db = db_create_as(&settings, NULL, pchild);
    for (i = 0; i < HANGERS; i++) {
        waiters[i].db = waiters[0].db;
        waiters[i].task = NULL;
        apr_thread_create(&threads[i], NULL, wait_for_conn, &waiters[i], pool);
    }
    for (i = 0; i < HANGERS; i++) {
        apr_thread_join(&ended, threads[i]);
        refused += waiters[i].rv == APR_EGENERAL && waiters[i].err.retry_after == 5;
        longest = waiters[i].took > longest ? waiters[i].took : longest;
    }
    is_int(refused, HANGERS, "a database that accepts and never answers: all are refused");
    ok(longest < apr_time_from_msec(900), "none waits behind another (%d ms)",
       (int)apr_time_as_msec(longest));
    wait_for_conn(NULL, &waiters[0]);
    ok(waiters[0].err.code == AUR_E_DB_UNAVAILABLE && waiters[0].took < apr_time_from_msec(100),
       "the next one is told at once");
    start = apr_time_now();
    apr_pool_destroy(pchild);
    ok(apr_time_now() - start < apr_time_from_msec(500), "the child's end does not wait for it");
    close(fd);
    apr_sleep(apr_time_from_sec(3)); /* the connects that were left behind end by themselves */
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
    test_reserve();
    test_task();
    test_kept();
    test_mute();
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
