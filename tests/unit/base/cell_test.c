/* Tests of base/cell.c. */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cell.h"

static int
cmp(struct cell a, struct cell b)
{
	int there = cell_cmp(&a, &b), back = cell_cmp(&b, &a);

	assert_int_equal(there < 0 ? -1 : there > 0, -(back < 0 ? -1 : back > 0));
	return there < 0 ? -1 : there > 0;
}

static void
types_have_an_order(void **state)
{
	static const int64_t list[] = { 1 };
	struct cell ints = { .ints = list, .len = 1, .type = CELL_INTS };

	(void)state;
	assert_int_equal(cmp(cell_null(WHY_NONE), cell_int(INT64_MIN)), -1);
	assert_int_equal(cmp(cell_float(NAN), cell_text("")), -1);
	assert_int_equal(cmp(cell_text("zzz"), ints), -1);
	assert_int_equal(cmp(cell_null(WHY_NONE), cell_null(WHY_DENIED)), 0);
}

static void
numbers_are_exact(void **state)
{
	(void)state;
	/* Neighbours that one double cannot tell apart. */
	assert_int_equal(
	    cmp(cell_int(INT64_C(9007199254740993)), cell_int(INT64_C(9007199254740992))), 1);
	assert_int_equal(
	    cmp(cell_int(INT64_C(9007199254740993)), cell_float(9007199254740992.0)), 1);
	assert_int_equal(cmp(cell_int(INT64_MAX), cell_float(0x1p63)), -1);
	assert_int_equal(cmp(cell_int(2), cell_float(2.0)), 0);
	assert_int_equal(cmp(cell_float(INFINITY), cell_float(NAN)), -1);
	assert_int_equal(cmp(cell_float(NAN), cell_float(NAN)), 0);
	assert_int_equal(cmp(cell_float(-INFINITY), cell_int(INT64_MIN)), -1);
}

static void
texts_are_case_blind_first(void **state)
{
	(void)state;
	assert_int_equal(cmp(cell_text("apple"), cell_text("Banana")), -1);
	assert_int_equal(cmp(cell_text("APPLE"), cell_text("apple")), -1);
	assert_int_equal(cmp(cell_text("app"), cell_text("APPLE")), -1);
	assert_int_equal(cmp(cell_text("a"), cell_text("\xc3\xa4")), -1);
	assert_int_equal(cmp(cell_textn("a\0b", 3), cell_textn("a\0c", 3)), -1);
	assert_int_equal(cmp(cell_text(""), cell_text("")), 0);
}

static void
equality_knows_the_reason(void **state)
{
	struct cell a = cell_null(WHY_DENIED), b = cell_null(WHY_NODATA), c = cell_int(1),
	            d = cell_bool(1);

	(void)state;
	assert_false(cell_equal(&a, &b));
	assert_true(cell_equal(&a, &a));
	assert_false(cell_equal(&c, &d));
	a = cell_float(NAN);
	assert_true(cell_equal(&a, &a));
	a = cell_text("x");
	b = cell_text("X");
	assert_false(cell_equal(&a, &b));
}

static void
reading_values(void **state)
{
	struct cell f = cell_float(1e300), n = cell_float(NAN), t = cell_text("yes"),
	            b = cell_bool(true);

	(void)state;
	assert_int_equal(cell_i64(&f, -1), -1);
	assert_int_equal(cell_i64(&n, -1), -1);
	assert_int_equal(cell_i64(&t, 7), 7);
	assert_int_equal(cell_i64(&b, 7), 1);
	f = cell_float(-2.9);
	assert_int_equal(cell_i64(&f, 0), -2);
	assert_true(cell_is(&t, "yes"));
	assert_false(cell_is(&t, "ye"));
	t = cell_text(NULL);
	assert_true(cell_is_null(&t));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_have_an_order),
		cmocka_unit_test(numbers_are_exact),
		cmocka_unit_test(texts_are_case_blind_first),
		cmocka_unit_test(equality_knows_the_reason),
		cmocka_unit_test(reading_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
