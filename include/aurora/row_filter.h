/* row_filter.h - which rows of a dataset a caller may see: a filter in the grammar of requests whose
 * values may be expressions, {"expr": "…"}, evaluated for every request. It stands under every use
 * of the dataset, in the plan's restriction of that table.
 *
 * It fails closed. Where an expression gives nothing, or something that is no value of its column's
 * type, the whole filter lets no row through. */
#ifndef AURORA_ROW_FILTER_H
#define AURORA_ROW_FILTER_H

#include "aurora/catalog.h"

/* What expressions are written in is the server's business, and so is evaluating them (aur_viewer_t). */
typedef struct aur_expr_compiler_t {
    /** @param expr  from p; what aur_viewer_t's value is given
     * @return what is wrong with the text, or NULL */
    const char *(*compile)(const void **expr, void *ctx, const char *text, apr_pool_t *p);
    void *ctx;
} aur_expr_compiler_t;

/** Read the row filters of a catalogue file, once, after aur_catalog_file_read. Column names are looked up
 * when a snapshot is built: a dataset that lacks one of them is left out.
 * @param compiler  needed during the call only
 * @param p  owns the filters; must outlive file
 * @return as aur_catalog_file_read: APR_EGENERAL with err at the first mistake */
apr_status_t aur_row_filters_read(aur_catalog_file_t *file, const aur_expr_compiler_t *compiler,
                                  aur_error_t *err, apr_pool_t *p);

#endif
