/*
 * Tables of the database that the console is connected to. Counters are those of the catalog since
 * their reset; the columns named per second are of the interval between two samples. Sizes are what
 * the last vacuum or analyze counted.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/hmap.h"
#include "panes/counters.h"
#include "panes/pane.h"
#include "panes/relation_detail.h"

enum {
	C_TABLE,
	C_SCHEMA,
	C_SIZE,
	C_LIVE,
	C_DEAD,
	C_DEAD_PCT,
	C_SEQ_PER_S,
	C_IDX_PER_S,
	C_WRITES_PER_S,
	C_HOT_PCT,
	C_HIT_PCT,
	C_VACUUM_AGE,
	C_ANALYZE_AGE,
	C_RELID,
	C_KIND,
	C_PERSISTENCE,
	C_PARENT,
	C_ROWS,
	C_TABLE_BYTES,
	C_TOAST_BYTES,
	C_INDEX_BYTES,
	C_INDEXES,
	C_SEQ_SCAN,
	C_SEQ_TUP_READ,
	C_IDX_SCAN,
	C_IDX_TUP_FETCH,
	C_INS,
	C_UPD,
	C_DEL,
	C_HOT_UPD,
	C_NEWPAGE_UPD,
	C_MOD_SINCE_ANALYZE,
	C_INS_SINCE_VACUUM,
	C_SEQ_ROWS_PER_S,
	C_IDX_ROWS_PER_S,
	C_INS_PER_S,
	C_UPD_PER_S,
	C_DEL_PER_S,
	C_READ_PER_S,
	C_HEAP_READ,
	C_HEAP_HIT,
	C_IDX_READ,
	C_IDX_HIT,
	C_LAST_VACUUM,
	C_LAST_AUTOVACUUM,
	C_LAST_ANALYZE,
	C_LAST_AUTOANALYZE,
	C_VACUUM_COUNT,
	C_AUTOVACUUM_COUNT,
	C_ANALYZE_COUNT,
	C_AUTOANALYZE_COUNT,
	C_LAST_SEQ_SCAN,
	C_COUNT
};

static const struct column columns[C_COUNT] = {
	[C_SCHEMA] = { "schema", "SCHEMA", COL_TEXT, 6, COL_KEY, "schema" },
	[C_TABLE] = { "table", "TABLE", COL_TEXT, 16, COL_KEY | COL_FIXED, "name of the table" },
	[C_SIZE] = { "size_bytes", "SIZE", COL_BYTES, 6, 0,
	    "table, TOAST and indexes as of the last vacuum or analyze; unknown before the first" },
	[C_LIVE] = { "live", "LIVE", COL_COUNT, 6, 0, "live rows (estimate of the statistics)" },
	[C_DEAD] = { "dead", "DEAD", COL_COUNT, 6, 0, "dead rows (estimate of the statistics)" },
	[C_DEAD_PCT] = { "dead_pct", "DEAD%", COL_PCT, 5, 0, "dead rows of all rows" },
	[C_SEQ_PER_S] = { "seq_scan_per_s", "SEQ/S", COL_RATE, 6, 0,
	    "sequential scans per second of the interval" },
	[C_IDX_PER_S] = { "idx_scan_per_s", "IDX/S", COL_RATE, 6, 0,
	    "index scans per second of the interval" },
	[C_WRITES_PER_S] = { "writes_per_s", "WRITE/S", COL_RATE, 7, 0,
	    "rows inserted, updated and deleted per second of the interval" },
	[C_HOT_PCT] = { "hot_pct", "HOT%", COL_PCT, 5, 0,
	    "updates that needed no index entry, of all updates" },
	[C_HIT_PCT] = { "hit_pct", "HIT%", COL_PCT, 5, 0,
	    "blocks of table and indexes found in shared buffers since the reset" },
	[C_VACUUM_AGE] = { "vacuum_age_s", "VACUUM", COL_SECONDS, 7, 0,
	    "time since the last vacuum, manual or automatic" },
	[C_ANALYZE_AGE] = { "analyze_age_s", "ANALYZE", COL_SECONDS, 7, COL_HIDDEN,
	    "time since the last analyze, manual or automatic" },
	[C_RELID] = { "relid", "OID", COL_INT, 7, COL_HIDDEN, "oid of the table" },
	[C_KIND] = { "kind", "KIND", COL_TEXT, 5, COL_HIDDEN,
	    "table, partitioned or materialized view" },
	[C_PERSISTENCE] = { "persistence", "PERSIST", COL_TEXT, 7, COL_HIDDEN,
	    "permanent, unlogged or temporary" },
	[C_PARENT] = { "parent", "PARENT", COL_TEXT, 0, COL_HIDDEN,
	    "partitioned table that it is a partition of" },
	[C_ROWS] = { "est_rows", "ROWS", COL_COUNT, 6, COL_HIDDEN,
	    "rows by the planner's estimate (reltuples); unknown before the first analyze" },
	[C_TABLE_BYTES] = { "table_bytes", "HEAP", COL_BYTES, 6, COL_HIDDEN, "the table itself" },
	[C_TOAST_BYTES] = { "toast_bytes", "TOAST", COL_BYTES, 6, COL_HIDDEN,
	    "TOAST table with its index" },
	[C_INDEX_BYTES] = { "index_bytes", "INDEX", COL_BYTES, 6, COL_HIDDEN, "all indexes" },
	[C_INDEXES] = { "indexes", "NIDX", COL_COUNT, 4, COL_HIDDEN, "number of indexes" },
	[C_SEQ_SCAN] = { "seq_scan", "SEQ", COL_COUNT, 6, COL_HIDDEN, "sequential scans" },
	[C_SEQ_TUP_READ] = { "seq_tup_read", "SEQ.ROW", COL_COUNT, 7, COL_HIDDEN,
	    "rows read by sequential scans" },
	[C_IDX_SCAN] = { "idx_scan", "IDX", COL_COUNT, 6, COL_HIDDEN,
	    "index scans; unknown without an index" },
	[C_IDX_TUP_FETCH] = { "idx_tup_fetch", "IDX.ROW", COL_COUNT, 7, COL_HIDDEN,
	    "rows fetched by index scans" },
	[C_INS] = { "ins", "INS", COL_COUNT, 6, COL_HIDDEN, "rows inserted" },
	[C_UPD] = { "upd", "UPD", COL_COUNT, 6, COL_HIDDEN, "rows updated" },
	[C_DEL] = { "del", "DEL", COL_COUNT, 6, COL_HIDDEN, "rows deleted" },
	[C_HOT_UPD] = { "hot_upd", "HOT", COL_COUNT, 6, COL_HIDDEN,
	    "updates without new index entries" },
	[C_NEWPAGE_UPD] = { "newpage_upd", "NEWPAGE", COL_COUNT, 7, COL_HIDDEN,
	    "updates that went to another page (16 and newer)" },
	[C_MOD_SINCE_ANALYZE] = { "mod_since_analyze", "MODS", COL_COUNT, 6, COL_HIDDEN,
	    "rows changed since the last analyze" },
	[C_INS_SINCE_VACUUM] = { "ins_since_vacuum", "INS.VAC", COL_COUNT, 7, COL_HIDDEN,
	    "rows inserted since the last vacuum" },
	[C_SEQ_ROWS_PER_S] = { "seq_rows_per_s", "SEQ.R/S", COL_RATE, 7, COL_HIDDEN,
	    "rows read by sequential scans per second of the interval" },
	[C_IDX_ROWS_PER_S] = { "idx_rows_per_s", "IDX.R/S", COL_RATE, 7, COL_HIDDEN,
	    "rows fetched by index scans per second of the interval" },
	[C_INS_PER_S] = { "ins_per_s", "INS/S", COL_RATE, 6, COL_HIDDEN,
	    "rows inserted per second of the interval" },
	[C_UPD_PER_S] = { "upd_per_s", "UPD/S", COL_RATE, 6, COL_HIDDEN,
	    "rows updated per second of the interval" },
	[C_DEL_PER_S] = { "del_per_s", "DEL/S", COL_RATE, 6, COL_HIDDEN,
	    "rows deleted per second of the interval" },
	[C_READ_PER_S] = { "blocks_per_s", "BLK/S", COL_RATE, 6, COL_HIDDEN,
	    "blocks of table and indexes asked for per second of the interval, hits included" },
	[C_HEAP_READ] = { "heap_read", "H.READ", COL_COUNT, 6, COL_HIDDEN,
	    "blocks of the table read from files or the system's cache" },
	[C_HEAP_HIT] = { "heap_hit", "H.HIT", COL_COUNT, 6, COL_HIDDEN,
	    "blocks of the table found in shared buffers" },
	[C_IDX_READ] = { "idx_read", "I.READ", COL_COUNT, 6, COL_HIDDEN,
	    "blocks of its indexes read" },
	[C_IDX_HIT] = { "idx_hit", "I.HIT", COL_COUNT, 6, COL_HIDDEN,
	    "blocks of its indexes found in shared buffers" },
	[C_LAST_VACUUM] = { "last_vacuum", "VAC", COL_TIME, 9, COL_HIDDEN, "last manual vacuum" },
	[C_LAST_AUTOVACUUM] = { "last_autovacuum", "AUTOVAC", COL_TIME, 9, COL_HIDDEN,
	    "last autovacuum" },
	[C_LAST_ANALYZE] = { "last_analyze", "ANA", COL_TIME, 9, COL_HIDDEN,
	    "last manual analyze" },
	[C_LAST_AUTOANALYZE] = { "last_autoanalyze", "AUTOANA", COL_TIME, 9, COL_HIDDEN,
	    "last autoanalyze" },
	[C_VACUUM_COUNT] = { "vacuum_count", "NVAC", COL_COUNT, 5, COL_HIDDEN, "manual vacuums" },
	[C_AUTOVACUUM_COUNT] = { "autovacuum_count", "NAVAC", COL_COUNT, 5, COL_HIDDEN,
	    "autovacuums" },
	[C_ANALYZE_COUNT] = { "analyze_count", "NANA", COL_COUNT, 5, COL_HIDDEN,
	    "manual analyzes" },
	[C_AUTOANALYZE_COUNT] = { "autoanalyze_count", "NAANA", COL_COUNT, 5, COL_HIDDEN,
	    "autoanalyzes" },
	[C_LAST_SEQ_SCAN] = { "last_seq_scan", "LAST.SEQ", COL_TIME, 9, COL_HIDDEN,
	    "last sequential scan (16 and newer)" },
};

static const enum probe_id probes[] = { PROBE_TABLES };

/* Columns of src/pg/tables.sql that are looked at. */
/* clang-format off */
#define SQL_LIST(X) \
	X(relid) X(schema) X(table) X(kind) X(persistence) X(parent) X(reltuples) \
	X(size_bytes) X(table_bytes) X(toast_bytes) X(indexes) X(seq_scan) \
	X(seq_tup_read) X(idx_scan) X(idx_tup_fetch) X(ins) X(upd) X(del) X(hot_upd) \
	X(newpage_upd) X(live) X(dead) X(mod_since_analyze) X(ins_since_vacuum) \
	X(last_vacuum) X(last_autovacuum) X(last_analyze) X(last_autoanalyze) \
	X(vacuum_count) X(autovacuum_count) X(analyze_count) X(autoanalyze_count) \
	X(heap_fetched) X(heap_hit) X(idx_fetched) X(idx_hit) X(last_seq_scan)
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

struct filling {
	struct grid *grid;
	struct counters k;
	int col[S_COUNT];
	struct hmap rows;  /* relid to row of the sample, for the names of parents */
	double size_bytes; /* of all tables whose size is known */
	int nunknown;      /* tables without a size */
};

static const struct {
	uint8_t column, sql;
} values[] = {
	{ C_LIVE, S_live }, { C_DEAD, S_dead }, { C_INDEXES, S_indexes }, { C_SEQ_SCAN, S_seq_scan },
	{ C_SEQ_TUP_READ, S_seq_tup_read }, { C_IDX_SCAN, S_idx_scan }, { C_IDX_TUP_FETCH, S_idx_tup_fetch },
	{ C_INS, S_ins }, { C_UPD, S_upd }, { C_DEL, S_del }, { C_HOT_UPD, S_hot_upd },
	{ C_NEWPAGE_UPD, S_newpage_upd }, { C_MOD_SINCE_ANALYZE, S_mod_since_analyze },
	{ C_INS_SINCE_VACUUM, S_ins_since_vacuum }, { C_VACUUM_COUNT, S_vacuum_count },
	{ C_AUTOVACUUM_COUNT, S_autovacuum_count }, { C_ANALYZE_COUNT, S_analyze_count },
	{ C_AUTOANALYZE_COUNT, S_autoanalyze_count }, { C_HEAP_HIT, S_heap_hit }, { C_IDX_HIT, S_idx_hit },
}, rates[] = {
	{ C_SEQ_PER_S, S_seq_scan }, { C_IDX_PER_S, S_idx_scan }, { C_SEQ_ROWS_PER_S, S_seq_tup_read },
	{ C_IDX_ROWS_PER_S, S_idx_tup_fetch }, { C_INS_PER_S, S_ins }, { C_UPD_PER_S, S_upd }, { C_DEL_PER_S, S_del },
}, times[] = {
	{ C_LAST_VACUUM, S_last_vacuum }, { C_LAST_AUTOVACUUM, S_last_autovacuum }, { C_LAST_ANALYZE, S_last_analyze },
	{ C_LAST_AUTOANALYZE, S_last_autoanalyze }, { C_LAST_SEQ_SCAN, S_last_seq_scan },
};

static const struct cell *
at(const struct filling *f, int row, int sql)
{
	return rowset_cell(f->k.cur, row, f->col[sql]);
}

static struct cell
kind_of(const struct cell *kind)
{
	if (cell_is(kind, "p"))
		return cell_text("partitioned");
	return cell_text(cell_is(kind, "m") ? "materialized view" : "table");
}

static struct cell
persistence_of(const struct cell *p)
{
	if (cell_is(p, "u"))
		return cell_text("unlogged");
	return cell_text(cell_is(p, "t") ? "temporary" : "permanent");
}

static struct cell
parent_of(struct filling *f, int row)
{
	const struct cell *parent = at(f, row, S_parent), *schema, *table;
	uint64_t found;

	if (cell_is_null(parent) || !hmap_get(&f->rows, (uint64_t)parent->i, &found))
		return cell_null(WHY_NONE);
	schema = at(f, (int)found, S_schema);
	table = at(f, (int)found, S_table);
	return cell_text(arena_printf(
	    &f->grid->arena, "%.*s.%.*s", (int)schema->len, schema->s, (int)table->len, table->s));
}

static void
fill_sizes(struct filling *f, int row, struct cell *c)
{
	const struct cell *rows = at(f, row, S_reltuples);

	c[C_SIZE] = *at(f, row, S_size_bytes);
	c[C_TABLE_BYTES] = *at(f, row, S_table_bytes);
	c[C_ROWS] = cell_num(rows, -1) < 0 ? cell_null(WHY_NODATA) : cell_int((int64_t)rows->f);
	if (cell_is(at(f, row, S_kind), "p"))
		return;
	if (cell_is_null(&c[C_SIZE])) {
		for (int i = 0; i < 2; i++)
			c[i ? C_TABLE_BYTES : C_SIZE] = cell_null(WHY_NODATA);
		c[C_TOAST_BYTES] = c[C_INDEX_BYTES] = cell_null(WHY_NODATA);
		f->nunknown++;
		return;
	}
	c[C_TOAST_BYTES] = counters_value(&f->k, row, f->col[S_toast_bytes]);
	c[C_INDEX_BYTES] = cell_int(c[C_SIZE].i - c[C_TABLE_BYTES].i - c[C_TOAST_BYTES].i);
	f->size_bytes += (double)c[C_SIZE].i;
}

static void
fill_ratios(struct filling *f, int row, struct cell *c)
{
	const int vacuums[] = { f->col[S_last_vacuum], f->col[S_last_autovacuum] };
	const int analyzes[] = { f->col[S_last_analyze], f->col[S_last_autoanalyze] };
	const int writes[] = { f->col[S_ins], f->col[S_upd], f->col[S_del] };
	const int blocks[] = { f->col[S_heap_fetched], f->col[S_idx_fetched] };
	struct cell heap = counters_value(&f->k, row, f->col[S_heap_fetched]);
	struct cell idx = counters_value(&f->k, row, f->col[S_idx_fetched]);
	struct cell hit = cell_int(c[C_HEAP_HIT].i + c[C_IDX_HIT].i),
	            all = cell_int(heap.i + idx.i);
	struct cell rows = cell_int(c[C_LIVE].i + c[C_DEAD].i);

	c[C_HEAP_READ] = cell_int(heap.i - c[C_HEAP_HIT].i);
	c[C_IDX_READ] = cell_int(idx.i - c[C_IDX_HIT].i);
	c[C_HIT_PCT] = counters_pct(&hit, &all);
	c[C_HOT_PCT] = counters_pct(&c[C_HOT_UPD], &c[C_UPD]);
	c[C_DEAD_PCT] = counters_pct(&c[C_DEAD], &rows);
	c[C_WRITES_PER_S] = counters_rate_sum(&f->k, row, writes, 3);
	c[C_READ_PER_S] = counters_rate_sum(&f->k, row, blocks, 2);
	c[C_VACUUM_AGE] = counters_age(&f->k, row, vacuums, 2);
	c[C_ANALYZE_AGE] = counters_age(&f->k, row, analyzes, 2);
	/* autovacuum's own default begins at 20 % and 50 rows */
	if (cell_num(&c[C_DEAD_PCT], 0) > 20 && c[C_DEAD].i > 1000)
		c[C_DEAD].role = c[C_DEAD_PCT].role = ROLE_WARN;
}

static void
fill_row(struct filling *f, int row)
{
	struct cell *c = grid_add(f->grid)->cells;

	c[C_RELID] = *at(f, row, S_relid);
	c[C_SCHEMA] = *at(f, row, S_schema);
	c[C_TABLE] = *at(f, row, S_table);
	c[C_KIND] = kind_of(at(f, row, S_kind));
	c[C_PERSISTENCE] = persistence_of(at(f, row, S_persistence));
	c[C_PARENT] = parent_of(f, row);
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		c[values[i].column] = counters_value(&f->k, row, f->col[values[i].sql]);
	for (size_t i = 0; i < ARRAY_LEN(rates); i++)
		c[rates[i].column] = counters_rate(&f->k, row, f->col[rates[i].sql]);
	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		c[times[i].column] = counters_time(&f->k, row, f->col[times[i].sql]);
	fill_ratios(f, row, c);
	fill_sizes(f, row, c);
	if (c[C_INDEXES].i == 0) /* as the catalog's views have it: no index, no scans to count */
		c[C_IDX_SCAN] = c[C_IDX_TUP_FETCH] = c[C_IDX_PER_S] = c[C_IDX_ROWS_PER_S] =
		    cell_null(WHY_NONE);
}

static void
tables_fill(const struct pane_ctx *ctx, struct grid *grid)
{
	struct filling f = { .grid = grid };
	const struct rowset *rs = pane_rows(ctx, grid, PROBE_TABLES);

	grid_fact(grid, "database", COL_TEXT, cell_text(ctx->snap->server.database));
	if (!rs || !counters_init(&f.k, &grid->arena, ctx->snap, PROBE_TABLES, "relid"))
		return;
	rowset_cols(rs, sql_names, S_COUNT, f.col);
	for (int i = 0; i < rs->nrows; i++)
		if (cell_is(at(&f, i, S_kind), "p"))
			hmap_put(&f.rows, (uint64_t)cell_i64(at(&f, i, S_relid), 0), (uint64_t)i);
	for (int i = 0; i < rs->nrows; i++)
		fill_row(&f, i);
	hmap_release(&f.rows);
	grid_fact(grid, "tables", COL_COUNT, cell_int(rs->nrows));
	grid_fact(grid, "size_bytes", COL_BYTES, cell_float(f.size_bytes));
	counters_notes(&f.k, grid, "tables");
	if (f.nunknown > 0)
		grid_notef(grid, "info", "ANALYZE",
		    "%d tables have no size yet: it is counted by vacuum and analyze", f.nunknown);
}

static int
tables_look(const struct pane_ctx *ctx, const struct grid *grid, int row, struct arena *arena,
    const char **params)
{
	return relation_look(ctx, grid, row, C_RELID, arena, params);
}

static void
tables_detail(const struct pane_ctx *ctx, const struct grid *grid, int row, struct doc *doc)
{
	const struct rowset *look = ctx->look;

	if (look && look->nrows > 0 &&
	    !cell_equal(rowset_get(look, 0, "relid"), &grid->rows[row].cells[C_RELID]))
		look = NULL;
	relation_looked(look, doc);
	relation_columns(grid, row, doc);
}

const struct pane pane_tables = {
	.name = "tables",
	.title = "Tables",
	.help =
	    "Tables of the connected database: size, rows, scans, writes, dead rows, vacuum. Counters since their reset; per second: of the interval.",
	.columns = columns,
	.ncolumns = C_COUNT,
	.probes = probes,
	.nprobes = ARRAY_LEN(probes),
	.is_steady = true,
	.sort = "size_bytes",
	.sort_descending = true,
	.needs_pair = true,
	.fill = tables_fill,
	.detail = tables_detail,
	.look = "look_table",
	.look_params = tables_look,
};
