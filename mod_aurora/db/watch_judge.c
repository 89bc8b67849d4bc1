/* watch_judge.c - see watch_judge.h.
 *
 * The slowest reading is an average over the last AUR_WATCH_DRAIN_SECONDS of waiting for the client: what
 * socket buffers took at the beginning is out of the window after that long, and the time that the
 * database takes is not in it. Acknowledged bytes are what counts, not written ones, which may lie in
 * the kernel for long. */
#include "watch_judge.h"

void aur_judge_begin(aur_judge_t *judge, apr_time_t now)
{
    judge->entered = judge->last = judge->moved = now;
    judge->state = AUR_TASK_WAITING;
}

/* --- the client --------------------------------------------------------------------------------- */

static void begin_reading(aur_judge_t *judge, const aur_seen_t *seen)
{
    judge->reading = 1;
    judge->taken_at = seen->now;
}

/* @return whether the window is full and too little was taken in it */
static int drains_too_slowly(aur_judge_t *judge, apr_int64_t min_drain, apr_uint64_t acked)
{
    apr_uint64_t oldest;

    judge->patience = 0;
    if (judge->nmarks < AUR_WATCH_DRAIN_SECONDS) {
        judge->marks[judge->nmarks++] = acked;
        return 0;
    }
    oldest = judge->marks[judge->mark];
    judge->marks[judge->mark] = acked;
    judge->mark = (judge->mark + 1) % AUR_WATCH_DRAIN_SECONDS;
    return acked - oldest < (apr_uint64_t)min_drain * AUR_WATCH_DRAIN_SECONDS;
}

static aur_stop_e judge_reading(aur_judge_t *judge, const aur_task_limits_t *limits,
                                const aur_seen_t *seen, apr_interval_time_t since)
{
    /* Where the kernel tells no bytes, a pass that comes to its end is all there is to see. */
    apr_uint64_t taken = seen->acked_known ? seen->acked : seen->progress;

    if (!judge->reading) {
        begin_reading(judge, seen);
    }
    if (taken != judge->taken) {
        judge->taken = taken;
        judge->taken_at = seen->now;
    }
    if (limits->stall_timeout && seen->now - judge->taken_at >= limits->stall_timeout) {
        return AUR_STOP_STALLED;
    }
    if (!limits->min_drain || !seen->acked_known) {
        return AUR_STOP_NONE;
    }
    judge->patience += since;
    if ((judge->nmarks == 0 || judge->patience >= apr_time_from_sec(1)) &&
        drains_too_slowly(judge, limits->min_drain, seen->acked)) {
        return AUR_STOP_TOO_SLOW;
    }
    return AUR_STOP_NONE;
}

/* --- all of it ---------------------------------------------------------------------------------- */

aur_stop_e aur_judge(aur_judge_t *judge, const aur_task_limits_t *limits, const aur_seen_t *seen)
{
    apr_interval_time_t since = seen->now - judge->last;

    judge->last = seen->now;
    if (seen->progress != judge->progress || seen->state != judge->state) {
        judge->progress = seen->progress;
        judge->state = seen->state;
        judge->moved = seen->now;
    }
    if (seen->cancelled) {
        return AUR_STOP_CANCELLED;
    }
    if (seen->gone) {
        return AUR_STOP_CLIENT_GONE;
    }
    if (limits->task_timeout && seen->now - judge->entered >= limits->task_timeout) {
        return AUR_STOP_TASK_TIMEOUT;
    }
    if (seen->state == AUR_TASK_IN_CLIENT && seen->holding) {
        return judge_reading(judge, limits, seen, since);
    }
    judge->reading = 0;
    if (seen->state == AUR_TASK_IN_DB && limits->query_timeout &&
        seen->now - judge->moved >= limits->query_timeout) {
        return AUR_STOP_TIMEOUT;
    }
    return AUR_STOP_NONE;
}
