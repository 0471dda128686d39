/* SPDX-License-Identifier: MIT */
/*
 * Strings from outside: process names, host names, cgroup names. In the
 * stream they are valid UTF-8; on a terminal they must not move the cursor.
 */
#ifndef NM_TEXT_H
#define NM_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Length in bytes (1..4) of the UTF-8 character at s, or 0 if the bytes are
 * not one (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF).
 */
size_t nm_utf8_len(const char *s, size_t n);

/* Are all n bytes valid UTF-8? */
bool nm_utf8_valid(const char *s, size_t n);

/* Writes the character c, up to U+10FFFF and no surrogate; returns its bytes.
 */
size_t nm_utf8_put(char out[4], uint32_t c);

/*
 * Copies s for a terminal, NUL-terminated: control characters, invalid
 * bytes and characters without a width become '?', and bidirectional
 * controls too. Cut to size at a character's edge. Needs setlocale(3).
 */
void nm_clean(char *out, size_t size, const char *s);

/* Columns that a cleaned string takes on a terminal. */
size_t nm_width(const char *s);

/*
 * The n bytes of a command line as /proc/PID/cmdline has them, in place: its
 * words joined by blanks, NUL-terminated, and cut to `limit` bytes at a
 * character's edge with "…" for the rest. There must be room for
 * NM_CMDLINE_ROOM more bytes.
 */
#define NM_CMDLINE_ROOM 4
void nm_cmdline(char *text, size_t n, size_t limit);

/*
 * The bytes of s that fit in `columns`; *used is what they take (a wide
 * character that would be cut in half is left out).
 */
size_t nm_clip(const char *s, size_t columns, size_t *used);

/*
 * Is s a host's name as DNS has them: letters, digits, "-" and dots (RFC 1123,
 * section 2.1), and "_", which is in use? Of an address in IPv4 too.
 */
bool nm_is_host_name(const char *s);

/* strtod(3) that takes a point for a point, whatever the user's locale. */
double nm_strtod(const char *s, char **end);

#endif
