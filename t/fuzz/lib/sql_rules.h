/* sql_rules.h - what a statement that a plan became may consist of. */
#ifndef AURORA_FUZZ_SQL_RULES_H
#define AURORA_FUZZ_SQL_RULES_H

#include "sql_tokens.h"

/** Build a plan over the fixture's tables; aborts where the statement has other words, texts or names than ours
 * and the fixture's, where its parentheses do not match, and where a bind is no value of its type.
 * @return NULL where the dialect refuses it */
const aur_sql_t *sql_ours(const char *driver, const aur_plan_t *plan, aur_sql_e kind,
                          apr_pool_t *p);

#endif
