/* catalog.c - looking things up in a snapshot (aurora/catalog.h). */
#include "aurora/catalog.h"

#include <string.h>

#include "catalog_parts.h"

int aur_catalog_count(const aur_catalog_t *catalog)
{
    return catalog->view ? aur_view_count(catalog) : catalog->count;
}

const aur_dataset_t *aur_catalog_get(const aur_catalog_t *catalog, int index)
{
    return catalog->view ? aur_view_get(catalog, index) : catalog->datasets[index];
}

const aur_dataset_t *aur_catalog_find(const aur_catalog_t *catalog, const char *name,
                                      apr_pool_t *scratch)
{
    int found;

    if (catalog->view) {
        return aur_view_find(catalog, name, scratch);
    }
    found = aur_names_find(catalog->index, name, strlen(name), scratch);
    return found >= 0 ? catalog->datasets[found] : NULL;
}

static int is_seen(const void *ctx, int column)
{
    const aur_dataset_t *dataset = ctx;

    return dataset->place[column] < dataset->ncolumns;
}

int aur_dataset_column(const aur_dataset_t *dataset, const char *name, apr_size_t len,
                       apr_pool_t *scratch)
{
    int found = aur_names_find_among(dataset->index, name, len, dataset->place ? is_seen : NULL,
                                     dataset, scratch);

    if (found < 0) {
        return -1;
    }
    return dataset->place ? dataset->place[found] : found;
}
