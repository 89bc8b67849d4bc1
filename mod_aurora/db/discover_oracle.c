/* discover_oracle.c - what an Oracle database has to offer to this user: tables (materialised views and
 * partitioned tables among them) and views of ALL_TAB_COLUMNS, which leaves hidden columns out and has the
 * virtual ones. A schema that AuroraSchemas names brings its own synonyms, too; PUBLIC's only when it is
 * named itself. Columns whose types cannot be read (objects, BFILE, vectors) are left out. */
#include <apr_strings.h>
#include <string.h>

#include "aurora/number.h"
#include "aurora/sql_text.h"
#include "oracle_private.h"

/* Views have no row in ALL_TABLES, and so no estimate. BIN$… lies in the recycle bin. Types that have an owner are
 * objects, whatever their names begin with. */
#define FIELDS                                                                                     \
    "c.owner AS base_owner, c.table_name AS base_table, "                                          \
    "CASE WHEN t.table_name IS NULL THEN 'V' ELSE 'T' END AS kind, t.num_rows AS num_rows, "       \
    "c.column_name AS column_name, CASE WHEN c.data_type_owner IS NULL OR c.data_type = "          \
    "'XMLTYPE' THEN c.data_type END AS data_type, c.data_length AS data_length, "                  \
    "c.data_precision AS data_precision, c.data_scale AS data_scale, c.char_length AS "            \
    "char_length, c.nullable AS nullable, c.column_id AS column_id FROM all_tab_columns c "        \
    "LEFT JOIN all_tables t ON t.owner = c.owner AND t.table_name = c.table_name "
#define TABLES "SELECT c.owner AS owner, c.table_name AS table_name, " FIELDS
#define SYNONYMS                                                                                   \
    "SELECT s.owner AS owner, s.synonym_name AS table_name, " FIELDS                               \
    "JOIN all_synonyms s ON s.table_owner = c.owner AND s.table_name = c.table_name "              \
    "AND s.db_link IS NULL "
#define NOT_DROPPED "WHERE c.table_name NOT LIKE 'BIN$%' AND "
/* The column came with 12.1. */
#define NOT_SYSTEM "c.owner NOT IN (SELECT username FROM all_users WHERE oracle_maintained = 'Y')"
#define NOT_SYSTEM_OLD                                                                             \
    "c.owner NOT IN ('SYS', 'SYSTEM', 'OUTLN', 'DBSNMP', 'SYSMAN', 'WMSYS', 'EXFSYS', 'CTXSYS', "  \
    "'XDB', 'ORDSYS', 'ORDDATA', 'ORDPLUGINS', 'MDSYS', 'OLAPSYS', 'LBACSYS', 'DVSYS', "           \
    "'APPQOSSYS', 'DIP', 'ORACLE_OCM', 'SI_INFORMTN_SCHEMA', 'TSMSYS', 'ANONYMOUS', "              \
    "'FLOWS_FILES', 'MGMT_VIEW', 'MDDATA', 'SPATIAL_CSW_ADMIN_USR', 'SPATIAL_WFS_ADMIN_USR')"
#define ORDER " ORDER BY owner, table_name, column_id"

enum {
    OWNER,
    TABLE,
    BASE_OWNER,
    BASE_TABLE,
    KIND,
    ROWS,
    COLUMN,
    DATA_TYPE,
    LENGTH,
    PRECISION,
    SCALE,
    CHARS,
    NULLABLE,
    COLUMN_ID,
    NFIELDS
};

static void put_schemas(aur_sql_buf_t *q, const char *const *schemas)
{
    aur_cell_t name = {.kind = AUR_V_TEXT};
    int i;

    for (i = 0; schemas[i]; i++) {
        if (i == 0) {
            aur_sql_text(q, "(");
        }
        else {
            aur_sql_text(q, ", ");
        }
        name.v.s = schemas[i];
        name.len = strlen(schemas[i]);
        aur_sql_text(q, "UPPER(");
        aur_sql_bind(q, &name, AUR_T_TEXT);
        aur_sql_text(q, ")");
    }
    aur_sql_text(q, ")");
}

static const aur_sql_t *discover_sql(const aur_session_t *session, apr_pool_t *p)
{
    const char *const *schemas = session->settings->schemas;
    int old = session->dialect != aur_dialect_get("oracle");
    aur_sql_buf_t *q = aur_sql_buf_create(session->dialect, p);

    aur_sql_text(q, TABLES NOT_DROPPED);
    if (schemas && schemas[0]) {
        aur_sql_text(q, "UPPER(c.owner) IN ");
        put_schemas(q, schemas);
        aur_sql_text(q, " UNION ALL " SYNONYMS NOT_DROPPED "UPPER(s.owner) IN ");
        put_schemas(q, schemas);
        aur_sql_text(q, " AND ");
    }
    if (old) {
        aur_sql_text(q, NOT_SYSTEM_OLD ORDER);
    }
    else {
        aur_sql_text(q, NOT_SYSTEM ORDER);
    }
    return aur_sql_buf_finish(q);
}

/* --- types ---------------------------------------------------------------------------------------- */

typedef struct {
    const char *name; /* how ALL_TAB_COLUMNS has it, or how that begins */
    aur_type_e type;
    int comparable;
    int prefix;
} known_t;

static const known_t known[] = {
    {"VARCHAR2", AUR_T_TEXT, 1, 0},       {"NVARCHAR2", AUR_T_TEXT, 1, 0},
    {"CHAR", AUR_T_TEXT, 1, 0},           {"NCHAR", AUR_T_TEXT, 1, 0},
    {"NUMBER", AUR_T_NUMBER, 1, 0},       {"FLOAT", AUR_T_NUMBER, 1, 0},
    {"BINARY_FLOAT", AUR_T_NUMBER, 1, 0}, {"BINARY_DOUBLE", AUR_T_NUMBER, 1, 0},
    {"DATE", AUR_T_DATE, 1, 0},           {"BOOLEAN", AUR_T_BOOLEAN, 1, 0},
    {"CLOB", AUR_T_TEXT, 0, 0},           {"NCLOB", AUR_T_TEXT, 0, 0},
    {"LONG", AUR_T_TEXT, 0, 0},           {"XMLTYPE", AUR_T_TEXT, 0, 0},
    {"JSON", AUR_T_TEXT, 0, 0},           {"BLOB", AUR_T_BINARY, 0, 0},
    {"RAW", AUR_T_BINARY, 0, 0},          {"LONG RAW", AUR_T_BINARY, 0, 0},
    {"ROWID", AUR_T_TEXT, 1, 0},          {"UROWID", AUR_T_TEXT, 1, 0},
    {"INTERVAL", AUR_T_TEXT, 0, 1},
};

static int ends_with_zone(const char *type)
{
    return strstr(type, "TIME ZONE") != NULL;
}

/* @return whether such a column can be read */
static int type_find(known_t *found, const char *type)
{
    apr_size_t i;

    if (!strncmp(type, "TIMESTAMP", 9)) {
        found->type = ends_with_zone(type) ? AUR_T_TIMESTAMP_TZ : AUR_T_TIMESTAMP;
        found->comparable = 1;
        return 1;
    }
    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        const known_t *k = &known[i];
        if (k->prefix ? !strncmp(type, k->name, strlen(k->name)) : !strcmp(type, k->name)) {
            *found = *k;
            return 1;
        }
    }
    return 0;
}

/* --- rows ----------------------------------------------------------------------------------------- */

/* The row at hand as texts, "" for NULL, and the last table's names. */
typedef struct {
    const char *field[NFIELDS];
    char *owner, *table;
    apr_pool_t *row, *last;
} reading_t;

static const char *declared(const reading_t *x)
{
    const char *type = x->field[DATA_TYPE];

    if (strstr(type, "CHAR")) {
        return apr_psprintf(x->row, "%s(%s)", type, x->field[CHARS]);
    }
    if (!strcmp(type, "RAW")) {
        return apr_psprintf(x->row, "%s(%s)", type, x->field[LENGTH]);
    }
    if (!strcmp(type, "NUMBER") && *x->field[PRECISION]) {
        return strcmp(x->field[SCALE], "0") != 0
                   ? apr_psprintf(x->row, "NUMBER(%s,%s)", x->field[PRECISION], x->field[SCALE])
                   : apr_psprintf(x->row, "NUMBER(%s)", x->field[PRECISION]);
    }
    return type;
}

static void read_fields(reading_t *x, const apr_dbd_oracle_value_t *values)
{
    int i;

    apr_pool_clear(x->row);
    for (i = 0; i < NFIELDS; i++) {
        x->field[i] = "";
        if (values[i].kind == APR_DBD_ORACLE_TEXT || values[i].kind == APR_DBD_ORACLE_NUMBER) {
            x->field[i] = apr_pstrmemdup(x->row, values[i].v.s, values[i].len);
        }
    }
}

static void add_row(aur_catalog_builder_t *builder, reading_t *x)
{
    const char *rows = x->field[ROWS];
    apr_int64_t estimate;
    known_t found;

    if (!x->table || strcmp(x->owner, x->field[OWNER]) != 0 ||
        strcmp(x->table, x->field[TABLE]) != 0) {
        apr_pool_clear(x->last);
        x->owner = apr_pstrdup(x->last, x->field[OWNER]);
        x->table = apr_pstrdup(x->last, x->field[TABLE]);
        if (!*rows || !aur_number_to_int(rows, strlen(rows), &estimate)) {
            estimate = -1;
        }
        aur_catalog_add_table(builder, x->owner, x->table, x->field[KIND][0] == 'V', estimate);
        aur_catalog_table_is(builder, x->field[BASE_OWNER], x->field[BASE_TABLE]);
    }
    if (!type_find(&found, x->field[DATA_TYPE])) {
        return;
    }
    aur_catalog_add_column(builder, x->field[COLUMN], declared(x), found.type,
                           x->field[NULLABLE][0] != 'N', found.comparable);
    if (found.type == AUR_T_DATE) {
        aur_catalog_column_timed(builder);
    }
}

apr_status_t aur_oracle_discover(aur_catalog_builder_t *builder, aur_session_t *session,
                                 aur_error_t *err, apr_pool_t *p)
{
    aur_oracle_t *s = session->private;
    const aur_sql_t *sql = discover_sql(session, p);
    const apr_dbd_oracle_value_t *values;
    apr_dbd_oracle_stmt_t *stmt;
    reading_t x = {0};
    apr_status_t rv = aur_oracle_start(s, err);
    int rc;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (s->calls->open(&stmt, s->handle, sql->text, sql->len, aur_oracle_binds(sql, p), sql->nbinds,
                       0, p) != 0) {
        return aur_oracle_error(session, err);
    }
    apr_pool_create(&x.row, p);
    apr_pool_create(&x.last, p);
    while ((rc = s->calls->next(&values, stmt)) == 0) {
        read_fields(&x, values);
        add_row(builder, &x);
    }
    if (rc != -1) {
        rv = aur_oracle_error(session, err);
    }
    s->calls->close(stmt);
    apr_pool_destroy(x.row);
    apr_pool_destroy(x.last);
    return rv;
}
