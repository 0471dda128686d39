// SPDX-License-Identifier: MIT
/*
 * The BPF backends: what the programs counted, told once an interval.
 * For where the flows are see bpf-counters.c, for the processes
 * bpf-processes.c, for what is told of them bpf-known.c.
 */
#include "bpf.h"
#include "bpf-counters.h"
#include "bpf-heads.h"
#include "bpf-known.h"
#include "bpf-log.h"
#include "bpf-misses.h"
#include "bpf-processes.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "cgroup.h"
#include "emit.h"
#include "ledgers.h"

/* How many entries one system call reads. */
#define BATCH 1024

static struct {
	int lost;
	int waker; /* of what is to be read before an interval ends; or -1 */
	int cpus;
	struct nm_lost *per_cpu;
	struct nm_lost told;
	const struct settings *settings;
	bool inferred;
	struct nm_buf untold;
	/* Room for one batch. */
	struct nm_flow_key keys[BATCH];
	struct nm_flow values[BATCH];
} drain;

/* One descriptor for two, of which the second may be -1. */
static int wait_for_both(int a, int b)
{
	struct epoll_event in = { .events = EPOLLIN };
	int both = epoll_create1(EPOLL_CLOEXEC);

	if (both < 0 || epoll_ctl(both, EPOLL_CTL_ADD, a, &in) ||
	    (b >= 0 && epoll_ctl(both, EPOLL_CTL_ADD, b, &in)))
		err(1, "epoll");
	return both;
}

void bpf_drain_init(struct collect_bpf *const player[], size_t players,
		    enum bpf_way way, const struct settings *s)
{
	const struct collect_bpf *skel = player[0];

	drain.lost = bpf_map__fd(skel->maps.lost);
	drain.cpus = libbpf_num_possible_cpus();
	if (drain.cpus < 1)
		drain.cpus = 1;
	drain.per_cpu = calloc((size_t)drain.cpus, sizeof(*drain.per_cpu));
	if (!drain.per_cpu)
		err(1, NULL);
	drain.told = (struct nm_lost){ 0 };
	drain.settings = s;
	drain.inferred = way == BPF_BY_CGROUP;
	bpf_processes_init(skel, s, drain.inferred);
	bpf_misses_init(player, players);
	cgroup_root(); /* as long as there are rights */
	drain.waker = bpf_processes_fd();
	bpf_heads_open(skel, s);
	if (bpf_heads_fd() >= 0)
		drain.waker = wait_for_both(bpf_heads_fd(), bpf_processes_fd());
}

int bpf_drain_fd(void)
{
	return drain.waker;
}

void bpf_drain_wake(void)
{
	bpf_processes_sweep();
	bpf_heads_read();
}

void bpf_drain_stop(void)
{
	if (bpf_heads_fd() >= 0)
		close(drain.waker);
	bpf_heads_close();
	nm_buf_free(&drain.untold);
	bpf_processes_stop();
	free(drain.per_cpu);
	memset(&drain, 0, sizeof(drain));
}

static void tell_flow(const struct nm_flow_key *key, const struct nm_flow *v)
{
	struct head *heads = bpf_heads_take(key, v);
	const struct nm_counters *c = bpf_counters_at(v->slot);
	struct flow f = {
		.process =
			bpf_known_moved(&c->process, c->tx_bytes, c->rx_bytes),
		.socket = true,
		.cookie = key->cookie,
		.peer = v->peer,
		.netns = v->netns,
		.proto = v->proto,
		.dir = v->dir,
		.closed = c->closed,
		.lport = v->lport,
		.rport = (uint16_t)(v->rport << 8 | v->rport >> 8),
		.tx_bytes = c->tx_bytes,
		.rx_bytes = c->rx_bytes,
		.wire = c->wire,
		.ifindex = c->ifindex,
		.rtt_us = c->rtt_us,
		.retrans_packets = c->retrans_packets,
		.heads = heads,
		.inferred = drain.inferred,
	};

	if (v->proto == NM_PROTO_TCP)
		bpf_known_tcp(&c->process, !c->closed);
	memcpy(f.laddr.byte, v->laddr, sizeof(f.laddr.byte));
	memcpy(f.raddr.byte, v->raddr, sizeof(f.raddr.byte));
	emit_flow(&f);
	while (heads) {
		struct head *next = heads->next;

		free(heads);
		heads = next;
	}
}

/* A flow that is not told yet. */
struct untold {
	struct nm_flow_key key;
	struct nm_flow flow;
};

static bool is_dns(const struct nm_flow *v)
{
	return v->proto == NM_PROTO_UDP && (v->rport == htons(NM_PORT_DNS) ||
					    v->rport == htons(NM_PORT_MDNS));
}

/*
 * Answers of DNS come first, so that who reads them knows the name of a
 * connection that was begun and ended in the same interval.
 */
static void tell_or_keep(const struct nm_flow_key *key, const struct nm_flow *v)
{
	struct untold u = { .key = *key, .flow = *v };

	if (is_dns(v))
		tell_flow(key, v);
	else
		nm_buf_add(&drain.untold, &u, sizeof(u));
}

static void tell_rest(void)
{
	struct untold u;

	for (size_t at = 0; at < drain.untold.len; at += sizeof(u)) {
		memcpy(&u, drain.untold.data + at, sizeof(u));
		tell_flow(&u.key, &u.flow);
	}
	drain.untold.len = 0;
}

/* Empties the map of the last interval, and calls tell for each, or no one. */
static int take_flows(void (*tell)(const struct nm_flow_key *key,
				   const struct nm_flow *v),
		      uint64_t *taken)
{
	int map = bpf_counters_flows();
	__u32 from = 0, to = 0, n;
	void *in = NULL;
	int error;

	do {
		n = BATCH;
		error = bpf_map_lookup_and_delete_batch(
			map, in, &to, drain.keys, drain.values, &n, NULL);
		if (error && errno != ENOENT)
			return -1;
		for (__u32 i = 0; tell && i < n; i++)
			tell(&drain.keys[i], &drain.values[i]);
		*taken += n;
		from = to;
		in = &from;
	} while (!error);
	if (tell)
		tell_rest();
	return bpf_counters_clear();
}

void bpf_wire_sum(struct nm_wire *to, const struct nm_wire *w, int sign)
{
	uint64_t factor = (uint64_t)(int64_t)sign;

	to->tx_bytes += factor * w->tx_bytes;
	to->rx_bytes += factor * w->rx_bytes;
	to->tx_packets += factor * w->tx_packets;
	to->rx_packets += factor * w->rx_packets;
	to->tx_split += factor * w->tx_split;
	to->rx_split += factor * w->rx_split;
}

static int read_lost(struct nm_lost *sum)
{
	__u32 zero = 0;

	*sum = (struct nm_lost){ 0 };
	if (bpf_map_lookup_elem(drain.lost, &zero, drain.per_cpu))
		return -1;
	for (int i = 0; i < drain.cpus; i++) {
		sum->tx_bytes += drain.per_cpu[i].tx_bytes;
		sum->rx_bytes += drain.per_cpu[i].rx_bytes;
		bpf_wire_sum(&sum->wire, &drain.per_cpu[i].wire, 1);
		for (int half = 0; half < 2; half++)
			bpf_wire_sum(&sum->waiting[half],
				     &drain.per_cpu[i].waiting[half], 1);
		sum->processes += drain.per_cpu[i].processes;
		sum->flows += drain.per_cpu[i].flows;
		sum->heads += drain.per_cpu[i].heads;
	}
	return 0;
}

static int tell_losses(struct losses *losses)
{
	struct flow rest = { .inferred = drain.inferred };
	unsigned half = bpf_counters_half();
	struct nm_wire waiting;
	struct nm_lost sum;

	if (read_lost(&sum))
		return -1;
	rest.tx_bytes = sum.tx_bytes - drain.told.tx_bytes;
	rest.rx_bytes = sum.rx_bytes - drain.told.rx_bytes;
	rest.wire = sum.wire;
	bpf_wire_sum(&rest.wire, &drain.told.wire, -1);
	if (rest.tx_bytes || rest.rx_bytes || rest.wire.tx_packets ||
	    rest.wire.rx_packets)
		emit_flow(&rest);
	waiting = sum.waiting[half];
	bpf_wire_sum(&waiting, &drain.told.waiting[half], -1);
	ledgers_waiting(&waiting);
	/* What the other half has is of the interval that has begun. */
	sum.waiting[!half] = drain.told.waiting[!half];
	losses->flows = sum.flows - drain.told.flows;
	losses->processes = sum.processes - drain.told.processes;
	losses->calls = bpf_misses_take();
	losses->heads = sum.heads - drain.told.heads + bpf_heads_lost();
	drain.told = sum;
	return 0;
}

uint64_t bpf_boottime_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/*
 * The interfaces before: the turn takes some milliseconds, and what flows then
 * is of the next interval.
 */
static int end_interval(void)
{
	ledgers_interval();
	bpf_counters_turn();
	ledgers_turned();
	return bpf_counters_settle();
}

/*
 * At first the other way round: what flows before the turn is in no interval,
 * and would be of no socket.
 */
int bpf_drain_begin(void)
{
	uint64_t flows = 0;

	bpf_counters_turn();
	ledgers_interval();
	ledgers_turned();
	if (bpf_counters_settle())
		return -1;
	emit_interval();
	bpf_misses_take();
	return take_flows(NULL, &flows);
}

int bpf_drain(struct losses *lost, bool last)
{
	uint64_t now_ns = bpf_boottime_ns();
	uint64_t flows = 0;

	(void)last;
	bpf_log_print();
	if (end_interval())
		return -1;
	bpf_heads_read();
	/*
	 * In this order: a flow's process has its entry before the flow has,
	 * so by now each flow's process is to be seen.
	 */
	emit_interval();
	if (bpf_processes_tell(now_ns) ||
	    take_flows(drain.settings->peek_bytes ? tell_or_keep : tell_flow,
		       &flows) ||
	    tell_losses(lost))
		return -1;
	bpf_processes_tell_ended();
	if (drain.settings->verbose >= 2)
		warnx("maps: %zu of %" PRIu64 " processes, %" PRIu64
		      " of %" PRIu64 " flows",
		      bpf_processes_count(), drain.settings->max_processes,
		      flows, drain.settings->max_flows);
	return 0;
}
