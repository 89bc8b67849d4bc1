/* govern_board.c - see aurora/govern_board.h. */
#include "aurora/govern_board.h"

#include <ap_mpm.h>
#include <http_config.h>
#include <http_log.h>
#include <unistd.h>

#include "aurora/tasks.h"

APLOG_USE_MODULE(aurora);

#define RETAINED "mod_aurora board"
/* Children of the last generation may still live when those of the next are all there. */
#define GENERATIONS 2
#define SPARE       8

static aur_board_t *board;
static int slot = -1;

/* Streams of HTTP/2 run on threads of their own, at most half as many again. */
#define TASKS_PER_THREAD 2

static int threads_most(void)
{
    int threaded = AP_MPMQ_NOT_SUPPORTED, threads = 0;

    if (ap_mpm_query(AP_MPMQ_IS_THREADED, &threaded) != APR_SUCCESS ||
        threaded == AP_MPMQ_NOT_SUPPORTED ||
        ap_mpm_query(AP_MPMQ_HARD_LIMIT_THREADS, &threads) != APR_SUCCESS || threads < 1) {
        return 1;
    }
    return threads * TASKS_PER_THREAD;
}

static int children_most(void)
{
    int daemons = 0;

    if (ap_mpm_query(AP_MPMQ_HARD_LIMIT_DAEMONS, &daemons) != APR_SUCCESS || daemons < 1) {
        daemons = 1;
    }
    return GENERATIONS * daemons + SPARE;
}

static void sized(aur_board_size_t *size, apr_int64_t users)
{
    size->children = children_most();
    size->tasks = size->children * threads_most();
    size->users = users;
}

int aur_govern_board_parent(server_rec *s, apr_int64_t users)
{
    aur_board_t **kept = ap_retained_data_get(RETAINED);
    aur_board_size_t size;
    apr_status_t rv;

    sized(&size, users);
    if (!kept) {
        kept = ap_retained_data_create(RETAINED, sizeof(*kept));
    }
    if (!aur_board_usable(*kept, &size)) {
        rv = aur_board_parent_create(kept, &size);
        if (rv != APR_SUCCESS) {
            ap_log_error(APLOG_MARK, APLOG_CRIT, rv, s, "AUR4001: no shared memory for %d children",
                         size.children);
            return HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    if (aur_board_users(*kept) != users) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s,
                     "AUR4002: AuroraUsersMax stays %" APR_INT64_T_FMT
                     " until the server is stopped and started: limits count on across a restart",
                     aur_board_users(*kept));
    }
    board = *kept;
    aur_metrics_use(aur_board_metrics(board));
    aur_board_parent_begin(board);
    return OK;
}

void aur_govern_board_child(void)
{
    slot = board ? aur_board_child_begin(board, getpid()) : -1;
}

void aur_govern_board_ended(pid_t pid)
{
    if (board) {
        aur_board_parent_ended(board, pid);
    }
}

static void fill(aur_figures_t *figures)
{
    if (board) {
        aur_board_figures(board, figures);
        aur_tasks_figures(board, figures);
    }
}

static void show(aur_task_view_fn *each, void *ctx)
{
    if (board) {
        aur_tasks_each(board, NULL, each, ctx);
    }
}

const aur_figures_source_t aur_govern_figures = {fill, show};

aur_board_t *aur_govern_board(void)
{
    return board;
}

int aur_govern_board_slot(void)
{
    return slot;
}
