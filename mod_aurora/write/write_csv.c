#include "aurora/datetime.h"
#include "aurora/number.h"
#include "aurora/writer.h"
#include "csv_text.h"
#include "write_private.h"

#include <apr_strings.h>

typedef struct csv_writer_t {
    aur_writer_t base;
    aur_sink_t *sink;
    csv_format_t format;
    const aur_result_column_t *columns;
    int ncolumns;
    const char *null_field; /* the token, in quotes where it needs them */
    apr_size_t null_field_len;
    char delimiter, decimal;
    int bom, header, display_names;
} csv_writer_t;

/* End a field or a line: the put functions have left the room. */
static inline void put_after(aur_sink_t *sink, char c)
{
    *sink->pos = c;
    aur_sink_advance(sink, sink->pos + 1);
}

/* Formatted text that needs no quotes of itself stands at field, with AUR_DOUBLE_TEXT_MAX bytes of
 * room to its end and some: check it against the token for NULL, and keep it. */
static inline void put_formatted(const csv_writer_t *w, char *field, apr_size_t len)
{
    if (w->format.null_token_len == len && len > 0 && !memcmp(field, w->format.null_token, len)) {
        memmove(field + 1, field, len);
        field[0] = field[len + 1] = '"';
        len += 2;
    }
    aur_sink_advance(w->sink, field + len);
}

#define FORMATTED_ROOM (AUR_DOUBLE_TEXT_MAX + 2 + CSV_ROOM_AFTER)

static void put_double_comma(const csv_writer_t *w, double d)
{
    char text[AUR_DOUBLE_TEXT_MAX], *point;
    apr_size_t len = aur_double_write(text, d);

    point = memchr(text, '.', len);
    if (point) {
        *point = w->decimal;
    }
    csv_put_text(w->sink, &w->format, text, len);
}

static void put_double(const csv_writer_t *w, double d)
{
    char *field;

    if (w->decimal != '.') {
        put_double_comma(w, d);
        return;
    }
    field = aur_sink_room(w->sink, FORMATTED_ROOM);
    put_formatted(w, field, aur_double_write(field, d));
}

/* Is it -?digits[.digits], of any length? *point is set to the point, or NULL. */
static int is_decimal(const char *s, apr_size_t len, const char **point)
{
    const char *end = s + len;
    const char *start = s += len > 0 && *s == '-';

    *point = NULL;
    for (; s < end; s++) {
        if (*s == '.' && !*point && s > start && s + 1 < end) {
            *point = s;
        }
        else if (*s < '0' || *s > '9') {
            return 0;
        }
    }
    return s > start;
}

static int is_word(const aur_cell_t *cell, const char *word)
{
    return cell->len == strlen(word) && !memcmp(cell->v.s, word, cell->len);
}

/* A cell whose kind promises a number or a date, and whose text may be something else all the same
 * (a text in SQLite's date column): what is not what it promises is as risky as text. */
static void put_promised(const csv_writer_t *w, const aur_cell_t *cell, int holds)
{
    if (holds) {
        csv_put_text(w->sink, &w->format, cell->v.s, cell->len);
    }
    else {
        csv_put_guarded(w->sink, &w->format, cell->v.s, cell->len);
    }
}

static int starts_risky(const csv_writer_t *w, const aur_cell_t *cell)
{
    return cell->len > 0 && w->format.risky[(unsigned char)*cell->v.s];
}

/* A decimal with a comma for its point. Digits may be many: a long one goes in pieces, and is put
 * into quotes when only its length agrees with the token's, rather than be compared. */
static void put_decimal_comma(const csv_writer_t *w, const aur_cell_t *cell, const char *point)
{
    apr_size_t whole = (apr_size_t)(point - cell->v.s);
    char text[64];
    int quoted;

    if (cell->len <= sizeof(text)) {
        memcpy(text, cell->v.s, cell->len);
        text[whole] = w->decimal;
        csv_put_text(w->sink, &w->format, text, cell->len);
        return;
    }
    quoted = w->delimiter == w->decimal || cell->len == w->format.null_token_len;
    if (quoted) {
        aur_sink_byte(w->sink, '"');
    }
    aur_sink_write(w->sink, cell->v.s, whole);
    aur_sink_byte(w->sink, w->decimal);
    aur_sink_write(w->sink, point + 1, cell->len - whole - 1);
    if (quoted) {
        aur_sink_byte(w->sink, '"');
    }
    (void)aur_sink_room(w->sink, CSV_ROOM_AFTER);
}

static void put_decimal(const csv_writer_t *w, const aur_cell_t *cell)
{
    const char *point = NULL;
    int holds = 1;

    if (w->decimal != '.' || starts_risky(w, cell)) {
        holds = is_decimal(cell->v.s, cell->len, &point);
        if (holds && point && w->decimal != '.') {
            put_decimal_comma(w, cell, point);
            return;
        }
    }
    put_promised(w, cell, holds || is_word(cell, "-Infinity"));
}

static void put_date(const csv_writer_t *w, const aur_cell_t *cell)
{
    aur_datetime_t dt;

    put_promised(w, cell, !starts_risky(w, cell) || aur_datetime_parse(&dt, cell->v.s, cell->len));
}

static void put_timestamp(const csv_writer_t *w, const aur_cell_t *cell)
{
    char *field = aur_sink_room(w->sink, AUR_DATETIME_TEXT_MAX + 2 + CSV_ROOM_AFTER);
    apr_size_t len = write_timestamp(field, ' ', cell);

    if (len > 0) {
        put_formatted(w, field, len);
    }
    else {
        put_date(w, cell);
    }
}

static void put_binary(const csv_writer_t *w, const aur_cell_t *cell)
{
    /* As for long decimals: the length alone decides about the token. No bytes are an empty text.
     */
    int quoted = cell->len == 0 || (cell->len + 2) / 3 * 4 == w->format.null_token_len;

    if (quoted) {
        aur_sink_byte(w->sink, '"');
    }
    write_base64(w->sink, cell->v.s, cell->len);
    if (quoted) {
        aur_sink_byte(w->sink, '"');
    }
    (void)aur_sink_room(w->sink, CSV_ROOM_AFTER);
}

static void put_null(const csv_writer_t *w)
{
    aur_sink_write(w->sink, w->null_field, w->null_field_len);
    (void)aur_sink_room(w->sink, CSV_ROOM_AFTER);
}

static void put_int(const csv_writer_t *w, apr_int64_t i)
{
    char *field = aur_sink_room(w->sink, FORMATTED_ROOM);

    put_formatted(w, field, aur_int_write(field, i));
}

static void put_bool(const csv_writer_t *w, int truth)
{
    char *field = aur_sink_room(w->sink, FORMATTED_ROOM);

    memcpy(field, truth ? "true" : "false", truth ? 4 : 5);
    put_formatted(w, field, truth ? 4 : 5);
}

static inline void put_cell(const csv_writer_t *w, const aur_cell_t *cell)
{
    switch (cell->kind) {
    case AUR_V_NULL:
    case AUR_V_PIECES: /* not here */
        break;
    case AUR_V_INT:
        put_int(w, cell->v.i);
        return;
    case AUR_V_DOUBLE:
        put_double(w, cell->v.d);
        return;
    case AUR_V_DECIMAL:
        put_decimal(w, cell);
        return;
    case AUR_V_TEXT:
        csv_put_guarded(w->sink, &w->format, cell->v.s, cell->len);
        return;
    case AUR_V_BOOL:
        put_bool(w, cell->v.i != 0);
        return;
    case AUR_V_DATE:
        put_date(w, cell);
        return;
    case AUR_V_TIMESTAMP:
    case AUR_V_TIMESTAMP_TZ:
        put_timestamp(w, cell);
        return;
    case AUR_V_BINARY:
        put_binary(w, cell);
        return;
    }
    put_null(w);
}

static void end_line(aur_sink_t *sink)
{
    char *at = aur_sink_room(sink, 2);

    memcpy(at, "\r\n", 2);
    aur_sink_advance(sink, at + 2);
}

static apr_status_t csv_begin(aur_writer_t *base)
{
    csv_writer_t *w = (csv_writer_t *)base;
    int i;

    if (w->bom) {
        aur_sink_write(w->sink, "\xef\xbb\xbf", 3);
    }
    if (!w->header) {
        return w->sink->status;
    }
    for (i = 0; i < w->ncolumns; i++) {
        const aur_result_column_t *column = &w->columns[i];
        const char *name = w->display_names ? column->display : column->name;
        if (i > 0) {
            aur_sink_byte(w->sink, w->delimiter);
        }
        csv_put_guarded(w->sink, &w->format, name, strlen(name));
    }
    end_line(w->sink);
    return w->sink->status;
}

static apr_status_t csv_row(aur_writer_t *base, const aur_cell_t *cells)
{
    csv_writer_t *w = (csv_writer_t *)base;
    apr_status_t rv;
    int i;

    for (i = 0; i < w->ncolumns; i++) {
        if (cells[i].kind != AUR_V_PIECES) {
            put_cell(w, &cells[i]);
        }
        else if ((rv = csv_put_pieces(w->sink, &w->format, cells[i].v.pieces)) != APR_SUCCESS) {
            return rv;
        }
        put_after(w->sink, w->delimiter);
    }
    if (w->ncolumns > 0) {
        w->sink->pos--; /* the last delimiter; the line end takes its place */
    }
    end_line(w->sink);
    return w->sink->status;
}

static apr_status_t csv_end(aur_writer_t *base, const aur_writer_end_t *end)
{
    return ((csv_writer_t *)base)->sink->status;
}

static const aur_writer_class_t csv_class = {"csv", csv_begin, csv_row, csv_end};

/* The field that stands for NULL. With a single column and no token such a row is an empty line, as
 * PostgreSQL's COPY writes it too: anything else would be the empty string. */
static void null_field_set(csv_writer_t *w, const char *token, apr_pool_t *p)
{
    apr_size_t len = strlen(token), i;
    char *field = apr_palloc(p, 2 * len + 2), *at = field;
    int quoted = 0;

    for (i = 0; i < len; i++) {
        quoted |= w->format.special[(unsigned char)token[i]];
    }
    if (quoted) {
        *at++ = '"';
    }
    for (i = 0; i < len; i++) {
        if (token[i] == '"') {
            *at++ = '"';
        }
        *at++ = token[i];
    }
    if (quoted) {
        *at++ = '"';
    }
    w->null_field = field;
    w->null_field_len = (apr_size_t)(at - field);
}

aur_writer_t *aur_writer_csv_create(aur_sink_t *sink, const aur_result_column_t *columns,
                                    int ncolumns, const aur_csv_options_t *options, apr_pool_t *p)
{
    csv_writer_t *w = apr_pcalloc(p, sizeof(*w));
    const char *token = options->null_token ? apr_pstrdup(p, options->null_token) : "";

    w->base.is = &csv_class;
    w->sink = sink;
    w->columns = columns;
    w->ncolumns = ncolumns;
    w->delimiter = options->delimiter;
    w->decimal = options->decimal;
    w->bom = options->bom;
    w->header = options->header;
    w->display_names = options->display_names;
    csv_format_init(&w->format, options->delimiter, token, options->formula_guard);
    null_field_set(w, token, p);
    return &w->base;
}
