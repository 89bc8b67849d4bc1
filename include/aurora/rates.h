/* rates.h - how often somebody may do something, for all processes together.
 *
 * GCRA: of each key one number is kept, the theoretical arrival time of a request that would find nothing left
 * to wait for. A request moves it by one interval; where that would bring it further ahead of now than the burst
 * allows, the request is refused and nothing moves. So the answer is exact, whoever asks in whichever process.
 *
 * The table is set-associative and never full: who comes new takes the place that has been at rest for
 * longest, else that of the one who has used the least of his burst. Nobody who has used all of it is ever
 * forgotten for somebody new; where all places a key may have are like that, the newcomer goes uncounted. A key that is known
 * costs one compare-and-swap; one that is not, a robust lock. */
#ifndef AURORA_RATES_H
#define AURORA_RATES_H

#include <apr.h>
#include <apr_errno.h>
#include <apr_time.h>

/* A keyed hash of who, and of what for. Never all zero. */
typedef struct aur_key_t {
    apr_uint64_t hi, lo;
} aur_key_t;

/* One request every so often, up to `burst` at once. */
typedef struct aur_rate_limit_t {
    apr_interval_time_t every; /* at least 1 */
    apr_int64_t burst;         /* at least 1 */
} aur_rate_limit_t;

typedef struct aur_rate_state_t {
    int allowed;
    int counted;               /* 0: the table had no place for the key */
    apr_int64_t remaining;     /* requests that would be allowed now */
    apr_interval_time_t wait;  /* until the next is allowed; 0 while some remain */
    apr_interval_time_t reset; /* until all of the burst is there again */
} aur_rate_state_t;

typedef struct aur_rates_t aur_rates_t;

/** Bytes for so many keys at once. */
apr_size_t aur_rates_size(apr_int64_t keys);
/** Make a table in zeroed memory of that size, aligned to 64, that processes to come will share. */
apr_status_t aur_rates_create(aur_rates_t *rates, apr_int64_t keys);

/** Count a request of key.
 * @param now  monotonic, the same for all processes, microseconds */
void aur_rates_take(aur_rate_state_t *state, aur_rates_t *rates, const aur_key_t *key,
                    const aur_rate_limit_t *limit, apr_time_t now);
/** How the key stands, without counting anything. */
void aur_rates_look(aur_rate_state_t *state, const aur_rates_t *rates, const aur_key_t *key,
                    const aur_rate_limit_t *limit, apr_time_t now);

#endif
