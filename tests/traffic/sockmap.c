// SPDX-License-Identifier: MIT
/*
 * A socket in a sockmap: the kernel reads it when data comes in, in the
 * context of whoever happens to run, shows it to a BPF program, and hands on
 * what that lets pass. What counts is what the program receives then.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <poll.h>
#include <unistd.h>

#include "traffic.h"

/* The next two are all of a program: a result, and the end. */
static const struct bpf_insn whole_buffer_is_a_message[] = {
	{ .code = BPF_LDX | BPF_MEM | BPF_W,
	  .dst_reg = BPF_REG_0,
	  .src_reg = BPF_REG_1 }, /* r0 = skb->len */
	{ .code = BPF_JMP | BPF_EXIT },
};
static const struct bpf_insn pass[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K,
	  .dst_reg = BPF_REG_0,
	  .imm = SK_PASS },
	{ .code = BPF_JMP | BPF_EXIT },
};

static bool attach(int map, const struct bpf_insn insns[2],
		   enum bpf_attach_type type)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = type);
	int prog = bpf_prog_load(BPF_PROG_TYPE_SK_SKB, NULL, "GPL", insns, 2,
				 &opts);

	return prog >= 0 && bpf_prog_attach(prog, map, type, 0) == 0;
}

static int new_sockmap(void)
{
	int map = bpf_map_create(BPF_MAP_TYPE_SOCKMAP, NULL, sizeof(int),
				 sizeof(int), 1, NULL);

	if (map < 0)
		skip("the kernel has no sockmap");
	return map;
}

/* Nothing may have arrived by then. */
static void put_in(int map, int fd)
{
	int zero = 0;

	must(bpf_map_update_elem(map, &zero, &fd, BPF_ANY), "sockmap");
	signal_to(GO);
}

static void by_parser(int fd, bool client)
{
	int map;

	if (client) {
		await_signal(GO);
		return;
	}
	/* 5.10 locks itself up in sk_psock_skb_ingress_enqueue. */
	if (!attach(new_sockmap(), pass, BPF_SK_SKB_VERDICT))
		skip("a sockmap with a parser can hang a kernel before 5.13");
	map = new_sockmap();
	if (!attach(map, whole_buffer_is_a_message, BPF_SK_SKB_STREAM_PARSER) ||
	    !attach(map, pass, BPF_SK_SKB_STREAM_VERDICT))
		skip("the kernel takes no stream parser");
	put_in(map, fd);
}

/* Since 5.13, without a parser. */
static void by_verdict(int fd, bool client)
{
	int map;

	if (client) {
		await_signal(GO);
		return;
	}
	map = new_sockmap();
	if (!attach(map, pass, BPF_SK_SKB_VERDICT))
		skip("the kernel has no sockmap without a parser");
	put_in(map, fd);
}

/* A blocking read of such a socket may return empty-handed. */
static long read_again(int fd, char *buf, size_t n)
{
	long got;

	while ((got = read(fd, buf, n)) < 0 && errno == EAGAIN)
		await_events(fd, POLLIN);
	return got;
}

/*
 * At once: what comes while a stream parser is at work can lie there until
 * more comes. And the end of a connection does not come through one.
 */
static const struct stream parsed = {
	.whole = true,
	.chunk = 30011,
	.chunks = 1,
	.setup = by_parser,
	.pull = read_again,
};
static const struct stream judged = { .where = V6, .setup = by_verdict };

const struct scenario sockmap_scenarios[] = {
	{ "sockmap-parser", "read by the kernel for a stream parser",
	  stream_pair, &parsed },
	{ "sockmap-verdict", "the same without a parser, on IPv6", stream_pair,
	  &judged },
	{ 0 }
};
