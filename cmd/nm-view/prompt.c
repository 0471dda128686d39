// SPDX-License-Identifier: MIT
/*
 * readline without its terminal: we read the keys and draw the line, it
 * edits. Nothing of it may touch the terminal, which belongs to curses.
 */
#include <err.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <readline/readline.h>
#include <readline/history.h>

#include "action.h"
#include "buf.h"
#include "canvas.h"
#include "prompt.h"
#include "text.h"

static struct {
	bool ready;
	bool open;
	char label[32];
	char text[256];
	int cursor; /* byte in text */
	const char *bytes;
	size_t waiting;
} prompt;

static int next_byte(FILE *unused)
{
	(void)unused;
	if (!prompt.waiting)
		return EOF;
	prompt.waiting--;
	return (unsigned char)*prompt.bytes++;
}

static int has_byte(void)
{
	return prompt.waiting > 0;
}

static void take_text(const char *line, int cursor)
{
	size_t n = 0, len, all = strlen(line);

	while (n < all) {
		len = nm_utf8_len(line + n, all - n);
		len = len ? len : 1;
		if (n + len >= sizeof(prompt.text))
			break;
		n += len;
	}
	memcpy(prompt.text, line, n);
	prompt.text[n] = '\0';
	prompt.cursor = (size_t)cursor < n ? cursor : (int)n;
}

static void changed(void)
{
	take_text(rl_line_buffer, rl_point);
}

/* A NULL line is an end of file (Ctrl-D on an empty line). */
static void finished(char *line)
{
	take_text(line ? line : "", 0);
	if (line && *line)
		add_history(line);
	free(line);
	rl_callback_handler_remove();
	prompt.open = false;
}

static void leave_terminal_alone(int unused)
{
	(void)unused;
}

static void leave_terminal_as_it_is(void)
{
}

static void prepare(void)
{
	FILE *nowhere = fopen("/dev/null", "r+");

	if (!nowhere)
		err(1, "'/dev/null'");
	rl_readline_name = "nm-view";
	rl_instream = nowhere;
	rl_outstream = nowhere;
	rl_getc_function = next_byte;
	rl_input_available_hook = has_byte;
	rl_redisplay_function = changed;
	rl_prep_term_function = leave_terminal_alone;
	rl_deprep_term_function = leave_terminal_as_it_is;
	rl_catch_signals = 0;
	rl_catch_sigwinch = 0;
	rl_change_environment = 0;
	using_history();
	stifle_history(100);
	rl_initialize();
	rl_unbind_key('\t'); /* there is nothing to complete */
	prompt.ready = true;
}

void prompt_open(const char *label, const char *text)
{
	if (!prompt.ready)
		prepare();
	snprintf(prompt.label, sizeof(prompt.label), "%s", label);
	prompt.open = true;
	rl_callback_handler_install("", finished);
	rl_insert_text(text);
	changed();
}

bool prompt_is_open(void)
{
	return prompt.open;
}

void prompt_feed(const int *keys, size_t n)
{
	struct nm_buf bytes = { 0 };
	char character[MB_LEN_MAX];

	for (size_t i = 0; i < n; i++) {
		const char *known = key_bytes(keys[i]);
		int len;

		if (known) {
			nm_buf_puts(&bytes, known);
			continue;
		}
		len = wctomb(character, (wchar_t)keys[i]);
		if (len > 0)
			nm_buf_add(&bytes, character, (size_t)len);
	}
	prompt.bytes = bytes.data;
	prompt.waiting = bytes.len;
	while (prompt.open && prompt.waiting)
		rl_callback_read_char();
	nm_buf_free(&bytes);
}

void prompt_cancel(void)
{
	take_text("", 0);
	rl_callback_handler_remove();
	prompt.open = false;
}

const char *prompt_text(void)
{
	return prompt.text;
}

/* Text longer than the line is shown from where the cursor can be seen. */
void prompt_draw(int y)
{
	char clean[sizeof(prompt.text)], before[sizeof(prompt.text)];
	int x = (int)nm_width(prompt.label), room = canvas_width() - x - 1;
	const char *from = clean;
	int column;

	nm_clean(clean, sizeof(clean), prompt.text);
	memcpy(before, prompt.text, (size_t)prompt.cursor);
	before[prompt.cursor] = '\0';
	nm_clean(before, sizeof(before), before);
	column = (int)nm_width(before);
	while (column > room) {
		size_t len = nm_utf8_len(from, strlen(from));
		char first[MB_LEN_MAX + 1] = "";

		memcpy(first, from, len);
		from += len;
		column -= (int)nm_width(first);
	}
	canvas_put(y, 0, x, ROLE_TITLE, prompt.label);
	canvas_put(y, x, room, ROLE_NORMAL, from);
	canvas_cursor(y, x + column);
}
