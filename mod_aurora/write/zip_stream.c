#include "zip_stream.h"

#include <isa-l.h>
#include <stdint.h>

/* Debian's ISA-L at level 1: of all that was measured (t/bench/bench_deflate.c) the fastest whose files
 * are no larger than those of zlib at level 1. */
#define DEFLATE_LEVEL 1
#define DEFLATE_BYTES ISAL_DEF_LVL1_DEFAULT

#define MAX_32         UINT64_C(0xffffffff)
#define VERSION        20
#define VERSION_64     45
#define FLAG_BEHIND    8 /* sum and sizes stand behind the data */
#define METHOD_DEFLATE 8
#define PUMP_ROOM      512
#define WRITE_MAX      (UINT32_C(1) << 30) /* the packer counts in 32 bits */

typedef struct entry_t {
    const char *name;
    uint16_t flags, method;
    uint32_t crc;
    uint64_t packed, size, offset;
} entry_t;

struct zip_stream_t {
    aur_sink_t *sink;
    uint64_t offset;
    uint16_t time, date;
    int n;
    entry_t entries[ZIP_ENTRIES_MAX];
    struct isal_zstream *deflate;
};

/* --- small things ------------------------------------------------------------------------------ */

static char *put16(char *at, unsigned n)
{
    *at++ = (char)(n & 0xff);
    *at++ = (char)(n >> 8 & 0xff);
    return at;
}

static char *put32(char *at, uint64_t n)
{
    return put16(put16(at, (unsigned)(n & 0xffff)), (unsigned)(n >> 16 & 0xffff));
}

static char *put64(char *at, uint64_t n)
{
    return put32(put32(at, n & MAX_32), n >> 32);
}

static uint64_t up_to_32(uint64_t n)
{
    return n < MAX_32 ? n : MAX_32;
}

static void out(zip_stream_t *zip, const char *s, apr_size_t len)
{
    aur_sink_write(zip->sink, s, len);
    zip->offset += len;
}

static entry_t *current(zip_stream_t *zip)
{
    return &zip->entries[zip->n - 1];
}

/* --- packing ----------------------------------------------------------------------------------- */

/* Everything the packer gives for what it was given, into the sink. */
static void pump(zip_stream_t *zip)
{
    struct isal_zstream *z = zip->deflate;
    aur_sink_t *sink = zip->sink;
    int more = 1;

    while (more && sink->status == APR_SUCCESS) {
        char *at = aur_sink_room(sink, PUMP_ROOM);
        uint32_t room = (uint32_t)(sink->end - at);
        uint32_t n;
        z->next_out = (uint8_t *)at;
        z->avail_out = room;
        more = isal_deflate(z) == COMP_OK;
        n = room - z->avail_out;
        aur_sink_advance(sink, at + n);
        zip->offset += n;
        current(zip)->packed += n;
        more =
            more && z->internal_state.state != ZSTATE_END && (z->avail_out == 0 || z->avail_in > 0);
    }
}

void zip_stream_write(zip_stream_t *zip, const char *s, apr_size_t len)
{
    entry_t *e = current(zip);

    while (len > 0 && zip->sink->status == APR_SUCCESS) {
        uint32_t n = len < WRITE_MAX ? (uint32_t)len : WRITE_MAX;
        e->crc = crc32_gzip_refl(e->crc, (const unsigned char *)s, n);
        e->size += n;
        zip->deflate->next_in = (uint8_t *)(uintptr_t)s;
        zip->deflate->avail_in = n;
        pump(zip);
        s += n;
        len -= n;
    }
}

void zip_stream_flush(zip_stream_t *zip)
{
    zip->deflate->flush = SYNC_FLUSH;
    pump(zip);
    zip->deflate->flush = NO_FLUSH;
}

/* --- entries ----------------------------------------------------------------------------------- */

static void put_local_header(zip_stream_t *zip, const entry_t *e)
{
    char head[30], *at = put32(head, 0x04034b50);

    at = put16(put16(put16(at, VERSION), e->flags), e->method);
    at = put16(put16(at, zip->time), zip->date);
    at = put32(put32(put32(at, e->crc), e->packed), e->size);
    at = put16(put16(at, (unsigned)strlen(e->name)), 0);
    out(zip, head, (apr_size_t)(at - head));
    out(zip, e->name, strlen(e->name));
}

static entry_t *entry_add(zip_stream_t *zip, const char *name)
{
    entry_t *e = &zip->entries[zip->n++];

    memset(e, 0, sizeof(*e));
    e->name = name;
    e->offset = zip->offset;
    return e;
}

void zip_stream_copy(zip_stream_t *zip, const char *name, const zip_packed_t *packed)
{
    entry_t *e = entry_add(zip, name);

    e->method = (uint16_t)packed->method;
    e->crc = packed->crc;
    e->packed = packed->nbytes;
    e->size = packed->size;
    put_local_header(zip, e);
    out(zip, packed->bytes, packed->nbytes);
}

void zip_stream_open(zip_stream_t *zip, const char *name)
{
    entry_t *e = entry_add(zip, name);

    e->method = METHOD_DEFLATE;
    e->flags = FLAG_BEHIND;
    put_local_header(zip, e);
    isal_deflate_reset(zip->deflate);
    zip->deflate->end_of_stream = 0;
    zip->deflate->flush = NO_FLUSH;
    zip->deflate->avail_in = 0;
}

void zip_stream_close(zip_stream_t *zip)
{
    const entry_t *e = current(zip);
    char tail[24], *at;

    zip->deflate->end_of_stream = 1;
    pump(zip);
    at = put32(put32(tail, 0x08074b50), e->crc);
    at = e->packed > MAX_32 || e->size > MAX_32 ? put64(put64(at, e->packed), e->size)
                                                : put32(put32(at, e->packed), e->size);
    out(zip, tail, (apr_size_t)(at - tail));
}

/* --- the central directory --------------------------------------------------------------------- */

/* The numbers that 32 bits do not hold, in the order the format asks for. */
static char *put_extra(char *at, const entry_t *e)
{
    char *head = at;

    at += 4;
    if (e->size >= MAX_32) {
        at = put64(at, e->size);
    }
    if (e->packed >= MAX_32) {
        at = put64(at, e->packed);
    }
    if (e->offset >= MAX_32) {
        at = put64(at, e->offset);
    }
    if (at == head + 4) {
        return head;
    }
    (void)put16(put16(head, 1), (unsigned)(at - head - 4));
    return at;
}

static void put_central_header(zip_stream_t *zip, const entry_t *e)
{
    char extra[28], head[46], *at;
    apr_size_t nextra = (apr_size_t)(put_extra(extra, e) - extra);
    unsigned version = nextra > 0 ? VERSION_64 : VERSION;

    at = put16(put16(put32(head, 0x02014b50), version), version);
    at = put16(put16(put16(put16(at, e->flags), e->method), zip->time), zip->date);
    at = put32(put32(put32(at, e->crc), up_to_32(e->packed)), up_to_32(e->size));
    at = put16(put16(put16(at, (unsigned)strlen(e->name)), (unsigned)nextra), 0);
    at = put32(put32(put32(at, 0), 0), up_to_32(e->offset)); /* disk, attributes */
    out(zip, head, (apr_size_t)(at - head));
    out(zip, e->name, strlen(e->name));
    out(zip, extra, nextra);
}

static void put_end_64(zip_stream_t *zip, uint64_t start, uint64_t bytes)
{
    char tail[76], *at = put64(put32(tail, 0x06064b50), 44);
    uint64_t here = zip->offset;

    at = put32(put32(put16(put16(at, VERSION_64), VERSION_64), 0), 0);
    at = put64(put64(at, (uint64_t)zip->n), (uint64_t)zip->n);
    at = put64(put64(at, bytes), start);
    at = put32(put64(put32(put32(at, 0x07064b50), 0), here), 1);
    out(zip, tail, (apr_size_t)(at - tail));
}

void zip_stream_finish(zip_stream_t *zip)
{
    uint64_t start = zip->offset, bytes;
    char tail[22], *at;
    int i;

    for (i = 0; i < zip->n; i++) {
        put_central_header(zip, &zip->entries[i]);
    }
    bytes = zip->offset - start;
    if (start >= MAX_32) {
        put_end_64(zip, start, bytes);
    }
    at = put32(put32(tail, 0x06054b50), 0);
    at = put16(put16(at, (unsigned)zip->n), (unsigned)zip->n);
    at = put16(put32(put32(at, bytes), up_to_32(start)), 0);
    out(zip, tail, (apr_size_t)(at - tail));
}

/* --- making one -------------------------------------------------------------------------------- */

/* A DOS time: seconds in pairs, years from 1980. */
static void set_time(zip_stream_t *zip, apr_time_t now)
{
    apr_time_exp_t t;
    int year;

    (void)apr_time_exp_lt(&t, now);
    year = t.tm_year < 80 ? 0 : t.tm_year - 80 < 127 ? t.tm_year - 80 : 127;
    zip->date = (uint16_t)(year << 9 | (t.tm_mon + 1) << 5 | t.tm_mday);
    zip->time = (uint16_t)(t.tm_hour << 11 | t.tm_min << 5 | (t.tm_sec < 60 ? t.tm_sec : 59) / 2);
}

/* Pools align for any scalar; the packer's vectors want more. */
static void *aligned(apr_size_t bytes, apr_pool_t *p)
{
    uintptr_t at = (uintptr_t)apr_palloc(p, bytes + 63);

    return (void *)((at + 63) & ~(uintptr_t)63);
}

zip_stream_t *zip_stream_create(aur_sink_t *sink, apr_time_t now, apr_pool_t *p)
{
    zip_stream_t *zip = apr_pcalloc(p, sizeof(*zip));

    zip->sink = sink;
    set_time(zip, now);
    zip->deflate = aligned(sizeof(*zip->deflate), p);
    isal_deflate_init(zip->deflate);
    zip->deflate->level = DEFLATE_LEVEL;
    zip->deflate->level_buf_size = DEFLATE_BYTES;
    zip->deflate->level_buf = aligned(DEFLATE_BYTES, p);
    zip->deflate->gzip_flag = IGZIP_DEFLATE;
    return zip;
}
