/* query_parse.c - requests as JSON: what they mean, and what is refused, where and with which code.
 * Bodies are written with ' instead of ". */
#include <apr_general.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "aurora/query.h"
#include "query/query_read.h"
#include "tap.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *quotes(const char *text, apr_pool_t *p)
{
    char *out = apr_pstrdup(p, text), *c;

    for (c = out; *c; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    return out;
}

/* --- a query as one line --------------------------------------------------------------------- */

static const char *scalar_text(const aur_scalar_t *v, apr_pool_t *p)
{
    switch (v->kind) {
    case AUR_J_BOOL:
        return v->i ? "true" : "false";
    case AUR_J_INT:
        return apr_psprintf(p, "%" APR_INT64_T_FMT, v->i);
    case AUR_J_REAL:
        return apr_psprintf(p, "r%g", v->d);
    case AUR_J_STRING:
        return strlen(v->s) == v->len ? apr_pstrcat(p, "'", v->s, "'", NULL) : "(broken)";
    default:
        return "(null)";
    }
}

static const char *scalars_text(const aur_scalar_t *v, int n, apr_pool_t *p)
{
    const char *out = "";
    int i;

    for (i = 0; i < n; i++) {
        out = apr_pstrcat(p, out, i ? " " : "", scalar_text(&v[i], p), NULL);
    }
    return out;
}

static const char *names_text(const char *const *names, int n, apr_pool_t *p)
{
    const char *out = "";
    int i;

    for (i = 0; i < n; i++) {
        out = apr_pstrcat(p, out, i ? "," : "", names[i], NULL);
    }
    return out;
}

static const char *filter_text(const aur_filter_t *f, apr_pool_t *p)
{
    const char *out = "";
    int i;

    if (!f->is_group) {
        return apr_pstrcat(p, f->column, " ", aur_op_word(f->op), f->ignore_case ? "/i" : "",
                           f->nvalues ? " " : "", scalars_text(f->values, f->nvalues, p), NULL);
    }
    for (i = 0; i < f->nchildren; i++) {
        out = apr_pstrcat(p, out, i ? (f->any ? " | " : " & ") : "", filter_text(f->children[i], p),
                          NULL);
    }
    return apr_pstrcat(p, "(", out, ")", NULL);
}

static const char *joins_text(const aur_query_t *q, apr_pool_t *p)
{
    static const char *const types[] = {"inner", "left", "right", "outer"};
    const char *out = "";
    int i, k;

    for (i = 0; i < q->njoins; i++) {
        const aur_query_join_t *j = &q->joins[i];
        out = apr_pstrcat(p, out, " ", types[j->type], ":", j->left_dataset, ">", j->right_dataset,
                          j->alias ? "=" : "", j->alias ? j->alias : "", NULL);
        for (k = 0; k < j->non; k++) {
            out = apr_pstrcat(p, out, " on ", j->left_columns[k], "=", j->right_columns[k], NULL);
        }
    }
    return out;
}

static const char *aggs_text(const aur_query_t *q, apr_pool_t *p)
{
    static const char *const functions[] = {"sum", "avg", "count", "min", "max", "distinct_count"};
    const char *out = "";
    int i;

    for (i = 0; i < q->naggregations; i++) {
        const aur_query_agg_t *a = &q->aggregations[i];
        out = apr_pstrcat(p, out, " ", functions[a->function], "(", a->column, ")=", a->output_name,
                          NULL);
    }
    return out;
}

static const char *sorting_text(const aur_query_t *q, apr_pool_t *p)
{
    static const char *const nulls[] = {"", "/first", "/last"};
    const char *out = "";
    int i;

    for (i = 0; i < q->nsorting; i++) {
        const aur_query_sort_t *s = &q->sorting[i];
        out = apr_pstrcat(p, out, " ", s->descending ? "-" : "+", s->column, nulls[s->nulls], NULL);
    }
    return out;
}

static const char *query_text(const aur_query_t *q, apr_pool_t *p)
{
    const char *out = q->dataset;
    int i;

    out = apr_pstrcat(p, out, q->all_columns ? " *" : " ", names_text(q->columns, q->ncolumns, p),
                      joins_text(q, p), NULL);
    if (q->filters) {
        out = apr_pstrcat(p, out, " where ", filter_text(q->filters, p), NULL);
    }
    if (q->ngroup_by) {
        out = apr_pstrcat(p, out, " by ", names_text(q->group_by, q->ngroup_by, p), NULL);
    }
    out = apr_pstrcat(p, out, aggs_text(q, p), sorting_text(q, p), NULL);
    for (i = 0; i < q->npartitions; i++) {
        out = apr_pstrcat(p, out, " part ", q->partitions[i].dataset, "[",
                          scalars_text(q->partitions[i].values, q->partitions[i].nvalues, p), "]",
                          NULL);
    }
    if (q->load_type) {
        out = apr_pstrcat(p, out, " type ", q->load_type, NULL);
    }
    if (q->limit != 100 || q->offset) {
        out = apr_psprintf(p, "%s limit %" APR_INT64_T_FMT ",%" APR_INT64_T_FMT, out, q->limit,
                           q->offset);
    }
    return q->arrays ? apr_pstrcat(p, out, " arrays", NULL) : out;
}

/* --- what is understood ---------------------------------------------------------------------- */

static const struct {
    const char *body, *want;
} good[] = {
    {"{'dataset':'S'}", "S *"},
    {"{'dataset':'S','columns':null,'joins':null,'filters':null,'group_by':null,"
     "'aggregations':null,'sorting':null,'partition_filters':null,'partition_load_type':null,"
     "'limit':null,'offset':null,'shape':null}",
     "S *"},
    {"{'dataset':'S','joins':[],'group_by':[],'aggregations':[],'sorting':[],"
     "'partition_filters':{},'partition_load_type':''}",
     "S *"},
    {"{'dataset':'A.S','columns':['B','a','S.C','X.S.C']}", "A.S B,a,S.C,X.S.C"},
    {"{'dataset':'S','unknown':{'deep':[1,{'x':null}]},'column_metadata':7,"
     "'use_high_perf_hints':'x','is_virtual_scroll':[],'is_preview':{}}",
     "S *"},
    {"{'dataset':'S','limit':1,'offset':0}", "S * limit 1,0"},
    {"{'dataset':'S','limit':9223372036854775807,'offset':9223372036854775807}",
     "S * limit 9223372036854775807,9223372036854775807"},
    {"{'dataset':'S','shape':'Arrays'}", "S * arrays"},
    {"{'dataset':'S','shape':'OBJECTS'}", "S *"},
    /* joins */
    {"{'dataset':'S','joins':[{'left_dataset':'S','right_dataset':'R',"
     "'on':[{'left_column':'a','right_column':'b'}]}]}",
     "S * inner:S>R on a=b"},
    {"{'dataset':'S','joins':[{'left_dataset':'S','right_dataset':'R','join_type':'LEFT',"
     "'alias':'X','on':[{'left_column':'a','right_column':'b'},"
     "{'left_column':'c','right_column':'d'}]},{'left_dataset':'X','right_dataset':'R',"
     "'join_type':'Outer','alias':'','on':[{'left_column':'e','right_column':'f'}]},"
     "{'left_dataset':'X','right_dataset':'R','join_type':'right','alias':null,"
     "'on':[{'left_column':'e','right_column':'f'}]}]}",
     "S * left:S>R=X on a=b on c=d outer:X>R on e=f right:X>R on e=f"},
    /* filters */
    {"{'dataset':'S','filters':{'conditions':[]}}", "S *"},
    {"{'dataset':'S','filters':{'logic':'OR','conditions':[{'conditions':[]},"
     "{'logic':'and','conditions':[{'conditions':[]}]}]}}",
     "S *"},
    {"{'dataset':'S','filters':{'conditions':[{'column':'A','operator':'EQ','value':1}]}}",
     "S * where (A eq 1)"},
    {"{'dataset':'S','filters':{'logic':'or','conditions':[{'column':'A','operator':'neq',"
     "'value':'x','datatype':{}},{'conditions':[]},{'logic':'AND','conditions':["
     "{'column':'B','operator':'gt','value':1.5},{'column':'C','operator':'lte',"
     "'value':true}]}]}}",
     "S * where (A neq 'x' | (B gt r1.5 & C lte true))"},
    {"{'dataset':'S','filters':{'conditions':[{'column':'A','operator':'in',"
     "'value':[1,'2',false,2.5]},{'column':'A','operator':'Not_In','value':['x']}]}}",
     "S * where (A in 1 '2' false r2.5 & A not_in 'x')"},
    {"{'dataset':'S','filters':{'conditions':[{'column':'A','operator':'between','value':[1,2]},"
     "{'column':'A','operator':'between','value':'1,2'}]}}",
     "S * where (A between 1 2 & A between '1,2')"},
    {"{'dataset':'S','filters':{'conditions':[{'column':'A','operator':'is_null'},"
     "{'column':'A','operator':'IS_NOT_NULL','value':null},"
     "{'column':'A','operator':'is_empty','value':{'x':[]}},"
     "{'column':'A','operator':'is_not_empty','value':''}]}}",
     "S * where (A is_null & A is_not_null & A is_empty & A is_not_empty)"},
    {"{'dataset':'S','filters':{'conditions':[{'column':'A','operator':'contains','value':'%_\\\\',"
     "'ignore_case':true},{'column':'A','operator':'not_contains','value':'','ignore_case':null},"
     "{'column':'A','operator':'starts_with','value':'\\u00e9','ignore_case':false},"
     "{'column':'A','operator':'ends_with','value':'\\ud83d\\ude00'}]}}",
     "S * where (A contains/i '%_\\' & A not_contains '' & A starts_with 'é' & A ends_with '😀')"},
    {"{'dataset':'S','filters':{'column':null,'conditions':[{'column':'A','conditions':null,"
     "'operator':'gte','value':'a'},{'column':'A','operator':'lt','value':-1}]}}",
     "S * where (A gte 'a' & A lt -1)"},
    /* groups and totals */
    {"{'dataset':'S','columns':[],'group_by':['A']}", "S * by A"},
    {"{'dataset':'S','columns':[],'aggregations':[{'column':'*','function':'count'}]}",
     "S * count(*)=COUNT_*"},
    {"{'dataset':'S','aggregations':[{'column':'x','function':'Sum'},"
     "{'column':'S.y','function':'distinct_count','output_name':''},"
     "{'column':'z','function':'AVG','output_name':null},"
     "{'column':'z','function':'min','output_name':'Low'},{'column':'z','function':'max'}]}",
     "S * sum(x)=SUM_x distinct_count(S.y)=DISTINCT_COUNT_S.y avg(z)=AVG_z min(z)=Low "
     "max(z)=MAX_z"},
    {"{'dataset':'S','sorting':[{'column':'A'},{'column':'B','direction':'desc'},"
     "{'column':'C','direction':'ASC','nulls':'First'},{'column':'D','direction':'DESC',"
     "'nulls':'LAST'},{'column':'E','direction':null,'nulls':null}]}",
     "S * +A -B +C/first -D/last +E"},
    /* partitions */
    {"{'dataset':'S','partition_filters':{'S':[1,'2'],'R':['x'],'Q':null},"
     "'partition_load_type':'Daily'}",
     "S * part S[1 '2'] part R['x'] type Daily"},
};

static void understands(apr_pool_t *p)
{
    apr_size_t i;

    for (i = 0; i < COUNT(good); i++) {
        const char *body = quotes(good[i].body, p);
        aur_error_t err;
        aur_query_t *q = NULL;
        apr_status_t rv;

        aur_error_clear(&err);
        rv = aur_query_parse(&q, body, strlen(body), &err, p);
        is_str(rv == APR_SUCCESS ? query_text(q, p) : err.detail, good[i].want, good[i].body);
    }
}

/* --- what is refused ------------------------------------------------------------------------- */

#define RULE(members) "{'dataset':'S','filters':{'conditions':[{" members "}]}}"
#define JOIN(members) "{'dataset':'S','joins':[{" members "}]}"
#define AGG(members)  "{'dataset':'S','aggregations':[{" members "}]}"
#define ON            "'on':[{'left_column':'a','right_column':'b'}]"
#define VALUE         "/filters/conditions/0/value"

static const struct {
    const char *body, *code, *pointer;
} bad[] = {
    /* not JSON */
    {"", "BAD_JSON", ""},
    {" ", "BAD_JSON", ""},
    {"{", "BAD_JSON", ""},
    {"{'dataset':'S'", "BAD_JSON", ""},
    {"{'dataset':'S'}x", "BAD_JSON", ""},
    {"{'dataset':'S'} {}", "BAD_JSON", ""},
    {"{'dataset':'S',}", "BAD_JSON", ""},
    {"{dataset:'S'}", "BAD_JSON", ""},
    {"{'dataset':'S','dataset':'T'}", "BAD_JSON", ""},
    {"{'dataset':'S','x':{'a':1,'\\u0061':2}}", "BAD_JSON", ""},
    {"{'dataset':'S\\u0000'}", "BAD_JSON", ""},
    {"{'dataset':'S','x\\u0000':1}", "BAD_JSON", ""},
    {"{'dataset':'\\ud800'}", "BAD_JSON", ""},
    {"{'dataset':'\\udc00x'}", "BAD_JSON", ""},
    {"{'dataset':'\xff'}", "BAD_JSON", ""},
    {"{'dataset':'\xc0\xaf'}", "BAD_JSON", ""},
    {"{'dataset':'\xed\xa0\x80'}", "BAD_JSON", ""},
    {"\xef\xbb\xbf{'dataset':'S'}", "BAD_JSON", ""},
    {"{'dataset':'a\nb'}", "BAD_JSON", ""},
    {"{'dataset':'S','limit':1e999}", "BAD_JSON", ""},
    {"{'dataset':'S','limit':99999999999999999999}", "BAD_JSON", ""},
    {"{'dataset':'S','limit':NaN}", "BAD_JSON", ""},
    {"{'dataset':'S','limit':01}", "BAD_JSON", ""},
    {"{'dataset':'S','limit':0x10}", "BAD_JSON", ""},
    {"]]]]", "BAD_JSON", ""},
    {"'unclosed", "BAD_JSON", ""},
    {"'\\", "BAD_JSON", ""},
    /* not an object */
    {"[]", "BAD_REQUEST", ""},
    {"'S'", "BAD_REQUEST", ""},
    {"5", "BAD_REQUEST", ""},
    {"null", "BAD_REQUEST", ""},
    {"true", "BAD_REQUEST", ""},
    /* dataset */
    {"{}", "BAD_REQUEST", "/dataset"},
    {"{'dataset':null}", "BAD_REQUEST", "/dataset"},
    {"{'dataset':''}", "BAD_REQUEST", "/dataset"},
    {"{'dataset':1}", "BAD_REQUEST", "/dataset"},
    {"{'dataset':['S']}", "BAD_REQUEST", "/dataset"},
    {"{'DATASET':'S'}", "BAD_REQUEST", "/dataset"},
    /* columns and group_by */
    {"{'dataset':'S','columns':'A'}", "BAD_REQUEST", "/columns"},
    {"{'dataset':'S','columns':{}}", "BAD_REQUEST", "/columns"},
    {"{'dataset':'S','columns':[]}", "BAD_REQUEST", "/columns"},
    {"{'dataset':'S','columns':['A',1]}", "BAD_REQUEST", "/columns/1"},
    {"{'dataset':'S','columns':['A',null]}", "BAD_REQUEST", "/columns/1"},
    {"{'dataset':'S','columns':['']}", "BAD_REQUEST", "/columns/0"},
    {"{'dataset':'S','group_by':'A'}", "BAD_REQUEST", "/group_by"},
    {"{'dataset':'S','group_by':[[]]}", "BAD_REQUEST", "/group_by/0"},
    /* joins */
    {"{'dataset':'S','joins':{}}", "BAD_REQUEST", "/joins"},
    {"{'dataset':'S','joins':['R']}", "BAD_REQUEST", "/joins/0"},
    {JOIN("'right_dataset':'R'," ON), "BAD_REQUEST", "/joins/0/left_dataset"},
    {JOIN("'left_dataset':'S'," ON), "BAD_REQUEST", "/joins/0/right_dataset"},
    {JOIN("'left_dataset':'S','right_dataset':7," ON), "BAD_REQUEST", "/joins/0/right_dataset"},
    {JOIN("'left_dataset':'S','right_dataset':'R','alias':1," ON), "BAD_REQUEST", "/joins/0/alias"},
    {JOIN("'left_dataset':'S','right_dataset':'R','join_type':'cross'," ON), "BAD_REQUEST",
     "/joins/0/join_type"},
    {JOIN("'left_dataset':'S','right_dataset':'R','join_type':1," ON), "BAD_REQUEST",
     "/joins/0/join_type"},
    {JOIN("'left_dataset':'S','right_dataset':'R'"), "BAD_REQUEST", "/joins/0/on"},
    {JOIN("'left_dataset':'S','right_dataset':'R','on':[]"), "BAD_REQUEST", "/joins/0/on"},
    {JOIN("'left_dataset':'S','right_dataset':'R','on':'a=b'"), "BAD_REQUEST", "/joins/0/on"},
    {JOIN("'left_dataset':'S','right_dataset':'R','on':['a']"), "BAD_REQUEST", "/joins/0/on/0"},
    {JOIN("'left_dataset':'S','right_dataset':'R','on':[{'right_column':'b'}]"), "BAD_REQUEST",
     "/joins/0/on/0/left_column"},
    {JOIN("'left_dataset':'S','right_dataset':'R','on':[{'left_column':'b','right_column':''}]"),
     "BAD_REQUEST", "/joins/0/on/0/right_column"},
    /* filters */
    {"{'dataset':'S','filters':[]}", "BAD_REQUEST", "/filters"},
    {"{'dataset':'S','filters':'A=1'}", "BAD_REQUEST", "/filters"},
    {"{'dataset':'S','filters':{}}", "BAD_REQUEST", "/filters"},
    {"{'dataset':'S','filters':{'conditions':null}}", "BAD_REQUEST", "/filters"},
    {"{'dataset':'S','filters':{'column':'A','operator':'is_null'}}", "BAD_REQUEST", "/filters"},
    {"{'dataset':'S','filters':{'column':'A','conditions':[]}}", "BAD_REQUEST", "/filters"},
    {"{'dataset':'S','filters':{'conditions':{}}}", "BAD_REQUEST", "/filters/conditions"},
    {"{'dataset':'S','filters':{'logic':'XOR','conditions':[]}}", "BAD_REQUEST", "/filters/logic"},
    {"{'dataset':'S','filters':{'logic':1,'conditions':[]}}", "BAD_REQUEST", "/filters/logic"},
    {"{'dataset':'S','filters':{'conditions':[null]}}", "BAD_REQUEST", "/filters/conditions/0"},
    {"{'dataset':'S','filters':{'conditions':['x']}}", "BAD_REQUEST", "/filters/conditions/0"},
    {"{'dataset':'S','filters':{'conditions':[{'conditions':[]},{'conditions':[{}]}]}}",
     "BAD_REQUEST", "/filters/conditions/1/conditions/0"},
    {RULE("'operator':'eq','value':1"), "BAD_REQUEST", "/filters/conditions/0"},
    {RULE("'column':'','operator':'eq','value':1"), "BAD_REQUEST", "/filters/conditions/0/column"},
    {RULE("'column':1,'operator':'eq','value':1"), "BAD_REQUEST", "/filters/conditions/0/column"},
    {RULE("'column':'A','value':1"), "BAD_REQUEST", "/filters/conditions/0/operator"},
    {RULE("'column':'A','operator':7,'value':1"), "BAD_REQUEST", "/filters/conditions/0/operator"},
    {RULE("'column':'A','operator':'=','value':1"), "UNKNOWN_OPERATOR",
     "/filters/conditions/0/operator"},
    {RULE("'column':'A','operator':'eq ','value':1"), "UNKNOWN_OPERATOR",
     "/filters/conditions/0/operator"},
    {RULE("'column':'A','operator':'eq','value':1,'ignore_case':1"), "BAD_REQUEST",
     "/filters/conditions/0/ignore_case"},
    {RULE("'column':'A','operator':'eq'"), "BAD_VALUE", VALUE},
    {RULE("'column':'A','operator':'eq','value':null"), "BAD_VALUE", VALUE},
    {RULE("'column':'A','operator':'eq','value':[1]"), "BAD_REQUEST", VALUE},
    {RULE("'column':'A','operator':'eq','value':{'expr':'x'}"), "BAD_REQUEST", VALUE},
    {RULE("'column':'A','operator':'contains'"), "BAD_VALUE", VALUE},
    {RULE("'column':'A','operator':'in'"), "BAD_VALUE", VALUE},
    {RULE("'column':'A','operator':'in','value':'x'"), "BAD_REQUEST", VALUE},
    {RULE("'column':'A','operator':'in','value':{}"), "BAD_REQUEST", VALUE},
    {RULE("'column':'A','operator':'in','value':[]"), "BAD_REQUEST", VALUE},
    {RULE("'column':'A','operator':'in','value':[1,null]"), "BAD_VALUE", VALUE "/1"},
    {RULE("'column':'A','operator':'in','value':[1,[2]]"), "BAD_REQUEST", VALUE "/1"},
    {RULE("'column':'A','operator':'between'"), "BAD_VALUE", VALUE},
    {RULE("'column':'A','operator':'between','value':1"), "BAD_REQUEST", VALUE},
    {RULE("'column':'A','operator':'between','value':[1]"), "BAD_REQUEST", VALUE},
    {RULE("'column':'A','operator':'between','value':[1,2,3]"), "BAD_REQUEST", VALUE},
    {RULE("'column':'A','operator':'between','value':[1,null]"), "BAD_VALUE", VALUE "/1"},
    {RULE("'column':'A','operator':'between','value':{}"), "BAD_REQUEST", VALUE},
    /* aggregations */
    {"{'dataset':'S','aggregations':{}}", "BAD_REQUEST", "/aggregations"},
    {"{'dataset':'S','aggregations':['x']}", "BAD_REQUEST", "/aggregations/0"},
    {AGG("'function':'sum'"), "BAD_REQUEST", "/aggregations/0/column"},
    {AGG("'column':null,'function':'count'"), "BAD_REQUEST", "/aggregations/0/column"},
    {AGG("'column':'A'"), "BAD_REQUEST", "/aggregations/0/function"},
    {AGG("'column':'A','function':'median'"), "BAD_REQUEST", "/aggregations/0/function"},
    {AGG("'column':'A','function':1"), "BAD_REQUEST", "/aggregations/0/function"},
    {AGG("'column':'*','function':'sum'"), "BAD_REQUEST", "/aggregations/0/column"},
    {AGG("'column':'A','function':'sum','output_name':5"), "BAD_REQUEST",
     "/aggregations/0/output_name"},
    /* sorting */
    {"{'dataset':'S','sorting':'A'}", "BAD_REQUEST", "/sorting"},
    {"{'dataset':'S','sorting':['A']}", "BAD_REQUEST", "/sorting/0"},
    {"{'dataset':'S','sorting':[{'direction':'ASC'}]}", "BAD_REQUEST", "/sorting/0/column"},
    {"{'dataset':'S','sorting':[{'column':'A','direction':'up'}]}", "BAD_REQUEST",
     "/sorting/0/direction"},
    {"{'dataset':'S','sorting':[{'column':'A','direction':1}]}", "BAD_REQUEST",
     "/sorting/0/direction"},
    {"{'dataset':'S','sorting':[{'column':'A','nulls':'middle'}]}", "BAD_REQUEST",
     "/sorting/0/nulls"},
    {"{'dataset':'S','sorting':[{'column':'A','nulls':true}]}", "BAD_REQUEST", "/sorting/0/nulls"},
    /* partitions */
    {"{'dataset':'S','partition_filters':[]}", "BAD_REQUEST", "/partition_filters"},
    {"{'dataset':'S','partition_filters':{'S':[]}}", "BAD_REQUEST", "/partition_filters/S"},
    {"{'dataset':'S','partition_filters':{'S':{}}}", "BAD_REQUEST", "/partition_filters/S"},
    {"{'dataset':'S','partition_filters':{'':[1]}}", "BAD_REQUEST", "/partition_filters/"},
    {"{'dataset':'S','partition_filters':{'a/b~c':[1,null]}}", "BAD_VALUE",
     "/partition_filters/a~1b~0c/1"},
    {"{'dataset':'S','partition_load_type':1}", "BAD_REQUEST", "/partition_load_type"},
    {"{'dataset':'S','partition_load_type':['x']}", "BAD_REQUEST", "/partition_load_type"},
    /* paging and shape */
    {"{'dataset':'S','limit':0}", "BAD_REQUEST", "/limit"},
    {"{'dataset':'S','limit':-5}", "BAD_REQUEST", "/limit"},
    {"{'dataset':'S','limit':10.0}", "BAD_REQUEST", "/limit"},
    {"{'dataset':'S','limit':1e2}", "BAD_REQUEST", "/limit"},
    {"{'dataset':'S','limit':'10'}", "BAD_REQUEST", "/limit"},
    {"{'dataset':'S','limit':true}", "BAD_REQUEST", "/limit"},
    {"{'dataset':'S','limit':[1]}", "BAD_REQUEST", "/limit"},
    {"{'dataset':'S','offset':-1}", "BAD_REQUEST", "/offset"},
    {"{'dataset':'S','offset':'0'}", "BAD_REQUEST", "/offset"},
    {"{'dataset':'S','shape':'rows'}", "BAD_REQUEST", "/shape"},
    {"{'dataset':'S','shape':{}}", "BAD_REQUEST", "/shape"},
};

static void refused(const char *body, apr_size_t len, const char *code, const char *pointer,
                    const char *name, apr_pool_t *p)
{
    aur_query_t *q = NULL;
    aur_error_t err;
    const char *got = "(accepted)";

    aur_error_clear(&err);
    if (aur_query_parse(&q, body, len, &err, p) != APR_SUCCESS) {
        got = apr_pstrcat(p, aur_error_code(err.code), " ", err.pointer,
                          *err.detail ? "" : " without a detail", NULL);
    }
    is_str(got, apr_pstrcat(p, code, " ", pointer, NULL), name);
    if (q) {
        ok(0, "%s: nothing comes out of a refused request", name);
    }
}

static void refuses(apr_pool_t *p)
{
    apr_size_t i;

    for (i = 0; i < COUNT(bad); i++) {
        const char *body = quotes(bad[i].body, p);
        refused(body, strlen(body), bad[i].code, bad[i].pointer,
                apr_pstrcat(p, bad[i].code, ": ", bad[i].body, NULL), p);
    }
}

/* --- hostile --------------------------------------------------------------------------------- */

/* head, n times part (with commas between), tail */
static const char *many(const char *head, const char *part, int n, const char *tail, apr_pool_t *p)
{
    apr_size_t h = strlen(head), len = strlen(part), t = strlen(tail);
    char *out = apr_palloc(p, h + (apr_size_t)n * (len + 1) + t + 1), *c = out;
    int i;

    memcpy(c, head, h);
    c += h;
    for (i = 0; i < n; i++) {
        memcpy(c, part, len);
        c += len;
        *c = ',';
        c += i + 1 < n;
    }
    memcpy(c, tail, t + 1);
    return quotes(out, p);
}

static char *run_of(char c, apr_size_t n, apr_pool_t *p)
{
    char *out = apr_palloc(p, n + 1);

    memset(out, c, n);
    out[n] = '\0';
    return out;
}

#define FILTERS "{'dataset':'S','filters':{'conditions':["
#define IS_NULL "{'column':'A','operator':'is_null'}"

static const struct {
    const char *name, *head, *part, *tail;
    int max;
    const char *pointer; /* of one more than max */
} limits[] = {
    {"rules", FILTERS, IS_NULL, "]}}", AUR_QUERY_RULES_MAX, "/filters/conditions"},
    {"rules in groups", FILTERS "{'conditions':[" IS_NULL "]},", IS_NULL, "]}}",
     AUR_QUERY_RULES_MAX - 1, "/filters/conditions"},
    {"rules in two groups", FILTERS "{'conditions':[" IS_NULL "," IS_NULL "]},{'conditions':[",
     IS_NULL, "]}]}}", AUR_QUERY_RULES_MAX - 2, "/filters/conditions/1/conditions/998"},
    {"groups", FILTERS "{'conditions':[{'conditions':[", "{'conditions':[]}", "]}]}]}}",
     AUR_QUERY_RULES_MAX - 3, "/filters/conditions/0/conditions/0/conditions/997"},
    {"values of in", FILTERS "{'column':'A','operator':'in','value':[", "1", "]}]}}",
     AUR_QUERY_IN_MAX, "/filters/conditions/0/value"},
    {"partition values", "{'dataset':'S','partition_filters':{'S':[", "1", "]}}", AUR_QUERY_IN_MAX,
     "/partition_filters/S"},
    {"columns", "{'dataset':'S','columns':[", "'A'", "]}", AUR_QUERY_COLUMNS_MAX, "/columns"},
    {"group_by", "{'dataset':'S','group_by':[", "'A'", "]}", AUR_QUERY_COLUMNS_MAX, "/group_by"},
    {"sorting", "{'dataset':'S','sorting':[", "{'column':'A'}", "]}", AUR_QUERY_COLUMNS_MAX,
     "/sorting"},
    {"aggregations", "{'dataset':'S','aggregations':[", "{'column':'A','function':'count'}", "]}",
     AUR_QUERY_COLUMNS_MAX, "/aggregations"},
    {"joins", "{'dataset':'S','joins':[", "{'left_dataset':'S','right_dataset':'R'," ON "}", "]}",
     AUR_QUERY_JOINS_MAX, "/joins"},
};

static void limits_hold(apr_pool_t *p)
{
    apr_size_t i;

    for (i = 0; i < COUNT(limits); i++) {
        const char *body = many(limits[i].head, limits[i].part, limits[i].max, limits[i].tail, p);
        aur_query_t *q = NULL;
        aur_error_t err;

        aur_error_clear(&err);
        ok(aur_query_parse(&q, body, strlen(body), &err, p) == APR_SUCCESS,
           "%s: as many as are allowed (%s)", limits[i].name, err.detail);
        body = many(limits[i].head, limits[i].part, limits[i].max + 1, limits[i].tail, p);
        refused(body, strlen(body), "BAD_REQUEST", limits[i].pointer,
                apr_pstrcat(p, limits[i].name, ": one more", NULL), p);
    }
}

static void values_together(apr_pool_t *p)
{
    const char *in = many("{'column':'A','operator':'in','value':[", "1", 1000, "]}", p);
    const char *body = many(FILTERS, in, 10, "]}}", p);
    aur_query_t *q = NULL;
    aur_error_t err;

    aur_error_clear(&err);
    ok(aur_query_parse(&q, body, strlen(body), &err, p) == APR_SUCCESS, "10000 values");
    body = many(FILTERS, in, 10, ",{'column':'A','operator':'eq','value':1}]}}", p);
    refused(body, strlen(body), "BAD_REQUEST", "/filters/conditions/10/value", "10001 values", p);
    body = many(FILTERS, in, 10, "]},'partition_filters':{'S':7}}", p);
    refused(body, strlen(body), "BAD_REQUEST", "/partition_filters/S",
            "10001 values with a partition's", p);
}

static void depth(apr_pool_t *p)
{
    const char *head = "{\"dataset\":\"S\",\"x\":";
    aur_query_t *q = NULL;
    aur_error_t err;
    const char *body = apr_pstrcat(p, head, run_of('[', 15, p), run_of(']', 15, p), "}", NULL);

    aur_error_clear(&err);
    ok(aur_query_parse(&q, body, strlen(body), &err, p) == APR_SUCCESS, "16 deep");
    body = apr_pstrcat(p, head, run_of('[', 16, p), run_of(']', 16, p), "}", NULL);
    refused(body, strlen(body), "BAD_JSON", "", "17 deep", p);
    body = run_of('[', 200000, p);
    refused(body, strlen(body), "BAD_JSON", "", "200000 deep and never closed", p);
    body =
        apr_pstrcat(p, head, "\"", run_of('[', 200, p), "\\\"", run_of('{', 200, p), "\"}", NULL);
    ok(aur_query_parse(&q, body, strlen(body), &err, p) == APR_SUCCESS,
       "brackets in a string do not nest");
}

static void sizes(apr_pool_t *p)
{
    const char *name = run_of('n', AUR_QUERY_NAME_MAX, p);
    aur_query_t *q = NULL;
    aur_error_t err;
    const char *body = apr_pstrcat(p, "{\"dataset\":\"", name, "\"}", NULL);

    aur_error_clear(&err);
    ok(aur_query_parse(&q, body, strlen(body), &err, p) == APR_SUCCESS, "a name of 512 bytes");
    body = apr_pstrcat(p, "{\"dataset\":\"", name, "n\"}", NULL);
    refused(body, strlen(body), "BAD_REQUEST", "/dataset", "a name of 513 bytes", p);
    body =
        apr_pstrcat(p, "{\"dataset\":\"S\",\"columns\":[\"", run_of('x', 200000, p), "\"]}", NULL);
    refused(body, strlen(body), "BAD_REQUEST", "/columns/0", "a name of 200000 bytes", p);
    body = apr_pstrcat(p, "{\"dataset\":\"S\",\"partition_filters\":{\"", name, "n\":[1]}}", NULL);
    aur_error_clear(&err);
    ok(aur_query_parse(&q, body, strlen(body), &err, p) == APR_EGENERAL &&
           err.code == AUR_E_BAD_REQUEST && strlen(err.pointer) < sizeof(err.pointer),
       "a partition's name of 513 bytes, its pointer cut");
    body = apr_pstrcat(p,
                       "{\"dataset\":\"S\",\"filters\":{\"conditions\":[{\"column\":\"A\","
                       "\"operator\":\"eq\",\"value\":\"",
                       run_of('v', 200000, p), "\"}]}}", NULL);
    ok(aur_query_parse(&q, body, strlen(body), &err, p) == APR_SUCCESS &&
           q->filters->children[0]->values[0].len == 200000,
       "a value may be long");
    body = apr_pstrcat(p,
                       "{\"dataset\":\"S\",\"filters\":{\"conditions\":[{\"column\":\"A\","
                       "\"operator\":\"",
                       run_of('o', 300, p), "\"}]}}", NULL);
    refused(body, strlen(body), "UNKNOWN_OPERATOR", "/filters/conditions/0/operator",
            "an operator of 300 bytes", p);
}

/* Cut anywhere, a body is refused and nothing is read beyond its end. */
static void truncated(apr_pool_t *p)
{
    apr_size_t i, refusals = 0, bodies = 0;

    for (i = 0; i < COUNT(good); i++) {
        const char *body = quotes(good[i].body, p);
        apr_size_t len = strlen(body), n;

        for (n = 0; n < len; n++) {
            char *cut = malloc(n ? n : 1);
            aur_query_t *q = NULL;
            aur_error_t err;

            if (!cut) {
                continue;
            }
            memcpy(cut, body, n);
            aur_error_clear(&err);
            bodies++;
            refusals += aur_query_parse(&q, cut, n, &err, p) == APR_EGENERAL &&
                        err.code == AUR_E_BAD_JSON && !q;
            free(cut);
        }
    }
    is_int((long long)refusals, (long long)bodies, "every truncated body is BAD_JSON");
    ok(bodies > 1000, "and there were many");
}

static void names_the_column(apr_pool_t *p)
{
    const char *body = quotes(RULE("'column':'T.A','operator':'in','value':[1,null]"), p);
    aur_query_t *q = NULL;
    aur_error_t err;

    aur_error_clear(&err);
    is_int(aur_query_parse(&q, body, strlen(body), &err, p), APR_EGENERAL, "a null in a list");
    is_str(err.column, "T.A", "its error names the column");
    ok(strstr(err.detail, "is_null"), "and advises is_null");
    body = quotes("{'dataset':'S',\n\n  'limit':}", p);
    aur_query_parse(&q, body, strlen(body), &err, p);
    ok(err.code == AUR_E_BAD_JSON && strstr(err.detail, "line 3"), "bad JSON: the line is named");
}

static void nul_bytes(apr_pool_t *p)
{
    refused("{\"dataset\":\"S\"}\0", 16, "BAD_JSON", "", "a NUL byte behind the body", p);
    refused("{\"dataset\":\"S\0T\"}", 17, "BAD_JSON", "", "a NUL byte in a text", p);
    refused("\0", 1, "BAD_JSON", "", "a NUL byte alone", p);
}

static void filter_pointers(apr_pool_t *p)
{
    const char *body =
        quotes(FILTERS "{'conditions':[]},{'logic':'OR','conditions':[" IS_NULL "]}]}}", p);
    aur_query_t *q = NULL;
    aur_error_t err;

    aur_error_clear(&err);
    if (ok(aur_query_parse(&q, body, strlen(body), &err, p) == APR_SUCCESS, "nested groups")) {
        is_int(q->filters->nchildren, 1, "an empty group is dropped");
        is_str(q->filters->pointer, "/filters", "pointer of the top");
        is_str(q->filters->children[0]->pointer, "/filters/conditions/1",
               "pointers count what was dropped");
        is_str(q->filters->children[0]->children[0]->pointer, "/filters/conditions/1/conditions/0",
               "pointer of a rule");
    }
}

int main(void)
{
    apr_pool_t *p;

    apr_initialize();
    atexit(apr_terminate);
    apr_pool_create(&p, NULL);
    understands(p);
    refuses(p);
    limits_hold(p);
    values_together(p);
    depth(p);
    sizes(p);
    truncated(p);
    names_the_column(p);
    nul_bytes(p);
    filter_pointers(p);
    apr_pool_destroy(p);
    return tap_done();
}
