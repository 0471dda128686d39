/* SPDX-License-Identifier: MIT */
/*
 * Opening descriptors in other network namespaces, which only CAP_SYS_ADMIN
 * can do (setns(2)), after nm-collect has given that up: a process of its own
 * keeps it, does nothing else, and hands the descriptors over. All that it can
 * be asked for is to listen.
 */
#ifndef NM_ENTER_H
#define NM_ENTER_H

#include <stdbool.h>

#include "netlink.h"

/*
 * Starts that process, and makes room for many descriptors. False: the rights
 * are missing, or it failed.
 */
bool enter_start(void);

/* Does it still run? */
bool enter_works(void);

/*
 * Opens l, see netlink_open(), in the namespace that `ns` is a descriptor of.
 * 0, or -1 and errno.
 */
int enter_open(int ns, struct netlink *l, int protocol);

void enter_stop(void);

#endif
