/* Tasks on the board: limits that hold whoever asks, records of what ended, cancelling; and processes that start
 * tasks side by side, are killed, or are stopped with the lock in their hand. */
#include <apr_general.h>
#include <stdint.h>

#include "govern/board_private.h"
#include "shared.h"
#include "tap.h"

static const aur_board_size_t size = {16, 200, 64};

static aur_board_t *make(void)
{
    aur_board_t *board = NULL;

    if (aur_board_parent_create(&board, &size) != APR_SUCCESS) {
        exit(1);
    }
    return board;
}

static const char *id_of(char *to, unsigned n)
{
    snprintf(to, AUR_TASK_ID_MAX, "%032x", n);
    return to;
}

static aur_admit_e begin(int *place, aur_board_t *board, unsigned id, const char *user,
                         aur_work_e work, int user_max, int queue_max)
{
    char text[AUR_TASK_ID_MAX];
    aur_task_want_t want = {.id = id_of(text, id),
                            .user = user,
                            .dataset = "SALES",
                            .work = work,
                            .user_max = user_max,
                            .queue_max = queue_max};

    aur_board_key(&want.owner, board, 'u', user);
    return aur_tasks_begin(place, board, &want);
}

static void end(aur_board_t *board, int place, aur_work_state_e state, aur_code_e code)
{
    aur_task_end_t how = {.state = state, .code = code, .rows = 7, .bytes = 99};

    aur_tasks_end(board, place, &how);
}

static aur_figures_t figures(const aur_board_t *board)
{
    aur_figures_t f;

    memset(&f, 0, sizeof(f));
    aur_tasks_figures(board, &f);
    return f;
}

/* --- limits --------------------------------------------------------------------------------------- */

static void test_limits(void)
{
    aur_board_t *board = make();
    int a, b, c, d, e;

    is_int(begin(&a, board, 1, "ann", AUR_WORK_PREVIEW, 2, 3), AUR_ADMITTED, "a first task");
    is_int(begin(&b, board, 2, "ann", AUR_WORK_CSV, 2, 3), AUR_ADMITTED, "a second");
    is_int(begin(&c, board, 3, "ann", AUR_WORK_CSV, 2, 3), AUR_ADMIT_USER_TASKS, "no third");
    is_int(c, -1, "and no place for it");
    is_int(begin(&c, board, 4, "bob", AUR_WORK_CSV, 2, 3), AUR_ADMITTED, "another user's");
    is_int(begin(&d, board, 5, "cat", AUR_WORK_XLSX, 2, 3), AUR_ADMITTED,
           "the last of three exports");
    is_int(begin(&e, board, 6, "dan", AUR_WORK_CSV, 2, 3), AUR_ADMIT_QUEUE_FULL,
           "the queue is full");
    is_int(begin(&e, board, 7, "dan", AUR_WORK_PREVIEW, 2, 3), AUR_ADMITTED,
           "but not for previews");
    is_int(figures(board).export_queue, 3, "three exports in the figures");
    is_int(figures(board).running[AUR_WORK_PREVIEW], 2, "and two previews");
    end(board, b, AUR_WORK_COMPLETE, AUR_E_NONE);
    is_int(begin(&b, board, 8, "dan", AUR_WORK_CSV, 2, 3), AUR_ADMITTED,
           "one that ends makes room");
    is_int(begin(&a, board, 9, "dan", AUR_WORK_CSV, 0, 0), AUR_ADMITTED, "0 is no limit");
}

static void test_only_tell(void)
{
    aur_board_t *board = make();
    char text[AUR_TASK_ID_MAX];
    aur_task_want_t want = {.id = id_of(text, 1),
                            .user = "ann",
                            .dataset = "",
                            .work = AUR_WORK_CSV,
                            .user_max = 1,
                            .only_tell = 1};
    int place;

    aur_board_key(&want.owner, board, 'u', "ann");
    is_int(aur_tasks_begin(&place, board, &want), AUR_ADMITTED, "only telling: the first");
    is_int(aur_tasks_begin(&place, board, &want), AUR_ADMIT_USER_TASKS,
           "the second would be refused");
    ok(place >= 0, "but has a place");
    is_int(figures(board).running[AUR_WORK_CSV], 2, "both are counted");
}

static void test_full_table(void)
{
    aur_board_t *board = make();
    int place, i, places[200];

    for (i = 0; i < 200; i++) {
        begin(&places[i], board, (unsigned)i, "ann", AUR_WORK_PREVIEW, 0, 0);
    }
    is_int(begin(&place, board, 999, "bob", AUR_WORK_PREVIEW, 2, 2), AUR_ADMIT_NO_PLACE,
           "a full table");
    end(board, places[17], AUR_WORK_COMPLETE, AUR_E_NONE);
    is_int(begin(&place, board, 999, "bob", AUR_WORK_PREVIEW, 2, 2), AUR_ADMITTED,
           "has room again");
    is_int(place, 17, "where one has ended");
    for (i = 0; i < 200; i++) {
        end(board, places[i], AUR_WORK_COMPLETE, AUR_E_NONE);
    }
    begin(&place, board, 1, "ann", AUR_WORK_PREVIEW, 1, 1);
    is_int(board->top, 1, "what is not used is not looked at");
}

/* --- records ------------------------------------------------------------------------------------------ */

static void test_records(void)
{
    aur_board_t *board = make();
    char id[AUR_TASK_ID_MAX], lang[400];
    unsigned char sha[AUR_TASK_SHA256];
    aur_task_end_t how = {AUR_WORK_COMPLETE, AUR_E_NONE, 10, 2000, 3, sha};
    aur_task_view_t view;
    aur_key_t ann, bob;
    int place;

    memset(sha, 0xab, sizeof(sha));
    aur_board_key(&ann, board, 'u', "ann");
    aur_board_key(&bob, board, 'u', "bob");
    begin(&place, board, 5, "ann", AUR_WORK_CSV, 2, 2);
    is_int(aur_tasks_find(&view, board, id_of(id, 5), &ann), AUR_TASK_FOUND,
           "a task that runs is found");
    is_str(view.user, "ann", "by its user");
    is_str(view.dataset, "SALES", "with its dataset");
    is_int(view.state, AUR_WORK_WAITING, "waiting");
    aur_tasks_running(board, place);
    aur_tasks_progress(board, place, 4, 1024);
    aur_tasks_find(&view, board, id, NULL);
    is_int(view.state, AUR_WORK_RUNNING, "running");
    ok(view.rows == 4 && view.bytes == 1024 && !view.has_sha256, "with rows and bytes so far");
    is_int(aur_tasks_find(&view, board, id, &bob), AUR_TASK_FOREIGN,
           "another user is told it is not his");
    is_int(aur_tasks_cancel(&view, board, id, &bob), AUR_TASK_FOREIGN, "nor his to cancel");
    is_int(*aur_tasks_cancel_flag(board, place), 0, "nothing happens to it");
    is_int(aur_tasks_cancel(&view, board, id, &ann), AUR_TASK_FOUND, "its owner cancels it");
    is_int(*aur_tasks_cancel_flag(board, place), 1, "which it can see");
    ok(aur_tasks_cancel_asked(board, place) > 0, "with the time of it");

    aur_tasks_end(board, place, &how);
    is_int(aur_tasks_find(&view, board, id, &ann), AUR_TASK_FOUND, "it is found after its end");
    ok(view.state == AUR_WORK_COMPLETE && view.rows == 10 && view.bytes == 2000 &&
           view.truncated_cells == 3,
       "as it ended");
    ok(view.has_sha256 && !memcmp(view.sha256, sha, sizeof(sha)), "with its digest");
    is_int(aur_tasks_find(&view, board, id, &bob), AUR_TASK_FOREIGN, "still not another's");
    aur_tasks_amend(board, id, AUR_WORK_FAILED, AUR_E_CLIENT_GONE);
    aur_tasks_find(&view, board, id, &ann);
    ok(view.state == AUR_WORK_FAILED && view.code == AUR_E_CLIENT_GONE, "a last word changes it");
    is_int(aur_tasks_find(&view, board, id_of(id, 6), NULL), AUR_TASK_UNKNOWN,
           "others are unknown");
    is_int(aur_tasks_find(&view, board, "5", NULL), AUR_TASK_UNKNOWN, "an id is whole");
    is_int(aur_tasks_find(&view, board, "", NULL), AUR_TASK_UNKNOWN, "or none");

    begin(&place, board, 7, "ann", AUR_WORK_CSV, 2, 2);
    is_int(*aur_tasks_cancel_flag(board, place), 0, "the next in its place is not cancelled");
    memset(lang, 'x', sizeof(lang) - 1);
    lang[sizeof(lang) - 1] = '\0';
    memcpy(lang + AUR_TASK_NAME_MAX - 2, "\xc3\xa4", 2);
    begin(&place, board, 8, lang, AUR_WORK_CSV, 2, 9);
    aur_tasks_find(&view, board, id_of(id, 8), NULL);
    is_int((long long)strlen(view.user), AUR_TASK_NAME_MAX - 2,
           "a long name is cut between characters");
}

static void test_ring(void)
{
    aur_board_t *board = make();
    char id[AUR_TASK_ID_MAX];
    aur_task_view_t view;
    int place;
    unsigned i, found = 0;

    begin(&place, board, 77777, "ann", AUR_WORK_CSV, 0, 0);
    end(board, place, AUR_WORK_COMPLETE, AUR_E_NONE);
    for (i = 0; i < 2500; i++) {
        begin(&place, board, i, "ann", AUR_WORK_PREVIEW, 0, 0);
        end(board, place, AUR_WORK_COMPLETE, AUR_E_NONE);
    }
    for (i = 0; i < 2500; i++) {
        found += aur_tasks_find(&view, board, id_of(id, i), NULL) == AUR_TASK_FOUND;
    }
    is_int(found, AUR_TASKS_ENDED, "the last thousand are remembered");
    is_int(aur_tasks_find(&view, board, id_of(id, 2499), NULL), AUR_TASK_FOUND,
           "the last one among them");
    is_int(aur_tasks_find(&view, board, id_of(id, 1499), NULL), AUR_TASK_UNKNOWN,
           "and none before them");
    is_int(aur_tasks_find(&view, board, id_of(id, 77777), NULL), AUR_TASK_FOUND,
           "previews do not push out exports");
}

static void count_view(void *ctx, const aur_task_view_t *view)
{
    *(int *)ctx += view->id[0] != '\0';
}

static void test_each(void)
{
    aur_board_t *board = make();
    aur_key_t ann;
    int place, mine = 0, all = 0;

    aur_board_key(&ann, board, 'u', "ann");
    begin(&place, board, 1, "ann", AUR_WORK_CSV, 0, 0);
    begin(&place, board, 2, "bob", AUR_WORK_CSV, 0, 0);
    begin(&place, board, 3, "ann", AUR_WORK_PREVIEW, 0, 0);
    aur_tasks_each(board, &ann, count_view, &mine);
    aur_tasks_each(board, NULL, count_view, &all);
    is_int(mine, 2, "a user's tasks");
    is_int(all, 3, "everybody's");
}

/* --- processes ------------------------------------------------------------------------------------------ */

typedef struct {
    aur_board_t *board;
    apr_uint32_t go, running[4], most[4], begun;
    apr_uint32_t exports, most_exports;
} crowd_t;

static void raise_most(apr_uint32_t *most, apr_uint32_t now)
{
    apr_uint32_t seen = __atomic_load_n(most, __ATOMIC_RELAXED);

    while (seen < now &&
           !__atomic_compare_exchange_n(most, &seen, now, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}

static int start_and_end(void *ctx, int n)
{
    static const char *const users[] = {"ann", "bob", "cat", "dan"};
    crowd_t *crowd = ctx;
    int i, place, u;

    while (!__atomic_load_n(&crowd->go, __ATOMIC_ACQUIRE)) {
    }
    for (i = 0; i < 3000; i++) {
        u = (i + n) % 4;
        if (begin(&place, crowd->board, (unsigned)(n * 10000 + i), users[u], AUR_WORK_CSV, 2, 5) !=
            AUR_ADMITTED) {
            continue;
        }
        raise_most(&crowd->most[u], __atomic_add_fetch(&crowd->running[u], 1, __ATOMIC_SEQ_CST));
        raise_most(&crowd->most_exports, __atomic_add_fetch(&crowd->exports, 1, __ATOMIC_SEQ_CST));
        __atomic_add_fetch(&crowd->begun, 1, __ATOMIC_RELAXED);
        __atomic_sub_fetch(&crowd->exports, 1, __ATOMIC_SEQ_CST);
        __atomic_sub_fetch(&crowd->running[u], 1, __ATOMIC_SEQ_CST);
        end(crowd->board, place, AUR_WORK_COMPLETE, AUR_E_NONE);
    }
    return 0;
}

static void test_processes(void)
{
    crowd_t *crowd = shared_memory(sizeof(*crowd));
    pid_t pids[8];
    int i;

    crowd->board = make();
    for (i = 0; i < 8; i++) {
        pids[i] = child_start(start_and_end, crowd, i);
    }
    __atomic_store_n(&crowd->go, 1, __ATOMIC_RELEASE);
    for (i = 0; i < 8; i++) {
        child_wait(pids[i]);
    }
    ok(crowd->most[0] <= 2 && crowd->most[1] <= 2 && crowd->most[2] <= 2 && crowd->most[3] <= 2,
       "eight processes: never more than two tasks of a user");
    ok(crowd->most_exports <= 5, "never more than five exports");
    ok(crowd->begun > 3000, "%u tasks ran", crowd->begun);
    is_int(figures(crowd->board).running[AUR_WORK_CSV], 0, "and none is left");
}

/* Looks on while others start and end. */
static int look_on(void *ctx, int n)
{
    crowd_t *crowd = ctx;
    char id[AUR_TASK_ID_MAX];
    aur_task_view_t view;
    int i, seen = 0;

    for (i = 0; i < 300; i++) {
        figures(crowd->board);
        aur_tasks_each(crowd->board, NULL, count_view, &seen);
        aur_tasks_cancel(&view, crowd->board, id_of(id, (unsigned)(i * 7)), NULL);
    }
    return 0;
}

static int either(void *ctx, int n)
{
    return n < 4 ? start_and_end(ctx, n) : look_on(ctx, n);
}

static void test_threads(void)
{
    crowd_t *crowd = shared_memory(sizeof(*crowd));

    crowd->board = make();
    crowd->go = 1;
    threads_run(either, crowd, 6);
    ok(crowd->most[0] <= 2 && crowd->most[1] <= 2 && crowd->most[2] <= 2 && crowd->most[3] <= 2,
       "threads that start tasks, and others that look on");
    is_int(figures(crowd->board).running[AUR_WORK_CSV], 0, "leave none");
}

static int start_two_and_hang(void *ctx, int n)
{
    crowd_t *crowd = ctx;
    int place;

    begin(&place, crowd->board, 1, "ann", AUR_WORK_CSV, 2, 5);
    aur_tasks_progress(crowd->board, place, 55, 5555);
    begin(&place, crowd->board, 2, "ann", AUR_WORK_CSV, 2, 5);
    __atomic_store_n(&crowd->go, 1, __ATOMIC_RELEASE);
    pause();
    return n;
}

static void test_killed(void)
{
    crowd_t *crowd = shared_memory(sizeof(*crowd));
    char id[AUR_TASK_ID_MAX];
    aur_task_view_t view;
    pid_t pid;
    int place;

    crowd->board = make();
    pid = child_start(start_two_and_hang, crowd, 0);
    while (!__atomic_load_n(&crowd->go, __ATOMIC_ACQUIRE)) {
        sleep_ms(1);
    }
    is_int(begin(&place, crowd->board, 3, "ann", AUR_WORK_CSV, 2, 5), AUR_ADMIT_USER_TASKS,
           "two run in a child");
    kill(pid, SIGKILL);
    child_wait(pid);
    aur_board_parent_ended(crowd->board, pid);
    is_int(figures(crowd->board).running[AUR_WORK_CSV], 0, "none after it was killed");
    is_int(begin(&place, crowd->board, 3, "ann", AUR_WORK_CSV, 2, 5), AUR_ADMITTED,
           "two new ones may start");
    is_int(begin(&place, crowd->board, 4, "ann", AUR_WORK_CSV, 2, 5), AUR_ADMITTED, "both");
    is_int(aur_tasks_find(&view, crowd->board, id_of(id, 1), NULL), AUR_TASK_FOUND,
           "what it ran is remembered");
    ok(view.state == AUR_WORK_FAILED && view.rows == 55 && view.bytes == 5555,
       "as failed, as far as it came");
}

static int take_lock_and_hang(void *ctx, int n)
{
    crowd_t *crowd = ctx;
    int place;

    begin(&place, crowd->board, 1, "ann", AUR_WORK_CSV, 1, 5);
    aur_shared_lock(&crowd->board->lock);
    __atomic_store_n(&crowd->go, 1, __ATOMIC_RELEASE);
    pause();
    return n;
}

static int wait_for_lock(void *ctx, int n)
{
    crowd_t *crowd = ctx;
    int place;

    return begin(&place, crowd->board, 2, "ann", AUR_WORK_CSV, 1, 5) != AUR_ADMITTED;
}

static void test_lock_holder(void)
{
    crowd_t *crowd = shared_memory(sizeof(*crowd));
    int all = 0, place;
    pid_t holder, waiter;
    apr_time_t from;

    crowd->board = make();
    holder = child_start(take_lock_and_hang, crowd, 0);
    while (!__atomic_load_n(&crowd->go, __ATOMIC_ACQUIRE)) {
        sleep_ms(1);
    }
    kill(holder, SIGSTOP);
    waiter = child_start(wait_for_lock, crowd, 0);
    sleep_ms(50);
    is_int(figures(crowd->board).running[AUR_WORK_CSV], 1,
           "figures do not wait for a stopped holder of the lock");
    from = aur_board_clock();
    aur_tasks_each(crowd->board, NULL, count_view, &all);
    ok(aur_board_clock() - from < 2 * APR_USEC_PER_SEC, "who only shows tasks gives up");
    is_int(waitpid(waiter, NULL, WNOHANG), 0, "who wants to start one waits");
    kill(holder, SIGKILL);
    child_wait(holder);
    aur_board_parent_ended(crowd->board, holder);
    sleep_ms(50);
    is_int(begin(&place, crowd->board, 3, "bob", AUR_WORK_CSV, 1, 5), AUR_ADMITTED,
           "the lock outlives its holder");
    child_wait(waiter);
    is_int(begin(&place, crowd->board, 4, "cat", AUR_WORK_CSV, 1, 5), AUR_ADMITTED,
           "and works from then on");
}

static int churn(void *ctx, int n)
{
    crowd_t *crowd = ctx;
    int place;
    unsigned i;

    for (i = 0;; i++) {
        if (begin(&place, crowd->board, (unsigned)n * 1000000 + i, "ann", AUR_WORK_CSV, 3, 0) ==
            AUR_ADMITTED) {
            end(crowd->board, place, AUR_WORK_COMPLETE, AUR_E_NONE);
        }
    }
    return 0;
}

static void test_killed_often(void)
{
    crowd_t *crowd = shared_memory(sizeof(*crowd));
    int i, place, admitted = 0;

    crowd->board = make();
    for (i = 0; i < 60; i++) {
        pid_t a = child_start(churn, crowd, 2 * i), b = child_start(churn, crowd, 2 * i + 1);
        sleep_ms(3);
        kill(a, SIGKILL);
        child_wait(a);
        aur_board_parent_ended(crowd->board, a);
        kill(b, SIGKILL);
        child_wait(b);
        aur_board_parent_ended(crowd->board, b);
    }
    is_int(figures(crowd->board).running[AUR_WORK_CSV], 0,
           "120 processes are killed anywhere: nothing is left of them");
    for (i = 0; i < 5; i++) {
        admitted +=
            begin(&place, crowd->board, (unsigned)i, "ann", AUR_WORK_CSV, 3, 0) == AUR_ADMITTED;
    }
    is_int(admitted, 3, "and limits are what they were");
}

int main(void)
{
    apr_initialize();
    test_limits();
    test_only_tell();
    test_full_table();
    test_records();
    test_ring();
    test_each();
    test_processes();
    test_threads();
    test_killed();
    test_lock_holder();
    test_killed_often();
    return tap_done();
}
