/* report_rules.h - what the named reports of a catalogue file may become. */
#ifndef AURORA_FUZZ_REPORT_RULES_H
#define AURORA_FUZZ_REPORT_RULES_H

#include "aurora/catalog.h"
#include "fuzz.h"

/** Run every report up to its statements, in each dialect and for one caller, without values, with hostile
 * ones and with those of a trial; aborts where a report that was accepted becomes anything else than what it
 * says.
 * @param view  of that caller
 * @param text  the file */
void report_check_all(const aur_catalog_file_t *file, const aur_catalog_t *view, fuzz_text_t text,
                      apr_pool_t *p);

#endif
