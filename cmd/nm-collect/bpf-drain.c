// SPDX-License-Identifier: MIT
/*
 * Backends fexit and tp: what the programs counted, told once an interval.
 * The flow map is swapped and emptied; the process counters only grow, so
 * what was told of each is remembered here and subtracted.
 */
#include "bpf.h"
#include "bpf-misses.h"

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>

#include "buf.h"
#include "cache.h"
#include "cgroup.h"
#include "emit.h"
#include "identity.h"

#define NS_PER_S 1000000000ULL

/* How many entries one system call reads. */
#define BATCH 1024

/*
 * An ended process stays known for so long: its sockets may close after it,
 * when the other side has answered the FIN.
 */
#define LINGER_NS (2 * NS_PER_S)

struct known {
	struct process process;
	uint64_t tx_lost_detail, rx_lost_detail; /* told until now */
	uint64_t tx_bytes, rx_bytes; /* all of it, once it has ended */
	uint32_t execs;
	bool ended;
};

static struct {
	int slot; /* the map of maps, and what takes turns in it */
	int flow_maps[2];
	int filling; /* index of the one that programs use */
	int processes;
	int exes; /* what they run */
	int lost;
	int cpus;
	struct nm_buf ended;	/* keys of those that ended just now */
	struct nm_cache *known; /* nm_process_key -> struct known */
	struct nm_lost *per_cpu;
	struct nm_lost told;
	const struct settings *settings;
	/* Room for one batch. */
	struct nm_process_key *process_keys;
	struct nm_process *process_values;
	struct nm_flow_key *flow_keys;
	struct nm_flow *flow_values;
} drain;

static void *room(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		err(1, NULL);
	return p;
}

static void forget_known(const void *key, void *value)
{
	struct known *k = value;

	(void)key;
	identity_clear(&k->process);
}

void bpf_drain_init(struct collect_bpf *const player[], size_t players,
		    const struct settings *s)
{
	const struct collect_bpf *skel = player[0];

	drain.slot = bpf_map__fd(skel->maps.flows);
	drain.flow_maps[0] = bpf_map__fd(skel->maps.flows_a);
	drain.flow_maps[1] = bpf_map__fd(skel->maps.flows_b);
	drain.filling = 0;
	drain.processes = bpf_map__fd(skel->maps.processes);
	drain.exes = bpf_map__fd(skel->maps.exes);
	drain.lost = bpf_map__fd(skel->maps.lost);
	drain.cpus = libbpf_num_possible_cpus();
	if (drain.cpus < 1)
		drain.cpus = 1;
	drain.per_cpu = room((size_t)drain.cpus, sizeof(*drain.per_cpu));
	drain.told = (struct nm_lost){ 0 };
	drain.known = nm_cache_new(s->max_processes + 1,
				   sizeof(struct nm_process_key),
				   sizeof(struct known), forget_known);
	drain.process_keys = room(BATCH, sizeof(*drain.process_keys));
	drain.process_values = room(BATCH, sizeof(*drain.process_values));
	drain.flow_keys = room(BATCH, sizeof(*drain.flow_keys));
	drain.flow_values = room(BATCH, sizeof(*drain.flow_values));
	drain.settings = s;
	bpf_misses_init(player, players);
	cgroup_root(); /* as long as there are rights */
}

void bpf_drain_stop(void)
{
	nm_cache_free(drain.known);
	nm_buf_free(&drain.ended);
	free(drain.per_cpu);
	free(drain.process_keys);
	free(drain.process_values);
	free(drain.flow_keys);
	free(drain.flow_values);
	memset(&drain, 0, sizeof(drain));
}

/*
 * Gives the programs the other flow map. When this returns, none of them
 * uses the old one any more; see bpf/flow.bpf.h.
 */
static int swap_flow_maps(void)
{
	__u32 zero = 0;
	int next = !drain.filling;

	if (bpf_map_update_elem(drain.slot, &zero, &drain.flow_maps[next],
				BPF_ANY))
		return -1;
	drain.filling = next;
	return 0;
}

bool bpf_drain_usable(void)
{
	__u32 zero = 0;

	return bpf_map_update_elem(drain.slot, &zero,
				   &drain.flow_maps[drain.filling],
				   BPF_ANY) == 0;
}

static uint64_t boottime_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* Tells what is in no flow, of a process or (process NULL) of nobody. */
static void tell_without_socket(struct process *p, uint64_t tx, uint64_t rx)
{
	struct flow f = { .process = p, .tx_bytes = tx, .rx_bytes = rx };

	if (tx || rx)
		emit_flow(&f);
}

static void identify(struct process *p, const struct nm_process_key *key,
		     const struct nm_process *v)
{
	struct nm_exe exe;
	bool known = bpf_map_lookup_elem(drain.exes, key, &exe) == 0;

	identity_fill(p, key, v, known ? &exe : NULL);
}

static void see_process(const struct nm_process_key *key,
			const struct nm_process *v, uint64_t swapped_ns)
{
	struct known *k;
	bool made;

	/*
	 * Its identity is being read this moment; what it moved so far is in
	 * the flow map that is not told yet.
	 */
	if (v->execs == 0 && key->tgid != 0)
		return;
	k = nm_cache_put(drain.known, key, &made);
	if (made || k->execs != v->execs) {
		identify(&k->process, key, v);
		emit_process(made ? "process_start" : "process_exec",
			     &k->process);
		k->execs = v->execs;
	} else if (k->process.uid_known && k->process.uid != v->uid) {
		identity_set_uid(&k->process, v->uid);
	}
	tell_without_socket(&k->process, v->tx_lost_detail - k->tx_lost_detail,
			    v->rx_lost_detail - k->rx_lost_detail);
	k->tx_lost_detail = v->tx_lost_detail;
	k->rx_lost_detail = v->rx_lost_detail;

	/* Ended before the swap: all that it moved is in what we now tell. */
	if (v->ended_ns && v->ended_ns < swapped_ns && !k->ended) {
		k->ended = true;
		k->tx_bytes = v->tx_bytes;
		k->rx_bytes = v->rx_bytes;
		nm_buf_add(&drain.ended, key, sizeof(*key));
	} else if (k->ended && swapped_ns - v->ended_ns > LINGER_NS) {
		bpf_map_delete_elem(drain.exes, key);
		bpf_map_delete_elem(drain.processes, key);
		nm_cache_drop(drain.known, key);
	}
}

static int see_processes(uint64_t swapped_ns)
{
	__u32 from = 0, to = 0, n;
	void *in = NULL;
	int error;

	do {
		n = BATCH;
		error = bpf_map_lookup_batch(drain.processes, in, &to,
					     drain.process_keys,
					     drain.process_values, &n, NULL);
		if (error && errno != ENOENT)
			return -1;
		for (__u32 i = 0; i < n; i++)
			see_process(&drain.process_keys[i],
				    &drain.process_values[i], swapped_ns);
		from = to;
		in = &from;
	} while (!error);
	return 0;
}

static void tell_flow(const struct nm_flow_key *key, const struct nm_flow *v)
{
	struct known *k = nm_cache_get(drain.known, &key->process);
	struct flow f = {
		.process = k ? &k->process : NULL,
		.socket = true,
		.cookie = key->cookie,
		.peer = key->peer,
		.netns = key->netns,
		.proto = key->proto,
		.dir = v->dir,
		.closed = v->closed,
		.lport = v->lport,
		.rport = (uint16_t)(key->rport << 8 | key->rport >> 8),
		.tx_bytes = v->tx_bytes,
		.rx_bytes = v->rx_bytes,
	};

	memcpy(f.laddr.byte, v->laddr, sizeof(f.laddr.byte));
	memcpy(f.raddr.byte, key->raddr, sizeof(f.raddr.byte));
	emit_flow(&f);
}

static int tell_flows(int map, uint64_t *told)
{
	__u32 from = 0, to = 0, n;
	void *in = NULL;
	int error;

	do {
		n = BATCH;
		error = bpf_map_lookup_and_delete_batch(map, in, &to,
							drain.flow_keys,
							drain.flow_values, &n,
							NULL);
		if (error && errno != ENOENT)
			return -1;
		for (__u32 i = 0; i < n; i++)
			tell_flow(&drain.flow_keys[i], &drain.flow_values[i]);
		*told += n;
		from = to;
		in = &from;
	} while (!error);
	return 0;
}

/* Behind the flows, so that a process's end is its last record. */
static void tell_ended(void)
{
	const struct nm_process_key *keys = (void *)drain.ended.data;
	size_t n = drain.ended.len / sizeof(*keys);

	for (size_t i = 0; i < n; i++) {
		struct known *k = nm_cache_get(drain.known, &keys[i]);

		if (k)
			emit_process_end(&k->process, k->tx_bytes, k->rx_bytes);
	}
	drain.ended.len = 0;
}

static int tell_lost(struct losses *losses)
{
	struct nm_lost sum = { 0 };
	__u32 zero = 0;

	if (bpf_map_lookup_elem(drain.lost, &zero, drain.per_cpu))
		return -1;
	for (int i = 0; i < drain.cpus; i++) {
		sum.tx_bytes += drain.per_cpu[i].tx_bytes;
		sum.rx_bytes += drain.per_cpu[i].rx_bytes;
		sum.processes += drain.per_cpu[i].processes;
		sum.flows += drain.per_cpu[i].flows;
	}
	tell_without_socket(NULL, sum.tx_bytes - drain.told.tx_bytes,
			    sum.rx_bytes - drain.told.rx_bytes);
	losses->flows = sum.flows - drain.told.flows;
	losses->processes = sum.processes - drain.told.processes;
	losses->calls = bpf_misses_take();
	drain.told = sum;
	return 0;
}

int bpf_drain(struct losses *lost)
{
	uint64_t now_ns = boottime_ns();
	int full = drain.filling;
	uint64_t flows = 0;

	if (swap_flow_maps())
		return -1;
	/*
	 * In this order: a flow's process has its entry before the flow has,
	 * so by now each flow's process is to be seen.
	 */
	emit_interval();
	if (see_processes(now_ns) ||
	    tell_flows(drain.flow_maps[full], &flows) || tell_lost(lost))
		return -1;
	tell_ended();
	if (drain.settings->verbose >= 2)
		warnx("maps: %zu of %" PRIu64 " processes, %" PRIu64
		      " of %" PRIu64 " flows",
		      nm_cache_count(drain.known),
		      drain.settings->max_processes, flows,
		      drain.settings->max_flows);
	return 0;
}
