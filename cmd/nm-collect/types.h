/* SPDX-License-Identifier: MIT */
/*
 * The running kernel's types (BTF). Reading them takes 30 ms and 20 MB, so
 * backends that are tried one after the other share them.
 */
#ifndef NM_TYPES_H
#define NM_TYPES_H

#include <bpf/btf.h>

/* NULL with errno: it has none, or they cannot be read. */
struct btf *kernel_types(void);

void kernel_types_free(void);

#endif
