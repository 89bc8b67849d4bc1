#include "xlsx_book.h"
#include "xlsx_text.h"

#include "aurora/text.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <strings.h>

#define FORMAT_CHARS_MAX 255
#define GENERAL          "General"

/* --- names and formats ------------------------------------------------------------------------- */

/* 'It''s a sheet' */
static const char *quoted_name(const char *name, apr_pool_t *p)
{
    char *quoted = apr_palloc(p, 2 * strlen(name) + 3), *to = quoted;

    *to++ = '\'';
    for (; *name; name++) {
        if (*name == '\'') {
            *to++ = '\'';
        }
        *to++ = *name;
    }
    *to++ = '\'';
    *to = '\0';
    return xlsx_text_escape(quoted, p);
}

/* Letters that mean something in a format or stand for themselves; any other has to be quoted. */
static int is_letter_of_format(char c)
{
    static const char of_dates[] = "ABDEGHMPSYbdeghmsy", plain[] = "acfijklopqrtuxz";

    return strchr(of_dates, c) || strchr(plain, c);
}

/* Would a spreadsheet program take it? One it cannot read makes the whole file "damaged". */
static int is_format(const char *format)
{
    int quoted = 0, bracket = 0, sections = 1;
    apr_size_t len = strlen(format), i;

    if (len == 0 || len > FORMAT_CHARS_MAX || !aur_utf8_valid(format, len)) {
        return 0;
    }
    for (i = 0; i < len; i++) {
        char c = format[i];
        if ((unsigned char)c < 0x20) {
            return 0;
        }
        if (quoted) {
            quoted = c != '"';
        }
        else if (c == '\\' || c == '_' || c == '*') {
            if (++i == len) { /* each of them wants a character */
                return 0;
            }
        }
        else if (c == '"') {
            quoted = 1;
        }
        else if (c == '[' || c == ']') {
            if (bracket == (c == '[')) {
                return 0;
            }
            bracket = c == '[';
        }
        else if (!bracket && !strncasecmp(format + i, GENERAL, sizeof(GENERAL) - 1)) {
            i += sizeof(GENERAL) - 2;
        }
        else if (!bracket && apr_isalpha(c) && !is_letter_of_format(c)) {
            return 0;
        }
        else {
            sections += c == ';' && !bracket;
        }
    }
    return !quoted && !bracket && sections <= 4;
}

static int format_index(const xlsx_sheets_t *sheets, const char *escaped)
{
    int i;

    for (i = 0; i < sheets->nformats; i++) {
        if (!strcmp(sheets->formats[i], escaped)) {
            return i;
        }
    }
    return -1;
}

static void add_format(xlsx_sheets_t *sheets, const char *format, apr_pool_t *p)
{
    if (format && sheets->nformats < XLSX_FORMATS_MAX && is_format(format)) {
        const char *escaped = xlsx_text_escape(format, p);
        if (format_index(sheets, escaped) < 0) {
            sheets->formats[sheets->nformats++] = escaped;
        }
    }
}

int xlsx_format_style(const xlsx_sheets_t *sheets, const char *format, apr_pool_t *scratch)
{
    int index = format ? format_index(sheets, xlsx_text_escape(format, scratch)) : -1;

    return index < 0 ? -1 : sheets->book->nstyles + index;
}

xlsx_sheets_t *xlsx_sheets_create(zip_stream_t *zip, const aur_xlsx_options_t *options,
                                  const aur_result_column_t *columns, int ncolumns, apr_pool_t *p)
{
    xlsx_sheets_t *sheets = apr_pcalloc(p, sizeof(*sheets));
    const char *title = options->title ? options->title : "";
    const char *name = xlsx_sheet_name(title, p);
    apr_time_exp_t t;
    int i;

    sheets->zip = zip;
    sheets->book = options->nfacts > 0 ? &options->skeleton->about : &options->skeleton->plain;
    sheets->name = xlsx_text_escape(name, p);
    sheets->quoted = quoted_name(name, p);
    sheets->about_name = strcasecmp(name, "About") ? "About" : "About this file";
    sheets->title = xlsx_text_escape(title, p);
    (void)apr_time_exp_gmt(&t, options->created);
    (void)apr_snprintf(sheets->created, sizeof(sheets->created), "%04d-%02d-%02dT%02d:%02d:%02dZ",
                       t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
    for (i = 0; i < ncolumns; i++) {
        add_format(sheets, columns[i].format, p);
    }
    return sheets;
}

/* --- slots ------------------------------------------------------------------------------------- */

static void put(const xlsx_sheets_t *sheets, const char *text)
{
    zip_stream_write(sheets->zip, text, strlen(text));
}

__attribute__((format(printf, 2, 3))) static void put_line(const xlsx_sheets_t *sheets,
                                                           const char *fmt, ...)
{
    char line[128];
    va_list ap;

    va_start(ap, fmt);
    apr_vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    put(sheets, line);
}

static void put_formats(const xlsx_sheets_t *sheets)
{
    int i;

    for (i = 0; i < sheets->nformats; i++) {
        put_line(sheets, "<numFmt numFmtId=\"%d\" formatCode=\"",
                 XLSX_FORMAT_FIRST + sheets->book->nformats + i);
        put(sheets, sheets->formats[i]);
        put(sheets, "\"/>");
    }
    put(sheets, "</numFmts>");
}

static void put_styles(const xlsx_sheets_t *sheets)
{
    int i;

    for (i = 0; i < sheets->nformats; i++) {
        put_line(sheets,
                 "<xf numFmtId=\"%d\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\" "
                 "applyNumberFormat=\"1\"/>",
                 XLSX_FORMAT_FIRST + sheets->book->nformats + i);
    }
    put(sheets, "</cellXfs>");
}

static void put_slot(const xlsx_sheets_t *sheets, xlsx_slot_e slot, const char *last)
{
    switch (slot) {
    case XLSX_SLOT_NAME:
        put(sheets, sheets->name);
        break;
    case XLSX_SLOT_ABOUT_NAME:
        put(sheets, sheets->about_name);
        break;
    case XLSX_SLOT_RANGE:
        put(sheets, sheets->quoted);
        put(sheets, "!$A$1:");
        put(sheets, last);
        break;
    case XLSX_SLOT_FILTER:
        put(sheets, "A1:");
        put(sheets, last);
        break;
    case XLSX_SLOT_TITLE:
        put(sheets, sheets->title);
        break;
    case XLSX_SLOT_CREATED:
        put(sheets, sheets->created);
        break;
    case XLSX_SLOT_FORMATS:
        put_line(sheets, "<numFmts count=\"%d\">", sheets->book->nformats + sheets->nformats);
        break;
    case XLSX_SLOT_FORMATS_END:
        put_formats(sheets);
        break;
    case XLSX_SLOT_STYLES:
        put_line(sheets, "<cellXfs count=\"%d\">", sheets->book->nstyles + sheets->nformats);
        break;
    case XLSX_SLOT_STYLES_END:
        put_styles(sheets);
        break;
    case XLSX_SLOT_NOTHING:
    case XLSX_SLOT_COLS:
    case XLSX_SLOT_DATA:
        break;
    }
}

/* --- parts ------------------------------------------------------------------------------------- */

static apr_size_t slot_end(const xlsx_part_t *part, int slot)
{
    return slot < 0 ? 0 : part->slots[slot].to;
}

/* The text between two slots; -1 is the beginning of the part, nslots its end. */
static void put_between(const xlsx_sheets_t *sheets, const xlsx_part_t *part, int after)
{
    apr_size_t from = slot_end(part, after);
    apr_size_t to = after + 1 < part->nslots ? part->slots[after + 1].from : part->len;

    zip_stream_write(sheets->zip, part->text + from, to - from);
}

static int slot_index(const xlsx_part_t *part, xlsx_slot_e is)
{
    int i = 0;

    while (i < part->nslots && part->slots[i].is != is) {
        i++;
    }
    return i;
}

static void put_whole(const xlsx_sheets_t *sheets, xlsx_part_e which, const char *last)
{
    const xlsx_part_t *part = &sheets->book->parts[which];
    int i;

    zip_stream_open(sheets->zip, part->name);
    put_between(sheets, part, -1);
    for (i = 0; i < part->nslots; i++) {
        put_slot(sheets, part->slots[i].is, last);
        put_between(sheets, part, i);
    }
    zip_stream_close(sheets->zip);
}

void xlsx_parts_before(const xlsx_sheets_t *sheets)
{
    static const xlsx_part_e copied[] = {XLSX_CONTENT_TYPES, XLSX_RELATIONS,
                                         XLSX_WORKBOOK_RELATIONS, XLSX_THEME, XLSX_STYLE_SHEET};
    apr_size_t i, n = sizeof(copied) / sizeof(copied[0]) - (sheets->nformats > 0);

    for (i = 0; i < n; i++) {
        const xlsx_part_t *part = &sheets->book->parts[copied[i]];
        zip_stream_copy(sheets->zip, part->name, &part->packed);
    }
    if (sheets->nformats > 0) {
        put_whole(sheets, XLSX_STYLE_SHEET, "");
    }
    put_whole(sheets, XLSX_CORE, "");
    put_whole(sheets, XLSX_APP, "");
}

void xlsx_sheet_between(const xlsx_sheets_t *sheets, xlsx_part_e which, int after,
                        xlsx_slot_e before)
{
    const xlsx_part_t *part = &sheets->book->parts[which];
    int i = after < 0 ? -1 : slot_index(part, (xlsx_slot_e)after), end = slot_index(part, before);

    for (; i < end; i++) {
        put_between(sheets, part, i);
    }
}

void xlsx_sheet_after(const xlsx_sheets_t *sheets, xlsx_part_e which, const char *last)
{
    const xlsx_part_t *part = &sheets->book->parts[which];
    int i = slot_index(part, XLSX_SLOT_DATA);

    put_between(sheets, part, i);
    for (i++; i < part->nslots; i++) {
        put_slot(sheets, part->slots[i].is, last);
        put_between(sheets, part, i);
    }
}

void xlsx_parts_after(const xlsx_sheets_t *sheets, const char *last)
{
    put_whole(sheets, XLSX_WORKBOOK, last);
}
