/* Counters of named things in two samples. */
#include "config.h"

#include "panes/counters.h"

#include <string.h>

#include "model/join.h"

/* A sample from another server version has other columns: no rates across an upgrade. */
static bool
is_alike(const struct rowset *a, const struct rowset *b)
{
	if (a->ncols != b->ncols)
		return false;
	for (int i = 0; i < a->ncols; i++)
		if (strcmp(a->names[i], b->names[i]) != 0)
			return false;
	return true;
}

bool
counters_init(struct counters *k, struct arena *arena, const struct snapshot *snap,
    enum probe_id probe, const char *key)
{
	const struct rowset *cur, *prev;
	double seconds;

	memset(k, 0, sizeof(*k));
	k->cur = snapshot_rows(snap, probe);
	if (!k->cur)
		return false;
	k->now = snap->good[probe]->server_at;
	if (!snapshot_pair(snap, probe, &cur, &prev, &seconds) || !is_alike(cur, prev))
		return true;
	k->prev = prev;
	k->seconds = seconds;
	k->prev_row = join_rows(arena, cur, prev, &key, 1);
	return true;
}

struct cell
counters_value(const struct counters *k, int row, int col)
{
	const struct cell *c = rowset_cell(k->cur, row, col);

	if (col < 0 || (cell_is_null(c) && c->why != WHY_NONE))
		return *c;
	if (cell_is_null(c))
		return k->cur->types[col] == CELL_FLOAT ? cell_float(0) : cell_int(0);
	if (cell_num(c, 0) < 0)
		return cell_null(WHY_UNSUPPORTED);
	return *c;
}

bool
counters_delta(struct counters *k, int row, int col, double *delta)
{
	struct cell c = counters_value(k, row, col);
	const struct cell *before;
	double was;

	if (!k->prev || cell_is_null(&c))
		return false;
	*delta = cell_num(&c, 0);
	/* what is not in a sample that was cut may be older than it */
	if (k->prev_row[row] < 0)
		return k->prev->nrows < COUNTERS_CUT;
	before = rowset_cell(k->prev, k->prev_row[row], col);
	was = cell_num(before, 0);
	if (was < 0)
		return false;
	if (*delta < was) {
		k->was_reset = true;
		return false;
	}
	*delta -= was;
	return true;
}

struct cell
counters_rate(struct counters *k, int row, int col)
{
	return counters_rate_sum(k, row, &col, 1);
}

struct cell
counters_rate_sum(struct counters *k, int row, const int *cols, int n)
{
	double sum = 0, delta;

	for (int i = 0; i < n; i++) {
		if (!counters_delta(k, row, cols[i], &delta)) {
			struct cell c = counters_value(k, row, cols[i]);
			return cell_is_null(&c) ? c : cell_null(WHY_NODATA);
		}
		sum += delta;
	}
	return cell_float(sum / k->seconds);
}

struct cell
counters_time(const struct counters *k, int row, int col)
{
	const struct cell *c = rowset_cell(k->cur, row, col);

	return !cell_is_null(c) && c->i == 0 ? cell_null(WHY_UNSUPPORTED) : *c;
}

struct cell
counters_age(const struct counters *k, int row, const int *cols, int n)
{
	int64_t latest = 0;

	for (int i = 0; i < n; i++) {
		struct cell c = counters_time(k, row, cols[i]);
		if (!cell_is_null(&c) && c.i > latest)
			latest = c.i;
	}
	if (latest == 0 || k->now.us == 0)
		return cell_null(latest ? WHY_NODATA : WHY_NONE);
	return cell_float(k->now.us > latest ? (double)(k->now.us - latest) / 1e6 : 0);
}

struct cell
counters_pct(const struct cell *part, const struct cell *whole)
{
	double w = cell_num(whole, 0);

	if (cell_is_null(part))
		return *part;
	if (cell_is_null(whole))
		return *whole;
	return w > 0 ? cell_float(100 * cell_num(part, 0) / w) : cell_null(WHY_NONE);
}

void
counters_notes(const struct counters *k, struct grid *grid, const char *what)
{
	grid_fact(grid, "interval_s", COL_SECONDS,
	    k->prev ? cell_float(k->seconds) : cell_null(WHY_NODATA));
	if (!k->prev)
		grid_notef(grid, "no_data", "Rates appear with the second sample.",
		    "no rates yet: one sample of %s so far", what);
	if (k->cur->nrows >= COUNTERS_CUT)
		grid_notef(grid, "info", "", "there may be more %s than the %d that were read",
		    what, k->cur->nrows);
	if (k->was_reset)
		grid_notef(grid, "reset", "Rates go on with the next sample.",
		    "counters of %s went down: they were reset", what);
}
