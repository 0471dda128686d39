// SPDX-License-Identifier: MIT
/*
 * The BPF backends: choosing, loading and attaching the programs.
 * What the kernel can do is found by its BTF and by trying, never by its
 * version: stable kernels carry features of later ones.
 */
#include "bpf.h"

#include <err.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "bpf-counters.h"
#include "bpf-hooks.h"
#include "bpf-log.h"
#include "bpf-maps.h"
#include "bpf-processes.h"
#include "cgroup.h"
#include "emit.h"
#include "ledgers.h"
#include "preempt.h"
#include "reason.h"
#include "rights.h"
#include "types.h"

/* What a kernel may lack; see bpf/config.bpf.h. Best first. */
static const struct variant {
	bool legacy, may_read;
} variants[] = {
	{ false, true },
	{ false, false },
	{ true, true },
};

static struct {
	/* The first, and where the kernel preempts, its understudies. */
	struct collect_bpf *player[BPF_PLAYERS];
	size_t players;
	unsigned verbose;
} bpf;

static void unload(void)
{
	bpf_counters_close();
	while (bpf.players)
		collect_bpf__destroy(bpf.player[--bpf.players]);
}

/* Adds a player of the company of `players`. */
static int load(const struct settings *s, enum bpf_way way,
		const struct variant *v, bool wire, size_t players)
{
	struct collect_bpf *skel;
	int error = 0;

	bpf_log_forget();
	skel = collect_bpf__open();
	if (!skel)
		return -errno;
	skel->rodata->legacy = v->legacy;
	skel->rodata->may_read = v->may_read;
	skel->rodata->fetches = bpf_fetches();
	skel->rodata->slots = (__u32)s->max_flows + BPF_SPARE_SLOTS;
	skel->rodata->by_packets = way == BPF_BY_CGROUP;
	skel->rodata->players = (__u32)players;
	skel->rodata->player = (__u32)bpf.players;
	skel->rodata->log_level = s->verbose;
	skel->rodata->args_bytes = (__u32)s->cmdline_bytes;
	skel->rodata->peek_bytes = wire ? (__u32)s->peek_bytes : 0;
	bpf_choose_programs(skel, way, wire);
	if (bpf.players)
		error = bpf_maps_share(skel, bpf.player[0]);
	else
		bpf_maps_size(skel, s);
	if (!error && !skel->rodata->fetches)
		error = bpf_hide_fetches(skel->obj);
	if (!error)
		error = collect_bpf__load(skel);
	if (!error && !bpf.players && bpf_counters_open(skel))
		error = -errno;
	if (error) {
		collect_bpf__destroy(skel);
		return error;
	}
	bpf.player[bpf.players++] = skel;
	return 0;
}

/* All players of a variant; of those that meter the wire, one is enough. */
static int load_variant(const struct settings *s, enum bpf_way way,
			const struct variant *v, bool wire)
{
	size_t players = v->legacy || !kernel_preempts() ? 1 : BPF_PLAYERS;
	int error;

	do
		error = load(s, way, v, wire, players);
	while (!error && bpf.players < players);
	if (error)
		unload();
	return error;
}

/* With the first variant that this kernel takes, with the meter if it can. */
static int load_all(const struct settings *s, enum bpf_way way, bool legacy)
{
	bool wire =
		way == BPF_BY_CGROUP ||
		(!s->no_wire && cgroup_root() >= 0 && rights_have_net_admin());
	int error = -ENOENT;

	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		const struct variant *v = &variants[i];

		/*
		 * On a younger kernel legacy programs would load as well, and
		 * be less exact; there, why the others do not is to be told.
		 */
		if (v->legacy != legacy)
			continue;
		error = load_variant(s, way, v, wire);
		if (error && error != -EPERM && wire && way != BPF_BY_CGROUP)
			error = load_variant(s, way, v, false);
		if (!error)
			break;
	}
	return error;
}

static int attach(struct collect_bpf *skel, const char *name)
{
	struct bpf_program *prog;
	int error = collect_bpf__attach(skel);

	if (error || !bpf.verbose)
		return error;
	bpf_object__for_each_program(prog, skel->obj)
		if (bpf_program__autoload(prog) && !bpf_at_cgroup(prog))
			warnx("%s: attached %s%s", name,
			      bpf_program__section_name(prog),
			      skel == bpf.player[0] ? "" : " again");
	return 0;
}

/*
 * The understudies must run behind, in their order: on a trace point, that is
 * who comes later; at the return of a function, who came before (a
 * trampoline's newest program is at the head of its list).
 */
static int attach_all(const char *name, enum bpf_way way)
{
	int error = 0;

	for (size_t i = 0; !error && i < bpf.players; i++)
		error = attach(
			bpf.player[way == BPF_BY_FEXIT ? bpf.players - 1 - i
						       : i],
			name);
	return error;
}

/*
 * Reads the iterator to its end: the program runs once for each descriptor
 * of each process, and prints nothing.
 */
static int scan_once(bool listeners)
{
	char none[64];
	ssize_t n;
	int fd;

	bpf.player[0]->data->scan_listeners = listeners;
	fd = bpf_iter_create(bpf_link__fd(bpf.player[0]->links.on_scan));
	if (fd < 0)
		return -errno;
	do
		n = read(fd, none, sizeof(none));
	while (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)));
	close(fd);
	return n < 0 ? -errno : 0;
}

static void scan_open_sockets(void)
{
	if (!bpf.player[0]->links.on_scan)
		return;
	if (scan_once(true) || scan_once(false))
		warn("sockets that were open before the start");
	bpf_link__destroy(bpf.player[0]->links.on_scan);
	bpf.player[0]->links.on_scan = NULL;
}

static const char *no_wire(void)
{
	const struct collect_bpf *first = bpf.player[0];
	const char *remedy;

	if (first->links.on_egress && first->links.on_ingress)
		return NULL;
	if (cgroup_root() < 0)
		return cgroup_root_missing(&remedy);
	if (!rights_have_net_admin())
		return "not permitted without CAP_NET_ADMIN";
	return "the kernel does not take the programs at the root cgroup";
}

/*
 * Where the kernel does not let programs stand on its functions at all, the
 * smallest shows it; the whole takes a while to make its maps.
 */
static int try_fexit(struct btf *btf)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = BPF_TRACE_FEXIT,
		    .attach_btf_id = (__u32)btf__find_by_name_kind(
			    btf, "inet_sendmsg", BTF_KIND_FUNC));
	int fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "nm_try", "GPL", insns,
			       sizeof(insns) / sizeof(insns[0]), &opts);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int start(enum bpf_way way, const char *name, const struct settings *s,
		 struct reason *why)
{
	const char *refused = NULL;
	struct btf *btf;
	bool legacy;
	int error;

	bpf.verbose = s->verbose;
	bpf_log_listen(s->verbose);
	btf = kernel_types();
	if (!btf) {
		explain_no_btf(why);
		return -1;
	}
	if (bpf_check_hooks(btf, way, why))
		return -1;
	error = way == BPF_BY_FEXIT ? try_fexit(btf) : 0;
	legacy = bpf_is_legacy(btf);
	if (error == -EPERM) {
		refused = BPF_PROGRAM_REFUSED;
	} else {
		/* libbpf reads its own: not both at a time. */
		kernel_types_free();
		error = load_all(s, way, legacy);
	}
	if (!error)
		error = attach_all(name, way);
	if (error) {
		explain_load(why, name, -error,
			     refused ? refused : bpf_log_said());
		unload();
		return -1;
	}
	bpf_attach_to_cgroup(bpf.player[0], name, bpf.verbose);
	if (way == BPF_BY_CGROUP && no_wire()) {
		reason_set(why,
			   "look for another's program there: bpftool cgroup "
			   "tree",
			   "%s", no_wire());
		unload();
		return -1;
	}
	emit_with_wire(!no_wire());
	scan_open_sockets();
	if (s->verbose)
		bpf_log_open(bpf_map__fd(bpf.player[0]->maps.messages));
	bpf_drain_init(bpf.player, bpf.players, way, s);
	return 0;
}

static int start_fexit(const struct settings *s, struct reason *why)
{
	return start(BPF_BY_FEXIT, "fexit", s, why);
}

static int start_tp(const struct settings *s, struct reason *why)
{
	return start(BPF_BY_TP, "tp", s, why);
}

static int start_cgroup(const struct settings *s, struct reason *why)
{
	return start(BPF_BY_CGROUP, "cgroup", s, why);
}

static const char *cgroup_lacks(void)
{
	return "bytes are those of packets, and a socket is its creator's";
}

static void stop(void)
{
	bpf_drain_stop();
	bpf_log_close();
	ledgers_close();
	unload();
}

const struct backend backend_fexit = {
	.name = "fexit",
	.what = "exact, at the return of the socket functions",
	.no_wire = no_wire,
	.start = start_fexit,
	.begin = bpf_drain_begin,
	.fd = bpf_drain_fd,
	.wake = bpf_drain_wake,
	.usable = bpf_counters_usable,
	.drain = bpf_drain,
	.stop = stop,
};

const struct backend backend_tp = {
	.name = "tp",
	.what = "exact, at the trace points of the socket calls",
	.no_wire = no_wire,
	.start = start_tp,
	.begin = bpf_drain_begin,
	.fd = bpf_drain_fd,
	.wake = bpf_drain_wake,
	.usable = bpf_counters_usable,
	.drain = bpf_drain,
	.stop = stop,
};

const struct backend backend_cgroup = {
	.name = "cgroup",
	.what = "inferred, from the packets of each socket's creator",
	.lacks = cgroup_lacks,
	.start = start_cgroup,
	.begin = bpf_drain_begin,
	.fd = bpf_drain_fd,
	.wake = bpf_drain_wake,
	.usable = bpf_counters_usable,
	.drain = bpf_drain,
	.stop = stop,
};
