#include "aurora/json_out.h"
#include "aurora/number.h"
#include "aurora/writer.h"
#include "write_private.h"

#include <math.h>

/* A column's key as it stands in front of its cell: "NAME": with a comma where it is not the first.
 */
typedef struct json_key_t {
    const char *s;
    apr_size_t len;
} json_key_t;

typedef struct json_writer_t {
    aur_writer_t base;
    aur_sink_t *sink;
    const aur_result_column_t *columns;
    int ncolumns;
    const json_key_t *keys;
    const char *dataset_name;
    int arrays;
    int has_rows; /* a row is there already: the next one needs a comma */
} json_writer_t;

static apr_status_t json_begin(aur_writer_t *base)
{
    json_writer_t *w = (json_writer_t *)base;
    int i;

    aur_json_lit(w->sink, "{\"dataset_name\":");
    aur_json_cstring(w->sink, w->dataset_name);
    aur_json_lit(w->sink, ",\"columns\":[");
    for (i = 0; i < w->ncolumns; i++) {
        if (i > 0) {
            aur_sink_byte(w->sink, ',');
        }
        aur_json_cstring(w->sink, w->columns[i].name);
    }
    aur_json_lit(w->sink, "],\"types\":[");
    for (i = 0; i < w->ncolumns; i++) {
        if (i > 0) {
            aur_sink_byte(w->sink, ',');
        }
        aur_json_cstring(w->sink, aur_type_name(w->columns[i].type));
    }
    aur_json_lit(w->sink, "],\"data\":[");
    return w->sink->status;
}

static apr_status_t json_row(aur_writer_t *base, const aur_cell_t *cells)
{
    json_writer_t *w = (json_writer_t *)base;
    apr_status_t rv;
    int i;

    if (w->has_rows) {
        aur_sink_byte(w->sink, ',');
    }
    w->has_rows = 1;
    aur_sink_byte(w->sink, w->arrays ? '[' : '{');
    for (i = 0; i < w->ncolumns; i++) {
        aur_sink_write(w->sink, w->keys[i].s, w->keys[i].len);
        rv = aur_json_cell(w->sink, &cells[i]);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    aur_sink_byte(w->sink, w->arrays ? ']' : '}');
    return w->sink->status;
}

/* Are there rows behind those that were written? Where the total is not known, a full page says
 * "maybe". */
static int is_truncated(const aur_writer_end_t *end)
{
    if (end->total_rows < 0) {
        return end->rows >= end->limit;
    }
    return end->rows < end->total_rows - end->offset;
}

static void put_elapsed(aur_sink_t *sink, double elapsed_ms)
{
    char *at = aur_sink_room(sink, AUR_DOUBLE_TEXT_MAX);
    /* a clock that was set back gives no time, not a negative one */
    double ms = elapsed_ms > 0 && elapsed_ms < 1e15 ? round(elapsed_ms * 1000) / 1000 : 0;

    aur_sink_advance(sink, at + aur_double_write(at, ms));
}

static apr_status_t json_end(aur_writer_t *base, const aur_writer_end_t *end)
{
    json_writer_t *w = (json_writer_t *)base;

    aur_json_lit(w->sink, "],\"row_count\":");
    aur_json_int(w->sink, end->rows);
    aur_json_lit(w->sink, ",\"total_row_count\":");
    if (end->total_rows < 0) {
        aur_json_lit(w->sink, "null");
    }
    else {
        aur_json_int(w->sink, end->total_rows);
    }
    if (is_truncated(end)) {
        aur_json_lit(w->sink, ",\"truncated\":true,\"limit\":");
    }
    else {
        aur_json_lit(w->sink, ",\"truncated\":false,\"limit\":");
    }
    aur_json_int(w->sink, end->limit);
    aur_json_lit(w->sink, ",\"offset\":");
    aur_json_int(w->sink, end->offset);
    aur_json_lit(w->sink, ",\"execution_time_ms\":");
    put_elapsed(w->sink, end->elapsed_ms);
    aur_sink_byte(w->sink, '}');
    return w->sink->status;
}

static const aur_writer_class_t json_class = {"json", json_begin, json_row, json_end};

static json_key_t key_make(const aur_result_column_t *column, int first, int arrays, apr_pool_t *p)
{
    apr_size_t len = strlen(column->name);
    char *s = apr_palloc(p, json_string_bound(len) + 2), *at = s;
    json_key_t key;

    if (!first) {
        *at++ = ',';
    }
    if (!arrays) {
        at += json_string_into(at, column->name, len);
        *at++ = ':';
    }
    key.s = s;
    key.len = (apr_size_t)(at - s);
    return key;
}

aur_writer_t *aur_writer_json_create(aur_sink_t *sink, const aur_result_column_t *columns,
                                     int ncolumns, const aur_json_options_t *options, apr_pool_t *p)
{
    json_writer_t *w = apr_pcalloc(p, sizeof(*w));
    json_key_t *keys = apr_pcalloc(p, sizeof(*keys) * (apr_size_t)(ncolumns > 0 ? ncolumns : 1));
    int i;

    for (i = 0; i < ncolumns; i++) {
        keys[i] = key_make(&columns[i], i == 0, options->arrays, p);
    }
    w->base.is = &json_class;
    w->sink = sink;
    w->columns = columns;
    w->ncolumns = ncolumns;
    w->keys = keys;
    w->dataset_name = options->dataset_name;
    w->arrays = options->arrays;
    return &w->base;
}
