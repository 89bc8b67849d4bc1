/* govern_board.c - see aurora/govern_board.h. */
#include "aurora/govern_board.h"

#include <ap_mpm.h>
#include <http_config.h>
#include <http_log.h>
#include <unistd.h>

APLOG_USE_MODULE(aurora);

#define RETAINED "mod_aurora board"
/* Children of the last generation may still live when those of the next are all there. */
#define GENERATIONS 2
#define SPARE       8

static aur_board_t *board;
static int slot = -1;

static int children_most(void)
{
    int daemons = 0;

    if (ap_mpm_query(AP_MPMQ_HARD_LIMIT_DAEMONS, &daemons) != APR_SUCCESS || daemons < 1) {
        daemons = 1;
    }
    return GENERATIONS * daemons + SPARE;
}

int aur_govern_board_parent(server_rec *s)
{
    aur_board_t **kept = ap_retained_data_get(RETAINED);
    int children = children_most();
    apr_status_t rv;

    if (!kept) {
        kept = ap_retained_data_create(RETAINED, sizeof(*kept));
    }
    if (!aur_board_usable(*kept, children)) {
        rv = aur_board_parent_create(kept, children);
        if (rv != APR_SUCCESS) {
            ap_log_error(APLOG_MARK, APLOG_CRIT, rv, s, "AUR4001: no shared memory for %d children",
                         children);
            return HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    board = *kept;
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

aur_board_t *aur_govern_board(void)
{
    return board;
}

int aur_govern_board_slot(void)
{
    return slot;
}
