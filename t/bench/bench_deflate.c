/* bench_deflate - which library packs the XML of a sheet? The sheet of 100,000 rows x 12 columns is made by the XLSX writer
 * itself, unpacked, and packed again by each library and level into buffers of the sink's size.
 *
 * As measured when ISA-L at level 1 was chosen (two cores, Debian 12, ISA-L 2.30, zlib 1.2.13): see profile.md. */
#include "aurora/writer.h"
#include "write/zip_stream.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <apr_time.h>
#include <isa-l.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#define ROWS    100000
#define COLUMNS 12
#define KEEP    (64u << 20)
#define PIECE   65536
#define RUNS    3

static char *kept;
static apr_size_t nkept;
static char *xml;
static size_t nxml;

static apr_status_t collect(void *ctx, apr_bucket_brigade *bb, int last)
{
    apr_size_t room = KEEP - nkept;
    apr_status_t rv = apr_brigade_flatten(bb, kept + nkept, &room);

    nkept += room;
    return rv == APR_SUCCESS ? apr_brigade_cleanup(bb) : rv;
}

/* --- the sheet --------------------------------------------------------------------------------- */

static void set_text(aur_cell_t *cell, aur_cell_e kind, char *text, int len)
{
    cell->kind = kind;
    cell->len = (apr_size_t)len;
    cell->v.s = text;
}

static void set_int(aur_cell_t *cell, apr_int64_t i)
{
    cell->kind = AUR_V_INT;
    cell->v.i = i;
}

static void set_row(aur_cell_t *cells, char text[COLUMNS][64], int i)
{
    static const char *const regions[] = {"North", "South", "East", "West", "Centre"};
    int second = i * 61 % 86400;

    set_int(&cells[0], i);
    set_int(&cells[1], INT64_C(4000000000) + i * INT64_C(7919) % 999999937);
    set_int(&cells[2], i % 4099);
    cells[3].kind = cells[4].kind = AUR_V_DOUBLE;
    cells[3].v.d = (double)(i * INT64_C(7919) % 100000007) / 100;
    cells[4].v.d = (double)(i * INT64_C(104729) % 1000003) / 100;
    set_int(&cells[5], i % 997);
    set_text(&cells[6], AUR_V_TEXT, text[6], apr_snprintf(text[6], 64, "%s", regions[i % 5]));
    set_text(&cells[7], AUR_V_TEXT, text[7],
             apr_snprintf(text[7], 64, "Customer %d/%d", i * 31 % 100003, i % 4099));
    set_text(&cells[8], AUR_V_TEXT, text[8], apr_snprintf(text[8], 64, "transfer %d", i % 5003));
    if (i % 11 == 0) {
        cells[8].kind = AUR_V_NULL;
    }
    set_text(&cells[9], AUR_V_DATE, text[9],
             apr_snprintf(text[9], 64, "%04d-%02d-%02d", 1995 + i % 30, 1 + i % 12, 1 + i % 28));
    set_text(&cells[10], AUR_V_DATE, text[10],
             apr_snprintf(text[10], 64, "%04d-%02d-%02d", 1996 + i % 27, 1 + i % 12, 1 + i % 28));
    set_text(&cells[11], AUR_V_TIMESTAMP, text[11],
             apr_snprintf(text[11], 64, "2001-%02d-%02d %02d:%02d:%02d", 1 + i / 2800 % 12,
                          1 + i / 1416 % 28, second / 3600, second / 60 % 60, second % 60));
}

static double write_book(const aur_xlsx_skeleton_t *skeleton, apr_pool_t *p)
{
    static char text[COLUMNS][64];
    aur_xlsx_options_t options = {skeleton, "Bench", 1, apr_time_now(), 0, NULL};
    aur_result_column_t columns[COLUMNS];
    aur_cell_t cells[COLUMNS];
    aur_writer_end_t end = {0};
    aur_sink_t *sink;
    aur_writer_t *w;
    apr_time_t from = apr_time_now();
    int i;

    for (i = 0; i < COLUMNS; i++) {
        columns[i].name = columns[i].display = "column";
        columns[i].format = NULL;
        columns[i].type = AUR_T_TEXT;
    }
    nkept = 0;
    sink = aur_sink_create(1, AUR_SINK_BUFFER_BYTES, apr_bucket_alloc_create(p), collect, NULL, p);
    w = aur_writer_xlsx_create(sink, columns, COLUMNS, &options, p);
    (void)w->is->begin(w);
    for (i = 1; i <= ROWS; i++) {
        set_row(cells, text, i);
        (void)w->is->row(w, cells);
    }
    (void)w->is->end(w, &end);
    (void)aur_sink_finish(sink);
    return (double)(apr_time_now() - from) / APR_USEC_PER_SEC;
}

/* --- the libraries ----------------------------------------------------------------------------- */

static size_t by_zlib(int level)
{
    static unsigned char out[PIECE];
    z_stream z = {0};
    size_t at, total = 0;

    if (deflateInit2(&z, level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        return 0;
    }
    for (at = 0; at < nxml; at += PIECE) {
        size_t n = nxml - at < PIECE ? nxml - at : PIECE;
        z.next_in = (unsigned char *)xml + at;
        z.avail_in = (unsigned)n;
        do {
            z.next_out = out;
            z.avail_out = PIECE;
            (void)deflate(&z, at + n == nxml ? Z_FINISH : Z_NO_FLUSH);
            total += PIECE - z.avail_out;
        } while (z.avail_out == 0);
    }
    (void)deflateEnd(&z);
    return total;
}

static size_t by_isal(int level)
{
    static const unsigned sizes[] = {0, ISAL_DEF_LVL1_DEFAULT, ISAL_DEF_LVL2_DEFAULT,
                                     ISAL_DEF_LVL3_DEFAULT};
    static unsigned char out[PIECE];
    static struct isal_zstream z;
    unsigned char *buffer = malloc(sizes[level] + 1);
    size_t at, total = 0;

    isal_deflate_init(&z);
    z.level = (uint32_t)level;
    z.level_buf = buffer;
    z.level_buf_size = sizes[level];
    for (at = 0; at < nxml; at += PIECE) {
        size_t n = nxml - at < PIECE ? nxml - at : PIECE;
        z.next_in = (unsigned char *)xml + at;
        z.avail_in = (uint32_t)n;
        z.end_of_stream = at + n == nxml;
        do {
            z.next_out = out;
            z.avail_out = PIECE;
            (void)isal_deflate(&z);
            total += PIECE - z.avail_out;
        } while (z.avail_out == 0);
    }
    free(buffer);
    return total;
}

static double measure(const char *name, size_t (*pack)(int), int level, size_t *size)
{
    double best = 1e9;
    int i;

    for (i = 0; i < RUNS; i++) {
        apr_time_t from = apr_time_now();
        double seconds;
        *size = pack(level);
        seconds = (double)(apr_time_now() - from) / APR_USEC_PER_SEC;
        best = seconds < best ? seconds : best;
    }
    printf("  %s level %d: %6.3f s  %6.2f MB\n", name, level, best, (double)*size / 1e6);
    return best;
}

int main(void)
{
    const aur_xlsx_skeleton_t *skeleton;
    double isal, zlib;
    size_t isal_size, zlib_size, size;
    zip_packed_t packed;
    z_stream z = {0};
    char why[256];
    apr_pool_t *p;

    (void)apr_initialize();
    apr_pool_create(&p, NULL);
    kept = malloc(KEEP);
    if (aur_xlsx_skeleton_create(&skeleton, why, sizeof(why), p) != APR_SUCCESS) {
        printf("%s\n", why);
        return 1;
    }
    printf("the writer, formatting and packing 100,000 x 12: %.3f s, ", write_book(skeleton, p));
    if (zip_find(&packed, kept, nkept, "xl/worksheets/sheet1.xml") != APR_SUCCESS) {
        return 1;
    }
    nxml = packed.size;
    xml = malloc(nxml);
    z.next_in = (unsigned char *)(uintptr_t)packed.bytes;
    z.avail_in = packed.nbytes;
    z.next_out = (unsigned char *)xml;
    z.avail_out = packed.size;
    if (inflateInit2(&z, -15) != Z_OK || inflate(&z, Z_FINISH) != Z_STREAM_END) {
        return 1;
    }
    (void)inflateEnd(&z);
    printf("%.2f MB of which %.2f MB is the sheet, %.1f MB unpacked\n", (double)nkept / 1e6,
           (double)packed.nbytes / 1e6, (double)nxml / 1e6);
    measure("ISA-L", by_isal, 0, &size);
    isal = measure("ISA-L", by_isal, 1, &isal_size);
    measure("ISA-L", by_isal, 2, &size);
    measure("ISA-L", by_isal, 3, &size);
    zlib = measure("zlib ", by_zlib, 1, &zlib_size);
    measure("zlib ", by_zlib, 6, &size);
    free(xml);
    free(kept);
    apr_pool_destroy(p);
    apr_terminate();
    printf("%s: ISA-L at level 1 is %.1f times as fast as zlib at level 1, its file %.2f times as "
           "large\n",
           isal < zlib ? "OK" : "NOT OK", zlib / isal, (double)isal_size / (double)zlib_size);
    return isal < zlib ? 0 : 1;
}
