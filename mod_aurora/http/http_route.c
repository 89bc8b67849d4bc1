/* http_route.c - what a path below the Location means. Allowed methods come from the same rows. */
#include "http/http_private.h"
#include "aurora/http.h"
#include "mod_aurora.h"

#include <http_protocol.h>
#include <http_request.h>
#include <apr_strings.h>

#define API "/api/v1/"

static const aur_route_t routes[] = {
    {API "datasets", NULL, "datasets", AUR_GET, AUR_KIND_DATASETS, aur_http_datasets},
    {API "datasets/", "/columns", "columns", AUR_GET, AUR_KIND_COLUMNS, aur_http_columns},
    {API "query/preview", NULL, "preview", AUR_POST, AUR_KIND_PREVIEW, aur_http_preview},
    {API "query/estimate", NULL, "estimate", AUR_POST, AUR_KIND_ESTIMATE, aur_http_estimate},
    {API "query/export", NULL, "csv", AUR_POST, AUR_KIND_CSV, aur_http_export},
    {API "reports", NULL, "reports", AUR_GET, AUR_KIND_REPORTS, aur_http_reports},
    {API "reports/", ".csv", "csv", AUR_GET, AUR_KIND_CSV, aur_http_report_csv},
    {API "reports/", ".xlsx", "xlsx", AUR_GET, AUR_KIND_XLSX, aur_http_report_xlsx},
    {API "reports/", "", "preview", AUR_GET, AUR_KIND_PREVIEW, aur_http_report},
    {API "tasks", NULL, "tasks", AUR_GET, AUR_KIND_TASKS, aur_http_tasks},
    {API "tasks/", "", "tasks", AUR_GET | AUR_DELETE, AUR_KIND_TASKS, aur_http_task},
    {API "openapi.json", NULL, "openapi", AUR_GET, AUR_KIND_OPENAPI, aur_http_openapi},
    {"/health", NULL, "health", AUR_GET, AUR_KIND_HEALTH, aur_http_health},
    {"/ready", NULL, "ready", AUR_GET, AUR_KIND_READY, aur_http_ready},
    {"/metrics", NULL, "metrics", AUR_GET, AUR_KIND_METRICS, aur_http_metrics},
};
#define NROUTES (sizeof(routes) / sizeof(routes[0]))

const char *aur_route_allow(const aur_route_t *route)
{
    switch (route->methods) {
    case AUR_GET:
        return "GET, HEAD, OPTIONS";
    case AUR_GET | AUR_DELETE:
        return "GET, HEAD, DELETE, OPTIONS";
    default:
        return "POST, OPTIONS";
    }
}

static int allows(const aur_route_t *route, const request_rec *r)
{
    switch (r->method_number) {
    case M_GET:
        return route->methods & AUR_GET;
    case M_POST:
        return route->methods & AUR_POST;
    case M_DELETE:
        return route->methods & AUR_DELETE;
    default:
        return 0;
    }
}

static int ends_with(const char *s, apr_size_t len, const char *end, apr_size_t endlen)
{
    return len >= endlen && !memcmp(s + len - endlen, end, endlen);
}

/* *arg: the part of the path that is the route's argument, in path. */
static int matches(const char **arg, apr_size_t *arglen, const aur_route_t *route, const char *path)
{
    apr_size_t len = strlen(path), head = strlen(route->path), tail;
    if (!route->suffix) {
        return !strcmp(path, route->path);
    }
    tail = strlen(route->suffix);
    if (len <= head + tail || strncmp(path, route->path, head) ||
        !ends_with(path, len, route->suffix, tail)) {
        return 0;
    }
    *arg = path + head;
    *arglen = len - head - tail;
    return 1;
}

const aur_route_t *aur_route_of(const char **arg, apr_size_t *arglen, const char *path)
{
    apr_size_t i;
    for (i = 0; i < NROUTES; i++) {
        if (matches(arg, arglen, &routes[i], path)) {
            return &routes[i];
        }
    }
    return NULL;
}

const aur_route_t *aur_route_at(apr_size_t i)
{
    return i < NROUTES ? &routes[i] : NULL;
}

/* Without a plain Location (LocationMatch, Files, a rewritten handler) the routes themselves show where
 * they begin. */
static const char *look_for(const char *uri)
{
    const char *at = strstr(uri, API);
    apr_size_t i, len = strlen(uri);
    for (i = 0; !at && i < NROUTES; i++) {
        apr_size_t n = strlen(routes[i].path);
        if (!routes[i].suffix && ends_with(uri, len, routes[i].path, n)) {
            at = uri + len - n;
        }
    }
    return at ? at : "";
}

const aur_route_t *aur_route_find(aur_request_t *x)
{
    const char *path, *arg = NULL;
    apr_size_t arglen = 0;

    if (x->route) {
        return x->route;
    }
    path = aur_request_path(x->r);
    if (!path) {
        path = look_for(x->r->uri);
    }
    x->route = aur_route_of(&arg, &arglen, path);
    if (x->route) {
        x->kind = x->route->kind;
        x->arg = arg ? apr_pstrmemdup(x->r->pool, arg, arglen) : NULL;
    }
    return x->route;
}

static int answer_options(aur_request_t *x)
{
    apr_table_setn(x->r->headers_out, "Allow", aur_route_allow(x->route));
    if (aur_cors_is_preflight(x)) {
        aur_cors_preflight(x);
    }
    x->r->status = HTTP_NO_CONTENT;
    aur_request_note(x, HTTP_NO_CONTENT);
    return OK;
}

int aur_http_handler(request_rec *r)
{
    aur_request_t *x;
    int status;
    if (!r->handler || strcmp(r->handler, AURORA_HANDLER)) {
        return DECLINED;
    }
    x = aur_request_get(r);
    aur_request_user(x);
    if (aur_admit_anonymous(x) != APR_SUCCESS) {
        return aur_answer_fail(x);
    }
    if (!aur_route_find(x)) {
        aur_error_set(&x->err, AUR_E_NOT_FOUND, NULL, "There is nothing at this address.");
        return aur_answer_fail(x);
    }
    if (r->method_number == M_OPTIONS) {
        return answer_options(x);
    }
    if (!allows(x->route, r)) {
        apr_table_setn(r->headers_out, "Allow", aur_route_allow(x->route));
        aur_error_set(&x->err, AUR_E_METHOD_NOT_ALLOWED, NULL,
                      "%.32s is not allowed here; allowed are %s.", r->method,
                      aur_route_allow(x->route));
        return aur_answer_fail(x);
    }
    status = x->route->run(x);
    if (x->place >= 0) { /* left on a way that answers nothing */
        aur_work_end(x, AUR_WORK_FAILED, AUR_E_INTERNAL);
    }
    aur_task_leave(x->task);
    x->task = NULL;
    aur_ending_release(&x->ending);
    return status;
}
