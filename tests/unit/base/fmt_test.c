/* Tests of base/fmt.c. */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/compat.h"
#include "base/fmt.h"

typedef const char *formatter(char *buf, size_t size, double v);

struct fmt_case {
	double v;
	const char *text;
};

static void
check(formatter *f, const struct fmt_case *cases, size_t n)
{
	char buf[32];

	for (size_t i = 0; i < n; i++)
		if (strcmp(f(buf, sizeof(buf), cases[i].v), cases[i].text) != 0)
			fail_msg("%.17g is \"%s\", not \"%s\"", cases[i].v, buf, cases[i].text);
}

static void
bytes(void **state)
{
	static const struct fmt_case cases[] = { { 0, "0" }, { 1, "1" }, { 812, "812" },
		{ 1023, "1023" }, { 1023.6, "1.0K" }, { 1024, "1.0K" }, { 1229, "1.2K" },
		{ 36175872, "34.5M" }, { 102348, "99.9K" }, { 102400, "100K" }, { 1048575, "1.0M" },
		{ 0x1p40, "1.0T" }, { 0x1p63, "8.0E" }, { -1536, "-1.5K" }, { -0.2, "0" },
		{ 1e30, "huge" }, { NAN, "-" }, { INFINITY, "inf" }, { -INFINITY, "-inf" } };

	(void)state;
	check(fmt_bytes, cases, ARRAY_LEN(cases));
}

static void
counts(void **state)
{
	static const struct fmt_case cases[] = { { 0, "0" }, { 999, "999" }, { 999.4, "999" },
		{ 999.5, "1.0k" }, { 1000, "1.0k" }, { 12345, "12.3k" }, { 4500000, "4.5M" },
		{ 999499, "999k" }, { 999500, "1.0M" }, { 1.2e9, "1.2G" }, { -12345, "-12.3k" },
		{ NAN, "-" } };

	(void)state;
	check(fmt_count, cases, ARRAY_LEN(cases));
}

static void
rates(void **state)
{
	static const struct fmt_case cases[] = { { 0, "0" }, { 0.001, "0.00" }, { 0.25, "0.25" },
		{ 9.994, "9.99" }, { 9.996, "10.0" }, { 99.94, "99.9" }, { 99.96, "100" },
		{ 12345, "12.3k" }, { -0.5, "-0.50" } };

	(void)state;
	check(fmt_rate, cases, ARRAY_LEN(cases));
}

static void
seconds(void **state)
{
	static const struct fmt_case cases[] = { { 0, "0" }, { 0.0001, "0.000" },
		{ 0.004, "0.004" }, { 0.9994, "0.999" }, { 0.9996, "1.00" }, { 1.23, "1.23" },
		{ 9.999, "10.0" }, { 59.9, "59.9" }, { 59.96, "1:00" }, { 60, "1:00" },
		{ 754, "12:34" }, { 754.99, "12:34" }, { 3599, "59:59" }, { 3600, "1:00:00" },
		{ 11045, "3:04:05" }, { 35999, "9:59:59" }, { 36000, "10h00m" },
		{ 45240, "12h34m" }, { 86399, "23h59m" }, { 86400, "1d00h" }, { 356400, "4d03h" },
		{ 356399, "4d02h" }, { 8639999, "99d23h" }, { 8640000, "100d" },
		{ 10368000, "120d" }, { 86400.0 * 999999, "999999d" },
		{ 86400.0 * 1000000, "2737y" }, { 1e300, "huge" }, { -0.004, "-0.004" },
		{ -0.0001, "0.000" }, { -59.9, "-59.9" }, { -11045, "-3h04m" },
		{ -8640000, "-100d" }, { NAN, "-" }, { INFINITY, "inf" }, { -INFINITY, "-inf" } };

	(void)state;
	check(fmt_seconds, cases, ARRAY_LEN(cases));
}

static void
milliseconds(void **state)
{
	static const struct fmt_case cases[] = { { 0, "0" }, { 0.02, "0.02" }, { 1.5, "1.50" },
		{ 9.996, "10.0" }, { 45.61, "45.6" }, { 99.96, "100" }, { 123.4, "123" },
		{ 999.6, "1.0s" }, { 12300, "12.3s" }, { 59960, "1:00" }, { 184000, "3:04" },
		{ 3.6e6, "1:00:00" }, { -1.5, "-1.50" }, { NAN, "-" } };

	(void)state;
	check(fmt_ms, cases, ARRAY_LEN(cases));
}

static void
percentages(void **state)
{
	static const struct fmt_case cases[] = { { 0, "0.0" }, { 0.04, "0.0" }, { 12.34, "12.3" },
		{ 99.94, "99.9" }, { 99.96, "100" }, { 100, "100" }, { 250.4, "250" },
		{ -1.26, "-1.3" }, { 1e12, "huge" }, { NAN, "-" } };

	(void)state;
	check(fmt_pct, cases, ARRAY_LEN(cases));
}

static void
floats(void **state)
{
	static const struct fmt_case cases[] = { { 0, "0" }, { 0.000123, "0.00012" },
		{ 0.1234, "0.123" }, { 0.9996, "1.00" }, { 12.345678, "12.35" },
		{ 1234.56, "1234.6" }, { 123456.7, "123457" }, { 1e14, "100000000000000" },
		{ 1e15, "1.0e+15" }, { 9.99e17, "1.0e+18" }, { 1.25e300, "1.3e+300" },
		{ -0.5, "-0.500" }, { NAN, "-" }, { -INFINITY, "-inf" } };

	(void)state;
	check(fmt_float, cases, ARRAY_LEN(cases));
}

/* No value of any size and sign passes the columns that the header promises. */
static void
widths_hold(void **state)
{
	static const struct {
		formatter *f;
		size_t columns;
	} all[] = { { fmt_bytes, 6 }, { fmt_count, 6 }, { fmt_rate, 6 }, { fmt_seconds, 7 },
		{ fmt_ms, 7 }, { fmt_pct, 7 } };
	char buf[32];

	(void)state;
	for (int e = -40; e < 120; e++) {
		for (int m = 1000; m < 10000; m += 7) {
			double v = m * pow(10, e / 2.0 - 3);

			for (size_t i = 0; i < ARRAY_LEN(all); i++) {
				if (strlen(all[i].f(buf, sizeof(buf), v)) > all[i].columns)
					fail_msg("%zu: %.17g is \"%s\"", i, v, buf);
				if (strlen(all[i].f(buf, sizeof(buf), -v)) > all[i].columns)
					fail_msg("%zu: %.17g is \"%s\"", i, -v, buf);
			}
			if (v < 999999 && strlen(fmt_float(buf, sizeof(buf), -v)) > 7)
				fail_msg("%.17g is \"%s\"", -v, buf);
		}
	}
}

static void
integers_and_positions(void **state)
{
	char buf[32];

	(void)state;
	assert_string_equal(fmt_int(buf, sizeof(buf), 0), "0");
	assert_string_equal(fmt_int(buf, sizeof(buf), INT64_MAX), "9223372036854775807");
	assert_string_equal(fmt_int(buf, sizeof(buf), INT64_MIN), "-9223372036854775808");
	assert_string_equal(fmt_lsn(buf, sizeof(buf), 0), "0/0");
	assert_string_equal(fmt_lsn(buf, sizeof(buf), INT64_C(0x16B374D848)), "16/B374D848");
	assert_string_equal(fmt_lsn(buf, sizeof(buf), -1), "FFFFFFFF/FFFFFFFF");
	assert_string_equal(fmt_int(buf, 4, 123456), "123");
}

static void
spans(void **state)
{
	char buf[32];

	(void)state;
	assert_string_equal(fmt_span(buf, sizeof(buf), 0.004), "0.004 s");
	assert_string_equal(fmt_span(buf, sizeof(buf), 50.8), "50.8 s");
	assert_string_equal(fmt_span(buf, sizeof(buf), 754), "12:34");
	assert_string_equal(fmt_span(buf, sizeof(buf), 86400 * 120.0), "120d");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes),
		cmocka_unit_test(counts),
		cmocka_unit_test(rates),
		cmocka_unit_test(seconds),
		cmocka_unit_test(spans),
		cmocka_unit_test(milliseconds),
		cmocka_unit_test(percentages),
		cmocka_unit_test(floats),
		cmocka_unit_test(widths_hold),
		cmocka_unit_test(integers_and_positions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
