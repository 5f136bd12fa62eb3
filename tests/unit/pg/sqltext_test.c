/* Reading statements of others: what is one statement, what may be explained, repairs, redaction.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pg/sqltext.h"

/* The statement taken out, or "!" and the error's code. */
static const char *
explainable(struct arena *arena, const char *text)
{
	struct error err = { 0 };
	const char *s = sql_explainable(arena, text, &err);

	if (!s)
		assert_true(*err.what != '\0');
	return s ? s : arena_printf(arena, "!%s", error_name(err.code));
}

static void
one_statement(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "select 1", "select 1" },
		{ "select 1;", "select 1" },
		{ "select 1 ; ; -- x\n /* y */ ", "select 1 " },
		{ "  (select 1)", "  (select 1)" },
		{ "values (1)", "values (1)" },
		{ "table t", "table t" },
		{ "WITH x AS (SELECT 1) DELETE FROM t", "WITH x AS (SELECT 1) DELETE FROM t" },
		{ "select ';'", "select ';'" },
		{ "select 'it''s; fine'", "select 'it''s; fine'" },
		{ "select E'\\'; drop table t; --'", "select E'\\'; drop table t; --'" },
		{ "select $$;$$, $x$ ; $$ ; $x$", "select $$;$$, $x$ ; $$ ; $x$" },
		{ "select \"a;b\"", "select \"a;b\"" },
		{ "select 1 /* ; /* nested ; */ still ; */",
		    "select 1 /* ; /* nested ; */ still ; */" },
		{ "select 1 -- ; drop table t", "select 1 -- ; drop table t" },
		{ "select a$1;b", "!REFUSED" },
		{ "select 1; commit; drop table t", "!REFUSED" },
		{ "select 1;select 2", "!REFUSED" },
		/* with standard_conforming_strings the backslash does not hide the quote */
		{ "select '\\'; drop table t; --'", "!REFUSED" },
		{ "select 1 /* /* */; drop table t", "!REFUSED" },
		{ "select 'open", "!REFUSED" },
		{ "select $a$ open $b$", "!REFUSED" },
		{ "select /* open", "!REFUSED" },
		{ "", "!USAGE" },
		{ " ; ", "!USAGE" },
		{ "drop table t", "!REFUSED" },
		{ "vacuum t", "!REFUSED" },
		{ "selection 1", "!REFUSED" },
		{ "do $$ begin end $$", "!REFUSED" },
		{ "call p()", "!REFUSED" },
	};
	struct arena arena = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(explainable(&arena, cases[i].text), cases[i].want);
	arena_release(&arena);
}

static void
unwrapping(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "explain select 1", " select 1" },
		{ "explain analyze verbose select 1", " select 1" },
		{ "EXPLAIN (ANALYZE, FORMAT JSON) select 1", " select 1" },
		{ "declare c cursor with hold for select 1", " select 1" },
		{ "prepare p (int) as select $1", " select $1" },
		{ "create table t as select 1", " select 1" },
		{ "create temp table if not exists t (a, b) as select 1 with no data",
		    " select 1 " },
		{ "create materialized view v as select 1 with data", " select 1 " },
		{ "explain analyze create table t as select 1", " select 1" },
		{ "copy (select 1) to stdout", "select 1" },
		{ "explain analyze drop table t", "!REFUSED" },
		{ "create table t (a int)", "!REFUSED" },
		{ "create function f() returns int as 'select 1'", "!REFUSED" },
		{ "copy t from stdin", "!REFUSED" },
	};
	struct arena arena = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(explainable(&arena, cases[i].text), cases[i].want);
	arena_release(&arena);
}

static void
repairs(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "select now() - interval $1", "select now() - $1::interval" },
		{ "select date $1, timestamp $2", "select $1::date, $2::timestamp" },
		{ "select timestamp with time zone $1", "select $1::timestamp with time zone" },
		{ "select interval $1 day", "select $1::interval day" },
		{ "select extract($1 from t)", "select pg_catalog.date_part($1::text, t)" },
		{ "select EXTRACT ( $3 FROM a.b ) + $1",
		    "select pg_catalog.date_part($3::text, a.b ) + $1" },
		{ "select 'interval $1'", "select 'interval $1'" },
		{ "select date_trunc($1, d)", "select date_trunc($1, d)" },
		{ "select a from t where b in ($1 /*, ... */)",
		    "select a from t where b in ($1 /*, ... */)" },
		{ "select extract(epoch from t)", "select extract(epoch from t)" },
	};
	struct arena arena = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(sql_repair(&arena, cases[i].text), cases[i].want);
	arena_release(&arena);
}

static void
parameters(void **state)
{
	const char *types[] = { NULL, "text", NULL, "bigint" };
	bool skip[] = { false, true, false };
	struct arena arena = { 0 };

	(void)state;
	assert_int_equal(sql_params("select $1, '$9', $3 /* $7 */"), 3);
	assert_int_equal(sql_params("select 1"), 0);
	assert_string_equal(sql_cast(&arena, "select $1, $2, $3 + $3", types, 3),
	    "select $1::text, $2, $3::bigint + $3::bigint");
	assert_int_equal(sql_nearest_param("a $1 bbbbbbb $2", 4, NULL, 0), 1);
	assert_int_equal(sql_nearest_param("a $1 bbbbbbb $2", 12, NULL, 0), 2);
	assert_int_equal(sql_nearest_param("a $1 bbbbbbb $2", 4, skip, 2), 2);
	assert_int_equal(sql_nearest_param("none", 0, NULL, 0), 0);
	arena_release(&arena);
}

static void
redaction(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "select 'secret', 42 from t -- pw", "select ?, ? from t" },
		{ "update t set a = $$x$$ where b=1.5e3", "update t set a = ? where b=?" },
		{ "select \"Col 1\", $1", "select \"Col 1\", $1" },
		{ "select 'cut off sec", "select ?" },
		{ "alter role x password E'a\\'b'", "alter role x password ?" },
	};
	struct arena arena = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(
		    sql_redact(&arena, cases[i].text, strlen(cases[i].text)), cases[i].want);
	arena_release(&arena);
}

/* Any bytes: it ends, and never reads past the end. */
static void
hostile(void **state)
{
	static const char pieces[] = "'\"$a1;/*-- \\\n()[E\xff\xc3";
	struct arena arena = { 0 };
	unsigned seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char text[24];
		size_t n = 0;
		struct error err = { 0 };

		for (int i = 0; i < 20; i++) {
			seed = seed * 1103515245u + 12345u;
			text[n++] = pieces[(seed >> 16) % (sizeof(pieces) - 1)];
		}
		text[n] = '\0';
		if (!sql_explainable(&arena, text, &err))
			assert_true(*err.what != '\0');
		(void)sql_repair(&arena, text);
		(void)sql_redact(&arena, text, n);
		(void)sql_params(text);
		arena_reset(&arena);
	}
	arena_release(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_statement),
		cmocka_unit_test(unwrapping),
		cmocka_unit_test(repairs),
		cmocka_unit_test(parameters),
		cmocka_unit_test(redaction),
		cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests_name("pg/sqltext", tests, NULL, NULL);
}
