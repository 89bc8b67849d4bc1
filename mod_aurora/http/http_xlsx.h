/* http_xlsx.h - workbooks as an export sees them. */
#ifndef AURORA_HTTP_XLSX_H
#define AURORA_HTTP_XLSX_H

#include "http/http_private.h"
#include "aurora/writer.h"

/** Refuse what no workbook can be made of, before the first byte: more rows than AuroraXlsxMaxRows, by a count on
 * x->conn that goes no further, or by the gate's where that has gone far enough.
 * @return APR_EGENERAL with x->err: XLSX_TOO_MANY_ROWS; as aur_run_count */
apr_status_t aur_xlsx_check(aur_request_t *x, const aur_plan_t *plan,
                            const aur_estimate_t *estimate);

/** The writer for a result.
 * @param about  with the sheet that says what the file is
 * @return APR_EGENERAL with x->err: BAD_REQUEST when it has more columns than a sheet */
apr_status_t aur_xlsx_writer(aur_writer_t **writer, aur_request_t *x, const aur_query_t *query,
                             const aur_plan_t *plan, const aur_result_column_t *columns,
                             int ncolumns, int display_names, int about);

/** What the file is, in words: report, dataset, filters, who, when, limits. From x->r->pool.
 * @param query  NULL where the plan is hand-written SQL
 * @return how many */
int aur_xlsx_facts(const aur_xlsx_fact_t **facts, aur_request_t *x, const aur_query_t *query,
                   const aur_plan_t *plan);

/* --- http_throttle.c --- */
/** Slow this answer's body down to AuroraExportBandwidth, where that is set. */
void aur_throttle_add(aur_request_t *x);

#endif
