// SPDX-License-Identifier: MIT
/*
 * Options from the configuration: the keys of the command's table are their
 * long names. What the command line says, it does not touch.
 */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "options_parts.h"

/* Kept until the end: options point to the strings in it. */
static struct nm_config config;

/* A count: -vv is 2. */
#define COUNT_MAX 100

static const char *wanted(const struct nm_option *o)
{
	switch (o->kind) {
	case NM_OPT_FLAG:
		return "true or false";
	case NM_OPT_COUNT:
	case NM_OPT_UINT:
		return "an integer";
	case NM_OPT_SECONDS:
		return "a number";
	case NM_OPT_STRING:
		return "a string";
	default:
		return "a string, or an array of strings";
	}
}

/* An integer as what would be on the command line. */
static void become_text(struct nm_toml *v)
{
	int64_t integer = v->integer;
	char *text;
	int n = asprintf(&text, "%" PRId64, integer);

	if (n < 0)
		err(NM_EXIT_FAIL, NULL);
	v->kind = NM_TOML_STRING;
	v->text = (struct nm_toml_text){ text, (size_t)n };
}

static bool set_text(const struct nm_option *o, const struct nm_toml *v,
		     char *why, size_t size)
{
	if (strlen(v->text.ptr) == v->text.len)
		return nm_option_set(o, v->text.ptr, why, size);
	snprintf(why, size, "there is U+0000 in it");
	return false;
}

static bool set_count(const struct nm_option *o, const struct nm_toml *v,
		      char *why, size_t size)
{
	if (v->integer < 0 || v->integer > COUNT_MAX) {
		snprintf(why, size, "%" PRId64 " is not from 0 to %d",
			 v->integer, COUNT_MAX);
		return false;
	}
	*(unsigned int *)o->into = (unsigned int)v->integer;
	return true;
}

/* One value; false: why, as nm_option_set() has it. */
static bool set(const struct nm_option *o, struct nm_toml *v, char *why,
		size_t size)
{
	switch (o->kind) {
	case NM_OPT_FLAG:
		if (v->kind != NM_TOML_BOOL)
			break;
		*(bool *)o->into = v->is_true;
		return true;
	case NM_OPT_COUNT:
		if (v->kind != NM_TOML_INTEGER)
			break;
		return set_count(o, v, why, size);
	case NM_OPT_UINT:
		if (v->kind != NM_TOML_INTEGER)
			break;
		become_text(v);
		return set_text(o, v, why, size);
	case NM_OPT_SECONDS:
		if (v->kind == NM_TOML_INTEGER)
			return nm_option_set_seconds(o, (double)v->integer, why,
						     size);
		if (v->kind == NM_TOML_FLOAT)
			return nm_option_set_seconds(o, v->number, why, size);
		break;
	case NM_OPT_CALL:
		/* --peek: its value may be missing. */
		if (v->kind == NM_TOML_BOOL && o->optional)
			return !v->is_true || nm_option_set(o, NULL, why, size);
		if (v->kind == NM_TOML_INTEGER)
			become_text(v);
		if (v->kind != NM_TOML_STRING)
			break;
		return set_text(o, v, why, size);
	case NM_OPT_STRING:
		if (v->kind != NM_TOML_STRING)
			break;
		return set_text(o, v, why, size);
	case NM_OPT_HEADING:
		break;
	}
	snprintf(why, size, "it is %s, not %s", wanted(o),
		 nm_toml_kind_name(v->kind));
	return false;
}

static void set_or_end(const struct nm_option *o, struct nm_toml *v)
{
	char why[256] = "";

	if (set(o, v, why, sizeof(why)))
		return;
	nm_config_error(&config, v, "wrong value of '%s'%s%s", o->name,
			*why ? ": " : "", why);
}

static const struct nm_option *find(const struct nm_option *options,
				    const struct nm_toml_text *key)
{
	for (const struct nm_option *o = options; !nm_option_is_end(o); o++)
		if (o->name && strlen(o->name) == key->len &&
		    memcmp(o->name, key->ptr, key->len) == 0)
			return o;
	return NULL;
}

/* Is it, or what it excludes, on the command line? */
static bool overridden(const struct nm_program *p, const struct nm_option *o,
		       const bool *given)
{
	if (given[o - p->options])
		return true;
	for (size_t i = 0; !nm_option_is_end(&p->options[i]); i++)
		if (given[i] && p->options[i].instead_of &&
		    nm_option_is_word(p->options[i].instead_of, o->name))
			return true;
	return false;
}

void nm_options_from_config(const struct nm_program *p, const char *file,
			    const bool *given)
{
	const struct nm_toml *table;

	nm_config_read(&config, file);
	table = nm_config_table(&config, p->name);
	if (!table) {
		nm_config_free(&config);
		return;
	}
	for (struct nm_toml *n = table->list.first; n; n = n->next) {
		const struct nm_option *o = find(p->options, &n->key);

		if (!o)
			nm_config_error(&config, n, "unknown key '%s' in [%s]",
					n->key.ptr, p->name);
		if (overridden(p, o, given))
			continue;
		if (o->kind != NM_OPT_CALL || n->kind != NM_TOML_ARRAY) {
			set_or_end(o, n);
			continue;
		}
		/* What may be given again is a list. */
		for (struct nm_toml *v = n->list.first; v; v = v->next)
			set_or_end(o, v);
	}
}
