/* PgBouncer's answers: text or numbers, columns of any release, saturation, rates. */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"

extern const struct pane pane_pools;

static void
feed_pools(struct feed *f, int second, const char *stats)
{
	feed_apply(f,
	    fixture_sample(PROBE_POOL_POOLS, second,
	        "database text, user text, cl_active int, cl_waiting int, sv_active int, sv_idle int, sv_used int, sv_tested int, "
	        "sv_login int, maxwait int, maxwait_us int, pool_mode text",
	        ROWS("shop|app|12|9|3|0|0|0|0|2|500000|transaction",
	            "quiet|app|1|0|1|1|0|0|0|0|0|session",
	            "pgbouncer|pgbouncer|1|0|0|0|0|0|0|0|0|statement")));
	feed_apply(f,
	    fixture_sample(PROBE_POOL_DATABASES, second, "name text, pool_size text, paused text",
	        ROWS("shop|3|0", "quiet|20|1")));
	feed_apply(f,
	    fixture_sample(PROBE_POOL_STATS, second,
	        "database text, total_xact_count int, total_query_count int, total_query_time int, total_wait_time int",
	        ROWS(stats)));
}

static void
saturation_and_rates(void **state)
{
	struct feed *f = feed_new("t");
	struct pane_opts opts = { 0 };
	struct grid g;

	(void)state;
	fixture_clock(f, 10, false);
	feed_pools(f, 10, "shop|100|1000|5000000|0");
	fixture_fill(f, &pane_pools, &opts, &g);
	assert_int_equal(g.nrows, 2); /* the console's own pool is not shown */
	assert_int_equal(fixture_at(&g, "database", "shop", "queries_per_s")->why, WHY_NODATA);
	grid_release(&g);
	feed_pools(f, 15, "shop|150|1500|15000000|2500000");
	fixture_fill(f, &pane_pools, &opts, &g);
	assert_true(fixture_at(&g, "database", "shop", "use_pct")->f == 100);
	assert_int_equal(fixture_at(&g, "database", "shop", "use_pct")->role, ROLE_CRIT);
	assert_true(fixture_at(&g, "database", "shop", "maxwait_s")->f == 2.5);
	assert_true(cell_num(fixture_at(&g, "database", "shop", "queries_per_s"), 0) == 100);
	assert_true(fabs(fixture_at(&g, "database", "shop", "query_ms")->f - 20) < 1e-9);
	assert_true(fabs(fixture_at(&g, "database", "shop", "wait_ms_per_s")->f - 500) < 1e-9);
	assert_int_equal(fixture_at(&g, "database", "quiet", "paused")->i, 1);
	assert_true(fixture_at(&g, "database", "quiet", "use_pct")->f == 5);
	assert_int_equal(cell_i64(&grid_fact_get(&g, "waiting")->value, -1), 9);
	grid_release(&g);
	/* PgBouncer was restarted: its counters began again */
	feed_pools(f, 20, "shop|1|2|3|4");
	fixture_fill(f, &pane_pools, &opts, &g);
	assert_int_equal(fixture_at(&g, "database", "shop", "queries_per_s")->type, CELL_NULL);
	grid_release(&g);
	feed_free(f);
}

static void
without_a_pooler(void **state)
{
	struct feed *f = feed_new("t");
	struct pane_opts opts = { 0 };
	struct grid g;

	(void)state;
	fixture_clock(f, 10, false);
	feed_apply(f,
	    fixture_failed(PROBE_POOL_POOLS, SAMPLE_UNSUPPORTED, "no pgbouncer is configured",
	        "set pgbouncer"));
	fixture_fill(f, &pane_pools, &opts, &g);
	assert_int_equal(g.nrows, 0);
	assert_true(fixture_has_note(&g, "unsupported"));
	grid_release(&g);
	feed_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(saturation_and_rates),
		cmocka_unit_test(without_a_pooler),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
