#include "aurora/error.h"
#include "aurora/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct entry_t {
    const char *code, *title;
} entry_t;

/* The status column stays unused here: it is http/'s. */
static const entry_t table[AUR_E_COUNT] = {[AUR_E_NONE] = {"OK", "No error"},
#define AUR_X(id, code, status, title) [id] = {code, title},
                                           AUR_ERRORS(AUR_X)
#undef AUR_X
};

static const entry_t *entry_get(aur_code_e code)
{
    return &table[(unsigned)code < AUR_E_COUNT ? code : AUR_E_INTERNAL];
}

/* Copy text of len bytes into a field of size bytes, cut at a character boundary. */
static void field_set(char *field, apr_size_t size, const char *text, apr_size_t len)
{
    len = aur_utf8_clip(text, len, size - 1);
    memmove(field, text, len);
    field[len] = '\0';
}

void aur_error_clear(aur_error_t *err)
{
    err->code = AUR_E_NONE;
    err->detail[0] = err->pointer[0] = err->column[0] = err->native[0] = '\0';
    err->retry_after = 0;
    err->estimated_rows = -1;
    err->limit = -1;
    err->connection_lost = 0;
}

apr_status_t aur_error_set(aur_error_t *err, aur_code_e code, const char *pointer, const char *fmt,
                           ...)
{
    /* Some bytes more than the field holds, so that the cut can see whether a character goes on
     * behind it. Built aside: an argument may point into err itself. */
    char detail[AUR_DETAIL_MAX + 4], at[AUR_POINTER_MAX + 4];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(detail, sizeof(detail), fmt, ap);
    va_end(ap);
    if (n < 0) { /* the format could not be carried out: the title says at least what it is about */
        apr_size_t len = strlen(aur_error_title(code));
        memcpy(detail, aur_error_title(code), len + 1);
    }
    at[0] = '\0';
    if (pointer) {
        apr_size_t len = strnlen(pointer, sizeof(at) - 1);
        memcpy(at, pointer, len);
        at[len] = '\0';
    }

    aur_error_clear(err);
    err->code = code;
    field_set(err->detail, sizeof(err->detail), detail, strlen(detail));
    field_set(err->pointer, sizeof(err->pointer), at, strlen(at));
    return APR_EGENERAL;
}

void aur_error_column(aur_error_t *err, const char *column)
{
    field_set(err->column, sizeof(err->column), column, strlen(column));
}

void aur_error_native(aur_error_t *err, const char *code, const char *text)
{
    char both[AUR_NATIVE_MAX + 4];
    char *c;

    /* Truncation is meant: field_set cuts at a boundary. */
    if (snprintf(both, sizeof(both), "%s%s%s", code ? code : "", code && text ? ": " : "",
                 text ? text : "") < 0) {
        both[0] = '\0';
    }
    for (c = both; *c; c++) {
        if (*c == '\r' || *c == '\n') {
            *c = ' ';
        }
    }
    field_set(err->native, sizeof(err->native), both, strlen(both));
}

const char *aur_error_code(aur_code_e code)
{
    return entry_get(code)->code;
}

const char *aur_error_title(aur_code_e code)
{
    return entry_get(code)->title;
}
