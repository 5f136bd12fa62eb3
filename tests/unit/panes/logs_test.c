/* The log as a pane: what is kept of many answers, modes, what is shown of an entry, following. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "panes/view.h"

#include "fixture.h"

extern const struct pane pane_logs;

static const char log_columns[] =
    "time time, severity text, kind text, pid int, duration_ms float, message text, statement text, file text, offset int";

static void
answer(struct feed *f, int second, const char *row)
{
	feed_apply(f,
	    row ? fixture_sample(PROBE_LOGS, second, log_columns, ROWS(row)) :
	          fixture_sample(PROBE_LOGS, second, log_columns, (const char *[]){ NULL }));
}

static struct feed *
some(void)
{
	struct feed *f = feed_new("t");

	fixture_clock(f, 10, false);
	answer(f, 10, "10|LOG|slow|7|2500|duration: 2500 ms  statement: SELECT 1|SELECT 1|a|0");
	answer(f, 11, "11|ERROR|error|8|NULL|division by zero|SELECT 1/0|a|100");
	answer(f, 12, "12|LOG|connect|9|NULL|connection received|NULL|a|200");
	return f;
}

static void
kept_newest_first(void **state)
{
	struct feed *f = some();
	struct pane_opts opts = { 0 };
	struct grid g;

	(void)state;
	answer(f, 13, NULL); /* nothing came: what was there stays */
	fixture_fill(f, &pane_logs, &opts, &g);
	assert_int_equal(g.nrows, 3);
	assert_int_equal(g.rows[0].cells[grid_col(&g, "pid")].i, 9);
	assert_true(cell_is(fixture_at(&g, "kind", "slow", "shown"), "SELECT 1"));
	assert_true(cell_is(
	    fixture_at(&g, "kind", "error", "shown"), "division by zero  STATEMENT: SELECT 1/0"));
	assert_int_equal(fixture_at(&g, "kind", "error", "severity")->role, ROLE_CRIT);
	assert_int_equal(cell_i64(&grid_fact_get(&g, "errors")->value, -1), 1);
	assert_int_equal(cell_i64(&grid_fact_get(&g, "slow")->value, -1), 1);
	grid_release(&g);
	opts.mode = 1;
	fixture_fill(f, &pane_logs, &opts, &g);
	assert_int_equal(g.nrows, 1);
	assert_true(cell_is(&g.rows[0].cells[grid_col(&g, "kind")], "error"));
	assert_int_equal(cell_i64(&grid_fact_get(&g, "entries")->value, -1), 3);
	grid_release(&g);
	opts.mode = 2;
	fixture_fill(f, &pane_logs, &opts, &g);
	assert_int_equal(g.nrows, 1);
	grid_release(&g);
	feed_free(f);
}

/* However many answers come, the newest entries are kept, and no more of them than there is room.
 */
static void
many_answers(void **state)
{
	struct feed *f = feed_new("t");
	struct pane_opts opts = { 0 };
	struct grid g;

	(void)state;
	fixture_clock(f, 10, false);
	for (int i = 0; i < 100; i++) {
		char row[64];
		snprintf(row, sizeof(row), "%d|LOG|other|7|NULL|m%d|NULL|a|%d", 10 + i, i, i);
		answer(f, 10 + i, row);
	}
	fixture_fill(f, &pane_logs, &opts, &g);
	assert_int_equal(g.nrows, 100);
	assert_true(cell_is(&g.rows[0].cells[grid_col(&g, "message")], "m99"));
	assert_true(cell_is(&g.rows[99].cells[grid_col(&g, "message")], "m0"));
	grid_release(&g);
	feed_free(f);
}

/* On the first row the cursor stays on what is newest; elsewhere on its entry. */
static void
follows(void **state)
{
	struct feed *f = some();
	struct view v;
	const struct snapshot *s = feed_seal(f);

	(void)state;
	view_init(&v, &pane_logs);
	view_update(&v, s, mono_now());
	view_goto(&v, 0);
	assert_int_equal(view_row_pid(&v, view_row(&v)), 9);
	snapshot_unref(s);
	answer(f, 13, "13|LOG|other|10|NULL|newer|NULL|a|300");
	s = feed_seal(f);
	view_update(&v, s, mono_now());
	assert_int_equal(view_row_pid(&v, view_row(&v)), 10);
	view_goto(&v, 2);
	assert_int_equal(view_row_pid(&v, view_row(&v)), 8);
	snapshot_unref(s);
	answer(f, 14, "14|LOG|other|11|NULL|newest|NULL|a|400");
	s = feed_seal(f);
	view_update(&v, s, mono_now());
	assert_int_equal(view_row_pid(&v, view_row(&v)), 8);
	assert_int_equal(v.cursor, 3);
	snapshot_unref(s);
	view_release(&v);
	feed_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept_newest_first),
		cmocka_unit_test(many_answers),
		cmocka_unit_test(follows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
