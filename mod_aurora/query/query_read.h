/* query_read.h - what the files that read a request's JSON share. */
#ifndef AURORA_QUERY_READ_H
#define AURORA_QUERY_READ_H

#include "aurora/json_in.h"
#include "aurora/query.h"
#include "aurora/row_filter.h"

typedef struct aur_query_reader_t {
    aur_json_in_t in;
    aur_query_t *q;
    int nrules, ngroups, nvalues;     /* so far, against the limits of query.h */
    const aur_expr_compiler_t *exprs; /* for a row filter; NULL: a request has no expressions */
    const apr_array_header_t
        *callers; /* values (const json_t *) that came with the caller, or NULL */
} aur_query_reader_t;

/** Read a request that has been loaded.
 * @param callers  which of its values came with the caller (query_fill.h); NULL for none
 * @return as aur_query_parse, but for BAD_JSON */
apr_status_t aur_query_read(aur_query_t **query, const json_t *root,
                            const apr_array_header_t *callers, aur_error_t *err, apr_pool_t *p);

/** Read `filters` into the query. */
apr_status_t aur_query_read_filters(aur_query_reader_t *r, const json_t *root);

/** Read an array of 1 to AUR_QUERY_IN_MAX scalars that stands at `at`.
 * @param column  for err; NULL when there is none
 * @return BAD_REQUEST for another shape, BAD_VALUE for a null */
apr_status_t aur_query_read_list(const aur_scalar_t **values, int *nvalues, aur_query_reader_t *r,
                                 const json_t *value, const char *column, const aur_json_at_t *at);

/** Read a group of rules. *out stays NULL for one that restricts nothing. */
apr_status_t aur_query_read_group(aur_filter_t **out, aur_query_reader_t *r, const json_t *group,
                                  const aur_json_at_t *at);
/** Read {"expr": "…"}, where the reader takes expressions. */
apr_status_t aur_query_read_expr(aur_scalar_t *out, aur_query_reader_t *r, const json_t *value,
                                 const aur_json_at_t *at);

/** The operator's word in requests. Static storage. */
const char *aur_op_word(aur_op_e op);

#endif
