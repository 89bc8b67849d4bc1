/* written_rules.h - hand-written SQL read a second time, as far as placeholders go, by each database's own rules of
 * literals, quoted names and comments. */
#ifndef AURORA_FUZZ_WRITTEN_RULES_H
#define AURORA_FUZZ_WRITTEN_RULES_H

#include "aurora/sql.h"

/** Abort where a statement has a placeholder inside anything quoted or a comment, where one of these has no end,
 * or where the database would see another number of placeholders than there are binds. SQLite is asked itself. */
void written_check_placeholders(const char *driver, const aur_sql_t *sql);

#endif
