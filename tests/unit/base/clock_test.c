/* Tests of base/clock.c. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

static void
check(const char *text, int64_t us, const char *shown)
{
	struct wall t = { -1 };
	char buf[64];

	assert_true(wall_parse(text, &t));
	if (t.us != us)
		fail_msg("%s is %lld, not %lld", text, (long long)t.us, (long long)us);
	assert_string_equal(wall_rfc3339(t, buf, sizeof(buf)), shown);
}

static void
reads_and_writes_rfc3339(void **state)
{
	(void)state;
	check("1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z");
	check("2026-11-21T07:27:12.123456Z", INT64_C(1795246032123456),
	    "2026-11-21T07:27:12.123456Z");
	check("2026-11-21 07:27:12.5z", INT64_C(1795246032500000), "2026-11-21T07:27:12.500000Z");
	check("2026-11-21t07:27", INT64_C(1795246020000000), "2026-11-21T07:27:00Z");
	check("2026-11-21", INT64_C(1795219200000000), "2026-11-21T00:00:00Z");
	check("2026-11-21T07:27:12.1234569Z", INT64_C(1795246032123456),
	    "2026-11-21T07:27:12.123456Z");
}

static void
offsets_count_from_utc(void **state)
{
	(void)state;
	check("2026-11-21T07:27:12+01:00", INT64_C(1795242432000000), "2026-11-21T06:27:12Z");
	check("2026-11-21T23:30:00-0330", INT64_C(1795316400000000), "2026-11-22T03:00:00Z");
	check("2026-01-01T00:30:00+01", INT64_C(1767223800000000), "2025-12-31T23:30:00Z");
}

static void
leap_days_and_seconds(void **state)
{
	struct wall t;

	(void)state;
	check("2024-02-29T12:00:00Z", INT64_C(1709208000000000), "2024-02-29T12:00:00Z");
	check("2000-02-29T00:00:00Z", INT64_C(951782400000000), "2000-02-29T00:00:00Z");
	check("2016-12-31T23:59:60Z", INT64_C(1483228800000000), "2017-01-01T00:00:00Z");
	assert_false(wall_parse("2023-02-29", &t));
	assert_false(wall_parse("1900-02-29", &t));
	assert_false(wall_parse("2100-02-29", &t));
}

static void
before_the_epoch(void **state)
{
	char buf[64];

	(void)state;
	check("1969-12-31T23:59:59.999999Z", -1, "1969-12-31T23:59:59.999999Z");
	check("1600-03-01T00:00:00Z", INT64_C(-11670912000000000), "1600-03-01T00:00:00Z");
	check("0001-01-01", INT64_C(-62135596800000000), "0001-01-01T00:00:00Z");
	assert_string_equal(wall_hms((struct wall){ -1 }, buf, sizeof(buf)), "23:59:59Z");
}

static void
epoch_seconds(void **state)
{
	struct wall t;

	(void)state;
	check("@0", 0, "1970-01-01T00:00:00Z");
	check("@1795246032.25", INT64_C(1795246032250000), "2026-11-21T07:27:12.250000Z");
	check("1795246032", INT64_C(1795246032000000), "2026-11-21T07:27:12Z");
	check("@-1.5", INT64_C(-1500000), "1969-12-31T23:59:58.500000Z");
	check("253402300799", INT64_C(253402300799000000), "9999-12-31T23:59:59Z");
	assert_false(wall_parse("253402300800", &t));
	assert_false(wall_parse("99999999999999999999999999", &t));
}

static void
refuses_nonsense(void **state)
{
	static const char *const texts[] = { "", "@", "-", "@.5", "now", "2026-", "2026-13-01",
		"2026-00-10", "2026-01-32", "2026-01-00", "2026-1-1", "2026-01-01T",
		"2026-01-01T24:00", "2026-01-01T10:60", "2026-01-01T10:00:61",
		"2026-01-01T10:00:00+24:00", "2026-01-01T10:00:00+01:00x", "2026-01-01T10:00:00.Z",
		"2026-01-01x", "2026-01-01T10:00:00 Z", "9999-12-31T23:59:59-01:00",
		"0000-01-01T00:00:00+01:00", "@-62167219201", "12x", "1.",
		"2026-01-01T10:00:00Zx" };
	struct wall t;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (wall_parse(texts[i], &t))
			fail_msg("\"%s\" was taken for a time", texts[i]);
}

static void
the_ends_of_the_range(void **state)
{
	char buf[32];

	(void)state;
	assert_string_equal(wall_rfc3339((struct wall){ INT64_MAX }, buf, sizeof(buf)), "infinity");
	assert_string_equal(
	    wall_rfc3339((struct wall){ INT64_MIN }, buf, sizeof(buf)), "-infinity");
	assert_string_equal(wall_rfc3339((struct wall){ INT64_MAX - 1 }, buf, sizeof(buf)),
	    "294247-01-10T04:00:54.775806Z");
	assert_string_equal(wall_hms((struct wall){ INT64_MAX }, buf, sizeof(buf)), "infinity");
}

/* Every day of 800 years there and back: the calendar's whole cycle twice. */
static void
every_day_comes_back(void **state)
{
	char buf[64];
	struct wall t;

	(void)state;
	for (int64_t day = -146097; day < 146097; day++) {
		int64_t us = day * INT64_C(86400000000) + 1;

		wall_rfc3339((struct wall){ us }, buf, sizeof(buf));
		assert_true(wall_parse(buf, &t));
		assert_int_equal(t.us, us);
	}
}

static void
the_wall_clock_can_be_frozen(void **state)
{
	char buf[64];

	(void)state;
	setenv("PGMEDIC_NOW", "2026-11-21T07:27:12Z", 1);
	assert_string_equal(wall_rfc3339(wall_now(), buf, sizeof(buf)), "2026-11-21T07:27:12Z");
	setenv("PGMEDIC_NOW", "nonsense", 1);
	assert_true(wall_now().us > INT64_C(1600000000000000));
	unsetenv("PGMEDIC_NOW");
	assert_true(wall_now().us > INT64_C(1600000000000000));
}

static void
the_monotonic_clock_goes_on(void **state)
{
	struct mono a = mono_now(), b = mono_now();

	(void)state;
	assert_true(a.us > 0);
	assert_true(b.us >= a.us);
	assert_int_equal(mono_since_ms((struct mono){ 5000 }, (struct mono){ 2000 }), 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_and_writes_rfc3339),
		cmocka_unit_test(offsets_count_from_utc),
		cmocka_unit_test(leap_days_and_seconds),
		cmocka_unit_test(before_the_epoch),
		cmocka_unit_test(epoch_seconds),
		cmocka_unit_test(refuses_nonsense),
		cmocka_unit_test(the_ends_of_the_range),
		cmocka_unit_test(every_day_comes_back),
		cmocka_unit_test(the_wall_clock_can_be_frozen),
		cmocka_unit_test(the_monotonic_clock_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
