/* catalog_file.c - any text as a catalogue file, laid over a fixed set of tables. A snapshot is in order, finds
 * each of its datasets and columns by name, and shows no table that the file claims under another name. What
 * one caller sees of it has nothing that roles hide from him, and each report that is right runs as what it
 * says: with names that he sees and with values as binds. */
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "aurora/catalog.h"
#include "aurora/row_filter.h"
#include "lib/fixture.h"
#include "lib/fuzz.h"
#include "lib/report_rules.h"
#include "lib/utf8_rules.h"

/* --- who asks ------------------------------------------------------------------------------------- */

static const char *compile(const void **expr, void *ctx, const char *text, apr_pool_t *p)
{
    *expr = apr_pstrdup(p, text);
    return strstr(text, "%{") && !strchr(text, '}') ? "unclosed" : NULL;
}

/* What expressions say of a caller: what is written behind them, whatever it is. */
static const char *value(void *ctx, const void *expr)
{
    const char *text = strrchr(expr, '}');

    return text ? text + 1 : expr;
}

/* The nth of four callers: one without roles, two with those whose first letter has that bit, one with all that
 * are named in the file, whatever else they may be there. */
static const aur_viewer_t *viewer_make(fuzz_text_t text, int nth, apr_pool_t *p)
{
    aur_viewer_t *viewer = apr_pcalloc(p, sizeof(*viewer));
    apr_array_header_t *roles = apr_array_make(p, 4, sizeof(const char *));
    const char *end = text.s + text.len, *at = text.s, *from;

    while (nth > 0 && at < end && (at = memchr(at, '"', (size_t)(end - at))) != NULL) {
        from = ++at;
        while (at < end && *at != '"' && *at != '\\') {
            at++;
        }
        if (at > from && (nth == 3 || (*from & nth))) {
            APR_ARRAY_PUSH(roles, const char *) = apr_pstrmemdup(p, from, (apr_size_t)(at - from));
        }
    }
    viewer->roles = roles;
    viewer->value = value;
    return viewer;
}

/* --- what a snapshot, or a view of it, consists of -------------------------------------------------- */

static int column_is(const aur_dataset_t *d, int column)
{
    return column >= -1 && column < d->ncolumns + d->nhidden;
}

static void check_column(const aur_dataset_t *d, int index, const aur_viewer_t *viewer,
                         apr_pool_t *p)
{
    const aur_column_t *c = &d->columns[index];

    FUZZ_CHECK(fixture_has_name(c->name), "%s is no column of the database", c->name);
    FUZZ_CHECK(c->display_name && *c->display_name &&
                   utf8_whole(c->display_name, strlen(c->display_name)),
               "no display name");
    FUZZ_CHECK(aur_dataset_column(d, c->name, strlen(c->name), p) ==
                   (index < d->ncolumns ? index : -1),
               "column %s is not found, or is although it is hidden", c->name);
    FUZZ_CHECK(!viewer || index >= d->ncolumns || aur_viewer_has(viewer, c->roles),
               "%s is not for this caller", c->name);
}

static void check_partition(const aur_dataset_t *d, const aur_partition_t *part)
{
    int i;

    FUZZ_CHECK(column_is(d, part->load_type_column) && column_is(d, part->load_id_column) &&
                   column_is(d, part->date_column),
               "a partition by nothing");
    FUZZ_CHECK(part->load_type_column >= 0 || part->load_id_column >= 0 || part->date_column >= 0,
               "a partition without a column");
    FUZZ_CHECK(!part->default_latest || part->load_id_column >= 0 || part->date_column >= 0,
               "the newest of what has no order");
    for (i = 0; i < part->nsupported; i++) {
        FUZZ_CHECK(*part->supported_types[i], "an empty type");
    }
}

static int is_forbidden(const aur_dataset_t *d, int column)
{
    return column >= d->ncolumns && column < d->ncolumns + d->nforbidden;
}

static void check_dataset(const aur_catalog_t *catalog, const aur_dataset_t *d, apr_pool_t *p)
{
    const aur_viewer_t *viewer = aur_catalog_viewer(catalog);
    int all = d->ncolumns + d->nhidden, i;

    FUZZ_CHECK(d->name && *d->name && d->display_name && *d->display_name, "no name");
    FUZZ_CHECK(fixture_has_name(d->table) && (!d->schema || fixture_has_name(d->schema)),
               "%s is no table of the database", d->table);
    FUZZ_CHECK(aur_catalog_find(catalog, d->name, p) == d, "%s is not found", d->name);
    FUZZ_CHECK(d->ncolumns > 0 && d->nhidden >= 0, "no columns");
    FUZZ_CHECK(!viewer || aur_viewer_has(viewer, d->roles), "%s is not for this caller", d->name);
    for (i = 0; i < all; i++) {
        check_column(d, i, viewer, p);
    }
    for (i = 0; i < d->nsorting; i++) {
        FUZZ_CHECK(d->sorting[i].column >= 0 && d->sorting[i].column < all, "sorted by nothing");
        FUZZ_CHECK(!is_forbidden(d, d->sorting[i].column), "sorted by what may not be seen");
    }
    for (i = 0; i < d->nfilter_columns; i++) {
        FUZZ_CHECK(d->filter_columns[i].column >= 0 && d->filter_columns[i].column < all,
                   "filtered by nothing");
    }
    FUZZ_CHECK(!d->partition || d->partition_whole, "a partition out of nothing");
    if (d->partition) {
        check_partition(d, d->partition);
        FUZZ_CHECK(!is_forbidden(d, d->partition->load_type_column) &&
                       !is_forbidden(d, d->partition->load_id_column) &&
                       !is_forbidden(d, d->partition->date_column),
                   "a partition by what may not be seen");
    }
    if (d->partition_whole) {
        check_partition(d, d->partition_whole);
    }
}

static void check_catalog(const aur_catalog_t *catalog, apr_pool_t *p)
{
    int i, n = aur_catalog_count(catalog);

    for (i = 0; i < n; i++) {
        const aur_dataset_t *d = aur_catalog_get(catalog, i);
        check_dataset(catalog, d, p);
        FUZZ_CHECK(i == 0 || strcmp(aur_catalog_get(catalog, i - 1)->name, d->name) < 0,
                   "%s is out of order", d->name);
    }
}

/* A view has the datasets of its snapshot and no others. */
static void check_view(const aur_catalog_t *view, const aur_catalog_t *whole, apr_pool_t *p)
{
    int i;

    check_catalog(view, p);
    for (i = 0; i < aur_catalog_count(view); i++) {
        const aur_dataset_t *d = aur_catalog_get(view, i),
                            *of = aur_catalog_find(whole, d->name, p);
        FUZZ_CHECK(of && !strcmp(of->name, d->name) && d->restricted == of->restricted,
                   "%s is another for one caller", d->name);
        FUZZ_CHECK(d->ncolumns + d->nforbidden == of->ncolumns &&
                       d->ncolumns + d->nhidden == of->ncolumns + of->nhidden,
                   "%s has other columns for one caller", d->name);
    }
}

/* --- the file ------------------------------------------------------------------------------------- */

static void check_file(aur_catalog_file_t *file, fuzz_text_t text, apr_pool_t *p)
{
    const aur_expr_compiler_t compiler = {compile, NULL};
    const char *const *warnings = NULL;
    const aur_catalog_t *whole;
    aur_error_t err;
    int nth;

    aur_error_clear(&err);
    if (aur_row_filters_read(file, &compiler, &err, p) != APR_SUCCESS) {
        fuzz_check_error(&err, text.s, text.len); /* then nobody sees a row */
    }
    whole = aur_catalog_build(fixture_tables(p), file, &warnings);
    check_catalog(whole, p);
    for (; warnings && *warnings; warnings++) {
        FUZZ_CHECK(**warnings && utf8_whole(*warnings, strlen(*warnings)), "%s", *warnings);
    }
    for (nth = 0; nth < 4; nth++) {
        const aur_catalog_t *view = aur_catalog_view(whole, viewer_make(text, nth, p), p);
        check_view(view, whole, p);
        report_check_all(file, view, text, p);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_in_t in = {data, size};
    apr_pool_t *p = fuzz_pool();
    char *text = malloc(size ? size : 1);
    fuzz_text_t whole = fuzz_rest(&in, p);
    aur_catalog_file_t *file = NULL;
    aur_error_t err;
    apr_status_t rv;

    if (size > 0) {
        memcpy(text, data, size);
    }
    aur_error_clear(&err);
    rv = aur_catalog_file_parse(&file, text, size, &err, p);
    free(text); /* the file points into its pool alone */
    if (rv != APR_SUCCESS) {
        fuzz_check_error(&err, whole.s, whole.len);
    }
    else {
        check_file(file, whole, p);
    }
    apr_pool_destroy(p);
    return 0;
}
