// SPDX-License-Identifier: MIT
/*
 * One loop over records and keys. Signals are blocked except while it
 * waits, so they are only ever looked at there.
 */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "canvas.h"
#include "frame.h"
#include "input.h"
#include "live.h"

/* A stream from a file comes faster than a picture is worth drawing. */
#define DRAW_MS 50

/* Keys of one go; what is more comes with the next. */
#define KEYS_MAX 64

#define KEY_CTRL_Z ('z' & 0x1f)

static volatile sig_atomic_t ending;
static volatile sig_atomic_t stopping;
static volatile sig_atomic_t resized;

static void on_end(int signal)
{
	ending = signal;
}

static void on_stop(int signal)
{
	(void)signal;
	stopping = 1;
}

static void on_resize(int signal)
{
	(void)signal;
	resized = 1;
}

static void on_signal(int signal, void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler };

	sigemptyset(&action.sa_mask);
	sigaction(signal, &action, NULL);
}

/*
 * Before curses starts, which leaves alone what is not at its default.
 * Returns the mask to wait with.
 */
static sigset_t catch_signals(void)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	sigset_t block, before;

	sigemptyset(&block);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		on_signal(ends[i], on_end);
		sigaddset(&block, ends[i]);
	}
	on_signal(SIGTSTP, on_stop);
	sigaddset(&block, SIGTSTP);
	on_signal(SIGWINCH, on_resize);
	sigaddset(&block, SIGWINCH);
	on_signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &block, &before);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		sigdelset(&before, ends[i]);
	sigdelset(&before, SIGTSTP);
	sigdelset(&before, SIGWINCH);
	return before;
}

/*
 * Sends a signal that is blocked here, and takes it as if it had never been
 * caught: last of all, if it is for others (kill(2)), too.
 */
static void take_default(int signal, pid_t whom)
{
	sigset_t unblock;

	on_signal(signal, SIG_DFL);
	sigemptyset(&unblock);
	sigaddset(&unblock, signal);
	kill(whom, signal);
	sigprocmask(SIG_UNBLOCK, &unblock, NULL);
}

/*
 * Ctrl-Z is for our whole job. As a signal of the terminal it would stop who
 * started us (the script netmonitor) at once, and the shell would go to work
 * before we have put the terminal in order. As a key it is we who stop them,
 * after that. But those of another user we cannot: after `sudo netmonitor` we
 * have given up the rights.
 */
static bool can_stop_job(void)
{
	return kill(getppid(), 0) == 0;
}

/* Here we stop, and go on when the shell says so. */
static void stop(pid_t whom)
{
	sigset_t block;

	stopping = 0;
	canvas_suspend();
	take_default(SIGTSTP, whom);
	sigemptyset(&block);
	sigaddset(&block, SIGTSTP);
	sigprocmask(SIG_BLOCK, &block, NULL);
	on_signal(SIGTSTP, on_stop);
	canvas_resume();
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* False: this is no longer our terminal. */
static bool take_keys(struct view *v, int tty)
{
	int keys[KEYS_MAX], key = KEY_NONE;
	size_t n = 0;

	while (n < KEYS_MAX && (key = input_key()) != KEY_NONE &&
	       key != KEY_CTRL_Z)
		keys[n++] = key;
	view_keys(v, keys, n);
	if (key == KEY_CTRL_Z) {
		if (!v->quit)
			stop(0);
		return true;
	}
	/* Somebody else is in front of it, and no shell will bring us back. */
	return n || tcgetpgrp(tty) == getpgrp();
}

/*
 * The lines of one read, so that keys never wait for long. True: a tick was
 * among them, or the end. *left goes down with each tick.
 */
static bool take_input(struct view *v, struct source *s, uint64_t *left)
{
	enum source_state state;
	bool ticked = false;

	while ((state = view_take(v, s)) == SOURCE_TICK) {
		view_tick(v);
		ticked = true;
		if (*left && !--*left)
			v->quit = true;
		if (v->quit)
			return true;
	}
	if (state == SOURCE_EOF) {
		view_end(v);
		return true;
	}
	return ticked;
}

/* A source that breaks has ended. False: there is nothing yet. */
static bool fill(struct source *s)
{
	if (nm_lines_fill(&s->lines) < 0) {
		if (errno == EAGAIN)
			return false;
		s->error = errno;
		s->lines.eof = true;
	}
	return true;
}

static void run(struct view *v, struct source *s, int keys, uint64_t left,
		const sigset_t *mask)
{
	struct pollfd p[] = {
		{ .fd = keys, .events = POLLIN },
		{ .fd = s->lines.fd, .events = POLLIN },
	};
	bool dirty = true;
	uint64_t drawn_ms = 0;

	take_input(v, s, &left);
	while (!v->quit && !ending) {
		uint64_t age = now_ms() - drawn_ms;
		struct timespec wait = { 0 };
		int n;

		if (dirty && age >= DRAW_MS) {
			frame_draw(v);
			dirty = false;
			drawn_ms = now_ms();
		} else if (dirty) {
			wait.tv_nsec = (long)(DRAW_MS - age) * 1000000;
		}
		if (v->ended)
			p[1].fd = -1;
		n = ppoll(p, 2, dirty ? &wait : NULL, mask);
		if (stopping) {
			stop(getpid());
			dirty = true;
		}
		if (resized) {
			resized = 0;
			canvas_resize();
			dirty = true;
		}
		if (n <= 0)
			continue;
		if (p[0].revents & (POLLHUP | POLLERR | POLLNVAL))
			return;
		if (p[0].revents) {
			if (!take_keys(v, keys))
				return;
			/* The answer to a key does not wait. */
			dirty = true;
			drawn_ms = 0;
		}
		if (p[1].revents && fill(s))
			dirty |= take_input(v, s, &left);
	}
}

int live(struct view *v, struct source *s, uint64_t count)
{
	const char *no_color = getenv("NO_COLOR");
	FILE *tty = fopen("/dev/tty", "r+e");
	sigset_t mask;
	int status;

	if (!tty || !isatty(STDOUT_FILENO)) {
		if (tty)
			fclose(tty);
		return -1;
	}
	/* A source that cannot start says why: do not paint over it. */
	if (fill(s) && s->lines.eof) {
		fclose(tty);
		return view_complaints(v, s);
	}
	mask = catch_signals();
	if (!canvas_open_terminal(stdout, tty, !no_color || !*no_color,
				  can_stop_job())) {
		warnx("cannot draw on a terminal of type '%s'; -b prints text",
		      getenv("TERM") ? getenv("TERM") : "");
		fclose(tty);
		return NM_EXIT_CANNOT;
	}
	s->hold = true;
	run(v, s, fileno(tty), count, &mask);
	canvas_close();
	fclose(tty);
	status = view_complaints(v, s);
	if (ending)
		take_default(ending, getpid());
	return status;
}
