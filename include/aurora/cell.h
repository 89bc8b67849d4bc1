/* cell.h - typed values on their way from a database to a writer, and from a request to a bind.
 *
 * A cell owns nothing. Text and bytes point into the driver's own buffers (or into a pool, for
 * binds) and are valid until the cursor moves on. */
#ifndef AURORA_CELL_H
#define AURORA_CELL_H

#include <apr.h>
#include <apr_errno.h>

/* The type of a column, as the contract names it. TIMESTAMP_TZ is told apart because a workbook
 * has no cell for a zone; clients see both as "timestamp". */
typedef enum {
    AUR_T_TEXT = 0,
    AUR_T_NUMBER,
    AUR_T_DATE,
    AUR_T_TIMESTAMP,
    AUR_T_TIMESTAMP_TZ,
    AUR_T_BOOLEAN,
    AUR_T_BINARY
} aur_type_e;

/* What one cell holds. A cell's kind need not agree with its column's type: SQLite lets a text
 * stand in a number column, and it is then written as the text it is. */
typedef enum {
    AUR_V_NULL = 0,
    AUR_V_INT,       /* i */
    AUR_V_DOUBLE,    /* d; NaN and infinities are possible */
    AUR_V_DECIMAL,   /* s,len: canonical decimal: -?digits[.digits], no exponent, no leading '+',
                           at least one digit before the point, trailing zeros as the database gave
                           them; also NaN, Infinity, -Infinity */
    AUR_V_TEXT,      /* s,len: UTF-8, not NUL-terminated, may hold NUL */
    AUR_V_BOOL,      /* i: 0 or 1 */
    AUR_V_DATE,      /* s,len: [-]YYYY-MM-DD, four or more digits of year (astronomical, 0 = 1 BC)*/
    AUR_V_TIMESTAMP, /* s,len: date, one separator (' ' or 'T'), HH:MM:SS[.f{1,9}] */
    AUR_V_TIMESTAMP_TZ, /* s,len: as TIMESTAMP, then Z or [+-]HH[[:]MM] */
    AUR_V_BINARY,       /* s,len: raw bytes */
    AUR_V_PIECES        /* pieces: text or bytes of any length, not held as a whole */
} aur_cell_e;

/* A value that comes piece by piece, once and from its beginning on; whoever has enough of it need not read the rest.
 * Only results have such cells, never binds. */
typedef struct aur_pieces_t aur_pieces_t;
struct aur_pieces_t {
    aur_cell_e kind; /* AUR_V_TEXT or AUR_V_BINARY */
    /** The next piece, of any size; a character may be split between two.
     * @param s    valid until the next call
     * @param len  0: the value has ended, or breaks off
     * @return APR_SUCCESS; else the value breaks off, and whoever gave the cell knows why */
    apr_status_t (*next)(aur_pieces_t *pieces, const char **s, apr_size_t *len);
};

typedef struct aur_cell_t {
    aur_cell_e kind;
    apr_size_t len; /* bytes at s; 0 for the others */
    union {
        apr_int64_t i;
        double d;
        const char *s;
        aur_pieces_t *pieces;
    } v;
} aur_cell_t;

/* One column of a result, fixed for the whole result. */
typedef struct aur_result_column_t {
    const char *name;    /* key in preview rows: as the request wrote it */
    const char *display; /* display name, or name where there is none */
    const char *format;  /* workbook number format from the catalogue, or NULL */
    aur_type_e type;
} aur_result_column_t;

/** "text", "number", "date", "timestamp", "boolean", "binary". Static storage. */
const char *aur_type_name(aur_type_e type);
/** The contract's base_type: "numeric", "date" (dates and timestamps), "text", "other". */
const char *aur_type_base_name(aur_type_e type);

#endif
