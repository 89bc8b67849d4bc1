/* dialect_sqlite.c - SQLite 3.30 and later.
 *
 * SQLite takes "x" for the string 'x' when there is no column x, so columns are always
 * qualified (sql_build.c), where that rule does not hold. LIKE ignores letter case and cannot be
 * told otherwise for one statement, hence instr() and substr(). */
#include <sqlite3.h>
#include <string.h>

#include "dialect.h"

static void sqlite_ident(aur_sql_buf_t *q, const char *name)
{
    aur_sql_quoted(q, name, "\"");
}

static void sqlite_placeholder(aur_sql_buf_t *q, int n, aur_type_e type)
{
    aur_sql_text(q, "?");
}

static int sqlite_can(aur_sql_feature_e feature)
{
    switch (feature) {
    case AUR_SQL_CAN_RIGHT_JOIN:
    case AUR_SQL_CAN_FULL_JOIN:
    case AUR_SQL_CAN_HAVING_ALONE:
        return sqlite3_libversion_number() >= 3039000;
    }
    return 0;
}

static void sqlite_direction(aur_sql_buf_t *q, int descending, int nulls_first)
{
    if (descending) {
        aur_sql_text(q, " DESC");
    }
    /* SQLite's own order has NULL before everything: said only where it differs, which leaves the
     * planner its plainest path. */
    if (!descending && !nulls_first) {
        aur_sql_text(q, " NULLS LAST");
    }
    else if (descending && nulls_first) {
        aur_sql_text(q, " NULLS FIRST");
    }
}

static void sqlite_page(aur_sql_buf_t *q, apr_int64_t limit, apr_int64_t offset)
{
    if (limit < 0 && offset <= 0) {
        return;
    }
    aur_sql_text(q, " LIMIT ");
    aur_sql_bind_int(q, limit < 0 ? -1 : limit);
    if (offset > 0) {
        aur_sql_text(q, " OFFSET ");
        aur_sql_bind_int(q, offset);
    }
}

const aur_dialect_t aur_dialect_sqlite = {
    .driver = "sqlite3",
    .ident = sqlite_ident,
    .placeholder = sqlite_placeholder,
    .can = sqlite_can,
    .direction = sqlite_direction,
    .page = sqlite_page,
    .contains = "instr($l, $v) > 0",
    .not_contains = "instr($l, $v) = 0",
    .starts_with = "substr($l, 1, length($v)) = $v",
    .ends_with = "substr($l, -length($v)) = $v",
    .is_empty = "($l IS NULL OR $l = '')",
    .is_not_empty = "($l IS NOT NULL AND $l <> '')",
    .fold = "aurora_fold($l)",
    .never = "0 = 1",
    .lexis = AUR_LEX_NAMES | AUR_LEX_QUESTION,
};
