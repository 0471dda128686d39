// SPDX-License-Identifier: MIT
/*
 * Looking into the state of Docker, Podman, containerd, CRI-O and the kubelet.
 */
#include "names.h"

#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* A state file is not that large, and is no pipe that somebody put there. */
#define STATE_MAX (16 << 20)

/* What a file says that root wrote, or this user. NULL: nothing. */
static json_t *load(const char *path, uid_t writer)
{
	int fd = path ? open(path,
			     O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
		      : -1;
	json_t *state = NULL;
	struct stat st;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size <= STATE_MAX &&
	    (st.st_uid == 0 || st.st_uid == writer))
		state = json_loadfd(fd, 0, NULL);
	close(fd);
	return state;
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
	json_t *config = load(path, 0);
	const char *name = json_string_value(json_object_get(config, "Name"));

	if (name)
		set(p->container, sizeof(p->container),
		    name + (name[0] == '/'));
	json_decref(config);
}

/* --- Podman: a list of all containers, for each who runs some --- */

static bool find_in_list(const char *path, uid_t writer, struct place *p)
{
	json_t *list = load(path, writer), *container, *names;
	bool found = false;
	const char *id;
	size_t i;

	json_array_foreach(list, i, container)
	{
		id = json_string_value(json_object_get(container, "id"));
		if (!id || strcmp(id, p->container_id) != 0)
			continue;
		names = json_object_get(container, "names");
		set(p->container, sizeof(p->container),
		    json_string_value(json_array_get(names, 0)));
		found = true;
	}
	json_decref(list);
	return found;
}

static bool find_in_lists(const char *pattern, uid_t writer, struct place *p)
{
	bool found = false;
	glob_t g;

	if (!pattern || glob(pattern, 0, NULL, &g))
		return false;
	for (size_t i = 0; i < g.gl_pathc && !found; i++)
		found = find_in_list(g.gl_pathv[i], writer, p);
	globfree(&g);
	return found;
}

/*
 * By the driver of its storage; a container that goes with its end is apart. In
 * the slice of a user it is that user's, and nobody else's list is believed.
 */
static void ask_podman(struct place *p)
{
	static const char *const homes[] = { "/home/*/.local/share",
					     "/root/.local/share" };
	static const char files[] = "%s/containers/storage/*-containers/"
				    "*containers.json";

	if (!p->of_user)
		find_in_lists(names_path(files, "/var/lib"), 0, p);
	for (size_t i = 0; p->of_user && i < 2; i++)
		if (find_in_lists(names_path(files, homes[i]), (uid_t)p->uid,
				  p))
			return;
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

/* containerd's keys, CRI-O's, which are the kubelet's labels, and nerdctl's. */
static void take_annotations(const json_t *spec, struct place *p)
{
	static const char *const keys[][3] = {
		{ "io.kubernetes.cri.container-name",
		  "io.kubernetes.cri.sandbox-name",
		  "io.kubernetes.cri.sandbox-namespace" },
		{ "io.kubernetes.container.name", "io.kubernetes.pod.name",
		  "io.kubernetes.pod.namespace" },
		{ "nerdctl/name", "", "" },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (!container_known(p))
			set(p->container, sizeof(p->container),
			    annotation(spec, keys[i][0]));
		if (pod_known(p))
			continue;
		set(p->pod, sizeof(p->pod), annotation(spec, keys[i][1]));
		set(p->pod_namespace, sizeof(p->pod_namespace),
		    annotation(spec, keys[i][2]));
	}
}

/* The folder of a container is below one of its namespace, or driver. */
static void find_spec(struct place *p, const char *pattern)
{
	json_t *spec;
	glob_t g;

	if (!pattern || glob(pattern, 0, NULL, &g))
		return;
	for (size_t i = 0; i < g.gl_pathc; i++) {
		spec = load(g.gl_pathv[i], 0);
		take_annotations(spec, p);
		json_decref(spec);
	}
	globfree(&g);
}

static void ask_runtime(struct place *p)
{
	static const char tasks[] = "%s/containerd/io.containerd.runtime.v2"
				    ".task/*/%s/config.json";
	const char *id = p->container_id;

	find_spec(p, names_path(tasks, "/run", id));
	find_spec(p, names_path(tasks, "/run/k3s", id));
	find_spec(p, names_path("/run/containers/storage/*-containers/%s/"
				"userdata/config.json",
				id));
}

void names_of(struct place *p)
{
	if (p->pod_uid[0])
		find_pod(p);
	if (!p->container_id[0])
		return;
	if (p->engine == ENGINE_DOCKER || p->engine == ENGINE_OTHER)
		ask_docker(p);
	if (p->engine == ENGINE_PODMAN || p->engine == ENGINE_OTHER)
		ask_podman(p);
	if (p->engine == ENGINE_KUBERNETES)
		find_container(p);
	if (!names_known(p) && p->engine != ENGINE_DOCKER)
		ask_runtime(p);
}

bool names_known(const struct place *p)
{
	return (!p->container_id[0] || container_known(p)) &&
	       (!p->pod_uid[0] || pod_known(p));
}
