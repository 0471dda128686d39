// SPDX-License-Identifier: MIT
/*
 * Who it is: the user, the parent and the command line of a process, the
 * service, container or pod that it runs in, and what the other side is called.
 *
 * reads: type ts_us boot_id pid start_us uid cgroup parent cmdline raddr
 *        server_name name addr ttl_s
 * adds:  user parent cmdline unit container container_id pod namespace rhost
 *        rhost_source
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "filter.h"
#include "hosts.h"
#include "names.h"
#include "place.h"
#include "podman.h"
#include "process.h"
#include "text.h"

/* As many are remembered. */
#define PROCESSES 16384
#define USERS	  4096
#define PLACES	  1024

#define CMDLINE_MAX 4096

static const char *root = "";
static bool no_cmdline;
static uint64_t cmdline_limit = 256;
static bool no_dns;
static const char *dns_server;

static const struct nm_option options[] = {
	{ .name = "no-cmdline",
	  .help = "leave out command lines, which may hold secrets",
	  .kind = NM_OPT_FLAG,
	  .into = &no_cmdline },
	{ .name = "cmdline-max",
	  .arg = "BYTES",
	  .help = "cut command lines to this length (256)",
	  .kind = NM_OPT_UINT,
	  .into = &cmdline_limit,
	  .min = 1,
	  .max = CMDLINE_MAX },
	{ .name = "no-dns",
	  .help = "do not ask DNS what addresses are called",
	  .kind = NM_OPT_FLAG,
	  .into = &no_dns },
	{ .name = "dns-server",
	  .arg = "ADDR",
	  .help = "ask this one, ADDR or ADDR:PORT, not the system's",
	  .kind = NM_OPT_STRING,
	  .into = &dns_server },
	{ .name = "root",
	  .arg = "DIR",
	  .help = "look for /proc, /etc and /var below this folder",
	  .kind = NM_OPT_STRING,
	  .into = &root },
	{ 0 }
};

static const struct nm_program program = {
	.name = "nm-resolve",
	.synopsis = "[OPTION]…",
	.summary = "say which user, service, container, pod and host it is",
	.options = options,
	.examples =
		"  nm-collect | nm-resolve | jq -c 'select(.container)'\n"
		"  nm-collect -c 60 | nm-resolve --no-cmdline >minute.ndjson\n",
	.filter = true,
};

struct process_key {
	uint64_t pid, start_us;
};

/* What is kept of a process, read at its first record. */
struct known {
	char parent[64];
	char *cmdline; /* NULL: not known */
};

struct cgroup_key {
	char path[512];
};

struct inhabited {
	struct place place;
	uint64_t again_us; /* look for its names at this time of the stream */
	unsigned int tries;
};

struct user {
	char name[64];
};

/* Of another machine, and another boot of this one, nothing is known here. */
static struct {
	bool foreign;
	struct nm_cache *processes, *users, *places;
} resolve;

static void free_known(const void *key, void *value)
{
	(void)key;
	free(((struct known *)value)->cmdline);
}

static void forget_all(void)
{
	nm_cache_free(resolve.processes);
	nm_cache_free(resolve.users);
	nm_cache_free(resolve.places);
	resolve.processes = nm_cache_new(PROCESSES, sizeof(struct process_key),
					 sizeof(struct known), free_known);
	resolve.users = nm_cache_new(USERS, sizeof(uint64_t),
				     sizeof(struct user), NULL);
	resolve.places = nm_cache_new(PLACES, sizeof(struct cgroup_key),
				      sizeof(struct inhabited), NULL);
}

/* --- The stream's machine --- */

/* A folder that stands for a machine need not say which it is. */
static bool is_boot(const char *boot_id)
{
	const char *path = names_path("/proc/sys/kernel/random/boot_id");
	FILE *file = path ? fopen(path, "re") : NULL;
	char ours[64] = "";

	if (!file)
		return root[0];
	if (!fgets(ours, sizeof(ours), file))
		ours[0] = '\0';
	fclose(file);
	ours[strcspn(ours, "\n")] = '\0';
	return strcmp(ours, boot_id) == 0;
}

static void on_start(const struct nm_record *r)
{
	char boot_id[64];

	resolve.foreign = nm_get_str(r, "boot_id", boot_id, sizeof(boot_id)) &&
			  !is_boot(boot_id);
	forget_all();
	hosts_forget();
}

/* --- A process --- */

static const char *user_of(uint64_t uid)
{
	const char *name;
	struct user *u;
	bool made;

	u = nm_cache_put(resolve.users, &uid, &made);
	if (made) {
		name = process_user(uid);
		snprintf(u->name, sizeof(u->name), "%s", name ? name : "");
	}
	return u->name;
}

static void read_process(struct known *k, const struct process_key *key)
{
	char cmdline[2 * CMDLINE_MAX] = "", parent[sizeof(k->parent)];
	uint64_t ppid, before;

	/* Of the program before, nothing is true any more. */
	free(k->cmdline);
	k->cmdline = NULL;
	k->parent[0] = '\0';
	if (resolve.foreign || !process_is(key->pid, key->start_us, &before))
		return;
	process_comm(before, parent, sizeof(parent));
	if (!no_cmdline)
		process_cmdline(key->pid, cmdline, sizeof(cmdline),
				cmdline_limit);
	/* It, or its parent, may have ended while we read. */
	if (!process_is(key->pid, key->start_us, &ppid))
		return;
	if (ppid == before)
		memcpy(k->parent, parent, sizeof(parent));
	if (!cmdline[0])
		return;
	k->cmdline = strdup(cmdline);
	if (!k->cmdline)
		err(NM_EXIT_FAIL, NULL);
}

/*
 * What nm-collect saw when the program began. /proc may have more of a command
 * line, as long as it has any; the parent is the one that `ppid` names.
 */
static void take_process(struct known *k, struct nm_record *r)
{
	char cmdline[2 * CMDLINE_MAX], parent[sizeof(k->parent)];

	if (nm_get_str(r, "parent", parent, sizeof(parent)))
		memcpy(k->parent, parent, sizeof(parent));
	if (!no_cmdline && !k->cmdline &&
	    nm_get_str(r, "cmdline", cmdline,
		       sizeof(cmdline) - NM_CMDLINE_ROOM)) {
		nm_cmdline(cmdline, strlen(cmdline), cmdline_limit);
		k->cmdline = strdup(cmdline);
		if (!k->cmdline)
			err(NM_EXIT_FAIL, NULL);
	}
	/* It has the same as all others. */
	nm_drop(r, "cmdline");
}

/*
 * A name may come after the first packet: engines write it about when the
 * container starts. So it is looked for again, in pauses that grow.
 */
#define TRIES_MAX 8

static void look_for_names(const struct nm_record *r, struct inhabited *i)
{
	if (i->tries == TRIES_MAX || r->ts_us < i->again_us)
		return;
	i->again_us = r->ts_us + (1000000ULL << i->tries);
	i->tries++;
	names_of(&i->place, r->ts_us);
	if (names_known(&i->place))
		i->tries = TRIES_MAX;
}

/* NULL: it is in no cgroup, or that is not known. */
static const struct place *place_here(const struct nm_record *r)
{
	struct cgroup_key key = { 0 };
	struct inhabited *i;
	bool made;

	/* One that is cut is another one. */
	if (!nm_get_str(r, "cgroup", key.path, sizeof(key.path)) ||
	    strlen(key.path) > sizeof(key.path) - 5)
		return NULL;
	i = nm_cache_put(resolve.places, &key, &made);
	if (made)
		place_of(key.path, &i->place);
	if (!resolve.foreign)
		look_for_names(r, i);
	return &i->place;
}

static void add(struct nm_record *r, const char *key, const char *value)
{
	if (value[0])
		nm_add_str(r, key, value);
}

static void add_place(struct nm_record *r, const struct place *p)
{
	add(r, "unit", p->unit);
	add(r, "container", p->container);
	add(r, "container_id", p->container_id);
	add(r, "pod", p->pod);
	add(r, "namespace", p->pod_namespace);
}

static enum nm_verdict on_record(struct nm_record *r, void *state)
{
	struct process_key key = { 0 };
	const struct place *place;
	struct known *k;
	uint64_t uid;
	bool made;

	(void)state;
	if (r->type == NM_TYPE_START)
		on_start(r);
	if (r->type == NM_TYPE_DNS)
		hosts_answer(r);
	hosts_add(r);
	if (no_cmdline)
		nm_drop(r, "cmdline");
	if (!nm_get_u64(r, "pid", &key.pid) || !key.pid ||
	    !nm_get_u64(r, "start_us", &key.start_us))
		return NM_KEEP;
	k = nm_cache_put(resolve.processes, &key, &made);
	if (made || nm_is(r, "event", "process_exec"))
		read_process(k, &key);
	if (r->type == NM_TYPE_EVENT)
		take_process(k, r);
	if (!resolve.foreign && nm_get_u64(r, "uid", &uid))
		add(r, "user", user_of(uid));
	add(r, "parent", k->parent);
	if (k->cmdline)
		nm_add_str(r, "cmdline", k->cmdline);
	place = place_here(r);
	if (place)
		add_place(r, place);
	return NM_KEEP;
}

int main(int argc, char **argv)
{
	int status;

	nm_options(&program, argc, argv);
	names_root(root);
	forget_all();
	hosts_open(!no_dns, dns_server);
	status = nm_filter(&program, on_record, NULL);
	nm_cache_free(resolve.processes);
	nm_cache_free(resolve.users);
	nm_cache_free(resolve.places);
	podman_close();
	hosts_close();
	return status;
}
