/* http_openapi_values.c - what the description takes from the tables of the module and from the configuration of the
 * Location that is asked. */
#include "http/http_openapi.h"
#include "http/http_export.h"
#include "mod_aurora.h"

#include <apr_strings.h>

#include "aurora/catalog_reports.h"
#include "aurora/figures.h"
#include "aurora/json_out.h"
#include "aurora/query_words.h"

/* --- numbers ------------------------------------------------------------------------------------ */

static int number(apr_int64_t *n, const aur_openapi_t *d, const char *name)
{
    const struct {
        const char *name;
        apr_int64_t n;
    } numbers[] = {{"preview_max_rows", d->loc->preview_max_rows},
                   {"xlsx_max_rows", d->loc->xlsx_max_rows},
                   {"max_request_body", d->loc->max_request_body},
                   {"user_tasks_max", d->loc->user_tasks_max},
                   {"export_queue_max", d->server->export_queue_max},
                   {"query_timeout", apr_time_sec(d->loc->query_timeout)},
                   {"depth_max", AUR_QUERY_DEPTH_MAX},
                   {"columns_max", AUR_QUERY_COLUMNS_MAX},
                   {"joins_max", AUR_QUERY_JOINS_MAX},
                   {"on_max", AUR_QUERY_ON_MAX},
                   {"rules_max", AUR_QUERY_RULES_MAX},
                   {"in_max", AUR_QUERY_IN_MAX},
                   {"name_max", AUR_QUERY_NAME_MAX},
                   {"partitions_max", AUR_QUERY_JOINS_MAX + 1}};
    apr_size_t i;

    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (!strcmp(numbers[i].name, name)) {
            *n = numbers[i].n;
            return 1;
        }
    }
    return 0;
}

/* --- texts -------------------------------------------------------------------------------------- */

static const char *rate_text(const aur_rate_t *rate, apr_pool_t *p)
{
    const char *unit = rate->per_us == apr_time_from_sec(1)    ? "second"
                       : rate->per_us == apr_time_from_sec(60) ? "minute"
                                                               : "hour";
    if (!rate->per_us) {
        return "without limit";
    }
    return rate->burst
               ? apr_psprintf(p,
                              "%" APR_INT64_T_FMT " per %s, at most %" APR_INT64_T_FMT " at once",
                              rate->count, unit, rate->burst)
               : apr_psprintf(p, "%" APR_INT64_T_FMT " per %s", rate->count, unit);
}

static const char *rows_text(apr_int64_t rows, apr_pool_t *p)
{
    return rows > 0 ? apr_psprintf(p, "more than %" APR_INT64_T_FMT " rows", rows) : "no limit";
}

const char *aur_openapi_text(aur_openapi_t *d, const char *name)
{
    apr_int64_t n;

    if (!strcmp(name, "version")) {
        return AURORA_VERSION;
    }
    if (!strcmp(name, "base")) {
        return *d->base ? d->base : "/";
    }
    if (!strcmp(name, "path")) {
        return d->base;
    }
    if (!strcmp(name, "preview_rate")) {
        return rate_text(&d->loc->preview_rate, d->p);
    }
    if (!strcmp(name, "export_rate")) {
        return rate_text(&d->loc->export_rate, d->p);
    }
    if (!strcmp(name, "client_rate")) {
        return rate_text(&d->loc->client_rate, d->p);
    }
    if (!strcmp(name, "threshold")) {
        return rows_text(d->loc->explain_threshold, d->p);
    }
    if (!strcmp(name, "threshold_csv")) {
        return rows_text(d->loc->explain_threshold_csv, d->p);
    }
    return number(&n, d, name) ? apr_psprintf(d->p, "%" APR_INT64_T_FMT, n) : NULL;
}

/* --- lists -------------------------------------------------------------------------------------- */

typedef struct list_t {
    aur_sink_t *sink;
    int n;
} list_t;

static void list_add(list_t *list, const char *word)
{
    aur_sink_byte(list->sink, list->n++ ? ',' : '[');
    aur_json_cstring(list->sink, word);
}

static void list_end(list_t *list)
{
    if (!list->n) {
        aur_sink_byte(list->sink, '[');
    }
    aur_sink_byte(list->sink, ']');
}

static int write_words(aur_openapi_t *d, const char *name)
{
    const struct {
        const char *name;
        const aur_word_t *words;
    } lists[] = {{"operators", aur_query_words(AUR_WORDS_OPERATOR)},
                 {"logic", aur_query_words(AUR_WORDS_LOGIC)},
                 {"join_types", aur_query_words(AUR_WORDS_JOIN)},
                 {"functions", aur_query_words(AUR_WORDS_FUNCTION)},
                 {"shapes", aur_query_words(AUR_WORDS_SHAPE)},
                 {"directions", aur_json_directions},
                 {"nulls", aur_json_nulls}};
    list_t list = {d->sink, 0};
    const aur_word_t *word;
    apr_size_t i;

    for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        if (!strcmp(lists[i].name, name)) {
            for (word = lists[i].words; word->word; word++) {
                list_add(&list, word->word);
            }
            list_end(&list);
            return 1;
        }
    }
    return 0;
}

/* Types of different names only: a zone shows in the values, not in the type. */
static void write_types(aur_sink_t *sink, const char *(*name)(aur_type_e))
{
    list_t list = {sink, 0};
    int type, before;

    for (type = AUR_T_TEXT; type <= AUR_T_BINARY; type++) {
        for (before = AUR_T_TEXT;
             before < type && strcmp(name((aur_type_e)before), name((aur_type_e)type)); before++) {
        }
        if (before == type) {
            list_add(&list, name((aur_type_e)type));
        }
    }
    list_end(&list);
}

static void write_codes(aur_sink_t *sink)
{
    list_t list = {sink, 0};
    int code;

    for (code = AUR_E_NONE + 1; code < AUR_E_COUNT; code++) {
        list_add(&list, aur_error_code((aur_code_e)code));
    }
    list_end(&list);
}

static void write_states(aur_sink_t *sink)
{
    static const char *const states[] = {
#define AUR_X(id, name) name,
        AUR_TASK_STATES(AUR_X)
#undef AUR_X
    };
    list_t list = {sink, 0};
    apr_size_t i;

    for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        list_add(&list, states[i]);
    }
    list_end(&list);
}

static void write_works(aur_sink_t *sink)
{
    list_t list = {sink, 0};
    int work;

    for (work = 0; work < AUR_WORK_COUNT; work++) {
        list_add(&list, aur_figures_work_name((aur_work_e)work));
    }
    list_end(&list);
}

static void write_parameter_types(aur_sink_t *sink)
{
    list_t list = {sink, 0};
    int type;

    for (type = AUR_PARAM_TEXT; type <= AUR_PARAM_CHOICE; type++) {
        list_add(&list, aur_param_name((aur_param_e)type));
    }
    list_end(&list);
}

/* "export.delimiter": what that parameter of an export may say. */
static int write_choices(aur_openapi_t *d, const char *name)
{
    const char *const *choice = !strncmp(name, "export.", 7) ? aur_export_choices(name + 7) : NULL;
    list_t list = {d->sink, 0};

    if (!choice) {
        return 0;
    }
    for (; *choice; choice++) {
        list_add(&list, *choice);
    }
    list_end(&list);
    return 1;
}

int aur_openapi_value(aur_openapi_t *d, const char *name)
{
    apr_int64_t n;

    if (number(&n, d, name)) {
        aur_json_int(d->sink, n);
    }
    else if (!strcmp(name, "types")) {
        write_types(d->sink, aur_type_name);
    }
    else if (!strcmp(name, "base_types")) {
        write_types(d->sink, aur_type_base_name);
    }
    else if (!strcmp(name, "parameter_types")) {
        write_parameter_types(d->sink);
    }
    else if (!strcmp(name, "codes")) {
        write_codes(d->sink);
    }
    else if (!strcmp(name, "task_states")) {
        write_states(d->sink);
    }
    else if (!strcmp(name, "task_kinds")) {
        write_works(d->sink);
    }
    else if (!strcmp(name, "error_examples")) {
        aur_openapi_error_examples(d);
    }
    else {
        return write_words(d, name) || write_choices(d, name);
    }
    return 1;
}
