/* catalog.c - snapshots: names, the catalogue file laid over what was discovered, look-ups. */
#include <apr_general.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "aurora/catalog.h"
#include "file_with.h"
#include "tap.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static aur_catalog_file_t *file_of(const char *text, apr_pool_t *p)
{
    const char *json = quotes(text, p);
    aur_catalog_file_t *file;
    aur_error_t err;

    if (read_text(&file, json, strlen(json), &err, p) != APR_SUCCESS) {
        ok(0, "catalogue file: %s", err.detail);
    }
    return file;
}

/* What a database may hold: several schemas, names that differ in case only, dots. */
static aur_catalog_builder_t *discovered(apr_pool_t *p)
{
    aur_catalog_builder_t *b = aur_catalog_builder_create(p);

    aur_catalog_add_table(b, "BANK", "MONTHLY_BALANCE", 0, 1000);
    aur_catalog_add_column(b, "ACCOUNT", "VARCHAR(40)", AUR_T_TEXT, 0, 1);
    aur_catalog_add_column(b, "AMOUNT", "NUMBER", AUR_T_NUMBER, 1, 1);
    aur_catalog_add_column(b, "LOAD_ID", "NUMBER", AUR_T_NUMBER, 1, 1);
    aur_catalog_add_column(b, "LOAD_TYPE", NULL, AUR_T_TEXT, 1, 1);
    aur_catalog_add_column(b, "AS_OF", "DATE", AUR_T_DATE, 1, 1);
    aur_catalog_add_column(b, "SCAN", "BLOB", AUR_T_BINARY, 1, 0);
    aur_catalog_add_table(b, "BANK", "SALES", 0, -1);
    aur_catalog_add_column(b, "Amount", "", AUR_T_NUMBER, 1, 1);
    aur_catalog_add_column(b, "AMOUNT", "", AUR_T_TEXT, 1, 1);
    aur_catalog_add_column(b, "Émile", "", AUR_T_TEXT, 1, 1);
    aur_catalog_add_table(b, "HR", "SALES", 1, -1);
    aur_catalog_add_column(b, "X", "", AUR_T_TEXT, 1, 1);
    aur_catalog_add_table(b, "HR", "people", 0, -1);
    aur_catalog_add_column(b, "X", "", AUR_T_TEXT, 1, 1);
    aur_catalog_add_table(b, "HR", "PEOPLE", 0, -1);
    aur_catalog_add_column(b, "Y", "", AUR_T_TEXT, 1, 1);
    aur_catalog_add_table(b, NULL, "Plain", 0, 5);
    aur_catalog_add_column(b, "Z", "", AUR_T_TEXT, 1, 1);
    aur_catalog_add_table(b, "", "Empty", 0, 0);
    return b;
}

/* NAME(COL,COL|HIDDEN) ... */
static const char *catalog_text(const aur_catalog_t *c, apr_pool_t *p)
{
    const char *out = "";
    int i, k;

    for (i = 0; i < aur_catalog_count(c); i++) {
        const aur_dataset_t *d = aur_catalog_get(c, i);
        out = apr_pstrcat(p, out, i ? " " : "", d->name, "(", NULL);
        for (k = 0; k < d->ncolumns + d->nhidden; k++) {
            out = apr_pstrcat(p, out,
                              k == d->ncolumns ? "|"
                              : k              ? ","
                                               : "",
                              d->columns[k].name, NULL);
        }
        out = apr_pstrcat(p, out, ")", NULL);
    }
    return out;
}

#define BALANCE "ACCOUNT,AMOUNT,LOAD_ID,LOAD_TYPE,AS_OF,SCAN"
#define OTHERS  "BANK.SALES(Amount,AMOUNT,Émile) Empty() HR.PEOPLE(Y) HR.SALES(X) HR.people(X)"

static const struct {
    const char *name, *file, *want, *warning; /* the beginning of the only warning, or NULL */
} builds[] = {
    {"no file: short names where they are unique", NULL,
     OTHERS " MONTHLY_BALANCE(" BALANCE ") Plain(Z)", NULL},
    {"an empty file changes nothing", "{}", OTHERS " MONTHLY_BALANCE(" BALANCE ") Plain(Z)", NULL},
    {"closed without datasets", "{'discover':false}", "", NULL},
    {"a dataset takes its table's place, source by name", "{'datasets':{'monthly_balance':{}}}",
     OTHERS " Plain(Z) monthly_balance(" BALANCE ")", NULL},
    {"columns: only those, in that order, spelt as the database does",
     "{'discover':false,'datasets':{'B':{'source':'bank.monthly_balance',"
     "'columns':{'amount':{},'Account':{}}}}}",
     "B(AMOUNT,ACCOUNT)", NULL},
    {"partition and sorting may use columns that are not listed",
     "{'discover':false,'datasets':{'B':{'source':'MONTHLY_BALANCE','columns':{'AMOUNT':{}},"
     "'partition':{'load_id_column':'load_id','load_type_column':'LOAD_TYPE'},"
     "'sorting':[{'column':'AMOUNT'},{'column':'AS_OF'},{'column':'LOAD_ID'}]}}}",
     "B(AMOUNT|LOAD_TYPE,LOAD_ID,AS_OF)", NULL},
    {"two datasets on one table",
     "{'discover':false,'datasets':{'B':{'source':'MONTHLY_BALANCE','columns':{'AMOUNT':{}}},"
     "'A':{'source':'MONTHLY_BALANCE','columns':{'ACCOUNT':{}}}}}",
     "A(ACCOUNT) B(AMOUNT)", NULL},
    {"exact spelling of a source wins",
     "{'discover':false,'datasets':{'P':{'source':'people'},'Q':{'source':'HR.PEOPLE'}}}",
     "P(X) Q(Y)", NULL},
    {"no such source", "{'discover':false,'datasets':{'B':{'source':'BANK.NOTHING'}}}", "",
     "/datasets/B: the database does not have the source BANK.NOTHING"},
    {"an ambiguous source", "{'discover':false,'datasets':{'SALES':{}}}", "",
     "/datasets/SALES: several schemas have the source SALES"},
    {"whichever of them is meant, none is served without its rights",
     "{'datasets':{'PAY':{'source':'sales','roles':['hr']}}}",
     "Empty() HR.PEOPLE(Y) HR.people(X) MONTHLY_BALANCE(" BALANCE ") Plain(Z)",
     "/datasets/PAY: several schemas have the source sales"},
    {"nor where letter case alone tells them apart", "{'datasets':{'PAY':{'source':'hr.People'}}}",
     "BANK.SALES(Amount,AMOUNT,Émile) Empty() HR.SALES(X) MONTHLY_BALANCE(" BALANCE ") Plain(Z)",
     "/datasets/PAY: several schemas have the source hr.People"},
    {"no such column: the table stays hidden too",
     "{'datasets':{'B':{'source':'MONTHLY_BALANCE','columns':{'AMOUNT':{},'NOPE':{}}}}}",
     OTHERS " Plain(Z)", "/datasets/B: its source has no column NOPE"},
    {"a column listed twice",
     "{'discover':false,'datasets':{'B':{'source':'MONTHLY_BALANCE',"
     "'columns':{'AMOUNT':{},'amount':{}}}}}",
     "", "/datasets/B: it lists the column amount twice"},
    {"more columns listed than there are",
     "{'discover':false,'datasets':{'B':{'source':'Plain',"
     "'columns':{'Z':{},'z':{},'Y':{},'X':{}}}}}",
     "", "/datasets/B: it lists the column z twice"},
    {"an ambiguous column",
     "{'discover':false,'datasets':{'B':{'source':'BANK.SALES','columns':{'amount':{}}}}}", "",
     "/datasets/B: its source has several spellings of column amount"},
    {"no such partition column",
     "{'discover':false,'datasets':{'B':{'source':'MONTHLY_BALANCE',"
     "'partition':{'load_id_column':'LOAD'}}}}",
     "", "/datasets/B: its source has no column LOAD"},
    {"a partition column that cannot be compared",
     "{'discover':false,'datasets':{'B':{'source':'MONTHLY_BALANCE',"
     "'partition':{'load_id_column':'SCAN'}}}}",
     "", "/datasets/B: the column SCAN cannot be compared"},
    {"no such sorting column",
     "{'discover':false,'datasets':{'B':{'source':'MONTHLY_BALANCE','sorting':[{'column':'Q'}]}}}",
     "", "/datasets/B: its source has no column Q"},
    {"a dataset takes another table's name", "{'datasets':{'Monthly_Balance':{'source':'Plain'}}}",
     "BANK.MONTHLY_BALANCE(" BALANCE ") " OTHERS " Monthly_Balance(Z)", NULL},
    {"a dataset takes the only name of another table", "{'datasets':{'empty':{'source':'Plain'}}}",
     "BANK.SALES(Amount,AMOUNT,Émile) HR.PEOPLE(Y) HR.SALES(X) HR.people(X) "
     "MONTHLY_BALANCE(" BALANCE ") empty(Z)",
     "/datasets: a dataset with another source has the name of table Empty"},
};

static void building(apr_pool_t *p)
{
    apr_size_t i;

    for (i = 0; i < COUNT(builds); i++) {
        aur_catalog_file_t *file = builds[i].file ? file_of(builds[i].file, p) : NULL;
        const char *const *warnings;
        aur_catalog_t *c = aur_catalog_build(discovered(p), file, &warnings);

        is_str(catalog_text(c, p), builds[i].want, builds[i].name);
        if (builds[i].warning) {
            ok(warnings[0] && !warnings[1] &&
                   !strncmp(warnings[0], builds[i].warning, strlen(builds[i].warning)),
               "%s: is warned of (%s)", builds[i].name, warnings[0] ? warnings[0] : "not");
        }
        else {
            ok(!warnings[0], "%s: no warning", builds[i].name);
        }
    }
}

/* --- look-ups -------------------------------------------------------------------------------- */

static const struct {
    const char *name, *want; /* NULL: unknown or ambiguous */
} finds[] = {
    {"MONTHLY_BALANCE", "MONTHLY_BALANCE"},
    {"monthly_balance", "MONTHLY_BALANCE"},
    {"bank.Monthly_Balance", "MONTHLY_BALANCE"},
    {"BANK.SALES", "BANK.SALES"},
    {"hr.sales", "HR.SALES"},
    {"SALES", NULL},
    {"people", "HR.people"},
    {"PEOPLE", "HR.PEOPLE"},
    {"People", NULL},
    {"HR.people", "HR.people"},
    {"HR.PEOPLE", "HR.PEOPLE"},
    {"hr.People", NULL},
    {"plain", "Plain"},
    {".Plain", NULL},
    {"", NULL},
    {"MONTHLY_BALANCE ", NULL},
    {"BANK.MONTHLY_BALANCE.X", NULL},
    {"'; DROP TABLE SALES; --", NULL},
};

static void finding(apr_pool_t *p)
{
    const aur_catalog_t *c = aur_catalog_build(discovered(p), NULL, NULL);
    apr_size_t i;

    for (i = 0; i < COUNT(finds); i++) {
        const aur_dataset_t *d = aur_catalog_find(c, finds[i].name, p);
        is_str(d ? d->name : NULL, finds[i].want, finds[i].name);
    }
}

static void finding_with_file(apr_pool_t *p)
{
    const aur_catalog_t *c = aur_catalog_build(
        discovered(p),
        file_of("{'datasets':{'people':{'source':'Plain'},'B':{'source':'BANK.MONTHLY_BALANCE'}}}",
                p),
        NULL);
    const aur_dataset_t *d = aur_catalog_find(c, "PEOPLE", p);

    is_str(d ? d->name : NULL, "people", "a dataset's own name goes before a table's");
    d = aur_catalog_find(c, "monthly_balance", p);
    is_str(d ? d->name : NULL, "B", "a table still leads to its dataset");
    c = aur_catalog_build(discovered(p),
                          file_of("{'datasets':{'A':{'source':'MONTHLY_BALANCE'},"
                                  "'B':{'source':'MONTHLY_BALANCE'}}}",
                                  p),
                          NULL);
    ok(!aur_catalog_find(c, "MONTHLY_BALANCE", p), "but not to one of two");
}

static void columns(apr_pool_t *p)
{
    static const struct {
        const char *name;
        int want;
    } cases[] = {{"Amount", 0}, {"AMOUNT", 1}, {"amount", -1}, {"Émile", 2},
                 {"ÉMILE", 2},  {"", -1},      {"Amount ", -1}};
    const aur_catalog_t *c = aur_catalog_build(discovered(p), NULL, NULL);
    const aur_dataset_t *d = aur_catalog_find(c, "BANK.SALES", p);
    apr_size_t i;

    for (i = 0; i < COUNT(cases); i++) {
        is_int(aur_dataset_column(d, cases[i].name, strlen(cases[i].name), p), cases[i].want,
               cases[i].name);
    }
    is_int(aur_dataset_column(d, "AMOUNT.x", 6, p), 1, "only len bytes of a name count");
}

static void details(apr_pool_t *p)
{
    const aur_catalog_t *c = aur_catalog_build(
        discovered(p),
        file_of("{'datasets':{'B':{'source':'BANK.MONTHLY_BALANCE','display_name':'Balances',"
                "'columns':{'AMOUNT':{'display_name':'The amount','format':'0.00'},"
                "'LOAD_TYPE':{}},'partition':{'load_id_column':'LOAD_ID',"
                "'load_type_column':'LOAD_TYPE','supported_types':['Daily'],'default':'latest'},"
                "'sorting':[{'column':'AS_OF','direction':'DESC'},{'column':'amount'}]}}}",
                p),
        NULL);
    const aur_dataset_t *d = aur_catalog_find(c, "b", p);

    is_str(d->display_name, "Balances", "display name of a dataset");
    is_str(d->schema, "BANK", "its schema");
    is_str(d->table, "MONTHLY_BALANCE", "its table");
    is_int(d->row_estimate, 1000, "its estimate");
    is_str(d->columns[0].display_name, "The amount", "display name of a column");
    is_str(d->columns[0].format, "0.00", "format of a column");
    is_str(d->columns[1].display_name, "LOAD_TYPE", "a column's name stands in");
    is_str(d->columns[1].data_type, "", "a type without a text");
    is_int(d->partition->load_type_column, 1, "a partition column that is listed");
    is_str(d->columns[d->partition->load_id_column].name, "LOAD_ID", "one that is not");
    ok(d->partition->load_id_column >= d->ncolumns, "is hidden");
    is_int(aur_dataset_column(d, "LOAD_ID", 7, p), -1, "and cannot be named");
    is_int(d->partition->date_column, -1, "one that is not configured");
    is_int(d->partition->default_latest, 1, "default partition");
    is_str(d->partition->supported_types[0], "Daily", "supported types");
    is_int(d->nsorting, 2, "default sorting");
    ok(d->sorting[0].descending && d->sorting[0].nulls_first, "descending: nulls first");
    ok(!d->sorting[1].descending && !d->sorting[1].nulls_first && d->sorting[1].column == 0,
       "ascending: nulls last");
    d = aur_catalog_find(c, "HR.SALES", p);
    ok(d->is_view && !d->partition && !d->nsorting && d->row_estimate == -1, "a discovered view");
    is_str(aur_catalog_find(c, "Plain", p)->schema, NULL, "no schema");
    is_str(aur_catalog_find(c, "Empty", p)->schema, NULL, "an empty schema is none");
}

/* The snapshot lives on its own pool: neither the file nor the names given may be needed. */
static void stands_alone(apr_pool_t *p)
{
    apr_pool_t *files, *own;
    aur_catalog_builder_t *b;
    aur_catalog_t *c;
    char name[] = "T";

    apr_pool_create(&files, p);
    apr_pool_create(&own, p);
    b = aur_catalog_builder_create(own);
    aur_catalog_add_table(b, name, name, 0, 1);
    aur_catalog_add_column(b, name, name, AUR_T_TEXT, 1, 1);
    name[0] = 'X';
    c = aur_catalog_build(b,
                          file_of("{'datasets':{'D':{'source':'T.T','display_name':'N',"
                                  "'columns':{'T':{'display_name':'C','format':'@'}},"
                                  "'partition':{'load_type_column':'T','supported_types':['x']}}}}",
                                  files),
                          NULL);
    apr_pool_destroy(files);
    is_str(catalog_text(c, p), "D(T)", "a snapshot outlives the file");
    is_str(aur_catalog_find(c, "d", p)->partition->supported_types[0], "x", "its lists too");
    is_str(aur_catalog_get(c, 0)->columns[0].format, "@", "and formats");
    apr_pool_destroy(own);
}

/* A table by another name is no way around what the file says of it. */
static void synonyms(apr_pool_t *p)
{
    static const struct {
        const char *file, *want;
    } cases[] = {
        {"{}", "ALIAS(C) OTHER(C) OWN(C) PAY(C)"},
        {"{'datasets':{'HIDDEN':{'source':'HR.PAY','roles':['hr']}}}", "HIDDEN(C) OWN(C)"},
        {"{'datasets':{'HIDDEN':{'source':'ALIAS','roles':['hr']}}}", "HIDDEN(C) OWN(C)"},
        {"{'datasets':{'HIDDEN':{'source':'ALIAS','columns':{'NOPE':{}}}}}", "OWN(C)"},
        {"{'datasets':{'HIDDEN':{'source':'OWN','roles':['hr']}}}",
         "ALIAS(C) HIDDEN(C) OTHER(C) PAY(C)"},
        {"{'datasets':{'PAY':{'roles':['hr']},'OTHER':{}}}", "OTHER(C) OWN(C) PAY(C)"},
    };
    static const char *const names[][2] = {
        {"HR", "PAY"}, {"APP", "ALIAS"}, {"APP", "OTHER"}, {"APP", "OWN"}};
    apr_size_t i, k;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        aur_catalog_builder_t *b = aur_catalog_builder_create(p);
        for (k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
            aur_catalog_add_table(b, names[k][0], names[k][1], 0, 1);
            aur_catalog_table_is(b, k < 3 ? "HR" : "APP", k < 3 ? "PAY" : "OWN");
            aur_catalog_add_column(b, "C", "", AUR_T_TEXT, 1, 1);
        }
        is_str(catalog_text(aur_catalog_build(b, file_of(cases[i].file, p), NULL), p),
               cases[i].want, cases[i].file);
    }
}

static void many_tables(apr_pool_t *p)
{
    aur_catalog_builder_t *b = aur_catalog_builder_create(p);
    aur_catalog_t *c;
    int i, sorted = 1, found = 1;

    for (i = 0; i < 5000; i++) {
        aur_catalog_add_table(b, "S", apr_psprintf(p, "T%d", (i * 7919) % 5000), 0, i);
        aur_catalog_add_column(b, "C", "", AUR_T_TEXT, 1, 1);
    }
    c = aur_catalog_build(b, NULL, NULL);
    is_int(aur_catalog_count(c), 5000, "5000 tables");
    for (i = 1; i < 5000; i++) {
        sorted &= strcmp(aur_catalog_get(c, i - 1)->name, aur_catalog_get(c, i)->name) < 0;
        found &= aur_catalog_find(c, apr_psprintf(p, "s.t%d", i), p) != NULL;
    }
    ok(sorted, "are sorted by name");
    ok(found, "are all found");
}

int main(void)
{
    apr_pool_t *p;

    apr_initialize();
    atexit(apr_terminate);
    apr_pool_create(&p, NULL);
    building(p);
    finding(p);
    finding_with_file(p);
    columns(p);
    details(p);
    stands_alone(p);
    synonyms(p);
    many_tables(p);
    apr_pool_destroy(p);
    return tap_done();
}
