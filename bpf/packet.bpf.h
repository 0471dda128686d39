/* SPDX-License-Identifier: MIT */
/*
 * What is in an IP packet, as a program at a cgroup gets it: its headers, and
 * how many packets it will be, or was, on the wire.
 */
#ifndef NM_PACKET_BPF_H
#define NM_PACKET_BPF_H

#include "socket.bpf.h"

#define ETH_P_IPV6 0x86dd

#define IPV4_OFFSET_PROTOCOL 9
#define IPV4_OFFSET_SADDR    12
#define IPV6_OFFSET_NEXT     6
#define IPV6_OFFSET_SADDR    8
#define IPV6_LEN	     40
#define IPV6_JUMBO_LEN	     8
#define IPPROTO_HOPOPTS	     0
#define TCP_OFFSET_SEQ	     4
#define TCP_OFFSET_DOFF	     12
#define TCP_OFFSET_FLAGS     13
#define TCP_FLAG_FIN	     1
#define TCP_FLAG_SYN	     2
#define UDP_LEN		     8

/*
 * Of extension headers, only that for each hop: the kernel puts it into packets
 * of more than 64 kB while it handles them as one (BIG TCP, 6.0).
 */
static __always_inline __u32 ip_header_len(struct __sk_buff *skb)
{
	__u8 first = 0, next = 0, units = 0;

	if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		bpf_skb_load_bytes(skb, IPV6_OFFSET_NEXT, &next, 1);
		if (next != IPPROTO_HOPOPTS)
			return IPV6_LEN;
		bpf_skb_load_bytes(skb, IPV6_LEN + 1, &units, 1);
		return IPV6_LEN + 8 + 8 * units;
	}
	bpf_skb_load_bytes(skb, 0, &first, 1);
	return (first & 0xf) * 4;
}

/* Of the layer above IP, as far as packets of it may be joined. */
static __always_inline __u32 header_len(struct __sk_buff *skb,
					const struct bpf_sock *sk, __u32 ip_len)
{
	__u32 protocol = sk->protocol;
	__u8 doff = 0;

	if (sk->type == SOCK_RAW)
		return 0;
	if (protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE)
		return UDP_LEN;
	if (!is_stream(protocol, sk->type))
		return 0;
	bpf_skb_load_bytes(skb, ip_len + TCP_OFFSET_DOFF, &doff, 1);
	return (doff >> 4) * 4;
}

/* Where what it carries begins, and how much that is; false: nothing. */
static __always_inline bool find_data(struct __sk_buff *skb,
				      const struct bpf_sock *sk, __u32 ip_len,
				      __u32 *at, __u32 *bytes)
{
	*at = ip_len + header_len(skb, sk, ip_len);
	*bytes = skb->len > *at ? skb->len - *at : 0;
	return *bytes > 0;
}

/*
 * How many packets it is on the wire. A driver may know the size of the
 * segments and leave their number to others (virtio_net).
 */
static __always_inline __u32 segments(const struct __sk_buff *skb,
				      __u32 headers)
{
	__u32 size = skb->gso_size;

	if (skb->gso_segs > 1 || !size || skb->len <= headers + size)
		return skb->gso_segs > 1 ? skb->gso_segs : 1;
	return (skb->len - headers + size - 1) / size;
}

static __always_inline void measure(struct nm_wire *w, struct __sk_buff *skb,
				    const struct bpf_sock *sk, bool sent)
{
	__u64 bytes = skb->len, packets = 1, split = 0;
	__u32 headers, ip_len;

	if (skb->gso_size) {
		ip_len = ip_header_len(skb);
		headers = ip_len + header_len(skb, sk, ip_len);
		/* Extension headers of a stream are this one, if any. */
		if (ip_len == IPV6_LEN + IPV6_JUMBO_LEN &&
		    skb->len > 0xffff + IPV6_LEN) {
			headers -= IPV6_JUMBO_LEN;
			bytes -= IPV6_JUMBO_LEN;
		}
		packets = segments(skb, headers);
		split = (packets - 1) * headers;
	}
	if (sent) {
		w->tx_bytes = bytes + split;
		w->tx_packets = packets;
		w->tx_split = split;
	} else {
		w->rx_bytes = bytes + split;
		w->rx_packets = packets;
		w->rx_split = split;
	}
}

/* The other side of a datagram; its port only where it is in its place. */
static __always_inline void packet_peer(struct peer *peer,
					struct __sk_buff *skb, bool sent)
{
	bool v6 = skb->protocol == bpf_htons(ETH_P_IPV6);
	__u32 v4 = 0, ip_len = ip_header_len(skb);
	__u8 protocol = 0;

	if (v6) {
		bpf_skb_load_bytes(skb, IPV6_OFFSET_SADDR + (sent ? 16 : 0),
				   peer->addr, 16);
		bpf_skb_load_bytes(skb, IPV6_OFFSET_NEXT, &protocol, 1);
	} else {
		bpf_skb_load_bytes(skb, IPV4_OFFSET_SADDR + (sent ? 4 : 0), &v4,
				   4);
		map_v4(peer->addr, v4);
		bpf_skb_load_bytes(skb, IPV4_OFFSET_PROTOCOL, &protocol, 1);
	}
	if (protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE)
		bpf_skb_load_bytes(skb, ip_len + (sent ? 2 : 0), &peer->port,
				   2);
}

#endif
