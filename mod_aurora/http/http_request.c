/* http_request.c - a request becomes ours: where it was sent to, who sent it, under which id. */
#include "http/http_private.h"
#include "aurora/http.h"
#include "mod_aurora.h"

#include <http_core.h>
#include <http_log.h>
#include <http_request.h>
#include <apr_general.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_time.h>

APLOG_USE_MODULE(aurora);

#define CORRELATION_MAX 128
#define RANDOM_BYTES    16

/* --- is it ours, and where does it begin --------------------------------------------------------- */

/* SetHandler keeps an expression, even for a plain word. */
static int says_aurora(request_rec *r, const core_dir_config *conf)
{
    const char *name = conf->handler, *wrong = NULL;
    if (conf->expr_handler) {
        name = ap_expr_str_exec(r, conf->expr_handler, &wrong);
    }
    return name && !wrong && !strcmp(name, AURORA_HANDLER);
}

int aur_request_is_ours(request_rec *r)
{
    const core_dir_config *conf = ap_get_core_module_config(r->per_dir_config);
    return conf && says_aurora(r, conf);
}

/* Does <Location "d"> cover the path? As httpd sees it: whole segments. @return bytes covered, or -1 */
static apr_ssize_t covers(const char *d, const char *uri)
{
    apr_size_t len = strlen(d);
    while (len && d[len - 1] == '/') {
        len--;
    }
    return !strncmp(d, uri, len) && (uri[len] == '/' || !uri[len]) ? (apr_ssize_t)len : -1;
}

/* The last Location that says so wins, as in httpd's own merging; a handler for the whole server
 * begins at the root. */
const char *aur_request_path(request_rec *r)
{
    const core_server_config *server = ap_get_core_module_config(r->server->module_config);
    const core_dir_config *conf = ap_get_core_module_config(r->server->lookup_defaults);
    const char *path = conf && says_aurora(r, conf) ? r->uri : NULL;
    ap_conf_vector_t *const *sections = (ap_conf_vector_t *const *)server->sec_url->elts;
    apr_ssize_t len;
    int i;

    for (i = 0; i < server->sec_url->nelts; i++) {
        conf = ap_get_core_module_config(sections[i]);
        if (conf->d && !conf->r && !conf->d_is_fnmatch && (len = covers(conf->d, r->uri)) >= 0 &&
            says_aurora(r, conf)) {
            path = r->uri + len;
        }
    }
    return path;
}

/* --- ids ------------------------------------------------------------------------------------------ */

static const char *hex(const unsigned char *bytes, apr_pool_t *p)
{
    static const char digits[] = "0123456789abcdef";
    char *id = apr_palloc(p, 2 * RANDOM_BYTES + 1);
    int i;
    for (i = 0; i < RANDOM_BYTES; i++) {
        id[2 * i] = digits[bytes[i] >> 4];
        id[2 * i + 1] = digits[bytes[i] & 15];
    }
    id[2 * RANDOM_BYTES] = '\0';
    return id;
}

const char *aur_random_id(apr_pool_t *p)
{
    unsigned char bytes[RANDOM_BYTES];
    return apr_generate_random_bytes(bytes, sizeof(bytes)) == APR_SUCCESS ? hex(bytes, p) : NULL;
}

/* Has to tell requests apart, not to be unguessable. */
static const char *fresh(apr_pool_t *p)
{
    unsigned char bytes[RANDOM_BYTES];
    ap_random_insecure_bytes(bytes, sizeof(bytes));
    return hex(bytes, p);
}

static int sane(const char *id)
{
    apr_size_t len = 0;
    for (; id[len]; len++) {
        if (len == CORRELATION_MAX || (!apr_isalnum(id[len]) && !strchr("._-", id[len]))) {
            return 0;
        }
    }
    return len > 0;
}

/* An internal redirect keeps the id it began with: the header is there already. */
static const char *correlation(request_rec *r)
{
    const char *id = apr_table_get(r->err_headers_out, "X-Correlation-ID");
    if (!id) {
        id = apr_table_get(r->headers_in, "X-Correlation-ID");
        id = id && sane(id) ? apr_pstrdup(r->pool, id) : fresh(r->pool);
    }
    return id;
}

/* --- the request's own value ---------------------------------------------------------------------- */

aur_request_t *aur_request_get(request_rec *r)
{
    aur_request_t *x = ap_get_module_config(r->request_config, &aurora_module);
    if (x) {
        return x;
    }
    x = apr_pcalloc(r->pool, sizeof(*x));
    x->r = r;
    x->loc = aur_config_location(r);
    x->server = aur_config_server(r->server);
    x->runtime = aur_runtime_get(x->server);
    x->start = apr_time_now();
    x->begun = aur_clock();
    x->rows = x->bytes = -1;
    x->place = -1;
    x->correlation = correlation(r);
    aur_error_clear(&x->err);
    ap_set_module_config(r->request_config, &aurora_module, x);

    apr_table_setn(r->err_headers_out, "X-Correlation-ID", x->correlation);
    apr_table_setn(r->subprocess_env, "AURORA_CORRELATION_ID", x->correlation);
    aur_cors_apply(x);
    return x;
}

void aur_request_user(aur_request_t *x)
{
    const char *wrong = NULL, *user = ap_expr_str_exec(x->r, x->loc->user, &wrong);
    if (wrong) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, x->r,
                      AURLOG(2001) "[%s] AuroraUser cannot be evaluated: %s", x->correlation,
                      wrong);
    }
    x->named = user && *user && !wrong;
    x->user = x->named ? user : x->r->useragent_ip;
}

static void note_number(aur_request_t *x, const char *name, apr_int64_t n)
{
    apr_table_setn(x->r->subprocess_env, name, apr_psprintf(x->r->pool, "%" APR_INT64_T_FMT, n));
}

/* mod_log_config writes what is not printable ASCII as \xhh, which JSON has no word for: such bytes are
 * percent-encoded before. */
static const char *printable(const char *text, apr_pool_t *p)
{
    static const char digits[] = "0123456789ABCDEF";
    char *out = apr_palloc(p, 3 * strlen(text) + 1), *to = out;

    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte >= 0x20 && byte < 0x7f && byte != '%') {
            *to++ = *text;
        }
        else {
            *to++ = '%';
            *to++ = digits[byte >> 4];
            *to++ = digits[byte & 15];
        }
    }
    *to = '\0';
    return out;
}

static void note_text(aur_request_t *x, const char *name, const char *text)
{
    if (text) {
        apr_table_setn(x->r->subprocess_env, name, printable(text, x->r->pool));
    }
}

void aur_request_note(aur_request_t *x, int status)
{
    x->status = status;
    note_number(x, "AURORA_CODE", status);
    note_text(x, "AURORA_USER", x->user);
    note_text(x, "AURORA_KIND", x->kind);
    note_text(x, "AURORA_DATASET", x->dataset);
    note_text(x, "AURORA_TASK", x->task_id);
    note_text(x, "AURORA_SHA256", x->sha256);
    if (x->bytes >= 0) {
        note_number(x, "AURORA_BYTES", x->bytes);
    }
    if (x->rows >= 0) {
        note_number(x, "AURORA_ROWS", x->rows);
    }
    if (x->conn || x->db_us || x->wait_us) {
        note_number(x, "AURORA_DB_MS", apr_time_as_msec(x->db_us));
        note_number(x, "AURORA_WAIT_MS", apr_time_as_msec(x->wait_us));
    }
}

/* --- hooks ---------------------------------------------------------------------------------------- */

static int admit(aur_request_t *x)
{
    aur_route_find(x);
    if (aur_admit_client(x) != APR_SUCCESS) {
        aur_answer_fail(x);
        return DONE;
    }
    return OK;
}

int aur_http_early(request_rec *r)
{
    if (!aur_request_is_ours(r)) {
        return DECLINED;
    }
    return ap_is_initial_req(r) ? admit(aur_request_get(r)) : OK;
}

const char *aur_http_correlation_id(request_rec *r)
{
    const aur_request_t *x = ap_get_module_config(r->request_config, &aurora_module);
    return x ? x->correlation : NULL;
}
