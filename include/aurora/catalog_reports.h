/* catalog_reports.h - the named reports of a catalogue file, as they are written there.
 *
 * Read and checked with the file; what needs to know the grammar of requests is checked by
 * query_report.h, what needs to know a database's SQL by sql.h. Never changes afterwards: any
 * number of threads may read it. */
#ifndef AURORA_CATALOG_REPORTS_H
#define AURORA_CATALOG_REPORTS_H

#include <jansson.h>

#include "aurora/catalog.h"

#define AUR_REPORT_NAME_MAX   64   /* bytes of a report's or a parameter's name */
#define AUR_REPORT_VALUES_MAX 1000 /* of one parameter */

typedef enum {
    AUR_PARAM_TEXT,
    AUR_PARAM_NUMBER,
    AUR_PARAM_DATE,
    AUR_PARAM_TIMESTAMP,
    AUR_PARAM_CHOICE
} aur_param_e;

typedef struct aur_report_param_t {
    const char *name;         /* a letter or '_', then letters, digits and '_' */
    const char *display_name; /* name where the file gives none */
    aur_param_e type;
    int required;
    int multiple;     /* it may be given several times */
    int ndefaults;    /* 0: none; several only where it may have several */
    int default_list; /* the file has them as a list */
    const char *const *defaults;
    int nchoices; /* of AUR_PARAM_CHOICE alone */
    const char *const *choices;
    const char *expr; /* not NULL: its value is this expression's, and nobody can give another */
} aur_report_param_t;

typedef struct aur_report_t {
    const char *pointer; /* where it stands in the file */
    const char *name;
    const char *display_name; /* name where the file gives none */
    const char *description;  /* NULL when none */
    const char *const *roles; /* one of them shows it; NULL-terminated; NULL: everybody sees it */
    int nparams;
    const aur_report_param_t *params;
    /* exactly one of them: */
    const json_t *query; /* a stored request; only read, never counted: it is the pool's */
    const char *sql;     /* hand-written */
} aur_report_t;

/** How many reports there are, and each of them in the file's order.
 * @param file  NULL: there are none */
int aur_reports_count(const aur_catalog_file_t *file);
const aur_report_t *aur_reports_get(const aur_catalog_file_t *file, int index);
/** Names are compared byte by byte. @return NULL when there is none */
const aur_report_t *aur_reports_find(const aur_catalog_file_t *file, const char *name);
/** @return a parameter's index, -1 when there is none of that name */
int aur_report_param(const aur_report_t *report, const char *name, apr_size_t len);
/** "number", "text", … Static storage. */
const char *aur_param_name(aur_param_e type);

#endif
