/* http_report_args.h - what a report's link says: values for its parameters, and how to write the answer. */
#ifndef AURORA_HTTP_REPORT_ARGS_H
#define AURORA_HTTP_REPORT_ARGS_H

#include "http/http_private.h"

/* Of a preview's link; what the link does not say is -1. */
typedef struct aur_paging_t {
    apr_int64_t limit, offset;
    int arrays;
} aur_paging_t;

typedef struct aur_link_t {
    const aur_report_given_t *given; /* everything else, decoded */
    int ngiven;
    aur_paging_t paging;
} aur_link_t;

/** Read the query string of a link to a report. Paging is for previews, the options of exports
 * (http_export.h, which reads them) are for files; the other name=value pairs are kept as given.
 * @return APR_EGENERAL with x->err: BAD_REQUEST */
apr_status_t aur_link_read(aur_link_t *link, aur_request_t *x, int is_file);

/** What a parameter's expression says of the caller; for aur_report_values. ctx: an aur_request_t */
const char *aur_link_caller(void *ctx, const aur_report_param_t *param);

#endif
