/* board.c - see aurora/board.h. */
#include "board_private.h"

#include <apr_general.h>
#include <apr_siphash.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define MAGIC   0x41555242u
#define VERSION 2u
/* A user asks for previews and for exports, from an address. */
#define KEYS_PER_USER 3

/* --- layout ------------------------------------------------------------------------------------- */

static apr_uint64_t place(apr_uint64_t *end, apr_uint64_t bytes)
{
    apr_uint64_t at = (*end + 63) & ~(apr_uint64_t)63;

    *end = at + bytes;
    return at;
}

static void lay_out(aur_board_parts_t *parts, const aur_board_size_t *size)
{
    apr_uint64_t end = sizeof(aur_board_t);

    parts->children = place(&end, (apr_uint64_t)size->children * sizeof(aur_board_child_t));
    parts->places = place(&end, aur_tasks_places_bytes(size->tasks));
    parts->tasks = place(&end, aur_tasks_bytes(size->tasks));
    parts->ended = place(&end, aur_tasks_ended_bytes());
    parts->rates = place(&end, aur_rates_size(size->users * KEYS_PER_USER));
    parts->metrics = place(&end, aur_metrics_size());
    parts->size = end;
}

/* --- the parent --------------------------------------------------------------------------------- */

static apr_status_t fill(aur_board_t *board, const aur_board_size_t *size)
{
    apr_status_t rv = apr_generate_random_bytes(board->secret, sizeof(board->secret));

    board->magic = MAGIC; /* the rest is zero */
    board->version = VERSION;
    board->nchildren = (apr_uint32_t)size->children;
    board->ntasks = (apr_uint32_t)size->tasks;
    board->nusers = size->users;
    board->started = apr_time_now();
    if (rv == APR_SUCCESS) {
        rv = aur_shared_lock_create(&board->lock);
    }
    if (rv == APR_SUCCESS) {
        rv = aur_rates_create(aur_board_rates(board), size->users * KEYS_PER_USER);
    }
    return rv;
}

apr_status_t aur_board_parent_create(aur_board_t **board, const aur_board_size_t *size)
{
    aur_board_parts_t parts;
    aur_board_t *made;
    apr_status_t rv;

    lay_out(&parts, size);
    made = mmap(NULL, parts.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (made == MAP_FAILED) {
        return errno;
    }
    made->parts = parts;
    rv = fill(made, size);
    if (rv != APR_SUCCESS) {
        munmap(made, parts.size);
        return rv;
    }
    *board = made;
    return APR_SUCCESS;
}

int aur_board_usable(const aur_board_t *board, const aur_board_size_t *size)
{
    aur_board_size_t made;
    aur_board_parts_t parts;

    if (!board || board->magic != MAGIC || board->version != VERSION) {
        return 0;
    }
    made.children = (int)board->nchildren;
    made.tasks = (int)board->ntasks;
    made.users = board->nusers;
    lay_out(&parts, &made);
    return !memcmp(&parts, &board->parts, sizeof(parts)) && made.children >= size->children &&
           made.tasks >= size->tasks;
}

apr_int64_t aur_board_users(const aur_board_t *board)
{
    return board->nusers;
}

void aur_board_parent_ended(aur_board_t *board, pid_t pid)
{
    aur_board_child_t *child = aur_board_children(board), *end = child + board->nchildren;
    int d;

    aur_tasks_parent_ended(board, pid);
    for (; child < end; child++) {
        if (__atomic_load_n(&child->pid, __ATOMIC_ACQUIRE) == (apr_uint32_t)pid) {
            for (d = 0; d < AUR_BOARD_DATABASES; d++) {
                __atomic_store_n(&child->sessions[d], 0, __ATOMIC_RELAXED);
            }
            __atomic_store_n(&child->busy, 0, __ATOMIC_RELAXED);
            __atomic_store_n(&child->waiting, 0, __ATOMIC_RELAXED);
            __atomic_store_n(&child->pid, 0, __ATOMIC_RELEASE);
        }
    }
}

void aur_board_parent_begin(aur_board_t *board)
{
    int i;

    for (i = 0; i < AUR_ONCE_COUNT; i++) {
        __atomic_store_n(&board->once[i], 0, __ATOMIC_RELAXED);
    }
}

/* --- children ----------------------------------------------------------------------------------- */

int aur_board_child_begin(aur_board_t *board, pid_t pid)
{
    apr_uint32_t i;

    for (i = 0; i < board->nchildren; i++) {
        apr_uint32_t none = 0;
        if (__atomic_compare_exchange_n(&aur_board_children(board)[i].pid, &none, (apr_uint32_t)pid,
                                        0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
            return (int)i;
        }
    }
    return -1;
}

int aur_board_once(aur_board_t *board, aur_board_once_e what)
{
    return __atomic_exchange_n(&board->once[what], 1, __ATOMIC_ACQ_REL) == 0;
}

/* --- keys and parts ----------------------------------------------------------------------------- */

void aur_board_key(aur_key_t *key, const aur_board_t *board, char space, const char *text)
{
    char buffer[256];
    apr_size_t len = strlen(text);
    unsigned char shared[APR_SIPHASH_KSIZE];

    /* What is too long for the buffer is hashed first. */
    if (len >= sizeof(buffer)) {
        apr_uint64_t hash[2] = {apr_siphash24(text, len, board->secret),
                                apr_siphash24(text, len, board->secret + 16)};
        memcpy(buffer + 1, hash, sizeof(hash));
        len = sizeof(hash);
    }
    else {
        memcpy(buffer + 1, text, len);
    }
    buffer[0] = space;
    memcpy(shared, board->secret, sizeof(shared));
    key->hi = apr_siphash24(buffer, len + 1, shared);
    key->lo = apr_siphash24(buffer, len + 1, board->secret + 16);
}

aur_rates_t *aur_board_rates(aur_board_t *board)
{
    return aur_board_part(board, board->parts.rates);
}

aur_metrics_t *aur_board_metrics(aur_board_t *board)
{
    return aur_board_part(board, board->parts.metrics);
}

apr_time_t aur_board_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (apr_time_t)now.tv_sec * APR_USEC_PER_SEC + now.tv_nsec / 1000;
}

/* --- databases ---------------------------------------------------------------------------------- */

int aur_board_database(aur_board_t *board, const char *driver, const char *params)
{
    aur_key_t way, secret;
    apr_uint64_t key;
    int d;

    aur_board_key(&way, board, 'd', driver ? driver : "");
    aur_board_key(&secret, board, 'p', params ? params : "");
    key = way.hi ^ secret.lo;
    key = key ? key : 1;
    if (!aur_shared_lock(&board->lock)) {
        return AUR_BOARD_DATABASES - 1;
    }
    for (d = 0; d < AUR_BOARD_DATABASES - 1; d++) {
        if (board->databases[d].key == 0) {
            board->databases[d].key = key;
        }
        if (board->databases[d].key == key) {
            break;
        }
    }
    aur_shared_unlock(&board->lock);
    return d;
}

/* --- sessions ----------------------------------------------------------------------------------- */

apr_int64_t aur_board_sessions(const aur_board_t *board, int database)
{
    const aur_board_child_t *child = aur_board_children(board), *end = child + board->nchildren;
    apr_int64_t sum = 0;

    for (; child < end; child++) {
        sum += __atomic_load_n(&child->sessions[database], __ATOMIC_RELAXED);
    }
    return sum;
}

int aur_board_session_take(aur_board_t *board, int child, int database, apr_int64_t max)
{
    int allowed;

    if (child < 0 || !aur_shared_lock(&board->lock)) {
        return 1;
    }
    allowed = max <= 0 || aur_board_sessions(board, database) < max;
    if (allowed) {
        __atomic_add_fetch(&aur_board_children(board)[child].sessions[database], 1,
                           __ATOMIC_RELAXED);
    }
    aur_shared_unlock(&board->lock);
    if (!allowed) {
        __atomic_store_n(&board->databases[database].refused, (apr_uint64_t)aur_board_clock(),
                         __ATOMIC_RELAXED);
    }
    return allowed;
}

void aur_board_session_give(aur_board_t *board, int child, int database)
{
    if (child >= 0) {
        __atomic_sub_fetch(&aur_board_children(board)[child].sessions[database], 1,
                           __ATOMIC_RELAXED);
    }
}

int aur_board_session_wanted(const aur_board_t *board, int database, apr_interval_time_t within)
{
    apr_uint64_t refused = __atomic_load_n(&board->databases[database].refused, __ATOMIC_RELAXED);

    return refused && (apr_uint64_t)aur_board_clock() - refused < (apr_uint64_t)within;
}

/* --- figures ------------------------------------------------------------------------------------ */

void aur_board_borrowers(aur_board_t *board, int child, int waiting, int busy)
{
    if (child >= 0) {
        aur_board_child_t *mine = aur_board_children(board) + child;
        __atomic_add_fetch(&mine->waiting, (apr_uint32_t)waiting, __ATOMIC_RELAXED);
        __atomic_add_fetch(&mine->busy, (apr_uint32_t)busy, __ATOMIC_RELAXED);
    }
}

void aur_board_figures(const aur_board_t *board, aur_figures_t *figures)
{
    const aur_board_child_t *child = aur_board_children(board), *end = child + board->nchildren;
    int d;

    for (; child < end; child++) {
        figures->pool_busy += __atomic_load_n(&child->busy, __ATOMIC_RELAXED);
        figures->pool_waiting += __atomic_load_n(&child->waiting, __ATOMIC_RELAXED);
    }
    for (d = 0; d < AUR_BOARD_DATABASES; d++) {
        figures->pool_open += aur_board_sessions(board, d);
    }
    figures->started = board->started;
}
