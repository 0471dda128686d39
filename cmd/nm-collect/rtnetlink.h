/* SPDX-License-Identifier: MIT */
/*
 * What nic.c needs of rtnetlink(7).
 */
#ifndef NM_RTNETLINK_H
#define NM_RTNETLINK_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>

/*
 * A socket for questions, or one that gets the notices of these groups
 * (RTMGRP_*) and never waits. -1 with errno.
 */
int rtnl_open(unsigned groups);

/*
 * Asks for all; take gets each message of the answer. 0; 1: interfaces came or
 * went meanwhile, and some may be missing; -1 with errno.
 */
int rtnl_dump(int fd, struct nlmsghdr *request,
	      void (*take)(struct nlmsghdr *h));

/* The first of this type, or NULL. */
struct rtattr *rtnl_attribute(struct rtattr *a, size_t left, unsigned type);

#endif
