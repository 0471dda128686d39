/* SPDX-License-Identifier: MIT */
/*
 * Why something does not work here, in words that say what to do about it.
 */
#ifndef NM_REASON_H
#define NM_REASON_H

#include "backend.h"

/* What libbpf says of a program, not a map, that the kernel refused. */
#define BPF_PROGRAM_REFUSED "BPF program load failed"

/* There is no BTF of the running kernel. */
void explain_no_btf(struct reason *why);

/*
 * Loading or attaching a backend's programs failed with this errno, and
 * libbpf said that.
 */
void explain_load(struct reason *why, const char *backend, int error,
		  const char *said);

#endif
