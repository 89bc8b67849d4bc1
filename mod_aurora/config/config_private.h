/* config_private.h - between the files of config/: the rows of the table as data, and values. */
#ifndef AURORA_CONFIG_PRIVATE_H
#define AURORA_CONFIG_PRIVATE_H

#include "aurora/config.h"
#include "config/config_table.h"

/* How a value is written. */
typedef enum {
    AUR_K_NAME,
    AUR_K_SECRET,
    AUR_K_COUNT,
    AUR_K_SIZE,
    AUR_K_TIME,
    AUR_K_FLAG,
    AUR_K_GOVERNANCE,
    AUR_K_PATH,
    AUR_K_EXPR,
    AUR_K_RATE,
    AUR_K_THRESHOLD,
    AUR_K_CLIENT_RATE,
    AUR_K_SCHEMAS, /* the lists come word by word */
    AUR_K_LIST,
    AUR_K_ORIGINS
} aur_kind_e;

typedef enum {
#define AUR_X(id, ...) AUR_SET_##id,
    AUR_SERVER_SETTINGS(AUR_X) AUR_LOCATION_SETTINGS(AUR_X)
#undef AUR_X
        AUR_SET_COUNT
} aur_setting_e;

typedef struct aur_setting_t {
    const char *directive;
    aur_kind_e kind;
    const char *environment; /* NULL when none */
    apr_int64_t min, max;
    const char *initial; /* the default as written; NULL when none */
} aur_setting_t;

extern const aur_setting_t aur_settings[AUR_SET_COUNT];

/* A value that was read. Never changed once it stands in a configuration, lists excepted while their
 * directive is still being read. */
typedef struct aur_value_t {
    apr_int64_t number; /* COUNT SIZE TIME FLAG GOVERNANCE THRESHOLD */
    apr_int64_t csv;    /* THRESHOLD: csv=; 0 when not given */
    const char *text;   /* NAME SECRET PATH */
    apr_array_header_t *list;
    const ap_expr_info_t *expr;
    aur_rate_t rate;
} aur_value_t;

/* One per server and one per section that names an Aurora directive. NULL: not set there. */
typedef struct aur_values_t {
    const aur_value_t *value[AUR_SET_COUNT];
    const aur_server_t *server; /* complete; in server configurations, once checked */
} aur_values_t;

/* A section, or a server's own level, that says how fast exports may or must be. */
typedef struct aur_pace_t {
    const aur_values_t *values;
    const server_rec *s;
    int is_section;
    const char *file; /* where it says so */
    int line;
} aur_pace_t;

/* Of aur_pace_t, in the configuration's order; reset by aur_config_pre. */
extern apr_array_header_t *aur_config_paces;

/** Read one value from its words.
 * @param p  owns *value and what it points to
 * @return NULL, or the whole message: directive, value and what is allowed */
const char *aur_setting_read(aur_value_t **value, const aur_setting_t *set, const char *name,
                             int nwords, const char *const *words, apr_pool_t *p,
                             apr_pool_t *ptemp);
/** Add one word to the value of a list. @return as aur_setting_read */
const char *aur_setting_add(aur_value_t *value, const aur_setting_t *set, const char *name,
                            const char *word, apr_pool_t *p);
/** Read a value as it stands in an environment variable or in the table: one string. */
const char *aur_setting_read_line(aur_value_t **value, const aur_setting_t *set, const char *name,
                                  const char *line, apr_pool_t *p, apr_pool_t *ptemp);

/** Values that hold where no directive says otherwise: environment, else default. NULL before the
 * check; entries are NULL where there is neither. */
extern const aur_values_t *aur_config_fallback;
/** Has any Aurora directive been read in this configuration? */
extern int aur_config_used;

/** Lay values over the fallback and write the plain structs. */
void aur_config_fill_server(aur_server_t *out, const aur_values_t *values, apr_pool_t *p);
void aur_config_fill_location(aur_location_t *out, const aur_values_t *values);
/** What holds in a section of the server. Complete once virtual hosts have been merged. */
void aur_config_fill_section(aur_location_t *out, const server_rec *s, const aur_values_t *section,
                             apr_pool_t *p);

/* --- config_reports.c --- */
/** Check the reports of the server's catalogue file and compile their expressions.
 * @return what is wrong with one of them, or NULL */
const char *aur_config_reports(aur_server_t *server, apr_pool_t *pconf, apr_pool_t *ptemp);

#endif
