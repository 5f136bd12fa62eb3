/* State of a pane on the screen, and its grid: filled once per snapshot, arranged once per change
 * of sort or filter. */
#include "config.h"

#include "panes/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/lexer.h"
#include "base/mem.h"

static void
default_columns(struct view *v)
{
	const struct pane *p = v->pane;

	v->ncols = 0;
	for (int i = 0; i < p->ncolumns && v->ncols < VIEW_MAX_COLS; i++)
		if (!(p->columns[i].flags & COL_HIDDEN))
			v->cols[v->ncols++] = i;
	v->has_own_cols = false;
}

void
view_init(struct view *v, const struct pane *pane)
{
	memset(v, 0, sizeof(*v));
	v->pane = pane;
	v->sort_col = pane->sort ? pane_column(pane, pane->sort) : -1;
	v->is_descending = pane->sort_descending;
	v->cursor = -1;
	if (pane->cache_new)
		v->cache = pane->cache_new();
	grid_init(&v->grid, pane->columns, pane->ncolumns);
	default_columns(v);
}

void
view_release(struct view *v)
{
	if (v->cache && v->pane->cache_free)
		v->pane->cache_free(v->cache);
	snapshot_unref(v->snap);
	grid_filter_free(v->filter);
	free(v->filter_text);
	free(v->all);
	free(v->tags);
	grid_release(&v->grid);
	memset(v, 0, sizeof(*v));
}

struct pane_ctx
view_ctx(const struct view *v, const struct snapshot *snap, struct mono now)
{
	return (struct pane_ctx){
		.snap = snap, .opts = &v->opts, .now = now, .cache = v->cache, .cursor = v->cursor
	};
}

void
view_stale(struct view *v)
{
	v->is_filled = false;
}

void
view_drop(struct view *v)
{
	grid_reset(&v->grid);
	v->nall = 0;
	v->is_filled = v->is_arranged = false;
	snapshot_unref(v->snap);
	v->snap = NULL;
}

static void
keep_all(struct view *v)
{
	if (v->grid.nrows > v->cap_all) {
		v->cap_all = v->grid.nrows;
		v->all = xrealloc(v->all, (size_t)v->cap_all, sizeof(*v->all));
	}
	if (v->grid.nrows > 0)
		memcpy(v->all, v->grid.rows, (size_t)v->grid.nrows * sizeof(*v->all));
	v->nall = v->grid.nrows;
}

/* The row of the cursor's key, else the same place. Until somebody moves it, it stands on the first
 * row, whatever that is: it must not wander down with the row that happened to be first before
 * there were rates to sort by. */
static void
place_cursor(struct view *v)
{
	int n = v->grid.nrows;

	if (n == 0) {
		v->cursor = -1;
		return;
	}
	if (!v->has_cursor_key) {
		v->cursor = 0;
		return;
	}
	for (int i = 0; i < n; i++)
		if (v->grid.rows[i].key == v->cursor_key) {
			v->cursor = i;
			return;
		}
	view_goto(v, v->cursor < 0 ? 0 : v->cursor);
}

void
view_arrange(struct view *v)
{
	if (v->is_arranged)
		return;
	if (v->nall > 0)
		memcpy(v->grid.rows, v->all, (size_t)v->nall * sizeof(*v->all));
	v->grid.nrows = v->nall;
	if (v->sort_col >= 0)
		grid_sort(&v->grid, v->sort_col, v->is_descending);
	v->grid.total = v->nall;
	if (v->filter)
		grid_filter(&v->grid, v->filter);
	v->is_arranged = true;
	place_cursor(v);
}

/* The same answer, or none then and now. */
static bool
same_sample(const struct sample *a, const struct sample *b)
{
	if (a == b)
		return true;
	return a && b && a->state == b->state && a->state == SAMPLE_OK && a->rows->nrows == 0 &&
	    b->rows->nrows == 0;
}

static bool
same_probe(const struct snapshot *a, const struct snapshot *b, enum probe_id probe)
{
	return same_sample(a->cur[probe], b->cur[probe]) &&
	    same_sample(a->good[probe], b->good[probe]) &&
	    same_sample(a->prev[probe], b->prev[probe]);
}

static bool
same_logs(const struct snapshot *a, const struct snapshot *b)
{
	return a->nlogs == b->nlogs &&
	    (a->nlogs == 0 || a->logs[a->nlogs - 1] == b->logs[b->nlogs - 1]);
}

/* Would fill make the same grid of this snapshot? */
static bool
is_same_to_pane(const struct pane *pane, const struct snapshot *a, const struct snapshot *b)
{
	if (a == b)
		return true;
	if (!pane->is_steady || a->link != b->link || a->ntexts != b->ntexts || !same_logs(a, b) ||
	    a->server.start_us != b->server.start_us || !same_probe(a, b, PROBE_NAMES))
		return false;
	for (int i = 0; i < pane->nprobes; i++)
		if (!same_probe(a, b, pane->probes[i]))
			return false;
	for (int i = 0; i < pane->nneeds; i++)
		if (!same_probe(a, b, pane->needs[i].probe))
			return false;
	return true;
}

bool
view_update(struct view *v, const struct snapshot *snap, struct mono now)
{
	bool is_same = v->is_filled && is_same_to_pane(v->pane, v->snap, snap);

	if (is_same && v->is_arranged)
		return false;
	grid_now = snap->taken_at;
	if (!is_same) {
		struct pane_ctx ctx = view_ctx(v, snap, now);
		grid_reset(&v->grid);
		v->pane->fill(&ctx, &v->grid);
		grid_seal(&v->grid);
		keep_all(v);
		const struct snapshot *before = v->snap;
		v->snap = snapshot_ref(snap);
		snapshot_unref(before);
		v->is_filled = true;
		v->is_arranged = false;
		v->fills++;
	}
	view_arrange(v);
	return true;
}

/* ------------------------------------------------------------------------------------ what users
 * change */

bool
view_filter(struct view *v, const char *text, struct error *err)
{
	struct grid_filter *filter = NULL;

	if (text && *text) {
		filter = grid_filter_new(v->pane->columns, v->pane->ncolumns, text, err);
		if (!filter)
			return false;
	}
	grid_filter_free(v->filter);
	free(v->filter_text);
	v->filter = filter;
	v->filter_text = filter ? xstrdup(text) : NULL;
	v->is_arranged = false;
	return true;
}

static bool
column_is(const struct column *col, const char *name)
{
	return strcasecmp(col->name, name) == 0 || strcasecmp(col->title, name) == 0;
}

int
view_column(const struct view *v, const char *name, struct error *err)
{
	const struct pane *p = v->pane;
	const char *names[VIEW_MAX_COLS + 1];
	int found = -1, nfound = 0, n = 0;
	size_t len = strlen(name);

	for (int i = 0; i < p->ncolumns; i++) {
		if (column_is(&p->columns[i], name))
			return i;
		if (len > 0 && strncasecmp(p->columns[i].name, name, len) == 0) {
			found = i;
			nfound++;
		}
		if (n < VIEW_MAX_COLS)
			names[n++] = p->columns[i].name;
	}
	names[n] = NULL;
	if (nfound == 1)
		return found;
	if (nfound > 1)
		error_set(err, ERR_USAGE, "\"%s\" fits %d columns of %s", name, nfound, p->name);
	else
		error_set(err, ERR_USAGE, "%s has no column \"%s\"", p->name, name);
	const char *near = nearest_name(name, names);
	if (near)
		error_hint(err, "The nearest name is \"%s\".", near);
	return -1;
}

bool
view_sort(struct view *v, const char *column, bool descending, struct error *err)
{
	int col = -1;

	if (*column && strcmp(column, "none") != 0) {
		col = view_column(v, column, err);
		if (col < 0)
			return false;
	}
	v->sort_col = col;
	v->is_descending = descending;
	v->is_arranged = false;
	return true;
}

/* Numbers are read from the top: the largest first. */
static bool
sorts_down(const struct column *col)
{
	return col->kind != COL_TEXT && col->kind != COL_QUERY && col->kind != COL_INT &&
	    col->kind != COL_BOOL;
}

void
view_sort_step(struct view *v, int step)
{
	int pos = -1;

	if (v->ncols == 0)
		return;
	for (int i = 0; i < v->ncols; i++)
		if (v->cols[i] == v->sort_col)
			pos = i;
	pos = pos < 0 ? (step > 0 ? 0 : v->ncols - 1) : (pos + step + v->ncols) % v->ncols;
	v->sort_col = v->cols[pos];
	v->is_descending = sorts_down(&v->pane->columns[v->sort_col]);
	v->is_arranged = false;
}

void
view_sort_invert(struct view *v)
{
	v->is_descending = !v->is_descending;
	v->is_arranged = false;
}

static void
show_column(int *cols, int *n, int col)
{
	for (int i = 0; i < *n; i++)
		if (cols[i] == col)
			return;
	if (*n < VIEW_MAX_COLS)
		cols[(*n)++] = col;
}

static void
hide_column(int *cols, int *n, int col)
{
	int kept = 0;
	for (int i = 0; i < *n; i++)
		if (cols[i] != col)
			cols[kept++] = cols[i];
	*n = kept;
}

bool
view_columns(struct view *v, const char *const *names, int n, struct error *err)
{
	int cols[VIEW_MAX_COLS], ncols = 0;
	bool is_relative = n > 0 && (names[0][0] == '+' || names[0][0] == '-');

	if (n == 1 && strcmp(names[0], "default") == 0) {
		default_columns(v);
		return true;
	}
	if (is_relative) {
		memcpy(cols, v->cols, sizeof(cols));
		ncols = v->ncols;
	}
	for (int i = 0; i < n; i++) {
		char sign = names[i][0] == '+' || names[i][0] == '-' ? names[i][0] : '+';
		const char *name = names[i] + (names[i][0] == '+' || names[i][0] == '-');
		if (strcmp(name, "all") == 0) {
			for (int c = 0; c < v->pane->ncolumns; c++)
				show_column(cols, &ncols, c);
			continue;
		}
		int col = view_column(v, name, err);
		if (col < 0)
			return false;
		if (sign == '+')
			show_column(cols, &ncols, col);
		else
			hide_column(cols, &ncols, col);
	}
	if (ncols == 0)
		return error_set(err, ERR_USAGE, "at least one column must be shown");
	memcpy(v->cols, cols, sizeof(cols));
	v->ncols = ncols;
	v->has_own_cols = true;
	return true;
}

/* ------------------------------------------------------------------------------------ cursor and
 * tags */

void
view_goto(struct view *v, int row)
{
	int n = v->grid.nrows;

	if (n == 0) {
		v->cursor = -1;
		return;
	}
	v->cursor = row < 0 ? 0 : row >= n ? n - 1 : row;
	v->cursor_key = v->grid.rows[v->cursor].key;
	v->has_cursor_key = v->cursor > 0 || !v->pane->follows;
}

const struct grid_row *
view_row(const struct view *v)
{
	return v->cursor >= 0 && v->cursor < v->grid.nrows ? &v->grid.rows[v->cursor] : NULL;
}

int64_t
view_row_pid(const struct view *v, const struct grid_row *row)
{
	int col = pane_column(v->pane, "pid");
	return col >= 0 && row ? cell_i64(&row->cells[col], 0) : 0;
}

bool
view_is_tagged(const struct view *v, uint64_t key)
{
	for (int i = 0; i < v->ntags; i++)
		if (v->tags[i].key == key)
			return true;
	return false;
}

void
view_tag_toggle(struct view *v)
{
	const struct grid_row *row = view_row(v);

	if (!row)
		return;
	for (int i = 0; i < v->ntags; i++)
		if (v->tags[i].key == row->key) {
			v->tags[i] = v->tags[--v->ntags];
			return;
		}
	GROW(v->tags, v->ntags, v->cap_tags);
	v->tags[v->ntags++] = (struct view_tag){ .key = row->key, .pid = view_row_pid(v, row) };
}

void
view_untag_all(struct view *v)
{
	v->ntags = 0;
}

int
view_tagged_pids(const struct view *v, int64_t *pids, int max)
{
	int n = 0;
	for (int i = 0; i < v->ntags && n < max; i++)
		if (v->tags[i].pid)
			pids[n++] = v->tags[i].pid;
	return n;
}
