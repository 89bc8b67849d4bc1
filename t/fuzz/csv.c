/* csv.c - any cells under any options through the CSV writer, read back by a strict reader of RFC 4180: each field
 * holds what its cell held, NULL and texts can be told apart, and no field but a number begins like a formula
 * where the guard is on.
 *
 * Input: options, the token for NULL, cells (lib/cells.h). */
#include <apr_strings.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aurora/datetime.h"
#include "aurora/writer.h"
#include "lib/cells.h"
#include "lib/fuzz.h"
#include "lib/number_rules.h"

typedef struct field_t {
    fuzz_text_t text; /* decoded */
    int quoted;
} field_t;

typedef struct reader_t {
    const char *at, *end;
    char delimiter;
    apr_pool_t *p;
} reader_t;

/* One field and what ends it: the delimiter, or '\n' for CR LF. */
static char field_read(field_t *f, reader_t *r)
{
    char *out = apr_palloc(r->p, (apr_size_t)(r->end - r->at) + 1), *to = out;

    f->quoted = r->at < r->end && *r->at == '"';
    r->at += f->quoted;
    while (f->quoted) {
        FUZZ_CHECK(r->at < r->end, "a quote is never closed");
        if (*r->at == '"') {
            r->at++;
            if (r->at == r->end || *r->at != '"') {
                break;
            }
        }
        *to++ = *r->at++;
    }
    while (!f->quoted && r->at < r->end && !strchr("\r\n\"", *r->at ? *r->at : 'x') &&
           *r->at != r->delimiter) {
        *to++ = *r->at++;
    }
    *to = '\0';
    f->text.s = out;
    f->text.len = (apr_size_t)(to - out);
    if (r->at < r->end && *r->at == r->delimiter) {
        return *r->at++;
    }
    FUZZ_CHECK(r->end - r->at >= 2 && r->at[0] == '\r' && r->at[1] == '\n',
               "a field ends with neither a delimiter nor CR LF, after: %s", out);
    r->at += 2;
    return '\n';
}

/* --- what a field should be ---------------------------------------------------------------------- */

static int risky(fuzz_text_t text)
{
    return text.len > 0 && text.s[0] != '\0' && strchr("=+-@\t\r", text.s[0]) != NULL;
}

static fuzz_text_t guarded(fuzz_text_t text, const aur_csv_options_t *options, apr_pool_t *p)
{
    char *out = apr_palloc(p, text.len + 2);
    fuzz_text_t with = {out, text.len + 1};

    if (!options->formula_guard || !risky(text)) {
        return text;
    }
    out[0] = '\'';
    memcpy(out + 1, text.s, text.len);
    out[text.len + 1] = '\0';
    return with;
}

static fuzz_text_t c_text(const char *s)
{
    fuzz_text_t text = {s, strlen(s)};

    return text;
}

static fuzz_text_t decimal_text(fuzz_text_t text, const aur_csv_options_t *options, apr_pool_t *p)
{
    char *out, *point;

    if (!number_is_canonical(text.s, text.len)) {
        return !strcmp(text.s, "-Infinity") && text.len == 9 ? text : guarded(text, options, p);
    }
    out = apr_pstrmemdup(p, text.s, text.len);
    point = strchr(out, '.');
    if (point) {
        *point = options->decimal;
    }
    text.s = out;
    return text;
}

static fuzz_text_t moment_text(fuzz_text_t text, aur_cell_e kind, const aur_csv_options_t *options,
                               apr_pool_t *p)
{
    const char *normal =
        kind == AUR_V_DATE ? NULL
                           : timestamp_normal(text.s, text.len, ' ', kind == AUR_V_TIMESTAMP_TZ, p);
    aur_datetime_t dt;

    if (normal) {
        return c_text(normal);
    }
    return aur_datetime_parse(&dt, text.s, text.len) ? text : guarded(text, options, p);
}

/* The text of a cell that is not NULL; s is NULL where only the value counts. */
static fuzz_text_t expected(const aur_cell_t *cell, const aur_csv_options_t *options, apr_pool_t *p)
{
    fuzz_text_t text = {NULL, 0};

    if (cell->kind == AUR_V_INT) {
        return c_text(apr_psprintf(p, "%" APR_INT64_T_FMT, cell->v.i));
    }
    if (cell->kind == AUR_V_BOOL) {
        return c_text(cell->v.i ? "true" : "false");
    }
    if (cell->kind == AUR_V_DOUBLE) {
        return text;
    }
    text.s = apr_pstrmemdup(p, cell->v.s, cell->len);
    text.len = cell->len;
    switch (cell->kind) {
    case AUR_V_TEXT:
        return guarded(text, options, p);
    case AUR_V_DECIMAL:
        return decimal_text(text, options, p);
    case AUR_V_BINARY:
        return cells_base64(text.s, text.len, p);
    default:
        return moment_text(text, cell->kind, options, p);
    }
}

/* --- checks -------------------------------------------------------------------------------------- */

static void check_double(const field_t *f, double d, const aur_csv_options_t *options,
                         apr_pool_t *p)
{
    char *text = apr_pstrmemdup(p, f->text.s, f->text.len), *point = strchr(text, options->decimal);

    if (point) {
        *point = '.';
    }
    FUZZ_CHECK(isnan(d) ? !strcmp(text, "NaN") : strtod(text, NULL) == d, "%s is not %.17g", text,
               d);
}

static int same(fuzz_text_t a, fuzz_text_t b)
{
    return a.len == b.len && (a.len == 0 || !memcmp(a.s, b.s, a.len));
}

static int needs_quotes(fuzz_text_t text, char delimiter)
{
    return memchr(text.s, '"', text.len) || memchr(text.s, '\r', text.len) ||
           memchr(text.s, '\n', text.len) || memchr(text.s, delimiter, text.len);
}

static void check_field(const field_t *f, const aur_cell_t *cell, const aur_csv_options_t *options,
                        apr_pool_t *p)
{
    fuzz_text_t token = c_text(options->null_token), text;
    int plain_token = !f->quoted && same(f->text, token);

    if (cell->kind == AUR_V_NULL) {
        FUZZ_CHECK(same(f->text, token), "NULL became %s", f->text.s);
        FUZZ_CHECK(f->quoted == needs_quotes(token, options->delimiter), "quotes around NULL");
        return;
    }
    FUZZ_CHECK(!plain_token, "a %s cell reads as NULL", cells_kind(cell->kind));
    FUZZ_CHECK(f->quoted || !needs_quotes(f->text, options->delimiter), "no quotes");
    /* a value whose length alone is the token's may be quoted rather than compared */
    FUZZ_CHECK(
        !f->quoted || f->text.len == 0 || needs_quotes(f->text, options->delimiter) ||
            (f->text.len == token.len &&
             (same(f->text, token) || cell->kind == AUR_V_BINARY || cell->kind == AUR_V_DECIMAL)),
        "quotes for nothing: %s", f->text.s);
    if (cell->kind == AUR_V_DOUBLE) {
        check_double(f, cell->v.d, options, p);
        return;
    }
    text = expected(cell, options, p);
    FUZZ_CHECK(same(f->text, text), "a %s cell became %s instead of %s", cells_kind(cell->kind),
               f->text.s, text.s);
    FUZZ_CHECK(cell->kind != AUR_V_TEXT || !options->formula_guard || !risky(f->text),
               "a formula: %s", f->text.s);
}

static void read_back(const fuzz_out_t *out, const cells_t *cells, const aur_csv_options_t *options,
                      apr_pool_t *p)
{
    reader_t r = {out->text, out->text + out->len, options->delimiter, p};
    int row, i;

    if (options->bom) {
        FUZZ_CHECK(out->len >= 3 && !memcmp(out->text, "\xef\xbb\xbf", 3), "no mark");
        r.at += 3;
    }
    for (row = options->header ? -1 : 0; row < cells->nrows; row++) {
        for (i = 0; i < cells->ncolumns; i++) {
            const aur_result_column_t *column = &cells->columns[i];
            const char *name = options->display_names ? column->display : column->name;
            aur_cell_t header = {.kind = AUR_V_TEXT, .len = strlen(name), .v.s = name};
            field_t f;
            char end = field_read(&f, &r);
            FUZZ_CHECK(end == (i + 1 < cells->ncolumns ? options->delimiter : '\n'),
                       "row %d has another number of fields", row);
            check_field(&f, row < 0 ? &header : &cells->rows[row][i], options, p);
        }
    }
    FUZZ_CHECK(r.at == r.end, "something follows the last row: %.*s", (int)(r.end - r.at), r.at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_in_t in = {data, size};
    apr_pool_t *p = fuzz_pool();
    unsigned how = fuzz_byte(&in);
    aur_csv_options_t options = {.delimiter = ",;\t|"[how % 4],
                                 .decimal = how % 4 && how & 4 ? ',' : '.',
                                 .bom = how & 8 ? 1 : 0,
                                 .formula_guard = how & 16 ? 1 : 0,
                                 .header = how & 32 ? 1 : 0,
                                 .display_names = how & 64 ? 1 : 0};
    fuzz_out_t *out = fuzz_out_create(1 + how / 128, AUR_SINK_ROOM_MAX, p);
    aur_writer_end_t end = {0};
    const cells_t *cells;
    aur_writer_t *w;
    int row;

    options.null_token = fuzz_name(&in, p);
    cells = cells_read(&in, p);
    w = aur_writer_csv_create(out->sink, cells->columns, cells->ncolumns, &options, p);
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
