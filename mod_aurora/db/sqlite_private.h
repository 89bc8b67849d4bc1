/* sqlite_private.h - what the files of the SQLite backend share. */
#ifndef AURORA_SQLITE_PRIVATE_H
#define AURORA_SQLITE_PRIVATE_H

#include <apr_file_info.h>
#include <sqlite3.h>

#include "backend.h"

/* session->private; session->native is the sqlite3 handle. */
typedef struct aur_sqlite_t {
    const aur_session_t *session;
    const char *path;
    apr_dev_t device; /* of the file that is open: another one may have taken its name since */
    apr_ino_t inode;
    apr_time_t deadline;      /* statements stop by themselves after this; 0: never */
    apr_interval_time_t lock; /* longest wait for another process' write lock */
} aur_sqlite_t;

/** Put what SQLite says into err, and mark the session when it cannot be trusted any more.
 * @param rc  the (extended) code of the call that failed
 * @return APR_EGENERAL */
apr_status_t aur_sqlite_error(aur_session_t *session, int rc, aur_error_t *err);

/** The contract's type of a declared type ("VARCHAR(40)").
 * @param comparable  set to 0 for blobs
 * @return -1: nothing declared */
int aur_sqlite_type(const char *declared, int *comparable);

/** AUR_V_DATE, AUR_V_TIMESTAMP or AUR_V_TIMESTAMP_TZ where s[0..len) has that form, else AUR_V_TEXT. */
aur_cell_e aur_sqlite_moment(const char *s, apr_size_t len);

/* cursor_sqlite.c */
apr_status_t aur_sqlite_cursor_open(aur_cursor_t *cursor, aur_error_t *err);
apr_status_t aur_sqlite_cursor_next(aur_cursor_t *cursor, aur_error_t *err);
void aur_sqlite_cursor_close(aur_cursor_t *cursor);

/* discover_sqlite.c */
apr_status_t aur_sqlite_discover(aur_catalog_builder_t *builder, aur_session_t *session,
                                 aur_error_t *err, apr_pool_t *p);

#endif
