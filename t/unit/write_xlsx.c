/* write_xlsx: cells as the XML of a sheet, and the workbook around it. */
#include "aurora/writer.h"
#include "tap.h"
#include "write/xlsx_skeleton.h"
#include "write/xlsx_text.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#define KEEP (8 << 20)

static char out[KEEP];
static apr_size_t out_len;
static apr_pool_t *pool;
static apr_bucket_alloc_t *ba;
static const aur_xlsx_skeleton_t *skeleton;

static apr_status_t collect(void *ctx, apr_bucket_brigade *bb, int last)
{
    apr_size_t room = KEEP - out_len;
    apr_status_t rv = apr_brigade_flatten(bb, out + out_len, &room);

    out_len += room;
    return rv == APR_SUCCESS ? apr_brigade_cleanup(bb) : rv;
}

static aur_sink_t *new_sink(apr_pool_t *p)
{
    out_len = 0;
    return aur_sink_create(2, AUR_SINK_BUFFER_BYTES, ba, collect, NULL, p);
}

static const char *part(const char *name, apr_pool_t *p)
{
    zip_packed_t packed;
    const char *text = "";

    if (zip_find(&packed, out, out_len, name) != APR_SUCCESS ||
        zip_unpack(&text, &packed, p) != APR_SUCCESS) {
        return "";
    }
    return text;
}

static const char *sheet(apr_pool_t *p)
{
    return part("xl/worksheets/sheet1.xml", p);
}

static aur_cell_t text_cell(aur_cell_e kind, const char *s, apr_size_t len)
{
    aur_cell_t cell = {kind, len, {0}};

    cell.v.s = s;
    return cell;
}

static aur_xlsx_options_t options(const char *title)
{
    aur_xlsx_options_t o = {skeleton, title, 1, 1709210096000000, 0, NULL};

    return o;
}

/* A finished workbook of n rows of the same cells. @return texts cut */
static apr_int64_t write_book(const aur_xlsx_options_t *o, const aur_result_column_t *columns,
                              int ncolumns, const aur_cell_t *cells, int n, apr_pool_t *p)
{
    aur_writer_end_t end = {0};
    aur_sink_t *sink = new_sink(p);
    aur_writer_t *w = aur_writer_xlsx_create(sink, columns, ncolumns, o, p);

    (void)w->is->begin(w);
    for (; n > 0; n--) {
        (void)w->is->row(w, cells);
    }
    (void)w->is->end(w, &end);
    (void)aur_sink_finish(sink);
    return aur_writer_xlsx_truncated(w);
}

/* The second row of a sheet whose only column is of that type. */
static const char *row_of(const aur_cell_t *cell, aur_type_e type, const char *format,
                          apr_pool_t *p)
{
    const aur_result_column_t column = {"C", "C", format, type};
    aur_xlsx_options_t o = options("t");
    const char *row;
    char *end;

    write_book(&o, &column, 1, cell, 1, p);
    row = strstr(sheet(p), "</row>");
    row = row ? apr_pstrdup(p, row + 6) : "";
    end = strstr(row, "</row>");
    if (end) {
        end[6] = '\0';
    }
    return row;
}

typedef struct cell_case_t {
    aur_cell_e kind;
    const char *s;
    apr_size_t len;
    const char *want; /* what stands between <c r="A2" and </c> */
} cell_case_t;
#define T(kind, s, want)                                                                           \
    {                                                                                              \
        kind, s, sizeof(s) - 1, want                                                               \
    }
#define STR(s)  " t=\"inlineStr\"><is><t>" s "</t></is>"
#define KEPT(s) " t=\"inlineStr\"><is><t xml:space=\"preserve\">" s "</t></is>"

static void check_cell(const aur_cell_t *cell, aur_type_e type, const char *format,
                       const char *want)
{
    apr_pool_t *p;

    apr_pool_create(&p, pool);
    is_str(row_of(cell, type, format, p),
           apr_pstrcat(p, "<row r=\"2\"><c r=\"A2\"", want, "</c></row>", NULL), want);
    apr_pool_destroy(p);
}

static void run(const cell_case_t *cases, apr_size_t n, aur_type_e type)
{
    apr_size_t i;

    for (i = 0; i < n; i++) {
        char *copy = malloc(cases[i].len ? cases[i].len : 1); /* exact, for sanitizers */
        aur_cell_t cell = text_cell(cases[i].kind, copy, cases[i].len);
        memcpy(copy, cases[i].s, cases[i].len);
        check_cell(&cell, type, NULL, cases[i].want);
        free(copy);
    }
}
#define RUN(cases, type) run(cases, sizeof(cases) / sizeof((cases)[0]), type)

static void test_text(void)
{
    static const cell_case_t cases[] = {
        T(AUR_V_TEXT, "plain", STR("plain")),
        T(AUR_V_TEXT, "", STR("")),
        T(AUR_V_TEXT, "a & b < c > d", STR("a &amp; b &lt; c &gt; d")),
        T(AUR_V_TEXT, "]]>", STR("]]&gt;")),
        T(AUR_V_TEXT, "&amp;", STR("&amp;amp;")),
        T(AUR_V_TEXT, "long enough for eight & eight more <",
          STR("long enough for eight &amp; eight more &lt;")),
        T(AUR_V_TEXT, " leading", KEPT(" leading")),
        T(AUR_V_TEXT, "trailing ", KEPT("trailing ")),
        T(AUR_V_TEXT, " ", KEPT(" ")),
        T(AUR_V_TEXT, "\n", KEPT("\n")),
        T(AUR_V_TEXT, "a\tb\nc", STR("a\tb\nc")),
        T(AUR_V_TEXT, "a\r\nb", STR("a&#13;\nb")),
        T(AUR_V_TEXT, "\x01\x08 x", KEPT("_x0001__x0008_ x")),
        T(AUR_V_TEXT, "x\0y\x1f!", STR("x_x0000_y_x001F_!")),
        T(AUR_V_TEXT, "\x7f", STR("\x7f")),
        T(AUR_V_TEXT, "a_b _x _x00 _x000g_ _x00412", STR("a_b _x _x00 _x000g_ _x00412")),
        T(AUR_V_TEXT, "_x0041_", STR("_x005F_x0041_")),
        T(AUR_V_TEXT, "_x00Af_", STR("_x005F_x00Af_")),
        T(AUR_V_TEXT, "_X0041_", STR("_x005F_X0041_")),
        T(AUR_V_TEXT, "_x0041_x0042_", STR("_x005F_x0041_x005F_x0042_")),
        T(AUR_V_TEXT, "_x0041\x01!", STR("_x005F_x0041_x0001_!")),
        T(AUR_V_TEXT, "_x0041", STR("_x0041")),
        T(AUR_V_TEXT, "_x005F_x0041_", STR("_x005F_x005F_x005F_x0041_")),
        T(AUR_V_TEXT, "\xef\xbf\xbe\xef\xbf\xbf", STR("_xFFFE__xFFFF_")),
        T(AUR_V_TEXT, "\xef\xbf\xbd", STR("\xef\xbf\xbd")),
        T(AUR_V_TEXT, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
          STR("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")),
        T(AUR_V_TEXT, "\xc3(\xff\xed\xa0\x80",
          STR("\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd")),
        T(AUR_V_TEXT, "12345678\xe2\x82", STR("12345678\xef\xbf\xbd\xef\xbf\xbd")),
        T(AUR_V_TEXT, "=1+1", STR("=1+1")),
        T(AUR_V_BINARY, "foob", STR("Zm9vYg==")),
        T(AUR_V_BINARY, "", STR("")),
    };

    RUN(cases, AUR_T_TEXT);
}

static void test_numbers(void)
{
    static const cell_case_t decimals[] = {
        T(AUR_V_DECIMAL, "12.50", "><v>12.50</v>"),
        T(AUR_V_DECIMAL, "-0.25", "><v>-0.25</v>"),
        T(AUR_V_DECIMAL, "123456789012345", " s=\"5\"><v>123456789012345</v>"),
        T(AUR_V_DECIMAL, "9007199254740991", " s=\"5\"><v>9007199254740991</v>"),
        T(AUR_V_DECIMAL, "9007199254740993", STR("9007199254740993")),
        T(AUR_V_DECIMAL, "0.1000000000000000000", "><v>0.1000000000000000000</v>"),
        T(AUR_V_DECIMAL, "0.12345678901234567890", STR("0.12345678901234567890")),
        T(AUR_V_DECIMAL, "NaN", STR("NaN")),
        T(AUR_V_DECIMAL, "-Infinity", STR("-Infinity")),
        T(AUR_V_DECIMAL, "1.2.3", STR("1.2.3")),
        T(AUR_V_DECIMAL, ".5", STR(".5")),
        T(AUR_V_DECIMAL, "5.", STR("5.")),
        T(AUR_V_DECIMAL, "-", STR("-")),
        T(AUR_V_DECIMAL, "", STR("")),
        T(AUR_V_DECIMAL, "1<2", STR("1&lt;2")),
    };
    static const struct {
        apr_int64_t i;
        const char *want;
    } ints[] = {
        {0, "><v>0</v>"},
        {-42, "><v>-42</v>"},
        {99999999999, "><v>99999999999</v>"},
        {100000000000, " s=\"5\"><v>100000000000</v>"},
        {9007199254740991, " s=\"5\"><v>9007199254740991</v>"},
        {9007199254740993, STR("9007199254740993")},
        {INT64_MAX, STR("9223372036854775807")},
        {INT64_MIN, STR("-9223372036854775808")},
    };
    static const struct {
        double d;
        const char *want;
    } doubles[] = {
        {0.1, "><v>0.1</v>"},
        {-1234.5, "><v>-1234.5</v>"},
        {1e300, "><v>1e+300</v>"},
        {5e-324, "><v>5e-324</v>"},
        {0.30000000000000004, "><v>0.30000000000000004</v>"},
        {NAN, STR("NaN")},
        {-INFINITY, STR("-Infinity")},
    };
    aur_cell_t cell = {AUR_V_INT, 0, {0}};
    apr_size_t i;

    RUN(decimals, AUR_T_NUMBER);
    for (i = 0; i < sizeof(ints) / sizeof(ints[0]); i++) {
        cell.v.i = ints[i].i;
        check_cell(&cell, AUR_T_NUMBER, NULL, ints[i].want);
    }
    cell.kind = AUR_V_DOUBLE;
    for (i = 0; i < sizeof(doubles) / sizeof(doubles[0]); i++) {
        cell.v.d = doubles[i].d;
        check_cell(&cell, AUR_T_NUMBER, NULL, doubles[i].want);
    }
    cell.kind = AUR_V_BOOL;
    cell.v.i = 1;
    check_cell(&cell, AUR_T_BOOLEAN, NULL, " t=\"b\"><v>1</v>");
    cell.v.i = 0;
    check_cell(&cell, AUR_T_BOOLEAN, NULL, " t=\"b\"><v>0</v>");
}

static void test_dates(void)
{
    static const cell_case_t cases[] = {
        T(AUR_V_DATE, "1900-03-01", " s=\"2\"><v>61</v>"),
        T(AUR_V_DATE, "1900-02-28", STR("1900-02-28")),
        T(AUR_V_DATE, "1900-01-01", STR("1900-01-01")),
        T(AUR_V_DATE, "1899-12-31", STR("1899-12-31")),
        T(AUR_V_DATE, "1970-01-01", " s=\"2\"><v>25569</v>"),
        T(AUR_V_DATE, "2024-02-29", " s=\"2\"><v>45351</v>"),
        T(AUR_V_DATE, "2023-02-29", STR("2023-02-29")),
        T(AUR_V_DATE, "2000-02-29", " s=\"2\"><v>36585</v>"),
        T(AUR_V_DATE, "2100-02-29", STR("2100-02-29")),
        T(AUR_V_DATE, "9999-12-31", " s=\"2\"><v>2958465</v>"),
        T(AUR_V_DATE, "10000-01-01", STR("10000-01-01")),
        T(AUR_V_DATE, "-0044-03-15", STR("-0044-03-15")),
        T(AUR_V_DATE, "2024-13-01", STR("2024-13-01")),
        T(AUR_V_DATE, "2024-1-1", STR("2024-1-1")),
        T(AUR_V_DATE, "2024-0\xb1-01", STR("2024-0\xef\xbf\xbd-01")),
        T(AUR_V_DATE, "tomorrow", STR("tomorrow")),
        T(AUR_V_TIMESTAMP, "2024-02-29 00:00:00", " s=\"3\"><v>45351</v>"),
        T(AUR_V_TIMESTAMP, "2024-02-29T12:00:00", " s=\"3\"><v>45351.5</v>"),
        T(AUR_V_TIMESTAMP, "2024-02-29 12:34:56", " s=\"3\"><v>45351.52425925926</v>"),
        T(AUR_V_TIMESTAMP, "2024-02-29 00:00:01", " s=\"3\"><v>45351.00001157408</v>"),
        T(AUR_V_TIMESTAMP, "2024-02-29 23:59:59", " s=\"3\"><v>45351.99998842593</v>"),
        T(AUR_V_TIMESTAMP, "2024-02-29 12:34", " s=\"3\"><v>45351.52361111112</v>"),
        T(AUR_V_TIMESTAMP, "2024-02-29 12:34:56.5", " s=\"4\"><v>45351.5242650463</v>"),
        T(AUR_V_TIMESTAMP, "2024-02-29 12:34:56.000", " s=\"3\"><v>45351.52425925926</v>"),
        T(AUR_V_TIMESTAMP, "2024-02-29 23:59:59.999", " s=\"4\"><v>45351.99999998843</v>"),
        T(AUR_V_TIMESTAMP, "2024-02-29 23:59:59.999000001", " s=\"4\"><v>45351.99999998843</v>"),
        T(AUR_V_TIMESTAMP, "2024-02-29 23:59:59.999999999", " s=\"4\"><v>45351.99999998843</v>"),
        T(AUR_V_TIMESTAMP, "9999-12-31 23:59:59.999999", " s=\"4\"><v>2958465.99999998843</v>"),
        T(AUR_V_TIMESTAMP, "1899-12-31 10:00:00", STR("1899-12-31T10:00:00")),
        T(AUR_V_TIMESTAMP, "1900-03-01 06:00:00", " s=\"3\"><v>61.25</v>"),
        T(AUR_V_TIMESTAMP, "2024-02-29 24:00:00", STR("2024-02-29T24:00:00")),
        T(AUR_V_TIMESTAMP, "2024-02-29 12:60:00", STR("2024-02-29T12:60:00")),
        T(AUR_V_TIMESTAMP, "2024-02-29 12:34:56.", STR("2024-02-29 12:34:56.")),
        T(AUR_V_TIMESTAMP, "not a timestamp, really", STR("not a timestamp, really")),
        T(AUR_V_TIMESTAMP_TZ, "2024-02-29 10:20:30.5+02", STR("2024-02-29T10:20:30.5+02:00")),
        T(AUR_V_TIMESTAMP_TZ, "2024-02-29 10:20:30Z", STR("2024-02-29T10:20:30Z")),
    };

    RUN(cases, AUR_T_TIMESTAMP);
}

/* The last moment of any day, to readers that round to milliseconds, is one of that day. */
static void test_ends_of_days(void)
{
    static const char *const fractions[] = {"999", "9994", "9995", "999999", "999999999"};
    int year, wrong = 0;
    apr_size_t i;

    for (year = 1901; year <= 9999; year++) {
        for (i = 0; i < sizeof(fractions) / sizeof(fractions[0]); i++) {
            char text[40], serial[XLSX_SERIAL_MAX + 1];
            int fractional,
                len = snprintf(text, sizeof(text), "%04d-12-31 23:59:59.%s", year, fractions[i]);
            apr_int32_t day = 0;
            double ms;
            serial[xlsx_serial_write(serial, &fractional, text, (apr_size_t)len)] = '\0';
            (void)xlsx_day(&day, text, 10);
            ms = (strtod(serial, NULL) - day) * 86400000;
            wrong += lround(ms) != 86399999;
        }
    }
    is_int(wrong, 0, "no year's last moment belongs to the next");
}

/* Every second of a day comes back from its serial number as a reader computes it. */
static void test_seconds(void)
{
    int second, wrong = 0;

    for (second = 0; second < 86400; second++) {
        char text[32], serial[XLSX_SERIAL_MAX + 1];
        int fractional;
        apr_size_t len;
        (void)snprintf(text, sizeof(text), "2024-02-29 %02d:%02d:%02d", second / 3600,
                       second / 60 % 60, second % 60);
        len = xlsx_serial_write(serial, &fractional, text, 19);
        serial[len] = '\0';
        wrong += fractional || lround((strtod(serial, NULL) - 45351) * 86400) != second ||
                 fabs((strtod(serial, NULL) - 45351) * 86400 - second) > 2e-6;
    }
    is_int(wrong, 0, "no second of a day is lost");
}

static void test_formats(void)
{
    static const struct {
        const char *format;
        int taken;
    } cases[] = {
        {"#,##0.00", 1},
        {"0.00%", 1},
        {"\"EUR\" #,##0;[Red]-#,##0", 1},
        {"_-* #,##0_-", 1},
        {"<&>", 1},
        {"", 0},
        {"0\"open", 0},
        {"[Red", 0},
        {"]0", 0},
        {"0\\", 0},
        {"0;0;0;0;0", 0},
        {"0\n", 0},
        {"\xff", 0},
        {"0.00 EUR", 0},
        {"0.00 \"EUR\"", 1},
        {"0 kr", 1},
        {"0.00E+00", 1},
        {"General", 1},
        {"General;[Red]-GENERAL", 1},
        {"[$-409]d mmmm yyyy h:mm AM/PM", 1},
        {"0.00 Kc", 0},
        {"0\\K", 1},
    };
    aur_cell_t cell = {AUR_V_INT, 0, {1}}, none = {AUR_V_TEXT, 1, {0}};
    apr_pool_t *p;
    apr_size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        apr_pool_create(&p, pool);
        is_str(row_of(&cell, AUR_T_NUMBER, cases[i].format, p),
               cases[i].taken ? "<row r=\"2\"><c r=\"A2\" s=\"8\"><v>1</v></c></row>"
                              : "<row r=\"2\"><c r=\"A2\"><v>1</v></c></row>",
               apr_psprintf(p, "format %s", cases[i].format));
        ok(!cases[i].taken == !strstr(part("xl/styles.xml", p), "<cellXfs count=\"9\">"),
           "a style more or not");
        apr_pool_destroy(p);
    }
    none.v.s = "x";
    check_cell(&none, AUR_T_NUMBER, "0.00", STR("x"));
    cell = text_cell(AUR_V_DATE, "2024-02-29", 10);
    check_cell(&cell, AUR_T_DATE, "d.m.yyyy", " s=\"8\"><v>45351</v>");
    check_cell(&cell, AUR_T_NUMBER, "d.m.yyyy", " s=\"2\"><v>45351</v>");
}

static void test_references(void)
{
    static const aur_result_column_t columns[4] = {{"a", "Alpha & <1>", NULL, AUR_T_NUMBER},
                                                   {"b", " b", NULL, AUR_T_NUMBER},
                                                   {"c", "_x0041_", NULL, AUR_T_NUMBER},
                                                   {"d", "", NULL, AUR_T_DATE}};
    aur_cell_t cells[4] = {{AUR_V_INT}, {AUR_V_INT}, {AUR_V_INT}, {AUR_V_INT}};
    aur_xlsx_options_t o = options("Sales");
    const char *xml;

    cells[0].kind = cells[2].kind = AUR_V_NULL;
    write_book(&o, columns, 4, cells, 2, pool);
    xml = sheet(pool);
    ok(strstr(
           xml,
           "<sheetData><row r=\"1\"><c r=\"A1\" s=\"1\"" STR(
               "Alpha &amp; &lt;1&gt;") "</c><c s=\"1\"" KEPT(" b") "</c><c s=\"1\"" STR("_x005F"
                                                                                         "_x0041"
                                                                                         "_") "<"
                                                                                              "/"
                                                                                              "c"
                                                                                              ">"
                                                                                              "<"
                                                                                              "c"
                                                                                              " "
                                                                                              "s"
                                                                                              "="
                                                                                              "\"1"
                                                                                              "\"" STR(
                                                                                                  "") "</c></row>") !=
           NULL,
       "the header row has the display names, in a style");
    ok(strstr(xml,
              "<row r=\"2\"><c r=\"B2\"><v>0</v></c><c r=\"D2\"><v>0</v></c></row>"
              "<row r=\"3\"><c r=\"B3\"><v>0</v></c><c r=\"D3\"><v>0</v></c></row></sheetData>") !=
           NULL,
       "NULL is no cell; the one behind it says where it is");
    ok(strstr(xml, "state=\"frozen\"") != NULL, "the header is frozen");
    ok(strstr(xml, "</sheetData><autoFilter ref=\"A1:D3\"/>") != NULL,
       "the filter covers the rows");
    ok(!strstr(xml, "dimension"), "no dimension is claimed");
    ok(strstr(xml, "<cols><col min=\"1\" max=\"1\" width=\"14.7109375\" customWidth=\"1\"/>") !=
           NULL,
       "a column is as wide as its name and the filter's button");
    ok(strstr(xml, "<col min=\"4\" max=\"4\" width=\"11.7109375\" customWidth=\"1\"/></cols>") !=
           NULL,
       "a date's as its type asks");
    o.display_names = 0;
    write_book(&o, columns, 4, cells, 0, pool);
    xml = sheet(pool);
    ok(strstr(xml, STR("a") "</c><c s=\"1\"" STR("b")) != NULL, "or the database's names");
    ok(strstr(xml, "ref=\"A1:D1\"") != NULL, "no rows: the filter covers the header");
}

/* The name of the only sheet, as workbook.xml has it. */
static const char *sheet_name(const char *title, apr_pool_t *p)
{
    static const aur_result_column_t column = {"C", "C", NULL, AUR_T_TEXT};
    aur_xlsx_options_t o = options(title);
    const char *at, *end;

    write_book(&o, &column, 1, NULL, 0, p);
    at = strstr(part("xl/workbook.xml", p), "<sheet name=\"");
    end = at ? strstr(at, "\" sheetId") : NULL;
    return end ? apr_pstrmemdup(p, at + 13, (apr_size_t)(end - at) - 13) : "";
}

static void test_sheet_names(void)
{
    static const struct {
        const char *title, *want;
    } cases[] = {
        {"Sales", "Sales"},
        {"", "Data"},
        {"a[b]c:d*e?f/g\\h", "a_b_c_d_e_f_g_h"},
        {"history", "history_"},
        {"'quoted'", "_quoted_"},
        {"it's", "it's"},
        {"R&D <\"x\">", "R&amp;D &lt;&quot;x&quot;&gt;"},
        {"tab\tand\x01", "tab_and_"},
        {"1234567890123456789012345678901234", "1234567890123456789012345678901"},
        {"123456789012345678901234567890\xf0\x9f\x98\x80", "123456789012345678901234567890"},
        {"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"},
        {"123456789012345678901234567890'x", "123456789012345678901234567890_"},
        {"\xff\xef\xbf\xbe", "__"},
    };
    apr_pool_t *p;
    apr_size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        apr_pool_create(&p, pool);
        is_str(sheet_name(cases[i].title, p), cases[i].want, cases[i].want);
        apr_pool_destroy(p);
    }
    (void)sheet_name("it's & so", pool);
    ok(strstr(part("xl/workbook.xml", pool),
              "hidden=\"1\">'it''s &amp; so'!$A$1:$A$1</definedName>") != NULL,
       "the filter's name has the sheet's, quoted");
    ok(strstr(part("docProps/app.xml", pool), "<vt:lpstr>it's &amp; so</vt:lpstr>") != NULL,
       "so has the list of titles");
    ok(strstr(
           part("docProps/core.xml", pool),
           "<dcterms:created xsi:type=\"dcterms:W3CDTF\">2024-02-29T12:34:56Z</dcterms:created>") !=
           NULL,
       "the document tells when it was made");
}

static void test_about(void)
{
    static const aur_xlsx_fact_t facts[] = {{"Dataset", "R&D"}, {"Filters", " none"}};
    static const aur_result_column_t column = {"C", "C", NULL, AUR_T_TEXT};
    aur_cell_t cell = text_cell(AUR_V_TEXT, "x", 1);
    aur_xlsx_options_t o = options("about");
    const char *xml;

    o.nfacts = 2;
    o.facts = facts;
    write_book(&o, &column, 1, &cell, 3, pool);
    xml = part("xl/worksheets/sheet2.xml", pool);
    ok(strstr(xml, "<row r=\"1\"><c r=\"A1\" s=\"6\"" STR("Dataset") "</c><c s=\"7\"" STR(
                       "R&amp;D") "</c></row>") != NULL,
       "a label and a value");
    ok(strstr(xml, KEPT(" none")) != NULL, "and another");
    ok(strstr(xml, STR("Rows") "</c><c s=\"7\"" STR("3")) != NULL, "the rows are counted");
    xml = part("xl/workbook.xml", pool);
    ok(strstr(xml, "<sheet name=\"about\" sheetId=\"1\"") != NULL, "the sheet keeps its name");
    ok(strstr(xml, "<sheet name=\"About this file\" sheetId=\"2\"") != NULL,
       "the other has one that differs");
    ok(strstr(part("[Content_Types].xml", pool), "/xl/worksheets/sheet2.xml") != NULL,
       "its type is declared");
    ok(strstr(sheet(pool), "autoFilter ref=\"A1:A4\"") != NULL, "the rows are still there");
}

/* A text of n units made of `piece`, plus `more`. @return units in the file */
static apr_int64_t cut(const char *piece, apr_size_t n, const char *want_end, const char *name)
{
    static const aur_result_column_t column = {"C", "C", NULL, AUR_T_TEXT};
    apr_size_t len = strlen(piece), i;
    char *text = malloc(n * len);
    aur_xlsx_options_t o = options("t");
    aur_cell_t cell = text_cell(AUR_V_TEXT, text, n * len);
    apr_int64_t truncated;
    const char *end;
    apr_pool_t *p;

    apr_pool_create(&p, pool);
    for (i = 0; i < n; i++) {
        memcpy(text + i * len, piece, len);
    }
    truncated = write_book(&o, &column, 1, &cell, 1, p);
    end = strstr(sheet(p), "</t></is></c></row></sheetData>");
    ok(end && !strncmp(end - strlen(want_end), want_end, strlen(want_end)), "%s: ends well", name);
    free(text);
    apr_pool_destroy(p);
    return truncated;
}

static void test_long_texts(void)
{
    static const aur_result_column_t column = {"C", "C", NULL, AUR_T_BINARY};
    aur_xlsx_options_t o = options("t");
    char *bytes = calloc(1, 100000);
    aur_cell_t cell = text_cell(AUR_V_BINARY, bytes, 24573);
    const char *at, *end;

    is_int(cut("x", 32767, "xx", "32,767 letters"), 0, "are not cut");
    is_int(cut("x", 32768, "xx", "one more"), 1, "is");
    is_int(cut("\xc3\xa9", 32767, "\xc3\xa9", "two bytes each"), 0, "are not cut");
    is_int(cut("\xf0\x9f\x98\x80", 16383, "\xf0\x9f\x98\x80", "pairs, 32,766 units"), 0, "are not");
    is_int(cut("\xf0\x9f\x98\x80", 16384, "\xf0\x9f\x98\x80", "pairs, 32,768 units"), 1,
           "are, and no pair is torn");
    is_int(cut("\xff", 40000, "\xef\xbf\xbd", "bad bytes"), 1,
           "are cut by the characters they become");
    is_int(cut("<", 40000, "&lt;", "signs"), 1, "are cut before they are escaped");
    is_int(cut("\x01", 40000, "_x0001_", "control characters"), 1, "are, too");
    is_int(write_book(&o, &column, 1, &cell, 1, pool), 0, "base64 of 24,573 bytes fits");
    cell.len = 24574;
    is_int(write_book(&o, &column, 1, &cell, 2, pool), 2, "of one more it is cut, and counted");
    at = strstr(sheet(pool), "r=\"A2\"");
    at = at ? strstr(at, "<t>") : NULL;
    end = at ? strstr(at, "</t>") : NULL;
    is_int(end ? end - at - 3 : 0, 32764, "at a whole group");
    free(bytes);
}

/* Rows beyond the sample, flushes, and rows wider than the buffer. */
static void test_stream(void)
{
    enum { COLUMNS = 200, ROWS = 250 };
    aur_result_column_t columns[COLUMNS];
    aur_cell_t cells[COLUMNS];
    aur_writer_end_t end = {0};
    aur_xlsx_options_t o = options("wide");
    aur_sink_t *sink = new_sink(pool);
    aur_writer_t *w;
    const char *xml, *at;
    int i, row, count = 0;
    apr_uint64_t before;

    for (i = 0; i < COLUMNS; i++) {
        columns[i].name = columns[i].display = "column";
        columns[i].format = NULL;
        columns[i].type = AUR_T_NUMBER;
        cells[i].kind = AUR_V_INT;
        cells[i].v.i = i;
    }
    w = aur_writer_xlsx_create(sink, columns, COLUMNS, &o, pool);
    (void)w->is->begin(w);
    for (row = 0; row < ROWS; row++) {
        is_int(w->is->row(w, cells), APR_SUCCESS, "a row");
        if (row == 150 || row == 200) {
            before = aur_sink_bytes(sink);
            is_int(w->is->flush(w), APR_SUCCESS, "a flush");
            ok(aur_sink_bytes(sink) > before, "brings something out");
        }
    }
    (void)w->is->end(w, &end);
    is_int(aur_sink_finish(sink), APR_SUCCESS, "the end");
    xml = sheet(pool);
    for (at = xml; (at = strstr(at, "<c ")) != NULL; at++) {
        count += at[3] == 'r';
    }
    is_int(count, ROWS + 1, "one reference a row");
    for (count = 0, at = xml; (at = strstr(at, "<v>")) != NULL; at++) {
        count++;
    }
    is_int(count, COLUMNS * ROWS, "every cell");
    ok(strstr(xml, "ref=\"A1:GR251\"") != NULL, "two hundred columns end with GR");
}

/* A slow result: its first rows wait for a few flushes, so that the widths are theirs, and no longer. */
static void test_slow(void)
{
    static const aur_result_column_t column = {"C", "C", NULL, AUR_T_TEXT};
    static const char text[] = "a text of some thirty characters";
    aur_xlsx_options_t o = options("slow");
    aur_cell_t cell = text_cell(AUR_V_TEXT, text, 1);
    aur_writer_end_t end = {0};
    aur_sink_t *sink = new_sink(pool);
    aur_writer_t *w = aur_writer_xlsx_create(sink, &column, 1, &o, pool);
    apr_uint64_t begun, late = 0;
    int i;

    (void)w->is->begin(w);
    begun = aur_sink_bytes(sink);
    ok(begun > 2000, "what stands before the rows is out at once");
    for (i = 1; i <= 12; i++) {
        (void)w->is->row(w, &cell);
        (void)w->is->flush(w);
        cell.len = sizeof(text) - 1;
        if (aur_sink_bytes(sink) > begun && !late) {
            late = (apr_uint64_t)i;
        }
    }
    is_int((long long)late, 10, "rows follow with the tenth flush");
    (void)w->is->end(w, &end);
    (void)aur_sink_finish(sink);
    ok(strstr(sheet(pool), "width=\"33.7109375\"") != NULL, "the widest of them made the width");
}

static void test_row_limit(void)
{
    static const aur_result_column_t column = {"C", "C", NULL, AUR_T_TEXT};
    aur_cell_t cell = {AUR_V_NULL, 0, {0}};
    aur_xlsx_options_t o = options("t");
    aur_writer_t *w = aur_writer_xlsx_create(new_sink(pool), &column, 1, &o, pool);
    int rows = 0;

    (void)w->is->begin(w);
    while (rows < 1100000 && w->is->row(w, &cell) == APR_SUCCESS) {
        rows++;
    }
    is_int(rows, 1048575, "a sheet takes 1,048,575 rows below its header");
    is_int(w->is->row(w, &cell), APR_ENOSPC, "and no more");
}

int main(void)
{
    char why[256] = "";

    (void)apr_initialize();
    apr_pool_create(&pool, NULL);
    ba = apr_bucket_alloc_create(pool);
    if (is_int(aur_xlsx_skeleton_create(&skeleton, why, sizeof(why), pool), APR_SUCCESS,
               "libxlsxwriter designs a workbook")) {
        test_text();
        test_numbers();
        test_dates();
        test_ends_of_days();
        test_seconds();
        test_formats();
        test_references();
        test_sheet_names();
        test_about();
        test_long_texts();
        test_stream();
        test_slow();
        test_row_limit();
    }
    else {
        printf("# %s\n", why);
    }
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
