// SPDX-License-Identifier: MIT
/*
 * How the kernel preempts: what it was built for is in its version text, and
 * where that can be changed (PREEMPT_DYNAMIC), the choice is in debugfs.
 */
#include "preempt.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

/* The mode in parentheses, as in "none (voluntary) full"; false: unknown. */
static bool chosen_mode(char *mode, size_t size)
{
	FILE *f = fopen("/sys/kernel/debug/sched/preempt", "re");
	char line[128], *open, *close;
	bool found = false;

	if (!f)
		return false;
	if (fgets(line, sizeof(line), f) && (open = strchr(line, '(')) &&
	    (close = strchr(open, ')'))) {
		*close = '\0';
		snprintf(mode, size, "%s", open + 1);
		found = true;
	}
	fclose(f);
	return found;
}

bool kernel_preempts(void)
{
	struct utsname u;
	char mode[32];

	if (uname(&u) == 0 && !strstr(u.version, "PREEMPT"))
		return false;
	if (!chosen_mode(mode, sizeof(mode)))
		return true;
	return strcmp(mode, "none") != 0 && strcmp(mode, "voluntary") != 0;
}
