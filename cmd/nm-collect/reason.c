// SPDX-License-Identifier: MIT
/*
 * The true reason of a refusal. The kernel says EPERM for many things, so
 * each is looked at by itself, the most likely first.
 */
#include "reason.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rights.h"

/* syslog(2); no header of libc has them */
#define SYSLOG_ACTION_READ_ALL	  3
#define SYSLOG_ACTION_SIZE_BUFFER 10

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

/* Does the kernel's log say that it was locked down at boot? */
static bool log_says_locked_down(void)
{
	int size = klogctl(SYSLOG_ACTION_SIZE_BUFFER, NULL, 0);
	bool says = false;
	char *log;

	if (size <= 0 || !(log = malloc((size_t)size + 1)))
		return false;
	size = klogctl(SYSLOG_ACTION_READ_ALL, log, size);
	if (size > 0) {
		log[size] = '\0';
		says = strstr(log, "Kernel is locked down from");
	}
	free(log);
	return says;
}

/*
 * The mode of kernel_lockdown(7): what is in brackets in a file of securityfs
 * ("none [integrity] confidentiality"), or where that is not mounted, what
 * can be told from the log. "" if it is not locked down.
 */
static void lockdown_mode(char *mode, size_t size)
{
	FILE *f = fopen("/sys/kernel/security/lockdown", "re");
	char line[128], *open, *close;

	mode[0] = '\0';
	if (!f) {
		if (log_says_locked_down())
			snprintf(mode, size, "says its log");
		return;
	}
	if (fgets(line, sizeof(line), f) && (open = strchr(line, '[')) &&
	    (close = strchr(open, ']'))) {
		*close = '\0';
		if (strcmp(open + 1, "none") != 0)
			snprintf(mode, size, "%s", open + 1);
	}
	fclose(f);
}

/*
 * The line that says what went wrong: the verifier's last before its sums, or
 * else the last that libbpf said before it gave up the object.
 */
static void telling_line(const char *said, char *out, size_t size)
{
	const char *line = said, *end;

	out[0] = '\0';
	for (; *line; line = *end ? end + 1 : end) {
		end = strchrnul(line, '\n');
		if (strncmp(line, "processed ", 10) == 0 ||
		    strncmp(line, "libbpf: failed to load object", 29) == 0)
			break;
		if (end > line)
			snprintf(out, size, "%.*s", (int)(end - line), line);
	}
}

/* BPF asks the initial user namespace, whose inode number is fixed. */
static bool in_user_namespace(void)
{
	static const ino_t initial = 0xeffffffd; /* PROC_USER_INIT_INO */
	struct stat st;

	return stat("/proc/self/ns/user", &st) == 0 && st.st_ino != initial;
}

/* Before 5.11 maps count as locked memory. */
static bool memory_may_be_locked(void)
{
	struct rlimit r;

	return rights_have_resource() || getrlimit(RLIMIT_MEMLOCK, &r) ||
	       r.rlim_cur == RLIM_INFINITY;
}

static void explain_eperm(struct reason *why, const char *backend)
{
	char mode[32];

	lockdown_mode(mode, sizeof(mode));
	if (in_user_namespace())
		reason_set(why, "run it outside of the container",
			   "not permitted in a user namespace: BPF asks for "
			   "the host's capabilities");
	else if (mode[0])
		reason_set(why, "none while it is locked down",
			   "refused (EPERM): the kernel is locked down (%s) "
			   "and does not load %s programs",
			   mode, backend);
	else if (!memory_may_be_locked())
		reason_set(why,
			   "CAP_SYS_RESOURCE, or a higher RLIMIT_MEMLOCK "
			   "(ulimit -l)",
			   "refused (EPERM): on kernels before 5.11 the limit "
			   "of locked memory is too low for the maps");
	else
		reason_set(why, "look for a security module's policy",
			   "refused (EPERM) although all capabilities are "
			   "there: something keeps the kernel from loading %s "
			   "programs",
			   backend);
}

void explain_load(struct reason *why, const char *backend, int error,
		  const char *said)
{
	char missing[128], line[256];

	rights_missing(RIGHTS_BPF, missing, sizeof(missing));
	if (missing[0]) {
		reason_set(why,
			   "run it as root, or give nm-collect the "
			   "capabilities of nm-collect(8)",
			   "not permitted without %s", missing);
		return;
	}
	if (error == EPERM) {
		explain_eperm(why, backend);
		return;
	}
	telling_line(said, line, sizeof(line));
	reason_set(why, "please report it, with the output of nm-collect -vv",
		   "%s%s%s", strerror(error), line[0] ? ": " : "", line);
}
