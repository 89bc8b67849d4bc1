/* db_conn.c - one connection: opened through apr_dbd, so that a site's drivers and parameters hold, then
 * handed to the backend.
 *
 * Order of the end: the backend's teardown, apr_dbd_close, the memory. */
#include <apr_strings.h>

#include "backend.h"

static apr_status_t session_cleanup(void *data)
{
    aur_session_t *session = data;

    session->backend->teardown(session);
    apr_dbd_close(session->driver, session->handle);
    return APR_SUCCESS;
}

/* Everything that can fail; the caller destroys the pool. */
static apr_status_t open_in_pool(aur_session_t *session, apr_interval_time_t wait_us,
                                 aur_error_t *err)
{
    const aur_backend_t *backend = session->backend;
    const char *params, *message = NULL;
    apr_status_t rv;

    rv = backend->params(&params, session->settings, err, session->pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = apr_dbd_get_driver(session->pool, session->settings->driver, &session->driver);
    if (rv == APR_SUCCESS) {
        rv = apr_dbd_open_ex(session->driver, session->pool, params, &session->handle, &message);
    }
    if (rv != APR_SUCCESS) {
        char text[128];
        aur_error_set(err, AUR_E_DB_UNAVAILABLE, NULL, "The database cannot be reached.");
        aur_error_native(err, session->settings->driver,
                         message ? message : apr_strerror(rv, text, sizeof(text)));
        return APR_EGENERAL;
    }
    session->native = apr_dbd_native_handle(session->driver, session->handle);
    rv = backend->setup(session, wait_us, err);
    apr_pool_cleanup_register(session->pool, session, session_cleanup, apr_pool_cleanup_null);
    return rv;
}

apr_status_t aur_session_open(aur_session_t **session, const aur_backend_t *backend,
                              const aur_db_settings_t *settings, apr_interval_time_t wait_us,
                              aur_log_fn *log, void *log_ctx, aur_error_t *err, apr_pool_t *parent)
{
    aur_session_t *made;
    apr_pool_t *p;
    apr_status_t rv =
        parent ? apr_pool_create(&p, parent) : apr_pool_create_unmanaged_ex(&p, NULL, NULL);

    if (rv != APR_SUCCESS) {
        return aur_error_set(err, AUR_E_INTERNAL, NULL, "The server is out of memory.");
    }
    apr_pool_tag(p, "aur_session");
    made = apr_pcalloc(p, sizeof(*made));
    made->backend = backend;
    made->settings = apr_pmemdup(p, settings, sizeof(*settings));
    made->pool = p;
    made->log = log;
    made->log_ctx = log_ctx;
    rv = open_in_pool(made, wait_us, err);
    if (rv != APR_SUCCESS) {
        err->connection_lost = 1;
        if (err->code == AUR_E_DB_UNAVAILABLE) {
            err->retry_after = 5;
        }
        apr_pool_destroy(p);
        return rv;
    }
    *session = made;
    return APR_SUCCESS;
}

void aur_session_close(aur_session_t *session)
{
    apr_pool_destroy(session->pool);
}

void aur_session_abandon(aur_session_t *session)
{
    apr_pool_cleanup_kill(session->pool, session, session_cleanup);
}
