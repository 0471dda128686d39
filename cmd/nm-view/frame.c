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

#define HEADER_LINES 3
/* On a lower screen, rows are worth more than the ledger. */
#define LEDGER_HEIGHT_MIN 16
#define NOTICE_LINES_MAX  3

/*
 * Writes pieces of a line from left to right, a gap between them, each whole
 * or not at all: a label without its figure says nothing.
 */
struct pen {
	int y, x;
	int end;
	bool begun;
};

static void piece(struct pen *pen, const char *label, enum role role,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void piece(struct pen *pen, const char *label, enum role role,
		  const char *fmt, ...)
{
	int x = pen->x + (pen->begun ? 3 : 0), label_width, width;
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	label_width = (int)nm_width(label);
	width = (int)nm_width(text);
	if (x + label_width + width > pen->end)
		return;
	canvas_put(pen->y, x, label_width, ROLE_LABEL, label);
	canvas_put(pen->y, x + label_width, width, role, text);
	pen->x = x + label_width + width;
	pen->begun = true;
}

static const char *quality(const struct model *m)
{
	if (m->any_exact && m->any_inferred)
		return "exact, ~ inferred";
	if (m->any_inferred ||
	    (!m->any_exact &&
	     (!strcmp(m->backend, "diag") || !strcmp(m->backend, "cgroup"))))
		return "~ inferred";
	return "exact";
}

static void draw_source(const struct view *v, int y)
{
	const struct model *m = v->model;
	struct pen pen = { .y = y, .x = 1, .end = canvas_width() - 1 };
	time_t seconds = (time_t)(m->shown.ts_us / 1000000);
	char clock[32] = "", label[32];
	const char *state = v->paused ? " PAUSED " : "";
	struct tm tm;

	if (m->shown.ts_us && localtime_r(&seconds, &tm))
		strftime(clock, sizeof(clock),
			 canvas_width() >= 100 ? "%Y-%m-%d %H:%M:%S"
					       : "%H:%M:%S",
			 &tm);
	pen.end -= (int)(strlen(clock) + strlen(state) + 2);
	piece(&pen, "", ROLE_TITLE, "%s", m->host[0] ? m->host : "nm-view");
	if (m->backend[0]) {
		snprintf(label, sizeof(label), "%s: ", m->backend);
		piece(&pen, label, ROLE_NORMAL, "%s", quality(m));
	}
	if (m->kernel[0])
		piece(&pen, "Linux ", ROLE_NORMAL, "%s", m->kernel);
	canvas_put(y, pen.end + 1, canvas_width(), ROLE_STATE, state);
	canvas_put(y, pen.end + 2 + (int)strlen(state), canvas_width(),
		   ROLE_NORMAL, clock);
}

/* Fixed widths: the eye finds the figure where it was. */
static void draw_sum(struct pen *pen, const char *label, double rate,
		     uint64_t bytes, enum unit unit, bool total)
{
	int width = amount_width(unit);
	char text[AMOUNT_TEXT];

	piece(pen, label, ROLE_FIGURE, "%*s", width + 2,
	      amount_rate(rate, unit, text));
	pen->begun = false;
	if (total)
		piece(pen, "", ROLE_NORMAL, "  %*s", width,
		      amount_text(bytes, unit, text));
	pen->begun = true;
}

static void draw_sums(const struct view *v, int y)
{
	const struct totals *t = &v->model->shown;
	struct pen pen = { .y = y, .x = 1, .end = canvas_width() };
	/* "Sent ", "   Received ", and for each a rate and a total. */
	bool total = canvas_width() > 17 + 4 * amount_width(v->unit) + 8;
	char span[NM_UNIT_TEXT];

	draw_sum(&pen, "Sent ", t->tx_rate, t->tx_bytes, v->unit, total);
	draw_sum(&pen, "Received ", t->rx_rate, t->rx_bytes, v->unit, total);
	if (t->ts_us > t->since_us)
		piece(&pen, "in ", ROLE_NORMAL, "%s",
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

/* How often, that is, not how many: the same flow may be refused many times. */
static void draw_lost(struct pen *pen, const struct totals *t)
{
	char text[96];
	int n = 0;

	if (t->lost_flows)
		n = snprintf(text, sizeof(text), "%" PRIu64 "x for a flow",
			     t->lost_flows);
	if (t->lost_processes)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
			      "%s%" PRIu64 "x for a process", n ? ", " : "",
			      t->lost_processes);
	if (n)
		piece(pen, "", ROLE_WARNING, "no room %s", text);
}

static void draw_health(const struct view *v, int y)
{
	const struct totals *t = &v->model->shown;
	uint64_t all = t->tx_bytes + t->rx_bytes;
	struct pen pen = { .y = y, .x = 1, .end = canvas_width() };
	char status[128], share[16];

	if (v->filter[0])
		piece(&pen, "", ROLE_STATE, " /%s ", v->filter);
	v->screen->status(v, status, sizeof(status));
	piece(&pen, "", ROLE_NORMAL, "%s", status);
	if (v->bad_lines)
		piece(&pen, "", ROLE_WARNING, "%" PRIu64 " bad line%s",
		      v->bad_lines, v->bad_lines == 1 ? "" : "s");
	draw_lost(&pen, t);
	piece(&pen, "unnamed ", ROLE_NORMAL, "%s",
	      share_text(t->unknown_bytes, all, share));
	if (t->cpu_share >= 0)
		piece(&pen, "collector ", ROLE_NORMAL, "%.2f %% of a core",
		      100.0 * t->cpu_share);
}

/* Is there a ledger, and room for it on a low screen? */
static bool has_ledger(const struct view *v)
{
	return v->model->shown.ledger.kept &&
	       (!canvas_height() || canvas_height() >= LEDGER_HEIGHT_MIN);
}

/* Whose it was that the interfaces moved; lines that are empty are left out. */
static void draw_ledger(const struct view *v, int y)
{
	const struct ledger *l = &v->model->shown.ledger;
	const struct {
		const char *label;
		uint64_t bytes;
	} lines[] = {
		{ "unnamed ", l->unnamed },	{ "no socket ", l->no_socket },
		{ "forwarded ", l->forwarded }, { "tunnels ", l->carrier },
		{ "kernel ", l->kernel },
	};
	struct pen pen = { .y = y, .x = 1, .end = canvas_width() };
	uint64_t all = l->named;
	char share[16];

	/* Sockets may have more than interfaces: what a queue has dropped. */
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		all += lines[i].bytes;
	draw_sum(&pen, "Interfaces ", l->rate, l->nic, v->unit, true);
	if (!all)
		return;
	piece(&pen, "processes ", ROLE_NORMAL, "%s",
	      share_text(l->named, all, share));
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (lines[i].bytes)
			piece(&pen, lines[i].label, ROLE_NORMAL, "%s",
			      share_text(lines[i].bytes, all, share));
}

static void draw_keys(const struct view *v, int y)
{
	int x = 0;

	if (prompt_is_open()) {
		prompt_draw(y);
		return;
	}
	if (v->ended) {
		canvas_put(y, 0, 13, ROLE_STATE, " input ended ");
		x = 14;
	}
	for (int i = 1; i < ACTION_COUNT; i++) {
		int key = (int)strcspn(actions[i].keys, " ");
		int word = (int)strlen(actions[i].label);
		char text[16];

		if (!word)
			continue;
		/* A key and its word: both, or there is no room. */
		if (x + key + word + 3 > canvas_width())
			break;
		snprintf(text, sizeof(text), " %.*s ", key, actions[i].keys);
		canvas_put(y, x, key + 2, ROLE_KEY, text);
		x += key + 2;
		canvas_put(y, x, word, ROLE_KEY_LABEL, actions[i].label);
		x += word;
		canvas_fill(y, x++, 1, ROLE_KEY_LABEL);
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
void frame_paint(const struct view *v)
{
	const struct model *m = v->model;
	int width = canvas_width(), height = canvas_height(), top = 0;
	int bottom = height - 1, lines;

	canvas_begin();
	if (width < CANVAS_MIN_WIDTH ||
	    (height && height < CANVAS_MIN_HEIGHT)) {
		draw_too_small();
		return;
	}
	if (!v->screen->whole) {
		draw_source(v, 0);
		draw_sums(v, 1);
		draw_health(v, 2);
		top = HEADER_LINES;
		if (has_ledger(v))
			draw_ledger(v, top++);
		lines = notice_lines(m, width - 2);
		bottom -= lines;
		draw_notice(m, height ? bottom : top, lines, width - 2);
		if (!height)
			top += lines;
	}
	v->screen->draw(v, top, height ? bottom - top : 0);
	if (height)
		draw_keys(v, height - 1);
}

int frame_draw(const struct view *v)
{
	frame_paint(v);
	return canvas_end();
}
