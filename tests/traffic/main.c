// SPDX-License-Identifier: MIT
/*
 * nm-traffic list
 * nm-traffic [--hold] [--at V4,V6,INTERFACE] SCENARIO
 *
 * Prints a line of JSON for each process that had a role. With --hold it
 * prints {"ready":true} when all sockets are open, and moves nothing until
 * its standard input ends. With --at these addresses of ours are used instead
 * of loopback, in a network namespace that is for the scenario alone. Exit
 * status: 0, 1 (went wrong), 2 (usage), 77 (the kernel cannot do it; the reason
 * is on standard error).
 */
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "traffic.h"

static const struct scenario *const tables[] = {
	tcp_scenarios,
	connection_scenarios,
	ending_scenarios,
	zerocopy_scenarios,
	udp_scenarios,
	unanswered_scenarios,
	icmp_scenarios,
	share_scenarios,
	process_scenarios,
	uring_scenarios,
	layer_scenarios,
	sockmap_scenarios,
	NULL,
};

static void list(void)
{
	const struct scenario *const *t, *s;

	for (t = tables; *t; t++)
		for (s = *t; s->name; s++)
			printf("%s\t%s\n", s->name, s->text);
}

static const struct scenario *find(const char *name)
{
	const struct scenario *const *t, *s;

	for (t = tables; *t; t++)
		for (s = *t; s->name; s++)
			if (!strcmp(s->name, name))
				return s;
	return NULL;
}

int main(int argc, char **argv)
{
	const struct scenario *s;

	signal(SIGPIPE, SIG_IGN);
	if (argc == 5 && !strcmp(argv[1], "--after-exec")) {
		prepare_again(atoi(argv[2]), atoi(argv[3]));
		after_exec(atoi(argv[4]));
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "list")) {
		list();
		return 0;
	}
	if (argc > 2 && !strcmp(argv[1], "--hold")) {
		holding = true;
		argv++;
		argc--;
	}
	if (argc == 4 && !strcmp(argv[1], "--at")) {
		use_addresses(argv[2]);
		argv += 2;
		argc -= 2;
	}
	if (argc != 2)
		errx(2, "usage: nm-traffic list | [--hold] "
			"[--at V4,V6,INTERFACE] SCENARIO");
	s = find(argv[1]);
	if (!s)
		errx(2, "'%s' is not a scenario; try: nm-traffic list",
		     argv[1]);

	prepare();
	s->run(s->arg);
	join();
	print_roles();
	return 0;
}
