/* backend_sqlite.c - SQLite sessions on the handle that apr_dbd_sqlite3 opened.
 *
 * The stock driver opens with sqlite3_open, which creates a file that is not there. So the file is
 * looked at first, and named in a way that cannot create it where the library understands
 * URIs: `file:…?mode=rw` (a file that cannot be written is still opened for reading).
 *
 * No memory-mapped I/O: a full scan is no faster with it (measured), the mapped pages count as the
 * child's, and a file cut short under the map would end the child by SIGBUS. */
#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

#include "aurora/sync.h"
#include "aurora/text.h"
#include "sqlite_private.h"

#define HEADER           "SQLite format 3"
#define HEADER_BYTES     16                       /* the closing NUL is part of it */
#define LOCK_WAIT        apr_time_from_msec(2000) /* for a writer to finish */
#define LOCK_PAUSE       apr_time_from_msec(5)    /* between two looks at the lock */
#define PROGRESS_OPS     10000 /* virtual machine steps between two looks at the flags */
#define FOLD_STACK_BYTES 512

/* --- errors --------------------------------------------------------------------------------- */

apr_status_t aur_sqlite_error(aur_session_t *session, int rc, aur_error_t *err)
{
    sqlite3 *db = session->native;
    int extended = sqlite3_extended_errcode(db);
    char code[32];

    /* errcode speaks of the last call on the handle; rc is of the call that failed. */
    if ((extended & 0xff) != (rc & 0xff)) {
        extended = rc;
    }
    switch (rc & 0xff) {
    case SQLITE_INTERRUPT:
        aur_error_set(err, AUR_E_QUERY_TIMEOUT, NULL, "The query was stopped before its end.");
        break;
    case SQLITE_CANTOPEN:
    case SQLITE_NOTADB:
        aur_error_set(err, AUR_E_DB_UNAVAILABLE, NULL, "The database cannot be read.");
        err->retry_after = 5;
        session->doubtful = 1;
        break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        aur_error_set(err, AUR_E_DATABASE_ERROR, NULL,
                      "The database is being written by another program; try again.");
        break;
    case SQLITE_CORRUPT:
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
    case SQLITE_MISUSE:
        aur_error_set(err, AUR_E_DATABASE_ERROR, NULL, "The database failed while it was read.");
        session->doubtful = 1;
        break;
    default:
        aur_error_set(err, AUR_E_DATABASE_ERROR, NULL, "The database refused the query.");
        break;
    }
    apr_snprintf(code, sizeof(code), "sqlite %d", extended);
    aur_error_native(err, code, extended == rc ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
    err->connection_lost = session->doubtful;
    return APR_EGENERAL;
}

static apr_status_t exec(aur_session_t *session, const char *text, aur_error_t *err)
{
    int rc = sqlite3_exec(session->native, text, NULL, NULL, NULL);
    return rc == SQLITE_OK ? APR_SUCCESS : aur_sqlite_error(session, rc, err);
}

/* --- the file ------------------------------------------------------------------------------- */

static const char *header_fault(const char *path, apr_pool_t *p)
{
    char header[HEADER_BYTES], text[128];
    apr_size_t len = 0;
    apr_file_t *file;
    apr_status_t rv =
        apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BINARY, APR_FPROT_OS_DEFAULT, p);

    if (rv == APR_SUCCESS) {
        rv = apr_file_read_full(file, header, sizeof(header), &len);
        apr_file_close(file);
    }
    if (rv != APR_SUCCESS && !APR_STATUS_IS_EOF(rv)) {
        return apr_psprintf(p, "the database file %s cannot be read: %s", path,
                            apr_strerror(rv, text, sizeof(text)));
    }
    if (len == 0) {
        return apr_psprintf(p, "the file %s is empty, not an SQLite database", path);
    }
    if (len < sizeof(header) || memcmp(header, HEADER, sizeof(header))) {
        return apr_psprintf(p, "the file %s is not an SQLite database", path);
    }
    return NULL;
}

/* What is wrong with the file, as a sentence for the administrator; NULL when nothing is. */
static const char *file_fault(apr_finfo_t *info, const char *path, apr_pool_t *p)
{
    char text[128];
    apr_status_t rv;

    if (!path || !*path) {
        return "no database file is named: AuroraDBParams takes its path";
    }
    if (!strcmp(path, ":memory:") || !strncmp(path, "file:", 5)) {
        return apr_psprintf(p, "AuroraDBParams takes the path of a database file, not \"%s\"",
                            path);
    }
    rv = apr_stat(info, path, APR_FINFO_TYPE | APR_FINFO_IDENT, p);
    if (rv != APR_SUCCESS) {
        return apr_psprintf(p, "the database file %s cannot be found: %s", path,
                            apr_strerror(rv, text, sizeof(text)));
    }
    if (info->filetype != APR_REG) {
        return apr_psprintf(p, "%s is not a file", path);
    }
    return header_fault(path, p);
}

static const char *as_uri(const char *path, apr_pool_t *p)
{
    static const char hex[] = "0123456789ABCDEF";
    char *uri = apr_palloc(p, 3 * strlen(path) + sizeof("file://?mode=rw")), *at = uri;

    at = apr_cpystrn(at, path[0] == '/' ? "file://" : "file:", sizeof("file://"));
    for (; *path; path++) {
        unsigned char c = (unsigned char)*path;
        if (apr_isalnum(c) || strchr("/-._~", c)) {
            *at++ = (char)c;
        }
        else {
            *at++ = '%';
            *at++ = hex[c >> 4];
            *at++ = hex[c & 15];
        }
    }
    memcpy(at, "?mode=rw", sizeof("?mode=rw"));
    return uri;
}

static apr_status_t sqlite_params(const char **params, const aur_db_settings_t *settings,
                                  aur_error_t *err, apr_pool_t *p)
{
    apr_finfo_t info;
    const char *fault = file_fault(&info, settings->params, p);

    if (fault) {
        aur_error_set(err, AUR_E_DB_UNAVAILABLE, NULL, "The database cannot be reached.");
        aur_error_native(err, "sqlite", fault);
        return APR_EGENERAL;
    }
    *params =
        sqlite3_compileoption_used("USE_URI") ? as_uri(settings->params, p) : settings->params;
    return APR_SUCCESS;
}

static apr_status_t sqlite_check(const aur_db_settings_t *settings, aur_error_t *err, apr_pool_t *p)
{
    aur_session_t *session;
    apr_finfo_t info;
    const char *fault = file_fault(&info, settings->params, p);

    if (fault) {
        return aur_error_set(err, AUR_E_DB_UNAVAILABLE, NULL, "%s", fault);
    }
    if (aur_session_open(&session, &aur_backend_sqlite, settings, LOCK_WAIT, aur_log_none, NULL,
                         err, p) != APR_SUCCESS) {
        fault = apr_pstrdup(p, err->native);
        return aur_error_set(err, AUR_E_DB_UNAVAILABLE, NULL, "the database %s cannot be read: %s",
                             settings->params, fault);
    }
    aur_session_close(session);
    return APR_SUCCESS;
}

/* --- the session ------------------------------------------------------------------------------ */

/* aurora_fold(text): lower case by the rules that folded the values it is compared with. */
static void fold(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    const char *text = (const char *)sqlite3_value_text(argv[0]);
    char stack[FOLD_STACK_BYTES], *out = stack;
    apr_size_t len, bound;

    if (!text) {
        return; /* NULL of NULL */
    }
    len = (apr_size_t)sqlite3_value_bytes(argv[0]);
    bound = aur_casefold_bound(len);
    if (bound > sizeof(stack) && !(out = sqlite3_malloc64(bound))) {
        sqlite3_result_error_nomem(ctx);
        return;
    }
    len = aur_casefold_into(out, text, len);
    sqlite3_result_text64(ctx, out, len, out == stack ? SQLITE_TRANSIENT : sqlite3_free,
                          SQLITE_UTF8);
}

/* Looked at every so many steps: a cancel that comes between two statements, where
 * sqlite3_interrupt leaves no trace, is seen here. */
static int progress(void *ctx)
{
    const aur_sqlite_t *s = ctx;

    return aur_session_cancelled(s->session) || (s->deadline && aur_clock() > s->deadline);
}

/* Wait for a lock, but not after a cancel: SQLite's own handler would sleep on. */
static int busy(void *ctx, int tries)
{
    const aur_sqlite_t *s = ctx;

    if (aur_session_cancelled(s->session) || tries >= s->lock / LOCK_PAUSE) {
        return 0;
    }
    apr_sleep(LOCK_PAUSE);
    return 1;
}

static void harden(sqlite3 *db)
{
    /* Options that an older library lacks fail without harm: they only narrow what is allowed. */
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
}

static apr_status_t sqlite_setup(aur_session_t *session, apr_interval_time_t wait_us,
                                 aur_error_t *err)
{
    aur_sqlite_t *s = apr_pcalloc(session->pool, sizeof(*s));
    sqlite3 *db = session->native;
    apr_finfo_t info;
    apr_status_t rv;
    int rc;

    s->session = session;
    s->path = session->settings->params;
    s->lock = wait_us < LOCK_WAIT ? wait_us : LOCK_WAIT;
    session->private = s;
    if (apr_stat(&info, s->path, APR_FINFO_IDENT, session->pool) == APR_SUCCESS) {
        s->device = info.device;
        s->inode = info.inode;
    }
    sqlite3_extended_result_codes(db, 1);
    harden(db);
    sqlite3_progress_handler(db, PROGRESS_OPS, progress, s);
    sqlite3_busy_handler(db, busy, s);
    rc = sqlite3_create_function_v2(db, "aurora_fold", 1,
                                    SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL,
                                    fold, NULL, NULL, NULL);
    rv = rc == SQLITE_OK ? APR_SUCCESS : aur_sqlite_error(session, rc, err);
    if (rv == APR_SUCCESS) {
        /* The last one reads the file: only now is it certain that it is a database. */
        rv = exec(session,
                  "PRAGMA query_only=1; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0;"
                  "SELECT count(*) FROM sqlite_master",
                  err);
    }
    if (rv != APR_SUCCESS) {
        err->code = AUR_E_DB_UNAVAILABLE;
    }
    s->lock = LOCK_WAIT;
    return rv;
}

static void sqlite_teardown(aur_session_t *session)
{
    /* The last statements were closed by their cursors; nothing is kept beside them. */
    sqlite3_progress_handler(session->native, 0, NULL, NULL);
    sqlite3_busy_handler(session->native, NULL, NULL);
}

static int sqlite_current(aur_session_t *session)
{
    const aur_sqlite_t *s = session->private;
    apr_finfo_t info = {0};

    /* A database is often replaced by renaming a new one over it; readers of the old file would
     * never learn of it. */
    return apr_stat(&info, s->path, APR_FINFO_IDENT, session->pool) == APR_SUCCESS &&
           info.device == s->device && info.inode == s->inode;
}

static apr_status_t sqlite_ping(aur_session_t *session, aur_error_t *err)
{
    return exec(session, "PRAGMA schema_version", err);
}

static apr_status_t sqlite_begin(aur_session_t *session, const char *user, const char *correlation,
                                 aur_error_t *err)
{
    /* Deferred: the first read fixes what all further reads see, and no lock is held before it. */
    return exec(session, "BEGIN", err);
}

static apr_status_t sqlite_rollback(aur_session_t *session)
{
    if (sqlite3_get_autocommit(session->native)) {
        return APR_SUCCESS; /* SQLite rolled back by itself after an error */
    }
    return sqlite3_exec(session->native, "ROLLBACK", NULL, NULL, NULL) == SQLITE_OK ? APR_SUCCESS
                                                                                    : APR_EGENERAL;
}

static void sqlite_cancel(aur_session_t *session)
{
    sqlite3_interrupt(session->native);
}

const aur_backend_t aur_backend_sqlite = {
    .driver = "sqlite3",
    .check = sqlite_check,
    .params = sqlite_params,
    .setup = sqlite_setup,
    .teardown = sqlite_teardown,
    .current = sqlite_current,
    .ping = sqlite_ping,
    .begin = sqlite_begin,
    .rollback = sqlite_rollback,
    .cancel = sqlite_cancel,
    .open = aur_sqlite_cursor_open,
    .next = aur_sqlite_cursor_next,
    .close = aur_sqlite_cursor_close,
    .discover = aur_sqlite_discover,
};
