#include "config.h"

#include "app/gather.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/storage.h"

enum { SIZES_MS = 240000 }; /* between two sets of sizes */

struct gathered_counters {
	double calls, total_ms, hit, read;
};

void
gather_release(struct gather *g)
{
	free(g->rows);
	free(g->counters);
	hmap_release(&g->statements);
	*g = (struct gather){ 0 };
}

/* ------------------------------------------------------------------ minutes */

static struct gathered *
row_of(struct gather *g, int64_t minute)
{
	/* Nearly always the last one. */
	for (int i = g->n - 1; i >= 0; i--)
		if (g->rows[i].minute == minute)
			return &g->rows[i];
	if (g->n == GATHER_MINUTES) {
		g->dropped++;
		gather_forget(g, 1);
	}
	GROW(g->rows, g->n, g->cap);
	g->rows[g->n] = (struct gathered){ .minute = minute };
	return &g->rows[g->n++];
}

static void
add_tick(struct gathered *row, const struct tick *t)
{
	for (int m = 0; m < METRIC_COUNT; m++) {
		struct gathered_figure *f = &row->figures[m];
		double v = (double)t->metric[m];

		if (!isfinite(v))
			continue;
		f->min = f->n ? fmin(f->min, v) : v;
		f->max = f->n ? fmax(f->max, v) : v;
		f->sum += v;
		f->n++;
	}
}

void
gather_ticks(struct gather *g, const struct snapshot *snap, int64_t shift_us)
{
	const struct series *series = &snap->series;
	struct gathered *row = NULL;
	int i = series->n;

	while (i > 0 && series_tick(series, i - 1)->mono.us > g->newest.us)
		i--;
	for (; i < series->n; i++) {
		const struct tick *t = series_tick(series, i);
		int64_t seconds = (t->at.us + shift_us) / 1000000;

		row = row_of(g, seconds - seconds % 60);
		add_tick(row, t);
		g->newest = t->mono;
	}
	if (row && snap->good[PROBE_SERVER] && snap->good[PROBE_SERVER]->rows->nrows > 0)
		row->wal_lsn =
		    cell_i64(rowset_get(snap->good[PROBE_SERVER]->rows, 0, "wal_lsn"), 0);
}

int
gather_values(const struct gathered *row, struct history_value *out)
{
	int n = 0;

	for (int m = 0; m < METRIC_COUNT; m++) {
		const struct gathered_figure *f = &row->figures[m];

		if (f->n > 0)
			out[n++] = (struct history_value){ metric_infos[m].name, f->min,
				f->sum / f->n, f->max, f->n };
	}
	return n;
}

void
gather_forget(struct gather *g, int n)
{
	g->n -= n;
	memmove(g->rows, g->rows + n, (size_t)g->n * sizeof(*g->rows));
}

/* ------------------------------------------------------------------ sizes */

/* The newest answer of those that the sizes are made of; 0 while one of them was never given. */
static struct mono
measured_at(const struct snapshot *snap)
{
	static const enum probe_id probes[] = { PROBE_SIZES, PROBE_STORAGE_WAL, PROBE_STORAGE_TEMP,
		PROBE_STORAGE_LOG, PROBE_STORAGE_KINDS, PROBE_STORAGE_TABLES };
	struct mono newest = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(probes); i++) {
		if (!snap->cur[probes[i]])
			return (struct mono){ 0 };
		if (snap->good[probes[i]] && snap->good[probes[i]]->at.us > newest.us)
			newest = snap->good[probes[i]]->at;
	}
	return newest;
}

int
gather_sizes(
    struct gather *g, const struct snapshot *snap, struct arena *arena, struct history_size **out)
{
	struct mono at = measured_at(snap);
	struct storage_object *objects;
	int n;

	if (!at.us || (g->measured.us && mono_since_ms(at, g->measured) < SIZES_MS))
		return 0;
	g->measured = at;
	n = storage_objects(snap, arena, &objects);
	*out = arena_zalloc(arena, (size_t)n + 1, sizeof(**out));
	for (int i = 0; i < n; i++)
		(*out)[i] = (struct history_size){ objects[i].object, objects[i].bytes };
	return n;
}

/* ------------------------------------------------------------------ statements */

struct statement_columns {
	int userid, dbid, queryid, toplevel, calls, total_ms, hit, read;
};

static int
by_time(const void *a, const void *b)
{
	const struct history_statement *x = a, *y = b;

	return x->total_ms > y->total_ms ? -1 : x->total_ms < y->total_ms;
}

static uint64_t
statement_key(const struct rowset *rs, int row, const struct statement_columns *c)
{
	uint64_t key = hash_u64(0, (uint64_t)cell_i64(rowset_cell(rs, row, c->userid), 0));

	key = hash_u64(key, (uint64_t)cell_i64(rowset_cell(rs, row, c->dbid), 0));
	key = hash_u64(key, (uint64_t)cell_i64(rowset_cell(rs, row, c->queryid), 0));
	return hash_u64(key, (uint64_t)cell_i64(rowset_cell(rs, row, c->toplevel), 1));
}

static double
count_of(const struct rowset *rs, int row, int col)
{
	return cell_num(rowset_cell(rs, row, col), 0);
}

/* What a statement did since its counters of before, which become those of now. */
static struct gathered_counters
advance(struct gather *g, uint64_t key, struct gathered_counters now)
{
	struct gathered_counters before = { 0 }, *kept;
	uint64_t at;

	if (!hmap_get(&g->statements, key, &at)) {
		GROW(g->counters, g->ncounters, g->cap_counters);
		at = (uint64_t)g->ncounters++;
		hmap_put(&g->statements, key, at);
	} else if (g->counters[at].calls <= now.calls) {
		before = g->counters[at];
	}
	kept = &g->counters[at];
	*kept = now;

	return (struct gathered_counters){ .calls = now.calls - before.calls,
		.total_ms = fmax(0, now.total_ms - before.total_ms),
		.hit = fmax(0, now.hit - before.hit),
		.read = fmax(0, now.read - before.read) };
}

/* Statements that are no longer there are forgotten, so that memory follows what the server keeps.
 */
static void
drop_unseen(struct gather *g, const struct rowset *rs, const struct statement_columns *c)
{
	struct gathered_counters *kept = xcalloc((size_t)rs->nrows + 1, sizeof(*kept));
	struct hmap map = { 0 };
	int n = 0;

	for (int i = 0; i < rs->nrows; i++) {
		uint64_t key = statement_key(rs, i, c), at;

		if (!hmap_get(&g->statements, key, &at) || hmap_has(&map, key))
			continue;
		kept[n] = g->counters[at];
		hmap_put(&map, key, (uint64_t)n++);
	}
	hmap_release(&g->statements);
	free(g->counters);
	g->statements = map;
	g->counters = kept;
	g->ncounters = n;
	g->cap_counters = rs->nrows + 1;
}

static struct statement_columns
statement_columns(const struct rowset *rs)
{
	static const char *const names[] = { "userid", "dbid", "queryid", "toplevel", "calls",
		"total_ms", "hit", "read" };
	int at[ARRAY_LEN(names)];

	rowset_cols(rs, names, (int)ARRAY_LEN(names), at);
	return (struct statement_columns){ at[0], at[1], at[2], at[3], at[4], at[5], at[6], at[7] };
}

int
gather_statements(
    struct gather *g, const struct snapshot *snap, struct history_statement *out, int max)
{
	const struct sample *s = snap->good[PROBE_STATEMENTS];
	bool is_first = g->statements_at.us == 0 || g->statements_life != snap->server.start_us;
	struct history_statement *all;
	struct statement_columns c;
	int n = 0;

	if (!s || s->at.us <= g->statements_at.us)
		return 0;
	g->statements_at = s->at;
	g->statements_life = snap->server.start_us;
	c = statement_columns(s->rows);
	all = xcalloc((size_t)s->rows->nrows + 1, sizeof(*all));
	for (int i = 0; i < s->rows->nrows; i++) {
		struct gathered_counters now = { .calls = count_of(s->rows, i, c.calls),
			.total_ms = count_of(s->rows, i, c.total_ms),
			.hit = count_of(s->rows, i, c.hit),
			.read = count_of(s->rows, i, c.read) };
		const struct cell *id = rowset_cell(s->rows, i, c.queryid);
		struct gathered_counters did = advance(g, statement_key(s->rows, i, &c), now);

		if (is_first || did.calls <= 0 || cell_is_null(id))
			continue;
		all[n++] = (struct history_statement){ .queryid = id->i,
			.dbid = cell_i64(rowset_cell(s->rows, i, c.dbid), 0),
			.userid = cell_i64(rowset_cell(s->rows, i, c.userid), 0),
			.calls = did.calls,
			.total_ms = did.total_ms,
			.hit = did.hit,
			.read = did.read };
	}
	if (g->ncounters > 2 * s->rows->nrows)
		drop_unseen(g, s->rows, &c);
	qsort(all, (size_t)n, sizeof(*all), by_time);
	n = n < max ? n : max;
	if (n > 0)
		memcpy(out, all, (size_t)n * sizeof(*out));
	free(all);
	return n;
}
