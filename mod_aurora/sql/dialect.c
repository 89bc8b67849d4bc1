/* dialect.c - which dialect goes with which driver. */
#include "dialect.h"

#include <string.h>

static const aur_dialect_t *const dialects[] = {&aur_dialect_sqlite, &aur_dialect_pgsql,
                                                &aur_dialect_mysql, &aur_dialect_oracle};

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

const aur_dialect_t *aur_dialect_oracle_for(const int version[3])
{
    int old = version[0] > 0 && (version[0] < 12 || (version[0] == 12 && version[1] < 1));

    return old ? &aur_dialect_oracle_old : &aur_dialect_oracle;
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
