/* pgsql.h - what the tests against a real PostgreSQL server share. AURORA_PG is the connection string of
 * a role that may read, AURORA_PG_ADMIN that of one that may do anything; t/26-pgsql.t makes both. */
#ifndef AURORA_TEST_PGSQL_H
#define AURORA_TEST_PGSQL_H

#include <apr_general.h>
#include <apr_strings.h>
#include <libpq-fe.h>
#include <stdlib.h>

#include "aurora/db.h"
#include "tap.h"

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

static apr_pool_t *pool;    /* the child's */
static apr_pool_t *request; /* cleared by request_end */
static PGconn *admin;
static aur_db_t *db;
static aur_error_t err;

static const char *admin_do(const char *text);

/* @return 0: not here, and said so */
static int pgsql_begin(void)
{
    const char *conninfo = getenv("AURORA_PG_ADMIN");

    if (!getenv("AURORA_PG") || !conninfo) {
        printf("1..0 # SKIP AURORA_PG is not set: run by t/26-pgsql.t\n");
        return 0;
    }
    apr_initialize();
    apr_pool_create(&pool, NULL);
    apr_pool_create(&request, pool);
    admin = PQconnectdb(conninfo);
    if (PQstatus(admin) != CONNECTION_OK) {
        printf("Bail out! %s\n", PQerrorMessage(admin));
        exit(1);
    }
    admin_do("SET client_min_messages = 'warning'");
    aur_error_clear(&err);
    return 1;
}

static void request_end(void)
{
    apr_pool_clear(request);
    aur_error_clear(&err);
}

static int pgsql_end(void)
{
    apr_pool_destroy(pool);
    PQfinish(admin);
    apr_terminate();
    return tap_done();
}

/* Run SQL as the administrator; the first value of the last result. Wrong SQL ends the test. */
static const char *admin_do(const char *text)
{
    PGresult *result = PQexec(admin, text);
    const char *value = "";

    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK) {
        printf("Bail out! %s in: %s\n", PQerrorMessage(admin), text);
        exit(1);
    }
    if (PQntuples(result) > 0) {
        value = apr_pstrdup(pool, PQgetvalue(result, 0, 0));
    }
    PQclear(result);
    return value;
}

/* An empty database, then what the test needs. */
static void admin_fresh(const char *script)
{
    admin_do("DO $$ DECLARE s name; BEGIN FOR s IN SELECT nspname FROM pg_namespace "
             "WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP "
             "EXECUTE format('DROP SCHEMA %I CASCADE', s); END LOOP; END $$;"
             "CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC");
    admin_do(script);
}

/* What the sessions of the reading role do, once it is what is wanted: a ROLLBACK is not waited for. */
__attribute__((unused)) static int sessions_are(const char *want, const char *name)
{
    const char *got = "";
    int i;

    for (i = 0; i < 200; i++) {
        got = admin_do("SELECT coalesce(string_agg(state, ',' ORDER BY state), '') "
                       "FROM pg_stat_activity WHERE usename = 'aurora'");
        if (!strcmp(got, want)) {
            break;
        }
        apr_sleep(apr_time_from_msec(10));
    }
    return is_str(got, want, name);
}

__attribute__((unused)) static const char *admin_dof(const char *fmt, ...)
{
    va_list ap;
    const char *text;

    va_start(ap, fmt);
    text = apr_pvsprintf(pool, fmt, ap);
    va_end(ap);
    return admin_do(text);
}

static aur_db_settings_t settings_for(const char *params)
{
    aur_db_settings_t settings = {
        .driver = "pgsql", .params = params, .pool_max = 2, .pool_timeout = apr_time_from_sec(2)};
    return settings;
}

static aur_db_t *db_create(const char *params)
{
    aur_db_settings_t settings = settings_for(params);
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

__attribute__((unused)) static aur_sql_t sql_text(const char *text)
{
    aur_sql_t sql = {.text = text, .len = strlen(text)};
    return sql;
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
        return apr_psprintf(request, "error: %s %.5s", aur_error_code(err.code), err.native);
    }
    aur_cursor_columns(cursor, &n);
    while ((rv = aur_cursor_next(&cells, cursor, &err)) == APR_SUCCESS) {
        rows = apr_pstrcat(request, rows, *rows ? ";" : "", NULL);
        for (i = 0; i < n; i++) {
            rows = apr_pstrcat(request, rows, i ? "|" : "", cell_text(&cells[i]), NULL);
        }
    }
    if (rv != APR_EOF) {
        return apr_psprintf(request, "error: %s %.5s", aur_error_code(err.code), err.native);
    }
    aur_cursor_close(cursor);
    return rows;
}

#endif
