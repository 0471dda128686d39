// SPDX-License-Identifier: MIT
/*
 * Podman's lists of containers, remembered as ids and names.
 */
#include "podman.h"

#include <err.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "cache.h"
#include "names.h"
#include "state.h"

/* As many are remembered. */
#define LISTS 64
#define USERS 64

#define MINUTE_US    60000000
#define MINUTE_BYTES (2 << 20)
#define LIST_BYTES   4096 /* that even an empty one costs */

struct list_key {
	uint64_t dev, ino;
};

struct list {
	struct timespec changed;
	off_t size;
	struct nm_buf names; /* "ID\0NAME\0…"; of one that is wrong, none */
};

/* What a user had read in the minute that began then. */
struct spent {
	uint64_t since_us;
	size_t bytes;
};

static struct nm_cache *lists, *users;

static void free_list(const void *key, void *value)
{
	(void)key;
	nm_buf_free(&((struct list *)value)->names);
}

static struct spent *spent_by(uint64_t uid, uint64_t now_us)
{
	struct spent *s;
	bool made;

	s = nm_cache_put(users, &uid, &made);
	if (made || now_us < s->since_us || now_us - s->since_us >= MINUTE_US)
		*s = (struct spent){ .since_us = now_us };
	return s;
}

static void add_text(struct nm_buf *b, const char *text)
{
	size_t n = strlen(text) + 1;

	nm_buf_reserve(b, n);
	memcpy(b->data + b->len, text, n);
	b->len += n;
}

static void take_names(struct nm_buf *names, const json_t *containers)
{
	const json_t *container;
	size_t i;

	json_array_foreach(containers, i, container)
	{
		const char *id =
			json_string_value(json_object_get(container, "id"));
		const char *name = json_string_value(
			json_array_get(json_object_get(container, "names"), 0));

		if (!id || !name)
			continue;
		add_text(names, id);
		add_text(names, name);
	}
}

static const char *name_in(const struct list *l, const char *id)
{
	const char *end = l->names.data + l->names.len, *name;

	for (const char *s = l->names.data; s < end;
	     s = name + strlen(name) + 1) {
		name = s + strlen(s) + 1;
		if (strcmp(s, id) == 0)
			return name;
	}
	return NULL;
}

static bool is_same(const struct list *l, const struct stat *st)
{
	return l->size == st->st_size &&
	       l->changed.tv_sec == st->st_ctim.tv_sec &&
	       l->changed.tv_nsec == st->st_ctim.tv_nsec;
}

static void read_list(struct list *l, int fd, const struct stat *st,
		      struct spent *s)
{
	size_t bytes;
	json_t *containers = state_read(fd, st->st_uid, &bytes);

	s->bytes += bytes + LIST_BYTES;
	nm_buf_free(&l->names);
	take_names(&l->names, containers);
	json_decref(containers);
	l->changed = st->st_ctim;
	l->size = st->st_size;
}

static const char *find_in_list(const char *path, uid_t writer, const char *id,
				uint64_t now_us)
{
	struct list_key key = { 0 };
	struct spent *s;
	struct list *l;
	struct stat st;
	bool made;
	int fd = state_open(path, writer, &st);

	if (fd < 0)
		return NULL;
	key.dev = st.st_dev;
	key.ino = st.st_ino;
	l = nm_cache_get(lists, &key);
	if (l && is_same(l, &st)) {
		close(fd);
		return name_in(l, id);
	}
	s = spent_by(writer, now_us);
	if (writer != 0 && s->bytes > MINUTE_BYTES) {
		close(fd);
		return NULL;
	}
	l = nm_cache_put(lists, &key, &made);
	read_list(l, fd, &st, s);
	return name_in(l, id);
}

/*
 * By the driver of its storage; a container that goes with its end is apart.
 * The files have these names, and there is no folder to list: who owns it may
 * have put a million others there.
 */
static const char *find_in_storage(const char *storage, uid_t writer,
				   const char *id, uint64_t now_us)
{
	static const char *const drivers[] = {
		"overlay", "vfs", "btrfs", "zfs", "aufs", "devicemapper"
	};
	static const char *const files[] = { "containers",
					     "volatile-containers" };
	const char *name = NULL;
	char path[4096];

	for (size_t i = 0; i < 12 && !name; i++)
		if ((size_t)snprintf(path, sizeof(path),
				     "%s/%s-containers/%s.json", storage,
				     drivers[i / 2],
				     files[i % 2]) < sizeof(path))
			name = find_in_list(path, writer, id, now_us);
	return name;
}

static const char *find_in_homes(const char *pattern, uid_t writer,
				 const char *id, uint64_t now_us)
{
	const char *name = NULL;
	glob_t g;

	if (!pattern || glob(pattern, GLOB_NOSORT, NULL, &g))
		return NULL;
	for (size_t i = 0; i < g.gl_pathc && !name; i++)
		name = find_in_storage(g.gl_pathv[i], writer, id, now_us);
	globfree(&g);
	return name;
}

const char *podman_name(const struct place *p, uint64_t now_us)
{
	static const char *const homes[] = { "/home/*", "/root" };
	const char *id = p->container_id, *name = NULL;

	if (!lists) {
		lists = nm_cache_new(LISTS, sizeof(struct list_key),
				     sizeof(struct list), free_list);
		users = nm_cache_new(USERS, sizeof(uint64_t),
				     sizeof(struct spent), NULL);
	}
	if (!p->of_user)
		return find_in_homes(names_path("/var/lib/containers/storage"),
				     0, id, now_us);
	for (size_t i = 0; i < 2 && !name; i++)
		name = find_in_homes(names_path("%s/.local/share/containers/"
						"storage",
						homes[i]),
				     (uid_t)p->uid, id, now_us);
	return name;
}

void podman_close(void)
{
	nm_cache_free(lists);
	nm_cache_free(users);
	lists = users = NULL;
}
