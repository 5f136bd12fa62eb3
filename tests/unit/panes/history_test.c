/* The history pane: ticks of this run beside what the history has, without overlap and with gaps.
 */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "panes/history.h"

#include "fixture.h"

extern const struct pane pane_history;

static const int64_t NOW = 1790000000;

static void
tick(struct snapshot *snap, int64_t before, double tps)
{
	struct tick t = { .at = { (NOW - before) * 1000000 },
		.mono = { (NOW - before) * 1000000 } };

	for (int m = 0; m < METRIC_COUNT; m++)
		t.metric[m] = NAN;
	t.metric[METRIC_TPS] = (float)tps;
	series_add(&snap->series, &t);
}

static struct snapshot *
new_snapshot(void)
{
	struct snapshot *snap = snapshot_new();

	snap->taken_at.us = NOW * 1000000;
	snap->taken_mono.us = NOW * 1000000;
	return snap;
}

static void
post(struct snapshot *snap, const char *metric, int span, const int64_t *before, int n)
{
	struct rowset *rs;
	struct sample *s = fixture_sample(PROBE_HISTORY, 1,
	    "metric text, span_s int, time time, min float, avg float, max float, n int", NO_ROWS);

	rs = s->rows;
	for (int i = 0; i < n; i++) {
		struct cell *c = rowset_add(rs);

		c[0] = cell_text(metric);
		c[1] = cell_int(span);
		c[2] = cell_time((NOW - before[i]) * 1000000);
		c[3] = cell_float(1);
		c[4] = cell_float(2);
		c[5] = cell_float(3);
		c[6] = cell_int(60);
	}
	snap->cur[PROBE_HISTORY] = s;
	snap->good[PROBE_HISTORY] = sample_ref(s);
}

static void
fill(const struct snapshot *snap, int metric, int span, struct grid *g)
{
	struct pane_opts opts = { .mode = metric, .window_s = span };
	struct pane_ctx ctx = { .snap = snap, .opts = &opts, .now = snap->taken_mono };

	grid_init(g, pane_history.columns, pane_history.ncolumns);
	pane_history.fill(&ctx, g);
	grid_seal(g);
}

static double
num(const struct grid *g, int row, const char *column)
{
	return cell_num(&g->rows[row].cells[grid_col(g, column)], NAN);
}

static int64_t
seconds_ago(const struct grid *g, int row)
{
	return NOW - g->rows[row].cells[grid_col(g, "time")].i / 1000000;
}

static void
ticks_alone(void **state)
{
	struct snapshot *snap = new_snapshot();
	struct grid g;

	(void)state;
	for (int i = 19; i >= 0; i--)
		tick(snap, i, i);
	fill(snap, METRIC_TPS, 300, &g); /* buckets of 5 s */
	assert_int_equal(g.nrows, 5);
	assert_int_equal(seconds_ago(&g, 0), 0); /* newest first */
	assert_float_equal(num(&g, 1, "min"), 1, 1e-6);
	assert_float_equal(num(&g, 1, "max"), 5, 1e-6);
	assert_float_equal(num(&g, 1, "avg"), 3, 1e-6);
	assert_int_equal((int)num(&g, 1, "n"), 5);
	assert_float_equal(grid_fact_get(&g, "max")->value.f, 19, 1e-6);
	assert_float_equal(grid_fact_get(&g, "last")->value.f, 0, 1e-6);
	grid_release(&g);
	fill(snap, METRIC_QPS, 300, &g); /* never known: no zeros */
	assert_int_equal(g.nrows, 0);
	assert_true(fixture_has_note(&g, "no_data"));
	grid_release(&g);
	snapshot_unref(snap);
}

/* The history has the minutes of this run too: each moment comes from one of them. */
static void
history_before_ticks(void **state)
{
	static const int64_t before[] = { 7200, 3000, 1800, 1740, 120, 60, 0 };
	struct snapshot *snap = new_snapshot();
	struct grid g;

	(void)state;
	for (int i = 150; i >= 0; i--)
		tick(snap, i, 100);
	post(snap, "tps", 3600, before, (int)ARRAY_LEN(before));
	fill(snap, METRIC_TPS, 3600, &g);
	/* 3000, 1800 and 1740 s ago from the history; from 150 s on the ticks */
	for (int i = 0; i < g.nrows; i++) {
		int64_t ago = seconds_ago(&g, i);

		assert_float_equal(num(&g, i, "avg"), ago > 180 ? 2 : 100, 1e-6);
		assert_true(i == 0 || ago > seconds_ago(&g, i - 1));
	}
	assert_int_equal(seconds_ago(&g, g.nrows - 1), 3000);
	assert_int_equal(seconds_ago(&g, g.nrows - 2), 1800);
	assert_float_equal(grid_fact_get(&g, "min")->value.f, 1, 1e-6);
	assert_true(grid_fact_get(&g, "known_pct")->value.f < 15);
	grid_release(&g);
	/* What was posted for another figure is not shown for this one. */
	fill(snap, METRIC_ACTIVE, 3600, &g);
	assert_int_equal(g.nrows, 0);
	grid_release(&g);
	snapshot_unref(snap);
}

/* The history has a row of the minute in which this run began: it does not stand before the ticks.
 */
static void
ticks_of_the_first_minute(void **state)
{
	static const int64_t before[] = { 120, 40 };
	struct snapshot *snap = new_snapshot();
	struct grid g;

	(void)state;
	for (int i = 19; i >= 0; i--)
		tick(snap, i, i);
	post(snap, "tps", 300, before, 2);
	fill(snap, METRIC_TPS, 300, &g);
	assert_int_equal(g.nrows, 6); /* 5 buckets of ticks, the minute two minutes ago */
	assert_int_equal(seconds_ago(&g, 5), 120);
	grid_release(&g);
	snapshot_unref(snap);
}

static void
says_why_there_is_none(void **state)
{
	struct snapshot *snap = new_snapshot();
	struct grid g;

	(void)state;
	snap->cur[PROBE_HISTORY] =
	    fixture_failed(PROBE_HISTORY, SAMPLE_FAILED, "the disk is full", "Make room.");
	tick(snap, 0, 5);
	fill(snap, METRIC_TPS, 3600, &g);
	assert_int_equal(g.nrows, 1); /* this run goes on */
	assert_true(fixture_has_note(&g, "no_data"));
	grid_release(&g);
	snapshot_unref(snap);
	snap = snapshot_new();
	fill(snap, METRIC_TPS, 3600, &g);
	assert_int_equal(g.nrows, 0);
	assert_true(fixture_has_note(&g, "no_data"));
	grid_release(&g);
	snapshot_unref(snap);
}

/* While a server is away its past can be looked at. */
static void
without_a_server(void **state)
{
	static const int64_t before[] = { 7200, 3000, 1800 };
	struct snapshot *snap = snapshot_new();
	struct grid g;

	(void)state;
	post(snap, "tps", 3600, before, (int)ARRAY_LEN(before));
	fill(snap, METRIC_TPS, 3600, &g);
	assert_int_equal(g.nrows, 2);
	assert_int_equal(seconds_ago(&g, 0), 1800);
	assert_true(fixture_has_note(&g, "no_data"));
	grid_release(&g);
	snapshot_unref(snap);
}

static void
names(void **state)
{
	struct pane_opts opts = { .mode = METRIC_AAS };

	(void)state;
	assert_int_equal(history_metric_by_name("tps"), METRIC_TPS);
	assert_int_equal(history_metric_by_name("mean_query_ms"), METRIC_MEAN_MS);
	assert_int_equal(history_metric_by_name("database_bytes"), METRIC_DB_BYTES);
	assert_int_equal(history_metric_by_name("nothing"), -1);
	assert_string_equal(history_shown_metric(&opts), "aas");
	assert_int_equal(history_shown_span(&opts), 3600);
	for (int i = 0; i < METRIC_COUNT; i++)
		assert_string_equal(pane_history.modes[i].name, metric_infos[i].name);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ticks_alone),
		cmocka_unit_test(history_before_ticks),
		cmocka_unit_test(ticks_of_the_first_minute),
		cmocka_unit_test(says_why_there_is_none),
		cmocka_unit_test(without_a_server),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests_name("panes/history", tests, NULL, NULL);
}
