/* Tests of base/grid.c. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/compat.h"
#include "base/grid.h"

static const struct column cols[] = {
	{ "pid", "PID", COL_INT, 0, COL_KEY, "" },
	{ "name", "NAME", COL_TEXT, 0, 0, "" },
	{ "value", "VALUE", COL_FLOAT, 0, 0, "" },
};

/* Rows of pid, name, value; a NULL name and a value below -1e9 are unknown. */
static void
add(struct grid *g, int64_t pid, const char *name, double value, uint8_t depth)
{
	struct grid_row *row = grid_add(g);

	row->cells[0] = cell_int(pid);
	row->cells[1] = cell_text(name);
	row->cells[2] = value < -1e9 ? cell_null(WHY_DENIED) : cell_float(value);
	row->depth = depth;
}

/* The pids in their order, each with its depth when that is not 0: "1 2+1". */
static const char *
order(struct grid *g)
{
	char *s = arena_strdup(&g->arena, "");

	for (int i = 0; i < g->nrows; i++) {
		s = arena_printf(&g->arena, "%s%s%d", s, i ? " " : "", (int)g->rows[i].cells[0].i);
		if (g->rows[i].depth)
			s = arena_printf(&g->arena, "%s+%d", s, g->rows[i].depth);
	}
	return s;
}

static void
sorts_both_ways_unknown_last(void **state)
{
	struct grid g;

	(void)state;
	grid_init(&g, cols, ARRAY_LEN(cols));
	add(&g, 1, "b", 3, 0);
	add(&g, 2, NULL, -2e9, 0);
	add(&g, 3, "A", 1, 0);
	add(&g, 4, "c", 2, 0);
	add(&g, 5, NULL, -2e9, 0);
	grid_sort(&g, 2, false);
	assert_string_equal(order(&g), "3 4 1 2 5");
	grid_sort(&g, 2, true);
	assert_string_equal(order(&g), "1 4 3 2 5");
	grid_sort(&g, 1, false);
	assert_string_equal(order(&g), "3 1 4 2 5");
	grid_sort(&g, 1, true);
	assert_string_equal(order(&g), "4 1 3 2 5");
	grid_sort(&g, -1, false);
	grid_sort(&g, 3, false);
	assert_string_equal(order(&g), "4 1 3 2 5");
	grid_release(&g);
}

/* Sorted by value with many equal ones, rows keep the order they had, in both directions and for
 * every size around the runs of the merge. */
static void
sorting_is_stable(void **state)
{
	struct grid g;
	uint32_t seed = 7;

	(void)state;
	grid_init(&g, cols, ARRAY_LEN(cols));
	for (int n = 0; n < 300; n += n < 70 ? 1 : 37) {
		for (int down = 0; down < 2; down++) {
			grid_reset(&g);
			for (int i = 0; i < n; i++) {
				seed = seed * 1103515245 + 12345;
				add(&g, i, "x", (double)(seed >> 16 & 3), 0);
			}
			grid_sort(&g, 2, down);
			assert_int_equal(g.nrows, n);
			for (int i = 1; i < n; i++) {
				const struct cell *a = g.rows[i - 1].cells, *b = g.rows[i].cells;

				if (a[2].f == b[2].f)
					assert_true(a[0].i < b[0].i);
				else
					assert_int_equal(a[2].f < b[2].f, !down);
			}
		}
	}
	grid_release(&g);
}

static void
trees_sort_siblings(void **state)
{
	struct grid g;

	(void)state;
	grid_init(&g, cols, ARRAY_LEN(cols));
	g.is_tree = true;
	add(&g, 1, "", 1, 0);
	add(&g, 2, "", 5, 1);
	add(&g, 3, "", 1, 2);
	add(&g, 4, "", 9, 2);
	add(&g, 5, "", 7, 1);
	add(&g, 6, "", 2, 0);
	add(&g, 7, "", 1, 1);
	add(&g, 8, "", 2, 0);
	grid_sort(&g, 2, true);
	assert_string_equal(order(&g), "6 7+1 8 1 5+1 2+1 4+2 3+2");
	grid_sort(&g, 2, false);
	assert_string_equal(order(&g), "1 2+1 3+2 4+2 5+1 6 7+1 8");
	grid_release(&g);
}

static void
odd_trees_lose_no_row(void **state)
{
	static const uint8_t depths[] = { 3, 1, 255, 2, 0, 5, 5, 4, 0, 1 };
	bool seen[ARRAY_LEN(depths)] = { false };
	struct grid g;

	(void)state;
	grid_init(&g, cols, ARRAY_LEN(cols));
	g.is_tree = true;
	for (size_t i = 0; i < ARRAY_LEN(depths); i++)
		add(&g, (int64_t)i, "", (double)(i * 7 % 10), depths[i]);
	grid_sort(&g, 2, true);
	for (size_t i = 0; i < ARRAY_LEN(depths); i++)
		seen[g.rows[i].cells[0].i] = true;
	for (size_t i = 0; i < ARRAY_LEN(depths); i++)
		assert_true(seen[i]);
	grid_release(&g);
}

static void
keys_follow_the_identity(void **state)
{
	struct grid g;
	uint64_t one;

	(void)state;
	grid_init(&g, cols, ARRAY_LEN(cols));
	add(&g, 1, "a", 1, 0);
	add(&g, 2, "a", 1, 0);
	grid_seal(&g);
	one = g.rows[0].key;
	assert_true(one != g.rows[1].key);
	assert_int_equal(g.total, 2);
	grid_reset(&g);
	assert_int_equal(g.total, 0);
	add(&g, 1, "changed", 9, 0);
	grid_seal(&g);
	assert_true(g.rows[0].key == one);
	grid_release(&g);
	/* Without key columns each row still has one of its own. */
	grid_init(&g, cols + 1, 1);
	grid_add(&g)->cells[0] = cell_text("same");
	grid_add(&g)->cells[0] = cell_text("same");
	grid_seal(&g);
	assert_true(g.rows[0].key != g.rows[1].key);
	grid_release(&g);
}

static void
facts_and_notes_are_copied(void **state)
{
	char text[] = "before", name[] = "who";
	int64_t list[] = { 1, 2 };
	struct grid g;

	(void)state;
	grid_init(&g, cols, ARRAY_LEN(cols));
	grid_fact(&g, name, COL_TEXT, cell_text(text));
	grid_fact(&g, "list", COL_INTS, (struct cell){ .ints = list, .len = 2, .type = CELL_INTS });
	grid_notef(&g, "denied", NULL, "cannot see %s", text);
	memset(text, 'x', 6);
	memset(name, 'x', 3);
	list[0] = 9;
	assert_true(cell_is(&grid_fact_get(&g, "who")->value, "before"));
	assert_int_equal(grid_fact_get(&g, "list")->value.ints[0], 1);
	assert_null(grid_fact_get(&g, "none"));
	assert_string_equal(g.notes[0].what, "cannot see before");
	assert_string_equal(g.notes[0].hint, "");
	assert_int_equal(grid_col(&g, "value"), 2);
	assert_int_equal(grid_col(&g, "nothing"), -1);
	grid_release(&g);
	grid_release(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorts_both_ways_unknown_last),
		cmocka_unit_test(sorting_is_stable),
		cmocka_unit_test(trees_sort_siblings),
		cmocka_unit_test(odd_trees_lose_no_row),
		cmocka_unit_test(keys_follow_the_identity),
		cmocka_unit_test(facts_and_notes_are_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
