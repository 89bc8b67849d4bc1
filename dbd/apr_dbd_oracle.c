/* apr_dbd_oracle.c - the driver as apr-util sees it: a table of functions, and the few that are no more than a step
 * to the other files. apr-util installs no header for the table; its order is that of apr-util 1.3 to 1.6. */
#include "oracle.h"

#include <string.h>

struct apr_dbd_transaction_t {
    apr_dbd_t *h;
    int mode;
    int errnum; /* of the first call in it that failed */
};

typedef struct {
    const char *name;
    void (*init)(apr_pool_t *pool);
    void *(*native_handle)(apr_dbd_t *h);
    apr_dbd_t *(*open)(apr_pool_t *pool, const char *params, const char **error);
    apr_status_t (*check_conn)(apr_pool_t *pool, apr_dbd_t *h);
    apr_status_t (*close)(apr_dbd_t *h);
    int (*set_dbname)(apr_pool_t *pool, apr_dbd_t *h, const char *name);
    int (*start_transaction)(apr_pool_t *pool, apr_dbd_t *h, apr_dbd_transaction_t **trans);
    int (*end_transaction)(apr_dbd_transaction_t *trans);
    int (*query)(apr_dbd_t *h, int *nrows, const char *sql);
    int (*select)(apr_pool_t *pool, apr_dbd_t *h, apr_dbd_results_t **res, const char *sql,
                  int random);
    int (*num_cols)(apr_dbd_results_t *res);
    int (*num_tuples)(apr_dbd_results_t *res);
    int (*get_row)(apr_pool_t *pool, apr_dbd_results_t *res, apr_dbd_row_t **row, int rownum);
    const char *(*get_entry)(const apr_dbd_row_t *row, int col);
    const char *(*error)(apr_dbd_t *h, int errnum);
    const char *(*escape)(apr_pool_t *pool, const char *s, apr_dbd_t *h);
    int (*prepare)(apr_pool_t *pool, apr_dbd_t *h, const char *query, const char *label, int nargs,
                   int nvals, apr_dbd_type_e *types, apr_dbd_prepared_t **stmt);
    int (*pvquery)(apr_pool_t *pool, apr_dbd_t *h, int *nrows, apr_dbd_prepared_t *stmt,
                   va_list args);
    int (*pvselect)(apr_pool_t *pool, apr_dbd_t *h, apr_dbd_results_t **res,
                    apr_dbd_prepared_t *stmt, int random, va_list args);
    int (*pquery)(apr_pool_t *pool, apr_dbd_t *h, int *nrows, apr_dbd_prepared_t *stmt,
                  const char **args);
    int (*pselect)(apr_pool_t *pool, apr_dbd_t *h, apr_dbd_results_t **res,
                   apr_dbd_prepared_t *stmt, int random, const char **args);
    const char *(*get_name)(const apr_dbd_results_t *res, int col);
    int (*transaction_mode_get)(apr_dbd_transaction_t *trans);
    int (*transaction_mode_set)(apr_dbd_transaction_t *trans, int mode);
    const char *pformat;
    int (*pvbquery)(apr_pool_t *pool, apr_dbd_t *h, int *nrows, apr_dbd_prepared_t *stmt,
                    va_list args);
    int (*pvbselect)(apr_pool_t *pool, apr_dbd_t *h, apr_dbd_results_t **res,
                     apr_dbd_prepared_t *stmt, int random, va_list args);
    int (*pbquery)(apr_pool_t *pool, apr_dbd_t *h, int *nrows, apr_dbd_prepared_t *stmt,
                   const void **args);
    int (*pbselect)(apr_pool_t *pool, apr_dbd_t *h, apr_dbd_results_t **res,
                    apr_dbd_prepared_t *stmt, int random, const void **args);
    apr_status_t (*datum_get)(const apr_dbd_row_t *row, int col, apr_dbd_type_e type, void *data);
} driver_t;

_Static_assert(sizeof(driver_t) == 31 * sizeof(void *), "apr-util's table has 31 members");

/* --- connections ----------------------------------------------------------------------------------------- */

static void *dbd_native_handle(apr_dbd_t *h)
{
    return &h->native;
}

static apr_status_t dbd_check_conn(apr_pool_t *pool, apr_dbd_t *h)
{
    int what;

    ora_limit_connecting(h, 1);
    what = ora_calls.ping(h);
    ora_limit_connecting(h, 0);
    if (what == APR_DBD_ORACLE_TIMEOUT) {
        ora_abandon(h); /* nor is closing it to take long */
    }
    return what == 0 ? APR_SUCCESS : APR_EGENERAL;
}

/* A user of Oracle is a schema; there is no database to change to. */
static int dbd_set_dbname(apr_pool_t *pool, apr_dbd_t *h, const char *name)
{
    return APR_ENOTIMPL;
}

static const char *dbd_error(apr_dbd_t *h, int errnum)
{
    return h->error.message;
}

/* For use between single quotes, where Oracle knows no other escape. */
static const char *dbd_escape(apr_pool_t *pool, const char *s, apr_dbd_t *h)
{
    char *out = apr_palloc(pool, 2 * strlen(s) + 1), *w = out;

    for (; *s; s++) {
        if (*s == '\'') {
            *w++ = '\'';
        }
        *w++ = *s;
    }
    *w = '\0';
    return out;
}

/* --- transactions ---------------------------------------------------------------------------------------- */

static int dbd_start_transaction(apr_pool_t *pool, apr_dbd_t *h, apr_dbd_transaction_t **trans)
{
    if (h->trans) {
        return ora_error_set(h, APR_DBD_ORACLE_OTHER, "the connection is in a transaction already");
    }
    if (!*trans) {
        *trans = apr_pcalloc(pool, sizeof(**trans));
    }
    (*trans)->h = h;
    (*trans)->errnum = 0;
    h->trans = *trans; /* Oracle begins one with the first change */
    return 0;
}

static int dbd_end_transaction(apr_dbd_transaction_t *trans)
{
    apr_dbd_t *h;
    int commit, what;

    if (!trans) {
        return -1; /* as the other drivers: one that did not begin may well be ended */
    }
    h = trans->h;
    commit = !trans->errnum && !(trans->mode & APR_DBD_TRANSACTION_ROLLBACK);
    trans->errnum = 0;
    h->trans = NULL;
    if ((what = ora_enter(h)) != 0) {
        return what;
    }
    return ora_leave(h, commit ? dpiConn_commit(h->conn) : dpiConn_rollback(h->conn));
}

static int dbd_transaction_mode_get(apr_dbd_transaction_t *trans)
{
    return trans ? trans->mode : APR_DBD_TRANSACTION_COMMIT;
}

static int dbd_transaction_mode_set(apr_dbd_transaction_t *trans, int mode)
{
    if (!trans) {
        return APR_DBD_TRANSACTION_COMMIT;
    }
    trans->mode = mode & (APR_DBD_TRANSACTION_ROLLBACK | APR_DBD_TRANSACTION_IGNORE_ERRORS);
    return trans->mode;
}

/* In a transaction in which a call has failed nothing runs any more. @return that call's error */
static int trans_failed(const apr_dbd_t *h)
{
    return h->trans ? h->trans->errnum : 0;
}

static int trans_note(apr_dbd_t *h, int what)
{
    if (what > 0 && h->trans && !(h->trans->mode & APR_DBD_TRANSACTION_IGNORE_ERRORS)) {
        h->trans->errnum = what;
    }
    return what;
}

/* --- statements ------------------------------------------------------------------------------------------ */

static int query_run(apr_dbd_t *h, int *nrows, const char *sql, apr_size_t len,
                     const apr_dbd_oracle_value_t *binds, int nbinds)
{
    int what = trans_failed(h);

    return what ? what : trans_note(h, ora_execute(h, sql, len, binds, nbinds, !h->trans, nrows));
}

static int select_run(apr_pool_t *pool, apr_dbd_t *h, apr_dbd_results_t **res, const char *sql,
                      apr_size_t len, const apr_dbd_oracle_value_t *binds, int nbinds, int random)
{
    int what = trans_failed(h);

    return what ? what : trans_note(h, ora_select(pool, h, res, sql, len, binds, nbinds, random));
}

static int dbd_query(apr_dbd_t *h, int *nrows, const char *sql)
{
    return query_run(h, nrows, sql, strlen(sql), NULL, 0);
}

static int dbd_select(apr_pool_t *pool, apr_dbd_t *h, apr_dbd_results_t **res, const char *sql,
                      int random)
{
    return select_run(pool, h, res, sql, strlen(sql), NULL, 0, random);
}

static int dbd_pquery(apr_pool_t *pool, apr_dbd_t *h, int *nrows, apr_dbd_prepared_t *stmt,
                      const char **args)
{
    return query_run(h, nrows, stmt->sql, stmt->len, ora_args_text(pool, stmt, args), stmt->nargs);
}

static int dbd_pselect(apr_pool_t *pool, apr_dbd_t *h, apr_dbd_results_t **res,
                       apr_dbd_prepared_t *stmt, int random, const char **args)
{
    return select_run(pool, h, res, stmt->sql, stmt->len, ora_args_text(pool, stmt, args),
                      stmt->nargs, random);
}

static int dbd_pbquery(apr_pool_t *pool, apr_dbd_t *h, int *nrows, apr_dbd_prepared_t *stmt,
                       const void **args)
{
    return query_run(h, nrows, stmt->sql, stmt->len, ora_args_binary(pool, stmt, args),
                     stmt->nargs);
}

static int dbd_pbselect(apr_pool_t *pool, apr_dbd_t *h, apr_dbd_results_t **res,
                        apr_dbd_prepared_t *stmt, int random, const void **args)
{
    return select_run(pool, h, res, stmt->sql, stmt->len, ora_args_binary(pool, stmt, args),
                      stmt->nargs, random);
}

static const void **args_list(apr_pool_t *pool, const apr_dbd_prepared_t *stmt, va_list args)
{
    const void **list = apr_palloc(pool, (apr_size_t)(stmt->nvals + 1) * sizeof(*list));
    int i;

    for (i = 0; i < stmt->nvals; i++) {
        list[i] = va_arg(args, const void *);
    }
    return list;
}

static int dbd_pvquery(apr_pool_t *pool, apr_dbd_t *h, int *nrows, apr_dbd_prepared_t *stmt,
                       va_list args)
{
    return dbd_pquery(pool, h, nrows, stmt, (const char **)args_list(pool, stmt, args));
}

static int dbd_pvselect(apr_pool_t *pool, apr_dbd_t *h, apr_dbd_results_t **res,
                        apr_dbd_prepared_t *stmt, int random, va_list args)
{
    return dbd_pselect(pool, h, res, stmt, random, (const char **)args_list(pool, stmt, args));
}

static int dbd_pvbquery(apr_pool_t *pool, apr_dbd_t *h, int *nrows, apr_dbd_prepared_t *stmt,
                        va_list args)
{
    return dbd_pbquery(pool, h, nrows, stmt, args_list(pool, stmt, args));
}

static int dbd_pvbselect(apr_pool_t *pool, apr_dbd_t *h, apr_dbd_results_t **res,
                         apr_dbd_prepared_t *stmt, int random, va_list args)
{
    return dbd_pbselect(pool, h, res, stmt, random, args_list(pool, stmt, args));
}

extern const driver_t apr_dbd_oracle_driver;
__attribute__((visibility("default"))) const driver_t apr_dbd_oracle_driver = {
    "oracle",
    NULL, /* nothing happens before the first connection, which is a child's */
    dbd_native_handle,
    ora_open,
    dbd_check_conn,
    ora_close,
    dbd_set_dbname,
    dbd_start_transaction,
    dbd_end_transaction,
    dbd_query,
    dbd_select,
    ora_num_cols,
    ora_num_tuples,
    ora_get_row,
    ora_get_entry,
    dbd_error,
    dbd_escape,
    ora_prepare,
    dbd_pvquery,
    dbd_pvselect,
    dbd_pquery,
    dbd_pselect,
    ora_get_name,
    dbd_transaction_mode_get,
    dbd_transaction_mode_set,
    ":apr%d",
    dbd_pvbquery,
    dbd_pvbselect,
    dbd_pbquery,
    dbd_pbselect,
    ora_datum_get,
};
