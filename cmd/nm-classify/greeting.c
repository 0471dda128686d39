// SPDX-License-Identifier: MIT
/*
 * A code with which the protocol begins is not enough: "220" is FTP's as well.
 * The line must name the protocol too, as RFC 5321 (4.3.1) would have it.
 */
#include "greeting.h"

#include <string.h>

static const struct {
	const char *code, *word, *app;
} greetings[] = {
	{ "220", "SMTP", "smtp" },
	{ "* OK ", "IMAP", "imap" },
	{ "+OK ", "POP3", "pop3" },
};

bool greeting_tells(const uint8_t *bytes, size_t n, struct finding *f)
{
	const uint8_t *end = memchr(bytes, '\n', n);

	if (!end)
		return false;
	n = (size_t)(end - bytes);
	for (size_t i = 0; i < sizeof(greetings) / sizeof(*greetings); i++) {
		const char *code = greetings[i].code, *word = greetings[i].word;

		if (n < strlen(code) ||
		    memcmp(bytes, code, strlen(code)) != 0 ||
		    !memmem(bytes, n, word, strlen(word)))
			continue;
		finding_app(f, greetings[i].app, "email");
		return true;
	}
	return false;
}
