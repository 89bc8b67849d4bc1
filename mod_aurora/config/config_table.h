/* config_table.h - every setting, once. From these rows come the directives, the ranges in their
 * messages, defaults, environment variables, merging, the structs of aurora/config.h, and the reference
 * docs/directives.md (directives_doc.c). Plain text and numbers only: the reference is built
 * without httpd.
 *
 * X(id, directive, kind, field, environment, min, max, default, syntax, description, help)
 *   kind         how the value is written; aur_kind_e in config_private.h
 *   field        where it lands in aur_server_t or aur_location_t; AUR_NO_FIELD: config.c places it
 *   environment  variable that stands in for the directive, or NULL
 *   min, max     in the kind's own unit: rows, bytes, microseconds; 0, 0 where there is no range
 *   default      as one would write it in httpd.conf, or NULL
 */
#ifndef AURORA_CONFIG_TABLE_H
#define AURORA_CONFIG_TABLE_H

#include <stdint.h>

#define AUR_MSEC      (INT64_C(1000))
#define AUR_SEC       (INT64_C(1000000))
#define AUR_MIN       (60 * AUR_SEC)
#define AUR_HOUR      (60 * AUR_MIN)
#define AUR_DAY       (24 * AUR_HOUR)
#define AUR_ROWS_HUGE (INT64_C(1000000000000000))

/* Server and virtual host. */
#define AUR_SERVER_SETTINGS(X)                                                                     \
    X(DB_DRIVER, "AuroraDBDriver", NAME, db.driver, "AURORA_DB_DRIVER", 0, 0, "sqlite3", "name",   \
      "apr-util DBD driver of the database",                                                       \
      "The name under which apr-util knows the driver: sqlite3, pgsql, oracle, mysql, odbc.")      \
    X(DB_PARAMS, "AuroraDBParams", SECRET, AUR_NO_FIELD, "AURORA_DB_PARAMS", 0, 0, NULL,           \
      "\"parameters\"|file:/path", "How the driver reaches the database",                          \
      "The driver's own parameter string, as for DBDParams. With sqlite3 it is the path of the "   \
      "database file, relative to ServerRoot. file:/path reads the string from a file that only "  \
      "its owner may read, which keeps a password out of the configuration. Without it the "       \
      "server starts as long as no other Aurora directive is used, and every request for data "    \
      "is answered with DATABASE_UNAVAILABLE.")                                                    \
    X(POOL_MIN, "AuroraPoolMin", COUNT, db.pool_min, "ORACLE_MIN_POOL", 0, 512, "2", "n",          \
      "Connections kept open per process",                                                         \
      "At most AuroraPoolMax; where it is not set, it follows a smaller AuroraPoolMax down.")      \
    X(POOL_MAX, "AuroraPoolMax", COUNT, db.pool_max, "ORACLE_MAX_POOL", 1, 512, "10", "n",         \
      "Connections at most per process",                                                           \
      "The database sees at most this number times the processes of the server. Under the "        \
      "prefork MPM a process has one, whatever is set here.")                                      \
    X(POOL_TIMEOUT, "AuroraPoolTimeout", TIME, db.pool_timeout, NULL, 10 * AUR_MSEC, 10 * AUR_MIN, \
      "2s", "time", "Longest wait for a connection",                                               \
      "Connecting included. A request that waits longer is answered with 503 "                     \
      "DATABASE_POOL_EXHAUSTED.")                                                                  \
    X(POOL_RESERVE, "AuroraPoolReserve", COUNT, db.pool_reserve, NULL, 0, 511, "1", "n",           \
      "Connections per process that exports may not take",                                         \
      "So that previews always find one. Less than AuroraPoolMax; it is 0 when AuroraPoolMax "     \
      "is 1.")                                                                                     \
    X(POOL_IDLE, "AuroraPoolIdle", TIME, db.pool_idle, NULL, AUR_SEC, AUR_DAY, "300s", "time",     \
      "When an idle connection is closed",                                                         \
      "Connections above AuroraPoolMin that nobody used for this long are closed.")                \
    X(DB_SESSIONS_MAX, "AuroraDBSessionsMax", COUNT, db_sessions_max, "ORACLE_SESSIONS_LIMIT", 0,  \
      1000000, "0", "n", "Connections open at once on the whole server",                           \
      "Across all processes, those of a generation that is about to end included. A process "      \
      "that needs a connection it may not open gets one that lies idle in another. 0: no cap "     \
      "beyond processes x AuroraPoolMax.")                                                         \
    X(SCHEMAS, "AuroraSchemas", SCHEMAS, AUR_NO_FIELD, "ORACLE_SCHEMA_FILTER", 0, 0, NULL,         \
      "name [name] ...", "Schemas whose tables and views are served",                              \
      "Without it: all but the database's own. In the environment variable names are separated "   \
      "by commas.")                                                                                \
    X(CATALOG, "AuroraCatalog", PATH, AUR_NO_FIELD, NULL, 0, 0, NULL, "file.json",                 \
      "Catalogue file",                                                                            \
      "Display names, column lists, partitions, reports, and who may read what, laid over "        \
      "what the database has: docs/catalogue.md. The path is relative to ServerRoot.")             \
    X(CATALOG_REFRESH, "AuroraCatalogRefresh", TIME, catalog_refresh, NULL, 0, AUR_DAY, "5min",    \
      "time", "Age at which the catalogue is read again",                                          \
      "Tables and columns are read from the database again when they are asked for and older "     \
      "than this; requests do not wait for it. A reading that has not ended after five minutes "   \
      "is given up and begun anew. 0: only at a (graceful) restart.")                              \
    X(EXPORT_QUEUE_MAX, "AuroraExportQueueMax", COUNT, export_queue_max, "EXPORT_QUEUE_MAX", 1,    \
      100000, "50", "n", "Exports admitted at once on the whole server",                           \
      "One more is answered with 503 EXPORT_QUEUE_FULL.")                                          \
    X(USERS_MAX, "AuroraUsersMax", COUNT, users_max, NULL, 16, 1000000, "4096", "n",               \
      "Users and client addresses tracked at once",                                                \
      "The size of the table of rates in shared memory.")

/* Server, virtual host and <Location>. */
#define AUR_LOCATION_SETTINGS(X)                                                                   \
    X(PREVIEW_MAX_ROWS, "AuroraPreviewMaxRows", COUNT, preview_max_rows, "PREVIEW_MAX_ROWS", 1,    \
      1000000, "500", "n", "Rows of a preview at most",                                            \
      "A higher limit in a request is lowered "                                                    \
      "to this.")                                                                                  \
    X(XLSX_MAX_ROWS, "AuroraXlsxMaxRows", COUNT, xlsx_max_rows, "EXPORT_EXCEL_MAX_ROWS", 1,        \
      1048575, "100000", "n", "Rows of a workbook at most",                                        \
      "More are refused with XLSX_TOO_MANY_ROWS. A sheet holds 1048575 rows and its header.")      \
    X(EXPLAIN_THRESHOLD, "AuroraExplainThreshold", THRESHOLD, AUR_NO_FIELD,                        \
      "EXPLAIN_PLAN_THRESHOLD", 0, AUR_ROWS_HUGE, "1000000", "n [csv=n]",                          \
      "Estimated rows above which a query is refused",                                             \
      "The database's own plan is asked first. CSV exports are unlimited unless csv= is given. "   \
      "0: off.")                                                                                   \
    X(QUERY_TIMEOUT, "AuroraQueryTimeout", TIME, query_timeout, "QUERY_TIMEOUT_SECONDS",           \
      10 * AUR_MSEC, AUR_DAY, "60s", "time", "Longest wait for the database",                      \
      "From sending a statement to its first row, and for any later single wait.")                 \
    X(TASK_TIMEOUT, "AuroraTaskTimeout", TIME, task_timeout, NULL, 0, 7 * AUR_DAY, "0", "time",    \
      "Longest time of a whole task",                                                              \
      "A preview or an export, the client's reading included. 0: none.")                           \
    X(STALL_TIMEOUT, "AuroraStallTimeout", TIME, stall_timeout, NULL, AUR_SEC, AUR_DAY, "60s",     \
      "time", "How long a client may take no byte of its export",                                  \
      "Timeout of httpd holds as well.")                                                           \
    X(MIN_DRAIN, "AuroraMinDrain", COUNT, min_drain, NULL, 0, 1073741824, "256", "n",              \
      "Slowest reading of an export, in bytes a second",                                           \
      "Averaged over 30 seconds. A slower client loses its export while it holds a connection. "   \
      "Less than AuroraExportBandwidth lets through, or every longer export fails; the server "    \
      "warns of that when it starts. 0: off.")                                                     \
    X(PREVIEW_RATE, "AuroraPreviewRate", RATE, preview_rate, "PREVIEW_RATE_LIMIT", 1, 1000000,     \
      "60/minute", "n/second|minute|hour", "Previews per user",                                    \
      "More are answered with 429 RATE_LIMITED.")                                                  \
    X(EXPORT_RATE, "AuroraExportRate", RATE, export_rate, "EXPORT_RATE_LIMIT", 1, 1000000,         \
      "5/minute", "n/second|minute|hour", "Exports per user",                                      \
      "More are answered with 429 RATE_LIMITED.")                                                  \
    X(CLIENT_RATE, "AuroraClientRate", CLIENT_RATE, client_rate, NULL, 1, 1000000,                 \
      "10/second burst=20", "n/second|minute|hour [burst=n] [anonymous]",                          \
      "Requests per client address",                                                               \
      "Counted before authentication, on every route but health and metrics. anonymous counts "    \
      "only requests without a user, for offices behind one address.")                             \
    X(GOVERNANCE, "AuroraGovernance", GOVERNANCE, governance_log, NULL, 0, 0, "enforce",           \
      "enforce|log", "Whether limits refuse or only count",                                        \
      "log lets everything through and counts what would have been refused.")                      \
    X(USER_TASKS_MAX, "AuroraUserTasksMax", COUNT, user_tasks_max, NULL, 1, 100000, "2", "n",      \
      "Previews and exports a user may run at once",                                               \
      "One more is answered with 429 "                                                             \
      "TOO_MANY_TASKS.")                                                                           \
    X(EXPORT_BANDWIDTH, "AuroraExportBandwidth", COUNT, export_bandwidth, NULL, 0, 1073741824,     \
      "0", "n", "Bandwidth of one export, in KiB a second", "0: none.")                            \
    X(USER, "AuroraUser", EXPR, user, NULL, 0, 0, "%{REMOTE_USER}", "expression",                  \
      "Expression that names the user",                                                            \
      "A string expression (see the manual of httpd on expressions). Where it is empty, the "      \
      "client's address stands in.")                                                               \
    X(ROLES, "AuroraRoles", EXPR, roles, NULL, 0, 0, NULL, "expression",                           \
      "Expression that gives the caller's roles",                                                  \
      "A string expression; roles are separated by commas. Examples for files, LDAP, OpenID "      \
      "Connect and proxies stand in docs/catalogue.md.")                                           \
    X(OPERATORS, "AuroraOperators", LIST, operators, NULL, 0, 0, NULL, "role [role] ...",          \
      "Roles that see and cancel every task", "See AuroraRoles.")                                  \
    X(DIGEST, "AuroraDigest", FLAG, digest, NULL, 0, 0, "Off", "On|Off",                           \
      "SHA-256 of every export", "For its task record and the audit line.")                        \
    X(MAX_REQUEST_BODY, "AuroraMaxRequestBody", SIZE, max_request_body, NULL, 1024, 67108864,      \
      "256K", "bytes", "Size of a request body at most",                                           \
      "In bytes, or with K or M. A larger body is answered with 413 BODY_TOO_LARGE.")              \
    X(ALLOWED_ORIGINS, "AuroraAllowedOrigins", ORIGINS, allowed_origins, "ALLOWED_ORIGINS", 0, 0,  \
      NULL, "origin [origin] ...", "Origins of other sites that may call from a browser (CORS)",   \
      "Each as browsers send it: https://reports.example.org, without a path. * allows every "     \
      "origin, without credentials. In the environment variable origins are separated by "         \
      "commas.")                                                                                   \
    X(CSV_FORMULA_GUARD, "AuroraCsvFormulaGuard", FLAG, csv_formula_guard, NULL, 0, 0, "Off",      \
      "On|Off", "Default of the query parameter formula_guard",                                    \
      "On: text cells that a spreadsheet would take for a formula get a leading apostrophe.")      \
    X(CSV_BOM, "AuroraCsvBom", FLAG, csv_bom, NULL, 0, 0, "Off", "On|Off",                         \
      "Default of the query parameter bom",                                                        \
      "On: CSV exports start with a byte order mark, which some spreadsheets need to see UTF-8.")

#endif
