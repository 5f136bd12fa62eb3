/*
 * Maintenance: what vacuums, indexes, copies are doing; what holds back the xmin horizon; how far
 * each database and table is from wraparound; checkpoints, WAL rate, archiver. One table of several
 * kinds, so that one look and one filter serve all of them; modes narrow it down.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "panes/lookup.h"
#include "panes/pane.h"
#include "panes/sessions.h"

enum {
	C_KIND,
	C_NAME,
	C_PID,
	C_DATABASE,
	C_STATE,
	C_DONE_PCT,
	C_AGE_S,
	C_XIDS,
	C_PRESSURE,
	C_DONE,
	C_TOTAL,
	C_UNIT,
	C_MXIDS,
	C_DEAD,
	C_LAST,
	C_DETAIL,
	C_COUNT
};

static const struct column columns[C_COUNT] = {
	[C_KIND] = { "kind", "KIND", COL_TEXT, 11, COL_KEY,
	    "progress, autovacuum, xmin holder, database or table" },
	[C_NAME] = { "name", "NAME", COL_TEXT, 20, COL_KEY | COL_FIXED,
	    "command and relation, holder, database or table" },
	[C_PID] = { "pid", "PID", COL_INT, 7, COL_KEY, "process" },
	[C_DATABASE] = { "database", "DATABASE", COL_TEXT, 8, COL_HIDDEN, "database" },
	[C_STATE] = { "state", "STATE", COL_TEXT, 12, 0,
	    "phase of the progress, state of the holder" },
	[C_DONE_PCT] = { "done_pct", "DONE%", COL_PCT, 5, 0,
	    "progress of the phase; of databases and tables: share of the way to forced vacuum" },
	[C_AGE_S] = { "age_s", "AGE", COL_SECONDS, 7, 0, "since its transaction began" },
	[C_XIDS] = { "xid_age", "XIDS", COL_COUNT, 6, 0,
	    "transactions since its oldest id or snapshot" },
	[C_PRESSURE] = { "pressure", "PRESS", COL_FLOAT, 5, 0,
	    "dead rows over the table's vacuum threshold, or age over the freeze limit: 1 and more is due" },
	[C_DONE] = { "done", "DONE", COL_COUNT, 6, COL_HIDDEN, "done in units" },
	[C_TOTAL] = { "total", "TOTAL", COL_COUNT, 6, COL_HIDDEN, "to do in units" },
	[C_UNIT] = { "unit", "UNIT", COL_TEXT, 6, COL_HIDDEN, "blocks, tuples, bytes, lockers" },
	[C_MXIDS] = { "mxid_age", "MXIDS", COL_COUNT, 6, COL_HIDDEN,
	    "multixact ids since its oldest" },
	[C_DEAD] = { "dead_rows", "DEAD", COL_COUNT, 6, 0, "dead rows of a table" },
	[C_LAST] = { "last_vacuum", "VACUUMED", COL_TIME, 9, COL_HIDDEN,
	    "last vacuum, by hand or automatic" },
	[C_DETAIL] = { "detail", "DETAIL", COL_QUERY, 10, 0,
	    "what is worth knowing about this row" },
};

static const enum probe_id probes[] = { PROBE_PROGRESS, PROBE_XMIN_HOLDERS, PROBE_WRAPAROUND,
	PROBE_VACUUM_TABLES, PROBE_CHECKPOINTS, PROBE_WAL, PROBE_ARCHIVER, PROBE_NAMES,
	PROBE_SETTINGS };

enum mode { MODE_ALL, MODE_PROGRESS, MODE_XMIN, MODE_WRAPAROUND, MODE_TABLES };
static const struct pane_mode modes[] = {
	[MODE_ALL] = { "all", "everything" },
	[MODE_PROGRESS] = { "progress", "running maintenance and autovacuum workers" },
	[MODE_XMIN] = { "xmin", "what holds back the xmin horizon" },
	[MODE_WRAPAROUND] = { "wraparound", "databases by age" },
	[MODE_TABLES] = { "tables", "tables by need of vacuum" },
	{ NULL, NULL },
};

/* The statement an autovacuum worker reports, "autovacuum: VACUUM public.t (to prevent
 * wraparound)". */
static bool
is_wraparound_worker(const struct cell *query)
{
	static const char mark[] = "(to prevent wraparound)";
	return query->type == CELL_TEXT &&
	    memmem(query->s, query->len, mark, sizeof(mark) - 1) != NULL;
}

static void
add_progress(const struct pane_ctx *ctx, struct grid *grid, const struct rowset *rs, int row)
{
	const struct cell *command = rowset_get(rs, row, "command");
	const struct cell *relation = rowset_get(rs, row, "relation");
	const struct cell *relid = rowset_get(rs, row, "relid");
	const struct cell *pid = rowset_get(rs, row, "pid");
	const struct cell *database =
	    lookup_name(ctx->snap, "database", cell_i64(rowset_get(rs, row, "datid"), -1));
	const struct cell *now = NULL;
	struct session_ref who = lookup_session(ctx->snap, cell_i64(pid, 0));
	struct grid_row *r = grid_add(grid);
	struct cell *c = r->cells;
	double total;

	c[C_KIND] = cell_text("progress");
	if (!cell_is_null(relation))
		c[C_NAME] = cell_text(arena_printf(&grid->arena, "%.*s %.*s", (int)command->len,
		    command->s, (int)relation->len, relation->s));
	else if (cell_i64(relid, 0) > 0)
		c[C_NAME] = cell_text(arena_printf(&grid->arena, "%.*s oid %lld", (int)command->len,
		    command->s, (long long)relid->i));
	else
		c[C_NAME] = *command;
	c[C_PID] = *pid;
	c[C_DATABASE] = database ? *database : cell_null(WHY_NODATA);
	c[C_STATE] = *rowset_get(rs, row, "phase");
	c[C_DONE] = *rowset_get(rs, row, "done");
	c[C_TOTAL] = *rowset_get(rs, row, "total");
	c[C_UNIT] = *rowset_get(rs, row, "unit");
	c[C_DETAIL] = *rowset_get(rs, row, "detail");
	total = cell_num(&c[C_TOTAL], 0);
	if (total > 0)
		c[C_DONE_PCT] = cell_float(fmin(100, 100 * cell_num(&c[C_DONE], 0) / total));
	if (who.xact_start && !cell_is_null(who.xact_start)) {
		const struct rowset *act = snapshot_rows(ctx->snap, PROBE_ACTIVITY);
		now = rowset_get(act, 0, "now");
		c[C_AGE_S] = cell_float(fmax(0, (double)(now->i - who.xact_start->i) / 1e6));
	}
	r->role = ROLE_INFO;
}

static bool
in_progress(const struct rowset *progress, int64_t pid)
{
	for (int i = 0; progress && i < progress->nrows; i++)
		if (cell_i64(rowset_get(progress, i, "pid"), -1) == pid)
			return true;
	return false;
}

/* Autovacuum workers, those without progress too; returns how many there are. */
static int
add_workers(const struct pane_ctx *ctx, struct grid *grid, const struct rowset *progress, bool show)
{
	const struct rowset *rs = snapshot_rows(ctx->snap, PROBE_ACTIVITY);
	int type = rs ? rowset_col(rs, "backend_type") : -1, n = 0;

	for (int i = 0; type >= 0 && i < rs->nrows; i++) {
		const struct cell *pid = rowset_get(rs, i, "pid");
		const struct cell *query = rowset_get(rs, i, "query");
		const struct cell *start = rowset_get(rs, i, "xact_start");
		struct grid_row *r;

		if (!cell_is(rowset_cell(rs, i, type), "autovacuum worker"))
			continue;
		n++;
		if (!show || (in_progress(progress, pid->i) && !is_wraparound_worker(query)))
			continue;
		r = grid_add(grid);
		r->cells[C_KIND] = cell_text("autovacuum");
		r->cells[C_NAME] = *query;
		r->cells[C_PID] = *pid;
		r->cells[C_STATE] = *rowset_get(rs, i, "wait_event");
		if (!cell_is_null(start))
			r->cells[C_AGE_S] = cell_float(
			    fmax(0, (double)(rowset_get(rs, i, "now")->i - start->i) / 1e6));
		if (is_wraparound_worker(query)) {
			r->role = ROLE_WARN;
			r->cells[C_DETAIL] = cell_text(
			    "prevents wraparound: let it finish, it does not yield to locks");
		}
	}
	return n;
}

static void
add_holders(const struct pane_ctx *ctx, struct grid *grid, const struct rowset *rs)
{
	int64_t now = ctx->snap->good[PROBE_XMIN_HOLDERS]->server_at.us;

	for (int i = 0; i < rs->nrows; i++) {
		const struct cell *since = rowset_get(rs, i, "since");
		struct grid_row *r = grid_add(grid);
		struct cell *c = r->cells;

		c[C_KIND] = cell_text("xmin holder");
		c[C_NAME] = *rowset_get(rs, i, "name");
		c[C_PID] = *rowset_get(rs, i, "pid");
		c[C_DATABASE] = *rowset_get(rs, i, "database");
		c[C_STATE] = *rowset_get(rs, i, "kind");
		c[C_XIDS] = *rowset_get(rs, i, "xmin_age");
		c[C_DETAIL] = *rowset_get(rs, i, "state");
		if (!cell_is_null(since))
			c[C_AGE_S] = cell_float(fmax(0, (double)(now - since->i) / 1e6));
		if (i == 0) {
			r->is_head = true;
			c[C_DETAIL] = cell_text(
			    "the oldest: vacuum cannot remove rows that died after it began");
		}
	}
}

static void
add_databases(struct grid *grid, const struct rowset *rs)
{
	for (int i = 0; i < rs->nrows; i++) {
		double xids = cell_num(rowset_get(rs, i, "xid_age"), 0);
		double mxids = cell_num(rowset_get(rs, i, "mxid_age"), 0);
		double limit = cell_num(rowset_get(rs, i, "freeze_max_age"), 2e8);
		double mlimit = cell_num(rowset_get(rs, i, "multixact_freeze_max_age"), 4e8);
		double share = fmax(xids / limit, mxids / mlimit);
		struct grid_row *r = grid_add(grid);
		struct cell *c = r->cells;

		c[C_KIND] = cell_text("database");
		c[C_NAME] = c[C_DATABASE] = *rowset_get(rs, i, "datname");
		c[C_XIDS] = *rowset_get(rs, i, "xid_age");
		c[C_MXIDS] = *rowset_get(rs, i, "mxid_age");
		c[C_PRESSURE] = cell_float(share);
		c[C_DONE_PCT] = cell_float(100 * share);
		/* 2^31 ids in all; the server stops taking writes 3 million before. */
		if (fmax(xids, mxids) > 1.5e9) {
			r->role = ROLE_CRIT;
			c[C_DETAIL] = cell_text(arena_printf(&grid->arena,
			    "%.0f million ids left before the server refuses writes",
			    (2147483648.0 - 3e6 - fmax(xids, mxids)) / 1e6));
		} else if (share > 1.1) {
			r->role = ROLE_WARN;
			c[C_DETAIL] =
			    cell_text("past the age where vacuum is forced: see what blocks it");
		}
	}
}

static void
add_tables(struct grid *grid, const struct rowset *rs, int most)
{
	for (int i = 0; i < rs->nrows && i < most; i++) {
		const struct cell *by_hand = rowset_get(rs, i, "last_vacuum");
		const struct cell *automatic = rowset_get(rs, i, "last_autovacuum");
		double pressure = cell_num(rowset_get(rs, i, "pressure"), 0);
		struct grid_row *r = grid_add(grid);
		struct cell *c = r->cells;

		c[C_KIND] = cell_text("table");
		c[C_NAME] = *rowset_get(rs, i, "relation");
		c[C_XIDS] = *rowset_get(rs, i, "xid_age");
		c[C_MXIDS] = *rowset_get(rs, i, "mxid_age");
		c[C_PRESSURE] = cell_float(pressure);
		c[C_DEAD] = *rowset_get(rs, i, "dead");
		c[C_LAST] = cell_num(by_hand, 0) > cell_num(automatic, 0) ? *by_hand : *automatic;
		if (!cell_i64(rowset_get(rs, i, "autovacuum_enabled"), 1)) {
			c[C_DETAIL] = cell_text("autovacuum is switched off for this table");
			r->role = ROLE_WARN;
		}
	}
}

static void
checkpoint_facts(const struct pane_ctx *ctx, struct grid *grid)
{
	const struct rowset *cur, *prev, *rs = pane_rows(ctx, grid, PROBE_CHECKPOINTS);
	double seconds, timed, requested;

	if (!rs || rs->nrows == 0)
		return;
	timed = cell_num(rowset_get(rs, 0, "timed"), 0);
	requested = cell_num(rowset_get(rs, 0, "requested"), 0);
	grid_fact(grid, "checkpoints_timed", COL_COUNT, *rowset_get(rs, 0, "timed"));
	grid_fact(grid, "checkpoints_requested", COL_COUNT, *rowset_get(rs, 0, "requested"));
	grid_fact(grid, "checkpoints_requested_pct", COL_PCT,
	    timed + requested > 0 ? cell_float(100 * requested / (timed + requested)) :
	                            cell_null(WHY_NONE));
	if (snapshot_pair(ctx->snap, PROBE_CHECKPOINTS, &cur, &prev, &seconds))
		grid_fact(grid, "checkpoint_buffers_per_s", COL_RATE,
		    pane_rate(rowset_get(cur, 0, "buffers_written"),
		        rowset_get(prev, 0, "buffers_written"), seconds));
}

static void
wal_facts(const struct pane_ctx *ctx, struct grid *grid)
{
	const struct rowset *arch = pane_rows(ctx, grid, PROBE_ARCHIVER);
	const struct tick *tick = ctx->snap->series.n > 0 ?
	    series_tick(&ctx->snap->series, ctx->snap->series.n - 1) :
	    NULL;
	float rate = tick ? tick->metric[METRIC_WAL_BPS] : NAN;
	const struct cell *ok, *failed;

	grid_fact(grid, "wal_bytes_per_s", COL_BYTES,
	    isnan(rate) ? cell_null(WHY_NODATA) : cell_float(rate));
	if (!arch || arch->nrows == 0)
		return;
	ok = rowset_get(arch, 0, "last_archived_time");
	failed = rowset_get(arch, 0, "last_failed_time");
	grid_fact(grid, "archive_mode", COL_TEXT, *rowset_get(arch, 0, "archive_mode"));
	grid_fact(grid, "archived", COL_COUNT, *rowset_get(arch, 0, "archived_count"));
	grid_fact(grid, "archive_failed", COL_COUNT, *rowset_get(arch, 0, "failed_count"));
	grid_fact(grid, "last_archived", COL_TIME, *ok);
	grid_fact(grid, "last_archive_failure", COL_TIME, *failed);
	if (!cell_is_null(failed) && (cell_is_null(ok) || failed->i > ok->i)) {
		const struct cell *wal = rowset_get(arch, 0, "last_failed_wal");
		grid_notef(grid, "archiver",
		    "Look into the server log for what archive_command said.",
		    "archiving fails: the last try for %.*s failed and none has succeeded since",
		    (int)wal->len, wal->type == CELL_TEXT ? wal->s : "");
	}
}

static void
maintenance_fill(const struct pane_ctx *ctx, struct grid *grid)
{
	const struct rowset *progress = pane_rows(ctx, grid, PROBE_PROGRESS);
	const struct rowset *holders = pane_rows(ctx, grid, PROBE_XMIN_HOLDERS);
	const struct rowset *wraparound = pane_rows(ctx, grid, PROBE_WRAPAROUND);
	const struct rowset *tables = pane_rows(ctx, grid, PROBE_VACUUM_TABLES);
	const struct cell *most =
	    lookup_setting(snapshot_rows(ctx->snap, PROBE_SETTINGS), "autovacuum_max_workers");
	enum mode mode = (enum mode)ctx->opts->mode;
	struct hidden_sessions hidden = lookup_hidden(ctx->snap);
	bool all = mode == MODE_ALL;
	int workers;

	for (int i = 0; progress && (all || mode == MODE_PROGRESS) && i < progress->nrows; i++)
		add_progress(ctx, grid, progress, i);
	workers = add_workers(ctx, grid, progress, all || mode == MODE_PROGRESS);
	if (holders && (all || mode == MODE_XMIN))
		add_holders(ctx, grid, holders);
	if (wraparound && (all || mode == MODE_WRAPAROUND))
		add_databases(grid, wraparound);
	if (tables && (all || mode == MODE_TABLES))
		add_tables(grid, tables, all ? 20 : 100);
	/* Which process is a worker is hidden, too. */
	grid_fact(grid, "autovacuum_workers", COL_INT,
	    hidden.all ? cell_null(WHY_DENIED) : cell_int(workers));
	grid_fact(grid, "autovacuum_max_workers", COL_INT,
	    most ? cell_float(lookup_num(most, NAN)) : cell_null(WHY_NODATA));
	checkpoint_facts(ctx, grid);
	wal_facts(ctx, grid);
	sessions_note_hidden(ctx->snap, hidden.all, grid);
}

const struct pane pane_maintenance = {
	.name = "maintenance",
	.title = "Maintenance",
	.help =
	    "Progress of vacuum, analyze, index builds, copies and base backups; autovacuum workers; xmin horizon holders; "
	    "wraparound per database and table; checkpoints, WAL rate, archiver.",
	.columns = columns,
	.ncolumns = C_COUNT,
	.probes = probes,
	.nprobes = ARRAY_LEN(probes),
	.needs_pair = true,
	.modes = modes,
	.fill = maintenance_fill,
};
