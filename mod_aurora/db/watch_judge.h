/* watch_judge.h - whether a task has to stop: a function of what is seen of it, tick by tick. No thread,
 * no clock, no lock. */
#ifndef AURORA_WATCH_JUDGE_H
#define AURORA_WATCH_JUDGE_H

#include "aurora/watch.h"

/* What is seen at one moment. */
typedef struct aur_seen_t {
    apr_time_t now; /* monotonic, microseconds */
    aur_task_state_e state;
    apr_uint64_t progress;
    int holding; /* a connection */
    int gone;    /* the client */
    int cancelled;
    int acked_known;
    apr_uint64_t acked;
} aur_seen_t;

/* What is remembered from tick to tick. Zeroed, then aur_judge_begin. */
typedef struct aur_judge_t {
    apr_time_t entered;
    apr_time_t last; /* tick */
    aur_task_state_e state;
    apr_uint64_t progress;
    apr_time_t moved; /* when progress or state changed last */
    int reading;      /* IN_CLIENT with a connection at the last tick */
    apr_uint64_t taken;
    apr_time_t taken_at;          /* when the client took a byte last */
    apr_interval_time_t patience; /* waited for the client since the last mark */
    int nmarks, mark;             /* one mark a second of waiting; the oldest stands at `mark` */
    apr_uint64_t marks[AUR_WATCH_DRAIN_SECONDS];
} aur_judge_t;

void aur_judge_begin(aur_judge_t *judge, apr_time_t now);
aur_stop_e aur_judge(aur_judge_t *judge, const aur_task_limits_t *limits, const aur_seen_t *seen);

#endif
