/* scan.c - SQL into tokens, and what a client knows from them before any round trip: the kind of statement and the
 * names of its binds. */
#include "sql.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "oci.h"

static bool word_start(char c)
{
    return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c & 0x80) || c == '_';
}

static bool word_char(char c)
{
    return word_start(c) || (c >= '0' && c <= '9') || c == '$' || c == '#';
}

/* End of '...' or "..." that begins at i; doubled quotes are inside. */
static size_t quoted_end(const char *s, size_t len, size_t i)
{
    char quote = s[i++];
    while (i < len) {
        if (s[i] == quote && !(i + 1 < len && s[i + 1] == quote)) {
            return i + 1;
        }
        i += s[i] == quote ? 2 : 1;
    }
    return len;
}

/* End of q'[...]' whose q stands at i; i itself where it is none. */
static size_t alternative_end(const char *s, size_t len, size_t i)
{
    if ((s[i] | 0x20) != 'q' || i + 2 >= len || s[i + 1] != '\'') {
        return i;
    }
    static const char open[] = "[{(<", close[] = "]})>";
    const char *pair = strchr(open, s[i + 2]);
    char stop = pair && *pair ? close[pair - open] : s[i + 2];
    for (size_t at = i + 3; at + 1 < len; at++) {
        if (s[at] == stop && s[at + 1] == '\'') {
            return at + 2;
        }
    }
    return len;
}

static size_t space_end(const char *s, size_t len, size_t i)
{
    if (s[i] == '-' && i + 1 < len && s[i + 1] == '-') {
        while (i < len && s[i] != '\n') {
            i++;
        }
        return i;
    }
    if (s[i] == '/' && i + 1 < len && s[i + 1] == '*') {
        for (i += 2; i + 1 < len && !(s[i] == '*' && s[i + 1] == '/'); i++) {
        }
        return i + 2 < len ? i + 2 : len;
    }
    while (i < len && strchr(" \t\r\n\f\v", s[i]) && s[i]) {
        i++;
    }
    return i;
}

static size_t number_end(const char *s, size_t len, size_t i)
{
    while (i < len && ((s[i] >= '0' && s[i] <= '9') || s[i] == '.')) {
        i++;
    }
    if (i < len && (s[i] | 0x20) == 'e') {
        size_t at = i + 1;
        at += at < len && (s[at] == '-' || s[at] == '+');
        if (at < len && s[at] >= '0' && s[at] <= '9') {
            for (i = at; i < len && s[i] >= '0' && s[i] <= '9'; i++) {
            }
        }
    }
    return i;
}

static size_t string_end(const char *s, size_t len, size_t i)
{
    size_t at = i;
    if ((s[at] | 0x20) == 'n' && at + 1 < len && (s[at + 1] == '\'' || (s[at + 1] | 0x20) == 'q')) {
        at++;
    }
    if (s[at] == '\'') {
        return quoted_end(s, len, at);
    }
    size_t end = alternative_end(s, len, at);
    return end > at ? end : i;
}

static dbl_tok_e token_at(const char *s, size_t len, size_t i, size_t *end)
{
    static const char *const pairs[] = {"<=", ">=", "<>", "!=", "||", ":=", "**", "=>", "::", "^="};
    if ((*end = space_end(s, len, i)) > i) {
        return TOK_SPACE;
    }
    if ((*end = string_end(s, len, i)) > i) {
        return TOK_STRING;
    }
    if (s[i] == '"') {
        *end = quoted_end(s, len, i);
        return TOK_QUOTED;
    }
    if ((s[i] >= '0' && s[i] <= '9') ||
        (s[i] == '.' && i + 1 < len && s[i + 1] >= '0' && s[i + 1] <= '9')) {
        *end = number_end(s, len, i);
        return TOK_NUMBER;
    }
    if (s[i] == ':' && i + 1 < len && (word_char(s[i + 1]) || s[i + 1] == '"')) {
        *end = i + 1;
        if (s[*end] == '"') {
            *end = quoted_end(s, len, *end);
        }
        while (*end < len && word_char(s[*end])) {
            ++*end;
        }
        return TOK_BIND;
    }
    *end = i + 1;
    if (word_start(s[i])) {
        while (*end < len && word_char(s[*end])) {
            ++*end;
        }
        return TOK_WORD;
    }
    for (size_t p = 0; p < sizeof(pairs) / sizeof(*pairs); p++) {
        if (i + 1 < len && !strncmp(s + i, pairs[p], 2)) {
            *end = i + 2;
        }
    }
    return TOK_OP;
}

static void upper(char *out, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = (char)(s[i] >= 'a' && s[i] <= 'z' ? s[i] - 32 : s[i]);
    }
    out[n] = '\0';
}

bool dbl_tok_is(const dbl_sql_t *sql, uint32_t i, const char *word)
{
    return i < sql->token_count && sql->tokens[i].kind == TOK_WORD &&
           !strcmp(sql->tokens[i].word, word);
}

bool dbl_tok_op(const dbl_sql_t *sql, uint32_t i, char op)
{
    return i < sql->token_count && sql->tokens[i].kind == TOK_OP && sql->tokens[i].len == 1 &&
           sql->text[sql->tokens[i].at] == op;
}

static uint16_t statement_type(const dbl_sql_t *sql)
{
    static const struct {
        const char *word;
        uint16_t type;
    } types[] = {{"SELECT", OCI_STMT_SELECT}, {"WITH", OCI_STMT_SELECT},
                 {"UPDATE", OCI_STMT_UPDATE}, {"DELETE", OCI_STMT_DELETE},
                 {"INSERT", OCI_STMT_INSERT}, {"CREATE", OCI_STMT_CREATE},
                 {"DROP", OCI_STMT_DROP},     {"ALTER", OCI_STMT_ALTER},
                 {"BEGIN", OCI_STMT_BEGIN},   {"DECLARE", OCI_STMT_DECLARE},
                 {"CALL", OCI_STMT_CALL},     {"EXPLAIN", OCI_STMT_EXPLAIN},
                 {"MERGE", OCI_STMT_MERGE},   {"ROLLBACK", OCI_STMT_ROLLBACK},
                 {"COMMIT", OCI_STMT_COMMIT}};
    uint32_t i = 0;
    while (dbl_tok_op(sql, i, '(')) {
        i++;
    }
    for (size_t t = 0; t < sizeof(types) / sizeof(*types); t++) {
        if (dbl_tok_is(sql, i, types[t].word)) {
            return types[t].type;
        }
    }
    return OCI_STMT_UNKNOWN;
}

static void bind_add(dbl_sql_t *sql, const dbl_token_t *token)
{
    const char *name = sql->text + token->at + 1;
    size_t n = token->len - 1;
    char **more = realloc(sql->binds, (sql->bind_count + 1) * sizeof(*more));
    char *copy = malloc(n + 1);
    if (!more || !copy) {
        abort();
    }
    if (*name == '"') {
        memcpy(copy, name + 1, n - 2);
        copy[n - 2] = '\0';
    }
    else {
        upper(copy, name, n);
    }
    sql->binds = more;
    sql->binds[sql->bind_count++] = copy;
}

static void token_add(dbl_sql_t *sql, uint32_t *room, dbl_tok_e kind, size_t at, size_t end)
{
    if (sql->token_count == *room) {
        *room = *room ? *room * 2 : 64;
        sql->tokens = realloc(sql->tokens, *room * sizeof(*sql->tokens));
        if (!sql->tokens) {
            abort();
        }
    }
    dbl_token_t *token = &sql->tokens[sql->token_count++];
    *token = (dbl_token_t){.kind = kind, .at = at, .len = end - at};
    if (kind == TOK_WORD && token->len < sizeof(token->word)) {
        upper(token->word, sql->text + at, token->len);
    }
}

void dbl_sql_scan(dbl_sql_t *sql)
{
    uint32_t room = 0;
    for (size_t i = 0, end; i < sql->len; i = end) {
        dbl_tok_e kind = token_at(sql->text, sql->len, i, &end);
        if (kind != TOK_SPACE) {
            token_add(sql, &room, kind, i, end);
        }
    }
    sql->type = statement_type(sql);
    /* CREATE texts hold :NEW and :OLD, which are no binds. */
    for (uint32_t i = 0; i < sql->token_count && sql->type != OCI_STMT_CREATE; i++) {
        if (sql->tokens[i].kind == TOK_BIND) {
            bind_add(sql, &sql->tokens[i]);
        }
        sql->returning |= dbl_tok_is(sql, i, "RETURNING") && sql->type != OCI_STMT_SELECT;
        sql->for_update |= dbl_tok_is(sql, i, "FOR") && dbl_tok_is(sql, i + 1, "UPDATE");
    }
}
