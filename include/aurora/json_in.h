/* json_in.h - reading JSON that others wrote: strict loading, and typed members that know the
 * place they stand at. For request bodies (query/) and the catalogue file alike.
 *
 * null counts as a missing member everywhere. Strings are copied into the reader's pool, so the
 * tree can be released as soon as reading is done. A reader belongs to one thread. */
#ifndef AURORA_JSON_IN_H
#define AURORA_JSON_IN_H

#include <apr_pools.h>
#include <jansson.h>

#include "aurora/error.h"

/* A place in a document, kept on the C stack and written out only when something is wrong there.
 * NULL is the document itself. */
typedef struct aur_json_at_t aur_json_at_t;
struct aur_json_at_t {
    const aur_json_at_t *up;
    const char *key; /* of a member; NULL: an array element */
    apr_size_t index;
};
#define AUR_AT_MEMBER(up, key)    (&(aur_json_at_t){(up), (key), 0})
#define AUR_AT_ELEMENT(up, index) (&(aur_json_at_t){(up), NULL, (index)})

typedef struct aur_json_in_t {
    aur_error_t *err;
    apr_pool_t *p;
    apr_size_t string_max; /* bytes of a string member or a name */
} aur_json_in_t;

/* One word of a closed list; a list ends with { NULL, 0 }. Words compare without regard to case. */
typedef struct aur_word_t {
    const char *word;
    int value;
} aur_word_t;

/** The place as a JSON pointer (RFC 6901), from p. */
const char *aur_json_pointer(const aur_json_at_t *at, apr_pool_t *p);

/** Parse a whole document; duplicate members, malformed UTF-8, NUL and more than depth_max
 * objects and arrays inside one another are refused before or while it is read.
 * @param root  release with json_decref
 * @param what  the document, for the detail: "The body"
 * @return APR_SUCCESS, or APR_EGENERAL with err: BAD_JSON, naming line and column where known */
apr_status_t aur_json_load(json_t **root, const char *text, apr_size_t len, int depth_max,
                           const char *what, aur_error_t *err);

/** "a string", "an array", … for a detail. Static storage. */
const char *aur_json_kind(const json_t *value);

/** Refuse: BAD_REQUEST at a place. */
#define aur_json_refuse(in, at, ...)                                                               \
    aur_error_set((in)->err, AUR_E_BAD_REQUEST, aur_json_pointer((at), (in)->p), __VA_ARGS__)

/** A member that is there and is not null, else NULL. */
json_t *aur_json_member(const json_t *object, const char *name);

/* All of these read one member of an object that stands at `at`; *out keeps its value when the
 * member is missing. APR_EGENERAL with BAD_REQUEST and the member's pointer when it has the
 * wrong type or size. */

apr_status_t aur_json_get_string(const char **out, const aur_json_in_t *in, const json_t *object,
                                 const char *name, const aur_json_at_t *at);
/** As get_string, but an empty one is refused. */
apr_status_t aur_json_get_name(const char **out, const aur_json_in_t *in, const json_t *object,
                               const char *name, const aur_json_at_t *at);
/** As get_string, but missing or empty is refused too. */
apr_status_t aur_json_need_string(const char **out, const aur_json_in_t *in, const json_t *object,
                                  const char *name, const aur_json_at_t *at);
apr_status_t aur_json_get_flag(int *out, const aur_json_in_t *in, const json_t *object,
                               const char *name, const aur_json_at_t *at);
/** A whole number from min up, written as a JSON integer. */
apr_status_t aur_json_get_whole(apr_int64_t *out, const aur_json_in_t *in, const json_t *object,
                                const char *name, const aur_json_at_t *at, apr_int64_t min);
apr_status_t aur_json_get_word(int *out, const aur_json_in_t *in, const json_t *object,
                               const char *name, const aur_json_at_t *at, const aur_word_t *words);
/** An array of at most max elements, as jansson holds it. */
apr_status_t aur_json_get_array(json_t **out, const aur_json_in_t *in, const json_t *object,
                                const char *name, const aur_json_at_t *at, apr_size_t max);
/** An array of at most max strings, none empty. */
apr_status_t aur_json_get_strings(const char *const **out, int *count, const aur_json_in_t *in,
                                  const json_t *object, const char *name, const aur_json_at_t *at,
                                  apr_size_t max);
/** An element of an array of objects.
 * @return APR_SUCCESS, or BAD_REQUEST at that element when it is none */
apr_status_t aur_json_need_object(const aur_json_in_t *in, const json_t *value,
                                  const aur_json_at_t *at);

/* `direction` and `nulls` of a sorting entry. */
typedef struct aur_json_order_t {
    int descending;
    int nulls_first; /* -1: not said */
} aur_json_order_t;
extern const aur_word_t aur_json_directions[], aur_json_nulls[];
apr_status_t aur_json_get_order(aur_json_order_t *out, const aur_json_in_t *in,
                                const json_t *object, const aur_json_at_t *at);

/** @return the entry of a word, or NULL */
const aur_word_t *aur_word_find(const aur_word_t *words, const char *word);
/** "a, b, c", from p. */
const char *aur_word_list(const aur_word_t *words, apr_pool_t *p);
/** A name for a detail: as it is, or its beginning and an ellipsis, from p. */
const char *aur_name_shown(const char *name, apr_pool_t *p);

#endif
