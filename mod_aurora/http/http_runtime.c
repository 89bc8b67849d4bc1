/* http_runtime.c - a child's databases and catalogues. Written once, in child_init, before the
 * child has a second thread; only read from then on. */
#include "http/http_private.h"
#include "aurora/http.h"

#include <http_log.h>
#include <apr_hash.h>
#include <apr_strings.h>

APLOG_USE_MODULE(aurora);

#define LOG_LINE_MAX 2048

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
        if (made && same_database(&server->db, &other->db)) {
            runtime->db = made->db;
            runtime->store = same_catalog(server, other) ? made->store : NULL;
        }
    }
}

static apr_status_t open_runtime(aur_runtime_t *runtime, const aur_server_t *server, server_rec *s,
                                 apr_pool_t *pchild)
{
    apr_status_t rv = APR_SUCCESS;
    if (!runtime->db) {
        rv = aur_db_child_create(&runtime->db, &server->db, log_line, s, pchild);
    }
    if (rv == APR_SUCCESS && !runtime->store) {
        rv = aur_catalog_store_create(&runtime->store, runtime->db, server->catalog_file,
                                      server->catalog_refresh, log_line, s, pchild);
    }
    return rv;
}

void aur_http_child_init(apr_pool_t *pchild, server_rec *main_server)
{
    server_rec *s;
    runtimes = apr_hash_make(pchild);
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
}
