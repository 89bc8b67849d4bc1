/* sql_joins.c - FROM: tables, joins, and the full join that some databases lack (sql_build.h). */
#include <string.h>

#include "plan_uses.h"
#include "sql_build.h"

/* --- a table, and what of it may be seen ------------------------------------------------------- */

static void put_name(const aur_build_t *b, int index)
{
    const aur_dataset_t *dataset = b->plan->tables[index].dataset;

    if (dataset->schema) {
        aur_sql_ident(b->q, dataset->schema);
        aur_sql_text(b->q, ".");
    }
    aur_sql_ident(b->q, dataset->table);
}

/* Rows that may be seen, as " FROM … t WHERE …", of those the ones with the newest values of the first
 * nnewest columns. Subqueries call the table t as well, and mean their own.
 * @param nfilled  from this one on, rows without a value of these columns are left out */
static void put_rows(const aur_build_t *b, int index, int nnewest, int nfilled);

static void put_greatest(const aur_build_t *b, const aur_column_ref_t *ref)
{
    const aur_dialect_t *dialect = b->q->dialect;

    aur_build_as(b, aur_build_ask(b, dialect->greatest ? dialect->greatest : dialect->operand, ref),
                 ref, AUR_IN_TABLE);
}

/* The nth of the columns that tell partitions apart has its greatest value, among the rows that may be
 * seen and have the newest values of the columns before. Asked for in a way that every database answers
 * from the end of an index. */
static void put_newest(const aur_build_t *b, int index, int nth)
{
    const aur_dialect_t *dialect = b->q->dialect;
    const aur_column_ref_t ref = {.table = index, .column = b->plan->tables[index].newest[nth]};

    put_greatest(b, &ref);
    aur_sql_text(b->q, " = (SELECT ");
    if (dialect->greatest_first) {
        put_greatest(b, &ref);
        put_rows(b, index, nth, nth);
        aur_sql_text(b->q, " ORDER BY ");
        put_greatest(b, &ref);
        dialect->direction(b->q, 1, 0);
        dialect->page(b->q, 1, 0);
    }
    else {
        aur_sql_text(b->q, "max(");
        put_greatest(b, &ref);
        aur_sql_text(b->q, ")");
        put_rows(b, index, nth, nth + 1); /* max() passes over NULL */
    }
    aur_sql_text(b->q, ")");
}

/* " WHERE " before the first condition, " AND " before the others. */
static void put_and(const aur_build_t *b, int *n)
{
    if ((*n)++ == 0) {
        aur_sql_text(b->q, " WHERE ");
    }
    else {
        aur_sql_text(b->q, " AND ");
    }
}

static void put_rows(const aur_build_t *b, int index, int nnewest, int nfilled)
{
    const aur_plan_table_t *table = &b->plan->tables[index];
    int n = 0, i;

    aur_sql_text(b->q, " FROM ");
    put_name(b, index);
    aur_sql_text(b->q, " t");
    if (table->restriction) {
        put_and(b, &n);
        aur_build_expr(b, table->restriction, AUR_IN_TABLE);
    }
    for (i = 0; i < nnewest; i++) {
        put_and(b, &n);
        put_newest(b, index, i);
    }
    for (i = nfilled; i < table->nnewest; i++) {
        const aur_column_ref_t ref = {.table = index, .column = table->newest[i]};
        if (aur_build_column_at(b, &ref)->nullable) {
            put_and(b, &n);
            aur_build_column(b, &ref, AUR_IN_TABLE);
            aur_sql_text(b->q, " IS NOT NULL");
        }
    }
}

static void put_table(const aur_build_t *b, int index)
{
    const aur_plan_table_t *table = &b->plan->tables[index];

    if (table->restriction || table->nnewest > 0) {
        aur_sql_text(b->q, "(SELECT *");
        put_rows(b, index, table->nnewest, table->nnewest);
        aur_sql_text(b->q, ")");
    }
    else {
        put_name(b, index);
    }
    aur_sql_text(b->q, " t");
    aur_sql_index(b->q, index);
}

/* --- joins ------------------------------------------------------------------------------------- */

/* Columns of the very same type compare as they are, and by index, unless that is not exact. */
static void put_pair(const aur_build_t *b, const aur_column_ref_t *left,
                     const aur_column_ref_t *right)
{
    const aur_dialect_t *dialect = b->q->dialect;
    const aur_column_t *l = aur_build_column_at(b, left), *r = aur_build_column_at(b, right);
    int plain = !dialect->exact && !strcmp(l->data_type, r->data_type);

    if (plain || (dialect->narrow_pair && dialect->narrow_pair(l, r))) {
        aur_build_column(b, left, AUR_IN_QUERY);
        aur_sql_text(b->q, " = ");
        aur_build_column(b, right, AUR_IN_QUERY);
        if (plain) {
            return;
        }
        aur_sql_text(b->q, " AND ");
    }
    aur_build_operand(b, left, AUR_IN_QUERY);
    aur_sql_text(b->q, " = ");
    aur_build_operand(b, right, AUR_IN_QUERY);
}

static void put_on(const aur_build_t *b, int index)
{
    const aur_plan_table_t *table = &b->plan->tables[index];
    int i;

    for (i = 0; i < table->non; i++) {
        aur_column_ref_t right = {.table = index, .column = table->right[i]};
        if (i > 0) {
            aur_sql_text(b->q, " AND ");
        }
        put_pair(b, &table->left[i], &right);
    }
}

static void put_join(const aur_build_t *b, int index)
{
    switch (b->plan->tables[index].join) {
    case AUR_JOIN_INNER:
        aur_sql_text(b->q, " JOIN ");
        break;
    case AUR_JOIN_LEFT:
        aur_sql_text(b->q, " LEFT JOIN ");
        break;
    case AUR_JOIN_RIGHT:
        aur_sql_text(b->q, " RIGHT JOIN ");
        break;
    case AUR_JOIN_OUTER:
        aur_sql_text(b->q, " FULL JOIN ");
        break;
    }
    put_table(b, index);
    aur_sql_text(b->q, " ON ");
    put_on(b, index);
}

/* --- a full join put together ---------------------------------------------------------------- */

int aur_build_full_join(const aur_dialect_t *dialect, const aur_plan_t *plan)
{
    int i;

    for (i = 1; i < plan->ntables && !dialect->can(AUR_SQL_CAN_FULL_JOIN); i++) {
        if (plan->tables[i].join == AUR_JOIN_OUTER) {
            return i;
        }
    }
    return 0;
}

static void put_tables(const aur_build_t *b, int last)
{
    int i;

    aur_sql_text(b->q, " FROM ");
    put_table(b, 0);
    for (i = 1; i <= last; i++) {
        put_join(b, i);
    }
}

/* The columns of f that are used; in its lower half those of the left side are NULL. */
static void put_full_columns(const aur_build_t *b, int full, int lower)
{
    aur_column_ref_t ref;

    aur_sql_text(b->q, "SELECT 1 AS c");
    for (ref.table = 0; ref.table <= full; ref.table++) {
        const aur_dataset_t *dataset = b->plan->tables[ref.table].dataset;
        for (ref.column = 0; ref.column < dataset->ncolumns + dataset->nhidden; ref.column++) {
            if (!aur_plan_uses(b->plan, full, &ref)) {
                continue;
            }
            aur_sql_text(b->q, ", ");
            if (lower && ref.table < full) {
                aur_sql_text(b->q, "NULL");
            }
            else {
                aur_build_column(b, &ref, AUR_IN_QUERY);
            }
            aur_sql_text(b->q, " AS ");
            aur_build_full_name(b, &ref);
        }
    }
}

/* f: see sql_build.h. */
static void put_full(const aur_build_t *outer)
{
    const aur_build_t inner = {.q = outer->q, .plan = outer->plan};
    const aur_build_t *b = &inner;
    int full = outer->full;

    aur_sql_text(b->q, "(");
    put_full_columns(b, full, 0);
    put_tables(b, full - 1);
    aur_sql_text(b->q, " LEFT JOIN ");
    put_table(b, full);
    aur_sql_text(b->q, " ON ");
    put_on(b, full);
    aur_sql_text(b->q, " UNION ALL ");
    put_full_columns(b, full, 1);
    aur_sql_text(b->q, " FROM ");
    put_table(b, full);
    aur_sql_text(b->q, " WHERE NOT EXISTS (SELECT 1");
    put_tables(b, full - 1);
    aur_sql_text(b->q, " WHERE ");
    put_on(b, full);
    aur_sql_text(b->q, ")) f");
}

void aur_build_from(const aur_build_t *b)
{
    int i;

    if (b->full > 0) {
        aur_sql_text(b->q, " FROM ");
        put_full(b);
    }
    else {
        put_tables(b, 0);
    }
    for (i = b->full + 1; i < b->plan->ntables; i++) {
        put_join(b, i);
    }
}
