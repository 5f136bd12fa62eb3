/* The tables and indexes panes: counters, rates, sizes, resets, old servers, invalid indexes. */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "samples.h"

extern const struct pane pane_tables, pane_indexes;

#define NEAR(a, b) assert_true(fabs((a) - (b)) < 1e-6)
#define HOUR       (INT64_C(3600) * 1000000)

static double
num(const struct grid *g, int row, const char *column)
{
	return cell_num(samples_cell(g, row, column), NAN);
}

static int
why(const struct grid *g, int row, const char *column)
{
	const struct cell *c = samples_cell(g, row, column);

	return cell_is_null(c) ? (int)c->why : -1;
}

static struct snapshot *
new_snapshot(void)
{
	struct snapshot *snap = snapshot_new();

	snap->server.block_size = 8192;
	snap->server.version_num = 150000;
	snprintf(snap->server.database, sizeof(snap->server.database), "shop");
	return snap;
}

static void
orders(struct rowset *rs, int64_t seq, int64_t idx, int64_t ins)
{
	samples_add(rs, "relid", I(100), "schema", "public", "table", "orders", "kind", "r",
	    "reltuples", 1000.0, "size_bytes", I(81920), "table_bytes", I(40960), "toast_bytes",
	    I(8192), "indexes", I(2), "seq_scan", seq, "seq_tup_read", seq * 1000, "idx_scan", idx,
	    "idx_tup_fetch", idx * 2, "ins", ins, "upd", I(40), "del", I(10), "hot_upd", I(30),
	    "newpage_upd", I(-1), "live", I(3000), "dead", I(1500), "heap_fetched", I(100),
	    "heap_hit", I(80), "idx_fetched", I(100), "idx_hit", I(90), "last_autovacuum", HOUR * 1,
	    "last_vacuum", HOUR / 2, "autovacuum_count", I(3), "last_seq_scan", I(0), NULL);
}

static void
counters(void **state)
{
	struct snapshot *snap = new_snapshot();
	struct rowset *a = samples_rows("tables"), *b = samples_rows("tables");
	struct grid g;

	(void)state;
	orders(a, 10, 100, 500);
	orders(b, 15, 300, 600);
	samples_add(b, "relid", I(101), "schema", "public", "table", "fresh", "kind", "r",
	    "reltuples", -1.0, "seq_scan", I(4), NULL);
	samples_ok(snap, PROBE_TABLES, a, 7190);
	samples_ok(snap, PROBE_TABLES, b, 7200);
	samples_fill(&pane_tables, snap, false, NULL, &g);
	assert_int_equal(g.nrows, 2);
	assert_true(cell_is(&grid_fact_get(&g, "database")->value, "shop"));
	NEAR(grid_fact_get(&g, "interval_s")->value.f, 10);
	/* as the catalog has them */
	assert_int_equal(samples_cell(&g, 0, "seq_scan")->i, 15);
	assert_int_equal(samples_cell(&g, 0, "seq_tup_read")->i, 15000);
	assert_int_equal(samples_cell(&g, 0, "idx_scan")->i, 300);
	assert_int_equal(samples_cell(&g, 0, "ins")->i, 600);
	assert_int_equal(samples_cell(&g, 0, "vacuum_count")->i, 0);
	assert_int_equal(samples_cell(&g, 0, "autovacuum_count")->i, 3);
	assert_int_equal(samples_cell(&g, 0, "size_bytes")->i, 81920);
	assert_int_equal(samples_cell(&g, 0, "index_bytes")->i, 81920 - 40960 - 8192);
	assert_int_equal(samples_cell(&g, 0, "heap_read")->i, 20);
	/* derived */
	NEAR(num(&g, 0, "seq_scan_per_s"), 0.5);
	NEAR(num(&g, 0, "idx_scan_per_s"), 20);
	NEAR(num(&g, 0, "writes_per_s"), 10);
	NEAR(num(&g, 0, "hit_pct"), 85);
	NEAR(num(&g, 0, "hot_pct"), 75);
	NEAR(num(&g, 0, "dead_pct"), 100 / 3.0);
	assert_int_equal(samples_cell(&g, 0, "dead_pct")->role, ROLE_WARN);
	NEAR(num(&g, 0, "vacuum_age_s"), 3600);
	assert_int_equal(why(&g, 0, "analyze_age_s"), WHY_NONE);
	assert_int_equal(why(&g, 0, "newpage_upd"), WHY_UNSUPPORTED);
	assert_int_equal(why(&g, 0, "last_seq_scan"), WHY_UNSUPPORTED);
	/* made in the interval: all it counted belongs to it; no size, no index */
	NEAR(num(&g, 1, "seq_scan_per_s"), 0.4);
	assert_int_equal(why(&g, 1, "size_bytes"), WHY_NODATA);
	assert_int_equal(why(&g, 1, "est_rows"), WHY_NODATA);
	assert_int_equal(why(&g, 1, "idx_scan"), WHY_NONE);
	assert_int_equal(why(&g, 1, "hit_pct"), WHY_NONE);
	assert_non_null(samples_note(&g, "info", "1 tables have no size"));
	grid_release(&g);
	snapshot_unref(snap);
}

static void
without_a_pair(void **state)
{
	struct snapshot *snap = new_snapshot();
	struct rowset *a = samples_rows("tables");
	struct grid g;

	(void)state;
	samples_fill(&pane_tables, snap, false, NULL, &g); /* nothing was read yet */
	assert_int_equal(g.nrows, 0);
	assert_true(g.nnotes > 0);
	grid_release(&g);
	orders(a, 10, 100, 500);
	samples_ok(snap, PROBE_TABLES, a, 7190);
	samples_fill(&pane_tables, snap, false, NULL, &g);
	assert_int_equal(why(&g, 0, "seq_scan_per_s"), WHY_NODATA);
	assert_int_equal(samples_cell(&g, 0, "seq_scan")->i, 10);
	assert_non_null(samples_note(&g, "no_data", "no rates yet"));
	grid_release(&g);
	/* zero interval */
	a = samples_rows("tables");
	orders(a, 20, 100, 500);
	samples_ok(snap, PROBE_TABLES, a, 7190);
	samples_fill(&pane_tables, snap, false, NULL, &g);
	assert_int_equal(why(&g, 0, "seq_scan_per_s"), WHY_NODATA);
	grid_release(&g);
	snapshot_unref(snap);
}

static void
reset(void **state)
{
	struct snapshot *snap = new_snapshot();
	struct rowset *a = samples_rows("tables"), *b = samples_rows("tables");
	struct grid g;

	(void)state;
	orders(a, 10, 100, 500);
	orders(b, 1, 3, 2);
	samples_ok(snap, PROBE_TABLES, a, 100);
	samples_ok(snap, PROBE_TABLES, b, 110);
	samples_fill(&pane_tables, snap, false, NULL, &g);
	assert_int_equal(why(&g, 0, "seq_scan_per_s"), WHY_NODATA);
	assert_int_equal(why(&g, 0, "writes_per_s"), WHY_NODATA);
	assert_int_equal(samples_cell(&g, 0, "seq_scan")->i, 1);
	assert_non_null(samples_note(&g, "reset", "went down"));
	grid_release(&g);
	snapshot_unref(snap);
}

static void
partitions(void **state)
{
	struct snapshot *snap = new_snapshot();
	struct rowset *a = samples_rows("tables");
	struct grid g;

	(void)state;
	samples_add(a, "relid", I(7), "schema", "public", "table", "event_1", "kind", "r",
	    "persistence", "u", "parent", I(8), "reltuples", 0.0, "size_bytes", I(8192),
	    "table_bytes", I(8192), NULL);
	samples_add(a, "relid", I(8), "schema", "log", "table", "event", "kind", "p", "reltuples",
	    -1.0, NULL);
	samples_ok(snap, PROBE_TABLES, a, 100);
	samples_fill(&pane_tables, snap, false, NULL, &g);
	assert_true(cell_is(samples_cell(&g, 0, "parent"), "log.event"));
	assert_true(cell_is(samples_cell(&g, 0, "persistence"), "unlogged"));
	assert_true(cell_is(samples_cell(&g, 1, "kind"), "partitioned"));
	assert_int_equal(why(&g, 1, "size_bytes"), WHY_NONE); /* has no storage */
	assert_null(samples_note(&g, "info", "no size"));
	NEAR(grid_fact_get(&g, "size_bytes")->value.f, 8192);
	grid_release(&g);
	snapshot_unref(snap);
}

static void
failed(void **state)
{
	struct snapshot *snap = new_snapshot();
	struct rowset *a = samples_rows("tables");
	struct grid g;

	(void)state;
	orders(a, 10, 100, 500);
	samples_ok(snap, PROBE_TABLES, a, 100);
	samples_bad(
	    snap, PROBE_TABLES, SAMPLE_TIMEOUT, "canceling statement due to statement timeout", "");
	samples_fill(&pane_tables, snap, false, NULL, &g);
	assert_int_equal(g.nrows, 1); /* the last good answer, with a note */
	assert_non_null(samples_note(&g, "stale", "timeout"));
	grid_release(&g);
	samples_bad(snap, PROBE_INDEXES, SAMPLE_DENIED, "permission denied", "GRANT pg_monitor");
	samples_fill(&pane_indexes, snap, false, NULL, &g);
	assert_int_equal(g.nrows, 0);
	assert_non_null(samples_note(&g, "denied", "permission denied"));
	grid_release(&g);
	snapshot_unref(snap);
}

static void
an_index(struct rowset *rs, int64_t oid, const char *name, int64_t flags, int64_t scans)
{
	samples_add(rs, "indexrelid", oid, "relid", I(100), "schema", "public", "table", "orders",
	    "index", name, "size_bytes", I(16384), "reltuples", 1000.0, "flags", flags, "scans",
	    scans, "tup_read", scans * 5, "fetched", I(50), "hit", I(40), "last_scan", I(0), NULL);
}

static void
indexes(void **state)
{
	struct snapshot *snap = new_snapshot();
	struct rowset *p;
	struct grid g;

	(void)state;
	for (int k = 0; k < 2; k++) {
		struct rowset *rs = samples_rows("indexes");
		an_index(rs, 1, "orders_pkey", 3, 100 + 50 * k);
		an_index(rs, 2, "orders_bad", 4, 0);
		an_index(rs, 3, "orders_idle", 32, 0);
		an_index(rs, 4, "orders_uniq", 1, 0);
		an_index(rs, 5, "orders_used", 64, 7);
		samples_ok(snap, PROBE_INDEXES, rs, 100 + 10 * k);
	}
	samples_fill(&pane_indexes, snap, false, NULL, &g);
	assert_true(cell_is(samples_cell(&g, 0, "state"), "primary"));
	assert_int_equal(samples_cell(&g, 0, "scans")->i, 150);
	NEAR(num(&g, 0, "scans_per_s"), 5);
	NEAR(num(&g, 0, "tup_read_per_s"), 25);
	NEAR(num(&g, 0, "hit_pct"), 80);
	assert_true(cell_is(samples_cell(&g, 0, "method"), "btree"));
	assert_true(samples_cell(&g, 0, "is_unique")->i && samples_cell(&g, 0, "is_primary")->i);
	assert_true(cell_is(samples_cell(&g, 1, "state"), "invalid"));
	assert_false(samples_cell(&g, 1, "is_valid")->i);
	assert_true(samples_cell(&g, 1, "is_ready")->i);
	assert_int_equal(g.rows[1].role, ROLE_CRIT);
	assert_non_null(strstr(samples_note(&g, "info", "1 invalid index")->what, "orders_bad"));
	assert_true(cell_is(samples_cell(&g, 2, "state"), "unused"));
	assert_true(samples_cell(&g, 2, "is_partial")->i);
	assert_true(cell_is(samples_cell(&g, 3, "state"), "unique")); /* a constraint is a use */
	assert_true(cell_is(samples_cell(&g, 4, "state"), "plain"));
	assert_int_equal(why(&g, 4, "last_idx_scan"), WHY_UNSUPPORTED);
	assert_int_equal(grid_fact_get(&g, "unused")->value.i, 1);
	NEAR(grid_fact_get(&g, "unused_bytes")->value.f, 16384);
	grid_release(&g);
	/* while it is built, an invalid index is no fault */
	p = samples_rows("progress");
	samples_add(p, "command", "CREATE INDEX CONCURRENTLY", "pid", I(1), "relid", I(100), NULL);
	samples_ok(snap, PROBE_PROGRESS, p, 110);
	samples_fill(&pane_indexes, snap, false, NULL, &g);
	assert_true(cell_is(samples_cell(&g, 1, "state"), "building"));
	assert_null(samples_note(&g, "info", "invalid"));
	grid_release(&g);
	snapshot_unref(snap);
}

static void
many(void **state)
{
	enum { N = 10000 };
	struct snapshot *snap = new_snapshot();
	struct timespec t0, t1;
	double ms, best = 1e9;
	struct grid g;

	(void)state;
	for (int k = 0; k < 2; k++) {
		struct rowset *rs = samples_rows("tables");
		for (int i = 0; i < N; i++) {
			char name[32];
			snprintf(name, sizeof(name), "t%d", i);
			samples_add(rs, "relid", I(1000 + i), "schema", "public", "table", name,
			    "kind", "r", "reltuples", 1.0, "size_bytes", I(8192), "table_bytes",
			    I(8192), "seq_scan", I(i + 10 * k), NULL);
		}
		samples_ok(snap, PROBE_TABLES, rs, 100 + 10 * k);
	}
	for (int k = 0; k < 5; k++) {
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t0);
		samples_fill(&pane_tables, snap, false, NULL, &g);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t1);
		ms =
		    (double)(t1.tv_sec - t0.tv_sec) * 1e3 + (double)(t1.tv_nsec - t0.tv_nsec) / 1e6;
		best = fmin(best, ms);
		assert_int_equal(g.nrows, N);
		NEAR(num(&g, N - 1, "seq_scan_per_s"), 1);
		grid_release(&g);
	}
	print_message("fill of %d tables: %.2f ms\n", N, best);
	snapshot_unref(snap);
}

static void
definition(void **state)
{
	struct snapshot *snap = new_snapshot();
	struct rowset *rs = samples_rows("indexes"), *look = samples_rows("look_index");
	struct pane_ctx ctx = { .snap = snap };
	struct doc doc = { 0 };
	const char *params[4];
	bool found = false;
	struct grid g;

	(void)state;
	an_index(rs, 1, "orders_pkey", 3, 100);
	samples_ok(snap, PROBE_INDEXES, rs, 100);
	samples_fill(&pane_indexes, snap, false, NULL, &g);
	assert_int_equal(pane_indexes.look_params(&ctx, &g, 0, &doc.arena, params), 1);
	assert_string_equal(params[0], "1");
	samples_add(
	    look, "indexrelid", I(1), "definition", "CREATE UNIQUE INDEX orders_pkey", NULL);
	ctx.look = look;
	assert_int_equal(pane_indexes.look_params(&ctx, &g, 0, &doc.arena, params), -1);
	pane_indexes.detail(&ctx, &g, 0, &doc);
	for (int i = 0; i < doc.n; i++)
		found = found || strstr(doc.lines[i].text, "CREATE UNIQUE INDEX orders_pkey");
	assert_true(found);
	rowset_unref(look);
	doc_release(&doc);
	grid_release(&g);
	snapshot_unref(snap);
}

/* A sample as long as the query's LIMIT may lack rows: what it lacks need not be new. */
static void
cut(void **state)
{
	enum { N = 50000 };
	struct snapshot *snap = new_snapshot();
	struct grid g;

	(void)state;
	for (int k = 0; k < 2; k++) {
		struct rowset *rs = samples_rows("tables");
		for (int i = 0; i < N; i++)
			samples_add(
			    rs, "relid", I(1000 + i + k), "kind", "r", "seq_scan", I(7), NULL);
		samples_ok(snap, PROBE_TABLES, rs, 100 + 10 * k);
	}
	samples_fill(&pane_tables, snap, false, NULL, &g);
	NEAR(num(&g, 0, "seq_scan_per_s"), 0);
	assert_int_equal(why(&g, N - 1, "seq_scan_per_s"), WHY_NODATA);
	assert_non_null(samples_note(&g, "info", "there may be more tables"));
	grid_release(&g);
	snapshot_unref(snap);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters),
		cmocka_unit_test(without_a_pair),
		cmocka_unit_test(reset),
		cmocka_unit_test(partitions),
		cmocka_unit_test(failed),
		cmocka_unit_test(indexes),
		cmocka_unit_test(definition),
		cmocka_unit_test(many),
		cmocka_unit_test(cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
