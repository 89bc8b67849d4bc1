/* oracle.h - what the files of the Oracle driver share. See apr_dbd_oracle.h for what it offers to others.
 *
 * Lifetime: a connection belongs to the pool it was opened in, a statement to a pool of its own below the one given
 * to it; either may end first. Threads: one at a time per connection, interrupt and abandon excepted. */
#ifndef DBD_ORACLE_H
#define DBD_ORACLE_H

#include <apr_dbd.h>
#include <apr_pools.h>
#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <dpi.h>
#include <signal.h>

#include "apr_dbd_oracle.h"

/* Room for the longest text of a NUMBER: sign, "0.", 130 zeros and 40 digits. */
#define ORA_NUMBER_TEXT 192
/* Room for the longest date, timestamp or interval as text. */
#define ORA_TIME_TEXT 48
/* Define buffers of one statement take no more than this, but for the least of one row. */
#define ORA_DEFINE_BYTES (8u * 1024u * 1024u)
/* Bytes of a large object that come along with its row. */
#define ORA_LOB_PREFETCH 16384u

/* --- oracle_params.c: the parameter string ------------------------------------------------------ */

typedef struct ora_params_t {
    const char *user, *pass, *pass_file, *server, *libdir, *edition;
    apr_uint32_t connect_timeout_s; /* 0: leave it to the client */
    apr_uint32_t fetch_rows;        /* fetched by one round trip */
    apr_uint32_t prefetch_rows;     /* that come with the execution itself */
} ora_params_t;

/** Read `key=value` words, in any order, between blanks, commas, semicolons or bars. A value in single or double
 * quotes may hold anything: a quote in it is doubled or has a backslash before it.
 * @return NULL, or what is wrong, without any value in it; both live in pool */
const char *ora_params_parse(ora_params_t *params, const char *text, apr_pool_t *pool);
/** Take the password from pass_file, if there is one: its first line. @return NULL, or what is wrong */
const char *ora_params_pass_file(ora_params_t *params, apr_pool_t *pool);
/** The connect string with a limit for connecting, where it can carry one and has none. Names of tnsnames.ora stay.
 * @param easy_plus  the client (19 and later) understands `?name=value` behind an Easy Connect string */
const char *ora_server_with_timeout(const char *server, apr_uint32_t seconds, int easy_plus,
                                    apr_pool_t *pool);

/* --- oracle_values.c: texts of values ------------------------------------------------------------ */

/** Turn a decimal number as the client library may write it (exponent, no digit before the point) into plain
 * digits. `out` (ORA_NUMBER_TEXT bytes) is used where the text has to change.
 * @return the text, its length in *len; NULL when it is no number or too long */
const char *ora_number_plain(const char *s, apr_size_t *len, char *out);
/** The shortest text that reads back as d; NaN, Infinity, -Infinity. @return bytes at out (ORA_TIME_TEXT) */
apr_size_t ora_double_write(char *out, double d, int is_float);
/** @return 0, or -1: s is no number */
int ora_double_read(double *out, const char *s);
/** YYYY-MM-DD HH:MM:SS, a fraction without zeros at its end, and [+-]HH:MM if `zone`. Astronomical years.
 * @return bytes written at out (ORA_TIME_TEXT) */
apr_size_t ora_timestamp_write(char *out, const dpiTimestamp *ts, int zone);
/** [+-]DD HH:MM:SS[.f], as Oracle writes it, with `digits` of a fraction. @return bytes */
apr_size_t ora_interval_ds_write(char *out, const dpiIntervalDS *value, int digits);
/** [+-]YY-MM, as Oracle writes it. @return bytes */
apr_size_t ora_interval_ym_write(char *out, const dpiIntervalYM *value);
/** Read what ora_timestamp_write writes; time and zone optional, a T may separate them.
 * @return 0, or -1: it is none, or a year Oracle does not have */
int ora_timestamp_read(dpiTimestamp *ts, const char *s, apr_size_t len);
/** Whole UTF-8 characters among the first `len` bytes: how many bytes they are. */
apr_size_t ora_utf8_whole(const char *s, apr_size_t len);

/* --- oracle_error.c ------------------------------------------------------------------------------ */

/** Class of an error. code: ORA number or 0; dpi: number of ODPI-C's own error or 0; connecting: while logging on. */
apr_dbd_oracle_class_e ora_error_class(int code, int dpi, int connecting);
/** Keep what the client library says of the last call of this thread that failed. @return its class */
int ora_error_take(apr_dbd_t *h, int connecting);
/** Keep an error of the driver's own. @return what */
int ora_error_set(apr_dbd_t *h, apr_dbd_oracle_class_e what, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* --- oracle_context.c: the client library -------------------------------------------------------- */

/** The library's context of this process, made by the first call. Any thread may call.
 * @return NULL; why says what to do then, in pool */
dpiContext *ora_context(const char *libdir, const char **why, apr_pool_t *pool);
/** Threads that the client library starts take over their maker's mask: none of them shall handle the server's signals.
 * @param before  for ora_signals_restore */
void ora_signals_block(sigset_t *before);
void ora_signals_restore(const sigset_t *before);

/* --- oracle_connect.c: connections --------------------------------------------------------------- */

struct apr_dbd_t {
    apr_dbd_oracle_t native; /* first: native_handle gives its address */
    apr_pool_t *pool;
    const dpiContext *context;
    dpiConn *conn; /* NULL once it is closed */
    ora_params_t params;
    int version[3];
    apr_uint32_t call_timeout_ms; /* as its user has set it */
    apr_dbd_oracle_stmt_t *open;  /* its open statements, doubly linked */
    apr_dbd_transaction_t *trans;

    apr_thread_mutex_t *gate;   /* guards the four below */
    apr_thread_cond_t *settled; /* no break is under way any more */
    int running;                /* a call is on its way to the server */
    int broken;                 /* that call has been broken */
    int breaking; /* the client library is just doing so, which may block on a dead network */
    int abandoned;

    apr_dbd_oracle_error_t error;
    char error_text[4096];
};

apr_dbd_t *ora_open(apr_pool_t *pool, const char *params, const char **error);
apr_status_t ora_close(apr_dbd_t *h);
/** Each call that may go to the server stands between the two: `if (ora_enter(h) == 0) rc = ora_leave(h, dpi...())`.
 * @return 0, or an error's class, kept in h */
int ora_enter(apr_dbd_t *h);
int ora_leave(apr_dbd_t *h, int dpi_result);
void ora_interrupt(apr_dbd_t *h);
void ora_abandon(apr_dbd_t *h);
/** While it is set up or only looked at, a connection has no more time for a call than for connecting.
 * @param on  0: from now on it has what its user gives it */
void ora_limit_connecting(apr_dbd_t *h, int on);

/* --- oracle_bind.c ------------------------------------------------------------------------------- */

/** Bind values by position, from 1. @return 0, or an error's class */
int ora_bind(apr_dbd_t *h, dpiStmt *stmt, const apr_dbd_oracle_value_t *binds, int nbinds);

/* --- oracle_statement.c, oracle_define.c, oracle_lob.c: queries ---------------------------------- */

/* A column of a result and where its values arrive. */
typedef struct ora_column_t {
    dpiVar *var;
    dpiData *data; /* one per row of the array */
    apr_dbd_oracle_kind_e kind;
    dpiOracleTypeNum type;
    int fraction_digits; /* INTERVAL */
    char *text;          /* of the current row, where the driver writes it */
    apr_size_t text_size;
    dpiLob *lob; /* of the current row; the array's */
    apr_uint64_t lob_at, lob_size;
    int lob_begun;
} ora_column_t;

struct apr_dbd_oracle_stmt_t {
    apr_dbd_t *h; /* NULL once the connection is closed */
    apr_pool_t *pool;
    dpiStmt *stmt;
    int ncolumns;
    ora_column_t *columns;
    apr_dbd_oracle_column_t *described;
    apr_dbd_oracle_value_t *values;
    apr_uint32_t array_rows;  /* fetched at once */
    apr_uint32_t first, rows; /* of the array: where the fetched rows begin, how many */
    apr_uint32_t at;          /* the next of them */
    int more;                 /* the server may have more */
    int failed;
    apr_dbd_oracle_stmt_t *prev, *next;
};

/** Prepare, bind, run. `any`: other statements than queries too, which have no columns. For the rest see
 * apr_dbd_oracle_calls_t. */
int ora_stmt_open(apr_dbd_oracle_stmt_t **stmt, apr_dbd_t *h, const char *sql, apr_size_t len,
                  const apr_dbd_oracle_value_t *binds, int nbinds, int rows, apr_pool_t *pool);
int ora_stmt_next(const apr_dbd_oracle_value_t **values, apr_dbd_oracle_stmt_t *st);
void ora_stmt_close(apr_dbd_oracle_stmt_t *st);
/** Let go of what the client library holds for it; the memory stays until its pool ends. */
void ora_stmt_release(apr_dbd_oracle_stmt_t *st);
/** Run a statement that gives no rows.
 * @param commit  as soon as it has succeeded
 * @param nrows   rows it changed; may be NULL */
int ora_execute(apr_dbd_t *h, const char *sql, apr_size_t len, const apr_dbd_oracle_value_t *binds,
                int nbinds, int commit, int *nrows);
/** Describe the columns of an executed query and give each its variable. @return 0, or an error's class */
int ora_define(apr_dbd_oracle_stmt_t *st, int rows);
/** Set value to what row `row` of the column's array holds. @return 0, or an error's class */
int ora_column_value(apr_dbd_oracle_stmt_t *st, ora_column_t *c, apr_uint32_t row,
                     apr_dbd_oracle_value_t *value);
int ora_lob_read(apr_dbd_oracle_stmt_t *st, int column, char *buf, apr_size_t *len);
/** Write a JSON value as text.
 * @return bytes; where that is more than size, only as many as fit have been written. -1: a value without JSON form */
apr_ssize_t ora_json_write(char *out, apr_size_t size, const dpiJsonNode *node);

/* --- oracle_native.c ----------------------------------------------------------------------------- */

extern const apr_dbd_oracle_calls_t ora_calls;

/* --- oracle_results.c, oracle_prepared.c: apr_dbd's own calls ------------------------------------ */

int ora_select(apr_pool_t *pool, apr_dbd_t *h, apr_dbd_results_t **res, const char *sql,
               apr_size_t len, const apr_dbd_oracle_value_t *binds, int nbinds, int random);
int ora_num_cols(apr_dbd_results_t *res);
int ora_num_tuples(apr_dbd_results_t *res);
int ora_get_row(apr_pool_t *pool, apr_dbd_results_t *res, apr_dbd_row_t **row, int rownum);
const char *ora_get_entry(const apr_dbd_row_t *row, int col);
const char *ora_get_name(const apr_dbd_results_t *res, int col);
apr_status_t ora_datum_get(const apr_dbd_row_t *row, int col, apr_dbd_type_e type, void *data);

struct apr_dbd_prepared_t {
    const char *sql;
    apr_size_t len;
    int nargs; /* placeholders */
    int nvals; /* values given for them: a large object takes four */
    const apr_dbd_type_e *types;
};
int ora_prepare(apr_pool_t *pool, apr_dbd_t *h, const char *query, const char *label, int nargs,
                int nvals, apr_dbd_type_e *types, apr_dbd_prepared_t **stmt);
/** The values of a prepared statement's placeholders: texts (pquery), or pointers to the C types (pbquery).
 * @return nargs values in pool; NULL when memory ends */
apr_dbd_oracle_value_t *ora_args_text(apr_pool_t *pool, const apr_dbd_prepared_t *stmt,
                                      const char **args);
apr_dbd_oracle_value_t *ora_args_binary(apr_pool_t *pool, const apr_dbd_prepared_t *stmt,
                                        const void **args);

#endif
