/* SPDX-License-Identifier: MIT */
/*
 * The ledger of an interval: what the interfaces of our network namespace
 * have moved, and whose it was. It closes each time:
 *
 *	nic + surplus = named + kernel + unattributed + carrier + forwarded
 *			+ no_socket
 *
 * in bytes of IP packets as the interfaces count them, for each direction.
 */
#ifndef NM_LEDGER_H
#define NM_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "backend.h"

enum ledger_line {
	LEDGER_NIC,	     /* by the interfaces' own counters */
	LEDGER_NAMED,	     /* of processes */
	LEDGER_KERNEL,	     /* of sockets that the kernel opened for itself */
	LEDGER_UNATTRIBUTED, /* of sockets that nobody is known to have */
	LEDGER_CARRIER,	     /* packed up by a tunnel of the kernel */
	LEDGER_FORWARDED,    /* on its way through */
	LEDGER_NO_SOCKET,    /* of no socket: the rest */
	LEDGER_SURPLUS,	     /* of sockets, and at no interface */
	LEDGER_LINES,
};

struct ledger_sums {
	uint64_t tx[LEDGER_LINES], rx[LEDGER_LINES];
	/* What went into tunnels: their carrier is in the other lines. */
	uint64_t tunnel_tx, tunnel_rx;
};

/* Begins with the counters as they are now. False: they cannot be read. */
bool ledger_open(void);
void ledger_close(void);

/* The interval has ended: reads the counters. Flows come next. */
void ledger_interval(void);

/* A flow of the interval, of any namespace. */
void ledger_flow(const struct flow *f);

/* So much more waits for somebody to use its socket than before. */
void ledger_waiting(const struct nm_wire *more);

/* Closes it. NULL: there is none. */
const struct ledger_sums *ledger_close_interval(void);

#endif
