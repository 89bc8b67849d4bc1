/* dialect_ansi.c - for drivers that have no dialect of their own, ODBC above all: what most databases take
 * of SQL:2008. Names stand in double quotes (MariaDB and MySQL behind ODBC need sql_mode=ANSI_QUOTES
 * for that), pages are OFFSET … FETCH FIRST, and NULLs are put in order by a key of their own.
 *
 * The text is in apr_dbd_prepare's format: %s is a placeholder, %% a percent sign.
 *
 * Whether letter case counts in = and LIKE, and which letters LOWER knows, is the database's own
 * collation: nothing that all databases take would change it. */
#include <string.h>

#include "dialect.h"

#define DIGITS_MAX 38 /* of a DECIMAL, in the databases that take least */

static void ansi_ident(aur_sql_buf_t *q, const char *name)
{
    aur_sql_quoted(q, name, "\"%");
}

/* Values travel as texts, so that a number says what it is: else some databases would compare it as the
 * text it looks like, others as a double. */
static void number(aur_sql_buf_t *q, const aur_cell_t *cell)
{
    const char *point;
    apr_size_t fraction = 0;

    if (cell->kind != AUR_V_DECIMAL) {
        aur_sql_text(q, "CAST(%s AS DECIMAL(19, 0))");
        return;
    }
    point = memchr(cell->v.s, '.', cell->len);
    if (point) {
        fraction = cell->len - (apr_size_t)(point - cell->v.s) - 1;
    }
    if (cell->len > DIGITS_MAX) {
        aur_sql_text(q, "CAST(%s AS DOUBLE PRECISION)");
        return;
    }
    aur_sql_text(q, "CAST(%s AS DECIMAL(");
    aur_sql_digits(q, (apr_int64_t)cell->len);
    aur_sql_text(q, ", ");
    aur_sql_digits(q, (apr_int64_t)fraction);
    aur_sql_text(q, "))");
}

static void ansi_placeholder(aur_sql_buf_t *q, int n, aur_type_e type)
{
    const aur_cell_t *cell = &((const aur_bind_t *)q->binds->elts)[n - 1].cell;

    if (type == AUR_T_NUMBER) {
        number(q, cell);
    }
    else {
        aur_sql_text(q, "%s");
    }
}

static void ansi_direction(aur_sql_buf_t *q, int descending, int nulls_first)
{
    if (descending) {
        aur_sql_text(q, " DESC");
    }
}

static const char *ansi_null_key(int descending, int nulls_first)
{
    return nulls_first ? "CASE WHEN $l IS NULL THEN 0 ELSE 1 END"
                       : "CASE WHEN $l IS NULL THEN 1 ELSE 0 END";
}

const aur_dialect_t aur_dialect_ansi = {
    .driver = "",
    .ident = ansi_ident,
    .placeholder = ansi_placeholder,
    .can = aur_dialect_can_all,
    .direction = ansi_direction,
    .page = aur_dialect_page_fetch,
    .null_key = ansi_null_key,
    .contains = "$l LIKE $p ESCAPE '|'",
    .not_contains = "$l NOT LIKE $p ESCAPE '|'",
    .starts_with = "$l LIKE $b ESCAPE '|'",
    .ends_with = "$l LIKE $e ESCAPE '|'",
    .is_empty = "($l IS NULL OR $l = '')",
    .is_not_empty = "($l IS NOT NULL AND $l <> '')",
    .fold = "LOWER($c)",
    .never = "1 = 0",
    .lexis = AUR_LEX_Q_QUOTES | AUR_LEX_QUESTION | AUR_LEX_FORMAT | AUR_LEX_UNORDERED |
             AUR_LEX_HASH_NAMES,
};
