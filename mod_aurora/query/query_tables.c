/* query_tables.c - datasets, joins and column names of a request, looked up (query_planner.h). */
#include <apr_strings.h>
#include <string.h>

#include "aurora/json_in.h"
#include "aurora/text.h"
#include "query_planner.h"

#define AT(pl, ...)     apr_psprintf((pl)->scratch, __VA_ARGS__)
#define SHOWN(pl, name) aur_name_shown((name), (pl)->scratch)

static aur_folded_t fold(const aur_planner_t *pl, const char *name)
{
    aur_folded_t f;

    f.s = aur_casefold(name, strlen(name), &f.len, pl->scratch);
    return f;
}

/* --- tables ---------------------------------------------------------------------------------- */

static int same(const aur_folded_t *name, const char *folded, apr_size_t len)
{
    return name->s && name->len == len && !memcmp(name->s, folded, len);
}

/* Among several uses of one dataset the first without an alias is meant. */
static int find_by(const aur_planner_t *pl, int by, const char *folded, apr_size_t len)
{
    int first = AUR_TABLE_NONE, plain = AUR_TABLE_NONE, uses = 0, i;

    for (i = 0; i < pl->plan->ntables; i++) {
        if (!same(&pl->names[i].by[by], folded, len)) {
            continue;
        }
        if (!uses++) {
            first = i;
        }
        if (pl->tables[i].dataset != pl->tables[first].dataset) {
            return AUR_TABLE_SEVERAL;
        }
        if (plain == AUR_TABLE_NONE && !pl->names[i].aliased) {
            plain = i;
        }
    }
    if (plain != AUR_TABLE_NONE) {
        return plain;
    }
    return uses > 1 ? AUR_TABLE_SEVERAL : first;
}

int aur_planner_table_find(const aur_planner_t *pl, const char *folded, apr_size_t len)
{
    int by, found = AUR_TABLE_NONE;

    for (by = 0; by < AUR_BY_COUNT && found == AUR_TABLE_NONE; by++) {
        found = find_by(pl, by, folded, len);
    }
    return found;
}

static apr_status_t unknown_dataset(aur_planner_t *pl, const char *name, const char *pointer)
{
    return aur_error_set(pl->err, AUR_E_UNKNOWN_DATASET, pointer, "There is no dataset %s.",
                         SHOWN(pl, name));
}

/* What a use of a dataset is called without an alias: SALES, SALES_2, SALES_3. */
static const char *default_label(const aur_planner_t *pl, const aur_dataset_t *dataset)
{
    int uses = 1, i;

    for (i = 0; i < pl->plan->ntables; i++) {
        uses += pl->tables[i].dataset == dataset;
    }
    return uses == 1 ? dataset->name : apr_psprintf(pl->p, "%s_%d", dataset->name, uses);
}

/* Take a dataset in; the label must be new. */
static apr_status_t table_add(aur_planner_t *pl, const aur_dataset_t *dataset, const char *alias,
                              const char *pointer)
{
    int n = pl->plan->ntables;
    aur_plan_table_t *t = &pl->tables[n];
    aur_plan_names_t *names = &pl->names[n];
    aur_folded_t label;

    t->dataset = dataset;
    t->label = alias ? alias : default_label(pl, dataset);
    label = fold(pl, t->label);
    if (find_by(pl, AUR_BY_LABEL, label.s, label.len) != AUR_TABLE_NONE) {
        return aur_error_set(pl->err, AUR_E_BAD_REQUEST, pointer,
                             "The name %s is taken by another dataset of this request; give this "
                             "one an alias of its own.",
                             SHOWN(pl, t->label));
    }
    names->aliased = alias != NULL;
    names->by[AUR_BY_LABEL] = label;
    names->by[AUR_BY_DATASET] = fold(pl, dataset->name);
    names->by[AUR_BY_TABLE] = fold(pl, dataset->table);
    if (dataset->schema) {
        names->by[AUR_BY_FULL] =
            fold(pl, apr_pstrcat(pl->scratch, dataset->schema, ".", dataset->table, NULL));
    }
    pl->plan->ntables++;
    return APR_SUCCESS;
}

/* --- column names ---------------------------------------------------------------------------- */

static apr_status_t unknown_column(aur_planner_t *pl, const char *name, const char *pointer)
{
    aur_error_set(pl->err, AUR_E_UNKNOWN_COLUMN, pointer, "There is no column %s in this request.",
                  SHOWN(pl, name));
    aur_error_column(pl->err, name);
    return APR_EGENERAL;
}

static apr_status_t ambiguous(aur_planner_t *pl, const char *name, const char *pointer)
{
    aur_error_set(pl->err, AUR_E_BAD_REQUEST, pointer,
                  "%s could be a column of several datasets; write the dataset's name or alias and "
                  "a point before it.",
                  SHOWN(pl, name));
    aur_error_column(pl->err, name);
    return APR_EGENERAL;
}

static int column_in(const aur_planner_t *pl, int table, const char *name)
{
    return aur_dataset_column(pl->tables[table].dataset, name, strlen(name), pl->scratch);
}

/* The main dataset wins; of the joined ones only one may have it. @return the table, NONE or
 * SEVERAL */
static int find_unqualified(aur_column_ref_t *ref, const aur_planner_t *pl, const char *name)
{
    int found = AUR_TABLE_NONE, table;

    for (table = 0; table < pl->plan->ntables; table++) {
        int column = column_in(pl, table, name);
        if (column < 0) {
            continue;
        }
        if (found != AUR_TABLE_NONE) {
            return AUR_TABLE_SEVERAL;
        }
        found = table;
        ref->table = table;
        ref->column = column;
        if (!table) {
            break;
        }
    }
    return found;
}

/* Names in the database may hold dots, so each dot may be the one behind the qualifier. Folding
 * keeps dots, hence the n-th dot of the folded name is the n-th of the name. */
static int find_qualified(aur_column_ref_t *ref, const aur_planner_t *pl, const char *name)
{
    const char *folded = fold(pl, name).s, *s = name, *f = folded;
    int found = AUR_TABLE_NONE;

    while ((s = strchr(s, '.')) && (f = strchr(f, '.'))) {
        int table = aur_planner_table_find(pl, folded, (apr_size_t)(f - folded));
        s++;
        if (table == AUR_TABLE_SEVERAL) {
            found = table;
        }
        else if (table >= 0 && (ref->column = column_in(pl, table, s)) >= 0) {
            ref->table = table;
            return table;
        }
        f++;
    }
    return found;
}

apr_status_t aur_planner_column(aur_column_ref_t *ref, aur_planner_t *pl, const char *name,
                                const char *pointer)
{
    int found = find_unqualified(ref, pl, name);

    if (found == AUR_TABLE_NONE) {
        found = find_qualified(ref, pl, name);
    }
    if (found == AUR_TABLE_SEVERAL) {
        return ambiguous(pl, name, pointer);
    }
    return found == AUR_TABLE_NONE ? unknown_column(pl, name, pointer) : APR_SUCCESS;
}

/* A column that must be one of this table, qualified with any of its names or not at all. */
static apr_status_t column_of(aur_column_ref_t *ref, aur_planner_t *pl, int table, const char *name,
                              const char *pointer)
{
    const char *folded = fold(pl, name).s, *s = name, *f = folded;
    int by;

    ref->table = table;
    ref->column = column_in(pl, table, name);
    while (ref->column < 0 && (s = strchr(s, '.')) && (f = strchr(f, '.'))) {
        s++;
        for (by = 0; by < AUR_BY_COUNT && ref->column < 0; by++) {
            if (same(&pl->names[table].by[by], folded, (apr_size_t)(f - folded))) {
                ref->column = column_in(pl, table, s);
            }
        }
        f++;
    }
    if (ref->column >= 0) {
        return APR_SUCCESS;
    }
    aur_error_set(pl->err, AUR_E_UNKNOWN_COLUMN, pointer, "%s has no column %s.",
                  SHOWN(pl, pl->tables[table].label), SHOWN(pl, name));
    aur_error_column(pl->err, name);
    return APR_EGENERAL;
}

const aur_plan_agg_t *aur_planner_agg(const aur_planner_t *pl, const char *name)
{
    aur_folded_t f;

    if (!pl->plan->naggregations) {
        return NULL;
    }
    f = fold(pl, name);
    return apr_hash_get(pl->agg_by_name, f.s, (apr_ssize_t)f.len);
}

/* --- joins ----------------------------------------------------------------------------------- */

/* Types that may stand on the two sides of a join. */
static int type_class(aur_type_e type)
{
    return type == AUR_T_TIMESTAMP || type == AUR_T_TIMESTAMP_TZ ? AUR_T_DATE : (int)type;
}

static apr_status_t joinable(aur_planner_t *pl, aur_column_ref_t left, aur_column_ref_t right,
                             const char *pointer)
{
    const aur_column_t *l = aur_planner_at(pl, left), *r = aur_planner_at(pl, right);

    if (!l->comparable || !r->comparable || l->type == AUR_T_BINARY || r->type == AUR_T_BINARY) {
        return aur_error_set(pl->err, AUR_E_BAD_REQUEST, pointer,
                             "%s and %s cannot be joined: one of them cannot be compared.",
                             SHOWN(pl, l->name), SHOWN(pl, r->name));
    }
    if (type_class(l->type) != type_class(r->type)) {
        return aur_error_set(pl->err, AUR_E_BAD_REQUEST, pointer,
                             "%s (%s) and %s (%s) cannot be joined: their types differ.",
                             SHOWN(pl, l->name), aur_type_name(l->type), SHOWN(pl, r->name),
                             aur_type_name(r->type));
    }
    return APR_SUCCESS;
}

static apr_status_t on_add(aur_planner_t *pl, const aur_query_join_t *j, int index, int left)
{
    int table = pl->plan->ntables - 1, i;
    aur_plan_table_t *t = &pl->tables[table];
    aur_column_ref_t *lefts = apr_pcalloc(pl->p, (apr_size_t)j->non * sizeof(*lefts));
    int *rights = apr_pcalloc(pl->p, (apr_size_t)j->non * sizeof(*rights));

    for (i = 0; i < j->non; i++) {
        aur_column_ref_t right;
        apr_status_t rv = column_of(&lefts[i], pl, left, j->left_columns[i],
                                    AT(pl, "/joins/%d/on/%d/left_column", index, i));
        if (rv == APR_SUCCESS) {
            rv = column_of(&right, pl, table, j->right_columns[i],
                           AT(pl, "/joins/%d/on/%d/right_column", index, i));
        }
        if (rv == APR_SUCCESS) {
            rv = joinable(pl, lefts[i], right, AT(pl, "/joins/%d/on/%d", index, i));
        }
        if (rv != APR_SUCCESS) {
            return rv;
        }
        rights[i] = right.column;
    }
    t->join = j->type;
    t->non = j->non;
    t->left = lefts;
    t->right = rights;
    return APR_SUCCESS;
}

static apr_status_t left_find(int *left, aur_planner_t *pl, const char *name, const char *pointer)
{
    aur_folded_t f = fold(pl, name);

    *left = aur_planner_table_find(pl, f.s, f.len);
    if (*left >= 0) {
        return APR_SUCCESS;
    }
    if (*left == AUR_TABLE_NONE && !aur_catalog_find(pl->catalog, name, pl->scratch)) {
        return unknown_dataset(pl, name, pointer);
    }
    return aur_error_set(pl->err, AUR_E_BAD_REQUEST, pointer,
                         *left == AUR_TABLE_SEVERAL
                             ? "%s could be several datasets of this request; write an alias."
                             : "%s is neither the main dataset nor joined before this join.",
                         SHOWN(pl, name));
}

static apr_status_t join_add(aur_planner_t *pl, const aur_query_join_t *j, int index)
{
    const aur_dataset_t *right;
    int left;
    apr_status_t rv =
        left_find(&left, pl, j->left_dataset, AT(pl, "/joins/%d/left_dataset", index));

    if (rv != APR_SUCCESS) {
        return rv;
    }
    right = aur_catalog_find(pl->catalog, j->right_dataset, pl->scratch);
    if (!right) {
        return unknown_dataset(pl, j->right_dataset, AT(pl, "/joins/%d/right_dataset", index));
    }
    rv = table_add(pl, right, j->alias,
                   AT(pl, j->alias ? "/joins/%d/alias" : "/joins/%d/right_dataset", index));
    return rv == APR_SUCCESS ? on_add(pl, j, index, left) : rv;
}

apr_status_t aur_planner_tables(aur_planner_t *pl)
{
    const aur_query_t *q = pl->query;
    const aur_dataset_t *main_dataset = aur_catalog_find(pl->catalog, q->dataset, pl->scratch);
    apr_size_t room = (apr_size_t)q->njoins + 1;
    apr_status_t rv;
    int i;

    if (!main_dataset) {
        return unknown_dataset(pl, q->dataset, "/dataset");
    }
    pl->tables = apr_pcalloc(pl->p, room * sizeof(*pl->tables));
    pl->names = apr_pcalloc(pl->scratch, room * sizeof(*pl->names));
    pl->plan->tables = pl->tables;
    pl->plan->dataset_name = main_dataset->name;
    rv = table_add(pl, main_dataset, NULL, "/dataset");
    for (i = 0; i < q->njoins && rv == APR_SUCCESS; i++) {
        rv = join_add(pl, &q->joins[i], i);
    }
    return rv;
}
