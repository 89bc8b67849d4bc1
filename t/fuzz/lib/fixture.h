/* fixture.h - the tables that requests and catalogue files are checked against. */
#ifndef AURORA_FUZZ_FIXTURE_H
#define AURORA_FUZZ_FIXTURE_H

#include "aurora/catalog.h"

/** A builder with the tables, from p. Their data types are those of several databases. */
aur_catalog_builder_t *fixture_tables(apr_pool_t *p);
/** A SQLite in memory with the same tables, without rows; made once. */
struct sqlite3 *fixture_db(void);
/** A catalogue file over them: hidden columns, partitions, default sorting. */
extern const char fixture_file[];
/** Is this the name of one of the tables, their schemas or their columns? */
int fixture_has_name(const char *name);

#endif
