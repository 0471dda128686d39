// SPDX-License-Identifier: MIT
/*
 * The keys are derived from the connection's id; one lays the packet's number
 * open, and with that the others do the content.
 *
 * By libcrypto: newer versions of nDPI have functions of their own that are
 * called as those of libgcrypt.
 */
#include "quic-seal.h"

#include <err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "options.h"

#define TAG	   16
#define KEY	   16
#define IV	   12
#define HASH	   32
#define NUMBER_MAX 4
#define SAMPLE	   16

static void must(bool done)
{
	if (!done)
		errx(NM_EXIT_FAIL, "libcrypto does not work");
}

static void hmac(const uint8_t *key, size_t key_len, const uint8_t *text,
		 size_t n, uint8_t out[HASH])
{
	must(HMAC(EVP_sha256(), key, (int)key_len, text, n, out, NULL));
}

/* HKDF-Expand-Label (RFC 8446, section 7.1), of no more than one hash. */
static void derive(const uint8_t secret[HASH], const char *label, uint8_t n,
		   uint8_t out[HASH])
{
	uint8_t info[64];
	int len = snprintf((char *)info, sizeof(info), "%c%c%ctls13 %s", 0, n,
			   (int)strlen(label) + 6, label);

	info[len++] = 0; /* no context */
	info[len++] = 1; /* the first hash */
	hmac(secret, HASH, info, (size_t)len, out);
}

/* Lays the packet's number open. Returns where the content begins. */
static size_t unmask(EVP_CIPHER_CTX *c, const uint8_t *key, uint8_t *packet,
		     size_t number)
{
	uint8_t mask[SAMPLE];
	size_t width;
	int n;

	must(EVP_EncryptInit_ex(c, EVP_aes_128_ecb(), NULL, key, NULL) &&
	     EVP_EncryptUpdate(c, mask, &n, packet + number + NUMBER_MAX,
			       SAMPLE));
	packet[0] ^= mask[0] & 0x0f;
	width = (packet[0] & 3) + 1U;
	for (size_t i = 0; i < width; i++)
		packet[number + i] ^= mask[1 + i];
	return number + width;
}

/* What comes before begin is not encrypted, but of the tag as well. */
static bool decrypt(EVP_CIPHER_CTX *c, const uint8_t *key, const uint8_t *iv,
		    uint8_t *packet, size_t begin, size_t end)
{
	int n;

	must(EVP_DecryptInit_ex(c, EVP_aes_128_gcm(), NULL, key, iv) &&
	     EVP_DecryptUpdate(c, NULL, &n, packet, (int)begin) &&
	     EVP_DecryptUpdate(c, packet + begin, &n, packet + begin,
			       (int)(end - begin)) &&
	     EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG, packet + end));
	return EVP_DecryptFinal_ex(c, packet + end, &n) > 0;
}

size_t seal_open(const struct seal *s, const uint8_t *id, size_t id_len,
		 uint8_t *packet, size_t n, size_t number, size_t *end)
{
	uint8_t secret[HASH], key[HASH], iv[HASH];
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	size_t begin;
	bool whole;

	must(c);
	hmac(s->salt, sizeof(s->salt), id, id_len, secret);
	derive(secret, "client in", HASH, secret);
	derive(secret, s->header, KEY, key);
	begin = unmask(c, key, packet, number);
	*end = n - TAG;
	derive(secret, s->key, KEY, key);
	derive(secret, s->iv, IV, iv);
	for (size_t i = 1; i <= begin - number; i++)
		iv[IV - i] ^= packet[begin - i];
	whole = decrypt(c, key, iv, packet, begin, *end);
	EVP_CIPHER_CTX_free(c);
	return whole ? begin : 0;
}
