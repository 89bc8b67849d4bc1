/* govern_board.h - the board (aurora/board.h) where it meets the server: made once, kept across restarts, freed
 * of children that have ended. */
#ifndef AURORA_GOVERN_BOARD_H
#define AURORA_GOVERN_BOARD_H

#include "aurora/board.h"

struct server_rec;

/** post_config: make the board, or take the one of the generation before.
 * @param users  whose rates are known at once; of the board that is made, and a notice where that is another
 * @return OK, or HTTP_INTERNAL_SERVER_ERROR after having logged why there is none */
int aur_govern_board_parent(struct server_rec *s, apr_int64_t users);
/** child_init, before anything is counted. */
void aur_govern_board_child(void);
/** child_status, in the parent: a child has exited. */
void aur_govern_board_ended(pid_t pid);

/** What the board has to show; for aur_figures_register. */
extern const aur_figures_source_t aur_govern_figures;

/** NULL before post_config. */
aur_board_t *aur_govern_board(void);
/** This child's slot; -1: it has none. */
int aur_govern_board_slot(void);

#endif
