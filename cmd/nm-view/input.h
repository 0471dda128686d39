/* SPDX-License-Identifier: MIT */
/*
 * Keys from the terminal, through curses.
 */
#ifndef VIEW_INPUT_H
#define VIEW_INPUT_H

/* The next key (see action.h), or KEY_NONE if none is waiting. */
int input_key(void);

#endif
