/* dialect_pgsql.c - PostgreSQL 10 and later.
 *
 * Each placeholder says its type, so that the server never guesses one: whole numbers are bigint, which an
 * index on any integer, numeric or float column can be searched with; a numeric would turn an integer
 * column into numeric, and no index fits that.
 *
 * Patterns are LIKE with the value's own %, _ and \ escaped by the server; replace() of a bind is folded
 * before planning, so an index for prefixes (text_pattern_ops) or trigrams is used where there is one.
 *
 * Many types are texts to the contract and not to PostgreSQL (uuid, inet, enumerations, arrays, …): those
 * columns are compared as the text they show. Letter case and order of texts are the database's own
 * collation and lower(). */
#include <apr_lib.h>
#include <string.h>

#include "dialect.h"

/* The value as a pattern that stands for itself; backslash is LIKE's escape unless told otherwise. */
#define LITERALLY "replace(replace(replace($v, '\\', '\\\\'), '%', '\\%'), '_', '\\_')"

static void pgsql_ident(aur_sql_buf_t *q, const char *name)
{
    aur_sql_quoted(q, name, "\"");
}

static void pgsql_placeholder(aur_sql_buf_t *q, int n, aur_type_e type)
{
    const aur_bind_t *bind = &((const aur_bind_t *)q->binds->elts)[n - 1];

    aur_sql_text(q, "$");
    aur_sql_index(q, n);
    switch (type) {
    case AUR_T_NUMBER:
        if (bind->cell.kind == AUR_V_INT) {
            aur_sql_text(q, "::bigint");
        }
        else {
            aur_sql_text(q, "::numeric");
        }
        break;
    case AUR_T_DATE:
        aur_sql_text(q, "::date");
        break;
    case AUR_T_TIMESTAMP:
        aur_sql_text(q, "::timestamp");
        break;
    case AUR_T_TIMESTAMP_TZ:
        /* values are UTC, and so is the session */
        aur_sql_text(q, "::timestamptz");
        break;
    case AUR_T_BOOLEAN:
        aur_sql_text(q, "::boolean");
        break;
    case AUR_T_BINARY:
        aur_sql_text(q, "::bytea");
        break;
    case AUR_T_TEXT:
        aur_sql_text(q, "::text");
        break;
    }
}

static void pgsql_page(aur_sql_buf_t *q, apr_int64_t limit, apr_int64_t offset)
{
    if (offset > 0) {
        aur_sql_text(q, " OFFSET (");
        aur_sql_bind_int(q, offset);
        aur_sql_text(q, ") ROWS");
    }
    if (limit >= 0) {
        aur_sql_text(q, " FETCH FIRST (");
        aur_sql_bind_int(q, limit);
        aur_sql_text(q, ") ROWS ONLY");
    }
}

/* --- types that are texts to the contract only ---------------------------------------------------- */

static int has_prefix(const char *text, const char *prefix)
{
    return !strncmp(text, prefix, strlen(prefix));
}

static int is_blank_padded(const char *data_type)
{
    return !strcmp(data_type, "character") || has_prefix(data_type, "character(") ||
           !strcmp(data_type, "bpchar");
}

static const char *pgsql_operand(const aur_column_t *column)
{
    const char *type = column->data_type;

    if (column->type == AUR_T_NUMBER) {
        return !strcmp(type, "oid") ? "$l::bigint" : NULL;
    }
    if (column->type != AUR_T_TEXT || !strcmp(type, "text") || !strcmp(type, "name") ||
        has_prefix(type, "character varying")) {
        return NULL;
    }
    if (!strcmp(type, "inet")) {
        /* the cast adds a /32 that is not shown */
        return "pg_catalog.inet_out($l)::text";
    }
    return "$l::text";
}

/* 8-4-4-4-12 hexadecimal digits, as PostgreSQL writes a uuid */
static int is_uuid(const aur_cell_t *cell)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    apr_size_t i;

    if (cell->kind != AUR_V_TEXT || cell->len != sizeof(form) - 1) {
        return 0;
    }
    for (i = 0; i < cell->len; i++) {
        if (form[i] == '-' ? cell->v.s[i] != '-' : !apr_isxdigit(cell->v.s[i])) {
            return 0;
        }
    }
    return 1;
}

static const char *pgsql_value_cast(const aur_column_t *column, const aur_plan_expr_t *rule)
{
    int i;

    if (column->type != AUR_T_TEXT || rule->ignore_case) {
        return NULL;
    }
    if (!strcmp(column->data_type, "uuid")) {
        /* Keys often are: only as what they are does their index help. A value that is none stays
         * a text, which no uuid equals. */
        for (i = 0; i < rule->nvalues && is_uuid(&rule->values[i]); i++) {
        }
        return i == rule->nvalues ? "::uuid" : NULL;
    }
    /* Blanks at the end count for nothing in this type; its index is of use. */
    return is_blank_padded(column->data_type) ? "::bpchar" : NULL;
}

/* There is a max() of this type, too. */
static const char *pgsql_greatest(const aur_column_t *column)
{
    return is_blank_padded(column->data_type) ? NULL : pgsql_operand(column);
}

const aur_dialect_t aur_dialect_pgsql = {
    .driver = "pgsql",
    .ident = pgsql_ident,
    .placeholder = pgsql_placeholder,
    .can = aur_dialect_can_all,
    .direction = aur_dialect_nulls_last,
    .page = pgsql_page,
    .operand = pgsql_operand,
    .value_cast = pgsql_value_cast,
    .greatest = pgsql_greatest,
    .contains = "$l LIKE '%' || " LITERALLY " || '%'",
    .not_contains = "$l NOT LIKE '%' || " LITERALLY " || '%'",
    .starts_with = "$l LIKE " LITERALLY " || '%'",
    .ends_with = "$l LIKE '%' || " LITERALLY,
    .is_empty = "($l IS NULL OR $l = '')",
    .is_not_empty = "($l IS NOT NULL AND $l <> '')",
    .fold = "lower($l)",
    .never = "false",
    .lexis = AUR_LEX_E_STRINGS | AUR_LEX_DOLLARS | AUR_LEX_NESTED | AUR_LEX_PARENS,
};
