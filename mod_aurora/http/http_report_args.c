/* http_report_args.c - see http_report_args.h. */
#include "http/http_report_args.h"
#include "http/http_export.h"

#include <http_log.h>
#include <apr_strings.h>

#include "aurora/number.h"
#include "aurora/text.h"

APLOG_USE_MODULE(aurora);

static apr_status_t malformed(aur_request_t *x)
{
    return aur_error_set(&x->err, AUR_E_BAD_REQUEST, NULL,
                         "The query string is not percent-encoded UTF-8 without NUL characters.");
}

/* "+" is a blank. */
static apr_status_t decode(aur_request_t *x, char *text)
{
    return ap_unescape_urlencoded(text) == OK && aur_utf8_valid(text, strlen(text)) ? APR_SUCCESS
                                                                                    : malformed(x);
}

static apr_status_t refuse(aur_request_t *x, const char *name, const char *what)
{
    aur_error_set(&x->err, AUR_E_BAD_REQUEST, NULL, "Parameter %s%s", name, what);
    aur_error_column(&x->err, name);
    return APR_EGENERAL;
}

static apr_status_t whole(apr_int64_t *out, aur_request_t *x, const aur_report_given_t *pair,
                          apr_int64_t min)
{
    apr_int64_t n;
    apr_size_t len = strlen(pair->value);

    if (*out >= 0) {
        return refuse(x, pair->name, " is given twice.");
    }
    if (!aur_number_valid(pair->value, len) || !aur_number_to_int(pair->value, len, &n) ||
        n < min) {
        return refuse(x, pair->name,
                      min ? ": a whole number from 1 up." : ": a whole number from 0 up.");
    }
    *out = n;
    return APR_SUCCESS;
}

static apr_status_t shape(aur_paging_t *paging, aur_request_t *x, const aur_report_given_t *pair)
{
    if (paging->arrays >= 0) {
        return refuse(x, pair->name, " is given twice.");
    }
    paging->arrays = !strcmp(pair->value, "arrays");
    return paging->arrays || !strcmp(pair->value, "objects")
               ? APR_SUCCESS
               : refuse(x, pair->name, ": objects or arrays.");
}

/* One pair; *kept says that it may be a parameter's. */
static apr_status_t pair_read(aur_link_t *link, aur_request_t *x, const aur_report_given_t *pair,
                              int is_file, int *kept)
{
    *kept = 0;
    if (!is_file && !strcmp(pair->name, "limit")) {
        return whole(&link->paging.limit, x, pair, 1);
    }
    if (!is_file && !strcmp(pair->name, "offset")) {
        return whole(&link->paging.offset, x, pair, 0);
    }
    if (!is_file && !strcmp(pair->name, "shape")) {
        return shape(&link->paging, x, pair);
    }
    *kept = !is_file || !aur_export_is_option(pair->name);
    return APR_SUCCESS;
}

static apr_status_t pair_split(aur_report_given_t *out, aur_request_t *x, char *pair)
{
    char *value = strchr(pair, '=');

    if (value) {
        *value++ = '\0';
    }
    else {
        value = apr_pstrdup(x->r->pool, "");
    }
    out->name = pair;
    out->value = value;
    return decode(x, pair) == APR_SUCCESS ? decode(x, value) : APR_EGENERAL;
}

apr_status_t aur_link_read(aur_link_t *link, aur_request_t *x, int is_file)
{
    apr_pool_t *p = x->r->pool;
    apr_array_header_t *given = apr_array_make(p, 8, sizeof(aur_report_given_t));
    char *state, *text = apr_strtok(apr_pstrdup(p, x->r->args ? x->r->args : ""), "&", &state);
    apr_status_t rv = APR_SUCCESS;

    link->paging = (aur_paging_t){-1, -1, -1};
    while (text && rv == APR_SUCCESS) {
        aur_report_given_t pair;
        int kept = 0;
        rv = pair_split(&pair, x, text);
        if (rv == APR_SUCCESS) {
            rv = pair_read(link, x, &pair, is_file, &kept);
        }
        if (rv == APR_SUCCESS && kept) {
            APR_ARRAY_PUSH(given, aur_report_given_t) = pair;
        }
        text = apr_strtok(NULL, "&", &state);
    }
    link->given = (const aur_report_given_t *)given->elts;
    link->ngiven = given->nelts;
    return rv;
}

const char *aur_link_caller(void *ctx, const aur_report_param_t *param)
{
    aur_request_t *x = ctx;
    const ap_expr_info_t *expr =
        apr_hash_get(x->server->report_exprs, param->expr, APR_HASH_KEY_STRING);
    const char *wrong = NULL, *text = ap_expr_str_exec(x->r, expr, &wrong);

    if (wrong) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, x->r,
                      AURLOG(2012) "[%s] parameter %s of report %s cannot be evaluated: %s",
                      x->correlation, param->name, x->report->name, wrong);
        return NULL;
    }
    return text;
}
