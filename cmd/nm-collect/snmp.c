// SPDX-License-Identifier: MIT
/*
 * Reads /proc/net/snmp, where a line of names is followed by one of numbers
 * for each protocol, and /proc/net/snmp6, with a name and a number a line.
 */
#include "snmp.h"

#include <stdio.h>
#include <stdlib.h>
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

/* The number that stands where the name does; 0: there is none. */
static uint64_t number_of(const struct lines *l, const char *name)
{
	const char *names = l->names, *numbers = l->numbers;
	size_t len = strlen(name);

	while (names && numbers) {
		if (strncmp(names, name, len) == 0 &&
		    (names[len] == ' ' || names[len] == '\0'))
			return strtoull(numbers, NULL, 10);
		names = strchr(names, ' ');
		numbers = strchr(numbers, ' ');
		names = names ? names + 1 : NULL;
		numbers = numbers ? numbers + 1 : NULL;
	}
	return 0;
}

/* FNV-1a: two are to be told apart, nothing else. */
static uint64_t hash(const char *text)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3;
	return h;
}

static uint64_t number_in6(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	return line ? strtoull(line + strlen(name), NULL, 10) : 0;
}

struct snmp snmp_read(const struct netlink *l)
{
	char text[16384], *rest = text;
	struct snmp s = { 0 };
	struct lines ip, tcp, udp;

	/* In the order of the file. */
	if (!read_all(l->snmp, text, sizeof(text)) ||
	    !cut_lines(&rest, "Ip: ", &ip) ||
	    !cut_lines(&rest, "Tcp: ", &tcp) ||
	    !cut_lines(&rest, "Udp: ", &udp))
		return s;
	s.tcp = hash(tcp.numbers);
	s.udp_tx = number_of(&udp, "OutDatagrams");
	s.udp_rx = number_of(&udp, "InDatagrams");
	s.forwarded = number_of(&ip, "ForwDatagrams");
	s.known = l->snmp6 < 0;
	if (read_all(l->snmp6, text, sizeof(text))) {
		s.udp_tx += number_in6(text, "\nUdp6OutDatagrams");
		s.udp_rx += number_in6(text, "\nUdp6InDatagrams");
		s.forwarded += number_in6(text, "\nIp6OutForwDatagrams");
		s.known = true;
	}
	return s;
}
