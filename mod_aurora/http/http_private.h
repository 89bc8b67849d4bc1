/* http_private.h - between the files of http/: one request on its way to an answer. */
#ifndef AURORA_HTTP_PRIVATE_H
#define AURORA_HTTP_PRIVATE_H

#include <httpd.h>

#include "aurora/config.h"
#include "aurora/catalog_store.h"
#include "aurora/db.h"
#include "aurora/error.h"
#include "aurora/query.h"
#include "aurora/sink.h"
#include "aurora/watch.h"

/* A child's side of one server's configuration. Made at child start, then only read. */
typedef struct aur_runtime_t {
    aur_db_t *db;
    aur_catalog_store_t *store;
    aur_watch_t *watch; /* one for all of a child */
} aur_runtime_t;

typedef struct aur_request_t aur_request_t;

typedef struct aur_route_t {
    const char *path;   /* below the base; what follows it is the argument when suffix is set */
    const char *suffix; /* NULL: the path is the whole */
    int method;         /* M_GET (with HEAD) or M_POST */
    const char *kind;   /* AURORA_KIND */
    /** @return OK once answered, or a status for httpd */
    int (*run)(aur_request_t *x);
} aur_route_t;

/* From r->pool, one per request. */
struct aur_request_t {
    request_rec *r;
    const aur_location_t *loc;
    const aur_server_t *server;
    const aur_runtime_t *runtime; /* NULL: no database */
    const char *correlation;
    const char *origin; /* allowed CORS origin of this request, or NULL */
    const char *user;   /* known once authentication is over; never empty then */
    const aur_route_t *route;
    const char *arg;     /* what stands in the path's place for it, decoded */
    const char *kind;    /* AURORA_KIND, once known */
    const char *dataset; /* AURORA_DATASET, once known */
    apr_time_t start;

    aur_task_t *task;            /* watched from before the borrowing to the end of the handler */
    aur_conn_t *conn;            /* while one is borrowed */
    const char *sql;             /* statement last sent, for the log */
    aur_sink_t *sink;            /* the answer's body, once begun */
    aur_error_t err;             /* why it failed */
    apr_status_t pass_rv;        /* what the output filters said last */
    apr_interval_time_t pass_us; /* time spent in them: the client's share */
    apr_interval_time_t wait_us, db_us;
    apr_int64_t rows;
};

/* --- http_request.c --- */
/** Is this request handled here, as far as the configuration tells? Usable before authentication. */
int aur_request_is_ours(request_rec *r);
/** The request's own value, made at the first call. */
aur_request_t *aur_request_get(request_rec *r);
/** The path below the Location that says `SetHandler aurora`, starting with '/' or empty.
 * @return NULL when no plain Location says so: the routes have to be looked for */
const char *aur_request_path(request_rec *r);
/** Fill x->user. After authentication only. */
void aur_request_user(aur_request_t *x);
/** 128 unguessable bits in hex; NULL when the system has none to give. */
const char *aur_random_id(apr_pool_t *p);
/** Leave what the access log shows (AURORA_*). status: as answered; 499 when the client left. */
void aur_request_note(aur_request_t *x, int status);

/* --- http_route.c --- */
const char *aur_route_allow(const aur_route_t *route);

/* --- http_cors.c --- */
/** Set the headers for the request's origin, if it is an allowed one, and x->origin. */
void aur_cors_apply(aur_request_t *x);
int aur_cors_is_preflight(const aur_request_t *x);
/** Headers of a preflight's answer. */
void aur_cors_preflight(aur_request_t *x);

/* --- http_body.c --- */
/** Read the JSON body, bounded, into r->pool.
 * @return OK; DONE with x->err filled; any other: a status for httpd, to be returned at once */
int aur_body_read(aur_request_t *x, const char **body, apr_size_t *len);

/* --- http_answer.c --- */
/** Begin an answer: content type, headers that all answers share, x->sink with that many buffers. */
void aur_answer_begin(aur_request_t *x, const char *content_type, apr_size_t buffers);
/** Pass the rest. @return OK or a status for httpd */
int aur_answer_end(aur_request_t *x);
/** Answer x->err: a problem document while nothing has left, else a broken transfer. Logs it, gives
 * the connection back. @return what the handler returns */
int aur_answer_fail(aur_request_t *x);
/** Fill x->err with "the client left" (or a filter failed) after a failed write. @return APR_EGENERAL */
apr_status_t aur_answer_broken(aur_request_t *x);

/* --- http_problem.c --- */
int aur_problem_status(aur_code_e code);
/** The problem document for x->err with its headers, into x->sink. */
void aur_problem_write(aur_request_t *x);
/** One line in the error log for x->err, at the level of its status. */
void aur_problem_log(const aur_request_t *x);

/* --- http_run.c: the steps of a query --- */
apr_status_t aur_run_catalog(aur_request_t *x, const aur_catalog_t **catalog);
/** Read and parse the body.
 * @return OK; DONE with x->err filled; any other: a status for httpd */
int aur_run_read(aur_request_t *x, aur_query_t **query);
/** Check a query against the catalogue; x->dataset is known from then on. */
apr_status_t aur_run_plan(aur_request_t *x, const aur_query_t *query, aur_plan_t **plan);
/** Borrow into x->conn. */
apr_status_t aur_run_borrow(aur_request_t *x, aur_db_use_e use);
/** Give x->conn back, if there is one. */
void aur_run_return(aur_request_t *x);
/** If the watch stopped the request, x->err becomes the reason why: what the database or the socket said is only
 * the consequence. */
void aur_run_explain(aur_request_t *x);
/** Build a statement; it is what x->sql shows from then on. */
apr_status_t aur_run_build(aur_request_t *x, const aur_plan_t *plan, aur_sql_e kind,
                           aur_sql_t **sql);
/** Build a statement and send it on x->conn. */
apr_status_t aur_run_open(aur_request_t *x, const aur_plan_t *plan, aur_sql_e kind,
                          aur_cursor_t **cursor);
/** Rows that match the plan, on x->conn. kind: AUR_SQL_COUNT or AUR_SQL_COUNT_BOUNDED. */
apr_status_t aur_run_count(aur_request_t *x, const aur_plan_t *plan, aur_sql_e kind,
                           apr_int64_t *total);

/* --- http_gate.c: what is refused before it runs --- */
/* What is known of a result before its first row. */
typedef struct aur_estimate_t {
    apr_int64_t rows;  /* the planner's figure, or a count; -1: not asked */
    int counted;       /* rows is a count and not a guess: exact up to `bound` */
    apr_int64_t bound; /* a count stops here */
} aur_estimate_t;

/** Ask, on x->conn: the planner where its plans carry a figure, else a count that goes no further than
 * bound. */
apr_status_t aur_gate_estimate(aur_request_t *x, const aur_plan_t *plan, apr_int64_t bound,
                               aur_estimate_t *estimate);
/** The most rows a use may be expected to read; 0: no limit. */
apr_int64_t aur_gate_threshold(const aur_request_t *x, aur_db_use_e use);
/** Refuse with QUERY_TOO_LARGE what is estimated above the threshold of the use; asks nothing where
 * there is none. */
apr_status_t aur_gate_check(aur_request_t *x, const aur_plan_t *plan, aur_db_use_e use,
                            aur_estimate_t *estimate);

/* --- http_partition.c --- */
/** The member "partition_info" of a dataset's columns, value only. @return as aur_run_open */
apr_status_t aur_partition_write(aur_request_t *x, const aur_catalog_t *catalog,
                                 const aur_dataset_t *dataset);

/* --- http_client.c --- */
/** r's client for the watch; valid while r's connection is. */
void aur_client_of(aur_task_client_t *client, request_rec *r);

/* --- http_sizing.c --- */
/** Does the server have several workers in one process? */
int aur_sizing_threads(void);
/** Lower the pool to what the server's processes can use. */
void aur_sizing_fit(aur_db_settings_t *db);
/** Tell at the start how many connections there may be. */
void aur_sizing_notice(server_rec *s, const aur_server_t *server);
/** Tell once what the database itself allows. */
void aur_sizing_capacity(server_rec *s, const aur_server_t *server, apr_int64_t capacity);

/* --- http_runtime.c --- */
const aur_runtime_t *aur_runtime_get(const aur_server_t *server);

/* --- route handlers --- */
int aur_http_datasets(aur_request_t *x);
int aur_http_columns(aur_request_t *x);
int aur_http_preview(aur_request_t *x);
int aur_http_export(aur_request_t *x);
int aur_http_estimate(aur_request_t *x);
int aur_http_health(aur_request_t *x);
int aur_http_ready(aur_request_t *x);

#endif
