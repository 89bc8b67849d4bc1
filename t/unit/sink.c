/* sink: constant memory, nothing lost, nothing passed too early or empty, soft failure. */
#include "aurora/sink.h"
#include "tap.h"

#include <apr_general.h>
#include <stdint.h>

#define BYTES AUR_SINK_ROOM_MAX
#define KEEP  (1 << 20)

/* What came down, and how. */
typedef struct log_t {
    char data[KEEP];
    apr_size_t len;
    int passes, lasts, buckets, empty_buckets, empty_passes;
    int max_buckets;
    int after_last; /* passes behind the last one */
    int fail_on;    /* fail at this pass; 0: never */
    int leave;      /* leave the buckets in the brigade */
    int started_seen;
    aur_sink_t *sink;
} log_t;

static log_t seen;

static apr_status_t collect(void *ctx, apr_bucket_brigade *bb, int last)
{
    log_t *log = ctx;
    apr_bucket *b;
    int n = 0;

    log->passes++;
    log->after_last += log->lasts;
    log->lasts += last;
    log->started_seen = aur_sink_started(log->sink);
    if (log->fail_on == log->passes) {
        return APR_ECONNABORTED;
    }
    for (b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb); b = APR_BUCKET_NEXT(b)) {
        const char *s;
        apr_size_t len;
        if (apr_bucket_read(b, &s, &len, APR_BLOCK_READ) != APR_SUCCESS || log->len + len > KEEP) {
            return APR_EGENERAL;
        }
        memcpy(log->data + log->len, s, len);
        log->len += len;
        log->buckets++;
        log->empty_buckets += len == 0;
        n++;
    }
    log->empty_passes += n == 0 && !last;
    log->max_buckets = n > log->max_buckets ? n : log->max_buckets;
    return log->leave ? APR_SUCCESS : apr_brigade_cleanup(bb);
}

static aur_sink_t *start(apr_size_t count, apr_pool_t *p)
{
    memset(&seen, 0, sizeof(seen));
    seen.sink = aur_sink_create(count, BYTES, apr_bucket_alloc_create(p), collect, &seen, p);
    return seen.sink;
}

static char pattern(apr_size_t i)
{
    return (char)('!' + i % 89);
}

static void feed(aur_sink_t *sink, apr_size_t from, apr_size_t n)
{
    static char chunk[KEEP];
    apr_size_t i;

    for (i = 0; i < n; i++) {
        chunk[i] = pattern(from + i);
    }
    aur_sink_write(sink, chunk, n);
}

static int intact(apr_size_t n)
{
    apr_size_t i;

    for (i = 0; i < seen.len; i++) {
        if (seen.data[i] != pattern(i)) {
            return 0;
        }
    }
    return seen.len == n;
}

static void test_hold(apr_pool_t *p)
{
    aur_sink_t *sink = start(3, p);

    feed(sink, 0, 3 * BYTES);
    is_int(seen.passes, 0, "full buffers wait until one more byte is due");
    ok(!aur_sink_started(sink), "nothing has started");
    is_int((long long)aur_sink_bytes(sink), 3 * BYTES, "bytes count before they are passed");
    feed(sink, 3 * BYTES, 1);
    is_int(seen.passes, 1, "then all go in one brigade");
    is_int(seen.buckets, 3, "a bucket for each buffer");
    ok(aur_sink_started(sink) && seen.started_seen, "started, as pass itself can see");
    feed(sink, 3 * BYTES + 1, BYTES - 1);
    is_int(seen.passes, 1, "the next one fills up");
    feed(sink, 4 * BYTES, 1);
    is_int(seen.passes, 2, "and goes by itself when it is full");
    is_int(seen.buckets, 4, "one bucket");
    feed(sink, 4 * BYTES + 1, 10 * BYTES);
    is_int(seen.passes, 12, "so does every later one");
    is_int(seen.lasts, 0, "none is the last");
    is_int(aur_sink_finish(sink), APR_SUCCESS, "finished");
    is_int(seen.lasts, 1, "now the last came");
    ok(intact(14 * BYTES + 1), "every byte came through in order");
    is_int((long long)aur_sink_bytes(sink), 14 * BYTES + 1, "and was counted");
    is_int(seen.empty_buckets + seen.empty_passes, 0, "nothing empty was passed");
}

static void test_small(apr_pool_t *p)
{
    aur_sink_t *sink = start(2, p);

    feed(sink, 0, 10);
    is_int(aur_sink_finish(sink), APR_SUCCESS, "a short body");
    ok(seen.passes == 1 && seen.lasts == 1 && intact(10), "goes in one last brigade");
    (void)aur_sink_finish(sink);
    aur_sink_flush(sink);
    feed(sink, 10, 5 * BYTES);
    ok(seen.passes == 1 && (long long)aur_sink_bytes(sink) == 10,
       "nothing follows the last brigade");

    sink = start(2, p);
    is_int(aur_sink_finish(sink), APR_SUCCESS, "an empty body");
    ok(seen.passes == 1 && seen.lasts == 1 && seen.buckets == 0, "is an empty last brigade");

    sink = start(1, p);
    feed(sink, 0, BYTES);
    (void)aur_sink_finish(sink);
    ok(seen.passes == 1 && intact(BYTES), "a body of exactly one buffer is one brigade");

    sink = start(0, p);
    feed(sink, 0, 3 * BYTES);
    (void)aur_sink_finish(sink);
    ok(intact(3 * BYTES), "a sink of no buffers has one all the same");

    memset(&seen, 0, sizeof(seen));
    seen.sink = sink = aur_sink_create(2, 1, apr_bucket_alloc_create(p), collect, &seen, p);
    ok(sink->end - aur_sink_room(sink, AUR_SINK_ROOM_MAX) >= AUR_SINK_ROOM_MAX,
       "a buffer is never smaller than the room that may be asked for");
}

static void test_flush_reset(apr_pool_t *p)
{
    aur_sink_t *sink = start(3, p);
    int i;

    aur_sink_flush(sink);
    for (i = 0; i < 10; i++) {
        aur_sink_next(sink);
    }
    ok(seen.passes == 0 && !aur_sink_started(sink), "flushing nothing passes nothing");
    feed(sink, 7, 2 * BYTES + 5);
    aur_sink_reset(sink);
    is_int((long long)aur_sink_bytes(sink), 0, "reset forgets what was not passed");
    feed(sink, 0, BYTES + 5);
    aur_sink_flush(sink);
    ok(seen.passes == 1 && seen.lasts == 0 && seen.buckets == 2 && intact(BYTES + 5),
       "flush passes what is there");
    aur_sink_flush(sink);
    is_int(seen.passes, 1, "once");
    feed(sink, BYTES + 5, 10);
    aur_sink_reset(sink);
    (void)aur_sink_finish(sink);
    ok(intact(BYTES + 15), "reset after the first pass drops nothing");
    is_int(seen.lasts, 1, "and the body ends");
}

static void test_failure(apr_pool_t *p)
{
    aur_sink_t *sink = start(2, p);
    apr_uint64_t bytes;
    int i;

    seen.fail_on = 2;
    feed(sink, 0, 2 * BYTES + 1);
    is_int(sink->status, APR_SUCCESS, "the first pass is well");
    feed(sink, 0, BYTES);
    is_int(sink->status, APR_ECONNABORTED, "the second fails, and its status stands");
    bytes = aur_sink_bytes(sink);
    is_int((long long)bytes, 3 * BYTES, "what was written until then is counted");
    for (i = 0; i < 1000; i++) {
        char *at = aur_sink_room(sink, AUR_SINK_ROOM_MAX);
        memset(at, 'x', AUR_SINK_ROOM_MAX);
        aur_sink_advance(sink, at + AUR_SINK_ROOM_MAX);
        aur_sink_byte(sink, 'y');
        feed(sink, 0, 3 * BYTES);
        aur_sink_flush(sink);
    }
    is_int(aur_sink_finish(sink), APR_ECONNABORTED, "finish tells the failure");
    is_int(seen.passes, 2, "nothing is passed after it");
    is_int((long long)aur_sink_bytes(sink), (long long)bytes, "nor counted");

    sink = start(1, p);
    seen.fail_on = 1;
    feed(sink, 0, 10);
    is_int(aur_sink_finish(sink), APR_ECONNABORTED, "a failure of the last pass is told");
    ok(aur_sink_started(sink), "it had started");
}

/* Rooms and writes of random size against the bytes they must add up to. */
static void test_random(apr_pool_t *p)
{
    uint64_t seed = 88172645463325252u;
    int round, bad = 0, waste = 0;

    for (round = 0; round < 300; round++) {
        aur_sink_t *sink = start(1 + (apr_size_t)round % 4, p);
        apr_size_t total = 0;
        int step;
        seen.leave = round % 2;
        for (step = 0; step < 100; step++) {
            apr_size_t n;
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            n = (apr_size_t)(seed >> 20) % (step % 10 ? 300 : 3 * BYTES);
            if (seed % 3 == 0 && n <= AUR_SINK_ROOM_MAX) {
                char *at = aur_sink_room(sink, n);
                apr_size_t i;
                waste += (apr_size_t)(sink->end - at) < n;
                for (i = 0; i < n; i++) {
                    at[i] = pattern(total + i);
                }
                aur_sink_advance(sink, at + n);
            }
            else if (seed % 31 == 0) {
                n = 0;
                aur_sink_flush(sink);
            }
            else {
                feed(sink, total, n);
            }
            total += n;
        }
        bad += aur_sink_finish(sink) != APR_SUCCESS || !intact(total) ||
               aur_sink_bytes(sink) != total || seen.empty_buckets || seen.empty_passes ||
               seen.lasts != 1 || seen.after_last || seen.max_buckets > 1 + round % 4;
    }
    is_int(bad, 0, "any mix of rooms, writes and flushes arrives whole and in order");
    is_int(waste, 0, "the room asked for is there");
}

int main(void)
{
    apr_pool_t *p;

    apr_initialize();
    apr_pool_create(&p, NULL);
    test_hold(p);
    test_small(p);
    test_flush_reset(p);
    test_failure(p);
    test_random(p);
    apr_pool_destroy(p);
    apr_terminate();
    return tap_done();
}
