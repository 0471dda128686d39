// SPDX-License-Identifier: MIT
/*
 * A packet's header, and the frames in it. What cannot be unsealed is none.
 */
#include "quic.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "quic-seal.h"
#include "tuple.h"

/* RFC 9000, section 14.1: a datagram with a client's Initial. */
#define DATAGRAM_MIN 1200

#define VERSION_AT 1
#define ID_AT	   5
#define ID_MAX	   20

#define FRAME_PADDING 0
#define FRAME_PING    1
#define FRAME_CRYPTO  6

/* As much as two packets hold. */
#define HELLO_MAX 3072

struct quic {
	uint8_t hello[HELLO_MAX];
	uint8_t known[HELLO_MAX / 8]; /* of each byte, a bit */
};

struct span {
	const uint8_t *at, *end;
};

/* RFC 9001, section 5.2; RFC 9369, section 3.3. */
static const struct version {
	uint8_t number[4], first; /* byte, of an Initial */
	struct seal seal;
} versions[] = {
	{ { 0, 0, 0, 1 },
	  0xc0,
	  { { 0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
	      0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a },
	    "quic key",
	    "quic iv",
	    "quic hp" } },
	{ { 0x6b, 0x33, 0x43, 0xcf },
	  0xd0,
	  { { 0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
	      0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9 },
	    "quicv2 key",
	    "quicv2 iv",
	    "quicv2 hp" } },
};

struct initial {
	const struct version *version;
	struct span id; /* of the connection */
	size_t number;	/* where the packet's number is */
	size_t end;	/* of the packet in the datagram */
};

/* --- The header (RFC 9000, section 17.2) --- */

/* RFC 9000, section 16. False: it is cut. */
static bool get_number(struct span *s, uint64_t *value)
{
	size_t width;

	if (s->at == s->end)
		return false;
	width = (size_t)1 << (*s->at >> 6);
	if ((size_t)(s->end - s->at) < width)
		return false;
	*value = *s->at++ & 0x3f;
	while (--width)
		*value = *value << 8 | *s->at++;
	return true;
}

static bool get_bytes(struct span *s, uint64_t n, struct span *bytes)
{
	if ((uint64_t)(s->end - s->at) < n)
		return false;
	bytes->at = s->at;
	bytes->end = s->at += n;
	return true;
}

static bool get_id(struct span *s, struct span *id)
{
	return s->at < s->end && *s->at <= ID_MAX && get_bytes(s, *s->at++, id);
}

static const struct version *version_of(const uint8_t *packet)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++)
		if (memcmp(packet + VERSION_AT, versions[i].number, 4) == 0 &&
		    (packet[0] & 0xf0) == versions[i].first)
			return &versions[i];
	return NULL;
}

static bool parse(const uint8_t *datagram, size_t n, struct initial *in)
{
	struct span s = { datagram + ID_AT, datagram + n }, skipped;
	uint64_t len;

	if (n < DATAGRAM_MIN || n > HEAD_MAX)
		return false;
	in->version = version_of(datagram);
	if (!in->version || !get_id(&s, &in->id) || !get_id(&s, &skipped) ||
	    !get_number(&s, &len) || !get_bytes(&s, len, &skipped) ||
	    !get_number(&s, &len) || len < SEAL_MIN ||
	    (uint64_t)(s.end - s.at) < len)
		return false;
	in->number = (size_t)(s.at - datagram);
	in->end = in->number + (size_t)len;
	return true;
}

/* --- The frames (RFC 9000, section 19) --- */

static void learn(struct quic *q, uint64_t offset, const struct span *piece)
{
	const uint8_t *from = piece->at;

	for (; offset < HELLO_MAX && from < piece->end; offset++) {
		q->hello[offset] = *from++;
		q->known[offset / 8] |= (uint8_t)(1U << offset % 8);
	}
}

static void read_frames(struct quic *q, struct span s)
{
	struct span piece;
	uint64_t offset, n;

	while (s.at < s.end) {
		uint8_t type = *s.at++;

		if (type == FRAME_PADDING || type == FRAME_PING)
			continue;
		if (type != FRAME_CRYPTO || !get_number(&s, &offset) ||
		    !get_number(&s, &n) || !get_bytes(&s, n, &piece))
			return;
		learn(q, offset, &piece);
	}
}

bool quic_read(struct quic **q, const uint8_t *datagram, size_t n)
{
	uint8_t packet[HEAD_MAX];
	size_t begin, end;
	struct initial in;

	if (!parse(datagram, n, &in))
		return false;
	memcpy(packet, datagram, in.end);
	begin = seal_open(&in.version->seal, in.id.at,
			  (size_t)(in.id.end - in.id.at), packet, in.end,
			  in.number, &end);
	if (!begin)
		return false;
	if (!*q)
		*q = calloc(1, sizeof(**q));
	if (!*q)
		err(NM_EXIT_FAIL, NULL);
	read_frames(*q, (struct span){ packet + begin, packet + end });
	return true;
}

void quic_free(struct quic *q)
{
	free(q);
}

size_t quic_hello(const struct quic *q, const uint8_t **hello)
{
	size_t n = 0;

	while (n < HELLO_MAX && q->known[n / 8] & 1U << n % 8)
		n++;
	*hello = q->hello;
	return n;
}
