/* Tests of panes/view.c: what is filled when, the cursor, tags, sort, filter, columns. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/compat.h"
#include "panes/view.h"

static const struct column cols[] = {
	{ "pid", "PID", COL_INT, 0, COL_KEY | COL_FIXED, "" },
	{ "user", "USER", COL_TEXT, 0, 0, "" },
	{ "age_s", "AGE", COL_SECONDS, 0, 0, "" },
	{ "user_id", "ID", COL_INT, 0, COL_HIDDEN, "" },
};
static int nrows = 5, first;

static void
fill(const struct pane_ctx *ctx, struct grid *grid)
{
	(void)ctx;
	for (int i = first; i < first + nrows; i++) {
		struct grid_row *row = grid_add(grid);
		row->cells[0] = cell_int(100 + i);
		row->cells[1] = cell_text(i % 2 ? "odd" : "even");
		row->cells[2] = cell_float(10.0 * i);
		row->cells[3] = cell_int(i);
	}
}

static const enum probe_id probes[] = { PROBE_SETTINGS };
static const struct pane lively = { .name = "lively",
	.columns = cols,
	.ncolumns = ARRAY_LEN(cols),
	.sort = "age_s",
	.sort_descending = true,
	.fill = fill };
static const struct pane steady = { .name = "steady",
	.columns = cols,
	.ncolumns = ARRAY_LEN(cols),
	.probes = probes,
	.nprobes = 1,
	.is_steady = true,
	.fill = fill };

static struct view view;
static struct snapshot *snap;

static struct snapshot *
make(uint64_t seq)
{
	struct snapshot *s = snapshot_new();
	s->seq = seq;
	return s;
}

static int
setup(void **state)
{
	(void)state;
	nrows = 5;
	first = 0;
	view_init(&view, &lively);
	snap = make(1);
	view_update(&view, snap, (struct mono){ 1 });
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	view_release(&view);
	snapshot_unref(snap);
	return 0;
}

static int64_t
pid_at(int row)
{
	return view.grid.rows[row].cells[0].i;
}

static void
next_snapshot(void)
{
	struct snapshot *s = make(snap->seq + 1);
	snapshot_unref(snap);
	snap = s;
	view_update(&view, snap, (struct mono){ 1 });
}

static void
filled_once_a_snapshot(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(view.fills, 1);
	assert_false(view_update(&view, snap, (struct mono){ 2 }));
	assert_true(view_filter(&view, "odd", &err));
	assert_true(view_update(&view, snap, (struct mono){ 2 }));
	assert_int_equal(view.grid.nrows, 2);
	assert_int_equal(view.grid.total, 5);
	assert_true(view_filter(&view, "", &err));
	view_update(&view, snap, (struct mono){ 2 });
	assert_int_equal(view.grid.nrows, 5);
	assert_int_equal(view.fills, 1);
	next_snapshot();
	assert_int_equal(view.fills, 2);
	view_stale(&view);
	view_update(&view, snap, (struct mono){ 2 });
	assert_int_equal(view.fills, 3);
}

static void
steady_panes_wait_for_their_probes(void **state)
{
	struct view v;
	struct snapshot *a = make(1), *b = make(2);

	(void)state;
	view_init(&v, &steady);
	view_update(&v, a, (struct mono){ 1 });
	assert_false(view_update(&v, b, (struct mono){ 1 }));
	assert_int_equal(v.fills, 1);
	b->link = LINK_DOWN;
	assert_true(view_update(&v, b, (struct mono){ 1 }));
	assert_int_equal(v.fills, 2);
	view_drop(&v);
	assert_int_equal(v.grid.nrows, 0);
	assert_true(view_update(&v, b, (struct mono){ 1 }));
	assert_int_equal(v.grid.nrows, 5);
	view_release(&v);
	snapshot_unref(a);
	snapshot_unref(b);
}

static void
the_cursor_stays_on_its_row(void **state)
{
	(void)state;
	assert_int_equal(pid_at(0), 104);
	view_goto(&view, 2);
	assert_int_equal(view_row_pid(&view, view_row(&view)), 102);
	view_sort_invert(&view);
	view_update(&view, snap, (struct mono){ 2 });
	assert_int_equal(view_row_pid(&view, view_row(&view)), 102);
	/* Rows come and go around it. */
	first = 2;
	next_snapshot();
	assert_int_equal(view_row_pid(&view, view_row(&view)), 102);
	/* It goes: the cursor keeps its place. */
	first = 10;
	next_snapshot();
	assert_non_null(view_row(&view));
	nrows = 0;
	next_snapshot();
	assert_null(view_row(&view));
	view_goto(&view, 3);
	assert_null(view_row(&view));
	nrows = 5;
	next_snapshot();
	assert_non_null(view_row(&view));
	view_goto(&view, 1000);
	assert_int_equal(view.cursor, 4);
	view_goto(&view, -7);
	assert_int_equal(view.cursor, 0);
}

static void
tags_are_of_rows_not_places(void **state)
{
	int64_t pids[8];

	(void)state;
	view_goto(&view, 0);
	view_tag_toggle(&view);
	view_goto(&view, 1);
	view_tag_toggle(&view);
	view_goto(&view, 1);
	view_tag_toggle(&view);
	assert_int_equal(view_tagged_pids(&view, pids, 8), 1);
	assert_int_equal(pids[0], 104);
	view_sort_invert(&view);
	view_update(&view, snap, (struct mono){ 2 });
	assert_true(view_is_tagged(&view, view.grid.rows[4].key));
	assert_false(view_is_tagged(&view, view.grid.rows[0].key));
	view_untag_all(&view);
	assert_int_equal(view_tagged_pids(&view, pids, 8), 0);
}

static void
columns_have_names_and_beginnings(void **state)
{
	struct error err = { 0 };
	const char *const some[] = { "query", "pid" };
	const char *const two[] = { "age_s", "pid" };
	const char *const more[] = { "+user_id", "-pid" };
	const char *const none[] = { "-age_s", "-user_id" };
	const char *const all[] = { "all" };
	const char *const usual[] = { "default" };

	(void)state;
	assert_int_equal(view.ncols, 3);
	assert_int_equal(view_column(&view, "AGE", &err), 2);
	assert_int_equal(view_column(&view, "ag", &err), 2);
	assert_int_equal(view_column(&view, "use", &err), -1);
	assert_int_equal(view_column(&view, "pidd", &err), -1);
	assert_non_null(strstr(err.hint, "pid"));
	assert_false(view_columns(&view, some, 2, &err));
	assert_int_equal(view.ncols, 3);
	assert_true(view_columns(&view, two, 2, &err));
	assert_int_equal(view.cols[0], 2);
	assert_true(view_columns(&view, more, 2, &err));
	assert_int_equal(view.ncols, 2);
	assert_int_equal(view.cols[1], 3);
	assert_false(view_columns(&view, none, 2, &err));
	assert_true(view_columns(&view, all, 1, &err));
	assert_int_equal(view.ncols, 4);
	assert_true(view_columns(&view, usual, 1, &err));
	assert_int_equal(view.ncols, 3);
	assert_false(view.has_own_cols);
}

static void
sorts(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_true(view_sort(&view, "pid", false, &err));
	view_update(&view, snap, (struct mono){ 2 });
	assert_int_equal(pid_at(0), 100);
	view_sort_step(&view, 1);
	assert_int_equal(view.sort_col, 1);
	view_sort_step(&view, 1);
	assert_int_equal(view.sort_col, 2);
	assert_true(view.is_descending);
	view_sort_step(&view, 1);
	assert_int_equal(view.sort_col, 0);
	view_sort_step(&view, -1);
	assert_int_equal(view.sort_col, 2);
	assert_false(view_sort(&view, "nothing", false, &err));
	assert_true(view_sort(&view, "none", false, &err));
	view_update(&view, snap, (struct mono){ 2 });
	assert_int_equal(pid_at(0), 100);
	assert_false(view_filter(&view, "\"open", &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(filled_once_a_snapshot, setup, teardown),
		cmocka_unit_test(steady_panes_wait_for_their_probes),
		cmocka_unit_test_setup_teardown(the_cursor_stays_on_its_row, setup, teardown),
		cmocka_unit_test_setup_teardown(tags_are_of_rows_not_places, setup, teardown),
		cmocka_unit_test_setup_teardown(columns_have_names_and_beginnings, setup, teardown),
		cmocka_unit_test_setup_teardown(sorts, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
