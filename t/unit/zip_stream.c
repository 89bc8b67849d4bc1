/* zip_stream: archives written front to back, that readers of the central directory unpack; ZIP64 where
 * 32 bits end, and only there. */
#include "aurora/sink.h"
#include "tap.h"
#include "write/zip_stream.h"

#include <apr_general.h>
#include <stdint.h>
#include <stdlib.h>

#define KEEP (4 << 20)
#define TAIL 4096

static char kept[KEEP], tail[2 * TAIL];
static apr_uint64_t total;
static apr_size_t ntail;
static apr_status_t pass_status;
static apr_pool_t *pool;
static apr_bucket_alloc_t *ba;

/* The beginning and the end of what came. */
static void keep(const char *s, apr_size_t len)
{
    apr_size_t room = total < KEEP ? KEEP - (apr_size_t)total : 0;

    memcpy(kept + (KEEP - room), s, len < room ? len : room);
    total += len;
    if (len > TAIL) {
        s += len - TAIL;
        len = TAIL;
        ntail = 0;
    }
    if (ntail + len > sizeof(tail)) {
        memmove(tail, tail + ntail - TAIL, TAIL);
        ntail = TAIL;
    }
    memcpy(tail + ntail, s, len);
    ntail += len;
}

static apr_status_t collect(void *ctx, apr_bucket_brigade *bb, int last)
{
    apr_bucket *b;

    for (b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb); b = APR_BUCKET_NEXT(b)) {
        const char *s;
        apr_size_t len;
        if (apr_bucket_read(b, &s, &len, APR_BLOCK_READ) == APR_SUCCESS) {
            keep(s, len);
        }
    }
    (void)apr_brigade_cleanup(bb);
    return pass_status;
}

static aur_sink_t *new_sink(apr_pool_t *p)
{
    total = ntail = 0;
    pass_status = APR_SUCCESS;
    return aur_sink_create(1, AUR_SINK_BUFFER_BYTES, ba, collect, NULL, p);
}

/* --- small archives ---------------------------------------------------------------------------- */

static void check_text(const char *name, const char *want, apr_size_t len, const char *what)
{
    zip_packed_t packed;
    const char *text = NULL;
    apr_status_t rv = zip_find(&packed, kept, (apr_size_t)total, name);

    is_int(rv, APR_SUCCESS, what);
    if (rv == APR_SUCCESS) {
        rv = zip_unpack(&text, &packed, pool);
    }
    ok(rv == APR_SUCCESS && packed.size == len && !memcmp(text, want, len), "%s: what went in",
       what);
}

static char *pattern(apr_size_t len, unsigned seed)
{
    char *s = apr_palloc(pool, len + 1);
    apr_size_t i;

    for (i = 0; i < len; i++) {
        seed = seed * 1103515245u + 12345u;
        s[i] = (char)(i % 7 ? "abcdefgh"[seed >> 29] : (int)(seed >> 24 & 0x7f));
    }
    s[len] = '\0';
    return s;
}

static void test_small(void)
{
    const char *large = pattern(900000, 1);
    aur_sink_t *sink = new_sink(pool);
    zip_stream_t *zip = zip_stream_create(sink, apr_time_now(), pool);
    zip_packed_t stored = {0, 0x3610a686, 5, "hello", 5};
    apr_size_t i;

    zip_stream_copy(zip, "stored.txt", &stored);
    zip_stream_open(zip, "empty");
    zip_stream_close(zip);
    zip_stream_open(zip, "one");
    zip_stream_write(zip, "x", 1);
    zip_stream_write(zip, "", 0);
    zip_stream_close(zip);
    zip_stream_open(zip, "large/in pieces");
    for (i = 0; i < 900000; i += 9000) {
        zip_stream_write(zip, large + i, 9000);
        if (i % 90000 == 0) {
            zip_stream_flush(zip);
        }
    }
    zip_stream_close(zip);
    zip_stream_finish(zip);
    is_int(aur_sink_finish(sink), APR_SUCCESS, "the archive is written");
    ok(total < 900000, "and packed: %d bytes", (int)total);
    check_text("stored.txt", "hello", 5, "a copied entry");
    check_text("empty", "", 0, "an empty entry");
    check_text("one", "x", 1, "an entry of one byte");
    check_text("large/in pieces", large, 900000, "a large entry with flushes");
    is_int(kept[4], 20, "version 2.0 is enough for it");
    ok(!memmem(kept, (apr_size_t)total, "PK\6\6", 4), "no ZIP64 where 32 bits do");
}

/* Everything the packer was given is out after a flush: a reader can have it. */
static void test_flush(void)
{
    aur_sink_t *sink = new_sink(pool);
    zip_stream_t *zip = zip_stream_create(sink, apr_time_now(), pool);
    apr_uint64_t before;

    zip_stream_open(zip, "a");
    zip_stream_write(zip, "some text to pack", 17);
    before = aur_sink_bytes(sink);
    zip_stream_flush(zip);
    ok(aur_sink_bytes(sink) > before + 10, "a flush brings out what the packer holds");
    zip_stream_close(zip);
    zip_stream_finish(zip);
    (void)aur_sink_finish(sink);
    check_text("a", "some text to pack", 17, "a flushed entry");
}

static void test_failure(void)
{
    const char *s = pattern(1 << 20, 3);
    aur_sink_t *sink = new_sink(pool);
    zip_stream_t *zip = zip_stream_create(sink, apr_time_now(), pool);

    pass_status = APR_ECONNABORTED;
    zip_stream_open(zip, "a");
    zip_stream_write(zip, s, 1 << 20);
    zip_stream_flush(zip);
    zip_stream_close(zip);
    zip_stream_finish(zip);
    is_int(aur_sink_finish(sink), APR_ECONNABORTED, "a sink that fails ends the work, quietly");
    ok(total <= AUR_SINK_BUFFER_BYTES, "nothing is passed after that");
}

/* --- beyond 32 bits ---------------------------------------------------------------------------- */

static apr_uint64_t get(const char *s, int bytes)
{
    apr_uint64_t n = 0;

    while (bytes-- > 0) {
        n = n << 8 | (unsigned char)s[bytes];
    }
    return n;
}

/* The last place in the tail where the mark stands. */
static const char *find_last(const char *mark)
{
    const char *at = tail + ntail - 4;

    while (at > tail && memcmp(at, mark, 4)) {
        at--;
    }
    return at;
}

static void test_large_entry(void)
{
    static const apr_uint64_t size = APR_UINT64_C(0x100000000) + 12345;
    apr_size_t piece = 1 << 24;
    char *zeros = calloc(1, piece);
    aur_sink_t *sink = new_sink(pool);
    zip_stream_t *zip = zip_stream_create(sink, apr_time_now(), pool);
    const char *central, *end;
    apr_uint64_t left, descriptor;

    zip_stream_open(zip, "big");
    for (left = size; left > 0;) {
        apr_size_t n = left < piece ? (apr_size_t)left : piece;
        zip_stream_write(zip, zeros, n);
        left -= n;
    }
    free(zeros);
    zip_stream_close(zip);
    zip_stream_finish(zip);
    is_int(aur_sink_finish(sink), APR_SUCCESS, "an entry of more than 4 GiB");
    central = find_last("PK\1\2");
    end = find_last("PK\5\6");
    ok(end - central == 46 + 3 + 12, "its central header has an extra field of one number");
    is_int((long long)get(central + 6, 2), 45, "needs version 4.5");
    is_int((long long)get(central + 24, 4), 0xffffffff, "its size is elsewhere:");
    is_int((long long)get(central + 49, 2), 1, "in a ZIP64 field");
    is_int((long long)get(central + 53, 8), (long long)size, "with the size");
    descriptor = get(central + 20, 4) + 33;
    is_int((long long)(total - (apr_uint64_t)(tail + ntail - central)), (long long)descriptor + 24,
           "its descriptor has numbers of eight bytes");
    ok(!memcmp(central - 24, "PK\7\10", 4), "and stands where it should");
    is_int((long long)get(central - 8, 8), (long long)size, "with the size");
    ok(find_last("PK\6\6") == tail, "no end record of ZIP64: its offsets are small");
}

static void test_large_offset(void)
{
    apr_size_t piece = (apr_size_t)1 << 30;
    char *bytes = calloc(1, piece);
    aur_sink_t *sink = new_sink(pool);
    zip_stream_t *zip = zip_stream_create(sink, apr_time_now(), pool);
    zip_packed_t stored = {0, 0, 1 << 30, NULL, 1 << 30};
    const char *central, *end;
    int i;

    stored.bytes = bytes;
    for (i = 0; i < 4; i++) {
        zip_stream_copy(zip, "1234", &stored);
    }
    zip_stream_open(zip, "last");
    zip_stream_close(zip);
    zip_stream_finish(zip);
    is_int(aur_sink_finish(sink), APR_SUCCESS, "an archive of more than 4 GiB");
    free(bytes);
    central = find_last("PK\1\2");
    is_int((long long)get(central + 42, 4), 0xffffffff,
           "the offset of its last entry is elsewhere:");
    is_int((long long)get(central + 54, 8), 4 * ((1LL << 30) + 34), "in its ZIP64 field");
    end = find_last("PK\6\6");
    ok(end > tail, "a ZIP64 end record");
    is_int((long long)get(end + 32, 8), 5, "counts the entries");
    is_int((long long)get(end + 48, 8),
           (long long)(total - (apr_uint64_t)(tail + ntail - end)) - (long long)get(end + 40, 8),
           "knows where the directory is");
    is_int((long long)get(find_last("PK\6\7") + 8, 8),
           (long long)(total - (apr_uint64_t)(tail + ntail - end)), "and is known itself");
}

/* --- reading what may be anything -------------------------------------------------------------- */

static void test_reader(void)
{
    static const char nothing[22] = "PK\5\6";
    zip_packed_t packed;
    const char *text;
    char *copy;
    apr_size_t i, len, sound = 0;
    aur_sink_t *sink = new_sink(pool);
    zip_stream_t *zip = zip_stream_create(sink, apr_time_now(), pool);

    is_int(zip_find(&packed, "", 0, "a"), APR_EINVAL, "no bytes are no archive");
    is_int(zip_find(&packed, nothing, sizeof(nothing), "a"), APR_NOTFOUND,
           "an empty archive has no a");
    zip_stream_open(zip, "a");
    zip_stream_write(zip, "text to find", 12);
    zip_stream_close(zip);
    zip_stream_finish(zip);
    (void)aur_sink_finish(sink);
    len = (apr_size_t)total;
    is_int(zip_find(&packed, kept, len, "b"), APR_NOTFOUND, "an archive without b");
    for (i = 0; i < len; i++) {
        copy = malloc(len - i);
        memcpy(copy, kept + i, len - i);
        sound += zip_find(&packed, copy, len - i, "a") == APR_SUCCESS && i > 0;
        free(copy);
    }
    is_int((long long)sound, 0, "one that lacks its beginning is found out");
    for (i = 0; i < len * 8; i++) { /* every bit turned: an error or the right text, nothing else */
        copy = malloc(len);
        memcpy(copy, kept, len);
        copy[i / 8] ^= (char)(1 << i % 8);
        if (zip_find(&packed, copy, len, "a") == APR_SUCCESS &&
            zip_unpack(&text, &packed, pool) == APR_SUCCESS) {
            sound += packed.size != 12 || memcmp(text, "text to find", 12) != 0;
        }
        free(copy);
    }
    is_int((long long)sound, 0, "one with a wrong bit gives no wrong text");
}

int main(void)
{
    (void)apr_initialize();
    apr_pool_create(&pool, NULL);
    ba = apr_bucket_alloc_create(pool);
    test_small();
    test_flush();
    test_failure();
    test_large_entry();
    test_large_offset();
    test_reader();
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
