/* query_value.h - a value of a request as the typed cell its column asks for. */
#ifndef AURORA_QUERY_VALUE_H
#define AURORA_QUERY_VALUE_H

#include "aurora/query.h"

/* Enough for every double written out, the smallest and the largest. */
#define AUR_VALUE_DIGITS_MAX 350

/* What a value is compared with, and what to say when it does not fit. */
typedef struct aur_value_for_t {
    aur_type_e type;
    int fold;            /* text: fold its case (aur_casefold) */
    const char *column;  /* as the request wrote it */
    const char *pointer; /* where the value or the list of values stands */
    int timed; /* date: the column has times of day, so a timestamp is one of its values */
} aur_value_for_t;

/** Type one value.
 * @param index  of the value in its list; -1: it stands at the pointer itself
 * @param cell  text points into value, or into p where it had to be rewritten
 * @return APR_SUCCESS, or APR_EGENERAL with err: BAD_VALUE */
apr_status_t aur_value_read(aur_cell_t *cell, const aur_value_for_t *want,
                            const aur_scalar_t *value, int index, aur_error_t *err, apr_pool_t *p);

/** Split "low,high": exactly one comma; spaces around a part are dropped unless the type is text.
 * @return as aur_value_read */
apr_status_t aur_value_split(aur_scalar_t low_high[2], const aur_value_for_t *want,
                             const aur_scalar_t *value, aur_error_t *err);

/** "a number", "a text", … for a detail. Static storage. */
const char *aur_value_noun(aur_type_e type);

#endif
