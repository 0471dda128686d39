/* SPDX-License-Identifier: MIT */
/*
 * The viewer on a terminal.
 */
#ifndef VIEW_LIVE_H
#define VIEW_LIVE_H

#include "view.h"

/*
 * Shows records and takes keys until somebody quits, or `count` ticks were
 * shown (0: any number). Returns the exit status, or -1 if there is no
 * terminal to draw on or to read keys from. A signal that asks us to end
 * ends us, after the terminal was given back.
 */
int live(struct view *v, struct source *s, uint64_t count);

#endif
