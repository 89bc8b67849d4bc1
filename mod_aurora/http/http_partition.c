/* http_partition.c - the partitions a dataset has right now, by small grouped queries over the columns
 * that the catalogue file names. They are built and checked as any request of a client is. */
#include "http/http_private.h"

#include <apr_strings.h>

#include "aurora/json_out.h"
#include "aurora/number.h"
#include "aurora/query.h"

#define VALUES_MAX 1000 /* the newest are kept */

static void column_name(aur_sink_t *sink, const aur_dataset_t *dataset, int column)
{
    aur_json_cstring(sink, column < 0 ? NULL : dataset->columns[column].name);
}

static apr_status_t open_query(aur_request_t *x, const aur_catalog_t *catalog,
                               const aur_query_t *query, aur_cursor_t **cursor)
{
    aur_plan_t *plan;
    apr_status_t rv = aur_query_plan(&plan, query, catalog, &x->err, x->r->pool);
    if (rv == APR_SUCCESS && !x->conn) {
        rv = aur_run_borrow(x, AUR_USE_PREVIEW);
    }
    return rv == APR_SUCCESS ? aur_run_open(x, plan, AUR_SQL_PAGE, cursor) : rv;
}

/* Distinct values of one or two columns; the last one descending. */
static apr_status_t open_values(aur_request_t *x, const aur_catalog_t *catalog,
                                const aur_dataset_t *dataset, int ncolumns, const int *columns,
                                aur_cursor_t **cursor)
{
    const char *names[2];
    aur_query_sort_t sorting[2] = {{0}};
    aur_query_t query = {.dataset = dataset->name,
                         .ncolumns = ncolumns,
                         .columns = names,
                         .ngroup_by = ncolumns,
                         .group_by = names,
                         .nsorting = ncolumns,
                         .sorting = sorting,
                         .limit = VALUES_MAX};
    int i;
    for (i = 0; i < ncolumns; i++) {
        names[i] = dataset->columns[columns[i]].name;
        sorting[i].column = names[i];
        sorting[i].descending = i == ncolumns - 1;
        sorting[i].nulls = AUR_NULLS_LAST;
    }
    return open_query(x, catalog, &query, cursor);
}

/* --- available_values ----------------------------------------------------------------------------- */

static apr_status_t write_values(aur_request_t *x, const aur_catalog_t *catalog,
                                 const aur_dataset_t *dataset)
{
    const aur_cell_t *cells;
    aur_cursor_t *cursor;
    int n = 0;
    apr_status_t rv =
        open_values(x, catalog, dataset, 1, &dataset->partition->load_id_column, &cursor);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    aur_json_lit(x->sink, "[");
    while ((rv = aur_cursor_next(&cells, cursor, &x->err)) == APR_SUCCESS) {
        if (cells[0].kind == AUR_V_NULL) {
            continue;
        }
        if (n++) {
            aur_json_lit(x->sink, ",");
        }
        aur_json_cell(x->sink, &cells[0]);
    }
    aur_json_lit(x->sink, "]");
    aur_cursor_close(cursor);
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

/* --- available_values_map --------------------------------------------------------------------------- */

/* A load type as a member's name. buf holds numbers. @return NULL for what cannot be one */
static const char *key_of(const aur_cell_t *cell, char *buf, apr_size_t *len)
{
    switch (cell->kind) {
    case AUR_V_NULL:
    case AUR_V_BINARY:
        return NULL;
    case AUR_V_INT:
    case AUR_V_BOOL:
        *len = aur_int_write(buf, cell->v.i);
        return buf;
    case AUR_V_DOUBLE:
        *len = aur_double_write(buf, cell->v.d);
        return buf;
    default:
        *len = cell->len;
        return cell->v.s;
    }
}

/* Rows come sorted by type, so that each type's list is written in one go. */
static apr_status_t write_map(aur_request_t *x, const aur_catalog_t *catalog,
                              const aur_dataset_t *dataset)
{
    const aur_partition_t *partition = dataset->partition;
    int columns[2] = {partition->load_type_column, partition->load_id_column};
    const aur_cell_t *cells;
    aur_cursor_t *cursor;
    const char *last = NULL, *key;
    apr_size_t len, last_len = 0;
    char buf[AUR_DOUBLE_TEXT_MAX];
    apr_status_t rv = open_values(x, catalog, dataset, 2, columns, &cursor);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    aur_json_lit(x->sink, "{");
    while ((rv = aur_cursor_next(&cells, cursor, &x->err)) == APR_SUCCESS) {
        key = key_of(&cells[0], buf, &len);
        if (!key || cells[1].kind == AUR_V_NULL) {
            continue;
        }
        if (!last || len != last_len || memcmp(key, last, len)) {
            if (last) {
                aur_json_lit(x->sink, "],");
            }
            last = apr_pstrmemdup(x->r->pool, key, len); /* once a type: at most VALUES_MAX */
            last_len = len;
            aur_json_string(x->sink, key, len);
            aur_json_lit(x->sink, ":[");
        }
        else {
            aur_json_lit(x->sink, ",");
        }
        aur_json_cell(x->sink, &cells[1]);
    }
    if (last) {
        aur_json_lit(x->sink, "]");
    }
    aur_json_lit(x->sink, "}");
    aur_cursor_close(cursor);
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

/* --- min_value, max_value ------------------------------------------------------------------------- */

static void write_range(aur_sink_t *sink, const aur_cell_t *cells)
{
    static const aur_cell_t none[2] = {{.kind = AUR_V_NULL}, {.kind = AUR_V_NULL}};
    cells = cells ? cells : none;
    aur_json_lit(sink, ",\"min_value\":");
    aur_json_cell(sink, &cells[0]);
    aur_json_lit(sink, ",\"max_value\":");
    aur_json_cell(sink, &cells[1]);
}

/* Of the date column; of the load ids where there is none. */
static apr_status_t write_bounds(aur_request_t *x, const aur_catalog_t *catalog,
                                 const aur_dataset_t *dataset)
{
    const aur_partition_t *partition = dataset->partition;
    int column = partition->date_column >= 0 ? partition->date_column : partition->load_id_column;
    const char *name = column < 0 ? NULL : dataset->columns[column].name;
    const char *const names[] = {"min_value", "max_value"};
    const aur_query_agg_t both[] = {{name, AUR_AGG_MIN, names[0]}, {name, AUR_AGG_MAX, names[1]}};
    aur_query_t query = {.dataset = dataset->name,
                         .ncolumns = 2,
                         .columns = names,
                         .naggregations = 2,
                         .aggregations = both,
                         .limit = 1};
    const aur_cell_t *cells;
    aur_cursor_t *cursor;
    apr_status_t rv;

    if (!name) {
        write_range(x->sink, NULL);
        return APR_SUCCESS;
    }
    rv = open_query(x, catalog, &query, &cursor);
    if (rv == APR_SUCCESS) {
        rv = aur_cursor_next(&cells, cursor, &x->err);
        if (rv == APR_SUCCESS || rv == APR_EOF) {
            write_range(x->sink, rv == APR_SUCCESS ? cells : NULL);
            rv = APR_SUCCESS;
        }
        aur_cursor_close(cursor);
    }
    return rv;
}

/* --- partition_info ------------------------------------------------------------------------------- */

static void write_configured(aur_sink_t *sink, const aur_dataset_t *dataset)
{
    const aur_partition_t *partition = dataset->partition;
    int i;
    aur_json_lit(sink, "{\"load_type_column\":");
    column_name(sink, dataset, partition->load_type_column);
    aur_json_lit(sink, ",\"load_id_column\":");
    column_name(sink, dataset, partition->load_id_column);
    aur_json_lit(sink, ",\"date_column\":");
    column_name(sink, dataset, partition->date_column);
    aur_json_lit(sink, ",\"supported_types\":");
    if (!partition->nsupported) {
        aur_json_lit(sink, "null");
        return;
    }
    for (i = 0; i < partition->nsupported; i++) {
        aur_sink_byte(sink, i ? ',' : '[');
        aur_json_cstring(sink, partition->supported_types[i]);
    }
    aur_json_lit(sink, "]");
}

apr_status_t aur_partition_write(aur_request_t *x, const aur_catalog_t *catalog,
                                 const aur_dataset_t *dataset)
{
    const aur_partition_t *partition = dataset->partition;
    apr_status_t rv = APR_SUCCESS;

    if (!partition) {
        aur_json_lit(x->sink, "null");
        return APR_SUCCESS;
    }
    write_configured(x->sink, dataset);
    aur_json_lit(x->sink, ",\"available_values\":");
    if (partition->load_id_column >= 0) {
        rv = write_values(x, catalog, dataset);
    }
    else {
        aur_json_lit(x->sink, "null");
    }
    aur_json_lit(x->sink, ",\"available_values_map\":");
    if (rv == APR_SUCCESS && partition->load_id_column >= 0 && partition->load_type_column >= 0) {
        rv = write_map(x, catalog, dataset);
    }
    else {
        aur_json_lit(x->sink, "null");
    }
    if (rv == APR_SUCCESS) {
        rv = write_bounds(x, catalog, dataset);
    }
    aur_json_lit(x->sink, "}");
    return rv;
}
