// SPDX-License-Identifier: MIT
/*
 * The memory of the array of counters, and whose turn it is.
 */
#include "bpf-counters.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>

/* How many entries one system call deletes. */
#define BATCH 1024

static struct {
	struct nm_turn *turn;
	struct nm_counters *counters;
	__u32 slots;	  /* of each half */
	__u32 last;	  /* the interval that is over */
	int flow_maps[2]; /* by the last bit of the interval */
	int taken;	  /* -1: the kernel does without */
	int turn_map, grace, grace_inner;
} map;

static size_t counters_size(void)
{
	return 2 * (size_t)map.slots * sizeof(*map.counters);
}

static void *map_memory(const struct bpf_map *m, size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			    bpf_map__fd(m), 0);

	return memory == MAP_FAILED ? NULL : memory;
}

int bpf_counters_open(const struct collect_bpf *skel)
{
	map.slots = skel->rodata->slots;
	map.turn = map_memory(skel->maps.turn, sizeof(*map.turn));
	if (!map.turn)
		return -1;
	map.counters = map_memory(skel->maps.counters, counters_size());
	if (!map.counters)
		return -1;
	map.flow_maps[0] = bpf_map__fd(skel->maps.flows_a);
	map.flow_maps[1] = bpf_map__fd(skel->maps.flows_b);
	map.taken = skel->rodata->fetches ? -1
					  : bpf_map__fd(skel->maps.slots_taken);
	map.turn_map = bpf_map__fd(skel->maps.turn);
	map.grace = bpf_map__fd(skel->maps.grace);
	map.grace_inner = bpf_map__fd(skel->maps.grace_inner);
	map.turn->interval = NM_BEFORE;
	return 0;
}

void bpf_counters_close(void)
{
	if (map.turn)
		munmap(map.turn, sizeof(*map.turn));
	if (map.counters)
		munmap(map.counters, counters_size());
	memset(&map, 0, sizeof(map));
}

bool bpf_counters_usable(void)
{
	struct nm_turn now;
	__u32 zero = 0;

	return bpf_map_lookup_elem(map.turn_map, &zero, &now) == 0;
}

void bpf_counters_turn(void)
{
	__u32 next;

	map.last = map.turn->interval;
	next = map.last + 1;
	/* 0 is none, and the last bit is to change each time. */
	if (!next)
		next = 2;
	__atomic_store_n(&map.turn->interval, next, __ATOMIC_RELEASE);
}

int bpf_counters_settle(void)
{
	__u32 zero = 0;

	return bpf_map_update_elem(map.grace, &zero, &map.grace_inner, BPF_ANY);
}

unsigned bpf_counters_half(void)
{
	return map.last & 1;
}

int bpf_counters_flows(void)
{
	return map.flow_maps[bpf_counters_half()];
}

const struct nm_counters *bpf_counters_at(__u32 slot)
{
	return &map.counters[slot];
}

/*
 * Slots from `first` on are free again. Some may not have been taken, when
 * somebody found the map busy and took the next.
 */
static int give_back(__u32 first, __u32 n)
{
	__u32 keys[BATCH], some;

	for (__u32 done = 0; done < n; done += some) {
		for (some = 0; some < BATCH && done + some < n; some++)
			keys[some] = first + done + some;
		if (!bpf_map_delete_batch(map.taken, keys, &some, NULL))
			continue;
		if (errno != ENOENT)
			return -1;
		some++; /* the one that is not there */
	}
	return 0;
}

int bpf_counters_clear(void)
{
	__u32 half = map.last & 1, first = half ? map.slots : 0;
	__u32 n = map.turn->taken[half];

	if (map.taken >= 0)
		n += NM_SLOT_TRIES;
	if (n > map.slots)
		n = map.slots;
	memset(&map.counters[first], 0, n * sizeof(*map.counters));
	if (map.taken >= 0 && give_back(first, n))
		return -1;
	map.turn->taken[half] = 0;
	return 0;
}
