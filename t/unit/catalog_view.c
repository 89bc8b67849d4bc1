/* catalog_view.c - a snapshot as different callers may see it: names, columns, sorting, partitions. */
#include <apr_general.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "aurora/catalog.h"
#include "file_with.h"
#include "tap.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* T is PAY's source, and another schema has a T too; OPEN and SHUT share one. */
static const char catalogue[] =
    "{'datasets':{"
    "'PAY':{'source':'HR.T','display_name':'Pay','roles':['hr','audit'],'columns':{"
    "'NAME':{},'SALARY':{'display_name':'Salary','roles':['hr']},'GRADE':{'roles':['hr','audit']},"
    "'name':{'roles':['audit']}},"
    "'partition':{'load_id_column':'SALARY','load_type_column':'KIND','date_column':'GRADE',"
    "'supported_types':['a','b'],'default':'latest'},"
    "'sorting':[{'column':'SALARY'},{'column':'NAME','direction':'DESC'},{'column':'KIND'}],"
    "'row_filter':{'conditions':[{'column':'SALARY','operator':'gt','value':1},"
    "{'column':'OWNER','operator':'eq','value':'x'}]}},"
    "'OPEN':{'source':'HR.U'},'SHUT':{'source':'HR.U','roles':['hr']},"
    "'GREY':{'source':'HR.V','columns':{'A':{'roles':['hr']},'B':{'roles':['hr','audit']}}},"
    "'IDS':{'source':'HR.W','columns':{'A':{},'L':{'roles':['hr']}},"
    "'partition':{'load_id_column':'L'}}}}";

static const aur_catalog_file_t *file_read(apr_pool_t *p)
{
    const char *json = quotes(catalogue, p);
    aur_catalog_file_t *file;
    aur_error_t err;

    read_text(&file, json, strlen(json), &err, p);
    ok(file != NULL, "the catalogue file is read %s", err.detail);
    return file;
}

static const struct {
    const char *schema, *table, *columns; /* one letter and the name, between blanks */
} tables[] = {
    {"HR", "T", "NAME SALARY GRADE name KIND OWNER"},
    {"HR", "U", "A B"},
    {"HR", "V", "A B"},
    {"HR", "W", "A L"},
    {"PUB", "T", "X"},
    {"PUB", "PLAIN", "X"},
};

static const aur_catalog_t *snapshot_make(const char *const **warnings, apr_pool_t *p)
{
    aur_catalog_builder_t *b = aur_catalog_builder_create(p);
    apr_size_t i;

    for (i = 0; i < COUNT(tables); i++) {
        char *last, *name = apr_strtok(apr_pstrdup(p, tables[i].columns), " ", &last);
        aur_catalog_add_table(b, tables[i].schema, tables[i].table, 0, 7);
        for (; name; name = apr_strtok(NULL, " ", &last)) {
            aur_catalog_add_column(b, name, "", AUR_T_NUMBER, 1, 1);
        }
    }
    return aur_catalog_build(b, file_read(p), warnings);
}

/* A caller with these roles, one letter word each. */
static const aur_catalog_t *view_for(const aur_catalog_t *snapshot, const char *roles,
                                     apr_pool_t *p)
{
    aur_viewer_t *viewer = apr_pcalloc(p, sizeof(*viewer));
    apr_array_header_t *list = apr_array_make(p, 2, sizeof(const char *));
    char *last, *role = apr_strtok(apr_pstrdup(p, roles), " ", &last);

    for (; role; role = apr_strtok(NULL, " ", &last)) {
        APR_ARRAY_PUSH(list, const char *) = role;
    }
    viewer->roles = list;
    return aur_catalog_view(snapshot, viewer, p);
}

/* --- which datasets -------------------------------------------------------------------------- */

static const char *list_text(const aur_catalog_t *c, apr_pool_t *p)
{
    const char *out = "";
    int i;

    for (i = 0; i < aur_catalog_count(c); i++) {
        const aur_dataset_t *d = aur_catalog_get(c, i);
        out = apr_psprintf(p, "%s%s%s/%d", out, i ? " " : "", d->name, d->ncolumns);
    }
    return out;
}

static const struct {
    const char *roles, *list;
} lists[] = {
    {"", "IDS/1 OPEN/2 PLAIN/1 PUB.T/1"},
    {"HR Hr hr2 h", "IDS/1 OPEN/2 PLAIN/1 PUB.T/1"},
    {"audit", "GREY/1 IDS/1 OPEN/2 PAY/3 PLAIN/1 PUB.T/1"},
    {"hr", "GREY/2 IDS/2 OPEN/2 PAY/3 PLAIN/1 PUB.T/1 SHUT/2"},
    {"x audit hr", "GREY/2 IDS/2 OPEN/2 PAY/4 PLAIN/1 PUB.T/1 SHUT/2"},
};

static void list(const aur_catalog_t *snapshot, apr_pool_t *p)
{
    apr_size_t i;

    for (i = 0; i < COUNT(lists); i++) {
        const aur_catalog_t *c = view_for(snapshot, lists[i].roles, p);
        is_str(list_text(c, p), lists[i].list, apr_psprintf(p, "datasets of '%s'", lists[i].roles));
        ok(aur_catalog_get(c, 0) == aur_catalog_find(c, aur_catalog_get(c, 0)->name, p),
           "listed and found are the same");
    }
    is_str(list_text(snapshot, p), lists[4].list, "the snapshot itself is whole, and stays so");
    ok(!aur_catalog_viewer(snapshot), "and nobody's");
}

static const struct {
    const char *name, *nobody, *audit, *hr; /* what it finds; NULL: nothing */
} finds[] = {
    {"PAY", NULL, "PAY", "PAY"},          {"pay", NULL, "PAY", "PAY"},
    {"HR.T", NULL, "PAY", "PAY"},         {"hr.t", NULL, "PAY", "PAY"},
    {"T", "PUB.T", NULL, NULL}, /* one of one, or one of two */
    {"PUB.T", "PUB.T", "PUB.T", "PUB.T"}, {"SHUT", NULL, NULL, "SHUT"},
    {"OPEN", "OPEN", "OPEN", "OPEN"},     {"U", "OPEN", "OPEN", NULL},
    {"HR.U", "OPEN", "OPEN", NULL},       {"GREY", NULL, "GREY", "GREY"},
    {"V", NULL, "GREY", "GREY"},          {"HR.V", NULL, "GREY", "GREY"},
    {"NOPE", NULL, NULL, NULL},
};

static void find(const aur_catalog_t *snapshot, apr_pool_t *p)
{
    const aur_catalog_t *views[3];
    apr_size_t i, k;

    views[0] = view_for(snapshot, "", p);
    views[1] = view_for(snapshot, "audit", p);
    views[2] = view_for(snapshot, "hr", p);
    for (i = 0; i < COUNT(finds); i++) {
        const char *want[3] = {finds[i].nobody, finds[i].audit, finds[i].hr};
        for (k = 0; k < 3; k++) {
            const aur_dataset_t *d = aur_catalog_find(views[k], finds[i].name, p);
            is_str(d ? d->name : NULL, want[k],
                   apr_psprintf(p, "%s for caller %d", finds[i].name, (int)k));
        }
    }
    ok(aur_catalog_find(views[2], "PAY", p) == aur_catalog_find(views[2], "hr.t", p),
       "by any name it is the same dataset");
    ok(aur_catalog_find(views[0], "OPEN", p) == aur_catalog_find(snapshot, "OPEN", p),
       "what hides nothing is not copied");
}

/* --- one dataset ----------------------------------------------------------------------------- */

static const char *column_text(const aur_dataset_t *d, int column)
{
    return column < 0 ? "-" : d->columns[column].name;
}

static const char *partition_text(const aur_dataset_t *d, const aur_partition_t *part,
                                  apr_pool_t *p)
{
    return part ? apr_psprintf(p, "%s %s %s %d%s", column_text(d, part->load_id_column),
                               column_text(d, part->load_type_column),
                               column_text(d, part->date_column), part->nsupported,
                               part->default_latest ? " latest" : "")
                : "none";
}

static const char *dataset_text(const aur_dataset_t *d, apr_pool_t *p)
{
    const char *out = "";
    int i;

    for (i = 0; i < d->ncolumns + d->nhidden; i++) {
        out = apr_pstrcat(p, out, i ? " " : "",
                          i == d->ncolumns                   ? "| "
                          : i == d->ncolumns + d->nforbidden ? "|| "
                                                             : "",
                          d->columns[i].name, NULL);
    }
    out = apr_pstrcat(p, out, " sort", NULL);
    for (i = 0; i < d->nsorting; i++) {
        out = apr_pstrcat(p, out, d->sorting[i].descending ? " -" : " +",
                          column_text(d, d->sorting[i].column), NULL);
    }
    out = apr_pstrcat(p, out, " by", NULL);
    for (i = 0; i < d->nfilter_columns; i++) {
        out = apr_pstrcat(p, out, " ", column_text(d, d->filter_columns[i].column), NULL);
    }
    return apr_pstrcat(p, out, " part ", partition_text(d, d->partition, p), " whole ",
                       partition_text(d, d->partition_whole, p), NULL);
}

static void dataset(const aur_catalog_t *snapshot, apr_pool_t *p)
{
    static const char *const names[] = {"SALARY", "salary", "NAME", "name",
                                        "Name",   "GRADE",  "KIND", "OWNER"};
    static const char *const audit[] = {"", "", "NAME", "name", "", "GRADE", "", ""};
    static const char *const hr[] = {"SALARY", "SALARY", "NAME", "NAME", "NAME", "GRADE", "", ""};
    const aur_dataset_t *d = aur_catalog_find(view_for(snapshot, "audit", p), "PAY", p);
    const aur_dataset_t *e = aur_catalog_find(view_for(snapshot, "hr", p), "PAY", p);
    apr_size_t i;

    is_str(dataset_text(d, p),
           "NAME GRADE name | SALARY || KIND OWNER sort -NAME +KIND by SALARY OWNER "
           "part - KIND GRADE 2 whole SALARY KIND GRADE 2 latest",
           "what the roles of audit hide goes behind the rest");
    is_str(dataset_text(e, p),
           "NAME SALARY GRADE | name || KIND OWNER sort +SALARY -NAME +KIND by SALARY OWNER "
           "part SALARY KIND GRADE 2 latest whole SALARY KIND GRADE 2 latest",
           "hr's too");
    for (i = 0; i < COUNT(names); i++) {
        int a = aur_dataset_column(d, names[i], strlen(names[i]), p);
        int h = aur_dataset_column(e, names[i], strlen(names[i]), p);
        is_str(a < 0 ? "" : d->columns[a].name, audit[i], apr_psprintf(p, "%s, audit", names[i]));
        is_str(h < 0 ? "" : e->columns[h].name, hr[i], apr_psprintf(p, "%s, hr", names[i]));
    }
    ok(d->restricted && !d->row_filter, "a filter nobody has read stays one");
    d = aur_catalog_find(view_for(snapshot, "", p), "IDS", p);
    is_str(dataset_text(d, p), "A | L sort by part none whole L - - 0",
           "a partition none of whose columns may be seen is none");
    d = aur_catalog_find(snapshot, "PAY", p);
    is_str(dataset_text(d, p),
           "NAME SALARY GRADE name | KIND OWNER sort +SALARY -NAME +KIND by SALARY OWNER "
           "part SALARY KIND GRADE 2 latest whole SALARY KIND GRADE 2 latest",
           "the snapshot's own is untouched");
}

int main(void)
{
    const aur_catalog_t *snapshot;
    const char *const *warnings;
    apr_pool_t *p;

    apr_initialize();
    atexit(apr_terminate);
    apr_pool_create(&p, NULL);
    snapshot = snapshot_make(&warnings, p);
    ok(!warnings[0], "the catalogue is whole %s", warnings[0] ? warnings[0] : "");
    list(snapshot, p);
    find(snapshot, p);
    dataset(snapshot, p);
    apr_pool_destroy(p);
    return tap_done();
}
