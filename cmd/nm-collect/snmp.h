/* SPDX-License-Identifier: MIT */
/*
 * What the kernel counts for a network namespace as a whole: /proc/net/snmp
 * and snmp6. It costs a hundredth of listing TCP sockets, for which the kernel
 * goes through a table that all namespaces share.
 */
#ifndef NM_SNMP_H
#define NM_SNMP_H

#include <stdbool.h>
#include <stdint.h>

#include "netlink.h"

struct snmp {
	bool known;
	uint64_t tcp;		 /* changes with each segment, either way */
	uint64_t udp_tx, udp_rx; /* datagrams, IPv4 and IPv6 */
	uint64_t forwarded;	 /* packets, IPv4 and IPv6 */
};

/* What is not to be read is not known, or 0 (IPv6 may be off). */
struct snmp snmp_read(const struct netlink *l);

#endif
