/* Doubles as text, in three steps, each tried only where the one before has no answer:
 * 1. n / 10^k with n of 15 digits: dividing two doubles that hold n and 10^k exactly rounds once, as
 *    reading the text does, so a quotient that equals d proves the text. Money and measures end
 *    here. With 16 digits several texts may read back as d, and the nearest is wanted.
 * 2. 16 and 17 digits with 128-bit integers: the interval of everything that reads back as d is
 *    known exactly, and the shortest decimal inside it is wanted.
 * 3. printf and strtod, for the very large and the very small. */
#include "aurora/number.h"
#include "number_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TWO_53 9007199254740992.0
#define TEN_15 1e15

const double aur_number_pow10[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                     1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                     1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

double aur_number_to_double(const decimal_t *x)
{
    char text[DIGITS_MAX + 16];

    /* An integer and an exponent: "1.5" would need the locale's decimal point. */
    (void)snprintf(text, sizeof(text), "%se%d", x->digits, x->exponent - x->count + 1);
    return strtod(text, NULL);
}

static void decimal_trim(decimal_t *x)
{
    while (x->count > 1 && x->digits[x->count - 1] == '0') {
        x->count--;
    }
    x->digits[x->count] = '\0';
}

/* The next larger decimal of as many digits. */
static void decimal_step(decimal_t *x)
{
    int i = x->count - 1;

    while (i >= 0 && x->digits[i] == '9') {
        x->digits[i--] = '0';
    }
    if (i >= 0) {
        x->digits[i]++;
    }
    else {
        x->digits[0] = '1';
        x->exponent++;
    }
}

/* d rounded to count digits. */
static void decimal_print(decimal_t *x, double d, int count)
{
    char text[DIGITS_MAX + 32];
    const char *s;

    (void)snprintf(text, sizeof(text), "%.*e", count - 1, d);
    x->count = 0;
    for (s = text; *s && *s != 'e'; s++) { /* whatever the locale puts for a point is left out */
        if (*s >= '0' && *s <= '9' && x->count < DIGITS_MAX) {
            x->digits[x->count++] = *s;
        }
    }
    x->digits[x->count] = '\0';
    x->exponent = *s ? atoi(s + 1) : 0;
}

/* Step 3. */
static void shortest_by_printf(decimal_t *x, double d)
{
    int count = d < 2.3e-308 ? 1 : 15; /* near zero doubles have fewer digits */

    for (; count < DIGITS_MAX; count++) {
        decimal_print(x, d, count);
        if (aur_number_to_double(x) == d) {
            break;
        }
        /* Above a power of two neighbours lie twice as far apart as below: there the nearest
         * decimal may miss while the one above it hits. */
        decimal_step(x);
        if (aur_number_to_double(x) == d) {
            break;
        }
    }
    if (count == DIGITS_MAX) {
        decimal_print(x, d, DIGITS_MAX);
    }
    decimal_trim(x);
}

#ifdef __SIZEOF_INT128__
typedef unsigned __int128 wide_t;

/* d in halves of its last bit, scaled by 10^k. What lies between low and high reads back as d. (The
 * bounds themselves have more than 17 digits, so how ties are read does not matter; and below a
 * power of two the interval is narrower, but in this range those are short decimals that step 1 has
 * found.) */
typedef struct interval_t {
    wide_t low, value, high;
    int shift; /* one unit of the scaled decimal is 2^shift */
} interval_t;

static void interval_make(interval_t *out, double d, int k)
{
    uint64_t bits, m;
    wide_t scale = (wide_t)(uint64_t)aur_number_pow10[k < 19 ? k : 19];

    if (k > 19) {
        scale *= (uint64_t)aur_number_pow10[k - 19];
    }
    memcpy(&bits, &d, sizeof(bits));
    m = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1) << 52;
    out->value = scale * (2 * m);
    out->high = scale * (2 * m + 1);
    out->low = scale * (2 * m - 1);
    out->shift = 1076 - (int)(bits >> 52);
}

static int interval_has(const interval_t *in, uint64_t n)
{
    wide_t at = (wide_t)n << in->shift;

    return at > in->low && at < in->high;
}

/* Step 2, for 1e-4 <= d < 2^53; k is the least with d * 10^k >= 10^15, so at most 19, and
 * 2 * 2^53 * 10^21 is below 2^128. Returns n and the number of its decimal places in *places.
 */
static uint64_t shortest_exact(double d, int k, int *places)
{
    uint64_t n = 0;
    int last = k + 1; /* 17 digits or more: always found */

    for (k = k > 0 ? k - 1 : 0; k <= last; k++) {
        interval_t in;
        wide_t rest, half;
        int up;
        interval_make(&in, d, k);
        n = (uint64_t)(in.value >> in.shift);
        rest = in.value - ((wide_t)n << in.shift);
        half = (wide_t)1 << (in.shift - 1);
        up = rest > half || (rest == half && n % 2 == 1); /* as everybody breaks a tie */
        if (interval_has(&in, n + (uint64_t)up)) {
            n += (uint64_t)up;
            break;
        }
        if (interval_has(&in, n + (uint64_t)!up)) {
            n += (uint64_t)!up;
            break;
        }
    }
    *places = k;
    return n;
}
#endif

/* Step 1, for 1e-7 <= d < 2^53. Returns whether it found n, and in *k the decimal places, or where
 * it gave up. */
static int shortest_quotient(double d, uint64_t *n, int *k)
{
    for (*k = 0; *k < 23; (*k)++) {
        double scaled = d * aur_number_pow10[*k], whole;
        int64_t i;
        if (scaled >= TEN_15) {
            return 0;
        }
        /* by way of signed integers, which processors convert in one step */
        i = (int64_t)(scaled + 0.5);
        whole = (double)i;
        /* The product is off by two roundings at most: farther from a whole number than that, and
         * the division can be spared. */
        if (fabs(scaled - whole) <= scaled * 0x1p-51 && whole / aur_number_pow10[*k] == d) {
            *n = (uint64_t)i;
            return 1;
        }
    }
    return 0;
}

/* Write n / 10^k without zeros to spare. */
static apr_size_t write_point(char *out, uint64_t n, int k)
{
    char digits[24];
    apr_size_t count, places = (apr_size_t)k;

    if (k == 0) {
        return aur_number_write_u64(out, n);
    }
    if (k == 2) { /* money: worth its own way */
        unsigned cents = (unsigned)(n % 100);
        count = aur_number_write_u64(out, n / 100);
        out[count] = '.';
        out[count + 1] = (char)('0' + cents / 10);
        out[count + 2] = (char)('0' + cents % 10);
        return count + 3;
    }
    count = aur_number_write_u64(digits, n);
    if (count > places) {
        memcpy(out, digits, count - places);
        out[count - places] = '.';
        memcpy(out + count - places + 1, digits + count - places, places);
        return count + 1;
    }
    memcpy(out, "0.", 2);
    memset(out + 2, '0', places - count);
    memcpy(out + 2 + places - count, digits, count);
    return places + 2;
}

static apr_size_t write_decimal(char *out, const decimal_t *x)
{
    char *at = out;
    apr_size_t count = (apr_size_t)x->count;

    if (x->exponent >= 21 || x->exponent < -7) {
        *at++ = x->digits[0];
        if (count > 1) {
            *at++ = '.';
            memcpy(at, x->digits + 1, count - 1);
            at += count - 1;
        }
        *at++ = 'e';
        *at++ = x->exponent < 0 ? '-' : '+';
        at += aur_number_write_u64(at, (uint64_t)abs(x->exponent));
    }
    else if (x->exponent < 0) {
        apr_size_t zeros = (apr_size_t)(-x->exponent - 1);
        memcpy(at, "0.0000000", 2 + zeros);
        memcpy(at + 2 + zeros, x->digits, count);
        at += 2 + zeros + count;
    }
    else if (count > (apr_size_t)x->exponent + 1) {
        apr_size_t whole = (apr_size_t)x->exponent + 1;
        memcpy(at, x->digits, whole);
        at[whole] = '.';
        memcpy(at + whole + 1, x->digits + whole, count - whole);
        at += count + 1;
    }
    else {
        apr_size_t whole = (apr_size_t)x->exponent + 1;
        memcpy(at, x->digits, count);
        memset(at + count, '0', whole - count);
        at += whole;
    }
    return (apr_size_t)(at - out);
}

static void decimal_from(decimal_t *x, uint64_t n, int k)
{
    char digits[24];
    int count = (int)aur_number_write_u64(digits, n);

    x->exponent = count - 1 - k;
    x->count = count < DIGITS_MAX ? count : DIGITS_MAX;
    memcpy(x->digits, digits, (size_t)x->count);
    decimal_trim(x);
}

/* Steps 1 and 2. Returns whether d is within their reach: then d = n / 10^k, to the shortest. */
static int shortest_point(double d, uint64_t *n, int *k)
{
    if (d < 1e-7 || d >= TWO_53) {
        return 0;
    }
    if (shortest_quotient(d, n, k)) {
        return 1;
    }
#ifdef __SIZEOF_INT128__
    if (d >= 1e-4) {
        *n = shortest_exact(d, *k, k);
        return 1;
    }
#endif
    return 0;
}

void aur_number_shortest(decimal_t *x, double d)
{
    uint64_t n;
    int k;

    if (shortest_point(d, &n, &k)) {
        decimal_from(x, n, k);
    }
    else {
        shortest_by_printf(x, d);
    }
}

apr_size_t aur_double_write(char *out, double d)
{
    decimal_t x;
    uint64_t n;
    apr_size_t sign = d < 0;
    int k;

    if (!(fabs(d) <= 1.7976931348623157e308)) {
        const char *word = isnan(d) ? "NaN" : d < 0 ? "-Infinity" : "Infinity";
        apr_size_t len = strlen(word);
        memcpy(out, word, len);
        return len;
    }
    if (d == 0) {
        *out = '0';
        return 1;
    }
    if (sign) {
        *out++ = '-';
        d = -d;
    }
    if (shortest_point(d, &n, &k)) {
        return sign + write_point(out, n, k);
    }
    shortest_by_printf(&x, d);
    return sign + write_decimal(out, &x);
}
