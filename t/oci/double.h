/* double.h - what stands behind the handles of the double.
 *
 * Memory is malloc's: OCI hands objects to callers that free them one by one, in any order. All but the environment
 * hang in the environment's list and go with it.  Threads: as OCI has it; one lock per server handle, which OCIBreak
 * does not take.  After a fork nothing of the parent's may be used: such a call ends the process with a message. */
#ifndef AURORA_OCI_DOUBLE_H
#define AURORA_OCI_DOUBLE_H

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include <libpq-fe.h>

#include "encode.h"
#include "oci.h"
#include "sql.h"

typedef struct dbl_env_t dbl_env_t;
typedef struct dbl_stmt_t dbl_stmt_t;

/* First member of every handle and descriptor. */
typedef struct dbl_head_t {
    uint32_t magic;
    uint32_t type;
    dbl_env_t *env;
    struct dbl_head_t *prev, *next;
    uint32_t group; /* descriptors that one OCIArrayDescriptorAlloc made, on the first of them */
} dbl_head_t;

struct dbl_env_t {
    dbl_head_t head;
    pid_t pid;
    pthread_mutex_t lock; /* of the list */
    dbl_head_t *all;
};

#define DBL_ERR_TEXT 1024

typedef struct dbl_err_t {
    dbl_head_t head;
    _Atomic(pid_t) user; /* thread inside a call with this handle */
    int32_t code;        /* 0: none */
    int32_t info;        /* a warning that a fault asks for */
    char text[DBL_ERR_TEXT];
} dbl_err_t;

/* Formats and separators an ALTER SESSION sets. */
typedef struct dbl_nls_t {
    char date[128], timestamp[128], timestamp_tz[128];
    char decimal, group;
} dbl_nls_t;

typedef struct dbl_server_t {
    dbl_head_t head;
    pthread_mutex_t lock;
    char host[256], port[8], database[128];
    uint32_t connect_ms;
    bool attached;
    uint32_t lost; /* ORA code of the next call on a session that is gone; 0: it is there */

    PGconn *conn;
    pthread_mutex_t cancel_lock; /* of cancel alone: OCIBreak meets OCISessionEnd */
    PGcancel *cancel;
    atomic_bool calling, breaking, deaf;
    bool timed_out;
    uint32_t timeout_ms;       /* of the call that is running; 0: none */
    atomic_uint call_limit_ms; /* of its service context, for calls that hang */

    bool in_block;       /* PostgreSQL's transaction block is open */
    bool savepoint;      /* with the savepoint of the last statement in it */
    bool in_transaction; /* Oracle would say that a transaction is */
    bool read_only;
    bool told_in_block; /* the block's end takes back what the server shows of the session */
    unsigned cursors;   /* open in the block */
    unsigned serial;    /* of the next cursor's name */
    pthread_mutex_t closing_lock;
    dbl_sql_buf_t closing; /* names of cursors to close at the next chance */
    unsigned closing_count;
    unsigned epoch; /* grows when a block ends: cursors of older ones are gone */

    Oid types[DBL_TYPES]; /* of the schema SYS, by dbl_type_e */
    dbl_nls_t nls;
} dbl_server_t;

typedef struct dbl_session_t {
    dbl_head_t head;
    char user[129], password[1025], schema[129], driver[31];
    char client_identifier[65], module[49], action[33], client_info[65];
    bool dirty; /* what the server shows of this session has to be sent */
    bool begun;
} dbl_session_t;

typedef struct dbl_svc_t {
    dbl_head_t head;
    dbl_server_t *server;
    dbl_session_t *session;
    void *trans;
    uint32_t cache_size;
    uint32_t call_timeout;
} dbl_svc_t;

/* A column as describe tells it. */
typedef struct dbl_column_t {
    char name[129];
    dbl_kind_e kind;
    uint16_t dty, size, char_size;
    int16_t precision;
    int8_t scale;
    uint8_t fsprecision, lfprecision, nullable, csform, char_used, json;
    bool temporary; /* LOBs of an expression are */
} dbl_column_t;

typedef struct dbl_param_t {
    dbl_head_t head;
    const dbl_column_t *column; /* of the statement: what it tells outlives this handle */
} dbl_param_t;

typedef struct dbl_bind_t {
    dbl_head_t head;
    dbl_stmt_t *stmt;
    char name[129];
    uint32_t pos; /* 0: by name */
    void *value;
    int64_t size;
    uint16_t dty;
    int16_t *ind;
    void *alen;
    uint32_t alen_width;
    uint32_t mode;
    uint8_t csform;
    int32_t maxdata;
    oci_in_cb in;
    void *ictx;
} dbl_bind_t;

typedef struct dbl_define_t {
    dbl_head_t head;
    uint32_t pos;
    void *value;
    uint64_t size;
    uint16_t dty;
    int16_t *ind;
    void *rlen;
    uint32_t rlen_width;
    uint16_t *rcode;
    uint32_t mode;
    uint8_t csform;
    uint32_t lob_prefetch;
    uint8_t lob_length;
    oci_define_cb cb;
    void *ctx;
} dbl_define_t;

struct dbl_stmt_t {
    dbl_head_t head;
    dbl_svc_t *svc;
    bool by_prepare2;
    dbl_sql_t *sql;
    uint32_t prefetch_rows, prefetch_memory;
    uint16_t error_offset;
    char sql_id[14];

    dbl_bind_t **binds;
    uint32_t bind_count;
    dbl_define_t **defines;
    uint32_t define_count;

    dbl_column_t *columns;
    uint32_t column_count;
    bool described, executed, ended, open;
    unsigned epoch, cursor;
    PGresult *rows;
    int next_row;
    bool last_portion;
    uint32_t rows_fetched;
    uint64_t row_count;
};

typedef struct dbl_lob_t {
    dbl_head_t head;
    bool init, binary, temporary;
    uint8_t csform;
    char *data;
    size_t len;
    uint64_t once;         /* what data is: characters of a CLOB as UTF-16 units, bytes of a BLOB */
    uint64_t length;       /* the value's, which may be data many times over */
    uint64_t at_char;      /* where the last read ended */
    size_t at_byte;        /* of data */
    uint64_t polling_left; /* of a read in pieces */
} dbl_lob_t;

typedef struct dbl_time_t {
    dbl_head_t head;
    dbl_when_t when;
} dbl_time_t;

typedef struct dbl_interval_t {
    dbl_head_t head;
    dbl_span_t span;
} dbl_interval_t;

typedef struct dbl_rowid_t {
    dbl_head_t head;
    char text[5268];
} dbl_rowid_t;

/* handles.c */

/** The handle if it is alive and of this type, NULL (and a line on stderr) if not. A handle of another process ends
 * this one: the real library hangs or crashes there. */
void *dbl_check(const void *handle, uint32_t type, const char *where);
/** A zeroed handle in the list of env. */
void *dbl_alloc(dbl_env_t *env, uint32_t type);
/** Free what the handle owns and the handle itself. */
void dbl_free(void *handle);
/** Say on stderr how the interface was misused. */
void dbl_misuse(const char *where, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* errors.c */

/** Set an ORA error with Oracle's text for the code, or that of fmt. @return OCI_ERROR */
int dbl_fail(dbl_err_t *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/** The ORA error for what PostgreSQL reported. @return OCI_ERROR */
int dbl_fail_result(dbl_err_t *err, dbl_server_t *srv, const PGresult *res);
/** Enter and leave an entry point with an error handle: two threads in one end the process. */
dbl_err_t *dbl_err_enter(void *handle, const char *where);
int dbl_err_leave(dbl_err_t *err, int rv);

/* faults.c */

/** What the environment wants to happen at this call of an entry point. @return OCI_SUCCESS: nothing */
int dbl_fault(const char *where, dbl_err_t *err, dbl_server_t *srv);
void dbl_trace(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/** For the trace: what this thread does with signals, and with it any thread that the real library would start. */
const char *dbl_signals(void);
/** Major version of the client and server that the double plays. */
int dbl_version(void);
/** Does it play a database whose own character set is Latin-1? */
bool dbl_latin1(void);

/* run.c */

/** Begin a call on the server: takes the lock, fails where the session is gone or a break is pending.
 * dbl_call_end must follow success. */
int dbl_call_begin(dbl_server_t *srv, dbl_session_t *ses, dbl_err_t *err, uint32_t timeout_ms);
void dbl_call_end(dbl_server_t *srv);
/** Have the server show what the session's attributes say, where they have changed; dbl_call_begin does it for the
 * session it is given. */
int dbl_session_tell(dbl_server_t *srv, dbl_session_t *ses, dbl_err_t *err);
/** Run one statement with parameters, or several without (params NULL), and wait for all it answers.
 * @param res last result with rows, else the last; the caller clears it; NULL: not wanted */
typedef struct dbl_params_t {
    int n;
    Oid *types;
    char **values;
    int *lengths;
    int *formats;
} dbl_params_t;
int dbl_run(dbl_server_t *srv, dbl_err_t *err, const char *sql, const dbl_params_t *params,
            PGresult **res);
/** As dbl_run, but only described: what PQdescribePrepared says. */
int dbl_run_describe(dbl_server_t *srv, dbl_err_t *err, const char *sql, const dbl_params_t *params,
                     PGresult **res);
/** What PQdescribePortal says of a cursor. */
int dbl_run_portal(dbl_server_t *srv, dbl_err_t *err, const char *name, PGresult **res);

/* transaction.c */

/** Open the block if it is not, with a savepoint that dbl_block_undo goes back to. */
int dbl_block_begin(dbl_server_t *srv, dbl_err_t *err);
/** After a failed statement; its error stays in the error handle. */
void dbl_block_undo(dbl_server_t *srv);
/** After a statement or a closed cursor: end a block that nothing needs. */
int dbl_block_done(dbl_server_t *srv, dbl_err_t *err);
int dbl_block_end(dbl_server_t *srv, dbl_err_t *err, bool commit);
int dbl_transaction_read_only(dbl_server_t *srv, dbl_err_t *err);
/** Close the cursors whose statements were released during a call. */
void dbl_cursors_close(dbl_server_t *srv);

/* describe.c */

int dbl_describe(dbl_stmt_t *stmt, dbl_err_t *err, const PGresult *res);

/* bind.c */

/** The parameters of one iteration, from what is bound. Freed by dbl_params_free. */
int dbl_params_make(dbl_params_t *params, dbl_stmt_t *stmt, dbl_err_t *err, uint32_t iter);
void dbl_params_free(dbl_params_t *params);
/** Parameters without values, of no known type. */
int dbl_params_none(dbl_params_t *params, dbl_stmt_t *stmt);

/* define.c */

/** Put a value into row number `row` of the define's arrays. @return OCI_SUCCESS, OCI_SUCCESS_WITH_INFO (cut),
 * OCI_ERROR */
int dbl_define_put(dbl_define_t *def, dbl_stmt_t *stmt, dbl_err_t *err, const dbl_column_t *column,
                   uint32_t row, const char *value, size_t len);
/** Tell what became of the value: indicator, length, return code. @return as dbl_define_put */
int dbl_define_tell(dbl_define_t *def, uint32_t row, size_t whole, size_t put);

/* define_lob.c */
int dbl_define_lob(dbl_define_t *def, dbl_err_t *err, const dbl_column_t *column, uint32_t row,
                   const char *value, size_t len);
int dbl_define_dynamic(dbl_define_t *def, dbl_err_t *err, const dbl_column_t *column, uint32_t row,
                       const char *value, size_t len);
/** Bytes of PostgreSQL's text of a bytea. @return malloc'ed, with a NUL behind it */
char *dbl_bytes(const char *hex, size_t len, size_t *out_len);

/* stmt.c */
void dbl_stmt_close(dbl_stmt_t *stmt);

/* special.c */

/** ALTER SESSION, SET TRANSACTION, EXPLAIN PLAN, blocks. @param done false: not one of these */
int dbl_special(dbl_stmt_t *stmt, dbl_err_t *err, bool *done);

/** Run between dbl_err_enter and dbl_err_leave, with the faults of this entry point. */
#define DBL_ENTER(err, handle, srv)                                                                \
    dbl_err_t *err = dbl_err_enter((handle), __func__);                                            \
    if (!err) {                                                                                    \
        return OCI_INVALID_HANDLE;                                                                 \
    }                                                                                              \
    {                                                                                              \
        int fault_ = dbl_fault(__func__, err, (srv));                                              \
        if (fault_ != OCI_SUCCESS) {                                                               \
            return dbl_err_leave(err, fault_);                                                     \
        }                                                                                          \
    }

#endif
