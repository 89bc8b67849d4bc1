#include "write_private.h"

apr_status_t write_pieces(aur_sink_t *sink, aur_pieces_t *pieces, write_piece_fn *put, void *ctx)
{
    const char *s;
    apr_size_t len;
    apr_status_t rv;

    for (;;) {
        rv = pieces->next(pieces, &s, &len);
        if (rv != APR_SUCCESS || len == 0) {
            return rv;
        }
        put(ctx, s, len);
        if (sink->status != APR_SUCCESS) {
            return sink->status; /* nobody is there for the rest */
        }
    }
}

/* Bytes that do not make a group of three yet. */
typedef struct groups_t {
    aur_sink_t *sink;
    char open[3];
    apr_size_t n;
} groups_t;

static void put_groups(void *ctx, const char *s, apr_size_t len)
{
    groups_t *g = ctx;
    apr_size_t rest;

    while (g->n > 0 && g->n < sizeof(g->open) && len > 0) {
        g->open[g->n++] = *s++;
        len--;
    }
    if (g->n == sizeof(g->open)) {
        write_base64(g->sink, g->open, g->n);
        g->n = 0;
    }
    rest = len % sizeof(g->open);
    write_base64(g->sink, s, len - rest);
    if (rest > 0) {
        memcpy(g->open, s + len - rest, rest);
        g->n = rest;
    }
}

apr_status_t write_base64_pieces(aur_sink_t *sink, aur_pieces_t *pieces)
{
    groups_t g = {.sink = sink};
    apr_status_t rv = write_pieces(sink, pieces, put_groups, &g);

    if (rv == APR_SUCCESS) {
        write_base64(sink, g.open, g.n);
    }
    return rv;
}
