// SPDX-License-Identifier: MIT
/*
 * Whose bytes they are when a socket has had several processes: it is
 * accepted by a child, inherited, used by two, passed on, duplicated.
 */
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "traffic.h"

/* What a role has opened for the roles that it starts. */
static int shared = -1;

static char bytes[1 << 16];

/* --- Servers that fork --- */

static void accept_here(const void *stream)
{
	stream_answer(stream, stream_accept(stream, shared));
}

static void fork_then_accept(const void *stream)
{
	shared = stream_listen(stream, 1);
	hold();
	role("kid", "tcp", accept_here, stream);
	join();
}

static void answer_here(const void *stream)
{
	stream_answer(stream, shared);
}

static void accept_then_fork(const void *stream)
{
	int listener = stream_listen(stream, 1);

	shared = stream_accept(stream, listener);
	hold();
	role("kid", "tcp", answer_here, stream);
	close(shared);
	join();
}

static void run_fork(const void *stream)
{
	role("srv", "tcp", fork_then_accept, stream);
	role("cli", "tcp", stream_client, stream);
}

static void run_inetd(const void *stream)
{
	role("srv", "tcp", accept_then_fork, stream);
	role("cli", "tcp", stream_client, stream);
}

/* --- One socket, two processes --- */

static void send_half(const void *stream)
{
	hold();
	stream_send(stream, shared, 499 * 1009);
}

static void send_other_half(const void *stream)
{
	shared = stream_connect(stream);
	role("kid", "tcp", send_half, stream);
	hold();
	stream_send(stream, shared, stream_size(stream) - 499 * 1009);
	join();
	close(shared);
}

static void read_rest(const void *stream)
{
	(void)stream;
	hold();
	await_signal(GO);
	while (must(rx(read(shared, bytes, 1009)), "read"))
		;
}

static void read_first(const void *stream)
{
	int listener = stream_listen(stream, 1);

	shared = stream_accept(stream, listener);
	role("kid2", "tcp", read_rest, stream);
	hold();
	must(rx(recv(shared, bytes, 40009, MSG_WAITALL)), "recv");
	signal_to(GO);
	while (must(rx(read(shared, bytes, 499)), "read"))
		;
	join();
	close(shared);
}

static void run_inherit(const void *stream)
{
	role("srv", "tcp", read_first, stream);
	role("cli", "tcp", send_other_half, stream);
}

/* The same with a datagram socket. */
static void echo_half(const void *arg)
{
	struct sockaddr_storage from;
	socklen_t len;
	int i;

	(void)arg;
	hold();
	for (i = 0; i < 50; i++) {
		len = sizeof(from);
		must(rx(recvfrom(shared, bytes, sizeof(bytes), 0,
				 (struct sockaddr *)&from, &len)),
		     "recvfrom");
		must(tx(sendto(shared, bytes, 211, 0, (struct sockaddr *)&from,
			       len)),
		     "sendto");
	}
}

static void echo_other_half(const void *arg)
{
	shared = open_socket(V4, SOCK_DGRAM, 0);
	bind_loopback(shared, V4);
	tell_address(shared, 1);
	role("kid", "udp", echo_half, arg);
	echo_half(arg);
	join();
}

static void ask_both(const void *arg)
{
	struct sockaddr_storage to = hear_address();
	int fd = open_socket(V4, SOCK_DGRAM, 0), i;

	(void)arg;
	hold();
	for (i = 0; i < 2 * 50; i++) {
		must(tx(sendto(fd, bytes, 1009, 0, (struct sockaddr *)&to,
			       addr_len(&to))),
		     "sendto");
		must(rx(recv(fd, bytes, sizeof(bytes), 0)), "recv");
	}
	close(fd);
}

static void run_inherit_udp(const void *arg)
{
	role("srv", "udp", echo_other_half, arg);
	role("cli", "udp", ask_both, arg);
}

/* Both send at once, to so many ports that each packet is a new flow. */
#define CROWD	    30000
#define CROWD_PORTS 30000

static void send_to_all(const void *size)
{
	struct sockaddr_storage to = loopback(V4);
	struct sockaddr_in *in = (struct sockaddr_in *)&to;

	for (int i = 0; i < CROWD; i++) {
		in->sin_port = htons((uint16_t)(20000 + i % CROWD_PORTS));
		must(tx(sendto(shared, bytes, *(const size_t *)size, 0,
			       (struct sockaddr *)&to, addr_len(&to))),
		     "sendto");
	}
}

static void send_as_two(const void *sizes)
{
	const size_t *size = sizes;

	shared = open_socket(V4, SOCK_DGRAM, 0);
	role("kid", "udp", send_to_all, &size[1]);
	send_to_all(&size[0]);
	join();
}

static void run_crowd(const void *sizes)
{
	role("cli", "udp", send_as_two, sizes);
}

/* --- A socket that changes its process --- */

static int between[2];

static void pass_on(const void *stream)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { bytes, 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	int fd = stream_connect(stream);

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	hold();
	must(sendmsg(between[0], &msg, 0), "sendmsg");
	close(fd);
}

static void take_over(const void *stream)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { bytes, 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	int fd;

	hold();
	must(recvmsg(between[1], &msg, 0), "recvmsg");
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	stream_ask(stream, fd);
}

static void run_passed(const void *stream)
{
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, between), "socketpair");
	role("srv", "tcp", stream_server, stream);
	role("open", "tcp", pass_on, stream);
	role("use", "tcp", take_over, stream);
}

static void by_duplicates(const void *stream)
{
	int fd = stream_connect(stream), other = dup(fd);

	must(other, "dup");
	hold();
	stream_send(stream, fd, 30011);
	stream_send(stream, other, 30011);
	close(fd);
	stream_send(stream, other, stream_size(stream) - 2 * 30011);
	must(shutdown(other, SHUT_WR), "shutdown");
	while (must(rx(read(other, bytes, 4099)), "read"))
		;
	close(other);
}

static void run_dup(const void *stream)
{
	role("srv", "tcp", stream_server, stream);
	role("cli", "tcp", by_duplicates, stream);
}

static const struct stream tcp4 = { .where = V4 };

const struct scenario share_scenarios[] = {
	{ "fork", "a child accepts", run_fork, &tcp4 },
	{ "inetd", "the parent accepts, a child talks", run_inetd, &tcp4 },
	{ "inherit", "two processes use one socket", run_inherit, &tcp4 },
	{ "inherit-udp", "the same with UDP", run_inherit_udp, NULL },
	{ "crowd-udp", "two send by one socket at once", run_crowd,
	  (const size_t[]){ 101, 997 } },
	{ "passed", "a socket passed by SCM_RIGHTS", run_passed, &tcp4 },
	{ "dup", "duplicated descriptors", run_dup, &tcp4 },
	{ 0 }
};
