/* SPDX-License-Identifier: MIT */
/*
 * What nm-collect asks of a way to count, and what such a backend hands back:
 * processes and flows of one interval, which emit.c writes as records.
 */
#ifndef NM_BACKEND_H
#define NM_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "addr.h"
#include "buf.h"
#include "collect.h"

/* What the user asked for, as far as it concerns a backend. */
struct settings {
	double interval_s;
	uint64_t max_flows;	/* flows with detail in one interval */
	uint64_t max_processes; /* processes with traffic at one time */
	bool no_wire;		/* packets are not to be counted */
	uint64_t peek_bytes;	/* first ones of each direction; 0: none */
	uint64_t cmdline_bytes; /* of command lines; 0: none */
	unsigned verbose;	/* also the level of the kernel side's log */
};

/* Why a backend does not work here, and what would help. */
struct reason {
	char what[512];
	char remedy[256];
};

void reason_set(struct reason *r, const char *remedy, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Who. Strings are NULL where they are not known. */
struct process {
	uint32_t pid;	   /* 0: the kernel */
	uint64_t start_us; /* since boot */
	uint32_t ppid;	   /* 0: not known */
	uint32_t uid;
	bool uid_known;
	uint32_t netns; /* 0: not known */
	char comm[64];
	char parent[NM_COMM_LEN + 1]; /* its parent's comm; "": not known */
	char *exe;
	char *cgroup;
	char *cmdline;	    /* until it is told */
	struct nm_buf keys; /* emit.c's: all this as a record has it */
};

/* What is known of what a flow moved; the rest is not in its record. */
enum counts {
	COUNTS_BYTES,
	COUNTS_DATAGRAMS,
	COUNTS_NOTHING,
};

/* The first bytes of a packet; a list of those of a flow, in order. */
struct head {
	struct head *next;
	uint32_t bytes;
	bool sent;
	uint8_t data[];
};

/* What one socket (or one remote side of it) moved for one process. */
struct flow {
	struct process *process; /* NULL: nobody */
	bool socket;		 /* false: the bytes have lost their socket */
	uint64_t cookie;
	bool peer; /* the remote side tells flows apart */
	uint32_t netns;
	enum nm_proto proto;
	enum nm_dir dir;
	bool closed;
	struct nm_addr laddr, raddr; /* "any": not known */
	uint16_t lport, rport;	     /* host order; 0: none */
	uint64_t tx_bytes, rx_bytes;
	enum counts counts;
	uint64_t tx_datagrams, rx_datagrams; /* of a namespace, no socket */
	struct nm_wire wire;		     /* if the wire is metered */
	uint32_t ifindex;		     /* 0: not known */
	uint32_t rtt_us;		     /* 0: not known */
	uint32_t retrans_packets;
	const struct head *heads; /* NULL: none */
	bool inferred;
};

/* What an interval lost besides; see tick in nm-record(5). */
struct losses {
	uint64_t flows;
	uint64_t processes;
	uint64_t calls;
	uint64_t heads;
};

struct backend {
	const char *name;
	const char *what; /* for --probe: what it counts, in few words */

	/* What a user must know that it misses, once started; or NULL. */
	const char *(*lacks)(void);

	/* Why it does not count packets; NULL: it does, or it never does. */
	const char *(*no_wire)(void);

	/* Does it see other network namespaces? NULL: yes. */
	bool (*all_netns)(void);

	/*
	 * Really loads and attaches. 0, or -1 with the reason, everything
	 * taken back.
	 */
	int (*start)(const struct settings *s, struct reason *why);

	/*
	 * The first interval begins: calls emit_interval(). What was counted
	 * until now is not told. 0, or -1 with errno.
	 */
	int (*begin)(void);

	/* A descriptor to wait on between intervals, or -1; then call wake. */
	int (*fd)(void);
	void (*wake)(void);

	/*
	 * Is what it needs still allowed, now that rights are dropped? The
	 * capability to keep is tried by the caller.
	 */
	bool (*usable)(void);

	/*
	 * Ends an interval: calls emit_* for what has happened in it. last:
	 * nothing can be left for the next.
	 */
	int (*drain)(struct losses *lost, bool last);

	void (*stop)(void);
};

extern const struct backend backend_fexit, backend_tp, backend_cgroup,
	backend_diag;

#endif
