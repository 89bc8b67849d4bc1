/* watch.h - one thread per child that looks at what the workers are waiting for, and stops what runs too
 * long, runs for a client that has left, or is not being read.
 *
 * A worker enters a task before it asks for a connection and leaves when its answer is out. In between it
 * only says what it is doing, by plain stores: no clock, no lock, no system call per row. The thread
 * looks every AUR_WATCH_TICK while there are tasks. When a task has to stop, the reason is kept (the first
 * one wins), the statement is cancelled in the database by a thread of its own, because that may block,
 * and a client that does not read has its socket shut down, so that the blocked write fails (only after
 * AUR_WATCH_GRACE where the answers to others go through it as well: most writes return before that). A
 * statement that does not return within AUR_WATCH_GRACE loses its connection. The worker finds the
 * reason when its call comes back.
 *
 * Threads: a task belongs to its worker; aur_task_cancel and everything on the watch may come from any. */
#ifndef AURORA_WATCH_H
#define AURORA_WATCH_H

#include <apr_pools.h>
#include <apr_time.h>

#define AUR_WATCH_TICK  apr_time_from_msec(50)
#define AUR_WATCH_GRACE apr_time_from_sec(1)
/* AuroraMinDrain is an average over this much waiting for the client. */
#define AUR_WATCH_DRAIN_SECONDS 30

typedef struct aur_watch_t aur_watch_t;

/* Why a task was stopped. */
typedef enum {
    AUR_STOP_NONE = 0,
    AUR_STOP_TIMEOUT,      /* the database took longer than query_timeout */
    AUR_STOP_TASK_TIMEOUT, /* the whole took longer than task_timeout */
    AUR_STOP_CLIENT_GONE,  /* nobody is there to read the answer */
    AUR_STOP_STALLED,      /* the client took no byte for stall_timeout */
    AUR_STOP_TOO_SLOW,     /* the client took fewer bytes than min_drain asks for */
    AUR_STOP_CANCELLED,    /* somebody asked for it */
    AUR_STOP_STOPPING      /* the child has to end */
} aur_stop_e;

/* What a worker is doing. */
typedef enum {
    AUR_TASK_WAITING = 0, /* for a connection */
    AUR_TASK_IN_DB,       /* the database is to answer */
    AUR_TASK_IN_CLIENT,   /* the client is to read */
    AUR_TASK_ELSEWHERE    /* neither, and no connection is held */
} aur_task_state_e;

/* Intervals in microseconds; 0: no limit. */
typedef struct aur_task_limits_t {
    apr_interval_time_t query_timeout; /* between two rows, and to the first */
    apr_interval_time_t task_timeout;  /* from entering on */
    apr_interval_time_t stall_timeout; /* only while a connection is held */
    apr_int64_t min_drain;             /* bytes a second; only while a connection is held */
    const apr_uint32_t *cancel_flag;   /* set (atomically, from anywhere) to cancel; may be NULL */
} aur_task_limits_t;

/* The client, as its server knows it. Called by the watch thread until the task is left; must not block. */
typedef struct aur_task_client_t {
    void *ctx;
    /** Has it left? */
    int (*gone)(void *ctx);
    /** Bytes it has taken so far. @return 0: cannot be told */
    int (*acked)(void *ctx, apr_uint64_t *bytes);
    /** Make a write to it that is blocked fail. */
    void (*shut)(void *ctx);
    int shared; /* shut ends other answers, too */
} aur_task_client_t;

/* What is cancelled: a database session. */
typedef struct aur_task_target_t {
    /** Keep the target alive until drop. Must not block. */
    void (*hold)(void *ctx);
    void (*drop)(void *ctx);
    /** Cancel what runs, in the database. May block: it has a thread to itself. */
    void (*cancel)(void *ctx);
    /** Cut the connection to the database under the worker's call. May block, too: on the same network. */
    void (*abandon)(void *ctx);
} aur_task_target_t;

typedef struct aur_task_t aur_task_t;
struct aur_task_t {
    apr_uint64_t progress; /* atomic; written by the worker alone */
    apr_uint32_t state;    /* atomic; aur_task_state_e; written by the worker alone */
    apr_uint32_t reason;   /* atomic; aur_stop_e; set once */
    apr_int64_t asked;     /* atomic; when it was set, by aur_clock; 0: not */
    struct aur_watched_t *watched;
};

/** Start the watch of a child. It ends before pchild's other cleanups run, stopping what is still
 * running then; a worker may outlive it.
 * @return APR_SUCCESS, or why no thread could be started */
apr_status_t aur_watch_create(aur_watch_t **watch, apr_pool_t *pchild);
/** Stop all tasks, those to come included: the child ends now. Returns at once; safe where
 * aur_sync_handlers_set was told of signal handlers. */
void aur_watch_stop(aur_watch_t *watch);
/** Tasks that have been entered and not left. */
int aur_watch_count(aur_watch_t *watch);

/** Enter a task; it is left when p is cleared at the latest.
 * @param client  copied; its ctx must live as long as the task
 * @return the task, from p */
aur_task_t *aur_task_enter(aur_watch_t *watch, const aur_task_limits_t *limits,
                           const aur_task_client_t *client, apr_pool_t *p);
/** The client may be forgotten after this. Leaving twice is leaving once. */
void aur_task_leave(aur_task_t *task);

/** What must be cancelled from now on if the task is to stop. NULL tasks are allowed here and below.
 * @param target  static; ctx has to live until detached, and while held */
void aur_task_attach(aur_task_t *task, const aur_task_target_t *target, void *ctx);
/** The opposite. A cancel that is under way is waited for, for as long as AUR_WATCH_GRACE. */
void aur_task_detach(aur_task_t *task);

/** The longest that the watch lets the database take for an answer that is asked for now: at least one
 * microsecond; 0: as long as it likes. For the task's worker. */
apr_interval_time_t aur_task_patience(const aur_task_t *task);

/** Look at another flag than the limits' from now on; NULL: at none. The old one is not looked at any more once
 * this returns. */
void aur_task_listen(aur_task_t *task, const apr_uint32_t *cancel_flag);

/** Ask a task to stop. The first reason is kept. */
void aur_task_cancel(aur_task_t *task, aur_stop_e reason);

/** Why the task has been stopped; AUR_STOP_NONE while it has not. */
static inline aur_stop_e aur_task_reason(const aur_task_t *task)
{
    return task ? (aur_stop_e)__atomic_load_n(&task->reason, __ATOMIC_ACQUIRE) : AUR_STOP_NONE;
}

/** When its stop was asked for, by the monotonic clock; 0: never. */
static inline apr_time_t aur_task_asked(const aur_task_t *task)
{
    return task ? __atomic_load_n(&task->asked, __ATOMIC_RELAXED) : 0;
}

/** The database has answered, or is being asked anew. */
static inline void aur_task_progress(aur_task_t *task)
{
    if (task) {
        __atomic_store_n(&task->progress, task->progress + 1, __ATOMIC_RELAXED);
    }
}

/** What the worker does from now on. */
static inline void aur_task_state(aur_task_t *task, aur_task_state_e state)
{
    if (task) {
        aur_task_progress(task);
        __atomic_store_n(&task->state, (apr_uint32_t)state, __ATOMIC_RELAXED);
    }
}

#endif
