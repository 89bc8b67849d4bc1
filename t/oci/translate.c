/* translate.c - Oracle's SQL written for PostgreSQL, token by token. Names become quoted capitals, binds $n, and what
 * is left is made good by functions, operators and views of schema SYS (sys.sql). */
#include "sql.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oci.h"

#define MAX_DEPTH 64

const char *const dbl_type_names[DBL_TYPES] = {
    "oracle_date", "timestampltz", "clob",      "nclob", "blob",        "raw",           "long",
    "long_raw",    "nchar2",       "nvarchar2", "rowid", "oracle_json", "oracle_boolean"};

typedef enum { AT_NONE, AT_SELECT, AT_FROM } clause_e;

typedef struct state_t {
    dbl_sql_t *sql;
    int depth;
    clause_e clause[MAX_DEPTH]; /* where a comma at this depth stands */
    bool subquery[MAX_DEPTH];   /* this parenthesis is a table */
    bool cast[MAX_DEPTH];       /* this parenthesis is CAST's */
    bool size[MAX_DEPTH];       /* this one a type's length */
    bool type_next, with;
    unsigned aliases;
    uint32_t bind;
} state_t;

void dbl_put(dbl_sql_buf_t *buf, const char *s, size_t n)
{
    if (buf->len + n + 1 > buf->size) {
        buf->size = (buf->len + n + 1) * 2 + 64;
        buf->s = realloc(buf->s, buf->size);
        if (!buf->s) {
            abort();
        }
    }
    memcpy(buf->s + buf->len, s, n);
    buf->len += n;
    buf->s[buf->len] = '\0';
}

void dbl_puts(dbl_sql_buf_t *buf, const char *s)
{
    dbl_put(buf, s, strlen(s));
}

void dbl_put_ident(dbl_sql_buf_t *buf, const char *s, size_t n)
{
    dbl_put(buf, "\"", 1);
    for (size_t i = 0; i < n; i++) {
        dbl_put(buf, s[i] == '"' ? "\"\"" : s + i, s[i] == '"' ? 2 : 1);
    }
    dbl_put(buf, "\"", 1);
}

void dbl_put_string(dbl_sql_buf_t *buf, const char *s, size_t n)
{
    if (n && (*s == 'n' || *s == 'N')) {
        s++;
        n--;
    }
    if (n && *s == '\'') {
        /* '' is NULL, but stays a literal where a type or a format wants one. */
        n == 2 ? dbl_puts(buf, "NULL::text") : dbl_put(buf, s, n);
        return;
    }
    dbl_put(buf, "'", 1);
    for (size_t i = 3; i + 2 < n; i++) {
        dbl_put(buf, s[i] == '\'' ? "''" : s + i, s[i] == '\'' ? 2 : 1);
    }
    dbl_put(buf, "'", 1);
}

/* A word in other letters. */
static void put_case(dbl_sql_buf_t *buf, const char *s, size_t n, bool up)
{
    for (size_t i = 0; i < n; i++) {
        char c = s[i];
        if (up && c >= 'a' && c <= 'z') {
            c = (char)(c - 32);
        }
        else if (!up && c >= 'A' && c <= 'Z') {
            c = (char)(c + 32);
        }
        dbl_put(buf, &c, 1);
    }
}

static void put_name(dbl_sql_buf_t *buf, const char *s, size_t n)
{
    dbl_put(buf, "\"", 1);
    put_case(buf, s, n, true);
    dbl_put(buf, "\"", 1);
}

/* Oracle's name of a type -> PostgreSQL's. */
static const char *type_name(const char *word)
{
    static const char *const types[][2] = {{"VARCHAR2", "varchar"},
                                           {"NVARCHAR2", "\"SYS\".nvarchar2"},
                                           {"VARCHAR", "varchar"},
                                           {"CHAR", "char"},
                                           {"NCHAR", "\"SYS\".nchar2"},
                                           {"NUMBER", "numeric"},
                                           {"NUMERIC", "numeric"},
                                           {"DECIMAL", "numeric"},
                                           {"INTEGER", "numeric(38)"},
                                           {"INT", "numeric(38)"},
                                           {"FLOAT", "numeric"},
                                           {"DATE", "\"SYS\".oracle_date"},
                                           {"CLOB", "\"SYS\".clob"},
                                           {"NCLOB", "\"SYS\".nclob"},
                                           {"BLOB", "\"SYS\".blob"},
                                           {"RAW", "\"SYS\".raw"},
                                           {"LONG", "\"SYS\".long"},
                                           {"BINARY_DOUBLE", "float8"},
                                           {"BINARY_FLOAT", "float4"},
                                           {"ROWID", "\"SYS\".rowid"},
                                           {"JSON", "\"SYS\".oracle_json"},
                                           {"BOOLEAN", "\"SYS\".oracle_boolean"}};
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        if (!strcmp(word, types[i][0])) {
            return types[i][1];
        }
    }
    return NULL;
}

/* Words that stand for a call, and words that PostgreSQL spells otherwise. */
static const char *replacement(const char *word)
{
    static const char *const words[][2] = {{"SYSDATE", "\"SYS\".sysdate()"},
                                           {"SYSTIMESTAMP", "statement_timestamp()"},
                                           {"USER", "upper(session_user::text)"},
                                           {"UID", "0"},
                                           {"MINUS", "EXCEPT"},
                                           {"UNIQUE", "DISTINCT"},
                                           {"ROWID", "ctid"},
                                           {"SESSIONTIMEZONE", "current_setting('TimeZone')"},
                                           {"DBTIMEZONE", "'+00:00'"},
                                           {"CURRENT_DATE", "\"SYS\".sysdate()"}};
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (!strcmp(word, words[i][0])) {
            return words[i][1];
        }
    }
    return NULL;
}

/* Functions whose name is taken in PostgreSQL's grammar or by a function with another meaning. */
static const char *function_name(const char *word)
{
    static const char *const names[][2] = {
        {"DECODE", "oracle.decode"},    {"USER", "session_user"},
        {"INSTR", "\"SYS\".instr"},     {"SUBSTR", "\"SYS\".substr"},
        {"TO_CHAR", "\"SYS\".to_char"}, {"TO_NUMBER", "\"SYS\".to_number"},
        {"TRUNC", "\"SYS\".trunc"},     {"LENGTH", "\"SYS\".length"}};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (!strcmp(word, names[i][0])) {
            return names[i][1];
        }
    }
    return NULL;
}

static bool prev_is(const dbl_sql_t *sql, uint32_t i, const char *word)
{
    return i > 0 && dbl_tok_is(sql, i - 1, word);
}

/* A name in front of a parenthesis that is no function: a table whose columns follow. */
static bool names_columns(const state_t *st, uint32_t i)
{
    return prev_is(st->sql, i, "INTO") || prev_is(st->sql, i, "TABLE") ||
           prev_is(st->sql, i, "WITH") || prev_is(st->sql, i, "VIEW") ||
           prev_is(st->sql, i, "REFERENCES") ||
           (st->with && st->depth == 0 && i > 0 && dbl_tok_op(st->sql, i - 1, ','));
}

/* Words that are also good names: DAY is one but for intervals and EXTRACT, KEY but behind PRIMARY. */
static bool is_name_here(const dbl_sql_t *sql, uint32_t i)
{
    static const char *const fields[] = {"DAY", "MONTH", "YEAR", "HOUR", "MINUTE", "SECOND"};
    const char *word = sql->tokens[i].word;
    if (!strcmp(word, "KEY")) {
        return !prev_is(sql, i, "PRIMARY");
    }
    for (size_t f = 0; f < sizeof(fields) / sizeof(*fields); f++) {
        if (!strcmp(word, fields[f])) {
            bool after_literal = i > 0 && sql->tokens[i - 1].kind == TOK_STRING;
            bool extract = i > 1 && dbl_tok_is(sql, i - 2, "EXTRACT");
            return !after_literal && !extract && !prev_is(sql, i, "TO") &&
                   !prev_is(sql, i, "INTERVAL") && !dbl_tok_is(sql, i + 1, "TO");
        }
    }
    return false;
}

static void put_word(state_t *st, uint32_t i)
{
    dbl_sql_t *sql = st->sql;
    const dbl_token_t *t = &sql->tokens[i];
    const char *text = sql->text + t->at;
    dbl_sql_buf_t *out = &sql->out;
    bool member = i > 0 && dbl_tok_op(sql, i - 1, '.');
    const char *other;

    if (st->type_next || (sql->type == OCI_STMT_CREATE && !member && i > 0)) {
        st->type_next = false;
        if ((other = type_name(t->word)) && !prev_is(sql, i, "TABLE")) {
            dbl_puts(out, other);
            return;
        }
    }
    if (!member && dbl_tok_op(sql, i + 1, '(') && (other = function_name(t->word))) {
        dbl_puts(out, other);
        return;
    }
    if (!member && !dbl_tok_op(sql, i + 1, '.') && (other = replacement(t->word))) {
        dbl_puts(out, other);
        return;
    }
    /* A literal's word: orafce has a DATE of its own in the way. */
    if (!strcmp(t->word, "DATE") && i + 1 < sql->token_count &&
        sql->tokens[i + 1].kind == TOK_STRING) {
        dbl_puts(out, "\"SYS\".oracle_date ");
        return;
    }
    if (!member && dbl_is_keyword(t->word) && !is_name_here(sql, i)) {
        put_case(out, text, t->len, true);
        return;
    }
    bool call = dbl_tok_op(sql, i + 1, '(') && !names_columns(st, i);
    bool package = dbl_tok_op(sql, i + 1, '.') && i + 3 < sql->token_count &&
                   dbl_tok_op(sql, i + 3, '(') && !names_columns(st, i);
    if (call || package ||
        (sql->type >= OCI_STMT_CREATE && sql->type <= OCI_STMT_ALTER && i == 1)) {
        put_case(out, text, t->len, false);
    }
    else if (member && !strcmp(t->word, "ROWID")) {
        dbl_puts(out, "ctid");
    }
    else {
        put_name(out, text, t->len);
    }
}

static bool opens_table(const state_t *st, uint32_t i)
{
    const dbl_sql_t *sql = st->sql;
    if (!dbl_tok_is(sql, i + 1, "SELECT") && !dbl_tok_is(sql, i + 1, "WITH")) {
        return false;
    }
    return prev_is(sql, i, "FROM") || prev_is(sql, i, "JOIN") ||
           (i > 0 && dbl_tok_op(sql, i - 1, ',') && st->clause[st->depth] == AT_FROM);
}

static bool has_alias(const dbl_sql_t *sql, uint32_t i)
{
    return i < sql->token_count &&
           (sql->tokens[i].kind == TOK_QUOTED ||
            (sql->tokens[i].kind == TOK_WORD &&
             (!strcmp(sql->tokens[i].word, "AS") ||
              (!dbl_is_keyword(sql->tokens[i].word) && strcmp(sql->tokens[i].word, "MINUS")))));
}

static void put_open(state_t *st, uint32_t i)
{
    bool table = opens_table(st, i);
    const char *word = i > 0 ? st->sql->tokens[i - 1].word : "";
    dbl_puts(&st->sql->out, "(");
    if (st->depth + 1 >= MAX_DEPTH) {
        return;
    }
    st->depth++;
    st->clause[st->depth] = AT_NONE;
    st->subquery[st->depth] = table;
    st->cast[st->depth] = !strcmp(word, "CAST");
    st->size[st->depth] = type_name(word) != NULL;
}

static void put_close(state_t *st, uint32_t i)
{
    char alias[32];
    dbl_puts(&st->sql->out, ")");
    if (st->depth == 0) {
        return;
    }
    if (st->subquery[st->depth--] && !has_alias(st->sql, i + 1)) {
        snprintf(alias, sizeof(alias), " oci_sq%u", ++st->aliases);
        dbl_puts(&st->sql->out, alias);
    }
}

static void clause_word(state_t *st, const char *word)
{
    clause_e *clause = &st->clause[st->depth];
    if (!strcmp(word, "FROM") || !strcmp(word, "JOIN")) {
        *clause = AT_FROM;
    }
    else if (!strcmp(word, "SELECT")) {
        *clause = AT_SELECT;
        st->with = st->with && st->depth > 0;
    }
    else if (!strcmp(word, "WHERE") || !strcmp(word, "GROUP") || !strcmp(word, "ORDER") ||
             !strcmp(word, "HAVING") || !strcmp(word, "ON")) {
        *clause = AT_NONE;
    }
    else if (!strcmp(word, "WITH") && st->depth == 0) {
        st->with = true;
    }
    else if (!strcmp(word, "AS") && st->cast[st->depth]) {
        st->type_next = true;
    }
}

/* WHERE ROWNUM <= n, the way before 12.1; @return tokens used */
static uint32_t put_rownum(state_t *st, uint32_t i)
{
    dbl_sql_t *sql = st->sql;
    char bind[32];
    if (!dbl_tok_is(sql, i, "WHERE") || !dbl_tok_is(sql, i + 1, "ROWNUM") ||
        i + 3 >= sql->token_count) {
        return 0;
    }
    const dbl_token_t *op = &sql->tokens[i + 2], *n = &sql->tokens[i + 3];
    bool equal = op->len == 2 && !strncmp(sql->text + op->at, "<=", 2);
    if (!equal && !dbl_tok_op(sql, i + 2, '<')) {
        return 0;
    }
    dbl_puts(&sql->out, "LIMIT (");
    if (n->kind == TOK_BIND) {
        snprintf(bind, sizeof(bind), "$%u", ++st->bind);
        dbl_puts(&sql->out, bind);
    }
    else {
        dbl_put(&sql->out, sql->text + n->at, n->len);
    }
    dbl_puts(&sql->out, equal ? ")::bigint" : ")::bigint - 1");
    return 4;
}

static void map_add(dbl_sql_t *sql, size_t at)
{
    sql->map_out[sql->map_count] = sql->out.len;
    sql->map_text[sql->map_count++] = at;
}

static void put_token(state_t *st, uint32_t i)
{
    dbl_sql_t *sql = st->sql;
    const dbl_token_t *t = &sql->tokens[i];
    const char *text = sql->text + t->at;
    char bind[32];
    switch (t->kind) {
    case TOK_WORD:
        if (st->size[st->depth] && st->depth &&
            (!strcmp(t->word, "CHAR") || !strcmp(t->word, "BYTE"))) {
            return;
        }
        put_word(st, i);
        clause_word(st, t->word);
        break;
    case TOK_BIND:
        if (sql->type == OCI_STMT_CREATE) {
            dbl_put(&sql->out, text, t->len);
            break;
        }
        snprintf(bind, sizeof(bind), "$%u", ++st->bind);
        dbl_puts(&sql->out, bind);
        if (dbl_tok_is(sql, i + 1, "IS")) {
            dbl_puts(&sql->out, "::text"); /* where nothing else tells its type */
        }
        break;
    case TOK_STRING:
        dbl_put_string(&sql->out, text, t->len);
        break;
    case TOK_OP:
        if (*text == '(') {
            put_open(st, i);
            break;
        }
        if (*text == ')') {
            put_close(st, i);
            break;
        }
        dbl_put(&sql->out, t->len == 2 && *text == '^' ? "<>" : text, t->len);
        break;
    default:
        dbl_put(&sql->out, text, t->len);
        break;
    }
}

void dbl_sql_translate(dbl_sql_t *sql, uint32_t first)
{
    state_t st = {.sql = sql};
    sql->out.len = 0;
    sql->map_count = 0;
    for (uint32_t i = 0; i < first; i++) {
        st.bind += sql->tokens[i].kind == TOK_BIND;
    }
    for (uint32_t i = first; i < sql->token_count;) {
        map_add(sql, sql->tokens[i].at);
        uint32_t used = put_rownum(&st, i);
        if (!used) {
            put_token(&st, i);
            used = 1;
        }
        i += used;
        /* Blanks only where there were some: `||` and `(+` stay together, words apart. */
        if (i < sql->token_count &&
            sql->tokens[i].at > sql->tokens[i - 1].at + sql->tokens[i - 1].len) {
            dbl_puts(&sql->out, " ");
        }
    }
    dbl_put(&sql->out, "", 0);
}

dbl_sql_t *dbl_sql_create(const char *text, size_t len)
{
    dbl_sql_t *sql = calloc(1, sizeof(*sql));
    if (!sql || !(sql->text = malloc(len + 1))) {
        abort();
    }
    memcpy(sql->text, text, len);
    sql->text[len] = '\0';
    sql->len = len;
    dbl_sql_scan(sql);
    sql->map_out = calloc(sql->token_count + 1, sizeof(*sql->map_out));
    sql->map_text = calloc(sql->token_count + 1, sizeof(*sql->map_text));
    if (!sql->map_out || !sql->map_text) {
        abort();
    }
    dbl_sql_names(sql);
    dbl_sql_translate(sql, 0);
    return sql;
}

void dbl_sql_destroy(dbl_sql_t *sql)
{
    if (!sql) {
        return;
    }
    for (uint32_t i = 0; i < sql->bind_count; i++) {
        free(sql->binds[i]);
    }
    for (uint32_t i = 0; i < sql->name_count; i++) {
        free(sql->names[i]);
    }
    free(sql->binds);
    free(sql->names);
    free(sql->tokens);
    free(sql->map_out);
    free(sql->map_text);
    free(sql->out.s);
    free(sql->text);
    free(sql);
}

size_t dbl_sql_source(const dbl_sql_t *sql, size_t out)
{
    size_t at = 0;
    for (uint32_t i = 0; i < sql->map_count && sql->map_out[i] <= out; i++) {
        at = sql->map_text[i];
    }
    return at;
}
