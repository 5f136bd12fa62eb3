/*
 * A grid as a table on the screen. Only visible rows are formatted; columns keep their widths from
 * one refresh to the next, so that few cells change. UI thread.
 */
#ifndef PGMEDIC_TUI_TABLE_H
#define PGMEDIC_TUI_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/grid.h"
#include "tui/draw.h"

enum { TABLE_MAX_COLS = 96, TABLE_MAX_MATCH = 8 };

/* What a table remembers between frames. A zeroed struct is a fresh one. */
struct table {
	int top;                      /* first row shown */
	int hscroll;                  /* columns scrolled away after the frozen one */
	short widths[TABLE_MAX_COLS]; /* grown so far, by column index of the grid */
	int laid_cols;                /* screen width they were made for */
	/* where things were drawn, for the mouse */
	short col_x[TABLE_MAX_COLS],
	    col_w[TABLE_MAX_COLS]; /* by position; x relative to the rectangle */
	int first_pos, nvisible;   /* positions shown: 0 (frozen), then first_pos … */
	int row_of_line[512];      /* grid row drawn on each line below the header, -1 none */
	int nlines;
	bool more_right;
};

/* What to draw. */
struct table_spec {
	const struct grid *grid;
	const int *cols; /* column indices in order; the first is frozen */
	int ncols;
	int sort_col; /* column index, -1 none */
	bool is_descending;
	int cursor; /* grid row, -1 none */
	bool wrap;  /* statement texts over several lines */
	const char
	    *match[TABLE_MAX_MATCH]; /* clean words to highlight, NULL-terminated when fewer */
	bool (*is_tagged)(const void *arg, uint64_t key);
	const void *arg;
};

/* Header in line 0 of the rectangle, rows below. Scrolls so that the cursor is visible. */
void table_draw(struct draw *d, struct table *t, const struct table_spec *spec);
/* Forget the widths (other columns, another sort, Ctrl-L). */
void table_reset(struct table *t);
/* Rows that fit below the header. */
int table_page(const struct draw *d);
/* Scroll columns by n; stays within what there is. */
void table_hscroll(struct table *t, const struct table_spec *spec, int n);
/* What is at a line and column of the rectangle: *row >= 0 a row; *col >= 0 a header's column
 * index. */
void table_hit(
    const struct table *t, const struct table_spec *spec, int line, int x, int *row, int *col);

#endif
