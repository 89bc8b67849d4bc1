/* oracle_prepared.c - prepared statements: kept as text, since the session caches what it has parsed; nothing goes to
 * the server before one is run. Their arguments become values to bind. */
#include "oracle.h"

#include <stdlib.h>
#include <string.h>

int ora_prepare(apr_pool_t *pool, apr_dbd_t *h, const char *query, const char *label, int nargs,
                int nvals, apr_dbd_type_e *types, apr_dbd_prepared_t **stmt)
{
    apr_dbd_prepared_t *st;

    if (nargs < 0 || nvals < nargs) {
        return ora_error_set(h, APR_DBD_ORACLE_OTHER,
                             "a statement with fewer values than arguments");
    }
    st = *stmt ? *stmt : apr_pcalloc(pool, sizeof(*st));
    st->sql = apr_pstrdup(pool, query);
    st->len = strlen(query);
    st->nargs = nargs;
    st->nvals = nvals;
    st->types = apr_pmemdup(pool, types, (apr_size_t)nargs * sizeof(*types));
    *stmt = st;
    return 0;
}

static int is_large(apr_dbd_type_e type)
{
    return type == APR_DBD_TYPE_BLOB || type == APR_DBD_TYPE_CLOB;
}

static apr_dbd_oracle_value_t text_of(apr_dbd_oracle_kind_e kind, const char *s, apr_size_t len)
{
    apr_dbd_oracle_value_t v = {.kind = s ? kind : APR_DBD_ORACLE_NULL, .len = s ? len : 0};

    v.v.s = s;
    return v;
}

/* A date is bound as one, so that an index on its column serves; what is none goes as text, for the server to judge. */
static apr_dbd_oracle_value_t date_of(apr_dbd_type_e type, const char *s)
{
    dpiTimestamp ts;
    apr_size_t len = s ? strlen(s) : 0;

    if (!s || ora_timestamp_read(&ts, s, len) != 0) {
        return text_of(APR_DBD_ORACLE_TEXT, s, len);
    }
    switch (type) {
    case APR_DBD_TYPE_ZTIMESTAMP:
        return text_of(APR_DBD_ORACLE_TIMESTAMP_TZ, s, len);
    case APR_DBD_TYPE_TIMESTAMP:
        return text_of(APR_DBD_ORACLE_TIMESTAMP, s, len);
    default:
        return text_of(ts.fsecond ? APR_DBD_ORACLE_TIMESTAMP : APR_DBD_ORACLE_DATE, s, len);
    }
}

static apr_dbd_oracle_value_t scalar_of(apr_dbd_type_e type, const char *s)
{
    switch (type) {
    case APR_DBD_TYPE_NULL:
    case APR_DBD_TYPE_NONE:
        return text_of(APR_DBD_ORACLE_NULL, NULL, 0);
    case APR_DBD_TYPE_STRING:
    case APR_DBD_TYPE_TEXT:
    case APR_DBD_TYPE_TIME:
        return text_of(APR_DBD_ORACLE_TEXT, s, s ? strlen(s) : 0);
    case APR_DBD_TYPE_DATE:
    case APR_DBD_TYPE_DATETIME:
    case APR_DBD_TYPE_TIMESTAMP:
    case APR_DBD_TYPE_ZTIMESTAMP:
        return date_of(type, s);
    default:
        return text_of(APR_DBD_ORACLE_NUMBER, s, s ? strlen(s) : 0);
    }
}

apr_dbd_oracle_value_t *ora_args_text(apr_pool_t *pool, const apr_dbd_prepared_t *stmt,
                                      const char **args)
{
    apr_dbd_oracle_value_t *values =
        apr_pcalloc(pool, (apr_size_t)(stmt->nargs + 1) * sizeof(*values));
    int i, from = 0;

    for (i = 0; i < stmt->nargs; i++) {
        apr_dbd_type_e type = stmt->types[i];
        if (is_large(type)) {
            /* data, its length as text, and two names that Oracle has no use for */
            apr_int64_t len = args[from] && args[from + 1] ? apr_atoi64(args[from + 1]) : 0;
            values[i] =
                text_of(type == APR_DBD_TYPE_BLOB ? APR_DBD_ORACLE_BYTES : APR_DBD_ORACLE_TEXT,
                        args[from], len > 0 ? (apr_size_t)len : 0);
            from += 4;
        }
        else {
            values[i] = scalar_of(type, args[from++]);
        }
    }
    return values;
}

/* A number behind a pointer of its C type, as text. */
static const char *number_text(apr_pool_t *pool, apr_dbd_type_e type, const void *arg)
{
    switch (type) {
    case APR_DBD_TYPE_TINY:
        return apr_psprintf(pool, "%d", *(const signed char *)arg);
    case APR_DBD_TYPE_UTINY:
        return apr_psprintf(pool, "%u", *(const unsigned char *)arg);
    case APR_DBD_TYPE_SHORT:
        return apr_psprintf(pool, "%d", *(const short *)arg);
    case APR_DBD_TYPE_USHORT:
        return apr_psprintf(pool, "%u", *(const unsigned short *)arg);
    case APR_DBD_TYPE_INT:
        return apr_psprintf(pool, "%d", *(const int *)arg);
    case APR_DBD_TYPE_UINT:
        return apr_psprintf(pool, "%u", *(const unsigned int *)arg);
    case APR_DBD_TYPE_LONG:
        return apr_psprintf(pool, "%ld", *(const long *)arg);
    case APR_DBD_TYPE_ULONG:
        return apr_psprintf(pool, "%lu", *(const unsigned long *)arg);
    case APR_DBD_TYPE_LONGLONG:
        return apr_psprintf(pool, "%" APR_INT64_T_FMT, *(const apr_int64_t *)arg);
    case APR_DBD_TYPE_ULONGLONG:
        return apr_psprintf(pool, "%" APR_UINT64_T_FMT, *(const apr_uint64_t *)arg);
    default:
        return NULL;
    }
}

static apr_dbd_oracle_value_t binary_of(apr_pool_t *pool, apr_dbd_type_e type, const void *arg)
{
    apr_dbd_oracle_value_t v = {.kind = APR_DBD_ORACLE_DOUBLE};
    const char *number;

    if (!arg) {
        return text_of(APR_DBD_ORACLE_NULL, NULL, 0);
    }
    if (type == APR_DBD_TYPE_FLOAT || type == APR_DBD_TYPE_DOUBLE) {
        v.v.d = type == APR_DBD_TYPE_FLOAT ? (double)*(const float *)arg : *(const double *)arg;
        return v;
    }
    number = number_text(pool, type, arg);
    return number ? text_of(APR_DBD_ORACLE_NUMBER, number, strlen(number)) : scalar_of(type, arg);
}

apr_dbd_oracle_value_t *ora_args_binary(apr_pool_t *pool, const apr_dbd_prepared_t *stmt,
                                        const void **args)
{
    apr_dbd_oracle_value_t *values =
        apr_pcalloc(pool, (apr_size_t)(stmt->nargs + 1) * sizeof(*values));
    int i, from = 0;

    for (i = 0; i < stmt->nargs; i++) {
        apr_dbd_type_e type = stmt->types[i];
        if (is_large(type)) {
            const apr_size_t *len = args[from + 1];
            values[i] =
                text_of(type == APR_DBD_TYPE_BLOB ? APR_DBD_ORACLE_BYTES : APR_DBD_ORACLE_TEXT,
                        args[from], len ? *len : 0);
            from += 4;
        }
        else {
            values[i] = binary_of(pool, type, args[from++]);
        }
    }
    return values;
}
