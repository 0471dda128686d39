// SPDX-License-Identifier: MIT
/*
 * Adds up what each flow sent and received.
 *
 * The template of a filter: `make new NAME=nm-foo` begins a stage from it. It
 * is built and tested, so that it works, but not installed.
 *
 * reads: type tx_bytes rx_bytes
 * adds:  example_total_bytes (flow)
 */
#include "filter.h"

static uint64_t min_bytes;

static const struct nm_option options[] = {
	{ .letter = 'm',
	  .name = "min",
	  .arg = "BYTES",
	  .help = "leave out flows that moved fewer bytes than this (0)",
	  .kind = NM_OPT_UINT,
	  .into = &min_bytes,
	  .max = 1e15 },
	{ 0 }
};

static const struct nm_program program = {
	.name = "nm-example",
	.synopsis = "[OPTION]…",
	.summary = "add up what each flow sent and received",
	.options = options,
	.examples = "  nm-collect | nm-example --min 1000000\n",
	.filter = true,
};

static enum nm_verdict on_record(struct nm_record *r, void *state)
{
	uint64_t tx, rx;

	(void)state;
	if (r->type != NM_TYPE_FLOW)
		return NM_KEEP;
	/* An absent key is not known, which is not the same as 0. */
	if (!nm_get_u64(r, "tx_bytes", &tx) || !nm_get_u64(r, "rx_bytes", &rx))
		return NM_KEEP;
	if (tx + rx < min_bytes)
		return NM_DROP;
	nm_add_u64(r, "example_total_bytes", tx + rx);
	return NM_KEEP;
}

int main(int argc, char **argv)
{
	nm_options(&program, argc, argv);
	return nm_filter(&program, on_record, NULL);
}
