/* SPDX-License-Identifier: MIT */
/*
 * Capabilities: which are missing, and giving up what is not needed any more.
 */
#ifndef NM_RIGHTS_H
#define NM_RIGHTS_H

#include <stdbool.h>
#include <stddef.h>

enum rights_for {
	RIGHTS_BPF,    /* loading the programs */
	RIGHTS_CGROUP, /* and attaching them to a cgroup */
	RIGHTS_NAMES,  /* reading others' /proc: exe, descriptors, cgroups */
};

/* Names of the missing ones ("CAP_BPF, CAP_PERFMON"); "" if none is. */
void rights_missing(enum rights_for what, char *out, size_t size);

/* May programs be attached to a cgroup? */
bool rights_have_net_admin(void);

/* May other network namespaces be entered? */
bool rights_have_sys_admin(void);

/* May all processes be looked at? */
bool rights_have_sys_ptrace(void);

/*
 * Gives up everything but entering network namespaces, and listening there
 * with as much room as needed; and the user id 0; for good.
 */
void rights_keep_entering(void);

/*
 * Gives up everything but reading names, and the user id 0; for good. If
 * usable() then says no, CAP_BPF (or what stood in for it) is kept as well:
 * before 5.19 no map can be accessed without it where unprivileged BPF is off
 * (c8644cd0efe7).
 */
void rights_drop(bool (*usable)(void));

#endif
