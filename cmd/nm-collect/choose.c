// SPDX-License-Identifier: MIT
/*
 * Which backend counts, and what is to be known about that.
 */
#include "choose.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emit.h"
#include "netns-choice.h"
#include "options.h"
#include "rights.h"

/* Best first. */
static const struct backend *const backends[] = {
	&backend_fexit,
	&backend_tp,
	&backend_cgroup,
	&backend_diag,
};
#define BACKENDS (sizeof(backends) / sizeof(backends[0]))

static void print_works(const struct backend *b, const struct settings *s)
{
	const char *no_wire = b->no_wire && !s->no_wire ? b->no_wire() : NULL;

	printf("%-6s yes  %s\n", b->name, b->what);
	if (no_wire)
		printf("%11s packets are not counted: %s\n", "", no_wire);
}

static void print_fails(const struct backend *b, const struct reason *why)
{
	printf("%-6s no   %s\n", b->name, why->what);
	if (why->remedy[0])
		printf("%11s remedy: %s\n", "", why->remedy);
}

int choose_probe(const struct settings *s)
{
	size_t works = 0;

	for (size_t i = 0; i < BACKENDS; i++) {
		struct reason why = { 0 };

		if (backends[i]->start(s, &why)) {
			print_fails(backends[i], &why);
			continue;
		}
		works++;
		print_works(backends[i], s);
		backends[i]->stop();
	}
	return works ? NM_EXIT_OK : NM_EXIT_CANNOT;
}

/* Why the better ones were passed over, for the notices. */
static struct reason refused[BACKENDS];

static void warn_refused(size_t i)
{
	warnx("backend %s: %s (remedy: %s)", backends[i]->name, refused[i].what,
	      refused[i].remedy);
}

/* A ledger that was asked for is of packets. */
static void check_ledger(const struct backend *b)
{
	const char *why = b == &backend_diag ? "backend diag cannot"
			  : b->no_wire	     ? b->no_wire()
					     : NULL;

	if (!why || !netns_choice_any())
		return;
	/* Each of the others could have. */
	for (size_t i = 0; b == &backend_diag && backends[i] != b; i++)
		warn_refused(i);
	warnx("--netns: packets are not counted: %s", why);
	b->stop();
	exit(NM_EXIT_CANNOT);
}

const struct backend *choose_start(const struct settings *s, const char *wanted)
{
	for (size_t i = 0; i < BACKENDS; i++) {
		const struct backend *b = backends[i];

		if (wanted && strcmp(wanted, b->name) != 0)
			continue;
		if (b->start(s, &refused[i]) == 0) {
			check_ledger(b);
			return b;
		}
		if (wanted || s->verbose || i == BACKENDS - 1)
			warn_refused(i);
	}
	return NULL;
}

/*
 * That tp is used instead of fexit is for information only: it is as exact.
 * Where less is seen, that is what a user must know first; it comes last, with
 * the reason of the best, because viewers show the last warning.
 */
static void tell_refused(const struct backend *used)
{
	size_t i = 0;

	while (backends[i] != used)
		i++;
	while (i--) {
		const char *name = backends[i]->name;
		const struct reason *why = &refused[i];

		if (i == 0 && used->lacks)
			emit_notice("warning", "backend",
				    "%s (%s is used, not %s: %s); remedy: %s",
				    used->lacks(), used->name, name, why->what,
				    why->remedy);
		else
			emit_notice("info", "backend",
				    "%s is used, not %s: %s; remedy: %s",
				    used->name, name, why->what, why->remedy);
	}
}

/* Where packets are not counted though nobody asked for it. */
static void tell_wire(const struct backend *used, const struct settings *s)
{
	const char *why = used->no_wire ? used->no_wire() : NULL;

	if (why && !s->no_wire)
		emit_notice("info", "wire", "packets are not counted: %s", why);
}

/* Who asked for first bytes must know that none come. */
static void tell_peek(const struct backend *used, const struct settings *s)
{
	const char *why = used == &backend_diag ? "backend diag sees no packets"
			  : used->no_wire	? used->no_wire()
						: NULL;

	if (why && s->peek_bytes)
		emit_notice("info", "peek", "no first bytes of flows: %s", why);
}

static void tell_cmdline(const struct backend *used, const struct settings *s)
{
	if (used == &backend_diag && s->cmdline_bytes)
		emit_notice("info", "cmdline",
			    "no command lines of programs: backend diag sees "
			    "none begin");
}

static void tell_rights(const struct backend *used, const char *wanted)
{
	char missing[128];

	if (used == &backend_tp && !rights_have_net_admin())
		emit_notice("warning", "rights",
			    "the remote side of datagrams on sockets that are "
			    "not connected, and the end of such sockets, are "
			    "not to be seen without CAP_NET_ADMIN");
	rights_missing(RIGHTS_NAMES, missing, sizeof(missing));
	if (missing[0])
		emit_notice("warning", "rights",
			    "paths of programs and cgroups are not all to be "
			    "seen without %s",
			    missing);
	/* If it was not asked for, what it lacks is told. */
	if (wanted && used->all_netns && !used->all_netns())
		emit_notice("warning", "rights",
			    "what is in other network namespaces is not to be "
			    "seen without CAP_SYS_ADMIN");
}

void choose_tell(const struct backend *used, const struct settings *s,
		 const char *wanted)
{
	tell_rights(used, wanted);
	tell_wire(used, s);
	tell_peek(used, s);
	tell_cmdline(used, s);
	if (!wanted)
		tell_refused(used);
}
