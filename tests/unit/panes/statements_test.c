/* The statements pane: totals and interval, resets, evictions, privileges, old servers, texts. */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/doc.h"

#include "samples.h"

extern const struct pane pane_statements;

#define NEAR(a, b) assert_true(fabs((a) - (b)) < 1e-6)

static double
num(const struct grid *g, int row, const char *column)
{
	return cell_num(samples_cell(g, row, column), NAN);
}

static struct snapshot *
new_snapshot(void)
{
	struct snapshot *snap = snapshot_new();

	snap->server.block_size = 8192;
	snap->server.version_num = 150000;
	samples_names(snap);
	return snap;
}

static void
entry(struct rowset *rs, int64_t id, int64_t calls, double ms, int64_t rows, int64_t hit,
    int64_t read)
{
	samples_add(rs, "userid", I(10), "dbid", I(5), "queryid", id, "calls", calls, "rows", rows,
	    "total_ms", ms, "hit", hit, "read", read, "temp_written", I(2), "wal_bytes",
	    calls * 100, "read_ms", 1.5, "write_ms", 0.5, "min_ms", 0.1, "max_ms", 9.0, NULL);
}

static void
info(struct snapshot *snap, int64_t dealloc, int64_t reset_second, int64_t second)
{
	struct rowset *rs = samples_rows("statements_info");

	samples_add(rs, "dealloc", dealloc, "stats_reset", reset_second * 1000000, "max", I(5000),
	    "track", "top", "track_io_timing", "on", NULL);
	samples_ok(snap, PROBE_STATEMENTS_INFO, rs, second);
}

/* Two samples, 10 s apart. */
static struct snapshot *
two_samples(void)
{
	struct snapshot *snap = new_snapshot();
	struct rowset *a = samples_rows("statements"), *b = samples_rows("statements");

	entry(a, 1, 100, 1000, 100, 900, 100);
	entry(a, 2, 10, 500, 0, 10, 0);
	entry(a, 3, 50, 50, 50, 5, 5);
	entry(b, 4, 3, 75, 6, 1, 1); /* new */
	entry(b, 1, 120, 1200, 140, 930, 110);
	entry(b, 3, 2, 1, 2, 1, 0); /* evicted and back */
	entry(b, 2, 10, 500, 0, 10, 0);
	samples_ok(snap, PROBE_STATEMENTS, a, 100);
	samples_ok(snap, PROBE_STATEMENTS, b, 110);
	return snap;
}

static void
interval(void **state)
{
	struct snapshot *snap = two_samples();
	struct grid g;
	int r;

	(void)state;
	samples_fill(&pane_statements, snap, false, NULL, &g);
	assert_int_equal(g.nrows, 4);
	r = samples_find(&g, "query_id", NULL, 1);
	assert_int_equal(samples_cell(&g, r, "calls")->i, 20);
	NEAR(num(&g, r, "calls_per_s"), 2);
	NEAR(num(&g, r, "total_ms"), 200);
	NEAR(num(&g, r, "mean_ms"), 10);
	NEAR(num(&g, r, "rows_per_call"), 2);
	NEAR(num(&g, r, "hit_pct"), 75);
	NEAR(num(&g, r, "time_pct"), 100 * 200 / 276.0);
	assert_int_equal(samples_cell(&g, r, "wal_bytes")->i, 2000);
	assert_int_equal(samples_cell(&g, r, "temp_bytes")->i, 0);
	assert_true(cell_is(samples_cell(&g, r, "user"), "alice"));
	assert_true(cell_is(samples_cell(&g, r, "database"), "app"));
	r = samples_find(&g, "query_id", NULL, 4); /* all of it is new */
	assert_int_equal(samples_cell(&g, r, "calls")->i, 3);
	NEAR(num(&g, r, "total_ms"), 75);
	r = samples_find(&g, "query_id", NULL, 3); /* went down: what it counted since */
	assert_int_equal(samples_cell(&g, r, "calls")->i, 2);
	NEAR(num(&g, r, "total_ms"), 1);
	assert_non_null(samples_note(&g, "reset", "1 statements"));
	r = samples_find(&g, "query_id", NULL, 2); /* did nothing: no mean, no ratio, but 0 calls */
	assert_int_equal(samples_cell(&g, r, "calls")->i, 0);
	assert_int_equal(samples_cell(&g, r, "mean_ms")->type, CELL_NULL);
	NEAR(grid_fact_get(&g, "interval_s")->value.f, 10);
	assert_true(cell_is(&grid_fact_get(&g, "view")->value, "interval"));
	grid_release(&g);
	snapshot_unref(snap);
}

static void
totals(void **state)
{
	struct snapshot *snap = two_samples();
	struct grid g;
	int r;

	(void)state;
	samples_fill(&pane_statements, snap, true, NULL, &g);
	r = samples_find(&g, "query_id", NULL, 1);
	assert_int_equal(samples_cell(&g, r, "calls")->i, 120);
	NEAR(num(&g, r, "calls_per_s"), 2); /* always of the interval */
	NEAR(num(&g, r, "total_ms"), 1200);
	NEAR(num(&g, r, "mean_ms"), 10);
	assert_int_equal(samples_cell(&g, r, "rows")->i, 140);
	NEAR(num(&g, r, "hit_pct"), 100 * 930 / 1040.0);
	NEAR(num(&g, r, "time_pct"), 100 * 1200 / 1776.0);
	assert_int_equal(samples_cell(&g, r, "temp_bytes")->i, 2 * 8192);
	assert_int_equal(samples_cell(&g, r, "wal_bytes")->i, 12000);
	NEAR(num(&g, r, "io_ms"), 2);
	NEAR(num(&g, r, "max_ms"), 9);
	NEAR(num(&g, r, "stddev_ms"), 0); /* NULL travels for 0 */
	assert_int_equal(samples_cell(&g, r, "plans")->i, 0);
	assert_true(samples_cell(&g, r, "toplevel")->i);
	grid_release(&g);
	snapshot_unref(snap);
}

static void
one_sample(void **state)
{
	struct snapshot *snap = new_snapshot();
	struct rowset *a = samples_rows("statements");
	struct grid g;

	(void)state;
	entry(a, 1, 100, 1000, 100, 900, 100);
	samples_ok(snap, PROBE_STATEMENTS, a, 100);
	samples_fill(&pane_statements, snap, false, NULL, &g);
	assert_int_equal(samples_cell(&g, 0, "calls")->type, CELL_NULL);
	assert_int_equal(samples_cell(&g, 0, "calls")->why, WHY_NODATA);
	assert_int_equal(samples_cell(&g, 0, "calls_per_s")->why, WHY_NODATA);
	assert_non_null(samples_note(&g, "no_data", "no interval yet"));
	grid_release(&g);
	samples_fill(&pane_statements, snap, true, NULL, &g);
	assert_int_equal(samples_cell(&g, 0, "calls")->i, 100);
	grid_release(&g);
	/* the clock stood still or went back: no rate, no division by zero */
	a = samples_rows("statements");
	entry(a, 1, 200, 1000, 100, 900, 100);
	samples_ok(snap, PROBE_STATEMENTS, a, 100);
	samples_fill(&pane_statements, snap, false, NULL, &g);
	assert_int_equal(samples_cell(&g, 0, "calls_per_s")->why, WHY_NODATA);
	grid_release(&g);
	snapshot_unref(snap);
}

static void
reset_and_dealloc(void **state)
{
	struct snapshot *snap = new_snapshot();
	struct rowset *a = samples_rows("statements"), *b = samples_rows("statements");
	struct grid g;

	(void)state;
	entry(a, 1, 10, 10, 10, 10, 0);
	entry(b, 1, 15, 12, 15, 12, 0); /* more than before the reset: only stats_reset tells */
	samples_ok(snap, PROBE_STATEMENTS, a, 100);
	samples_ok(snap, PROBE_STATEMENTS, b, 110);
	info(snap, 7, 50, 100);
	info(snap, 9, 104, 110);
	samples_fill(&pane_statements, snap, false, NULL, &g);
	assert_int_equal(samples_cell(&g, 0, "calls")->i, 15);
	assert_non_null(samples_note(&g, "reset", "was reset"));
	assert_non_null(samples_note(&g, "info", "2 times"));
	assert_int_equal(grid_fact_get(&g, "deallocations")->value.i, 9);
	grid_release(&g);
	snapshot_unref(snap);
}

static void
born_again_by_time(void **state)
{
	struct snapshot *snap = new_snapshot();
	struct rowset *a = samples_rows("statements"), *b = samples_rows("statements");
	struct grid g;

	(void)state;
	samples_add(a, "userid", I(10), "dbid", I(5), "queryid", I(1), "calls", I(10), "total_ms",
	    5.0, "since", I(50) * 1000000, NULL);
	samples_add(b, "userid", I(10), "dbid", I(5), "queryid", I(1), "calls", I(12), "total_ms",
	    6.0, "since", I(105) * 1000000, NULL);
	samples_ok(snap, PROBE_STATEMENTS, a, 100);
	samples_ok(snap, PROBE_STATEMENTS, b, 110);
	samples_fill(&pane_statements, snap, false, NULL, &g);
	assert_int_equal(samples_cell(&g, 0, "calls")->i, 12);
	assert_int_equal(samples_cell(&g, 0, "since")->i, I(105) * 1000000);
	grid_release(&g);
	snapshot_unref(snap);
}

static void
hidden_from_the_role(void **state)
{
	struct snapshot *snap = new_snapshot();
	struct grid g;

	(void)state;
	for (int k = 0; k < 2; k++) {
		struct rowset *rs = samples_rows("statements");
		entry(rs, 1, 100 + k, 1000, 100, 900, 100);
		for (int i = 0; i < 2; i++)
			samples_add(rs, "userid", I(11), "dbid", I(5), "calls", I(5 + i),
			    "total_ms", 5.0, NULL);
		samples_ok(snap, PROBE_STATEMENTS, rs, 100 + k * 10);
	}
	samples_fill(&pane_statements, snap, false, NULL, &g);
	assert_int_equal(g.nrows, 3);
	assert_int_equal(samples_cell(&g, 1, "query_id")->why, WHY_DENIED);
	assert_int_equal(samples_cell(&g, 1, "query")->why, WHY_DENIED);
	assert_int_equal(samples_cell(&g, 1, "calls")->why, WHY_DENIED);
	assert_non_null(strstr(samples_note(&g, "denied", "2 statements")->hint, "GRANT"));
	grid_release(&g);
	samples_fill(&pane_statements, snap, true, NULL, &g);
	assert_int_equal(samples_cell(&g, 2, "calls")->i, 6); /* its counters are not hidden */
	grid_release(&g);
	snapshot_unref(snap);
}

static void
not_there(void **state)
{
	struct snapshot *snap = new_snapshot();
	struct grid g;

	(void)state;
	samples_fill(&pane_statements, snap, false, NULL, &g);
	assert_int_equal(g.nrows, 0);
	grid_release(&g);
	samples_bad(snap, PROBE_STATEMENTS, SAMPLE_UNSUPPORTED,
	    "pg_stat_statements is not installed in this database",
	    "CREATE EXTENSION pg_stat_statements");
	samples_fill(&pane_statements, snap, false, NULL, &g);
	assert_int_equal(g.nrows, 0);
	assert_non_null(
	    strstr(samples_note(&g, "unsupported", "not installed")->hint, "CREATE EXTENSION"));
	grid_release(&g);
	samples_bad(snap, PROBE_STATEMENTS, SAMPLE_FAILED,
	    "pg_stat_statements must be loaded via \"shared_preload_libraries\"", "");
	samples_fill(&pane_statements, snap, false, NULL, &g);
	assert_int_equal(g.nnotes, 1);
	assert_non_null(strstr(
	    samples_note(&g, "unsupported", "not loaded")->hint, "shared_preload_libraries"));
	grid_release(&g);
	snapshot_unref(snap);
}

/* An old extension: the query sends -1 for what it does not have; an older recording lacks the
 * columns. */
static void
old_extension(void **state)
{
	static const char *const names[] = { "userid", "dbid", "queryid", "calls", "total_ms",
		"rows", "hit", "read" };
	static const uint8_t types[] = { CELL_INT, CELL_INT, CELL_INT, CELL_INT, CELL_FLOAT,
		CELL_INT, CELL_INT, CELL_INT };
	struct snapshot *snap = new_snapshot();
	struct rowset *rs = samples_rows("statements");
	struct grid g;

	(void)state;
	samples_add(rs, "userid", I(10), "dbid", I(5), "queryid", I(1), "calls", I(10), "total_ms",
	    5.0, "jit_ms", -1.0, "jit_functions", I(-1), "wal_bytes", I(-1), "plans", I(-1),
	    "plan_ms", -1.0, "since", I(0), NULL);
	samples_ok(snap, PROBE_STATEMENTS, rs, 100);
	samples_fill(&pane_statements, snap, true, NULL, &g);
	assert_int_equal(samples_cell(&g, 0, "wal_bytes")->why, WHY_UNSUPPORTED);
	assert_int_equal(samples_cell(&g, 0, "plan_ms")->why, WHY_UNSUPPORTED);
	assert_int_equal(samples_cell(&g, 0, "jit_ms")->why, WHY_UNSUPPORTED);
	assert_int_equal(samples_cell(&g, 0, "since")->why, WHY_UNSUPPORTED);
	assert_int_equal(samples_cell(&g, 0, "rows")->i, 0);
	assert_non_null(samples_note(&g, "too_old", "older than this server"));
	grid_release(&g);
	for (int k = 0; k < 2; k++) {
		rs = rowset_new(8, names, types);
		samples_add(rs, "userid", I(10), "dbid", I(5), "queryid", I(1), "calls", I(10 + k),
		    "total_ms", 5.0, "rows", I(1), "hit", I(1), "read", I(1), NULL);
		samples_ok(snap, PROBE_STATEMENTS, rs, 200 + 10 * k);
	}
	samples_fill(&pane_statements, snap, false, NULL, &g);
	assert_int_equal(samples_cell(&g, 0, "calls")->i, 1);
	assert_int_equal(samples_cell(&g, 0, "wal_bytes")->why, WHY_UNSUPPORTED);
	assert_int_equal(samples_cell(&g, 0, "min_ms")->type, CELL_NULL);
	grid_release(&g);
	snapshot_unref(snap);
}

static void
add_text(struct snapshot *snap, int64_t id, const char *text, int64_t second)
{
	struct rowset *rs = samples_rows("statement_texts");

	samples_add(rs, "queryid", id, "userid", I(10), "dbid", I(5), "query", text, "len",
	    I(strlen(text)), NULL);
	snap->texts[snap->ntexts++] = samples_new(PROBE_STATEMENT_TEXTS, SAMPLE_OK, rs, second);
}

static void
texts(void **state)
{
	struct snapshot *snap = two_samples();
	void *cache = pane_statements.cache_new();
	struct grid g;

	(void)state;
	add_text(snap, 1, "select one", 101);
	samples_fill(&pane_statements, snap, false, cache, &g);
	assert_true(cell_is(
	    samples_cell(&g, samples_find(&g, "query_id", NULL, 1), "query"), "select one"));
	assert_int_equal(
	    samples_cell(&g, samples_find(&g, "query_id", NULL, 2), "query")->why, WHY_NODATA);
	grid_release(&g);
	add_text(snap, 2, "<insufficient privilege>", 102);
	add_text(snap, 4, "select four", 103);
	samples_fill(&pane_statements, snap, false, cache, &g);
	assert_true(cell_is(
	    samples_cell(&g, samples_find(&g, "query_id", NULL, 1), "query"), "select one"));
	assert_true(cell_is(
	    samples_cell(&g, samples_find(&g, "query_id", NULL, 4), "query"), "select four"));
	assert_int_equal(
	    samples_cell(&g, samples_find(&g, "query_id", NULL, 2), "query")->why, WHY_DENIED);
	grid_release(&g);
	/* other samples: what the cache knew of the old ones is gone, as in a replay that went back
	 */
	while (snap->ntexts > 0)
		sample_unref(snap->texts[--snap->ntexts]);
	add_text(snap, 3, "select three", 104);
	samples_fill(&pane_statements, snap, false, cache, &g);
	assert_int_equal(
	    samples_cell(&g, samples_find(&g, "query_id", NULL, 1), "query")->why, WHY_NODATA);
	assert_true(cell_is(
	    samples_cell(&g, samples_find(&g, "query_id", NULL, 3), "query"), "select three"));
	grid_release(&g);
	pane_statements.cache_free(cache);
	snapshot_unref(snap);
}

static bool
has_line(const struct doc *doc, const char *part)
{
	for (int i = 0; i < doc->n; i++)
		if (strstr(doc->lines[i].text, part))
			return true;
	return false;
}

static void
detail(void **state)
{
	struct snapshot *snap = two_samples();
	struct pane_opts opts = { .totals = false };
	struct pane_ctx ctx = { .snap = snap, .opts = &opts };
	struct load load = { .count = 2, .wait_class = WAIT_IO, .query_id = 1 };
	struct tick tick = { .at = { 110000000 }, .seconds = 1, .loads = &load, .nloads = 1 };
	struct rowset *look = samples_rows("look_statement");
	const char *params[4];
	struct doc doc = { 0 };
	struct grid g;

	(void)state;
	series_add(&snap->series, &tick);
	add_text(snap, 1, "select one\nfrom two", 101);
	samples_fill(&pane_statements, snap, false, NULL, &g);
	pane_statements.detail(&ctx, &g, samples_find(&g, "query_id", NULL, 1), &doc);
	assert_true(has_line(&doc, "select one"));
	assert_true(has_line(&doc, "from two"));
	assert_true(has_line(&doc, "alice"));
	assert_true(has_line(&doc, "IO 100%"));
	assert_true(has_line(&doc, " 2.00"));
	assert_true(has_line(&doc, "EXPLAIN"));
	doc_reset(&doc);
	pane_statements.detail(&ctx, &g, samples_find(&g, "query_id", NULL, 2), &doc);
	assert_true(has_line(&doc, "not fetched"));
	/* the whole text is asked for once, and only where it is missing */
	assert_int_equal(pane_statements.look_params(
	                     &ctx, &g, samples_find(&g, "query_id", NULL, 1), &doc.arena, params),
	    -1);
	assert_int_equal(pane_statements.look_params(
	                     &ctx, &g, samples_find(&g, "query_id", NULL, 2), &doc.arena, params),
	    1);
	assert_string_equal(params[0], "2");
	samples_add(look, "queryid", I(2), "query", "select a long story", NULL);
	ctx.look = look;
	assert_int_equal(pane_statements.look_params(
	                     &ctx, &g, samples_find(&g, "query_id", NULL, 2), &doc.arena, params),
	    -1);
	doc_reset(&doc);
	pane_statements.detail(&ctx, &g, samples_find(&g, "query_id", NULL, 2), &doc);
	assert_true(has_line(&doc, "a long story"));
	rowset_unref(look);
	doc_release(&doc);
	grid_release(&g);
	snapshot_unref(snap);
}

static double
cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* 5,000 statements in another order than before: all deltas right; the time is printed, not judged.
 */
static void
many(void **state)
{
	enum { N = 5000 };
	struct snapshot *snap = new_snapshot();
	struct rowset *a = samples_rows("statements"), *b = samples_rows("statements");
	void *cache = pane_statements.cache_new();
	struct grid g;
	double t, best = 1e9;

	(void)state;
	for (int64_t i = 0; i < N; i++)
		entry(a, (i + 1) * 2654435761, 10 + i, 10.0 + (double)i, i, i, 1);
	for (int64_t i = N - 1; i >= 0; i--)
		entry(b, (i + 1) * 2654435761, 10 + i + i % 7, 10.0 + (double)i + 1, i, i, 1);
	samples_ok(snap, PROBE_STATEMENTS, a, 100);
	samples_ok(snap, PROBE_STATEMENTS, b, 110);
	samples_fill(&pane_statements, snap, false, cache, &g);
	for (int k = 0; k < 9; k++) {
		grid_release(&g);
		t = cpu_ms();
		samples_fill(&pane_statements, snap, false, cache, &g);
		best = fmin(best, cpu_ms() - t);
	}
	print_message("fill of %d statements: %.2f ms\n", N, best);
	t = cpu_ms();
	grid_sort(&g, grid_col(&g, "time_pct"), true);
	print_message("sort: %.2f ms\n", cpu_ms() - t);
	assert_int_equal(g.nrows, N);
	for (int i = 0; i < N; i++) {
		int64_t k = samples_cell(&g, i, "query_id")->i / 2654435761 - 1;
		assert_int_equal(samples_cell(&g, i, "calls")->i, k % 7);
		NEAR(num(&g, i, "total_ms"), 1);
	}
	grid_release(&g);
	pane_statements.cache_free(cache);
	snapshot_unref(snap);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interval),
		cmocka_unit_test(totals),
		cmocka_unit_test(one_sample),
		cmocka_unit_test(reset_and_dealloc),
		cmocka_unit_test(born_again_by_time),
		cmocka_unit_test(hidden_from_the_role),
		cmocka_unit_test(not_there),
		cmocka_unit_test(old_extension),
		cmocka_unit_test(texts),
		cmocka_unit_test(detail),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
