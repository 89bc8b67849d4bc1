/* number.h - numbers as text: exact, locale-free, fast. Knows APR only. */
#ifndef AURORA_NUMBER_H
#define AURORA_NUMBER_H

#include <apr.h>

#define AUR_INT_TEXT_MAX    20 /* "-9223372036854775808" */
#define AUR_DOUBLE_TEXT_MAX 32 /* shortest round-trip form, "-Infinity" included */

/** Write i in decimal at out (room for AUR_INT_TEXT_MAX). @return bytes written, no NUL */
apr_size_t aur_int_write(char *out, apr_int64_t i);

/** Write the shortest decimal text that parses back to exactly d (room for AUR_DOUBLE_TEXT_MAX).
 * Plain digits for 1e-7 <= |d| < 1e21, else d.ddde[+-]x; integral values carry no ".0"; -0 is "0";
 * NaN, Infinity, -Infinity. @return bytes written, no NUL */
apr_size_t aur_double_write(char *out, double d);

/** Does the canonical decimal s[0..len) survive a trip through an IEEE double, i.e. may it stand in
 * JSON as a number without losing a digit? True for up to 15 significant digits in range; 16 and 17
 * must be the shortest form of their double, which is what a reader prints; false beyond, for NaN and
 * infinities and for text that is no canonical decimal: what passes is a valid JSON number. */
int aur_decimal_is_double(const char *s, apr_size_t len);

/** Is s[0..len) a number as requests may write it: [+-]digits[.digits][(e|E)[+-]digits], at least one
 * digit in each place, at most 400 bytes? No spaces, hex, NaN, ".5" or "5.". */
int aur_number_valid(const char *s, apr_size_t len);

/** Rewrite the valid number s in canonical decimal form (cell.h, AUR_V_DECIMAL): the exponent expanded,
 * '+' and superfluous leading zeros dropped, trailing zeros of the fraction kept, "-0" as "0".
 * @param size  room at out in bytes
 * @return bytes written, no NUL; 0 when it does not fit (more than size digits) */
apr_size_t aur_number_canonical(char *out, apr_size_t size, const char *s, apr_size_t len);

/** If the valid number s is a whole number that fits, store it in *out.  @return whether */
int aur_number_to_int(const char *s, apr_size_t len, apr_int64_t *out);

#endif
