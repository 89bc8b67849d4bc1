/* config_check.c - what `configtest` finds wrong: environment, settings that contradict each other,
 * the file with the secret, the catalogue file, the database itself. Runs once per configuration
 * in the parent; every problem is reported, not just the first. */
#include "config/config_private.h"

#include "aurora/row_filter.h"

#include <http_log.h>
#include <apr_file_io.h>
#include <apr_lib.h>
#include <apr_strings.h>

APLOG_USE_MODULE(aurora);

#define SECRET_MAX 16384

typedef struct check_t {
    apr_pool_t *pconf, *ptemp;
    server_rec *s; /* the one looked at */
    int failed;
} check_t;

__attribute__((format(printf, 2, 3))) static void fail(check_t *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_CRIT, 0, c->s, AURLOG(1001) "%s",
                 apr_pvsprintf(c->ptemp, fmt, ap));
    va_end(ap);
    c->failed = 1;
}

/* --- environment and defaults ----------------------------------------------------------------- */

static const aur_value_t *fallback_value(check_t *c, const aur_setting_t *set)
{
    const char *env = set->environment ? getenv(set->environment) : NULL;
    const char *wrong;
    aur_value_t *value;

    if (env && *env) {
        wrong = aur_setting_read_line(&value, set, set->environment, env, c->pconf, c->ptemp);
    }
    else if (set->initial) {
        wrong =
            aur_setting_read_line(&value, set, set->directive, set->initial, c->pconf, c->ptemp);
    }
    else {
        return NULL;
    }
    if (wrong) {
        fail(c, "%s", wrong);
    }
    return value;
}

/* An environment variable counts whether or not a directive hides it somewhere: what is set has to
 * be right. */
static void read_fallback(check_t *c)
{
    aur_values_t *values = apr_pcalloc(c->pconf, sizeof(*values));
    int i;
    for (i = 0; i < AUR_SET_COUNT; i++) {
        values->value[i] = fallback_value(c, &aur_settings[i]);
    }
    aur_config_fallback = values;
}

static int given(const aur_values_t *values, int id)
{
    const char *env = aur_settings[id].environment ? getenv(aur_settings[id].environment) : NULL;
    return values->value[id] || (env && *env);
}

static const char *spelling(const aur_values_t *values, int id)
{
    return values->value[id] ? aur_settings[id].directive : aur_settings[id].environment;
}

/* --- settings against each other -------------------------------------------------------------- */

/* What was asked for has to fit; a default gives way. */
static void check_pool(check_t *c, aur_db_settings_t *db, const aur_values_t *values)
{
    if (db->pool_min > db->pool_max) {
        if (given(values, AUR_SET_POOL_MIN)) {
            fail(c, "%s: '%d' is not allowed; a whole number from 0 to %d (AuroraPoolMax)",
                 spelling(values, AUR_SET_POOL_MIN), db->pool_min, db->pool_max);
        }
        db->pool_min = db->pool_max;
    }
    if (db->pool_max == 1 && db->pool_reserve == 1) {
        db->pool_reserve = 0;
    }
    if (db->pool_reserve >= db->pool_max) {
        fail(c,
             "AuroraPoolReserve: '%d' is not allowed; a whole number from 0 to %d, less than "
             "AuroraPoolMax",
             db->pool_reserve, db->pool_max - 1);
    }
}

/* Does it hold anywhere in this pace's reach that exports are slower than clients must be? The main server's
 * sections reach into virtual hosts. */
static int too_slow(aur_location_t *found, const check_t *c, const aur_pace_t *pace)
{
    const server_rec *s;

    for (s = c->s; s; s = s->next) {
        if (s != pace->s && (!pace->is_section || pace->s != c->s)) {
            continue;
        }
        aur_config_fill_section(found, s, pace->is_section ? pace->values : NULL, c->ptemp);
        if (found->export_bandwidth > 0 && found->min_drain >= found->export_bandwidth * 1024) {
            return 1;
        }
    }
    return 0;
}

/* Each section once, however many of the directives it has. */
static void check_paces(const check_t *c)
{
    const aur_pace_t *paces = (const aur_pace_t *)aur_config_paces->elts;
    int i, k;

    for (i = 0; i < aur_config_paces->nelts; i++) {
        aur_location_t found;
        for (k = i + 1; k < aur_config_paces->nelts && paces[k].values != paces[i].values; k++) {
        }
        if (k == aur_config_paces->nelts && too_slow(&found, c, &paces[i])) {
            ap_log_error(APLOG_MARK, APLOG_WARNING, 0, c->s,
                         AURLOG(1002) "%s line %d: AuroraExportBandwidth %" APR_INT64_T_FMT
                                      " sends no more than %" APR_INT64_T_FMT
                                      " bytes a second, and AuroraMinDrain %" APR_INT64_T_FMT
                                      " ends exports of clients that take fewer: exports of more "
                                      "than half a minute will fail",
                         paces[i].file, paces[i].line, found.export_bandwidth,
                         found.export_bandwidth * 1024, found.min_drain);
        }
    }
}

/* --- the parameter string --------------------------------------------------------------------- */

/* One line of a file that only its owner may read. Its content appears in no message. */
static const char *read_secret(check_t *c, const char *path)
{
    apr_file_t *file;
    apr_finfo_t info;
    apr_size_t len = SECRET_MAX + 1;
    char *text = NULL;
    const char *wrong = NULL;
    apr_status_t rv = apr_file_open(&file, path, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, c->ptemp);

    if (rv == APR_SUCCESS) {
        rv = apr_file_info_get(&info, APR_FINFO_PROT | APR_FINFO_TYPE, file);
        if (rv == APR_SUCCESS && info.filetype != APR_REG) {
            wrong = "is not a file";
        }
        else if (rv == APR_SUCCESS && (info.protection & (APR_FPROT_GREAD | APR_FPROT_GWRITE |
                                                          APR_FPROT_WREAD | APR_FPROT_WWRITE))) {
            wrong = "may be read or written by others than its owner (chmod 600)";
        }
        else if (rv == APR_SUCCESS) {
            text = apr_palloc(c->pconf, len + 1);
            rv = apr_file_read_full(file, text, len, &len);
            rv = APR_STATUS_IS_EOF(rv) ? APR_SUCCESS : rv;
        }
        apr_file_close(file);
    }
    if (rv != APR_SUCCESS) {
        char buf[120];
        fail(c, "AuroraDBParams: file %s: %s", path, apr_strerror(rv, buf, sizeof(buf)));
        return NULL;
    }
    if (text) {
        while (len && (text[len - 1] == '\n' || text[len - 1] == '\r')) {
            len--;
        }
        text[len] = '\0';
        wrong = !len                            ? "is empty"
                : len > SECRET_MAX              ? "is too large"
                : strlen(text) != len           ? "holds a NUL byte"
                : strpbrk(text, "\r\n") != NULL ? "holds more than one line"
                                                : NULL;
    }
    if (wrong) {
        fail(c, "AuroraDBParams: file %s %s", path, wrong);
        return NULL;
    }
    return text;
}

static void resolve_params(check_t *c, aur_db_settings_t *db)
{
    const char *params = db->params, *path;
    if (params && !strncmp(params, "file:", 5)) {
        path = ap_server_root_relative(c->pconf, params + 5);
        params = path ? read_secret(c, path) : NULL;
        if (!path) {
            fail(c, "AuroraDBParams: file: is not followed by a path");
        }
    }
    if (params && db->driver && !strcmp(db->driver, "sqlite3")) {
        path = ap_server_root_relative(c->pconf, params);
        if (!path) {
            fail(c, "AuroraDBParams: not a path of a database file");
        }
        params = path;
    }
    db->params = params;
}

/* --- one server ------------------------------------------------------------------------------- */

/* An expression of a row filter. What it reads of the request is nobody's business: no Vary. */
static const char *compile(const void **expr, void *ctx, const char *text, apr_pool_t *p)
{
    check_t *c = ctx;
    ap_expr_info_t *info = apr_pcalloc(p, sizeof(*info));

    info->filename = "AuroraCatalog"; /* shown where evaluating it fails */
    info->flags = AP_EXPR_FLAG_STRING_RESULT | AP_EXPR_FLAG_DONT_VARY;
    info->module_index = APLOG_MODULE_INDEX;
    *expr = info;
    return ap_expr_parse(p, c->ptemp, info, text, NULL);
}

static void check_catalog(check_t *c, aur_server_t *server)
{
    aur_expr_compiler_t compiler = {compile, c};
    aur_error_t err;
    aur_catalog_file_t *file = NULL;
    const char *path, *wrong;

    if (!server->catalog_path) {
        return;
    }
    path = ap_server_root_relative(c->pconf, server->catalog_path);
    if (!path) {
        fail(c, "AuroraCatalog: '%s' is not allowed; a path", server->catalog_path);
        return;
    }
    server->catalog_path = path;
    aur_error_clear(&err);
    if (aur_catalog_file_read(&file, path, &err, c->pconf) != APR_SUCCESS ||
        aur_row_filters_read(file, &compiler, &err, c->pconf) != APR_SUCCESS) {
        fail(c, "AuroraCatalog: %s: %s", path, err.detail); /* which begins with the pointer */
    }
    server->catalog_file = file;
    wrong = aur_config_reports(server, c->pconf, c->ptemp);
    if (wrong) {
        fail(c, "AuroraCatalog: %s: %s", path, wrong);
    }
}

static void check_server(check_t *c, aur_values_t *values)
{
    aur_server_t *server = apr_pcalloc(c->pconf, sizeof(*server));
    aur_error_t err;
    int failed = c->failed, configured;

    aur_config_fill_server(server, values, c->pconf);
    configured = server->db.params != NULL;
    check_pool(c, &server->db, values);
    resolve_params(c, &server->db);
    check_catalog(c, server);
    aur_error_clear(&err);
    if (configured && c->failed == failed &&
        aur_db_check(&server->db, &err, c->ptemp) != APR_SUCCESS) {
        fail(c, "AuroraDBDriver %s: %s", server->db.driver, err.detail);
    }
    values->server = server;
}

int aur_config_pre(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp)
{
    aur_config_fallback = NULL;
    aur_config_used = 0;
    aur_config_paces = apr_array_make(pconf, 4, sizeof(aur_pace_t));
    return OK;
}

int aur_config_check(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    check_t c = {pconf, ptemp, s, 0};
    aur_values_t *values;
    int databases = 0, usable;

    read_fallback(&c);
    usable = !c.failed;
    for (; usable && c.s; c.s = c.s->next) {
        values = ap_get_module_config(c.s->module_config, &aurora_module);
        if (!values->server) { /* virtual hosts without a directive of ours share the main one's */
            check_server(&c, values);
        }
        databases += values->server->db.params != NULL;
    }
    c.s = s;
    /* A server that loads the module and says nothing about it starts; one that sets it up without
     * a database has forgotten something. */
    if (!c.failed && aur_config_used && !databases) {
        fail(&c, "AuroraDBParams is not set: no server has a database");
    }
    if (!c.failed) {
        check_paces(&c);
    }
    return c.failed ? HTTP_INTERNAL_SERVER_ERROR : OK;
}
