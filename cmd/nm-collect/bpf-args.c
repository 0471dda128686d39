// SPDX-License-Identifier: MIT
/*
 * From what the kernel side has read of a process's memory to its command line.
 */
#include "bpf-args.h"

#include <string.h>

#include <bpf/bpf.h>

#include "text.h"

static struct {
	int map; /* -1: nobody asked for them */
	size_t limit;
} args = { .map = -1 };

void bpf_args_open(const struct collect_bpf *skel)
{
	args.limit = skel->rodata->args_bytes;
	args.map = args.limit ? bpf_map__fd(skel->maps.args) : -1;
}

char *bpf_args_cmdline(const struct nm_process_key *key)
{
	char text[sizeof(((struct nm_args *)0)->text) + NM_CMDLINE_ROOM];
	size_t n = args.limit + NM_ARGS_MORE;
	struct nm_args a;

	if (args.map < 0 || bpf_map_lookup_elem(args.map, key, &a) || !a.bytes)
		return NULL;
	memcpy(text, a.text, sizeof(a.text));
	if (a.bytes <= n)
		n = a.bytes;
	else if (!text[n - 1]) /* not its end */
		text[n - 1] = ' ';
	nm_cmdline(text, n, args.limit);
	return text[0] ? strdup(text) : NULL;
}

void bpf_args_remove(const struct nm_process_key *key)
{
	if (args.map >= 0)
		bpf_map_delete_elem(args.map, key);
}
