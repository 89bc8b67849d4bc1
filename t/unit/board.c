/* The board: counted by many processes at once, some of which are killed, one of them with the lock. */
#include <apr_general.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "govern/board_private.h"
#include "tap.h"

#define CHILDREN 8
#define ROUNDS   4000
#define CAP      5

static aur_board_t *make_sized(int children, int tasks, apr_int64_t users)
{
    aur_board_size_t size = {children, tasks, users};
    aur_board_t *board;

    if (aur_board_parent_create(&board, &size) != APR_SUCCESS) {
        printf("Bail out! no shared memory\n");
        exit(1);
    }
    return board;
}

static aur_board_t *make(int children)
{
    return make_sized(children, 16, 16);
}

static void test_alone(void)
{
    aur_board_t *board = make(2);
    int a, b, c;

    a = aur_board_child_begin(board, 100);
    b = aur_board_child_begin(board, 101);
    ok(a >= 0 && b >= 0 && a != b, "two children, two slots");
    c = aur_board_child_begin(board, 102);
    is_int(c, -1, "no third");
    ok(aur_board_session_take(board, c, 0, 1), "who has no slot is not refused");
    aur_board_session_give(board, c, 0);
    is_int(aur_board_sessions(board, 0), 0, "nor counted");
    ok(aur_board_session_take(board, a, 0, 2) && aur_board_session_take(board, b, 0, 2),
       "two sessions");
    ok(!aur_board_session_wanted(board, 0, APR_USEC_PER_SEC), "nobody wants more");
    ok(!aur_board_session_take(board, a, 0, 2), "a third is refused");
    ok(aur_board_session_wanted(board, 0, APR_USEC_PER_SEC), "which the others can see");
    ok(!aur_board_session_wanted(board, 1, APR_USEC_PER_SEC), "for this database");
    ok(aur_board_session_take(board, a, 1, 2), "another database has its own count");
    ok(aur_board_session_take(board, a, 0, 0), "without a cap nothing is refused");
    is_int(aur_board_sessions(board, 0), 3, "three are counted");
    aur_board_parent_ended(board, 999);
    is_int(aur_board_sessions(board, 0), 3, "a process that is none of ours takes nothing with it");
    aur_board_parent_ended(board, 100);
    is_int(aur_board_sessions(board, 0), 1, "a child that ends gives back what it had");
    is_int(aur_board_sessions(board, 1), 0, "of every database");
    is_int(aur_board_child_begin(board, 103), a, "and its slot");
    ok(aur_board_once(board, AUR_ONCE_CAPACITY) && !aur_board_once(board, AUR_ONCE_CAPACITY),
       "once is once");
    aur_board_parent_begin(board);
    ok(aur_board_once(board, AUR_ONCE_CAPACITY), "in each generation");
}

static void test_databases(void)
{
    aur_board_t *board = make(1);
    char params[32];
    int i, d, wrong = 0, first = aur_board_database(board, "pgsql", "host=a");

    is_int(aur_board_database(board, "pgsql", "host=a"), first, "equal databases share an index");
    ok(aur_board_database(board, "pgsql", "host=b") != first, "others do not");
    ok(aur_board_database(board, "pgsqlhost=a", NULL) != first, "not even by their letters");
    for (i = 0; i < 3 * AUR_BOARD_DATABASES; i++) {
        snprintf(params, sizeof(params), "host=%d", i);
        d = aur_board_database(board, "pgsql", params);
        wrong += d < 0 || d >= AUR_BOARD_DATABASES;
    }
    is_int(wrong, 0, "more databases than it has room for share the last one");
    is_int(aur_board_database(board, "pgsql", "host=a"), first, "and the first keep theirs");
}

/* What several processes see of each other. */
typedef struct {
    int open, most, over;
} seen_t;

static void hammer(aur_board_t *board, seen_t *seen, int rounds)
{
    int slot = aur_board_child_begin(board, getpid()), i;

    for (i = 0; i < rounds; i++) {
        if (aur_board_session_take(board, slot, 0, CAP)) {
            int open = __atomic_add_fetch(&seen->open, 1, __ATOMIC_SEQ_CST);
            int most = __atomic_load_n(&seen->most, __ATOMIC_SEQ_CST);
            __atomic_add_fetch(&seen->over, open > CAP, __ATOMIC_SEQ_CST);
            while (open > most &&
                   !__atomic_compare_exchange_n(&seen->most, &most, open, 0, __ATOMIC_SEQ_CST,
                                                __ATOMIC_SEQ_CST)) {
            }
            if (i % 16 == 0) {
                usleep(100);
            }
            __atomic_sub_fetch(&seen->open, 1, __ATOMIC_SEQ_CST);
            aur_board_session_give(board, slot, 0);
        }
    }
}

static void test_many(void)
{
    aur_board_t *board = make(CHILDREN + 1);
    seen_t *seen =
        mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pids[CHILDREN];
    int i, status, bad = 0;

    fflush(stdout);
    for (i = 0; i < CHILDREN; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            hammer(board, seen, ROUNDS);
            _exit(0);
        }
    }
    for (i = 0; i < CHILDREN; i++) {
        waitpid(pids[i], &status, 0);
        bad += status != 0;
        aur_board_parent_ended(board, pids[i]);
    }
    is_int(bad, 0, "eight processes");
    is_int(seen->over, 0, "never have more sessions than the cap");
    ok(seen->most > 1, "and do have them side by side (%d)", seen->most);
    is_int(aur_board_sessions(board, 0), 0, "none is left");
}

/* kill -9 wherever it strikes: often enough it strikes a holder of the lock. */
static void test_killed(void)
{
    aur_board_t *board = make(4);
    seen_t *seen =
        mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid;
    int i, slot;

    fflush(stdout);
    for (i = 0; i < 100; i++) {
        pid = fork();
        if (pid == 0) {
            hammer(board, seen, 1 << 30);
            _exit(0);
        }
        usleep(2000);
        if (i % 2) {
            kill(pid, SIGSTOP); /* a parent must not wait for one that is stopped */
        }
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        aur_board_parent_ended(board, pid);
    }
    is_int(aur_board_sessions(board, 0), 0, "a hundred children killed: nothing stays counted");
    slot = aur_board_child_begin(board, getpid());
    ok(slot >= 0 && aur_board_session_take(board, slot, 0, 1), "and the next one can count");
    ok(!aur_board_session_take(board, slot, 0, 1), "rightly");
}

static void test_layout(void)
{
    aur_board_t *board = make_sized(10, 100, 50);
    static const struct {
        aur_board_size_t size;
        int usable;
        const char *name;
    } cases[] = {{{10, 100, 50}, 1, "the same size"},
                 {{9, 99, 9}, 1, "less"},
                 {{11, 100, 50}, 0, "more children"},
                 {{10, 101, 50}, 0, "more tasks"},
                 {{10, 100, 5000}, 1, "more users: the table stays as it is"}};
    unsigned i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        is_int(aur_board_usable(board, &cases[i].size), cases[i].usable, cases[i].name);
    }
    is_int(aur_board_users(board), 50, "the users it was made for");
    board->version++;
    is_int(aur_board_usable(board, &cases[0].size), 0, "another version");
    is_int(aur_board_usable(NULL, &cases[0].size), 0, "none at all");
    ok((apr_uint64_t)(size_t)aur_board_rates(board) % 64 == 0 &&
           (apr_uint64_t)(size_t)aur_board_metrics(board) % 64 == 0,
       "parts are aligned");
}

static void test_keys(void)
{
    aur_board_t *board = make(1), *other = make(1);
    char a[600], b[600];
    aur_key_t x, y;

    aur_board_key(&x, board, 'u', "ann");
    aur_board_key(&y, board, 'u', "ann");
    ok(x.hi == y.hi && x.lo == y.lo && x.hi != x.lo, "equal text, equal key");
    aur_board_key(&y, board, 'a', "ann");
    ok(x.hi != y.hi && x.lo != y.lo, "another space, another key");
    aur_board_key(&y, other, 'u', "ann");
    ok(x.hi != y.hi && x.lo != y.lo, "another server, another key");
    memset(a, 'x', sizeof(a) - 1);
    a[sizeof(a) - 1] = '\0';
    memcpy(b, a, sizeof(b));
    b[sizeof(b) - 2] = 'y';
    aur_board_key(&x, board, 'u', a);
    aur_board_key(&y, board, 'u', b);
    ok(x.hi != y.hi && x.lo != y.lo, "long text counts to its end");
}

/* Borrowers of connections, as the pool's gauges show them. */
static void test_figures(void)
{
    aur_board_t *board = make(3);
    aur_figures_t f;
    int a = aur_board_child_begin(board, 101), b = aur_board_child_begin(board, 102);

    aur_board_session_take(board, a, 0, 0);
    aur_board_session_take(board, b, 3, 0);
    aur_board_borrowers(board, a, 1, 0);
    aur_board_borrowers(board, a, -1, 1);
    aur_board_borrowers(board, b, 1, 0);
    aur_board_borrowers(board, -1, 1, 1);
    memset(&f, 0, sizeof(f));
    aur_board_figures(board, &f);
    ok(f.pool_busy == 1 && f.pool_waiting == 1 && f.pool_open == 2, "figures of all children");
    ok(f.started > apr_time_now() - 60 * APR_USEC_PER_SEC, "and since when");
    aur_board_parent_ended(board, 101);
    memset(&f, 0, sizeof(f));
    aur_board_figures(board, &f);
    ok(f.pool_busy == 0 && f.pool_waiting == 1 && f.pool_open == 1,
       "a child that has ended counts no more");
}

int main(void)
{
    apr_initialize();
    atexit(apr_terminate);
    test_alone();
    test_layout();
    test_keys();
    test_figures();
    test_databases();
    test_many();
    test_killed();
    return tap_done();
}
