/* http_health.c - for monitors and load balancers. */
#include "http/http_private.h"

#include "aurora/json_out.h"

int aur_http_health(aur_request_t *x)
{
    aur_answer_begin(x, "application/json", 1);
    aur_json_lit(x->sink, "{\"status\":\"ok\"}\n");
    return aur_answer_end(x);
}

/* A connection is taken as a preview would take it, and given back at once. */
int aur_http_ready(aur_request_t *x)
{
    if (aur_run_borrow(x, AUR_USE_PREVIEW) != APR_SUCCESS) {
        return aur_answer_fail(x);
    }
    aur_run_return(x);
    aur_answer_begin(x, "application/json", 1);
    aur_json_lit(x->sink, "{\"status\":\"ready\"}\n");
    return aur_answer_end(x);
}
