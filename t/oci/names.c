/* names.c - words that SQL keeps for itself, and the names Oracle gives to expressions of a select list. */
#include "sql.h"

#include <stdlib.h>
#include <string.h>

/* Sorted. Words that stay as they are: of Oracle's SQL as far as PostgreSQL knows them, and PostgreSQL's reserved. */
static const char *const keywords[] = {"ALL",          "AND",          "ANY",
                                       "AS",           "ASC",          "BETWEEN",
                                       "BY",           "CASCADE",      "CASE",
                                       "CAST",         "CHECK",        "COLUMN",
                                       "CONSTRAINT",   "CREATE",       "CROSS",
                                       "CURRENT",      "CURRENT_DATE", "CURRENT_TIMESTAMP",
                                       "DATE",         "DAY",          "DEFAULT",
                                       "DELETE",       "DESC",         "DISTINCT",
                                       "DROP",         "ELSE",         "END",
                                       "ESCAPE",       "EXCEPT",       "EXISTS",
                                       "EXTRACT",      "FALSE",        "FETCH",
                                       "FILTER",       "FIRST",        "FOLLOWING",
                                       "FOR",          "FROM",         "FULL",
                                       "GROUP",        "HAVING",       "HOUR",
                                       "IF",           "IN",           "INNER",
                                       "INSERT",       "INTERSECT",    "INTERVAL",
                                       "INTO",         "IS",           "JOIN",
                                       "KEY",          "LAST",         "LEFT",
                                       "LIKE",         "LIMIT",        "LOCALTIMESTAMP",
                                       "MATERIALIZED", "MINUTE",       "MONTH",
                                       "NATURAL",      "NEXT",         "NOT",
                                       "NULL",         "NULLS",        "OF",
                                       "OFFSET",       "ON",           "ONLY",
                                       "OR",           "ORDER",        "OUTER",
                                       "OVER",         "PARTITION",    "PERCENT",
                                       "PRECEDING",    "PRIMARY",      "RANGE",
                                       "REFERENCES",   "RETURNING",    "RIGHT",
                                       "ROW",          "ROWS",         "SECOND",
                                       "SELECT",       "SET",          "SOME",
                                       "TABLE",        "THEN",         "TIES",
                                       "TIME",         "TIMESTAMP",    "TO",
                                       "TRUE",         "UNBOUNDED",    "UNION",
                                       "UNIQUE",       "UPDATE",       "USING",
                                       "VALUES",       "VIEW",         "WHEN",
                                       "WHERE",        "WITH",         "WITHIN",
                                       "WITHOUT",      "YEAR",         "ZONE"};

static int compare(const void *key, const void *item)
{
    return strcmp(key, *(const char *const *)item);
}

bool dbl_is_keyword(const char *word)
{
    return bsearch(word, keywords, sizeof(keywords) / sizeof(*keywords), sizeof(*keywords),
                   compare) != NULL;
}

/* Words that stand for a value although they look like a name. */
static bool is_value(const char *word)
{
    return !strcmp(word, "SYSDATE") || !strcmp(word, "SYSTIMESTAMP") || !strcmp(word, "USER") ||
           !strcmp(word, "UID") || !strcmp(word, "ROWNUM") || !strcmp(word, "ROWID");
}

static bool plain_name(const dbl_token_t *t)
{
    return t->kind == TOK_QUOTED ||
           (t->kind == TOK_WORD && !dbl_is_keyword(t->word) && !is_value(t->word));
}

/* The text of an expression without blanks, in upper case outside quotes. */
static char *expression_name(const dbl_sql_t *sql, uint32_t from, uint32_t to)
{
    dbl_sql_buf_t name = {0};
    for (uint32_t i = from; i < to; i++) {
        const dbl_token_t *t = &sql->tokens[i];
        size_t at = name.len;
        dbl_put(&name, sql->text + t->at, t->len);
        for (; (t->kind == TOK_WORD || t->kind == TOK_BIND) && at < name.len; at++) {
            char c = name.s[at];
            name.s[at] = (char)(c >= 'a' && c <= 'z' ? c - 32 : c);
        }
    }
    if (name.len > 128) {
        name.s[128] = '\0';
    }
    return name.s;
}

static void item_add(dbl_sql_t *sql, uint32_t from, uint32_t to)
{
    const dbl_token_t *last = &sql->tokens[to - 1];
    char *name = NULL;
    if (dbl_tok_op(sql, to - 1, '*') && (to - from == 1 || dbl_tok_op(sql, to - 2, '.'))) {
        sql->star = sql->star < 0 ? (int32_t)sql->name_count : sql->star;
    }
    else if (!plain_name(last)) {
        name = expression_name(sql, from, to);
    }
    char **more = realloc(sql->names, (sql->name_count + 1) * sizeof(*more));
    if (!more) {
        abort();
    }
    sql->names = more;
    sql->names[sql->name_count++] = name;
}

void dbl_sql_names(dbl_sql_t *sql)
{
    int depth = 0;
    uint32_t i = 0, from = 0;
    sql->star = -1;
    while (i < sql->token_count && (depth || !dbl_tok_is(sql, i, "SELECT"))) {
        depth += dbl_tok_op(sql, i, '(') - dbl_tok_op(sql, i, ')');
        i++;
    }
    i++;
    if (dbl_tok_is(sql, i, "DISTINCT") || dbl_tok_is(sql, i, "UNIQUE") ||
        dbl_tok_is(sql, i, "ALL")) {
        i++;
    }
    for (from = i, depth = 0; i < sql->token_count; i++) {
        depth += dbl_tok_op(sql, i, '(') - dbl_tok_op(sql, i, ')');
        bool end = depth == 0 && dbl_tok_is(sql, i, "FROM");
        if ((end || (depth == 0 && dbl_tok_op(sql, i, ','))) && i > from) {
            item_add(sql, from, i);
            from = i + 1;
        }
        if (end || depth < 0) {
            break;
        }
    }
    sql->from_missing = sql->type == 1 && depth == 0 && i >= sql->token_count;
}
