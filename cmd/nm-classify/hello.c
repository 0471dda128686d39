// SPDX-License-Identifier: MIT
/*
 * The layout of a ClientHello: a record's header (5 bytes), the handshake's
 * (4), version and random (34), then three vectors with their lengths before
 * them, and the extensions.
 */
#include "hello.h"

#include <string.h>

#define RECORD_HEADER	 5
#define HANDSHAKE_HEADER 4
#define FIXED		 34

#define RECORD_HANDSHAKE 22
#define CLIENT_HELLO	 1

/* RFC 6066, section 3: its list, of names of hosts and what else may come. */
#define SERVER_NAME  0
#define HOST_NAME_AT 5

static size_t get16(const uint8_t *at)
{
	return (size_t)at[0] << 8 | at[1];
}

static void put16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* Steps over a vector whose length takes `width` bytes. False: it is cut. */
static bool step(const uint8_t *bytes, size_t n, size_t *at, size_t width)
{
	size_t len;

	if (n - *at < width)
		return false;
	len = width == 1 ? bytes[*at] : get16(bytes + *at);
	if (n - *at - width < len)
		return false;
	*at += width + len;
	return true;
}

/*
 * Steps over what comes before the extensions, and the length of them all: the
 * session, cipher suites, compression methods. False: it is cut.
 */
static bool to_extensions(const uint8_t *bytes, size_t n, size_t *at)
{
	if (!step(bytes, n, at, 1) || !step(bytes, n, at, 2) ||
	    !step(bytes, n, at, 1) || n - *at < 2)
		return false;
	*at += 2;
	return true;
}

static bool is_cut_hello(const uint8_t *bytes, size_t n)
{
	return n > RECORD_HEADER + HANDSHAKE_HEADER + FIXED &&
	       bytes[0] == RECORD_HANDSHAKE && bytes[1] == 3 &&
	       bytes[RECORD_HEADER] == CLIENT_HELLO &&
	       get16(bytes + 3) > n - RECORD_HEADER;
}

size_t hello_complete(uint8_t *bytes, size_t n)
{
	size_t at = RECORD_HEADER + HANDSHAKE_HEADER + FIXED, extensions, next;

	if (!is_cut_hello(bytes, n))
		return n;
	if (!to_extensions(bytes, n, &at))
		return n;
	extensions = at - 2;
	/* Each has two bytes of its kind before. */
	for (next = at; n - next >= 2; at = next) {
		next += 2;
		if (!step(bytes, n, &next, 2))
			break;
	}
	put16(bytes + extensions, at - extensions - 2);
	put16(bytes + 3, at - RECORD_HEADER);
	bytes[RECORD_HEADER + 1] = 0;
	put16(bytes + RECORD_HEADER + 2, at - RECORD_HEADER - HANDSHAKE_HEADER);
	return at;
}

/* One name of a host, and nothing else, is what there is in practice. */
static bool get_name(const uint8_t *list, size_t n, char *name, size_t size)
{
	size_t len;

	if (n < HOST_NAME_AT || list[2] != 0)
		return false;
	len = get16(list + 3);
	if (len > n - HOST_NAME_AT || len >= size)
		return false;
	memcpy(name, list + HOST_NAME_AT, len);
	name[len] = '\0';
	return true;
}

bool hello_server_name(const uint8_t *hello, size_t n, char *name, size_t size)
{
	size_t at = HANDSHAKE_HEADER + FIXED, next;

	if (n < at || hello[0] != CLIENT_HELLO || !to_extensions(hello, n, &at))
		return false;
	for (; n - at >= 4; at = next) {
		next = at + 2;
		if (!step(hello, n, &next, 2))
			return false;
		if (get16(hello + at) == SERVER_NAME)
			return get_name(hello + at + 4, next - at - 4, name,
					size);
	}
	return false;
}
