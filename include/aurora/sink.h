/* sink.h - where writers put bytes: a fixed set of buffers that become buckets and are used again.
 *
 * Memory of a sink is constant: `count` buffers of `bytes` each, from the pool given. Bytes are
 * collected until every buffer is full; then one brigade with a transient bucket per buffer goes
 * to `pass`, and from the first pass on each single full buffer goes down by itself. `pass` must not
 * return before the bytes are written or copied (http/ ends the brigade with a FLUSH bucket, so the
 * client's reading is the back-pressure). Until the first pass nothing has left: an error can
 * still become a proper answer (aur_sink_started).
 *
 * Writers never check single writes: after a failure bytes are counted no more and dropped, and
 * the status stands in `status` for the next look. Not thread-safe: one request, one sink. */
#ifndef AURORA_SINK_H
#define AURORA_SINK_H

#include <apr_buckets.h>
#include <string.h>

/* The most that aur_sink_room may be asked for. */
#define AUR_SINK_ROOM_MAX     4096
#define AUR_SINK_BUFFER_BYTES 65536

/** Takes the brigade (its buckets point into the sink's buffers) and empties it.
 * @param last  the body ends with this brigade */
typedef apr_status_t aur_sink_pass_fn(void *ctx, apr_bucket_brigade *bb, int last);

typedef struct aur_sink_t aur_sink_t;
struct aur_sink_t {
    char *pos; /* next free byte; only the inline functions below and sink.c touch these */
    char *end; /* end of the buffer being filled */
    apr_status_t status; /* APR_SUCCESS until a pass failed; then its status, for good */
    struct aur_sink_private_t *priv;
};

/** @param count  buffers, at least 1; bytes each, at least AUR_SINK_ROOM_MAX */
aur_sink_t *aur_sink_create(apr_size_t count, apr_size_t bytes, apr_bucket_alloc_t *ba,
                            aur_sink_pass_fn *pass, void *ctx, apr_pool_t *p);

/** The buffer is full: start the next one, or pass. Leaves at least AUR_SINK_ROOM_MAX bytes. */
void aur_sink_next(aur_sink_t *sink);

/** At least n <= AUR_SINK_ROOM_MAX writable bytes, to be followed by aur_sink_advance. */
static inline char *aur_sink_room(aur_sink_t *sink, apr_size_t n)
{
    if ((apr_size_t)(sink->end - sink->pos) < n) {
        aur_sink_next(sink);
    }
    return sink->pos;
}
/** Say up to where the room was used. */
static inline void aur_sink_advance(aur_sink_t *sink, char *pos)
{
    sink->pos = pos;
}

/** Bytes of any number, copied. */
void aur_sink_write_long(aur_sink_t *sink, const char *s, apr_size_t len);
static inline void aur_sink_write(aur_sink_t *sink, const char *s, apr_size_t len)
{
    if ((apr_size_t)(sink->end - sink->pos) >= len) {
        memcpy(sink->pos, s, len);
        sink->pos += len;
    }
    else {
        aur_sink_write_long(sink, s, len);
    }
}
static inline void aur_sink_byte(aur_sink_t *sink, char c)
{
    char *at = aur_sink_room(sink, 1);
    *at = c;
    aur_sink_advance(sink, at + 1);
}

/** Pass what is there now, without ending the body (an export's first rows). */
void aur_sink_flush(aur_sink_t *sink);
/** Pass the rest and end the body. @return status */
apr_status_t aur_sink_finish(aur_sink_t *sink);
/** Drop what has not been passed yet: an error answer takes its place. Only before the first pass. */
void aur_sink_reset(aur_sink_t *sink);
/** Has anything been handed to `pass` yet? */
int aur_sink_started(const aur_sink_t *sink);
/** Bytes written so far, passed or not. */
apr_uint64_t aur_sink_bytes(const aur_sink_t *sink);

#endif
