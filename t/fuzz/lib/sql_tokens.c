/* sql_tokens.c - see sql_tokens.h. */
#include "sql_tokens.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_tables.h>
#include <string.h>

#include "fuzz.h"

const char *const sql_drivers[SQL_DRIVERS] = {"sqlite3", "pgsql",     "mysql",
                                              "oracle",  "oracle 11", "odbc"};

#define MARK '\x01' /* in `marks`: a placeholder begins here */

typedef struct lexer_t {
    const char *driver;
    const char *text;  /* as the database gets it */
    const char *marks; /* beside it: MARK where apr_dbd saw a placeholder */
    char *decoded;     /* room for what stands between any quotes */
    apr_size_t at, len;
    apr_array_header_t *tokens;
    int nplaceholders;
    apr_pool_t *p;
} lexer_t;

const aur_dialect_t *sql_dialect(const char *driver)
{
    static const int old[3] = {11, 2, 0};

    return strcmp(driver, "oracle 11") ? aur_dialect_get(driver) : aur_dialect_oracle_for(old);
}

static int is_driver(const lexer_t *x, const char *driver)
{
    return !strcmp(x->driver, driver);
}

static int is_oracle(const lexer_t *x)
{
    return !strncmp(x->driver, "oracle", 6);
}

/* apr_dbd_prepare looks at percent signs wherever they stand, quotes or not. */
static void percents_read(lexer_t *x, const aur_sql_t *sql)
{
    char *text = apr_palloc(x->p, sql->len + 1), *marks = apr_pcalloc(x->p, sql->len + 1);
    apr_size_t i, n = 0;
    int formatted = !is_driver(x, "sqlite3") && !is_driver(x, "pgsql") && !is_oracle(x);

    for (i = 0; i < sql->len; i++) {
        if (formatted && sql->text[i] == '%') {
            i++;
            FUZZ_CHECK(sql->text[i] == 's' || sql->text[i] == '%',
                       "a percent sign apr_dbd would take for something: %s", sql->text);
            marks[n] = sql->text[i] == 's' ? MARK : 0;
        }
        text[n++] = sql->text[i];
    }
    text[n] = '\0';
    x->text = text;
    x->marks = marks;
    x->decoded = apr_palloc(x->p, n + 1);
    x->len = n;
}

static void push(lexer_t *x, sql_token_e is, const char *text)
{
    sql_token_t *token = apr_array_push(x->tokens);

    token->is = is;
    token->text = text;
}

/* From the quote at x->at to the one that closes it; doubled ones stand for themselves. */
static const char *quoted_read(lexer_t *x, int backslashes)
{
    char quote = x->text[x->at++], *out = x->decoded;
    apr_size_t n = 0;

    for (;; x->at++) {
        FUZZ_CHECK(x->at < x->len, "a quote is never closed: %s", x->text);
        FUZZ_CHECK(x->marks[x->at] != MARK, "a placeholder inside quotes: %s", x->text);
        if (x->text[x->at] == quote) {
            x->at++;
            if (x->at >= x->len || x->text[x->at] != quote) {
                break;
            }
        }
        else if (backslashes && x->text[x->at] == '\\') {
            x->at++;
            FUZZ_CHECK(x->at < x->len, "a backslash at the end: %s", x->text);
        }
        out[n++] = x->text[x->at];
    }
    return apr_pstrmemdup(x->p, out, n);
}

static void run_read(lexer_t *x, sql_token_e is, int (*belongs)(int c))
{
    apr_size_t from = x->at;

    while (x->at < x->len && belongs((unsigned char)x->text[x->at])) {
        x->at++;
    }
    /* E'', N'', q'[]', U&"": what stands between such quotes follows rules of its own */
    FUZZ_CHECK(x->at == x->len || !strchr("'\"`&", x->text[x->at]), "a quote behind a word: %s",
               x->text);
    push(x, is, apr_pstrmemdup(x->p, x->text + from, x->at - from));
}

static int of_word(int c)
{
    return apr_isalnum(c) || c == '_';
}

static int of_number(int c)
{
    return apr_isdigit(c) || c == 'e';
}

static void placeholder_read(lexer_t *x)
{
    x->nplaceholders++;
    if (is_driver(x, "pgsql") || is_oracle(x)) { /* $1, :1 */
        apr_int64_t n = 0;
        for (x->at++; x->at < x->len && apr_isdigit(x->text[x->at]); x->at++) {
            n = n * 10 + (x->text[x->at] - '0');
        }
        FUZZ_CHECK(n == x->nplaceholders, "placeholder %d has another number: %s", x->nplaceholders,
                   x->text);
    }
    else {
        x->at++;
    }
    push(x, SQL_PLACEHOLDER, "?");
}

static int starts_placeholder(const lexer_t *x)
{
    char c = x->text[x->at];

    return x->marks[x->at] == MARK || (c == '?' && is_driver(x, "sqlite3")) ||
           (c == '$' && is_driver(x, "pgsql")) || (c == ':' && is_oracle(x));
}

static void sign_read(lexer_t *x)
{
    static const char *const longer[] = {"<>", "<=", ">=", "||", "::"};
    const char *s = x->text + x->at;
    apr_size_t i;

    FUZZ_CHECK(strncmp(s, "--", 2) != 0 && strncmp(s, "/*", 2) != 0, "a comment: %s", x->text);
    for (i = 0; i < sizeof(longer) / sizeof(longer[0]); i++) {
        if (!strncmp(s, longer[i], 2)) {
            push(x, SQL_SIGN, longer[i]);
            x->at += 2;
            return;
        }
    }
    FUZZ_CHECK(*s && strchr("()*,.=<>+-", *s), "no character of ours: %.40s in %s", s, x->text);
    push(x, SQL_SIGN, apr_pstrmemdup(x->p, s, 1));
    x->at++;
}

static void token_read(lexer_t *x)
{
    char c = x->text[x->at];
    int mysql = is_driver(x, "mysql");

    if (c == ' ') {
        x->at++;
    }
    else if (starts_placeholder(x)) {
        placeholder_read(x);
    }
    else if (is_oracle(x) && c == 'N' &&
             x->text[x->at + 1] == '\'') { /* of the national character set */
        x->at++;
        push(x, SQL_STRING, quoted_read(x, 0));
    }
    else if (c == '\'') {
        push(x, SQL_STRING, quoted_read(x, mysql));
    }
    else if (c == (mysql ? '`' : '"')) {
        push(x, SQL_NAME, quoted_read(x, 0));
    }
    else if (apr_isalpha(c) || c == '_') {
        run_read(x, SQL_WORD, of_word);
    }
    else if (apr_isdigit(c)) {
        run_read(x, SQL_NUMBER, of_number);
    }
    else {
        sign_read(x);
    }
}

const sql_tokens_t *sql_tokens(const char *driver, const aur_sql_t *sql, apr_pool_t *p)
{
    lexer_t x = {.driver = driver, .p = p, .tokens = apr_array_make(p, 64, sizeof(sql_token_t))};
    sql_tokens_t *tokens = apr_pcalloc(p, sizeof(*tokens));

    FUZZ_CHECK(strlen(sql->text) == sql->len, "a NUL inside a statement");
    percents_read(&x, sql);
    while (x.at < x.len) {
        token_read(&x);
    }
    FUZZ_CHECK(x.nplaceholders == sql->nbinds, "%d placeholders, %d binds: %s", x.nplaceholders,
               sql->nbinds, sql->text);
    tokens->n = x.tokens->nelts;
    tokens->t = (const sql_token_t *)x.tokens->elts;
    tokens->nplaceholders = x.nplaceholders;
    return tokens;
}

const char *sql_shape(const sql_tokens_t *tokens, apr_pool_t *p)
{
    apr_array_header_t *words = apr_array_make(p, tokens->n, sizeof(const char *));
    int i;

    for (i = 0; i < tokens->n; i++) {
        const sql_token_t *t = &tokens->t[i];
        APR_ARRAY_PUSH(words, const char *) = t->is == SQL_NAME ? "NAME"
                                              : t->is == SQL_STRING
                                                  ? apr_pstrcat(p, "'", t->text, NULL)
                                                  : t->text;
    }
    return apr_array_pstrcat(p, words, ' ');
}
