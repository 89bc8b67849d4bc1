/* json_in.c - strict loading and typed members (json_in.h). */
#include "aurora/json_in.h"

#include <apr_cstr.h>
#include <apr_strings.h>
#include <string.h>

#include "aurora/number.h"
#include "aurora/text.h"

#define SHOWN_MAX 80

/* --- places ---------------------------------------------------------------------------------- */

/* One segment of a pointer; out may be NULL to measure. */
static apr_size_t segment_write(char *out, const aur_json_at_t *at)
{
    char digits[AUR_INT_TEXT_MAX];
    const char *s = at->key;
    apr_size_t len = 0, n = 1, i;

    if (!s) {
        s = digits;
        len = aur_int_write(digits, (apr_int64_t)at->index);
    }
    else {
        len = strlen(s);
    }
    if (out) {
        out[0] = '/';
    }
    for (i = 0; i < len; i++) {
        int escape = s[i] == '~' || s[i] == '/';
        if (out && escape) {
            memcpy(out + n, s[i] == '~' ? "~0" : "~1", 2);
        }
        else if (out) {
            out[n] = s[i];
        }
        n += escape ? 2 : 1;
    }
    return n;
}

static apr_size_t at_write(char *out, const aur_json_at_t *at)
{
    apr_size_t n;

    if (!at) {
        return 0;
    }
    n = at_write(out, at->up);
    return n + segment_write(out ? out + n : NULL, at);
}

const char *aur_json_pointer(const aur_json_at_t *at, apr_pool_t *p)
{
    apr_size_t len = at_write(NULL, at);
    char *out = apr_palloc(p, len + 1);

    at_write(out, at);
    out[len] = '\0';
    return out;
}

/* --- loading --------------------------------------------------------------------------------- */

/* Brackets outside strings, counted before jansson builds anything. In malformed text the count
 * may be off; jansson then refuses it. */
static int too_deep(const char *text, apr_size_t len, int max)
{
    int depth = 0, in_string = 0;
    apr_size_t i;

    for (i = 0; i < len; i++) {
        char c = text[i];
        if (in_string) {
            i += c == '\\';
            in_string = c != '"';
        }
        else if (c == '"') {
            in_string = 1;
        }
        else if (c == '{' || c == '[') {
            if (++depth > max) {
                return 1;
            }
        }
        else if (c == '}' || c == ']') {
            depth -= depth > 0;
        }
    }
    return 0;
}

static const char *why(const json_error_t *e)
{
    switch (json_error_code(e)) {
    case json_error_premature_end_of_input:
        return "it ends too early";
    case json_error_end_of_input_expected:
        return "something follows after its end";
    case json_error_duplicate_key:
        return "the same member stands there twice";
    case json_error_numeric_overflow:
        return "a number is too large; send it as a string";
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "a text holds a NUL character";
    case json_error_out_of_memory:
        return "out of memory";
    default:
        return "something unexpected stands there";
    }
}

apr_status_t aur_json_load(json_t **root, const char *text, apr_size_t len, int depth_max,
                           const char *what, aur_error_t *err)
{
    json_error_t e;

    if (!aur_utf8_valid(text, len)) {
        return aur_error_set(err, AUR_E_BAD_JSON, NULL, "%s is not valid UTF-8.", what);
    }
    if (too_deep(text, len, depth_max)) {
        return aur_error_set(err, AUR_E_BAD_JSON, NULL,
                             "%s has objects and arrays nested more than %d deep.", what,
                             depth_max);
    }
    *root = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
    if (!*root) {
        return aur_error_set(err, AUR_E_BAD_JSON, NULL,
                             "%s is not valid JSON: line %d, column %d: %s.", what, e.line,
                             e.column, why(&e));
    }
    return APR_SUCCESS;
}

/* --- members --------------------------------------------------------------------------------- */

const char *aur_json_kind(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    default:
        return "null";
    }
}

json_t *aur_json_member(const json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);

    return json_is_null(value) ? NULL : value;
}

/* A string standing at a place, checked and copied. */
static apr_status_t string_copy(const char **out, const aur_json_in_t *in, const json_t *value,
                                const char *what, const aur_json_at_t *at)
{
    if (!json_is_string(value)) {
        return aur_json_refuse(in, at, "%s must be a string, not %s.", what, aur_json_kind(value));
    }
    if (json_string_length(value) > in->string_max) {
        return aur_json_refuse(in, at, "%s is longer than %" APR_SIZE_T_FMT " bytes.", what,
                               in->string_max);
    }
    *out = apr_pstrmemdup(in->p, json_string_value(value), json_string_length(value));
    return APR_SUCCESS;
}

apr_status_t aur_json_get_string(const char **out, const aur_json_in_t *in, const json_t *object,
                                 const char *name, const aur_json_at_t *at)
{
    const json_t *value = aur_json_member(object, name);

    return value ? string_copy(out, in, value, name, AUR_AT_MEMBER(at, name)) : APR_SUCCESS;
}

apr_status_t aur_json_get_name(const char **out, const aur_json_in_t *in, const json_t *object,
                               const char *name, const aur_json_at_t *at)
{
    const json_t *value = aur_json_member(object, name);

    if (json_is_string(value) && !json_string_length(value)) {
        return aur_json_refuse(in, AUR_AT_MEMBER(at, name), "%s must not be empty.", name);
    }
    return aur_json_get_string(out, in, object, name, at);
}

apr_status_t aur_json_need_string(const char **out, const aur_json_in_t *in, const json_t *object,
                                  const char *name, const aur_json_at_t *at)
{
    if (!aur_json_member(object, name)) {
        return aur_json_refuse(in, AUR_AT_MEMBER(at, name), "%s is missing.", name);
    }
    return aur_json_get_name(out, in, object, name, at);
}

apr_status_t aur_json_get_flag(int *out, const aur_json_in_t *in, const json_t *object,
                               const char *name, const aur_json_at_t *at)
{
    const json_t *value = aur_json_member(object, name);

    if (!value) {
        return APR_SUCCESS;
    }
    if (!json_is_boolean(value)) {
        return aur_json_refuse(in, AUR_AT_MEMBER(at, name), "%s must be true or false, not %s.",
                               name, aur_json_kind(value));
    }
    *out = json_is_true(value);
    return APR_SUCCESS;
}

apr_status_t aur_json_get_whole(apr_int64_t *out, const aur_json_in_t *in, const json_t *object,
                                const char *name, const aur_json_at_t *at, apr_int64_t min)
{
    const json_t *value = aur_json_member(object, name);

    if (!value) {
        return APR_SUCCESS;
    }
    if (!json_is_integer(value)) {
        return aur_json_refuse(in, AUR_AT_MEMBER(at, name), "%s must be a whole number.", name);
    }
    if (json_integer_value(value) < min) {
        return aur_json_refuse(in, AUR_AT_MEMBER(at, name),
                               "%s must be at least %" APR_INT64_T_FMT ".", name, min);
    }
    *out = json_integer_value(value);
    return APR_SUCCESS;
}

apr_status_t aur_json_get_word(int *out, const aur_json_in_t *in, const json_t *object,
                               const char *name, const aur_json_at_t *at, const aur_word_t *words)
{
    const char *text = NULL;
    const aur_word_t *found;
    apr_status_t rv = aur_json_get_string(&text, in, object, name, at);

    if (rv != APR_SUCCESS || !text) {
        return rv;
    }
    found = aur_word_find(words, text);
    if (!found) {
        return aur_json_refuse(in, AUR_AT_MEMBER(at, name), "%s must be one of: %s.", name,
                               aur_word_list(words, in->p));
    }
    *out = found->value;
    return APR_SUCCESS;
}

apr_status_t aur_json_get_array(json_t **out, const aur_json_in_t *in, const json_t *object,
                                const char *name, const aur_json_at_t *at, apr_size_t max)
{
    json_t *value = aur_json_member(object, name);

    if (!value) {
        return APR_SUCCESS;
    }
    if (!json_is_array(value)) {
        return aur_json_refuse(in, AUR_AT_MEMBER(at, name), "%s must be an array, not %s.", name,
                               aur_json_kind(value));
    }
    if (json_array_size(value) > max) {
        return aur_json_refuse(in, AUR_AT_MEMBER(at, name),
                               "%s has more than %" APR_SIZE_T_FMT " entries.", name, max);
    }
    *out = value;
    return APR_SUCCESS;
}

apr_status_t aur_json_get_strings(const char *const **out, int *count, const aur_json_in_t *in,
                                  const json_t *object, const char *name, const aur_json_at_t *at,
                                  apr_size_t max)
{
    const aur_json_at_t *here = AUR_AT_MEMBER(at, name);
    json_t *array = NULL, *value;
    const char **names;
    apr_size_t i;
    apr_status_t rv = aur_json_get_array(&array, in, object, name, at, max);

    if (rv != APR_SUCCESS || !array) {
        return rv;
    }
    names = apr_pcalloc(in->p, (json_array_size(array) + 1) * sizeof(*names));
    json_array_foreach(array, i, value)
    {
        rv = string_copy(&names[i], in, value, "A name", AUR_AT_ELEMENT(here, i));
        if (rv != APR_SUCCESS) {
            return rv;
        }
        if (!*names[i]) {
            return aur_json_refuse(in, AUR_AT_ELEMENT(here, i), "A name must not be empty.");
        }
    }
    *out = names;
    *count = (int)json_array_size(array);
    return APR_SUCCESS;
}

apr_status_t aur_json_need_object(const aur_json_in_t *in, const json_t *value,
                                  const aur_json_at_t *at)
{
    if (!json_is_object(value)) {
        return aur_json_refuse(in, at, "An object is expected here, not %s.", aur_json_kind(value));
    }
    return APR_SUCCESS;
}

const aur_word_t aur_json_directions[] = {{"ASC", 0}, {"DESC", 1}, {NULL, 0}};
const aur_word_t aur_json_nulls[] = {{"first", 1}, {"last", 0}, {NULL, 0}};

apr_status_t aur_json_get_order(aur_json_order_t *out, const aur_json_in_t *in,
                                const json_t *object, const aur_json_at_t *at)
{
    apr_status_t rv;

    out->descending = 0;
    out->nulls_first = -1;
    rv = aur_json_get_word(&out->descending, in, object, "direction", at, aur_json_directions);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    return aur_json_get_word(&out->nulls_first, in, object, "nulls", at, aur_json_nulls);
}

/* --- words and names ------------------------------------------------------------------------- */

const aur_word_t *aur_word_find(const aur_word_t *words, const char *word)
{
    for (; words->word; words++) {
        if (!apr_cstr_casecmp(words->word, word)) {
            return words;
        }
    }
    return NULL;
}

const char *aur_word_list(const aur_word_t *words, apr_pool_t *p)
{
    const char *list = "";

    for (; words->word; words++) {
        list = apr_pstrcat(p, list, *list ? ", " : "", words->word, NULL);
    }
    return list;
}

const char *aur_name_shown(const char *name, apr_pool_t *p)
{
    apr_size_t len = strlen(name);

    if (len <= SHOWN_MAX) {
        return name;
    }
    return apr_pstrcat(p, apr_pstrmemdup(p, name, aur_utf8_clip(name, len, SHOWN_MAX)), "…", NULL);
}
