/* oracle_values.c - numbers, dates and intervals between Oracle's forms and ISO texts. Calls nobody. */
#include "oracle.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DIGITS 64
/* Longer texts of numbers are none for ODPI-C, whatever zeros are in them. */
#define PLAIN_MAX 172

/* --- numbers ------------------------------------------------------------------------------------ */

/* Digits of a number without sign, point or exponent, and where its point stands. */
typedef struct {
    char digits[MAX_DIGITS];
    int n;
    int point; /* digits before it; may be negative, or beyond n */
} decimal_t;

static int exponent_read(int *exponent, const char *s, const char *end)
{
    int negative = s < end && *s == '-', n = 0;

    s += s < end && (*s == '-' || *s == '+');
    if (s == end) {
        return -1;
    }
    for (; s < end; s++) {
        if (*s < '0' || *s > '9' || n > 999) {
            return -1;
        }
        n = n * 10 + (*s - '0');
    }
    *exponent = negative ? -n : n;
    return 0;
}

static int decimal_read(decimal_t *d, const char *s, const char *end)
{
    int point = 0, any = 0, exponent = 0;

    d->n = d->point = 0;
    for (; s < end && *s != 'e' && *s != 'E'; s++) {
        if (*s == '.' && !point) {
            point = 1;
            continue;
        }
        if (*s < '0' || *s > '9') {
            return -1;
        }
        any = 1;
        if (*s == '0' && !d->n) {
            d->point -= point; /* zeros in front count behind the point only */
            continue;
        }
        if (d->n == MAX_DIGITS) {
            if (*s != '0') {
                return -1;
            }
            d->point += !point; /* nothing else may follow */
            continue;
        }
        d->digits[d->n++] = *s;
        d->point += !point;
    }
    if (!any || (s < end && exponent_read(&exponent, s + 1, end) != 0)) {
        return -1;
    }
    d->point += exponent;
    return 0;
}

const char *ora_number_plain(const char *s, apr_size_t *len, char *out)
{
    const char *end = s + *len, *digits = s + (*len && (*s == '-' || *s == '+'));
    decimal_t d;
    char *w = out;
    int i;

    if (digits < end && *digits != '.' && *s != '+' && *len <= PLAIN_MAX &&
        !memchr(digits, 'E', (size_t)(end - digits)) &&
        !memchr(digits, 'e', (size_t)(end - digits))) {
        return s;
    }
    if (decimal_read(&d, digits, end) != 0) {
        return NULL;
    }
    if (d.n == 0) {
        *out = '0';
        *len = 1;
        return out;
    }
    if ((d.point < 0 ? -d.point + d.n : d.point > d.n ? d.point : d.n) + 3 > ORA_NUMBER_TEXT) {
        return NULL;
    }
    if (*s == '-') {
        *w++ = '-';
    }
    if (d.point <= 0) {
        *w++ = '0';
        *w++ = '.';
        for (i = d.point; i < 0; i++) {
            *w++ = '0';
        }
    }
    for (i = 0; i < d.n; i++) {
        if (i && i == d.point) {
            *w++ = '.';
        }
        *w++ = d.digits[i];
    }
    for (; i < d.point; i++) {
        *w++ = '0';
    }
    *len = (apr_size_t)(w - out);
    return out;
}

/* The decimal sign of a C library's text is the locale's: one byte or more that belong to no number. */
static apr_size_t point_plain(char *out, const char *s)
{
    char *w = out;

    for (; *s; s++) {
        if ((*s >= '0' && *s <= '9') || *s == '-' || *s == '+' || *s == 'e') {
            *w++ = *s;
        }
        else if (w == out || w[-1] != '.') {
            *w++ = '.';
        }
    }
    return (apr_size_t)(w - out);
}

apr_size_t ora_double_write(char *out, double d, int is_float)
{
    char text[64];
    int digits = is_float ? 6 : 15, last = is_float ? 9 : 17;

    if (isnan(d) || isinf(d)) {
        const char *name = isnan(d) ? "NaN" : d < 0 ? "-Infinity" : "Infinity";
        apr_size_t len = strlen(name);
        memcpy(out, name, len);
        return len;
    }
    for (;; digits++) {
        double back;
        (void)snprintf(text, sizeof(text), "%.*g", digits, d);
        back = strtod(text, NULL);
        if (digits == last || (is_float ? (float)back == (float)d : back == d)) {
            return point_plain(out, text);
        }
    }
}

int ora_double_read(double *out, const char *s)
{
    const char *point = localeconv()->decimal_point, *dot = strchr(s, '.');
    char text[512], *end;
    int n;

    n = dot ? snprintf(text, sizeof(text), "%.*s%s%s", (int)(dot - s < 400 ? dot - s : 400), s,
                       point, dot + 1)
            : snprintf(text, sizeof(text), "%s", s);
    if (n <= 0 || (size_t)n >= sizeof(text)) {
        return -1;
    }
    *out = strtod(text, &end);
    return end == text || *end ? -1 : 0;
}

/* --- dates ---------------------------------------------------------------------------------------- */

static char *two(char *w, unsigned n)
{
    w[0] = (char)('0' + n / 10 % 10);
    w[1] = (char)('0' + n % 10);
    return w + 2;
}

/* n with at least `width` digits. */
static char *padded(char *w, unsigned n, int width)
{
    char digits[12];
    int i = 0;

    do {
        digits[i++] = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    while (width > i) {
        *w++ = '0';
        width--;
    }
    while (i) {
        *w++ = digits[--i];
    }
    return w;
}

/* .nnnnnnnnn, cut behind `digits`; 0: behind its last digit that is none, and nothing where all are. */
static char *fraction(char *w, unsigned nanoseconds, int digits)
{
    char *point = w;
    int i;

    if (!nanoseconds && !digits) {
        return w;
    }
    *w++ = '.';
    w = padded(w, nanoseconds, 9);
    if (digits) {
        return point + 1 + digits;
    }
    for (i = 9; i > 1 && w[-1] == '0'; i--) {
        w--;
    }
    return w;
}

apr_size_t ora_timestamp_write(char *out, const dpiTimestamp *ts, int zone)
{
    char *w = out;
    /* Oracle's -1 is 1 BC, and it has no year 0. */
    int year = ts->year < 0 ? ts->year + 1 : ts->year;

    if (year < 0) {
        *w++ = '-';
        year = -year;
    }
    if (year < 10000) {
        w = two(w, (unsigned)year / 100);
        w = two(w, (unsigned)year % 100);
    }
    else {
        w = padded(w, (unsigned)year, 4);
    }
    *w++ = '-';
    w = two(w, ts->month);
    *w++ = '-';
    w = two(w, ts->day);
    *w++ = ' ';
    w = two(w, ts->hour);
    *w++ = ':';
    w = two(w, ts->minute);
    *w++ = ':';
    w = two(w, ts->second);
    w = fraction(w, ts->fsecond < 1000000000u ? ts->fsecond : 999999999u, 0);
    if (zone) {
        int minutes = ts->tzHourOffset * 60 + ts->tzMinuteOffset;
        *w++ = minutes < 0 ? '-' : '+';
        minutes = minutes < 0 ? -minutes : minutes;
        w = two(w, (unsigned)minutes / 60);
        *w++ = ':';
        w = two(w, (unsigned)minutes % 60);
    }
    return (apr_size_t)(w - out);
}

static unsigned magnitude(int n)
{
    return n < 0 ? 0u - (unsigned)n : (unsigned)n;
}

apr_size_t ora_interval_ds_write(char *out, const dpiIntervalDS *value, int digits)
{
    char *w = out;
    unsigned fs = magnitude(value->fseconds);

    *w++ = value->days < 0 || value->hours < 0 || value->minutes < 0 || value->seconds < 0 ||
                   value->fseconds < 0
               ? '-'
               : '+';
    w = padded(w, magnitude(value->days), 2);
    *w++ = ' ';
    w = two(w, magnitude(value->hours));
    *w++ = ':';
    w = two(w, magnitude(value->minutes));
    *w++ = ':';
    w = two(w, magnitude(value->seconds));
    w = fraction(w, fs < 1000000000u ? fs : 999999999u, digits > 9 ? 9 : digits);
    return (apr_size_t)(w - out);
}

apr_size_t ora_interval_ym_write(char *out, const dpiIntervalYM *value)
{
    char *w = out;

    *w++ = value->years < 0 || value->months < 0 ? '-' : '+';
    w = padded(w, magnitude(value->years), 2);
    *w++ = '-';
    w = two(w, magnitude(value->months));
    return (apr_size_t)(w - out);
}

/* --- dates, reading ------------------------------------------------------------------------------- */

typedef struct {
    const char *s, *end;
} reader_t;

/* min to max digits. */
static int digits_read(reader_t *r, int min, int max, unsigned *out)
{
    int n = 0;

    for (*out = 0; n < max && r->s < r->end && *r->s >= '0' && *r->s <= '9'; n++, r->s++) {
        *out = *out * 10 + (unsigned)(*r->s - '0');
    }
    return n >= min ? n : -1;
}

static int char_read(reader_t *r, char c)
{
    if (r->s == r->end || *r->s != c) {
        return 0;
    }
    r->s++;
    return 1;
}

static int time_read(dpiTimestamp *ts, reader_t *r)
{
    unsigned hour, minute, second = 0, f = 0;
    int n;

    if (digits_read(r, 2, 2, &hour) < 0 || !char_read(r, ':') ||
        digits_read(r, 2, 2, &minute) < 0) {
        return -1;
    }
    if (char_read(r, ':')) {
        if (digits_read(r, 2, 2, &second) < 0) {
            return -1;
        }
        if (char_read(r, '.')) {
            if ((n = digits_read(r, 1, 9, &f)) < 0) {
                return -1;
            }
            for (; n < 9; n++) {
                f *= 10;
            }
        }
    }
    if (hour > 23 || minute > 59 || second > 59) {
        return -1;
    }
    ts->hour = (uint8_t)hour;
    ts->minute = (uint8_t)minute;
    ts->second = (uint8_t)second;
    ts->fsecond = f;
    return 0;
}

/* Z, [+-]HH, [+-]HH:MM or [+-]HHMM. */
static int zone_read(dpiTimestamp *ts, reader_t *r)
{
    unsigned hour = 0, minute = 0;
    int sign;

    if (r->s == r->end || char_read(r, 'Z')) {
        return 0;
    }
    sign = char_read(r, '-') ? -1 : char_read(r, '+') ? 1 : 0;
    if (!sign || digits_read(r, 2, 2, &hour) < 0) {
        return -1;
    }
    (void)char_read(r, ':');
    if (r->s < r->end && digits_read(r, 2, 2, &minute) < 0) {
        return -1;
    }
    if (hour > 15 || minute > 59) {
        return -1;
    }
    ts->tzHourOffset = (int8_t)(sign * (int)hour);
    ts->tzMinuteOffset = (int8_t)(sign * (int)minute);
    return 0;
}

static int days_of(int year, unsigned month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    /* Oracle's calendar is Julian before 1582. */
    int leap = year % 4 == 0 && (year <= 1582 || year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap);
}

int ora_timestamp_read(dpiTimestamp *ts, const char *s, apr_size_t len)
{
    reader_t r = {s, s + len};
    int negative = char_read(&r, '-'), year;
    unsigned y, month, day;

    memset(ts, 0, sizeof(*ts));
    if (digits_read(&r, 4, 6, &y) < 0 || !char_read(&r, '-') || digits_read(&r, 2, 2, &month) < 0 ||
        !char_read(&r, '-') || digits_read(&r, 2, 2, &day) < 0) {
        return -1;
    }
    year = negative ? -(int)y : (int)y;
    if (year < -4711 || year > 9999 || month < 1 || month > 12 || day < 1 ||
        (int)day > days_of(year, month)) {
        return -1;
    }
    ts->year = (int16_t)(year <= 0 ? year - 1 : year);
    ts->month = (uint8_t)month;
    ts->day = (uint8_t)day;
    if (r.s == r.end) {
        return 0;
    }
    if (!(char_read(&r, ' ') || char_read(&r, 'T')) || time_read(ts, &r) != 0) {
        return -1;
    }
    (void)char_read(&r, ' ');
    return zone_read(ts, &r) == 0 && r.s == r.end ? 0 : -1;
}

/* --- text ------------------------------------------------------------------------------------------ */

apr_size_t ora_utf8_whole(const char *s, apr_size_t len)
{
    apr_size_t start = len, need;
    unsigned char c;

    while (start && len - start < 4) {
        c = (unsigned char)s[--start];
        if ((c & 0xc0) == 0x80) {
            continue;
        }
        need = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
        return len - start >= need ? len : start;
    }
    return len;
}
