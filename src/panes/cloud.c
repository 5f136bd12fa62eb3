/*
 * Cloud: what AWS knows of the target. Facts of the instance in the summary and above the table;
 * the table has CloudWatch's metrics, alarms, the instances beside it, and what RDS says has
 * happened, one kind of row each. All of it comes from the samples of collect/cloud.c.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fmt.h"
#include "panes/cloud_priv.h"
#include "panes/cloud_series.h"

/* As wide as 80 columns have room for: of a longer line the newest end would be cut. */
enum { SPARK = 28, EXPIRES_DAYS = 60 };
enum { MODE_ALL, MODE_METRICS, MODE_INSTANCES, MODE_ALARMS, MODE_EVENTS, MODE_OS, MODE_FACTS };

#define DAY_US (INT64_C(86400) * 1000000)

static const struct column columns[CLOUD_C_COUNT] = {
	[CLOUD_C_KIND] = { "kind", "KIND", COL_TEXT, 8, COL_KEY | COL_HIDDEN,
	    "metric, alarm, instance, event, os, process or fact" },
	[CLOUD_C_NAME] = { "name", "NAME", COL_TEXT, 24, COL_KEY | COL_FIXED,
	    "of the metric, alarm, instance or fact; of an event its category" },
	[CLOUD_C_NOW] = { "now", "NOW", COL_TEXT, 8, COL_NOJSON,
	    "the newest value of a metric; state of an alarm, role of an instance, time of an event" },
	[CLOUD_C_RANGE] = { "range", "LEAST..MOST", COL_TEXT, 13, COL_NOJSON,
	    "least and greatest value of the window" },
	[CLOUD_C_TREND] = { "trend", "TREND", COL_QUERY, 20, COL_NOJSON,
	    "metrics: the window as a line; else what there is to say" },
	[CLOUD_C_VALUE] = { "value", "VALUE", COL_FLOAT, 9, COL_HIDDEN,
	    "newest value of a metric, threshold of an alarm, in base units" },
	[CLOUD_C_UNIT] = { "unit", "UNIT", COL_TEXT, 8, COL_HIDDEN,
	    "pct, bytes, bytes_per_s, s, per_s or count" },
	[CLOUD_C_MIN] = { "min", "MIN", COL_FLOAT, 9, COL_HIDDEN, "least of the window" },
	[CLOUD_C_AVG] = { "avg", "AVG", COL_FLOAT, 9, COL_HIDDEN, "mean of the window" },
	[CLOUD_C_MAX] = { "max", "MAX", COL_FLOAT, 9, COL_HIDDEN, "greatest of the window" },
	[CLOUD_C_TIME] = { "time", "TIME", COL_TIME, 9, COL_KEY | COL_HIDDEN,
	    "of the newest value, the event, the alarm's change" },
	[CLOUD_C_STATE] = { "state", "STATE", COL_TEXT, 10, COL_HIDDEN,
	    "of an alarm or an instance, as AWS says it" },
	[CLOUD_C_SOURCE] = { "source", "SOURCE", COL_TEXT, 12, COL_KEY | COL_HIDDEN,
	    "instance or cluster that it is about" },
	[CLOUD_C_TEXT] = { "text", "TEXT", COL_TEXT, 12, COL_HIDDEN,
	    "of an event; threshold and reason of an alarm; class, status and zone of an instance; value of a fact" },
};

static const enum probe_id probes[] = { PROBE_CLOUD, PROBE_CLOUD_METRICS, PROBE_CLOUD_EVENTS,
	PROBE_CLOUD_ALARMS, PROBE_CLOUD_OS, PROBE_CLOUD_COST };

static const struct pane_mode modes[] = {
	[MODE_ALL] = { "all", "metrics, alarms, instances and events" },
	[MODE_METRICS] = { "metrics", "CloudWatch's metrics" },
	[MODE_INSTANCES] = { "instances", "the instance, its cluster, source and replicas" },
	[MODE_ALARMS] = { "alarms", "CloudWatch's alarms" },
	[MODE_EVENTS] = { "events", "what RDS says has happened" },
	[MODE_OS] = { "os", "Enhanced Monitoring: CPU, memory, disks and processes" },
	[MODE_FACTS] = { "facts", "all that is known of the instance" },
	{ NULL, NULL },
};

int
cloud_window(const struct pane_ctx *ctx)
{
	int s = ctx->opts ? ctx->opts->window_s : 0;

	return s > 0 && s < CLOUD_WINDOW_S ? s : CLOUD_WINDOW_S;
}

static bool
shows(const struct pane_ctx *ctx, int mode)
{
	int chosen = ctx->opts ? ctx->opts->mode : MODE_ALL;

	return chosen == mode || (chosen == MODE_ALL && mode != MODE_FACTS && mode != MODE_OS);
}

/* The last good answer of a part, and what is to be said of it. */
static const struct rowset *
part(const struct pane_ctx *ctx, struct grid *grid, enum probe_id probe)
{
	const struct rowset *good = snapshot_rows(ctx->snap, probe);

	if (!ctx->snap->cur[probe]) {
		grid_notef(
		    grid, "no_data", "", "%s: AWS was not heard yet", probe_infos[probe].text);
		return good;
	}
	/* Without credentials all parts say the same: once is enough. */
	if (!good && probe != PROBE_CLOUD && ctx->snap->cur[PROBE_CLOUD] &&
	    ctx->snap->cur[probe]->state != SAMPLE_OK &&
	    strcmp(ctx->snap->cur[probe]->what, ctx->snap->cur[PROBE_CLOUD]->what) == 0)
		return NULL;
	/* What was told before it was denied is shown, with its age in the note. */
	if (good && ctx->snap->cur[probe]->state == SAMPLE_DENIED) {
		grid_notef(grid, "stale", ctx->snap->cur[probe]->hint,
		    "%s: %s; shown as of %.0f s ago", probe_infos[probe].text,
		    ctx->snap->cur[probe]->what,
		    (double)mono_since_ms(ctx->now, ctx->snap->good[probe]->at) / 1000);
		return good;
	}
	return pane_rows(ctx, grid, probe);
}

/* ---- rows */

struct cell *
cloud_row(struct grid *g, const char *kind, const struct cell *name)
{
	struct cell *c = grid_add(g)->cells;

	c[CLOUD_C_KIND] = cell_text(kind);
	c[CLOUD_C_NAME] = *name;
	return c;
}

static struct cell
number(double v)
{
	return isnan(v) ? cell_null(WHY_NODATA) : cell_float(v);
}

static void
add_metric(const struct pane_ctx *ctx, struct grid *g, const char *name)
{
	double to = cloud_now(ctx->snap), from = to - cloud_window(ctx);
	const struct cell text = cell_text(name);
	struct cloud_unit unit = cloud_unit_of(name);
	struct cloud_series s;

	cloud_series_read(&s, &g->arena, ctx->snap, name, from);
	if (!s.known)
		return;
	struct cell *c = cloud_row(g, "metric", &text);

	c[CLOUD_C_NOW] = cell_text(cloud_value(&g->arena, &unit, s.last));
	c[CLOUD_C_RANGE] = cell_text(arena_printf(&g->arena, "%s..%s",
	    cloud_value(&g->arena, &unit, s.min), cloud_value(&g->arena, &unit, s.max)));
	c[CLOUD_C_TREND] = cell_text(cloud_spark(&g->arena, &s, from, to, SPARK));
	c[CLOUD_C_VALUE] = number(s.last);
	c[CLOUD_C_UNIT] = cell_text(unit.unit);
	c[CLOUD_C_MIN] = number(s.min);
	c[CLOUD_C_AVG] = number(s.sum / s.known);
	c[CLOUD_C_MAX] = number(s.max);
	c[CLOUD_C_TIME] = cell_time(s.last_us);
}

static void
text_of(struct strbuf *out, const struct cell *c, const char *label)
{
	if (c->type == CELL_TEXT && c->len)
		strbuf_addf(out, "%s%s%.*s", out->len ? ", " : "", label, (int)c->len, c->s);
}

/* A note for each status of the series that CloudWatch did not tell whole, with their names. */
static void
add_untold(const struct pane_ctx *ctx, struct grid *g)
{
	static const struct {
		const char *status, *code, *text, *hint;
	} known[] = {
		{ "Forbidden", "denied", "CloudWatch does not allow to read",
		    "The policies of `pgmedic help policy` do." },
		{ "InternalError", "trouble", "CloudWatch failed within itself for", "" },
		{ "PartialData", "partial", "CloudWatch told only some of the points of", "" },
		{ "", "trouble", "CloudWatch did not tell, as it says with its answer:", "" },
	};
	const struct rowset *rows = snapshot_rows(ctx->snap, PROBE_CLOUD_UNTOLD);

	for (size_t k = 0; rows && k < ARRAY_LEN(known); k++) {
		struct strbuf names = STRBUF_INIT(2048);

		for (int r = 0; r < rows->nrows; r++) {
			const struct cell *metric = rowset_get(rows, r, "metric"),
			                  *status = rowset_get(rows, r, "status");
			size_t as = 0;

			while (as < ARRAY_LEN(known) - 1 && !cell_is(status, known[as].status))
				as++;
			if (as != k)
				continue;
			text_of(&names, metric, "");
			if (as == ARRAY_LEN(known) - 1)
				text_of(&names, status, "");
		}
		if (names.len)
			grid_notef(
			    g, known[k].code, known[k].hint, "%s %s", known[k].text, names.buf);
		strbuf_release(&names);
	}
}

static void
add_metrics(const struct pane_ctx *ctx, struct grid *g)
{
	int n;
	const char *const *names = cloud_metric_names(&g->arena, ctx->snap, &n);
	int before = g->nrows;

	(void)part(ctx, g, PROBE_CLOUD_METRICS);
	add_untold(ctx, g);
	for (int i = 0; i < n; i++)
		add_metric(ctx, g, names[i]);
	if (g->nrows == before && snapshot_rows(ctx->snap, PROBE_CLOUD_METRICS))
		grid_note(g, "no_data", "CloudWatch has no metrics of this instance",
		    "A new instance has its first ones after some minutes.");
}

static const char *
comparison(const struct cell *c)
{
	return cell_is(c, "GreaterThanThreshold")       ? ">" :
	    cell_is(c, "GreaterThanOrEqualToThreshold") ? ">=" :
	    cell_is(c, "LessThanThreshold")             ? "<" :
	    cell_is(c, "LessThanOrEqualToThreshold")    ? "<=" :
	                                                  "outside of";
}

static void
add_alarm(struct grid *g, const struct rowset *rows, int r)
{
	struct cell *c = cloud_row(g, "alarm", rowset_get(rows, r, "name"));
	const struct cell *state = rowset_get(rows, r, "state"),
	                  *metric = rowset_get(rows, r, "metric"),
	                  *reason = rowset_get(rows, r, "reason"),
	                  *notifies = rowset_get(rows, r, "notifies");
	double threshold = cell_num(rowset_get(rows, r, "threshold"), NAN);
	const struct cell *rule = rowset_get(rows, r, "rule");
	const char *name = metric->type == CELL_TEXT ? metric->s : "an expression";
	struct cloud_unit unit = cloud_unit_of(name);
	const char *condition = rule->type == CELL_TEXT ?
	    rule->s :
	    arena_printf(&g->arena, "%s %s %s", name, comparison(rowset_get(rows, r, "comparison")),
	        cloud_value(&g->arena, &unit, threshold * unit.factor));

	c[CLOUD_C_STATE] = *state;
	c[CLOUD_C_NOW] = cell_is(state, "INSUFFICIENT_DATA") ? cell_text("no data") : *state;
	c[CLOUD_C_NOW].role = cell_is(state, "ALARM") ? ROLE_CRIT :
	    cell_is(state, "OK")                      ? ROLE_OK :
	                                                ROLE_DIM;
	c[CLOUD_C_TEXT] = cell_text(arena_printf(&g->arena, "%s%s: %.*s", condition,
	    cell_i64(notifies, 1) ? "" : " (tells nobody)",
	    reason->type == CELL_TEXT ? (int)reason->len : 0,
	    reason->type == CELL_TEXT ? reason->s : ""));
	c[CLOUD_C_TREND] = c[CLOUD_C_TEXT];
	c[CLOUD_C_VALUE] = number(threshold);
	c[CLOUD_C_TIME] = *rowset_get(rows, r, "changed");
	c[CLOUD_C_SOURCE] = *rowset_get(rows, r, "instance");
}

/* Those in alarm first. A row without a name says that the list is not whole. */
static void
add_alarms(const struct pane_ctx *ctx, struct grid *g)
{
	const struct rowset *rows = part(ctx, g, PROBE_CLOUD_ALARMS);
	int ringing = 0, n = 0;

	for (int pass = 0; pass < 2; pass++)
		for (int r = 0; rows && r < rows->nrows; r++) {
			const struct cell *reason = rowset_get(rows, r, "reason");

			if (cell_is(rowset_get(rows, r, "state"), "ALARM") != (pass == 0))
				continue;
			if (rowset_get(rows, r, "name")->type != CELL_TEXT) {
				grid_notef(g, "partial", "", "alarms: %s",
				    reason->type == CELL_TEXT ? reason->s : "not all");
				continue;
			}
			add_alarm(g, rows, r);
			ringing += pass == 0;
			n++;
		}
	if (rows) {
		grid_fact(g, "alarms", COL_COUNT, cell_int(n));
		grid_fact(g, "alarms_ringing", COL_COUNT, cell_int(ringing));
	}
	if (rows && !rows->nrows && snapshot_rows(ctx->snap, PROBE_CLOUD))
		grid_note(g, "info", "no CloudWatch alarm watches this instance",
		    "`alarm put` makes the usual ones.");
}

static void
add_instance(struct grid *g, const struct rowset *rows, int r)
{
	struct cell *c = cloud_row(g, "instance", rowset_get(rows, r, "id"));
	struct strbuf text = STRBUF_INIT(1024);

	text_of(&text, rowset_get(rows, r, "class"), "");
	text_of(&text, rowset_get(rows, r, "status"), "");
	text_of(&text, rowset_get(rows, r, "zone"), "");
	text_of(&text, rowset_get(rows, r, "source"), "replica of ");
	text_of(&text, rowset_get(rows, r, "cluster"), "in cluster ");
	c[CLOUD_C_NOW] = *rowset_get(rows, r, "role");
	c[CLOUD_C_TREND] = c[CLOUD_C_TEXT] = cell_text(arena_strdup(&g->arena, text.buf));
	c[CLOUD_C_STATE] = *rowset_get(rows, r, "status");
	c[CLOUD_C_SOURCE] = *rowset_get(rows, r, "cluster");
	if (!cell_is(&c[CLOUD_C_STATE], "available"))
		c[CLOUD_C_NAME].role = ROLE_WARN;
	strbuf_release(&text);
}

/* Newest first. */
static void
add_events(const struct pane_ctx *ctx, struct grid *g)
{
	const struct rowset *rows = part(ctx, g, PROBE_CLOUD_EVENTS);
	char at[16];

	for (int r = rows ? rows->nrows - 1 : -1; r >= 0; r--) {
		const struct cell *time = rowset_get(rows, r, "time"),
		                  *category = rowset_get(rows, r, "category");
		const struct cell plain = cell_text("event");
		struct cell *c =
		    cloud_row(g, "event", category->type == CELL_TEXT ? category : &plain);

		c[CLOUD_C_NOW] = cell_text(arena_strdup(
		    &g->arena, wall_hms((struct wall){ cell_i64(time, 0) }, at, sizeof(at))));
		c[CLOUD_C_TREND] = c[CLOUD_C_TEXT] = *rowset_get(rows, r, "message");
		c[CLOUD_C_TIME] = *time;
		c[CLOUD_C_SOURCE] = *rowset_get(rows, r, "source");
	}
}

/* ---- facts */

/* Columns of PROBE_CLOUD in the order of the summary; what is not here is said as text. */
static enum column_kind
kind_of(const char *name)
{
	static const struct {
		const char *name;
		enum column_kind kind;
	} kinds[] = { { "storage_bytes", COL_BYTES }, { "storage_max_bytes", COL_BYTES },
		{ "memory_bytes", COL_BYTES }, { "throughput_bytes_per_s", COL_BYTES } };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return kinds[i].kind;
	return COL_TEXT;
}

static enum column_kind
kind_of_type(const char *name, uint8_t type)
{
	return kind_of(name) != COL_TEXT ? kind_of(name) :
	    type == CELL_INT             ? COL_INT :
	    type == CELL_FLOAT           ? COL_FLOAT :
	    type == CELL_BOOL            ? COL_BOOL :
	    type == CELL_TIME            ? COL_TIME :
	                                   COL_TEXT;
}

static void
add_facts(struct grid *g, const struct rowset *rows, bool as_rows)
{
	for (int i = 0; rows && rows->nrows && i < rows->ncols; i++) {
		const struct cell *v = rowset_cell(rows, 0, i), name = cell_text(rows->names[i]);
		enum column_kind kind = kind_of_type(rows->names[i], rows->types[i]);
		struct strbuf text = STRBUF_INIT(4096);

		if (!as_rows) {
			grid_fact(g, rows->names[i], kind, *v);
			continue;
		}
		struct cell *c = cloud_row(g, "fact", &name);

		grid_cell_text(&text, kind, v);
		c[CLOUD_C_TREND] = c[CLOUD_C_TEXT] = cell_text(arena_strdup(&g->arena, text.buf));
		if (v->type == CELL_INT || v->type == CELL_FLOAT)
			c[CLOUD_C_VALUE] = cell_float(cell_num(v, 0));
		strbuf_release(&text);
	}
}

static void
add_cost(struct grid *g, const struct rowset *rows)
{
	static const char *const names[] = { "targets", "rds_calls_per_s", "metrics_per_month",
		"usd_per_month", "rds_calls", "cloudwatch_calls", "insights_calls", "throttled",
		"metrics", "credentials", NULL };

	for (int i = 0; rows && rows->nrows && names[i]; i++) {
		const struct cell *c = rowset_get(rows, 0, names[i]);

		grid_fact(g, names[i], kind_of_type(names[i], c->type), *c);
	}
}

/* What somebody should look at. */
static void
add_warnings(const struct pane_ctx *ctx, struct grid *g, const struct rowset *rows)
{
	const struct cell *pending = rowset_get(rows, 0, "pending"),
	                  *state = rowset_get(rows, 0, "parameter_state"),
	                  *until = rowset_get(rows, 0, "certificate_until"),
	                  *custom = rowset_get(rows, 0, "custom_endpoint");
	const struct sample *s = ctx->snap->good[PROBE_CLOUD];
	char days[32];

	if (custom->type == CELL_TEXT)
		grid_notef(
		    g, "info", "", "not AWS: custom endpoint %.*s", (int)custom->len, custom->s);
	if (pending->type == CELL_TEXT)
		grid_notef(g, "pending", "At once: ApplyImmediately.",
		    "changes wait for the maintenance window: %.*s", (int)pending->len, pending->s);
	if (cell_is(state, "pending-reboot"))
		grid_note(g, "pending", "parameters of its group wait for a reboot", "");
	if (until->type != CELL_TIME || until->i - s->server_at.us > EXPIRES_DAYS * DAY_US)
		return;
	fmt_span(days, sizeof(days), (double)(until->i - s->server_at.us) / 1e6);
	if (until->i > s->server_at.us)
		grid_notef(g, "certificate", "Rotate to the newest certificate authority.",
		    "its certificate expires in %s", days);
	else
		grid_note(g, "certificate", "its certificate has expired",
		    "Rotate to the newest certificate authority.");
}

/* A note for each line. */
static void
add_lines(struct grid *g, const char *code, const struct cell *text)
{
	const char *s = text->type == CELL_TEXT ? text->s : "";

	while (*s) {
		size_t len = strcspn(s, "\n");

		if (len)
			grid_notef(g, code, "", "%.*s", (int)len, s);
		s += len + (s[len] == '\n');
	}
}

static void
add_troubles(const struct pane_ctx *ctx, struct grid *g)
{
	const struct rowset *rows = snapshot_rows(ctx->snap, PROBE_CLOUD_COST);
	const struct cell *trouble, *warnings, *behind;

	if (!rows || !rows->nrows)
		return;
	trouble = rowset_get(rows, 0, "trouble");
	warnings = rowset_get(rows, 0, "warnings");
	behind = rowset_get(rows, 0, "clock_behind_s");
	if (cell_i64(behind, 0))
		grid_notef(g, "clock", "Mend NTP.",
		    "this machine's clock is %lld s behind AWS: corrected for this session",
		    (long long)behind->i);
	else
		add_lines(g, "info", warnings);
	add_lines(g, "looked", rowset_get(rows, 0, "looked"));
	if (trouble->type == CELL_TEXT && strstr(trouble->s, "Describe"))
		grid_notef(g, "trouble", "", "%.*s", (int)trouble->len, trouble->s);
	add_cost(g, rows);
}

static void
cloud_fill(const struct pane_ctx *ctx, struct grid *g)
{
	const struct rowset *rows = part(ctx, g, PROBE_CLOUD);

	add_facts(g, rows, false);
	if (rows && rows->nrows)
		add_warnings(ctx, g, rows);
	if (ctx->snap->cur[PROBE_CLOUD] &&
	    ctx->snap->cur[PROBE_CLOUD]->state == SAMPLE_UNSUPPORTED && !rows)
		return;
	if (shows(ctx, MODE_ALARMS))
		add_alarms(ctx, g);
	if (shows(ctx, MODE_METRICS))
		add_metrics(ctx, g);
	for (int r = 0; rows && shows(ctx, MODE_INSTANCES) && r < rows->nrows; r++)
		add_instance(g, rows, r);
	if (shows(ctx, MODE_EVENTS))
		add_events(ctx, g);
	if (shows(ctx, MODE_OS))
		cloud_os_rows(g, part(ctx, g, PROBE_CLOUD_OS));
	if (shows(ctx, MODE_FACTS))
		add_facts(g, rows, true);
	add_troubles(ctx, g);
}

/* ---- detail */

static void
doc_cell(struct doc *doc, const char *label, enum column_kind kind, const struct cell *c)
{
	struct strbuf text = STRBUF_INIT(8192);

	if (cell_is_null(c))
		return;
	grid_cell_text(&text, kind, c);
	doc_pair(doc, label, ROLE_NORMAL, "%s", text.buf);
	strbuf_release(&text);
}

/* All columns of the row of a sample whose `key` is this. */
static void
doc_row(struct doc *doc, const struct rowset *rows, const char *key, const struct cell *value)
{
	int col = rows ? rowset_col(rows, key) : -1;

	for (int r = 0; col >= 0 && r < rows->nrows; r++) {
		if (!cell_equal(rowset_cell(rows, r, col), value))
			continue;
		for (int i = 0; i < rows->ncols; i++)
			doc_cell(doc, rows->names[i], kind_of_type(rows->names[i], rows->types[i]),
			    rowset_cell(rows, r, i));
		return;
	}
}

static void
doc_points(const struct pane_ctx *ctx, struct doc *doc, const char *name)
{
	double to = cloud_now(ctx->snap);
	struct cloud_unit unit = cloud_unit_of(name);
	struct arena arena = { 0 };
	struct cloud_series s;
	char at[16];

	cloud_series_read(&s, &arena, ctx->snap, name, to - cloud_window(ctx));
	doc_add(doc, ROLE_HEADER, "%s", name);
	for (int i = s.n - 1; i >= 0; i--)
		doc_pair(doc,
		    wall_hms((struct wall){ (int64_t)s.points[i].x * 1000000 }, at, sizeof(at)),
		    ROLE_NORMAL, "%s", cloud_value(&arena, &unit, s.points[i].y));
	arena_release(&arena);
}

static void
cloud_detail(const struct pane_ctx *ctx, const struct grid *grid, int row, struct doc *doc)
{
	const struct cell *c = grid->rows[row].cells;
	struct arena arena = { 0 };

	if (cell_is(&c[CLOUD_C_KIND], "metric")) {
		doc_points(ctx, doc, arena_strndup(&arena, c[CLOUD_C_NAME].s, c[CLOUD_C_NAME].len));
	} else if (cell_is(&c[CLOUD_C_KIND], "alarm")) {
		doc_row(
		    doc, snapshot_rows(ctx->snap, PROBE_CLOUD_ALARMS), "name", &c[CLOUD_C_NAME]);
	} else if (cell_is(&c[CLOUD_C_KIND], "instance")) {
		doc_row(doc, snapshot_rows(ctx->snap, PROBE_CLOUD), "id", &c[CLOUD_C_NAME]);
	} else {
		doc_cell(doc, "name", COL_TEXT, &c[CLOUD_C_NAME]);
		doc_cell(doc, "time", COL_TIME, &c[CLOUD_C_TIME]);
		doc_cell(doc, "source", COL_TEXT, &c[CLOUD_C_SOURCE]);
		doc_text(doc, ROLE_NORMAL, c[CLOUD_C_TEXT].s ? c[CLOUD_C_TEXT].s : "",
		    c[CLOUD_C_TEXT].type == CELL_TEXT ? c[CLOUD_C_TEXT].len : 0);
	}
	arena_release(&arena);
}

const struct pane pane_cloud = {
	.name = "cloud",
	.title = "Cloud",
	.help =
	    "RDS and Aurora: the instance as AWS knows it, CloudWatch's metrics over three hours with what happened meanwhile, "
	    "alarms, the other instances of its cluster and its replicas; and what asking for it costs.",
	.columns = columns,
	.ncolumns = CLOUD_C_COUNT,
	.probes = probes,
	.nprobes = ARRAY_LEN(probes),
	.is_cloud = true,
	.modes = modes,
	.fill = cloud_fill,
	.detail = cloud_detail,
	.head_rows = cloud_head_rows,
	.head = cloud_head,
};
