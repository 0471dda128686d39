// SPDX-License-Identifier: MIT
/*
 * Names by port. A service has the name that it would have by its first bytes,
 * so that both add up.
 */
#include "ports.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Which services(5) does not have, or calls something else. */
static const struct {
	uint16_t port;
	bool tcp, udp;
	const char *app, *category;
} more[] = {
	{ 22, true, false, "ssh", "remoteaccess" },
	{ 25, true, false, "smtp", "email" },
	{ 53, true, true, "dns", "network" },
	{ 67, false, true, "dhcp", "network" },
	{ 68, false, true, "dhcp", "network" },
	{ 80, true, false, "http", "web" },
	{ 123, false, true, "ntp", "system" },
	{ 443, true, false, "tls", "web" },
	{ 443, false, true, "quic", "web" },
	{ 465, true, false, "smtps", "email" },
	{ 546, false, true, "dhcpv6", "network" },
	{ 547, false, true, "dhcpv6", "network" },
	{ 587, true, false, "smtp", "email" },
	{ 853, true, true, "dot", "network" },
	{ 993, true, false, "imaps", "email" },
	{ 995, true, false, "pop3s", "email" },
	{ 1194, true, true, "openvpn", "vpn" },
	{ 1900, false, true, "ssdp", "system" },
	{ 3306, true, false, "mysql", "database" },
	{ 3389, true, true, "rdp", "remoteaccess" },
	{ 3478, true, true, "stun", "network" },
	{ 4500, false, true, "ipsec", "vpn" },
	{ 500, false, true, "ipsec", "vpn" },
	{ 5353, false, true, "mdns", "network" },
	{ 5355, true, true, "llmnr", "network" },
	{ 5432, true, false, "postgresql", "database" },
	{ 6379, true, false, "redis", "database" },
	{ 6443, true, false, "tls", "web" },
	{ 6881, true, true, "bittorrent", "download" },
	{ 8080, true, false, "http", "web" },
	{ 8443, true, false, "tls", "web" },
	{ 9418, true, false, "git", "collaborative" },
	{ 27017, true, false, "mongodb", "database" },
	{ 51820, false, true, "wireguard", "vpn" },
};

/* By protocol and port; the first that services(5) has. */
static char *services[2][UINT16_MAX + 1];

/* Once: getservbyport(3) would read the file for every flow. */
static void load_services(void)
{
	static bool loaded;
	const struct servent *s;

	if (loaded)
		return;
	loaded = true;
	while ((s = getservent())) {
		bool tcp = strcmp(s->s_proto, "tcp") == 0;
		char **at = &services[tcp][ntohs((uint16_t)s->s_port)];

		if ((tcp || strcmp(s->s_proto, "udp") == 0) && !*at)
			*at = strdup(s->s_name);
	}
	endservent();
}

bool ports_use(uint16_t port, bool tcp, struct port_use *use)
{
	for (size_t i = 0; i < sizeof(more) / sizeof(*more); i++) {
		if (more[i].port != port || !(tcp ? more[i].tcp : more[i].udp))
			continue;
		snprintf(use->app, sizeof(use->app), "%s", more[i].app);
		use->category = more[i].category;
		return true;
	}
	load_services();
	if (!services[tcp][port])
		return false;
	snprintf(use->app, sizeof(use->app), "%s", services[tcp][port]);
	use->category = NULL;
	return true;
}
