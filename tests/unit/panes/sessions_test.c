/* Activity, locks and waits from one set of sessions: rows, summary, notes, and what is hidden
 * when. */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "unit/panes/fixture.h"

extern const struct pane pane_activity, pane_locks, pane_waits;

static const char activity_columns[] =
    "now time, pid int, datid int, usesysid int, application text, client text, backend_start time, "
    "xact_start time, query_start time, state_change time, state text, wait_type text, wait_event text, "
    "backend_type text, leader_pid int, query_id int, query text";
static const char lock_columns[] =
    "pid int, locktype text, datid int, relation int, page int, tuple int, virtualxid text, "
    "transactionid int, classid int, objid int, objsubid int, mode text, granted bool, waitstart time, "
    "virtualtransaction text, gid text, owner int, prepared time";

/* A writer in an idle transaction, a CREATE INDEX behind it, an insert behind that, a parallel
 * pair, an idle one, the checkpointer asleep, pgmedic itself. */
static struct feed *
incident(void)
{
	struct feed *f = feed_new("t");
	struct server_info server = {
		.version_num = 150000, .max_connections = 100, .own_pid = 99, .cpus = 4
	};

	feed_server(f, &server);
	fixture_clock(f, 1000, false);
	feed_apply(f,
	    fixture_sample(PROBE_NAMES, 1000, "kind text, oid int, name text",
	        ROWS("database|5|shop", "role|10|bob")));
	feed_apply(f,
	    fixture_sample(PROBE_LOCK_NAMES, 1000, "oid int, name text, kind text",
	        ROWS("777|public.orders|r")));
	feed_apply(f,
	    fixture_sample(PROBE_ACTIVITY, 1000, activity_columns,
	        ROWS(
	            "1000|1|5|10|web|10.0.0.1|10|500|550|600|idle in transaction|Client|ClientRead|client backend|NULL|41|UPDATE orders",
	            "1000|2|5|10|migrate|10.0.0.2|10|900|900|900|active|Lock|relation|client backend|NULL|42|CREATE INDEX",
	            "1000|3|5|10|web|10.0.0.1|10|950|950|950|active|Lock|relation|client backend|NULL|43|INSERT",
	            "1000|4|5|10|report|10.0.0.3|10|990|990|990|active|NULL|NULL|client backend|NULL|44|SELECT",
	            "1000|5|5|10|report|10.0.0.3|990|990|990|990|active|IO|DataFileRead|parallel worker|4|44|SELECT",
	            "1000|6|5|10|web|10.0.0.1|10|NULL|700|700|idle|Client|ClientRead|client backend|NULL|41|COMMIT",
	            "1000|7|NULL|NULL||NULL|1|NULL|NULL|NULL|NULL|Activity|CheckpointerMain|checkpointer|NULL|NULL|",
	            "1000|99|5|10|pgmedic|NULL|10|1000|1000|1000|active|NULL|NULL|client backend|NULL|NULL|SELECT")));
	feed_apply(f,
	    fixture_sample(PROBE_LOCKS, 1000, lock_columns,
	        ROWS(
	            "1|relation|5|777|NULL|NULL|NULL|NULL|NULL|NULL|NULL|RowExclusiveLock|t|NULL|1/1|NULL|NULL|NULL",
	            "4|relation|5|777|NULL|NULL|NULL|NULL|NULL|NULL|NULL|AccessShareLock|t|NULL|4/1|NULL|NULL|NULL",
	            "2|relation|5|777|NULL|NULL|NULL|NULL|NULL|NULL|NULL|ShareLock|f|900|2/1|NULL|NULL|NULL",
	            "3|relation|5|777|NULL|NULL|NULL|NULL|NULL|NULL|NULL|RowExclusiveLock|f|950|3/1|NULL|NULL|NULL")));
	return f;
}

static const struct cell *
of_pid(const struct grid *g, int64_t pid, const char *column)
{
	int key = grid_col(g, "pid"), col = grid_col(g, column);

	assert_true(col >= 0);
	for (int i = 0; i < g->nrows; i++)
		if (g->rows[i].cells[key].i == pid)
			return &g->rows[i].cells[col];
	return NULL;
}

static void
activity(void **state)
{
	struct feed *f = incident();
	struct pane_opts opts = { 0 };
	struct grid g;

	(void)state;
	fixture_fill(f, &pane_activity, &opts, &g);
	assert_int_equal(g.nrows, 5);
	assert_null(of_pid(&g, 6, "pid"));  /* idle */
	assert_null(of_pid(&g, 7, "pid"));  /* asleep */
	assert_null(of_pid(&g, 99, "pid")); /* our own */
	assert_true(cell_is(of_pid(&g, 1, "database"), "shop"));
	assert_true(cell_is(of_pid(&g, 1, "user"), "bob"));
	assert_true(cell_is(of_pid(&g, 1, "state"), "idle in transaction"));
	assert_true(cell_is(of_pid(&g, 1, "st"), "idle tx"));
	assert_true(fabs(of_pid(&g, 1, "xact_age_s")->f - 500) < 1e-9);
	assert_int_equal(of_pid(&g, 1, "xact_age_s")->role, ROLE_CRIT);
	assert_int_equal(of_pid(&g, 1, "blocks")->i, 1);
	assert_int_equal(of_pid(&g, 2, "blocked_by")->len, 1);
	assert_int_equal(of_pid(&g, 2, "blocked_by")->ints[0], 1);
	assert_int_equal(of_pid(&g, 3, "blocked_by")->ints[0], 2);
	assert_int_equal(of_pid(&g, 1, "blocked_by")->len, 0);
	assert_true(cell_is(of_pid(&g, 4, "wait"), "CPU"));
	assert_true(cell_is(of_pid(&g, 5, "wait"), "IO:DataFileRead"));
	/* The worker stands right below its leader. */
	for (int i = 0; i < g.nrows; i++)
		if (g.rows[i].depth == 1)
			assert_int_equal(g.rows[i - 1].cells[grid_col(&g, "pid")].i, 4);
	assert_int_equal(grid_fact_get(&g, "sessions")->value.i, 5);
	assert_int_equal(grid_fact_get(&g, "active")->value.i, 3);
	assert_int_equal(grid_fact_get(&g, "waiting")->value.i, 2);
	assert_int_equal(grid_fact_get(&g, "idle")->value.i, 1);
	assert_int_equal(grid_fact_get(&g, "hidden")->value.i, 3);
	assert_int_equal(g.nnotes, 0);
	grid_release(&g);
	opts.show_idle = true;
	fixture_fill(f, &pane_activity, &opts, &g);
	assert_int_equal(g.nrows, 8);
	assert_true(cell_is(of_pid(&g, 7, "st"), "ckpt"));
	grid_release(&g);
	feed_free(f);
}

/* What the role may not see is unknown, and so are counts of it; the one GRANT is named. */
static void
denied(void **state)
{
	struct feed *f = feed_new("t");
	struct server_info server = { .version_num = 150000, .user = "ops" };
	struct pane_opts opts = { 0 };
	struct grid g;

	(void)state;
	feed_server(f, &server);
	fixture_clock(f, 1000, false);
	feed_apply(f,
	    fixture_sample(PROBE_ACTIVITY, 1000, activity_columns,
	        ROWS(
	            "1000|1|5|10||NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|<insufficient privilege>")));
	fixture_fill(f, &pane_activity, &opts, &g);
	assert_int_equal(g.nrows, 1);
	assert_int_equal(of_pid(&g, 1, "state")->why, WHY_DENIED);
	assert_int_equal(of_pid(&g, 1, "query")->why, WHY_DENIED);
	assert_int_equal(of_pid(&g, 1, "query")->type, CELL_NULL);
	assert_int_equal(grid_fact_get(&g, "sessions")->value.i, 1);
	assert_int_equal(grid_fact_get(&g, "active")->value.type, CELL_NULL);
	assert_true(fixture_has_note(&g, "denied"));
	assert_string_equal(g.notes[0].hint, "GRANT pg_monitor TO ops");
	grid_release(&g);
	feed_free(f);
}

static void
locks(void **state)
{
	struct feed *f = incident();
	struct pane_opts opts = { 0 };
	struct grid g;

	(void)state;
	fixture_fill(f, &pane_locks, &opts, &g);
	assert_int_equal(g.nrows, 3); /* the reader is innocent */
	assert_null(of_pid(&g, 4, "pid"));
	assert_int_equal(of_pid(&g, 1, "parent_pid")->type, CELL_NULL);
	assert_int_equal(of_pid(&g, 2, "parent_pid")->i, 1);
	assert_int_equal(of_pid(&g, 3, "parent_pid")->i, 2);
	assert_int_equal(of_pid(&g, 3, "root_pid")->i, 1);
	assert_int_equal(of_pid(&g, 3, "depth")->i, 2);
	assert_int_equal(of_pid(&g, 1, "frees")->i, 2);
	assert_true(cell_is(of_pid(&g, 1, "relation"), "public.orders"));
	assert_true(cell_is(of_pid(&g, 1, "held_mode"), "RowExclusiveLock"));
	assert_int_equal(of_pid(&g, 1, "mode")->type, CELL_NULL);
	assert_true(cell_is(of_pid(&g, 2, "mode"), "ShareLock"));
	assert_true(fabs(of_pid(&g, 2, "wait_s")->f - 100) < 1e-9);
	assert_int_equal(grid_fact_get(&g, "heads")->value.i, 1);
	grid_release(&g);
	feed_free(f);
}

/* Every sample of the activity is one of load: by event, by user, and only that of one class. */
static void
waits(void **state)
{
	struct feed *f = incident();
	struct pane_opts opts = { 0 };
	struct grid g;

	(void)state;
	snapshot_unref(feed_seal(f));
	fixture_fill(f, &pane_waits, &opts, &g);
	/* Two wait for a lock, one is on CPU, one worker reads; neither idle ones nor our own are
	 * load. */
	assert_true(fabs(fixture_at(&g, "what", "Lock:relation", "aas")->f - 2) < 1e-6);
	assert_true(fabs(fixture_at(&g, "what", "Lock:relation", "share_pct")->f - 50) < 1e-6);
	assert_true(cell_is(fixture_at(&g, "what", "Lock:relation", "class"), "Lock"));
	assert_true(cell_is(fixture_at(&g, "what", "Lock:relation", "event"), "relation"));
	assert_int_equal(fixture_at(&g, "what", "Lock:relation", "sessions")->i, 2);
	assert_int_equal(fixture_at(&g, "what", "CPU", "sessions")->i, 1);
	assert_true(fabs(grid_fact_get(&g, "aas")->value.f - 4) < 1e-6);
	assert_int_equal(grid_fact_get(&g, "cpus")->value.i, 4);
	grid_release(&g);
	opts.mode = 3;
	fixture_fill(f, &pane_waits, &opts, &g);
	assert_true(fabs(fixture_at(&g, "name", "report", "aas")->f - 2) < 1e-6);
	assert_true(fabs(fixture_at(&g, "name", "report", "io_aas")->f - 1) < 1e-6);
	assert_true(fabs(fixture_at(&g, "name", "migrate", "lock_aas")->f - 1) < 1e-6);
	grid_release(&g);
	snprintf(opts.drill, sizeof(opts.drill), "class:IO");
	fixture_fill(f, &pane_waits, &opts, &g);
	assert_int_equal(g.nrows, 1);
	assert_true(fixture_has_note(&g, "info"));
	grid_release(&g);
	opts.drill[0] = '\0';
	opts.mode = 1;
	fixture_fill(f, &pane_waits, &opts, &g);
	assert_true(cell_is(fixture_at(&g, "what", "42", "query"), "CREATE INDEX"));
	grid_release(&g);
	feed_free(f);
}

/* Without an answer there is a note and no row, never an empty tree that says all is well. */
static void
nothing_known(void **state)
{
	static const struct pane *const all[] = { &pane_activity, &pane_locks, &pane_waits };
	struct pane_opts opts = { 0 };

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct feed *f = feed_new("t");
		struct grid g;

		fixture_fill(f, all[i], &opts, &g);
		assert_int_equal(g.nrows, 0);
		assert_true(fixture_has_note(&g, "no_data"));
		grid_release(&g);
		feed_apply(f, fixture_failed(PROBE_LOCKS, SAMPLE_TIMEOUT, "too slow", "wait"));
		feed_apply(f, fixture_failed(PROBE_ACTIVITY, SAMPLE_FAILED, "broken", ""));
		fixture_fill(f, all[i], &opts, &g);
		assert_int_equal(g.nrows, 0);
		assert_true(fixture_has_note(&g, "no_data"));
		grid_release(&g);
		feed_free(f);
	}
}

/* Locks of an hour ago say nothing about the sessions of now. */
static void
old_locks(void **state)
{
	struct feed *f = incident();
	struct pane_opts opts = { .show_idle = true };
	struct grid g;

	(void)state;
	fixture_clock(f, 4600, false);
	feed_apply(f,
	    fixture_sample(PROBE_ACTIVITY, 4600, activity_columns,
	        ROWS(
	            "4600|2|5|10|migrate|10.0.0.2|10|4599|4599|4599|active|NULL|NULL|client backend|NULL|42|CREATE INDEX")));
	fixture_fill(f, &pane_activity, &opts, &g);
	assert_int_equal(of_pid(&g, 2, "blocked_by")->len, 0);
	grid_release(&g);
	feed_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(activity),
		cmocka_unit_test(denied),
		cmocka_unit_test(locks),
		cmocka_unit_test(waits),
		cmocka_unit_test(nothing_known),
		cmocka_unit_test(old_locks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
