// SPDX-License-Identifier: MIT
/*
 * The registries of special-purpose addresses (RFC 6890) as far as they say
 * where an address can be. Addresses for documentation are taken for what they
 * stand for there.
 */
#include "scope.h"

#include <stddef.h>
#include <string.h>

static const struct {
	struct nm_addr prefix;
	unsigned int bits;
	enum nm_scope scope;
} reserved[] = {
#define V4(a, b, c, d)                                \
	{                                             \
		{                                     \
			[10] = 0xff, 0xff, a, b, c, d \
		}                                     \
	}
	{ V4(0, 0, 0, 0), 96 + 8, NM_SCOPE_LAN },     /* this network */
	{ V4(10, 0, 0, 0), 96 + 8, NM_SCOPE_LAN },    /* RFC 1918 */
	{ V4(100, 64, 0, 0), 96 + 10, NM_SCOPE_LAN }, /* RFC 6598 */
	{ V4(127, 0, 0, 0), 96 + 8, NM_SCOPE_LOOPBACK },
	{ V4(169, 254, 0, 0), 96 + 16, NM_SCOPE_LAN }, /* RFC 3927 */
	{ V4(172, 16, 0, 0), 96 + 12, NM_SCOPE_LAN },  /* RFC 1918 */
	{ V4(192, 168, 0, 0), 96 + 16, NM_SCOPE_LAN }, /* RFC 1918 */
	{ V4(224, 0, 0, 0), 96 + 4, NM_SCOPE_MULTICAST },
	{ V4(255, 255, 255, 255), 128, NM_SCOPE_MULTICAST },
	{ { { 0 } }, 128, NM_SCOPE_LAN },	      /* :: */
	{ { { [15] = 1 } }, 128, NM_SCOPE_LOOPBACK }, /* ::1 */
	{ { { 0xfc } }, 7, NM_SCOPE_LAN },	      /* RFC 4193 */
	{ { { 0xfe, 0x80 } }, 10, NM_SCOPE_LAN },     /* RFC 4291 */
	{ { { 0xfe, 0xc0 } }, 10, NM_SCOPE_LAN },     /* RFC 3879 */
	{ { { 0xff } }, 8, NM_SCOPE_MULTICAST },
};

static bool begins_with(const struct nm_addr *a, const struct nm_addr *prefix,
			unsigned int bits)
{
	unsigned int whole = bits / 8, rest = bits % 8;

	return !memcmp(a->byte, prefix->byte, whole) &&
	       (!rest ||
		(a->byte[whole] ^ prefix->byte[whole]) >> (8 - rest) == 0);
}

enum nm_scope nm_scope_of(const struct nm_addr *a)
{
	for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++)
		if (begins_with(a, &reserved[i].prefix, reserved[i].bits))
			return reserved[i].scope;
	return NM_SCOPE_INTERNET;
}

const char *nm_scope_name(enum nm_scope scope)
{
	static const char *const names[] = {
		[NM_SCOPE_INTERNET] = "internet",
		[NM_SCOPE_LOOPBACK] = "loopback",
		[NM_SCOPE_LAN] = "lan",
		[NM_SCOPE_MULTICAST] = "multicast",
	};

	return names[scope];
}

static struct nm_addr v4_at(const struct nm_addr *a, size_t at)
{
	uint32_t be32;

	memcpy(&be32, a->byte + at, sizeof(be32));
	return nm_addr_v4(be32);
}

struct nm_addr nm_scope_carried(const struct nm_addr *a)
{
	static const struct nm_addr nat64 = { { 0x00, 0x64, 0xff, 0x9b } };
	static const struct nm_addr six_to_four = { { 0x20, 0x02 } };

	if (begins_with(a, &nat64, 96))
		return v4_at(a, 12);
	if (begins_with(a, &six_to_four, 16))
		return v4_at(a, 2);
	return *a;
}
