// SPDX-License-Identifier: MIT
/*
 * The kernel counts for each program how often it did not run it because it
 * was under way on that CPU (9ed9e9ba2337, 5.12).
 */
#include "bpf-misses.h"

#include <bpf/bpf.h>

/* More than the object has. */
#define MAX_PROGRAMS 32

/* A program, as each player has it. */
static struct {
	int fd; /* -1: not loaded */
	uint64_t told;
} programs[MAX_PROGRAMS][BPF_PLAYERS];

static uint64_t misses(int program)
{
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(program, &info, &size))
		return 0;
	return info.recursion_misses;
}

void bpf_misses_init(struct collect_bpf *const player[], size_t players)
{
	for (size_t i = 0; i < MAX_PROGRAMS; i++)
		for (size_t j = 0; j < BPF_PLAYERS; j++)
			programs[i][j].fd = -1;
	for (size_t j = 0; j < players; j++) {
		struct bpf_program *prog;
		size_t i = 0;

		bpf_object__for_each_program(prog, player[j]->obj) {
			if (i == MAX_PROGRAMS)
				break;
			programs[i++][j].fd = bpf_program__fd(prog);
		}
	}
	bpf_misses_take();
}

uint64_t bpf_misses_take(void)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < MAX_PROGRAMS; i++) {
		uint64_t fewest = UINT64_MAX;

		for (size_t j = 0; j < BPF_PLAYERS; j++) {
			uint64_t now;

			if (programs[i][j].fd < 0)
				continue;
			now = misses(programs[i][j].fd);
			if (now - programs[i][j].told < fewest)
				fewest = now - programs[i][j].told;
			programs[i][j].told = now;
		}
		if (fewest != UINT64_MAX)
			sum += fewest;
	}
	return sum;
}
