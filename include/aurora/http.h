/* http.h - what mod_aurora.c hooks into httpd: requests under `SetHandler aurora`, from the first
 * look at their headers to the last byte of their answers. */
#ifndef AURORA_HTTP_H
#define AURORA_HTTP_H

#include <httpd.h>

#include "aurora/figures.h"

/** post_config: what is shared between children; the notice on sizes.
 * @return OK, or HTTP_INTERNAL_SERVER_ERROR after having logged why the server cannot start */
int aur_http_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);

/** child_init: the databases and catalogues of every server, one per distinct configuration. They
 * end with pchild. What cannot be made is logged and answered with DATABASE_UNAVAILABLE. */
void aur_http_child_init(apr_pool_t *pchild, server_rec *s);

/** child_stopping: without grace, what runs is cancelled in the database at once. */
void aur_http_child_stopping(apr_pool_t *pchild, int graceful);

/** pre_connection: while the server takes the connections of a child from its workers, none ends by itself.
 * @return OK */
int aur_http_connection(conn_rec *c, void *socket);

/** post_config: the workbook that all exports as xlsx are written into. Without one the server runs, and such exports
 * fail; the log says why.
 * @return OK */
int aur_xlsx_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);

/** post_config: the description of the interface. A route, an error or a limit that it does not know keeps the server
 * from starting: the two cannot drift apart.
 * @return OK, or HTTP_INTERNAL_SERVER_ERROR after having logged what is wrong */
int aur_openapi_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);

/** register_hooks: the output filter that exports are slowed down by. */
void aur_throttle_register(void);

/** post_perdir_config: headers that every answer below the Location carries, errors of httpd's own
 * (401, 403) included: correlation id and CORS; and the client's rate.
 * @return OK, DECLINED, or DONE when it has been answered */
int aur_http_early(request_rec *r);

/** access_checker_ex, before all others: a browser sends a CORS preflight without credentials, so it is
 * let through to the handler, which answers it from the route table alone.
 * @return OK for a preflight from an allowed origin, else DECLINED */
int aur_http_preflight(request_rec *r);

/** handler: everything else. */
int aur_http_handler(request_rec *r);

/** log_transaction: count the request. */
int aur_http_count(request_rec *r);

/** What the configuration allows; for aur_figures_register. */
extern const aur_figures_source_t aur_http_figures;

/** See mod_aurora.h. */
const char *aur_http_correlation_id(request_rec *r);

#endif
