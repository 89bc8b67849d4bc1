/* explain_oracle.c - how many rows the optimizer expects: EXPLAIN PLAN under a statement id of its own, the
 * cardinality of the plan's first line, and a rollback that takes the lines away again. */
#include <apr_strings.h>
#include <string.h>

#include "aurora/number.h"
#include "oracle_private.h"

#define READ_PLAN "SELECT cardinality FROM plan_table WHERE statement_id = :1 AND id = 0"

/* The optimizer rounds large figures and may write them with an exponent no 64-bit number holds. */
static apr_status_t figure(apr_int64_t *rows, const apr_dbd_oracle_value_t *value, aur_error_t *err)
{
    const char *point;
    apr_size_t len;

    if (value->kind == APR_DBD_ORACLE_NULL) {
        return APR_ENOTIMPL; /* there are tables without statistics: V$ views, and others of the database's own */
    }
    if (value->kind != APR_DBD_ORACLE_NUMBER || value->len == 0 || value->v.s[0] == '-') {
        return aur_error_set(err, AUR_E_DATABASE_ERROR, NULL,
                             "The database gave no estimate for the query.");
    }
    point = memchr(value->v.s, '.', value->len);
    len = point ? (apr_size_t)(point - value->v.s) : value->len;
    if (!aur_number_to_int(value->v.s, len, rows)) {
        *rows = APR_INT64_MAX;
    }
    return APR_SUCCESS;
}

static apr_status_t read_plan(apr_int64_t *rows, aur_oracle_t *s, const char *id, aur_error_t *err,
                              apr_pool_t *p)
{
    apr_dbd_oracle_value_t bind = {.kind = APR_DBD_ORACLE_TEXT, .len = strlen(id)};
    const apr_dbd_oracle_value_t none = {.kind = APR_DBD_ORACLE_TEXT}, *values;
    apr_dbd_oracle_stmt_t *stmt;
    apr_status_t rv;
    int rc;

    bind.v.s = id;
    if (s->calls->open(&stmt, s->handle, READ_PLAN, sizeof(READ_PLAN) - 1, &bind, 1, 1, p) != 0) {
        return aur_oracle_error(s->session, err);
    }
    rc = s->calls->next(&values, stmt);
    if (rc > 0) {
        rv = aur_oracle_error(s->session, err);
    }
    else {
        rv = figure(rows, rc == 0 ? values : &none, err);
    }
    s->calls->close(stmt);
    return rv;
}

/* Nothing that speaks against the query: a plan is written before it is read, which no standby and no database that
 * is open for reading only lets anybody do, and which takes a PLAN_TABLE; and the plan of a view is for those only who
 * may read the tables below it. If it is the query all the same, running it will tell. */
static int has_no_plan(aur_oracle_t *s)
{
    switch (s->calls->error(s->handle)->code) {
    case 942:
    case 1031:
    case 1039:
    case 1456:
    case 16000:
        return 1;
    default:
        return 0;
    }
}

apr_status_t aur_oracle_explain(apr_int64_t *rows, aur_session_t *session, const aur_sql_t *sql,
                                aur_error_t *err, apr_pool_t *p)
{
    aur_oracle_t *s = session->private;
    const char *id = apr_psprintf(p, "aurora_%u", ++s->plans);
    const char *text = apr_psprintf(
        p, "EXPLAIN PLAN SET STATEMENT_ID = '%s' INTO plan_table FOR %s", id, sql->text);
    aur_error_t ignored;
    apr_status_t rv, ended;
    int told;

    aur_oracle_limit(s);
    /* not in a read-only transaction */
    rv = s->in_transaction ? aur_oracle_end(s, err) : APR_SUCCESS;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    s->in_transaction = 1;
    if (s->calls->execute(s->handle, text, strlen(text), aur_oracle_binds(sql, p), sql->nbinds) !=
        0) {
        rv = has_no_plan(s) ? APR_ENOTIMPL : aur_oracle_error(session, err);
    }
    else {
        rv = read_plan(rows, s, id, err, p);
    }
    told = rv == APR_SUCCESS || rv == APR_ENOTIMPL;
    aur_error_clear(&ignored);
    ended = session->doubtful ? APR_SUCCESS : aur_oracle_end(s, told ? err : &ignored);
    return told && ended != APR_SUCCESS ? ended : rv;
}
