// SPDX-License-Identifier: MIT
/*
 * Looking into the state of Docker, Podman, containerd, CRI-O and the kubelet.
 */
#include "names.h"

#include <dirent.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "podman.h"
#include "state.h"

static const char *root_dir = "";

void names_root(const char *root)
{
	root_dir = root;
}

const char *names_path(const char *fmt, ...)
{
	static char path[4096];
	size_t n = strlen(root_dir);
	va_list args;
	int more;

	if (n >= sizeof(path))
		return NULL;
	memcpy(path, root_dir, n);
	va_start(args, fmt);
	more = vsnprintf(path + n, sizeof(path) - n, fmt, args);
	va_end(args);
	return more >= 0 && (size_t)more < sizeof(path) - n ? path : NULL;
}

static void set(char *to, size_t size, const char *name)
{
	if (name && name[0])
		snprintf(to, size, "%s", name);
}

/* Until its name is known, how its id begins is there. */
static bool container_known(const struct place *p)
{
	return strncmp(p->container_id, p->container, strlen(p->container)) !=
	       0;
}

/* Likewise its uid. */
static bool pod_known(const struct place *p)
{
	return strcmp(p->pod, p->pod_uid) != 0;
}

/* --- Docker: a file of each container, whose name begins with a slash --- */

static void ask_docker(struct place *p)
{
	const char *path =
		names_path("/var/lib/docker/containers/%s/config.v2.json",
			   p->container_id);
	json_t *config = state_load(path, 0);
	const char *name = json_string_value(json_object_get(config, "Name"));

	if (name)
		set(p->container, sizeof(p->container),
		    name + (name[0] == '/'));
	json_decref(config);
}

/* --- The kubelet: folders and links that everybody may list --- */

/* NAMESPACE_POD_UID; neither a namespace nor a pod has a "_" in its name. */
static void find_pod(struct place *p)
{
	const char *path = names_path("/var/log/pods");
	DIR *dir = path ? opendir(path) : NULL;
	struct dirent *d;

	if (!dir)
		return;
	while ((d = readdir(dir))) {
		char *pod = strchr(d->d_name, '_');
		char *uid = pod ? strchr(pod + 1, '_') : NULL;

		if (!uid || strcmp(uid + 1, p->pod_uid) != 0)
			continue;
		*pod++ = *uid = '\0';
		set(p->pod_namespace, sizeof(p->pod_namespace), d->d_name);
		set(p->pod, sizeof(p->pod), pod);
		break;
	}
	closedir(dir);
}

/* POD_NAMESPACE_CONTAINER-ID.log */
static void find_container(struct place *p)
{
	const char *path = names_path("/var/log/containers");
	DIR *dir = path ? opendir(path) : NULL;
	char end[CONTAINER_ID + 8];
	struct dirent *d;
	int n;

	if (!dir)
		return;
	n = snprintf(end, sizeof(end), "-%s.log", p->container_id);
	while ((d = readdir(dir))) {
		size_t len = strlen(d->d_name);
		char *name;

		if (len <= (size_t)n ||
		    strcmp(d->d_name + len - (size_t)n, end) != 0)
			continue;
		d->d_name[len - (size_t)n] = '\0';
		name = strrchr(d->d_name, '_');
		if (name)
			set(p->container, sizeof(p->container), name + 1);
		break;
	}
	closedir(dir);
}

/* --- containerd and CRI-O: what they told the runtime (OCI) to start --- */

static const char *annotation(const json_t *spec, const char *key)
{
	const json_t *all = json_object_get(spec, "annotations");

	return json_string_value(json_object_get(all, key));
}

struct keys {
	const char *container, *pod, *pod_namespace;
};

/*
 * Each engine's own, and only where it writes: the rest of what is there may be
 * copied from the author of a pod. CRI-O's are the kubelet's labels.
 */
static const struct keys of_containerd = {
	"io.kubernetes.cri.container-name",
	"io.kubernetes.cri.sandbox-name",
	"io.kubernetes.cri.sandbox-namespace",
};
static const struct keys of_nerdctl = { .container = "nerdctl/name" };
static const struct keys of_crio = {
	"io.kubernetes.container.name",
	"io.kubernetes.pod.name",
	"io.kubernetes.pod.namespace",
};

static void take_annotations(const json_t *spec, const struct keys *keys,
			     struct place *p)
{
	if (!container_known(p))
		set(p->container, sizeof(p->container),
		    annotation(spec, keys->container));
	if (!keys->pod || pod_known(p))
		return;
	set(p->pod, sizeof(p->pod), annotation(spec, keys->pod));
	set(p->pod_namespace, sizeof(p->pod_namespace),
	    annotation(spec, keys->pod_namespace));
}

/* The folder of a container is below one of its namespace, or driver. */
static void find_spec(struct place *p, const char *pattern,
		      const struct keys *keys)
{
	json_t *spec;
	glob_t g;

	if (!pattern || glob(pattern, 0, NULL, &g))
		return;
	for (size_t i = 0; i < g.gl_pathc; i++) {
		spec = state_load(g.gl_pathv[i], 0);
		take_annotations(spec, keys, p);
		json_decref(spec);
	}
	globfree(&g);
}

/* The kubelet's containers are in the namespace k8s.io of containerd. */
static void ask_containerd(struct place *p, const char *space,
			   const struct keys *keys)
{
	static const char *const runs[] = { "/run", "/run/k3s" };

	for (size_t i = 0; i < 2; i++)
		find_spec(p,
			  names_path("%s/containerd/io.containerd.runtime.v2"
				     ".task/%s/%s/config.json",
				     runs[i], space, p->container_id),
			  keys);
}

/* Podman has files where CRI-O has, but no pods of the kubelet's. */
static void ask_runtime(struct place *p)
{
	ask_containerd(p, "k8s.io", &of_containerd);
	if (p->engine != ENGINE_KUBERNETES)
		ask_containerd(p, "*", &of_nerdctl);
	else
		find_spec(p,
			  names_path("/run/containers/storage/*-containers/%s/"
				     "userdata/config.json",
				     p->container_id),
			  &of_crio);
}

static void ask_podman(struct place *p, uint64_t now_us)
{
	set(p->container, sizeof(p->container), podman_name(p, now_us));
}

void names_of(struct place *p, uint64_t now_us)
{
	/* Whoever it is made the path below the slice, and may lie in it. */
	if (p->of_user) {
		if (p->container_id[0])
			ask_podman(p, now_us);
		return;
	}
	if (p->pod_uid[0])
		find_pod(p);
	if (!p->container_id[0])
		return;
	if (p->engine == ENGINE_DOCKER || p->engine == ENGINE_OTHER)
		ask_docker(p);
	if (p->engine == ENGINE_PODMAN || p->engine == ENGINE_OTHER)
		ask_podman(p, now_us);
	if (p->engine == ENGINE_KUBERNETES)
		find_container(p);
	if (!names_known(p) &&
	    (p->engine == ENGINE_KUBERNETES || p->engine == ENGINE_OTHER))
		ask_runtime(p);
}

bool names_known(const struct place *p)
{
	return (!p->container_id[0] || container_known(p)) &&
	       (!p->pod_uid[0] || pod_known(p));
}
