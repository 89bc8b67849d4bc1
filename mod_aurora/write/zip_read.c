/* zip_read.c - a small archive in memory, taken apart. Lengths are never taken on trust. */
#include "zip_stream.h"

#include <isa-l.h>
#include <stdint.h>
#include <string.h>

#define END_BYTES     22
#define CENTRAL_BYTES 46
#define LOCAL_BYTES   30
#define UNPACKED_MAX  (1 << 20)

static unsigned get16(const char *s)
{
    const unsigned char *u = (const unsigned char *)s;

    return (unsigned)(u[0] | u[1] << 8);
}

static uint32_t get32(const char *s)
{
    return get16(s) | (uint32_t)get16(s + 2) << 16;
}

/* The data behind an entry's local header, whose name and extra field have lengths of their own. */
static apr_status_t find_data(zip_packed_t *packed, const char *archive, apr_size_t len,
                              apr_size_t offset)
{
    apr_size_t skip;

    if (offset > len || len - offset < LOCAL_BYTES || get32(archive + offset) != 0x04034b50) {
        return APR_EINVAL;
    }
    skip = LOCAL_BYTES + get16(archive + offset + 26) + get16(archive + offset + 28);
    if (len - offset < skip || len - offset - skip < packed->nbytes) {
        return APR_EINVAL;
    }
    packed->bytes = archive + offset + skip;
    return APR_SUCCESS;
}

static apr_status_t find_central(zip_packed_t *packed, const char *archive, apr_size_t len,
                                 apr_size_t at, unsigned n, const char *name)
{
    for (; n > 0; n--) {
        const char *head = archive + at;
        apr_size_t named, whole;
        if (at > len || len - at < CENTRAL_BYTES || get32(head) != 0x02014b50) {
            return APR_EINVAL;
        }
        named = get16(head + 28);
        whole = CENTRAL_BYTES + named + get16(head + 30) + get16(head + 32);
        if (len - at < whole) {
            return APR_EINVAL;
        }
        if (named == strlen(name) && !memcmp(head + CENTRAL_BYTES, name, named)) {
            packed->method = (int)get16(head + 10);
            packed->crc = get32(head + 16);
            packed->nbytes = get32(head + 20);
            packed->size = get32(head + 24);
            return find_data(packed, archive, len, get32(head + 42));
        }
        at += whole;
    }
    return APR_NOTFOUND;
}

apr_status_t zip_find(zip_packed_t *packed, const char *archive, apr_size_t len, const char *name)
{
    const char *end = archive + len - END_BYTES;

    if (len < END_BYTES) {
        return APR_EINVAL;
    }
    while (get32(end) != 0x06054b50) {
        if (end == archive) {
            return APR_EINVAL;
        }
        end--;
    }
    return find_central(packed, archive, len, get32(end + 16), get16(end + 10), name);
}

static int inflate_whole(char *to, const zip_packed_t *packed, apr_pool_t *p)
{
    struct inflate_state *z = apr_pcalloc(p, sizeof(*z));

    isal_inflate_init(z);
    z->next_in = (uint8_t *)(uintptr_t)packed->bytes;
    z->avail_in = packed->nbytes;
    z->next_out = (uint8_t *)to;
    z->avail_out = packed->size;
    return isal_inflate_stateless(z) == ISAL_DECOMP_OK && z->total_out == packed->size;
}

apr_status_t zip_unpack(const char **text, const zip_packed_t *packed, apr_pool_t *p)
{
    apr_pool_t *scratch;
    char *to;
    int good;

    if (packed->size > UNPACKED_MAX || (packed->method == 0 && packed->nbytes != packed->size)) {
        return APR_EINVAL;
    }
    to = apr_palloc(p, (apr_size_t)packed->size + 1);
    to[packed->size] = '\0';
    apr_pool_create(&scratch, p);
    if (packed->method == 0) {
        memcpy(to, packed->bytes, packed->size);
        good = 1;
    }
    else {
        good = packed->method == 8 && inflate_whole(to, packed, scratch);
    }
    apr_pool_destroy(scratch);
    if (!good || crc32_gzip_refl(0, (const unsigned char *)to, packed->size) != packed->crc) {
        return APR_EINVAL;
    }
    *text = to;
    return APR_SUCCESS;
}
