/* value.c - values of filters as cells of each type, and the texts of numbers, dates and letters underneath. What
 * is taken is compared with the input by rules of its own: digits by digits, days by the C library's calendar.
 *
 * Input: what to do, how; then the text. */
#include <apr_strings.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "aurora/datetime.h"
#include "aurora/number.h"
#include "aurora/text.h"
#include "lib/fuzz.h"
#include "lib/number_rules.h"
#include "lib/utf8_rules.h"
#include "query/query_value.h"

#define NUMBER_MAX 400 /* bytes of a number in a request */

/* --- numbers ------------------------------------------------------------------------------------- */

static void check_number(const aur_cell_t *cell, fuzz_text_t text, apr_pool_t *p)
{
    char digits[AUR_INT_TEXT_MAX + 1];
    const char *s = cell->v.s;
    apr_size_t len = cell->len;

    FUZZ_CHECK(number_is(text.s, text.len), "%s is no number", text.s);
    if (cell->kind == AUR_V_INT) {
        len = (apr_size_t)snprintf(digits, sizeof(digits), "%lld", (long long)cell->v.i);
        s = digits;
    }
    else {
        FUZZ_CHECK(cell->kind == AUR_V_DECIMAL, "another kind");
        FUZZ_CHECK(len <= AUR_VALUE_DIGITS_MAX + 2, "%d bytes", (int)len);
    }
    FUZZ_CHECK(number_is_canonical(s, len), "%.*s is not canonical", (int)len, s);
    FUZZ_CHECK(len < 2 || *s != '-' || strcmp(number_normal(s, len, p), "0") != 0, "-0");
    FUZZ_CHECK(!strcmp(number_normal(s, len, p), number_normal(text.s, text.len, p)),
               "%s became %.*s", text.s, (int)len, s);
}

/* Is a decimal said to be a double just when it is, and shortest? */
static void check_decimal(fuzz_text_t text, apr_pool_t *p)
{
    int said = aur_decimal_is_double(text.s, text.len), digits, holds;
    double d;

    if (!number_is_canonical(text.s, text.len) || text.len > NUMBER_MAX) {
        FUZZ_CHECK(!said || number_is_canonical(text.s, text.len), "%s is no decimal", text.s);
        return;
    }
    d = strtod(text.s, NULL);
    digits = number_digits(text.s, text.len, p);
    holds = number_survives(text.s, text.len, p);
    FUZZ_CHECK(!said || holds, "%s loses digits", text.s);
    if (digits <= 15 && holds && d != 0 && fabs(d) > 1e-300 && fabs(d) < 1e300 &&
        (text.s[text.s[0] == '-'] != '0' || text.s[1 + (text.s[0] == '-')] == '.')) {
        FUZZ_CHECK(said, "%s would survive", text.s);
    }
}

static void check_double(fuzz_in_t *in, apr_pool_t *p)
{
    char text[AUR_DOUBLE_TEXT_MAX + 1], other[64];
    double d, back;
    uint64_t bits = 0;
    apr_size_t len;
    int i, precision;

    for (i = 0; i < 8; i++) {
        bits = bits << 8 | fuzz_byte(in);
    }
    memcpy(&d, &bits, sizeof(d));
    len = aur_double_write(text, d);
    FUZZ_CHECK(len <= AUR_DOUBLE_TEXT_MAX, "%d bytes", (int)len);
    text[len] = '\0';
    back = strtod(text, NULL);
    if (isnan(d)) {
        FUZZ_CHECK(!strcmp(text, "NaN"), "%s", text);
        return;
    }
    FUZZ_CHECK(back == d, "%s is not %.17g", text, d);
    if (!isfinite(d) || d == 0) {
        return;
    }
    for (precision = 1; precision < 17; precision++) {
        (void)snprintf(other, sizeof(other), "%.*e", precision - 1, d);
        if (strtod(other, NULL) == d) {
            break;
        }
    }
    FUZZ_CHECK(number_digits(text, len, p) <= precision, "%s is longer than %s", text, other);
}

/* --- dates and timestamps ------------------------------------------------------------------------ */

/* Seconds since 1970 by the C library. */
static long long seconds_of(const aur_datetime_t *dt)
{
    struct tm tm = {.tm_year = dt->year - 1900,
                    .tm_mon = dt->month - 1,
                    .tm_mday = dt->day,
                    .tm_hour = dt->hour,
                    .tm_min = dt->minute,
                    .tm_sec = dt->second};
    time_t t = timegm(&tm);

    FUZZ_CHECK(tm.tm_mday == dt->day && tm.tm_mon == dt->month - 1 && tm.tm_hour == dt->hour,
               "%d-%d-%d is no day", dt->year, dt->month, dt->day);
    return (long long)t - 60LL * (dt->has_zone ? dt->zone_minutes : 0);
}

static void check_moment(const aur_cell_t *cell, fuzz_text_t text, int date, apr_pool_t *p)
{
    aur_datetime_t asked, got;

    FUZZ_CHECK(aur_datetime_parse(&asked, text.s, text.len), "%s is no moment", text.s);
    FUZZ_CHECK(cell->len <= AUR_DATETIME_TEXT_MAX, "%d bytes", (int)cell->len);
    FUZZ_CHECK(aur_datetime_parse(&got, apr_pstrmemdup(p, cell->v.s, cell->len), cell->len),
               "%.*s is not read again", (int)cell->len, cell->v.s);
    FUZZ_CHECK(!got.has_zone && got.has_time == !date, "%.*s", (int)cell->len, cell->v.s);
    if (date) { /* a midnight stands for its day, whatever its zone */
        asked.has_zone = 0;
    }
    FUZZ_CHECK(seconds_of(&asked) == seconds_of(&got) && asked.nanosecond == got.nanosecond,
               "%s became %.*s", text.s, (int)cell->len, cell->v.s);
}

/* A date that the pattern and the calendar take is taken. */
static void check_days(fuzz_text_t text)
{
    aur_datetime_t dt;
    struct tm tm = {0};
    int year, month, day, n = 0;

    if (text.len != 10 || sscanf(text.s, "%4d-%2d-%2d%n", &year, &month, &day, &n) != 3 ||
        n != 10 || strspn(text.s, "0123456789") != 4 || strspn(text.s + 5, "0123456789") != 2 ||
        strspn(text.s + 8, "0123456789") != 2) {
        return;
    }
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    tm.tm_mday = day;
    (void)timegm(&tm);
    FUZZ_CHECK(aur_datetime_parse(&dt, text.s, text.len) ==
                   (tm.tm_mon == month - 1 && tm.tm_mday == day && month > 0 && day > 0),
               "%s", text.s);
}

/* --- texts --------------------------------------------------------------------------------------- */

static void check_text(fuzz_text_t text, apr_pool_t *p)
{
    char *exact = malloc(text.len ? text.len : 1), *folded;
    apr_size_t bound = aur_casefold_bound(text.len), n, at = 0;
    int whole = utf8_whole(text.s, text.len);

    if (text.len > 0) {
        memcpy(exact, text.s, text.len);
    }
    FUZZ_CHECK(aur_utf8_valid(exact, text.len) == whole, "valid or not");
    while (at < text.len) {
        uint32_t point = utf8_point(&n, exact + at, text.len - at);
        FUZZ_CHECK(aur_utf8_char(exact + at, text.len - at) == (point == UTF8_BAD ? 0 : n),
                   "the character at %d", (int)at);
        at += n;
    }
    n = aur_utf8_clip(exact, text.len, text.len / 2);
    FUZZ_CHECK(n <= text.len / 2 && (!whole || utf8_whole(exact, n)), "cut inside a character");
    folded = malloc(bound ? bound : 1);
    n = aur_casefold_into(folded, exact, text.len);
    FUZZ_CHECK(n <= bound, "beyond its bound");
    FUZZ_CHECK(!whole || utf8_whole(folded, n), "folding broke a character");
    FUZZ_CHECK(n == text.len || !whole || n > 0, "folding lost everything");
    free(folded);
    free(exact);
}

static void check_fold(const aur_cell_t *cell, fuzz_text_t text, int fold, apr_pool_t *p)
{
    apr_size_t i;

    FUZZ_CHECK(fold || (cell->len == text.len && !memcmp(cell->v.s, text.s, text.len)),
               "the text changed");
    for (i = 0; fold && i < cell->len; i++) {
        FUZZ_CHECK(cell->v.s[i] < 'A' || cell->v.s[i] > 'Z', "a capital is left");
    }
}

/* --- the target ---------------------------------------------------------------------------------- */

static void check_cell(const aur_cell_t *cell, const aur_value_for_t *want, fuzz_text_t text,
                       apr_pool_t *p)
{
    switch (want->type) {
    case AUR_T_NUMBER:
        check_number(cell, text, p);
        break;
    case AUR_T_DATE:
    case AUR_T_TIMESTAMP:
    case AUR_T_TIMESTAMP_TZ:
        check_moment(cell, text, want->type == AUR_T_DATE, p);
        break;
    case AUR_T_BOOLEAN:
        FUZZ_CHECK(cell->kind == AUR_V_BOOL && (cell->v.i == 0 || cell->v.i == 1), "no truth");
        break;
    case AUR_T_TEXT:
        check_fold(cell, text, want->fold, p);
        break;
    default:
        FUZZ_CHECK(0, "binary data is no value");
        break;
    }
}

/* What is refused was none, or beyond the limits that are documented. */
static void check_refused(const aur_value_for_t *want, fuzz_text_t text, const aur_error_t *err,
                          apr_pool_t *p)
{
    const char *e;

    fuzz_check_error(err, NULL, 0);
    FUZZ_CHECK(err->code == AUR_E_BAD_VALUE && *err->column, "%s", err->detail);
    FUZZ_CHECK(want->type != AUR_T_TEXT, "every text is a text: %s", text.s);
    e = memchr(text.s, 'e', text.len);
    e = e ? e : memchr(text.s, 'E', text.len);
    if (want->type == AUR_T_NUMBER && number_is(text.s, text.len) && text.len <= NUMBER_MAX / 2) {
        FUZZ_CHECK(e && (labs(atol(e + 1)) > 100), "%s is a number", text.s);
    }
}

static void check_split(const aur_value_for_t *want, const aur_scalar_t *value)
{
    aur_scalar_t parts[2];
    aur_error_t err;
    const char *comma = memchr(value->s, ',', value->len);
    int commas = 0;
    apr_size_t i;

    for (i = 0; i < value->len; i++) {
        commas += value->s[i] == ',';
    }
    aur_error_clear(&err);
    if (aur_value_split(parts, want, value, &err) != APR_SUCCESS) {
        FUZZ_CHECK(commas != 1, "one comma: %s", value->s);
        return;
    }
    FUZZ_CHECK(commas == 1 && parts[0].s + parts[0].len <= comma && parts[1].s > comma &&
                   parts[1].s + parts[1].len <= value->s + value->len,
               "the halves of %s", value->s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const aur_type_e types[] = {AUR_T_TEXT,      AUR_T_NUMBER,       AUR_T_DATE,
                                       AUR_T_TIMESTAMP, AUR_T_TIMESTAMP_TZ, AUR_T_BOOLEAN,
                                       AUR_T_BINARY};
    fuzz_in_t in = {data, size};
    apr_pool_t *p = fuzz_pool();
    unsigned how = fuzz_byte(&in);
    aur_value_for_t want = {types[how % 7], how / 8 % 2 != 0, "A column", "/filters/0"};
    aur_scalar_t value = {.kind = AUR_J_STRING};
    fuzz_text_t text;
    aur_cell_t cell = {0};
    aur_error_t err;

    if (how >= 128) {
        check_double(&in, p);
    }
    text = fuzz_rest(&in, p);
    check_text(text, p);
    check_decimal(text, p);
    check_days(text);
    aur_error_clear(&err);
    /* a string of JSON is whole UTF-8 and has no NUL */
    if (utf8_whole(text.s, text.len) && strlen(text.s) == text.len) {
        value.s = text.s;
        value.len = text.len;
        check_split(&want, &value);
        if (aur_value_read(&cell, &want, &value, (int)(how / 16 % 2) - 1, &err, p) == APR_SUCCESS) {
            check_cell(&cell, &want, text, p);
        }
        else {
            check_refused(&want, text, &err, p);
        }
    }
    apr_pool_destroy(p);
    return 0;
}
