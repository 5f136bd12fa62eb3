/*
 * Drawing into a rectangle, in roles instead of colours. Text is clipped to the rectangle, must be
 * clean (utf8_clean) UTF-8, and is measured by utf8_width. UI thread.
 */
#ifndef PGMEDIC_TUI_DRAW_H
#define PGMEDIC_TUI_DRAW_H

#include <stddef.h>

#include "base/compat.h"
#include "base/role.h"

struct draw {
	int y, x; /* of its upper left corner on the screen */
	int rows, cols;
};

/* Text at (row, col) of the rectangle; returns the columns taken. */
int draw_text(struct draw *d, int row, int col, enum role role, const char *text);
int draw_textn(struct draw *d, int row, int col, enum role role, const char *text, size_t len);
int draw_printf(struct draw *d, int row, int col, enum role role, const char *fmt, ...)
    PRINTF_LIKE(5, 6);
/* The rest of a row, from col, in a role (blank). */
void draw_clear(struct draw *d, int row, int col, enum role role);
/* A sparkline of `width` cells showing the last 2*width or width values (braille / blocks / ASCII
 * as the terminal can); NAN is a gap; scale 0..max, max <= 0: by the data. */
void draw_spark(
    struct draw *d, int row, int col, int width, const float *v, int n, double max, enum role role);
/* A horizontal bar of `width` cells filled to ratio 0..1. */
void draw_bar(struct draw *d, int row, int col, int width, double ratio, enum role role);
/* A stacked column chart: n columns (oldest first, right-aligned), each with nparts values that
 * stack up from the bottom; parts have a role and, for mono screens, a letter. `line`: a horizontal
 * mark at this value (NAN: none). Returns the scale's top. */
double draw_stack(struct draw *d, int row, int col, int height, int width, const float *v, int n,
    int nparts, const unsigned char *roles, const char *letters, double line, double max);

#endif
