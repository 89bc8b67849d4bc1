/* text: UTF-8 checked by the letter of RFC 3629, case folded the same everywhere. */
#include "aurora/text.h"
#include "tap.h"

#include <apr_general.h>
#include <stdlib.h>

static const struct {
    const char *s;
    apr_size_t len;
    int valid;
    const char *name;
} utf8[] = {
    {"", 0, 1, "nothing"},
    {"abc", 3, 1, "ASCII"},
    {"a\0b", 3, 1, "a NUL"},
    {"\xc3\xa9", 2, 1, "two bytes"},
    {"\xe2\x82\xac", 3, 1, "three bytes"},
    {"\xf0\x9f\x98\x80", 4, 1, "four bytes"},
    {"\xf4\x8f\xbf\xbf", 4, 1, "U+10FFFF"},
    {"\xf4\x90\x80\x80", 4, 0, "U+110000"},
    {"\xed\x9f\xbf", 3, 1, "U+D7FF"},
    {"\xed\xa0\x80", 3, 0, "a surrogate"},
    {"\xed\xbf\xbf", 3, 0, "the last surrogate"},
    {"\xee\x80\x80", 3, 1, "U+E000"},
    {"\xc0\x80", 2, 0, "overlong NUL"},
    {"\xc1\xbf", 2, 0, "overlong in two"},
    {"\xe0\x9f\xbf", 3, 0, "overlong in three"},
    {"\xe0\xa0\x80", 3, 1, "the first in three"},
    {"\xf0\x8f\xbf\xbf", 4, 0, "overlong in four"},
    {"\xf0\x90\x80\x80", 4, 1, "the first in four"},
    {"\x80", 1, 0, "a lone tail byte"},
    {"\xc3", 1, 0, "cut after one of two"},
    {"\xe2\x82", 2, 0, "cut after two of three"},
    {"\xf0\x9f\x98", 3, 0, "cut after three of four"},
    {"\xc3\x28", 2, 0, "a head without its tail"},
    {"\xf5\x80\x80\x80", 4, 0, "head F5"},
    {"\xff", 1, 0, "FF"},
    {"\xfe", 1, 0, "FE"},
    {"12345678\xc3\xa9"
     "12345678\xff",
     19, 0, "one bad byte behind good ones"},
    {"12345678\xc3\xa9"
     "1234567812345\xc3\xa9",
     25, 1, "good ones at odd places"},
};

static void test_valid(void)
{
    apr_size_t i;

    for (i = 0; i < sizeof(utf8) / sizeof(utf8[0]); i++) {
        /* an exact copy, so that a sanitizer sees a read too far */
        char *copy = malloc(utf8[i].len ? utf8[i].len : 1);
        memcpy(copy, utf8[i].s, utf8[i].len);
        is_int(aur_utf8_valid(copy, utf8[i].len), utf8[i].valid, utf8[i].name);
        free(copy);
    }
    is_int((long long)aur_utf8_char("", 0), 0, "no character in nothing");
    is_int((long long)aur_utf8_char("\xe2\x82\xac!", 4), 3, "one character's length");
    is_int((long long)aur_utf8_char("\xe2\x82", 2), 0, "no length for half a character");
}

static int encode(char *out, unsigned c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}

/* Every scalar value is valid and nothing else is; folding keeps text valid and within the bound.
 */
static void test_every_character(void)
{
    unsigned c;
    int wrong = 0, spoilt = 0, unstable = 0;

    for (c = 0; c <= 0x110000; c++) {
        char s[8], folded[16], again[24];
        int n = encode(s, c), scalar = c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
        apr_size_t m, k;
        wrong += aur_utf8_valid(s, (apr_size_t)n) != scalar;
        m = aur_casefold_into(folded, s, (apr_size_t)n);
        spoilt += m > aur_casefold_bound((apr_size_t)n) || aur_utf8_valid(folded, m) != scalar;
        k = aur_casefold_into(again, folded, m);
        unstable += k != m || memcmp(again, folded, m) != 0;
    }
    is_int(wrong, 0, "exactly the scalar values are UTF-8");
    is_int(spoilt, 0, "folding keeps them UTF-8 and within the bound");
    is_int(unstable, 0, "folding twice is folding once");
}

/* Each beginning of each character is open, and nothing else is: not the whole, not what no byte can make one. */
static void test_open(void)
{
    static const struct {
        const char *s;
        int open;
    } cases[] = {
        {"", 0},
        {"a", 0},
        {"\x80\x80\x80\x80", 0},
        {"ab\xc1", 0},
        {"\xf5", 0},
        {"x\xe0\x9f", 0},
        {"x\xed\xa0", 0},
        {"\xf0\x8f", 0},
        {"\xf4\x90\x80", 0},
        {"\xf0\x9f\x98\x80\xf0\x9f", 2},
        {"\xe2\x82\xc3", 1},
    };
    unsigned c;
    int wrong = 0;
    apr_size_t i;

    for (c = 0; c <= 0x10ffff; c++) {
        char s[8] = "ab";
        int n = encode(s + 2, c), k;
        for (k = 1; k <= n && (c < 0xd800 || c > 0xdfff); k++) {
            wrong += aur_utf8_open(s, (apr_size_t)k + 2) != (apr_size_t)(k < n ? k : 0);
        }
    }
    is_int(wrong, 0, "the beginnings of all characters are open, the whole ones are not");
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        is_int((long long)aur_utf8_open(cases[i].s, strlen(cases[i].s)), cases[i].open,
               "what could still become a character");
    }
}

static void test_clip(void)
{
    static const char s[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z"; /* 1+2+3+4+1 */
    static const int want[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
    apr_size_t max;

    for (max = 0; max < sizeof(want) / sizeof(want[0]); max++) {
        is_int((long long)aur_utf8_clip(s, 11, max), want[max], "clipped at a boundary");
    }
    is_int((long long)aur_utf8_clip("\x80\x80\x80\x80\x80\x80", 6, 4), 4,
           "bytes that are no UTF-8 are clipped where asked");
    is_int((long long)aur_utf8_clip("", 0, 0), 0, "nothing clips to nothing");
}

static void test_fold(apr_pool_t *p)
{
    static const struct {
        const char *in, *out;
    } pairs[] = {
        {"ABC xyz 09_[", "abc xyz 09_["},
        {"@[`{", "@[`{"},
        {"\xc3\x84RGER", "\xc3\xa4rger"},
        {"\xce\x91\xce\xa9", "\xce\xb1\xcf\x89"},
        {"\xd0\x96\xd0\xaf", "\xd0\xb6\xd1\x8f"},
        {"STRA\xc3\x9f"
         "E",
         "stra\xc3\x9f"
         "e"},
        {"\xe6\x97\xa5\xe6\x9c\xac", "\xe6\x97\xa5\xe6\x9c\xac"},
        {"\xc8\xba", "\xe2\xb1\xa5"}, /* two bytes become three */
        {"A\xff"
         "B\xc3",
         "a\xff"
         "b\xc3"},
        {"", ""},
    };
    apr_size_t i, len;

    for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        const char *got = aur_casefold(pairs[i].in, strlen(pairs[i].in), &len, p);
        is_mem(got, len, pairs[i].out, pairs[i].in);
        ok(got[len] == '\0', "  with a NUL behind it");
    }
    is_str(aur_casefold("XYZ", 3, NULL, p), "xyz", "the length may be left out");
    (void)aur_casefold("A\0B", 3, &len, p);
    is_int((long long)len, 3, "a NUL inside is a character");
}

int main(void)
{
    apr_pool_t *p;

    apr_initialize();
    apr_pool_create(&p, NULL);
    test_valid();
    test_every_character();
    test_open();
    test_clip();
    test_fold(p);
    apr_pool_destroy(p);
    apr_terminate();
    return tap_done();
}
