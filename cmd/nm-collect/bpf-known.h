/* SPDX-License-Identifier: MIT */
/*
 * What the BPF backends know of a process, and have told of it. That is kept
 * for a while when the process has ended and the kernel's map has lost it.
 */
#ifndef NM_BPF_KNOWN_H
#define NM_BPF_KNOWN_H

#include "bpf.h"

struct known {
	struct process process;
	const char *news; /* an event that is not told yet, or NULL */
	bool told;	  /* a record has named it */
	uint64_t seen_ns; /* when a flow of it was last told */
	uint64_t tcp_ns;  /* the same of TCP, */
	bool tcp_open;	  /* and one was not closed */
	uint64_t tx_bytes, rx_bytes; /* told until now */
	struct nm_lost_detail lost;  /* the same, of what is in no flow */
	struct nm_process last;	     /* its entry, if `swept` */
	uint32_t execs;
	bool ended; /* and that is told, or will be when this drain ends */
	bool swept; /* its entry is gone, and `last` is not told yet */
};

/*
 * max: how many may be known at once; left_max: of these, how many that have
 * left the kernel's map. inferred: so is what they moved.
 */
void bpf_known_open(const struct collect_bpf *skel, size_t max, size_t left_max,
		    bool inferred);
void bpf_known_close(void);

/* A drain begins, of an interval that ended then. */
void bpf_known_at(uint64_t now_ns);

/* NULL: nobody is known by this key. */
struct known *bpf_known_get(const struct nm_process_key *key);

/* Finds out who it is, if that is new, by what the kernel's map has of it. */
struct known *bpf_known_meet(const struct nm_process_key *key,
			     const struct nm_process *v);

/*
 * So many bytes are about to be told as moved by who has this key; NULL: nobody
 * is known by it.
 */
struct process *bpf_known_moved(const struct nm_process_key *key, uint64_t tx,
				uint64_t rx);

/* A TCP socket of his was open when it was last used, or closed. */
void bpf_known_tcp(const struct nm_process_key *key, bool open);

/* Tells what is in no flow, and what has become of it. */
void bpf_known_tell(struct known *k, const struct nm_process *v);

/* Its entry is gone from the kernel's map; another would begin at 0. */
void bpf_known_left(struct known *k, const struct nm_process_key *key);

/* Forgets those that left long ago, and are in no flow any more. */
void bpf_known_forget_left(void);

/* How many of them are still known. */
size_t bpf_known_left_count(void);

#endif
