/* Arrival curves from histograms, common values and partitions, and what refuses them. */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/storage_arrivals.h"

enum { BOUNDS = 101 };
static const int64_t day = INT64_C(86400) * 1000000;
static const int64_t now = INT64_C(1763700000) * 1000000; /* 2025-11-21 */

static int64_t bounds[BOUNDS];

/* A table of 300 days whose rows came by t = u^power. */
static struct arrival_column
column_of(const char *name, double power)
{
	for (int i = 0; i < BOUNDS; i++)
		bounds[i] = now -
		    (int64_t)(300.0 * (double)day * (1 - pow((double)i / (BOUNDS - 1), power)));
	return (struct arrival_column){ .name = name,
		.is_readable = true,
		.is_not_null = true,
		.is_default_now = true,
		.correlation = 1,
		.bounds = bounds,
		.nbounds = BOUNDS };
}

static struct arrival_table
whole_table(void)
{
	return (struct arrival_table){ .rows = 1e6,
		.bytes = 1e9,
		.live = 1e6,
		.ins = 1e6,
		.upd = 0,
		.del = 0,
		.changed = 0,
		.key_min = 1,
		.key_max = 1e6,
		.analyzed_us = now - day,
		.now_us = now };
}

static struct arrivals
of(const struct arrival_column *c, const struct arrival_table *t, struct arena *arena)
{
	struct arrivals a;

	arrivals_of_column(c, t, arena, &a);
	return a;
}

static void
curve_follows_the_bounds(void **state)
{
	struct arrival_column c = column_of("created_at", 0.5);
	struct arrival_table t = whole_table();
	struct arena arena = { 0 };
	struct arrivals a = of(&c, &t, &arena);

	(void)state;
	assert_int_equal(a.confidence, CONFIDENCE_MEDIUM);
	/* u = t^2 */
	for (int d = 30; d <= 300; d += 30) {
		double want = pow(d / 300.0, 2);
		assert_true(fabs(arrivals_share(&a, now - (300 - d) * day) - want) < 0.01);
	}
	assert_true(arrivals_share(&a, now - 301 * day) == 0);
	assert_true(arrivals_share(&a, now) == 1);
	arena_release(&arena);
}

/* 40 % of the rows came on one day in the middle, and are not in the histogram. */
static void
common_values_are_steps(void **state)
{
	struct arrival_column c = column_of("created_at", 1);
	struct arrival_table t = whole_table();
	int64_t at = now - 150 * day, ppb = 400000000;
	struct arena arena = { 0 };
	struct arrivals a;

	(void)state;
	c.values = &at;
	c.ppb = &ppb;
	c.nvalues = 1;
	a = of(&c, &t, &arena);
	assert_int_equal(a.confidence, CONFIDENCE_LOW);
	assert_non_null(strstr(a.why, "40 % of its rows came at one moment"));
	assert_true(fabs(arrivals_share(&a, at - day) - 0.3 * 149 / 150) < 0.005);
	assert_true(fabs(arrivals_share(&a, at + day) - (0.4 + 0.3 * 151 / 150)) < 0.005);
	/* As a placeholder long before all others it is not. */
	at = now - 2000 * day;
	a = of(&c, &t, &arena);
	assert_null(a.points);
	assert_non_null(strstr(a.why, "placeholder"));
	/* Most of the table at one moment is a load. */
	at = now - 10 * day;
	ppb = 700000000;
	a = of(&c, &t, &arena);
	assert_null(a.points);
	assert_non_null(strstr(a.why, "at once"));
	arena_release(&arena);
}

static void
expect_refusal(const struct arrival_column *c, const struct arrival_table *t, const char *why)
{
	struct arena arena = { 0 };
	struct arrivals a = of(c, t, &arena);

	if (a.points || !strstr(a.why, why))
		fail_msg("%s: %s, not for %s", c->name, a.points ? "taken" : a.why, why);
	assert_int_equal(a.confidence, CONFIDENCE_NONE);
	arena_release(&arena);
}

static void
what_is_no_arrival_is_refused(void **state)
{
	struct arrival_table t = whole_table();
	struct arrival_column c = column_of("updated_at", 1);

	(void)state;
	expect_refusal(&c, &t, "last change");
	c = column_of("due_date", 1);
	c.is_default_now = false;
	expect_refusal(&c, &t, "by its name");
	c = column_of("hour", 1);
	c.is_default_now = false;
	c.correlation = 0.02;
	expect_refusal(&c, &t, "do not lie in the order");
	c = column_of("ts", 1);
	t.upd = 0.5e6;
	expect_refusal(&c, &t, "updated");
	t.upd = 0;
	c = column_of("created_at", 1);
	c.null_share = 0.3;
	expect_refusal(&c, &t, "NULL in 30 %");
	c = column_of("created_at", 1);
	for (int i = 90; i < BOUNDS; i++)
		bounds[i] = now + i * day;
	expect_refusal(&c, &t, "ahead of now");
	c = column_of("created_at", 1);
	c.is_readable = false;
	expect_refusal(&c, &t, "hidden");
	c = column_of("created_at", 1);
	c.nbounds = 0;
	expect_refusal(&c, &t, "no statistics");
}

static void
what_is_gone_refuses(void **state)
{
	struct arrival_column c = column_of("created_at", 1);
	struct arrival_table t = whole_table();
	struct arena arena = { 0 };
	struct arrivals a;

	(void)state;
	t.del = 0.5e6;
	expect_refusal(&c, &t, "were deleted");
	/* The counters were reset after the deletion: the keys remember. */
	t = whole_table();
	t.ins = 0;
	t.key_min = 0.6e6;
	t.key_max = 1.6e6;
	expect_refusal(&c, &t, "gaps");
	/* Without either nothing tells, and that is said. */
	t.key_min = t.key_max = NAN;
	a = of(&c, &t, &arena);
	assert_int_equal(a.confidence, CONFIDENCE_LOW);
	assert_non_null(strstr(a.why, "unknown"));
	t = whole_table();
	t.live = 1.5e6;
	t.changed = 0.5e6;
	expect_refusal(&c, &t, "stale");
	arena_release(&arena);
}

static void
partitions(void **state)
{
	struct arrival_partition p[8];
	struct arena arena = { 0 };
	struct arrivals a;

	(void)state;
	/* Months that grow from little. */
	for (int i = 0; i < 8; i++)
		p[i] = (struct arrival_partition){ now - (240 - 30 * i) * day,
			now - (210 - 30 * i) * day, (i + 1) * 1e9 };
	arrivals_of_partitions(p, 8, now, &arena, &a);
	assert_int_equal(a.confidence, CONFIDENCE_MEDIUM);
	assert_true(fabs(arrivals_share(&a, now - 30 * day) - 28.0 / 36) < 1e-9);
	assert_true(fabs(arrivals_share(&a, now - 15 * day) - 32.0 / 36) < 1e-9);
	/* All alike: what was before may have been dropped. */
	for (int i = 0; i < 8; i++)
		p[i].bytes = 1e9;
	arrivals_of_partitions(p, 8, now, &arena, &a);
	assert_null(a.points);
	assert_non_null(strstr(a.why, "dropped"));
	/* Open towards the past: nothing was. */
	p[0].from_us = INT64_MIN;
	arrivals_of_partitions(p, 8, now, &arena, &a);
	assert_non_null(a.points);
	arrivals_of_partitions(p, 2, now, &arena, &a);
	assert_null(a.points);
	arena_release(&arena);
}

static void
partition_bounds(void **state)
{
	static const char *const bad[] = { "DEFAULT", "FOR VALUES WITH (modulus 4, remainder 0)",
		"FOR VALUES FROM (1) TO (100)", "FOR VALUES FROM ('a') TO ('b')",
		"FOR VALUES FROM ('2026-02-01') TO ('2026-01-01')", "" };
	static const char days[] = "FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')";
	static const char times[] =
	    "FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2026-01-02 00:00:00+00')";
	static const char open[] = "FOR VALUES FROM (MINVALUE) TO ('2026-02-01')";
	int64_t from, to;

	(void)state;
	assert_true(arrivals_bound(days, strlen(days), &from, &to));
	assert_int_equal(to - from, 31 * day);
	assert_true(arrivals_bound(times, strlen(times), &from, &to));
	assert_int_equal(to - from, day);
	assert_true(arrivals_bound(open, strlen(open), &from, &to));
	assert_true(from == INT64_MIN);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(arrivals_bound(bad[i], strlen(bad[i]), &from, &to));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(curve_follows_the_bounds),
		cmocka_unit_test(common_values_are_steps),
		cmocka_unit_test(what_is_no_arrival_is_refused),
		cmocka_unit_test(what_is_gone_refuses),
		cmocka_unit_test(partitions),
		cmocka_unit_test(partition_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
