/* lob.c - LOBs: a locator holds the whole value, which came with its row. A CLOB is measured in UTF-16 units, as a
 * database with character set AL32UTF8 stores it: a character beyond the BMP counts twice. A value that begins with
 * "\1*N:" is what follows, N times: a LOB of any length that nobody holds, for measuring those who read it. */
#include "double.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BACK_MAX 16

static int hex_digit(char c)
{
    return c >= 'a' ? c - 'a' + 10 : c - '0';
}

char *dbl_bytes(const char *hex, size_t len, size_t *out_len)
{
    char *out = malloc(len / 2 + 1);
    if (!out) {
        abort();
    }
    size_t n = 0;
    for (size_t i = 2; i + 1 < len; i += 2) {
        out[n++] = (char)(hex_digit(hex[i]) << 4 | hex_digit(hex[i + 1]));
    }
    out[n] = '\0';
    *out_len = n;
    return out;
}

/* Bytes of the character that begins with c, and its UTF-16 units. */
static size_t character(char c, unsigned *units)
{
    unsigned char u = (unsigned char)c;
    *units = u >= 0xF0 ? 2 : 1;
    return u < 0x80 ? 1 : u < 0xE0 ? 2 : u < 0xF0 ? 3 : 4;
}

static uint64_t units_of(const char *s, size_t n)
{
    uint64_t units = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char u = (unsigned char)s[i];
        units += (u & 0xC0) != 0x80;
        units += u >= 0xF0;
    }
    return units;
}

static void lob_set(dbl_lob_t *lob, char *data, size_t len, bool binary, uint8_t csform)
{
    uint64_t times = 1;
    int mark = 0;
    free(lob->data);
    if (len > 2 && data[0] == '\1' && data[1] == '*' &&
        sscanf(data + 2, "%9" SCNu64 ":%n", &times, &mark) == 1 && mark) {
        len -= (size_t)mark + 2;
        memmove(data, data + 2 + mark, len);
    }
    lob->data = data;
    lob->len = len;
    lob->binary = binary;
    lob->csform = csform ? csform : 1;
    lob->once = binary ? len : units_of(data, len);
    lob->length = lob->once * times;
    lob->at_char = lob->polling_left = 0;
    lob->at_byte = 0;
    lob->init = true;
}

/* The bytes of a column's value. */
static char *value_bytes(const dbl_column_t *c, const char *value, size_t len, size_t *n)
{
    if (c->kind == DBL_K_BLOB || c->kind == DBL_K_BYTES) {
        return dbl_bytes(value, len, n);
    }
    char *copy = malloc(len + 1);
    if (!copy) {
        abort();
    }
    memcpy(copy, value, len);
    copy[len] = '\0';
    *n = len;
    return copy;
}

int dbl_define_lob(dbl_define_t *def, dbl_err_t *err, const dbl_column_t *c, uint32_t row,
                   const char *value, size_t len)
{
    bool binary = c->kind == DBL_K_BLOB;
    if (binary != (def->dty == SQLT_BLOB) || (!binary && c->kind != DBL_K_CLOB)) {
        return dbl_fail(err, 932, "inconsistent datatypes: column %s of type %u defined as %u",
                        c->name, c->dty, def->dty);
    }
    dbl_lob_t *lob = dbl_check(((void **)def->value)[row], OCI_DTYPE_LOB, "OCIStmtFetch2");
    if (!lob) {
        return OCI_INVALID_HANDLE;
    }
    size_t n;
    char *bytes = value_bytes(c, value, len, &n);
    lob_set(lob, bytes, n, binary, c->csform);
    lob->temporary = c->temporary;
    if (lob->temporary) {
        dbl_trace("temporary LOB made");
    }
    return dbl_define_tell(def, row, sizeof(void *), sizeof(void *));
}

/* The caller's function gives buffer after buffer until the value is in. */
int dbl_define_dynamic(dbl_define_t *def, dbl_err_t *err, const dbl_column_t *c, uint32_t row,
                       const char *value, size_t len)
{
    size_t n = 0, at = 0;
    char *bytes = value ? value_bytes(c, value, len, &n) : NULL;
    int rv = OCI_SUCCESS;
    uint8_t piece = OCI_ONE_PIECE;
    do {
        void *buf = NULL, *ind = NULL;
        uint32_t *alen = NULL;
        uint16_t *rcode = NULL;
        piece = at ? OCI_NEXT_PIECE : OCI_FIRST_PIECE;
        if (def->cb(def->ctx, def, row, &buf, &alen, &piece, &ind, &rcode) != OCI_CONTINUE ||
            !alen || !buf) {
            rv = dbl_fail(err, 24801, "a define's callback gave no buffer");
            break;
        }
        size_t part = n - at < *alen ? n - at : *alen;
        if (part) {
            memcpy(buf, bytes + at, part);
        }
        if (n > at && !part) {
            rv = dbl_fail(err, 24801, "a define's callback gave an empty buffer");
            break;
        }
        *alen = (uint32_t)part;
        at += part;
        if (ind) {
            *(int16_t *)ind = value ? 0 : -1;
        }
        if (rcode) {
            *rcode = value ? 0 : 1405;
        }
    } while (at < n);
    free(bytes);
    return rv;
}

/* --- entry points ------------------------------------------------------------------------------- */

typedef struct lob_call_t {
    dbl_svc_t *svc;
    dbl_lob_t *lob;
    dbl_err_t *err;
} lob_call_t;

/* Checks and faults of a call that would be a round trip. */
static int lob_begin(lob_call_t *call, void *svc, void *err, const void *loc, const char *where)
{
    call->svc = dbl_check(svc, OCI_HTYPE_SVCCTX, where);
    call->lob = dbl_check(loc, OCI_DTYPE_LOB, where);
    call->err = call->svc && call->lob && call->svc->server ? dbl_err_enter(err, where) : NULL;
    if (!call->err) {
        return OCI_INVALID_HANDLE;
    }
    int rv = dbl_fault(where, call->err, call->svc->server);
    if (rv == OCI_SUCCESS && !call->lob->init) {
        rv = dbl_fail(call->err, 22275, "invalid LOB locator specified");
    }
    if (rv == OCI_SUCCESS) {
        rv = dbl_call_begin(call->svc->server, call->svc->session, call->err,
                            call->svc->call_timeout);
    }
    if (rv != OCI_SUCCESS) {
        return dbl_err_leave(call->err, rv);
    }
    return OCI_SUCCESS;
}

static int lob_end(lob_call_t *call, int rv)
{
    dbl_call_end(call->svc->server);
    return dbl_err_leave(call->err, rv);
}

int OCILobGetLength2(void *svc, void *err, void *loc, uint64_t *len)
{
    lob_call_t call;
    int rv = lob_begin(&call, svc, err, loc, __func__);
    if (rv == OCI_SUCCESS) {
        *len = call.lob->length;
        rv = lob_end(&call, rv);
    }
    return rv;
}

int OCILobGetLength(void *svc, void *err, void *loc, uint32_t *len)
{
    uint64_t n = 0;
    int rv = OCILobGetLength2(svc, err, loc, &n);
    *len = (uint32_t)n;
    return rv;
}

/* A read may begin a little before the end of the last one, with a character that was given up. */
static void step_back(dbl_lob_t *lob, uint64_t at)
{
    while (lob->at_char > at && lob->at_char - at <= BACK_MAX && lob->at_byte > 0) {
        unsigned units;
        do {
            lob->at_byte--;
        } while (lob->at_byte > 0 && (lob->data[lob->at_byte] & 0xC0) == 0x80);
        character(lob->data[lob->at_byte], &units);
        lob->at_char -= units;
    }
}

/* Where a character begins; sequential reads go on from the last. */
static size_t byte_of(dbl_lob_t *lob, uint64_t at)
{
    at = at < lob->length ? at : lob->length;
    if (lob->binary) {
        return lob->once ? (size_t)(at % lob->once) : 0;
    }
    step_back(lob, at);
    if (at < lob->at_char || at - lob->at_char >= lob->once) {
        lob->at_char = lob->once ? at - at % lob->once : 0;
        lob->at_byte = 0;
    }
    while (lob->at_char < at) {
        unsigned units;
        lob->at_byte = lob->at_byte < lob->len ? lob->at_byte : 0;
        lob->at_byte += character(lob->data[lob->at_byte], &units);
        lob->at_char += units;
    }
    return lob->at_byte;
}

/* Bytes at `at` that go into what is left of room and amount, and their units. */
static size_t next_bytes(const dbl_lob_t *lob, size_t at, size_t room, uint64_t amount,
                         unsigned *units)
{
    if (lob->binary) {
        size_t n = lob->len - at < room ? lob->len - at : room;
        *units = (unsigned)(n < amount ? n : amount);
        return *units;
    }
    size_t size = character(lob->data[at], units);
    return size <= room ? size : 0;
}

/* Copy up to `amount` units, of which there are as many, from where the last piece ended; amounts come back. */
static int read_piece(dbl_lob_t *lob, char *buf, size_t room, uint64_t *amount, uint64_t *bytes)
{
    uint64_t units = 0;
    size_t at = lob->binary ? lob->at_byte : byte_of(lob, lob->at_char), n = 0;
    while (units < *amount && lob->len && (lob->binary || lob->at_char + units < lob->length)) {
        unsigned more;
        at = at < lob->len ? at : 0;
        size_t size = next_bytes(lob, at, room - n, *amount - units, &more);
        if (!size) {
            break;
        }
        memcpy(buf + n, lob->data + at, size);
        n += size;
        at += size;
        units += more;
    }
    lob->at_byte = at;
    lob->at_char += units;
    *amount = units;
    *bytes = n;
    return OCI_SUCCESS;
}

int OCILobRead2(void *svc, void *err, void *loc, uint64_t *bytes, uint64_t *chars, uint64_t offset,
                void *buf, uint64_t buflen, uint8_t piece, void *ctx, void *cb, uint16_t csid,
                uint8_t csform)
{
    lob_call_t call;
    int rv = lob_begin(&call, svc, err, loc, __func__);
    if (rv != OCI_SUCCESS) {
        return rv;
    }
    dbl_lob_t *lob = call.lob;
    if (cb || (csid && csid != OCI_CHARSET_AL32UTF8) || (piece != OCI_NEXT_PIECE && !offset)) {
        return lob_end(&call, dbl_fail(call.err, 24801, NULL));
    }
    bool in_bytes = lob->binary || !chars || (!*chars && *bytes);
    uint64_t wanted = in_bytes ? *bytes : *chars;
    if (piece != OCI_NEXT_PIECE) {
        lob->at_byte = byte_of(lob, offset - 1);
        lob->at_char = lob->binary ? 0 : lob->at_char;
        uint64_t left = lob->length > offset - 1 ? lob->length - (offset - 1) : 0;
        lob->polling_left = wanted && wanted < left ? wanted : left;
        if (!left && lob->length < offset) {
            *bytes = 0;
            if (chars) {
                *chars = 0;
            }
            return lob_end(&call, OCI_SUCCESS);
        }
    }
    uint64_t units = lob->polling_left, n = 0;
    read_piece(lob, buf, (size_t)buflen, &units, &n);
    lob->polling_left -= units;
    *bytes = n;
    if (chars) {
        *chars = lob->binary ? 0 : units;
    }
    if (lob->polling_left && !n) {
        return lob_end(&call, dbl_fail(call.err, 24801, NULL));
    }
    return lob_end(&call, lob->polling_left ? OCI_NEED_DATA : OCI_SUCCESS);
}

int OCILobRead(void *svc, void *err, void *loc, uint32_t *amount, uint32_t offset, void *buf,
               uint32_t buflen, void *ctx, void *cb, uint16_t csid, uint8_t csform)
{
    dbl_lob_t *lob = dbl_check(loc, OCI_DTYPE_LOB, __func__);
    if (!lob) {
        return OCI_INVALID_HANDLE;
    }
    uint64_t bytes = lob->binary ? *amount : 0, chars = lob->binary ? 0 : *amount;
    int rv = OCILobRead2(svc, err, loc, &bytes, &chars, offset, buf, buflen, OCI_ONE_PIECE, ctx, cb,
                         csid, csform);
    /* In a character set of varying width the old call counts what it gives in bytes. */
    *amount = (uint32_t)bytes;
    return rv;
}

int OCILobGetChunkSize(void *svc, void *err, void *loc, uint32_t *n)
{
    lob_call_t call;
    int rv = lob_begin(&call, svc, err, loc, __func__);
    if (rv == OCI_SUCCESS) {
        *n = 8132;
        rv = lob_end(&call, rv);
    }
    return rv;
}

/* What is asked of a locator without a round trip. */
static int lob_flag(const void *loc, void *err_handle, int *out, int value, const char *where)
{
    if (!dbl_check(loc, OCI_DTYPE_LOB, where)) {
        return OCI_INVALID_HANDLE;
    }
    DBL_ENTER(err, err_handle, NULL);
    *out = value;
    return dbl_err_leave(err, OCI_SUCCESS);
}

int OCILobIsTemporary(void *env, void *err, void *loc, int *yes)
{
    const dbl_lob_t *lob = dbl_check(loc, OCI_DTYPE_LOB, __func__);
    return lob_flag(loc, err, yes, lob && lob->temporary, __func__);
}

int OCILobLocatorIsInit(void *env, void *err, const void *loc, int *yes)
{
    const dbl_lob_t *lob = dbl_check(loc, OCI_DTYPE_LOB, __func__);
    return lob_flag(loc, err, yes, lob && lob->init, __func__);
}

int OCILobIsOpen(void *svc, void *err, void *loc, int *yes)
{
    return lob_flag(loc, err, yes, 0, __func__);
}

int OCILobFileIsOpen(void *svc, void *err_handle, void *loc, int *yes)
{
    if (!dbl_check(loc, 0, __func__)) {
        return OCI_INVALID_HANDLE;
    }
    DBL_ENTER(err, err_handle, NULL);
    return dbl_err_leave(err, dbl_fail(err, 22275, "invalid LOB locator specified"));
}

int OCILobCharSetForm(void *env, void *err, const void *loc, uint8_t *form)
{
    const dbl_lob_t *lob = dbl_check(loc, OCI_DTYPE_LOB, __func__);
    int n = 0, rv = lob_flag(loc, err, &n, lob && !lob->binary ? lob->csform : 0, __func__);
    *form = (uint8_t)n;
    return rv;
}

int OCILobCharSetId(void *env, void *err, const void *loc, uint16_t *id)
{
    const dbl_lob_t *lob = dbl_check(loc, OCI_DTYPE_LOB, __func__);
    int n = 0,
        rv = lob_flag(loc, err, &n, lob && !lob->binary ? OCI_CHARSET_AL32UTF8 : 0, __func__);
    *id = (uint16_t)n;
    return rv;
}

int OCILobLocatorAssign(void *svc, void *err_handle, const void *src, void **dst)
{
    const dbl_lob_t *from = dbl_check(src, OCI_DTYPE_LOB, __func__);
    dbl_lob_t *to = dbl_check(*dst, OCI_DTYPE_LOB, __func__);
    if (!from || !to) {
        return OCI_INVALID_HANDLE;
    }
    DBL_ENTER(err, err_handle, NULL);
    if (from->init) {
        char *copy = malloc(from->len + 1);
        if (!copy) {
            abort();
        }
        memcpy(copy, from->data, from->len + 1);
        lob_set(to, copy, from->len, from->binary, from->csform);
    }
    return dbl_err_leave(err, OCI_SUCCESS);
}

/* Nothing is kept open on a value that is all here. */
static int lob_nothing(void *loc, void *err_handle, const char *where)
{
    int n;
    return lob_flag(loc, err_handle, &n, 0, where);
}

/* The server keeps a temporary LOB until it is told, or the session ends. */
int OCILobFreeTemporary(void *svc, void *err, void *loc)
{
    lob_call_t call;
    int rv = lob_begin(&call, svc, err, loc, __func__);
    if (rv != OCI_SUCCESS) {
        return rv;
    }
    if (!call.lob->temporary) {
        return lob_end(&call, dbl_fail(call.err, 22275, "invalid LOB locator specified"));
    }
    dbl_trace("temporary LOB freed");
    call.lob->temporary = call.lob->init = false;
    return lob_end(&call, OCI_SUCCESS);
}

int OCILobOpen(void *svc, void *err, void *loc, uint8_t mode)
{
    return lob_nothing(loc, err, __func__);
}

int OCILobClose(void *svc, void *err, void *loc)
{
    return lob_nothing(loc, err, __func__);
}
