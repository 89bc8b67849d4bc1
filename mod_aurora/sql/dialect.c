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
