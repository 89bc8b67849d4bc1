/* utf8_rules.h - UTF-8 read a second time, by code points (RFC 3629), for the targets alone. */
#ifndef AURORA_FUZZ_UTF8_RULES_H
#define AURORA_FUZZ_UTF8_RULES_H

#include <apr_pools.h>
#include <stdint.h>

#include "fuzz.h"

#define UTF8_BAD UINT32_MAX

/** The code point that s[0..len) begins with, and its bytes; UTF8_BAD and 1 for a byte that begins none.
 * len must not be 0. */
uint32_t utf8_point(apr_size_t *bytes, const char *s, apr_size_t len);
int utf8_whole(const char *s, apr_size_t len);
/** Each bad byte as U+FFFD. */
fuzz_text_t utf8_mended(const char *s, apr_size_t len, apr_pool_t *p);

#endif
