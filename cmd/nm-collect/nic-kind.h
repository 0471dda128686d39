/* SPDX-License-Identifier: MIT */
/*
 * What an interface is: which role it has for the ledger, and in what it
 * counts.
 */
#ifndef NM_NIC_KIND_H
#define NM_NIC_KIND_H

#include <stdbool.h>
#include <stddef.h>

#include "netlink.h"
#include "nic.h"

/* A message about one. */
struct link {
	struct ifinfomsg *i;
	struct rtattr *attrs;
	size_t left;
	struct rtattr *info; /* IFLA_LINKINFO, or NULL */
};

struct rtattr *link_attribute(const struct link *l, unsigned type);

enum nic_role link_role(const struct link *l);

/* Does it count segments? foreign: it is in another namespace than ours. */
bool link_is_hardware(const struct link *l, bool foreign);

#endif
