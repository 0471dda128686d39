// SPDX-License-Identifier: MIT
/*
 * By rtnetlink(7): RTM_GETSTATS for the counters, which is all that most
 * intervals need; RTM_GETLINK for what an interface is, when the kernel says
 * that something has changed.
 */
#include "nic.h"

#include <err.h>
#include <errno.h>
#include <limits.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel fills at most 32 KiB at once (netlink_dump, db65a3aaf29e). */
#define ANSWER_SIZE 32768

static struct {
	int requests, notices;
	uint32_t sequence;
	bool stale; /* some interface is new or another than it was */
	struct nic *list;
	size_t count, room;
	_Alignas(struct nlmsghdr) char answer[ANSWER_SIZE];
} nics = { .requests = -1, .notices = -1 };

/* --- Netlink --- */

static int open_socket(uint32_t groups)
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

/* Sends a dump request; take gets each message of the answer. */
static int dump(struct nlmsghdr *request, void (*take)(struct nlmsghdr *h))
{
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request->nlmsg_seq = ++nics.sequence;
	if (send(nics.requests, request, request->nlmsg_len, 0) < 0)
		return -1;
	for (;;) {
		struct nlmsghdr *h = (struct nlmsghdr *)nics.answer;
		ssize_t n = recv(nics.requests, h, ANSWER_SIZE, 0);
		unsigned left = (unsigned)n;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		for (; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
			struct nlmsgerr *e = NLMSG_DATA(h);

			if (h->nlmsg_seq != nics.sequence)
				continue;
			if (h->nlmsg_type == NLMSG_DONE)
				return 0;
			if (h->nlmsg_type == NLMSG_ERROR) {
				errno = -e->error;
				return -1;
			}
			take(h);
		}
	}
}

static const struct rtattr *attribute(const struct rtattr *a, size_t left,
				      unsigned type)
{
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if ((a->rta_type & NLA_TYPE_MASK) == type)
			return a;
	return NULL;
}

/* --- What an interface is --- */

static int by_ifindex(const void *a, const void *b)
{
	uint32_t x = ((const struct nic *)a)->ifindex;
	uint32_t y = ((const struct nic *)b)->ifindex;

	return (x > y) - (x < y);
}

/* The list is sorted but while links are read. */
static struct nic *find(uint32_t ifindex)
{
	struct nic key = { .ifindex = ifindex };

	return bsearch(&key, nics.list, nics.count, sizeof(key), by_ifindex);
}

static struct nic *find_or_add(uint32_t ifindex)
{
	struct nic *nic, *list;

	for (size_t i = 0; i < nics.count; i++)
		if (nics.list[i].ifindex == ifindex)
			return &nics.list[i];
	if (nics.count == nics.room) {
		nics.room = nics.room ? 2 * nics.room : 16;
		list = realloc(nics.list, nics.room * sizeof(*list));
		if (!list)
			err(1, NULL);
		nics.list = list;
	}
	nic = &nics.list[nics.count++];
	*nic = (struct nic){ .ifindex = ifindex };
	return nic;
}

/*
 * The drivers of hardware count what is on the wire. virtio_net counts what it
 * hands to the host, which may be many segments in one.
 */
static bool is_hardware(const char *name)
{
	char path[128], link[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/class/net/%s/device/subsystem",
		 name);
	n = readlink(path, link, sizeof(link) - 1);
	if (n <= 0)
		return false;
	link[n] = '\0';
	return strcmp(strrchr(link, '/') ? strrchr(link, '/') + 1 : link,
		      "virtio") != 0;
}

/* /sys/class/net/NAME/tun_flags is there for tun and tap alone. */
static bool is_tap(const char *name)
{
	char path[128], text[32] = "";
	unsigned long flags;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/net/%s/tun_flags", name);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(text, sizeof(text), f))
		text[0] = '\0';
	fclose(f);
	flags = strtoul(text, NULL, 16);
	return flags & 0x2; /* IFF_TAP of linux/if_tun.h */
}

static bool is_one_of(const char *kind, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(kind, *list) == 0)
			return true;
	return false;
}

/* By the kind that ip-link(8) shows. A tap is a virtual machine's cable. */
static enum nic_role role_of(const struct ifinfomsg *i, const char *kind,
			     const char *name, bool has_master)
{
	static const char *const tunnels[] = {
		"wireguard", "vxlan",	  "geneve", "gre",  "gretap",
		"erspan",    "ip6gre",	  "ip6tnl", "ipip", "sit",
		"vti",	     "vti6",	  "xfrm",   "amt",  "bareudp",
		"ip6gretap", "ip6erspan", "l2tp",   "ppp",  "gtp",
		"ovpn",	     NULL
	};
	static const char *const uppers[] = { "vlan",	"macvlan", "macvtap",
					      "ipvlan", "ipvtap",  "macsec",
					      "ifb",	"vrf",	   NULL };

	if (i->ifi_flags & IFF_LOOPBACK)
		return NIC_LOOPBACK;
	if (has_master)
		return NIC_PORT;
	if (is_one_of(kind, tunnels))
		return NIC_TUNNEL;
	if (strcmp(kind, "tun") == 0)
		return is_tap(name) ? NIC_EDGE : NIC_TUNNEL;
	if (is_one_of(kind, uppers))
		return NIC_UPPER;
	return NIC_EDGE;
}

static const char *kind_of(const struct rtattr *info)
{
	const struct rtattr *a =
		info ? attribute(RTA_DATA(info), RTA_PAYLOAD(info),
				 IFLA_INFO_KIND)
		     : NULL;

	return a ? RTA_DATA(a) : "";
}

/* A VRF is a master too, but only a table of routes: its ports count. */
static bool is_port(const struct rtattr *attrs, size_t left)
{
	const struct rtattr *info = attribute(attrs, left, IFLA_LINKINFO), *a;

	if (!attribute(attrs, left, IFLA_MASTER))
		return false;
	a = info ? attribute(RTA_DATA(info), RTA_PAYLOAD(info),
			     IFLA_INFO_SLAVE_KIND)
		 : NULL;
	return !a || strcmp(RTA_DATA(a), "vrf") != 0;
}

static void take_link(struct nlmsghdr *h)
{
	const struct ifinfomsg *i = NLMSG_DATA(h);
	const struct rtattr *attrs = IFLA_RTA(i), *name;
	size_t left = IFLA_PAYLOAD(h);
	struct nic *nic;

	if (h->nlmsg_type != RTM_NEWLINK)
		return;
	name = attribute(attrs, left, IFLA_IFNAME);
	if (!name)
		return;
	nic = find_or_add((uint32_t)i->ifi_index);
	nic->role = role_of(i, kind_of(attribute(attrs, left, IFLA_LINKINFO)),
			    RTA_DATA(name), is_port(attrs, left));
	nic->segments = is_hardware(RTA_DATA(name));
	nic->link_header = i->ifi_type == ARPHRD_ETHER ? 14 : 0;
}

static int read_links(void)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg i;
		struct rtattr a;
		uint32_t mask;
	} request = {
		.h = { .nlmsg_len = sizeof(request),
		       .nlmsg_type = RTM_GETLINK },
		.a = { .rta_len = RTA_LENGTH(sizeof(uint32_t)),
		       .rta_type = IFLA_EXT_MASK },
		.mask = RTEXT_FILTER_SKIP_STATS,
	};

	return dump(&request.h, take_link);
}

/* --- What it has moved --- */

/* The kernel counts the header of the link too. */
static uint64_t without(uint64_t bytes, uint64_t packets, uint32_t header)
{
	return bytes > packets * header ? bytes - packets * header : 0;
}

/*
 * Counters can go back: another interface has the number now, a driver began
 * anew, or bytes and packets were read while one was ahead of the other.
 */
static uint64_t not_above(uint64_t was, uint64_t now)
{
	return was < now ? was : now;
}

static void take_stats(struct nlmsghdr *h)
{
	const struct if_stats_msg *m = NLMSG_DATA(h);
	const struct rtattr *a;
	struct rtnl_link_stats64 s;
	struct nic *nic;

	if (h->nlmsg_type != RTM_NEWSTATS)
		return;
	a = attribute((const struct rtattr *)(m + 1),
		      h->nlmsg_len - NLMSG_LENGTH(sizeof(*m)),
		      IFLA_STATS_LINK_64);
	nic = find(m->ifindex);
	if (!nic || !a || RTA_PAYLOAD(a) < 4 * sizeof(__u64)) {
		nics.stale |= !nic;
		return;
	}
	memcpy(&s, RTA_DATA(a),
	       RTA_PAYLOAD(a) < sizeof(s) ? RTA_PAYLOAD(a) : sizeof(s));
	nic->now = (struct nic_counts){
		.tx_bytes = without(s.tx_bytes, s.tx_packets, nic->link_header),
		.rx_bytes = without(s.rx_bytes, s.rx_packets, nic->link_header),
		.tx_packets = s.tx_packets,
		.rx_packets = s.rx_packets,
	};
	nic->was = (struct nic_counts){
		.tx_bytes = not_above(nic->was.tx_bytes, nic->now.tx_bytes),
		.rx_bytes = not_above(nic->was.rx_bytes, nic->now.rx_bytes),
		.tx_packets =
			not_above(nic->was.tx_packets, nic->now.tx_packets),
		.rx_packets =
			not_above(nic->was.rx_packets, nic->now.rx_packets),
	};
}

static int read_stats(void)
{
	struct {
		struct nlmsghdr h;
		struct if_stats_msg m;
	} request = {
		.h = { .nlmsg_len = sizeof(request),
		       .nlmsg_type = RTM_GETSTATS },
		.m = { .filter_mask =
			       IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64) },
	};

	return dump(&request.h, take_stats);
}

/* Did the kernel tell of a change? What it was is read from a dump. */
static bool was_told(void)
{
	bool told = false;
	ssize_t n;

	do {
		n = recv(nics.notices, nics.answer, ANSWER_SIZE, 0);
		told |= n > 0 || (n < 0 && errno == ENOBUFS);
	} while (n > 0 || (n < 0 && errno != EAGAIN));
	return told;
}

int nic_read(void)
{
	size_t kept = 0;

	for (size_t i = 0; i < nics.count; i++)
		nics.list[i].was = nics.list[i].now;
	if (was_told() || nics.stale) {
		for (size_t i = 0; i < nics.count; i++)
			nics.list[i].role = NIC_UNKNOWN;
		nics.stale = false;
		if (read_links())
			return -1;
		/* Those that are gone took their last counts along. */
		for (size_t i = 0; i < nics.count; i++)
			if (nics.list[i].role != NIC_UNKNOWN)
				nics.list[kept++] = nics.list[i];
		nics.count = kept;
		qsort(nics.list, kept, sizeof(*nics.list), by_ifindex);
	}
	return read_stats();
}

int nic_open(void)
{
	nics.requests = open_socket(0);
	nics.notices = open_socket(RTMGRP_LINK);
	nics.stale = true;
	if (nics.requests < 0 || nics.notices < 0 || nic_read()) {
		int error = errno;

		nic_close();
		errno = error;
		return -1;
	}
	return 0;
}

void nic_close(void)
{
	if (nics.requests >= 0)
		close(nics.requests);
	if (nics.notices >= 0)
		close(nics.notices);
	free(nics.list);
	nics.list = NULL;
	nics.count = nics.room = 0;
	nics.requests = nics.notices = -1;
}

const struct nic *nic_find(uint32_t ifindex)
{
	return find(ifindex);
}

void nic_each(void (*see)(const struct nic *nic, void *ctx), void *ctx)
{
	for (size_t i = 0; i < nics.count; i++)
		see(&nics.list[i], ctx);
}
