/* dialect.c - which dialect goes with which driver, and what several of them say alike. */
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

int aur_dialect_can_all(aur_sql_feature_e feature)
{
    return 1;
}

void aur_dialect_nulls_last(aur_sql_buf_t *q, int descending, int nulls_first)
{
    if (descending) {
        aur_sql_text(q, " DESC");
    }
    if (!descending && nulls_first) {
        aur_sql_text(q, " NULLS FIRST");
    }
    else if (descending && !nulls_first) {
        aur_sql_text(q, " NULLS LAST");
    }
}

void aur_dialect_page_fetch(aur_sql_buf_t *q, apr_int64_t limit, apr_int64_t offset)
{
    if (offset > 0) {
        aur_sql_text(q, " OFFSET ");
        aur_sql_digits(q, offset);
        aur_sql_text(q, " ROWS");
    }
    if (limit >= 0) {
        aur_sql_text(q, " FETCH FIRST ");
        aur_sql_digits(q, limit);
        aur_sql_text(q, " ROWS ONLY");
    }
}
