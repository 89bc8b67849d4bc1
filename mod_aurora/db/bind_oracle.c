/* bind_oracle.c - the values of a statement, as the driver takes them. */
#include <apr_strings.h>
#include <string.h>

#include "oracle_private.h"

static void bind_text(apr_dbd_oracle_value_t *value, apr_dbd_oracle_kind_e kind,
                      const aur_cell_t *cell)
{
    value->kind = kind;
    value->v.s = cell->v.s;
    value->len = cell->len;
}

/* A timestamp that is compared with a DATE is one too, so that the column's index is of use; with a fraction it
 * cannot be. */
static void bind_moment(apr_dbd_oracle_value_t *value, const aur_bind_t *bind, apr_pool_t *p)
{
    const aur_cell_t *cell = &bind->cell;

    if (bind->type == AUR_T_DATE && !memchr(cell->v.s, '.', cell->len)) {
        bind_text(value, APR_DBD_ORACLE_DATE, cell);
    }
    else if (bind->type == AUR_T_TIMESTAMP_TZ) {
        /* values are UTC */
        value->kind = APR_DBD_ORACLE_TIMESTAMP_TZ;
        value->v.s = apr_psprintf(p, "%.*s+00:00", (int)cell->len, cell->v.s);
        value->len = cell->len + 6;
    }
    else {
        bind_text(value, APR_DBD_ORACLE_TIMESTAMP, cell);
    }
}

static void bind_set(apr_dbd_oracle_value_t *value, const aur_bind_t *bind, apr_pool_t *p)
{
    const aur_cell_t *cell = &bind->cell;

    switch (cell->kind) {
    case AUR_V_INT:
        value->kind = APR_DBD_ORACLE_NUMBER;
        value->v.s = apr_psprintf(p, "%" APR_INT64_T_FMT, cell->v.i);
        value->len = strlen(value->v.s);
        break;
    case AUR_V_DECIMAL:
        bind_text(value, APR_DBD_ORACLE_NUMBER, cell);
        break;
    case AUR_V_DOUBLE:
        value->kind = APR_DBD_ORACLE_DOUBLE;
        value->v.d = cell->v.d;
        break;
    case AUR_V_BOOL:
        value->kind = APR_DBD_ORACLE_BOOLEAN;
        value->v.i = cell->v.i;
        break;
    case AUR_V_TEXT:
        bind_text(value, cell->len > 0 ? APR_DBD_ORACLE_TEXT : APR_DBD_ORACLE_NULL, cell);
        break;
    case AUR_V_BINARY:
        bind_text(value, APR_DBD_ORACLE_BYTES, cell);
        break;
    case AUR_V_DATE:
        bind_text(value, APR_DBD_ORACLE_DATE, cell);
        break;
    case AUR_V_TIMESTAMP:
    case AUR_V_TIMESTAMP_TZ:
        bind_moment(value, bind, p);
        break;
    case AUR_V_NULL:
    case AUR_V_PIECES: /* never bound */
        break;         /* what calloc left */
    }
}

const apr_dbd_oracle_value_t *aur_oracle_binds(const aur_sql_t *sql, apr_pool_t *p)
{
    apr_dbd_oracle_value_t *values;
    int i;

    if (sql->nbinds == 0) {
        return NULL;
    }
    values = apr_pcalloc(p, (apr_size_t)sql->nbinds * sizeof(*values));
    for (i = 0; i < sql->nbinds; i++) {
        bind_set(&values[i], &sql->binds[i], p);
    }
    return values;
}
