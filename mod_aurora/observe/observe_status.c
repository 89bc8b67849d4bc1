/* observe_status.c - Aurora's section of /server-status, in HTML and for machines (?auto). Who may see the
 * page sees who runs what. */
#include "aurora/observe_status.h"

#include "aurora/metrics.h"

#include <http_protocol.h>
#include <mod_status.h>

typedef struct page_t {
    request_rec *r;
    int tasks;
} page_t;

static apr_uint64_t all_refusals(const aur_metrics_t *m, int would)
{
    apr_uint64_t sum = 0;
    int i;

    for (i = 0; m && i < AUR_METRIC_REFUSAL_COUNT; i++) {
        sum += aur_metrics_refusals(m, (aur_metric_refusal_e)i, would);
    }
    return sum;
}

static apr_uint64_t all_cancels(const aur_metrics_t *m)
{
    apr_uint64_t sum = 0;
    int i;

    for (i = 0; m && i < AUR_METRIC_CANCEL_COUNT; i++) {
        sum += aur_metrics_cancels(m, (aur_metric_cancel_e)i);
    }
    return sum;
}

static void plain(request_rec *r, const aur_figures_t *f, const aur_metrics_t *m)
{
    int work;

    ap_rprintf(r,
               "AuroraPoolBusy: %" APR_INT64_T_FMT "\nAuroraPoolWaiting: %" APR_INT64_T_FMT
               "\nAuroraPoolOpen: %" APR_INT64_T_FMT "\nAuroraPoolMaxTotal: %" APR_INT64_T_FMT
               "\nAuroraExportQueue: %" APR_INT64_T_FMT "\n",
               f->pool_busy, f->pool_waiting, f->pool_open, f->pool_max_total, f->export_queue);
    for (work = 0; work < AUR_WORK_COUNT; work++) {
        ap_rprintf(r, "AuroraTasks-%s: %" APR_INT64_T_FMT "\n",
                   aur_figures_work_name((aur_work_e)work), f->running[work]);
    }
    ap_rprintf(r,
               "AuroraRejected: %" APR_UINT64_T_FMT "\nAuroraWouldReject: %" APR_UINT64_T_FMT
               "\nAuroraCancelled: %" APR_UINT64_T_FMT "\n",
               all_refusals(m, 0), all_refusals(m, 1), all_cancels(m));
}

static void row(void *ctx, const aur_task_view_t *task)
{
    page_t *page = ctx;
    request_rec *r = page->r;

    if (!page->tasks++) {
        ap_rputs("<table border=\"0\"><tr><th>Task</th><th>Kind</th><th>State</th><th>User</th>"
                 "<th>Dataset</th><th>Seconds</th><th>Rows</th><th>Bytes</th></tr>\n",
                 r);
    }
    ap_rprintf(r,
               "<tr><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td>%.1f</td>"
               "<td>%" APR_UINT64_T_FMT "</td><td>%" APR_UINT64_T_FMT "</td></tr>\n",
               task->id, aur_figures_work_name(task->work), aur_figures_state_name(task->state),
               ap_escape_html(r->pool, task->user), ap_escape_html(r->pool, task->dataset),
               (double)task->elapsed / APR_USEC_PER_SEC, task->rows, task->bytes);
}

static void html(request_rec *r, const aur_figures_t *f, const aur_metrics_t *m)
{
    page_t page = {r, 0};

    ap_rprintf(r,
               "<hr />\n<h2>Aurora</h2>\n<dl>\n<dt>Database connections: %" APR_INT64_T_FMT
               " in use, %" APR_INT64_T_FMT " open, %" APR_INT64_T_FMT
               " at most; requests waiting for one: %" APR_INT64_T_FMT "</dt>\n",
               f->pool_busy, f->pool_open, f->pool_max_total, f->pool_waiting);
    ap_rprintf(r,
               "<dt>Running: %" APR_INT64_T_FMT " previews, %" APR_INT64_T_FMT
               " CSV exports, %" APR_INT64_T_FMT " workbooks</dt>\n",
               f->running[AUR_WORK_PREVIEW], f->running[AUR_WORK_CSV], f->running[AUR_WORK_XLSX]);
    ap_rprintf(r,
               "<dt>Since the start: %" APR_UINT64_T_FMT " refused, %" APR_UINT64_T_FMT
               " would have been, %" APR_UINT64_T_FMT " stopped</dt>\n</dl>\n",
               all_refusals(m, 0), all_refusals(m, 1), all_cancels(m));
    aur_figures_tasks(row, &page);
    if (page.tasks) {
        ap_rputs("</table>\n", r);
    }
}

static int status(request_rec *r, int flags)
{
    const aur_metrics_t *m = aur_metrics_used();
    aur_figures_t figures;

    aur_figures_get(&figures);
    if (flags & AP_STATUS_SHORT) {
        plain(r, &figures, m);
    }
    else {
        html(r, &figures, m);
    }
    return OK;
}

void aur_observe_status_register(void)
{
    APR_OPTIONAL_HOOK(ap, status_hook, status, NULL, NULL, APR_HOOK_MIDDLE);
}
