/* http_cors.c - which other sites' pages may call from a browser (the Fetch standard's CORS protocol).
 * An origin that is not allowed gets no header at all: the browser then refuses by itself. */
#include "http/http_private.h"
#include "aurora/http.h"

#include <http_request.h>
#include <apr_strings.h>

#define EXPOSED                                                                                    \
    "X-Correlation-ID, X-Aurora-Task, Content-Disposition, Retry-After, RateLimit, "               \
    "RateLimit-Policy"
#define REQUEST_HEADERS   "content-type, authorization, x-correlation-id"
#define PREFLIGHT_SECONDS "3600"

/* @return the value of Access-Control-Allow-Origin, or NULL; *listed: some answer depends on Origin */
static const char *match(const apr_array_header_t *allowed, const char *origin, int *listed)
{
    const char *found = NULL;
    int i;
    for (i = 0; i < allowed->nelts; i++) {
        const char *entry = APR_ARRAY_IDX(allowed, i, const char *);
        if (!strcmp(entry, "*")) {
            found = found ? found : "*";
            continue;
        }
        *listed = 1;
        if (origin && !strcmp(entry, origin)) {
            found = entry;
        }
    }
    return origin ? found : NULL;
}

/* err_headers_out: these stand on answers of httpd's own as well, or a page could not even see that
 * it has to log in. Credentials go with origins that are named, never with '*'. */
void aur_cors_apply(aur_request_t *x)
{
    apr_table_t *out = x->r->err_headers_out;
    const char *origin = apr_table_get(x->r->headers_in, "Origin");
    int listed = 0;

    if (!x->loc->allowed_origins) {
        return;
    }
    x->origin = match(x->loc->allowed_origins, origin, &listed);
    if (listed) {
        apr_table_mergen(out, "Vary", "Origin");
    }
    if (x->origin) {
        apr_table_setn(out, "Access-Control-Allow-Origin", x->origin);
        apr_table_setn(out, "Access-Control-Expose-Headers", EXPOSED);
        if (strcmp(x->origin, "*")) {
            apr_table_setn(out, "Access-Control-Allow-Credentials", "true");
        }
    }
}

int aur_cors_is_preflight(const aur_request_t *x)
{
    return x->origin && x->r->method_number == M_OPTIONS &&
           apr_table_get(x->r->headers_in, "Access-Control-Request-Method") != NULL;
}

void aur_cors_preflight(aur_request_t *x)
{
    apr_table_t *out = x->r->headers_out;
    apr_table_setn(out, "Access-Control-Allow-Methods", aur_route_allow(x->route));
    apr_table_setn(out, "Access-Control-Allow-Headers", REQUEST_HEADERS);
    apr_table_setn(out, "Access-Control-Max-Age", PREFLIGHT_SECONDS);
}

int aur_http_preflight(request_rec *r)
{
    return r->method_number == M_OPTIONS && aur_request_is_ours(r) &&
                   aur_cors_is_preflight(aur_request_get(r))
               ? OK
               : DECLINED;
}
