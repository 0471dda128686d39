// SPDX-License-Identifier: MIT
/*
 * Ping sockets and raw sockets, in a network namespace of their own: a raw
 * socket would otherwise receive what other programs are pinging.
 */
#include <err.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <unistd.h>

#include "traffic.h"

#define COUNT	 101
#define PROTOCOL 253 /* RFC 3692: for experiments */

struct ping {
	enum where where;
	int type;
	int protocol; /* of the raw one that is none of ICMP */
};

/* RFC 1071; the length is even. */
static uint16_t checksum(const void *data, size_t n)
{
	const unsigned char *p = data;
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i < n; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* An echo request of n bytes; the kernel checksums those of IPv6. */
static void make_request(char *packet, size_t n, const struct ping *p, int seq)
{
	struct icmphdr h = {
		.type = p->where == V4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST,
		.un.echo.sequence = htons((uint16_t)seq),
	};

	memset(packet, 0, n);
	memcpy(packet, &h, sizeof(h));
	h.checksum = checksum(packet, n);
	memcpy(packet, &h, sizeof(h));
}

static bool is_reply(const char *packet, const struct ping *p)
{
	unsigned char type;

	/* A raw socket of IPv4 receives the IP header, too. */
	if (p->where == V4 && p->type == SOCK_RAW)
		packet += (packet[0] & 15) * 4;
	type = (unsigned char)packet[0];
	return type == (p->where == V4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY);
}

static void ping(const void *arg)
{
	const struct ping *p = arg;
	struct sockaddr_storage to = loopback(p->where);
	int fd = open_socket(p->where, p->type,
			     p->where == V4 ? (int)IPPROTO_ICMP
					    : (int)IPPROTO_ICMPV6);
	char packet[1024];
	int i;

	for (i = 0; i < COUNT; i++) {
		make_request(packet, 502, p, i);
		must(tx(sendto(fd, packet, 502, 0, (struct sockaddr *)&to,
			       addr_len(&to))),
		     "sendto");
		do
			must(rx(recv(fd, packet, sizeof(packet), 0)), "recv");
		while (!is_reply(packet, p));
	}
	close(fd);
}

static void run_ping(const void *arg)
{
	const struct ping *p = arg;

	own_netns();
	write_file("/proc/sys/net/ipv4/ping_group_range", "0 2147483647");
	role("ping", p->where == V4 ? "icmp" : "icmpv6", ping, p);
}

/* --- A protocol that the kernel does not know --- */

static void raw_receiver(const void *arg)
{
	const struct ping *p = arg;
	int fd = open_socket(p->where, SOCK_RAW, p->protocol), i;
	char packet[1024];

	for (i = 0; i < COUNT; i++) {
		signal_to(GO);
		must(rx(recv(fd, packet, sizeof(packet), 0)), "recv");
	}
	close(fd);
}

static void raw_sender(const void *arg)
{
	const struct ping *p = arg;
	struct sockaddr_storage to = loopback(p->where);
	int fd = open_socket(p->where, SOCK_RAW, p->protocol), i;
	char packet[503] = { 0 };

	for (i = 0; i < COUNT; i++) {
		await_signal(GO);
		must(tx(sendto(fd, packet, sizeof(packet), 0,
			       (struct sockaddr *)&to, addr_len(&to))),
		     "sendto");
	}
	close(fd);
}

/* The sender writes the IP header, so its calls count 20 bytes more. */
static void header_sender(const void *arg)
{
	const struct ping *p = arg;
	struct sockaddr_storage to = loopback(p->where);
	int fd = open_socket(p->where, SOCK_RAW, IPPROTO_RAW), i;
	char packet[523] = { 0 };
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.ttl = 64,
		.protocol = PROTOCOL,
		.saddr = ((struct sockaddr_in *)&to)->sin_addr.s_addr,
	};

	ip.daddr = ip.saddr;
	memcpy(packet, &ip, sizeof(ip));
	for (i = 0; i < COUNT; i++) {
		await_signal(GO);
		must(tx(sendto(fd, packet, sizeof(packet), 0,
			       (struct sockaddr *)&to, addr_len(&to))),
		     "sendto");
	}
	close(fd);
}

static void run_raw(const void *arg)
{
	own_netns();
	role("srv", "raw", raw_receiver, arg);
	role("cli", "raw", raw_sender, arg);
}

static void run_header(const void *arg)
{
	own_netns();
	role("srv", "raw", raw_receiver, arg);
	role("cli", "raw", header_sender, arg);
}

static const struct ping ping4 = { V4, SOCK_DGRAM };
static const struct ping ping6 = { V6, SOCK_DGRAM };
static const struct ping raw4 = { V4, SOCK_RAW, PROTOCOL };
static const struct ping raw6 = { V6, SOCK_RAW, PROTOCOL };
static const struct ping raw_tcp4 = { V4, SOCK_RAW, IPPROTO_TCP };
static const struct ping raw_tcp6 = { V6, SOCK_RAW, IPPROTO_TCP };

const struct scenario icmp_scenarios[] = {
	{ "ping4", "ICMP by a ping socket", run_ping, &ping4 },
	{ "ping6", "ICMPv6 by a ping socket", run_ping, &ping6 },
	{ "raw-icmp4", "ICMP by a raw socket", run_ping, &raw4 },
	{ "raw-icmp6", "ICMPv6 by a raw socket", run_ping, &raw6 },
	{ "raw4", "a raw protocol over IPv4", run_raw, &raw4 },
	{ "raw6", "a raw protocol over IPv6", run_raw, &raw6 },
	{ "raw-tcp4", "segments of TCP by a raw socket", run_raw, &raw_tcp4 },
	{ "raw-tcp6", "the same over IPv6", run_raw, &raw_tcp6 },
	{ "raw-header", "IP_HDRINCL", run_header, &raw4 },
	{ 0 }
};
