/* http_partition.c - the partitions a dataset has right now. What they restrict and how many there are is
 * asked under the rules of any request: of the rows the caller may see, through the pool, under the
 * query timeout. Load ids and load types come from one grouped query, so one pass over the table; the
 * first and last date from another, which an index answers. */
#include "http/http_private.h"

#include <apr_hash.h>
#include <apr_strings.h>

#include "aurora/json_out.h"
#include "aurora/number.h"
#include "aurora/query.h"
#include "aurora/text.h"

#define GROUPS_MAX 1000 /* of load id and load type; those with the newest ids are kept */

/* One load id as it occurs with one load type. */
typedef struct group_t {
    aur_cell_t id;
    const char *type; /* as a member's name; NULL: none, or one that cannot be a name */
    apr_size_t type_len;
} group_t;

/* By descending load id. */
typedef struct groups_t {
    group_t *list;
    int n;
    int cut; /* there are more */
} groups_t;

static void column_name(aur_sink_t *sink, const aur_dataset_t *dataset, int column)
{
    aur_json_cstring(sink, column < 0 ? NULL : dataset->columns[column].name);
}

/* --- queries -------------------------------------------------------------------------------------- */

/* A plan over every partition that the caller may see, still without outputs of its own: the columns it
 * will get are the catalogue's, and a request might not be able to name them. */
static apr_status_t plan_open(aur_plan_t **plan, aur_request_t *x, const aur_catalog_t *catalog,
                              const aur_dataset_t *dataset, apr_int64_t limit)
{
    aur_query_t query = {
        .dataset = dataset->name, .all_columns = 1, .limit = limit, .every_partition = 1};
    apr_status_t rv = aur_query_plan(plan, &query, catalog, &x->err, x->r->pool);

    if (rv == APR_SUCCESS) {
        (*plan)->noutputs = 0;
        (*plan)->nsorting = 0;
        (*plan)->grouped = 1;
    }
    return rv;
}

static apr_status_t rows_open(aur_cursor_t **cursor, aur_request_t *x, const aur_plan_t *plan)
{
    apr_status_t rv = x->conn ? APR_SUCCESS : aur_run_borrow(x, AUR_USE_PREVIEW);

    return rv == APR_SUCCESS ? aur_run_open(x, plan, AUR_SQL_PAGE, cursor) : rv;
}

static aur_result_column_t result_column(const aur_dataset_t *dataset, int column)
{
    const aur_column_t *c = &dataset->columns[column];

    return (aur_result_column_t){.name = c->name, .display = c->name, .type = c->type};
}

/* --- load ids and types ----------------------------------------------------------------------------- */

/* The load id, and the load type where there is one, grouped; the newest ids first. */
static apr_status_t groups_open(aur_cursor_t **cursor, aur_request_t *x,
                                const aur_catalog_t *catalog, const aur_dataset_t *dataset)
{
    const aur_partition_t *part = dataset->partition;
    const int columns[] = {part->load_id_column, part->load_type_column};
    int n = part->load_type_column >= 0 ? 2 : 1, i;
    aur_result_column_t result[2];
    aur_plan_output_t outputs[2];
    aur_column_ref_t refs[2];
    aur_plan_sort_t sorting[2];
    aur_plan_t *plan;
    apr_status_t rv = plan_open(&plan, x, catalog, dataset, GROUPS_MAX + 1);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    for (i = 0; i < n; i++) {
        refs[i] = (aur_column_ref_t){0, columns[i]};
        outputs[i] = (aur_plan_output_t){-1, refs[i]};
        sorting[i] = (aur_plan_sort_t){-1, refs[i], i == 0, 0};
        result[i] = result_column(dataset, columns[i]);
    }
    plan->noutputs = plan->ngroup_by = plan->nsorting = n;
    plan->outputs = apr_pmemdup(x->r->pool, outputs, sizeof(outputs));
    plan->columns = apr_pmemdup(x->r->pool, result, sizeof(result));
    plan->group_by = apr_pmemdup(x->r->pool, refs, sizeof(refs));
    plan->sorting = apr_pmemdup(x->r->pool, sorting, sizeof(sorting));
    return rows_open(cursor, x, plan);
}

/* A load type as a member's name, from p. @return NULL for what cannot be one */
static const char *key_of(const aur_cell_t *cell, apr_size_t *len, apr_pool_t *p)
{
    char buf[AUR_DOUBLE_TEXT_MAX];
    const char *key = buf;

    switch (cell->kind) {
    case AUR_V_NULL:
    case AUR_V_BINARY:
    case AUR_V_PIECES:
        return NULL;
    case AUR_V_INT:
    case AUR_V_BOOL:
        *len = aur_int_write(buf, cell->v.i);
        break;
    case AUR_V_DOUBLE:
        *len = aur_double_write(buf, cell->v.d);
        break;
    default:
        *len = cell->len;
        key = cell->v.s;
        break;
    }
    return apr_pstrmemdup(p, key, *len);
}

static aur_cell_t cell_keep(const aur_cell_t *cell, apr_pool_t *p)
{
    aur_cell_t kept = *cell;

    if (cell->kind != AUR_V_INT && cell->kind != AUR_V_DOUBLE && cell->kind != AUR_V_BOOL) {
        kept.v.s = apr_pmemdup(p, cell->v.s, cell->len);
    }
    return kept;
}

/* Every group into memory: no more of them than GROUPS_MAX, from the pool given. */
static apr_status_t groups_read(groups_t *groups, aur_request_t *x, const aur_catalog_t *catalog,
                                const aur_dataset_t *dataset, apr_pool_t *p)
{
    int typed = dataset->partition->load_type_column >= 0;
    const aur_cell_t *cells;
    aur_cursor_t *cursor;
    apr_status_t rv = groups_open(&cursor, x, catalog, dataset);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    groups->list = apr_pcalloc(p, GROUPS_MAX * sizeof(*groups->list));
    while ((rv = aur_cursor_next(&cells, cursor, &x->err)) == APR_SUCCESS) {
        group_t *group = &groups->list[groups->n];
        if (cells[0].kind == AUR_V_NULL || cells[0].kind == AUR_V_PIECES) {
            continue;
        }
        if (groups->n == GROUPS_MAX) {
            groups->cut = 1;
            continue;
        }
        group->id = cell_keep(&cells[0], p);
        group->type = typed ? key_of(&cells[1], &group->type_len, p) : NULL;
        groups->n++;
    }
    aur_cursor_close(cursor);
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

/* --- available_values, available_values_map --------------------------------------------------------- */

static int same_cell(const aur_cell_t *a, const aur_cell_t *b)
{
    if (a->kind != b->kind || a->len != b->len) {
        return 0;
    }
    switch (a->kind) {
    case AUR_V_INT:
    case AUR_V_BOOL:
        return a->v.i == b->v.i;
    case AUR_V_DOUBLE:
        return a->v.d == b->v.d;
    default:
        return !memcmp(a->v.s, b->v.s, a->len);
    }
}

/* A list being written: each id once, and equal ones stand together. */
typedef struct list_t {
    aur_sink_t *sink;
    const aur_cell_t *last;
} list_t;

static void list_add(list_t *list, const aur_cell_t *id)
{
    if (list->last && same_cell(list->last, id)) {
        return;
    }
    if (list->last) {
        aur_json_lit(list->sink, ",");
    }
    aur_json_cell(list->sink, id);
    list->last = id;
}

static void write_values(aur_sink_t *sink, const groups_t *groups)
{
    list_t list = {sink, NULL};
    int i;

    aur_json_lit(sink, "[");
    for (i = 0; i < groups->n; i++) {
        list_add(&list, &groups->list[i].id);
    }
    aur_json_lit(sink, "]");
}

static int same_type(const group_t *group, const char *type, apr_size_t len)
{
    return group->type && group->type_len == len && !memcmp(group->type, type, len);
}

/* Where the catalogue lists the types a request may ask for, the map's names are those: whoever picks one
 * of the list finds it here, whatever its letter case in the table. The others cannot be asked for. */
static void types_fold(groups_t *groups, const aur_partition_t *part, apr_pool_t *p)
{
    apr_hash_t *supported = apr_hash_make(p);
    int i;

    for (i = 0; i < part->nsupported; i++) {
        const char *type = part->supported_types[i];
        apr_hash_set(supported, aur_casefold(type, strlen(type), NULL, p), APR_HASH_KEY_STRING,
                     type);
    }
    for (i = 0; i < groups->n; i++) {
        group_t *group = &groups->list[i];
        const char *folded = group->type ? aur_casefold(group->type, group->type_len, NULL, p) : "";
        group->type = apr_hash_get(supported, folded, APR_HASH_KEY_STRING);
        group->type_len = group->type ? strlen(group->type) : 0;
    }
}

/* One type's member, with the ids of all its groups, which are done then. */
static void write_type(aur_sink_t *sink, groups_t *groups, int first)
{
    const group_t head = groups->list[first];
    list_t list = {sink, NULL};
    int i;

    aur_json_string(sink, head.type, head.type_len);
    aur_json_lit(sink, ":[");
    for (i = first; i < groups->n; i++) {
        if (same_type(&groups->list[i], head.type, head.type_len)) {
            list_add(&list, &groups->list[i].id);
            groups->list[i].type = NULL;
        }
    }
    aur_json_lit(sink, "]");
}

static void write_map(aur_sink_t *sink, groups_t *groups, const aur_partition_t *part,
                      apr_pool_t *p)
{
    int n = 0, i;

    if (part->nsupported > 0) {
        types_fold(groups, part, p);
    }
    aur_json_lit(sink, "{");
    for (i = 0; i < groups->n; i++) {
        if (groups->list[i].type) {
            aur_sink_write(sink, ",", n++ > 0);
            write_type(sink, groups, i);
        }
    }
    aur_json_lit(sink, "}");
}

/* --- min_value, max_value ------------------------------------------------------------------------- */

static const aur_cell_t nothing = {.kind = AUR_V_NULL};

static void write_range(aur_sink_t *sink, const aur_cell_t *min, const aur_cell_t *max)
{
    aur_json_lit(sink, ",\"min_value\":");
    aur_json_cell(sink, min);
    aur_json_lit(sink, ",\"max_value\":");
    aur_json_cell(sink, max);
}

static apr_status_t range_open(aur_cursor_t **cursor, aur_request_t *x,
                               const aur_catalog_t *catalog, const aur_dataset_t *dataset,
                               int column)
{
    aur_plan_agg_t *both = apr_pcalloc(x->r->pool, 2 * sizeof(*both));
    aur_plan_output_t *outputs = apr_pcalloc(x->r->pool, 2 * sizeof(*outputs));
    aur_result_column_t *result = apr_pcalloc(x->r->pool, 2 * sizeof(*result));
    aur_plan_t *plan;
    apr_status_t rv = plan_open(&plan, x, catalog, dataset, 1);
    int i;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    for (i = 0; i < 2; i++) {
        both[i].function = i == 0 ? AUR_AGG_MIN : AUR_AGG_MAX;
        both[i].column.column = column;
        both[i].type = dataset->columns[column].type;
        outputs[i].aggregation = i;
        result[i] = result_column(dataset, column);
    }
    plan->noutputs = plan->naggregations = 2;
    plan->aggregations = both;
    plan->outputs = outputs;
    plan->columns = result;
    return rows_open(cursor, x, plan);
}

static apr_status_t range_ask(aur_request_t *x, const aur_catalog_t *catalog,
                              const aur_dataset_t *dataset, int column)
{
    const aur_cell_t *cells;
    aur_cursor_t *cursor;
    apr_status_t rv = range_open(&cursor, x, catalog, dataset, column);

    if (rv == APR_SUCCESS) {
        rv = aur_cursor_next(&cells, cursor, &x->err);
        if (rv == APR_SUCCESS) {
            write_range(x->sink, &cells[0], &cells[1]);
        }
        else if (rv == APR_EOF) {
            write_range(x->sink, &nothing, &nothing);
            rv = APR_SUCCESS;
        }
        aur_cursor_close(cursor);
    }
    return rv;
}

static int has_order(const aur_dataset_t *dataset, int column)
{
    return column >= 0 && dataset->columns[column].type != AUR_T_BOOLEAN &&
           dataset->columns[column].type != AUR_T_BINARY;
}

/* Of the date column; of the load ids where there is none, which are here already. */
static apr_status_t write_bounds(aur_request_t *x, const aur_catalog_t *catalog,
                                 const aur_dataset_t *dataset, const groups_t *groups)
{
    const aur_partition_t *part = dataset->partition;
    int column = part->date_column >= 0 ? part->date_column : part->load_id_column;

    if (!has_order(dataset, column)) {
        write_range(x->sink, &nothing, &nothing);
        return APR_SUCCESS;
    }
    if (column == part->date_column || groups->cut) {
        return range_ask(x, catalog, dataset, column);
    }
    write_range(x->sink, groups->n ? &groups->list[groups->n - 1].id : &nothing,
                groups->n ? &groups->list[0].id : &nothing);
    return APR_SUCCESS;
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

static apr_status_t write_info(aur_request_t *x, const aur_catalog_t *catalog,
                               const aur_dataset_t *dataset, apr_pool_t *p)
{
    const aur_partition_t *part = dataset->partition;
    int listed = part->load_id_column >= 0;
    groups_t groups = {0};
    apr_status_t rv = listed ? groups_read(&groups, x, catalog, dataset, p) : APR_SUCCESS;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    write_configured(x->sink, dataset);
    aur_json_lit(x->sink, ",\"available_values\":");
    if (listed) {
        write_values(x->sink, &groups);
    }
    else {
        aur_json_lit(x->sink, "null");
    }
    aur_json_lit(x->sink, ",\"available_values_map\":");
    if (listed && part->load_type_column >= 0) {
        write_map(x->sink, &groups, part, p);
    }
    else {
        aur_json_lit(x->sink, "null");
    }
    rv = write_bounds(x, catalog, dataset, &groups);
    aur_json_lit(x->sink, "}");
    return rv;
}

apr_status_t aur_partition_write(aur_request_t *x, const aur_catalog_t *catalog,
                                 const aur_dataset_t *dataset)
{
    apr_pool_t *p;
    apr_status_t rv;

    if (!dataset->partition) {
        aur_json_lit(x->sink, "null");
        return APR_SUCCESS;
    }
    rv = apr_pool_create(&p, x->r->pool);
    if (rv != APR_SUCCESS) {
        return aur_error_set(&x->err, AUR_E_INTERNAL, NULL, "There is no memory left.");
    }
    apr_pool_tag(p, "aur_partition");
    rv = write_info(x, catalog, dataset, p);
    apr_pool_destroy(p);
    return rv;
}
