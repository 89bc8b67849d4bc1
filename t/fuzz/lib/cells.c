/* cells.c - see cells.h. */
#include "cells.h"

#include <string.h>

#define SWELL_MAX 40000 /* more than a workbook's cell can hold */

static const aur_cell_e kinds[] = {
    AUR_V_NULL, AUR_V_INT,       AUR_V_DOUBLE,    AUR_V_DECIMAL,      AUR_V_TEXT,   AUR_V_BOOL,
    AUR_V_DATE, AUR_V_TIMESTAMP, AUR_V_TIMESTAMP, AUR_V_TIMESTAMP_TZ, AUR_V_BINARY, AUR_V_TEXT,
    AUR_V_TEXT, AUR_V_DECIMAL,   AUR_V_TEXT,      AUR_V_NULL};

static uint64_t eight(fuzz_in_t *in)
{
    uint64_t bits = 0;
    int i;

    for (i = 0; i < 8; i++) {
        bits = bits << 8 | fuzz_byte(in);
    }
    return bits;
}

/* The text itself, exactly sized and without a NUL behind it, or many of it. */
static void text_set(aur_cell_t *cell, fuzz_text_t text, int many, apr_pool_t *p)
{
    apr_size_t times = many && text.len > 0 ? SWELL_MAX / text.len : 1, i;
    char *exact = apr_palloc(p, text.len * times);

    for (i = 0; i < times && text.len > 0; i++) {
        memcpy(exact + i * text.len, text.s, text.len);
    }
    cell->v.s = exact;
    cell->len = text.len * times;
}

static void cell_read(aur_cell_t *cell, fuzz_in_t *in, int *swell, apr_pool_t *p)
{
    unsigned how = fuzz_byte(in);
    uint64_t bits;

    cell->kind = kinds[how % 16];
    cell->len = 0;
    switch (cell->kind) {
    case AUR_V_NULL:
        cell->v.i = 0;
        break;
    case AUR_V_BOOL:
        cell->v.i = how / 16 % 2;
        break;
    case AUR_V_INT:
        bits = eight(in);
        memcpy(&cell->v.i, &bits, sizeof(cell->v.i));
        break;
    case AUR_V_DOUBLE:
        bits = eight(in);
        memcpy(&cell->v.d, &bits, sizeof(cell->v.d));
        break;
    default:
        text_set(cell, fuzz_field(in, p), *swell && how >= 240, p);
        *swell = *swell && how < 240;
        break;
    }
}

const cells_t *cells_read(fuzz_in_t *in, apr_pool_t *p)
{
    cells_t *cells = apr_pcalloc(p, sizeof(*cells));
    unsigned shape = fuzz_byte(in);
    int swell = 1, i, j;

    cells->ncolumns = 1 + (int)(shape % CELLS_COLUMNS_MAX);
    cells->nrows = (int)(shape / 16 % (CELLS_ROWS_MAX + 1));
    for (i = 0; i < cells->ncolumns; i++) {
        cells->columns[i].type = (aur_type_e)(fuzz_byte(in) % (AUR_T_BINARY + 1));
        cells->columns[i].name = fuzz_name(in, p);
        cells->columns[i].display = fuzz_name(in, p);
    }
    for (j = 0; j < cells->nrows; j++) {
        for (i = 0; i < cells->ncolumns; i++) {
            cell_read(&cells->rows[j][i], in, &swell, p);
        }
    }
    return cells;
}

const char *cells_kind(aur_cell_e kind)
{
    static const char *const names[] = {"NULL", "INT",  "DOUBLE",    "DECIMAL",      "TEXT",
                                        "BOOL", "DATE", "TIMESTAMP", "TIMESTAMP_TZ", "BINARY"};

    return names[kind];
}

fuzz_text_t cells_base64(const char *s, apr_size_t len, apr_pool_t *p)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *out = apr_palloc(p, len * 2 + 8);
    fuzz_text_t text = {out, 0};
    unsigned held = 0;
    int bits = 0;
    apr_size_t i;

    for (i = 0; i < len; i++) {
        held = held << 8 | (unsigned char)s[i];
        for (bits += 8; bits >= 6; bits -= 6) {
            out[text.len++] = letters[held >> (bits - 6) & 63];
        }
    }
    if (bits > 0) {
        out[text.len++] = letters[held << (6 - bits) & 63];
    }
    while (text.len % 4 != 0) {
        out[text.len++] = '=';
    }
    out[text.len] = '\0';
    return text;
}
