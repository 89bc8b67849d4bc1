/* describe.c - the columns of a result as Oracle would describe them. */
#include "double.h"

#include <stdlib.h>
#include <string.h>

/* PostgreSQL's own types; their numbers never change. */
enum {
    PG_BOOL = 16,
    PG_BYTEA = 17,
    PG_CHAR = 18,
    PG_NAME = 19,
    PG_INT8 = 20,
    PG_INT2 = 21,
    PG_INT4 = 23,
    PG_TEXT = 25,
    PG_OID = 26,
    PG_TID = 27,
    PG_JSON = 114,
    PG_FLOAT4 = 700,
    PG_FLOAT8 = 701,
    PG_UNKNOWN = 705,
    PG_BPCHAR = 1042,
    PG_VARCHAR = 1043,
    PG_DATE = 1082,
    PG_TIMESTAMP = 1114,
    PG_TIMESTAMPTZ = 1184,
    PG_INTERVAL = 1186,
    PG_NUMERIC = 1700,
    PG_JSONB = 3802
};
#define HEADER   4 /* typmods of lengths count it */
#define TEXT_MAX 4000

static void chars(dbl_column_t *c, uint16_t dty, int characters, uint8_t form)
{
    int bytes = characters * 4;
    c->kind = DBL_K_TEXT;
    c->dty = dty;
    c->char_size = (uint16_t)characters;
    c->size = (uint16_t)(bytes > 32767 ? 32767 : bytes);
    c->csform = form;
    c->char_used = 1;
}

/* A column has the digits its type declares, an expression has none. */
static void number(dbl_column_t *c, int precision, int scale)
{
    c->kind = DBL_K_NUMBER;
    c->dty = SQLT_NUM;
    c->size = 22;
    c->precision = (int16_t)precision;
    c->scale = (int8_t)scale;
}

static void plain(dbl_column_t *c, dbl_kind_e kind, uint16_t dty, uint16_t size)
{
    c->kind = kind;
    c->dty = dty;
    c->size = size;
}

static void timestamp(dbl_column_t *c, uint16_t dty, int typmod)
{
    plain(c, DBL_K_TIMESTAMP, dty, dty == SQLT_TIMESTAMP_TZ ? 13 : 11);
    c->fsprecision = (uint8_t)(typmod < 0 ? 6 : typmod);
    c->scale = (int8_t)c->fsprecision;
}

static void interval(dbl_column_t *c, int typmod)
{
    bool year_month = typmod >= 0 && (typmod >> 16 & 0x7FFF) == 6;
    plain(c, year_month ? DBL_K_INTERVAL_YM : DBL_K_INTERVAL_DS,
          year_month ? SQLT_INTERVAL_YM : SQLT_INTERVAL_DS, year_month ? 5 : 11);
    c->lfprecision = year_month ? 4 : 9;
    c->precision = c->lfprecision;
    c->fsprecision = year_month ? 0 : 6;
    c->scale = (int8_t)c->fsprecision; /* where ODPI-C looks for it */
}

static void lob(dbl_column_t *c, uint16_t dty, uint8_t form)
{
    plain(c, dty == SQLT_BLOB ? DBL_K_BLOB : DBL_K_CLOB, dty, 4000);
    c->csform = form;
}

static void numeric(dbl_column_t *c, int typmod)
{
    if (typmod < HEADER) {
        number(c, 0, -127);
        return;
    }
    int scale = (typmod - HEADER) & 0x7FF;
    number(c, (typmod - HEADER) >> 16 & 0xFFFF, scale >= 0x400 ? scale - 0x800 : scale);
}

static void text(dbl_column_t *c, int typmod, uint8_t form)
{
    if (typmod >= HEADER) {
        chars(c, SQLT_CHR, typmod - HEADER, form);
        return;
    }
    chars(c, SQLT_CHR, TEXT_MAX, form);
    c->size = TEXT_MAX;
    c->char_used = 0;
}

static void sys_type(dbl_column_t *c, int type, int typmod)
{
    switch (type) {
    case DBL_T_DATE:
        plain(c, DBL_K_DATE, SQLT_DAT, 7);
        break;
    case DBL_T_LTZ:
        timestamp(c, SQLT_TIMESTAMP_LTZ, typmod);
        break;
    case DBL_T_CLOB:
        lob(c, SQLT_CLOB, 1);
        break;
    case DBL_T_NCLOB:
        lob(c, SQLT_CLOB, 2);
        break;
    case DBL_T_BLOB:
        lob(c, SQLT_BLOB, 0);
        break;
    case DBL_T_RAW:
        plain(c, DBL_K_BYTES, SQLT_BIN, 2000);
        break;
    case DBL_T_LONG:
        plain(c, DBL_K_TEXT, SQLT_LNG, 0);
        c->csform = 1;
        break;
    case DBL_T_LONG_RAW:
        plain(c, DBL_K_BYTES, SQLT_LBI, 0);
        break;
    case DBL_T_NCHAR:
        chars(c, SQLT_AFC, typmod >= HEADER ? typmod - HEADER : 1, 2);
        break;
    case DBL_T_NVARCHAR2:
        text(c, typmod, 2);
        break;
    case DBL_T_ROWID:
        plain(c, DBL_K_ROWID, SQLT_RDD, 18);
        break;
    case DBL_T_JSON:
        lob(c, SQLT_CLOB, 1);
        c->json = 1;
        break;
    default: /* DBL_T_BOOLEAN */
        number(c, 1, 0);
        c->kind = DBL_K_BOOL;
        c->dty = dbl_version() >= 23 ? SQLT_BOL : SQLT_NUM;
        break;
    }
}

static void pg_type(dbl_column_t *c, Oid type, int typmod, bool expression)
{
    switch (type) {
    case PG_BOOL:
        sys_type(c, DBL_T_BOOLEAN, typmod);
        break;
    case PG_BYTEA:
        lob(c, SQLT_BLOB, 0);
        break;
    case PG_INT2:
        number(c, expression ? 0 : 5, expression ? -127 : 0);
        break;
    case PG_INT4:
    case PG_OID:
        number(c, expression ? 0 : 10, expression ? -127 : 0);
        break;
    case PG_INT8:
        number(c, expression ? 0 : 19, expression ? -127 : 0);
        break;
    case PG_NUMERIC:
        numeric(c, typmod);
        break;
    case PG_FLOAT4:
        plain(c, DBL_K_FLOAT, SQLT_IBFLOAT, 4);
        break;
    case PG_FLOAT8:
        plain(c, DBL_K_FLOAT, SQLT_IBDOUBLE, 8);
        break;
    case PG_BPCHAR:
        chars(c, SQLT_AFC, typmod >= HEADER ? typmod - HEADER : 1, 1);
        break;
    case PG_CHAR:
        chars(c, SQLT_CHR, 1, 1);
        break;
    case PG_NAME:
        chars(c, SQLT_CHR, 128, 1);
        break;
    case PG_DATE:
        plain(c, DBL_K_DATE, SQLT_DAT, 7);
        break;
    case PG_TIMESTAMP:
        timestamp(c, SQLT_TIMESTAMP, typmod);
        break;
    case PG_TIMESTAMPTZ:
        timestamp(c, SQLT_TIMESTAMP_TZ, typmod);
        break;
    case PG_INTERVAL:
        interval(c, typmod);
        break;
    case PG_TID:
        plain(c, DBL_K_ROWID, SQLT_RDD, 18);
        break;
    case PG_JSON:
    case PG_JSONB:
        sys_type(c, DBL_T_JSON, -1);
        break;
    default:
        text(c, type == PG_VARCHAR ? typmod : -1, 1);
        break;
    }
}

/* PostgreSQL calls an expression by its function; Oracle by its text. */
static const char *name_of(const dbl_sql_t *sql, int i, int n, const char *given)
{
    int from_end = (int)sql->name_count - (n - i);
    int item = sql->star < 0 || i < sql->star ? i : from_end > sql->star ? from_end : -1;
    bool known = item >= 0 && item < (int)sql->name_count && sql->names[item];
    return known ? sql->names[item] : given;
}

int dbl_describe(dbl_stmt_t *stmt, dbl_err_t *err, const PGresult *res)
{
    int n = PQnfields(res);
    const Oid *types = stmt->svc->server->types;
    free(stmt->columns);
    stmt->columns = calloc((size_t)n + 1, sizeof(*stmt->columns));
    stmt->column_count = 0;
    if (!stmt->columns) {
        return dbl_fail(err, 4030, "out of process memory");
    }
    for (int i = 0; i < n; i++) {
        dbl_column_t *c = &stmt->columns[i];
        int type = 0;
        while (type < DBL_TYPES && (!types[type] || types[type] != PQftype(res, i))) {
            type++;
        }
        if (type < DBL_TYPES) {
            sys_type(c, type, PQfmod(res, i));
        }
        else {
            pg_type(c, PQftype(res, i), PQfmod(res, i), !PQftable(res, i));
        }
        c->nullable = 1;
        c->temporary = !PQftable(res, i);
        strncpy(c->name, name_of(stmt->sql, i, n, PQfname(res, i)), sizeof(c->name) - 1);
    }
    stmt->column_count = (uint32_t)n;
    stmt->described = true;
    return OCI_SUCCESS;
}

int OCIParamGet(const void *handle, uint32_t htype, void *err_handle, void **param, uint32_t pos)
{
    dbl_stmt_t *stmt = dbl_check(handle, htype, __func__);
    if (!stmt || htype != OCI_HTYPE_STMT) {
        return OCI_INVALID_HANDLE;
    }
    DBL_ENTER(err, err_handle, NULL);
    if (!pos || pos > stmt->column_count) {
        return dbl_err_leave(err, dbl_fail(err, 24334, NULL));
    }
    dbl_param_t *p = dbl_alloc(stmt->head.env, OCI_DTYPE_PARAM);
    if (!p) {
        return dbl_err_leave(err, dbl_fail(err, 4030, "out of process memory"));
    }
    p->column = &stmt->columns[pos - 1];
    *param = p;
    return dbl_err_leave(err, OCI_SUCCESS);
}
