/* catalog_lay.c - one dataset from one table: as discovered, or as the catalogue file describes
 * it. */
#include <apr_strings.h>
#include <apr_tables.h>
#include <string.h>

#include "catalog_parts.h"

/* A dataset of the file being laid over its table. */
typedef struct lay_t {
    apr_pool_t *p;
    aur_dataset_t *d;
    aur_column_t *columns; /* room for every column of the table */
    const aur_column_t *raw;
    aur_names_t *raw_index;
    int *place;          /* column of the table -> index into columns; -1 when not there */
    const char *problem; /* NULL as long as all goes well */
} lay_t;

static aur_dataset_t *dataset_make(const char *name, const char *display, const aur_raw_table_t *t,
                                   apr_pool_t *p)
{
    aur_dataset_t *d = apr_pcalloc(p, sizeof(*d));

    d->name = apr_pstrdup(p, name);
    d->display_name = display ? apr_pstrdup(p, display) : d->name;
    d->schema = t->schema;
    d->table = t->table;
    d->is_view = t->is_view;
    d->row_estimate = t->row_estimate;
    return d;
}

static aur_names_t *columns_index(const aur_column_t *columns, int n, apr_pool_t *p)
{
    aur_names_t *index = aur_names_create(p);
    int i;

    for (i = 0; i < n; i++) {
        aur_names_add(index, columns[i].name, 0, i);
    }
    return index;
}

aur_dataset_t *aur_catalog_serve(const char *name, const aur_raw_table_t *t, apr_pool_t *p)
{
    aur_dataset_t *d = dataset_make(name, NULL, t, p);

    d->ncolumns = t->columns->nelts;
    d->columns = (const aur_column_t *)t->columns->elts;
    d->index = columns_index(d->columns, d->ncolumns, p);
    return d;
}

/* --- columns --------------------------------------------------------------------------------- */

static const char *const *roles_copy(const lay_t *x, const char *const *roles)
{
    const char **out;
    int n = 0, i;

    while (roles[n]) {
        n++;
    }
    out = apr_pcalloc(x->p, ((apr_size_t)n + 1) * sizeof(*out));
    for (i = 0; i < n; i++) {
        out[i] = apr_pstrdup(x->p, roles[i]);
    }
    return out;
}

static int raw_find(lay_t *x, const char *name)
{
    int found = aur_names_find(x->raw_index, name, strlen(name), x->p);

    if (found < 0) {
        x->problem = apr_psprintf(x->p, "%s column %s",
                                  found == AUR_NAMES_NONE ? "its source has no"
                                                          : "its source has several spellings of",
                                  name);
    }
    return found;
}

static void listed_columns(lay_t *x, const aur_file_dataset_t *f)
{
    int i;

    for (i = 0; i < f->ncolumns && !x->problem; i++) {
        const aur_file_column_t *fc = &f->columns[i];
        int raw = raw_find(x, fc->name);

        if (raw < 0) {
            return;
        }
        if (x->place[raw] >= 0) {
            x->problem = apr_psprintf(x->p, "it lists the column %s twice", fc->name);
            return;
        }
        x->place[raw] = i;
        x->columns[i] = x->raw[raw];
        if (fc->display_name) {
            x->columns[i].display_name = apr_pstrdup(x->p, fc->display_name);
        }
        if (fc->format) {
            x->columns[i].format = apr_pstrdup(x->p, fc->format);
        }
        if (fc->roles) {
            x->columns[i].roles = roles_copy(x, fc->roles);
            x->d->guarded = 1;
        }
    }
    x->d->ncolumns = f->ncolumns;
}

static void every_column(lay_t *x, int n)
{
    int i;

    for (i = 0; i < n; i++) {
        x->place[i] = i;
        x->columns[i] = x->raw[i];
    }
    x->d->ncolumns = n;
}

/* Where a column of the table stands, hidden behind the others if it is not listed. */
static int placed(lay_t *x, int raw)
{
    if (x->place[raw] < 0) {
        x->place[raw] = x->d->ncolumns + x->d->nhidden++;
        x->columns[x->place[raw]] = x->raw[raw];
    }
    return x->place[raw];
}

/* A column that partition or sorting use. */
static int used_column(lay_t *x, const char *name)
{
    int raw = name && !x->problem ? raw_find(x, name) : -1;

    if (raw < 0) {
        return -1;
    }
    if (!x->raw[raw].comparable) {
        x->problem = apr_psprintf(x->p, "the column %s cannot be compared or sorted", name);
        return -1;
    }
    return placed(x, raw);
}

/* --- partition and sorting ------------------------------------------------------------------- */

/* What the newest partition is told by must have a greatest value. */
static void ordered(lay_t *x, int column)
{
    const aur_column_t *c = column < 0 ? NULL : &x->columns[column];

    if (c && !x->problem && (c->type == AUR_T_BOOLEAN || c->type == AUR_T_BINARY)) {
        x->problem =
            apr_psprintf(x->p, "the column %s has no order, so it has no newest value", c->name);
    }
}

static void partition(lay_t *x, const aur_file_partition_t *f)
{
    aur_partition_t *part = apr_pcalloc(x->p, sizeof(*part));
    const char **types;
    int i;

    part->load_type_column = used_column(x, f->load_type_column);
    part->load_id_column = used_column(x, f->load_id_column);
    part->date_column = used_column(x, f->date_column);
    part->default_latest = f->default_latest;
    if (part->default_latest) {
        ordered(x, part->load_id_column);
        ordered(x, part->date_column);
    }
    types = apr_pcalloc(x->p, (apr_size_t)(f->nsupported + 1) * sizeof(*types));
    for (i = 0; i < f->nsupported; i++) {
        types[i] = apr_pstrdup(x->p, f->supported_types[i]);
    }
    part->nsupported = f->nsupported;
    part->supported_types = types;
    x->d->partition = x->d->partition_whole = part;
}

static void sorting(lay_t *x, const aur_file_dataset_t *f)
{
    aur_default_sort_t *sort = apr_pcalloc(x->p, (apr_size_t)f->nsorting * sizeof(*sort));
    int i;

    for (i = 0; i < f->nsorting; i++) {
        sort[i].column = used_column(x, f->sorting[i].column);
        sort[i].descending = f->sorting[i].descending;
        sort[i].nulls_first = f->sorting[i].nulls_first;
    }
    x->d->nsorting = f->nsorting;
    x->d->sorting = sort;
}

/* --- who may see what ------------------------------------------------------------------------ */

/* Whether an operator fits its column's type shows when the filter is used: it fails closed then. */
static void rights(lay_t *x, const aur_file_dataset_t *f)
{
    aur_filter_column_t *columns =
        apr_pcalloc(x->p, ((apr_size_t)f->nfilter_columns + 1) * sizeof(*columns));
    int i;

    for (i = 0; i < f->nfilter_columns && !x->problem; i++) {
        int raw = raw_find(x, f->filter_columns[i]);
        if (raw >= 0) {
            columns[i].name = apr_pstrdup(x->p, f->filter_columns[i]);
            columns[i].column = placed(x, raw);
        }
    }
    x->d->roles = f->roles ? roles_copy(x, f->roles) : NULL;
    x->d->restricted = f->row_filter != NULL;
    x->d->row_filter = f->filter;
    x->d->nfilter_columns = f->nfilter_columns;
    x->d->filter_columns = columns;
}

aur_dataset_t *aur_catalog_lay(const char **problem, const aur_file_dataset_t *f,
                               const aur_raw_table_t *t, apr_pool_t *p)
{
    int n = t->columns->nelts, i;
    apr_size_t room = (apr_size_t)n;
    lay_t x;

    x.p = p;
    x.problem = NULL;
    x.d = dataset_make(f->name, f->display_name, t, p);
    x.raw = (const aur_column_t *)t->columns->elts;
    x.raw_index = columns_index(x.raw, n, p);
    x.columns = apr_pcalloc(p, (room + 1) * sizeof(*x.columns));
    x.place = apr_palloc(p, (room + 1) * sizeof(*x.place));
    for (i = 0; i < n; i++) {
        x.place[i] = -1;
    }
    if (f->ncolumns) {
        listed_columns(&x, f);
    }
    else {
        every_column(&x, n);
    }
    if (f->partition && !x.problem) {
        partition(&x, f->partition);
    }
    if (!x.problem) {
        sorting(&x, f);
    }
    if (!x.problem) {
        rights(&x, f);
    }
    x.d->columns = x.columns;
    x.d->index = columns_index(x.columns, x.d->ncolumns, p);
    *problem = x.problem;
    return x.problem ? NULL : x.d;
}
