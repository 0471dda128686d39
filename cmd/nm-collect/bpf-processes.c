// SPDX-License-Identifier: MIT
/*
 * The kernel's counters of a process only grow, so what was told of each is
 * remembered here and subtracted. An ended one is removed from the kernel's
 * map when all that it moved is told, or in a long interval before that.
 */
#include "bpf-processes.h"

#include <err.h>
#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "buf.h"
#include "cache.h"
#include "emit.h"
#include "identity.h"

#define NS_PER_S 1000000000ULL

/* How many entries one system call reads. */
#define BATCH 1024

/*
 * An ended process stays in the map for so long: its sockets may close after
 * it, when the other side has answered the FIN.
 */
#define LINGER_NS (2 * NS_PER_S)

/*
 * Its name is kept for so long after that, or after the last flow that it was
 * told with: the kernel may be emptying its sockets for a while.
 */
#define KEEP_NS (5 * NS_PER_S)

/* If a TCP socket was still open: TCP_RTO_MAX, until it is sent again. */
#define KEEP_OPEN_NS (125 * NS_PER_S)

/* Longer intervals are swept, once a second. */
#define LONG_INTERVAL_S 3

/*
 * So many times the processes of one time may be known at once: those that the
 * last drain removed, those that this one does, and those that have come into
 * their place meanwhile. In long intervals, also those that were swept.
 */
#define KNOWN_FACTOR	   3
#define KNOWN_FACTOR_SWEPT 16

struct known {
	struct process process;
	const char *news; /* an event that is not told yet, or NULL */
	bool told;	  /* a record has named it */
	uint64_t seen_ns; /* when a flow of it was last told */
	uint64_t tcp_ns;  /* the same of TCP, */
	bool tcp_open;	  /* and one was not closed */
	uint64_t tx_bytes, rx_bytes;		 /* told until now */
	uint64_t tx_lost_detail, rx_lost_detail; /* told until now */
	struct nm_process last; /* of one that has ended or was swept */
	uint32_t execs;
	bool ended; /* and that is told, or will be when this drain ends */
};

/* Whom to forget, and not before when. */
struct left {
	struct nm_process_key key;
	uint64_t ns;
};

static struct {
	int map, exes;		/* who, and what they run */
	struct nm_cache *known; /* nm_process_key -> struct known */
	size_t known_max;
	struct nm_buf ended; /* keys of those whose end is to be told */
	struct nm_buf swept; /* keys of those removed since the last drain */
	struct nm_buf left;  /* those that are gone from the map */
	uint64_t now_ns;     /* of this drain */
	size_t count;
	int timer; /* for the next sweep; -1: none */
	unsigned verbose;
	uint64_t max;
	/* Room for one batch. */
	struct nm_process_key keys[BATCH];
	struct nm_process values[BATCH];
} processes;

static void forget_known(const void *key, void *value)
{
	struct known *k = value;

	(void)key;
	identity_clear(&k->process);
}

static int second_timer(void)
{
	struct itimerspec t = { .it_interval.tv_sec = 1, .it_value.tv_sec = 1 };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd < 0 || timerfd_settime(fd, 0, &t, NULL))
		err(1, "cannot have a timer");
	return fd;
}

void bpf_processes_init(const struct collect_bpf *skel,
			const struct settings *s)
{
	bool sweeps = s->interval_s > LONG_INTERVAL_S;

	processes.map = bpf_map__fd(skel->maps.processes);
	processes.exes = bpf_map__fd(skel->maps.exes);
	processes.known_max = (s->max_processes + 1) *
			      (sweeps ? KNOWN_FACTOR_SWEPT : KNOWN_FACTOR);
	processes.known =
		nm_cache_new(processes.known_max, sizeof(struct nm_process_key),
			     sizeof(struct known), forget_known);
	processes.timer = sweeps ? second_timer() : -1;
	processes.verbose = s->verbose;
	processes.max = s->max_processes;
}

void bpf_processes_stop(void)
{
	nm_cache_free(processes.known);
	nm_buf_free(&processes.ended);
	nm_buf_free(&processes.swept);
	nm_buf_free(&processes.left);
	if (processes.timer >= 0)
		close(processes.timer);
	processes.timer = -1;
}

static void tell_news(struct known *k)
{
	if (k->news)
		emit_process(k->news, &k->process);
	k->news = NULL;
	k->told = true;
}

void bpf_processes_tcp(const struct nm_process_key *key, bool open)
{
	struct known *k = nm_cache_get(processes.known, key);

	if (!k)
		return;
	k->tcp_open = open || (k->tcp_open && k->tcp_ns == processes.now_ns);
	k->tcp_ns = processes.now_ns;
}

struct process *bpf_processes_moved(const struct nm_process_key *key,
				    uint64_t tx, uint64_t rx)
{
	struct known *k = nm_cache_get(processes.known, key);

	if (!k)
		return NULL;
	tell_news(k);
	k->seen_ns = processes.now_ns;
	k->tx_bytes += tx;
	k->rx_bytes += rx;
	return &k->process;
}

size_t bpf_processes_count(void)
{
	return processes.count;
}

static void identify(struct process *p, const struct nm_process_key *key,
		     const struct nm_process *v)
{
	struct nm_exe exe;
	bool found = bpf_map_lookup_elem(processes.exes, key, &exe) == 0;

	identity_fill(p, key, v, found ? &exe : NULL);
}

/* Finds out who it is, if that is new. */
static struct known *meet(const struct nm_process_key *key,
			  const struct nm_process *v)
{
	bool made;
	struct known *k = nm_cache_put(processes.known, key, &made);

	if (made || k->execs != v->execs) {
		identify(&k->process, key, v);
		k->news = k->told ? "process_exec" : "process_start";
		k->execs = v->execs;
	} else if (k->process.uid_known && k->process.uid != v->uid) {
		identity_set_uid(&k->process, v->uid);
	}
	return k;
}

/* What is in no flow, maybe of TCP, and what has become of it. */
static void tell(struct known *k, const struct nm_process_key *key,
		 const struct nm_process *v)
{
	struct flow f = {
		.process = &k->process,
		.tx_bytes = v->tx_lost_detail - k->tx_lost_detail,
		.rx_bytes = v->rx_lost_detail - k->rx_lost_detail,
	};

	if (f.tx_bytes || f.rx_bytes) {
		bpf_processes_moved(key, f.tx_bytes, f.rx_bytes);
		bpf_processes_tcp(key, true);
		emit_flow(&f);
	} else if (k->told) {
		tell_news(k);
	}
	k->tx_lost_detail = v->tx_lost_detail;
	k->rx_lost_detail = v->rx_lost_detail;
}

static void has_ended(struct known *k, const struct nm_process_key *key,
		      const struct nm_process *v)
{
	k->ended = true;
	k->last = *v;
	nm_buf_add(&processes.ended, key, sizeof(*key));
}

static void remove_entry(const struct nm_process_key *key)
{
	bpf_map_delete_elem(processes.exes, key);
	bpf_map_delete_elem(processes.map, key);
}

static void leaves(const struct nm_process_key *key)
{
	struct left l = { .key = *key, .ns = processes.now_ns + KEEP_NS };

	nm_buf_add(&processes.left, &l, sizeof(l));
}

static bool lingers(const struct nm_process *v, uint64_t now_ns)
{
	return now_ns <= v->ended_ns || now_ns - v->ended_ns <= LINGER_NS;
}

static void see(const struct nm_process_key *key, const struct nm_process *v,
		uint64_t turned_ns)
{
	struct known *k;

	processes.count++;
	/*
	 * Its identity is being read this moment; what it moved so far is in
	 * the flow map that is not told yet.
	 */
	if (v->execs == 0 && key->tgid != 0)
		return;
	k = meet(key, v);
	tell(k, key, v);
	/* Ended before the turn: all that it moved is in what we now tell. */
	if (v->ended_ns && v->ended_ns < turned_ns && !k->ended) {
		has_ended(k, key, v);
	} else if (k->ended && !lingers(v, turned_ns)) {
		remove_entry(key);
		leaves(key);
	}
}

static void sweep(const struct nm_process_key *key, const struct nm_process *v,
		  uint64_t now_ns)
{
	struct known *k;

	if (!v->ended_ns || lingers(v, now_ns) || v->execs == 0)
		return;
	/* With no room for their names they stay, and others are refused. */
	if (processes.swept.len / sizeof(*key) + KNOWN_FACTOR * processes.max >=
	    processes.known_max)
		return;
	k = meet(key, v);
	k->last = *v;
	nm_buf_add(&processes.swept, key, sizeof(*key));
	remove_entry(key);
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
		struct known *k = nm_cache_get(processes.known, &keys[i]);

		if (k)
			do_it(&keys[i], k);
	}
}

static void tell_swept(const struct nm_process_key *key, struct known *k)
{
	tell(k, key, &k->last);
	if (!k->ended)
		has_ended(k, key, &k->last);
	leaves(key);
}

static void tell_end(const struct nm_process_key *key, struct known *k)
{
	(void)key;
	if (k->told)
		emit_process_end(&k->process, k->tx_bytes, k->rx_bytes);
}

static bool is_kept(const struct known *k, const struct left *l)
{
	uint64_t now = processes.now_ns;

	return now < l->ns || now < k->seen_ns + KEEP_NS ||
	       (k->tcp_open && now < k->tcp_ns + KEEP_OPEN_NS);
}

/* Those that left long ago, and are in no flow any more. */
static void forget_left(void)
{
	struct left *list = (void *)processes.left.data;
	size_t n = processes.left.len / sizeof(*list), kept = 0;

	for (size_t i = 0; i < n; i++) {
		const struct known *k =
			nm_cache_get(processes.known, &list[i].key);

		if (k && is_kept(k, &list[i]))
			list[kept++] = list[i];
		else if (k)
			nm_cache_drop(processes.known, &list[i].key);
	}
	processes.left.len = kept * sizeof(*list);
}

int bpf_processes_tell(uint64_t turned_ns)
{
	processes.now_ns = turned_ns;
	for_keys(&processes.swept, tell_swept);
	processes.swept.len = 0;
	processes.count = 0;
	return for_each(see, turned_ns);
}

void bpf_processes_tell_ended(void)
{
	for_keys(&processes.ended, tell_end);
	processes.ended.len = 0;
	forget_left();
}
