/* number_private.h - shared by number.c and number_double.c. */
#ifndef AURORA_NUMBER_PRIVATE_H
#define AURORA_NUMBER_PRIVATE_H

#include <apr.h>
#include <stdint.h>

/* The digits that tell any double from its neighbours. */
#define DIGITS_MAX 17

/* A positive decimal d.ddd * 10^exponent; the first digit is not 0. */
typedef struct decimal_t {
    char digits[DIGITS_MAX + 1]; /* NUL-terminated, no trailing zeros (one digit at least) */
    int count;
    int exponent; /* of the first digit */
} decimal_t;

/* 10^0 .. 10^22: every power of ten that a double holds exactly. */
extern const double aur_number_pow10[23];

/* Write n in decimal. Returns bytes, at most 20. */
apr_size_t aur_number_write_u64(char *out, uint64_t n);

/* The double that is nearest to x. Locale-free: strtod never sees a decimal point. */
double aur_number_to_double(const decimal_t *x);

/* The shortest decimal that reads back as d, which is positive and finite. */
void aur_number_shortest(decimal_t *x, double d);

#endif
