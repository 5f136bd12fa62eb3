/*
 * Snapshots made of text, for tests of panes. Columns are written as in the header of a query file,
 * a row as values between bars; NULL is unknown. Include once, after cmocka.
 */
#ifndef PGMEDIC_TESTS_FIXTURE_H
#define PGMEDIC_TESTS_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/feed.h"
#include "panes/pane.h"

static inline uint8_t
fixture_type(const char *name)
{
	static const struct {
		const char *name;
		uint8_t type;
	} types[] = { { "int", CELL_INT }, { "float", CELL_FLOAT }, { "text", CELL_TEXT },
		{ "bool", CELL_BOOL }, { "time", CELL_TIME } };

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcmp(types[i].name, name) == 0)
			return types[i].type;
	fail_msg("unknown type %s", name);
	return 0;
}

static inline struct cell
fixture_cell(struct arena *arena, const char *s, uint8_t type)
{
	if (strcmp(s, "NULL") == 0)
		return cell_null(WHY_NONE);
	switch (type) {
	case CELL_FLOAT:
		return cell_float(strtod(s, NULL));
	case CELL_TEXT:
		return cell_text(arena_strdup(arena, s));
	case CELL_BOOL:
		return cell_bool(s[0] == 't');
	case CELL_TIME:
		return cell_time(strtoll(s, NULL, 10) * 1000000); /* seconds */
	default:
		return cell_int(strtoll(s, NULL, 10));
	}
}

/* A good sample taken at `second` of the server's clock. rows: NULL-terminated. */
static inline struct sample *
fixture_sample(enum probe_id probe, int second, const char *columns, const char *const *rows)
{
	char *spec = strdup(columns), *save = NULL, *line, *value, *more;
	const char *names[64];
	uint8_t types[64];
	int n = 0;
	struct sample *s;

	for (char *p = strtok_r(spec, ",", &save); p; p = strtok_r(NULL, ",", &save)) {
		char *name = p + strspn(p, " "), *type = strchr(name, ' ');
		assert_non_null(type);
		*type++ = '\0';
		names[n] = name;
		types[n++] = fixture_type(type);
	}
	s = sample_new(probe, SAMPLE_OK, rowset_new(n, names, types));
	for (; *rows; rows++) {
		struct cell *cells = rowset_add(s->rows);
		line = more = strdup(*rows);
		for (int i = 0; i < n; i++) {
			value = strsep(&more, "|");
			if (!value)
				fail_msg("a row of %s has too few values: %s",
				    probe_infos[probe].name, *rows);
			cells[i] = fixture_cell(&s->rows->arena, value, types[i]);
		}
		assert_null(more);
		free(line);
	}
	free(spec);
	s->server_at.us = (int64_t)second * 1000000;
	s->at.us = (int64_t)second * 1000000 + 5;
	return s;
}

#define ROWS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define NO_ROWS   ((const char *const[]){ NULL })

/* A sample that failed. */
static inline struct sample *
fixture_failed(enum probe_id probe, enum sample_state state, const char *what, const char *hint)
{
	struct sample *s = sample_new(probe, state, NULL);

	snprintf(s->what, sizeof(s->what), "%s", what);
	snprintf(s->hint, sizeof(s->hint), "%s", hint);
	return s;
}

/* The server's clock, so that a snapshot counts as taken. */
static inline void
fixture_clock(struct feed *f, int second, bool is_standby)
{
	char row[64];

	snprintf(row, sizeof(row), "%d|%c|1", second, is_standby ? 't' : 'f');
	feed_apply(f,
	    fixture_sample(
	        PROBE_SERVER, second, "now time, is_standby bool, start_time time", ROWS(row)));
}

/* Fill a pane's grid from what the feed has; release it with grid_release(). */
static inline void
fixture_fill(
    struct feed *f, const struct pane *pane, const struct pane_opts *opts, struct grid *grid)
{
	struct snapshot *snap = feed_seal(f);
	struct pane_ctx ctx = { .snap = snap, .opts = opts, .now = snap->taken_mono };

	ctx.cache = pane->cache_new ? pane->cache_new() : NULL;
	grid_init(grid, pane->columns, pane->ncolumns);
	pane->fill(&ctx, grid);
	/* the grid may point into the snapshot: copy what tests look at before it goes */
	for (int i = 0; i < grid->nrows; i++)
		for (int c = 0; c < grid->ncols; c++)
			if (grid->rows[i].cells[c].type == CELL_TEXT)
				grid->rows[i].cells[c].s = arena_strndup(&grid->arena,
				    grid->rows[i].cells[c].s, grid->rows[i].cells[c].len);
	for (int i = 0; i < grid->nfacts; i++)
		if (grid->facts[i].value.type == CELL_TEXT)
			grid->facts[i].value.s = arena_strndup(
			    &grid->arena, grid->facts[i].value.s, grid->facts[i].value.len);
	grid_seal(grid);
	if (pane->cache_free)
		pane->cache_free(ctx.cache);
	snapshot_unref(snap);
}

/* The cell of the first row whose column `key` is `value`. */
static inline const struct cell *
fixture_at(const struct grid *grid, const char *key, const char *value, const char *column)
{
	int k = grid_col(grid, key), c = grid_col(grid, column);

	assert_true(k >= 0 && c >= 0);
	for (int i = 0; i < grid->nrows; i++)
		if (cell_is(&grid->rows[i].cells[k], value))
			return &grid->rows[i].cells[c];
	fail_msg("no row with %s = %s", key, value);
	return NULL;
}

static inline bool
fixture_has_note(const struct grid *grid, const char *code)
{
	for (int i = 0; i < grid->nnotes; i++)
		if (strcmp(grid->notes[i].code, code) == 0)
			return true;
	return false;
}

#endif
