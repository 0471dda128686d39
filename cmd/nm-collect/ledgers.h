/* SPDX-License-Identifier: MIT */
/*
 * The ledgers that are kept: of our own network namespace, and of those that
 * --netns names.
 *
 * Our descriptors keep a namespace alive, so they are closed when nothing else
 * does: no process lives in it, it is not mounted, and nothing flows there.
 */
#ifndef NM_LEDGERS_H
#define NM_LEDGERS_H

#include "ledger.h"

/*
 * Begins with the counters as they are now. False, and errno: ours cannot be
 * read. Ends the program if one that was named cannot be entered.
 */
bool ledgers_open(void);
void ledgers_close(void);

/* The interval has ended: reads the counters. */
void ledgers_interval(void);

/* A moment later: what flows from now on is of the next. Flows come next. */
void ledgers_turned(void);

/* A flow of the interval, of any namespace. */
void ledgers_flow(const struct flow *f);

/* So much more waits for somebody to use its socket than before. */
void ledgers_waiting(const struct nm_wire *more);

/*
 * Closes them, and tells of each other namespace in which something moved.
 * Returns ours, or NULL: there is none.
 */
typedef void ledger_fn(uint32_t netns, const struct ledger_sums *sums);
const struct ledger_sums *ledgers_tell(ledger_fn *tell, uint64_t dt_us);

#endif
