/* query_report.h - a named report and the values its parameters were given, as a plan.
 *
 * values: what a link carries -> typed values, defaults applied.
 * plan:   a stored request with its values filled in, by the road every request takes; hand-written
 *         SQL with its values beside it.
 * Pure, as query.h is. Memory from the pool given. Thread-safe. */
#ifndef AURORA_QUERY_REPORT_H
#define AURORA_QUERY_REPORT_H

#include "aurora/catalog_reports.h"
#include "aurora/query.h"

/* One name=value of a link, decoded: UTF-8 without NUL. */
typedef struct aur_report_given_t {
    const char *name, *value;
} aur_report_given_t;

/* The values of one parameter. */
typedef struct aur_report_value_t {
    int nvalues; /* 0: not given, and without a default */
    const char *const *texts;
    const aur_cell_t *cells; /* the same, typed */
    /* what the caller's expression gave cannot be used, for this reason, which does not tell it */
    const char *unfit;
} aur_report_value_t;

/** What a parameter's expression says of the caller; NULL or "": nothing. */
typedef const char *aur_report_caller_fn(void *ctx, const aur_report_param_t *param);

/** Values for all parameters of a report, in its order.
 * @param caller  asked for parameters with an expression; one that says nothing, or what is no UTF-8
 *                or not of the parameter's type (unfit), is a parameter without a value
 * @return APR_EGENERAL with err, whose column is the parameter: BAD_REQUEST (a name that is no
 *         parameter, one given twice that is not multiple), MISSING_PARAMETER, BAD_VALUE */
apr_status_t aur_report_values(const aur_report_value_t **values, const aur_report_t *report,
                               const aur_report_given_t *given, int ngiven,
                               aur_report_caller_fn *caller, void *ctx, aur_error_t *err,
                               apr_pool_t *p);
/** Values as any caller might give them: to try a report out. */
const aur_report_value_t *aur_report_sample(const aur_report_t *report, apr_pool_t *p);

/** The stored request with its values. A rule with a parameter without a value is left out; one
 * whose value comes with the caller (expr) then lets no row through.
 * @return as aur_query_parse; pointers are ones into the stored request */
apr_status_t aur_report_query(aur_query_t **query, const aur_report_t *report,
                              const aur_report_value_t *values, aur_error_t *err, apr_pool_t *p);
/** Hand-written SQL with its values, as a plan that aur_sql_build takes; limit and offset are a
 * request's defaults. */
aur_plan_t *aur_report_written(const aur_report_t *report, const aur_report_value_t *values,
                               apr_pool_t *p);

/** Check what reading the file could not: defaults against their types, the stored request's
 * grammar, where parameters stand in it.
 * @return APR_EGENERAL with err: a pointer into the file */
apr_status_t aur_report_check(const aur_report_t *report, aur_error_t *err, apr_pool_t *p);

#endif
