/* Figures of the overview against counts done by hand; hidden is never 0. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"

extern const struct pane pane_overview;
static const struct pane_opts opts;

static const char activity_columns[] =
    "now time, pid int, datid int, usesysid int, application text, client text, state text, "
    "backend_type text, backend_start time, xact_start time, query_start time, wait_type text, wait_event text, query_id int, "
    "query text";

static struct cell
fact(const struct grid *g, const char *name)
{
	const struct grid_fact *f = grid_fact_get(g, name);
	if (!f)
		fail_msg("no fact %s", name);
	return f->value;
}

static void
counts_sessions(void **state)
{
	struct feed *f = feed_new("t");
	struct grid g;

	(void)state;
	feed_server(f,
	    &(struct server_info){
	        .version_num = 150000, .version = "15.18", .max_connections = 10, .own_pid = 99 });
	fixture_clock(f, 1000, false);
	feed_apply(f,
	    fixture_sample(PROBE_ACTIVITY, 1000, activity_columns,
	        ROWS("1000|1|1|1|a|NULL|active|client backend|1|990|990|Lock|relation|0|q",
	            "1000|2|1|1|a|NULL|active|client backend|1|NULL|1000|NULL|NULL|0|q",
	            "1000|3|1|1|a|NULL|idle|client backend|1|NULL|900|Client|ClientRead|0|q",
	            "1000|4|1|1|a|NULL|idle in transaction|client backend|1|400|900|Client|ClientRead|0|q",
	            "1000|5|1|1|a|NULL|idle in transaction (aborted)|client backend|1|900|900|Client|ClientRead|0|q",
	            "1000|99|1|1|pgmedic|NULL|active|client backend|1|1000|1000|NULL|NULL|0|q",
	            "1000|6|NULL|NULL||NULL|NULL|checkpointer|1|NULL|NULL|Activity|CheckpointerMain|0|")));
	fixture_fill(f, &pane_overview, &opts, &g);
	assert_int_equal(fact(&g, "connections").i, 5);
	assert_int_equal(fact(&g, "max_connections").i, 10);
	assert_true(fact(&g, "connections_pct").f == 50);
	assert_int_equal(fact(&g, "active").i, 2);
	assert_int_equal(fact(&g, "idle").i, 1);
	assert_int_equal(fact(&g, "idle_in_transaction").i, 2);
	assert_int_equal(fact(&g, "idle_in_transaction_aborted").i, 1);
	assert_int_equal(fact(&g, "waiting").i, 1);
	assert_int_equal(fact(&g, "slow_queries").i, 1);
	assert_true(fact(&g, "oldest_xact_s").f == 600);
	assert_true(cell_is(fixture_at(&g, "metric", "oldest_xact_s", "evidence"), "pid 4"));
	grid_release(&g);
	feed_free(f);
}

static void
hidden_sessions_are_not_zero(void **state)
{
	struct feed *f = feed_new("t");
	struct grid g;

	(void)state;
	fixture_clock(f, 1000, false);
	feed_apply(f,
	    fixture_sample(PROBE_ACTIVITY, 1000, activity_columns,
	        ROWS(
	            "1000|1|1|1|a|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|<insufficient privilege>")));
	fixture_fill(f, &pane_overview, &opts, &g);
	assert_int_equal(fact(&g, "connections").i, 1);
	assert_int_equal(fact(&g, "active").type, CELL_NULL);
	assert_int_equal(fact(&g, "active").why, WHY_DENIED);
	grid_release(&g);
	feed_free(f);
}

static void
before_the_first_answer(void **state)
{
	struct feed *f = feed_new("t");
	struct grid g;

	(void)state;
	fixture_fill(f, &pane_overview, &opts, &g);
	assert_int_equal(g.nrows, 0);
	assert_true(fixture_has_note(&g, "no_data"));
	grid_release(&g);
	feed_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_sessions),
		cmocka_unit_test(hidden_sessions_are_not_zero),
		cmocka_unit_test(before_the_first_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
