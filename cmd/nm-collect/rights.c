// SPDX-License-Identifier: MIT
/*
 * nm-collect is the one link of the pipe that needs rights, so it holds them
 * as short as it can: none of those for BPF once everything is attached.
 */
#include "rights.h"

#include <err.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

/* The user and group "nobody" of every Linux; owns nothing. */
#define NOBODY 65534

static const cap_value_t for_bpf[] = { CAP_BPF, CAP_PERFMON };
static const cap_value_t for_names[] = { CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH };

static bool have(cap_value_t cap)
{
	cap_flag_value_t value = CAP_CLEAR;
	cap_t caps = cap_get_proc();

	if (!caps)
		return false;
	cap_get_flag(caps, cap, CAP_EFFECTIVE, &value);
	cap_free(caps);
	return value == CAP_SET;
}

static size_t add_name(cap_value_t cap, char *out, size_t size, size_t len)
{
	char *name = cap_to_name(cap);

	if (!name || len >= size)
		return len;
	for (char *c = name; *c; c++)
		if (*c >= 'a' && *c <= 'z')
			*c -= 'a' - 'A';
	len += (size_t)snprintf(out + len, size - len, "%s%s", len ? ", " : "",
				name);
	cap_free(name);
	return len;
}

void rights_missing(enum rights_for what, char *out, size_t size)
{
	const cap_value_t *list = what == RIGHTS_NAMES ? for_names : for_bpf;
	/* CAP_SYS_ADMIN stands in for both BPF capabilities. */
	bool enough = what != RIGHTS_NAMES && have(CAP_SYS_ADMIN);
	size_t len = 0;

	out[0] = '\0';
	for (int i = 0; i < 2 && !enough; i++)
		if (!have(list[i]))
			len = add_name(list[i], out, size, len);
	if (what == RIGHTS_CGROUP && !have(CAP_NET_ADMIN))
		add_name(CAP_NET_ADMIN, out, size, len);
}

bool rights_have_net_admin(void)
{
	return have(CAP_NET_ADMIN);
}

bool rights_have_sys_admin(void)
{
	return have(CAP_SYS_ADMIN);
}

bool rights_have_sys_ptrace(void)
{
	return have(CAP_SYS_PTRACE);
}

/*
 * Makes these of the permitted capabilities the only permitted ones; with
 * `later`, that one too, but not effective.
 */
static bool keep_only(const cap_value_t *list, int n, const cap_value_t *later)
{
	cap_t now = cap_get_proc(), next = cap_init();
	bool done = false;

	if (!now || !next)
		goto out;
	for (int i = 0; i < n + !!later; i++) {
		const cap_value_t *cap = i < n ? &list[i] : later;
		cap_flag_value_t value;

		if (cap_get_flag(now, *cap, CAP_PERMITTED, &value) ||
		    value == CAP_CLEAR)
			continue;
		cap_set_flag(next, CAP_PERMITTED, 1, cap, CAP_SET);
		if (i < n)
			cap_set_flag(next, CAP_EFFECTIVE, 1, cap, CAP_SET);
	}
	done = cap_set_proc(next) == 0;
out:
	cap_free(now);
	cap_free(next);
	return done;
}

static void become_nobody(void)
{
	if (geteuid() != 0)
		return;
	if (prctl(PR_SET_KEEPCAPS, 1) || setgroups(0, NULL) ||
	    setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		warn("cannot give up the user id 0");
}

void rights_keep_entering(void)
{
	/* CAP_NET_ADMIN: beyond net.core.rmem_max (SO_RCVBUFFORCE). */
	static const cap_value_t needed[] = { CAP_SYS_ADMIN, CAP_NET_ADMIN };

	become_nobody();
	if (!keep_only(needed, 2, NULL))
		_exit(1);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

void rights_drop(bool (*usable)(void))
{
	/* That one, if it is what stood in for CAP_BPF. */
	const cap_value_t bpf = have(CAP_BPF) ? CAP_BPF : CAP_SYS_ADMIN;
	const cap_value_t needed[] = { CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH,
				       bpf };
	bool kept;

	become_nobody();
	kept = keep_only(for_names, 2, usable ? &bpf : NULL);
	if (kept && usable && !usable())
		kept = keep_only(needed, 3, NULL);
	else if (kept)
		kept = keep_only(for_names, 2, NULL);
	if (!kept)
		warn("cannot give up capabilities");
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
