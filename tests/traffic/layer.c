// SPDX-License-Identifier: MIT
/*
 * Where there is more between the program and the wire than TCP or UDP:
 * MPTCP, TLS in the kernel, SCTP. What counts is what the program sees.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <linux/tls.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "traffic.h"

/* --- kTLS --- */

static void set_key(int fd, int direction, const void *key, size_t size)
{
	if (setsockopt(fd, SOL_TLS, direction, key, (socklen_t)size))
		skip("the kernel lacks this cipher");
}

/* Everybody knows the key. */
static void set_tls(int fd, uint16_t version)
{
	struct tls12_crypto_info_aes_gcm_128 key = {
		.info.version = version,
		.info.cipher_type = TLS_CIPHER_AES_GCM_128,
		.iv = "salutes",
		.key = "sixteen letters",
		.salt = "NaC",
	};

	if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof("tls")))
		skip("no TLS in the kernel");
	set_key(fd, TLS_TX, &key, sizeof(key));
	set_key(fd, TLS_RX, &key, sizeof(key));
}

static void set_tls12(int fd, bool client)
{
	(void)client;
	set_tls(fd, TLS_1_2_VERSION);
}

static void set_tls13(int fd, bool client)
{
	(void)client;
	set_tls(fd, TLS_1_3_VERSION);
}

static long by_sendfile(int fd, const char *buf, size_t n)
{
	static int file = -1;
	off_t from = 0;

	(void)buf;
	if (file < 0) {
		file = memfd_create("file", 0);
		must(file, "memfd_create");
		must(ftruncate(file, 1 << 17), "ftruncate");
	}
	return sendfile(fd, file, &from, n);
}

static long by_splice(int fd, char *buf, size_t n)
{
	static int tube[2] = { -1, -1 };
	long got;

	if (tube[0] < 0)
		must(pipe(tube), "pipe");
	got = splice(fd, NULL, tube[1], NULL, n, 0);
	if (got > 0)
		must(read(tube[0], buf, (size_t)got), "read");
	return got;
}

static long peek_first(int fd, char *buf, size_t n)
{
	must(recv(fd, buf, n, MSG_PEEK), "peek");
	return recv(fd, buf, n, 0);
}

/* --- Table --- */

static const struct stream mptcp4 = {
	.proto = "mptcp",
	.protocol = IPPROTO_MPTCP,
};
static const struct stream mptcp6 = {
	.proto = "mptcp",
	.where = V6,
	.protocol = IPPROTO_MPTCP,
};
static const struct stream mptcp_peek = {
	.proto = "mptcp",
	.protocol = IPPROTO_MPTCP,
	.pull = peek_first,
};
static const struct stream mptcp_splice = {
	.proto = "mptcp",
	.protocol = IPPROTO_MPTCP,
	.push = by_sendfile,
	.pull = by_splice,
};
static const struct stream mptcp_fallback = {
	.proto = "mptcp",
	.protocol = IPPROTO_MPTCP,
	.srv_protocol = IPPROTO_TCP,
};
static const struct stream tls12 = { .setup = set_tls12 };
static const struct stream tls13 = { .where = V6, .setup = set_tls13 };
static const struct stream tls_file = {
	.setup = set_tls12,
	.push = by_sendfile,
};
static const struct stream tls_splice = {
	.setup = set_tls12,
	.pull = by_splice,
};
static const struct stream tls_peek = {
	.setup = set_tls13,
	.pull = peek_first,
};
static const struct stream sctp4 = {
	.proto = "sctp",
	.protocol = IPPROTO_SCTP,
	.whole = true,
};
static const struct stream sctp6 = {
	.proto = "sctp",
	.where = V6,
	.protocol = IPPROTO_SCTP,
	.whole = true,
};

const struct scenario layer_scenarios[] = {
	{ "mptcp4", "MPTCP", stream_pair, &mptcp4 },
	{ "mptcp6", "the same on IPv6", stream_pair, &mptcp6 },
	{ "mptcp-peek", "MPTCP, MSG_PEEK", stream_pair, &mptcp_peek },
	{ "mptcp-splice", "MPTCP, sendfile and splice", stream_pair,
	  &mptcp_splice },
	{ "mptcp-fallback", "MPTCP to a server without it", stream_pair,
	  &mptcp_fallback },
	{ "ktls12", "TLS 1.2 in the kernel", stream_pair, &tls12 },
	{ "ktls13", "TLS 1.3 on IPv6", stream_pair, &tls13 },
	{ "ktls-sendfile", "TLS 1.2, sendfile", stream_pair, &tls_file },
	{ "ktls-splice", "TLS 1.2, splice from a socket", stream_pair,
	  &tls_splice },
	{ "ktls-peek", "TLS 1.3, MSG_PEEK", stream_pair, &tls_peek },
	{ "sctp4", "SCTP", stream_pair, &sctp4 },
	{ "sctp6", "the same on IPv6", stream_pair, &sctp6 },
	{ 0 }
};
