/* Parameters typed from what a server complains of. The complaints are those of version 15. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pg/sqltyped.h"

/* The position of `at` in the text, in characters of ASCII. */
static struct sql_complaint
complaint(struct sql_typed *t, const char *sqlstate, const char *message, const char *at)
{
	const char *text = sql_typed_text(t), *place = at ? strstr(text, at) : NULL;

	return (struct sql_complaint){
		.sqlstate = sqlstate, .message = message, .position = place ? place - text + 1 : 0
	};
}

static void
learned_once(void **state)
{
	static const struct {
		const char *text, *sqlstate, *message, *at, *want;
	} cases[] = {
		{ "select concat(a, $1), format($2, $3) from t", "42P18",
		    "could not determine data type of parameter $1", NULL,
		    "select concat(a, $1::text), format($2::text, $3::text) from t" },
		{ "select * from t where i = any (array[$1, $2])", "42883",
		    "operator does not exist: integer = text", "= any",
		    "select * from t where i = any (array[$1::integer, $2::integer])" },
		{ "select * from t where i = any (array[$1, $2])", "42883",
		    "l'opérateur n'existe pas : integer = text", "= any",
		    "select * from t where i = any (array[$1::integer, $2::integer])" },
		{ "select $1 + $2, $3 * $4", "42725", "operator is not unique: unknown + unknown",
		    "+", "select $1::integer + $2::integer, $3::integer * $4" },
		{ "select * from t where at > now() - $1", "42883",
		    "operator does not exist: timestamp with time zone > interval", "> now",
		    "select * from t where at > now() - $1::interval" },
		{ "select sum(case when x = $1 then $2 else $3 end) from t", "42883",
		    "function sum(text) does not exist", "sum",
		    "select sum(case when x = $1 then $2::integer else $3::integer end) from t" },
		{ "select * from (values ($1, $2), ($3, $4)) as v (id, n) join t on t.id = v.id",
		    "42883", "operator does not exist: bigint = text", "= v.id",
		    "select * from (values ($1::bigint, $2), ($3, $4)) as v (id, n) join t on t.id = v.id" },
		{ "with recursive t (n) as (select $1 union all select n + $2 from t) select * from t",
		    "42725", "operator is not unique: text + unknown", "+ $2",
		    "with recursive t (n) as (select $1::integer union all select n + $2::integer from t) select * from t" },
		{ "update t set d = v.d from (values ($1, $2)) as v (id, d) where v.id = t.id",
		    "42804",
		    "column \"d\" is of type timestamp with time zone but expression is of type text",
		    "v.d",
		    "update t set d = v.d from (values ($1, $2::timestamp with time zone)) as v (id, d) where v.id = t.id" },
		{ "select date_trunc($1, at), count(*) from t group by date_trunc('day', at)",
		    "42803", "column \"t.at\" must appear in the GROUP BY clause", "at)",
		    "select date_trunc($1, at), count(*) from t group by date_trunc($1, at)" },
		{ "select extract($1 from d), a ->> $2 from t group by extract(year from d), a ->> $3",
		    "42803", "column \"t.d\" must appear", "d)",
		    "select pg_catalog.date_part($1::text, d), a ->> $2 from t group by pg_catalog.date_part($1::text, d), a ->> $2" },
		{ "select * from t where a = p_id and b = $1", "42703",
		    "column \"p_id\" does not exist", "p_id",
		    "select * from t where a = $1 and b = $2" },
		{ "update t set a = $1 where i = new.i", "42P01",
		    "missing FROM-clause entry for table \"new\"", "new.i",
		    "update t set a = $1 where i = $2" },
		{ "select i % $1, s from t group by rollup (i % -10, s)", "42803", "column", "i",
		    "select i % $1, s from t group by rollup (i % $1, s)" },
	};
	struct arena arena = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sql_typed *t = sql_typed_new(&arena, cases[i].text);
		struct sql_complaint c =
		    complaint(t, cases[i].sqlstate, cases[i].message, cases[i].at);

		assert_true(sql_typed_learn(t, &c));
		assert_string_equal(sql_typed_text(t), cases[i].want);
	}
	arena_release(&arena);
}

static void
repaired(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "select timestamp(3) $1, box $2, double precision $3",
		    "select $1::timestamp(3), $2::box, $3::double precision" },
		{ "select \"public\".\"mood\" $1, numeric(5, 2) $2",
		    "select $1::\"public\".\"mood\", $2::numeric(5, 2)" },
		{ "select * from t where x like $1 limit $2 offset $3",
		    "select * from t where x like $1 limit $2 offset $3" },
		{ "select 1 from json_table($1::jsonb, $2 columns (a int path '$.a')) where a > $3",
		    "select 1 from json_table($1::jsonb, '$' columns (a int path '$.a')) where a > $2" },
		{ "select * from t where id in ($1 /*, ... */)",
		    "select * from t where id in ($1 /*, ... */)" },
		{ "select $7, $3", "select $1, $2" },
	};
	struct arena arena = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(
		    sql_typed_text(sql_typed_new(&arena, cases[i].text)), cases[i].want);
	arena_release(&arena);
}

/* The same complaint again and again: each try is another one, and there is an end. */
static void
ends(void **state)
{
	struct arena arena = { 0 };
	struct sql_typed *t = sql_typed_new(&arena, "select f($1, $2), g($3) from t");
	const char *last = "";
	int n = 0;

	(void)state;
	for (; n < 200; n++) {
		struct sql_complaint c =
		    complaint(t, "42883", "function f(unknown, unknown) does not exist", "f(");

		if (!sql_typed_learn(t, &c))
			break;
		assert_string_not_equal(sql_typed_text(t), last);
		last = sql_typed_text(t);
	}
	assert_in_range(n, 3, 60);
	assert_false(sql_typed_learn(t,
	    &(struct sql_complaint){ .sqlstate = "42P01", .message = "relation", .position = 1 }));
	arena_release(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(learned_once),
		cmocka_unit_test(repaired),
		cmocka_unit_test(ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
