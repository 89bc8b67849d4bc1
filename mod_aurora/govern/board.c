/* board.c - see aurora/board.h. */
#include "aurora/board.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define MAGIC   0x41555242u
#define VERSION 1u

typedef struct database_t {
    apr_uint64_t key;     /* 0: free; set once, under the lock */
    apr_uint64_t refused; /* atomic; microseconds of the monotonic clock; 0: never */
} database_t;

/* One per child; only its child and the parent, once it has ended, write. */
typedef struct child_t {
    apr_uint32_t pid;                           /* atomic; 0: free */
    apr_uint32_t sessions[AUR_BOARD_DATABASES]; /* atomic; increased under the lock */
} child_t;

struct aur_board_t {
    apr_uint32_t magic, version;
    apr_uint32_t size; /* of everything */
    apr_uint32_t nchildren;
    apr_uint32_t once[AUR_ONCE_COUNT]; /* atomic */
    pthread_mutex_t lock;              /* robust, shared; guards keys and the growth of sessions */
    database_t databases[AUR_BOARD_DATABASES];
    child_t children[];
};

static apr_size_t size_for(int children)
{
    return sizeof(aur_board_t) + (apr_size_t)children * sizeof(child_t);
}

/* --- the lock ----------------------------------------------------------------------------------- */

static apr_status_t lock_make(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attr;
    int rc = pthread_mutexattr_init(&attr);

    if (rc) {
        return rc;
    }
    rc = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    if (!rc) {
        rc = pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    }
    if (!rc) {
        rc = pthread_mutex_init(lock, &attr);
    }
    pthread_mutexattr_destroy(&attr);
    return rc;
}

/* Nothing under the lock takes more than one step, so what a dead holder leaves behind is consistent. */
static int lock(aur_board_t *board)
{
    int rc = pthread_mutex_lock(&board->lock);

    if (rc == EOWNERDEAD) {
        rc = pthread_mutex_consistent(&board->lock);
    }
    return rc == 0;
}

static void unlock(aur_board_t *board)
{
    pthread_mutex_unlock(&board->lock);
}

/* --- the parent --------------------------------------------------------------------------------- */

apr_status_t aur_board_parent_create(aur_board_t **board, int children)
{
    apr_size_t size = size_for(children);
    aur_board_t *made = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    apr_status_t rv;

    if (made == MAP_FAILED) {
        return errno;
    }
    made->magic = MAGIC; /* the rest is zero */
    made->version = VERSION;
    made->size = (apr_uint32_t)size;
    made->nchildren = (apr_uint32_t)children;
    rv = lock_make(&made->lock);
    if (rv != APR_SUCCESS) {
        munmap(made, size);
        return rv;
    }
    *board = made;
    return APR_SUCCESS;
}

int aur_board_usable(const aur_board_t *board, int children)
{
    return board && board->magic == MAGIC && board->version == VERSION &&
           board->size == size_for((int)board->nchildren) &&
           board->nchildren >= (apr_uint32_t)children;
}

void aur_board_parent_ended(aur_board_t *board, pid_t pid)
{
    apr_uint32_t i;
    int d;

    for (i = 0; i < board->nchildren; i++) {
        child_t *child = &board->children[i];
        if (__atomic_load_n(&child->pid, __ATOMIC_ACQUIRE) == (apr_uint32_t)pid) {
            for (d = 0; d < AUR_BOARD_DATABASES; d++) {
                __atomic_store_n(&child->sessions[d], 0, __ATOMIC_RELAXED);
            }
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
        if (__atomic_compare_exchange_n(&board->children[i].pid, &none, (apr_uint32_t)pid, 0,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
            return (int)i;
        }
    }
    return -1;
}

int aur_board_once(aur_board_t *board, aur_board_once_e what)
{
    return __atomic_exchange_n(&board->once[what], 1, __ATOMIC_ACQ_REL) == 0;
}

/* --- databases ---------------------------------------------------------------------------------- */

static apr_uint64_t hash_add(apr_uint64_t hash, const char *text)
{
    do { /* FNV-1a, the closing NUL included */
        hash = (hash ^ (unsigned char)*text) * APR_UINT64_C(1099511628211);
    } while (*text++);
    return hash;
}

int aur_board_database(aur_board_t *board, const char *driver, const char *params)
{
    apr_uint64_t key = APR_UINT64_C(14695981039346656037);
    int d;

    key = hash_add(hash_add(key, driver ? driver : ""), params ? params : "");
    key = key ? key : 1;
    if (!lock(board)) {
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
    unlock(board);
    return d;
}

/* --- sessions ----------------------------------------------------------------------------------- */

static apr_uint64_t clock_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now); /* the same for all processes */
    return (apr_uint64_t)now.tv_sec * APR_USEC_PER_SEC + (apr_uint64_t)now.tv_nsec / 1000;
}

apr_int64_t aur_board_sessions(const aur_board_t *board, int database)
{
    apr_int64_t sum = 0;
    apr_uint32_t i;

    for (i = 0; i < board->nchildren; i++) {
        sum += __atomic_load_n(&board->children[i].sessions[database], __ATOMIC_RELAXED);
    }
    return sum;
}

int aur_board_session_take(aur_board_t *board, int child, int database, apr_int64_t max)
{
    int allowed;

    if (child < 0 || !lock(board)) {
        return 1;
    }
    allowed = max <= 0 || aur_board_sessions(board, database) < max;
    if (allowed) {
        __atomic_add_fetch(&board->children[child].sessions[database], 1, __ATOMIC_RELAXED);
    }
    unlock(board);
    if (!allowed) {
        __atomic_store_n(&board->databases[database].refused, clock_us(), __ATOMIC_RELAXED);
    }
    return allowed;
}

void aur_board_session_give(aur_board_t *board, int child, int database)
{
    if (child >= 0) {
        __atomic_sub_fetch(&board->children[child].sessions[database], 1, __ATOMIC_RELAXED);
    }
}

int aur_board_session_wanted(const aur_board_t *board, int database, apr_interval_time_t within)
{
    apr_uint64_t refused = __atomic_load_n(&board->databases[database].refused, __ATOMIC_RELAXED);

    return refused && clock_us() - refused < (apr_uint64_t)within;
}
