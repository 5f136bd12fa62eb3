/* Tests of tui/table.c and tui/docview.c on a screen without a terminal. */
#include "config.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/compat.h"
#include "base/utf8.h"
#include "tui/docview.h"
#include "tui/screen.h"
#include "tui/table.h"

static const struct column cols[] = {
	{ "pid", "PID", COL_INT, 6, COL_KEY | COL_FIXED, "" },
	{ "user", "USER", COL_TEXT, 8, 0, "" },
	{ "age", "AGE", COL_SECONDS, 6, 0, "" },
	{ "query", "QUERY", COL_QUERY, 20, 0, "" },
};
static const int shown[] = { 0, 1, 2, 3 };
static struct grid grid;
static struct table table;
static struct table_spec spec;
static struct strbuf dump = STRBUF_INIT(1 << 20);

static void
add(int pid, const char *user, double age, const char *query)
{
	struct grid_row *row = grid_add(&grid);
	row->cells[0] = cell_int(pid);
	row->cells[1] = cell_text(user);
	row->cells[2] = cell_float(age);
	row->cells[3] = cell_text(query);
}

static int
setup(void **state)
{
	(void)state;
	grid_init(&grid, cols, ARRAY_LEN(cols));
	memset(&table, 0, sizeof(table));
	spec = (struct table_spec){ .grid = &grid,
		.cols = shown,
		.ncols = ARRAY_LEN(shown),
		.sort_col = -1,
		.cursor = -1 };
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	grid_release(&grid);
	return 0;
}

/* Draws at a size and returns line `line` of the screen. */
static const char *
line_of(int rows, int width, int line)
{
	static char text[1024];
	struct draw d = { 0, 0, rows, width };
	const char *p;

	screen_begin();
	table_draw(&d, &table, &spec);
	screen_show(-1, 0);
	strbuf_clear(&dump);
	screen_dump(&dump);
	p = dump.buf;
	for (int i = 0; i < line; i++)
		p += strcspn(p, "\n") + 1;
	snprintf(text, sizeof(text), "%.*s", (int)strcspn(p, "\n"), p);
	return text;
}

static void
columns_are_laid_out(void **state)
{
	(void)state;
	add(1234, "app", 61, "select 1");
	add(5, "a_very_long_role_name_indeed", 0.5, "select\n  2");
	spec.sort_col = 2;
	spec.is_descending = true;
	assert_string_equal(line_of(10, 60, 0), "   PID USER                       AGE▼ QUERY");
	assert_string_equal(line_of(10, 60, 1), "  1234 app                        1:01 select 1");
	assert_string_equal(line_of(10, 60, 2), "     5 a_very_long_role_name_i…  0.500 select 2");
}

static void
widths_stay_when_rows_go(void **state)
{
	(void)state;
	add(1, "somebody_else", 1, "x");
	char before[1024];
	snprintf(before, sizeof(before), "%s", line_of(10, 80, 0));
	grid_reset(&grid);
	add(1, "a", 1, "x");
	assert_string_equal(line_of(10, 80, 0), before);
	table_reset(&table);
	assert_string_not_equal(line_of(10, 80, 0), before);
}

static void
absurd_sizes(void **state)
{
	(void)state;
	for (int i = 0; i < 300; i++)
		add(i, "漢字テスト漢字テスト漢字テスト", i * 1e7, "select '漢字' , e'\\u0301'");
	spec.cursor = 299;
	spec.match[0] = "字";
	for (int rows = 0; rows <= 24; rows += 3)
		for (int width = 0; width <= 80; width++) {
			spec.wrap = width % 2;
			table.hscroll = width % 5;
			struct draw d = { 0, 0, rows, width };
			screen_begin();
			table_draw(&d, &table, &spec);
			screen_show(-1, 0);
		}
	/* A character two columns wide is never cut in half. */
	assert_true(utf8_is_clean(line_of(24, 80, 1), strlen(line_of(24, 80, 1))));
}

static void
the_cursor_is_visible(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++)
		add(i, "u", i,
		    "select a long statement that needs several lines when it is wrapped, so that rows are high");
	for (int wrap = 0; wrap < 2; wrap++) {
		spec.wrap = wrap;
		for (int cursor = 0; cursor < 100; cursor += 9) {
			char pid[16];
			bool found = false;
			spec.cursor = cursor;
			snprintf(pid, sizeof(pid), "%6d u", cursor);
			for (int line = 1; line < 12; line++)
				found |= strncmp(line_of(12, 60, line), pid, strlen(pid)) == 0;
			assert_true(found);
		}
	}
}

static void
columns_scroll_behind_the_first(void **state)
{
	(void)state;
	add(7, "app", 3, "select 1");
	line_of(5, 30, 0);
	table_hscroll(&table, &spec, 1);
	const char *header = line_of(5, 30, 0);
	assert_true(strncmp(header, "   PID<", 7) == 0);
	assert_null(strstr(header, "USER"));
	table_hscroll(&table, &spec, 100);
	assert_true(table.hscroll <= 2);
	table_hscroll(&table, &spec, -100);
	assert_int_equal(table.hscroll, 0);
}

static void
roles_say_what_a_row_is(void **state)
{
	(void)state;
	add(1, "app", 1, "alpha beta");
	add(2, "app", 2, "alpha");
	grid.rows[1].cells[2].role = ROLE_CRIT;
	spec.cursor = 0;
	spec.match[0] = "ALPHA";
	line_of(5, 60, 0);
	assert_non_null(strstr(dump.buf, "1: 0-22 cursor 23-27 match 28-59 cursor"));
	assert_non_null(strstr(dump.buf, "crit"));
	assert_non_null(strstr(dump.buf, "0: 0-59 header"));
}

static void
the_mouse_finds_rows_and_headers(void **state)
{
	int row, col;

	(void)state;
	add(1, "app", 1, "x");
	add(2, "app", 2, "y");
	line_of(5, 60, 0);
	table_hit(&table, &spec, 2, 3, &row, &col);
	assert_int_equal(row, 1);
	table_hit(&table, &spec, 4, 3, &row, &col);
	assert_int_equal(row, -1);
	table_hit(&table, &spec, 0, 8, &row, &col);
	assert_int_equal(row, -1);
	assert_int_equal(col, 1);
}

static void
trees_are_indented(void **state)
{
	(void)state;
	add(1, "app", 1, "head");
	add(2, "app", 1, "child");
	add(3, "app", 1, "grandchild");
	grid.rows[1].depth = 1;
	grid.rows[2].depth = 2;
	assert_non_null(strstr(line_of(6, 60, 2), "└ child"));
	assert_non_null(strstr(line_of(6, 60, 3), "  └ grandchild"));
	utf8_enabled = false;
	assert_non_null(strstr(line_of(6, 60, 2), "`-child"));
	utf8_enabled = true;
}

static void
nothing_hostile_is_drawn(void **state)
{
	static const char text[] = "a\x1b[31mb\x07\xc2\x9b"
	                           "31m\xe2\x80\xae"
	                           "c\xff\xf3\xa0\x80\xa1"
	                           "e\xcc\x81";
	struct draw d = { 0, 0, 2, 40 };

	(void)state;
	screen_begin();
	draw_textn(&d, 0, 0, ROLE_NORMAL, text, sizeof(text) - 1);
	screen_show(-1, 0);
	strbuf_clear(&dump);
	screen_dump(&dump);
	for (const char *p = dump.buf; *p; p++)
		assert_true((unsigned char)*p >= 0x20 || *p == '\n');
	assert_null(strstr(dump.buf, "\xc2\x9b"));
	assert_null(strstr(dump.buf, "\xe2\x80\xae"));
	assert_null(strstr(dump.buf, "\xf3\xa0\x80\xa1"));
	assert_non_null(strstr(dump.buf, "e\xcc\x81"));
}

static void
documents_scroll_and_find(void **state)
{
	struct doc doc = { 0 };
	struct docview view = { 0 };
	struct draw d = { 0, 0, 5, 20 };

	(void)state;
	for (int i = 0; i < 50; i++)
		doc_add(&doc, ROLE_NORMAL,
		    i == 30 ? "the needle is here" : "line %d of a long text", i);
	screen_begin();
	docview_draw(&d, &view, &doc);
	assert_true(view.total > 50);
	snprintf(view.search, sizeof(view.search), "NEEDLE");
	assert_true(docview_find(&view, &doc, false));
	screen_begin();
	docview_draw(&d, &view, &doc);
	strbuf_clear(&dump);
	screen_dump(&dump);
	assert_true(strncmp(dump.buf, "the needle is here", 18) == 0);
	assert_false(docview_find(&view, &doc, false));
	docview_scroll(&view, DOCVIEW_END);
	screen_begin();
	docview_draw(&d, &view, &doc);
	assert_int_equal(view.top, view.total - view.page);
	docview_scroll(&view, -100000);
	assert_int_equal(view.top, 0);
	doc_release(&doc);
}

static int
open_screen(void **state)
{
	struct screen_options options = { .headless = true, .rows = 24, .cols = 80, .colors = 256 };
	struct error err = { 0 };
	struct theme theme;
	struct doc problems = { 0 };

	(void)state;
	if (!setlocale(LC_ALL, "C.UTF-8"))
		return -1;
	utf8_enabled = true;
	if (!screen_open(&options, &err) || !theme_load(&theme, "dark", &problems, &err))
		return -1;
	screen_theme(&theme);
	doc_release(&problems);
	return 0;
}

static int
close_screen(void **state)
{
	(void)state;
	screen_close();
	strbuf_release(&dump);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(columns_are_laid_out, setup, teardown),
		cmocka_unit_test_setup_teardown(widths_stay_when_rows_go, setup, teardown),
		cmocka_unit_test_setup_teardown(absurd_sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(the_cursor_is_visible, setup, teardown),
		cmocka_unit_test_setup_teardown(columns_scroll_behind_the_first, setup, teardown),
		cmocka_unit_test_setup_teardown(roles_say_what_a_row_is, setup, teardown),
		cmocka_unit_test_setup_teardown(the_mouse_finds_rows_and_headers, setup, teardown),
		cmocka_unit_test_setup_teardown(trees_are_indented, setup, teardown),
		cmocka_unit_test(nothing_hostile_is_drawn),
		cmocka_unit_test(documents_scroll_and_find),
	};
	return cmocka_run_group_tests(tests, open_screen, close_screen);
}
