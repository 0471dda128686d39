// SPDX-License-Identifier: MIT
/*
 * Requests and answers of sock_diag(7).
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

/* How often a dump is tried again that the kernel says is inconsistent. */
#define DUMP_TRIES 4

#define STATES                                                           \
	(1 << TCP_ESTABLISHED | 1 << TCP_SYN_RECV | 1 << TCP_FIN_WAIT1 | \
	 1 << TCP_FIN_WAIT2 | 1 << TCP_CLOSE_WAIT | 1 << TCP_LAST_ACK |  \
	 1 << TCP_LISTEN | 1 << TCP_CLOSING)

struct request {
	struct nlmsghdr header;
	struct inet_diag_req_v2 diag;
};

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

/* Who wants to know, and of whom. */
struct asker {
	const struct netlink *link;
	sample_fn *fn;
};

static void take_message(struct nlmsghdr *h, void *ctx)
{
	const struct asker *a = ctx;
	struct sample s;

	if (read_sample(&s, a->link, h))
		a->fn(&s);
}

static int ask(const struct netlink *l, struct request r, sample_fn *fn)
{
	struct asker a = { l, fn };

	r.header.nlmsg_len = sizeof(r);
	r.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
	return netlink_ask(l, &r.header, take_message, &a);
}

static int dump_family(const struct netlink *l, struct request r,
		       uint8_t family, sample_fn *fn)
{
	int torn = 1;

	r.header.nlmsg_flags = NLM_F_DUMP;
	r.diag.sdiag_family = family;
	for (int i = 0; torn > 0 && i < DUMP_TRIES; i++)
		torn = ask(l, r, fn);
	return torn < 0 ? -1 : 0;
}

int diag_dump(const struct netlink *l, sample_fn *fn)
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

int diag_dump_udp(const struct netlink *l, sample_fn *fn)
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

int diag_notices(const struct netlink *l, sample_fn *fn)
{
	struct asker a = { l, fn };

	return netlink_notices(l, take_message, &a);
}

static struct sample found;

static void keep_found(const struct sample *s)
{
	found = *s;
}

int diag_state(const struct sample *s)
{
	struct request r = {
		.diag = {
			.sdiag_family = s->family,
			.sdiag_protocol = IPPROTO_TCP,
			.id = s->id,
		},
	};

	found.state = 0;
	if (ask(s->link, r, keep_found) < 0)
		return 0;
	return found.state;
}

static void ignore(const struct sample *s)
{
	(void)s;
}

int diag_try(const struct netlink *l)
{
	const struct request listening = {
		.diag = {
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_states = 1 << TCP_LISTEN,
		},
	};

	return dump_family(l, listening, AF_INET, ignore);
}
