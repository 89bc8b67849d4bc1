/* oracle_bind.c - values bound to placeholders by position. The client library keeps copies. */
#include "oracle.h"

#include <limits.h>
#include <string.h>

/* The server has a BOOLEAN from this version on. */
#define BOOLEAN_SINCE 23

#define NO_SUCH_YEAR 1841 /* ORA-01841: year must be between -4713 and +9999, and not be 0 */

/* How a value is bound. */
typedef struct {
    dpiOracleTypeNum type;
    dpiNativeTypeNum native;
} how_t;

static how_t how_to_bind(const apr_dbd_t *h, const apr_dbd_oracle_value_t *v)
{
    switch (v->kind) {
    case APR_DBD_ORACLE_NUMBER:
        return (how_t){DPI_ORACLE_TYPE_NUMBER, DPI_NATIVE_TYPE_BYTES};
    case APR_DBD_ORACLE_DOUBLE:
    case APR_DBD_ORACLE_FLOAT:
        return (how_t){DPI_ORACLE_TYPE_NATIVE_DOUBLE, DPI_NATIVE_TYPE_DOUBLE};
    case APR_DBD_ORACLE_BYTES:
    case APR_DBD_ORACLE_BLOB:
        return (how_t){DPI_ORACLE_TYPE_RAW, DPI_NATIVE_TYPE_BYTES};
    case APR_DBD_ORACLE_DATE:
        return (how_t){DPI_ORACLE_TYPE_DATE, DPI_NATIVE_TYPE_TIMESTAMP};
    case APR_DBD_ORACLE_TIMESTAMP:
        return (how_t){DPI_ORACLE_TYPE_TIMESTAMP, DPI_NATIVE_TYPE_TIMESTAMP};
    case APR_DBD_ORACLE_TIMESTAMP_TZ:
        return (how_t){DPI_ORACLE_TYPE_TIMESTAMP_TZ, DPI_NATIVE_TYPE_TIMESTAMP};
    case APR_DBD_ORACLE_BOOLEAN:
        if (h->version[0] >= BOOLEAN_SINCE) {
            return (how_t){DPI_ORACLE_TYPE_BOOLEAN, DPI_NATIVE_TYPE_BOOLEAN};
        }
        return (how_t){DPI_ORACLE_TYPE_NUMBER, DPI_NATIVE_TYPE_BYTES};
    case APR_DBD_ORACLE_NTEXT:
        return (how_t){DPI_ORACLE_TYPE_NVARCHAR, DPI_NATIVE_TYPE_BYTES};
    case APR_DBD_ORACLE_NULL:
    case APR_DBD_ORACLE_TEXT:
    case APR_DBD_ORACLE_CLOB:
        break;
    }
    return (how_t){DPI_ORACLE_TYPE_VARCHAR, DPI_NATIVE_TYPE_BYTES};
}

/* Text of any kind; the client library copies it into the variable. */
static int bytes_set(apr_dbd_t *h, dpiVar *var, const char *s, apr_size_t len)
{
    return dpiVar_setFromBytes(var, 0, s, (uint32_t)len) == DPI_SUCCESS ? 0 : ora_error_take(h, 0);
}

static int value_set(apr_dbd_t *h, const apr_dbd_oracle_value_t *v, how_t how, dpiVar *var,
                     dpiData *data, int pos)
{
    char number[ORA_NUMBER_TEXT];
    apr_size_t len = v->len;
    const char *s;

    data->isNull = 0;
    switch (how.native) {
    case DPI_NATIVE_TYPE_DOUBLE:
        data->value.asDouble = v->v.d;
        return 0;
    case DPI_NATIVE_TYPE_BOOLEAN:
        data->value.asBoolean = v->v.i != 0;
        return 0;
    case DPI_NATIVE_TYPE_TIMESTAMP:
        if (ora_timestamp_read(&data->value.asTimestamp, v->v.s, v->len) != 0) {
            int what =
                ora_error_set(h, APR_DBD_ORACLE_OTHER, "bind %d is no date that Oracle has", pos);
            h->error.code = NO_SUCH_YEAR; /* as the server would say */
            return what;
        }
        return 0;
    default:
        break;
    }
    if (v->kind == APR_DBD_ORACLE_BOOLEAN) {
        return bytes_set(h, var, v->v.i ? "1" : "0", 1);
    }
    if (v->kind != APR_DBD_ORACLE_NUMBER) {
        return bytes_set(h, var, v->v.s, v->len);
    }
    s = ora_number_plain(v->v.s, &len, number);
    return s ? bytes_set(h, var, s, len)
             : ora_error_set(h, APR_DBD_ORACLE_OTHER, "bind %d is no number", pos);
}

static int bind_one(apr_dbd_t *h, dpiStmt *stmt, const apr_dbd_oracle_value_t *v, int pos)
{
    how_t how = how_to_bind(h, v);
    /* An empty text is NULL in Oracle, and a variable has room for one byte at least. */
    int bytes = how.native == DPI_NATIVE_TYPE_BYTES,
        null = v->kind == APR_DBD_ORACLE_NULL ||
               (bytes && !v->len && v->kind != APR_DBD_ORACLE_BOOLEAN) ||
               (how.native == DPI_NATIVE_TYPE_TIMESTAMP && !v->v.s);
    dpiVar *var;
    dpiData *data;
    int what = 0;

    if (bytes && v->len > INT_MAX) {
        return ora_error_set(h, APR_DBD_ORACLE_OTHER, "bind %d is longer than 2 GiB", pos);
    }
    if (dpiConn_newVar(h->conn, how.type, how.native, 1, bytes && !null ? (uint32_t)v->len : 1, 1,
                       0, NULL, &var, &data) != DPI_SUCCESS) {
        return ora_error_take(h, 0);
    }
    if (null) {
        data->isNull = 1;
    }
    else {
        what = value_set(h, v, how, var, data, pos);
    }
    if (!what && dpiStmt_bindByPos(stmt, (uint32_t)pos, var) != DPI_SUCCESS) {
        what = ora_error_take(h, 0);
    }
    dpiVar_release(var); /* the statement holds it */
    return what;
}

int ora_bind(apr_dbd_t *h, dpiStmt *stmt, const apr_dbd_oracle_value_t *binds, int nbinds)
{
    int i, what = 0;

    for (i = 0; i < nbinds && !what; i++) {
        what = bind_one(h, stmt, &binds[i], i + 1);
    }
    return what;
}
