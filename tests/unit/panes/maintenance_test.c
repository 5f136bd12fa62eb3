/* Progress, workers, holders, wraparound and archiver, each from its probe. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"

extern const struct pane pane_maintenance;

static const char activity_columns[] =
    "now time, pid int, application text, client text, state text, backend_type text, "
    "xact_start time, wait_event text, query text";
static const char archiver_columns[] =
    "now time, archive_mode text, archived_count int, last_archived_time time, "
    "failed_count int, last_failed_wal text, last_failed_time time";

static void
everything(void **state)
{
	struct feed *f = feed_new("t");
	struct pane_opts opts = { 0 };
	struct grid g;

	(void)state;
	fixture_clock(f, 1000, false);
	feed_apply(f,
	    fixture_sample(PROBE_ACTIVITY, 1000, activity_columns,
	        ROWS(
	            "1000|5||NULL|active|autovacuum worker|900|NULL|autovacuum: VACUUM public.t (to prevent wraparound)",
	            "1000|6|psql|NULL|active|client backend|940|NULL|CREATE INDEX CONCURRENTLY i ON t (a)")));
	feed_apply(f,
	    fixture_sample(PROBE_PROGRESS, 1000,
	        "command text, pid int, datid int, relid int, relation text, phase text, done int, total int, unit text, detail text",
	        ROWS("CREATE INDEX CONCURRENTLY|6|1|99|public.t|building index|25|100|blocks|NULL",
	            "BASE BACKUP|7|NULL|NULL|NULL|streaming database files|10|0|bytes|NULL")));
	feed_apply(f,
	    fixture_sample(PROBE_XMIN_HOLDERS, 1000,
	        "kind text, name text, pid int, database text, state text, xmin_age int, since time",
	        ROWS("prepared transaction|gid-1|NULL|shop|prepared|5000|400",
	            "transaction|psql|6|shop|active|10|940")));
	feed_apply(f,
	    fixture_sample(PROBE_WRAPAROUND, 1000,
	        "datid int, datname text, xid_age int, mxid_age int, freeze_max_age int, multixact_freeze_max_age int",
	        ROWS("1|shop|1900000000|5|200000000|400000000",
	            "2|small|100|5|200000000|400000000")));
	fixture_fill(f, &pane_maintenance, &opts, &g);
	assert_true(cell_is(
	    fixture_at(&g, "kind", "progress", "name"), "CREATE INDEX CONCURRENTLY public.t"));
	assert_true(fixture_at(&g, "kind", "progress", "done_pct")->f == 25);
	assert_true(fixture_at(&g, "kind", "progress", "age_s")->f == 60);
	assert_int_equal(fixture_at(&g, "name", "BASE BACKUP", "done_pct")->type, CELL_NULL);
	assert_int_equal(fixture_at(&g, "kind", "autovacuum", "pid")->i, 5);
	assert_int_equal(fixture_at(&g, "name", "gid-1", "xid_age")->i, 5000);
	assert_true(fixture_at(&g, "name", "gid-1", "age_s")->f == 600);
	assert_true(fixture_at(&g, "name", "shop", "done_pct")->f > 949);
	assert_int_equal(grid_fact_get(&g, "autovacuum_workers")->value.i, 1);
	grid_release(&g);
	opts.mode = 2;
	fixture_fill(f, &pane_maintenance, &opts, &g);
	assert_int_equal(g.nrows, 2);
	grid_release(&g);
	feed_free(f);
}

static void
archiver(const char *row, struct grid *g)
{
	struct feed *f = feed_new("t");
	struct pane_opts opts = { 0 };

	fixture_clock(f, 1000, false);
	feed_apply(f, fixture_sample(PROBE_ARCHIVER, 1000, archiver_columns, ROWS(row)));
	fixture_fill(f, &pane_maintenance, &opts, g);
	feed_free(f);
}

static void
failing_archiver_is_said(void **state)
{
	struct grid g;

	(void)state;
	archiver("1000|on|5|900|2|00000001000000000000000A|950", &g);
	assert_true(fixture_has_note(&g, "archiver"));
	grid_release(&g);
	archiver("1000|on|5|900|2|00000001000000000000000A|850", &g); /* it recovered */
	assert_false(fixture_has_note(&g, "archiver"));
	grid_release(&g);
	archiver("1000|on|0|NULL|2|00000001000000000000000A|850", &g); /* it never worked */
	assert_true(fixture_has_note(&g, "archiver"));
	grid_release(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything),
		cmocka_unit_test(failing_archiver_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
