/* query_value.c - values of a request as typed cells. */
#include <apr_general.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "query/query_value.h"
#include "tap.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define S(text)                                                                                    \
    {                                                                                              \
        AUR_J_STRING, 0, 0, text, sizeof(text) - 1                                                 \
    }
#define I(n)                                                                                       \
    {                                                                                              \
        AUR_J_INT, n, 0, NULL, 0                                                                   \
    }
#define R(n)                                                                                       \
    {                                                                                              \
        AUR_J_REAL, 0, n, NULL, 0                                                                  \
    }
#define B(n)                                                                                       \
    {                                                                                              \
        AUR_J_BOOL, n, 0, NULL, 0                                                                  \
    }
#define BAD NULL

static const char *cell_text(const aur_cell_t *c, apr_pool_t *p)
{
    static const char *const kinds[] = {"null", "int",  "double",    "decimal",      "text",
                                        "bool", "date", "timestamp", "timestamp_tz", "binary"};

    if (c->kind == AUR_V_INT || c->kind == AUR_V_BOOL) {
        return apr_psprintf(p, "%s %" APR_INT64_T_FMT "%s", kinds[c->kind], c->v.i,
                            c->len ? " with a length" : "");
    }
    return apr_pstrcat(p, kinds[c->kind], " ", apr_pstrmemdup(p, c->v.s, c->len), NULL);
}

static const struct {
    aur_type_e type;
    aur_scalar_t value;
    const char *want; /* BAD: refused */
} cases[] = {
    /* numbers */
    {AUR_T_NUMBER, I(0), "int 0"},
    {AUR_T_NUMBER, I(APR_INT64_MIN), "int -9223372036854775808"},
    {AUR_T_NUMBER, R(1.5), "decimal 1.5"},
    {AUR_T_NUMBER, R(-0.1), "decimal -0.1"},
    {AUR_T_NUMBER, R(5.0), "decimal 5"},
    {AUR_T_NUMBER, R(-0.0), "decimal 0"},
    {AUR_T_NUMBER, R(1e22), "decimal 10000000000000000000000"},
    {AUR_T_NUMBER, R(1.25e-9), "decimal 0.00000000125"},
    {AUR_T_NUMBER, S("0"), "int 0"},
    {AUR_T_NUMBER, S("-17"), "int -17"},
    {AUR_T_NUMBER, S("+17"), "int 17"},
    {AUR_T_NUMBER, S("007"), "int 7"},
    {AUR_T_NUMBER, S("9223372036854775807"), "int 9223372036854775807"},
    {AUR_T_NUMBER, S("9223372036854775808"), "decimal 9223372036854775808"},
    {AUR_T_NUMBER, S("-9223372036854775809"), "decimal -9223372036854775809"},
    {AUR_T_NUMBER, S("12.50"), "decimal 12.50"},
    {AUR_T_NUMBER, S("-.5"), BAD},
    {AUR_T_NUMBER, S("0.10000000000000000000000001"), "decimal 0.10000000000000000000000001"},
    {AUR_T_NUMBER, S("1.5e3"), "int 1500"},
    {AUR_T_NUMBER, S("1.25e1"), "decimal 12.5"},
    {AUR_T_NUMBER, S("1e400"), BAD},
    {AUR_T_NUMBER, S("1e-400"), BAD},
    {AUR_T_NUMBER, S(""), BAD},
    {AUR_T_NUMBER, S(" 1"), BAD},
    {AUR_T_NUMBER, S("1 "), BAD},
    {AUR_T_NUMBER, S("1,5"), BAD},
    {AUR_T_NUMBER, S("0x10"), BAD},
    {AUR_T_NUMBER, S("NaN"), BAD},
    {AUR_T_NUMBER, S("Infinity"), BAD},
    {AUR_T_NUMBER, S("1; DROP TABLE x"), BAD},
    {AUR_T_NUMBER, B(1), BAD},
    /* dates */
    {AUR_T_DATE, S("2024-02-29"), "date 2024-02-29"},
    {AUR_T_DATE, S("1969-12-31"), "date 1969-12-31"},
    {AUR_T_DATE, S("0001-01-01"), "date 0001-01-01"},
    {AUR_T_DATE, S("2024-05-06T00:00:00"), "date 2024-05-06"},
    {AUR_T_DATE, S("2024-05-06 00:00:00.000"), "date 2024-05-06"},
    {AUR_T_DATE, S("2024-05-06T00:00:00Z"), "date 2024-05-06"},
    {AUR_T_DATE, S("2024-05-06T00:00:00+02:00"), "date 2024-05-06"},
    {AUR_T_DATE, S("2024-05-06T00:00:01"), BAD},
    {AUR_T_DATE, S("2024-05-06T00:00:00.1"), BAD},
    {AUR_T_DATE, S("2023-02-29"), BAD},
    {AUR_T_DATE, S("2024-13-01"), BAD},
    {AUR_T_DATE, S("06.05.2024"), BAD},
    {AUR_T_DATE, S("2024-5-6"), BAD},
    {AUR_T_DATE, S(""), BAD},
    {AUR_T_DATE, I(20240506), BAD},
    {AUR_T_DATE, B(0), BAD},
    /* timestamps */
    {AUR_T_TIMESTAMP, S("2024-05-06"), "timestamp 2024-05-06 00:00:00"},
    {AUR_T_TIMESTAMP, S("2024-05-06T07:08"), "timestamp 2024-05-06 07:08:00"},
    {AUR_T_TIMESTAMP, S("2024-05-06T07:08:09"), "timestamp 2024-05-06 07:08:09"},
    {AUR_T_TIMESTAMP, S("2024-05-06 07:08:09.120"), "timestamp 2024-05-06 07:08:09.120"},
    {AUR_T_TIMESTAMP, S("2024-05-06T00:30:00+02:00"), "timestamp 2024-05-05 22:30:00"},
    {AUR_T_TIMESTAMP, S("2024-12-31T23:30:00-0100"), "timestamp 2025-01-01 00:30:00"},
    {AUR_T_TIMESTAMP_TZ, S("2024-05-06T07:08:09Z"), "timestamp 2024-05-06 07:08:09"},
    {AUR_T_TIMESTAMP_TZ, S("2024-05-06T07:08:09"), "timestamp 2024-05-06 07:08:09"},
    {AUR_T_TIMESTAMP, S("2024-05-06T24:00:00"), BAD},
    {AUR_T_TIMESTAMP, S("2024-05-06T"), BAD},
    {AUR_T_TIMESTAMP, S("now"), BAD},
    {AUR_T_TIMESTAMP, I(1700000000), BAD},
    {AUR_T_TIMESTAMP_TZ, R(1.5), BAD},
    /* booleans */
    {AUR_T_BOOLEAN, B(1), "bool 1"},
    {AUR_T_BOOLEAN, B(0), "bool 0"},
    {AUR_T_BOOLEAN, I(1), "bool 1"},
    {AUR_T_BOOLEAN, I(0), "bool 0"},
    {AUR_T_BOOLEAN, I(2), BAD},
    {AUR_T_BOOLEAN, I(-1), BAD},
    {AUR_T_BOOLEAN, S("true"), "bool 1"},
    {AUR_T_BOOLEAN, S("False"), "bool 0"},
    {AUR_T_BOOLEAN, S("1"), "bool 1"},
    {AUR_T_BOOLEAN, S("0"), "bool 0"},
    {AUR_T_BOOLEAN, S("yes"), BAD},
    {AUR_T_BOOLEAN, S(""), BAD},
    {AUR_T_BOOLEAN, R(1.0), BAD},
    /* text */
    {AUR_T_TEXT, S("North"), "text North"},
    {AUR_T_TEXT, S(""), "text "},
    {AUR_T_TEXT, S("' OR 1=1 --"), "text ' OR 1=1 --"},
    {AUR_T_TEXT, I(5), BAD},
    {AUR_T_TEXT, R(5.5), BAD},
    {AUR_T_TEXT, B(1), BAD},
    /* binary */
    {AUR_T_BINARY, S("00"), BAD},
    {AUR_T_BINARY, I(0), BAD},
};

static void table(apr_pool_t *p)
{
    apr_size_t i;

    for (i = 0; i < COUNT(cases); i++) {
        const aur_scalar_t *v = &cases[i].value;
        aur_value_for_t want = {cases[i].type, 0, "T.COL", "/at/value"};
        const char *name =
            apr_psprintf(p, "%s <- %s %s", aur_type_name(cases[i].type), v->s ? "string" : "scalar",
                         v->s                    ? v->s
                         : v->kind == AUR_J_REAL ? apr_psprintf(p, "%g", v->d)
                                                 : apr_psprintf(p, "%d", (int)v->i));
        aur_cell_t cell;
        aur_error_t err;
        apr_status_t rv;

        aur_error_clear(&err);
        rv = aur_value_read(&cell, &want, v, -1, &err, p);
        if (cases[i].want) {
            is_str(rv == APR_SUCCESS ? cell_text(&cell, p) : err.detail, cases[i].want, name);
        }
        else {
            ok(rv == APR_EGENERAL && err.code == AUR_E_BAD_VALUE && *err.detail &&
                   !strcmp(err.column, "T.COL") && !strcmp(err.pointer, "/at/value"),
               "%s is refused (%s)", name, err.detail);
        }
    }
}

static void digits(apr_pool_t *p)
{
    aur_value_for_t want = {AUR_T_NUMBER, 0, "N", "/v"};
    char text[360];
    aur_cell_t cell;
    aur_error_t err;
    aur_scalar_t v = {AUR_J_STRING, 0, 0, text, 0};

    memset(text, '9', sizeof(text));
    v.len = 350;
    ok(aur_value_read(&cell, &want, &v, -1, &err, p) == APR_SUCCESS && cell.len == 350,
       "350 digits");
    v.len = 351;
    ok(aur_value_read(&cell, &want, &v, -1, &err, p) == APR_EGENERAL, "351 digits are refused");
    text[0] = '-';
    text[100] = '.';
    v.len = 352;
    ok(aur_value_read(&cell, &want, &v, -1, &err, p) == APR_SUCCESS && cell.len == 352,
       "350 digits, sign and point");
    v.len = 353;
    ok(aur_value_read(&cell, &want, &v, -1, &err, p) == APR_EGENERAL,
       "351 digits, sign and point are refused");

    v.kind = AUR_J_REAL;
    v.d = -1.7976931348623157e308;
    ok(aur_value_read(&cell, &want, &v, -1, &err, p) == APR_SUCCESS && cell.len == 310,
       "the least double");
    v.d = 5e-324;
    ok(aur_value_read(&cell, &want, &v, -1, &err, p) == APR_SUCCESS && cell.len == 326 &&
           cell.v.s[325] == '5',
       "the smallest double above 0");
}

static void folding(apr_pool_t *p)
{
    aur_value_for_t want = {AUR_T_TEXT, 1, "C", "/v"};
    aur_scalar_t v = S("NoRTH ÄÉ 1");
    aur_cell_t cell;
    aur_error_t err;

    is_int(aur_value_read(&cell, &want, &v, -1, &err, p), APR_SUCCESS, "a text to be folded");
    is_mem(cell.v.s, cell.len, "north äé 1", "is folded");
    want.fold = 0;
    aur_value_read(&cell, &want, &v, -1, &err, p);
    is_mem(cell.v.s, cell.len, "NoRTH ÄÉ 1", "and left alone otherwise");
}

static void places(apr_pool_t *p)
{
    aur_value_for_t want = {AUR_T_NUMBER, 0, "C", "/filters/conditions/0/value"};
    aur_scalar_t v = S("x");
    aur_cell_t cell;
    aur_error_t err;

    aur_error_clear(&err);
    aur_value_read(&cell, &want, &v, 7, &err, p);
    is_str(err.pointer, "/filters/conditions/0/value/7", "the place in a list");
}

static const struct {
    aur_type_e type;
    const char *text, *low, *high; /* low NULL: refused */
} pairs[] = {
    {AUR_T_NUMBER, "1,2", "1", "2"},
    {AUR_T_NUMBER, " 1 , 2 ", "1", "2"},
    {AUR_T_NUMBER, "1.5,-2.5", "1.5", "-2.5"},
    {AUR_T_DATE, "2024-01-01, 2024-12-31", "2024-01-01", "2024-12-31"},
    {AUR_T_TEXT, " a , b ", " a ", " b "},
    {AUR_T_TEXT, "a,", "a", ""},
    {AUR_T_NUMBER, ",", "", ""},
    {AUR_T_NUMBER, "  ,", "", ""},
    {AUR_T_NUMBER, "1", NULL, NULL},
    {AUR_T_NUMBER, "", NULL, NULL},
    {AUR_T_NUMBER, "1,5,2,5", NULL, NULL},
    {AUR_T_TEXT, "a,b,", NULL, NULL},
};

static void splitting(apr_pool_t *p)
{
    apr_size_t i;

    for (i = 0; i < COUNT(pairs); i++) {
        aur_value_for_t want = {pairs[i].type, 0, "C", "/v"};
        aur_scalar_t v = {AUR_J_STRING, 0, 0, pairs[i].text, strlen(pairs[i].text)}, out[2];
        aur_error_t err;
        apr_status_t rv;

        aur_error_clear(&err);
        rv = aur_value_split(out, &want, &v, &err);
        if (!pairs[i].low) {
            ok(rv == APR_EGENERAL && err.code == AUR_E_BAD_VALUE && !strcmp(err.column, "C") &&
                   !strcmp(err.pointer, "/v"),
               "\"%s\" is not split", pairs[i].text);
            continue;
        }
        ok(rv == APR_SUCCESS && out[0].len == strlen(pairs[i].low) &&
               !memcmp(out[0].s, pairs[i].low, out[0].len) && out[1].len == strlen(pairs[i].high) &&
               !memcmp(out[1].s, pairs[i].high, out[1].len),
           "\"%s\" is split", pairs[i].text);
    }
}

int main(void)
{
    apr_pool_t *p;

    apr_initialize();
    atexit(apr_terminate);
    apr_pool_create(&p, NULL);
    table(p);
    digits(p);
    folding(p);
    places(p);
    splitting(p);
    apr_pool_destroy(p);
    return tap_done();
}
