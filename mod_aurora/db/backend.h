/* backend.h - what db/ asks of one kind of database. A backend is one constant table; db.c, db_conn.c
 * and db_pool.c are its callers and know nothing of any driver.
 *
 * A session is an open connection; it lives in a pool of its own below the child's and belongs to one
 * thread at a time. Only `cancel` may come from another one. */
#ifndef AURORA_BACKEND_H
#define AURORA_BACKEND_H

#include <apr_dbd.h>
#include <apr_pools.h>
#include <apr_time.h>

#include "aurora/db.h"

typedef struct aur_backend_t aur_backend_t;

typedef struct aur_session_t {
    const aur_backend_t *backend;
    const aur_db_settings_t *settings;
    const apr_dbd_driver_t *driver;
    apr_dbd_t *handle;
    void *native;  /* what apr_dbd_native_handle gave */
    void *private; /* the backend's own */
    const aur_dialect_t
        *dialect; /* of this server, where its version decides; NULL: the driver's */
    apr_pool_t *pool;
    apr_time_t used; /* by aur_clock: when it last went back to the pool */
    int doubtful;    /* never to be used again: closed where it would have gone back */
    int cancelled;   /* atomic; set by cancel, until the next borrower */
    int inside;      /* atomic; the backend is at work for its borrower */
    int lent;        /* it has been borrowed before */
    apr_interval_time_t
        patience; /* of the borrower, with the statement that comes now; 0: endless */
    int held;     /* atomic; those who are cancelling it: it must not be closed under them */
    struct aur_session_t *prev, *next; /* among the pool's */
    aur_log_fn *log;                   /* never NULL */
    void *log_ctx;
} aur_session_t;

struct aur_cursor_t {
    aur_session_t *session; /* NULL once closed */
    aur_conn_t *conn;
    aur_cursor_t *next; /* of the same connection */
    const aur_sql_t *sql;
    apr_pool_t *pool;
    int ncolumns;
    const aur_result_column_t *columns;
    aur_cell_t *cells;                 /* ncolumns of them, filled again for each row */
    struct aur_piecewise_t *piecewise; /* ncolumns of them; NULL: no value has come in pieces yet */
    aur_error_t *err;                  /* the caller's, as of its last row */
    int done;
    void *private; /* the backend's own */
};

struct aur_backend_t {
    const char *driver; /* apr-util's name; "" for any other */

    /* In the parent, at start: see aur_db_check. */
    apr_status_t (*check)(const aur_db_settings_t *settings, aur_error_t *err, apr_pool_t *p);
    /* Before each connect: the parameters for the driver, or why there is no point in trying. */
    apr_status_t (*params)(const char **params, const aur_db_settings_t *settings, aur_error_t *err,
                           apr_pool_t *p);
    /* After each connect, with native set: read-only, time limits. wait_us: what remains of the
     * borrower's patience, always > 0. A failure closes the session. */
    apr_status_t (*setup)(aur_session_t *session, apr_interval_time_t wait_us, aur_error_t *err);
    /* Before the connection is closed by apr_dbd. */
    void (*teardown)(aur_session_t *session);
    /* Is an idle session still what a new one would be? Cheap: asked at each borrow. */
    int (*current)(aur_session_t *session);
    /* Does the database still answer? Asked after a longer idle time. */
    apr_status_t (*ping)(aur_session_t *session, aur_error_t *err);
    apr_status_t (*begin)(aur_session_t *session, const char *user, const char *correlation,
                          aur_error_t *err);
    /* Not APR_SUCCESS: the session is in doubt. */
    apr_status_t (*rollback)(aur_session_t *session);
    /* session->cancelled is set already. */
    void (*cancel)(aur_session_t *session);
    /* Cut the connection under the call that is waiting for it, from a thread of its own: the call fails soon. The
     * session is lost. NULL: a cancelled call always returns by itself. */
    void (*abandon)(aur_session_t *session);
    /* A statement that tells how many sessions the database allows at once (one number); NULL, or a function that
     * gives NULL, where that is not known. */
    const char *(*capacity)(const aur_db_settings_t *settings);

    /* Prepare and bind; set columns, ncolumns and private. Cleans up after itself when it fails. */
    apr_status_t (*open)(aur_cursor_t *cursor, aur_error_t *err);
    apr_status_t (*next)(aur_cursor_t *cursor, aur_error_t *err); /* fills cells */
    /* The next piece of a value that aur_cursor_piecewise was called for, as aur_pieces_t has it. NULL: this backend
     * has none. */
    apr_status_t (*piece)(aur_cursor_t *cursor, int column, const char **s, apr_size_t *len,
                          aur_error_t *err);
    void (*close)(aur_cursor_t *cursor);

    apr_status_t (*discover)(aur_catalog_builder_t *builder, aur_session_t *session,
                             aur_error_t *err, apr_pool_t *p);
    /* How many rows the planner expects of the statement, which is not run. NULL: this database's plans
     * carry no figure. */
    apr_status_t (*explain)(apr_int64_t *rows, aur_session_t *session, const aur_sql_t *sql,
                            aur_error_t *err, apr_pool_t *p);
};

/** The backend of a driver: its own, or the generic one; NULL without a driver. Static storage. */
const aur_backend_t *aur_backend_get(const char *driver);

extern const aur_backend_t aur_backend_sqlite;
extern const aur_backend_t aur_backend_dbd; /* drivers that have none of their own */
extern const aur_backend_t aur_backend_pgsql;
extern const aur_backend_t aur_backend_oracle;

/* --- db_conn.c ------------------------------------------------------------------------------- */

/** Say where the backend is, so that a child that must end at once knows what it may touch. */
static inline void aur_session_enter(aur_session_t *session)
{
    __atomic_store_n(&session->inside, 1, __ATOMIC_RELAXED);
}
static inline void aur_session_leave(aur_session_t *session)
{
    __atomic_store_n(&session->inside, 0, __ATOMIC_RELAXED);
}
/* How long a connection that goes back waits for cancels of its statement. */
#define AUR_CANCEL_WAIT apr_time_from_sec(5)
/** Wait until no cancel is under way: one that another thread is just sending must not meet the next borrower's
 * statement.
 * @param cancelling  atomic: how many are under way
 * @param wait_us     at most
 * @return whether it has come to that */
int aur_cancels_settled(const int *cancelling, apr_interval_time_t wait_us);
/** Run what may hang in a thread to itself, which keeps the session from being closed, and wait for it.
 * @param wait_us  at most
 * @return whether it has ended; 0: the session is to be given up */
int aur_session_beside(aur_session_t *session, void (*run)(aur_session_t *session),
                       apr_interval_time_t wait_us);
static inline int aur_session_cancelled(const aur_session_t *session)
{
    return __atomic_load_n(&session->cancelled, __ATOMIC_RELAXED);
}

/** Connect.
 * @param wait_us  > 0: how long the database may take
 * @param parent   the session closes with it at the latest; NULL: it has a pool to itself, and any thread
 *                 may close it
 * @return APR_SUCCESS; APR_EGENERAL with err: DB_UNAVAILABLE */
apr_status_t aur_session_open(aur_session_t **session, const aur_backend_t *backend,
                              const aur_db_settings_t *settings, apr_interval_time_t wait_us,
                              aur_log_fn *log, void *log_ctx, aur_error_t *err, apr_pool_t *parent);
void aur_session_close(aur_session_t *session);
/** Forget the session without touching the database: for a child that is ended while the session is
 * in the middle of a call. */
void aur_session_abandon(aur_session_t *session);

/* --- db_pool.c ------------------------------------------------------------------------------- */

struct aur_conn_t {
    aur_db_t *db;           /* NULL once returned */
    aur_session_t *session; /* NULL: it was lost, and no other is to be had */
    aur_cursor_t *cursors;  /* open ones */
    apr_pool_t *pool;       /* the borrower's */
    struct aur_slot_t *slot;
    struct aur_task_t *task;      /* NULL: nobody watches */
    apr_interval_time_t patience; /* then: with one answer of the database; 0: endless */
    aur_db_use_e use;
    const char *user, *correlation;
    int from_idle;           /* the session lay in the pool */
    int used;                /* a statement has been sent */
    aur_conn_t *prev, *next; /* of all that are borrowed, under the pool's lock */
};

/** The session turned out dead at its first statement: get another one in its place, once.
 * @param err  of the statement
 * @return APR_SUCCESS: the statement may be sent again */
apr_status_t aur_conn_replace(aur_conn_t *conn, const aur_error_t *err);

/* --- db.c ------------------------------------------------------------------------------------ */

/** Takes log lines where nobody wants them. */
void aur_log_none(void *ctx, int level, apr_status_t rv, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/** For a backend's `next`: the column's cell of this row comes in pieces.
 * @param kind  AUR_V_TEXT or AUR_V_BINARY */
void aur_cursor_piecewise(aur_cursor_t *cursor, int column, aur_cell_e kind);

/** Close whatever is open on the connection. */
void aur_conn_close_cursors(aur_conn_t *conn);

#endif
