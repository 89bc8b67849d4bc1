/* http_body.c - a request's JSON body: its declared type, its size, its bytes. */
#include "http/http_private.h"

#include <http_protocol.h>
#include <util_filter.h>
#include <apr_lib.h>
#include <apr_strings.h>

#define FIRST_BYTES 8192

static int refuse_media(aur_request_t *x)
{
    aur_error_set(&x->err, AUR_E_UNSUPPORTED_MEDIA, NULL,
                  "The body has to be application/json in UTF-8.");
    return DONE;
}

static int refuse_size(aur_request_t *x)
{
    aur_error_set(&x->err, AUR_E_BODY_TOO_LARGE, NULL,
                  "The body is larger than %" APR_INT64_T_FMT " bytes.", x->loc->max_request_body);
    x->err.limit = x->loc->max_request_body;
    return DONE;
}

/* application/json, with parameters as they come; a charset can only be utf-8 (RFC 8259 knows none). */
static int is_json(const char *type, apr_pool_t *p)
{
    char *state, *param, *text = apr_pstrdup(p, type ? type : "");
    apr_size_t len;

    param = apr_strtok(text, ";", &state);
    if (!param) {
        return 0;
    }
    apr_collapse_spaces(param, param);
    if (strcasecmp(param, "application/json")) {
        return 0;
    }
    while ((param = apr_strtok(NULL, ";", &state)) != NULL) {
        apr_collapse_spaces(param, param);
        if (strncasecmp(param, "charset=", 8)) {
            continue;
        }
        param += 8;
        len = strlen(param);
        if (len > 1 && *param == '"' && param[len - 1] == '"') {
            param[len - 1] = '\0';
            param++;
        }
        if (strcasecmp(param, "utf-8") && strcasecmp(param, "utf8")) {
            return 0;
        }
    }
    return 1;
}

typedef struct collect_t {
    char *bytes;
    apr_size_t len, room, max;
} collect_t;

/* Growth doubles, so all copies together are at most twice the limit. @return 0 beyond the limit */
static int collect(collect_t *c, const char *data, apr_size_t len, apr_pool_t *p)
{
    if (len > c->max - c->len) {
        return 0;
    }
    if (len > c->room - c->len) {
        apr_size_t room = c->room * 2 > c->len + len ? c->room * 2 : c->len + len;
        char *bytes = apr_palloc(p, room);
        memcpy(bytes, c->bytes, c->len);
        c->bytes = bytes;
        c->room = room;
    }
    memcpy(c->bytes + c->len, data, len);
    c->len += len;
    return 1;
}

static int cut_short(aur_request_t *x, apr_status_t rv)
{
    if (rv == AP_FILTER_ERROR) {
        return AP_FILTER_ERROR; /* a filter has answered already */
    }
    if (APR_STATUS_IS_ENOSPC(rv)) {
        return refuse_size(x); /* LimitRequestBody */
    }
    x->r->connection->keepalive = AP_CONN_CLOSE; /* where the next request begins is not known */
    aur_error_set(&x->err, AUR_E_BAD_JSON, NULL,
                  APR_STATUS_IS_TIMEUP(rv) ? "The body did not arrive in time."
                                           : "The body broke off before its end.");
    return DONE;
}

/* One brigade. *eos: the body has ended. */
static int take(aur_request_t *x, collect_t *c, apr_bucket_brigade *bb, int *eos)
{
    apr_bucket *e;
    for (e = APR_BRIGADE_FIRST(bb); e != APR_BRIGADE_SENTINEL(bb); e = APR_BUCKET_NEXT(e)) {
        const char *data;
        apr_size_t len;
        apr_status_t rv;
        if (APR_BUCKET_IS_EOS(e)) {
            *eos = 1;
            return OK;
        }
        if (APR_BUCKET_IS_METADATA(e)) {
            continue;
        }
        rv = apr_bucket_read(e, &data, &len, APR_BLOCK_READ);
        if (rv != APR_SUCCESS) {
            return cut_short(x, rv);
        }
        if (!collect(c, data, len, x->r->pool)) {
            return refuse_size(x);
        }
    }
    return OK;
}

int aur_body_read(aur_request_t *x, const char **body, apr_size_t *len)
{
    request_rec *r = x->r;
    const char *declared = apr_table_get(r->headers_in, "Content-Length");
    collect_t c = {0};
    apr_bucket_brigade *bb;
    apr_off_t size;
    int eos = 0, status = OK;

    if (!is_json(apr_table_get(r->headers_in, "Content-Type"), r->pool)) {
        return refuse_media(x);
    }
    c.max = (apr_size_t)x->loc->max_request_body;
    if (declared && ap_parse_strict_length(&size, declared) && size > x->loc->max_request_body) {
        return refuse_size(x); /* before the client is told to continue */
    }
    c.room = c.max < FIRST_BYTES ? c.max : FIRST_BYTES;
    c.bytes = apr_palloc(r->pool, c.room);
    bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    while (!eos && status == OK) {
        apr_status_t rv =
            ap_get_brigade(r->input_filters, bb, AP_MODE_READBYTES, APR_BLOCK_READ, FIRST_BYTES);
        if (rv == APR_SUCCESS && APR_BRIGADE_EMPTY(bb)) {
            rv = APR_EOF;
        }
        status = rv == APR_SUCCESS ? take(x, &c, bb, &eos) : cut_short(x, rv);
        apr_brigade_cleanup(bb);
    }
    apr_brigade_destroy(bb);
    *body = c.bytes;
    *len = c.len;
    return status;
}
