/* define.c - values into the caller's arrays, in the form each define asks for. */
#include "double.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- making defines ----------------------------------------------------------------------------- */

typedef struct define_args_t {
    void **handle;
    void *err, *value, *ind, *rlen;
    uint32_t pos, rlen_width, mode;
    int64_t size;
    uint16_t dty, *rcode;
} define_args_t;

static dbl_define_t *define_at(dbl_stmt_t *stmt, uint32_t pos)
{
    if (pos > stmt->define_count) {
        dbl_define_t **more = realloc(stmt->defines, pos * sizeof(dbl_define_t *));
        if (!more) {
            abort();
        }
        memset(more + stmt->define_count, 0, (pos - stmt->define_count) * sizeof(dbl_define_t *));
        stmt->defines = more;
        stmt->define_count = pos;
    }
    if (!stmt->defines[pos - 1] &&
        !(stmt->defines[pos - 1] = dbl_alloc(stmt->head.env, OCI_HTYPE_DEFINE))) {
        abort();
    }
    return stmt->defines[pos - 1];
}

static bool is_descriptor(uint16_t dty)
{
    return dty == SQLT_CLOB || dty == SQLT_BLOB || dty == SQLT_RDD ||
           (dty >= SQLT_TIMESTAMP && dty <= SQLT_INTERVAL_DS) || dty == SQLT_TIMESTAMP_LTZ;
}

static int define_call(void *handle, const define_args_t *a, const char *where)
{
    dbl_stmt_t *stmt = dbl_check(handle, OCI_HTYPE_STMT, where);
    dbl_err_t *err = stmt ? dbl_err_enter(a->err, where) : NULL;
    if (!err) {
        return OCI_INVALID_HANDLE;
    }
    int rv = dbl_fault(where, err, NULL);
    if (rv == OCI_SUCCESS &&
        (!a->pos || a->pos > 4096 || (stmt->described && a->pos > stmt->column_count))) {
        rv = dbl_fail(err, 1007, NULL);
    }
    if (rv != OCI_SUCCESS) {
        return dbl_err_leave(err, rv);
    }
    dbl_define_t *d = define_at(stmt, a->pos);
    d->pos = a->pos;
    d->value = a->value;
    d->size = is_descriptor(a->dty) ? sizeof(void *) : (uint64_t)a->size;
    d->dty = a->dty;
    d->ind = a->ind;
    d->rlen = a->rlen;
    d->rlen_width = a->rlen_width;
    d->rcode = a->rcode;
    d->mode = a->mode;
    *a->handle = d;
    return dbl_err_leave(err, OCI_SUCCESS);
}

int OCIDefineByPos2(void *stmt, void **def, void *err, uint32_t pos, void *value, uint64_t size,
                    uint16_t dty, void *ind, uint32_t *rlen, uint16_t *rcode, uint32_t mode)
{
    define_args_t a = {def, err, value, ind, rlen, pos, 4, mode, (int64_t)size, dty, rcode};
    return define_call(stmt, &a, __func__);
}

int OCIDefineByPos(void *stmt, void **def, void *err, uint32_t pos, void *value, int32_t size,
                   uint16_t dty, void *ind, uint16_t *rlen, uint16_t *rcode, uint32_t mode)
{
    define_args_t a = {def, err, value, ind, rlen, pos, 2, mode, size, dty, rcode};
    return define_call(stmt, &a, __func__);
}

int OCIDefineDynamic(void *handle, void *err_handle, void *ctx, oci_define_cb cb)
{
    dbl_define_t *def = dbl_check(handle, OCI_HTYPE_DEFINE, __func__);
    if (!def) {
        return OCI_INVALID_HANDLE;
    }
    DBL_ENTER(err, err_handle, NULL);
    def->cb = cb;
    def->ctx = ctx;
    return dbl_err_leave(err, OCI_SUCCESS);
}

/* --- telling ------------------------------------------------------------------------------------ */

int dbl_define_tell(dbl_define_t *def, uint32_t row, size_t whole, size_t put)
{
    bool cut = put < whole;
    if (def->ind) {
        def->ind[row] = (int16_t)(!cut ? 0 : whole > 32767 ? -2 : (int)whole);
    }
    if (def->rlen && def->rlen_width == 4) {
        ((uint32_t *)def->rlen)[row] = (uint32_t)put;
    }
    else if (def->rlen) {
        ((uint16_t *)def->rlen)[row] = (uint16_t)(put > 65535 ? 65535 : put);
    }
    if (def->rcode) {
        def->rcode[row] = cut ? 1406 : 0;
    }
    return cut ? OCI_SUCCESS_WITH_INFO : OCI_SUCCESS;
}

static int tell_null(dbl_define_t *def, uint32_t row, dbl_err_t *err)
{
    dbl_define_tell(def, row, 0, 0);
    if (!def->ind) {
        return dbl_fail(err, 1405, "fetched column value is NULL");
    }
    def->ind[row] = -1;
    if (def->rcode) {
        def->rcode[row] = 1405;
    }
    return OCI_SUCCESS;
}

static int mismatch(dbl_err_t *err, const dbl_column_t *c, uint16_t dty)
{
    return dbl_fail(err, 932, "inconsistent datatypes: column %s of type %u defined as %u", c->name,
                    c->dty, dty);
}

/* --- text --------------------------------------------------------------------------------------- */

/* What fits, without half a character at the end. */
static size_t whole_characters(const char *s, size_t n, size_t room)
{
    if (n <= room) {
        return n;
    }
    while (room && ((unsigned char)s[room] & 0xC0) == 0x80) {
        room--;
    }
    return room;
}

static int put_chars(dbl_define_t *def, uint32_t row, const char *s, size_t n, bool bytes)
{
    char *cell = (char *)def->value + def->size * row;
    size_t room = (size_t)def->size, head = 0;
    if (def->dty == SQLT_STR || def->dty == SQLT_AVC) {
        room = room ? room - 1 : 0;
    }
    if (def->dty == SQLT_LVC || def->dty == SQLT_LVB) {
        head = 4;
        room = room > 4 ? room - 4 : 0;
    }
    size_t put = bytes ? (n < room ? n : room) : whole_characters(s, n, room);
    memcpy(cell + head, s, put);
    if (head) {
        uint32_t length = (uint32_t)put;
        memcpy(cell, &length, 4);
    }
    if (def->dty == SQLT_STR || def->dty == SQLT_AVC) {
        cell[put] = '\0';
    }
    return dbl_define_tell(def, row, n, put);
}

/* BINARY_DOUBLE as Oracle writes it: 1.5E+000. */
static size_t float_text(char *out, size_t size, const char *value)
{
    char digits[32];
    double d = strtod(value, NULL);
    if (d != d || d - d != 0) {
        return (size_t)snprintf(out, size, "%s", d != d ? "Nan" : d > 0 ? "Inf" : "-Inf");
    }
    int n = 1;
    do {
        snprintf(digits, sizeof(digits), "%.*E", n - 1, d);
    } while (strtod(digits, NULL) != d && ++n < 18);
    char *e = strchr(digits, 'E');
    long exponent = strtol(e + 1, NULL, 10);
    return (size_t)snprintf(out, size, "%.*sE%c%03ld", (int)(e - digits), digits,
                            exponent < 0 ? '-' : '+', exponent < 0 ? -exponent : exponent);
}

static size_t when_text(char *out, size_t size, const dbl_stmt_t *stmt, const dbl_column_t *c,
                        const dbl_when_t *when)
{
    const dbl_nls_t *nls = &stmt->svc->server->nls;
    const char *format = c->kind == DBL_K_DATE         ? nls->date
                         : c->dty == SQLT_TIMESTAMP_TZ ? nls->timestamp_tz
                                                       : nls->timestamp;
    return dbl_when_format(out, size, when, format, c->fsprecision);
}

static int put_text(dbl_define_t *def, dbl_stmt_t *stmt, dbl_err_t *err, const dbl_column_t *c,
                    uint32_t row, const char *value, size_t len)
{
    char text[512];
    dbl_when_t when;
    dbl_span_t span;
    size_t n = 0;
    switch (c->kind) {
    case DBL_K_NUMBER:
        n = dbl_number_text(text, value, len, stmt->svc->server->nls.decimal);
        break;
    case DBL_K_BOOL:
        n = (size_t)snprintf(text, sizeof(text), "%s", *value == 't' ? "1" : "0");
        break;
    case DBL_K_FLOAT:
        n = float_text(text, sizeof(text), value);
        break;
    case DBL_K_DATE:
    case DBL_K_TIMESTAMP:
        n = dbl_when_parse(&when, value, len) ? when_text(text, sizeof(text), stmt, c, &when) : 0;
        break;
    case DBL_K_INTERVAL_YM:
    case DBL_K_INTERVAL_DS:
        n = dbl_span_parse(&span, value, len)
                ? dbl_span_format(text, &span, c->kind == DBL_K_INTERVAL_YM,
                                  c->lfprecision > 2 ? 2 : c->lfprecision, c->fsprecision)
                : 0;
        break;
    case DBL_K_BYTES:
    case DBL_K_BLOB: { /* \x00ff as 00FF */
        char *upper = strdup(value + 2);
        if (!upper) {
            abort();
        }
        for (char *at = upper; *at; at++) {
            *at = (char)(*at >= 'a' ? *at - 32 : *at);
        }
        int rv = put_chars(def, row, upper, len - 2, true);
        free(upper);
        return rv;
    }
    default:
        return put_chars(def, row, value, len, false);
    }
    if (!n) {
        return dbl_fail(err, 1801, "no text for the value '%.40s' of column %s", value, c->name);
    }
    return put_chars(def, row, text, n, false);
}

/* --- numbers ------------------------------------------------------------------------------------ */

static int put_number(dbl_define_t *def, dbl_err_t *err, uint32_t row, const char *value,
                      size_t len)
{
    uint8_t bytes[DBL_NUMBER_MAX], *cell = (uint8_t *)def->value + def->size * row;
    size_t head = def->dty == SQLT_VNU;
    int n = dbl_number_encode(bytes, value, len);
    if (n <= 0) {
        return dbl_fail(err, n ? 1426 : 1722, NULL);
    }
    if (def->size < (size_t)n + head) {
        return dbl_fail(err, 1406, NULL);
    }
    cell[0] = (uint8_t)n;
    memcpy(cell + head, bytes, (size_t)n);
    return dbl_define_tell(def, row, (size_t)n + head, (size_t)n + head);
}

static int put_integer(dbl_define_t *def, dbl_err_t *err, uint32_t row, const char *value)
{
    uint8_t *cell = (uint8_t *)def->value + def->size * row;
    unsigned bits = (unsigned)def->size * 8;
    errno = 0;
    long long n = strtoll(value, NULL, 10);
    unsigned long long u =
        def->dty == SQLT_UIN && *value != '-' ? strtoull(value, NULL, 10) : (unsigned long long)n;
    bool fits = !errno && (def->dty == SQLT_INT
                               ? bits >= 64 || (n >= -(1LL << (bits - 1)) && n < 1LL << (bits - 1))
                               : *value != '-' && (bits >= 64 || u < 1ULL << bits));
    if (def->size > 8 || !fits) {
        return dbl_fail(err, 1455, "converting column overflows integer datatype");
    }
    memcpy(cell, &u, (size_t)def->size);
    return dbl_define_tell(def, row, (size_t)def->size, (size_t)def->size);
}

static int put_float(dbl_define_t *def, dbl_err_t *err, uint32_t row, const char *value)
{
    uint8_t *cell = (uint8_t *)def->value + def->size * row;
    double d = strtod(value, NULL);
    if (def->size == sizeof(float)) {
        float f = strtof(value, NULL);
        memcpy(cell, &f, sizeof(f));
    }
    else if (def->size == sizeof(double)) {
        memcpy(cell, &d, sizeof(d));
    }
    else {
        return dbl_fail(err, 3115, NULL);
    }
    return dbl_define_tell(def, row, (size_t)def->size, (size_t)def->size);
}

/* --- dates and the rest ------------------------------------------------------------------------- */

static int put_when(dbl_define_t *def, dbl_err_t *err, const dbl_column_t *c, uint32_t row,
                    const char *value, size_t len)
{
    uint8_t *cell = (uint8_t *)def->value + def->size * row;
    dbl_when_t when;
    if ((c->kind != DBL_K_DATE && c->kind != DBL_K_TIMESTAMP) ||
        !dbl_when_parse(&when, value, len)) {
        return c->kind == DBL_K_DATE || c->kind == DBL_K_TIMESTAMP ? dbl_fail(err, 1841, NULL)
                                                                   : mismatch(err, c, def->dty);
    }
    if (def->dty == SQLT_DAT) {
        dbl_date_encode(cell, &when);
        return dbl_define_tell(def, row, 7, 7);
    }
    if (def->dty == SQLT_ODT) {
        const uint8_t rest[6] = {when.month, when.day, when.hour, when.minute, when.second, 0};
        memcpy(cell, &when.year, 2);
        memcpy(cell + 2, rest, sizeof(rest) < def->size - 2 ? sizeof(rest) : (size_t)def->size - 2);
        return dbl_define_tell(def, row, 7, 7);
    }
    dbl_time_t *descriptor = dbl_check(((void **)def->value)[row], 0, "OCIStmtFetch2");
    if (!descriptor) {
        return OCI_INVALID_HANDLE;
    }
    if (c->kind == DBL_K_DATE || c->dty == SQLT_TIMESTAMP) {
        when.zoned = false;
    }
    descriptor->when = when;
    return dbl_define_tell(def, row, 11, 11);
}

static int put_interval(dbl_define_t *def, dbl_err_t *err, const dbl_column_t *c, uint32_t row,
                        const char *value, size_t len)
{
    dbl_span_t span;
    dbl_interval_t *d =
        dbl_check(((void **)def->value)[row],
                  def->dty == SQLT_INTERVAL_YM ? OCI_DTYPE_INTERVAL_YM : OCI_DTYPE_INTERVAL_DS,
                  "OCIStmtFetch2");
    if (!d || c->dty != def->dty || !dbl_span_parse(&span, value, len)) {
        return mismatch(err, c, def->dty);
    }
    d->span = span;
    return dbl_define_tell(def, row, 11, 11);
}

static int put_bytes(dbl_define_t *def, dbl_err_t *err, const dbl_column_t *c, uint32_t row,
                     const char *value, size_t len)
{
    if (c->kind != DBL_K_BYTES && c->kind != DBL_K_BLOB) {
        return c->kind == DBL_K_TEXT ? put_chars(def, row, value, len, true)
                                     : mismatch(err, c, def->dty);
    }
    size_t n;
    char *bytes = dbl_bytes(value, len, &n);
    int rv = put_chars(def, row, bytes, n, true);
    free(bytes);
    return rv;
}

static int put_rowid(dbl_define_t *def, dbl_err_t *err, const dbl_column_t *c, uint32_t row,
                     const char *value)
{
    dbl_rowid_t *d = dbl_check(((void **)def->value)[row], OCI_DTYPE_ROWID, "OCIStmtFetch2");
    if (!d || c->kind != DBL_K_ROWID) {
        return mismatch(err, c, def->dty);
    }
    size_t n = (size_t)snprintf(d->text, sizeof(d->text), "%s", value);
    if (n >= sizeof(d->text)) {
        return dbl_fail(err, 1406, NULL);
    }
    return dbl_define_tell(def, row, n, n);
}

static bool is_numeric(const dbl_column_t *c)
{
    return c->kind == DBL_K_NUMBER || c->kind == DBL_K_BOOL || c->kind == DBL_K_FLOAT ||
           c->kind == DBL_K_TEXT;
}

int dbl_define_put(dbl_define_t *def, dbl_stmt_t *stmt, dbl_err_t *err, const dbl_column_t *c,
                   uint32_t row, const char *value, size_t len)
{
    bool dynamic = (def->mode & OCI_DYNAMIC_FETCH) && def->cb;
    if (dynamic) {
        return dbl_define_dynamic(def, err, c, row, value, len);
    }
    if (!value) {
        return tell_null(def, row, err);
    }
    const char *number = c->kind == DBL_K_BOOL ? (*value == 't' ? "1" : "0") : value;
    switch (def->dty) {
    case SQLT_NUM:
    case SQLT_VNU:
        return is_numeric(c) ? put_number(def, err, row, number, strlen(number))
                             : mismatch(err, c, def->dty);
    case SQLT_INT:
    case SQLT_UIN:
    case SQLT_BOL:
        return is_numeric(c) ? put_integer(def, err, row, number) : mismatch(err, c, def->dty);
    case SQLT_FLT:
    case SQLT_BFLOAT:
    case SQLT_BDOUBLE:
        return is_numeric(c) ? put_float(def, err, row, number) : mismatch(err, c, def->dty);
    case SQLT_DAT:
    case SQLT_ODT:
    case SQLT_TIMESTAMP:
    case SQLT_TIMESTAMP_TZ:
    case SQLT_TIMESTAMP_LTZ:
        return put_when(def, err, c, row, value, len);
    case SQLT_INTERVAL_YM:
    case SQLT_INTERVAL_DS:
        return put_interval(def, err, c, row, value, len);
    case SQLT_BIN:
    case SQLT_LBI:
    case SQLT_LVB:
        return put_bytes(def, err, c, row, value, len);
    case SQLT_CLOB:
    case SQLT_BLOB:
        return dbl_define_lob(def, err, c, row, value, len);
    case SQLT_RDD:
        return put_rowid(def, err, c, row, value);
    case SQLT_CHR:
    case SQLT_STR:
    case SQLT_LNG:
    case SQLT_RID:
    case SQLT_AFC:
    case SQLT_AVC:
    case SQLT_LVC:
        return put_text(def, stmt, err, c, row, value, len);
    default:
        return mismatch(err, c, def->dty);
    }
}
