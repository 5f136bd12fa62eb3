/* A series from a CSV text: what is read, and what is refused by which line. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "app/forecast_csv.h"
#include "base/compat.h"

#define DAY (86400 * INT64_C(1000000))

static struct csv_points points;
static struct error err;

static bool
parse(const char *text)
{
	csv_points_release(&points);
	err = (struct error){ 0 };
	return csv_points_parse(&points, text, strlen(text), &err);
}

static void
times_of_any_kind(void **state)
{
	static const char *const texts[] = { "2024-01-02,5", "2024-01-02T00:00:00Z,5",
		"2024-01-02 00:00:00,5", "2024-01-02T02:00:00.000+02:00,5", "1704153600,5.0",
		"1704153600.000,5e0", "1704153600000,5", "1704153600000000,5",
		"  \"1704153600\" ; \"5\" \r\n", "\xef\xbb\xbftime\tbytes\n1704153600\t5",
		"\n# a remark, with a comma\n\n1704153600\t5\n\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (!parse(texts[i]))
			fail_msg("%s: %s", texts[i], err.what);
		assert_int_equal(points.n, 1);
		assert_int_equal(points.items[0].at_us, 1704153600 * INT64_C(1000000));
		assert_true(points.items[0].bytes == 5);
	}
}

static void
headers_choose_columns(void **state)
{
	(void)state;
	assert_true(parse("time,bytes\n1704153600,5\n"));
	assert_int_equal(points.n, 1);
	assert_true(parse("database,Size_Bytes,rows,TIMESTAMP\nshop,7,1,1704153600\n"));
	assert_true(points.n == 1 && points.items[0].bytes == 7);
	assert_true(parse("when,how much\n1704153600,9\n"));
	assert_true(points.items[0].bytes == 9);
	assert_false(parse("a,b,c\n1704153600,9,1\n"));
	assert_non_null(strstr(err.what, "line 1: the header names no columns"));
}

static void
order_does_not_matter(void **state)
{
	(void)state;
	assert_true(
	    parse("1970-01-03,3\n1970-01-01,1\n1970-01-02,2\n1970-01-01,9\n1970-01-05,5\n"));
	assert_int_equal(points.n, 4);
	for (int i = 1; i < 4; i++)
		assert_true(points.items[i].at_us > points.items[i - 1].at_us);
	/* the last line of a time */
	assert_true(points.items[0].bytes == 9 && points.items[3].at_us == 4 * DAY);
}

static void
what_cannot_be_read_is_named(void **state)
{
	static const char *const cases[][2] = {
		{ "2024-01-01,1\n2024-01-02,nan\n", "line 2: nan is not a size" },
		{ "2024-01-01,1\n\n2024-01-02,-5\n", "line 3: a size cannot be negative: -5" },
		{ "2024-01-01,inf\n", "line 1: inf is not a size" },
		{ "2024-01-01,1e30\n", "line 1: 1e30 bytes is more than any disk" },
		{ "2024-01-01,0x10\n", "line 1: '0x10' is not a number of bytes" },
		{ "2024-01-01,12 GB\n", "line 1: '12 GB' is not a number of bytes" },
		{ "2024-01-01,\n", "line 1: '' is not a number of bytes" },
		{ "2024-13-01,5\n", "line 1: '2024-13-01' is not a time" },
		{ "2024-01-01,5\nyesterday,5\n", "line 2: 'yesterday' is not a time" },
		{ "2024-01-01,5\n2024-01-02\n", "line 2: 1 field instead of 2" },
		{ "2024-01-01,5,6\n", "line 1: 3 fields instead of 2" },
		{ "2024-01-01 5\n", "line 1: one field instead of 2" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_false(parse(cases[i][0]));
		assert_int_equal(err.code, ERR_FORMAT);
		assert_string_equal(err.what, cases[i][1]);
	}
}

static void
sizes_with_units(void **state)
{
	static const struct {
		const char *text;
		double bytes;
	} good[] = { { "500", 500 }, { "0.5kB", 512 }, { "2 GB", 2147483648.0 },
		{ "2GiB", 2147483648.0 }, { "1t", 1099511627776.0 }, { "1e3", 1000 },
		{ "3 B", 3 } };
	static const char *const bad[] = { "", "GB", "-1", "1XB", "1GBs", "nan", "0x10",
		"99999EB" };
	double v;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_true(csv_parse_bytes(good[i].text, &v));
		assert_true(v == good[i].bytes);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(csv_parse_bytes(bad[i], &v));
	csv_points_release(&points);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_of_any_kind),
		cmocka_unit_test(headers_choose_columns),
		cmocka_unit_test(order_does_not_matter),
		cmocka_unit_test(what_cannot_be_read_is_named),
		cmocka_unit_test(sizes_with_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
