/* fuzz.c - inputs, outputs and the end of a target that found something (fuzz.h). */
#include "fuzz.h"

#include <apr_general.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utf8_rules.h"

void fuzz_fail(const char *file, int line, const char *rule, const char *fmt, ...)
{
    va_list ap;

    fprintf(stderr, "%s:%d: %s\n  ", file, line, rule);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    abort();
}

apr_pool_t *fuzz_forever(void)
{
    static apr_pool_t *forever;

    if (!forever) {
        if (apr_initialize() != APR_SUCCESS || apr_pool_create(&forever, NULL) != APR_SUCCESS) {
            abort();
        }
        atexit(apr_terminate);
    }
    return forever;
}

apr_pool_t *fuzz_pool(void)
{
    apr_pool_t *p;

    if (apr_pool_create(&p, fuzz_forever()) != APR_SUCCESS) {
        abort();
    }
    return p;
}

/* --- inputs -------------------------------------------------------------------------------------- */

unsigned fuzz_byte(fuzz_in_t *in)
{
    if (in->left == 0) {
        return 0;
    }
    in->left--;
    return *in->at++;
}

static fuzz_text_t take(fuzz_in_t *in, size_t len, size_t skip, apr_pool_t *p)
{
    char *copy = apr_palloc(p, len + 1);
    fuzz_text_t text = {copy, len};

    if (len > 0) {
        memcpy(copy, in->at, len);
    }
    copy[len] = '\0';
    in->at += len + skip;
    in->left -= len + skip;
    return text;
}

fuzz_text_t fuzz_field(fuzz_in_t *in, apr_pool_t *p)
{
    const uint8_t *end = in->left > 0 ? memchr(in->at, 0xff, in->left) : NULL;

    return take(in, end ? (size_t)(end - in->at) : in->left, end != NULL, p);
}

fuzz_text_t fuzz_rest(fuzz_in_t *in, apr_pool_t *p)
{
    return take(in, in->left, 0, p);
}

const char *fuzz_name(fuzz_in_t *in, apr_pool_t *p)
{
    fuzz_text_t text = fuzz_field(in, p);
    apr_size_t len = strlen(text.s);
    char *name = apr_palloc(p, len + 1);

    memcpy(name, text.s, len + 1);
    return name;
}

/* --- outputs ------------------------------------------------------------------------------------- */

typedef struct fuzz_piece_t fuzz_piece_t;
struct fuzz_piece_t {
    fuzz_piece_t *next;
    apr_bucket_alloc_t *ba;
    apr_size_t len, size;
    char *text;
};

static apr_status_t collect(void *ctx, apr_bucket_brigade *bb, int last)
{
    fuzz_out_t *out = ctx;
    fuzz_piece_t *piece = out->pieces;
    apr_off_t more = 0;
    apr_size_t len;

    if (apr_brigade_length(bb, 1, &more) != APR_SUCCESS || more < 0) {
        abort();
    }
    if (piece->size - piece->len < (apr_size_t)more) {
        piece->size = 2 * piece->size + (apr_size_t)more;
        piece->text = realloc(piece->text, piece->size);
        if (!piece->text) {
            abort();
        }
    }
    if (more == 0) {
        return apr_brigade_cleanup(bb);
    }
    len = (apr_size_t)more;
    if (apr_brigade_flatten(bb, piece->text + piece->len, &len) != APR_SUCCESS) {
        abort();
    }
    piece->len += len;
    return apr_brigade_cleanup(bb);
}

fuzz_out_t *fuzz_out_create(apr_size_t buffers, apr_size_t bytes, apr_pool_t *p)
{
    fuzz_out_t *out = apr_pcalloc(p, sizeof(*out));

    out->pieces = apr_pcalloc(p, sizeof(*out->pieces));
    out->pieces->ba = apr_bucket_alloc_create(p);
    out->sink = aur_sink_create(buffers, bytes, out->pieces->ba, collect, out, p);
    return out;
}

void fuzz_out_finish(fuzz_out_t *out, apr_pool_t *p)
{
    FUZZ_CHECK(aur_sink_finish(out->sink) == APR_SUCCESS, "the sink failed");
    FUZZ_CHECK(aur_sink_bytes(out->sink) == out->pieces->len, "the sink counts other bytes");
    out->len = out->pieces->len;
    out->text = apr_palloc(p, out->len);
    if (out->len > 0) {
        memcpy(out->text, out->pieces->text, out->len);
    }
    free(out->pieces->text);
    out->pieces->text = NULL;
}

/* --- errors -------------------------------------------------------------------------------------- */

static size_t step_read(char *out, const char *s, size_t len)
{
    size_t n = 0, i;

    for (i = 0; i < len; i++) {
        if (s[i] == '~') {
            i++;
            FUZZ_CHECK(i < len && (s[i] == '0' || s[i] == '1'), "a pointer's ~ escapes nothing");
            out[n++] = s[i] == '0' ? '~' : '/';
        }
        else {
            out[n++] = s[i];
        }
    }
    out[n] = '\0';
    return n;
}

/* RFC 6901, but that the last step need not be there. */
static void follow(const char *pointer, const json_t *at)
{
    char step[AUR_POINTER_MAX];

    while (*pointer) {
        size_t len;
        FUZZ_CHECK(*pointer == '/', "a step of a pointer begins with a slash: %s", pointer);
        FUZZ_CHECK(at, "a pointer goes on below what is not there: %s", pointer);
        pointer++;
        len = strcspn(pointer, "/");
        step_read(step, pointer, len);
        if (json_is_array(at)) {
            char *end;
            unsigned long index = strtoul(step, &end, 10);
            FUZZ_CHECK(*step && !*end, "an array's element has a number: %s", step);
            at = json_array_get(at, index);
        }
        else {
            FUZZ_CHECK(json_is_object(at), "a pointer goes below a scalar: %s", pointer);
            at = json_object_get(at, step);
        }
        pointer += len;
    }
}

void fuzz_check_error(const aur_error_t *err, const char *text, apr_size_t len)
{
    json_t *root;

    FUZZ_CHECK(err->code > AUR_E_NONE && err->code < AUR_E_COUNT, "an error without a code");
    FUZZ_CHECK(memchr(err->detail, '\0', sizeof(err->detail)) && *err->detail, "no sentence");
    FUZZ_CHECK(memchr(err->pointer, '\0', sizeof(err->pointer)), "the pointer has no end");
    FUZZ_CHECK(memchr(err->column, '\0', sizeof(err->column)), "the column has no end");
    FUZZ_CHECK(utf8_whole(err->detail, strlen(err->detail)), "detail: %s", err->detail);
    FUZZ_CHECK(utf8_whole(err->pointer, strlen(err->pointer)), "pointer: %s", err->pointer);
    FUZZ_CHECK(utf8_whole(err->column, strlen(err->column)), "column: %s", err->column);
    /* a pointer that long may have lost its end */
    if (!text || strlen(err->pointer) > AUR_POINTER_MAX - 8) {
        return;
    }
    root = json_loadb(text, len, JSON_DECODE_ANY, NULL);
    FUZZ_CHECK(root || !*err->pointer, "a pointer into what is no document: %s", err->pointer);
    if (root) {
        follow(err->pointer, root);
    }
    json_decref(root);
}
