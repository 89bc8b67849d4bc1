/* http_answer.c - bytes on their way to the client, and what happens when something fails before or
 * after the first of them. */
#include "http/http_private.h"

#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <util_filter.h>
#include <apr_strings.h>
#include <apr_time.h>

APLOG_USE_MODULE(aurora);

#define PROBLEM_BYTES 8192
#define SLICE_BYTES   16384 /* of a stream, between two looks at what its client takes */

/* A stream of HTTP/2 takes a brigade in slices, so that one sees it taken. */
static apr_status_t pass_slices(aur_request_t *x, apr_bucket_brigade *bb)
{
    conn_rec *c = x->r->connection;
    apr_bucket *e;
    apr_off_t n = 0;
    apr_status_t rv = APR_SUCCESS;

    if (!x->slice) {
        x->slice = apr_brigade_create(x->r->pool, c->bucket_alloc);
    }
    while (rv == APR_SUCCESS && apr_brigade_partition(bb, SLICE_BYTES, &e) == APR_SUCCESS) {
        while (APR_BRIGADE_FIRST(bb) != e) {
            apr_bucket *first = APR_BRIGADE_FIRST(bb);
            APR_BUCKET_REMOVE(first);
            APR_BRIGADE_INSERT_TAIL(x->slice, first);
        }
        rv = ap_pass_brigade(x->r->output_filters, x->slice);
        apr_brigade_cleanup(x->slice);
        __atomic_add_fetch(&x->client.taken, SLICE_BYTES, __ATOMIC_RELAXED);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    apr_brigade_length(bb, 0, &n);
    rv = ap_pass_brigade(x->r->output_filters, bb);
    __atomic_add_fetch(&x->client.taken, n > 0 ? (apr_uint64_t)n : 0, __ATOMIC_RELAXED);
    return rv;
}

/* The sink uses its buffers again when this returns. FLUSH makes the server write them out (a slow
 * client is waited for here); at the end it may set them aside instead, as it copies them then. */
static apr_status_t pass(void *ctx, apr_bucket_brigade *bb, int last)
{
    aur_request_t *x = ctx;
    conn_rec *c = x->r->connection;
    apr_time_t begin = aur_clock();
    apr_bucket *e =
        last ? apr_bucket_eos_create(c->bucket_alloc) : apr_bucket_flush_create(c->bucket_alloc);

    APR_BRIGADE_INSERT_TAIL(bb, e);
    if (!last && aur_client_counts_on_end(x->r)) {
        aur_client_end_resets(x->r, 1); /* however it ends before it is whole */
    }
    aur_work_pass(x, bb, last && x->whole);
    aur_task_state(x->task, AUR_TASK_IN_CLIENT);
    if (x->conn && aur_task_reason(x->task) != AUR_STOP_NONE) {
        x->pass_rv = APR_ECONNABORTED; /* the result is being cancelled under us */
    }
    else {
        x->pass_rv = c->master ? pass_slices(x, bb) : ap_pass_brigade(x->r->output_filters, bb);
    }
    aur_task_state(x->task, x->conn ? AUR_TASK_IN_DB : AUR_TASK_ELSEWHERE);
    apr_brigade_cleanup(bb);
    /* Not after the last: a stream of HTTP/2 whose client has all of it and hangs up looks the same. */
    if (x->pass_rv == APR_SUCCESS && c->aborted && !last) {
        x->pass_rv = APR_ECONNABORTED;
    }
    if (x->pass_rv == APR_SUCCESS && last && x->whole && aur_client_counts_on_end(x->r)) {
        aur_client_end_resets(x->r, 0);
    }
    x->pass_us += aur_clock() - begin;
    return x->pass_rv;
}

static void begin(aur_request_t *x, const char *type, apr_size_t buffers, apr_size_t bytes)
{
    ap_set_content_type(x->r, type);
    /* No part of an answer is ever the answer: an export of the next minute has other rows. */
    ap_remove_output_filter_byhandle(x->r->output_filters, "BYTERANGE");
    apr_table_setn(x->r->headers_out, "Cache-Control", "no-store");
    if (!x->sink) {
        x->sink =
            aur_sink_create(buffers, bytes, x->r->connection->bucket_alloc, pass, x, x->r->pool);
    }
}

void aur_answer_begin(aur_request_t *x, const char *content_type, apr_size_t buffers)
{
    begin(x, content_type, buffers, AUR_SINK_BUFFER_BYTES);
}

apr_status_t aur_answer_broken(aur_request_t *x)
{
    if (x->r->connection->aborted) {
        return aur_error_set(&x->err, AUR_E_CLIENT_GONE, NULL, "The client left.");
    }
    return aur_error_set(&x->err, AUR_E_INTERNAL, NULL, "The answer could not be sent.");
}

int aur_answer_end(aur_request_t *x)
{
    x->whole = 1;
    if (aur_sink_finish(x->sink) != APR_SUCCESS) {
        aur_answer_broken(x);
        return aur_answer_fail(x);
    }
    aur_request_note(x, x->r->status);
    return OK;
}

static int answer_problem(aur_request_t *x)
{
    request_rec *r = x->r;
    apr_table_unset(r->headers_out, "Content-Disposition");
    apr_table_unset(r->headers_out, "Accept-Ranges");
    apr_table_unset(r->headers_out, "X-Accel-Buffering");
    /* It gives up once a task has been stopped, and this is what tells so. */
    ap_remove_output_filter_byhandle(r->output_filters, "AURORA_THROTTLE");
    r->status = aur_problem_status(x->err.code);
    if (x->sink) {
        aur_sink_reset(x->sink);
    }
    begin(x, "application/problem+json", 1, PROBLEM_BYTES);
    aur_problem_write(x);
    aur_request_note(x, r->status);
    if (aur_sink_finish(x->sink) != APR_SUCCESS) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, x->pass_rv, r,
                      AURLOG(2003) "[%s] the client left before it had its answer", x->correlation);
    }
    return OK;
}

/* A body without chunks or a length ends where the connection does, and an ordinary close would make half
 * of it look whole. A reset cannot be mistaken. */
static void reset_connection(request_rec *r)
{
    aur_client_end_resets(r, 1);
    r->connection->aborted = 1; /* no lingering close, which would be an ordinary one */
}

/* Something has left already: the transfer must not end as if it were whole. httpd's chunk filter
 * leaves out the last chunk after such a bucket, mod_http2 resets the stream. */
static int break_off(aur_request_t *x)
{
    request_rec *r = x->r;
    conn_rec *c = r->connection;
    apr_bucket_brigade *bb = apr_brigade_create(r->pool, c->bucket_alloc);
    int framed = r->chunked || r->proto_num >= HTTP_VERSION(2, 0) ||
                 apr_table_get(r->headers_out, "Content-Length") != NULL;

    c->keepalive = AP_CONN_CLOSE;
    if (!framed) {
        reset_connection(r);
    }
    APR_BRIGADE_INSERT_TAIL(
        bb, ap_bucket_error_create(HTTP_BAD_GATEWAY, NULL, r->pool, c->bucket_alloc));
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(c->bucket_alloc));
    x->pass_rv = ap_pass_brigade(r->output_filters, bb);
    if (x->pass_rv != APR_SUCCESS && r->proto_num < HTTP_VERSION(2, 0)) {
        reset_connection(r);
    }
    apr_brigade_cleanup(bb);
    return OK;
}

int aur_answer_fail(aur_request_t *x)
{
    aur_work_stopped(x);
    aur_run_return(x);
    aur_run_explain(x);
    aur_work_refused(x);
    aur_work_end(
        x, aur_task_reason(x->task) == AUR_STOP_CANCELLED ? AUR_WORK_CANCELLED : AUR_WORK_FAILED,
        x->err.code);
    aur_problem_log(x);
    if (x->sink && aur_sink_started(x->sink)) {
        aur_request_note(x, aur_problem_status(x->err.code));
        return x->r->connection->aborted ? OK : break_off(x);
    }
    return answer_problem(x);
}
