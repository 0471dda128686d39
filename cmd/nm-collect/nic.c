// SPDX-License-Identifier: MIT
/*
 * By rtnetlink(7): RTM_GETSTATS for the counters, which is all that most
 * intervals need. What an interface is comes from a list at first, and then
 * from the kernel's notices; those have the counters too, so that one that
 * comes from another namespace counts from when it came, and one that goes up
 * to when it went.
 */
#include "nic.h"

#include "nic-kind.h"

#include <err.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* --- The list --- */

static int by_ifindex(const void *a, const void *b)
{
	uint32_t x = ((const struct nic *)a)->ifindex;
	uint32_t y = ((const struct nic *)b)->ifindex;

	return (x > y) - (x < y);
}

static struct nic *find(const struct nics *nics, uint32_t ifindex)
{
	struct nic key = { .ifindex = ifindex };

	/* Of no list bsearch(3) must not be asked. */
	return nics->sorted ? bsearch(&key, nics->list, nics->sorted,
				      sizeof(key), by_ifindex)
			    : NULL;
}

/* Also among those that came since the list was sorted. */
static struct nic *find_all(const struct nics *nics, uint32_t ifindex)
{
	struct nic *nic = find(nics, ifindex);

	for (size_t i = nics->sorted; !nic && i < nics->count; i++)
		if (nics->list[i].ifindex == ifindex)
			nic = &nics->list[i];
	return nic;
}

static struct nic *add(struct nics *nics, uint32_t ifindex)
{
	struct nic *list;

	if (nics->count == nics->room) {
		nics->room = nics->room ? 2 * nics->room : 4;
		list = realloc(nics->list, nics->room * sizeof(*list));
		if (!list)
			err(1, NULL);
		nics->list = list;
	}
	list = &nics->list[nics->count++];
	*list = (struct nic){ .ifindex = ifindex };
	return list;
}

/* A list of interfaces that changes meanwhile may have one twice. */
static void sort(struct nics *nics)
{
	size_t kept = 0;

	if (nics->sorted == nics->count)
		return;
	qsort(nics->list, nics->count, sizeof(*nics->list), by_ifindex);
	for (size_t i = 0; i < nics->count; i++)
		if (!kept ||
		    nics->list[kept - 1].ifindex != nics->list[i].ifindex)
			nics->list[kept++] = nics->list[i];
	nics->count = nics->sorted = kept;
}

/* --- What it has moved --- */

/* The kernel counts the header of the link too. */
static uint64_t without(uint64_t bytes, uint64_t packets, uint32_t header)
{
	return bytes > packets * header ? bytes - packets * header : 0;
}

/*
 * Packets go back if a driver began anew, or another interface has the number
 * now. Bytes without headers also if one was read ahead of the other; that is
 * made up for later.
 */
static uint64_t not_below(uint64_t before, uint64_t now)
{
	return now < before ? before : now;
}

static void take_counts(struct nic *nic, struct rtattr *a)
{
	struct rtnl_link_stats64 s;
	struct nic_counts now;

	if (!a || RTA_PAYLOAD(a) < 4 * sizeof(__u64))
		return;
	memcpy(&s, RTA_DATA(a),
	       RTA_PAYLOAD(a) < sizeof(s) ? RTA_PAYLOAD(a) : sizeof(s));
	now = (struct nic_counts){
		.tx_bytes = without(s.tx_bytes, s.tx_packets, nic->link_header),
		.rx_bytes = without(s.rx_bytes, s.rx_packets, nic->link_header),
		.tx_packets = s.tx_packets,
		.rx_packets = s.rx_packets,
	};
	if (!nic->counted || now.tx_packets < nic->now.tx_packets ||
	    now.rx_packets < nic->now.rx_packets)
		nic->was = nic->now = now;
	now.tx_bytes = not_below(nic->now.tx_bytes, now.tx_bytes);
	now.rx_bytes = not_below(nic->now.rx_bytes, now.rx_bytes);
	nic->now = now;
	nic->counted = true;
}

/* Tunnels count what is in the frame (iptunnel_xmit, eth_type_trans). */
static uint32_t header_of(const struct link *l, enum nic_role role)
{
	return l->i->ifi_type == ARPHRD_ETHER && role != NIC_TUNNEL ? 14 : 0;
}

static void take_link(struct nlmsghdr *h, void *ctx)
{
	struct link l = { .i = NLMSG_DATA(h) };
	struct nics *nics = ctx;
	struct nic *nic;

	/* AF_BRIDGE tells of a bridge's port; and not to be one is no end. */
	if ((h->nlmsg_type != RTM_NEWLINK && h->nlmsg_type != RTM_DELLINK) ||
	    l.i->ifi_family != AF_UNSPEC)
		return;
	l.attrs = IFLA_RTA(l.i);
	l.left = IFLA_PAYLOAD(h);
	l.info = link_attribute(&l, IFLA_LINKINFO);
	nic = nics->listing ? find(nics, (uint32_t)l.i->ifi_index)
			    : find_all(nics, (uint32_t)l.i->ifi_index);
	if (!link_attribute(&l, IFLA_IFNAME) ||
	    (!nic && h->nlmsg_type == RTM_DELLINK))
		return;
	if (!nic)
		nic = add(nics, (uint32_t)l.i->ifi_index);
	/* It has been away. */
	if (nic->gone)
		nic->counted = nic->gone = false;
	nic->gone = h->nlmsg_type == RTM_DELLINK;
	nic->listed = true;
	if (!nic->gone) {
		nic->role = link_role(&l);
		nic->segments = link_is_hardware(&l, nics->foreign);
		nic->link_header = header_of(&l, nic->role);
	}
	/* A list has none; a notice tells from where one counts, or up to. */
	if (nic->gone || !nic->counted)
		take_counts(nic, link_attribute(&l, IFLA_STATS64));
}

/* --- Asking --- */

/* 0 or -1. */
static int read_links(struct nics *nics, const struct netlink *l)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg i;
		struct rtattr a;
		uint32_t mask;
	} request = {
		.h = { .nlmsg_len = sizeof(request),
		       .nlmsg_type = RTM_GETLINK,
		       .nlmsg_flags = NLM_F_DUMP },
		.a = { .rta_len = RTA_LENGTH(sizeof(uint32_t)),
		       .rta_type = IFLA_EXT_MASK },
		.mask = RTEXT_FILTER_SKIP_STATS,
	};
	size_t kept = 0;
	int torn;

	for (size_t i = 0; i < nics->count; i++)
		nics->list[i].listed = nics->list[i].gone;
	nics->listing = true;
	torn = netlink_ask(l, &request.h, take_link, nics);
	nics->listing = false;
	if (torn < 0)
		return -1;
	/* Those that are not there took their last counts along. */
	for (size_t i = 0; i < nics->count; i++)
		if (nics->list[i].listed || torn)
			nics->list[kept++] = nics->list[i];
	nics->stale = torn;
	nics->count = kept;
	nics->sorted = 0;
	return 0;
}

static void take_stats(struct nlmsghdr *h, void *ctx)
{
	struct if_stats_msg *m = NLMSG_DATA(h);
	struct nics *nics = ctx;
	struct nic *nic;

	if (h->nlmsg_type != RTM_NEWSTATS)
		return;
	nic = find(nics, m->ifindex);
	/* One that came a moment ago: the next time, there is a notice. */
	if (nic)
		take_counts(nic,
			    netlink_attribute((struct rtattr *)(m + 1),
					      h->nlmsg_len -
						      NLMSG_LENGTH(sizeof(*m)),
					      IFLA_STATS_LINK_64));
}

/* If torn, what was not told is told with the next. */
static int read_stats(struct nics *nics, const struct netlink *l)
{
	struct {
		struct nlmsghdr h;
		struct if_stats_msg m;
	} request = {
		.h = { .nlmsg_len = sizeof(request),
		       .nlmsg_type = RTM_GETSTATS,
		       .nlmsg_flags = NLM_F_DUMP },
		.m = { .filter_mask =
			       IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64) },
	};

	return netlink_ask(l, &request.h, take_stats, nics) < 0 ? -1 : 0;
}

/* Those that went have been told; what others had is what they begin with. */
static void begin(struct nics *nics)
{
	size_t kept = 0;

	for (size_t i = 0; i < nics->count; i++) {
		struct nic *nic = &nics->list[i];

		if (nic->gone)
			continue;
		nic->was = nic->now;
		nics->list[kept++] = *nic;
	}
	nics->count = nics->sorted = kept;
}

int nic_read(struct nics *nics, const struct netlink *l)
{
	bool first = nics->count == 0;
	int dropped;

	/* Else it is told with the next. */
	if (nics->whole)
		begin(nics);
	nics->whole = false;
	dropped = netlink_notices(l, take_link, nics);
	if (dropped < 0)
		return -1;
	nics->stale |= dropped;
	sort(nics);
	if ((first || nics->stale) && read_links(nics, l))
		return -1;
	sort(nics);
	nics->whole = read_stats(nics, l) == 0;
	return nics->whole ? 0 : -1;
}

void nic_free(struct nics *nics)
{
	free(nics->list);
	*nics = (struct nics){ 0 };
}

const struct nic *nic_find(const struct nics *nics, uint32_t ifindex)
{
	return find(nics, ifindex);
}
