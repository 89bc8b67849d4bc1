/* csv_text.h - text as CSV fields: quoted only where RFC 4180 asks for it. */
#ifndef AURORA_CSV_TEXT_H
#define AURORA_CSV_TEXT_H

#include "aurora/cell.h"
#include "aurora/sink.h"

#include <stdint.h>

/* Room that every csv_put function leaves behind the field, for a delimiter or a line end. */
#define CSV_ROOM_AFTER 2

/* Texts up to here are copied while they are looked at; the quoted form of longer ones might not
 * fit into the room that a sink promises. */
#define CSV_SHORT_MAX 1024

/* What makes a field need quotes; filled once per writer. */
typedef struct csv_format_t {
    uint64_t delimiter_word;    /* the delimiter in each byte */
    unsigned char special[256]; /* delimiter, quote, CR, LF */
    unsigned char risky[256];   /* how formulas start; all 0 without formula_guard */
    const char *null_token;     /* text equal to it is quoted, so that it is no NULL */
    apr_size_t null_token_len;
} csv_format_t;

void csv_format_init(csv_format_t *f, char delimiter, const char *null_token, int formula_guard);

/** A field of any length. Leaves CSV_ROOM_AFTER bytes of room. */
void csv_put_text(aur_sink_t *sink, const csv_format_t *f, const char *s, apr_size_t len);

/** A value in pieces, text or bytes: always in quotes, and text guarded by its first byte.
 * @return as write_pieces */
apr_status_t csv_put_pieces(aur_sink_t *sink, const csv_format_t *f, aur_pieces_t *pieces);

/** The same for text that might be taken for a formula: a leading ' where f->risky says so. */
void csv_put_guarded(aur_sink_t *sink, const csv_format_t *f, const char *s, apr_size_t len);

#endif
