/* writer.h - a format: begin, rows, end. A new format adds a file and changes none.
 *
 * Cells are written once, straight into the sink. A writer allocates from its pool when it is
 * created and never afterwards. Statuses are the sink's, or those of a value in pieces that breaks off: then the body
 * cannot be ended any more. Nothing else can fail. */
#ifndef AURORA_WRITER_H
#define AURORA_WRITER_H

#include <apr_pools.h>
#include <apr_time.h>

#include "aurora/cell.h"
#include "aurora/sink.h"

typedef struct aur_writer_t aur_writer_t;

/* What is known once the last row is written. */
typedef struct aur_writer_end_t {
    apr_int64_t rows;
    apr_int64_t total_rows; /* -1: not known; JSON then says null, and a full page is "truncated" */
    apr_int64_t limit, offset;
    double elapsed_ms;
} aur_writer_end_t;

typedef struct aur_writer_class_t {
    const char *name; /* "json", "csv", "xlsx" */
    apr_status_t (*begin)(aur_writer_t *w);
    /* cells: one per column, in order */
    apr_status_t (*row)(aur_writer_t *w, const aur_cell_t *cells);
    apr_status_t (*end)(aur_writer_t *w, const aur_writer_end_t *end);
    /* NULL, or: put into the sink what the writer holds back, as the sink is about to be flushed */
    apr_status_t (*flush)(aur_writer_t *w);
} aur_writer_class_t;

struct aur_writer_t {
    const aur_writer_class_t *is; /* first member of every writer */
};

/* Preview answers (api.md, "Preview answer"). */
typedef struct aur_json_options_t {
    const char *dataset_name;
    int arrays; /* shape "arrays": each row an array instead of an object */
} aur_json_options_t;

/** `columns` must outlive the writer. */
aur_writer_t *aur_writer_json_create(aur_sink_t *sink, const aur_result_column_t *columns,
                                     int ncolumns, const aur_json_options_t *options,
                                     apr_pool_t *p);

/* CSV (api.md, "Exports"; RFC 4180). */
typedef struct aur_csv_options_t {
    char delimiter; /* ',' ';' '\t' '|' */
    char decimal;   /* '.' or ','; ',' only with another delimiter than ',' */
    const char
        *null_token; /* for NULL; "" or NULL by default. In quotes where it needs them: then it
                               cannot be told from the same text, as every other token can */
    int bom;
    int formula_guard;
    int header;
    int display_names;
} aur_csv_options_t;

/** `columns` must outlive the writer.
 * A value that reads like a null token that is not empty is put into quotes. In a result of one
 * column NULL without a token is an empty line, which some readers skip: a token tells them.
 * What is no date, timestamp or number although its cell says so is copied as it is, and guarded
 * like text. A value in pieces is always in quotes. */
aur_writer_t *aur_writer_csv_create(aur_sink_t *sink, const aur_result_column_t *columns,
                                    int ncolumns, const aur_csv_options_t *options, apr_pool_t *p);

/* XLSX (api.md, "Exports"; ECMA-376). What a sheet holds, header row and columns. */
#define AUR_XLSX_ROWS_MAX    1048576
#define AUR_XLSX_COLUMNS_MAX 16384

/* The workbook's design: everything but sheets and names. Only read once it is made: any number of
 * threads and, after a fork, processes may use it. */
typedef struct aur_xlsx_skeleton_t aur_xlsx_skeleton_t;

/** Have libxlsxwriter design it. Touches memory-backed storage only; not thread-safe.
 * @param skeleton  from p; NULL on failure
 * @param why       filled on failure, for the administrator
 * @param size      bytes at why */
apr_status_t aur_xlsx_skeleton_create(const aur_xlsx_skeleton_t **skeleton, char *why,
                                      apr_size_t size, apr_pool_t *p);

/* A line of the sheet that says what the file is. */
typedef struct aur_xlsx_fact_t {
    const char *label, *value;
} aur_xlsx_fact_t;

typedef struct aur_xlsx_options_t {
    const aur_xlsx_skeleton_t *skeleton;
    const char *title; /* names the sheet, as far as that is legal, and the document */
    int display_names;
    apr_time_t created;
    int nfacts; /* 0: no second sheet; rows and shortened texts are added to them */
    const aur_xlsx_fact_t *facts;
} aur_xlsx_options_t;

/** `columns` and the facts must outlive the writer; at most AUR_XLSX_COLUMNS_MAX columns. A row that the
 * sheet has no room for fails with APR_ENOSPC.
 * Numbers are numbers where a double keeps every digit, else text, as are NaN and infinities. Dates and
 * timestamps without zone are serial numbers of the 1900 system from 1900-03-01 to 9999-12-31, others
 * ISO 8601 text: before that day the system counts a 29 February 1900 that never was. Text is cut at
 * 32,767 UTF-16 units, base64 at the whole group before that. NULL is no cell. */
aur_writer_t *aur_writer_xlsx_create(aur_sink_t *sink, const aur_result_column_t *columns,
                                     int ncolumns, const aur_xlsx_options_t *options,
                                     apr_pool_t *p);
/** Cells whose text has been cut so far. */
apr_int64_t aur_writer_xlsx_truncated(const aur_writer_t *w);

#endif
