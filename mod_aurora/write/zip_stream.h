/* zip_stream.h - a ZIP archive written front to back into a sink: nothing is ever gone back to.
 *
 * Entries whose bytes are there already packed are copied; others are deflated on their way, with their
 * sizes behind them in a data descriptor (APPNOTE 4.3.9). ZIP64 records appear where a size or an offset
 * needs them, and only there: an entry whose sizes outgrow 32 bits as it is written gets a descriptor of
 * 8-byte sizes and a ZIP64 field in the central directory, which is where readers look.
 * All memory is taken when the stream is made. One thread. Failures are the sink's: after one, nothing
 * is packed or written any more. */
#ifndef AURORA_ZIP_STREAM_H
#define AURORA_ZIP_STREAM_H

#include <apr_pools.h>
#include <apr_time.h>

#include "aurora/sink.h"

#define ZIP_ENTRIES_MAX 16

typedef struct zip_stream_t zip_stream_t;

/* An entry's bytes as they stand in some archive. */
typedef struct zip_packed_t {
    int method; /* 0 stored, 8 deflated */
    apr_uint32_t crc, size;
    const char *bytes;
    apr_uint32_t nbytes;
} zip_packed_t;

/** @param now  the time entries carry */
zip_stream_t *zip_stream_create(aur_sink_t *sink, apr_time_t now, apr_pool_t *p);

/** A whole entry, as it is. Names are ASCII and must outlive the stream; at most ZIP_ENTRIES_MAX entries,
 * and none may be open. */
void zip_stream_copy(zip_stream_t *zip, const char *name, const zip_packed_t *packed);
/** Begin an entry; its bytes follow by zip_stream_write. */
void zip_stream_open(zip_stream_t *zip, const char *name);
void zip_stream_write(zip_stream_t *zip, const char *s, apr_size_t len);
/** Put what the packer holds back into the sink; costs a few bytes. */
void zip_stream_flush(zip_stream_t *zip);
void zip_stream_close(zip_stream_t *zip);
/** The central directory. */
void zip_stream_finish(zip_stream_t *zip);

/** Find an entry of a small archive in memory (no ZIP64). packed->bytes points into the archive.
 * @return APR_SUCCESS; APR_NOTFOUND; APR_EINVAL when this is no such archive */
apr_status_t zip_find(zip_packed_t *packed, const char *archive, apr_size_t len, const char *name);
/** Unpack it, checked against its length and sum.
 * @param text  NUL-terminated, from p
 * @return APR_SUCCESS or APR_EINVAL */
apr_status_t zip_unpack(const char **text, const zip_packed_t *packed, apr_pool_t *p);

#endif
