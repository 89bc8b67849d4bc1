/* fixture.c - see fixture.h. */
#include "fixture.h"

#include <sqlite3.h>
#include <string.h>

#include "fuzz.h"

typedef struct column_t {
    const char *name, *data_type;
    aur_type_e type;
    int nullable, comparable, timed;
} column_t;

typedef struct table_t {
    const char *schema, *name;
    column_t columns[12];
} table_t;

static const table_t tables[] = {
    {NULL,
     "SALES",
     {{"ID", "INTEGER", AUR_T_NUMBER, 0, 1},
      {"REGION", "TEXT", AUR_T_TEXT, 1, 1},
      {"AMOUNT", "DECIMAL(10,2)", AUR_T_NUMBER, 1, 1},
      {"SOLD", "DATE", AUR_T_DATE, 1, 1},
      {"AT", "TIMESTAMP", AUR_T_TIMESTAMP, 1, 1},
      {"ATZ", "timestamptz", AUR_T_TIMESTAMP_TZ, 1, 1},
      {"PAID", "BOOLEAN", AUR_T_BOOLEAN, 1, 1},
      {"BODY", "BLOB", AUR_T_BINARY, 1, 0},
      {"RID", "INTEGER", AUR_T_NUMBER, 1, 1},
      {"NAME", "TEXT", AUR_T_TEXT, 1, 1},
      {"REGION_ID", "INTEGER", AUR_T_NUMBER, 1, 1}}},
    {NULL,
     "REGIONS",
     {{"ID", "INTEGER", AUR_T_NUMBER, 0, 1},
      {"RID", "INTEGER", AUR_T_NUMBER, 0, 1},
      {"NAME", "varchar(40) COLLATE utf8mb4_general_ci", AUR_T_TEXT, 0, 1},
      {"CODE", "varchar(3) COLLATE utf8mb4_nopad_bin", AUR_T_TEXT, 1, 1},
      {"KEY", "uuid", AUR_T_TEXT, 1, 1},
      {"FLAGS", "bit(3)", AUR_T_NUMBER, 1, 1},
      {"RATE", "float", AUR_T_NUMBER, 1, 1}}},
    {"BANK",
     "BALANCE",
     {{"ACCOUNT", "character(8)", AUR_T_TEXT, 0, 1},
      {"AMOUNT", "numeric", AUR_T_NUMBER, 1, 1},
      {"LOAD_ID", "INTEGER", AUR_T_NUMBER, 0, 1},
      {"LOAD_TYPE", "text", AUR_T_TEXT, 1, 1},
      {"AS_OF", "DATE", AUR_T_DATE, 0, 1},
      {"SECRET", "text", AUR_T_TEXT, 1, 1}}},
    {"OTHER", "BALANCE", {{"ACCOUNT", "inet", AUR_T_TEXT, 0, 1}, {"N", "oid", AUR_T_NUMBER, 1, 1}}},
    {"BANK",
     "ORDERS",
     {{"CODE", "CHAR(8)", AUR_T_TEXT, 0, 1},
      {"ROW", "ROWID", AUR_T_TEXT, 1, 1},
      {"BODY", "XMLTYPE", AUR_T_TEXT, 1, 0},
      {"AT", "DATE", AUR_T_DATE, 1, 1, 1}}},
    {NULL,
     "a\"b`%s; DROP TABLE SALES;--",
     {{"c\"d", "TEXT", AUR_T_TEXT, 1, 1},
      {"e.f", "TEXT", AUR_T_TEXT, 1, 1},
      {"order", "INTEGER", AUR_T_NUMBER, 1, 1},
      {"100%", "bpchar", AUR_T_TEXT, 1, 1}}},
};

#define TABLES (sizeof(tables) / sizeof(tables[0]))

static const char in_sqlite[] =
    "ATTACH ':memory:' AS BANK; ATTACH ':memory:' AS OTHER;"
    "CREATE TABLE SALES(ID, REGION, AMOUNT, SOLD, AT, ATZ, PAID, BODY, RID, NAME, REGION_ID);"
    "CREATE TABLE REGIONS(ID, RID, NAME, CODE, KEY, FLAGS, RATE);"
    "CREATE TABLE BANK.BALANCE(ACCOUNT, AMOUNT, LOAD_ID, LOAD_TYPE, AS_OF, SECRET);"
    "CREATE TABLE OTHER.BALANCE(ACCOUNT, N);"
    "CREATE TABLE BANK.ORDERS(CODE, \"ROW\", BODY, AT);"
    "CREATE TABLE \"a\"\"b`%s; DROP TABLE SALES;--\"(\"c\"\"d\", \"e.f\", \"order\", \"100%\");";

const char fixture_file[] =
    "{\"datasets\":{\"BALANCES\":{\"source\":\"BANK.BALANCE\",\"display_name\":\"Balances\","
    "\"columns\":{\"ACCOUNT\":{\"display_name\":\"Account\"},\"AMOUNT\":{\"format\":\"#,##0.00\"}},"
    "\"partition\":{\"load_id_column\":\"LOAD_ID\",\"load_type_column\":\"LOAD_TYPE\",\"date_"
    "column\":\"AS_OF\","
    "\"supported_types\":[\"Daily\",\"Monthly\"]},"
    "\"sorting\":[{\"column\":\"AS_OF\",\"direction\":\"DESC\"},{\"column\":\"ACCOUNT\"}]}}}";

aur_catalog_builder_t *fixture_tables(apr_pool_t *p)
{
    aur_catalog_builder_t *b = aur_catalog_builder_create(p);
    apr_size_t i;

    for (i = 0; i < TABLES; i++) {
        const column_t *c = tables[i].columns;
        aur_catalog_add_table(b, tables[i].schema, tables[i].name, 0, -1);
        for (; c->name; c++) {
            aur_catalog_add_column(b, c->name, c->data_type, c->type, c->nullable, c->comparable);
            if (c->timed) {
                aur_catalog_column_timed(b);
            }
        }
    }
    return b;
}

int fixture_has_name(const char *name)
{
    apr_size_t i;

    for (i = 0; i < TABLES; i++) {
        const column_t *c = tables[i].columns;
        if (!strcmp(name, tables[i].name) ||
            (tables[i].schema && !strcmp(name, tables[i].schema))) {
            return 1;
        }
        for (; c->name; c++) {
            if (!strcmp(name, c->name)) {
                return 1;
            }
        }
    }
    return 0;
}

static void fold(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    sqlite3_result_value(ctx, argv[0]);
}

sqlite3 *fixture_db(void)
{
    static sqlite3 *db;

    if (db) {
        return db;
    }
    FUZZ_CHECK(sqlite3_open(":memory:", &db) == SQLITE_OK, "no SQLite");
    FUZZ_CHECK(sqlite3_exec(db, in_sqlite, NULL, NULL, NULL) == SQLITE_OK, "%s",
               sqlite3_errmsg(db));
    FUZZ_CHECK(sqlite3_create_function(db, "aurora_fold", 1, SQLITE_UTF8, NULL, fold, NULL, NULL) ==
                   SQLITE_OK,
               "%s", sqlite3_errmsg(db));
    return db;
}
