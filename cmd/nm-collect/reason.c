// SPDX-License-Identifier: MIT
/*
 * The true reason of a refusal. The kernel says EPERM for many things, so
 * each is looked at by itself, the most likely first.
 */
#include "reason.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rights.h"

void reason_set(struct reason *r, const char *remedy, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->what, sizeof(r->what), fmt, ap);
	va_end(ap);
	snprintf(r->remedy, sizeof(r->remedy), "%s", remedy);
}

void explain_no_btf(struct reason *why)
{
	if (access("/sys/kernel/btf/vmlinux", R_OK) == 0)
		reason_set(why, "raise the memory limit",
			   "the kernel's BTF cannot be read: %s",
			   strerror(errno));
	else
		reason_set(why, "a kernel with CONFIG_DEBUG_INFO_BTF=y",
			   "the kernel has no BTF (/sys/kernel/btf/vmlinux)");
}

/* The mode in brackets of "none [integrity] confidentiality"; "" if none. */
static void lockdown_mode(char *mode, size_t size)
{
	FILE *f = fopen("/sys/kernel/security/lockdown", "re");
	char line[128], *open, *close;

	mode[0] = '\0';
	if (!f)
		return;
	if (fgets(line, sizeof(line), f) && (open = strchr(line, '[')) &&
	    (close = strchr(open, ']'))) {
		*close = '\0';
		if (strcmp(open + 1, "none") != 0)
			snprintf(mode, size, "%s", open + 1);
	}
	fclose(f);
}

/* The line of libbpf's that says what went wrong: the last but "failed to". */
static void telling_line(const char *said, char *out, size_t size)
{
	const char *line = said, *end;

	out[0] = '\0';
	for (; *line; line = *end ? end + 1 : end) {
		end = strchrnul(line, '\n');
		if (end == line ||
		    strstr(line, "-- BEGIN PROG LOAD LOG") == line)
			continue;
		if (strncmp(line, "libbpf: failed to load object", 29) == 0)
			break;
		snprintf(out, size, "%.*s", (int)(end - line), line);
	}
}

void explain_load(struct reason *why, const char *backend, int error,
		  const char *said)
{
	char missing[128], mode[32], line[256];

	rights_missing(RIGHTS_BPF, missing, sizeof(missing));
	if (missing[0]) {
		reason_set(why,
			   "run it as root, or give nm-collect the "
			   "capabilities of nm-collect(8)",
			   "not permitted without %s", missing);
		return;
	}
	if (error == EPERM) {
		lockdown_mode(mode, sizeof(mode));
		if (mode[0])
			reason_set(why, "none while the kernel is locked down",
				   "refused: the kernel is locked down (%s)",
				   mode);
		else
			reason_set(why,
				   "none, if the kernel is locked down; else "
				   "look for a security module's policy",
				   "refused (EPERM) although all capabilities "
				   "are there: the kernel, locked down or by "
				   "a policy, does not load %s programs",
				   backend);
		return;
	}
	telling_line(said, line, sizeof(line));
	reason_set(why, "please report it, with the output of nm-collect -vv",
		   "%s%s%s", strerror(error), line[0] ? ": " : "", line);
}
