/* SPDX-License-Identifier: MIT */
/*
 * Netlink sockets in a network namespace, and the messages of their answers:
 * of rtnetlink(7) for nic.c, of sock_diag(7) for diag-netlink.c.
 */
#ifndef NM_NETLINK_H
#define NM_NETLINK_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>

/*
 * Descriptors that belong to one network namespace, whoever uses them, and
 * that keep it alive; -1: none.
 */
struct netlink {
	int requests, notices;
	int snmp, snmp6; /* of /proc/net; see snmp.h */
};

#define NETLINK_FDS (sizeof(struct netlink) / sizeof(int))
#define NETLINK_CLOSED         \
	(struct netlink)       \
	{                      \
		-1, -1, -1, -1 \
	}

/*
 * Opens them in the network namespace of this process: NETLINK_ROUTE, with
 * notices of interfaces, or NETLINK_SOCK_DIAG, with those of TCP sockets that
 * are gone. 0, or -1 and errno.
 */
int netlink_open(struct netlink *l, int protocol);
void netlink_close(struct netlink *l);

typedef void netlink_fn(struct nlmsghdr *h, void *ctx);

/*
 * Asks, and calls fn for each message of the answer: of NLM_F_DUMP many, else
 * one. 0; 1: what was listed changed meanwhile, and some may be missing; -1
 * and errno.
 */
int netlink_ask(const struct netlink *l, struct nlmsghdr *request,
		netlink_fn *fn, void *ctx);

/*
 * Calls fn for each notice that is waiting. Returns how often the kernel had
 * to drop notices, or -1 and errno.
 */
int netlink_notices(const struct netlink *l, netlink_fn *fn, void *ctx);

/* The first attribute of this type, or NULL. */
struct rtattr *netlink_attribute(struct rtattr *a, size_t left, unsigned type);

#endif
