/* The double's own encoders, by byte examples and by values that go there and back. */
#include "tap.h"

#include <stdint.h>
#include <stdlib.h>

#include "../oci/encode.h"

static const struct {
    const char *text, *bytes;
} numbers[] = {
    {"0", "80"},
    {"-0.000", "80"},
    {"1", "c102"},
    {"5", "c106"},
    {"10", "c10b"},
    {"99", "c164"},
    {"42", "c12b"},
    {"100", "c202"},
    {"1000000", "c402"},
    {"14500", "c3022e"},
    {"123.45", "c202182e"},
    {"0.5", "c033"},
    {"0.1", "c00b"},
    {"0.01", "c002"},
    {"0.001", "bf0b"},
    {"-1", "3e6466"},
    {"-5", "3e6066"},
    {"-0.01", "3f6466"},
    {"-123.45", "3d644e3866"},
    {"-0.00734", "401c3d66"},
    {"1e-130", "8002"},
    {"9.9e125", "ff64"},
    {"12345678901234567890123456789012345678", "d30d23394f5b0d23394f5b0d23394f5b0d23394f"}};

static void hex(char *out, const uint8_t *bytes, int n)
{
    *out = '\0';
    for (int i = 0; i < n; i++) {
        sprintf(out + 2 * i, "%02x", bytes[i]);
    }
}

static void number_examples(void)
{
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        uint8_t bytes[DBL_NUMBER_MAX];
        char got[64];
        int n = dbl_number_encode(bytes, numbers[i].text, strlen(numbers[i].text));
        hex(got, bytes, n);
        ok(!strcmp(got, numbers[i].bytes), "NUMBER %s is %s", numbers[i].text, got);
    }
}

static void number_limits(void)
{
    uint8_t b[DBL_NUMBER_MAX];
    is_int(dbl_number_encode(b, "1e126", 5), -1, "1e126 is beyond the range");
    is_int(dbl_number_encode(b, "-1e126", 6), -1, "and its negative");
    is_int(dbl_number_encode(b, "1e-131", 6), 1, "1e-131 is stored in one byte");
    is_int(b[0], 0x80, "which is zero");
    is_int(dbl_number_encode(b, "12x", 3), 0, "12x is no number");
    is_int(dbl_number_encode(b, "1e", 2), 0, "nor is an exponent without digits");
    is_int(dbl_number_encode(b, "", 0), 0, "nor is nothing");
    is_int(dbl_number_encode(b, "NaN", 3), 0, "nor NaN");
}

/* Random digits and exponents come back as they were; the generator is fixed, so that a failure can be repeated. */
static void number_round_trips(void)
{
    int wrong = 0;
    unsigned seed = 20240229;
    for (int i = 0; i < 50000; i++) {
        char text[80], back[DBL_NUMBER_TEXT], again[64], first[64];
        uint8_t bytes[DBL_NUMBER_MAX], twice[DBL_NUMBER_MAX];
        int digits = 1 + rand_r(&seed) % 38, n = 0;
        n += sprintf(text, "%s%d.", rand_r(&seed) % 2 ? "-" : "", 1 + rand_r(&seed) % 9);
        for (int d = 1; d < digits; d++) {
            n += sprintf(text + n, "%d", rand_r(&seed) % 10);
        }
        n += sprintf(text + n, "e%d", rand_r(&seed) % 255 - 129);
        int len = dbl_number_encode(bytes, text, (size_t)n);
        size_t plain = len > 0 ? dbl_number_decode(back, bytes, (size_t)len) : 0;
        back[plain] = '\0';
        int len2 = plain ? dbl_number_encode(twice, back, plain) : 0;
        hex(first, bytes, len > 0 ? len : 0);
        hex(again, twice, len2 > 0 ? len2 : 0);
        if (!plain || strcmp(first, again) || strtod(text, NULL) != strtod(back, NULL)) {
            if (wrong++ < 5) {
                printf("# %s: %s\n", text, back);
            }
        }
    }
    is_int(wrong, 0, "50,000 numbers of up to 38 digits come back");
}

static void date_examples(void)
{
    static const struct {
        const char *text, *bytes;
    } dates[] = {{"2024-02-29 13:30:05", "787c021d0e1f06"},
                 {"1999-12-31", "77c70c1f010101"},
                 {"9999-12-31 23:59:59", "c7c70c1f183c3c"},
                 {"4712-01-01 00:00:00 BC", "35580101010101"},
                 {"0044-03-15 12:00:00 BC", "6438030f0d0101"}};
    for (size_t i = 0; i < sizeof(dates) / sizeof(*dates); i++) {
        dbl_when_t when, back;
        uint8_t bytes[7];
        char got[20];
        ok(dbl_when_parse(&when, dates[i].text, strlen(dates[i].text)), "%s is read",
           dates[i].text);
        dbl_date_encode(bytes, &when);
        hex(got, bytes, 7);
        ok(!strcmp(got, dates[i].bytes), "DATE %s is %s", dates[i].text, got);
        ok(dbl_date_decode(&back, bytes) && back.year == when.year && back.second == when.second,
           "and comes back");
    }
    dbl_when_t when;
    ok(!dbl_when_parse(&when, "4713-01-01 BC", 13), "4713 BC is before Oracle's time");
    ok(!dbl_when_parse(&when, "10000-01-01", 11), "10000 after it");
    ok(!dbl_when_parse(&when, "infinity", 8), "infinity never comes");
}

static void formats(void)
{
    dbl_when_t when;
    char out[128];
    dbl_when_parse(&when, "2024-02-09 15:04:05.123456-03:30", 32);
    size_t n = dbl_when_format(out, sizeof(out), &when, "DD-MON-RR HH.MI.SSXFF3 AM TZH:TZM", 6);
    is_mem(out, n, "09-FEB-24 03.04.05.123 PM -03:30", "a timestamp by its format model");
    is_int((long long)dbl_when_format(out, sizeof(out), &when, "YYYY Q", 6), 0,
           "an element that is not known is no text");
    dbl_span_t span;
    ok(dbl_span_parse(&span, "P-1DT-2H-3M-4.5S", 16), "an interval is read");
    n = dbl_span_format(out, &span, false, 2, 6);
    is_mem(out, n, "-01 02:03:04.500000", "with one sign for all");
    ok(dbl_span_parse(&span, "P1DT-1S", 7), "parts of two signs");
    n = dbl_span_format(out, &span, false, 2, 0);
    is_mem(out, n, "+00 23:59:59", "become one");
}

int main(void)
{
    number_examples();
    number_limits();
    number_round_trips();
    date_examples();
    formats();
    return tap_done();
}
