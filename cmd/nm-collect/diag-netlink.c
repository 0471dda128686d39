// SPDX-License-Identifier: MIT
/*
 * Requests and answers of sock_diag(7). Two sockets: answers to requests
 * must not stand in line behind notices.
 */
#include "diag-netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel fills at most 32 KiB at once (netlink_dump, commit db65a3aaf29e).
 */
#define ANSWER_SIZE 32768

/*
 * A notice takes about 1.3 KB of this, so 6,000 connections may close while
 * nobody reads. Without CAP_NET_ADMIN net.core.rmem_max is the limit.
 */
#define NOTICES_SIZE (8 << 20)

/* How often a dump is tried again that the kernel says is inconsistent. */
#define DUMP_TRIES 4

#define STATES                                                           \
	(1 << TCP_ESTABLISHED | 1 << TCP_SYN_RECV | 1 << TCP_FIN_WAIT1 | \
	 1 << TCP_FIN_WAIT2 | 1 << TCP_CLOSE_WAIT | 1 << TCP_LAST_ACK |  \
	 1 << TCP_LISTEN | 1 << TCP_CLOSING)

#define GROUP(number) (1U << ((number)-1))

struct request {
	struct nlmsghdr header;
	struct inet_diag_req_v2 diag;
};

/* Each has its own room: a notice may be the occasion for a request. */
static struct channel {
	int fd;
	_Alignas(struct nlmsghdr) char answer[ANSWER_SIZE];
} requests = { .fd = -1 }, notices = { .fd = -1 };

static uint32_t sequence;

static struct nm_addr address(int family, const __be32 from[4])
{
	struct nm_addr a;

	if (family == AF_INET)
		return nm_addr_v4(from[0]);
	memcpy(a.byte, from, sizeof(a.byte));
	return a;
}

/* The kernel's tcp_info may be shorter than ours, or longer. */
static void read_info(struct sample *s, struct rtattr *a)
{
	static const size_t needed =
		offsetof(struct tcp_info, tcpi_bytes_retrans) + sizeof(__u64);
	struct tcp_info i = { 0 };
	size_t size = RTA_PAYLOAD(a);

	/* bytes_retrans is the last of what we read, and came with 4.19. */
	if (size < needed)
		return;
	memcpy(&i, RTA_DATA(a), size < sizeof(i) ? size : sizeof(i));
	s->counted = true;
	s->unsent = i.tcpi_notsent_bytes;
	s->flying = i.tcpi_unacked;
	/* A retransmission that found no memory is in the second only. */
	if (i.tcpi_bytes_sent > i.tcpi_bytes_retrans)
		s->sent = i.tcpi_bytes_sent - i.tcpi_bytes_retrans;
	s->acked = i.tcpi_bytes_acked;
	s->received = i.tcpi_bytes_received;
	s->ack_age_ms = i.tcpi_last_ack_recv;
}

/* False: not a socket's message. */
static bool read_sample(struct sample *s, struct nlmsghdr *h)
{
	struct inet_diag_msg *m = NLMSG_DATA(h);
	struct rtattr *a;
	size_t left;

	if (h->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return false;
	*s = (struct sample){
		.family = m->idiag_family,
		.state = m->idiag_state,
		.inode = m->idiag_inode,
		.id = m->id,
		.cookie = (uint64_t)m->id.idiag_cookie[1] << 32 |
			  m->id.idiag_cookie[0],
		.laddr = address(m->idiag_family, m->id.idiag_src),
		.raddr = address(m->idiag_family, m->id.idiag_dst),
		.lport = ntohs(m->id.idiag_sport),
		.rport = ntohs(m->id.idiag_dport),
		.unread = m->idiag_rqueue,
	};
	left = h->nlmsg_len - NLMSG_LENGTH(sizeof(*m));
	for (a = (struct rtattr *)(m + 1); RTA_OK(a, left);
	     a = RTA_NEXT(a, left))
		if (a->rta_type == INET_DIAG_INFO)
			read_info(s, a);
	return true;
}

/* The first message, *left bytes in all; NULL and errno. */
static struct nlmsghdr *receive(struct channel *c, unsigned *left)
{
	ssize_t n;

	do {
		n = recv(c->fd, c->answer, sizeof(c->answer), 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return NULL;
	*left = (unsigned)n;
	return (struct nlmsghdr *)c->answer;
}

static int send_request(struct request *r)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	ssize_t n;

	r->header.nlmsg_len = sizeof(*r);
	r->header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
	r->header.nlmsg_flags |= NLM_F_REQUEST;
	r->header.nlmsg_seq = ++sequence;
	r->diag.sdiag_protocol = IPPROTO_TCP;
	do {
		n = sendto(requests.fd, r, sizeof(*r), 0,
			   (struct sockaddr *)&kernel, sizeof(kernel));
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

/*
 * Reads the answer to the last request to its end: fn for each socket.
 * `single`: it is one message. Sets *torn if what was listed changed under
 * the kernel's eyes.
 */
static int read_answer(sample_fn *fn, bool single, bool *torn)
{
	struct nlmsghdr *h;
	struct sample s;
	unsigned left;

	for (;;) {
		h = receive(&requests, &left);
		if (!h)
			return -1;
		for (; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
			if (h->nlmsg_seq != sequence)
				continue;
			*torn |= (h->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
			if (h->nlmsg_type == NLMSG_DONE ||
			    h->nlmsg_type == NLMSG_ERROR)
				return end_of_answer(h);
			if (read_sample(&s, h))
				fn(&s);
			if (single)
				return 0;
		}
	}
}

static int dump_family(uint8_t family, uint32_t states, sample_fn *fn)
{
	bool torn = true;

	for (int i = 0; torn && i < DUMP_TRIES; i++) {
		struct request r = {
			.header.nlmsg_flags = NLM_F_DUMP,
			.diag = {
				.sdiag_family = family,
				.idiag_ext = 1 << (INET_DIAG_INFO - 1),
				.idiag_states = states,
			},
		};

		torn = false;
		if (send_request(&r) || read_answer(fn, false, &torn))
			return -1;
	}
	return 0;
}

int netlink_dump(sample_fn *fn)
{
	if (dump_family(AF_INET, STATES, fn))
		return -1;
	return dump_family(AF_INET6, STATES, fn);
}

int netlink_notices_fd(void)
{
	return notices.fd;
}

int netlink_notices(sample_fn *fn)
{
	struct nlmsghdr *h;
	struct sample s;
	int dropped = 0;
	unsigned left;

	for (;;) {
		h = receive(&notices, &left);
		if (!h && errno == ENOBUFS) {
			dropped++;
			continue;
		}
		if (!h)
			return errno == EAGAIN ? dropped : -1;
		for (; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left))
			if (read_sample(&s, h))
				fn(&s);
	}
}

static struct sample found;

static void keep_found(const struct sample *s)
{
	found = *s;
}

int netlink_state(const struct sample *s)
{
	struct request r = {
		.diag = { .sdiag_family = s->family, .id = s->id },
	};
	bool torn = false;

	found.state = 0;
	if (send_request(&r) || read_answer(keep_found, true, &torn))
		return 0;
	return found.state;
}

static int open_notices(void)
{
	struct sockaddr_nl groups = {
		.nl_family = AF_NETLINK,
		.nl_groups = GROUP(SKNLGRP_INET_TCP_DESTROY) |
			     GROUP(SKNLGRP_INET6_TCP_DESTROY),
	};
	int size = NOTICES_SIZE;

	notices.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			    NETLINK_SOCK_DIAG);
	if (notices.fd < 0)
		return -1;
	if (setsockopt(notices.fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
		       sizeof(size)))
		setsockopt(notices.fd, SOL_SOCKET, SO_RCVBUF, &size,
			   sizeof(size));
	return bind(notices.fd, (struct sockaddr *)&groups, sizeof(groups));
}

static void ignore(const struct sample *s)
{
	(void)s;
}

int netlink_open(struct reason *why)
{
	const char *what = "NETLINK_SOCK_DIAG";

	requests.fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (requests.fd < 0)
		goto fail;
	/* A cheap question: modules that are missing show here. */
	what = "listing TCP sockets";
	if (dump_family(AF_INET, 1 << TCP_LISTEN, ignore))
		goto fail;
	what = "notices of closed TCP sockets";
	if (open_notices())
		goto fail;
	return 0;
fail:
	if (errno == ENOENT || errno == EPROTONOSUPPORT)
		reason_set(why, "modprobe tcp_diag",
			   "%s: the kernel cannot tell of its TCP sockets "
			   "(CONFIG_INET_TCP_DIAG)",
			   what);
	else
		reason_set(why,
			   "look for a security module's policy or a seccomp "
			   "filter",
			   "%s: %s", what, strerror(errno));
	netlink_close();
	return -1;
}

void netlink_close(void)
{
	if (requests.fd >= 0)
		close(requests.fd);
	if (notices.fd >= 0)
		close(notices.fd);
	requests.fd = notices.fd = -1;
}
