/* SPDX-License-Identifier: MIT */
/*
 * What stands around every screen: the header with the sums, the message
 * line, the line of keys.
 */
#ifndef VIEW_FRAME_H
#define VIEW_FRAME_H

struct view;

/* Draws the whole picture, but does not show it. */
void frame_paint(const struct view *v);

/* Draws and shows the whole picture. -1 and errno: text could not be written.
 */
int frame_draw(const struct view *v);

#endif
