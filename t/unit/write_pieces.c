/* write_pieces: a value that comes in pieces reads like the same value held as a whole, wherever it was cut, in each
 * format; and nobody reads more of it than a format can show. */
#include "aurora/writer.h"
#include "tap.h"
#include "write/xlsx_skeleton.h"
#include "write/xlsx_text.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <stdint.h>
#include <stdlib.h>

#define KEEP   (4 << 20)
#define BROKEN (APR_OS_START_USERERR + 7)

static char out[KEEP];
static apr_size_t out_len, out_fails; /* the sink's client leaves after so many bytes; 0: never */
static apr_pool_t *pool;
static apr_bucket_alloc_t *ba;
static const aur_xlsx_skeleton_t *skeleton;

static apr_status_t collect(void *ctx, apr_bucket_brigade *bb, int last)
{
    apr_size_t room = KEEP - out_len;
    apr_status_t rv = apr_brigade_flatten(bb, out + out_len, &room);

    out_len += room;
    (void)apr_brigade_cleanup(bb);
    return out_fails > 0 && out_len >= out_fails ? APR_ECONNABORTED : rv;
}

/* --- readers ------------------------------------------------------------------------------------ */

/* Gives s[0..len) cut at `cuts` (ascending), each piece an exact copy that is gone with the next one. */
typedef struct source_t {
    aur_pieces_t base;
    const char *s;
    apr_size_t len, at;
    const apr_size_t *cuts;
    apr_size_t ncuts, cut;
    apr_size_t each;     /* without cuts: the size of a piece */
    apr_size_t break_at; /* breaks off there; 0: never */
    char *piece;
    int calls, after_end;
} source_t;

static apr_status_t source_next(aur_pieces_t *base, const char **s, apr_size_t *len)
{
    source_t *from = (source_t *)base;
    apr_size_t end = from->len;

    from->calls++;
    free(from->piece);
    from->piece = NULL;
    *len = 0;
    if (from->break_at > 0 && from->at >= from->break_at) {
        return BROKEN;
    }
    from->after_end += from->at > from->len;
    if (from->at >= from->len) {
        from->at = from->len + 1;
        return APR_SUCCESS;
    }
    if (from->cut < from->ncuts) {
        end = from->cuts[from->cut++];
    }
    else if (from->each > 0 && from->len - from->at > from->each) {
        end = from->at + from->each;
    }
    *len = end - from->at;
    from->piece = malloc(*len);
    memcpy(from->piece, from->s + from->at, *len);
    *s = from->piece;
    from->at = end;
    return APR_SUCCESS;
}

static void source_init(source_t *from, aur_cell_e kind, const char *s, apr_size_t len)
{
    memset(from, 0, sizeof(*from));
    from->base.kind = kind;
    from->base.next = source_next;
    from->s = s;
    from->len = len;
}

static aur_cell_t in_pieces(source_t *from)
{
    aur_cell_t cell = {AUR_V_PIECES, 0, {0}};

    cell.v.pieces = &from->base;
    return cell;
}

static aur_cell_t as_a_whole(aur_cell_e kind, const char *s, apr_size_t len)
{
    aur_cell_t cell = {kind, len, {0}};

    cell.v.s = s;
    return cell;
}

/* --- what comes of a cell ------------------------------------------------------------------------- */

typedef enum { JSON, JSON_ARRAYS, CSV, CSV_GUARDED, XLSX, FORMATS } format_e;
static const char *const formats[FORMATS] = {"JSON", "JSON arrays", "CSV", "CSV guarded", "XLSX"};

static aur_writer_t *writer(format_e format, aur_sink_t *sink, apr_pool_t *p)
{
    static const aur_result_column_t columns[3] = {
        {"A", "A", NULL, AUR_T_TEXT}, {"B", "B", NULL, AUR_T_TEXT}, {"C", "C", NULL, AUR_T_NUMBER}};
    aur_json_options_t json = {"T", format == JSON_ARRAYS};
    aur_csv_options_t csv = {',', '.', "", 0, format == CSV_GUARDED, 1, 0};
    aur_xlsx_options_t xlsx = {skeleton, "t", 1, 1709210096000000, 0, NULL};

    switch (format) {
    case JSON:
    case JSON_ARRAYS:
        return aur_writer_json_create(sink, columns, 3, &json, p);
    case XLSX:
        return aur_writer_xlsx_create(sink, columns, 3, &xlsx, p);
    default:
        return aur_writer_csv_create(sink, columns, 3, &csv, p);
    }
}

/* What the cell's row is, between two others; of a workbook the rows' XML. From p. *status: the row's. */
static const char *written(format_e format, const aur_cell_t *cell, apr_size_t *len,
                           apr_status_t *status, apr_int64_t *truncated, apr_pool_t *p)
{
    aur_cell_t cells[3] = {{AUR_V_INT, 0, {1}}, *cell, {AUR_V_INT, 0, {2}}};
    aur_writer_end_t end = {1, 1, 1, 0, 0};
    aur_sink_t *sink = aur_sink_create(1, AUR_SINK_ROOM_MAX, ba, collect, NULL, p);
    aur_writer_t *w = writer(format, sink, p);
    zip_packed_t packed;
    const char *text = "", *rows;

    out_len = 0;
    (void)w->is->begin(w);
    *status = w->is->row(w, cells);
    if (*status == APR_SUCCESS) {
        (void)w->is->end(w, &end);
    }
    (void)aur_sink_finish(sink);
    if (truncated) {
        *truncated = format == XLSX ? aur_writer_xlsx_truncated(w) : 0;
    }
    if (format != XLSX || *status != APR_SUCCESS) {
        *len = out_len;
        return apr_pmemdup(p, out, out_len);
    }
    if (zip_find(&packed, out, out_len, "xl/worksheets/sheet1.xml") != APR_SUCCESS ||
        zip_unpack(&text, &packed, p) != APR_SUCCESS) {
        *len = 0;
        return "";
    }
    rows = strstr(text, "<sheetData>"); /* widths are told apart: a value in pieces is a wide one */
    *len = rows ? strlen(rows) : 0;
    return rows ? rows : "";
}

/* The same with the field in quotes, as a value in pieces has it: 1,FIELD,2 in the last line. */
static const char *quoted(const char *csv, apr_size_t *len, apr_pool_t *p)
{
    static const char head[] = "A,B,C\r\n1,", tail[] = ",2\r\n";
    apr_size_t from = sizeof(head) - 1, to = *len - (sizeof(tail) - 1), n;
    char *s;

    if (csv[from] == '"') {
        return csv;
    }
    s = apr_palloc(p, *len + 2);
    n = to - from;
    memcpy(s, csv, from);
    s[from] = '"';
    memcpy(s + from + 1, csv + from, n);
    s[from + 1 + n] = '"';
    memcpy(s + from + 2 + n, tail, sizeof(tail) - 1);
    *len += 2;
    return s;
}

/* How often a value's pieces make another row than the whole does. */
typedef struct whole_t {
    const char *text;
    apr_size_t len;
    apr_int64_t truncated;
} whole_t;

static void whole_of(whole_t *whole, format_e format, aur_cell_e kind, const char *s,
                     apr_size_t len, apr_pool_t *p)
{
    aur_cell_t cell = as_a_whole(kind, s, len);
    apr_status_t rv;

    whole->text = written(format, &cell, &whole->len, &rv, &whole->truncated, p);
    if (format == CSV || format == CSV_GUARDED) {
        whole->text = quoted(whole->text, &whole->len, p);
    }
}

static int differs(const whole_t *whole, format_e format, source_t *from)
{
    aur_cell_t cell = in_pieces(from);
    apr_int64_t truncated;
    apr_status_t rv;
    apr_size_t len;
    const char *text;
    apr_pool_t *p;
    int bad;

    apr_pool_create(&p, pool);
    text = written(format, &cell, &len, &rv, &truncated, p);
    bad = rv != APR_SUCCESS || len != whole->len || memcmp(text, whole->text, len) != 0 ||
          truncated != whole->truncated || from->after_end;
    if (bad) {
        printf("# %s\n#   whole: %.*s\n#  pieces: %.*s\n", formats[format],
               (int)(whole->len < 2000 ? whole->len : 2000), whole->text,
               (int)(len < 2000 ? len : 2000), text);
    }
    apr_pool_destroy(p);
    free(from->piece);
    return bad;
}

/* --- every place -------------------------------------------------------------------------------- */

typedef struct text_t {
    const char *s;
    apr_size_t len;
} text_t;
#define T(s)                                                                                       \
    {                                                                                              \
        s, sizeof(s) - 1                                                                           \
    }

static const text_t nasty[] = {
    T("\"a\"\"\r\n,\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\x01\x1f\x00z\t\\/\"\""),
    T("=1+\"2\"\r\n"),
    T("-\xf0\x9f\x98\x80"),
    T("\xf4\x8f\xbf\xbf\xee\x80\x80\xed\x9f\xbf\xe0\xa0\x80\xc2\x80"),
    T("_x0041__x_x00e9_\x01_xFFFE_\xef\xbf\xbe_x000"
      "D\xef\xbf\xbf"),
    T("<a&b>]]>\r\r\n_xD83D__"),
    T(" blank at both ends "),
    T("\xe2\x82"),
    T("x\xf0\x9f\x98y\xf0\x9f\xf0\x9fz"),
    T("\xed\xa0\x80\xc0\x80\xf5\x80\xff\x80\x80\x80\x80"),
    T("\xf0\x9f\x98\x80\xf0\x9f\x98"),
    T("\xe0\x80\x80\xf0\x80\x80\x80\xf4\x90\x80\x80\xc3"),
    T("one"),
    T("1"),
    T(""),
};

/* Whole, byte by byte, and cut at each place and each pair of places. */
static int everywhere(format_e format, aur_cell_e kind, const text_t *text, int *tried)
{
    apr_size_t cuts[2];
    source_t from;
    whole_t whole;
    apr_pool_t *p;
    int bad = 0;

    apr_pool_create(&p, pool);
    whole_of(&whole, format, kind, text->s, text->len, p);
    source_init(&from, kind, text->s, text->len);
    bad += differs(&whole, format, &from);
    source_init(&from, kind, text->s, text->len);
    from.each = 1;
    bad += differs(&whole, format, &from);
    *tried += 2;
    for (cuts[0] = 1; cuts[0] < text->len; cuts[0]++) {
        for (cuts[1] = cuts[0] + 1; cuts[1] <= text->len; cuts[1]++) {
            source_init(&from, kind, text->s, text->len);
            from.cuts = cuts;
            from.ncuts = cuts[1] < text->len ? 2 : 1;
            bad += differs(&whole, format, &from);
            (*tried)++;
        }
    }
    apr_pool_destroy(p);
    return bad;
}

static void test_everywhere(void)
{
    int format;

    for (format = 0; format < FORMATS; format++) {
        int bad = 0, tried = 0;
        apr_size_t i;
        for (i = 0; i < sizeof(nasty) / sizeof(nasty[0]); i++) {
            bad += everywhere((format_e)format, AUR_V_TEXT, &nasty[i], &tried);
        }
        ok(bad == 0 && tried > 1000, "%s: text cut everywhere (%d ways, %d differ)",
           formats[format], tried, bad);
        bad = tried = 0;
        for (i = 0; i <= 20; i++) {
            text_t bytes = {"\x00\xff\x10\x83\x80=\"\r\n,\xfb\xef\xbe\x00\x00\x00_x00\x01", i};
            bad += everywhere((format_e)format, AUR_V_BINARY, &bytes, &tried);
        }
        ok(bad == 0 && tried > 1000, "%s: bytes cut everywhere (%d ways, %d differ)",
           formats[format], tried, bad);
    }
}

/* --- longer ones -------------------------------------------------------------------------------- */

static uint32_t seed = 2463534242u;

static unsigned next_random(unsigned n)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % n;
}

/* Characters of every length, what formats escape, and now and then a byte that is none. */
static apr_size_t random_text(char *s, apr_size_t max)
{
    static const text_t parts[] = {T("a"),
                                   T("bcdefghijklmnopqrstuvwxyz"),
                                   T("\""),
                                   T("\r\n"),
                                   T("\xc3\xa9"),
                                   T("\xe2\x82\xac"),
                                   T("\xf0\x9f\x98\x80"),
                                   T("_x0041_"),
                                   T("\x01"),
                                   T("\\"),
                                   T("&"),
                                   T("<"),
                                   T("\xf0\x9f"),
                                   T("\xff"),
                                   T(" ")};
    apr_size_t len = 0;

    for (;;) {
        const text_t *part = &parts[next_random(sizeof(parts) / sizeof(parts[0]))];
        if (part->len > max - len || next_random(2000) == 0) {
            return len;
        }
        memcpy(s + len, part->s, part->len);
        len += part->len;
    }
}

static void test_random(void)
{
    static char s[20000];
    int round, bad = 0;

    for (round = 0; round < 1500; round++) {
        format_e format = (format_e)(round % FORMATS);
        aur_cell_e kind = next_random(4) ? AUR_V_TEXT : AUR_V_BINARY;
        apr_size_t cuts[64], n = 0, at = 0, len = random_text(s, 1 + next_random(sizeof(s)));
        source_t from;
        whole_t whole;
        apr_pool_t *p;
        while (n < 64 && (at += 1 + next_random(round % 3 ? 5 : 5000)) < len) {
            cuts[n++] = at;
        }
        apr_pool_create(&p, pool);
        whole_of(&whole, format, kind, s, len, p);
        source_init(&from, kind, s, len);
        from.cuts = cuts;
        from.ncuts = n;
        bad += differs(&whole, format, &from);
        apr_pool_destroy(p);
    }
    is_int(bad, 0, "long random values in random pieces, longer than the sink's buffer");
}

/* --- what a cell of a workbook can hold ----------------------------------------------------------- */

static char *repeated(const char *unit, apr_size_t times, const char *more, apr_size_t *len)
{
    apr_size_t n = strlen(unit), m = strlen(more), i;
    char *s = malloc(n * times + m + 1);

    for (i = 0; i < times; i++) {
        memcpy(s + i * n, unit, n);
    }
    memcpy(s + n * times, more, m + 1);
    *len = n * times + m;
    return s;
}

static void test_limits(void)
{
    static const struct {
        const char *unit;
        apr_size_t times;
        const char *more;
        aur_cell_e kind;
        int cut;
    } cases[] = {
        {"a", 32767, "", AUR_V_TEXT, 0},
        {"a", 32767, "b", AUR_V_TEXT, 1},
        {"a", 32766, "\xf0\x9f\x98\x80", AUR_V_TEXT, 1},
        {"a", 32765, "\xf0\x9f\x98\x80", AUR_V_TEXT, 0},
        {"a", 32766, "\xf0\x9f\x98", AUR_V_TEXT, 1},
        {"a", 32765, " \n", AUR_V_TEXT, 0},
        {"a", 32766, " b", AUR_V_TEXT, 1},
        {"a", 32760, "_x0041_", AUR_V_TEXT, 0},
        {"a", 32761, "_x0041_", AUR_V_TEXT, 1},
        {"a", 200000, "", AUR_V_TEXT, 1},
        {"\xe2\x82\xac", 32767, "", AUR_V_TEXT, 0},
        {"\xe2\x82\xac", 32767, "\xe2\x82\xac", AUR_V_TEXT, 1},
        {"\xe2\x82\xac", 32766, "\xf0\x9f\x98\x80 and more", AUR_V_TEXT, 1},
        {"\xe2\x82\xac", 40000, "", AUR_V_TEXT, 1},
        {"\xf0\x9f\x98\x80", 16383, "\xe2\x82\xac", AUR_V_TEXT, 0},
        {"\xf0\x9f\x98\x80", 16384, "", AUR_V_TEXT, 1},
        {"\xff", 32768, "", AUR_V_TEXT, 1},
        {"abc", 8191, "", AUR_V_BINARY, 0},
        {"abc", 8191, "d", AUR_V_BINARY, 1},
        {"abc", 30000, "", AUR_V_BINARY, 1},
    };
    static const apr_size_t sizes[] = {0, 997, 4096, 32767, 65536, 98301};
    apr_size_t i, k, len;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *s = repeated(cases[i].unit, cases[i].times, cases[i].more, &len);
        int bad = 0;
        whole_t whole;
        apr_pool_t *p;
        apr_pool_create(&p, pool);
        whole_of(&whole, XLSX, cases[i].kind, s, len, p);
        for (k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
            source_t from;
            source_init(&from, cases[i].kind, s, len);
            from.each = sizes[k];
            bad += differs(&whole, XLSX, &from);
        }
        ok(bad == 0 && whole.truncated == cases[i].cut, "a workbook's limit: %d times %d bytes%s",
           (int)cases[i].times, (int)strlen(cases[i].unit), cases[i].cut ? ", cut" : "");
        apr_pool_destroy(p);
        free(s);
    }
}

/* A gigabyte that nobody has: the same piece again and again. */
typedef struct endless_t {
    aur_pieces_t base;
    const char *s;
    apr_size_t len, read;
} endless_t;

static apr_status_t endless_next(aur_pieces_t *base, const char **s, apr_size_t *len)
{
    endless_t *from = (endless_t *)base;

    *s = from->s;
    *len = from->read < (1u << 30) ? from->len : 0;
    from->read += *len;
    return APR_SUCCESS;
}

static void test_enough(void)
{
    static char piece[16384];
    aur_cell_e kinds[2] = {AUR_V_TEXT, AUR_V_BINARY};
    int i;

    memset(piece, 'x', sizeof(piece));
    for (i = 0; i < 2; i++) {
        endless_t from = {{kinds[i], endless_next}, piece, sizeof(piece), 0};
        aur_cell_t cell = {AUR_V_PIECES, 0, {0}};
        apr_int64_t truncated;
        apr_status_t rv;
        apr_size_t len;
        apr_pool_t *p;
        apr_pool_create(&p, pool);
        cell.v.pieces = &from.base;
        (void)written(XLSX, &cell, &len, &rv, &truncated, p);
        ok(rv == APR_SUCCESS && truncated == 1 && from.read <= 65536,
           "a workbook asks for no more of a gigabyte than it shows (%d bytes)", (int)from.read);
        apr_pool_destroy(p);
    }
}

/* --- endings ------------------------------------------------------------------------------------ */

static void test_broken(void)
{
    static char s[20000];
    int format, kind;

    memset(s, 'q', sizeof(s));
    for (format = 0; format < FORMATS; format++) {
        for (kind = AUR_V_TEXT; kind <= AUR_V_BINARY; kind += AUR_V_BINARY - AUR_V_TEXT) {
            source_t from;
            aur_cell_t cell;
            apr_status_t rv;
            apr_size_t len;
            apr_pool_t *p;
            apr_pool_create(&p, pool);
            source_init(&from, (aur_cell_e)kind, s, sizeof(s));
            from.each = 1000;
            from.break_at = 7000;
            cell = in_pieces(&from);
            (void)written((format_e)format, &cell, &len, &rv, NULL, p);
            ok(rv == BROKEN && from.calls == 8, "%s: a value that breaks off fails its row",
               formats[format]);
            free(from.piece);
            apr_pool_destroy(p);
        }
    }
}

static void test_gone(void)
{
    static char s[200000];
    int format;

    memset(s, 'q', sizeof(s));
    out_fails = 1;
    for (format = 0; format < XLSX; format++) {
        source_t from;
        aur_cell_t cell;
        apr_status_t rv;
        apr_size_t len;
        apr_pool_t *p;
        apr_pool_create(&p, pool);
        source_init(&from, format % 2 ? AUR_V_TEXT : AUR_V_BINARY, s, sizeof(s));
        from.each = 1000;
        cell = in_pieces(&from);
        (void)written((format_e)format, &cell, &len, &rv, NULL, p);
        ok(rv == APR_ECONNABORTED && from.calls <= 6,
           "%s: nothing more is read for a client that has left", formats[format]);
        free(from.piece);
        apr_pool_destroy(p);
    }
    out_fails = 0;
}

int main(void)
{
    char why[256] = "";

    (void)apr_initialize();
    apr_pool_create(&pool, NULL);
    ba = apr_bucket_alloc_create(pool);
    if (is_int(aur_xlsx_skeleton_create(&skeleton, why, sizeof(why), pool), APR_SUCCESS,
               "libxlsxwriter designs a workbook")) {
        test_everywhere();
        test_random();
        test_limits();
        test_enough();
        test_broken();
        test_gone();
    }
    else {
        printf("# %s\n", why);
    }
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
