/* SPDX-License-Identifier: MIT */
/*
 * The interfaces of a network namespace, with their own counters. Read once an
 * interval, without any rights.
 */
#ifndef NM_NIC_H
#define NM_NIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netlink.h"

enum nic_role {
	NIC_LOOPBACK,
	NIC_PORT,   /* of a bridge or a bond, which counts what it moves */
	NIC_TUNNEL, /* what it moves is moved again, packed, by another */
	NIC_UPPER,  /* a VLAN or the like: the one below counts what it moves */
	NIC_EDGE,   /* any other: here packets come and go */
};

/* What has passed: IP packets, without the headers of the link. */
struct nic_counts {
	uint64_t tx_bytes, rx_bytes;
	uint64_t tx_packets, rx_packets;
};

struct nic {
	uint32_t ifindex;
	enum nic_role role;
	/* It counts segments, as hardware does, not what they were made of. */
	bool segments;
	bool listed;		    /* when they were last looked at */
	bool counted;		    /* `now` is known */
	bool gone;		    /* `now` is the last there was */
	uint32_t link_header;	    /* bytes in front of each packet */
	struct nic_counts was, now; /* since it was made */
};

/* Those of one namespace; all zero at first. */
struct nics {
	struct nic *list; /* sorted up to `sorted` */
	size_t count, sorted, room;
	bool stale;   /* some may be missing, or are another than they were */
	bool whole;   /* all counters were read the last time */
	bool listing; /* they come as a list, few twice */
	bool foreign; /* in another namespace than ours: sysfs has others */
};

/*
 * Reads all counters; what they grew by is then now - was, 0 for one that was
 * never seen before, unless the kernel told of its coming. 0 or -1, errno.
 */
int nic_read(struct nics *nics, const struct netlink *l);
void nic_free(struct nics *nics);

/* NULL: no such interface. */
const struct nic *nic_find(const struct nics *nics, uint32_t ifindex);

#endif
