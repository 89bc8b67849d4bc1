/* http_estimate.c - what a request would cost and whether it would be let through, without running it. */
#include "http/http_private.h"

#include "aurora/json_out.h"

static void write_verdict(aur_sink_t *sink, const char *use, aur_code_e refusal)
{
    aur_json_cstring(sink, use);
    if (refusal == AUR_E_NONE) {
        aur_json_lit(sink, ":{\"allowed\":true}");
        return;
    }
    aur_json_lit(sink, ":{\"allowed\":false,\"code\":");
    aur_json_cstring(sink, aur_error_code(refusal));
    aur_json_lit(sink, "}");
}

static aur_code_e too_large(apr_int64_t rows, apr_int64_t threshold)
{
    return threshold > 0 && rows > threshold ? AUR_E_QUERY_TOO_LARGE : AUR_E_NONE;
}

static void write_estimate(aur_request_t *x, const aur_plan_t *plan, apr_int64_t rows)
{
    aur_code_e xlsx = too_large(rows, aur_gate_threshold(x, AUR_USE_PREVIEW));
    aur_sink_t *sink = x->sink;
    int i;

    aur_json_lit(sink, "{\"dataset_name\":");
    aur_json_cstring(sink, plan->dataset_name);
    aur_json_lit(sink, ",\"columns\":[");
    for (i = 0; i < plan->noutputs; i++) {
        aur_sink_write(sink, ",", i > 0);
        aur_json_cstring(sink, plan->columns[i].name);
    }
    aur_json_lit(sink, "],\"types\":[");
    for (i = 0; i < plan->noutputs; i++) {
        aur_sink_write(sink, ",", i > 0);
        aur_json_cstring(sink, aur_type_name(plan->columns[i].type));
    }
    aur_json_lit(sink, "],\"estimated_rows\":");
    aur_json_int(sink, rows);
    aur_json_lit(sink, ",\"would_run\":{");
    write_verdict(sink, "preview", too_large(rows, aur_gate_threshold(x, AUR_USE_PREVIEW)));
    aur_json_lit(sink, ",");
    write_verdict(sink, "csv", too_large(rows, aur_gate_threshold(x, AUR_USE_EXPORT)));
    aur_json_lit(sink, ",");
    if (xlsx == AUR_E_NONE && rows > x->loc->xlsx_max_rows) {
        xlsx = AUR_E_XLSX_TOO_MANY_ROWS;
    }
    write_verdict(sink, "xlsx", xlsx);
    aur_json_lit(sink, "}}\n");
}

/* A count need go no further than the highest limit that a verdict depends on. */
static apr_int64_t highest_limit(const aur_request_t *x)
{
    apr_int64_t most = x->loc->xlsx_max_rows;
    if (aur_gate_threshold(x, AUR_USE_PREVIEW) > most) {
        most = aur_gate_threshold(x, AUR_USE_PREVIEW);
    }
    if (aur_gate_threshold(x, AUR_USE_EXPORT) > most) {
        most = aur_gate_threshold(x, AUR_USE_EXPORT);
    }
    return most;
}

int aur_http_estimate(aur_request_t *x)
{
    aur_estimate_t estimate = {0};
    aur_query_t *query;
    aur_plan_t *plan;
    int status = aur_run_read(x, &query);

    if (status != OK) {
        return status == DONE ? aur_answer_fail(x) : status;
    }
    if (aur_run_plan(x, query, &plan) != APR_SUCCESS ||
        aur_run_borrow(x, AUR_USE_PREVIEW) != APR_SUCCESS ||
        aur_gate_estimate(x, plan, highest_limit(x) + 1, &estimate) != APR_SUCCESS) {
        return aur_answer_fail(x);
    }
    aur_run_return(x);
    aur_answer_begin(x, "application/json", 1);
    write_estimate(x, plan, estimate.rows);
    return aur_answer_end(x);
}
