/* oracle.h - what the test programs of the Oracle driver share: they meet it as any module does, through apr_dbd.
 * AURORA_ORACLE has its parameters; t/80-oracle-driver.t makes the tables and says where the driver is. */
#ifndef AURORA_T_ORACLE_H
#define AURORA_T_ORACLE_H

#include "tap.h"

#include <apr_dbd.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <stdlib.h>

#include "../../include/apr_dbd_oracle.h"

static apr_pool_t *pool;
static const apr_dbd_driver_t *driver;
static apr_dbd_t *db;

static void oracle_begin(void)
{
    apr_initialize();
    atexit(apr_terminate);
    apr_pool_create(&pool, NULL);
    apr_dbd_init(pool);
}

__attribute__((unused)) static apr_dbd_t *oracle_open(apr_pool_t *p)
{
    const char *error = "(none)", *params = getenv("AURORA_ORACLE");
    apr_dbd_t *h = NULL;
    apr_status_t rv;

    if (!params) {
        printf("1..0 # SKIP AURORA_ORACLE is not set: t/80-oracle-driver.t runs this\n");
        exit(0);
    }
    rv = apr_dbd_get_driver(p, "oracle", &driver);
    if (rv == APR_SUCCESS) {
        rv = apr_dbd_open_ex(driver, p, params, &h, &error);
    }
    if (rv != APR_SUCCESS) {
        char text[200];
        printf("Bail out! no connection: %s: %s\n", apr_strerror(rv, text, sizeof(text)), error);
        exit(1);
    }
    return h;
}

/* The first value of a query's first row; NULL where it is NULL, or nothing. */
__attribute__((unused)) static const char *value_of(const char *sql)
{
    apr_dbd_results_t *res = NULL;
    apr_dbd_row_t *row = NULL;
    int rv = apr_dbd_select(driver, pool, db, &res, sql, 0);

    if (rv == 0) {
        rv = apr_dbd_get_row(driver, pool, res, &row, -1);
    }
    if (rv > 0) {
        printf("# %s: %s\n", sql, apr_dbd_error(driver, db, rv));
    }
    return rv == 0 ? apr_dbd_get_entry(driver, row, 0) : NULL;
}

__attribute__((unused)) static int int_of(const char *s)
{
    return s ? atoi(s) : -1;
}

#endif
