// SPDX-License-Identifier: MIT
/*
 * Packets for a reader that wants packets. It looks at no checksum.
 */
#include "tuple.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

/* Of no protocol; the lower is taken for the server's. */
#define SERVER_PORT 50001
#define CLIENT_PORT 50003

#define DNS_PORT   53
#define MDNS_PORT  5353
#define LLMNR_PORT 5355

/*
 * Where nDPI looks for what it looks for nowhere else: DNS, Kerberos, S7,
 * NetBIOS, BGP, SMB, Modbus and git; and Kerberos, DHCP, NTP, NetBIOS, SNMP,
 * DHCPv6 and RDP. It looks at the bytes there.
 */
static const uint16_t bound_tcp[] = { 53, 88, 102, 139, 179, 445, 502, 9418 };
static const uint16_t bound_udp[] = { 67,  68,	88,  123, 137, 138,
				      161, 162, 546, 547, 3389 };

static bool is_in(uint16_t port, const uint16_t *ports, size_t count)
{
	while (count--)
		if (ports[count] == port)
			return true;
	return false;
}

static bool is_bound(uint16_t port, bool tcp)
{
	return tcp ? is_in(port, bound_tcp,
			   sizeof(bound_tcp) / sizeof(*bound_tcp))
		   : is_in(port, bound_udp,
			   sizeof(bound_udp) / sizeof(*bound_udp));
}

static bool is_dns_port(uint16_t port)
{
	return port == DNS_PORT || port == MDNS_PORT || port == LLMNR_PORT;
}

struct tuple tuple_shown(const struct tuple *t, bool dns)
{
	uint16_t server = t->called ? t->lport : t->rport;
	struct tuple shown = *t;

	if (dns ? is_dns_port(server) : is_bound(server, t->tcp))
		return shown;
	server = dns ? DNS_PORT : SERVER_PORT;
	shown.lport = t->called ? server : CLIENT_PORT;
	shown.rport = t->called ? CLIENT_PORT : server;
	return shown;
}

static uint8_t *put(uint8_t *to, const void *header, size_t n)
{
	memcpy(to, header, n);
	return to + n;
}

/* 10.0.0.0/8 here, and 11.0.0.0/8 there. */
static uint32_t address(uint32_t number, bool ours)
{
	return htonl((ours ? 10U : 11U) << 24 | (number & 0xffffff));
}

size_t tuple_packet(const struct tuple *t, uint32_t number, bool sent,
		    uint32_t seq, uint32_t ack, const uint8_t *payload,
		    size_t n, uint8_t *packet)
{
	uint16_t sport = htons(sent ? t->lport : t->rport);
	uint16_t dport = htons(sent ? t->rport : t->lport);
	struct tcphdr tcp = { .th_sport = sport,
			      .th_dport = dport,
			      .th_seq = htonl(seq),
			      .th_ack = htonl(ack),
			      .th_off = sizeof(tcp) / 4,
			      .th_flags = TH_ACK | TH_PUSH,
			      .th_win = htons(65535) };
	struct udphdr udp = { .uh_sport = sport,
			      .uh_dport = dport,
			      .uh_ulen = htons((uint16_t)(sizeof(udp) + n)) };
	size_t header = t->tcp ? sizeof(tcp) : sizeof(udp);
	struct ip ip = {
		.ip_v = 4,
		.ip_hl = sizeof(ip) / 4,
		.ip_len = htons((uint16_t)(sizeof(ip) + header + n)),
		.ip_ttl = 64,
		.ip_p = t->tcp ? IPPROTO_TCP : IPPROTO_UDP,
		.ip_src.s_addr = address(number, sent),
		.ip_dst.s_addr = address(number, !sent),
	};
	uint8_t *to = put(packet, &ip, sizeof(ip));

	to = t->tcp ? put(to, &tcp, sizeof(tcp)) : put(to, &udp, sizeof(udp));
	to = put(to, payload, n);
	return (size_t)(to - packet);
}
