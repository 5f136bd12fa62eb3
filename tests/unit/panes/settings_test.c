/* The settings pane: order, units as SHOW has them, what the role may not see. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "panes/setting_value.h"

#include "samples.h"

extern const struct pane pane_settings;

static const char *
value(const char *v, const char *u)
{
	static char buf[48];
	struct cell a = cell_text(v), b = cell_text(u);

	return setting_value(&a, &b, buf, sizeof(buf)) ? buf : v;
}

/* As a PostgreSQL 15 answers to SHOW. */
static void
units(void **state)
{
	(void)state;
	assert_string_equal(value("16384", "8kB"), "128MB");
	assert_string_equal(value("1", "8kB"), "8kB");
	assert_string_equal(value("131072", "8kB"), "1GB");
	assert_string_equal(value("4097", "kB"), "4097kB");
	assert_string_equal(value("16777216", "B"), "16MB");
	assert_string_equal(value("1000", "B"), "1000B");
	assert_string_equal(value("300000", "ms"), "5min");
	assert_string_equal(value("200", "ms"), "200ms");
	assert_string_equal(value("2", "ms"), "2ms");
	assert_string_equal(value("0.5", "ms"), "500us");
	assert_string_equal(value("86400", "s"), "1d");
	assert_string_equal(value("90", "s"), "90s");
	assert_string_equal(value("1440", "min"), "1d");
	assert_string_equal(value("0", "ms"), "0");
	assert_string_equal(value("-1", "kB"), "-1");
	assert_string_equal(value("none", "kB"), "none");
	assert_string_equal(value("5", "furlong"), "5");
}

static void
setting(struct rowset *rs, const char *name, const char *v, const char *boot, const char *unit,
    const char *source, bool pending, const char *file)
{
	samples_add(rs, "name", name, "setting", v, "unit", unit, "boot_val", boot, "source",
	    source, "pending_restart", I(pending), "sourcefile", file, "sourceline", I(12),
	    "short_desc", "something", "category", "Chapter", NULL);
}

static void
order(void **state)
{
	struct snapshot *snap = snapshot_new();
	struct rowset *rs = samples_rows("settings");
	struct grid g;

	(void)state;
	setting(rs, "archive_mode", "off", "off", NULL, "default", false, NULL);
	setting(rs, "data_directory", "/srv/pg", NULL, NULL, "override", false, NULL);
	setting(
	    rs, "max_connections", "200", "100", NULL, "configuration file", false, "/etc/pg.conf");
	setting(rs, "shared_buffers", "32768", "16384", "8kB", "configuration file", true, NULL);
	setting(rs, "work_mem", "4096", "4096", "kB", "configuration file", false, "/etc/pg.conf");
	samples_ok(snap, PROBE_SETTINGS, rs, 100);
	samples_fill(&pane_settings, snap, false, NULL, &g);
	assert_int_equal(g.nrows, 5);
	assert_true(cell_is(samples_cell(&g, 0, "name"), "shared_buffers"));
	assert_true(cell_is(samples_cell(&g, 0, "value"), "256MB"));
	assert_true(cell_is(samples_cell(&g, 0, "default"), "128MB"));
	assert_true(cell_is(samples_cell(&g, 0, "setting"), "32768"));
	assert_int_equal(samples_cell(&g, 0, "sourcefile")->why, WHY_DENIED);
	assert_int_equal(samples_cell(&g, 0, "name")->role, ROLE_WARN);
	assert_true(cell_is(samples_cell(&g, 1, "name"), "max_connections"));
	assert_true(cell_is(samples_cell(&g, 1, "sourcefile"), "/etc/pg.conf:12"));
	assert_true(samples_cell(&g, 1, "is_changed")->i);
	assert_true(cell_is(samples_cell(&g, 2, "name"), "archive_mode")); /* the rest by name */
	assert_true(cell_is(samples_cell(&g, 3, "name"), "data_directory"));
	assert_true(cell_is(samples_cell(&g, 4, "name"), "work_mem")); /* set, but to the default */
	assert_false(samples_cell(&g, 4, "is_changed")->i);
	assert_int_equal(grid_fact_get(&g, "pending_restart")->value.i, 1);
	assert_non_null(samples_note(&g, "info", "1 settings wait"));
	assert_non_null(samples_note(&g, "denied", "hidden"));
	grid_release(&g);
	snap->server.has_monitor = true;
	samples_fill(&pane_settings, snap, false, NULL, &g);
	assert_null(samples_note(&g, "denied", "hidden"));
	grid_release(&g);
	snapshot_unref(snap);
}

static void
file_modes(void **state)
{
	struct snapshot *snap = snapshot_new();
	struct rowset *rs = samples_rows("settings");
	struct grid g;

	(void)state;
	samples_add(rs, "name", "log_file_mode", "setting", "0600", "boot_val", "384", "vartype",
	    "integer", "source", "configuration file", "pending_restart", I(0), NULL);
	samples_ok(snap, PROBE_SETTINGS, rs, 100);
	samples_fill(&pane_settings, snap, false, NULL, &g);
	assert_true(cell_is(samples_cell(&g, 0, "default"), "0600"));
	assert_false(samples_cell(&g, 0, "is_changed")->i);
	grid_release(&g);
	snapshot_unref(snap);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(units),
		cmocka_unit_test(order),
		cmocka_unit_test(file_modes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
