/* SPDX-License-Identifier: MIT */
/*
 * The interfaces of our network namespace, with their own counters. Read once
 * an interval, without any rights.
 */
#ifndef NM_NIC_H
#define NM_NIC_H

#include <stdbool.h>
#include <stdint.h>

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
	uint32_t link_header;	    /* bytes in front of each packet */
	struct nic_counts was, now; /* since it was made */
};

/* 0, or -1 with errno. */
int nic_open(void);
void nic_close(void);

/* Reads all counters; what they grew by is then now - was. 0 or -1, errno. */
int nic_read(void);

/* NULL: no such interface. */
const struct nic *nic_find(uint32_t ifindex);

/* Calls see for each. */
void nic_each(void (*see)(const struct nic *nic, void *ctx), void *ctx);

#endif
