/* The catalogue store: first load, refresh, failures, threads, end. */
#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aurora/catalog_store.h"
#include "aurora/sync.h"
#include "sanitized.h"
#include "tap.h"

#define THREADS 8
#define SOON    apr_time_from_sec(5)

static apr_pool_t *pool;
static const char *path;

static void script(const char *text)
{
    char *message = NULL;
    sqlite3 *db;

    if (sqlite3_open(path, &db) != SQLITE_OK || sqlite3_busy_timeout(db, 5000) != SQLITE_OK ||
        sqlite3_exec(db, "PRAGMA synchronous=OFF", NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(db, text, NULL, NULL, &message) != SQLITE_OK) {
        printf("Bail out! %s\n", message ? message : sqlite3_errmsg(db));
        exit(1);
    }
    sqlite3_close(db);
}

typedef struct {
    apr_pool_t *pchild;
    aur_db_t *db;
    aur_catalog_store_t *store;
} fixture_t;

static void start(fixture_t *f, apr_interval_time_t refresh)
{
    aur_db_settings_t settings = {.driver = "sqlite3",
                                  .params = path,
                                  .pool_max = 2,
                                  .pool_timeout = apr_time_from_msec(500)};

    apr_pool_create(&f->pchild, pool);
    if (aur_db_child_create(&f->db, &settings, NULL, NULL, f->pchild) != APR_SUCCESS ||
        aur_catalog_store_create(&f->store, f->db, NULL, refresh, 0, NULL, NULL, f->pchild) !=
            APR_SUCCESS) {
        printf("Bail out! no store\n");
        exit(1);
    }
}

/* Datasets in the current snapshot; -1 when there is none. */
static int count(fixture_t *f, apr_interval_time_t wait_us, aur_error_t *err)
{
    const aur_catalog_t *catalog;
    apr_pool_t *p;
    int n = -1;

    aur_error_clear(err);
    apr_pool_create_unmanaged_ex(&p, NULL, NULL);
    if (aur_catalog_store_get(&catalog, f->store, wait_us, err, p) == APR_SUCCESS) {
        n = aur_catalog_count(catalog);
    }
    apr_pool_destroy(p);
    return n;
}

static int becomes(fixture_t *f, int want)
{
    apr_time_t deadline = apr_time_now() + SOON;
    aur_error_t err;

    while (count(f, SOON, &err) != want) {
        if (apr_time_now() > deadline) {
            return 0;
        }
        apr_sleep(2000);
    }
    return 1;
}

/* Do all threads but the first block every signal that can be blocked? */
static int signals_blocked(void)
{
    unsigned long long mask;
    struct dirent *entry;
    char line[256];
    int others = 0, blocked = 0;
    DIR *tasks = opendir("/proc/self/task");

    while (tasks && (entry = readdir(tasks)) != NULL) {
        FILE *f;
        if (entry->d_name[0] == '.' || atoi(entry->d_name) == (int)getpid()) {
            continue;
        }
        f = fopen(apr_pstrcat(pool, "/proc/self/task/", entry->d_name, "/status", NULL), "r");
        others++;
        while (f && fgets(line, sizeof(line), f)) {
            if (sscanf(line, "SigBlk: %llx", &mask) == 1) {
                unsigned long long wanted = (1ULL << (SIGTERM - 1)) | (1ULL << (SIGHUP - 1)) |
                                            (1ULL << (SIGUSR1 - 1)) | (1ULL << (SIGINT - 1));
                blocked += (mask & wanted) == wanted;
            }
        }
        if (f) {
            fclose(f);
        }
    }
    if (tasks) {
        closedir(tasks);
    }
    return others >= 1 && blocked == others;
}

static void test_refresh(void)
{
    const aur_catalog_t *old;
    aur_error_t err;
    apr_pool_t *p;
    fixture_t f;

    script("CREATE TABLE one(x)");
    start(&f, 1);
    is_int(count(&f, SOON, &err), 1, "the first reader waits for the first load");
    ok(signals_blocked(), "the thread takes no signal");
    apr_pool_create(&p, pool);
    ok(aur_catalog_store_get(&old, f.store, 0, &err, p) == APR_SUCCESS,
       "once there is one, nobody waits");
    script("CREATE TABLE two(x)");
    ok(becomes(&f, 2), "a new table appears after a refresh");
    is_int(aur_catalog_count(old), 1, "who has an older snapshot keeps it");
    ok(!strcmp(aur_catalog_get(old, 0)->name, "one"), "whole");
    apr_pool_destroy(p);
    unlink(path);
    count(&f, 0, &err);
    apr_sleep(apr_time_from_msec(150));
    is_int(count(&f, 0, &err), 2, "a refresh that fails leaves the last one in place");
    script("CREATE TABLE three(x)");
    ok(becomes(&f, 1), "and the database is followed when it is back");
    apr_pool_destroy(f.pchild);
    unlink(path);
}

static void test_no_refresh(void)
{
    aur_error_t err;
    fixture_t f;

    script("CREATE TABLE one(x)");
    start(&f, 0);
    is_int(count(&f, SOON, &err), 1, "refresh 0: loaded once");
    script("CREATE TABLE two(x)");
    count(&f, 0, &err);
    apr_sleep(apr_time_from_msec(150));
    is_int(count(&f, 0, &err), 1, "and never again");
    apr_pool_destroy(f.pchild);
    unlink(path);
}

static void test_missing(void)
{
    aur_error_t err;
    apr_time_t begin;
    fixture_t f;

    start(&f, SOON);
    begin = apr_time_now();
    is_int(count(&f, SOON, &err), -1, "no database, no catalogue");
    ok(err.code == AUR_E_DB_UNAVAILABLE && err.retry_after == 5, "told as what it is");
    ok(!strstr(err.detail, path) && strstr(err.native, path), "the path for the log only");
    is_int(count(&f, SOON, &err), -1, "asked again, tried again");
    ok(apr_time_now() - begin < apr_time_from_sec(2),
       "a load that failed is told at once, not at the end of the wait");
    is_int(count(&f, 0, &err), -1, "who does not want to wait does not");
    script("CREATE TABLE one(x)");
    ok(becomes(&f, 1), "the catalogue comes with the database");
    apr_pool_destroy(f.pchild);
    unlink(path);
}

static void test_by_itself(void)
{
    aur_error_t err;
    fixture_t f;
    int i, n = -1;

    start(&f, 0);
    apr_sleep(apr_time_from_msec(50));
    script("CREATE TABLE one(x)");
    for (i = 0; i < 50 && n < 0; i++) {
        apr_sleep(apr_time_from_msec(100));
        n = i < 10 ? -1 : count(&f, 0, &err);
    }
    ok(n == 1 && i == 11, "a failed first load is repeated without anybody asking");
    apr_pool_destroy(f.pchild);
    unlink(path);
}

typedef struct {
    fixture_t *f;
    int good;
} reader_t;

static void *APR_THREAD_FUNC read_all(apr_thread_t *thread, void *data)
{
    reader_t *r = data;
    apr_pool_t *p;
    int i, j;

    apr_pool_create_unmanaged_ex(&p, NULL, NULL);
    for (i = 0; i < 300; i++) {
        const aur_catalog_t *catalog;
        aur_error_t err;
        int whole = 0;
        if (aur_catalog_store_get(&catalog, r->f->store, SOON, &err, p) == APR_SUCCESS) {
            for (j = 0; j < aur_catalog_count(catalog); j++) {
                const aur_dataset_t *d = aur_catalog_get(catalog, j);
                whole += !strcmp(d->name, j ? "two" : "one") && d->ncolumns == 1;
            }
        }
        r->good += whole == 2;
        apr_pool_clear(p);
        apr_sleep(200);
    }
    apr_pool_destroy(p);
    return NULL;
}

static void test_threads(void)
{
    apr_thread_t *threads[THREADS];
    reader_t readers[THREADS];
    apr_status_t rv;
    fixture_t f;
    int i, good = 0;

    script("CREATE TABLE one(x); CREATE TABLE two(y)");
    start(&f, 1); /* a refresh whenever somebody asks */
    for (i = 0; i < THREADS; i++) {
        readers[i].f = &f;
        readers[i].good = 0;
        apr_thread_create(&threads[i], NULL, read_all, &readers[i], pool);
    }
    for (i = 0; i < THREADS; i++) {
        apr_thread_join(&rv, threads[i]);
        good += readers[i].good;
    }
    is_int(good, THREADS * 300, "readers on eight threads see whole snapshots while they change");
    apr_pool_destroy(f.pchild);
    unlink(path);
}

static void test_end(void)
{
    const aur_catalog_t *catalog;
    apr_time_t begin;
    aur_error_t err;
    apr_pool_t *p;
    fixture_t f;
    int i;

    script("CREATE TABLE one(x); CREATE VIEW slow AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
           "SELECT i+1 FROM n) SELECT max(i) AS top FROM n");
    begin = apr_time_now();
    for (i = 0; i < 20; i++) {
        start(&f, 1);
        apr_sleep(i * 1000);
        apr_pool_destroy(f.pchild);
    }
    ok(apr_time_now() - begin < apr_time_from_sec(3),
       "a child may end while the thread is loading");
    start(&f, 1);
    apr_pool_create(&p, pool);
    ok(aur_catalog_store_get(&catalog, f.store, SOON, &err, p) == APR_SUCCESS, "a reader");
    apr_pool_destroy(f.pchild);
    apr_pool_destroy(p);
    start(&f, 0);
    is_int(count(&f, SOON, &err), 2, "may outlive the store; the next child has its own");
    apr_pool_destroy(f.pchild);
    unlink(path);
}

#define DEATHS 40

static apr_pool_t *dying;

static void die_in_handler(int sig)
{
    apr_pool_destroy(dying);
    _exit(42);
}

/* A child with one thread, which asks for the catalogue all the time; `told` hears that it does. */
static void ask_until_killed(int told)
{
    const aur_catalog_t *catalog;
    aur_error_t err;
    apr_pool_t *p;
    fixture_t f;

    aur_sync_handlers_set(1);
    start(&f, 0);
    dying = f.pchild;
    apr_pool_create_unmanaged_ex(&p, NULL, NULL);
    if (count(&f, SOON, &err) != 1 || signal(SIGTERM, die_in_handler) == SIG_ERR ||
        write(told, "", 1) != 1) {
        _exit(1);
    }
    for (;;) {
        aur_catalog_store_get(&catalog, f.store, 0, &err, p);
        apr_pool_clear(p);
    }
}

/* @return whether it ends in order, and soon */
static int dies(void)
{
    int ends[2], status = 0, i;
    pid_t pid;
    char c;

    fflush(stdout);
    if (pipe(ends) != 0 || (pid = fork()) < 0) {
        return 0;
    }
    if (pid == 0) {
        ask_until_killed(ends[1]);
    }
    close(ends[1]);
    i = read(ends[0], &c, 1) == 1;
    close(ends[0]);
    apr_sleep(apr_time_from_msec(2));
    kill(pid, SIGTERM);
    for (i = i ? 0 : 5000; i < 5000 && waitpid(pid, &status, WNOHANG) == 0; i++) {
        apr_sleep(apr_time_from_msec(1));
    }
    if (i == 5000) {
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 42;
}

/* As prefork ends a child: the handler finds the store in whatever the request was doing with it. */
static void test_end_in_handler(void)
{
    int i;

    script("CREATE TABLE one(x)");
    for (i = 0; i < DEATHS && dies(); i++) {
    }
    is_int(i, DEATHS, "a child that is ended while it asks for the catalogue ends in order");
    unlink(path);
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
    path = apr_psprintf(pool, "%s/aurora-store-%d.db", tmp, (int)getpid());
    test_refresh();
    test_no_refresh();
    test_missing();
    test_by_itself();
    test_threads();
    test_end();
    if (!SANITIZED) { /* ThreadSanitizer rightly minds what prefork does in its handler */
        test_end_in_handler();
    }
    apr_pool_destroy(pool);
    return tap_done();
}
