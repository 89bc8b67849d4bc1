/* catalog.c - looking things up in a snapshot (aurora/catalog.h). */
#include "aurora/catalog.h"

#include <string.h>

#include "catalog_parts.h"

int aur_catalog_count(const aur_catalog_t *catalog)
{
    return catalog->count;
}

const aur_dataset_t *aur_catalog_get(const aur_catalog_t *catalog, int index)
{
    return catalog->datasets[index];
}

const aur_dataset_t *aur_catalog_find(const aur_catalog_t *catalog, const char *name,
                                      apr_pool_t *scratch)
{
    int found = aur_names_find(catalog->index, name, strlen(name), scratch);

    return found >= 0 ? catalog->datasets[found] : NULL;
}

int aur_dataset_column(const aur_dataset_t *dataset, const char *name, apr_size_t len,
                       apr_pool_t *scratch)
{
    int found = aur_names_find(dataset->index, name, len, scratch);

    return found >= 0 ? found : -1;
}
