// SPDX-License-Identifier: MIT
/*
 * How the kernel preempts: whether it can at all is in its version text; where
 * that can be changed (PREEMPT_DYNAMIC), the choice is in debugfs, or if that
 * is not to be read, on the command line or in the configuration.
 */
#include "preempt.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <zlib.h>

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

/*
 * What the last "preempt=" on the kernel's command line says; false: nothing.
 * What is behind "--" is for init.
 */
static bool ordered_mode(char *mode, size_t size)
{
	FILE *f = fopen("/proc/cmdline", "re");
	char line[4096], *rest = NULL;
	bool found = false;

	if (!f)
		return false;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	fclose(f);
	for (char *word = strtok_r(line, " \n", &rest);
	     word && strcmp(word, "--") != 0;
	     word = strtok_r(NULL, " \n", &rest)) {
		if (strncmp(word, "preempt=", 8) != 0)
			continue;
		snprintf(mode, size, "%s", word + 8);
		found = true;
	}
	return found;
}

/* What a configuration, compressed or not, makes the default. */
static bool built_mode(const char *path, char *mode, size_t size)
{
	gzFile f = gzopen(path, "re");
	bool found = false;
	char line[256];

	while (f && !found && gzgets(f, line, sizeof(line))) {
		found = true;
		if (strcmp(line, "CONFIG_PREEMPT_NONE=y\n") == 0)
			snprintf(mode, size, "none");
		else if (strcmp(line, "CONFIG_PREEMPT_VOLUNTARY=y\n") == 0)
			snprintf(mode, size, "voluntary");
		else
			found = false;
	}
	if (f)
		gzclose(f);
	return found;
}

bool kernel_preempts(void)
{
	char mode[32], config[128];
	struct utsname u;

	if (uname(&u) != 0)
		return true;
	if (!strstr(u.version, "PREEMPT"))
		return false;
	snprintf(config, sizeof(config), "/boot/config-%s", u.release);
	return !(chosen_mode(mode, sizeof(mode)) ||
		 ordered_mode(mode, sizeof(mode)) ||
		 built_mode("/proc/config.gz", mode, sizeof(mode)) ||
		 built_mode(config, mode, sizeof(mode))) ||
	       (strcmp(mode, "none") != 0 && strcmp(mode, "voluntary") != 0);
}
