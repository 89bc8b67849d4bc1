/* json_out.h - JSON text into a sink: strings escaped, numbers exact. For the preview writer and for
 * every small JSON answer of http/ alike. Knows base/ and the sink. */
#ifndef AURORA_JSON_OUT_H
#define AURORA_JSON_OUT_H

#include "aurora/cell.h"
#include "aurora/sink.h"

/** A JSON string with its quotes. Malformed UTF-8 becomes U+FFFD, one for each bad byte. */
void aur_json_string(aur_sink_t *sink, const char *s, apr_size_t len);
/** A NUL-terminated string, or null when s is NULL. */
void aur_json_cstring(aur_sink_t *sink, const char *s);
/** An integer, always as a JSON number. */
void aur_json_int(aur_sink_t *sink, apr_int64_t i);
/** true or false. */
void aur_json_bool(aur_sink_t *sink, int on);
/** A cell as previews show it (api.md): a number where a double keeps every digit, else a string;
 * dates and timestamps as ISO 8601 strings with 'T'; binary as base64; NULL as null.
 * @return APR_SUCCESS, whatever became of the bytes; of a value in pieces what its `next` returned, or the sink's
 *         status as soon as that has failed */
apr_status_t aur_json_cell(aur_sink_t *sink, const aur_cell_t *cell);
/** A string literal, as it is. */
#define aur_json_lit(sink, literal) aur_sink_write((sink), "" literal "", sizeof(literal) - 1)

#endif
