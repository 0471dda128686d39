// SPDX-License-Identifier: MIT
/*
 * TCP without copying through the program: sendfile, splice, MSG_ZEROCOPY,
 * TCP_ZEROCOPY_RECEIVE.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <linux/tcp.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include "traffic.h"

static char bytes[1 << 17];

static long by_sendfile(int fd, const char *buf, size_t n)
{
	static int file = -1;
	off_t from = 17;

	(void)buf;
	if (file < 0) {
		file = memfd_create("file", 0);
		must(file, "memfd_create");
		must(ftruncate(file, sizeof(bytes)), "ftruncate");
	}
	return sendfile(fd, file, &from, n);
}

static int tube[2] = { -1, -1 };

static void open_tube(void)
{
	if (tube[0] < 0)
		must(pipe(tube), "pipe");
}

static long by_vmsplice(int fd, const char *buf, size_t n)
{
	struct iovec iov = { bytes, n };

	(void)buf;
	open_tube();
	if (must(vmsplice(tube[1], &iov, 1, 0), "vmsplice") != (long)n)
		errx(1, "%s: pipe is full", me->name);
	return splice(tube[0], NULL, fd, NULL, n, SPLICE_F_MOVE);
}

static long by_splice(int fd, char *buf, size_t n)
{
	long got;

	open_tube();
	got = splice(fd, NULL, tube[1], NULL, n, SPLICE_F_MOVE);
	if (got > 0 && read(tube[0], buf, (size_t)got) != got)
		errx(1, "%s: pipe lost bytes", me->name);
	return got;
}

/* Some by splice, some by recv: neither may be taken for the other. */
static long by_turns(int fd, char *buf, size_t n)
{
	static unsigned int turn;

	return turn++ % 3 ? by_splice(fd, buf, n) : recv(fd, buf, n, 0);
}

static void set_zerocopy(int fd, bool client)
{
	(void)client;
	set_option(fd, SOL_SOCKET, SO_ZEROCOPY, 1);
}

static long zerocopy_send(int fd, const char *buf, size_t n)
{
	long sent = send(fd, buf, n, MSG_ZEROCOPY);

	if (sent > 0)
		read_errqueue(fd);
	return sent;
}

/* --- TCP_ZEROCOPY_RECEIVE --- */

#define WINDOW (1 << 16)

/*
 * What the kernel takes from the queue in one call: mapped pages, and, with a
 * buffer to copy to, what is no whole page. 0: nothing could be had so.
 */
static long zerocopy_receive(int fd, struct tcp_zerocopy_receive *zc)
{
	static void *window;
	socklen_t len = sizeof(*zc);
	long got;

	if (!window) {
		window = mmap(NULL, WINDOW, PROT_READ, MAP_SHARED, fd, 0);
		if (window == MAP_FAILED)
			skip("a TCP socket cannot be mapped");
	}
	zc->address = (uintptr_t)window;
	zc->length = WINDOW;
	if (getsockopt(fd, IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, zc, &len)) {
		if (errno != EIO)
			skip("no TCP_ZEROCOPY_RECEIVE");
		zc->length = 0; /* the other side has shut down */
		zc->copybuf_len = 0;
	}
	got = zc->length;
	if (zc->copybuf_address &&
	    len < offsetof(struct tcp_zerocopy_receive, flags))
		skip("TCP_ZEROCOPY_RECEIVE has no copybuf");
	if (zc->copybuf_len > 0)
		got += zc->copybuf_len;
	return got;
}

static long by_mapping(int fd, char *buf, size_t n)
{
	struct tcp_zerocopy_receive zc = { 0 };
	static size_t mapped;
	long got, rest = 0;

	await_events(fd, POLLIN);
	got = zerocopy_receive(fd, &zc);
	mapped += zc.length;
	if (!got || zc.recv_skip_hint) {
		if (zc.recv_skip_hint && zc.recv_skip_hint < n)
			n = zc.recv_skip_hint;
		rest = recv(fd, buf, n, 0);
	}
	if (!got && !rest && !mapped)
		skip("the kernel mapped no page");
	return rest < 0 ? rest : got + rest;
}

static long by_copybuf(int fd, char *buf, size_t n)
{
	struct tcp_zerocopy_receive zc = {
		.copybuf_address = (uintptr_t)buf,
		.copybuf_len = (int)n,
	};
	static size_t copied;
	long got;

	await_events(fd, POLLIN);
	got = zerocopy_receive(fd, &zc);
	if (got) {
		copied += zc.copybuf_len > 0 ? (size_t)zc.copybuf_len : 0;
		return got;
	}
	got = recv(fd, buf, n, 0);
	if (!got && !copied)
		skip("the kernel copied nothing to copybuf");
	return got;
}

/* --- Table --- */

static const struct stream sendfile4 = { .push = by_sendfile };
static const struct stream sendfile6 = { .where = V6, .push = by_sendfile };
static const struct stream vmsplice4 = {
	.push = by_vmsplice,
	.chunk = 30011,
	.chunks = 37,
};
static const struct stream splice4 = { .pull = by_splice };
static const struct stream splice6 = { .where = V6, .pull = by_splice };
static const struct stream turns = { .pull = by_turns };
static const struct stream zerocopy4 = {
	.setup = set_zerocopy,
	.push = zerocopy_send,
	.chunk = 20011,
	.chunks = 53,
};
static const struct stream zerocopy6 = {
	.where = V6,
	.setup = set_zerocopy,
	.push = zerocopy_send,
	.chunk = 20011,
	.chunks = 53,
};
/* Whole pages, so that the other side can map them. */
static const struct stream mapping = {
	.setup = set_zerocopy,
	.push = zerocopy_send,
	.pull = by_mapping,
	.chunk = 11 * 4096,
	.chunks = 23,
};
static const struct stream mapping6 = {
	.where = V6,
	.setup = set_zerocopy,
	.push = zerocopy_send,
	.pull = by_mapping,
	.chunk = 11 * 4096,
	.chunks = 23,
};
static const struct stream copybuf = {
	.setup = set_zerocopy,
	.push = zerocopy_send,
	.pull = by_copybuf,
	.chunk = 11 * 4096 + 1009,
	.chunks = 23,
};
static const struct stream copybuf_short = {
	.pull = by_copybuf,
	.chunk = 211,
	.chunks = 1009,
};

const struct scenario zerocopy_scenarios[] = {
	{ "sendfile4", "sendfile", stream_pair, &sendfile4 },
	{ "sendfile6", "the same on IPv6", stream_pair, &sendfile6 },
	{ "vmsplice", "vmsplice and splice to a socket", stream_pair,
	  &vmsplice4 },
	{ "splice4", "splice from a socket", stream_pair, &splice4 },
	{ "splice6", "the same on IPv6", stream_pair, &splice6 },
	{ "splice-turns", "splice and recv by turns", stream_pair, &turns },
	{ "zerocopy-send4", "MSG_ZEROCOPY", stream_pair, &zerocopy4 },
	{ "zerocopy-send6", "the same on IPv6", stream_pair, &zerocopy6 },
	{ "zerocopy-pages4", "TCP_ZEROCOPY_RECEIVE maps pages", stream_pair,
	  &mapping },
	{ "zerocopy-pages6", "the same on IPv6", stream_pair, &mapping6 },
	{ "zerocopy-copybuf", "it copies what is no whole page", stream_pair,
	  &copybuf },
	{ "zerocopy-short", "it copies a short queue", stream_pair,
	  &copybuf_short },
	{ 0 }
};
