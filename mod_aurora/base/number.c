#include "aurora/number.h"
#include "number_private.h"

#include <string.h>

#define NUMBER_TEXT_MAX 400

/* A valid number, taken apart: value = <whole>.<fraction> * 10^exponent. */
typedef struct parts_t {
    int negative;
    const char *whole, *fraction;
    apr_size_t nwhole, nfraction;
    apr_int64_t exponent; /* held within +-EXPONENT_MAX */
} parts_t;

/* Beyond it no digit of a number as long as a request may hold is left in reach. */
#define EXPONENT_MAX 1000000

static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                            "25262728293031323334353637383940414243444546474849"
                            "50515253545556575859606162636465666768697071727374"
                            "75767778798081828384858687888990919293949596979899";

static const uint64_t powers[20] = {1u,
                                    10u,
                                    100u,
                                    1000u,
                                    10000u,
                                    100000u,
                                    1000000u,
                                    10000000u,
                                    100000000u,
                                    1000000000u,
                                    10000000000u,
                                    100000000000u,
                                    1000000000000u,
                                    10000000000000u,
                                    100000000000000u,
                                    1000000000000000u,
                                    10000000000000000u,
                                    100000000000000000u,
                                    1000000000000000000u,
                                    10000000000000000000u};

static unsigned digit_count(uint64_t n)
{
    /* 1233/4096 is log10(2), near enough for 64 bits */
    unsigned guess = (64u - (unsigned)__builtin_clzll(n | 1)) * 1233u >> 12;

    return guess + ((n | 1) >= powers[guess]);
}

apr_size_t aur_number_write_u64(char *out, uint64_t n)
{
    unsigned count = digit_count(n);
    char *at = out + count;

    while (n >= 100) {
        unsigned pair = (unsigned)(n % 100);
        n /= 100;
        at -= 2;
        memcpy(at, pairs + 2 * pair, 2);
    }
    if (n >= 10) {
        memcpy(at - 2, pairs + 2 * n, 2);
    }
    else {
        at[-1] = (char)('0' + n);
    }
    return count;
}

apr_size_t aur_int_write(char *out, apr_int64_t i)
{
    if (i < 0) {
        *out = '-';
        return 1 + aur_number_write_u64(out + 1, 0 - (uint64_t)i);
    }
    return aur_number_write_u64(out, (uint64_t)i);
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static apr_size_t digit_run(const char *s, const char *end)
{
    const char *at = s;

    while (at < end && is_digit(*at)) {
        at++;
    }
    return (apr_size_t)(at - s);
}

static apr_size_t zeros_at_start(const char *s, apr_size_t len)
{
    apr_size_t n = 0;

    while (n < len && s[n] == '0') {
        n++;
    }
    return n;
}

static apr_size_t without_zeros_at_end(const char *s, apr_size_t len)
{
    while (len > 0 && s[len - 1] == '0') {
        len--;
    }
    return len;
}

static int parse_exponent(apr_int64_t *exponent, const char *s, const char *end)
{
    int negative = 0;
    apr_int64_t e = 0;

    if (s < end && (*s == '+' || *s == '-')) {
        negative = *s++ == '-';
    }
    if (s == end) {
        return 0;
    }
    for (; s < end; s++) {
        if (!is_digit(*s)) {
            return 0;
        }
        if (e < EXPONENT_MAX) {
            e = e * 10 + (*s - '0');
        }
    }
    e = e < EXPONENT_MAX ? e : EXPONENT_MAX;
    *exponent = negative ? -e : e;
    return 1;
}

static int parse(parts_t *out, const char *s, apr_size_t len)
{
    const char *end = s + len;

    memset(out, 0, sizeof(*out));
    if (len == 0 || len > NUMBER_TEXT_MAX) {
        return 0;
    }
    if (*s == '+' || *s == '-') {
        out->negative = *s++ == '-';
    }
    out->whole = s;
    out->nwhole = digit_run(s, end);
    if (out->nwhole == 0) {
        return 0;
    }
    s += out->nwhole;
    out->fraction = s;
    if (s < end && *s == '.') {
        out->fraction = ++s;
        out->nfraction = digit_run(s, end);
        if (out->nfraction == 0) {
            return 0;
        }
        s += out->nfraction;
    }
    if (s < end && (*s == 'e' || *s == 'E')) {
        return parse_exponent(&out->exponent, s + 1, end);
    }
    return s == end;
}

int aur_number_valid(const char *s, apr_size_t len)
{
    parts_t parts;

    return parse(&parts, s, len);
}

/* All digits of a number in one row, without zeros at the start: value = digits * 10^(point -
 * count). */
typedef struct row_t {
    char digits[NUMBER_TEXT_MAX];
    apr_int64_t count;
    apr_int64_t point; /* digits before the decimal point; may be negative or beyond count */
} row_t;

static void row_make(row_t *row, const parts_t *parts)
{
    char all[NUMBER_TEXT_MAX];
    apr_size_t n = parts->nwhole + parts->nfraction, zeros;

    memcpy(all, parts->whole, parts->nwhole);
    memcpy(all + parts->nwhole, parts->fraction, parts->nfraction);
    zeros = zeros_at_start(all, n);
    row->count = (apr_int64_t)(n - zeros);
    memcpy(row->digits, all + zeros, n - zeros);
    row->point = (apr_int64_t)parts->nwhole - (apr_int64_t)zeros + parts->exponent;
}

apr_size_t aur_number_canonical(char *out, apr_size_t size, const char *s, apr_size_t len)
{
    parts_t parts;
    row_t row;
    apr_int64_t whole, fraction, bytes;
    int nonzero;
    char *at = out;

    if (!parse(&parts, s, len)) {
        return 0;
    }
    row_make(&row, &parts);
    nonzero = row.count > 0;
    /* A zero shifted to the left is still one 0. */
    whole = nonzero && row.point > 0 ? row.point : 0;
    fraction = (apr_int64_t)parts.nfraction - parts.exponent;
    fraction = fraction > 0 ? fraction : 0;
    bytes = (parts.negative && nonzero) + (whole ? whole : 1) + (fraction ? 1 + fraction : 0);
    if ((apr_uint64_t)bytes > size) {
        return 0;
    }

    if (parts.negative && nonzero) {
        *at++ = '-';
    }
    if (whole == 0) {
        *at++ = '0';
    }
    else {
        apr_int64_t n = whole < row.count ? whole : row.count;
        memcpy(at, row.digits, (apr_size_t)n);
        memset(at + n, '0', (apr_size_t)(whole - n));
        at += whole;
    }
    if (fraction > 0) {
        apr_int64_t n = row.count - whole; /* the digits that are left stand at the very end */
        *at++ = '.';
        n = n > 0 ? n : 0;
        memset(at, '0', (apr_size_t)(fraction - n));
        memcpy(at + fraction - n, row.digits + row.count - n, (apr_size_t)n);
        at += fraction;
    }
    return (apr_size_t)(at - out);
}

int aur_number_to_int(const char *s, apr_size_t len, apr_int64_t *out)
{
    parts_t parts;
    row_t row;
    uint64_t n = 0, limit;
    apr_int64_t i;

    if (!parse(&parts, s, len)) {
        return 0;
    }
    row_make(&row, &parts);
    row.count = (apr_int64_t)without_zeros_at_end(row.digits, (apr_size_t)row.count);
    if (row.count == 0) {
        *out = 0;
        return 1;
    }
    if (row.point < row.count || row.point > 19) {
        return 0;
    }
    /* 19 digits never wrap 64 bits without a sign */
    for (i = 0; i < row.point; i++) {
        n = n * 10 + (i < row.count ? (uint64_t)(row.digits[i] - '0') : 0);
    }
    limit = (uint64_t)INT64_MAX + (uint64_t)parts.negative;
    if (n > limit) {
        return 0;
    }
    *out = !parts.negative ? (apr_int64_t)n : n == limit ? INT64_MIN : -(apr_int64_t)n;
    return 1;
}

/* The parts of a canonical decimal of any length (cell.h); no exponent, no superfluous zero. */
static int parse_canonical(parts_t *out, const char *s, apr_size_t len)
{
    const char *end = s + len;

    memset(out, 0, sizeof(*out));
    if (len > 0 && *s == '-') {
        s++;
    }
    out->whole = s;
    out->nwhole = digit_run(s, end);
    if (out->nwhole == 0 || (out->nwhole > 1 && *s == '0')) {
        return 0;
    }
    s += out->nwhole;
    out->fraction = s;
    if (s == end) {
        return 1;
    }
    out->fraction = ++s; /* behind the point */
    out->nfraction = digit_run(s, end);
    return s[-1] == '.' && out->nfraction > 0 && s + out->nfraction == end;
}

/* Significant digits of a canonical decimal into x, as many as fit.
 * Returns how many there are, counted no further than one more than fits. */
static int significant(decimal_t *x, const parts_t *parts)
{
    apr_size_t nwhole = parts->nwhole, nfraction = parts->nfraction, n;
    const char *whole = parts->whole, *fraction = parts->fraction;

    nfraction = without_zeros_at_end(fraction, nfraction);
    if (nwhole == 1 && *whole == '0') {
        n = zeros_at_start(fraction, nfraction);
        x->exponent = n < EXPONENT_MAX ? -(int)n - 1 : -EXPONENT_MAX;
        fraction += n;
        nfraction -= n;
        nwhole = 0;
    }
    else {
        x->exponent = nwhole < EXPONENT_MAX ? (int)nwhole - 1 : EXPONENT_MAX;
        if (nfraction == 0) {
            nwhole = without_zeros_at_end(whole, nwhole);
        }
    }
    if (nwhole > DIGITS_MAX || nfraction > DIGITS_MAX - nwhole) {
        return DIGITS_MAX + 1;
    }
    memcpy(x->digits, whole, nwhole);
    memcpy(x->digits + nwhole, fraction, nfraction);
    x->count = (int)(nwhole + nfraction);
    x->digits[x->count] = '\0';
    return x->count;
}

int aur_decimal_is_double(const char *s, apr_size_t len)
{
    parts_t parts;
    decimal_t x, back;
    double d;

    if (!parse_canonical(&parts, s, len) || significant(&x, &parts) > DIGITS_MAX) {
        return 0;
    }
    if (x.count == 0) {
        return 1;
    }
    /* 15 digits always survive where doubles have their full precision */
    if (x.count <= 15 && x.exponent >= -300 && x.exponent <= 300) {
        return 1;
    }
    if (x.exponent < -330 || x.exponent > 308) {
        return 0;
    }
    d = aur_number_to_double(&x);
    if (d == 0 || d > 1.7976931348623157e308) {
        return 0;
    }
    /* What a reader shows of a double is its shortest form: that must be these very digits. */
    aur_number_shortest(&back, d);
    return back.exponent == x.exponent && !strcmp(back.digits, x.digits);
}
