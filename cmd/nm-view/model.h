/* SPDX-License-Identifier: MIT */
/*
 * What the records say, added up: processes with their rates and totals.
 * Knows nothing of screens, and no clock: time is the records' ts_us. All
 * text in it was through nm_clean.
 *
 * It is bounded, and its rows always add up to its totals: what a row that
 * was dropped had moved stays in the row [earlier], what there was no row
 * for in the row [other].
 */
#ifndef VIEW_MODEL_H
#define VIEW_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache.h"
#include "record.h"

/* Processes in the table; the rest is summed. */
#define MODEL_PROCESSES_MAX 20000

enum proc_kind {
	PROC_USER,    /* a process */
	PROC_KERNEL,  /* pid 0 */
	PROC_UNKNOWN, /* no pid */
	PROC_EARLIER, /* the sum of those that are gone */
	PROC_OTHER,   /* the sum of those beyond the bound */
};

struct figures {
	double tx_rate, rx_rate; /* bytes per second, in the last interval */
	uint64_t tx_bytes, rx_bytes; /* since the viewer started */
	uint32_t sockets;	     /* open, as far as was seen */
	bool sockets_more;	     /* and others that were not counted */
	bool ended;
	bool quiet; /* ended, or silent without a socket */
};

struct socket;

struct proc {
	uint64_t id;   /* never used twice */
	unsigned boot; /* which one, of those in the stream */
	uint64_t pid, start_us;
	enum proc_kind kind;
	bool inferred; /* one of its records was */
	char comm[64];
	char user[33];
	char *exe;    /* or NULL */
	char *cgroup; /* or NULL */

	struct figures now;
	struct figures shown;
	bool is_shown;
	size_t place; /* for who sorts: where the row was the last time */

	/* the model's own */
	uint64_t names; /* of what the texts above were made */
	uint64_t tick_tx, tick_rx;
	uint64_t seen_us, ended_us;
	uint64_t more_us; /* when a socket was last not counted */
	struct socket *sockets;
	struct proc *next;
	size_t index;
};

/* What the interfaces of a host moved, both ways, and whose it was. */
struct ledger {
	bool kept; /* the source keeps one */
	double rate;
	uint64_t nic, named, kernel, unnamed, carrier, forwarded, no_socket;
};

/* The whole, like figures: as it is, and as it is shown. */
struct totals {
	uint64_t ts_us;	   /* end of the last interval */
	uint64_t since_us; /* begin of the first one */
	double tx_rate, rx_rate;
	uint64_t tx_bytes, rx_bytes;
	uint64_t unknown_bytes; /* the part that nobody could be named for */
	uint64_t lost_flows, lost_processes;
	struct ledger ledger;
	double cpu_share; /* of one core, by the source; below 0: not known */
	size_t processes; /* without the rows of sums */
	uint64_t gone;	  /* processes in [earlier] */
};

struct model {
	char host[64], kernel[64], backend[16], boot_id[40];
	bool local; /* the records are of this host */
	bool any_exact, any_inferred;
	bool warned; /* the notice is more than information */
	char notice[512];

	struct totals now;
	struct totals shown;

	struct proc **procs;
	size_t count, room;
	struct proc **bucket;
	struct proc *sum[PROC_OTHER + 1]; /* the rows that are no process */
	struct sockets *sockets;
	struct nm_cache *users;
	uint64_t last_id;
	uint64_t tick_tx, tick_rx;
	unsigned boot;
	/* of the flow records since the last tick, if any */
	bool open;
	uint64_t flow_ts_us, flow_dt_us;
};

struct model *model_new(void);
void model_free(struct model *m);

/* Takes a record; true: it ended an interval. */
bool model_record(struct model *m, const struct nm_record *r);

/*
 * Ends an interval that the stream broke off, so that its bytes are seen.
 * False: nothing was in it.
 */
bool model_finish(struct model *m);

/*
 * Makes what was counted until the last tick visible in `shown`, and drops
 * rows that are long gone. Rows taken from procs before are not valid
 * after. Not calling it holds the picture; counting goes on.
 */
void model_show(struct model *m);

/* The notice was seen: one that only informs goes, a warning stays. */
void model_notice_seen(struct model *m);

#endif
