/* sql_text.h - a statement being written: text that grows, and the binds beside it.
 *
 * Text comes in by three roads only: literals of our own sources (the macro takes nothing else),
 * identifiers quoted by the dialect, and placeholders. Memory: the pool given. One thread. */
#ifndef AURORA_SQL_TEXT_H
#define AURORA_SQL_TEXT_H

#include <apr_pools.h>
#include <apr_tables.h>

#include "aurora/sql.h"

typedef struct aur_sql_buf_t {
    const aur_dialect_t *dialect;
    char *text;
    apr_size_t len;
    apr_size_t size;
    apr_array_header_t *binds; /* aur_bind_t */
    apr_pool_t *p;
} aur_sql_buf_t;

/** An empty statement. */
aur_sql_buf_t *aur_sql_buf_create(const aur_dialect_t *dialect, apr_pool_t *p);

/** A string literal; a variable does not compile. */
#define aur_sql_text(q, literal) aur_sql_text_n((q), "" literal "", sizeof(literal) - 1)
/** For the macro above, for templates of a dialect, for what a dialect has quoted and for hand-written SQL
 * from the catalogue file; nothing else. */
void aur_sql_text_n(aur_sql_buf_t *q, const char *text, apr_size_t len);
/** A name from the catalogue, quoted by the dialect. */
void aur_sql_ident(aur_sql_buf_t *q, const char *name);
/** A small number of our own (an alias' index). */
void aur_sql_index(aur_sql_buf_t *q, int index);
/** A whole number as digits, for places where a database takes no placeholder (LIMIT). */
void aur_sql_digits(aur_sql_buf_t *q, apr_int64_t value);
/** A placeholder; the value travels beside the text.
 * @param type  of the column it is compared with */
void aur_sql_bind(aur_sql_buf_t *q, const aur_cell_t *value, aur_type_e type);
/** As aur_sql_bind, with the column itself; it may be NULL, and has to live as long as the statement. */
void aur_sql_bind_for(aur_sql_buf_t *q, const aur_cell_t *value, aur_type_e type,
                      const aur_column_t *column);
/** As aur_sql_bind, for a whole number. */
void aur_sql_bind_int(aur_sql_buf_t *q, apr_int64_t value);

/** The finished statement, NUL-terminated; columns are not set. */
aur_sql_t *aur_sql_buf_finish(aur_sql_buf_t *q);

#endif
