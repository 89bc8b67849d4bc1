#include "csv_text.h"
#include "write_private.h"

#define EACH_BYTE UINT64_C(0x0101010101010101)
#define HIGH_BITS UINT64_C(0x8080808080808080)

void csv_format_init(csv_format_t *f, char delimiter, const char *null_token, int formula_guard)
{
    const char *c;

    memset(f, 0, sizeof(*f));
    f->delimiter_word = EACH_BYTE * (unsigned char)delimiter;
    f->special[(unsigned char)delimiter] = 1;
    f->special['"'] = f->special['\r'] = f->special['\n'] = 1;
    for (c = formula_guard ? "=+-@\t\r" : ""; *c; c++) {
        f->risky[(unsigned char)*c] = 1;
    }
    f->null_token = null_token;
    f->null_token_len = strlen(null_token);
}

/* Nonzero when a byte of the word is a delimiter or a quote, or below 14, as CR and LF are. Tabs
 * and other control characters are reported too: the table has the last word. */
static inline uint64_t word_may_be_special(const csv_format_t *f, uint64_t word)
{
    uint64_t quote = word ^ EACH_BYTE * '"', delimiter = word ^ f->delimiter_word;

    return (((word - EACH_BYTE * 14) & ~word) | ((quote - EACH_BYTE) & ~quote) |
            ((delimiter - EACH_BYTE) & ~delimiter)) &
           HIGH_BITS;
}

static inline int bytes_are_special(const csv_format_t *f, const char *s, apr_size_t len)
{
    apr_size_t i;
    int special = 0;

    for (i = 0; i < len; i++) {
        special |= f->special[(unsigned char)s[i]];
    }
    return special;
}

/* Copy plain text of at most CSV_SHORT_MAX bytes, looking at it on the way.
 * Returns the bytes that are known to be plain and stand at out: len, or where quotes became
 * needed. */
static inline apr_size_t copy_plain(char *out, const csv_format_t *f, const char *s, apr_size_t len)
{
    apr_size_t n = 0;
    uint64_t word;

    for (; len - n >= 8; n += 8) {
        memcpy(&word, s + n, 8);
        memcpy(out + n, &word, 8);
        if (word_may_be_special(f, word) && bytes_are_special(f, s + n, 8)) {
            return n;
        }
    }
    if (n == len) {
        return n;
    }
    if (n > 0) { /* the last word overlaps what is known already */
        apr_size_t last = len - 8;
        memcpy(&word, s + last, 8);
        memcpy(out + last, &word, 8);
        return word_may_be_special(f, word) && bytes_are_special(f, s + n, len - n) ? n : len;
    }
    for (; n < len; n++) {
        if (f->special[(unsigned char)s[n]]) {
            return n;
        }
        out[n] = s[n];
    }
    return n;
}

/* Inside quotes: quotes are doubled, the rest is as it is. */
static char *copy_quoted(char *out, const char *s, apr_size_t len)
{
    const char *end = s + len;

    while (s < end) {
        uint64_t word, quote;
        while (end - s >= 8) {
            memcpy(&word, s, 8);
            memcpy(out, &word, 8);
            quote = word ^ EACH_BYTE * '"';
            if ((quote - EACH_BYTE) & ~quote & HIGH_BITS) {
                break;
            }
            s += 8;
            out += 8;
        }
        if (s == end) {
            break;
        }
        if (*s == '"') {
            *out++ = '"';
        }
        *out++ = *s++;
    }
    return out;
}

/* The field at `field`, ended at `at`, reads like the token for NULL: put it into quotes. */
static char *quote_token(char *field, char *at)
{
    memmove(field + 1, field, (apr_size_t)(at - field));
    *field = '"';
    at[1] = '"';
    return at + 2;
}

/* `mark` is nothing or the guard's apostrophe. */
static inline void put_short(aur_sink_t *sink, const csv_format_t *f, apr_size_t mark,
                             const char *s, apr_size_t len)
{
    /* mark, two quotes, every byte doubled */
    char *field = aur_sink_room(sink, 2 * CSV_SHORT_MAX + 3 + CSV_ROOM_AFTER), *at = field;
    apr_size_t plain;

    if (mark) {
        *at++ = '\'';
    }
    plain = copy_plain(at, f, s, len);
    at += plain;
    if (plain < len) {
        memmove(field + 1, field, (apr_size_t)(at - field));
        *field = '"';
        at = copy_quoted(at + 1, s + plain, len - plain);
        *at++ = '"';
    }
    else if (f->null_token_len > 0 && f->null_token_len == (apr_size_t)(at - field) &&
             !memcmp(field, f->null_token, f->null_token_len)) {
        at = quote_token(field, at);
    }
    aur_sink_advance(sink, at);
}

/* Does a long text need quotes? */
static int is_special(const csv_format_t *f, const char *s, apr_size_t len)
{
    uint64_t word;

    for (; len >= 8; s += 8, len -= 8) {
        memcpy(&word, s, 8);
        if (word_may_be_special(f, word) && bytes_are_special(f, s, 8)) {
            return 1;
        }
    }
    return bytes_are_special(f, s, len);
}

static int is_token(const csv_format_t *f, apr_size_t mark, const char *s, apr_size_t len)
{
    return f->null_token_len == mark + len && (!mark || *f->null_token == '\'') &&
           !memcmp(f->null_token + mark, s, len);
}

/* Text within quotes, of any length. */
static void put_inside(aur_sink_t *sink, const char *s, apr_size_t len)
{
    while (len > 0) {
        const char *quote = memchr(s, '"', len);
        apr_size_t n = quote ? (apr_size_t)(quote - s) + 1 : len;
        aur_sink_write(sink, s, n);
        if (quote) {
            aur_sink_byte(sink, '"');
        }
        s += n;
        len -= n;
    }
}

/* The buffer that holds a long text's start may be gone before its end is seen, so it is looked at
 * first and then written in pieces. */
static void put_long(aur_sink_t *sink, const csv_format_t *f, apr_size_t mark, const char *s,
                     apr_size_t len)
{
    int quoted = is_special(f, s, len) || is_token(f, mark, s, len);

    if (quoted) {
        aur_sink_byte(sink, '"');
    }
    if (mark) {
        aur_sink_byte(sink, '\'');
    }
    if (quoted) {
        put_inside(sink, s, len);
        aur_sink_byte(sink, '"');
    }
    else {
        aur_sink_write(sink, s, len);
    }
    (void)aur_sink_room(sink, CSV_ROOM_AFTER);
}

static inline void put_empty(aur_sink_t *sink)
{
    char *at = aur_sink_room(sink, 2 + CSV_ROOM_AFTER);

    at[0] = at[1] = '"';
    aur_sink_advance(sink, at + 2);
}

void csv_put_text(aur_sink_t *sink, const csv_format_t *f, const char *s, apr_size_t len)
{
    if (len == 0) {
        put_empty(sink);
    }
    else if (len <= CSV_SHORT_MAX) {
        put_short(sink, f, 0, s, len);
    }
    else {
        put_long(sink, f, 0, s, len);
    }
}

void csv_put_guarded(aur_sink_t *sink, const csv_format_t *f, const char *s, apr_size_t len)
{
    if (len == 0 || !f->risky[(unsigned char)*s]) {
        csv_put_text(sink, f, s, len);
    }
    else if (len <= CSV_SHORT_MAX) {
        put_short(sink, f, 1, s, len);
    }
    else {
        put_long(sink, f, 1, s, len);
    }
}

typedef struct quoted_t {
    aur_sink_t *sink;
    const csv_format_t *f;
    int begun;
} quoted_t;

static void put_piece(void *ctx, const char *s, apr_size_t len)
{
    quoted_t *q = ctx;

    if (!q->begun && q->f->risky[(unsigned char)*s]) {
        aur_sink_byte(q->sink, '\'');
    }
    q->begun = 1;
    put_inside(q->sink, s, len);
}

apr_status_t csv_put_pieces(aur_sink_t *sink, const csv_format_t *f, aur_pieces_t *pieces)
{
    quoted_t q = {.sink = sink, .f = f};
    apr_status_t rv;

    aur_sink_byte(sink, '"');
    rv = pieces->kind == AUR_V_BINARY ? write_base64_pieces(sink, pieces)
                                      : write_pieces(sink, pieces, put_piece, &q);
    aur_sink_byte(sink, '"');
    (void)aur_sink_room(sink, CSV_ROOM_AFTER);
    return rv;
}
