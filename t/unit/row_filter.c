/* row_filter.c - row filters: what they may say, and what they become for one caller. An expression is a
 * word here; what it gives stands in a table. */
#include <apr_general.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "aurora/query.h"
#include "aurora/row_filter.h"
#include "query/query_read.h"
#include "file_with.h"
#include "tap.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* --- reading --------------------------------------------------------------------------------- */

static const char *compile(const void **expr, void *ctx, const char *text, apr_pool_t *p)
{
    *expr = apr_pstrdup(p, text);
    return strstr(text, "%{") ? "unclosed" : NULL;
}

/* A file whose datasets S and J have this filter, J the newest partition as well, gone with p. read: row filters
 * as well. */
static apr_status_t file_read(aur_catalog_file_t **file, const char *filter, int read,
                              aur_error_t *err, apr_pool_t *p)
{
    const char *text =
        quotes(apr_psprintf(p,
                            "{'datasets':{'S':{'source':'M.SALES','columns':{'ID':{},"
                            "'REGION':{}},'row_filter':%s},"
                            "'J':{'source':'M.OTHER','partition':{'load_id_column':'DAY',"
                            "'default':'latest'},'row_filter':%s}}}",
                            filter, filter),
               p);
    aur_expr_compiler_t compiler = {compile, NULL};
    apr_status_t rv = read_text(file, text, strlen(text), err, p);

    return rv == APR_SUCCESS && read ? aur_row_filters_read(*file, &compiler, err, p) : rv;
}

#define F(rules) "{'logic':'AND','conditions':[" rules "]}"
#define R(rest)  F("{'column':'REGION'," rest "}")

static const struct {
    const char *filter, *want; /* code and pointer below row_filter */
} bad[] = {
    {R("'operator':'is'"), "UNKNOWN_OPERATOR /conditions/0/operator"},
    {R("'value':1"), "BAD_REQUEST /conditions/0/operator"},
    {R("'operator':'eq'"), "BAD_VALUE /conditions/0/value"},
    {R("'operator':'eq','value':null"), "BAD_VALUE /conditions/0/value"},
    {R("'operator':'eq','value':{}"), "BAD_REQUEST /conditions/0/value"},
    {R("'operator':'eq','value':{'expression':'x'}"), "BAD_REQUEST /conditions/0/value/expression"},
    {R("'operator':'eq','value':{'expr':'x','default':'y'}"),
     "BAD_REQUEST /conditions/0/value/default"},
    {R("'operator':'eq','value':{'expr':''}"), "BAD_REQUEST /conditions/0/value/expr"},
    {R("'operator':'eq','value':{'expr':5}"), "BAD_REQUEST /conditions/0/value/expr"},
    {R("'operator':'eq','value':{'expr':null}"), "BAD_REQUEST /conditions/0/value/expr"},
    {R("'operator':'eq','value':{'expr':'%{user'}"), "BAD_REQUEST /conditions/0/value/expr"},
    {R("'operator':'eq','value':['x']"), "BAD_REQUEST /conditions/0/value"},
    {R("'operator':'in','value':[]"), "BAD_REQUEST /conditions/0/value"},
    {R("'operator':'in','value':'a,b'"), "BAD_REQUEST /conditions/0/value"},
    {R("'operator':'in','value':['a',{'expr':'%{'}]"), "BAD_REQUEST /conditions/0/value/1/expr"},
    {R("'operator':'between','value':[1,2,3]"), "BAD_REQUEST /conditions/0/value"},
    {R("'operator':'between','value':[{'expr':'%{'},2]"), "BAD_REQUEST /conditions/0/value/0/expr"},
    {"{'logic':'NOT','conditions':[{'column':'ID','operator':'is_null'}]}", "BAD_REQUEST /logic"},
};

static void refuses(apr_pool_t *p)
{
    apr_size_t i;

    for (i = 0; i < COUNT(bad); i++) {
        const char *at = "/datasets/S/row_filter", *got = "(accepted)";
        aur_catalog_file_t *file;
        aur_error_t err;

        if (file_read(&file, bad[i].filter, 1, &err, p) != APR_SUCCESS) {
            ok(!strncmp(err.pointer, at, strlen(at)) &&
                   !strncmp(err.detail, err.pointer, strlen(err.pointer)),
               "told with its place: %s", err.detail);
            got = apr_pstrcat(p, aur_error_code(err.code), " ", err.pointer + strlen(at), NULL);
        }
        is_str(got, bad[i].want, bad[i].filter);
    }
}

/* --- for one caller -------------------------------------------------------------------------- */

static const struct {
    const char *expr, *gives;
} words[] = {
    {"one", "1"},     {"north", "North"}, {"list", " North,South ,, West,"},
    {"ids", "1, 2"},  {"nothing", ""},    {"commas", " , ,"},
    {"broken", NULL}, {"latin", "\xe9"},  {"quote", "' OR 1=1 --"},
    {"range", "3,9"}, {"half", "3,"},     {"otherhalf", ",9"},
    {"alone", "3"},   {"bad", "1,x"},     {"many", NULL},
    {"blank", " "},   {"empty", ""},
};

/* What the caller's log was told. */
typedef struct told_t {
    const char *many, *why;
    int times;
    apr_pool_t *p;
} told_t;

static const char *value(void *ctx, const void *expr)
{
    told_t *told = ctx;
    apr_size_t i;

    for (i = 0; i < COUNT(words); i++) {
        if (!strcmp(words[i].expr, expr)) {
            return strcmp(expr, "many") ? words[i].gives : told->many;
        }
    }
    return NULL;
}

static void no_rows(void *ctx, const aur_dataset_t *dataset, const char *why)
{
    told_t *told = ctx;

    told->times++;
    told->why = apr_pstrcat(told->p, dataset->name, " ", why, NULL);
}

static const aur_catalog_t *snapshot_make(const aur_catalog_file_t *file, apr_pool_t *p)
{
    aur_catalog_builder_t *b = aur_catalog_builder_create(p);
    const char *const *warnings;
    const char *const names[] = {"SALES", "OTHER"};
    const aur_catalog_t *c;
    int i;

    for (i = 0; i < 2; i++) {
        aur_catalog_add_table(b, "M", names[i], 0, -1);
        aur_catalog_add_column(b, "ID", "", AUR_T_NUMBER, 1, 1);
        aur_catalog_add_column(b, "REGION", "", AUR_T_TEXT, 1, 1);
        aur_catalog_add_column(b, "DAY", "", AUR_T_DATE, 1, 1);
        aur_catalog_add_column(b, "DOC", "", AUR_T_BINARY, 1, 0);
    }
    c = aur_catalog_build(b, file, &warnings);
    return warnings[0] ? NULL : c;
}

static const char *cell_text(const aur_cell_t *c, apr_pool_t *p)
{
    return c->kind == AUR_V_INT ? apr_psprintf(p, "%" APR_INT64_T_FMT, c->v.i)
                                : apr_psprintf(p, "'%.*s'", (int)c->len, c->v.s);
}

static const char *expr_text(const aur_plan_t *plan, const aur_plan_expr_t *e, int table,
                             apr_pool_t *p)
{
    const char *out = "";
    int i;

    if (!e) {
        return "everything";
    }
    if (e->never) {
        return "nothing";
    }
    if (e->is_group) {
        for (i = 0; i < e->nchildren; i++) {
            out = apr_pstrcat(p, out, i ? (e->any ? " | " : " & ") : "",
                              expr_text(plan, e->children[i], table, p), NULL);
        }
        return apr_pstrcat(p, "(", out, ")", NULL);
    }
    if (e->column.table != table || e->aggregation >= 0) {
        return "(another table's)";
    }
    out = apr_pstrcat(p, plan->tables[table].dataset->columns[e->column.column].name, " ",
                      aur_op_word(e->op), e->ignore_case ? "/i" : "", NULL);
    for (i = 0; i < e->nvalues; i++) {
        out = apr_pstrcat(p, out, " ", cell_text(&e->values[i], p), NULL);
    }
    return out;
}

static apr_status_t plan_of(aur_plan_t **plan, const char *body, const aur_catalog_t *c,
                            aur_error_t *err, apr_pool_t *p)
{
    const char *json = quotes(body, p);
    aur_query_t *query = NULL;

    *plan = NULL;
    aur_error_clear(err);
    return aur_query_parse(&query, json, strlen(json), err, p) == APR_SUCCESS
               ? aur_query_plan(plan, query, c, err, p)
               : APR_EGENERAL;
}

static const aur_viewer_t *viewer_make(told_t *told, apr_pool_t *p)
{
    aur_viewer_t *viewer = apr_pcalloc(p, sizeof(*viewer));
    char *many = apr_palloc(p, (AUR_QUERY_IN_MAX + 1) * 2 + 1);
    int i;

    for (i = 0; i <= AUR_QUERY_IN_MAX; i++) {
        memcpy(many + (apr_size_t)i * 2, "7,", 3);
    }
    told->many = many;
    told->p = p;
    viewer->roles = apr_array_make(p, 1, sizeof(const char *));
    viewer->value = value;
    viewer->no_rows = no_rows;
    viewer->ctx = told;
    return viewer;
}

#define NONE(why) "nothing; S column " why

static const struct {
    const char *filter, *want; /* restriction; and why no row may be seen */
} plans[] = {
    {R("'operator':'eq','value':{'expr':'north'}"), "REGION eq 'North'"},
    {R("'operator':'eq','value':'{expr}'"), "REGION eq '{expr}'"},
    {R("'operator':'eq','value':''"), "REGION eq ''"},
    {R("'operator':'eq','value':{'expr':'quote'}"), "REGION eq '' OR 1=1 --'"},
    {R("'operator':'eq','value':{'expr':'blank'}"), "REGION eq ' '"},
    {R("'operator':'eq','value':{'expr':'north'},'ignore_case':true"), "REGION eq/i 'north'"},
    {R("'operator':'starts_with','value':{'expr':'north'}"), "REGION starts_with 'North'"},
    {R("'operator':'in','value':{'expr':'list'}"), "REGION in 'North' 'South' 'West'"},
    {R("'operator':'not_in','value':{'expr':'list'}"), "REGION not_in 'North' 'South' 'West'"},
    {R("'operator':'in','value':{'expr':'north'}"), "REGION in 'North'"},
    {R("'operator':'in','value':['x',{'expr':'list'}]"), "REGION in 'x' ' North,South ,, West,'"},
    {R("'operator':'in','value':[{'expr':'ids'}]"), "REGION in '1, 2'"},
    {F("{'column':'ID','operator':'in','value':{'expr':'ids'}}"), "ID in 1 2"},
    {F("{'column':'ID','operator':'eq','value':{'expr':'one'}}"), "ID eq 1"},
    {F("{'column':'ID','operator':'between','value':{'expr':'range'}}"), "ID between 3 9"},
    {F("{'column':'ID','operator':'between','value':[{'expr':'one'},5]}"), "ID between 1 5"},
    {F("{'column':'ID','operator':'between','value':'2,4'}"), "ID between 2 4"},
    {F("{'column':'DOC','operator':'is_null'}"), "DOC is_null"},
    {"{'logic':'OR','conditions':[{'column':'DAY','operator':'is_null'},"
     "{'conditions':[{'column':'ID','operator':'gt','value':{'expr':'one'}},"
     "{'column':'REGION','operator':'is_empty'}]}]}",
     "(DAY is_null | (ID gt 1 & REGION is_empty))"},
    /* what gives nothing, and what is no value of the column */
    {R("'operator':'eq','value':{'expr':'nothing'}"), NONE("REGION: its expression gives nothing")},
    {R("'operator':'neq','value':{'expr':'nothing'}"),
     NONE("REGION: its expression gives nothing")},
    {R("'operator':'not_in','value':{'expr':'commas'}"),
     NONE("REGION: its expression gives nothing")},
    {R("'operator':'not_in','value':{'expr':'nothing'}"),
     NONE("REGION: its expression gives nothing")},
    {R("'operator':'contains','value':{'expr':'empty'}"),
     NONE("REGION: its expression gives nothing")},
    {R("'operator':'eq','value':{'expr':'broken'}"),
     NONE("REGION: its expression cannot be evaluated")},
    {R("'operator':'eq','value':{'expr':'latin'}"),
     NONE("REGION: its expression gives something that is not UTF-8")},
    {R("'operator':'in','value':{'expr':'many'}"),
     NONE("REGION: its expression gives too many values")},
    {R("'operator':'between','value':{'expr':'half'}"),
     NONE("REGION: its expression gives no range")},
    {R("'operator':'between','value':{'expr':'otherhalf'}"),
     NONE("REGION: its expression gives no range")},
    {R("'operator':'between','value':{'expr':'alone'}"),
     NONE("REGION: between needs two values and exactly one comma between them; write [low, high] "
          "for values that hold commas.")},
    {F("{'column':'ID','operator':'eq','value':{'expr':'north'}}"),
     NONE(
         "ID: ID is a number: write digits with an optional point, without spaces or separators.")},
    {F("{'column':'ID','operator':'neq','value':{'expr':'north'}}"),
     NONE(
         "ID: ID is a number: write digits with an optional point, without spaces or separators.")},
    {F("{'column':'ID','operator':'in','value':{'expr':'bad'}}"),
     NONE(
         "ID: ID is a number: write digits with an optional point, without spaces or separators.")},
    {F("{'column':'DAY','operator':'gt','value':{'expr':'one'}}"),
     NONE("DAY: DAY is a date: write it as YYYY-MM-DD.")},
    {F("{'column':'ID','operator':'contains','value':'x'}"),
     NONE("ID: contains works on text columns; ID is a number.")},
    {F("{'column':'DOC','operator':'eq','value':'x'}"),
     NONE("DOC: eq works on columns that can be compared; DOC is binary data that cannot be "
          "compared.")},
    {"{'logic':'OR','conditions':[{'column':'ID','operator':'gt','value':0},"
     "{'column':'REGION','operator':'eq','value':{'expr':'nothing'}}]}",
     NONE("REGION: its expression gives nothing")},
};

static void becomes(apr_pool_t *parent)
{
    apr_size_t i;

    for (i = 0; i < COUNT(plans); i++) {
        aur_catalog_file_t *file;
        const aur_catalog_t *c;
        told_t told = {0};
        aur_plan_t *plan = NULL;
        const char *got;
        aur_error_t err;
        apr_pool_t *p;

        apr_pool_create(&p, parent);
        got = "(refused)";
        if (file_read(&file, plans[i].filter, 1, &err, p) == APR_SUCCESS &&
            (c = snapshot_make(file, p)) != NULL &&
            plan_of(&plan, "{'dataset':'S'}", aur_catalog_view(c, viewer_make(&told, p), p), &err,
                    p) == APR_SUCCESS) {
            got = apr_pstrcat(p, expr_text(plan, plan->tables[0].restriction, 0, p),
                              told.why ? "; " : "", told.why, NULL);
        }
        is_str(got, plans[i].want, apr_psprintf(p, "%s %s", plans[i].filter, err.detail));
        apr_pool_destroy(p);
    }
}

/* --- in a request ---------------------------------------------------------------------------- */

#define JOIN(right, alias)                                                                         \
    "{'left_dataset':'S','right_dataset':'" right "','alias':'" alias "','join_type':'outer',"     \
    "'on':[{'left_column':'ID','right_column':'ID'}]}"

static void everywhere(apr_pool_t *p)
{
    static const char body[] = "{'dataset':'S','columns':['ID'],'joins':[" JOIN(
        "M.SALES", "A") "," JOIN("J", "B") "],'filters':{'conditions':[{'column':'ID',"
                                           "'operator':'gt','value':5}]}}";
    static const char most[] = "{'dataset':'%s','columns':['ID'],'filters':{'conditions':[%s]}}";
    aur_catalog_file_t *file;
    const aur_catalog_t *c, *view;
    const char *rules = "", *but_one = "";
    told_t told = {0};
    aur_plan_t *plan;
    aur_error_t err;
    int i;

    file_read(&file, R("'operator':'in','value':{'expr':'list'}"), 1, &err, p);
    c = snapshot_make(file, p);
    view = aur_catalog_view(c, viewer_make(&told, p), p);
    ok(plan_of(&plan, body, view, &err, p) == APR_SUCCESS, "a request with joins %s", err.detail);
    for (i = 0; plan && i < 3; i++) {
        is_str(expr_text(plan, plan->tables[i].restriction, i, p),
               "REGION in 'North' 'South' 'West'", apr_psprintf(p, "under use %d", i));
    }
    is_str(plan ? expr_text(plan, plan->where, 0, p) : "", "ID gt 5", "beside what is asked for");

    /* as many values as a request may have: those of the filter are none of its own */
    for (i = 0; i < AUR_QUERY_VALUES_MAX / AUR_QUERY_IN_MAX; i++) {
        char *list = apr_palloc(p, AUR_QUERY_IN_MAX * 2);
        int k;
        for (k = 0; k < AUR_QUERY_IN_MAX; k++) {
            memcpy(list + (apr_size_t)k * 2, "1,", 2);
        }
        but_one = rules;
        rules = apr_psprintf(p, "%s%s{'column':'ID','operator':'in','value':[%.*s]}", rules,
                             i ? "," : "", AUR_QUERY_IN_MAX * 2 - 1, list);
    }
    ok(plan_of(&plan, apr_psprintf(p, most, "S", rules), view, &err, p) == APR_SUCCESS,
       "the filter takes none of a request's values %s", err.detail);
    ok(plan_of(&plan, apr_psprintf(p, most, "J", rules), view, &err, p) == APR_SUCCESS &&
           plan->tables[0].nnewest == 1,
       "nor where it stands once more, around the newest partition %s", err.detail);
    for (i = AUR_QUERY_IN_MAX / 2; i <= AUR_QUERY_IN_MAX / 2 + 1; i++) {
        const char *ids = "'2024-01-01'", *twice;
        int k;
        for (k = 1; k < i; k++) {
            ids = apr_pstrcat(p, ids, ",'2024-01-01'", NULL);
        }
        twice = apr_psprintf(p,
                             "{'dataset':'J','columns':['ID'],'joins':[{'left_dataset':'J',"
                             "'right_dataset':'J','join_type':'left','on':[{'left_column':'ID',"
                             "'right_column':'ID'}]}],'partition_filters':{'J':[%s]},"
                             "'filters':{'conditions':[%s]}}",
                             ids, but_one);
        is_int(plan_of(&plan, twice, view, &err, p) == APR_SUCCESS, i == AUR_QUERY_IN_MAX / 2,
               apr_psprintf(p, "nor does it give any back: %d for two uses %s", i, err.detail));
    }

    ok(plan_of(&plan, "{'dataset':'S','columns':['DAY']}", view, &err, p) == APR_EGENERAL &&
           err.code == AUR_E_UNKNOWN_COLUMN && !strstr(err.detail, "REGION"),
       "an error of the request is its own: %s", err.detail);
    is_int(told.times, 0, "nothing is told where rows may be seen");
}

static void nobody(apr_pool_t *p)
{
    aur_catalog_file_t *file;
    aur_plan_t *plan;
    aur_error_t err;

    file_read(&file, R("'operator':'eq','value':{'expr':'north'}"), 1, &err, p);
    ok(plan_of(&plan, "{'dataset':'S'}", snapshot_make(file, p), &err, p) == APR_SUCCESS &&
           plan->tables[0].restriction && plan->tables[0].restriction->never,
       "without a caller an expression lets no row through %s", err.detail);
    file_read(&file, R("'operator':'eq','value':'x'"), 0, &err, p);
    ok(plan_of(&plan, "{'dataset':'S'}", snapshot_make(file, p), &err, p) == APR_SUCCESS &&
           plan->tables[0].restriction && plan->tables[0].restriction->never,
       "nor does a filter that was never read %s", err.detail);
    file_read(&file, F("{'column':'NOPE','operator':'is_null'}"), 1, &err, p);
    ok(file && !snapshot_make(file, p), "a column that is not there leaves the dataset out");
}

int main(void)
{
    apr_pool_t *p;

    apr_initialize();
    atexit(apr_terminate);
    apr_pool_create(&p, NULL);
    refuses(p);
    becomes(p);
    everywhere(p);
    nobody(p);
    apr_pool_destroy(p);
    return tap_done();
}
