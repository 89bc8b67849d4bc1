/* rates.c - see aurora/rates.h.
 *
 * An entry's place is taken over in three steps, each of which leaves the table fit for use: the key is wiped, so
 * that nobody finds it; the arrival time is swapped, which fails when its owner was faster; the new key is
 * written, its lower half last. An owner who still has the entry in hand finds its own swap fail then. */
#include "aurora/rates.h"

#include "shared_lock.h"

/* A key may lie in either of two sets, and goes where room costs least: so sets fill evenly, and up to the number
 * of keys that the table is made for hardly any set is full. */
#define WAYS    8
#define CHOICES 2

/* 32 bytes, two to a cache line. All fields are atomic. */
typedef struct entry_t {
    apr_uint64_t hi, lo; /* the key; lo 0: free */
    apr_uint64_t tat;    /* theoretical arrival time */
    apr_uint64_t slack;  /* tat may be so far ahead; from the limit that was counted by last */
} entry_t;

typedef struct set_t {
    entry_t ways[WAYS];
} set_t;

struct aur_rates_t {
    pthread_mutex_t lock; /* robust; guards who takes over which entry */
    apr_uint32_t nsets;
    set_t sets[] __attribute__((aligned(64)));
};

static apr_uint32_t sets_for(apr_int64_t keys)
{
    apr_int64_t n = (keys + keys / 4 + WAYS - 1) / WAYS;

    return n < 1 ? 1 : n > 0x3fffffff ? 0x3fffffff : (apr_uint32_t)n;
}

apr_size_t aur_rates_size(apr_int64_t keys)
{
    return sizeof(aur_rates_t) + (apr_size_t)sets_for(keys) * sizeof(set_t);
}

apr_status_t aur_rates_create(aur_rates_t *rates, apr_int64_t keys)
{
    rates->nsets = sets_for(keys);
    return aur_shared_lock_create(&rates->lock);
}

/* --- entries ------------------------------------------------------------------------------------ */

static apr_uint64_t get(const apr_uint64_t *field)
{
    return __atomic_load_n(field, __ATOMIC_ACQUIRE);
}

static void put(apr_uint64_t *field, apr_uint64_t value)
{
    __atomic_store_n(field, value, __ATOMIC_RELEASE);
}

static int swap(apr_uint64_t *field, apr_uint64_t from, apr_uint64_t to)
{
    return __atomic_compare_exchange_n(field, &from, to, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static int is_key(const entry_t *entry, const aur_key_t *key)
{
    return get(&entry->lo) == (key->lo ? key->lo : 1) && get(&entry->hi) == key->hi;
}

/* The sets of a key; maybe twice the same. */
static void sets_of(const set_t *sets[CHOICES], const aur_rates_t *rates, const aur_key_t *key)
{
    sets[0] = &rates->sets[key->hi % rates->nsets];
    sets[1] = &rates->sets[(key->lo >> 8) % rates->nsets];
}

static const entry_t *find(const set_t *const sets[CHOICES], const aur_key_t *key)
{
    int c, i;

    for (c = 0; c < CHOICES; c++) {
        for (i = 0; i < WAYS; i++) {
            if (is_key(&sets[c]->ways[i], key)) {
                return &sets[c]->ways[i];
            }
        }
    }
    return NULL;
}

/* --- the rule ----------------------------------------------------------------------------------- */

static void tell(aur_rate_state_t *state, const aur_rate_limit_t *limit, apr_uint64_t tat,
                 apr_time_t now)
{
    apr_int64_t full = limit->every * limit->burst;
    apr_int64_t ahead = tat > (apr_uint64_t)now ? (apr_int64_t)(tat - (apr_uint64_t)now) : 0;

    state->remaining = ahead < full ? (full - ahead) / limit->every : 0;
    state->wait = state->remaining > 0 ? 0 : ahead + limit->every - full;
    state->reset = ahead;
}

/* @return 0 when the entry is not the key's any more */
static int charge(aur_rate_state_t *state, entry_t *entry, const aur_key_t *key,
                  const aur_rate_limit_t *limit, apr_time_t now)
{
    apr_int64_t full = limit->every * limit->burst;
    apr_uint64_t seen, after;

    for (;;) {
        seen = get(&entry->tat);
        if (!is_key(entry, key)) {
            return 0;
        }
        after = (seen > (apr_uint64_t)now ? seen : (apr_uint64_t)now) + (apr_uint64_t)limit->every;
        state->counted = 1;
        if ((apr_int64_t)(after - (apr_uint64_t)now) > full) {
            state->allowed = 0;
            tell(state, limit, seen, now);
            return 1;
        }
        if (swap(&entry->tat, seen, after)) {
            put(&entry->slack, (apr_uint64_t)(full - limit->every));
            state->allowed = 1;
            tell(state, limit, after, now);
            return 1;
        }
    }
}

/* --- new keys ----------------------------------------------------------------------------------- */

/* What it would cost to forget an entry: below 0, nothing (the longer at rest the less); 1 and more: it has
 * used all of its burst; in between, the part that is used. */
static double worth(const entry_t *entry, apr_time_t now)
{
    apr_uint64_t tat = get(&entry->tat), slack = get(&entry->slack);
    double ahead = (double)tat - (double)now;

    if (!get(&entry->lo)) {
        return -1e30;
    }
    return ahead <= 0 ? ahead - 1 : slack ? ahead / (double)slack : 1;
}

/* Of one set. *busy: entries that are not at rest */
static const entry_t *cheapest_of(const set_t *set, apr_time_t now, double *cost,
                                  apr_uint64_t *seen, int *busy)
{
    const entry_t *best = NULL;
    int i;

    *cost = 1;
    *busy = 0;
    for (i = 0; i < WAYS; i++) {
        apr_uint64_t tat = get(&set->ways[i].tat);
        double it = worth(&set->ways[i], now);
        *busy += it >= 0;
        if (it < *cost) {
            *cost = it;
            best = &set->ways[i];
            *seen = tat;
        }
    }
    return best;
}

/* Where both sets have room that costs nothing, the emptier one. @return NULL: nowhere */
static entry_t *cheapest(const set_t *const sets[CHOICES], apr_time_t now, apr_uint64_t *seen)
{
    const entry_t *best[CHOICES];
    apr_uint64_t tat[CHOICES] = {0};
    double cost[CHOICES];
    int busy[CHOICES], c;

    for (c = 0; c < CHOICES; c++) {
        best[c] = cheapest_of(sets[c], now, &cost[c], &tat[c], &busy[c]);
    }
    c = cost[0] < 0 && cost[1] < 0 && busy[0] != busy[1] ? busy[1] < busy[0] : cost[1] < cost[0];
    *seen = tat[c];
    return (entry_t *)best[c];
}

/* Under the lock. @return 0: its owner came first, look again */
static int take_over(entry_t *entry, apr_uint64_t seen, const aur_key_t *key,
                     const aur_rate_limit_t *limit, apr_time_t now)
{
    apr_uint64_t lo = get(&entry->lo);

    put(&entry->lo, 0);
    if (!swap(&entry->tat, seen, (apr_uint64_t)now + (apr_uint64_t)limit->every)) {
        put(&entry->lo, lo);
        return 0;
    }
    put(&entry->slack, (apr_uint64_t)(limit->every * (limit->burst - 1)));
    put(&entry->hi, key->hi);
    put(&entry->lo, key->lo ? key->lo : 1);
    return 1;
}

/* Under the lock. */
static void enter(aur_rate_state_t *state, const set_t *const sets[CHOICES], const aur_key_t *key,
                  const aur_rate_limit_t *limit, apr_time_t now)
{
    entry_t *entry;
    apr_uint64_t seen;

    do {
        entry = (entry_t *)find(sets, key);
        if (entry && charge(state, entry, key, limit, now)) {
            return;
        }
        entry = cheapest(sets, now, &seen);
    } while (entry && !take_over(entry, seen, key, limit, now));
    state->allowed = 1;
    state->counted = entry != NULL;
    tell(state, limit, (apr_uint64_t)(now + limit->every), now);
}

void aur_rates_take(aur_rate_state_t *state, aur_rates_t *rates, const aur_key_t *key,
                    const aur_rate_limit_t *limit, apr_time_t now)
{
    const set_t *sets[CHOICES];
    entry_t *entry;

    sets_of(sets, rates, key);
    entry = (entry_t *)find(sets, key);
    if (entry && charge(state, entry, key, limit, now)) {
        return;
    }
    if (!aur_shared_lock(&rates->lock)) {
        state->allowed = 1;
        state->counted = 0;
        tell(state, limit, (apr_uint64_t)(now + limit->every), now);
        return;
    }
    enter(state, sets, key, limit, now);
    aur_shared_unlock(&rates->lock);
}

void aur_rates_look(aur_rate_state_t *state, const aur_rates_t *rates, const aur_key_t *key,
                    const aur_rate_limit_t *limit, apr_time_t now)
{
    const set_t *sets[CHOICES];
    const entry_t *entry;

    sets_of(sets, rates, key);
    entry = find(sets, key);
    tell(state, limit, entry ? get(&entry->tat) : 0, now);
    state->counted = entry != NULL;
    state->allowed = state->remaining > 0;
}
