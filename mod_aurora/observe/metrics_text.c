/* metrics_text.c - see aurora/metrics_text.h.
 *
 * Families are written one after the other: what it is called, what it is, then its samples. The forms differ in
 * how a family begins, how a sample looks and how everything ends; what the families are does not depend on
 * the form. */
#include "aurora/metrics_text.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 512

/* UNTYPED: names of the contract that end like those of another type; checkers accept that of these alone. */
typedef enum { COUNTER, GAUGE, HISTOGRAM, UNTYPED } type_e;

typedef struct text_t {
    aur_metrics_form_e form;
    aur_metrics_out_fn *out;
    void *ctx;
    const char *name; /* of the family */
    int families, samples;
} text_t;

typedef struct label_t {
    const char *name, *value;
} label_t;

__attribute__((format(printf, 2, 3))) static void print(text_t *t, const char *fmt, ...)
{
    char line[LINE_MAX_BYTES];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    if (n > 0) {
        t->out(t->ctx, line, (apr_size_t)n < sizeof(line) ? (apr_size_t)n : sizeof(line) - 1);
    }
}

/* --- families ----------------------------------------------------------------------------------- */

static const char *type_name(aur_metrics_form_e form, type_e type)
{
    static const char *const names[] = {"counter", "gauge", "histogram", "untyped"};

    return type == UNTYPED && form == AUR_METRICS_OPENMETRICS ? "unknown" : names[type];
}

/* In OpenMetrics a family of counters is called without the ending that its samples have. */
static int family_len(aur_metrics_form_e form, type_e type, const char *name)
{
    int len = (int)strlen(name);

    return form == AUR_METRICS_OPENMETRICS && type == COUNTER ? len - 6 : len;
}

static void family_end(text_t *t)
{
    if (t->form == AUR_METRICS_JSON && t->families) {
        print(t, "]}");
    }
}

/* name of a counter ends in _total. help: plain words, without quotes. */
static void family(text_t *t, type_e type, const char *name, const char *help)
{
    int len = family_len(t->form, type, name);

    family_end(t);
    if (t->form == AUR_METRICS_JSON) {
        print(t, "%s\"%s\":{\"type\":\"%s\",\"help\":\"%s\",\"samples\":[", t->families ? "," : "{",
              name, type_name(t->form, type), help);
    }
    else {
        print(t, "# HELP %.*s %s\n# TYPE %.*s %s\n", len, name, help, len, name,
              type_name(t->form, type));
    }
    t->name = name;
    t->families++;
    t->samples = 0;
}

static void labels_json(text_t *t, const label_t *labels)
{
    int i;

    print(t, "%s{\"labels\":{", t->samples ? "," : "");
    for (i = 0; labels && labels[i].name; i++) {
        print(t, "%s\"%s\":\"%s\"", i ? "," : "", labels[i].name, labels[i].value);
    }
    print(t, "}");
}

/* more: a label that only this sample has, or NULL */
static void labels_text(text_t *t, const label_t *labels, const char *more)
{
    int i, n = 0;

    for (i = 0; labels && labels[i].name; i++) {
        print(t, "%s%s=\"%s\"", n++ ? "," : "{", labels[i].name, labels[i].value);
    }
    if (more) {
        print(t, "%sle=\"%s\"", n++ ? "," : "{", more);
    }
    if (n) {
        print(t, "}");
    }
}

/* value: as it is written */
static void sample(text_t *t, const label_t *labels, const char *value)
{
    if (t->form == AUR_METRICS_JSON) {
        labels_json(t, labels);
        print(t, ",\"value\":%s}", value);
    }
    else {
        print(t, "%s", t->name);
        labels_text(t, labels, NULL);
        print(t, " %s\n", value);
    }
    t->samples++;
}

static void sample_int(text_t *t, const label_t *labels, apr_uint64_t value)
{
    char text[24];

    apr_snprintf(text, sizeof(text), "%" APR_UINT64_T_FMT, value);
    sample(t, labels, text);
}

static void gauge(text_t *t, type_e type, const char *name, const char *help, apr_int64_t value)
{
    family(t, type, name, help);
    sample_int(t, NULL, value > 0 ? (apr_uint64_t)value : 0);
}

/* --- histograms --------------------------------------------------------------------------------- */

/* Microseconds as seconds, without digits that say nothing. */
static const char *seconds(char text[32], apr_uint64_t us)
{
    apr_size_t len;

    apr_snprintf(text, 32, "%" APR_UINT64_T_FMT ".%06u", us / APR_USEC_PER_SEC,
                 (unsigned)(us % APR_USEC_PER_SEC));
    for (len = strlen(text); text[len - 1] == '0' && text[len - 2] != '.'; len--) {
        text[len - 1] = '\0';
    }
    return text;
}

static void histogram_json(text_t *t, const label_t *labels, const aur_metric_histogram_t *h)
{
    apr_uint64_t sum = 0;
    char text[32];
    int i;

    labels_json(t, labels);
    print(t, ",\"count\":%" APR_UINT64_T_FMT ",\"sum\":%s,\"buckets\":[", h->count,
          seconds(text, h->sum_us));
    for (i = 0; i < AUR_METRIC_BOUNDS; i++) {
        sum += h->buckets[i];
        print(t, "%s{\"le\":%s,\"count\":%" APR_UINT64_T_FMT "}", i ? "," : "",
              seconds(text, (apr_uint64_t)aur_metric_bounds[i]), sum);
    }
    print(t, ",{\"le\":\"+Inf\",\"count\":%" APR_UINT64_T_FMT "}]}", h->count);
    t->samples++;
}

static void bucket(text_t *t, const label_t *labels, const char *bound, apr_uint64_t count)
{
    print(t, "%s_bucket", t->name);
    labels_text(t, labels, bound);
    print(t, " %" APR_UINT64_T_FMT "\n", count);
}

static void histogram_text(text_t *t, const label_t *labels, const aur_metric_histogram_t *h)
{
    apr_uint64_t sum = 0;
    char text[32];
    int i;

    for (i = 0; i < AUR_METRIC_BOUNDS; i++) {
        sum += h->buckets[i];
        bucket(t, labels, seconds(text, (apr_uint64_t)aur_metric_bounds[i]), sum);
    }
    bucket(t, labels, "+Inf", h->count);
    print(t, "%s_sum", t->name);
    labels_text(t, labels, NULL);
    print(t, " %s\n%s_count", seconds(text, h->sum_us), t->name);
    labels_text(t, labels, NULL);
    print(t, " %" APR_UINT64_T_FMT "\n", h->count);
    t->samples++;
}

static void histogram(text_t *t, const aur_metrics_t *m, int which, const char *kind)
{
    label_t labels[] = {{kind ? "kind" : NULL, kind}, {NULL, NULL}};
    aur_metric_histogram_t h;

    aur_metrics_times(&h, m, which);
    if (t->form == AUR_METRICS_JSON) {
        histogram_json(t, labels, &h);
    }
    else {
        histogram_text(t, labels, &h);
    }
}

static void histogram_by_work(text_t *t, const aur_metrics_t *m, int first)
{
    int work;

    for (work = 0; work < AUR_WORK_COUNT; work++) {
        histogram(t, m, first + work, aur_figures_work_name((aur_work_e)work));
    }
}

/* --- what there is ------------------------------------------------------------------------------ */

static void write_gauges(text_t *t, const aur_figures_t *f)
{
    label_t version[] = {{"version", f->version}, {NULL, NULL}};
    char text[32];
    int work;

    gauge(t, UNTYPED, "db_pool_busy_count", "Database connections in use.", f->pool_busy);
    gauge(t, UNTYPED, "db_pool_wait_count", "Requests that wait for a database connection.",
          f->pool_waiting);
    gauge(t, UNTYPED, "db_pool_open_count", "Open database connections.", f->pool_open);
    gauge(t, GAUGE, "db_pool_max", "Database connections that one process may open.", f->pool_max);
    gauge(t, UNTYPED, "db_pool_max_total", "Database connections that all processes may open.",
          f->pool_max_total);
    family(t, GAUGE, "aurora_tasks_running", "Previews and exports that run or wait.");
    for (work = 0; work < AUR_WORK_COUNT; work++) {
        label_t kind[] = {{"kind", aur_figures_work_name((aur_work_e)work)}, {NULL, NULL}};
        sample_int(t, kind, (apr_uint64_t)f->running[work]);
    }
    gauge(t, GAUGE, "aurora_export_queue_depth", "Exports that run or wait for a connection.",
          f->export_queue);
    family(t, GAUGE, "aurora_build_info", "The version of the module, as a label.");
    sample(t, version, "1");
    family(t, GAUGE, "aurora_start_time_seconds",
           "When the server started; a graceful restart does not change it.");
    sample(t, NULL, seconds(text, (apr_uint64_t)f->started));
}

static void write_requests(text_t *t, const aur_metrics_t *m)
{
    char code[8];
    int kind, status;

    family(t, COUNTER, "aurora_requests_total", "Answered requests, by HTTP status.");
    for (kind = 0; kind < AUR_METRIC_KIND_COUNT; kind++) {
        for (status = 99; status <= 599; status++) {
            int named = status < 100 ? 0 : status;
            apr_uint64_t n = aur_metrics_requests(m, (aur_metric_kind_e)kind, named);
            label_t labels[] = {{"kind", aur_metric_kind_name((aur_metric_kind_e)kind)},
                                {"code", code},
                                {NULL, NULL}};
            if (n) {
                apr_snprintf(code, sizeof(code), "%d", named);
                sample_int(t, labels, n);
            }
        }
    }
}

static void write_volumes(text_t *t, const aur_metrics_t *m)
{
    int work;

    family(t, COUNTER, "aurora_rows_total", "Rows written.");
    for (work = 0; work < AUR_WORK_COUNT; work++) {
        label_t kind[] = {{"kind", aur_figures_work_name((aur_work_e)work)}, {NULL, NULL}};
        sample_int(t, kind, aur_metrics_rows(m, (aur_work_e)work));
    }
    family(t, COUNTER, "aurora_bytes_total", "Bytes of bodies written, before any content coding.");
    for (work = 0; work < AUR_WORK_COUNT; work++) {
        label_t kind[] = {{"kind", aur_figures_work_name((aur_work_e)work)}, {NULL, NULL}};
        sample_int(t, kind, aur_metrics_bytes(m, (aur_work_e)work));
    }
}

static void write_refusals(text_t *t, const aur_metrics_t *m, int would)
{
    int i;

    for (i = 0; i < AUR_METRIC_REFUSAL_COUNT; i++) {
        label_t reason[] = {{"reason", aur_metric_refusal_name((aur_metric_refusal_e)i)},
                            {NULL, NULL}};
        sample_int(t, reason, aur_metrics_refusals(m, (aur_metric_refusal_e)i, would));
    }
}

static void write_reasons(text_t *t, const aur_metrics_t *m)
{
    int i;

    family(t, COUNTER, "aurora_rejected_total", "Requests refused.");
    write_refusals(t, m, 0);
    family(t, COUNTER, "aurora_would_reject_total",
           "Requests let through that AuroraGovernance enforce would have refused.");
    write_refusals(t, m, 1);
    family(t, COUNTER, "aurora_cancelled_total", "Tasks that were stopped.");
    for (i = 0; i < AUR_METRIC_CANCEL_COUNT; i++) {
        label_t reason[] = {{"reason", aur_metric_cancel_name((aur_metric_cancel_e)i)},
                            {NULL, NULL}};
        sample_int(t, reason, aur_metrics_cancels(m, (aur_metric_cancel_e)i));
    }
    family(t, COUNTER, "aurora_db_connect_errors_total",
           "Connections to the database that failed.");
    sample_int(t, NULL, aur_metrics_connect_errors(m));
}

static void write_times(text_t *t, const aur_metrics_t *m)
{
    family(t, HISTOGRAM, "aurora_query_duration_seconds",
           "Time in the database, from sending the statement to its last row.");
    histogram_by_work(t, m, AUR_TIME_QUERY);
    family(t, HISTOGRAM, "aurora_first_byte_seconds",
           "From the request to the first byte of its answer.");
    histogram_by_work(t, m, AUR_TIME_FIRST_BYTE);
    family(t, HISTOGRAM, "aurora_pool_wait_seconds", "Waiting for a database connection.");
    histogram(t, m, AUR_TIME_POOL_WAIT, NULL);
    family(t, HISTOGRAM, "aurora_cancel_seconds",
           "From the wish to stop a task to the answer of the database.");
    histogram(t, m, AUR_TIME_CANCEL, NULL);
}

void aur_metrics_write(aur_metrics_form_e form, const aur_metrics_t *m,
                       const aur_figures_t *figures, aur_metrics_out_fn *out, void *ctx)
{
    text_t t = {form, out, ctx, NULL, 0, 0};

    write_gauges(&t, figures);
    if (m) {
        write_requests(&t, m);
        write_volumes(&t, m);
        write_reasons(&t, m);
        write_times(&t, m);
    }
    family_end(&t);
    if (form == AUR_METRICS_JSON) {
        print(&t, "}\n");
    }
    else if (form == AUR_METRICS_OPENMETRICS) {
        print(&t, "# EOF\n");
    }
}

/* --- forms -------------------------------------------------------------------------------------- */

static const struct {
    const char *range, *type;
} forms[] = {
    [AUR_METRICS_PROMETHEUS] = {"text/plain", "text/plain; version=0.0.4; charset=utf-8"},
    [AUR_METRICS_OPENMETRICS] = {"application/openmetrics-text",
                                 "application/openmetrics-text; version=1.0.0; charset=utf-8"},
    [AUR_METRICS_JSON] = {"application/json", "application/json"},
};
#define NFORMS ((int)(sizeof(forms) / sizeof(forms[0])))

const char *aur_metrics_type(aur_metrics_form_e form)
{
    return forms[form].type;
}

/* The weight of the media range that begins at text, for a form; -1: it is another's. *next: the one after it */
static double weight(const char *text, const char *range, const char **next)
{
    apr_size_t len = strcspn(text, ",;"), all = strcspn(text, ",");
    const char *q = memchr(text, ';', all);
    double weight = 1;

    *next = text[all] ? text + all + 1 : text + all;
    while (len && apr_isspace(text[len - 1])) {
        len--;
    }
    for (; q && q < text + all; q = memchr(q, ';', (apr_size_t)(text + all - q))) {
        for (q++; apr_isspace(*q); q++) {
        }
        if ((q[0] == 'q' || q[0] == 'Q') && q[1] == '=') {
            weight = strtod(q + 2, NULL);
        }
    }
    return len == strlen(range) && !strncasecmp(text, range, len) ? weight : -1;
}

aur_metrics_form_e aur_metrics_form(const char *accept)
{
    aur_metrics_form_e best = AUR_METRICS_PROMETHEUS;
    double most = 0;
    int i;

    while (accept && *accept) {
        const char *next = accept;
        while (apr_isspace(*accept)) {
            accept++;
        }
        for (i = 0; i < NFORMS; i++) {
            double it = weight(accept, forms[i].range, &next);
            if (it > most) {
                most = it;
                best = (aur_metrics_form_e)i;
            }
        }
        accept = next;
    }
    return best;
}
