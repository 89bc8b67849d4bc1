/* sql.h - Oracle's SQL read by a scanner of the client's own, and written again for PostgreSQL. */
#ifndef AURORA_OCI_SQL_H
#define AURORA_OCI_SQL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Types in schema SYS that PostgreSQL has no name for; dbl_type_names has theirs. */
typedef enum {
    DBL_T_DATE,
    DBL_T_LTZ,
    DBL_T_CLOB,
    DBL_T_NCLOB,
    DBL_T_BLOB,
    DBL_T_RAW,
    DBL_T_LONG,
    DBL_T_LONG_RAW,
    DBL_T_NCHAR,
    DBL_T_NVARCHAR2,
    DBL_T_ROWID,
    DBL_T_JSON,
    DBL_T_BOOLEAN,
    DBL_TYPES
} dbl_type_e;
extern const char *const dbl_type_names[DBL_TYPES];

/* How the text that PostgreSQL sends is to be read. */
typedef enum {
    DBL_K_TEXT,
    DBL_K_NUMBER,
    DBL_K_BOOL,
    DBL_K_FLOAT,
    DBL_K_DATE,
    DBL_K_TIMESTAMP,
    DBL_K_BYTES,
    DBL_K_CLOB,
    DBL_K_BLOB,
    DBL_K_INTERVAL_YM,
    DBL_K_INTERVAL_DS,
    DBL_K_ROWID
} dbl_kind_e;

/* A text that grows; NUL-terminated. */
typedef struct dbl_sql_buf_t {
    char *s;
    size_t len, size;
} dbl_sql_buf_t;
void dbl_put(dbl_sql_buf_t *buf, const char *s, size_t n);
void dbl_puts(dbl_sql_buf_t *buf, const char *s);

typedef enum {
    TOK_SPACE,
    TOK_WORD,
    TOK_QUOTED,
    TOK_STRING,
    TOK_NUMBER,
    TOK_BIND,
    TOK_OP
} dbl_tok_e;

typedef struct dbl_token_t {
    dbl_tok_e kind;
    size_t at, len;
    char word[32]; /* a TOK_WORD in upper case; empty when longer */
} dbl_token_t;

typedef struct dbl_sql_t {
    char *text; /* as prepared */
    size_t len;
    dbl_token_t *tokens; /* without spaces and comments */
    uint32_t token_count;
    uint16_t type;     /* OCI_STMT_... */
    bool returning;    /* RETURNING ... INTO */
    bool from_missing; /* ORA-00923 */
    bool for_update;

    char **binds; /* names in upper case, one per occurrence: $1 is binds[0] */
    uint32_t bind_count;

    dbl_sql_buf_t out; /* for PostgreSQL */
    size_t *map_out, *map_text;
    uint32_t map_count;

    char **names; /* of the select list: NULL where PostgreSQL's name is right */
    uint32_t name_count;
    int32_t star; /* first item that is `*` or `x.*`; -1: none */
} dbl_sql_t;

/** Read and translate; everything belongs to the result. */
dbl_sql_t *dbl_sql_create(const char *text, size_t len);
void dbl_sql_destroy(dbl_sql_t *sql);
/** Where a byte of the translation comes from. */
size_t dbl_sql_source(const dbl_sql_t *sql, size_t out);
/** Translate the tokens from number `first` on (sql_create has done so from 0). */
void dbl_sql_translate(dbl_sql_t *sql, uint32_t first);
/** Split into tokens; in scan.c. */
void dbl_sql_scan(dbl_sql_t *sql);
bool dbl_tok_is(const dbl_sql_t *sql, uint32_t i, const char *word);
bool dbl_tok_op(const dbl_sql_t *sql, uint32_t i, char op);
/** Names for the items of the select list, in names.c. */
void dbl_sql_names(dbl_sql_t *sql);
bool dbl_is_keyword(const char *word);
/** A string literal's value in `'...'` form, from any of Oracle's forms. */
void dbl_put_string(dbl_sql_buf_t *buf, const char *s, size_t n);
/** "NAME", with inner quotes doubled. */
void dbl_put_ident(dbl_sql_buf_t *buf, const char *s, size_t n);

#endif
