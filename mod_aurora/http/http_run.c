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
    if (!x->runtime) {
        return no_database(x);
    }
    return aur_catalog_store_get(catalog, x->runtime->store, x->server->db.pool_timeout, &x->err,
                                 x->r->pool);
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
    const aur_catalog_t *catalog;
    apr_status_t rv = aur_run_catalog(x, &catalog);
    if (rv == APR_SUCCESS) {
        rv = aur_query_plan(plan, query, catalog, &x->err, x->r->pool);
    }
    if (rv == APR_SUCCESS) {
        x->dataset = (*plan)->dataset_name;
    }
    return rv;
}

apr_status_t aur_run_borrow(aur_request_t *x, aur_db_use_e use)
{
    apr_time_t begin = apr_time_now();
    apr_status_t rv;
    if (!x->runtime) {
        return no_database(x);
    }
    rv = aur_conn_borrow(&x->conn, x->runtime->db, use, x->user, x->correlation, &x->err,
                         x->r->pool);
    x->wait_us = apr_time_now() - begin;
    if (rv != APR_SUCCESS) {
        x->conn = NULL;
    }
    return rv;
}

void aur_run_return(aur_request_t *x)
{
    if (x->conn) {
        aur_conn_return(x->conn);
        x->conn = NULL;
    }
}

apr_status_t aur_run_build(aur_request_t *x, const aur_plan_t *plan, aur_sql_e kind,
                           aur_sql_t **sql)
{
    apr_status_t rv =
        aur_sql_build(sql, aur_db_dialect(x->runtime->db), plan, kind, &x->err, x->r->pool);
    x->sql = rv == APR_SUCCESS ? (*sql)->text : NULL;
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
