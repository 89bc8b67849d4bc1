/* catalog_file.c - any text as a catalogue file, laid over a fixed set of tables. A snapshot is in order, finds
 * each of its datasets and columns by name, and shows no table that the file claims under another name. */
#include <stdlib.h>
#include <string.h>

#include "aurora/catalog.h"
#include "lib/fixture.h"
#include "lib/fuzz.h"
#include "lib/utf8_rules.h"

static void check_column(const aur_dataset_t *d, int index, apr_pool_t *p)
{
    const aur_column_t *c = &d->columns[index];

    FUZZ_CHECK(fixture_has_name(c->name), "%s is no column of the database", c->name);
    FUZZ_CHECK(c->display_name && *c->display_name &&
                   utf8_whole(c->display_name, strlen(c->display_name)),
               "no display name");
    FUZZ_CHECK(aur_dataset_column(d, c->name, strlen(c->name), p) ==
                   (index < d->ncolumns ? index : -1),
               "column %s is not found, or is although it is hidden", c->name);
}

static void check_dataset(const aur_catalog_t *catalog, const aur_dataset_t *d, apr_pool_t *p)
{
    int all = d->ncolumns + d->nhidden, i;

    FUZZ_CHECK(d->name && *d->name && d->display_name && *d->display_name, "no name");
    FUZZ_CHECK(fixture_has_name(d->table) && (!d->schema || fixture_has_name(d->schema)),
               "%s is no table of the database", d->table);
    FUZZ_CHECK(aur_catalog_find(catalog, d->name, p) == d, "%s is not found", d->name);
    FUZZ_CHECK(d->ncolumns > 0 && d->nhidden >= 0, "no columns");
    for (i = 0; i < all; i++) {
        check_column(d, i, p);
    }
    for (i = 0; i < d->nsorting; i++) {
        FUZZ_CHECK(d->sorting[i].column >= 0 && d->sorting[i].column < all, "sorted by nothing");
    }
    if (d->partition) {
        const aur_partition_t *part = d->partition;
        FUZZ_CHECK(part->load_type_column < all && part->load_id_column < all &&
                       part->date_column < all,
                   "a partition by nothing");
        FUZZ_CHECK(part->load_type_column >= 0 || part->load_id_column >= 0 ||
                       part->date_column >= 0,
                   "a partition without a column");
        for (i = 0; i < part->nsupported; i++) {
            FUZZ_CHECK(*part->supported_types[i], "an empty type");
        }
    }
}

static void check_catalog(const aur_catalog_t *catalog, apr_pool_t *p)
{
    int i, n = aur_catalog_count(catalog);

    for (i = 0; i < n; i++) {
        const aur_dataset_t *d = aur_catalog_get(catalog, i);
        check_dataset(catalog, d, p);
        FUZZ_CHECK(i == 0 || strcmp(aur_catalog_get(catalog, i - 1)->name, d->name) < 0,
                   "%s is out of order", d->name);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_in_t in = {data, size};
    apr_pool_t *p = fuzz_pool();
    char *text = malloc(size ? size : 1);
    aur_catalog_file_t *file = NULL;
    const char *const *warnings = NULL;
    aur_error_t err;
    apr_status_t rv;

    if (size > 0) {
        memcpy(text, data, size);
    }
    aur_error_clear(&err);
    rv = aur_catalog_file_parse(&file, text, size, &err, p);
    free(text); /* the file points into its pool alone */
    if (rv != APR_SUCCESS) {
        fuzz_text_t whole = fuzz_rest(&in, p);
        fuzz_check_error(&err, whole.s, whole.len);
    }
    else {
        check_catalog(aur_catalog_build(fixture_tables(p), file, &warnings), p);
        for (; warnings && *warnings; warnings++) {
            FUZZ_CHECK(**warnings && utf8_whole(*warnings, strlen(*warnings)), "%s", *warnings);
        }
    }
    apr_pool_destroy(p);
    return 0;
}
