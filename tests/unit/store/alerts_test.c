/* The alerts' file: one open row per rule, mutes that end, memory that comes back as it was. */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store/alerts.h"

static char folder[64];

static int
set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/alerts.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	return setenv("XDG_STATE_HOME", folder, 1);
}

static int
tear_down(void **state)
{
	char command[160];

	(void)state;
	for (int i = 0; i < 3; i++) {
		static const char *const ends[] = { "", "-wal", "-shm" };
		snprintf(command, sizeof(command), "%s/pgmedic/alerts.db%s", folder, ends[i]);
		remove(command);
	}
	snprintf(command, sizeof(command), "%s/pgmedic", folder);
	remove(command);
	return remove(folder);
}

static struct alert_row
row(const char *severity, int64_t at)
{
	return (
	    struct alert_row){ "prod", "connections", severity, { at }, 85, "85 of 100", "many" };
}

static void
test_one_open_row(void **state)
{
	struct error err = { 0 };
	struct alerts *a = alerts_open(&err), *b = alerts_open(&err);
	struct alert_row warn = row("warning", 1000), crit = row("critical", 2000);
	bool news;

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	assert_true(alerts_raise(a, &warn, &news, &err) && news);
	assert_true(alerts_raise(b, &warn, &news, &err) && !news); /* another console sees it too */
	assert_true(alerts_raise(a, &crit, &news, &err) && news);  /* it got worse */
	struct rowset *past = alerts_past(a, "prod", 10, &err);
	assert_int_equal(past->nrows, 1);
	assert_true(cell_is(rowset_get(past, 0, "severity"), "critical"));
	assert_int_equal(rowset_get(past, 0, "raised")->i, 1000);
	assert_true(cell_is_null(rowset_get(past, 0, "cleared")));
	rowset_unref(past);
	assert_true(alerts_clear(b, &crit, &news, &err) && news);
	assert_true(alerts_clear(a, &crit, &news, &err) && !news);
	assert_true(alerts_raise(a, &warn, &news, &err) && news);
	past = alerts_past(a, "prod", 10, &err);
	assert_int_equal(past->nrows, 2);
	rowset_unref(past);
	past = alerts_past(a, "other", 10, &err);
	assert_int_equal(past->nrows, 0);
	rowset_unref(past);
	alerts_close(a);
	alerts_close(b);
}

static void
test_mutes_end(void **state)
{
	struct error err = { 0 };
	struct alerts *a = alerts_open(&err);
	struct rowset *rs;

	(void)state;
	assert_true(alerts_mute(a, "prod", "cpu", (struct wall){ 5000 }, "it's planned", &err));
	assert_true(alerts_mute(a, "prod", "cpu", (struct wall){ 9000 }, "longer", &err));
	rs = alerts_mutes(a, "prod", (struct wall){ 6000 }, &err);
	assert_int_equal(rs->nrows, 1);
	assert_true(cell_is(rowset_get(rs, 0, "reason"), "longer"));
	rowset_unref(rs);
	rs = alerts_mutes(a, "prod", (struct wall){ 9000 }, &err);
	assert_int_equal(rs->nrows, 0);
	rowset_unref(rs);
	assert_true(alerts_mute(a, "prod", "cpu", (struct wall){ 0 }, "", &err));
	rs = alerts_mutes(a, "prod", (struct wall){ 6000 }, &err);
	assert_int_equal(rs->nrows, 0);
	rowset_unref(rs);
	alerts_close(a);
}

static struct rowset *
empty(void)
{
	static const char *const names[] = { "kind", "name", "text", "since", "seen", "a", "b" };
	static const uint8_t types[] = { CELL_TEXT, CELL_TEXT, CELL_TEXT, CELL_TIME, CELL_TIME,
		CELL_FLOAT, CELL_FLOAT };
	return rowset_new(7, names, types);
}

static void
test_memory_comes_back(void **state)
{
	struct error err = { 0 };
	struct alerts *a = alerts_open(&err);
	struct rowset *rs = empty(), *back;
	struct cell *c = rowset_add(rs);

	(void)state;
	c[0] = cell_text("pending");
	c[1] = cell_text("cpu");
	c[2] = cell_text("warning");
	c[3] = cell_time(123456789);
	c[4] = cell_time(223456789);
	c[5] = cell_float(0.25);
	c[6] = cell_float(NAN);
	assert_true(alerts_remember(a, "prod", rs, &err));
	assert_true(alerts_remember(a, "prod", rs, &err)); /* replaces */
	alerts_close(a);
	a = alerts_open(&err);
	back = alerts_recall(a, "prod", empty(), &err);
	assert_int_equal(back->nrows, 1);
	for (int i = 0; i < 6; i++)
		assert_true(cell_equal(rowset_cell(back, 0, i), &c[i]));
	assert_true(cell_is_null(rowset_cell(back, 0, 6)));
	rowset_unref(back);
	rowset_unref(rs);
	alerts_close(a);
}

static void
test_a_file_that_is_none(void **state)
{
	struct error err = { 0 };
	char path[160];
	FILE *f;

	(void)state;
	alerts_close(alerts_open(&err)); /* makes the folder */
	snprintf(path, sizeof(path), "%s/pgmedic/alerts.db-wal", folder);
	remove(path);
	snprintf(path, sizeof(path), "%s/pgmedic/alerts.db", folder);
	f = fopen(path, "w");
	fputs("this is no database, whatever its name says, and long enough to be looked at", f);
	fclose(f);
	assert_null(alerts_open(&err));
	assert_int_equal(err.code, ERR_STATE);
	assert_true(*err.hint);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_open_row, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_mutes_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_memory_comes_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_file_that_is_none, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
