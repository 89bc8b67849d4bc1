/* connect.c - the server handle and the session: Easy Connect strings, log-on, versions. */
#include "double.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- connect strings ---------------------------------------------------------------------------- */

static bool copy_part(char *out, size_t size, const char *s, size_t n)
{
    if (n >= size) {
        return false;
    }
    memcpy(out, s, n);
    out[n] = '\0';
    return true;
}

/* The value of (NAME=value) in a descriptor. */
static bool descriptor_value(char *out, size_t size, const char *text, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = text; (at = strchr(at, '('));) {
        at += 1 + strspn(at + 1, " ");
        if (!strncasecmp(at, name, n) && at[n + strspn(at + n, " ")] == '=') {
            at = strchr(at, '=') + 1;
            at += strspn(at, " ");
            return copy_part(out, size, at, strcspn(at, " )"));
        }
    }
    return false;
}

/* ?connect_timeout=5&transport_connect_timeout=3: the shorter one counts here. */
static uint32_t timeout_of(const char *query)
{
    uint32_t ms = 0;
    while (query && *query) {
        query++;
        size_t n = strcspn(query, "=&");
        if (n >= 15 && !strncasecmp(query + n - 15, "connect_timeout", 15) && query[n] == '=') {
            uint32_t value = (uint32_t)strtoul(query + n + 1, NULL, 10) * 1000;
            ms = ms && ms < value ? ms : value;
        }
        query = strchr(query, '&');
    }
    return ms;
}

static bool parse(dbl_server_t *srv, const char *text)
{
    char timeout[16];
    snprintf(srv->port, sizeof(srv->port), "1521");
    if (*text == '(') {
        descriptor_value(srv->port, sizeof(srv->port), text, "PORT");
        if (descriptor_value(timeout, sizeof(timeout), text, "CONNECT_TIMEOUT") ||
            descriptor_value(timeout, sizeof(timeout), text, "TRANSPORT_CONNECT_TIMEOUT")) {
            srv->connect_ms = (uint32_t)strtoul(timeout, NULL, 10) * 1000;
        }
        return descriptor_value(srv->host, sizeof(srv->host), text, "HOST") &&
               (descriptor_value(srv->database, sizeof(srv->database), text, "SERVICE_NAME") ||
                descriptor_value(srv->database, sizeof(srv->database), text, "SID"));
    }
    const char *query = strchr(text, '?'), *scheme = strstr(text, "//");
    srv->connect_ms = timeout_of(query);
    text = scheme && (!query || scheme < query) ? scheme + 2 : text;
    size_t host = *text == '[' ? strcspn(text, "]") + 1 : strcspn(text, ":/,?");
    const char *after = text + host;
    bool good = *text == '[' ? copy_part(srv->host, sizeof(srv->host), text + 1, host - 2)
                             : copy_part(srv->host, sizeof(srv->host), text, host);
    if (*after == ':') {
        size_t n = strspn(after + 1, "0123456789");
        good = good && copy_part(srv->port, sizeof(srv->port), after + 1, n);
        after += n + 1;
    }
    if (!good || *after != '/') {
        return false;
    }
    return copy_part(srv->database, sizeof(srv->database), after + 1, strcspn(after + 1, ":/?"));
}

/* --- attach ------------------------------------------------------------------------------------- */

/* Connect as the client would, to learn who listens. @return ORA code, 0: somebody does */
static int probe_address(const struct addrinfo *a, uint32_t ms)
{
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);
    int code = fd < 0 ? 12545 : 0;
    if (!code && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        int error = errno;
        socklen_t n = sizeof(error);
        if (error == EINPROGRESS) {
            error = poll(&p, 1, (int)ms) == 0                          ? ETIMEDOUT
                    : getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) ? errno
                                                                       : error;
        }
        code = error == 0 ? 0 : error == ETIMEDOUT ? 12170 : error == ECONNREFUSED ? 12541 : 12545;
    }
    if (fd >= 0) {
        close(fd);
    }
    return code;
}

static int probe(const dbl_server_t *srv)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *all = NULL;
    if (getaddrinfo(srv->host, srv->port, &hints, &all) != 0) {
        return 12545;
    }
    int code = 12545;
    for (const struct addrinfo *a = all; a && code; a = a->ai_next) {
        code = probe_address(a, srv->connect_ms ? srv->connect_ms : 60000);
    }
    freeaddrinfo(all);
    return code;
}

static int attach(dbl_server_t *srv, dbl_err_t *err, const char *connect_text, int32_t len)
{
    char text[1024];
    if (len < 0 || !copy_part(text, sizeof(text), connect_text ? connect_text : "", (size_t)len) ||
        !parse(srv, text)) {
        return dbl_fail(err, 12154, NULL);
    }
    int code = probe(srv);
    if (code) {
        return dbl_fail(err, code, NULL);
    }
    srv->attached = true;
    srv->lost = 0;
    return OCI_SUCCESS;
}

int OCIServerAttach(void *handle, void *err_handle, const char *connect_text, int32_t len,
                    uint32_t mode)
{
    dbl_server_t *srv = dbl_check(handle, OCI_HTYPE_SERVER, __func__);
    if (!srv) {
        return OCI_INVALID_HANDLE;
    }
    DBL_ENTER(err, err_handle, srv);
    dbl_trace("OCIServerAttach %.*s signals=%s", len > 0 ? (int)len : 0,
              connect_text ? connect_text : "", dbl_signals());
    return dbl_err_leave(err, attach(srv, err, connect_text, len));
}

/* --- log-on ------------------------------------------------------------------------------------- */

/* What the session needs to look like Oracle's; the types of schema SYS come back by name. */
static const char setup[] =
    "SELECT set_config('search_path', quote_ident(upper(session_user)) || "
    "',\"SYS\",oracle,pg_catalog,dbms_lob,public', false),"
    " set_config('datestyle', 'ISO, YMD', false), set_config('intervalstyle', 'iso_8601', false),"
    " set_config('bytea_output', 'hex', false), set_config('cursor_tuple_fraction', '1', false),"
    " set_config('extra_float_digits', '1', false), set_config('standard_conforming_strings', "
    "'on', false),"
    " set_config('client_min_messages', 'error', false);"
    "CREATE TEMP TABLE \"PLAN_TABLE\" (LIKE \"SYS\".\"PLAN_TABLE$\");"
    "SELECT t.typname, t.oid FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE "
    "n.nspname = 'SYS'";

static int session_setup(dbl_server_t *srv, dbl_err_t *err)
{
    PGresult *res = NULL;
    int rv = dbl_run(srv, err, setup, NULL, &res);
    for (int i = 0; rv == OCI_SUCCESS && i < PQntuples(res); i++) {
        for (int t = 0; t < DBL_TYPES; t++) {
            if (!strcmp(PQgetvalue(res, i, 0), dbl_type_names[t])) {
                srv->types[t] = (Oid)strtoul(PQgetvalue(res, i, 1), NULL, 10);
            }
        }
    }
    PQclear(res);
    return rv;
}

/* libpq has no result to tell a failed log-on by: the message has the state's words. */
static int logon_error(dbl_err_t *err, PGconn *conn)
{
    static const struct {
        const char *words;
        int code;
    } reasons[] = {{"password authentication failed", 1017},
                   {"no password supplied", 1005},
                   {"is not permitted to log in", 28000},
                   {"too many connections", 2391},
                   {"too many clients", 12519},
                   {"connection slots are reserved", 12519},
                   {"timeout expired", 12170},
                   {"Connection refused", 12541},
                   {"starting up", 1033},
                   {"shutting down", 1089},
                   {"role", 1017},
                   {"database", 12514}};
    const char *message = PQerrorMessage(conn);
    dbl_trace("log-on %s", message);
    for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++) {
        if (strstr(message, reasons[i].words)) {
            return dbl_fail(err, reasons[i].code, NULL);
        }
    }
    return dbl_fail(err, 3113, NULL);
}

static void ignore_notice(void *ctx, const PGresult *res)
{
    dbl_trace("notice %s", PQresultErrorMessage(res));
}

static int logon(dbl_server_t *srv, dbl_session_t *ses, dbl_err_t *err)
{
    char user[129], timeout[16];
    for (size_t i = 0; i < sizeof(user); i++) {
        char c = ses->user[i];
        user[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    if (!*user || !*ses->password) {
        return dbl_fail(err, *user ? 1005 : 1017, NULL);
    }
    snprintf(timeout, sizeof(timeout), "%u", srv->connect_ms ? (srv->connect_ms + 999) / 1000 : 60);
    const char *const keys[] = {
        "host",    "port",    "dbname", "user", "password", "connect_timeout", "client_encoding",
        "sslmode", "options", NULL};
    const char *const values[] = {srv->host,         srv->port, srv->database, user,
                                  ses->password,     timeout,   "UTF8",        "prefer",
                                  "-c TimeZone=UTC", NULL};
    srv->conn = PQconnectdbParams(keys, values, 0);
    if (PQstatus(srv->conn) != CONNECTION_OK || PQsetnonblocking(srv->conn, 1) != 0) {
        int rv = logon_error(err, srv->conn);
        PQfinish(srv->conn);
        srv->conn = NULL;
        return rv;
    }
    PQsetNoticeReceiver(srv->conn, ignore_notice, NULL);
    pthread_mutex_lock(&srv->cancel_lock);
    srv->cancel = PQgetCancel(srv->conn);
    pthread_mutex_unlock(&srv->cancel_lock);
    return session_setup(srv, err);
}

static void disconnect(dbl_server_t *srv)
{
    pthread_mutex_lock(&srv->cancel_lock);
    PGcancel *cancel = srv->cancel;
    srv->cancel = NULL;
    pthread_mutex_unlock(&srv->cancel_lock);
    PQfreeCancel(cancel);
    PQfinish(srv->conn);
    srv->conn = NULL;
    srv->in_block = srv->savepoint = srv->in_transaction = srv->read_only = false;
    srv->cursors = 0;
    srv->epoch++;
    atomic_store(&srv->breaking, false);
}

int OCISessionBegin(void *handle, void *err_handle, void *ses_handle, uint32_t credt, uint32_t mode)
{
    dbl_svc_t *svc = dbl_check(handle, OCI_HTYPE_SVCCTX, __func__);
    dbl_session_t *ses = dbl_check(ses_handle, OCI_HTYPE_SESSION, __func__);
    if (!svc || !ses || !svc->server) {
        return OCI_INVALID_HANDLE;
    }
    dbl_server_t *srv = svc->server;
    DBL_ENTER(err, err_handle, srv);
    dbl_trace("OCISessionBegin %s credentials=%u mode=%u", ses->user, credt, mode);
    int rv = srv->attached ? OCI_SUCCESS : dbl_fail(err, 3114, NULL);
    if (rv == OCI_SUCCESS) {
        pthread_mutex_lock(&srv->lock);
        srv->nls = (dbl_nls_t){"DD-MON-RR", "DD-MON-RR HH.MI.SSXFF AM",
                               "DD-MON-RR HH.MI.SSXFF AM TZR", '.', ','};
        rv = logon(srv, ses, err);
        ses->begun = rv == OCI_SUCCESS;
        if (rv != OCI_SUCCESS && srv->conn) {
            disconnect(srv);
        }
        pthread_mutex_unlock(&srv->lock);
    }
    return dbl_err_leave(err, rv);
}

int OCISessionEnd(void *handle, void *err_handle, void *ses_handle, uint32_t mode)
{
    dbl_svc_t *svc = dbl_check(handle, OCI_HTYPE_SVCCTX, __func__);
    dbl_session_t *ses = ses_handle ? dbl_check(ses_handle, OCI_HTYPE_SESSION, __func__)
                         : svc      ? svc->session
                                    : NULL;
    if (!svc || !svc->server || !ses) {
        return OCI_INVALID_HANDLE;
    }
    dbl_server_t *srv = svc->server;
    DBL_ENTER(err, err_handle, srv);
    pthread_mutex_lock(&srv->lock);
    int rv = srv->conn && !srv->lost ? OCI_SUCCESS : dbl_fail(err, 3114, NULL);
    if (srv->conn) {
        disconnect(srv);
    }
    ses->begun = false;
    pthread_mutex_unlock(&srv->lock);
    return dbl_err_leave(err, rv);
}

int OCIServerDetach(void *handle, void *err_handle, uint32_t mode)
{
    dbl_server_t *srv = dbl_check(handle, OCI_HTYPE_SERVER, __func__);
    if (!srv) {
        return OCI_INVALID_HANDLE;
    }
    DBL_ENTER(err, err_handle, srv);
    pthread_mutex_lock(&srv->lock);
    if (srv->conn) {
        disconnect(srv);
    }
    srv->attached = false;
    srv->lost = 0;
    pthread_mutex_unlock(&srv->lock);
    return dbl_err_leave(err, OCI_SUCCESS);
}

/* --- versions ----------------------------------------------------------------------------------- */

static int version_text(void *handle, void *err_handle, char *buf, uint32_t size, uint32_t *version,
                        const char *where)
{
    if (!dbl_check(handle, 0, where)) {
        return OCI_INVALID_HANDLE;
    }
    dbl_err_t *err = dbl_err_enter(err_handle, where);
    if (!err) {
        return OCI_INVALID_HANDLE;
    }
    int rv = dbl_fault(where, err, NULL);
    if (rv == OCI_SUCCESS) {
        unsigned major = (unsigned)dbl_version(), release = major < 21 ? 20 : 4;
        if (buf && size) {
            snprintf(
                buf, size,
                "Oracle Database %uc (a double on PostgreSQL, test equipment)\nVersion %u.%u.0.0.0",
                major, major, release);
        }
        if (version) {
            *version = major << 24 | release << 16;
        }
    }
    return dbl_err_leave(err, rv);
}

int OCIServerVersion(void *h, void *err, char *buf, uint32_t size, uint8_t htype)
{
    return version_text(h, err, buf, size, NULL, __func__);
}

int OCIServerRelease(void *h, void *err, char *buf, uint32_t size, uint8_t htype, uint32_t *version)
{
    return version_text(h, err, buf, size, version, __func__);
}

int OCIServerRelease2(void *h, void *err, char *buf, uint32_t size, uint8_t htype,
                      uint32_t *version, uint32_t mode)
{
    return version_text(h, err, buf, size, version, __func__);
}
