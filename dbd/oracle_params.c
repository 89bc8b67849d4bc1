/* oracle_params.c - the driver's parameter string, and the connect string in it. */
#include "oracle.h"

#include <apr_file_io.h>
#include <apr_lib.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#define FETCH_ROWS    200u
#define PREFETCH_ROWS 2u
#define CONNECT_S     10u
#define PASSWORD_MAX  1024u

typedef struct {
    const char *key;
    apr_size_t offset;
    apr_uint32_t min, max; /* of a number; max 0: a text */
} setting_t;

#define AT(field) offsetof(ora_params_t, field)

static const setting_t keys[] = {
    {"user", AT(user), 0, 0},
    {"pass", AT(pass), 0, 0},
    {"pass_file", AT(pass_file), 0, 0},
    {"server", AT(server), 0, 0},
    {"libdir", AT(libdir), 0, 0},
    {"edition", AT(edition), 0, 0},
    {"connect_timeout", AT(connect_timeout_s), 0, 3600},
    {"fetch", AT(fetch_rows), 1, 10000},
    {"prefetch", AT(prefetch_rows), 0, 10000},
};
#define NKEYS (sizeof(keys) / sizeof(keys[0]))

static int is_separator(char c)
{
    return c == ',' || c == ';' || c == '|' || apr_isspace(c);
}

/* The value at *at; leaves *at behind it. NULL: a quote is not closed, or something sticks to its end. */
static char *value_take(const char **at, apr_pool_t *pool)
{
    const char *s = *at;
    char *out = apr_palloc(pool, strlen(s) + 1), *w = out;
    char quote = '\0';

    if (*s == '"' || *s == '\'') {
        quote = *s;
    }
    else {
        while (*s && !is_separator(*s)) {
            *w++ = *s++;
        }
        *w = '\0';
        *at = s;
        return out;
    }
    for (s++; *s; s++) {
        if (*s == quote && s[1] != quote) {
            break;
        }
        if ((*s == '\\' || *s == quote) && s[1]) {
            s++;
        }
        *w++ = *s;
    }
    if (*s != quote || (s[1] && !is_separator(s[1]))) {
        return NULL;
    }
    *w = '\0';
    *at = s + 1;
    return out;
}

static const char *value_store(ora_params_t *params, const setting_t *key, const char *value,
                               apr_pool_t *pool)
{
    char *field = (char *)params + key->offset;
    apr_uint64_t n = 0;
    const char *s;

    if (!key->max) {
        *(const char **)field = value;
        return NULL;
    }
    for (s = value; apr_isdigit(*s) && n <= key->max; s++) {
        n = n * 10 + (apr_uint64_t)(*s - '0');
    }
    if (s == value || *s || n < key->min || n > key->max) {
        return apr_psprintf(pool, "%s= has to be a number from %u to %u", key->key, key->min,
                            key->max);
    }
    *(apr_uint32_t *)field = (apr_uint32_t)n;
    return NULL;
}

static const char *check(const ora_params_t *params)
{
    if (!params->server || !*params->server) {
        return "server= is missing: where is the database?";
    }
    if (params->pass && params->pass_file) {
        return "pass= and pass_file= exclude each other";
    }
    return NULL;
}

const char *ora_params_parse(ora_params_t *params, const char *text, apr_pool_t *pool)
{
    /* What is no parameter may be a piece of a password: it is not repeated. */
    static const char every[] =
        "every parameter is key=value; values with blanks , ; or | need quotes";
    const char *at = text ? text : "", *problem;
    unsigned seen = 0;
    int after_pass = 0; /* and its value had no quotes */

    memset(params, 0, sizeof(*params));
    params->fetch_rows = FETCH_ROWS;
    params->prefetch_rows = PREFETCH_ROWS;
    params->connect_timeout_s = CONNECT_S;
    for (;;) {
        const char *name;
        char *value;
        apr_size_t len, i;

        while (is_separator(*at)) {
            at++;
        }
        if (!*at) {
            break;
        }
        for (name = at; apr_isalnum(*at) || *at == '_'; at++) {
            ;
        }
        len = (apr_size_t)(at - name);
        if (*at != '=' || !len) {
            return every;
        }
        for (i = 0; i < NKEYS; i++) {
            if (strlen(keys[i].key) == len && !strncasecmp(keys[i].key, name, len)) {
                break;
            }
        }
        if (i == NKEYS && after_pass) {
            return every; /* a piece of it, too */
        }
        if (i == NKEYS) {
            return apr_psprintf(
                pool,
                "there is no parameter %.*s= (user pass pass_file server libdir edition "
                "connect_timeout fetch prefetch)",
                (int)(len < 64 ? len : 64), name);
        }
        if (seen & 1u << i) {
            return apr_psprintf(pool, "%s= is given twice", keys[i].key);
        }
        seen |= 1u << i;
        at++;
        after_pass = !strcmp(keys[i].key, "pass") && *at != '"' && *at != '\'';
        if (!(value = value_take(&at, pool))) {
            return apr_psprintf(
                pool, "%s=: the closing quote is missing, or no separator follows it", keys[i].key);
        }
        if ((problem = value_store(params, &keys[i], value, pool))) {
            return problem;
        }
    }
    return check(params);
}

/* The first line of what a file begins with. @return NULL, or what is wrong with it */
static const char *password_take(ora_params_t *params, const char *s, apr_size_t len,
                                 apr_size_t max, apr_pool_t *pool)
{
    apr_size_t n = 0;

    while (n < len && s[n] != '\n' && s[n] != '\r') {
        n++;
    }
    if (!len) {
        return "it is empty";
    }
    if (n > max) {
        return "its first line is longer than a password";
    }
    if (memchr(s, '\0', n)) {
        return "its first line is no text in UTF-8";
    }
    params->pass = apr_pstrmemdup(pool, s, n);
    return n ? NULL : "its first line is empty";
}

const char *ora_params_pass_file(ora_params_t *params, apr_pool_t *pool)
{
    char text[PASSWORD_MAX + 1], message[128];
    const char *problem;
    apr_size_t len = 0;
    apr_file_t *file;
    apr_status_t rv;

    if (!params->pass_file) {
        return NULL;
    }
    rv = apr_file_open(&file, params->pass_file, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, pool);
    if (rv == APR_SUCCESS) {
        rv = apr_file_read_full(file, text, sizeof(text), &len);
        apr_file_close(file);
    }
    problem = rv == APR_SUCCESS || rv == APR_EOF
                  ? password_take(params, text, len, PASSWORD_MAX, pool)
                  : apr_strerror(rv, message, sizeof(message));
    return problem
               ? apr_psprintf(pool, "pass_file=%s cannot be used: %s", params->pass_file, problem)
               : NULL;
}

/* Is there a parameter CONNECT_TIMEOUT (and not TRANSPORT_CONNECT_TIMEOUT) in s? Before it stands what `before`
 * has, blanks allowed in between. */
static int has_timeout(const char *s, const char *before)
{
    static const char name[] = "connect_timeout";

    for (; *s; s++) {
        const char *back = s;
        if (strncasecmp(s, name, sizeof(name) - 1) != 0) {
            continue;
        }
        while (back[-1] == ' ') {
            back--;
        }
        if (strchr(before, back[-1])) {
            return 1;
        }
    }
    return 0;
}

/* (DESCRIPTION= wherever it stands, in lists too: each gets its limit. */
static const char *descriptor_with_timeout(const char *server, apr_uint32_t seconds,
                                           apr_pool_t *pool)
{
    static const char name[] = "(description";
    const char *out = "", *at = server, *s;

    for (s = server; *s; s++) {
        const char *end = s + sizeof(name) - 1;
        if (strncasecmp(s, name, sizeof(name) - 1) != 0) {
            continue;
        }
        end += strspn(end, " \t\r\n");
        if (*end != '=') {
            continue;
        }
        end++;
        out = apr_psprintf(pool, "%s%.*s(CONNECT_TIMEOUT=%u)", out, (int)(end - at), at, seconds);
        at = end;
        s = end - 1;
    }
    return apr_pstrcat(pool, out, at, NULL);
}

const char *ora_server_with_timeout(const char *server, apr_uint32_t seconds, int easy_plus,
                                    apr_pool_t *pool)
{
    const char *at = server + strspn(server, " \t\r\n");

    if (!seconds || !*at) {
        return server;
    }
    if (*at == '(') {
        return has_timeout(at + 1, "(") ? server : descriptor_with_timeout(server, seconds, pool);
    }
    if (!easy_plus || !strpbrk(at, ":/") || has_timeout(at + 1, "?&")) {
        return server;
    }
    return apr_psprintf(pool, "%s%cconnect_timeout=%u", server, strchr(at, '?') ? '&' : '?',
                        seconds);
}
