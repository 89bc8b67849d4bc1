/* Metrics: counting from many processes, and the three forms they are written in. */
#include <apr_general.h>
#include <apr_strings.h>
#include <jansson.h>

#include "aurora/metrics_text.h"
#include "shared.h"
#include "tap.h"

typedef struct {
    char *text;
    size_t len, room;
} text_t;

static void out(void *ctx, const char *text, apr_size_t len)
{
    text_t *t = ctx;

    if (t->len + len + 1 > t->room) {
        t->room = (t->len + len + 1) * 2;
        t->text = realloc(t->text, t->room);
        if (!t->text) {
            exit(1);
        }
    }
    memcpy(t->text + t->len, text, len);
    t->len += len;
    t->text[t->len] = '\0';
}

static void fill(aur_figures_t *f)
{
    f->pool_busy += 3;
    f->pool_open += 5;
    f->running[AUR_WORK_CSV] += 2;
    f->export_queue += 2;
    f->pool_max = 10;
    f->pool_max_total = 40;
    f->started = 1700000000250000;
    f->version = "1.2.3";
}

static const aur_figures_source_t source = {fill, NULL};

static const char *write_all(aur_metrics_form_e form)
{
    static text_t t;
    aur_figures_t f;

    t.len = 0;
    aur_figures_get(&f);
    aur_metrics_write(form, aur_metrics_used(), &f, out, &t);
    return t.text;
}

static void has(const char *text, const char *line)
{
    char whole[200];

    snprintf(whole, sizeof(whole), "\n%s\n", line);
    ok(strstr(text, whole) != NULL, "%s", line);
}

static void count_some(void)
{
    aur_metrics_request(AUR_KIND_PREVIEW, 200);
    aur_metrics_request(AUR_KIND_PREVIEW, 200);
    aur_metrics_request(AUR_KIND_CSV, 429);
    aur_metrics_request(AUR_KIND_OTHER, 599);
    aur_metrics_request(AUR_KIND_OTHER, 0);
    aur_metrics_request(AUR_KIND_OTHER, 1000);
    aur_metrics_request((aur_metric_kind_e)99, 200);
    aur_metrics_volume(AUR_WORK_CSV, 1000, 123456789);
    aur_metrics_refused(AUR_REFUSED_USER_TASKS, 0);
    aur_metrics_refused(AUR_REFUSED_CLIENT_RATE, 1);
    aur_metrics_cancelled(AUR_CANCELLED_REQUESTED);
    aur_metrics_connect_error();
    aur_metrics_time(AUR_TIME_QUERY + AUR_WORK_PREVIEW, 1000);
    aur_metrics_time(AUR_TIME_QUERY + AUR_WORK_PREVIEW, 1001);
    aur_metrics_time(AUR_TIME_QUERY + AUR_WORK_PREVIEW, 400000000);
    aur_metrics_time(AUR_TIME_POOL_WAIT, -5);
    aur_metrics_time(AUR_TIME_COUNT, 5);
    aur_metrics_time(-1, 5);
}

static void test_prometheus(void)
{
    const char *text = write_all(AUR_METRICS_PROMETHEUS);

    ok(!strncmp(text, "# HELP db_pool_busy_count ", 26), "it begins with a family");
    has(text, "db_pool_busy_count 3");
    has(text, "db_pool_wait_count 0");
    has(text, "db_pool_open_count 5");
    has(text, "db_pool_max 10");
    has(text, "db_pool_max_total 40");
    has(text, "aurora_tasks_running{kind=\"csv\"} 2");
    has(text, "aurora_tasks_running{kind=\"xlsx\"} 0");
    has(text, "aurora_export_queue_depth 2");
    has(text, "aurora_build_info{version=\"1.2.3\"} 1");
    has(text, "aurora_start_time_seconds 1700000000.25");
    has(text, "# TYPE aurora_requests_total counter");
    has(text, "aurora_requests_total{kind=\"preview\",code=\"200\"} 2");
    has(text, "aurora_requests_total{kind=\"csv\",code=\"429\"} 1");
    has(text, "aurora_requests_total{kind=\"other\",code=\"599\"} 1");
    has(text, "aurora_requests_total{kind=\"other\",code=\"0\"} 2");
    has(text, "aurora_rows_total{kind=\"csv\"} 1000");
    has(text, "aurora_bytes_total{kind=\"csv\"} 123456789");
    has(text, "aurora_rejected_total{reason=\"user_tasks\"} 1");
    has(text, "aurora_rejected_total{reason=\"client_rate\"} 0");
    has(text, "aurora_would_reject_total{reason=\"client_rate\"} 1");
    has(text, "aurora_cancelled_total{reason=\"requested\"} 1");
    has(text, "aurora_db_connect_errors_total 1");
    has(text, "# TYPE aurora_query_duration_seconds histogram");
    has(text, "aurora_query_duration_seconds_bucket{kind=\"preview\",le=\"0.001\"} 1");
    has(text, "aurora_query_duration_seconds_bucket{kind=\"preview\",le=\"0.0025\"} 2");
    has(text, "aurora_query_duration_seconds_bucket{kind=\"preview\",le=\"300.0\"} 2");
    has(text, "aurora_query_duration_seconds_bucket{kind=\"preview\",le=\"+Inf\"} 3");
    has(text, "aurora_query_duration_seconds_sum{kind=\"preview\"} 400.002001");
    has(text, "aurora_query_duration_seconds_count{kind=\"preview\"} 3");
    has(text, "aurora_pool_wait_seconds_bucket{le=\"0.001\"} 1");
    has(text, "aurora_pool_wait_seconds_sum 0.0");
    has(text, "aurora_cancel_seconds_count 0");
    ok(strstr(text, "# EOF") == NULL, "and ends as it should");
}

static void test_openmetrics(void)
{
    const char *text = write_all(AUR_METRICS_OPENMETRICS);
    size_t len = strlen(text);

    has(text, "# TYPE aurora_requests counter");
    has(text, "aurora_requests_total{kind=\"preview\",code=\"200\"} 2");
    has(text, "# TYPE db_pool_wait_count unknown");
    has(text, "# TYPE aurora_tasks_running gauge");
    ok(len > 6 && !strcmp(text + len - 6, "# EOF\n"), "OpenMetrics ends with its mark");
    ok(!strstr(text, "_total counter"), "families of counters are called without _total");
}

static void test_json(void)
{
    json_error_t err;
    json_t *root = json_loads(write_all(AUR_METRICS_JSON), 0, &err), *family, *sample;
    double bound = 0, sum = 0;
    int count = 0;
    const char *code = "";

    ok(root != NULL, "JSON parses");
    family = json_object_get(root, "aurora_requests_total");
    sample = json_array_get(json_object_get(family, "samples"), 0);
    json_unpack(sample, "{s:{s:s},s:i}", "labels", "code", &code, "value", &count);
    is_str(code, "200", "a sample's labels");
    is_int(count, 2, "and its value");
    family = json_object_get(root, "aurora_query_duration_seconds");
    sample = json_array_get(json_object_get(family, "samples"), 0);
    json_unpack(sample, "{s:i,s:F}", "count", &count, "sum", &sum);
    ok(count == 3 && sum > 400, "a histogram's count and sum");
    json_unpack(json_array_get(json_object_get(sample, "buckets"), 1), "{s:F,s:i}", "le", &bound,
                "count", &count);
    ok(bound > 0.0024 && bound < 0.0026 && count == 2, "its buckets, summed up");
    is_int((long long)json_object_size(root), 20, "every family of the contract");
    json_decref(root);
}

static void test_forms(void)
{
    static const struct {
        const char *accept;
        aur_metrics_form_e form;
    } cases[] = {
        {NULL, AUR_METRICS_PROMETHEUS},
        {"", AUR_METRICS_PROMETHEUS},
        {"*/*", AUR_METRICS_PROMETHEUS},
        {"text/html", AUR_METRICS_PROMETHEUS},
        {"text/plain", AUR_METRICS_PROMETHEUS},
        {"application/json", AUR_METRICS_JSON},
        {"Application/JSON; charset=utf-8", AUR_METRICS_JSON},
        {"application/jsonx", AUR_METRICS_PROMETHEUS},
        {"application/openmetrics-text;version=1.0.0,application/"
         "openmetrics-text;version=0.0.1;q=0.75,"
         "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
         AUR_METRICS_OPENMETRICS},
        {"application/openmetrics-text;q=0.3, text/plain;q=0.5", AUR_METRICS_PROMETHEUS},
        {"application/openmetrics-text; q=0.6 , text/plain;q=0.5", AUR_METRICS_OPENMETRICS},
        {"application/json;q=0", AUR_METRICS_PROMETHEUS},
        {",,;q=;,", AUR_METRICS_PROMETHEUS},
        {"application/json;q", AUR_METRICS_JSON},
    };
    unsigned i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        is_int(aur_metrics_form(cases[i].accept), cases[i].form,
               cases[i].accept ? cases[i].accept : "no Accept");
    }
}

static int count_many(void *ctx, int n)
{
    int i;

    for (i = 0; i < 20000; i++) {
        aur_metrics_request(AUR_KIND_CSV, 200 + n % 2);
        aur_metrics_time(AUR_TIME_CANCEL, i);
    }
    return 0;
}

static void test_processes(void)
{
    aur_metrics_t *m = shared_memory(aur_metrics_size());
    aur_metric_histogram_t h;

    aur_metrics_use(m);
    children_run(count_many, NULL, 8);
    is_int((long long)aur_metrics_requests(m, AUR_KIND_CSV, 200), 80000,
           "eight processes count together");
    is_int((long long)aur_metrics_requests(m, AUR_KIND_CSV, 201), 80000, "nothing is lost");
    aur_metrics_times(&h, m, AUR_TIME_CANCEL);
    is_int((long long)h.count, 160000, "nor a time");
    is_int((long long)h.sum_us, 8LL * 19999 * 20000 / 2, "nor its length");
    threads_run(count_many, NULL, 4);
    is_int((long long)aur_metrics_requests(m, AUR_KIND_CSV, 200), 120000, "threads do too");
}

int main(void)
{
    apr_initialize();
    aur_figures_register(&source);
    aur_figures_register(&source);
    aur_metrics_use(NULL);
    count_some();
    ok(aur_metrics_used() == NULL, "without memory nothing is counted");
    aur_metrics_use(shared_memory(aur_metrics_size()));
    count_some();
    test_prometheus();
    test_openmetrics();
    test_json();
    test_forms();
    test_processes();
    return tap_done();
}
