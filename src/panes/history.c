/*
 * History: one figure over time. The last minutes are the ticks of this run, what is older comes
 * from the history on this machine (PROBE_HISTORY, posted when the pane asks for it). A row is a
 * bucket of time, newest first; the cursor on it is the cursor of the chart. What is not known has
 * no row, and is a gap in the line.
 */
#include "config.h"

#include "panes/history.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/spans.h"
#include "panes/chart.h"
#include "tui/draw.h"

enum {
	C_WHEN,
	C_TIME,
	C_AVG,
	C_MIN,
	C_MAX,
	C_N,
	C_BUCKET,
	C_SHOWN_AVG,
	C_SHOWN_MIN,
	C_SHOWN_MAX,
	C_BAR,
	C_COUNT
};
enum { BAR_WIDTH = 30, MINUTE = 60, DAY = 86400, MIN_HEAD = 6 };

static const struct column columns[C_COUNT] = {
	[C_WHEN] = { "when", "TIME", COL_TEXT, 9, COL_FIXED | COL_NOJSON,
	    "beginning of the bucket, as far as it needs to be told" },
	[C_TIME] = { "time", "TIME.RAW", COL_TIME, 10, COL_KEY | COL_HIDDEN,
	    "beginning of the bucket, on the server's clock" },
	[C_AVG] = { "avg", "AVG.RAW", COL_FLOAT, 10, COL_HIDDEN, "mean, in base units" },
	[C_MIN] = { "min", "MIN.RAW", COL_FLOAT, 10, COL_HIDDEN, "least" },
	[C_MAX] = { "max", "MAX.RAW", COL_FLOAT, 10, COL_HIDDEN, "greatest" },
	[C_N] = { "n", "TICKS", COL_COUNT, 6, COL_HIDDEN, "refreshes behind it" },
	[C_BUCKET] = { "bucket_s", "BUCKET", COL_SECONDS, 6, COL_HIDDEN, "width of the bucket" },
	[C_SHOWN_AVG] = { "shown_avg", "AVG", COL_TEXT, 8, COL_NOJSON,
	    "the mean as a reader wants it" },
	[C_SHOWN_MIN] = { "shown_min", "MIN", COL_TEXT, 8, COL_NOJSON, "the least" },
	[C_SHOWN_MAX] = { "shown_max", "MAX", COL_TEXT, 8, COL_NOJSON, "the greatest" },
	[C_BAR] = { "bar", "AVG OF THE GREATEST MAX", COL_TEXT, BAR_WIDTH, COL_NOJSON,
	    "the mean beside the greatest of all" },
};

static const enum probe_id probes[] = { PROBE_HISTORY };

static const struct pane_mode modes[] = {
#define X(sym, name, text) { name, text },
	METRIC_LIST(X)
#undef X
	    { NULL, NULL },
};

static const struct {
	enum column_kind kind;
	const char *unit;
	const char *overview; /* its name there when that is another */
} shows[METRIC_COUNT] = {
	[METRIC_TPS] = { COL_RATE, "per_s", NULL },
	[METRIC_QPS] = { COL_RATE, "per_s", NULL },
	[METRIC_MEAN_MS] = { COL_MS, "ms", "mean_query_ms" },
	[METRIC_CONNECTIONS] = { COL_RATE, "count", NULL },
	[METRIC_ACTIVE] = { COL_RATE, "count", NULL },
	[METRIC_IDLE] = { COL_RATE, "count", NULL },
	[METRIC_IDLE_TX] = { COL_RATE, "count", NULL },
	[METRIC_WAITING] = { COL_RATE, "count", NULL },
	[METRIC_SLOW] = { COL_RATE, "count", "slow_queries" },
	[METRIC_HIT_PCT] = { COL_PCT, "pct", NULL },
	[METRIC_ROLLBACK_PCT] = { COL_PCT, "pct", NULL },
	[METRIC_TEMP_BPS] = { COL_BYTES, "bytes_per_s", NULL },
	[METRIC_WAL_BPS] = { COL_BYTES, "bytes_per_s", NULL },
	[METRIC_LAG_BYTES] = { COL_BYTES, "bytes", "replication_lag_bytes" },
	[METRIC_LAG_S] = { COL_SECONDS, "s", "replication_lag_s" },
	[METRIC_DEADLOCKS] = { COL_RATE, "count", NULL },
	[METRIC_OLDEST_XACT_S] = { COL_SECONDS, "s", NULL },
	[METRIC_AAS] = { COL_RATE, "count", NULL },
	[METRIC_POOL_WAITING] = { COL_RATE, "count", NULL },
	[METRIC_DB_BYTES] = { COL_BYTES, "bytes", "database_bytes" },
	[METRIC_GROWTH] = { COL_BYTES, "bytes_per_day", NULL },
	[METRIC_CHECKPOINTS] = { COL_RATE, "count", NULL },
	[METRIC_XMIN_AGE] = { COL_RATE, "count", NULL },
	[METRIC_WRAPAROUND_PCT] = { COL_PCT, "pct", NULL },
	[METRIC_POOL_USE_PCT] = { COL_PCT, "pct", NULL },
};

int
history_metric_by_name(const char *name)
{
	for (int i = 0; i < METRIC_COUNT; i++)
		if (strcmp(metric_infos[i].name, name) == 0 ||
		    (shows[i].overview && strcmp(shows[i].overview, name) == 0))
			return i;
	return -1;
}

static enum metric
shown_metric(const struct pane_opts *opts)
{
	return opts->mode >= 0 && opts->mode < METRIC_COUNT ? (enum metric)opts->mode : METRIC_TPS;
}

const char *
history_shown_metric(const struct pane_opts *opts)
{
	return metric_infos[shown_metric(opts)].name;
}

int
history_shown_span(const struct pane_opts *opts)
{
	return opts->window_s > 0 ? opts->window_s : SPAN_DEFAULT_S;
}

/* ------------------------------------------------------------------ buckets */

struct bucket {
	int64_t t; /* seconds */
	int width;
	double min, avg, max;
	int64_t n;
};

struct buckets {
	struct bucket *items; /* by time */
	int n, cap;
};

static struct bucket *
add_bucket(struct buckets *b, int64_t t, int width)
{
	GROW(b->items, b->n, b->cap);
	b->items[b->n] = (struct bucket){ .t = t, .width = width };
	return &b->items[b->n++];
}

/* What the history has of the metric from a moment on, up to where the ticks of this run begin.
 * Returns where it ends. */
static int64_t
take_history(struct buckets *b, const struct rowset *rows, const char *metric, int width,
    int64_t from, int64_t until)
{
	static const char *const names[] = { "metric", "span_s", "time", "min", "avg", "max", "n" };
	int at[ARRAY_LEN(names)];
	int64_t end = from;

	rowset_cols(rows, names, (int)ARRAY_LEN(names), at);
	for (int i = 0; i < rows->nrows; i++) {
		const struct cell *time = rowset_cell(rows, i, at[2]);
		/* Of another span than the one that is shown until the answer for that comes. */
		int its = span_bucket_s((int)cell_i64(rowset_cell(rows, i, at[1]), 0));
		struct bucket *to;

		if (cell_is_null(time) || !cell_is(rowset_cell(rows, i, at[0]), metric))
			continue;
		its = its > width ? its : width;
		its = its > MINUTE ? its : MINUTE;
		if (time->i / 1000000 + its <= from || time->i / 1000000 >= until)
			continue;
		/* The minute in which this run began is told by its ticks, in finer steps. */
		if (its == MINUTE && time->i / 1000000 + its > until)
			continue;
		to = add_bucket(b, time->i / 1000000, its);
		to->min = cell_num(rowset_cell(rows, i, at[3]), NAN);
		to->avg = cell_num(rowset_cell(rows, i, at[4]), NAN);
		to->max = cell_num(rowset_cell(rows, i, at[5]), NAN);
		to->n = cell_i64(rowset_cell(rows, i, at[6]), 0);
		end = to->t + its;
	}
	return end;
}

static void
take_ticks(
    struct buckets *b, const struct series *series, enum metric metric, int width, int64_t from)
{
	struct bucket *to = NULL;

	for (int i = 0; i < series->n; i++) {
		const struct tick *t = series_tick(series, i);
		int64_t at = t->at.us / 1000000;
		double v = (double)t->metric[metric];

		if (at < from || isnan(v))
			continue;
		at -= at % width;
		if (!to || to->t != at) {
			to = add_bucket(b, at, width);
			to->min = to->max = v;
		}
		to->min = fmin(to->min, v);
		to->max = fmax(to->max, v);
		to->avg += (v - to->avg) / (double)++to->n;
	}
}

/* Where the span ends: now on the server's clock; before its first answer, where the history ends.
 * 0: nothing is known. */
static int64_t
end_us(const struct pane_ctx *ctx)
{
	const struct rowset *rows = snapshot_rows(ctx->snap, PROBE_HISTORY);
	int64_t end = 0;

	if (ctx->snap->taken_at.us)
		return ctx->snap->taken_at.us;
	for (int i = 0, col = rows ? rowset_col(rows, "time") : -1; col >= 0 && i < rows->nrows;
	     i++) {
		int64_t at = cell_i64(rowset_cell(rows, i, col), 0);

		end = at > end ? at : end;
	}
	return end ? end + MINUTE * INT64_C(1000000) : 0;
}

static void
collect(const struct pane_ctx *ctx, struct grid *grid, struct buckets *b)
{
	const struct snapshot *snap = ctx->snap;
	const struct series *series = &snap->series;
	enum metric metric = shown_metric(ctx->opts);
	int span = history_shown_span(ctx->opts), width = span_bucket_s(span);
	const struct rowset *rows =
	    snap->cur[PROBE_HISTORY] ? pane_rows(ctx, grid, PROBE_HISTORY) : NULL;
	int64_t from = end_us(ctx) / 1000000 - span, until = INT64_MAX;

	if (series->n > 0)
		until = series_tick(series, 0)->at.us / 1000000;
	if (rows)
		from = take_history(b, rows, metric_infos[metric].name, width, from, until);
	take_ticks(b, series, metric, width, from);
}

/* ------------------------------------------------------------------ the grid */

static struct cell
shown(struct grid *g, enum column_kind kind, double value)
{
	struct strbuf out = STRBUF_INIT(64);
	struct cell v = cell_float(value);
	const char *text;

	grid_cell_text(&out, kind, &v);
	text = arena_strndup(&g->arena, out.buf, out.len);
	strbuf_release(&out);
	return cell_text(text);
}

static struct cell
bar(struct grid *g, double share)
{
	char text[BAR_WIDTH + 1];
	int n = share > 0 ? (int)lround(fmin(share, 1) * BAR_WIDTH) : 0;

	memset(text, '=', sizeof(text));
	text[n] = '\0';
	return cell_text(arena_strdup(&g->arena, text));
}

/* "11:40:05Z", "11-20 11:30Z" where that is of several days, "2026-11-20" of whole days. */
static struct cell
when(struct grid *g, const struct bucket *b, int span)
{
	char buf[40];
	const char *text = wall_rfc3339((struct wall){ b->t * 1000000 }, buf, sizeof(buf));

	if (b->width >= DAY)
		return cell_text(arena_strndup(&g->arena, text, 10));
	if (span < DAY)
		return cell_text(arena_strdup(&g->arena, text + 11));
	return cell_text(arena_printf(&g->arena, "%.5s %.5sZ", text + 5, text + 11));
}

static void
add_row(struct grid *g, const struct bucket *b, enum column_kind kind, int span, double top)
{
	struct cell *c = grid_add(g)->cells;

	c[C_WHEN] = when(g, b, span);
	c[C_TIME] = cell_time(b->t * 1000000);
	c[C_AVG] = cell_float(b->avg);
	c[C_MIN] = cell_float(b->min);
	c[C_MAX] = cell_float(b->max);
	c[C_N] = cell_int(b->n);
	c[C_BUCKET] = cell_int(b->width);
	c[C_SHOWN_AVG] = shown(g, kind, b->avg);
	c[C_SHOWN_MIN] = shown(g, kind, b->min);
	c[C_SHOWN_MAX] = shown(g, kind, b->max);
	c[C_BAR] = bar(g, top > 0 ? b->avg / top : 0);
}

static void
add_facts(const struct pane_ctx *ctx, struct grid *g, const struct buckets *b)
{
	enum metric metric = shown_metric(ctx->opts);
	int span = history_shown_span(ctx->opts);
	int64_t now = end_us(ctx);
	double min = NAN, max = NAN, sum = 0, known = 0;
	int64_t n = 0;

	for (int i = 0; i < b->n; i++) {
		min = fmin(b->items[i].min, min); /* the number of a number and a NAN */
		max = fmax(b->items[i].max, max);
		sum += b->items[i].avg * (double)b->items[i].n;
		n += b->items[i].n;
		known += b->items[i].width;
	}
	grid_fact(g, "metric", COL_TEXT, cell_text(metric_infos[metric].name));
	grid_fact(g, "text", COL_TEXT, cell_text(metric_infos[metric].text));
	grid_fact(g, "unit", COL_TEXT, cell_text(shows[metric].unit));
	grid_fact(g, "span_s", COL_SECONDS, cell_int(span));
	grid_fact(g, "bucket_s", COL_SECONDS, cell_int(span_bucket_s(span)));
	grid_fact(g, "from", COL_TIME, cell_time(now - span * INT64_C(1000000)));
	grid_fact(g, "to", COL_TIME, cell_time(now));
	grid_fact(g, "last", shows[metric].kind,
	    b->n ? cell_float(b->items[b->n - 1].avg) : cell_null(WHY_NODATA));
	grid_fact(g, "min", shows[metric].kind, n ? cell_float(min) : cell_null(WHY_NODATA));
	grid_fact(
	    g, "avg", shows[metric].kind, n ? cell_float(sum / (double)n) : cell_null(WHY_NODATA));
	grid_fact(g, "max", shows[metric].kind, n ? cell_float(max) : cell_null(WHY_NODATA));
	grid_fact(g, "known_pct", COL_PCT, cell_float(fmin(100, 100 * known / span)));
}

static void
history_fill(const struct pane_ctx *ctx, struct grid *g)
{
	enum metric metric = shown_metric(ctx->opts);
	struct buckets b = { 0 };
	double top = 0;

	if (!ctx->snap->taken_at.us)
		grid_note(g, "no_data", "no answer from the server yet", "");
	if (!end_us(ctx))
		return;
	collect(ctx, g, &b);
	for (int i = 0; i < b.n; i++)
		top = fmax(top, b.items[i].max);
	for (int i = b.n - 1; i >= 0; i--)
		add_row(g, &b.items[i], shows[metric].kind, history_shown_span(ctx->opts), top);
	add_facts(ctx, g, &b);
	if (b.n == 0)
		grid_notef(g, "no_data",
		    metric == METRIC_POOL_WAITING ?
		        "Set pgbouncer of the target to the conninfo of its admin console." :
		        "",
		    "nothing is known of %s in this span", metric_infos[metric].name);
	free(b.items);
}

/* ------------------------------------------------------------------ the chart */

static int
history_head_rows(const struct pane_ctx *ctx, int width, int height)
{
	(void)ctx;
	if (width < 40 || height < MIN_HEAD + 6)
		return 0;
	return height >= 40 ? 22 : height >= 30 ? 16 : height >= 18 ? 11 : MIN_HEAD;
}

/* The rows by time, with a point that is none wherever there is a gap. */
struct drawing {
	struct chart_point *points;
	struct chart_range *ranges;
	int n;
};

static int
by_x(const void *a, const void *b)
{
	const struct chart_point *x = a, *y = b;

	return x->x < y->x ? -1 : x->x > y->x;
}

static int
by_range_x(const void *a, const void *b)
{
	const struct chart_range *x = a, *y = b;

	return x->x < y->x ? -1 : x->x > y->x;
}

static void
add_point(struct drawing *d, double x, const struct cell *c)
{
	d->points[d->n] = (struct chart_point){ x, c ? c[C_AVG].f : NAN };
	d->ranges[d->n++] = (struct chart_range){ x, c ? c[C_MIN].f : NAN, c ? c[C_MAX].f : NAN };
}

/* A row is drawn in the middle of its bucket. The grid may be in any order and filtered. */
static void
gather_points(const struct grid *g, struct arena *arena, struct drawing *d)
{
	double before = NAN, width = 0;
	int gaps = 0, n;

	d->n = 0;
	d->points = arena_alloc(arena, ((size_t)g->nrows * 2 + 1) * sizeof(*d->points));
	d->ranges = arena_alloc(arena, ((size_t)g->nrows * 2 + 1) * sizeof(*d->ranges));
	for (int i = 0; i < g->nrows; i++) {
		const struct cell *c = g->rows[i].cells;

		add_point(d, (double)c[C_TIME].i / 1e6 + (double)c[C_BUCKET].i / 2, c);
		width = fmax(width, (double)c[C_BUCKET].i);
	}
	qsort(d->points, (size_t)d->n, sizeof(*d->points), by_x);
	qsort(d->ranges, (size_t)d->n, sizeof(*d->ranges), by_range_x);
	n = d->n;
	for (int i = 0; i < n; i++) {
		if (d->points[i].x - before > 1.6 * width) {
			add_point(d, (d->points[i].x + before) / 2, NULL);
			gaps++;
		}
		before = d->points[i].x;
	}
	if (gaps > 0) {
		qsort(d->points, (size_t)d->n, sizeof(*d->points), by_x);
		qsort(d->ranges, (size_t)d->n, sizeof(*d->ranges), by_range_x);
	}
}

static void
draw_fact(struct draw *d, int *x, const struct grid *g, const char *name, enum column_kind kind)
{
	const struct grid_fact *fact = grid_fact_get(g, name);
	struct strbuf text = STRBUF_INIT(64);

	if (!fact)
		return;
	grid_cell_text(&text, kind, &fact->value);
	*x += draw_printf(d, 0, *x, ROLE_DIM, "  %s ", name);
	*x += draw_text(d, 0, *x, ROLE_NORMAL, text.buf);
	strbuf_release(&text);
}

/* Which figure and span, what it is now, and what the cursor stands on. */
static void
draw_legend(struct draw *d, const struct pane_ctx *ctx, const struct grid *g)
{
	enum metric metric = shown_metric(ctx->opts);
	struct strbuf text = STRBUF_INIT(160);
	char span[24];
	int x = draw_text(d, 0, 0, ROLE_STRONG, metric_infos[metric].name);

	x += draw_printf(d, 0, x, ROLE_DIM, " over %s",
	    span_text(history_shown_span(ctx->opts), span, sizeof(span)));
	draw_fact(d, &x, g, "last", shows[metric].kind);
	draw_fact(d, &x, g, "min", shows[metric].kind);
	draw_fact(d, &x, g, "avg", shows[metric].kind);
	draw_fact(d, &x, g, "max", shows[metric].kind);
	if (ctx->cursor >= 0 && ctx->cursor < g->nrows) {
		const struct cell *c = g->rows[ctx->cursor].cells;

		strbuf_addf(&text, "%.*s %.*s", (int)c[C_WHEN].len, c[C_WHEN].s,
		    (int)c[C_SHOWN_AVG].len, c[C_SHOWN_AVG].s);
		draw_printf(d, 0, x, ROLE_INFO, "  at %s", text.buf);
	}
	strbuf_release(&text);
}

static void
history_head(const struct pane_ctx *ctx, const struct grid *grid, struct draw *draw)
{
	double now = (double)end_us(ctx) / 1e6;
	int span = history_shown_span(ctx->opts);
	struct arena arena = { 0 };
	struct drawing d;
	struct chart_series line = { .role = ROLE_INFO, .letter = '*' };
	struct chart_band band = { .role = ROLE_DIM };
	struct chart_mark mark = { .role = ROLE_WARN, .is_solid = true };
	struct chart chart = { .series = &line,
		.nseries = 1,
		.bands = &band,
		.nbands = 1,
		.marks = &mark,
		.x_min = now - span,
		.x_max = now,
		.y_min = NAN,
		.y_max = NAN,
		.kind = shows[shown_metric(ctx->opts)].kind };

	draw_legend(draw, ctx, grid);
	gather_points(grid, &arena, &d);
	/* The middle of the newest bucket may be still to come. */
	for (int i = 0; i < d.n; i++)
		chart.x_max = fmax(chart.x_max, d.points[i].x);
	line.points = d.points;
	band.ranges = d.ranges;
	line.n = band.n = d.n;
	if (ctx->cursor >= 0 && ctx->cursor < grid->nrows) {
		const struct cell *c = grid->rows[ctx->cursor].cells;

		mark.x = (double)c[C_TIME].i / 1e6 + (double)c[C_BUCKET].i / 2;
		mark.x = fmax(chart.x_min, fmin(chart.x_max, mark.x));
		chart.nmarks = 1;
	}
	chart_draw(&chart, draw, 1, draw->rows - 1);
	arena_release(&arena);
}

const struct pane pane_history = {
	.name = "history",
	.title = "History",
	.help =
	    "One figure over time, from five minutes to a year: what this run has seen, and before that the history "
	    "kept on this machine. The modes are the figures.",
	.columns = columns,
	.ncolumns = C_COUNT,
	.probes = probes,
	.nprobes = ARRAY_LEN(probes),
	.needs_pair = true,
	.modes = modes,
	.fill = history_fill,
	.head_rows = history_head_rows,
	.head = history_head,
};
