/* Rates: the rule as a table of requests and answers; tables that overflow; processes that ask side by side. */
#include <apr_general.h>
#include <stdint.h>

#include "aurora/rates.h"
#include "shared.h"
#include "tap.h"

#define SEC APR_USEC_PER_SEC

static aur_rates_t *make(apr_int64_t keys)
{
    aur_rates_t *rates = shared_memory(aur_rates_size(keys));

    if (aur_rates_create(rates, keys) != APR_SUCCESS) {
        exit(1);
    }
    return rates;
}

static aur_key_t key_of(apr_uint64_t n)
{
    aur_key_t key;

    n += 1;
    n = (n ^ (n >> 30)) * APR_UINT64_C(0xbf58476d1ce4e5b9);
    n = (n ^ (n >> 27)) * APR_UINT64_C(0x94d049bb133111eb);
    key.hi = n ^ (n >> 31);
    key.lo = key.hi * 3 + 7;
    return key;
}

/* --- the rule ----------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    aur_rate_limit_t limit;
    struct {
        int times;             /* so many requests at once */
        apr_time_t at;         /* this long after the beginning */
        int allowed;           /* of them */
        apr_int64_t remaining; /* after them */
        apr_interval_time_t wait, reset;
    } steps[6];
} cases[] = {
    {"sixty a minute",
     {SEC, 60},
     {{1, 0, 1, 59, 0, SEC},
      {59, 0, 59, 0, SEC, 60 * SEC},
      {1, 0, 0, 0, SEC, 60 * SEC},
      {1, SEC - 1, 0, 0, 1, 59 * SEC + 1},
      {1, SEC, 1, 0, SEC, 60 * SEC},
      {1, 1000 * SEC, 1, 59, 0, SEC}}},
    {"five a minute: the sixth",
     {12 * SEC, 5},
     {{5, 100, 5, 0, 12 * SEC, 60 * SEC},
      {1, 700100, 0, 0, 12 * SEC - 700000, 60 * SEC - 700000},
      {3, 12 * SEC + 100, 1, 0, 12 * SEC, 60 * SEC},
      {9, 36 * SEC + 100, 2, 0, 12 * SEC, 60 * SEC}}},
    {"one an hour",
     {3600 * SEC, 1},
     {{1, 0, 1, 0, 3600 * SEC, 3600 * SEC},
      {1, 3600 * SEC - 1, 0, 0, 1, 1},
      {1, 3600 * SEC, 1, 0, 3600 * SEC, 3600 * SEC}}},
    {"a million a second", {1, 1000000}, {{1000, 0, 1000, 999000, 0, 1000}}},
    {"half of it comes back in half of the time",
     {SEC, 10},
     {{10, 0, 10, 0, SEC, 10 * SEC}, {10, 5 * SEC, 5, 0, SEC, 10 * SEC}}},
};

static void test_rule(void)
{
    unsigned i, s;
    int n;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        aur_rates_t *rates = make(64);
        aur_key_t key = key_of(i);
        int right = 1;
        for (s = 0; s < 6 && cases[i].steps[s].times; s++) {
            apr_time_t now = 1000 * SEC + cases[i].steps[s].at;
            aur_rate_state_t state = {0}, seen;
            int allowed = 0;
            for (n = 0; n < cases[i].steps[s].times; n++) {
                aur_rates_take(&state, rates, &key, &cases[i].limit, now);
                allowed += state.allowed;
            }
            aur_rates_look(&seen, rates, &key, &cases[i].limit, now);
            if (allowed != cases[i].steps[s].allowed ||
                state.remaining != cases[i].steps[s].remaining ||
                state.wait != cases[i].steps[s].wait || state.reset != cases[i].steps[s].reset ||
                seen.remaining != state.remaining || seen.wait != state.wait || !state.counted) {
                printf("# step %u: allowed %d, remaining %ld, wait %ld, reset %ld\n", s, allowed,
                       (long)state.remaining, (long)state.wait, (long)state.reset);
                right = 0;
            }
        }
        ok(right, "%s", cases[i].name);
    }
}

static void test_keys_apart(void)
{
    static const aur_rate_limit_t limit = {SEC, 3};
    aur_rates_t *rates = make(500);
    aur_rate_state_t state;
    int i, n, allowed = 0;

    for (n = 0; n < 4; n++) {
        for (i = 0; i < 500; i++) {
            aur_key_t key = key_of((apr_uint64_t)i);
            aur_rates_take(&state, rates, &key, &limit, 9 * SEC);
            allowed += state.allowed;
        }
    }
    is_int(allowed, 1500, "five hundred users have a limit each");
}

/* --- a table that is too small ------------------------------------------------------------------- */

/* Users at their limit, then ten thousand addresses. */
static void test_overflow(void)
{
    static const aur_rate_limit_t user = {SEC, 60}, address = {SEC / 10, 20};
    aur_rates_t *rates = make(48);
    aur_rate_state_t state;
    int i, refused = 0, lost = 0;
    aur_key_t key;

    for (i = 0; i < 4 * 60; i++) {
        key = key_of((apr_uint64_t)i % 4);
        aur_rates_take(&state, rates, &key, &user, 5 * SEC);
    }
    for (i = 0; i < 10000; i++) {
        key = key_of(1000 + (apr_uint64_t)i);
        aur_rates_take(&state, rates, &key, &address, 5 * SEC + i);
        refused += !state.allowed;
    }
    is_int(refused, 0, "ten thousand addresses in a table of 48: none is refused");
    for (i = 0; i < 4; i++) {
        key = key_of((apr_uint64_t)i);
        aur_rates_take(&state, rates, &key, &user, 5 * SEC + 10000);
        lost += state.allowed || !state.counted;
    }
    is_int(lost, 0, "and nobody who is at a limit is forgotten for them");

    /* A single set, full of those at their limit. */
    rates = make(1);
    for (i = 0; i < 8 * 60; i++) {
        key = key_of((apr_uint64_t)i % 8);
        aur_rates_take(&state, rates, &key, &user, 5 * SEC);
    }
    key = key_of(99);
    aur_rates_take(&state, rates, &key, &user, 5 * SEC);
    ok(state.allowed && !state.counted, "where all are at their limit a newcomer is let through");
    for (i = 0, lost = 0; i < 8; i++) {
        key = key_of((apr_uint64_t)i);
        aur_rates_take(&state, rates, &key, &user, 5 * SEC);
        lost += state.allowed;
    }
    is_int(lost, 0, "uncounted, and at nobody's cost");
}

static void test_rest(void)
{
    static const aur_rate_limit_t limit = {SEC, 10};
    aur_rates_t *rates = make(1);
    aur_rate_state_t state;
    aur_key_t key;
    int i;

    for (i = 0; i < 8; i++) {
        key = key_of((apr_uint64_t)i);
        aur_rates_take(&state, rates, &key, &limit, (10 + i) * SEC);
    }
    key = key_of(50); /* all but two are at rest: key 0 for longest */
    aur_rates_take(&state, rates, &key, &limit, 17 * SEC + 1);
    key = key_of(0);
    aur_rates_look(&state, rates, &key, &limit, 17 * SEC + 1);
    ok(!state.counted, "who has been at rest for longest makes room");
    for (i = 1; i < 8; i++) {
        key = key_of((apr_uint64_t)i);
        aur_rates_look(&state, rates, &key, &limit, 17 * SEC + 1);
        if (!state.counted) {
            break;
        }
    }
    is_int(i, 8, "and nobody else");
}

/* --- processes ------------------------------------------------------------------------------------ */

typedef struct {
    aur_rates_t *rates;
    apr_uint32_t allowed[16];
    int keys, rounds;
    apr_time_t now;
} crowd_t;

static int ask(void *ctx, int n)
{
    static const aur_rate_limit_t limit = {SEC, 100};
    crowd_t *crowd = ctx;
    aur_rate_state_t state;
    int i;

    for (i = 0; i < crowd->rounds; i++) {
        int k = (i + n) % crowd->keys;
        aur_key_t key = key_of((apr_uint64_t)k);
        aur_rates_take(&state, crowd->rates, &key, &limit, crowd->now);
        if (state.allowed) {
            __atomic_add_fetch(&crowd->allowed[k], 1, __ATOMIC_RELAXED);
        }
    }
    return 0;
}

static void test_processes(void)
{
    crowd_t *crowd = shared_memory(sizeof(*crowd));
    int round, k, wrong = 0;

    crowd->keys = 16;
    crowd->rounds = 2000;
    for (round = 0; round < 20; round++) {
        memset(crowd->allowed, 0, sizeof(crowd->allowed));
        crowd->rates = make(64);
        crowd->now = (round + 1) * 1000 * SEC;
        if (children_run(ask, crowd, 8)) {
            wrong++;
        }
        for (k = 0; k < crowd->keys; k++) {
            wrong += crowd->allowed[k] != 100;
        }
    }
    is_int(wrong, 0,
           "eight processes, sixteen users: each gets exactly a hundred, twenty times over");
}

static void test_threads(void)
{
    crowd_t *crowd = shared_memory(sizeof(*crowd));
    int k, wrong = 0;

    crowd->keys = 16;
    crowd->rounds = 2000;
    crowd->rates = make(64);
    crowd->now = 1000 * SEC;
    threads_run(ask, crowd, 8);
    for (k = 0; k < crowd->keys; k++) {
        wrong += crowd->allowed[k] != 100;
    }
    is_int(wrong, 0, "eight threads: the same");
}

/* Users at their limit stay so while processes flood the table with new keys. */
static int flood(void *ctx, int n)
{
    static const aur_rate_limit_t address = {SEC / 10, 20}, user = {SEC, 10};
    crowd_t *crowd = ctx;
    aur_rate_state_t state;
    int i, wrong = 0;
    aur_key_t key;

    for (i = 0; i < 5000; i++) {
        key = key_of((apr_uint64_t)(1000 + n * 100000 + i));
        aur_rates_take(&state, crowd->rates, &key, &address, crowd->now + i);
        wrong += !state.allowed;
        key = key_of((apr_uint64_t)(i % 4));
        aur_rates_take(&state, crowd->rates, &key, &user, crowd->now + i);
        wrong += state.allowed;
    }
    return wrong > 100 ? 100 : wrong;
}

static void test_flood(void)
{
    static const aur_rate_limit_t user = {SEC, 10};
    crowd_t *crowd = shared_memory(sizeof(*crowd));
    aur_rate_state_t state;
    int i;

    crowd->rates = make(48);
    crowd->now = 100 * SEC;
    for (i = 0; i < 40; i++) {
        aur_key_t key = key_of((apr_uint64_t)i % 4);
        aur_rates_take(&state, crowd->rates, &key, &user, crowd->now);
    }
    is_int(children_run(flood, crowd, 8), 0,
           "forty thousand addresses from eight processes: none refused, no limit lost");
    crowd->now += APR_USEC_PER_SEC / 10;
    is_int(threads_run(flood, crowd, 8), 0, "nor from eight threads");
}

/* Processes are killed anywhere, the lock included. */
static int hammer(void *ctx, int n)
{
    static const aur_rate_limit_t limit = {SEC, 5};
    crowd_t *crowd = ctx;
    aur_rate_state_t state;
    apr_uint64_t i;

    for (i = 0;; i++) {
        aur_key_t key = key_of(i * 7 + (apr_uint64_t)n * 1000003);
        aur_rates_take(&state, crowd->rates, &key, &limit, crowd->now + (apr_time_t)i);
    }
    return 0;
}

static void test_killed(void)
{
    static const aur_rate_limit_t limit = {SEC, 5};
    crowd_t *crowd = shared_memory(sizeof(*crowd));
    aur_rate_state_t state;
    int i, allowed = 0;

    crowd->rates = make(64);
    crowd->now = 100 * SEC;
    for (i = 0; i < 60; i++) {
        pid_t a = child_start(hammer, crowd, 2 * i), b = child_start(hammer, crowd, 2 * i + 1);
        sleep_ms(3);
        kill(a, SIGKILL);
        kill(b, SIGKILL);
        child_wait(a);
        child_wait(b);
    }
    for (i = 0; i < 20; i++) {
        aur_key_t key = key_of(5);
        aur_rates_take(&state, crowd->rates, &key, &limit, 100000 * SEC);
        allowed += state.allowed;
    }
    is_int(allowed, 5, "after 120 processes were killed in the middle of it the table works");
}

int main(void)
{
    apr_initialize();
    test_rule();
    test_keys_apart();
    test_overflow();
    test_rest();
    test_processes();
    test_threads();
    test_flood();
    test_killed();
    return tap_done();
}
