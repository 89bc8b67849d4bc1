/* tasks.h - who runs what, on the board: previews and exports from the moment they are admitted to the moment their
 * last byte is about to leave, and for a while after that.
 *
 * The table is the only truth: how many tasks a user runs and how many exports there are is counted from it,
 * under the board's lock, each time. Nothing is counted twice or forgotten when a child dies: the parent
 * marks its tasks, which count no more from then on, and whoever takes the lock next puts them among those that
 * have failed. */
#ifndef AURORA_TASKS_H
#define AURORA_TASKS_H

#include "aurora/board.h"

/* Previews, CSVs and workbooks that have ended are remembered, so many of each. */
#define AUR_TASKS_ENDED 1000

typedef enum {
    AUR_ADMITTED,
    AUR_ADMIT_USER_TASKS, /* the user runs `user_max` */
    AUR_ADMIT_QUEUE_FULL, /* there are `queue_max` exports */
    AUR_ADMIT_NO_PLACE    /* the table is full: more tasks than workers */
} aur_admit_e;

typedef struct aur_task_want_t {
    const char *id; /* 32 hex digits */
    const char *user, *dataset;
    aur_key_t owner; /* by whom tasks of a user are counted and found */
    aur_work_e work;
    apr_int64_t user_max, queue_max; /* 0: no limit */
    int only_tell;                   /* admit it although a limit says no */
} aur_task_want_t;

/** Take a place.
 * @param place  set when one was taken; -1 otherwise
 * @return the limit that stands, or would stand, in the way */
aur_admit_e aur_tasks_begin(int *place, aur_board_t *board, const aur_task_want_t *want);

/* The holder of a place, on one thread at a time; without the lock: */
void aur_tasks_running(aur_board_t *board, int place);
void aur_tasks_progress(aur_board_t *board, int place, apr_uint64_t rows, apr_uint64_t bytes);
/** Becomes other than 0 when the task is to stop. As long as the place is held. */
const apr_uint32_t *aur_tasks_cancel_flag(const aur_board_t *board, int place);
/** When its stop was asked for, by aur_board_clock; 0: it was not. */
apr_time_t aur_tasks_cancel_asked(const aur_board_t *board, int place);

typedef struct aur_task_end_t {
    aur_work_state_e state; /* COMPLETE, FAILED or CANCELLED */
    aur_code_e code;
    apr_uint64_t rows, bytes, truncated_cells;
    const unsigned char *sha256; /* AUR_TASK_SHA256 bytes; may be NULL */
} aur_task_end_t;

/** Leave the place; the task is remembered as it ended. */
void aur_tasks_end(aur_board_t *board, int place, const aur_task_end_t *end);
/** The same without waiting for anybody, for cleanups and signal handlers: it counts as failed. */
void aur_tasks_abandon(aur_board_t *board, int place);
/** What was said to be complete was not, after all: its last bytes could not be sent. */
void aur_tasks_amend(aur_board_t *board, const char *id, aur_work_state_e state, aur_code_e code);

typedef enum {
    AUR_TASK_UNKNOWN,
    AUR_TASK_FOREIGN, /* there is one, of somebody else */
    AUR_TASK_FOUND
} aur_task_found_e;

/** Look for a task, running or ended. view is filled unless it is unknown.
 * @param owner  whose it has to be to be FOUND; NULL: anybody's */
aur_task_found_e aur_tasks_find(aur_task_view_t *view, aur_board_t *board, const char *id,
                                const aur_key_t *owner);
/** Ask a task to stop, if it is running and found. */
aur_task_found_e aur_tasks_cancel(aur_task_view_t *view, aur_board_t *board, const char *id,
                                  const aur_key_t *owner);
/** Show each running task. The lock is taken for each one by itself, and not waited for for long.
 * @param owner  NULL: everybody's */
void aur_tasks_each(aur_board_t *board, const aur_key_t *owner, aur_task_view_fn *show, void *ctx);
/** Add how many run, and the export queue. Without the lock. */
void aur_tasks_figures(const aur_board_t *board, aur_figures_t *figures);

#endif
