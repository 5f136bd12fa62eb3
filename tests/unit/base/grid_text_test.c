/* Tests of base/grid_text.c. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/compat.h"
#include "base/grid.h"
#include "base/utf8.h"

static const struct column cols[] = {
	{ "pid", "PID", COL_INT, 0, 0, "" },
	{ "user", "USER", COL_TEXT, 0, COL_FIXED, "" },
	{ "secret", "SECRET", COL_TEXT, 0, COL_HIDDEN, "" },
	{ "size", "SIZE", COL_BYTES, 0, 0, "" },
	{ "query", "QUERY", COL_QUERY, 0, 0, "" },
};

static void
add(struct grid *g, int pid, const char *user, int64_t size, const char *query, uint8_t depth)
{
	struct grid_row *row = grid_add(g);

	row->cells[0] = cell_int(pid);
	row->cells[1] = cell_text(user);
	row->cells[2] = cell_text("hidden");
	row->cells[3] = size < 0 ? cell_null(WHY_DENIED) : cell_int(size);
	row->cells[4] = cell_text(query);
	row->depth = depth;
}

static void
is_text(struct grid *g, int width, const char *expected)
{
	struct strbuf out = STRBUF_INIT(1 << 20);

	grid_text(&out, g, width);
	if (strcmp(out.buf, expected) != 0)
		fail_msg("is\n%s\nnot\n%s", out.buf, expected);
	strbuf_release(&out);
}

static void
columns_fit_their_contents(void **state)
{
	struct grid g;

	(void)state;
	grid_init(&g, cols, ARRAY_LEN(cols));
	add(&g, 1, "a very long name of a user without end", 1536, "select 1", 0);
	add(&g, 123456, "\xe4\xb8\xad\xe6\x96\x87\x1b", -1, NULL, 0);
	is_text(&g, 0,
	    "   PID  USER                                    SIZE  QUERY\n"
	    "     1  a very long name of a user without end  1.5K  select 1\n"
	    "123456  \xe4\xb8\xad\xe6\x96\x87\xef\xbf\xbd                                      ?  -\n");
	grid_release(&g);
}

static void
the_statement_gives_way(void **state)
{
	struct grid g;

	(void)state;
	grid_init(&g, cols, ARRAY_LEN(cols));
	add(&g, 1, "bob", 10, "select a, b, c from a_table_with_a_name", 0);
	is_text(&g, 40,
	    "PID  USER  SIZE  QUERY\n"
	    "  1  bob     10  select a, b, c from a_t\n");
	is_text(&g, 12,
	    "PID  USER  S\n"
	    "  1  bob\n");
	grid_release(&g);
}

static void
no_line_is_wider_than_asked(void **state)
{
	struct strbuf out = STRBUF_INIT(1 << 20);
	struct grid g;

	(void)state;
	grid_init(&g, cols, ARRAY_LEN(cols));
	add(&g, 1, "\xe4\xb8\xad\xe6\x96\x87", 10,
	    "\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87 x", 0);
	for (int width = 1; width < 60; width++) {
		strbuf_clear(&out);
		grid_text(&out, &g, width);
		for (const char *p = out.buf; *p; p = strchr(p, '\n') + 1)
			assert_true(utf8_width(p, (size_t)(strchr(p, '\n') - p)) <= width);
	}
	strbuf_release(&out);
	grid_release(&g);
}

static void
trees_are_indented_and_notes_follow(void **state)
{
	struct grid g;

	(void)state;
	grid_init(&g, cols, ARRAY_LEN(cols));
	g.is_tree = true;
	add(&g, 1, "head", 0, "x", 0);
	add(&g, 2, "child", 0, "y", 1);
	grid_note(&g, "denied", "not all\nseen", "GRANT pg_monitor;");
	grid_note(&g, "info", "plain", "");
	is_text(&g, 0,
	    "PID  USER     SIZE  QUERY\n"
	    "  1  head        0  x\n"
	    "  2    child     0  y\n"
	    "\n"
	    "note: not all seen | hint: GRANT pg_monitor;\n"
	    "note: plain\n");
	grid_release(&g);
}

static void
an_empty_grid_has_a_header(void **state)
{
	struct grid g;

	(void)state;
	grid_init(&g, cols, ARRAY_LEN(cols));
	is_text(&g, 80, "PID  USER  SIZE  QUERY\n");
	grid_release(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_fit_their_contents),
		cmocka_unit_test(the_statement_gives_way),
		cmocka_unit_test(no_line_is_wider_than_asked),
		cmocka_unit_test(trees_are_indented_and_notes_follow),
		cmocka_unit_test(an_empty_grid_has_a_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
