/* config.c - directives: command_rec rows, merging, and the plain structs the rest reads.
 * Everything is made from config_table.h. Configuration is read by one thread, before the fork. */
#include "config/config_private.h"

#include <http_core.h>
#include <http_log.h>
#include <apr_strings.h>

APLOG_USE_MODULE(aurora);

const aur_values_t *aur_config_fallback;
int aur_config_used;
apr_array_header_t *aur_config_paces;

const aur_setting_t aur_settings[AUR_SET_COUNT] = {
#define AUR_X(id, directive, kind, field, env, min, max, initial, ...)                             \
    [AUR_SET_##id] = {directive, AUR_K_##kind, env, min, max, initial},
    AUR_SERVER_SETTINGS(AUR_X) AUR_LOCATION_SETTINGS(AUR_X)
#undef AUR_X
};

/* --- directives ------------------------------------------------------------------------------- */

static int is_server_setting(const aur_setting_t *set)
{
    switch ((aur_setting_e)(set - aur_settings)) {
#define AUR_X(id, ...) case AUR_SET_##id:
        AUR_SERVER_SETTINGS(AUR_X)
#undef AUR_X
        return 1;
    default:
        return 0;
    }
}

/* Where a directive's value goes: settings of a server to the server's configuration, the others to
 * the section's, which at server level is the base of all sections. */
static aur_values_t *values_of(cmd_parms *cmd, void *dir)
{
    aur_config_used = 1;
    return is_server_setting(cmd->info)
               ? ap_get_module_config(cmd->server->module_config, &aurora_module)
               : dir;
}

/* Speeds can contradict each other in every section: aur_config_check looks at those that name one. */
static void note_pace(const cmd_parms *cmd, const aur_setting_t *set, const aur_values_t *values)
{
    if (set == &aur_settings[AUR_SET_MIN_DRAIN] || set == &aur_settings[AUR_SET_EXPORT_BANDWIDTH]) {
        APR_ARRAY_PUSH(aur_config_paces, aur_pace_t) =
            (aur_pace_t){values, cmd->server, cmd->path != NULL, cmd->directive->filename,
                         cmd->directive->line_num};
    }
}

static const char *set_words(cmd_parms *cmd, void *dir, int nwords, const char *const *words)
{
    const aur_setting_t *set = cmd->info;
    aur_values_t *values = values_of(cmd, dir);
    aur_value_t *value;
    const char *wrong =
        aur_setting_read(&value, set, set->directive, nwords, words, cmd->pool, cmd->temp_pool);
    if (!wrong) {
        values->value[set - aur_settings] = value;
        note_pace(cmd, set, values);
    }
    return wrong;
}

static const char *set_TAKE1(cmd_parms *cmd, void *dir, const char *a)
{
    return set_words(cmd, dir, 1, &a);
}

static const char *set_TAKE12(cmd_parms *cmd, void *dir, const char *a, const char *b)
{
    const char *words[] = {a, b};
    return set_words(cmd, dir, b ? 2 : 1, words);
}

static const char *set_TAKE123(cmd_parms *cmd, void *dir, const char *a, const char *b,
                               const char *c)
{
    const char *words[] = {a, b, c};
    return set_words(cmd, dir, c ? 3 : b ? 2 : 1, words);
}

/* Words of one section add up, whether on one line or several; a section's list replaces that of the
 * section around it. */
static const char *set_ITERATE(cmd_parms *cmd, void *dir, const char *word)
{
    const aur_setting_t *set = cmd->info;
    aur_values_t *values = values_of(cmd, dir);
    const aur_value_t *old = values->value[set - aur_settings];
    aur_value_t *value = apr_pcalloc(cmd->pool, sizeof(*value));

    value->list = old ? old->list : NULL;
    values->value[set - aur_settings] = value;
    return aur_setting_add(value, set, set->directive, word, cmd->pool);
}

/* What of httpd's directive shapes a kind of value takes. */
#define HOW_NAME        TAKE1
#define HOW_SECRET      TAKE1
#define HOW_COUNT       TAKE1
#define HOW_SIZE        TAKE1
#define HOW_TIME        TAKE1
#define HOW_FLAG        TAKE1
#define HOW_GOVERNANCE  TAKE1
#define HOW_PATH        TAKE1
#define HOW_EXPR        TAKE1
#define HOW_RATE        TAKE1
#define HOW_THRESHOLD   TAKE12
#define HOW_CLIENT_RATE TAKE123
#define HOW_SCHEMAS     ITERATE
#define HOW_LIST        ITERATE
#define HOW_ORIGINS     ITERATE

#define ROW__(how, directive, id, where, help)                                                     \
    AP_INIT_##how(directive, set_##how, (void *)&aur_settings[AUR_SET_##id], where, help),
#define ROW_(how, directive, id, where, help) ROW__(how, directive, id, where, help)

const command_rec aur_config_commands[] = {
#define AUR_X(id, directive, kind, field, env, min, max, initial, syntax, what, help)              \
    ROW_(HOW_##kind, directive, id, RSRC_CONF, syntax " - " what)
    AUR_SERVER_SETTINGS(AUR_X)
#undef AUR_X
#define AUR_X(id, directive, kind, field, env, min, max, initial, syntax, what, help)              \
    ROW_(HOW_##kind, directive, id, RSRC_CONF | ACCESS_CONF, syntax " - " what)
        AUR_LOCATION_SETTINGS(AUR_X)
#undef AUR_X
            {NULL}};

/* --- create and merge --------------------------------------------------------------------------- */

void *aur_config_server_create(apr_pool_t *p, server_rec *s)
{
    return apr_pcalloc(p, sizeof(aur_values_t));
}

void *aur_config_dir_create(apr_pool_t *p, char *dir)
{
    return apr_pcalloc(p, sizeof(aur_values_t));
}

static void *merge(apr_pool_t *p, const aur_values_t *base, const aur_values_t *add)
{
    aur_values_t *both = apr_pcalloc(p, sizeof(*both));
    int i;
    for (i = 0; i < AUR_SET_COUNT; i++) {
        both->value[i] = add->value[i] ? add->value[i] : base->value[i];
    }
    return both;
}

void *aur_config_server_merge(apr_pool_t *p, void *base, void *add)
{
    return merge(p, base, add);
}

void *aur_config_dir_merge(apr_pool_t *p, void *base, void *add)
{
    return merge(p, base, add);
}

/* --- plain structs ------------------------------------------------------------------------------ */

static const aur_value_t *effective(const aur_values_t *values, int id)
{
    return values && values->value[id] ? values->value[id] : aur_config_fallback->value[id];
}

/* The kinds whose field takes the value as it is; the others are placed by hand below. */
#define FILL_NAME(to, v)        (to) = (v)->text
#define FILL_COUNT(to, v)       (to) = (v)->number
#define FILL_SIZE(to, v)        (to) = (v)->number
#define FILL_TIME(to, v)        (to) = (v)->number
#define FILL_FLAG(to, v)        (to) = (v)->number != 0
#define FILL_GOVERNANCE(to, v)  (to) = (v)->number != 0
#define FILL_EXPR(to, v)        (to) = (v)->expr
#define FILL_RATE(to, v)        (to) = (v)->rate
#define FILL_CLIENT_RATE(to, v) (to) = (v)->rate
#define FILL_LIST(to, v)        (to) = (v)->list
#define FILL_ORIGINS(to, v)     (to) = (v)->list
#define FILL_SECRET(to, v)      (void)0
#define FILL_PATH(to, v)        (void)0
#define FILL_SCHEMAS(to, v)     (void)0
#define FILL_THRESHOLD(to, v)   (void)0

#define AUR_X(id, directive, kind, field, ...)                                                     \
    v = effective(values, AUR_SET_##id);                                                           \
    if (v) {                                                                                       \
        FILL_##kind(out->field, v);                                                                \
    }

/* NULL-terminated, as db/ takes it. */
static const char *const *names(const apr_array_header_t *list, apr_pool_t *p)
{
    const char **out;
    if (!list) {
        return NULL;
    }
    out = apr_pcalloc(p, ((apr_size_t)list->nelts + 1) * sizeof(*out));
    memcpy(out, list->elts, (apr_size_t)list->nelts * sizeof(*out));
    return out;
}

void aur_config_fill_server(aur_server_t *out, const aur_values_t *values, apr_pool_t *p)
{
    const aur_value_t *v;
    memset(out, 0, sizeof(*out));
    AUR_SERVER_SETTINGS(AUR_X)
    v = effective(values, AUR_SET_SCHEMAS);
    out->db.schemas = v ? names(v->list, p) : NULL;
    v = effective(values, AUR_SET_CATALOG);
    out->catalog_path = v ? v->text : NULL;
    v = effective(values, AUR_SET_DB_PARAMS);
    out->db.params = v ? v->text : NULL;
}

void aur_config_fill_location(aur_location_t *out, const aur_values_t *values)
{
    const aur_value_t *v;
    memset(out, 0, sizeof(*out));
    AUR_LOCATION_SETTINGS(AUR_X)
    v = effective(values, AUR_SET_EXPLAIN_THRESHOLD);
    out->explain_threshold = v ? v->number : 0;
    out->explain_threshold_csv = v ? v->csv : 0;
}

void aur_config_fill_section(aur_location_t *out, const server_rec *s, const aur_values_t *section,
                             apr_pool_t *p)
{
    const aur_values_t *base = ap_get_module_config(s->lookup_defaults, &aurora_module);

    aur_config_fill_location(out, section ? merge(p, base, section) : base);
}

const aur_server_t *aur_config_server(const server_rec *s)
{
    const aur_values_t *values = ap_get_module_config(s->module_config, &aurora_module);
    return values->server;
}

const aur_location_t *aur_config_location(request_rec *r)
{
    aur_location_t *out = apr_palloc(r->pool, sizeof(*out));
    aur_config_fill_location(out, ap_get_module_config(r->per_dir_config, &aurora_module));
    return out;
}
