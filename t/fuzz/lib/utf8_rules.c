/* utf8_rules.c - see utf8_rules.h. */
#include "utf8_rules.h"

#include <string.h>

uint32_t utf8_point(apr_size_t *bytes, const char *s, apr_size_t len)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *u = (const unsigned char *)s;
    apr_size_t n = u[0] < 0x80 ? 1 : u[0] < 0xc0 ? 0 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4, i;
    uint32_t point;

    *bytes = 1;
    if (n == 1) {
        return u[0];
    }
    if (n == 0 || u[0] >= 0xf8 || n > len) {
        return UTF8_BAD;
    }
    point = u[0] & (0xffu >> (n + 1));
    for (i = 1; i < n; i++) {
        if ((u[i] & 0xc0) != 0x80) {
            return UTF8_BAD;
        }
        point = point << 6 | (u[i] & 0x3f);
    }
    if (point < least[n] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
        return UTF8_BAD;
    }
    *bytes = n;
    return point;
}

int utf8_whole(const char *s, apr_size_t len)
{
    apr_size_t n;

    for (; len > 0; s += n, len -= n) {
        if (utf8_point(&n, s, len) == UTF8_BAD) {
            return 0;
        }
    }
    return 1;
}

fuzz_text_t utf8_mended(const char *s, apr_size_t len, apr_pool_t *p)
{
    char *out = apr_palloc(p, 3 * len + 1), *at = out;
    apr_size_t n;
    fuzz_text_t text;

    for (; len > 0; s += n, len -= n) {
        if (utf8_point(&n, s, len) == UTF8_BAD) {
            memcpy(at, "\xef\xbf\xbd", 3);
            at += 3;
        }
        else {
            memcpy(at, s, n);
            at += n;
        }
    }
    *at = '\0';
    text.s = out;
    text.len = (apr_size_t)(at - out);
    return text;
}
