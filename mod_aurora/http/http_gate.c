/* http_gate.c - a query that would read too much is refused before it runs: by the planner's figure
 * where plans carry one, else by a count that stops just above the threshold.
 *
 * The figure is that of the whole result, before a page is cut from it: the page is as dear as what
 * has to be read for it.
 *
 * A planner's figure comes from statistics of every row. Where the caller may not see them all it would tell
 * which values the others have, filter by filter; there a count of his rows answers as well. */
#include "http/http_private.h"

apr_int64_t aur_gate_threshold(const aur_request_t *x, aur_db_use_e use)
{
    return use == AUR_USE_EXPORT ? x->loc->explain_threshold_csv : x->loc->explain_threshold;
}

static apr_status_t explain(aur_request_t *x, const aur_plan_t *plan, apr_int64_t *rows)
{
    aur_sql_t *sql;
    apr_status_t rv = aur_run_build(x, plan, AUR_SQL_ALL, &sql);

    return rv == APR_SUCCESS ? aur_db_explain(rows, x->conn, sql, &x->err, x->r->pool) : rv;
}

/* Could so many rows be too many for anything? */
static int judged(const aur_request_t *x, apr_int64_t rows)
{
    apr_int64_t preview = aur_gate_threshold(x, AUR_USE_PREVIEW);
    apr_int64_t export = aur_gate_threshold(x, AUR_USE_EXPORT);

    return rows > x->loc->xlsx_max_rows || (preview > 0 && rows > preview) ||
           (export > 0 && rows > export);
}

apr_status_t aur_gate_estimate(aur_request_t *x, const aur_plan_t *plan, apr_int64_t bound,
                               aur_estimate_t *estimate)
{
    aur_plan_t counted = *plan, settled;
    apr_status_t rv = plan->rows_hidden ? APR_ENOTIMPL : explain(x, plan, &estimate->rows);

    if (rv == APR_SUCCESS && aur_newest_any(plan) && judged(x, estimate->rows)) {
        rv = aur_newest_settle(&settled, x, plan);
        rv = rv == APR_SUCCESS ? explain(x, &settled, &estimate->rows) : rv;
    }
    if (rv != APR_ENOTIMPL) {
        return rv;
    }
    counted.limit = bound;
    counted.offset = 0;
    estimate->counted = 1;
    estimate->bound = bound;
    return aur_run_count(x, &counted, AUR_SQL_COUNT_BOUNDED, &estimate->rows);
}

apr_status_t aur_gate_check(aur_request_t *x, const aur_plan_t *plan, aur_db_use_e use,
                            aur_estimate_t *estimate)
{
    apr_int64_t threshold = aur_gate_threshold(x, use);
    apr_status_t rv;

    estimate->rows = -1;
    estimate->counted = 0;
    if (threshold == 0) {
        return APR_SUCCESS;
    }
    rv = aur_gate_estimate(x, plan, threshold + 1, estimate);
    if (rv == APR_SUCCESS && estimate->rows > threshold) {
        rv = aur_error_set(&x->err, AUR_E_QUERY_TOO_LARGE, NULL,
                           "The query would read about %" APR_INT64_T_FMT
                           " rows; at most %" APR_INT64_T_FMT
                           " are allowed. Add a filter, or export it as CSV.",
                           estimate->rows, threshold);
        x->err.estimated_rows = estimate->rows;
        x->err.limit = threshold;
    }
    return rv;
}
