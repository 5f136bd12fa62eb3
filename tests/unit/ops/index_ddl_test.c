/* The CREATE INDEX that may be typed, and all that may not. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/compat.h"
#include "base/strbuf.h"
#include "ops/index_ddl.h"

static struct arena arena;

static void
parse(const char *text, struct index_ddl *out)
{
	struct error err = { 0 };

	if (!index_ddl_parse(&arena, text, out, &err))
		fail_msg("%s: %s", text, err.what);
}

static void
plain_indexes(void **state)
{
	struct index_ddl d;

	(void)state;
	parse("index on t (a)", &d);
	assert_null(d.name);
	assert_null(d.schema);
	assert_string_equal(d.table, "t");
	assert_int_equal(d.nkeys, 1);
	assert_string_equal(d.keys[0].column, "a");
	parse(
	    "UNIQUE INDEX CONCURRENTLY My_Idx ON Shop.\"Order \"\"x\"\"\" USING BTREE (A DESC NULLS LAST, \"B c\" text_pattern_ops, d COLLATE \"C\")",
	    &d);
	assert_true(d.is_unique);
	assert_string_equal(d.name, "my_idx");
	assert_string_equal(d.schema, "shop");
	assert_string_equal(d.table, "Order \"x\"");
	assert_string_equal(d.raw_table, "Shop.\"Order \"\"x\"\"\"");
	assert_string_equal(d.method, "btree");
	assert_int_equal(d.nkeys, 3);
	assert_string_equal(d.keys[0].column, "a");
	assert_string_equal(d.keys[0].suffix, "DESC NULLS LAST");
	assert_string_equal(d.keys[1].column, "B c");
	assert_string_equal(d.keys[1].suffix, "text_pattern_ops");
	assert_string_equal(d.keys[2].suffix, "COLLATE \"C\"");
}

static void
expressions_and_the_rest(void **state)
{
	struct index_ddl d;

	(void)state;
	parse(
	    "index i on t using gin (lower(email), (data -> 'a;b' /* c */ ->> 'c') gin_trgm_ops, public.f(a, 'x')) "
	    "include (n, \"M\") with (fastupdate = off, gin_pending_list_limit = '64') "
	    "where status <> 'open' and (n >= 5 or note is null)",
	    &d);
	assert_int_equal(d.nkeys, 3);
	assert_null(d.keys[0].column);
	assert_string_equal(d.keys[0].expr, "lower(email)");
	assert_string_equal(d.keys[1].expr, "(data -> 'a;b' ->> 'c')");
	assert_string_equal(d.keys[1].suffix, "gin_trgm_ops");
	assert_string_equal(d.keys[2].expr, "public.f(a, 'x')");
	assert_int_equal(d.ninclude, 2);
	assert_string_equal(d.include[1], "M");
	assert_string_equal(d.with, "fastupdate = off, gin_pending_list_limit = '64'");
	assert_string_equal(d.where, "status <> 'open' and (n >= 5 or note is null)");
}

static void
nothing_else_slips_in(void **state)
{
	static const char *const bad[] = {
		"",
		"index",
		"index on t",
		"index on t ()",
		"index on t (a,)",
		"index on t (a",
		"table t (a int)",
		"index on t (a); drop table t",
		"index on t (a) where x; drop table t",
		"index on t (a) where (x = 1; drop table t)",
		"index on t ((a; drop table t))",
		"index on t (lower(a); drop table t)",
		"index on t (a) drop table t",
		"index on t (a) where x = $1",
		"index on t ((a + $1))",
		"index on t (a) where 'open",
		"index on t (a) where /* x",
		"index on t (a) where x)",
		"index on t (a) where",
		"index on t (a) tablespace x",
		"index on t (a) with (fillfactor = (1))",
		"index on t (a) with (fillfactor = 90",
		"index on t (a) include ()",
		"index on t (a) include (lower(b))",
		"index on a.b.c (x)",
		"index \"\" on t (a)",
		"index on t (a + 1)",
		"index i j on t (a)",
		"index on t (a) where $$x",
		"index on t (a desc; x)",
		"index on t (1)",
		"index on t ('a')",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct index_ddl d;
		struct error err = { 0 };

		if (index_ddl_parse(&arena, bad[i], &d, &err))
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(err.code, ERR_USAGE);
		assert_true(*err.what);
	}
}

static void
comments_do_not_join_or_hide(void **state)
{
	struct index_ddl d;

	(void)state;
	parse("index on t (a) where x = 1 -- and more\n and y", &d);
	assert_string_equal(d.where, "x = 1 and y");
	parse("index on t (a) where x >= 1 and y::text like 'a%'", &d);
	assert_string_equal(d.where, "x >= 1 and y::text like 'a%'");
}

static void
too_many_columns(void **state)
{
	struct strbuf text = STRBUF_INIT(400);
	struct index_ddl d;
	struct error err = { 0 };

	(void)state;
	strbuf_adds(&text, "index on t (a");
	for (int i = 0; i < INDEX_DDL_KEYS; i++)
		strbuf_adds(&text, ", a");
	strbuf_addc(&text, ')');
	assert_false(index_ddl_parse(&arena, text.buf, &d, &err));
	strbuf_release(&text);
}

static void
names(void **state)
{
	const char *schema, *name;

	(void)state;
	assert_true(index_ddl_name(&arena, " Shop.\"Odd; name\" ", &schema, &name));
	assert_string_equal(schema, "shop");
	assert_string_equal(name, "Odd; name");
	assert_true(index_ddl_name(&arena, "I", &schema, &name));
	assert_null(schema);
	assert_string_equal(name, "i");
	assert_false(index_ddl_name(&arena, "a.b.c", &schema, &name));
	assert_false(index_ddl_name(&arena, "a; drop table t", &schema, &name));
	assert_false(index_ddl_name(&arena, "", &schema, &name));
	assert_false(index_ddl_name(&arena, "a b", &schema, &name));
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
		cmocka_unit_test(plain_indexes),
		cmocka_unit_test(expressions_and_the_rest),
		cmocka_unit_test(nothing_else_slips_in),
		cmocka_unit_test(comments_do_not_join_or_hide),
		cmocka_unit_test(too_many_columns),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
