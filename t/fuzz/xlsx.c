/* xlsx.c - any cells as a workbook: every part is well-formed XML, and each cell of the sheet reads back as what
 * it was by ECMA-376's rules: texts with _xHHHH_ undone, numbers as numbers that keep every digit, serial
 * numbers of days that lie where the calendar has them.
 *
 * Input: options, title, number format, cells (lib/cells.h). */
#include <apr_lib.h>
#include <apr_strings.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "aurora/writer.h"
#include "lib/cells.h"
#include "lib/fuzz.h"
#include "lib/number_rules.h"
#include "lib/utf8_rules.h"
#include "lib/xml_rules.h"
#include "write/zip_stream.h"

#define TEXT_UNITS_MAX 32767
#define DAY_OF_1970    25569

static const aur_xlsx_skeleton_t *skeleton;

static void design_once(void)
{
    char why[256];

    if (!skeleton) {
        FUZZ_CHECK(aur_xlsx_skeleton_create(&skeleton, why, sizeof(why), fuzz_forever()) ==
                       APR_SUCCESS,
                   "%s", why);
    }
}

/* --- texts --------------------------------------------------------------------------------------- */

static int hex4(uint32_t *code, const char *s)
{
    int i;

    *code = 0;
    for (i = 0; i < 4; i++) {
        if (!apr_isxdigit(s[i])) {
            return 0;
        }
        *code = *code * 16 + (uint32_t)(apr_isdigit(s[i]) ? s[i] - '0' : (s[i] | 0x20) - 'a' + 10);
    }
    return 1;
}

static char *point_write(char *to, uint32_t c)
{
    if (c < 0x80) {
        *to++ = (char)c;
        return to;
    }
    if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
    }
    else {
        *to++ = (char)(0xe0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 63));
    }
    *to++ = (char)(0x80 | (c & 63));
    return to;
}

/* ST_Xstring: _xHHHH_ is the character of that number. */
static fuzz_text_t escapes_undone(fuzz_text_t text, apr_pool_t *p)
{
    char *out = apr_palloc(p, text.len + 1), *to = out;
    fuzz_text_t undone = {out, 0};
    apr_size_t at = 0;

    while (at < text.len) {
        uint32_t code;
        if (text.len - at >= 7 && text.s[at] == '_' && text.s[at + 1] == 'x' &&
            text.s[at + 6] == '_' && hex4(&code, text.s + at + 2)) {
            to = point_write(to, code);
            at += 7;
        }
        else {
            *to++ = text.s[at++];
        }
    }
    *to = '\0';
    undone.len = (apr_size_t)(to - out);
    return undone;
}

/* What a cell can hold of a text: malformed bytes as U+FFFD, cut after so many UTF-16 units. */
static fuzz_text_t clipped(const char *s, apr_size_t len, apr_pool_t *p)
{
    fuzz_text_t text = utf8_mended(s, len, p);
    apr_size_t at = 0, units = 0, n;

    while (at < text.len) {
        uint32_t c = utf8_point(&n, text.s + at, text.len - at);
        units += c > 0xffff ? 2 : 1;
        if (units > TEXT_UNITS_MAX) {
            break;
        }
        at += n;
    }
    text.len = at;
    return text;
}

static int same(fuzz_text_t a, const char *s, apr_size_t len)
{
    return a.len == len && (len == 0 || !memcmp(a.s, s, len));
}

/* --- the sheet ----------------------------------------------------------------------------------- */

typedef struct seen_t {
    int there;
    const char *type; /* attribute t, "" when none */
    fuzz_text_t text; /* of <t> or <v> */
} seen_t;

typedef struct sheet_t {
    int nrows;
    seen_t rows[CELLS_ROWS_MAX + 1][CELLS_COLUMNS_MAX];
} sheet_t;

/* Where a cell stands: by its reference, else behind the one before. */
static int place_of(const char *reference, int row, int next)
{
    int column = 0;

    if (!reference) {
        return next;
    }
    for (; apr_isupper(*reference); reference++) {
        column = column * 26 + (*reference - 'A' + 1);
    }
    FUZZ_CHECK(atoi(reference) == row && column > next, "reference %s in row %d", reference, row);
    return column - 1;
}

static void cell_begin(sheet_t *sheet, const xml_event_t *e, int *column, apr_pool_t *p)
{
    const char *type = xml_attribute(e, "t");
    seen_t *seen;

    *column = place_of(xml_attribute(e, "r"), sheet->nrows, *column + 1);
    FUZZ_CHECK(*column >= 0 && *column < CELLS_COLUMNS_MAX, "column %d", *column);
    seen = &sheet->rows[sheet->nrows - 1][*column];
    seen->there = 1;
    seen->type = type ? apr_pstrdup(p, type) : "";
    seen->text.s = "";
}

static const sheet_t *sheet_read(const char *text, apr_size_t len, apr_pool_t *p)
{
    xml_reader_t *x = xml_open("sheet1", text, len, p);
    sheet_t *sheet = apr_pcalloc(p, sizeof(*sheet));
    const xml_event_t *e;
    const char *inside = "";
    int column = -1;

    while ((e = xml_next(x))->is != XML_DONE) {
        if (e->is == XML_BEGIN && !strcmp(e->name, "row")) {
            const char *number = xml_attribute(e, "r");
            FUZZ_CHECK(sheet->nrows <= CELLS_ROWS_MAX && number && atoi(number) == sheet->nrows + 1,
                       "row %d", sheet->nrows);
            sheet->nrows++;
            column = -1;
        }
        else if (e->is == XML_BEGIN && !strcmp(e->name, "c")) {
            cell_begin(sheet, e, &column, p);
        }
        if (e->is == XML_TEXT && sheet->nrows > 0 && column >= 0 &&
            (!strcmp(inside, "t") || !strcmp(inside, "v"))) {
            sheet->rows[sheet->nrows - 1][column].text = e->text;
        }
        inside = e->is == XML_BEGIN ? e->name : "";
    }
    return sheet;
}

/* --- cells --------------------------------------------------------------------------------------- */

static void check_text(const seen_t *seen, const char *s, apr_size_t len, apr_pool_t *p)
{
    fuzz_text_t want = clipped(s, len, p), got = escapes_undone(seen->text, p);

    FUZZ_CHECK(!strcmp(seen->type, "inlineStr"), "type %s", seen->type);
    FUZZ_CHECK(same(got, want.s, want.len), "%.*s became %s", (int)want.len, want.s, got.s);
}

static void check_digits(const seen_t *seen, const char *s, apr_size_t len, apr_pool_t *p)
{
    if (*seen->type) {
        check_text(seen, s, len, p);
        return;
    }
    FUZZ_CHECK(number_is_canonical(s, len) && number_is(seen->text.s, seen->text.len), "%s",
               seen->text.s);
    FUZZ_CHECK(number_survives(s, len, p), "%.*s loses digits", (int)len, s);
    FUZZ_CHECK(!strcmp(number_normal(seen->text.s, seen->text.len, p), number_normal(s, len, p)),
               "%.*s became %s", (int)len, s, seen->text.s);
}

/* A serial number against the C library's calendar; seconds may be half a millisecond off. */
static void check_serial(const seen_t *seen, const char *s, apr_size_t len, int date, apr_pool_t *p)
{
    const char *text = apr_pstrmemdup(p, s, len);
    struct tm tm = {0};
    double serial = strtod(seen->text.s, NULL), fraction = 0, want, last;

    FUZZ_CHECK(number_is(seen->text.s, seen->text.len), "%s", seen->text.s);
    FUZZ_CHECK(len >= 10 && apr_isdigit(text[3]), "%s has a serial number", text);
    tm.tm_year = atoi(text) - 1900;
    tm.tm_mon = atoi(text + 5) - 1;
    tm.tm_mday = atoi(text + 8);
    if (!date) {
        tm.tm_hour = atoi(text + 11);
        tm.tm_min = atoi(text + 14);
        tm.tm_sec = len > 16 ? atoi(text + 17) : 0;
        fraction = len > 19 ? strtod(text + 19, NULL) : 0;
    }
    want = (double)timegm(&tm) + fraction;
    FUZZ_CHECK(tm.tm_mon == atoi(text + 5) - 1, "%s is no day", text);
    tm.tm_hour = 23;
    tm.tm_min = tm.tm_sec = 59;
    last = (double)timegm(&tm) + 0.999; /* what comes later in a day is that millisecond */
    want = want < last ? want : last;
    FUZZ_CHECK(serial >= 61 && fabs((serial - DAY_OF_1970) * 86400 - want) < 0.0005, "%s is %s",
               text, seen->text.s);
}

static void check_moment(const seen_t *seen, const aur_cell_t *cell, apr_pool_t *p)
{
    const char *normal;

    if (!*seen->type) {
        FUZZ_CHECK(cell->kind != AUR_V_TIMESTAMP_TZ, "a zone has no serial number");
        check_serial(seen, cell->v.s, cell->len, cell->kind == AUR_V_DATE, p);
        return;
    }
    normal = cell->kind == AUR_V_DATE
                 ? NULL
                 : timestamp_normal(apr_pstrmemdup(p, cell->v.s, cell->len), cell->len, 'T',
                                    cell->kind == AUR_V_TIMESTAMP_TZ, p);
    check_text(seen, normal ? normal : cell->v.s, normal ? strlen(normal) : cell->len, p);
}

static void check_double(const seen_t *seen, double d)
{
    if (isfinite(d)) {
        FUZZ_CHECK(!*seen->type && number_is(seen->text.s, seen->text.len) &&
                       strtod(seen->text.s, NULL) == d,
                   "%.17g became %s", d, seen->text.s);
    }
    else {
        FUZZ_CHECK(!strcmp(seen->type, "inlineStr"), "%s as a number", seen->text.s);
    }
}

static void check_cell(const seen_t *seen, const aur_cell_t *cell, apr_pool_t *p)
{
    const char *digits;
    fuzz_text_t base64;

    FUZZ_CHECK(seen->there == (cell->kind != AUR_V_NULL), "a %s cell is%s there",
               cells_kind(cell->kind), seen->there ? "" : " not");
    switch (cell->kind) {
    case AUR_V_NULL:
        break;
    case AUR_V_BOOL:
        FUZZ_CHECK(!strcmp(seen->type, "b") && same(seen->text, cell->v.i ? "1" : "0", 1), "%s",
                   seen->text.s);
        break;
    case AUR_V_INT:
        digits = apr_psprintf(p, "%" APR_INT64_T_FMT, cell->v.i);
        check_digits(seen, digits, strlen(digits), p);
        break;
    case AUR_V_DOUBLE:
        check_double(seen, cell->v.d);
        break;
    case AUR_V_DECIMAL:
        check_digits(seen, cell->v.s, cell->len, p);
        break;
    case AUR_V_TEXT:
        check_text(seen, cell->v.s, cell->len, p);
        break;
    case AUR_V_BINARY:
        base64 = cells_base64(cell->v.s, cell->len, p);
        check_text(seen, base64.s, base64.len < 32764 ? base64.len : 32764, p);
        break;
    default:
        check_moment(seen, cell, p);
        break;
    }
}

/* --- the workbook -------------------------------------------------------------------------------- */

static const char *part_read(apr_size_t *len, const fuzz_out_t *out, const char *name,
                             apr_pool_t *p)
{
    zip_packed_t packed;
    const char *text = NULL;

    FUZZ_CHECK(zip_find(&packed, out->text, out->len, name) == APR_SUCCESS, "no %s", name);
    FUZZ_CHECK(zip_unpack(&text, &packed, p) == APR_SUCCESS, "%s cannot be unpacked", name);
    *len = packed.size;
    return text;
}

/* The names of sheets: as long as may be, and not of what they must not hold. */
static void check_sheet_name(const char *attribute, apr_pool_t *p)
{
    fuzz_text_t written = {attribute, strlen(attribute)};
    const char *name = escapes_undone(written, p).s;
    apr_size_t len = strlen(name), at, units = 0, n;

    for (at = 0; at < len; at += n) {
        units += utf8_point(&n, name + at, len - at) > 0xffff ? 2 : 1;
        FUZZ_CHECK(!strchr("[]:*?/\\", name[at]), "a sheet is called %s", name);
    }
    FUZZ_CHECK(units > 0 && units <= 31 && *name != '\'' && name[len - 1] != '\'',
               "a sheet is called %s", name);
}

static void check_parts(const fuzz_out_t *out, int about, apr_pool_t *p)
{
    static const char *const names[] = {"[Content_Types].xml",
                                        "_rels/.rels",
                                        "xl/_rels/workbook.xml.rels",
                                        "xl/styles.xml",
                                        "docProps/core.xml",
                                        "docProps/app.xml",
                                        "xl/workbook.xml",
                                        "xl/worksheets/sheet2.xml"};
    int i, n = (int)(sizeof(names) / sizeof(names[0])) - !about;

    for (i = 0; i < n; i++) {
        apr_size_t len;
        const char *text = part_read(&len, out, names[i], p);
        xml_reader_t *x = xml_open(names[i], text, len, p);
        const xml_event_t *e;
        while ((e = xml_next(x))->is != XML_DONE) {
            if (e->is == XML_BEGIN && !strcmp(e->name, "sheet")) {
                check_sheet_name(xml_attribute(e, "name"), p);
            }
        }
    }
}

static void read_back(const fuzz_out_t *out, const cells_t *cells, int about, apr_pool_t *p)
{
    apr_size_t len;
    const char *text = part_read(&len, out, "xl/worksheets/sheet1.xml", p);
    const sheet_t *sheet = sheet_read(text, len, p);
    int row, i;

    FUZZ_CHECK(sheet->nrows == cells->nrows + 1, "%d rows", sheet->nrows);
    for (i = 0; i < cells->ncolumns; i++) {
        const char *name = cells->columns[i].display;
        check_text(&sheet->rows[0][i], name, strlen(name), p);
        for (row = 0; row < cells->nrows; row++) {
            check_cell(&sheet->rows[row + 1][i], &cells->rows[row][i], p);
        }
    }
    check_parts(out, about, p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_in_t in = {data, size};
    apr_pool_t *p = fuzz_pool();
    unsigned how = fuzz_byte(&in);
    const char *title = fuzz_name(&in, p), *format = fuzz_name(&in, p);
    aur_xlsx_fact_t facts[] = {{"Dataset", title}, {"Filters", format}};
    fuzz_out_t *out = fuzz_out_create(2, AUR_SINK_BUFFER_BYTES, p);
    aur_xlsx_options_t options = {.title = title,
                                  .display_names = 1,
                                  .nfacts = how % 2 ? 2 : 0,
                                  .facts = facts,
                                  .created = (apr_time_t)how * 1000000000000};
    aur_writer_end_t end = {0};
    aur_result_column_t columns[CELLS_COLUMNS_MAX];
    const cells_t *cells;
    aur_writer_t *w;
    int row;

    design_once();
    options.skeleton = skeleton;
    cells = cells_read(&in, p);
    memcpy(columns, cells->columns, sizeof(columns));
    columns[0].format = *format ? format : NULL;
    w = aur_writer_xlsx_create(out->sink, columns, cells->ncolumns, &options, p);
    (void)w->is->begin(w);
    for (row = 0; row < cells->nrows; row++) {
        (void)w->is->row(w, cells->rows[row]);
        if (how & 2) {
            (void)w->is->flush(w);
        }
    }
    (void)w->is->end(w, &end);
    fuzz_out_finish(out, p);
    read_back(out, cells, how % 2, p);
    apr_pool_destroy(p);
    return 0;
}
