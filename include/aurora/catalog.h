/* catalog.h - what can be asked for: datasets, columns, partitions. A snapshot is built once,
 * then only read; any number of threads may read it while the next one is being built.
 *
 * Two sources make a snapshot: discovery (db/ adds what the database has) and the catalogue file
 * (names, column lists, partitions on top). */
#ifndef AURORA_CATALOG_H
#define AURORA_CATALOG_H

#include <apr_pools.h>
#include <apr_tables.h>

#include "aurora/cell.h"
#include "aurora/error.h"

struct json_t; /* jansson's */

typedef struct aur_catalog_t aur_catalog_t;
typedef struct aur_catalog_file_t aur_catalog_file_t;

typedef struct aur_column_t {
    const char *name;         /* as the database spells it */
    const char *display_name; /* name where the catalogue file gives none */
    const char *data_type;    /* the database's own type text, e.g. "VARCHAR(40)"; "" when none */
    const char *format;       /* workbook number format, or NULL */
    aur_type_e type;
    int nullable;
    int comparable;           /* 0: blobs and the like: is_null only, no sorting, no grouping */
    int timed;                /* a date that has a time of day as well (Oracle's DATE) */
    const char *const *roles; /* one of them shows it; NULL-terminated; NULL: everybody sees it */
} aur_column_t;

typedef struct aur_partition_t {
    int load_type_column; /* index into columns, hidden ones included; -1 when not configured */
    int load_id_column;
    int date_column;
    int nsupported;
    const char *const *supported_types;
    int default_latest; /* "default": "latest"; then there is a load id or a date column */
} aur_partition_t;

typedef struct aur_default_sort_t {
    int column; /* index into columns, hidden ones included */
    int descending;
    int nulls_first;
} aur_default_sort_t;

/* A column that a row filter names: as it is written there, and where it stands. */
typedef struct aur_filter_column_t {
    const char *name;
    int column; /* index into columns, hidden ones included */
} aur_filter_column_t;

/* Made by aur_catalog_build, and by a view of it for a caller who may not see all of its columns.
 * Where the file lists columns, partition, sorting and row filter may still use others: those
 * stand behind the listed ones, cannot be named by a request and are shown to nobody. What roles
 * hide from a caller stands between the two. */
typedef struct aur_dataset_t {
    const char *name;         /* as callers address it: "SALES" or "BANK.SALES" */
    const char *display_name; /* name where the file gives none */
    const char *schema;       /* physical; NULL where the database has none */
    const char *table;        /* physical */
    int is_view;
    apr_int64_t row_estimate; /* the database's own, -1 when it has none */
    int ncolumns;             /* those that callers see */
    int nhidden;              /* columns[ncolumns .. ncolumns + nhidden) */
    int nforbidden;           /* the first of these: hidden from this caller by roles */
    const aur_column_t *columns;
    /* As the caller may know it: columns that his roles hide are -1, and with one of them gone it has
     * no default. NULL when nothing is configured, or nothing left. */
    const aur_partition_t *partition;
    const aur_partition_t *partition_whole; /* what a default restricts by, whoever asks */
    int nsorting;
    const aur_default_sort_t *sorting;
    const struct aur_names_t *index; /* of the snapshot's columns, for aur_dataset_column */
    const int *place; /* in a view: snapshot's column -> index into columns; NULL: the same */

    const char *const *roles; /* one of them shows it; NULL-terminated; NULL: everybody sees it */
    int guarded;              /* some of its columns have roles */
    int restricted;           /* only some of its rows may be seen: row_filter says which */
    const struct aur_row_filter_t *row_filter; /* NULL in a restricted one: none of them */
    int nfilter_columns;
    const aur_filter_column_t *filter_columns;
} aur_dataset_t;

/** Is the caller shown one partition of a dataset without knowing a column that tells them apart? Then
 * nothing may tell that there are others. */
int aur_dataset_newest_unknown(const aur_dataset_t *dataset);

#define AUR_CATALOG_FILE_MAX (16 * 1024 * 1024)

/* --- building ---------------------------------------------------------------------------- */

typedef struct aur_catalog_builder_t aur_catalog_builder_t;

/** Everything the builder makes lives in p, which becomes the snapshot's pool. Strings given to the
 * builder are copied. Not thread-safe. */
aur_catalog_builder_t *aur_catalog_builder_create(apr_pool_t *p);
/** Start a table or view; its columns follow in order.
 * @param schema  NULL or "" where the database has none */
void aur_catalog_add_table(aur_catalog_builder_t *b, const char *schema, const char *table,
                           int is_view, apr_int64_t row_estimate);
/** The table started last is a synonym of that one: the same rows by another name. */
void aur_catalog_table_is(aur_catalog_builder_t *b, const char *schema, const char *table);
/** Add a column to the table started last. */
void aur_catalog_add_column(aur_catalog_builder_t *b, const char *name, const char *data_type,
                            aur_type_e type, int nullable, int comparable);
/** The column added last is a date that has a time of day as well: its rules take timestamps. */
void aur_catalog_column_timed(aur_catalog_builder_t *b);
/** Lay the catalogue file (may be NULL) over what was discovered. A dataset of the file whose
 * source, columns, partition or sorting columns the database does not have is left out, and said
 * so in *warnings (may be NULL; NULL-terminated, from p; each names the JSON pointer). The table
 * behind it is left out as well: its other columns may be hidden on purpose. Every table that no
 * dataset of the file has as its source, itself or by a synonym, becomes a dataset under the name
 * "TABLE" where that is unique without regard to case, else "SCHEMA.TABLE", unless the file says
 * "discover": false; of tables that an ambiguous source could mean none does. Datasets come sorted by
 * name. The builder is of no use afterwards. */
aur_catalog_t *aur_catalog_build(aur_catalog_builder_t *b, const aur_catalog_file_t *file,
                                 const char *const **warnings);

/** Read and check a catalogue file (api.md, "Catalogue file"), at most AUR_CATALOG_FILE_MAX
 * bytes. Unknown members, wrong types and duplicate keys are refused with their JSON pointer in
 * err. Row filters are read by aur_row_filters_read (row_filter.h) afterwards; without that nobody
 * sees a row of the datasets that have one. Reports are looked up by catalog_reports.h.
 * @param path  for the administrator: err->detail never holds it
 * @return APR_SUCCESS; APR_EGENERAL with err filled (BAD_JSON or BAD_REQUEST; detail begins with
 *          the pointer, or names line and column) */
apr_status_t aur_catalog_file_read(aur_catalog_file_t **file, const char *path, aur_error_t *err,
                                   apr_pool_t *p);
/** The same from memory; the file points into p alone, not into text. */
apr_status_t aur_catalog_file_parse(aur_catalog_file_t **file, const char *text, apr_size_t len,
                                    aur_error_t *err, apr_pool_t *p);

typedef struct aur_row_filter_t aur_row_filter_t; /* row_filter.h */

/** Reads one row filter, a JSON object of jansson's; dataset: whose it is.
 * @return APR_EGENERAL with err: its pointer is one into the file */
typedef apr_status_t aur_row_filter_fn(const aur_row_filter_t **filter, void *ctx,
                                       const struct json_t *json, const char *dataset,
                                       aur_error_t *err, apr_pool_t *p);
/** Have the row filters of the file read, in its order, up to the first that cannot be.
 * @param p  owns what is read; must outlive file
 * @return as aur_catalog_file_read */
apr_status_t aur_catalog_file_filters(aur_catalog_file_t *file, aur_row_filter_fn *read, void *ctx,
                                      aur_error_t *err, apr_pool_t *p);

/* --- who asks ----------------------------------------------------------------------------- */

typedef struct aur_viewer_t {
    const apr_array_header_t *roles; /* const char *; compared byte by byte */
    /** What a row filter's expression says of the caller, living as long as the request; NULL when it
     * cannot be evaluated. NULL: nothing can be. */
    const char *(*value)(void *ctx, const void *expr);
    /** Told when a row filter shows him no row because it cannot be met; may be NULL.
     * why: for the administrator */
    void (*no_rows)(void *ctx, const aur_dataset_t *dataset, const char *why);
    void *ctx;
} aur_viewer_t;

/** A snapshot as one caller may see it: datasets and columns whose roles he has none of are not
 * there, by whatever name they are looked for, and do not make other names ambiguous. A dataset of
 * which he may see no column is not there either. Everything below takes it as it takes a snapshot,
 * which by itself shows everything. Costs nothing until something is looked up.
 * @param p  owns the view, and what is found in it; one thread
 * @param viewer  must live as long */
const aur_catalog_t *aur_catalog_view(const aur_catalog_t *snapshot, const aur_viewer_t *viewer,
                                      apr_pool_t *p);
/** Whose view it is; NULL: it is a snapshot. */
const aur_viewer_t *aur_catalog_viewer(const aur_catalog_t *catalog);
/** Does he have one of the roles? NULL roles: yes. */
int aur_viewer_has(const aur_viewer_t *viewer, const char *const *roles);

/* --- reading ------------------------------------------------------------------------------ */

int aur_catalog_count(const aur_catalog_t *catalog);
/** index 0..count-1, sorted by name */
const aur_dataset_t *aur_catalog_get(const aur_catalog_t *catalog, int index);
/** Find by name without regard to case: the dataset's own name, else "SCHEMA.TABLE", else an
 * unambiguous "TABLE". An exact spelling wins over others that differ in case only. scratch
 * holds the folded name.
 * @return NULL when unknown or ambiguous */
const aur_dataset_t *aur_catalog_find(const aur_catalog_t *catalog, const char *name,
                                      apr_pool_t *scratch);
/** Index of a column by name without regard to case, exact spelling first; -1 when unknown,
 * hidden, or different columns differ from name in case only. */
int aur_dataset_column(const aur_dataset_t *dataset, const char *name, apr_size_t len,
                       apr_pool_t *scratch);

#endif
