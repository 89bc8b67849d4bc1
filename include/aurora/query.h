/* query.h - a request as plain data, before and after it met the catalogue.
 *
 * parse: JSON -> aur_query_t: grammar, types, sizes; nothing is looked up.
 * plan:  aur_query_t + catalogue -> aur_plan_t: every name resolved to an index, every value
 *        checked against its column and typed. From here on no text of the request is an
 *        identifier. The catalogue may be a caller's view (catalog.h). A row filter that cannot be met
 *        for him lets no row through; that is no error.
 * Both are pure: same input, same output, no I/O. Memory from the pool given. Thread-safe.
 *
 * Names. A column is COL, TABLE.COL, SCHEMA.TABLE.COL or ALIAS.COL, all without regard to case.
 * Since names in the database may hold dots, the whole is tried as a column first: of the main
 * dataset, else of the one joined dataset that has it; then each dot, from the left, as the one
 * behind the qualifier. A qualifier is a label (name, alias, TABLE_2), else a dataset's name,
 * else SCHEMA.TABLE, else TABLE; among several uses of one dataset it means the first without an
 * alias. An aggregation's output_name wins over a column in `columns`, `filters` and `sorting`;
 * `group_by`, joins and aggregations know columns only. */
#ifndef AURORA_QUERY_H
#define AURORA_QUERY_H

#include <apr_pools.h>

#include "aurora/catalog.h"
#include "aurora/cell.h"
#include "aurora/error.h"

/* Sizes beyond which a request is refused with BAD_REQUEST. */
#define AUR_QUERY_DEPTH_MAX   16
#define AUR_QUERY_COLUMNS_MAX 1000
#define AUR_QUERY_JOINS_MAX   16
#define AUR_QUERY_ON_MAX      64 /* column pairs of one join */
#define AUR_QUERY_RULES_MAX   1000
#define AUR_QUERY_IN_MAX      1000
#define AUR_QUERY_VALUES_MAX  10000 /* bind values of one request, all together */
#define AUR_QUERY_NAME_MAX    512   /* bytes of any name */

/* --- as written ---------------------------------------------------------------------------- */

/* NULL never comes out of parse: a null is refused there. EXPR is for row filters alone. */
typedef enum { AUR_J_NULL, AUR_J_BOOL, AUR_J_INT, AUR_J_REAL, AUR_J_STRING, AUR_J_EXPR } aur_json_e;

typedef struct aur_scalar_t {
    aur_json_e kind;
    apr_int64_t i; /* INT; BOOL as 0/1 */
    double d;      /* REAL */
    const char *s; /* STRING: NUL-terminated UTF-8, no NUL inside */
    apr_size_t len;
    const void *expr; /* EXPR: as the compiler made it (row_filter.h) */
    int callers;      /* it came with the caller, by a report's parameter: not to be told */
} aur_scalar_t;

typedef enum {
    AUR_OP_EQ,
    AUR_OP_NEQ,
    AUR_OP_GT,
    AUR_OP_GTE,
    AUR_OP_LT,
    AUR_OP_LTE,
    AUR_OP_BETWEEN,
    AUR_OP_IN,
    AUR_OP_NOT_IN,
    AUR_OP_CONTAINS,
    AUR_OP_NOT_CONTAINS,
    AUR_OP_STARTS_WITH,
    AUR_OP_ENDS_WITH,
    AUR_OP_IS_NULL,
    AUR_OP_IS_NOT_NULL,
    AUR_OP_IS_EMPTY,
    AUR_OP_IS_NOT_EMPTY
} aur_op_e;

typedef struct aur_filter_t aur_filter_t; /* a group or a rule */
struct aur_filter_t {
    const char *pointer; /* JSON pointer of this node */
    int is_group;
    /* group */
    int any; /* 1: OR, 0: AND */
    int nchildren;
    aur_filter_t *const *children;
    /* rule */
    const char *column;
    aur_op_e op;
    int ignore_case;
    int nvalues;    /* between: 2, or 1 string "low,high" */
    int whole_list; /* in, not_in of a row filter: the one value, an expression, stands for the list */
    const aur_scalar_t *values;
};

typedef enum { AUR_JOIN_INNER, AUR_JOIN_LEFT, AUR_JOIN_RIGHT, AUR_JOIN_OUTER } aur_join_e;

typedef struct aur_query_join_t {
    const char *left_dataset, *right_dataset;
    const char *alias; /* NULL when none */
    aur_join_e type;
    int non; /* column pairs */
    const char *const *left_columns;
    const char *const *right_columns;
} aur_query_join_t;

typedef enum {
    AUR_AGG_SUM,
    AUR_AGG_AVG,
    AUR_AGG_COUNT,
    AUR_AGG_MIN,
    AUR_AGG_MAX,
    AUR_AGG_DISTINCT_COUNT
} aur_agg_e;

typedef struct aur_query_agg_t {
    const char *column; /* "*" with count */
    aur_agg_e function;
    const char *output_name; /* never empty: FUNCTION_COLUMN where the request left it out */
} aur_query_agg_t;

typedef enum { AUR_NULLS_DEFAULT, AUR_NULLS_FIRST, AUR_NULLS_LAST } aur_nulls_e;

typedef struct aur_query_sort_t {
    const char *column;
    int descending;
    aur_nulls_e nulls;
} aur_query_sort_t;

typedef struct aur_query_partition_t {
    const char *dataset;
    int nvalues;
    const aur_scalar_t *values;
} aur_query_partition_t;

typedef struct aur_query_t {
    const char *dataset;
    int all_columns; /* `columns` was null or missing, or empty in a grouped request */
    int ncolumns;
    const char *const *columns;
    int njoins;
    const aur_query_join_t *joins;
    const aur_filter_t *filters; /* NULL when none; groups that hold no rule are left out */
    int ngroup_by;
    const char *const *group_by;
    int naggregations;
    const aur_query_agg_t *aggregations;
    int nsorting;
    const aur_query_sort_t *sorting;
    int npartitions;
    const aur_query_partition_t *partitions;
    const char *load_type; /* NULL when none */
    apr_int64_t limit;     /* as asked, >= 1; the server's own maximum is not applied yet */
    apr_int64_t offset;
    int arrays;          /* shape "arrays" */
    int every_partition; /* no default partition applies; never set by a request */
} aur_query_t;

/** Parse a request body. The query points into p alone, not into body.
 * @return APR_SUCCESS, or APR_EGENERAL with err: BAD_JSON (not UTF-8, not JSON, too deep,
 *          duplicate key, NUL in a text, a number beyond 64-bit integers or doubles),
 *          BAD_REQUEST (wrong type, size or word, with its pointer), BAD_VALUE (null or nothing
 *          where a value belongs), UNKNOWN_OPERATOR */
apr_status_t aur_query_parse(aur_query_t **query, const char *body, apr_size_t len,
                             aur_error_t *err, apr_pool_t *p);

/* --- checked -------------------------------------------------------------------------------- */

typedef struct aur_column_ref_t {
    int table;  /* index into plan tables */
    int column; /* index into its dataset's columns; hidden ones in restrictions and sorting */
} aur_column_ref_t;

typedef struct aur_plan_expr_t aur_plan_expr_t;
struct aur_plan_expr_t {
    int is_group;
    int any;
    int nchildren; /* a group has at least two: the only child of one takes its place */
    aur_plan_expr_t *const *children;
    /* rule: on a column, or on an aggregation (HAVING) */
    int aggregation; /* index into plan aggregations; -1: a column */
    aur_column_ref_t column;
    aur_type_e type; /* of what stands left of the operator */
    aur_op_e op;
    int ignore_case; /* values are folded already (aur_casefold) */
    int nvalues;     /* between: 2 */
    const aur_cell_t
        *values; /* INT or DECIMAL for numbers; TEXT, BOOL, DATE, TIMESTAMP (UTC, ' ') */
    int never;   /* no row meets it; nothing else here counts */
    int callers; /* one of the values came with the caller: they are not to be told */
};

#define AUR_NEWEST_MAX 2 /* the partition's date, its load id */

typedef struct aur_plan_table_t {
    const aur_dataset_t *dataset;
    const char *label; /* how the request addresses it: name, alias or TABLE_2 */
    aur_join_e join;   /* unused for table 0 */
    int non;
    const aur_column_ref_t *left; /* refer to earlier tables */
    const int *right;             /* columns of this dataset */
    /* restrictions under every use of the dataset, before any join: its row filter for this caller and
     * what the request asks for; NULL when none */
    const aur_plan_expr_t *restriction; /* its column refs name this very table */
    /* Of the rows that the restriction leaves only those of the newest partition: with the greatest
     * value of the first of these columns, and of those with the greatest of the second. Rows
     * without one of the values are never the newest. nnewest 0: every partition */
    int nnewest;
    int newest[AUR_NEWEST_MAX]; /* columns of this dataset */
} aur_plan_table_t;

typedef struct aur_plan_agg_t {
    aur_agg_e function;
    int star; /* count(*) */
    aur_column_ref_t column;
    aur_type_e type; /* of the result */
    const char *output_name;
} aur_plan_agg_t;

typedef struct aur_plan_output_t {
    int aggregation; /* index, or -1: a column */
    aur_column_ref_t column;
} aur_plan_output_t;

typedef struct aur_plan_sort_t {
    int aggregation; /* index, or -1: a column */
    aur_column_ref_t column;
    int descending;
    int nulls_first; /* decided: the contract's default is applied */
} aur_plan_sort_t;

/* A value of hand-written SQL, known by its name there. */
typedef struct aur_written_value_t {
    const char *name;
    aur_type_e type;
    int nvalues; /* 0: it was not given, which is NULL */
    const aur_cell_t *values;
} aur_written_value_t;

/* A statement of the administrator's, from the catalogue file. */
typedef struct aur_written_t {
    const char *text; /* values stand in it as :name */
    int nvalues;
    const aur_written_value_t *values;
} aur_written_t;

typedef struct aur_plan_t {
    const aur_written_t
        *written; /* not NULL: this is run, and there are no tables and no outputs */
    int ntables;
    const aur_plan_table_t *tables;
    int noutputs;
    const aur_plan_output_t *outputs;
    const aur_result_column_t *columns; /* one per output: names, display names, types */
    int naggregations;
    const aur_plan_agg_t *aggregations;
    int grouped; /* GROUP BY or an aggregation is there */
    int ngroup_by;
    const aur_column_ref_t *group_by;
    const aur_plan_expr_t *where;  /* NULL when none */
    const aur_plan_expr_t *having; /* NULL when none */
    int nsorting;
    const aur_plan_sort_t *sorting;
    apr_int64_t limit, offset;
    int arrays;
    int rows_hidden; /* tables have rows that the caller may not know of: statistics would tell */
    const char *dataset_name; /* the main dataset's */
} aur_plan_t;

/** Check a query against a snapshot. The plan points into both, so both must outlive it. A use of
 * a dataset whose catalogue entry says "default": "latest" is restricted to the newest partition,
 * unless the request has partition_filters for the dataset, or a filter on a column that tells
 * this use's partitions apart: then the user has chosen.
 * @return APR_SUCCESS, or APR_EGENERAL with err: UNKNOWN_DATASET, UNKNOWN_COLUMN, BAD_VALUE
 *          (err->column), UNKNOWN_OPERATOR (one that does not apply to the column's type),
 *          MIXED_AGGREGATE_FILTER, BAD_REQUEST (ambiguous names, columns neither grouped nor
 *          aggregated, joins of unlike types) */
apr_status_t aur_query_plan(aur_plan_t **plan, const aur_query_t *query,
                            const aur_catalog_t *catalog, aur_error_t *err, apr_pool_t *p);

/** Would it be planned with the right values? Those that it has are not looked at, and no expression of a
 * row filter is evaluated: the answer is about names and what is done with them alone.
 * @return as aur_query_plan, but for BAD_VALUE */
apr_status_t aur_query_plannable(const aur_query_t *query, const aur_catalog_t *catalog,
                                 aur_error_t *err, apr_pool_t *p);

#endif
