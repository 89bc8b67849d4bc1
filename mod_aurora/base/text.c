#include "aurora/text.h"

#include <locale.h>
#include <stdint.h>
#include <string.h>
#include <wctype.h>

#define HIGH_BITS UINT64_C(0x8080808080808080)

/* The letters of Unicode, whatever locale the server runs in; 0 where C.UTF-8 is missing. Opened
 * and closed with the object that holds this code, so neither threads nor reloads of a module
 * matter. */
static locale_t letters;

__attribute__((constructor)) static void letters_open(void)
{
    letters = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

__attribute__((destructor)) static void letters_close(void)
{
    if (letters) {
        freelocale(letters);
        letters = (locale_t)0;
    }
}

/* Length of the run of ASCII at the start of s. */
static apr_size_t ascii_run(const char *s, apr_size_t len)
{
    apr_size_t n = 0;

    while (len - n >= 8) {
        uint64_t word;
        memcpy(&word, s + n, 8);
        if (word & HIGH_BITS) {
            break;
        }
        n += 8;
    }
    while (n < len && !(s[n] & 0x80)) {
        n++;
    }
    return n;
}

static int is_tail(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

apr_size_t aur_utf8_char(const char *text, apr_size_t len)
{
    const unsigned char *s = (const unsigned char *)text;

    if (len == 0) {
        return 0;
    }
    if (s[0] < 0x80) {
        return 1;
    }
    if (s[0] < 0xc2 || len < 2 || !is_tail(s[1])) {
        return 0;
    }
    if (s[0] < 0xe0) {
        return 2;
    }
    if (len < 3 || !is_tail(s[2])) {
        return 0;
    }
    if (s[0] < 0xf0) {
        int overlong = s[0] == 0xe0 && s[1] < 0xa0;
        int surrogate = s[0] == 0xed && s[1] > 0x9f;
        return overlong || surrogate ? 0 : 3;
    }
    if (s[0] > 0xf4 || len < 4 || !is_tail(s[3])) {
        return 0;
    }
    if ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f)) {
        return 0;
    }
    return 4;
}

/* Is there any way to complete the n bytes at s? The second byte of some characters must be low, of others high. */
static int is_beginning(const char *s, apr_size_t n)
{
    char low[4], high[4];

    memset(low, 0x80, sizeof(low));
    memset(high, 0xbf, sizeof(high));
    memcpy(low, s, n);
    memcpy(high, s, n);
    return aur_utf8_char(low, sizeof(low)) > n || aur_utf8_char(high, sizeof(high)) > n;
}

apr_size_t aur_utf8_open(const char *s, apr_size_t len)
{
    apr_size_t n = 1;

    while (n <= 3 && n <= len && is_tail((unsigned char)s[len - n])) {
        n++;
    }
    return n <= 3 && n <= len && is_beginning(s + len - n, n) ? n : 0;
}

int aur_utf8_valid(const char *s, apr_size_t len)
{
    apr_size_t n;

    for (;;) {
        n = ascii_run(s, len);
        s += n;
        len -= n;
        if (len == 0) {
            return 1;
        }
        n = aur_utf8_char(s, len);
        if (n == 0) {
            return 0;
        }
        s += n;
        len -= n;
    }
}

apr_size_t aur_utf8_clip(const char *s, apr_size_t len, apr_size_t max)
{
    apr_size_t n = max;

    if (len <= max) {
        return len;
    }
    while (n > 0 && max - n < 3 && is_tail((unsigned char)s[n])) {
        n--;
    }
    /* More tail bytes than a character has: not UTF-8, so there is no boundary to respect. */
    return is_tail((unsigned char)s[n]) ? max : n;
}

/* The character of n (2..4) well-formed bytes at text. */
static uint32_t decode(const char *text, apr_size_t n)
{
    const unsigned char *s = (const unsigned char *)text;
    uint32_t c = s[0] & (0x7fu >> n);
    apr_size_t i;

    for (i = 1; i < n; i++) {
        c = c << 6 | (s[i] & 0x3fu);
    }
    return c;
}

static apr_size_t encode(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* Fold one character of n (2..4) well-formed bytes. */
static apr_size_t fold_char(char *out, const char *s, apr_size_t n)
{
    if (letters) {
        char folded[4];
        uint32_t c = (uint32_t)towlower_l((wint_t)decode(s, n), letters);
        apr_size_t m = encode(folded, c);
        if (m <= n + n / 2) { /* what aur_casefold_bound promises; no known letter grows more */
            memcpy(out, folded, m);
            return m;
        }
    }
    memcpy(out, s, n);
    return n;
}

apr_size_t aur_casefold_bound(apr_size_t len)
{
    /* Two bytes may become three (U+023A). No object is so long that this wraps. */
    return len + len / 2;
}

apr_size_t aur_casefold_into(char *out, const char *s, apr_size_t len)
{
    char *at = out;
    apr_size_t i = 0;

    while (i < len) {
        unsigned char c = (unsigned char)s[i];
        apr_size_t n;
        if (c < 0x80) {
            *at++ = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
            i++;
            continue;
        }
        n = aur_utf8_char(s + i, len - i);
        if (n == 0) {
            *at++ = s[i++];
            continue;
        }
        at += fold_char(at, s + i, n);
        i += n;
    }
    return (apr_size_t)(at - out);
}

const char *aur_casefold(const char *s, apr_size_t len, apr_size_t *out_len, apr_pool_t *p)
{
    char *out = apr_palloc(p, aur_casefold_bound(len) + 1);
    apr_size_t n = aur_casefold_into(out, s, len);

    out[n] = '\0';
    if (out_len) {
        *out_len = n;
    }
    return out;
}
