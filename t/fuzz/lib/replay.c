/* replay.c - a target as a test (TAP): every seed and every input that once broke something is run again.
 * Started in the top folder; arguments name other files. */
#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define INPUT_MAX (1 << 20)

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The files of a folder; none where there is no folder. */
static void folder_add(apr_array_header_t *files, const char *folder, apr_pool_t *p)
{
    apr_finfo_t info;
    apr_dir_t *dir;

    if (apr_dir_open(&dir, folder, p) != APR_SUCCESS) {
        return;
    }
    while (apr_dir_read(&info, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        if (*info.name != '.') {
            APR_ARRAY_PUSH(files, const char *) = apr_pstrcat(p, folder, "/", info.name, NULL);
        }
    }
    apr_dir_close(dir);
}

static int run(const char *path, apr_pool_t *p)
{
    apr_file_t *file;
    apr_size_t len = INPUT_MAX;
    char *bytes = malloc(INPUT_MAX);
    uint8_t *exact = NULL;
    apr_status_t rv = apr_file_open(&file, path, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, p);

    if (rv == APR_SUCCESS) {
        rv = apr_file_read_full(file, bytes, INPUT_MAX, &len);
        apr_file_close(file);
        rv = APR_STATUS_IS_EOF(rv) ? APR_SUCCESS : APR_EGENERAL;
    }
    if (rv == APR_SUCCESS) {
        exact = malloc(len ? len : 1);
        if (!exact) {
            abort();
        }
        memcpy(exact, bytes, len);
        (void)LLVMFuzzerTestOneInput(exact, len);
    }
    free(exact);
    free(bytes);
    return rv == APR_SUCCESS;
}

int main(int argc, char **argv)
{
    apr_pool_t *p = fuzz_pool();
    apr_array_header_t *files = apr_array_make(p, 64, sizeof(const char *));
    const char *name = apr_filepath_name_get(argv[0]);
    int i, failures = 0;

    for (i = 1; i < argc; i++) {
        APR_ARRAY_PUSH(files, const char *) = argv[i];
    }
    if (argc == 1) {
        folder_add(files, apr_pstrcat(p, "t/fuzz/seeds/", name, NULL), p);
        folder_add(files, apr_pstrcat(p, "t/fuzz/found/", name, NULL), p);
        qsort(files->elts, (size_t)files->nelts, sizeof(const char *), by_name);
    }
    /* nothing at all is an input, too */
    (void)LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    printf("ok 1 - no bytes\n");
    for (i = 0; i < files->nelts; i++) {
        const char *path = APR_ARRAY_IDX(files, i, const char *);
        int good = run(path, p);
        failures += !good;
        printf("%sok %d - %s\n", good ? "" : "not ", i + 2, path);
        (void)fflush(stdout);
    }
    if (argc == 1 && files->nelts == 0) {
        printf("not ok %d - there are seeds for %s\n", i + 2, name);
        failures++;
        i++;
    }
    printf("1..%d\n", i + 1);
    apr_pool_destroy(p);
    return failures ? 1 : 0;
}
