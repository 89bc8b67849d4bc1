#include "xlsx_text.h"

#include "aurora/number.h"
#include "aurora/text.h"

#include <apr_strings.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#define EACH  UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/* Is the byte c among the eight? Exact in the lowest that is; higher ones may be false alarms. */
static inline uint64_t has(uint64_t eight, unsigned char c)
{
    uint64_t x = eight ^ (EACH * c);

    return (x - EACH) & ~x;
}

/* Anything among the eight bytes that cannot be copied as it is? */
static inline int any_special(const char *s)
{
    uint64_t w;

    memcpy(&w, s, 8);
    return ((w | ((w - EACH * 0x20) & ~w) | has(w, '&') | has(w, '<') | has(w, '>') | has(w, '_')) &
            HIGHS) != 0;
}

static inline int is_plain(char c)
{
    return (signed char)c >= 0x20 && c != '&' && c != '<' && c != '>' && c != '_';
}

static int is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* The code of the character XML 1.0 forbids that s begins with; -1 when it begins with none. */
static int forbidden(const char *s, const char *end)
{
    unsigned char c = (unsigned char)*s;

    if (c < 0x20) {
        return c == '\t' || c == '\n' || c == '\r' ? -1 : c;
    }
    if (c == 0xef && end - s > 2 && (unsigned char)s[1] == 0xbf && (unsigned char)s[2] >= 0xbe) {
        return 0xff00 | (unsigned char)s[2] | 0x40;
    }
    return -1;
}

/* Would a reader take the underscore at s for the beginning of an escape? Also when the underscore
 * that completes it is of our own making. Some (SheetJS) take a capital X as well. */
static int reads_as_escape(const char *s, const char *end)
{
    return end - s > 6 && (s[1] == 'x' || s[1] == 'X') && is_hex(s[2]) && is_hex(s[3]) &&
           is_hex(s[4]) && is_hex(s[5]) && (s[6] == '_' || forbidden(s + 6, end) >= 0);
}

static char *put_code(char *at, int code)
{
    static const char digits[] = "0123456789ABCDEF";

    memcpy(at, "_x", 2);
    at[2] = digits[code >> 12 & 15];
    at[3] = digits[code >> 8 & 15];
    at[4] = digits[code >> 4 & 15];
    at[5] = digits[code & 15];
    at[6] = '_';
    return at + 7;
}

static char *put_word(char *at, const char *word)
{
    apr_size_t len = strlen(word);

    memcpy(at, word, len);
    return at + len;
}

/* One character that is not plain. */
static char *put_special(char *at, const char **s, const char *end)
{
    const char *c = *s;
    apr_size_t n = aur_utf8_char(c, (apr_size_t)(end - c));
    int code = n > 0 ? forbidden(c, end) : -1;

    *s += n > 0 ? n : 1;
    if (n == 0) {
        return put_word(at, "\xef\xbf\xbd");
    }
    if (code >= 0) {
        return put_code(at, code);
    }
    switch (*c) {
    case '&':
        return put_word(at, "&amp;");
    case '<':
        return put_word(at, "&lt;");
    case '>':
        return put_word(at, "&gt;");
    case '\r':
        return put_word(at, "&#13;");
    case '_':
        return put_word(at, reads_as_escape(c, end) ? "_x005F_" : "_");
    default:
        memcpy(at, c, n);
        return at + n;
    }
}

char *xlsx_text_into(char *at, const char **text, apr_size_t n, const char *end)
{
    const char *s = *text, *stop = s + n;

    while (s < stop) {
        while (stop - s >= 8 && !any_special(s)) {
            memcpy(at, s, 8);
            at += 8;
            s += 8;
        }
        while (s < stop && is_plain(*s)) {
            *at++ = *s++;
        }
        while (s < stop && !is_plain(*s)) {
            at = put_special(at, &s, end);
        }
    }
    *text = s;
    return at;
}

/* UTF-16 units of the character of n bytes; 0 stands for a malformed byte. */
static apr_size_t units_of(apr_size_t n)
{
    return n == 4 ? 2 : 1;
}

apr_size_t xlsx_text_clip(const char *s, apr_size_t len, apr_size_t units)
{
    apr_size_t at = 0, used = 0;

    if (len <= units) {
        return len;
    }
    while (at < len) {
        apr_size_t n = aur_utf8_char(s + at, len - at);
        used += units_of(n);
        if (used > units) {
            break;
        }
        at += n > 0 ? n : 1;
    }
    return at;
}

/* Will the cut be where it would be with all that follows? Up to three bytes may be of a character that goes on. */
static int is_enough(const char *held, apr_size_t used)
{
    return used > XLSX_TEXT_MAX && xlsx_text_clip(held, used, XLSX_TEXT_MAX) + 4 <= used;
}

apr_status_t xlsx_hold(aur_cell_t *cell, char *held, aur_pieces_t *pieces)
{
    int binary = pieces->kind == AUR_V_BINARY;
    apr_size_t room = binary ? XLSX_BYTES_MAX + 1 : XLSX_HELD_MAX, used = 0, n;
    const char *s;
    apr_status_t rv;

    while (used < room && (binary || !is_enough(held, used))) {
        rv = pieces->next(pieces, &s, &n);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        if (n == 0) {
            break;
        }
        n = n < room - used ? n : room - used;
        memcpy(held + used, s, n);
        used += n;
    }
    cell->kind = pieces->kind;
    cell->v.s = held;
    cell->len = used;
    return APR_SUCCESS;
}

const char *xlsx_text_escape(const char *s, apr_pool_t *p)
{
    const char *end = s + strlen(s);
    char *escaped = apr_palloc(p, XLSX_GROWTH * ((apr_size_t)(end - s) + 3) + 1), *at = escaped;
    char *quoted, *to, *c;

    while (s < end) {
        apr_size_t n = (apr_size_t)(end - s);
        at = xlsx_text_into(at, &s, n < XLSX_PIECE_MAX ? n : XLSX_PIECE_MAX, end);
    }
    *at = '\0';
    quoted = to = apr_palloc(p, 6 * (apr_size_t)(at - escaped) + 1);
    for (c = escaped; c < at; c++) {
        if (*c == '"') {
            to = put_word(to, "&quot;");
        }
        else {
            *to++ = *c;
        }
    }
    *to = '\0';
    return quoted;
}

/* --- sheet names ------------------------------------------------------------------------------- */

const char *xlsx_sheet_name(const char *text, apr_pool_t *p)
{
    apr_size_t len = strlen(text), at = 0;
    char *name = apr_palloc(p, len + 2), *to = name;

    len = xlsx_text_clip(text, len, XLSX_NAME_MAX);
    while (at < len) {
        apr_size_t n = aur_utf8_char(text + at, len - at);
        char c = text[at];
        int edge = at == 0 || at + 1 == len;
        if (n == 0 || (unsigned char)c < 0x20 || c == 0x7f || strchr("[]:*?/\\", c) ||
            forbidden(text + at, text + len) >= 0 || (c == '\'' && edge)) {
            *to++ = '_';
        }
        else {
            memcpy(to, text + at, n);
            to += n;
        }
        at += n > 0 ? n : 1;
    }
    *to = '\0';
    if (to == name) {
        return "Data";
    }
    return strcasecmp(name, "History") ? name : apr_pstrcat(p, name, "_", NULL);
}

/* --- dates ------------------------------------------------------------------------------------- */

#define DAY_1900_03_01 61
#define DAY_ZERO       25569 /* of 1970-01-01 */
#define NS_PER_SECOND  UINT64_C(1000000000)
#define NS_PER_STEP    UINT64_C(864) /* a day in 1e11 steps */
/* The beginning of a day's last millisecond. Readers round to milliseconds, and a double of the year 2258 or
 * later does not tell what comes after it from the next day. */
#define STEPS_LAST ((UINT64_C(86399999) * 1000000 + NS_PER_STEP - 1) / NS_PER_STEP)

static int two(const char *s)
{
    unsigned tens = (unsigned)(s[0] - '0'), ones = (unsigned)(s[1] - '0');

    return tens < 10 && ones < 10 ? (int)(tens * 10 + ones) : -1;
}

/* Days since 1970-01-01, proleptic Gregorian: years begin in March, so that leap days come last. */
static apr_int32_t days_since_1970(int year, int month, int day)
{
    int y = month > 2 ? year : year - 1;
    int m = month > 2 ? month - 3 : month + 9;

    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static int days_in(int year, int month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int leap = month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + leap;
}

int xlsx_day(apr_int32_t *serial, const char *s, apr_size_t len)
{
    int century, year, month, day;

    if (len != 10 || s[4] != '-' || s[7] != '-') {
        return 0;
    }
    century = two(s);
    year = two(s + 2);
    month = two(s + 5);
    day = two(s + 8);
    if (century < 19 || year < 0 || month < 1 || month > 12 || day < 1) {
        return 0;
    }
    year += century * 100;
    if (day > days_in(year, month)) {
        return 0;
    }
    *serial = days_since_1970(year, month, day) + DAY_ZERO;
    return *serial >= DAY_1900_03_01;
}

/* Nanoseconds of HH:MM[:SS[.f{1,9}]]; -1 when s is none. */
static apr_int64_t time_of_day(const char *s, apr_size_t len, uint64_t *fraction)
{
    int hour, minute, second = 0;
    uint64_t unit = NS_PER_SECOND;
    apr_size_t i;

    *fraction = 0;
    if ((len != 5 && len != 8 && (len < 10 || len > 18)) || s[2] != ':') {
        return -1;
    }
    hour = two(s);
    minute = two(s + 3);
    if (len > 5) {
        second = s[5] == ':' ? two(s + 6) : -1;
    }
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 ||
        (len > 8 && s[8] != '.')) {
        return -1;
    }
    for (i = 9; i < len; i++) {
        if (s[i] < '0' || s[i] > '9') {
            return -1;
        }
        unit /= 10;
        *fraction += (uint64_t)(s[i] - '0') * unit;
    }
    return (apr_int64_t)((uint64_t)((hour * 60 + minute) * 60 + second) * NS_PER_SECOND +
                         *fraction);
}

static char *put_number(char *at, uint64_t n, int digits)
{
    int i;

    for (i = digits; i > 0; i--) {
        at[i - 1] = (char)('0' + n % 10);
        n /= 10;
    }
    return at + digits;
}

apr_size_t xlsx_serial_write(char *out, int *fractional, const char *s, apr_size_t len)
{
    apr_int32_t day;
    apr_int64_t ns;
    uint64_t fraction, steps;
    char *at = out;

    if (len < 16 || (s[10] != ' ' && s[10] != 'T') || !xlsx_day(&day, s, 10)) {
        return 0;
    }
    ns = time_of_day(s + 11, len - 11, &fraction);
    if (ns < 0) {
        return 0;
    }
    *fractional = fraction > 0;
    steps = ((uint64_t)ns + NS_PER_STEP - 1) / NS_PER_STEP;
    if (steps > STEPS_LAST) {
        steps = STEPS_LAST;
    }
    at += aur_int_write(at, day);
    if (steps > 0) {
        *at++ = '.';
        at = put_number(at, steps, 11);
        while (at[-1] == '0') {
            at--;
        }
    }
    return (apr_size_t)(at - out);
}
