/* What stands out in a statement's figures. */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "panes/statement_help.h"

#include "fixture.h"

static struct arena arena;
static struct help_finding found[HELP_MAX];
static int nfound;

/* A statement that nothing stands out in. */
static struct help_facts
plain(void)
{
	static const char text[] = "SELECT * FROM orders WHERE id = $1";
	struct help_facts f = {
		.calls_per_s = 1,
		.max_ms = 2,
		.stddev_ms = 0.1,
		.block_size = 8192,
		.work_mem = 4 << 20,
		.text = text,
		.text_len = sizeof(text) - 1,
		.plan_rows = NAN,
	};

	f.total.v[STMT_CALLS] = 10000;
	f.total.v[STMT_ROWS] = 10000;
	f.total.v[STMT_TOTAL_MS] = 5000;
	f.total.v[STMT_HIT] = 50000;
	return f;
}

static const struct help_finding *
get(const struct help_facts *f, const char *code)
{
	nfound = help_findings(f, &arena, found);
	for (int i = 0; i < nfound; i++)
		if (strcmp(found[i].code, code) == 0)
			return &found[i];
	return NULL;
}

static void
says(const struct help_facts *f, const char *code, const char *what, const char *hint)
{
	const struct help_finding *x = get(f, code);

	if (!x)
		fail_msg("%s is not found", code);
	if (!strstr(x->what, what) || !strstr(x->hint, hint))
		fail_msg("%s | %s", x->what, x->hint);
}

static void
nothing_stands_out(void **state)
{
	struct help_facts f = plain();

	(void)state;
	assert_int_equal(help_findings(&f, &arena, found), 0);
	f.total.v[STMT_CALLS] = 0;
	assert_int_equal(help_findings(&f, &arena, found), 0);
	/* An old server counts neither plans nor JIT. */
	f = plain();
	f.total.v[STMT_PLANS] = f.total.v[STMT_PLAN_MS] = f.total.v[STMT_JIT_MS] = NAN;
	f.total.v[STMT_TEMP_WRITTEN] = f.calls_per_s = f.block_size = NAN;
	assert_int_equal(help_findings(&f, &arena, found), 0);
}

static void
a_row_at_a_time(void **state)
{
	struct help_facts f = plain();

	(void)state;
	f.calls_per_s = 800;
	says(&f, "n_plus_1", "10.0k calls, 800 a second, of 1.0 row and 0.50 ms", "= ANY($1)");
	f.calls_per_s = NAN;
	assert_null(get(&f, "n_plus_1"));
	f.parent_id = 77;
	f.parent_calls = 400;
	says(&f, "n_plus_1", "statement 77 returns as many rows: about 25 of these", "join");
	f.total.v[STMT_ROWS] = 90000;
	assert_null(get(&f, "n_plus_1"));
}

static void
spills(void **state)
{
	struct help_facts f = plain();

	(void)state;
	f.total.v[STMT_TEMP_WRITTEN] = 10000.0 * 1280; /* 10 MB a call */
	says(&f, "temp", "10.0M of temporary files written a call", "work_mem = '32MB'");
	says(&f, "temp", "work_mem is 4.0M", "SET LOCAL");
	f.total.v[STMT_TEMP_WRITTEN] = 10000.0 * 128000;
	says(&f, "temp", "1000M", "too much to give");
	f.total.v[STMT_TEMP_WRITTEN] = 10000;
	assert_null(get(&f, "temp"));
}

static void
planning_and_jit(void **state)
{
	struct help_facts f = plain();

	(void)state;
	f.total.v[STMT_PLANS] = 10000;
	f.total.v[STMT_PLAN_MS] = 30000;
	says(&f, "plan", "planning takes 3.00 ms, running it 0.50 ms", "Prepare");
	f.total.v[STMT_PLAN_MS] = 3000;
	assert_null(get(&f, "plan"));
	f.total.v[STMT_TOTAL_MS] = 100000;
	f.total.v[STMT_JIT_MS] = 40000;
	says(&f, "jit", "takes 40 % of its time, 4.00 ms a call", "jit_above_cost");
}

static void
blocks(void **state)
{
	struct help_facts f = plain();

	(void)state;
	f.total.v[STMT_HIT] = 10000.0 * 300;
	f.total.v[STMT_READ] = 10000.0 * 700;
	f.total.v[STMT_READ_MS] = 2500;
	says(&f, "reads",
	    "5.5M a call that are not in shared buffers (hit ratio 30 %), 50 % of its time",
	    "an index");
	says(&f, "wide", "looks through 1.0k blocks a call for 1 row", ":advise");
	f.total.v[STMT_ROWS] = 10000.0 * 900;
	assert_null(get(&f, "wide"));
}

static void
unsteady_and_misjudged(void **state)
{
	struct help_facts f = plain();

	(void)state;
	f.max_ms = 9000;
	f.stddev_ms = 45;
	says(&f, "unsteady", "0.50 ms on average, 9.0s at worst", "waits");
	f = plain();
	f.plan_rows = 4000;
	says(&f, "rows", "expects 4.0k rows of a call, 1 come", "CREATE STATISTICS");
	f.plan_rows = 5;
	assert_null(get(&f, "rows"));
}

static bool
reads(const char *text, const char *table)
{
	return help_reads_table(text, strlen(text), table, strlen(table));
}

static void
tables_are_known_by_where_they_stand(void **state)
{
	(void)state;
	assert_true(reads("SELECT 1 FROM orders WHERE id = $1", "orders"));
	assert_true(reads("select 1 from a, orders o", "orders"));
	assert_true(reads("select 1 from a\n  join shop.orders on true", "orders"));
	assert_true(reads("UPDATE \"Shop\".\"orders\" SET x = $1", "orders"));
	assert_true(reads("insert into orders values ($1)", "orders"));
	assert_true(reads("delete from only orders", "orders"));
	assert_true(reads("select 1 from (orders join b using (id))", "orders"));
	assert_false(reads("SELECT orders FROM customers", "orders"));
	assert_false(reads("SELECT 1 FROM orders_old", "orders"));
	assert_false(reads("SELECT 1 FROM reorders", "orders"));
	assert_false(reads("SELECT c.orders FROM c", "orders"));
	assert_false(reads("", "orders"));
	assert_false(reads("orders", "orders"));
}

static void
stale_statistics_and_advice(void **state)
{
	struct feed *f = feed_new("t");
	struct snapshot *snap;
	struct arena own = { 0 };
	struct statements st;
	struct doc doc = { 0 };
	struct cell id = cell_int(5),
	            text = cell_text("SELECT * FROM orders JOIN fresh USING (id)");
	struct strbuf all = STRBUF_INIT(1 << 16);

	(void)state;
	fixture_clock(f, 100000, false);
	feed_apply(f,
	    fixture_sample(PROBE_STATEMENTS, 100000,
	        "userid int, dbid int, queryid int, calls int, rows int, total_ms float",
	        ROWS("10|1|5|100|100|50")));
	feed_apply(f,
	    fixture_sample(PROBE_TABLES, 100000,
	        "schema text, table text, reltuples float, live int, mod_since_analyze int, last_analyze time, last_autoanalyze time",
	        ROWS("public|orders|10000|10000|6000|92800|NULL",
	            "public|fresh|10000|10000|100|92800|NULL",
	            "public|other|10000|10000|9000|NULL|NULL")));
	feed_apply(f,
	    fixture_sample(PROBE_ADVICE, 100000, "key text, ddl text",
	        ROWS("k1|CREATE INDEX CONCURRENTLY ON orders (id)")));
	feed_apply(f,
	    fixture_sample(PROBE_ADVICE_STATEMENTS, 100000,
	        "advice_key text, queryid int, before_cost float, after_cost float",
	        ROWS("k1|5|100|1", "k1|6|100|1")));
	snap = feed_seal(f);
	assert_true(statements_init(&st, &own, snap));
	statement_help(snap, &st, 0, &id, &text, &doc);
	for (int i = 0; i < doc.n; i++)
		strbuf_addf(&all, "%s\n", doc.lines[i].text);
	assert_non_null(
	    strstr(all.buf, "public.orders 6.0k rows changed since it was analyzed 2:00:00 ago"));
	assert_non_null(strstr(all.buf, ":analyze public.orders"));
	assert_null(strstr(all.buf, "fresh"));
	assert_null(strstr(all.buf, "other"));
	assert_non_null(strstr(all.buf, "CREATE INDEX CONCURRENTLY ON orders (id)"));
	strbuf_release(&all);
	doc_release(&doc);
	arena_release(&own);
	snapshot_unref(snap);
	feed_free(f);
}

static int
teardown(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_stands_out),
		cmocka_unit_test(a_row_at_a_time),
		cmocka_unit_test(spills),
		cmocka_unit_test(planning_and_jit),
		cmocka_unit_test(blocks),
		cmocka_unit_test(unsteady_and_misjudged),
		cmocka_unit_test(tables_are_known_by_where_they_stand),
		cmocka_unit_test(stale_statistics_and_advice),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
