/* SPDX-License-Identifier: MIT */
/*
 * One line of input at the bottom of the screen, edited with GNU readline:
 * its keys, its history, the user's inputrc(5).
 */
#ifndef VIEW_PROMPT_H
#define VIEW_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

/* Label and text are what is shown at first. */
void prompt_open(const char *label, const char *text);
bool prompt_is_open(void);

/*
 * Keys (see action.h), all that belong together: an Esc that is followed by
 * others is the begin of a sequence. A Return closes the prompt.
 */
void prompt_feed(const int *keys, size_t n);

/* Closes it with an empty text. */
void prompt_cancel(void);

/* What is in the line, or was when it was closed. As it was typed. */
const char *prompt_text(void);

void prompt_draw(int y);

#endif
