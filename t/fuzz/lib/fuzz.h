/* fuzz.h - what the fuzz targets share. A target is one file in t/fuzz: it takes any bytes, hands them to
 * units of the module and checks what comes out against rules it reads by itself; what breaks a rule
 * aborts. With libFuzzer it is a fuzzer, with replay.c a test that runs kept inputs.
 *
 * Memory from pools is one block of malloc for each request (pools.c), so that AddressSanitizer sees the
 * first byte past its end and every use after its pool was cleared. Inputs are copied to their exact size. */
#ifndef AURORA_FUZZ_H
#define AURORA_FUZZ_H

#include <apr_pools.h>
#include <stddef.h>
#include <stdint.h>

#include "aurora/error.h"
#include "aurora/sink.h"

/** The target. @return 0 always */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Abort with a message unless it holds. */
#define FUZZ_CHECK(holds, ...)                                                                     \
    do {                                                                                           \
        if (!(holds)) {                                                                            \
            fuzz_fail(__FILE__, __LINE__, #holds, __VA_ARGS__);                                    \
        }                                                                                          \
    } while (0)
__attribute__((noreturn, format(printf, 4, 5))) void
fuzz_fail(const char *file, int line, const char *rule, const char *fmt, ...);

/** A pool for one input; the target destroys it. */
apr_pool_t *fuzz_pool(void);
/** The pool for what is made once, until the process ends. */
apr_pool_t *fuzz_forever(void);

/* An input taken from its front. At its end numbers are 0 and texts are empty. */
typedef struct fuzz_in_t {
    const uint8_t *at;
    size_t left;
} fuzz_in_t;

typedef struct fuzz_text_t {
    const char *s; /* NUL behind it, inside the same block */
    apr_size_t len;
} fuzz_text_t;

unsigned fuzz_byte(fuzz_in_t *in);
/** Up to the next byte 0xff, which is no byte of UTF-8, or to the end. */
fuzz_text_t fuzz_field(fuzz_in_t *in, apr_pool_t *p);
/** All that is left. */
fuzz_text_t fuzz_rest(fuzz_in_t *in, apr_pool_t *p);
/** As fuzz_field, up to a NUL: for what travels as a C string. */
const char *fuzz_name(fuzz_in_t *in, apr_pool_t *p);

/* --- what came out of a sink --------------------------------------------------------------------- */

typedef struct fuzz_out_t {
    aur_sink_t *sink;
    char *text; /* exactly len bytes; NULL before fuzz_out_finish */
    apr_size_t len;
    struct fuzz_piece_t *pieces;
} fuzz_out_t;

fuzz_out_t *fuzz_out_create(apr_size_t buffers, apr_size_t bytes, apr_pool_t *p);
void fuzz_out_finish(fuzz_out_t *out, apr_pool_t *p);

/* --- rules of errors ------------------------------------------------------------------------------- */

/** An error that a client may see: it has a code and a sentence, both whole UTF-8, and its pointer leads
 * into the document, but for the last step, which may name a member that is missing.
 * @param text  the document; NULL: the pointer is not followed */
void fuzz_check_error(const aur_error_t *err, const char *text, apr_size_t len);

#endif
