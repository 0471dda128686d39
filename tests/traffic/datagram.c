// SPDX-License-Identifier: MIT
/*
 * Datagrams: each question is answered before the next one is sent, so the
 * queues never overflow and every byte that is sent is received.
 */
#include <netinet/in.h>
#include <unistd.h>

#include "traffic.h"

#define ROUNDS 101

static char bytes[1 << 16];

static size_t question_size(const struct datagram *d)
{
	return d->size ? d->size : 997;
}

static void push(const struct datagram *d, int fd, size_t n,
		 const struct sockaddr_storage *to)
{
	long sent;

	if (d->push)
		sent = d->push(fd, bytes, n, to);
	else
		sent = sendto(fd, bytes, n, 0, (const struct sockaddr *)to,
			      to ? addr_len(to) : 0);
	must(tx(sent), "send");
}

static void pull(const struct datagram *d, int fd, size_t n,
		 struct sockaddr_storage *from)
{
	socklen_t len;
	long got;

	while (n) {
		len = sizeof(*from);
		if (d->pull)
			got = d->pull(fd, bytes, sizeof(bytes), from);
		else
			got = recvfrom(fd, bytes, sizeof(bytes), 0,
				       (struct sockaddr *)from, &len);
		n -= (size_t)must(rx(got), "receive");
	}
}

static int open_datagram(const struct datagram *d, bool client)
{
	int fd = open_socket(d->where, SOCK_DGRAM, d->protocol);

	if (d->setup)
		d->setup(fd, client);
	return fd;
}

/* An answer is as long as what was received of the question. */
static size_t answer_size(const struct datagram *d)
{
	return d->expect ? d->expect : question_size(d);
}

static void server(const void *datagram)
{
	const struct datagram *d = datagram;
	int fd = open_datagram(d, false), i;
	int clients = d->clients ? d->clients : 1;
	struct sockaddr_storage from;

	bind_loopback(fd, d->where);
	tell_address(fd, clients);
	hold();
	for (i = 0; i < ROUNDS * clients; i++) {
		pull(d, fd, answer_size(d), &from);
		if (d->connected && !i)
			must(connect(fd, (struct sockaddr *)&from,
				     addr_len(&from)),
			     "connect");
		push(d, fd, answer_size(d), d->connected ? NULL : &from);
	}
	close(fd);
}

static void client(const void *datagram)
{
	const struct datagram *d = datagram;
	struct sockaddr_storage to = hear_address(), from;
	int fd = open_datagram(d, true), i;

	if (d->connected)
		must(connect(fd, (struct sockaddr *)&to, addr_len(&to)),
		     "connect");
	else
		bind_loopback(fd, d->where);
	hold();
	for (i = 0; i < ROUNDS; i++) {
		push(d, fd, question_size(d), d->connected ? NULL : &to);
		pull(d, fd, answer_size(d), &from);
	}
	close(fd);
}

void datagram_pair(const void *datagram)
{
	const struct datagram *d = datagram;
	const char *proto = d->proto ? d->proto : "udp";
	int clients = d->clients ? d->clients : 1;

	role("srv", proto, server, d);
	while (clients--)
		role("cli", proto, client, d);
}
