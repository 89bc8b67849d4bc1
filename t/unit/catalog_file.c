/* catalog_file.c - the catalogue file: what it may say, and how mistakes in it are told.
 * Files are written with ' instead of ". */
#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "aurora/catalog.h"
#include "catalog/catalog_parts.h"
#include "file_with.h"
#include "tap.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* --- what is understood ---------------------------------------------------------------------- */

static const char *or_dash(const char *s)
{
    return s ? s : "-";
}

static const char *roles_text(const char *const *roles, apr_pool_t *p)
{
    const char *out = "";

    for (; roles && *roles; roles++) {
        out = apr_pstrcat(p, out, *out ? "," : "@", *roles, NULL);
    }
    return out;
}

static const char *dataset_text(const aur_file_dataset_t *d, apr_pool_t *p)
{
    const char *out = apr_pstrcat(p, d->name, "<", d->source, " ", or_dash(d->display_name), NULL);
    int i;

    for (i = 0; i < d->ncolumns; i++) {
        const aur_file_column_t *c = &d->columns[i];
        out = apr_pstrcat(p, out, " ", c->name, "/", or_dash(c->display_name), "/",
                          or_dash(c->format), roles_text(c->roles, p), NULL);
    }
    if (d->partition) {
        const aur_file_partition_t *part = d->partition;
        out = apr_pstrcat(p, out, " part ", or_dash(part->load_id_column), " ",
                          or_dash(part->load_type_column), " ", or_dash(part->date_column),
                          part->default_latest ? " latest" : "", NULL);
        for (i = 0; i < part->nsupported; i++) {
            out = apr_pstrcat(p, out, " ", part->supported_types[i], NULL);
        }
    }
    for (i = 0; i < d->nsorting; i++) {
        out = apr_pstrcat(p, out, d->sorting[i].descending ? " -" : " +", d->sorting[i].column,
                          d->sorting[i].nulls_first ? "/first" : "/last", NULL);
    }
    for (i = 0; i < d->nfilter_columns; i++) {
        out = apr_pstrcat(p, out, i ? "," : " rows by ", d->filter_columns[i], NULL);
    }
    return apr_pstrcat(p, out, d->row_filter ? " filtered" : "", d->roles ? " " : "",
                       roles_text(d->roles, p), NULL);
}

static const char *file_text(const aur_catalog_file_t *f, apr_pool_t *p)
{
    const char *out = f->discover ? "" : "closed";
    int i;

    for (i = 0; i < f->ndatasets; i++) {
        out = apr_pstrcat(p, out, *out ? "; " : "", dataset_text(&f->datasets[i], p), NULL);
    }
    return out;
}

static const struct {
    const char *text, *want;
} good[] = {
    {"{}", ""},
    {"{'discover':false}", "closed"},
    {"{'discover':true,'datasets':{}}", ""},
    {"{'datasets':{'S':{}}}", "S<S -"},
    {"{'datasets':{'Z':{},'A':{'source':'X.Y','display_name':'An A'}}}", "Z<Z -; A<X.Y An A"},
    {"{'datasets':{'B':{'source':'BANK.MB','columns':{'Z':{},'A':{'display_name':'An A',"
     "'format':'0.00'}},'partition':{'load_id_column':'L','load_type_column':'T',"
     "'date_column':'D','supported_types':['Daily','Monthly'],'default':'latest'},"
     "'sorting':[{'column':'A'},{'column':'Z','direction':'desc'},"
     "{'column':'Q','direction':'DESC','nulls':'LAST'},{'column':'R','nulls':'first'}]}}}",
     "B<BANK.MB - Z/-/- A/An A/0.00 part L T D latest Daily Monthly +A/last -Z/first -Q/last "
     "+R/first"},
    {"{'datasets':{'B':{'partition':{'date_column':'D'}}}}", "B<B - part - - D"},
    {"{'datasets':{'B':{'partition':{'date_column':'D','default':'latest'}}}}",
     "B<B - part - - D latest"},
    {"  {\n'datasets' : { 'é' : { 'source' : '\\u00e9' } } }\n", "é<é -"},
    {"{'datasets':{'S':{'roles':['finance','a b','é'],'columns':{'A':{'roles':['x']},'B':{}}}}}",
     "S<S - A/-/-@x B/-/- @finance,a b,é"},
    {"{'datasets':{'S':{'row_filter':{'logic':'OR','conditions':[{'column':'B','operator':'eq',"
     "'value':{'expr':'%{REMOTE_USER}'}},{'conditions':[{'column':'A.x','operator':'is_null',"
     "'datatype':'text'},{'column':'B','operator':'in','ignore_case':true,'value':['x']}]}]}}}}",
     "S<S - rows by B,A.x filtered"},
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

/* --- what is refused ------------------------------------------------------------------------- */

#define D(members) "{'datasets':{'S':{" members "}}}"

static const struct {
    const char *text, *code, *pointer;
} bad[] = {
    {"", "BAD_JSON", ""},
    {"{", "BAD_JSON", ""},
    {"{}x", "BAD_JSON", ""},
    {"{'datasets':{},'datasets':{}}", "BAD_JSON", ""},
    {"{'datasets':{'S':{},'S':{}}}", "BAD_JSON", ""},
    {"{'x':'\xff'}", "BAD_JSON", ""},
    {"{'x':'\\u0000'}", "BAD_JSON", ""},
    {"{'x':'\\ud800'}", "BAD_JSON", ""},
    {"[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", "BAD_JSON", ""},
    {"[]", "BAD_REQUEST", ""},
    {"7", "BAD_REQUEST", ""},
    {"{'dataset':{}}", "BAD_REQUEST", "/dataset"},
    {"{'discover':'no'}", "BAD_REQUEST", "/discover"},
    {"{'discover':0}", "BAD_REQUEST", "/discover"},
    {"{'discover':null}", "BAD_REQUEST", "/discover"},
    {"{'datasets':null}", "BAD_REQUEST", "/datasets"},
    {D("'source':null"), "BAD_REQUEST", "/datasets/S/source"},
    {D("'columns':null"), "BAD_REQUEST", "/datasets/S/columns"},
    {D("'columns':{'A':{'format':null}}"), "BAD_REQUEST", "/datasets/S/columns/A/format"},
    {D("'partition':null"), "BAD_REQUEST", "/datasets/S/partition"},
    {D("'partition':{'load_id_column':'L','default':null}"), "BAD_REQUEST",
     "/datasets/S/partition/default"},
    {D("'partition':{'load_id_column':'L','supported_types':[]}"), "BAD_REQUEST",
     "/datasets/S/partition/supported_types"},
    {D("'sorting':null"), "BAD_REQUEST", "/datasets/S/sorting"},
    {D("'sorting':[{'column':'A','nulls':null}]"), "BAD_REQUEST", "/datasets/S/sorting/0/nulls"},
    {D("'row_filter':{'logic':null,'conditions':[{'column':'A','operator':'is_null'}]}"),
     "BAD_REQUEST", "/datasets/S/row_filter/logic"},
    {D("'row_filter':{'conditions':[{'column':'A','operator':'is_null','ignore_case':null}]}"),
     "BAD_REQUEST", "/datasets/S/row_filter/conditions/0/ignore_case"},
    {"{'datasets':[]}", "BAD_REQUEST", "/datasets"},
    {"{'datasets':{'S':'T'}}", "BAD_REQUEST", "/datasets/S"},
    {"{'datasets':{'S':null}}", "BAD_REQUEST", "/datasets/S"},
    {"{'datasets':{'':{}}}", "BAD_REQUEST", "/datasets/"},
    {"{'datasets':{'Été':{},'T':{},'éTÉ':{}}}", "BAD_REQUEST", "/datasets/éTÉ"},
    {"{'datasets':{'a/b~':{'x':1}}}", "BAD_REQUEST", "/datasets/a~1b~0/x"},
    {D("'source':1"), "BAD_REQUEST", "/datasets/S/source"},
    {D("'source':''"), "BAD_REQUEST", "/datasets/S/source"},
    {D("'Source':'T'"), "BAD_REQUEST", "/datasets/S/Source"},
    {D("'display_name':[]"), "BAD_REQUEST", "/datasets/S/display_name"},
    {D("'columns':[]"), "BAD_REQUEST", "/datasets/S/columns"},
    {D("'columns':{}"), "BAD_REQUEST", "/datasets/S/columns"},
    {D("'columns':{'':{}}"), "BAD_REQUEST", "/datasets/S/columns/"},
    {D("'columns':{'A':'An A'}"), "BAD_REQUEST", "/datasets/S/columns/A"},
    {D("'columns':{'A':{'display_name':5}}"), "BAD_REQUEST", "/datasets/S/columns/A/display_name"},
    {D("'columns':{'A':{'format':true}}"), "BAD_REQUEST", "/datasets/S/columns/A/format"},
    {D("'columns':{'A':{'width':5}}"), "BAD_REQUEST", "/datasets/S/columns/A/width"},
    {D("'partition':'L'"), "BAD_REQUEST", "/datasets/S/partition"},
    {D("'partition':{}"), "BAD_REQUEST", "/datasets/S/partition"},
    {D("'partition':{'roles':['x']}"), "BAD_REQUEST", "/datasets/S/partition/roles"},
    {D("'partition':{'load_id_column':5}"), "BAD_REQUEST", "/datasets/S/partition/load_id_column"},
    {D("'partition':{'load_id_column':''}"), "BAD_REQUEST", "/datasets/S/partition/load_id_column"},
    {D("'partition':{'load_id_column':'L','load_type_column':[]}"), "BAD_REQUEST",
     "/datasets/S/partition/load_type_column"},
    {D("'partition':{'load_id_column':'L','date_column':{}}"), "BAD_REQUEST",
     "/datasets/S/partition/date_column"},
    {D("'partition':{'load_id_column':'L','default':'first'}"), "BAD_REQUEST",
     "/datasets/S/partition/default"},
    {D("'partition':{'load_type_column':'L','default':'latest'}"), "BAD_REQUEST",
     "/datasets/S/partition/default"},
    {D("'partition':{'load_id_column':'L','default':['latest']}"), "BAD_REQUEST",
     "/datasets/S/partition/default"},
    {D("'partition':{'load_id_column':'L','supported_types':['x']}"), "BAD_REQUEST",
     "/datasets/S/partition/supported_types"},
    {D("'partition':{'load_type_column':'L','supported_types':'x'}"), "BAD_REQUEST",
     "/datasets/S/partition/supported_types"},
    {D("'partition':{'load_type_column':'L','supported_types':['x',1]}"), "BAD_REQUEST",
     "/datasets/S/partition/supported_types/1"},
    {D("'sorting':{}"), "BAD_REQUEST", "/datasets/S/sorting"},
    {D("'sorting':['A']"), "BAD_REQUEST", "/datasets/S/sorting/0"},
    {D("'sorting':[{'direction':'ASC'}]"), "BAD_REQUEST", "/datasets/S/sorting/0/column"},
    {D("'sorting':[{'column':'A','direction':'up'}]"), "BAD_REQUEST",
     "/datasets/S/sorting/0/direction"},
    {D("'sorting':[{'column':'A','nulls':1}]"), "BAD_REQUEST", "/datasets/S/sorting/0/nulls"},
    {D("'sorting':[{'column':'A','order':1}]"), "BAD_REQUEST", "/datasets/S/sorting/0/order"},
    {D("'roles':null"), "BAD_REQUEST", "/datasets/S/roles"},
    {D("'roles':[]"), "BAD_REQUEST", "/datasets/S/roles"},
    {D("'roles':'finance'"), "BAD_REQUEST", "/datasets/S/roles"},
    {D("'roles':{'finance':true}"), "BAD_REQUEST", "/datasets/S/roles"},
    {D("'roles':['finance',null]"), "BAD_REQUEST", "/datasets/S/roles/1"},
    {D("'roles':['finance','']"), "BAD_REQUEST", "/datasets/S/roles/1"},
    {D("'roles':['finance,audit']"), "BAD_REQUEST", "/datasets/S/roles/0"},
    {D("'roles':[' finance']"), "BAD_REQUEST", "/datasets/S/roles/0"},
    {D("'roles':['x','finance\\t']"), "BAD_REQUEST", "/datasets/S/roles/1"},
    {D("'Roles':['x']"), "BAD_REQUEST", "/datasets/S/Roles"},
    {D("'columns':{'A':{'roles':[]}}"), "BAD_REQUEST", "/datasets/S/columns/A/roles"},
    {D("'columns':{'A':{'roles':null}}"), "BAD_REQUEST", "/datasets/S/columns/A/roles"},
    {D("'columns':{'A':{'row_filter':{}}}"), "BAD_REQUEST", "/datasets/S/columns/A/row_filter"},
    {D("'row_filter':null"), "BAD_REQUEST", "/datasets/S/row_filter"},
    {D("'row_filter':[]"), "BAD_REQUEST", "/datasets/S/row_filter"},
    {D("'row_filter':{}"), "BAD_REQUEST", "/datasets/S/row_filter/conditions"},
    {D("'row_filter':{'conditions':[]}"), "BAD_REQUEST", "/datasets/S/row_filter/conditions"},
    {D("'row_filter':{'conditions':null}"), "BAD_REQUEST", "/datasets/S/row_filter/conditions"},
    {D("'row_filter':{'column':'A','operator':'is_null'}"), "BAD_REQUEST",
     "/datasets/S/row_filter/column"},
    {D("'row_filter':{'conditions':[{'column':'A','operator':'is_null'}],'not':true}"),
     "BAD_REQUEST", "/datasets/S/row_filter/not"},
    {D("'row_filter':{'conditions':[{'conditions':[]}]}"), "BAD_REQUEST",
     "/datasets/S/row_filter/conditions/0/conditions"},
    {D("'row_filter':{'conditions':['x']}"), "BAD_REQUEST", "/datasets/S/row_filter/conditions/0"},
    {D("'row_filter':{'conditions':[{'column':'A','operator':'eq','value':1,'ignorecase':true}]}"),
     "BAD_REQUEST", "/datasets/S/row_filter/conditions/0/ignorecase"},
    {D("'row_filter':{'conditions':[{'column':5,'operator':'eq','value':1}]}"), "BAD_REQUEST",
     "/datasets/S/row_filter/conditions/0/column"},
    {D("'row_filter':{'conditions':[{'column':'A','conditions':[]}]}"), "BAD_REQUEST",
     "/datasets/S/row_filter/conditions/0/conditions"},
};

static void refuses(apr_pool_t *p)
{
    apr_size_t i;

    for (i = 0; i < COUNT(bad); i++) {
        aur_catalog_file_t *f;
        aur_error_t err;
        const char *text = quotes(bad[i].text, p), *got = "(accepted)";

        if (read_text(&f, text, strlen(text), &err, p) != APR_SUCCESS) {
            got = apr_pstrcat(p, aur_error_code(err.code), " ", err.pointer, NULL);
        }
        is_str(got, apr_pstrcat(p, bad[i].code, " ", bad[i].pointer, NULL), bad[i].text);
        ok(!f && (!*err.pointer || !strncmp(err.detail, err.pointer, strlen(err.pointer))),
           "the detail begins with the pointer: %s", err.detail);
    }
}

/* --- the file itself ------------------------------------------------------------------------- */

static void the_file(apr_pool_t *p)
{
    apr_size_t len = AUR_CATALOG_FILE_MAX;
    char *text = apr_palloc(p, len + 1);
    aur_catalog_file_t *f = NULL;
    aur_error_t err;
    const char *dir;

    memset(text, ' ', len + 1);
    memcpy(text, "{}", 2);
    is_int(read_text(&f, text, len, &err, p), APR_SUCCESS, "16 MiB are read");
    is_int(read_text(&f, text, len + 1, &err, p), APR_EGENERAL, "one byte more is refused");
    ok(strstr(err.detail, "16 MiB"), "and says so: %s", err.detail);
    aur_error_clear(&err);
    is_int(aur_catalog_file_read(&f, "/nonexistent/catalogue.json", &err, p), APR_EGENERAL,
           "a file that is not there");
    ok(*err.detail && !strstr(err.detail, "nonexistent"), "is told without its path: %s",
       err.detail);
    aur_error_clear(&err);
    ok(apr_temp_dir_get(&dir, p) == APR_SUCCESS &&
           aur_catalog_file_read(&f, dir, &err, p) == APR_EGENERAL && strstr(err.detail, "regular"),
       "a folder is no file: %s", err.detail);
    ok(read_text(&f, "{\n\n  \"datasets\": }\n", 19, &err, p) == APR_EGENERAL &&
           strstr(err.detail, "line 3, column 15"),
       "a syntax error has line and column: %s", err.detail);
}

int main(void)
{
    apr_pool_t *p;

    apr_initialize();
    atexit(apr_terminate);
    apr_pool_create(&p, NULL);
    understands(p);
    refuses(p);
    the_file(p);
    apr_pool_destroy(p);
    return tap_done();
}
