/* Tests of base/grid_filter.c. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/compat.h"
#include "base/grid.h"

static const struct column cols[] = {
	{ "pid", "PID", COL_INT, 0, COL_KEY, "" },
	{ "usename", "USER", COL_TEXT, 0, 0, "" },
	{ "wait", "WAIT", COL_TEXT, 0, 0, "" },
	{ "age", "AGE", COL_SECONDS, 0, 0, "" },
	{ "size", "SIZE", COL_BYTES, 0, 0, "" },
	{ "calls", "CALLS", COL_COUNT, 0, 0, "" },
	{ "mean", "MEAN", COL_MS, 0, 0, "" },
	{ "is_on", "ON", COL_BOOL, 0, 0, "" },
	{ "start", "START", COL_TIME, 0, 0, "" },
	{ "lsn", "LSN", COL_LSN, 0, 0, "" },
	{ "blocked", "BLOCKED", COL_INTS, 0, COL_HIDDEN, "" },
	{ "spark", "SPARK", COL_TEXT, 0, COL_NOJSON, "" },
	{ "query", "QUERY", COL_QUERY, 0, 0, "" },
};

static const int64_t list[] = { 11, 22 };

static void
fill(struct grid *g)
{
	struct cell *c;

	grid_init(g, cols, ARRAY_LEN(cols));
	c = grid_add(g)->cells;
	c[0] = cell_int(100);
	c[1] = cell_text("alice");
	c[2] = cell_text("Lock:transactionid");
	c[3] = cell_float(90);
	c[4] = cell_int(3 << 20);
	c[5] = cell_int(2500);
	c[6] = cell_float(1500);
	c[7] = cell_bool(true);
	c[8] = cell_time(INT64_C(1795246032123456));
	c[9] = cell_int(INT64_C(0x16B374D848));
	c[10] = (struct cell){ .ints = list, .len = 2, .type = CELL_INTS };
	c[11] = cell_text("drawing");
	c[12] = cell_text("SELECT *\n  FROM orders WHERE ip = '10.0.0.1:5432'");
	c = grid_add(g)->cells;
	c[0] = cell_int(200);
	c[1] = cell_text("B\xc3\x96RJE");
	c[2] = cell_null(WHY_NONE);
	c[3] = cell_null(WHY_DENIED);
	c[4] = cell_int(1000);
	c[7] = cell_bool(false);
	c[12] = cell_text("update stock set n = n-1");
}

/* The pids that a filter leaves, or the error. */
static const char *
left(const char *text)
{
	static char result[600];
	struct grid_filter *f;
	struct error err;
	struct grid g;

	f = grid_filter_new(cols, ARRAY_LEN(cols), text, &err);
	if (!f) {
		snprintf(result, sizeof(result), "%s|%s", err.what, err.hint);
		return result;
	}
	fill(&g);
	result[0] = '\0';
	for (int i = 0; i < g.nrows; i++)
		if (grid_filter_match(f, &g, &g.rows[i]))
			snprintf(result + strlen(result), sizeof(result) - strlen(result), "%s%d",
			    *result ? " " : "", (int)g.rows[i].cells[0].i);
	grid_filter(&g, f);
	assert_int_equal(g.total, 2);
	assert_int_equal(g.nrows, strcmp(result, "100 200") == 0 ? 2 : *result ? 1 : 0);
	grid_filter_free(f);
	grid_release(&g);
	return result;
}

struct filter_case {
	const char *text, *left;
};

static void
check(const struct filter_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(left(cases[i].text), cases[i].left) != 0)
			fail_msg("%s leaves \"%s\", not \"%s\"", cases[i].text, left(cases[i].text),
			    cases[i].left);
}

static void
words_over_all_columns(void **state)
{
	static const struct filter_case cases[] = { { "", "100 200" }, { "  ", "100 200" },
		{ "alice", "100" }, { "ALICE orders", "100" }, { "alice stock", "" },
		{ "!alice", "200" }, { "!alice !stock", "" }, { "b\xc3\xb6rje", "200" },
		{ "e", "100 200" }, { "2.5k", "100" }, { "1:30", "100" }, { "3.0M", "100" },
		{ "16/B3", "100" }, { "11,22", "100" }, { "yes", "100" }, { "drawing", "" },
		{ "?", "200" }, { "200", "200" }, { "'* from'", "100" }, { "\"set n\"", "200" },
		{ "10.0.0.1:5432", "100" }, { "Lock:trans", "100" }, { "'!alice'", "" },
		{ "!", "" }, { "from\\ orders", "100" }, { "xyz", "" } };

	(void)state;
	check(cases, ARRAY_LEN(cases));
}

static void
one_column(void **state)
{
	static const struct filter_case cases[] = { { "usename:ali", "100" }, { "query:alice", "" },
		{ "!usename:ali", "200" }, { "usename:", "100 200" }, { "usename=alice", "100" },
		{ "usename=ali", "" }, { "usename=b\xc3\xb6rje", "200" },
		{ "usename!=alice", "200" }, { "!usename=alice", "200" }, { "wait=-", "200" },
		{ "wait=", "" }, { "age=?", "200" }, { "wait:Lock", "100" },
		{ "spark:draw", "100" }, { "usename='alice'", "100" }, { "usename>b", "200" },
		{ "usename<b", "100" }, { "query:'where ip'", "100" }, { "age:1:30", "100" } };

	(void)state;
	check(cases, ARRAY_LEN(cases));
}

static void
numbers_with_units(void **state)
{
	static const struct filter_case cases[] = { { "age>1m", "100" }, { "age>=90", "100" },
		{ "age>90s", "" }, { "age<1m30s", "" }, { "age<=1m30s", "100" },
		{ "age>500ms", "100" }, { "age<1h30m", "100" }, { "age<2d", "100" },
		{ "age=90", "100" }, { "age!=90", "200" }, { "age=1:30", "100" },
		{ "size>=3MB", "100" }, { "size<3mb", "200" }, { "size>1k", "100" },
		{ "size<1kB", "200" }, { "size=3072kB", "100" }, { "calls>2k", "100" },
		{ "calls=2500", "100" }, { "calls<=2.5k", "100" }, { "mean>1s", "100" },
		{ "mean>1400", "100" }, { "mean<1.4s", "" }, { "pid>=150", "200" },
		{ "pid!=100", "200" }, { "is_on=yes", "100" }, { "is_on=false", "200" },
		{ "is_on!=on", "200" }, { "start>2026-11-21", "100" },
		{ "start<2026-11-21T07:27:12.123456Z", "" },
		{ "start<='2026-11-21 07:27:13Z'", "100" }, { "lsn>16/B374D847", "100" },
		{ "lsn=16/b374d848", "100" }, { "blocked=22", "100" }, { "blocked>20", "100" },
		{ "blocked>22", "" }, { "blocked=2", "" }, { "calls<1", "" }, { "age>-5", "100" } };

	(void)state;
	check(cases, ARRAY_LEN(cases));
}

static void
expressions(void **state)
{
	static const struct filter_case cases[] = { { "/^alice$/", "100" },
		{ "/ALI|stock/", "100 200" }, { "!/alice/", "200" },
		{ "query:/^select.*orders/", "100" }, { "/from orders/", "100" },
		{ "/n-[0-9]$/ stock", "200" }, { "/16\\/B3/", "100" }, { "/^200$/", "200" },
		{ "usename:/^b/", "200" }, { "!usename:/^b/", "100" } };

	(void)state;
	check(cases, ARRAY_LEN(cases));
}

static void
mistakes_are_named(void **state)
{
	static const char *const cases[][2] = { { "usname=x", "\"usname\"" },
		{ "usname=x", "\"usename\"" }, { "age>soon", "\"soon\"" }, { "age>soon", "1h30m" },
		{ "size>3xx", "8kB" }, { "start>later", "2026-11-21" },
		{ "lsn>zzz", "16/B374D848" }, { "pid>x", "Write a number" },
		{ "/abc", "not closed" }, { "/a(/", "expression /a(/" }, { "'abc", "quote '" },
		{ "age>", "\"\" is no value" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (!strstr(left(cases[i][0]), cases[i][1]))
			fail_msg("%s says \"%s\" without %s", cases[i][0], left(cases[i][0]),
			    cases[i][1]);
}

static void
limits(void **state)
{
	static char text[6000];
	struct error err;
	struct grid_filter *f;

	(void)state;
	for (int i = 0; i < 32; i++)
		memcpy(text + 2 * i, "e ", 3);
	f = grid_filter_new(cols, ARRAY_LEN(cols), text, &err);
	assert_non_null(f);
	grid_filter_free(f);
	memcpy(text + 64, "e ", 3);
	assert_null(grid_filter_new(cols, ARRAY_LEN(cols), text, &err));
	assert_int_equal(err.code, ERR_USAGE);
	memset(text, 'a', 5000);
	text[5000] = '\0';
	assert_null(grid_filter_new(cols, ARRAY_LEN(cols), text, &err));
	grid_filter_free(NULL);
}

static void
trees_keep_ancestors(void **state)
{
	static const struct {
		const char *name;
		uint8_t depth;
	} rows[] = { { "a", 0 }, { "b", 1 }, { "hit", 2 }, { "c", 2 }, { "d", 1 }, { "e", 0 },
		{ "hit", 0 }, { "f", 1 }, { "g", 0 }, { "h", 1 }, { "i", 1 }, { "hit", 2 } };
	struct grid_filter *f;
	struct error err;
	struct grid g;
	char names[64] = "";

	(void)state;
	grid_init(&g, cols + 1, 1);
	g.is_tree = true;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct grid_row *row = grid_add(&g);

		row->cells[0] = cell_text(rows[i].name);
		row->depth = rows[i].depth;
	}
	f = grid_filter_new(cols + 1, 1, "hit", &err);
	grid_filter(&g, f);
	for (int i = 0; i < g.nrows; i++)
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s ",
		    g.rows[i].cells[0].s);
	assert_string_equal(names, "a b hit hit g i hit ");
	assert_int_equal(g.total, ARRAY_LEN(rows));
	grid_filter(&g, NULL);
	assert_int_equal(g.nrows, 7);
	grid_filter_free(f);
	grid_release(&g);
}

static void
elements_of_lists(void **state)
{
	static const struct column list_cols[] = { { "columns", "COLUMNS", COL_TEXTS, 8, 0, "" } };
	static const struct {
		const char *filter;
		bool matches;
	} cases[] = { { "columns=b", true }, { "columns=B", true }, { "columns=c", false },
		{ "columns!=a", false }, { "lower", true },
		{ "columns=\"a, b, lower(c)\"", true } };
	struct error err = { 0 };
	struct grid g;

	(void)state;
	grid_init(&g, list_cols, 1);
	grid_add(&g)->cells[0] = cell_text("[\"a\",\"b\",\"lower(c)\"]");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct grid_filter *f = grid_filter_new(list_cols, 1, cases[i].filter, &err);

		assert_non_null(f);
		if (grid_filter_match(f, &g, &g.rows[0]) != cases[i].matches)
			fail_msg("%s", cases[i].filter);
		grid_filter_free(f);
	}
	grid_release(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_over_all_columns),
		cmocka_unit_test(one_column),
		cmocka_unit_test(numbers_with_units),
		cmocka_unit_test(expressions),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(limits),
		cmocka_unit_test(trees_keep_ancestors),
		cmocka_unit_test(elements_of_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
