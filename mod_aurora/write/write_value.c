#include "write_private.h"

#include <stdint.h>
#include <string.h>

#define EACH_BYTE UINT64_C(0x0101010101010101)

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Bytes of [-]YYYY[Y[Y]]-MM-DD at the start of s, by shape; 0 when there is none. */
static apr_size_t date_shape(const char *s, apr_size_t len)
{
    apr_size_t n = len > 0 && *s == '-', year = n;

    while (n < len && is_digit(s[n])) {
        n++;
    }
    if (n - year < 4 || n - year > 6 || len - n < 6) {
        return 0;
    }
    s += n;
    return s[0] == '-' && is_digit(s[1]) && is_digit(s[2]) && s[3] == '-' && is_digit(s[4]) &&
                   is_digit(s[5])
               ? n + 6
               : 0;
}

/* Bytes of HH:MM[:SS[.f...]] at the start of s; 0 when there is none. */
static apr_size_t time_shape(const char *s, apr_size_t len)
{
    apr_size_t n = 5;

    if (len < 5 || !is_digit(s[0]) || !is_digit(s[1]) || s[2] != ':' || !is_digit(s[3]) ||
        !is_digit(s[4])) {
        return 0;
    }
    if (len < 8 || s[5] != ':' || !is_digit(s[6]) || !is_digit(s[7])) {
        return n;
    }
    n = 8;
    if (len > 9 && s[8] == '.' && is_digit(s[9])) {
        n = 10;
        while (n < len && is_digit(s[n])) {
            n++;
        }
    }
    return n;
}

/* Z, +HH, +HHMM and +HH:MM as Z or +HH:MM. Returns bytes; 0 when it is none of them. */
static apr_size_t put_zone(char *out, const char *s, apr_size_t len)
{
    const char *minutes = "00";

    if (len == 1 && *s == 'Z') {
        *out = 'Z';
        return 1;
    }
    if (len < 3 || (*s != '+' && *s != '-') || !is_digit(s[1]) || !is_digit(s[2])) {
        return 0;
    }
    if (len > 3) {
        minutes = s + 3 + (s[3] == ':');
        if (s + len - minutes != 2 || !is_digit(minutes[0]) || !is_digit(minutes[1])) {
            return 0;
        }
    }
    memcpy(out, s, 3);
    out[3] = ':';
    memcpy(out + 4, minutes, 2);
    return 6;
}

/* Do the eight bytes at s look like the pattern, with a digit where it has a 0? */
static inline int eight_match(const char *s, const char *pattern)
{
    uint64_t word, model, zeros, slack;

    memcpy(&word, s, 8);
    memcpy(&model, pattern, 8);
    memcpy(&zeros, "00000000", 8);
    word ^= model; /* at most 9 is left of a digit, nothing of the others */
    zeros ^= model;
    slack = UINT64_C(0x7f7f7f7f7f7f7f7f) - ((((zeros - EACH_BYTE) & ~zeros) >> 7) & EACH_BYTE) * 9;
    /* a carry into the next byte comes only from one that fails by itself */
    return (((word + slack) | word) & (EACH_BYTE << 7)) == 0;
}

/* Bytes of date, separator and time at the start of s, by shape; 0 when there is none. */
static inline apr_size_t timestamp_shape(apr_size_t *date, const char *s, apr_size_t len)
{
    apr_size_t time;

    if (len >= 19 && eight_match(s, "0000-00-") && is_digit(s[8]) && is_digit(s[9]) &&
        eight_match(s + 11, "00:00:00")) {
        *date = 10;
        if (s[10] != ' ' && s[10] != 'T') {
            return 0;
        }
        if (len == 19) {
            return 19;
        }
    }
    *date = date_shape(s, len);
    if (*date == 0 || *date == len || (s[*date] != ' ' && s[*date] != 'T')) {
        return 0;
    }
    time = time_shape(s + *date + 1, len - *date - 1);
    return time > 0 ? *date + 1 + time : 0;
}

apr_size_t write_timestamp(char *out, char sep, const aur_cell_t *cell)
{
    const char *s = cell->v.s;
    apr_size_t len = cell->len, date, done, zone;

    /* The zone may grow by three bytes. */
    if (len > AUR_DATETIME_TEXT_MAX - 3) {
        return 0;
    }
    done = timestamp_shape(&date, s, len);
    if (done == 0) {
        return 0;
    }
    memcpy(out, s, done);
    out[date] = sep;
    if (cell->kind != AUR_V_TIMESTAMP_TZ) {
        return done == len ? done : 0;
    }
    zone = put_zone(out + done, s + done, len - done);
    return zone > 0 ? done + zone : 0;
}

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static char *put_triple(char *out, const unsigned char *s)
{
    out[0] = base64[s[0] >> 2];
    out[1] = base64[(s[0] & 3) << 4 | s[1] >> 4];
    out[2] = base64[(s[1] & 15) << 2 | s[2] >> 6];
    out[3] = base64[s[2] & 63];
    return out + 4;
}

char *write_base64_into(char *at, const char *bytes, apr_size_t len)
{
    const unsigned char *s = (const unsigned char *)bytes;

    for (; len >= 3; s += 3, len -= 3) {
        at = put_triple(at, s);
    }
    if (len > 0) {
        unsigned char rest[3] = {s[0], len > 1 ? s[1] : 0, 0};
        at = put_triple(at, rest);
        at[-1] = '=';
        if (len == 1) {
            at[-2] = '=';
        }
    }
    return at;
}

/* In pieces of whole groups of three. */
void write_base64(aur_sink_t *sink, const char *s, apr_size_t len)
{
    while (len > 0) {
        apr_size_t n = len < 768 ? len : 768;
        aur_sink_advance(sink, write_base64_into(aur_sink_room(sink, 1024), s, n));
        s += n;
        len -= n;
    }
}
