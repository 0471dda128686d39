// SPDX-License-Identifier: MIT
/*
 * The kernel's types are read twice, for us and by libbpf for itself: each time
 * that is 11 MB of memory for a moment. Page by page of 4 kB the kernel takes
 * 90 ms to give them, which is a quarter of the start, so here it is asked for
 * huge ones.
 */
#include "heap.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define HUGE_PAGE     ((size_t)2 << 20)
#define HEAP_LEN      ((size_t)12 << 20)
#define LARGEST_LIMIT (32 << 20)
#define DEFAULT_LIMIT (128 << 10) /* of glibc, for both */

static uintptr_t heap; /* where it is, if it is large */

static void advise(int advice)
{
	uintptr_t from = (heap + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);

	/* A kernel that has none gives small ones. */
	madvise((void *)from, HEAP_LEN - HUGE_PAGE, advice);
}

void heap_enlarge(void)
{
	void *p;

	/* Without this it would not be of the heap. */
	if (!mallopt(M_MMAP_THRESHOLD, LARGEST_LIMIT) ||
	    !mallopt(M_TRIM_THRESHOLD, LARGEST_LIMIT))
		return;
	p = malloc(HEAP_LEN);
	if (!p)
		return;
	heap = (uintptr_t)p;
	advise(MADV_HUGEPAGE);
	free(p);
}

void heap_shrink(void)
{
	if (heap)
		advise(MADV_NOHUGEPAGE);
	heap = 0;
	mallopt(M_MMAP_THRESHOLD, DEFAULT_LIMIT);
	mallopt(M_TRIM_THRESHOLD, DEFAULT_LIMIT);
	malloc_trim(0);
}
