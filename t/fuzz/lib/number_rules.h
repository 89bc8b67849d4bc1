/* number_rules.h - numbers as text, read a second time: what two of them have in common is compared by their
 * digits, without arithmetic. */
#ifndef AURORA_FUZZ_NUMBER_RULES_H
#define AURORA_FUZZ_NUMBER_RULES_H

#include <apr_pools.h>

/** [+-]digits[.digits][(e|E)[+-]digits]? */
int number_is(const char *s, apr_size_t len);
/** -?digits[.digits]? */
int number_is_canonical(const char *s, apr_size_t len);
/** The value in a form that equal numbers share: "-123e-2", no zeros at either end; "0". s must be a number. */
const char *number_normal(const char *s, apr_size_t len, apr_pool_t *p);
/** Digits that count. */
int number_digits(const char *s, apr_size_t len, apr_pool_t *p);

/** Does a reader that keeps numbers in doubles, and writes them as short as may be, show the very same digits? */
int number_survives(const char *s, apr_size_t len, apr_pool_t *p);

/** A timestamp by its shape as the contract writes it: `sep` between date and time, the zone as Z or +HH:MM.
 * @param zoned  a zone must stand there; else none may
 * @return NULL when it is none */
const char *timestamp_normal(const char *s, apr_size_t len, char sep, int zoned, apr_pool_t *p);

#endif
