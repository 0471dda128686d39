/* SPDX-License-Identifier: MIT */
/*
 * Which process has a socket: found in /proc/PID/fd, by the socket's inode.
 *
 * A socket that several processes have open is given to the one of them that
 * started first (of two that started in the same clock tick, the one with the
 * lower pid): most often the others inherited it. A server that accepts,
 * forks and closes its own descriptor has the connection until /proc is read
 * the next time, which is when a new socket appears; then the child has it.
 */
#ifndef NM_DIAG_OWNER_H
#define NM_DIAG_OWNER_H

#include "backend.h"

struct owner {
	struct owner *next;
	struct process process;
	uint64_t start_ticks;
	size_t sockets;	 /* that were given to it and still exist */
	bool missing;	 /* one of them is gone, and its notice is not here */
	bool told;	 /* its process_start */
	bool changed;	 /* it is another program now */
	bool gone;	 /* it is no more */
	bool ended;	 /* and nothing more can come of it */
	uint64_t tx, rx; /* told in all */
	uint64_t tx_rest, rx_rest; /* of this interval, without a socket */
};

/* A socket whose owner is sought, by its inode; owner is NULL at first. */
struct held {
	uint32_t inode;
	struct owner *owner;
};

void owners_init(uint64_t max);
void owners_free(void);

/*
 * Reads /proc/PID/fd of all processes that may be looked into; sorts h.
 * Returns how many processes were refused because there is room for no more.
 */
uint64_t owners_find(struct held *h, size_t n);

/* Whose it was found to be; NULL: nobody's. */
struct owner *owners_found(struct held *h, size_t n, uint32_t inode);

/* Looks which have ended, then calls fn for each; it may say: forget it. */
void owners_check(bool (*forget)(struct owner *o));

#endif
