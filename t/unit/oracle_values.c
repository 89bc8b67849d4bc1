/* Texts of Oracle's numbers, dates, intervals and JSON; classes of its errors. No client library is loaded. */
#include "../../dbd/oracle.h"
#include "tap.h"

#include <apr_general.h>
#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

static void test_numbers(void)
{
    static const struct {
        const char *s, *want; /* NULL: it is none */
    } cases[] = {
        {"0", "0"},
        {"-1", "-1"},
        {"123.45", "123.45"},
        {"-0.00734", "-0.00734"},
        {".5", "0.5"},
        {"-.5", "-0.5"},
        {"+7", "7"},
        {"1E3", "1000"},
        {"1.5e3", "1500"},
        {"1.5E+1", "15"},
        {"-12.345E-4", "-0.0012345"},
        {"12345678901234567890.123456789012345678", "12345678901234567890.123456789012345678"},
        {"1234567890123456789012345678901234567890E-2",
         "12345678901234567890123456789012345678.90"},
        {"0E10", "0"},
        {"-0.0E5", "0"},
        {"00012E1", "120"},
        {"", NULL},
        {"E5", NULL},
        {".", NULL},
        {"1E", NULL},
        {"1E+", NULL},
        {".5x", NULL},
        {"1E1000", NULL},
        {"1E99999999999", NULL},
        {"1E-1000", NULL},
        {".12345678901234567890123456789012345678901234567890123456789012345678", NULL},
    };
    char out[ORA_NUMBER_TEXT], want[ORA_NUMBER_TEXT];
    apr_size_t len;
    char zeros[301];
    const char *s;
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        len = strlen(cases[i].s);
        s = ora_number_plain(cases[i].s, &len, out);
        if (cases[i].want) {
            is_mem(s, len, cases[i].want, cases[i].s);
        }
        else {
            ok(!s, "'%s' is no number", cases[i].s);
        }
    }
    memset(zeros, '0', sizeof(zeros) - 1);
    zeros[sizeof(zeros) - 1] = '\0';
    memcpy(zeros, "-10.5", 5);
    len = sizeof(zeros) - 1;
    s = ora_number_plain(zeros, &len, out);
    ok(s && len < 172 && !strncmp(s, "-10.50", 6),
       "zeros that no NUMBER has room for are left out");
    zeros[sizeof(zeros) - 2] = '1';
    len = sizeof(zeros) - 1;
    ok(!ora_number_plain(zeros, &len, out), "another digit behind them is not");
    len = 6;
    s = ora_number_plain("1E-130", &len, out);
    memset(want, '0', sizeof(want));
    want[1] = '.';
    want[131] = '1';
    want[132] = '\0';
    is_mem(s, len, want, "1E-130 has 129 zeros behind its point");
    len = 7;
    s = ora_number_plain("9.9E125", &len, out);
    memset(want, '0', sizeof(want));
    want[0] = want[1] = '9';
    want[126] = '\0';
    is_mem(s, len, want, "9.9E125 has 126 digits");
}

static void test_doubles(void)
{
    static const struct {
        double d;
        const char *want;
        int is_float;
    } cases[] = {{0, "0", 0},
                 {0.1, "0.1", 0},
                 {-2.5, "-2.5", 0},
                 {1e100, "1e+100", 0},
                 {0.1f, "0.1", 1},
                 {3.4028234663852886e38, "3.4028235e+38", 1},
                 {1.0 / 3, "0.3333333333333333", 0},
                 {5e-324, "4.94065645841247e-324", 0}};
    static const char *const locales[] = {"C", "de_DE.UTF-8"};
    char out[ORA_TIME_TEXT];
    size_t i, l;
    double back;

    for (l = 0; l < 2; l++) {
        if (!setlocale(LC_NUMERIC, locales[l])) {
            printf("# the locale %s is not installed\n", locales[l]);
            continue;
        }
        for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            apr_size_t n = ora_double_write(out, cases[i].d, cases[i].is_float);
            is_mem(out, n, cases[i].want, cases[i].want);
            out[n] = '\0';
            ok(ora_double_read(&back, out) == 0 &&
                   (cases[i].is_float ? (float)back == (float)cases[i].d : back == cases[i].d),
               "  and reads back");
        }
    }
    setlocale(LC_NUMERIC, "C");
    is_mem(out, ora_double_write(out, NAN, 0), "NaN", "not a number");
    is_mem(out, ora_double_write(out, -INFINITY, 0), "-Infinity", "infinity");
    ok(ora_double_read(&back, "1.5x") != 0 && ora_double_read(&back, "") != 0, "no doubles");
}

static void test_timestamps(void)
{
    static const struct {
        dpiTimestamp ts;
        int zone;
        const char *want;
    } cases[] = {
        {{2024, 2, 29, 13, 30, 5, 0, 0, 0}, 0, "2024-02-29 13:30:05"},
        {{1, 1, 1, 0, 0, 0, 0, 0, 0}, 0, "0001-01-01 00:00:00"},
        {{-1, 12, 31, 0, 0, 0, 0, 0, 0}, 0, "0000-12-31 00:00:00"},
        {{-4712, 1, 1, 0, 0, 0, 0, 0, 0}, 0, "-4711-01-01 00:00:00"},
        {{9999, 12, 31, 23, 59, 59, 999999999, 0, 0}, 0, "9999-12-31 23:59:59.999999999"},
        {{2000, 1, 2, 3, 4, 5, 120000000, 0, 0}, 0, "2000-01-02 03:04:05.12"},
        {{2000, 1, 2, 3, 4, 5, 1, 0, 0}, 0, "2000-01-02 03:04:05.000000001"},
        {{2000, 1, 2, 3, 4, 5, 0, 5, 30}, 1, "2000-01-02 03:04:05+05:30"},
        {{2000, 1, 2, 3, 4, 5, 500000000, -3, -30}, 1, "2000-01-02 03:04:05.5-03:30"},
        {{2000, 1, 2, 3, 4, 5, 0, 0, -45}, 1, "2000-01-02 03:04:05-00:45"},
        {{2000, 1, 2, 3, 4, 5, 0, 0, 0}, 1, "2000-01-02 03:04:05+00:00"},
    };
    static const char *const bad[] = {"",
                                      "2024-13-01",
                                      "2024-00-10",
                                      "2023-02-29",
                                      "1900-02-29",
                                      "-4712-01-01",
                                      "10000-1-1",
                                      "2024-01",
                                      "20240101",
                                      "2024-01-01x",
                                      "2024-01-01 24:00:00",
                                      "2024-01-01 10",
                                      "10000-01-01",
                                      "2024-01-01 10:00:60",
                                      "2024-01-01 10:00:00.",
                                      "2024-01-01 10:00:00+1"};
    char out[ORA_TIME_TEXT];
    dpiTimestamp ts;
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        apr_size_t n = ora_timestamp_write(out, &cases[i].ts, cases[i].zone);
        is_mem(out, n, cases[i].want, cases[i].want);
        ok(ora_timestamp_read(&ts, out, n) == 0 && !memcmp(&ts, &cases[i].ts, sizeof(ts)),
           "  and reads back");
    }
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ok(ora_timestamp_read(&ts, bad[i], strlen(bad[i])) != 0, "'%s' is no date", bad[i]);
    }
    ok(!ora_timestamp_read(&ts, "2024-02-29", 10) && ts.day == 29 && !ts.hour, "a date alone");
    ok(!ora_timestamp_read(&ts, "2024-02-29T13:30Z", 17) && ts.hour == 13 && ts.minute == 30,
       "T between, no seconds, Z behind");
    ok(!ora_timestamp_read(&ts, "1500-02-29", 10), "1500 was a leap year in the Julian calendar");
}

static void test_intervals(void)
{
    char out[ORA_TIME_TEXT] = "";
    dpiIntervalDS ds = {2, 3, 4, 5, 678900000}, negative = {-100000000, -23, -59, -59, -999999999};
    dpiIntervalYM ym = {2, 3}, past = {0, -11};

    is_mem(out, ora_interval_ds_write(out, &ds, 6), "+02 03:04:05.678900", "days to seconds");
    is_mem(out, ora_interval_ds_write(out, &negative, 9), "-100000000 23:59:59.999999999",
           "as long as it gets");
    is_mem(out, ora_interval_ym_write(out, &ym), "+02-03", "years to months");
    is_mem(out, ora_interval_ym_write(out, &past), "-00-11", "less than a year back");
}

static void test_utf8(void)
{
    static const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80";
    static const apr_size_t whole[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10};
    size_t i;

    for (i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
        is_int((long long)ora_utf8_whole(text, i), (long long)whole[i],
               "bytes of whole characters");
    }
}

static void test_classes(void)
{
    static const struct {
        int code, dpi, connecting;
        apr_dbd_oracle_class_e what;
    } cases[] = {
        {942, 0, 0, APR_DBD_ORACLE_OTHER},         {1013, 0, 0, APR_DBD_ORACLE_INTERRUPTED},
        {3136, 0, 0, APR_DBD_ORACLE_TIMEOUT},      {3156, 1067, 0, APR_DBD_ORACLE_TIMEOUT},
        {3113, 0, 0, APR_DBD_ORACLE_LOST},         {3113, 1080, 0, APR_DBD_ORACLE_LOST},
        {28, 0, 0, APR_DBD_ORACLE_LOST},           {12170, 0, 0, APR_DBD_ORACLE_LOST},
        {12170, 0, 1, APR_DBD_ORACLE_UNREACHABLE}, {12541, 0, 1, APR_DBD_ORACLE_UNREACHABLE},
        {12514, 0, 1, APR_DBD_ORACLE_UNREACHABLE}, {3113, 1080, 1, APR_DBD_ORACLE_UNREACHABLE},
        {1034, 0, 1, APR_DBD_ORACLE_UNREACHABLE},  {12519, 0, 1, APR_DBD_ORACLE_SESSIONS},
        {18, 0, 1, APR_DBD_ORACLE_SESSIONS},       {1017, 0, 1, APR_DBD_ORACLE_LOGON},
        {28000, 0, 1, APR_DBD_ORACLE_LOGON},       {28001, 0, 1, APR_DBD_ORACLE_LOGON},
        {0, 1047, 1, APR_DBD_ORACLE_CLIENT},       {0, 1050, 0, APR_DBD_ORACLE_CLIENT},
        {0, 1010, 0, APR_DBD_ORACLE_LOST},         {0, 0, 0, APR_DBD_ORACLE_OTHER},
        {1722, 0, 0, APR_DBD_ORACLE_OTHER},
    };
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ok(ora_error_class(cases[i].code, cases[i].dpi, cases[i].connecting) == cases[i].what,
           "ORA-%d DPI-%d%s", cases[i].code, cases[i].dpi,
           cases[i].connecting ? " while connecting" : "");
    }
}

#define BYTES(s)                                                                                   \
    {                                                                                              \
        .asBytes = {(char *)(s), sizeof(s) - 1, NULL }                                             \
    }

static void test_json(void)
{
    static char *names[] = {(char *)"a\"\n", (char *)"list"};
    static uint32_t lengths[] = {3, 4};
    dpiDataBuffer text = BYTES("\xc3\xa9\\\x01"), number = BYTES("-1.5E-3"),
                  raw = BYTES("\x00\xff");
    dpiDataBuffer yes = {.asBoolean = 1}, d = {.asDouble = 0.1}, none = {0}, list, top;
    dpiDataBuffer when = {.asTimestamp = {2024, 2, 29, 1, 2, 3, 0, 0, 0}};
    dpiJsonNode elements[] = {
        {DPI_ORACLE_TYPE_NUMBER, DPI_NATIVE_TYPE_BYTES, &number},
        {DPI_ORACLE_TYPE_BOOLEAN, DPI_NATIVE_TYPE_BOOLEAN, &yes},
        {DPI_ORACLE_TYPE_NONE, DPI_NATIVE_TYPE_NULL, &none},
        {DPI_ORACLE_TYPE_NATIVE_DOUBLE, DPI_NATIVE_TYPE_DOUBLE, &d},
        {DPI_ORACLE_TYPE_RAW, DPI_NATIVE_TYPE_BYTES, &raw},
        {DPI_ORACLE_TYPE_TIMESTAMP, DPI_NATIVE_TYPE_TIMESTAMP, &when},
    };
    dpiJsonNode fields[] = {{DPI_ORACLE_TYPE_VARCHAR, DPI_NATIVE_TYPE_BYTES, &text},
                            {DPI_ORACLE_TYPE_JSON_ARRAY, DPI_NATIVE_TYPE_JSON_ARRAY, &list}};
    dpiJsonNode node = {DPI_ORACLE_TYPE_JSON_OBJECT, DPI_NATIVE_TYPE_JSON_OBJECT, &top};
    static const char want[] =
        "{\"a\\\"\\u000a\":\"\xc3\xa9\\\\\\u0001\",\"list\":[-0.0015,true,null,0.1,"
        "\"00FF\",\"2024-02-29 01:02:03\"]}";
    char out[256];
    apr_ssize_t n;

    list.asJsonArray = (dpiJsonArray){6, elements, NULL};
    top.asJsonObject = (dpiJsonObject){2, names, lengths, fields, NULL};
    n = ora_json_write(out, sizeof(out), &node);
    is_mem(out, n < 0 ? 0 : (apr_size_t)n, want, "a tree as text");
    memset(out, 'x', sizeof(out));
    is_int(ora_json_write(out, 10, &node), (long long)strlen(want),
           "its length where room is short");
    is_mem(out, 11, "{\"a\\\"\\u000x", "  and nothing is written beyond");
    fields[0].nativeTypeNum = DPI_NATIVE_TYPE_OBJECT;
    is_int(ora_json_write(out, sizeof(out), &node), -1, "a value without JSON form");
}

int main(void)
{
    apr_initialize();
    test_numbers();
    test_doubles();
    test_timestamps();
    test_intervals();
    test_utf8();
    test_classes();
    test_json();
    apr_terminate();
    return tap_done();
}
