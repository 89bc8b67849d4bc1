/* dialect.h - what differs from database to database when a plan becomes SQL. A dialect is one
 * constant table in a file of its own; sql_build.c is the only reader.
 *
 * Templates are literals of our sources. In those of a rule $l stands for what is left of the operator
 * (folded where the rule ignores case), $c for the column or aggregation as it is, $v for a
 * placeholder, $h for one of the upper end of between, $w for all of the rule's in parentheses, and $p,
 * $b and $e for one whose value is a LIKE pattern: the text with anything before and behind, behind,
 * or before it, its own wildcards escaped by '|'. Each placeholder binds the value once more. $n before a
 * literal makes it one of the column's own character set (`national`). In those of a column there is $l alone. */
#ifndef AURORA_DIALECT_H
#define AURORA_DIALECT_H

#include "aurora/sql_text.h"
#include "sql_scan.h"

typedef enum {
    AUR_SQL_CAN_RIGHT_JOIN,
    AUR_SQL_CAN_FULL_JOIN,   /* where not, one of them is put together from two other joins */
    AUR_SQL_CAN_HAVING_ALONE /* HAVING without GROUP BY */
} aur_sql_feature_e;

struct aur_dialect_t {
    const char *driver; /* apr-util's name */
    /* Quote a name so that it can be nothing but that name. */
    void (*ident)(aur_sql_buf_t *q, const char *name);
    /* The n-th placeholder, counted from 1. */
    void (*placeholder)(aur_sql_buf_t *q, int n, aur_type_e type);
    int (*can)(aur_sql_feature_e feature);
    /* One key of an ORDER BY; the expression stands there already. */
    void (*direction)(aur_sql_buf_t *q, int descending, int nulls_first);
    /* The end of a statement; offset 0 may be left out, limit < 0 is none. */
    void (*page)(aur_sql_buf_t *q, apr_int64_t limit, apr_int64_t offset);
    /* NULL, or what goes before a statement that `page` ends, where a page needs that: the statement has
     * columns c0 …, or (noutputs 0) nobody knows which; then it can pass over no rows. */
    void (*page_before)(aur_sql_buf_t *q, int noutputs, apr_int64_t limit, apr_int64_t offset);
    /* The next two may be NULL: for databases that compare all their types as the contract does. */
    /* How a column stands in a rule, an aggregation or a join with a column of another type: a
     * template with $l ("$l::text"), or NULL: as it is. */
    const char *(*operand)(const aur_column_t *column);
    /* What follows each placeholder of a comparison, between or in, so that the column can stay as it
     * is and its index be of use ("::uuid"); NULL: nothing, and `operand` counts. */
    const char *(*value_cast)(const aur_column_t *column, const aur_plan_expr_t *rule);
    /* The following may all be NULL or 0: for databases that need none of it. */
    /* How a column stands in is_empty and is_not_empty, where `operand` will not do. */
    const char *(*content)(const aur_column_t *column);
    /* How a column stands in the select list, so that its value comes out whole. */
    const char *(*output)(const aur_column_t *column);
    /* Texts that differ may be equal to the database (letter case, blanks at the end): columns are
     * compared, grouped, counted and joined by `operand`, which tells them apart. */
    int exact;
    /* A text of no characters is NULL to the database: no value equals it, and all that are not NULL differ
     * from it and come after it. Rules that compare with one are written so. */
    int empty_is_null;
    /* Has the column texts of the database's second, national character set? Values that are compared with it have to
     * be of that, too (aur_bind_t's column says so to the backend). */
    int (*national)(const aur_column_t *column);
    /* What an order is made by, where the column itself will not do. */
    const char *(*sort_key)(const aur_column_t *column);
    /* A condition that holds wherever the rule does, made for the column's index; the rule follows. */
    const char *(*narrow)(const aur_column_t *column, const aur_plan_expr_t *rule);
    /* May the same be done for two columns of a join: compared as they are, and then exactly? */
    int (*narrow_pair)(const aur_column_t *left, const aur_column_t *right);
    /* The key that goes before one of an ORDER BY, so that NULLs stand where they should: a template
     * with $l, or NULL where they do by themselves. */
    const char *(*null_key)(int descending, int nulls_first);
    /* How a column stands where the greatest of its values is looked for and compared with; NULL: by
     * `operand`. For columns whose index is of use to that, while `operand` would be in its way. */
    const char *(*greatest)(const aur_column_t *column);
    /* The greatest value that meets a condition is asked for as the first of a descending order: max()
     * would read all rows that meet it. */
    int greatest_first;
    const char *contains, *not_contains, *starts_with, *ends_with; /* letter case counts */
    const char *is_empty, *is_not_empty;
    const char *fold;  /* $l in lower case, by the rules of aur_casefold */
    const char *never; /* a condition that no row meets */
    int lexis;         /* AUR_LEX_* of sql_scan.h */
};

/** Write a name between quotes, with what it holds of them doubled: the one place where a name becomes
 * text of a statement.
 * @param special  the quote, then whatever else has to be doubled (apr_dbd's percent sign) */
void aur_sql_quoted(aur_sql_buf_t *q, const char *name, const char *special);

/* Members that several dialects have in common. */
int aur_dialect_can_all(aur_sql_feature_e feature);
/** For databases whose own order has NULL after everything: said only where it differs, so that a plain index
 * gives the order. */
void aur_dialect_nulls_last(aur_sql_buf_t *q, int descending, int nulls_first);
/** The page of the SQL standard, as digits: a bound number would hide from an optimizer that few rows are
 * wanted. */
void aur_dialect_page_fetch(aur_sql_buf_t *q, apr_int64_t limit, apr_int64_t offset);

extern const aur_dialect_t aur_dialect_sqlite;
extern const aur_dialect_t aur_dialect_pgsql;
extern const aur_dialect_t aur_dialect_mysql;
extern const aur_dialect_t aur_dialect_oracle;     /* 12.1 and later */
extern const aur_dialect_t aur_dialect_oracle_old; /* before: pages by ROWNUM */
extern const aur_dialect_t aur_dialect_ansi;       /* drivers that have none of their own */

#endif
