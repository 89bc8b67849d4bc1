/* dbd.h - what the tests of the generic backend against a real MariaDB share. AURORA_MY are the parameters
 * of a user who may read, AURORA_MY_ADMIN those of one who may do anything; t/29-dbd.t makes both. */
#ifndef AURORA_TEST_DBD_H
#define AURORA_TEST_DBD_H

#include <apr_dbd.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <stdlib.h>

#include "aurora/db.h"
#include "tap.h"

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

static apr_pool_t *pool;    /* the child's */
static apr_pool_t *request; /* cleared by request_end */
static const apr_dbd_driver_t *admin_driver;
static apr_dbd_t *admin;
static aur_db_t *db;
static aur_error_t err;

/* Run SQL as the administrator. Wrong SQL ends the test. */
static void admin_do(const char *text)
{
    int nrows, rc = apr_dbd_query(admin_driver, admin, &nrows, text);

    if (rc) {
        printf("Bail out! %d %s in: %.300s\n", rc, apr_dbd_error(admin_driver, admin, rc), text);
        exit(1);
    }
}

/* The first value of the first row. */
__attribute__((unused)) static const char *admin_ask(const char *text)
{
    apr_dbd_results_t *result = NULL;
    apr_dbd_row_t *row = NULL;
    const char *value;

    if (apr_dbd_select(admin_driver, request, admin, &result, text, 1) ||
        apr_dbd_get_row(admin_driver, request, result, &row, 1)) {
        return "";
    }
    value = apr_dbd_get_entry(admin_driver, row, 0);
    return value ? value : "";
}

__attribute__((unused)) static void admin_dof(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    admin_do(apr_pvsprintf(request, fmt, ap));
    va_end(ap);
}

/* @return 0: not here, and said so */
static int dbd_begin(void)
{
    const char *params = getenv("AURORA_MY_ADMIN"), *why = NULL;

    if (!getenv("AURORA_MY") || !params) {
        printf("1..0 # SKIP AURORA_MY is not set: run by t/29-dbd.t\n");
        return 0;
    }
    apr_initialize();
    apr_pool_create(&pool, NULL);
    apr_pool_create(&request, pool);
    apr_dbd_init(pool);
    if (apr_dbd_get_driver(pool, "mysql", &admin_driver) ||
        apr_dbd_open_ex(admin_driver, pool, params, &admin, &why)) {
        printf("Bail out! %s\n", why ? why : "no mysql driver (Debian: libaprutil1-dbd-mysql)");
        exit(1);
    }
    admin_do("SET NAMES utf8mb4");
    admin_do("SET SESSION time_zone = '+00:00'");
    aur_error_clear(&err);
    return 1;
}

static void request_end(void)
{
    apr_pool_clear(request);
    aur_error_clear(&err);
}

static int dbd_end(void)
{
    apr_dbd_close(admin_driver, admin);
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}

static aur_db_settings_t settings_for(const char *driver, const char *params)
{
    aur_db_settings_t settings = {
        .driver = driver, .params = params, .pool_max = 2, .pool_timeout = apr_time_from_sec(2)};
    return settings;
}

static aur_db_t *db_create(const char *driver, const char *params)
{
    aur_db_settings_t settings = settings_for(driver, params);
    aur_db_t *made = NULL;

    if (aur_db_child_create(&made, &settings, NULL, NULL, pool) != APR_SUCCESS) {
        printf("Bail out! no pool of connections\n");
        exit(1);
    }
    return made;
}

static aur_conn_t *borrow(void)
{
    aur_conn_t *conn = NULL;

    if (aur_conn_borrow(&conn, db, AUR_USE_PREVIEW, "ann", "c-1", &err, request) != APR_SUCCESS) {
        printf("# borrow: %s (%s)\n", err.detail, err.native);
        return NULL;
    }
    return conn;
}

/* One cell as the tests write it: NULL is ~, binary is hexadecimal. */
static const char *cell_text(const aur_cell_t *cell)
{
    char *out;
    apr_size_t i;

    switch (cell->kind) {
    case AUR_V_NULL:
        return "~";
    case AUR_V_INT:
        return apr_psprintf(request, "%" APR_INT64_T_FMT, cell->v.i);
    case AUR_V_BOOL:
        return cell->v.i ? "true" : "false";
    case AUR_V_DOUBLE:
        out = apr_palloc(request, 32);
        snprintf(out, 32, "%.17g", cell->v.d);
        return out;
    case AUR_V_BINARY:
        out = apr_pcalloc(request, 2 * cell->len + 1);
        for (i = 0; i < cell->len; i++) {
            apr_snprintf(out + 2 * i, 3, "%02x", (unsigned char)cell->v.s[i]);
        }
        return out;
    default:
        return apr_pstrmemdup(request, cell->v.s, cell->len);
    }
}

static const char *failure(void)
{
    return apr_psprintf(request, "error: %s", aur_error_code(err.code));
}

/* Rows as "a|b;c|d"; or "error: CODE". */
static const char *rows_of(aur_conn_t *conn, const aur_sql_t *sql)
{
    aur_cursor_t *cursor;
    const aur_cell_t *cells;
    const char *rows = "";
    apr_status_t rv;
    int i, n;

    if (!conn) {
        return "error: no connection";
    }
    rv = aur_cursor_open(&cursor, conn, sql, &err, request);
    if (rv != APR_SUCCESS) {
        return failure();
    }
    aur_cursor_columns(cursor, &n);
    while ((rv = aur_cursor_next(&cells, cursor, &err)) == APR_SUCCESS) {
        rows = apr_pstrcat(request, rows, *rows ? ";" : "", NULL);
        for (i = 0; i < n; i++) {
            rows = apr_pstrcat(request, rows, i ? "|" : "", cell_text(&cells[i]), NULL);
        }
    }
    if (rv != APR_EOF) {
        return failure();
    }
    aur_cursor_close(cursor);
    return rows;
}

/* What the database has, as a snapshot in p. */
__attribute__((unused)) static const aur_catalog_t *discovered(apr_pool_t *p)
{
    aur_catalog_builder_t *builder = aur_catalog_builder_create(p);
    aur_conn_t *conn = borrow();

    if (!conn || aur_db_discover(builder, conn, &err, p) != APR_SUCCESS) {
        printf("Bail out! discovery: %s (%s)\n", err.detail, err.native);
        exit(1);
    }
    aur_conn_return(conn);
    return aur_catalog_build(builder, NULL, NULL);
}

/* A request, as a client would send it, as far as its plan. NULL: refused, err says why. */
__attribute__((unused)) static aur_plan_t *plan_of(const aur_catalog_t *catalog, const char *body)
{
    aur_query_t *query;
    aur_plan_t *plan;

    return aur_query_parse(&query, body, strlen(body), &err, request) == APR_SUCCESS &&
                   aur_query_plan(&plan, query, catalog, &err, request) == APR_SUCCESS
               ? plan
               : NULL;
}

#endif
