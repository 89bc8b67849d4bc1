/* sql_rules.c - see sql_rules.h. */
#include "sql_rules.h"

#include <string.h>

#include "aurora/datetime.h"
#include "aurora/number.h"
#include "fixture.h"
#include "fuzz.h"
#include "utf8_rules.h"

static int is_alias(const char *word)
{
    apr_size_t n = strspn(word + 1, "0123456789_");

    return strchr("tcfqpr", *word) && !word[n + 1];
}

static int is_word(const char *word)
{
    static const char *const words =
        " SELECT AS FROM WHERE AND OR NOT IN IS NULL LIKE ESCAPE BETWEEN JOIN LEFT RIGHT FULL ON "
        "GROUP BY HAVING"
        " ORDER DESC NULLS FIRST LAST LIMIT OFFSET FETCH ROWS ONLY CASE WHEN THEN ELSE END UNION "
        "ALL EXISTS DISTINCT"
        " CAST CONVERT USING utf8mb4 BINARY COLLATE utf8mb4_unicode_520_ci LOWER LOCATE LENGTH "
        "DATE DATETIME DECIMAL"
        " DOUBLE PRECISION"
        " sum avg count min max instr substr length aurora_fold lower replace false true bigint "
        "numeric date timestamp"
        " timestamptz boolean bytea text uuid bpchar pg_catalog inet_out"
        " ROWNUM RTRIM NVL ROWIDTOCHAR XMLSERIALIZE CONTENT CLOB CHAR ";
    const char *found = strstr(words, word);

    for (; found; found = strstr(found + 1, word)) {
        if (found[-1] == ' ' && found[strlen(word)] == ' ') {
            return 1;
        }
    }
    return is_alias(word);
}

static int is_string(const char *text)
{
    static const char *const strings[] = {"", " ", "|", "%", "_", "\\", "\\\\", "\\%", "\\_"};
    apr_size_t i;

    for (i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        if (!strcmp(text, strings[i])) {
            return 1;
        }
    }
    return 0;
}

static void check_tokens(const sql_tokens_t *tokens, const char *text)
{
    int depth = 0, i;

    for (i = 0; i < tokens->n; i++) {
        const sql_token_t *t = &tokens->t[i];
        if (t->is == SQL_WORD) {
            FUZZ_CHECK(is_word(t->text), "%s is no word of ours: %s", t->text, text);
        }
        else if (t->is == SQL_STRING) {
            FUZZ_CHECK(is_string(t->text), "'%s' is no text of ours: %s", t->text, text);
        }
        else if (t->is == SQL_NAME) {
            FUZZ_CHECK(fixture_has_name(t->text), "%s is no name of the catalogue", t->text);
        }
        else if (t->is == SQL_SIGN) {
            depth += *t->text == '(';
            depth -= *t->text == ')';
            FUZZ_CHECK(depth >= 0, "a parenthesis too many: %s", text);
        }
    }
    FUZZ_CHECK(depth == 0, "a parenthesis is never closed: %s", text);
}

static void check_bind(const aur_bind_t *bind)
{
    const aur_cell_t *c = &bind->cell;
    aur_datetime_t dt;

    switch (bind->type) {
    case AUR_T_NUMBER:
        FUZZ_CHECK(c->kind == AUR_V_INT ||
                       (c->kind == AUR_V_DECIMAL && aur_number_valid(c->v.s, c->len)),
                   "a number that is none");
        break;
    case AUR_T_DATE:
        FUZZ_CHECK(
            aur_datetime_parse(&dt, c->v.s, c->len) &&
                (dt.has_time ? c->kind == AUR_V_TIMESTAMP && !dt.has_zone : c->kind == AUR_V_DATE),
            "a date that is none: %.*s", (int)c->len, c->v.s);
        break;
    case AUR_T_TIMESTAMP:
    case AUR_T_TIMESTAMP_TZ:
        FUZZ_CHECK(c->kind == AUR_V_TIMESTAMP && aur_datetime_parse(&dt, c->v.s, c->len) &&
                       dt.has_time && !dt.has_zone,
                   "a timestamp that is none: %.*s", (int)c->len, c->v.s);
        break;
    case AUR_T_BOOLEAN:
        FUZZ_CHECK(c->kind == AUR_V_BOOL && (c->v.i == 0 || c->v.i == 1), "neither true nor false");
        break;
    default:
        FUZZ_CHECK(c->kind == AUR_V_TEXT && utf8_whole(c->v.s, c->len) &&
                       !memchr(c->v.s, '\0', c->len),
                   "a text that is none");
        break;
    }
}

/* --- a statement --------------------------------------------------------------------------------- */

const aur_sql_t *sql_ours(const char *driver, const aur_plan_t *plan, aur_sql_e kind, apr_pool_t *p)
{
    aur_error_t err;
    aur_sql_t *sql;
    int i;

    aur_error_clear(&err);
    if (aur_sql_build(&sql, sql_dialect(driver), plan, kind, &err, p) != APR_SUCCESS) {
        fuzz_check_error(&err, NULL, 0);
        FUZZ_CHECK(err.code == AUR_E_BAD_REQUEST, "%s", err.detail);
        return NULL;
    }
    check_tokens(sql_tokens(driver, sql, p), sql->text);
    for (i = 0; i < sql->nbinds; i++) {
        check_bind(&sql->binds[i]);
    }
    return sql;
}
