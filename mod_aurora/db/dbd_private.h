/* dbd_private.h - what the files of the generic backend share: any driver of apr-util, by apr_dbd's own
 * calls and nothing else but the socket of mysql's connection. Two drivers are known by name, because the plain
 * calls would lose rows or values with them (the facts stand where they count); others get what the calls
 * promise. */
#ifndef AURORA_DBD_PRIVATE_H
#define AURORA_DBD_PRIVATE_H

#include <locale.h>
#include <pthread.h>

#include "backend.h"

typedef enum { AUR_DBD_OTHER, AUR_DBD_MYSQL, AUR_DBD_ODBC } aur_dbd_kind_e;

/* session->private */
typedef struct aur_dbd_t {
    aur_session_t *session;
    aur_dbd_kind_e kind;
    aur_cursor_t
        *streaming; /* whose rows are not all read: the connection takes nothing else till then */
    apr_dbd_transaction_t *transaction; /* all but mysql; in transaction_pool */
    apr_pool_t *transaction_pool;
    int no_read_only; /* the database does not know SET TRANSACTION READ ONLY */
    /* mysql */
    apr_int64_t connection_id;
    int fd;             /* of the connection; -1: the client library does not tell */
    pthread_t borrower; /* atomic */
    int cancelling;     /* atomic: KILL QUERY under way, from any thread */
    int killed;         /* atomic: one was sent since the transaction began */
    locale_t c_locale;  /* of strtod: a module of the same server may have called setlocale */
} aur_dbd_t;

/* --- backend_dbd.c ------------------------------------------------------------------------------ */

/** Put what the driver says into err, and mark the session when it is lost. Only while no result is being
 * read.
 * @param code  what the call returned; 0: it told nothing
 * @return APR_EGENERAL */
apr_status_t aur_dbd_error(aur_session_t *session, int code, aur_error_t *err);

/** Cut the connection, where its socket is known: a call that waits for it ends. Thread-safe. */
void aur_dbd_abandon(aur_session_t *session);

/** Stop the connection's statement from a second, short-lived connection. mysql alone; thread-safe. */
void aur_dbd_kill(aur_dbd_t *d);

/* --- cursor_dbd.c ------------------------------------------------------------------------------- */

apr_status_t aur_dbd_cursor_open(aur_cursor_t *cursor, aur_error_t *err);
apr_status_t aur_dbd_cursor_next(aur_cursor_t *cursor, aur_error_t *err);
void aur_dbd_cursor_close(aur_cursor_t *cursor);

/* --- cells_dbd.c -------------------------------------------------------------------------------- */

/* Memory that a column's value is put into where the driver has it otherwise; grows, and is used again. */
typedef struct aur_dbd_room_t {
    char *text;
    apr_size_t size;
} aur_dbd_room_t;

/** At least n bytes; what stood there is kept. */
char *aur_dbd_room(aur_dbd_room_t *room, apr_size_t n, apr_pool_t *p);

/** Make of a text, s[0..len), which is no NULL, what the column's type says; what does not look like that
 * type stays a text.
 * @param room  for what has to be written otherwise */
void aur_dbd_cell(aur_cell_t *cell, aur_type_e type, const char *s, apr_size_t len,
                  aur_dbd_room_t *room, const aur_dbd_t *d, apr_pool_t *p);

/* --- statement_dbd.c ---------------------------------------------------------------------------- */

/** Run sql; its text is in apr_dbd_prepare's format.
 * @param p  holds result, statement and values; must end before the connection is used again
 * @return APR_EGENERAL with err */
apr_status_t aur_dbd_run(apr_dbd_results_t **result, aur_dbd_t *d, const aur_sql_t *sql,
                         aur_error_t *err, apr_pool_t *p);

/* --- discover_dbd.c, explain_dbd.c -------------------------------------------------------------- */

apr_status_t aur_dbd_discover(aur_catalog_builder_t *builder, aur_session_t *session,
                              aur_error_t *err, apr_pool_t *p);
/** APR_ENOTIMPL: this driver's plans tell nothing, or nothing that is understood. */
apr_status_t aur_dbd_explain(apr_int64_t *rows, aur_session_t *session, const aur_sql_t *sql,
                             aur_error_t *err, apr_pool_t *p);

/** Each row of a statement of texts, handed to fn; discovery and plans.
 * @param fields  NULL-terminated texts of the row, valid during the call; NULL is "" */
typedef void aur_dbd_row_fn(void *ctx, const char *const *fields);
apr_status_t aur_dbd_each(aur_session_t *session, const aur_sql_t *sql, aur_dbd_row_fn *fn,
                          void *ctx, aur_error_t *err, apr_pool_t *p);

#endif
