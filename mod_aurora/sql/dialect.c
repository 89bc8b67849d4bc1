/* dialect.c - which dialect goes with which driver. */
#include "dialect.h"

#include <string.h>

static const aur_dialect_t *const dialects[] = {&aur_dialect_sqlite, &aur_dialect_pgsql,
                                                &aur_dialect_mysql};

const aur_dialect_t *aur_dialect_get(const char *driver)
{
    apr_size_t i;

    if (!driver) {
        return NULL;
    }
    for (i = 0; i < sizeof(dialects) / sizeof(dialects[0]); i++) {
        if (!strcmp(dialects[i]->driver, driver)) {
            return dialects[i];
        }
    }
    return &aur_dialect_ansi;
}

void aur_sql_quoted(aur_sql_buf_t *q, const char *name, const char *special)
{
    apr_size_t plain;

    aur_sql_text_n(q, special, 1);
    for (;;) {
        plain = strcspn(name, special);
        aur_sql_text_n(q, name, plain);
        name += plain;
        if (!*name) {
            break;
        }
        aur_sql_text_n(q, name, 1);
        aur_sql_text_n(q, name, 1);
        name++;
    }
    aur_sql_text_n(q, special, 1);
}
