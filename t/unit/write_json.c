/* write_json, json_out: valid JSON whatever the cells hold, members in the contract's order, no
 * digit lost. */
#include "aurora/json_out.h"
#include "aurora/text.h"
#include "aurora/writer.h"
#include "tap.h"

#include <apr_general.h>
#include <jansson.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#define KEEP (8 << 20)

static char out[KEEP];
static apr_size_t out_len;
static apr_pool_t *pool;
static apr_bucket_alloc_t *ba;

static apr_status_t collect(void *ctx, apr_bucket_brigade *bb, int last)
{
    apr_size_t room = KEEP - out_len;
    apr_status_t rv = apr_brigade_flatten(bb, out + out_len, &room);

    out_len += room;
    return rv == APR_SUCCESS ? apr_brigade_cleanup(bb) : rv;
}

static aur_sink_t *start(apr_pool_t *p)
{
    out_len = 0;
    return aur_sink_create(2, AUR_SINK_ROOM_MAX, ba, collect, NULL, p);
}

static aur_cell_t cell_of(aur_cell_e kind, const char *s, apr_size_t len)
{
    aur_cell_t cell = {kind, len, {0}};

    cell.v.s = s;
    return cell;
}

static void check_cell(const aur_cell_t *cell, const char *want, const char *name)
{
    apr_pool_t *p;
    aur_sink_t *sink;

    apr_pool_create(&p, pool);
    sink = start(p);
    aur_json_cell(sink, cell);
    (void)aur_sink_finish(sink);
    is_mem(out, out_len, want, name);
    apr_pool_destroy(p);
}

static void test_text_cells(void)
{
    static const struct {
        aur_cell_e kind;
        const char *s;
        apr_size_t len;
        const char *want;
    } cases[] = {
#define T(kind, s, want) {kind, s, sizeof(s) - 1, want}
        T(AUR_V_TEXT, "", "\"\""),
        T(AUR_V_TEXT, "plain", "\"plain\""),
        T(AUR_V_TEXT, "say \"hi\" \\ back", "\"say \\\"hi\\\" \\\\ back\""),
        T(AUR_V_TEXT, "a\tb\nc\rd\be\ff", "\"a\\tb\\nc\\rd\\be\\ff\""),
        T(AUR_V_TEXT, "\0\x01\x1f\x7f", "\"\\u0000\\u0001\\u001f\x7f\""),
        T(AUR_V_TEXT, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
          "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""),
        T(AUR_V_TEXT, "\xe2\x80\xa8</script>", "\"\xe2\x80\xa8</script>\""),
        T(AUR_V_TEXT, "x\xffy", "\"x\xef\xbf\xbdy\""),
        T(AUR_V_TEXT, "\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\""),
        T(AUR_V_TEXT, "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""),
        T(AUR_V_TEXT, "12345678\"", "\"12345678\\\"\""),
        T(AUR_V_DECIMAL, "12.50", "12.50"),
        T(AUR_V_DECIMAL, "-0.10", "-0.10"),
        T(AUR_V_DECIMAL, "9007199254740993", "\"9007199254740993\""),
        T(AUR_V_DECIMAL, "123456789012345678.01", "\"123456789012345678.01\""),
        T(AUR_V_DECIMAL, "NaN", "\"NaN\""),
        T(AUR_V_DECIMAL, "-Infinity", "\"-Infinity\""),
        T(AUR_V_DECIMAL, "", "\"\""),
        T(AUR_V_DECIMAL, "007", "\"007\""),
        T(AUR_V_DECIMAL, ".5", "\".5\""),
        T(AUR_V_DECIMAL, "1,5", "\"1,5\""),
        T(AUR_V_DECIMAL, "1]", "\"1]\""),
        T(AUR_V_DATE, "2024-02-29", "\"2024-02-29\""),
        T(AUR_V_DATE, "no \"date\"", "\"no \\\"date\\\"\""),
        T(AUR_V_TIMESTAMP, "2024-02-29 10:20:30", "\"2024-02-29T10:20:30\""),
        T(AUR_V_TIMESTAMP, "2024-02-29T10:20:30.1200", "\"2024-02-29T10:20:30.1200\""),
        T(AUR_V_TIMESTAMP, "-0044-03-15 10:20:30", "\"-0044-03-15T10:20:30\""),
        T(AUR_V_TIMESTAMP, "12024-03-15 10:20", "\"12024-03-15T10:20\""),
        T(AUR_V_TIMESTAMP, "2024-02-29 10:20:30+02", "\"2024-02-29 10:20:30+02\""),
        T(AUR_V_TIMESTAMP, "2024-02-29_10:20:30", "\"2024-02-29_10:20:30\""),
        T(AUR_V_TIMESTAMP, "yesterday \"night\"", "\"yesterday \\\"night\\\"\""),
        T(AUR_V_TIMESTAMP, "2024-02-29", "\"2024-02-29\""),
        T(AUR_V_TIMESTAMP, "", "\"\""),
        T(AUR_V_TIMESTAMP_TZ, "2024-02-29 10:20:30Z", "\"2024-02-29T10:20:30Z\""),
        T(AUR_V_TIMESTAMP_TZ, "2024-02-29 10:20:30+02", "\"2024-02-29T10:20:30+02:00\""),
        T(AUR_V_TIMESTAMP_TZ, "2024-02-29 10:20:30.5-0530", "\"2024-02-29T10:20:30.5-05:30\""),
        T(AUR_V_TIMESTAMP_TZ, "2024-02-29 10:20:30.123456+05:45",
          "\"2024-02-29T10:20:30.123456+05:45\""),
        T(AUR_V_TIMESTAMP_TZ, "2024-02-29 10:20:30", "\"2024-02-29 10:20:30\""),
        T(AUR_V_TIMESTAMP_TZ, "2024-02-29 10:20:30+02:00:32", "\"2024-02-29 10:20:30+02:00:32\""),
        T(AUR_V_TIMESTAMP_TZ, "-999999-02-28 10:20:30.123456789-2359",
          "\"-999999-02-28T10:20:30.123456789-23:59\""),
        T(AUR_V_BINARY, "", "\"\""),
        T(AUR_V_BINARY, "f", "\"Zg==\""),
        T(AUR_V_BINARY, "fo", "\"Zm8=\""),
        T(AUR_V_BINARY, "foo", "\"Zm9v\""),
        T(AUR_V_BINARY, "\0\xff\xfe\x80", "\"AP/+gA==\""),
        T(AUR_V_NULL, "", "null"),
#undef T
    };
    apr_size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        /* an exact copy, so that a sanitizer sees a read too far */
        char *copy = malloc(cases[i].len ? cases[i].len : 1);
        aur_cell_t cell = cell_of(cases[i].kind, copy, cases[i].len);
        memcpy(copy, cases[i].s, cases[i].len);
        check_cell(&cell, cases[i].want, cases[i].want);
        free(copy);
    }
}

static void test_number_cells(void)
{
    static const struct {
        apr_int64_t i;
        const char *want;
    } ints[] = {{0, "0"},
                {-5, "-5"},
                {INT64_C(9007199254740992), "9007199254740992"},
                {INT64_C(-9007199254740992), "-9007199254740992"},
                {INT64_C(9007199254740993), "\"9007199254740993\""},
                {INT64_C(-9007199254740993), "\"-9007199254740993\""},
                {INT64_MIN, "\"-9223372036854775808\""}};
    static const struct {
        double d;
        const char *want;
    } doubles[] = {{12.5, "12.5"},
                   {-0.0, "0"},
                   {1e300, "1e+300"},
                   {1e-300, "1e-300"},
                   {NAN, "\"NaN\""},
                   {INFINITY, "\"Infinity\""},
                   {-INFINITY, "\"-Infinity\""}};
    aur_cell_t cell = {AUR_V_INT, 0, {0}};
    apr_size_t i;

    for (i = 0; i < sizeof(ints) / sizeof(ints[0]); i++) {
        cell.v.i = ints[i].i;
        check_cell(&cell, ints[i].want, ints[i].want);
    }
    cell.kind = AUR_V_DOUBLE;
    for (i = 0; i < sizeof(doubles) / sizeof(doubles[0]); i++) {
        cell.v.d = doubles[i].d;
        check_cell(&cell, doubles[i].want, doubles[i].want);
    }
    cell.kind = AUR_V_BOOL;
    cell.v.i = 1;
    check_cell(&cell, "true", "true");
    cell.v.i = 0;
    check_cell(&cell, "false", "false");
    cell = cell_of(AUR_V_BINARY, NULL, 0);
    check_cell(&cell, "\"\"", "no bytes at no address");
    cell = cell_of(AUR_V_TEXT, NULL, 0);
    check_cell(&cell, "\"\"", "no text at no address");
}

static void test_small_answers(void)
{
    aur_sink_t *sink = start(pool);

    aur_json_lit(sink, "{\"a\":");
    aur_json_cstring(sink, NULL);
    aur_json_lit(sink, ",\"b\":");
    aur_json_cstring(sink, "x\"y");
    aur_json_lit(sink, ",\"c\":");
    aur_json_int(sink, INT64_MIN);
    aur_json_lit(sink, "}");
    (void)aur_sink_finish(sink);
    is_mem(out, out_len, "{\"a\":null,\"b\":\"x\\\"y\",\"c\":-9223372036854775808}",
           "a small answer");
}

static void preview(int arrays, const aur_writer_end_t *end, int nrows)
{
    static const aur_result_column_t columns[] = {{"REGION", "Region", NULL, AUR_T_TEXT},
                                                  {"A\"B", "B", NULL, AUR_T_NUMBER},
                                                  {"\xc3\x9c", "Ue", NULL, AUR_T_TIMESTAMP_TZ}};
    aur_json_options_t options = {"SALES", arrays};
    aur_cell_t cells[3] = {cell_of(AUR_V_TEXT, "North", 5), cell_of(AUR_V_DECIMAL, "12.50", 5),
                           cell_of(AUR_V_NULL, NULL, 0)};
    aur_sink_t *sink = start(pool);
    aur_writer_t *w = aur_writer_json_create(sink, columns, 3, &options, pool);
    int i;

    (void)w->is->begin(w);
    for (i = 0; i < nrows; i++) {
        (void)w->is->row(w, cells);
    }
    is_int(w->is->end(w, end), APR_SUCCESS, "written");
    is_int(aur_sink_finish(sink), APR_SUCCESS, "finished");
    is_str(w->is->name, "json", "the writer's name");
}

#define HEAD                                                                                       \
    "{\"dataset_name\":\"SALES\",\"columns\":[\"REGION\",\"A\\\"B\",\"\xc3\x9c\"],"                \
    "\"types\":[\"text\",\"number\",\"timestamp\"],\"data\":["
#define ROW "{\"REGION\":\"North\",\"A\\\"B\":12.50,\"\xc3\x9c\":null}"

static void test_preview(void)
{
    aur_writer_end_t end = {2, 48210, 2, 0, 3.4216};

    preview(0, &end, 2);
    is_mem(out, out_len,
           HEAD ROW "," ROW "],\"row_count\":2,\"total_row_count\":48210,\"truncated\":true,"
                    "\"limit\":2,\"offset\":0,\"execution_time_ms\":3.422}",
           "objects, in the contract's order");
    end = (aur_writer_end_t){1, 11, 10, 10, 0};
    preview(1, &end, 1);
    is_mem(out, out_len,
           HEAD "[\"North\",12.50,null]],\"row_count\":1,\"total_row_count\":11,"
                "\"truncated\":false,\"limit\":10,\"offset\":10,\"execution_time_ms\":0}",
           "arrays; the last page is not truncated");
    end = (aur_writer_end_t){0, 0, 100, 0, -5};
    preview(0, &end, 0);
    is_mem(out, out_len,
           HEAD "],\"row_count\":0,\"total_row_count\":0,\"truncated\":false,\"limit\":100,"
                "\"offset\":0,\"execution_time_ms\":0}",
           "no rows; a clock that ran backwards");
    end = (aur_writer_end_t){2, -1, 2, INT64_MAX, NAN};
    preview(1, &end, 2);
    is_mem(out, out_len,
           HEAD "[\"North\",12.50,null],[\"North\",12.50,null]],\"row_count\":2,"
                "\"total_row_count\":null,\"truncated\":true,\"limit\":2,"
                "\"offset\":9223372036854775807,\"execution_time_ms\":0}",
           "total not known: a full page may have more behind it");
    end = (aur_writer_end_t){0, 5, 2, INT64_MAX, 1};
    preview(0, &end, 0);
    ok(strstr(out, "\"truncated\":false") != NULL, "an offset far behind the end is not truncated");
}

/* Random bytes in strings and keys: always JSON, and well-formed text comes back as it was. */
static void test_random(void)
{
    uint64_t seed = 88172645463325252u;
    int round, bad = 0, changed = 0, whole = 0;

    for (round = 0; round < 20000; round++) {
        apr_pool_t *p;
        aur_sink_t *sink;
        apr_size_t len, i;
        char *s;
        json_t *value;

        apr_pool_create(&p, pool);
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        len = (apr_size_t)(seed >> 40) % (round % 100 ? 60 : 20000);
        s = malloc(len + 1);
        for (i = 0; i < len; i++) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            s[i] = (char)((seed >> 30) % (round % 3 ? 128 : 256));
        }
        sink = start(p);
        aur_json_string(sink, s, len);
        (void)aur_sink_finish(sink);
        value = json_loadb(out, out_len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        bad += value == NULL;
        if (value && aur_utf8_valid(s, len)) {
            whole++;
            changed +=
                json_string_length(value) != len || memcmp(json_string_value(value), s, len) != 0;
        }
        json_decref(value);
        free(s);
        apr_pool_destroy(p);
    }
    is_int(bad, 0, "random bytes always make a JSON string");
    is_int(changed, 0, "well-formed text comes back as it was");
    ok(whole > 10000, "and there was plenty of it");
}

static void test_long(void)
{
    apr_size_t len = 3 << 20, i;
    char *s = malloc(len);
    aur_sink_t *sink = start(pool);
    json_t *value;

    for (i = 0; i < len; i++) {
        s[i] = i % 1000 == 999 ? '"' : (char)('a' + i % 26);
    }
    aur_json_string(sink, s, len);
    (void)aur_sink_finish(sink);
    value = json_loadb(out, out_len, JSON_DECODE_ANY, NULL);
    ok(value && json_string_length(value) == len && !memcmp(json_string_value(value), s, len),
       "three megabytes pass through two small buffers");
    json_decref(value);
    free(s);
}

int main(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    ba = apr_bucket_alloc_create(pool);
    test_text_cells();
    test_number_cells();
    test_small_answers();
    test_preview();
    test_random();
    test_long();
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
