/* written.c - any text as SQL by hand, for every dialect: refused by its text alone, or a statement with a
 * placeholder wherever the database would see one and as many binds, and no value inside of it. */
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "aurora/sql.h"
#include "lib/fuzz.h"
#include "lib/sql_tokens.h"
#include "lib/utf8_rules.h"
#include "lib/written_rules.h"

#define HOSTILE "x'\"`]*/--:a;%s"
#define N(a)    ((int)(sizeof(a) / sizeof((a)[0])))

static const aur_cell_t texts[] = {{.kind = AUR_V_TEXT, .len = sizeof(HOSTILE) - 1, .v.s = HOSTILE},
                                   {.kind = AUR_V_TEXT, .len = 0, .v.s = ""}};
static const aur_cell_t number = {.kind = AUR_V_DECIMAL, .len = 4, .v.s = "-0.5"};

/* Of three parameters: with values, and without. */
static const aur_written_value_t given[] = {
    {"a", AUR_T_TEXT, 1, texts}, {"l", AUR_T_TEXT, 2, texts}, {"n", AUR_T_NUMBER, 1, &number}};
static const aur_written_value_t none[] = {
    {"a", AUR_T_TEXT, 0, NULL}, {"l", AUR_T_TEXT, 0, NULL}, {"n", AUR_T_NUMBER, 0, NULL}};

/* @return was it refused? */
static int build(const char *driver, const aur_written_t *written, aur_sql_e kind, apr_pool_t *p)
{
    const aur_plan_t plan = {.written = written, .limit = 10};
    aur_error_t err;
    aur_sql_t *sql;

    aur_error_clear(&err);
    if (aur_sql_build(&sql, sql_dialect(driver), &plan, kind, &err, p) != APR_SUCCESS) {
        fuzz_check_error(&err, NULL, 0);
        FUZZ_CHECK(err.code == AUR_E_BAD_REQUEST, "%s", err.detail);
        return 1;
    }
    FUZZ_CHECK(strlen(sql->text) == sql->len, "a NUL inside a statement");
    FUZZ_CHECK(strstr(written->text, HOSTILE) || !strstr(sql->text, HOSTILE),
               "a value is part of the statement: %s", sql->text);
    written_check_placeholders(driver, sql);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const aur_written_value_t *const values[] = {given, none};
    apr_pool_t *p = fuzz_pool();
    char *text = malloc(size + 1);
    int i, k;

    if (size > 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    /* what a catalogue file cannot hold is not looked at */
    for (i = 0; i < SQL_DRIVERS && strlen(text) == size && utf8_whole(text, size); i++) {
        int refused = 0;
        for (k = 0; k < 8; k++) {
            aur_written_t written = {text, N(given), values[k / 4]};
            refused += build(sql_drivers[i], &written, (aur_sql_e)(k % 4), p);
        }
        FUZZ_CHECK(refused == 0 || refused == 8, "%s: refused for more than its text: %s",
                   sql_drivers[i], text);
    }
    free(text);
    apr_pool_destroy(p);
    return 0;
}
