/*
 * Indexes of the database that the console is connected to: what they cost and whether anybody uses
 * them. Invalid ones stand out: they are kept up by every write and serve no query.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "panes/counters.h"
#include "panes/pane.h"
#include "panes/relation_detail.h"

enum {
	C_INDEX,
	C_TABLE,
	C_SCHEMA,
	C_STATE,
	C_SIZE,
	C_SCANS,
	C_SCANS_PER_S,
	C_TUP_READ,
	C_HIT_PCT,
	C_UNIQUE,
	C_PRIMARY,
	C_VALID,
	C_READY,
	C_EXCLUSION,
	C_PARTIAL,
	C_EXPRESSION,
	C_REPLIDENT,
	C_METHOD,
	C_KIND,
	C_INDEXRELID,
	C_RELID,
	C_ROWS,
	C_TUP_FETCH,
	C_TUPLES_PER_S,
	C_READ,
	C_HIT,
	C_BLOCKS_PER_S,
	C_LAST_SCAN,
	C_IDLE_S,
	C_COUNT
};

static const struct column columns[C_COUNT] = {
	[C_SCHEMA] = { "schema", "SCHEMA", COL_TEXT, 6, COL_KEY, "schema" },
	[C_INDEX] = { "index", "INDEX", COL_TEXT, 16, COL_KEY | COL_FIXED, "name of the index" },
	[C_TABLE] = { "table", "TABLE", COL_TEXT, 12, 0, "table it belongs to" },
	[C_STATE] = { "state", "STATE", COL_TEXT, 8, 0,
	    "primary, unique, plain; unused: no scan since the reset and no constraint; invalid, building, dropping" },
	[C_SIZE] = { "size_bytes", "SIZE", COL_BYTES, 6, 0,
	    "size as of the last vacuum, analyze or create index" },
	[C_SCANS] = { "scans", "SCANS", COL_COUNT, 6, 0, "index scans since the reset" },
	[C_SCANS_PER_S] = { "scans_per_s", "SCANS/S", COL_RATE, 7, 0,
	    "index scans per second of the interval" },
	[C_TUP_READ] = { "tup_read", "READ", COL_COUNT, 6, 0, "index entries returned by scans" },
	[C_HIT_PCT] = { "hit_pct", "HIT%", COL_PCT, 5, 0,
	    "blocks found in shared buffers since the reset" },
	[C_UNIQUE] = { "is_unique", "UNIQUE", COL_BOOL, 6, COL_HIDDEN, "keeps values unique" },
	[C_PRIMARY] = { "is_primary", "PRIMARY", COL_BOOL, 7, COL_HIDDEN, "is the primary key" },
	[C_VALID] = { "is_valid", "VALID", COL_BOOL, 5, COL_HIDDEN, "queries may use it" },
	[C_READY] = { "is_ready", "READY", COL_BOOL, 5, COL_HIDDEN, "writes keep it up" },
	[C_EXCLUSION] = { "is_exclusion", "EXCL", COL_BOOL, 5, COL_HIDDEN,
	    "supports an exclusion constraint" },
	[C_PARTIAL] = { "is_partial", "PARTIAL", COL_BOOL, 7, COL_HIDDEN, "has a WHERE clause" },
	[C_EXPRESSION] = { "is_expression", "EXPR", COL_BOOL, 5, COL_HIDDEN,
	    "has an expression among its keys" },
	[C_REPLIDENT] = { "is_replica_identity", "REPLID", COL_BOOL, 6, COL_HIDDEN,
	    "is the table's replica identity" },
	[C_METHOD] = { "method", "METHOD", COL_TEXT, 6, COL_HIDDEN, "access method" },
	[C_KIND] = { "kind", "KIND", COL_TEXT, 5, COL_HIDDEN,
	    "index, or partitioned (of a partitioned table: has no storage)" },
	[C_INDEXRELID] = { "indexrelid", "OID", COL_INT, 7, COL_HIDDEN, "oid of the index" },
	[C_RELID] = { "relid", "TABLE.OID", COL_INT, 9, COL_HIDDEN, "oid of the table" },
	[C_ROWS] = { "est_rows", "ROWS", COL_COUNT, 6, COL_HIDDEN,
	    "entries by the planner's estimate" },
	[C_TUP_FETCH] = { "tup_fetch", "FETCH", COL_COUNT, 6, COL_HIDDEN,
	    "live table rows fetched by simple index scans" },
	[C_TUPLES_PER_S] = { "tup_read_per_s", "READ/S", COL_RATE, 6, COL_HIDDEN,
	    "index entries returned per second of the interval" },
	[C_READ] = { "blks_read", "BLK.RD", COL_COUNT, 6, COL_HIDDEN,
	    "blocks read from files or the system's cache" },
	[C_HIT] = { "blks_hit", "BLK.HIT", COL_COUNT, 7, COL_HIDDEN,
	    "blocks found in shared buffers" },
	[C_BLOCKS_PER_S] = { "blocks_per_s", "BLK/S", COL_RATE, 6, COL_HIDDEN,
	    "blocks asked for per second of the interval, hits included" },
	[C_LAST_SCAN] = { "last_idx_scan", "LAST.SCAN", COL_TIME, 9, COL_HIDDEN,
	    "last scan (16 and newer)" },
	[C_IDLE_S] = { "idle_s", "IDLE", COL_SECONDS, 7, COL_HIDDEN,
	    "time since the last scan (16 and newer)" },
};

static const enum probe_id probes[] = { PROBE_INDEXES, PROBE_PROGRESS };

/* Bits of `flags` in src/pg/indexes.sql. */
enum {
	F_UNIQUE = 1,
	F_PRIMARY = 2,
	F_INVALID = 4,
	F_NOT_READY = 8,
	F_EXCLUSION = 16,
	F_PARTIAL = 32,
	F_EXPRESSION = 64,
	F_REPLIDENT = 128,
	F_DROPPING = 256,
};

#define SQL_LIST(X)   \
	X(indexrelid) \
	X(relid)      \
	X(schema)     \
	X(table)      \
	X(index)      \
	X(method)     \
	X(kind)       \
	X(size_bytes) \
	X(reltuples) X(flags) X(scans) X(tup_read) X(tup_fetch) X(fetched) X(hit) X(last_scan)

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

struct filling {
	struct grid *grid;
	struct counters k;
	int col[S_COUNT];
	const struct rowset *progress;
	double size_bytes, unused_bytes;
	int ninvalid, nunused;
	const struct cell *invalid; /* name of one of them */
};

static const struct cell *
at(const struct filling *f, int row, int sql)
{
	return rowset_cell(f->k.cur, row, f->col[sql]);
}

/* Is an index of this table being built right now? Then being invalid is no fault. */
static bool
is_building(const struct rowset *progress, int64_t relid)
{
	static const char word[] = "INDEX"; /* created or rebuilt, concurrently or not */

	for (int i = 0; progress && i < progress->nrows; i++) {
		const struct cell *command = rowset_get(progress, i, "command");
		if (command->type == CELL_TEXT &&
		    cell_i64(rowset_get(progress, i, "relid"), 0) == relid &&
		    memmem(command->s, command->len, word, sizeof(word) - 1))
			return true;
	}
	return false;
}

static const char *
state_of(struct filling *f, int row, int64_t flags, int64_t scans, uint8_t *role)
{
	const struct cell *size = at(f, row, S_size_bytes);

	if (flags & F_DROPPING)
		return "dropping";
	if (flags & (F_INVALID | F_NOT_READY)) {
		if (is_building(f->progress, cell_i64(at(f, row, S_relid), 0))) {
			*role = ROLE_INFO;
			return "building";
		}
		*role = ROLE_CRIT;
		f->ninvalid++;
		f->invalid = at(f, row, S_index);
		return "invalid";
	}
	if (flags & F_PRIMARY)
		return "primary";
	if (flags & (F_UNIQUE | F_EXCLUSION))
		return flags & F_UNIQUE ? "unique" : "exclusion";
	/* a partitioned index has no scans of its own: they are counted at its partitions */
	if (scans == 0 && !(flags & F_REPLIDENT) && !cell_is(at(f, row, S_kind), "I")) {
		f->nunused++;
		f->unused_bytes += cell_num(size, 0);
		return "unused";
	}
	return "plain";
}

static void
fill_flags(struct cell *c, int64_t flags)
{
	c[C_UNIQUE] = cell_bool(flags & F_UNIQUE);
	c[C_PRIMARY] = cell_bool(flags & F_PRIMARY);
	c[C_VALID] = cell_bool(!(flags & F_INVALID));
	c[C_READY] = cell_bool(!(flags & F_NOT_READY));
	c[C_EXCLUSION] = cell_bool(flags & F_EXCLUSION);
	c[C_PARTIAL] = cell_bool(flags & F_PARTIAL);
	c[C_EXPRESSION] = cell_bool(flags & F_EXPRESSION);
	c[C_REPLIDENT] = cell_bool(flags & F_REPLIDENT);
}

static void
fill_row(struct filling *f, int row)
{
	struct grid_row *r = grid_add(f->grid);
	struct cell *c = r->cells, fetched;
	int64_t flags = cell_i64(at(f, row, S_flags), 0);
	const struct cell *rows = at(f, row, S_reltuples), *method = at(f, row, S_method);

	c[C_INDEXRELID] = *at(f, row, S_indexrelid);
	c[C_RELID] = *at(f, row, S_relid);
	c[C_SCHEMA] = *at(f, row, S_schema);
	c[C_TABLE] = *at(f, row, S_table);
	c[C_INDEX] = *at(f, row, S_index);
	c[C_METHOD] = cell_is_null(method) ? cell_text("btree") : *method;
	c[C_KIND] = cell_text(cell_is(at(f, row, S_kind), "I") ? "partitioned" : "index");
	c[C_SIZE] = *at(f, row, S_size_bytes);
	c[C_ROWS] = cell_num(rows, -1) < 0 ? cell_null(WHY_NODATA) : cell_int((int64_t)rows->f);
	c[C_SCANS] = counters_value(&f->k, row, f->col[S_scans]);
	c[C_TUP_READ] = counters_value(&f->k, row, f->col[S_tup_read]);
	c[C_TUP_FETCH] = counters_value(&f->k, row, f->col[S_tup_fetch]);
	c[C_HIT] = counters_value(&f->k, row, f->col[S_hit]);
	fetched = counters_value(&f->k, row, f->col[S_fetched]);
	c[C_READ] = cell_int(fetched.i - c[C_HIT].i);
	c[C_HIT_PCT] = counters_pct(&c[C_HIT], &fetched);
	c[C_SCANS_PER_S] = counters_rate(&f->k, row, f->col[S_scans]);
	c[C_TUPLES_PER_S] = counters_rate(&f->k, row, f->col[S_tup_read]);
	c[C_BLOCKS_PER_S] = counters_rate(&f->k, row, f->col[S_fetched]);
	c[C_LAST_SCAN] = counters_time(&f->k, row, f->col[S_last_scan]);
	c[C_IDLE_S] = counters_age(&f->k, row, &f->col[S_last_scan], 1);
	fill_flags(c, flags);
	c[C_STATE] = cell_text(state_of(f, row, flags, c[C_SCANS].i, &r->role));
	f->size_bytes += cell_num(&c[C_SIZE], 0);
}

static void
indexes_fill(const struct pane_ctx *ctx, struct grid *grid)
{
	struct filling f = { .grid = grid };
	const struct rowset *rs = pane_rows(ctx, grid, PROBE_INDEXES);

	grid_fact(grid, "database", COL_TEXT, cell_text(ctx->snap->server.database));
	if (!rs || !counters_init(&f.k, &grid->arena, ctx->snap, PROBE_INDEXES, "indexrelid"))
		return;
	f.progress = snapshot_rows(ctx->snap, PROBE_PROGRESS);
	rowset_cols(rs, sql_names, S_COUNT, f.col);
	for (int i = 0; i < rs->nrows; i++)
		fill_row(&f, i);
	grid_fact(grid, "indexes", COL_COUNT, cell_int(rs->nrows));
	grid_fact(grid, "size_bytes", COL_BYTES, cell_float(f.size_bytes));
	grid_fact(grid, "invalid", COL_COUNT, cell_int(f.ninvalid));
	grid_fact(grid, "unused", COL_COUNT, cell_int(f.nunused));
	grid_fact(grid, "unused_bytes", COL_BYTES, cell_float(f.unused_bytes));
	counters_notes(&f.k, grid, "indexes");
	if (f.ninvalid > 0)
		grid_notef(grid, "info", "REINDEX INDEX CONCURRENTLY or DROP INDEX CONCURRENTLY",
		    "%d invalid %s, writes pay for them and no query uses them: %.*s%s", f.ninvalid,
		    f.ninvalid == 1 ? "index" : "indexes", (int)f.invalid->len, f.invalid->s,
		    f.ninvalid > 1 ? " and others" : "");
}

static int
indexes_look(const struct pane_ctx *ctx, const struct grid *grid, int row, struct arena *arena,
    const char **params)
{
	return relation_look(ctx, grid, row, C_INDEXRELID, arena, params);
}

static void
indexes_detail(const struct pane_ctx *ctx, const struct grid *grid, int row, struct doc *doc)
{
	const struct rowset *look = ctx->look;

	if (look && look->nrows > 0 &&
	    !cell_equal(rowset_get(look, 0, "indexrelid"), &grid->rows[row].cells[C_INDEXRELID]))
		look = NULL;
	relation_looked(look, doc);
	relation_columns(grid, row, doc);
}

const struct pane pane_indexes = {
	.name = "indexes",
	.title = "Indexes",
	.help =
	    "Indexes of the connected database: size, scans, entries read, hit ratio; invalid and unused ones. Counters since their reset.",
	.columns = columns,
	.ncolumns = C_COUNT,
	.probes = probes,
	.nprobes = ARRAY_LEN(probes),
	.is_steady = true,
	.sort = "size_bytes",
	.sort_descending = true,
	.needs_pair = true,
	.fill = indexes_fill,
	.detail = indexes_detail,
	.look = "look_index",
	.look_params = indexes_look,
};
