/* number_rules.c - see number_rules.h. */
#include "number_rules.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Beyond it exponents are all the same: no text is long enough to make up for one. */
#define EXPONENT_MAX  1000000000
#define TIMESTAMP_MAX 45 /* bytes the writers look at */

static apr_size_t digits_at(const char *s, apr_size_t len)
{
    apr_size_t n = 0;

    while (n < len && apr_isdigit(s[n])) {
        n++;
    }
    return n;
}

/* Bytes of digits[.digits] at the start of s; 0 when there are none. */
static apr_size_t plain_at(const char *s, apr_size_t len)
{
    apr_size_t whole = digits_at(s, len), fraction;

    if (whole == 0 || whole == len || s[whole] != '.') {
        return whole;
    }
    fraction = digits_at(s + whole + 1, len - whole - 1);
    return fraction > 0 ? whole + 1 + fraction : whole;
}

int number_is(const char *s, apr_size_t len)
{
    apr_size_t at = len > 0 && (*s == '+' || *s == '-'), n = plain_at(s + at, len - at);

    at += n;
    if (n == 0 || at == len) {
        return n > 0;
    }
    if (s[at] != 'e' && s[at] != 'E') {
        return 0;
    }
    at++;
    at += at < len && (s[at] == '+' || s[at] == '-');
    n = digits_at(s + at, len - at);
    return n > 0 && at + n == len;
}

int number_is_canonical(const char *s, apr_size_t len)
{
    apr_size_t at = len > 0 && *s == '-';

    return len > at && plain_at(s + at, len - at) == len - at;
}

const char *number_normal(const char *s, apr_size_t len, apr_pool_t *p)
{
    char *digits = apr_palloc(p, len + 1);
    const char *end = s + len, *c;
    long long exponent = 0, written;
    apr_size_t n = 0, skip = 0;
    int point = 0, negative = *s == '-';

    for (c = s + (*s == '-' || *s == '+'); c < end && *c != 'e' && *c != 'E'; c++) {
        if (*c == '.') {
            point = 1;
            continue;
        }
        digits[n++] = *c;
        exponent -= point;
    }
    if (c < end) {
        written = atoll(apr_pstrmemdup(p, c + 1, (apr_size_t)(end - c) - 1));
        written = written > EXPONENT_MAX ? EXPONENT_MAX : written;
        exponent += written < -EXPONENT_MAX ? -EXPONENT_MAX : written;
    }
    while (n > 0 && digits[n - 1] == '0') {
        n--;
        exponent++;
    }
    while (skip < n && digits[skip] == '0') {
        skip++;
    }
    if (n == skip) {
        return "0";
    }
    return apr_psprintf(p, "%s%.*se%" APR_INT64_T_FMT, negative ? "-" : "", (int)(n - skip),
                        digits + skip, (apr_int64_t)exponent);
}

int number_digits(const char *s, apr_size_t len, apr_pool_t *p)
{
    const char *normal = number_normal(s, len, p);

    return (int)strcspn(normal + (*normal == '-'), "e");
}

int number_survives(const char *s, apr_size_t len, apr_pool_t *p)
{
    double d = strtod(apr_pstrmemdup(p, s, len), NULL);
    char shortest[64];
    int n = 0;

    do {
        (void)snprintf(shortest, sizeof(shortest), "%.*e", n++, d);
    } while (n < 17 && strtod(shortest, NULL) != d);
    return isfinite(d) &&
           !strcmp(number_normal(shortest, strlen(shortest), p), number_normal(s, len, p));
}

/* Does s follow the pattern, with a digit for each 0? */
static int follows(const char *s, apr_size_t len, const char *pattern)
{
    for (; *pattern; pattern++, s++, len--) {
        if (len == 0 || (*pattern == '0' ? !apr_isdigit(*s) : *s != *pattern)) {
            return 0;
        }
    }
    return 1;
}

static const char *zone_normal(const char *s, apr_size_t len, apr_pool_t *p)
{
    if (len == 1 && *s == 'Z') {
        return "Z";
    }
    if (len < 3 || (*s != '+' && *s != '-')) {
        return NULL;
    }
    if (len == 3 && follows(s + 1, 2, "00")) {
        return apr_psprintf(p, "%.3s:00", s);
    }
    if (len == 5 && follows(s + 1, 4, "0000")) {
        return apr_psprintf(p, "%.3s:%.2s", s, s + 3);
    }
    return len == 6 && follows(s + 1, 5, "00:00") ? apr_pstrmemdup(p, s, 6) : NULL;
}

const char *timestamp_normal(const char *s, apr_size_t len, char sep, int zoned, apr_pool_t *p)
{
    apr_size_t year = len > 0 && *s == '-', date, at, digits = digits_at(s + year, len - year);
    const char *zone;

    date = year + digits + 6;
    if (len > TIMESTAMP_MAX || digits < 4 || digits > 6 || len < date + 6 ||
        !follows(s + year + digits, 6, "-00-00") || (s[date] != ' ' && s[date] != 'T') ||
        !follows(s + date + 1, len - date - 1, "00:00")) {
        return NULL;
    }
    at = date + 6;
    if (follows(s + at, len - at, ":00")) {
        at += 3;
        if (follows(s + at, len - at, ".0")) {
            at += 1 + digits_at(s + at + 1, len - at - 1);
        }
    }
    zone = zoned ? zone_normal(s + at, len - at, p) : at == len ? "" : NULL;
    return zone ? apr_psprintf(p, "%.*s%c%.*s%s", (int)date, s, sep, (int)(at - date - 1),
                               s + date + 1, zone)
                : NULL;
}
