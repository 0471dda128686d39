// SPDX-License-Identifier: MIT
/*
 * Addresses to text and back.
 */
#include <arpa/inet.h>
#include <string.h>

#include "addr.h"

/* ::ffff:0.0.0.0/96 */
static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

struct nm_addr nm_addr_v4(uint32_t be32)
{
	struct nm_addr a;

	memcpy(a.byte, mapped, sizeof(mapped));
	memcpy(a.byte + sizeof(mapped), &be32, sizeof(be32));
	return a;
}

bool nm_addr_is_v4(const struct nm_addr *a)
{
	return !memcmp(a->byte, mapped, sizeof(mapped));
}

bool nm_addr_is_any(const struct nm_addr *a)
{
	static const struct nm_addr any_v6;
	struct nm_addr any_v4 = nm_addr_v4(0);

	return !memcmp(a, &any_v4, sizeof(*a)) ||
	       !memcmp(a, &any_v6, sizeof(*a));
}

static char *put_byte(char *to, unsigned int byte)
{
	if (byte >= 100)
		*to++ = (char)('0' + byte / 100);
	if (byte >= 10)
		*to++ = (char)('0' + byte / 10 % 10);
	*to++ = (char)('0' + byte % 10);
	return to;
}

/* Two of these a flow: glibc's inet_ntop, by sprintf, is felt. */
static const char *v4_text(const uint8_t byte[4], char *out)
{
	char *to = put_byte(out, byte[0]);

	for (int i = 1; i < 4; i++) {
		*to++ = '.';
		to = put_byte(to, byte[i]);
	}
	*to = '\0';
	return out;
}

const char *nm_addr_text(const struct nm_addr *a, char out[NM_ADDR_TEXT])
{
	if (nm_addr_is_v4(a))
		return v4_text(a->byte + sizeof(mapped), out);
	return inet_ntop(AF_INET6, a->byte, out, NM_ADDR_TEXT);
}

bool nm_addr_parse(struct nm_addr *a, const char *text)
{
	struct in_addr v4;

	if (inet_pton(AF_INET, text, &v4) == 1) {
		*a = nm_addr_v4(v4.s_addr);
		return true;
	}
	return inet_pton(AF_INET6, text, a->byte) == 1;
}
