/* pool_keeper.c - the thread of a pool: keeps the minimum open, closes what is old or broken, and goes on trying
 * while the database cannot be reached. None of it on a request's time. */
#include "pool.h"

#define TICK       apr_time_from_sec(1)
#define TICK_SHORT apr_time_from_msec(50) /* while something is bound to change soon */

/* The minimum; or, while the circuit is open, one attempt when it is due. */
static void keep_open(aur_db_t *db, apr_time_t now)
{
    int there = db->nidle + db->nborrowed + aur_connect_count(db);

    if (db->circuit.open) {
        if (now >= db->circuit.retry && aur_connect_count(db) == 0) {
            aur_connect_start(db, now);
        }
        return;
    }
    while (there < db->settings.pool_min && aur_connect_start(db, now)) {
        there++;
    }
}

/* One round. @return when the next is due */
static apr_time_t keep(aur_db_t *db)
{
    apr_time_t now = aur_clock();
    int wanted = 0, left;

    if (db->hooks.wanted && db->nidle > 0) {
        aur_unlock(&db->lock);
        wanted = db->hooks.wanted(db->hooks.ctx);
        aur_lock(&db->lock);
    }
    aur_idle_expire(db, now, wanted);
    left = aur_bury_close(db);
    aur_connect_look(db, now);
    if (!wanted) {
        keep_open(db, now);
    }
    return aur_clock() +
           (left || db->buried || db->circuit.open || db->connectors ? TICK_SHORT : TICK);
}

static void *keeper_run(void *data)
{
    aur_db_t *db = data;

    aur_lock(&db->lock);
    while (!db->stopping) {
        apr_time_t next = keep(db);
        if (!db->stopping) {
            aur_cond_wait(&db->work, &db->lock, next);
        }
    }
    aur_unlock(&db->lock);
    return NULL;
}

apr_status_t aur_keeper_start(aur_db_t *db)
{
    apr_status_t rv = aur_thread_start(&db->keeper, keeper_run, db);

    db->has_keeper = rv == APR_SUCCESS;
    return rv;
}

void aur_keeper_stop(aur_db_t *db)
{
    aur_lock(&db->lock);
    db->stopping = 1;
    aur_cond_wake_all(&db->work);
    aur_cond_wake_all(&db->change);
    aur_unlock(&db->lock);
    if (db->has_keeper) {
        pthread_join(db->keeper, NULL);
        db->has_keeper = 0;
    }
}
