// SPDX-License-Identifier: MIT
/*
 * Requests and answers of sock_diag(7). Two sockets for each namespace:
 * answers to requests must not stand in line behind notices.
 */
#include "diag-netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
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
static struct room {
	_Alignas(struct nlmsghdr) char answer[ANSWER_SIZE];
} for_requests, for_notices;

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
static bool read_sample(struct sample *s, const struct netlink *l,
			struct nlmsghdr *h)
{
	struct inet_diag_msg *m = NLMSG_DATA(h);
	struct rtattr *a;
	size_t left;

	if (h->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return false;
	*s = (struct sample){
		.link = l,
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
static struct nlmsghdr *receive(int fd, struct room *room, unsigned *left)
{
	ssize_t n;

	do {
		n = recv(fd, room->answer, sizeof(room->answer), 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return NULL;
	*left = (unsigned)n;
	return (struct nlmsghdr *)room->answer;
}

static int send_request(const struct netlink *l, struct request *r)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	ssize_t n;

	r->header.nlmsg_len = sizeof(*r);
	r->header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
	r->header.nlmsg_flags |= NLM_F_REQUEST;
	r->header.nlmsg_seq = ++sequence;
	do {
		n = sendto(l->requests, r, sizeof(*r), 0,
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
static int read_answer(const struct netlink *l, sample_fn *fn, bool single,
		       bool *torn)
{
	struct nlmsghdr *h;
	struct sample s;
	unsigned left;

	for (;;) {
		h = receive(l->requests, &for_requests, &left);
		if (!h)
			return -1;
		for (; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
			if (h->nlmsg_seq != sequence)
				continue;
			*torn |= (h->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
			if (h->nlmsg_type == NLMSG_DONE ||
			    h->nlmsg_type == NLMSG_ERROR)
				return end_of_answer(h);
			if (read_sample(&s, l, h))
				fn(&s);
			if (single)
				return 0;
		}
	}
}

static int dump_family(const struct netlink *l, struct request ask,
		       uint8_t family, sample_fn *fn)
{
	bool torn = true;

	ask.diag.sdiag_family = family;
	for (int i = 0; torn && i < DUMP_TRIES; i++) {
		struct request r = ask;

		r.header.nlmsg_flags = NLM_F_DUMP;
		torn = false;
		if (send_request(l, &r) || read_answer(l, fn, false, &torn))
			return -1;
	}
	return 0;
}

int netlink_dump(const struct netlink *l, sample_fn *fn)
{
	const struct request tcp = {
		.diag = {
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_ext = 1 << (INET_DIAG_INFO - 1),
			.idiag_states = STATES,
		},
	};

	if (dump_family(l, tcp, AF_INET, fn))
		return -1;
	return dump_family(l, tcp, AF_INET6, fn);
}

int netlink_dump_udp(const struct netlink *l, sample_fn *fn)
{
	const struct request udp = {
		.diag = {
			.sdiag_protocol = IPPROTO_UDP,
			.idiag_states = ~0U,
		},
	};

	if (dump_family(l, udp, AF_INET, fn))
		return -1;
	return dump_family(l, udp, AF_INET6, fn);
}

int netlink_notices(const struct netlink *l, sample_fn *fn)
{
	struct nlmsghdr *h;
	struct sample s;
	int dropped = 0;
	unsigned left;

	for (;;) {
		h = receive(l->notices, &for_notices, &left);
		if (!h && errno == ENOBUFS) {
			dropped++;
			continue;
		}
		if (!h)
			return errno == EAGAIN ? dropped : -1;
		for (; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left))
			if (read_sample(&s, l, h))
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
		.diag = {
			.sdiag_family = s->family,
			.sdiag_protocol = IPPROTO_TCP,
			.id = s->id,
		},
	};
	bool torn = false;

	found.state = 0;
	if (send_request(s->link, &r) ||
	    read_answer(s->link, keep_found, true, &torn))
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
	int size = NOTICES_SIZE, fd;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    NETLINK_SOCK_DIAG);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&groups, sizeof(groups)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void ignore(const struct sample *s)
{
	(void)s;
}

int netlink_try(const struct netlink *l)
{
	const struct request listening = {
		.diag = {
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_states = 1 << TCP_LISTEN,
		},
	};

	return dump_family(l, listening, AF_INET, ignore);
}

int netlink_open(struct netlink *l)
{
	int error;

	*l = NETLINK_CLOSED;
	l->requests =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (l->requests >= 0)
		l->notices = open_notices();
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
