/* Values as they are bound on Oracle: each of the type of the column it is compared with, so that the column needs no
 * conversion and its index is of use. */
#include "tap.h"

#include <apr_strings.h>

#include "db/oracle_private.h"

static apr_pool_t *pool;

#define CELL(type, text)                                                                           \
    {                                                                                              \
        type, sizeof(text) - 1,                                                                    \
        {                                                                                          \
            .s = text                                                                              \
        }                                                                                          \
    }
#define MOMENT "2024-06-01 12:00:00"

static const struct {
    const char *data_type; /* NULL: nobody knows the column */
    aur_type_e type;
    aur_cell_t cell;
    apr_dbd_oracle_kind_e kind;
    const char *text;
} cases[] = {
    {"VARCHAR2(40)", AUR_T_TEXT, CELL(AUR_V_TEXT, "x"), APR_DBD_ORACLE_TEXT, "x"},
    {"CHAR(5)", AUR_T_TEXT, CELL(AUR_V_TEXT, "x"), APR_DBD_ORACLE_TEXT, "x"},
    {"ROWID", AUR_T_TEXT, CELL(AUR_V_TEXT, "x"), APR_DBD_ORACLE_TEXT, "x"},
    {NULL, AUR_T_TEXT, CELL(AUR_V_TEXT, "x"), APR_DBD_ORACLE_TEXT, "x"},
    {"NVARCHAR2(40)", AUR_T_TEXT, CELL(AUR_V_TEXT, "x"), APR_DBD_ORACLE_NTEXT, "x"},
    {"NCHAR(5)", AUR_T_TEXT, CELL(AUR_V_TEXT, "x"), APR_DBD_ORACLE_NTEXT, "x"},
    {"NVARCHAR2(40)", AUR_T_TEXT, CELL(AUR_V_TEXT, ""), APR_DBD_ORACLE_NULL, NULL},
    {"NUMBER(10)", AUR_T_NUMBER, CELL(AUR_V_DECIMAL, "1.5"), APR_DBD_ORACLE_NUMBER, "1.5"},
    {"DATE", AUR_T_DATE, CELL(AUR_V_DATE, "2024-06-01"), APR_DBD_ORACLE_DATE, "2024-06-01"},
    {"DATE", AUR_T_DATE, CELL(AUR_V_TIMESTAMP, MOMENT), APR_DBD_ORACLE_DATE, MOMENT},
    {"DATE", AUR_T_DATE, CELL(AUR_V_TIMESTAMP, MOMENT ".5"), APR_DBD_ORACLE_TIMESTAMP, MOMENT ".5"},
    {"TIMESTAMP(6)", AUR_T_TIMESTAMP, CELL(AUR_V_TIMESTAMP, MOMENT), APR_DBD_ORACLE_TIMESTAMP,
     MOMENT},
    {"TIMESTAMP(6) WITH TIME ZONE", AUR_T_TIMESTAMP_TZ, CELL(AUR_V_TIMESTAMP, MOMENT),
     APR_DBD_ORACLE_TIMESTAMP_TZ, MOMENT "+00:00"},
    {"TIMESTAMP(6) WITH LOCAL TIME ZONE", AUR_T_TIMESTAMP_TZ, CELL(AUR_V_TIMESTAMP, MOMENT),
     APR_DBD_ORACLE_TIMESTAMP, MOMENT},
    {NULL, AUR_T_TIMESTAMP_TZ, CELL(AUR_V_TIMESTAMP, MOMENT), APR_DBD_ORACLE_TIMESTAMP_TZ,
     MOMENT "+00:00"},
};

int main(void)
{
    apr_size_t i;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *name = cases[i].data_type ? cases[i].data_type : "a parameter";
        aur_column_t column = {.data_type = cases[i].data_type, .type = cases[i].type};
        aur_bind_t bind = {cases[i].cell, cases[i].type, cases[i].data_type ? &column : NULL};
        aur_sql_t sql = {.nbinds = 1, .binds = &bind};
        const apr_dbd_oracle_value_t *value = aur_oracle_binds(&sql, pool);

        ok(value->kind == cases[i].kind, "%s: what is compared with it", name);
        if (cases[i].text) {
            is_str(apr_pstrmemdup(pool, value->v.s, value->len), cases[i].text, "  as a text");
        }
    }
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
