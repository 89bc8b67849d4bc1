/* xml_out.h - text on its way into an entry of a ZIP: one buffer, written to like a sink's. */
#ifndef AURORA_XML_OUT_H
#define AURORA_XML_OUT_H

#include "zip_stream.h"

/* The most that xml_room may be asked for. */
#define XML_ROOM_MAX  4096
#define XML_OUT_BYTES 65536

typedef struct xml_out_t {
    char *pos, *end;
    char *buffer;
    zip_stream_t *zip;
    /* NULL, or called once before the first bytes leave: what has to stand before them can still be
     * written straight into the zip. */
    void (*first)(void *ctx);
    void *ctx;
} xml_out_t;

static inline void xml_out_init(xml_out_t *out, zip_stream_t *zip, apr_pool_t *p)
{
    out->zip = zip;
    out->buffer = out->pos = apr_palloc(p, XML_OUT_BYTES);
    out->end = out->buffer + XML_OUT_BYTES;
    out->first = NULL;
    out->ctx = NULL;
}

/** Pack what is there; the buffer is empty then. */
static inline void xml_spill(xml_out_t *out)
{
    void (*first)(void *ctx) = out->first;

    if (first) {
        out->first = NULL;
        first(out->ctx);
    }
    zip_stream_write(out->zip, out->buffer, (apr_size_t)(out->pos - out->buffer));
    out->pos = out->buffer;
}

/** At least n <= XML_ROOM_MAX writable bytes; out->pos is set to the end of what was written. */
static inline char *xml_room(xml_out_t *out, apr_size_t n)
{
    if ((apr_size_t)(out->end - out->pos) < n) {
        xml_spill(out);
    }
    return out->pos;
}

/** A string literal at `at`. */
#define xml_lit(at, literal)                                                                       \
    ((char *)memcpy((at), literal, sizeof(literal) - 1) + sizeof(literal) - 1)

#endif
