/* bench_csv - what formatting CSV costs by itself: 12 columns of integers, amounts, short texts and
 * dates, 1,000,000 rows (or as many as the first argument says) into a sink that throws them away.
 * Build: cc -O2 -Iinclude t/bench/bench_csv.c mod_aurora/base/[a-z]*.c mod_aurora/write/[a-z]*.c
 * -lapr-1 -laprutil-1 -lm */
#include "aurora/writer.h"

#include <apr_general.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define COLUMNS  12
#define DISTINCT 1024 /* rows that differ; enough that no branch learns them by heart */

static uint64_t seed = 88172645463325252u;

static unsigned next_random(unsigned below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 33) % below;
}

static apr_status_t discard(void *ctx, apr_bucket_brigade *bb, int last)
{
    return apr_brigade_cleanup(bb);
}

static void text_cell(aur_cell_t *cell, aur_cell_e kind, const char *s)
{
    cell->kind = kind;
    cell->v.s = s;
    cell->len = strlen(s);
}

static void int_cell(aur_cell_t *cell, apr_int64_t i)
{
    cell->kind = AUR_V_INT;
    cell->len = 0;
    cell->v.i = i;
}

static void amount_cell(aur_cell_t *cell, unsigned below)
{
    cell->kind = AUR_V_DOUBLE;
    cell->len = 0;
    cell->v.d = (double)((int)next_random(below) - 1000) / 100;
}

static void make_row(aur_cell_t *row, int i)
{
    static const char *const regions[] = {"North", "South-West", "Central",
                                          "Baden-W\xc3\xbcrttemberg"};
    static const char *const dates[] = {"2024-01-31", "2023-12-01", "1999-07-15", "2020-02-29"};
    static const char *const times[] = {"2024-01-31 12:30:00", "2023-12-01 23:59:59"};
    static const char *const names[] = {"Miller, Anna",         "Bob Smith",
                                        "Carla Esposito Verdi", "Product line 17 / spare parts",
                                        "say \"hello\"",        "ok"};

    int_cell(&row[0], 1000000 + i);
    int_cell(&row[1], next_random(100000));
    int_cell(&row[2], next_random(50));
    amount_cell(&row[3], 100000000);
    amount_cell(&row[4], 100000);
    amount_cell(&row[5], 1000000);
    text_cell(&row[6], AUR_V_TEXT, regions[next_random(4)]);
    text_cell(&row[7], AUR_V_TEXT,
              names[next_random(32) < 2 ? next_random(6) : 1 + next_random(3)]);
    text_cell(&row[8], AUR_V_TEXT, next_random(2) ? "OPEN" : "CLOSED");
    text_cell(&row[9], AUR_V_DATE, dates[next_random(4)]);
    text_cell(&row[10], AUR_V_TIMESTAMP, times[next_random(2)]);
    text_cell(&row[11], AUR_V_TEXT,
              next_random(2) ? "Order line of a customer as typed" : "a customer as typed");
    if (next_random(10) == 0) {
        row[5].kind = AUR_V_NULL;
    }
}

/* Processor time of this process in nanoseconds: what else the machine does is left out. */
static double cpu_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Nanoseconds per cell over all columns, or over one repeated. */
static double run(const aur_cell_t *rows, int only, long count, apr_uint64_t *bytes)
{
    static aur_cell_t same[DISTINCT][COLUMNS];
    static const aur_csv_options_t options = {',', '.', "", 0, 0, 1, 1};
    aur_result_column_t columns[COLUMNS];
    apr_pool_t *p;
    aur_sink_t *sink;
    aur_writer_t *w;
    double start;
    long i;
    int c;

    apr_pool_create(&p, NULL);
    for (c = 0; c < COLUMNS; c++) {
        columns[c] = (aur_result_column_t){"COLUMN", "Column", NULL, AUR_T_TEXT};
    }
    for (i = 0; i < DISTINCT; i++) {
        for (c = 0; c < COLUMNS; c++) {
            same[i][c] = rows[i * COLUMNS + (only < 0 ? c : only)];
        }
    }
    sink = aur_sink_create(2, AUR_SINK_BUFFER_BYTES, apr_bucket_alloc_create(p), discard, NULL, p);
    w = aur_writer_csv_create(sink, columns, COLUMNS, &options, p);
    start = cpu_ns();
    (void)w->is->begin(w);
    for (i = 0; i < count; i++) {
        (void)w->is->row(w, same[i % DISTINCT]);
    }
    (void)w->is->end(w, NULL);
    (void)aur_sink_finish(sink);
    start = cpu_ns() - start;
    *bytes = aur_sink_bytes(sink);
    apr_pool_destroy(p);
    return start / ((double)count * COLUMNS);
}

int main(int argc, char **argv)
{
    static const char *const names[] = {
        "int id",     "int",         "small int", "amount",
        "amount",     "amount/NULL", "text",      "text, some quoted",
        "short text", "date",        "timestamp", "text"};
    static aur_cell_t rows[DISTINCT][COLUMNS];
    long count = argc > 1 ? atol(argv[1]) : 1000000;
    apr_uint64_t bytes;
    double ns;
    int i;

    apr_initialize();
    for (i = 0; i < DISTINCT; i++) {
        make_row(rows[i], i);
    }
    ns = run(rows[0], -1, count, &bytes);
    printf("%ld rows x %d columns, %.1f MB: %.3f s, %.1f ns a cell, %.0f MB/s\n", count, COLUMNS,
           (double)bytes / 1e6, ns * (double)count * COLUMNS / 1e9, ns,
           (double)bytes / (ns * (double)count * COLUMNS) * 1000);
    for (i = 0; argc > 2 && i < COLUMNS; i++) {
        ns = run(rows[0], i, count, &bytes);
        printf("  %-18s %6.1f ns a cell\n", names[i], ns);
    }
    apr_terminate();
    return 0;
}
