/*
 * Storage: what fills the disk, how each part grows, and when it is full, with the history and the
 * forecast drawn above. Everything is derived in model/storage*.c; what is heavy of it, the
 * forecasts, is kept in the cache until one of its probes answers anew.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "base/hmap.h"
#include "base/utf8.h"
#include "panes/chart.h"
#include "panes/pane.h"
#include "panes/storage_detail.h"
#include "tui/draw.h"
#include "tui/wrap.h"

enum {
	C_KIND,
	C_NAME,
	C_BYTES,
	C_SHARE,
	C_GROWTH,
	C_GROWTH_PCT,
	C_IN_30,
	C_IN_90,
	C_KNOWN,
	C_DETAIL,
	C_COUNT
};

static const struct column columns[C_COUNT] = {
	[C_KIND] = { "kind", "KIND", COL_TEXT, 9, COL_KEY,
	    "total; database, wal, temp, log, which add up to it; tables, indexes, toast, system, uncounted of this "
	    "database; slot; free; table: one of the largest" },
	[C_NAME] = { "name", "NAME", COL_TEXT, 18, COL_KEY | COL_FIXED,
	    "database, slot or table; tables with their indexes and TOAST" },
	[C_BYTES] = { "size_bytes", "SIZE", COL_BYTES, 6, 0,
	    "on disk; of tables and what is within a database: pages as of the last vacuum or analyze" },
	[C_SHARE] = { "share_pct", "SHARE%", COL_PCT, 6, 0, "of the total" },
	[C_GROWTH] = { "growth_bytes_per_day", "GROW/D", COL_BYTES, 6, 0,
	    "bytes a day by its trend, steps left out" },
	[C_GROWTH_PCT] = { "growth_share_pct", "OF.ALL%", COL_PCT, 7, 0,
	    "share of the growth of the total" },
	[C_IN_30] = { "in_30d_bytes", "IN 30D", COL_BYTES, 6, 0, "size expected in 30 days" },
	[C_IN_90] = { "in_90d_bytes", "IN 90D", COL_BYTES, 6, 0, "size expected in 90 days" },
	[C_KNOWN] = { "known", "KNOWN", COL_TEXT, 8, 0,
	    "how the growth is known: history (sizes kept on this machine), rebuilt (from partitions or statistics), "
	    "counted (row counters), measured (the last two answers)" },
	[C_DETAIL] = { "detail", "DETAIL", COL_QUERY, 10, 0,
	    "what is worth knowing about this row" },
};

static const enum probe_id probes[] = { PROBE_SIZES, PROBE_STORAGE_KINDS, PROBE_STORAGE_WAL,
	PROBE_SLOTS, PROBE_STORAGE_TEMP, PROBE_STORAGE_LOG, PROBE_CAPACITY, PROBE_TABLESPACES,
	PROBE_STORAGE_TABLES, PROBE_STORAGE_PARTITIONS, PROBE_STORAGE_ARRIVALS,
	PROBE_SIZE_HISTORY };

enum mode { MODE_ALL, MODE_PARTS, MODE_TABLES };
static const struct pane_mode modes[] = {
	[MODE_ALL] = { "all", "what fills the storage and the largest tables" },
	[MODE_PARTS] = { "parts", "what fills the storage" },
	[MODE_TABLES] = { "tables", "the largest tables of this database" },
	{ NULL, NULL },
};

/* ------------------------------------------------------------------ cache */

struct cache {
	struct storage_view view;
	uint64_t key;     /* of the answers it was made from */
	struct mono made; /* when */
};

static void *
cache_new(void)
{
	return xcalloc(1, sizeof(struct cache));
}

static void
cache_free(void *cache)
{
	arena_release(&((struct cache *)cache)->view.arena);
	free(cache);
}

/* When the probes answered; slots, which answer often, are read apart. */
static uint64_t
answers(const struct snapshot *snap)
{
	uint64_t key = 1;

	for (size_t i = 0; i < ARRAY_LEN(probes); i++)
		if (probes[i] != PROBE_SLOTS) {
			const struct sample *s = snap->cur[probes[i]];

			key = hash_u64(key, s ? (uint64_t)s->at.us : 0);
		}
	return key;
}

/* Slots come and go between two looks at the rest. */
static uint64_t
slot_names(const struct snapshot *snap)
{
	const struct rowset *rs = snapshot_rows(snap, PROBE_SLOTS);
	uint64_t key = 2;

	for (int i = 0; rs && i < rs->nrows; i++) {
		const struct cell *name = rowset_get(rs, i, "slot_name");

		if (name->type == CELL_TEXT)
			key = hash_bytes(key, name->s, name->len);
	}
	return key;
}

/* Seeking back in a recording is not just now. */
static bool
is_just_made(struct mono now, struct mono made)
{
	int64_t ms = mono_since_ms(now, made);

	return ms >= 0 && ms < 2000;
}

static const struct storage_view *
view_of(const struct pane_ctx *ctx)
{
	struct cache *c = ctx->cache;
	struct storage_view *v = &c->view;
	uint64_t key = hash_u64(answers(ctx->snap), slot_names(ctx->snap));

	/* The answers of a minute come one after the other: not a forecast for each. */
	if (c->key == key || (c->key && is_just_made(ctx->now, c->made)))
		return v;
	arena_reset(&v->arena);
	storage_read(ctx->snap, &v->arena, &v->storage);
	storage_trends(ctx->snap, &v->storage, &v->arena, &v->outlook);
	c->key = key;
	c->made = ctx->now;
	return v;
}

/* ------------------------------------------------------------------ rows */

static enum cell_why
why_of(enum sample_state state)
{
	switch (state) {
	case SAMPLE_DENIED:
		return WHY_DENIED;
	case SAMPLE_UNSUPPORTED:
		return WHY_UNSUPPORTED;
	case SAMPLE_NONE:
	case SAMPLE_OK:
	case SAMPLE_FAILED:
	case SAMPLE_TIMEOUT:
		break;
	}
	return WHY_NODATA;
}

static struct cell
bytes_cell(double bytes, enum cell_why why)
{
	return isnan(bytes) || isinf(bytes) ? cell_null(why) : cell_int((int64_t)llround(bytes));
}

/* What a slot keeps at this moment: the cache may be a minute old. */
static double
slot_bytes(const struct snapshot *snap, const char *name)
{
	const struct rowset *rs = snapshot_rows(snap, PROBE_SLOTS);

	for (int i = 0; rs && i < rs->nrows; i++)
		if (cell_is(rowset_get(rs, i, "slot_name"), name))
			return fmax(0,
			    cell_num(rowset_get(rs, i, "current_lsn"), NAN) -
			        cell_num(rowset_get(rs, i, "restart_lsn"), NAN));
	return NAN;
}

static void
add_row(const struct pane_ctx *ctx, struct grid *grid, const struct storage_view *v, int i)
{
	const struct storage_item *item = &v->storage.items[i], *total = &v->storage.items[0];
	double bytes = item->kind == STORAGE_SLOT ? slot_bytes(ctx->snap, item->name) : item->bytes;
	struct grid_row *r = grid_add(grid);
	struct cell *c = r->cells;

	c[C_KIND] = cell_text(storage_kind_infos[item->kind].name);
	c[C_NAME] = cell_text(arena_strdup(&grid->arena, item->name));
	c[C_BYTES] = bytes_cell(bytes, why_of(item->state));
	if (item->kind != STORAGE_FREE)
		c[C_SHARE] = total->bytes > 0 && !isnan(bytes) ?
		    cell_float(100 * bytes / total->bytes) :
		    cell_null(WHY_NODATA);
	c[C_GROWTH] = isnan(item->rate) ? cell_null(WHY_NODATA) : cell_float(item->rate);
	if (i > 0)
		c[C_GROWTH_PCT] = total->rate > 0 && !isnan(item->rate) ?
		    cell_float(100 * item->rate / total->rate) :
		    cell_null(WHY_NODATA);
	c[C_IN_30] = bytes_cell(item->in_30, WHY_NODATA);
	c[C_IN_90] = bytes_cell(item->in_90, WHY_NODATA);
	c[C_KNOWN] =
	    item->known ? cell_text(storage_known_names[item->known]) : cell_null(WHY_NODATA);
	c[C_DETAIL] = cell_text(storage_remark(ctx->snap, v, item, &grid->arena));
	r->depth = (uint8_t)item->depth;
	r->is_head = i == 0;
	r->aux = (uint32_t)i;
	if (item->kind == STORAGE_FREE && !isnan(item->bytes)) {
		double share = item->bytes / v->storage.room.capacity;

		c[C_BYTES].role = share < 0.05 ? ROLE_CRIT : share < 0.10 ? ROLE_WARN : ROLE_NORMAL;
	} else if (item->depth) {
		r->role = ROLE_DIM;
	}
}

/* ------------------------------------------------------------------ facts */

static struct cell
days_cell(double days)
{
	return isfinite(days) ? cell_float(round(days * 1000) / 1000) : cell_null(WHY_NODATA);
}

static struct cell
share_cell(double p)
{
	return isnan(p) ? cell_null(WHY_NODATA) : cell_float(round(p * 1000) / 1000);
}

/* The same objects as `pgmedic forecast --json` has. */
static void
forecast_objects(struct grid *g, const struct storage_outlook *o)
{
	struct strbuf text = STRBUF_INIT(1 << 20);

	forecast_json_horizons(&text, &o->total);
	grid_fact(g, "horizons", COL_JSON, cell_text(arena_strndup(&g->arena, text.buf, text.len)));
	strbuf_clear(&text);
	forecast_json_full(&text, &o->total, o->capacity);
	grid_fact(g, "full", COL_JSON, cell_text(arena_strndup(&g->arena, text.buf, text.len)));
	strbuf_clear(&text);
	forecast_json_steps(&text, &o->total);
	grid_fact(g, "steps", COL_JSON, cell_text(arena_strndup(&g->arena, text.buf, text.len)));
	strbuf_release(&text);
}

static void
forecast_facts(struct grid *g, const struct storage_outlook *o)
{
	const struct forecast *f = &o->total;

	grid_fact(g, "last", COL_BYTES, bytes_cell(o->n ? f->last.bytes : NAN, WHY_NODATA));
	grid_fact(g, "rate_bytes_per_day", COL_BYTES,
	    isnan(f->rate_bytes_per_day) ? cell_null(WHY_NODATA) :
	                                   cell_float(f->rate_bytes_per_day));
	grid_fact(g, "span_days", COL_FLOAT, days_cell(o->n ? f->span_days : NAN));
	grid_fact(g, "known", COL_TEXT,
	    o->known ? cell_text(storage_known_names[o->known]) : cell_null(WHY_NODATA));
	grid_fact(g, "full_at_bytes", COL_BYTES, bytes_cell(o->capacity, WHY_NODATA));
	grid_fact(g, "days_to_full_p10", COL_FLOAT, days_cell(f->has_full ? f->full_p10 : NAN));
	grid_fact(g, "days_to_full_p50", COL_FLOAT, days_cell(f->has_full ? f->full_p50 : NAN));
	grid_fact(g, "days_to_full_p90", COL_FLOAT, days_cell(f->has_full ? f->full_p90 : NAN));
	grid_fact(g, "probability_7", COL_FLOAT, share_cell(f->probability[0]));
	grid_fact(g, "probability_30", COL_FLOAT, share_cell(f->probability[1]));
	grid_fact(g, "probability_90", COL_FLOAT, share_cell(f->probability[2]));
	forecast_objects(g, o);
	grid_fact(g, "regime", COL_TEXT, cell_text(forecast_regime_names[f->regime]));
	grid_fact(g, "confidence", COL_TEXT, cell_text(forecast_confidence_names[f->confidence]));
	grid_fact(g, "refused", COL_TEXT,
	    f->refused[0] ? cell_text(arena_strdup(&g->arena, f->refused)) : cell_null(WHY_NONE));
	grid_fact(g, "rebuilt_pct", COL_PCT,
	    isnan(o->carried) ? cell_null(WHY_NODATA) : cell_float(100 * o->carried));
}

/* What is missing in the total. */
static int
unknown_parts(const struct storage *s)
{
	int n = 0;

	for (int i = 1; i < s->n; i++) {
		const struct storage_item *item = &s->items[i];
		bool is_part = item->kind == STORAGE_DATABASE || item->kind == STORAGE_WAL ||
		    item->kind == STORAGE_TEMP || item->kind == STORAGE_LOG;

		n += is_part && isnan(item->bytes) && item->state != SAMPLE_OK;
	}
	return n;
}

static void
room_facts(struct grid *g, const struct storage *s)
{
	grid_fact(
	    g, "total_bytes", COL_BYTES, bytes_cell(s->items[0].bytes, why_of(s->items[0].state)));
	grid_fact(g, "unknown_parts", COL_INT, cell_int(unknown_parts(s)));
	grid_fact(g, "capacity_bytes", COL_BYTES, bytes_cell(s->room.capacity, WHY_NODATA));
	grid_fact(g, "free_bytes", COL_BYTES, bytes_cell(s->room.free, WHY_NODATA));
	grid_fact(g, "capacity_source", COL_TEXT,
	    isnan(s->room.capacity) ? cell_null(WHY_NODATA) :
	                              cell_text(s->room.is_configured ? "setting" : "statvfs"));
	if (s->room.is_autoscaling)
		grid_fact(
		    g, "autoscaling_max_bytes", COL_BYTES, bytes_cell(s->room.max, WHY_NODATA));
}

static void
slot_facts(struct grid *g, const struct storage_slot *slot)
{
	if (!*slot->name)
		return;
	grid_fact(g, "slot", COL_TEXT, cell_text(arena_strdup(&g->arena, slot->name)));
	grid_fact(g, "slot_retained_bytes", COL_BYTES, bytes_cell(slot->kept, WHY_NODATA));
	grid_fact(g, "slot_growth_bytes_per_s", COL_BYTES,
	    isnan(slot->rate) ? cell_null(WHY_NODATA) : cell_float(slot->rate));
	grid_fact(g, "slot_hours_to_full", COL_FLOAT, days_cell(slot->hours_full));
	grid_fact(g, "slot_hours_to_lost", COL_FLOAT, days_cell(slot->hours_lost));
}

static void
storage_fill(const struct pane_ctx *ctx, struct grid *grid)
{
	enum mode mode = (enum mode)ctx->opts->mode;
	struct storage_word *words;
	struct storage_slot slot;
	const struct storage_view *v;
	int n;

	if (ctx->snap->taken_at.us == 0) {
		grid_note(grid, "no_data", "no answer from the server yet", "");
		return;
	}
	v = view_of(ctx);
	storage_slots(ctx->snap, &v->storage, &grid->arena, &slot);
	n = storage_say(ctx->snap, &v->storage, &v->outlook, &slot, &grid->arena, &words);
	for (int i = 0; i < n; i++)
		grid_note(grid, words[i].code, words[i].what, words[i].hint);
	/* Whatever was asked and not answered is said, with what mends it. */
	for (size_t i = 0; i < ARRAY_LEN(probes); i++)
		if (probes[i] != PROBE_SIZE_HISTORY && probes[i] != PROBE_TABLESPACES)
			(void)pane_rows(ctx, grid, probes[i]);
	room_facts(grid, &v->storage);
	forecast_facts(grid, &v->outlook);
	slot_facts(grid, &slot);
	for (int i = 0; i < v->storage.n; i++) {
		bool is_table = v->storage.items[i].kind == STORAGE_TABLE;

		if (mode == MODE_ALL || is_table == (mode == MODE_TABLES))
			add_row(ctx, grid, v, i);
	}
}

static void
storage_row_detail(const struct pane_ctx *ctx, const struct grid *grid, int row, struct doc *doc)
{
	const struct storage_view *v = view_of(ctx);
	uint32_t i = grid->rows[row].aux;

	if ((int)i < v->storage.n)
		storage_story(ctx->snap, v, &v->storage.items[i], doc);
}

/* ------------------------------------------------------------------ head */

static int
storage_head_rows(const struct pane_ctx *ctx, int width, int height)
{
	(void)ctx;
	if (width < 40 || height < 12)
		return 0;
	return height >= 40 ? 18 : height >= 30 ? 12 : 9;
}

/* The band by day, from the last point on; as far as is shown. */
static int
make_band(const struct storage_outlook *o, double days, struct arena *arena,
    struct chart_range **band, struct chart_point **median)
{
	const struct forecast *f = &o->total;
	double last = (double)f->last.at_us / 1e6;
	int n = 0;

	*band = arena_alloc(arena, (size_t)(f->nband + 1) * sizeof(**band));
	*median = arena_alloc(arena, (size_t)(f->nband + 1) * sizeof(**median));
	(*band)[0] = (struct chart_range){ last, f->last.bytes, f->last.bytes };
	(*median)[n++] = (struct chart_point){ last, f->last.bytes };
	for (int i = 0; i < f->nband && f->band[i].days <= days; i++) {
		const struct forecast_quantiles *q = &f->band[i];

		if (isnan(q->p50))
			break;
		(*band)[n] = (struct chart_range){ last + q->days * 86400.0, q->p10, q->p90 };
		(*median)[n++] = (struct chart_point){ last + q->days * 86400.0, q->p50 };
	}
	return n;
}

/* How far the chart looks ahead: past the middle of the day of full when that is in sight. */
static double
days_ahead(const struct forecast *f)
{
	double days = fmin(90, fmax(7, f->span_days));

	if (isfinite(f->full_p90))
		days = fmax(days, fmin(365, f->full_p90 * 1.1));
	else if (isfinite(f->full_p50))
		days = fmax(days, fmin(365, f->full_p50 * 1.2));
	return days;
}

static void
draw_chart(const struct storage_view *v, struct draw *draw, int row)
{
	const struct storage_outlook *o = &v->outlook;
	const struct forecast *f = &o->total;
	struct arena arena = { 0 };
	struct chart_point *past = arena_alloc(&arena, (size_t)(o->n + 1) * sizeof(*past)), *median;
	struct chart_range *band;
	double ahead = days_ahead(f), back = fmax(2 * ahead, 30), top = 0;
	int n = 0, nband, nrebuilt = 0;

	for (int i = 0; i < o->n; i++) {
		if ((double)(f->last.at_us - o->points[i].at_us) > back * 86400e6)
			continue;
		past[n++] =
		    (struct chart_point){ (double)o->points[i].at_us / 1e6, o->points[i].bytes };
		nrebuilt += i < o->nrebuilt;
		top = fmax(top, o->points[i].bytes);
	}
	nband = make_band(o, ahead, &arena, &band, &median);
	top = nband ? fmax(top, band[nband - 1].high) : top;
	const struct chart_series series[] = {
		{ past, nrebuilt, ROLE_DIM, 'r', false },
		{ past + nrebuilt, n - nrebuilt, ROLE_STRONG, '*', false },
		{ median, nband > 1 ? nband : 0, ROLE_INFO, 'o', true },
	};
	/* A limit far above all there is would press the rest flat: then it is said, not drawn. */
	bool is_limit_near = o->capacity < 2.5 * top;
	const struct chart_level level = { o->capacity, ROLE_CRIT, " full " };
	const struct chart_mark now = { (double)f->last.at_us / 1e6, ROLE_FRAME, false };
	const struct chart chart = { .series = series,
		.nseries = 3,
		.bands = &(const struct chart_band){ band, nband, ROLE_WAIT_IO },
		.nbands = nband > 1,
		.levels = &level,
		.nlevels = is_limit_near,
		.marks = &now,
		.nmarks = nband > 1,
		.y_min = NAN,
		.y_max = is_limit_near ? fmax(o->capacity, top) * 1.02 : NAN,
		.kind = COL_BYTES };
	if (n > 1)
		chart_draw(&chart, draw, row, draw->rows - row);
	else
		draw_text(draw, row + 1, CHART_AXIS, ROLE_DIM,
		    "no history to draw yet: it grows while pgmedic runs or records");
	arena_release(&arena);
}

/* A sentence over at most `max` lines; what it takes. Names of tables and slots are the server's.
 */
static int
draw_sentence(struct draw *draw, int row, int max, int col, enum role role, const char *text)
{
	struct strbuf clean = STRBUF_INIT(4096);
	size_t from = 0, skip;
	int lines = 0;

	utf8_clean(&clean, text, strlen(text), true);
	while (from < clean.len && lines < max) {
		size_t rest = clean.len - from;
		size_t n = lines == max - 1 ?
		    rest :
		    wrap_line(clean.buf + from, rest, draw->cols - col, &skip);

		draw_textn(draw, row + lines++, col, role, clean.buf + from, n);
		from += n + (n < rest ? skip : 0);
	}
	strbuf_release(&clean);
	return lines;
}

static void
storage_head(const struct pane_ctx *ctx, const struct grid *grid, struct draw *draw)
{
	const struct storage_view *v = view_of(ctx);
	struct storage_word *words;
	struct storage_slot slot;
	struct arena arena = { 0 };
	/* The chart wants its rows; where there is none yet, the words have them. */
	int max = v->outlook.n <= 1 ? draw->rows - 3 : draw->rows >= 12 ? 4 : 3;
	int row = 0, n;

	(void)grid;
	storage_slots(ctx->snap, &v->storage, &arena, &slot);
	n = storage_say(ctx->snap, &v->storage, &v->outlook, &slot, &arena, &words);
	for (int i = 0; i < n && row < max; i++) {
		bool has_hint = i == 0 && *words[i].hint;
		int room = max - row - has_hint > 1 ? 2 : 1;

		row += draw_sentence(draw, row, room, 0, words[i].role, words[i].what);
		if (has_hint)
			row += draw_sentence(
			    draw, row, max - row > 1 ? 2 : max - row, 2, ROLE_HINT, words[i].hint);
	}
	draw_chart(v, draw, row);
	arena_release(&arena);
}

const struct pane pane_storage = {
	.name = "storage",
	.title = "Storage",
	.help =
	    "What fills the storage, how each part and the largest tables grow, and when it is full: history, forecast with its band, "
	    "replication slots that keep WAL, and what to do.",
	.columns = columns,
	.ncolumns = C_COUNT,
	.probes = probes,
	.nprobes = ARRAY_LEN(probes),
	.needs_pair = true,
	.modes = modes,
	.fill = storage_fill,
	.detail = storage_row_detail,
	.head_rows = storage_head_rows,
	.head = storage_head,
	.cache_new = cache_new,
	.cache_free = cache_free,
};
