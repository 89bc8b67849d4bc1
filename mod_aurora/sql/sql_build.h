/* sql_build.h - what the files that walk a plan share. The walk is the same for every dialect.
 *
 * Tables are t0, t1, … in the plan's order and every column is qualified by one of them. A table
 * with a restriction becomes a derived table, so that an outer join meets only the rows that may
 * be seen: `t0 LEFT JOIN (SELECT * FROM "X" t WHERE …) t1`. So does one of which only the newest
 * partition counts; what the newest is, is asked of the same rows:
 * `(SELECT * FROM "X" t WHERE … AND t."L" = (SELECT max(t."L") FROM "X" t WHERE …)) t1`.
 *
 * Where the database has no full join, everything up to it becomes a derived table f: a left join, and
 * below it the rows of the right table that found no partner. Its columns are c<table>_<column>. */
#ifndef AURORA_SQL_BUILD_H
#define AURORA_SQL_BUILD_H

#include "dialect.h"

/* Where columns of an expression are looked up: t0, t1, … or, inside a derived table, t. */
typedef enum { AUR_IN_QUERY, AUR_IN_TABLE } aur_place_e;

typedef struct aur_build_t {
    aur_sql_buf_t *q;
    const aur_plan_t *plan;
    int full; /* tables 0..full are columns of f; 0: there is no f */
} aur_build_t;

/* --- sql_terms.c ------------------------------------------------------------------------------ */

const aur_column_t *aur_build_column_at(const aur_build_t *b, const aur_column_ref_t *ref);
/** What the dialect says about a column by one of its functions, which may be NULL; NULL: nothing. */
const char *aur_build_ask(const aur_build_t *b, const char *(*about)(const aur_column_t *),
                          const aur_column_ref_t *ref);

void aur_build_column(const aur_build_t *b, const aur_column_ref_t *ref, aur_place_e place);
/** The name of a column in f. */
void aur_build_full_name(const aur_build_t *b, const aur_column_ref_t *ref);
/** A template of a column: $l is the column. NULL: the column itself. */
void aur_build_as(const aur_build_t *b, const char *template, const aur_column_ref_t *ref,
                  aur_place_e place);
/** A column where its value counts, not only its presence. */
void aur_build_operand(const aur_build_t *b, const aur_column_ref_t *ref, aur_place_e place);
void aur_build_aggregation(const aur_build_t *b, int index);
/** An aggregation, or (index < 0) a column as one of the dialect's functions has it. */
void aur_build_value(const aur_build_t *b, int aggregation,
                     const char *(*about)(const aur_column_t *), const aur_column_ref_t *column);

/* --- sql_conditions.c ------------------------------------------------------------------------- */

void aur_build_expr(const aur_build_t *b, const aur_plan_expr_t *e, aur_place_e place);

/* --- sql_joins.c ------------------------------------------------------------------------------ */

/** The full join that the database has to be helped with: an index of tables; 0: none. */
int aur_build_full_join(const aur_dialect_t *dialect, const aur_plan_t *plan);
/** " FROM" and all tables. */
void aur_build_from(const aur_build_t *b);

#endif
