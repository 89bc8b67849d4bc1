/* http_roles.c - what the caller is, besides who: the words that AuroraRoles makes of the request, and the
 * values that row filters ask of it. */
#include "http/http_private.h"

#include <http_log.h>
#include <apr_lib.h>
#include <apr_strings.h>

APLOG_USE_MODULE(aurora);

static const char *evaluate(aur_request_t *x)
{
    const char *wrong = NULL, *text;

    if (!x->loc->roles) {
        return NULL;
    }
    text = ap_expr_str_exec(x->r, x->loc->roles, &wrong);
    if (wrong) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, x->r,
                      AURLOG(2004) "[%s] AuroraRoles cannot be evaluated: %s", x->correlation,
                      wrong);
        return NULL;
    }
    return text;
}

static void split(apr_array_header_t *roles, const char *text)
{
    while (*text) {
        apr_size_t len = strcspn(text, ","), end = len, from = 0;
        while (from < end && apr_isspace(text[from])) {
            from++;
        }
        while (end > from && apr_isspace(text[end - 1])) {
            end--;
        }
        if (end > from) {
            APR_ARRAY_PUSH(roles, const char *) =
                apr_pstrmemdup(roles->pool, text + from, end - from);
        }
        text += text[len] ? len + 1 : len;
    }
}

const apr_array_header_t *aur_request_roles(aur_request_t *x)
{
    if (!x->roles) {
        const char *text = evaluate(x);
        apr_array_header_t *roles = apr_array_make(x->r->pool, 4, sizeof(const char *));
        if (text) {
            split(roles, text);
        }
        x->roles = roles;
    }
    return x->roles;
}

int aur_request_has_role(aur_request_t *x, const char *role)
{
    const apr_array_header_t *roles = aur_request_roles(x);
    int i;

    for (i = 0; i < roles->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(roles, i, const char *), role)) {
            return 1;
        }
    }
    return 0;
}

int aur_request_is_operator(aur_request_t *x)
{
    const apr_array_header_t *operators = x->loc->operators;
    int i;

    for (i = 0; operators && i < operators->nelts; i++) {
        if (aur_request_has_role(x, APR_ARRAY_IDX(operators, i, const char *))) {
            return 1;
        }
    }
    return 0;
}

/* --- for the catalogue ---------------------------------------------------------------------------- */

static const char *value(void *ctx, const void *expr)
{
    aur_request_t *x = ctx;
    const char *wrong = NULL, *text = ap_expr_str_exec(x->r, expr, &wrong);

    return wrong ? NULL : text;
}

/* One line is enough to find the mistake, however many queries a request takes. */
static void no_rows(void *ctx, const aur_dataset_t *dataset, const char *why)
{
    aur_request_t *x = ctx;

    if (!x->told_no_rows) {
        x->told_no_rows = 1;
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, x->r,
                      AURLOG(2030) "[%s] the row_filter of %s shows %s no row: %s", x->correlation,
                      dataset->name, x->user, why);
    }
}

const aur_viewer_t *aur_request_viewer(aur_request_t *x)
{
    if (!x->viewer.ctx) {
        x->viewer.roles = aur_request_roles(x);
        x->viewer.value = value;
        x->viewer.no_rows = no_rows;
        x->viewer.ctx = x;
    }
    return &x->viewer;
}
