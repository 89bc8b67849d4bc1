/* The watch: when a task has to stop (a table of what is seen, tick by tick), and the thread that sees to it:
 * clients that leave, databases that do not answer, cancels that hang. */
#include <apr_general.h>
#include <apr_pools.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "aurora/socket.h"
#include "aurora/watch.h"
#include "aurora/sync.h"
#include "db/watch_judge.h"
#include "tap.h"

static apr_pool_t *pool;

#define MS(n) apr_time_from_msec(n)

/* --- judging ------------------------------------------------------------------------------------ */

/* A worker that does the same for a while: ticks of 50 ms. */
typedef struct {
    int ms;
    aur_task_state_e state;
    int rows;  /* progress per tick */
    int bytes; /* acknowledged per tick; -1: not known */
    int hold, gone, cancel;
} phase_t;

#define DB(ms, rows)                                                                               \
    {                                                                                              \
        ms, AUR_TASK_IN_DB, rows, 0, 1, 0, 0                                                       \
    }
#define READ(ms, b)                                                                                \
    {                                                                                              \
        ms, AUR_TASK_IN_CLIENT, 0, b, 1, 0, 0                                                      \
    }
#define SENT(ms)                                                                                   \
    {                                                                                              \
        ms, AUR_TASK_IN_CLIENT, 0, 0, 0, 0, 0                                                      \
    }
#define WAIT(ms)                                                                                   \
    {                                                                                              \
        ms, AUR_TASK_WAITING, 0, 0, 0, 0, 0                                                        \
    }

static const struct {
    const char *name;
    aur_task_limits_t limits;
    phase_t phases[6];
    aur_stop_e reason;
    int at_ms; /* within two ticks after this */
} cases[] = {
    {"nothing limits nothing", {0}, {WAIT(9000), DB(900000, 0), READ(900000, 0)}, AUR_STOP_NONE, 0},
    {"a statement without a row", {MS(1000)}, {DB(5000, 0)}, AUR_STOP_TIMEOUT, 1000},
    {"waiting for a connection is not the database's time",
     {MS(1000)},
     {WAIT(1900), DB(900, 0), SENT(5000)},
     AUR_STOP_NONE,
     0},
    {"rows begin the time anew", {MS(1000)}, {DB(60000, 1)}, AUR_STOP_NONE, 0},
    {"but not once they stop coming",
     {MS(1000)},
     {DB(3000, 1), DB(5000, 0)},
     AUR_STOP_TIMEOUT,
     4000},
    {"the client's time is not the database's",
     {MS(1000)},
     {DB(900, 0), READ(5000, 1), DB(900, 0)},
     AUR_STOP_NONE,
     0},
    {"a whole task",
     {0, MS(2000)},
     {WAIT(500), DB(1000, 1), READ(5000, 99)},
     AUR_STOP_TASK_TIMEOUT,
     2000},
    {"a whole task that waits for a connection",
     {0, MS(200)},
     {WAIT(500)},
     AUR_STOP_TASK_TIMEOUT,
     200},
    {"the reading counts in the whole task", {0, MS(300)}, {SENT(500)}, AUR_STOP_TASK_TIMEOUT, 300},
    {"a client that takes nothing",
     {0, 0, MS(2000)},
     {DB(500, 1), READ(9000, 0)},
     AUR_STOP_STALLED,
     2500},
    {"a client that takes something",
     {0, 0, MS(2000)},
     {DB(500, 1), READ(9000, 1)},
     AUR_STOP_NONE,
     0},
    {"a client that stops taking",
     {0, 0, MS(2000)},
     {READ(3000, 9), READ(9000, 0)},
     AUR_STOP_STALLED,
     5000},
    {"a client that takes nothing is nobody's concern without a connection",
     {0, 0, MS(2000), 256},
     {SENT(90000)},
     AUR_STOP_NONE,
     0},
    {"taking nothing while the database thinks is no stall",
     {0, 0, MS(2000)},
     {READ(1900, 0), DB(5000, 0), READ(1900, 0)},
     AUR_STOP_NONE,
     0},
    {"where the kernel tells no bytes a write that stands still is a stall",
     {0, 0, MS(2000)},
     {DB(500, 1), READ(9000, -1)},
     AUR_STOP_STALLED,
     2500},
    {"too slow: 20 bytes a second where 256 are asked",
     {0, 0, MS(60000), 256},
     {READ(90000, 1)},
     AUR_STOP_TOO_SLOW,
     30000},
    {"fast enough: 260 bytes a second",
     {0, 0, MS(60000), 256},
     {READ(300000, 13)},
     AUR_STOP_NONE,
     0},
    {"just not: 240 bytes a second",
     {0, 0, MS(60000), 256},
     {READ(300000, 12)},
     AUR_STOP_TOO_SLOW,
     30000},
    {"a full buffer at the beginning hides it for one window only",
     {0, 0, MS(60000), 256},
     {READ(1000, 50000), READ(90000, 1)},
     AUR_STOP_TOO_SLOW,
     31000},
    {"a fast client that turns slow",
     {0, 0, MS(60000), 256},
     {READ(120000, 5000), READ(90000, 1)},
     AUR_STOP_TOO_SLOW,
     150000},
    {"the database's time is not in the average",
     {0, 0, 0, 256},
     {READ(10000, 20), DB(100000, 0), READ(10000, 20), DB(60000, 0)},
     AUR_STOP_NONE,
     0},
    {"a client that has left",
     {MS(9000)},
     {DB(700, 0), {100, AUR_TASK_IN_DB, 0, 0, 1, 1, 0}},
     AUR_STOP_CLIENT_GONE,
     700},
    {"a client that leaves the queue",
     {0},
     {WAIT(700), {100, AUR_TASK_WAITING, 0, 0, 0, 1, 0}},
     AUR_STOP_CLIENT_GONE,
     700},
    {"a cancel", {0}, {DB(700, 0), {100, AUR_TASK_IN_DB, 0, 0, 1, 0, 1}}, AUR_STOP_CANCELLED, 700},
};

static void test_judge(void)
{
    apr_size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        aur_judge_t judge;
        aur_seen_t seen;
        aur_stop_e reason = AUR_STOP_NONE;
        int phase, ms, at = 0, tick = (int)apr_time_as_msec(AUR_WATCH_TICK);
        apr_time_t start = 7777;

        memset(&judge, 0, sizeof(judge));
        memset(&seen, 0, sizeof(seen));
        aur_judge_begin(&judge, start);
        for (phase = 0; phase < 6 && !reason; phase++) {
            const phase_t *now = &cases[i].phases[phase];
            for (ms = 0; ms < now->ms && !reason; ms += tick) {
                at += tick;
                seen.now = start + MS(at);
                seen.progress += (apr_uint64_t)now->rows + (seen.state != now->state);
                seen.state = now->state;
                seen.acked_known = now->state == AUR_TASK_IN_CLIENT && now->hold && now->bytes >= 0;
                seen.acked += now->bytes > 0 ? (apr_uint64_t)now->bytes : 0;
                seen.holding = now->hold;
                seen.gone = now->gone;
                seen.cancelled = now->cancel;
                reason = aur_judge(&judge, &cases[i].limits, &seen);
            }
        }
        if (!ok(reason == cases[i].reason &&
                    (!reason || (at >= cases[i].at_ms && at <= cases[i].at_ms + 3 * tick)),
                "%s", cases[i].name)) {
            printf("# reason %d after %d ms, expected %d after %d\n", (int)reason, at,
                   (int)cases[i].reason, cases[i].at_ms);
        }
    }
}

/* --- the thread --------------------------------------------------------------------------------- */

typedef struct {
    int pair[2]; /* the server's end, the client's end */
    int shuts;   /* atomic */
} client_t;

static int client_gone(void *ctx)
{
    return aur_socket_gone(((client_t *)ctx)->pair[0]);
}

static void client_shut(void *ctx)
{
    client_t *client = ctx;

    __atomic_add_fetch(&client->shuts, 1, __ATOMIC_SEQ_CST);
    aur_socket_shut(client->pair[0]);
}

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    int holds, cancels, abandons, hang, hang_abandon;
} target_t;

static void change(target_t *target, int *what, int by)
{
    pthread_mutex_lock(&target->lock);
    *what += by;
    pthread_cond_broadcast(&target->cond);
    pthread_mutex_unlock(&target->lock);
}

static void target_hold(void *ctx)
{
    change(ctx, &((target_t *)ctx)->holds, 1);
}

static void target_drop(void *ctx)
{
    change(ctx, &((target_t *)ctx)->holds, -1);
}

static void wait_while(target_t *target, const int *hang)
{
    pthread_mutex_lock(&target->lock);
    while (*hang) {
        pthread_cond_wait(&target->cond, &target->lock);
    }
    pthread_mutex_unlock(&target->lock);
}

static void target_cancel(void *ctx)
{
    target_t *target = ctx;

    change(target, &target->cancels, 1);
    wait_while(target, &target->hang);
}

static void target_abandon(void *ctx)
{
    target_t *target = ctx;

    change(target, &target->abandons, 1);
    wait_while(target, &target->hang_abandon);
}

static const aur_task_target_t target_ops = {target_hold, target_drop, target_cancel,
                                             target_abandon};

static int read_of(target_t *target, const int *what)
{
    int n;

    pthread_mutex_lock(&target->lock);
    n = *what;
    pthread_mutex_unlock(&target->lock);
    return n;
}

typedef struct {
    apr_pool_t *pchild, *request;
    aur_watch_t *watch;
    client_t client;
    target_t target;
    aur_task_t *task;
} fixture_t;

static int shared; /* others' answers go through the client's socket, too */

static void set_up(fixture_t *f, aur_task_limits_t limits)
{
    aur_task_client_t client = {&f->client, client_gone, NULL, client_shut, shared};

    memset(f, 0, sizeof(*f));
    pthread_mutex_init(&f->target.lock, NULL);
    pthread_cond_init(&f->target.cond, NULL);
    apr_pool_create(&f->pchild, pool);
    apr_pool_create_unmanaged_ex(&f->request, NULL, NULL);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, f->client.pair) != 0 ||
        aur_watch_create(&f->watch, f->pchild) != APR_SUCCESS) {
        printf("Bail out! no watch\n");
        exit(1);
    }
    f->task = aur_task_enter(f->watch, &limits, &client, f->request);
}

static void tear_down(fixture_t *f)
{
    apr_pool_destroy(f->request);
    apr_pool_destroy(f->pchild);
    close(f->client.pair[0]);
    if (f->client.pair[1] >= 0) {
        close(f->client.pair[1]);
    }
}

/* Wait until the task has a reason. @return how long, in ms; -1: it never came */
static int wait_reason(fixture_t *f, int most_ms)
{
    apr_time_t start = aur_clock();

    while (aur_task_reason(f->task) == AUR_STOP_NONE) {
        if (aur_clock() - start > MS(most_ms)) {
            return -1;
        }
        apr_sleep(MS(2));
    }
    return (int)apr_time_as_msec(aur_clock() - start);
}

static int wait_for(target_t *target, const int *what, int n, int most_ms)
{
    apr_time_t start = aur_clock();

    while (read_of(target, what) != n && aur_clock() - start < MS(most_ms)) {
        apr_sleep(MS(2));
    }
    return read_of(target, what) == n;
}

static void test_timeout(void)
{
    fixture_t f;
    int took;

    set_up(&f, (aur_task_limits_t){.query_timeout = MS(300)});
    aur_task_attach(f.task, &target_ops, &f.target);
    aur_task_state(f.task, AUR_TASK_IN_DB);
    took = wait_reason(&f, 3000);
    ok(aur_task_reason(f.task) == AUR_STOP_TIMEOUT, "a statement over its limit is stopped");
    ok(took >= 250 && took < 1000, "in time (%d ms)", took);
    ok(wait_for(&f.target, &f.target.cancels, 1, 1000), "in the database");
    ok(wait_for(&f.target, &f.target.abandons, 1, 3000), "and cut off when that does not help");
    aur_task_cancel(f.task, AUR_STOP_CANCELLED);
    is_int(aur_task_reason(f.task), AUR_STOP_TIMEOUT, "the first reason stays");
    aur_task_detach(f.task);
    is_int(read_of(&f.target, &f.target.cancels), 1, "it was cancelled once");
    is_int(read_of(&f.target, &f.target.abandons), 1, "and cut off once");
    ok(wait_for(&f.target, &f.target.holds, 0, 1000), "nobody holds it after the detaching");
    is_int(__atomic_load_n(&f.client.shuts, __ATOMIC_SEQ_CST), 0, "the client can still be told");
    is_int(aur_watch_count(f.watch), 1, "one task");
    aur_task_leave(f.task);
    aur_task_leave(f.task);
    is_int(aur_watch_count(f.watch), 0, "and none, left twice");
    tear_down(&f);
}

/* What is left for the next answer. */
static void test_patience(void)
{
    fixture_t f;

    ok(aur_task_patience(NULL) == 0, "without a task there is no limit for an answer");
    set_up(&f, (aur_task_limits_t){0});
    ok(aur_task_patience(f.task) == 0, "nor without limits");
    tear_down(&f);
    set_up(&f, (aur_task_limits_t){.query_timeout = MS(300)});
    ok(aur_task_patience(f.task) == MS(300), "one answer's limit");
    tear_down(&f);
    set_up(&f, (aur_task_limits_t){.query_timeout = MS(60000), .task_timeout = MS(200)});
    apr_sleep(MS(20));
    ok(aur_task_patience(f.task) <= MS(180) && aur_task_patience(f.task) > 0,
       "what is left of the whole when that is less");
    apr_sleep(MS(200));
    ok(aur_task_patience(f.task) == 1, "nothing left is not for ever");
    tear_down(&f);
    set_up(&f, (aur_task_limits_t){.query_timeout = MS(300), .task_timeout = MS(60000)});
    ok(aur_task_patience(f.task) == MS(300), "the answer's limit when that is less");
    tear_down(&f);
}

static void test_client_gone(int state, const char *what)
{
    fixture_t f;
    int took;

    set_up(&f, (aur_task_limits_t){0});
    if (state != AUR_TASK_WAITING) {
        aur_task_attach(f.task, &target_ops, &f.target);
    }
    aur_task_state(f.task, state);
    ok(wait_reason(&f, 200) < 0, "%s: a client that is there is left alone", what);
    if (state == AUR_TASK_IN_DB) {
        shutdown(f.client.pair[1], SHUT_WR); /* a half-closed one reads no answer */
    }
    else {
        close(f.client.pair[1]);
        f.client.pair[1] = -1;
    }
    took = wait_reason(&f, 3000);
    ok(aur_task_reason(f.task) == AUR_STOP_CLIENT_GONE && took < 500,
       "%s: one that leaves is noticed (%d ms)", what, took);
    ok(wait_for(&f.target, &f.target.cancels, state != AUR_TASK_WAITING, 1000),
       "%s: what runs for it is cancelled", what);
    aur_task_detach(f.task);
    tear_down(&f);
}

static void *write_all(void *ctx)
{
    char bytes[65536];
    int fd = *(int *)ctx;

    memset(bytes, 'x', sizeof(bytes));
    while (send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL) > 0) {
    }
    return NULL;
}

static void test_blocked_write(void)
{
    fixture_t f;
    pthread_t writer;

    set_up(&f, (aur_task_limits_t){.stall_timeout = MS(400)});
    aur_task_attach(f.task, &target_ops, &f.target);
    aur_task_state(f.task, AUR_TASK_IN_CLIENT);
    pthread_create(&writer, NULL, write_all, &f.client.pair[0]);
    pthread_join(writer, NULL); /* only the watch can end it */
    is_int(aur_task_reason(f.task), AUR_STOP_STALLED, "a write that nobody reads comes to an end");
    ok(wait_for(&f.target, &f.target.cancels, 1, 1000), "and its statement is cancelled");
    is_int(__atomic_load_n(&f.client.shuts, __ATOMIC_SEQ_CST), 1, "by one shutdown");
    aur_task_detach(f.task);
    tear_down(&f);
}

/* A socket that carries others' answers is shut down only when the task has had time to end by itself. */
static void test_shared_write(void)
{
    fixture_t f;
    pthread_t writer;
    apr_time_t begun = apr_time_now();

    shared = 1;
    set_up(&f, (aur_task_limits_t){.task_timeout = MS(200)});
    shared = 0;
    aur_task_attach(f.task, &target_ops, &f.target);
    aur_task_state(f.task, AUR_TASK_IN_CLIENT);
    pthread_create(&writer, NULL, write_all, &f.client.pair[0]);
    ok(wait_for(&f.target, &f.target.cancels, 1, 1000), "its statement is cancelled at once");
    pthread_join(writer, NULL);
    ok(apr_time_now() - begun >= MS(200) + AUR_WATCH_GRACE,
       "a blocked write on a shared socket has its time to come back");
    is_int(__atomic_load_n(&f.client.shuts, __ATOMIC_SEQ_CST), 1, "and no longer");
    aur_task_detach(f.task);
    tear_down(&f);
}

static void test_flag(void)
{
    apr_uint32_t flag = 0;
    fixture_t f;

    set_up(&f, (aur_task_limits_t){.cancel_flag = &flag});
    aur_task_attach(f.task, &target_ops, &f.target);
    aur_task_state(f.task, AUR_TASK_IN_DB);
    ok(wait_reason(&f, 150) < 0, "a flag that is not set");
    __atomic_store_n(&flag, 1, __ATOMIC_RELAXED);
    ok(wait_reason(&f, 1000) >= 0 && aur_task_reason(f.task) == AUR_STOP_CANCELLED,
       "and one that is");
    aur_task_detach(f.task);
    tear_down(&f);
}

/* A cancel that hangs: the worker gets away, the target is held, the watch may end. */
static void test_hanging_cancel(void)
{
    fixture_t f;
    apr_time_t start;

    set_up(&f, (aur_task_limits_t){0});
    f.target.hang = 1;
    aur_task_attach(f.task, &target_ops, &f.target);
    aur_task_state(f.task, AUR_TASK_IN_DB);
    aur_task_cancel(f.task, AUR_STOP_CANCELLED);
    ok(wait_for(&f.target, &f.target.cancels, 1, 1000), "a cancel that does not come back");
    start = aur_clock();
    aur_task_detach(f.task);
    ok(aur_clock() - start < AUR_WATCH_GRACE + MS(500),
       "is not waited for much longer than a second");
    is_int(read_of(&f.target, &f.target.holds), 1, "the target is still held");
    start = aur_clock();
    tear_down(&f);
    ok(aur_clock() - start < AUR_WATCH_GRACE + MS(500), "nor by the end of the child");
    change(&f.target, &f.target.hang, -1);
    ok(wait_for(&f.target, &f.target.holds, 0, 1000),
       "it is let go when the cancel does come back");
    apr_sleep(MS(50)); /* for its thread to let go of the watch */
}

/* Neither a cancel nor a cut that hangs is in the way of other tasks. */
static void test_hanging_abandon(void)
{
    aur_task_limits_t limits = {.query_timeout = MS(100)};
    aur_task_client_t client = {NULL, NULL, NULL, NULL};
    target_t other;
    aur_task_t *task;
    apr_pool_t *p;
    fixture_t f;

    memset(&other, 0, sizeof(other));
    pthread_mutex_init(&other.lock, NULL);
    pthread_cond_init(&other.cond, NULL);
    set_up(&f, (aur_task_limits_t){0});
    f.target.hang = f.target.hang_abandon = 1;
    aur_task_attach(f.task, &target_ops, &f.target);
    aur_task_state(f.task, AUR_TASK_IN_DB);
    aur_task_cancel(f.task, AUR_STOP_CANCELLED);
    ok(wait_for(&f.target, &f.target.abandons, 1, 3000), "a cut that does not come back");
    apr_pool_create_unmanaged_ex(&p, NULL, NULL);
    task = aur_task_enter(f.watch, &limits, &client, p);
    aur_task_attach(task, &target_ops, &other);
    aur_task_state(task, AUR_TASK_IN_DB);
    ok(wait_for(&other, &other.cancels, 1, 1000), "another statement is stopped in time");
    ok(wait_for(&other, &other.abandons, 1, 3000), "and cut off in time");
    aur_task_detach(task);
    apr_pool_destroy(p);
    aur_task_detach(f.task);
    ok(wait_for(&other, &other.holds, 0, 1000), "that one is let go");
    is_int(read_of(&f.target, &f.target.holds), 2, "the first is held by both");
    change(&f.target, &f.target.hang, -1);
    change(&f.target, &f.target.hang_abandon, -1);
    ok(wait_for(&f.target, &f.target.holds, 0, 1000), "until they come back");
    tear_down(&f);
}

static void test_stop(void)
{
    fixture_t f;

    set_up(&f, (aur_task_limits_t){0});
    aur_task_attach(f.task, &target_ops, &f.target);
    aur_task_state(f.task, AUR_TASK_IN_DB);
    aur_watch_stop(f.watch);
    ok(wait_reason(&f, 1000) >= 0 && aur_task_reason(f.task) == AUR_STOP_STOPPING,
       "a child that stops stops its tasks");
    ok(wait_for(&f.target, &f.target.cancels, 1, 1000), "in the database");
    aur_task_detach(f.task);
    tear_down(&f);

    set_up(&f, (aur_task_limits_t){0});
    aur_task_attach(f.task, &target_ops, &f.target);
    aur_task_state(f.task, AUR_TASK_IN_DB);
    apr_pool_destroy(f.pchild);
    is_int(aur_task_reason(f.task), AUR_STOP_STOPPING, "the end of the child does so too");
    is_int(read_of(&f.target, &f.target.cancels), 1, "and has cancelled when it returns");
    aur_task_detach(f.task);
    aur_task_leave(f.task);
    apr_pool_create(&f.pchild, pool);
    tear_down(&f);
}

/* --- many --------------------------------------------------------------------------------------- */

#define WORKERS 8
#define ROUNDS  300

typedef struct {
    aur_watch_t *watch;
    int which, wrong;
} worker_t;

static void *work(void *ctx)
{
    worker_t *w = ctx;
    target_t target;
    client_t client = {.shuts = 0};
    aur_task_client_t ops = {&client, client_gone, NULL, client_shut};
    aur_task_limits_t limits = {.query_timeout = apr_time_from_sec(60)};
    int i;

    memset(&target, 0, sizeof(target));
    pthread_mutex_init(&target.lock, NULL);
    pthread_cond_init(&target.cond, NULL);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, client.pair) != 0) {
        w->wrong = ROUNDS;
        return NULL;
    }
    for (i = 0; i < ROUNDS; i++) {
        apr_pool_t *p;
        aur_task_t *task;
        int cancel = i % 10 == w->which % 10, before = read_of(&target, &target.cancels);
        apr_pool_create_unmanaged_ex(&p, NULL, NULL);
        task = aur_task_enter(w->watch, &limits, &ops, p);
        aur_task_attach(task, &target_ops, &target);
        aur_task_state(task, AUR_TASK_IN_DB);
        aur_task_progress(task);
        if (cancel) {
            aur_task_cancel(task, AUR_STOP_CANCELLED);
            wait_for(&target, &target.cancels, before + 1, 2000);
        }
        aur_task_detach(task);
        w->wrong += read_of(&target, &target.holds) != 0;
        w->wrong += read_of(&target, &target.cancels) != before + cancel;
        if (i % 2) {
            aur_task_leave(task);
        }
        apr_pool_destroy(p);
    }
    close(client.pair[0]);
    close(client.pair[1]);
    return NULL;
}

static void test_many(void)
{
    pthread_t threads[WORKERS];
    worker_t workers[WORKERS];
    apr_pool_t *pchild;
    aur_watch_t *watch;
    int i, wrong = 0;

    apr_pool_create(&pchild, pool);
    aur_watch_create(&watch, pchild);
    for (i = 0; i < WORKERS; i++) {
        workers[i] = (worker_t){watch, i, 0};
        pthread_create(&threads[i], NULL, work, &workers[i]);
    }
    for (i = 0; i < WORKERS; i++) {
        pthread_join(threads[i], NULL);
        wrong += workers[i].wrong;
    }
    is_int(wrong, 0, "eight workers: each cancel meets its own statement and no other");
    is_int(aur_watch_count(watch), 0, "no task is left");
    apr_pool_destroy(pchild);
}

int main(void)
{
    apr_initialize();
    atexit(apr_terminate);
    apr_pool_create(&pool, NULL);
    test_judge();
    test_timeout();
    test_patience();
    test_client_gone(AUR_TASK_WAITING, "waiting");
    test_client_gone(AUR_TASK_IN_DB, "in the database");
    test_client_gone(AUR_TASK_IN_CLIENT, "reading");
    test_blocked_write();
    test_shared_write();
    test_flag();
    test_hanging_cancel();
    test_hanging_abandon();
    test_stop();
    test_many();
    apr_pool_destroy(pool);
    return tap_done();
}
