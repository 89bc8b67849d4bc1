/* backend_pgsql.c - PostgreSQL sessions on the connection that apr_dbd_pgsql opened.
 *
 * The parameters are libpq's own and go to it as they are (TLS, service files, several hosts); only a limit
 * for the connect is added where they have none. */
#include <apr_lib.h>
#include <apr_strings.h>
#include <poll.h>
#include <string.h>

#include "aurora/socket.h"
#include "aurora/sync.h"
#include "pgsql_private.h"

#define SERVER_MIN          100000 /* PostgreSQL 10 */
#define PING_WAIT           apr_time_from_sec(2)
#define SETTLE_WAIT         apr_time_from_sec(5) /* for the ROLLBACK of a cancelled statement */
#define CONNECT_TIMEOUT_MIN 2                    /* seconds; libpq takes no less */
#define CORRELATION_SHOWN   36                   /* characters of it, where both do not fit */

#define CAPACITY_TEXT                                                                              \
    "SELECT current_setting('max_connections')::int - "                                            \
    "current_setting('superuser_reserved_connections')::int - "                                    \
    "coalesce(current_setting('reserved_connections', true), '0')::int"

/* One statement, one round trip. The time zone is that of the values that are bound and shown. */
#define SETUP(more)                                                                                \
    "SELECT pg_catalog.set_config(name, setting, false) FROM (VALUES "                             \
    "('default_transaction_read_only', 'on'), ('client_encoding', 'UTF8'), "                       \
    "('DateStyle', 'ISO, YMD'), ('IntervalStyle', 'iso_8601'), ('TimeZone', 'UTC'), "              \
    "('bytea_output', 'hex'), ('extra_float_digits', '3'), ('standard_conforming_strings', "       \
    "'on'), "                                                                                      \
    "('application_name', 'aurora')" more ") AS s (name, setting)"
/* A prepared statement is planned for the values at hand. */
#define CUSTOM_PLANS       ", ('plan_cache_mode', 'force_custom_plan')"
#define CUSTOM_PLANS_SINCE 120000

/* --- errors --------------------------------------------------------------------------------------- */

static int is_class(const char *state, const char *of)
{
    return !strncmp(state, of, strlen(of));
}

/* The session is over, or was never let in. */
static int ends_session(const char *state)
{
    return is_class(state, "08") || is_class(state, "57P0") || is_class(state, "28") ||
           is_class(state, "53300") || is_class(state, "25P03");
}

/* A value of the request that its type cannot hold is met while values are read, and the context says
 * which one it was ("portal parameter $1") in any language. */
static int is_bad_value(const char *state, const PGresult *result)
{
    const char *context = PQresultErrorField(result, PG_DIAG_CONTEXT);

    return is_class(state, "22") && context && strchr(context, '$');
}

static const char *sentence(const char *state)
{
    if (is_class(state, "42501")) {
        return "The database does not let Aurora read this dataset.";
    }
    if (is_class(state, "42P01") || is_class(state, "42703") || is_class(state, "3F000")) {
        return "The dataset has changed in the database; ask for its columns again.";
    }
    if (is_class(state, "40001") || is_class(state, "40P01") || is_class(state, "55P03")) {
        return "The database was busy with other work on this dataset; try again.";
    }
    if (is_class(state, "53")) {
        return "The database ran out of memory or disk for this query; ask for less.";
    }
    return "The database refused the query.";
}

static void set_from_state(aur_session_t *session, const char *state, const PGresult *result,
                           aur_error_t *err)
{
    if (ends_session(state)) {
        aur_error_set(err, AUR_E_DB_UNAVAILABLE, NULL, "The database ended the connection.");
        err->retry_after = 5;
        session->doubtful = 1;
    }
    else if (is_class(state, "57014")) {
        aur_error_set(err, AUR_E_QUERY_TIMEOUT, NULL, "The query was stopped before its end.");
    }
    else if (is_bad_value(state, result)) {
        aur_error_set(err, AUR_E_BAD_VALUE, NULL,
                      "The database cannot hold one of the values that are compared.");
    }
    else {
        aur_error_set(err, AUR_E_DATABASE_ERROR, NULL, "%s", sentence(state));
    }
}

apr_status_t aur_pgsql_error(aur_session_t *session, const PGresult *result, aur_error_t *err)
{
    PGconn *conn = session->native;
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *text = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;

    if (state) {
        set_from_state(session, state, result, err);
    }
    if (!state || PQstatus(conn) != CONNECTION_OK) {
        /* libpq speaks for itself: the socket is dead, or the server silent */
        session->doubtful = 1;
        aur_error_set(err, AUR_E_DB_UNAVAILABLE, NULL, "The connection to the database was lost.");
        err->retry_after = 5;
    }
    if (!text || !*text) {
        text = PQerrorMessage(conn);
    }
    aur_error_native(err, state ? state : "libpq", *text ? text : "no answer in time");
    err->connection_lost = session->doubtful;
    return APR_EGENERAL;
}

/* --- parameters ----------------------------------------------------------------------------------- */

/* @param has_timeout  whether connect_timeout is among them
 * @return what is wrong with them, from p; NULL when nothing is */
static const char *params_fault(int *has_timeout, const char *params, apr_pool_t *p)
{
    PQconninfoOption *options, *o;
    char *message = NULL;
    const char *fault = NULL;

    *has_timeout = 0;
    options = PQconninfoParse(params ? params : "", &message);
    if (!options) {
        /* libpq's message may repeat a word of the string, the password for one */
        fault = "AuroraDBParams is no connection string of libpq";
    }
    for (o = options; o && o->keyword; o++) {
        if (!strcmp(o->keyword, "connect_timeout") && o->val) {
            *has_timeout = 1;
        }
        if (!strcmp(o->keyword, "replication") && o->val) {
            fault = "AuroraDBParams asks for a replication connection";
        }
    }
    PQfreemem(message);
    PQconninfoFree(options);
    return fault;
}

static apr_status_t pgsql_check(const aur_db_settings_t *settings, aur_error_t *err, apr_pool_t *p)
{
    int has_timeout;
    const char *fault = params_fault(&has_timeout, settings->params, p);

    return fault ? aur_error_set(err, AUR_E_DB_UNAVAILABLE, NULL, "%s", fault) : APR_SUCCESS;
}

static int connect_seconds(const aur_db_settings_t *settings)
{
    apr_interval_time_t wait = settings->pool_timeout;
    apr_int64_t seconds = (wait + APR_USEC_PER_SEC - 1) / APR_USEC_PER_SEC;

    return seconds < CONNECT_TIMEOUT_MIN ? CONNECT_TIMEOUT_MIN
                                         : (int)(seconds > 3600 ? 3600 : seconds);
}

static apr_status_t pgsql_params(const char **params, const aur_db_settings_t *settings,
                                 aur_error_t *err, apr_pool_t *p)
{
    const char *given = settings->params ? settings->params : "", *glue = " ";
    int has_timeout;
    const char *fault = params_fault(&has_timeout, given, p);

    if (fault) {
        aur_error_set(err, AUR_E_DB_UNAVAILABLE, NULL, "The database cannot be reached.");
        aur_error_native(err, "pgsql", fault);
        return APR_EGENERAL;
    }
    if (has_timeout) {
        *params = given;
        return APR_SUCCESS;
    }
    if (!strncmp(given, "postgresql://", 13) || !strncmp(given, "postgres://", 11)) {
        glue = strchr(given, '?') ? "&" : "?";
    }
    *params = apr_psprintf(p, "%s%sconnect_timeout=%d", given, glue, connect_seconds(settings));
    return APR_SUCCESS;
}

/* --- the session ---------------------------------------------------------------------------------- */

/* Notices of views and functions are for their authors; libpq would write them to stderr. */
static void notice(void *ctx, const PGresult *result)
{
}

static apr_status_t set_up(aur_pgsql_t *s, aur_error_t *err)
{
    const char *encoding,
        *text = PQserverVersion(s->conn) >= CUSTOM_PLANS_SINCE ? SETUP(CUSTOM_PLANS) : SETUP("");

    if (!PQenterPipelineMode(s->conn) || !aur_pgsql_send(s, text)) {
        return aur_pgsql_error(s->session, NULL, err);
    }
    if (aur_pgsql_settle(s, err) != APR_SUCCESS) {
        return APR_EGENERAL;
    }
    encoding = PQparameterStatus(s->conn, "client_encoding");
    if (PQserverVersion(s->conn) < SERVER_MIN || !encoding || strcmp(encoding, "UTF8")) {
        aur_error_set(err, AUR_E_DB_UNAVAILABLE, NULL, "The database cannot be used.");
        aur_error_native(err, "pgsql", "PostgreSQL 10 or later that talks UTF-8 is needed");
        return APR_EGENERAL;
    }
    return APR_SUCCESS;
}

static apr_status_t pgsql_setup(aur_session_t *session, apr_interval_time_t wait_us,
                                aur_error_t *err)
{
    aur_pgsql_t *s = apr_pcalloc(session->pool, sizeof(*s));
    apr_status_t rv;

    s->session = session;
    s->conn = session->native;
    session->private = s;
    PQsetNoticeReceiver(s->conn, notice, NULL);
    s->c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    s->cancel = PQgetCancel(s->conn);
    if (!s->c_locale || !s->cancel) {
        return aur_error_set(err, AUR_E_INTERNAL, NULL, "The server is out of memory.");
    }
    s->deadline = aur_clock() + wait_us;
    rv = set_up(s, err);
    s->deadline = 0;
    if (rv != APR_SUCCESS) {
        err->code = AUR_E_DB_UNAVAILABLE;
    }
    return rv;
}

static void pgsql_teardown(aur_session_t *session)
{
    aur_pgsql_t *s = session->private;

    PQfreeCancel(s->cancel);
    s->cancel = NULL;
    if (s->c_locale) {
        freelocale(s->c_locale);
    }
}

/* A server that ended the session has closed its side; nothing is asked for that. */
static int pgsql_current(aur_session_t *session)
{
    aur_pgsql_t *s = session->private;
    struct pollfd fd = {.fd = PQsocket(s->conn), .events = POLLIN | POLLRDHUP};

    if (PQstatus(s->conn) != CONNECTION_OK || poll(&fd, 1, 0) < 0) {
        return 0;
    }
    return !(fd.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL));
}

static apr_status_t pgsql_ping(aur_session_t *session, aur_error_t *err)
{
    aur_pgsql_t *s = session->private;
    apr_status_t rv;

    if (!PQpipelineSync(s->conn)) {
        return aur_pgsql_error(session, NULL, err);
    }
    s->owed++;
    s->deadline = aur_clock() + PING_WAIT;
    rv = aur_pgsql_settle(s, err);
    s->deadline = 0;
    return rv;
}

/* --- transactions --------------------------------------------------------------------------------- */

/* What a DBA sees in pg_stat_activity. Printable ASCII: the server would change the rest. */
static void application_set(aur_pgsql_t *s, const char *user, const char *correlation)
{
    char *c;

    s->application[0] = '\0';
    if (!user && !correlation) {
        return;
    }
    user = user ? user : "";
    correlation = correlation ? correlation : "";
    apr_snprintf(
        s->application, sizeof(s->application), "aurora:%.*s:%.*s",
        (int)(sizeof(s->application) - sizeof("aurora::") -
              (strlen(correlation) < CORRELATION_SHOWN ? strlen(correlation) : CORRELATION_SHOWN)),
        user, CORRELATION_SHOWN, correlation);
    for (c = s->application; *c; c++) {
        *c = apr_isascii(*c) && apr_isprint(*c) ? *c : '?';
    }
}

/* BEGIN itself travels with the first statement. */
static apr_status_t pgsql_begin(aur_session_t *session, const char *user, const char *correlation,
                                aur_error_t *err)
{
    aur_pgsql_t *s = session->private;

    application_set(s, user, correlation);
    s->in_transaction = 0;
    return APR_SUCCESS;
}

static apr_status_t pgsql_rollback(aur_session_t *session)
{
    aur_pgsql_t *s = session->private;
    apr_status_t rv;

    if (!aur_cancels_settled(&s->cancelling, AUR_CANCEL_WAIT) ||
        PQstatus(s->conn) != CONNECTION_OK) {
        return APR_EGENERAL;
    }
    if (!s->in_transaction) {
        return APR_SUCCESS;
    }
    s->in_transaction = 0;
    if (!aur_pgsql_send(s, "ROLLBACK")) {
        return APR_EGENERAL;
    }
    if (!aur_session_cancelled(session)) {
        return APR_SUCCESS; /* the answer is read before the next statement's */
    }
    s->deadline = aur_clock() + SETTLE_WAIT;
    rv = aur_pgsql_settle(s, NULL);
    s->deadline = 0;
    return rv == APR_SUCCESS && PQtransactionStatus(s->conn) == PQTRANS_IDLE ? APR_SUCCESS
                                                                             : APR_EGENERAL;
}

/* No lock: this may be a signal handler of a child that must end. */
static void pgsql_cancel(aur_session_t *session)
{
    aur_pgsql_t *s = session->private;
    char why[256];

    __atomic_add_fetch(&s->cancelling, 1, __ATOMIC_ACQ_REL);
    if (s->cancel) {
        PQcancel(s->cancel, why, sizeof(why));
    }
    __atomic_sub_fetch(&s->cancelling, 1, __ATOMIC_ACQ_REL);
}

/* The worker's wait ends with the socket. */
static void pgsql_abandon(aur_session_t *session)
{
    aur_pgsql_t *s = session->private;

    aur_socket_shut(PQsocket(s->conn));
}

/* Those that are kept for superusers are not ours. */
static const char *pgsql_capacity(const aur_db_settings_t *settings)
{
    return CAPACITY_TEXT;
}

const aur_backend_t aur_backend_pgsql = {
    .driver = "pgsql",
    .check = pgsql_check,
    .params = pgsql_params,
    .setup = pgsql_setup,
    .teardown = pgsql_teardown,
    .current = pgsql_current,
    .ping = pgsql_ping,
    .begin = pgsql_begin,
    .rollback = pgsql_rollback,
    .cancel = pgsql_cancel,
    .abandon = pgsql_abandon,
    .capacity = pgsql_capacity,
    .open = aur_pgsql_cursor_open,
    .next = aur_pgsql_cursor_next,
    .close = aur_pgsql_cursor_close,
    .discover = aur_pgsql_discover,
    .explain = aur_pgsql_explain,
};
