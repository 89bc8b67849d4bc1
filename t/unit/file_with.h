/* file_with.h - catalogue files for unit tests, written with ' instead of ". */
#ifndef AURORA_FILE_WITH_H
#define AURORA_FILE_WITH_H

#include <apr_file_io.h>
#include <apr_strings.h>

#include "aurora/catalog.h"

__attribute__((unused)) static char *quotes(const char *text, apr_pool_t *p)
{
    char *out = apr_pstrdup(p, text), *c;

    for (c = out; *c; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    return out;
}

/* A file with that content, gone with p. NULL when the machine has no room for one. */
__attribute__((unused)) static const char *file_with(const char *text, apr_size_t len,
                                                     apr_pool_t *p)
{
    const char *dir;
    char *path;
    apr_file_t *f;

    if (apr_temp_dir_get(&dir, p) != APR_SUCCESS) {
        return NULL;
    }
    path = apr_pstrcat(p, dir, "/aurora-catalog-XXXXXX", NULL);
    if (apr_file_mktemp(&f, path,
                        APR_FOPEN_CREATE | APR_FOPEN_READ | APR_FOPEN_WRITE | APR_FOPEN_EXCL |
                            APR_FOPEN_DELONCLOSE,
                        p) != APR_SUCCESS ||
        apr_file_write_full(f, text, len, NULL) != APR_SUCCESS) {
        return NULL;
    }
    return path;
}

__attribute__((unused)) static apr_status_t read_text(aur_catalog_file_t **file, const char *text,
                                                      apr_size_t len, aur_error_t *err,
                                                      apr_pool_t *p)
{
    const char *path = file_with(text, len, p);

    aur_error_clear(err);
    *file = NULL;
    if (!path) {
        return aur_error_set(err, AUR_E_INTERNAL, NULL, "no temporary file");
    }
    return aur_catalog_file_read(file, path, err, p);
}

#endif
