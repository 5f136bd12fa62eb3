/* Hand-made samples for tests of panes: rowsets with the columns of a query, put into a snapshot.
 */
#ifndef PGMEDIC_TESTS_UNIT_PANES_SAMPLES_H
#define PGMEDIC_TESTS_UNIT_PANES_SAMPLES_H

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grid.h"
#include "model/snapshot.h"
#include "panes/pane.h"
#include "pg/pg.h"

/* An empty rowset with the columns that src/pg/NAME.sql declares. */
static inline struct rowset *
samples_rows(const char *query)
{
	const struct pg_query *q = pg_query_by_name(query);

	assert(q);
	return rowset_new(q->ncols, q->col_names, q->col_types);
}

/* Add a row: pairs of a column and an int64_t, double, bool (as int64_t) or text by the column's
 * type; NULL ends. */
static inline void
samples_add(struct rowset *rs, ...)
{
	struct cell *row = rowset_add(rs);
	const char *name, *text;
	va_list ap;

	va_start(ap, rs);
	while ((name = va_arg(ap, const char *))) {
		int col = rowset_col(rs, name);
		assert(col >= 0);
		switch ((enum cell_type)rs->types[col]) {
		case CELL_FLOAT:
			row[col] = cell_float(va_arg(ap, double));
			break;
		case CELL_TEXT:
			text = va_arg(ap, const char *);
			row[col] = cell_text(text ? arena_strdup(&rs->arena, text) : NULL);
			break;
		case CELL_TIME:
			row[col] = cell_time(va_arg(ap, int64_t));
			break;
		case CELL_BOOL:
			row[col] = cell_bool(va_arg(ap, int64_t) != 0);
			break;
		case CELL_INT:
		case CELL_INTS:
		case CELL_NULL:
			row[col] = cell_int(va_arg(ap, int64_t));
			break;
		}
	}
	va_end(ap);
}

#define I(n) ((int64_t)(n))

/* A sample taken `second` seconds after the epoch. Takes the rowset. */
static inline struct sample *
samples_new(enum probe_id probe, enum sample_state state, struct rowset *rs, int64_t second)
{
	struct sample *s = xcalloc(1, sizeof(*s));

	atomic_init(&s->refs, 1);
	s->probe = probe;
	s->state = state;
	s->rows = rs;
	s->server_at.us = second * 1000000;
	s->at.us = second * 1000000;
	return s;
}

/* Make it the snapshot's answer; the good one before becomes the previous. */
static inline void
samples_give(struct snapshot *snap, struct sample *s)
{
	sample_unref(snap->cur[s->probe]);
	snap->cur[s->probe] = s;
	if (s->state != SAMPLE_OK)
		return;
	sample_unref(snap->prev[s->probe]);
	snap->prev[s->probe] = snap->good[s->probe];
	snap->good[s->probe] = sample_ref(s);
}

static inline void
samples_ok(struct snapshot *snap, enum probe_id probe, struct rowset *rs, int64_t second)
{
	samples_give(snap, samples_new(probe, SAMPLE_OK, rs, second));
}

static inline void
samples_bad(struct snapshot *snap, enum probe_id probe, enum sample_state state, const char *what,
    const char *hint)
{
	static const char *const names[] = { "none" };
	static const uint8_t types[] = { CELL_INT };
	struct sample *s = samples_new(probe, state, rowset_new(1, names, types), 1);

	snprintf(s->what, sizeof(s->what), "%s", what);
	snprintf(s->hint, sizeof(s->hint), "%s", hint);
	samples_give(snap, s);
}

static inline void
samples_names(struct snapshot *snap)
{
	struct rowset *rs = samples_rows("names");

	samples_add(rs, "kind", "database", "oid", I(5), "name", "app", NULL);
	samples_add(rs, "kind", "role", "oid", I(10), "name", "alice", NULL);
	samples_add(rs, "kind", "role", "oid", I(11), "name", "bob", NULL);
	samples_ok(snap, PROBE_NAMES, rs, 1);
}

/* Fill a grid from a snapshot without a cache of the caller's. */
static inline void
samples_fill(const struct pane *pane, const struct snapshot *snap, bool totals, void *cache,
    struct grid *grid)
{
	struct pane_opts opts = { .totals = totals };
	struct pane_ctx ctx = {
		.snap = snap, .opts = &opts, .now = { 1000000000 }, .cache = cache
	};

	grid_init(grid, pane->columns, pane->ncolumns);
	pane->fill(&ctx, grid);
	grid_seal(grid);
}

static inline const struct cell *
samples_cell(const struct grid *grid, int row, const char *column)
{
	int col = grid_col(grid, column);

	assert(col >= 0 && row < grid->nrows);
	return &grid->rows[row].cells[col];
}

/* The row whose column has this text or number, -1. */
static inline int
samples_find(const struct grid *grid, const char *column, const char *text, int64_t number)
{
	for (int i = 0; i < grid->nrows; i++) {
		const struct cell *c = samples_cell(grid, i, column);
		if (text ? cell_is(c, text) : (c->type == CELL_INT && c->i == number))
			return i;
	}
	return -1;
}

/* The first note with this code and a text that has `part`, or NULL. */
static inline const struct grid_note *
samples_note(const struct grid *grid, const char *code, const char *part)
{
	for (int i = 0; i < grid->nnotes; i++)
		if (strcmp(grid->notes[i].code, code) == 0 && strstr(grid->notes[i].what, part))
			return &grid->notes[i];
	return NULL;
}

#endif
