/* writer.h - a format: begin, rows, end. A new format adds a file and changes none.
 *
 * Cells are written once, straight into the sink. A writer allocates from its pool when it is
 * created and never afterwards. Statuses are the sink's; nothing else can fail. */
#ifndef AURORA_WRITER_H
#define AURORA_WRITER_H

#include <apr_pools.h>

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
 * like text. */
aur_writer_t *aur_writer_csv_create(aur_sink_t *sink, const aur_result_column_t *columns,
                                    int ncolumns, const aur_csv_options_t *options, apr_pool_t *p);

#endif
