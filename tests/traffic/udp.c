// SPDX-License-Identifier: MIT
/*
 * UDP and UDP-Lite.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include "traffic.h"

static char bytes[1 << 16];

static long send_to(int fd, const char *buf, size_t n, int flags,
		    const struct sockaddr_storage *to)
{
	return sendto(fd, buf, n, flags, (const struct sockaddr *)to,
		      to ? addr_len(to) : 0);
}

static long recv_from(int fd, char *buf, size_t n, int flags,
		      struct sockaddr_storage *from)
{
	socklen_t len = sizeof(*from);

	return recvfrom(fd, buf, n, flags, (struct sockaddr *)from, &len);
}

static long by_write(int fd, const char *buf, size_t n,
		     const struct sockaddr_storage *to)
{
	(void)to;
	return write(fd, buf, n);
}

/* The server needs the address of its first client. */
static long by_read(int fd, char *buf, size_t n, struct sockaddr_storage *from)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);

	if (getpeername(fd, (struct sockaddr *)&peer, &len))
		return recv_from(fd, buf, n, 0, from);
	return read(fd, buf, n);
}

static long peek_first(int fd, char *buf, size_t n,
		       struct sockaddr_storage *from)
{
	must(recv(fd, buf, n, MSG_PEEK), "peek");
	must(recv(fd, buf, n, MSG_PEEK | MSG_TRUNC), "peek");
	return recv_from(fd, buf, n, 0, from);
}

/* What is cut off does not count; with MSG_TRUNC the call counts it. */
static long into_short(int fd, char *buf, size_t n,
		       struct sockaddr_storage *from)
{
	(void)n;
	return recv_from(fd, buf, 499, 0, from);
}

static long into_short_trunc(int fd, char *buf, size_t n,
			     struct sockaddr_storage *from)
{
	(void)n;
	return recv_from(fd, buf, 11, MSG_TRUNC, from);
}

#define BATCH 7

static long by_sendmmsg(int fd, const char *buf, size_t n,
			const struct sockaddr_storage *to)
{
	struct sockaddr_storage name = *to;
	struct mmsghdr msg[BATCH] = { 0 };
	struct iovec iov[BATCH];
	int i;

	(void)buf;
	for (i = 0; i < BATCH; i++) {
		iov[i].iov_base = bytes;
		iov[i].iov_len = n / BATCH;
		msg[i].msg_hdr.msg_name = &name;
		msg[i].msg_hdr.msg_namelen = addr_len(to);
		msg[i].msg_hdr.msg_iov = &iov[i];
		msg[i].msg_hdr.msg_iovlen = 1;
	}
	if (sendmmsg(fd, msg, BATCH, 0) != BATCH)
		err(1, "%s: sendmmsg", me->name);
	for (n = 0, i = 0; i < BATCH; i++)
		n += msg[i].msg_len;
	return (long)n;
}

static long by_recvmmsg(int fd, char *buf, size_t n,
			struct sockaddr_storage *from)
{
	struct mmsghdr msg[BATCH] = { 0 };
	struct iovec iov[BATCH];
	int i, got;

	(void)n;
	for (i = 0; i < BATCH; i++) {
		iov[i].iov_base = buf + i * 1009;
		iov[i].iov_len = 1009;
		msg[i].msg_hdr.msg_name = from;
		msg[i].msg_hdr.msg_namelen = sizeof(*from);
		msg[i].msg_hdr.msg_iov = &iov[i];
		msg[i].msg_hdr.msg_iovlen = 1;
	}
	got = recvmmsg(fd, msg, BATCH, MSG_WAITFORONE, NULL);
	must(got, "recvmmsg");
	for (n = 0, i = 0; i < got; i++)
		n += msg[i].msg_len;
	return (long)n;
}

/* One datagram out of five calls. */
static long by_more(int fd, const char *buf, size_t n,
		    const struct sockaddr_storage *to)
{
	size_t part = n / 5, sent = 0;
	int i;

	for (i = 0; i < 4; i++)
		sent += (size_t)must(send_to(fd, buf, part, MSG_MORE, to),
				     "send");
	sent += (size_t)must(send_to(fd, buf, n - sent, 0, to), "send");
	return (long)sent;
}

static long by_cork(int fd, const char *buf, size_t n,
		    const struct sockaddr_storage *to)
{
	size_t sent;

	set_option(fd, IPPROTO_UDP, UDP_CORK, 1);
	sent = (size_t)must(send_to(fd, buf, n / 3, 0, to), "send");
	sent += (size_t)must(send_to(fd, buf, n - sent, 0, to), "send");
	set_option(fd, IPPROTO_UDP, UDP_CORK, 0);
	return (long)sent;
}

static void set_gso(int fd, bool client)
{
	int size = 499;

	(void)client;
	if (setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)))
		skip("no UDP_SEGMENT");
}

static void set_gso_gro(int fd, bool client)
{
	int on = 1;

	set_gso(fd, client);
	if (setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on)))
		skip("no UDP_GRO");
}

static void set_zerocopy(int fd, bool client)
{
	int on = 1;

	(void)client;
	if (setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on)))
		skip("no SO_ZEROCOPY for UDP");
}

static long zerocopy_send(int fd, const char *buf, size_t n,
			  const struct sockaddr_storage *to)
{
	long sent = send_to(fd, buf, n, MSG_ZEROCOPY, to);

	if (sent > 0)
		read_errqueue(fd);
	return sent;
}

static long empty_first(int fd, const char *buf, size_t n,
			const struct sockaddr_storage *to)
{
	must(send_to(fd, buf, 0, 0, to), "send");
	return send_to(fd, buf, n, 0, to);
}

static long by_sendfile(int fd, const char *buf, size_t n,
			const struct sockaddr_storage *to)
{
	static int file = -1;
	off_t from = 0;

	(void)buf;
	(void)to;
	if (file < 0) {
		file = memfd_create("file", 0);
		must(file, "memfd_create");
		must(ftruncate(file, sizeof(bytes)), "ftruncate");
	}
	return sendfile(fd, file, &from, n);
}

static long by_splice(int fd, char *buf, size_t n,
		      struct sockaddr_storage *from)
{
	static int tube[2] = { -1, -1 };
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	long got;

	if (getpeername(fd, (struct sockaddr *)&peer, &len))
		return recv_from(fd, buf, n, 0, from);
	if (tube[0] < 0)
		must(pipe(tube), "pipe");
	got = splice(fd, NULL, tube[1], NULL, n, 0);
	if (got < 0 && errno == EINVAL)
		skip("no splice from UDP");
	if (got > 0 && read(tube[0], buf, (size_t)got) != got)
		errx(1, "%s: pipe lost bytes", me->name);
	return got;
}

/* --- Table --- */

static const struct datagram udp4 = { .where = V4 };
static const struct datagram udp6 = { .where = V6 };
static const struct datagram mapped = { .where = MAPPED };
static const struct datagram connected4 = {
	.connected = true,
	.push = by_write,
	.pull = by_read,
};
static const struct datagram connected6 = {
	.where = V6,
	.connected = true,
	.push = by_write,
	.pull = by_read,
};
static const struct datagram peers4 = { .clients = 3 };
static const struct datagram peers6 = { .where = V6, .clients = 3 };
static const struct datagram large = { .size = 60013 };
static const struct datagram peek4 = { .pull = peek_first };
static const struct datagram peek6 = { .where = V6, .pull = peek_first };
static const struct datagram cut = { .pull = into_short, .expect = 499 };
static const struct datagram truncated = { .pull = into_short_trunc };
static const struct datagram mmsg = {
	.size = 7 * 139,
	.push = by_sendmmsg,
	.pull = by_recvmmsg,
};
static const struct datagram more = { .push = by_more };
static const struct datagram more6 = { .where = V6, .push = by_more };
static const struct datagram cork = { .push = by_cork };
static const struct datagram gso4 = { .size = 20011, .setup = set_gso };
static const struct datagram gso6 = {
	.where = V6,
	.size = 20011,
	.setup = set_gso,
};
static const struct datagram gro4 = { .size = 20011, .setup = set_gso_gro };
static const struct datagram gro6 = {
	.where = V6,
	.size = 20011,
	.setup = set_gso_gro,
};
static const struct datagram zerocopy = {
	.size = 20011,
	.setup = set_zerocopy,
	.push = zerocopy_send,
};
static const struct datagram empty = { .push = empty_first };
static const struct datagram file4 = {
	.connected = true,
	.size = 9973,
	.push = by_sendfile,
	.pull = by_read,
};
static const struct datagram file6 = {
	.where = V6,
	.connected = true,
	.size = 9973,
	.push = by_sendfile,
	.pull = by_read,
};
static const struct datagram splice4 = {
	.connected = true,
	.push = by_write,
	.pull = by_splice,
};
static const struct datagram lite4 = {
	.proto = "udplite",
	.protocol = IPPROTO_UDPLITE,
};
static const struct datagram lite6 = {
	.proto = "udplite",
	.where = V6,
	.protocol = IPPROTO_UDPLITE,
};

const struct scenario udp_scenarios[] = {
	{ "udp4", "IPv4, sendto and recvfrom", datagram_pair, &udp4 },
	{ "udp6", "IPv6, sendto and recvfrom", datagram_pair, &udp6 },
	{ "udp-mapped", "IPv4 on IPv6 sockets", datagram_pair, &mapped },
	{ "udp4-connected", "connect, write, read", datagram_pair,
	  &connected4 },
	{ "udp6-connected", "the same on IPv6", datagram_pair, &connected6 },
	{ "udp4-peers", "one socket serves three", datagram_pair, &peers4 },
	{ "udp6-peers", "the same on IPv6", datagram_pair, &peers6 },
	{ "udp-large", "datagrams of 60,013 bytes", datagram_pair, &large },
	{ "udp4-peek", "MSG_PEEK before each read", datagram_pair, &peek4 },
	{ "udp6-peek", "the same on IPv6", datagram_pair, &peek6 },
	{ "udp-cut", "buffers that are too short", datagram_pair, &cut },
	{ "udp-trunc", "too short, with MSG_TRUNC", datagram_pair, &truncated },
	{ "udp-mmsg", "sendmmsg and recvmmsg", datagram_pair, &mmsg },
	{ "udp4-more", "MSG_MORE", datagram_pair, &more },
	{ "udp6-more", "the same on IPv6", datagram_pair, &more6 },
	{ "udp-cork", "UDP_CORK", datagram_pair, &cork },
	{ "udp4-gso", "UDP_SEGMENT", datagram_pair, &gso4 },
	{ "udp6-gso", "the same on IPv6", datagram_pair, &gso6 },
	{ "udp4-gro", "UDP_SEGMENT and UDP_GRO", datagram_pair, &gro4 },
	{ "udp6-gro", "the same on IPv6", datagram_pair, &gro6 },
	{ "udp-zerocopy", "MSG_ZEROCOPY", datagram_pair, &zerocopy },
	{ "udp-empty", "empty datagrams in between", datagram_pair, &empty },
	{ "udp4-sendfile", "sendfile", datagram_pair, &file4 },
	{ "udp6-sendfile", "the same on IPv6", datagram_pair, &file6 },
	{ "udp-splice", "splice from a socket", datagram_pair, &splice4 },
	{ "udplite4", "UDP-Lite", datagram_pair, &lite4 },
	{ "udplite6", "the same on IPv6", datagram_pair, &lite6 },
	{ 0 }
};
