/* sql_scan.h - hand-written SQL as pieces, far enough to tell its parameters from what only looks
 * like them: inside literals, quoted names and comments a ":name" is text.
 *
 * A scanner is plain data; it points into the text. */
#ifndef AURORA_SQL_SCAN_H
#define AURORA_SQL_SCAN_H

#include <apr.h>

/* What a dialect's words look like, besides 'text', "name", -- and C comments, and what else there is to
 * know where SQL is hand-written. */
enum {
    AUR_LEX_MYSQL = 1,        /* backslashes in literals, #, `name`, -- only before a blank */
    AUR_LEX_E_STRINGS = 2,    /* E'it\'s' */
    AUR_LEX_DOLLARS = 4,      /* $tag$text$tag$, and $1 is a placeholder */
    AUR_LEX_NESTED = 8,       /* comments inside comments */
    AUR_LEX_NAMES = 16,       /* `name` and [name]; @name, $name and #name are placeholders */
    AUR_LEX_Q_QUOTES = 32,    /* q'[it's]' */
    AUR_LEX_QUESTION = 64,    /* ? is a placeholder */
    AUR_LEX_FORMAT = 128,     /* the text goes through apr_dbd_prepare */
    AUR_LEX_PARENS = 256,     /* a placeholder with its type has to stand in parentheses */
    AUR_LEX_UNORDERED = 512,  /* the ORDER BY of a derived table may mean nothing */
    AUR_LEX_HASH_NAMES = 1024 /* names may have a # in them */
};

typedef enum {
    AUR_PIECE_END,
    AUR_PIECE_BLANK, /* white space or a comment */
    AUR_PIECE_WORD,  /* a keyword, a plain name or a number */
    AUR_PIECE_PARAM, /* :name; text and len are the name's */
    AUR_PIECE_SEMICOLON,
    AUR_PIECE_FOREIGN, /* a placeholder as the database writes it */
    AUR_PIECE_GLUED,   /* :name behind a word or ], which may be a slice of an array */
    AUR_PIECE_OPEN,    /* a literal, name or comment without an end */
    AUR_PIECE_OTHER
} aur_piece_e;

typedef struct aur_sql_scan_t {
    const char *text;
    apr_size_t len, at;
    int lexis;
} aur_sql_scan_t;

typedef struct aur_sql_piece_t {
    aur_piece_e kind;
    const char *text;
    apr_size_t len;
} aur_sql_piece_t;

/** The next piece; together they are the whole text. */
void aur_sql_scan(aur_sql_piece_t *piece, aur_sql_scan_t *scan);

#endif
