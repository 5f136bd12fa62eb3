/* What the historian writes down: minutes of ticks, sizes, deltas of statements. */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/gather.h"

#include "unit/panes/fixture.h"

static const int64_t T0 = 1790000040; /* a full minute */

static void
tick(struct snapshot *snap, int64_t second, double tps, double active)
{
	struct tick t = { .at = { (T0 + second) * 1000000 }, .mono = { (second + 1) * 1000000 } };

	for (int m = 0; m < METRIC_COUNT; m++)
		t.metric[m] = NAN;
	t.metric[METRIC_TPS] = (float)tps;
	t.metric[METRIC_ACTIVE] = (float)active;
	series_add(&snap->series, &t);
}

static const struct history_value *
value(const struct history_value *v, int n, const char *metric)
{
	for (int i = 0; i < n; i++)
		if (strcmp(v[i].metric, metric) == 0)
			return &v[i];
	return NULL;
}

static void
minutes_of_ticks(void **state)
{
	struct snapshot *snap = snapshot_new();
	struct gather g = { 0 };
	struct history_value v[METRIC_COUNT];
	int n;

	(void)state;
	tick(snap, 0, 10, 1);
	tick(snap, 30, 30, NAN);
	tick(snap, 59, 20, 3);
	gather_ticks(&g, snap, 0);
	tick(snap, 60, 5, 0);
	gather_ticks(&g, snap, 0);
	gather_ticks(&g, snap, 0); /* nothing twice */
	assert_int_equal(g.n, 2);
	assert_int_equal(g.rows[0].minute, T0);
	n = gather_values(&g.rows[0], v);
	assert_int_equal(n, 2); /* what is not known is not there */
	assert_float_equal(value(v, n, "tps")->min, 10, 1e-6);
	assert_float_equal(value(v, n, "tps")->avg, 20, 1e-6);
	assert_float_equal(value(v, n, "tps")->max, 30, 1e-6);
	assert_int_equal(value(v, n, "tps")->n, 3);
	assert_int_equal(value(v, n, "active")->n, 2);
	/* What was written is not written again; the rest of its minute is. */
	gather_forget(&g, 2);
	tick(snap, 61, 7, 0);
	gather_ticks(&g, snap, 0);
	assert_int_equal(g.n, 1);
	n = gather_values(&g.rows[0], v);
	assert_int_equal(value(v, n, "tps")->n, 1);
	/* Another clock. */
	gather_forget(&g, 1);
	tick(snap, 62, 7, 0);
	gather_ticks(&g, snap, -INT64_C(86400000000) * 365);
	assert_int_equal(g.rows[0].minute, T0 + 60 - INT64_C(86400) * 365);
	gather_release(&g);
	snapshot_unref(snap);
}

static void
keeps_hours_at_most(void **state)
{
	struct snapshot *snap = snapshot_new();
	struct gather g = { 0 };

	(void)state;
	for (int i = 0; i < GATHER_MINUTES + 20; i++) {
		tick(snap, i * 60, i, 0);
		gather_ticks(&g, snap, 0);
	}
	assert_int_equal(g.n, GATHER_MINUTES);
	assert_int_equal(g.dropped, 20);
	assert_int_equal(g.rows[0].minute, T0 + 20 * 60); /* the oldest went */
	gather_release(&g);
	snapshot_unref(snap);
}

static struct snapshot *
with_statements(int second, int64_t start_us, const char *const *rows)
{
	struct snapshot *snap = snapshot_new();

	snap->server.start_us = start_us;
	snap->good[PROBE_STATEMENTS] = fixture_sample(PROBE_STATEMENTS, second,
	    "userid int, dbid int, queryid int, toplevel bool, calls int, total_ms float, hit int, "
	    "read int",
	    rows);
	return snap;
}

static int
statements(struct gather *g, struct snapshot *snap, struct history_statement *out, int max)
{
	int n = gather_statements(g, snap, out, max);

	snapshot_unref(snap);
	return n;
}

static void
deltas_of_statements(void **state)
{
	struct gather g = { 0 };
	struct history_statement s[3];

	(void)state;
	/* The first time nothing is known of what was before. */
	assert_int_equal(
	    statements(&g,
	        with_statements(10, 1, ROWS("1|5|7|NULL|10|100|1000|10", "1|5|8|NULL|1|5|1|NULL")),
	        s, 3),
	    0);
	assert_int_equal(statements(&g,
	                     with_statements(70, 1,
	                         ROWS("1|5|7|NULL|12|130|1500|10", "1|5|8|NULL|1|5|1|NULL",
	                             "1|5|9|NULL|3|900|NULL|7", "1|5|NULL|NULL|9|9999|1|1")),
	                     s, 3),
	    2);
	assert_int_equal(s[0].queryid, 9); /* new, most time first */
	assert_float_equal(s[0].total_ms, 900, 1e-6);
	assert_float_equal(s[0].read, 7, 1e-6);
	assert_int_equal(s[1].queryid, 7);
	assert_float_equal(s[1].calls, 2, 1e-6);
	assert_float_equal(s[1].total_ms, 30, 1e-6);
	assert_float_equal(s[1].hit, 500, 1e-6);
	/* Reset or evicted: what they say now was done since. */
	assert_int_equal(
	    statements(&g, with_statements(130, 1, ROWS("1|5|7|NULL|4|40|4|1")), s, 3), 1);
	assert_float_equal(s[0].calls, 4, 1e-6);
	assert_float_equal(s[0].total_ms, 40, 1e-6);
	/* The same answer again, and another server. */
	assert_int_equal(
	    statements(&g, with_statements(130, 1, ROWS("1|5|7|NULL|9|99|4|1")), s, 3), 0);
	assert_int_equal(
	    statements(&g, with_statements(190, 2, ROWS("1|5|7|NULL|9|99|4|1")), s, 3), 0);
	/* No more than asked for. */
	assert_int_equal(statements(&g,
	                     with_statements(250, 2,
	                         ROWS("1|5|1|NULL|1|1|1|1", "1|5|2|NULL|1|2|1|1",
	                             "1|5|3|NULL|1|3|1|1", "1|5|4|NULL|1|4|1|1")),
	                     s, 3),
	    3);
	assert_int_equal(s[0].queryid, 4);
	assert_int_equal(s[2].queryid, 2);
	gather_release(&g);
}

/* Memory follows what the server has: evicted statements are forgotten. */
static void
forgets_statements(void **state)
{
	struct gather g = { 0 };
	struct history_statement s[8];
	char row[80];

	(void)state;
	for (int i = 0; i < 200; i++) {
		snprintf(row, sizeof(row), "1|5|%d|NULL|1|1|1|1", i);
		statements(&g, with_statements(60 * i, 1, ROWS(row)), s, 8);
		assert_true(g.ncounters <= 3);
	}
	gather_release(&g);
}

static struct sample *
files(enum probe_id probe, int second, const char *row)
{
	return fixture_sample(probe, second, "bytes int, files int", ROWS(row));
}

static double
bytes_of(const struct history_size *sizes, int n, const char *object)
{
	for (int i = 0; i < n; i++)
		if (strcmp(sizes[i].object, object) == 0)
			return sizes[i].bytes;
	return NAN;
}

static void
sizes_when_all_are_known(void **state)
{
	struct feed *f = feed_new("prod");
	struct gather g = { 0 };
	struct arena arena = { 0 };
	struct history_size *sizes = NULL;
	struct snapshot *snap;
	int n;

	(void)state;
	fixture_clock(f, 100, false);
	feed_apply(f,
	    fixture_sample(PROBE_SIZES, 100, "datid int, datname text, size_bytes int",
	        ROWS("5|shop|1000", "6|postgres|10")));
	snap = feed_seal(f);
	/* The total would be wrong without the rest. */
	assert_int_equal(gather_sizes(&g, snap, &arena, &sizes), 0);
	snapshot_unref(snap);
	feed_apply(f, files(PROBE_STORAGE_WAL, 101, "500|5"));
	feed_apply(f, files(PROBE_STORAGE_TEMP, 101, "0|0"));
	feed_apply(f, fixture_failed(PROBE_STORAGE_LOG, SAMPLE_DENIED, "not allowed", ""));
	feed_apply(f, fixture_failed(PROBE_STORAGE_KINDS, SAMPLE_TIMEOUT, "", ""));
	feed_apply(f, fixture_failed(PROBE_STORAGE_TABLES, SAMPLE_TIMEOUT, "", ""));
	snap = feed_seal(f);
	n = gather_sizes(&g, snap, &arena, &sizes);
	assert_true(n > 0);
	assert_float_equal(bytes_of(sizes, n, "database:shop"), 1000, 1e-6);
	assert_float_equal(bytes_of(sizes, n, "wal"), 500, 1e-6);
	assert_true(isnan(bytes_of(sizes, n, "log")));
	assert_int_equal(gather_sizes(&g, snap, &arena, &sizes), 0); /* not twice */
	snapshot_unref(snap);
	feed_apply(f, files(PROBE_STORAGE_WAL, 101 + 300, "700|7"));
	snap = feed_seal(f);
	n = gather_sizes(&g, snap, &arena, &sizes);
	assert_float_equal(bytes_of(sizes, n, "wal"), 700, 1e-6);
	snapshot_unref(snap);
	gather_release(&g);
	arena_release(&arena);
	feed_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(minutes_of_ticks),
		cmocka_unit_test(keeps_hours_at_most),
		cmocka_unit_test(deltas_of_statements),
		cmocka_unit_test(forgets_statements),
		cmocka_unit_test(sizes_when_all_are_known),
	};

	return cmocka_run_group_tests_name("app/gather", tests, NULL, NULL);
}
