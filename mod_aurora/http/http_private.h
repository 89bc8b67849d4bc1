/* http_private.h - between the files of http/: one request on its way to an answer. */
#ifndef AURORA_HTTP_PRIVATE_H
#define AURORA_HTTP_PRIVATE_H

#include <httpd.h>

#include "aurora/config.h"
#include "aurora/catalog_store.h"
#include "aurora/db.h"
#include "aurora/error.h"
#include "aurora/query_report.h"
#include "aurora/metrics.h"
#include "aurora/sink.h"
#include "aurora/sync.h"
#include "aurora/tasks.h"
#include "aurora/watch.h"

/* A child's side of one server's configuration. Made at child start, then only read. */
typedef struct aur_runtime_t {
    aur_db_t *db;
    aur_catalog_store_t *store;
    aur_watch_t *watch; /* one for all of a child */
} aur_runtime_t;

typedef struct aur_request_t aur_request_t;
typedef struct aur_working_t aur_working_t;

/* See http_client.c. */
typedef struct aur_client_t {
    conn_rec *c;
    apr_uint64_t taken; /* atomic; bytes of a stream of HTTP/2 */
} aur_client_t;

enum { AUR_GET = 1, AUR_POST = 2, AUR_DELETE = 4 };

typedef struct aur_route_t {
    const char *path;   /* below the base; what follows it is the argument when suffix is set */
    const char *suffix; /* NULL: the path is the whole */
    const char *kind;   /* AURORA_KIND */
    int methods;        /* AUR_GET (with HEAD), AUR_POST, AUR_DELETE */
    aur_metric_kind_e counts_as;
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
    const char *origin;              /* allowed CORS origin of this request, or NULL */
    const char *user;                /* known once authentication is over; never empty then */
    int named;                       /* user is a name and not an address */
    const apr_array_header_t *roles; /* aur_request_roles */
    aur_viewer_t viewer;             /* aur_request_viewer; ctx is NULL before */
    int told_no_rows;
    const aur_route_t *route;
    const char *arg;     /* what stands in the path's place for it, decoded */
    const char *kind;    /* AURORA_KIND, once known */
    const char *dataset; /* AURORA_DATASET, once known */
    const char *title;   /* what a file of it is called */
    apr_time_t start;    /* for people; what is measured goes by begun, of aur_clock */
    apr_time_t begun;

    const aur_report_t *report;              /* NULL: it asks for none */
    const aur_report_value_t *report_values; /* of its parameters */

    const char *task_id;         /* of a preview or an export */
    int place;                   /* among the board's tasks; -1: none */
    aur_working_t *working;      /* what is counted of it; NULL: nothing */
    int whole;                   /* what is passed last ends a good answer */
    int status;                  /* as answered, once it is */
    aur_ending_t ending;         /* held while there is a task */
    aur_task_t *task;            /* watched from before the borrowing to the end of the handler */
    aur_client_t client;         /* the task's */
    apr_bucket_brigade *slice;   /* of a body that goes down a stream; NULL before */
    aur_conn_t *conn;            /* while one is borrowed */
    const char *sql;             /* statement last sent, for the log */
    aur_sink_t *sink;            /* the answer's body, once begun */
    aur_error_t err;             /* why it failed */
    apr_status_t pass_rv;        /* what the output filters said last */
    apr_interval_time_t pass_us; /* time spent in them: the client's share */
    apr_interval_time_t wait_us, db_us;
    apr_int64_t rows;
    apr_int64_t truncated_cells; /* of a workbook */
    apr_int64_t bytes;           /* of a task's body, once it has ended; -1 */
    const char *sha256;          /* of an export's, in hex; or NULL */
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

/* --- http_roles.c; after authentication only --- */
/** What AuroraRoles says of the caller; const char *; never NULL. */
const apr_array_header_t *aur_request_roles(aur_request_t *x);
int aur_request_has_role(aur_request_t *x, const char *role);
/** The caller, as the catalogue asks for him. */
const aur_viewer_t *aur_request_viewer(aur_request_t *x);
/** Has he one of the roles that AuroraOperators names? */
int aur_request_is_operator(aur_request_t *x);

/* --- http_admit.c: each fills x->err and counts the refusal --- */
/** The rate of the client's address, before authentication; unless only those without a user count. */
apr_status_t aur_admit_client(aur_request_t *x);
/** The same after authentication, where only those count. */
apr_status_t aur_admit_anonymous(aur_request_t *x);
/** The user's rate of this kind of work; leaves RateLimit and RateLimit-Policy. */
apr_status_t aur_admit_rate(aur_request_t *x, aur_work_e work);
/** A place among the running tasks, into x->place. The limits of `want` are filled in here. */
apr_status_t aur_admit_task(aur_request_t *x, aur_task_want_t *want);
/** By whom tasks are counted and found. There has to be a board. */
void aur_admit_owner(aur_key_t *key, const aur_request_t *x);

/* --- http_work.c: a preview or an export as a task --- */
/** Give it an id, and tell the client. */
apr_status_t aur_work_name(aur_request_t *x);
/** Admit it; x->dataset is known. It ends with aur_work_end, or with r->pool. */
apr_status_t aur_work_begin(aur_request_t *x, aur_work_e work);
/** It has its connection. */
void aur_work_running(aur_request_t *x);
/** For the watch; NULL when there is none. */
const apr_uint32_t *aur_work_cancel_flag(const aur_request_t *x);
/** Bytes of its body are about to leave. whole: the last ones, of all that there should be. */
void aur_work_pass(aur_request_t *x, apr_bucket_brigade *bb, int whole);
/** Its record. After the first time only state and code are put right. */
void aur_work_end(aur_request_t *x, aur_work_state_e state, aur_code_e code);
/** Count why a request was stopped, if it was, and how long that took. Before the connection is given back. */
void aur_work_stopped(const aur_request_t *x);
/** Count a refusal that is known by its code alone. */
void aur_work_refused(const aur_request_t *x);

/* --- http_route.c --- */
/** x->route and x->arg from the request's path, once. @return x->route, NULL when there is none */
const aur_route_t *aur_route_find(aur_request_t *x);
const char *aur_route_allow(const aur_route_t *route);
/** The route of a path below the base. *arg: where its argument stands in path; untouched where it has none. */
const aur_route_t *aur_route_of(const char **arg, apr_size_t *arglen, const char *path);
/** One after the other, for who describes them; NULL after the last. */
const aur_route_t *aur_route_at(apr_size_t i);

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
/** The catalogue as the caller may see it: no other way leads to a dataset. */
apr_status_t aur_run_catalog(aur_request_t *x, const aur_catalog_t **catalog);
/** Read and parse the body.
 * @return OK; DONE with x->err filled; any other: a status for httpd */
int aur_run_read(aur_request_t *x, aur_query_t **query);
/** Check a query against the catalogue; x->dataset and x->title are known from then on. */
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

/** Ask, on x->conn: the planner where its plans carry a figure and the caller may see every row, else a
 * count that goes no further than bound. */
apr_status_t aur_gate_estimate(aur_request_t *x, const aur_plan_t *plan, apr_int64_t bound,
                               aur_estimate_t *estimate);
/** The most rows a use may be expected to read; 0: no limit. */
apr_int64_t aur_gate_threshold(const aur_request_t *x, aur_db_use_e use);
/** Refuse with QUERY_TOO_LARGE what is estimated above the threshold of the use; asks nothing where
 * there is none. */
apr_status_t aur_gate_check(aur_request_t *x, const aur_plan_t *plan, aur_db_use_e use,
                            aur_estimate_t *estimate);

/* --- http_newest.c --- */
/** Is there a table of which only the newest partition counts? */
int aur_newest_any(const aur_plan_t *plan);
/** A plan for estimates: the newest partitions are asked for now, and stand in it as values. From
 * x->r->pool. @return as aur_run_open */
apr_status_t aur_newest_settle(aur_plan_t *settled, aur_request_t *x, const aur_plan_t *plan);

/* --- http_partition.c --- */
/** The member "partition_info" of a dataset's columns, value only. @return as aur_run_open */
apr_status_t aur_partition_write(aur_request_t *x, const aur_catalog_t *catalog,
                                 const aur_dataset_t *dataset);

/* --- http_client.c --- */
/** x's client for the watch; valid while x and its connection are. */
void aur_client_of(aur_task_client_t *client, aur_request_t *x);
/** Does r's client know by the end of the connection that a long answer is whole? Then an ordinary end in the
 * middle of one would make half of it look whole. */
int aur_client_counts_on_end(const request_rec *r);
/** From now on the connection ends by a reset (or no longer), whoever ends it. */
void aur_client_end_resets(request_rec *r, int on);

/* --- http_stop.c --- */
/** child_init, before the databases. */
void aur_stop_child_init(apr_pool_t *pchild, server_rec *s);
/** child_stopping. */
void aur_stop_told(void);

/* --- http_sizing.c --- */
/** Does the server have several workers in one process? */
int aur_sizing_threads(void);
/** Lower the pool to what the server's processes can use. */
void aur_sizing_fit(aur_db_settings_t *db);
/** Tell at the start how many connections there may be. */
void aur_sizing_notice(server_rec *s, const aur_server_t *server);
/** Tell once what the database itself allows. */
void aur_sizing_capacity(server_rec *s, const aur_server_t *server, apr_int64_t capacity);

/* --- http_metrics.c --- */
/** While the server starts: forget what connections are allowed, and add those of one database. */
void aur_http_figures_reset(void);
void aur_http_figures_add(apr_int64_t each, apr_int64_t sum);

/* --- http_runtime.c --- */
const aur_runtime_t *aur_runtime_get(const aur_server_t *server);

/* --- http_query.c: what follows once it is known what is asked for --- */
/** Run a plan as a preview and answer it. @return what the handler returns */
int aur_preview_answer(aur_request_t *x, aur_plan_t *plan);

/* --- route handlers --- */
int aur_http_datasets(aur_request_t *x);
int aur_http_columns(aur_request_t *x);
int aur_http_preview(aur_request_t *x);
int aur_http_export(aur_request_t *x);
int aur_http_estimate(aur_request_t *x);
int aur_http_reports(aur_request_t *x);
int aur_http_report(aur_request_t *x);
int aur_http_report_csv(aur_request_t *x);
int aur_http_report_xlsx(aur_request_t *x);
int aur_http_tasks(aur_request_t *x);
int aur_http_task(aur_request_t *x);
int aur_http_metrics(aur_request_t *x);
int aur_http_openapi(aur_request_t *x);
int aur_http_health(aur_request_t *x);
int aur_http_ready(aur_request_t *x);

#endif
