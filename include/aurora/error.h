/* error.h - the one error value that travels between units, and the table of everything that can
 * be told to a client.
 *
 * An error is plain data without a pool: it can be filled on one thread and read on another, and it
 * outlives the connection or the request it speaks of. Codes are part of the HTTP contract: a
 * retired code keeps its line, marked as such. base/ knows codes and titles; the status column is
 * expanded by http/ alone. */
#ifndef AURORA_ERROR_H
#define AURORA_ERROR_H

#include <apr.h>
#include <apr_errno.h>

/* id, code as clients see it, HTTP status, title (RFC 9457 section 3.1.3) */
#define AUR_ERRORS(X)                                                                              \
    X(AUR_E_BAD_JSON, "BAD_JSON", 400, "The body is not valid JSON")                               \
    X(AUR_E_BAD_REQUEST, "BAD_REQUEST", 400, "The request cannot be understood")                   \
    X(AUR_E_BAD_VALUE, "BAD_VALUE", 400, "A value does not fit its column")                        \
    X(AUR_E_UNKNOWN_COLUMN, "UNKNOWN_COLUMN", 400, "Unknown column")                               \
    X(AUR_E_UNKNOWN_OPERATOR, "UNKNOWN_OPERATOR", 400, "Unknown operator")                         \
    X(AUR_E_MIXED_AGGREGATE, "MIXED_AGGREGATE_FILTER", 400,                                        \
      "Totals and plain columns are mixed in one OR group")                                        \
    X(AUR_E_MISSING_PARAMETER, "MISSING_PARAMETER", 400, "A parameter is missing")                 \
    X(AUR_E_QUERY_TOO_LARGE, "QUERY_TOO_LARGE", 400, "The query would read too much")              \
    X(AUR_E_XLSX_TOO_MANY_ROWS, "XLSX_TOO_MANY_ROWS", 400, "Too many rows for a workbook")         \
    X(AUR_E_FORBIDDEN, "FORBIDDEN", 403, "Not allowed")                                            \
    X(AUR_E_UNKNOWN_DATASET, "UNKNOWN_DATASET", 404, "Unknown dataset")                            \
    X(AUR_E_UNKNOWN_REPORT, "UNKNOWN_REPORT", 404, "Unknown report")                               \
    X(AUR_E_UNKNOWN_TASK, "UNKNOWN_TASK", 404, "Unknown task")                                     \
    X(AUR_E_NOT_FOUND, "NOT_FOUND", 404, "Not found")                                              \
    X(AUR_E_METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", 405, "Method not allowed")                   \
    X(AUR_E_BODY_TOO_LARGE, "BODY_TOO_LARGE", 413, "The body is too large")                        \
    X(AUR_E_UNSUPPORTED_MEDIA, "UNSUPPORTED_MEDIA_TYPE", 415, "Unsupported media type")            \
    X(AUR_E_RATE_LIMITED, "RATE_LIMITED", 429, "Too many requests")                                \
    X(AUR_E_TOO_MANY_TASKS, "TOO_MANY_TASKS", 429, "Too many tasks at once")                       \
    X(AUR_E_CLIENT_GONE, "CLIENT_GONE", 499, "The client left")                                    \
    X(AUR_E_INTERNAL, "INTERNAL_ERROR", 500, "Internal error")                                     \
    X(AUR_E_DATABASE_ERROR, "DATABASE_ERROR", 502, "The database refused the query")               \
    X(AUR_E_POOL_EXHAUSTED, "DATABASE_POOL_EXHAUSTED", 503, "All database connections are in use") \
    X(AUR_E_DB_UNAVAILABLE, "DATABASE_UNAVAILABLE", 503, "The database cannot be reached")         \
    X(AUR_E_QUEUE_FULL, "EXPORT_QUEUE_FULL", 503, "Too many exports are running")                  \
    X(AUR_E_QUERY_TIMEOUT, "QUERY_TIMEOUT", 504, "The query took too long")

typedef enum {
    AUR_E_NONE = 0,
#define AUR_X(id, code, status, title) id,
    AUR_ERRORS(AUR_X)
#undef AUR_X
        AUR_E_COUNT
} aur_code_e;

/* Lengths in bytes, the closing NUL included. */
#define AUR_DETAIL_MAX  512
#define AUR_POINTER_MAX 256
#define AUR_NATIVE_MAX  1024

typedef struct aur_error_t {
    aur_code_e code;             /* AUR_E_NONE: no error */
    char detail[AUR_DETAIL_MAX]; /* for the person at the screen: no SQL, host, path, credential */
    char pointer[AUR_POINTER_MAX]; /* JSON pointer (RFC 6901) into the request; "" when none */
    char column[AUR_POINTER_MAX];  /* the column as the request wrote it; "" when none */
    int retry_after;               /* seconds; 0 when none */
    apr_int64_t estimated_rows;    /* -1 when none */
    apr_int64_t limit;             /* -1 when none */
    char native[AUR_NATIVE_MAX];   /* for the log only: the database's own code and text; "" */
    int connection_lost;           /* the session behind the statement is gone or in doubt */
} aur_error_t;

/** Make err say "no error". Allocates nothing. */
void aur_error_clear(aur_error_t *err);

/** Fill err; what it said before is forgotten. Text too long for its field is cut at a UTF-8
 * character boundary.
 * @param pointer  JSON pointer into the request, or NULL
 * @param fmt      the detail, printf-like
 * @return APR_EGENERAL always, so that a caller can `return aur_error_set(...)` */
apr_status_t aur_error_set(aur_error_t *err, aur_code_e code, const char *pointer, const char *fmt,
                           ...) __attribute__((format(printf, 4, 5)));

/** Add the name of the column, as the request wrote it. */
void aur_error_column(aur_error_t *err, const char *column);

/** Add what the database said, for the log: "code: text". Line ends become spaces. */
void aur_error_native(aur_error_t *err, const char *code, const char *text);

/** The contract's code ("BAD_JSON"); "OK" for AUR_E_NONE. Static storage. */
const char *aur_error_code(aur_code_e code);
/** The title; static storage. */
const char *aur_error_title(aur_code_e code);

#endif
