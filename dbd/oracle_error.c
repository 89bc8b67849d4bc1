/* oracle_error.c - what the client library says, kept and put into classes. */
#include "oracle.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    apr_dbd_oracle_class_e what;
    const int *codes; /* 0 ends them */
} class_codes_t;

#define CODES(...)                                                                                 \
    (const int[])                                                                                  \
    {                                                                                              \
        __VA_ARGS__, 0                                                                             \
    }

/* The same code may mean another thing while connecting: those tables come first. */
static const class_codes_t connecting_classes[] = {
    {APR_DBD_ORACLE_LOGON, CODES(1017, 1005, 1004, 1045, 28000, 28001, 28040)},
    {APR_DBD_ORACLE_SESSIONS, CODES(18, 20, 2391, 12516, 12518, 12519, 12520, 24418)},
    {APR_DBD_ORACLE_UNREACHABLE,
     CODES(1033, 1034, 1089, 1090, 3113, 3114, 3135, 3136, 12154, 12161, 12170, 12203, 12505, 12514,
           12521, 12526, 12527, 12528, 12533, 12535, 12537, 12541, 12543, 12545, 12547, 12557,
           12560, 12564, 12570, 12571, 12606, 12608, 12609, 12637, 27101)},
};

static const class_codes_t classes[] = {
    {APR_DBD_ORACLE_INTERRUPTED, CODES(1013)},
    {APR_DBD_ORACLE_TIMEOUT, CODES(3136, 3156, 12161, 40, 51, 30006)},
    {APR_DBD_ORACLE_LOST,
     CODES(22, 28, 31, 45, 378, 602, 603, 609, 1012, 1041, 1043, 1089, 1092, 2396, 2399, 3113, 3114,
           3122, 3135, 12153, 12170, 12535, 12537, 12547, 12570, 12571, 12583, 12606, 12608, 12609,
           25408, 27146, 28511, 56600)},
    {APR_DBD_ORACLE_UNREACHABLE, CODES(1033, 1034, 12514, 12541, 12543, 12545, 12560, 27101)},
    {APR_DBD_ORACLE_SESSIONS, CODES(18, 20, 12516, 12518, 12519, 12520, 24418)},
    {APR_DBD_ORACLE_LOGON, CODES(1017, 28000, 28001)},
};

/* ODPI-C's own: 1010 not connected, 1047 no library, 1049 a symbol missing, 1050 and 1072 too old, 1067 the call
 * timeout, 1080 the connection was closed. */
static apr_dbd_oracle_class_e dpi_class(int dpi)
{
    switch (dpi) {
    case 1047:
    case 1049:
    case 1050:
    case 1072:
        return APR_DBD_ORACLE_CLIENT;
    case 1067:
        return APR_DBD_ORACLE_TIMEOUT;
    case 1010:
    case 1080:
        return APR_DBD_ORACLE_LOST;
    default:
        return APR_DBD_ORACLE_OK;
    }
}

static apr_dbd_oracle_class_e look_up(const class_codes_t *table, size_t n, int code)
{
    const int *c;
    size_t i;

    for (i = 0; i < n; i++) {
        for (c = table[i].codes; *c; c++) {
            if (*c == code) {
                return table[i].what;
            }
        }
    }
    return APR_DBD_ORACLE_OK;
}

apr_dbd_oracle_class_e ora_error_class(int code, int dpi, int connecting)
{
    apr_dbd_oracle_class_e what = dpi_class(dpi);

    if (what != APR_DBD_ORACLE_OK && !(connecting && what == APR_DBD_ORACLE_LOST)) {
        return what;
    }
    what = APR_DBD_ORACLE_OK;
    if (code && connecting) {
        what = look_up(connecting_classes,
                       sizeof(connecting_classes) / sizeof(connecting_classes[0]), code);
    }
    else if (code) {
        what = look_up(classes, sizeof(classes) / sizeof(classes[0]), code);
    }
    return what == APR_DBD_ORACLE_OK ? APR_DBD_ORACLE_OTHER : what;
}

/* The number behind the first `prefix` in a message; 0: there is none. */
static int number_after(const char *message, const char *prefix)
{
    const char *at = strstr(message, prefix);

    return at ? (int)strtol(at + strlen(prefix), NULL, 10) : 0;
}

static void text_keep(apr_dbd_t *h, const char *s, apr_size_t len)
{
    if (len >= sizeof(h->error_text)) {
        len = ora_utf8_whole(s, sizeof(h->error_text) - 1);
    }
    while (len && (s[len - 1] == '\n' || s[len - 1] == '\r' || s[len - 1] == ' ')) {
        len--;
    }
    memcpy(h->error_text, s, len);
    h->error_text[len] = '\0';
    h->error.message = h->error_text;
}

int ora_error_take(apr_dbd_t *h, int connecting)
{
    dpiErrorInfo info;
    int dpi = 0, healthy = 1;

    dpiContext_getError(h->context, &info);
    text_keep(h, info.message ? info.message : "", info.message ? info.messageLength : 0);
    h->error.code = info.code > 0 ? info.code : 0;
    h->error.offset = info.offset;
    if (!h->error.code) {
        /* ODPI-C's own message may have Oracle's number in it: "DPI-1067: call timeout of 50 ms exceeded with
         * ORA-3156", "DPI-1037: column at array position 6 fetched with error 1406". */
        if (!strncmp(h->error_text, "DPI-", 4)) {
            dpi = number_after(h->error_text, "DPI-");
        }
        h->error.code = number_after(h->error_text, dpi == 1037 ? "with error " : "ORA-");
    }
    h->error.what = ora_error_class(h->error.code, dpi, connecting);
    if (h->error.what == APR_DBD_ORACLE_OTHER && h->conn && !connecting &&
        dpiConn_getIsHealthy(h->conn, &healthy) == DPI_SUCCESS && !healthy) {
        h->error.what = APR_DBD_ORACLE_LOST;
    }
    return (int)h->error.what;
}

int ora_error_set(apr_dbd_t *h, apr_dbd_oracle_class_e what, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)apr_vsnprintf(h->error_text, sizeof(h->error_text), fmt, ap);
    va_end(ap);
    h->error.what = what;
    h->error.code = 0;
    h->error.offset = 0;
    h->error.message = h->error_text;
    return (int)what;
}
