/* SPDX-License-Identifier: MIT */
/*
 * Where a process runs, by the path of its cgroup alone: systemd, container
 * engines and the kubelet make it of names that they know it by.
 */
#ifndef NM_PLACE_H
#define NM_PLACE_H

#include <stdbool.h>

/* Whose state files know the name of a container. */
enum engine {
	ENGINE_NONE, /* the path has it */
	ENGINE_DOCKER,
	ENGINE_PODMAN,
	ENGINE_KUBERNETES, /* whatever runs it for the kubelet */
	ENGINE_OTHER,
};

#define CONTAINER_ID 64

/* Empty: none, or not known. */
struct place {
	char unit[256];
	char container[256]; /* its name, or how its id begins */
	char container_id[CONTAINER_ID + 1];
	char pod[256]; /* its name, or its uid */
	char pod_namespace[256];
	char pod_uid[40];
	enum engine engine;
	bool of_user; /* below the slice of this user: */
	unsigned long uid;
};

/*
 * Reads the path of a cgroup, of version 1 or 2. The innermost unit, container
 * and pod are told: in a container there may be another, or systemd.
 */
void place_of(const char *cgroup, struct place *p);

#endif
