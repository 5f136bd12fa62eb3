/* Load from ticks: averages, shares, restrictions, gaps, the chart's columns. */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "model/waits.h"

static struct load
busy(struct series *s, int count, enum wait_class class, const char *event, const char *user,
    int64_t query_id)
{
	return (struct load){
		.count = (uint16_t)count,
		.wait_class = (uint8_t) class,
		.event = series_intern(s, event, strlen(event)),
		.user = series_intern(s, user, strlen(user)),
		.query_id = query_id,
	};
}

static void
add(struct series *s, double at_s, double seconds, const struct load *loads, int n)
{
	struct tick t = {
		.at = { (int64_t)(at_s * 1e6) },
		.seconds = (float)seconds,
		.loads = loads,
		.nloads = n,
	};
	series_add(s, &t);
}

static bool
near(double a, double b)
{
	return fabs(a - b) < 1e-6;
}

/* Ten seconds: ann on CPU all the time, two of bob's in IO for six, one in a lock for one.
 */
static struct series
ten_seconds(void)
{
	struct series s = { 0 };

	for (int i = 0; i < 10; i++) {
		struct load l[3] = {
			busy(&s, 1, WAIT_CPU, "", "ann", 7),
			busy(&s, 2, WAIT_IO, "DataFileRead", "bob", 8),
			busy(&s, 1, WAIT_LOCK, "tuple", "bob", 9),
		};
		add(&s, 1000 + i, 1, l, i == 9 ? 3 : i < 5 ? 2 : 1);
	}
	return s;
}

static void
by_event(void **state)
{
	struct series s = ten_seconds();
	struct arena arena = { 0 };
	struct waits w;

	(void)state;
	waits_build(&w, &arena, &s, WAITS_EVENT, 900, NULL);
	assert_int_equal(w.n, 3);
	assert_int_equal(w.ticks, 10);
	assert_true(near(w.seconds, 10));
	assert_true(near(w.aas, 2.3));
	assert_int_equal(w.groups[0].class, WAIT_IO);
	assert_string_equal(w.groups[0].event, "DataFileRead");
	assert_true(near(w.groups[0].aas, 1.2));
	assert_int_equal(w.groups[1].class, WAIT_CPU);
	assert_string_equal(w.groups[1].event, "");
	assert_true(near(w.groups[2].aas, 0.1));
	assert_true(near(w.by_class[WAIT_IO], 1.2));
	arena_release(&arena);
	series_release(&s);
}

static void
by_user_and_statement(void **state)
{
	struct series s = ten_seconds();
	struct arena arena = { 0 };
	struct waits w;

	(void)state;
	waits_build(&w, &arena, &s, WAITS_USER, 900, NULL);
	assert_int_equal(w.n, 2);
	assert_string_equal(w.groups[0].name, "bob");
	assert_int_equal(w.groups[0].class, WAIT_IO);
	assert_true(near(w.groups[0].by_class[WAIT_LOCK], 0.1));
	assert_true(near(w.groups[0].by_class[WAIT_IO], 1.2));
	waits_build(&w, &arena, &s, WAITS_STATEMENT, 900, NULL);
	assert_int_equal(w.n, 3);
	assert_int_equal(w.groups[0].query_id, 8);
	arena_release(&arena);
	series_release(&s);
}

static void
restricted(void **state)
{
	struct series s = ten_seconds();
	struct arena arena = { 0 };
	struct waits w;
	struct waits_only bob = { .is_set = true, .by = WAITS_USER, .text = "bob" };
	struct waits_only lock = { .is_set = true, .by = WAITS_CLASS, .text = "Lock" };
	struct waits_only id = { .is_set = true, .by = WAITS_STATEMENT, .query_id = 7 };
	struct waits_only none = { .is_set = true, .by = WAITS_USER, .text = "eve" };

	(void)state;
	waits_build(&w, &arena, &s, WAITS_EVENT, 900, &bob);
	assert_int_equal(w.n, 2);
	assert_true(near(w.aas, 1.3));
	waits_build(&w, &arena, &s, WAITS_EVENT, 900, &lock);
	assert_int_equal(w.n, 1);
	assert_string_equal(w.groups[0].event, "tuple");
	waits_build(&w, &arena, &s, WAITS_USER, 900, &id);
	assert_int_equal(w.n, 1);
	assert_string_equal(w.groups[0].name, "ann");
	waits_build(&w, &arena, &s, WAITS_USER, 900, &none);
	assert_int_equal(w.n, 0);
	assert_true(near(w.aas, 0));
	/* Only the last four of the ten seconds, and of those one with bob in it. */
	waits_build(&w, &arena, &s, WAITS_USER, 3.5, &bob);
	assert_int_equal(w.ticks, 4);
	assert_true(near(w.aas, 0.75));
	arena_release(&arena);
	series_release(&s);
}

/* A tick after an outage does not stand for all of it; without ticks there is nothing. */
static void
gaps(void **state)
{
	struct series s = { 0 };
	struct arena arena = { 0 };
	struct waits w;
	struct load l = busy(&s, 1, WAIT_CPU, "", "ann", 7);

	(void)state;
	waits_build(&w, &arena, &s, WAITS_EVENT, 900, NULL);
	assert_int_equal(w.n, 0);
	add(&s, 1000, 0, &l, 0);
	for (int i = 1; i < 10; i++)
		add(&s, 1000 + i, 1, &l, 0);
	add(&s, 1300, 291, &l, 1);
	waits_build(&w, &arena, &s, WAITS_EVENT, 900, NULL);
	assert_true(near(w.seconds, 20));
	assert_true(near(w.aas, 0.5));
	arena_release(&arena);
	series_release(&s);
}

static void
chart(void **state)
{
	struct series s = { 0 };
	float v[6 * WAIT_CLASS_COUNT];
	struct load l = busy(&s, 2, WAIT_IO, "WALWrite", "ann", 7);

	(void)state;
	/* 40 seconds from a full minute on, busy in the odd ones; six columns of ten seconds. */
	for (int i = 0; i < 40; i++)
		add(&s, 6000 + i, 1, &l, i % 2);
	assert_int_equal(waits_chart(&s, 60, NULL, 6, v), 10);
	assert_true(isnan(v[0]) && isnan(v[1 * WAIT_CLASS_COUNT]));
	for (int col = 2; col < 6; col++) {
		assert_true(fabs((double)v[col * WAIT_CLASS_COUNT + WAIT_IO] - 1) < 1e-4);
		assert_true(fabs((double)v[col * WAIT_CLASS_COUNT + WAIT_CPU]) < 1e-6);
	}
	series_release(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_event),
		cmocka_unit_test(by_user_and_statement),
		cmocka_unit_test(restricted),
		cmocka_unit_test(gaps),
		cmocka_unit_test(chart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
