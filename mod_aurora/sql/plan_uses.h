/* plan_uses.h - which columns a plan has need of. */
#ifndef AURORA_PLAN_USES_H
#define AURORA_PLAN_USES_H

#include "aurora/query.h"

/** Does anything but the joins up to that of table `joined` name the column? Restrictions of single
 * tables do not count: they are met before any join. */
int aur_plan_uses(const aur_plan_t *plan, int joined, const aur_column_ref_t *column);

#endif
