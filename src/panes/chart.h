/*
 * A chart over time: lines, bands (forecasts), horizontal levels (limits) and vertical marks (now,
 * the cursor), with both axes. Braille dots, or letters where the terminal has ASCII only. All in
 * roles, so that themes and mono screens work.
 */
#ifndef PGMEDIC_PANES_CHART_H
#define PGMEDIC_PANES_CHART_H

#include <stdbool.h>
#include <stdint.h>

#include "base/grid.h"
#include "base/mem.h"
#include "base/role.h"

struct chart_point {
	double x, y; /* x: seconds since 1970 UTC; y NAN: a gap, the line is broken */
};
struct chart_series {
	const struct chart_point *points; /* by x */
	int n;
	enum role role;
	char letter;    /* what draws it in ASCII; 0: '*' */
	bool is_dotted; /* what is expected rather than known */
};
struct chart_range {
	double x, low, high;
};
struct chart_band {
	const struct chart_range *ranges; /* by x */
	int n;
	enum role role;
};
struct chart_level {
	double y;
	enum role role;
	const char *label; /* clean; written on the line at its left; NULL: none */
};
struct chart_mark {
	double x;
	enum role role;
	bool is_solid;
};

struct chart {
	const struct chart_series *series;
	int nseries;
	const struct chart_band *bands;
	int nbands;
	const struct chart_level *levels;
	int nlevels;
	const struct chart_mark *marks;
	int nmarks;
	double x_min, x_max;   /* both equal: by the data */
	double y_min, y_max;   /* NAN: by the data, rounded to whole ticks */
	enum column_kind kind; /* how values on the left axis are written */
};

struct chart_cell {
	uint32_t cp; /* ' ' where nothing is */
	uint8_t role;
};

/* Columns that the left axis takes. */
enum { CHART_AXIS = 8 };

/*
 * The chart as rows * cols cells in the arena, row by row; the last row is the time axis. NULL when
 * there is no room (at least 3 rows and 20 columns) or no data. Pure but for utf8_enabled.
 */
struct chart_cell *chart_render(const struct chart *chart, int rows, int cols, struct arena *arena);

struct draw;
/* The same into a rectangle, from its row 0 + `row`. UI thread. */
void chart_draw(const struct chart *chart, struct draw *draw, int row, int rows);

#endif
