/* The cursor, tags, filter and sort of a view while the rows under it change. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "panes/view.h"

#include "fixture.h"

static const struct column columns[] = {
	{ "name", "NAME", COL_TEXT, 8, COL_KEY | COL_FIXED, "key" },
	{ "v", "V", COL_INT, 8, 0, "value" },
};

static void
words_fill(const struct pane_ctx *ctx, struct grid *grid)
{
	const struct rowset *rs = snapshot_rows(ctx->snap, PROBE_TABLES);

	for (int i = 0; rs && i < rs->nrows; i++) {
		struct grid_row *row = grid_add(grid);
		row->cells[0] = *rowset_get(rs, i, "name");
		row->cells[1] = *rowset_get(rs, i, "v");
	}
}

static const struct pane words = {
	.name = "words",
	.columns = columns,
	.ncolumns = 2,
	.sort = "v",
	.sort_descending = true,
	.fill = words_fill,
};

struct screen {
	struct feed *feed;
	struct view view;
	const struct snapshot *snap;
	int second;
};

static void
show(struct screen *s, const char *const *rows)
{
	struct sample *sample = fixture_sample(PROBE_TABLES, ++s->second, "name text, v int", rows);
	const struct snapshot *before = s->snap;

	feed_apply(s->feed, sample);
	s->snap = feed_seal(s->feed);
	view_update(&s->view, s->snap, mono_now());
	snapshot_unref(before);
}

static int
open_screen(void **state)
{
	static struct screen s;

	s = (struct screen){ .feed = feed_new("t") };
	view_init(&s.view, &words);
	*state = &s;
	return 0;
}

static int
close_screen(void **state)
{
	struct screen *s = *state;

	view_release(&s->view);
	snapshot_unref(s->snap);
	feed_free(s->feed);
	return 0;
}

static bool
cursor_is_on(const struct screen *s, const char *name)
{
	const struct grid_row *row = view_row(&s->view);
	return row && cell_is(&row->cells[0], name);
}

static void
cursor_stays_on_top_until_it_is_moved(void **state)
{
	struct screen *s = *state;

	show(s, ROWS("a|1", "b|1", "c|1"));
	assert_true(cursor_is_on(s, "a"));
	show(s, ROWS("a|1", "b|1", "c|9"));
	assert_true(cursor_is_on(s, "c"));
	assert_int_equal(s->view.cursor, 0);
}

static void
cursor_follows_its_row_once_moved(void **state)
{
	struct screen *s = *state;

	show(s, ROWS("a|3", "b|2", "c|1"));
	view_goto(&s->view, 1);
	show(s, ROWS("a|3", "b|9", "c|1"));
	assert_true(cursor_is_on(s, "b"));
	assert_int_equal(s->view.cursor, 0);
	show(s, ROWS("a|3", "b|0", "c|1"));
	assert_true(cursor_is_on(s, "b"));
	assert_int_equal(s->view.cursor, 2);
	show(s, ROWS("a|3", "c|1")); /* its row is gone: the same place, as near as there is */
	assert_true(cursor_is_on(s, "c"));
	show(s, NO_ROWS);
	assert_null(view_row(&s->view));
}

static void
moving_does_not_fill_again(void **state)
{
	struct screen *s = *state;
	unsigned long fills;

	show(s, ROWS("a|3", "b|2", "c|1"));
	fills = s->view.fills;
	view_goto(&s->view, 2);
	view_sort_invert(&s->view);
	view_update(&s->view, s->snap, mono_now());
	assert_int_equal(s->view.fills, fills);
	assert_true(cursor_is_on(s, "c"));
	assert_int_equal(s->view.cursor, 0);
}

static void
filter_keeps_the_row_and_bad_ones_change_nothing(void **state)
{
	struct screen *s = *state;
	struct error err;

	show(s, ROWS("apple|3", "banana|2", "cherry|1"));
	view_goto(&s->view, 1);
	assert_true(view_filter(&s->view, "an", &err));
	view_update(&s->view, s->snap, mono_now());
	assert_int_equal(s->view.grid.nrows, 1);
	assert_int_equal(s->view.grid.total, 3);
	assert_true(cursor_is_on(s, "banana"));
	assert_false(view_filter(&s->view, "nosuch>1", &err));
	view_update(&s->view, s->snap, mono_now());
	assert_int_equal(s->view.grid.nrows, 1);
	assert_true(view_filter(&s->view, "", &err));
	view_update(&s->view, s->snap, mono_now());
	assert_int_equal(s->view.grid.nrows, 3);
}

static void
tags_stay_with_their_rows(void **state)
{
	struct screen *s = *state;

	show(s, ROWS("a|3", "b|2"));
	view_goto(&s->view, 1);
	view_tag_toggle(&s->view);
	show(s, ROWS("b|9", "a|3"));
	assert_true(view_is_tagged(&s->view, s->view.grid.rows[0].key));
	assert_false(view_is_tagged(&s->view, s->view.grid.rows[1].key));
	view_untag_all(&s->view);
	assert_false(view_is_tagged(&s->view, s->view.grid.rows[0].key));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    cursor_stays_on_top_until_it_is_moved, open_screen, close_screen),
		cmocka_unit_test_setup_teardown(
		    cursor_follows_its_row_once_moved, open_screen, close_screen),
		cmocka_unit_test_setup_teardown(
		    moving_does_not_fill_again, open_screen, close_screen),
		cmocka_unit_test_setup_teardown(
		    filter_keeps_the_row_and_bad_ones_change_nothing, open_screen, close_screen),
		cmocka_unit_test_setup_teardown(
		    tags_stay_with_their_rows, open_screen, close_screen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
