/*
 * What a user did to a pane of a target: cursor, tags, filter, sort, columns, options; and the grid
 * that results from it, kept until the snapshot or one of these changes. Used by the screen, by
 * `show`, and by actions on tagged rows. No curses. One thread at a time.
 */
#ifndef PGMEDIC_PANES_VIEW_H
#define PGMEDIC_PANES_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/grid.h"
#include "panes/pane.h"

/* A tagged row: its identity, and the pid it showed when it was tagged (0: a pane without pids). */
struct view_tag {
	uint64_t key;
	int64_t pid;
};

enum { VIEW_MAX_COLS = 96 };

struct view {
	const struct pane *pane;
	struct pane_opts opts;
	void *cache; /* the pane's */

	struct grid grid;     /* sorted and filtered: what is shown */
	struct grid_row *all; /* rows as filled, before sort and filter */
	int nall, cap_all;
	const struct snapshot
	    *snap; /* that it was filled from, with a reference: cells point into it */
	bool is_filled, is_arranged; /* is_arranged: sort and filter are applied */
	unsigned long fills;         /* how often fill ran, for tests and :debug */

	char *filter_text; /* NULL: none */
	struct grid_filter *filter;
	int sort_col; /* -1: as filled */
	bool is_descending;
	int cols[VIEW_MAX_COLS]; /* shown columns in order */
	int ncols;
	bool has_own_cols; /* chosen by the user */

	int cursor;          /* row, -1 when there is none */
	uint64_t cursor_key; /* it stays on this row while that exists */
	bool has_cursor_key;
	struct view_tag *tags;
	int ntags, cap_tags;
	bool wrap;     /* statement texts over several lines */
	bool expanded; /* the row under the cursor in full beside the table */
};

void view_init(struct view *v, const struct pane *pane);
void view_release(struct view *v);

/* Bring the grid up to date with a snapshot, and the cursor to its row. True when the grid changed.
 */
bool view_update(struct view *v, const struct snapshot *snap, struct mono now);
/* Sort and filter what is filled, when that is due. */
void view_arrange(struct view *v);
/* Not shown now: forget the rows and let the snapshot go; what the user did stays. */
void view_drop(struct view *v);
/* The options changed: fill anew at the next update. */
void view_stale(struct view *v);
struct pane_ctx view_ctx(const struct view *v, const struct snapshot *snap, struct mono now);

/* "" or NULL clears. A filter that cannot be read changes nothing. */
bool view_filter(struct view *v, const char *text, struct error *err) MUST_CHECK;
/* Sort by a column's name (or its title, or a unique beginning); "" or "none": as filled. */
bool view_sort(struct view *v, const char *column, bool descending, struct error *err) MUST_CHECK;
/* Move the sort to the next (1) or previous (-1) shown column. */
void view_sort_step(struct view *v, int step);
void view_sort_invert(struct view *v);
/* Show these columns in this order: names; "+name" adds, "-name" removes, "all", "default". */
bool view_columns(struct view *v, const char *const *names, int n, struct error *err) MUST_CHECK;
/* A column by name, title or unique beginning; -1 and *err set with the nearest name. */
int view_column(const struct view *v, const char *name, struct error *err);

/* Move the cursor to a row, clamped. */
void view_goto(struct view *v, int row);
/* The row under the cursor or NULL. */
const struct grid_row *view_row(const struct view *v);
/* The pid of a row: its "pid" column; 0 when there is none. */
int64_t view_row_pid(const struct view *v, const struct grid_row *row);
void view_tag_toggle(struct view *v);
void view_untag_all(struct view *v);
bool view_is_tagged(const struct view *v, uint64_t key);
/* Pids of tagged rows, also of those that are gone meanwhile; returns how many. */
int view_tagged_pids(const struct view *v, int64_t *pids, int max);

#endif
