/* xlsx_skeleton.h - a workbook without rows, as libxlsxwriter designed it, taken apart: parts that never
 * change are kept packed and copied, the others are text with slots for what differs. */
#ifndef AURORA_XLSX_SKELETON_H
#define AURORA_XLSX_SKELETON_H

#include "aurora/writer.h"
#include "zip_stream.h"

typedef enum {
    XLSX_CONTENT_TYPES,
    XLSX_RELATIONS,
    XLSX_WORKBOOK_RELATIONS,
    XLSX_THEME,
    XLSX_STYLE_SHEET,
    XLSX_CORE,
    XLSX_APP,
    XLSX_ROWS,
    XLSX_ABOUT, /* in the workbook with two sheets only */
    XLSX_WORKBOOK,
    XLSX_PARTS
} xlsx_part_e;

typedef enum {
    XLSX_SLOT_NAME,       /* of the sheet with the rows */
    XLSX_SLOT_ABOUT_NAME, /* of the other */
    XLSX_SLOT_RANGE,      /* of the filter, sheet name included */
    XLSX_SLOT_FILTER,     /* the same without the name */
    XLSX_SLOT_TITLE,
    XLSX_SLOT_CREATED,
    XLSX_SLOT_NOTHING, /* left out */
    XLSX_SLOT_COLS,    /* <cols>...</cols> */
    XLSX_SLOT_DATA,    /* <sheetData>...</sheetData> */
    XLSX_SLOT_FORMATS, /* <numFmts count="n"> */
    XLSX_SLOT_FORMATS_END,
    XLSX_SLOT_STYLES, /* <cellXfs count="n"> */
    XLSX_SLOT_STYLES_END
} xlsx_slot_e;

typedef struct xlsx_slot_t {
    xlsx_slot_e is;
    apr_size_t from, to; /* what it takes the place of */
} xlsx_slot_t;

#define XLSX_SLOTS_MAX 4

typedef struct xlsx_part_t {
    const char *name; /* NULL: not in this workbook */
    zip_packed_t packed;
    const char *text;
    apr_size_t len;
    int nslots;
    xlsx_slot_t slots[XLSX_SLOTS_MAX];
} xlsx_part_t;

/* Styles the design has, as cells name them. */
typedef enum {
    XLSX_STYLE_HEADER,
    XLSX_STYLE_DATE,
    XLSX_STYLE_TIMESTAMP,
    XLSX_STYLE_FRACTION, /* a timestamp with fractions of a second */
    XLSX_STYLE_WHOLE,    /* whole numbers too long for the standard format */
    XLSX_STYLE_LABEL,
    XLSX_STYLE_VALUE, /* wraps */
    XLSX_STYLES
} xlsx_style_e;

typedef struct xlsx_book_t {
    xlsx_part_t parts[XLSX_PARTS];
    int styles[XLSX_STYLES];
    int nformats; /* number formats of its own, counted from XLSX_FORMAT_FIRST */
    int nstyles;
} xlsx_book_t;

/* Formats of a workbook's own have numbers from here (ECMA-376 part 1, 18.8.30). */
#define XLSX_FORMAT_FIRST 164

struct aur_xlsx_skeleton_t {
    xlsx_book_t plain, about; /* with one sheet, and with two */
};

#endif
