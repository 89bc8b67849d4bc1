/* govern_board.h - the board (aurora/board.h) where it meets the server: made once, kept across restarts, freed
 * of children that have ended. */
#ifndef AURORA_GOVERN_BOARD_H
#define AURORA_GOVERN_BOARD_H

#include "aurora/board.h"

struct server_rec;

/** post_config: make the board, or take the one of the generation before.
 * @return OK, or HTTP_INTERNAL_SERVER_ERROR after having logged why there is none */
int aur_govern_board_parent(struct server_rec *s);
/** child_init, before anything is counted. */
void aur_govern_board_child(void);
/** child_status, in the parent: a child has exited. */
void aur_govern_board_ended(pid_t pid);

/** NULL before post_config. */
aur_board_t *aur_govern_board(void);
/** This child's slot; -1: it has none. */
int aur_govern_board_slot(void);

#endif
