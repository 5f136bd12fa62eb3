/* Where lines, bands, limits and axes of a chart land. */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "panes/chart.h"

enum { ROWS = 10, COLS = 68, DAY = 86400 };
static const double start = 1700006400; /* 2023-11-15T00:00:00Z */

/* The chart as lines of text, and the roles as letters a (0) and up. */
static void
print(const struct chart *ch, char text[ROWS][COLS * 4 + 1], char roles[ROWS][COLS + 1])
{
	struct arena arena = { 0 };
	struct chart_cell *cells = chart_render(ch, ROWS, COLS, &arena);

	assert_non_null(cells);
	for (int y = 0; y < ROWS; y++) {
		char *out = text[y];
		for (int x = 0; x < COLS; x++) {
			out += utf8_encode(cells[y * COLS + x].cp, out);
			roles[y][x] = (char)('a' + cells[y * COLS + x].role);
		}
		*out = roles[y][COLS] = '\0';
	}
	arena_release(&arena);
}

static int
count(const char *text, char c)
{
	int n = 0;
	for (; *text; text++)
		n += *text == c;
	return n;
}

/* A straight line from the lower left to the middle, a band beyond, a limit above. */
static void
forecast_in_ascii(void **state)
{
	struct chart_point past[] = { { start, 0 }, { start + 30 * DAY, 500 } };
	struct chart_range fan[] = { { start + 30 * DAY, 500, 500 },
		{ start + 60 * DAY, 600, 900 } };
	struct chart ch = { .series = &(struct chart_series){ past, 2, ROLE_STRONG, 0, false },
		.nseries = 1,
		.bands = &(struct chart_band){ fan, 2, ROLE_INFO },
		.nbands = 1,
		.levels = &(struct chart_level){ 1000, ROLE_CRIT, "capacity" },
		.nlevels = 1,
		.marks = &(struct chart_mark){ start + 30 * DAY, ROLE_DIM, false },
		.nmarks = 1,
		.y_min = NAN,
		.y_max = 1000,
		.kind = COL_COUNT };
	char text[ROWS][COLS * 4 + 1], roles[ROWS][COLS + 1];

	(void)state;
	utf8_enabled = false;
	print(&ch, text, roles);
	assert_int_equal(text[ROWS - 2][CHART_AXIS], '*');
	assert_non_null(strstr(text[0], "capacity"));
	assert_true(count(text[0], '-') > 40);
	assert_int_equal(roles[0][COLS - 1], 'a' + ROLE_CRIT);
	/* The mark is in the middle; the band right of it only. */
	assert_int_equal(text[1][CHART_AXIS + 29] == ':' || text[1][CHART_AXIS + 30] == ':', 1);
	for (int y = 0; y < ROWS - 1; y++)
		for (int x = CHART_AXIS; x < CHART_AXIS + 29; x++)
			assert_int_not_equal(text[y][x], '.');
	assert_int_equal(text[2][COLS - 1], '.');
	assert_int_equal(text[5][COLS - 1], ' ');
	assert_non_null(strstr(text[0], "1.0k"));
	assert_non_null(strstr(text[ROWS - 2], " 0 "));
	assert_non_null(strstr(text[ROWS - 1], "12-"));
}

static void
braille_has_eight_dots_a_cell(void **state)
{
	struct chart_point rise[] = { { start, 0 }, { start + 3600, 100 } };
	struct chart ch = { .series = &(struct chart_series){ rise, 2, ROLE_STRONG, 0, false },
		.nseries = 1,
		.y_min = 0,
		.y_max = 100,
		.kind = COL_PCT };
	struct arena arena = { 0 };
	struct chart_cell *c;

	(void)state;
	utf8_enabled = true;
	c = chart_render(&ch, ROWS, COLS, &arena);
	assert_non_null(c);
	for (int x = CHART_AXIS; x < COLS; x++) {
		int dots = 0;
		for (int y = 0; y < ROWS - 1; y++)
			dots += c[y * COLS + x].cp > 0x2800 && c[y * COLS + x].cp <= 0x28ff;
		assert_true(dots >= 1 && dots <= 2);
	}
	assert_int_equal(c[(ROWS - 2) * COLS + CHART_AXIS].cp & 0x40, 0x40);
	arena_release(&arena);
}

static void
gaps_and_no_data(void **state)
{
	struct chart_point points[] = { { start, 1 }, { start + 10, NAN }, { start + 20, 1 } };
	struct chart_series s = { points, 3, ROLE_STRONG, 0, false };
	struct chart ch = { .series = &s, .nseries = 1, .y_min = NAN, .y_max = NAN };
	char text[ROWS][COLS * 4 + 1], roles[ROWS][COLS + 1];
	struct arena arena = { 0 };
	int stars = 0;

	(void)state;
	utf8_enabled = false;
	print(&ch, text, roles);
	for (int y = 0; y < ROWS; y++)
		stars += count(text[y], '*');
	assert_int_equal(stars, 2);
	s.n = 0;
	assert_null(chart_render(&ch, ROWS, COLS, &arena));
	s.n = 3;
	assert_null(chart_render(&ch, 2, COLS, &arena));
	assert_null(chart_render(&ch, ROWS, 10, &arena));
	arena_release(&arena);
}

/* Small changes of something large use the height; bytes have ticks of whole units. */
static void
scales(void **state)
{
	struct chart_point points[] = { { start, 500.2 * 0x1p30 },
		{ start + 30 * DAY, 503.8 * 0x1p30 } };
	struct chart ch = { .series = &(struct chart_series){ points, 2, ROLE_STRONG, 0, false },
		.nseries = 1,
		.y_min = NAN,
		.y_max = NAN,
		.kind = COL_BYTES };
	char text[ROWS][COLS * 4 + 1], roles[ROWS][COLS + 1];

	(void)state;
	utf8_enabled = false;
	print(&ch, text, roles);
	assert_non_null(strstr(text[0], "504G"));
	assert_non_null(strstr(text[ROWS - 2], "500G"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forecast_in_ascii),
		cmocka_unit_test(braille_has_eight_dots_a_cell),
		cmocka_unit_test(gaps_and_no_data),
		cmocka_unit_test(scales),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
