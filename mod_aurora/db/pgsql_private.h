/* pgsql_private.h - what the files of the PostgreSQL backend share.
 *
 * A session stays in libpq's pipeline mode from its set-up to its end: what opens a transaction travels in one
 * flush with the first statement, and the ROLLBACK at the return is not waited for; its answer is read in
 * front of the next statement's. So `owed` counts the Syncs whose answer is still to be read. */
#ifndef AURORA_PGSQL_PRIVATE_H
#define AURORA_PGSQL_PRIVATE_H

#include <libpq-fe.h>
#include <locale.h>

#include "backend.h"

#ifndef LIBPQ_HAS_PIPELINING
#error "libpq 14 or later is needed"
#endif

#define AUR_PGSQL_APPLICATION_MAX 64 /* bytes that PostgreSQL shows of it, the NUL included */

/* Types by their OID, which is fixed for those that come with the server. */
typedef enum {
    AUR_PGSQL_BOOL = 16,
    AUR_PGSQL_BYTEA = 17,
    AUR_PGSQL_INT8 = 20,
    AUR_PGSQL_INT2 = 21,
    AUR_PGSQL_INT4 = 23,
    AUR_PGSQL_OID = 26,
    AUR_PGSQL_FLOAT4 = 700,
    AUR_PGSQL_FLOAT8 = 701,
    AUR_PGSQL_DATE = 1082,
    AUR_PGSQL_TIMESTAMP = 1114,
    AUR_PGSQL_TIMESTAMPTZ = 1184,
    AUR_PGSQL_NUMERIC = 1700
} aur_pgsql_oid_e;

#define AUR_PGSQL_KNOWN_MAX 32 /* statements that a connection remembers */

/* A statement that the connection has met; pool NULL: a free place. */
typedef struct aur_pgsql_known_t {
    apr_pool_t *pool; /* of text */
    const char *text;
    apr_size_t len;
    unsigned used; /* when, counted in statements */
    int prepared;  /* under name, in the server */
    int wide;      /* its result was too large to be held whole */
    char name[16];
} aur_pgsql_known_t;

/* session->private; session->native is the PGconn. */
typedef struct aur_pgsql_t {
    aur_session_t *session;
    PGconn *conn;
    PGcancel *cancel;
    int cancelling;      /* atomic: calls of PQcancel under way, from any thread */
    int taken;           /* what the last one said of a result that nobody reads */
    int owed;            /* Syncs sent whose answer has not been read */
    int in_transaction;  /* BEGIN is sent, ROLLBACK is not */
    apr_size_t hold_max; /* bytes that the result being waited for may have; 0: no limit */
    apr_size_t held;     /* bytes that came of it */
    apr_time_t deadline; /* of the wait at hand; 0: none but a cancel's grace */
    locale_t c_locale;   /* of strtod: a module of the same server may have called setlocale */
    int no_prepare;      /* somebody between us and the server loses prepared statements */
    unsigned statements; /* sent so far */
    aur_pgsql_known_t known[AUR_PGSQL_KNOWN_MAX];
    char application[AUR_PGSQL_APPLICATION_MAX]; /* of this borrower; "": none */
} aur_pgsql_t;

/* --- backend_pgsql.c --------------------------------------------------------------------------- */

/** Put what the server or libpq says into err, and mark the session when it is lost.
 * @param result  the failed one; NULL: the connection itself failed
 * @return APR_EGENERAL */
apr_status_t aur_pgsql_error(aur_session_t *session, const PGresult *result, aur_error_t *err);

/* --- wire_pgsql.c -------------------------------------------------------------------------------- */

/** The next result of the pipeline, waited for. NULL: the end of one statement's results, or a lost
 * connection (PQstatus tells). The caller clears it. */
PGresult *aur_pgsql_result(aur_pgsql_t *s);

/** Read and forget everything up to the last Sync that was sent.
 * @param err  NULL, or takes the first error among what is read
 * @return APR_SUCCESS, or APR_EGENERAL: there was an error, or the connection is lost */
apr_status_t aur_pgsql_settle(aur_pgsql_t *s, aur_error_t *err);

/** Send one statement without values, and a Sync. @return whether it could be sent */
int aur_pgsql_send(aur_pgsql_t *s, const char *text);

/** Send the statement, with whatever must go before it, and wait for the head of its answer.
 * @param often  it is likely to come again: it may become a prepared statement
 * @param first  on APR_SUCCESS a result of status PGRES_SINGLE_TUPLE with one row, more of which follow, or
 *               of PGRES_TUPLES_OK with all there are: few (sql->rows_max) and short, or none; the
 *               caller clears it and reads the rest by aur_pgsql_result
 * @param p      holds values only until the statement is sent
 * @return APR_EGENERAL with err; the pipeline is settled then */
apr_status_t aur_pgsql_start(PGresult **first, aur_session_t *session, const aur_sql_t *sql,
                             int often, aur_error_t *err, apr_pool_t *p);

/** Forget the rows that are left; the rest of a long result is cancelled in the server. Takes no longer
 * than patience, after which the session is lost. */
void aur_pgsql_abandon_rows(aur_pgsql_t *s, apr_interval_time_t patience);

/* --- prepared_pgsql.c ----------------------------------------------------------------------------- */

/** Look a statement up before it is sent, and send what its being prepared needs.
 * @param known    NULL: send it as text
 * @param nbefore  grows by the results that will come before the statement's own
 * @return 0: nothing can be sent */
int aur_pgsql_known(aur_pgsql_known_t **known, aur_pgsql_t *s, const char *text, apr_size_t len,
                    int *nbefore);
/** It failed: whatever the server has under its name is not used again. NULL is nothing. */
void aur_pgsql_forget(aur_pgsql_known_t *known);

/* --- cursor_pgsql.c ------------------------------------------------------------------------------ */

apr_status_t aur_pgsql_cursor_open(aur_cursor_t *cursor, aur_error_t *err);
apr_status_t aur_pgsql_cursor_next(aur_cursor_t *cursor, aur_error_t *err);
void aur_pgsql_cursor_close(aur_cursor_t *cursor);

/** The contract's type of a server type. */
aur_type_e aur_pgsql_type(Oid type);

/* --- discover_pgsql.c ---------------------------------------------------------------------------- */

apr_status_t aur_pgsql_discover(aur_catalog_builder_t *builder, aur_session_t *session,
                                aur_error_t *err, apr_pool_t *p);
apr_status_t aur_pgsql_explain(apr_int64_t *rows, aur_session_t *session, const aur_sql_t *sql,
                               aur_error_t *err, apr_pool_t *p);

#endif
