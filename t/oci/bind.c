/* bind.c - binds, and the parameters PostgreSQL gets for them. Each occurrence of a name is a parameter of its own, so
 * that each finds its type where it stands. */
#include "double.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    PG_BOOL = 16,
    PG_BYTEA = 17,
    PG_FLOAT8 = 701,
    PG_TIMESTAMP = 1114,
    PG_TIMESTAMPTZ = 1184,
    PG_INTERVAL = 1186,
    PG_NUMERIC = 1700
};

/* --- making binds ------------------------------------------------------------------------------- */

static dbl_bind_t *bind_add(dbl_stmt_t *stmt, void **handle)
{
    /* A bind made again replaces the one before. */
    for (uint32_t i = 0; *handle && i < stmt->bind_count; i++) {
        if (stmt->binds[i] == *handle) {
            return stmt->binds[i];
        }
    }
    dbl_bind_t **more = realloc(stmt->binds, (stmt->bind_count + 1) * sizeof(dbl_bind_t *));
    dbl_bind_t *bind = dbl_alloc(stmt->head.env, OCI_HTYPE_BIND);
    if (!more || !bind) {
        abort();
    }
    stmt->binds = more;
    stmt->binds[stmt->bind_count++] = bind;
    bind->stmt = stmt;
    *handle = bind;
    return bind;
}

static bool has_name(const dbl_sql_t *sql, const char *name)
{
    for (uint32_t i = 0; i < sql->bind_count; i++) {
        if (!strcasecmp(sql->binds[i], name)) {
            return true;
        }
    }
    return false;
}

typedef struct bind_args_t {
    void **handle;
    void *err, *value, *ind, *alen;
    const char *name;
    int32_t namelen;
    uint32_t pos, alen_width, mode;
    int64_t size;
    uint16_t dty;
} bind_args_t;

static int bind_checked(dbl_stmt_t *stmt, dbl_err_t *err, const bind_args_t *a)
{
    char name[129] = "";
    if (!stmt->sql) {
        return dbl_fail(err, 24337, NULL);
    }
    if (a->name) {
        const char *s = a->name;
        size_t n = a->namelen < 0 ? strlen(s) : (size_t)a->namelen;
        if (n && *s == ':') {
            s++;
            n--;
        }
        n = n < sizeof(name) ? n : sizeof(name) - 1;
        memcpy(name, s, n);
        name[n] = '\0';
    }
    if (a->name ? !has_name(stmt->sql, name) : !a->pos || a->pos > stmt->sql->bind_count) {
        return dbl_fail(err, 1036, NULL);
    }
    dbl_bind_t *b = bind_add(stmt, a->handle);
    snprintf(b->name, sizeof(b->name), "%s", name);
    b->pos = a->name ? 0 : a->pos;
    b->value = a->value;
    b->size = a->size;
    b->dty = a->dty;
    b->ind = a->ind;
    b->alen = a->alen;
    b->alen_width = a->alen_width;
    b->mode = a->mode;
    b->csform = 1;
    return OCI_SUCCESS;
}

static int bind_call(void *handle, const bind_args_t *a, const char *where)
{
    dbl_stmt_t *stmt = dbl_check(handle, OCI_HTYPE_STMT, where);
    dbl_err_t *err = stmt ? dbl_err_enter(a->err, where) : NULL;
    if (!err) {
        return OCI_INVALID_HANDLE;
    }
    int rv = dbl_fault(where, err, NULL);
    return dbl_err_leave(err, rv == OCI_SUCCESS ? bind_checked(stmt, err, a) : rv);
}

int OCIBindByName2(void *stmt, void **bind, void *err, const char *name, int32_t namelen,
                   void *value, int64_t size, uint16_t dty, void *ind, uint32_t *alen,
                   uint16_t *rcode, uint32_t maxarr, uint32_t *curelem, uint32_t mode)
{
    bind_args_t a = {bind, err, value, ind, alen, name, namelen, 0, 4, mode, size, dty};
    return bind_call(stmt, &a, __func__);
}

int OCIBindByPos2(void *stmt, void **bind, void *err, uint32_t pos, void *value, int64_t size,
                  uint16_t dty, void *ind, uint32_t *alen, uint16_t *rcode, uint32_t maxarr,
                  uint32_t *curelem, uint32_t mode)
{
    bind_args_t a = {bind, err, value, ind, alen, NULL, 0, pos, 4, mode, size, dty};
    return bind_call(stmt, &a, __func__);
}

int OCIBindByName(void *stmt, void **bind, void *err, const char *name, int32_t namelen,
                  void *value, int32_t size, uint16_t dty, void *ind, uint16_t *alen,
                  uint16_t *rcode, uint32_t maxarr, uint32_t *curelem, uint32_t mode)
{
    bind_args_t a = {bind, err, value, ind, alen, name, namelen, 0, 2, mode, size, dty};
    return bind_call(stmt, &a, __func__);
}

int OCIBindByPos(void *stmt, void **bind, void *err, uint32_t pos, void *value, int32_t size,
                 uint16_t dty, void *ind, uint16_t *alen, uint16_t *rcode, uint32_t maxarr,
                 uint32_t *curelem, uint32_t mode)
{
    bind_args_t a = {bind, err, value, ind, alen, NULL, 0, pos, 2, mode, size, dty};
    return bind_call(stmt, &a, __func__);
}

int OCIBindDynamic(void *handle, void *err_handle, void *ictx, oci_in_cb in, void *octx, void *out)
{
    dbl_bind_t *bind = dbl_check(handle, OCI_HTYPE_BIND, __func__);
    if (!bind) {
        return OCI_INVALID_HANDLE;
    }
    DBL_ENTER(err, err_handle, NULL);
    bind->in = in;
    bind->ictx = ictx;
    return dbl_err_leave(err, OCI_SUCCESS);
}

/* --- values ------------------------------------------------------------------------------------- */

typedef struct cell_t {
    const uint8_t *data;
    size_t len;
    bool null;
} cell_t;

static bool by_callback(const dbl_bind_t *b)
{
    return (b->mode & OCI_DATA_AT_EXEC) && b->in;
}

static int cell_of(cell_t *cell, dbl_bind_t *b, dbl_err_t *err, uint32_t iter)
{
    memset(cell, 0, sizeof(*cell));
    if (by_callback(b)) {
        void *buf = NULL, *ind = NULL;
        uint32_t alen = 0;
        uint8_t piece = OCI_ONE_PIECE;
        if (b->in(b->ictx, b, iter, 0, &buf, &alen, &piece, &ind) != OCI_CONTINUE ||
            piece != OCI_ONE_PIECE) {
            return dbl_fail(err, 24801, "a bind's callback did not give its value in one piece");
        }
        cell->data = buf;
        cell->len = alen;
        cell->null = !buf || (ind && *(int16_t *)ind == -1);
        return OCI_SUCCESS;
    }
    cell->null = !b->value || (b->ind && b->ind[iter] == -1);
    cell->data = b->value ? (const uint8_t *)b->value + (size_t)b->size * iter : NULL;
    cell->len = (size_t)b->size;
    if (b->alen && b->alen_width == 4) {
        cell->len = ((uint32_t *)b->alen)[iter];
    }
    else if (b->alen) {
        cell->len = ((uint16_t *)b->alen)[iter];
    }
    return OCI_SUCCESS;
}

static void set(dbl_params_t *p, int i, Oid type, const char *s, size_t n)
{
    char *copy = malloc(n + 1);
    if (!copy) {
        abort();
    }
    memcpy(copy, s, n);
    copy[n] = '\0';
    p->types[i] = type;
    p->values[i] = copy;
    p->lengths[i] = (int)n;
    p->formats[i] = type == PG_BYTEA;
}

/* What Latin-1 has not becomes a question mark turned over (U+00BF), as Oracle's conversion has it. */
static size_t convert(char *out, const char *s, size_t n)
{
    size_t len = 0;
    for (size_t i = 0; i < n;) {
        uint8_t c = (uint8_t)s[i];
        size_t bytes = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
        bool known = c < 0xC4 && i + bytes <= n;
        memcpy(out + len, known ? s + i : "\xC2\xBF", known ? bytes : 2);
        len += known ? bytes : 2;
        i += bytes;
    }
    return len;
}

static void set_text(dbl_params_t *p, int i, const dbl_bind_t *b, const cell_t *cell)
{
    bool terminated = b->dty == SQLT_STR || b->dty == SQLT_AVC;
    const char *s = (const char *)cell->data;
    size_t n = terminated ? strnlen(s, cell->len) : cell->len;
    if (!n) { /* an empty text is NULL */
        return;
    }
    if (b->csform != 1 || !dbl_latin1()) {
        set(p, i, 0, s, n);
        return;
    }
    char *converted = malloc(2 * n);
    if (!converted) {
        abort();
    }
    set(p, i, 0, converted, convert(converted, s, n));
    free(converted);
}

static int set_number(dbl_params_t *p, int i, dbl_err_t *err, const uint8_t *bytes, size_t n)
{
    char text[DBL_NUMBER_TEXT];
    size_t len = dbl_number_decode(text, bytes, n);
    if (!len) {
        return dbl_fail(err, 1722, NULL);
    }
    set(p, i, PG_NUMERIC, text, len);
    return OCI_SUCCESS;
}

static int set_integer(dbl_params_t *p, int i, dbl_err_t *err, const cell_t *cell, bool is_signed)
{
    char text[32];
    int64_t value = 0;
    if (cell->len != 1 && cell->len != 2 && cell->len != 4 && cell->len != 8) {
        return dbl_fail(err, 3115, NULL);
    }
    bool negative = is_signed && cell->data[cell->len - 1] & 0x80;
    memset(&value, negative ? 0xFF : 0, sizeof(value));
    memcpy(&value, cell->data, cell->len);
    int n = is_signed ? snprintf(text, sizeof(text), "%lld", (long long)value)
                      : snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    set(p, i, PG_NUMERIC, text, (size_t)n);
    return OCI_SUCCESS;
}

static int set_bool(dbl_params_t *p, int i, dbl_err_t *err, const cell_t *cell)
{
    static const uint8_t no[8] = {0};
    if (cell->len != 1 && cell->len != 4) {
        return dbl_fail(err, 3115, NULL);
    }
    set(p, i, PG_BOOL, memcmp(cell->data, no, cell->len) ? "t" : "f", 1);
    return OCI_SUCCESS;
}

static int set_float(dbl_params_t *p, int i, const cell_t *cell)
{
    char text[64];
    double value;
    if (cell->len == sizeof(float)) {
        float f;
        memcpy(&f, cell->data, sizeof(f));
        value = (double)f;
    }
    else {
        memcpy(&value, cell->data, sizeof(value));
    }
    set(p, i, PG_FLOAT8, text, (size_t)snprintf(text, sizeof(text), "%.17g", value));
    return OCI_SUCCESS;
}

static int set_when(dbl_params_t *p, int i, const dbl_when_t *when)
{
    char text[64];
    set(p, i, when->zoned ? PG_TIMESTAMPTZ : PG_TIMESTAMP, text, dbl_when_text(text, when));
    return OCI_SUCCESS;
}

static int set_date(dbl_params_t *p, int i, dbl_err_t *err, const cell_t *cell, uint16_t dty)
{
    dbl_when_t when = {0};
    if (dty == SQLT_DAT) {
        return dbl_date_decode(&when, cell->data) ? set_when(p, i, &when)
                                                  : dbl_fail(err, 1841, NULL);
    }
    memcpy(&when.year, cell->data, 2);
    when.month = cell->data[2];
    when.day = cell->data[3];
    when.hour = cell->data[4];
    when.minute = cell->data[5];
    when.second = cell->data[6];
    return set_when(p, i, &when);
}

static int set_descriptor(dbl_params_t *p, int i, dbl_err_t *err, const cell_t *cell, uint16_t dty)
{
    dbl_head_t *h;
    char text[64];
    memcpy(&h, cell->data, sizeof(h));
    if (!(h = dbl_check(h, 0, "bind"))) {
        return OCI_INVALID_HANDLE;
    }
    switch (h->type) {
    case OCI_DTYPE_TIMESTAMP:
    case OCI_DTYPE_TIMESTAMP_TZ:
    case OCI_DTYPE_TIMESTAMP_LTZ: {
        dbl_when_t when = ((dbl_time_t *)h)->when;
        when.zoned = when.zoned && h->type != OCI_DTYPE_TIMESTAMP;
        return set_when(p, i, &when);
    }
    case OCI_DTYPE_INTERVAL_DS:
        set(p, i, PG_INTERVAL, text,
            dbl_span_format(text, &((dbl_interval_t *)h)->span, false, 1, 9));
        return OCI_SUCCESS;
    case OCI_DTYPE_INTERVAL_YM:
        set(p, i, PG_INTERVAL, text,
            dbl_span_format(text, &((dbl_interval_t *)h)->span, true, 1, 0));
        return OCI_SUCCESS;
    case OCI_DTYPE_LOB: {
        const dbl_lob_t *lob = (dbl_lob_t *)h;
        if (lob->init) {
            set(p, i, lob->binary ? PG_BYTEA : 0, lob->data, lob->len);
        }
        return OCI_SUCCESS;
    }
    default:
        return dbl_fail(err, 932, "inconsistent datatypes: bind type %u", dty);
    }
}

static int set_cell(dbl_params_t *p, int i, dbl_bind_t *b, dbl_err_t *err, const cell_t *cell)
{
    switch (b->dty) {
    case SQLT_CHR:
    case SQLT_LNG:
    case SQLT_AFC:
    case SQLT_STR:
    case SQLT_AVC:
        set_text(p, i, b, cell);
        return OCI_SUCCESS;
    case SQLT_NUM:
        return set_number(p, i, err, cell->data, cell->len);
    case SQLT_VNU:
        return set_number(p, i, err, cell->data + 1, cell->data[0]);
    case SQLT_INT:
    case SQLT_UIN:
        return set_integer(p, i, err, cell, b->dty == SQLT_INT);
    case SQLT_BOL: /* in SQL since 23 */
        return dbl_version() < 23 ? dbl_fail(err, 3115, NULL) : set_bool(p, i, err, cell);
    case SQLT_FLT:
    case SQLT_BFLOAT:
    case SQLT_BDOUBLE:
        return set_float(p, i, cell);
    case SQLT_DAT:
    case SQLT_ODT:
        return set_date(p, i, err, cell, b->dty);
    case SQLT_BIN:
    case SQLT_LBI:
        if (cell->len) {
            set(p, i, PG_BYTEA, (const char *)cell->data, cell->len);
        }
        return OCI_SUCCESS;
    default:
        return set_descriptor(p, i, err, cell, b->dty);
    }
}

/* The last bind wins that names this occurrence. */
static dbl_bind_t *bind_for(const dbl_stmt_t *stmt, uint32_t i)
{
    for (uint32_t k = stmt->bind_count; k-- > 0;) {
        dbl_bind_t *b = stmt->binds[k];
        if (b->pos ? b->pos == i + 1 : !strcasecmp(b->name, stmt->sql->binds[i])) {
            return b;
        }
    }
    return NULL;
}

int dbl_params_none(dbl_params_t *p, dbl_stmt_t *stmt)
{
    size_t n = stmt->sql->bind_count + 1;
    *p = (dbl_params_t){(int)stmt->sql->bind_count, calloc(n, sizeof(*p->types)),
                        calloc(n, sizeof(*p->values)), calloc(n, sizeof(*p->lengths)),
                        calloc(n, sizeof(*p->formats))};
    if (!p->types || !p->values || !p->lengths || !p->formats) {
        abort();
    }
    return OCI_SUCCESS;
}

int dbl_params_make(dbl_params_t *p, dbl_stmt_t *stmt, dbl_err_t *err, uint32_t iter)
{
    int rv = dbl_params_none(p, stmt);
    for (uint32_t i = 0; rv == OCI_SUCCESS && i < stmt->sql->bind_count; i++) {
        dbl_bind_t *b = bind_for(stmt, i);
        cell_t cell;
        if (!b) {
            rv = dbl_fail(err, 1008, NULL);
            break;
        }
        rv = cell_of(&cell, b, err, iter);
        if (rv == OCI_SUCCESS && !cell.null) {
            rv = set_cell(p, (int)i, b, err, &cell);
        }
    }
    return rv;
}

void dbl_params_free(dbl_params_t *p)
{
    for (int i = 0; i < p->n; i++) {
        free(p->values[i]);
    }
    free(p->types);
    free(p->values);
    free(p->lengths);
    free(p->formats);
}
