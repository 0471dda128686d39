// SPDX-License-Identifier: MIT
/*
 * Programs that do nothing, attached where a TCP message passes those of
 * nm-collect's backend tp: what the kernel itself takes to run any there. empty
 * CGROUP prints a line when they are attached, and stays until it is killed.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* return VALUE; */
static int load(enum bpf_prog_type type, int value,
		const struct bpf_prog_load_opts *opts)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K,
		  .dst_reg = BPF_REG_0,
		  .imm = value },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd =
		bpf_prog_load(type, "empty", "GPL", insns, LENGTH(insns), opts);

	if (fd < 0)
		err(1, "cannot load a program");
	return fd;
}

static void at_trace_point(const char *name)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = BPF_TRACE_RAW_TP);
	int id = libbpf_find_vmlinux_btf_id(name, BPF_TRACE_RAW_TP);

	if (id < 0)
		errx(1, "the kernel has no trace point '%s'", name);
	opts.attach_btf_id = (__u32)id;
	if (bpf_raw_tracepoint_open(NULL,
				    load(BPF_PROG_TYPE_TRACING, 0, &opts)) < 0)
		err(1, "cannot attach to '%s'", name);
}

/* 1: go on. */
static void at_cgroup(int cgroup, enum bpf_attach_type where)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = where);

	if (bpf_link_create(load(BPF_PROG_TYPE_CGROUP_SKB, 1, &opts), cgroup,
			    where, NULL) < 0)
		err(1, "cannot attach to the cgroup");
}

int main(int argc, char **argv)
{
	int cgroup;

	if (argc != 2)
		errx(2, "usage: empty CGROUP");
	cgroup = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cgroup < 0)
		err(1, "'%s'", argv[1]);
	at_trace_point("sock_send_length");
	at_trace_point("sock_recv_length");
	at_trace_point("tcp_rcv_space_adjust");
	at_cgroup(cgroup, BPF_CGROUP_INET_EGRESS);
	at_cgroup(cgroup, BPF_CGROUP_INET_INGRESS);
	puts("attached");
	fflush(stdout);
	pause();
	return 0;
}
