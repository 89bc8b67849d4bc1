/* backend_oracle.c - Oracle sessions on the connection that apr_dbd_oracle opened. */
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "oracle_private.h"

#define PING_WAIT   apr_time_from_sec(3)
#define CANCEL_WAIT apr_time_from_sec(5)
#define END_WAIT    apr_time_from_sec(5)
/* A statement is to be stopped by a break first, then by losing its connection. */
#define CALL_GRACE apr_time_from_sec(2)

/* Rows beyond what a profile lets a user have are refused by the profile. V$PARAMETER needs a grant; without
 * it the statement fails, and the limit is not known. */
#define CAPACITY_TEXT "SELECT TO_NUMBER(value) FROM v$parameter WHERE name = 'sessions'"

/* Texts are compared as bytes: letter case counts whatever the client's environment says. */
static const char setup_text[] = "ALTER SESSION SET NLS_COMP = BINARY NLS_SORT = BINARY";
static const char begin_text[] = "SET TRANSACTION READ ONLY";

/* --- errors --------------------------------------------------------------------------------------- */

static const char *sentence(int code)
{
    switch (code) {
    case 1031: /* insufficient privileges */
    case 41900:
        return "The database does not let Aurora read this dataset.";
    case 942:
    case 904:
    case 4043:
        return "The dataset has changed in the database, or Aurora may not read it; ask for its "
               "columns again.";
    case 4063:
        return "The database says that this view has errors; whoever owns it has to repair it.";
    case 1722:
        return "The database met a text that is no number where one is needed.";
    case 1426:
        return "A number in the result is larger than the database can hold.";
    case 54:
    case 60:
    case 1555:
    case 4068: /* a package was compiled anew */
    case 8103:
        return "The database was busy with other work on this dataset; try again.";
    case 1652:
    case 4030:
    case 4031:
        return "The database ran out of memory or disk for this query; ask for less.";
    default:
        return "The database refused the query.";
    }
}

/* A value of the request: too long a text, or a date before 4712 BC or after 9999, which the driver sees by itself. The
 * database says so as well of what its own rows hold, and then it is nobody's request that is at fault; nor are numbers
 * that are too large, or none: values are of the types that they are compared with. */
static int is_value_fault(const apr_dbd_oracle_error_t *e)
{
    return e->code == 1460 || e->code == 1461 ||
           (e->code == 1841 && e->message && strncmp(e->message, "ORA-", 4) != 0);
}

static void set_from_class(aur_session_t *session, const apr_dbd_oracle_error_t *e,
                           aur_error_t *err)
{
    switch (e->what) {
    case APR_DBD_ORACLE_INTERRUPTED:
    case APR_DBD_ORACLE_TIMEOUT:
        aur_error_set(err, AUR_E_QUERY_TIMEOUT, NULL, "The query was stopped before its end.");
        break;
    case APR_DBD_ORACLE_LOST:
    case APR_DBD_ORACLE_UNREACHABLE:
    case APR_DBD_ORACLE_SESSIONS:
    case APR_DBD_ORACLE_LOGON:
    case APR_DBD_ORACLE_CLIENT:
        aur_error_set(err, AUR_E_DB_UNAVAILABLE, NULL, "The connection to the database was lost.");
        err->retry_after = 5;
        session->doubtful = 1;
        break;
    case APR_DBD_ORACLE_OK:
    case APR_DBD_ORACLE_OTHER:
        if (is_value_fault(e)) {
            aur_error_set(err, AUR_E_BAD_VALUE, NULL,
                          "The database cannot hold one of the values that are compared.");
        }
        else {
            aur_error_set(err, AUR_E_DATABASE_ERROR, NULL, "%s", sentence(e->code));
        }
        break;
    }
}

apr_status_t aur_oracle_error(aur_session_t *session, aur_error_t *err)
{
    aur_oracle_t *s = session->private;
    const apr_dbd_oracle_error_t *e = s->calls->error(s->handle);
    const char *text = e->message ? e->message : "no reason given";
    char code[16] = "oracle";
    apr_size_t len;

    set_from_class(session, e, err);
    if (e->code > 0) {
        (void)apr_snprintf(code, sizeof(code), "ORA-%05d", e->code);
        len = strlen(code);
        if (!strncmp(text, code, len) && text[len] == ':') {
            text += len + 1 + (text[len + 1] == ' ');
        }
    }
    aur_error_native(err, code, text);
    err->connection_lost = session->doubtful;
    return APR_EGENERAL;
}

/* Break and abandon go through the client library, and on a network that loses what they send nothing comes of
 * them: then it is the library itself that ends the wait. Clients before 18 cannot. */
static void limit(aur_oracle_t *s, apr_interval_time_t wait)
{
    if (s->limit != wait && !s->no_limits) {
        s->limit = wait;
        s->no_limits = s->calls->call_timeout(s->handle, wait) == APR_DBD_ORACLE_CLIENT;
    }
}

/* --- parameters and the session ------------------------------------------------------------------- */

/* They are read by the driver, in the child that connects: nothing of the client library may run before. */
static apr_status_t oracle_check(const aur_db_settings_t *settings, aur_error_t *err, apr_pool_t *p)
{
    if (!settings->params || !*settings->params) {
        return aur_error_set(err, AUR_E_DB_UNAVAILABLE, NULL,
                             "AuroraDBParams is missing; for oracle: user=... pass=... server=...");
    }
    return APR_SUCCESS;
}

static int connect_seconds(const aur_db_settings_t *settings)
{
    apr_int64_t seconds = (settings->pool_timeout + APR_USEC_PER_SEC - 1) / APR_USEC_PER_SEC;

    return seconds < 2 ? 2 : (int)(seconds > 3600 ? 3600 : seconds);
}

/* As the driver reads its keys: in any case, at the beginning or behind a separator. */
static int has_connect_timeout(const char *params)
{
    static const char key[] = "connect_timeout=";
    const char *at;

    for (at = params; *at; at++) {
        if (!strncasecmp(at, key, sizeof(key) - 1) && (at == params || strchr(" \t,;|", at[-1]))) {
            return 1;
        }
    }
    return 0;
}

static apr_status_t oracle_params(const char **params, const aur_db_settings_t *settings,
                                  aur_error_t *err, apr_pool_t *p)
{
    *params = settings->params;
    if (!has_connect_timeout(settings->params)) {
        *params =
            apr_psprintf(p, "%s connect_timeout=%d", settings->params, connect_seconds(settings));
    }
    return APR_SUCCESS;
}

static apr_status_t oracle_setup(aur_session_t *session, apr_interval_time_t wait_us,
                                 aur_error_t *err)
{
    const apr_dbd_oracle_t *native = session->native;
    aur_oracle_t *s = apr_pcalloc(session->pool, sizeof(*s));
    int version[3] = {0, 0, 0};

    session->private = s;
    s->session = session;
    s->handle = session->handle;
    if (!native || native->magic != APR_DBD_ORACLE_MAGIC ||
        native->version != APR_DBD_ORACLE_VERSION) {
        aur_error_set(err, AUR_E_DB_UNAVAILABLE, NULL, "The database cannot be used.");
        aur_error_native(err, "oracle", "the DBD driver is not the one that comes with Aurora");
        return APR_EGENERAL;
    }
    s->calls = native->calls;
    limit(s, wait_us);
    if (s->calls->server_version(s->handle, version) != 0 ||
        s->calls->execute(s->handle, setup_text, sizeof(setup_text) - 1, NULL, 0) != 0) {
        aur_oracle_error(session, err);
        err->code = AUR_E_DB_UNAVAILABLE;
        return APR_EGENERAL;
    }
    session->dialect = aur_dialect_oracle_for(version);
    return APR_SUCCESS;
}

/* Logging off is a call like others. */
static void oracle_teardown(aur_session_t *session)
{
    aur_oracle_t *s = session->private;

    if (s->calls) {
        limit(s, END_WAIT);
    }
}

/* The client library keeps its socket to itself: only a round trip would tell. */
static int oracle_current(aur_session_t *session)
{
    return 1;
}

static apr_status_t ping_within(aur_session_t *session, apr_interval_time_t wait, aur_error_t *err)
{
    aur_oracle_t *s = session->private;
    int failed;

    limit(s, wait);
    failed = s->calls->ping(s->handle);
    if (failed && s->calls->error(s->handle)->what == APR_DBD_ORACLE_INTERRUPTED) {
        failed = s->calls->ping(s->handle); /* a break that came late */
    }
    if (failed) {
        aur_oracle_error(session, err);
    }
    return failed ? APR_EGENERAL : APR_SUCCESS;
}

static apr_status_t oracle_ping(aur_session_t *session, aur_error_t *err)
{
    return ping_within(session, PING_WAIT, err);
}

/* --- transactions --------------------------------------------------------------------------------- */

/* Travels with the first statement. */
static apr_status_t oracle_begin(aur_session_t *session, const char *user, const char *correlation,
                                 aur_error_t *err)
{
    aur_oracle_t *s = session->private;

    __atomic_store_n(&s->borrower, pthread_self(), __ATOMIC_RELAXED);
    s->in_transaction = s->reading = s->shown = 0;
    if (s->calls->identify(s->handle, user ? user : "", "aurora", correlation ? correlation : "") !=
        0) {
        return aur_oracle_error(session, err);
    }
    return APR_SUCCESS;
}

void aur_oracle_limit(aur_oracle_t *s)
{
    apr_interval_time_t patience = s->session->patience;

    s->shown = 1;
    limit(s, patience > 0 ? patience + CALL_GRACE : 0);
}

apr_status_t aur_oracle_start(aur_oracle_t *s, aur_error_t *err)
{
    aur_oracle_limit(s);
    if (s->reading) {
        return APR_SUCCESS;
    }
    if (s->calls->execute(s->handle, begin_text, sizeof(begin_text) - 1, NULL, 0) != 0) {
        return aur_oracle_error(s->session, err);
    }
    s->in_transaction = s->reading = 1;
    return APR_SUCCESS;
}

apr_status_t aur_oracle_end(aur_oracle_t *s, aur_error_t *err)
{
    s->reading = 0;
    if (s->calls->rollback(s->handle) != 0) {
        return aur_oracle_error(s->session, err);
    }
    s->in_transaction = 0;
    return APR_SUCCESS;
}

/* While a session lies in the pool nobody uses it: the borrower's names are taken away by the round trip that ends
 * his transaction, or by one of its own where only a plan has been asked for. */
static apr_status_t oracle_rollback(aur_session_t *session)
{
    aur_oracle_t *s = session->private;
    aur_error_t err;

    aur_error_clear(&err);
    if (!aur_cancels_settled(&s->cancelling, AUR_CANCEL_WAIT) ||
        s->calls->identify(s->handle, "", "", "") != 0) {
        return APR_EGENERAL;
    }
    if (aur_session_cancelled(session) && ping_within(session, CANCEL_WAIT, &err) != APR_SUCCESS) {
        return APR_EGENERAL;
    }
    limit(s, END_WAIT);
    return s->in_transaction || s->shown ? aur_oracle_end(s, &err) : APR_SUCCESS;
}

/* --- cancel --------------------------------------------------------------------------------------- */

/* The borrower's own thread comes here from the signal handler of a child that must end: it is in the middle of
 * a call into the client library, which cannot be entered again. The server notices when the socket closes. */
static void oracle_cancel(aur_session_t *session)
{
    aur_oracle_t *s = session->private;

    if (pthread_equal(pthread_self(), __atomic_load_n(&s->borrower, __ATOMIC_RELAXED))) {
        return;
    }
    __atomic_add_fetch(&s->cancelling, 1, __ATOMIC_ACQ_REL);
    s->calls->interrupt(s->handle);
    __atomic_sub_fetch(&s->cancelling, 1, __ATOMIC_ACQ_REL);
}

static void oracle_abandon(aur_session_t *session)
{
    aur_oracle_t *s = session->private;

    s->calls->abandon(s->handle);
}

static const char *oracle_capacity(const aur_db_settings_t *settings)
{
    return CAPACITY_TEXT;
}

const aur_backend_t aur_backend_oracle = {
    .driver = "oracle",
    .check = oracle_check,
    .params = oracle_params,
    .setup = oracle_setup,
    .teardown = oracle_teardown,
    .current = oracle_current,
    .ping = oracle_ping,
    .begin = oracle_begin,
    .rollback = oracle_rollback,
    .cancel = oracle_cancel,
    .abandon = oracle_abandon,
    .capacity = oracle_capacity,
    .open = aur_oracle_cursor_open,
    .next = aur_oracle_cursor_next,
    .piece = aur_oracle_cursor_piece,
    .close = aur_oracle_cursor_close,
    .discover = aur_oracle_discover,
    .explain = aur_oracle_explain,
};
