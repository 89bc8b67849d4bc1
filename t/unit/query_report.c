/* query_report.c - a report's parameters: what links may give, what takes their places in a stored
 * request, and what is refused before a server starts. JSON is written with ' instead of ". */
#include <apr_general.h>
#include <stdlib.h>

#include "aurora/query_report.h"
#include "file_with.h"
#include "query/query_fill.h"
#include "tap.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The report R of {'reports':{'R':{members}}}; NULL, told as a failure, where it cannot be read. */
static const aur_report_t *report_of(const char *members, apr_pool_t *p)
{
    const char *text = quotes(apr_pstrcat(p, "{'reports':{'R':{", members, "}}}", NULL), p);
    aur_catalog_file_t *file;
    aur_error_t err;

    if (read_text(&file, text, strlen(text), &err, p) != APR_SUCCESS) {
        ok(0, "%s: %s", members, err.detail);
        return NULL;
    }
    return aur_reports_find(file, "R");
}

/* "a=1&b=2": no decoding, that is http/'s. */
static int given_of(aur_report_given_t *given, const char *link, apr_pool_t *p)
{
    char *state, *pair = apr_strtok(apr_pstrdup(p, link), "&", &state);
    int n = 0;

    for (; pair; pair = apr_strtok(NULL, "&", &state)) {
        char *value = strchr(pair, '=');
        *value = '\0';
        given[n].name = pair;
        given[n++].value = value + 1;
    }
    return n;
}

/* ctx: what each expression gives */
static const char *caller(void *ctx, const aur_report_param_t *param)
{
    return ctx;
}

/* --- values -------------------------------------------------------------------------------------- */

#define PARAMS                                                                                     \
    "'sql':'S','parameters':[{'name':'t'},{'name':'n','type':'number','default':7},{'name':'d',"   \
    "'type':'date'},{'name':'ts','type':'timestamp'},{'name':'c','type':'choice','choices':["      \
    "'Daily','Monthly'],'multiple':true},{'name':'r','required':true},{'name':'me','expr':'x'}]"

static const char *values_text(const aur_report_t *report, const aur_report_value_t *values,
                               apr_pool_t *p)
{
    const char *out = "";
    int i, k;

    for (i = 0; i < report->nparams; i++) {
        for (k = 0; k < values[i].nvalues; k++) {
            const aur_cell_t *cell = &values[i].cells[k];
            out = apr_pstrcat(p, out, *out ? " " : "", report->params[i].name, "=",
                              cell->kind == AUR_V_INT
                                  ? apr_psprintf(p, "#%" APR_INT64_T_FMT, cell->v.i)
                                  : apr_pstrmemdup(p, cell->v.s, cell->len),
                              NULL);
        }
    }
    return out;
}

static const struct {
    const char *link, *caller, *want;
} links[] = {
    {"r=x", NULL, "n=#7 r=x"},
    {"r=", "", "n=#7 r="},
    {"r=x", "ann", "n=#7 r=x me=ann"},
    {"r=x&t=a,b&n=-12.50", NULL, "t=a,b n=-12.50 r=x"},
    {"n=1e3&r=x&d=2024-02-29", NULL, "n=#1000 d=2024-02-29 r=x"},
    {"n=99999999999999999999&r=x", NULL, "n=99999999999999999999 r=x"},
    {"ts=2024-01-31T12:00:00+02:00&r=x", NULL, "n=#7 ts=2024-01-31 10:00:00 r=x"},
    {"c=Monthly&r=x&c=Daily", NULL, "n=#7 c=Monthly c=Daily r=x"},
    {"", NULL, "MISSING_PARAMETER r"},
    {"R=x", NULL, "BAD_REQUEST R"},
    {"r=x&nope=1", NULL, "BAD_REQUEST nope"},
    {"r=x&me=root", "ann", "BAD_REQUEST me"},
    {"r=x&r=x", NULL, "BAD_REQUEST r"},
    {"r=x&n=", NULL, "BAD_VALUE n"},
    {"r=x&n=1,5", NULL, "BAD_VALUE n"},
    {"r=x&n=0x10", NULL, "BAD_VALUE n"},
    {"r=x&d=31.01.2024", NULL, "BAD_VALUE d"},
    {"r=x&d=2023-02-29", NULL, "BAD_VALUE d"},
    {"r=x&ts=noon", NULL, "BAD_VALUE ts"},
    {"r=x&c=daily", NULL, "BAD_VALUE c"},
    {"r=x&c=Daily&c=", NULL, "BAD_VALUE c"},
    {"r=x&c=Daily,Monthly", NULL, "BAD_VALUE c"},
};

static void reads_values(apr_pool_t *p)
{
    const aur_report_t *report = report_of(PARAMS, p);
    apr_size_t i;

    for (i = 0; report && i < COUNT(links); i++) {
        const aur_report_value_t *values;
        aur_report_given_t given[8];
        aur_error_t err;
        const char *got;
        int n = given_of(given, links[i].link, p);

        aur_error_clear(&err);
        if (aur_report_values(&values, report, given, n, caller, (void *)links[i].caller, &err,
                              p) == APR_SUCCESS) {
            got = values_text(report, values, p);
        }
        else {
            got = apr_pstrcat(p, aur_error_code(err.code), " ", err.column, NULL);
            ok(strstr(err.detail, err.column), "the detail names it: %s", err.detail);
        }
        is_str(got, links[i].want, links[i].link);
    }
}

/* Why a value of the caller's is none, without telling it. */
static void says_unfit(apr_pool_t *p)
{
    static const struct {
        const char *type, *caller, *want;
    } cases[] = {
        {"'type':'number'", "secret",
         "Parameter me is a number: write digits with an optional point, without spaces or "
         "separators."},
        {"'type':'date'", "secret", "Parameter me is a date: write it as YYYY-MM-DD."},
        {"'type':'text'", "\xff", "its expression gives something that is not UTF-8"},
        {"'type':'number'", "", NULL},
        {"'type':'number'", NULL, NULL},
        {"'type':'number'", "7", NULL},
    };
    apr_size_t i;

    for (i = 0; i < COUNT(cases); i++) {
        const aur_report_t *report =
            report_of(apr_pstrcat(p, "'sql':'S','parameters':[{'name':'me','expr':'x',",
                                  cases[i].type, "}]", NULL),
                      p);
        const aur_report_value_t *values;
        aur_error_t err;

        if (!report) {
            continue;
        }
        aur_error_clear(&err);
        is_int(
            aur_report_values(&values, report, NULL, 0, caller, (void *)cases[i].caller, &err, p),
            APR_SUCCESS, "it is never the caller's mistake");
        is_str(values[0].unfit, cases[i].want, "why it is none");
        is_int(values[0].nvalues, cases[i].caller && !strcmp(cases[i].caller, "7"), "it is none");
    }
}

static void counts_values(apr_pool_t *p)
{
    const aur_report_t *report =
        report_of("'sql':'S','parameters':[{'name':'m','multiple':true}]", p);
    aur_report_given_t *given = apr_palloc(p, (AUR_REPORT_VALUES_MAX + 1) * sizeof(*given));
    const aur_report_value_t *values;
    aur_error_t err;
    int i;

    if (!report) {
        return;
    }
    for (i = 0; i <= AUR_REPORT_VALUES_MAX; i++) {
        given[i] = (aur_report_given_t){"m", "x"};
    }
    is_int(aur_report_values(&values, report, given, AUR_REPORT_VALUES_MAX, NULL, NULL, &err, p),
           APR_SUCCESS, "a parameter takes as many values as a list may have");
    is_int(values[0].nvalues, AUR_REPORT_VALUES_MAX, "all of them");
    is_int(aur_report_values(&values, report, given, i, NULL, NULL, &err, p), APR_EGENERAL,
           "and not one more");
}

/* --- stored requests ----------------------------------------------------------------------------- */

#define QUERY(filters, more)                                                                       \
    "'parameters':[{'name':'t'},{'name':'n','type':'number'},{'name':'m','multiple':true},"        \
    "{'name':'me','expr':'x'}],'query':{'dataset':'D'" more ",'filters':{'logic':'AND',"           \
    "'conditions':[" filters "]}}"
#define RULE(column, op, value) "{'column':'" column "','operator':'" op "','value':" value "}"
#define NEVER(column)                                                                              \
    "{'conditions':[{'column':'" column "','operator':'is_null'},{'column':'" column               \
    "','operator':'is_not_null'}],'logic':'AND'}"

/* want: of the filters' conditions, or of the whole where it begins with a brace */
static const struct {
    const char *members, *link, *caller, *want;
} fills[] = {
    {QUERY(RULE("A", "eq", "'${t}'"), ""), "t=x\"y'${n}", NULL,
     "[" RULE("A", "eq", "'x\\'y~${n}'") "]"},
    {QUERY(RULE("A", "eq", "'${t}'"), ""), "t=${n}&n=5", NULL, "[" RULE("A", "eq", "'${n}'") "]"},
    {QUERY(RULE("A", "eq", "'${n}'"), ""), "n=5", NULL, "[" RULE("A", "eq", "5") "]"},
    {QUERY(RULE("A", "eq", "'${n}'"), ""), "n=5.10", NULL, "[" RULE("A", "eq", "'5.10'") "]"},
    {QUERY(RULE("A", "eq", "'plain'"), ""), "", NULL, "[" RULE("A", "eq", "'plain'") "]"},
    {QUERY(RULE("A", "in", "'${m}'"), ""), "m=x&m=y", NULL, "[" RULE("A", "in", "['x','y']") "]"},
    {QUERY(RULE("A", "in", "['a','${m}','${t}',1]"), ""), "m=x&m=y&t=z", NULL,
     "[" RULE("A", "in", "['a','x','y','z',1]") "]"},
    {QUERY(RULE("A", "between", "['${n}',9]"), ""), "n=3", NULL,
     "[" RULE("A", "between", "[3,9]") "]"},
    /* a rule without a value is left out, wherever it stands */
    {QUERY(RULE("A", "eq", "'${t}'") "," RULE("B", "eq", "1"), ""), "", NULL,
     "[" RULE("B", "eq", "1") "]"},
    {QUERY(RULE("A", "eq", "'${t}'"), ""), "", NULL, "[]"},
    {QUERY(RULE("A", "between", "['${n}','${t}']"), ""), "t=x", NULL, "[]"},
    {QUERY("{'logic':'OR','conditions':[" RULE("A", "eq", "'${t}'") "," RULE("B", "in",
                                                                             "'${m}'") "]}",
           ""),
     "m=x", NULL, "[{'conditions':[" RULE("B", "in", "['x']") "],'logic':'OR'}]"},
    /* one without the caller's value lets nothing through */
    {QUERY(RULE("A", "eq", "'${me}'"), ""), "", "ann", "[" RULE("A", "eq", "'ann'") "]"},
    {QUERY(RULE("A", "eq", "'${me}'"), ""), "", "", "[" NEVER("A") "]"},
    {QUERY(RULE("A", "neq", "'${me}'"), ""), "", NULL, "[" NEVER("A") "]"},
    {QUERY(RULE("A", "not_in", "['x','${me}']"), ""), "", NULL, "[" NEVER("A") "]"},
    {QUERY(RULE("A", "in", "['${t}','${me}']"), ""), "", NULL, "[" NEVER("A") "]"},
    /* the other places */
    {QUERY("", ",'limit':'${n}','offset':'${n}','partition_load_type':'${t}'"), "n=3&t=Daily", NULL,
     "{'dataset':'D','filters':{'conditions':[],'logic':'AND'},'limit':3,'offset':3,"
     "'partition_load_type':'Daily'}"},
    {QUERY("", ",'limit':'${n}','offset':'${n}','partition_load_type':'${t}'"), "", NULL,
     "{'dataset':'D','filters':{'conditions':[],'logic':'AND'}}"},
    {QUERY("", ",'partition_filters':{'D':'${n}','E':['a','${m}'],'F':['b']}"), "n=1&m=x&m=y", NULL,
     "{'dataset':'D','filters':{'conditions':[],'logic':'AND'},'partition_filters':{'D':[1],"
     "'E':['a','x','y'],'F':['b']}}"},
    {QUERY("", ",'partition_filters':{'D':'${n}','E':'${m}'}"), "m=x", NULL,
     "{'dataset':'D','filters':{'conditions':[],'logic':'AND'},'partition_filters':{'E':['x']}}"},
};

static const char *fill_text(const aur_report_t *report, const char *link, const char *says,
                             int whole, apr_pool_t *p)
{
    const aur_report_value_t *values;
    aur_report_given_t given[8];
    aur_error_t err;
    json_t *root, *shown;
    const char *out = NULL;
    char *text;
    int n = given_of(given, link, p);

    aur_error_clear(&err);
    if (aur_report_values(&values, report, given, n, caller, (void *)says, &err, p) !=
            APR_SUCCESS ||
        aur_fill(&root, NULL, report, values, &err, p) != APR_SUCCESS) {
        return apr_pstrcat(p, "!", err.detail, NULL);
    }
    shown = whole ? root : json_object_get(json_object_get(root, "filters"), "conditions");
    text = json_dumps(shown, JSON_COMPACT | JSON_SORT_KEYS);
    out = apr_pstrdup(p, text);
    free(text);
    json_decref(root);
    return out;
}

/* Members in one order, ~ for a quote inside a text. */
static const char *as_json(const char *text, apr_pool_t *p)
{
    json_t *value = json_loads(quotes(text, p), 0, NULL);
    char *dumped = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS), *c;
    const char *out = apr_pstrdup(p, dumped ? dumped : "(no JSON)");

    for (c = (char *)out; *c; c++) {
        *c = *c == '~' ? '\'' : *c;
    }
    free(dumped);
    json_decref(value);
    return out;
}

static void fills_places(apr_pool_t *p)
{
    apr_size_t i;

    for (i = 0; i < COUNT(fills); i++) {
        const aur_report_t *report = report_of(fills[i].members, p);
        json_t *before;
        if (!report) {
            continue;
        }
        before = json_deep_copy(report->query);
        is_str(fill_text(report, fills[i].link, fills[i].caller, *fills[i].want == '{', p),
               as_json(fills[i].want, p),
               apr_psprintf(p, "%s with %s", fills[i].want, fills[i].link));
        ok(json_equal(before, report->query), "the stored request stays as it is");
        json_decref(before);
    }
}

/* --- the check ----------------------------------------------------------------------------------- */

#define Q(members)                                                                                 \
    "'parameters':[{'name':'t'},{'name':'n','type':'number'},{'name':'m','multiple':true},"        \
    "{'name':'me','expr':'x'}],'query':{" members "}"
#define F(rule) Q("'dataset':'D','filters':{'conditions':[" rule "]}")

static const struct {
    const char *members, *pointer; /* NULL: it is right */
} checks[] = {
    {Q("'dataset':'D'"), NULL},
    {Q("'dataset':'D','columns':['A'],'limit':'${n}','is_preview':true"), NULL},
    {F(RULE("A", "eq", "'${t}'") "," RULE("A", "in", "'${m}'") "," RULE("A", "eq", "'${me}'")),
     NULL},
    {F("{'logic':'OR','conditions':[" RULE("A", "between", "['${n}','${n}']") "]}"), NULL},
    {Q("'dataset':'D','partition_filters':{'D':'${m}'},'partition_load_type':'${t}'"), NULL},
    {"'sql':'not looked at here'", NULL},
    {Q(""), "/query/dataset"},
    {Q("'dataset':'D','filter':{}"), "/query/filter"},
    {Q("'dataset':'${t}'"), "/query/dataset"},
    {Q("'dataset':'x${t}'"), "/query/dataset"},
    {Q("'dataset':'D','columns':['A','${t}']"), "/query/columns/1"},
    {Q("'dataset':'D','shape':'${t}'"), "/query/shape"},
    {Q("'dataset':'D','limit':['${n}']"), "/query/limit/0"},
    {Q("'dataset':'D','limit':'${me}'"), "/query/limit"},
    {Q("'dataset':'D','limit':0"), "/query/limit"},
    {Q("'dataset':'D','limit':'${t}'"), "/query/limit"},
    {Q("'dataset':'D','limit':'${m}'"), "/query/limit"},
    {Q("'dataset':'D','partition_filters':{'${t}':['x']}"), "/query/partition_filters/${t}"},
    {Q("'dataset':'D','partition_filters':{'D':['${me}']}"), "/query/partition_filters/D/0"},
    {Q("'dataset':'D','partition_load_type':'${m}'"), "/query/partition_load_type"},
    {Q("'dataset':'D','sorting':[{'column':'${t}'}]"), "/query/sorting/0/column"},
    {Q("'dataset':'D','joins':[{'left_dataset':'D','right_dataset':'${t}'}]"),
     "/query/joins/0/right_dataset"},
    {Q("'dataset':'D','aggregations':[{'column':'A','function':'sum','output_name':'${t}'}]"),
     "/query/aggregations/0/output_name"},
    {Q("'dataset':'D','filters':'${t}'"), "/query/filters"},
    {F("'${t}'"), "/query/filters/conditions/0"},
    {F(RULE("${t}", "eq", "1")), "/query/filters/conditions/0/column"},
    {F(RULE("A", "${t}", "1")), "/query/filters/conditions/0/operator"},
    {F(RULE("A", "like", "'${t}'")), "/query/filters/conditions/0/operator"},
    {F(RULE("A", "eq", "'${u}'")), "/query/filters/conditions/0/value"},
    {F(RULE("A", "eq", "'${}'")), "/query/filters/conditions/0/value"},
    {F(RULE("A", "eq", "'x ${t}'")), "/query/filters/conditions/0/value"},
    {F(RULE("A", "eq", "'${m}'")), "/query/filters/conditions/0/value"},
    {F(RULE("A", "in", "'${t}'")), "/query/filters/conditions/0/value"},
    {F(RULE("A", "in", "['${t}',['${t}']]")), "/query/filters/conditions/0/value/1/0"},
    {F(RULE("A", "eq", "{'expr':'${t}'}")), "/query/filters/conditions/0/value/expr"},
    {"'sql':'S','parameters':[{'name':'d','type':'date','default':'today'}]",
     "/parameters/0/default"},
    {"'sql':'S','parameters':[{'name':'t'},{'name':'n','type':'number','multiple':true,"
     "'default':[1,'two']}]",
     "/parameters/1/default/1"},
    {Q("'dataset':'D','joins':[{'left_dataset':'D','right_dataset':'E','how':'left',"
       "'on':[{'left_column':'A','right_column':'B'}]}]"),
     "/query/joins/0/how"},
    {Q("'dataset':'D','joins':[{'left_dataset':'D','right_dataset':'E',"
       "'on':[{'left_column':'A','right_column':'B','operator':'eq'}]}]"),
     "/query/joins/0/on/0/operator"},
    {Q("'dataset':'D','filters':{'logic':'OR','conditions':[],'not':true}"), "/query/filters/not"},
    {F("{'column':'A','operator':'eq','value':1},"
       "{'conditions':[{'column':'A','operator':'eq','value':'x','ignorecase':true}]}"),
     "/query/filters/conditions/1/conditions/0/ignorecase"},
    {Q("'dataset':'D','aggregations':[{'column':'A','function':'sum','name':'N'}]"),
     "/query/aggregations/0/name"},
    {Q("'dataset':'D','sorting':[{'column':'A'},{'column':'B','order':'DESC'}]"),
     "/query/sorting/1/order"},
    {Q("'dataset':'D','sorting':[{'column':'A','direction':null,'nulls':null}],'filters':"
       "{'conditions':[{'column':'A','operator':'is_null','value':null,'datatype':'text'}]}"),
     NULL},
};

static void checks_reports(apr_pool_t *p)
{
    apr_size_t i;

    for (i = 0; i < COUNT(checks); i++) {
        const aur_report_t *report = report_of(checks[i].members, p);
        const char *want = checks[i].pointer;
        aur_error_t err;

        aur_error_clear(&err);
        if (report) {
            is_str(aur_report_check(report, &err, p) == APR_SUCCESS ? "right" : err.pointer,
                   want ? apr_pstrcat(p, "/reports/R", want, NULL) : "right", checks[i].members);
        }
    }
}

/* --- hand-written SQL ---------------------------------------------------------------------------- */

static void makes_plans(apr_pool_t *p)
{
    const aur_report_t *report = report_of(PARAMS, p);
    aur_report_given_t given[] = {{"r", "x"}, {"c", "Daily"}, {"c", "Monthly"}};
    const aur_report_value_t *values;
    const aur_written_value_t *list;
    aur_error_t err;
    aur_plan_t *plan;

    if (!report ||
        aur_report_values(&values, report, given, 3, NULL, NULL, &err, p) != APR_SUCCESS) {
        ok(0, "no values");
        return;
    }
    plan = aur_report_written(report, values, p);
    list = plan->written->values;
    ok(!strcmp(plan->written->text, "S") && plan->written->nvalues == 7 && plan->ntables == 0,
       "the plan has the text and a value for each parameter");
    ok(plan->limit == 100 && plan->offset == 0, "and a preview's limit");
    ok(list[1].type == AUR_T_NUMBER && list[1].nvalues == 1 && list[1].values[0].v.i == 7,
       "a default is a value");
    ok(list[2].type == AUR_T_DATE && list[2].nvalues == 0, "one that was not given has none");
    ok(list[3].type == AUR_T_TIMESTAMP && list[4].type == AUR_T_TEXT && list[4].nvalues == 2,
       "one may have several");
    is_int(list[6].nvalues, 0, "nobody asks, nobody answers");
}

int main(void)
{
    apr_pool_t *p;

    apr_initialize();
    atexit(apr_terminate);
    apr_pool_create(&p, NULL);
    reads_values(p);
    says_unfit(p);
    counts_values(p);
    fills_places(p);
    checks_reports(p);
    makes_plans(p);
    apr_pool_destroy(p);
    return tap_done();
}
