/*
 * Pools: PgBouncer's own view, read from its admin console by column name, since each release has
 * other columns. A pool is a (database, user) pair; its size is that of the database's entry, its
 * traffic is counted per database. Saturation is waiting clients while every server connection is
 * in use; maxwait is what the users feel.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "panes/lookup.h"
#include "panes/pane.h"

enum {
	C_KIND,
	C_DATABASE,
	C_USER,
	C_MODE,
	C_CL_ACTIVE,
	C_CL_WAITING,
	C_MAXWAIT,
	C_SV_ACTIVE,
	C_SV_IDLE,
	C_SV_USED,
	C_SV_TESTED,
	C_SV_LOGIN,
	C_SIZE,
	C_USE_PCT,
	C_XACTS,
	C_QUERIES,
	C_QUERY_MS,
	C_XACT_MS,
	C_WAIT_MS,
	C_RECV,
	C_SENT,
	C_PAUSED,
	C_CLIENT,
	C_APPLICATION,
	C_STATE,
	C_COUNT
};

static const struct column columns[C_COUNT] = {
	[C_KIND] = { "kind", "KIND", COL_TEXT, 6, COL_KEY | COL_HIDDEN, "pool or client" },
	[C_DATABASE] = { "database", "DATABASE", COL_TEXT, 10, COL_KEY | COL_FIXED,
	    "database entry of PgBouncer" },
	[C_USER] = { "user", "USER", COL_TEXT, 8, COL_KEY, "user" },
	[C_MODE] = { "pool_mode", "MODE", COL_TEXT, 11, 0, "session, transaction or statement" },
	[C_CL_ACTIVE] = { "cl_active", "CL.ACT", COL_COUNT, 6, 0,
	    "clients with a server connection or idle" },
	[C_CL_WAITING] = { "cl_waiting", "CL.WAIT", COL_COUNT, 7, 0,
	    "clients that wait for a server connection" },
	[C_MAXWAIT] = { "maxwait_s", "MAXWAIT", COL_SECONDS, 7, 0, "longest wait of a client now" },
	[C_SV_ACTIVE] = { "sv_active", "SV.ACT", COL_COUNT, 6, 0, "server connections in use" },
	[C_SV_IDLE] = { "sv_idle", "SV.IDLE", COL_COUNT, 7, 0, "server connections ready" },
	[C_SV_USED] = { "sv_used", "SV.USED", COL_COUNT, 7, COL_HIDDEN,
	    "server connections to be checked before use" },
	[C_SV_TESTED] = { "sv_tested", "TESTED", COL_COUNT, 6, COL_HIDDEN,
	    "server connections being checked" },
	[C_SV_LOGIN] = { "sv_login", "LOGIN", COL_COUNT, 6, COL_HIDDEN,
	    "server connections logging in" },
	[C_SIZE] = { "pool_size", "SIZE", COL_COUNT, 5, 0, "server connections allowed" },
	[C_USE_PCT] = { "use_pct", "USE%", COL_PCT, 5, 0,
	    "server connections in use or busy, of the pool size" },
	[C_XACTS] = { "xacts_per_s", "XACT/s", COL_RATE, 7, 0,
	    "transactions per second of the database" },
	[C_QUERIES] = { "queries_per_s", "QRY/s", COL_RATE, 7, 0,
	    "queries per second of the database" },
	[C_QUERY_MS] = { "query_ms", "QRY.MS", COL_MS, 6, 0, "mean query time of the interval" },
	[C_XACT_MS] = { "xact_ms", "XACT.MS", COL_MS, 7, COL_HIDDEN,
	    "mean transaction time of the interval" },
	[C_WAIT_MS] = { "wait_ms_per_s", "WAIT.MS", COL_MS, 7, 0,
	    "time that clients waited, per second" },
	[C_RECV] = { "received_bytes_per_s", "RECV", COL_BYTES, 6, COL_HIDDEN, "from clients" },
	[C_SENT] = { "sent_bytes_per_s", "SENT", COL_BYTES, 6, COL_HIDDEN, "to clients" },
	[C_PAUSED] = { "paused", "PAUSED", COL_BOOL, 6, COL_HIDDEN, "PAUSE is in force" },
	[C_CLIENT] = { "client", "CLIENT", COL_TEXT, 0, COL_KEY | COL_HIDDEN,
	    "address and port of a client" },
	[C_APPLICATION] = { "application", "APPLICATION", COL_TEXT, 0, COL_HIDDEN,
	    "application_name of a client" },
	[C_STATE] = { "state", "STATE", COL_TEXT, 7, COL_HIDDEN, "state of a client" },
};

static const enum probe_id probes[] = { PROBE_POOL_POOLS, PROBE_POOL_STATS, PROBE_POOL_DATABASES,
	PROBE_POOL_CLIENTS };

enum mode { MODE_POOLS, MODE_CLIENTS };
static const struct pane_mode modes[] = {
	[MODE_POOLS] = { "pools", "one row a pool" },
	[MODE_CLIENTS] = { "clients", "one row a client connection" },
	{ NULL, NULL },
};

static struct cell
num(const struct rowset *rs, int row, const char *name)
{
	const struct cell *c = rowset_get(rs, row, name);
	double v = lookup_num(c, NAN);
	return isnan(v) ? cell_null(c->type == CELL_NULL ? (enum cell_why)c->why : WHY_NONE) :
	                  cell_int((int64_t)v);
}

/* Row of a rowset whose column `key` is this text, or -1. */
static int
row_of(const struct rowset *rs, const char *key, const struct cell *value)
{
	int col = rs ? rowset_col(rs, key) : -1;

	for (int i = 0; col >= 0 && i < rs->nrows; i++)
		if (cell_equal(rowset_cell(rs, i, col), value))
			return i;
	return -1;
}

/* The database's entry: its limit, and whether PAUSE holds it. */
static void
fill_size(struct cell *c, const struct rowset *dbs)
{
	int row = row_of(dbs, "name", &c[C_DATABASE]);
	double busy = 0, size;

	if (row < 0)
		return;
	c[C_SIZE] = num(dbs, row, "pool_size");
	c[C_PAUSED] = cell_bool(lookup_num(rowset_get(dbs, row, "paused"), 0) > 0);
	if (cell_i64(&c[C_PAUSED], 0))
		c[C_DATABASE].role = ROLE_WARN;
	for (int i = C_SV_ACTIVE; i <= C_SV_LOGIN; i++)
		busy += i == C_SV_IDLE ? 0 : cell_num(&c[i], 0);
	size = cell_num(&c[C_SIZE], 0);
	if (size <= 0)
		return;
	c[C_USE_PCT] = cell_float(100 * busy / size);
	if (cell_num(&c[C_CL_WAITING], 0) > 0 && cell_num(&c[C_SV_ACTIVE], 0) >= size)
		c[C_USE_PCT].role = c[C_CL_WAITING].role = ROLE_CRIT;
	else if (cell_num(&c[C_USE_PCT], 0) > 80)
		c[C_USE_PCT].role = ROLE_WARN;
}

/* total_* of SHOW STATS are counters; times in them are microseconds. */
static struct cell
stat_rate(const struct rowset *cur, int row, const struct rowset *prev, int prow, const char *name,
    double seconds)
{
	struct cell a = num(cur, row, name), b = num(prev, prow, name);
	return pane_rate(&a, &b, seconds);
}

static struct cell
mean_ms(const struct cell *us_per_s, const struct cell *n_per_s)
{
	double n = cell_num(n_per_s, 0);

	if (cell_is_null(us_per_s) || cell_is_null(n_per_s))
		return cell_null(WHY_NODATA);
	return n > 0 ? cell_float(cell_num(us_per_s, 0) / n / 1e3) : cell_null(WHY_NONE);
}

static void
fill_traffic(const struct pane_ctx *ctx, struct cell *c)
{
	const struct rowset *cur, *prev;
	double seconds;
	struct cell us;
	int row, prow;

	if (!snapshot_pair(ctx->snap, PROBE_POOL_STATS, &cur, &prev, &seconds)) {
		for (int i = C_XACTS; i <= C_SENT; i++)
			c[i] = cell_null(WHY_NODATA);
		return;
	}
	row = row_of(cur, "database", &c[C_DATABASE]);
	prow = row_of(prev, "database", &c[C_DATABASE]);
	if (row < 0 || prow < 0)
		return;
	c[C_XACTS] = stat_rate(cur, row, prev, prow, "total_xact_count", seconds);
	c[C_QUERIES] = stat_rate(cur, row, prev, prow, "total_query_count", seconds);
	c[C_RECV] = stat_rate(cur, row, prev, prow, "total_received", seconds);
	c[C_SENT] = stat_rate(cur, row, prev, prow, "total_sent", seconds);
	us = stat_rate(cur, row, prev, prow, "total_query_time", seconds);
	c[C_QUERY_MS] = mean_ms(&us, &c[C_QUERIES]);
	us = stat_rate(cur, row, prev, prow, "total_xact_time", seconds);
	c[C_XACT_MS] = mean_ms(&us, &c[C_XACTS]);
	us = stat_rate(cur, row, prev, prow, "total_wait_time", seconds);
	c[C_WAIT_MS] = cell_is_null(&us) ? us : cell_float(cell_num(&us, 0) / 1e3);
}

static void
add_pool(const struct pane_ctx *ctx, struct grid *grid, const struct rowset *rs, int row,
    const struct rowset *dbs)
{
	struct cell *c = grid_add(grid)->cells;
	double us = lookup_num(rowset_get(rs, row, "maxwait_us"), 0);

	c[C_KIND] = cell_text("pool");
	c[C_DATABASE] = *rowset_get(rs, row, "database");
	c[C_USER] = *rowset_get(rs, row, "user");
	c[C_MODE] = *rowset_get(rs, row, "pool_mode");
	c[C_CL_ACTIVE] = num(rs, row, "cl_active");
	c[C_CL_WAITING] = num(rs, row, "cl_waiting");
	c[C_MAXWAIT] = cell_float(lookup_num(rowset_get(rs, row, "maxwait"), 0) + us / 1e6);
	c[C_SV_ACTIVE] = num(rs, row, "sv_active");
	c[C_SV_IDLE] = num(rs, row, "sv_idle");
	c[C_SV_USED] = num(rs, row, "sv_used");
	c[C_SV_TESTED] = num(rs, row, "sv_tested");
	c[C_SV_LOGIN] = num(rs, row, "sv_login");
	if (cell_num(&c[C_CL_WAITING], 0) > 0)
		c[C_CL_WAITING].role = c[C_MAXWAIT].role = ROLE_WARN;
	fill_size(c, dbs);
	fill_traffic(ctx, c);
}

static void
add_client(struct grid *grid, const struct rowset *rs, int row)
{
	const struct cell *addr = rowset_get(rs, row, "addr");
	struct cell *c = grid_add(grid)->cells;

	c[C_KIND] = cell_text("client");
	c[C_DATABASE] = *rowset_get(rs, row, "database");
	c[C_USER] = *rowset_get(rs, row, "user");
	c[C_STATE] = *rowset_get(rs, row, "state");
	c[C_APPLICATION] = *rowset_get(rs, row, "application_name");
	c[C_CLIENT] = cell_text(arena_printf(&grid->arena, "%.*s:%.0f", (int)addr->len,
	    addr->type == CELL_TEXT ? addr->s : "", lookup_num(rowset_get(rs, row, "port"), 0)));
	c[C_MAXWAIT] = cell_float(lookup_num(rowset_get(rs, row, "wait"), 0) +
	    lookup_num(rowset_get(rs, row, "wait_us"), 0) / 1e6);
}

static void
pool_facts(struct grid *grid)
{
	double waiting = 0, maxwait = 0, use = NAN;

	for (int i = 0; i < grid->nrows; i++) {
		const struct cell *c = grid->rows[i].cells;
		waiting += cell_num(&c[C_CL_WAITING], 0);
		maxwait = fmax(maxwait, cell_num(&c[C_MAXWAIT], 0));
		use = fmax(use, cell_num(&c[C_USE_PCT], NAN));
	}
	grid_fact(grid, "waiting", COL_COUNT, cell_int((int64_t)waiting));
	grid_fact(grid, "maxwait_s", COL_SECONDS, cell_float(maxwait));
	grid_fact(grid, "use_pct", COL_PCT, isnan(use) ? cell_null(WHY_NODATA) : cell_float(use));
}

static void
pools_fill(const struct pane_ctx *ctx, struct grid *grid)
{
	const struct rowset *pools = pane_rows(ctx, grid, PROBE_POOL_POOLS);
	const struct rowset *dbs = snapshot_rows(ctx->snap, PROBE_POOL_DATABASES);
	const struct rowset *clients;

	for (int i = 0; pools && ctx->opts->mode == MODE_POOLS && i < pools->nrows; i++)
		if (!cell_is(rowset_get(pools, i, "database"), "pgbouncer"))
			add_pool(ctx, grid, pools, i, dbs);
	if (ctx->opts->mode == MODE_CLIENTS) {
		clients = pane_rows(ctx, grid, PROBE_POOL_CLIENTS);
		for (int i = 0; clients && i < clients->nrows; i++)
			add_client(grid, clients, i);
	} else if (pools) {
		pool_facts(grid);
	}
}

const struct pane pane_pools = {
	.name = "pools",
	.title = "Pools",
	.help =
	    "PgBouncer: pools with their use, waiting clients and longest wait, traffic of each database; clients with `mode clients`.",
	.columns = columns,
	.ncolumns = C_COUNT,
	.probes = probes,
	.nprobes = ARRAY_LEN(probes),
	.needs_pair = true,
	.modes = modes,
	.fill = pools_fill,
};
