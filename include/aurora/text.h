/* text.h - text from outside: validation, case, lengths. Knows APR only. */
#ifndef AURORA_TEXT_H
#define AURORA_TEXT_H

#include <apr_pools.h>

/** Is s[0..len) well-formed UTF-8 (RFC 3629: no overlong forms, surrogates or values past
 * U+10FFFF)? NUL bytes count as characters. */
int aur_utf8_valid(const char *s, apr_size_t len);

/** Length in bytes (1..4) of the well-formed character that s[0..len) begins with; 0 when it begins with
 * none, or is empty. */
apr_size_t aur_utf8_char(const char *s, apr_size_t len);

/** Bytes (0..3) at the end of s[0..len) that are the beginning of a character whose rest may follow. */
apr_size_t aur_utf8_open(const char *s, apr_size_t len);

/** The longest prefix of s[0..len) that is at most max bytes and ends on a character boundary. */
apr_size_t aur_utf8_clip(const char *s, apr_size_t len, apr_size_t max);

/** Fold the case of UTF-8 text for comparison: simple lower-casing of every letter the C.UTF-8
 * locale knows, ASCII alone where that locale is missing. Malformed bytes stay as they are.
 * The same function folds catalogue names, `ignore_case` values and, in SQLite, columns.
 * @param out_len  may be NULL
 * @return NUL-terminated, from p. Thread-safe. */
const char *aur_casefold(const char *s, apr_size_t len, apr_size_t *out_len, apr_pool_t *p);

/** As aur_casefold, into a caller's buffer of at least aur_casefold_bound(len) bytes.
 * @return bytes written (no NUL is added) */
apr_size_t aur_casefold_into(char *out, const char *s, apr_size_t len);
/** Bytes that aur_casefold_into may need for len bytes of input. */
apr_size_t aur_casefold_bound(apr_size_t len);

#endif
