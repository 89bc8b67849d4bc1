/* http_openapi.h - the description of the interface being written: openapi.json has the words, and leaves to the tables
 * of the module what they know. In a text of it {{name}} stands for a value, and a text that is nothing but @name for a
 * number or for a list; a member "@errors", a list of codes, becomes one response for each of their statuses. */
#ifndef AURORA_HTTP_OPENAPI_H
#define AURORA_HTTP_OPENAPI_H

#include <jansson.h>

#include "http/http_private.h"

typedef struct aur_openapi_t {
    const json_t *root; /* openapi.json */
    const char *base;   /* path of the Location as a URL has it; "" at the root */
    const aur_location_t *loc;
    const aur_server_t *server;
    aur_sink_t *sink;
    apr_pool_t *p;     /* text that is put together */
    const char *wrong; /* the first name that nothing stands for; NULL: none */
} aur_openapi_t;

/** Write what stands for @name.
 * @return 0 when nothing does */
int aur_openapi_value(aur_openapi_t *d, const char *name);
/** What stands for {{name}}, from d->p; NULL when nothing does. */
const char *aur_openapi_text(aur_openapi_t *d, const char *name);

/** Any value of openapi.json, filled in. */
void aur_openapi_write(aur_openapi_t *d, const json_t *value);

/** The responses of a list of codes and of those that every route may answer, without braces.
 * @param headers  of the operation's answer 200: those of a task and a rate are theirs as well */
void aur_openapi_errors(aur_openapi_t *d, const json_t *codes, const json_t *headers);
/** An example for each code, as one object. */
void aur_openapi_error_examples(aur_openapi_t *d);

#endif
