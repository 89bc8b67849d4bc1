#include "xlsx_width.h"

#include "aurora/number.h"

#define WIDTH_MIN 8

int xlsx_text_width(const char *s, apr_size_t len)
{
    int width = 0;
    apr_size_t i;

    for (i = 0; i < len && s[i] != '\n' && width < XLSX_WIDTH_MAX; i++) {
        unsigned char c = (unsigned char)s[i];
        width += (c < 0x80 || c >= 0xc0) + (c >= 0xe3);
    }
    return width;
}

int xlsx_cell_width(const aur_cell_t *cell)
{
    char text[AUR_DOUBLE_TEXT_MAX];

    switch (cell->kind) {
    case AUR_V_INT:
        return (int)aur_int_write(text, cell->v.i) + 1;
    case AUR_V_DOUBLE:
        return (int)aur_double_write(text, cell->v.d) + 1;
    case AUR_V_BINARY:
        return cell->len < XLSX_WIDTH_MAX ? (int)cell->len * 4 / 3 : XLSX_WIDTH_MAX;
    case AUR_V_PIECES: /* not looked at before its turn */
        return XLSX_WIDTH_MAX;
    case AUR_V_TEXT:
    case AUR_V_DECIMAL:
    case AUR_V_DATE:
    case AUR_V_TIMESTAMP:
    case AUR_V_TIMESTAMP_TZ:
        return xlsx_text_width(cell->v.s, cell->len) + 1;
    case AUR_V_NULL:
    case AUR_V_BOOL:
        break;
    }
    return 0;
}

int xlsx_type_width(aur_type_e type)
{
    switch (type) {
    case AUR_T_DATE:
        return 11;
    case AUR_T_TIMESTAMP:
        return 20;
    case AUR_T_TIMESTAMP_TZ:
        return 26;
    case AUR_T_NUMBER:
        return 10;
    case AUR_T_TEXT:
    case AUR_T_BOOLEAN:
    case AUR_T_BINARY:
        break;
    }
    return WIDTH_MIN;
}
