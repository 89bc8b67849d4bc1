/* mod_aurora.h - what other modules may use of Aurora. Installed. */
#ifndef MOD_AURORA_H
#define MOD_AURORA_H

#include <httpd.h>
#include <apr_optional.h>

#define AURORA_VERSION "0.1.0"
#define AURORA_HANDLER "aurora" /* SetHandler aurora */

/** The id under which a request stands in the logs and in X-Correlation-ID.
 * @return NULL for requests that are not Aurora's; lives as long as r. Any thread that owns r. */
APR_DECLARE_OPTIONAL_FN(const char *, aurora_correlation_id, (request_rec * r));

#endif
