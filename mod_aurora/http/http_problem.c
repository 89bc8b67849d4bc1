/* http_problem.c - errors as clients see them (RFC 9457) and as the log does. The one place that knows
 * which HTTP status goes with a code. */
#include "http/http_private.h"

#include <http_log.h>
#include <apr_strings.h>

#include "aurora/json_out.h"

APLOG_USE_MODULE(aurora);

#define RETRY_SECONDS 5 /* of a 503 that names no time of its own */
#define SQL_LOGGED    4096

int aur_problem_status(aur_code_e code)
{
    static const int statuses[AUR_E_COUNT] = {[AUR_E_NONE] = HTTP_OK,
#define AUR_X(id, name, status, title) [id] = status,
                                              AUR_ERRORS(AUR_X)
#undef AUR_X
    };
    return (unsigned)code < AUR_E_COUNT ? statuses[code] : HTTP_INTERNAL_SERVER_ERROR;
}

void aur_problem_write(aur_request_t *x)
{
    const aur_error_t *err = &x->err;
    aur_sink_t *sink = x->sink;
    int status = aur_problem_status(err->code);
    int retry =
        err->retry_after || status != HTTP_SERVICE_UNAVAILABLE ? err->retry_after : RETRY_SECONDS;
    aur_json_lit(sink, "{\"type\":\"about:blank\",\"title\":");
    aur_json_cstring(sink, aur_error_title(err->code));
    aur_json_lit(sink, ",\"status\":");
    aur_json_int(sink, status);
    aur_json_lit(sink, ",\"detail\":");
    aur_json_cstring(sink, err->detail);
    aur_json_lit(sink, ",\"code\":");
    aur_json_cstring(sink, aur_error_code(err->code));
    aur_json_lit(sink, ",\"correlation_id\":");
    aur_json_cstring(sink, x->correlation);
    if (*err->column) {
        aur_json_lit(sink, ",\"column\":");
        aur_json_cstring(sink, err->column);
    }
    if (*err->pointer) {
        aur_json_lit(sink, ",\"pointer\":");
        aur_json_cstring(sink, err->pointer);
    }
    if (retry) {
        apr_table_setn(x->r->headers_out, "Retry-After", apr_itoa(x->r->pool, retry));
        aur_json_lit(sink, ",\"retry_after\":");
        aur_json_int(sink, retry);
    }
    if (err->estimated_rows >= 0) {
        aur_json_lit(sink, ",\"estimated_rows\":");
        aur_json_int(sink, err->estimated_rows);
    }
    if (err->limit >= 0) {
        aur_json_lit(sink, ",\"limit\":");
        aur_json_int(sink, err->limit);
    }
    aur_json_lit(sink, "}\n");
}

/* The statement is shown where the database had its say; values never are: they are binds. */
void aur_problem_log(const aur_request_t *x)
{
    const aur_error_t *err = &x->err;
    int status = aur_problem_status(err->code);
    int level = status >= HTTP_INTERNAL_SERVER_ERROR ? APLOG_ERR : APLOG_INFO;
    const char *sql = *err->native && x->sql ? x->sql : NULL;

    ap_log_rerror(APLOG_MARK, level, 0, x->r, AURLOG(2002) "[%s] %s: %s%s%s%s%.*s", x->correlation,
                  aur_error_code(err->code), err->detail, *err->native ? " database: " : "",
                  err->native, sql ? " statement: " : "", SQL_LOGGED, sql ? sql : "");
}
