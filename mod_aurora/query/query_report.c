/* query_report.c - reports with their values (aurora/query_report.h). */
#include "aurora/query_report.h"

#include <apr_strings.h>
#include <string.h>

#include "aurora/text.h"
#include "query_fill.h"
#include "query_read.h"
#include "query_value.h"

#define LIMIT_DEFAULT 100 /* as a request's */

static aur_type_e type_of(const aur_report_param_t *param)
{
    switch (param->type) {
    case AUR_PARAM_NUMBER:
        return AUR_T_NUMBER;
    case AUR_PARAM_DATE:
        return AUR_T_DATE;
    case AUR_PARAM_TIMESTAMP:
        return AUR_T_TIMESTAMP;
    case AUR_PARAM_TEXT:
    case AUR_PARAM_CHOICE:
        break;
    }
    return AUR_T_TEXT;
}

/* --- values -------------------------------------------------------------------------------------- */

static apr_status_t choice_check(const aur_report_param_t *param, const char *text,
                                 aur_error_t *err, apr_pool_t *p)
{
    const char *list = "";
    int i;

    for (i = 0; i < param->nchoices; i++) {
        if (!strcmp(param->choices[i], text)) {
            return APR_SUCCESS;
        }
        list = strlen(list) > AUR_DETAIL_MAX
                   ? list
                   : apr_pstrcat(p, list, i > 0 ? ", " : "", param->choices[i], NULL);
    }
    return aur_error_set(err, AUR_E_BAD_VALUE, NULL, "Parameter %s is one of: %s.", param->name,
                         list);
}

static apr_status_t one_read(aur_cell_t *cell, const aur_report_param_t *param, const char *text,
                             aur_error_t *err, apr_pool_t *p)
{
    aur_scalar_t scalar = {.kind = AUR_J_STRING, .s = text, .len = strlen(text)};
    aur_value_for_t want = {.type = type_of(param)};
    apr_status_t rv = param->nchoices > 0 ? choice_check(param, text, err, p) : APR_SUCCESS;

    want.column = apr_pstrcat(p, "Parameter ", param->name, NULL);
    if (rv == APR_SUCCESS) {
        rv = aur_value_read(cell, &want, &scalar, -1, err, p);
    }
    if (rv != APR_SUCCESS) {
        aur_error_column(err, param->name);
    }
    return rv;
}

static apr_status_t all_read(aur_report_value_t *out, const aur_report_param_t *param,
                             const char *const *texts, int n, aur_error_t *err, apr_pool_t *p)
{
    aur_cell_t *cells = apr_pcalloc(p, ((apr_size_t)n + 1) * sizeof(*cells));
    int i;

    for (i = 0; i < n; i++) {
        apr_status_t rv = one_read(&cells[i], param, texts[i], err, p);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    out->nvalues = n;
    out->texts = texts;
    out->cells = cells;
    return APR_SUCCESS;
}

static apr_status_t refuse(const char *name, aur_code_e code, const char *fmt, aur_error_t *err,
                           apr_pool_t *p)
{
    aur_error_set(err, code, NULL, "%s",
                  apr_pstrcat(p, "Parameter ", aur_name_shown(name, p), fmt, NULL));
    aur_error_column(err, name);
    return APR_EGENERAL;
}

static apr_status_t names_check(const aur_report_t *report, const aur_report_given_t *given,
                                int ngiven, aur_error_t *err, apr_pool_t *p)
{
    int i, index;

    for (i = 0; i < ngiven; i++) {
        index = aur_report_param(report, given[i].name, strlen(given[i].name));
        if (index < 0 || report->params[index].expr) {
            return refuse(given[i].name, AUR_E_BAD_REQUEST, " is none of this report's.", err, p);
        }
    }
    return APR_SUCCESS;
}

/* What the link gives for a parameter, else its default. */
static apr_status_t param_read(aur_report_value_t *out, const aur_report_param_t *param,
                               const aur_report_given_t *given, int ngiven, aur_error_t *err,
                               apr_pool_t *p)
{
    const char **texts = apr_pcalloc(p, ((apr_size_t)ngiven + 1) * sizeof(*texts));
    int i, n = 0;

    for (i = 0; i < ngiven; i++) {
        if (!strcmp(given[i].name, param->name)) {
            texts[n++] = given[i].value;
        }
    }
    if (n > 1 && !param->multiple) {
        return refuse(param->name, AUR_E_BAD_REQUEST, " is given twice.", err, p);
    }
    if (n > AUR_REPORT_VALUES_MAX) {
        return refuse(param->name, AUR_E_BAD_REQUEST,
                      " has more than " APR_STRINGIFY(AUR_REPORT_VALUES_MAX) " values.", err, p);
    }
    if (n > 0) {
        return all_read(out, param, texts, n, err, p);
    }
    if (param->required && param->ndefaults == 0) {
        return refuse(param->name, AUR_E_MISSING_PARAMETER, " is missing.", err, p);
    }
    return all_read(out, param, param->defaults, param->ndefaults, err, p);
}

static void caller_read(aur_report_value_t *out, const aur_report_param_t *param,
                        aur_report_caller_fn *caller, void *ctx, apr_pool_t *p)
{
    const char **texts = apr_pcalloc(p, sizeof(*texts));
    aur_error_t why; /* nobody who asks can mend it: there is no value then */

    texts[0] = caller ? caller(ctx, param) : NULL;
    if (!texts[0] || !*texts[0]) {
        return;
    }
    if (!aur_utf8_valid(texts[0], strlen(texts[0]))) {
        out->unfit = "its expression gives something that is not UTF-8";
    }
    else if (all_read(out, param, texts, 1, &why, p) != APR_SUCCESS) {
        out->unfit = apr_pstrdup(p, why.detail);
    }
}

apr_status_t aur_report_values(const aur_report_value_t **values, const aur_report_t *report,
                               const aur_report_given_t *given, int ngiven,
                               aur_report_caller_fn *caller, void *ctx, aur_error_t *err,
                               apr_pool_t *p)
{
    aur_report_value_t *out = apr_pcalloc(p, ((apr_size_t)report->nparams + 1) * sizeof(*out));
    apr_status_t rv = names_check(report, given, ngiven, err, p);
    int i;

    for (i = 0; rv == APR_SUCCESS && i < report->nparams; i++) {
        const aur_report_param_t *param = &report->params[i];
        if (param->expr) {
            caller_read(&out[i], param, caller, ctx, p);
        }
        else {
            rv = param_read(&out[i], param, given, ngiven, err, p);
        }
    }
    *values = out;
    return rv;
}

/* Texts that also read as a date fit most columns that a text is compared with. */
static const char *sample_text(const aur_report_param_t *param)
{
    if (param->ndefaults > 0) {
        return param->defaults[0];
    }
    if (param->nchoices > 0) {
        return param->choices[0];
    }
    return param->type == AUR_PARAM_NUMBER ? "1" : "2000-01-01";
}

const aur_report_value_t *aur_report_sample(const aur_report_t *report, apr_pool_t *p)
{
    aur_report_value_t *out = apr_pcalloc(p, ((apr_size_t)report->nparams + 1) * sizeof(*out));
    aur_error_t unused; /* defaults are checked elsewhere; the others are right */
    int i;

    for (i = 0; i < report->nparams; i++) {
        const char **texts = apr_pcalloc(p, sizeof(*texts));
        texts[0] = sample_text(&report->params[i]);
        (void)all_read(&out[i], &report->params[i], texts, 1, &unused, p);
    }
    return out;
}

/* --- what runs ----------------------------------------------------------------------------------- */

apr_status_t aur_report_query(aur_query_t **query, const aur_report_t *report,
                              const aur_report_value_t *values, aur_error_t *err, apr_pool_t *p)
{
    apr_array_header_t *callers = apr_array_make(p, 4, sizeof(const json_t *));
    json_t *root = NULL;
    apr_status_t rv = aur_fill(&root, callers, report, values, err, p);

    if (rv == APR_SUCCESS) {
        rv = aur_query_read(query, root, callers, err, p);
        json_decref(root);
    }
    return rv;
}

aur_plan_t *aur_report_written(const aur_report_t *report, const aur_report_value_t *values,
                               apr_pool_t *p)
{
    aur_plan_t *plan = apr_pcalloc(p, sizeof(*plan));
    aur_written_t *written = apr_pcalloc(p, sizeof(*written));
    aur_written_value_t *list = apr_pcalloc(p, ((apr_size_t)report->nparams + 1) * sizeof(*list));
    int i;

    for (i = 0; i < report->nparams; i++) {
        list[i].name = report->params[i].name;
        list[i].type = type_of(&report->params[i]);
        list[i].nvalues = values[i].nvalues;
        list[i].values = values[i].cells;
    }
    written->text = report->sql;
    written->nvalues = report->nparams;
    written->values = list;
    plan->written = written;
    plan->limit = LIMIT_DEFAULT;
    return plan;
}

/* --- the check ----------------------------------------------------------------------------------- */

static apr_status_t default_check(const aur_report_t *report, int index, int nth, aur_error_t *err,
                                  apr_pool_t *p)
{
    const aur_report_param_t *param = &report->params[index];
    const char *at = apr_psprintf(p, "%s/parameters/%d/default", report->pointer, index);
    aur_cell_t unused;

    if (one_read(&unused, param, param->defaults[nth], err, p) == APR_SUCCESS) {
        return APR_SUCCESS;
    }
    return aur_error_set(err, AUR_E_BAD_REQUEST,
                         param->default_list ? apr_psprintf(p, "%s/%d", at, nth) : at, "%s",
                         apr_pstrdup(p, err->detail));
}

static apr_status_t defaults_check(const aur_report_t *report, aur_error_t *err, apr_pool_t *p)
{
    apr_status_t rv = APR_SUCCESS;
    int i, n;

    for (i = 0; i < report->nparams; i++) {
        for (n = 0; rv == APR_SUCCESS && n < report->params[i].ndefaults; n++) {
            rv = default_check(report, i, n, err, p);
        }
    }
    return rv;
}

apr_status_t aur_report_check(const aur_report_t *report, aur_error_t *err, apr_pool_t *p)
{
    aur_query_t *query;
    apr_status_t rv = defaults_check(report, err, p);

    if (rv != APR_SUCCESS || !report->query) {
        return rv;
    }
    rv = aur_fill_check(report, err, p);
    if (rv == APR_SUCCESS) {
        rv = aur_report_query(&query, report, aur_report_sample(report, p), err, p);
    }
    if (rv != APR_SUCCESS) {
        return aur_error_set(err, AUR_E_BAD_REQUEST,
                             apr_pstrcat(p, report->pointer, "/query", err->pointer, NULL), "%s",
                             apr_pstrdup(p, err->detail));
    }
    return APR_SUCCESS;
}
