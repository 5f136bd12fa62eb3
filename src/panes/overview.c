/*
 * Overview: the figures a DBA asks for first, one row each, in the order they are asked for, with
 * the last five minutes as a sparkline and what is behind the figure in words. The same figures are
 * the summary of its JSON, by name.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "panes/lookup.h"
#include "panes/overview_wrong.h"
#include "panes/pane.h"
#include "panes/sessions.h"
#include "panes/spark.h"

enum { C_METRIC, C_VALUE, C_UNIT, C_SHOWN, C_TREND, C_EVIDENCE, C_COUNT };
enum { TREND_SECONDS = 300, TREND_WIDTH = 20, EVENT_SECONDS = 900, MAX_EVENTS = 5 };

static const struct column columns[C_COUNT] = {
	[C_METRIC] = { "metric", "METRIC", COL_TEXT, 20, COL_KEY | COL_FIXED,
	    "name of the figure" },
	[C_VALUE] = { "value", "VALUE.RAW", COL_FLOAT, 10, COL_HIDDEN, "the figure in base units" },
	[C_UNIT] = { "unit", "UNIT", COL_TEXT, 5, COL_HIDDEN,
	    "unit of value: count, bytes, s, ms, pct, per_s" },
	[C_SHOWN] = { "shown", "VALUE", COL_TEXT, 9, COL_NOJSON,
	    "the figure as a reader wants it" },
	[C_TREND] = { "trend", "LAST 5 MIN", COL_TEXT, TREND_WIDTH, COL_NOJSON,
	    "the last five minutes, each character the peak of 15 s" },
	[C_EVIDENCE] = { "evidence", "WHAT IS BEHIND IT", COL_QUERY, 20, 0,
	    "limits, causes, where to look" },
};

static const enum probe_id probes[] = { PROBE_DATABASES, PROBE_STATEMENTS, PROBE_REPLICATION,
	PROBE_SLOTS, PROBE_RECEIVER, PROBE_CHECKPOINTS, PROBE_ARCHIVER, PROBE_POOL_POOLS,
	PROBE_POOL_DATABASES, PROBE_SIZES, PROBE_WRAPAROUND, PROBE_XMIN_HOLDERS, PROBE_LARGEST,
	PROBE_NAMES, PROBE_SETTINGS };

struct overview {
	const struct pane_ctx *ctx;
	struct grid *grid;
	const struct tick *tick; /* the newest, or NULL */
};

static const char *
shown(struct grid *g, enum column_kind kind, const struct cell *value)
{
	struct strbuf out = STRBUF_INIT(64);
	const char *text;

	grid_cell_text(&out, kind, value);
	text = arena_strndup(&g->arena, out.buf, out.len);
	strbuf_release(&out);
	return text;
}

static const char *
unit_of(enum column_kind kind)
{
	switch (kind) {
	case COL_BYTES:
		return "bytes";
	case COL_SECONDS:
		return "s";
	case COL_MS:
		return "ms";
	case COL_PCT:
		return "pct";
	case COL_RATE:
		return "per_s";
	case COL_TEXT:
	case COL_QUERY:
	case COL_TIME:
	case COL_BOOL:
	case COL_INTS:
	case COL_LSN:
	case COL_TEXTS:
	case COL_JSON:
	case COL_INT:
	case COL_COUNT:
	case COL_FLOAT:
		break;
	}
	return kind == COL_TEXT ? "text" : "count";
}

/* A row, and the summary fact `name` of the same value. metric -1: no trend. */
static struct cell *
add(struct overview *o, const char *name, enum column_kind kind, struct cell value, int metric,
    const char *evidence)
{
	struct cell *c = grid_add(o->grid)->cells;

	grid_fact(o->grid, name, kind, value);
	c[C_METRIC] = cell_text(name);
	c[C_VALUE] = value;
	c[C_UNIT] = cell_text(unit_of(kind));
	c[C_SHOWN] = cell_text(shown(o->grid, kind, &value));
	c[C_TREND] = cell_text(metric < 0 ? "" :
	                                    spark_text(&o->grid->arena, &o->ctx->snap->series,
	                                        (enum metric)metric, TREND_SECONDS, TREND_WIDTH));
	c[C_EVIDENCE] = cell_text(evidence);
	return c;
}

/* The newest tick's value of a metric as a cell. */
static struct cell
latest(const struct overview *o, enum metric metric)
{
	if (!o->tick || isnan(o->tick->metric[metric]))
		return cell_null(WHY_NODATA);
	return cell_float(o->tick->metric[metric]);
}

static void
paint(struct cell *c, enum role role)
{
	c[C_SHOWN].role = c[C_METRIC].role = (uint8_t)role;
}

/* ---- sessions */

struct tally {
	int clients, active, idle, idle_tx, aborted, waiting, slow;
	double oldest_xact_s;
	int64_t oldest_pid;
};

static void
count_client(
    struct tally *n, const struct rowset *rs, int row, const struct cell *state, int64_t now)
{
	const struct cell *xact = rowset_get(rs, row, "xact_start");
	const struct cell *query = rowset_get(rs, row, "query_start");
	double age;

	n->clients++;
	if (cell_is(state, "active") || cell_is(state, "fastpath function call")) {
		n->active++;
		if (!cell_is_null(query) && now - query->i > 1000000)
			n->slow++;
	} else if (cell_is(state, "idle")) {
		n->idle++;
	} else if (cell_is(state, "idle in transaction (aborted)")) {
		n->aborted++;
	} else if (cell_is(state, "idle in transaction")) {
		n->idle_tx++;
	}
	if (cell_is(rowset_get(rs, row, "wait_type"), "Lock"))
		n->waiting++;
	age = cell_is_null(xact) ? 0 : (double)(now - xact->i) / 1e6;
	if (age > n->oldest_xact_s) {
		n->oldest_xact_s = age;
		n->oldest_pid = cell_i64(rowset_get(rs, row, "pid"), 0);
	}
}

static struct tally
count_sessions(const struct pane_ctx *ctx, const struct rowset *rs)
{
	struct tally n = { 0 };
	int type = rowset_col(rs, "backend_type"), state = rowset_col(rs, "state"),
	    pid = rowset_col(rs, "pid");

	for (int i = 0; i < rs->nrows; i++) {
		int64_t p = cell_i64(rowset_cell(rs, i, pid), 0);
		if (!cell_is(rowset_cell(rs, i, type), "client backend") ||
		    p == ctx->snap->server.own_pid || p == ctx->snap->server.action_pid)
			continue;
		count_client(&n, rs, i, rowset_cell(rs, i, state), rowset_get(rs, i, "now")->i);
	}
	return n;
}

static void
connection_row(struct overview *o, int clients)
{
	const struct server_info *s = &o->ctx->snap->server;
	double pct = s->max_connections > 0 ? 100.0 * clients / s->max_connections : NAN;
	struct cell *c;

	c = add(o, "connections", COL_COUNT, cell_int(clients), METRIC_CONNECTIONS,
	    isnan(pct) ? "" :
	                 arena_printf(&o->grid->arena, "%.0f%% of max_connections %d", pct,
	                     s->max_connections));
	if (pct > 90)
		paint(c, ROLE_CRIT);
	else if (pct > 80)
		paint(c, ROLE_WARN);
	grid_fact(o->grid, "max_connections", COL_COUNT,
	    s->max_connections ? cell_int(s->max_connections) : cell_null(WHY_NODATA));
	grid_fact(o->grid, "connections_pct", COL_PCT,
	    isnan(pct) ? cell_null(WHY_NODATA) : cell_float(pct));
}

static struct cell
known(bool blind, int n)
{
	return blind ? cell_null(WHY_DENIED) : cell_int(n);
}

static void
session_rows(struct overview *o)
{
	const struct rowset *rs = pane_rows(o->ctx, o->grid, PROBE_ACTIVITY);
	struct hidden_sessions hidden = lookup_hidden(o->ctx->snap);
	struct arena *a = &o->grid->arena;
	bool blind = hidden.clients > 0; /* a part of the sessions would be sold as all */
	struct tally n;
	struct cell *c;

	if (!rs)
		return;
	n = count_sessions(o->ctx, rs);
	connection_row(o, n.clients + hidden.clients);
	add(o, "active", COL_COUNT, known(blind, n.active), METRIC_ACTIVE,
	    "sessions that run a query");
	add(o, "slow_queries", COL_COUNT, known(blind, n.slow), METRIC_SLOW,
	    "running for more than 1 s; pane activity");
	c = add(o, "waiting", COL_COUNT, known(blind, n.waiting), METRIC_WAITING,
	    "for heavyweight locks; pane locks");
	if (n.waiting > 0)
		paint(c, ROLE_WARN);
	c = add(o, "idle_in_transaction", COL_COUNT, known(blind, n.idle_tx + n.aborted),
	    METRIC_IDLE_TX,
	    n.aborted ? arena_printf(a, "%d of them in a failed transaction", n.aborted) : "");
	add(o, "idle", COL_COUNT, known(blind, n.idle), METRIC_IDLE, "");
	grid_fact(o->grid, "idle_in_transaction_aborted", COL_COUNT, known(blind, n.aborted));
	grid_fact(o->grid, "lock_waits", COL_COUNT, known(blind, n.waiting));
	c = add(o, "oldest_xact_s", COL_SECONDS,
	    blind ? cell_null(WHY_DENIED) : cell_float(n.oldest_xact_s), METRIC_OLDEST_XACT_S,
	    n.oldest_pid ? arena_printf(a, "pid %lld", (long long)n.oldest_pid) : "");
	if (n.oldest_xact_s > 1800)
		paint(c, ROLE_CRIT);
	else if (n.oldest_xact_s > 300)
		paint(c, ROLE_WARN);
	sessions_note_hidden(o->ctx->snap, hidden.all, o->grid);
}

/* ---- work */

static void
work_rows(struct overview *o)
{
	const struct rowset *cur, *prev;
	double seconds;
	bool pair = snapshot_pair(o->ctx->snap, PROBE_DBSUM, &cur, &prev, &seconds);
	struct cell hit = latest(o, METRIC_HIT_PCT), deadlocks = cell_null(WHY_NODATA);
	struct cell *c;

	add(o, "tps", COL_RATE, latest(o, METRIC_TPS), METRIC_TPS,
	    "transactions per second, all databases");
	add(o, "qps", COL_RATE, latest(o, METRIC_QPS), METRIC_QPS,
	    o->ctx->snap->server.has_pgss ? "statements per second" : "needs pg_stat_statements");
	add(o, "mean_query_ms", COL_MS, latest(o, METRIC_MEAN_MS), METRIC_MEAN_MS,
	    "of the interval's statements; pane statements");
	c = add(o, "hit_pct", COL_PCT, hit, METRIC_HIT_PCT, "shared-buffer hits of the interval");
	if (!cell_is_null(&hit) && hit.f < 90)
		paint(c, ROLE_INFO);
	add(o, "rollback_pct", COL_PCT, latest(o, METRIC_ROLLBACK_PCT), METRIC_ROLLBACK_PCT,
	    "of the interval's transactions");
	add(o, "temp_bytes_per_s", COL_BYTES, latest(o, METRIC_TEMP_BPS), METRIC_TEMP_BPS,
	    "temporary files written per second");
	if (!pair) {
		cur = snapshot_rows(o->ctx->snap, PROBE_DBSUM);
		if (!cur)
			return;
	}
	if (cur->nrows > 0)
		deadlocks = *rowset_get(cur, 0, "deadlocks");
	add(o, "deadlocks", COL_COUNT, deadlocks, METRIC_DEADLOCKS,
	    "since the statistics were reset");
	if (cur->nrows > 0)
		grid_fact(o->grid, "temp_bytes", COL_BYTES, *rowset_get(cur, 0, "temp_bytes"));
}

/* ---- pooler, replication */

static void
pool_rows(struct overview *o)
{
	const struct rowset *pools = snapshot_rows(o->ctx->snap, PROBE_POOL_POOLS);
	const struct rowset *dbs = snapshot_rows(o->ctx->snap, PROBE_POOL_DATABASES);
	double use = NAN, waiting = 0;
	struct cell *c;

	for (int i = 0; pools && i < pools->nrows; i++) {
		const struct cell *db = rowset_get(pools, i, "database");
		double size = 0, busy = 0;
		if (cell_is(db, "pgbouncer"))
			continue;
		for (int k = 0; dbs && k < dbs->nrows; k++)
			if (cell_equal(rowset_get(dbs, k, "name"), db))
				size = lookup_num(rowset_get(dbs, k, "pool_size"), 0);
		busy = lookup_num(rowset_get(pools, i, "sv_active"), 0) +
		    lookup_num(rowset_get(pools, i, "sv_used"), 0) +
		    lookup_num(rowset_get(pools, i, "sv_tested"), 0) +
		    lookup_num(rowset_get(pools, i, "sv_login"), 0);
		waiting += lookup_num(rowset_get(pools, i, "cl_waiting"), 0);
		if (size > 0)
			use = fmax(use, 100 * busy / size);
	}
	if (!pools) {
		grid_fact(o->grid, "pool_use_pct", COL_PCT, cell_null(WHY_UNSUPPORTED));
		return;
	}
	c = add(o, "pool_use_pct", COL_PCT, isnan(use) ? cell_null(WHY_NODATA) : cell_float(use),
	    -1, "fullest PgBouncer pool; pane pools");
	if (use > 80)
		paint(c, ROLE_WARN);
	c = add(o, "pool_waiting", COL_COUNT, cell_int((int64_t)waiting), METRIC_POOL_WAITING,
	    "clients that wait for a server connection");
	if (waiting > 10)
		paint(c, ROLE_CRIT);
	else if (waiting > 0)
		paint(c, ROLE_WARN);
}

static void
replication_rows(struct overview *o)
{
	const struct snapshot *snap = o->ctx->snap;
	const struct rowset *senders = snapshot_rows(snap, PROBE_REPLICATION);
	const struct rowset *slots = snapshot_rows(snap, PROBE_SLOTS);
	struct arena *a = &o->grid->arena;
	struct cell lag = latest(o, METRIC_LAG_BYTES), *c;
	const char *what;
	int inactive = 0;

	for (int i = 0; slots && i < slots->nrows; i++)
		inactive += !cell_i64(rowset_get(slots, i, "active"), 1);
	what = snap->server.is_standby ?
	    "behind the WAL it received; pane replication" :
	    arena_printf(a, "standbys: %d, slots: %d, inactive: %d", senders ? senders->nrows : 0,
	        slots ? slots->nrows : 0, inactive);
	c = add(o, "replication_lag_bytes", COL_BYTES, lag, METRIC_LAG_BYTES, what);
	if (inactive > 0)
		paint(c, ROLE_WARN);
	c = add(o, "replication_lag_s", COL_SECONDS, latest(o, METRIC_LAG_S), METRIC_LAG_S,
	    "until a commit is visible on the furthest standby");
	if (cell_num(&c[C_VALUE], 0) > 60)
		paint(c, ROLE_CRIT);
}

/* ---- WAL, checkpoints, horizon */

static void
wal_rows(struct overview *o)
{
	const struct rowset *cp = snapshot_rows(o->ctx->snap, PROBE_CHECKPOINTS);
	const struct rowset *arch = snapshot_rows(o->ctx->snap, PROBE_ARCHIVER);
	struct arena *a = &o->grid->arena;
	const char *archiver = "";
	bool failing = false;
	struct cell *c;

	if (arch && arch->nrows > 0 && !cell_is(rowset_get(arch, 0, "archive_mode"), "off")) {
		double ok = cell_num(rowset_get(arch, 0, "last_archived_time"), 0);
		failing = cell_num(rowset_get(arch, 0, "last_failed_time"), 0) > ok;
		archiver = failing ? "archiving fails; pane maintenance" : "archiving works";
	} else if (arch && arch->nrows > 0) {
		archiver = "archive_mode is off";
	}
	c = add(
	    o, "wal_bytes_per_s", COL_BYTES, latest(o, METRIC_WAL_BPS), METRIC_WAL_BPS, archiver);
	if (failing)
		paint(c, ROLE_CRIT);
	if (!cp || cp->nrows == 0)
		return;
	add(o, "checkpoints", COL_COUNT,
	    cell_int(cell_i64(rowset_get(cp, 0, "timed"), 0) +
	        cell_i64(rowset_get(cp, 0, "requested"), 0)),
	    -1,
	    arena_printf(a, "%lld timed, %lld requested",
	        (long long)cell_i64(rowset_get(cp, 0, "timed"), 0),
	        (long long)cell_i64(rowset_get(cp, 0, "requested"), 0)));
	grid_fact(o->grid, "checkpoints_timed", COL_COUNT, *rowset_get(cp, 0, "timed"));
	grid_fact(o->grid, "checkpoints_requested", COL_COUNT, *rowset_get(cp, 0, "requested"));
}

static void
horizon_rows(struct overview *o)
{
	const struct rowset *holders = snapshot_rows(o->ctx->snap, PROBE_XMIN_HOLDERS);
	const struct rowset *wrap = snapshot_rows(o->ctx->snap, PROBE_WRAPAROUND);
	struct arena *a = &o->grid->arena;
	double worst = NAN;
	const struct cell *name = NULL;
	struct cell *c;

	if (holders && holders->nrows > 0) {
		const struct cell *kind = rowset_get(holders, 0, "kind"),
		                  *who = rowset_get(holders, 0, "name");
		add(o, "xmin_age", COL_COUNT, *rowset_get(holders, 0, "xmin_age"), -1,
		    arena_printf(a, "held by %.*s %.*s", (int)kind->len, kind->s, (int)who->len,
		        who->type == CELL_TEXT ? who->s : ""));
	} else if (holders) {
		add(o, "xmin_age", COL_COUNT, cell_int(0), -1, "nothing holds back vacuum");
	}
	for (int i = 0; wrap && i < wrap->nrows; i++) {
		/* ids that may be used before the server stops, of 2^31 - 3 million */
		double pct = 100 *
		    fmax(cell_num(rowset_get(wrap, i, "xid_age"), 0),
		        cell_num(rowset_get(wrap, i, "mxid_age"), 0)) /
		    2144483648.0;
		if (isnan(worst) || pct > worst) {
			worst = pct;
			name = rowset_get(wrap, i, "datname");
		}
	}
	if (!name)
		return;
	c = add(o, "wraparound_pct", COL_PCT, cell_float(worst), -1,
	    arena_printf(a, "of the transaction ids, database %.*s", (int)name->len, name->s));
	if (worst > 60)
		paint(c, ROLE_CRIT);
	else if (worst > 40)
		paint(c, ROLE_WARN);
}

/* ---- storage, server */

/* NAN when the role may not read the size of one; nobody may read that of rdsadmin. */
static double
sum_of_sizes(const struct rowset *rs)
{
	double sum = 0;

	for (int i = 0; i < rs->nrows; i++)
		if (!cell_is(rowset_get(rs, i, "datname"), "rdsadmin"))
			sum += cell_num(rowset_get(rs, i, "size_bytes"), NAN);
	return sum;
}

static const char *
largest_tables(struct overview *o, const struct rowset *tables)
{
	struct strbuf out = STRBUF_INIT(400);
	char buf[32];
	const char *text;

	for (int i = 0; i < tables->nrows; i++) {
		const struct cell *name = rowset_get(tables, i, "table");
		strbuf_addf(&out, "%s%.*s %s", i ? ", " : "", (int)name->len,
		    name->type == CELL_TEXT ? name->s : "",
		    fmt_bytes(buf, sizeof(buf), cell_num(rowset_get(tables, i, "size_bytes"), 0)));
	}
	text = arena_strndup(&o->grid->arena, out.buf, out.len);
	strbuf_release(&out);
	grid_fact(o->grid, "largest_tables", COL_TEXT, cell_text(text));
	return text;
}

static void
storage_rows(struct overview *o)
{
	const struct rowset *sizes = snapshot_rows(o->ctx->snap, PROBE_SIZES), *cur, *prev;
	const struct rowset *tables = snapshot_rows(o->ctx->snap, PROBE_LARGEST);
	struct cell growth = cell_null(WHY_NODATA);
	double sum = sizes ? sum_of_sizes(sizes) : NAN, seconds;

	if (sizes)
		add(o, "database_bytes", COL_BYTES,
		    isnan(sum) ? cell_null(WHY_DENIED) : cell_int((int64_t)sum), METRIC_DB_BYTES,
		    tables ?
		        arena_printf(&o->grid->arena, "largest: %s", largest_tables(o, tables)) :
		        "");
	else
		grid_fact(o->grid, "database_bytes", COL_BYTES, cell_null(WHY_NODATA));
	/* Seconds apart, one checkpoint or one vacuum would be sold as a trend. */
	if (snapshot_pair(o->ctx->snap, PROBE_SIZES, &cur, &prev, &seconds) && seconds >= 60) {
		sum = (sum_of_sizes(cur) - sum_of_sizes(prev)) / seconds * 86400;
		growth = isnan(sum) ? cell_null(WHY_DENIED) : cell_float(sum);
	}
	add(o, "growth_bytes_per_day", COL_BYTES, growth, -1,
	    "of all databases, between the last two measurements");
}

static void
server_rows(struct overview *o)
{
	const struct server_info *s = &o->ctx->snap->server;
	double up = s->start_us > 0 && o->ctx->snap->taken_at.us > 0 ?
	    (double)(o->ctx->snap->taken_at.us - s->start_us) / 1e6 :
	    NAN;
	struct arena *a = &o->grid->arena;

	add(o, "uptime_s", COL_SECONDS, isnan(up) ? cell_null(WHY_NODATA) : cell_float(up), -1,
	    arena_printf(a, "PostgreSQL %s", s->version));
	add(o, "role", COL_TEXT, cell_text(s->is_standby ? "standby" : "primary"), -1,
	    s->timeline ? arena_printf(a, "timeline %d", s->timeline) : "");
	grid_fact(o->grid, "version", COL_TEXT, cell_text(s->version));
	grid_fact(o->grid, "timeline", COL_INT,
	    s->timeline ? cell_int(s->timeline) : cell_null(WHY_NODATA));
}

/* What befell the server of late, newest first. */
static void
event_notes(struct overview *o)
{
	const struct snapshot *snap = o->ctx->snap;
	char when[40];
	int n = 0;

	for (int i = snap->nevents - 1; i >= 0 && n < MAX_EVENTS; i--) {
		const struct event *e = &snap->events[i];

		if (snap->taken_at.us - e->at.us > EVENT_SECONDS * 1000000LL)
			break;
		grid_notef(o->grid, e->code, "", "%s: %s, seen at %s", e->code, e->what,
		    wall_rfc3339(
		        (struct wall){ e->at.us - e->at.us % 1000000 }, when, sizeof(when)));
		n++;
	}
}

static void
overview_fill(const struct pane_ctx *ctx, struct grid *grid)
{
	const struct series *series = &ctx->snap->series;
	struct overview o = { ctx, grid,
		series->n > 0 ? series_tick(series, series->n - 1) : NULL };

	if (ctx->snap->taken_at.us == 0) {
		grid_note(grid, "no_data", "no answer from the server yet", "");
		return;
	}
	overview_wrong_facts(ctx, grid);
	session_rows(&o);
	work_rows(&o);
	pool_rows(&o);
	replication_rows(&o);
	wal_rows(&o);
	horizon_rows(&o);
	storage_rows(&o);
	server_rows(&o);
	event_notes(&o);
}

const struct pane pane_overview = {
	.name = "overview",
	.title = "Overview",
	.help =
	    "What is wrong by the alert rules; sessions, work, locks, pooler, replication, WAL, wraparound, storage and server at a glance, with the last five minutes.",
	.columns = columns,
	.ncolumns = C_COUNT,
	.probes = probes,
	.nprobes = ARRAY_LEN(probes),
	.needs_pair = true,
	.fill = overview_fill,
	.head_rows = overview_head_rows,
	.head = overview_head,
};
