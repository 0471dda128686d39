// SPDX-License-Identifier: MIT
/*
 * nm-collect: counts the bytes that each process moves, in the kernel, and
 * streams them as records. The source of the pipe, and the only part of it
 * that needs rights; it gives them up as soon as it counts.
 */
#include <err.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "backend.h"
#include "choose.h"
#include "clock.h"
#include "emit.h"
#include "heap.h"
#include "netns-choice.h"
#include "options.h"
#include "pids.h"
#include "rights.h"
#include "types.h"

static struct settings settings = {
	.interval_s = 1,
	.max_flows = 32768,
	.max_processes = 16384,
};
static uint64_t count;
static bool once, probe;
static const char *wanted_backend;

/* The value of an option that may have none: then it is `unless`. */
static int set_bytes(const char *option, const char *arg, long unless, long max,
		     uint64_t *into)
{
	char *end;
	long bytes = arg ? strtol(arg, &end, 10) : unless;

	if (arg &&
	    (*arg < '0' || *arg > '9' || *end || bytes < 1 || bytes > max)) {
		warnx("option '%s': '%s' is not a whole number from 1 to %ld",
		      option, arg, max);
		return -1;
	}
	*into = (uint64_t)bytes;
	return 0;
}

static int set_peek(const char *arg, void *into)
{
	return set_bytes("--peek", arg, 512, NM_HEAD_MAX, into);
}

static int set_cmdline(const char *arg, void *into)
{
	return set_bytes("--cmdline", arg, NM_ARGS_MAX, NM_ARGS_MAX, into);
}

static const struct nm_option options[] = {
	{ .letter = 'i',
	  .name = "interval",
	  .arg = "SECONDS",
	  .help = "length of an interval (1)",
	  .kind = NM_OPT_SECONDS,
	  .into = &settings.interval_s,
	  .min = 0.05,
	  .max = 3600 },
	{ .letter = 'c',
	  .name = "count",
	  .arg = "COUNT",
	  .help = "end after so many intervals",
	  .kind = NM_OPT_UINT,
	  .into = &count,
	  .min = 1,
	  .max = 1e15,
	  .instead_of = "once" },
	{ .name = "once",
	  .help = "one interval, as -c 1",
	  .kind = NM_OPT_FLAG,
	  .into = &once,
	  .instead_of = "count" },
	{ .letter = 'p',
	  .name = "pid",
	  .arg = "PID",
	  .help = "only this process (may be given again)",
	  .kind = NM_OPT_CALL,
	  .call = pids_add },
	{ .letter = 'b',
	  .name = "backend",
	  .arg = "BACKEND",
	  .help = "count this way, not the best that works",
	  .kind = NM_OPT_STRING,
	  .into = &wanted_backend,
	  .words = "fexit tp cgroup diag" },
	{ .name = "no-wire",
	  .help = "count what programs send and receive, not the packets",
	  .kind = NM_OPT_FLAG,
	  .into = &settings.no_wire,
	  .instead_of = "peek netns" },
	{ .name = "peek",
	  .arg = "BYTES",
	  .help = "tell the first bytes of each flow, so many of each "
		  "direction (512)",
	  .kind = NM_OPT_CALL,
	  .into = &settings.peek_bytes,
	  .call = set_peek,
	  .optional = true,
	  .instead_of = "no-wire" },
	{ .name = "cmdline",
	  .arg = "BYTES",
	  .help = "tell the command line of each process, so much of it (256)",
	  .kind = NM_OPT_CALL,
	  .into = &settings.cmdline_bytes,
	  .call = set_cmdline,
	  .optional = true },
	{ .name = "netns",
	  .arg = "NETNS",
	  .help = "keep the ledger of this network namespace too, or of all "
		  "(may be given again)",
	  .kind = NM_OPT_CALL,
	  .call = netns_choice_add,
	  .instead_of = "no-wire" },
	{ .name = "probe",
	  .help = "tell which backends work here, and end",
	  .kind = NM_OPT_FLAG,
	  .into = &probe,
	  .instead_of = "netns" },
	{ .name = "max-flows",
	  .arg = "COUNT",
	  .help = "flows with detail in one interval (32768)",
	  .kind = NM_OPT_UINT,
	  .into = &settings.max_flows,
	  .min = 1,
	  .max = 4194304 },
	{ .name = "max-processes",
	  .arg = "COUNT",
	  .help = "processes at one time (16384)",
	  .kind = NM_OPT_UINT,
	  .into = &settings.max_processes,
	  .min = 1,
	  .max = 4194304 },
	{ .letter = 'v',
	  .name = "verbose",
	  .help = "tell what happens in the kernel; -vv and -vvv tell more",
	  .kind = NM_OPT_COUNT,
	  .into = &settings.verbose },
	{ 0 }
};

static const struct nm_program program = {
	.name = "nm-collect",
	.synopsis = "[-v] [-i SECONDS] [-c COUNT | --once] [-p PID]... "
		    "[-b BACKEND]",
	.summary = "count the bytes that each process sends and receives",
	.options = options,
	.examples = "  nm-collect | jq 'select(.comm == \"curl\")'\n"
		    "  nm-collect --once | nm-view -b\n"
		    "  nm-collect --probe\n",
};

/* --- The loop --- */

static volatile sig_atomic_t stopping;

/* timeout(1) sends twice what a shell passes on once more: they are one. */
#define SAME_SIGNAL_S 0.5

/* A second signal ends at once, should the reader be stuck. */
static void on_signal(int number)
{
	static double since;
	double now = clock_seconds(CLOCK_MONOTONIC);

	if (!stopping) {
		stopping = 1;
		since = now;
	} else if (now - since > SAME_SIGNAL_S) {
		signal(number, SIG_DFL);
		raise(number);
	}
}

static void catch_signals(sigset_t *caught)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction sa = { .sa_handler = on_signal };

	sigfillset(&sa.sa_mask);
	sigemptyset(caught);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct sigaction was;

		/* nohup(1) and background shells ignore some: leave it so. */
		sigaction(numbers[i], NULL, &was);
		if (was.sa_handler == SIG_IGN)
			continue;
		sigaction(numbers[i], &sa, NULL);
		sigaddset(caught, numbers[i]);
	}
	signal(SIGPIPE, SIG_IGN);
}

/*
 * Waits for the end of the interval, or a signal. False: the reader went away
 * meanwhile; with a long interval it should not have to wait for us.
 */
static bool wait_until(const struct backend *b, double deadline,
		       const sigset_t *caught)
{
	struct pollfd fds[] = {
		{ .fd = b->fd ? b->fd() : -1, .events = POLLIN },
		{ .fd = STDOUT_FILENO },
	};
	sigset_t before;

	/* Blocked but while waiting, so that none comes in between. */
	sigprocmask(SIG_BLOCK, caught, &before);
	while (!stopping && !(fds[1].revents & (POLLERR | POLLHUP))) {
		double left = deadline - clock_seconds(CLOCK_MONOTONIC);
		struct timespec t;

		if (left <= 0)
			break;
		t.tv_sec = (time_t)left;
		t.tv_nsec = (long)((left - (double)t.tv_sec) * 1e9);
		if (ppoll(fds, 2, &t, &before) > 0 && fds[0].revents)
			b->wake();
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return !(fds[1].revents & (POLLERR | POLLHUP));
}

static uint64_t cpu_us(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (uint64_t)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000 +
	       (uint64_t)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

/*
 * Intervals end on a grid, so that they are right on average. After a delay
 * (we were stopped, the reader was slow) the grid begins anew: neither several
 * ends at once, nor an interval so short that its rates say nothing.
 */
static double next_deadline(double deadline)
{
	double began = emit_interval_began();

	deadline += settings.interval_s;
	return deadline < began + settings.interval_s / 2
		       ? began + settings.interval_s
		       : deadline;
}

static int collect(const struct backend *b)
{
	double deadline = clock_seconds(CLOCK_MONOTONIC);
	uint64_t used_us = cpu_us(), intervals = 0;
	sigset_t caught;

	catch_signals(&caught);
	if (!emit_flush())
		return NM_EXIT_OK;
	for (bool last = false; !last;) {
		struct losses lost = { 0 };
		uint64_t now_us;

		deadline = next_deadline(deadline);
		if (!wait_until(b, deadline, &caught))
			break;
		/* Asked before the drain: what comes until then is in it. */
		last = stopping || ++intervals == count || pids_ended();
		if (b->drain(&lost, last)) {
			warn("backend %s", b->name);
			return NM_EXIT_FAIL;
		}
		now_us = cpu_us();
		emit_tick(&lost, now_us - used_us);
		used_us = now_us;
		if (!emit_flush())
			break;
	}
	return NM_EXIT_OK;
}

static bool wants(const char *backend)
{
	return wanted_backend && strcmp(wanted_backend, backend) == 0;
}

static void check_options(void)
{
	if (once && count > 1)
		nm_usage_error(&program, "--once and -c exclude each other");
	if (settings.no_wire && wants("cgroup"))
		nm_usage_error(&program, "-b cgroup and --no-wire exclude each "
					 "other: it counts packets only");
	if (settings.no_wire && netns_choice_any())
		nm_usage_error(&program, "--netns and --no-wire exclude each "
					 "other: a ledger is of packets");
	if (settings.no_wire && settings.peek_bytes)
		nm_usage_error(&program, "--peek and --no-wire exclude each "
					 "other: it looks into packets");
	if (probe && netns_choice_any())
		nm_usage_error(&program,
			       "--netns and --probe exclude each other");
	if (wants("diag") && netns_choice_any())
		nm_usage_error(&program, "--netns and -b diag exclude each "
					 "other: a ledger is of packets");
}

int main(int argc, char **argv)
{
	const struct backend *b;
	int status;

	nm_options(&program, argc, argv);
	check_options();
	if (once)
		count = 1;
	if (probe)
		return choose_probe(&settings);
	heap_enlarge();
	pids_apply();
	netns_choice_open();
	b = choose_start(&settings, wanted_backend);
	if (!b)
		return NM_EXIT_CANNOT;
	if (b->begin())
		err(NM_EXIT_FAIL, "backend %s", b->name);
	emit_start(b, &settings);
	choose_tell(b, &settings, wanted_backend);
	netns_choice_close();
	rights_drop(b->usable);
	kernel_types_free();
	heap_shrink();
	status = collect(b);
	b->stop();
	return status;
}
