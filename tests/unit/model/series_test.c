/* Ticks: what a snapshot sees does not change while the feed goes on; the oldest hour goes first.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/series.h"

static void
add(struct series *s, int i, struct load *loads, int nloads)
{
	struct tick t = { .at = { (int64_t)i * 1000000 + 1 }, .loads = loads, .nloads = nloads };
	t.metric[METRIC_TPS] = (float)i;
	series_add(s, &t);
}

static void
test_order(void **state)
{
	(void)state;
	struct series s = { .n = 0 };
	for (int i = 0; i < 200; i++)
		add(&s, i, NULL, 0);
	assert_int_equal(s.n, 200);
	for (int i = 0; i < 200; i++)
		assert_int_equal((int)series_tick(&s, i)->metric[METRIC_TPS], i);
	series_release(&s);
	assert_int_equal(s.n, 0);
}

static void
test_share_is_frozen(void **state)
{
	(void)state;
	struct series s = { .n = 0 };
	for (int i = 0; i < 70; i++)
		add(&s, i, NULL, 0);
	struct series seen = series_share(&s);
	for (int i = 70; i < 70 + SERIES_CHUNK * SERIES_CHUNKS * 2; i++)
		add(&s, i, NULL, 0);
	assert_int_equal(seen.n, 70);
	assert_int_equal((int)series_tick(&seen, 0)->metric[METRIC_TPS], 0);
	assert_int_equal((int)series_tick(&seen, 69)->metric[METRIC_TPS], 69);
	series_release(&s);
	assert_int_equal((int)series_tick(&seen, 69)->metric[METRIC_TPS], 69);
	series_release(&seen);
}

static void
test_bounded(void **state)
{
	(void)state;
	struct series s = { .n = 0 };
	enum { N = SERIES_CHUNK * SERIES_CHUNKS + 1 };
	for (int i = 0; i < N; i++)
		add(&s, i, NULL, 0);
	assert_int_equal(s.n, N - SERIES_CHUNK);
	assert_int_equal((int)series_tick(&s, 0)->metric[METRIC_TPS], SERIES_CHUNK);
	assert_int_equal((int)series_tick(&s, s.n - 1)->metric[METRIC_TPS], N - 1);
	series_release(&s);
}

static void
test_since(void **state)
{
	(void)state;
	struct series s = { .n = 0 };
	assert_int_equal(series_since(&s, 10), 0);
	for (int i = 0; i < 100; i++)
		add(&s, i, NULL, 0);
	assert_int_equal(series_since(&s, 0), 99);
	assert_int_equal(series_since(&s, 10), 89);
	assert_int_equal(series_since(&s, 9.5), 90);
	assert_int_equal(series_since(&s, 1000), 0);
	series_release(&s);
}

static void
test_loads_are_copied(void **state)
{
	(void)state;
	struct series s = { .n = 0 };
	struct load loads[2] = { { .count = 1, .query_id = 7 }, { .count = 2, .query_id = 8 } };
	add(&s, 0, loads, 2);
	memset(loads, 0, sizeof(loads));
	assert_int_equal(series_tick(&s, 0)->nloads, 2);
	assert_int_equal(series_tick(&s, 0)->loads[1].count, 2);
	assert_int_equal(series_tick(&s, 0)->loads[1].query_id, 8);
	series_release(&s);
}

static void
test_texts(void **state)
{
	(void)state;
	struct series s = { .n = 0 };
	char buf[300];
	uint32_t a = series_intern(&s, "app", 3);
	assert_int_not_equal(a, 0);
	assert_int_equal(series_intern(&s, "app", 3), a);
	assert_int_equal(series_intern(&s, "", 0), 0);
	assert_string_equal(series_text(&s, a), "app");
	assert_string_equal(series_text(&s, 0), "");
	assert_string_equal(series_text(&s, 4000000), "");
	memset(buf, 'x', sizeof(buf));
	uint32_t cut = series_intern(&s, buf, sizeof(buf));
	assert_int_equal(strlen(series_text(&s, cut)), 128);
	/* Names that change with every session must not fill the memory. */
	for (int i = 0; i < 200000; i++) {
		int n = snprintf(buf, sizeof(buf), "job-%d", i);
		series_intern(&s, buf, (size_t)n);
	}
	assert_string_equal(series_text(&s, a), "app");
	assert_int_equal(series_intern(&s, "one too many", 12), 0);
	series_release(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_share_is_frozen),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_since),
		cmocka_unit_test(test_loads_are_copied),
		cmocka_unit_test(test_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
