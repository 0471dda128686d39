// SPDX-License-Identifier: MIT
/*
 * The paths of cgroups. With systemd's driver an engine names a scope
 * (docker-ID.scope), with cgroupfs a directory (docker/ID); the kubelet puts
 * those of a pod into one of its own (kubepods-burstable-podUID.slice, or
 * kubepods/burstable/podUID).
 */
#include "place.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* As much of an id as people write. */
#define SHORT_ID 12

/* A piece of the path, between slashes; and the one before it. */
struct walk {
	struct place *place;
	char slice[256]; /* the innermost */
	char last[256];
};

static bool begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

/* Cuts the end off, if it is that. */
static bool cut(char *s, const char *end)
{
	size_t n = strlen(s), e = strlen(end);

	if (n <= e || strcmp(s + n - e, end) != 0)
		return false;
	s[n - e] = '\0';
	return true;
}

static bool is_hex(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isdigit((unsigned char)s[i]) && (s[i] < 'a' || s[i] > 'f'))
			return false;
	return s[n] == '\0';
}

static bool is_id(const char *s)
{
	return strlen(s) == CONTAINER_ID && is_hex(s, CONTAINER_ID);
}

static void copy(char *to, size_t size, const char *from)
{
	size_t n = strnlen(from, size - 1);

	memcpy(to, from, n);
	to[n] = '\0';
}

#define COPY(to, from) copy(to, sizeof(to), from)

/* --- Containers --- */

static void enter_named(struct place *p, const char *name)
{
	COPY(p->container, name);
	p->container_id[0] = '\0';
	p->unit[0] = '\0';
	p->engine = ENGINE_NONE;
}

static void enter_id(struct place *p, const char *id, enum engine engine)
{
	COPY(p->container_id, id);
	copy(p->container, SHORT_ID + 1, id);
	p->unit[0] = '\0';
	p->engine = p->pod_uid[0] ? ENGINE_KUBERNETES : engine;
}

/* "docker-ID" and the like: how each engine begins the name of a scope. */
static bool take_prefixed(struct place *p, const char *name)
{
	static const struct {
		const char *prefix;
		enum engine engine;
	} known[] = {
		{ "docker-", ENGINE_DOCKER },
		{ "libpod-payload-", ENGINE_PODMAN },
		{ "libpod-", ENGINE_PODMAN },
		{ "crio-", ENGINE_KUBERNETES },
		{ "cri-containerd-", ENGINE_KUBERNETES },
		{ "cri-containerd:", ENGINE_KUBERNETES },
		{ "nerdctl-", ENGINE_OTHER },
		{ "containerd-", ENGINE_OTHER },
	};
	char unit[sizeof(p->unit)];

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		const char *id = name + strlen(known[i].prefix);

		if (begins(name, known[i].prefix) && is_id(id)) {
			COPY(unit, p->unit);
			enter_id(p, id, known[i].engine);
			/* Podman inside a unit that somebody wrote for it. */
			if (begins(name, "libpod-payload-"))
				COPY(p->unit, unit);
			return true;
		}
	}
	return false;
}

/* systemd writes what a unit's name may not have as \x2d. */
static void unescape(char *to, size_t size, const char *from)
{
	size_t n = 0;

	while (*from && n + 1 < size) {
		char hex[3] = { 0 };

		if (begins(from, "\\x") && isxdigit((unsigned char)from[2]) &&
		    isxdigit((unsigned char)from[3])) {
			memcpy(hex, from + 2, 2);
			to[n++] = (char)strtoul(hex, NULL, 16);
			from += 4;
		} else {
			to[n++] = *from++;
		}
	}
	to[n] = '\0';
}

/*
 * Containers that systemd-machined knows, as systemd-nspawn(1)'s. A virtual
 * machine is none.
 */
static bool take_machine(struct place *p, const char *last, const char *unit)
{
	static const char scope[] = "machine-", nspawn[] = "systemd-nspawn@";
	char name[256];

	if (strcmp(last, "machine.slice") != 0)
		return false;
	if (begins(unit, scope))
		unescape(name, sizeof(name), unit + strlen(scope));
	else if (begins(unit, nspawn))
		unescape(name, sizeof(name), unit + strlen(nspawn));
	else
		return false;
	if (begins(name, "qemu-"))
		return false;
	enter_named(p, name);
	return true;
}

/* LXC, LXD and Incus. Their monitors are not in the container. */
static bool take_lxc(struct place *p, const char *last, const char *name)
{
	if (begins(name, "lxc.payload.")) {
		enter_named(p, name + strlen("lxc.payload."));
		return true;
	}
	if (strcmp(last, "lxc") == 0 || strcmp(last, "lxc.payload") == 0) {
		enter_named(p, name);
		return true;
	}
	return false;
}

/* --- Pods --- */

/* A uid with dashes; or, of a pod that a file describes, 32 digits. */
static bool is_uid(const char *s)
{
	size_t n = strlen(s);

	if (n == 32)
		return is_hex(s, 32);
	if (n != 36)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s[i] != '-' : !isxdigit((unsigned char)s[i]))
			return false;
	}
	return true;
}

static bool take_pod(struct place *p, const char *name)
{
	char uid[64];

	COPY(uid, name);
	/* A dash in a slice's name is a step down. */
	for (char *c = uid; *c; c++)
		if (*c == '_')
			*c = '-';
	if (!is_uid(uid))
		return false;
	COPY(p->pod_uid, uid);
	COPY(p->pod, uid);
	p->pod_namespace[0] = '\0';
	p->container[0] = p->container_id[0] = p->unit[0] = '\0';
	return true;
}

/* kubepods-podUID, kubepods-burstable-podUID, kubelet-kubepods-…-podUID */
static bool take_pod_slice(struct place *p, const char *slice)
{
	const char *pod = strstr(slice, "-pod");

	/* The last: what is before is the administrator's to choose. */
	for (const char *next = pod; next; next = strstr(next + 1, "-pod"))
		pod = next;
	return strstr(slice, "kubepods") && pod &&
	       take_pod(p, pod + strlen("-pod"));
}

/* --- The walk --- */

static void take_slice(struct walk *w, char *name)
{
	struct place *p = w->place;
	const char *digits = name + strlen("user-");
	unsigned long uid;
	char *end;

	COPY(w->slice, name);
	p->unit[0] = '\0';
	if (!cut(name, ".slice") || take_pod_slice(p, name) ||
	    !begins(name, "user-") || !isdigit((unsigned char)*digits))
		return;
	/* The outermost: users make their own below theirs, and so do
	 * containers. */
	if (p->of_user || p->container[0] || p->pod[0])
		return;
	uid = strtoul(digits, &end, 10);
	p->of_user = !*end && uid <= UINT32_MAX;
	p->uid = uid;
}

static const char *const kinds[] = { ".service", ".scope", ".socket", ".mount",
				     ".swap" };

static bool is_unit(const char *name)
{
	char copy_of[256];

	COPY(copy_of, name);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (cut(copy_of, kinds[i]))
			return true;
	return false;
}

static void take_unit(struct walk *w, const char *unit)
{
	struct place *p = w->place;
	char name[256];

	COPY(name, unit);
	if ((cut(name, ".scope") || cut(name, ".service")) &&
	    (take_prefixed(p, name) || take_machine(p, w->last, name)))
		return;
	COPY(p->unit, unit);
}

static bool is_slice(const char *name)
{
	char copy_of[256];

	COPY(copy_of, name);
	return cut(copy_of, ".slice");
}

/* runc with systemd's paths and the other driver: SLICE:ENGINE:ID */
static bool take_colons(struct walk *w, char *name)
{
	char *colon = strchr(name, ':');

	if (!colon || !is_id(strrchr(name, ':') + 1))
		return false;
	*colon = '\0';
	take_slice(w, name);
	return take_prefixed(w->place, colon + 1);
}

static void take(struct walk *w, char *name)
{
	struct place *p = w->place;

	if (take_colons(w, name))
		return;
	if (is_slice(name)) {
		take_slice(w, name);
	} else if (is_unit(name)) {
		take_unit(w, name);
	} else if (is_id(name)) {
		enter_id(p, name,
			 strcmp(w->last, "docker") == 0 ? ENGINE_DOCKER
							: ENGINE_OTHER);
	} else if (begins(name, "pod") && take_pod(p, name + 3)) {
		;
	} else if (!take_prefixed(p, name)) {
		take_lxc(p, w->last, name);
	}
}

void place_of(const char *cgroup, struct place *p)
{
	struct walk w = { .place = p };
	char name[256];

	memset(p, 0, sizeof(*p));
	while (*cgroup) {
		size_t n = strcspn(cgroup, "/");

		if (n && n < sizeof(name)) {
			memcpy(name, cgroup, n);
			name[n] = '\0';
			take(&w, name);
			copy(w.last, n + 1, cgroup);
		}
		cgroup += n + (cgroup[n] == '/');
	}
	/* Right in a slice, and in nothing smaller. */
	if (!p->unit[0] && !p->container[0] && !p->pod[0])
		COPY(p->unit, w.slice);
}
