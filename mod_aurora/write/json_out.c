#include "aurora/json_out.h"
#include "aurora/number.h"
#include "aurora/text.h"
#include "write_private.h"

#include <math.h>
#include <stdint.h>

#define EACH_BYTE UINT64_C(0x0101010101010101)
#define HIGH_BITS UINT64_C(0x8080808080808080)

/* The longest escape of one byte: \u001f. (U+FFFD is three bytes.) */
#define ESCAPE_MAX 6

/* Integers up to here are the same in every reader that keeps numbers in doubles. */
#define EXACT_MAX (INT64_C(1) << 53)

/* Nonzero when a byte of the word is a control character, a quote, a backslash or not ASCII. */
static uint64_t word_needs_care(uint64_t word)
{
    uint64_t quote = word ^ EACH_BYTE * '"', backslash = word ^ EACH_BYTE * '\\';

    return ((word - EACH_BYTE * 0x20) | (quote - EACH_BYTE) | (backslash - EACH_BYTE) | word) &
           HIGH_BITS;
}

/* Length of the longest start of s that stands in JSON as it is. */
static apr_size_t clean_run(const char *s, apr_size_t len)
{
    apr_size_t n = 0, m;
    uint64_t word;

    while (n < len) {
        while (len - n >= 8) {
            memcpy(&word, s + n, 8);
            if (word_needs_care(word)) {
                break;
            }
            n += 8;
        }
        /* byte by byte over what stopped the words, or to the end */
        m = len - n < 8 ? len : n + 8;
        while (n < m) {
            unsigned char c = (unsigned char)s[n];
            apr_size_t bytes = c < 0x80 ? 1 : aur_utf8_char(s + n, len - n);
            if (c < 0x20 || c == '"' || c == '\\' || bytes == 0) {
                return n;
            }
            n += bytes;
        }
    }
    return n;
}

/* Write the one byte c that cannot stand as it is. Returns bytes, at most ESCAPE_MAX. */
static apr_size_t escape(char *out, char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char letters[32] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    unsigned char u = (unsigned char)c;

    if (u >= 0x80) {
        memcpy(out, "\xef\xbf\xbd", 3);
        return 3;
    }
    out[0] = '\\';
    out[1] = (char)(u < 32 ? letters[u] : c);
    if (out[1] != '\0') {
        return 2;
    }
    memcpy(out + 1, "u00", 3);
    out[4] = hex[u >> 4];
    out[5] = hex[u & 15];
    return ESCAPE_MAX;
}

/* What stands between the quotes. */
static void put_escaped(aur_sink_t *sink, const char *s, apr_size_t len)
{
    for (;;) {
        apr_size_t n = clean_run(s, len);
        char *at;
        if (n > 0) { /* an empty value may come without an address */
            aur_sink_write(sink, s, n);
            s += n;
            len -= n;
        }
        if (len == 0) {
            return;
        }
        at = aur_sink_room(sink, ESCAPE_MAX);
        aur_sink_advance(sink, at + escape(at, *s));
        s++;
        len--;
    }
}

void aur_json_string(aur_sink_t *sink, const char *s, apr_size_t len)
{
    aur_sink_byte(sink, '"');
    put_escaped(sink, s, len);
    aur_sink_byte(sink, '"');
}

/* The beginning of a character at the end of a piece. */
typedef struct joint_t {
    aur_sink_t *sink;
    char open[4];
    apr_size_t n;
} joint_t;

static void put_piece(void *ctx, const char *s, apr_size_t len)
{
    joint_t *j = ctx;
    apr_size_t n;

    while (j->n > 0 && len > 0) {
        int ready;
        j->open[j->n] = *s;
        ready = aur_utf8_open(j->open, j->n + 1) != j->n + 1;
        /* one that is neither open nor whole is malformed, and the byte is not of it */
        if (!ready || aur_utf8_char(j->open, j->n + 1) == j->n + 1) {
            j->n++;
            s++;
            len--;
        }
        if (ready) {
            put_escaped(j->sink, j->open, j->n);
            j->n = 0;
        }
    }
    n = aur_utf8_open(s, len);
    put_escaped(j->sink, s, len - n);
    if (n > 0) {
        memcpy(j->open, s + len - n, n);
        j->n = n;
    }
}

static apr_status_t put_pieces(aur_sink_t *sink, aur_pieces_t *pieces)
{
    joint_t j = {.sink = sink};
    apr_status_t rv;

    aur_sink_byte(sink, '"');
    if (pieces->kind == AUR_V_BINARY) {
        rv = write_base64_pieces(sink, pieces);
    }
    else {
        rv = write_pieces(sink, pieces, put_piece, &j);
        put_escaped(sink, j.open, j.n);
    }
    aur_sink_byte(sink, '"');
    return rv;
}

apr_size_t json_string_bound(apr_size_t len)
{
    return len * ESCAPE_MAX + 2;
}

apr_size_t json_string_into(char *out, const char *s, apr_size_t len)
{
    char *at = out;

    *at++ = '"';
    for (;;) {
        apr_size_t n = clean_run(s, len);
        memcpy(at, s, n);
        at += n;
        s += n;
        len -= n;
        if (len == 0) {
            *at++ = '"';
            return (apr_size_t)(at - out);
        }
        at += escape(at, *s);
        s++;
        len--;
    }
}

void aur_json_bool(aur_sink_t *sink, int on)
{
    if (on) {
        aur_json_lit(sink, "true");
    }
    else {
        aur_json_lit(sink, "false");
    }
}

void aur_json_cstring(aur_sink_t *sink, const char *s)
{
    if (s) {
        aur_json_string(sink, s, strlen(s));
    }
    else {
        aur_json_lit(sink, "null");
    }
}

void aur_json_int(aur_sink_t *sink, apr_int64_t i)
{
    char *at = aur_sink_room(sink, AUR_INT_TEXT_MAX);

    aur_sink_advance(sink, at + aur_int_write(at, i));
}

static void put_quoted(aur_sink_t *sink, const char *s, apr_size_t len)
{
    aur_sink_byte(sink, '"');
    aur_sink_write(sink, s, len);
    aur_sink_byte(sink, '"');
}

static void put_int(aur_sink_t *sink, apr_int64_t i)
{
    char text[AUR_INT_TEXT_MAX];
    apr_size_t n;

    if (i >= -EXACT_MAX && i <= EXACT_MAX) {
        aur_json_int(sink, i);
        return;
    }
    n = aur_int_write(text, i);
    if (aur_decimal_is_double(text, n)) {
        aur_sink_write(sink, text, n);
    }
    else {
        put_quoted(sink, text, n);
    }
}

static void put_double(aur_sink_t *sink, double d)
{
    char text[AUR_DOUBLE_TEXT_MAX];
    apr_size_t n = aur_double_write(text, d);

    if (isfinite(d)) {
        aur_sink_write(sink, text, n);
    }
    else {
        put_quoted(sink, text, n);
    }
}

static void put_timestamp(aur_sink_t *sink, const aur_cell_t *cell)
{
    char text[AUR_DATETIME_TEXT_MAX];
    apr_size_t n = write_timestamp(text, 'T', cell);

    if (n > 0) {
        put_quoted(sink, text, n);
    }
    else {
        aur_json_string(sink, cell->v.s, cell->len);
    }
}

apr_status_t aur_json_cell(aur_sink_t *sink, const aur_cell_t *cell)
{
    switch (cell->kind) {
    case AUR_V_NULL:
        aur_json_lit(sink, "null");
        break;
    case AUR_V_INT:
        put_int(sink, cell->v.i);
        break;
    case AUR_V_DOUBLE:
        put_double(sink, cell->v.d);
        break;
    case AUR_V_DECIMAL:
        if (aur_decimal_is_double(cell->v.s, cell->len)) {
            aur_sink_write(sink, cell->v.s, cell->len);
            break;
        }
        aur_json_string(sink, cell->v.s, cell->len);
        break;
    case AUR_V_TEXT:
    case AUR_V_DATE:
        aur_json_string(sink, cell->v.s, cell->len);
        break;
    case AUR_V_BOOL:
        aur_json_bool(sink, cell->v.i != 0);
        break;
    case AUR_V_TIMESTAMP:
    case AUR_V_TIMESTAMP_TZ:
        put_timestamp(sink, cell);
        break;
    case AUR_V_BINARY:
        aur_sink_byte(sink, '"');
        write_base64(sink, cell->v.s, cell->len);
        aur_sink_byte(sink, '"');
        break;
    case AUR_V_PIECES:
        return put_pieces(sink, cell->v.pieces);
    }
    return APR_SUCCESS;
}
