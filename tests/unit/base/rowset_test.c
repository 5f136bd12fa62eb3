/* Tests of base/rowset.c. */
#include "config.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rowset.h"

static const char *const names[] = { "pid", "query", "blocked" };
static const uint8_t types[] = { CELL_INT, CELL_TEXT, CELL_INTS };

static void
rows_start_unknown(void **state)
{
	struct rowset *rs = rowset_new(3, names, types);
	struct cell *row = NULL;

	(void)state;
	for (int i = 0; i < 100; i++) {
		row = rowset_add(rs);
		assert_true(cell_is_null(&row[0]) && cell_is_null(&row[2]));
		row[0] = cell_int(i);
		row[1] = cell_text(arena_printf(&rs->arena, "query %d", i));
	}
	assert_int_equal(rs->nrows, 100);
	assert_int_equal(rowset_row(rs, 57)[0].i, 57);
	assert_true(cell_is(rowset_get(rs, 57, "query"), "query 57"));
	rowset_unref(rs);
}

static void
columns_by_name(void **state)
{
	struct rowset *rs = rowset_new(3, names, types);
	static const char *const wanted[] = { "blocked", "nothing", "pid" };
	int index[3];

	(void)state;
	rowset_add(rs);
	rowset_cols(rs, wanted, 3, index);
	assert_int_equal(index[0], 2);
	assert_int_equal(index[1], -1);
	assert_int_equal(index[2], 0);
	assert_int_equal(rowset_cell(rs, 0, index[1])->why, WHY_UNSUPPORTED);
	assert_int_equal(rowset_cell(rs, 5, 0)->why, WHY_UNSUPPORTED);
	assert_int_equal(rowset_cell(rs, 0, 0)->why, WHY_NONE);
	assert_ptr_not_equal(rs->names[0], names[0]);
	rowset_unref(rs);
	rowset_unref(NULL);
}

static void
no_columns_at_all(void **state)
{
	struct rowset *rs = rowset_new(0, NULL, NULL);

	(void)state;
	rowset_add(rs);
	rowset_add(rs);
	assert_int_equal(rs->nrows, 2);
	assert_int_equal(rowset_col(rs, "x"), -1);
	rowset_unref(rs);
}

static void *
hold_and_let_go(void *arg)
{
	for (int i = 0; i < 20000; i++)
		rowset_unref(rowset_ref(arg));
	return NULL;
}

static void
references_from_threads(void **state)
{
	struct rowset *rs = rowset_new(3, names, types);
	pthread_t threads[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hold_and_let_go, rs), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&rs->refs), 1);
	rowset_unref(rs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_start_unknown),
		cmocka_unit_test(columns_by_name),
		cmocka_unit_test(no_columns_at_all),
		cmocka_unit_test(references_from_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
