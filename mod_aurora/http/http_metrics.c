/* http_metrics.c - counting requests as they are logged, and showing all figures. */
#include "http/http_private.h"
#include "aurora/http.h"
#include "mod_aurora.h"

#include <http_log.h>

#include "aurora/metrics_text.h"

APLOG_USE_MODULE(aurora);

static void out(void *ctx, const char *text, apr_size_t len)
{
    aur_sink_write(ctx, text, len);
}

int aur_http_metrics(aur_request_t *x)
{
    aur_metrics_form_e form = aur_metrics_form(apr_table_get(x->r->headers_in, "Accept"));
    aur_figures_t figures;

    aur_figures_get(&figures);
    apr_table_mergen(x->r->headers_out, "Vary", "Accept");
    aur_answer_begin(x, aur_metrics_type(form), 4);
    aur_metrics_write(form, aur_metrics_used(), &figures, out, x->sink);
    return aur_answer_end(x);
}

/* An internal redirect, as to an ErrorDocument, is logged with its first request and ends with its last; it counts
 * where it was ours last. */
int aur_http_count(request_rec *r)
{
    const aur_request_t *x = ap_get_module_config(r->request_config, &aurora_module);

    for (; r->next; r = r->next) {
        const aur_request_t *next = ap_get_module_config(r->next->request_config, &aurora_module);
        x = next ? next : x;
    }
    if (x) {
        aur_metrics_request(x->route ? x->route->counts_as : AUR_KIND_OTHER,
                            x->status ? x->status : r->status);
    }
    return DECLINED;
}

/* --- what the configuration allows ----------------------------------------------------------------- */

static apr_int64_t pool_max, pool_max_total;

void aur_http_figures_add(apr_int64_t each, apr_int64_t sum)
{
    pool_max += each;
    pool_max_total += sum;
}

void aur_http_figures_reset(void)
{
    pool_max = pool_max_total = 0;
}

static void fill(aur_figures_t *figures)
{
    figures->pool_max += pool_max;
    figures->pool_max_total += pool_max_total;
    figures->version = AURORA_VERSION;
}

const aur_figures_source_t aur_http_figures = {fill, NULL};
