// SPDX-License-Identifier: MIT
/*
 * Finding and reading config.toml.
 */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act_as.h"
#include "buf.h"
#include "options.h"
#include "text.h"

#define SYSTEM_FILE "/etc/netmonitor/config.toml"

/* Much more than anybody writes by hand. */
#define BYTES_MAX (256 * 1024)

/* The kernel's overflowgid. */
#define NOBODY 65534

/* A pipe that nobody writes to is given up. */
#define PIPE_WAIT_MS 5000

/* --- Whose it is --- */

/*
 * Is it sudo(8) that we run under, as root or, by setpriv(1), as the user
 * again? A SUDO_UID that is left of another sudo, before su(1), says nothing.
 */
static bool under_sudo(uid_t *user)
{
	const char *text = getenv("SUDO_UID");
	char *end;
	uid_t uid;

	if (!text || *text < '0' || *text > '9')
		return false;
	uid = (uid_t)strtoul(text, &end, 10);
	if (*end || (geteuid() != 0 && geteuid() != uid))
		return false;
	*user = uid;
	return true;
}

/*
 * Under sudo(8), HOME may be root's; with capabilities of our own file, what
 * the environment says does not count.
 */
static const char *home(void)
{
	const char *path = secure_getenv("HOME");
	const struct passwd *user;
	uid_t uid = getuid();

	if (under_sudo(&uid) || getauxval(AT_SECURE)) {
		user = getpwuid(uid);
		path = user ? user->pw_dir : NULL;
	}
	return path && path[0] == '/' ? path : NULL;
}

/* Exits unless only root and those for whom we work can have written it. */
static void check_trust(const char *path, const struct stat *st)
{
	uid_t user;

	if (S_ISCHR(st->st_mode)) /* /dev/null: everybody's, and empty */
		return;
	if (st->st_uid != 0 && st->st_uid != geteuid() &&
	    !(under_sudo(&user) && st->st_uid == user))
		errx(NM_EXIT_FAIL,
		     "'%s' is not used: it belongs to another user", path);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		errx(NM_EXIT_FAIL,
		     "'%s' is not used: others can write it (remedy: chmod "
		     "go-w)",
		     path);
}

/* --- Where it is --- */

static char *user_file(void)
{
	const char *base = secure_getenv("XDG_CONFIG_HOME"), *within = "";
	char *path;

	if (!base || base[0] != '/') {
		base = home();
		within = "/.config";
	}
	if (!base)
		return NULL;
	if (asprintf(&path, "%s%s/netmonitor/config.toml", base, within) < 0)
		err(NM_EXIT_FAIL, NULL);
	return path;
}

static bool is_there(const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0)
		return true;
	/* Nor if it is in a folder that is not ours to look into. */
	if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
		err(NM_EXIT_FAIL, "'%s'", path);
	return false;
}

static char *copy(const char *path)
{
	char *same = strdup(path);

	if (!same)
		err(NM_EXIT_FAIL, NULL);
	return same;
}

static char *find(const char *named)
{
	const char *wanted = named ? named : secure_getenv("NETMONITOR_CONFIG");
	char *path;

	if (named || (wanted && *wanted))
		return copy(wanted);
	path = user_file();
	if (path && is_there(path))
		return path;
	free(path);
	return is_there(SYSTEM_FILE) ? copy(SYSTEM_FILE) : NULL;
}

/* --- What is in it --- */

/* A user without an entry has no group that could read anything. */
static gid_t group_of(uid_t uid)
{
	const struct passwd *user = getpwuid(uid);

	return user ? user->pw_gid : NOBODY;
}

/*
 * With the rights of who started us, not those that our own file may have given
 * us. Under sudo(8) those of the user do at first, and root's if they do not.
 */
static int open_file(struct nm_config *c, const char *named)
{
	static const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
	struct nm_rights before;
	uid_t user;
	int fd = -1;

	if (getuid() != 0) {
		if (!nm_act_as(getuid(), getgid(), &before))
			errx(NM_EXIT_FAIL, "cannot act as the user");
		c->path = find(named);
		fd = c->path ? open(c->path, flags) : -1;
		nm_act_as_before(&before);
		return fd;
	}
	c->path = find(named);
	if (!c->path)
		return -1;
	if (!under_sudo(&user) || user == 0)
		return open(c->path, flags);
	if (nm_act_as(user, group_of(user), &before)) {
		fd = open(c->path, flags);
		nm_act_as_before(&before);
	}
	c->secret = fd < 0;
	return fd < 0 ? open(c->path, flags) : fd;
}

/* In a pipe, whoever writes may be late. */
static void wait_for(int fd, const char *path)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n;

	do
		n = poll(&p, 1, PIPE_WAIT_MS);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		err(NM_EXIT_FAIL, "'%s'", path);
	if (n == 0)
		errx(NM_EXIT_FAIL, "'%s' is a pipe that nobody writes to",
		     path);
}

static void read_file(int fd, const char *path, struct nm_buf *text)
{
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) ||
	    (!S_ISFIFO(st.st_mode) && fcntl(fd, F_SETFL, 0)))
		err(NM_EXIT_FAIL, "'%s'", path);
	check_trust(path, &st);
	do {
		if (S_ISFIFO(st.st_mode))
			wait_for(fd, path);
		nm_buf_reserve(text, 4096);
		n = read(fd, text->data + text->len, 4096);
		if (n < 0 && errno != EINTR)
			err(NM_EXIT_FAIL, "'%s'", path);
		text->len += n > 0 ? (size_t)n : 0;
		if (text->len > BYTES_MAX)
			errx(NM_EXIT_FAIL, "'%s' is longer than %d bytes", path,
			     BYTES_MAX);
	} while (n);
	close(fd);
}

static bool is_table(const struct nm_toml *node)
{
	return node->kind == NM_TOML_TABLE ||
	       (node->kind == NM_TOML_ARRAY && node->list.first &&
		node->list.first->kind == NM_TOML_TABLE);
}

/* Nobody would read it. */
static void check_tables(const struct nm_config *c)
{
	for (const struct nm_toml *n = c->root->list.first; n; n = n->next)
		if (!is_table(n))
			nm_config_error(c, n,
					"'%s' is in no command's table, like "
					"[nm-geo]",
					n->key.ptr);
}

void nm_config_read(struct nm_config *c, const char *named)
{
	struct nm_toml_error e;
	struct nm_buf text = { 0 };
	int fd;

	*c = (struct nm_config){ 0 };
	fd = open_file(c, named);
	if (!c->path)
		return;
	read_file(fd, c->path, &text);
	c->root = nm_toml_parse(text.data, text.len, &e);
	nm_buf_free(&text);
	if (!c->root)
		errx(NM_EXIT_USAGE, "%s:%u:%u: %s", c->path, e.line, e.column,
		     c->secret ? "this is no TOML" : e.text);
	check_tables(c);
}

struct nm_toml *nm_config_table(const struct nm_config *c, const char *name)
{
	struct nm_toml *table = c->root ? nm_toml_get(c->root, name) : NULL;

	if (table && table->kind != NM_TOML_TABLE)
		nm_config_error(c, table, "there is one [%s] only", name);
	return table;
}

void nm_config_error(const struct nm_config *c, const struct nm_toml *where,
		     const char *fmt, ...)
{
	char text[512], clean[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	nm_clean(clean, sizeof(clean), text);
	if (c->secret)
		snprintf(clean, sizeof(clean), "a wrong key or value");
	errx(NM_EXIT_USAGE, "%s:%u: %s", c->path, where->line, clean);
}

void nm_config_free(struct nm_config *c)
{
	nm_toml_free(c->root);
	free(c->path);
	*c = (struct nm_config){ 0 };
}
