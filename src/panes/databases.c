/*
 * Databases: counters of each as rates of the interval, with the totals behind them hidden; size,
 * age of the oldest transaction id, limits. The row of the shared catalogs, which belong to no
 * database, is named (shared).
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "panes/counters.h"
#include "panes/pane.h"
#include "panes/sessions.h"

enum {
	C_DATABASE,
	C_SIZE,
	C_BACKENDS,
	C_TPS,
	C_ROLLBACK_PCT,
	C_HIT_PCT,
	C_READ_PER_S,
	C_WRITES_PER_S,
	C_TEMP_BPS,
	C_DEADLOCKS,
	C_CONFLICTS,
	C_XID_PCT,
	C_DATID,
	C_CONN_LIMIT,
	C_RETURNED_PER_S,
	C_FETCHED_PER_S,
	C_INS_PER_S,
	C_UPD_PER_S,
	C_DEL_PER_S,
	C_SESSIONS_PER_S,
	C_ACTIVE_SESSIONS,
	C_IDLE_TX_SESSIONS,
	C_READ_MS_PER_S,
	C_WRITE_MS_PER_S,
	C_GROWTH,
	C_SIZE_AGE,
	C_COMMITS,
	C_ROLLBACKS,
	C_BLKS_READ,
	C_BLKS_HIT,
	C_HIT_TOTAL_PCT,
	C_RETURNED,
	C_FETCHED,
	C_INS,
	C_UPD,
	C_DEL,
	C_TEMP_FILES,
	C_TEMP_BYTES,
	C_CHECKSUM,
	C_CHECKSUM_LAST,
	C_READ_MS,
	C_WRITE_MS,
	C_SESSION_MS,
	C_ACTIVE_MS,
	C_IDLE_TX_MS,
	C_SESSIONS,
	C_ABANDONED,
	C_FATAL,
	C_KILLED,
	C_XID_AGE,
	C_MXID_AGE,
	C_ALLOW_CONN,
	C_TEMPLATE,
	C_STATS_RESET,
	C_COUNT
};

static const struct column columns[C_COUNT] = {
	[C_DATABASE] = { "database", "DATABASE", COL_TEXT, 12, COL_KEY | COL_FIXED,
	    "name; (shared) for the shared catalogs" },
	[C_SIZE] = { "size_bytes", "SIZE", COL_BYTES, 6, 0,
	    "size on disk, read rarely: see size_age_s" },
	[C_BACKENDS] = { "backends", "CONN", COL_COUNT, 5, 0,
	    "sessions and workers connected to it" },
	[C_TPS] = { "tps", "TPS", COL_RATE, 6, 0,
	    "transactions per second of the interval, rolled back ones included" },
	[C_ROLLBACK_PCT] = { "rollback_pct", "ROLLB%", COL_PCT, 6, 0,
	    "rolled back, of the interval's transactions" },
	[C_HIT_PCT] = { "hit_pct", "HIT%", COL_PCT, 5, 0,
	    "blocks found in shared buffers, of the interval's" },
	[C_READ_PER_S] = { "blks_read_per_s", "READ/S", COL_RATE, 6, 0,
	    "blocks read per second of the interval" },
	[C_WRITES_PER_S] = { "writes_per_s", "WRITE/S", COL_RATE, 7, 0,
	    "rows inserted, updated, deleted per second of the interval" },
	[C_TEMP_BPS] = { "temp_bytes_per_s", "TEMP/S", COL_BYTES, 6, 0,
	    "temporary files written per second of the interval" },
	[C_DEADLOCKS] = { "deadlocks", "DEADL", COL_COUNT, 5, 0, "deadlocks since the reset" },
	[C_CONFLICTS] = { "conflicts", "CONFL", COL_COUNT, 5, COL_HIDDEN,
	    "queries cancelled by recovery since the reset (standby)" },
	[C_XID_PCT] = { "wraparound_pct", "WRAP%", COL_PCT, 5, 0,
	    "transaction ids used up before the server refuses writes" },
	[C_DATID] = { "datid", "OID", COL_INT, 7, COL_KEY | COL_HIDDEN,
	    "oid; 0 for the shared catalogs" },
	[C_CONN_LIMIT] = { "connection_limit", "LIMIT", COL_INT, 5, COL_HIDDEN,
	    "most connections; -1 no limit" },
	[C_RETURNED_PER_S] = { "returned_per_s", "RET/S", COL_RATE, 6, COL_HIDDEN,
	    "rows read by scans per second of the interval" },
	[C_FETCHED_PER_S] = { "fetched_per_s", "FETCH/S", COL_RATE, 7, COL_HIDDEN,
	    "rows fetched by index scans per second of the interval" },
	[C_INS_PER_S] = { "ins_per_s", "INS/S", COL_RATE, 6, COL_HIDDEN,
	    "rows inserted per second of the interval" },
	[C_UPD_PER_S] = { "upd_per_s", "UPD/S", COL_RATE, 6, COL_HIDDEN,
	    "rows updated per second of the interval" },
	[C_DEL_PER_S] = { "del_per_s", "DEL/S", COL_RATE, 6, COL_HIDDEN,
	    "rows deleted per second of the interval" },
	[C_SESSIONS_PER_S] = { "sessions_per_s", "LOGIN/S", COL_RATE, 7, COL_HIDDEN,
	    "sessions started per second of the interval (14 and newer)" },
	[C_ACTIVE_SESSIONS] = { "active_sessions", "ACTIVE", COL_FLOAT, 6, COL_HIDDEN,
	    "time in statements by time of the interval (14 and newer); counted when a statement ends" },
	[C_IDLE_TX_SESSIONS] = { "idle_tx_sessions", "IDLE.TX", COL_FLOAT, 7, COL_HIDDEN,
	    "time idle in a transaction by time of the interval (14 and newer)" },
	[C_READ_MS_PER_S] = { "read_ms_per_s", "RD.MS/S", COL_RATE, 7, COL_HIDDEN,
	    "time in reads of data files per second; 0 while track_io_timing is off" },
	[C_WRITE_MS_PER_S] = { "write_ms_per_s", "WR.MS/S", COL_RATE, 7, COL_HIDDEN,
	    "time in writes of data files per second; 0 while track_io_timing is off" },
	[C_GROWTH] = { "growth_bytes_per_s", "GROWTH/S", COL_BYTES, 8, COL_HIDDEN,
	    "growth between the last two readings of the size" },
	[C_SIZE_AGE] = { "size_age_s", "SIZE.AGE", COL_SECONDS, 8, COL_HIDDEN,
	    "age of the size when the counters were read" },
	[C_COMMITS] = { "commits", "COMMITS", COL_COUNT, 7, COL_HIDDEN, "transactions committed" },
	[C_ROLLBACKS] = { "rollbacks", "ROLLB", COL_COUNT, 6, COL_HIDDEN,
	    "transactions rolled back" },
	[C_BLKS_READ] = { "blks_read", "BLK.RD", COL_COUNT, 6, COL_HIDDEN, "blocks read" },
	[C_BLKS_HIT] = { "blks_hit", "BLK.HIT", COL_COUNT, 7, COL_HIDDEN,
	    "blocks found in shared buffers" },
	[C_HIT_TOTAL_PCT] = { "hit_total_pct", "HIT.TOT%", COL_PCT, 8, COL_HIDDEN,
	    "blocks found in shared buffers since the reset" },
	[C_RETURNED] = { "tup_returned", "RET", COL_COUNT, 6, COL_HIDDEN, "rows read by scans" },
	[C_FETCHED] = { "tup_fetched", "FETCH", COL_COUNT, 6, COL_HIDDEN,
	    "rows fetched by index scans" },
	[C_INS] = { "tup_inserted", "INS", COL_COUNT, 6, COL_HIDDEN, "rows inserted" },
	[C_UPD] = { "tup_updated", "UPD", COL_COUNT, 6, COL_HIDDEN, "rows updated" },
	[C_DEL] = { "tup_deleted", "DEL", COL_COUNT, 6, COL_HIDDEN, "rows deleted" },
	[C_TEMP_FILES] = { "temp_files", "TEMPF", COL_COUNT, 6, COL_HIDDEN, "temporary files" },
	[C_TEMP_BYTES] = { "temp_bytes", "TEMP", COL_BYTES, 6, COL_HIDDEN,
	    "bytes of temporary files" },
	[C_CHECKSUM] = { "checksum_failures", "CSUM", COL_COUNT, 5, COL_HIDDEN,
	    "pages with a wrong checksum; unknown without data checksums" },
	[C_CHECKSUM_LAST] = { "checksum_last_failure", "CSUM.LAST", COL_TIME, 9, COL_HIDDEN,
	    "when the last one was found" },
	[C_READ_MS] = { "read_ms", "RD.MS", COL_MS, 6, COL_HIDDEN, "time in reads of data files" },
	[C_WRITE_MS] = { "write_ms", "WR.MS", COL_MS, 6, COL_HIDDEN,
	    "time in writes of data files" },
	[C_SESSION_MS] = { "session_ms", "SESS.MS", COL_MS, 7, COL_HIDDEN,
	    "time of all sessions (14 and newer)" },
	[C_ACTIVE_MS] = { "active_ms", "ACT.MS", COL_MS, 6, COL_HIDDEN,
	    "time in statements (14 and newer)" },
	[C_IDLE_TX_MS] = { "idle_tx_ms", "IDTX.MS", COL_MS, 7, COL_HIDDEN,
	    "time idle in a transaction (14 and newer)" },
	[C_SESSIONS] = { "sessions", "LOGINS", COL_COUNT, 6, COL_HIDDEN,
	    "sessions started (14 and newer)" },
	[C_ABANDONED] = { "sessions_abandoned", "ABAND", COL_COUNT, 5, COL_HIDDEN,
	    "sessions whose client vanished (14 and newer)" },
	[C_FATAL] = { "sessions_fatal", "FATAL", COL_COUNT, 5, COL_HIDDEN,
	    "sessions ended by a fatal error (14 and newer)" },
	[C_KILLED] = { "sessions_killed", "KILLED", COL_COUNT, 6, COL_HIDDEN,
	    "sessions terminated by an operator (14 and newer)" },
	[C_XID_AGE] = { "xid_age", "XID.AGE", COL_COUNT, 7, COL_HIDDEN,
	    "transactions since its oldest unfrozen one" },
	[C_MXID_AGE] = { "mxid_age", "MXID.AGE", COL_COUNT, 8, COL_HIDDEN,
	    "multixacts since its oldest unfrozen one" },
	[C_ALLOW_CONN] = { "allow_connections", "ALLOW", COL_BOOL, 5, COL_HIDDEN,
	    "connections are allowed" },
	[C_TEMPLATE] = { "is_template", "TEMPL", COL_BOOL, 5, COL_HIDDEN,
	    "anybody with CREATEDB may copy it" },
	[C_STATS_RESET] = { "stats_reset", "RESET", COL_TIME, 9, COL_HIDDEN,
	    "when its counters were reset; unknown: never" },
};

static const enum probe_id probes[] = { PROBE_DATABASES, PROBE_SIZES };

/* clang-format off */
#define SQL_LIST(X) \
	X(datid) X(datname) X(backends) X(commits) X(rollbacks) X(read) X(hit) \
	X(returned) X(fetched) X(ins) X(upd) X(del) X(conflicts) X(temp_files) \
	X(temp_bytes) X(deadlocks) X(checksum_failures) X(checksum_last_failure) \
	X(read_ms) X(write_ms) X(session_ms) X(active_ms) X(idle_tx_ms) X(sessions) \
	X(abandoned) X(fatal) X(killed) X(stats_reset) X(conn_limit) X(allow_conn) \
	X(is_template) X(xid_age) X(mxid_age)
/* clang-format on */

enum {
#define X(name) S_##name,
	SQL_LIST(X)
#undef X
	    S_COUNT,
};
static const char *const sql_names[S_COUNT] = {
#define X(name) #name,
	SQL_LIST(X)
#undef X
};

static const struct {
	uint8_t column, sql;
} values[] = {
	{ C_BACKENDS, S_backends }, { C_COMMITS, S_commits }, { C_ROLLBACKS, S_rollbacks }, { C_BLKS_READ, S_read },
	{ C_BLKS_HIT, S_hit }, { C_RETURNED, S_returned }, { C_FETCHED, S_fetched }, { C_INS, S_ins },
	{ C_UPD, S_upd }, { C_DEL, S_del }, { C_CONFLICTS, S_conflicts }, { C_TEMP_FILES, S_temp_files },
	{ C_TEMP_BYTES, S_temp_bytes }, { C_DEADLOCKS, S_deadlocks }, { C_READ_MS, S_read_ms },
	{ C_WRITE_MS, S_write_ms }, { C_SESSION_MS, S_session_ms }, { C_ACTIVE_MS, S_active_ms },
	{ C_IDLE_TX_MS, S_idle_tx_ms }, { C_SESSIONS, S_sessions }, { C_ABANDONED, S_abandoned },
	{ C_FATAL, S_fatal }, { C_KILLED, S_killed },
}, copies[] = {
	{ C_DATID, S_datid }, { C_CONN_LIMIT, S_conn_limit }, { C_ALLOW_CONN, S_allow_conn },
	{ C_TEMPLATE, S_is_template }, { C_XID_AGE, S_xid_age }, { C_MXID_AGE, S_mxid_age },
	{ C_STATS_RESET, S_stats_reset }, { C_CHECKSUM, S_checksum_failures },
	{ C_CHECKSUM_LAST, S_checksum_last_failure },
}, rates[] = {
	{ C_READ_PER_S, S_read }, { C_RETURNED_PER_S, S_returned }, { C_FETCHED_PER_S, S_fetched },
	{ C_INS_PER_S, S_ins }, { C_UPD_PER_S, S_upd }, { C_DEL_PER_S, S_del }, { C_TEMP_BPS, S_temp_bytes },
	{ C_SESSIONS_PER_S, S_sessions }, { C_READ_MS_PER_S, S_read_ms }, { C_WRITE_MS_PER_S, S_write_ms },
};

struct filling {
	struct grid *grid;
	struct counters k;
	int col[S_COUNT];
	const struct rowset *sizes;
	struct counters size; /* of the sizes probe */
	int size_id, size_col;
	double size_bytes;
	int ndatabases, ndenied, nchecksum;
};

static const struct cell *
at(const struct filling *f, int row, int sql)
{
	return rowset_cell(f->k.cur, row, f->col[sql]);
}

static void
fill_size(struct filling *f, struct cell *c, int64_t datid)
{
	double grown;

	if (datid == 0) /* shared objects */
		return;
	f->ndatabases++;
	c[C_SIZE] = c[C_GROWTH] = cell_null(WHY_NODATA);
	for (int i = 0; f->sizes && i < f->sizes->nrows; i++) {
		if (cell_i64(rowset_cell(f->sizes, i, f->size_id), -1) != datid)
			continue;
		c[C_SIZE] = *rowset_cell(f->sizes, i, f->size_col);
		if (cell_is_null(&c[C_SIZE])) {
			c[C_SIZE] = c[C_GROWTH] = cell_null(WHY_DENIED);
			/* nobody may read that one */
			f->ndenied += !cell_is(&c[C_DATABASE], "rdsadmin");
			return;
		}
		f->size_bytes += (double)c[C_SIZE].i;
		c[C_SIZE_AGE] = cell_float(f->k.now.us > f->size.now.us ?
		        (double)(f->k.now.us - f->size.now.us) / 1e6 :
		        0);
		/* a size may shrink, so this is no counter */
		if (f->size.prev && f->size.prev_row[i] >= 0) {
			grown = (double)c[C_SIZE].i -
			    cell_num(
			        rowset_cell(f->size.prev, f->size.prev_row[i], f->size_col), 0);
			c[C_GROWTH] = cell_float(grown / f->size.seconds);
		}
		return;
	}
}

/* Share of a counter in the interval, of it and another one. */
static struct cell
share(struct filling *f, int row, int part, int other)
{
	double a, b;

	if (!counters_delta(&f->k, row, f->col[part], &a) ||
	    !counters_delta(&f->k, row, f->col[other], &b))
		return cell_null(WHY_NODATA);
	return a + b > 0 ? cell_float(100 * a / (a + b)) : cell_null(WHY_NONE);
}

/* Time that passed in the database by time that passed outside: how many did it at once. */
static struct cell
at_once(struct filling *f, int row, int sql)
{
	struct cell c = counters_rate(&f->k, row, f->col[sql]);

	return cell_is_null(&c) ? c : cell_float(c.f / 1000);
}

static void
fill_marks(struct filling *f, struct cell *c)
{
	/* ids that may be used before the server stops: 2^31 less 3 million */
	double used = 100 * cell_num(&c[C_XID_AGE], 0) / 2144483648.0;
	double multi = 100 * cell_num(&c[C_MXID_AGE], 0) / 2144483648.0;
	int64_t limit = cell_i64(&c[C_CONN_LIMIT], -1);

	if (!cell_is_null(&c[C_XID_AGE]))
		c[C_XID_PCT] = cell_float(used > multi ? used : multi);
	if (cell_num(&c[C_XID_PCT], 0) > 40)
		c[C_XID_PCT].role = cell_num(&c[C_XID_PCT], 0) > 60 ? ROLE_CRIT : ROLE_WARN;
	if (limit > 0 && cell_i64(&c[C_BACKENDS], 0) * 10 >= limit * 9)
		c[C_BACKENDS].role = ROLE_CRIT;
	if (cell_num(&c[C_ROLLBACK_PCT], 0) > 10)
		c[C_ROLLBACK_PCT].role = ROLE_WARN;
	if (cell_num(&c[C_TEMP_BPS], 0) > 0)
		c[C_TEMP_BPS].role = ROLE_INFO;
	if (cell_i64(&c[C_CHECKSUM], 0) > 0) {
		c[C_CHECKSUM].role = c[C_DATABASE].role = ROLE_CRIT;
		f->nchecksum++;
	}
}

static void
fill_row(struct filling *f, int row)
{
	const int transactions[] = { f->col[S_commits], f->col[S_rollbacks] };
	const int writes[] = { f->col[S_ins], f->col[S_upd], f->col[S_del] };
	const struct cell *name = at(f, row, S_datname);
	struct cell *c = grid_add(f->grid)->cells, all;

	for (size_t i = 0; i < ARRAY_LEN(copies); i++)
		c[copies[i].column] = *at(f, row, copies[i].sql);
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		c[values[i].column] = counters_value(&f->k, row, f->col[values[i].sql]);
	for (size_t i = 0; i < ARRAY_LEN(rates); i++)
		c[rates[i].column] = counters_rate(&f->k, row, f->col[rates[i].sql]);
	c[C_DATABASE] = cell_is_null(name) ? cell_text("(shared)") : *name;
	c[C_TPS] = counters_rate_sum(&f->k, row, transactions, 2);
	c[C_WRITES_PER_S] = counters_rate_sum(&f->k, row, writes, 3);
	c[C_ROLLBACK_PCT] = share(f, row, S_rollbacks, S_commits);
	c[C_HIT_PCT] = share(f, row, S_hit, S_read);
	c[C_ACTIVE_SESSIONS] = at_once(f, row, S_active_ms);
	c[C_IDLE_TX_SESSIONS] = at_once(f, row, S_idle_tx_ms);
	all = cell_int(c[C_BLKS_HIT].i + c[C_BLKS_READ].i);
	c[C_HIT_TOTAL_PCT] = counters_pct(&c[C_BLKS_HIT], &all);
	fill_size(f, c, cell_i64(at(f, row, S_datid), 0));
	fill_marks(f, c);
}

static void
databases_fill(const struct pane_ctx *ctx, struct grid *grid)
{
	struct filling f = { .grid = grid };
	const struct rowset *rs = pane_rows(ctx, grid, PROBE_DATABASES);

	if (!rs || !counters_init(&f.k, &grid->arena, ctx->snap, PROBE_DATABASES, "datid"))
		return;
	f.sizes = pane_rows(ctx, grid, PROBE_SIZES);
	if (f.sizes && counters_init(&f.size, &grid->arena, ctx->snap, PROBE_SIZES, "datid")) {
		f.size_id = rowset_col(f.sizes, "datid");
		f.size_col = rowset_col(f.sizes, "size_bytes");
	}
	rowset_cols(rs, sql_names, S_COUNT, f.col);
	for (int i = 0; i < rs->nrows; i++)
		fill_row(&f, i);
	grid_fact(grid, "databases", COL_COUNT, cell_int(f.ndatabases));
	grid_fact(grid, "size_bytes", COL_BYTES,
	    f.ndenied   ? cell_null(WHY_DENIED) :
	        f.sizes ? cell_float(f.size_bytes) :
	                  cell_null(WHY_NODATA));
	counters_notes(&f.k, grid, "databases");
	if (f.ndenied > 0)
		grid_notef(grid, "denied",
		    sessions_grant(ctx->snap, "pg_read_all_stats", &grid->arena),
		    "the size of %d databases that this role may not connect to is unknown",
		    f.ndenied);
	if (f.nchecksum > 0)
		grid_notef(grid, "info", "Check the storage, then restore or amcheck.",
		    "wrong page checksums in %d databases", f.nchecksum);
}

const struct pane pane_databases = {
	.name = "databases",
	.title = "Databases",
	.help =
	    "Each database: size, transactions, hit ratio, reads, writes and temporary files of the interval, wraparound; totals are hidden columns.",
	.columns = columns,
	.ncolumns = C_COUNT,
	.probes = probes,
	.nprobes = ARRAY_LEN(probes),
	.is_steady = true,
	.sort = "tps",
	.sort_descending = true,
	.needs_pair = true,
	.fill = databases_fill,
};
