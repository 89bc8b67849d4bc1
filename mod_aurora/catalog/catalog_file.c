/* catalog_file.c - reading and checking the catalogue file (aurora/catalog.h). */
#include <apr_file_io.h>
#include <apr_strings.h>
#include <string.h>

#include "catalog_parts.h"

#define DEPTH_MAX  16
#define STRING_MAX 4096
#define LIST_MAX   10000

/* --- the file itself ------------------------------------------------------------------------- */

static apr_status_t unreadable(aur_error_t *err, apr_status_t rv)
{
    char reason[128];

    return aur_error_set(err, AUR_E_BAD_REQUEST, NULL, "The catalogue file cannot be read: %s.",
                         apr_strerror(rv, reason, sizeof(reason)));
}

/* The whole file in p. Only a regular file: opening anything else might wait for ever. */
static apr_status_t slurp(char **text, apr_size_t *len, const char *path, aur_error_t *err,
                          apr_pool_t *p)
{
    apr_finfo_t info;
    apr_file_t *file;
    apr_status_t rv = apr_stat(&info, path, APR_FINFO_SIZE | APR_FINFO_TYPE, p);

    if (rv != APR_SUCCESS) {
        return unreadable(err, rv);
    }
    if (info.filetype != APR_REG) {
        return aur_error_set(err, AUR_E_BAD_REQUEST, NULL, "The catalogue is not a regular file.");
    }
    if (info.size > AUR_CATALOG_FILE_MAX) {
        return aur_error_set(err, AUR_E_BAD_REQUEST, NULL,
                             "The catalogue file is larger than %d MiB.",
                             AUR_CATALOG_FILE_MAX / (1024 * 1024));
    }
    rv = apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BINARY, APR_FPROT_OS_DEFAULT, p);
    if (rv != APR_SUCCESS) {
        return unreadable(err, rv);
    }
    *text = apr_palloc(p, (apr_size_t)info.size + 1);
    rv = apr_file_read_full(file, *text, (apr_size_t)info.size, len);
    apr_file_close(file); /* nothing was written: closing cannot lose anything */
    return rv == APR_SUCCESS || APR_STATUS_IS_EOF(rv) ? APR_SUCCESS : unreadable(err, rv);
}

/* --- members --------------------------------------------------------------------------------- */

/* The name of a dataset or a column: a member of the file. */
static apr_status_t key_check(const aur_json_in_t *in, const char *name, const aur_json_at_t *at)
{
    return *name ? APR_SUCCESS : aur_json_refuse(in, at, "a name must not be empty.");
}

static apr_status_t column_read(aur_file_column_t *out, const aur_json_in_t *in, json_t *column,
                                const char *name, const aur_json_at_t *at)
{
    static const char *const known[] = {"display_name", "format", "roles", NULL};
    apr_status_t rv = key_check(in, name, at);

    if (rv == APR_SUCCESS) {
        rv = aur_json_need_object(in, column, at);
    }
    if (rv == APR_SUCCESS) {
        rv = aur_file_members_check(in, column, at, known);
    }
    if (rv == APR_SUCCESS) {
        rv = aur_json_get_name(&out->display_name, in, column, "display_name", at);
    }
    if (rv == APR_SUCCESS) {
        rv = aur_json_get_name(&out->format, in, column, "format", at);
    }
    if (rv == APR_SUCCESS) {
        rv = aur_file_roles_read(&out->roles, in, column, at);
    }
    out->name = apr_pstrdup(in->p, name);
    return rv;
}

static apr_status_t columns_read(aur_file_dataset_t *d, const aur_json_in_t *in,
                                 const json_t *dataset, const aur_json_at_t *at)
{
    const aur_json_at_t *here = AUR_AT_MEMBER(at, "columns");
    json_t *columns = aur_json_member(dataset, "columns"), *column;
    aur_file_column_t *out;
    const char *name;
    apr_status_t rv;

    if (!columns) {
        return APR_SUCCESS;
    }
    rv = aur_json_need_object(in, columns, here);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!json_object_size(columns) || json_object_size(columns) > LIST_MAX) {
        return aur_json_refuse(in, here, "name at least one column and at most %d.", LIST_MAX);
    }
    out = apr_pcalloc(in->p, json_object_size(columns) * sizeof(*out));
    d->columns = out;
    json_object_foreach(columns, name, column)
    {
        rv = column_read(&out[d->ncolumns++], in, column, name, AUR_AT_MEMBER(here, name));
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    return APR_SUCCESS;
}

static apr_status_t partition_members(aur_file_partition_t *out, const aur_json_in_t *in,
                                      const json_t *part, const aur_json_at_t *at)
{
    static const aur_word_t defaults[] = {{"latest", 1}, {NULL, 0}};
    apr_status_t rv = aur_json_get_name(&out->load_id_column, in, part, "load_id_column", at);

    if (rv == APR_SUCCESS) {
        rv = aur_json_get_name(&out->load_type_column, in, part, "load_type_column", at);
    }
    if (rv == APR_SUCCESS) {
        rv = aur_json_get_name(&out->date_column, in, part, "date_column", at);
    }
    if (rv == APR_SUCCESS) {
        rv = aur_json_get_strings(&out->supported_types, &out->nsupported, in, part,
                                  "supported_types", at, LIST_MAX);
    }
    if (rv == APR_SUCCESS) {
        rv = aur_json_get_word(&out->default_latest, in, part, "default", at, defaults);
    }
    return rv;
}

static apr_status_t partition_read(aur_file_dataset_t *d, const aur_json_in_t *in,
                                   const json_t *dataset, const aur_json_at_t *at)
{
    static const char *const known[] = {"load_id_column",  "load_type_column", "date_column",
                                        "supported_types", "default",          NULL};
    const aur_json_at_t *here = AUR_AT_MEMBER(at, "partition");
    json_t *part = aur_json_member(dataset, "partition");
    aur_file_partition_t *out;
    apr_status_t rv;

    if (!part) {
        return APR_SUCCESS;
    }
    rv = aur_json_need_object(in, part, here);
    if (rv == APR_SUCCESS) {
        rv = aur_file_members_check(in, part, here, known);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    out = apr_pcalloc(in->p, sizeof(*out));
    d->partition = out;
    rv = partition_members(out, in, part, here);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!out->load_id_column && !out->load_type_column && !out->date_column) {
        return aur_json_refuse(in, here, "a partition needs at least one column.");
    }
    if (aur_json_member(part, "supported_types") && !out->load_type_column) {
        return aur_json_refuse(in, AUR_AT_MEMBER(here, "supported_types"),
                               "supported_types needs a load_type_column.");
    }
    if (out->default_latest && !out->load_id_column && !out->date_column) {
        return aur_json_refuse(in, AUR_AT_MEMBER(here, "default"),
                               "a newest partition needs a load_id_column or a date_column.");
    }
    return APR_SUCCESS;
}

static apr_status_t sorting_read(aur_file_dataset_t *d, const aur_json_in_t *in,
                                 const json_t *dataset, const aur_json_at_t *at)
{
    static const char *const known[] = {"column", "direction", "nulls", NULL};
    const aur_json_at_t *list = AUR_AT_MEMBER(at, "sorting");
    json_t *array = NULL, *entry;
    aur_file_sort_t *out;
    apr_size_t i;
    apr_status_t rv = aur_json_get_array(&array, in, dataset, "sorting", at, LIST_MAX);

    if (rv != APR_SUCCESS || !array) {
        return rv;
    }
    out = apr_pcalloc(in->p, (json_array_size(array) + 1) * sizeof(*out));
    d->sorting = out;
    d->nsorting = (int)json_array_size(array);
    json_array_foreach(array, i, entry)
    {
        const aur_json_at_t *here = AUR_AT_ELEMENT(list, i);
        aur_json_order_t order;

        rv = aur_json_need_object(in, entry, here);
        if (rv == APR_SUCCESS) {
            rv = aur_file_members_check(in, entry, here, known);
        }
        if (rv == APR_SUCCESS) {
            rv = aur_json_need_string(&out[i].column, in, entry, "column", here);
        }
        if (rv == APR_SUCCESS) {
            rv = aur_json_get_order(&order, in, entry, here);
        }
        if (rv != APR_SUCCESS) {
            return rv;
        }
        out[i].descending = order.descending;
        out[i].nulls_first = order.nulls_first < 0 ? order.descending : order.nulls_first;
    }
    return APR_SUCCESS;
}

static apr_status_t dataset_read(aur_file_dataset_t *d, const aur_json_in_t *in, json_t *dataset,
                                 const char *name, const aur_json_at_t *at)
{
    static const char *const known[] = {"source", "display_name", "columns", "partition",
                                        "roles",  "row_filter",   "sorting", NULL};
    apr_status_t rv = key_check(in, name, at);

    if (rv == APR_SUCCESS) {
        rv = aur_json_need_object(in, dataset, at);
    }
    if (rv == APR_SUCCESS) {
        rv = aur_file_members_check(in, dataset, at, known);
    }
    d->name = apr_pstrdup(in->p, name);
    d->source = d->name;
    d->pointer = aur_json_pointer(at, in->p);
    if (rv == APR_SUCCESS) {
        rv = aur_json_get_name(&d->source, in, dataset, "source", at);
    }
    if (rv == APR_SUCCESS) {
        rv = aur_json_get_name(&d->display_name, in, dataset, "display_name", at);
    }
    if (rv == APR_SUCCESS) {
        rv = columns_read(d, in, dataset, at);
    }
    if (rv == APR_SUCCESS) {
        rv = partition_read(d, in, dataset, at);
    }
    if (rv == APR_SUCCESS) {
        rv = sorting_read(d, in, dataset, at);
    }
    if (rv == APR_SUCCESS) {
        rv = aur_file_roles_read(&d->roles, in, dataset, at);
    }
    if (rv == APR_SUCCESS) {
        rv = aur_file_row_filter_read(d, in, dataset, at);
    }
    return rv;
}

/* Those before it are in taken. */
static apr_status_t name_take(aur_names_t *taken, const aur_catalog_file_t *f,
                              const aur_json_in_t *in, const char *name, const aur_json_at_t *at)
{
    int other = aur_names_find(taken, name, strlen(name), in->p);

    if (other >= 0) {
        return aur_json_refuse(in, at, "another dataset is called %s; letter case does not count.",
                               aur_name_shown(f->datasets[other].name, in->p));
    }
    aur_names_add(taken, apr_pstrdup(in->p, name), 0, f->ndatasets);
    return APR_SUCCESS;
}

static apr_status_t root_read(aur_catalog_file_t *f, const aur_json_in_t *in, json_t *root)
{
    static const char *const known[] = {"datasets", "discover", "reports", NULL};
    const aur_json_at_t *here = AUR_AT_MEMBER(NULL, "datasets");
    aur_names_t *taken = aur_names_create(in->p);
    json_t *datasets, *dataset;
    aur_file_dataset_t *out;
    const char *name;
    apr_status_t rv = aur_json_need_object(in, root, NULL);

    if (rv == APR_SUCCESS) {
        rv = aur_file_members_check(in, root, NULL, known);
    }
    if (rv == APR_SUCCESS) {
        rv = aur_file_reports_read(f, in, root);
    }
    if (rv == APR_SUCCESS) {
        rv = aur_json_get_flag(&f->discover, in, root, "discover", NULL);
    }
    datasets = aur_json_member(root, "datasets");
    if (rv == APR_SUCCESS && datasets) {
        rv = aur_json_need_object(in, datasets, here);
    }
    if (rv != APR_SUCCESS || !datasets) {
        return rv;
    }
    out = apr_pcalloc(in->p, (json_object_size(datasets) + 1) * sizeof(*out));
    f->datasets = out;
    json_object_foreach(datasets, name, dataset)
    {
        rv = name_take(taken, f, in, name, AUR_AT_MEMBER(here, name));
        if (rv == APR_SUCCESS) {
            rv = dataset_read(&out[f->ndatasets++], in, dataset, name, AUR_AT_MEMBER(here, name));
        }
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    return APR_SUCCESS;
}

apr_status_t aur_catalog_file_parse(aur_catalog_file_t **file, const char *text, apr_size_t len,
                                    aur_error_t *err, apr_pool_t *p)
{
    aur_json_in_t in = {err, p, STRING_MAX};
    aur_catalog_file_t *f;
    json_t *root = NULL;
    apr_status_t rv = aur_json_load(&root, text, len, DEPTH_MAX, "The catalogue file", err);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    f = apr_pcalloc(p, sizeof(*f));
    f->discover = 1;
    rv = root_read(f, &in, root);
    json_decref(root);
    if (rv != APR_SUCCESS) {
        return aur_file_refused(err, p);
    }
    *file = f;
    return APR_SUCCESS;
}

apr_status_t aur_catalog_file_read(aur_catalog_file_t **file, const char *path, aur_error_t *err,
                                   apr_pool_t *p)
{
    apr_pool_t *scratch;
    apr_size_t len = 0;
    char *text = NULL;
    apr_status_t rv;

    rv = apr_pool_create(&scratch, p);
    if (rv != APR_SUCCESS) {
        return unreadable(err, rv);
    }
    rv = slurp(&text, &len, path, err, scratch);
    if (rv == APR_SUCCESS) {
        rv = aur_catalog_file_parse(file, text, len, err, p);
    }
    apr_pool_destroy(scratch);
    return rv;
}
