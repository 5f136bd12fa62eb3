/* Lag that is right on an idle pair, slots, receivers, and the verdict on RPO 0. */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"

extern const struct pane pane_replication;
static const struct pane_opts opts;

static const char sender_columns[] =
    "now time, current_lsn int, pid int, state text, sent_lsn int, write_lsn int, "
    "flush_lsn int, replay_lsn int, write_lag_s float, flush_lag_s float, replay_lag_s float, sync_priority int, "
    "sync_state text, reply_time time";
static const char slot_columns[] =
    "current_lsn int, slot_name text, slot_type text, active bool, active_pid int, "
    "restart_lsn int, confirmed_flush_lsn int, wal_status text, safe_wal_size int, xmin_age int, catalog_xmin_age int, "
    "invalidation_reason text, plugin text";
static const char receiver_columns[] =
    "now time, pid int, status text, flushed_lsn int, received_tli int, "
    "last_msg_receipt_time time, sender_host text, sender_port int, receive_lsn int, replay_lsn int, replayed_at time, "
    "is_paused bool, apply_delay_s float, receiver_timeout_s float";

static void
standbys(void **state)
{
	struct feed *f = feed_new("t");
	struct grid g;

	(void)state;
	fixture_clock(f, 100, false);
	feed_apply(f,
	    fixture_sample(PROBE_ACTIVITY, 100,
	        "now time, pid int, application text, client text, state text, xact_start time",
	        ROWS("100|7|idle_pair|10.0.0.7|active|NULL", "100|8|behind|10.0.0.8|active|NULL")));
	feed_apply(f,
	    fixture_sample(PROBE_REPLICATION, 100, sender_columns,
	        ROWS("100|5000|7|streaming|5000|5000|5000|5000|0.001|0.002|7.5|1|sync|100",
	            "100|5000|8|streaming|4900|4800|4700|4000|0.1|0.2|61.5|0|async|100")));
	fixture_fill(f, &pane_replication, &opts, &g);
	assert_int_equal(g.nrows, 2);
	assert_int_equal(fixture_at(&g, "name", "idle_pair", "replay_lag_bytes")->i, 0);
	assert_true(fixture_at(&g, "name", "idle_pair", "replay_lag_s")->f == 0);
	assert_int_equal(fixture_at(&g, "name", "behind", "sent_lag_bytes")->i, 100);
	assert_int_equal(fixture_at(&g, "name", "behind", "write_lag_bytes")->i, 200);
	assert_int_equal(fixture_at(&g, "name", "behind", "flush_lag_bytes")->i, 300);
	assert_int_equal(fixture_at(&g, "name", "behind", "replay_lag_bytes")->i, 1000);
	assert_true(fabs(fixture_at(&g, "name", "behind", "replay_lag_s")->f - 61.5) < 1e-9);
	assert_int_equal(fixture_at(&g, "name", "behind", "replay_lag_s")->role, ROLE_LAG_HIGH);
	grid_release(&g);
	feed_free(f);
}

static void
hidden_state_is_not_zero(void **state)
{
	struct feed *f = feed_new("t");
	struct grid g;

	(void)state;
	fixture_clock(f, 100, false);
	feed_apply(f,
	    fixture_sample(PROBE_REPLICATION, 100, sender_columns,
	        ROWS("100|5000|7|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL")));
	fixture_fill(f, &pane_replication, &opts, &g);
	assert_int_equal(fixture_at(&g, "kind", "standby", "replay_lag_bytes")->type, CELL_NULL);
	assert_int_equal(fixture_at(&g, "kind", "standby", "replay_lag_bytes")->why, WHY_DENIED);
	assert_true(fixture_has_note(&g, "denied"));
	grid_release(&g);
	feed_free(f);
}

static void
slots(void **state)
{
	struct feed *f = feed_new("t");
	struct grid g;

	(void)state;
	fixture_clock(f, 100, false);
	feed_apply(f,
	    fixture_sample(PROBE_SLOTS, 100, slot_columns,
	        ROWS("9000|gone|physical|f|NULL|1000|NULL|lost|NULL|NULL|NULL|NULL|NULL",
	            "9000|cdc|logical|t|12|8000|8500|reserved|100000|NULL|42|NULL|pgoutput")));
	fixture_fill(f, &pane_replication, &opts, &g);
	assert_int_equal(fixture_at(&g, "name", "gone", "retained_bytes")->i, 8000);
	assert_int_equal(fixture_at(&g, "name", "gone", "wal_status")->role, ROLE_CRIT);
	assert_int_equal(fixture_at(&g, "name", "gone", "active")->i, 0);
	assert_int_equal(fixture_at(&g, "name", "cdc", "flush_lag_bytes")->i, 500);
	assert_int_equal(fixture_at(&g, "name", "cdc", "safe_wal_bytes")->i, 100000);
	assert_int_equal(fixture_at(&g, "name", "cdc", "xmin_age")->i, 42);
	grid_release(&g);
	feed_free(f);
}

static void
receiver(const char *row, struct grid *g)
{
	struct feed *f = feed_new("t");

	fixture_clock(f, 500, true);
	feed_apply(f, fixture_sample(PROBE_RECEIVER, 500, receiver_columns, ROWS(row)));
	fixture_fill(f, &pane_replication, &opts, g);
	feed_free(f);
}

static void
receivers(void **state)
{
	struct grid g;

	(void)state;
	/* idle primary: nothing replayed for 400 s, yet no lag */
	receiver("500|9|streaming|700|1|499|db1|5432|700|700|100|f|0|60", &g);
	assert_true(fixture_at(&g, "kind", "receiver", "replay_lag_s")->f == 0);
	assert_true(cell_is(fixture_at(&g, "kind", "receiver", "name"), "db1:5432"));
	grid_release(&g);
	/* received and replayed agree because the sender went away: that is lag */
	receiver("500|9|streaming|700|1|300|db1|5432|700|700|100|f|0|60", &g);
	assert_true(fixture_at(&g, "kind", "receiver", "replay_lag_s")->f == 400);
	assert_int_equal(fixture_at(&g, "kind", "receiver", "active")->i, 0);
	grid_release(&g);
	/* no receiver at all */
	receiver("500|NULL|NULL|NULL|NULL|NULL|NULL|NULL|700|700|100|f|0|60", &g);
	assert_true(cell_is(fixture_at(&g, "kind", "receiver", "state"), "stopped"));
	assert_int_equal(fixture_at(&g, "kind", "receiver", "state")->role, ROLE_CRIT);
	grid_release(&g);
}

static void
verdict(void **state)
{
	struct feed *f = feed_new("t");
	struct grid g;

	(void)state;
	fixture_clock(f, 100, false);
	feed_apply(f,
	    fixture_sample(PROBE_REPLICATION, 100, sender_columns,
	        ROWS("100|5000|7|streaming|5000|5000|5000|5000|0|0|0|1|sync|100")));
	feed_apply(f,
	    fixture_sample(PROBE_SETTINGS, 100, "name text, setting text",
	        ROWS("fsync|on", "synchronous_commit|on", "synchronous_standby_names|s1")));
	fixture_fill(f, &pane_replication, &opts, &g);
	assert_int_equal(grid_fact_get(&g, "rpo_zero")->value.i, 1);
	grid_release(&g);
	feed_apply(f,
	    fixture_sample(PROBE_SETTINGS, 160, "name text, setting text",
	        ROWS("fsync|on", "synchronous_commit|local", "synchronous_standby_names|s1")));
	fixture_fill(f, &pane_replication, &opts, &g);
	assert_int_equal(grid_fact_get(&g, "rpo_zero")->value.i, 0);
	grid_release(&g);
	feed_free(f);
}

static void
nothing_known(void **state)
{
	struct feed *f = feed_new("t");
	struct grid g;

	(void)state;
	fixture_fill(f, &pane_replication, &opts, &g);
	assert_int_equal(g.nrows, 0);
	assert_true(fixture_has_note(&g, "no_data"));
	grid_release(&g);
	feed_apply(f,
	    fixture_failed(PROBE_REPLICATION, SAMPLE_DENIED, "permission denied for x",
	        "GRANT pg_monitor TO r"));
	fixture_fill(f, &pane_replication, &opts, &g);
	assert_true(fixture_has_note(&g, "denied"));
	grid_release(&g);
	feed_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(standbys),
		cmocka_unit_test(hidden_state_is_not_zero),
		cmocka_unit_test(slots),
		cmocka_unit_test(receivers),
		cmocka_unit_test(verdict),
		cmocka_unit_test(nothing_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
