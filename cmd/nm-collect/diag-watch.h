/* SPDX-License-Identifier: MIT */
/*
 * Keeps the table of connections: counters grow with each dump and get their
 * last value from the notice of the end. UDP sockets are in it as well, but
 * not counted.
 *
 * Dumps and notices are read one after the other, each to its end. So what
 * comes out of a dump is never older than a notice that was read before: a
 * connection is not found again after its end, and not counted twice.
 *
 * TCP sockets are not listed where nothing can have changed: no segment came
 * or left in their namespace, and no byte waits in a buffer.
 */
#ifndef NM_DIAG_WATCH_H
#define NM_DIAG_WATCH_H

#include "diag-table.h"

/* What found no place in the table. */
struct watch_lost {
	uint64_t flows; /* connections that were only seen at their end */
	uint64_t tx_bytes, rx_bytes; /* of those */
	uint64_t notices;	     /* how often the kernel dropped some */
};

/*
 * Takes note of what there is; its past is not told. ended_max: connections
 * between two dumps to be kept. 0, or -1 and errno.
 */
int watch_start(uint64_t ended_max);

/* Notices that are waiting, to be taken now. 0, or -1 and errno */
int watch_wake(void);

/* At the end of an interval: all that is to be known. 0, or -1 and errno */
int watch_all(void);

/* How many dumps in a row did not have it; too many if there will be none. */
uint32_t watch_missed(const struct connection *c);

/*
 * To be called when it was told of, last: does it keep its namespace, and what
 * must be looked at again?
 */
void watch_hold(const struct connection *c);

/* Can UDP sockets be listed? */
bool watch_has_udp(void);

/*
 * To be called before a connection is told of, after a dump: who opened it is
 * then known, by whether somebody listens, or has until now, on its port.
 * False: in an interval. The listener may have ended before the dump, and the
 * kernel, which sends notices a moment later, has yet to tell.
 */
bool watch_settle(struct connection *c);

/* Since it was asked the last time. */
struct watch_lost watch_take_lost(void);

#endif
