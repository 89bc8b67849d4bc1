/* xlsx_skeleton.c - the workbook that libxlsxwriter designs, once per process.
 *
 * The library wants a path for the workbook and a folder for its parts. The path is that of a memfd,
 * the folder one that lies in memory; no disk is touched. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "xlsx_skeleton.h"

#include <apr_strings.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <xlsxwriter.h>

#define TMPFS_TYPE  0x01021994
#define RAMFS_TYPE  0x858458f6
#define BOOK_MAX    (1 << 20)
#define ROWS_NAME   "AURORAROWS"
#define ABOUT_NAME  "AURORAABOUT"
#define TITLE       "AURORATITLE"
#define CREATED     86400 /* 1970-01-02T00:00:00Z */
#define CREATED_AS  "1970-01-02T00:00:00Z"
#define ABOUT_LABEL 22
#define ABOUT_VALUE 90

typedef struct maker_t {
    char *why;
    apr_size_t size;
    apr_pool_t *p;
} maker_t;

__attribute__((format(printf, 3, 4))) static apr_status_t fail(const maker_t *m, apr_status_t rv,
                                                               const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    apr_vsnprintf(m->why, m->size, fmt, ap);
    va_end(ap);
    return rv;
}

/* --- design ------------------------------------------------------------------------------------ */

static lxw_format *design_style(lxw_workbook *book, xlsx_style_e style)
{
    static const char *const number_formats[XLSX_STYLES] = {
        [XLSX_STYLE_DATE] = "yyyy-mm-dd",
        [XLSX_STYLE_TIMESTAMP] = "yyyy-mm-dd hh:mm:ss",
        [XLSX_STYLE_FRACTION] = "yyyy-mm-dd hh:mm:ss.000",
        [XLSX_STYLE_WHOLE] = "0",
    };
    lxw_format *format = workbook_add_format(book);

    if (!format) {
        return NULL;
    }
    if (number_formats[style]) {
        format_set_num_format(format, number_formats[style]);
    }
    if (style == XLSX_STYLE_HEADER) {
        format_set_bg_color(format, 0xDCE6F1);
        format_set_bottom(format, LXW_BORDER_THIN);
    }
    if (style == XLSX_STYLE_HEADER || style == XLSX_STYLE_LABEL) {
        format_set_bold(format);
    }
    if (style == XLSX_STYLE_LABEL || style == XLSX_STYLE_VALUE) {
        format_set_align(format, LXW_ALIGN_VERTICAL_TOP);
    }
    if (style == XLSX_STYLE_VALUE) {
        format_set_text_wrap(format);
        format_set_align(format, LXW_ALIGN_LEFT);
    }
    return format;
}

/* One cell per style, in the styles' order: they tell later which number each style has been given. */
static lxw_error design(lxw_workbook *book, int about)
{
    lxw_doc_properties properties = {.title = (char *)(uintptr_t)TITLE,
                                     .author = (char *)(uintptr_t) "Aurora",
                                     .created = CREATED};
    lxw_worksheet *rows = workbook_add_worksheet(book, ROWS_NAME), *facts;
    lxw_error wrong = rows ? LXW_NO_ERROR : LXW_ERROR_MEMORY_MALLOC_FAILED;
    int i;

    for (i = 0; i < XLSX_STYLES && wrong == LXW_NO_ERROR; i++) {
        lxw_format *format = design_style(book, (xlsx_style_e)i);
        wrong = format ? worksheet_write_blank(rows, (lxw_row_t)i, 0, format)
                       : LXW_ERROR_MEMORY_MALLOC_FAILED;
    }
    if (wrong == LXW_NO_ERROR) {
        worksheet_freeze_panes(rows, 1, 0);
        wrong = worksheet_autofilter(rows, 0, 0, 1, 1);
    }
    if (wrong == LXW_NO_ERROR) {
        wrong = worksheet_set_column(rows, 0, 0, ABOUT_LABEL, NULL);
    }
    if (wrong == LXW_NO_ERROR && about) {
        facts = workbook_add_worksheet(book, ABOUT_NAME);
        if (!facts) {
            return LXW_ERROR_MEMORY_MALLOC_FAILED;
        }
        worksheet_set_column(facts, 0, 0, ABOUT_LABEL, NULL);
        worksheet_set_column(facts, 1, 1, ABOUT_VALUE, NULL);
        wrong = worksheet_write_number(facts, 0, 0, 1, NULL);
    }
    return wrong == LXW_NO_ERROR ? workbook_set_properties(book, &properties) : wrong;
}

/* --- into memory ------------------------------------------------------------------------------- */

/* A folder whose files live in memory; NULL when there is none. */
static const char *memory_folder(void)
{
    static const char *const folders[] = {"/dev/shm", "/run/shm", "/run"};
    struct statfs fs;
    apr_size_t i;

    for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        if (statfs(folders[i], &fs) == 0 &&
            ((unsigned long)fs.f_type == TMPFS_TYPE || (unsigned long)fs.f_type == RAMFS_TYPE) &&
            access(folders[i], W_OK) == 0) {
            return folders[i];
        }
    }
    return NULL;
}

/* Copied, as older headers do not promise to leave it alone. */
static apr_status_t write_book(const maker_t *m, int fd, int about)
{
    const char *folder = memory_folder();
    lxw_workbook_options options = {0};
    lxw_workbook *book;
    lxw_error wrong, closed;

    if (!folder) {
        return fail(m, APR_ENOENT, "no folder in memory (/dev/shm) to design workbooks in");
    }
    options.tmpdir = apr_pstrdup(m->p, folder);
    book = workbook_new_opt(apr_psprintf(m->p, "/proc/self/fd/%d", fd), &options);
    if (!book) {
        return fail(m, APR_ENOMEM, "libxlsxwriter has no memory");
    }
    wrong = design(book, about);
    closed = workbook_close(book); /* frees it, come what may */
    wrong = wrong == LXW_NO_ERROR ? closed : wrong;
    return wrong == LXW_NO_ERROR ? APR_SUCCESS
                                 : fail(m, APR_EGENERAL, "libxlsxwriter: %s", lxw_strerror(wrong));
}

static apr_status_t read_book(const maker_t *m, int fd, const char **archive, apr_size_t *len)
{
    struct stat st;
    apr_size_t got = 0;
    char *bytes;

    if (fstat(fd, &st) != 0 || st.st_size <= 0 || st.st_size > BOOK_MAX) {
        return fail(m, APR_EGENERAL, "libxlsxwriter left no workbook");
    }
    bytes = apr_palloc(m->p, (apr_size_t)st.st_size);
    while (got < (apr_size_t)st.st_size) {
        ssize_t n = pread(fd, bytes + got, (apr_size_t)st.st_size - got, (off_t)got);
        if (n <= 0) {
            return fail(m, APR_EGENERAL, "the workbook in memory cannot be read");
        }
        got += (apr_size_t)n;
    }
    *archive = bytes;
    *len = got;
    return APR_SUCCESS;
}

static apr_status_t make_book(const maker_t *m, int about, const char **archive, apr_size_t *len)
{
    int fd = memfd_create("aurora-workbook", MFD_CLOEXEC);
    apr_status_t rv;

    if (fd < 0) {
        return fail(m, errno, "no file in memory can be made");
    }
    rv = write_book(m, fd, about);
    if (rv == APR_SUCCESS) {
        rv = read_book(m, fd, archive, len);
    }
    (void)close(fd);
    return rv;
}

/* --- taking apart ------------------------------------------------------------------------------ */

/* A slot reaches from the first of `from` to the end of the next `to` ("" for `from` alone). */
typedef struct mark_t {
    xlsx_slot_e is;
    const char *from, *to;
} mark_t;

typedef struct layout_t {
    const char *name;
    int nmarks, nmarks_about; /* marks in a workbook with one sheet, and with two */
    mark_t marks[XLSX_SLOTS_MAX];
} layout_t;

/* clang-format off */
static const layout_t layouts[XLSX_PARTS] = {
    [XLSX_CONTENT_TYPES] = {"[Content_Types].xml", 0, 0, {{0}}},
    [XLSX_RELATIONS] = {"_rels/.rels", 0, 0, {{0}}},
    [XLSX_WORKBOOK_RELATIONS] = {"xl/_rels/workbook.xml.rels", 0, 0, {{0}}},
    [XLSX_THEME] = {"xl/theme/theme1.xml", 0, 0, {{0}}},
    [XLSX_STYLE_SHEET] = {"xl/styles.xml", 4, 4,
        {{XLSX_SLOT_FORMATS, "<numFmts count=\"", ">"}, {XLSX_SLOT_FORMATS_END, "</numFmts>", ""},
         {XLSX_SLOT_STYLES, "<cellXfs count=\"", ">"}, {XLSX_SLOT_STYLES_END, "</cellXfs>", ""}}},
    [XLSX_CORE] = {"docProps/core.xml", 3, 3,
        {{XLSX_SLOT_TITLE, TITLE, ""}, {XLSX_SLOT_CREATED, CREATED_AS, ""}, {XLSX_SLOT_CREATED, CREATED_AS, ""}}},
    [XLSX_APP] = {"docProps/app.xml", 1, 2,
        {{XLSX_SLOT_NAME, ROWS_NAME, ""}, {XLSX_SLOT_ABOUT_NAME, ABOUT_NAME, ""}}},
    [XLSX_ROWS] = {"xl/worksheets/sheet1.xml", 4, 4,
        {{XLSX_SLOT_NOTHING, "<dimension ", "/>"}, {XLSX_SLOT_COLS, "<cols>", "</cols>"},
         {XLSX_SLOT_DATA, "<sheetData>", "</sheetData>"}, {XLSX_SLOT_FILTER, "A1:B2", ""}}},
    [XLSX_ABOUT] = {"xl/worksheets/sheet2.xml", 0, 2,
        {{XLSX_SLOT_NOTHING, "<dimension ", "/>"}, {XLSX_SLOT_DATA, "<sheetData>", "</sheetData>"}}},
    [XLSX_WORKBOOK] = {"xl/workbook.xml", 2, 3,
        {{XLSX_SLOT_NAME, ROWS_NAME, ""}, {XLSX_SLOT_ABOUT_NAME, ABOUT_NAME, ""},
         {XLSX_SLOT_RANGE, ROWS_NAME "!$A$1:$B$2", ""}}},
};
/* clang-format on */

static apr_status_t cut_slots(const maker_t *m, xlsx_part_t *part, const layout_t *layout,
                              int about)
{
    const char *at = part->text;
    int i, n = about ? layout->nmarks_about : layout->nmarks;

    for (i = 0; i < XLSX_SLOTS_MAX && part->nslots < n; i++) {
        const mark_t *mark = &layout->marks[i];
        xlsx_slot_t *slot = &part->slots[part->nslots++];
        const char *from, *to;
        if (mark->is == XLSX_SLOT_ABOUT_NAME && !about) {
            part->nslots--;
            continue;
        }
        from = strstr(at, mark->from);
        to = from ? strstr(from + strlen(mark->from), mark->to) : NULL;
        if (!to) {
            return fail(m, APR_EGENERAL, "libxlsxwriter's %s has no '%s'", part->name, mark->from);
        }
        at = to + strlen(mark->to);
        slot->is = mark->is;
        slot->from = (apr_size_t)(from - part->text);
        slot->to = (apr_size_t)(at - part->text);
    }
    return APR_SUCCESS;
}

/* The numbers in s="..." of the design's cells, one for each style. */
static apr_status_t read_styles(const maker_t *m, xlsx_book_t *book)
{
    const char *at = book->parts[XLSX_ROWS].text;
    const xlsx_part_t *sheet = &book->parts[XLSX_STYLE_SHEET];
    int i;

    for (i = 0; i < XLSX_STYLES; i++) {
        at = strstr(at, " s=\"");
        if (!at) {
            return fail(m, APR_EGENERAL, "libxlsxwriter's sheet lacks styles");
        }
        at += 4;
        book->styles[i] = atoi(at);
    }
    book->nformats = atoi(sheet->text + sheet->slots[0].from + strlen("<numFmts count=\""));
    book->nstyles = atoi(sheet->text + sheet->slots[2].from + strlen("<cellXfs count=\""));
    return APR_SUCCESS;
}

static apr_status_t take_apart(const maker_t *m, xlsx_book_t *book, int about)
{
    const char *archive = NULL;
    apr_size_t len = 0;
    apr_status_t rv = make_book(m, about, &archive, &len);
    int i;

    for (i = 0; i < XLSX_PARTS && rv == APR_SUCCESS; i++) {
        xlsx_part_t *part = &book->parts[i];
        if (i == XLSX_ABOUT && !about) {
            continue;
        }
        part->name = layouts[i].name;
        rv = zip_find(&part->packed, archive, len, part->name);
        if (rv == APR_SUCCESS) {
            rv = zip_unpack(&part->text, &part->packed, m->p);
        }
        if (rv != APR_SUCCESS) {
            return fail(m, rv, "libxlsxwriter's workbook has no sound %s", part->name);
        }
        part->len = part->packed.size;
        rv = cut_slots(m, part, &layouts[i], about);
    }
    return rv == APR_SUCCESS ? read_styles(m, book) : rv;
}

apr_status_t aur_xlsx_skeleton_create(const aur_xlsx_skeleton_t **skeleton, char *why,
                                      apr_size_t size, apr_pool_t *p)
{
    aur_xlsx_skeleton_t *made = apr_pcalloc(p, sizeof(*made));
    maker_t m = {why, size, p};
    apr_status_t rv = take_apart(&m, &made->plain, 0);

    if (rv == APR_SUCCESS) {
        rv = take_apart(&m, &made->about, 1);
    }
    *skeleton = rv == APR_SUCCESS ? made : NULL;
    return rv;
}
