/* db.h - the database of a child process: connections and cursors.
 *
 * One aur_db_t per child and configured database, made in child_init (never before the fork) and gone
 * with the child. A connection belongs to one request at a time; a cursor to one connection. */
#ifndef AURORA_DB_H
#define AURORA_DB_H

#include <apr_pools.h>

#include "aurora/catalog.h"
#include "aurora/cell.h"
#include "aurora/error.h"
#include "aurora/sql.h"
#include "aurora/watch.h"

typedef struct aur_db_t aur_db_t;
typedef struct aur_conn_t aur_conn_t;
typedef struct aur_cursor_t aur_cursor_t;

/* How a database is reached; strings live as long as the db. */
typedef struct aur_db_settings_t {
    const char *driver; /* apr-util driver name */
    const char *params; /* its parameter string; a secret: never logged, never shown */
    int pool_min, pool_max, pool_reserve;
    apr_interval_time_t pool_timeout; /* microseconds, as all intervals here */
    apr_interval_time_t pool_idle;
    const char *const *schemas; /* NULL-terminated; NULL: all but the database's own */
} aur_db_settings_t;

typedef enum { AUR_USE_PREVIEW, AUR_USE_EXPORT, AUR_USE_INTERNAL } aur_db_use_e;

/** Log lines from below, where no request is known. level is an APLOG level. Thread-safe. */
typedef void aur_log_fn(void *ctx, int level, apr_status_t rv, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/** Called once in the parent at start: is the driver there, can the database be what the
 * parameters say? Touches no network. SQLite: the file exists, can be read and is a database.
 * @return APR_SUCCESS; APR_EGENERAL with a sentence for the administrator in err->detail (may hold
 *         paths: it goes to the error log and the console only) */
apr_status_t aur_db_check(const aur_db_settings_t *settings, aur_error_t *err, apr_pool_t *p);

/* What a child agrees on with the others. Each may be NULL; called from any thread, and possibly by one that hangs in a
 * connect when the child ends: ctx must live as long as the process. give may be called under a lock and must not
 * block. */
typedef struct aur_db_hooks_t {
    void *ctx;
    /** May one more session be opened? Taken before it is. */
    int (*take)(void *ctx);
    /** A session that was taken is closed. */
    void (*give)(void *ctx);
    /** Does another process want a session that it may not open? */
    int (*wanted)(void *ctx);
    /** Borrowers that wait, and borrowers that have a connection: by how many they change. */
    void (*borrowers)(void *ctx, int waiting, int busy);
    /** The sessions that the database itself allows; called once, where it tells. */
    void (*capacity)(void *ctx, apr_int64_t sessions);
} aur_db_hooks_t;

/** Make the child's side. A thread of the pool's own opens settings->pool_min connections at once and keeps
 * them; it does not matter whether the database is there yet.
 * @param log  may be NULL */
apr_status_t aur_db_child_create(aur_db_t **db, const aur_db_settings_t *settings, aur_log_fn *log,
                                 void *log_ctx, apr_pool_t *pchild);

/** As aur_db_child_create, for a child that is not alone. hooks are copied. */
apr_status_t aur_db_child_create_with(aur_db_t **db, const aur_db_settings_t *settings,
                                      const aur_db_hooks_t *hooks, aur_log_fn *log, void *log_ctx,
                                      apr_pool_t *pchild);

/** The child is about to end: whoever waits for a connection now is refused. */
void aur_db_stop(aur_db_t *db);

const aur_dialect_t *aur_db_dialect(const aur_db_t *db);

/** Borrow a connection in a read-only transaction of its own. Waiting for one and connecting together take
 * pool_timeout at most; while the database is known not to be reachable it fails at once. Thread-safe. It goes back by itself when p is
 * cleared or destroyed; aur_conn_return gives it back earlier. What was opened on it is closed
 * first, the transaction is rolled back, and one in doubt is closed for good.
 * @param use  what for: part of the pool may be kept for previews
 * @param user, correlation  shown in the database where it can show them; may be NULL
 * @return APR_SUCCESS; APR_EGENERAL with err: POOL_EXHAUSTED, DB_UNAVAILABLE */
apr_status_t aur_conn_borrow(aur_conn_t **conn, aur_db_t *db, aur_db_use_e use, const char *user,
                             const char *correlation, aur_error_t *err, apr_pool_t *p);
void aur_conn_return(aur_conn_t *conn);

/** As aur_conn_borrow, for a task that is watched (may be NULL): the wait ends when the task is stopped, and from
 * then on until the return, the task's stop cancels what runs on the connection. The task must be left
 * after the return.
 * @return as aur_conn_borrow; APR_EGENERAL with CLIENT_GONE when the task was stopped: aur_task_reason says why */
apr_status_t aur_conn_borrow_for(aur_conn_t **conn, aur_db_t *db, aur_db_use_e use,
                                 const char *user, const char *correlation, aur_task_t *task,
                                 aur_error_t *err, apr_pool_t *p);

/** Stop whatever runs on the connection, in the database. The only call that is safe from another thread
 * than the borrower's, as long as the connection is borrowed. It lasts: whatever the borrower still
 * asks of this connection fails with QUERY_TIMEOUT, also when nothing was running just now. */
void aur_conn_cancel(aur_conn_t *conn);

/** Run a statement. Rows come by aur_cursor_next. The cursor ends with p, with aur_cursor_close or with
 * the connection, whichever comes first.
 * @param sql  must outlive the cursor, with its binds and columns
 * @return APR_SUCCESS; APR_EGENERAL with err: DATABASE_ERROR, DB_UNAVAILABLE, QUERY_TIMEOUT */
apr_status_t aur_cursor_open(aur_cursor_t **cursor, aur_conn_t *conn, const aur_sql_t *sql,
                             aur_error_t *err, apr_pool_t *p);
/** The result's columns: the statement's own where it has them (sql->columns), else as the database
 * describes them. */
const aur_result_column_t *aur_cursor_columns(const aur_cursor_t *cursor, int *ncolumns);
/** The next row. Cells point into the driver's buffers until the next call. A value too long to be held comes in
 * pieces (AUR_V_PIECES), which are read from the database as they are asked for.
 * @param err  has to live until the next call: where a value breaks off in the middle, it says why, and the
 *             cursor has ended
 * @return APR_SUCCESS; APR_EOF after the last row, however often asked; APR_EGENERAL with err, which
 *         ends the cursor */
apr_status_t aur_cursor_next(const aur_cell_t **cells, aur_cursor_t *cursor, aur_error_t *err);
void aur_cursor_close(aur_cursor_t *cursor);

/** Run a statement that answers one whole number (a count).
 * @return as aur_cursor_open */
apr_status_t aur_db_number(apr_int64_t *number, aur_conn_t *conn, const aur_sql_t *sql,
                           aur_error_t *err, apr_pool_t *p);

/** Ask the planner how many rows a statement would give; it is not run.
 * @return as aur_cursor_open; APR_ENOTIMPL with err untouched: this database's plans carry no figure, or this one
 *         has none */
apr_status_t aur_db_explain(apr_int64_t *rows, aur_conn_t *conn, const aur_sql_t *sql,
                            aur_error_t *err, apr_pool_t *p);

/** Put the database's tables and views with their columns into the builder.
 * @return as aur_cursor_open */
apr_status_t aur_db_discover(aur_catalog_builder_t *builder, aur_conn_t *conn, aur_error_t *err,
                             apr_pool_t *p);

#endif
