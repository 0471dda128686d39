/* SPDX-License-Identifier: MIT */
/*
 * The heap while nm-collect starts, and afterwards.
 */
#ifndef NM_HEAP_H
#define NM_HEAP_H

/* To be called before much memory is needed for a short time. */
void heap_enlarge(void);

/* Gives back what is free. */
void heap_shrink(void);

#endif
