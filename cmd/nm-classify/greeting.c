// SPDX-License-Identifier: MIT
/*
 * A code with which the protocol begins is not enough: "220" is FTP's as well.
 * The line must name the protocol too.
 */
#include "greeting.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

struct word {
	const char *at;
	size_t n;
};

/* Takes the next word off the line. False: there is none. */
static bool next(const char **at, const char *end, struct word *w)
{
	while (*at < end && **at == ' ')
		++*at;
	w->at = *at;
	while (*at < end && **at != ' ' && **at != '\r')
		++*at;
	w->n = (size_t)(*at - w->at);
	return w->n;
}

static bool is_word(const struct word *w, const char *text)
{
	return w->n == strlen(text) && strncasecmp(w->at, text, w->n) == 0;
}

/* RFC 5321, section 4.1.3: or an address in brackets. */
static bool is_host(const struct word *w)
{
	static const char others[] = { '.', '-', '_', '[', ']', ':' };

	for (size_t i = 0; i < w->n; i++)
		if (!isalnum((unsigned char)w->at[i]) &&
		    !memchr(others, w->at[i], sizeof(others)))
			return false;
	return true;
}

/* What is known to stand before the protocol: "Microsoft ESMTP MAIL". */
static bool is_maker(const struct word *w)
{
	return w->at[0] == '(' || is_word(w, "Microsoft") ||
	       is_word(w, "Nemesis") || is_word(w, "Stalwart");
}

/*
 * After the code and the host comes the protocol, as RFC 5321 (4.3.1) would
 * have it; further on it can be said of anything.
 */
static bool is_smtp(const char *line, const char *end)
{
	struct word w;

	if (end - line < 4 || memcmp(line, "220", 3) != 0 ||
	    (line[3] != ' ' && line[3] != '-'))
		return false;
	line += 4;
	if (!next(&line, end, &w) || !is_host(&w))
		return false;
	do
		if (!next(&line, end, &w))
			return false;
	while (is_maker(&w));
	return is_word(&w, "SMTP") || is_word(&w, "ESMTP");
}

static bool names(const char *line, const char *end, const char *code,
		  const char *word)
{
	size_t n = (size_t)(end - line);

	return n >= strlen(code) && memcmp(line, code, strlen(code)) == 0 &&
	       memmem(line, n, word, strlen(word));
}

bool greeting_tells(const uint8_t *bytes, size_t n, struct finding *f)
{
	const char *line = (const char *)bytes, *end = memchr(line, '\n', n);

	if (!end)
		return false;
	if (is_smtp(line, end))
		finding_app(f, "smtp", "email");
	else if (names(line, end, "* OK ", "IMAP"))
		finding_app(f, "imap", "email");
	else if (names(line, end, "+OK ", "POP3"))
		finding_app(f, "pop3", "email");
	else
		return false;
	return true;
}
