// SPDX-License-Identifier: MIT
/*
 * The header answers first what everybody asks first: how much, and can I
 * believe it.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "canvas.h"
#include "frame.h"
#include "prompt.h"
#include "screen.h"
#include "text.h"
#include "units.h"

#define HEADER_LINES	 3
#define NOTICE_LINES_MAX 3

/* Writes pieces of a line from left to right, each whole or not at all. */
struct pen {
	int y, x;
	int end;
	bool full;
};

static void piece(struct pen *pen, enum role role, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void piece(struct pen *pen, enum role role, const char *fmt, ...)
{
	char text[256];
	va_list ap;
	int width;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	width = (int)nm_width(text);
	pen->full |= pen->x + width > pen->end;
	if (pen->full)
		return;
	canvas_put(pen->y, pen->x, width, role, text);
	pen->x += width;
}

static void gap(struct pen *pen)
{
	pen->x += 3;
}

static const char *quality(const struct model *m)
{
	if (m->any_exact && m->any_inferred)
		return "partly inferred";
	if (m->any_inferred || (!m->any_exact && !strcmp(m->backend, "diag")))
		return "inferred";
	return "exact";
}

static void draw_source(const struct view *v, int y)
{
	const struct model *m = v->model;
	struct pen pen = { .y = y, .x = 1, .end = canvas_width() - 1 };
	time_t seconds = (time_t)(m->shown.ts_us / 1000000);
	char clock[32] = "";
	const char *state = v->paused ? " PAUSED " : "";
	struct tm tm;

	if (m->shown.ts_us && localtime_r(&seconds, &tm))
		strftime(clock, sizeof(clock),
			 canvas_width() >= 100 ? "%Y-%m-%d %H:%M:%S"
					       : "%H:%M:%S",
			 &tm);
	pen.end -= (int)(strlen(clock) + strlen(state) + 2);
	piece(&pen, ROLE_TITLE, "%s", m->host[0] ? m->host : "nm-view");
	if (m->backend[0]) {
		gap(&pen);
		piece(&pen, ROLE_LABEL, "%s: ", m->backend);
		piece(&pen, ROLE_NORMAL, "%s", quality(m));
	}
	if (m->kernel[0]) {
		gap(&pen);
		piece(&pen, ROLE_LABEL, "Linux ");
		piece(&pen, ROLE_NORMAL, "%s", m->kernel);
	}
	pen = (struct pen){ .y = y, .x = pen.end + 1, .end = canvas_width() };
	if (v->paused)
		piece(&pen, ROLE_STATE, "%s", state);
	pen.x++;
	piece(&pen, ROLE_NORMAL, "%s", clock);
}

/* Fixed widths: the eye finds the figure where it was. */
static void draw_sum(struct pen *pen, const char *label, double rate,
		     uint64_t bytes, enum unit unit)
{
	char text[AMOUNT_TEXT];
	int width = amount_width(unit);

	piece(pen, ROLE_LABEL, "%s", label);
	piece(pen, ROLE_FIGURE, "%*s", width + 2,
	      amount_rate(rate, unit, text));
	piece(pen, ROLE_NORMAL, " %*s", width, amount_text(bytes, unit, text));
}

static void draw_sums(const struct view *v, int y)
{
	const struct totals *t = &v->model->shown;
	struct pen pen = { .y = y, .x = 1, .end = canvas_width() };
	char span[NM_UNIT_TEXT];

	draw_sum(&pen, "Sent", t->tx_rate, t->tx_bytes, v->unit);
	gap(&pen);
	draw_sum(&pen, "Received", t->rx_rate, t->rx_bytes, v->unit);
	if (t->ts_us <= t->since_us)
		return;
	gap(&pen);
	piece(&pen, ROLE_LABEL, "in ");
	piece(&pen, ROLE_NORMAL, "%s",
	      nm_span_text(t->ts_us - t->since_us, span));
}

/* A little is not nothing. */
static const char *share_text(uint64_t part, uint64_t all, char out[16])
{
	double percent = all ? 100.0 * (double)part / (double)all : 0;

	if (part && percent < 0.1)
		snprintf(out, 16, "<0.1 %%");
	else
		snprintf(out, 16, "%.*f %%", part ? 1 : 0, percent);
	return out;
}

static void draw_lost(struct pen *pen, uint64_t n, const char *what,
		      const char *plural)
{
	if (!n)
		return;
	gap(pen);
	piece(pen, ROLE_WARNING, "no room for %" PRIu64 " %s%s", n, what,
	      n == 1 ? "" : plural);
}

static void draw_health(const struct view *v, int y)
{
	const struct totals *t = &v->model->shown;
	uint64_t all = t->tx_bytes + t->rx_bytes;
	struct pen pen = { .y = y, .x = 1, .end = canvas_width() };
	char status[128], share[16];

	if (v->filter[0]) {
		piece(&pen, ROLE_STATE, " /%s ", v->filter);
		pen.x++;
	}
	v->screen->status(v, status, sizeof(status));
	piece(&pen, ROLE_NORMAL, "%s", status);
	if (v->bad_lines) {
		gap(&pen);
		piece(&pen, ROLE_WARNING, "%" PRIu64 " bad line%s",
		      v->bad_lines, v->bad_lines == 1 ? "" : "s");
	}
	draw_lost(&pen, t->lost_flows, "flow", "s");
	draw_lost(&pen, t->lost_processes, "process", "es");
	gap(&pen);
	piece(&pen, ROLE_LABEL, "unnamed ");
	piece(&pen, ROLE_NORMAL, "%s",
	      share_text(t->unknown_bytes, all, share));
	if (t->cpu_share >= 0) {
		gap(&pen);
		piece(&pen, ROLE_LABEL, "collector ");
		piece(&pen, ROLE_NORMAL, "%.2f %% of a core",
		      100.0 * t->cpu_share);
	}
}

static void draw_keys(const struct view *v, int y)
{
	struct pen pen = { .y = y, .x = 0, .end = canvas_width() };

	if (prompt_is_open()) {
		prompt_draw(y);
		return;
	}
	if (v->ended) {
		piece(&pen, ROLE_STATE, " input ended ");
		pen.x++;
	}
	for (int i = 1; i < ACTION_COUNT && !pen.full; i++) {
		int key = (int)strcspn(actions[i].keys, " ");

		if (!actions[i].label[0])
			continue;
		/* A key and its word: both, or there is no room. */
		pen.full = pen.x + key + 3 + (int)strlen(actions[i].label) >
			   pen.end;
		piece(&pen, ROLE_KEY, " %.*s ", key, actions[i].keys);
		piece(&pen, ROLE_KEY_LABEL, "%s ", actions[i].label);
	}
}

/* Takes a line's worth of words off the text; returns how much that is. */
static size_t line_of(const char *text, int width)
{
	size_t fits = nm_clip(text, (size_t)width, NULL), n = fits;

	if (!text[fits])
		return fits;
	while (n && text[n] != ' ')
		n--;
	return n ? n : fits;
}

static int notice_lines(const struct model *m, int width)
{
	const char *text = m->notice;
	int lines = 0, most = NOTICE_LINES_MAX;

	/* What is only to be known does not take rows away for long. */
	if (canvas_height() && (!m->warned || canvas_height() < 20))
		most = 1;
	while (*text && lines < most) {
		text += line_of(text, width);
		text += strspn(text, " ");
		lines++;
	}
	return lines;
}

static void draw_notice(const struct model *m, int y, int lines, int width)
{
	const char *text = m->notice;
	char line[sizeof(m->notice) + 4];

	for (int i = 0; i < lines; i++) {
		size_t n = line_of(text, width);

		if (i == lines - 1 && text[n])
			n = line_of(text, width - 4);
		snprintf(line, sizeof(line), "%.*s%s", (int)n, text,
			 i == lines - 1 && text[n] ? " ..." : "");
		canvas_put(y + i, 1, width,
			   m->warned ? ROLE_WARNING : ROLE_NORMAL, line);
		text += n;
		text += strspn(text, " ");
	}
}

static void draw_too_small(void)
{
	char text[64];

	snprintf(text, sizeof(text), "%dx%d is too small,", canvas_width(),
		 canvas_height());
	canvas_put(0, 0, canvas_width(), ROLE_NORMAL, text);
	if (canvas_height() < 2)
		return;
	snprintf(text, sizeof(text), "%dx%d is needed", CANVAS_MIN_WIDTH,
		 CANVAS_MIN_HEIGHT);
	canvas_put(1, 0, canvas_width(), ROLE_NORMAL, text);
}

/* On paper there are no keys to press, and every row is printed. */
int frame_draw(const struct view *v)
{
	const struct model *m = v->model;
	int width = canvas_width(), height = canvas_height(), top = 0;
	int bottom = height - 1, lines;

	canvas_begin();
	if (width < CANVAS_MIN_WIDTH ||
	    (height && height < CANVAS_MIN_HEIGHT)) {
		draw_too_small();
		return canvas_end();
	}
	if (!v->screen->whole) {
		draw_source(v, 0);
		draw_sums(v, 1);
		draw_health(v, 2);
		top = HEADER_LINES;
		lines = notice_lines(m, width - 2);
		bottom -= lines;
		draw_notice(m, height ? bottom : top, lines, width - 2);
		if (!height)
			top += lines;
	}
	v->screen->draw(v, top, height ? bottom - top : 0);
	if (height)
		draw_keys(v, height - 1);
	return canvas_end();
}
