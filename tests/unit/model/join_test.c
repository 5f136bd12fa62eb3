/* Joining two samples: order, new and gone rows, keys that are unknown. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "model/join.h"

static const char *const names[] = { "a", "b" };
static const uint8_t types[] = { CELL_INT, CELL_INT };

static struct rowset *
rows(const int64_t (*keys)[2], int n)
{
	struct rowset *rs = rowset_new(2, names, types);

	for (int i = 0; i < n; i++) {
		struct cell *c = rowset_add(rs);
		c[0] = keys[i][0] < 0 ? cell_null(WHY_NONE) : cell_int(keys[i][0]);
		c[1] = keys[i][1] < 0 ? cell_null(WHY_NONE) : cell_int(keys[i][1]);
	}
	return rs;
}

static void
finds(void **state)
{
	static const int64_t before[][2] = { { 1, 1 }, { 2, -1 }, { 2, 1 }, { 3, 1 }, { -1, 1 } };
	static const int64_t after[][2] = { { 9, 1 }, { 1, 1 }, { 3, 1 }, { 2, 1 }, { -1, 1 },
		{ 2, -1 }, { 1, 2 } };
	struct rowset *prev = rows(before, 5), *cur = rows(after, 7);
	struct arena arena = { 0 };
	int *found = join_rows(&arena, cur, prev, names, 2);

	(void)state;
	assert_int_equal(found[0], -1);
	assert_int_equal(found[1], 0);
	assert_int_equal(found[2], 3);
	assert_int_equal(found[3], 2);
	assert_int_equal(found[4], -1); /* no first key, no identity */
	assert_int_equal(found[5], 1);  /* NULL equals NULL in the others */
	assert_int_equal(found[6], -1);
	found = join_rows(&arena, cur, NULL, names, 2);
	assert_int_equal(found[1], -1);
	arena_release(&arena);
	rowset_unref(prev);
	rowset_unref(cur);
}

/* Against the obvious way, on random rows. */
static void
agrees_with_a_search(void **state)
{
	struct arena arena = { 0 };
	int64_t before[200][2], after[200][2];

	(void)state;
	srand(7);
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < 200; i++) {
			before[i][0] = i * 3 + round % 3;
			before[i][1] = rand() % 2;
			after[i][0] = (i * 3 + rand() % 5);
			after[i][1] = rand() % 2;
		}
		struct rowset *prev = rows(before, 200), *cur = rows(after, 200);
		int *found = join_rows(&arena, cur, prev, names, 2);
		for (int i = 0; i < 200; i++) {
			int want = -1;
			for (int k = 0; k < 200; k++)
				if (before[k][0] == after[i][0] && before[k][1] == after[i][1])
					want = k;
			assert_int_equal(found[i], want);
		}
		rowset_unref(prev);
		rowset_unref(cur);
	}
	arena_release(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds),
		cmocka_unit_test(agrees_with_a_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
