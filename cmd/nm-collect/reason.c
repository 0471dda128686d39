// SPDX-License-Identifier: MIT
/*
 * The true reason of a refusal. The kernel says EPERM for many things, so
 * each is tried or looked at by itself; what cannot be told is said to be so.
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

#include <bpf/bpf.h>

#include "rights.h"

/* syslog(2); no header of libc has them */
#define SYSLOG_ACTION_READ_ALL	  3
#define SYSLOG_ACTION_SIZE_BUFFER 10

#define LOCKDOWN_FILE "/sys/kernel/security/lockdown"

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

/*
 * Does the kernel's log say that it was locked down? 1, 0, or -1 with errno
 * if it cannot be read. The log is a ring: if its beginning is gone (ENODATA),
 * that it says nothing tells nothing.
 */
static int log_says_locked_down(void)
{
	int size = klogctl(SYSLOG_ACTION_SIZE_BUFFER, NULL, 0);
	int says = -1;
	char *log;

	if (size <= 0 || !(log = malloc((size_t)size + 1)))
		return -1;
	size = klogctl(SYSLOG_ACTION_READ_ALL, log, size);
	if (size >= 0) {
		log[size] = '\0';
		if (strstr(log, "Kernel is locked down from"))
			says = 1;
		else if (strstr(log, "Linux version "))
			says = 0;
		else
			errno = ENODATA;
	}
	free(log);
	return says;
}

enum lockdown {
	LOCKDOWN_NO,
	LOCKDOWN_YES,
	LOCKDOWN_UNKNOWN
};

/*
 * kernel_lockdown(7): the mode is in brackets in a file of securityfs ("none
 * [integrity] confidentiality"); where that is not mounted, the log may tell.
 * If neither does, `text` is why not, instead of the mode.
 */
static enum lockdown lockdown(char *text, size_t size)
{
	FILE *f = fopen(LOCKDOWN_FILE, "re");
	int file_error = errno, logged;
	char line[128], *open, *close;
	enum lockdown found = LOCKDOWN_NO;

	if (!f) {
		logged = log_says_locked_down();
		if (logged < 0)
			snprintf(text, size, "%s: %s; its log: %s",
				 LOCKDOWN_FILE, strerror(file_error),
				 strerror(errno));
		else
			snprintf(text, size, "says its log");
		return logged < 0 ? LOCKDOWN_UNKNOWN
		       : logged	  ? LOCKDOWN_YES
				  : LOCKDOWN_NO;
	}
	if (fgets(line, sizeof(line), f) && (open = strchr(line, '[')) &&
	    (close = strchr(open, ']'))) {
		*close = '\0';
		snprintf(text, size, "%s", open + 1);
		if (strcmp(open + 1, "none") != 0)
			found = LOCKDOWN_YES;
	}
	fclose(f);
	return found;
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

/*
 * May a map of so many KiB be made? Nothing is allocated for entries that are
 * not there, but kernels that count maps as locked memory count all of them.
 */
static bool may_have_map(uint64_t kib)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
	int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "nm_try", 4, 1024,
				(uint32_t)kib, &opts);

	if (fd >= 0)
		close(fd);
	return fd >= 0 || errno != EPERM;
}

#define SMALL_MAP_KIB 8

/*
 * Before 5.11 maps count as locked memory. Such a kernel refuses a map that
 * is larger than the limit, but not a small one. A limit beyond 1 GiB is not
 * what kept our maps from being made. libbpf has tried to raise the limit.
 */
static bool memory_is_locked(void)
{
	struct rlimit r;
	uint64_t limit_kib;

	if (getrlimit(RLIMIT_MEMLOCK, &r) || r.rlim_cur >= 1 << 30)
		return false;
	limit_kib = r.rlim_cur / 1024;
	return !may_have_map(limit_kib + 1) &&
	       (limit_kib < 2 * SMALL_MAP_KIB || may_have_map(SMALL_MAP_KIB));
}

/*
 * Does the kernel know this helper, for tracing? The registers suit those
 * that write to (pointer, size, ...) and those without arguments.
 */
static bool may_call(enum bpf_func_id helper)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, /* to: the stack */
		  .dst_reg = BPF_REG_1,
		  .src_reg = BPF_REG_10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K,
		  .dst_reg = BPF_REG_1,
		  .imm = -8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K,
		  .dst_reg = BPF_REG_2,
		  .imm = 8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3 },
		{ .code = BPF_JMP | BPF_CALL, .imm = (int)helper },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "nm_try", "GPL",
			       insns, sizeof(insns) / sizeof(insns[0]), NULL);

	if (fd >= 0)
		close(fd);
	return fd >= 0 || errno != EINVAL;
}

/*
 * A kernel that is locked down for confidentiality does not know the helper
 * that reads its memory. Those before 5.11 cannot be traced without it; the
 * other helper came with 5.11.
 */
static bool reading_is_locked(void)
{
	return !may_call(BPF_FUNC_probe_read_kernel) &&
	       !may_call(BPF_FUNC_ktime_get_coarse_ns);
}

static void explain_eperm(struct reason *why, const char *backend,
			  const char *said)
{
	bool refused_program = strstr(said, BPF_PROGRAM_REFUSED);
	enum lockdown locked;
	char text[128];

	if (in_user_namespace()) {
		reason_set(why, "run it outside of the container",
			   "not permitted in a user namespace: BPF asks for "
			   "the host's capabilities");
		return;
	}
	if (!refused_program && memory_is_locked()) {
		reason_set(why,
			   "CAP_SYS_RESOURCE, or a higher RLIMIT_MEMLOCK "
			   "(ulimit -l)",
			   "refused (EPERM): on kernels before 5.11 the limit "
			   "of locked memory is too low for the maps");
		return;
	}
	/* A lockdown allows maps: where not even those are, it is not that. */
	locked = may_have_map(SMALL_MAP_KIB) ? lockdown(text, sizeof(text))
					     : LOCKDOWN_NO;
	if (locked == LOCKDOWN_YES)
		reason_set(why, "none while it is locked down",
			   "refused (EPERM): the kernel is locked down (%s) "
			   "and does not load %s programs",
			   text, backend);
	else if (locked == LOCKDOWN_UNKNOWN)
		reason_set(why,
			   "as root, nm-collect --probe can see it, or dmesg | "
			   "grep 'locked down'; if it is not, look for a "
			   "security module's policy",
			   "refused (EPERM) although all capabilities are "
			   "there: the kernel may be locked down, but that "
			   "cannot be read (%s)",
			   text);
	else
		reason_set(why,
			   "look for a seccomp filter, or a security module's "
			   "policy",
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
		explain_eperm(why, backend, said);
		return;
	}
	if (error == EINVAL && reading_is_locked()) {
		reason_set(why,
			   "a kernel from 5.11 on, or none while it is locked "
			   "down",
			   "%s: the kernel is locked down (confidentiality) "
			   "and does not let BPF programs read its memory",
			   strerror(error));
		return;
	}
	telling_line(said, line, sizeof(line));
	reason_set(why, "please report it, with the output of nm-collect -vv",
		   "%s%s%s", strerror(error), line[0] ? ": " : "", line);
}
