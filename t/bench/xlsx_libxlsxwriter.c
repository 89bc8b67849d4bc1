/* xlsx_libxlsxwriter DATABASE ROWS FILE - the same workbook as a program of its own would make it: SQLite's rows into
 * libxlsxwriter in constant-memory mode. What xlsx_speed.pl compares with. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xlsxwriter.h>

typedef enum { PLAIN, DATE, TIMESTAMP } kind_e;

static kind_e kind_of(const char *declared)
{
    return !declared                        ? PLAIN
           : !strcmp(declared, "DATE")      ? DATE
           : !strcmp(declared, "TIMESTAMP") ? TIMESTAMP
                                            : PLAIN;
}

static lxw_datetime moment(const char *s, kind_e kind)
{
    lxw_datetime t = {0};

    (void)sscanf(s, "%d-%d-%d %d:%d:%lf", &t.year, &t.month, &t.day, &t.hour, &t.min, &t.sec);
    return t;
}

static void write_cell(lxw_worksheet *sheet, lxw_row_t row, lxw_col_t col, sqlite3_stmt *stmt,
                       kind_e kind, lxw_format *const *formats)
{
    int i = col;
    const char *text;

    switch (sqlite3_column_type(stmt, i)) {
    case SQLITE_NULL:
        return;
    case SQLITE_INTEGER:
    case SQLITE_FLOAT:
        worksheet_write_number(sheet, row, col, sqlite3_column_double(stmt, i), NULL);
        return;
    default:
        text = (const char *)sqlite3_column_text(stmt, i);
        if (kind == PLAIN) {
            worksheet_write_string(sheet, row, col, text, NULL);
        }
        else {
            lxw_datetime t = moment(text, kind);
            worksheet_write_datetime(sheet, row, col, &t, formats[kind]);
        }
    }
}

int main(int argc, char **argv)
{
    lxw_workbook_options options = {.constant_memory = LXW_TRUE};
    lxw_format *formats[3] = {NULL};
    kind_e kinds[64];
    sqlite3 *db;
    sqlite3_stmt *stmt;
    lxw_workbook *book;
    lxw_worksheet *sheet;
    lxw_row_t row = 0;
    int i, n;

    if (argc != 4 || sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, "SELECT * FROM WIDE WHERE ID <= ?1 ORDER BY ID", -1, &stmt, NULL) !=
            SQLITE_OK) {
        return 1;
    }
    sqlite3_bind_int(stmt, 1, atoi(argv[2]));
    book = workbook_new_opt(argv[3], &options);
    sheet = workbook_add_worksheet(book, "WIDE");
    formats[DATE] = workbook_add_format(book);
    format_set_num_format(formats[DATE], "yyyy-mm-dd");
    formats[TIMESTAMP] = workbook_add_format(book);
    format_set_num_format(formats[TIMESTAMP], "yyyy-mm-dd hh:mm:ss");
    worksheet_freeze_panes(sheet, 1, 0);
    n = sqlite3_column_count(stmt) < 64 ? sqlite3_column_count(stmt) : 64;
    for (i = 0; i < n; i++) {
        kinds[i] = kind_of(sqlite3_column_decltype(stmt, i));
        worksheet_write_string(sheet, 0, (lxw_col_t)i, sqlite3_column_name(stmt, i), NULL);
    }
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        row++;
        for (i = 0; i < n; i++) {
            write_cell(sheet, row, (lxw_col_t)i, stmt, kinds[i], formats);
        }
    }
    worksheet_autofilter(sheet, 0, 0, row, (lxw_col_t)(n - 1));
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return workbook_close(book) == LXW_NO_ERROR ? 0 : 1;
}
