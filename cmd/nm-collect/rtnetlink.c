// SPDX-License-Identifier: MIT
/*
 * Questions to rtnetlink(7), and the messages of its answers.
 */
#include "rtnetlink.h"

#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel fills at most 32 KiB at once (netlink_dump, db65a3aaf29e). */
#define ANSWER_SIZE 32768

int rtnl_open(unsigned groups)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK,
				    .nl_groups = groups };
	int fd = socket(AF_NETLINK,
			SOCK_RAW | SOCK_CLOEXEC | (groups ? SOCK_NONBLOCK : 0),
			NETLINK_ROUTE);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		close(fd);
		return -1;
	}
	return fd;
}

int rtnl_dump(int fd, struct nlmsghdr *request,
	      void (*take)(struct nlmsghdr *h))
{
	_Alignas(struct nlmsghdr) char answer[ANSWER_SIZE];
	static uint32_t sequence;
	int torn = 0;

	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request->nlmsg_seq = ++sequence;
	if (send(fd, request, request->nlmsg_len, 0) < 0)
		return -1;
	for (;;) {
		struct nlmsghdr *h = (struct nlmsghdr *)answer;
		ssize_t n = recv(fd, h, ANSWER_SIZE, 0);
		unsigned left = (unsigned)n;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		for (; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
			struct nlmsgerr *e = NLMSG_DATA(h);

			if (h->nlmsg_seq != sequence)
				continue;
			torn |= !!(h->nlmsg_flags & NLM_F_DUMP_INTR);
			/* Behind it stands the same number as in an error. */
			if (h->nlmsg_type == NLMSG_DONE && e->error >= 0)
				return torn;
			if (h->nlmsg_type == NLMSG_DONE)
				h->nlmsg_type = NLMSG_ERROR;
			if (h->nlmsg_type == NLMSG_ERROR) {
				errno = -e->error;
				return -1;
			}
			take(h);
		}
	}
}

struct rtattr *rtnl_attribute(struct rtattr *a, size_t left, unsigned type)
{
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if ((a->rta_type & NLA_TYPE_MASK) == type)
			return a;
	return NULL;
}
