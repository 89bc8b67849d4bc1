/* board.h - what the children of one server know of each other, in shared memory.
 *
 * The parent makes the board before the first child and keeps it for as long as it lives: children of
 * different generations count on the same one. Each child has a slot of its own, found by its pid; when
 * the child ends, however it ends, the parent frees the slot and everything that was counted in it. Layout:
 *
 *   head        magic, version, sizes, where the parts begin, once-flags, the lock, the key of the hashes
 *   databases[] key (a hash of how it is reached), when a session was last refused
 *   children[]  pid, sessions per database, connections in use and waited for
 *   tasks       who runs what, and the last ones that ended   (aurora/tasks.h)
 *   rates       who asks how often                            (aurora/rates.h)
 *   metrics     counters and histograms                       (aurora/metrics.h)
 *
 * Fields are of fixed width and refer to each other by index. The lock outlives a holder that dies. What can be
 * read or written in one atomic step is, without the lock; a parent never waits for it, since a stopped
 * child may hold it. */
#ifndef AURORA_BOARD_H
#define AURORA_BOARD_H

#include <apr_pools.h>
#include <apr_time.h>

#include "aurora/metrics.h"
#include "aurora/rates.h"

#define AUR_BOARD_DATABASES 16

typedef struct aur_board_t aur_board_t;

typedef enum {
    AUR_ONCE_CAPACITY, /* what the database allows has been told */
    AUR_ONCE_COUNT
} aur_board_once_e;

typedef struct aur_board_size_t {
    int children;      /* that may live at once, those that are about to end included */
    int tasks;         /* that may run at once, in all of them */
    apr_int64_t users; /* users and addresses whose rates are known at once */
} aur_board_size_t;

/** In the parent: make a board in memory that is shared with children to come. It is never freed. */
apr_status_t aur_board_parent_create(aur_board_t **board, const aur_board_size_t *size);
/** Can code of this version use the board (which an earlier one may have made) for so many children and tasks?
 * The number of users stays what it was when the board was made. */
int aur_board_usable(const aur_board_t *board, const aur_board_size_t *size);
/** The users it was made for. */
apr_int64_t aur_board_users(const aur_board_t *board);
/** In the parent: a child has ended. */
void aur_board_parent_ended(aur_board_t *board, pid_t pid);
/** In the parent: a new generation begins; what is told once is told again. */
void aur_board_parent_begin(aur_board_t *board);

/** In a child: take a slot. @return its index; -1: none is left, and this child goes uncounted */
int aur_board_child_begin(aur_board_t *board, pid_t pid);

/** The index of a database; equal text, equal index. When all are taken the last one is shared.
 * @param driver, params  as in aur_db_settings_t; the board keeps only a hash of them */
int aur_board_database(aur_board_t *board, const char *driver, const char *params);

/** Count one more session of the database, unless `max` (0: no limit) of all children are open.
 * @return whether it may be opened */
int aur_board_session_take(aur_board_t *board, int child, int database, apr_int64_t max);
void aur_board_session_give(aur_board_t *board, int child, int database);
/** Sessions of all children. */
apr_int64_t aur_board_sessions(const aur_board_t *board, int database);
/** Has any child been refused a session within the last `within` microseconds? */
int aur_board_session_wanted(const aur_board_t *board, int database, apr_interval_time_t within);

/** Borrowers of this child that wait for a connection, and that have one: by how many they change. */
void aur_board_borrowers(aur_board_t *board, int child, int waiting, int busy);
/** Add the pool's figures of all children. */
void aur_board_figures(const aur_board_t *board, aur_figures_t *figures);

/** A keyed hash of text. Equal text in different spaces (what it stands for) makes different keys. */
void aur_board_key(aur_key_t *key, const aur_board_t *board, char space, const char *text);
/** The parts of the board. */
aur_rates_t *aur_board_rates(aur_board_t *board);
aur_metrics_t *aur_board_metrics(aur_board_t *board);
/** Microseconds of a clock that is the same for all processes and is never set. */
apr_time_t aur_board_clock(void);

/** @return true for the first caller of all processes since aur_board_parent_begin */
int aur_board_once(aur_board_t *board, aur_board_once_e what);

#endif
