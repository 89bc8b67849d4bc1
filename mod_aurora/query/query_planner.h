/* query_planner.h - one plan being made: what the files of the planner share. */
#ifndef AURORA_QUERY_PLANNER_H
#define AURORA_QUERY_PLANNER_H

#include <apr_hash.h>
#include <apr_tables.h>

#include "aurora/query.h"

/* A folded name; s is NULL where a table has no such name. */
typedef struct aur_folded_t {
    const char *s;
    apr_size_t len;
} aur_folded_t;

/* How a table of the plan may be addressed, best first. */
enum { AUR_BY_LABEL, AUR_BY_DATASET, AUR_BY_FULL, AUR_BY_TABLE, AUR_BY_COUNT };

typedef struct aur_plan_names_t {
    aur_folded_t by[AUR_BY_COUNT];
    int aliased;
} aur_plan_names_t;

typedef struct aur_planner_t {
    const aur_query_t *query;
    const aur_catalog_t *catalog;
    aur_plan_t *plan;
    aur_plan_table_t *tables; /* plan->ntables of them */
    aur_plan_names_t *names;  /* one per table */
    aur_plan_agg_t *aggregations;
    apr_hash_t *agg_by_name;  /* folded output name -> aur_plan_agg_t */
    aur_plan_expr_t **rights; /* one per table: its row filter; NULL: every row may be seen */
    int nvalues;              /* binds so far, against AUR_QUERY_VALUES_MAX */
    int valueless;            /* aur_query_plannable: rules stay without values, rights are none */
    aur_error_t *err;
    apr_pool_t *p;       /* what the plan keeps */
    apr_pool_t *scratch; /* gone when the plan is made */
} aur_planner_t;

#define AUR_TABLE_NONE    (-1)
#define AUR_TABLE_SEVERAL (-2)

/* --- query_tables.c -------------------------------------------------------------------------- */

/** The main dataset and the joins. */
apr_status_t aur_planner_tables(aur_planner_t *pl);
/** @return index of the table a (folded) name stands for, NONE or SEVERAL */
int aur_planner_table_find(const aur_planner_t *pl, const char *folded, apr_size_t len);

/** Find a column by the name a request gives it (query.h, "Names").
 * @param pointer  where the name stands
 * @return APR_SUCCESS; UNKNOWN_COLUMN; BAD_REQUEST when it could mean several */
apr_status_t aur_planner_column(aur_column_ref_t *ref, aur_planner_t *pl, const char *name,
                                const char *pointer);
static inline const aur_column_t *aur_planner_at(const aur_planner_t *pl, aur_column_ref_t ref)
{
    return &pl->tables[ref.table].dataset->columns[ref.column];
}

/** The aggregation with that output name, or NULL. */
const aur_plan_agg_t *aur_planner_agg(const aur_planner_t *pl, const char *name);

/* --- query_rules.c --------------------------------------------------------------------------- */

/** Filters into where and having. */
apr_status_t aur_planner_filters(aur_planner_t *pl);
/** One rule on a column that is known already. */
apr_status_t aur_planner_rule_on(aur_plan_expr_t **out, aur_planner_t *pl, const aur_filter_t *f,
                                 aur_column_ref_t column);

/* --- row_filter.c ---------------------------------------------------------------------------- */

/** The tables' row filters, for the caller whose view the catalogue is, into rights. Never fails: what
 * cannot be met lets no row through. */
apr_status_t aur_planner_rights(aur_planner_t *pl);

/* --- query_partitions.c ---------------------------------------------------------------------- */

/** Partition filters, load type and the default partition into the restrictions of the tables.
 * Filters and everything else that restricts a table must have been planned. */
apr_status_t aur_planner_partitions(aur_planner_t *pl);

/** Room for n values of a rule, counted against the limit; NULL with err when it is reached. */
aur_cell_t *aur_planner_values(aur_planner_t *pl, int n, const char *pointer);
/** A rule on a column of the plan, still without values. */
aur_plan_expr_t *aur_planner_rule(aur_planner_t *pl, aur_column_ref_t column, aur_type_e type,
                                  aur_op_e op);
/** Several expressions as one: NULL for none, the only one itself, else a group. */
aur_plan_expr_t *aur_planner_group(aur_planner_t *pl, const apr_array_header_t *exprs, int any);

#endif
