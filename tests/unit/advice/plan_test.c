/* Plans and the expressions in them: what is read, and what is refused. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "advice/expr.h"
#include "advice/plan.h"
#include "base/strbuf.h"

static void
a_plan_is_a_tree(void **state)
{
	static const char json[] =
	    "[{\"Plan\": {\"Node Type\": \"Gather\", \"Workers Planned\": 2, \"Total Cost\": 20.5, \"Plan Rows\": 10,"
	    " \"Plans\": [{\"Node Type\": \"Seq Scan\", \"Schema\": \"s\", \"Relation Name\": \"t\", \"Alias\": \"a\","
	    " \"Plan Rows\": 5, \"Filter\": \"(a.x = $1)\", \"Output\": [\"a.x\", \"a.y\"]}]}}]";
	struct arena arena = { 0 };
	struct error err;
	struct plan *plan = plan_read(&arena, json, strlen(json), &err);

	(void)state;
	assert_non_null(plan);
	assert_int_equal(plan->nnodes, 2);
	assert_string_equal(plan->root->type, "Gather");
	assert_true(plan->root->total == 20.5);
	assert_ptr_equal(plan->nodes[1]->parent, plan->root);
	assert_true(plan_is_scan(plan->nodes[1]));
	assert_false(plan_is_scan(plan->root));
	assert_string_equal(plan->nodes[1]->clauses[PLAN_FILTER], "(a.x = $1)");
	assert_int_equal(plan->nodes[1]->output.n, 2);
	/* two workers and a leader that is busy with them by 60 % */
	assert_true(plan_all_rows(plan->nodes[1]) == 5 * 2.4);
	arena_release(&arena);
}

static void
what_is_no_plan_is_refused(void **state)
{
	static const char *const texts[] = { "", "{", "[]", "[{}]", "[{\"Plan\": 3}]",
		"[{\"Plan\": {}}]", "[{\"Plan\": {\"Node Type\": 7}}]",
		"[{\"Plan\": {\"Node Type\": \"Limit\", \"Plans\": [1]}}]",
		"[{\"Plan\": {\"Node Type\": \"Limit\", \"Plans\": [{}]}}]" };
	struct arena arena = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct error err = { 0 };

		assert_null(plan_read(&arena, texts[i], strlen(texts[i]), &err));
		assert_true(err.code != ERR_OK);
	}
	arena_release(&arena);
}

/* "(op a b)": enough to see the structure. */
static void
show(struct strbuf *out, const struct expr *e)
{
	static const char *const kinds[] = { "col", "param", "const", "fn", "op", "any", "all",
		"and", "or", "not", "is", "cast", "list", "other" };

	switch (e->kind) {
	case EXPR_COLUMN:
		strbuf_addf(out, "%s.%s", e->alias, e->name);
		return;
	case EXPR_PARAM:
		strbuf_addf(out, "$%d", e->param);
		return;
	case EXPR_CONST:
		strbuf_adds(out, e->value ? e->value : "NULL");
		return;
	default:
		break;
	}
	strbuf_addf(out, "[%s", kinds[e->kind]);
	if (e->name)
		strbuf_addf(out, " %s", e->name);
	for (int i = 0; i < e->nkids; i++) {
		strbuf_addc(out, ' ');
		show(out, e->kids[i]);
	}
	strbuf_addc(out, ']');
}

static void
expressions_are_understood(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "(t.a = $1)", "[op = t.a $1]" },
		{ "((t.a = $1) AND (t.b > 5) AND (t.c IS NULL))",
		    "[and AND [op = t.a $1] [op > t.b 5] [is IS NULL t.c]]" },
		{ "((t.a = 1) OR (NOT t.b))", "[or OR [op = t.a 1] [not t.b]]" },
		{ "((t.name)::text ~~ 'ab%'::text)", "[op ~~ [cast text t.name] [cast text ab%]]" },
		{ "(lower((t.email)::text) = $1)", "[op = [fn lower [cast text t.email]] $1]" },
		{ "(t.s = ANY ('{a,b}'::text[]))", "[any = t.s [cast text[] {a,b}]]" },
		{ "(t.s <> ALL ($1))", "[all <> t.s $1]" },
		{ "(t.\"Odd Name\" = 'it''s'::character varying(10))",
		    "[op = t.Odd Name [cast character varying(10) it's]]" },
		{ "(t.at >= (now() - '1 day'::interval))",
		    "[op >= t.at [op - [fn now] [cast interval 1 day]]]" },
		{ "(t.at < '2025-01-01 00:00:00+00'::timestamp with time zone)",
		    "[op < t.at [cast timestamp with time zone 2025-01-01 00:00:00+00]]" },
		{ "($1 OPERATOR(pg_catalog.=) x.parent_id)", "[op = $1 x.parent_id]" },
		{ "((t.doc ->> 'k'::text) = $1)", "[op = [op ->> t.doc [cast text k]] $1]" },
		{ "(t.a IS NOT DISTINCT FROM $1)", "[op IS NOT DISTINCT FROM t.a $1]" },
		{ "(ROW(t.a, t.b) < ROW($1, $2))", "[op < [list t.a t.b] [list $1 $2]]" },
		{ "sum(amount)", "[fn sum .amount]" },
		{ "CASE WHEN (t.a > 1) THEN t.b ELSE t.c END",
		    "[other [fn WHEN [op > t.a 1]] .THEN t.b .ELSE t.c]" },
		{ "((t.x)[1] = 3)", "[op = [other t.x 1] 3]" },
	};
	struct arena arena = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct strbuf out = STRBUF_INIT(4096);

		show(&out, expr_read(&arena, cases[i].text));
		assert_string_equal(out.buf, cases[i].want);
		strbuf_release(&out);
	}
	arena_release(&arena);
}

static void
hostile_expressions_end(void **state)
{
	struct arena arena = { 0 };
	struct strbuf deep = STRBUF_INIT(1 << 20);

	(void)state;
	for (int i = 0; i < 50000; i++)
		strbuf_adds(&deep, "(-");
	assert_non_null(expr_read(&arena, deep.buf));
	strbuf_clear(&deep);
	for (int i = 0; i < 50000; i++)
		strbuf_adds(&deep, "NOT a::b ");
	assert_non_null(expr_read(&arena, deep.buf));
	assert_non_null(expr_read(&arena, ""));
	assert_non_null(expr_read(&arena, ")"));
	assert_non_null(expr_read(&arena, "(t.a = 'open"));
	strbuf_release(&deep);
	arena_release(&arena);
}

static void
sort_keys_have_directions(void **state)
{
	struct arena arena = { 0 };
	struct expr_sort s = expr_read_sort(&arena, "t.a DESC");

	(void)state;
	assert_true(s.is_desc && s.nulls_first);
	s = expr_read_sort(&arena, "t.a DESC NULLS LAST");
	assert_true(s.is_desc && !s.nulls_first);
	s = expr_read_sort(&arena, "t.a");
	assert_true(!s.is_desc && !s.nulls_first);
	s = expr_read_sort(&arena, "(lower(t.a)) NULLS FIRST");
	assert_true(!s.is_desc && s.nulls_first && s.expr->kind == EXPR_FUNC);
	arena_release(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plan_is_a_tree),
		cmocka_unit_test(what_is_no_plan_is_refused),
		cmocka_unit_test(expressions_are_understood),
		cmocka_unit_test(hostile_expressions_end),
		cmocka_unit_test(sort_keys_have_directions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
