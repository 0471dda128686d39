// SPDX-License-Identifier: MIT
/*
 * What records say of a process, and of a flow but for its packets.
 */
#include "emit-flow.h"

#include <inttypes.h>
#include <stdio.h>

#include "base64.h"
#include "json.h"

static void write_keys(struct nm_buf *o, const struct process *p)
{
	nm_json_u64(o, "pid", p->pid);
	if (p->pid == 0) {
		nm_json_str(o, "comm", "kernel");
		return;
	}
	nm_json_u64(o, "start_us", p->start_us);
	nm_json_str(o, "comm", p->comm);
	if (p->exe)
		nm_json_str(o, "exe", p->exe);
	if (p->uid_known)
		nm_json_u64(o, "uid", p->uid);
	if (p->ppid)
		nm_json_u64(o, "ppid", p->ppid);
	if (p->cgroup)
		nm_json_str(o, "cgroup", p->cgroup);
}

void put_process(struct nm_buf *o, struct process *p)
{
	if (p->keys.len == 0)
		write_keys(&p->keys, p);
	nm_buf_add(o, p->keys.data, p->keys.len);
}

void put_netns(struct nm_buf *o, uint32_t netns)
{
	if (netns)
		nm_json_u64(o, "netns", netns);
}

static void put_address(struct nm_buf *o, const char *key,
			const struct nm_addr *a)
{
	char text[NM_ADDR_TEXT];

	if (!nm_addr_is_any(a))
		nm_json_str(o, key, nm_addr_text(a, text));
}

static void put_port(struct nm_buf *o, const char *key, uint16_t port)
{
	if (port)
		nm_json_u64(o, key, port);
}

/* FNV-1a, to tell the remote sides of one socket apart by few digits. */
static uint32_t peer_hash(const struct flow *f)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < sizeof(f->raddr.byte); i++)
		h = (h ^ f->raddr.byte[i]) * 16777619u;
	h = (h ^ (f->rport & 0xff)) * 16777619u;
	return (h ^ (f->rport >> 8)) * 16777619u;
}

void put_socket(struct nm_buf *o, const struct flow *f)
{
	static const char *const protos[] = {
		[NM_PROTO_TCP] = "tcp",		[NM_PROTO_UDP] = "udp",
		[NM_PROTO_UDPLITE] = "udplite", [NM_PROTO_MPTCP] = "mptcp",
		[NM_PROTO_SCTP] = "sctp",	[NM_PROTO_DCCP] = "dccp",
		[NM_PROTO_ICMP] = "icmp",	[NM_PROTO_ICMPV6] = "icmpv6",
		[NM_PROTO_RAW] = "raw",		[NM_PROTO_PACKET] = "packet",
	};

	put_netns(o, f->netns);
	if (protos[f->proto])
		nm_json_str(o, "proto", protos[f->proto]);
	if (f->dir == NM_DIR_OUT || f->dir == NM_DIR_IN)
		nm_json_str(o, "dir", f->dir == NM_DIR_OUT ? "out" : "in");
	put_address(o, "laddr", &f->laddr);
	put_port(o, "lport", f->lport);
	put_address(o, "raddr", &f->raddr);
	put_port(o, "rport", f->rport);
	nm_json_str(o, "state", f->closed ? "closed" : "open");
}

void put_flow_id(struct nm_buf *o, const struct flow *f)
{
	char id[32];

	if (!f->peer) {
		nm_json_hex(o, "flow", f->cookie);
		return;
	}
	snprintf(id, sizeof(id), "%" PRIx64 "-%" PRIx32, f->cookie,
		 peer_hash(f));
	nm_json_str(o, "flow", id);
}

void put_counts(struct nm_buf *o, const struct flow *f)
{
	switch (f->counts) {
	case COUNTS_BYTES:
		nm_json_u64(o, "tx_bytes", f->tx_bytes);
		nm_json_u64(o, "rx_bytes", f->rx_bytes);
		break;
	case COUNTS_DATAGRAMS:
		put_netns(o, f->netns);
		nm_json_str(o, "proto", "udp");
		nm_json_u64(o, "tx_datagrams", f->tx_datagrams);
		nm_json_u64(o, "rx_datagrams", f->rx_datagrams);
		break;
	case COUNTS_NOTHING:
		break;
	}
}

struct flow flow_unmoved(const struct flow *f)
{
	struct flow none = *f;

	none.tx_bytes = none.rx_bytes = 0;
	none.tx_datagrams = none.rx_datagrams = 0;
	none.wire = (struct nm_wire){ 0 };
	none.rtt_us = none.retrans_packets = 0;
	none.closed = false;
	return none;
}

static void put_head(struct nm_buf *o, const struct head *h)
{
	nm_json_key(o, h->sent ? "tx_head" : "rx_head");
	nm_buf_putc(o, '"');
	nm_base64_put(o, h->data, h->bytes);
	nm_buf_putc(o, '"');
}

const struct head *heads_left(const struct head *heads)
{
	const struct head *second = heads ? heads->next : NULL;

	return second && second->sent != heads->sent ? second->next : second;
}

void put_heads(struct nm_buf *o, const struct head **heads)
{
	const struct head *left = heads_left(*heads);

	for (const struct head *h = *heads; h != left; h = h->next)
		put_head(o, h);
	*heads = left;
}
