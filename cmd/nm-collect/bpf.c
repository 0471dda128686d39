// SPDX-License-Identifier: MIT
/*
 * Backends fexit and tp: choosing, loading and attaching the BPF programs.
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

#include "bpf-log.h"
#include "cgroup.h"
#include "reason.h"
#include "rights.h"

/* A kernel function that the fexit programs stand on. */
struct hook {
	const char *function;
	int args; /* the return value is behind them; -1: any */
	bool required;
};

static const struct hook hooks[] = {
	{ "inet_sendmsg", 3, true },
	{ "inet_recvmsg", 4, true },
	{ "inet6_sendmsg", 3, false }, /* CONFIG_IPV6=y */
	{ "inet6_recvmsg", 4, false },
	{ "sock_common_recvmsg", 4, true },
	{ "tcp_splice_read", 5, true },
	{ "tcp_zerocopy_receive", -1, false }, /* CONFIG_MMU, IPV6 */
	{ "inet_release", 1, true },
	{ "inet_sendpage", 5, false },	   /* until 6.4 */
	{ "mptcp_splice_read", 5, false }, /* since 7.0 */
};

static const char *const tp_programs[] = {
	"on_send_length",
	"on_recv_length",
	"on_rcv_space_adjust",
};

/* What a kernel may lack; see bpf/config.bpf.h. Best first. */
static const struct variant {
	bool legacy, may_read;
} variants[] = {
	{ false, true },
	{ false, false },
	{ true, true },
};

static struct {
	struct collect_bpf *skel;
	unsigned verbose;
} bpf;

/* Number of arguments of a kernel function, or -1: it is not there. */
static int function_args(const struct btf *btf, const char *name)
{
	const struct btf_type *t;
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_FUNC);

	if (id < 0)
		return -1;
	t = btf__type_by_id(btf, btf__type_by_id(btf, (__u32)id)->type);
	return btf_vlen(t);
}

static bool hook_fits(const struct btf *btf, const struct hook *h)
{
	int args = function_args(btf, h->function);

	return args >= 0 && (h->args < 0 || args == h->args);
}

static int check_hooks(const struct btf *btf, struct reason *why)
{
	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++) {
		const struct hook *h = &hooks[i];

		if (!h->required || hook_fits(btf, h))
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

	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++)
		if (strcmp(hooks[i].function, slash + 1) == 0)
			return &hooks[i];
	return NULL;
}

static bool is_tp_program(const char *name)
{
	for (size_t i = 0; i < sizeof(tp_programs) / sizeof(*tp_programs); i++)
		if (strcmp(tp_programs[i], name) == 0)
			return true;
	return false;
}

/* The programs of bpf/peer.bpf.h. */
static bool notes_peers(const struct bpf_program *prog)
{
	return bpf_program__type(prog) == BPF_PROG_TYPE_CGROUP_SOCK_ADDR;
}

/* Which programs of the object this backend needs and this kernel takes. */
static void choose_programs(const struct btf *btf, bool fexit, bool legacy)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, bpf.skel->obj) {
		const char *section = bpf_program__section_name(prog);
		const char *name = bpf_program__name(prog);
		bool load = true;

		if (strncmp(section, "fexit/", 6) == 0 ||
		    strncmp(section, "fentry/", 7) == 0)
			load = fexit && hook_fits(btf, hook_of(prog));
		else if (is_tp_program(name))
			load = !fexit;
		else if (prog == bpf.skel->progs.on_scan)
			load = !legacy;
		else if (notes_peers(prog))
			load = !fexit && cgroup_root() >= 0 &&
			       rights_have_net_admin();
		bpf_program__set_autoload(prog, load);
	}
}

static int load(const struct settings *s, const struct btf *btf, bool fexit,
		const struct variant *v)
{
	int error;

	bpf_log_forget();
	bpf.skel = collect_bpf__open();
	if (!bpf.skel)
		return -errno;
	bpf.skel->rodata->legacy = v->legacy;
	bpf.skel->rodata->may_read = v->may_read;
	bpf.skel->rodata->log_level = s->verbose;
	bpf_map__set_max_entries(bpf.skel->maps.flows_a, s->max_flows);
	bpf_map__set_max_entries(bpf.skel->maps.flows_b, s->max_flows);
	bpf_map__set_max_entries(bpf.skel->maps.processes, s->max_processes);
	bpf_map__set_max_entries(bpf.skel->maps.exes, s->max_processes);
	/* A page, or enough for a burst that is read once an interval. */
	bpf_map__set_max_entries(bpf.skel->maps.messages,
				 s->verbose ? 1024 * 1024 : 4096);
	if (v->legacy) /* unknown to these kernels for tracing programs */
		bpf_map__set_autocreate(bpf.skel->maps.sockets, false);
	else
		bpf_map__set_max_entries(bpf.skel->maps.sockets_by_address, 1);
	choose_programs(btf, fexit, v->legacy);
	error = collect_bpf__load(bpf.skel);
	if (error) {
		collect_bpf__destroy(bpf.skel);
		bpf.skel = NULL;
	}
	return error;
}

static int attach(const char *name)
{
	struct bpf_program *prog;
	int error = collect_bpf__attach(bpf.skel);

	if (error || !bpf.verbose)
		return error;
	bpf_object__for_each_program(prog, bpf.skel->obj)
		if (bpf_program__autoload(prog) && !notes_peers(prog))
			warnx("%s: attached %s", name,
			      bpf_program__section_name(prog));
	return 0;
}

/*
 * If another's program claims the root cgroup for itself, ours stay out, and
 * there is a little less to tell.
 */
static void attach_to_cgroup(void)
{
	const struct {
		struct bpf_program *prog;
		struct bpf_link **link;
	} peers[] = {
		{ bpf.skel->progs.on_sendmsg4, &bpf.skel->links.on_sendmsg4 },
		{ bpf.skel->progs.on_sendmsg6, &bpf.skel->links.on_sendmsg6 },
		{ bpf.skel->progs.on_recvmsg4, &bpf.skel->links.on_recvmsg4 },
		{ bpf.skel->progs.on_recvmsg6, &bpf.skel->links.on_recvmsg6 },
	};

	for (size_t i = 0; i < sizeof(peers) / sizeof(peers[0]); i++) {
		if (!bpf_program__autoload(peers[i].prog))
			continue;
		*peers[i].link = bpf_program__attach_cgroup(peers[i].prog,
							    cgroup_root());
		if (*peers[i].link && bpf.verbose)
			warnx("tp: attached %s",
			      bpf_program__section_name(peers[i].prog));
	}
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

	bpf.skel->data->scan_listeners = listeners;
	fd = bpf_iter_create(bpf_link__fd(bpf.skel->links.on_scan));
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
	if (!bpf.skel->links.on_scan)
		return;
	if (scan_once(true) || scan_once(false))
		warn("sockets that were open before the start");
	bpf_link__destroy(bpf.skel->links.on_scan);
	bpf.skel->links.on_scan = NULL;
}

static int start(bool fexit, const struct settings *s, struct reason *why)
{
	const char *name = fexit ? "fexit" : "tp";
	int error = -ENOENT;
	struct btf *btf;

	bpf.verbose = s->verbose;
	bpf_log_listen(s->verbose);
	btf = btf__load_vmlinux_btf();
	if (!btf) {
		explain_no_btf(why);
		return -1;
	}
	if (fexit ? check_hooks(btf, why) : check_tracepoints(btf, why)) {
		btf__free(btf);
		return -1;
	}
	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		/* Trace points of socket calls are younger than 5.11. */
		if (variants[i].legacy && !fexit)
			continue;
		error = load(s, btf, fexit, &variants[i]);
		if (!error)
			break;
	}
	if (!error)
		error = attach(name);
	btf__free(btf);
	if (error) {
		explain_load(why, name, -error, bpf_log_said());
		collect_bpf__destroy(bpf.skel);
		bpf.skel = NULL;
		return -1;
	}
	attach_to_cgroup();
	scan_open_sockets();
	if (s->verbose)
		bpf_log_open(bpf_map__fd(bpf.skel->maps.messages));
	bpf_drain_init(bpf.skel, s);
	return 0;
}

static int start_fexit(const struct settings *s, struct reason *why)
{
	return start(true, s, why);
}

static int start_tp(const struct settings *s, struct reason *why)
{
	return start(false, s, why);
}

static int drain(struct losses *lost)
{
	bpf_log_print();
	return bpf_drain(lost);
}

static void stop(void)
{
	bpf_drain_stop();
	bpf_log_close();
	collect_bpf__destroy(bpf.skel);
	bpf.skel = NULL;
}

const struct backend backend_fexit = {
	.name = "fexit",
	.what = "exact, at the return of the socket functions",
	.start = start_fexit,
	.usable = bpf_drain_usable,
	.drain = drain,
	.stop = stop,
};

const struct backend backend_tp = {
	.name = "tp",
	.what = "exact, at the trace points of the socket calls",
	.start = start_tp,
	.usable = bpf_drain_usable,
	.drain = drain,
	.stop = stop,
};
