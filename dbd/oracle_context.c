/* oracle_context.c - the client library of this process, loaded when the first connection is opened.
 *
 * Never before: httpd's parent loads this driver while it reads its configuration, and what the client library starts
 * there (a thread, an environment) is unusable in the children and may hang or kill them. */
#include "oracle.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static dpiContext *context; /* lives until the process ends */
static pid_t owner;

static const char *problem(const dpiErrorInfo *info, const char *libdir, apr_pool_t *pool)
{
    apr_size_t len = info->messageLength;
    const char *text;

    while (len && (info->message[len - 1] == '\n' || info->message[len - 1] == ' ')) {
        len--;
    }
    text = apr_pstrmemdup(pool, info->message, len);
    if (strncmp(text, "DPI-1047", 8) != 0) {
        return text;
    }
    return apr_psprintf(
        pool,
        "Oracle's client library libclntsh.so cannot be loaded%s%s. Install Oracle Instant Client "
        "(Basic or Basic Light) and libaio, and make its folder known to the loader (ldconfig, or "
        "LD_LIBRARY_PATH before httpd starts) or to this driver (libdir=). %s",
        libdir ? " from libdir=" : "", libdir ? libdir : "", text);
}

void ora_signals_block(sigset_t *before)
{
    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, before);
}

void ora_signals_restore(const sigset_t *before)
{
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

dpiContext *ora_context(const char *libdir, const char **why, apr_pool_t *pool)
{
    dpiContextCreateParams params;
    dpiErrorInfo info;
    dpiContext *made = NULL;
    sigset_t before;
    int rc;

    pthread_mutex_lock(&lock);
    if (context && owner != getpid()) {
        *why = "this process has inherited a connection to Oracle from its parent: the client "
               "library does not "
               "survive a fork. Connect in the child only";
    }
    else if (context) {
        made = context;
    }
    else {
        memset(&params, 0, sizeof(params));
        params.defaultEncoding = "UTF-8";
        params.defaultDriverName = "apr_dbd_oracle";
        params.oracleClientLibDir = libdir;
        ora_signals_block(&before); /* the library may start its threads now */
        rc = dpiContext_createWithParams(DPI_MAJOR_VERSION, DPI_MINOR_VERSION, &params, &made,
                                         &info);
        ora_signals_restore(&before);
        if (rc == DPI_SUCCESS) {
            context = made;
            owner = getpid();
        }
        else {
            made = NULL;
            *why = problem(&info, libdir, pool);
        }
    }
    pthread_mutex_unlock(&lock);
    return made;
}
