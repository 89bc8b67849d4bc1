/* http_stop.c - the end of a child, where httpd and libraries would take something from under a thread that is still
 * at work. A child that crashes while it stops cancels nothing: its statements go on in the database.
 *
 * Connections. mod_mpm_event (2.4.71) notes the socket of each worker. At a plain stop its main thread closes all of
 * them; a worker that is just through with its connection frees the memory of that socket, and takes back the note
 * only afterwards. The server says that it stops before it looks at the first socket, and runs child_stopping after
 * the last: between the two no connection ends here.
 *
 * Exit. Libraries register handlers for the exit of the process and free there what all of their calls use (OpenSSL
 * does, and libpq stands on it). A thread that hangs in a connect or a cancel cannot be waited for, so a child that
 * leaves one behind ends without these handlers. */
#include "http/http_private.h"
#include "aurora/http.h"

#include <ap_mpm.h>
#include <http_log.h>
#include <stdlib.h>
#include <unistd.h>

APLOG_USE_MODULE(aurora);

/* child_stopping follows at once; a machine may be slow. */
#define STOPPING_WAIT apr_time_from_sec(5)

#if AP_MODULE_MAGIC_AT_LEAST(20120211, 110)
#define TELLS 1
#else
#define TELLS 0 /* this httpd has no child_stopping */
#endif

static struct {
    aur_lock_t lock;
    aur_cond_t told;
    int waits;   /* set once, before the child has a second thread: connections wait */
    int stopped; /* child_stopping has run */
} stop;

/* --- connections -------------------------------------------------------------------------------- */

static int is_stopping(void)
{
    int state;

    return ap_mpm_query(AP_MPMQ_MPM_STATE, &state) == APR_SUCCESS && state == AP_MPMQ_STOPPING;
}

static apr_status_t connection_end(void *data)
{
    const conn_rec *c = data;
    apr_time_t until;
    int stopped;

    if (!is_stopping()) {
        return APR_SUCCESS;
    }
    until = aur_clock() + STOPPING_WAIT;
    aur_lock(&stop.lock);
    while (!stop.stopped && aur_cond_wait(&stop.told, &stop.lock, until)) {
    }
    stopped = stop.stopped;
    aur_unlock(&stop.lock);
    if (!stopped) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, c->base_server,
                     AURLOG(3013) "connections are freed while the server may still close them");
    }
    return APR_SUCCESS;
}

int aur_http_connection(conn_rec *c, void *socket)
{
    if (stop.waits && !c->master) {
        apr_pool_cleanup_register(c->pool, c, connection_end, apr_pool_cleanup_null);
    }
    return OK;
}

void aur_stop_told(void)
{
    if (stop.waits) {
        aur_lock(&stop.lock);
        stop.stopped = 1;
        aur_cond_wake_all(&stop.told);
        aur_unlock(&stop.lock);
    }
}

/* --- exit --------------------------------------------------------------------------------------- */

static void end_at_once(int status, void *ctx)
{
    _exit(status);
}

/* After the ends of databases and watch, which are pchild's pre-cleanups. What is registered last runs first. */
static apr_status_t before_exit(void *data)
{
    if (aur_left_behind() && on_exit(end_at_once, NULL) != 0) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, (server_rec *)data,
                     AURLOG(3014) "a thread that hangs may be in the way of this child's exit");
    }
    return APR_SUCCESS;
}

void aur_stop_child_init(apr_pool_t *pchild, server_rec *s)
{
    apr_status_t rv;

    apr_pool_cleanup_register(pchild, s, before_exit, apr_pool_cleanup_null);
    if (!TELLS || !aur_sizing_threads()) {
        return;
    }
    rv = aur_lock_init(&stop.lock);
    if (rv == APR_SUCCESS) {
        rv = aur_cond_init(&stop.told);
    }
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, rv, s,
                     AURLOG(3015) "connections may be freed while the server closes them");
        return;
    }
    stop.waits = 1;
}
