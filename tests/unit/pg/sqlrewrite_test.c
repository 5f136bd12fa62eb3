/* Statements that change rows, as the SELECT that finds them. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "pg/sqlrewrite.h"

/* With blanks and line ends as one blank each. */
static const char *
squeeze(struct arena *arena, const char *s)
{
	struct strbuf out = STRBUF_INIT(1 << 16);
	const char *result;

	for (; s && *s; s++) {
		if (*s != ' ' && *s != '\n')
			strbuf_addc(&out, *s);
		else if (out.len && out.buf[out.len - 1] != ' ')
			strbuf_addc(&out, ' ');
	}
	while (out.len && out.buf[out.len - 1] == ' ')
		out.buf[--out.len] = '\0';
	result = out.len ? arena_strndup(arena, out.buf, out.len) : "none";
	strbuf_release(&out);
	return result;
}

static void
as_select(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "select 1", "select 1" },
		{ "select * from t for update", "select * from t" },
		{ "select * from (select 1 from a for no key update of a skip locked) x for share nowait",
		    "select * from (select 1 from a ) x" },
		{ "update t set x = $1 where id = $2", "SELECT t.ctid FROM t where id = $1" },
		{ "update only s.t * as a set x = 1 where a.id = 2",
		    "SELECT a.ctid FROM only s.t * as a where a.id = 2" },
		{ "update t a set x = b.x from b join c on c.i = b.i where a.id = b.id returning a.*",
		    "SELECT a.ctid FROM t a , b join c on c.i = b.i where a.id = b.id" },
		{ "update t set x = (select max(y) from u where u.i = t.i), z = 3 where i = 4",
		    "SELECT t.ctid , (select max(y) from u where u.i = t.i) FROM t where i = 4" },
		{ "update t set (a, b) = (select 1, y from u) where i is distinct from $1",
		    "SELECT t.ctid , (SELECT pgmedic_q FROM (select 1, y from u) AS pgmedic_q) FROM t where i is distinct from $1" },
		{ "delete from t where id = $1 returning id",
		    "SELECT t.ctid FROM t where id = $1" },
		{ "delete from \"T\" as d using u where u.id = d.id",
		    "SELECT d.ctid FROM \"T\" as d , u where u.id = d.id" },
		{ "insert into t (a, b) select x, y from u where z = $1 on conflict (a) do nothing",
		    "select x, y from u where z = $1" },
		{ "insert into t values ($1, default) returning id", "values ($1, NULL )" },
		{ "insert into t values ($1, $2::jsonb), (default, $3::jsonb)",
		    "values ($1, $2::jsonb), ( NULL , $3::jsonb)" },
		{ "insert into t as a default values", "SELECT 1" },
		{ "insert into t (a) with w as (select 1) select * from w",
		    "(with w as (select 1 ) select * from w )" },
		{ "merge into t a using s on a.id = s.id when matched then update set x = 1 when not matched then insert values (1)",
		    "SELECT a.ctid FROM t a RIGHT JOIN s on a.id = s.id" },
		{ "merge into t using s on t.id = s.id when matched then delete",
		    "SELECT t.ctid FROM t JOIN s on t.id = s.id" },
		{ "with g as (delete from a where i = $1 returning *) insert into b select * from g",
		    "with g as MATERIALIZED (SELECT a.* FROM a where i = $1 ) select * from g" },
		{ "with d as (delete from a where i = 1) select 2",
		    "with d as MATERIALIZED (SELECT a.ctid FROM a where i = 1 ) , pgmedic_main AS MATERIALIZED (select 2 ) SELECT 1 FROM pgmedic_main UNION ALL SELECT 1 FROM d" },
		{ "with n as (insert into t (a) values ($1) returning id) select * from n",
		    "with n as MATERIALIZED (SELECT id FROM t RIGHT JOIN (SELECT 1 FROM (values ($1) ) pgmedic_v) pgmedic_q ON false ) select * from n" },
	};
	struct arena arena = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(
		    squeeze(&arena, sql_as_select(&arena, cases[i].text, false)), cases[i].want);
	assert_string_equal(
	    squeeze(&arena, sql_as_select(&arena, "update v set x = 1 where y = 2", true)),
	    "SELECT v.* FROM v where y = 2");
	/* torn ones are refused or left alone, never read past their end */
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t len = strlen(cases[i].text); len-- > 0;)
			(void)sql_as_select(
			    &arena, arena_strndup(&arena, cases[i].text, len), false);
	arena_release(&arena);
}

static void
commands(void **state)
{
	struct arena arena = { 0 };

	(void)state;
	assert_int_equal(sql_command(&arena, "table t"), 's');
	assert_int_equal(
	    sql_command(&arena, "WITH a AS (INSERT INTO t DEFAULT VALUES) SELECT 1"), 's');
	assert_int_equal(sql_command(&arena, "with a as (select 1) delete from t"), 'd');
	assert_int_equal(sql_command(&arena, "update t set x = 1"), 'u');
	assert_int_equal(sql_command(&arena, "insert into t select 1"), 'i');
	assert_int_equal(
	    sql_command(&arena, "merge into t using s on true when matched then delete"), 'm');
	assert_true(sql_is_current_of(&arena, "update t set x = 1 where current of c"));
	assert_false(sql_is_current_of(&arena, "select current_user"));
	assert_string_equal(
	    sql_without_into(&arena, "select a into temp table x from t"), "select a  from t");
	assert_string_equal(
	    sql_without_into(&arena, "insert into t select 1"), "insert into t select 1");
	arena_release(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_select),
		cmocka_unit_test(commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
