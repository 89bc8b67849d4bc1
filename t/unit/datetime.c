/* datetime: strict in, normalised out, UTC by the calendar. */
#include "aurora/datetime.h"
#include "tap.h"

#include <apr_general.h>
#include <stdint.h>

static uint64_t seed = 1181783497276652981u;

static unsigned next_random(unsigned below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 33) % below;
}

static const struct {
    const char *in, *out; /* NULL: refused */
} cases[] = {
    {"2024-02-29", "2024-02-29"},
    {"2023-02-29", NULL},
    {"1900-02-29", NULL},
    {"2000-02-29", "2000-02-29"},
    {"0000-02-29", "0000-02-29"},
    {"0000-01-01", "0000-01-01"},
    {"-0000-01-01", NULL},
    {"-0001-12-31", "-0001-12-31"},
    {"-0004-02-29", "-0004-02-29"},
    {"-0100-02-29", NULL},
    {"-0400-02-29", "-0400-02-29"},
    {"12024-01-01", "12024-01-01"},
    {"999999-12-31", "999999-12-31"},
    {"1000000-01-01", NULL},
    {"-999999-01-01", "-999999-01-01"},
    {"024-01-01", NULL},
    {"2024-1-01", NULL},
    {"2024-01-1", NULL},
    {"2024-00-01", NULL},
    {"2024-13-01", NULL},
    {"2024-01-00", NULL},
    {"2024-01-32", NULL},
    {"2024-04-31", NULL},
    {"2024/01/01", NULL},
    {"20240101", NULL},
    {"+2024-01-01", NULL},
    {"2024-01-01Z", NULL},
    {"2024-01-01 ", NULL},
    {"2024-01-01T", NULL},
    {" 2024-01-01", NULL},
    {"", NULL},
    {"-", NULL},
    {"now", NULL},
    {"2024-01-01 10:20", "2024-01-01 10:20:00"},
    {"2024-01-01T10:20:30", "2024-01-01 10:20:30"},
    {"2024-01-01 10:20:30.5", "2024-01-01 10:20:30.5"},
    {"2024-01-01 10:20:30.500", "2024-01-01 10:20:30.500"},
    {"2024-01-01 10:20:30.000000001", "2024-01-01 10:20:30.000000001"},
    {"2024-01-01 10:20:30.1234567890", NULL},
    {"2024-01-01 10:20:30.", NULL},
    {"2024-01-01 10:20:30,5", NULL},
    {"2024-01-01 10:20.5", NULL},
    {"2024-01-01 24:00:00", NULL},
    {"2024-01-01 23:60:00", NULL},
    {"2024-01-01 23:59:60", NULL},
    {"2024-01-01 23:59:59", "2024-01-01 23:59:59"},
    {"2024-01-01 1:02:03", NULL},
    {"2024-01-01t10:20:30", NULL},
    {"2024-01-01  10:20:30", NULL},
    {"2024-01-01T10:20:30Z", "2024-01-01 10:20:30Z"},
    {"2024-01-01T10:20:30z", NULL},
    {"2024-01-01T10:20Z", "2024-01-01 10:20:00Z"},
    {"2024-01-01T10:20:30+02", "2024-01-01 10:20:30+02:00"},
    {"2024-01-01T10:20:30-0530", "2024-01-01 10:20:30-05:30"},
    {"2024-01-01T10:20:30+05:45", "2024-01-01 10:20:30+05:45"},
    {"2024-01-01T10:20:30-00:30", "2024-01-01 10:20:30-00:30"},
    {"2024-01-01T10:20:30.25+00:00", "2024-01-01 10:20:30.25Z"},
    {"2024-01-01T10:20:30+2", NULL},
    {"2024-01-01T10:20:30+24:00", NULL},
    {"2024-01-01T10:20:30+02:60", NULL},
    {"2024-01-01T10:20:30+02:", NULL},
    {"2024-01-01T10:20:30+02:0", NULL},
    {"2024-01-01T10:20:30+", NULL},
    {"2024-01-01T10:20:30 +02:00", NULL},
    {"2024-01-01T10:20:30Z ", NULL},
    {"2024-01-01T10:20:30+02:00:00", NULL},
};

static void test_parse(void)
{
    apr_size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        aur_datetime_t dt;
        char out[AUR_DATETIME_TEXT_MAX];
        int parsed = aur_datetime_parse(&dt, cases[i].in, strlen(cases[i].in));
        if (!cases[i].out) {
            ok(!parsed, "'%s' is refused", cases[i].in);
        }
        else if (ok(parsed, "%s is taken", cases[i].in)) {
            apr_size_t n =
                dt.has_time ? aur_timestamp_write(out, ' ', &dt) : aur_date_write(out, &dt);
            is_mem(out, n, cases[i].out, "  and written back");
        }
    }
    {
        aur_datetime_t dt;
        ok(!aur_datetime_parse(&dt, "2024-01-01\0", 11), "a NUL at the end is refused");
        ok(aur_datetime_parse(&dt, "2024-01-012", 10), "only len bytes are read");
    }
}

static void test_utc(void)
{
    static const struct {
        const char *in, *out;
    } shifts[] = {
        {"2024-01-01T00:30:00+01:00", "2023-12-31T23:30:00"},
        {"2023-12-31T23:30:00-01:00", "2024-01-01T00:30:00"},
        {"2024-03-01T00:00:00+00:01", "2024-02-29T23:59:00"},
        {"2023-03-01T00:00:00+00:01", "2023-02-28T23:59:00"},
        {"0000-01-01T00:00:00+05:30", "-0001-12-31T18:30:00"},
        {"-0001-12-31T23:00:00-02:00", "0000-01-01T01:00:00"},
        {"0000-03-01T00:00:00+01", "0000-02-29T23:00:00"},
        {"9999-12-31T23:59:59.75-00:01", "10000-01-01T00:00:59.75"},
        {"-999999-01-01T00:00:00+23:59", "-1000000-12-31T00:01:00"},
        {"999999-12-31T23:59:59-23:59", "1000000-01-01T23:58:59"},
        {"2024-06-15T12:00:00Z", "2024-06-15T12:00:00"},
        {"2024-06-15T12:00:00", "2024-06-15T12:00:00"},
        {"2024-06-15T12:00:00.120+02:00", "2024-06-15T10:00:00.120"},
    };
    apr_size_t i;

    for (i = 0; i < sizeof(shifts) / sizeof(shifts[0]); i++) {
        aur_datetime_t dt;
        char out[AUR_DATETIME_TEXT_MAX];
        if (ok(aur_datetime_parse(&dt, shifts[i].in, strlen(shifts[i].in)), "%s", shifts[i].in)) {
            apr_size_t n;
            aur_datetime_to_utc(&dt);
            n = aur_timestamp_write(out, 'T', &dt);
            is_mem(out, n, shifts[i].out, "  in UTC");
            ok(!dt.has_zone && dt.zone_minutes == 0, "  and the zone is gone");
        }
    }
}

/* Days since 0000-03-01, counted in 400-year periods: another way to the calendar than the unit's.
 */
static apr_int64_t day_number(const aur_datetime_t *dt)
{
    apr_int64_t y = dt->year - (dt->month < 3), era, yoe, doy;

    era = (y >= 0 ? y : y - 399) / 400;
    yoe = y - era * 400;
    doy = (153 * (dt->month + (dt->month > 2 ? -3 : 9)) + 2) / 5 + dt->day - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy;
}

static apr_int64_t minute_number(const aur_datetime_t *dt)
{
    return (day_number(dt) * 24 + dt->hour) * 60 + dt->minute;
}

static int fields_equal(const aur_datetime_t *a, const aur_datetime_t *b)
{
    return a->year == b->year && a->month == b->month && a->day == b->day && a->hour == b->hour &&
           a->minute == b->minute && a->second == b->second && a->nanosecond == b->nanosecond &&
           a->has_time == b->has_time && a->fraction_digits == b->fraction_digits &&
           a->has_zone == b->has_zone && a->zone_minutes == b->zone_minutes;
}

static void random_datetime(aur_datetime_t *dt)
{
    static const int scale[10] = {1000000000, 100000000, 10000000, 1000000, 100000,
                                  10000,      1000,      100,      10,      1};

    memset(dt, 0, sizeof(*dt));
    dt->year = (apr_int32_t)next_random(20000) - 10000;
    dt->month = 1 + (int)next_random(12);
    dt->day = 1 + (int)next_random(28);
    dt->has_time = 1;
    dt->hour = (int)next_random(24);
    dt->minute = (int)next_random(60);
    dt->second = (int)next_random(60);
    dt->fraction_digits = (int)next_random(10);
    dt->nanosecond =
        (int)next_random(1000000000) / scale[dt->fraction_digits] * scale[dt->fraction_digits];
    dt->has_zone = (int)next_random(2);
    dt->zone_minutes = dt->has_zone ? (int)next_random(2879) - 1439 : 0;
}

static void test_random(void)
{
    int i, lost = 0, shifted = 0, order = 0;

    for (i = 0; i < 500000; i++) {
        aur_datetime_t dt, back;
        char out[AUR_DATETIME_TEXT_MAX];
        apr_size_t n;
        apr_int64_t before;
        int zone;

        random_datetime(&dt);
        n = aur_timestamp_write(out, i & 1 ? 'T' : ' ', &dt);
        lost += n > sizeof(out) || !aur_datetime_parse(&back, out, n) || !fields_equal(&dt, &back);
        before = minute_number(&dt);
        zone = dt.zone_minutes;
        aur_datetime_to_utc(&dt);
        shifted += minute_number(&dt) != before - zone;
        n = aur_timestamp_write(out, 'T', &dt);
        order += !aur_datetime_parse(&back, out, n);
    }
    is_int(lost, 0, "random timestamps survive writing and parsing");
    is_int(shifted, 0, "UTC lies exactly the offset away, by another calendar's count");
    is_int(order, 0, "what a shift makes is a valid date");
}

/* Every prefix and every single-byte change of a valid text is refused or parsed, never more. */
static void test_hostile(void)
{
    static const char whole[] = "-12024-02-29T10:20:30.123456789+05:30";
    char text[sizeof(whole)];
    apr_size_t i;
    int c, bad = 0;

    for (i = 0; i < sizeof(whole) - 1; i++) {
        for (c = 0; c < 256; c++) {
            aur_datetime_t dt;
            char out[AUR_DATETIME_TEXT_MAX];
            memcpy(text, whole, sizeof(whole));
            text[i] = (char)c;
            if (aur_datetime_parse(&dt, text, sizeof(whole) - 1)) {
                apr_size_t n = aur_timestamp_write(out, 'T', &dt);
                aur_datetime_t back;
                bad += n > sizeof(out) || !aur_datetime_parse(&back, out, n) ||
                       !fields_equal(&dt, &back);
            }
        }
    }
    is_int(bad, 0, "what one changed byte leaves valid still round-trips");
}

int main(void)
{
    apr_initialize();
    test_parse();
    test_utc();
    test_random();
    test_hostile();
    apr_terminate();
    return tap_done();
}
