/* encode_time.c - dates, times and intervals. */
#include "encode.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

void dbl_date_encode(uint8_t out[7], const dbl_when_t *when)
{
    /* Both bytes are counted from 100, downwards before Christ. */
    out[0] = (uint8_t)(100 + when->year / 100);
    out[1] = (uint8_t)(100 + when->year % 100);
    out[2] = when->month;
    out[3] = when->day;
    out[4] = (uint8_t)(when->hour + 1);
    out[5] = (uint8_t)(when->minute + 1);
    out[6] = (uint8_t)(when->second + 1);
}

bool dbl_date_decode(dbl_when_t *when, const uint8_t b[7])
{
    memset(when, 0, sizeof(*when));
    when->year = (int16_t)((b[0] - 100) * 100 + (b[1] - 100));
    when->month = b[2];
    when->day = b[3];
    when->hour = (uint8_t)(b[4] - 1);
    when->minute = (uint8_t)(b[5] - 1);
    when->second = (uint8_t)(b[6] - 1);
    return when->year && when->month >= 1 && when->month <= 12 && when->day >= 1 &&
           when->day <= 31 && when->hour < 24 && when->minute < 60 && when->second < 60;
}

/* An unsigned number of at most max digits. */
static bool number(const char **s, const char *end, int max, int *value)
{
    const char *at = *s;
    *value = 0;
    while (at < end && at < *s + max && *at >= '0' && *at <= '9') {
        *value = *value * 10 + (*at++ - '0');
    }
    bool any = at > *s;
    *s = at;
    return any;
}

static bool skip(const char **s, const char *end, char c)
{
    if (*s < end && **s == c) {
        ++*s;
        return true;
    }
    return false;
}

/* Nanoseconds of a fraction: digits behind the point. */
static uint32_t fraction(const char **s, const char *end)
{
    uint32_t ns = 0;
    int n = 0;
    for (; *s < end && **s >= '0' && **s <= '9'; ++*s) {
        if (n < 9) {
            ns = ns * 10 + (uint32_t)(**s - '0');
            n++;
        }
    }
    for (; n < 9; n++) {
        ns *= 10;
    }
    return ns;
}

static bool zone_parse(dbl_when_t *when, const char **s, const char *end)
{
    int hours, minutes = 0, seconds, sign = **s == '-' ? -1 : 1;
    ++*s;
    if (!number(s, end, 2, &hours)) {
        return false;
    }
    if (skip(s, end, ':') && !number(s, end, 2, &minutes)) {
        return false;
    }
    /* Local mean times have seconds, which Oracle's offsets have no place for. */
    if (skip(s, end, ':') && !number(s, end, 2, &seconds)) {
        return false;
    }
    when->zoned = true;
    when->zone_minutes = (int16_t)(sign * (hours * 60 + minutes));
    return true;
}

bool dbl_when_parse(dbl_when_t *when, const char *s, size_t len)
{
    const char *end = s + len;
    int year, month, day, hour = 0, minute = 0, second = 0;
    memset(when, 0, sizeof(*when));
    if (!number(&s, end, 5, &year) || !skip(&s, end, '-') || !number(&s, end, 2, &month) ||
        !skip(&s, end, '-') || !number(&s, end, 2, &day)) {
        return false;
    }
    if ((skip(&s, end, ' ') || skip(&s, end, 'T')) && s < end && *s != 'B') {
        if (!number(&s, end, 2, &hour) || !skip(&s, end, ':') || !number(&s, end, 2, &minute)) {
            return false;
        }
        if (skip(&s, end, ':') && !number(&s, end, 2, &second)) {
            return false;
        }
        if (skip(&s, end, '.')) {
            when->ns = fraction(&s, end);
        }
        if (s < end && (*s == '+' || *s == '-') && !zone_parse(when, &s, end)) {
            return false;
        }
        skip(&s, end, ' ');
    }
    if (end - s == 2 && s[0] == 'B' && s[1] == 'C') {
        year = -year;
        s = end;
    }
    if (s != end || year == 0 || year > 9999 || year < -4712) {
        return false;
    }
    when->year = (int16_t)year;
    when->month = (uint8_t)month;
    when->day = (uint8_t)day;
    when->hour = (uint8_t)hour;
    when->minute = (uint8_t)minute;
    when->second = (uint8_t)second;
    return true;
}

size_t dbl_when_text(char out[64], const dbl_when_t *when)
{
    int year = when->year < 0 ? -when->year : when->year;
    int n = snprintf(out, 64, "%04d-%02u-%02u %02u:%02u:%02u.%06u", year, when->month, when->day,
                     when->hour, when->minute, when->second, when->ns / 1000);
    if (when->zoned) {
        int zone = when->zone_minutes < 0 ? -when->zone_minutes : when->zone_minutes;
        n += snprintf(out + n, 64 - (size_t)n, "%c%02d:%02d", when->zone_minutes < 0 ? '-' : '+',
                      zone / 60, zone % 60);
    }
    if (when->year < 0) {
        n += snprintf(out + n, 64 - (size_t)n, " BC");
    }
    return (size_t)n;
}

/* --- format models ------------------------------------------------------------------------------ */

static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};

/* A month's name in the case of the model: MON, Mon, mon. */
static int month_name(char *out, const char *model, const char *name, int width)
{
    int n = 0;
    for (; name[n] && (width == 0 || n < width); n++) {
        char c = name[n];
        bool upper =
            model[0] >= 'A' && model[0] <= 'Z' && (n == 0 || (model[1] >= 'A' && model[1] <= 'Z'));
        c = (char)(c & ~0x20);
        out[n] = upper ? c : (char)(c | 0x20);
    }
    return n;
}

typedef struct element_t {
    const char *name;
    int id;
} element_t;
enum {
    E_YEAR,
    E_SYEAR,
    E_YY,
    E_MONTH,
    E_MON,
    E_MM,
    E_DD,
    E_HH24,
    E_HH12,
    E_MI,
    E_SS,
    E_FF,
    E_TZH,
    E_TZM,
    E_AM,
    E_X,
    E_BC,
    E_TZR
};
/* Longer ones first where one begins with another. */
static const element_t elements[] = {
    {"SYYYY", E_SYEAR}, {"YYYY", E_YEAR}, {"RRRR", E_YEAR}, {"YY", E_YY}, {"RR", E_YY},
    {"MONTH", E_MONTH}, {"MON", E_MON},   {"MM", E_MM},     {"MI", E_MI}, {"DD", E_DD},
    {"HH24", E_HH24},   {"HH12", E_HH12}, {"HH", E_HH12},   {"SS", E_SS}, {"FF", E_FF},
    {"TZH", E_TZH},     {"TZM", E_TZM},   {"TZR", E_TZR},   {"AM", E_AM}, {"PM", E_AM},
    {"AD", E_BC},       {"BC", E_BC},     {"X", E_X}};

static int hour12(const dbl_when_t *when)
{
    return when->hour % 12 ? when->hour % 12 : 12;
}

static int element_put(char *out, int id, const char *model, const dbl_when_t *when,
                       int fraction_digits)
{
    int year = when->year < 0 ? -when->year : when->year;
    int zone = when->zone_minutes < 0 ? -when->zone_minutes : when->zone_minutes;
    switch (id) {
    case E_YEAR:
        return snprintf(out, 32, "%04d", year);
    case E_SYEAR:
        return snprintf(out, 32, "%c%04d", when->year < 0 ? '-' : ' ', year);
    case E_YY:
        return snprintf(out, 32, "%02d", year % 100);
    case E_MONTH:
        return month_name(out, model, months[when->month - 1], 0);
    case E_MON:
        return month_name(out, model, months[when->month - 1], 3);
    case E_MM:
        return snprintf(out, 32, "%02u", when->month);
    case E_DD:
        return snprintf(out, 32, "%02u", when->day);
    case E_HH24:
        return snprintf(out, 32, "%02u", when->hour);
    case E_HH12:
        return snprintf(out, 32, "%02d", hour12(when));
    case E_MI:
        return snprintf(out, 32, "%02u", when->minute);
    case E_SS:
        return snprintf(out, 32, "%02u", when->second);
    case E_FF: {
        char digits[16];
        snprintf(digits, sizeof(digits), "%09u", when->ns);
        return snprintf(out, 32, "%.*s", fraction_digits, digits);
    }
    case E_TZH:
        return snprintf(out, 32, "%c%02d", when->zone_minutes < 0 ? '-' : '+', zone / 60);
    case E_TZM:
        return snprintf(out, 32, "%02d", zone % 60);
    case E_TZR:
        return snprintf(out, 32, "%c%02d:%02d", when->zone_minutes < 0 ? '-' : '+', zone / 60,
                        zone % 60);
    case E_AM:
        return snprintf(out, 32, "%s", when->hour < 12 ? "AM" : "PM");
    case E_BC:
        return snprintf(out, 32, "%s", when->year < 0 ? "BC" : "AD");
    default: /* E_X: the radix character */
        return snprintf(out, 32, ".");
    }
}

size_t dbl_when_format(char *out, size_t size, const dbl_when_t *when, const char *format,
                       unsigned fsprecision)
{
    size_t n = 0;
    while (*format) {
        char piece[32];
        int len = 0;
        const element_t *found = NULL;
        for (size_t i = 0; i < sizeof(elements) / sizeof(*elements) && !found; i++) {
            found = strncasecmp(format, elements[i].name, strlen(elements[i].name)) ? NULL
                                                                                    : &elements[i];
        }
        if (found) {
            const char *model = format;
            format += strlen(found->name);
            int digits = (int)fsprecision;
            if (found->id == E_FF && *format >= '1' && *format <= '9') {
                digits = *format++ - '0';
            }
            len = element_put(piece, found->id, model, when, digits);
        }
        else if (*format == '"') {
            const char *end = strchr(++format, '"');
            len = end ? (int)(end - format) : 0;
            if (!end || len >= (int)sizeof(piece)) {
                return 0;
            }
            memcpy(piece, format, (size_t)len);
            format = end + 1;
        }
        else if ((*format | 0x20) >= 'a' && (*format | 0x20) <= 'z') {
            return 0;
        }
        else {
            piece[0] = *format++;
            len = 1;
        }
        if (n + (size_t)len >= size) {
            return 0;
        }
        memcpy(out + n, piece, (size_t)len);
        n += (size_t)len;
    }
    out[n] = '\0';
    return n;
}

/* --- intervals ---------------------------------------------------------------------------------- */

bool dbl_span_parse(dbl_span_t *span, const char *s, size_t len)
{
    const char *end = s + len;
    bool time = false;
    memset(span, 0, sizeof(*span));
    if (!skip(&s, end, 'P')) {
        return false;
    }
    while (s < end) {
        if (skip(&s, end, 'T')) {
            time = true;
            continue;
        }
        int value, ns = 0, sign = skip(&s, end, '-') ? -1 : 1;
        if (!number(&s, end, 10, &value)) {
            return false;
        }
        if (skip(&s, end, '.')) {
            ns = (int)fraction(&s, end);
        }
        if (s >= end) {
            return false;
        }
        switch (*s++) {
        case 'Y':
            span->years = sign * value;
            break;
        case 'M':
            *(time ? &span->minutes : &span->months) = sign * value;
            break;
        case 'W':
            span->days += sign * value * 7;
            break;
        case 'D':
            span->days += sign * value;
            break;
        case 'H':
            span->hours = sign * value;
            break;
        case 'S':
            span->seconds = sign * value;
            span->ns = sign * ns;
            break;
        default:
            return false;
        }
    }
    /* PostgreSQL counts hours beyond a day, and days apart from them; Oracle has one sign for all. */
    int64_t seconds =
        (((int64_t)span->days * 24 + span->hours) * 60 + span->minutes) * 60 + span->seconds;
    int32_t ns = span->ns;
    if (seconds > 0 && ns < 0) {
        seconds--;
        ns += 1000000000;
    }
    else if (seconds < 0 && ns > 0) {
        seconds++;
        ns -= 1000000000;
    }
    span->days = (int32_t)(seconds / 86400);
    span->hours = (int32_t)(seconds / 3600 % 24);
    span->minutes = (int32_t)(seconds / 60 % 60);
    span->seconds = (int32_t)(seconds % 60);
    span->ns = ns;
    int32_t month = span->years * 12 + span->months;
    span->years = month / 12;
    span->months = month % 12;
    return true;
}

static unsigned magnitude(int32_t n)
{
    return n < 0 ? 0U - (unsigned)n : (unsigned)n;
}

size_t dbl_span_format(char out[64], const dbl_span_t *v, bool year_month, unsigned lfprecision,
                       unsigned fsprecision)
{
    int width = (int)lfprecision;
    if (year_month) {
        bool negative = v->years < 0 || v->months < 0;
        return (size_t)snprintf(out, 64, "%c%0*u-%02u", negative ? '-' : '+', width,
                                magnitude(v->years), magnitude(v->months));
    }
    bool negative = v->days < 0 || v->hours < 0 || v->minutes < 0 || v->seconds < 0 || v->ns < 0;
    int n =
        snprintf(out, 64, "%c%0*u %02u:%02u:%02u", negative ? '-' : '+', width, magnitude(v->days),
                 magnitude(v->hours), magnitude(v->minutes), magnitude(v->seconds));
    if (fsprecision) {
        char digits[16];
        snprintf(digits, sizeof(digits), "%09u", magnitude(v->ns));
        n += snprintf(out + n, 64 - (size_t)n, ".%.*s", (int)fsprecision, digits);
    }
    return (size_t)n;
}
