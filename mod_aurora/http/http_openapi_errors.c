/* http_openapi_errors.c - errors in the description: statuses, codes and titles from their table, when they occur and
 * what is said then from openapi.json. */
#include "http/http_openapi.h"

#include <apr_strings.h>

#include "aurora/json_out.h"

static int names(const json_t *codes, const char *code)
{
    const json_t *one;
    apr_size_t i;

    json_array_foreach(codes, i, one)
    {
        if (json_is_string(one) && !strcmp(json_string_value(one), code)) {
            return 1;
        }
    }
    return 0;
}

/* Codes that are in no table. */
static void check(aur_openapi_t *d, const json_t *codes)
{
    const json_t *one;
    apr_size_t i;
    int code;

    json_array_foreach(codes, i, one)
    {
        const char *name = json_is_string(one) ? json_string_value(one) : "";
        for (code = AUR_E_NONE + 1; code < AUR_E_COUNT; code++) {
            if (!strcmp(aur_error_code((aur_code_e)code), name)) {
                break;
            }
        }
        if (code == AUR_E_COUNT && !d->wrong) {
            d->wrong = name;
        }
    }
}

static const char *description(const aur_code_e *list, int n, apr_pool_t *p)
{
    const char *text = "";
    int i;

    for (i = 0; i < n; i++) {
        text = apr_pstrcat(p, text, i ? "; " : "", aur_error_code(list[i]), ": ",
                           aur_error_title(list[i]), NULL);
    }
    return text;
}

/* Those that an answer carries whatever becomes of it, once somebody has been let in. */
static void write_headers(aur_openapi_t *d, const json_t *headers)
{
    static const char *const any[] = {"X-Aurora-Task", "RateLimit", "RateLimit-Policy"};
    apr_size_t i;

    for (i = 0; i < sizeof(any) / sizeof(any[0]); i++) {
        if (json_object_get(headers, any[i])) {
            aur_json_lit(d->sink, ",");
            aur_json_cstring(d->sink, any[i]);
            aur_json_lit(d->sink, ":");
            aur_openapi_write(d, json_object_get(headers, any[i]));
        }
    }
}

static void write_response(aur_openapi_t *d, const aur_code_e *list, int n, const json_t *headers)
{
    int status = aur_problem_status(list[0]), i;
    aur_sink_t *sink = d->sink;

    aur_json_cstring(sink, apr_itoa(d->p, status));
    aur_json_lit(sink, ":{\"description\":");
    aur_json_cstring(sink, description(list, n, d->p));
    aur_json_lit(sink, ",\"headers\":{\"X-Correlation-ID\":{\"$ref\":\"#/components/headers/"
                       "X-Correlation-ID\"}");
    write_headers(d, headers);
    if (status == HTTP_SERVICE_UNAVAILABLE || status == HTTP_TOO_MANY_REQUESTS) {
        aur_json_lit(sink, ",\"Retry-After\":{\"$ref\":\"#/components/headers/Retry-After\"}");
    }
    aur_json_lit(sink, "},\"content\":{\"application/problem+json\":{\"schema\":{\"allOf\":["
                       "{\"$ref\":\"#/components/schemas/Problem\"},{\"type\":\"object\","
                       "\"properties\":{\"status\":{\"const\":");
    aur_json_int(sink, status);
    aur_json_lit(sink, "},\"code\":{\"type\":\"string\",\"enum\":[");
    for (i = 0; i < n; i++) {
        aur_sink_write(sink, ",", i > 0);
        aur_json_cstring(sink, aur_error_code(list[i]));
    }
    aur_json_lit(sink, "]}}}]},\"examples\":{");
    for (i = 0; i < n; i++) {
        aur_sink_write(sink, ",", i > 0);
        aur_json_cstring(sink, aur_error_code(list[i]));
        aur_json_lit(sink, ":{\"$ref\":");
        aur_json_cstring(
            sink, apr_pstrcat(d->p, "#/components/examples/", aur_error_code(list[i]), NULL));
        aur_json_lit(sink, "}");
    }
    aur_json_lit(sink, "}}}}");
}

/* The table has the codes of one status one after the other. */
void aur_openapi_errors(aur_openapi_t *d, const json_t *codes, const json_t *headers)
{
    const json_t *common = json_object_get(d->root, "x-common-errors");
    aur_code_e list[AUR_E_COUNT];
    int code, n = 0, first = 1;

    check(d, codes);
    check(d, common);
    for (code = AUR_E_NONE + 1; code < AUR_E_COUNT; code++) {
        const char *name = aur_error_code((aur_code_e)code);
        if (names(codes, name) || names(common, name)) {
            list[n++] = (aur_code_e)code;
        }
        if (n && (code + 1 == AUR_E_COUNT ||
                  aur_problem_status((aur_code_e)(code + 1)) != aur_problem_status(list[0]))) {
            aur_sink_write(d->sink, ",", !first);
            write_response(d, list, n, headers);
            first = n = 0;
        }
    }
}

static void write_example(aur_openapi_t *d, aur_code_e code, const json_t *told)
{
    const json_t *value, *members = json_object_get(told, "members");
    const json_t *request = json_object_get(told, "request");
    const char *name;

    aur_json_lit(d->sink, "{\"summary\":");
    aur_json_cstring(d->sink, aur_error_title(code));
    aur_json_lit(d->sink, ",\"description\":");
    aur_openapi_write(d, json_object_get(told, "when"));
    aur_json_lit(d->sink, ",\"value\":{\"type\":\"about:blank\",\"title\":");
    aur_json_cstring(d->sink, aur_error_title(code));
    aur_json_lit(d->sink, ",\"status\":");
    aur_json_int(d->sink, aur_problem_status(code));
    aur_json_lit(d->sink, ",\"detail\":");
    aur_openapi_write(d, json_object_get(told, "detail"));
    aur_json_lit(d->sink, ",\"code\":");
    aur_json_cstring(d->sink, aur_error_code(code));
    aur_json_lit(d->sink, ",\"correlation_id\":\"d93780b72be98716ecbd9748a5a24717\"");
    json_object_foreach((json_t *)members, name, value)
    {
        aur_json_lit(d->sink, ",");
        aur_json_cstring(d->sink, name);
        aur_json_lit(d->sink, ":");
        aur_openapi_write(d, value);
    }
    aur_json_lit(d->sink, "}");
    if (request) {
        aur_json_lit(d->sink, ",\"x-request\":");
        aur_openapi_write(d, request);
    }
    aur_json_lit(d->sink, "}");
}

void aur_openapi_error_examples(aur_openapi_t *d)
{
    const json_t *all = json_object_get(d->root, "x-errors");
    int code;

    for (code = AUR_E_NONE + 1; code < AUR_E_COUNT; code++) {
        const char *name = aur_error_code((aur_code_e)code);
        const json_t *told = json_object_get(all, name);
        aur_sink_byte(d->sink, code > AUR_E_NONE + 1 ? ',' : '{');
        aur_json_cstring(d->sink, name);
        aur_json_lit(d->sink, ":");
        if (!told && !d->wrong) {
            d->wrong = name;
        }
        write_example(d, (aur_code_e)code, told);
    }
    aur_json_lit(d->sink, "}");
}
