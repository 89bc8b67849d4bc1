/* query_partitions.c - what partition_filters and partition_load_type restrict, and the partition
 * that a dataset has by default (query_planner.h). */
#include <apr_strings.h>
#include <apr_tables.h>
#include <string.h>

#include "aurora/json_in.h"
#include "aurora/text.h"
#include "query_planner.h"
#include "query_value.h"

#define LOAD_TYPE_POINTER "/partition_load_type"

/* The restrictions of each table while they are being collected. */
typedef apr_array_header_t *parts_t; /* aur_plan_expr_t * */

/* --- values of the load id ------------------------------------------------------------------- */

static apr_status_t load_ids_add(aur_planner_t *pl, parts_t part, int table,
                                 const aur_query_partition_t *f, const char *pointer)
{
    const aur_dataset_t *dataset = pl->tables[table].dataset;
    aur_column_ref_t ref = {table, dataset->partition->load_id_column};
    const aur_column_t *column = &dataset->columns[ref.column];
    aur_value_for_t want = {column->type, 0, column->name, pointer, column->timed};
    aur_plan_expr_t *e = aur_planner_rule(pl, ref, column->type, AUR_OP_IN);
    aur_cell_t *cells = aur_planner_values(pl, f->nvalues, pointer);
    apr_status_t rv = cells ? APR_SUCCESS : APR_EGENERAL;
    int i;

    for (i = 0; i < f->nvalues && rv == APR_SUCCESS; i++) {
        rv = aur_value_read(&cells[i], &want, &f->values[i], i, pl->err, pl->p);
    }
    e->nvalues = f->nvalues;
    e->values = cells;
    APR_ARRAY_PUSH(part, aur_plan_expr_t *) = e;
    return rv;
}

static apr_status_t filter_add(aur_planner_t *pl, parts_t *parts, const aur_query_partition_t *f)
{
    const char *pointer = aur_json_pointer(
        AUR_AT_MEMBER(AUR_AT_MEMBER(NULL, "partition_filters"), f->dataset), pl->p);
    const aur_dataset_t *dataset;
    apr_size_t len;
    const char *folded = aur_casefold(f->dataset, strlen(f->dataset), &len, pl->scratch);
    int found = aur_planner_table_find(pl, folded, len), i;
    apr_status_t rv = APR_SUCCESS;

    if (found < 0) {
        return aur_error_set(pl->err, AUR_E_BAD_REQUEST, pointer,
                             "%s is not the name of one dataset of this request.",
                             aur_name_shown(f->dataset, pl->p));
    }
    dataset = pl->tables[found].dataset;
    if (!dataset->partition || dataset->partition->load_id_column < 0) {
        return aur_error_set(pl->err, AUR_E_BAD_REQUEST, pointer,
                             "%s has no partition to filter by.",
                             aur_name_shown(dataset->name, pl->p));
    }
    for (i = 0; i < pl->plan->ntables && rv == APR_SUCCESS; i++) {
        if (pl->tables[i].dataset == dataset && !pl->valueless) {
            rv = load_ids_add(pl, parts[i], i, f, pointer);
        }
    }
    return rv;
}

/* --- the load type --------------------------------------------------------------------------- */

static int supported(const aur_planner_t *pl, const aur_partition_t *part, const char *load_type)
{
    const char *wanted = aur_casefold(load_type, strlen(load_type), NULL, pl->scratch);
    int i;

    for (i = 0; i < part->nsupported; i++) {
        const char *t = part->supported_types[i];
        if (!strcmp(aur_casefold(t, strlen(t), NULL, pl->scratch), wanted)) {
            return 1;
        }
    }
    return !part->nsupported;
}

static apr_status_t load_type_add(aur_planner_t *pl, parts_t part, int table)
{
    const aur_dataset_t *dataset = pl->tables[table].dataset;
    const char *load_type = pl->query->load_type;
    aur_column_ref_t ref = {table, dataset->partition->load_type_column};
    const aur_column_t *column = &dataset->columns[ref.column];
    int fold = column->type == AUR_T_TEXT;
    aur_value_for_t want = {column->type, fold, column->name, LOAD_TYPE_POINTER, 0};
    aur_scalar_t value = {AUR_J_STRING, 0, 0, load_type, strlen(load_type)};
    aur_plan_expr_t *e = aur_planner_rule(pl, ref, column->type, AUR_OP_EQ);
    aur_cell_t *cell = aur_planner_values(pl, 1, LOAD_TYPE_POINTER);

    if (!cell) {
        return APR_EGENERAL;
    }
    if (!supported(pl, dataset->partition, load_type)) {
        aur_error_set(pl->err, AUR_E_BAD_VALUE, LOAD_TYPE_POINTER, "%s has no load type %s.",
                      aur_name_shown(dataset->name, pl->p), aur_name_shown(load_type, pl->p));
        aur_error_column(pl->err, column->name);
        return APR_EGENERAL;
    }
    e->ignore_case = fold;
    e->nvalues = 1;
    e->values = cell;
    APR_ARRAY_PUSH(part, aur_plan_expr_t *) = e;
    return aur_value_read(cell, &want, &value, -1, pl->err, pl->p);
}

static apr_status_t load_types_add(aur_planner_t *pl, parts_t *parts)
{
    apr_status_t rv = APR_SUCCESS;
    int used = 0, i;

    for (i = 0; i < pl->plan->ntables && rv == APR_SUCCESS; i++) {
        const aur_partition_t *part = pl->tables[i].dataset->partition;
        if (part && part->load_type_column >= 0) {
            used = 1;
            rv = pl->valueless ? APR_SUCCESS : load_type_add(pl, parts[i], i);
        }
    }
    if (rv == APR_SUCCESS && !used) {
        return aur_error_set(pl->err, AUR_E_BAD_REQUEST, LOAD_TYPE_POINTER,
                             "No dataset of this request has load types.");
    }
    return rv;
}

/* --- the default ----------------------------------------------------------------------------- */

/* What the newest partition is told by: its date first, where there is one. */
static int newest_columns(int *columns, const aur_partition_t *part)
{
    int n = 0;

    if (part->date_column >= 0) {
        columns[n++] = part->date_column;
    }
    if (part->load_id_column >= 0) {
        columns[n++] = part->load_id_column;
    }
    return n;
}

static int filters_on(const aur_plan_expr_t *e, aur_column_ref_t ref)
{
    int i;

    if (!e) {
        return 0;
    }
    for (i = 0; e->is_group && i < e->nchildren; i++) {
        if (filters_on(e->children[i], ref)) {
            return 1;
        }
    }
    return !e->is_group && e->aggregation < 0 && e->column.table == ref.table &&
           e->column.column == ref.column;
}

/* Has the request chosen partitions of this use of a dataset by itself? */
static int chosen(const aur_planner_t *pl, int table, const int *columns, int n, int filtered)
{
    int i;

    for (i = 0; i < n && !filtered; i++) {
        aur_column_ref_t ref = {table, columns[i]};
        filtered = filters_on(pl->plan->where, ref);
    }
    return filtered;
}

static int values_of(const aur_plan_expr_t *e)
{
    int n = 0, i;

    if (!e) {
        return 0;
    }
    for (i = 0; e->is_group && i < e->nchildren; i++) {
        n += values_of(e->children[i]);
    }
    return e->is_group ? n : e->nvalues;
}

/* The restriction stands in every subquery again (sql_joins.c): one for a single column, three for
 * two; each copy binds its values once more. Those of a row filter are not the request's, here neither. */
static apr_status_t newest_set(aur_planner_t *pl, int index, const int *columns, int n)
{
    aur_plan_table_t *table = &pl->tables[index];
    int copies = n == 1 ? 1 : 3;
    int values = values_of(table->restriction) - values_of(pl->rights[index]);

    memcpy(table->newest, columns, sizeof(table->newest));
    table->nnewest = n;
    return aur_planner_values(pl, copies * values, "/partition_filters") ? APR_SUCCESS
                                                                         : APR_EGENERAL;
}

static apr_status_t defaults_set(aur_planner_t *pl, const int *filtered)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; i < pl->plan->ntables && rv == APR_SUCCESS; i++) {
        const aur_partition_t *part = pl->tables[i].dataset->partition_whole;
        int columns[AUR_NEWEST_MAX] = {-1, -1};
        int n = part && part->default_latest ? newest_columns(columns, part) : 0;

        if (n && !chosen(pl, i, columns, n, filtered[i])) {
            rv = newest_set(pl, i, columns, n);
            pl->plan->rows_hidden |= aur_dataset_newest_unknown(pl->tables[i].dataset);
        }
    }
    return rv;
}

/* --- the whole ------------------------------------------------------------------------------- */

apr_status_t aur_planner_partitions(aur_planner_t *pl)
{
    const aur_query_t *q = pl->query;
    int n = pl->plan->ntables, i;
    parts_t *parts = apr_pcalloc(pl->scratch, (apr_size_t)n * sizeof(*parts));
    int *filtered =
        apr_pcalloc(pl->scratch, (apr_size_t)n * sizeof(*filtered)); /* by the request */
    apr_status_t rv = APR_SUCCESS;

    for (i = 0; i < n; i++) {
        parts[i] = apr_array_make(pl->scratch, 2, sizeof(aur_plan_expr_t *));
    }
    for (i = 0; i < q->npartitions && rv == APR_SUCCESS; i++) {
        rv = filter_add(pl, parts, &q->partitions[i]);
    }
    for (i = 0; i < n; i++) {
        filtered[i] = parts[i]->nelts > 0;
    }
    if (rv == APR_SUCCESS && q->load_type) {
        rv = load_types_add(pl, parts);
    }
    for (i = 0; i < n; i++) {
        if (pl->rights[i]) {
            APR_ARRAY_PUSH(parts[i], aur_plan_expr_t *) = pl->rights[i];
        }
        pl->tables[i].restriction = aur_planner_group(pl, parts[i], 0);
    }
    return rv == APR_SUCCESS && !q->every_partition ? defaults_set(pl, filtered) : rv;
}
