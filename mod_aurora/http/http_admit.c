/* http_admit.c - who is let in: rates per client and per user, a user's tasks, the export queue. Each refusal is
 * counted by its reason, also where governance only tells what it would have refused. */
#include "http/http_private.h"

#include <apr_strings.h>

#include "aurora/govern_board.h"

/* Keys of the board are of a space each. Who has no name is known by his address, which no name can stand for. */
#define SPACE_CLIENT 'c'

static const struct {
    const char *name; /* in RateLimit */
    char spaces[2];   /* of addresses, of names */
    aur_metric_refusal_e refusal;
} rates[] = {
    {"preview", {'p', 'P'}, AUR_REFUSED_PREVIEW_RATE},
    {"export", {'e', 'E'}, AUR_REFUSED_EXPORT_RATE},
};

/* Rounded up, so that nobody comes back too early. */
static int seconds(apr_interval_time_t interval)
{
    return (int)((interval + APR_USEC_PER_SEC - 1) / APR_USEC_PER_SEC);
}

static aur_rate_limit_t limit_of(const aur_rate_t *rate)
{
    aur_rate_limit_t limit;

    limit.every = (rate->per_us + rate->count - 1) / rate->count;
    limit.burst = rate->burst > 0 ? rate->burst : rate->count;
    return limit;
}

/* @return whether the request goes on */
static int refuse(aur_request_t *x, aur_metric_refusal_e reason)
{
    aur_metrics_refused(reason, x->loc->governance_log);
    return x->loc->governance_log;
}

static apr_status_t rate_limited(aur_request_t *x, const char *what, apr_interval_time_t wait)
{
    int left = seconds(wait);

    aur_error_set(&x->err, AUR_E_RATE_LIMITED, NULL,
                  "Too many %s in a short time. Try again in %d second%s.", what, left,
                  left == 1 ? "" : "s");
    x->err.retry_after = left;
    return APR_EGENERAL;
}

/* --- the client --------------------------------------------------------------------------------- */

static apr_status_t client_rate(aur_request_t *x)
{
    aur_board_t *board = aur_govern_board();
    aur_rate_limit_t limit = limit_of(&x->loc->client_rate);
    aur_rate_state_t state;
    aur_key_t key;

    if (!board || !x->loc->client_rate.per_us) {
        return APR_SUCCESS;
    }
    aur_board_key(&key, board, SPACE_CLIENT, x->r->useragent_ip);
    aur_rates_take(&state, aur_board_rates(board), &key, &limit, aur_board_clock());
    if (state.allowed || refuse(x, AUR_REFUSED_CLIENT_RATE)) {
        return APR_SUCCESS;
    }
    return rate_limited(x, "requests from this address", state.wait);
}

static int is_exempt(const aur_request_t *x)
{
    return x->route &&
           (x->route->counts_as == AUR_KIND_HEALTH || x->route->counts_as == AUR_KIND_METRICS);
}

apr_status_t aur_admit_client(aur_request_t *x)
{
    return x->loc->client_rate.anonymous_only || is_exempt(x) ? APR_SUCCESS : client_rate(x);
}

apr_status_t aur_admit_anonymous(aur_request_t *x)
{
    return x->loc->client_rate.anonymous_only && !x->named && !is_exempt(x) ? client_rate(x)
                                                                            : APR_SUCCESS;
}

/* --- the user ----------------------------------------------------------------------------------- */

/* The fields of draft-ietf-httpapi-ratelimit-headers. t: until one more is allowed, where none is now; else
 * until all are again. */
static void tell_rate(aur_request_t *x, const char *name, const aur_rate_t *rate,
                      const aur_rate_limit_t *limit, const aur_rate_state_t *state)
{
    apr_pool_t *p = x->r->pool;

    apr_table_setn(x->r->headers_out, "RateLimit-Policy",
                   apr_psprintf(p, "\"%s\";q=%" APR_INT64_T_FMT ";w=%d", name, limit->burst,
                                seconds(rate->per_us)));
    apr_table_setn(x->r->headers_out, "RateLimit",
                   apr_psprintf(p, "\"%s\";r=%" APR_INT64_T_FMT ";t=%d", name, state->remaining,
                                seconds(state->remaining ? state->reset : state->wait)));
}

apr_status_t aur_admit_rate(aur_request_t *x, aur_work_e work)
{
    aur_board_t *board = aur_govern_board();
    int i = work != AUR_WORK_PREVIEW;
    const aur_rate_t *rate = i ? &x->loc->export_rate : &x->loc->preview_rate;
    aur_rate_limit_t limit = limit_of(rate);
    aur_rate_state_t state;
    aur_key_t key;

    if (!board) {
        return APR_SUCCESS;
    }
    aur_board_key(&key, board, rates[i].spaces[x->named], x->user);
    aur_rates_take(&state, aur_board_rates(board), &key, &limit, aur_board_clock());
    tell_rate(x, rates[i].name, rate, &limit, &state);
    if (state.allowed || refuse(x, rates[i].refusal)) {
        return APR_SUCCESS;
    }
    return rate_limited(x, i ? "exports" : "previews", state.wait);
}

/* --- tasks -------------------------------------------------------------------------------------- */

void aur_admit_owner(aur_key_t *key, const aur_request_t *x)
{
    static const char spaces[] = {'a', 'U'};

    aur_board_key(key, aur_govern_board(), spaces[x->named], x->user);
}

static apr_status_t too_many_tasks(aur_request_t *x)
{
    aur_error_set(&x->err, AUR_E_TOO_MANY_TASKS, NULL,
                  "You already run %" APR_INT64_T_FMT
                  " previews and exports at once. Wait for one to end, or cancel it.",
                  x->loc->user_tasks_max);
    x->err.limit = x->loc->user_tasks_max;
    x->err.retry_after = 1;
    return APR_EGENERAL;
}

static apr_status_t queue_full(aur_request_t *x, apr_int64_t max)
{
    aur_error_set(&x->err, AUR_E_QUEUE_FULL, NULL,
                  "The server runs as many exports as it may. Try again in a few seconds.");
    x->err.limit = max;
    x->err.retry_after = 5;
    return APR_EGENERAL;
}

apr_status_t aur_admit_task(aur_request_t *x, aur_task_want_t *want)
{
    aur_admit_e verdict;

    want->user_max = x->loc->user_tasks_max;
    want->queue_max = x->server->export_queue_max;
    want->only_tell = x->loc->governance_log;
    verdict = aur_tasks_begin(&x->place, aur_govern_board(), want);
    switch (verdict) {
    case AUR_ADMIT_USER_TASKS:
        return refuse(x, AUR_REFUSED_USER_TASKS) ? APR_SUCCESS : too_many_tasks(x);
    case AUR_ADMIT_QUEUE_FULL:
        return refuse(x, AUR_REFUSED_EXPORT_QUEUE) ? APR_SUCCESS : queue_full(x, want->queue_max);
    case AUR_ADMIT_NO_PLACE:
        return refuse(x, AUR_REFUSED_EXPORT_QUEUE) ? APR_SUCCESS : queue_full(x, -1);
    case AUR_ADMITTED:
        break;
    }
    return APR_SUCCESS;
}
