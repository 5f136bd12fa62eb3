/* Tests of base/grid_out.c. */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/compat.h"
#include "base/grid.h"
#include "base/json.h"

static const int64_t list[] = { 3, 4 };

static void
shows(enum column_kind kind, struct cell c, const char *text)
{
	struct strbuf out = STRBUF_INIT(4096);

	grid_cell_text(&out, kind, &c);
	if (strcmp(out.buf, text) != 0)
		fail_msg("\"%s\", not \"%s\"", out.buf, text);
	strbuf_release(&out);
}

static void
cells_by_kind(void **state)
{
	(void)state;
	shows(COL_INT, cell_int(123456789), "123456789");
	shows(COL_COUNT, cell_int(123456), "123k");
	shows(COL_RATE, cell_float(0.25), "0.25");
	shows(COL_FLOAT, cell_float(2.5), "2.50");
	shows(COL_PCT, cell_float(99.99), "100");
	shows(COL_BYTES, cell_int(1536), "1.5K");
	shows(COL_SECONDS, cell_float(400000), "4d15h");
	shows(COL_MS, cell_float(1.5), "1.50");
	shows(COL_BOOL, cell_bool(true), "yes");
	shows(COL_BOOL, cell_int(0), "no");
	shows(COL_LSN, cell_int(INT64_C(0x16B374D848)), "16/B374D848");
	shows(COL_INTS, (struct cell){ .ints = list, .len = 2, .type = CELL_INTS }, "3,4");
	shows(COL_INTS, (struct cell){ .ints = list, .len = 0, .type = CELL_INTS }, "");
	shows(COL_TEXT, cell_int(-5), "-5");
	shows(COL_TEXT, cell_bool(true), "yes");
	shows(COL_BYTES, cell_text("n/a"), "n/a");
	shows(COL_FLOAT, cell_float(NAN), "-");
}

static void
unknown_is_a_state_of_its_own(void **state)
{
	(void)state;
	shows(COL_BYTES, cell_null(WHY_NONE), "-");
	shows(COL_BYTES, cell_null(WHY_DENIED), "?");
	shows(COL_BYTES, cell_null(WHY_UNSUPPORTED), "-");
	shows(COL_TEXT, cell_null(WHY_NODATA), "-");
	shows(COL_COUNT, cell_int(0), "0");
}

static void
text_is_made_safe(void **state)
{
	(void)state;
	shows(COL_TEXT, cell_text("a\x1b[31m\nb"), "a\xef\xbf\xbd[31m b");
	shows(COL_QUERY, cell_text("select\n\t1"), "select 1");
	shows(COL_TEXT, cell_textn("a\0b", 3),
	    "a\xef\xbf\xbd"
	    "b");
}

static void
times_near_and_far(void **state)
{
	int64_t now = INT64_C(1795246032123456);

	(void)state;
	grid_now = (struct wall){ now };
	shows(COL_TIME, cell_time(now), "07:27:12Z");
	shows(COL_TIME, cell_time(now - INT64_C(11) * 3600000000), "20:27:12Z");
	shows(COL_TIME, cell_time(now - INT64_C(30) * 3600000000), "2026-11-20");
	shows(COL_TIME, cell_time(now + INT64_C(16) * 3600000000), "23:27:12Z");
	shows(COL_TIME, cell_time(INT64_MAX), "infinity");
	shows(COL_TIME, cell_time(INT64_MIN), "-infinity");
	shows(COL_TIME, cell_int(now), "07:27:12Z");
	grid_now.us = 0;
}

static const struct column cols[] = {
	{ "pid", "PID", COL_INT, 0, COL_KEY, "" },
	{ "user", "USER", COL_TEXT, 0, COL_FIXED, "" },
	{ "spark", "SPARK", COL_TEXT, 0, COL_NOJSON, "" },
	{ "size", "SIZE", COL_BYTES, 0, 0, "" },
	{ "since", "SINCE", COL_TIME, 0, COL_HIDDEN, "" },
	{ "lsn", "LSN", COL_LSN, 0, 0, "" },
	{ "blocked", "BLOCKED", COL_INTS, 0, 0, "" },
	{ "query", "QUERY", COL_QUERY, 0, 0, "" },
};

static void
fill(struct grid *g)
{
	struct cell *c;

	grid_init(g, cols, ARRAY_LEN(cols));
	c = grid_add(g)->cells;
	c[0] = cell_int(42);
	c[1] = cell_text("a\"b,\xff\x1b");
	c[2] = cell_text("....");
	c[3] = cell_int(INT64_C(9007199254740993));
	c[4] = cell_time(INT64_C(1795246032123456));
	c[5] = cell_int(INT64_C(0x100000002));
	c[6] = (struct cell){ .ints = list, .len = 2, .type = CELL_INTS };
	c[7] = cell_text("select\n1");
	g->rows[0].depth = 0;
	c = grid_add(g)->cells;
	c[0] = cell_int(7);
	c[1] = cell_text("");
	c[3] = cell_null(WHY_DENIED);
	g->rows[1].depth = 1;
}

static void
json_is_exact_and_valid(void **state)
{
	struct strbuf out = STRBUF_INIT(1 << 20);
	struct error err;
	struct json *root;
	struct grid g;

	(void)state;
	fill(&g);
	grid_json_rows(&out, &g);
	assert_string_equal(out.buf,
	    "[{\"pid\":42,\"user\":\"a\\\"b,\xef\xbf\xbd\\u001b\",\"size\":9007199254740993,"
	    "\"since\":\"2026-11-21T07:27:12.123456Z\",\"lsn\":\"1/2\",\"blocked\":[3,4],"
	    "\"query\":\"select\\n1\"},"
	    "{\"pid\":7,\"user\":\"\",\"size\":null,\"since\":null,\"lsn\":null,\"blocked\":null,"
	    "\"query\":null}]");
	root = json_parse(out.buf, out.len, &err);
	assert_non_null(root);
	json_free(root);
	grid_reset(&g);
	strbuf_clear(&out);
	grid_json_rows(&out, &g);
	assert_string_equal(out.buf, "[]");
	strbuf_release(&out);
	grid_release(&g);
}

static void
json_of_facts_and_notes(void **state)
{
	struct strbuf out = STRBUF_INIT(4096);
	struct grid g;

	(void)state;
	grid_init(&g, cols, ARRAY_LEN(cols));
	grid_json_summary(&out, &g);
	grid_json_notes(&out, &g);
	assert_string_equal(out.buf, "{}[]");
	strbuf_clear(&out);
	grid_fact(&g, "bytes", COL_BYTES, cell_int(1536));
	grid_fact(&g, "at", COL_LSN, cell_int(255));
	grid_note(&g, "denied", "no \"right\"", "GRANT x;");
	grid_note(&g, "stale", "old", NULL);
	grid_json_summary(&out, &g);
	assert_string_equal(out.buf, "{\"bytes\":1536,\"at\":\"0/FF\"}");
	strbuf_clear(&out);
	grid_json_notes(&out, &g);
	assert_string_equal(out.buf,
	    "[{\"code\":\"denied\",\"what\":\"no \\\"right\\\"\",\"hint\":\"GRANT x;\"},"
	    "{\"code\":\"stale\",\"what\":\"old\",\"hint\":\"\"}]");
	strbuf_release(&out);
	grid_release(&g);
}

static void
csv_quotes_what_needs_it(void **state)
{
	struct strbuf out = STRBUF_INIT(1 << 20);
	struct grid g;

	(void)state;
	fill(&g);
	grid_csv(&out, &g);
	assert_string_equal(out.buf,
	    "pid,user,size,since,lsn,blocked,query\n"
	    "42,\"a\"\"b,\xef\xbf\xbd\x1b\",9007199254740993,2026-11-21T07:27:12.123456Z,1/2,\"3,4\","
	    "\"select\n1\"\n"
	    "7,\"\",,,,,\n");
	strbuf_release(&out);
	grid_release(&g);
}

static void
lists_of_texts(void **state)
{
	static const struct column texts_cols[] = {
		{ "columns", "COLUMNS", COL_TEXTS, 8, 0, "" },
		{ "more", "MORE", COL_JSON, 8, 0, "" },
	};
	struct strbuf out = STRBUF_INIT(1 << 16);
	struct grid g;
	struct grid_row *row;

	(void)state;
	shows(COL_TEXTS, cell_text("[\"a\",\"lower(b)\", 12]"), "a, lower(b), 12");
	shows(COL_TEXTS, cell_text("[]"), "");
	shows(COL_TEXTS, cell_text("plain"), "plain");
	shows(COL_JSON, cell_text("{\"a\": 1}"), "{\"a\": 1}");
	shows(COL_JSON, cell_text("[{\"a\": 1}, 2]"), "2 entries");
	shows(COL_JSON, cell_text("[]"), "none");
	grid_init(&g, texts_cols, 2);
	row = grid_add(&g);
	row->cells[0] = cell_text("[\"a\", \"b,c\"]");
	row->cells[1] = cell_text("[{\"queryid\": 9007199254740993}]");
	row = grid_add(&g);
	row->cells[0] = cell_text("no array");
	row->cells[1] = cell_text("{broken");
	grid_json_rows(&out, &g);
	assert_string_equal(out.buf,
	    "[{\"columns\":[\"a\",\"b,c\"],\"more\":[{\"queryid\":9007199254740993}]},"
	    "{\"columns\":\"no array\",\"more\":\"{broken\"}]");
	strbuf_clear(&out);
	grid_csv(&out, &g);
	assert_string_equal(out.buf,
	    "columns,more\n\"a, b,c\",\"[{\"\"queryid\"\": 9007199254740993}]\"\nno array,{broken\n");
	strbuf_release(&out);
	grid_release(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cells_by_kind),
		cmocka_unit_test(unknown_is_a_state_of_its_own),
		cmocka_unit_test(text_is_made_safe),
		cmocka_unit_test(times_near_and_far),
		cmocka_unit_test(json_is_exact_and_valid),
		cmocka_unit_test(json_of_facts_and_notes),
		cmocka_unit_test(csv_quotes_what_needs_it),
		cmocka_unit_test(lists_of_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
