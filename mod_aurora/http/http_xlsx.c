/* http_xlsx.c - workbooks: their design, made once at start, and what is decided before the first byte. */
#include "http/http_xlsx.h"
#include "aurora/http.h"

#include <http_config.h>
#include <http_log.h>
#include <http_core.h>
#include <apr_strings.h>
#include <apr_time.h>

APLOG_USE_MODULE(aurora);

/* Made in the parent; children have it by the fork and only read it. */
static const aur_xlsx_skeleton_t *skeleton;

static apr_status_t forget_skeleton(void *unused)
{
    skeleton = NULL;
    return APR_SUCCESS;
}

int aur_xlsx_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    char why[256];
    apr_status_t rv;

    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        return OK; /* the pass that only checks */
    }
    rv = aur_xlsx_skeleton_create(&skeleton, why, sizeof(why), pconf);
    apr_pool_cleanup_register(pconf, NULL, forget_skeleton, apr_pool_cleanup_null);
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, rv, s,
                     AURLOG(2010) "no workbooks can be made, exports as xlsx will fail: %s", why);
    }
    return OK;
}

static apr_status_t too_many(aur_request_t *x, apr_int64_t rows, apr_int64_t limit)
{
    aur_error_set(&x->err, AUR_E_XLSX_TOO_MANY_ROWS, NULL,
                  "The result has more than %" APR_INT64_T_FMT
                  " rows, the most that a workbook may have here. Export it as CSV, which takes "
                  "any number, or add a filter.",
                  limit);
    x->err.estimated_rows = rows;
    x->err.limit = limit;
    return APR_EGENERAL;
}

apr_status_t aur_xlsx_check(aur_request_t *x, const aur_plan_t *plan,
                            const aur_estimate_t *estimate)
{
    apr_int64_t limit = x->loc->xlsx_max_rows, rows;
    aur_plan_t counted = *plan;
    apr_status_t rv;

    if (!skeleton) {
        return aur_error_set(&x->err, AUR_E_INTERNAL, NULL,
                             "This server cannot make workbooks. Export as CSV instead.");
    }
    if (estimate->counted && (estimate->rows < estimate->bound || estimate->rows > limit)) {
        return estimate->rows > limit ? too_many(x, estimate->rows, limit) : APR_SUCCESS;
    }
    counted.limit = limit + 1;
    counted.offset = 0;
    rv = aur_run_count(x, &counted, AUR_SQL_COUNT_BOUNDED, &rows);
    if (rv == APR_SUCCESS && rows > limit) {
        rv = too_many(x, estimate->rows > rows ? estimate->rows : rows, limit);
    }
    return rv;
}

apr_status_t aur_xlsx_writer(aur_writer_t **writer, aur_request_t *x, const aur_query_t *query,
                             const aur_plan_t *plan, const aur_result_column_t *columns,
                             int ncolumns, int display_names, int about)
{
    aur_xlsx_options_t options = {skeleton, x->title, display_names, x->start, 0, NULL};

    if (ncolumns > AUR_XLSX_COLUMNS_MAX) {
        return aur_error_set(&x->err, AUR_E_BAD_REQUEST, NULL,
                             "A workbook has room for %d columns, the result has %d. Choose fewer, "
                             "or export as CSV.",
                             AUR_XLSX_COLUMNS_MAX, ncolumns);
    }
    if (about) {
        options.nfacts = aur_xlsx_facts(&options.facts, x, query, plan);
    }
    *writer = aur_writer_xlsx_create(x->sink, columns, ncolumns, &options, x->r->pool);
    return APR_SUCCESS;
}
