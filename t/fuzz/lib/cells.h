/* cells.h - a small result made of an input, for the targets of the writers: a few columns with names, and rows
 * of cells of any kind. A cell's text need not be what its kind promises, as in SQLite. */
#ifndef AURORA_FUZZ_CELLS_H
#define AURORA_FUZZ_CELLS_H

#include "aurora/cell.h"
#include "fuzz.h"

#define CELLS_COLUMNS_MAX 4
#define CELLS_ROWS_MAX    4

typedef struct cells_t {
    int ncolumns, nrows;
    aur_result_column_t columns[CELLS_COLUMNS_MAX];
    aur_cell_t rows[CELLS_ROWS_MAX][CELLS_COLUMNS_MAX];
} cells_t;

/** One of the texts may be repeated until it is longer than any buffer. */
const cells_t *cells_read(fuzz_in_t *in, apr_pool_t *p);

/** "a NUMBER cell", "a TEXT cell" … for messages. Static storage. */
const char *cells_kind(aur_cell_e kind);
/** Bytes as base64 (RFC 4648). */
fuzz_text_t cells_base64(const char *s, apr_size_t len, apr_pool_t *p);

#endif
