/* write_csv: what a reader of RFC 4180 gets back is what the cells held; quotes only where needed.
 */
#include "aurora/writer.h"
#include "tap.h"

#include <apr_general.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#define KEEP (16 << 20)

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

static aur_cell_t text(aur_cell_e kind, const char *s, apr_size_t len)
{
    aur_cell_t cell = {kind, len, {0}};

    cell.v.s = s;
    return cell;
}

static const aur_csv_options_t plain = {',', '.', "", 0, 0, 0, 0};

/* One row of n cells under options, without a header unless they say so. */
static void write_row(const aur_csv_options_t *options, const aur_cell_t *cells, int n)
{
    static const aur_result_column_t columns[4] = {{"A", "Alpha", NULL, AUR_T_TEXT},
                                                   {"B,C", "=Beta", NULL, AUR_T_TEXT},
                                                   {"", "-1", NULL, AUR_T_TEXT},
                                                   {"\"", "x\ny", NULL, AUR_T_TEXT}};
    aur_writer_end_t end = {1, 1, 1, 0, 0};
    apr_pool_t *p;
    aur_sink_t *sink;
    aur_writer_t *w;

    apr_pool_create(&p, pool);
    out_len = 0;
    sink = aur_sink_create(2, AUR_SINK_ROOM_MAX, ba, collect, NULL, p);
    w = aur_writer_csv_create(sink, columns, n, options, p);
    (void)w->is->begin(w);
    if (cells) {
        (void)w->is->row(w, cells);
    }
    (void)w->is->end(w, &end);
    (void)aur_sink_finish(sink);
    apr_pool_destroy(p);
}

/* The cell between two NULLs: ",<field>,\r\n". */
static void check(const aur_csv_options_t *options, const aur_cell_t *cell, const char *want)
{
    aur_cell_t cells[3] = {{AUR_V_NULL, 0, {0}}, *cell, {AUR_V_NULL, 0, {0}}};
    char line[512];
    apr_size_t token = strlen(options->null_token ? options->null_token : "");

    write_row(options, cells, 3);
    (void)snprintf(line, sizeof(line), "%s%c%s%c%s\r\n", token ? options->null_token : "",
                   options->delimiter, want, options->delimiter, token ? options->null_token : "");
    is_mem(out, out_len, line, want);
}

static void check_text(const aur_csv_options_t *options, aur_cell_e kind, const char *s,
                       apr_size_t len, const char *want)
{
    /* an exact copy, so that a sanitizer sees a read too far */
    char *copy = malloc(len ? len : 1);
    aur_cell_t cell = text(kind, copy, len);

    memcpy(copy, s, len);
    check(options, &cell, want);
    free(copy);
}

typedef struct text_case_t {
    aur_cell_e kind;
    const char *s;
    apr_size_t len;
    const char *want;
} text_case_t;
#define T(kind, s, want)                                                                           \
    {                                                                                              \
        kind, s, sizeof(s) - 1, want                                                               \
    }
#define RUN(options, cases) run_cases((options), (cases), sizeof(cases) / sizeof((cases)[0]))

static void run_cases(const aur_csv_options_t *options, const text_case_t *cases, apr_size_t n)
{
    apr_size_t i;

    for (i = 0; i < n; i++) {
        check_text(options, cases[i].kind, cases[i].s, cases[i].len, cases[i].want);
    }
}

static void test_text(void)
{
    static const text_case_t cases[] = {
        T(AUR_V_TEXT, "plain", "plain"),
        T(AUR_V_TEXT, "", "\"\""),
        T(AUR_V_TEXT, " spaces stay ", " spaces stay "),
        T(AUR_V_TEXT, "a,b", "\"a,b\""),
        T(AUR_V_TEXT, ",", "\",\""),
        T(AUR_V_TEXT, "\"", "\"\"\"\""),
        T(AUR_V_TEXT, "say \"hi\" twice \"\"", "\"say \"\"hi\"\" twice \"\"\"\"\""),
        T(AUR_V_TEXT, "two\nlines", "\"two\nlines\""),
        T(AUR_V_TEXT, "two\rlines", "\"two\rlines\""),
        T(AUR_V_TEXT, "ends\r\n", "\"ends\r\n\""),
        T(AUR_V_TEXT, "tab\there and control \x01\x0b\x0c\x0e\x1f too",
          "tab\there and control \x01\x0b\x0c\x0e\x1f too"),
        T(AUR_V_TEXT, "semi;pipe|", "semi;pipe|"),
        T(AUR_V_TEXT, "12345678,", "\"12345678,\""),
        T(AUR_V_TEXT, "1234567,", "\"1234567,\""),
        T(AUR_V_TEXT, "123456789012345,7", "\"123456789012345,7\""),
        T(AUR_V_TEXT, "\t2345678\t\"345678", "\"\t2345678\t\"\"345678\""),
        T(AUR_V_TEXT, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xac\xa2\x8d\x8a",
          "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xac\xa2\x8d\x8a"),
        T(AUR_V_TEXT, "=1+1", "=1+1"),
        T(AUR_V_DATE, "2024-02-29", "2024-02-29"),
        T(AUR_V_DATE, "-0044-03-15", "-0044-03-15"),
        T(AUR_V_DATE, "not, a date", "\"not, a date\""),
        T(AUR_V_TIMESTAMP, "2024-02-29T10:20:30", "2024-02-29 10:20:30"),
        T(AUR_V_TIMESTAMP, "2024-02-29 10:20:30.120", "2024-02-29 10:20:30.120"),
        T(AUR_V_TIMESTAMP, "2024-02-29x10:20:30", "2024-02-29x10:20:30"),
        T(AUR_V_TIMESTAMP, "2024-02-29T10:20:3,", "\"2024-02-29T10:20:3,\""),
        T(AUR_V_TIMESTAMP, "20:4-02-29T10:20:30", "20:4-02-29T10:20:30"),
        T(AUR_V_TIMESTAMP, "2024-02-29T10:20:3\xb0", "2024-02-29T10:20:3\xb0"),
        T(AUR_V_TIMESTAMP, "", "\"\""),
        T(AUR_V_TIMESTAMP_TZ, "2024-02-29T10:20:30Z", "2024-02-29 10:20:30Z"),
        T(AUR_V_TIMESTAMP_TZ, "2024-02-29 10:20:30.5+02", "2024-02-29 10:20:30.5+02:00"),
        T(AUR_V_TIMESTAMP_TZ, "2024-02-29 10:20:30-0330", "2024-02-29 10:20:30-03:30"),
        T(AUR_V_TIMESTAMP_TZ, "2024-02-29 10:20:30+2", "2024-02-29 10:20:30+2"),
        T(AUR_V_DECIMAL, "-12.50", "-12.50"),
        T(AUR_V_DECIMAL, "123456789012345678901234567890.10", "123456789012345678901234567890.10"),
        T(AUR_V_DECIMAL, "1,5", "\"1,5\""),
        T(AUR_V_BINARY, "foob", "Zm9vYg=="),
        T(AUR_V_BINARY, "", "\"\""),
    };
    static const text_case_t semicolon[] = {T(AUR_V_TEXT, "a,b", "a,b"),
                                            T(AUR_V_TEXT, "a;b", "\"a;b\""),
                                            T(AUR_V_TEXT, "12345678;", "\"12345678;\"")};
    static const text_case_t tab[] = {T(AUR_V_TEXT, "a,b", "a,b"),
                                      T(AUR_V_TEXT, "a\tb", "\"a\tb\""),
                                      T(AUR_V_TEXT, "12345678 90\t", "\"12345678 90\t\"")};
    static const text_case_t pipe_cases[] = {T(AUR_V_TEXT, "a|b", "\"a|b\""),
                                             T(AUR_V_TEXT, "a\tb", "a\tb")};
    aur_csv_options_t options = plain;

    RUN(&plain, cases);
    options.delimiter = ';';
    RUN(&options, semicolon);
    options.delimiter = '\t';
    RUN(&options, tab);
    options.delimiter = '|';
    RUN(&options, pipe_cases);
}

static void test_numbers(void)
{
    static const text_case_t comma[] = {
        T(AUR_V_DECIMAL, "-12.50", "-12,50"),
        T(AUR_V_DECIMAL, "7", "7"),
        T(AUR_V_DECIMAL, "NaN", "NaN"),
        T(AUR_V_DECIMAL, "1.2.3", "1.2.3"),
        T(AUR_V_DECIMAL, "v1.2", "v1.2"),
        T(AUR_V_DECIMAL, ".5", ".5"),
        T(AUR_V_DECIMAL, "5.", "5."),
        T(AUR_V_DECIMAL, "1234567890123456789012345678901234567890123456789012345678901234.5",
          "1234567890123456789012345678901234567890123456789012345678901234,5"),
        T(AUR_V_TEXT, "12.50", "12.50"),
        T(AUR_V_TIMESTAMP, "2024-02-29 10:20:30.5", "2024-02-29 10:20:30.5"),
    };
    static const text_case_t both[] = {
        T(AUR_V_DECIMAL, "-12.50", "\"-12,50\""),
        T(AUR_V_DECIMAL, "1234567890123456789012345678901234567890123456789012345678901234.5",
          "\"1234567890123456789012345678901234567890123456789012345678901234,5\"")};
    aur_csv_options_t options = plain;
    aur_cell_t cell = {AUR_V_INT, 0, {0}};

    cell.v.i = INT64_MIN;
    check(&plain, &cell, "-9223372036854775808");
    cell.v.i = 42;
    check(&plain, &cell, "42");
    cell.kind = AUR_V_BOOL;
    cell.v.i = 1;
    check(&plain, &cell, "true");
    cell.v.i = 0;
    check(&plain, &cell, "false");
    cell.kind = AUR_V_DOUBLE;
    cell.v.d = -1234.5;
    check(&plain, &cell, "-1234.5");
    cell.v.d = NAN;
    check(&plain, &cell, "NaN");
    cell.v.d = -2.2250738585072014e-308;
    check(&plain, &cell, "-2.2250738585072014e-308");

    options.delimiter = ';';
    options.decimal = ',';
    check(&options, &cell, "-2,2250738585072014e-308");
    cell.v.d = 1234.5;
    check(&options, &cell, "1234,5");
    cell.v.d = -INFINITY;
    check(&options, &cell, "-Infinity");
    RUN(&options, comma);
    options.delimiter = ',';
    RUN(&options, both);
    cell.v.d = 1.5;
    check(&options, &cell, "\"1,5\"");
}

static void test_null_token(void)
{
    static const text_case_t cases[] = {
        T(AUR_V_TEXT, "-1", "\"-1\""),    T(AUR_V_TEXT, "-1 ", "-1 "),
        T(AUR_V_TEXT, "-", "-"),          T(AUR_V_TEXT, "", "\"\""),
        T(AUR_V_DECIMAL, "-1", "\"-1\""), T(AUR_V_DATE, "-1", "\"-1\""),
    };
    aur_csv_options_t options = plain;
    aur_cell_t cell = {AUR_V_INT, 0, {0}}, nothing = {AUR_V_NULL, 0, {0}};

    options.null_token = "-1";
    RUN(&options, cases);
    cell.v.i = -1;
    check(&options, &cell, "\"-1\"");
    cell.kind = AUR_V_DOUBLE;
    cell.v.d = -1;
    check(&options, &cell, "\"-1\"");
    check(&options, &nothing, "-1");
    options.null_token = "true";
    cell.kind = AUR_V_BOOL;
    cell.v.i = 1;
    check(&options, &cell, "\"true\"");
    options.null_token = "Zm9v";
    check_text(&options, AUR_V_BINARY, "foo", 3, "\"Zm9v\"");
    options.null_token = "2024-02-29 10:20:30";
    check_text(&options, AUR_V_TIMESTAMP, "2024-02-29T10:20:30", 19, "\"2024-02-29 10:20:30\"");
    options.null_token = NULL;
    check(&options, &nothing, "");
    options.null_token = "a,\"b";
    write_row(&options, &nothing, 1);
    is_mem(out, out_len, "\"a,\"\"b\"\r\n", "a token that needs quotes has them");
    options.null_token = "'=x";
    options.formula_guard = 1;
    check_text(&options, AUR_V_TEXT, "=x", 2, "\"'=x\"");
}

static void test_guard(void)
{
    static const text_case_t cases[] = {
        T(AUR_V_TEXT, "=1+1", "'=1+1"),
        T(AUR_V_TEXT, "+1", "'+1"),
        T(AUR_V_TEXT, "-1", "'-1"),
        T(AUR_V_TEXT, "@x", "'@x"),
        T(AUR_V_TEXT, "\tx", "'\tx"),
        T(AUR_V_TEXT, "\rx", "\"'\rx\""),
        T(AUR_V_TEXT, "=A1,\"B\"", "\"'=A1,\"\"B\"\"\""),
        T(AUR_V_TEXT, "=HYPERLINK(1)", "'=HYPERLINK(1)"),
        T(AUR_V_TEXT, "x=1", "x=1"),
        T(AUR_V_TEXT, "", "\"\""),
        T(AUR_V_DECIMAL, "-1.5", "-1.5"),
        T(AUR_V_DECIMAL, "-Infinity", "-Infinity"),
        T(AUR_V_DECIMAL, "-1+cmd", "'-1+cmd"),
        T(AUR_V_DECIMAL, "=1", "'=1"),
        T(AUR_V_DATE, "-0044-03-15", "-0044-03-15"),
        T(AUR_V_DATE, "=TODAY()", "'=TODAY()"),
        T(AUR_V_DATE, "-2+3", "'-2+3"),
        T(AUR_V_TIMESTAMP, "-0044-03-15T10:20:30", "-0044-03-15 10:20:30"),
        T(AUR_V_TIMESTAMP, "=NOW()", "'=NOW()"),
        T(AUR_V_TIMESTAMP_TZ, "@now", "'@now"),
    };
    aur_csv_options_t options = plain;
    aur_cell_t cell = {AUR_V_INT, 0, {0}};

    options.formula_guard = 1;
    RUN(&options, cases);
    cell.v.i = -7;
    check(&options, &cell, "-7");
    cell.kind = AUR_V_DOUBLE;
    cell.v.d = -7.5;
    check(&options, &cell, "-7.5");
}

static void test_frame(void)
{
    aur_csv_options_t options = plain;
    aur_cell_t cells[4] = {
        {AUR_V_NULL, 0, {0}}, {AUR_V_NULL, 0, {0}}, {AUR_V_NULL, 0, {0}}, {AUR_V_NULL, 0, {0}}};

    options.header = 1;
    write_row(&options, cells, 4);
    is_mem(out, out_len, "A,\"B,C\",\"\",\"\"\"\"\r\n,,,\r\n", "a header of database names");
    options.display_names = 1;
    options.bom = 1;
    write_row(&options, NULL, 4);
    is_mem(out, out_len,
           "\xef\xbb\xbf"
           "Alpha,=Beta,-1,\"x\ny\"\r\n",
           "a mark and display names, no rows");
    options.formula_guard = 1;
    write_row(&options, NULL, 4);
    is_mem(out, out_len,
           "\xef\xbb\xbf"
           "Alpha,'=Beta,'-1,\"x\ny\"\r\n",
           "guarded names");
    options.header = 0;
    write_row(&options, NULL, 4);
    is_mem(out, out_len, "\xef\xbb\xbf", "a mark without a header");
    write_row(&plain, NULL, 4);
    is_int((long long)out_len, 0, "nothing at all");
    write_row(&plain, cells, 1);
    is_mem(out, out_len, "\r\n", "a row that is one NULL is an empty line, not an empty text");
    options = plain;
    options.null_token = "NULL";
    write_row(&options, cells, 1);
    is_mem(out, out_len, "NULL\r\n", "nor with a token");
    write_row(&plain, cells, 2);
    is_mem(out, out_len, ",\r\n", "two NULLs are a line with a comma");
    cells[0] = text(AUR_V_TEXT, NULL, 0);
    cells[1] = text(AUR_V_BINARY, NULL, 0);
    write_row(&plain, cells, 2);
    is_mem(out, out_len, "\"\",\"\"\r\n", "empty values at no address");
}

/* --- reading back ---------------------------------------------------------------------------- */

typedef struct reader_t {
    apr_size_t at;
    char delimiter;
} reader_t;

/* One field by RFC 4180 into field (which is large enough). Sets *quoted and *end: the line ends
 * here. Returns its length, or -1 when the text is not CSV. */
static long read_field(reader_t *r, char *field, int *quoted, int *end)
{
    long n = 0;

    *quoted = r->at < out_len && out[r->at] == '"';
    r->at += (apr_size_t)*quoted;
    for (;; r->at++) {
        char c;
        if (r->at >= out_len) {
            return -1;
        }
        c = out[r->at];
        if (*quoted && c == '"') {
            r->at++;
            if (r->at >= out_len || out[r->at] != '"') {
                break;
            }
        }
        else if (!*quoted && (c == r->delimiter || c == '\r')) {
            break;
        }
        else if (!*quoted && (c == '"' || c == '\n')) {
            return -1;
        }
        field[n++] = c;
    }
    *end = r->at + 1 < out_len && out[r->at] == '\r' && out[r->at + 1] == '\n';
    if (!*end && (r->at >= out_len || out[r->at] != r->delimiter)) {
        return -1;
    }
    r->at += *end ? 2 : 1;
    return n;
}

static uint64_t seed = 88172645463325252u;

static unsigned next_random(unsigned below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 33) % below;
}

static apr_size_t random_length(void)
{
    static const unsigned near[] = {1024, 2048, 4096, 8192};

    switch (next_random(40)) {
    case 0:
        return near[next_random(4)] + next_random(9) - 4;
    case 1:
        return next_random(30000);
    default:
        return next_random(40);
    }
}

/* Rows of random text: which, and whether quoted, must come back; quotes only where needed. */
static void random_round(char delimiter, const char *token, int guard, int *lost, int *idle)
{
    static const char letters[] = "ab c,;\t|\"\r\n=-+@\x01\xc3\xa9";
    static const char few[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    static char texts[12][32000], field[40000];
    aur_result_column_t columns[12] = {{"", "", NULL, AUR_T_TEXT}};
    aur_csv_options_t options = {delimiter, '.', token, 0, guard, 0, 0};
    aur_cell_t cells[12];
    reader_t r = {0, delimiter};
    apr_pool_t *p;
    aur_sink_t *sink;
    aur_writer_t *w;
    int i, c, quoted, end;

    for (c = 0; c < 12; c++) {
        apr_size_t len = random_length(), k;
        const char *from = next_random(3) ? few : letters;
        for (k = 0; k < len; k++) {
            texts[c][k] = from[next_random((unsigned)strlen(from))];
        }
        if (next_random(20) == 0) {
            len = strlen(token);
            memcpy(texts[c], token, len);
        }
        cells[c] = text(next_random(10) ? AUR_V_TEXT : AUR_V_NULL, texts[c], len);
    }
    apr_pool_create(&p, pool);
    out_len = 0;
    sink = aur_sink_create(1 + next_random(3), AUR_SINK_ROOM_MAX, ba, collect, NULL, p);
    w = aur_writer_csv_create(sink, columns, 12, &options, p);
    for (i = 0; i < 3; i++) {
        (void)w->is->row(w, cells);
    }
    (void)aur_sink_finish(sink);
    for (i = 0; i < 36; i++) {
        const aur_cell_t *cell = &cells[i % 12];
        long n = read_field(&r, field, &quoted, &end);
        char *got = field;
        int needed;
        if (n < 0 || end != (i % 12 == 11)) {
            (*lost)++;
            break;
        }
        if (cell->kind == AUR_V_NULL) {
            *lost += quoted || (apr_size_t)n != strlen(token) || memcmp(got, token, (size_t)n);
            continue;
        }
        field[n] = '\0';
        needed = n == 0 || memchr(got, delimiter, (size_t)n) || memchr(got, '"', (size_t)n) ||
                 memchr(got, '\r', (size_t)n) || memchr(got, '\n', (size_t)n) ||
                 (*token && (size_t)n == strlen(token) && !memcmp(got, token, (size_t)n));
        *idle += quoted != needed;
        if (guard && cell->len && memchr("=+-@\t\r", cell->v.s[0], 6)) {
            *lost += *got != '\'';
            got++;
            n--;
        }
        *lost += (apr_size_t)n != cell->len || memcmp(got, cell->v.s, cell->len) != 0;
    }
    *lost += r.at != out_len;
    apr_pool_destroy(p);
}

static void test_random(void)
{
    static const char delimiters[] = ",;\t|";
    static const char *const tokens[] = {"", "NULL", "\\N"};
    int i, lost = 0, idle = 0;

    for (i = 0; i < 20000; i++) {
        random_round(delimiters[i % 4], tokens[i / 4 % 3], i / 12 % 2, &lost, &idle);
    }
    is_int(lost, 0, "random rows read back as they were, under every option");
    is_int(idle, 0, "quotes stand where they are needed and nowhere else");
}

/* Long cells of every sort through small buffers. */
static void test_long(void)
{
    apr_size_t len = 3 << 20, i, n;
    char *s = malloc(len), *field = malloc(len * 2);
    aur_cell_t cells[3];
    aur_csv_options_t options = plain;
    reader_t r = {0, ','};
    int quoted, end, good;

    for (i = 0; i < len; i++) {
        s[i] = i % 1000 == 999 ? '"' : (char)('a' + i % 26);
    }
    cells[0] = text(AUR_V_TEXT, s, len);
    cells[1] = text(AUR_V_BINARY, s, len);
    cells[2] = text(AUR_V_TEXT, s, 900);
    write_row(&plain, cells, 3);
    good = read_field(&r, field, &quoted, &end) == (long)len && quoted && !memcmp(field, s, len);
    ok(good, "three megabytes with quotes");
    ok(read_field(&r, field, &quoted, &end) == (long)((len + 2) / 3 * 4) && !quoted,
       "three megabytes of bytes as base64");
    ok(read_field(&r, field, &quoted, &end) == 900 && end && r.at == out_len, "and the rest");

    memset(s, '1', len);
    s[len - 2] = '.';
    cells[0] = text(AUR_V_DECIMAL, s, len);
    options.delimiter = r.delimiter = ';';
    options.decimal = ',';
    r.at = 0;
    write_row(&options, cells, 3);
    n = (apr_size_t)read_field(&r, field, &quoted, &end);
    ok(n == len && !quoted && field[len - 2] == ',', "a number of three million digits");
    free(s);
    free(field);
}

int main(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    ba = apr_bucket_alloc_create(pool);
    test_text();
    test_numbers();
    test_null_token();
    test_guard();
    test_frame();
    test_random();
    test_long();
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
