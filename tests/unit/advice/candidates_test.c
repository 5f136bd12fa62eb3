/* From recorded plans to needs, candidates, values, and what the search makes of them. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "advice/search.h"
#include "advice/text_expr.h"
#include "advice/writecost.h"
#include "fake/advice_catalog.h"

#define SCAN(filter)                                                                                      \
	"[{\"Plan\": {\"Node Type\": \"Seq Scan\", \"Schema\": \"shop\", \"Relation Name\": \"orders\","  \
	" \"Alias\": \"orders\", \"Total Cost\": 6500, \"Plan Rows\": 20, \"Output\": [\"id\", \"doc\"]," \
	" \"Filter\": \"" filter "\"}}]"

struct world {
	struct arena arena;
	struct catalog cat;
	struct cands *cands;
	struct cand_set mine;
};

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	fake_catalog(&w->cat);
	w->cands = calloc(1, sizeof(*w->cands));
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	free(w->cands);
	catalog_release(&w->cat);
	arena_release(&w->arena);
	free(w);
	return 0;
}

static struct needs *
candidates_of(struct world *w, const char *json)
{
	struct needs *needs = fake_needs(&w->arena, &w->cat, json);

	cands_add(w->cands, needs, &w->mine);
	return needs;
}

/* "customer_id, status DESC | total": keys and what they only cover. */
static const char *
keys_of(struct world *w, const struct cand *c)
{
	const char *s = "";

	for (int i = 0; i < c->nkeys; i++)
		s = arena_printf(&w->arena, "%s%s%s%s%s", s,
		    i == 0            ? "" :
		        i == c->ncore ? " | " :
		                        ", ",
		    c->keys[i]->name, c->desc[i] ? " DESC" : "", c->pattern[i] ? " pattern" : "");
	return s;
}

static bool
has(struct world *w, const char *keys)
{
	for (int i = 0; i < w->cands->n; i++) {
		if (strcmp(keys_of(w, &w->cands->items[i]), keys) == 0)
			return true;
	}
	return false;
}

static void
equality_comes_first_then_a_range(void **state)
{
	struct world *w = *state;
	struct needs *needs = candidates_of(w,
	    SCAN(
	        "((orders.created_at >= $2) AND (orders.status = $3) AND (orders.customer_id = $1))"));

	assert_int_equal(needs->n, 1);
	assert_int_equal(needs->rels[0].nconds, 3);
	assert_true(has(w, "customer_id"));
	assert_true(has(w, "customer_id, status"));
	assert_true(has(w, "customer_id, status, created_at"));
	assert_true(has(w, "customer_id, created_at"));
	assert_true(has(w, "created_at"));
	assert_false(has(w, "status, customer_id"));
	assert_false(has(w, "created_at, customer_id"));
}

static void
what_is_there_is_no_candidate(void **state)
{
	struct world *w = *state;

	candidates_of(w, SCAN("(orders.id = $1)"));
	assert_int_equal(w->cands->n, 0);
	candidates_of(w, SCAN("(orders.doc = $1)"));
	assert_int_equal(w->cands->n, 0);
}

static void
patterns_need_their_operator_class(void **state)
{
	struct world *w = *state;

	candidates_of(w, SCAN("(orders.email ~~ $1)"));
	assert_true(has(w, "email pattern"));
	assert_false(has(w, "email"));
}

static void
sorts_keep_mixed_directions(void **state)
{
	static const char json[] =
	    "[{\"Plan\": {\"Node Type\": \"Limit\", \"Plan Rows\": 20, \"Total Cost\": 7000, \"Output\": [\"orders.id\"], \"Plans\": ["
	    "{\"Node Type\": \"Sort\", \"Sort Key\": [\"orders.total\", \"orders.created_at DESC\"], \"Plans\": ["
	    "{\"Node Type\": \"Seq Scan\", \"Schema\": \"shop\", \"Relation Name\": \"orders\", \"Alias\": \"orders\","
	    " \"Total Cost\": 6500, \"Plan Rows\": 2000, \"Filter\": \"(orders.customer_id = $1)\"}]}]}}]";
	struct world *w = *state;
	struct needs *needs = candidates_of(w, json);

	assert_true(needs->rels[0].has_limit);
	assert_int_equal(needs->rels[0].nsort, 2);
	assert_true(has(w, "customer_id, total, created_at DESC"));
	assert_true(has(w, "total, created_at DESC"));
}

static void
partitions_are_their_parent(void **state)
{
	static const char json[] =
	    "[{\"Plan\": {\"Node Type\": \"Append\", \"Plans\": ["
	    "{\"Node Type\": \"Seq Scan\", \"Schema\": \"shop\", \"Relation Name\": \"metrics_1\", \"Alias\": \"m_1\","
	    " \"Filter\": \"((m_1.sensor = $1) AND (m_1.at > $2))\", \"Total Cost\": 10},"
	    "{\"Node Type\": \"Seq Scan\", \"Schema\": \"shop\", \"Relation Name\": \"metrics_2\", \"Alias\": \"m_2\","
	    " \"Filter\": \"((m_2.sensor = $1) AND (m_2.at > $2))\", \"Total Cost\": 30}]}}]";
	struct world *w = *state;
	struct needs *needs = candidates_of(w, json);

	assert_int_equal(needs->n, 1);
	assert_string_equal(needs->rels[0].table->name, "metrics");
	assert_int_equal(needs->rels[0].nconds, 2);
	assert_true(needs->rels[0].table->pages == 4000);
	assert_true(needs->rels[0].scan_cost == 40);
	assert_true(has(w, "sensor, at"));
	/* statistics of the larger one */
	assert_true(w->cands->items[0].keys[0]->ndistinct == 500);
}

static const char join_json[] =
    "[{\"Plan\": {\"Node Type\": \"Hash Join\", \"Join Type\": \"Inner\", \"Hash Cond\": \"(i.order_id = o.id)\","
    " \"Total Cost\": 9500, \"Plan Rows\": 40, \"Output\": [\"i.qty\"], \"Plans\": ["
    "{\"Node Type\": \"Seq Scan\", \"Schema\": \"shop\", \"Relation Name\": \"items\", \"Alias\": \"i\", \"Total Cost\": 7000, \"Plan Rows\": 400000},"
    "{\"Node Type\": \"Hash\", \"Total Cost\": 60, \"Plan Rows\": 20, \"Plans\": ["
    "{\"Node Type\": \"Index Scan\", \"Schema\": \"shop\", \"Relation Name\": \"orders\", \"Alias\": \"o\", \"Index Name\": \"x\","
    " \"Total Cost\": 60, \"Plan Rows\": 20, \"Index Cond\": \"(o.id < $1)\"}]}]}}]";

static void
joins_are_equality_of_both_sides(void **state)
{
	struct world *w = *state;
	struct needs *needs = candidates_of(w, join_json);
	const struct cond *c = needs->rels[0].conds;

	assert_int_equal(needs->n, 2);
	assert_true(c->is_join);
	assert_int_equal(c->op, COND_EQ);
	assert_int_equal(c->other_rel, 1);
	assert_string_equal(c->other_column, "id");
	assert_true(has(w, "order_id"));
	assert_true(has(w, "order_id | qty"));
}

static void
one_index_can_serve_two(void **state)
{
	struct world *w = *state;

	candidates_of(w, SCAN("((orders.customer_id = $1) AND (orders.status = $2))"));
	candidates_of(w, SCAN("(orders.status = $1)"));
	assert_false(has(w, "status, customer_id"));
	cands_merge(w->cands);
	assert_true(has(w, "status, customer_id"));
}

/* ---- values ---- */

static void
values_come_from_statistics(void **state)
{
	static const char *const types[] = { "text", "timestamp with time zone", "bigint", "xml" };
	struct world *w = *state;
	struct needs *needs =
	    candidates_of(w, SCAN("((orders.status = $1) AND (orders.created_at > $2))"));
	struct value_set sets[VALUE_KINDS];
	int n = values_choose(&w->arena, needs, "SELECT 1 LIMIT $3", 3, types, sets);

	assert_int_equal(n, 4);
	assert_null(sets[0].values);
	assert_string_equal(sets[1].values[0], "done");
	assert_string_equal(sets[3].values[0], "on hold");
	assert_string_equal(sets[3].values[1], "2025-12-31 00:00:00+00");
	for (int i = 1; i < n; i++)
		assert_string_equal(sets[i].values[2], "20");
	/* nothing sensible for one of them: the generic plan alone */
	n = values_choose(&w->arena, needs, "SELECT $4", 4, types, sets);
	assert_int_equal(n, 1);
}

static void
rows_that_came_tell_which_values(void **state)
{
	static const double rows[] = { 60000, 196000, 1000 };
	struct value_set sets[3] = { { .kind = VALUE_GENERIC }, { .kind = VALUE_COMMON },
		{ .kind = VALUE_RARE } };

	(void)state;
	values_weigh(sets, 3, rows, 900, false);
	assert_true(sets[2].weight > 0.95);
	values_weigh(sets, 3, rows, 1, true);
	assert_true(sets[1].weight > 0.3);
}

/* ---- search, with the model ---- */

static void
begin_statement(struct world *w, struct statement *s, const char *json, double weight)
{
	struct error err;

	*s = (struct statement){
		.weight = weight, .calls = 100, .rows = 2000, .is_explained = true
	};
	s->plans[0] = plan_read(&w->arena, json, strlen(json), &err);
	s->needs = needs_read(&w->arena, s->plans[0], &w->cat);
	s->sets[0] = (struct value_set){ .kind = VALUE_GENERIC, .weight = 1 };
	s->nsets = 1;
	s->base[0] = s->plans[0]->root->total;
	cands_add(w->cands, s->needs, &s->mine);
}

static void
the_search_chooses_what_pays(void **state)
{
	struct world *w = *state;
	struct advice_request req = { 0 };
	struct statement statements[3];
	struct workload wl = { .items = statements, .n = 3, .total_ms = 1000, .total_blocks = 1e6 };
	struct oracle o = { .wl = &wl, .cands = w->cands, .req = &req, .max_ms = 60000 };
	struct search sr = { .oracle = &o };
	int n = 0;

	o.began = mono_now();
	begin_statement(w, &statements[0], SCAN("(orders.customer_id = $1)"), 0.5);
	begin_statement(w, &statements[1], join_json, 0.4);
	/* most rows are wanted: nothing helps */
	begin_statement(w, &statements[2], SCAN("(orders.total > $1)"), 0.1);
	statements[2].rows = 1e7;
	statements[2].plans[0]->root->rows = 150000;
	assert_true(search_first(&sr));
	assert_true(search_run(&sr));
	search_settle(&sr);
	for (int i = 0; i < w->cands->n; i++) {
		const char *keys = keys_of(w, &w->cands->items[i]);

		if (!cand_has(&sr.chosen, i))
			continue;
		n++;
		assert_true(strcmp(keys, "customer_id") == 0 || strcmp(keys, "order_id") == 0);
		assert_true(sr.saving[i] > 0.3);
	}
	assert_int_equal(n, 2);
	assert_true(statements[0].after < 0.1 * statements[0].before);
	assert_true(statements[2].after == statements[2].before);
	oracle_release(&o);
}

static void
writes_count_against_an_index(void **state)
{
	struct world *w = *state;
	struct change change = { 0 };
	struct workload wl = {
		.changes = &change, .nchanges = 1, .total_ms = 1000, .total_blocks = 1e6
	};
	const struct cat_table *t = catalog_find(&w->cat, "shop", "orders");
	const struct cat_column *key = catalog_column(t, "status");

	assert_true(change_read(&w->arena,
	    "UPDATE \"shop\".orders AS o SET status = $1, (total, paid_at) = ($2, now()) WHERE id = $3",
	    &change));
	assert_string_equal(change.table, "orders");
	assert_int_equal(change.ncolumns, 3);
	assert_string_equal(change.columns[2], "paid_at");
	change.rows = 50000;
	assert_true(writecost_hot_loss(&wl, t, &key, 1) == 1);
	assert_true(writecost_share(&wl, t, &key, 1, 3) > 0.2);
	assert_true(change_read(&w->arena, "INSERT INTO shop.orders (id) VALUES ($1)", &change));
	assert_int_equal(change.command, 'i');
	assert_string_equal(change.table, "orders");
	assert_false(change_read(&w->arena, "SELECT 1", &change));
}

static void
expressions_are_printed_for_ddl(void **state)
{
	struct world *w = *state;
	struct needs *needs = candidates_of(w,
	    SCAN(
	        "((lower((orders.email)::text) = $1) AND ((orders.doc ->> 'k'::text) = $2) AND (date_trunc('day'::text, orders.created_at) = $3) AND ((orders.doc ->> $4) = $5))"));
	const struct need *need = &needs->rels[0];

	assert_int_equal(need->nconds, 4);
	assert_string_equal(text_expr(&w->arena, need, need->conds[0].left), "lower(email)");
	assert_string_equal(text_expr(&w->arena, need, need->conds[1].left), "(doc ->> 'k')");
	/* depends on the time zone; has a parameter */
	assert_null(text_expr(&w->arena, need, need->conds[2].left));
	assert_null(text_expr(&w->arena, need, need->conds[3].left));
	assert_string_equal(text_expr_column(need, need->conds[0].left)->name, "email");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(equality_comes_first_then_a_range),
		TEST(what_is_there_is_no_candidate),
		TEST(patterns_need_their_operator_class),
		TEST(sorts_keep_mixed_directions),
		TEST(partitions_are_their_parent),
		TEST(joins_are_equality_of_both_sides),
		TEST(one_index_can_serve_two),
		TEST(values_come_from_statistics),
		TEST(rows_that_came_tell_which_values),
		TEST(the_search_chooses_what_pays),
		TEST(writes_count_against_an_index),
		TEST(expressions_are_printed_for_ddl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
