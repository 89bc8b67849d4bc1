/* board_private.h - the layout of the board, between the files of govern/. */
#ifndef AURORA_BOARD_PRIVATE_H
#define AURORA_BOARD_PRIVATE_H

#include "aurora/board.h"
#include "aurora/tasks.h"

#include "shared_lock.h"

typedef struct aur_board_database_t {
    apr_uint64_t key;     /* 0: free; set once, under the lock */
    apr_uint64_t refused; /* atomic; microseconds of the monotonic clock; 0: never */
} aur_board_database_t;

/* One per child; only its child and the parent, once it has ended, write. */
typedef struct aur_board_child_t {
    apr_uint32_t pid;                           /* atomic; 0: free */
    apr_uint32_t busy, waiting;                 /* atomic; borrowers */
    apr_uint32_t sessions[AUR_BOARD_DATABASES]; /* atomic; increased under the lock */
} aur_board_child_t;

/* Where the parts begin, in bytes from the head. */
typedef struct aur_board_parts_t {
    apr_uint64_t children, places, tasks, ended, rates, metrics, size;
} aur_board_parts_t;

struct aur_board_t {
    apr_uint32_t magic, version;
    apr_uint32_t nchildren, ntasks;
    apr_int64_t nusers;
    aur_board_parts_t parts;
    apr_time_t started;                /* wall clock */
    apr_uint32_t once[AUR_ONCE_COUNT]; /* atomic */
    unsigned char secret[32];
    pthread_mutex_t
        lock;         /* robust, shared; guards database keys, the growth of sessions, and tasks */
    apr_uint32_t top; /* atomic; places from here on are free; grows under the lock */
    apr_uint32_t nended[AUR_WORK_COUNT]; /* under the lock: tasks that ended so far, modulo 2^32 */
    aur_board_database_t databases[AUR_BOARD_DATABASES];
};

static inline void *aur_board_part(const aur_board_t *board, apr_uint64_t offset)
{
    return (char *)board + offset;
}

static inline aur_board_child_t *aur_board_children(const aur_board_t *board)
{
    return aur_board_part(board, board->parts.children);
}

/* --- tasks.c ------------------------------------------------------------------------------------ */

apr_uint64_t aur_tasks_places_bytes(int tasks);
apr_uint64_t aur_tasks_bytes(int tasks);
apr_uint64_t aur_tasks_ended_bytes(void);
/** In the parent, without the lock: the child's tasks count no more. */
void aur_tasks_parent_ended(aur_board_t *board, pid_t pid);

#endif
