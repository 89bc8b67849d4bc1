/* http_openapi.c - the interface described as OpenAPI 3.1: routes and methods from their table, words from openapi.json,
 * everything that another table or the configuration knows from there (http_openapi.h). */
#include "http/http_openapi.h"
#include "aurora/http.h"

#include <http_log.h>
#include <http_protocol.h>
#include <apr_sha1.h>
#include <apr_strings.h>

#include "aurora/json_out.h"
#include "aurora/number.h"

APLOG_USE_MODULE(aurora);

#define BUFFERS 4 /* all of it, so that it has its length */

/* openapi.json, without its indentation; written by the Makefile. */
extern const char aur_openapi_json[];

/* From post_config on, for all children; only read. */
static json_t *root;

/* --- values ------------------------------------------------------------------------------------- */

static const char *known(aur_openapi_t *d, const char *name, const char *text)
{
    if (!text && !d->wrong) {
        d->wrong = name;
    }
    return text ? text : "";
}

/* Each {{name}} by what stands for it. */
static const char *filled_in(aur_openapi_t *d, const char *text)
{
    const char *out = "", *open, *close;

    while ((open = strstr(text, "{{")) && (close = strstr(open, "}}"))) {
        const char *name = apr_pstrmemdup(d->p, open + 2, (apr_size_t)(close - open - 2));
        out = apr_pstrcat(d->p, out, apr_pstrmemdup(d->p, text, (apr_size_t)(open - text)),
                          known(d, name, aur_openapi_text(d, name)), NULL);
        text = close + 2;
    }
    return *out ? apr_pstrcat(d->p, out, text, NULL) : text;
}

static void write_text(aur_openapi_t *d, const char *text)
{
    if (*text != '@') {
        aur_json_cstring(d->sink, filled_in(d, text));
    }
    else if (!aur_openapi_value(d, text + 1)) {
        known(d, text, NULL);
        aur_json_lit(d->sink, "null");
    }
}

static void write_object(aur_openapi_t *d, const json_t *object)
{
    const char *name;
    const json_t *value;
    int n = 0;

    aur_json_lit(d->sink, "{");
    json_object_foreach((json_t *)object, name, value)
    {
        aur_sink_write(d->sink, ",", n++ > 0);
        if (!strcmp(name, "@errors")) {
            aur_openapi_errors(d, value,
                               json_object_get(json_object_get(object, "200"), "headers"));
            continue;
        }
        aur_json_cstring(d->sink, name);
        aur_json_lit(d->sink, ":");
        aur_openapi_write(d, value);
    }
    aur_json_lit(d->sink, "}");
}

static void write_array(aur_openapi_t *d, const json_t *array)
{
    const json_t *value;
    apr_size_t i;

    aur_json_lit(d->sink, "[");
    json_array_foreach(array, i, value)
    {
        aur_sink_write(d->sink, ",", i > 0);
        aur_openapi_write(d, value);
    }
    aur_json_lit(d->sink, "]");
}

void aur_openapi_write(aur_openapi_t *d, const json_t *value)
{
    aur_cell_t cell = {.kind = AUR_V_NULL};

    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_OBJECT:
        write_object(d, value);
        return;
    case JSON_ARRAY:
        write_array(d, value);
        return;
    case JSON_STRING:
        write_text(d, json_string_value(value));
        return;
    case JSON_INTEGER:
        aur_json_int(d->sink, json_integer_value(value));
        return;
    case JSON_REAL:
        cell.kind = AUR_V_DOUBLE;
        cell.v.d = json_real_value(value);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        cell.kind = AUR_V_BOOL;
        cell.v.i = json_is_true(value);
        break;
    case JSON_NULL:
        break;
    }
    aur_json_cell(d->sink, &cell);
}

/* --- routes ------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int method;
} methods[] = {{"get", AUR_GET}, {"post", AUR_POST}, {"delete", AUR_DELETE}};
#define NMETHODS (sizeof(methods) / sizeof(methods[0]))

/* The route that a path of the description stands for: with "x" for its parameter. */
static const aur_route_t *route_of(const char *path, apr_pool_t *p)
{
    const char *open = strchr(path, '{'), *close = open ? strchr(open, '}') : NULL, *arg;
    apr_size_t len;

    if (close) {
        path = apr_pstrcat(p, apr_pstrmemdup(p, path, (apr_size_t)(open - path)), "x", close + 1,
                           NULL);
    }
    return aur_route_of(&arg, &len, path);
}

static void write_path(aur_openapi_t *d, const aur_route_t *route, const json_t *path)
{
    const json_t *parameters = json_object_get(path, "parameters");
    apr_size_t i;
    int n = 0;

    aur_json_lit(d->sink, "{");
    if (parameters) {
        aur_json_lit(d->sink, "\"parameters\":");
        aur_openapi_write(d, parameters);
        n++;
    }
    for (i = 0; i < NMETHODS; i++) {
        const json_t *operation = json_object_get(path, methods[i].name);
        if (operation && (route->methods & methods[i].method)) {
            aur_sink_write(d->sink, ",", n++ > 0);
            aur_json_cstring(d->sink, methods[i].name);
            aur_json_lit(d->sink, ":");
            aur_openapi_write(d, operation);
        }
    }
    aur_json_lit(d->sink, "}");
}

/* What is described but not served here is left out. */
static void write_paths(aur_openapi_t *d)
{
    const char *name;
    const json_t *path;
    int n = 0;

    aur_json_lit(d->sink, "{");
    json_object_foreach(json_object_get(d->root, "paths"), name, path)
    {
        const aur_route_t *route = route_of(name, d->p);
        if (route) {
            aur_sink_write(d->sink, ",", n++ > 0);
            aur_json_cstring(d->sink, name);
            aur_json_lit(d->sink, ":");
            write_path(d, route, path);
        }
    }
    aur_json_lit(d->sink, "}");
}

static void write_document(aur_openapi_t *d)
{
    const char *name;
    const json_t *value;
    int n = 0;

    aur_json_lit(d->sink, "{");
    json_object_foreach((json_t *)d->root, name, value)
    {
        if (!strncmp(name, "x-", 2)) {
            continue; /* for us alone */
        }
        aur_sink_write(d->sink, ",", n++ > 0);
        aur_json_cstring(d->sink, name);
        aur_json_lit(d->sink, ":");
        if (!strcmp(name, "paths")) {
            write_paths(d);
        }
        else {
            aur_openapi_write(d, value);
        }
    }
    aur_json_lit(d->sink, "}\n");
}

/* --- its digest, by writing it to nobody ---------------------------------------------------------- */

static apr_status_t digest_pass(void *ctx, apr_bucket_brigade *bb, int last)
{
    apr_bucket *e;
    const char *data;
    apr_size_t len;

    for (e = APR_BRIGADE_FIRST(bb); e != APR_BRIGADE_SENTINEL(bb); e = APR_BUCKET_NEXT(e)) {
        if (apr_bucket_read(e, &data, &len, APR_BLOCK_READ) == APR_SUCCESS) {
            apr_sha1_update_binary(ctx, (const unsigned char *)data, (unsigned)len);
        }
    }
    apr_brigade_cleanup(bb);
    return APR_SUCCESS;
}

static const char *digest(aur_openapi_t *d, apr_bucket_alloc_t *ba)
{
    unsigned char sum[APR_SHA1_DIGESTSIZE];
    char etag[2 * APR_SHA1_DIGESTSIZE + 3], *at = etag;
    apr_sha1_ctx_t sha;
    int i;

    apr_sha1_init(&sha);
    d->sink = aur_sink_create(1, AUR_SINK_BUFFER_BYTES, ba, digest_pass, &sha, d->p);
    write_document(d);
    aur_sink_finish(d->sink);
    apr_sha1_final(sum, &sha);
    *at++ = '"';
    for (i = 0; i < APR_SHA1_DIGESTSIZE; i++) {
        apr_snprintf(at, 3, "%02x", sum[i]);
        at += 2;
    }
    *at++ = '"';
    *at = '\0';
    return apr_pstrdup(d->p, etag);
}

/* --- the answer --------------------------------------------------------------------------------- */

static const char *base_of(const aur_request_t *x)
{
    apr_size_t len = strlen(x->r->uri), tail = strlen(x->route->path);
    return ap_os_escape_path(x->r->pool,
                             apr_pstrmemdup(x->r->pool, x->r->uri, len > tail ? len - tail : 0), 1);
}

int aur_http_openapi(aur_request_t *x)
{
    aur_openapi_t d = {
        .root = root, .base = base_of(x), .loc = x->loc, .server = x->server, .p = x->r->pool};
    int status;

    apr_table_setn(x->r->headers_out, "ETag", digest(&d, x->r->connection->bucket_alloc));
    apr_table_setn(x->r->headers_out, "Cache-Control", "private, no-cache");
    status = ap_meets_conditions(x->r);
    if (status != OK) {
        aur_request_note(x, status);
        return status;
    }
    aur_answer_begin(x, "application/json", BUFFERS);
    apr_table_setn(x->r->headers_out, "Cache-Control", "private, no-cache");
    d.sink = x->sink;
    write_document(&d);
    return aur_answer_end(x);
}

/* --- start -------------------------------------------------------------------------------------- */

/* @return a route, and *method, that openapi.json does not describe; NULL: none */
static const aur_route_t *undescribed(const char **method, apr_pool_t *p)
{
    const aur_route_t *route;
    apr_size_t i, m;

    for (i = 0; (route = aur_route_at(i)) != NULL; i++) {
        int seen = 0;
        const char *name;
        const json_t *path;
        json_object_foreach(json_object_get(root, "paths"), name, path)
        {
            for (m = 0; m < NMETHODS && route_of(name, p) == route; m++) {
                seen |= json_object_get(path, methods[m].name) ? methods[m].method : 0;
            }
        }
        for (m = 0; m < NMETHODS; m++) {
            if (route->methods & ~seen & methods[m].method) {
                *method = methods[m].name;
                return route;
            }
        }
    }
    return NULL;
}

static apr_status_t forget(void *ctx)
{
    json_decref(root);
    root = NULL;
    return APR_SUCCESS;
}

static int refuse_start(server_rec *s, const char *what, const char *name)
{
    ap_log_error(APLOG_MARK, APLOG_EMERG, 0, s,
                 AURLOG(2040) "the description of the interface: %s %s", what, name);
    return HTTP_INTERNAL_SERVER_ERROR;
}

int aur_openapi_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    const aur_location_t location = {0};
    aur_openapi_t d = {.base = "", .loc = &location, .server = aur_config_server(s), .p = ptemp};
    const aur_route_t *route;
    const char *method = "";
    json_error_t error;

    root = json_loads(aur_openapi_json, JSON_REJECT_DUPLICATES, &error);
    if (!root) {
        return refuse_start(s, "cannot be read:", error.text);
    }
    apr_pool_cleanup_register(pconf, NULL, forget, apr_pool_cleanup_null);
    route = undescribed(&method, ptemp);
    if (route) {
        return refuse_start(s, "says nothing of",
                            apr_pstrcat(ptemp, method, " ", route->path, route->suffix, NULL));
    }
    d.root = root;
    digest(&d, apr_bucket_alloc_create(ptemp));
    return d.wrong ? refuse_start(s, "there is nothing for", d.wrong) : OK;
}
