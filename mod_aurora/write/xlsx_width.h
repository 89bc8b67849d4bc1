/* xlsx_width.h - how wide a column has to be, in digits of the standard font. */
#ifndef AURORA_XLSX_WIDTH_H
#define AURORA_XLSX_WIDTH_H

#include "aurora/cell.h"

#define XLSX_WIDTH_MAX 60

/** Of a text's first line; characters of East Asia and beyond are twice as wide. */
int xlsx_text_width(const char *s, apr_size_t len);
int xlsx_cell_width(const aur_cell_t *cell);
/** The least that values of a type ask for. */
int xlsx_type_width(aur_type_e type);

#endif
