/*
 * Cold start: what the tables were worth in the past, without a history. Partitions by time tell by
 * their sizes, other tables by the statistics of a time column (storage_arrivals.c), and those
 * without one by their row counters since the statistics were reset.
 */
#include "config.h"

#include "model/storage_past.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double day_us = 86400e6;
/* What an empty database weighs, so that ten empty ones do not count as unknown growth. */
static const double empty_database = 8e6;

struct cold {
	const struct snapshot *snap;
	struct arena *arena;
	struct storage_outlook *out;
	const struct rowset *arrivals, *tables, *partitions;
	int64_t now_us, reset_us;
	int cap;
};

static double
number(const struct rowset *rs, int row, const char *column)
{
	return row < 0 ? NAN : cell_num(rowset_get(rs, row, column), NAN);
}

static const char *
full_name(struct arena *arena, const struct rowset *rs, int row)
{
	const struct cell *schema = rowset_get(rs, row, "schema");
	const struct cell *table = rowset_get(rs, row, "table");

	if (schema->type != CELL_TEXT || table->type != CELL_TEXT)
		return "?";
	return arena_printf(
	    arena, "%.*s.%.*s", (int)schema->len, schema->s, (int)table->len, table->s);
}

static struct storage_past *
add(struct cold *c, const char *name, double bytes)
{
	struct storage_outlook *o = c->out;

	if (o->npast == c->cap) {
		struct storage_past *grown;

		c->cap = c->cap ? 2 * c->cap : 32;
		grown = arena_alloc(c->arena, (size_t)c->cap * sizeof(*grown));
		if (o->npast)
			memcpy(grown, o->past, (size_t)o->npast * sizeof(*grown));
		o->past = grown;
	}
	o->past[o->npast] = (struct storage_past){ .name = name, .bytes = bytes, .rate = NAN };
	return &o->past[o->npast++];
}

double
storage_past_bytes(const struct storage_past *p, int64_t at_us, int64_t now_us)
{
	if (p->arrivals.n)
		return at_us >= now_us ? p->bytes : p->bytes * arrivals_share(&p->arrivals, at_us);
	if (p->is_counted)
		return fmax(0, p->bytes - p->rate * (double)(now_us - at_us) / day_us);
	return p->bytes;
}

int64_t
storage_past_begin(const struct storage_outlook *o, int64_t now_us)
{
	int64_t begin = now_us;

	for (int i = 0; i < o->npast; i++)
		if (o->past[i].arrivals.n && o->past[i].arrivals.points[0].at_us < begin)
			begin = o->past[i].arrivals.points[0].at_us;
	return begin;
}

static void
set_rate(struct cold *c, struct storage_past *p)
{
	int64_t back = c->now_us - (int64_t)(30 * day_us), first;

	if (!p->arrivals.n)
		return;
	first = p->arrivals.points[0].at_us;
	if (back < first)
		back = first;
	/* Less than a day is no rate a day. */
	if (c->now_us - back >= (int64_t)day_us)
		p->rate = p->bytes * (1 - arrivals_share(&p->arrivals, back)) /
		    ((double)(c->now_us - back) / day_us);
}

/* ------------------------------------------------------------------ partitions */

static void
read_partitions(struct cold *c)
{
	const struct rowset *rs = c->partitions;

	for (int i = 0; rs && i < rs->nrows;) {
		int64_t parent = cell_i64(rowset_get(rs, i, "parent"), 0);
		struct arrival_partition *parts;
		struct storage_past *past;
		double bytes = 0;
		int n = 0, first = i;

		parts = arena_alloc(c->arena, (size_t)(rs->nrows - i) * sizeof(*parts));
		for (; i < rs->nrows && cell_i64(rowset_get(rs, i, "parent"), 0) == parent; i++) {
			const struct cell *bound = rowset_get(rs, i, "bound");
			struct arrival_partition *p = &parts[n];

			p->bytes = number(rs, i, "size_bytes");
			bytes += p->bytes;
			n += bound->type == CELL_TEXT && p->bytes > 0 &&
			    arrivals_bound(bound->s, bound->len, &p->from_us, &p->to_us);
		}
		past = add(c, full_name(c->arena, rs, first), bytes);
		past->is_parent = true;
		arrivals_of_partitions(parts, n, c->now_us, c->arena, &past->arrivals);
		set_rate(c, past);
	}
}

static bool
is_of_partitions(const struct cold *c, int64_t parent)
{
	for (int i = 0; parent && c->partitions && i < c->partitions->nrows; i++)
		if (cell_i64(rowset_get(c->partitions, i, "parent"), 0) == parent)
			return true;
	return false;
}

/* ------------------------------------------------------------------ columns */

static void
read_column(const struct rowset *rs, int row, struct arena *arena, struct arrival_column *c)
{
	const struct cell *name = rowset_get(rs, row, "column");
	const struct cell *bounds = rowset_get(rs, row, "bounds");
	const struct cell *values = rowset_get(rs, row, "mcv"),
	                  *ppb = rowset_get(rs, row, "mcv_ppb");

	*c = (struct arrival_column){
		.name = arena_strndup(arena, name->s, name->len),
		.is_date = cell_is(rowset_get(rs, row, "type"), "date"),
		.is_readable = cell_i64(rowset_get(rs, row, "readable"), 0) != 0,
		.is_not_null = cell_i64(rowset_get(rs, row, "not_null"), 0) != 0,
		.is_default_now = cell_i64(rowset_get(rs, row, "default_now"), 0) != 0,
		.null_share = fmax(0, cell_num(rowset_get(rs, row, "null_frac"), 0)),
		.correlation = number(rs, row, "correlation"),
	};
	if (bounds->type == CELL_INTS) {
		c->bounds = bounds->ints;
		c->nbounds = (int)bounds->len;
	}
	if (values->type == CELL_INTS && ppb->type == CELL_INTS && values->len == ppb->len) {
		c->values = values->ints;
		c->ppb = ppb->ints;
		c->nvalues = (int)values->len;
	}
}

static int
row_of(const struct rowset *rs, int64_t relid)
{
	for (int i = 0; rs && i < rs->nrows; i++)
		if (cell_i64(rowset_get(rs, i, "relid"), -1) == relid)
			return i;
	return -1;
}

static void
read_table(const struct cold *c, int row, struct arrival_table *t)
{
	int k = row_of(c->tables, cell_i64(rowset_get(c->arrivals, row, "relid"), 0));

	*t = (struct arrival_table){
		.rows = number(c->arrivals, row, "reltuples"),
		.bytes = number(c->arrivals, row, "size_bytes"),
		.key_min = number(c->arrivals, row, "key_min"),
		.key_max = number(c->arrivals, row, "key_max"),
		.live = number(c->tables, k, "live"),
		.ins = number(c->tables, k, "ins"),
		.upd = number(c->tables, k, "upd"),
		.del = number(c->tables, k, "del"),
		.changed = number(c->tables, k, "mod_since_analyze"),
		.analyzed_us = k < 0 ? 0 : cell_i64(rowset_get(c->tables, k, "last_analyze"), 0),
		.now_us = c->now_us,
	};
	/* All counters at zero beside rows: they were lost in a crash, and tell nothing. */
	if (t->rows > 0 && !(t->live > 0) && !(t->ins > 0) && !(t->del > 0))
		t->live = t->ins = t->upd = t->del = NAN;
}

/*
 * Net rows since the statistics were reset, or, where that moment is not known, since the last
 * analyze; by bytes a row, over the days since, which are at least a quarter of one.
 */
static void
count_rows(const struct cold *c, const struct arrival_table *t, struct storage_past *past)
{
	int64_t since = c->reset_us > 0 ? c->reset_us : t->analyzed_us;
	double rows = c->reset_us > 0 ? t->ins - t->del : t->live - t->rows;
	double days = (double)(c->now_us - since) / day_us;

	if (since <= 0 || days < 0.25 || isnan(rows) || !(t->rows > 0))
		return;
	past->is_counted = true;
	/* What came since cannot be more than there is. */
	past->rate = fmin(fmax(0, rows) / t->rows, 1) * t->bytes / days;
}

/* The columns of one table, rows `from` to `to`: the best that is not refused counts. */
static void
read_columns(struct cold *c, int from, int to)
{
	struct arrival_table table;
	struct storage_past *past;
	int best = INT32_MIN, refused = INT32_MIN;

	if (is_of_partitions(c, cell_i64(rowset_get(c->arrivals, from, "parent"), 0)))
		return;
	read_table(c, from, &table);
	past = add(c, full_name(c->arena, c->arrivals, from), table.bytes);
	snprintf(past->arrivals.why, sizeof(past->arrivals.why), "it has no date or time column");
	for (int i = from; i < to; i++) {
		struct arrival_column column;
		struct arrivals a;
		int score;

		if (rowset_get(c->arrivals, i, "column")->type != CELL_TEXT)
			continue;
		read_column(c->arrivals, i, c->arena, &column);
		score = arrivals_score(&column);
		arrivals_of_column(&column, &table, c->arena, &a);
		if (a.n && score > best) {
			past->arrivals = a;
			best = score;
		} else if (!a.n && best == INT32_MIN && score > refused) {
			past->arrivals = a;
			refused = score;
		}
		c->out->hidden += !column.is_readable && i == from;
	}
	if (past->arrivals.n)
		set_rate(c, past);
	else
		count_rows(c, &table, past);
}

/* How much of what may grow has a known past: of all databases, and of the connected one. */
static void
set_carried(const struct storage *s, struct storage_outlook *o, const char *own)
{
	double all = 0, mine = 0, known = 0;

	for (int i = 0; i < s->n; i++) {
		double bytes = s->items[i].bytes;

		if (s->items[i].kind != STORAGE_DATABASE || isnan(bytes))
			continue;
		all += fmax(0, bytes - empty_database);
		if (strcmp(s->items[i].name, own) == 0)
			mine = fmax(0, bytes - empty_database);
	}
	for (int i = 0; i < o->npast; i++)
		if (o->past[i].arrivals.n || o->past[i].is_counted)
			known += o->past[i].bytes;
	o->carried = all > 0 ? fmin(1, known / all) : NAN;
	o->carried_own = mine > 0 ? fmin(1, known / mine) : NAN;
}

void
storage_past(const struct snapshot *snap, const struct storage *s, struct arena *arena,
    struct storage_outlook *out)
{
	const struct rowset *kinds = snapshot_rows(snap, PROBE_STORAGE_KINDS);
	struct cold c = { .snap = snap,
		.arena = arena,
		.out = out,
		.arrivals = snapshot_rows(snap, PROBE_STORAGE_ARRIVALS),
		.tables = snapshot_rows(snap, PROBE_STORAGE_TABLES),
		.partitions = snapshot_rows(snap, PROBE_STORAGE_PARTITIONS),
		.now_us = snap->taken_at.us,
		.reset_us =
		    kinds && kinds->nrows ? cell_i64(rowset_get(kinds, 0, "stats_reset"), 0) : 0 };

	read_partitions(&c);
	for (int i = 0; c.arrivals && i < c.arrivals->nrows;) {
		int64_t relid = cell_i64(rowset_get(c.arrivals, i, "relid"), 0);
		int from = i;

		while (i < c.arrivals->nrows &&
		    cell_i64(rowset_get(c.arrivals, i, "relid"), 0) == relid)
			i++;
		read_columns(&c, from, i);
	}
	set_carried(s, out, snap->server.database);
}
