/* metrics.c - see aurora/metrics.h. */
#include "aurora/metrics.h"

#include <string.h>

/* 1 ms to 5 min: previews of an index lookup and exports of a whole table on one scale. */
const apr_interval_time_t aur_metric_bounds[AUR_METRIC_BOUNDS] = {
    1000,   2500,    5000,    10000,   25000,    50000,    100000,   250000,
    500000, 1000000, 2500000, 5000000, 10000000, 30000000, 60000000, 300000000};

typedef struct histogram_t {
    apr_uint64_t buckets[AUR_METRIC_BOUNDS + 1];
    apr_uint64_t sum_us;
} histogram_t;

/* Fields are atomic; nothing is ever lowered. */
struct aur_metrics_t {
    apr_uint64_t requests[AUR_METRIC_KIND_COUNT][AUR_METRIC_CODES]; /* [0]: other statuses */
    apr_uint64_t rows[AUR_WORK_COUNT], bytes[AUR_WORK_COUNT];
    apr_uint64_t refused[AUR_METRIC_REFUSAL_COUNT], would_refuse[AUR_METRIC_REFUSAL_COUNT];
    apr_uint64_t cancelled[AUR_METRIC_CANCEL_COUNT];
    apr_uint64_t connect_errors;
    histogram_t times[AUR_TIME_COUNT];
};

static aur_metrics_t *used;

apr_size_t aur_metrics_size(void)
{
    return sizeof(aur_metrics_t);
}

void aur_metrics_use(aur_metrics_t *metrics)
{
    used = metrics;
}

const aur_metrics_t *aur_metrics_used(void)
{
    return used;
}

/* --- counting ----------------------------------------------------------------------------------- */

static void add(apr_uint64_t *counter, apr_uint64_t n)
{
    __atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

static unsigned code_index(int status)
{
    return status >= 100 && status <= 599 ? (unsigned)status - 99 : 0;
}

void aur_metrics_request(aur_metric_kind_e kind, int status)
{
    if (used && (unsigned)kind < AUR_METRIC_KIND_COUNT) {
        add(&used->requests[kind][code_index(status)], 1);
    }
}

void aur_metrics_volume(aur_work_e work, apr_uint64_t rows, apr_uint64_t bytes)
{
    if (used && (unsigned)work < AUR_WORK_COUNT) {
        add(&used->rows[work], rows);
        add(&used->bytes[work], bytes);
    }
}

void aur_metrics_refused(aur_metric_refusal_e reason, int would)
{
    if (used && (unsigned)reason < AUR_METRIC_REFUSAL_COUNT) {
        add(would ? &used->would_refuse[reason] : &used->refused[reason], 1);
    }
}

void aur_metrics_cancelled(aur_metric_cancel_e reason)
{
    if (used && (unsigned)reason < AUR_METRIC_CANCEL_COUNT) {
        add(&used->cancelled[reason], 1);
    }
}

void aur_metrics_connect_error(void)
{
    if (used) {
        add(&used->connect_errors, 1);
    }
}

void aur_metrics_time(int which, apr_interval_time_t interval)
{
    int i = 0;

    if (!used || which < 0 || which >= AUR_TIME_COUNT) {
        return;
    }
    interval = interval > 0 ? interval : 0;
    while (i < AUR_METRIC_BOUNDS && interval > aur_metric_bounds[i]) {
        i++;
    }
    add(&used->times[which].sum_us, (apr_uint64_t)interval);
    add(&used->times[which].buckets[i], 1);
}

/* --- reading ------------------------------------------------------------------------------------ */

static apr_uint64_t get(const apr_uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

apr_uint64_t aur_metrics_requests(const aur_metrics_t *m, aur_metric_kind_e kind, int status)
{
    return get(&m->requests[kind][code_index(status)]);
}

apr_uint64_t aur_metrics_rows(const aur_metrics_t *m, aur_work_e work)
{
    return get(&m->rows[work]);
}

apr_uint64_t aur_metrics_bytes(const aur_metrics_t *m, aur_work_e work)
{
    return get(&m->bytes[work]);
}

apr_uint64_t aur_metrics_refusals(const aur_metrics_t *m, aur_metric_refusal_e reason, int would)
{
    return get(would ? &m->would_refuse[reason] : &m->refused[reason]);
}

apr_uint64_t aur_metrics_cancels(const aur_metrics_t *m, aur_metric_cancel_e reason)
{
    return get(&m->cancelled[reason]);
}

apr_uint64_t aur_metrics_connect_errors(const aur_metrics_t *m)
{
    return get(&m->connect_errors);
}

/* The count is the sum of what was read, so that it agrees with the buckets whatever is counted meanwhile. */
void aur_metrics_times(aur_metric_histogram_t *out, const aur_metrics_t *m, int which)
{
    int i;

    out->count = 0;
    for (i = 0; i <= AUR_METRIC_BOUNDS; i++) {
        out->buckets[i] = get(&m->times[which].buckets[i]);
        out->count += out->buckets[i];
    }
    out->sum_us = get(&m->times[which].sum_us);
}

/* --- names -------------------------------------------------------------------------------------- */

const char *aur_metric_kind_name(aur_metric_kind_e kind)
{
    static const char *const names[AUR_METRIC_KIND_COUNT] = {
#define AUR_X(id, name) [id] = name,
        AUR_METRIC_KINDS(AUR_X)
#undef AUR_X
    };
    return names[kind];
}

const char *aur_metric_refusal_name(aur_metric_refusal_e reason)
{
    static const char *const names[AUR_METRIC_REFUSAL_COUNT] = {
#define AUR_X(id, name) [id] = name,
        AUR_METRIC_REFUSALS(AUR_X)
#undef AUR_X
    };
    return names[reason];
}

const char *aur_metric_cancel_name(aur_metric_cancel_e reason)
{
    static const char *const names[AUR_METRIC_CANCEL_COUNT] = {
#define AUR_X(id, name) [id] = name,
        AUR_METRIC_CANCELS(AUR_X)
#undef AUR_X
    };
    return names[reason];
}
