/* query_fill.h - values in the places of a stored request that are kept for them. */
#ifndef AURORA_QUERY_FILL_H
#define AURORA_QUERY_FILL_H

#include "aurora/query_report.h"

/** Is the string a parameter's place, "${name}"? @return the name, *len bytes long, else NULL */
const char *aur_fill_place(const json_t *value, apr_size_t *len);

/** A copy of the stored request with values in place of "${name}", where values may stand: in rules,
 * partition_filters, partition_load_type, limit, offset.
 * @param filled   release with json_decref
 * @param callers  NULL, or takes (const json_t *) those values in it that came with the caller
 * @return APR_EGENERAL with err: BAD_REQUEST and the pointer of a place that is none */
apr_status_t aur_fill(json_t **filled, apr_array_header_t *callers, const aur_report_t *report,
                      const aur_report_value_t *values, aur_error_t *err, apr_pool_t *p);

/** Refuse members that a request does not have, and places where no value may stand.
 * @return as aur_fill */
apr_status_t aur_fill_check(const aur_report_t *report, aur_error_t *err, apr_pool_t *p);

#endif
