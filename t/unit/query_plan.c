/* query_plan.c - requests against a catalogue: what they resolve to, and what is refused.
 * Requests and the catalogue file are written with ' instead of ". */
#include <apr_general.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "aurora/query.h"
#include "query/query_read.h"
#include "file_with.h"
#include "tap.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* --- the catalogue --------------------------------------------------------------------------- */

static const char catalogue[] =
    "{'datasets':{"
    "'BALANCES':{'source':'BANK.MONTHLY_BALANCE','columns':{"
    "'ACCOUNT':{'display_name':'Account'},'AMOUNT':{'display_name':'Amount','format':'0.00'}},"
    "'partition':{'load_id_column':'LOAD_ID','load_type_column':'LOAD_TYPE',"
    "'supported_types':['Daily','Monthly']},"
    "'sorting':[{'column':'ACCOUNT','direction':'DESC'},{'column':'AS_OF'}]},"
    "'LOADS':{'partition':{'load_id_column':'DAY'}},"
    "'FLAGS':{'partition':{'load_type_column':'KIND'}},"
    "'DAILY':{'columns':{'N':{},'DAY':{},'ID':{}},'partition':{'load_id_column':'ID',"
    "'load_type_column':'KIND','date_column':'DAY','default':'latest'}},"
    "'TICKS':{'columns':{'N':{}},'partition':{'load_id_column':'ID','default':'latest'}},"
    "'DAYS':{'source':'BANK.DAYS','partition':{'date_column':'DAY','default':'Latest'}}}}";

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
    const char *schema, *table, *column;
    aur_type_e type;
    int comparable;
} rows[] = {
    {"MAIN", "SALES", "ID", AUR_T_NUMBER, 1},
    {"MAIN", "SALES", "REGION_ID", AUR_T_NUMBER, 1},
    {"MAIN", "SALES", "AMOUNT", AUR_T_NUMBER, 1},
    {"MAIN", "SALES", "CITY", AUR_T_TEXT, 1},
    {"MAIN", "SALES", "SOLD_ON", AUR_T_DATE, 1},
    {"MAIN", "SALES", "SOLD_AT", AUR_T_TIMESTAMP, 1},
    {"MAIN", "SALES", "SEEN_AT", AUR_T_TIMESTAMP_TZ, 1},
    {"MAIN", "SALES", "PAID", AUR_T_BOOLEAN, 1},
    {"MAIN", "SALES", "DOC", AUR_T_BINARY, 0},
    {"MAIN", "SALES", "R.X", AUR_T_TEXT, 1},
    {"MAIN", "SALES", "Mixed", AUR_T_TEXT, 1},
    {"MAIN", "SALES", "MIXED", AUR_T_NUMBER, 1},
    {"MAIN", "SALES", "CLOB", AUR_T_TEXT, 0},
    {"MAIN", "REGIONS", "ID", AUR_T_NUMBER, 1},
    {"MAIN", "REGIONS", "NAME", AUR_T_TEXT, 1},
    {"MAIN", "REGIONS", "SINCE", AUR_T_DATE, 1},
    {"MAIN", "EMP", "ID", AUR_T_NUMBER, 1},
    {"MAIN", "EMP", "MANAGER_ID", AUR_T_NUMBER, 1},
    {"MAIN", "EMP", "NAME", AUR_T_TEXT, 1},
    {"MAIN", "EMP", "PHOTO", AUR_T_BINARY, 0},
    {"MAIN", "EMP", "ACTIVE", AUR_T_BOOLEAN, 1},
    {"BANK", "MONTHLY_BALANCE", "ACCOUNT", AUR_T_TEXT, 1},
    {"BANK", "MONTHLY_BALANCE", "AMOUNT", AUR_T_NUMBER, 1},
    {"BANK", "MONTHLY_BALANCE", "LOAD_ID", AUR_T_NUMBER, 1},
    {"BANK", "MONTHLY_BALANCE", "LOAD_TYPE", AUR_T_TEXT, 1},
    {"BANK", "MONTHLY_BALANCE", "AS_OF", AUR_T_DATE, 1},
    {"BANK", "MONTHLY_BALANCE", "SECRET", AUR_T_TEXT, 1},
    {"BANK", "LOADS", "DAY", AUR_T_DATE, 1},
    {"BANK", "LOADS", "N", AUR_T_NUMBER, 1},
    {"BANK", "FLAGS", "KIND", AUR_T_NUMBER, 1},
    {"BANK", "DAILY", "N", AUR_T_NUMBER, 1},
    {"BANK", "DAILY", "DAY", AUR_T_DATE, 1},
    {"BANK", "DAILY", "ID", AUR_T_NUMBER, 1},
    {"BANK", "DAILY", "KIND", AUR_T_TEXT, 1},
    {"BANK", "TICKS", "N", AUR_T_NUMBER, 1},
    {"BANK", "TICKS", "ID", AUR_T_TEXT, 1},
    {"BANK", "DAYS", "N", AUR_T_NUMBER, 1},
    {"BANK", "DAYS", "DAY", AUR_T_DATE, 1},
    {"A", "T", "V", AUR_T_NUMBER, 1},
    {"B", "T", "V", AUR_T_NUMBER, 1},
    {"B", "REGIONS_2", "ID", AUR_T_NUMBER, 1},
};

static const aur_catalog_t *catalog_make(apr_pool_t *p)
{
    aur_catalog_builder_t *b = aur_catalog_builder_create(p);
    const char *const *warnings;
    aur_catalog_t *c;
    apr_size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        if (!i || strcmp(rows[i].table, rows[i - 1].table) ||
            strcmp(rows[i].schema, rows[i - 1].schema)) {
            aur_catalog_add_table(b, rows[i].schema, rows[i].table, 0, -1);
        }
        aur_catalog_add_column(b, rows[i].column, "", rows[i].type, 1, rows[i].comparable);
    }
    c = aur_catalog_build(b, file_read(p), &warnings);
    ok(!warnings[0], "the catalogue is whole %s", warnings[0] ? warnings[0] : "");
    return c;
}

/* --- a plan as one line ---------------------------------------------------------------------- */

typedef struct printer_t {
    const aur_plan_t *plan;
    apr_pool_t *p;
} printer_t;

static const char *ref_text(const printer_t *x, aur_column_ref_t ref)
{
    const aur_plan_table_t *t = &x->plan->tables[ref.table];

    return apr_pstrcat(x->p, t->label, ".", t->dataset->columns[ref.column].name, NULL);
}

static const char *named_text(const printer_t *x, int aggregation, aur_column_ref_t ref)
{
    return aggregation < 0 ? ref_text(x, ref) : apr_psprintf(x->p, "#%d", aggregation);
}

static const char *cell_text(const aur_cell_t *c, apr_pool_t *p)
{
    static const char *const kinds[] = {"", "", "", "n", "t", "", "d", "ts", "", ""};

    if (c->kind == AUR_V_INT || c->kind == AUR_V_BOOL) {
        return apr_psprintf(p, "%s%" APR_INT64_T_FMT, c->kind == AUR_V_BOOL ? "b" : "", c->v.i);
    }
    return apr_pstrcat(p, kinds[c->kind], "'", apr_pstrmemdup(p, c->v.s, c->len), "'", NULL);
}

static const char *expr_text(const printer_t *x, const aur_plan_expr_t *e)
{
    const char *out = "";
    int i;

    if (e->is_group) {
        for (i = 0; i < e->nchildren; i++) {
            out = apr_pstrcat(x->p, out, i ? (e->any ? " | " : " & ") : "",
                              expr_text(x, e->children[i]), NULL);
        }
        return apr_pstrcat(x->p, "(", out, ")", NULL);
    }
    out = apr_pstrcat(x->p, named_text(x, e->aggregation, e->column), ":", aur_type_name(e->type),
                      " ", aur_op_word(e->op), e->ignore_case ? "/i" : "", NULL);
    for (i = 0; i < e->nvalues; i++) {
        out = apr_pstrcat(x->p, out, " ", cell_text(&e->values[i], x->p), NULL);
    }
    return out;
}

static const char *tables_text(const printer_t *x)
{
    static const char *const joins[] = {"inner", "left", "right", "outer"};
    const char *out = "";
    int i, k;

    for (i = 0; i < x->plan->ntables; i++) {
        const aur_plan_table_t *t = &x->plan->tables[i];
        out = apr_pstrcat(x->p, out, i ? " " : "", i ? joins[t->join] : "", i ? " " : "", t->label,
                          NULL);
        for (k = 0; k < t->non; k++) {
            out = apr_pstrcat(x->p, out, k ? "," : "(", ref_text(x, t->left[k]), "=",
                              t->dataset->columns[t->right[k]].name, k + 1 == t->non ? ")" : "",
                              NULL);
        }
        if (t->restriction) {
            out = apr_pstrcat(x->p, out, "{", expr_text(x, t->restriction), "}", NULL);
        }
        for (k = 0; k < t->nnewest; k++) {
            out = apr_pstrcat(x->p, out, "^", t->dataset->columns[t->newest[k]].name, NULL);
        }
    }
    return out;
}

static const char *outputs_text(const printer_t *x)
{
    const char *out = "";
    int i;

    for (i = 0; i < x->plan->noutputs; i++) {
        const aur_plan_output_t *o = &x->plan->outputs[i];
        const aur_result_column_t *c = &x->plan->columns[i];
        out =
            apr_pstrcat(x->p, out, " ", c->name, "=", named_text(x, o->aggregation, o->column), ":",
                        aur_type_name(c->type),
                        strcmp(c->name, c->display) ? apr_pstrcat(x->p, "/", c->display, NULL) : "",
                        c->format ? "/" : "", c->format ? c->format : "", NULL);
    }
    return out;
}

static const char *rest_text(const printer_t *x)
{
    static const char *const functions[] = {"sum", "avg", "count", "min", "max", "distinct"};
    const aur_plan_t *plan = x->plan;
    const char *out = "";
    int i;

    for (i = 0; i < plan->naggregations; i++) {
        const aur_plan_agg_t *a = &plan->aggregations[i];
        out = apr_pstrcat(x->p, out, " ", functions[a->function], "(",
                          a->star ? "*" : ref_text(x, a->column), ")", NULL);
    }
    for (i = 0; i < plan->ngroup_by; i++) {
        out = apr_pstrcat(x->p, out, i ? "," : " by ", ref_text(x, plan->group_by[i]), NULL);
    }
    if (plan->where) {
        out = apr_pstrcat(x->p, out, " where ", expr_text(x, plan->where), NULL);
    }
    if (plan->having) {
        out = apr_pstrcat(x->p, out, " having ", expr_text(x, plan->having), NULL);
    }
    for (i = 0; i < plan->nsorting; i++) {
        const aur_plan_sort_t *s = &plan->sorting[i];
        out = apr_pstrcat(x->p, out, s->descending ? " -" : " +",
                          named_text(x, s->aggregation, s->column),
                          s->nulls_first ? "/first" : "/last", NULL);
    }
    return out;
}

static const char *plan_text(const aur_plan_t *plan, apr_pool_t *p)
{
    printer_t x = {plan, p};

    return apr_pstrcat(p, tables_text(&x), ":", outputs_text(&x), rest_text(&x), NULL);
}

static apr_status_t plan_of(aur_plan_t **plan, const char *body, const aur_catalog_t *c,
                            aur_error_t *err, apr_pool_t *p)
{
    const char *json = quotes(body, p);
    aur_query_t *q = NULL;
    apr_status_t rv;

    *plan = NULL;
    aur_error_clear(err);
    rv = aur_query_parse(&q, json, strlen(json), err, p);
    return rv == APR_SUCCESS ? aur_query_plan(plan, q, c, err, p) : rv;
}

/* --- what is understood ---------------------------------------------------------------------- */

#define ONE         "{'dataset':'SALES','columns':['ID']"
#define ID          "SALES: ID=SALES.ID:number"
#define WHERE(rule) ONE ",'filters':{'conditions':[{" rule "}]}}"
#define JOIN_R                                                                                     \
    "{'left_dataset':'SALES','right_dataset':'REGIONS',"                                           \
    "'on':[{'left_column':'REGION_ID','right_column':'ID'}]}"
#define JOIN_E                                                                                     \
    "{'left_dataset':'SALES','right_dataset':'EMP',"                                               \
    "'on':[{'left_column':'ID','right_column':'ID'}]}"
#define R_TEXT "inner REGIONS(SALES.REGION_ID=ID)"
#define SELF(alias)                                                                                \
    "{'left_dataset':'EMP','right_dataset':'EMP'," alias                                           \
    "'on':[{'left_column':'MANAGER_ID','right_column':'ID'}]}"

#define RULES(column, op)                                                                          \
    "'filters':{'conditions':[{'column':'" column "','operator':'" op "','value':5}]}"
#define ON(dataset, more)                                                                          \
    "{" more "'left_dataset':'SALES','right_dataset':'" dataset                                    \
    "','on':[{'left_column':'SALES.ID','right_column':'N'}]}"

static const struct {
    const char *body, *want;
} good[] = {
    /* names */
    {"{'dataset':'regions'}",
     "REGIONS: ID=REGIONS.ID:number NAME=REGIONS.NAME:text SINCE=REGIONS.SINCE:date"},
    {"{'dataset':'main.Regions','columns':['name']}", "REGIONS: name=REGIONS.NAME:text"},
    {"{'dataset':'REGIONS','columns':['REGIONS.ID','regions.id','MAIN.REGIONS.ID','Id']}",
     "REGIONS: REGIONS.ID=REGIONS.ID:number regions.id=REGIONS.ID:number "
     "MAIN.REGIONS.ID=REGIONS.ID:number Id=REGIONS.ID:number"},
    {"{'dataset':'SALES','columns':['R.X','SALES.R.X','main.sales.r.x']}",
     "SALES: R.X=SALES.R.X:text SALES.R.X=SALES.R.X:text main.sales.r.x=SALES.R.X:text"},
    {"{'dataset':'SALES','columns':['Mixed','MIXED','SALES.Mixed']}",
     "SALES: Mixed=SALES.Mixed:text MIXED=SALES.MIXED:number SALES.Mixed=SALES.Mixed:text"},
    {"{'dataset':'A.T'}", "A.T: V=A.T.V:number"},
    {"{'dataset':'a.t','columns':['T.V','A.T.V']}", "A.T: T.V=A.T.V:number A.T.V=A.T.V:number"},
    /* the catalogue file: only its columns, display names, default sorting with hidden columns */
    {"{'dataset':'balances'}",
     "BALANCES: ACCOUNT=BALANCES.ACCOUNT:text/Account AMOUNT=BALANCES.AMOUNT:number/Amount/0.00 "
     "-BALANCES.ACCOUNT/first +BALANCES.AS_OF/last"},
    {"{'dataset':'BANK.MONTHLY_BALANCE','columns':['MONTHLY_BALANCE.AMOUNT',"
     "'bank.monthly_balance.account'],'sorting':[{'column':'amount'}]}",
     "BALANCES: MONTHLY_BALANCE.AMOUNT=BALANCES.AMOUNT:number/Amount/0.00 "
     "bank.monthly_balance.account=BALANCES.ACCOUNT:text/Account +BALANCES.AMOUNT/last"},
    /* joins */
    {"{'dataset':'SALES','columns':['ID','REGIONS.ID','NAME'],'joins':[" JOIN_R "]}",
     "SALES " R_TEXT ": ID=SALES.ID:number REGIONS.ID=REGIONS.ID:number NAME=REGIONS.NAME:text"},
    {"{'dataset':'SALES','columns':['ID'],'joins':[{'left_dataset':'main.sales',"
     "'right_dataset':'regions','join_type':'outer','on':[{'left_column':'sales.region_id',"
     "'right_column':'MAIN.REGIONS.ID'},{'left_column':'SOLD_AT','right_column':'since'}]}]}",
     "SALES outer REGIONS(SALES.REGION_ID=ID,SALES.SOLD_AT=SINCE): ID=SALES.ID:number"},
    {"{'dataset':'EMP','columns':['NAME','EMP_2.NAME','EMP.NAME','emp_3.name'],"
     "'joins':[" SELF("") "," SELF("'join_type':'left',") "]}",
     "EMP inner EMP_2(EMP.MANAGER_ID=ID) left EMP_3(EMP.MANAGER_ID=ID): NAME=EMP.NAME:text "
     "EMP_2.NAME=EMP_2.NAME:text EMP.NAME=EMP.NAME:text emp_3.name=EMP_3.NAME:text"},
    {"{'dataset':'EMP','columns':['boss.name','MAIN.EMP.NAME'],'joins':[" SELF(
         "'alias':'Boss',") ",{'left_dataset':'BOSS','right_dataset':'EMP',"
                            "'on':[{'left_column':'boss.MANAGER_ID','right_column':'EMP_3.ID'}]}]}",
     "EMP inner Boss(EMP.MANAGER_ID=ID) inner EMP_3(Boss.MANAGER_ID=ID): "
     "boss.name=Boss.NAME:text MAIN.EMP.NAME=EMP.NAME:text"},
    {"{'dataset':'SALES','columns':['x.y.NAME'],'joins':[{'left_dataset':'SALES',"
     "'right_dataset':'REGIONS','alias':'X.Y','on':[{'left_column':'REGION_ID',"
     "'right_column':'x.y.ID'}]}]}",
     "SALES inner X.Y(SALES.REGION_ID=ID): x.y.NAME=X.Y.NAME:text"},
    {"{'dataset':'SALES','columns':['REGIONS.NAME'],'joins':[{'left_dataset':'SALES',"
     "'right_dataset':'REGIONS','alias':'R','on':[{'left_column':'REGION_ID',"
     "'right_column':'REGIONS.ID'}]}]}",
     "SALES inner R(SALES.REGION_ID=ID): REGIONS.NAME=R.NAME:text"},
    /* operators and values */
    {WHERE("'column':'id','operator':'eq','value':'7'"), ID " where SALES.ID:number eq 7"},
    {WHERE("'column':'AMOUNT','operator':'gte','value':1.50"),
     ID " where SALES.AMOUNT:number gte n'1.5'"},
    {WHERE("'column':'AMOUNT','operator':'neq','value':'99999999999999999999.10'"),
     ID " where SALES.AMOUNT:number neq n'99999999999999999999.10'"},
    {WHERE("'column':'CITY','operator':'between','value':'a,b'"),
     ID " where SALES.CITY:text between t'a' t'b'"},
    {WHERE("'column':'SOLD_ON','operator':'between','value':'2024-01-01, 2024-02-01'"),
     ID " where SALES.SOLD_ON:date between d'2024-01-01' d'2024-02-01'"},
    {WHERE("'column':'SOLD_AT','operator':'lt','value':'2024-01-01T01:00:00+01:00'"),
     ID " where SALES.SOLD_AT:timestamp lt ts'2024-01-01 00:00:00'"},
    {WHERE("'column':'SEEN_AT','operator':'between','value':['2024-01-01','2024-01-01T05:00Z']"),
     ID " where SALES.SEEN_AT:timestamp between ts'2024-01-01 00:00:00' ts'2024-01-01 05:00:00'"},
    {WHERE("'column':'PAID','operator':'in','value':[true,'0']"),
     ID " where SALES.PAID:boolean in b1 b0"},
    {WHERE("'column':'PAID','operator':'neq','value':1"), ID " where SALES.PAID:boolean neq b1"},
    {WHERE("'column':'CITY','operator':'not_in','value':['A','Ä'],'ignore_case':true"),
     ID " where SALES.CITY:text not_in/i t'a' t'ä'"},
    {WHERE("'column':'CITY','operator':'contains','value':'Ab%_','ignore_case':true"),
     ID " where SALES.CITY:text contains/i t'ab%_'"},
    {WHERE("'column':'CITY','operator':'not_contains','value':'Ab'"),
     ID " where SALES.CITY:text not_contains t'Ab'"},
    {WHERE("'column':'CITY','operator':'starts_with','value':''"),
     ID " where SALES.CITY:text starts_with t''"},
    {WHERE("'column':'CITY','operator':'ends_with','value':'x'"),
     ID " where SALES.CITY:text ends_with t'x'"},
    {WHERE("'column':'CITY','operator':'is_empty'"), ID " where SALES.CITY:text is_empty"},
    {WHERE("'column':'CITY','operator':'is_not_empty','ignore_case':true"),
     ID " where SALES.CITY:text is_not_empty"},
    {WHERE("'column':'DOC','operator':'is_null','value':5,'ignore_case':true"),
     ID " where SALES.DOC:binary is_null"},
    {WHERE("'column':'CLOB','operator':'is_not_null'"), ID " where SALES.CLOB:text is_not_null"},
    {WHERE("'column':'CITY','operator':'eq','value':'\\u0027 OR 1=1 --'"),
     ID " where SALES.CITY:text eq t'' OR 1=1 --'"},
    /* groups of filters */
    {ONE ",'filters':{'logic':'OR','conditions':[{'column':'ID','operator':'eq','value':1},"
         "{'conditions':[{'column':'ID','operator':'gt','value':2},"
         "{'column':'ID','operator':'lt','value':3}]}]}}",
     ID " where (SALES.ID:number eq 1 | (SALES.ID:number gt 2 & SALES.ID:number lt 3))"},
    {ONE ",'filters':{'conditions':[{'logic':'OR','conditions':[{'conditions':["
         "{'column':'ID','operator':'eq','value':1}]}]}]}}",
     ID " where SALES.ID:number eq 1"},
    /* grouping */
    {"{'dataset':'SALES','columns':['N','city'],'group_by':['CITY'],'aggregations':["
     "{'column':'AMOUNT','function':'sum'},{'column':'*','function':'count','output_name':'n'}]}",
     "SALES: N=#1:number city=SALES.CITY:text SUM_AMOUNT=#0:number sum(SALES.AMOUNT) count(*) "
     "by SALES.CITY"},
    {"{'dataset':'SALES','group_by':['sales.city','CITY','PAID'],'aggregations':["
     "{'column':'SOLD_ON','function':'min'},{'column':'SEEN_AT','function':'max'},"
     "{'column':'PAID','function':'distinct_count'},{'column':'DOC','function':'count'},"
     "{'column':'CITY','function':'max'},{'column':'AMOUNT','function':'avg'}]}",
     "SALES: sales.city=SALES.CITY:text PAID=SALES.PAID:boolean MIN_SOLD_ON=#0:date "
     "MAX_SEEN_AT=#1:timestamp DISTINCT_COUNT_PAID=#2:number COUNT_DOC=#3:number "
     "MAX_CITY=#4:text AVG_AMOUNT=#5:number min(SALES.SOLD_ON) max(SALES.SEEN_AT) "
     "distinct(SALES.PAID) count(SALES.DOC) max(SALES.CITY) avg(SALES.AMOUNT) "
     "by SALES.CITY,SALES.PAID"},
    {"{'dataset':'SALES','columns':[],'group_by':['CITY']}",
     "SALES: CITY=SALES.CITY:text by SALES.CITY"},
    {"{'dataset':'SALES','aggregations':[{'column':'*','function':'count'}]}",
     "SALES: COUNT_*=#0:number count(*)"},
    {"{'dataset':'BALANCES','group_by':['ACCOUNT'],'aggregations':["
     "{'column':'AMOUNT','function':'sum'},{'column':'AMOUNT','function':'count'}]}",
     "BALANCES: ACCOUNT=BALANCES.ACCOUNT:text/Account SUM_AMOUNT=#0:number/0.00 "
     "COUNT_AMOUNT=#1:number sum(BALANCES.AMOUNT) count(BALANCES.AMOUNT) by BALANCES.ACCOUNT"},
    {"{'dataset':'SALES','columns':['amount'],'group_by':['AMOUNT'],'aggregations':["
     "{'column':'AMOUNT','function':'sum','output_name':'AMOUNT'}],"
     "'sorting':[{'column':'Amount','direction':'DESC'},{'column':'SALES.AMOUNT'}]}",
     "SALES: amount=#0:number sum(SALES.AMOUNT) by SALES.AMOUNT -#0/first +SALES.AMOUNT/last"},
    {"{'dataset':'SALES','columns':['SALES.CITY','REGIONS.NAME'],'joins':[" JOIN_R "],"
     "'group_by':['CITY','NAME']}",
     "SALES " R_TEXT ": SALES.CITY=SALES.CITY:text REGIONS.NAME=REGIONS.NAME:text "
     "by SALES.CITY,REGIONS.NAME"},
    /* having */
    {"{'dataset':'SALES','group_by':['CITY'],'aggregations':[{'column':'AMOUNT','function':'sum',"
     "'output_name':'total'},{'column':'SOLD_ON','function':'max','output_name':'last'}],"
     "'filters':{'conditions':[{'column':'CITY','operator':'eq','value':'x'},"
     "{'column':'Total','operator':'gt','value':'5.0'},{'logic':'OR','conditions':["
     "{'column':'last','operator':'is_null'},{'column':'LAST','operator':'lt',"
     "'value':'2024-01-01'}]},{'conditions':[{'column':'ID','operator':'gt','value':1},"
     "{'column':'total','operator':'lt','value':9}]}]}}",
     "SALES: CITY=SALES.CITY:text total=#0:number last=#1:date sum(SALES.AMOUNT) "
     "max(SALES.SOLD_ON) by SALES.CITY where (SALES.CITY:text eq t'x' & SALES.ID:number gt 1) "
     "having (#0:number gt 5 & (#1:date is_null | #1:date lt d'2024-01-01') & #0:number lt 9)"},
    {"{'dataset':'SALES','aggregations':[{'column':'*','function':'count','output_name':'n'}],"
     "'filters':{'logic':'OR','conditions':[{'conditions':[{'column':'n','operator':'gt',"
     "'value':1},{'column':'CITY','operator':'eq','value':'x'}]},{'conditions':[]}]}}",
     "SALES: n=#0:number count(*) where SALES.CITY:text eq t'x' having #0:number gt 1"},
    /* sorting */
    {"{'dataset':'SALES','columns':['ID'],'sorting':[{'column':'CITY'},"
     "{'column':'SOLD_ON','direction':'DESC'},{'column':'ID','nulls':'first'},"
     "{'column':'SALES.AMOUNT','direction':'desc','nulls':'last'}]}",
     ID " +SALES.CITY/last -SALES.SOLD_ON/first +SALES.ID/first -SALES.AMOUNT/last"},
    {"{'dataset':'BALANCES','columns':['AMOUNT'],'sorting':[]}",
     "BALANCES: AMOUNT=BALANCES.AMOUNT:number/Amount/0.00 -BALANCES.ACCOUNT/first "
     "+BALANCES.AS_OF/last"},
    {"{'dataset':'BALANCES','group_by':['AMOUNT']}",
     "BALANCES: AMOUNT=BALANCES.AMOUNT:number/Amount/0.00 by BALANCES.AMOUNT"},
    {"{'dataset':'SALES','group_by':['CITY'],'aggregations':[{'column':'AMOUNT',"
     "'function':'sum'}],'sorting':[{'column':'sum_amount','direction':'DESC'},"
     "{'column':'SALES.CITY'}]}",
     "SALES: CITY=SALES.CITY:text SUM_AMOUNT=#0:number sum(SALES.AMOUNT) by SALES.CITY "
     "-#0/first +SALES.CITY/last"},
    /* partitions */
    {"{'dataset':'BALANCES','columns':['AMOUNT'],'sorting':[{'column':'AMOUNT'}],"
     "'partition_filters':{'balances':[1,'2']},'partition_load_type':'DAILY'}",
     "BALANCES{(BALANCES.LOAD_ID:number in 1 2 & BALANCES.LOAD_TYPE:text eq/i t'daily')}: "
     "AMOUNT=BALANCES.AMOUNT:number/Amount/0.00 +BALANCES.AMOUNT/last"},
    {"{'dataset':'SALES','columns':['ID'],'joins':[{'left_dataset':'SALES',"
     "'right_dataset':'BALANCES','on':[{'left_column':'AMOUNT','right_column':'AMOUNT'}]},"
     "{'left_dataset':'SALES','right_dataset':'BALANCES','alias':'B',"
     "'on':[{'left_column':'AMOUNT','right_column':'AMOUNT'}]}],"
     "'partition_filters':{'MONTHLY_BALANCE':[5]},'partition_load_type':null}",
     "SALES inner BALANCES(SALES.AMOUNT=AMOUNT){BALANCES.LOAD_ID:number in 5} "
     "inner B(SALES.AMOUNT=AMOUNT){B.LOAD_ID:number in 5}: ID=SALES.ID:number"},
    {"{'dataset':'LOADS','columns':['N'],'partition_filters':{'LOADS':['2024-01-31']}}",
     "LOADS{LOADS.DAY:date in d'2024-01-31'}: N=LOADS.N:number"},
    {"{'dataset':'FLAGS','partition_load_type':'3'}",
     "FLAGS{FLAGS.KIND:number eq 3}: KIND=FLAGS.KIND:number"},
    /* the newest partition */
    {"{'dataset':'DAILY','columns':['N']}", "DAILY^DAY^ID: N=DAILY.N:number"},
    {"{'dataset':'TICKS','columns':['N']}", "TICKS^ID: N=TICKS.N:number"},
    {"{'dataset':'DAYS','columns':['N'],'partition_filters':{}}", "DAYS^DAY: N=DAYS.N:number"},
    {"{'dataset':'DAILY','columns':['N'],'partition_load_type':'eod'}",
     "DAILY{DAILY.KIND:text eq/i t'eod'}^DAY^ID: N=DAILY.N:number"},
    {"{'dataset':'DAILY','columns':['N']," RULES("N", "gt") "}",
     "DAILY^DAY^ID: N=DAILY.N:number where DAILY.N:number gt 5"},
    {"{'dataset':'DAILY','columns':['c'],'aggregations':[{'column':'ID','function':'max',"
     "'output_name':'c'}]," RULES("c", "gt") "}",
     "DAILY^DAY^ID: c=#0:number max(DAILY.ID) having #0:number gt 5"},
    {"{'dataset':'SALES','columns':['ID'],'joins':[" ON("TICKS", "'join_type':'left',") "," ON(
         "TICKS", "'alias':'X','join_type':'outer',") "]}",
     "SALES left TICKS(SALES.ID=N)^ID outer X(SALES.ID=N)^ID: ID=SALES.ID:number"},
    /* what lifts it: partition_filters for every use, a filter for the use that it names */
    {"{'dataset':'DAILY','columns':['N'],'partition_filters':{'daily':[7]}}",
     "DAILY{DAILY.ID:number in 7}: N=DAILY.N:number"},
    {"{'dataset':'SALES','columns':['ID'],'joins':[" ON("TICKS", "'join_type':'left',") "," ON(
         "TICKS", "'alias':'X',") "," ON("DAYS", "") "],'partition_filters':{'X':['a']}}",
     "SALES left TICKS(SALES.ID=N){TICKS.ID:text in t'a'} inner X(SALES.ID=N){X.ID:text in t'a'} "
     "inner DAYS(SALES.ID=N)^DAY: ID=SALES.ID:number"},
    {"{'dataset':'DAILY','columns':['N']," RULES("ID", "lt") "}",
     "DAILY: N=DAILY.N:number where DAILY.ID:number lt 5"},
    {"{'dataset':'DAILY','columns':['N'],'filters':{'logic':'OR','conditions':["
     "{'column':'N','operator':'eq','value':1},{'conditions':[{'column':'daily.day',"
     "'operator':'is_not_null'}]}]}}",
     "DAILY: N=DAILY.N:number where (DAILY.N:number eq 1 | DAILY.DAY:date is_not_null)"},
    {"{'dataset':'DAILY','columns':['DAILY.N'],'joins':[{'left_dataset':'DAILY',"
     "'right_dataset':'DAILY','on':[{'left_column':'N','right_column':'N'}]}]," RULES("DAILY_2.ID",
                                                                                      "eq") "}",
     "DAILY^DAY^ID inner DAILY_2(DAILY.N=N): DAILY.N=DAILY.N:number where DAILY_2.ID:number eq 5"},
};

static void understands(const aur_catalog_t *c, apr_pool_t *p)
{
    apr_size_t i;

    for (i = 0; i < COUNT(good); i++) {
        aur_plan_t *plan;
        aur_error_t err;
        apr_status_t rv = plan_of(&plan, good[i].body, c, &err, p);

        is_str(rv == APR_SUCCESS ? plan_text(plan, p) : err.detail, good[i].want, good[i].body);
    }
}

/* --- what is refused ------------------------------------------------------------------------- */

#define TOTAL      "'aggregations':[{'column':'AMOUNT','function':'sum','output_name':'total'}]"
#define IS(column) "{'column':'" column "','operator':'is_null'}"
#define COND       "/filters/conditions/0"
#define GROUPED    "{'dataset':'SALES','group_by':['CITY']," TOTAL

static const struct {
    const char *body, *code, *pointer, *column;
} bad[] = {
    /* datasets */
    {"{'dataset':'NOPE'}", "UNKNOWN_DATASET", "/dataset", ""},
    {"{'dataset':'T'}", "UNKNOWN_DATASET", "/dataset", ""},
    {"{'dataset':'SALES; DROP TABLE SALES'}", "UNKNOWN_DATASET", "/dataset", ""},
    {"{'dataset':'SALES','joins':[{'left_dataset':'SALES','right_dataset':'NOPE',"
     "'on':[{'left_column':'ID','right_column':'ID'}]}]}",
     "UNKNOWN_DATASET", "/joins/0/right_dataset", ""},
    {"{'dataset':'SALES','joins':[{'left_dataset':'NOPE','right_dataset':'REGIONS',"
     "'on':[{'left_column':'ID','right_column':'ID'}]}]}",
     "UNKNOWN_DATASET", "/joins/0/left_dataset", ""},
    {"{'dataset':'SALES','joins':[{'left_dataset':'EMP','right_dataset':'REGIONS',"
     "'on':[{'left_column':'ID','right_column':'ID'}]}]}",
     "BAD_REQUEST", "/joins/0/left_dataset", ""},
    {"{'dataset':'SALES','joins':[{'left_dataset':'REGIONS','right_dataset':'REGIONS',"
     "'on':[{'left_column':'ID','right_column':'ID'}]}]}",
     "BAD_REQUEST", "/joins/0/left_dataset", ""},
    {"{'dataset':'A.T','joins':[{'left_dataset':'A.T','right_dataset':'B.T',"
     "'on':[{'left_column':'V','right_column':'V'}]},{'left_dataset':'T',"
     "'right_dataset':'EMP','on':[{'left_column':'V','right_column':'ID'}]}]}",
     "BAD_REQUEST", "/joins/1/left_dataset", ""},
    /* labels */
    {"{'dataset':'EMP','joins':[" SELF("'alias':'emp',") "]}", "BAD_REQUEST", "/joins/0/alias", ""},
    {"{'dataset':'EMP','joins':[" SELF("'alias':'B',") "," SELF("'alias':'b',") "]}", "BAD_REQUEST",
     "/joins/1/alias", ""},
    {"{'dataset':'SALES','joins':[{'left_dataset':'SALES','right_dataset':'REGIONS','alias':'emp',"
     "'on':[{'left_column':'ID','right_column':'ID'}]}," JOIN_E "]}",
     "BAD_REQUEST", "/joins/1/right_dataset", ""},
    {"{'dataset':'SALES','joins':[" JOIN_R "," JOIN_R ",{'left_dataset':'SALES',"
     "'right_dataset':'B.REGIONS_2','on':[{'left_column':'ID','right_column':'ID'}]}]}",
     "BAD_REQUEST", "/joins/2/right_dataset", ""},
    /* on */
    {"{'dataset':'SALES','joins':[{'left_dataset':'SALES','right_dataset':'REGIONS',"
     "'on':[{'left_column':'NAME','right_column':'ID'}]}]}",
     "UNKNOWN_COLUMN", "/joins/0/on/0/left_column", "NAME"},
    {"{'dataset':'SALES','joins':[{'left_dataset':'SALES','right_dataset':'REGIONS',"
     "'on':[{'left_column':'ID','right_column':'ID'},{'left_column':'ID',"
     "'right_column':'SALES.ID'}]}]}",
     "UNKNOWN_COLUMN", "/joins/0/on/1/right_column", "SALES.ID"},
    {"{'dataset':'SALES','joins':[{'left_dataset':'SALES','right_dataset':'REGIONS',"
     "'on':[{'left_column':'REGIONS.ID','right_column':'ID'}]}]}",
     "UNKNOWN_COLUMN", "/joins/0/on/0/left_column", "REGIONS.ID"},
    {"{'dataset':'SALES','joins':[{'left_dataset':'SALES','right_dataset':'REGIONS',"
     "'on':[{'left_column':'CITY','right_column':'ID'}]}]}",
     "BAD_REQUEST", "/joins/0/on/0", ""},
    {"{'dataset':'SALES','joins':[{'left_dataset':'SALES','right_dataset':'REGIONS',"
     "'on':[{'left_column':'PAID','right_column':'ID'}]}]}",
     "BAD_REQUEST", "/joins/0/on/0", ""},
    {"{'dataset':'SALES','joins':[{'left_dataset':'SALES','right_dataset':'EMP',"
     "'on':[{'left_column':'DOC','right_column':'PHOTO'}]}]}",
     "BAD_REQUEST", "/joins/0/on/0", ""},
    {"{'dataset':'SALES','joins':[{'left_dataset':'SALES','right_dataset':'REGIONS',"
     "'on':[{'left_column':'CLOB','right_column':'NAME'}]}]}",
     "BAD_REQUEST", "/joins/0/on/0", ""},
    /* columns */
    {"{'dataset':'SALES','columns':['ID','NOPE']}", "UNKNOWN_COLUMN", "/columns/1", "NOPE"},
    {"{'dataset':'SALES','columns':['REGIONS.NAME']}", "UNKNOWN_COLUMN", "/columns/0",
     "REGIONS.NAME"},
    {"{'dataset':'SALES','columns':['SALES.']}", "UNKNOWN_COLUMN", "/columns/0", "SALES."},
    {"{'dataset':'SALES','columns':['.ID']}", "UNKNOWN_COLUMN", "/columns/0", ".ID"},
    {"{'dataset':'SALES','columns':['.']}", "UNKNOWN_COLUMN", "/columns/0", "."},
    {"{'dataset':'SALES','columns':['*']}", "UNKNOWN_COLUMN", "/columns/0", "*"},
    {"{'dataset':'SALES','columns':['ID, AMOUNT']}", "UNKNOWN_COLUMN", "/columns/0", "ID, AMOUNT"},
    {"{'dataset':'SALES','columns':['mixed']}", "UNKNOWN_COLUMN", "/columns/0", "mixed"},
    {"{'dataset':'SALES','columns':['ID','ID']}", "BAD_REQUEST", "/columns/1", "ID"},
    {"{'dataset':'BALANCES','columns':['SECRET']}", "UNKNOWN_COLUMN", "/columns/0", "SECRET"},
    {"{'dataset':'BALANCES','columns':['LOAD_ID']}", "UNKNOWN_COLUMN", "/columns/0", "LOAD_ID"},
    {"{'dataset':'BALANCES','columns':['BANK.MONTHLY_BALANCE.LOAD_ID']}", "UNKNOWN_COLUMN",
     "/columns/0", "BANK.MONTHLY_BALANCE.LOAD_ID"},
    {"{'dataset':'SALES','columns':['NAME'],'joins':[" JOIN_R "," JOIN_E "]}", "BAD_REQUEST",
     "/columns/0", "NAME"},
    {"{'dataset':'SALES','columns':['EMP.NAME'],'joins':["
     "{'left_dataset':'SALES','right_dataset':'EMP','alias':'X',"
     "'on':[{'left_column':'ID','right_column':'ID'}]},"
     "{'left_dataset':'SALES','right_dataset':'EMP','alias':'Y',"
     "'on':[{'left_column':'ID','right_column':'ID'}]}]}",
     "BAD_REQUEST", "/columns/0", "EMP.NAME"},
    /* operators that do not apply */
    {WHERE("'column':'NOPE','operator':'eq','value':1"), "UNKNOWN_COLUMN", COND "/column", "NOPE"},
    {WHERE("'column':'AMOUNT','operator':'contains','value':'1'"), "UNKNOWN_OPERATOR",
     COND "/operator", "AMOUNT"},
    {WHERE("'column':'SOLD_ON','operator':'starts_with','value':'2024'"), "UNKNOWN_OPERATOR",
     COND "/operator", "SOLD_ON"},
    {WHERE("'column':'ID','operator':'is_empty'"), "UNKNOWN_OPERATOR", COND "/operator", "ID"},
    {WHERE("'column':'PAID','operator':'gt','value':true"), "UNKNOWN_OPERATOR", COND "/operator",
     "PAID"},
    {WHERE("'column':'PAID','operator':'between','value':[false,true]"), "UNKNOWN_OPERATOR",
     COND "/operator", "PAID"},
    {WHERE("'column':'DOC','operator':'eq','value':'x'"), "UNKNOWN_OPERATOR", COND "/operator",
     "DOC"},
    {WHERE("'column':'DOC','operator':'is_empty'"), "UNKNOWN_OPERATOR", COND "/operator", "DOC"},
    {WHERE("'column':'CLOB','operator':'contains','value':'x'"), "UNKNOWN_OPERATOR",
     COND "/operator", "CLOB"},
    {WHERE("'column':'CLOB','operator':'in','value':['x']"), "UNKNOWN_OPERATOR", COND "/operator",
     "CLOB"},
    {WHERE("'column':'ID','operator':'eq','value':1,'ignore_case':true"), "UNKNOWN_OPERATOR",
     COND "/ignore_case", "ID"},
    {WHERE("'column':'CITY','operator':'gt','value':'a','ignore_case':true"), "UNKNOWN_OPERATOR",
     COND "/ignore_case", "CITY"},
    {WHERE("'column':'CITY','operator':'between','value':'a,b','ignore_case':true"),
     "UNKNOWN_OPERATOR", COND "/ignore_case", "CITY"},
    /* values that do not fit */
    {WHERE("'column':'sales.amount','operator':'eq','value':'abc'"), "BAD_VALUE", COND "/value",
     "sales.amount"},
    {WHERE("'column':'AMOUNT','operator':'eq','value':true"), "BAD_VALUE", COND "/value", "AMOUNT"},
    {WHERE("'column':'AMOUNT','operator':'in','value':[1,2,'x']"), "BAD_VALUE", COND "/value/2",
     "AMOUNT"},
    {WHERE("'column':'AMOUNT','operator':'in','value':['x']"), "BAD_VALUE", COND "/value/0",
     "AMOUNT"},
    {WHERE("'column':'AMOUNT','operator':'between','value':[1,'x']"), "BAD_VALUE", COND "/value/1",
     "AMOUNT"},
    {WHERE("'column':'AMOUNT','operator':'between','value':'1'"), "BAD_VALUE", COND "/value",
     "AMOUNT"},
    {WHERE("'column':'AMOUNT','operator':'between','value':'1,'"), "BAD_VALUE", COND "/value",
     "AMOUNT"},
    {WHERE("'column':'SOLD_ON','operator':'eq','value':'2024-02-30'"), "BAD_VALUE", COND "/value",
     "SOLD_ON"},
    {WHERE("'column':'SOLD_AT','operator':'eq','value':17"), "BAD_VALUE", COND "/value", "SOLD_AT"},
    {WHERE("'column':'PAID','operator':'eq','value':'maybe'"), "BAD_VALUE", COND "/value", "PAID"},
    {WHERE("'column':'CITY','operator':'eq','value':5"), "BAD_VALUE", COND "/value", "CITY"},
    {WHERE("'column':'CITY','operator':'contains','value':5"), "BAD_VALUE", COND "/value", "CITY"},
    {WHERE("'column':'CITY','operator':'eq','value':null"), "BAD_VALUE", COND "/value", "CITY"},
    /* grouping */
    {"{'dataset':'SALES','group_by':['NOPE']}", "UNKNOWN_COLUMN", "/group_by/0", "NOPE"},
    {"{'dataset':'SALES','group_by':['CITY','DOC']}", "BAD_REQUEST", "/group_by/1", "DOC"},
    {"{'dataset':'SALES','group_by':['CLOB']}", "BAD_REQUEST", "/group_by/0", "CLOB"},
    {GROUPED ",'columns':['CITY','ID']}", "BAD_REQUEST", "/columns/1", "ID"},
    {GROUPED ",'columns':['CITY','NOPE']}", "UNKNOWN_COLUMN", "/columns/1", "NOPE"},
    {GROUPED ",'columns':['TOTAL','total','TOTAL']}", "BAD_REQUEST", "/columns/2", "TOTAL"},
    {GROUPED ",'sorting':[{'column':'ID'}]}", "BAD_REQUEST", "/sorting/0/column", "ID"},
    {"{'dataset':'SALES'," TOTAL ",'columns':['CITY']}", "BAD_REQUEST", "/columns/0", "CITY"},
    {"{'dataset':'SALES','group_by':['total']," TOTAL "}", "UNKNOWN_COLUMN", "/group_by/0",
     "total"},
    {"{'dataset':'SALES','group_by':['AMOUNT'],'aggregations':[{'column':'AMOUNT',"
     "'function':'sum','output_name':'AMOUNT'}]}",
     "BAD_REQUEST", "/aggregations/0/output_name", "AMOUNT"},
    /* aggregations */
    {"{'dataset':'SALES','aggregations':[{'column':'NOPE','function':'count'}]}", "UNKNOWN_COLUMN",
     "/aggregations/0/column", "NOPE"},
    {"{'dataset':'SALES','aggregations':[{'column':'CITY','function':'sum'}]}", "BAD_REQUEST",
     "/aggregations/0/column", "CITY"},
    {"{'dataset':'SALES','aggregations':[{'column':'SOLD_ON','function':'avg'}]}", "BAD_REQUEST",
     "/aggregations/0/column", "SOLD_ON"},
    {"{'dataset':'SALES','aggregations':[{'column':'PAID','function':'min'}]}", "BAD_REQUEST",
     "/aggregations/0/column", "PAID"},
    {"{'dataset':'SALES','aggregations':[{'column':'DOC','function':'max'}]}", "BAD_REQUEST",
     "/aggregations/0/column", "DOC"},
    {"{'dataset':'SALES','aggregations':[{'column':'CLOB','function':'distinct_count'}]}",
     "BAD_REQUEST", "/aggregations/0/column", "CLOB"},
    {"{'dataset':'SALES','aggregations':[{'column':'ID','function':'sum','output_name':'x'},"
     "{'column':'ID','function':'avg','output_name':'X'}]}",
     "BAD_REQUEST", "/aggregations/1/output_name", "X"},
    {"{'dataset':'SALES','aggregations':[{'column':'ID','function':'sum'},"
     "{'column':'id','function':'sum'}]}",
     "BAD_REQUEST", "/aggregations/1/output_name", "SUM_id"},
    /* totals and plain columns in one OR */
    {GROUPED ",'filters':{'logic':'OR','conditions':[" IS("CITY") "," IS("total") "]}}",
     "MIXED_AGGREGATE_FILTER", "/filters", ""},
    {GROUPED ",'filters':{'conditions':[" IS("CITY") ",{'logic':'OR','conditions':[" IS(
         "total") "," IS("ID") "]}]}}",
     "MIXED_AGGREGATE_FILTER", "/filters/conditions/1", ""},
    {GROUPED ",'filters':{'logic':'OR','conditions':[" IS("CITY") ",{'conditions':[" IS(
         "ID") "," IS("total") "]}]}}",
     "MIXED_AGGREGATE_FILTER", "/filters", ""},
    {GROUPED ",'filters':{'logic':'OR','conditions':[{'conditions':[" IS("ID") "," IS(
         "total") "]},{'conditions':[{'conditions':[" IS("CITY") "]}]}]}}",
     "MIXED_AGGREGATE_FILTER", "/filters", ""},
    {GROUPED ",'filters':{'conditions':[{'column':'total','operator':'contains','value':'1'}]}}",
     "UNKNOWN_OPERATOR", COND "/operator", "total"},
    {GROUPED ",'filters':{'conditions':[{'column':'total','operator':'gt','value':'much'}]}}",
     "BAD_VALUE", COND "/value", "total"},
    /* sorting */
    {"{'dataset':'SALES','sorting':[{'column':'ID'},{'column':'NOPE'}]}", "UNKNOWN_COLUMN",
     "/sorting/1/column", "NOPE"},
    {"{'dataset':'SALES','sorting':[{'column':'DOC'}]}", "BAD_REQUEST", "/sorting/0/column", "DOC"},
    {"{'dataset':'SALES','sorting':[{'column':'CLOB'}]}", "BAD_REQUEST", "/sorting/0/column",
     "CLOB"},
    {"{'dataset':'BALANCES','sorting':[{'column':'AS_OF'}]}", "UNKNOWN_COLUMN", "/sorting/0/column",
     "AS_OF"},
    /* partitions */
    {"{'dataset':'SALES','partition_filters':{'SALES':[1]}}", "BAD_REQUEST",
     "/partition_filters/SALES", ""},
    {"{'dataset':'BALANCES','partition_filters':{'NOPE':[1]}}", "BAD_REQUEST",
     "/partition_filters/NOPE", ""},
    {"{'dataset':'SALES','partition_filters':{'BALANCES':[1]}}", "BAD_REQUEST",
     "/partition_filters/BALANCES", ""},
    {"{'dataset':'SALES','partition_filters':{'a/b~':[1]}}", "BAD_REQUEST",
     "/partition_filters/a~1b~0", ""},
    {"{'dataset':'BALANCES','partition_filters':{'BALANCES':[1,'x']}}", "BAD_VALUE",
     "/partition_filters/BALANCES/1", "LOAD_ID"},
    {"{'dataset':'BALANCES','partition_filters':{'balances':[true]}}", "BAD_VALUE",
     "/partition_filters/balances/0", "LOAD_ID"},
    {"{'dataset':'BALANCES','partition_filters':{'balances':5}}", "BAD_REQUEST",
     "/partition_filters/balances", ""},
    {"{'dataset':'BALANCES','partition_filters':{'BALANCES':[null]}}", "BAD_VALUE",
     "/partition_filters/BALANCES/0", ""},
    {"{'dataset':'FLAGS','partition_filters':{'FLAGS':[1]}}", "BAD_REQUEST",
     "/partition_filters/FLAGS", ""},
    {"{'dataset':'LOADS','partition_filters':{'LOADS':[20240131]}}", "BAD_VALUE",
     "/partition_filters/LOADS/0", "DAY"},
    {"{'dataset':'SALES','partition_load_type':'Daily'}", "BAD_REQUEST", "/partition_load_type",
     ""},
    {"{'dataset':'LOADS','partition_load_type':'Daily'}", "BAD_REQUEST", "/partition_load_type",
     ""},
    {"{'dataset':'BALANCES','partition_load_type':'Weekly'}", "BAD_VALUE", "/partition_load_type",
     "LOAD_TYPE"},
    {"{'dataset':'FLAGS','partition_load_type':'Daily'}", "BAD_VALUE", "/partition_load_type",
     "KIND"},
};

static void refuses(const aur_catalog_t *c, apr_pool_t *p)
{
    apr_size_t i;

    for (i = 0; i < COUNT(bad); i++) {
        aur_plan_t *plan;
        aur_error_t err;
        const char *got = "(accepted)";

        if (plan_of(&plan, bad[i].body, c, &err, p) != APR_SUCCESS) {
            got = apr_pstrcat(p, aur_error_code(err.code), " ", err.pointer, " ", err.column,
                              *err.detail ? "" : " without a detail", NULL);
        }
        is_str(got, apr_pstrcat(p, bad[i].code, " ", bad[i].pointer, " ", bad[i].column, NULL),
               bad[i].body);
        if (plan) {
            ok(0, "%s: nothing comes out of a refused request", bad[i].body);
        }
    }
}

/* --- the rest -------------------------------------------------------------------------------- */

static void details(const aur_catalog_t *c, apr_pool_t *p)
{
    aur_plan_t *plan;
    aur_error_t err;

    plan_of(&plan, WHERE("'column':'AMOUNT','operator':'contains','value':'1'"), c, &err, p);
    is_str(err.detail, "contains works on text columns; AMOUNT is a number.",
           "an operator that does not apply says what it applies to");
    plan_of(&plan, WHERE("'column':'CITY','operator':'eq','value':null"), c, &err, p);
    ok(strstr(err.detail, "is_null"), "null advises is_null: %s", err.detail);
    if (ok(plan_of(&plan, "{'dataset':'sales','limit':7,'offset':3,'shape':'arrays'}", c, &err,
                   p) == APR_SUCCESS,
           "paging")) {
        ok(plan->limit == 7 && plan->offset == 3 && plan->arrays && !plan->grouped,
           "limit, offset and shape pass through");
        is_str(plan->dataset_name, "SALES", "the dataset's own name");
        is_int(plan->noutputs, 13, "every column");
    }
    ok(plan_of(&plan, "{'dataset':'SALES','group_by':['CITY']}", c, &err, p) == APR_SUCCESS &&
           plan->grouped && !plan->naggregations,
       "group_by alone groups");
}

/* Values of partitions count once for each use of their dataset. */
static void partition_values(const aur_catalog_t *c, apr_pool_t *p)
{
    const char *values = "1", *joins = "";
    aur_plan_t *plan;
    aur_error_t err;
    int i;

    for (i = 1; i < 1000; i++) {
        values = i % 100 ? apr_pstrcat(p, values, ",1", NULL) : apr_pstrcat(p, values, ",2", NULL);
    }
    for (i = 0; i < 10; i++) {
        joins = apr_pstrcat(p, joins, i ? "," : "",
                            "{'left_dataset':'BALANCES','right_dataset':'BALANCES',"
                            "'on':[{'left_column':'AMOUNT','right_column':'AMOUNT'}]}",
                            NULL);
        if (i == 8) {
            is_int(plan_of(&plan,
                           apr_pstrcat(p, "{'dataset':'BALANCES','partition_filters':{'BALANCES':[",
                                       values, "]},'joins':[", joins, "]}", NULL),
                           c, &err, p),
                   APR_SUCCESS, "10 uses of 1000 values");
        }
    }
    is_int(plan_of(&plan,
                   apr_pstrcat(p, "{'dataset':'BALANCES','partition_filters':{'BALANCES':[", values,
                               "]},'joins':[", joins, "]}", NULL),
                   c, &err, p),
           APR_EGENERAL, "11 uses");
    ok(err.code == AUR_E_BAD_REQUEST && !strcmp(err.pointer, "/partition_filters/BALANCES"),
       "are too many: %s", err.detail);
}

/* Long names with a dot at every other byte: every dot is a place to split. */
static void dots(const aur_catalog_t *c, apr_pool_t *p)
{
    char name[511], *body;
    aur_plan_t *plan;
    aur_error_t err;
    apr_size_t i;

    for (i = 0; i < sizeof(name) - 1; i++) {
        name[i] = i % 2 ? '.' : 'a';
    }
    name[sizeof(name) - 1] = '\0';
    body = apr_pstrcat(p, "{'dataset':'SALES','columns':['", name, "']}", NULL);
    is_int(plan_of(&plan, body, c, &err, p), APR_EGENERAL, "a name of dots");
    ok(err.code == AUR_E_UNKNOWN_COLUMN && strlen(err.column) < sizeof(err.column),
       "is an unknown column, cut to fit: %s", err.detail);
}

/* What stands in the error is text; whatever it holds, it is cut at a character and ended. */
static void hostile_names(const aur_catalog_t *c, apr_pool_t *p)
{
    static const char *const names[] = {"%s%n%d",
                                        "a\\\\b",
                                        "\\u0001\\u001f",
                                        "\\u202e",
                                        "../../etc/passwd",
                                        "ID' --",
                                        "(SELECT 1)",
                                        "ID;DROP",
                                        "\\ud83d\\ude00",
                                        "NULL",
                                        "rowid",
                                        "ID ",
                                        " ID",
                                        "ID\\t",
                                        "[ID]",
                                        "`ID`",
                                        "\\\"ID\\\""};
    apr_size_t i;

    for (i = 0; i < COUNT(names); i++) {
        const char *places[] = {"{\"dataset\":\"SALES\",\"columns\":[\"",
                                "\"]}",
                                "{\"dataset\":\"SALES\",\"group_by\":[\"",
                                "\"]}",
                                "{\"dataset\":\"SALES\",\"sorting\":[{\"column\":\"",
                                "\"}]}",
                                "{\"dataset\":\"",
                                "\"}"};
        apr_size_t k;
        for (k = 0; k < COUNT(places); k += 2) {
            const char *body = apr_pstrcat(p, places[k], names[i], places[k + 1], NULL);
            aur_query_t *q = NULL;
            aur_plan_t *plan = NULL;
            aur_error_t err;
            aur_code_e want = k == 6 ? AUR_E_UNKNOWN_DATASET : AUR_E_UNKNOWN_COLUMN;

            aur_error_clear(&err);
            ok(aur_query_parse(&q, body, strlen(body), &err, p) == APR_SUCCESS &&
                   aur_query_plan(&plan, q, c, &err, p) == APR_EGENERAL && err.code == want,
               "unknown: %s", body);
        }
    }
}

int main(void)
{
    const aur_catalog_t *c;
    apr_pool_t *p;

    apr_initialize();
    atexit(apr_terminate);
    apr_pool_create(&p, NULL);
    c = catalog_make(p);
    understands(c, p);
    refuses(c, p);
    details(c, p);
    partition_values(c, p);
    dots(c, p);
    hostile_names(c, p);
    apr_pool_destroy(p);
    return tap_done();
}
