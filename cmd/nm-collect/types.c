// SPDX-License-Identifier: MIT
/*
 * Read when they are first asked for.
 */
#include "types.h"

static struct btf *types;

struct btf *kernel_types(void)
{
	if (!types)
		types = btf__load_vmlinux_btf();
	return types;
}

void kernel_types_free(void)
{
	btf__free(types);
	types = NULL;
}
