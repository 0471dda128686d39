// SPDX-License-Identifier: MIT
/*
 * What an interface is, by what rtnetlink(7) says of it.
 */
#include "nic-kind.h"

#include <limits.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static bool is_one_of(const char *kind, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(kind, *list) == 0)
			return true;
	return false;
}

struct rtattr *link_attribute(const struct link *l, unsigned type)
{
	return netlink_attribute(l->attrs, l->left, type);
}

static struct rtattr *info_of(const struct link *l, unsigned type)
{
	return l->info ? netlink_attribute(RTA_DATA(l->info),
					   RTA_PAYLOAD(l->info), type)
		       : NULL;
}

/*
 * The drivers of hardware count what is on the wire. virtio_net counts what it
 * hands to the host, which may be many segments in one. If it is foreign sysfs
 * does not have it: what has no kind is hardware then.
 */
bool link_is_hardware(const struct link *l, bool foreign)
{
	struct rtattr *bus = link_attribute(l, IFLA_PARENT_DEV_BUS_NAME);
	char text[32];

	if (foreign && !bus)
		return !info_of(l, IFLA_INFO_KIND);
	bus_of(RTA_DATA(link_attribute(l, IFLA_IFNAME)), l->i->ifi_index, bus,
	       text, sizeof(text));
	return text[0] && strcmp(text, "virtio") != 0;
}

/* A VRF is a master too, but only a table of routes: its ports count. */
static bool is_port(const struct link *l)
{
	struct rtattr *a = info_of(l, IFLA_INFO_SLAVE_KIND);

	return link_attribute(l, IFLA_MASTER) &&
	       (!a || strcmp(RTA_DATA(a), "vrf") != 0);
}

static bool is_tap(const struct link *l)
{
	struct rtattr *data = info_of(l, IFLA_INFO_DATA);
	struct rtattr *type =
		data ? netlink_attribute(RTA_DATA(data), RTA_PAYLOAD(data),
					 IFLA_TUN_TYPE)
		     : NULL;

	return type && *(const uint8_t *)RTA_DATA(type) == IFF_TAP;
}

/*
 * By the kind that ip-link(8) shows. A tap is a virtual machine's cable. What
 * stands on an interface of another namespace counts here: that one does not.
 */
enum nic_role link_role(const struct link *l)
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
	if (is_one_of(kind, uppers) && !link_attribute(l, IFLA_LINK_NETNSID))
		return NIC_UPPER;
	return NIC_EDGE;
}
