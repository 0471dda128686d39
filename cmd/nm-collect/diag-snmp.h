/* SPDX-License-Identifier: MIT */
/*
 * What the kernel counts for a network namespace as a whole: /proc/net/snmp.
 * It costs a hundredth of listing TCP sockets, for which the kernel
 * goes through a table that all namespaces share.
 */
#ifndef NM_DIAG_SNMP_H
#define NM_DIAG_SNMP_H

#include "diag-netlink.h"

struct snmp {
	bool known;
	uint64_t tcp; /* changes with each segment, either way */
};

struct snmp snmp_read(const struct netlink *l);

#endif
