/* write_private.h - what the writers share: timestamps in one form, base64, JSON strings in memory.
 */
#ifndef AURORA_WRITE_PRIVATE_H
#define AURORA_WRITE_PRIVATE_H

#include "aurora/cell.h"
#include "aurora/datetime.h"
#include "aurora/sink.h"

/** Write a TIMESTAMP or TIMESTAMP_TZ cell with `sep` between date and time and the zone as Z or
 * +HH:MM, all digits as they are; only the shape is checked (aur_datetime_parse checks days and
 * hours).
 * @param out  room for AUR_DATETIME_TEXT_MAX
 * @return bytes; 0 when the cell does not look like one, and is to be copied as it is */
apr_size_t write_timestamp(char *out, char sep, const aur_cell_t *cell);

/** Bytes as base64 (RFC 4648 section 4, padded). */
void write_base64(aur_sink_t *sink, const char *s, apr_size_t len);
/** The same into memory: room for (len + 2) / 3 * 4 bytes. @return end of what was written */
char *write_base64_into(char *at, const char *s, apr_size_t len);

typedef void write_piece_fn(void *ctx, const char *s, apr_size_t len);
/** Hand each piece of a value to `put`.
 * @return APR_SUCCESS at its end; the sink's status, as soon as that has failed; else the value broke off */
apr_status_t write_pieces(aur_sink_t *sink, aur_pieces_t *pieces, write_piece_fn *put, void *ctx);
/** As write_base64, of pieces. @return as write_pieces */
apr_status_t write_base64_pieces(aur_sink_t *sink, aur_pieces_t *pieces);

/** As aur_json_string, into memory. @return bytes, at most json_string_bound(len) */
apr_size_t json_string_into(char *out, const char *s, apr_size_t len);
apr_size_t json_string_bound(apr_size_t len);

#endif
