/* apr_dbd_oracle.h - what the Oracle driver can do beyond apr_dbd's own calls: describe a result, fetch it in
 * arrays, read large objects piece by piece, break a running call, set call timeouts.
 *
 * apr_dbd_native_handle() of a connection that `DBDriver oracle` opened gives an apr_dbd_oracle_t. Check magic and
 * version before anything else is used: the driver is loaded at run time and may be of another age.
 *
 * A connection and its statements belong to one thread at a time. Only `interrupt` may come from another. */
#ifndef APR_DBD_ORACLE_H
#define APR_DBD_ORACLE_H

#include <apr_dbd.h>
#include <apr_pools.h>
#include <apr_time.h>

#define APR_DBD_ORACLE_MAGIC   0x4f524131u /* "ORA1" */
#define APR_DBD_ORACLE_VERSION 1u

typedef struct apr_dbd_oracle_stmt_t apr_dbd_oracle_stmt_t;

/* What went wrong last on a connection. Text lives until its next call. */
typedef enum {
    APR_DBD_ORACLE_OK = 0,
    APR_DBD_ORACLE_INTERRUPTED, /* by `interrupt` (ORA-01013) */
    APR_DBD_ORACLE_TIMEOUT,     /* the call timeout passed (DPI-1067, ORA-03136, ORA-03156, ...) */
    APR_DBD_ORACLE_LOST,        /* the session is gone: no further statement can work */
    APR_DBD_ORACLE_UNREACHABLE, /* no listener, unknown service, instance down, host unknown */
    APR_DBD_ORACLE_SESSIONS,    /* the database has no session left to give */
    APR_DBD_ORACLE_LOGON,       /* wrong, locked or expired credentials */
    APR_DBD_ORACLE_CLIENT,      /* the client library is missing or too old */
    APR_DBD_ORACLE_OTHER        /* the statement's own fault */
} apr_dbd_oracle_class_e;

typedef struct apr_dbd_oracle_error_t {
    apr_dbd_oracle_class_e what;
    int code;            /* ORA number, 942 for ORA-00942; 0 when the error is not the database's */
    unsigned int offset; /* of a parse error, bytes into the statement */
    const char *message; /* UTF-8, without a line end at its end */
} apr_dbd_oracle_error_t;

/* A value as it is fetched. `s` is valid until the statement's next row. */
typedef enum {
    APR_DBD_ORACLE_NULL = 0,
    APR_DBD_ORACLE_NUMBER, /* s,len: plain decimal, -?digits[.digits], every digit, no exponent */
    APR_DBD_ORACLE_DOUBLE, /* d: BINARY_DOUBLE; NaN and infinities possible */
    APR_DBD_ORACLE_FLOAT,  /* d: BINARY_FLOAT, widened */
    APR_DBD_ORACLE_TEXT, /* s,len: UTF-8: VARCHAR2, NVARCHAR2, CHAR, LONG, ROWID, INTERVAL, JSON as text */
    APR_DBD_ORACLE_BYTES,     /* s,len: RAW, LONG RAW */
    APR_DBD_ORACLE_DATE,      /* s,len: [-]YYYY-MM-DD HH:MM:SS, astronomical years (0 = 1 BC) */
    APR_DBD_ORACLE_TIMESTAMP, /* as DATE, then .f{1,9} where there is a fraction */
    APR_DBD_ORACLE_TIMESTAMP_TZ, /* as TIMESTAMP, then [+-]HH:MM; LOCAL TIME ZONE in the session's, which is UTC */
    APR_DBD_ORACLE_BOOLEAN, /* i: 0 or 1 */
    APR_DBD_ORACLE_CLOB,    /* read by lob_read: UTF-8 (NCLOB too); len is 0 */
    APR_DBD_ORACLE_BLOB,    /* read by lob_read */
    APR_DBD_ORACLE_NTEXT    /* of binds alone: TEXT that is compared with NVARCHAR2 or NCHAR */
} apr_dbd_oracle_kind_e;

typedef struct apr_dbd_oracle_value_t {
    apr_dbd_oracle_kind_e kind;
    apr_size_t len;
    union {
        const char *s;
        double d;
        apr_int64_t i;
    } v;
} apr_dbd_oracle_value_t;

/* A column of a result. */
typedef struct apr_dbd_oracle_column_t {
    const char *name;           /* as the database spells it */
    apr_dbd_oracle_kind_e kind; /* of its values that are not NULL */
    int type;                   /* DPI_ORACLE_TYPE_* of the column in the database */
    int precision, scale;       /* NUMBER; scale -127: a FLOAT, or a NUMBER without either */
    apr_uint32_t size;          /* bytes at most; 0 for large objects */
    int nullable;
} apr_dbd_oracle_column_t;

/* Binds are values: NULL, NUMBER (exponents allowed), TEXT, NTEXT, BYTES, DATE (time optional), TIMESTAMP, TIMESTAMP_TZ,
 * DOUBLE, BOOLEAN (as 0 or 1 where the server has none). A NUMBER, DATE or TIMESTAMP whose `s` is NULL is a NULL
 * of that type, for statements in which NULL alone would not tell what is compared. The separator of date and time may be a T. Each is copied. */

typedef struct apr_dbd_oracle_calls_t {
    /** Never NULL. Of the last call on this connection that failed. */
    const apr_dbd_oracle_error_t *(*error)(apr_dbd_t *handle);
    /** major, minor (or release), update: e.g. 19, 3, 0. */
    int (*server_version)(apr_dbd_t *handle, int version[3]);
    /** Shown in V$SESSION with the next call that goes to the server. NULL: leave as it is; "": clear. */
    int (*identify)(apr_dbd_t *handle, const char *client_identifier, const char *module,
                    const char *action);
    /** Longest round trip from now on, rounded up to milliseconds; 0: no limit. */
    int (*call_timeout)(apr_dbd_t *handle, apr_interval_time_t us);
    /** One round trip. */
    int (*ping)(apr_dbd_t *handle);
    int (*rollback)(apr_dbd_t *handle);
    /** Run what gives no rows (ALTER SESSION, SET TRANSACTION, EXPLAIN PLAN, DELETE). */
    int (*execute)(apr_dbd_t *handle, const char *sql, apr_size_t len,
                   const apr_dbd_oracle_value_t *binds, int nbinds);

    /** Break what runs on the connection, from any thread; nothing to break is no error. */
    void (*interrupt)(apr_dbd_t *handle);
    /** Cut the connection under a call that does not come back, from any thread, without blocking, where the
     * system lets one do that (the client library's socket cannot be had otherwise: may do no more than interrupt). */
    void (*abandon)(apr_dbd_t *handle);

    /** Prepare a query, bind by position (each placeholder `:1`, `:2`, ... once), run it, describe it. Statements
     * other than queries are refused before they are sent.
     * @param rows  fetched by one round trip; 0: the connection's fetch=
     * @param stmt  lives until close or the pool's end, whichever comes first
     * @return 0, or a code for which error() has the reason (as for all these calls) */
    int (*open)(apr_dbd_oracle_stmt_t **stmt, apr_dbd_t *handle, const char *sql, apr_size_t len,
                const apr_dbd_oracle_value_t *binds, int nbinds, int rows, apr_pool_t *pool);
    const apr_dbd_oracle_column_t *(*columns)(const apr_dbd_oracle_stmt_t *stmt, int *ncolumns);
    /** The next row: ncolumns values, in the driver's buffers.
     * @return 0; -1 after the last row; else an error, which ends the statement */
    int (*next)(const apr_dbd_oracle_value_t **values, apr_dbd_oracle_stmt_t *stmt);
    /** Read a part of a CLOB or BLOB of the current row, from its beginning on; each call goes on where the last
     * one of that column ended. Whole characters only.
     * @param len  in: room at buf, at least 16; out: bytes read, 0 at the end */
    int (*lob_read)(apr_dbd_oracle_stmt_t *stmt, int column, char *buf, apr_size_t *len);
    void (*close)(apr_dbd_oracle_stmt_t *stmt);
} apr_dbd_oracle_calls_t;

typedef struct apr_dbd_oracle_t {
    apr_uint32_t magic;
    apr_uint32_t version;
    const apr_dbd_oracle_calls_t *calls;
    void *dpi_conn; /* dpiConn *, for those who know ODPI-C */
} apr_dbd_oracle_t;

#endif
