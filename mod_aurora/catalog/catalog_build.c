/* catalog_build.c - a snapshot from what was discovered and the catalogue file
 * (aurora/catalog.h). */
#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_tables.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "aurora/text.h"
#include "catalog_parts.h"

/* Ranks of the names under which tables and datasets are found. */
enum { RANK_NAME, RANK_FULL, RANK_TABLE };

struct aur_catalog_builder_t {
    apr_pool_t *p;
    apr_array_header_t *tables; /* aur_raw_table_t * */
};

/* One build under way. */
typedef struct build_t {
    apr_pool_t *p;
    apr_array_header_t *tables;   /* aur_raw_table_t * */
    apr_array_header_t *datasets; /* aur_dataset_t * */
    apr_array_header_t *warnings; /* const char * */
    aur_names_t *sources;         /* full and table names -> index into tables */
    aur_names_t *folded; /* folded table names: SEVERAL where case alone tells them apart */
    aur_names_t *taken;  /* names datasets of the file have */
    apr_hash_t
        *claimed; /* tables that datasets of the file have as their source, synonyms resolved */
} build_t;

#define RAW(x, i) APR_ARRAY_IDX((x)->tables, (i), aur_raw_table_t *)

/* --- taking in what the database has --------------------------------------------------------- */

aur_catalog_builder_t *aur_catalog_builder_create(apr_pool_t *p)
{
    aur_catalog_builder_t *b = apr_palloc(p, sizeof(*b));

    b->p = p;
    b->tables = apr_array_make(p, 64, sizeof(aur_raw_table_t *));
    return b;
}

void aur_catalog_add_table(aur_catalog_builder_t *b, const char *schema, const char *table,
                           int is_view, apr_int64_t row_estimate)
{
    aur_raw_table_t *t = apr_pcalloc(b->p, sizeof(*t));

    t->schema = schema && *schema ? apr_pstrdup(b->p, schema) : NULL;
    t->table = apr_pstrdup(b->p, table);
    t->full = t->schema ? apr_pstrcat(b->p, t->schema, ".", t->table, NULL) : t->table;
    t->behind = t->full;
    t->is_view = is_view;
    t->row_estimate = row_estimate;
    t->columns = apr_array_make(b->p, 16, sizeof(aur_column_t));
    APR_ARRAY_PUSH(b->tables, aur_raw_table_t *) = t;
}

void aur_catalog_table_is(aur_catalog_builder_t *b, const char *schema, const char *table)
{
    assert(b->tables->nelts > 0);
    RAW(b, b->tables->nelts - 1)->behind = apr_pstrcat(b->p, schema, ".", table, NULL);
}

void aur_catalog_add_column(aur_catalog_builder_t *b, const char *name, const char *data_type,
                            aur_type_e type, int nullable, int comparable)
{
    aur_column_t *c;

    assert(b->tables->nelts > 0);
    c = apr_array_push(RAW(b, b->tables->nelts - 1)->columns);
    c->name = apr_pstrdup(b->p, name);
    c->display_name = c->name;
    c->data_type = apr_pstrdup(b->p, data_type ? data_type : "");
    c->format = NULL;
    c->roles = NULL;
    c->type = type;
    c->nullable = nullable;
    c->comparable = comparable;
    c->timed = 0;
}

void aur_catalog_column_timed(aur_catalog_builder_t *b)
{
    apr_array_header_t *columns = RAW(b, b->tables->nelts - 1)->columns;

    assert(columns->nelts > 0);
    APR_ARRAY_IDX(columns, columns->nelts - 1, aur_column_t).timed = 1;
}

/* --- building -------------------------------------------------------------------------------- */

static const char *fold(const build_t *x, const char *name)
{
    return aur_casefold(name, strlen(name), NULL, x->p);
}

static void sources_index(build_t *x)
{
    int i;

    x->sources = aur_names_create(x->p);
    x->folded = aur_names_create(x->p);
    for (i = 0; i < x->tables->nelts; i++) {
        aur_names_add(x->sources, RAW(x, i)->full, RANK_FULL, i);
        aur_names_add(x->sources, RAW(x, i)->table, RANK_TABLE, i);
        aur_names_add(x->folded, fold(x, RAW(x, i)->table), RANK_NAME, i);
    }
}

/* It is not served as discovered: the file says what may be seen of it. */
static void claim(build_t *x, const aur_raw_table_t *t)
{
    apr_hash_set(x->claimed, t->behind, APR_HASH_KEY_STRING, t);
}

/* A source that could be several tables hides them all: one of them is meant. */
static void claim_all(build_t *x, const char *source)
{
    const char *folded = fold(x, source);
    int i;

    for (i = 0; i < x->tables->nelts; i++) {
        const aur_raw_table_t *t = RAW(x, i);
        if (!strcmp(fold(x, t->full), folded) || !strcmp(fold(x, t->table), folded)) {
            claim(x, t);
        }
    }
}

static void file_datasets(build_t *x, const aur_catalog_file_t *file)
{
    int i;

    for (i = 0; i < file->ndatasets; i++) {
        const aur_file_dataset_t *f = &file->datasets[i];
        int found = aur_names_find(x->sources, f->source, strlen(f->source), x->p);
        const char *problem = NULL;
        aur_dataset_t *d = NULL;

        aur_names_add(x->taken, f->name, RANK_NAME, i);
        if (found >= 0) {
            claim(x, RAW(x, found));
            d = aur_catalog_lay(&problem, f, RAW(x, found), x->p);
        }
        else {
            problem = apr_psprintf(x->p, "%s the source %s",
                                   found == AUR_NAMES_NONE ? "the database does not have"
                                                           : "several schemas have",
                                   f->source);
            if (found == AUR_NAMES_SEVERAL) {
                claim_all(x, f->source);
            }
        }
        if (d) {
            APR_ARRAY_PUSH(x->datasets, aur_dataset_t *) = d;
        }
        else {
            APR_ARRAY_PUSH(x->warnings, const char *) =
                apr_psprintf(x->p, "%s: %s; the dataset is left out", f->pointer, problem);
        }
    }
}

/* Names are decided among all tables, so that naming one in the file does not rename another. */
static const char *discovered_name(build_t *x, const aur_raw_table_t *t)
{
    const char *folded = fold(x, t->table);
    int unique = aur_names_find(x->folded, folded, strlen(folded), x->p) >= 0;

    if (unique && aur_names_find(x->taken, t->table, strlen(t->table), x->p) == AUR_NAMES_NONE) {
        return t->table;
    }
    if (aur_names_find(x->taken, t->full, strlen(t->full), x->p) == AUR_NAMES_NONE) {
        return t->full;
    }
    return NULL;
}

static void discovered_datasets(build_t *x)
{
    int i;

    for (i = 0; i < x->tables->nelts; i++) {
        const aur_raw_table_t *t = RAW(x, i);
        const char *name;

        if (apr_hash_get(x->claimed, t->behind, APR_HASH_KEY_STRING)) {
            continue;
        }
        name = discovered_name(x, t);
        if (name) {
            APR_ARRAY_PUSH(x->datasets, aur_dataset_t *) = aur_catalog_serve(name, t, x->p);
        }
        else {
            APR_ARRAY_PUSH(x->warnings, const char *) = apr_psprintf(
                x->p,
                "/datasets: a dataset with another source has the name of table %s; the "
                "table is left out",
                t->full);
        }
    }
}

static int by_name(const void *a, const void *b)
{
    const aur_dataset_t *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

static aur_catalog_t *snapshot(const build_t *x)
{
    aur_catalog_t *c = apr_palloc(x->p, sizeof(*c));
    aur_names_t *index = aur_names_create(x->p);
    int i;

    qsort(x->datasets->elts, (size_t)x->datasets->nelts, sizeof(aur_dataset_t *), by_name);
    for (i = 0; i < x->datasets->nelts; i++) {
        const aur_dataset_t *d = APR_ARRAY_IDX(x->datasets, i, aur_dataset_t *);
        aur_names_add(index, d->name, RANK_NAME, i);
        if (d->schema) {
            aur_names_add(index, apr_pstrcat(x->p, d->schema, ".", d->table, NULL), RANK_FULL, i);
        }
        aur_names_add(index, d->table, RANK_TABLE, i);
    }
    c->count = x->datasets->nelts;
    c->datasets = (const aur_dataset_t *const *)x->datasets->elts;
    c->index = index;
    c->view = NULL;
    return c;
}

aur_catalog_t *aur_catalog_build(aur_catalog_builder_t *b, const aur_catalog_file_t *file,
                                 const char *const **warnings)
{
    build_t x;

    x.p = b->p;
    x.tables = b->tables;
    x.datasets = apr_array_make(b->p, 64, sizeof(aur_dataset_t *));
    x.warnings = apr_array_make(b->p, 4, sizeof(const char *));
    x.taken = aur_names_create(b->p);
    x.claimed = apr_hash_make(b->p);
    sources_index(&x);
    if (file) {
        file_datasets(&x, file);
    }
    if (!file || file->discover) {
        discovered_datasets(&x);
    }
    if (warnings) {
        APR_ARRAY_PUSH(x.warnings, const char *) = NULL;
        *warnings = (const char *const *)x.warnings->elts;
    }
    return snapshot(&x);
}
