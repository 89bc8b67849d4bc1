/* http_throttle.c - the output filter AURORA_THROTTLE: a body no faster than AuroraExportBandwidth.
 *
 * A token bucket, kept as the time at which the bytes sent so far are paid for. What tells rather than is
 * body (flushes, errors, the end) passes at once and in its place. Nothing is kept from one call to the
 * next: a brigade is cut into slices, each passed with a flush, so that at most one lies anywhere. */
#include "http/http_xlsx.h"
#include "aurora/http.h"

#include <http_protocol.h>
#include <util_filter.h>
#include <apr_buckets.h>
#include <apr_time.h>

#include "aurora/sync.h"

#define FILTER "AURORA_THROTTLE"
/* What may be sent at once after a pause; also the aim for a slice. */
#define BURST_US  (APR_USEC_PER_SEC / 20)
#define SLICE_MIN 512
#define SLICE_MAX 65536
/* A client that has left, or a task that was stopped, is noticed after this. */
#define NAP_US (APR_USEC_PER_SEC / 20)

typedef struct throttle_t {
    apr_int64_t rate; /* bytes a second */
    apr_size_t slice;
    apr_time_t paid; /* when the bytes sent are paid for */
    const aur_task_t *task;
    apr_bucket_brigade *out;
} throttle_t;

static int over(const throttle_t *t, const conn_rec *c)
{
    return c->aborted || aur_task_reason(t->task) != AUR_STOP_NONE;
}

/* Until n more bytes may go. */
static apr_status_t wait_for(throttle_t *t, apr_size_t n, const conn_rec *c)
{
    apr_time_t now = aur_clock();

    if (t->paid < now - BURST_US) {
        t->paid = now - BURST_US;
    }
    while (now < t->paid) {
        apr_interval_time_t left = t->paid - now;
        if (over(t, c)) {
            return APR_ECONNABORTED;
        }
        apr_sleep(left < NAP_US ? left : NAP_US);
        now = aur_clock();
    }
    t->paid += (apr_time_t)n * APR_USEC_PER_SEC / t->rate;
    return over(t, c) ? APR_ECONNABORTED : APR_SUCCESS;
}

/* The bucket at the head, at most a slice of it, is moved to `out`. */
static apr_status_t take(ap_filter_t *f, apr_bucket *e)
{
    throttle_t *t = f->ctx;
    const char *s;
    apr_size_t n;
    apr_status_t rv = apr_bucket_read(e, &s, &n, APR_BLOCK_READ);

    if (rv == APR_SUCCESS && n > t->slice) {
        rv = apr_bucket_split(e, t->slice);
        n = t->slice;
    }
    if (rv == APR_SUCCESS) {
        rv = wait_for(t, n, f->c);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    APR_BUCKET_REMOVE(e);
    APR_BRIGADE_INSERT_TAIL(t->out, e);
    APR_BRIGADE_INSERT_TAIL(t->out, apr_bucket_flush_create(f->c->bucket_alloc));
    rv = ap_pass_brigade(f->next, t->out);
    apr_brigade_cleanup(t->out);
    return rv;
}

static int tells_error(apr_bucket_brigade *bb)
{
    apr_bucket *e;

    for (e = APR_BRIGADE_FIRST(bb); e != APR_BRIGADE_SENTINEL(bb); e = APR_BUCKET_NEXT(e)) {
        if (AP_BUCKET_IS_ERROR(e)) {
            return 1;
        }
    }
    return 0;
}

/* What cannot be sent any more is dropped, and an end that follows it with it: the body would look whole. But
 * that it broke off is passed on, also from among what content codings hand down for their own ends: streams of
 * HTTP/2 are not reset without. */
static apr_status_t throttle(ap_filter_t *f, apr_bucket_brigade *bb)
{
    throttle_t *t = f->ctx;
    apr_status_t rv = APR_SUCCESS, passed;

    while (!APR_BRIGADE_EMPTY(bb)) {
        apr_bucket *e = APR_BRIGADE_FIRST(bb);
        if (APR_BUCKET_IS_METADATA(e)) {
            APR_BUCKET_REMOVE(e);
            APR_BRIGADE_INSERT_TAIL(t->out, e);
        }
        else if (rv == APR_SUCCESS && !tells_error(t->out)) {
            rv = take(f, e);
        }
        else {
            apr_bucket_delete(e);
        }
    }
    if (!APR_BRIGADE_EMPTY(t->out) && (rv == APR_SUCCESS || tells_error(t->out))) {
        passed = ap_pass_brigade(f->next, t->out);
        rv = rv == APR_SUCCESS ? passed : rv;
    }
    apr_brigade_cleanup(t->out);
    return rv;
}

/* Behind content codings, so that what is counted is what the network carries; before the chunks. */
void aur_throttle_register(void)
{
    ap_register_output_filter(FILTER, throttle, NULL, (ap_filter_type)(AP_FTYPE_PROTOCOL - 1));
}

void aur_throttle_add(aur_request_t *x)
{
    apr_int64_t slice;
    throttle_t *t;

    if (x->loc->export_bandwidth == 0) {
        return;
    }
    t = apr_pcalloc(x->r->pool, sizeof(*t));
    t->task = x->task;
    t->rate = x->loc->export_bandwidth * 1024;
    slice = t->rate * BURST_US / APR_USEC_PER_SEC;
    t->slice = (apr_size_t)(slice < SLICE_MIN ? SLICE_MIN : slice > SLICE_MAX ? SLICE_MAX : slice);
    t->out = apr_brigade_create(x->r->pool, x->r->connection->bucket_alloc);
    ap_add_output_filter(FILTER, t, x->r, x->r->connection);
}
