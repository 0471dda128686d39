// SPDX-License-Identifier: MIT
/*
 * Reads /proc/net/snmp, where a line of names is followed by one of numbers
 * for each protocol.
 */
#include "diag-snmp.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool read_all(int fd, char *out, size_t size)
{
	ssize_t n = fd < 0 ? -1 : pread(fd, out, size - 1, 0);

	if (n <= 0)
		return false;
	out[n] = '\0';
	return true;
}

struct lines {
	char *names, *numbers;
};

/*
 * Both lines of a protocol, cut off from the text that *rest is; false: not
 * there.
 */
static bool cut_lines(char **rest, const char *protocol, struct lines *l)
{
	char *text = *rest;

	while (strncmp(text, protocol, strlen(protocol)) != 0) {
		text += strcspn(text, "\n");
		if (*text++ == '\0')
			return false;
	}
	l->names = strsep(&text, "\n");
	l->numbers = strsep(&text, "\n");
	*rest = text;
	return l->numbers && text;
}

/* FNV-1a: two are to be told apart, nothing else. */
static uint64_t hash(const char *text)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3;
	return h;
}

struct snmp snmp_read(const struct netlink *l)
{
	char text[16384], *rest = text;
	struct snmp s = { 0 };
	struct lines tcp;

	if (!read_all(l->snmp, text, sizeof(text)) ||
	    !cut_lines(&rest, "Tcp: ", &tcp))
		return s;
	s.known = true;
	s.tcp = hash(tcp.numbers);
	return s;
}
