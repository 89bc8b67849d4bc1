/* http_work.c - a preview or an export as a task: from its admission to its record, with what is counted on
 * the way.
 *
 * The record is written just before the last bytes leave: a client that has them all finds its task complete, and
 * may start the next. Should they not arrive after all, the record is put right. */
#include "http/http_private.h"

#include <apr_strings.h>
#include <nettle/sha2.h>

#include "aurora/govern_board.h"
#include "aurora/sync.h"

struct aur_working_t {
    aur_work_e work;
    const char *id;
    int ended;
    int hashing;
    struct sha256_ctx sha256;
    apr_uint64_t bytes;                 /* of the body so far */
    apr_uint64_t rows_told, bytes_told; /* to the counters */
};

apr_status_t aur_work_name(aur_request_t *x)
{
    x->task_id = aur_random_id(x->r->pool);
    if (!x->task_id) {
        return aur_error_set(&x->err, AUR_E_INTERNAL, NULL, "No task could be started.");
    }
    apr_table_setn(x->r->headers_out, "X-Aurora-Task", x->task_id);
    return APR_SUCCESS;
}

/* The request is over without a word, as when its child ends. Waits for nobody. */
static apr_status_t forget(void *data)
{
    aur_request_t *x = data;

    aur_task_listen(x->task, NULL);
    if (x->place >= 0) {
        aur_tasks_abandon(aur_govern_board(), x->place);
        x->place = -1;
    }
    return APR_SUCCESS;
}

apr_status_t aur_work_begin(aur_request_t *x, aur_work_e work)
{
    aur_task_want_t want = {.id = x->task_id, .user = x->user, .dataset = x->dataset, .work = work};
    aur_working_t *working;
    apr_status_t rv;

    if (!aur_govern_board()) {
        return APR_SUCCESS;
    }
    aur_admit_owner(&want.owner, x);
    rv = aur_admit_task(x, &want);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    working = apr_pcalloc(x->r->pool, sizeof(*working));
    working->work = work;
    working->id = x->task_id;
    working->hashing = x->loc->digest && work != AUR_WORK_PREVIEW;
    if (working->hashing) {
        sha256_init(&working->sha256);
    }
    x->working = working;
    apr_pool_cleanup_register(x->r->pool, x, forget, apr_pool_cleanup_null);
    return APR_SUCCESS;
}

/* --- on the way ----------------------------------------------------------------------------------- */

static void tell_progress(aur_request_t *x)
{
    aur_working_t *w = x->working;
    apr_uint64_t rows = x->rows > 0 ? (apr_uint64_t)x->rows : 0;

    aur_metrics_volume(w->work, rows - w->rows_told, w->bytes - w->bytes_told);
    w->rows_told = rows;
    w->bytes_told = w->bytes;
    aur_tasks_progress(aur_govern_board(), x->place, rows, w->bytes);
}

/* Buckets of a sink lie in memory. */
static void look_at(aur_working_t *w, apr_bucket_brigade *bb)
{
    apr_bucket *e;

    for (e = APR_BRIGADE_FIRST(bb); e != APR_BRIGADE_SENTINEL(bb); e = APR_BUCKET_NEXT(e)) {
        const char *data;
        apr_size_t len;
        if (APR_BUCKET_IS_METADATA(e) ||
            apr_bucket_read(e, &data, &len, APR_BLOCK_READ) != APR_SUCCESS) {
            continue;
        }
        w->bytes += len;
        if (w->hashing) {
            sha256_update(&w->sha256, len, (const uint8_t *)data);
        }
    }
}

void aur_work_pass(aur_request_t *x, apr_bucket_brigade *bb, int whole)
{
    aur_working_t *w = x->working;

    if (!w || w->ended) {
        return;
    }
    if (w->bytes == 0) {
        aur_metrics_time(AUR_TIME_FIRST_BYTE + (int)w->work, aur_clock() - x->begun);
    }
    look_at(w, bb);
    tell_progress(x);
    if (whole) {
        aur_work_end(x, AUR_WORK_COMPLETE, AUR_E_NONE);
    }
}

void aur_work_running(aur_request_t *x)
{
    if (x->working) {
        aur_tasks_running(aur_govern_board(), x->place);
    }
}

const apr_uint32_t *aur_work_cancel_flag(const aur_request_t *x)
{
    return x->working ? aur_tasks_cancel_flag(aur_govern_board(), x->place) : NULL;
}

/* --- the end --------------------------------------------------------------------------------------- */

static const char *hex(const unsigned char *bytes, apr_size_t n, apr_pool_t *p)
{
    char *text = apr_palloc(p, 2 * n + 1);
    apr_size_t i;

    for (i = 0; i < n; i++) {
        apr_snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    }
    text[2 * n] = '\0';
    return text;
}

void aur_work_end(aur_request_t *x, aur_work_state_e state, aur_code_e code)
{
    aur_working_t *w = x->working;
    unsigned char sha256[AUR_TASK_SHA256];
    aur_task_end_t end = {.state = state, .code = code};

    if (!w) {
        return;
    }
    if (w->ended) {
        aur_tasks_amend(aur_govern_board(), w->id, state, code);
        return;
    }
    w->ended = 1;
    tell_progress(x);
    end.rows = w->rows_told;
    end.bytes = w->bytes;
    end.truncated_cells = (apr_uint64_t)x->truncated_cells;
    if (w->hashing) {
        sha256_digest(&w->sha256, sizeof(sha256), sha256);
        end.sha256 = sha256;
        x->sha256 = hex(sha256, sizeof(sha256), x->r->pool);
    }
    x->bytes = (apr_int64_t)w->bytes;
    if (x->db_us > 0) {
        aur_metrics_time(AUR_TIME_QUERY + (int)w->work, x->db_us);
    }
    /* The place may be another task's a moment later, and so its flag. */
    aur_task_listen(x->task, NULL);
    aur_tasks_end(aur_govern_board(), x->place, &end);
    x->place = -1;
}

/* --- stopped, refused ------------------------------------------------------------------------------- */

static const aur_metric_cancel_e cancels[] = {
    [AUR_STOP_TIMEOUT] = AUR_CANCELLED_TIMEOUT,
    [AUR_STOP_TASK_TIMEOUT] = AUR_CANCELLED_TASK_TIMEOUT,
    [AUR_STOP_CLIENT_GONE] = AUR_CANCELLED_CLIENT_GONE,
    [AUR_STOP_STALLED] = AUR_CANCELLED_STALLED,
    [AUR_STOP_TOO_SLOW] = AUR_CANCELLED_TOO_SLOW,
    [AUR_STOP_CANCELLED] = AUR_CANCELLED_REQUESTED,
    [AUR_STOP_STOPPING] = AUR_CANCELLED_STOPPING,
};

void aur_work_stopped(const aur_request_t *x)
{
    aur_stop_e reason = aur_task_reason(x->task);
    apr_time_t asked = 0;

    if (reason == AUR_STOP_NONE) {
        if (x->err.code == AUR_E_CLIENT_GONE) {
            aur_metrics_cancelled(AUR_CANCELLED_CLIENT_GONE);
        }
        return;
    }
    aur_metrics_cancelled(cancels[reason]);
    if (!x->conn) {
        return; /* there was nothing to cancel in the database */
    }
    if (reason == AUR_STOP_CANCELLED && x->working) {
        asked = aur_tasks_cancel_asked(aur_govern_board(), x->place);
    }
    aur_metrics_time(AUR_TIME_CANCEL, aur_clock() - (asked ? asked : aur_task_asked(x->task)));
}

void aur_work_refused(const aur_request_t *x)
{
    switch (x->err.code) {
    case AUR_E_POOL_EXHAUSTED:
        aur_metrics_refused(AUR_REFUSED_POOL, 0);
        break;
    case AUR_E_DB_UNAVAILABLE:
        aur_metrics_refused(AUR_REFUSED_DATABASE, 0);
        break;
    case AUR_E_QUERY_TOO_LARGE:
        aur_metrics_refused(AUR_REFUSED_QUERY_SIZE, 0);
        break;
    case AUR_E_XLSX_TOO_MANY_ROWS:
        aur_metrics_refused(AUR_REFUSED_XLSX_ROWS, 0);
        break;
    default:
        break;
    }
}
