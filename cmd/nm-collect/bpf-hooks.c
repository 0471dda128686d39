// SPDX-License-Identifier: MIT
/*
 * The kernel functions and trace points that the programs stand on.
 */
#include "bpf-hooks.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "cgroup.h"
#include "rights.h"

/* A kernel function that the fexit programs stand on. */
struct hook {
	const char *function;
	int args; /* the return value is behind them; -1: any */
	bool required;
	bool found;
	unsigned int found_args;
};

#define HOOKS (sizeof(hooks) / sizeof(hooks[0]))

static struct hook hooks[] = {
	{ "inet_sendmsg", 3, true },
	{ "inet_recvmsg", 4, true },
	{ "inet6_sendmsg", 3, false }, /* CONFIG_IPV6=y */
	{ "inet6_recvmsg", 4, false },
	{ "sock_common_recvmsg", 4, true },
	{ "tcp_splice_read", 5, true },
	{ "sock_splice_read", 5, true },
	{ "tcp_zerocopy_receive", -1, false }, /* CONFIG_MMU, IPV6 */
	{ "inet_release", 1, true },
	{ "inet_sock_destruct", 1, false },
	{ "packet_sendmsg", 3, false },	   /* CONFIG_PACKET=y */
	{ "inet_sendpage", 5, false },	   /* until 6.4 */
	{ "mptcp_splice_read", 5, false }, /* since 7.0 */
};

static const char *const tp_programs[] = {
	"on_send_length",
	"on_recv_length",
	"on_rcv_space_adjust",
};

/* The kernel has this function: is it one of them? */
static void note_hook(const struct btf *btf, const char *name,
		      const struct btf_type *function)
{
	for (size_t i = 0; i < HOOKS; i++) {
		if (strcmp(hooks[i].function, name) != 0)
			continue;
		hooks[i].found = true;
		hooks[i].found_args =
			btf_vlen(btf__type_by_id(btf, function->type));
	}
}

/* For all at once: libbpf's search for one name goes through all types too. */
static void find_hooks(const struct btf *btf)
{
	static bool done;
	const struct btf_type *t;

	for (__u32 id = 1; !done && id < btf__type_cnt(btf); id++) {
		t = btf__type_by_id(btf, id);
		if (btf_is_func(t))
			note_hook(btf, btf__name_by_offset(btf, t->name_off),
				  t);
	}
	done = true;
}

static bool hook_fits(const struct hook *h)
{
	return h->found && (h->args < 0 || (int)h->found_args == h->args);
}

static int check_hooks(const struct btf *btf, struct reason *why)
{
	find_hooks(btf);
	for (size_t i = 0; i < HOOKS; i++) {
		const struct hook *h = &hooks[i];

		if (!h->required || hook_fits(h))
			continue;
		reason_set(why, "please report it, with the kernel's release",
			   "the kernel has no function '%s' of %d arguments",
			   h->function, h->args);
		return -1;
	}
	return 0;
}

static int check_tracepoints(const struct btf *btf, struct reason *why)
{
	if (btf__find_by_name_kind(btf, "btf_trace_sock_send_length",
				   BTF_KIND_TYPEDEF) >= 0)
		return 0;
	reason_set(why, "a kernel from 6.3 on",
		   "the kernel has no trace point 'sock_send_length'");
	return -1;
}

static const struct hook *hook_of(const struct bpf_program *prog)
{
	const char *slash = strchr(bpf_program__section_name(prog), '/');

	for (size_t i = 0; i < HOOKS; i++)
		if (strcmp(hooks[i].function, slash + 1) == 0)
			return &hooks[i];
	return NULL;
}

bool bpf_is_legacy(const struct btf *btf)
{
	return btf__find_by_name_kind(btf, "bpf_get_current_task_btf",
				      BTF_KIND_FUNC) < 0;
}

/* By trying: the kernel has them since 5.12, but not on every architecture. */
bool bpf_fetches(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_STX | BPF_MEM | BPF_DW,
		  .dst_reg = BPF_REG_10,
		  .src_reg = BPF_REG_0,
		  .off = -8 },
		{ .code = BPF_STX | BPF_ATOMIC | BPF_W,
		  .dst_reg = BPF_REG_10,
		  .src_reg = BPF_REG_0,
		  .off = -8,
		  .imm = BPF_ADD | BPF_FETCH },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "nm_try", "GPL",
			       insns, sizeof(insns) / sizeof(insns[0]), NULL);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/*
 * A kernel that does not know these instructions refuses them also where they
 * are never reached.
 */
int bpf_hide_fetches(struct bpf_object *obj)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, obj) {
		size_t n = bpf_program__insn_cnt(prog);
		struct bpf_insn *insns = malloc(n * sizeof(*insns));

		if (!insns)
			return -ENOMEM;
		memcpy(insns, bpf_program__insns(prog), n * sizeof(*insns));
		for (size_t i = 0; i < n; i++)
			if (BPF_CLASS(insns[i].code) == BPF_STX &&
			    BPF_MODE(insns[i].code) == BPF_ATOMIC)
				insns[i].imm = BPF_ADD;
		if (bpf_program__set_insns(prog, insns, n)) {
			free(insns);
			return -ENOMEM;
		}
		free(insns);
	}
	return 0;
}

static bool is_tp_program(const char *name)
{
	for (size_t i = 0; i < sizeof(tp_programs) / sizeof(*tp_programs); i++)
		if (strcmp(tp_programs[i], name) == 0)
			return true;
	return false;
}

bool bpf_at_cgroup(const struct bpf_program *prog)
{
	return bpf_program__type(prog) == BPF_PROG_TYPE_CGROUP_SOCK_ADDR ||
	       bpf_program__type(prog) == BPF_PROG_TYPE_CGROUP_SOCK ||
	       bpf_program__type(prog) == BPF_PROG_TYPE_CGROUP_SKB;
}

static bool at_cgroup_wanted(const struct collect_bpf *skel,
			     const struct bpf_program *prog, enum bpf_way way,
			     bool wire)
{
	if (bpf_program__type(prog) == BPF_PROG_TYPE_CGROUP_SKB)
		return wire;
	if (prog == skel->progs.on_sock_create)
		return way == BPF_BY_CGROUP;
	if (prog == skel->progs.on_sock_release)
		return way != BPF_BY_FEXIT;
	return way == BPF_BY_TP;
}

void bpf_choose_programs(struct collect_bpf *skel, enum bpf_way way, bool wire)
{
	bool fexit = way == BPF_BY_FEXIT;
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, skel->obj) {
		const char *section = bpf_program__section_name(prog);
		const char *name = bpf_program__name(prog);
		bool load = true;

		if (prog == skel->progs.on_sock_splice_read)
			load = fexit && !skel->rodata->legacy;
		else if (prog == skel->progs.on_destruct)
			load = fexit && skel->rodata->legacy;
		else if (strncmp(section, "fexit/", 6) == 0 ||
			 strncmp(section, "fentry/", 7) == 0)
			load = fexit && hook_fits(hook_of(prog));
		else if (is_tp_program(name))
			load = way == BPF_BY_TP;
		else if (prog == skel->progs.on_scan)
			load = !skel->rodata->legacy &&
			       skel->rodata->player == 0;
		else if (bpf_at_cgroup(prog))
			load = at_cgroup_wanted(skel, prog, way, wire) &&
			       skel->rodata->player == 0 &&
			       cgroup_root() >= 0 && rights_have_net_admin();
		bpf_program__set_autoload(prog, load);
	}
}

/* Its programs see tasks and sockets by their types only. */
static int check_cgroup(const struct btf *btf, struct reason *why)
{
	char missing[128];

	if (bpf_is_legacy(btf)) {
		reason_set(why, "a kernel from 5.11 on",
			   "the kernel has no bpf_get_current_task_btf");
		return -1;
	}
	if (cgroup_root() < 0) {
		const char *remedy;
		const char *what = cgroup_root_missing(&remedy);

		reason_set(why, remedy, "%s", what);
		return -1;
	}
	rights_missing(RIGHTS_CGROUP, missing, sizeof(missing));
	if (missing[0]) {
		reason_set(why,
			   "run it as root, or give nm-collect the "
			   "capabilities of nm-collect(8)",
			   "not permitted without %s", missing);
		return -1;
	}
	return 0;
}

int bpf_check_hooks(struct btf *btf, enum bpf_way way, struct reason *why)
{
	switch (way) {
	case BPF_BY_FEXIT:
		return check_hooks(btf, why);
	case BPF_BY_TP:
		return check_tracepoints(btf, why);
	case BPF_BY_CGROUP:
		return check_cgroup(btf, why);
	}
	return -1;
}

/*
 * If another's program claims the root cgroup for itself, ours stay out, and
 * there is a little less to tell.
 */
void bpf_attach_to_cgroup(struct collect_bpf *skel, const char *name,
			  bool verbose)
{
	const struct {
		struct bpf_program *prog;
		struct bpf_link **link;
	} programs[] = {
		{ skel->progs.on_sendmsg4, &skel->links.on_sendmsg4 },
		{ skel->progs.on_sendmsg6, &skel->links.on_sendmsg6 },
		{ skel->progs.on_recvmsg4, &skel->links.on_recvmsg4 },
		{ skel->progs.on_recvmsg6, &skel->links.on_recvmsg6 },
		{ skel->progs.on_sock_release, &skel->links.on_sock_release },
		{ skel->progs.on_sock_create, &skel->links.on_sock_create },
		{ skel->progs.on_egress, &skel->links.on_egress },
		{ skel->progs.on_ingress, &skel->links.on_ingress },
	};

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		if (!bpf_program__autoload(programs[i].prog))
			continue;
		*programs[i].link = bpf_program__attach_cgroup(programs[i].prog,
							       cgroup_root());
		if (*programs[i].link && verbose)
			warnx("%s: attached %s", name,
			      bpf_program__section_name(programs[i].prog));
	}
}
