/* SPDX-License-Identifier: MIT */
/*
 * The ledger of an interval: what the interfaces of a network namespace have
 * moved, and whose it was. It closes each time:
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
#include "netlink.h"
#include "nic.h"

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

/* What an amount that comes and goes was at least, in so many intervals. */
struct window {
	uint64_t least;
	unsigned intervals;
};

/*
 * What has come before its socket was used, or was sent for it, in all
 * namespaces; all zero at first.
 */
struct waiting {
	int64_t more;	  /* than before, in this interval */
	uint64_t waited;  /* in all, for sockets to be used */
	uint64_t nobodys; /* of it, told as such */
	struct window window;
	uint64_t window_us;	   /* how long that is */
	uint64_t to_tell, to_hold; /* of this interval, not taken yet */
};

/* One direction. */
struct side {
	uint64_t nic, nic_packets;
	uint64_t named, kernel, nobody;
	uint64_t packets;		 /* of all these */
	uint64_t tunnel, tunnel_packets; /* by the counters of tunnels */
	uint64_t inside, inside_packets; /* by flows, as segments */
	uint64_t lent;			 /* to the last interval */
	struct window lent_window;
	uint64_t held;	 /* back from the last interval: what waits, */
	uint64_t early;	 /* and of it, what was on its way to a socket */
	uint64_t passed; /* packets forwarded then, that were not seen yet */
};

/* That of one namespace. */
struct ledger {
	struct ledger *next; /* of ledgers.c, as these */
	uint32_t netns;
	bool fresh;	 /* the interval had begun before */
	unsigned unseen; /* looks in a row that found nobody there */

	bool unread;		    /* the last interval's counters */
	double read_s, last_read_s; /* CLOCK_MONOTONIC */
	double moment; /* that passed since, as part of the interval */
	struct netlink link;
	struct nics nics;
	uint64_t forwarded, forwarded_before; /* packets, since it was made */
	struct side tx, rx;
	struct ledger_sums sums;
};

/*
 * The interval has ended, or the first begins: reads the counters. Flows come
 * next. 0, or -1 and errno.
 */
int ledger_read(struct ledger *l);

/* What flows from now on is of the next interval. */
void ledger_turned(struct ledger *l);

/* A flow of the interval and of its namespace. */
void ledger_flow(struct ledger *l, const struct flow *f);

/* The interval has ended: what waits too long, and what is to be held back. */
void ledger_wait(struct waiting *w, uint64_t dt_us);

/*
 * Closes it; what may wait here is taken off, in each direction. False: nothing
 * moved, or the counters could not be read, and it is closed with the next.
 */
bool ledger_close(struct ledger *l, struct waiting *tx, struct waiting *rx);

#endif
