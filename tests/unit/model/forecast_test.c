/* The forecast on series whose future is known. */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "model/forecast.h"

enum { MOST = 2000 };
static const double GB = 1073741824.0;

struct fixture {
	struct forecast_point points[MOST];
	int n;
	struct arena arena;
	struct forecast f;
};
static struct fixture fx;

static int
reset(void **state)
{
	(void)state;
	arena_release(&fx.arena);
	memset(&fx, 0, sizeof(fx));
	return 0;
}

static void
add(double days, double bytes)
{
	fx.points[fx.n++] =
	    (struct forecast_point){ .at_us = 1700000000000000 + (int64_t)(days * 86400e6),
		    .bytes = bytes };
}

/* Deterministic, between -1 and 1. */
static double
noise(int i)
{
	return (double)((i * 7919 + 104729) % 2003) / 1001.0 - 1;
}

static const struct forecast *
make(double capacity)
{
	const struct forecast_request req = {
		.points = fx.points, .n = fx.n, .capacity_bytes = capacity
	};

	forecast_make(&req, &fx.arena, &fx.f);
	return &fx.f;
}

static void
assert_near(double value, double wanted, double tolerance)
{
	if (!(fabs(value - wanted) <= tolerance))
		fail_msg("%g is not %g within %g", value, wanted, tolerance);
}

/* Quantiles rise, and nothing is below 0. */
static void
assert_in_order(const struct forecast *f)
{
	for (int i = 0; i < f->nhorizons; i++) {
		const struct forecast_quantiles *q = &f->horizons[i];

		assert_int_equal(q->days, forecast_days[i]);
		assert_true(q->p2_5 >= 0 && q->p2_5 <= q->p10 && q->p10 <= q->p50 &&
		    q->p50 <= q->p90 && q->p90 <= q->p97_5);
	}
	for (int i = f->nhorizons; i < FORECAST_HORIZONS; i++)
		assert_true(isnan(f->horizons[i].p50) && f->horizons[i].days == forecast_days[i]);
	for (int i = 0; i < f->nband; i++)
		assert_true(f->band[i].p2_5 >= 0 && f->band[i].p10 <= f->band[i].p50 &&
		    f->band[i].p50 <= f->band[i].p90);
	if (f->has_full) {
		assert_true(f->full_p10 <= f->full_p50 && f->full_p50 <= f->full_p90);
		assert_true(isnan(f->probability[1]) || f->probability[0] <= f->probability[1]);
		assert_true(isnan(f->probability[2]) || f->probability[1] <= f->probability[2]);
	}
}

static void
a_line_goes_on(void **state)
{
	const struct forecast *f;

	(void)state;
	for (int i = 0; i < 200; i++)
		add(i, 100 * GB + i * GB);
	f = make(359 * GB);
	assert_in_order(f);
	assert_near(f->rate_bytes_per_day, GB, 1);
	assert_int_equal(f->nhorizons, 5);
	assert_near(f->horizons[1].p50, 329 * GB, 1000);
	assert_near(f->horizons[2].p50, 389 * GB, 1000);
	/* The middle and the lower side of a line are the line. */
	assert_near(f->full_p50, 60, 0.01);
	assert_true(f->full_p10 < 60 && f->full_p10 > 30);
	assert_true(f->probability[0] == 0 && f->probability[2] > 0.5);
	assert_int_equal(f->regime, REGIME_STEADY);
	assert_int_equal(f->confidence, CONFIDENCE_HIGH);
	assert_int_equal(f->nsteps, 0);
	assert_string_equal(f->refused, "");
}

static void
the_same_again(void **state)
{
	struct forecast first;

	(void)state;
	for (int i = 0; i < 300; i++)
		add(i, 50 * GB + i * GB * (1 + 0.4 * noise(i)));
	first = *make(500 * GB);
	make(500 * GB);
	assert_memory_equal(first.horizons, fx.f.horizons, sizeof(first.horizons));
	assert_true(first.full_p10 == fx.f.full_p10 && first.full_p90 == fx.f.full_p90);
	assert_in_order(&fx.f);
}

static void
what_is_flat_stays(void **state)
{
	const struct forecast *f;

	(void)state;
	for (int i = 0; i < 120; i++)
		add(i, 10 * GB);
	f = make(20 * GB);
	assert_in_order(f);
	assert_true(f->horizons[2].p50 == 10 * GB && f->rate_bytes_per_day == 0);
	assert_int_equal(f->regime, REGIME_FLAT);
	assert_true(isinf(f->full_p50) && f->probability[1] < 0.05);
	assert_non_null(strstr(f->refused, "not expected to be full"));
}

static void
single_steps_are_not_trend(void **state)
{
	const struct forecast *f;
	double size = 100 * GB;

	(void)state;
	for (int i = 0; i < 200; i++) {
		size += 0.1 * GB * (1 + 0.3 * noise(i));
		if (i == 120)
			size += 30 * GB;
		if (i == 170)
			size -= 20 * GB;
		add(i, size);
	}
	f = make(0);
	assert_in_order(f);
	assert_int_equal(f->nsteps, 2);
	assert_near((double)(f->steps[0].at_us - fx.points[120].at_us), 0, 86400e6);
	assert_near(f->steps[0].bytes, 30 * GB, 0.2 * GB);
	assert_near((double)(f->steps[1].at_us - fx.points[170].at_us), 0, 86400e6);
	assert_near(f->steps[1].bytes, -20 * GB, 0.2 * GB);
	assert_false(f->steps[0].is_recurring || f->steps[1].is_recurring);
	assert_near(f->rate_bytes_per_day, 0.1 * GB, 0.01 * GB);
}

static void
steps_that_recur_stay(void **state)
{
	const struct forecast *f;
	double size = 100 * GB;

	(void)state;
	for (int i = 0; i < 240; i++) {
		size += GB * (1 + 0.1 * noise(i));
		if (i % 30 == 29)
			size -= 24 * GB;
		add(i, size);
	}
	f = make(0);
	assert_in_order(f);
	assert_int_equal(f->nsteps, 8);
	for (int i = 0; i < f->nsteps; i++) {
		assert_true(f->steps[i].is_recurring);
		assert_near(f->steps[i].every_days, 30, 1);
	}
	/* 6 GB remain of a month */
	assert_near(f->horizons[2].p50, size + 18 * GB, 6 * GB);
}

static void
a_new_rate_is_seen(void **state)
{
	const struct forecast *f;
	double size = 100 * GB;

	(void)state;
	for (int i = 0; i < 200; i++) {
		size += (i < 160 ? 0.2 : 1.0) * GB * (1 + 0.2 * noise(i));
		add(i, size);
	}
	f = make(0);
	assert_int_equal(f->regime, REGIME_CHANGED);
	assert_near((double)(f->regime_since_us - fx.points[160].at_us), 0, 8 * 86400e6);
	assert_near(f->rate_bytes_per_day, GB, 0.2 * GB);
}

static void
a_week_is_seen(void **state)
{
	const struct forecast *f;
	double size = 100 * GB;

	(void)state;
	for (int i = 0; i < 140; i++) {
		size += (i % 7 < 5 ? 1.4 : 0) * GB;
		add(i, size);
	}
	f = make(0);
	/* day 140 is the first of a week: 2 days on, 2.8 GB */
	assert_near(f->band[1].p50 - size, 2.8 * GB, 0.3 * GB);
	assert_near(f->band[6].p50 - size, 7 * GB, 0.2 * GB);
	assert_near(f->rate_bytes_per_day, GB, 0.05 * GB);
}

static void
what_shrinks_stops_at_nothing(void **state)
{
	const struct forecast *f;

	(void)state;
	for (int i = 0; i < 100; i++)
		add(i, 101 * GB - i * GB);
	f = make(0);
	assert_in_order(f);
	assert_int_equal(f->regime, REGIME_SHRINKING);
	assert_true(f->horizons[2].p50 == 0 && f->rate_bytes_per_day < 0);
}

static void
too_little_is_refused(void **state)
{
	(void)state;
	make(GB);
	assert_non_null(strstr(fx.f.refused, "no points"));
	add(0, GB);
	make(2 * GB);
	assert_non_null(strstr(fx.f.refused, "one point"));
	for (int i = 1; i < 5; i++)
		add(i, GB + i * 1e6);
	make(2 * GB);
	assert_non_null(strstr(fx.f.refused, "too few"));
	assert_near(fx.f.rate_bytes_per_day, 1e6, 1);
	assert_true(fx.f.nhorizons == 0 && isnan(fx.f.horizons[0].p50) && isinf(fx.f.full_p50));
	assert_true(isnan(fx.f.probability[0]));
	assert_int_equal(fx.f.confidence, CONFIDENCE_NONE);
}

static void
no_date_beyond_four_times_the_history(void **state)
{
	(void)state;
	for (int i = 0; i <= 20; i++)
		add(i, GB + i * 1e6);
	make(2 * GB);
	assert_int_equal(fx.f.nhorizons, 2);
	assert_int_equal(fx.f.nband, 80);
	assert_true(isnan(fx.f.horizons[2].p50) && isinf(fx.f.full_p50));
	assert_true(!isnan(fx.f.probability[1]) && isnan(fx.f.probability[2]));
	assert_int_equal(fx.f.confidence, CONFIDENCE_LOW);
	assert_non_null(strstr(fx.f.refused, "80 days"));
}

static void
what_is_full_is_full(void **state)
{
	(void)state;
	add(0, 3 * GB);
	make(2 * GB);
	assert_true(fx.f.has_full && fx.f.full_p90 == 0 && fx.f.probability[0] == 1);
	for (int i = 1; i < 60; i++)
		add(i, 3 * GB);
	make(2 * GB);
	assert_true(fx.f.full_p50 == 0 && fx.f.probability[2] == 1);
}

static void
finer_and_odd_points(void **state)
{
	(void)state;
	/* every 5 minutes for 5 days, with an outage of a day */
	for (int i = 0; i < 5 * 288; i++)
		if (i < 288 || i >= 2 * 288)
			add(i / 288.0, GB + i * 1e6);
	make(0);
	assert_near(fx.f.rate_bytes_per_day, 288e6, 3e6);
	assert_int_equal(fx.f.nhorizons, 1);
	assert_near(fx.f.horizons[0].p50, fx.f.last.bytes + 7 * 288e6, 30e6);
	assert_int_equal(fx.f.nsteps, 0);
	reset(NULL);
	/* weekly, an hour early or late */
	for (int i = 0; i < 60; i++)
		add(i * 7 + noise(i) / 24, GB + i * 7e6);
	make(0);
	assert_near(fx.f.rate_bytes_per_day, 1e6, 5e4);
	assert_int_equal(fx.f.nsteps, 0);
}

static void
what_is_no_number_is_left_out(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++)
		add(i, GB + i * 1e6);
	fx.points[50].bytes = NAN;
	fx.points[60].bytes = -1;
	fx.points[70].bytes = INFINITY;
	fx.points[80].at_us = fx.points[79].at_us;
	fx.points[90].at_us = fx.points[10].at_us;
	make(2 * GB);
	assert_in_order(&fx.f);
	assert_near(fx.f.rate_bytes_per_day, 1e6, 2e4);
}

static void
storage_that_grows_by_itself(void **state)
{
	const struct forecast_autoscale rds = { .max_bytes = 200 * GB,
		.free_share = 0.1,
		.cooldown_s = 6 * 3600,
		.least_bytes = 10 * GB,
		.share = 0.1 };
	struct forecast_request req = {
		.points = fx.points, .capacity_bytes = 100 * GB, .autoscale = &rds
	};

	(void)state;
	for (int i = 0; i < 100; i++)
		add(i, i * 0.9 * GB);
	req.n = fx.n;
	forecast_make(&req, &fx.arena, &fx.f);
	/* 89 of 100 GB: grows at 90, 99, 108.9, … and is full at 200 GB, 123 days on */
	assert_near(fx.f.cap_exhausted_p50, (200 - 89.1) / 0.9, 1);
	assert_in_range(fx.f.grow_events_p50, 5, 8);
}

static void
what_was_rebuilt_counts_less(void **state)
{
	struct forecast_request req = { .points = fx.points };
	double width;

	(void)state;
	for (int i = 0; i < 200; i++)
		add(i, 100 * GB + i * GB * (1 + 0.01 * noise(i)));
	req.n = fx.n;
	forecast_make(&req, &fx.arena, &fx.f);
	assert_int_equal(fx.f.confidence, CONFIDENCE_HIGH);
	width = fx.f.horizons[2].p90 - fx.f.horizons[2].p50;
	req.nrebuilt = 150;
	forecast_make(&req, &fx.arena, &fx.f);
	assert_int_equal(fx.f.confidence, CONFIDENCE_LOW);
	assert_true(fx.f.horizons[2].p90 - fx.f.horizons[2].p50 > 1.3 * width);
}

static void
in_words(void **state)
{
	struct strbuf out = STRBUF_INIT(1000);

	(void)state;
	for (int i = 0; i < 200; i++)
		add(i, 100 * GB + i * GB);
	make(359 * GB);
	forecast_say(&fx.f, 359 * GB, &out);
	assert_non_null(strstr(out.buf, "full in "));
	assert_non_null(strstr(out.buf, "most likely on 2024-07-30: grows 1.0G a day"));
	strbuf_clear(&out);
	make(0);
	forecast_say(&fx.f, 0, &out);
	assert_string_equal(out.buf, "grows 1.0G a day");
	strbuf_release(&out);
}

/* Growth of every week that ended a month ago does not go on. */
static void
growth_that_has_stopped(void **state)
{
	const struct forecast *f;

	(void)state;
	for (int i = 0; i < 200; i++)
		add(i, (100 + 2 * (i < 170 ? i : 169) + 0.2 * noise(i < 170 ? i : 169)) * GB);
	f = make(0);
	assert_near(f->horizons[2].p50, f->last.bytes, 0.01);
	/* It may begin again. */
	assert_true(f->horizons[2].p90 > f->last.bytes + 10 * GB);
}

/* The 95 % band is wider than the 80 % band, on both sides, whatever the growth is like. */
static void
wider_bands_are_wider(void **state)
{
	(void)state;
	for (int i = 0; i < 200; i++)
		add(i, (100 + 0.2 * i + i * i / 200.0 + 0.1 * noise(i)) * GB);
	make(0);
	for (int i = 0; i < FORECAST_HORIZONS; i++) {
		const struct forecast_quantiles *q = &fx.f.horizons[i];

		assert_true(q->p97_5 - q->p50 >= 1.2 * (q->p90 - q->p50));
		assert_true(q->p50 - q->p2_5 >= 1.2 * (q->p50 - q->p10) || q->p2_5 == 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_line_goes_on, reset),
		cmocka_unit_test_setup(the_same_again, reset),
		cmocka_unit_test_setup(what_is_flat_stays, reset),
		cmocka_unit_test_setup(single_steps_are_not_trend, reset),
		cmocka_unit_test_setup(steps_that_recur_stay, reset),
		cmocka_unit_test_setup(a_new_rate_is_seen, reset),
		cmocka_unit_test_setup(a_week_is_seen, reset),
		cmocka_unit_test_setup(what_shrinks_stops_at_nothing, reset),
		cmocka_unit_test_setup(too_little_is_refused, reset),
		cmocka_unit_test_setup(no_date_beyond_four_times_the_history, reset),
		cmocka_unit_test_setup(what_is_full_is_full, reset),
		cmocka_unit_test_setup(finer_and_odd_points, reset),
		cmocka_unit_test_setup(what_is_no_number_is_left_out, reset),
		cmocka_unit_test_setup(storage_that_grows_by_itself, reset),
		cmocka_unit_test_setup(what_was_rebuilt_counts_less, reset),
		cmocka_unit_test_setup_teardown(in_words, reset, reset),
		cmocka_unit_test_setup(growth_that_has_stopped, reset),
		cmocka_unit_test_setup(wider_bands_are_wider, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
