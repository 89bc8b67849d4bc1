#include "aurora/datetime.h"

#include <string.h>

typedef struct reader_t {
    const char *at, *end;
} reader_t;

static int next_is(const reader_t *r, char c)
{
    return r->at < r->end && *r->at == c;
}

static int take(reader_t *r, char c)
{
    int is = next_is(r, c);

    r->at += is;
    return is;
}

static int next_is_digit(const reader_t *r)
{
    return r->at < r->end && *r->at >= '0' && *r->at <= '9';
}

/* Between min and max digits, as many as there are. Returns how many, 0 when fewer than min. */
static int take_digits(reader_t *r, int min, int max, int *out)
{
    int n;

    *out = 0;
    for (n = 0; n < max && next_is_digit(r); n++) {
        *out = *out * 10 + (*r->at++ - '0');
    }
    return n < min ? 0 : n;
}

/* Two digits, low..high. */
static int take_two(reader_t *r, int low, int high, int *out)
{
    return take_digits(r, 2, 2, out) && *out >= low && *out <= high;
}

static int is_leap(apr_int32_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_of(apr_int32_t year, int month)
{
    static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year));
}

static int take_date(reader_t *r, aur_datetime_t *out)
{
    int negative = take(r, '-'), year;

    if (!take_digits(r, 4, 6, &year) || (negative && year == 0)) {
        return 0;
    }
    out->year = negative ? -year : year;
    return take(r, '-') && take_two(r, 1, 12, &out->month) && take(r, '-') &&
           take_two(r, 1, days_of(out->year, out->month), &out->day);
}

static int take_time(reader_t *r, aur_datetime_t *out)
{
    int n, digits;

    if (!take_two(r, 0, 23, &out->hour) || !take(r, ':') || !take_two(r, 0, 59, &out->minute)) {
        return 0;
    }
    if (!take(r, ':')) {
        return 1;
    }
    if (!take_two(r, 0, 59, &out->second)) {
        return 0;
    }
    if (!take(r, '.')) {
        return 1;
    }
    digits = take_digits(r, 1, 9, &out->nanosecond);
    out->fraction_digits = digits;
    for (n = digits; n > 0 && n < 9; n++) {
        out->nanosecond *= 10;
    }
    return digits > 0;
}

static int take_zone(reader_t *r, aur_datetime_t *out)
{
    int west, hours, minutes = 0;

    if (r->at == r->end) {
        return 1;
    }
    out->has_zone = 1;
    if (take(r, 'Z')) {
        return 1;
    }
    west = next_is(r, '-');
    if (!take(r, '-') && !take(r, '+')) {
        return 0;
    }
    if (!take_two(r, 0, 23, &hours)) {
        return 0;
    }
    if (r->at < r->end) {
        (void)take(r, ':');
        if (!take_two(r, 0, 59, &minutes)) {
            return 0;
        }
    }
    out->zone_minutes = (west ? -1 : 1) * (hours * 60 + minutes);
    return 1;
}

int aur_datetime_parse(aur_datetime_t *out, const char *s, apr_size_t len)
{
    reader_t r = {s, s + len};

    memset(out, 0, sizeof(*out));
    if (!take_date(&r, out)) {
        return 0;
    }
    if (r.at == r.end) {
        return 1;
    }
    if (!take(&r, ' ') && !take(&r, 'T')) {
        return 0;
    }
    out->has_time = 1;
    return take_time(&r, out) && take_zone(&r, out) && r.at == r.end;
}

void aur_datetime_to_utc(aur_datetime_t *dt)
{
    int minutes;

    if (!dt->has_zone) {
        return;
    }
    minutes = dt->hour * 60 + dt->minute - dt->zone_minutes;
    dt->has_zone = 0;
    dt->zone_minutes = 0;
    /* An offset is less than a day, so the date moves by one day at most. */
    if (minutes < 0) {
        minutes += 24 * 60;
        if (--dt->day == 0) {
            if (--dt->month == 0) {
                dt->month = 12;
                dt->year--;
            }
            dt->day = days_of(dt->year, dt->month);
        }
    }
    else if (minutes >= 24 * 60) {
        minutes -= 24 * 60;
        if (++dt->day > days_of(dt->year, dt->month)) {
            dt->day = 1;
            if (++dt->month > 12) {
                dt->month = 1;
                dt->year++;
            }
        }
    }
    dt->hour = minutes / 60;
    dt->minute = minutes % 60;
}

/* The last `digits` digits of n, zeros in front. */
static char *put_digits(char *out, unsigned n, int digits)
{
    int i;

    for (i = digits - 1; i >= 0; i--) {
        out[i] = (char)('0' + n % 10);
        n /= 10;
    }
    return out + digits;
}

apr_size_t aur_date_write(char *out, const aur_datetime_t *dt)
{
    char *at = out;
    unsigned year = dt->year < 0 ? 0u - (unsigned)dt->year : (unsigned)dt->year, rest;
    int digits = 4;

    if (dt->year < 0) {
        *at++ = '-';
    }
    for (rest = year / 10000; rest > 0; rest /= 10) {
        digits++;
    }
    at = put_digits(at, year, digits);
    *at++ = '-';
    at = put_digits(at, (unsigned)dt->month, 2);
    *at++ = '-';
    at = put_digits(at, (unsigned)dt->day, 2);
    return (apr_size_t)(at - out);
}

apr_size_t aur_timestamp_write(char *out, char sep, const aur_datetime_t *dt)
{
    char *at = out + aur_date_write(out, dt);

    *at++ = sep;
    at = put_digits(at, (unsigned)dt->hour, 2);
    *at++ = ':';
    at = put_digits(at, (unsigned)dt->minute, 2);
    *at++ = ':';
    at = put_digits(at, (unsigned)dt->second, 2);
    if (dt->fraction_digits > 0 && dt->fraction_digits <= 9) {
        char nano[9];
        put_digits(nano, (unsigned)dt->nanosecond, 9);
        *at++ = '.';
        memcpy(at, nano, (size_t)dt->fraction_digits);
        at += dt->fraction_digits;
    }
    if (dt->has_zone && dt->zone_minutes == 0) {
        *at++ = 'Z';
    }
    else if (dt->has_zone) {
        unsigned zone = (unsigned)(dt->zone_minutes < 0 ? -dt->zone_minutes : dt->zone_minutes);
        *at++ = dt->zone_minutes < 0 ? '-' : '+';
        at = put_digits(at, zone / 60, 2);
        *at++ = ':';
        at = put_digits(at, zone % 60, 2);
    }
    return (apr_size_t)(at - out);
}
