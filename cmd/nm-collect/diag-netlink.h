/* SPDX-License-Identifier: MIT */
/*
 * NETLINK_SOCK_DIAG, as far as the backend diag needs it: all TCP and UDP
 * sockets of a network namespace at one moment, and a notice of each TCP
 * socket that is gone.
 */
#ifndef NM_DIAG_NETLINK_H
#define NM_DIAG_NETLINK_H

#include <linux/inet_diag.h>

#include "backend.h"
#include "netlink.h"

/* include/net/tcp_states.h, the numbers of /proc/net/tcp */
enum tcp_state {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT,
	TCP_SYN_RECV,
	TCP_FIN_WAIT1,
	TCP_FIN_WAIT2,
	TCP_TIME_WAIT,
	TCP_CLOSE,
	TCP_CLOSE_WAIT,
	TCP_LAST_ACK,
	TCP_LISTEN,
	TCP_CLOSING,
};

/* What the kernel says of one socket. */
struct sample {
	const struct netlink *link; /* where it was asked */
	uint8_t family;
	uint8_t state;
	uint64_t cookie;
	uint32_t inode; /* 0: not accepted yet, or closed by its program */
	struct inet_diag_sockid id;
	struct nm_addr laddr, raddr;
	uint16_t lport, rport; /* host order */

	bool counted;	     /* false: the rest is not known */
	uint32_t unread;     /* received, not read; an unread FIN counts 1 */
	uint32_t unsent;     /* given by the program; a queued FIN counts 1 */
	uint32_t flying;     /* packets that were sent and not acknowledged */
	uint64_t sent;	     /* payload, retransmissions not counted again */
	uint64_t acked;	     /* with the FIN, and the SYN of who connected */
	uint64_t received;   /* in order; with the FIN */
	uint32_t ack_age_ms; /* since the last acknowledgement came */
};

typedef void sample_fn(const struct sample *s);

/* A cheap question: kernel modules that are missing show here. */
int diag_try(const struct netlink *l);

/*
 * Calls fn for each TCP socket that is connected, closing or listening; also
 * for those that the kernel keeps after their end in FIN_WAIT2, uncounted.
 * One may come twice. 0, or -1 and errno.
 */
int diag_dump(const struct netlink *l, sample_fn *fn);

/* The same for each UDP socket that has a port; none is counted. */
int diag_dump_udp(const struct netlink *l, sample_fn *fn);

/*
 * Calls fn for each notice that is waiting: counters as they were at the
 * end, inode 0, state TCP_CLOSE. Returns how often the kernel had to drop
 * notices, or -1 and errno.
 */
int diag_notices(const struct netlink *l, sample_fn *fn);

/* The state in which the kernel keeps this socket now; 0: not at all. */
int diag_state(const struct sample *s);

#endif
