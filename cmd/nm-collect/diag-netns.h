/* SPDX-License-Identifier: MIT */
/*
 * The network namespaces that are watched: our own and, with the rights, those
 * that processes live in or that are mounted.
 *
 * Our descriptors keep a namespace alive, so they are closed when nothing
 * else does: no process lives in it, it is not mounted, and no process outside
 * of it has a connection there.
 */
#ifndef NM_DIAG_NETNS_H
#define NM_DIAG_NETNS_H

#include "diag-netlink.h"
#include "snmp.h"

/* Ports on which somebody listens, see diag-ports.c. */
struct ports {
	uint32_t *port;
	size_t n, room;
	bool sorted;
};

struct netns {
	struct netns *next; /* in its bucket */
	uint32_t inode;
	struct netlink link;
	bool own;
	bool inhabited; /* by the last look at processes and mounts */
	bool closed;	/* not watched: nothing held it, or */
	bool refused;	/* it could not be entered */
	unsigned idle;	/* intervals in a row in which nothing held it */

	/* Of diag-watch.c */
	size_t connections; /* in the table */
	bool held;	    /* by one of them */
	bool starting;	    /* what was before is not told */
	bool unsettled;	    /* something can change without a segment */
	uint32_t dump;	    /* number of the last one */
	uint32_t udp_dump;
	uint64_t dump_ms;	  /* when that began, CLOCK_MONOTONIC */
	uint64_t dumped_ms;	  /* and ended */
	uint64_t before_ms;	  /* when the one before it had ended */
	struct ports listened[2]; /* since the last dump, and before */
	struct snmp snmp;	  /* as of then */
	uint64_t udp_tx, udp_rx;  /* datagrams, not told yet */
};

/*
 * Opens our own namespace, and the others that there are. 0, or -1 and errno.
 */
int netns_start(void);
void netns_stop(void);

/* Are others than our own watched? */
bool netns_all(void);

/* Finds those that are new, and sees which are inhabited; see netns-look.h. */
void netns_look(void);

/* Calls fn for each that is watched, until it returns other than 0. */
int netns_each(int (*fn)(struct netns *n));

/* Readable when a notice is waiting in one; then netns_ready() gives those. */
int netns_fd(void);
int netns_ready(int (*fn)(struct netns *n));

/* Closes those that nothing holds. To be called once an interval. */
void netns_sweep(void);

/* An errno, if one could not be opened since this was asked; else 0. */
int netns_take_trouble(void);

#endif
