/* json.c - any cells through the preview writer, read back by another JSON library: texts are the same but for
 * malformed bytes, each of which is U+FFFD; numbers keep every digit or stand as texts.
 *
 * Input: shape, name of the dataset, cells (lib/cells.h). */
#include <apr_strings.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aurora/writer.h"
#include "lib/cells.h"
#include "lib/fuzz.h"
#include "lib/number_rules.h"
#include "lib/utf8_rules.h"

static int is_text(const json_t *value, const char *s, apr_size_t len)
{
    return json_is_string(value) && json_string_length(value) == len &&
           !memcmp(json_string_value(value), s, len);
}

static int is_mended(const json_t *value, const char *s, apr_size_t len, apr_pool_t *p)
{
    fuzz_text_t text = utf8_mended(s, len, p);

    return is_text(value, text.s, text.len);
}

/* A decimal: as a number only when its double has the very same digits. */
static void check_decimal(const json_t *value, const char *s, apr_size_t len, apr_pool_t *p)
{
    if (!json_is_real(value)) {
        FUZZ_CHECK(is_mended(value, s, len, p), "a decimal became another text");
        return;
    }
    FUZZ_CHECK(number_is_canonical(s, len), "%.*s is no number", (int)len, s);
    FUZZ_CHECK(json_real_value(value) == strtod(apr_pstrmemdup(p, s, len), NULL), "%.*s", (int)len,
               s);
    FUZZ_CHECK(number_survives(s, len, p), "%.*s loses digits", (int)len, s);
}

static void check_int(const json_t *value, apr_int64_t i, apr_pool_t *p)
{
    const char *digits = apr_psprintf(p, "%" APR_INT64_T_FMT, i);

    if (json_is_real(value)) {
        check_decimal(value, digits, strlen(digits), p);
        return;
    }
    FUZZ_CHECK(i > APR_INT64_C(9007199254740992) || i < APR_INT64_C(-9007199254740992),
               "%s is a text", digits);
    FUZZ_CHECK(is_text(value, digits, strlen(digits)), "%s", digits);
}

static void check_double(const json_t *value, double d)
{
    if (isfinite(d)) {
        FUZZ_CHECK(json_is_real(value) && json_real_value(value) == d, "%.17g", d);
    }
    else {
        const char *word = isnan(d) ? "NaN" : d > 0 ? "Infinity" : "-Infinity";
        FUZZ_CHECK(is_text(value, word, strlen(word)), "%s", word);
    }
}

static void check_cell(const json_t *value, const aur_cell_t *cell, apr_pool_t *p)
{
    fuzz_text_t base64;
    const char *normal;

    switch (cell->kind) {
    case AUR_V_NULL:
        FUZZ_CHECK(json_is_null(value), "NULL");
        break;
    case AUR_V_BOOL:
        FUZZ_CHECK(json_is_boolean(value) && json_is_true(value) == (cell->v.i != 0), "a truth");
        break;
    case AUR_V_INT:
        check_int(value, cell->v.i, p);
        break;
    case AUR_V_DOUBLE:
        check_double(value, cell->v.d);
        break;
    case AUR_V_DECIMAL:
        check_decimal(value, cell->v.s, cell->len, p);
        break;
    case AUR_V_TIMESTAMP:
    case AUR_V_TIMESTAMP_TZ:
        normal = timestamp_normal(apr_pstrmemdup(p, cell->v.s, cell->len), cell->len, 'T',
                                  cell->kind == AUR_V_TIMESTAMP_TZ, p);
        FUZZ_CHECK(normal ? is_text(value, normal, strlen(normal))
                          : is_mended(value, cell->v.s, cell->len, p),
                   "a timestamp: %.*s", (int)cell->len, cell->v.s);
        break;
    case AUR_V_BINARY:
        base64 = cells_base64(cell->v.s, cell->len, p);
        FUZZ_CHECK(is_text(value, base64.s, base64.len), "base64");
        break;
    default:
        FUZZ_CHECK(is_mended(value, cell->v.s, cell->len, p), "a %s cell became %s",
                   cells_kind(cell->kind), json_string_value(value));
        break;
    }
}

static void check_row(json_t *row, const cells_t *cells, const aur_cell_t *wanted, int arrays,
                      apr_pool_t *p)
{
    const char *key;
    json_t *value;
    apr_size_t i;

    if (arrays) {
        FUZZ_CHECK(json_array_size(row) == (apr_size_t)cells->ncolumns, "cells of a row");
        json_array_foreach(row, i, value)
        {
            check_cell(value, &wanted[i], p);
        }
        return;
    }
    FUZZ_CHECK(json_is_object(row), "a row is an object");
    if (json_object_size(row) < (apr_size_t)cells->ncolumns) {
        return; /* two columns of one name: the reader keeps one */
    }
    i = 0;
    json_object_foreach(row, key, value)
    {
        const char *name = cells->columns[i].name;
        FUZZ_CHECK(!strcmp(key, utf8_mended(name, strlen(name), p).s), "a key: %s", key);
        check_cell(value, &wanted[i], p);
        i++;
    }
}

static void read_back(const fuzz_out_t *out, const cells_t *cells,
                      const aur_json_options_t *options, apr_pool_t *p)
{
    json_error_t e;
    json_t *root = json_loadb(out->text, out->len, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &e);
    json_t *data = json_object_get(root, "data"), *columns = json_object_get(root, "columns");
    const char *name = options->dataset_name;
    int i;

    FUZZ_CHECK(root, "%s at %d: %.*s", e.text, e.position, (int)out->len, out->text);
    FUZZ_CHECK(is_mended(json_object_get(root, "dataset_name"), name, strlen(name), p), "%s", name);
    FUZZ_CHECK(json_array_size(columns) == (apr_size_t)cells->ncolumns, "columns");
    FUZZ_CHECK(json_array_size(data) == (apr_size_t)cells->nrows, "rows");
    for (i = 0; i < cells->ncolumns; i++) {
        name = cells->columns[i].name;
        FUZZ_CHECK(is_mended(json_array_get(columns, (apr_size_t)i), name, strlen(name), p),
                   "column %s", name);
    }
    for (i = 0; i < cells->nrows; i++) {
        check_row(json_array_get(data, (apr_size_t)i), cells, cells->rows[i], options->arrays, p);
    }
    json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_in_t in = {data, size};
    apr_pool_t *p = fuzz_pool();
    unsigned how = fuzz_byte(&in);
    fuzz_out_t *out = fuzz_out_create(1 + how / 128, AUR_SINK_ROOM_MAX, p);
    aur_json_options_t options = {.arrays = (int)(how % 2)};
    aur_writer_end_t end = {.limit = 100, .total_rows = -1, .elapsed_ms = 0.5};
    const cells_t *cells;
    aur_writer_t *w;
    int row;

    options.dataset_name = fuzz_name(&in, p);
    cells = cells_read(&in, p);
    end.rows = cells->nrows;
    w = aur_writer_json_create(out->sink, cells->columns, cells->ncolumns, &options, p);
    (void)w->is->begin(w);
    for (row = 0; row < cells->nrows; row++) {
        (void)w->is->row(w, cells->rows[row]);
    }
    (void)w->is->end(w, &end);
    fuzz_out_finish(out, p);
    read_back(out, cells, &options, p);
    apr_pool_destroy(p);
    return 0;
}
