// SPDX-License-Identifier: MIT
/*
 * How TCP connections end: in good order or not, or at once.
 */
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "traffic.h"

static char bytes[1 << 17];

/* The server goes away when it has read a part. */
static void leaving_server(const void *stream)
{
	int listener = stream_listen(stream, 1);
	int fd = stream_accept(stream, listener);

	must(rx(recv(fd, bytes, 10007, MSG_WAITALL)), "recv");
	close(fd);
	close(listener);
	signal_to(GO);
}

static void refused_client(const void *stream)
{
	int fd = stream_connect(stream);

	must(tx(write(fd, bytes, 20011)), "write");
	await_signal(GO);
	while (tx(write(fd, bytes, 1009)) > 0)
		;
	if (errno != EPIPE && errno != ECONNRESET)
		err(1, "%s: write", me->name);
	/* The second error is EPIPE in any case, and still no bytes. */
	if (tx(write(fd, bytes, 1009)) != -1 || errno != EPIPE)
		errx(1, "%s: wrote to a closed connection", me->name);
	close(fd);
}

/* The client resets the connection while the server has data to read. */
static void reset_client(const void *stream)
{
	struct linger now = { .l_onoff = 1 };
	int fd = stream_connect(stream);

	must(tx(write(fd, bytes, 30011)), "write");
	await_signal(GO);
	must(tx(write(fd, bytes, 5003)), "write");
	must(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)),
	     "SO_LINGER");
	close(fd);
	signal_to(DONE);
}

static void reset_server(const void *stream)
{
	int listener = stream_listen(stream, 1);
	int fd = stream_accept(stream, listener);

	must(rx(recv(fd, bytes, 20011, MSG_WAITALL)), "recv");
	signal_to(GO);
	await_signal(DONE);
	while (rx(recv(fd, bytes, 1009, 0)) > 0)
		;
	if (errno != ECONNRESET)
		err(1, "%s: recv", me->name);
	close(fd);
	close(listener);
}

/* The server has said all and shut down, and goes on reading. */
static void early_server(const void *stream)
{
	int listener = stream_listen(stream, 1);
	int fd = stream_accept(stream, listener);

	stream_send(stream, fd, 40009);
	must(shutdown(fd, SHUT_WR), "shutdown");
	stream_receive(stream, fd, stream_size(stream));
	close(fd);
	close(listener);
}

static void late_client(const void *stream)
{
	int fd = stream_connect(stream);

	stream_receive(stream, fd, 40009);
	stream_send(stream, fd, stream_size(stream));
	close(fd);
}

/* As who only asks whether a port is open. */
static void unused_server(const void *stream)
{
	int listener = stream_listen(stream, 1);

	for (int i = 0; i < 23; i++)
		close(stream_accept(stream, listener));
	close(listener);
}

static void unused_client(const void *stream)
{
	struct sockaddr_storage to = hear_address();
	const struct stream *s = stream;
	int fd, i;

	for (i = 0; i < 23; i++) {
		fd = open_socket(s->where, SOCK_STREAM, 0);
		must(connect(fd, (struct sockaddr *)&to, addr_len(&to)),
		     "connect");
		must(read(fd, bytes, sizeof(bytes)), "read");
		close(fd);
	}
}

static void run_refused(const void *stream)
{
	role("srv", "tcp", leaving_server, stream);
	role("cli", "tcp", refused_client, stream);
}

static void run_reset(const void *stream)
{
	role("srv", "tcp", reset_server, stream);
	role("cli", "tcp", reset_client, stream);
}

static void run_half_close(const void *stream)
{
	role("srv", "tcp", early_server, stream);
	role("cli", "tcp", late_client, stream);
}

static void run_unused(const void *stream)
{
	role("srv", "tcp", unused_server, stream);
	role("cli", "tcp", unused_client, stream);
}

static const struct stream tcp4 = { .where = V4 };
static const struct stream tcp6 = { .where = V6 };

const struct scenario ending_scenarios[] = {
	{ "tcp-epipe", "writes to a peer that went", run_refused, &tcp4 },
	{ "tcp-reset", "SO_LINGER 0 with unread data", run_reset, &tcp4 },
	{ "tcp6-reset", "the same on IPv6", run_reset, &tcp6 },
	{ "tcp-half-close", "reads after SHUT_WR", run_half_close, &tcp4 },
	{ "tcp-unused", "accepted, and closed", run_unused, &tcp4 },
	{ 0 }
};
