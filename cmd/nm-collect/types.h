/* SPDX-License-Identifier: MIT */
/*
 * The running kernel's types (BTF). Reading them takes 30 to 80 ms, and 6 MB as
 * long as they are kept: from the first question until programs are loaded,
 * when libbpf reads its own.
 */
#ifndef NM_TYPES_H
#define NM_TYPES_H

#include <bpf/btf.h>

/* NULL with errno: it has none, or they cannot be read. */
struct btf *kernel_types(void);

void kernel_types_free(void);

#endif
