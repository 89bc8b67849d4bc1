/* http_run.c - the steps between a checked request and its rows. Each fills x->err when it fails. */
#include "http/http_private.h"

#include <apr_time.h>

static apr_status_t no_database(aur_request_t *x)
{
    return aur_error_set(&x->err, AUR_E_DB_UNAVAILABLE, NULL,
                         "No database is set up for this server.");
}

apr_status_t aur_run_catalog(aur_request_t *x, const aur_catalog_t **catalog)
{
    const aur_catalog_t *snapshot = NULL;
    apr_status_t rv;
    if (!x->runtime) {
        return no_database(x);
    }
    rv = aur_catalog_store_get(&snapshot, x->runtime->store, x->server->db.pool_timeout, &x->err,
                               x->r->pool);
    if (rv == APR_SUCCESS) {
        *catalog = aur_catalog_view(snapshot, aur_request_viewer(x), x->r->pool);
    }
    return rv;
}

int aur_run_read(aur_request_t *x, aur_query_t **query)
{
    const char *body;
    apr_size_t len;
    int status = aur_body_read(x, &body, &len);
    if (status != OK) {
        return status;
    }
    return aur_query_parse(query, body, len, &x->err, x->r->pool) == APR_SUCCESS ? OK : DONE;
}

apr_status_t aur_run_plan(aur_request_t *x, const aur_query_t *query, aur_plan_t **plan)
{
    const aur_catalog_t *catalog = NULL;
    apr_status_t rv = aur_run_catalog(x, &catalog);
    if (rv == APR_SUCCESS) {
        rv = aur_query_plan(plan, query, catalog, &x->err, x->r->pool);
    }
    if (rv == APR_SUCCESS) {
        x->dataset = (*plan)->dataset_name;
        x->title = (*plan)->tables[0].dataset->display_name;
    }
    return rv;
}

/* From here on somebody looks after the request. So a signal that ends the child can wait until the request has
 * ended itself, which the watch sees to: its handler must not find a library in the middle of an allocation. */
static void enter(aur_request_t *x)
{
    aur_task_limits_t limits = {.query_timeout = x->loc->query_timeout,
                                .task_timeout = x->loc->task_timeout,
                                .stall_timeout = x->loc->stall_timeout,
                                .min_drain = x->loc->min_drain,
                                .cancel_flag = aur_work_cancel_flag(x)};
    aur_task_client_t client;

    if (!x->task && x->runtime->watch) {
        aur_client_of(&client, x);
        aur_ending_hold(&x->ending);
        x->task = aur_task_enter(x->runtime->watch, &limits, &client, x->r->pool);
    }
}

apr_status_t aur_run_borrow(aur_request_t *x, aur_db_use_e use)
{
    apr_time_t begin = aur_clock();
    apr_status_t rv;
    if (!x->runtime) {
        return no_database(x);
    }
    enter(x);
    rv = aur_conn_borrow_for(&x->conn, x->runtime->db, use, x->user, x->correlation, x->task,
                             &x->err, x->r->pool);
    x->wait_us = aur_clock() - begin;
    aur_metrics_time(AUR_TIME_POOL_WAIT, x->wait_us);
    if (rv != APR_SUCCESS) {
        x->conn = NULL;
        return rv;
    }
    aur_work_running(x);
    return rv;
}

void aur_run_return(aur_request_t *x)
{
    if (x->conn) {
        aur_conn_return(x->conn);
        x->conn = NULL;
    }
}

static int seconds(apr_interval_time_t interval)
{
    return (int)apr_time_sec(interval + APR_USEC_PER_SEC - 1);
}

void aur_run_explain(aur_request_t *x)
{
    aur_error_t *err = &x->err;
    aur_stop_e reason = aur_task_reason(x->task);
    char native[AUR_NATIVE_MAX];

    memcpy(native, err->native, sizeof(native));
    switch (reason) {
    case AUR_STOP_NONE:
        return;
    case AUR_STOP_TIMEOUT:
        aur_error_set(
            err, AUR_E_QUERY_TIMEOUT, NULL,
            "The database did not answer within %d seconds; the query was stopped. Ask for "
            "less, or narrow it with filters.",
            seconds(x->loc->query_timeout));
        break;
    case AUR_STOP_TASK_TIMEOUT:
        aur_error_set(err, AUR_E_QUERY_TIMEOUT, NULL,
                      "The request took longer than %d seconds as a whole and was stopped.",
                      seconds(x->loc->task_timeout));
        break;
    case AUR_STOP_CLIENT_GONE:
        aur_error_set(err, AUR_E_CLIENT_GONE, NULL, "The client left.");
        break;
    case AUR_STOP_STALLED:
        aur_error_set(err, AUR_E_CLIENT_GONE, NULL, "The client took no byte for %d seconds.",
                      seconds(x->loc->stall_timeout));
        break;
    case AUR_STOP_TOO_SLOW:
        aur_error_set(err, AUR_E_CLIENT_GONE, NULL,
                      "The client took fewer than %" APR_INT64_T_FMT " bytes a second.",
                      x->loc->min_drain);
        break;
    case AUR_STOP_CANCELLED:
        aur_error_set(err, AUR_E_CLIENT_GONE, NULL, "The task was cancelled.");
        break;
    case AUR_STOP_STOPPING:
        aur_error_set(err, AUR_E_DB_UNAVAILABLE, NULL, "The server is stopping.");
        break;
    }
    memcpy(err->native, native, sizeof(native));
}

apr_status_t aur_run_build(aur_request_t *x, const aur_plan_t *plan, aur_sql_e kind,
                           aur_sql_t **sql)
{
    apr_status_t rv =
        aur_sql_build(sql, aur_db_dialect(x->runtime->db), plan, kind, &x->err, x->r->pool);
    x->sql = rv == APR_SUCCESS ? (*sql)->text : NULL;
    aur_task_progress(x->task); /* the next wait for the database begins */
    return rv;
}

apr_status_t aur_run_open(aur_request_t *x, const aur_plan_t *plan, aur_sql_e kind,
                          aur_cursor_t **cursor)
{
    aur_sql_t *sql;
    apr_status_t rv = aur_run_build(x, plan, kind, &sql);
    return rv == APR_SUCCESS ? aur_cursor_open(cursor, x->conn, sql, &x->err, x->r->pool) : rv;
}

apr_status_t aur_run_count(aur_request_t *x, const aur_plan_t *plan, aur_sql_e kind,
                           apr_int64_t *total)
{
    aur_sql_t *sql;
    apr_status_t rv = aur_run_build(x, plan, kind, &sql);
    return rv == APR_SUCCESS ? aur_db_number(total, x->conn, sql, &x->err, x->r->pool) : rv;
}
