/* sql_terms.c - columns and aggregations (sql_build.h). */
#include <string.h>

#include "sql_build.h"

void aur_build_full_name(const aur_build_t *b, const aur_column_ref_t *ref)
{
    aur_sql_text(b->q, "c");
    aur_sql_index(b->q, ref->table);
    aur_sql_text(b->q, "_");
    aur_sql_index(b->q, ref->column);
}

void aur_build_column(const aur_build_t *b, const aur_column_ref_t *ref, aur_place_e place)
{
    const aur_dataset_t *dataset = b->plan->tables[ref->table].dataset;

    if (place == AUR_IN_QUERY && b->full > 0 && ref->table <= b->full) {
        aur_sql_text(b->q, "f.");
        aur_build_full_name(b, ref);
        return;
    }
    aur_sql_text(b->q, "t");
    if (place == AUR_IN_QUERY) {
        aur_sql_index(b->q, ref->table);
    }
    aur_sql_text(b->q, ".");
    aur_sql_ident(b->q, dataset->columns[ref->column].name);
}

const aur_column_t *aur_build_column_at(const aur_build_t *b, const aur_column_ref_t *ref)
{
    return &b->plan->tables[ref->table].dataset->columns[ref->column];
}

const char *aur_build_ask(const aur_build_t *b, const char *(*about)(const aur_column_t *),
                          const aur_column_ref_t *ref)
{
    return about ? about(aur_build_column_at(b, ref)) : NULL;
}

void aur_build_as(const aur_build_t *b, const char *template, const aur_column_ref_t *ref,
                  aur_place_e place)
{
    const char *from = template ? template : "$l", *left;

    while ((left = strstr(from, "$l")) != NULL) {
        aur_sql_text_n(b->q, from, (apr_size_t)(left - from));
        aur_build_column(b, ref, place);
        from = left + 2;
    }
    aur_sql_text_n(b->q, from, strlen(from));
}

void aur_build_operand(const aur_build_t *b, const aur_column_ref_t *ref, aur_place_e place)
{
    aur_build_as(b, aur_build_ask(b, b->q->dialect->operand, ref), ref, place);
}

/* What an aggregation is made of. */
static void put_argument(const aur_build_t *b, const aur_plan_agg_t *agg)
{
    const aur_dialect_t *dialect = b->q->dialect;
    const aur_column_ref_t *column = &agg->column;

    if (agg->star) {
        aur_sql_text(b->q, "*");
    }
    else if (agg->function == AUR_AGG_MIN || agg->function == AUR_AGG_MAX) {
        const char *operand = aur_build_ask(b, dialect->operand, column);
        aur_build_as(b, operand ? operand : aur_build_ask(b, dialect->output, column), column,
                     AUR_IN_QUERY);
    }
    else if (agg->function == AUR_AGG_DISTINCT_COUNT && dialect->exact) {
        aur_build_operand(b, column, AUR_IN_QUERY);
    }
    else {
        aur_build_column(b, column, AUR_IN_QUERY);
    }
}

void aur_build_aggregation(const aur_build_t *b, int index)
{
    const aur_plan_agg_t *agg = &b->plan->aggregations[index];

    switch (agg->function) {
    case AUR_AGG_SUM:
        aur_sql_text(b->q, "sum(");
        break;
    case AUR_AGG_AVG:
        aur_sql_text(b->q, "avg(");
        break;
    case AUR_AGG_COUNT:
        aur_sql_text(b->q, "count(");
        break;
    case AUR_AGG_MIN:
        aur_sql_text(b->q, "min(");
        break;
    case AUR_AGG_MAX:
        aur_sql_text(b->q, "max(");
        break;
    case AUR_AGG_DISTINCT_COUNT:
        aur_sql_text(b->q, "count(DISTINCT ");
        break;
    }
    put_argument(b, agg);
    aur_sql_text(b->q, ")");
}

void aur_build_value(const aur_build_t *b, int aggregation,
                     const char *(*about)(const aur_column_t *), const aur_column_ref_t *column)
{
    if (aggregation >= 0) {
        aur_build_aggregation(b, aggregation);
    }
    else {
        aur_build_as(b, aur_build_ask(b, about, column), column, AUR_IN_QUERY);
    }
}
