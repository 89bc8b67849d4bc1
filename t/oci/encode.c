/* encode.c - NUMBER bytes. Dates and intervals are in encode_time.c. */
#include "encode.h"

#include <stdlib.h>
#include <string.h>

#define MAX_DIGITS 400

/* Decimal digits without a leading zero; value = 0.d1d2d3... x 10^point. */
typedef struct decimal_t {
    bool negative;
    int count, point;
    uint8_t digit[MAX_DIGITS + 2];
} decimal_t;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool decimal_parse(decimal_t *d, const char *s, size_t len)
{
    const char *end = s + len;
    bool seen = false, fraction = false;
    memset(d, 0, sizeof(*d));
    if (s < end && (*s == '-' || *s == '+')) {
        d->negative = *s++ == '-';
    }
    for (; s < end && (is_digit(*s) || (*s == '.' && !fraction)); s++) {
        if (*s == '.') {
            fraction = true;
            continue;
        }
        seen = true;
        if (d->count || *s != '0') {
            if (d->count < MAX_DIGITS) {
                d->digit[d->count++] = (uint8_t)(*s - '0');
            }
            d->point += !fraction;
        }
        else if (fraction) {
            d->point--;
        }
    }
    if (seen && s < end && (*s == 'e' || *s == 'E')) {
        int exponent = 0, sign = 1;
        if (++s < end && (*s == '-' || *s == '+')) {
            sign = *s++ == '-' ? -1 : 1;
        }
        if (s >= end) {
            return false;
        }
        for (; s < end && is_digit(*s); s++) {
            exponent = exponent < 100000 ? exponent * 10 + (*s - '0') : exponent;
        }
        d->point += sign * exponent;
    }
    while (d->count && !d->digit[d->count - 1]) {
        d->count--;
    }
    return seen && s == end;
}

/* Keep n digits, half away from zero. */
static void decimal_round(decimal_t *d, int n)
{
    if (d->count <= n) {
        return;
    }
    bool up = d->digit[n] >= 5;
    d->count = n;
    while (up && d->count && ++d->digit[d->count - 1] == 10) {
        d->count--;
    }
    if (up && !d->count) {
        d->digit[d->count++] = 1;
        d->point++;
    }
    while (d->count && !d->digit[d->count - 1]) {
        d->count--;
    }
}

int dbl_number_encode(uint8_t out[DBL_NUMBER_MAX], const char *text, size_t len)
{
    decimal_t d;
    if (!decimal_parse(&d, text, len)) {
        return 0;
    }
    /* Where the point stands at an odd place the first base-100 digit holds one decimal digit only. */
    decimal_round(&d, (d.point & 1) ? 39 : 40);
    int lead = d.point & 1;
    int exponent = (d.point + lead) / 2 - 1;
    if (!d.count || exponent < -65) {
        out[0] = 0x80;
        return 1;
    }
    if (exponent > 62) {
        return -1;
    }
    int n = 1;
    out[0] = (uint8_t)(d.negative ? 62 - exponent : 193 + exponent);
    for (int i = -lead; i < d.count; i += 2) {
        int high = i < 0 ? 0 : d.digit[i];
        int low = i + 1 < d.count ? d.digit[i + 1] : 0;
        int pair = high * 10 + low;
        out[n++] = (uint8_t)(d.negative ? 101 - pair : pair + 1);
    }
    if (d.negative && n < DBL_NUMBER_MAX) {
        out[n++] = 102;
    }
    return n;
}

/* The digits with a point, without an exponent. */
static size_t decimal_plain(char *out, const decimal_t *d, char decimal, bool zero_first)
{
    char *at = out;
    if (!d->count) {
        *at++ = '0';
        return 1;
    }
    if (d->negative) {
        *at++ = '-';
    }
    if (d->point <= 0 && zero_first) {
        *at++ = '0';
    }
    for (int i = 0; i < d->point || i < d->count; i++) {
        if (i == 0 && d->point <= 0) {
            *at++ = decimal;
            for (int z = d->point; z < 0; z++) {
                *at++ = '0';
            }
        }
        else if (i == d->point) {
            *at++ = decimal;
        }
        *at++ = (char)('0' + (i < d->count ? d->digit[i] : 0));
    }
    return (size_t)(at - out);
}

size_t dbl_number_decode(char out[DBL_NUMBER_TEXT], const uint8_t *bytes, size_t len)
{
    decimal_t d = {.count = 0};
    if (len == 0 || len > DBL_NUMBER_MAX || (len == 1 && bytes[0] != 0x80)) {
        return 0;
    }
    d.negative = !(bytes[0] & 0x80);
    if (d.negative && bytes[len - 1] == 102) {
        len--;
    }
    d.point = 2 * ((d.negative ? 62 - bytes[0] : bytes[0] - 193) + 1);
    for (size_t i = 1; i < len; i++) {
        int pair = d.negative ? 101 - bytes[i] : bytes[i] - 1;
        if (pair < 0 || pair > 99) {
            return 0;
        }
        d.digit[d.count++] = (uint8_t)(pair / 10);
        d.digit[d.count++] = (uint8_t)(pair % 10);
    }
    if (d.count && !d.digit[0]) {
        memmove(d.digit, d.digit + 1, (size_t)--d.count);
        d.point--;
    }
    while (d.count && !d.digit[d.count - 1]) {
        d.count--;
    }
    return decimal_plain(out, &d, '.', true);
}

size_t dbl_number_text(char out[DBL_NUMBER_TEXT], const char *text, size_t len, char decimal)
{
    decimal_t d;
    if (!decimal_parse(&d, text, len)) {
        return 0;
    }
    decimal_round(&d, 40);
    if (d.point <= 40 && d.point > -40) {
        return decimal_plain(out, &d, decimal, false);
    }
    char *at = out;
    int exponent = d.point - 1;
    if (d.negative) {
        *at++ = '-';
    }
    *at++ = (char)('0' + d.digit[0]);
    if (d.count > 1) {
        *at++ = decimal;
    }
    for (int i = 1; i < d.count; i++) {
        *at++ = (char)('0' + d.digit[i]);
    }
    *at++ = 'E';
    *at++ = exponent < 0 ? '-' : '+';
    exponent = abs(exponent);
    if (exponent >= 100) {
        *at++ = (char)('0' + exponent / 100);
    }
    *at++ = (char)('0' + exponent / 10 % 10);
    *at++ = (char)('0' + exponent % 10);
    return (size_t)(at - out);
}
