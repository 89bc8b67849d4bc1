/* catalog_store.c - the current catalogue snapshot and the thread that makes the next one.
 *
 * A snapshot lives in a pool of its own and is counted: one reference is the store's, one each reader's
 * pool's. Readers of an old snapshot keep it until their pools are cleared; requests never wait for
 * a refresh. `lock` guards everything in the store that is not set once at the start.
 *
 * A load is a task of a watch of the store's own, so that a database which falls silent ends neither the loading for
 * good nor holds the child's end up: it is cancelled, and loses its connection where that does not help.
 *
 * The end: pchild may be destroyed under a reader (see db_pool.c), so references stand in a list and
 * are taken off it when the store ends; the reader's cleanup then finds nothing to do. */
#include "aurora/catalog_store.h"

#include <syslog.h>

#include "aurora/sync.h"
#include "backend.h"
#include "shared_pool.h"

/* Pause after a failed load: doubled each time. Somebody asking shortens it to the first. */
#define PAUSE_FIRST apr_time_from_msec(100)
#define PAUSE_MAX   apr_time_from_sec(30)
/* Of a reader's wait; between two, a signal that ends the child is heard. */
#define WAIT_SLICE apr_time_from_msec(100)

typedef struct snapshot_t {
    aur_catalog_t *catalog;
    apr_pool_t *pool;
    int references;
} snapshot_t;

typedef struct reference_t reference_t;
struct reference_t {
    aur_catalog_store_t *store; /* NULL once the store has ended */
    snapshot_t *snapshot;
    reference_t *prev, *next;
};

struct aur_catalog_store_t {
    aur_db_t *db;
    const aur_catalog_file_t *file;
    apr_interval_time_t refresh, patience;
    aur_log_fn *log; /* never NULL */
    void *log_ctx;
    apr_pool_t *pool; /* its allocator has a mutex: snapshots are made and freed from any thread */
    aur_watch_t *watch; /* of the loads */
    pthread_t thread;
    aur_lock_t lock;
    aur_cond_t wake;     /* the thread: there is something to do */
    aur_cond_t loaded;   /* readers: a load has ended */
    snapshot_t *current; /* NULL: never loaded */
    apr_time_t current_since;
    reference_t *references;
    int stop, wanted;
    unsigned int started, ended; /* loads, failed ones too */
    int failures;                /* in a row */
    apr_time_t tried;            /* when the last load ended */
    aur_error_t why;             /* of the last failure */
};

/* --- snapshots; under the lock ------------------------------------------------------------------ */

static void snapshot_release(snapshot_t *snapshot)
{
    if (snapshot && --snapshot->references == 0) {
        apr_pool_destroy(snapshot->pool);
    }
}

static void publish(aur_catalog_store_t *store, snapshot_t *snapshot)
{
    snapshot_release(store->current);
    store->current = snapshot;
    store->current_since = aur_clock();
}

static apr_status_t reference_end(void *data)
{
    reference_t *ref = data;
    aur_catalog_store_t *store = ref->store;

    if (!store) {
        return APR_SUCCESS;
    }
    aur_lock(&store->lock);
    if (ref->next) {
        ref->next->prev = ref->prev;
    }
    if (ref->prev) {
        ref->prev->next = ref->next;
    }
    else {
        store->references = ref->next;
    }
    snapshot_release(ref->snapshot);
    aur_unlock(&store->lock);
    return APR_SUCCESS;
}

static const aur_catalog_t *reference_make(aur_catalog_store_t *store, apr_pool_t *p)
{
    reference_t *ref = apr_pcalloc(p, sizeof(*ref));

    ref->store = store;
    ref->snapshot = store->current;
    ref->snapshot->references++;
    ref->next = store->references;
    if (ref->next) {
        ref->next->prev = ref;
    }
    store->references = ref;
    apr_pool_cleanup_register(p, ref, reference_end, apr_pool_cleanup_null);
    return ref->snapshot->catalog;
}

/* --- the thread --------------------------------------------------------------------------------- */

/* Discovery in p, which becomes the snapshot's; scratch goes away after it. */
static apr_status_t discover(aur_catalog_store_t *store, aur_catalog_builder_t *builder,
                             aur_error_t *err, apr_pool_t *scratch)
{
    aur_task_limits_t limits = {.task_timeout = store->patience};
    aur_task_client_t nobody = {0};
    aur_task_t *task = aur_task_enter(store->watch, &limits, &nobody, scratch);
    aur_conn_t *conn;
    apr_status_t rv =
        aur_conn_borrow_for(&conn, store->db, AUR_USE_INTERNAL, NULL, NULL, task, err, scratch);

    if (rv == APR_SUCCESS) {
        rv = aur_db_discover(builder, conn, err, scratch);
        aur_conn_return(conn);
    }
    if (rv != APR_SUCCESS && aur_task_reason(task) == AUR_STOP_TASK_TIMEOUT) {
        aur_error_set(err, AUR_E_DB_UNAVAILABLE, NULL, "The database took too long to tell it.");
        aur_error_native(err, "catalogue", "no answer in time");
    }
    aur_task_leave(task);
    return rv;
}

static void tell_warnings(aur_catalog_store_t *store, const char *const *warnings)
{
    for (; warnings && *warnings; warnings++) {
        store->log(store->log_ctx, LOG_WARNING, APR_SUCCESS, "catalogue: %s", *warnings);
    }
}

static apr_status_t load(aur_catalog_store_t *store, snapshot_t **snapshot, aur_error_t *err)
{
    aur_catalog_builder_t *builder;
    const char *const *warnings = NULL;
    snapshot_t *made;
    apr_pool_t *p, *scratch;
    apr_status_t rv = aur_shared_pool_create(&p, store->pool, "aur_catalog");

    if (rv == APR_SUCCESS && (rv = apr_pool_create(&scratch, p)) != APR_SUCCESS) {
        apr_pool_destroy(p);
    }
    if (rv != APR_SUCCESS) {
        return aur_error_set(err, AUR_E_INTERNAL, NULL, "The server is out of memory.");
    }
    builder = aur_catalog_builder_create(p);
    rv = discover(store, builder, err, scratch);
    apr_pool_destroy(scratch);
    if (rv != APR_SUCCESS) {
        apr_pool_destroy(p);
        return rv;
    }
    made = apr_pcalloc(p, sizeof(*made));
    made->pool = p;
    made->references = 1;
    made->catalog = aur_catalog_build(builder, store->file, &warnings);
    tell_warnings(store, warnings);
    *snapshot = made;
    return APR_SUCCESS;
}

static apr_interval_time_t pause_after(const aur_catalog_store_t *store)
{
    apr_interval_time_t pause = PAUSE_FIRST;
    int i;

    for (i = 1; i < store->failures && pause < PAUSE_MAX; i++) {
        pause *= 2;
    }
    return pause < PAUSE_MAX ? pause : PAUSE_MAX;
}

/* How long until the next load; -1: until somebody asks; 0: now. Under the lock. */
static apr_interval_time_t due_in(const aur_catalog_store_t *store)
{
    apr_interval_time_t pause, left;

    if (store->started == 0) {
        return 0;
    }
    if (store->current && !store->wanted) {
        return -1;
    }
    if (store->failures == 0) {
        return 0;
    }
    /* Without any catalogue, those who ask are waiting for it. */
    pause = store->wanted && !store->current ? PAUSE_FIRST : pause_after(store);
    left = store->tried + pause - aur_clock();
    return left > 0 ? left : 0;
}

/* Wait for work. @return 0: the store ends. Under the lock. */
static int wait_for_work(aur_catalog_store_t *store)
{
    apr_interval_time_t due;

    while (!store->stop && (due = due_in(store)) != 0) {
        aur_cond_wait(&store->wake, &store->lock, due < 0 ? 0 : aur_clock() + due);
    }
    return !store->stop;
}

/* Under the lock. */
static void load_ended(aur_catalog_store_t *store, apr_status_t rv, snapshot_t *snapshot,
                       const aur_error_t *err)
{
    store->ended++;
    store->tried = aur_clock();
    if (rv == APR_SUCCESS) {
        store->failures = 0;
        store->wanted = 0; /* whoever asked meanwhile has what they asked for */
        publish(store, snapshot);
    }
    else {
        store->failures++;
        store->why = *err;
    }
    aur_cond_wake_all(&store->loaded);
}

static void *work(void *data)
{
    aur_catalog_store_t *store = data;
    snapshot_t *snapshot = NULL;
    aur_error_t err;
    apr_status_t rv;

    aur_lock(&store->lock);
    while (wait_for_work(store)) {
        store->started++;
        store->wanted = 0;
        aur_unlock(&store->lock);

        aur_error_clear(&err);
        rv = load(store, &snapshot, &err);
        if (rv != APR_SUCCESS) {
            /* It is tried again and again while somebody asks: once is enough at this level. */
            store->log(store->log_ctx, store->failures ? LOG_INFO : LOG_ERR, APR_SUCCESS,
                       "the catalogue could not be loaded: %s %s", err.detail, err.native);
        }

        aur_lock(&store->lock);
        load_ended(store, rv, snapshot, &err);
    }
    aur_unlock(&store->lock);
    return NULL;
}

/* --- the store ---------------------------------------------------------------------------------- */

/* Runs before pchild's other cleanups and children: the thread must not outlive the db. */
static apr_status_t store_end(void *data)
{
    aur_catalog_store_t *store = data;

    aur_db_stop(store->db); /* the thread may be waiting for a connection */
    aur_watch_stop(store->watch);
    aur_lock(&store->lock);
    store->stop = 1;
    aur_cond_wake_all(&store->wake);
    aur_cond_wake_all(&store->loaded);
    aur_unlock(&store->lock);
    pthread_join(store->thread, NULL);
    for (; store->references; store->references = store->references->next) {
        store->references->store = NULL;
    }
    return APR_SUCCESS;
}

apr_status_t aur_catalog_store_create(aur_catalog_store_t **store, aur_db_t *db,
                                      const aur_catalog_file_t *file, apr_interval_time_t refresh,
                                      apr_interval_time_t patience, aur_log_fn *log, void *log_ctx,
                                      apr_pool_t *pchild)
{
    aur_catalog_store_t *made;
    apr_pool_t *p;
    apr_status_t rv = aur_shared_pool_create(&p, pchild, "aur_catalog_store");

    if (rv != APR_SUCCESS) {
        return rv;
    }
    made = apr_pcalloc(p, sizeof(*made));
    made->db = db;
    made->file = file;
    made->refresh = refresh;
    made->patience = patience;
    made->log = log ? log : aur_log_none;
    made->log_ctx = log_ctx;
    made->pool = p;
    /* The watch is there first, so that it ends last. */
    if ((rv = aur_lock_init(&made->lock)) != APR_SUCCESS ||
        (rv = aur_cond_init(&made->wake)) != APR_SUCCESS ||
        (rv = aur_cond_init(&made->loaded)) != APR_SUCCESS ||
        (rv = aur_watch_create(&made->watch, pchild)) != APR_SUCCESS ||
        (rv = aur_thread_start(&made->thread, work, made)) != APR_SUCCESS) {
        apr_pool_destroy(p);
        return rv;
    }
    apr_pool_pre_cleanup_register(pchild, made, store_end);
    *store = made;
    return APR_SUCCESS;
}

static void ask(aur_catalog_store_t *store)
{
    store->wanted = 1;
    aur_cond_wake(&store->wake);
}

/* Wait for the first snapshot, for as long as it makes sense: to the deadline, or to the end of a load
 * that began after we came. Under the lock. */
static void wait_for_first(aur_catalog_store_t *store, apr_interval_time_t wait_us)
{
    apr_time_t now = aur_clock(), deadline = now + wait_us;
    unsigned int before = store->started;

    ask(store);
    while (!store->current && !store->stop && now < deadline && (int)(store->ended - before) <= 0) {
        aur_cond_wait(&store->loaded, &store->lock,
                      now + WAIT_SLICE < deadline ? now + WAIT_SLICE : deadline);
        aur_unlock(&store->lock);
        aur_lock(&store->lock);
        now = aur_clock();
    }
}

apr_status_t aur_catalog_store_get(const aur_catalog_t **catalog, aur_catalog_store_t *store,
                                   apr_interval_time_t wait_us, aur_error_t *err, apr_pool_t *p)
{
    apr_status_t rv = APR_SUCCESS;

    aur_lock(&store->lock);
    if (!store->current) {
        wait_for_first(store, wait_us);
    }
    else if (store->refresh > 0 && store->started == store->ended && !store->wanted &&
             aur_clock() - store->current_since > store->refresh) {
        ask(store);
    }
    if (store->current) {
        *catalog = reference_make(store, p);
    }
    else {
        rv = aur_error_set(err, AUR_E_DB_UNAVAILABLE, NULL,
                           "The database cannot be reached; try again in a few seconds.");
        err->retry_after = 5;
        aur_error_native(err, "catalogue", store->ended > 0 ? store->why.native : "still loading");
    }
    aur_unlock(&store->lock);
    return rv;
}
