/* http_catalog.c - what there is: datasets and their columns. */
#include "http/http_private.h"

#include "aurora/json_out.h"

static void write_dataset(aur_sink_t *sink, const aur_dataset_t *dataset)
{
    aur_json_lit(sink, "{\"name\":");
    aur_json_cstring(sink, dataset->name);
    aur_json_lit(sink, ",\"display_name\":");
    aur_json_cstring(sink, dataset->display_name);
    aur_json_lit(sink, ",\"type\":");
    aur_json_cstring(sink, dataset->is_view ? "VIEW" : "TABLE");
    aur_json_lit(sink, ",\"row_count\":");
    /* The database's figure counts the rows that this caller may not see. */
    if (dataset->row_estimate >= 0 && !dataset->restricted &&
        !aur_dataset_newest_unknown(dataset)) {
        aur_json_int(sink, dataset->row_estimate);
    }
    else {
        aur_json_lit(sink, "null");
    }
    aur_json_lit(sink, ",\"column_count\":");
    aur_json_int(sink, dataset->ncolumns);
    aur_json_lit(sink, "}");
}

int aur_http_datasets(aur_request_t *x)
{
    const aur_catalog_t *catalog;
    int i;
    if (aur_run_catalog(x, &catalog) != APR_SUCCESS) {
        return aur_answer_fail(x);
    }
    aur_answer_begin(x, "application/json", 1);
    aur_json_lit(x->sink, "{\"datasets\":[");
    for (i = 0; i < aur_catalog_count(catalog); i++) {
        if (i) {
            aur_json_lit(x->sink, ",");
        }
        write_dataset(x->sink, aur_catalog_get(catalog, i));
    }
    aur_json_lit(x->sink, "]}\n");
    return aur_answer_end(x);
}

static void write_column(aur_sink_t *sink, const aur_column_t *column)
{
    aur_json_lit(sink, "{\"name\":");
    aur_json_cstring(sink, column->name);
    aur_json_lit(sink, ",\"display_name\":");
    aur_json_cstring(sink, column->display_name);
    aur_json_lit(sink, ",\"data_type\":");
    aur_json_cstring(sink, column->data_type);
    aur_json_lit(sink, ",\"base_type\":");
    aur_json_cstring(sink, aur_type_base_name(column->type));
    aur_json_lit(sink, ",\"nullable\":");
    aur_json_bool(sink, column->nullable);
    aur_json_lit(sink, ",\"is_filterable\":");
    aur_json_bool(sink, column->comparable);
    aur_json_lit(sink, ",\"is_sortable\":");
    aur_json_bool(sink, column->comparable);
    aur_json_lit(sink, "}");
}

static apr_status_t write_columns(aur_request_t *x, const aur_catalog_t *catalog,
                                  const aur_dataset_t *dataset)
{
    apr_status_t rv;
    int i;
    aur_json_lit(x->sink, "{\"dataset_name\":");
    aur_json_cstring(x->sink, dataset->name);
    aur_json_lit(x->sink, ",\"columns\":[");
    for (i = 0; i < dataset->ncolumns; i++) {
        if (i) {
            aur_json_lit(x->sink, ",");
        }
        write_column(x->sink, &dataset->columns[i]);
    }
    aur_json_lit(x->sink, "],\"partition_info\":");
    rv = aur_partition_write(x, catalog, dataset);
    aur_json_lit(x->sink, "}\n");
    return rv;
}

int aur_http_columns(aur_request_t *x)
{
    const aur_catalog_t *catalog;
    const aur_dataset_t *dataset;

    if (aur_run_catalog(x, &catalog) != APR_SUCCESS) {
        return aur_answer_fail(x);
    }
    dataset = aur_catalog_find(catalog, x->arg, x->r->pool);
    if (!dataset) {
        aur_error_set(&x->err, AUR_E_UNKNOWN_DATASET, NULL, "There is no dataset of this name.");
        return aur_answer_fail(x);
    }
    x->dataset = dataset->name;
    aur_answer_begin(x, "application/json", 4);
    if (write_columns(x, catalog, dataset) != APR_SUCCESS) {
        return aur_answer_fail(x);
    }
    aur_run_return(x);
    return aur_answer_end(x);
}
