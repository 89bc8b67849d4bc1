/* oracle_private.h - what the files of the Oracle backend share: sessions of apr_dbd_oracle, by its native
 * interface (apr_dbd_oracle.h).
 *
 * A transaction begins with the first statement of a borrower, as EXPLAIN PLAN, which writes its rows into a
 * temporary table, cannot run in a read-only one: plans are asked for first, in transactions of their own. */
#ifndef AURORA_ORACLE_PRIVATE_H
#define AURORA_ORACLE_PRIVATE_H

#include <pthread.h>

#include <apr_dbd_oracle.h>
#include "backend.h"

/* session->private */
typedef struct aur_oracle_t {
    aur_session_t *session;
    const apr_dbd_oracle_calls_t *calls;
    apr_dbd_t *handle;
    pthread_t borrower;        /* atomic */
    int in_transaction;        /* something is to be rolled back */
    int reading;               /* that is the borrower's read-only transaction */
    int shown;                 /* V$SESSION may show the borrower */
    int cancelling;            /* atomic: breaks under way, from any thread */
    apr_interval_time_t limit; /* of a round trip, as the driver was told last */
    int no_limits;             /* this client library knows none */
    unsigned plans;            /* EXPLAIN PLANs so far, for their statement ids */
} aur_oracle_t;

/* --- backend_oracle.c -------------------------------------------------------------------------- */

/** Put what the driver says of its last failure into err, and mark the session when it is lost.
 * @return APR_EGENERAL */
apr_status_t aur_oracle_error(aur_session_t *session, aur_error_t *err);

/** For a call that comes now: let no round trip take much longer than the borrower's patience. */
void aur_oracle_limit(aur_oracle_t *s);
/** The same, and begin the borrower's read-only transaction, unless it has one. */
apr_status_t aur_oracle_start(aur_oracle_t *s, aur_error_t *err);
/** End it, whatever it is. */
apr_status_t aur_oracle_end(aur_oracle_t *s, aur_error_t *err);

/* --- bind_oracle.c ----------------------------------------------------------------------------- */

/** The driver's values of a statement's binds, sql->nbinds of them, from p; NULL when there are none. */
const apr_dbd_oracle_value_t *aur_oracle_binds(const aur_sql_t *sql, apr_pool_t *p);

/* --- cursor_oracle.c --------------------------------------------------------------------------- */

apr_status_t aur_oracle_cursor_open(aur_cursor_t *cursor, aur_error_t *err);
apr_status_t aur_oracle_cursor_next(aur_cursor_t *cursor, aur_error_t *err);
apr_status_t aur_oracle_cursor_piece(aur_cursor_t *cursor, int column, const char **s,
                                     apr_size_t *len, aur_error_t *err);
void aur_oracle_cursor_close(aur_cursor_t *cursor);

/* --- discover_oracle.c, explain_oracle.c ------------------------------------------------------- */

apr_status_t aur_oracle_discover(aur_catalog_builder_t *builder, aur_session_t *session,
                                 aur_error_t *err, apr_pool_t *p);
apr_status_t aur_oracle_explain(apr_int64_t *rows, aur_session_t *session, const aur_sql_t *sql,
                                aur_error_t *err, apr_pool_t *p);

#endif
