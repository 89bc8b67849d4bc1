/* http_reports.c - named reports: which there are for the caller, and each as a preview or a file.
 *
 * A report that the caller may not see is like one that is not there: for want of a role, or because
 * its stored request names a dataset or a column that he may not see. That is found out with made-up
 * values before anything is said about the ones he gave. */
#include "http/http_export.h"
#include "http/http_report_args.h"

#include <http_log.h>
#include <http_protocol.h>
#include <apr_strings.h>

#include "aurora/json_out.h"
#include "aurora/number.h"

APLOG_USE_MODULE(aurora);

/* --- who may see what ----------------------------------------------------------------------------- */

/* Could he ask the same of the datasets themselves? *err tells why not. What he would ask with is not looked at:
 * a sample that does not fit would hide that there is no such column. */
static int is_readable(const aur_report_t *report, const aur_catalog_t *catalog, aur_error_t *err,
                       apr_pool_t *p)
{
    aur_query_t *query;

    aur_error_clear(err);
    return !report->query ||
           (aur_report_query(&query, report, aur_report_sample(report, p), err, p) == APR_SUCCESS &&
            aur_query_plannable(query, catalog, err, p) == APR_SUCCESS);
}

static apr_status_t unknown_report(aur_request_t *x)
{
    return aur_error_set(&x->err, AUR_E_UNKNOWN_REPORT, NULL, "There is no report of this name.");
}

static apr_status_t find(aur_request_t *x, const aur_catalog_t *catalog)
{
    const aur_report_t *report = aur_reports_find(x->server->catalog_file, x->arg);
    aur_error_t why;

    if (report && aur_viewer_has(aur_request_viewer(x), report->roles)) {
        if (is_readable(report, catalog, &why, x->r->pool)) {
            x->report = report;
            x->dataset = apr_pstrcat(x->r->pool, "report:", report->name, NULL);
            return APR_SUCCESS;
        }
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, x->r,
                      AURLOG(2013) "[%s] report %s is not there for this caller: %s %s",
                      x->correlation, report->name, why.pointer, why.detail);
    }
    return unknown_report(x);
}

/* --- the list ------------------------------------------------------------------------------------- */

static void write_value(aur_sink_t *sink, const aur_report_param_t *param, const char *text)
{
    apr_size_t len = strlen(text);

    if (param->type == AUR_PARAM_NUMBER && aur_decimal_is_double(text, len)) {
        aur_sink_write(sink, text, len);
    }
    else {
        aur_json_string(sink, text, len);
    }
}

static void write_list(aur_sink_t *sink, const aur_report_param_t *param, const char *const *texts,
                       int n)
{
    int i;

    aur_json_lit(sink, "[");
    for (i = 0; i < n; i++) {
        aur_sink_write(sink, ",", i > 0);
        write_value(sink, param, texts[i]);
    }
    aur_json_lit(sink, "]");
}

static void write_param(aur_sink_t *sink, const aur_report_param_t *param)
{
    aur_json_lit(sink, "{\"name\":");
    aur_json_cstring(sink, param->name);
    aur_json_lit(sink, ",\"display_name\":");
    aur_json_cstring(sink, param->display_name);
    aur_json_lit(sink, ",\"type\":");
    aur_json_cstring(sink, aur_param_name(param->type));
    aur_json_lit(sink, ",\"required\":");
    aur_json_bool(sink, param->required && param->ndefaults == 0);
    aur_json_lit(sink, ",\"multiple\":");
    aur_json_bool(sink, param->multiple);
    aur_json_lit(sink, ",\"default\":");
    if (param->ndefaults == 0) {
        aur_json_lit(sink, "null");
    }
    else if (param->multiple) {
        write_list(sink, param, param->defaults, param->ndefaults);
    }
    else {
        write_value(sink, param, param->defaults[0]);
    }
    if (param->nchoices > 0) {
        aur_json_lit(sink, ",\"choices\":");
        write_list(sink, param, param->choices, param->nchoices);
    }
    aur_json_lit(sink, "}");
}

/* What comes with the caller is nothing that he could give, so it is not listed. */
static void write_params(aur_sink_t *sink, const aur_report_t *report)
{
    int i, n = 0;

    aur_json_lit(sink, ",\"parameters\":[");
    for (i = 0; i < report->nparams; i++) {
        if (!report->params[i].expr) {
            aur_sink_write(sink, ",", n++ > 0);
            write_param(sink, &report->params[i]);
        }
    }
    aur_json_lit(sink, "]");
}

static void write_link(aur_sink_t *sink, const char *path, const char *suffix, apr_pool_t *p)
{
    aur_json_cstring(sink, apr_pstrcat(p, path, suffix, NULL));
}

static void write_report(aur_request_t *x, const aur_report_t *report, apr_pool_t *p)
{
    const char *path = apr_pstrcat(p, ap_os_escape_path(p, x->r->uri, 1), "/", report->name, NULL);
    aur_sink_t *sink = x->sink;

    aur_json_lit(sink, "{\"name\":");
    aur_json_cstring(sink, report->name);
    aur_json_lit(sink, ",\"display_name\":");
    aur_json_cstring(sink, report->display_name);
    aur_json_lit(sink, ",\"description\":");
    aur_json_cstring(sink, report->description);
    write_params(sink, report);
    aur_json_lit(sink, ",\"links\":{\"preview\":");
    write_link(sink, path, "", p);
    aur_json_lit(sink, ",\"csv\":");
    write_link(sink, path, ".csv", p);
    aur_json_lit(sink, ",\"xlsx\":");
    write_link(sink, path, ".xlsx", p);
    aur_json_lit(sink, "}}");
}

static int list_reports(aur_request_t *x, const aur_catalog_t *catalog, apr_pool_t *scratch)
{
    const aur_catalog_file_t *file = x->server->catalog_file;
    int i, n = 0;

    aur_answer_begin(x, "application/json", 1);
    aur_json_lit(x->sink, "{\"reports\":[");
    for (i = 0; i < aur_reports_count(file); i++) {
        const aur_report_t *report = aur_reports_get(file, i);
        aur_error_t unused;
        apr_pool_clear(scratch);
        if (aur_viewer_has(aur_request_viewer(x), report->roles) &&
            is_readable(report, catalog, &unused, scratch)) {
            aur_sink_write(x->sink, ",", n++ > 0);
            write_report(x, report, scratch);
        }
    }
    aur_json_lit(x->sink, "]}\n");
    return aur_answer_end(x);
}

int aur_http_reports(aur_request_t *x)
{
    const aur_catalog_t *catalog;
    apr_pool_t *scratch;

    if (aur_run_catalog(x, &catalog) != APR_SUCCESS) {
        return aur_answer_fail(x);
    }
    apr_pool_create(&scratch, x->r->pool);
    return list_reports(x, catalog, scratch);
}

/* --- one report ----------------------------------------------------------------------------------- */

/* What is wrong with the stored request is no pointer into anything the caller has sent. And what is not there any
 * more, because the database has just been read anew, is not his to know. */
static apr_status_t without_pointer(aur_request_t *x)
{
    x->err.pointer[0] = '\0';
    if (x->err.code == AUR_E_UNKNOWN_DATASET || x->err.code == AUR_E_UNKNOWN_COLUMN) {
        unknown_report(x);
    }
    return APR_EGENERAL;
}

/* *query: NULL for hand-written SQL. */
static apr_status_t make_plan(aur_request_t *x, aur_query_t **query, aur_plan_t **plan)
{
    const char *dataset = x->dataset; /* planning puts the request's own in its place */
    apr_pool_t *p = x->r->pool;

    *query = NULL;
    if (!x->report->query) {
        *plan = aur_report_written(x->report, x->report_values, p);
    }
    else if (aur_report_query(query, x->report, x->report_values, &x->err, p) != APR_SUCCESS ||
             aur_run_plan(x, *query, plan) != APR_SUCCESS) {
        return without_pointer(x);
    }
    x->dataset = dataset;
    x->title = x->report->display_name;
    (*plan)->dataset_name = x->dataset;
    return APR_SUCCESS;
}

/* The caller is told nothing. One line is enough to find the mistake. */
static void tell_unfit(aur_request_t *x)
{
    int i;

    for (i = 0; i < x->report->nparams && !x->report_values[i].unfit; i++) {
    }
    if (i < x->report->nparams) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, x->r,
                      AURLOG(2014) "[%s] parameter %s of report %s has no value for %s: %s",
                      x->correlation, x->report->params[i].name, x->report->name, x->user,
                      x->report_values[i].unfit);
    }
}

/* From the link to a plan. */
static apr_status_t prepare(aur_request_t *x, int is_file, aur_query_t **query, aur_plan_t **plan)
{
    const aur_catalog_t *catalog;
    aur_link_t link;
    apr_status_t rv = aur_run_catalog(x, &catalog);

    if (rv == APR_SUCCESS) {
        rv = find(x, catalog);
    }
    if (rv == APR_SUCCESS) {
        rv = aur_link_read(&link, x, is_file);
    }
    if (rv == APR_SUCCESS) {
        rv = aur_report_values(&x->report_values, x->report, link.given, link.ngiven,
                               aur_link_caller, x, &x->err, x->r->pool);
    }
    if (rv == APR_SUCCESS) {
        tell_unfit(x);
    }
    if (rv == APR_SUCCESS) {
        rv = make_plan(x, query, plan);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    (*plan)->limit = link.paging.limit >= 0 ? link.paging.limit : (*plan)->limit;
    (*plan)->offset = link.paging.offset >= 0 ? link.paging.offset : (*plan)->offset;
    (*plan)->arrays = link.paging.arrays >= 0 ? link.paging.arrays : (*plan)->arrays;
    return APR_SUCCESS;
}

/* HEAD: whether the link is right, and what it would give; nothing runs and nothing is counted as a task. */
static apr_status_t admit(aur_request_t *x, aur_work_e work)
{
    if (x->r->header_only) {
        return APR_SUCCESS;
    }
    return aur_work_name(x) == APR_SUCCESS ? aur_admit_rate(x, work) : APR_EGENERAL;
}

int aur_http_report(aur_request_t *x)
{
    aur_query_t *query;
    aur_plan_t *plan;

    if (admit(x, AUR_WORK_PREVIEW) != APR_SUCCESS || prepare(x, 0, &query, &plan) != APR_SUCCESS) {
        return aur_answer_fail(x);
    }
    if (x->r->header_only) {
        aur_answer_begin(x, "application/json", 1);
        return aur_answer_end(x);
    }
    return aur_preview_answer(x, plan);
}

static int report_file(aur_request_t *x, int xlsx)
{
    aur_export_t options;
    aur_query_t *query;
    aur_plan_t *plan;

    if (admit(x, xlsx ? AUR_WORK_XLSX : AUR_WORK_CSV) != APR_SUCCESS ||
        prepare(x, 1, &query, &plan) != APR_SUCCESS ||
        aur_export_options(x, &options) != APR_SUCCESS) {
        return aur_answer_fail(x);
    }
    options.xlsx = xlsx;
    if (x->r->header_only) {
        aur_export_headers(x, &options);
        aur_answer_begin(x, aur_export_type(&options), 1);
        return aur_answer_end(x);
    }
    return aur_export_answer(x, query, plan, &options);
}

int aur_http_report_csv(aur_request_t *x)
{
    return report_file(x, 0);
}

int aur_http_report_xlsx(aur_request_t *x)
{
    return report_file(x, 1);
}
