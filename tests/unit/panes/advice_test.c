/* The advice pane: rows and notes of what the adviser posted, and the detail of one piece. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/doc.h"
#include "base/strbuf.h"

#include "fixture.h"

extern const struct pane pane_advice;

static const char advice_columns[] =
    "rank int, action text, schema text, table text, columns text, method text, ddl text, kind text, "
    "saving_pct float, size_bytes int, confidence text, reason text, statements text, caveats text, "
    "index text, build_s float, lock text, key text";
static const char statement_columns[] =
    "advice_key text, queryid int, weight_pct float, before_cost float, after_cost float, "
    "low float, high float, verdict text, candidate text, why text, query text";
static const char summary_columns[] =
    "explains int, elapsed_ms float, statements int, explained int, is_final bool, hypopg text, "
    "hypopg_hint text, not_explained text, stopped text, stats_age_s float";

static void
advise(struct feed *f, const char *summary)
{
	fixture_clock(f, 1000, false);
	feed_apply(f,
	    fixture_sample(PROBE_ADVICE, 1000, advice_columns,
	        ROWS(
	            "1|create|public|orders|[\"customer_id\",\"placed_at\"]|btree|CREATE INDEX CONCURRENTLY ON public.orders (customer_id, placed_at)|missing|41.5|1048576|what-if|4 statements scan it|[11,9007199254740993]|[\"writes 3 % slower\"]|NULL|12.5|SHARE UPDATE EXCLUSIVE|k1",
	            "2|drop|public|orders|[\"note\"]|btree|DROP INDEX CONCURRENTLY public.orders_note_idx|unused|NULL|8192|heuristic|no scan in 40 days|[]|[]|orders_note_idx|NULL|SHARE UPDATE EXCLUSIVE|k2",
	            "3|reindex|public|orders|[\"id\"]|btree|REINDEX INDEX CONCURRENTLY public.o_bad|invalid|NULL|0|heuristic|left over|[]|[]|o_bad|NULL|x|k3")));
	feed_apply(f,
	    fixture_sample(PROBE_ADVICE_STATEMENTS, 1000, statement_columns,
	        ROWS(
	            "k1|11|40|1000|10|0.005|0.2|helps|NULL|NULL|SELECT * FROM orders WHERE customer_id = $1",
	            "NULL|12|3|500|490|NULL|NULL|rejected|public.orders (note)|saves 2 % only|NULL",
	            "NULL|13|3|500|490|NULL|NULL|rejected|public.orders_old (note)|small|NULL",
	            "NULL|14|NULL|NULL|NULL|NULL|NULL|not explainable|NULL|temporary table|NULL")));
	feed_apply(f, fixture_sample(PROBE_ADVICE_SUMMARY, 1000, summary_columns, ROWS(summary)));
}

static bool
has_note(const struct grid *g, const char *part)
{
	for (int i = 0; i < g->nnotes; i++)
		if (strstr(g->notes[i].what, part) || strstr(g->notes[i].hint, part))
			return true;
	return false;
}

static const char *
json_of(const struct grid *g, struct strbuf *out)
{
	strbuf_clear(out);
	grid_json_rows(out, g);
	strbuf_adds(out, "\n");
	grid_json_summary(out, g);
	return out->buf;
}

static void
rows_have_the_contracts_names(void **state)
{
	struct feed *f = feed_new("t");
	struct pane_opts opts = { 0 };
	struct strbuf out = STRBUF_INIT(1 << 20);
	struct grid g;

	(void)state;
	advise(f,
	    "57|812.5|40|39|t|used|NULL|[{\"queryid\":14,\"why\":\"temporary table\"}]|NULL|8640000");
	fixture_fill(f, &pane_advice, &opts, &g);
	assert_int_equal(g.nrows, 3);
	assert_true(
	    cell_is(fixture_at(&g, "key", "k1", "object"), "orders (customer_id, placed_at)"));
	assert_true(cell_is(fixture_at(&g, "key", "k2", "object"), "orders_note_idx"));
	assert_int_equal(g.rows[2].role, ROLE_CRIT);
	json_of(&g, &out);
	assert_non_null(strstr(out.buf, "\"columns\":[\"customer_id\",\"placed_at\"]"));
	assert_non_null(strstr(out.buf, "\"statements\":[11,9007199254740993]"));
	assert_non_null(strstr(out.buf, "\"caveats\":[\"writes 3 % slower\"]"));
	assert_non_null(strstr(out.buf, "\"caveats\":[]"));
	assert_non_null(strstr(out.buf, "\"explains\":57"));
	assert_non_null(
	    strstr(out.buf, "\"not_explained\":[{\"queryid\":14,\"why\":\"temporary table\"}]"));
	assert_null(strstr(out.buf, "\"object\""));
	assert_true(has_note(&g, "1 statement could not be planned: temporary table"));
	assert_false(has_note(&g, "young"));
	grid_release(&g);
	strbuf_release(&out);
	feed_free(f);
}

static void
what_limits_the_advice_is_said(void **state)
{
	struct feed *f = feed_new("t");
	struct pane_opts opts = { 0 };
	struct grid g;

	(void)state;
	advise(f, "600|9000|40|20|t|absent|CREATE EXTENSION hypopg|[]|budget|7200");
	fixture_fill(f, &pane_advice, &opts, &g);
	assert_true(has_note(&g, "after 20 of 40 statements"));
	assert_true(has_note(&g, "CREATE EXTENSION hypopg"));
	assert_true(has_note(&g, "young"));
	grid_release(&g);
	feed_free(f);
}

static void
without_a_run_it_says_what_to_do(void **state)
{
	struct feed *f = feed_new("t");
	struct pane_opts opts = { 0 };
	struct grid g;

	(void)state;
	fixture_clock(f, 1000, false);
	fixture_fill(f, &pane_advice, &opts, &g);
	assert_int_equal(g.nrows, 0);
	assert_true(has_note(&g, "no advice was made yet"));
	assert_true(has_note(&g, ":advise makes it"));
	grid_release(&g);
	feed_free(f);
}

static void
builds_and_effects_are_noted(void **state)
{
	struct feed *f = feed_new("t");
	struct pane_opts opts = { 0 };
	struct grid g;

	(void)state;
	advise(f, "57|812|40|39|f|used|NULL|[]|NULL|NULL");
	feed_apply(f,
	    fixture_sample(PROBE_PROGRESS, 1000,
	        "command text, pid int, datid int, relid int, relation text, phase text, done int, total int, unit text, detail text",
	        ROWS(
	            "CREATE INDEX CONCURRENTLY|6|1|99|public.t|building index|25|100|blocks|waits for pid 77")));
	feed_apply(f,
	    fixture_sample(PROBE_ADVICE_EFFECT, 1000,
	        "table text, index text, at time, queryid int, ms_before float, ms_after float, blocks_before float, blocks_after float, calls_after float",
	        ROWS("orders|orders_customer_id_idx|900|11|8|0.5|1000|10|5000",
	            "orders|orders_customer_id_idx|900|12|8|NULL|1000|NULL|0")));
	fixture_fill(f, &pane_advice, &opts, &g);
	assert_true(has_note(&g, "public.t: building index 25 %, waits for pid 77"));
	assert_true(has_note(&g, "still looking: 39 of 40"));
	assert_true(has_note(&g,
	    "since orders_customer_id_idx: statement 11: buffers a call 1000.0 to 10.00 (-99 %), ms a call 8.00 to 0.500 (-94 %)"));
	assert_int_equal(grid_fact_get(&g, "measured")->kind, COL_JSON);
	grid_release(&g);
	feed_free(f);
}

static void
detail_tells_the_whole_story(void **state)
{
	static const char *const parts[] = { "CREATE INDEX CONCURRENTLY", "writes 3 % slower",
		"11: 40.0 % of the work; cost 1000.0 to 10.00, 1.0 % of it; 0.5 to 20.0 % over its values",
		"    SELECT * FROM orders WHERE customer_id = $1",
		"public.orders (note): saves 2 % only (statement 12)", "about 12.5 s", "1.0M" };
	struct feed *f = feed_new("t");
	struct pane_opts opts = { 0 };
	struct snapshot *snap;
	struct pane_ctx ctx;
	struct strbuf all = STRBUF_INIT(1 << 16);
	struct doc doc = { 0 };
	struct grid g;

	(void)state;
	advise(f, "57|812|40|39|t|used|NULL|[]|NULL|NULL");
	snap = feed_seal(f);
	ctx = (struct pane_ctx){ .snap = snap, .opts = &opts };
	grid_init(&g, pane_advice.columns, pane_advice.ncolumns);
	pane_advice.fill(&ctx, &g);
	pane_advice.detail(&ctx, &g, 0, &doc);
	for (int i = 0; i < doc.n; i++)
		strbuf_addf(&all, "%s\n", doc.lines[i].text);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (!strstr(all.buf, parts[i]))
			fail_msg("not in it: %s\n%s", parts[i], all.buf);
	assert_null(strstr(all.buf, "orders_old"));
	doc_release(&doc);
	grid_release(&g);
	strbuf_release(&all);
	snapshot_unref(snap);
	feed_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_have_the_contracts_names),
		cmocka_unit_test(what_limits_the_advice_is_said),
		cmocka_unit_test(without_a_run_it_says_what_to_do),
		cmocka_unit_test(builds_and_effects_are_noted),
		cmocka_unit_test(detail_tells_the_whole_story),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
