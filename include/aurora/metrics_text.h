/* metrics_text.h - all metrics as text: Prometheus 0.0.4, OpenMetrics 1.0, and JSON, from one table of names. */
#ifndef AURORA_METRICS_TEXT_H
#define AURORA_METRICS_TEXT_H

#include "aurora/metrics.h"

typedef enum {
    AUR_METRICS_PROMETHEUS,
    AUR_METRICS_OPENMETRICS,
    AUR_METRICS_JSON
} aur_metrics_form_e;

typedef void aur_metrics_out_fn(void *ctx, const char *text, apr_size_t len);

/** Write them all, in small pieces.
 * @param m  may be NULL: then there are gauges only */
void aur_metrics_write(aur_metrics_form_e form, const aur_metrics_t *m,
                       const aur_figures_t *figures, aur_metrics_out_fn *out, void *ctx);
/** The media type of a form, for Content-Type. Static storage. */
const char *aur_metrics_type(aur_metrics_form_e form);
/** The form that an Accept header asks for; NULL or none of ours: Prometheus' own. */
aur_metrics_form_e aur_metrics_form(const char *accept);

#endif
