/* The cloud pane and what Performance Insights adds to the waits: each part as it is, missing,
 * denied. */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"

extern const struct pane pane_cloud, pane_waits;

static const char facts[] =
    "id text, status text, class text, vcpus int, storage_bytes int, "
    "pending text, parameter_state text, certificate_until time, role text, "
    "custom_endpoint text";

static void
feed_facts(struct feed *f, int second)
{
	feed_apply(f,
	    fixture_sample(PROBE_CLOUD, second, facts,
	        ROWS("db1|available|db.r6g.large|2|1073741824|DBInstanceClass=db.r6g.xlarge|"
	             "pending-reboot|1000000|primary|NULL",
	            "db2|rebooting|db.r6g.large|2|1073741824|NULL|in-sync|NULL|replica|NULL")));
}

/* A feed of two hours whose instance is known. */
static struct feed *
instance_feed(void)
{
	struct feed *f = feed_new("t");

	fixture_clock(f, 7200, false);
	feed_facts(f, 7200);
	return f;
}

static bool
has_note(const struct grid *g, const char *code, const char *part)
{
	for (int i = 0; i < g->nnotes; i++)
		if (strcmp(g->notes[i].code, code) == 0 && strstr(g->notes[i].what, part))
			return true;
	return false;
}

static struct sample *
failed(enum probe_id probe, enum sample_state state, const char *what)
{
	struct sample *s = sample_new(probe, state, NULL);

	snprintf(s->what, sizeof(s->what), "%s", what);
	return s;
}

static void
metrics_of_two_parts(void **state)
{
	struct feed *f = instance_feed();
	struct pane_opts opts = { 0 };
	struct grid g;

	(void)state;
	/* A minute that both parts have counts once, as the later one has it. */
	feed_apply(f,
	    fixture_sample(PROBE_CLOUD_PAST, 7200,
	        "time time, CPUUtilization float, ReadLatency float",
	        ROWS("6000|10|0.002", "6060|20|NULL", "6120|90|0.004")));
	feed_apply(f,
	    fixture_sample(PROBE_CLOUD_METRICS, 7200, "time time, CPUUtilization float, New float",
	        ROWS("6120|30|1", "6180|40|2")));
	fixture_fill(f, &pane_cloud, &opts, &g);
	assert_true(fixture_at(&g, "name", "CPUUtilization", "value")->f == 40);
	assert_true(fixture_at(&g, "name", "CPUUtilization", "min")->f == 10);
	assert_true(fixture_at(&g, "name", "CPUUtilization", "max")->f == 40);
	assert_true(fixture_at(&g, "name", "CPUUtilization", "avg")->f == 25);
	assert_true(cell_is(fixture_at(&g, "name", "ReadLatency", "now"), "4.00ms"));
	assert_true(cell_is(fixture_at(&g, "name", "ReadLatency", "unit"), "s"));
	/* The line fits into 80 columns, its newest end with it. */
	assert_true(fixture_at(&g, "name", "New", "trend")->len <= 28 * strlen("█"));
	/* What is not known is not left out of the line. */
	assert_memory_equal(fixture_at(&g, "name", "New", "trend")->s, "·", 2);
	assert_true(fixture_at(&g, "name", "New", "value")->f == 2);
	assert_true(cell_is(&grid_fact_get(&g, "class")->value, "db.r6g.large"));
	assert_true(has_note(&g, "pending", "db.r6g.xlarge"));
	assert_true(has_note(&g, "pending", "reboot"));
	assert_true(has_note(&g, "certificate", "expires in 11d"));
	assert_true(cell_is(fixture_at(&g, "name", "db2", "state"), "rebooting"));
	assert_true(has_note(&g, "no_data", "AWS was not heard yet"));
	grid_release(&g);
	feed_free(f);
}

static void
alarms_and_events(void **state)
{
	struct feed *f = instance_feed();
	struct pane_opts opts = { 0 };
	struct grid g;

	(void)state;
	feed_apply(f,
	    fixture_sample(PROBE_CLOUD_ALARMS, 7200,
	        "name text, state text, instance text, metric text, comparison text, threshold float, "
	        "reason text, changed time, notifies bool",
	        ROWS("quiet|OK|db1|CPUUtilization|GreaterThanThreshold|80|fine|10|t",
	            "lag|ALARM|db1|AuroraReplicaLag|GreaterThanOrEqualToThreshold|500|slow|20|f")));
	feed_apply(f,
	    fixture_sample(PROBE_CLOUD_EVENTS, 7200,
	        "time time, source text, source_type text, category text, message text",
	        ROWS("100|db1|db-instance|failover|started", "200|db1|db-instance|NULL|done")));
	fixture_fill(f, &pane_cloud, &opts, &g);
	/* What rings comes first; a threshold is in the metric's own unit. */
	assert_true(cell_is(&g.rows[0].cells[grid_col(&g, "name")], "lag"));
	assert_int_equal(fixture_at(&g, "name", "lag", "now")->role, ROLE_CRIT);
	assert_true(cell_is(fixture_at(&g, "name", "lag", "text"),
	    "AuroraReplicaLag >= 500ms (tells nobody): slow"));
	assert_int_equal(cell_i64(&grid_fact_get(&g, "alarms_ringing")->value, -1), 1);
	/* Newest first; one without a category is an event. */
	assert_true(cell_is(&g.rows[g.nrows - 1].cells[grid_col(&g, "name")], "failover"));
	assert_true(cell_is(&g.rows[g.nrows - 2].cells[grid_col(&g, "name")], "event"));
	grid_release(&g);
	feed_apply(f, failed(PROBE_CLOUD_ALARMS, SAMPLE_DENIED, "not allowed"));
	feed_apply(f, failed(PROBE_CLOUD_METRICS, SAMPLE_FAILED, "broken"));
	fixture_fill(f, &pane_cloud, &opts, &g);
	assert_true(has_note(&g, "stale", "not allowed; shown as of"));
	assert_true(has_note(&g, "no_data", "broken"));
	assert_true(cell_is(fixture_at(&g, "name", "lag", "state"), "ALARM"));
	grid_release(&g);
	feed_free(f);
}

static void
not_in_the_cloud(void **state)
{
	struct feed *f = feed_new("t");
	struct pane_opts opts = { 0 };
	struct grid g;

	(void)state;
	fixture_clock(f, 10, false);
	feed_apply(f, failed(PROBE_CLOUD, SAMPLE_UNSUPPORTED, "nothing says that it is"));
	fixture_fill(f, &pane_cloud, &opts, &g);
	assert_int_equal(g.nrows, 0);
	assert_int_equal(g.nnotes, 1);
	assert_true(has_note(&g, "unsupported", "nothing says"));
	grid_release(&g);
	feed_free(f);
}

/* Composite alarms, a list that is cut, series that were not told. */
static void
what_is_not_whole(void **state)
{
	struct feed *f = instance_feed();
	struct pane_opts opts = { 0 };
	struct grid g;

	(void)state;
	feed_apply(f,
	    fixture_sample(PROBE_CLOUD_ALARMS, 7200,
	        "name text, state text, instance text, metric text, comparison text, threshold float, "
	        "reason text, changed time, notifies bool, rule text",
	        ROWS("both|ALARM|db1|NULL|NULL|NULL|cpu and lag|20|t|ALARM(cpu) AND ALARM(lag)",
	            "NULL|NULL|NULL|NULL|NULL|NULL|only the first 5000|NULL|NULL|NULL")));
	feed_apply(f,
	    fixture_sample(PROBE_CLOUD_METRICS, 7200, "time time, CPUUtilization float",
	        ROWS("6120|30", "6180|40")));
	feed_apply(f,
	    fixture_sample(PROBE_CLOUD_UNTOLD, 7200, "metric text, status text",
	        ROWS("ReadIOPS|Forbidden", "SwapUsage|Forbidden", "DBLoad|PartialData",
	            "CPUUtilization|InternalError", "NULL|MaxMetricsExceeded: too many",
	            "WriteIOPS|Strange")));
	fixture_fill(f, &pane_cloud, &opts, &g);
	assert_true(cell_is(
	    fixture_at(&g, "name", "both", "text"), "ALARM(cpu) AND ALARM(lag): cpu and lag"));
	assert_int_equal(cell_i64(&grid_fact_get(&g, "alarms")->value, -1), 1);
	assert_true(has_note(&g, "partial", "only the first 5000"));
	assert_true(has_note(&g, "denied", "read ReadIOPS, SwapUsage"));
	assert_true(has_note(&g, "partial", "points of DBLoad"));
	assert_true(has_note(&g, "trouble", "within itself for CPUUtilization"));
	assert_true(has_note(&g, "trouble", "MaxMetricsExceeded: too many, WriteIOPS, Strange"));
	grid_release(&g);
	feed_free(f);
}

/* Hours by the minute, then minutes in slices of 15 seconds; what is in both counts once. */
static void
load_from_before(void **state)
{
	struct feed *f = feed_new("t");
	struct pane_opts opts = { .window_s = 300 };
	struct grid g;

	(void)state;
	feed_apply(f,
	    fixture_sample(PROBE_CLOUD_LOAD_PAST, 1000,
	        "time time, seconds float, type text, event text, aas float",
	        ROWS("600|60|CPU|CPU|9", "840|60|IO|DataFileRead|4", "900|60|Lock|tuple|7")));
	feed_apply(f,
	    fixture_sample(PROBE_CLOUD_LOAD, 1000,
	        "time time, seconds float, type text, event text, aas float",
	        ROWS("900|15|CPU|CPU|2", "900|15|IO|DataFileRead|2", "915|15|NULL|NULL|0")));
	fixture_fill(f, &pane_waits, &opts, &g);
	/* 60 s of 4 and 15 s of 2 in IO, 15 s of 2 on CPU, 15 s of nothing: of 90 s. */
	assert_true(fabs(cell_num(fixture_at(&g, "class", "IO", "aas"), 0) - 270.0 / 90) < 1e-6);
	assert_true(fabs(cell_num(fixture_at(&g, "class", "CPU", "aas"), 0) - 30.0 / 90) < 1e-6);
	assert_true(cell_is(fixture_at(&g, "class", "CPU", "event"), "CPU"));
	assert_int_equal(g.nrows, 2);
	assert_true(cell_num(&grid_fact_get(&g, "insights_s")->value, 0) == 90);
	assert_true(has_note(&g, "insights", "Performance Insights"));
	grid_release(&g);
	/* By user it has nothing to say. */
	opts.mode = 2;
	fixture_fill(f, &pane_waits, &opts, &g);
	assert_int_equal(g.nrows, 0);
	grid_release(&g);
	feed_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metrics_of_two_parts),
		cmocka_unit_test(alarms_and_events),
		cmocka_unit_test(what_is_not_whole),
		cmocka_unit_test(not_in_the_cloud),
		cmocka_unit_test(load_from_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
