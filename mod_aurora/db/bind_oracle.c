/* bind_oracle.c - values of a request as the driver binds them: each as what it is compared with, so that indexes
 * serve, and none rounded into another. */
#include <apr_strings.h>
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "oracle_private.h"

/* NUMBER holds 39 digits wherever they stand, 40 when they pair luckily, and magnitudes from 1E-130 to just under
 * 1E126 (oci.md; Oracle Call Interface, "NUMBER"). */
#define NUMBER_DIGITS  39
#define NUMBER_POINT   126
#define NUMBER_TINIEST (-129)
/* So many of a longer one are bound, and one more that no column's value is likely to have. */
#define DIGITS_KEPT 38

/* A canonical decimal (cell.h) taken apart: 0.digits x 10^point; no zeros at its ends. */
typedef struct {
    char *digits;
    int n, point, negative;
} decimal_t;

static void bind_text(apr_dbd_oracle_value_t *value, apr_dbd_oracle_kind_e kind,
                      const aur_cell_t *cell)
{
    value->kind = kind;
    value->v.s = cell->v.s;
    value->len = cell->len;
}

static void decimal_take(decimal_t *d, const aur_cell_t *cell, apr_pool_t *p)
{
    const char *s = cell->v.s, *end = s + cell->len;
    int whole = 1;

    d->digits = apr_palloc(p, cell->len + 1);
    d->n = d->point = 0;
    d->negative = s < end && *s == '-';
    for (s += d->negative; s < end; s++) {
        if (*s == '.') {
            whole = 0;
            continue;
        }
        if (d->n > 0 || *s != '0') {
            d->digits[d->n++] = *s;
            d->point += whole;
        }
        else {
            d->point -= !whole;
        }
    }
    while (d->n > 0 && d->digits[d->n - 1] == '0') {
        d->n--;
    }
    d->digits[d->n] = '\0';
}

static int fits_number(const decimal_t *d)
{
    return d->n == 0 || (d->point >= NUMBER_TINIEST && d->point <= NUMBER_POINT);
}

/* What no NUMBER is as large or as small as is compared as a double: beyond all of them, or next to zero. */
static void bind_extreme(apr_dbd_oracle_value_t *value, const decimal_t *d, apr_pool_t *p)
{
    /* without a decimal point strtod knows no locale */
    double x = strtod(apr_psprintf(p, "%se%d", d->digits, d->point - d->n), NULL);

    if (x < DBL_TRUE_MIN) {
        x = DBL_TRUE_MIN;
    }
    value->kind = APR_DBD_ORACLE_DOUBLE;
    value->v.d = d->negative ? -x : x;
}

static void bind_decimal(apr_dbd_oracle_value_t *value, const aur_cell_t *cell, apr_pool_t *p)
{
    decimal_t d;

    decimal_take(&d, cell, p);
    if (!fits_number(&d)) {
        bind_extreme(value, &d, p);
        return;
    }
    bind_text(value, APR_DBD_ORACLE_NUMBER, cell);
    if (d.n > NUMBER_DIGITS + (d.point % 2 == 0)) {
        /* neither equal to a value of 38 digits nor on its other side */
        d.digits[DIGITS_KEPT] = '5';
        value->v.s = apr_psprintf(p, "%s%.*se%d", d.negative ? "-" : "", DIGITS_KEPT + 1, d.digits,
                                  d.point - DIGITS_KEPT - 1);
        value->len = strlen(value->v.s);
    }
}

/* Is it a TIMESTAMP WITH LOCAL TIME ZONE? One with a time zone beside it would have the column converted, while a
 * TIMESTAMP is taken as one of the session's zone, which is UTC as values are. */
static int is_local(const aur_column_t *column)
{
    return column && strstr(column->data_type, "LOCAL TIME ZONE");
}

/* A timestamp that is compared with a DATE is one too, so that the column's index is of use; with a fraction it
 * cannot be. */
static void bind_moment(apr_dbd_oracle_value_t *value, const aur_bind_t *bind, apr_pool_t *p)
{
    const aur_cell_t *cell = &bind->cell;

    if (bind->type == AUR_T_DATE && !memchr(cell->v.s, '.', cell->len)) {
        bind_text(value, APR_DBD_ORACLE_DATE, cell);
    }
    else if (bind->type == AUR_T_TIMESTAMP_TZ && !is_local(bind->column)) {
        /* values are UTC */
        value->kind = APR_DBD_ORACLE_TIMESTAMP_TZ;
        value->v.s = apr_psprintf(p, "%.*s+00:00", (int)cell->len, cell->v.s);
        value->len = cell->len + 6;
    }
    else {
        bind_text(value, APR_DBD_ORACLE_TIMESTAMP, cell);
    }
}

/* As the column has it: the one of the two that is not would be converted, if not the value then the column. */
static apr_dbd_oracle_kind_e text_kind(const aur_bind_t *bind)
{
    if (bind->cell.len == 0) {
        return APR_DBD_ORACLE_NULL;
    }
    return bind->column && aur_oracle_national(bind->column) ? APR_DBD_ORACLE_NTEXT
                                                             : APR_DBD_ORACLE_TEXT;
}

/* NULL of the type that a hand-written statement compares it with. */
static apr_dbd_oracle_kind_e null_kind(aur_type_e type)
{
    switch (type) {
    case AUR_T_NUMBER:
        return APR_DBD_ORACLE_NUMBER;
    case AUR_T_DATE:
        return APR_DBD_ORACLE_DATE;
    case AUR_T_TIMESTAMP:
        return APR_DBD_ORACLE_TIMESTAMP;
    case AUR_T_TIMESTAMP_TZ:
        return APR_DBD_ORACLE_TIMESTAMP_TZ;
    default:
        return APR_DBD_ORACLE_NULL;
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
        bind_decimal(value, cell, p);
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
        bind_text(value, text_kind(bind), cell);
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
        value->kind = null_kind(bind->type); /* calloc left no text */
        break;
    case AUR_V_PIECES:
        break; /* of results only */
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
