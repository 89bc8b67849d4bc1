/* config_reports.c - named reports, as far as their file alone cannot tell whether they are right: stored
 * requests by the grammar of requests, hand-written SQL as the database will read it, expressions by httpd. */
#include "config/config_private.h"

#include <http_log.h>
#include <apr_strings.h>

#include "aurora/query_report.h"

APLOG_USE_MODULE(aurora);

/* Does the statement stand as it is written, whatever the values? */
static apr_status_t check_sql(const aur_report_t *report, const aur_dialect_t *dialect,
                              aur_error_t *err, apr_pool_t *ptemp)
{
    const aur_plan_t *plan = aur_report_written(report, aur_report_sample(report, ptemp), ptemp);
    aur_sql_t *sql;

    if (!dialect || aur_sql_build(&sql, dialect, plan, AUR_SQL_PAGE, err, ptemp) == APR_SUCCESS) {
        return APR_SUCCESS; /* without a database nothing runs */
    }
    return aur_error_set(err, AUR_E_BAD_REQUEST, apr_pstrcat(ptemp, report->pointer, "/sql", NULL),
                         "%s", apr_pstrdup(ptemp, err->detail));
}

static apr_status_t compile(apr_hash_t *exprs, const aur_report_t *report, int index,
                            aur_error_t *err, apr_pool_t *pconf, apr_pool_t *ptemp)
{
    const char *text = report->params[index].expr, *wrong;
    ap_expr_info_t *info;

    if (!text || apr_hash_get(exprs, text, APR_HASH_KEY_STRING)) {
        return APR_SUCCESS;
    }
    info = apr_pcalloc(pconf, sizeof(*info));
    info->filename = "AuroraCatalog"; /* shown where evaluating it fails */
    info->flags = AP_EXPR_FLAG_STRING_RESULT;
    info->module_index = APLOG_MODULE_INDEX;
    wrong = ap_expr_parse(pconf, ptemp, info, text, NULL);
    if (wrong) {
        return aur_error_set(err, AUR_E_BAD_REQUEST,
                             apr_psprintf(ptemp, "%s/parameters/%d/expr", report->pointer, index),
                             "%s", wrong);
    }
    apr_hash_set(exprs, text, APR_HASH_KEY_STRING, info);
    return APR_SUCCESS;
}

static apr_status_t check_report(apr_hash_t *exprs, const aur_report_t *report,
                                 const aur_dialect_t *dialect, aur_error_t *err, apr_pool_t *pconf,
                                 apr_pool_t *ptemp)
{
    apr_status_t rv = aur_report_check(report, err, ptemp);
    int i;

    for (i = 0; rv == APR_SUCCESS && i < report->nparams; i++) {
        rv = compile(exprs, report, i, err, pconf, ptemp);
    }
    return rv == APR_SUCCESS && report->sql ? check_sql(report, dialect, err, ptemp) : rv;
}

const char *aur_config_reports(aur_server_t *server, apr_pool_t *pconf, apr_pool_t *ptemp)
{
    apr_hash_t *exprs = apr_hash_make(pconf);
    aur_error_t err;
    int i;

    for (i = 0; i < aur_reports_count(server->catalog_file); i++) {
        aur_error_clear(&err);
        if (check_report(exprs, aur_reports_get(server->catalog_file, i),
                         aur_dialect_get(server->db.driver), &err, pconf, ptemp) != APR_SUCCESS) {
            return apr_psprintf(ptemp, "%s: %s", err.pointer, err.detail);
        }
    }
    server->report_exprs = exprs;
    return NULL;
}
