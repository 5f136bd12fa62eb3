/* Tests of base/grid_value.c. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/compat.h"
#include "base/grid.h"

static void
reads(const char *word, enum column_kind kind, double v)
{
	struct cell c;

	if (!grid_value_read(word, kind, &c))
		fail_msg("%s was not read", word);
	if (cell_num(&c, -1) != v)
		fail_msg("%s is %.17g, not %.17g", word, cell_num(&c, -1), v);
}

static void
numbers_with_units(void **state)
{
	(void)state;
	reads("12", COL_SECONDS, 12);
	reads("1.5", COL_FLOAT, 1.5);
	reads(".5", COL_FLOAT, 0.5);
	reads("0.1", COL_FLOAT, 0.1);
	reads("-3", COL_COUNT, -3);
	reads("+3.5", COL_COUNT, 3.5);
	reads("10s", COL_SECONDS, 10);
	reads("1h30m", COL_SECONDS, 5400);
	reads("1d12h", COL_SECONDS, 129600);
	reads("250us", COL_MS, 0.25);
	reads("2min", COL_MS, 120000);
	reads("-1m30s", COL_SECONDS, -90);
	reads("3mb", COL_BYTES, 3 << 20);
	reads("1.5gib", COL_BYTES, 1.5 * (1 << 30));
	reads("8kb", COL_BYTES, 8192);
	reads("2k", COL_COUNT, 2000);
	reads("1.5m", COL_COUNT, 1.5e6);
	reads("95%", COL_PCT, 95);
	reads("yes", COL_BOOL, 1);
	reads("off", COL_BOOL, 0);
	reads("16/b374d848", COL_LSN, (double)INT64_C(0x16b374d848));
	reads("1970-01-02", COL_TIME, 86400e6);
}

static void
integers_are_exact(void **state)
{
	struct cell c;

	(void)state;
	assert_true(grid_value_read("9223372036854775807", COL_INT, &c));
	assert_int_equal(c.type, CELL_INT);
	assert_true(c.i == INT64_MAX);
	assert_true(grid_value_read("-9223372036854775808", COL_INT, &c));
	assert_true(c.type == CELL_INT && c.i == INT64_MIN);
	/* Beyond that, near enough. */
	assert_true(grid_value_read("9223372036854775808", COL_INT, &c));
	assert_int_equal(c.type, CELL_FLOAT);
}

static void
nonsense_is_refused(void **state)
{
	static const struct {
		const char *word;
		enum column_kind kind;
	} cases[] = { { "", COL_INT }, { "-", COL_INT }, { "x", COL_INT }, { "12x", COL_SECONDS },
		{ "1m2", COL_SECONDS }, { "1mm", COL_SECONDS }, { "--1", COL_INT },
		{ "3mb", COL_SECONDS }, { "10s", COL_BYTES }, { "0x10", COL_INT },
		{ "1e5", COL_FLOAT }, { "nan", COL_FLOAT }, { "inf", COL_FLOAT },
		{ "1 s", COL_SECONDS }, { "/", COL_LSN }, { "1/", COL_LSN },
		{ "123456789/0", COL_LSN }, { "maybe", COL_BOOL }, { "1,5", COL_FLOAT },
		{ "1.2.3s", COL_SECONDS }, { ".", COL_FLOAT }, { ".s", COL_SECONDS } };
	struct cell c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (grid_value_read(cases[i].word, cases[i].kind, &c))
			fail_msg("\"%s\" was read as %g", cases[i].word, cell_num(&c, -1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_with_units),
		cmocka_unit_test(integers_are_exact),
		cmocka_unit_test(nonsense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
