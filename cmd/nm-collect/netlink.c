// SPDX-License-Identifier: MIT
/*
 * Two sockets for each namespace: answers to requests must not stand in line
 * behind notices.
 */
#include "netlink.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel fills at most 32 KiB at once (netlink_dump, db65a3aaf29e). */
#define ANSWER_SIZE 32768

/*
 * A notice of a TCP socket takes about 1.3 KB of this, so 6,000 connections
 * may close while nobody reads; of an interface twice that. Without
 * CAP_NET_ADMIN net.core.rmem_max is the limit.
 */
#define NOTICES_SIZE (8 << 20)

#define GROUP(number) (1U << ((number)-1))

static uint32_t sequence;

/* The first message, *left bytes in all; NULL and errno. */
static struct nlmsghdr *receive(int fd, char *answer, unsigned *left)
{
	ssize_t n;

	do {
		n = recv(fd, answer, ANSWER_SIZE, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return NULL;
	*left = (unsigned)n;
	return (struct nlmsghdr *)(void *)answer;
}

static int send_request(int fd, struct nlmsghdr *request)
{
	ssize_t n;

	request->nlmsg_flags |= NLM_F_REQUEST;
	request->nlmsg_seq = ++sequence;
	do {
		n = send(fd, request, request->nlmsg_len, 0);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -1 : 0;
}

/* What ends an answer carries an errno, negative, or 0. */
static int end_of_answer(struct nlmsghdr *h)
{
	int error = 0;

	if (h->nlmsg_len >= NLMSG_LENGTH(sizeof(error)))
		memcpy(&error, NLMSG_DATA(h), sizeof(error));
	errno = -error;
	return error < 0 ? -1 : 0;
}

int netlink_ask(const struct netlink *l, struct nlmsghdr *request,
		netlink_fn *fn, void *ctx)
{
	/* Not static: an answer may be the occasion for a request. */
	_Alignas(struct nlmsghdr) char answer[ANSWER_SIZE];
	bool single = !(request->nlmsg_flags & NLM_F_DUMP);
	uint32_t asked;
	int torn = 0;

	if (send_request(l->requests, request))
		return -1;
	asked = sequence;
	for (;;) {
		unsigned left;
		struct nlmsghdr *h = receive(l->requests, answer, &left);

		if (!h)
			return -1;
		for (; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
			if (h->nlmsg_seq != asked)
				continue;
			torn |= !!(h->nlmsg_flags & NLM_F_DUMP_INTR);
			if (h->nlmsg_type == NLMSG_DONE ||
			    h->nlmsg_type == NLMSG_ERROR)
				return end_of_answer(h) ? -1 : torn;
			fn(h, ctx);
			if (single)
				return torn;
		}
	}
}

int netlink_notices(const struct netlink *l, netlink_fn *fn, void *ctx)
{
	_Alignas(struct nlmsghdr) char notices[ANSWER_SIZE];
	struct nlmsghdr *h;
	int dropped = 0;
	unsigned left;

	for (;;) {
		h = receive(l->notices, notices, &left);
		if (!h && errno == ENOBUFS) {
			dropped++;
			continue;
		}
		if (!h)
			return errno == EAGAIN ? dropped : -1;
		for (; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left))
			fn(h, ctx);
	}
}

static int open_notices(int protocol)
{
	struct sockaddr_nl groups = {
		.nl_family = AF_NETLINK,
		.nl_groups = protocol == NETLINK_ROUTE
				     ? RTMGRP_LINK
				     : GROUP(SKNLGRP_INET_TCP_DESTROY) |
					       GROUP(SKNLGRP_INET6_TCP_DESTROY),
	};
	int size = NOTICES_SIZE, fd;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    protocol);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&groups, sizeof(groups)) == 0)
		return fd;
	close(fd);
	return -1;
}

int netlink_open(struct netlink *l, int protocol)
{
	int error;

	*l = NETLINK_CLOSED;
	l->requests = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (l->requests >= 0)
		l->notices = open_notices(protocol);
	if (l->notices < 0) {
		error = errno;
		netlink_close(l);
		errno = error;
		return -1;
	}
	l->snmp = open("/proc/self/net/snmp", O_RDONLY | O_CLOEXEC);
	l->snmp6 = open("/proc/self/net/snmp6", O_RDONLY | O_CLOEXEC);
	return 0;
}

void netlink_close(struct netlink *l)
{
	const int fds[] = { l->requests, l->notices, l->snmp, l->snmp6 };

	for (size_t i = 0; i < NETLINK_FDS; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	*l = NETLINK_CLOSED;
}

struct rtattr *netlink_attribute(struct rtattr *a, size_t left, unsigned type)
{
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if ((a->rta_type & NLA_TYPE_MASK) == type)
			return a;
	return NULL;
}
