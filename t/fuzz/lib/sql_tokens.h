/* sql_tokens.h - SQL read a second time, by each database's own rules of quotes, comments and placeholders,
 * for the targets alone. */
#ifndef AURORA_FUZZ_SQL_TOKENS_H
#define AURORA_FUZZ_SQL_TOKENS_H

#include <apr_pools.h>

#include "aurora/sql.h"

typedef enum {
    SQL_WORD,
    SQL_NUMBER,
    SQL_SIGN, /* one character, or one of <> <= >= || :: */
    SQL_NAME, /* quoted; text is what it names */
    SQL_STRING,
    SQL_PLACEHOLDER
} sql_token_e;

typedef struct sql_token_t {
    sql_token_e is;
    const char *text; /* decoded, NUL-terminated */
} sql_token_t;

typedef struct sql_tokens_t {
    int n;
    const sql_token_t *t;
    int nplaceholders;
} sql_tokens_t;

/* The drivers whose dialects there are; "oracle 11" is Oracle before 12.1. */
#define SQL_DRIVERS 6
extern const char *const sql_drivers[SQL_DRIVERS];
const aur_dialect_t *sql_dialect(const char *driver);

/** Read a whole statement; aborts where it is not closed in itself: an open quote, a comment, a semicolon,
 * a character that our statements have no use for, placeholders out of order, or another number of them
 * than of binds. */
const sql_tokens_t *sql_tokens(const char *driver, const aur_sql_t *sql, apr_pool_t *p);

/** What a statement is but for its names: its tokens with each name as NAME. */
const char *sql_shape(const sql_tokens_t *tokens, apr_pool_t *p);

#endif
