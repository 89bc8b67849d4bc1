/* http_sizing.c - do processes x connections fit what the database allows? Told when the server starts, not
 * found out under load. */
#include "http/http_private.h"
#include "aurora/govern_board.h"
#include "aurora/http.h"

#include <ap_mpm.h>
#include <http_log.h>

APLOG_USE_MODULE(aurora);

int aur_sizing_threads(void)
{
    int threaded = AP_MPMQ_NOT_SUPPORTED;

    return ap_mpm_query(AP_MPMQ_IS_THREADED, &threaded) == APR_SUCCESS &&
           threaded != AP_MPMQ_NOT_SUPPORTED;
}

static int processes(void)
{
    int n = 0;

    return ap_mpm_query(AP_MPMQ_MAX_DAEMONS, &n) == APR_SUCCESS && n > 0 ? n : 1;
}

/* A child with one thread runs one request at a time. */
void aur_sizing_fit(aur_db_settings_t *db)
{
    if (!aur_sizing_threads()) {
        db->pool_max = 1;
        db->pool_reserve = 0;
        db->pool_min = db->pool_min > 1 ? 1 : db->pool_min;
    }
}

static apr_int64_t most(const aur_server_t *server, int *each)
{
    aur_db_settings_t db = server->db;

    aur_sizing_fit(&db);
    *each = db.pool_max;
    return (apr_int64_t)processes() * db.pool_max;
}

void aur_sizing_notice(server_rec *s, const aur_server_t *server)
{
    int each;
    apr_int64_t sum = most(server, &each), cap = server->db_sessions_max;

    aur_http_figures_add(each, cap && cap < sum ? cap : sum);
    ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s,
                 AURLOG(3003) "database connections: %d processes x %d = %" APR_INT64_T_FMT
                              " at most; AuroraDBSessionsMax %" APR_INT64_T_FMT "%s",
                 processes(), each, sum, cap, cap ? "" : " (no cap)");
    if (cap && sum > cap) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     AURLOG(3004) "%d processes x %d connections are more than "
                                  "AuroraDBSessionsMax %" APR_INT64_T_FMT
                                  ": some processes will wait for the connections of others",
                     processes(), each, cap);
    }
}

void aur_sizing_capacity(server_rec *s, const aur_server_t *server, apr_int64_t capacity)
{
    int each;
    apr_int64_t sum = most(server, &each), cap = server->db_sessions_max;
    apr_int64_t used = cap && cap < sum ? cap : sum;

    if (!aur_govern_board() || !aur_board_once(aur_govern_board(), AUR_ONCE_CAPACITY)) {
        return;
    }
    ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s,
                 AURLOG(3005) "the database allows %" APR_INT64_T_FMT
                              " sessions; this server opens %" APR_INT64_T_FMT " at most",
                 capacity, used);
    if (used > capacity) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     AURLOG(3006) "this server may open %" APR_INT64_T_FMT
                                  " sessions where the database allows %" APR_INT64_T_FMT
                                  ": lower AuroraPoolMax or AuroraDBSessionsMax",
                     used, capacity);
    }
}
