/* http_query.c - previews and exports: read, parse, check, borrow, run, write. */
#include "http/http_private.h"
#include "http/http_export.h"
#include "http/http_xlsx.h"

#include <apr_strings.h>
#include <apr_time.h>

#include "aurora/json_in.h"
#include "aurora/query.h"
#include "aurora/writer.h"

/* A preview that fits here carries its length, and its connection is back before the client reads. */
#define PREVIEW_BUFFERS 4
/* Rows that wait in an export's buffer for longer than this are sent. */
#define FLUSH_US       (APR_USEC_PER_SEC / 10)
#define CLOCK_ROWS_MAX 256

/* --- rows ----------------------------------------------------------------------------------------- */

/* When to look at the clock: after ever more rows while they come fast, after ever fewer while they
 * come slowly, so that neither a fast export pays for it nor a slow one's first rows wait. */
typedef struct pace_t {
    apr_time_t last;
    int step, left;
} pace_t;

static void keep_pace(pace_t *pace, aur_writer_t *writer, aur_sink_t *sink)
{
    apr_time_t now;
    if (--pace->left > 0) {
        return;
    }
    now = aur_clock();
    if (now - pace->last >= FLUSH_US) {
        if (writer->is->flush) {
            writer->is->flush(writer);
        }
        aur_sink_flush(sink);
        pace->last = now;
        pace->step = pace->step > 1 ? pace->step / 2 : 1;
    }
    else if (pace->step < CLOCK_ROWS_MAX) {
        pace->step *= 2;
    }
    pace->left = pace->step;
}

/* Every row from the cursor to the writer. Allocates nothing. */
static apr_status_t write_rows(aur_request_t *x, aur_cursor_t *cursor, aur_writer_t *writer,
                               pace_t *pace)
{
    const aur_cell_t *cells;
    apr_status_t rv;

    x->rows = 0;
    while ((rv = aur_cursor_next(&cells, cursor, &x->err)) == APR_SUCCESS) {
        aur_task_progress(x->task);
        rv = writer->is->row(writer, cells);
        if (rv != APR_SUCCESS) {
            if (x->err.code == AUR_E_NONE) { /* else a value broke off, and has said why */
                rv = aur_answer_broken(x);
            }
            break;
        }
        x->rows++;
        if (pace) {
            keep_pace(pace, writer, x->sink);
        }
    }
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

/* Begin, rows, and the cursor's end. The client's share of the time is not the database's. */
static apr_status_t write_result(aur_request_t *x, aur_cursor_t *cursor, aur_writer_t *writer,
                                 pace_t *pace, apr_time_t sent)
{
    apr_interval_time_t before = x->pass_us;
    apr_status_t rv;

    writer->is->begin(writer);
    rv = write_rows(x, cursor, writer, pace);
    aur_cursor_close(cursor);
    x->db_us = aur_clock() - sent - (x->pass_us - before);
    return rv;
}

/* --- preview -------------------------------------------------------------------------------------- */

/* The page itself tells the total when it is not full, unless it lies beyond the last row; so does a
 * count that the gate has made. */
static apr_status_t count_total(aur_request_t *x, const aur_plan_t *plan,
                                const aur_estimate_t *estimate, apr_int64_t *total)
{
    if (x->rows < plan->limit && (x->rows > 0 || plan->offset == 0)) {
        *total = plan->offset + x->rows;
        return APR_SUCCESS;
    }
    if (estimate->counted && estimate->rows < estimate->bound) {
        *total = estimate->rows;
        return APR_SUCCESS;
    }
    return aur_run_count(x, plan, AUR_SQL_COUNT, total);
}

/* SQL by hand may give one name to several columns; an object would keep the value of one of them. */
static apr_status_t check_names(aur_request_t *x, const aur_plan_t *plan,
                                const aur_result_column_t *columns, int ncolumns)
{
    int i, other;

    for (i = 0; plan->written && !plan->arrays && i < ncolumns; i++) {
        for (other = 0; other < i && strcmp(columns[other].name, columns[i].name); other++) {
        }
        if (other < i) {
            aur_error_set(&x->err, AUR_E_BAD_REQUEST, NULL,
                          "Two columns of this report are called %s; ask for shape=arrays.",
                          aur_name_shown(columns[i].name, x->r->pool));
            aur_error_column(&x->err, columns[i].name);
            return APR_EGENERAL;
        }
    }
    return APR_SUCCESS;
}

static apr_status_t run_preview(aur_request_t *x, const aur_plan_t *plan,
                                const aur_estimate_t *estimate)
{
    aur_json_options_t options = {plan->dataset_name, plan->arrays};
    aur_writer_end_t end = {0};
    const aur_result_column_t *columns;
    aur_cursor_t *cursor;
    aur_writer_t *writer;
    apr_time_t sent = aur_clock();
    int ncolumns;
    apr_status_t rv = aur_run_open(x, plan, AUR_SQL_PAGE, &cursor);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    columns = aur_cursor_columns(cursor, &ncolumns);
    rv = check_names(x, plan, columns, ncolumns);
    if (rv != APR_SUCCESS) {
        aur_cursor_close(cursor);
        return rv;
    }
    aur_answer_begin(x, "application/json", PREVIEW_BUFFERS);
    writer = aur_writer_json_create(x->sink, columns, ncolumns, &options, x->r->pool);
    rv = write_result(x, cursor, writer, NULL, sent);
    if (rv == APR_SUCCESS) {
        rv = count_total(x, plan, estimate, &end.total_rows);
        x->db_us = aur_clock() - sent - x->pass_us;
    }
    if (rv == APR_SUCCESS) {
        end.rows = x->rows;
        end.limit = plan->limit;
        end.offset = plan->offset;
        end.elapsed_ms = (double)(aur_clock() - x->begun) / 1000.0;
        writer->is->end(writer, &end);
    }
    return rv;
}

int aur_preview_answer(aur_request_t *x, aur_plan_t *plan)
{
    aur_estimate_t estimate;

    if (plan->limit > x->loc->preview_max_rows) {
        plan->limit = x->loc->preview_max_rows;
    }
    if (aur_work_begin(x, AUR_WORK_PREVIEW) != APR_SUCCESS ||
        aur_run_borrow(x, AUR_USE_PREVIEW) != APR_SUCCESS ||
        aur_gate_check(x, plan, AUR_USE_PREVIEW, &estimate) != APR_SUCCESS ||
        run_preview(x, plan, &estimate) != APR_SUCCESS) {
        return aur_answer_fail(x);
    }
    aur_run_return(x); /* before the client's reading, however slow */
    return aur_answer_end(x);
}

int aur_http_preview(aur_request_t *x)
{
    aur_query_t *query;
    aur_plan_t *plan;
    int status;

    if (aur_work_name(x) != APR_SUCCESS || aur_admit_rate(x, AUR_WORK_PREVIEW) != APR_SUCCESS) {
        return aur_answer_fail(x);
    }
    status = aur_run_read(x, &query);
    if (status != OK) {
        return status == DONE ? aur_answer_fail(x) : status;
    }
    return aur_run_plan(x, query, &plan) == APR_SUCCESS ? aur_preview_answer(x, plan)
                                                        : aur_answer_fail(x);
}

/* --- export --------------------------------------------------------------------------------------- */

/* What may be refused before the first byte. The plan's threshold for a workbook is that of a preview. */
static apr_status_t check_export(aur_request_t *x, const aur_plan_t *plan,
                                 const aur_export_t *options)
{
    aur_estimate_t estimate;
    apr_status_t rv =
        aur_gate_check(x, plan, options->xlsx ? AUR_USE_PREVIEW : AUR_USE_EXPORT, &estimate);

    return rv == APR_SUCCESS && options->xlsx ? aur_xlsx_check(x, plan, &estimate) : rv;
}

static apr_status_t make_writer(aur_writer_t **writer, aur_request_t *x, const aur_query_t *query,
                                const aur_plan_t *plan, const aur_export_t *options,
                                aur_cursor_t *cursor)
{
    int ncolumns;
    const aur_result_column_t *columns = aur_cursor_columns(cursor, &ncolumns);

    if (options->xlsx) {
        return aur_xlsx_writer(writer, x, query, plan, columns, ncolumns,
                               options->csv.display_names, options->about);
    }
    *writer = aur_writer_csv_create(x->sink, columns, ncolumns, &options->csv, x->r->pool);
    return APR_SUCCESS;
}

static apr_status_t run_export(aur_request_t *x, const aur_query_t *query, const aur_plan_t *plan,
                               const aur_export_t *options)
{
    aur_writer_end_t end = {0};
    pace_t pace = {x->begun, 1, 1};
    aur_cursor_t *cursor;
    aur_writer_t *writer;
    apr_time_t sent = aur_clock();
    apr_status_t rv = aur_run_open(x, plan, AUR_SQL_ALL, &cursor);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    aur_export_headers(x, options);
    aur_answer_begin(x, aur_export_type(options), 1);
    rv = make_writer(&writer, x, query, plan, options, cursor);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    aur_throttle_add(x);
    rv = write_result(x, cursor, writer, &pace, sent);
    if (rv == APR_SUCCESS) {
        end.rows = end.total_rows = x->rows;
        end.elapsed_ms = (double)(aur_clock() - x->begun) / 1000.0;
        writer->is->end(writer, &end);
        x->truncated_cells = options->xlsx ? aur_writer_xlsx_truncated(writer) : 0;
    }
    return rv;
}

int aur_export_answer(aur_request_t *x, const aur_query_t *query, const aur_plan_t *plan,
                      const aur_export_t *options)
{
    if (aur_work_begin(x, options->xlsx ? AUR_WORK_XLSX : AUR_WORK_CSV) != APR_SUCCESS ||
        aur_run_borrow(x, AUR_USE_EXPORT) != APR_SUCCESS ||
        check_export(x, plan, options) != APR_SUCCESS ||
        run_export(x, query, plan, options) != APR_SUCCESS) {
        return aur_answer_fail(x);
    }
    aur_run_return(x);
    return aur_answer_end(x);
}

int aur_http_export(aur_request_t *x)
{
    aur_export_t options;
    aur_query_t *query;
    aur_plan_t *plan;
    int status;

    if (aur_work_name(x) != APR_SUCCESS || aur_admit_rate(x, AUR_WORK_CSV) != APR_SUCCESS ||
        aur_export_options(x, &options) != APR_SUCCESS) {
        return aur_answer_fail(x);
    }
    x->kind = options.xlsx ? "xlsx" : "csv";
    status = aur_run_read(x, &query);
    if (status != OK) {
        return status == DONE ? aur_answer_fail(x) : status;
    }
    return aur_run_plan(x, query, &plan) == APR_SUCCESS
               ? aur_export_answer(x, query, plan, &options)
               : aur_answer_fail(x);
}
