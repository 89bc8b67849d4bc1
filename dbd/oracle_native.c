/* oracle_native.c - the calls of apr_dbd_oracle.h that are no statements. */
#include "oracle.h"

#include <string.h>

static const apr_dbd_oracle_error_t *native_error(apr_dbd_t *h)
{
    return &h->error;
}

static int native_server_version(apr_dbd_t *h, int version[3])
{
    memcpy(version, h->version, sizeof(h->version));
    return 0;
}

/* The server refuses longer ones. */
static uint32_t clipped(const char *s, apr_size_t max)
{
    apr_size_t len = strlen(s);

    return (uint32_t)(len > max ? ora_utf8_whole(s, max) : len);
}

static int native_identify(apr_dbd_t *h, const char *client_identifier, const char *module,
                           const char *action)
{
    int rc = DPI_SUCCESS, what;

    if ((what = ora_enter(h)) != 0) {
        return what;
    }
    if (client_identifier) {
        rc =
            dpiConn_setClientIdentifier(h->conn, client_identifier, clipped(client_identifier, 64));
    }
    if (rc == DPI_SUCCESS && module) {
        rc = dpiConn_setModule(h->conn, module, clipped(module, 48));
    }
    if (rc == DPI_SUCCESS && action) {
        rc = dpiConn_setAction(h->conn, action, clipped(action, 32));
    }
    return ora_leave(h, rc);
}

static int native_call_timeout(apr_dbd_t *h, apr_interval_time_t us)
{
    apr_int64_t ms = us <= 0 ? 0 : (us - 1) / 1000 + 1;
    int what = ora_enter(h);

    h->call_timeout_ms = (apr_uint32_t)(ms < APR_INT32_MAX ? ms : APR_INT32_MAX);
    return what ? what : ora_leave(h, dpiConn_setCallTimeout(h->conn, h->call_timeout_ms));
}

static int native_ping(apr_dbd_t *h)
{
    int what = ora_enter(h);

    return what ? what : ora_leave(h, dpiConn_ping(h->conn));
}

static int native_rollback(apr_dbd_t *h)
{
    int what = ora_enter(h);

    return what ? what : ora_leave(h, dpiConn_rollback(h->conn));
}

static int native_execute(apr_dbd_t *h, const char *sql, apr_size_t len,
                          const apr_dbd_oracle_value_t *binds, int nbinds)
{
    return ora_execute(h, sql, len, binds, nbinds, 0, NULL);
}

static const apr_dbd_oracle_column_t *native_columns(const apr_dbd_oracle_stmt_t *st, int *ncolumns)
{
    *ncolumns = st->ncolumns;
    return st->described;
}

const apr_dbd_oracle_calls_t ora_calls = {
    native_error,    native_server_version, native_identify, native_call_timeout, native_ping,
    native_rollback, native_execute,        ora_interrupt,   ora_abandon,         ora_stmt_open,
    native_columns,  ora_stmt_next,         ora_lob_read,    ora_stmt_close,
};
