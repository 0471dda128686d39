// SPDX-License-Identifier: MIT
/*
 * A process that counts what it moves.
 */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "life.h"

struct me me;
char bytes[ANSWER_MAX];

/* Field 22 of proc(5); the name, which may hold anything, is the second. */
static uint64_t start_ticks(void)
{
	FILE *f = fopen("/proc/self/stat", "re");
	char line[1024], *field;

	if (!f || !fgets(line, sizeof(line), f))
		err(1, "/proc/self/stat");
	fclose(f);
	field = strrchr(line, ')');
	for (int i = 2; field && i < 22; i++)
		field = strchr(field + 1, ' ');
	if (!field)
		errx(1, "/proc/self/stat: %s", line);
	return strtoull(field, NULL, 10);
}

void begin(const char *role)
{
	me = (struct me){ .role = role, .ticks = start_ticks() };
}

void report(void)
{
	char line[256];
	int n = snprintf(line, sizeof(line),
			 "{\"role\":\"%s\",\"pid\":%d,\"ticks\":%" PRIu64
			 ",\"connections\":%" PRIu64 ",\"tx_bytes\":%" PRIu64
			 ",\"rx_bytes\":%" PRIu64 "}\n",
			 me.role, getpid(), me.ticks, me.connections, me.tx,
			 me.rx);

	if (write(STDOUT_FILENO, line, (size_t)n) != n)
		err(1, "standard output");
}

long tx(long result)
{
	if (result > 0)
		me.tx += (uint64_t)result;
	return result;
}

long rx(long result)
{
	if (result > 0)
		me.rx += (uint64_t)result;
	return result;
}

long must(long result, const char *what)
{
	if (result < 0)
		err(1, "%s: %s", me.role ? me.role : "main", what);
	return result;
}

void send_all(int fd, size_t size)
{
	for (size_t sent = 0; sent < size;)
		sent += (size_t)must(
			tx(send(fd, bytes + sent, size - sent, MSG_NOSIGNAL)),
			"send");
}

double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void pause_until(double when)
{
	struct timespec t = { .tv_sec = (time_t)when };

	t.tv_nsec = (long)((when - (double)t.tv_sec) * 1e9);
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}
