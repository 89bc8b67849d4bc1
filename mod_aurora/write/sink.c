#include "aurora/sink.h"

typedef struct aur_sink_private_t sink_private_t;
struct aur_sink_private_t {
    apr_size_t count, bytes;
    char **buffers;
    apr_size_t *used;      /* bytes of each held buffer */
    apr_size_t held;       /* full buffers that wait; the next one is being filled */
    apr_uint64_t finished; /* bytes of buffers that were closed, passed or not */
    apr_bucket_alloc_t *ba;
    apr_bucket_brigade *bb;
    aur_sink_pass_fn *pass;
    void *ctx;
    int started, ended;
};

static void fill_from(aur_sink_t *sink, apr_size_t index)
{
    sink->pos = sink->priv->buffers[index];
    sink->end = sink->pos + sink->priv->bytes;
}

aur_sink_t *aur_sink_create(apr_size_t count, apr_size_t bytes, apr_bucket_alloc_t *ba,
                            aur_sink_pass_fn *pass, void *ctx, apr_pool_t *p)
{
    aur_sink_t *sink = apr_pcalloc(p, sizeof(*sink));
    sink_private_t *priv = apr_pcalloc(p, sizeof(*priv));
    apr_size_t i;

    priv->count = count > 0 ? count : 1;
    priv->bytes = bytes > AUR_SINK_ROOM_MAX ? bytes : AUR_SINK_ROOM_MAX;
    priv->buffers = apr_palloc(p, priv->count * sizeof(*priv->buffers));
    priv->used = apr_pcalloc(p, priv->count * sizeof(*priv->used));
    for (i = 0; i < priv->count; i++) {
        priv->buffers[i] = apr_palloc(p, priv->bytes);
    }
    priv->ba = ba;
    priv->bb = apr_brigade_create(p, ba);
    priv->pass = pass;
    priv->ctx = ctx;
    sink->priv = priv;
    sink->status = APR_SUCCESS;
    fill_from(sink, 0);
    return sink;
}

static apr_size_t in_buffer(const aur_sink_t *sink)
{
    return (apr_size_t)(sink->pos - sink->priv->buffers[sink->priv->held]);
}

/* Set the buffer that is being filled aside. */
static void buffer_close(aur_sink_t *sink)
{
    sink_private_t *priv = sink->priv;

    priv->used[priv->held] = in_buffer(sink);
    priv->finished += priv->used[priv->held];
    priv->held++;
}

/* Hand down everything set aside and start over with the first buffer. */
static void pass_held(aur_sink_t *sink, int last)
{
    sink_private_t *priv = sink->priv;
    apr_size_t i;

    for (i = 0; i < priv->held; i++) {
        if (priv->used[i] > 0) {
            apr_bucket *b = apr_bucket_transient_create(priv->buffers[i], priv->used[i], priv->ba);
            APR_BRIGADE_INSERT_TAIL(priv->bb, b);
        }
    }
    priv->started = 1;
    sink->status = priv->pass(priv->ctx, priv->bb, last);
    /* Whatever pass left in it points into buffers that are about to be overwritten. */
    (void)apr_brigade_cleanup(priv->bb);
    priv->held = 0;
    fill_from(sink, 0);
}

/* After a failure or the end, bytes have nowhere to go. */
static int is_over(const aur_sink_t *sink)
{
    return sink->status != APR_SUCCESS || sink->priv->ended;
}

void aur_sink_next(aur_sink_t *sink)
{
    sink_private_t *priv = sink->priv;

    if (is_over(sink)) {
        fill_from(sink, 0);
        return;
    }
    if (in_buffer(sink) == 0) {
        return;
    }
    buffer_close(sink);
    if (priv->started || priv->held == priv->count) {
        pass_held(sink, 0);
    }
    else {
        fill_from(sink, priv->held);
    }
}

void aur_sink_write_long(aur_sink_t *sink, const char *s, apr_size_t len)
{
    while (len > 0 && !is_over(sink)) {
        apr_size_t room = (apr_size_t)(sink->end - sink->pos);
        apr_size_t n = len < room ? len : room;
        memcpy(sink->pos, s, n);
        sink->pos += n;
        s += n;
        len -= n;
        if (len > 0) {
            aur_sink_next(sink);
        }
    }
}

void aur_sink_flush(aur_sink_t *sink)
{
    if (is_over(sink)) {
        return;
    }
    if (in_buffer(sink) > 0) {
        buffer_close(sink);
    }
    if (sink->priv->held > 0) {
        pass_held(sink, 0);
    }
}

apr_status_t aur_sink_finish(aur_sink_t *sink)
{
    if (!is_over(sink)) {
        buffer_close(sink);
        pass_held(sink, 1);
        sink->priv->ended = 1;
    }
    return sink->status;
}

void aur_sink_reset(aur_sink_t *sink)
{
    if (sink->priv->started) {
        return;
    }
    sink->priv->held = 0;
    sink->priv->finished = 0;
    fill_from(sink, 0);
}

int aur_sink_started(const aur_sink_t *sink)
{
    return sink->priv->started;
}

apr_uint64_t aur_sink_bytes(const aur_sink_t *sink)
{
    return sink->priv->finished + (is_over(sink) ? 0 : in_buffer(sink));
}
