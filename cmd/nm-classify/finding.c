// SPDX-License-Identifier: MIT
/*
 * Strangers wrote the names: they are held to what a name may be.
 */
#include "finding.h"

#include <ctype.h>
#include <string.h>

#include "text.h"

static void lower(char *to, size_t size, const char *from)
{
	size_t n = 0;

	for (; from && from[n] && n + 1 < size; n++)
		to[n] = (char)tolower((unsigned char)from[n]);
	to[n] = '\0';
}

void finding_app(struct finding *f, const char *app, const char *category)
{
	lower(f->app, sizeof(f->app), app);
	lower(f->category, sizeof(f->category), category);
}

void finding_server(struct finding *f, const char *name)
{
	size_t n = strcspn(name, ":");

	if (n >= sizeof(f->server_name))
		n = 0;
	lower(f->server_name, n + 1, name);
	if (!nm_is_host_name(f->server_name))
		f->server_name[0] = '\0';
}
