// SPDX-License-Identifier: MIT
/*
 * Datagrams that nobody answers.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <unistd.h>

#include "traffic.h"

static char bytes[2048];

/* Refused datagrams come back whole; reading them is no traffic. */
static void refused(const void *datagram)
{
	const struct datagram *d = datagram;
	int fd = open_socket(d->where, SOCK_DGRAM, 0);
	int closed = open_socket(d->where, SOCK_DGRAM, 0), i;
	struct sockaddr_storage to;
	socklen_t len = sizeof(to);

	/* First, so that it cannot be given the port that is free again. */
	bind_loopback(fd, d->where);
	bind_loopback(closed, d->where);
	must(getsockname(closed, (struct sockaddr *)&to, &len), "getsockname");
	close(closed);

	if (d->where == V4)
		set_option(fd, IPPROTO_IP, IP_RECVERR, 1);
	else
		set_option(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
	for (i = 0; i < 101; i++) {
		must(tx(sendto(fd, bytes, 997, 0, (struct sockaddr *)&to,
			       addr_len(&to))),
		     "send");
		read_errqueue(fd);
	}
	close(fd);
}

static void run_refused(const void *datagram)
{
	role("cli", "udp", refused, datagram);
}

/* Closed without a look at what came. */
static void unread_server(const void *datagram)
{
	const struct datagram *d = datagram;
	int fd = open_socket(d->where, SOCK_DGRAM, 0);

	bind_loopback(fd, d->where);
	tell_address(fd, 1);
	await_signal(GO);
	close(fd);
}

static void unread_client(const void *datagram)
{
	const struct datagram *d = datagram;
	struct sockaddr_storage to = hear_address();
	int fd = open_socket(d->where, SOCK_DGRAM, 0), i;

	for (i = 0; i < 101; i++)
		must(tx(sendto(fd, bytes, 997, 0, (struct sockaddr *)&to,
			       addr_len(&to))),
		     "send");
	signal_to(GO);
	close(fd);
}

static void run_unread(const void *datagram)
{
	role("srv", "udp", unread_server, datagram);
	role("cli", "udp", unread_client, datagram);
}

#define FLOOD  5000
#define WINDOW 20 /* fits into any receive buffer */

static void flood_server(const void *datagram)
{
	const struct datagram *d = datagram;
	int fd = open_socket(d->where, SOCK_DGRAM, 0), i;

	bind_loopback(fd, d->where);
	tell_address(fd, 1);
	for (i = 0; i < FLOOD; i++) {
		must(rx(recv(fd, bytes, sizeof(bytes), 0)), "recv");
		if (i % WINDOW == WINDOW - 1)
			signal_to(GO);
	}
	close(fd);
}

/* A socket for each datagram. */
static void flood_client(const void *datagram)
{
	const struct datagram *d = datagram;
	struct sockaddr_storage to = hear_address();
	int fd, i;

	for (i = 0; i < FLOOD; i++) {
		fd = open_socket(d->where, SOCK_DGRAM, 0);
		must(tx(sendto(fd, bytes, 101, 0, (struct sockaddr *)&to,
			       addr_len(&to))),
		     "send");
		if (i % WINDOW == WINDOW - 1)
			await_signal(GO);
		close(fd);
	}
}

static void run_flood(const void *datagram)
{
	role("srv", "udp", flood_server, datagram);
	role("cli", "udp", flood_client, datagram);
}

/* Frames of no known protocol; the first 14 bytes are Ethernet's header. */
static void packets(const void *unused)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_802_EX1),
				  .sll_ifindex = interface_index(),
				  .sll_halen = 6 };
	int fd = socket(AF_PACKET, SOCK_RAW, 0), i;

	(void)unused;
	if (fd < 0)
		skip("no packet sockets");
	for (i = 0; i < 101; i++)
		must(tx(sendto(fd, bytes, 997, 0, (struct sockaddr *)&to,
			       sizeof(to))),
		     "send");
	close(fd);
}

static void run_packets(const void *unused)
{
	role("cli", "packet", packets, unused);
}

static const struct datagram udp4 = { .where = V4 };
static const struct datagram udp6 = { .where = V6 };

const struct scenario unanswered_scenarios[] = {
	{ "udp4-refused", "reads of the error queue", run_refused, &udp4 },
	{ "udp6-refused", "the same on IPv6", run_refused, &udp6 },
	{ "udp4-unread", "a socket that nobody reads", run_unread, &udp4 },
	{ "udp6-unread", "the same on IPv6", run_unread, &udp6 },
	{ "packet", "frames by AF_PACKET", run_packets, NULL },
	{ "flood", "5,000 sockets, a datagram each", run_flood, &udp4 },
	{ 0 }
};
