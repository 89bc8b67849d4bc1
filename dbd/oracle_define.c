/* oracle_define.c - the columns of a result: described, given variables, their values read out of them. */
#include "oracle.h"

#include <string.h>

/* What a value costs beside its bytes: dpiData, indicator, lengths. */
#define CELL_BYTES 64u
/* ODPI-C keeps pieces of this size for what is longer than its plain buffers. */
#define PIECE_BYTES 65536u
#define PLAIN_MAX   32767u
/* The text of the longest ROWID, which those of index-organized tables may be: describe tells no difference. */
#define ROWID_BYTES 5267u

/* How a column is fetched. */
typedef struct {
    dpiOracleTypeNum type;
    dpiNativeTypeNum native;
    uint32_t size; /* bytes of a value; 0: the type tells */
    uint32_t cost; /* bytes of define memory per value */
} fetch_t;

/* --- which variable ---------------------------------------------------------------------------------- */

static apr_dbd_oracle_kind_e kind_of(dpiOracleTypeNum type)
{
    switch (type) {
    case DPI_ORACLE_TYPE_NUMBER:
        return APR_DBD_ORACLE_NUMBER;
    case DPI_ORACLE_TYPE_NATIVE_DOUBLE:
        return APR_DBD_ORACLE_DOUBLE;
    case DPI_ORACLE_TYPE_NATIVE_FLOAT:
        return APR_DBD_ORACLE_FLOAT;
    case DPI_ORACLE_TYPE_VARCHAR:
    case DPI_ORACLE_TYPE_NVARCHAR:
    case DPI_ORACLE_TYPE_CHAR:
    case DPI_ORACLE_TYPE_NCHAR:
    case DPI_ORACLE_TYPE_LONG_VARCHAR:
    case DPI_ORACLE_TYPE_LONG_NVARCHAR:
    case DPI_ORACLE_TYPE_ROWID:
    case DPI_ORACLE_TYPE_UROWID:
    case DPI_ORACLE_TYPE_INTERVAL_DS:
    case DPI_ORACLE_TYPE_INTERVAL_YM:
    case DPI_ORACLE_TYPE_JSON:
        return APR_DBD_ORACLE_TEXT;
    case DPI_ORACLE_TYPE_RAW:
    case DPI_ORACLE_TYPE_LONG_RAW:
        return APR_DBD_ORACLE_BYTES;
    case DPI_ORACLE_TYPE_DATE:
        return APR_DBD_ORACLE_DATE;
    case DPI_ORACLE_TYPE_TIMESTAMP:
        return APR_DBD_ORACLE_TIMESTAMP;
    case DPI_ORACLE_TYPE_TIMESTAMP_TZ:
    case DPI_ORACLE_TYPE_TIMESTAMP_LTZ:
        return APR_DBD_ORACLE_TIMESTAMP_TZ;
    case DPI_ORACLE_TYPE_BOOLEAN:
        return APR_DBD_ORACLE_BOOLEAN;
    case DPI_ORACLE_TYPE_CLOB:
    case DPI_ORACLE_TYPE_NCLOB:
        return APR_DBD_ORACLE_CLOB;
    case DPI_ORACLE_TYPE_BLOB:
        return APR_DBD_ORACLE_BLOB;
    default:
        return APR_DBD_ORACLE_NULL; /* not one we can give */
    }
}

static fetch_t how_to_fetch(const dpiDataTypeInfo *info)
{
    uint32_t size = info->clientSizeInBytes ? info->clientSizeInBytes : 1;

    switch (info->oracleTypeNum) {
    case DPI_ORACLE_TYPE_NUMBER: /* text by ODPI-C's own arithmetic */
        return (fetch_t){info->oracleTypeNum, DPI_NATIVE_TYPE_BYTES, 0, 22 + 172};
    case DPI_ORACLE_TYPE_ROWID:
    case DPI_ORACLE_TYPE_UROWID: /* as text: no descriptor, no call per value */
        return (fetch_t){DPI_ORACLE_TYPE_VARCHAR, DPI_NATIVE_TYPE_BYTES, ROWID_BYTES, ROWID_BYTES};
    case DPI_ORACLE_TYPE_LONG_VARCHAR:
    case DPI_ORACLE_TYPE_LONG_NVARCHAR:
    case DPI_ORACLE_TYPE_LONG_RAW: /* of any length, and the server sends row by row: one at a time */
        return (fetch_t){info->oracleTypeNum, DPI_NATIVE_TYPE_BYTES, 0, ORA_DEFINE_BYTES};
    case DPI_ORACLE_TYPE_CLOB:
    case DPI_ORACLE_TYPE_NCLOB:
    case DPI_ORACLE_TYPE_BLOB:
        return (fetch_t){info->oracleTypeNum, DPI_NATIVE_TYPE_LOB, 0, ORA_LOB_PREFETCH + 512};
    case DPI_ORACLE_TYPE_VARCHAR:
    case DPI_ORACLE_TYPE_NVARCHAR:
    case DPI_ORACLE_TYPE_CHAR:
    case DPI_ORACLE_TYPE_NCHAR:
    case DPI_ORACLE_TYPE_RAW:
        return (fetch_t){info->oracleTypeNum, DPI_NATIVE_TYPE_BYTES, size,
                         size > PLAIN_MAX ? PIECE_BYTES : size};
    default:
        return (fetch_t){info->oracleTypeNum, info->defaultNativeTypeNum, 0, 64};
    }
}

static const char *type_name(dpiOracleTypeNum type)
{
    switch (type) {
    case DPI_ORACLE_TYPE_OBJECT:
        return "an object type";
    case DPI_ORACLE_TYPE_STMT:
        return "a cursor";
    case DPI_ORACLE_TYPE_BFILE:
        return "BFILE";
    default:
        return "a type";
    }
}

static int column_describe(apr_dbd_oracle_stmt_t *st, int i, dpiQueryInfo *info)
{
    apr_dbd_oracle_column_t *c = &st->described[i];
    int large;

    if (dpiStmt_getQueryInfo(st->stmt, (uint32_t)i + 1, info) != DPI_SUCCESS) {
        return ora_error_take(st->h, 0);
    }
    c->name = apr_pstrmemdup(st->pool, info->name, info->nameLength);
    c->type = (int)info->typeInfo.oracleTypeNum;
    c->kind = kind_of(info->typeInfo.oracleTypeNum);
    c->precision = info->typeInfo.precision;
    c->scale =
        info->typeInfo.scale; /* NOLINT(bugprone-signed-char-misuse): a number of eight bits */
    c->nullable = info->nullOk;
    large = c->kind == APR_DBD_ORACLE_CLOB || c->kind == APR_DBD_ORACLE_BLOB;
    c->size = large ? 0 : info->typeInfo.clientSizeInBytes;
    if (c->kind == APR_DBD_ORACLE_NULL) {
        return ora_error_set(st->h, APR_DBD_ORACLE_OTHER,
                             "column %s is of %s that cannot be read: leave it out, or "
                             "convert it in the query",
                             c->name, type_name(info->typeInfo.oracleTypeNum));
    }
    return 0;
}

static int column_define(apr_dbd_oracle_stmt_t *st, int i, const fetch_t *how)
{
    ora_column_t *c = &st->columns[i];
    apr_dbd_t *h = st->h;

    if (dpiConn_newVar(h->conn, how->type, how->native, st->array_rows, how->size, 1, 0, NULL,
                       &c->var, &c->data) != DPI_SUCCESS) {
        c->var = NULL;
        return ora_error_take(h, 0);
    }
    if (dpiStmt_define(st->stmt, (uint32_t)i + 1, c->var) != DPI_SUCCESS) {
        return ora_error_take(h, 0);
    }
    return 0;
}

int ora_define(apr_dbd_oracle_stmt_t *st, int rows)
{
    fetch_t *how = apr_palloc(st->pool, (apr_size_t)st->ncolumns * sizeof(*how));
    apr_uint64_t cost = 0;
    dpiQueryInfo info;
    int i, what = 0;

    for (i = 0; i < st->ncolumns && !what; i++) {
        ora_column_t *c = &st->columns[i];
        if ((what = column_describe(st, i, &info)) != 0) {
            break;
        }
        how[i] = how_to_fetch(&info.typeInfo);
        cost += how[i].cost + CELL_BYTES;
        c->kind = st->described[i].kind;
        c->type = info.typeInfo.oracleTypeNum;
        c->fraction_digits = info.typeInfo.fsPrecision;
        c->text = apr_palloc(st->pool, ORA_NUMBER_TEXT);
        c->text_size = ORA_NUMBER_TEXT;
    }
    if (what || !st->ncolumns) {
        return what;
    }
    st->array_rows = (apr_uint32_t)rows;
    if (cost * st->array_rows > ORA_DEFINE_BYTES) {
        st->array_rows = cost > ORA_DEFINE_BYTES ? 1 : (apr_uint32_t)(ORA_DEFINE_BYTES / cost);
    }
    if (dpiStmt_setFetchArraySize(st->stmt, st->array_rows) != DPI_SUCCESS) {
        return ora_error_take(st->h, 0);
    }
    for (i = 0; i < st->ncolumns && !what; i++) {
        what = column_define(st, i, &how[i]);
    }
    return what;
}

/* --- values -------------------------------------------------------------------------------------------- */

static int number_value(apr_dbd_oracle_stmt_t *st, ora_column_t *c, const dpiBytes *bytes,
                        apr_dbd_oracle_value_t *value)
{
    value->len = bytes->length;
    value->v.s = ora_number_plain(bytes->ptr, &value->len, c->text);
    if (!value->v.s) {
        return ora_error_set(st->h, APR_DBD_ORACLE_OTHER, "column %s: a number that is none",
                             st->described[c - st->columns].name);
    }
    return 0;
}

static int json_value(apr_dbd_oracle_stmt_t *st, ora_column_t *c, dpiJson *json,
                      apr_dbd_oracle_value_t *value)
{
    dpiJsonNode *top;
    apr_ssize_t n;

    if (dpiJson_getValue(json, DPI_JSON_OPT_NUMBER_AS_STRING, &top) != DPI_SUCCESS) {
        return ora_error_take(st->h, 0);
    }
    n = ora_json_write(c->text, c->text_size, top);
    if (n >= 0 && (apr_size_t)n > c->text_size) {
        /* Room at least doubles, so that what is given up in the pool stays below what is used. */
        c->text_size = (apr_size_t)n > 2 * c->text_size ? (apr_size_t)n : 2 * c->text_size;
        c->text = apr_palloc(st->pool, c->text_size);
        n = ora_json_write(c->text, c->text_size, top);
    }
    if (n < 0) {
        return ora_error_set(st->h, APR_DBD_ORACLE_OTHER,
                             "column %s has a JSON value that cannot be written as text",
                             st->described[c - st->columns].name);
    }
    value->v.s = c->text;
    value->len = (apr_size_t)n;
    return 0;
}

/* What the driver writes as text itself: intervals, JSON; the rest of the text kinds comes as bytes. */
static int text_value(apr_dbd_oracle_stmt_t *st, ora_column_t *c, const dpiDataBuffer *data,
                      apr_dbd_oracle_value_t *value)
{
    switch (c->type) {
    case DPI_ORACLE_TYPE_INTERVAL_DS:
        value->len = ora_interval_ds_write(c->text, &data->asIntervalDS, c->fraction_digits);
        value->v.s = c->text;
        return 0;
    case DPI_ORACLE_TYPE_INTERVAL_YM:
        value->len = ora_interval_ym_write(c->text, &data->asIntervalYM);
        value->v.s = c->text;
        return 0;
    case DPI_ORACLE_TYPE_JSON:
        return json_value(st, c, data->asJson, value);
    default:
        value->v.s = data->asBytes.ptr;
        value->len = data->asBytes.length;
        return 0;
    }
}

int ora_column_value(apr_dbd_oracle_stmt_t *st, ora_column_t *c, apr_uint32_t row,
                     apr_dbd_oracle_value_t *value)
{
    const dpiData *data = &c->data[row];

    value->len = 0;
    if (data->isNull) {
        value->kind = APR_DBD_ORACLE_NULL;
        value->v.s = NULL;
        return 0;
    }
    value->kind = c->kind;
    switch (c->kind) {
    case APR_DBD_ORACLE_NUMBER:
        return number_value(st, c, &data->value.asBytes, value);
    case APR_DBD_ORACLE_DOUBLE:
        value->v.d = data->value.asDouble;
        return 0;
    case APR_DBD_ORACLE_FLOAT:
        value->v.d = (double)data->value.asFloat;
        return 0;
    case APR_DBD_ORACLE_TEXT:
        return text_value(st, c, &data->value, value);
    case APR_DBD_ORACLE_BYTES:
        value->v.s = data->value.asBytes.ptr;
        value->len = data->value.asBytes.length;
        return 0;
    case APR_DBD_ORACLE_DATE:
    case APR_DBD_ORACLE_TIMESTAMP:
    case APR_DBD_ORACLE_TIMESTAMP_TZ:
        value->len = ora_timestamp_write(c->text, &data->value.asTimestamp,
                                         c->kind == APR_DBD_ORACLE_TIMESTAMP_TZ);
        value->v.s = c->text;
        return 0;
    case APR_DBD_ORACLE_BOOLEAN:
        value->v.i = data->value.asBoolean != 0;
        return 0;
    case APR_DBD_ORACLE_CLOB:
    case APR_DBD_ORACLE_BLOB:
        c->lob = data->value.asLOB;
        c->lob_begun = 0;
        value->v.s = NULL;
        return 0;
    case APR_DBD_ORACLE_NULL:
    case APR_DBD_ORACLE_NTEXT: /* of binds alone */
        break;
    }
    return 0;
}
