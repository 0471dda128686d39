// SPDX-License-Identifier: MIT
/*
 * The list of files.
 */
#include "databases.h"

#include <dirent.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

#define FILES_MAX 64

static struct database list[FILES_MAX];
static size_t count;
static const char *dirs[FILES_MAX];
static size_t dir_count;
static bool shortened, told_full, tell_all;

int databases_add_file(const char *path, void *into)
{
	(void)into;
	if (count == FILES_MAX) {
		warnx("more than %d files", FILES_MAX);
		return -1;
	}
	list[count] = (struct database){ .path = strdup(path),
					 .named = true,
					 .order = count };
	if (!list[count++].path)
		err(NM_EXIT_FAIL, NULL);
	return 0;
}

int databases_add_dir(const char *path, void *into)
{
	(void)into;
	if (dir_count == FILES_MAX) {
		warnx("more than %d folders", FILES_MAX);
		return -1;
	}
	dirs[dir_count++] = path;
	return 0;
}

/* $XDG_DATA_HOME/netmonitor, or what it is by default. */
static const char *data_home(void)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	static char path[4096];
	int n = -1;

	if (data && data[0] == '/')
		n = snprintf(path, sizeof(path), "%s/netmonitor", data);
	else if (home && home[0] == '/')
		n = snprintf(path, sizeof(path), "%s/.local/share/netmonitor",
			     home);
	return n > 0 && (size_t)n < sizeof(path) ? path : NULL;
}

static void use_usual_dirs(void)
{
	static const char *const usual[] = { "/usr/share/GeoIP",
					     "/var/lib/GeoIP" };
	const char *home = data_home();

	for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++)
		dirs[dir_count++] = usual[i];
	if (home)
		dirs[dir_count++] = home;
}

/* --- Looking --- */

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static struct database *find(const char *path)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].path, path) == 0)
			return &list[i];
	return NULL;
}

static int is_database(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 5 && strcmp(d->d_name + n - 5, ".mmdb") == 0;
}

static int by_order(const void *a, const void *b)
{
	const struct database *x = a, *y = b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return strcmp(x->path, y->path);
}

static void look_into(size_t dir)
{
	struct dirent **names;
	int n = scandir(dirs[dir], &names, is_database, alphasort);

	for (int i = 0; i < n; i++) {
		struct database *d;
		char *path;

		if (asprintf(&path, "%s/%s", dirs[dir], names[i]->d_name) < 0)
			err(NM_EXIT_FAIL, NULL);
		free(names[i]);
		d = find(path);
		if (!d && count < FILES_MAX) {
			d = &list[count++];
			*d = (struct database){ .path = path,
						.order = FILES_MAX + dir };
			path = NULL;
		}
		if (d)
			d->seen = true;
		else if (!told_full)
			warnx("'%s' and more are left out: they are more than "
			      "%d files",
			      path, FILES_MAX);
		told_full |= !d;
		free(path);
	}
	if (n >= 0)
		free(names);
}

static void describe(const struct database *d)
{
	char text[160];

	if (!tell_all)
		return;
	database_describe(d, text, sizeof(text));
	warnx("%s: %s", d->path, text);
}

/* The new one in place of the old, if it is good. True: it is. */
static bool renew(struct database *d,
		  void (*tell)(const struct database *d, const char *why))
{
	struct database fresh = { .path = d->path,
				  .named = d->named,
				  .order = d->order,
				  .seen = d->seen };
	const char *wrong = database_open(&fresh);

	if (wrong) {
		d->st = fresh.st;
		tell(d, wrong);
		return false;
	}
	database_close(d);
	*d = fresh;
	describe(d);
	return true;
}

static void forget(size_t i)
{
	database_close(&list[i]);
	free(list[i].path);
	memmove(&list[i], &list[i + 1], (--count - i) * sizeof(*list));
}

bool databases_check(void (*tell)(const struct database *d, const char *why))
{
	bool changed = shortened;

	shortened = false;
	for (size_t i = 0; i < count; i++)
		list[i].seen = list[i].named;
	for (size_t i = 0; i < dir_count; i++)
		look_into(i);
	for (size_t i = count; i-- > 0;) {
		if (!list[i].seen) {
			forget(i);
			changed = true;
		}
	}
	qsort(list, count, sizeof(*list), by_order);
	for (size_t i = 0; i < count; i++) {
		struct stat now = { 0 };

		stat(list[i].path, &now);
		if (!is_same(&now, &list[i].st))
			changed |= renew(&list[i], tell);
	}
	return changed;
}

static void refuse(const struct database *d, const char *why)
{
	if (d->named)
		errx(NM_EXIT_FAIL, "'%s': %s", d->path, why);
	warnx("'%s' is not used: %s", d->path, why);
}

void databases_open(bool verbose)
{
	tell_all = verbose;
	if (!count && !dir_count)
		use_usual_dirs();
	for (size_t i = 0; i < count; i++)
		renew(&list[i], refuse);
	databases_check(refuse);
}

bool databases_any(void)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].is_open)
			return true;
	return false;
}

struct place databases_look_up(const struct nm_addr *a)
{
	struct place place = { 0 };

	for (size_t i = 0; i < count; i++)
		if (!database_look_up(&list[i], a, &place)) {
			/* Not again before it is there anew. */
			database_close(&list[i]);
			list[i].st = (struct stat){ 0 };
			shortened = true;
		}
	return place;
}

void databases_close(void)
{
	while (count)
		forget(count - 1);
	dir_count = 0;
}
