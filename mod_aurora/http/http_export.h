/* http_export.h - how an export is asked for in the query string, and the headers it is sent with. */
#ifndef AURORA_HTTP_EXPORT_H
#define AURORA_HTTP_EXPORT_H

#include "http/http_private.h"
#include "aurora/writer.h"

typedef struct aur_export_t {
    int xlsx;              /* else CSV */
    int about;             /* a workbook's second sheet */
    aur_csv_options_t csv; /* display_names holds for both */
} aur_export_t;

/** Read format and the options from the query string, defaults from the configuration.
 * @return APR_EGENERAL with x->err: BAD_REQUEST that names the parameter */
apr_status_t aur_export_options(aur_request_t *x, aur_export_t *options);
/** What a parameter may say, NULL after the last; empty where the text is free. @return NULL: no such parameter */
const char *const *aur_export_choices(const char *name);
/** Is it the name of one of these parameters, format apart? */
int aur_export_is_option(const char *name);
const char *aur_export_type(const aur_export_t *options);
/** Everything but the content type. x->title names the file. */
void aur_export_headers(aur_request_t *x, const aur_export_t *options);

/* --- http_query.c --- */
/** Run a plan as an export and answer it.
 * @param query  what the plan was made of; NULL: nothing that could be told about it
 * @return what the handler returns */
int aur_export_answer(aur_request_t *x, const aur_query_t *query, const aur_plan_t *plan,
                      const aur_export_t *options);

#endif
