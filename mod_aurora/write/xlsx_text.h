/* xlsx_text.h - what a workbook asks of text, dates and names. */
#ifndef AURORA_XLSX_TEXT_H
#define AURORA_XLSX_TEXT_H

#include <apr_pools.h>

#include "aurora/cell.h"

#define XLSX_TEXT_MAX  32767                     /* UTF-16 units of a cell's text */
#define XLSX_BYTES_MAX (XLSX_TEXT_MAX / 4 * 3)   /* what base64 makes that text of: whole groups */
#define XLSX_HELD_MAX  (3 * (XLSX_TEXT_MAX + 1)) /* a unit has no more than three bytes of UTF-8 */
#define XLSX_NAME_MAX  31                        /* UTF-16 units of a sheet's name */
#define XLSX_GROWTH    7                         /* a byte may become _xHHHH_ */
#define XLSX_PIECE_MAX 512

/** Escape s[0..n) as the text of an element (ECMA-376 part 1, 22.9.2.19 ST_Xstring): what XML forbids
 * becomes _xHHHH_, text that reads like that has its underscore escaped, CR is a character reference as
 * it would not survive the parser, each malformed byte is U+FFFD.
 * @param at   room for XLSX_GROWTH * (n + 3) bytes
 * @param s    advanced; up to three bytes further than n to the end of a character
 * @param n    at most XLSX_PIECE_MAX
 * @param end  of the whole text
 * @return end of what was written */
char *xlsx_text_into(char *at, const char **s, apr_size_t n, const char *end);

/** Bytes of the longest prefix of at most `units` UTF-16 units that ends on a character boundary. */
apr_size_t xlsx_text_clip(const char *s, apr_size_t len, apr_size_t units);

/** As much of a value in pieces as decides what its cell shows, cut or not; the rest is not asked for.
 * @param cell  set to an ordinary one, at `held`
 * @param held  room for XLSX_HELD_MAX
 * @return APR_SUCCESS, or that the value broke off */
apr_status_t xlsx_hold(aur_cell_t *cell, char *held, aur_pieces_t *pieces);

/** As xlsx_text_into for attributes and small texts; quotes are escaped, too. @return from p */
const char *xlsx_text_escape(const char *s, apr_pool_t *p);

/** A legal sheet name nearest to the text: at most 31 UTF-16 units, none of []:*?/\ or control characters,
 * no apostrophe at either end, not "History", never empty. @return from p */
const char *xlsx_sheet_name(const char *text, apr_pool_t *p);

/** The day of YYYY-MM-DD in the 1900 date system, from 1900-03-01 (61) to 9999-12-31; before that the
 * system has a day that never was, and programs disagree. @return whether it has one */
int xlsx_day(apr_int32_t *day, const char *s, apr_size_t len);

#define XLSX_SERIAL_MAX 24
/** Write the serial number of a timestamp without zone, rounded up to a multiple of 864 nanoseconds: programs
 * that cut the seconds of a number instead of rounding them would show the second before. What is later than a
 * day's last millisecond is that millisecond, as programs that round would show the next day.
 * @param out         room for XLSX_SERIAL_MAX
 * @param fractional  whether it has a fraction of a second
 * @return bytes; 0 when the 1900 system has no number for it, or it is no timestamp */
apr_size_t xlsx_serial_write(char *out, int *fractional, const char *s, apr_size_t len);

#endif
