/*
 * Statements: pg_stat_statements, as what happened in the interval between two samples, or, with
 * the totals option, since the reset. The columns keep their names; which of the two they are is
 * the fact `view`. `calls_per_s` and `ms_per_s` are always of the interval; min, max and stddev
 * always since the reset.
 */
#include "config.h"

#include "model/statements.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/names.h"
#include "panes/pane.h"
#include "panes/sessions.h"
#include "panes/statements_detail.h"

enum {
	C_TIME_PCT,
	C_CALLS,
	C_CALLS_PER_S,
	C_TOTAL_MS,
	C_MEAN_MS,
	C_ROWS_PER_CALL,
	C_HIT_PCT,
	C_IO_MS,
	C_DATABASE,
	C_USER,
	C_QUERY_ID,
	C_TOPLEVEL,
	C_ROWS,
	C_MS_PER_S,
	C_MIN_MS,
	C_MAX_MS,
	C_STDDEV_MS,
	C_PLANS,
	C_PLAN_MS,
	C_READ_MS,
	C_WRITE_MS,
	C_TEMP_IO_MS,
	C_TEMP_BYTES,
	C_TEMP_READ_BYTES,
	C_WAL_BYTES,
	C_WAL_RECORDS,
	C_WAL_FPI,
	C_SHARED_HIT,
	C_SHARED_READ,
	C_SHARED_DIRTIED,
	C_SHARED_WRITTEN,
	C_LOCAL_READ,
	C_LOCAL_WRITTEN,
	C_JIT_MS,
	C_JIT_FUNCTIONS,
	C_SINCE,
	C_QUERY,
	C_COUNT
};

static const struct column columns[C_COUNT] = {
	[C_TIME_PCT] = { "time_pct", "TIME%", COL_PCT, 5, COL_FIXED,
	    "share of the execution time of all statements" },
	[C_CALLS] = { "calls", "CALLS", COL_COUNT, 6, 0, "executions" },
	[C_CALLS_PER_S] = { "calls_per_s", "CALLS/S", COL_RATE, 7, 0,
	    "executions per second of the interval" },
	[C_TOTAL_MS] = { "total_ms", "TOTAL", COL_MS, 7, 0, "execution time, without planning" },
	[C_MEAN_MS] = { "mean_ms", "MEAN", COL_MS, 6, 0, "total_ms by calls" },
	[C_ROWS_PER_CALL] = { "rows_per_call", "ROWS/C", COL_FLOAT, 6, 0, "rows by calls" },
	[C_HIT_PCT] = { "hit_pct", "HIT%", COL_PCT, 5, 0,
	    "shared blocks found in shared buffers, of those it wanted" },
	[C_IO_MS] = { "io_ms", "IO", COL_MS, 6, 0,
	    "time in reads and writes of data files (read_ms + write_ms); 0 while track_io_timing is off" },
	[C_DATABASE] = { "database", "DATABASE", COL_TEXT, 8, COL_KEY, "database it ran in" },
	[C_USER] = { "user", "USER", COL_TEXT, 8, COL_KEY | COL_HIDDEN, "role that ran it" },
	[C_QUERY_ID] = { "query_id", "QUERY.ID", COL_INT, 20, COL_KEY | COL_HIDDEN,
	    "queryid, as in pg_stat_activity (14 and newer) and EXPLAIN VERBOSE" },
	[C_TOPLEVEL] = { "toplevel", "TOP", COL_BOOL, 3, COL_KEY | COL_HIDDEN,
	    "no: it ran inside a function (pg_stat_statements.track = all)" },
	[C_ROWS] = { "rows", "ROWS", COL_COUNT, 6, COL_HIDDEN, "rows returned or changed" },
	[C_MS_PER_S] = { "ms_per_s", "MS/S", COL_RATE, 6, COL_HIDDEN,
	    "execution time per second of the interval: 1000 keeps one session busy" },
	[C_MIN_MS] = { "min_ms", "MIN", COL_MS, 6, COL_HIDDEN,
	    "shortest execution since the reset" },
	[C_MAX_MS] = { "max_ms", "MAX", COL_MS, 6, COL_HIDDEN,
	    "longest execution since the reset" },
	[C_STDDEV_MS] = { "stddev_ms", "STDDEV", COL_MS, 6, COL_HIDDEN,
	    "standard deviation of the execution time since the reset" },
	[C_PLANS] = { "plans", "PLANS", COL_COUNT, 6, COL_HIDDEN,
	    "times it was planned; 0 while pg_stat_statements.track_planning is off" },
	[C_PLAN_MS] = { "plan_ms", "PLAN", COL_MS, 6, COL_HIDDEN,
	    "time in the planner; 0 while pg_stat_statements.track_planning is off" },
	[C_READ_MS] = { "read_ms", "READ.MS", COL_MS, 7, COL_HIDDEN,
	    "time in reads of data files" },
	[C_WRITE_MS] = { "write_ms", "WRITE.MS", COL_MS, 8, COL_HIDDEN,
	    "time in writes of data files" },
	[C_TEMP_IO_MS] = { "temp_io_ms", "TEMP.MS", COL_MS, 7, COL_HIDDEN,
	    "time in reads and writes of temporary files (15 and newer)" },
	[C_TEMP_BYTES] = { "temp_bytes", "TEMP", COL_BYTES, 6, COL_HIDDEN,
	    "temporary files written" },
	[C_TEMP_READ_BYTES] = { "temp_read_bytes", "TEMP.RD", COL_BYTES, 7, COL_HIDDEN,
	    "temporary files read" },
	[C_WAL_BYTES] = { "wal_bytes", "WAL", COL_BYTES, 6, COL_HIDDEN, "WAL written" },
	[C_WAL_RECORDS] = { "wal_records", "WAL.REC", COL_COUNT, 7, COL_HIDDEN, "WAL records" },
	[C_WAL_FPI] = { "wal_fpi", "WAL.FPI", COL_COUNT, 7, COL_HIDDEN, "full page images in WAL" },
	[C_SHARED_HIT] = { "shared_hit", "SH.HIT", COL_COUNT, 6, COL_HIDDEN,
	    "shared blocks found in shared buffers" },
	[C_SHARED_READ] = { "shared_read", "SH.READ", COL_COUNT, 7, COL_HIDDEN,
	    "shared blocks read from files or the system's cache" },
	[C_SHARED_DIRTIED] = { "shared_dirtied", "SH.DIRT", COL_COUNT, 7, COL_HIDDEN,
	    "shared blocks changed" },
	[C_SHARED_WRITTEN] = { "shared_written", "SH.WRIT", COL_COUNT, 7, COL_HIDDEN,
	    "shared blocks written by the session itself: the background writer did not keep up" },
	[C_LOCAL_READ] = { "local_read", "LO.READ", COL_COUNT, 7, COL_HIDDEN,
	    "blocks of temporary tables read" },
	[C_LOCAL_WRITTEN] = { "local_written", "LO.WRIT", COL_COUNT, 7, COL_HIDDEN,
	    "blocks of temporary tables written" },
	[C_JIT_MS] = { "jit_ms", "JIT", COL_MS, 6, COL_HIDDEN,
	    "time in just-in-time compilation (15 and newer)" },
	[C_JIT_FUNCTIONS] = { "jit_functions", "JIT.FN", COL_COUNT, 6, COL_HIDDEN,
	    "functions compiled (15 and newer)" },
	[C_SINCE] = { "since", "SINCE", COL_TIME, 9, COL_HIDDEN,
	    "start of this entry's counting (17 and newer)" },
	[C_QUERY] = { "query", "QUERY", COL_QUERY, 20, 0,
	    "text with $n for constants; its first 1,000 characters" },
};

static const enum probe_id probes[] = { PROBE_STATEMENTS, PROBE_STATEMENTS_INFO,
	PROBE_STATEMENT_TEXTS, PROBE_NAMES };
/* What the detail says of memory, statistics and indexes. */
static const struct pane_need needs[] = { { C_JIT_FUNCTIONS, PROBE_SETTINGS },
	{ C_JIT_FUNCTIONS, PROBE_TABLES }, { C_JIT_FUNCTIONS, PROBE_ADVICE },
	{ C_JIT_FUNCTIONS, PROBE_ADVICE_STATEMENTS } };

/* Columns that are one counter as it is. */
static const struct plain {
	uint8_t col, counter;
	bool is_time;
} plain[] = {
	{ C_CALLS, STMT_CALLS, false },
	{ C_TOTAL_MS, STMT_TOTAL_MS, true },
	{ C_ROWS, STMT_ROWS, false },
	{ C_PLANS, STMT_PLANS, false },
	{ C_PLAN_MS, STMT_PLAN_MS, true },
	{ C_READ_MS, STMT_READ_MS, true },
	{ C_WRITE_MS, STMT_WRITE_MS, true },
	{ C_TEMP_IO_MS, STMT_TEMP_MS, true },
	{ C_WAL_BYTES, STMT_WAL_BYTES, false },
	{ C_WAL_RECORDS, STMT_WAL_RECORDS, false },
	{ C_WAL_FPI, STMT_WAL_FPI, false },
	{ C_SHARED_HIT, STMT_HIT, false },
	{ C_SHARED_READ, STMT_READ, false },
	{ C_SHARED_DIRTIED, STMT_DIRTIED, false },
	{ C_SHARED_WRITTEN, STMT_WRITTEN, false },
	{ C_LOCAL_READ, STMT_LOCAL_READ, false },
	{ C_LOCAL_WRITTEN, STMT_LOCAL_WRITTEN, false },
	{ C_JIT_MS, STMT_JIT_MS, true },
	{ C_JIT_FUNCTIONS, STMT_JIT_FUNCTIONS, false },
};

/* Kept between fills: indexes over texts and names. */
struct cache {
	struct stmt_texts texts;
	struct names names;
};

struct filling {
	const struct pane_ctx *ctx;
	struct grid *grid;
	struct statements st;
	struct cache *cache;
	int user_col, database_col, min_col, max_col, stddev_col, since_col, toplevel_col;
	double block_size;
	struct stmt shown, delta; /* sums of what is shown, and of the interval */
	int nuntold;              /* texts that are not there yet */
	int nreborn, nhidden;     /* entries reset or back again; entries with a hidden id */
};

/* A counter as a cell; `why` where the interval does not know it. */
static struct cell
number(double v, bool is_time, enum cell_why why)
{
	if (isnan(v))
		return cell_null(why);
	return is_time ? cell_float(v) : cell_int((int64_t)v);
}

static struct cell
ratio(double part, double whole, double scale, enum cell_why why)
{
	if (isnan(part) || isnan(whole))
		return cell_null(why);
	return whole > 0 ? cell_float(scale * part / whole) : cell_null(WHY_NONE);
}

/* min, max and stddev have no interval: NULL is 0 in the query's answer. */
static struct cell
float_of(const struct rowset *rs, int row, int col)
{
	const struct cell *c = rowset_cell(rs, row, col);

	return col >= 0 && cell_is_null(c) ? cell_float(0) : *c;
}

static void
fill_counters(struct filling *f, int row, struct cell *c, enum cell_why why)
{
	struct stmt total, delta;
	const struct stmt *s = f->ctx->opts->totals ? &total : &delta;
	enum stmt_fate fate = statements_read(&f->st, row, &total, &delta);

	stmt_add(&f->delta, &delta);
	stmt_add(&f->shown, s);
	f->nreborn += fate == STMT_REBORN;
	for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
		enum cell_why w = isnan(total.v[plain[i].counter]) ? WHY_UNSUPPORTED : why;
		c[plain[i].col] = number(s->v[plain[i].counter], plain[i].is_time, w);
	}
	c[C_MEAN_MS] = ratio(s->v[STMT_TOTAL_MS], s->v[STMT_CALLS], 1, why);
	c[C_ROWS_PER_CALL] = ratio(s->v[STMT_ROWS], s->v[STMT_CALLS], 1, why);
	c[C_HIT_PCT] = ratio(s->v[STMT_HIT], s->v[STMT_HIT] + s->v[STMT_READ], 100, why);
	c[C_IO_MS] = number(s->v[STMT_READ_MS] + s->v[STMT_WRITE_MS], true, why);
	c[C_CALLS_PER_S] = ratio(delta.v[STMT_CALLS], f->st.seconds, 1, why);
	c[C_MS_PER_S] = ratio(delta.v[STMT_TOTAL_MS], f->st.seconds, 1, why);
	c[C_TEMP_BYTES] = number(s->v[STMT_TEMP_WRITTEN] * f->block_size, false, why);
	c[C_TEMP_READ_BYTES] = number(s->v[STMT_TEMP_READ] * f->block_size, false, why);
	if (cell_num(&c[C_MEAN_MS], 0) > 1000)
		c[C_MEAN_MS].role = ROLE_WARN;
	if (cell_num(&c[C_TEMP_BYTES], 0) > 0)
		c[C_TEMP_BYTES].role = ROLE_INFO;
}

/* The shares, once the sum is known. */
static void
fill_shares(const struct filling *f)
{
	for (int i = 0; i < f->grid->nrows; i++) {
		struct cell *c = f->grid->rows[i].cells;

		c[C_TIME_PCT] = ratio(cell_num(&c[C_TOTAL_MS], NAN), f->shown.v[STMT_TOTAL_MS], 100,
		    (enum cell_why)c[C_TOTAL_MS].why);
		if (cell_num(&c[C_TIME_PCT], 0) >= 20)
			c[C_TIME_PCT].role = ROLE_STRONG;
	}
}

/* A name that is not known (any more) is none; before the names came it is not known yet. */
static struct cell
name(const struct filling *f, enum name_kind kind, const struct cell *oid)
{
	const struct cell *c = names_get(&f->cache->names, kind, cell_i64(oid, 0));

	return c ? *c : cell_null(f->cache->names.rows ? WHY_NONE : WHY_NODATA);
}

/* Our own question, marked by the query table. */
static bool
is_own(const struct cell *text)
{
	static const char mark[] = "/* pgmedic:";

	return text->type == CELL_TEXT && text->len >= sizeof(mark) &&
	    memcmp(text->s, mark, sizeof(mark) - 1) == 0;
}

static void
fill_row(struct filling *f, int row)
{
	const struct rowset *rs = f->st.cur;
	struct grid_row *r = grid_add(f->grid);
	const struct cell *id = rowset_cell(rs, row, f->st.id_col);
	const struct cell *top = rowset_cell(rs, row, f->toplevel_col);
	const struct cell *since = rowset_cell(rs, row, f->since_col);
	struct cell *c = r->cells;
	int64_t len;

	r->aux = (uint32_t)row;
	c[C_QUERY_ID] = cell_is_null(id) ? cell_null(WHY_DENIED) : *id;
	c[C_USER] = name(f, NAME_ROLE, rowset_cell(rs, row, f->user_col));
	c[C_DATABASE] = name(f, NAME_DATABASE, rowset_cell(rs, row, f->database_col));
	c[C_TOPLEVEL] = cell_bool(cell_is_null(top) || top->i);
	fill_counters(f, row, c, cell_is_null(id) ? WHY_DENIED : WHY_NODATA);
	c[C_MIN_MS] = float_of(rs, row, f->min_col);
	c[C_MAX_MS] = float_of(rs, row, f->max_col);
	c[C_STDDEV_MS] = float_of(rs, row, f->stddev_col);
	c[C_SINCE] = !cell_is_null(since) && since->i > 0 ? *since : cell_null(WHY_UNSUPPORTED);
	if (cell_is_null(id)) {
		c[C_QUERY] = cell_null(WHY_DENIED);
		r->role = ROLE_DIM;
		f->nhidden++;
		return;
	}
	c[C_QUERY] = stmt_text(&f->cache->texts, f->ctx->snap, id->i, &len);
	f->nuntold += cell_is_null(&c[C_QUERY]);
	if (is_own(&c[C_QUERY]))
		r->role = ROLE_DIM;
	if (cell_is(&c[C_QUERY], "<insufficient privilege>"))
		c[C_QUERY] = cell_null(WHY_DENIED);
}

static void
interval_facts(const struct filling *f)
{
	const struct statements *st = &f->st;
	const bool known = st->prev != NULL;

	grid_fact(
	    f->grid, "view", COL_TEXT, cell_text(f->ctx->opts->totals ? "totals" : "interval"));
	grid_fact(f->grid, "interval_s", COL_SECONDS,
	    known ? cell_float(st->seconds) : cell_null(WHY_NODATA));
	grid_fact(f->grid, "statements", COL_COUNT, cell_int(st->cur->nrows));
	grid_fact(f->grid, "calls_per_s", COL_RATE,
	    ratio(known ? f->delta.v[STMT_CALLS] : NAN, st->seconds, 1, WHY_NODATA));
	grid_fact(f->grid, "ms_per_s", COL_RATE,
	    ratio(known ? f->delta.v[STMT_TOTAL_MS] : NAN, st->seconds, 1, WHY_NODATA));
	grid_fact(f->grid, "mean_ms", COL_MS,
	    ratio(known ? f->delta.v[STMT_TOTAL_MS] : NAN, known ? f->delta.v[STMT_CALLS] : NAN, 1,
	        WHY_NODATA));
}

/* What pg_stat_statements lost, and what it does not measure. */
static void
info_notes(const struct filling *f)
{
	const struct rowset *info = snapshot_rows(f->ctx->snap, PROBE_STATEMENTS_INFO), *cur, *prev;
	double seconds;
	int64_t lost = 0;

	if (!info || info->nrows == 0)
		return;
	grid_fact(f->grid, "statements_max", COL_COUNT, *rowset_get(info, 0, "max"));
	grid_fact(f->grid, "deallocations", COL_COUNT, *rowset_get(info, 0, "dealloc"));
	grid_fact(f->grid, "stats_reset", COL_TIME, *rowset_get(info, 0, "stats_reset"));
	if (snapshot_pair(f->ctx->snap, PROBE_STATEMENTS_INFO, &cur, &prev, &seconds) &&
	    prev->nrows > 0)
		lost = cell_i64(rowset_get(cur, 0, "dealloc"), 0) -
		    cell_i64(rowset_get(prev, 0, "dealloc"), 0);
	if (lost > 0)
		grid_notef(f->grid, "info", "Raise pg_stat_statements.max (needs a restart).",
		    "pg_stat_statements evicted entries %lld times in the interval: it is full, rare statements are missing",
		    (long long)lost);
	if (cell_is(rowset_get(info, 0, "track_io_timing"), "off"))
		grid_note(f->grid, "info", "I/O times are not measured: track_io_timing is off",
		    "track_io_timing = on");
	if (f->st.cur->nrows == 0 && cell_is(rowset_get(info, 0, "compute_query_id"), "off"))
		grid_note(f->grid, "no_data", "no statement is counted: compute_query_id is off",
		    "compute_query_id = auto");
	else if (cell_is(rowset_get(info, 0, "track"), "none"))
		grid_note(f->grid, "no_data",
		    "no statement is counted: pg_stat_statements.track is none",
		    "pg_stat_statements.track = top");
}

/* A column that the server should have and the extension does not. */
static bool
is_missing(const struct grid *grid, int col)
{
	return grid->nrows > 0 && grid->rows[0].cells[col].why == WHY_UNSUPPORTED;
}

static void
interval_notes(const struct filling *f)
{
	const struct statements *st = &f->st;
	int version = f->ctx->snap->server.version_num;

	if (f->ctx->opts->totals)
		grid_note(f->grid, "info",
		    "totals since the reset; calls_per_s and ms_per_s are of the interval", "");
	if (!st->prev)
		grid_note(f->grid, "no_data",
		    "no interval yet: one sample of pg_stat_statements so far",
		    "Rates appear with the second sample.");
	else if (st->was_reset)
		grid_note(f->grid, "reset",
		    "pg_stat_statements was reset: the interval counts from then on", "");
	else if (f->nreborn > 0)
		grid_notef(f->grid, "reset", "",
		    "%d statements were reset or evicted and came back: they count from then on",
		    f->nreborn);
	if (f->nhidden > 0)
		grid_notef(f->grid, "denied",
		    sessions_grant(f->ctx->snap, "pg_read_all_stats", &f->grid->arena),
		    "%d statements of other roles hide their id and text, so that their interval is unknown",
		    f->nhidden);
	if (st->cur->nrows >= STATEMENTS_MAX)
		grid_notef(f->grid, "info", "", "only %d statements are read", STATEMENTS_MAX);
	if (f->nuntold > 0)
		grid_notef(f->grid, "no_data", "They are fetched once, in the background.",
		    "%d texts are not there yet", f->nuntold);
	if ((version >= 150000 && is_missing(f->grid, C_JIT_MS)) ||
	    (version >= 130000 && is_missing(f->grid, C_WAL_BYTES)))
		grid_note(f->grid, "too_old",
		    "the extension pg_stat_statements is older than this server: some columns are missing",
		    "ALTER EXTENSION pg_stat_statements UPDATE");
}

/* An extension that is there but was not loaded with the server answers every call with an error.
 */
static bool
is_not_loaded(const struct sample *s)
{
	return s && s->state == SAMPLE_FAILED && strstr(s->what, "shared_preload_libraries");
}

static void
cache_release(struct cache *cache)
{
	stmt_texts_release(&cache->texts);
	names_release(&cache->names);
}

static void
statements_fill(const struct pane_ctx *ctx, struct grid *grid)
{
	struct cache own = { 0 };
	struct filling f = { .ctx = ctx, .grid = grid, .cache = ctx->cache ? ctx->cache : &own };
	const struct rowset *rs;

	if (is_not_loaded(ctx->snap->cur[PROBE_STATEMENTS])) {
		grid_note(grid, "unsupported",
		    "pg_stat_statements is installed but was not loaded with the server",
		    "shared_preload_libraries = 'pg_stat_statements' and a restart");
		return;
	}
	rs = pane_rows(ctx, grid, PROBE_STATEMENTS);
	if (!rs || !statements_init(&f.st, &grid->arena, ctx->snap))
		return;
	stmt_texts_update(&f.cache->texts, ctx->snap);
	names_use(&f.cache->names, snapshot_rows(ctx->snap, PROBE_NAMES));
	f.user_col = rowset_col(rs, "userid");
	f.database_col = rowset_col(rs, "dbid");
	f.min_col = rowset_col(rs, "min_ms");
	f.max_col = rowset_col(rs, "max_ms");
	f.stddev_col = rowset_col(rs, "stddev_ms");
	f.since_col = rowset_col(rs, "since");
	f.toplevel_col = rowset_col(rs, "toplevel");
	f.block_size = ctx->snap->server.block_size > 0 ? ctx->snap->server.block_size : NAN;
	for (int i = 0; i < rs->nrows; i++)
		fill_row(&f, i);
	fill_shares(&f);
	interval_facts(&f);
	interval_notes(&f);
	info_notes(&f);
	cache_release(&own);
}

static void
statements_pane_detail(
    const struct pane_ctx *ctx, const struct grid *grid, int row, struct doc *doc)
{
	const struct grid_row *r = &grid->rows[row];

	statements_detail(ctx->snap, ctx->look, (int)r->aux, &r->cells[C_USER],
	    &r->cells[C_DATABASE], &r->cells[C_QUERY_ID], &r->cells[C_QUERY], doc);
}

/* The whole text, asked once, and only where there is more than what is known: it reads the file of
 * all texts. */
static int
statements_look(const struct pane_ctx *ctx, const struct grid *grid, int row, struct arena *arena,
    const char **params)
{
	const struct cell *id = &grid->rows[row].cells[C_QUERY_ID];
	const struct cell *text = &grid->rows[row].cells[C_QUERY];

	if (ctx->look || cell_is_null(id) || text->why == WHY_DENIED ||
	    (text->type == CELL_TEXT && text->len < STMT_TEXT_CHARS))
		return -1;
	params[0] = arena_printf(arena, "%lld", (long long)id->i);
	return 1;
}

static void *
statements_cache_new(void)
{
	return xcalloc(1, sizeof(struct cache));
}

static void
statements_cache_free(void *cache)
{
	if (cache)
		cache_release(cache);
	free(cache);
}

const struct pane pane_statements = {
	.name = "statements",
	.title = "Statements",
	.help =
	    "pg_stat_statements: what ran in the interval between two samples, or since the reset (totals), by share of time.",
	.columns = columns,
	.ncolumns = C_COUNT,
	.probes = probes,
	.nprobes = ARRAY_LEN(probes),
	.needs = needs,
	.nneeds = ARRAY_LEN(needs),
	.is_steady = true,
	.sort = "time_pct",
	.sort_descending = true,
	.needs_pair = true,
	.needs_texts = true,
	.totals_in_show = true,
	.fill = statements_fill,
	.detail = statements_pane_detail,
	.look = "look_statement",
	.look_params = statements_look,
	.cache_new = statements_cache_new,
	.cache_free = statements_cache_free,
};
