/* write_xlsx.c - rows as the XML of a sheet, streamed into a workbook (ECMA-376 part 1, 18.3).
 *
 * Cell references stand only where a reader could not count them: at a row's first cell and behind a cell
 * that is not there. The standard makes them optional and every reader tried takes both; exceljs alone
 * wants those of rows and of their first cells. Text is in-line: a shared table would have to be kept. The element t="str" would
 * be shorter, but the standard keeps it for formulas and gives it no way to preserve blanks. */
#include "aurora/number.h"
#include "aurora/text.h"
#include "aurora/writer.h"
#include "write_private.h"
#include "xlsx_book.h"
#include "xlsx_text.h"
#include "xlsx_width.h"
#include "xml_out.h"

#include <apr_strings.h>
#include <math.h>

#define SAMPLE_ROWS 100
/* Flushes that rows wait for, so that widths are not decided by the first row of a slow result. */
#define SAMPLE_FLUSHES 10
#define FILTER_ROOM    3 /* of the button in the header */

/* Longest beginning of a cell, reference and style included, and what may follow a short value. */
#define CELL_ROOM 128

#define WHOLE_DIGITS    11 /* the standard format shows no more */
#define WHOLE_FROM      INT64_C(100000000000)
#define EXACT_BELOW     INT64_C(1000000000000000)
#define DECIMAL_SURE    15 /* characters: cannot have more digits than a double keeps */
#define BASE64_PIECE    768
#define INLINE_BEGIN    " t=\"inlineStr\"><is><t>"
#define INLINE_PRESERVE " t=\"inlineStr\"><is><t xml:space=\"preserve\">"
#define INLINE_END      "</t></is></c>"

/* How a value's cell goes on behind "<c": ` s="3"><v>`. */
typedef struct opening_t {
    char text[20];
    apr_size_t len;
} opening_t;

typedef struct column_t {
    char letters[4];
    apr_size_t nletters;
    opening_t number, whole, date, timestamp, fraction;
    int width;
} column_t;

typedef struct xlsx_writer_t {
    aur_writer_t base;
    aur_sink_t *sink;
    zip_stream_t *zip;
    xml_out_t out;
    xlsx_sheets_t *sheets;
    const aur_result_column_t *columns;
    column_t *cols;
    int ncolumns;
    int display_names;
    int nfacts;
    const aur_xlsx_fact_t *facts;
    apr_int64_t rows; /* of data */
    apr_int64_t truncated;
    char number[AUR_INT_TEXT_MAX]; /* of the row being written, from 1 */
    apr_size_t nnumber;
    int flushes; /* so far, before the first row left */
    char *held;  /* the beginning of a value in pieces; one at a time */
    int counted; /* the cell before was written: the next needs no reference */
} xlsx_writer_t;

/* --- cells ------------------------------------------------------------------------------------- */

static inline char *put_bytes(char *at, const char *s, apr_size_t len)
{
    memcpy(at, s, len);
    return at + len;
}

/* "<c", with a reference where one is needed. Leaves room for a short value. */
static inline char *cell_begin(xlsx_writer_t *w, int i)
{
    char *at = xml_lit(xml_room(&w->out, CELL_ROOM), "<c");

    if (!w->counted) {
        const column_t *c = &w->cols[i];
        at = xml_lit(at, " r=\"");
        at = put_bytes(at, c->letters, c->nletters);
        at = put_bytes(at, w->number, w->nnumber);
        *at++ = '"';
        w->counted = 1;
    }
    return at;
}

static inline char *put_opening(char *at, const opening_t *opening)
{
    memcpy(at, opening->text, sizeof(opening->text));
    return at + opening->len;
}

static inline void value_end(xlsx_writer_t *w, char *at)
{
    w->out.pos = xml_lit(at, "</v></c>");
}

/* Text of any length, cut at what a cell holds. `style` is "" or ` s="1"`. */
static void put_text(xlsx_writer_t *w, int i, const char *style, const char *s, apr_size_t len)
{
    char *at = cell_begin(w, i);
    apr_size_t whole = len;
    const char *end;

    at = put_bytes(at, style, strlen(style));
    len = xlsx_text_clip(s, len, XLSX_TEXT_MAX);
    w->truncated += len < whole;
    end = s + len;
    if (len > 0 && ((unsigned char)*s <= ' ' || (unsigned char)end[-1] <= ' ')) {
        at = xml_lit(at, INLINE_PRESERVE);
    }
    else {
        at = xml_lit(at, INLINE_BEGIN);
    }
    w->out.pos = at;
    while (s < end) {
        apr_size_t left = (apr_size_t)(end - s), n = left < XLSX_PIECE_MAX ? left : XLSX_PIECE_MAX;
        at = xml_room(&w->out, XLSX_GROWTH * (n + 3));
        w->out.pos = xlsx_text_into(at, &s, n, end);
    }
    w->out.pos = xml_lit(xml_room(&w->out, sizeof(INLINE_END)), INLINE_END);
    w->counted = whole > 0; /* exceljs drops an empty text, and would count the next in its place */
}

static void put_int(xlsx_writer_t *w, int i, apr_int64_t n)
{
    const column_t *c = &w->cols[i];
    char *at;

    if (n <= -EXACT_BELOW || n >= EXACT_BELOW) {
        char text[AUR_INT_TEXT_MAX];
        apr_size_t len = aur_int_write(text, n);
        if (!aur_decimal_is_double(text, len)) {
            put_text(w, i, "", text, len);
            return;
        }
    }
    at = cell_begin(w, i);
    at = put_opening(at, n <= -WHOLE_FROM || n >= WHOLE_FROM ? &c->whole : &c->number);
    value_end(w, at + aur_int_write(at, n));
}

static void put_double(xlsx_writer_t *w, int i, double d)
{
    char text[AUR_DOUBLE_TEXT_MAX], *at;

    if (!isfinite(d)) {
        put_text(w, i, "", text, aur_double_write(text, d));
        return;
    }
    at = put_opening(cell_begin(w, i), &w->cols[i].number);
    value_end(w, at + aur_double_write(at, d));
}

/* -?digits[.digits] of so few characters that every digit is sure to survive; *whole: without a point. */
static inline int is_sure_decimal(const char *s, apr_size_t len, int *whole)
{
    apr_size_t i = len > 0 && *s == '-', digits = 0, points = 0;

    if (len > DECIMAL_SURE) {
        return 0;
    }
    for (; i < len; i++) {
        unsigned digit = (unsigned)(s[i] - '0');
        if (digit < 10) {
            digits++;
        }
        else if (s[i] == '.' && points == 0 && digits > 0 && i + 1 < len) {
            points++;
        }
        else {
            return 0;
        }
    }
    *whole = points == 0;
    return digits > 0;
}

static void put_decimal(xlsx_writer_t *w, int i, const aur_cell_t *cell)
{
    const column_t *c = &w->cols[i];
    int whole;
    char *at;

    if (!is_sure_decimal(cell->v.s, cell->len, &whole)) {
        if (cell->len > XML_ROOM_MAX - CELL_ROOM || !aur_decimal_is_double(cell->v.s, cell->len)) {
            put_text(w, i, "", cell->v.s, cell->len);
            return;
        }
        whole = !memchr(cell->v.s, '.', cell->len);
    }
    at = cell_begin(w, i);
    at = put_opening(at, whole && cell->len > WHOLE_DIGITS ? &c->whole : &c->number);
    w->out.pos = at;
    at = xml_room(&w->out, cell->len + CELL_ROOM);
    value_end(w, put_bytes(at, cell->v.s, cell->len));
}

static void put_bool(xlsx_writer_t *w, int i, int truth)
{
    char *at = xml_lit(cell_begin(w, i), " t=\"b\"><v>");

    *at++ = truth ? '1' : '0';
    value_end(w, at);
}

static void put_date(xlsx_writer_t *w, int i, const aur_cell_t *cell)
{
    apr_int32_t day;
    char *at;

    if (!xlsx_day(&day, cell->v.s, cell->len)) {
        put_text(w, i, "", cell->v.s, cell->len);
        return;
    }
    at = put_opening(cell_begin(w, i), &w->cols[i].date);
    value_end(w, at + aur_int_write(at, day));
}

/* ISO 8601 with 'T', or as it is when it is no timestamp. */
static void put_timestamp_text(xlsx_writer_t *w, int i, const aur_cell_t *cell)
{
    char text[AUR_DATETIME_TEXT_MAX];
    apr_size_t len = write_timestamp(text, 'T', cell);

    put_text(w, i, "", len > 0 ? text : cell->v.s, len > 0 ? len : cell->len);
}

static void put_timestamp(xlsx_writer_t *w, int i, const aur_cell_t *cell)
{
    char serial[XLSX_SERIAL_MAX], *at;
    int fractional;
    apr_size_t len = xlsx_serial_write(serial, &fractional, cell->v.s, cell->len);

    if (len == 0) {
        put_timestamp_text(w, i, cell);
        return;
    }
    at = cell_begin(w, i);
    at = put_opening(at, fractional ? &w->cols[i].fraction : &w->cols[i].timestamp);
    value_end(w, put_bytes(at, serial, len));
}

static void put_binary(xlsx_writer_t *w, int i, const aur_cell_t *cell)
{
    const char *s = cell->v.s;
    apr_size_t left = cell->len < XLSX_BYTES_MAX ? cell->len : XLSX_BYTES_MAX;

    w->truncated += left < cell->len;
    w->out.pos = xml_lit(cell_begin(w, i), INLINE_BEGIN);
    while (left > 0) {
        apr_size_t n = left < BASE64_PIECE ? left : BASE64_PIECE;
        char *at = xml_room(&w->out, BASE64_PIECE / 3 * 4);
        w->out.pos = write_base64_into(at, s, n);
        s += n;
        left -= n;
    }
    w->out.pos = xml_lit(xml_room(&w->out, sizeof(INLINE_END)), INLINE_END);
    w->counted = cell->len > 0; /* as for empty texts */
}

static inline void put_cell(xlsx_writer_t *w, int i, const aur_cell_t *cell)
{
    switch (cell->kind) {
    case AUR_V_NULL:
    case AUR_V_PIECES: /* not here */
        w->counted = 0;
        break;
    case AUR_V_INT:
        put_int(w, i, cell->v.i);
        break;
    case AUR_V_DOUBLE:
        put_double(w, i, cell->v.d);
        break;
    case AUR_V_DECIMAL:
        put_decimal(w, i, cell);
        break;
    case AUR_V_TEXT:
        put_text(w, i, "", cell->v.s, cell->len);
        break;
    case AUR_V_BOOL:
        put_bool(w, i, cell->v.i != 0);
        break;
    case AUR_V_DATE:
        put_date(w, i, cell);
        break;
    case AUR_V_TIMESTAMP:
        put_timestamp(w, i, cell);
        break;
    case AUR_V_TIMESTAMP_TZ:
        put_timestamp_text(w, i, cell);
        break;
    case AUR_V_BINARY:
        put_binary(w, i, cell);
        break;
    }
}

static void row_begin(xlsx_writer_t *w, apr_int64_t number)
{
    char *at = xml_lit(xml_room(&w->out, CELL_ROOM), "<row r=\"");

    w->nnumber = aur_int_write(w->number, number);
    at = put_bytes(at, w->number, w->nnumber);
    w->out.pos = xml_lit(at, "\">");
    w->counted = 0;
}

static void row_end(xlsx_writer_t *w)
{
    w->out.pos = xml_lit(xml_room(&w->out, CELL_ROOM), "</row>");
}

/* --- column widths ----------------------------------------------------------------------------- */

static void widen(column_t *c, int width)
{
    width = width < XLSX_WIDTH_MAX ? width : XLSX_WIDTH_MAX;
    c->width = c->width > width ? c->width : width;
}

/* What stands before the rows, once their widths are known. Written past the buffer: rows wait there. */
static void sheet_head(void *ctx)
{
    xlsx_writer_t *w = ctx;
    char line[96];
    int i;

    xlsx_sheet_between(w->sheets, XLSX_ROWS, -1, XLSX_SLOT_COLS);
    zip_stream_write(w->zip, "<cols>", 6);
    for (i = 0; i < w->ncolumns; i++) {
        /* as Calibri 11 asks for: seven pixels a digit and five around them */
        int len =
            apr_snprintf(line, sizeof(line),
                         "<col min=\"%d\" max=\"%d\" width=\"%d.7109375\" customWidth=\"1\"/>",
                         i + 1, i + 1, w->cols[i].width);
        zip_stream_write(w->zip, line, (apr_size_t)len);
    }
    zip_stream_write(w->zip, "</cols>", 7);
    xlsx_sheet_between(w->sheets, XLSX_ROWS, XLSX_SLOT_COLS, XLSX_SLOT_DATA);
    zip_stream_write(w->zip, "<sheetData>", 11);
}

/* --- begin, rows, end -------------------------------------------------------------------------- */

static void style_text(char text[16], int style)
{
    (void)apr_snprintf(text, 16, " s=\"%d\"", style);
}

static const char *column_name(const xlsx_writer_t *w, int i)
{
    return w->display_names ? w->columns[i].display : w->columns[i].name;
}

static apr_status_t xlsx_begin(aur_writer_t *base)
{
    xlsx_writer_t *w = (xlsx_writer_t *)base;
    char style[16];
    int i;

    xlsx_parts_before(w->sheets);
    zip_stream_open(w->zip, w->sheets->book->parts[XLSX_ROWS].name);
    style_text(style, w->sheets->book->styles[XLSX_STYLE_HEADER]);
    row_begin(w, 1);
    for (i = 0; i < w->ncolumns; i++) {
        const char *name = column_name(w, i);
        put_text(w, i, style, name, strlen(name));
    }
    row_end(w);
    return w->sink->status;
}

static apr_status_t xlsx_row(aur_writer_t *base, const aur_cell_t *cells)
{
    xlsx_writer_t *w = (xlsx_writer_t *)base;
    aur_cell_t held;
    apr_status_t rv;
    int i;

    if (w->rows == AUR_XLSX_ROWS_MAX - 1) {
        return APR_ENOSPC;
    }
    if (w->rows < SAMPLE_ROWS && w->out.first) {
        for (i = 0; i < w->ncolumns; i++) {
            widen(&w->cols[i], xlsx_cell_width(&cells[i]));
        }
    }
    w->rows++;
    row_begin(w, w->rows + 1);
    for (i = 0; i < w->ncolumns; i++) {
        if (cells[i].kind != AUR_V_PIECES) {
            put_cell(w, i, &cells[i]);
            continue;
        }
        rv = xlsx_hold(&held, w->held, cells[i].v.pieces);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        put_cell(w, i, &held);
    }
    row_end(w);
    return w->sink->status;
}

static apr_status_t xlsx_flush(aur_writer_t *base)
{
    xlsx_writer_t *w = (xlsx_writer_t *)base;

    if (!w->out.first || w->rows >= SAMPLE_ROWS || ++w->flushes >= SAMPLE_FLUSHES) {
        xml_spill(&w->out);
        zip_stream_flush(w->zip);
    }
    return w->sink->status;
}

/* One line of the sheet about the file: label and value. */
static void put_fact(xlsx_writer_t *w, int number, const char *label, const char *value)
{
    char style[16];

    row_begin(w, number);
    style_text(style, w->sheets->book->styles[XLSX_STYLE_LABEL]);
    put_text(w, 0, style, label, strlen(label));
    style_text(style, w->sheets->book->styles[XLSX_STYLE_VALUE]);
    put_text(w, 1, style, value, strlen(value));
    row_end(w);
}

static void put_count(xlsx_writer_t *w, int number, const char *label, apr_int64_t count)
{
    char text[AUR_INT_TEXT_MAX + 1];

    text[aur_int_write(text, count)] = '\0';
    put_fact(w, number, label, text);
}

/* Rows has two columns at least, even where the result has one: letters of A and B are there. */
static void put_about(xlsx_writer_t *w)
{
    apr_int64_t truncated = w->truncated;
    int i;

    zip_stream_open(w->zip, w->sheets->book->parts[XLSX_ABOUT].name);
    xlsx_sheet_between(w->sheets, XLSX_ABOUT, -1, XLSX_SLOT_DATA);
    zip_stream_write(w->zip, "<sheetData>", 11);
    for (i = 0; i < w->nfacts; i++) {
        put_fact(w, i + 1, w->facts[i].label, w->facts[i].value);
    }
    put_count(w, ++i, "Rows", w->rows);
    put_count(w, ++i, "Shortened texts", truncated);
    w->truncated = truncated; /* of the rows alone */
    xml_spill(&w->out);
    zip_stream_write(w->zip, "</sheetData>", 12);
    xlsx_sheet_after(w->sheets, XLSX_ABOUT, NULL);
    zip_stream_close(w->zip);
}

static apr_status_t xlsx_end(aur_writer_t *base, const aur_writer_end_t *end)
{
    xlsx_writer_t *w = (xlsx_writer_t *)base;
    const char *letters = w->cols[w->ncolumns > 0 ? w->ncolumns - 1 : 0].letters;
    char last[AUR_INT_TEXT_MAX + 8];

    xml_spill(&w->out);
    zip_stream_write(w->zip, "</sheetData>", 12);
    (void)apr_snprintf(last, sizeof(last), "%s%" APR_INT64_T_FMT, letters, w->rows + 1);
    xlsx_sheet_after(w->sheets, XLSX_ROWS, last);
    zip_stream_close(w->zip);
    if (w->nfacts > 0) {
        put_about(w);
    }
    (void)apr_snprintf(last, sizeof(last), "$%s$%" APR_INT64_T_FMT, letters, w->rows + 1);
    xlsx_parts_after(w->sheets, last);
    zip_stream_finish(w->zip);
    return w->sink->status;
}

/* --- making one -------------------------------------------------------------------------------- */

static const aur_writer_class_t xlsx_class = {"xlsx", xlsx_begin, xlsx_row, xlsx_end, xlsx_flush};

/* A, Z, AA, XFD */
static void set_letters(column_t *c, int index)
{
    char reversed[4];
    apr_size_t n = 0;

    for (index++; index > 0 && n < 3; index = (index - 1) / 26) {
        reversed[n++] = (char)('A' + (index - 1) % 26);
    }
    for (c->nletters = 0; n > 0; c->nletters++) {
        c->letters[c->nletters] = reversed[--n];
    }
    c->letters[c->nletters] = '\0';
}

static void set_opening(opening_t *opening, int style)
{
    if (style > 0) {
        (void)apr_snprintf(opening->text, sizeof(opening->text), " s=\"%d\"><v>", style);
    }
    else {
        apr_cpystrn(opening->text, "><v>", sizeof(opening->text));
    }
    opening->len = strlen(opening->text);
}

/* The catalogue's format of a column is for the values its type promises; others keep their own. */
static void set_styles(const xlsx_writer_t *w, column_t *c, const aur_result_column_t *column,
                       apr_pool_t *p)
{
    const int *styles = w->sheets->book->styles;
    int own = xlsx_format_style(w->sheets, column->format, p);
    int number = column->type == AUR_T_NUMBER ? own : -1;
    int date = column->type == AUR_T_DATE || column->type == AUR_T_TIMESTAMP ? own : -1;

    set_opening(&c->number, number);
    set_opening(&c->whole, number > 0 ? number : styles[XLSX_STYLE_WHOLE]);
    set_opening(&c->date, date > 0 ? date : styles[XLSX_STYLE_DATE]);
    set_opening(&c->timestamp, date > 0 ? date : styles[XLSX_STYLE_TIMESTAMP]);
    set_opening(&c->fraction, date > 0 ? date : styles[XLSX_STYLE_FRACTION]);
}

aur_writer_t *aur_writer_xlsx_create(aur_sink_t *sink, const aur_result_column_t *columns,
                                     int ncolumns, const aur_xlsx_options_t *options, apr_pool_t *p)
{
    xlsx_writer_t *w = apr_pcalloc(p, sizeof(*w));
    apr_pool_t *scratch;
    int i;

    w->base.is = &xlsx_class;
    w->sink = sink;
    w->zip = zip_stream_create(sink, options->created, p);
    w->sheets = xlsx_sheets_create(w->zip, options, columns, ncolumns, p);
    w->columns = columns;
    w->ncolumns = ncolumns;
    w->display_names = options->display_names;
    w->nfacts = options->nfacts;
    w->facts = options->facts;
    w->held = apr_palloc(p, XLSX_HELD_MAX);
    xml_out_init(&w->out, w->zip, p);
    w->out.first = sheet_head;
    w->out.ctx = w;
    w->cols = apr_pcalloc(p, sizeof(*w->cols) * (apr_size_t)(ncolumns > 2 ? ncolumns : 2));
    set_letters(&w->cols[0], 0);
    set_letters(&w->cols[1], 1);
    apr_pool_create(&scratch, p);
    for (i = 0; i < ncolumns; i++) {
        const char *name = column_name(w, i);
        set_letters(&w->cols[i], i);
        set_styles(w, &w->cols[i], &columns[i], scratch);
        widen(&w->cols[i], xlsx_type_width(columns[i].type));
        widen(&w->cols[i], xlsx_text_width(name, strlen(name)) + FILTER_ROOM);
    }
    apr_pool_destroy(scratch);
    return &w->base;
}

apr_int64_t aur_writer_xlsx_truncated(const aur_writer_t *base)
{
    return ((const xlsx_writer_t *)base)->truncated;
}
