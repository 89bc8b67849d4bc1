/* number: exact, shortest, locale-free. */
#include "aurora/number.h"
#include "tap.h"

#include <apr_general.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

static uint64_t seed = 88172645463325252u;

static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static double from_bits(uint64_t bits)
{
    double d;
    memcpy(&d, &bits, sizeof(d));
    return d;
}

static void test_ints(void)
{
    static const struct {
        apr_int64_t i;
        const char *want;
    } cases[] = {{0, "0"},
                 {7, "7"},
                 {-7, "-7"},
                 {10, "10"},
                 {99, "99"},
                 {100, "100"},
                 {-1000, "-1000"},
                 {INT64_MAX, "9223372036854775807"},
                 {INT64_MIN, "-9223372036854775808"}};
    char out[AUR_INT_TEXT_MAX + 1], want[32];
    apr_size_t i, n;
    apr_int64_t power = 1;
    int good = 1;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        n = aur_int_write(out, cases[i].i);
        is_mem(out, n, cases[i].want, cases[i].want);
    }
    for (i = 0; i < 19; i++, power = i < 19 ? power * 10 : power) {
        apr_int64_t near[3] = {power - 1, power, power + 1};
        int j;
        for (j = 0; j < 3; j++) {
            (void)snprintf(want, sizeof(want), "%lld", (long long)near[j]);
            out[aur_int_write(out, near[j])] = '\0';
            good &= !strcmp(out, want);
        }
    }
    for (i = 0; i < 1000000; i++) {
        apr_int64_t v = (apr_int64_t)next_random() >> (next_random() % 64);
        (void)snprintf(want, sizeof(want), "%lld", (long long)v);
        out[aur_int_write(out, v)] = '\0';
        good &= !strcmp(out, want);
    }
    ok(good, "integers of every length print as printf does");
}

static void test_double_forms(void)
{
    static const struct {
        double d;
        const char *want;
    } cases[] = {{0.0, "0"},
                 {-0.0, "0"},
                 {1.0, "1"},
                 {-1.5, "-1.5"},
                 {0.1, "0.1"},
                 {0.01, "0.01"},
                 {-0.07, "-0.07"},
                 {12.50, "12.5"},
                 {1234567.89, "1234567.89"},
                 {0.1 + 0.2, "0.30000000000000004"},
                 {1.0 / 3, "0.3333333333333333"},
                 {9007199254740991.0, "9007199254740991"},
                 {9007199254740992.0, "9007199254740992"},
                 {123456789012345680.0, "123456789012345680"},
                 {1e20, "100000000000000000000"},
                 {1e21, "1e+21"},
                 {-1.25e30, "-1.25e+30"},
                 {1e-7, "0.0000001"},
                 {1.5e-7, "0.00000015"},
                 {9.9e-8, "9.9e-8"},
                 {1e-300, "1e-300"},
                 {5e-324, "5e-324"},
                 {DBL_MIN, "2.2250738585072014e-308"},
                 {DBL_MAX, "1.7976931348623157e+308"},
                 {5.684341886080802e-14, "5.684341886080802e-14"},
                 {4503599627370495.5, "4503599627370495.5"},
                 {999999999999999.9, "999999999999999.9"},
                 {0.9999999999999999, "0.9999999999999999"},
                 {NAN, "NaN"},
                 {INFINITY, "Infinity"},
                 {-INFINITY, "-Infinity"}};
    char out[AUR_DOUBLE_TEXT_MAX];
    apr_size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        apr_size_t n = aur_double_write(out, cases[i].d);
        is_mem(out, n, cases[i].want, cases[i].want);
    }
}

/* Significant digits of printed text. */
static int digits_of(const char *s)
{
    int n = 0, zeros = 0;

    for (; *s && *s != 'e'; s++) {
        if (*s >= '0' && *s <= '9' && (n > 0 || *s != '0')) {
            n++;
            zeros = *s == '0' ? zeros + 1 : 0;
        }
    }
    return n - zeros;
}

/* Is there a decimal of n digits that reads back as d? The nearest one and its two neighbours. */
static int digits_suffice(double d, int n)
{
    char text[64], near[64];
    char *e, *at;
    long long whole;
    int step;

    (void)snprintf(text, sizeof(text), "%.*e", n - 1, fabs(d));
    e = strchr(text, 'e');
    for (whole = 0, at = text; at < e; at++) {
        whole = *at == '.' ? whole : whole * 10 + (*at - '0');
    }
    for (step = -1; step <= 1; step++) {
        (void)snprintf(near, sizeof(near), "%llde%d", whole + step, atoi(e + 1) - (n - 1));
        if (strtod(near, NULL) == fabs(d)) {
            return 1;
        }
    }
    return 0;
}

/* The digits of a number, without zeros that say nothing. */
static void digits_only(char *to, const char *s)
{
    char *end = to;

    for (; *s && *s != 'e'; s++) {
        if (*s >= '0' && *s <= '9' && (*s != '0' || end > to)) {
            *end++ = *s;
        }
    }
    while (end > to && end[-1] == '0') {
        end--;
    }
    *end = '\0';
}

/* Several texts of as many digits may read back as d: is this the nearest, as printf rounds? Beside a power of two the
 * nearest may not read back. */
static int is_nearest(const char *out, double d, int digits)
{
    char text[64], nearest[64] = "", got[64] = "";

    (void)snprintf(text, sizeof(text), "%.*e", digits > 1 ? digits - 1 : 0, d);
    digits_only(nearest, text);
    digits_only(got, out);
    return strtod(text, NULL) != d || !strcmp(nearest, got);
}

/* Does d print to text that reads back exactly, is valid in length and form, shortest, and the nearest of those? */
static int double_holds(double d, int check_shortest)
{
    char out[AUR_DOUBLE_TEXT_MAX + 1];
    apr_size_t len = aur_double_write(out, d);
    int digits;

    if (len > AUR_DOUBLE_TEXT_MAX) {
        printf("# %a takes %d bytes\n", d, (int)len);
        return 0;
    }
    out[len] = '\0';
    if (!aur_number_valid(out, len) || strtod(out, NULL) != d) {
        printf("# %a gave %s\n", d, out);
        return 0;
    }
    digits = digits_of(out);
    if (digits > 17 || (check_shortest && digits > 1 && digits_suffice(d, digits - 1))) {
        printf("# %a gave %s: not the shortest\n", d, out);
        return 0;
    }
    if (check_shortest && !is_nearest(out, d, digits)) {
        printf("# %a gave %s: not the nearest\n", d, out);
        return 0;
    }
    return 1;
}

static void test_double_round_trip(void)
{
    int i, bad = 0;

    for (i = 0; i < 2000000; i++) {
        double d = from_bits(next_random());
        bad += isfinite(d) && !double_holds(d, i < 300000);
    }
    is_int(bad, 0, "random bit patterns read back exactly and are shortest");
    for (i = 0, bad = 0; i < 2000000; i++) {
        double d = (double)(apr_int64_t)next_random() * pow(10, -(int)(next_random() % 30));
        bad += !double_holds(d, i < 300000);
    }
    is_int(bad, 0, "random decimals of everyday size read back exactly and are shortest");
    for (i = 0, bad = 0; i < 2000000; i++) {
        int places = (int)(next_random() % 8);
        apr_int64_t n = (apr_int64_t)(next_random() % 10000000000000) - 5000000000000;
        char want[64];
        double d;
        (void)snprintf(want, sizeof(want), "%llde-%d", (long long)n, places);
        d = strtod(want, NULL);
        bad += !double_holds(d, 0) || digits_of(want) > 13;
    }
    is_int(bad, 0, "amounts with up to seven places read back exactly");
    for (i = 0, bad = 0; i < 300000; i++) {
        double d = (double)(apr_int64_t)(next_random() % 100000000000000000) /
                   pow(10, (int)(next_random() % 12));
        bad += !double_holds(d, 1);
    }
    is_int(bad, 0, "of several texts with 16 digits the nearest is taken");
    for (i = -1074, bad = 0; i < 1024; i++) {
        double d = ldexp(1, i);
        bad += !double_holds(d, 1) + !double_holds(nextafter(d, 0) == 0 ? d : nextafter(d, 0), 1) +
               !double_holds(nextafter(d, INFINITY) == INFINITY ? d : nextafter(d, INFINITY), 1);
    }
    is_int(bad, 0, "powers of two and their neighbours are exact and shortest");
    for (i = -320, bad = 0; i <= 308; i++) {
        char text[16];
        double d;
        (void)snprintf(text, sizeof(text), "1e%d", i);
        d = strtod(text, NULL);
        bad += !double_holds(d, 1) + !double_holds(nextafter(d, 0), 1) +
               !double_holds(nextafter(d, INFINITY), 1);
    }
    is_int(bad, 0, "powers of ten and their neighbours are exact and shortest");
}

static void test_decimal_is_double(void)
{
    /* both read back as the same double, which prints as the first */
    static const char near[] = "75559264794.83253", far[] = "75559264794.83254";
    static const struct {
        const char *s;
        int want;
    } cases[] = {{"0", 1},
                 {"-0", 1},
                 {"0.000", 1},
                 {"0.1", 1},
                 {"12.50", 1},
                 {"-12.5000000000000000000000", 1},
                 {"100000000000000000000000000000", 1},
                 {"999999999999999", 1},
                 {"9007199254740992", 1},
                 {"9007199254740993", 0},
                 {"9007199254740994", 1},
                 {"0.3333333333333333", 1},
                 {"0.33333333333333333", 0},
                 {"0.30000000000000004", 1},
                 {"0.30000000000000005", 0},
                 {"123456789012345678", 0},
                 {"123456789012345678.00", 0},
                 {"123456789012345680", 1},
                 {"123456789012345678901234567890", 0},
                 {"0.00000000000000000000000000000000000000000000000000001", 1},
                 {"NaN", 0},
                 {"Infinity", 0},
                 {"-Infinity", 0},
                 {"", 0},
                 {"-", 0},
                 {".5", 0},
                 {"5.", 0},
                 {"007", 0},
                 {"+1", 0},
                 {"1e5", 0},
                 {"1 ", 0},
                 {"--1", 0}};
    char big[500];
    apr_size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        is_int(aur_decimal_is_double(cases[i].s, strlen(cases[i].s)), cases[i].want, cases[i].s);
    }
    memset(big, '0', sizeof(big));
    big[0] = '1';
    is_int(aur_decimal_is_double(big, 309), 1, "10^308 is a double");
    is_int(aur_decimal_is_double(big, 310), 0, "10^309 is none");
    is_int(aur_decimal_is_double(big, 500), 0, "10^499 is none");
    memcpy(big, "0.", 2);
    big[499] = '1';
    is_int(aur_decimal_is_double(big, 500), 0, "10^-498 is none");
    big[324] = '1';
    is_int(aur_decimal_is_double(near, sizeof(near) - 1), 1, "the digits a double prints");
    is_int(aur_decimal_is_double(far, sizeof(far) - 1), 0, "others that it reads alike");
    is_int(aur_decimal_is_double(big, 325), 1, "10^-323 is a double, and its shortest form");
    big[324] = '0';
    big[325] = '1';
    is_int(aur_decimal_is_double(big, 326), 0, "10^-324 is none");
}

static void test_valid(void)
{
    static const char *const good[] = {"0",
                                       "-0",
                                       "+1",
                                       "00012",
                                       "1.5",
                                       "1e5",
                                       "1E+5",
                                       "1.5e-3",
                                       "-12.50",
                                       "1e400",
                                       "1e-999999999999999999999"};
    static const char *const bad[] = {"",    "+",    "-",     ".",    ".5",   "5.",   "1e",  "1e+",
                                      "e5",  "--1",  "+-1",   " 1",   "1 ",   "0x10", "NaN", "inf",
                                      "1,5", "1_00", "1.2.3", "1e5.", "1.e5", "١"};
    char digits[401];
    apr_size_t i;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        ok(aur_number_valid(good[i], strlen(good[i])), "%s is a number", good[i]);
    }
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ok(!aur_number_valid(bad[i], strlen(bad[i])), "'%s' is none", bad[i]);
    }
    ok(!aur_number_valid("1\0", 2), "a NUL is no part of a number");
    memset(digits, '7', sizeof(digits));
    ok(aur_number_valid(digits, 400), "400 digits are a number");
    ok(!aur_number_valid(digits, 401), "401 are too many");
}

static void test_canonical(void)
{
    static const struct {
        const char *s;
        apr_size_t size;
        const char *want; /* "" when it does not fit */
    } cases[] = {{"1e5", 64, "100000"},
                 {"1.5e-3", 64, "0.0015"},
                 {"00012", 64, "12"},
                 {"+12", 64, "12"},
                 {"-0", 64, "0"},
                 {"-0.00", 64, "0.00"},
                 {"-0e5", 64, "0"},
                 {"0e-3", 64, "0.000"},
                 {"000.500", 64, "0.500"},
                 {"12.50", 64, "12.50"},
                 {"1.50e1", 64, "15.0"},
                 {"1.50e2", 64, "150"},
                 {"1.50e3", 64, "1500"},
                 {"-1.5E+0", 64, "-1.5"},
                 {"0.00012e2", 64, "0.012"},
                 {"123456e-3", 64, "123.456"},
                 {"123456e-9", 64, "0.000123456"},
                 {"1e400", 64, ""},
                 {"1e400", 401, NULL},
                 {"1e400", 400, ""},
                 {"1e-400", 64, ""},
                 {"1e99999999999999999999", 64, ""},
                 {"1e-99999999999999999999", 64, ""},
                 {"0e99999999999999999999", 64, "0"},
                 {"12345", 5, "12345"},
                 {"12345", 4, ""},
                 {"-12345", 5, ""},
                 {"1.5", 3, "1.5"},
                 {"1.5", 2, ""},
                 {"-0", 1, "0"},
                 {"1", 0, ""}};
    char out[512];
    apr_size_t i, n;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memset(out, '#', sizeof(out));
        n = aur_number_canonical(out, cases[i].size, cases[i].s, strlen(cases[i].s));
        if (cases[i].want) {
            is_mem(out, n, cases[i].want, cases[i].s);
        }
        else {
            is_int((long long)n, (long long)cases[i].size, cases[i].s);
        }
        ok(out[cases[i].size] == '#', "nothing is written past %d bytes", (int)cases[i].size);
    }
}

static void test_canonical_random(void)
{
    int i, bad = 0;

    for (i = 0; i < 300000; i++) {
        char text[64], out[128];
        apr_size_t n;
        int len =
            snprintf(text, sizeof(text), "%s%0*llu.%03lluE%d", i & 1 ? "-" : "",
                     (int)(next_random() % 12), (unsigned long long)(next_random() % 1000000000),
                     (unsigned long long)(next_random() % 1000), (int)(next_random() % 41) - 20);
        n = aur_number_canonical(out, sizeof(out) - 1, text, (apr_size_t)len);
        out[n] = '\0';
        if (n == 0 || strtod(out, NULL) != strtod(text, NULL) || strpbrk(out, "eE+") ||
            (out[0] == '0' && n > 1 && out[1] != '.')) {
            bad++;
            printf("# %s gave %s\n", text, out);
        }
    }
    is_int(bad, 0, "random numbers keep their value in canonical form");
}

static void test_to_int(void)
{
    static const struct {
        const char *s;
        int whole;
        apr_int64_t want;
    } cases[] = {{"0", 1, 0},
                 {"-0", 1, 0},
                 {"42", 1, 42},
                 {"-42", 1, -42},
                 {"1e3", 1, 1000},
                 {"1.0", 1, 1},
                 {"1.50e1", 1, 15},
                 {"10e-1", 1, 1},
                 {"1e-1", 0, 0},
                 {"1.5", 0, 0},
                 {"0e999999", 1, 0},
                 {"0.000e-999999", 1, 0},
                 {"9223372036854775807", 1, INT64_MAX},
                 {"9223372036854775808", 0, 0},
                 {"-9223372036854775808", 1, INT64_MIN},
                 {"-9223372036854775809", 0, 0},
                 {"9999999999999999999", 0, 0},
                 {"99999999999999999999", 0, 0},
                 {"1e18", 1, 1000000000000000000},
                 {"1e19", 0, 0},
                 {"1e999999999999999", 0, 0},
                 {"0000000000000000000000000000007", 1, 7},
                 {"x", 0, 0}};
    apr_size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        apr_int64_t got = -77;
        int whole = aur_number_to_int(cases[i].s, strlen(cases[i].s), &got);
        is_int(whole, cases[i].whole, cases[i].s);
        is_int(got, whole ? cases[i].want : -77, "  its value, or nothing touched");
    }
}

/* A locale whose decimal point is a comma, where one is installed or can be had. */
static void test_locale(void)
{
    static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "nl_NL.UTF-8"};
    char out[AUR_DOUBLE_TEXT_MAX];
    apr_size_t i, n;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (setlocale(LC_NUMERIC, names[i])) {
            break;
        }
    }
    if (i == sizeof(names) / sizeof(names[0])) {
        printf("# no locale with a decimal comma here: the checks run in the C locale\n");
    }
    n = aur_double_write(out, 1.2345678901234567e-9);
    is_mem(out, n, "1.2345678901234566e-9", "the slow path writes a point in any locale");
    n = aur_double_write(out, 1234.5);
    is_mem(out, n, "1234.5", "the fast path too");
    ok(aur_decimal_is_double("0.30000000000000004", 19), "16 and 17 digits are read in any locale");
    (void)setlocale(LC_NUMERIC, "C");
}

int main(void)
{
    apr_initialize();
    test_ints();
    test_double_forms();
    test_double_round_trip();
    test_decimal_is_double();
    test_valid();
    test_canonical();
    test_canonical_random();
    test_to_int();
    test_locale();
    apr_terminate();
    return tap_done();
}
