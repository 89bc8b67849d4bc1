/* catalog_reports.c - `reports` of the catalogue file: what they may say, and how mistakes in them are
 * told. Files are written with ' instead of ". */
#include <apr_general.h>
#include <stdlib.h>

#include "aurora/catalog_reports.h"
#include "file_with.h"
#include "tap.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *list_text(const char *const *list, int n, apr_pool_t *p)
{
    const char *out = "";
    int i;

    for (i = 0; i < n; i++) {
        out = apr_pstrcat(p, out, i > 0 ? "," : "", list[i], NULL);
    }
    return out;
}

static const char *param_text(const aur_report_param_t *param, apr_pool_t *p)
{
    return apr_pstrcat(p, " ", param->name, "/", param->display_name, ":",
                       aur_param_name(param->type), param->required ? "!" : "",
                       param->multiple ? "*" : "", param->ndefaults ? "=" : "",
                       list_text(param->defaults, param->ndefaults, p), param->nchoices ? "?" : "",
                       list_text(param->choices, param->nchoices, p), param->expr ? "%" : "",
                       param->expr ? param->expr : "", NULL);
}

static const char *report_text(const aur_report_t *r, apr_pool_t *p)
{
    const char *out = apr_pstrcat(p, r->name, "/", r->display_name, NULL);
    const char *const *role = r->roles;
    int i;

    for (; role && *role; role++) {
        out = apr_pstrcat(p, out, " +", *role, NULL);
    }
    for (i = 0; i < r->nparams; i++) {
        out = apr_pstrcat(p, out, param_text(&r->params[i], p), NULL);
    }
    return apr_pstrcat(p, out, r->query ? " query" : " ", r->query ? "" : r->sql, NULL);
}

static const char *file_text(const aur_catalog_file_t *f, apr_pool_t *p)
{
    const char *out = "";
    int i;

    for (i = 0; i < aur_reports_count(f); i++) {
        out = apr_pstrcat(p, out, i > 0 ? "; " : "", report_text(aur_reports_get(f, i), p), NULL);
    }
    return out;
}

#define R(members) "{'reports':{'R':{" members "}}}"
#define P(members) R("'sql':'S','parameters':[{" members "}]")

static const struct {
    const char *text, *want;
} good[] = {
    {"{}", ""},
    {"{'reports':{}}", ""},
    {R("'sql':'SELECT 1'"), "R/R SELECT 1"},
    {"{'reports':{'z':{'sql':'1'},'A_b-9':{'query':{'dataset':'S'}}}}", "z/z 1; A_b-9/A_b-9 query"},
    {R("'sql':'S','display_name':'An R','description':'','roles':['a','b'],'parameters':[]"),
     "R/An R +a +b S"},
    {P("'name':'p'"), "R/R p/p:text S"},
    {P("'name':'p','display_name':'A P','type':'NUMBER','required':true"), "R/R p/A P:number! S"},
    {P("'name':'p','type':'number','default':10"), "R/R p/p:number=10 S"},
    {P("'name':'p','type':'number','default':-0.5"), "R/R p/p:number=-0.5 S"},
    {P("'name':'p','type':'number','default':'12345678901234567890.5'"),
     "R/R p/p:number=12345678901234567890.5 S"},
    {P("'name':'p','type':'date','default':'2024-01-31'"), "R/R p/p:date=2024-01-31 S"},
    {P("'name':'p','type':'timestamp'"), "R/R p/p:timestamp S"},
    {P("'name':'p','multiple':true,'default':'a'"), "R/R p/p:text*=a S"},
    {P("'name':'p','multiple':true,'default':['a','']"), "R/R p/p:text*=a, S"},
    {P("'name':'p','type':'choice','choices':['a','b'],'default':'b'"), "R/R p/p:choice=b?a,b S"},
    {P("'name':'me','expr':'%{REMOTE_USER}'"), "R/R me/me:text%%{REMOTE_USER} S"},
    {P("'name':'p'},{'name':'P'"), "R/R p/p:text P/P:text S"},
    {"{'reports':{'0123456789012345678901234567890123456789012345678901234567890123':{'sql':'S'}}}",
     "0123456789012345678901234567890123456789012345678901234567890123/"
     "0123456789012345678901234567890123456789012345678901234567890123 S"},
};

static void understands(apr_pool_t *p)
{
    apr_size_t i;

    for (i = 0; i < COUNT(good); i++) {
        aur_catalog_file_t *f;
        aur_error_t err;
        const char *text = quotes(good[i].text, p);
        apr_status_t rv = read_text(&f, text, strlen(text), &err, p);

        is_str(rv == APR_SUCCESS ? file_text(f, p) : err.detail, good[i].want, good[i].text);
    }
}

static const struct {
    const char *text, *pointer;
} bad[] = {
    {"{'reports':[]}", "/reports"},
    {"{'reports':null}", "/reports"},
    {R("'sql':'S','description':null"), "/reports/R/description"},
    {R("'sql':'S','query':null"), "/reports/R/query"},
    {P("'name':'p','default':null"), "/reports/R/parameters/0/default"},
    {P("'name':'p','expr':null"), "/reports/R/parameters/0/expr"},
    {"{'reports':{'R':[]}}", "/reports/R"},
    {"{'reports':{'R':null}}", "/reports/R"},
    {"{'reports':{'':{'sql':'S'}}}", "/reports/"},
    {"{'reports':{'a b':{'sql':'S'}}}", "/reports/a b"},
    {"{'reports':{'a.csv':{'sql':'S'}}}", "/reports/a.csv"},
    {"{'reports':{'a/b':{'sql':'S'}}}", "/reports/a~1b"},
    {"{'reports':{'é':{'sql':'S'}}}", "/reports/é"},
    {"{'reports':{'01234567890123456789012345678901234567890123456789012345678901234':{'sql':'S'}}"
     "}",
     "/reports/01234567890123456789012345678901234567890123456789012345678901234"},
    {R(""), "/reports/R"},
    {R("'sql':'S','query':{'dataset':'D'}"), "/reports/R"},
    {R("'sql':''"), "/reports/R/sql"},
    {R("'sql':['S']"), "/reports/R/sql"},
    {R("'query':'S'"), "/reports/R/query"},
    {R("'sql':'S','title':'x'"), "/reports/R/title"},
    {R("'sql':'S','display_name':''"), "/reports/R/display_name"},
    {R("'sql':'S','description':1"), "/reports/R/description"},
    {R("'sql':'S','roles':'a'"), "/reports/R/roles"},
    {R("'sql':'S','roles':[]"), "/reports/R/roles"},
    {R("'sql':'S','roles':['a','']"), "/reports/R/roles/1"},
    {R("'sql':'S','parameters':{}"), "/reports/R/parameters"},
    {R("'sql':'S','parameters':['p']"), "/reports/R/parameters/0"},
    {P("'type':'text'"), "/reports/R/parameters/0/name"},
    {P("'name':''"), "/reports/R/parameters/0/name"},
    {P("'name':'1p'"), "/reports/R/parameters/0/name"},
    {P("'name':'a-b'"), "/reports/R/parameters/0/name"},
    {P("'name':'é'"), "/reports/R/parameters/0/name"},
    {P("'name':'limit'"), "/reports/R/parameters/0/name"},
    {P("'name':'format'"), "/reports/R/parameters/0/name"},
    {P("'name':'formula_guard'"), "/reports/R/parameters/0/name"},
    {P("'name':'p'},{'name':'q'},{'name':'p'"), "/reports/R/parameters/2/name"},
    {P("'name':'p','typ':'text'"), "/reports/R/parameters/0/typ"},
    {P("'name':'p','type':'boolean'"), "/reports/R/parameters/0/type"},
    {P("'name':'p','required':'yes'"), "/reports/R/parameters/0/required"},
    {P("'name':'p','multiple':1"), "/reports/R/parameters/0/multiple"},
    {P("'name':'p','default':['a']"), "/reports/R/parameters/0/default"},
    {P("'name':'p','default':5"), "/reports/R/parameters/0/default"},
    {P("'name':'p','type':'number','default':true"), "/reports/R/parameters/0/default"},
    {P("'name':'p','multiple':true,'default':[]"), "/reports/R/parameters/0/default"},
    {P("'name':'p','multiple':true,'default':['a',{}]"), "/reports/R/parameters/0/default/1"},
    {P("'name':'p','type':'choice'"), "/reports/R/parameters/0/choices"},
    {P("'name':'p','type':'choice','choices':[]"), "/reports/R/parameters/0/choices"},
    {P("'name':'p','choices':['a']"), "/reports/R/parameters/0/choices"},
    {P("'name':'p','type':'choice','choices':['a',1]"), "/reports/R/parameters/0/choices/1"},
    {P("'name':'p','type':'choice','choices':['a'],'default':'b'"),
     "/reports/R/parameters/0/default"},
    {P("'name':'p','type':'choice','choices':['a'],'multiple':true,'default':'b'"),
     "/reports/R/parameters/0/default"},
    {P("'name':'p','type':'choice','choices':['a'],'multiple':true,'default':['a','b']"),
     "/reports/R/parameters/0/default/1"},
    {P("'name':'p','expr':''"), "/reports/R/parameters/0/expr"},
    {P("'name':'p','expr':'x','required':true"), "/reports/R/parameters/0/required"},
    {P("'name':'p','expr':'x','default':'y'"), "/reports/R/parameters/0/default"},
    {P("'name':'p','expr':'x','multiple':true"), "/reports/R/parameters/0/multiple"},
};

static void refuses(apr_pool_t *p)
{
    apr_size_t i;

    for (i = 0; i < COUNT(bad); i++) {
        aur_catalog_file_t *f;
        aur_error_t err;
        const char *text = quotes(bad[i].text, p);
        apr_status_t rv = read_text(&f, text, strlen(text), &err, p);

        is_str(rv == APR_SUCCESS ? "(accepted)" : err.pointer, bad[i].pointer, bad[i].text);
        ok(!f && !strncmp(err.detail, err.pointer, strlen(err.pointer)),
           "the detail begins with the pointer: %s", err.detail);
    }
}

static void finds(apr_pool_t *p)
{
    const char *text = quotes("{'reports':{'a':{'sql':'1','parameters':[{'name':'x'},"
                              "{'name':'xy'}]},'A':{'sql':'2'}}}",
                              p);
    aur_catalog_file_t *f;
    const aur_report_t *report;
    aur_error_t err;

    is_int(aur_reports_count(NULL), 0, "without a file there is no report");
    ok(!aur_reports_find(NULL, "a"), "and none is found");
    if (read_text(&f, text, strlen(text), &err, p) != APR_SUCCESS) {
        ok(0, "%s", err.detail);
        return;
    }
    report = aur_reports_find(f, "a");
    ok(report && !strcmp(report->sql, "1"), "a report is found by its name");
    is_str(aur_reports_find(f, "A")->sql, "2", "letter case tells names apart");
    ok(!aur_reports_find(f, "b"), "an unknown one is not found");
    is_int(aur_report_param(report, "xy", 2), 1, "so is a parameter");
    is_int(aur_report_param(report, "xyz", 2), 1, "by its length");
    is_int(aur_report_param(report, "y", 1), -1, "an unknown one is not");
}

int main(void)
{
    apr_pool_t *p;

    apr_initialize();
    atexit(apr_terminate);
    apr_pool_create(&p, NULL);
    understands(p);
    refuses(p);
    finds(p);
    apr_pool_destroy(p);
    return tap_done();
}
