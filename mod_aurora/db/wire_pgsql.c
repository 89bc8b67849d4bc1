/* wire_pgsql.c - statements on their way to the server and results on their way back.
 *
 * One flush carries [ROLLBACK] [BEGIN, application name] statement Sync; after it the answers are read in
 * that order. Every wait is ours, not libpq's: it ends at the session's deadline, and a cancel that the
 * server does not answer ends it too. */
#include <apr_strings.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>

#include "aurora/number.h"
#include "aurora/socket.h"
#include "aurora/sync.h"
#include "pgsql_private.h"

#define LOOK_MS      500                    /* between two looks at the flags while waiting */
#define CANCEL_GRACE apr_time_from_sec(5)   /* for the server to answer after a cancel */
#define END_GRACE    apr_time_from_msec(10) /* for the rest of a result that nobody reads */
#define CANCEL_WAIT  apr_time_from_sec(1)   /* for the server to take a cancel */
#define HOLD_ROWS    2000          /* results of so few rows are read whole, which costs half */
#define HOLD_BYTES   (1024 * 1024) /* unless they turn out larger than this */
#define END_ROWS     1000          /* and its rows */

#define BEGIN_TEXT       "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
#define APPLICATION_TEXT "SELECT pg_catalog.set_config('application_name', $1, true)"

/* --- reading ------------------------------------------------------------------------------------ */

/* Is the result that is coming in larger than may be held? Asked before libpq reads what is there. */
static int is_too_large(aur_pgsql_t *s)
{
    int n = 0;

    if (s->hold_max == 0 || ioctl(PQsocket(s->conn), FIONREAD, &n) != 0 || n < 0) {
        return 0;
    }
    s->held += (apr_size_t)n;
    return s->held > s->hold_max;
}

/* @return 0: the connection is lost, the wait is over without an answer, or the result is too large */
static int wait_input(aur_pgsql_t *s)
{
    struct pollfd fd = {.fd = PQsocket(s->conn), .events = POLLIN};
    apr_time_t cancelled = 0;

    while (PQisBusy(s->conn)) {
        int wait_ms = LOOK_MS;
        apr_time_t now = 0;
        if (s->deadline) {
            now = aur_clock();
            if (now >= s->deadline) {
                return 0;
            }
            if (s->deadline - now < apr_time_from_msec(LOOK_MS)) {
                wait_ms = (int)apr_time_as_msec(s->deadline - now) + 1;
            }
        }
        if (poll(&fd, 1, wait_ms) == 0) {
            if (aur_session_cancelled(s->session)) {
                now = aur_clock();
                cancelled = cancelled ? cancelled : now;
                if (now - cancelled > CANCEL_GRACE) {
                    return 0;
                }
            }
            continue;
        }
        if (is_too_large(s) || !PQconsumeInput(s->conn)) {
            return 0;
        }
    }
    return 1;
}

PGresult *aur_pgsql_result(aur_pgsql_t *s)
{
    PGresult *result;

    if (!wait_input(s)) {
        s->session->doubtful = 1;
        return NULL;
    }
    result = PQgetResult(s->conn);
    switch (PQresultStatus(result)) {
    case PGRES_COPY_OUT:
    case PGRES_COPY_IN:
    case PGRES_COPY_BOTH:
        /* libpq cannot leave a COPY while in pipeline mode */
        s->session->doubtful = 1;
        break;
    default:
        break;
    }
    return result;
}

static int is_lost(const aur_pgsql_t *s)
{
    return s->session->doubtful || PQstatus(s->conn) != CONNECTION_OK;
}

apr_status_t aur_pgsql_settle(aur_pgsql_t *s, aur_error_t *err)
{
    apr_status_t rv = APR_SUCCESS;

    while (s->owed > 0) {
        PGresult *result;
        if (s->deadline && aur_clock() > s->deadline) {
            s->session->doubtful = 1;
            s->owed = 0;
            return err ? aur_pgsql_error(s->session, NULL, err) : APR_EGENERAL;
        }
        result = aur_pgsql_result(s);
        switch (PQresultStatus(result)) { /* NULL counts as PGRES_FATAL_ERROR */
        case PGRES_PIPELINE_SYNC:
            s->owed--;
            break;
        case PGRES_FATAL_ERROR:
        case PGRES_BAD_RESPONSE:
            if (!result && !is_lost(s)) {
                break; /* between two statements */
            }
            if (rv == APR_SUCCESS) {
                rv = err ? aur_pgsql_error(s->session, result, err) : APR_EGENERAL;
            }
            break;
        default:
            break;
        }
        PQclear(result);
        if (is_lost(s)) {
            s->session->doubtful = 1;
            s->owed = 0;
            return APR_EGENERAL;
        }
    }
    return rv;
}

/* --- values ------------------------------------------------------------------------------------- */

typedef struct {
    const char **values;
    int *lengths, *formats;
} values_t;

/* The year 0 and those before it are written as BC by the server. */
static const char *moment(const aur_cell_t *cell, apr_pool_t *p)
{
    const char *text = apr_pstrmemdup(p, cell->v.s, cell->len), *rest;
    apr_int64_t year;

    if (text[0] != '-' && strncmp(text, "0000-", 5)) {
        return text;
    }
    rest = strchr(text + 1, '-');
    if (!rest || !aur_number_to_int(text, (apr_size_t)(rest - text), &year)) {
        return text; /* the server will say what is wrong with it */
    }
    return apr_psprintf(p, "%04d%s BC", (int)(1 - year), rest);
}

static const char *as_text(const aur_cell_t *cell, apr_pool_t *p)
{
    char *out;

    switch (cell->kind) {
    case AUR_V_NULL:
    case AUR_V_PIECES: /* never bound */
        return NULL;
    case AUR_V_INT:
        out = apr_palloc(p, AUR_INT_TEXT_MAX + 1);
        out[aur_int_write(out, cell->v.i)] = '\0';
        return out;
    case AUR_V_DOUBLE:
        out = apr_palloc(p, AUR_DOUBLE_TEXT_MAX + 1);
        out[aur_double_write(out, cell->v.d)] = '\0';
        return out;
    case AUR_V_BOOL:
        return cell->v.i ? "t" : "f";
    case AUR_V_DATE:
    case AUR_V_TIMESTAMP:
    case AUR_V_TIMESTAMP_TZ:
        return moment(cell, p);
    case AUR_V_DECIMAL:
    case AUR_V_TEXT:
    case AUR_V_BINARY:
        break;
    }
    return apr_pstrmemdup(p, cell->v.s, cell->len);
}

/* Texts and bytes go as they are, with their length, and are not copied; the rest as text. */
static apr_status_t values_make(values_t *v, const aur_sql_t *sql, aur_error_t *err, apr_pool_t *p)
{
    apr_size_t n = sql->nbinds > 0 ? (apr_size_t)sql->nbinds : 1;
    int i;

    v->values = apr_pcalloc(p, n * sizeof(*v->values));
    v->lengths = apr_pcalloc(p, n * sizeof(*v->lengths));
    v->formats = apr_pcalloc(p, n * sizeof(*v->formats));
    for (i = 0; i < sql->nbinds; i++) {
        const aur_bind_t *bind = &sql->binds[i];
        int raw = (bind->type == AUR_T_TEXT && bind->cell.kind == AUR_V_TEXT) ||
                  (bind->type == AUR_T_BINARY && bind->cell.kind == AUR_V_BINARY);
        if (!raw) {
            v->values[i] = as_text(&bind->cell, p);
            continue;
        }
        if (bind->cell.len > APR_INT32_MAX ||
            (bind->type == AUR_T_TEXT && memchr(bind->cell.v.s, '\0', bind->cell.len))) {
            return aur_error_set(err, AUR_E_BAD_VALUE, NULL,
                                 "A text with a NUL character cannot be looked for.");
        }
        v->values[i] = bind->cell.len > 0 ? bind->cell.v.s : "";
        v->lengths[i] = (int)bind->cell.len;
        v->formats[i] = 1;
    }
    return APR_SUCCESS;
}

/* --- sending ------------------------------------------------------------------------------------ */

static int send_plain(aur_pgsql_t *s, const char *text)
{
    return PQsendQueryParams(s->conn, text, 0, NULL, NULL, NULL, NULL, 0);
}

static int send_sync(aur_pgsql_t *s)
{
    if (!PQpipelineSync(s->conn)) {
        return 0;
    }
    s->owed++;
    return 1;
}

int aur_pgsql_send(aur_pgsql_t *s, const char *text)
{
    return send_plain(s, text) && send_sync(s);
}

/* One statement, prepared or as text. @return 0: cannot be sent */
static int send_statement(aur_pgsql_t *s, aur_pgsql_known_t **known, const aur_sql_t *sql,
                          const values_t *v, int often, int *nbefore)
{
    *known = NULL;
    if (often && !aur_pgsql_known(known, s, sql->text, sql->len, nbefore)) {
        return 0;
    }
    if (*known) {
        return PQsendQueryPrepared(s->conn, (*known)->name, sql->nbinds, v->values, v->lengths,
                                   v->formats, 0);
    }
    return PQsendQueryParams(s->conn, sql->text, sql->nbinds, NULL, v->values, v->lengths,
                             v->formats, 0);
}

/* A new transaction, under the borrower's name. */
static int send_begin(aur_pgsql_t *s, int *nbefore)
{
    static const aur_sql_t name_it = {
        .text = APPLICATION_TEXT, .len = sizeof(APPLICATION_TEXT) - 1, .nbinds = 1};
    const char *application = s->application;
    int length = 0, format = 0;
    const values_t v = {&application, &length, &format};
    aur_pgsql_known_t *known;

    if (!send_plain(s, BEGIN_TEXT)) {
        return 0;
    }
    s->in_transaction = 1;
    ++*nbefore;
    if (*application) {
        if (!send_statement(s, &known, &name_it, &v, 1, nbefore)) {
            return 0;
        }
        ++*nbefore;
    }
    return 1;
}

/* What must go before a statement. @return 0: cannot be sent */
static int send_before(aur_pgsql_t *s, int *nbefore)
{
    if (s->in_transaction && PQtransactionStatus(s->conn) == PQTRANS_INERROR) {
        if (!send_plain(s, "ROLLBACK")) {
            return 0;
        }
        s->in_transaction = 0;
        ++*nbefore;
    }
    return s->in_transaction || send_begin(s, nbefore);
}

static apr_status_t fail(aur_pgsql_t *s, const PGresult *result, aur_error_t *err)
{
    aur_pgsql_error(s->session, result, err);
    aur_pgsql_settle(s, NULL);
    err->connection_lost = s->session->doubtful;
    return APR_EGENERAL;
}

/* The results of what went before: each statement gives one, and NULL after it. Anything else means that
 * we are out of step with the server, and what comes next might be taken for another statement's. */
static apr_status_t skip(aur_pgsql_t *s, int n, aur_error_t *err)
{
    int inside = 0;

    while (n > 0) {
        PGresult *result = aur_pgsql_result(s);
        ExecStatusType status = PQresultStatus(result);
        apr_status_t rv = APR_SUCCESS;
        if (!result && inside && !is_lost(s)) {
            inside = 0;
            n--;
        }
        else if (inside || (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)) {
            s->session->doubtful |= !result || inside;
            rv = fail(s, result, err);
        }
        else {
            inside = 1;
        }
        PQclear(result);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    return APR_SUCCESS;
}

/* Send all of it in one flush, and read what comes before the statement's own answer. */
static apr_status_t send_all(aur_pgsql_t *s, aur_pgsql_known_t **known, const aur_sql_t *sql,
                             const values_t *v, int often, aur_error_t *err)
{
    int nbefore = 0, owed = s->owed;

    if (!send_before(s, &nbefore) || !send_statement(s, known, sql, v, often, &nbefore) ||
        !send_sync(s)) {
        s->session->doubtful = 1; /* half a pipeline is sent */
        return aur_pgsql_error(s->session, NULL, err);
    }
    s->owed = owed; /* the last borrower's ROLLBACK comes first */
    if (aur_pgsql_settle(s, err) != APR_SUCCESS) {
        s->session->doubtful = 1; /* whose transaction is this? */
        err->connection_lost = 1;
        return APR_EGENERAL;
    }
    s->owed = 1;
    return skip(s, nbefore, err);
}

/* The head of the statement's own answer.
 * @param whole  try to hold all of it; APR_ENOSPC: it is too large, and forgotten */
static apr_status_t read_head(PGresult **first, aur_pgsql_t *s, int whole, aur_error_t *err)
{
    apr_status_t rv = APR_EGENERAL;

    if (!whole && !PQsetSingleRowMode(s->conn)) {
        s->session->doubtful = 1;
        return aur_pgsql_error(s->session, NULL, err);
    }
    if (whole) {
        s->held = 0;
        s->hold_max = HOLD_BYTES;
        wait_input(s);
        s->hold_max = 0;
        if (s->held > HOLD_BYTES && PQisBusy(s->conn)) {
            aur_pgsql_abandon_rows(s, CANCEL_GRACE);
            return s->session->doubtful ? aur_pgsql_error(s->session, NULL, err) : APR_ENOSPC;
        }
    }
    *first = aur_pgsql_result(s);
    switch (PQresultStatus(*first)) {
    case PGRES_SINGLE_TUPLE:
    case PGRES_TUPLES_OK:
        return APR_SUCCESS;
    case PGRES_FATAL_ERROR:
    case PGRES_PIPELINE_ABORTED:
        rv = fail(s, *first, err);
        break;
    default: /* a command, or a COPY */
        aur_error_set(err, AUR_E_DATABASE_ERROR, NULL, "The statement gives no rows.");
        aur_pgsql_settle(s, NULL);
        err->connection_lost = s->session->doubtful;
        break;
    }
    PQclear(*first);
    *first = NULL;
    return rv;
}

/* A table changed under a prepared statement, or a proxy gave us another server process: neither is
 * the statement's own fault. */
static int is_stale(aur_pgsql_t *s, const aur_error_t *err)
{
    if (!strncmp(err->native, "26000", 5) || !strncmp(err->native, "42P05", 5)) {
        s->no_prepare = 1;
        return 1;
    }
    return !strncmp(err->native, "0A000", 5);
}

apr_status_t aur_pgsql_start(PGresult **first, aur_session_t *session, const aur_sql_t *sql,
                             int often, aur_error_t *err, apr_pool_t *p)
{
    aur_pgsql_t *s = session->private;
    aur_pgsql_known_t *known = NULL;
    values_t v;
    apr_status_t rv = values_make(&v, sql, err, p);
    int whole = sql->rows_max > 0 && sql->rows_max <= HOLD_ROWS;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = send_all(s, &known, sql, &v, often, err);
    whole = whole && !(known && known->wide);
    if (rv == APR_SUCCESS) {
        rv = read_head(first, s, whole, err);
    }
    if (rv == APR_SUCCESS || session->doubtful) {
        return rv;
    }
    if (rv == APR_ENOSPC) {
        if (known) {
            known->wide = 1;
        }
    }
    else {
        aur_pgsql_forget(known);
        if (!often || !is_stale(s, err)) {
            return rv;
        }
    }
    /* Once more, as plainly as can be. */
    aur_error_clear(err);
    rv = send_all(s, &known, sql, &v, 0, err);
    return rv == APR_SUCCESS ? read_head(first, s, 0, err) : rv;
}

/* --- a result that nobody reads ------------------------------------------------------------------- */

/* Returns when the server has closed the connection that it came by, and has no time limit. */
static void cancel(aur_session_t *session)
{
    aur_pgsql_t *s = session->private;
    char why[256];

    s->taken = PQcancel(s->cancel, why, sizeof(why));
}

void aur_pgsql_abandon_rows(aur_pgsql_t *s, apr_interval_time_t patience)
{
    apr_time_t deadline = s->deadline;
    int rows;

    /* The end of a short result is all but here, and a cancel costs a connection. */
    s->deadline = aur_clock() + END_GRACE;
    for (rows = 0; s->owed > 0 && rows < END_ROWS && wait_input(s); rows++) {
        PGresult *result = PQgetResult(s->conn);
        if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
            s->owed--;
        }
        PQclear(result);
        if (is_lost(s)) {
            break;
        }
    }
    s->deadline = deadline;
    if (s->owed > 0 && !is_lost(s)) {
        if (!aur_session_beside(s->session, cancel, CANCEL_WAIT) || !s->taken) {
            aur_socket_shut(PQsocket(s->conn)); /* whoever sends to it ends then */
            s->session->doubtful = 1;
            return;
        }
        /* megabytes of rows may be on their way: a new connection is cheaper than to read them all */
        s->deadline = aur_clock() + patience;
        aur_pgsql_settle(s, NULL);
        s->deadline = deadline;
    }
}
