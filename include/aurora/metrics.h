/* metrics.h - counters and histograms, in memory that all children share. Each is a row of a table here; names
 * are the contract's. Every function is one or a few atomic additions, safe from any thread and process. */
#ifndef AURORA_METRICS_H
#define AURORA_METRICS_H

#include <apr.h>
#include <apr_time.h>

#include "aurora/figures.h"

/* What a request was for: the label `kind` of aurora_requests_total. The first are the works'. */
#define AUR_METRIC_KINDS(X)                                                                        \
    X(AUR_KIND_PREVIEW, "preview")                                                                 \
    X(AUR_KIND_CSV, "csv")                                                                         \
    X(AUR_KIND_XLSX, "xlsx")                                                                       \
    X(AUR_KIND_DATASETS, "datasets")                                                               \
    X(AUR_KIND_COLUMNS, "columns")                                                                 \
    X(AUR_KIND_ESTIMATE, "estimate")                                                               \
    X(AUR_KIND_REPORTS, "reports")                                                                 \
    X(AUR_KIND_TASKS, "tasks")                                                                     \
    X(AUR_KIND_OPENAPI, "openapi")                                                                 \
    X(AUR_KIND_HEALTH, "health")                                                                   \
    X(AUR_KIND_READY, "ready")                                                                     \
    X(AUR_KIND_METRICS, "metrics")                                                                 \
    X(AUR_KIND_OTHER, "other")

typedef enum {
#define AUR_X(id, name) id,
    AUR_METRIC_KINDS(AUR_X)
#undef AUR_X
        AUR_METRIC_KIND_COUNT
} aur_metric_kind_e;

/* Why a request was refused, or would have been. */
#define AUR_METRIC_REFUSALS(X)                                                                     \
    X(AUR_REFUSED_CLIENT_RATE, "client_rate")                                                      \
    X(AUR_REFUSED_PREVIEW_RATE, "preview_rate")                                                    \
    X(AUR_REFUSED_EXPORT_RATE, "export_rate")                                                      \
    X(AUR_REFUSED_USER_TASKS, "user_tasks")                                                        \
    X(AUR_REFUSED_EXPORT_QUEUE, "export_queue")                                                    \
    X(AUR_REFUSED_POOL, "pool_exhausted")                                                          \
    X(AUR_REFUSED_DATABASE, "database_unavailable")                                                \
    X(AUR_REFUSED_QUERY_SIZE, "query_too_large")                                                   \
    X(AUR_REFUSED_XLSX_ROWS, "xlsx_too_many_rows")

typedef enum {
#define AUR_X(id, name) id,
    AUR_METRIC_REFUSALS(AUR_X)
#undef AUR_X
        AUR_METRIC_REFUSAL_COUNT
} aur_metric_refusal_e;

/* Why a task was stopped. */
#define AUR_METRIC_CANCELS(X)                                                                      \
    X(AUR_CANCELLED_TIMEOUT, "timeout")                                                            \
    X(AUR_CANCELLED_TASK_TIMEOUT, "task_timeout")                                                  \
    X(AUR_CANCELLED_CLIENT_GONE, "client_gone")                                                    \
    X(AUR_CANCELLED_STALLED, "stalled")                                                            \
    X(AUR_CANCELLED_TOO_SLOW, "too_slow")                                                          \
    X(AUR_CANCELLED_REQUESTED, "requested")                                                        \
    X(AUR_CANCELLED_STOPPING, "stopping")

typedef enum {
#define AUR_X(id, name) id,
    AUR_METRIC_CANCELS(AUR_X)
#undef AUR_X
        AUR_METRIC_CANCEL_COUNT
} aur_metric_cancel_e;

typedef enum {
    AUR_TIME_QUERY = 0,      /* by work */
    AUR_TIME_FIRST_BYTE = 3, /* by work */
    AUR_TIME_POOL_WAIT = 6,
    AUR_TIME_CANCEL,
    AUR_TIME_COUNT
} aur_metric_time_e;

/* HTTP statuses as labels: from 100 to 599; any other counts as 0. */
#define AUR_METRIC_CODES 501

/* Bounds of the histograms' buckets, in microseconds; one more bucket is without bound. */
#define AUR_METRIC_BOUNDS 16
extern const apr_interval_time_t aur_metric_bounds[AUR_METRIC_BOUNDS];

typedef struct aur_metrics_t aur_metrics_t;

/** Bytes that metrics need; aligned to 8 and zeroed before the first use. */
apr_size_t aur_metrics_size(void);
/** The metrics of this process from now on; NULL: nothing is counted. Before the first thread. */
void aur_metrics_use(aur_metrics_t *metrics);
/** NULL when none are in use. */
const aur_metrics_t *aur_metrics_used(void);

void aur_metrics_request(aur_metric_kind_e kind, int status);
/** Rows and bytes of a work, more than were counted before. */
void aur_metrics_volume(aur_work_e work, apr_uint64_t rows, apr_uint64_t bytes);
/** @param would  it was let through, because governance only logs */
void aur_metrics_refused(aur_metric_refusal_e reason, int would);
void aur_metrics_cancelled(aur_metric_cancel_e reason);
void aur_metrics_connect_error(void);
/** @param which  AUR_TIME_QUERY + work, AUR_TIME_FIRST_BYTE + work, or one of the others */
void aur_metrics_time(int which, apr_interval_time_t interval);

const char *aur_metric_kind_name(aur_metric_kind_e kind);
const char *aur_metric_refusal_name(aur_metric_refusal_e reason);
const char *aur_metric_cancel_name(aur_metric_cancel_e reason);

/* --- reading ------------------------------------------------------------------------------------ */

typedef struct aur_metric_histogram_t {
    apr_uint64_t buckets[AUR_METRIC_BOUNDS + 1]; /* each by itself, not summed up */
    apr_uint64_t count;                          /* of all buckets */
    apr_uint64_t sum_us;
} aur_metric_histogram_t;

/** @param status  100 to 599, or 0 for the others */
apr_uint64_t aur_metrics_requests(const aur_metrics_t *m, aur_metric_kind_e kind, int status);
apr_uint64_t aur_metrics_rows(const aur_metrics_t *m, aur_work_e work);
apr_uint64_t aur_metrics_bytes(const aur_metrics_t *m, aur_work_e work);
apr_uint64_t aur_metrics_refusals(const aur_metrics_t *m, aur_metric_refusal_e reason, int would);
apr_uint64_t aur_metrics_cancels(const aur_metrics_t *m, aur_metric_cancel_e reason);
apr_uint64_t aur_metrics_connect_errors(const aur_metrics_t *m);
void aur_metrics_times(aur_metric_histogram_t *out, const aur_metrics_t *m, int which);

#endif
