/* sql_text.c - see sql_text.h. */
#include "aurora/sql_text.h"

#include <apr_strings.h>
#include <string.h>

#include "aurora/number.h"
#include "dialect.h"

#define FIRST_SIZE 1024

aur_sql_buf_t *aur_sql_buf_create(const aur_dialect_t *dialect, apr_pool_t *p)
{
    aur_sql_buf_t *q = apr_pcalloc(p, sizeof(*q));

    q->dialect = dialect;
    q->size = FIRST_SIZE;
    q->text = apr_palloc(p, q->size);
    q->binds = apr_array_make(p, 16, sizeof(aur_bind_t));
    q->p = p;
    return q;
}

void aur_sql_text_n(aur_sql_buf_t *q, const char *text, apr_size_t len)
{
    if (q->size - q->len < len) {
        apr_size_t size = q->size;
        char *grown;
        while (size - q->len < len) {
            size *= 2;
        }
        grown = apr_palloc(q->p, size);
        memcpy(grown, q->text, q->len);
        q->text = grown;
        q->size = size;
    }
    memcpy(q->text + q->len, text, len);
    q->len += len;
}

void aur_sql_ident(aur_sql_buf_t *q, const char *name)
{
    q->dialect->ident(q, name);
}

void aur_sql_index(aur_sql_buf_t *q, int index)
{
    const char *digits = apr_itoa(q->p, index);
    aur_sql_text_n(q, digits, strlen(digits));
}

void aur_sql_digits(aur_sql_buf_t *q, apr_int64_t value)
{
    char digits[AUR_INT_TEXT_MAX];
    apr_size_t len = aur_int_write(digits, value);
    aur_sql_text_n(q, digits, len);
}

void aur_sql_bind(aur_sql_buf_t *q, const aur_cell_t *value, aur_type_e type)
{
    aur_sql_bind_for(q, value, type, NULL);
}

void aur_sql_bind_for(aur_sql_buf_t *q, const aur_cell_t *value, aur_type_e type,
                      const aur_column_t *column)
{
    aur_bind_t *bind = apr_array_push(q->binds);

    bind->cell = *value;
    bind->type = type;
    bind->column = column;
    q->dialect->placeholder(q, q->binds->nelts, type);
}

void aur_sql_bind_int(aur_sql_buf_t *q, apr_int64_t value)
{
    aur_cell_t cell = {.kind = AUR_V_INT, .v.i = value};
    aur_sql_bind(q, &cell, AUR_T_NUMBER);
}

aur_sql_t *aur_sql_buf_finish(aur_sql_buf_t *q)
{
    aur_sql_t *sql = apr_pcalloc(q->p, sizeof(*sql));

    aur_sql_text_n(q, "", 1); /* the closing NUL */
    sql->text = q->text;
    sql->len = q->len - 1;
    sql->nbinds = q->binds->nelts;
    sql->binds = (const aur_bind_t *)q->binds->elts;
    return sql;
}
