/* dialect_oracle.c - Oracle Database: 12.1 and later, and (aur_dialect_oracle_old) those that page by ROWNUM.
 *
 * Placeholders are :1, :2, … and values arrive typed (cursor_oracle.c), so that an index on a number, a date or
 * a timestamp fits them as they are.
 *
 * An empty text is NULL here, so no value of a column is one: what is compared with '' is decided without the
 * database (`empty_is_null`), as its own answer would be "unknown".
 *
 * CHAR columns come padded with blanks, which count for nothing: they are compared without, those of nothing else
 * as one blank, and = is asked first in a form that the column's own index answers. Letter case counts where the session compares
 * texts as bytes, which backend_oracle.c sees to. */
#include <string.h>

#include "dialect.h"

#define CHAR_MAX_BYTES "2000" /* of a CHAR */

/* A name cannot hold a double quote in Oracle. Were there one, doubled it would still be no more than names. */
static void oracle_ident(aur_sql_buf_t *q, const char *name)
{
    aur_sql_quoted(q, name, "\"");
}

static void oracle_placeholder(aur_sql_buf_t *q, int n, aur_type_e type)
{
    aur_sql_text(q, ":");
    aur_sql_index(q, n);
}

static int has_prefix(const char *text, const char *prefix)
{
    return !strncmp(text, prefix, strlen(prefix));
}

static int is_padded(const char *data_type)
{
    return has_prefix(data_type, "CHAR(") || has_prefix(data_type, "NCHAR(");
}

/* Compared with a value of the other kind, a VARCHAR2 column would be converted, and its index be of no use; a value
 * would lose what the database's own character set has not. */
int aur_oracle_national(const aur_column_t *column)
{
    return has_prefix(column->data_type, "NVARCHAR2") || has_prefix(column->data_type, "NCHAR");
}

static int is_rowid(const char *data_type)
{
    return !strcmp(data_type, "ROWID") || has_prefix(data_type, "UROWID");
}

static const char *oracle_operand(const aur_column_t *column)
{
    if (column->type != AUR_T_TEXT) {
        return NULL;
    }
    if (is_rowid(column->data_type)) {
        return "ROWIDTOCHAR($l)";
    }
    /* without its blanks one that has nothing else would be NULL, and what that differs from unknown */
    return is_padded(column->data_type) ? "CASE WHEN $l IS NOT NULL THEN NVL(RTRIM($l), ' ') END"
                                        : NULL;
}

static const char *oracle_content(const aur_column_t *column)
{
    return column->type == AUR_T_TEXT && is_padded(column->data_type) ? "RTRIM($l)" : NULL;
}

static const char *oracle_output(const aur_column_t *column)
{
    return !strcmp(column->data_type, "XMLTYPE") ? "XMLSERIALIZE(CONTENT $l AS CLOB)" : NULL;
}

static const char *oracle_narrow(const aur_column_t *column, const aur_plan_expr_t *rule)
{
    if (rule->op == AUR_OP_EQ && !rule->ignore_case && column->type == AUR_T_TEXT &&
        has_prefix(column->data_type, "CHAR(") && rule->values[0].len > 0) {
        return "$c = CAST($v AS CHAR(" CHAR_MAX_BYTES "))";
    }
    return NULL;
}

/* --- pages ---------------------------------------------------------------------------------------- */

/* SELECT c0, c1 FROM (SELECT p.*, ROWNUM r FROM (… ORDER BY …) p WHERE ROWNUM <= offset + limit) WHERE r > offset:
 * ROWNUM is counted before an ORDER BY beside it, hence the inner query, and from 1, hence the outer one. */
static void old_before(aur_sql_buf_t *q, int noutputs, apr_int64_t limit, apr_int64_t offset)
{
    int i;

    if (limit < 0 && offset <= 0) {
        return;
    }
    aur_sql_text(q, "SELECT ");
    if (noutputs == 0) {
        aur_sql_text(q, "*"); /* with an offset there would be one column more */
    }
    for (i = 0; i < noutputs; i++) {
        if (i > 0) {
            aur_sql_text(q, ", ");
        }
        aur_sql_text(q, "c");
        aur_sql_index(q, i);
    }
    if (offset > 0) {
        aur_sql_text(q, " FROM (SELECT p.*, ROWNUM r");
    }
    aur_sql_text(q, " FROM (");
}

static void old_page(aur_sql_buf_t *q, apr_int64_t limit, apr_int64_t offset)
{
    if (limit < 0 && offset <= 0) {
        return;
    }
    aur_sql_text(q, ") p");
    if (limit >= 0) {
        apr_int64_t last = offset < APR_INT64_MAX - limit ? offset + limit : APR_INT64_MAX;
        aur_sql_text(q, " WHERE ROWNUM <= ");
        aur_sql_digits(q, last);
    }
    if (offset > 0) {
        aur_sql_text(q, ") WHERE r > ");
        aur_sql_digits(q, offset);
    }
}

#define COMMON                                                                                     \
    .driver = "oracle", .ident = oracle_ident, .placeholder = oracle_placeholder,                  \
    .can = aur_dialect_can_all, .direction = aur_dialect_nulls_last, .operand = oracle_operand,    \
    .output = oracle_output, .narrow = oracle_narrow, .empty_is_null = 1,                          \
    .national = aur_oracle_national, .contains = "$l LIKE $p ESCAPE $n'|'",                        \
    .not_contains = "$l NOT LIKE $p ESCAPE $n'|'", .starts_with = "$l LIKE $b ESCAPE $n'|'",       \
    .ends_with = "$l LIKE $e ESCAPE $n'|'", .content = oracle_content, .is_empty = "$l IS NULL",   \
    .is_not_empty = "$l IS NOT NULL", .fold = "LOWER($l)", .never = "1 = 0",                       \
    .lexis = AUR_LEX_Q_QUOTES | AUR_LEX_HASH_NAMES

const aur_dialect_t aur_dialect_oracle = {COMMON, .page = aur_dialect_page_fetch};
const aur_dialect_t aur_dialect_oracle_old = {COMMON, .page_before = old_before, .page = old_page};
