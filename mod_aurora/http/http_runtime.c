/* http_runtime.c - a child's databases and catalogues. Written once, in child_init, before the
 * child has a second thread; only read from then on. */
#include "http/http_private.h"
#include "aurora/http.h"

#include "aurora/govern_board.h"
#include "aurora/sync.h"

#include <http_core.h>
#include <http_log.h>
#include <apr_hash.h>
#include <apr_strings.h>

APLOG_USE_MODULE(aurora);

#define LOG_LINE_MAX 2048
/* A catalogue of many thousand tables takes its time; a database that is silent for so long says nothing more. */
#define CATALOG_WAIT apr_time_from_sec(300)

static aur_watch_t *watch;   /* NULL: no database, or no thread for it */
static apr_hash_t *runtimes; /* aur_server_t * -> aur_runtime_t * */

const aur_runtime_t *aur_runtime_get(const aur_server_t *server)
{
    return runtimes ? apr_hash_get(runtimes, &server, sizeof(server)) : NULL;
}

/* Lines of db/ and of the catalogue's thread, which know no request. */
__attribute__((format(printf, 4, 5))) static void log_line(void *ctx, int level, apr_status_t rv,
                                                           const char *fmt, ...)
{
    char line[LOG_LINE_MAX];
    va_list ap;
    va_start(ap, fmt);
    apr_vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    ap_log_error(APLOG_MARK, level, rv, (server_rec *)ctx, AURLOG(3001) "%s", line);
}

static int same_text(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

static int same_names(const char *const *a, const char *const *b)
{
    if (!a || !b) {
        return a == b;
    }
    while (*a && *b && !strcmp(*a, *b)) {
        a++;
        b++;
    }
    return !*a && !*b;
}

static int same_database(const aur_db_settings_t *a, const aur_db_settings_t *b)
{
    return same_text(a->driver, b->driver) && same_text(a->params, b->params) &&
           a->pool_min == b->pool_min && a->pool_max == b->pool_max &&
           a->pool_reserve == b->pool_reserve && a->pool_timeout == b->pool_timeout &&
           a->pool_idle == b->pool_idle && same_names(a->schemas, b->schemas);
}

static int same_catalog(const aur_server_t *a, const aur_server_t *b)
{
    return same_text(a->catalog_path, b->catalog_path) && a->catalog_refresh == b->catalog_refresh;
}

/* Share what an earlier server of the list has made with the same settings. */
static void share(aur_runtime_t *runtime, const aur_server_t *server, server_rec *first,
                  const server_rec *before)
{
    for (; first != before && !runtime->store; first = first->next) {
        const aur_server_t *other = aur_config_server(first);
        const aur_runtime_t *made = aur_runtime_get(other);
        if (made && same_database(&server->db, &other->db) &&
            server->db_sessions_max == other->db_sessions_max) {
            runtime->db = made->db;
            runtime->store = same_catalog(server, other) ? made->store : NULL;
        }
    }
}

/* --- sessions, counted for all children --------------------------------------------------------- */

#define WANTED_WITHIN apr_time_from_msec(1500)

typedef struct share_t {
    server_rec *s;
    const aur_server_t *server;
    aur_board_t *board;
    int slot, database;
} share_t;

static int take_session(void *ctx)
{
    const share_t *of = ctx;
    return aur_board_session_take(of->board, of->slot, of->database, of->server->db_sessions_max);
}

static void give_session(void *ctx)
{
    const share_t *of = ctx;
    aur_board_session_give(of->board, of->slot, of->database);
}

static int wanted_session(void *ctx)
{
    const share_t *of = ctx;
    return aur_board_session_wanted(of->board, of->database, WANTED_WITHIN);
}

static void count_borrowers(void *ctx, int waiting, int busy)
{
    const share_t *of = ctx;
    aur_board_borrowers(of->board, of->slot, waiting, busy);
}

static void tell_capacity(void *ctx, apr_int64_t sessions)
{
    const share_t *of = ctx;
    aur_sizing_capacity(of->s, of->server, sessions);
}

/* From the process' pool: a connect that hangs may outlive pchild. */
static apr_status_t open_db(aur_runtime_t *runtime, const aur_server_t *server, server_rec *s,
                            apr_pool_t *pchild)
{
    aur_db_settings_t settings = server->db;
    aur_db_hooks_t hooks = {.take = take_session,
                            .give = give_session,
                            .wanted = wanted_session,
                            .borrowers = count_borrowers,
                            .capacity = tell_capacity};
    share_t *of = apr_pcalloc(s->process->pool, sizeof(*of));

    of->s = s;
    of->server = server;
    of->board = aur_govern_board();
    of->slot = aur_govern_board_slot();
    of->database = aur_board_database(of->board, settings.driver, settings.params);
    hooks.ctx = of;
    aur_sizing_fit(&settings);
    return aur_db_child_create_with(&runtime->db, &settings, &hooks, log_line, s, pchild);
}

static apr_status_t open_runtime(aur_runtime_t *runtime, const aur_server_t *server, server_rec *s,
                                 apr_pool_t *pchild)
{
    apr_status_t rv = APR_SUCCESS;
    if (!runtime->db) {
        rv = open_db(runtime, server, s, pchild);
    }
    if (rv == APR_SUCCESS && !runtime->store) {
        rv = aur_catalog_store_create(&runtime->store, runtime->db, server->catalog_file,
                                      server->catalog_refresh, CATALOG_WAIT, log_line, s, pchild);
    }
    return rv;
}

/* Last of all, so that it ends first: before what it watches. */
static void open_watch(server_rec *s, apr_pool_t *pchild)
{
    apr_hash_index_t *i;
    void *runtime;
    apr_status_t rv;

    if (apr_hash_count(runtimes) == 0) {
        return;
    }
    rv = aur_watch_create(&watch, pchild);
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, rv, s,
                     AURLOG(3007) "nothing can be stopped in this child: no watch thread");
        watch = NULL;
    }
    for (i = apr_hash_first(pchild, runtimes); i; i = apr_hash_next(i)) {
        apr_hash_this(i, NULL, NULL, &runtime);
        ((aur_runtime_t *)runtime)->watch = watch;
    }
}

/* --- hooks ---------------------------------------------------------------------------------------- */

static apr_int64_t users_most(server_rec *s)
{
    apr_int64_t most = 0;

    for (; s; s = s->next) {
        apr_int64_t users = aur_config_server(s)->users_max;
        most = users > most ? users : most;
    }
    return most;
}

int aur_http_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main)
{
    server_rec *s;
    apr_hash_t *told = apr_hash_make(ptemp);
    int status;

    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        return OK; /* read once to see whether it can be, thrown away and read again */
    }
    aur_http_figures_reset();
    status = aur_govern_board_parent(main, users_most(main));
    for (s = main; s && status == OK; s = s->next) {
        const aur_server_t *server = aur_config_server(s);
        const void **key = apr_pmemdup(ptemp, &server, sizeof(server));
        if (server->db.params && !apr_hash_get(told, key, sizeof(*key))) {
            apr_hash_set(told, key, sizeof(*key), server);
            aur_sizing_notice(s, server);
        }
    }
    return status;
}

void aur_http_child_stopping(apr_pool_t *pchild, int graceful)
{
    apr_hash_index_t *i;
    void *runtime;

    aur_stop_told();
    if (graceful || !runtimes) {
        return;
    }
    if (watch) {
        aur_watch_stop(watch);
    }
    /* The index in the hash itself: this may be a signal handler. */
    for (i = apr_hash_first(NULL, runtimes); i; i = apr_hash_next(i)) {
        apr_hash_this(i, NULL, NULL, &runtime);
        aur_db_stop(((aur_runtime_t *)runtime)->db);
    }
}

void aur_http_child_init(apr_pool_t *pchild, server_rec *main_server)
{
    server_rec *s;
    runtimes = apr_hash_make(pchild);
    aur_sync_handlers_set(!aur_sizing_threads());
    aur_stop_child_init(pchild, main_server);
    aur_govern_board_child();
    for (s = main_server; s; s = s->next) {
        const aur_server_t *server = aur_config_server(s);
        const aur_server_t **key;
        aur_runtime_t *runtime;
        apr_status_t rv;

        if (!server->db.params || aur_runtime_get(server)) {
            continue;
        }
        runtime = apr_pcalloc(pchild, sizeof(*runtime));
        share(runtime, server, main_server, s);
        rv = open_runtime(runtime, server, s, pchild);
        if (rv != APR_SUCCESS) {
            ap_log_error(APLOG_MARK, APLOG_CRIT, rv, s,
                         AURLOG(3002) "the database side of this child could not be set up");
            continue;
        }
        key = apr_pmemdup(pchild, &server, sizeof(server));
        apr_hash_set(runtimes, key, sizeof(*key), runtime);
    }
    open_watch(main_server, pchild);
}
