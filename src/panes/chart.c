/*
 * Everything is drawn as dots on a canvas of 2 x 4 dots a cell (braille), or of one dot a cell in
 * ASCII. A cell belongs to the uppermost layer that touched it: bands under levels under marks
 * under lines, so that a line stays readable where it crosses a band.
 */
#include "config.h"

#include "panes/chart.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "tui/draw.h"

enum { MIN_ROWS = 3, MIN_COLS = 20, DAY_S = 86400 };
enum layer { LAYER_NONE, LAYER_BAND, LAYER_LEVEL, LAYER_MARK, LAYER_SERIES, LAYER_TEXT };

struct canvas {
	struct chart_cell *cells;
	uint8_t *layers, *masks;
	int rows, cols; /* of cells: the plot, without axes */
	int stride;     /* cells from one row to the next */
	int fx, fy;     /* dots of a cell */
	double x0, x1;  /* values at the left and right edge */
	double y0, y1;  /* at the bottom and top edge */
	double tick;    /* of the left axis */
};

/* ------------------------------------------------------------------ dots */

static void
put_dot(struct canvas *c, enum layer layer, enum role role, char letter, int dx, int dy)
{
	static const uint8_t bits[4][2] = { { 0x01, 0x08 }, { 0x02, 0x10 }, { 0x04, 0x20 },
		{ 0x40, 0x80 } };
	int x = dx / c->fx, y = dy / c->fy, at;

	if (dx < 0 || dy < 0 || x >= c->cols || y >= c->rows)
		return;
	at = y * c->stride + x;
	if (c->layers[at] > layer)
		return;
	if (c->layers[at] < layer)
		c->masks[at] = 0;
	c->layers[at] = (uint8_t)layer;
	c->cells[at].role = (uint8_t)role;
	if (c->fx == 1) {
		c->cells[at].cp = (unsigned char)letter;
		return;
	}
	c->masks[at] |= bits[dy % 4][dx % 2];
	c->cells[at].cp = 0x2800u + c->masks[at];
}

/* Dot column of x, -1 when it lies outside. */
static int
dot_x(const struct canvas *c, double x)
{
	double share = (x - c->x0) / (c->x1 - c->x0);

	return share < 0 || share > 1 ? -1 : (int)lround(share * (c->cols * c->fx - 1));
}

/* Dot row of y from the top; those outside are cut to just beyond the edge. */
static int
dot_y(const struct canvas *c, double y)
{
	int h = c->rows * c->fy;
	double row = (1 - (y - c->y0) / (c->y1 - c->y0)) * (h - 1);

	return row < -1 ? -1 : row > h ? h : (int)lround(row);
}

/* From one point to the next, column by column; steep parts are filled. */
static void
put_line(struct canvas *c, const struct chart_series *s, int xa, int ya, int xb, int yb)
{
	int n = xb > xa ? xb - xa : 0, from = ya;

	for (int i = 0; i <= n; i++) {
		int to = n ? ya + (int)lround((double)(yb - ya) * i / n) : yb;
		int step = to > from ? 1 : -1;

		if (!s->is_dotted || (xa + i) / c->fx % 2 == 0)
			for (int y = i ? from : to;; y += step) {
				put_dot(c, LAYER_SERIES, s->role, s->letter ? s->letter : '*',
				    xa + i, y);
				if (y == to)
					break;
			}
		from = to;
	}
}

static void
put_series(struct canvas *c, const struct chart_series *s)
{
	int px = -1, py = 0;

	for (int i = 0; i < s->n; i++) {
		int x = isnan(s->points[i].y) ? -1 : dot_x(c, s->points[i].x), y;

		if (x < 0) {
			px = -1;
			continue;
		}
		y = dot_y(c, s->points[i].y);
		put_line(c, s, px < 0 ? x : px, px < 0 ? y : py, x, y);
		px = x;
		py = y;
	}
}

static double
between(double a, double b, double share)
{
	return a + (b - a) * share;
}

/* A band is every other dot of what lies between its edges, so that it is lighter than a line. */
static void
put_band(struct canvas *c, const struct chart_band *b)
{
	for (int i = 0; i + 1 < b->n; i++) {
		const struct chart_range *l = &b->ranges[i], *r = l + 1;
		double dots = c->cols * c->fx - 1, span = c->x1 - c->x0;
		int from = (int)ceil((l->x - c->x0) / span * dots),
		    to = (int)floor((r->x - c->x0) / span * dots);

		if (isnan(l->low) || isnan(r->low) || !(r->x > l->x))
			continue;
		for (int x = from < 0 ? 0 : from; x <= to && x <= dots; x++) {
			double share = (c->x0 + x / dots * span - l->x) / (r->x - l->x);
			int top = dot_y(c, between(l->high, r->high, share));
			int bottom = dot_y(c, between(l->low, r->low, share));

			for (int y = top; y <= bottom; y++)
				if (c->fx == 1 || (x + y) % 2 == 0)
					put_dot(c, LAYER_BAND, b->role, '.', x, y);
		}
	}
}

static void
put_text(struct canvas *c, int row, int col, enum role role, const char *text)
{
	size_t len = strlen(text);

	while (len > 0 && col < c->cols) {
		struct chart_cell *cell = &c->cells[row * c->stride + col];
		size_t n = utf8_decode(text, len, &cell->cp);

		cell->role = (uint8_t)role;
		if (row < c->rows && col >= 0)
			c->layers[row * c->stride + col] = LAYER_TEXT;
		text += n;
		len -= n;
		col++;
	}
}

static void
put_level(struct canvas *c, const struct chart_level *l)
{
	int y = dot_y(c, l->y), row = y / c->fy;

	if (!(l->y >= c->y0 && l->y <= c->y1))
		return;
	for (int x = 0; x < c->cols * c->fx; x += c->fx == 1 ? 1 : 2)
		put_dot(c, LAYER_LEVEL, l->role, '-', x, y);
	if (l->label)
		put_text(c, row, 1, l->role, l->label);
}

static void
put_mark(struct canvas *c, const struct chart_mark *m)
{
	int x = dot_x(c, m->x);

	for (int y = 0; x >= 0 && y < c->rows * c->fy; y++)
		if (m->is_solid || c->fy == 1 || y % 2 == 0)
			put_dot(c, LAYER_MARK, m->role, m->is_solid ? '|' : ':', x, y);
}

/* ------------------------------------------------------------------ scales */

static void
stretch(double v, double *low, double *high)
{
	if (isnan(v) || isinf(v))
		return;
	*low = isnan(*low) ? v : fmin(*low, v);
	*high = isnan(*high) ? v : fmax(*high, v);
}

/* Least and greatest of what is to be drawn; false when there is nothing. */
static bool
data_range(const struct chart *ch, struct canvas *c)
{
	bool is_x_given = ch->x_max > ch->x_min;

	c->x0 = c->x1 = c->y0 = c->y1 = NAN;
	if (is_x_given) {
		c->x0 = ch->x_min;
		c->x1 = ch->x_max;
	}
	for (int i = 0; i < ch->nseries; i++)
		for (int k = 0; k < ch->series[i].n; k++) {
			const struct chart_point *p = &ch->series[i].points[k];

			if (is_x_given && (p->x < c->x0 || p->x > c->x1))
				continue;
			if (!is_x_given)
				stretch(p->x, &c->x0, &c->x1);
			stretch(p->y, &c->y0, &c->y1);
		}
	for (int i = 0; i < ch->nbands; i++)
		for (int k = 0; k < ch->bands[i].n; k++) {
			const struct chart_range *r = &ch->bands[i].ranges[k];

			if (is_x_given && (r->x < c->x0 || r->x > c->x1))
				continue;
			if (!is_x_given)
				stretch(r->x, &c->x0, &c->x1);
			stretch(r->low, &c->y0, &c->y1);
			stretch(r->high, &c->y0, &c->y1);
		}
	if (isnan(c->y0) || isnan(c->x0))
		return false;
	if (c->x1 <= c->x0) {
		c->x0 -= 60;
		c->x1 += 60;
	}
	return true;
}

/* A round step not below v: 1, 2 or 5 times a power of ten, of bytes: of a unit of 1024. */
static double
round_step(double v, enum column_kind kind)
{
	double unit = 1;

	if (!(v > 0))
		return 1;
	while (kind == COL_BYTES && v / unit > 500)
		unit *= 1024;
	double power = pow(10, floor(log10(v / unit)));
	for (int m = 1; m < 10; m = m == 1 ? 2 : m == 2 ? 5 : 10)
		if (v <= m * power * unit * (1 + 1e-9))
			return m * power * unit;
	return 10 * power * unit;
}

static void
scale(const struct chart *ch, struct canvas *c)
{
	double span = c->y1 - c->y0;
	int ticks = c->rows / 2 > 1 ? c->rows / 2 : 1;

	/* From zero, unless that would press all that moves into a line. */
	if (c->y0 > 0 && span > 0.3 * c->y1)
		c->y0 = 0;
	if (!isnan(ch->y_min))
		c->y0 = ch->y_min;
	if (!isnan(ch->y_max))
		c->y1 = ch->y_max;
	if (!(c->y1 > c->y0))
		c->y1 = c->y0 + fmax(fabs(c->y0) * 0.01, 1);
	c->tick = round_step((c->y1 - c->y0) / ticks, ch->kind);
	if (isnan(ch->y_min))
		c->y0 = floor(c->y0 / c->tick + 1e-9) * c->tick;
	if (isnan(ch->y_max))
		c->y1 = ceil(c->y1 / c->tick - 1e-9) * c->tick;
}

/* ------------------------------------------------------------------ axes */

static void
value_axis(struct canvas *c, enum column_kind kind)
{
	int last = c->rows;

	for (double y = ceil(c->y0 / c->tick - 1e-9) * c->tick; y <= c->y1 + c->tick * 1e-9;
	     y += c->tick) {
		struct strbuf text = STRBUF_INIT(64);
		struct cell v = cell_float(fabs(y) < c->tick * 1e-6 ? 0 : y);
		int dot = dot_y(c, y), row = dot / c->fy;

		grid_cell_text(&text, kind, &v);
		if (dot >= 0 && row < last && text.len < CHART_AXIS) {
			put_text(c, row, -1 - (int)text.len, ROLE_DIM, text.buf);
			last = row;
		}
		strbuf_release(&text);
	}
}

static void
time_axis(struct canvas *c)
{
	static const int steps[] = { 60, 300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, DAY_S,
		2 * DAY_S, 7 * DAY_S, 14 * DAY_S, 30 * DAY_S, 91 * DAY_S, 182 * DAY_S, 365 * DAY_S,
		730 * DAY_S, 3650 * DAY_S };
	double span = c->x1 - c->x0;
	size_t k = 0;
	char buf[40];
	int free_from = -CHART_AXIS;

	while (k + 1 < ARRAY_LEN(steps) && steps[k] / span * c->cols < 11)
		k++;
	for (double x = ceil(c->x0 / steps[k]) * steps[k]; x <= c->x1; x += steps[k]) {
		const char *text =
		    wall_rfc3339((struct wall){ (int64_t)x * 1000000 }, buf, sizeof(buf));
		int len = steps[k] >= 30 * DAY_S ? 7 : 5;
		int col = dot_x(c, x) / c->fx - len / 2;

		/* 2026-11-21T07:27:12Z: year and month, month and day, or hour and minute. */
		text += len == 7 ? 0 : steps[k] >= DAY_S ? 5 : 11;
		buf[text - buf + len] = '\0';
		if (col < free_from || col + len > c->cols)
			continue;
		put_text(c, c->rows, col, ROLE_DIM, text);
		free_from = col + len + 2;
	}
}

struct chart_cell *
chart_render(const struct chart *chart, int rows, int cols, struct arena *arena)
{
	struct canvas c = { .stride = cols,
		.rows = rows - 1,
		.cols = cols - CHART_AXIS,
		.fx = utf8_enabled ? 2 : 1,
		.fy = utf8_enabled ? 4 : 1 };
	size_t n = (size_t)(rows > 0 ? rows : 0) * (size_t)(cols > 0 ? cols : 0);
	struct chart_cell *cells;

	if (rows < MIN_ROWS || cols < MIN_COLS || !data_range(chart, &c))
		return NULL;
	scale(chart, &c);
	cells = arena_alloc(arena, n * sizeof(*cells));
	for (size_t i = 0; i < n; i++)
		cells[i] = (struct chart_cell){ ' ', ROLE_NORMAL };
	/* Cells of the plot; the axis is left of them, at negative columns. */
	c.cells = cells + CHART_AXIS;
	c.layers = arena_zalloc(arena, n + CHART_AXIS, 1);
	c.masks = arena_zalloc(arena, n + CHART_AXIS, 1);
	for (int i = 0; i < chart->nbands; i++)
		put_band(&c, &chart->bands[i]);
	for (int i = 0; i < chart->nlevels; i++)
		put_level(&c, &chart->levels[i]);
	for (int i = 0; i < chart->nmarks; i++)
		put_mark(&c, &chart->marks[i]);
	for (int i = 0; i < chart->nseries; i++)
		put_series(&c, &chart->series[i]);
	value_axis(&c, chart->kind);
	time_axis(&c);
	return cells;
}

void
chart_draw(const struct chart *chart, struct draw *draw, int row, int rows)
{
	struct arena arena = { 0 };
	struct chart_cell *cells = chart_render(chart, rows, draw->cols, &arena);

	for (int y = 0; cells && y < rows; y++)
		for (int x = 0; x < draw->cols;) {
			const struct chart_cell *c = &cells[y * draw->cols + x];
			struct strbuf run = STRBUF_INIT(4096);
			char text[4];
			int n = 0;

			for (; x + n < draw->cols && n < 1000 && c[n].role == c->role; n++)
				strbuf_add(&run, text, utf8_encode(c[n].cp, text));
			draw_textn(draw, row + y, x, (enum role)c->role, run.buf, run.len);
			strbuf_release(&run);
			x += n;
		}
	arena_release(&arena);
}
