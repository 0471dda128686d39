// SPDX-License-Identifier: (MIT OR GPL-2.0)
/*
 * The programs of nm-collect. Those of all backends are in this one object,
 * on the same maps; nm-collect loads the ones that its backend needs and that
 * the running kernel has. A program here only decides what counts; counting
 * is in account.bpf.h.
 */
#include "kernel.h"
#include "collect.h"
#include "account.bpf.h"
#include "understudy.bpf.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

SEC("license")
const char licence[] = "Dual MIT/GPL";

/* --- Processes: attached first, so that no end is missed --- */

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task)
{
	struct nm_process_key key;
	struct nm_process *p;

	process_key(&key, task);
	p = bpf_map_lookup_elem(&processes, &key);
	if (p) {
		know_current(&key);
		LOG(PROCESS_EXEC, key.tgid, 0);
	}
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	struct nm_process_key key;
	struct nm_process *p;

	if (!task_has_ended(task))
		return 0;
	process_key(&key, task);
	p = bpf_map_lookup_elem(&processes, &key);
	if (p) {
		p->ended_ns = bpf_ktime_get_boot_ns();
		LOG(PROCESS_END, key.tgid, 0);
	}
	return 0;
}

/* --- Sockets --- */

#include "cgroup.bpf.h"
#include "connection.bpf.h"
#include "fexit.bpf.h"
#include "peer.bpf.h"
#include "release.bpf.h"
#include "tp.bpf.h"

/* --- What was there before --- */

/*
 * The sockets that were open before the start, by everybody's descriptors, in
 * all network namespaces. Run twice: first to learn which ports are listened
 * on, then to remember of each connection how far it was read and, by its
 * port, who opened it.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, struct listener);
	__type(value, __u8);
} listeners SEC(".maps");

bool scan_listeners = true;

/* As process_get(), for a task that is not the current one. */
static __always_inline bool scan_process(const struct user *user,
					 struct task_struct *task)
{
	struct nm_process *p;

	if (bpf_map_update_elem(&processes, &user->process, &new_process,
				BPF_NOEXIST))
		return bpf_map_lookup_elem(&processes, &user->process);
	p = bpf_map_lookup_elem(&processes, &user->process);
	if (p && !user->kernel) {
		read_identity(p, task);
		read_exe(&user->process, task);
		__sync_fetch_and_add(&p->execs, 1);
	}
	return p;
}

/*
 * Until it is used, it is its first holder's: of processes that share it, the
 * parent comes first.
 */
static __always_inline void scan_owner(struct sock *sk,
				       struct task_struct *task)
{
	struct socket_state *state = socket_state(sk, true);
	struct user user;

	if (!state || state->owned)
		return;
	state->listens = sk->__sk_common.skc_state == TCP_LISTEN;
	if (!state->dir && !is_stream(sk->sk_protocol, sk->sk_type))
		state->dir = NM_DIR_MISSED;
	user_of(&user, task, socket_is_kernels(sk));
	if (scan_process(&user, task))
		socket_used(state, sk, true, &user);
}

static __always_inline void scan_tcp(struct sock *sk, struct tcp_sock *tp,
				     __u32 tgid)
{
	struct listener l = {
		.netns = socket_netns(sk),
		.port = sk->__sk_common.skc_num,
		.proto = NM_PROTO_TCP,
	};
	__u8 at = sk->__sk_common.skc_state;
	struct socket_state *state;
	__u8 one = 1;

	if (scan_listeners) {
		if (at == TCP_LISTEN)
			bpf_map_update_elem(&listeners, &l, &one, BPF_ANY);
		return;
	}
	if (at == TCP_LISTEN || at == TCP_CLOSE)
		return;
	state = socket_state(sk, true);
	/* A program may have been faster than this scan. */
	if (!state || state->seq_known)
		return;
	/* There are no numbers yet of the other side. */
	if (at != TCP_SYN_SENT) {
		state->read_seq = by_packets ? tp->rcv_nxt : tp->copied_seq;
		state->urgent_seq = tp->urg_seq;
		state->seq_known = 1;
	}
	state->sent_seq = tp->snd_nxt;
	state->sent_known = 1;
	state->retrans = tp->total_retrans;
	state->lport = l.port;
	if (!state->dir)
		state->dir = bpf_map_lookup_elem(&listeners, &l) ? NM_DIR_IN
								 : NM_DIR_OUT;
	LOG(SCANNED, tgid, socket_cookie(sk, state));
}

SEC("iter/task_file")
int on_scan(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct socket *sock;
	struct tcp_sock *tp;
	struct sock *sk;

	if (!task || !file)
		return 0;
	sock = bpf_sock_from_file(file);
	if (!sock)
		return 0;
	sk = sock->sk;
	if (!sk || !socket_is_inet(sk))
		return 0;
	tp = socket_tcp(sk);
	if (tp)
		scan_tcp(sk, tp, task->tgid);
	if (!scan_listeners)
		scan_owner(sk, task);
	return 0;
}
