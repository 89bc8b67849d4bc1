/* error: one value, filled whole every time, cut at characters. */
#include "aurora/error.h"
#include "aurora/text.h"
#include "tap.h"

#include <apr_general.h>

static void test_table(void)
{
    static const char *const codes[] = {"OK",
#define AUR_X(id, code, status, title) code,
                                        AUR_ERRORS(AUR_X)
#undef AUR_X
    };
    int i, j, twins = 0, empty = 0;

    for (i = 0; i < AUR_E_COUNT; i++) {
        is_str(aur_error_code((aur_code_e)i), codes[i], codes[i]);
        empty += aur_error_title((aur_code_e)i)[0] == '\0';
        for (j = 0; j < i; j++) {
            twins += !strcmp(codes[i], codes[j]);
        }
    }
    is_int(empty, 0, "every code has a title");
    is_int(twins, 0, "no code stands twice");
    is_str(aur_error_code((aur_code_e)9999), "INTERNAL_ERROR", "a value outside is internal");
    is_str(aur_error_title((aur_code_e)-1), "Internal error", "a negative one too");
}

static void test_set(void)
{
    aur_error_t err;

    memset(&err, 0x5a, sizeof(err));
    is_int(aur_error_set(&err, AUR_E_BAD_VALUE, "/filters/0", "%s: %d", "x", 7), APR_EGENERAL,
           "set returns APR_EGENERAL");
    is_int(err.code, AUR_E_BAD_VALUE, "code");
    is_str(err.detail, "x: 7", "detail");
    is_str(err.pointer, "/filters/0", "pointer");
    is_str(err.column, "", "no column");
    is_str(err.native, "", "no native text");
    ok(err.retry_after == 0 && err.estimated_rows == -1 && err.limit == -1 && !err.connection_lost,
       "no figures");

    aur_error_column(&err, "AMOUNT");
    aur_error_native(&err, "1555", "line one\nline two\r\n");
    is_str(err.column, "AMOUNT", "column added");
    is_str(err.native, "1555: line one line two  ", "native text on one line");
    aur_error_native(&err, NULL, "text");
    is_str(err.native, "text", "native text without code");
    aur_error_native(&err, "7", NULL);
    is_str(err.native, "7", "native code without text");

    aur_error_set(&err, AUR_E_BAD_JSON, NULL, "again: %s", err.detail);
    is_str(err.detail, "again: x: 7", "the old detail may be part of the new");
    ok(!err.pointer[0] && !err.column[0] && !err.native[0], "what it said before is forgotten");
    aur_error_set(&err, AUR_E_BAD_JSON, "/a", "x");
    aur_error_set(&err, AUR_E_BAD_JSON, err.pointer, "y");
    is_str(err.pointer, "/a", "the old pointer may be the new");

    aur_error_clear(&err);
    ok(err.code == AUR_E_NONE && !err.detail[0] && !err.pointer[0], "cleared");
}

/* Text of three-byte characters, longer than any field, starting at each offset. */
static void test_cut(void)
{
    char text[3000];
    aur_error_t err;
    int shift, i;

    for (shift = 0; shift < 3; shift++) {
        memset(text, 'x', (size_t)shift);
        for (i = shift; i + 3 < (int)sizeof(text); i += 3) {
            memcpy(text + i, "\xe2\x82\xac", 3);
        }
        text[i] = '\0';
        aur_error_set(&err, AUR_E_BAD_VALUE, text, "%s", text);
        aur_error_column(&err, text);
        aur_error_native(&err, text, text);
        ok(aur_utf8_valid(err.detail, strlen(err.detail)) &&
               strlen(err.detail) > AUR_DETAIL_MAX - 4,
           "detail is cut at a character (%d)", shift);
        ok(aur_utf8_valid(err.pointer, strlen(err.pointer)) &&
               strlen(err.pointer) > AUR_POINTER_MAX - 4,
           "pointer too");
        ok(aur_utf8_valid(err.column, strlen(err.column)) &&
               strlen(err.column) > AUR_POINTER_MAX - 4,
           "column too");
        ok(aur_utf8_valid(err.native, strlen(err.native)) &&
               strlen(err.native) > AUR_NATIVE_MAX - 4,
           "native text too");
    }
}

int main(void)
{
    apr_initialize();
    test_table();
    test_set();
    test_cut();
    apr_terminate();
    return tap_done();
}
