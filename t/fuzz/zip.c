/* zip.c - any bytes as a small archive: an entry that is found lies inside, and what is unpacked has the length
 * that was promised. */
#include <stdlib.h>
#include <string.h>

#include "lib/fuzz.h"
#include "write/zip_stream.h"

static void unpack(const char *archive, apr_size_t len, const char *name, apr_pool_t *p)
{
    zip_packed_t packed;
    const char *text = NULL;
    apr_status_t rv = zip_find(&packed, archive, len, name);

    if (rv != APR_SUCCESS) {
        FUZZ_CHECK(rv == APR_NOTFOUND || rv == APR_EINVAL, "another status");
        return;
    }
    FUZZ_CHECK(packed.bytes >= archive && packed.bytes <= archive + len &&
                   packed.nbytes <= (apr_size_t)(archive + len - packed.bytes),
               "%s lies outside", name);
    rv = zip_unpack(&text, &packed, p);
    FUZZ_CHECK(rv == APR_SUCCESS ? text != NULL : rv == APR_EINVAL, "unpacked or not");
    FUZZ_CHECK(!text || !text[packed.size], "no NUL behind %s", name);
    if (text) { /* every byte is there to be read */
        apr_size_t i, sum = 0;
        for (i = 0; i < packed.size; i++) {
            sum += (unsigned char)text[i];
        }
        FUZZ_CHECK(sum <= 255 * (apr_size_t)packed.size, "bytes");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"a", "xl/workbook.xml", ""};
    char *exact = malloc(size ? size : 1);
    apr_pool_t *p = fuzz_pool();
    apr_size_t i;

    if (size > 0) {
        memcpy(exact, data, size);
    }
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        unpack(exact, size, names[i], p);
    }
    apr_pool_destroy(p);
    free(exact);
    return 0;
}
