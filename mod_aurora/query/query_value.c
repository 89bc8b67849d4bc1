/* query_value.c - values of a request, typed (query_value.h). */
#include "query_value.h"

#include <apr_cstr.h>
#include <apr_strings.h>
#include <string.h>

#include "aurora/json_in.h"
#include "aurora/datetime.h"
#include "aurora/number.h"
#include "aurora/text.h"

/* the digits, a sign and a point */
#define DECIMAL_ROOM (AUR_VALUE_DIGITS_MAX + 2)

/* One value on its way. */
typedef struct reading_t {
    const aur_value_for_t *want;
    int index;
    aur_error_t *err;
    apr_pool_t *p;
} reading_t;

const char *aur_value_noun(aur_type_e type)
{
    switch (type) {
    case AUR_T_NUMBER:
        return "a number";
    case AUR_T_DATE:
        return "a date";
    case AUR_T_TIMESTAMP:
    case AUR_T_TIMESTAMP_TZ:
        return "a timestamp";
    case AUR_T_BOOLEAN:
        return "true or false";
    case AUR_T_BINARY:
        return "binary data";
    default:
        return "a text";
    }
}

static const char *how_to_write(aur_type_e type)
{
    switch (type) {
    case AUR_T_NUMBER:
        return "write digits with an optional point, without spaces or separators";
    case AUR_T_DATE:
        return "write it as YYYY-MM-DD";
    case AUR_T_TIMESTAMP:
    case AUR_T_TIMESTAMP_TZ:
        return "write it as YYYY-MM-DDTHH:MM:SS, with or without a zone";
    case AUR_T_BOOLEAN:
        return "write true or false";
    case AUR_T_BINARY:
        return "only is_null and is_not_null work on it";
    default:
        return "write it as a string";
    }
}

static apr_status_t refuse(const reading_t *x, const char *detail)
{
    const aur_value_for_t *want = x->want;
    const char *at = want->pointer;

    if (x->index >= 0) {
        at = apr_psprintf(x->p, "%s/%d", want->pointer, x->index);
    }
    aur_error_set(x->err, AUR_E_BAD_VALUE, at, "%s is %s: %s.", aur_name_shown(want->column, x->p),
                  aur_value_noun(want->type), detail);
    aur_error_column(x->err, want->column);
    return APR_EGENERAL;
}

static apr_status_t misfit(const reading_t *x)
{
    return refuse(x, how_to_write(x->want->type));
}

static apr_status_t text_set(aur_cell_t *cell, aur_cell_e kind, const char *s, apr_size_t len)
{
    cell->kind = kind;
    cell->v.s = s;
    cell->len = len;
    return APR_SUCCESS;
}

static apr_status_t int_set(aur_cell_t *cell, aur_cell_e kind, apr_int64_t i)
{
    cell->kind = kind;
    cell->v.i = i;
    cell->len = 0;
    return APR_SUCCESS;
}

/* --- numbers --------------------------------------------------------------------------------- */

static apr_status_t decimal_read(aur_cell_t *cell, const reading_t *x, const char *s,
                                 apr_size_t len)
{
    char out[DECIMAL_ROOM];
    apr_size_t n = aur_number_canonical(out, sizeof(out), s, len);
    apr_size_t marks = n ? (out[0] == '-') + (memchr(out, '.', n) != NULL) : 0;

    if (!n || n - marks > AUR_VALUE_DIGITS_MAX) {
        return refuse(x, "this one has more than " APR_STRINGIFY(AUR_VALUE_DIGITS_MAX) " digits");
    }
    return text_set(cell, AUR_V_DECIMAL, apr_pstrmemdup(x->p, out, n), n);
}

static apr_status_t number_read(aur_cell_t *cell, const reading_t *x, const aur_scalar_t *value)
{
    char text[AUR_DOUBLE_TEXT_MAX];
    apr_int64_t i;

    switch (value->kind) {
    case AUR_J_INT:
        return int_set(cell, AUR_V_INT, value->i);
    case AUR_J_REAL:
        return decimal_read(cell, x, text, aur_double_write(text, value->d));
    case AUR_J_STRING:
        if (!aur_number_valid(value->s, value->len)) {
            return misfit(x);
        }
        if (aur_number_to_int(value->s, value->len, &i)) {
            return int_set(cell, AUR_V_INT, i);
        }
        return decimal_read(cell, x, value->s, value->len);
    default:
        return misfit(x);
    }
}

/* --- dates and timestamps -------------------------------------------------------------------- */

static int is_midnight(const aur_datetime_t *dt)
{
    return !dt->hour && !dt->minute && !dt->second && !dt->nanosecond;
}

static apr_status_t timestamp_set(aur_cell_t *cell, const reading_t *x, aur_datetime_t *dt)
{
    char *out = apr_palloc(x->p, AUR_DATETIME_TEXT_MAX);

    aur_datetime_to_utc(dt);
    return text_set(cell, AUR_V_TIMESTAMP, out, aur_timestamp_write(out, ' ', dt));
}

/* A midnight stands for its day as it is written, whatever its zone. */
static apr_status_t date_read(aur_cell_t *cell, const reading_t *x, const aur_scalar_t *value)
{
    aur_datetime_t dt;
    char *out;

    if (value->kind != AUR_J_STRING || !aur_datetime_parse(&dt, value->s, value->len) ||
        (dt.has_time && !is_midnight(&dt) && !x->want->timed)) {
        return misfit(x);
    }
    if (dt.has_time && !is_midnight(&dt)) {
        return timestamp_set(cell, x, &dt);
    }
    out = apr_palloc(x->p, AUR_DATETIME_TEXT_MAX);
    return text_set(cell, AUR_V_DATE, out, aur_date_write(out, &dt));
}

static apr_status_t timestamp_read(aur_cell_t *cell, const reading_t *x, const aur_scalar_t *value)
{
    aur_datetime_t dt;

    if (value->kind != AUR_J_STRING || !aur_datetime_parse(&dt, value->s, value->len)) {
        return misfit(x);
    }
    return timestamp_set(cell, x, &dt);
}

/* --- the others ------------------------------------------------------------------------------ */

static apr_status_t boolean_read(aur_cell_t *cell, const reading_t *x, const aur_scalar_t *value)
{
    static const aur_word_t words[] = {{"true", 1}, {"false", 0}, {"1", 1}, {"0", 0}, {NULL, 0}};
    const aur_word_t *found;

    switch (value->kind) {
    case AUR_J_BOOL:
        return int_set(cell, AUR_V_BOOL, value->i);
    case AUR_J_INT:
        return value->i == 0 || value->i == 1 ? int_set(cell, AUR_V_BOOL, value->i) : misfit(x);
    case AUR_J_STRING:
        found = aur_word_find(words, value->s);
        return found ? int_set(cell, AUR_V_BOOL, found->value) : misfit(x);
    default:
        return misfit(x);
    }
}

static apr_status_t text_read(aur_cell_t *cell, const reading_t *x, const aur_scalar_t *value)
{
    const char *s = value->s;
    apr_size_t len = value->len;

    if (value->kind != AUR_J_STRING) {
        return misfit(x);
    }
    if (x->want->fold) {
        s = aur_casefold(value->s, value->len, &len, x->p);
    }
    return text_set(cell, AUR_V_TEXT, s, len);
}

apr_status_t aur_value_read(aur_cell_t *cell, const aur_value_for_t *want,
                            const aur_scalar_t *value, int index, aur_error_t *err, apr_pool_t *p)
{
    reading_t x = {want, index, err, p};

    switch (want->type) {
    case AUR_T_NUMBER:
        return number_read(cell, &x, value);
    case AUR_T_DATE:
        return date_read(cell, &x, value);
    case AUR_T_TIMESTAMP:
    case AUR_T_TIMESTAMP_TZ:
        return timestamp_read(cell, &x, value);
    case AUR_T_BOOLEAN:
        return boolean_read(cell, &x, value);
    case AUR_T_TEXT:
        return text_read(cell, &x, value);
    default:
        return misfit(&x);
    }
}

static void part_set(aur_scalar_t *out, const char *s, const char *end, int trim)
{
    while (trim && s < end && *s == ' ') {
        s++;
    }
    while (trim && s < end && end[-1] == ' ') {
        end--;
    }
    out->kind = AUR_J_STRING;
    out->s = s;
    out->len = (apr_size_t)(end - s);
}

apr_status_t aur_value_split(aur_scalar_t low_high[2], const aur_value_for_t *want,
                             const aur_scalar_t *value, aur_error_t *err)
{
    const char *end = value->s + value->len, *comma = memchr(value->s, ',', value->len);
    int trim = want->type != AUR_T_TEXT;

    if (!comma || memchr(comma + 1, ',', (size_t)(end - comma - 1))) {
        aur_error_set(err, AUR_E_BAD_VALUE, want->pointer,
                      "between needs two values and exactly one comma between them; write [low, "
                      "high] for values that hold commas.");
        aur_error_column(err, want->column);
        return APR_EGENERAL;
    }
    part_set(&low_high[0], value->s, comma, trim);
    part_set(&low_high[1], comma + 1, end, trim);
    return APR_SUCCESS;
}
