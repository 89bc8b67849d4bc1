/* sql_written.h - the administrator's own SQL as a statement. */
#ifndef AURORA_SQL_WRITTEN_H
#define AURORA_SQL_WRITTEN_H

#include "dialect.h"

/** As aur_sql_build, for a plan whose `written` is set. Each :name becomes a placeholder, and one
 * for each value of a list; where a parameter has no value it is NULL.
 * @return APR_EGENERAL with err: BAD_REQUEST where it is not one SELECT, or holds what it must not */
apr_status_t aur_sql_written(aur_sql_t **sql, const aur_dialect_t *dialect, const aur_plan_t *plan,
                             aur_sql_e kind, aur_error_t *err, apr_pool_t *p);

#endif
