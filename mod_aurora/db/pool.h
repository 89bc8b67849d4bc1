/* pool.h - between the files of the pool of connections.
 *
 *   db_pool.c        the db: made, ended; borrowing and giving back
 *   pool_sessions.c  open sessions that nobody uses: idle ones, and those to be closed
 *   pool_connect.c   the threads that connect
 *   pool_circuit.c   a database that cannot be reached is not asked by everybody
 *   pool_keeper.c    the thread that keeps the minimum, closes, and probes
 *
 * A place in the pool (apr_reslist's slot) is permission to use a session; sessions themselves lie in one list,
 * newest first, where any borrower with a place takes them from. Who finds none has one connected by a
 * thread that is nobody's in particular: what it brings goes to the list, also when it comes late. So
 * no borrower waits longer than it wants to, and nothing that was connected is lost.
 *
 * `lock` guards everything that is not set once at the start. Nothing that asks the database is done under
 * it. The db's memory is freed by the last of its users, because a thread that hangs in a connect may
 * outlive the child's pools. */
#ifndef AURORA_POOL_H
#define AURORA_POOL_H

#include <apr_reslist.h>
#include <syslog.h>

#include "backend.h"
#include "aurora/sync.h"

#define AUR_POOL_SLICE                                                                             \
    apr_time_from_msec(100) /* of a wait; between two, the borrower is looked after */
#define AUR_POOL_WAIT        apr_time_from_sec(2) /* where the settings name no limit */
#define AUR_POOL_RETRY_AFTER 5                    /* seconds, as the contract has it */

typedef struct aur_slot_t {
    apr_pool_t *pool;
} aur_slot_t;

/* A thread that connects. */
typedef struct aur_connector_t aur_connector_t;
struct aur_connector_t {
    aur_db_t *db;
    aur_connector_t *prev, *next; /* of those at work */
    apr_pool_t *pool;
    apr_time_t started;
    int late; /* has taken longer than any borrower would wait */
};

typedef struct aur_circuit_t {
    int open;
    int failures;       /* in a row, one per round */
    apr_time_t since;   /* when it opened */
    apr_time_t stepped; /* when the last failure was counted */
    apr_time_t retry;   /* when the next attempt is due */
    aur_error_t why;
} aur_circuit_t;

struct aur_db_t {
    aur_db_settings_t settings;
    apr_interval_time_t wait;
    int max;
    const aur_backend_t *backend;
    const aur_dialect_t *dialect;
    aur_db_hooks_t hooks;
    aur_log_fn *log; /* never NULL */
    void *log_ctx;
    apr_pool_t *pool;
    apr_reslist_t *slots;

    aur_lock_t lock;
    aur_cond_t change; /* borrowers: look again */
    aur_cond_t work;   /* the keeper: look again */
    aur_conn_t *borrowed;
    int nborrowed;                  /* that have a session */
    int nexports;                   /* that have a place or are about to */
    int nwanting;                   /* that have a place and no session */
    aur_session_t *newest, *oldest; /* idle */
    int nidle;
    aur_session_t *buried; /* to be closed, linked by `next` */
    aur_connector_t *connectors;
    int nconnectors;
    apr_time_t capped; /* when AuroraDBSessionsMax last stood in the way; 0: never */
    aur_circuit_t circuit;
    int asked; /* for the database's capacity */
    int stopping, ended;
    int users;         /* the child, and each connector */
    aur_relay_t relay; /* of connectors that are through */
    pthread_t keeper;
    int has_keeper;
};

/* --- pool_sessions.c ---------------------------------------------------------------------------- */

/* All of these: under the lock. */
aur_session_t *aur_idle_take(aur_db_t *db);
void aur_idle_put(aur_db_t *db, aur_session_t *session);
/** Close idle ones that are not needed: above the minimum and idle for too long, or wanted elsewhere. */
void aur_idle_expire(aur_db_t *db, apr_time_t now, int wanted_elsewhere);
/** Leave a session to be closed. */
void aur_bury(aur_db_t *db, aur_session_t *session);
/** Close what is buried; the lock is given up for it.
 * @return whether something is left, because a cancel of it is under way */
int aur_bury_close(aur_db_t *db);

/** Not under the lock: is a session that lay idle still good? */
int aur_session_good(aur_db_t *db, aur_session_t *session, int ask);

/* --- pool_connect.c ----------------------------------------------------------------------------- */

/** Under the lock: have one more session connected, if there may be one.
 * @return whether one is being connected now */
int aur_connect_start(aur_db_t *db, apr_time_t now);
/** Under the lock: connectors that somebody may still hope for. */
int aur_connect_count(const aur_db_t *db);
/** Under the lock: note those that take too long. */
void aur_connect_look(aur_db_t *db, apr_time_t now);
/** Under the lock, which is gone afterwards: one user less. */
void aur_db_release_and_unlock(aur_db_t *db);

/* --- pool_circuit.c; under the lock --------------------------------------------------------------- */

/** An attempt that began at `started` has failed. */
void aur_circuit_fail(aur_db_t *db, apr_time_t started, apr_time_t now, const aur_error_t *why);
void aur_circuit_succeed(aur_db_t *db, apr_time_t now);
/** There is no session, and none is to be had. */
int aur_circuit_refuses(const aur_db_t *db);
/** Fill err with why. @return APR_EGENERAL */
apr_status_t aur_circuit_error(const aur_db_t *db, aur_error_t *err);

/* --- pool_keeper.c --------------------------------------------------------------------------------- */

apr_status_t aur_keeper_start(aur_db_t *db);
void aur_keeper_stop(aur_db_t *db);

#endif
