/* Spans of time as users write them, and the buckets of their charts. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/spans.h"

static void
reads_what_it_writes(void **state)
{
	char buf[24];
	int s;

	(void)state;
	for (const struct span *p = spans; p->name; p++) {
		assert_true(span_read(p->name, &s));
		assert_int_equal(s, p->seconds);
		assert_string_equal(span_text(s, buf, sizeof(buf)), p->name);
	}
	assert_true(span_read("90", &s) && s == 90);
	assert_true(span_read("1.5h", &s) && s == 5400);
	assert_true(span_read("2w", &s) && s == 14 * 86400);
	assert_string_equal(span_text(90, buf, sizeof(buf)), "90s");
	assert_string_equal(span_text(0, buf, sizeof(buf)), "0s");
}

static void
refuses_the_rest(void **state)
{
	static const char *const bad[] = { "", "h", "5x", "-5m", "0", "5 m", "nan", "1e9", "10y",
		"5mm" };
	int s;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(span_read(bad[i], &s));
}

static void
steps_along(void **state)
{
	int s = 300, n = 0;

	(void)state;
	while (span_step(s, true) != s && n++ < 20)
		s = span_step(s, true);
	assert_int_equal(s, 365 * 86400);
	while (span_step(s, false) != s && n++ < 40)
		s = span_step(s, false);
	assert_int_equal(s, 300);
	assert_int_equal(span_step(4000, true), 6 * 3600);
	assert_int_equal(span_step(4000, false), 3600);
}

/* As many as a chart can use, and wide enough to be round. */
static void
buckets_fit(void **state)
{
	(void)state;
	for (int s = 60; s <= SPAN_MAX_S; s += s / 7 + 1) {
		int n = s / span_bucket_s(s);

		assert_in_range(n, 12, 370);
		assert_true(86400 % span_bucket_s(s) == 0);
	}
	assert_int_equal(span_bucket_s(300), 5);
	assert_int_equal(span_bucket_s(365 * 86400), 86400);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_it_writes),
		cmocka_unit_test(refuses_the_rest),
		cmocka_unit_test(steps_along),
		cmocka_unit_test(buckets_fit),
	};

	return cmocka_run_group_tests_name("model/spans", tests, NULL, NULL);
}
