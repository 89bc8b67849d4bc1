/* pool_circuit.c - while the database cannot be reached, requests fail at once instead of each waiting in
 * turn, and the keeper alone goes on trying, after pauses that grow up to a limit.
 *
 * The limit and the longest attempt together stay below the five seconds in which a database that is
 * back has to be found. */
#include "pool.h"

#define PAUSE_FIRST apr_time_from_msec(250)
#define PAUSE_MAX   apr_time_from_sec(2)

static apr_interval_time_t pause_after(int failures)
{
    apr_interval_time_t pause = PAUSE_FIRST;

    while (--failures > 0 && pause < PAUSE_MAX) {
        pause *= 2;
    }
    return pause < PAUSE_MAX ? pause : PAUSE_MAX;
}

void aur_circuit_fail(aur_db_t *db, apr_time_t started, apr_time_t now, const aur_error_t *why)
{
    aur_circuit_t *circuit = &db->circuit;

    circuit->why = *why;
    /* Attempts made side by side fail together: that is one failure. */
    if (circuit->open && started < circuit->stepped) {
        return;
    }
    if (!circuit->open) {
        circuit->since = now;
        db->log(db->log_ctx, LOG_ERR, APR_SUCCESS,
                "the database cannot be reached; requests are refused until it can: %s",
                why->native);
    }
    circuit->open = 1;
    circuit->failures++;
    circuit->stepped = now;
    circuit->retry = now + pause_after(circuit->failures);
    aur_cond_wake_all(&db->change);
    aur_cond_wake(&db->work);
}

void aur_circuit_succeed(aur_db_t *db, apr_time_t now)
{
    aur_circuit_t *circuit = &db->circuit;

    if (circuit->open) {
        db->log(db->log_ctx, LOG_NOTICE, APR_SUCCESS,
                "the database can be reached again, after %" APR_TIME_T_FMT " ms",
                apr_time_as_msec(now - circuit->since));
    }
    circuit->open = 0;
    circuit->failures = 0;
}

int aur_circuit_refuses(const aur_db_t *db)
{
    /* Sessions that are in use come back. */
    return db->circuit.open && db->nidle == 0 && db->nborrowed == 0;
}

apr_status_t aur_circuit_error(const aur_db_t *db, aur_error_t *err)
{
    *err = db->circuit.why;
    err->code = AUR_E_DB_UNAVAILABLE;
    err->retry_after = AUR_POOL_RETRY_AFTER;
    err->connection_lost = 1;
    return APR_EGENERAL;
}
