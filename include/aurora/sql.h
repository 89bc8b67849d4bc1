/* sql.h - a plan as SQL text and binds, one dialect per database.
 *
 * Text reaches the statement by three roads only: literals of our own sources, identifiers from the
 * catalogue quoted by the dialect, and placeholders. Values travel beside the text. A plan of
 * hand-written SQL has a fourth: that text, which is the administrator's, with placeholders where it
 * names parameters. */
#ifndef AURORA_SQL_H
#define AURORA_SQL_H

#include <apr_pools.h>

#include "aurora/cell.h"
#include "aurora/error.h"
#include "aurora/query.h"

typedef struct aur_dialect_t aur_dialect_t;

typedef struct aur_bind_t {
    aur_cell_t cell; /* INT, DECIMAL, TEXT, BOOL, DATE, TIMESTAMP; text lives as long as the plan */
    aur_type_e type; /* of the column it is compared with */
    const aur_column_t *
        column; /* that column, or the one whose minimum or maximum it is; NULL: none, or not known */
} aur_bind_t;

typedef struct aur_sql_t {
    const char
        *text; /* NUL-terminated; for drivers without a cursor of their own in apr_dbd_prepare's
                         format: placeholders are %s, a percent sign is %% */
    apr_size_t len;
    int nbinds;
    const aur_bind_t *binds; /* in the order of the placeholders */
    apr_int64_t rows_max;    /* it gives no more rows than this; 0: not known */
    int ncolumns;            /* 0: not known before it runs */
    const aur_result_column_t *columns;
} aur_sql_t;

typedef enum {
    AUR_SQL_PAGE,         /* sorted, with the plan's limit and offset */
    AUR_SQL_ALL,          /* sorted, every row */
    AUR_SQL_COUNT,        /* one number: rows of ALL */
    AUR_SQL_COUNT_BOUNDED /* one number: rows of ALL, counted no further than the plan's limit */
} aur_sql_e;

/** The dialect that goes with an apr-util driver name ("sqlite3", "pgsql", "mysql", …): its own, or the
 * common one; NULL without a name. Static storage. */
const aur_dialect_t *aur_dialect_get(const char *driver);

/** The dialect of an Oracle server of that version (major, minor, update; major 0: not known). */
const aur_dialect_t *aur_dialect_oracle_for(const int version[3]);

/** Is it a column of Oracle's national character set, NVARCHAR2 or NCHAR? */
int aur_oracle_national(const aur_column_t *column);

/** Build one statement. Never fails for a plan that aur_query_plan made and the dialect can express.
 * @return APR_SUCCESS; APR_EGENERAL with err (BAD_REQUEST) where the database cannot do what was asked, or
 *         hand-written SQL is not what it has to be (that depends on the plan's parameters alone, not on their
 *         values) */
apr_status_t aur_sql_build(aur_sql_t **sql, const aur_dialect_t *dialect, const aur_plan_t *plan,
                           aur_sql_e kind, aur_error_t *err, apr_pool_t *p);

#endif
