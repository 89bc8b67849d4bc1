/* handles.c - handles and descriptors: made, checked, freed. */
#include "double.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ALIVE      0x0C1A11FEU
#define DEAD       0x0C1DEAD0U
#define QUARANTINE 4096 /* freed handles that are kept, so that their use is seen for what it is */

static pthread_mutex_t quarantine_lock = PTHREAD_MUTEX_INITIALIZER;
static dbl_head_t *quarantine[QUARANTINE];
static unsigned quarantine_at;

void dbl_misuse(const char *where, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    fprintf(stderr, "oci double: %s: %s\n", where, text);
    dbl_trace("misuse %s: %s", where, text);
}

static size_t size_of(uint32_t type)
{
    switch (type) {
    case OCI_HTYPE_ENV:
        return sizeof(dbl_env_t);
    case OCI_HTYPE_ERROR:
        return sizeof(dbl_err_t);
    case OCI_HTYPE_SVCCTX:
        return sizeof(dbl_svc_t);
    case OCI_HTYPE_STMT:
        return sizeof(dbl_stmt_t);
    case OCI_HTYPE_BIND:
        return sizeof(dbl_bind_t);
    case OCI_HTYPE_DEFINE:
        return sizeof(dbl_define_t);
    case OCI_HTYPE_SERVER:
        return sizeof(dbl_server_t);
    case OCI_HTYPE_SESSION:
        return sizeof(dbl_session_t);
    case OCI_HTYPE_TRANS:
        return sizeof(dbl_head_t);
    case OCI_DTYPE_LOB:
        return sizeof(dbl_lob_t);
    case OCI_DTYPE_PARAM:
        return sizeof(dbl_param_t);
    case OCI_DTYPE_ROWID:
        return sizeof(dbl_rowid_t);
    case OCI_DTYPE_INTERVAL_YM:
    case OCI_DTYPE_INTERVAL_DS:
        return sizeof(dbl_interval_t);
    case OCI_DTYPE_TIMESTAMP:
    case OCI_DTYPE_TIMESTAMP_TZ:
    case OCI_DTYPE_TIMESTAMP_LTZ:
        return sizeof(dbl_time_t);
    default:
        return 0;
    }
}

static void server_init(dbl_server_t *srv)
{
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&srv->lock, &attr);
    pthread_mutexattr_destroy(&attr);
    pthread_mutex_init(&srv->cancel_lock, NULL);
    pthread_mutex_init(&srv->closing_lock, NULL);
}

/* Service contexts outlive their server handle: consumers free in that order. */
static void server_forget(const dbl_head_t *gone)
{
    pthread_mutex_lock(&gone->env->lock);
    for (dbl_head_t *h = gone->env->all; h; h = h->next) {
        dbl_svc_t *svc = h->type == OCI_HTYPE_SVCCTX ? (dbl_svc_t *)h : NULL;
        if (svc && (dbl_head_t *)svc->server == gone) {
            svc->server = NULL;
        }
        if (svc && (dbl_head_t *)svc->session == gone) {
            svc->session = NULL;
        }
    }
    pthread_mutex_unlock(&gone->env->lock);
}

static void server_clear(dbl_server_t *srv)
{
    server_forget(&srv->head);
    if (srv->cancel) {
        PQfreeCancel(srv->cancel);
    }
    if (srv->conn) {
        PQfinish(srv->conn);
    }
    free(srv->closing.s);
    pthread_mutex_destroy(&srv->lock);
    pthread_mutex_destroy(&srv->cancel_lock);
    pthread_mutex_destroy(&srv->closing_lock);
}

static void stmt_clear(dbl_stmt_t *stmt)
{
    dbl_stmt_close(stmt);
    for (uint32_t i = 0; i < stmt->bind_count; i++) {
        dbl_free(stmt->binds[i]);
    }
    for (uint32_t i = 0; i < stmt->define_count; i++) {
        if (stmt->defines[i]) {
            dbl_free(stmt->defines[i]);
        }
    }
    free(stmt->binds);
    free(stmt->defines);
    free(stmt->columns);
    dbl_sql_destroy(stmt->sql);
}

/* Statements of Prepare2 belong to their service context. */
static void svc_clear(dbl_svc_t *svc)
{
    for (;;) {
        pthread_mutex_lock(&svc->head.env->lock);
        dbl_head_t *h = svc->head.env->all;
        while (h && !(h->type == OCI_HTYPE_STMT && ((dbl_stmt_t *)h)->svc == svc)) {
            h = h->next;
        }
        pthread_mutex_unlock(&svc->head.env->lock);
        if (!h) {
            return;
        }
        dbl_stmt_t *stmt = (dbl_stmt_t *)h;
        if (stmt->by_prepare2) {
            dbl_free(stmt);
        }
        else {
            dbl_stmt_close(stmt);
            stmt->svc = NULL;
        }
    }
}

void *dbl_alloc(dbl_env_t *env, uint32_t type)
{
    size_t size = size_of(type);
    dbl_head_t *h = size ? calloc(1, size) : NULL;
    if (!h) {
        return NULL;
    }
    h->magic = ALIVE;
    h->type = type;
    if (type == OCI_HTYPE_ENV) {
        env = (dbl_env_t *)h;
        env->pid = getpid();
        pthread_mutex_init(&env->lock, NULL);
        h->env = env;
        return h;
    }
    h->env = env;
    if (type == OCI_HTYPE_SERVER) {
        server_init((dbl_server_t *)h);
    }
    pthread_mutex_lock(&env->lock);
    h->next = env->all;
    if (env->all) {
        env->all->prev = h;
    }
    env->all = h;
    pthread_mutex_unlock(&env->lock);
    return h;
}

static void unlink_from_env(dbl_head_t *h)
{
    dbl_env_t *env = h->env;
    pthread_mutex_lock(&env->lock);
    if (h->prev) {
        h->prev->next = h->next;
    }
    else {
        env->all = h->next;
    }
    if (h->next) {
        h->next->prev = h->prev;
    }
    pthread_mutex_unlock(&env->lock);
}

/* Memory goes back late: a caller that kept the pointer meets the dead mark. */
static void bury(dbl_head_t *h)
{
    uint32_t type = h->type;
    memset(h, 0xDD, size_of(type));
    h->magic = DEAD;
    h->type = type;
    pthread_mutex_lock(&quarantine_lock);
    dbl_head_t *oldest = quarantine[quarantine_at];
    quarantine[quarantine_at] = h;
    quarantine_at = (quarantine_at + 1) % QUARANTINE;
    pthread_mutex_unlock(&quarantine_lock);
    free(oldest);
}

/* Owners go before what they own, and statements before the server whose cursors they hold. */
static void env_clear(dbl_env_t *env)
{
    static const uint32_t order[] = {OCI_HTYPE_SVCCTX, OCI_HTYPE_STMT, 0};
    for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++) {
        for (dbl_head_t *h = env->all; h;) {
            bool now = !order[i] || h->type == order[i];
            if (now) {
                dbl_free(h);
            }
            h = now ? env->all : h->next;
        }
    }
}

void dbl_free(void *handle)
{
    dbl_head_t *h = handle;
    switch (h->type) {
    case OCI_HTYPE_ENV:
        env_clear((dbl_env_t *)h);
        pthread_mutex_destroy(&((dbl_env_t *)h)->lock);
        bury(h);
        return;
    case OCI_HTYPE_SVCCTX:
        svc_clear((dbl_svc_t *)h);
        break;
    case OCI_HTYPE_SERVER:
        server_clear((dbl_server_t *)h);
        break;
    case OCI_HTYPE_SESSION:
        server_forget(h);
        break;
    case OCI_HTYPE_STMT:
        stmt_clear((dbl_stmt_t *)h);
        break;
    case OCI_DTYPE_LOB:
        free(((dbl_lob_t *)h)->data);
        break;
    default:
        break;
    }
    unlink_from_env(h);
    bury(h);
}

void *dbl_check(const void *handle, uint32_t type, const char *where)
{
    const dbl_head_t *h = handle;
    if (!h) {
        dbl_misuse(where, "handle of type %u is NULL", type);
        return NULL;
    }
    if (h->magic == DEAD) {
        dbl_misuse(where, "handle of type %u was freed", h->type);
        return NULL;
    }
    if (h->magic != ALIVE || (type && h->type != type)) {
        dbl_misuse(where, "no handle of type %u", type);
        return NULL;
    }
    if (h->env->pid != getpid()) {
        dbl_misuse(where, "a handle of process %d is used in process %d, after a fork",
                   (int)h->env->pid, (int)getpid());
        abort();
    }
    return (void *)(uintptr_t)h;
}

/* --- entry points ------------------------------------------------------------------------------- */

void OCIClientVersion(int *major, int *minor, int *update, int *patch, int *port)
{
    *major = dbl_version();
    *minor = *major < 21 ? 20 : 4;
    *update = *patch = *port = 0;
}

int OCIEnvNlsCreate(void **env, uint32_t mode, void *ctx, void *malocf, void *ralocf, void *mfreef,
                    size_t xtra, void **usrmem, uint16_t charset, uint16_t ncharset)
{
    if ((charset && charset != OCI_CHARSET_AL32UTF8) ||
        (ncharset && ncharset != OCI_CHARSET_AL32UTF8)) {
        dbl_misuse(__func__, "character sets %u and %u: the double speaks AL32UTF8 (873) only",
                   charset, ncharset);
        return OCI_ERROR;
    }
    *env = dbl_alloc(NULL, OCI_HTYPE_ENV);
    dbl_trace("OCIEnvNlsCreate mode=%u signals=%s", mode, dbl_signals());
    return *env ? OCI_SUCCESS : OCI_ERROR;
}

int OCITerminate(uint32_t mode)
{
    return OCI_SUCCESS;
}

static int alloc_checked(const void *env_handle, void **h, uint32_t type, const char *where)
{
    dbl_env_t *env = dbl_check(env_handle, OCI_HTYPE_ENV, where);
    if (!env) {
        return OCI_INVALID_HANDLE;
    }
    *h = dbl_alloc(env, type == OCI_HTYPE_ENV ? 0 : type);
    if (!*h) {
        dbl_misuse(where, "handles of type %u are not made here", type);
        return OCI_ERROR;
    }
    return OCI_SUCCESS;
}

int OCIHandleAlloc(const void *env, void **h, uint32_t type, size_t xtra, void **usrmem)
{
    return alloc_checked(env, h, type, __func__);
}

int OCIHandleFree(void *handle, uint32_t type)
{
    dbl_head_t *h = dbl_check(handle, type, __func__);
    if (!h) {
        return OCI_INVALID_HANDLE;
    }
    if (type == OCI_HTYPE_STMT && ((dbl_stmt_t *)h)->by_prepare2) {
        dbl_misuse(__func__, "a statement of OCIStmtPrepare2 is for OCIStmtRelease");
        return OCI_ERROR;
    }
    if (type == OCI_HTYPE_SERVER && ((dbl_server_t *)h)->attached && !((dbl_server_t *)h)->lost) {
        dbl_misuse(__func__, "the server handle is still attached");
    }
    dbl_free(h);
    return OCI_SUCCESS;
}

int OCIDescriptorAlloc(const void *env, void **d, uint32_t type, size_t xtra, void **usrmem)
{
    return alloc_checked(env, d, type, __func__);
}

int OCIDescriptorFree(void *d, uint32_t type)
{
    /* DBD::Oracle frees locators it never made, and expects no more than this. */
    dbl_head_t *h = d ? dbl_check(d, type, __func__) : NULL;
    if (!h) {
        return OCI_INVALID_HANDLE;
    }
    dbl_free(h);
    return OCI_SUCCESS;
}

int OCIArrayDescriptorAlloc(const void *env, void **array, uint32_t type, uint32_t n, size_t xtra,
                            void **usrmem)
{
    for (uint32_t i = 0; i < n; i++) {
        int rv = alloc_checked(env, &array[i], type, __func__);
        if (rv != OCI_SUCCESS) {
            return rv;
        }
    }
    if (n) {
        ((dbl_head_t *)array[0])->group = n;
    }
    return OCI_SUCCESS;
}

int OCIArrayDescriptorFree(void **array, uint32_t type)
{
    dbl_head_t *first = array ? dbl_check(array[0], type, __func__) : NULL;
    if (!first) {
        return OCI_INVALID_HANDLE;
    }
    for (uint32_t i = 0, n = first->group; i < n; i++) {
        dbl_free(array[i]);
    }
    return OCI_SUCCESS;
}
