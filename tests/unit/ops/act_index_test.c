/* create index and drop index without a server: what is asked, refused, planned and handed to the
 * job. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ops/act.h"
#include "pg/pg.h"

static struct arena arena;

/* As the command table splits it: the verb, and the rest as one word. */
static struct act *
make(const char *verb, const char *rest, const struct act_env *env, struct error *err)
{
	struct word w[2] = { { .text = verb }, { .text = rest } };
	struct words words = { .w = w, .n = 2 };

	memset(err, 0, sizeof(*err));
	return act_new(&words, arena_printf(&arena, "%s %s", verb, rest), env, err);
}

static struct rowset *
row_of(const char *query)
{
	const struct pg_query *q = pg_query_by_name(query);
	struct rowset *rs;

	assert_non_null(q);
	rs = rowset_new(q->ncols, q->col_names, q->col_types);
	rowset_add(rs);
	return rs;
}

static void
put(struct rowset *rs, const char *column, struct cell value)
{
	int col = rowset_col(rs, column);

	assert_true(col >= 0);
	rs->cells[col] = value;
}

/* What the server says of a table that may be indexed. */
static struct rowset *
good_table(void)
{
	struct rowset *rs = row_of("look_create_index");

	put(rs, "oid", cell_int(4711));
	put(rs, "schema", cell_text("shop"));
	put(rs, "name", cell_text("shop.orders"));
	put(rs, "kind", cell_text("r"));
	put(rs, "bytes", cell_float(200e6));
	put(rs, "tuples", cell_float(1e6));
	put(rs, "width", cell_float(12));
	put(rs, "index_name", cell_text("orders_a_idx"));
	put(rs, "index", cell_text("shop.orders_a_idx"));
	put(rs, "statement",
	    cell_text("CREATE INDEX CONCURRENTLY orders_a_idx ON shop.orders USING btree (a)"));
	put(rs, "tail", cell_text("btree (a)"));
	put(rs, "is_taken", cell_bool(false));
	put(rs, "is_owner", cell_bool(true));
	put(rs, "may_create", cell_bool(true));
	put(rs, "data_directory", cell_text("/data"));
	put(rs, "is_local", cell_bool(true));
	return rs;
}

static struct rowset *
good_index(void)
{
	struct rowset *rs = row_of("look_drop_index");

	put(rs, "oid", cell_int(99));
	put(rs, "schema", cell_text("shop"));
	put(rs, "index_name", cell_text("orders_a_idx"));
	put(rs, "name", cell_text("shop.orders_a_idx"));
	put(rs, "table", cell_text("shop.orders"));
	put(rs, "is_valid", cell_bool(true));
	put(rs, "definition",
	    cell_text("CREATE INDEX CONCURRENTLY orders_a_idx ON shop.orders USING btree (a)"));
	put(rs, "statement", cell_text("DROP INDEX CONCURRENTLY shop.orders_a_idx"));
	put(rs, "is_owner", cell_bool(true));
	return rs;
}

static bool
plan_says(const struct act *a, const char *part)
{
	const struct doc *doc = act_doc(a);

	for (int i = 0; i < doc->n; i++)
		if (strstr(doc->lines[i].text, part))
			return true;
	return false;
}

static struct act *
answered(const char *verb, const char *rest, const struct act_env *env, struct rowset *rows)
{
	struct error err;
	struct act *a = make(verb, rest, env, &err);
	struct act_query q;

	assert_non_null(a);
	assert_true(act_next(a, &q));
	assert_false(q.is_act);
	act_answer(a, rows, NULL);
	rowset_unref(rows);
	return a;
}

static int64_t
little_room(const char *folder)
{
	assert_string_equal(folder, "/data");
	return 1 << 20;
}

static const struct act_env prod = { .target = "prod" };

static void
asks_for_what_was_typed(void **state)
{
	struct error err;
	struct act_query q;
	struct act *a = make("create",
	    "INDEX my_idx ON Shop.\"Or\"\"ders\" USING gin (a, lower(b) gin_trgm_ops) INCLUDE (c) WHERE d = '\"x\\'",
	    &prod, &err);

	(void)state;
	assert_non_null(a);
	assert_true(act_next(a, &q));
	assert_string_equal(q.query, "look_create_index");
	assert_string_equal(q.params[0], "shop");
	assert_string_equal(q.params[1], "Or\"ders");
	assert_string_equal(q.params[2], "my_idx");
	assert_string_equal(q.params[3], "gin");
	assert_string_equal(q.params[5], "{\"a\",\"\"}");
	assert_string_equal(q.params[6], "{\"\",\"lower(b)\"}");
	assert_string_equal(q.params[7], "{\"\",\"gin_trgm_ops\"}");
	assert_string_equal(q.params[8], "{\"c\"}");
	assert_string_equal(q.params[10], "d = '\"x\\'");
	act_free(a);
	a = make("drop", "index CONCURRENTLY Shop.\"My idx\" --force", &prod, &err);
	assert_non_null(a);
	assert_true(act_next(a, &q));
	assert_string_equal(q.query, "look_drop_index");
	assert_string_equal(q.params[0], "shop");
	assert_string_equal(q.params[1], "My idx");
	assert_null(q.params[2]);
	act_free(a);
}

static void
refuses_other_statements(void **state)
{
	static const char *const bad[][2] = { { "create", "table t (a int)" },
		{ "create", "index on t (a); drop table t" }, { "drop", "table t" },
		{ "drop", "index" }, { "drop", "index a; drop table t" }, { "drop", "index a, b" },
		{ "drop", "index a cascade" } };
	struct act_env read_only = { .target = "prod", .read_only_why = "--read-only" };
	struct error err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_null(make(bad[i][0], bad[i][1], &prod, &err));
		assert_int_equal(err.code, ERR_USAGE);
	}
	assert_null(make("create", "index on t (a)", &read_only, &err));
	assert_int_equal(err.code, ERR_REFUSED);
}

static void
plans_and_hands_to_the_job(void **state)
{
	struct act_env env = { .target = "prod", .free_bytes = little_room };
	struct rowset *rows = good_table();
	struct error err;
	struct act *a;

	(void)state;
	put(rows, "old_xacts", cell_int(2));
	put(rows, "oldest_s", cell_float(75));
	put(rows, "oldest", cell_text("pid 7 (app)"));
	put(rows, "same", cell_text("shop.orders_a2_idx"));
	a = answered("create", "index on orders (a)", &env, rows);
	assert_int_equal(act_stage(a), ACT_PLANNED);
	assert_true(plan_says(a, "200M") || plan_says(a, "190M") || plan_says(a, "191M"));
	assert_true(
	    plan_says(a, "2 transactions that are open now, the oldest for 1:15: pid 7 (app)"));
	assert_true(plan_says(a, "shop.orders_a2_idx"));
	assert_true(plan_says(a, "1.0M"));
	assert_true(plan_says(a, "drop index shop.orders_a_idx"));
	assert_string_equal(act_worst_risk(a), "medium");
	assert_string_equal(act_expects(a), "y");
	assert_null(act_job(a)->queryids);
	assert_string_equal(act_job(a)->kind, "create index");
	assert_string_equal(act_job(a)->name, "orders_a_idx");
	assert_string_equal(act_job(a)->relid, "4711");
	assert_true(act_confirm(a, "y", &err));
	assert_int_equal(act_stage(a), ACT_DETACHED);
	act_free(a);
}

static void
the_advice_knows_more(void **state)
{
	static const char *const names[] = { "action", "schema", "table", "columns", "size_bytes",
		"build_s", "statements" };
	static const uint8_t types[] = { CELL_TEXT, CELL_TEXT, CELL_TEXT, CELL_TEXT, CELL_INT,
		CELL_FLOAT, CELL_TEXT };
	struct rowset *advice = rowset_new(ARRAY_LEN(names), names, types);
	struct act_env env = { .target = "prod", .advice = advice };
	struct cell *c;
	struct act *a;

	(void)state;
	c = rowset_add(advice);
	c[0] = cell_text("create");
	c[1] = cell_text("shop");
	c[2] = cell_text("orders");
	c[3] = cell_text("[\"a\",\"lower(b)\",\"c\"]");
	c[4] = cell_int(5 << 20);
	c[5] = cell_float(90);
	c[6] = cell_text("[11,-12]");
	a = answered(
	    "create", "index on shop.orders (a, lower(b)) include (c)", &env, good_table());
	assert_true(plan_says(a, "about 5.0M"));
	assert_true(plan_says(a, "about 1:30"));
	assert_string_equal(act_job(a)->queryids, "[11,-12]");
	act_free(a);
	a = answered("create", "index on shop.orders (a, lower(b))", &env, good_table());
	assert_null(act_job(a)->queryids);
	act_free(a);
	a = answered(
	    "create", "index on other.orders (a, lower(b)) include (c)", &env, good_table());
	assert_null(act_job(a)->queryids);
	act_free(a);
	rowset_unref(advice);
}

static void
refuses_what_would_fail(void **state)
{
	static const struct {
		const char *column;
		enum err_code code;
		bool value;
	} cases[] = { { "is_standby", ERR_REFUSED, true }, { "is_taken", ERR_STATE, true },
		{ "is_owner", ERR_DENIED, false }, { "may_create", ERR_DENIED, false } };
	const struct error *error;
	struct rowset *rows;
	const char *line;
	struct act *a;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		rows = good_table();
		put(rows, cases[i].column, cell_bool(cases[i].value));
		a = answered("create", "index on orders (a)", &prod, rows);
		assert_int_equal(act_stage(a), ACT_FINISHED);
		assert_int_equal(act_result(a, &line, &error), ACT_REFUSED);
		assert_int_equal(error->code, cases[i].code);
		act_free(a);
	}
	rows = good_table();
	put(rows, "missing", cell_text("a"));
	a = answered("create", "index on orders (a)", &prod, rows);
	assert_int_equal(act_result(a, &line, &error), ACT_REFUSED);
	assert_non_null(strstr(line, "orders has no column a"));
	act_free(a);
}

static void
partitions_are_steps(void **state)
{
	struct rowset *rows = good_table();
	struct act *a;
	int n;

	(void)state;
	put(rows, "kind", cell_text("p"));
	put(rows, "parts", cell_int(12));
	a = answered("create", "index on orders (a)", &prod, rows);
	assert_true(act_job(a)->has_parts);
	(void)act_steps(a, &n);
	assert_int_equal(n, 4);
	assert_true(plan_says(a, "concurrently on 12 partitions"));
	act_free(a);
}

static void
drops_with_care(void **state)
{
	struct error err;
	struct rowset *rows = good_index();
	const struct error *error;
	const char *line;
	struct act *a;

	(void)state;
	put(rows, "standbys", cell_int(2));
	a = answered("drop", "index orders_a_idx", &prod, rows);
	assert_int_equal(act_stage(a), ACT_PLANNED);
	assert_string_equal(act_expects(a), "y");
	assert_true(plan_says(a, "CREATE INDEX CONCURRENTLY orders_a_idx ON shop.orders"));
	assert_true(plan_says(a, "2 servers stream from here"));
	assert_string_equal(act_job(a)->undo,
	    "CREATE INDEX CONCURRENTLY orders_a_idx ON shop.orders USING btree (a)");
	assert_true(act_confirm(a, "y", &err));
	assert_string_equal(act_statement(a), "DROP INDEX CONCURRENTLY shop.orders_a_idx");
	act_free(a);

	rows = good_index();
	put(rows, "careful", cell_text("it alone serves the foreign key f"));
	a = answered("drop", "index orders_a_idx", &prod, rows);
	assert_int_equal(act_result(a, &line, &error), ACT_REFUSED);
	assert_non_null(strstr(error->hint, "--force"));
	act_free(a);

	rows = good_index();
	put(rows, "careful", cell_text("it alone serves the foreign key f"));
	a = answered("drop", "index orders_a_idx --force", &prod, rows);
	assert_int_equal(act_stage(a), ACT_PLANNED);
	assert_string_equal(act_worst_risk(a), "high");
	assert_string_equal(act_expects(a), "shop.orders_a_idx");
	assert_true(act_job(a)->force);
	act_free(a);

	rows = good_index();
	put(rows, "refused", cell_text("it is the primary key"));
	a = answered("drop", "index orders_a_idx --force", &prod, rows);
	assert_int_equal(act_result(a, &line, &error), ACT_REFUSED);
	act_free(a);
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
		cmocka_unit_test(asks_for_what_was_typed),
		cmocka_unit_test(refuses_other_statements),
		cmocka_unit_test(plans_and_hands_to_the_job),
		cmocka_unit_test(the_advice_knows_more),
		cmocka_unit_test(refuses_what_would_fail),
		cmocka_unit_test(partitions_are_steps),
		cmocka_unit_test(drops_with_care),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
