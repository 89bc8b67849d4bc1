/* xlsx_book.h - the workbook around the rows: its parts in the order they are written. */
#ifndef AURORA_XLSX_BOOK_H
#define AURORA_XLSX_BOOK_H

#include "xlsx_skeleton.h"

/* Number formats of the catalogue that one workbook can have; columns beyond do without. */
#define XLSX_FORMATS_MAX 64

typedef struct xlsx_sheets_t {
    const xlsx_book_t *book;
    zip_stream_t *zip;
    const char *name, *about_name; /* escaped */
    const char *quoted;            /* name as formulas spell it, escaped */
    const char *title;             /* escaped */
    char created[24];
    int nformats;
    const char *formats[XLSX_FORMATS_MAX]; /* escaped */
} xlsx_sheets_t;

/** Names, times and the formats the columns ask for. */
xlsx_sheets_t *xlsx_sheets_create(zip_stream_t *zip, const aur_xlsx_options_t *options,
                                  const aur_result_column_t *columns, int ncolumns, apr_pool_t *p);
/** The style of a number format from the catalogue; -1 when it is none, or one too many. */
int xlsx_format_style(const xlsx_sheets_t *sheets, const char *format, apr_pool_t *scratch);

/** Everything that stands before the rows' own sheet. */
void xlsx_parts_before(const xlsx_sheets_t *sheets);
/** A sheet's text between two slots, which are the caller's.
 * @param after  -1: from the beginning */
void xlsx_sheet_between(const xlsx_sheets_t *sheets, xlsx_part_e part, int after,
                        xlsx_slot_e before);
/** A sheet's text behind the rows.
 * @param last  reference of the last cell: "L100001"; NULL in the sheet without a filter */
void xlsx_sheet_after(const xlsx_sheets_t *sheets, xlsx_part_e part, const char *last);
/** The workbook itself, which is written last as it names the range of the filter.
 * @param last  as "$L$100001" */
void xlsx_parts_after(const xlsx_sheets_t *sheets, const char *last);

#endif
