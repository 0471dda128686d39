// SPDX-License-Identifier: MIT
/*
 * The two back ends of the canvas. Besides input.c the only file that knows
 * curses.
 */
#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "buf.h"
#include "canvas.h"
#include "text.h"

/* One line of a text frame. */
struct line {
	struct nm_buf text;
	int columns;
};

static struct {
	bool text;
	bool colour;
	int width, height;
	/* terminal */
	SCREEN *screen;
	int fd;
	int cursor_y, cursor_x;
	/* text */
	struct line *line;
	int lines;
	int room;
	bool first_done;
} canvas;

static attr_t look_of(enum role role)
{
	unsigned have =
		canvas.colour ? theme[role].coloured : theme[role].plain;
	attr_t attributes = A_NORMAL;

	if (have & ATTR_BOLD)
		attributes |= A_BOLD;
	if (have & ATTR_DIM)
		attributes |= A_DIM;
	if (have & ATTR_REVERSE)
		attributes |= A_REVERSE;
	if (have & ATTR_UNDERLINE)
		attributes |= A_UNDERLINE;
	if (canvas.colour)
		attributes |= COLOR_PAIR((int)role + 1);
	return attributes;
}

static void open_colours(void)
{
	bool defaults;

	if (start_color() == ERR || COLORS < 8)
		return;
	canvas.colour = true;
	defaults = use_default_colors() == OK;
	for (int i = 0; i < ROLE_COUNT; i++) {
		short fore = (short)theme[i].fore;
		short back = (short)theme[i].back;

		if (!defaults && fore == COLOUR_DEFAULT)
			fore = COLOUR_WHITE;
		if (!defaults && back == COLOUR_DEFAULT)
			back = COLOUR_BLACK;
		init_pair((short)(i + 1), fore, back);
	}
}

/*
 * While we draw, Ctrl-Z is a key like others. endwin() gives the shell its own
 * back.
 */
static void take_suspend_key(int fd)
{
	struct termios modes;

	if (tcgetattr(fd, &modes) < 0)
		return;
	modes.c_cc[VSUSP] = _POSIX_VDISABLE;
	tcsetattr(fd, TCSADRAIN, &modes);
	def_prog_mode();
}

void canvas_close(void)
{
	if (canvas.screen) {
		/* Also when our job has been put into the background. */
		signal(SIGTTOU, SIG_IGN);
		endwin();
		delscreen(canvas.screen);
		canvas.screen = NULL;
	}
	for (int i = 0; i < canvas.room; i++)
		nm_buf_free(&canvas.line[i].text);
	free(canvas.line);
	canvas.line = NULL;
	canvas.room = 0;
}

bool canvas_open_terminal(FILE *out, FILE *in, bool colour, bool suspend_key)
{
	canvas.screen = newterm(NULL, out, in);
	if (!canvas.screen)
		return false;
	/* Without it curses draws each line over the one before. */
	if (!tigetstr("cup")) {
		canvas_close();
		return false;
	}
	canvas.fd = fileno(out);
	cbreak();
	noecho();
	nonl();
	intrflush(stdscr, FALSE);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	if (suspend_key)
		take_suspend_key(fileno(in));
	/* Time enough for the rest of a key over a slow line. */
	set_escdelay(50);
	if (colour && has_colors())
		open_colours();
	getmaxyx(stdscr, canvas.height, canvas.width);
	return true;
}

void canvas_open_text(int width, int height)
{
	canvas.text = true;
	canvas.width = width;
	canvas.height = height;
}

void canvas_suspend(void)
{
	/* From the background this would stop us in the middle. */
	void (*before)(int) = signal(SIGTTOU, SIG_IGN);

	endwin();
	signal(SIGTTOU, before);
}

void canvas_resume(void)
{
	canvas_resize();
	canvas_redraw();
}

void canvas_resize(void)
{
	struct winsize size;

	if (ioctl(canvas.fd, TIOCGWINSZ, &size) == 0 && size.ws_row &&
	    size.ws_col)
		resizeterm(size.ws_row, size.ws_col);
	getmaxyx(stdscr, canvas.height, canvas.width);
}

void canvas_redraw(void)
{
	if (!canvas.text)
		clearok(curscr, TRUE);
}

bool canvas_is_text(void)
{
	return canvas.text;
}

int canvas_width(void)
{
	return canvas.width;
}

int canvas_height(void)
{
	return canvas.height;
}

bool canvas_is_utf8(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

void canvas_begin(void)
{
	if (!canvas.text) {
		canvas.cursor_y = -1;
		erase();
		return;
	}
	for (int i = 0; i < canvas.lines; i++) {
		canvas.line[i].text.len = 0;
		canvas.line[i].columns = 0;
	}
	canvas.lines = 0;
}

static struct line *text_line(int y)
{
	if (y >= canvas.room) {
		int room = 2 * y + 32;

		canvas.line = realloc(canvas.line,
				      (size_t)room * sizeof(*canvas.line));
		if (!canvas.line)
			abort();
		memset(canvas.line + canvas.room, 0,
		       (size_t)(room - canvas.room) * sizeof(*canvas.line));
		canvas.room = room;
	}
	if (y >= canvas.lines)
		canvas.lines = y + 1;
	return &canvas.line[y];
}

static void text_put(int y, int x, const char *text, size_t bytes, int columns)
{
	struct line *line = text_line(y);

	while (line->columns < x) {
		nm_buf_putc(&line->text, ' ');
		line->columns++;
	}
	nm_buf_add(&line->text, text, bytes);
	line->columns += columns;
}

void canvas_put(int y, int x, int width, enum role role, const char *text)
{
	size_t bytes, columns;

	if (width > canvas.width - x)
		width = canvas.width - x;
	if (y < 0 || x < 0 || width <= 0)
		return;
	bytes = nm_clip(text, (size_t)width, &columns);
	if (canvas.text) {
		text_put(y, x, text, bytes, (int)columns);
		return;
	}
	attrset((int)look_of(role));
	mvaddnstr(y, x, text, (int)bytes);
}

void canvas_fill(int y, int x, int width, enum role role)
{
	if (width > canvas.width - x)
		width = canvas.width - x;
	if (canvas.text || width <= 0)
		return;
	attrset((int)look_of(role));
	mvhline(y, x, ' ' | look_of(role), width);
}

void canvas_cursor(int y, int x)
{
	canvas.cursor_y = y;
	canvas.cursor_x = x;
}

/* Frames are a blank line apart; no line ends in blanks. */
static int text_end(void)
{
	struct nm_buf out = { 0 };
	int error;

	if (canvas.first_done)
		nm_buf_putc(&out, '\n');
	canvas.first_done = true;
	for (int i = 0; i < canvas.lines; i++) {
		struct nm_buf *text = &canvas.line[i].text;

		while (text->len && text->data[text->len - 1] == ' ')
			text->len--;
		nm_buf_add(&out, text->data, text->len);
		nm_buf_putc(&out, '\n');
	}
	error = nm_buf_flush(&out, STDOUT_FILENO) < 0 ? errno : 0;
	nm_buf_free(&out);
	errno = error;
	return error ? -1 : 0;
}

int canvas_end(void)
{
	if (canvas.text)
		return text_end();
	if (canvas.cursor_y >= 0) {
		curs_set(1);
		move(canvas.cursor_y, canvas.cursor_x);
	} else {
		curs_set(0);
	}
	refresh();
	return 0;
}
