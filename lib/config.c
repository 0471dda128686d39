// SPDX-License-Identifier: MIT
/*
 * Finding and reading config.toml.
 */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "options.h"
#include "text.h"

#define SYSTEM_FILE "/etc/netmonitor/config.toml"

/* Much more than anybody writes by hand. */
#define BYTES_MAX (256 * 1024)

/* --- Whose it is --- */

/*
 * Is it sudo(8) that we run under, as root or, by setpriv(1), as the user
 * again? A SUDO_UID that is left of another sudo, before su(1), says nothing.
 */
static bool under_sudo(uid_t *user)
{
	const char *text = getenv("SUDO_UID");
	char *end;

	if (!text || *text < '0' || *text > '9')
		return false;
	*user = (uid_t)strtoul(text, &end, 10);
	return !*end && (geteuid() == 0 || geteuid() == *user);
}

/* Under sudo(8), HOME may be root's. */
static const char *home(void)
{
	const char *path = getenv("HOME");
	const struct passwd *user;
	uid_t uid;

	if (under_sudo(&uid)) {
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
	const char *base = getenv("XDG_CONFIG_HOME"), *within = "";
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
	const char *wanted = named ? named : getenv("NETMONITOR_CONFIG");
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

static void read_file(const char *path, struct nm_buf *text)
{
	struct stat st;
	ssize_t n;
	int fd;

	/* access(2) asks for who started us, without the capabilities that
	 * our own file may have given us. */
	if (access(path, R_OK) || (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0 ||
	    fstat(fd, &st))
		err(NM_EXIT_FAIL, "'%s'", path);
	check_trust(path, &st);
	do {
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

	*c = (struct nm_config){ .path = find(named) };
	if (!c->path)
		return;
	read_file(c->path, &text);
	c->root = nm_toml_parse(text.data, text.len, &e);
	nm_buf_free(&text);
	if (!c->root)
		errx(NM_EXIT_USAGE, "%s:%u:%u: %s", c->path, e.line, e.column,
		     e.text);
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
	errx(NM_EXIT_USAGE, "%s:%u: %s", c->path, where->line, clean);
}

void nm_config_free(struct nm_config *c)
{
	nm_toml_free(c->root);
	free(c->path);
	*c = (struct nm_config){ 0 };
}
