/*
 * Waits: database load of the last 15 minutes as average active sessions, by what sessions wait
 * for, who they are or what they run, with the mix of wait classes of each. It costs no query: each
 * refresh of the activity is a sample.
 */
#include "config.h"

#include "model/waits.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "base/lexer.h"
#include "model/load.h"
#include "panes/sessions.h"
#include "panes/waits_insights.h"
#include "tui/draw.h"

enum {
	C_WHAT,
	C_CLASS,
	C_EVENT,
	C_NAME,
	C_QUERY_ID,
	C_AAS,
	C_SHARE,
	C_BAR,
	C_NOW,
	C_TOP,
	C_CPU,
	C_IO,
	C_LOCK,
	C_LWLOCK,
	C_BUFFERPIN,
	C_CLIENT,
	C_IPC,
	C_TIMEOUT,
	C_ACTIVITY,
	C_EXTENSION,
	C_QUERY,
	C_COUNT
};
enum {
	BAR_WIDTH = 20,
	MAX_WINDOW_S = 900,
	PAST_WINDOW_S = 3 * 3600,
	AXIS_WIDTH = 5,
	MAX_COLUMNS = 512,
	MAX_GROUPS = 500
};

static const struct column columns[C_COUNT] = {
	[C_WHAT] = { "what", "WHAT", COL_TEXT, 18, COL_KEY | COL_FIXED | COL_NOJSON,
	    "wait event, statement, user, application, client or database, by the mode" },
	[C_CLASS] = { "class", "CLASS", COL_TEXT, 8, COL_HIDDEN,
	    "wait class; in other modes than event the one it spends most time in" },
	[C_EVENT] = { "event", "EVENT", COL_TEXT, 14, COL_HIDDEN,
	    "wait event, CPU for none; in other modes the one it spends most time in" },
	[C_NAME] = { "name", "NAME", COL_TEXT, 12, COL_HIDDEN,
	    "user, application, client or database" },
	[C_QUERY_ID] = { "query_id", "QUERY.ID", COL_INT, 20, COL_HIDDEN,
	    "statement, as in pg_stat_statements" },
	[C_AAS] = { "aas", "AAS", COL_FLOAT, 6, 0, "average active sessions" },
	[C_SHARE] = { "share_pct", "SHARE%", COL_PCT, 6, 0, "of all load in the window" },
	[C_BAR] = { "bar", "MIX", COL_TEXT, BAR_WIDTH, COL_NOJSON,
	    "load beside that of the first row, by the letters of the wait classes" },
	[C_NOW] = { "sessions", "NOW", COL_INT, 3, 0,
	    "sessions of which that is true at this moment" },
	[C_TOP] = { "top", "MOSTLY", COL_TEXT, 12, COL_NOJSON, "what it waits for most" },
	[C_CPU] = { "cpu_aas", "CPU", COL_FLOAT, 5, COL_HIDDEN, "AAS on CPU" },
	[C_IO] = { "io_aas", "IO", COL_FLOAT, 5, COL_HIDDEN, "AAS in IO" },
	[C_LOCK] = { "lock_aas", "LOCK", COL_FLOAT, 5, COL_HIDDEN, "AAS in Lock" },
	[C_LWLOCK] = { "lwlock_aas", "LWLOCK", COL_FLOAT, 6, COL_HIDDEN, "AAS in LWLock" },
	[C_BUFFERPIN] = { "bufferpin_aas", "BUFPIN", COL_FLOAT, 6, COL_HIDDEN, "AAS in BufferPin" },
	[C_CLIENT] = { "client_aas", "CLIENT", COL_FLOAT, 6, COL_HIDDEN, "AAS in Client" },
	[C_IPC] = { "ipc_aas", "IPC", COL_FLOAT, 5, COL_HIDDEN, "AAS in IPC" },
	[C_TIMEOUT] = { "timeout_aas", "TIMEOUT", COL_FLOAT, 7, COL_HIDDEN, "AAS in Timeout" },
	[C_ACTIVITY] = { "activity_aas", "ACTIV", COL_FLOAT, 5, COL_HIDDEN, "AAS in Activity" },
	[C_EXTENSION] = { "extension_aas", "EXT", COL_FLOAT, 5, COL_HIDDEN, "AAS in Extension" },
	[C_QUERY] = { "query", "QUERY", COL_QUERY, 16, 0, "text of a statement" },
};

/* Names and texts come by themselves; what is named here `show` would wait for. */
static const enum probe_id probes[] = { PROBE_ACTIVITY, PROBE_CLOUD_LOAD };

/* In the order of enum waits_by. */
static const struct pane_mode modes[] = {
	{ "event", "by wait event" },
	{ "statement", "by statement" },
	{ "user", "by user" },
	{ "application", "by application" },
	{ "client", "by client" },
	{ "database", "by database" },
	{ NULL, NULL },
};

struct filling {
	const struct pane_ctx *ctx;
	struct grid *grid;
	struct sessions s;
	enum waits_by by;
	struct waits w;
	struct waits_past past; /* what Performance Insights knows of the time before */
};

static double
window(const struct pane_ctx *ctx)
{
	int s = ctx->opts ? ctx->opts->window_s : 0;
	/* Our own samples go back for so long; with Performance Insights it is hours. */
	int most = snapshot_rows(ctx->snap, PROBE_CLOUD_LOAD_PAST) ? PAST_WINDOW_S : MAX_WINDOW_S;

	return s <= 0 ? MAX_WINDOW_S : s < most ? s : most;
}

static enum waits_by
mode(const struct pane_ctx *ctx)
{
	int m = ctx->opts ? ctx->opts->mode : 0;

	return m > 0 && m < WAITS_CLASS ? (enum waits_by)m : WAITS_EVENT;
}

/* "user:bob", "class:IO", "event:DataFileRead"; "IO" and "DataFileRead" alone; a statement by its
 * id. */
static struct waits_only
restriction(const struct pane_ctx *ctx)
{
	struct waits_only only = { .is_set = true, .by = WAITS_EVENT };
	const char *drill = ctx->opts ? ctx->opts->drill : "", *colon = strchr(drill, ':');

	if (ctx->opts && ctx->opts->drill_id) {
		only.by = WAITS_STATEMENT;
		only.query_id = ctx->opts->drill_id;
		return only;
	}
	only.text = drill;
	only.is_set = *drill != '\0';
	for (int i = 0; colon && i < WAITS_BY_COUNT; i++) {
		size_t len = strlen(waits_by_names[i]);
		if (len != (size_t)(colon - drill) || strncmp(drill, waits_by_names[i], len) != 0)
			continue;
		only.by = (enum waits_by)i;
		only.text = colon + 1;
		if (i == WAITS_STATEMENT)
			only.query_id = strtoll(colon + 1, NULL, 10);
		return only;
	}
	for (int i = 0; i < WAIT_CLASS_COUNT; i++)
		if (strcmp(drill, wait_class_infos[i].name) == 0)
			only.by = WAITS_CLASS;
	return only;
}

/* ------------------------------------------------------------------ sessions of a group */

static bool
is_text(const struct cell *c, const char *s)
{
	return c && c->type == CELL_TEXT ? cell_is(c, s) : !*s;
}

/* Is this what the session does right now? */
static bool
is_member(const struct sessions *s, enum waits_by by, const struct waits_group *g,
    const struct session *session)
{
	const struct activity *a = &s->activity;

	if (session->is_own || session->is_quiet ||
	    (session->state != SESSION_ACTIVE && session->state != SESSION_FASTPATH))
		return false;
	switch (by) {
	case WAITS_EVENT:
		return wait_class_of(activity_cell(a, session, ACT_WAIT_TYPE)) == g->class &&
		    (g->class == WAIT_CPU ||
		        is_text(activity_cell(a, session, ACT_WAIT_EVENT), g->event));
	case WAITS_STATEMENT:
		return cell_i64(activity_cell(a, session, ACT_QUERY_ID), 0) == g->query_id;
	case WAITS_USER:
		return is_text(session->user, g->name);
	case WAITS_APPLICATION:
		return is_text(activity_cell(a, session, ACT_APPLICATION), g->name);
	case WAITS_CLIENT:
		return is_text(activity_cell(a, session, ACT_CLIENT), g->name);
	case WAITS_DATABASE:
		return is_text(session->database, g->name);
	case WAITS_CLASS:
		return wait_class_of(activity_cell(a, session, ACT_WAIT_TYPE)) == g->class;
	case WAITS_BY_COUNT:
		break;
	}
	return false;
}

/* ------------------------------------------------------------------ rows */

static const char *
event_text(const struct waits_group *g, struct arena *arena)
{
	const char *class = wait_class_infos[g->class].name;

	return *g->event && g->class != WAIT_CPU ? arena_printf(arena, "%s:%s", class, g->event) :
	                                           class;
}

/* Letters of the classes, as many as their part of the bar; each ends where the sum so far ends. */
static const char *
bar(const struct waits_group *g, double most, struct arena *arena)
{
	char *out = arena_zalloc(arena, BAR_WIDTH + 1, 1);
	double sum = 0;
	int n = 0;

	for (int c = 0; c < WAIT_CLASS_COUNT; c++) {
		sum += g->by_class[c];
		while (n < BAR_WIDTH && n < (int)(sum / most * BAR_WIDTH + 0.5))
			out[n++] = wait_class_infos[c].letter;
	}
	return out;
}

static struct cell
statement_text(const struct filling *f, int64_t query_id)
{
	const struct activity *a = &f->s.activity;
	int64_t len;
	struct cell text = stmt_text(&f->s.cache->texts, f->ctx->snap, query_id, &len);

	for (int i = 0; text.type != CELL_TEXT && i < a->n; i++)
		if (query_id &&
		    cell_i64(activity_cell(a, &a->sessions[i], ACT_QUERY_ID), 0) == query_id)
			text = activity_query(a, &a->sessions[i]);
	return text;
}

static void
name_cells(const struct filling *f, const struct waits_group *g, struct cell *c)
{
	struct arena *arena = &f->grid->arena;

	if (f->by == WAITS_EVENT) {
		c[C_WHAT] = cell_text(event_text(g, arena));
		c[C_TOP] = cell_text("");
		return;
	}
	c[C_TOP] = cell_text(event_text(g, arena));
	c[C_TOP].role = wait_class_infos[g->class].role;
	if (f->by != WAITS_STATEMENT) {
		c[C_NAME] = cell_text(g->name);
		c[C_WHAT] = cell_text(*g->name ? g->name : "(none)");
		return;
	}
	c[C_QUERY_ID] = cell_int(g->query_id);
	c[C_QUERY] = statement_text(f, g->query_id);
	c[C_WHAT] = cell_text(
	    g->query_id ? arena_printf(arena, "%lld", (long long)g->query_id) : "(no query id)");
	if (!g->query_id)
		c[C_QUERY_ID] = c[C_QUERY] = cell_null(WHY_NONE);
}

static void
add_row(struct filling *f, const struct waits_group *g)
{
	struct grid_row *row = grid_add(f->grid);
	struct cell *c = row->cells;
	int now = 0;

	row->aux = (uint32_t)(g - f->w.groups);
	name_cells(f, g, c);
	c[C_CLASS] = cell_text(wait_class_infos[g->class].name);
	if (*g->event)
		c[C_EVENT] = cell_text(g->event);
	c[C_AAS] = cell_float(g->aas);
	c[C_SHARE] = cell_float(f->w.aas > 0 ? 100 * g->aas / f->w.aas : 0);
	c[C_BAR] = cell_text(bar(g, f->w.groups[0].aas, &f->grid->arena));
	c[C_BAR].role = wait_class_infos[g->class].role;
	for (int i = 0; i < f->s.activity.n; i++)
		now += is_member(&f->s, f->by, g, &f->s.activity.sessions[i]);
	c[C_NOW] = cell_int(now);
	for (int i = 0; i < WAIT_CLASS_COUNT; i++)
		c[C_CPU + i] = cell_float(g->by_class[i]);
}

static void
add_notes(const struct filling *f, const struct waits_only *only)
{
	const struct snapshot *snap = f->ctx->snap;

	if (!f->w.ticks && !f->past.n)
		grid_note(f->grid, "no_data", "no sample yet: load needs a refresh or two", "");
	if (only->is_set && only->by == WAITS_STATEMENT)
		grid_notef(
		    f->grid, "info", "", "only load of statement %lld", (long long)only->query_id);
	else if (only->is_set)
		grid_notef(f->grid, "info", "", "only load of %s %s", waits_by_names[only->by],
		    only->text);
	if (f->by == WAITS_STATEMENT && f->w.n == 1 && !f->w.groups[0].query_id)
		grid_note(f->grid, "unsupported", "the server tells no query ids",
		    snap->server.version_num && snap->server.version_num < 140000 ?
		        "They come with PostgreSQL 14." :
		        "compute_query_id = on, or pg_stat_statements in shared_preload_libraries");
}

static void
waits_fill(const struct pane_ctx *ctx, struct grid *grid)
{
	struct filling f = { .ctx = ctx, .grid = grid, .by = mode(ctx) };
	struct waits_only only = restriction(ctx);

	waits_past_read(&f.past, &grid->arena, ctx->snap, f.by, window(ctx), &only);
	if (!pane_rows(ctx, grid, PROBE_ACTIVITY) && !ctx->snap->series.n && !f.past.n) {
		waits_note_past(ctx, grid, &f.past, f.w.ticks);
		return;
	}
	sessions_init(&f.s, ctx, &grid->arena);
	stmt_texts_update(&f.s.cache->texts, ctx->snap);
	waits_build(&f.w, &grid->arena, &ctx->snap->series, f.by, window(ctx), &only);
	waits_past_join(&f.w, &grid->arena, &f.past);
	for (int i = 0; i < f.w.n && i < MAX_GROUPS; i++)
		add_row(&f, &f.w.groups[i]);
	grid_fact(grid, "mode", COL_TEXT, cell_text(modes[f.by].name));
	grid_fact(grid, "aas", COL_FLOAT,
	    f.s.activity.counts.denied_clients ? cell_null(WHY_DENIED) :
	        f.w.ticks || f.past.n          ? cell_float(f.w.aas) :
	                                         cell_null(WHY_NODATA));
	grid_fact(grid, "cpus", COL_COUNT,
	    waits_cpus(ctx->snap) ? cell_int(waits_cpus(ctx->snap)) : cell_null(WHY_NODATA));
	grid_fact(grid, "window_s", COL_SECONDS, cell_float(f.w.seconds));
	grid_fact(grid, "samples", COL_COUNT, cell_int(f.w.ticks));
	grid_fact(grid, "insights_s", COL_SECONDS, cell_float(f.past.seconds));
	waits_note_past(ctx, grid, &f.past, f.w.ticks);
	add_notes(&f, &only);
	sessions_note_denied(&f.s, grid);
	sessions_release(&f.s);
}

/* ------------------------------------------------------------------ drilling */

static void
add_word(struct strbuf *filter, const char *column, const struct cell *value)
{
	struct arena arena = { 0 };
	const char *word;

	if (value->type == CELL_INT)
		word = arena_printf(&arena, "%s=%lld", column, (long long)value->i);
	else if (value->type == CELL_TEXT && value->len)
		word = arena_printf(&arena, "%s=%.*s", column, (int)value->len, value->s);
	else
		return;
	strbuf_addf(filter, "%s%s", filter->len ? " " : "", lex_quote(&arena, word));
	arena_release(&arena);
}

/* Load is what is active; on CPU is what waits for nothing. */
static void
waits_sessions(const struct pane_ctx *ctx, const struct grid *grid, int row, struct strbuf *filter)
{
	const struct cell *c = grid->rows[row].cells;
	const struct cell active = cell_text("active"), cpu = cell_text("CPU");
	enum waits_by by = mode(ctx);

	add_word(filter, "state", &active);
	if (by == WAITS_STATEMENT) {
		add_word(filter, "query_id", &c[C_QUERY_ID]);
	} else if (by != WAITS_EVENT) {
		add_word(filter, waits_by_names[by], &c[C_NAME]);
	} else if (cell_is(&c[C_CLASS], wait_class_infos[WAIT_CPU].name)) {
		add_word(filter, "wait", &cpu);
	} else {
		/* Extension stands for other types of waits, too. */
		if (!cell_is(&c[C_CLASS], wait_class_infos[WAIT_EXTENSION].name))
			add_word(filter, "wait_type", &c[C_CLASS]);
		add_word(filter, "wait_event", &c[C_EVENT]);
	}
}

/* ------------------------------------------------------------------ detail */

static void
doc_parts(
    const struct pane_ctx *ctx, enum waits_by by, const struct waits_only *only, struct doc *doc)
{
	struct arena arena = { 0 };
	struct waits w;

	waits_build(&w, &arena, &ctx->snap->series, by, window(ctx), only);
	doc_add(doc, ROLE_HEADER, "By %s", waits_by_names[by]);
	for (int i = 0; i < w.n && i < 10; i++) {
		const struct waits_group *g = &w.groups[i];
		char name[32];
		snprintf(name, sizeof(name), "%lld", (long long)g->query_id);
		doc_pair(doc,
		    by == WAITS_EVENT         ? event_text(g, &arena) :
		        by == WAITS_STATEMENT ? name :
		                                g->name,
		    (enum role)wait_class_infos[g->class].role, "%6.2f AAS  %5.1f %%  %s", g->aas,
		    100 * g->aas / w.aas, bar(g, w.groups[0].aas, &arena));
	}
	arena_release(&arena);
}

static void
doc_sessions(
    const struct pane_ctx *ctx, enum waits_by by, const struct waits_group *g, struct doc *doc)
{
	struct arena arena = { 0 };
	struct sessions s;
	int n = 0;

	sessions_init(&s, ctx, &arena);
	doc_add(doc, ROLE_HEADER, "Sessions at this moment");
	for (int i = 0; i < s.activity.n && n < 50; i++) {
		const struct session *session = &s.activity.sessions[i];
		struct lock_node node = { .pid = session->pid, .session = i };
		struct strbuf line = STRBUF_INIT(1000);
		if (!is_member(&s, by, g, session))
			continue;
		n++;
		sessions_describe(&s, &node, &line);
		doc_text(doc, ROLE_NORMAL, line.buf, line.len);
		strbuf_release(&line);
	}
	if (!n)
		doc_add(doc, ROLE_DIM, "none");
	sessions_release(&s);
	arena_release(&arena);
}

static void
waits_detail(const struct pane_ctx *ctx, const struct grid *grid, int row, struct doc *doc)
{
	const struct cell *c = grid->rows[row].cells;
	enum waits_by by = mode(ctx);
	struct waits_group g = { .query_id = cell_i64(&c[C_QUERY_ID], 0), .event = "", .name = "" };
	struct waits_only only = { .is_set = true, .by = by, .query_id = g.query_id };

	for (int i = 0; i < WAIT_CLASS_COUNT; i++)
		if (cell_is(&c[C_CLASS], wait_class_infos[i].name))
			g.class = (enum wait_class)i;
	/* Texts of the series are terminated and live as long as the snapshot. */
	if (c[C_EVENT].type == CELL_TEXT)
		g.event = c[C_EVENT].s;
	if (c[C_NAME].type == CELL_TEXT)
		g.name = c[C_NAME].s;
	only.text = by == WAITS_EVENT ? g.event : g.name;
	if (by == WAITS_EVENT && g.class == WAIT_CPU) {
		only.by = WAITS_CLASS;
		only.text = wait_class_infos[g.class].name;
	}
	doc_pair(doc, waits_by_names[by], ROLE_STRONG, "%.*s", (int)c[C_WHAT].len, c[C_WHAT].s);
	doc_pair(doc, "load", ROLE_NORMAL, "%.2f average active sessions, %.1f %% of all",
	    c[C_AAS].f, c[C_SHARE].f);
	if (c[C_QUERY].type == CELL_TEXT)
		doc_text(doc, ROLE_NORMAL, c[C_QUERY].s, c[C_QUERY].len);
	static const enum waits_by others[] = { WAITS_EVENT, WAITS_STATEMENT, WAITS_USER,
		WAITS_APPLICATION, WAITS_CLIENT };
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		if (others[i] == by)
			continue;
		doc_add(doc, ROLE_NORMAL, "%s", "");
		doc_parts(ctx, others[i], &only, doc);
	}
	doc_add(doc, ROLE_NORMAL, "%s", "");
	doc_sessions(ctx, by, &g, doc);
}

/* ------------------------------------------------------------------ chart */

static int
waits_head_rows(const struct pane_ctx *ctx, int width, int height)
{
	(void)ctx;
	if (width < 40 || height < 16)
		return 0;
	return height >= 40 ? 14 : height >= 30 ? 10 : 7;
}

/* Which letter and colour is which class, and how much of it there is. */
static void
draw_legend(struct draw *d, const struct waits *w, int cpus)
{
	char buf[32];
	int x = draw_printf(d, 0, 0, ROLE_STRONG, "AAS %.2f", w->aas);

	if (cpus)
		x += draw_printf(d, 0, x, ROLE_DIM, " of %d CPUs", cpus);
	for (int c = 0; c < WAIT_CLASS_COUNT; c++) {
		if (w->by_class[c] <= 0)
			continue;
		snprintf(buf, sizeof(buf), "%.2f", w->by_class[c]);
		x += draw_printf(d, 0, x + 2, (enum role)wait_class_infos[c].role, "%c %s",
		         wait_class_infos[c].letter, wait_class_infos[c].name) +
		    2;
		x += draw_printf(d, 0, x, ROLE_NORMAL, " %s", buf);
	}
}

static void
waits_head(const struct pane_ctx *ctx, const struct grid *grid, struct draw *draw)
{
	unsigned char roles[WAIT_CLASS_COUNT];
	char letters[WAIT_CLASS_COUNT + 1] = "";
	struct waits_only only = restriction(ctx);
	struct arena arena = { 0 };
	struct waits w;
	struct waits_past past;
	int cpus = waits_cpus(ctx->snap), before, width, height = draw->rows - 1;
	int ncols = draw->cols - AXIS_WIDTH < MAX_COLUMNS ? draw->cols - AXIS_WIDTH : MAX_COLUMNS;
	double top;

	(void)grid;
	if (height < 2 || ncols < 10)
		return;
	for (int c = 0; c < WAIT_CLASS_COUNT; c++) {
		roles[c] = wait_class_infos[c].role;
		letters[c] = wait_class_infos[c].letter;
	}
	float *v = arena_alloc(&arena, (size_t)ncols * WAIT_CLASS_COUNT * sizeof(*v));
	waits_build(&w, &arena, &ctx->snap->series, WAITS_CLASS, window(ctx), &only);
	width = waits_chart(&ctx->snap->series, window(ctx), &only, ncols, v);
	waits_past_read(&past, &arena, ctx->snap, WAITS_CLASS, window(ctx), &only);
	waits_past_join(&w, &arena, &past);
	before = waits_past_chart(&past, width, ncols, v);
	draw_legend(draw, &w, cpus);
	top = draw_stack(draw, 1, AXIS_WIDTH, height, ncols, v, ncols, WAIT_CLASS_COUNT, roles,
	    letters, cpus ? cpus : NAN, 0);
	if (before > 0)
		waits_draw_past(draw, AXIS_WIDTH, height, before);
	draw_printf(draw, 1, 0, ROLE_DIM, "%4.4g", top);
	if (height >= 4)
		draw_printf(draw, 1 + height / 2, 0, ROLE_DIM, "%4.4g", top / 2);
	draw_printf(draw, height, 0, ROLE_DIM, "%4s", "0");
	arena_release(&arena);
}

const struct pane pane_waits = {
	.name = "waits",
	.title = "Waits",
	.help =
	    "Database load of the last 15 minutes: average active sessions by wait class and event, statement, user, "
	    "application, client, database, beside the number of CPUs. On RDS Performance Insights tells what was before "
	    "pgmedic was opened.",
	.columns = columns,
	.ncolumns = C_COUNT,
	.probes = probes,
	.nprobes = ARRAY_LEN(probes),
	.sort = "aas",
	.sort_descending = true,
	.needs_pair = true,
	.modes = modes,
	.fill = waits_fill,
	.detail = waits_detail,
	.sessions = waits_sessions,
	.head_rows = waits_head_rows,
	.head = waits_head,
	.cache_new = sessions_cache_new,
	.cache_free = sessions_cache_free,
};
