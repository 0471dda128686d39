// SPDX-License-Identifier: MIT
/*
 * By rtnetlink(7): RTM_GETSTATS for the counters, which is all that most
 * intervals need; RTM_GETLINK for what an interface is, when the kernel says
 * that something has changed.
 */
#include "nic.h"

#include "rtnetlink.h"

#include <err.h>
#include <errno.h>
#include <limits.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct {
	int requests, notices;
	bool stale; /* some interface is new or another than it was */
	bool whole; /* all counters were read the last time */
	struct nic *list;
	size_t count, room;
} nics = { .requests = -1, .notices = -1 };

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
 * On which bus it sits; "" if on none. Kernels before 5.14 do not say, so
 * there it is looked up in sysfs, if that has the interface by this number: it
 * may be another namespace's.
 */
static void bus_of(const char *name, int ifindex, struct rtattr *bus, char *out,
		   size_t size)
{
	char path[128], link[PATH_MAX], number[16] = "";
	const char *base;
	ssize_t n;
	FILE *f;

	snprintf(out, size, "%s", bus ? (const char *)RTA_DATA(bus) : "");
	if (bus)
		return;
	snprintf(path, sizeof(path), "/sys/class/net/%s/ifindex", name);
	f = fopen(path, "re");
	if (!f)
		return;
	if (!fgets(number, sizeof(number), f) || atoi(number) != ifindex)
		ifindex = 0;
	fclose(f);
	snprintf(path, sizeof(path), "/sys/class/net/%s/device/subsystem",
		 name);
	n = ifindex ? readlink(path, link, sizeof(link) - 1) : -1;
	if (n <= 0)
		return;
	link[n] = '\0';
	base = strrchr(link, '/');
	snprintf(out, size, "%.16s", base ? base + 1 : link);
}

/*
 * The drivers of hardware count what is on the wire. virtio_net counts what it
 * hands to the host, which may be many segments in one.
 */
static bool is_hardware(const char *name, int ifindex, struct rtattr *bus)
{
	char text[32];

	bus_of(name, ifindex, bus, text, sizeof(text));
	return text[0] && strcmp(text, "virtio") != 0;
}

static bool is_one_of(const char *kind, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(kind, *list) == 0)
			return true;
	return false;
}

struct link {
	struct ifinfomsg *i;
	struct rtattr *attrs;
	size_t left;
	struct rtattr *info; /* IFLA_LINKINFO, or NULL */
};

static struct rtattr *info_of(const struct link *l, unsigned type)
{
	return l->info ? rtnl_attribute(RTA_DATA(l->info), RTA_PAYLOAD(l->info),
					type)
		       : NULL;
}

/* A VRF is a master too, but only a table of routes: its ports count. */
static bool is_port(const struct link *l)
{
	struct rtattr *a = info_of(l, IFLA_INFO_SLAVE_KIND);

	return rtnl_attribute(l->attrs, l->left, IFLA_MASTER) &&
	       (!a || strcmp(RTA_DATA(a), "vrf") != 0);
}

static bool is_tap(const struct link *l)
{
	struct rtattr *data = info_of(l, IFLA_INFO_DATA);
	struct rtattr *type =
		data ? rtnl_attribute(RTA_DATA(data), RTA_PAYLOAD(data),
				      IFLA_TUN_TYPE)
		     : NULL;

	return type && *(const uint8_t *)RTA_DATA(type) == IFF_TAP;
}

/*
 * By the kind that ip-link(8) shows. A tap is a virtual machine's cable. What
 * stands on an interface of another namespace counts here: that one does not.
 */
static enum nic_role role_of(const struct link *l)
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
	struct rtattr *a = info_of(l, IFLA_INFO_KIND);
	const char *kind = a ? RTA_DATA(a) : "";

	if (l->i->ifi_flags & IFF_LOOPBACK)
		return NIC_LOOPBACK;
	if (is_port(l))
		return NIC_PORT;
	if (is_one_of(kind, tunnels))
		return NIC_TUNNEL;
	if (strcmp(kind, "tun") == 0)
		return is_tap(l) ? NIC_EDGE : NIC_TUNNEL;
	if (is_one_of(kind, uppers) &&
	    !rtnl_attribute(l->attrs, l->left, IFLA_LINK_NETNSID))
		return NIC_UPPER;
	return NIC_EDGE;
}

static void take_link(struct nlmsghdr *h)
{
	struct link l = { .i = NLMSG_DATA(h) };
	struct rtattr *name;
	struct nic *nic;

	if (h->nlmsg_type != RTM_NEWLINK)
		return;
	l.attrs = IFLA_RTA(l.i);
	l.left = IFLA_PAYLOAD(h);
	l.info = rtnl_attribute(l.attrs, l.left, IFLA_LINKINFO);
	name = rtnl_attribute(l.attrs, l.left, IFLA_IFNAME);
	if (!name)
		return;
	nic = find_or_add((uint32_t)l.i->ifi_index);
	nic->role = role_of(&l);
	nic->segments = is_hardware(RTA_DATA(name), l.i->ifi_index,
				    rtnl_attribute(l.attrs, l.left,
						   IFLA_PARENT_DEV_BUS_NAME));
	/* Tunnels count what is in the frame (iptunnel_xmit, eth_type_trans) */
	nic->link_header =
		l.i->ifi_type == ARPHRD_ETHER && nic->role != NIC_TUNNEL ? 14
									 : 0;
	nic->listed = true;
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

	return rtnl_dump(nics.requests, &request.h, take_link);
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
	struct if_stats_msg *m = NLMSG_DATA(h);
	struct rtattr *a;
	struct rtnl_link_stats64 s;
	struct nic *nic;

	if (h->nlmsg_type != RTM_NEWSTATS)
		return;
	a = rtnl_attribute((struct rtattr *)(m + 1),
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

	return rtnl_dump(nics.requests, &request.h, take_stats);
}

/* Did the kernel tell of a change? What it was is read from a dump. */
static bool was_told(void)
{
	char notice[4096];
	bool told = false;
	ssize_t n;

	do {
		n = recv(nics.notices, notice, sizeof(notice), 0);
		told |= n > 0 || (n < 0 && errno == ENOBUFS);
	} while (n > 0 || (n < 0 && errno != EAGAIN));
	return told;
}

int nic_read(void)
{
	size_t kept = 0;
	int torn;

	for (size_t i = 0; i < nics.count && nics.whole; i++)
		nics.list[i].was = nics.list[i].now;
	nics.whole = false;
	if (was_told() || nics.stale) {
		for (size_t i = 0; i < nics.count; i++)
			nics.list[i].listed = false;
		torn = read_links();
		/* Those that are gone took their last counts along. */
		for (size_t i = 0; i < nics.count; i++)
			if (nics.list[i].listed || torn)
				nics.list[kept++] = nics.list[i];
		nics.stale = torn;
		nics.count = kept;
		qsort(nics.list, kept, sizeof(*nics.list), by_ifindex);
		if (torn < 0)
			return -1;
	}
	/* If torn, what was not told is told with the next. */
	nics.whole = read_stats() >= 0;
	return nics.whole ? 0 : -1;
}

int nic_open(void)
{
	nics.requests = rtnl_open(0);
	nics.notices = rtnl_open(RTMGRP_LINK);
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
