// SPDX-License-Identifier: MIT
/*
 * The two voices of the kernel side. libbpf's is kept, because the reason of
 * a failure is in it; the programs' own is printed.
 */
#include "bpf-log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "collect.h"

static struct {
	unsigned verbose;
	char text[4096];
	size_t len;
} said;

static struct ring_buffer *messages;

__attribute__((format(printf, 2, 0))) static int
keep_what_libbpf_says(enum libbpf_print_level level, const char *fmt,
		      va_list ap)
{
	size_t n;
	char *text;

	if (level == LIBBPF_DEBUG && said.verbose < 3)
		return 0;
	if (vasprintf(&text, fmt, ap) < 0)
		return 0;
	if (said.verbose >= 2)
		fputs(text, stderr);
	/* A verifier's log is long; what it stumbled on is at its end. */
	n = strlen(text);
	if (level == LIBBPF_WARN) {
		if (n >= sizeof(said.text)) {
			memmove(text, text + n - sizeof(said.text) + 1,
				sizeof(said.text));
			n = sizeof(said.text) - 1;
		}
		if (said.len + n >= sizeof(said.text))
			said.len = 0;
		memcpy(said.text + said.len, text, n + 1);
		said.len += n;
	}
	free(text);
	return 0;
}

void bpf_log_listen(unsigned verbose)
{
	said.verbose = verbose;
	libbpf_set_print(keep_what_libbpf_says);
}

const char *bpf_log_said(void)
{
	return said.text;
}

void bpf_log_forget(void)
{
	said.len = 0;
	said.text[0] = '\0';
}

static const char *log_text(__u32 message)
{
	static const char *const texts[] = {
#define X(name, level, text) [NM_LOG_##name] = text,
		NM_LOG_MESSAGES(X)
#undef X
	};

	return message < sizeof(texts) / sizeof(texts[0]) ? texts[message]
							  : "message %llu";
}

static int print_message(void *ctx, void *data, size_t size)
{
	const struct nm_log *l = data;
	const char *text = log_text(l->message);
	char line[128];

	(void)ctx;
	if (size < sizeof(*l))
		return 0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(line, sizeof(line), text, (unsigned long long)l->a,
		 (unsigned long long)l->b);
#pragma GCC diagnostic pop
	fprintf(stderr, "nm-collect: kernel: %s\n", line);
	return 0;
}

void bpf_log_open(int map_fd)
{
	messages = ring_buffer__new(map_fd, print_message, NULL, NULL);
}

void bpf_log_print(void)
{
	if (messages)
		ring_buffer__consume(messages);
}

void bpf_log_close(void)
{
	ring_buffer__free(messages);
	messages = NULL;
}
