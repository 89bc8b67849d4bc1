/* special.c - statements that PostgreSQL has in other words: sessions, transactions, plans, blocks. */
#include "double.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- ALTER SESSION ------------------------------------------------------------------------------ */

/* The value of a string literal or word. */
static void token_text(char *out, size_t size, const dbl_sql_t *sql, uint32_t i)
{
    const dbl_token_t *t = &sql->tokens[i];
    const char *s = sql->text + t->at;
    size_t n = t->len;
    if (t->kind == TOK_STRING || t->kind == TOK_QUOTED) {
        s++;
        n -= 2;
    }
    n = n < size ? n : size - 1;
    memcpy(out, s, n);
    out[n] = '\0';
}

static int set_value(dbl_server_t *srv, dbl_err_t *err, const char *setting, const char *value)
{
    static const char sql[] =
        "SELECT set_config($1, CASE WHEN $1 = 'search_path' THEN quote_ident($2) || "
        "',\"SYS\",oracle,pg_catalog,dbms_lob,public' ELSE $2 END, false)";
    char *values[] = {(char *)(uintptr_t)setting, (char *)(uintptr_t)value};
    int zero[2] = {0, 0};
    Oid types[2] = {25, 25};
    dbl_params_t params = {2, types, values, zero, zero};
    return dbl_run(srv, err, sql, &params, NULL);
}

/* Oracle's +02:00 is east; POSIX, as PostgreSQL reads it, has it the other way round. */
static int set_time_zone(dbl_server_t *srv, dbl_err_t *err, const char *value)
{
    char zone[64];
    if (*value == '+' || *value == '-') {
        snprintf(zone, sizeof(zone), "<%.6s>%c%.5s", value, *value == '+' ? '-' : '+', value + 1);
        value = zone;
    }
    return set_value(srv, err, "TimeZone", value);
}

static int set_one(dbl_server_t *srv, dbl_err_t *err, const char *name, const char *value)
{
    dbl_nls_t *nls = &srv->nls;
    if (!strcmp(name, "NLS_DATE_FORMAT")) {
        snprintf(nls->date, sizeof(nls->date), "%s", value);
        return set_value(srv, err, "oci.date_format", value);
    }
    if (!strcmp(name, "NLS_TIMESTAMP_FORMAT")) {
        snprintf(nls->timestamp, sizeof(nls->timestamp), "%s", value);
        return set_value(srv, err, "oci.timestamp_format", value);
    }
    if (!strcmp(name, "NLS_TIMESTAMP_TZ_FORMAT")) {
        snprintf(nls->timestamp_tz, sizeof(nls->timestamp_tz), "%s", value);
        return set_value(srv, err, "oci.timestamp_tz_format", value);
    }
    if (!strcmp(name, "NLS_NUMERIC_CHARACTERS")) {
        nls->decimal = value[0];
        nls->group = value[0] ? value[1] : ',';
        return OCI_SUCCESS;
    }
    if (!strcmp(name, "TIME_ZONE")) {
        return set_time_zone(srv, err, value);
    }
    if (!strcmp(name, "CURRENT_SCHEMA")) {
        return set_value(srv, err, "search_path", value);
    }
    static const char *const taken[] = {"NLS_",
                                        "OPTIMIZER_",
                                        "_",
                                        "STATISTICS_LEVEL",
                                        "SQL_TRACE",
                                        "EVENTS",
                                        "CURSOR_SHARING",
                                        "ISOLATION_LEVEL",
                                        "SESSION_CACHED_CURSORS",
                                        "DDL_LOCK_TIMEOUT",
                                        "RESULT_CACHE_MODE"};
    for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++) {
        if (!strncmp(name, taken[i], strlen(taken[i]))) {
            return OCI_SUCCESS;
        }
    }
    return dbl_fail(err, 2248, NULL);
}

static int alter_session(dbl_stmt_t *stmt, dbl_err_t *err)
{
    const dbl_sql_t *sql = stmt->sql;
    int rv = sql->token_count > 3 ? OCI_SUCCESS : dbl_fail(err, 2248, NULL);
    for (uint32_t i = 3; rv == OCI_SUCCESS && i < sql->token_count; i += 3) {
        char value[128];
        if (!dbl_tok_op(sql, i + 1, '=') || i + 2 >= sql->token_count) {
            return dbl_fail(err, 2248, NULL);
        }
        token_text(value, sizeof(value), sql, i + 2);
        if (sql->tokens[i + 2].kind == TOK_WORD) {
            snprintf(value, sizeof(value), "%s", sql->tokens[i + 2].word);
        }
        rv = set_one(stmt->svc->server, err, sql->tokens[i].word, value);
    }
    return rv;
}

/* ALTER SYSTEM KILL SESSION 'sid,serial#' [IMMEDIATE] */
static int kill_session(dbl_stmt_t *stmt, dbl_err_t *err)
{
    char id[64], sql[128];
    if (!dbl_tok_is(stmt->sql, 2, "KILL") || stmt->sql->token_count < 5) {
        return dbl_fail(err, 2065, "illegal option for ALTER SYSTEM");
    }
    token_text(id, sizeof(id), stmt->sql, 4);
    snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(%ld, 5000)", strtol(id, NULL, 10));
    return dbl_run(stmt->svc->server, err, sql, NULL, NULL);
}

/* --- EXPLAIN PLAN ------------------------------------------------------------------------------- */

/* The statement is prepared and explained without values, as Oracle does: its binds have no value here. */
static int explain_run(dbl_stmt_t *stmt, dbl_err_t *err, const char *id, PGresult **plan)
{
    dbl_server_t *srv = stmt->svc->server;
    dbl_sql_buf_t sql = {0};
    char name[32], text[160];
    snprintf(name, sizeof(name), "oci_x%u", srv->serial++);
    snprintf(text, sizeof(text), "PREPARE %s AS ", name);
    dbl_puts(&sql, text);
    dbl_puts(&sql, stmt->sql->out.s);
    int rv = dbl_run(srv, err, sql.s, NULL, NULL);
    if (rv == OCI_SUCCESS) {
        sql.len = 0;
        snprintf(text, sizeof(text),
                 "SET LOCAL plan_cache_mode = force_generic_plan; EXPLAIN (FORMAT JSON) EXECUTE %s",
                 name);
        dbl_puts(&sql, text);
        uint32_t all = stmt->sql->bind_count;
        for (uint32_t i = 0; i < all; i++) {
            dbl_puts(&sql, i ? ", NULL" : "(NULL");
        }
        dbl_puts(&sql, all ? ")" : "");
        rv = dbl_run(srv, err, sql.s, NULL, plan);
        dbl_err_t ignored = {.code = 0};
        snprintf(text, sizeof(text), "SET LOCAL plan_cache_mode = auto; DEALLOCATE %s", name);
        /* Where the block has failed it is the way back that counts; the name is not used again. */
        int after = dbl_run(srv, rv == OCI_SUCCESS ? err : &ignored, text, NULL, NULL);
        rv = rv == OCI_SUCCESS ? after : rv;
    }
    free(sql.s);
    return rv;
}

static int explain(dbl_stmt_t *stmt, dbl_err_t *err)
{
    dbl_server_t *srv = stmt->svc->server;
    dbl_sql_t *sql = stmt->sql;
    char id[31] = "";
    uint32_t i = 2;
    for (; i < sql->token_count && !dbl_tok_is(sql, i, "FOR"); i++) {
        if (dbl_tok_is(sql, i, "STATEMENT_ID") && dbl_tok_op(sql, i + 1, '=') &&
            i + 2 < sql->token_count) {
            if (sql->tokens[i + 2].kind != TOK_STRING) {
                return dbl_fail(err, 1780, NULL);
            }
            token_text(id, sizeof(id), sql, i + 2);
        }
    }
    if (i + 1 >= sql->token_count) {
        return dbl_fail(err, 905, "missing keyword");
    }
    if (srv->read_only) {
        return dbl_fail(err, 1456, NULL);
    }
    dbl_sql_translate(sql, i + 1);
    PGresult *plan = NULL;
    int rv = dbl_block_begin(srv, err);
    if (rv != OCI_SUCCESS) {
        return rv;
    }
    rv = explain_run(stmt, err, id, &plan);
    if (rv == OCI_SUCCESS) {
        char *values[] = {id, PQgetvalue(plan, 0, 0)};
        int zero[2] = {0, 0};
        Oid types[2] = {25, 114};
        dbl_params_t params = {2, types, values, zero, zero};
        rv = dbl_run(srv, err, "SELECT \"SYS\".oci_explain($1, $2)", &params, NULL);
    }
    PQclear(plan);
    if (rv != OCI_SUCCESS) {
        dbl_block_undo(srv);
        return rv;
    }
    srv->in_transaction = true;
    return OCI_SUCCESS;
}

/* --- blocks ------------------------------------------------------------------------------------- */

/* BEGIN a(:1); b.c; NULL; END; runs as the calls it is made of. Other PL/SQL is not understood. */
static int block(dbl_stmt_t *stmt, dbl_err_t *err)
{
    const dbl_sql_t *sql = stmt->sql;
    dbl_sql_buf_t text = {0};
    bool first = true;
    uint32_t from = 1, i = 1;
    dbl_puts(&text, "SELECT ");
    for (; i < sql->token_count && !dbl_tok_is(sql, i, "END"); i++) {
        if (!dbl_tok_op(sql, i, ';')) {
            continue;
        }
        bool nothing = dbl_tok_is(sql, from, "NULL") && i == from + 1;
        if (!nothing && i > from) {
            dbl_puts(&text, first ? "" : ", ");
            dbl_put(&text, sql->text + sql->tokens[from].at,
                    sql->tokens[i].at - sql->tokens[from].at);
            first = false;
        }
        from = i + 1;
    }
    int rv = OCI_SUCCESS;
    if (!first) {
        dbl_sql_t *own = stmt->sql;
        dbl_params_t params;
        stmt->sql = dbl_sql_create(text.s, text.len);
        rv = dbl_params_make(&params, stmt, err, 0);
        rv = rv == OCI_SUCCESS ? dbl_block_begin(stmt->svc->server, err) : rv;
        if (rv == OCI_SUCCESS) {
            rv = dbl_run(stmt->svc->server, err, stmt->sql->out.s, &params, NULL);
            rv == OCI_SUCCESS ? (void)dbl_block_done(stmt->svc->server, err)
                              : dbl_block_undo(stmt->svc->server);
        }
        dbl_params_free(&params);
        dbl_sql_destroy(stmt->sql);
        stmt->sql = own;
    }
    free(text.s);
    return rv;
}

static int set_transaction(dbl_stmt_t *stmt, dbl_err_t *err)
{
    const dbl_sql_t *sql = stmt->sql;
    if (dbl_tok_is(sql, 2, "READ") && dbl_tok_is(sql, 3, "ONLY")) {
        return dbl_transaction_read_only(stmt->svc->server, err);
    }
    if (dbl_tok_is(sql, 2, "READ") || dbl_tok_is(sql, 2, "ISOLATION") ||
        dbl_tok_is(sql, 2, "NAME")) {
        return stmt->svc->server->in_transaction ? dbl_fail(err, 1453, NULL) : OCI_SUCCESS;
    }
    return dbl_fail(err, 900, NULL);
}

int dbl_special(dbl_stmt_t *stmt, dbl_err_t *err, bool *done)
{
    const dbl_sql_t *sql = stmt->sql;
    *done = true;
    switch (sql->type) {
    case OCI_STMT_ALTER:
        if (dbl_tok_is(sql, 1, "SESSION")) {
            return alter_session(stmt, err);
        }
        if (dbl_tok_is(sql, 1, "SYSTEM")) {
            return kill_session(stmt, err);
        }
        break;
    case OCI_STMT_EXPLAIN:
        return explain(stmt, err);
    case OCI_STMT_BEGIN:
        return block(stmt, err);
    case OCI_STMT_COMMIT:
        return dbl_block_end(stmt->svc->server, err, true);
    case OCI_STMT_ROLLBACK:
        return dbl_block_end(stmt->svc->server, err, false);
    case OCI_STMT_UNKNOWN:
        if (dbl_tok_is(sql, 0, "SET") && dbl_tok_is(sql, 1, "TRANSACTION")) {
            return set_transaction(stmt, err);
        }
        if (!dbl_tok_is(sql, 0, "TRUNCATE") && !dbl_tok_is(sql, 0, "GRANT") &&
            !dbl_tok_is(sql, 0, "COMMENT")) {
            return dbl_fail(err, 900, NULL);
        }
        break;
    default:
        break;
    }
    *done = false;
    return OCI_SUCCESS;
}
