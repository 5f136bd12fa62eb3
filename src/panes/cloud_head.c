/*
 * Above the table of the cloud pane: the instance in a few lines, the metric under the cursor over
 * time, with a mark wherever RDS says that something happened, and what it was. Wide screens have
 * charts of other metrics beside it.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fmt.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "panes/chart.h"
#include "panes/cloud_priv.h"
#include "panes/cloud_series.h"
#include "tui/draw.h"

enum { MAX_MARKS = 40, MIN_CHART = 6, CHART_COLS = 64, MAX_CHARTS = 3, FACT_LINES = 3 };

int
cloud_head_rows(const struct pane_ctx *ctx, int width, int height)
{
	if (width < 40 || height < 16 || !snapshot_rows(ctx->snap, PROBE_CLOUD))
		return 0;
	return height >= 40 ? 20 : height >= 30 ? 15 : height >= 20 ? 11 : FACT_LINES;
}

/* ---- facts */

/* "name value" pairs on a line, as many as there is room for. */
struct line {
	struct draw *draw;
	int row, col;
};

static void
say(struct line *l, const char *label, enum role role, const char *text)
{
	int width = utf8_width(text, strlen(text)) + (int)strlen(label) + 3;

	if (!*text || (l->col > 0 && l->col + width > l->draw->cols))
		return;
	if (l->col > 0)
		l->col += draw_text(l->draw, l->row, l->col, ROLE_DIM, "  ");
	if (*label)
		l->col += draw_printf(l->draw, l->row, l->col, ROLE_DIM, "%s ", label);
	l->col += draw_text(l->draw, l->row, l->col, role, text);
}

static const char *
text_of(struct arena *arena, const struct rowset *rows, const char *name)
{
	const struct cell *c = rowset_get(rows, 0, name);
	struct strbuf out = STRBUF_INIT(512);
	const char *s = "";

	if (c->type == CELL_TEXT) {
		utf8_clean(&out, c->s, c->len, true);
		s = arena_strdup(arena, out.buf);
	} else if (c->type == CELL_INT) {
		s = arena_printf(arena, "%lld", (long long)c->i);
	} else if (c->type == CELL_BOOL) {
		s = c->i ? "yes" : "no";
	}
	strbuf_release(&out);
	return s;
}

static const char *
bytes_of(struct arena *arena, const struct rowset *rows, const char *name)
{
	double v = cell_num(rowset_get(rows, 0, name), NAN);
	char buf[32];

	return isnan(v) || v <= 0 ? "" : arena_strdup(arena, fmt_bytes(buf, sizeof(buf), v));
}

/* "2027-05-12", "" none. */
static const char *
day_of(struct arena *arena, const struct rowset *rows, const char *name)
{
	const struct cell *c = rowset_get(rows, 0, name);
	char buf[40];

	if (c->type != CELL_TIME)
		return "";
	return arena_strndup(
	    arena, wall_rfc3339((struct wall){ c->i }, buf, sizeof(buf)), strlen("2026-11-21"));
}

static void
identity_line(struct draw *d, struct arena *arena, const struct rowset *r)
{
	struct line l = { d, 0, 0 };
	const char *status = text_of(arena, r, "status"), *percent = text_of(arena, r, "percent");
	const char *vcpus = text_of(arena, r, "vcpus"),
	           *memory = bytes_of(arena, r, "memory_bytes");
	const char *zone = text_of(arena, r, "zone"), *second = text_of(arena, r, "secondary_zone");

	say(&l, "", ROLE_STRONG, text_of(arena, r, "id"));
	say(&l, "", strcmp(status, "available") == 0 ? ROLE_OK : ROLE_WARN,
	    *percent ? arena_printf(arena, "%s %s%%", status, percent) : status);
	say(&l, "", ROLE_NORMAL,
	    arena_printf(arena, "%s%s%s%s%s", text_of(arena, r, "class"), *vcpus ? " " : "", vcpus,
	        *vcpus ? " vCPU " : "", memory));
	say(&l, "", ROLE_NORMAL,
	    arena_printf(
	        arena, "%s %s", text_of(arena, r, "engine"), text_of(arena, r, "version")));
	say(&l, "", ROLE_NORMAL, arena_printf(arena, "%s%s%s", zone, *second ? "+" : "", second));
	say(&l, "", ROLE_NORMAL, text_of(arena, r, "role"));
	say(&l, "cluster", ROLE_NORMAL, text_of(arena, r, "cluster"));
}

static void
storage_line(struct draw *d, struct arena *arena, const struct rowset *r)
{
	struct line l = { d, 1, 0 };
	const char *size = bytes_of(arena, r, "storage_bytes"),
	           *most = bytes_of(arena, r, "storage_max_bytes");
	bool is_multi = cell_i64(rowset_get(r, 0, "multi_az"), 0) != 0,
	     is_sealed = cell_i64(rowset_get(r, 0, "encrypted"), 0) != 0,
	     is_aurora = strncmp(text_of(arena, r, "engine"), "aurora", 6) == 0;
	int64_t days = cell_i64(rowset_get(r, 0, "retention_days"), 0);

	if (!is_aurora)
		say(&l, "storage", ROLE_NORMAL,
		    arena_printf(arena, "%s%s%s %s", size, *most ? " to " : "", most,
		        text_of(arena, r, "storage_type")));
	say(&l, "IOPS", ROLE_NORMAL, text_of(arena, r, "iops"));
	if (!is_aurora)
		say(&l, "Multi-AZ", is_multi ? ROLE_NORMAL : ROLE_WARN, is_multi ? "yes" : "no");
	say(&l, "encrypted", is_sealed ? ROLE_NORMAL : ROLE_WARN, is_sealed ? "yes" : "no");
	say(&l, "backups", days > 0 ? ROLE_NORMAL : ROLE_WARN,
	    days > 0 ? arena_printf(arena, "%lldd", (long long)days) : "off");
	say(&l, "at", ROLE_NORMAL, text_of(arena, r, "backup_window"));
	say(&l, "replicas", ROLE_NORMAL, text_of(arena, r, "replicas"));
}

static void
upkeep_line(struct draw *d, struct arena *arena, const struct rowset *r, const struct rowset *cost)
{
	struct line l = { d, 2, 0 };
	double usd =
	    cost && cost->nrows ? cell_num(rowset_get(cost, 0, "usd_per_month"), NAN) : NAN;
	double rate =
	    cost && cost->nrows ? cell_num(rowset_get(cost, 0, "rds_calls_per_s"), NAN) : NAN;
	const char *state = text_of(arena, r, "parameter_state");

	if (!isnan(usd))
		say(&l, "asking costs", ROLE_NORMAL,
		    arena_printf(arena, "$%.2f a month, %.2f RDS calls/s", usd, rate));
	say(&l, "maintenance", ROLE_NORMAL, text_of(arena, r, "maintenance_window"));
	say(&l, "pending", ROLE_WARN, text_of(arena, r, "pending"));
	say(&l, "parameters", strcmp(state, "in-sync") == 0 ? ROLE_NORMAL : ROLE_WARN,
	    arena_printf(arena, "%s %s", text_of(arena, r, "parameter_group"), state));
	say(&l, "certificate to", ROLE_NORMAL, day_of(arena, r, "certificate_until"));
}

/* ---- charts */

/* Where things happened; returns how many. */
static int
marks_of(const struct pane_ctx *ctx, struct chart_mark *marks)
{
	const struct rowset *rows = snapshot_rows(ctx->snap, PROBE_CLOUD_EVENTS);
	int n = 0;

	for (int r = rows ? rows->nrows - 1 : -1; r >= 0 && n < MAX_MARKS; r--)
		marks[n++] =
		    (struct chart_mark){ .x =
			                     (double)cell_i64(rowset_get(rows, r, "time"), 0) / 1e6,
			    .role = ROLE_WARN };
	return n;
}

/* The metric of the row under the cursor; otherwise those that tell most. */
static int
choose(const struct pane_ctx *ctx, const struct grid *g, struct arena *arena, const char **names,
    int most)
{
	static const char *const usual[] = { "CPUUtilization", "DBLoad", "DatabaseConnections",
		"FreeStorageSpace", "FreeableMemory", "ReadIOPS" };
	struct cloud_series s;
	int n = 0;

	if (ctx->cursor >= 0 && ctx->cursor < g->nrows) {
		const struct cell *c = g->rows[ctx->cursor].cells;

		if (cell_is(&c[CLOUD_C_KIND], "metric"))
			names[n++] = arena_strndup(arena, c[CLOUD_C_NAME].s, c[CLOUD_C_NAME].len);
	}
	for (size_t i = 0; i < ARRAY_LEN(usual) && n < most; i++) {
		cloud_series_read(&s, arena, ctx->snap, usual[i], 0);
		if (s.known && (n == 0 || strcmp(names[0], usual[i]) != 0))
			names[n++] = usual[i];
	}
	return n;
}

static void
draw_one(const struct pane_ctx *ctx, struct arena *arena, struct draw *d, const char *name)
{
	struct chart_mark marks[MAX_MARKS];
	double to = cloud_now(ctx->snap);
	struct cloud_unit unit = cloud_unit_of(name);
	struct cloud_series s;
	struct chart_series line = { .role = ROLE_INFO, .letter = '*' };
	struct chart chart = { .series = &line,
		.nseries = 1,
		.marks = marks,
		.x_min = to - cloud_window(ctx),
		.x_max = to,
		.y_min = NAN,
		.y_max = NAN,
		.kind = unit.kind };
	int x;

	cloud_series_read(&s, arena, ctx->snap, name, chart.x_min);
	chart.nmarks = marks_of(ctx, marks);
	line.points = s.points;
	line.n = s.n;
	for (int i = 0; unit.kind == COL_MS && i < s.n; i++)
		s.points[i].y *= 1000;
	x = draw_printf(d, 0, 0, ROLE_STRONG, "%s", name);
	x += draw_printf(d, 0, x, ROLE_NORMAL, " %s", cloud_value(arena, &unit, s.last));
	if (to - (double)s.last_us / 1e6 > 2.5 * s.step_s + 180)
		draw_printf(
		    d, 0, x, ROLE_STALE, "  %.0f min old", (to - (double)s.last_us / 1e6) / 60);
	chart_draw(&chart, d, 1, d->rows - 1);
}

/* The newest thing that happened, in one line. */
static void
draw_event(const struct pane_ctx *ctx, struct arena *arena, struct draw *d, int row)
{
	const struct rowset *rows = snapshot_rows(ctx->snap, PROBE_CLOUD_EVENTS);
	struct strbuf text = STRBUF_INIT(1024);
	const struct cell *message;
	char at[16];
	int x;

	if (!rows || !rows->nrows)
		return;
	message = rowset_get(rows, rows->nrows - 1, "message");
	if (message->type == CELL_TEXT)
		utf8_clean(&text, message->s, message->len, true);
	x = draw_printf(d, row, 0, ROLE_WARN, ": %s ",
	    wall_hms((struct wall){ cell_i64(rowset_get(rows, rows->nrows - 1, "time"), 0) }, at,
	        sizeof(at)));
	draw_text(d, row, x, ROLE_NORMAL, arena_strdup(arena, text.buf));
	strbuf_release(&text);
}

void
cloud_head(const struct pane_ctx *ctx, const struct grid *grid, struct draw *draw)
{
	const struct rowset *rows = snapshot_rows(ctx->snap, PROBE_CLOUD);
	const char *names[MAX_CHARTS];
	struct arena arena = { 0 };
	int height = draw->rows - FACT_LINES - 1, most = draw->cols / CHART_COLS, n;

	if (!rows || !rows->nrows)
		return;
	identity_line(draw, &arena, rows);
	storage_line(draw, &arena, rows);
	upkeep_line(draw, &arena, rows, snapshot_rows(ctx->snap, PROBE_CLOUD_COST));
	if (height >= MIN_CHART) {
		most = most < 1 ? 1 : most > MAX_CHARTS ? MAX_CHARTS : most;
		n = choose(ctx, grid, &arena, names, most);
		for (int i = 0; i < n; i++) {
			int width = draw->cols / n;
			struct draw part = { draw->y + FACT_LINES, draw->x + i * width, height,
				i == n - 1 ? draw->cols - i * width : width - 1 };

			draw_one(ctx, &arena, &part, names[i]);
		}
		draw_event(ctx, &arena, draw, draw->rows - 1);
	}
	arena_release(&arena);
}
