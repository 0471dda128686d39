// SPDX-License-Identifier: MIT
/*
 * The maps of the BPF programs before these are loaded: which there are, of
 * which size, and whose.
 */
#include "bpf-maps.h"

#include "bpf-heads.h"

void bpf_maps_size(struct collect_bpf *skel, const struct settings *s)
{
	__u32 slots = skel->rodata->slots;

	bpf_map__set_max_entries(skel->maps.flows_a, s->max_flows);
	bpf_map__set_max_entries(skel->maps.flows_b, s->max_flows);
	bpf_map__set_max_entries(skel->maps.counters, 2 * slots);
	bpf_map__set_max_entries(skel->maps.slots_taken,
				 skel->rodata->fetches ? 1 : 2 * slots);
	bpf_map__set_max_entries(skel->maps.processes, s->max_processes);
	bpf_map__set_max_entries(skel->maps.exes, s->max_processes);
	bpf_map__set_max_entries(skel->maps.args, s->max_processes);
	bpf_map__set_autocreate(skel->maps.args, skel->rodata->args_bytes > 0);
	/* A page, or enough for a burst that is read once an interval. */
	bpf_map__set_max_entries(skel->maps.messages,
				 s->verbose ? 1024 * 1024 : 4096);
	if (skel->rodata->legacy) /* unknown to these kernels for tracing */
		bpf_map__set_autocreate(skel->maps.sockets, false);
	else
		bpf_map__set_max_entries(skel->maps.sockets_by_address, 1);
	/* A connection inherits its owner from the listening socket. */
	if (skel->rodata->by_packets)
		bpf_map__set_map_flags(skel->maps.sockets,
				       BPF_F_NO_PREALLOC | BPF_F_CLONE);
	bpf_heads_size(skel, s);
	if (skel->rodata->players == 1)
		bpf_map__set_autocreate(skel->maps.seen, false);
}

int bpf_maps_share(struct collect_bpf *skel, struct collect_bpf *first)
{
	struct bpf_map *map, *shared;
	int error;

	bpf_object__for_each_map(map, skel->obj)
	{
		if (bpf_map__is_internal(map))
			continue;
		shared = bpf_object__find_map_by_name(first->obj,
						      bpf_map__name(map));
		if (!bpf_map__autocreate(shared))
			error = bpf_map__set_autocreate(map, false);
		else
			error = bpf_map__reuse_fd(map, bpf_map__fd(shared));
		if (error)
			return error;
	}
	return 0;
}
