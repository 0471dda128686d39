/* SPDX-License-Identifier: MIT */
/*
 * From what the kernel side noted of a process to what a record says of it:
 * the path of its program, the path of its cgroup.
 */
#ifndef NM_IDENTITY_H
#define NM_IDENTITY_H

#include "backend.h"

/*
 * Fills p from the kernel's entries (exe is NULL where there is none). Also
 * looks at /proc, and believes it only if the process there started at the same
 * time.
 */
void identity_fill(struct process *p, const struct nm_process_key *key,
		   const struct nm_process *k, const struct nm_exe *exe);

/* The effective user has changed. */
void identity_set_uid(struct process *p, uint32_t uid);

/* Frees what p owns. To be called before anything in it changes. */
void identity_clear(struct process *p);

/*
 * The start of a process in clock ticks since boot, as /proc/PID/stat has it
 * (field 22). False: it is gone.
 */
bool identity_proc_start(uint32_t pid, uint64_t *ticks);

/* Where /proc/PID/exe points, for the caller to free; NULL: not readable. */
char *identity_exe(uint32_t pid);

/* The octal escapes of proc(5) for blanks and backslashes, in place. */
void identity_unescape(char *text);

#endif
