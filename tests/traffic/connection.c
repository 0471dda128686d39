// SPDX-License-Identifier: MIT
/*
 * How TCP connections begin and stall: before accept, in the first packet, with
 * full buffers.
 */
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include "traffic.h"

static char bytes[1 << 17];

/* --- Non-blocking: results that are short, or none --- */

/* Sends until nothing fits; returns what went. */
static size_t send_until_full(int fd)
{
	size_t sent = 0;
	long n;

	while ((n = tx(send(fd, bytes, sizeof(bytes), MSG_DONTWAIT))) > 0)
		sent += (size_t)n;
	if (errno != EAGAIN)
		err(1, "%s: send", me->name);
	return sent;
}

static void full_client(const void *stream)
{
	int fd = stream_connect(stream), round;

	set_option(fd, SOL_SOCKET, SO_SNDBUF, 30011);
	hold();
	for (round = 0; round < 7; round++) {
		send_until_full(fd);
		signal_to(GO);
		await_events(fd, POLLOUT);
	}
	close(fd);
}

static void full_server(const void *stream)
{
	int listener = stream_listen(stream, 1);
	int fd = stream_accept(stream, listener), round;
	long n;

	hold();
	for (round = 0; round < 7; round++) {
		await_signal(GO);
		while (rx(recv(fd, bytes, 7919, MSG_DONTWAIT)) > 0)
			;
	}
	while ((n = rx(recv(fd, bytes, 7919, 0))) > 0)
		;
	must(n, "recv");
	close(fd);
	close(listener);
}

/* --- Beginnings --- */

/* The connection is made and has data before the server accepts it. */
static void slow_server(const void *stream)
{
	int listener = stream_listen(stream, 1);
	int fd;

	hold();
	await_signal(GO);
	fd = stream_accept(stream, listener);
	stream_answer(stream, fd);
	close(listener);
}

static void hasty_client(const void *stream)
{
	int fd = stream_connect(stream);

	hold();
	must(tx(write(fd, bytes, 50021)), "write");
	signal_to(GO);
	stream_send(stream, fd, stream_size(stream) - 50021);
	must(shutdown(fd, SHUT_WR), "shutdown");
	while (must(rx(read(fd, bytes, 4099)), "read"))
		;
	close(fd);
}

/* Where it can be held, the server has read half of what has come. */
static void behind_server(const void *stream)
{
	int listener = stream_listen(stream, 1);
	int fd = stream_accept(stream, listener);

	await_signal(GO);
	must(rx(recv(fd, bytes, 9973, MSG_WAITALL)), "recv");
	hold();
	while (must(rx(read(fd, bytes, 4099)), "read"))
		;
	close(fd);
	close(listener);
}

static void ahead_client(const void *stream)
{
	int fd = stream_connect(stream);

	must(tx(write(fd, bytes, 30011)), "write");
	signal_to(GO);
	hold();
	must(tx(write(fd, bytes, 20011)), "write");
	close(fd);
}

#define MANY 101

static void many_server(const void *stream)
{
	int listener = stream_listen(stream, MANY);
	int i;

	hold();
	for (i = 0; i < MANY; i++)
		stream_answer(stream, stream_accept(stream, listener));
	close(listener);
}

static void many_client(const void *stream)
{
	int i;

	hold();
	for (i = 0; i < MANY; i++)
		stream_ask(stream, stream_connect(stream));
}

/* One socket that is disconnected and connected again: new sequence numbers. */
static void again_server(const void *stream)
{
	int listener = stream_listen(stream, 1);
	int i;

	for (i = 0; i < 5; i++)
		stream_answer(stream, stream_accept(stream, listener));
	close(listener);
}

static void again_client(const void *stream)
{
	struct sockaddr_storage to = hear_address();
	struct sockaddr nowhere = { .sa_family = AF_UNSPEC };
	const struct stream *s = stream;
	int fd = open_socket(s->where, SOCK_STREAM, 0), i;

	for (i = 0; i < 5; i++) {
		must(connect(fd, (struct sockaddr *)&to, addr_len(&to)),
		     "connect");
		stream_send(s, fd, stream_size(s));
		must(shutdown(fd, SHUT_WR), "shutdown");
		while (must(rx(read(fd, bytes, 4099)), "read"))
			;
		must(connect(fd, &nowhere, sizeof(nowhere)), "disconnect");
	}
	close(fd);
}

/* Data in the first packet: the call connects and sends. */
static void fastopen_client(const void *stream)
{
	struct sockaddr_storage to = hear_address();
	const struct stream *s = stream;
	int fd = open_socket(s->where, SOCK_STREAM, 0);

	must(tx(sendto(fd, bytes, 10007, MSG_FASTOPEN, (struct sockaddr *)&to,
		       addr_len(&to))),
	     "sendto");
	stream_send(s, fd, stream_size(s) - 10007);
	must(shutdown(fd, SHUT_WR), "shutdown");
	while (must(rx(read(fd, bytes, 4099)), "read"))
		;
	close(fd);
}

/* --- Urgent data --- */

static long out_of_turn(int fd, char *buf, size_t n)
{
	return recv(fd, buf, n, MSG_OOB);
}

static void urgent_client(const void *stream)
{
	int fd = stream_connect(stream);

	must(tx(send(fd, bytes, 1009, 0)), "send");
	must(tx(send(fd, bytes, 1, MSG_OOB)), "send");
	must(tx(send(fd, bytes, 2003, 0)), "send");
	close(fd);
	signal_to(GO);
}

static void urgent_server(const void *stream)
{
	const struct stream *s = stream;
	int listener = stream_listen(s, 1);
	int fd = stream_accept(s, listener);

	await_signal(GO);
	await_events(fd, POLLPRI);
	/* Else it reads on as if the byte were not there. */
	if (s->pull)
		must(rx(s->pull(fd, bytes, 1)), "recv");
	while (must(rx(read(fd, bytes, 499)), "read"))
		;
	close(fd);
	close(listener);
}

/* --- Table --- */

static void run_full(const void *stream)
{
	role("srv", "tcp", full_server, stream);
	role("cli", "tcp", full_client, stream);
}

static void run_queue(const void *stream)
{
	role("srv", "tcp", slow_server, stream);
	role("cli", "tcp", hasty_client, stream);
}

static void run_behind(const void *stream)
{
	role("srv", "tcp", behind_server, stream);
	role("cli", "tcp", ahead_client, stream);
}

static void run_many(const void *stream)
{
	role("srv", "tcp", many_server, stream);
	role("cli", "tcp", many_client, stream);
}

static void run_again(const void *stream)
{
	role("srv", "tcp", again_server, stream);
	role("cli", "tcp", again_client, stream);
}

static void run_fastopen(const void *stream)
{
	own_netns();
	/* Both sides, on all listeners, without cookies. */
	write_file("/proc/sys/net/ipv4/tcp_fastopen", "1543");
	role("srv", "tcp", stream_server, stream);
	role("cli", "tcp", fastopen_client, stream);
}

static void run_urgent(const void *stream)
{
	role("srv", "tcp", urgent_server, stream);
	role("cli", "tcp", urgent_client, stream);
}

static const struct stream short4 = { .chunk = 997, .chunks = 2 };
static const struct stream urgent = { .pull = out_of_turn };

static const struct stream tcp4 = { .where = V4 };
static const struct stream tcp6 = { .where = V6 };

const struct scenario connection_scenarios[] = {
	{ "tcp-full", "non-blocking: short and refused sends", run_full,
	  &tcp4 },
	{ "tcp6-full", "the same on IPv6", run_full, &tcp6 },
	{ "tcp-queue", "data comes before accept", run_queue, &tcp4 },
	{ "tcp-behind", "a reader that lags behind", run_behind, &tcp4 },
	{ "tcp-many", "101 short connections", run_many, &short4 },
	{ "tcp-reconnect", "one socket, five connections", run_again, &short4 },
	{ "tcp-fastopen", "data in the first packet", run_fastopen, &tcp4 },
	{ "tcp6-fastopen", "the same on IPv6", run_fastopen, &tcp6 },
	{ "tcp-urgent", "MSG_OOB, received", run_urgent, &urgent },
	{ "tcp-urgent-skipped", "MSG_OOB, read over", run_urgent, &tcp4 },
	{ 0 }
};
