/* directives_doc.c - the reference of directives, written from the settings table.
 *
 * A program of its own, for building and testing only; needs neither httpd nor APR:
 *     cc -DAUR_DIRECTIVES_DOC -Imod_aurora -o directives_doc mod_aurora/config/directives_doc.c
 *     directives_doc markdown > docs/directives.md
 *     directives_doc conf     the directives as conf.d/aurora.conf ends with them
 * Without that definition it is empty, so that the module's build may take the whole folder. */
#ifdef AUR_DIRECTIVES_DOC

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/config_table.h"

#define WIDTH 92

typedef struct row_t {
    const char *directive, *kind, *environment;
    int64_t min, max;
    const char *initial, *syntax, *what, *help;
    int location; /* also in <Location> */
} row_t;

static const row_t rows[] = {
#define AUR_X(id, directive, kind, field, env, min, max, initial, syntax, what, help)              \
    {directive, #kind, env, min, max, initial, syntax, what, help, 0},
    AUR_SERVER_SETTINGS(AUR_X)
#undef AUR_X
#define AUR_X(id, directive, kind, field, env, min, max, initial, syntax, what, help)              \
    {directive, #kind, env, min, max, initial, syntax, what, help, 1},
        AUR_LOCATION_SETTINGS(AUR_X)
#undef AUR_X
};
#define NROWS (sizeof(rows) / sizeof(rows[0]))

static void print_number(const char *kind, int64_t n)
{
    static const struct {
        int64_t us;
        const char *unit;
    } times[] = {{AUR_DAY, " days"}, {AUR_HOUR, "h"}, {AUR_MIN, "min"}, {AUR_SEC, "s"}};
    size_t i;
    if (!strcmp(kind, "TIME") && n) {
        for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
            if (n % times[i].us == 0 && (i || n > AUR_DAY)) {
                printf("%" PRId64 "%s", n / times[i].us, times[i].unit);
                return;
            }
        }
        printf("%" PRId64 "ms", n / AUR_MSEC);
    }
    else if (!strcmp(kind, "SIZE") && n % 1048576 == 0) {
        printf("%" PRId64 "M", n / 1048576);
    }
    else if (!strcmp(kind, "SIZE") && n % 1024 == 0) {
        printf("%" PRId64 "K", n / 1024);
    }
    else {
        printf("%" PRId64, n);
    }
}

static void print_range(const row_t *row)
{
    print_number(row->kind, row->min);
    printf(" to ");
    print_number(row->kind, row->max);
}

/* --- markdown --------------------------------------------------------------------------------- */

/* A bar would end a table's cell. */
static void print_cell(const char *s)
{
    for (; *s; s++) {
        printf(*s == '|' ? "\\|" : "%c", *s);
    }
}

static void print_anchor(const char *heading)
{
    for (; *heading; heading++) {
        putchar(tolower((unsigned char)*heading));
    }
}

static void markdown_row(const row_t *row)
{
    printf("\n## %s\n\n%s\n\n| | |\n|---|---|\n", row->directive, row->what);
    printf("| Syntax | `%s ", row->directive);
    print_cell(row->syntax);
    printf("` |\n| Default | ");
    printf(row->initial ? "`%s %s` |\n" : "none |\n", row->directive, row->initial);
    printf("| Context | server, virtual host%s |\n", row->location ? ", `<Location>`" : "");
    if (row->environment) {
        printf("| Environment | `%s` |\n", row->environment);
    }
    if (row->max) {
        printf("| Range | ");
        print_range(row);
        printf(" |\n");
    }
    printf("\n%s\n", row->help);
}

static void markdown(void)
{
    size_t i;
    printf("# Directives\n\n"
           "Written by `mod_aurora/config/directives_doc.c` from the settings table "
           "`mod_aurora/config/config_table.h`.\n\n"
           "A directive wins over the environment variable, that over the default. An environment "
           "variable that is set has to be right even where a directive hides it; an empty one "
           "counts as not set. What is wrong stops the server at `configtest` with the name, the "
           "value and what is allowed. A section's list replaces the list of the section around "
           "it; within a section, lists on several lines add up.\n\n"
           "Times are in seconds, or carry `ms`, `s`, `min` or `h`. Sizes are in bytes, or carry "
           "`K` or `M`. Directives are not allowed in `.htaccess`.\n\n"
           "| directive | environment | default |\n|---|---|---|\n");
    for (i = 0; i < NROWS; i++) {
        printf("| [%s](#", rows[i].directive);
        print_anchor(rows[i].directive);
        printf(") | ");
        printf(rows[i].environment ? "`%s` | " : "| ", rows[i].environment);
        printf(rows[i].initial ? "`%s` |\n" : "|\n", rows[i].initial);
    }
    for (i = 0; i < NROWS; i++) {
        markdown_row(&rows[i]);
    }
}

/* --- conf ------------------------------------------------------------------------------------- */

/* "# Name:  text", wrapped, further lines indented like the first. */
static void conf_field(const char *name, const char *text)
{
    static const int indent = 15;
    int column = printf("# %-*s", indent - 2, name);
    while (*text) {
        int word = (int)strcspn(text, " ");
        if (column > indent && column + 1 + word > WIDTH) {
            printf("\n#%*s", indent - 1, "");
            column = indent;
        }
        if (column > indent) {
            column += printf(" ");
        }
        column += printf("%.*s", word, text);
        text += word;
        text += strspn(text, " ");
    }
    printf("\n");
}

static void conf_row(const row_t *row)
{
    char line[512];
    printf("\n");
    conf_field("Description:", row->what);
    snprintf(line, sizeof(line), "%s %s", row->directive, row->syntax);
    conf_field("Syntax:", line);
    snprintf(line, sizeof(line), "%s %s", row->directive, row->initial ? row->initial : "");
    conf_field("Default:", row->initial ? line : "none");
    conf_field("Context:", row->location ? "server config, virtual host, directory (<Location>)"
                                         : "server config, virtual host");
    if (row->environment) {
        conf_field("Environment:", row->environment);
    }
    conf_field("Usage:", row->help);
    printf("#%s %s\n", row->directive, row->initial ? row->initial : row->syntax);
}

int main(int argc, char **argv)
{
    size_t i;
    if (argc == 2 && !strcmp(argv[1], "markdown")) {
        markdown();
    }
    else if (argc == 2 && !strcmp(argv[1], "conf")) {
        for (i = 0; i < NROWS; i++) {
            conf_row(&rows[i]);
        }
    }
    else {
        fprintf(stderr, "usage: directives_doc markdown|conf\n");
        return 2;
    }
    return ferror(stdout) || fflush(stdout) ? 1 : 0;
}

#endif
