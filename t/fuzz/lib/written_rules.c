/* written_rules.c - see written_rules.h. */
#include "written_rules.h"

#include <apr_lib.h>
#include <sqlite3.h>
#include <string.h>

#include "fixture.h"
#include "fuzz.h"

#define UNKNOWN ((size_t)-1) /* no database would take it */

typedef struct reading_t {
    const char *driver, *text;
    int mysql, pgsql, oracle, formatted;
} reading_t;

static int of_word(const reading_t *x, char c)
{
    return (c & 0x80) || apr_isalnum(c) || c == '_' || c == '$' || (c == '#' && x->oracle);
}

/* Up to and with `close`, which begins no earlier than at `from`. */
static size_t to(const reading_t *x, const char *s, size_t from, const char *close)
{
    const char *end = strstr(s + from, close);

    FUZZ_CHECK(end, "%s has no end: %s", s, x->text);
    return (size_t)(end - s) + strlen(close);
}

static size_t quoted(const reading_t *x, const char *s, char quote, int backslashes)
{
    size_t n = 1;

    while (s[n] != quote || s[n + 1] == quote) {
        FUZZ_CHECK(s[n], "%s has no end: %s", s, x->text);
        n += s[n] == quote || (backslashes && s[n] == '\\' && s[n + 1]) ? 2 : 1;
    }
    return n + 1;
}

static size_t comment(const reading_t *x, const char *s)
{
    size_t n = 2;
    int depth = 1;

    while (depth > 0) {
        FUZZ_CHECK(s[n], "%s has no end: %s", s, x->text);
        if (!strncmp(s + n, "*/", 2)) {
            depth--;
            n += 2;
        }
        else if (x->pgsql && !strncmp(s + n, "/*", 2)) {
            depth++;
            n += 2;
        }
        else {
            n++;
        }
    }
    return n;
}

static int is_line_comment(const reading_t *x, const char *s)
{
    if (x->mysql) {
        return *s == '#' ||
               (!strncmp(s, "--", 2) && (!s[2] || apr_isspace(s[2]) || apr_iscntrl(s[2])));
    }
    return !strncmp(s, "--", 2);
}

/* $tag$ … $tag$ of PostgreSQL; 0: no such thing begins here. */
static size_t dollars(const reading_t *x, const char *s)
{
    char tag[256];
    size_t n = 1;

    if (!x->pgsql || *s != '$' || apr_isdigit(s[1])) {
        return 0;
    }
    while (of_word(x, s[n]) && s[n] != '$') {
        n++;
    }
    if (s[n] != '$') {
        return 0;
    }
    if (++n >= sizeof(tag)) {
        return UNKNOWN;
    }
    memcpy(tag, s, n);
    tag[n] = '\0';
    return to(x, s, n, tag);
}

/* q'[…]' */
static size_t q_quoted(const reading_t *x, const char *s)
{
    static const char open[] = "[{(<", closed[] = "]})>";
    const char *pair = s[1] ? strchr(open, s[1]) : NULL;
    char close[] = "x'";

    FUZZ_CHECK(s[1], "%s has no end: %s", s, x->text);
    close[0] = s[1];
    if (pair) {
        close[0] = closed[pair - open];
    }
    return to(x, s, 2, close);
}

/* A word, with the literal that it is the beginning of. */
static size_t word(const reading_t *x, const char *s)
{
    size_t n = 0;

    while (of_word(x, s[n]) || (s[n] == '.' && apr_isdigit(*s))) {
        n++;
    }
    if (s[n] != '\'') {
        return n;
    }
    if (x->pgsql && n == 1 && apr_tolower(*s) == 'e') {
        return n + quoted(x, s + n, '\'', 1);
    }
    if (x->oracle && apr_tolower(s[n - 1]) == 'q' &&
        (n == 1 || (n == 2 && apr_tolower(*s) == 'n'))) {
        return n + q_quoted(x, s + n);
    }
    return n;
}

/* What is no place for a placeholder; 0: none of it. */
static size_t text_of(const reading_t *x, const char *s)
{
    if (is_line_comment(x, s)) {
        const char *end = strchr(s, '\n');
        return end ? (size_t)(end - s) + 1 : strlen(s);
    }
    if (!strncmp(s, "/*", 2)) {
        return comment(x, s);
    }
    if (x->oracle && *s == ':' && of_word(x, s[1])) { /* never the beginning of a literal */
        size_t n = 2;
        while (of_word(x, s[n])) {
            n++;
        }
        return n;
    }
    if (*s == '\'' || *s == '"') {
        return quoted(x, s, *s, x->mysql);
    }
    if (x->mysql && *s == '`') {
        return quoted(x, s, '`', 0);
    }
    return of_word(x, *s) && *s != '$' && *s != '#' ? word(x, s) : dollars(x, s);
}

/* Of one placeholder; 0: none. */
static size_t placeholder(const reading_t *x, const char *s)
{
    char sign = '%';
    size_t n = 1;

    if (!x->formatted) {
        sign = ':';
        if (x->pgsql) {
            sign = '$';
        }
    }
    if (*s != sign || (x->formatted ? s[1] != 's' : !apr_isdigit(s[1]))) {
        return 0;
    }
    while (!x->formatted && apr_isdigit(s[n])) {
        n++;
    }
    return x->formatted ? 2 : n;
}

/* apr_dbd_prepare takes percent signs wherever they stand. */
static void check_percents(const reading_t *x, const char *s, size_t len)
{
    size_t i;

    for (i = 0; x->formatted && i < len; i++) {
        if (s[i] == '%') {
            FUZZ_CHECK(s[i + 1] == '%', "a placeholder inside %.*s", (int)len, s);
            i++;
        }
    }
}

static void check_sqlite(const aur_sql_t *sql)
{
    sqlite3_stmt *stmt = NULL;
    const char *rest = "";

    if (sqlite3_prepare_v2(fixture_db(), sql->text, (int)sql->len + 1, &stmt, &rest) == SQLITE_OK) {
        FUZZ_CHECK(stmt && !*rest, "there is more: %s", sql->text);
        FUZZ_CHECK(sqlite3_bind_parameter_count(stmt) == sql->nbinds, "%d binds: %s", sql->nbinds,
                   sql->text);
    }
    sqlite3_finalize(stmt);
}

void written_check_placeholders(const char *driver, const aur_sql_t *sql)
{
    reading_t x = {.driver = driver, .text = sql->text};
    const char *s = sql->text;
    int found = 0;

    if (!strcmp(driver, "sqlite3")) {
        check_sqlite(sql);
        return;
    }
    x.mysql = !strcmp(driver, "mysql");
    x.pgsql = !strcmp(driver, "pgsql");
    x.oracle = !strncmp(driver, "oracle", 6) || !strcmp(driver, "odbc");
    x.formatted = x.mysql || !strcmp(driver, "odbc");
    while (*s) {
        size_t n = placeholder(&x, s);
        found += n > 0;
        if (n == 0) {
            n = text_of(&x, s);
            if (n == UNKNOWN) {
                return;
            }
            if (n == 0) {
                n = 1;
                n += (x.formatted && *s == '%') || !strncmp(s, "::", 2); /* a sign of two */
            }
            check_percents(&x, s, n);
        }
        s += n;
    }
    FUZZ_CHECK(found == sql->nbinds, "%s: %d placeholders, %d binds: %s", driver, found,
               sql->nbinds, sql->text);
}
