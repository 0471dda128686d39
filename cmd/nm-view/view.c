// SPDX-License-Identifier: MIT
/*
 * Records, ticks and keys, and what they change.
 */
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "canvas.h"
#include "frame.h"
#include "prompt.h"
#include "text.h"
#include "view.h"

static void complain(struct view *v, struct source *s, const char *what)
{
	v->bad_lines++;
	if (!s->hold) {
		nm_complain(&s->bad, s->lines.number, what);
		return;
	}
	if (s->held < SOURCE_HELD_MAX) {
		s->held_line[s->held] = s->lines.number;
		s->held_what[s->held] = what;
		s->held++;
	}
}

int view_complaints(const struct view *v, struct source *s)
{
	int status;

	for (size_t i = 0; i < s->held; i++)
		nm_complain(&s->bad, s->held_line[i], s->held_what[i]);
	s->bad.count = v->bad_lines;
	status = nm_complaints_end(&s->bad);
	if (s->error) {
		errno = s->error;
		warn("cannot read standard input");
		status = NM_EXIT_FAIL;
	}
	return status;
}

/* JSON's white space only: nothing to complain about. */
static bool is_blank(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
			return false;
	}
	return true;
}

enum source_state view_take(struct view *v, struct source *s)
{
	const char *line, *trouble;
	size_t len;

	for (;;) {
		switch (nm_lines_next(&s->lines, &line, &len)) {
		case NM_LINE:
			if (is_blank(line, len))
				break;
			trouble = nm_record_scan(&s->record, line, len);
			if (trouble)
				complain(v, s, trouble);
			else if (model_record(v->model, &s->record))
				return SOURCE_TICK;
			break;
		case NM_LINE_LONG:
			complain(v, s, "line longer than 1048576 bytes");
			break;
		case NM_LINE_NONE:
			return SOURCE_EMPTY;
		case NM_LINE_EOF:
			return SOURCE_EOF;
		}
	}
}

static void update(const struct view *v)
{
	if (v->screen->update)
		v->screen->update(v);
}

static void act(struct view *v, enum action action)
{
	if (v->screen->act(v, action))
		return;
	switch (action) {
	case ACTION_QUIT:
		v->quit = true;
		break;
	case ACTION_HELP:
		v->screen =
			v->screen == &screen_help ? &screen_proc : &screen_help;
		break;
	case ACTION_UNSELECT:
		v->screen = &screen_proc;
		break;
	case ACTION_PAUSE:
		v->paused = !v->paused;
		if (!v->paused)
			model_show(v->model);
		break;
	case ACTION_UNIT:
		v->unit = (v->unit + 1) % UNIT_COUNT;
		break;
	case ACTION_FILTER:
		v->screen = &screen_proc;
		prompt_open(" Filter: ", v->filter);
		break;
	case ACTION_REDRAW:
		canvas_redraw();
		break;
	default:
		return;
	}
	update(v);
}

/* The filter works while it is typed. */
static void edit(struct view *v, const int *keys, size_t n)
{
	if (n == 1 && keys[0] == '\033')
		prompt_cancel();
	else
		prompt_feed(keys, n);
	nm_clean(v->filter, sizeof(v->filter), prompt_text());
	update(v);
}

/* A sequence of the terminal that curses does not know is no key of ours. */
static bool is_unknown_sequence(const int *keys, size_t n)
{
	return n > 1 && keys[0] == '\033' && (keys[1] == '[' || keys[1] == 'O');
}

void view_keys(struct view *v, const int *keys, size_t n)
{
	for (size_t i = 0; i < n && !v->quit; i++) {
		bool rest = keys[i] == '\033' && i + 1 < n;

		if (prompt_is_open()) {
			edit(v, keys + i, rest ? n - i : 1);
			if (rest)
				return;
		} else if (is_unknown_sequence(keys + i, n - i)) {
			return;
		} else {
			act(v, action_of(keys[i]));
		}
	}
}

/* A word that names no key is typed, character by character. */
static void play_word(struct view *v, const char *word, size_t n)
{
	int key = key_named(word, n);
	wchar_t c;

	if (key) {
		view_keys(v, &key, 1);
		return;
	}
	while (n) {
		int len = mbtowc(&c, word, n);

		if (len <= 0)
			return;
		key = (int)c;
		view_keys(v, &key, 1);
		word += len;
		n -= (size_t)len;
	}
}

static void play(struct view *v)
{
	while (!v->quit) {
		const char *word = v->script + strspn(v->script, " ");
		size_t n = strcspn(word, " ");

		v->script = word + n;
		if (!n || key_named(word, n) == KEY_IS_TICK)
			return;
		play_word(v, word, n);
	}
}

void view_tick(struct view *v)
{
	if (!v->paused)
		model_show(v->model);
	update(v);
	if (!*v->script)
		return;
	/* Keys mean what they mean to who sees the picture. */
	frame_paint(v);
	play(v);
}

bool view_end(struct view *v)
{
	v->ended = true;
	if (!model_finish(v->model))
		return false;
	view_tick(v);
	return true;
}
