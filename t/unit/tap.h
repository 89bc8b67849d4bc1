/* tap.h - the little of the Test Anything Protocol that C unit tests need.
 * One translation unit per test program; not thread-safe: report from the main thread. */
#ifndef AURORA_TAP_H
#define AURORA_TAP_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int tap_count, tap_failures;

__attribute__((format(printf, 2, 3), unused)) static int tap_ok(int pass, const char *fmt, ...)
{
    va_list ap;
    printf("%sok %d - ", pass ? "" : "not ", ++tap_count);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    printf("\n");
    fflush(stdout);
    tap_failures += !pass;
    return pass;
}
#define ok(pass, ...) tap_ok(!!(pass), __VA_ARGS__)

__attribute__((unused)) static int is_int(long long got, long long want, const char *name)
{
    int pass = tap_ok(got == want, "%s", name);
    if (!pass) {
        printf("#      got: %lld\n# expected: %lld\n", got, want);
    }
    return pass;
}

__attribute__((unused)) static int is_mem(const char *got, size_t len, const char *want,
                                          const char *name)
{
    int pass = tap_ok(got && len == strlen(want) && !memcmp(got, want, len), "%s", name);
    if (!pass) {
        printf("#      got: %.*s\n# expected: %s\n", got ? (int)len : 6, got ? got : "(null)",
               want);
    }
    return pass;
}

__attribute__((unused)) static int is_str(const char *got, const char *want, const char *name)
{
    if (!got || !want) {
        return tap_ok(got == want, "%s", name);
    }
    return is_mem(got, strlen(got), want, name);
}

/* The plan comes last, so that a crash half-way shows. */
__attribute__((unused)) static int tap_done(void)
{
    printf("1..%d\n", tap_count);
    return tap_failures ? 1 : 0;
}

#endif
