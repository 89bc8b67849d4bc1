/* pg_preview - previews through the pool, cursor and JSON writer, without httpd.
 *
 *   pg_preview CONNINFO THREADS SECONDS SQL
 *
 * Prints previews a second, p50 and p99 in ms, and the client's CPU per preview in microseconds. */
#include <apr_general.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "aurora/db.h"
#include "aurora/writer.h"

enum { SAMPLES = 1 << 20 };

static aur_db_t *db;
static aur_sql_t sql;
static apr_time_t until;
static unsigned samples[SAMPLES], nsamples;

static apr_status_t swallow(void *ctx, apr_bucket_brigade *bb, int last)
{
    return apr_brigade_cleanup(bb);
}

static void preview(apr_pool_t *p, apr_bucket_alloc_t *ba)
{
    static const aur_json_options_t options = {.dataset_name = "BENCH"};
    aur_error_t err;
    aur_conn_t *conn;
    aur_cursor_t *cursor;
    const aur_cell_t *cells;
    aur_sink_t *sink = aur_sink_create(2, AUR_SINK_BUFFER_BYTES, ba, swallow, NULL, p);
    const aur_result_column_t *columns;
    aur_writer_end_t end = {.total_rows = -1};
    aur_writer_t *writer;
    apr_status_t rv;
    int n;

    aur_error_clear(&err);
    rv = aur_conn_borrow(&conn, db, AUR_USE_PREVIEW, "bench", "0123456789abcdef", &err, p);
    if (rv == APR_SUCCESS) {
        rv = aur_cursor_open(&cursor, conn, &sql, &err, p);
    }
    if (rv != APR_SUCCESS) {
        fprintf(stderr, "pg_preview: %s: %s\n", err.detail, err.native);
        exit(1);
    }
    columns = aur_cursor_columns(cursor, &n);
    writer = aur_writer_json_create(sink, columns, n, &options, p);
    writer->is->begin(writer);
    while ((rv = aur_cursor_next(&cells, cursor, &err)) == APR_SUCCESS) {
        writer->is->row(writer, cells);
        end.rows++;
    }
    aur_cursor_close(cursor);
    aur_conn_return(conn);
    writer->is->end(writer, &end);
    aur_sink_finish(sink);
}

static void *APR_THREAD_FUNC worker(apr_thread_t *thread, void *data)
{
    apr_bucket_alloc_t *ba;
    apr_pool_t *p, *request;

    apr_pool_create_unmanaged_ex(&p, NULL, NULL);
    ba = apr_bucket_alloc_create(p);
    apr_pool_create(&request, p);
    while (apr_time_now() < until) {
        apr_time_t start = apr_time_now();
        unsigned at;
        preview(request, ba);
        apr_pool_clear(request);
        at = __atomic_fetch_add(&nsamples, 1, __ATOMIC_RELAXED);
        if (at < SAMPLES) {
            samples[at] = (unsigned)(apr_time_now() - start);
        }
    }
    return NULL;
}

static int by_value(const void *a, const void *b)
{
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    apr_thread_t *thread[256];
    apr_pool_t *p;
    struct rusage before, after;
    apr_time_t start;
    apr_status_t rv;
    int i, n;

    if (argc != 5) {
        fprintf(stderr, "pg_preview CONNINFO THREADS SECONDS SQL\n");
        return 2;
    }
    apr_initialize();
    apr_pool_create(&p, NULL);
    n = atoi(argv[2]);
    sql.text = argv[4];
    sql.len = strlen(sql.text);
    sql.rows_max = 500;
    aur_db_settings_t settings = {
        .driver = "pgsql", .params = argv[1], .pool_max = n, .pool_timeout = apr_time_from_sec(10)};
    if (n < 1 || n > 256 || aur_db_child_create(&db, &settings, NULL, NULL, p) != APR_SUCCESS) {
        return 1;
    }
    start = apr_time_now();
    until = start + apr_time_from_sec(atoi(argv[3]));
    getrusage(RUSAGE_SELF, &before);
    for (i = 0; i < n; i++) {
        apr_thread_create(&thread[i], NULL, worker, NULL, p);
    }
    for (i = 0; i < n; i++) {
        apr_thread_join(&rv, thread[i]);
    }
    getrusage(RUSAGE_SELF, &after);
    n = (int)nsamples;
    qsort(samples, (size_t)n, sizeof(samples[0]), by_value);
#define US(t) ((double)(t).tv_sec * 1e6 + (double)(t).tv_usec)
    printf("%.0f %.2f %.2f %.0f\n", n / ((double)(apr_time_now() - start) / 1e6),
           samples[n / 2] / 1e3, samples[n * 99 / 100] / 1e3,
           (US(after.ru_utime) + US(after.ru_stime) - US(before.ru_utime) - US(before.ru_stime)) /
               n);
    apr_pool_destroy(p);
    return 0;
}
