/* catalog_parts.h - what reading the file, building a snapshot and looking things up share. */
#ifndef AURORA_CATALOG_PARTS_H
#define AURORA_CATALOG_PARTS_H

#include <apr_tables.h>

#include "aurora/catalog.h"
#include "aurora/catalog_reports.h"
#include "aurora/json_in.h"
#include "names.h"

/* --- the catalogue file as written: names not looked up yet ---------------------------------- */

typedef struct aur_file_column_t {
    const char *name;
    const char *display_name; /* NULL when none */
    const char *format;       /* NULL when none */
    const char *const *roles; /* NULL-terminated; NULL when none */
} aur_file_column_t;

typedef struct aur_file_partition_t {
    const char *load_type_column; /* NULL when none, as the next two */
    const char *load_id_column;
    const char *date_column;
    int nsupported;
    const char *const *supported_types;
    int default_latest;
} aur_file_partition_t;

typedef struct aur_file_sort_t {
    const char *column;
    int descending;
    int nulls_first;
} aur_file_sort_t;

typedef struct aur_file_dataset_t {
    const char *pointer; /* where it stands in the file */
    const char *name;
    const char *source;       /* the name where the file gives none */
    const char *display_name; /* NULL when none */
    int ncolumns;             /* 0: every column */
    const aur_file_column_t *columns;
    const aur_file_partition_t *partition; /* NULL when none */
    int nsorting;
    const aur_file_sort_t *sorting;
    const char *const *roles;              /* NULL-terminated; NULL when none */
    const struct json_t *row_filter;       /* NULL when none; lives as long as the file */
    const struct aur_row_filter_t *filter; /* NULL until it has been read */
    int nfilter_columns;                   /* that it names, each once */
    const char *const *filter_columns;
} aur_file_dataset_t;

struct aur_catalog_file_t {
    int discover;
    int ndatasets;
    aur_file_dataset_t *datasets;
    int nreports;
    const aur_report_t *reports;
};

/** Read `reports` of the file (catalog_reports.c). */
apr_status_t aur_file_reports_read(aur_catalog_file_t *file, const aur_json_in_t *in,
                                   const json_t *root);

/* --- the snapshot ---------------------------------------------------------------------------- */

struct aur_catalog_t {
    int count;
    const aur_dataset_t *const *datasets; /* sorted by name */
    const aur_names_t *index;             /* name -> index into datasets */
    struct aur_view_t *view;              /* NULL: the snapshot itself */
};

/* --- catalog_rights.c: members that say who may see what ----------------------------------------- */

/** Read `roles` of an object: NULL where there is none, else at least one role.
 * @param roles  NULL-terminated */
apr_status_t aur_file_roles_read(const char *const **roles, const aur_json_in_t *in,
                                 const json_t *object, const aur_json_at_t *at);
/** Read the shape of `row_filter` and the columns it names; its grammar is checked later. */
apr_status_t aur_file_row_filter_read(aur_file_dataset_t *d, const aur_json_in_t *in,
                                      const json_t *dataset, const aur_json_at_t *at);
/** Refuse members of an object that are not known, or null. known ends with NULL. */
apr_status_t aur_file_members_check(const aur_json_in_t *in, const json_t *object,
                                    const aur_json_at_t *at, const char *const *known);
/** Put the pointer in front of the detail: the administrator reads a log line, which shows the detail
 * alone. @return APR_EGENERAL */
apr_status_t aur_file_refused(aur_error_t *err, apr_pool_t *p);

/* --- catalog_view.c -------------------------------------------------------------------------- */

/** Of a view: how many datasets its caller may see, and one of them. */
int aur_view_count(const aur_catalog_t *catalog);
const aur_dataset_t *aur_view_get(const aur_catalog_t *catalog, int index);
/** Of a view: look a dataset up. */
const aur_dataset_t *aur_view_find(const aur_catalog_t *catalog, const char *name,
                                   apr_pool_t *scratch);

/* --- what was discovered --------------------------------------------------------------------- */

typedef struct aur_raw_table_t {
    const char *schema; /* NULL when none */
    const char *table;
    const char *full; /* "SCHEMA.TABLE"; table where there is no schema */
    int is_view;
    apr_int64_t row_estimate;
    apr_array_header_t *columns; /* aur_column_t */
    const char *behind;          /* full, or the full name of the table whose synonym it is */
} aur_raw_table_t;

/** Make a dataset of the file on top of its table.
 * @return NULL when it cannot be; *problem then says why, from p */
aur_dataset_t *aur_catalog_lay(const char **problem, const aur_file_dataset_t *f,
                               const aur_raw_table_t *t, apr_pool_t *p);
/** Make a dataset of a table as it was discovered. */
aur_dataset_t *aur_catalog_serve(const char *name, const aur_raw_table_t *t, apr_pool_t *p);

#endif
