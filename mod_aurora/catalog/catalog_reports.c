/* catalog_reports.c - `reports` of the catalogue file (aurora/catalog_reports.h). */
#include "aurora/catalog_reports.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

#include "aurora/json_in.h"
#include "aurora/number.h"
#include "catalog_parts.h"

#define REPORTS_MAX 10000
#define PARAMS_MAX  100
#define SQL_MAX     (256 * 1024)

static const aur_word_t types[] = {{"text", AUR_PARAM_TEXT},     {"number", AUR_PARAM_NUMBER},
                                   {"date", AUR_PARAM_DATE},     {"timestamp", AUR_PARAM_TIMESTAMP},
                                   {"choice", AUR_PARAM_CHOICE}, {NULL, 0}};

/* What links carry besides a report's own parameters (api.md, "Exports", and paging). */
static const char *const reserved[] = {"format",        "delimiter", "decimal", "null",  "bom",
                                       "formula_guard", "header",    "names",   "about", "profile",
                                       "limit",         "offset",    "shape",   NULL};

static int listed(const char *const *list, const char *name)
{
    for (; *list && strcmp(*list, name); list++) {
    }
    return *list != NULL;
}

/* --- values of a parameter ----------------------------------------------------------------------- */

/* A default: its text, as a link would give it. */
static apr_status_t value_read(const char **out, const aur_json_in_t *in, const json_t *value,
                               aur_param_e type, const aur_json_at_t *at)
{
    char text[AUR_DOUBLE_TEXT_MAX];

    if (json_is_integer(value) && type == AUR_PARAM_NUMBER) {
        *out = apr_pstrmemdup(in->p, text, aur_int_write(text, json_integer_value(value)));
        return APR_SUCCESS;
    }
    if (json_is_real(value) && type == AUR_PARAM_NUMBER) {
        *out = apr_pstrmemdup(in->p, text, aur_double_write(text, json_real_value(value)));
        return APR_SUCCESS;
    }
    if (!json_is_string(value)) {
        return aur_json_refuse(in, at, "a value of this parameter is expected here, not %s.",
                               aur_json_kind(value));
    }
    if (json_string_length(value) > in->string_max) {
        return aur_json_refuse(in, at, "it is longer than %" APR_SIZE_T_FMT " bytes.",
                               in->string_max);
    }
    *out = apr_pstrdup(in->p, json_string_value(value));
    return APR_SUCCESS;
}

static apr_status_t defaults_read(aur_report_param_t *out, const aur_json_in_t *in,
                                  const json_t *param, const aur_json_at_t *at)
{
    const aur_json_at_t *here = AUR_AT_MEMBER(at, "default");
    const json_t *value = aur_json_member(param, "default");
    apr_size_t n = json_is_array(value) ? json_array_size(value) : 1, i;
    const char **list;

    if (!value) {
        return APR_SUCCESS;
    }
    if (json_is_array(value) && (!out->multiple || n < 1 || n > AUR_REPORT_VALUES_MAX)) {
        return aur_json_refuse(
            in, here, "a list of 1 to %d values is for parameters with \"multiple\": true.",
            AUR_REPORT_VALUES_MAX);
    }
    list = apr_pcalloc(in->p, n * sizeof(*list));
    out->default_list = json_is_array(value);
    out->defaults = list;
    out->ndefaults = (int)n;
    if (!json_is_array(value)) {
        return value_read(&list[0], in, value, out->type, here);
    }
    for (i = 0; i < n; i++) {
        apr_status_t rv =
            value_read(&list[i], in, json_array_get(value, i), out->type, AUR_AT_ELEMENT(here, i));
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    return APR_SUCCESS;
}

static int is_choice(const aur_report_param_t *param, const char *value)
{
    int i;

    for (i = 0; i < param->nchoices && strcmp(param->choices[i], value); i++) {
    }
    return i < param->nchoices;
}

static apr_status_t choices_read(aur_report_param_t *out, const aur_json_in_t *in,
                                 const json_t *param, const aur_json_at_t *at)
{
    const aur_json_at_t *here = AUR_AT_MEMBER(at, "choices");
    apr_status_t rv = aur_json_get_strings(&out->choices, &out->nchoices, in, param, "choices", at,
                                           AUR_REPORT_VALUES_MAX);
    int i;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if ((out->type == AUR_PARAM_CHOICE) != (out->nchoices > 0)) {
        return aur_json_refuse(in, here,
                               out->type == AUR_PARAM_CHOICE
                                   ? "a parameter of type choice needs choices."
                                   : "choices are for parameters of type choice.");
    }
    for (i = 0; out->nchoices > 0 && i < out->ndefaults; i++) {
        if (!is_choice(out, out->defaults[i])) {
            const aur_json_at_t *value = AUR_AT_MEMBER(at, "default");
            return aur_json_refuse(in,
                                   out->default_list ? AUR_AT_ELEMENT(value, (apr_size_t)i) : value,
                                   "it is none of the choices.");
        }
    }
    return APR_SUCCESS;
}

/* --- parameters ---------------------------------------------------------------------------------- */

static int is_name(const char *name, int first_is_letter, const char *others)
{
    apr_size_t i, len = strlen(name);

    for (i = 0; i < len; i++) {
        if (!(apr_isascii(name[i]) && apr_isalnum(name[i])) && !strchr(others, name[i])) {
            return 0;
        }
    }
    return len > 0 && len <= AUR_REPORT_NAME_MAX && !(first_is_letter && apr_isdigit(name[0]));
}

static apr_status_t name_check(const aur_report_t *report, const aur_report_param_t *param,
                               const aur_json_in_t *in, const aur_json_at_t *at)
{
    const aur_json_at_t *here = AUR_AT_MEMBER(at, "name");
    const char *name = param->name;

    if (!is_name(name, 1, "_")) {
        return aur_json_refuse(in, here,
                               "a parameter's name has 1 to %d of A-Z, a-z, 0-9 and _, and does "
                               "not begin with a digit.",
                               AUR_REPORT_NAME_MAX);
    }
    if (listed(reserved, name)) {
        return aur_json_refuse(in, here, "%s is reserved: links use it themselves.", name);
    }
    if (aur_report_param(report, name, strlen(name)) >= 0) {
        return aur_json_refuse(in, here, "another parameter of this report is called %s.", name);
    }
    return APR_SUCCESS;
}

/* A value that comes with the caller is neither chosen nor left out. */
static apr_status_t expr_check(aur_report_param_t *out, const aur_json_in_t *in,
                               const json_t *param, const aur_json_at_t *at)
{
    static const char *const given[] = {"required", "default", "multiple", "choices"};
    apr_size_t i;

    for (i = 0; out->expr && i < sizeof(given) / sizeof(given[0]); i++) {
        if (aur_json_member(param, given[i])) {
            return aur_json_refuse(in, AUR_AT_MEMBER(at, given[i]),
                                   "it is for parameters that callers give; this one has expr.");
        }
    }
    return APR_SUCCESS;
}

static apr_status_t param_read(aur_report_param_t *out, const aur_report_t *report,
                               const aur_json_in_t *in, json_t *param, const aur_json_at_t *at)
{
    static const char *const known[] = {"name",     "display_name", "type", "required", "default",
                                        "multiple", "choices",      "expr", NULL};
    int type = AUR_PARAM_TEXT;
    apr_status_t rv = aur_json_need_object(in, param, at);

    if (rv == APR_SUCCESS) {
        rv = aur_file_members_check(in, param, at, known);
    }
    if (rv == APR_SUCCESS) {
        rv = aur_json_need_string(&out->name, in, param, "name", at);
    }
    if (rv == APR_SUCCESS) {
        rv = name_check(report, out, in, at);
    }
    out->display_name = out->name;
    if (rv == APR_SUCCESS) {
        rv = aur_json_get_name(&out->display_name, in, param, "display_name", at);
    }
    if (rv == APR_SUCCESS) {
        rv = aur_json_get_word(&type, in, param, "type", at, types);
    }
    out->type = (aur_param_e)type;
    if (rv == APR_SUCCESS) {
        rv = aur_json_get_name(&out->expr, in, param, "expr", at);
    }
    if (rv == APR_SUCCESS) {
        rv = expr_check(out, in, param, at);
    }
    if (rv == APR_SUCCESS) {
        rv = aur_json_get_flag(&out->required, in, param, "required", at);
    }
    if (rv == APR_SUCCESS) {
        rv = aur_json_get_flag(&out->multiple, in, param, "multiple", at);
    }
    if (rv == APR_SUCCESS) {
        rv = defaults_read(out, in, param, at);
    }
    return rv == APR_SUCCESS ? choices_read(out, in, param, at) : rv;
}

static apr_status_t params_read(aur_report_t *out, const aur_json_in_t *in, const json_t *report,
                                const aur_json_at_t *at)
{
    const aur_json_at_t *list = AUR_AT_MEMBER(at, "parameters");
    aur_report_param_t *params;
    json_t *array = NULL, *param;
    apr_size_t i;
    apr_status_t rv = aur_json_get_array(&array, in, report, "parameters", at, PARAMS_MAX);

    if (rv != APR_SUCCESS || !array) {
        return rv;
    }
    params = apr_pcalloc(in->p, (json_array_size(array) + 1) * sizeof(*params));
    out->params = params;
    json_array_foreach(array, i, param)
    {
        rv = param_read(&params[i], out, in, param, AUR_AT_ELEMENT(list, i));
        if (rv != APR_SUCCESS) {
            return rv;
        }
        out->nparams++; /* only now can another one be of its name */
    }
    return APR_SUCCESS;
}

/* --- reports ------------------------------------------------------------------------------------- */

static apr_status_t query_free(void *query)
{
    json_decref(query);
    return APR_SUCCESS;
}

/* What it runs: the one or the other. */
static apr_status_t work_read(aur_report_t *out, const aur_json_in_t *in, const json_t *report,
                              const aur_json_at_t *at)
{
    aur_json_in_t long_in = *in;
    json_t *query = aur_json_member(report, "query");

    long_in.string_max = SQL_MAX;
    if ((query != NULL) == (aur_json_member(report, "sql") != NULL)) {
        return aur_json_refuse(in, at, "a report has either query or sql.");
    }
    if (!query) {
        return aur_json_get_name(&out->sql, &long_in, report, "sql", at);
    }
    if (!json_is_object(query)) {
        return aur_json_need_object(in, query, AUR_AT_MEMBER(at, "query"));
    }
    query = json_deep_copy(query);
    if (!query) {
        return aur_json_refuse(in, at, "out of memory.");
    }
    out->query = query;
    apr_pool_cleanup_register(in->p, query, query_free, apr_pool_cleanup_null);
    return APR_SUCCESS;
}

static apr_status_t report_read(aur_report_t *out, const aur_json_in_t *in, json_t *report,
                                const char *name, const aur_json_at_t *at)
{
    static const char *const known[] = {"display_name", "description", "roles", "parameters",
                                        "query",        "sql",         NULL};
    apr_status_t rv;

    if (!is_name(name, 0, "_-")) {
        return aur_json_refuse(in, at, "a report's name has 1 to %d of A-Z, a-z, 0-9, _ and -.",
                               AUR_REPORT_NAME_MAX);
    }
    out->name = apr_pstrdup(in->p, name);
    out->display_name = out->name;
    out->pointer = aur_json_pointer(at, in->p);
    rv = aur_json_need_object(in, report, at);
    if (rv == APR_SUCCESS) {
        rv = aur_file_members_check(in, report, at, known);
    }
    if (rv == APR_SUCCESS) {
        rv = aur_json_get_name(&out->display_name, in, report, "display_name", at);
    }
    if (rv == APR_SUCCESS) {
        rv = aur_json_get_string(&out->description, in, report, "description", at);
    }
    if (rv == APR_SUCCESS) {
        rv = aur_file_roles_read(&out->roles, in, report, at);
    }
    if (rv == APR_SUCCESS) {
        rv = params_read(out, in, report, at);
    }
    return rv == APR_SUCCESS ? work_read(out, in, report, at) : rv;
}

apr_status_t aur_file_reports_read(aur_catalog_file_t *file, const aur_json_in_t *in,
                                   const json_t *root)
{
    const aur_json_at_t *here = AUR_AT_MEMBER(NULL, "reports");
    json_t *reports = aur_json_member(root, "reports"), *report;
    aur_report_t *out;
    const char *name;
    apr_status_t rv;

    if (!reports) {
        return APR_SUCCESS;
    }
    rv = aur_json_need_object(in, reports, here);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (json_object_size(reports) > REPORTS_MAX) {
        return aur_json_refuse(in, here, "there may be %d reports at most.", REPORTS_MAX);
    }
    out = apr_pcalloc(in->p, (json_object_size(reports) + 1) * sizeof(*out));
    file->reports = out;
    json_object_foreach(reports, name, report)
    {
        rv = report_read(&out[file->nreports], in, report, name, AUR_AT_MEMBER(here, name));
        if (rv != APR_SUCCESS) {
            return rv;
        }
        file->nreports++;
    }
    return APR_SUCCESS;
}

/* --- looking up ---------------------------------------------------------------------------------- */

int aur_reports_count(const aur_catalog_file_t *file)
{
    return file ? file->nreports : 0;
}

const aur_report_t *aur_reports_get(const aur_catalog_file_t *file, int index)
{
    return &file->reports[index];
}

const aur_report_t *aur_reports_find(const aur_catalog_file_t *file, const char *name)
{
    int i;

    for (i = 0; i < aur_reports_count(file); i++) {
        if (!strcmp(file->reports[i].name, name)) {
            return &file->reports[i];
        }
    }
    return NULL;
}

int aur_report_param(const aur_report_t *report, const char *name, apr_size_t len)
{
    int i;

    for (i = 0; i < report->nparams; i++) {
        const char *other = report->params[i].name;
        if (strlen(other) == len && !memcmp(other, name, len)) {
            return i;
        }
    }
    return -1;
}

const char *aur_param_name(aur_param_e type)
{
    const aur_word_t *word = types;

    while (word->word && word->value != (int)type) {
        word++;
    }
    return word->word ? word->word : "";
}
