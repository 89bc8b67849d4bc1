/* catalog_view.c - a snapshot as one caller may see it (aurora/catalog.h). Datasets whose columns he
 * may all see are the snapshot's own; of the others he has copies, one each, so that two uses of a
 * dataset in a request are the same pointer. */
#include <apr_hash.h>
#include <apr_strings.h>
#include <string.h>

#include "catalog_parts.h"

typedef struct aur_view_t {
    const aur_viewer_t *viewer;
    apr_pool_t *p;
    apr_hash_t *copies; /* snapshot's dataset (pointer) -> aur_dataset_t; NULL before the first */
    int nlisted;        /* -1: not listed yet */
    const int *listed;  /* indices of the datasets he may see */
} view_t;

int aur_viewer_has(const aur_viewer_t *viewer, const char *const *roles)
{
    int i;

    if (!roles) {
        return 1;
    }
    for (; *roles; roles++) {
        for (i = 0; viewer->roles && i < viewer->roles->nelts; i++) {
            if (!strcmp(APR_ARRAY_IDX(viewer->roles, i, const char *), *roles)) {
                return 1;
            }
        }
    }
    return 0;
}

static int columns_seen(const aur_viewer_t *viewer, const aur_dataset_t *d)
{
    int n = 0, i;

    for (i = 0; i < d->ncolumns; i++) {
        n += aur_viewer_has(viewer, d->columns[i].roles);
    }
    return n;
}

static int is_seen(const void *ctx, int index)
{
    const aur_catalog_t *catalog = ctx;
    const aur_viewer_t *viewer = catalog->view->viewer;
    const aur_dataset_t *d = catalog->datasets[index];

    return aur_viewer_has(viewer, d->roles) && (!d->guarded || columns_seen(viewer, d) > 0);
}

/* --- copies ---------------------------------------------------------------------------------- */

/* Where each column goes: seen ones, those that roles hide, those that the file hides. */
static int *places(const aur_viewer_t *viewer, const aur_dataset_t *d, int nseen, apr_pool_t *p)
{
    int *place = apr_palloc(p, ((apr_size_t)d->ncolumns + (apr_size_t)d->nhidden) * sizeof(*place));
    int seen = 0, forbidden = nseen, i;

    for (i = 0; i < d->ncolumns; i++) {
        place[i] = aur_viewer_has(viewer, d->columns[i].roles) ? seen++ : forbidden++;
    }
    for (; i < d->ncolumns + d->nhidden; i++) {
        place[i] = i;
    }
    return place;
}

static int is_forbidden(const aur_dataset_t *d, int column)
{
    return column >= d->ncolumns && column < d->ncolumns + d->nforbidden;
}

/* The order of rows would tell of a column that may not be seen. */
static void sorting_copy(aur_dataset_t *d, const aur_dataset_t *from, apr_pool_t *p)
{
    aur_default_sort_t *sorting = apr_pcalloc(p, (apr_size_t)from->nsorting * sizeof(*sorting));
    int i;

    d->nsorting = 0;
    d->sorting = sorting;
    for (i = 0; i < from->nsorting; i++) {
        aur_default_sort_t sort = from->sorting[i];
        sort.column = d->place[sort.column];
        if (!is_forbidden(d, sort.column)) {
            sorting[d->nsorting++] = sort;
        }
    }
}

static int moved(const aur_dataset_t *d, int column)
{
    return column < 0 ? column : d->place[column];
}

static int only_seen(const aur_dataset_t *d, int column)
{
    return is_forbidden(d, column) ? -1 : column;
}

static void partition_copy(aur_dataset_t *d, const aur_dataset_t *from, apr_pool_t *p)
{
    aur_partition_t *whole, *seen;

    if (!from->partition_whole) {
        return;
    }
    whole = apr_pmemdup(p, from->partition_whole, sizeof(*whole));
    whole->load_type_column = moved(d, whole->load_type_column);
    whole->load_id_column = moved(d, whole->load_id_column);
    whole->date_column = moved(d, whole->date_column);
    d->partition_whole = whole;

    seen = apr_pmemdup(p, whole, sizeof(*seen));
    seen->load_type_column = only_seen(d, whole->load_type_column);
    seen->load_id_column = only_seen(d, whole->load_id_column);
    seen->date_column = only_seen(d, whole->date_column);
    if (seen->load_type_column < 0) {
        seen->nsupported = 0;
    }
    if (seen->load_type_column != whole->load_type_column ||
        seen->load_id_column != whole->load_id_column || seen->date_column != whole->date_column) {
        seen->default_latest = 0;
    }
    d->partition = seen->load_type_column < 0 && seen->load_id_column < 0 && seen->date_column < 0
                       ? NULL
                       : seen;
}

int aur_dataset_newest_unknown(const aur_dataset_t *dataset)
{
    const aur_partition_t *seen = dataset->partition, *whole = dataset->partition_whole;

    return whole && whole->default_latest &&
           !(seen && (seen->load_id_column >= 0 || seen->date_column >= 0));
}

static const aur_dataset_t *copy_make(const aur_viewer_t *viewer, const aur_dataset_t *from,
                                      int nseen, apr_pool_t *p)
{
    int n = from->ncolumns + from->nhidden, i;
    aur_dataset_t *d = apr_pmemdup(p, from, sizeof(*d));
    aur_column_t *columns = apr_palloc(p, (apr_size_t)n * sizeof(*columns));
    aur_filter_column_t *filter = apr_pmemdup(
        p, from->filter_columns, (apr_size_t)from->nfilter_columns * sizeof(*from->filter_columns));

    d->place = places(viewer, from, nseen, p);
    for (i = 0; i < n; i++) {
        columns[d->place[i]] = from->columns[i];
    }
    d->columns = columns;
    d->ncolumns = nseen;
    d->nforbidden = from->ncolumns - nseen;
    d->nhidden = from->nhidden + d->nforbidden;
    for (i = 0; i < from->nfilter_columns; i++) {
        filter[i].column = d->place[filter[i].column];
    }
    d->filter_columns = filter;
    sorting_copy(d, from, p);
    partition_copy(d, from, p);
    return d;
}

static const aur_dataset_t *shown(view_t *view, const aur_dataset_t *from)
{
    const aur_dataset_t *copy;
    int nseen;

    if (!from->guarded || (nseen = columns_seen(view->viewer, from)) == from->ncolumns) {
        return from;
    }
    if (!view->copies) {
        view->copies = apr_hash_make(view->p);
    }
    copy = apr_hash_get(view->copies, &from, sizeof(from));
    if (!copy) {
        copy = copy_make(view->viewer, from, nseen, view->p);
        apr_hash_set(view->copies, apr_pmemdup(view->p, &from, sizeof(from)), sizeof(from), copy);
    }
    return copy;
}

/* --- the view -------------------------------------------------------------------------------- */

const aur_catalog_t *aur_catalog_view(const aur_catalog_t *snapshot, const aur_viewer_t *viewer,
                                      apr_pool_t *p)
{
    aur_catalog_t *c = apr_pmemdup(p, snapshot, sizeof(*c));

    c->view = apr_pcalloc(p, sizeof(*c->view));
    c->view->viewer = viewer;
    c->view->p = p;
    c->view->nlisted = -1;
    return c;
}

const aur_viewer_t *aur_catalog_viewer(const aur_catalog_t *catalog)
{
    return catalog->view ? catalog->view->viewer : NULL;
}

int aur_view_count(const aur_catalog_t *catalog)
{
    view_t *view = catalog->view;
    int *listed, i;

    if (view->nlisted < 0) {
        listed = apr_palloc(view->p, ((apr_size_t)catalog->count + 1) * sizeof(*listed));
        view->nlisted = 0;
        for (i = 0; i < catalog->count; i++) {
            if (is_seen(catalog, i)) {
                listed[view->nlisted++] = i;
            }
        }
        view->listed = listed;
    }
    return view->nlisted;
}

const aur_dataset_t *aur_view_get(const aur_catalog_t *catalog, int index)
{
    (void)aur_view_count(catalog);
    return shown(catalog->view, catalog->datasets[catalog->view->listed[index]]);
}

const aur_dataset_t *aur_view_find(const aur_catalog_t *catalog, const char *name,
                                   apr_pool_t *scratch)
{
    int found = aur_names_find_among(catalog->index, name, strlen(name), is_seen, catalog, scratch);

    return found >= 0 ? shown(catalog->view, catalog->datasets[found]) : NULL;
}
