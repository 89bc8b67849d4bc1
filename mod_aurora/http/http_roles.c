/* http_roles.c - what the caller is, besides who: the words that AuroraRoles makes of the request. */
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
