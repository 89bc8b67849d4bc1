/* statement_dbd.c - a statement and its values, by plain apr_dbd calls.
 *
 * The mysql driver reads every result of a statement that apr_dbd prepared into memory
 * (mysql_stmt_store_result, whatever `random` says), reserves a megabyte for each long column and cuts
 * longer values without a word. Its unprepared results stream and come whole, but take no values. So
 * the values travel as real parameters of a SET of user variables, the statement's text as one more, and
 * the server itself prepares and executes it with these variables:
 *
 *     SET @aurora = ?, @a1 = CAST(? AS SIGNED), @a2 = ?      prepared by apr_dbd, with values
 *     PREPARE aurora FROM @aurora                            constant
 *     EXECUTE aurora USING @a1, @a2                          constant but for the numbers of variables */
#include <apr_strings.h>
#include <apr_tables.h>
#include <string.h>

#include "aurora/datetime.h"
#include "dbd_private.h"

#define DECIMAL_DIGITS_MAX   65 /* of MySQL */
#define DECIMAL_FRACTION_MAX 30
#define YEAR_MAX             9999
#define NUMBER_TEXT          24 /* bytes: any whole number, with a comma and an @ */

/* --- values --------------------------------------------------------------------------------------- */

static const char *value_text(const aur_cell_t *cell, apr_pool_t *p)
{
    switch (cell->kind) {
    case AUR_V_NULL:
        return NULL;
    case AUR_V_INT:
    case AUR_V_BOOL:
        return apr_psprintf(p, "%" APR_INT64_T_FMT, cell->v.i);
    case AUR_V_DOUBLE:
        return apr_psprintf(p, "%.17g", cell->v.d);
    default:
        return apr_pstrmemdup(p, cell->v.s, cell->len);
    }
}

/* A moment that the database has no room for would silently be NULL to it. */
static apr_status_t check_value(const aur_cell_t *cell, aur_error_t *err)
{
    aur_datetime_t moment;
    int is_moment = cell->kind == AUR_V_DATE || cell->kind == AUR_V_TIMESTAMP ||
                    cell->kind == AUR_V_TIMESTAMP_TZ;

    if (!is_moment || (aur_datetime_parse(&moment, cell->v.s, cell->len) && moment.year >= 0 &&
                       moment.year <= YEAR_MAX)) {
        return APR_SUCCESS;
    }
    return aur_error_set(err, AUR_E_BAD_VALUE, NULL,
                         "The database cannot hold one of the values that are compared.");
}

static apr_status_t values_of(const char ***values, const aur_sql_t *sql, int first,
                              aur_error_t *err, apr_pool_t *p)
{
    const char **list = apr_pcalloc(p, (apr_size_t)(first + sql->nbinds + 1) * sizeof(*list));
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; i < sql->nbinds && rv == APR_SUCCESS; i++) {
        rv = check_value(&sql->binds[i].cell, err);
        list[first + i] = value_text(&sql->binds[i].cell, p);
    }
    *values = list;
    return rv;
}

/* --- mysql ---------------------------------------------------------------------------------------- */

/* The text as the server wants it: %s is ?, %% is %. */
static const char *native_text(const aur_sql_t *sql, apr_pool_t *p)
{
    char *text = apr_palloc(p, sql->len + 1), *to = text;
    const char *from;

    for (from = sql->text; *from; from++) {
        if (from[0] != '%' || !from[1]) {
            *to++ = *from;
            continue;
        }
        from++;
        *to = *from;
        if (*to == 's') {
            *to = '?';
        }
        to++;
    }
    *to = '\0';
    return text;
}

/* What makes a variable of the value's own type of its text. */
static const char *variable(int n, const aur_cell_t *cell, apr_pool_t *p)
{
    const char *point;
    apr_size_t fraction;

    if (cell->kind == AUR_V_INT || cell->kind == AUR_V_BOOL) {
        return apr_psprintf(p, ", @a%d = CAST(%%s AS SIGNED)", n);
    }
    if (cell->kind == AUR_V_DOUBLE) {
        return apr_psprintf(p, ", @a%d = %%s + 0e0", n);
    }
    if (cell->kind != AUR_V_DECIMAL) {
        return apr_psprintf(p, ", @a%d = %%s", n);
    }
    point = memchr(cell->v.s, '.', cell->len);
    fraction = point ? cell->len - (apr_size_t)(point - cell->v.s) - 1 : 0;
    if (cell->len > DECIMAL_DIGITS_MAX || fraction > DECIMAL_FRACTION_MAX) {
        return apr_psprintf(p, ", @a%d = %%s + 0e0", n);
    }
    return apr_psprintf(p, ", @a%d = CAST(%%s AS DECIMAL(%d, %d))", n, (int)cell->len,
                        (int)fraction);
}

static int mysql_set(aur_dbd_t *d, const aur_sql_t *sql, const char **values, apr_pool_t *p)
{
    const apr_dbd_driver_t *driver = d->session->driver;
    apr_dbd_t *handle = d->session->handle;
    apr_dbd_prepared_t *statement = NULL;
    apr_array_header_t *parts = apr_array_make(p, sql->nbinds + 1, sizeof(const char *));
    int i, nrows, rc;

    APR_ARRAY_PUSH(parts, const char *) = "SET @aurora = %s";
    for (i = 0; i < sql->nbinds; i++) {
        APR_ARRAY_PUSH(parts, const char *) = variable(i + 1, &sql->binds[i].cell, p);
    }
    values[0] = native_text(sql, p);
    rc = apr_dbd_prepare(driver, p, handle, apr_array_pstrcat(p, parts, '\0'), NULL, &statement);
    return rc ? rc : apr_dbd_pquery(driver, p, handle, &nrows, statement, sql->nbinds + 1, values);
}

static const char *mysql_execute(const aur_sql_t *sql, apr_pool_t *p)
{
    static const char head[] = "EXECUTE aurora", using[] = " USING ";
    apr_size_t size = sizeof(head) + sizeof(using) + (apr_size_t)sql->nbinds * NUMBER_TEXT;
    char *text = apr_palloc(p, size), *at = text;
    int i;

    at += apr_snprintf(at, size, "%s%s", head, sql->nbinds > 0 ? using : "");
    for (i = 1; i <= sql->nbinds; i++) {
        at += apr_snprintf(at, size - (apr_size_t)(at - text), "%s@a%d", i > 1 ? "," : "", i);
    }
    return text;
}

static apr_status_t run_mysql(apr_dbd_results_t **result, aur_dbd_t *d, const aur_sql_t *sql,
                              const char **values, aur_error_t *err, apr_pool_t *p)
{
    const apr_dbd_driver_t *driver = d->session->driver;
    apr_dbd_t *handle = d->session->handle;
    apr_pool_t *set;
    int nrows, rc;

    apr_pool_create(&set, p);
    rc = mysql_set(d, sql, values, set);
    apr_pool_destroy(set); /* closes apr_dbd's statement */
    if (rc == 0) {
        rc = apr_dbd_query(driver, handle, &nrows, "PREPARE aurora FROM @aurora");
    }
    if (rc == 0) {
        rc = apr_dbd_select(driver, p, handle, result, mysql_execute(sql, p), 0);
    }
    return rc == 0 ? APR_SUCCESS : aur_dbd_error(d->session, rc, err);
}

/* --- the others ----------------------------------------------------------------------------------- */

static apr_status_t run_prepared(apr_dbd_results_t **result, aur_dbd_t *d, const aur_sql_t *sql,
                                 const char **values, aur_error_t *err, apr_pool_t *p)
{
    const apr_dbd_driver_t *driver = d->session->driver;
    apr_dbd_t *handle = d->session->handle;
    apr_dbd_prepared_t *statement = NULL;
    int rc = apr_dbd_prepare(driver, p, handle, sql->text, NULL, &statement);

    if (rc == 0) {
        rc = apr_dbd_pselect(driver, p, handle, result, statement, 0, sql->nbinds, values);
    }
    return rc == 0 ? APR_SUCCESS : aur_dbd_error(d->session, rc, err);
}

apr_status_t aur_dbd_run(apr_dbd_results_t **result, aur_dbd_t *d, const aur_sql_t *sql,
                         aur_error_t *err, apr_pool_t *p)
{
    int mysql = d->kind == AUR_DBD_MYSQL;
    const char **values;
    apr_status_t rv = values_of(&values, sql, mysql, err, p);

    *result = NULL;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = mysql ? run_mysql(result, d, sql, values, err, p)
               : run_prepared(result, d, sql, values, err, p);
    if (rv == APR_SUCCESS && !*result) {
        rv = aur_error_set(err, AUR_E_DATABASE_ERROR, NULL, "The statement gave no rows at all.");
    }
    return rv;
}
