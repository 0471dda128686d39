// SPDX-License-Identifier: MIT
/*
 * quic-initial 1|2 [FRAMES] <HELLO: the first packets of a QUIC client (RFC
 * 9001, RFC 9369) with that ClientHello, 1200 bytes each. FRAMES: in so
 * many pieces in each packet, the last first, as browsers send it. Connection
 * and numbers are those of the samples in the RFCs' appendices A.
 */
#include <err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PACKET	 1200
#define HEADER	 22
#define NUMBER	 18 /* where the packet's number is, of 4 bytes */
#define TAG	 16
#define CONTENT	 (PACKET - HEADER - TAG)
#define PIECES	 (CONTENT - 160) /* leaves room for what frames begin with */
#define MESSAGE	 4096
#define SAMPLE	 4
#define FIRST_NO 2

static const struct version {
	uint8_t first, number[4], salt[20];
	const char *key, *iv, *hp;
} versions[] = {
	{ 0xc3,
	  { 0, 0, 0, 1 },
	  { 0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
	    0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a },
	  "quic key",
	  "quic iv",
	  "quic hp" },
	{ 0xd3,
	  { 0x6b, 0x33, 0x43, 0xcf },
	  { 0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
	    0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9 },
	  "quicv2 key",
	  "quicv2 iv",
	  "quicv2 hp" },
};

static const uint8_t connection[] = { 0x83, 0x94, 0xc8, 0xf0,
				      0x3e, 0x51, 0x57, 0x08 };

static void must(bool done)
{
	if (!done)
		errx(1, "libcrypto does not work");
}

static void hmac(const uint8_t *key, size_t key_len, const uint8_t *text,
		 size_t n, uint8_t out[32])
{
	must(HMAC(EVP_sha256(), key, (int)key_len, text, n, out, NULL));
}

/* HKDF-Expand-Label of TLS 1.3, for what fits into one hash. */
static void derive(const uint8_t secret[32], const char *label, uint8_t n,
		   uint8_t out[32])
{
	uint8_t info[64];
	int len = snprintf((char *)info, sizeof(info), "%c%c%ctls13 %s", 0, n,
			   (int)strlen(label) + 6, label);

	info[len++] = 0;
	info[len++] = 1;
	hmac(secret, 32, info, (size_t)len, out);
}

static void protect(const struct version *v, uint8_t packet[PACKET])
{
	uint8_t secret[32], key[32], iv[32], hp[32], mask[16];
	uint8_t *content = packet + HEADER, *tag = content + CONTENT;
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n;

	hmac(v->salt, sizeof(v->salt), connection, sizeof(connection), secret);
	derive(secret, "client in", 32, secret);
	derive(secret, v->key, 16, key);
	derive(secret, v->iv, 12, iv);
	derive(secret, v->hp, 16, hp);
	for (int i = 0; i < 4; i++)
		iv[8 + i] ^= packet[NUMBER + i];
	must(c && EVP_EncryptInit_ex(c, EVP_aes_128_gcm(), NULL, key, iv) &&
	     EVP_EncryptUpdate(c, NULL, &n, packet, HEADER) &&
	     EVP_EncryptUpdate(c, content, &n, content, CONTENT) &&
	     EVP_EncryptFinal_ex(c, tag, &n) &&
	     EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG, tag));
	must(EVP_EncryptInit_ex(c, EVP_aes_128_ecb(), NULL, hp, NULL) &&
	     EVP_EncryptUpdate(c, mask, &n, packet + NUMBER + SAMPLE, 16));
	EVP_CIPHER_CTX_free(c);
	packet[0] ^= mask[0] & 0x0f;
	for (int i = 0; i < 4; i++)
		packet[NUMBER + i] ^= mask[1 + i];
}

/* A number below 64 takes one byte, below 16,384 two. */
static uint8_t *number(uint8_t *to, size_t value)
{
	if (value >= 64)
		*to++ = (uint8_t)(0x40 | value >> 8);
	*to++ = (uint8_t)value;
	return to;
}

static uint8_t *frame(uint8_t *to, const uint8_t *hello, size_t from, size_t n)
{
	*to++ = 6; /* CRYPTO */
	to = number(number(to, from), n);
	memcpy(to, hello + from, n);
	return to + n;
}

static void send_packet(const struct version *v, uint8_t no,
			const uint8_t *hello, size_t from, size_t to,
			size_t frames)
{
	uint8_t packet[PACKET] = { v->first }, *at = packet + 1;
	size_t n = to - from;

	memcpy(at, v->number, 4);
	at += 4;
	*at++ = sizeof(connection);
	memcpy(at, connection, sizeof(connection));
	at += sizeof(connection) + 2; /* of its own id, and of a token: none */
	at = number(at, PACKET - NUMBER);
	packet[NUMBER + 3] = no;
	for (at = packet + HEADER; frames--;) {
		size_t begin = from + n * frames / (frames + 1);

		at = frame(at, hello, begin, from + n - begin);
		n = begin - from;
	}
	protect(v, packet);
	fwrite(packet, 1, PACKET, stdout);
}

int main(int argc, char **argv)
{
	int version = argc > 1 ? atoi(argv[1]) : 0;
	size_t frames = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
	uint8_t hello[MESSAGE], no = FIRST_NO;
	size_t n = fread(hello, 1, sizeof(hello), stdin);

	if (version < 1 || version > 2 || !frames || frames > 30 || !n)
		errx(2, "usage: quic-initial 1|2 [FRAMES] <HELLO");
	for (size_t at = 0; at < n; at += PIECES)
		send_packet(&versions[version - 1], no++, hello, at,
			    n - at > PIECES ? at + PIECES : n, frames);
	return 0;
}
