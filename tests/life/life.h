/* SPDX-License-Identifier: MIT */
/*
 * What the programs of this directory share: processes that count what they
 * move, and say so when they end.
 */
#ifndef NM_LIFE_H
#define NM_LIFE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a request begins with: its own size, and that of the answer. */
struct ask {
	uint32_t request, answer;
};

#define ANSWER_MAX 65537

/* This process. */
extern struct me {
	const char *role;
	uint64_t ticks; /* when it started, as in /proc/PID/stat */
	uint64_t tx, rx, connections;
} me;

extern char bytes[ANSWER_MAX];

/* From here on this is a process of its own. */
void begin(const char *role);

/* Prints its line, in one piece. */
void report(void);

/* Count the result of a call that sends or receives, and return it. */
long tx(long result);
long rx(long result);

/* Ends the program if the result is below 0. */
long must(long result, const char *what);

/* Sends so many bytes of `bytes`. */
void send_all(int fd, size_t size);

/* Seconds; setting the clock does not change them. */
double now(void);
void pause_until(double when);

/* Pairs of network namespaces, one after the other; see namespaces.c. */
void namespaces(unsigned seconds);

/*
 * Servers of both protocols, on one port, that answer until nobody can write
 * to the gate (pipe(2)) any more.
 */
in_port_t servers_start(unsigned n, const int gate[2]);

#endif
