/* SPDX-License-Identifier: MIT */
/*
 * What the BPF programs and nm-collect share: map keys and values, limits,
 * the messages of the kernel side's log. All layouts are without padding.
 */
#ifndef NM_COLLECT_H
#define NM_COLLECT_H

#include <linux/types.h>

#define NM_COMM_LEN 16

/* In every network namespace: include/net/flow.h */
#define NM_LOOPBACK_IFINDEX 1

/* No pid: whose it was cannot be found out. */
#define NM_NOBODY 0xffffffffU

/* A path of more or longer names stays unknown. */
#define NM_PATH_NAMES	 10
#define NM_PATH_NAME_LEN 40

/* A process: pid alone is reused, pid and start time are not. */
struct nm_process_key {
	__u64 start_ns; /* CLOCK_BOOTTIME of the thread group leader */
	__u32 tgid;	/* 0: the kernel itself; NM_NOBODY */
	__u32 zero;
};

/* IP packets, with their headers. */
struct nm_wire {
	__u64 tx_bytes, rx_bytes;
	__u64 tx_packets, rx_packets;
	/*
	 * Of tx_bytes and rx_bytes, the headers of all but the first segment
	 * of packets that the kernel handled as one (GSO, GRO): an interface
	 * that gets them as one does not count these.
	 */
	__u64 tx_split, rx_split;
};

/* What found no room in the flows of a process. */
struct nm_lost_detail {
	__u64 tx_bytes, rx_bytes;
	struct nm_wire wire;	 /* but for */
	struct nm_wire loopback; /* packets that no ledger has */
};

/*
 * A process that used the network. What it moved is in its flows; only what
 * found no room there is counted here. These counters only ever grow:
 * nm-collect remembers what it has told and subtracts, and removes the entry
 * of an ended process when everything was told.
 */
struct nm_process {
	struct nm_lost_detail lost;
	__u64 cgroup_id;
	__u64 ended_ns; /* CLOCK_BOOTTIME; 0: alive */
	__u64 lost_at;	/* netns << 32 | ifindex, of what was lost last */
	__u32 ppid;
	__u32 uid; /* effective, at the last use */
	__u32 netns;
	__u32 execs; /* identity was read that many times; 0: not yet */
	char comm[NM_COMM_LEN];
	char parent[NM_COMM_LEN]; /* its parent's */
};

_Static_assert(sizeof(struct nm_process) == 184, "has padding");

/*
 * The program that a process runs, apart from the counters because it is read
 * only when execs has changed.
 */
struct nm_exe {
	__u32 dev;    /* the kernel's encoding: major << 20 | minor */
	__u32 mnt_ns; /* inode number of the mount namespace */
	__u32 names;  /* of its path, that are known; 0: none */
	__u32 zero;
	char name[NM_PATH_NAMES][NM_PATH_NAME_LEN]; /* leaf first */
};

/* The most of a command line that can be wanted. */
#define NM_ARGS_MAX 256

/* Read beyond that, to see whether its last character is whole. */
#define NM_ARGS_MORE 4

/* The command line, apart for the same reason. */
struct nm_args {
	__u32 bytes; /* its length, may be above what is here; 0: unknown */
	char text[NM_ARGS_MAX + NM_ARGS_MORE]; /* each word ends with a NUL */
};

/*
 * A socket, the process that used it, and for a datagram its remote side. The
 * latter two as a hash: it is looked up at each call and each packet.
 */
struct nm_flow_key {
	__u64 cookie;
	__u64 use;
};

/*
 * What a flow has moved in an interval. Apart from the rest of it, in an array,
 * so that it is found without a search; what is written at each call is in its
 * first cache line.
 */
struct nm_counters {
	struct nm_process_key process;
	__u64 tx_bytes, rx_bytes;
	struct nm_wire wire;
	__u32 retrans_packets;
	__u32 rtt_us;  /* smoothed; 0: not known */
	__u32 ifindex; /* of the last packet; 0: none was seen */
	__u8 closed;
	__u8 zero[3];
	__u64 to_a_cache_line[4];
};

/* A flow: what it is, and where its counters are. */
struct nm_flow {
	__u32 slot; /* the place in the array of counters */
	__u32 netns;
	__u8 laddr[16]; /* IPv4 in mapped form; all zero: unknown */
	__u8 raddr[16];
	__be16 rport; /* 0: none or unknown */
	__u16 lport;  /* host order */
	__u8 proto;   /* enum nm_proto */
	__u8 dir;     /* enum nm_dir */
	__u8 peer;    /* the remote side is the datagram's, not the socket's: it
		       * tells flows of one socket apart */
	__u8 zero;
};

/*
 * The intervals take turns: those of odd numbers have flows_b and the second
 * half of the array of counters, those of even numbers the others.
 */
struct nm_turn {
	__u32 interval; /* its number; never 0, NM_BEFORE only once */
	/* It is read at each call; what changes has a cache line of its own. */
	__u32 to_a_cache_line[15];
	__u32 taken[2]; /* slots, of each half */
	__u32 zero[2];
};

/* The number of what is before the first interval, and not told. */
#define NM_BEFORE 1

/* How many processors may be after the same slot, where nothing tells. */
#define NM_SLOT_TRIES 8

enum nm_proto {
	NM_PROTO_OTHER,
	NM_PROTO_TCP,
	NM_PROTO_UDP,
	NM_PROTO_UDPLITE,
	NM_PROTO_MPTCP,
	NM_PROTO_SCTP,
	NM_PROTO_DCCP,
	NM_PROTO_ICMP,
	NM_PROTO_ICMPV6,
	NM_PROTO_RAW,
	NM_PROTO_PACKET, /* frames, by AF_PACKET */
};

enum nm_dir {
	NM_DIR_UNKNOWN,
	NM_DIR_OUT,
	NM_DIR_IN,
	NM_DIR_MISSED, /* who was first to send, before we were there */
};

/* Bytes and events that found no room, by processor. */
struct nm_lost {
	__u64 tx_bytes, rx_bytes; /* of processes without an entry */
	struct nm_wire wire;	  /* the same, and what nobody ever used */
	/*
	 * In the states of sockets, see waiting.bpf.h; but not on loopback, and
	 * of what was sent only that of connections. By the last bit of the
	 * interval, as it is told beside the flows.
	 */
	struct nm_wire waiting[2];
	__u64 processes; /* refused entries */
	__u64 flows;
	__u64 heads; /* first bytes that found no room */
};

/* Whose answers are told as a whole, to learn names. */
#define NM_PORT_DNS  53
#define NM_PORT_MDNS 5353

/* Most of a packet; enough for what is asked for by default. */
#define NM_HEAD_MAX   1504
#define NM_HEAD_SHORT 512

/* All that wait; when so many do, they are read before the interval ends. */
#define NM_HEADS_SIZE (4 * 1024 * 1024)
#define NM_HEADS_WAKE (NM_HEADS_SIZE / 4)

/* First bytes: whose they are, and how many. */
struct nm_head_about {
	__u64 cookie;	/* of the flow */
	__u8 raddr[16]; /* as rport, only where it tells flows apart */
	__be16 rport;
	__u8 sent;
	__u8 zero;
	__u32 bytes;
};

/* The first bytes that a packet carried, behind its headers. */
struct nm_head {
	struct nm_head_about about;
	__u8 data[NM_HEAD_MAX];
};

/*
 * The kernel side's log: a message is its number and two values; the text is
 * formatted in user space (bpf_snprintf came only with 5.13).
 */
#define NM_LOG_MESSAGES(X)                                             \
	X(PROCESS_NEW, 2, "process %llu: first use of the network")    \
	X(PROCESS_EXEC, 2, "process %llu: is another program now")     \
	X(PROCESS_END, 2, "process %llu: ended")                       \
	X(PROCESS_FULL, 1, "process %llu: no room in the process map") \
	X(FLOW_NEW, 3, "process %llu: socket %llx in use")             \
	X(FLOW_FULL, 1, "process %llu: no room in the flow map")       \
	X(FLOW_CLOSED, 3, "process %llu: socket %llx closed")          \
	X(SOCKET_FULL, 1, "socket %2$llx: no memory for its state")    \
	X(SCANNED, 3, "process %llu: socket %llx was open before the start")

enum nm_log_message {
#define X(name, level, text) NM_LOG_##name,
	NM_LOG_MESSAGES(X)
#undef X
};

struct nm_log {
	__u32 message;
	__u32 level;
	__u64 a, b;
};

#endif
