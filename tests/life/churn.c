// SPDX-License-Identifier: MIT
/*
 * nm-churn [-c CONNECTIONS] [-p PROCESSES] [-g CGROUP] SECONDS
 * nm-churn --namespaces SECONDS
 *
 * Processes that come and go, each of which knows what it moved: PROCESSES
 * (100) begin in a second, CONNECTIONS (1000) are made in a second, all to two
 * servers that live as long as this program. Some are forked by one of them
 * that has a connection, become another program, or are moved to a cgroup,
 * made below CGROUP, that is deleted while they live. Each prints a line of
 * JSON when it ends: who it is (pid, and ticks, its start as proc(5) has it),
 * how many connections it made, and what it sent and received. For the second
 * form see namespaces.c.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "life.h"

#define SERVERS 2

/* So many processes at one time; on a slow machine fewer begin. */
#define ALIVE_MAX 64

static unsigned long connections_per_s = 1000, processes_per_s = 100;
static const char *cgroup;
static in_port_t port;
static unsigned talks; /* connections of one process */

/* --- A connection, or a few datagrams --- */

/* Every process has other amounts; now and then there is more. */
static struct ask ask_of(unsigned seed)
{
	return (struct ask){
		.request = sizeof(struct ask) + 101 + seed % 997,
		.answer = seed % 61 == 0 ? ANSWER_MAX : 11 + seed % 1499,
	};
}

/*
 * Many addresses, because each has only so many ports; but a datagram would
 * be answered from the first.
 */
static struct sockaddr_in6 server(int type, unsigned seed)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = port };
	char text[64];

	snprintf(text, sizeof(text), "::ffff:127.0.%u.1",
		 type == SOCK_STREAM ? seed % 64 : 0);
	inet_pton(AF_INET6, seed % 4 ? text : "::1", &a.sin6_addr);
	return a;
}

static int connected(int type, unsigned seed)
{
	struct sockaddr_in6 a = server(type, seed);
	int fd = must(socket(AF_INET6, type | SOCK_CLOEXEC, 0), "socket");

	must(connect(fd, (struct sockaddr *)&a, sizeof(a)), "connect");
	me.connections += type == SOCK_STREAM;
	return fd;
}

static void hear_answer(int fd, uint32_t size)
{
	for (uint32_t got = 0; got < size;)
		got += (uint32_t)must(rx(recv(fd, bytes, sizeof(bytes), 0)),
				      "recv");
}

static void talk(unsigned seed)
{
	struct ask ask = ask_of(seed);
	int fd = connected(SOCK_STREAM, seed);

	memcpy(bytes, &ask, sizeof(ask));
	send_all(fd, ask.request);
	hear_answer(fd, ask.answer);
	close(fd);
}

static void talk_several(unsigned seed, unsigned n)
{
	while (n--)
		talk(seed * 31 + n);
}

/* What is lost on the way is asked for again; what was moved counts. */
static void send_datagrams(unsigned seed)
{
	struct timeval second = { .tv_sec = 1 };
	int fd = connected(SOCK_DGRAM, seed);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
	for (unsigned i = 0; i < talks; i++) {
		struct ask ask = ask_of(seed + i);

		ask.answer %= 1499;
		memcpy(bytes, &ask, sizeof(ask));
		do
			must(tx(send(fd, bytes, ask.request, 0)), "send");
		while (rx(recv(fd, bytes, sizeof(bytes), 0)) < 0);
	}
	close(fd);
}

/* --- What the processes are --- */

static void plain(unsigned seed)
{
	talk_several(seed, talks);
}

/* One connects and begins to ask; its child asks the rest, and hears. */
static void forks(unsigned seed)
{
	struct ask ask = ask_of(seed);
	int fd = connected(SOCK_STREAM, seed), status;
	pid_t child;

	memcpy(bytes, &ask, sizeof(ask));
	send_all(fd, 53);
	child = must(fork(), "fork");
	if (!child) {
		begin("child");
		send_all(fd, ask.request - 53);
		hear_answer(fd, ask.answer);
		report();
		_exit(0);
	}
	close(fd);
	if (must(waitpid(child, &status, 0), "waitpid") && status)
		errx(1, "a child failed");
	talk_several(seed, talks - 1);
}

static void execs(unsigned seed)
{
	char arg[6][24], name[] = "nm-churn";
	char *argv[] = { name,	 arg[0], arg[1], arg[2],
			 arg[3], arg[4], arg[5], NULL };

	talk_several(seed, talks / 2);
	snprintf(arg[0], sizeof(arg[0]), "--go-on");
	snprintf(arg[1], sizeof(arg[1]), "%u", port);
	snprintf(arg[2], sizeof(arg[2]), "%u", talks - talks / 2);
	snprintf(arg[3], sizeof(arg[3]), "%" PRIu64, me.tx);
	snprintf(arg[4], sizeof(arg[4]), "%" PRIu64, me.rx);
	snprintf(arg[5], sizeof(arg[5]), "%" PRIu64, me.connections);
	execv("/proc/self/exe", argv);
	err(1, "exec");
}

static void go_on(char **arg)
{
	begin("exec");
	port = (in_port_t)strtoul(arg[0], NULL, 10);
	me.tx = strtoull(arg[2], NULL, 10);
	me.rx = strtoull(arg[3], NULL, 10);
	me.connections = strtoull(arg[4], NULL, 10);
	talk_several((unsigned)getpid(), (unsigned)atoi(arg[1]));
	report();
}

static void move_to(const char *group)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", group);
	fd = must(open(path, O_WRONLY | O_CLOEXEC), path);
	must(write(fd, "0", 1), path);
	close(fd);
}

static void in_cgroup(unsigned seed)
{
	char path[2048];

	if (!cgroup) {
		talk_several(seed, talks);
		return;
	}
	snprintf(path, sizeof(path), "%s/churn-%d", cgroup, getpid());
	must(mkdir(path, 0755), path);
	move_to(path);
	talk_several(seed, talks / 2);
	move_to(cgroup);
	must(rmdir(path), path);
	talk_several(seed, talks - talks / 2);
}

static const struct kind {
	const char *name;
	void (*live)(unsigned seed);
} kinds[] = {
	{ "plain", plain }, { "forks", forks },	     { "udp", send_datagrams },
	{ "execs", execs }, { "cgroup", in_cgroup },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* --- All of them --- */

/* Waits for one of the processes, or only looks whether one has ended. */
static bool reap(unsigned *alive, bool wait)
{
	int status;
	pid_t pid = must(waitpid(-1, &status, wait ? 0 : WNOHANG), "waitpid");

	if (!pid)
		return false;
	if (status)
		errx(1, "process %d failed (%#x)", pid, status);
	--*alive;
	return true;
}

static void start(const char *name, void (*live)(unsigned), unsigned seed)
{
	if (must(fork(), "fork"))
		return;
	begin(name);
	live(seed);
	report();
	_exit(0);
}

/* One that has the same connection from the beginning to the end. */
static void live_long(unsigned seconds)
{
	int fd = connected(SOCK_STREAM, 1);
	struct ask ask = { .request = 1009, .answer = 2003 };
	double end = now() + seconds;

	for (double next = now(); next < end; next += 0.1) {
		memcpy(bytes, &ask, sizeof(ask));
		send_all(fd, ask.request);
		hear_answer(fd, ask.answer);
		pause_until(next);
	}
	close(fd);
}

static void run(unsigned seconds)
{
	double began = now(), next = began;
	unsigned alive = 1, n = 0;

	start("long", live_long, seconds);
	for (; next < began + seconds; n++) {
		const struct kind *k = &kinds[n % KINDS];

		alive++;
		start(k->name, k->live, n);
		next += 1.0 / (double)processes_per_s;
		/* Too slow: no burst later. */
		if (next < now())
			next = now();
		pause_until(next);
		while (reap(&alive, alive > ALIVE_MAX))
			;
	}
	while (alive)
		reap(&alive, true);
}

int main(int argc, char **argv)
{
	int letter, gate[2];
	unsigned seconds;

	if (argc == 7 && !strcmp(argv[1], "--go-on")) {
		go_on(argv + 2);
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "--namespaces")) {
		namespaces((unsigned)atoi(argv[2]));
		return 0;
	}
	while ((letter = getopt(argc, argv, "c:p:g:")) != -1) {
		if (letter == 'c')
			connections_per_s = strtoul(optarg, NULL, 10);
		else if (letter == 'p')
			processes_per_s = strtoul(optarg, NULL, 10);
		else if (letter == 'g')
			cgroup = optarg;
		else
			return 2;
	}
	seconds = optind < argc ? (unsigned)atoi(argv[optind]) : 0;
	if (!seconds || !processes_per_s)
		errx(2, "usage: nm-churn [-c CONNECTIONS] [-p PROCESSES] "
			"[-g CGROUP] SECONDS | --namespaces SECONDS");
	/* All kinds but one connect. */
	talks = (unsigned)(connections_per_s * KINDS /
			   (processes_per_s * (KINDS - 1)));
	if (talks < 2)
		talks = 2;

	if (pipe2(gate, O_CLOEXEC))
		err(1, "pipe");
	port = servers_start(SERVERS, gate);
	run(seconds);
	/* The servers end when nobody holds this any more. */
	close(gate[1]);
	for (unsigned alive = SERVERS; alive;)
		reap(&alive, true);
	return 0;
}
