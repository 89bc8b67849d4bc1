/* errors.c - ORA errors: their texts, and what PostgreSQL's states mean to Oracle. */
#include "double.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef struct text_t {
    int code;
    const char *text;
} text_t;

static const text_t texts[] = {
    {18, "maximum number of sessions exceeded"},
    {28, "your session has been killed"},
    {54, "resource busy and acquire with NOWAIT specified or timeout expired"},
    {60, "deadlock detected while waiting for resource"},
    {900, "invalid SQL statement"},
    {923, "FROM keyword not found where expected"},
    {933, "SQL command not properly ended"},
    {936, "missing expression"},
    {918, "column ambiguously defined"},
    {932, "inconsistent datatypes"},
    {942, "table or view does not exist"},
    {979, "not a GROUP BY expression"},
    {1002, "fetch out of sequence"},
    {1005, "null password given; logon denied"},
    {1007, "variable not in select list"},
    {1008, "not all variables bound"},
    {1013, "user requested cancel of current operation"},
    {1017, "invalid username/password; logon denied"},
    {1031, "insufficient privileges"},
    {1036, "illegal variable name/number"},
    {1400, "cannot insert NULL"},
    {1401, "inserted value too large for column"},
    {1406, "fetched column value was truncated"},
    {1426, "numeric overflow"},
    {1427, "single-row subquery returns more than one row"},
    {1438, "value larger than specified precision allowed for this column"},
    {1453, "SET TRANSACTION must be first statement of transaction"},
    {1456, "may not perform insert/delete/update operation inside a READ ONLY transaction"},
    {1476, "divisor is equal to zero"},
    {1489, "result of string concatenation is too long"},
    {1722, "invalid number"},
    {1780, "string literal required"},
    {1789, "query block has incorrect number of result columns"},
    {1790, "expression must have same datatype as corresponding expression"},
    {1841, "(full) year must be between -4713 and +9999, and not be 0"},
    {1843, "not a valid month"},
    {2248, "invalid option for ALTER SESSION"},
    {3113, "end-of-file on communication channel"},
    {3114, "not connected to ORACLE"},
    {3136, "inbound connection timed out"},
    {3156, "OCI call timed out"},
    {3115, "unsupported network datatype or representation"},
    {6502, "PL/SQL: numeric or value error"},
    {8177, "can't serialize access for this transaction"},
    {12154, "TNS:could not resolve the connect identifier specified"},
    {12170, "TNS:Connect timeout occurred"},
    {12514, "TNS:listener does not currently know of service requested in connect descriptor"},
    {12516, "TNS:listener could not find available handler with matching protocol stack"},
    {12519, "TNS:no appropriate service handler found"},
    {12541, "TNS:no listener"},
    {12545, "Connect failed because target host or object does not exist"},
    {12899, "value too large for column"},
    {22835, "Buffer too small for CLOB to CHAR or BLOB to RAW conversion"},
    {24300, "bad value for mode"},
    {24315, "illegal attribute type"},
    {24317, "define handle used in a different position"},
    {24333, "zero iteration count"},
    {24334, "no descriptor for this position"},
    {24337, "statement handle not prepared"},
    {24338, "statement handle not executed"},
    {24345, "A Truncation or null fetch error occurred"},
    {24374, "define not done before fetch or execute and fetch"},
    {24801, "illegal parameter value in OCI lob function"},
    {28000, "the account is locked"},
    {28001, "the password has expired"},
    {28002, "the password will expire soon"},
    {0, NULL}};

int dbl_fail(dbl_err_t *err, int code, const char *fmt, ...)
{
    int n = snprintf(err->text, sizeof(err->text), "ORA-%05d: ", code);
    err->code = code;
    if (fmt) {
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(err->text + n, sizeof(err->text) - (size_t)n, fmt, ap);
        va_end(ap);
    }
    else {
        const text_t *t = texts;
        while (t->text && t->code != code) {
            t++;
        }
        snprintf(err->text + n, sizeof(err->text) - (size_t)n, "%s",
                 t->text ? t->text : "an error of the double's");
    }
    dbl_trace("error %s", err->text);
    return OCI_ERROR;
}

/* --- PostgreSQL's states ------------------------------------------------------------------------ */

static const struct {
    char state[6];
    int code;
} states[] = {
    {"42P01", 942},   {"3F000", 942},   {"42702", 918},  {"42803", 979},   {"22P02", 1722},
    {"22012", 1476},  {"22003", 1426},  {"21000", 1427}, {"22007", 1843},  {"22008", 1843},
    {"25006", 1456},  {"40P01", 60},    {"55P03", 54},   {"40001", 8177},  {"23502", 1400},
    {"22001", 12899}, {"42883", 932},   {"42804", 932},  {"42846", 932},   {"42725", 932},
    {"42P08", 932},   {"42P18", 932},   {"42601", 900},  {"53300", 12519}, {"57P01", 28},
    {"57P02", 3113},  {"57P03", 1033},  {"08006", 3113}, {"08003", 3114},  {"28P01", 1017},
    {"28000", 1017},  {"3D000", 12514}, {"42P10", 1785}, {"23505", 1},     {"23503", 2291},
    {"22023", 1722},  {"42611", 900},   {"42P02", 1008}, {"22021", 3115},  {"53200", 4030},
    {"53100", 1652},  {"0A000", 3001}};

/* `column t.x does not exist` -> "T"."X" */
static void invalid_identifier(dbl_err_t *err, const char *message)
{
    char name[200];
    size_t n = 0;
    const char *at = strstr(message, "column ");
    at = at ? at + 7 : message;
    const char *end = strstr(at, " does not exist");
    end = end ? end : at + strlen(at);
    name[n++] = '"';
    for (; at < end && n + 4 < sizeof(name); at++) {
        if (*at == '.') {
            memcpy(name + n, "\".\"", 3);
            n += 3;
        }
        else if (*at != '"') {
            name[n++] = *at;
        }
    }
    name[n++] = '"';
    name[n] = '\0';
    dbl_fail(err, 904, "%s: invalid identifier", name);
}

/* Which of the syntax errors: by what PostgreSQL stumbled over. */
static int syntax_code(const char *message)
{
    if (strstr(message, "at end of input") || strstr(message, "at or near \")\"") ||
        strstr(message, "at or near \",\"") || strstr(message, "at or near \"FROM\"")) {
        return 936;
    }
    return strstr(message, "at or near \"SELECT\"") || strstr(message, "syntax") ? 933 : 900;
}

int dbl_fail_result(dbl_err_t *err, dbl_server_t *srv, const PGresult *res)
{
    const char *state = res ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;
    const char *message = res ? PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    message = message ? message : srv->conn ? PQerrorMessage(srv->conn) : "";
    dbl_trace("server %s %s", state ? state : "-", message);
    if (!state) {
        srv->lost = 3114;
        return dbl_fail(err, 3113, NULL);
    }
    if (!strcmp(state, "57014")) {
        bool timed_out = srv->timed_out || strstr(message, "statement timeout");
        atomic_store(&srv->breaking, false);
        return dbl_fail(err, !timed_out ? 1013 : dbl_version() < 21 ? 3136 : 3156, NULL);
    }
    if (*state == 'O') { /* a test's own: O1039 */
        return dbl_fail(err, (int)strtol(state + 1, NULL, 10), NULL);
    }
    if (!strcmp(state, "42703")) {
        invalid_identifier(err, message);
        return OCI_ERROR;
    }
    if (!strcmp(state, "42501")) {
        return dbl_fail(err,
                        strstr(message, "relation") || strstr(message, "table") ||
                                strstr(message, "view") || strstr(message, "schema")
                            ? 942
                            : 1031,
                        NULL);
    }
    if (!strcmp(state, "42601")) {
        return dbl_fail(err, syntax_code(message), NULL);
    }
    if (!strcmp(state, "57P01") || !strcmp(state, "57P02") || !strncmp(state, "08", 2)) {
        srv->lost = 3113;
    }
    for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++) {
        if (!strcmp(state, states[i].state)) {
            return dbl_fail(err, states[i].code, NULL);
        }
    }
    return dbl_fail(err, 600, "internal error code, arguments: [%s], [%s]", state, message);
}

/* --- the handle --------------------------------------------------------------------------------- */

dbl_err_t *dbl_err_enter(void *handle, const char *where)
{
    dbl_err_t *err = dbl_check(handle, OCI_HTYPE_ERROR, where);
    pid_t nobody = 0, self = (pid_t)syscall(SYS_gettid);
    if (!err) {
        return NULL;
    }
    if (!atomic_compare_exchange_strong(&err->user, &nobody, self) && nobody != self) {
        dbl_misuse(where, "thread %d uses the error handle that thread %d is using", (int)self,
                   (int)nobody);
        abort();
    }
    return err;
}

int dbl_err_leave(dbl_err_t *err, int rv)
{
    if (rv == OCI_SUCCESS) {
        err->code = 0;
        if (err->info) {
            dbl_fail(err, err->info, NULL);
            rv = OCI_SUCCESS_WITH_INFO;
        }
    }
    err->info = 0;
    atomic_store(&err->user, 0);
    return rv;
}

int OCIErrorGet(void *handle, uint32_t recno, char *sqlstate, int32_t *code, char *buf,
                uint32_t size, uint32_t htype)
{
    if (htype == OCI_HTYPE_ENV) {
        return dbl_check(handle, OCI_HTYPE_ENV, __func__) ? OCI_NO_DATA : OCI_INVALID_HANDLE;
    }
    dbl_err_t *err = dbl_err_enter(handle, __func__);
    if (!err) {
        return OCI_INVALID_HANDLE;
    }
    int rv = recno == 1 && err->code ? OCI_SUCCESS : OCI_NO_DATA;
    if (rv == OCI_SUCCESS) {
        *code = err->code;
        snprintf(buf, size, "%s\n", err->text);
    }
    atomic_store(&err->user, 0);
    return rv;
}
