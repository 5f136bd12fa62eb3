/* The databases pane: rates, ratios of the interval, sizes and who may not see them. */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "samples.h"

extern const struct pane pane_databases;

#define NEAR(a, b) assert_true(fabs((a) - (b)) < 1e-6)

static double
num(const struct grid *g, int row, const char *column)
{
	return cell_num(samples_cell(g, row, column), NAN);
}

static void
shop(struct rowset *rs, int64_t commits, int64_t rollbacks, int64_t read, int64_t hit)
{
	samples_add(rs, "datid", I(5), "datname", "shop", "backends", I(9), "commits", commits,
	    "rollbacks", rollbacks, "read", read, "hit", hit, "temp_bytes", commits * 1000, "ins",
	    commits, "upd", I(0), "del", I(0), "read_ms", 100.0, "write_ms", 5.0, "sessions", I(-1),
	    "session_ms", -1.0, "active_ms", (double)commits * 20, "idle_tx_ms", 0.0, "abandoned",
	    I(-1), "fatal", I(-1), "killed", I(-1), "conn_limit", I(10), "xid_age", I(1072241824),
	    "mxid_age", I(5), "deadlocks", I(2), "conflicts", I(0), NULL);
	samples_add(rs, "datid", I(0), "backends", I(0), "commits", I(0), "rollbacks", I(0), "read",
	    I(10), "hit", I(90), NULL);
}

static void
sizes(struct snapshot *snap, int64_t shop_bytes, int64_t second)
{
	struct rowset *rs = samples_rows("sizes");

	samples_add(rs, "datid", I(5), "datname", "shop", "size_bytes", shop_bytes, NULL);
	samples_add(rs, "datid", I(6), "datname", "secret", NULL);
	samples_ok(snap, PROBE_SIZES, rs, second);
}

static void
rates(void **state)
{
	struct snapshot *snap = snapshot_new();
	struct rowset *a = samples_rows("databases"), *b = samples_rows("databases");
	struct grid g;

	(void)state;
	shop(a, 100, 10, 1000, 9000);
	shop(b, 190, 20, 1010, 9090);
	samples_add(
	    b, "datid", I(6), "datname", "secret", "commits", I(1), "rollbacks", I(0), NULL);
	samples_ok(snap, PROBE_DATABASES, a, 1000);
	samples_ok(snap, PROBE_DATABASES, b, 1010);
	sizes(snap, 5000, 700);
	sizes(snap, 4000, 1000);
	samples_fill(&pane_databases, snap, false, NULL, &g);
	assert_int_equal(g.nrows, 3);
	NEAR(num(&g, 0, "tps"), 10);
	NEAR(num(&g, 0, "rollback_pct"), 10);
	NEAR(num(&g, 0, "hit_pct"), 90);
	NEAR(num(&g, 0, "hit_total_pct"), 90);
	NEAR(num(&g, 0, "temp_bytes_per_s"), 9000);
	NEAR(num(&g, 0, "writes_per_s"), 9);
	NEAR(num(&g, 0, "active_sessions"), 0.18);
	assert_int_equal(samples_cell(&g, 0, "commits")->i, 190);
	assert_int_equal(samples_cell(&g, 0, "deadlocks")->i, 2);
	assert_int_equal(samples_cell(&g, 0, "sessions")->why, WHY_UNSUPPORTED);
	assert_int_equal(samples_cell(&g, 0, "sessions_per_s")->why, WHY_UNSUPPORTED);
	assert_int_equal(samples_cell(&g, 0, "backends")->role, ROLE_CRIT); /* 9 of 10 */
	NEAR(num(&g, 0, "wraparound_pct"), 50);
	assert_int_equal(samples_cell(&g, 0, "size_bytes")->i, 4000);
	NEAR(num(&g, 0, "growth_bytes_per_s"), -1000 / 300.0); /* it shrank: that is no reset */
	NEAR(num(&g, 0, "size_age_s"), 10);
	assert_true(cell_is(samples_cell(&g, 1, "database"), "(shared)"));
	assert_int_equal(samples_cell(&g, 1, "size_bytes")->why, WHY_NONE);
	assert_int_equal(samples_cell(&g, 2, "size_bytes")->why, WHY_DENIED);
	assert_non_null(
	    strstr(samples_note(&g, "denied", "1 databases")->hint, "pg_read_all_stats"));
	assert_null(samples_note(&g, "reset", ""));
	grid_release(&g);
	snapshot_unref(snap);
}

static void
reset_and_nothing(void **state)
{
	struct snapshot *snap = snapshot_new();
	struct rowset *a, *b;
	struct grid g;

	(void)state;
	samples_fill(&pane_databases, snap, false, NULL, &g);
	assert_int_equal(g.nrows, 0);
	assert_true(g.nnotes > 0);
	grid_release(&g);
	a = samples_rows("databases");
	b = samples_rows("databases");
	shop(a, 100, 10, 1000, 9000);
	shop(b, 5, 0, 1, 1);
	samples_ok(snap, PROBE_DATABASES, a, 100);
	samples_fill(&pane_databases, snap, false, NULL, &g);
	assert_int_equal(samples_cell(&g, 0, "tps")->why, WHY_NODATA);
	assert_int_equal(samples_cell(&g, 0, "hit_pct")->type, CELL_NULL);
	grid_release(&g);
	samples_ok(snap, PROBE_DATABASES, b, 110);
	samples_fill(&pane_databases, snap, false, NULL, &g);
	assert_int_equal(samples_cell(&g, 0, "tps")->why, WHY_NODATA);
	assert_non_null(samples_note(&g, "reset", "went down"));
	grid_release(&g);
	snapshot_unref(snap);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates),
		cmocka_unit_test(reset_and_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
