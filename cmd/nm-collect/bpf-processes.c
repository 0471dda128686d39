// SPDX-License-Identifier: MIT
/*
 * The kernel's map of processes, read once an interval. An ended one is removed
 * from it when all that it moved is told, or in a long interval before that;
 * see bpf-known.c for what is remembered of it.
 */
#include "bpf-processes.h"

#include <err.h>
#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "bpf-args.h"
#include "bpf-known.h"
#include "buf.h"
#include "emit.h"

/* How many entries one system call reads. */
#define BATCH 1024

/*
 * An ended process stays in the map for so long: its sockets may close after
 * it, when the other side has answered the FIN.
 */
#define LINGER_NS (2 * NS_PER_S)

/* Longer intervals are swept, once a second. */
#define LONG_INTERVAL_S 3

/*
 * So many times the processes of one time may be known at once: those that the
 * last drain removed, those that this one does, and those that have come into
 * their place meanwhile. In long intervals, also those that were swept.
 */
#define KNOWN_FACTOR	   3
#define KNOWN_FACTOR_SWEPT 16

static struct {
	int map, exes; /* who, and what they run */
	size_t known_max;
	struct nm_buf ended; /* keys of those whose end is to be told */
	struct nm_buf swept; /* keys of those removed since the last drain */
	size_t count;
	int timer; /* for the next sweep; -1: none */
	unsigned verbose;
	uint64_t max;
	/* Room for one batch. */
	struct nm_process_key keys[BATCH];
	struct nm_process values[BATCH];
} processes;

static int second_timer(void)
{
	struct itimerspec t = { .it_interval.tv_sec = 1, .it_value.tv_sec = 1 };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd < 0 || timerfd_settime(fd, 0, &t, NULL))
		err(1, "cannot have a timer");
	return fd;
}

void bpf_processes_init(const struct collect_bpf *skel,
			const struct settings *s, bool inferred)
{
	bool sweeps = s->interval_s > LONG_INTERVAL_S;

	processes.map = bpf_map__fd(skel->maps.processes);
	processes.exes = bpf_map__fd(skel->maps.exes);
	processes.known_max = (s->max_processes + 1) *
			      (sweeps ? KNOWN_FACTOR_SWEPT : KNOWN_FACTOR);
	bpf_args_open(skel);
	bpf_known_open(skel, processes.known_max,
		       processes.known_max / KNOWN_FACTOR, inferred);
	processes.timer = sweeps ? second_timer() : -1;
	processes.verbose = s->verbose;
	processes.max = s->max_processes;
}

void bpf_processes_stop(void)
{
	bpf_known_close();
	nm_buf_free(&processes.ended);
	nm_buf_free(&processes.swept);
	if (processes.timer >= 0)
		close(processes.timer);
	processes.timer = -1;
}

size_t bpf_processes_count(void)
{
	return processes.count;
}

static void has_ended(struct known *k, const struct nm_process_key *key)
{
	k->ended = true;
	nm_buf_add(&processes.ended, key, sizeof(*key));
}

/* What it has in the end: it was read with many others, some time ago. */
static struct nm_process remove_entry(const struct nm_process_key *key,
				      const struct nm_process *read)
{
	struct nm_process last = *read;

	bpf_map_lookup_elem(processes.map, key, &last);
	bpf_map_delete_elem(processes.exes, key);
	bpf_args_remove(key);
	bpf_map_delete_elem(processes.map, key);
	return last;
}

static bool lingers(const struct nm_process *v, uint64_t now_ns)
{
	return now_ns <= v->ended_ns || now_ns - v->ended_ns <= LINGER_NS;
}

static void see(const struct nm_process_key *key, const struct nm_process *v,
		uint64_t turned_ns)
{
	struct nm_process last;
	struct known *k;

	processes.count++;
	/*
	 * Its identity is being read this moment; what it moved so far is in
	 * the flow map that is not told yet.
	 */
	if (v->execs == 0 && key->tgid != 0)
		return;
	k = bpf_known_meet(key, v);
	bpf_known_tell(k, v);
	/* Ended before the turn: all that it moved is in what we now tell. */
	if (v->ended_ns && v->ended_ns < turned_ns && !k->ended) {
		has_ended(k, key);
	} else if (k->ended && !lingers(v, turned_ns)) {
		last = remove_entry(key, v);
		bpf_known_tell(k, &last);
		bpf_known_left(k, key);
	}
}

static void sweep(const struct nm_process_key *key, const struct nm_process *v,
		  uint64_t now_ns)
{
	struct known *k;

	if (!v->ended_ns || lingers(v, now_ns) || v->execs == 0)
		return;
	/* With no room for their names they stay, and others are refused. */
	if (processes.swept.len / sizeof(*key) + bpf_known_left_count() +
		    (KNOWN_FACTOR - 1) * processes.max >=
	    processes.known_max)
		return;
	k = bpf_known_meet(key, v);
	/* It may be back, by a socket that it closes while it ends. */
	if (k->swept)
		return;
	k->swept = true;
	k->last = remove_entry(key, v);
	nm_buf_add(&processes.swept, key, sizeof(*key));
}

/* Calls do_it for each entry of the kernel's map. 0, or -1 with errno. */
static int for_each(void (*do_it)(const struct nm_process_key *key,
				  const struct nm_process *v, uint64_t ns),
		    uint64_t ns)
{
	__u32 from = 0, to = 0, n;
	void *in = NULL;
	int error;

	do {
		n = BATCH;
		error = bpf_map_lookup_batch(processes.map, in, &to,
					     processes.keys, processes.values,
					     &n, NULL);
		if (error && errno != ENOENT)
			return -1;
		for (__u32 i = 0; i < n; i++)
			do_it(&processes.keys[i], &processes.values[i], ns);
		from = to;
		in = &from;
	} while (!error);
	return 0;
}

int bpf_processes_fd(void)
{
	return processes.timer;
}

void bpf_processes_sweep(void)
{
	size_t before = processes.swept.len;
	uint64_t times;

	if (read(processes.timer, &times, sizeof(times)) < 0)
		return;
	if (for_each(sweep, bpf_boottime_ns()))
		warn("processes");
	if (processes.verbose >= 2)
		warnx("maps: %zu ended processes swept out",
		      (processes.swept.len - before) /
			      sizeof(struct nm_process_key));
}

/* Calls do_it for each process of a list of keys. */
static void for_keys(const struct nm_buf *list,
		     void (*do_it)(const struct nm_process_key *key,
				   struct known *k))
{
	const struct nm_process_key *keys = (const void *)list->data;
	size_t n = list->len / sizeof(*keys);

	for (size_t i = 0; i < n; i++) {
		struct known *k = bpf_known_get(&keys[i]);

		if (k)
			do_it(&keys[i], k);
	}
}

static void tell_swept(const struct nm_process_key *key, struct known *k)
{
	bpf_known_tell(k, &k->last);
	if (!k->ended)
		has_ended(k, key);
	k->swept = false;
	bpf_known_left(k, key);
}

static void tell_end(const struct nm_process_key *key, struct known *k)
{
	(void)key;
	if (k->told)
		emit_process_end(&k->process, k->tx_bytes, k->rx_bytes);
}

int bpf_processes_tell(uint64_t turned_ns)
{
	bpf_known_at(turned_ns);
	for_keys(&processes.swept, tell_swept);
	processes.swept.len = 0;
	processes.count = 0;
	return for_each(see, turned_ns);
}

void bpf_processes_tell_ended(void)
{
	for_keys(&processes.ended, tell_end);
	processes.ended.len = 0;
	bpf_known_forget_left();
}
