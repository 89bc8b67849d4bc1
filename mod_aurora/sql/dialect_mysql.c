/* dialect_mysql.c - MariaDB 10.2 and later, MySQL 5.7 and later.
 *
 * The text is in apr_dbd_prepare's format: %s is a placeholder, %% a percent sign.
 *
 * To most collations of these databases "Key", "key" and "key " are equal, so texts are compared as the
 * bytes of their UTF-8: every letter and blank counts, and the order is that of the code points, in
 * comparisons, groups, minima and ORDER BY alike. An index knows nothing of that, hence a condition of
 * the column as it is goes first wherever one holds for certain (=, IN, a prefix, a join): it finds
 * the few rows among which the exact one chooses. With a collation that is exact by itself (…_nopad_bin,
 * …_0900_bin) that is so for ranges too, and with any …_bin for ORDER BY. Measured on 20,000 rows: =,
 * IN, prefixes and joins read the index (`ref`, `range`); a sort by a text of another collation, or by a
 * column that may be NULL (these databases have NULL where the contract has not), sorts all rows.
 *
 * A column's data_type ends with its collation (discover_dbd.c). */
#include <apr_lib.h>
#include <string.h>

#include "dialect.h"

#define BYTES "CAST(CONVERT($l USING utf8mb4) AS BINARY)"

static void mysql_ident(aur_sql_buf_t *q, const char *name)
{
    aur_sql_quoted(q, name, "`%");
}

/* Numbers arrive as numbers (cursor_dbd.c); moments arrive as texts. */
static void mysql_placeholder(aur_sql_buf_t *q, int n, aur_type_e type)
{
    switch (((const aur_bind_t *)q->binds->elts)[n - 1].cell.kind) {
    case AUR_V_DATE:
        aur_sql_text(q, "CAST(%s AS DATE)");
        break;
    case AUR_V_TIMESTAMP:
        aur_sql_text(q, "CAST(%s AS DATETIME(6))");
        break;
    default:
        aur_sql_text(q, "%s");
        break;
    }
}

static int mysql_can(aur_sql_feature_e feature)
{
    return feature != AUR_SQL_CAN_FULL_JOIN;
}

static void mysql_direction(aur_sql_buf_t *q, int descending, int nulls_first)
{
    if (descending) {
        aur_sql_text(q, " DESC");
    }
}

/* NULL is below everything here. */
static const char *mysql_null_key(int descending, int nulls_first)
{
    if (descending) {
        return nulls_first ? "$l IS NULL DESC" : NULL;
    }
    return nulls_first ? NULL : "$l IS NULL";
}

static void mysql_page(aur_sql_buf_t *q, apr_int64_t limit, apr_int64_t offset)
{
    if (limit < 0 && offset <= 0) {
        return;
    }
    aur_sql_text(q, " LIMIT ");
    aur_sql_digits(q, limit < 0 ? APR_INT64_MAX : limit);
    if (offset > 0) {
        aur_sql_text(q, " OFFSET ");
        aur_sql_digits(q, offset);
    }
}

/* --- columns -------------------------------------------------------------------------------------- */

static int has_prefix(const char *text, const char *prefix)
{
    return !strncmp(text, prefix, strlen(prefix));
}

static int has_suffix(const char *text, const char *suffix)
{
    apr_size_t len = strlen(text), n = strlen(suffix);

    return len >= n && !strcmp(text + len - n, suffix);
}

static const char *collation(const aur_column_t *column)
{
    static const char word[] = " COLLATE ";
    const char *at, *found = NULL;

    /* the last one: an enumeration may hold any text */
    for (at = column->data_type; (at = strstr(at, word)) != NULL; at++) {
        found = at + sizeof(word) - 1;
    }
    return column->type == AUR_T_TEXT ? found : NULL;
}

/* Does = of the database tell all texts apart, and < go by code points? */
static int is_exact(const aur_column_t *column)
{
    const char *name = collation(column);

    return name && has_prefix(name, "utf8") &&
           (has_suffix(name, "_nopad_bin") || has_suffix(name, "_0900_bin"));
}

static int is_bit(const aur_column_t *column)
{
    return has_prefix(column->data_type, "bit");
}

static const char *mysql_operand(const aur_column_t *column)
{
    if (column->type == AUR_T_TEXT) {
        return BYTES;
    }
    return is_bit(column) ? "($l + 0)" : NULL;
}

/* Bits would come as bytes, and a FLOAT with six digits of the seven or eight that it has. */
static const char *mysql_output(const aur_column_t *column)
{
    if (is_bit(column)) {
        return "$l + 0";
    }
    return has_prefix(column->data_type, "float") && column->data_type[5] != '(' ? "$l + 0e0"
                                                                                 : NULL;
}

static const char *mysql_sort_key(const aur_column_t *column)
{
    const char *name = collation(column);

    return name && has_prefix(name, "utf8") && has_suffix(name, "_bin") ? NULL
                                                                        : mysql_operand(column);
}

static const char *mysql_greatest(const aur_column_t *column)
{
    return is_exact(column) ? NULL : mysql_operand(column);
}

/* Can the values be compared with the column as it is? Not where its character set lacks one of their
 * letters. */
static int values_fit(const char *collation, const aur_plan_expr_t *rule)
{
    apr_size_t at;
    int i;

    for (i = 0; i < rule->nvalues && !has_prefix(collation, "utf8mb4"); i++) {
        for (at = 0; at < rule->values[i].len; at++) {
            if (!apr_isascii(rule->values[i].v.s[at])) {
                return 0;
            }
        }
    }
    return 1;
}

static const char *mysql_narrow(const aur_column_t *column, const aur_plan_expr_t *rule)
{
    const char *name = collation(column);
    int exact = is_exact(column);

    if (!name || rule->ignore_case || !values_fit(name, rule)) {
        return NULL;
    }
    switch (rule->op) {
    case AUR_OP_EQ:
        return "$c = $v";
    case AUR_OP_IN:
        return "$c IN $w";
    case AUR_OP_STARTS_WITH:
        return "$c LIKE $b ESCAPE '|'";
    case AUR_OP_GT:
    case AUR_OP_GTE:
        return exact ? "$c >= $v" : NULL;
    case AUR_OP_BETWEEN:
        return exact ? "$c BETWEEN $v AND $h" : NULL;
    case AUR_OP_LT:
    case AUR_OP_LTE:
        return exact ? "$c <= $v" : NULL;
    default:
        return NULL;
    }
}

/* Columns of different collations cannot be compared at all as they are. */
static int mysql_narrow_pair(const aur_column_t *left, const aur_column_t *right)
{
    const char *l = collation(left), *r = collation(right);

    return l && r && !strcmp(l, r);
}

const aur_dialect_t aur_dialect_mysql = {
    .driver = "mysql",
    .ident = mysql_ident,
    .placeholder = mysql_placeholder,
    .can = mysql_can,
    .direction = mysql_direction,
    .page = mysql_page,
    .operand = mysql_operand,
    .output = mysql_output,
    .exact = 1,
    .sort_key = mysql_sort_key,
    .narrow = mysql_narrow,
    .narrow_pair = mysql_narrow_pair,
    .null_key = mysql_null_key,
    .greatest = mysql_greatest,
    .greatest_first = 1,
    .contains = "LOCATE($v, $l) > 0",
    .not_contains = "LOCATE($v, $l) = 0",
    .starts_with = "LEFT($l, LENGTH($v)) = $v",
    .ends_with = "RIGHT($l, LENGTH($v)) = $v",
    .is_empty = "($l IS NULL OR $l = '')",
    .is_not_empty = "($l IS NOT NULL AND $l <> '')",
    .fold = "CAST(LOWER(CONVERT($c USING utf8mb4) COLLATE utf8mb4_unicode_520_ci) AS BINARY)",
    .never = "1 = 0",
    .lexis = AUR_LEX_MYSQL | AUR_LEX_QUESTION | AUR_LEX_FORMAT | AUR_LEX_UNORDERED,
};
