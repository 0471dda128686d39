// SPDX-License-Identifier: MIT
/*
 * Network namespaces that come and go with traffic in them: two processes,
 * each in a namespace of its own, joined by veth. One sends, datagrams and a
 * connection, and takes the interface away in the middle; both end, and so do
 * their namespaces, with a connection that has unsent bytes. Of every second
 * pair that one stays in the namespace of this program ("near"), so that there
 * interfaces come and go.
 */
#include <arpa/inet.h>
#include <err.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "life.h"

#define DATAGRAMS 31
#define PORT	  5001

/* For the receiver, that nothing comes any more. */
#define SILENCE_MS 300

/* A near interface lives longer than an interval, to be seen in the ledger. */
#define NEAR_S 1.5

/* Packets get lost here, and the kernel would try for minutes. */
#define PATIENCE_MS 1000

static void run(const char *command)
{
	if (system(command))
		errx(1, "%s: failed: %s", me.role, command);
}

static void own_namespace(const char *role)
{
	begin(role);
	must(unshare(CLONE_NEWNET), "unshare");
}

static struct sockaddr_in right_address(void)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_port = htons(PORT),
	};

	inet_pton(AF_INET, "10.11.12.2", &a.sin_addr);
	return a;
}

static int open_socket(int type)
{
	return must(socket(AF_INET, type | SOCK_CLOEXEC, 0), "socket");
}

/*
 * What is sent before the kernel has noticed the carrier, up to a second after
 * both ends are up, is dropped; a SYN then comes again after seconds.
 */
static void await_carrier(const char *interface)
{
	struct ifreq r = { 0 };
	int fd = open_socket(SOCK_DGRAM);

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", interface);
	while (must(ioctl(fd, SIOCGIFFLAGS, &r), interface) >= 0 &&
	       !(r.ifr_flags & IFF_RUNNING))
		pause_until(now() + 0.01);
	close(fd);
}

/* One byte each way: the other side is as far as this one. */
static void meet(int other)
{
	char byte = 0;

	if (write(other, &byte, 1) != 1 || read(other, &byte, 1) != 1)
		errx(1, "%s: the other side failed", me.role);
}

static void time_out(int fd, int option, int ms)
{
	struct timeval t = { ms / 1000, ms % 1000 * 1000 };

	must(setsockopt(fd, SOL_SOCKET, option, &t, sizeof(t)), "setsockopt");
}

static void receive_all(int fd, bool near)
{
	time_out(fd, SO_RCVTIMEO,
		 SILENCE_MS + (near ? (int)(NEAR_S * 1000) : 0));
	while (rx(recv(fd, bytes, sizeof(bytes), 0)) > 0)
		;
}

static void right(int other, bool near)
{
	struct sockaddr_in a = right_address();
	int datagrams, listener, connection;

	own_namespace("right");
	meet(other);
	meet(other);
	run("ip addr add 10.11.12.2/24 dev right && ip link set right up");
	datagrams = open_socket(SOCK_DGRAM);
	listener = open_socket(SOCK_STREAM);
	must(bind(datagrams, (struct sockaddr *)&a, sizeof(a)), "bind");
	must(bind(listener, (struct sockaddr *)&a, sizeof(a)), "bind");
	must(listen(listener, 1), "listen");
	await_carrier("right");
	meet(other);
	time_out(listener, SO_RCVTIMEO, PATIENCE_MS);
	connection = accept(listener, NULL, NULL);
	if (connection >= 0)
		receive_all(connection, near);
	receive_all(datagrams, near);
	report();
}

/* Not all of it arrives, or is even sent: then the calls fail. */
static void send_some(int datagrams, int connection)
{
	for (int i = 0; i < DATAGRAMS; i++) {
		tx(send(datagrams, bytes, 1009, MSG_DONTWAIT));
		tx(send(connection, bytes, 2003, MSG_DONTWAIT | MSG_NOSIGNAL));
	}
}

static void left(int other, int right_pid, bool near)
{
	struct sockaddr_in a = right_address();
	int datagrams, connection;
	char join[256];

	if (near)
		begin("near");
	else
		own_namespace("left");
	meet(other);
	snprintf(join, sizeof(join),
		 "ip link add left type veth peer name right netns %d && "
		 "ip addr add 10.11.12.1/24 dev left && ip link set left up",
		 right_pid);
	run(join);
	meet(other);
	await_carrier("left");
	meet(other);
	datagrams = open_socket(SOCK_DGRAM);
	connection = open_socket(SOCK_STREAM);
	must(connect(datagrams, (struct sockaddr *)&a, sizeof(a)), "connect");
	time_out(connection, SO_SNDTIMEO, PATIENCE_MS);
	if (!connect(connection, (struct sockaddr *)&a, sizeof(a)))
		me.connections++;
	send_some(datagrams, connection);
	if (near)
		pause_until(now() + NEAR_S);
	/* If the other end's namespace has gone, this one's end has too. */
	run("ip link del left 2>/dev/null || ! ip link show left 2>/dev/null");
	send_some(datagrams, connection);
	report();
}

void namespaces(unsigned seconds)
{
	double end = now() + seconds;

	for (unsigned n = 0; now() < end; n++) {
		int ends[2], status;
		pid_t pid;

		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
			err(1, "socketpair");
		pid = must(fork(), "fork");
		if (!pid) {
			close(ends[1]);
			right(ends[0], n % 2);
			_exit(0);
		}
		if (!must(fork(), "fork")) {
			close(ends[0]);
			left(ends[1], pid, n % 2);
			_exit(0);
		}
		close(ends[0]);
		close(ends[1]);
		for (int i = 0; i < 2; i++)
			if (must(wait(&status), "wait") && status)
				errx(1, "a side failed");
	}
}
