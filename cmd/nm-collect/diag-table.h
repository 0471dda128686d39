/* SPDX-License-Identifier: MIT */
/*
 * The connections that are open, and UDP sockets, by their cookies.
 *
 * None is evicted: one that was forgotten would be counted from its first
 * byte again. The table grows with the number of open sockets, and an
 * entry is a small part (150 of more than 2,500 bytes) of what the kernel
 * keeps for each.
 */
#ifndef NM_DIAG_TABLE_H
#define NM_DIAG_TABLE_H

#include "backend.h"
#include "diag-netns.h"
#include "diag-owner.h"

struct connection {
	struct connection *next; /* in its bucket */
	uint64_t cookie;
	struct netns *netns;
	struct nm_addr laddr, raddr;
	uint16_t lport, rport;
	enum nm_dir dir;
	bool udp;	  /* a socket, connected or not; not counted */
	bool v6;	  /* an IPv6 socket, also if it speaks IPv4 */
	uint8_t state;	  /* as last seen */
	uint8_t searches; /* for its owner, in vain */
	bool changed;	  /* opened or closed, and not told */
	bool closed;
	bool waits; /* to be told: its listener's end may come yet */
	uint32_t inode;
	uint32_t dump; /* the number of the last dump that had it */
	struct owner *owner;
	uint64_t tx, rx; /* since it was opened */
	uint64_t tx_told, rx_told;
	uint8_t rx_less; /* by so much, should it turn out to be NM_DIR_IN */
};

struct connection *table_find(uint64_t cookie);

/* A new one, which must not be there. Exits if there is no memory. */
struct connection *table_add(uint64_t cookie, struct netns *n);

/* Calls fn for each; those for which it returns false are removed. */
void table_each(bool (*keep)(struct connection *c));

size_t table_count(void);
void table_free(void);

#endif
