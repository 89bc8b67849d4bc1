/* backend_dbd.c - sessions of any driver of apr-util that has no backend of its own: opened, asked and
 * closed by apr_dbd alone.
 *
 * What only the mysql driver gets: set-up of the session, one snapshot for all statements of a
 * request, the server's error codes, cancel, and an end of waiting for a server that does not answer. Others: a transaction as the driver makes it, rolled back at its
 * end, declared read-only where the database knows that, and no cancel: a statement of a client that
 * has gone runs to its end. Users and correlation ids are shown nowhere: there is no place for them. */
#include <apr_strings.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "aurora/socket.h"
#include "dbd_private.h"

#define STATE_BYTES 5 /* of an SQLSTATE */

/* A client library that reconnects by itself would go on with a session that has none of this. */
#define MYSQL_PARAMS "%s,reconnect=0"

/* Averages with as many digits as the other databases give; a client may read slowly for longer than a
 * minute. An empty sql_mode is the one whose rules all versions share. */
static const char *const mysql_setup[] = {
    "SET NAMES utf8mb4",
    ("SET SESSION sql_mode = '', time_zone = '+00:00', div_precision_increment = 16, "
     "net_write_timeout = 600"),
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
};

#define MYSQL_BEGIN "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"

static aur_dbd_kind_e kind_of(const aur_db_settings_t *settings)
{
    if (!strcmp(settings->driver, "mysql")) {
        return AUR_DBD_MYSQL;
    }
    return strcmp(settings->driver, "odbc") ? AUR_DBD_OTHER : AUR_DBD_ODBC;
}

/* --- errors --------------------------------------------------------------------------------------- */

typedef enum {
    FAULT_OTHER,
    FAULT_LOST,
    FAULT_STOPPED,
    FAULT_DENIED,
    FAULT_CHANGED,
    FAULT_BUSY,
    FAULT_FULL
} fault_e;

static const struct {
    int code;
    fault_e fault;
} mysql_faults[] = {
    {1053, FAULT_LOST}, /* server shutdown */
    {1077, FAULT_LOST}, /* normal shutdown */
    {1152, FAULT_LOST}, /* aborted connection */
    {1158, FAULT_LOST}, /* network errors, to 1161 */
    {1159, FAULT_LOST},    {1160, FAULT_LOST},    {1161, FAULT_LOST},
    {1927, FAULT_LOST}, /* connection was killed */
    {2002, FAULT_LOST}, /* the client's own, to 2055 */
    {2003, FAULT_LOST},    {2006, FAULT_LOST},    {2013, FAULT_LOST},
    {2055, FAULT_LOST},    {4031, FAULT_LOST}, /* disconnected for inactivity */
    {1317, FAULT_STOPPED},                     /* query interrupted */
    {1969, FAULT_STOPPED},                     /* max_statement_time */
    {3024, FAULT_STOPPED},                     /* max_execution_time */
    {1044, FAULT_DENIED},  {1045, FAULT_DENIED},  {1142, FAULT_DENIED},
    {1143, FAULT_DENIED},  {1227, FAULT_DENIED},  {1370, FAULT_DENIED},
    {1049, FAULT_CHANGED}, {1054, FAULT_CHANGED}, {1146, FAULT_CHANGED},
    {1356, FAULT_CHANGED}, /* a view whose tables are gone */
    {1412, FAULT_CHANGED}, /* the table's definition since the snapshot */
    {1205, FAULT_BUSY},    /* lock wait */
    {1213, FAULT_BUSY},    /* deadlock */
    {1021, FAULT_FULL},    /* disk */
    {1037, FAULT_FULL},    {1038, FAULT_FULL},    {1041, FAULT_FULL},
    {1114, FAULT_FULL},
};

static fault_e mysql_fault(int code)
{
    apr_size_t i;

    for (i = 0; i < sizeof(mysql_faults) / sizeof(mysql_faults[0]); i++) {
        if (mysql_faults[i].code == code) {
            return mysql_faults[i].fault;
        }
    }
    return FAULT_OTHER;
}

static fault_e state_fault(const char *state)
{
    if (!strncmp(state, "08", 2) || !strncmp(state, "57P0", 4)) {
        return FAULT_LOST;
    }
    if (!strcmp(state, "HYT00") || !strcmp(state, "HYT01") || !strcmp(state, "HY008") ||
        !strcmp(state, "57014")) {
        return FAULT_STOPPED;
    }
    if (!strcmp(state, "42S02") || !strcmp(state, "42S22")) {
        return FAULT_CHANGED;
    }
    if (!strcmp(state, "42501")) {
        return FAULT_DENIED;
    }
    return !strncmp(state, "40", 2) ? FAULT_BUSY : FAULT_OTHER;
}

static void set_fault(aur_session_t *session, fault_e fault, aur_error_t *err)
{
    switch (fault) {
    case FAULT_LOST:
        aur_error_set(err, AUR_E_DB_UNAVAILABLE, NULL, "The connection to the database was lost.");
        err->retry_after = 5;
        session->doubtful = 1;
        break;
    case FAULT_STOPPED:
        aur_error_set(err, AUR_E_QUERY_TIMEOUT, NULL, "The query was stopped before its end.");
        break;
    case FAULT_DENIED:
        aur_error_set(err, AUR_E_DATABASE_ERROR, NULL,
                      "The database does not let Aurora read this dataset.");
        break;
    case FAULT_CHANGED:
        aur_error_set(err, AUR_E_DATABASE_ERROR, NULL,
                      "The dataset has changed in the database; ask for its columns again.");
        break;
    case FAULT_BUSY:
        aur_error_set(err, AUR_E_DATABASE_ERROR, NULL,
                      "The database was busy with other work on this dataset; try again.");
        break;
    case FAULT_FULL:
        aur_error_set(err, AUR_E_DATABASE_ERROR, NULL,
                      "The database ran out of memory or disk for this query; ask for less.");
        break;
    case FAULT_OTHER:
        aur_error_set(err, AUR_E_DATABASE_ERROR, NULL, "The database refused the query.");
        break;
    }
}

/* The first value of the first row; "" when there is none. */
static const char *ask(aur_session_t *session, const char *text, int column, apr_pool_t *p)
{
    apr_dbd_results_t *result = NULL;
    apr_dbd_row_t *row = NULL;
    const char *value = NULL;
    apr_pool_t *part;

    apr_pool_create(&part, p);
    if (apr_dbd_select(session->driver, part, session->handle, &result, text, 1) == 0 && result &&
        apr_dbd_get_row(session->driver, part, result, &row, 1) == 0) {
        value = apr_pstrdup(p, apr_dbd_get_entry(session->driver, row, column));
    }
    apr_pool_destroy(part);
    return value ? value : "";
}

/* An error that came with the rows has no code in this driver; the server still knows it. */
static int mysql_code(aur_session_t *session)
{
    apr_pool_t *p;
    int code;

    apr_pool_create(&p, session->pool);
    code = atoi(ask(session, "SHOW WARNINGS", 1, p));
    apr_pool_destroy(p);
    return code;
}

/* The last SQLSTATE in an error text of the odbc driver: "… message STATE ". */
static void odbc_state(char *state, const char *text)
{
    apr_size_t len = strlen(text);

    state[0] = '\0';
    while (len > 0 && text[len - 1] == ' ') {
        len--;
    }
    if (len > STATE_BYTES && text[len - STATE_BYTES - 1] == ' ') {
        apr_cpystrn(state, text + len - STATE_BYTES, STATE_BYTES + 1);
    }
}

static int is_gone(aur_session_t *session)
{
    apr_status_t rv = apr_dbd_check_conn(session->driver, session->pool, session->handle);
    return rv != APR_SUCCESS && rv != APR_ENOTIMPL;
}

apr_status_t aur_dbd_error(aur_session_t *session, int code, aur_error_t *err)
{
    const aur_dbd_t *d = session->private;
    const char *said = apr_dbd_error(session->driver, session->handle, code);
    char native[AUR_NATIVE_MAX], name[64], state[STATE_BYTES + 1];
    fault_e fault = FAULT_OTHER;

    apr_cpystrn(native, said ? said : "", sizeof(native));
    if (d->kind == AUR_DBD_MYSQL) {
        if (code == 0) {
            code = mysql_code(session);
        }
        fault = mysql_fault(code);
    }
    else if (d->kind == AUR_DBD_ODBC) {
        odbc_state(state, native);
        fault = state_fault(state);
    }
    if (fault == FAULT_OTHER && is_gone(session)) {
        fault = FAULT_LOST;
    }
    set_fault(session, fault, err);
    apr_snprintf(name, sizeof(name), "%s %d", session->settings->driver, code);
    aur_error_native(err, name, native);
    err->connection_lost = session->doubtful;
    return APR_EGENERAL;
}

static apr_status_t query(aur_session_t *session, const char *text, aur_error_t *err)
{
    int nrows, rc = apr_dbd_query(session->driver, session->handle, &nrows, text);
    return rc == 0 ? APR_SUCCESS : aur_dbd_error(session, rc, err);
}

/* --- the session ---------------------------------------------------------------------------------- */

static apr_status_t dbd_check(const aur_db_settings_t *settings, aur_error_t *err, apr_pool_t *p)
{
    if (!settings->params || !*settings->params) {
        return aur_error_set(err, AUR_E_DB_UNAVAILABLE, NULL,
                             "AuroraDBParams is empty: the driver %s has to be told what to "
                             "connect to",
                             settings->driver);
    }
    return APR_SUCCESS;
}

static apr_status_t dbd_params(const char **params, const aur_db_settings_t *settings,
                               aur_error_t *err, apr_pool_t *p)
{
    const char *given = settings->params ? settings->params : "";

    /* the last one counts */
    *params = kind_of(settings) == AUR_DBD_MYSQL ? apr_psprintf(p, MYSQL_PARAMS, given) : given;
    return APR_SUCCESS;
}

/* apr_dbd has no time limits for this driver, and a server that stands still answers no KILL either: then it takes the
 * connection's socket to end a wait. The driver has loaded the library; MySQL's own does not tell. */
static int mysql_socket(void *native)
{
    void *library = dlopen("libmariadb.so.3", RTLD_LAZY | RTLD_NOLOAD);
    int (*get)(void *mysql) = library ? (int (*)(void *))dlsym(library, "mysql_get_socket") : NULL;
    int fd = get && native ? get(native) : -1;

    if (library) {
        dlclose(library);
    }
    return fd;
}

static apr_status_t set_up_mysql(aur_dbd_t *d, aur_error_t *err)
{
    apr_size_t i;
    apr_status_t rv = APR_SUCCESS;

    d->fd = mysql_socket(d->session->native);
    for (i = 0; i < sizeof(mysql_setup) / sizeof(mysql_setup[0]) && rv == APR_SUCCESS; i++) {
        rv = query(d->session, mysql_setup[i], err);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    d->connection_id = apr_atoi64(ask(d->session, "SELECT CONNECTION_ID()", 0, d->session->pool));
    return d->connection_id > 0
               ? APR_SUCCESS
               : aur_error_set(err, AUR_E_DB_UNAVAILABLE, NULL, "The database cannot be used.");
}

static apr_status_t dbd_setup(aur_session_t *session, apr_interval_time_t wait_us, aur_error_t *err)
{
    aur_dbd_t *d = apr_pcalloc(session->pool, sizeof(*d));
    apr_status_t rv;

    d->session = session;
    d->kind = kind_of(session->settings);
    d->fd = -1;
    session->private = d;
    d->c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    rv = d->c_locale ? apr_pool_create(&d->transaction_pool, session->pool) : APR_ENOMEM;
    if (rv != APR_SUCCESS) {
        return aur_error_set(err, AUR_E_INTERNAL, NULL, "The server is out of memory.");
    }
    rv = d->kind == AUR_DBD_MYSQL ? set_up_mysql(d, err) : APR_SUCCESS;
    if (rv != APR_SUCCESS) {
        err->code = AUR_E_DB_UNAVAILABLE;
    }
    return rv;
}

static void dbd_teardown(aur_session_t *session)
{
    aur_dbd_t *d = session->private;

    if (d->c_locale) {
        freelocale(d->c_locale);
        d->c_locale = (locale_t)0;
    }
}

static int dbd_current(aur_session_t *session)
{
    return 1;
}

static apr_status_t dbd_ping(aur_session_t *session, aur_error_t *err)
{
    return is_gone(session) ? aur_dbd_error(session, 0, err) : APR_SUCCESS;
}

/* --- transactions --------------------------------------------------------------------------------- */

static apr_status_t start(aur_dbd_t *d, aur_error_t *err)
{
    aur_session_t *session = d->session;
    int rc;

    apr_pool_clear(d->transaction_pool);
    d->transaction = NULL;
    rc = apr_dbd_transaction_start(session->driver, d->transaction_pool, session->handle,
                                   &d->transaction);
    if (rc != 0) {
        return aur_dbd_error(session, rc, err);
    }
    /* else a failed statement would forbid all further ones, the roll-back's own included */
    apr_dbd_transaction_mode_set(session->driver, d->transaction,
                                 APR_DBD_TRANSACTION_IGNORE_ERRORS);
    return APR_SUCCESS;
}

static apr_status_t finish(aur_dbd_t *d)
{
    aur_session_t *session = d->session;
    apr_dbd_transaction_t *transaction = d->transaction;

    d->transaction = NULL;
    if (!transaction) {
        return APR_SUCCESS;
    }
    apr_dbd_transaction_mode_set(session->driver, transaction, APR_DBD_TRANSACTION_ROLLBACK);
    return apr_dbd_transaction_end(session->driver, session->pool, transaction) == 0 ? APR_SUCCESS
                                                                                     : APR_EGENERAL;
}

static apr_status_t dbd_begin(aur_session_t *session, const char *user, const char *correlation,
                              aur_error_t *err)
{
    aur_dbd_t *d = session->private;
    apr_status_t rv;
    int nrows;

    __atomic_store_n(&d->borrower, pthread_self(), __ATOMIC_RELAXED);
    __atomic_store_n(&d->killed, 0, __ATOMIC_RELAXED);
    if (d->kind == AUR_DBD_MYSQL) {
        return query(session, MYSQL_BEGIN, err);
    }
    rv = start(d, err);
    if (rv != APR_SUCCESS || d->no_read_only) {
        return rv;
    }
    if (apr_dbd_query(session->driver, session->handle, &nrows, "SET TRANSACTION READ ONLY") == 0) {
        return APR_SUCCESS;
    }
    /* not known here, and perhaps the transaction is spoilt */
    d->no_read_only = 1;
    return finish(d) == APR_SUCCESS ? start(d, err) : aur_dbd_error(session, 0, err);
}

static apr_status_t dbd_rollback(aur_session_t *session)
{
    aur_dbd_t *d = session->private;
    int nrows;

    if (d->kind != AUR_DBD_MYSQL) {
        return finish(d);
    }
    if (!aur_cancels_settled(&d->cancelling, AUR_CANCEL_WAIT) || d->streaming) {
        return APR_EGENERAL;
    }
    if (__atomic_load_n(&d->killed, __ATOMIC_RELAXED)) {
        /* takes the kill that came too late for its statement; fails then, and that is its purpose */
        apr_dbd_query(session->driver, session->handle, &nrows, "DO 0");
    }
    return apr_dbd_query(session->driver, session->handle, &nrows, "ROLLBACK") == 0 ? APR_SUCCESS
                                                                                    : APR_EGENERAL;
}

/* --- cancel --------------------------------------------------------------------------------------- */

void aur_dbd_kill(aur_dbd_t *d)
{
    aur_session_t *session = d->session;
    apr_dbd_t *handle = NULL;
    const char *message = NULL;
    apr_pool_t *p;
    int nrows;

    if (apr_pool_create_unmanaged_ex(&p, NULL, NULL) != APR_SUCCESS) {
        return;
    }
    __atomic_store_n(&d->killed, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&d->cancelling, 1, __ATOMIC_ACQ_REL);
    if (apr_dbd_open_ex(session->driver, p,
                        apr_psprintf(p, MYSQL_PARAMS, session->settings->params), &handle,
                        &message) != APR_SUCCESS) {
        session->log(session->log_ctx, LOG_WARNING, APR_SUCCESS,
                     "a statement could not be stopped, no second connection: %s",
                     message ? message : "no reason given");
    }
    else {
        if (apr_dbd_query(session->driver, handle, &nrows,
                          apr_psprintf(p, "KILL QUERY %" APR_INT64_T_FMT, d->connection_id)) != 0) {
            session->log(session->log_ctx, LOG_WARNING, APR_SUCCESS,
                         "a statement could not be stopped: %s",
                         apr_dbd_error(session->driver, handle, 0));
        }
        apr_dbd_close(session->driver, handle);
    }
    __atomic_sub_fetch(&d->cancelling, 1, __ATOMIC_ACQ_REL);
    apr_pool_destroy(p);
}

static void dbd_cancel(aur_session_t *session)
{
    aur_dbd_t *d = session->private;

    /* The borrower's own thread comes here from the signal handler of a child that must end: it is in
     * the middle of a call, perhaps of malloc. The server notices when the socket closes. */
    if (d->kind == AUR_DBD_MYSQL &&
        !pthread_equal(pthread_self(), __atomic_load_n(&d->borrower, __ATOMIC_RELAXED))) {
        aur_dbd_kill(d);
    }
}

void aur_dbd_abandon(aur_session_t *session)
{
    const aur_dbd_t *d = session->private;

    aur_socket_shut(d->fd);
}

static const char *dbd_capacity(const aur_db_settings_t *settings)
{
    return kind_of(settings) == AUR_DBD_MYSQL ? "SELECT @@max_connections" : NULL;
}

const aur_backend_t aur_backend_dbd = {
    .driver = "",
    .check = dbd_check,
    .params = dbd_params,
    .setup = dbd_setup,
    .teardown = dbd_teardown,
    .current = dbd_current,
    .ping = dbd_ping,
    .begin = dbd_begin,
    .rollback = dbd_rollback,
    .cancel = dbd_cancel,
    .abandon = aur_dbd_abandon,
    .capacity = dbd_capacity,
    .open = aur_dbd_cursor_open,
    .next = aur_dbd_cursor_next,
    .close = aur_dbd_cursor_close,
    .discover = aur_dbd_discover,
    .explain = aur_dbd_explain,
};
