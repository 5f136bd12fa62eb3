/*
 * Alerts: what the rules found. Firing ones first, ranked by harm, symptoms below their cause; in
 * mode all also what is pending, what could not be judged, and what is well; in mode history what
 * was raised and cleared before. Values and thresholds are in base units, as in the JSON; the
 * screen shows them in the words of the finding.
 */
#include "config.h"

#include "panes/alerts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "tui/draw.h"

enum {
	C_ID,
	C_SEVERITY,
	C_SINCE,
	C_SHOWN,
	C_VALUE,
	C_THRESHOLD,
	C_WHAT,
	C_EVIDENCE,
	C_PANE,
	C_RUNBOOK,
	C_MUTED_UNTIL,
	C_COUNT
};
enum { MODE_FIRING, MODE_ALL, MODE_HISTORY };

static const struct column columns[C_COUNT] = {
	[C_ID] = { "id", "ALERT", COL_TEXT, 18, COL_KEY | COL_FIXED,
	    "the rule; a symptom is indented below its cause" },
	[C_SEVERITY] = { "severity", "SEVERITY", COL_TEXT, 8, 0,
	    "critical, warning, info; in mode all: pending, no data, ok, unused, off" },
	[C_SINCE] = { "since", "SINCE", COL_TIME, 9, COL_KEY,
	    "when the condition began, on the server's clock" },
	[C_SHOWN] = { "shown", "WHAT IS WRONG", COL_QUERY, 20, COL_NOJSON,
	    "the figure, and who or what is behind it" },
	[C_VALUE] = { "value", "VALUE", COL_FLOAT, 8, COL_HIDDEN,
	    "the figure in base units: bytes, seconds, counts, percent" },
	[C_THRESHOLD] = { "threshold", "THRESHOLD", COL_FLOAT, 8, COL_HIDDEN,
	    "the level that it has passed" },
	[C_WHAT] = { "what", "WHAT", COL_TEXT, 20, COL_HIDDEN, "the figure in words" },
	[C_EVIDENCE] = { "evidence", "EVIDENCE", COL_TEXT, 20, COL_HIDDEN,
	    "who or what is behind it" },
	[C_PANE] = { "pane", "PANE", COL_TEXT, 8, COL_HIDDEN, "where to look closer (key L)" },
	[C_RUNBOOK] = { "runbook", "RUNBOOK", COL_TEXT, 12, COL_HIDDEN,
	    "name of the procedure that helps" },
	[C_MUTED_UNTIL] = { "muted_until", "MUTED", COL_TIME, 9, COL_HIDDEN,
	    "until when it is muted" },
};

/* What the rules live on; asked faster while the pane is shown. */
static const enum probe_id probes[] = { PROBE_REPLICATION, PROBE_SLOTS, PROBE_RECEIVER,
	PROBE_CHECKPOINTS, PROBE_ARCHIVER, PROBE_POOL_POOLS, PROBE_POOL_DATABASES, PROBE_WRAPAROUND,
	PROBE_VACUUM_TABLES, PROBE_XMIN_HOLDERS, PROBE_SUBSCRIPTIONS, PROBE_HOST, PROBE_CAPACITY,
	PROBE_INT4_KEYS, PROBE_FLAWS, PROBE_BACKUP_HISTORY, PROBE_LOCKS, PROBE_NAMES };

static const struct pane_mode modes[] = {
	[MODE_FIRING] = { "firing", "what is wrong now" },
	[MODE_ALL] = { "all", "every rule: pending, without data, well, switched off" },
	[MODE_HISTORY] = { "history", "alerts of the past, newest first" },
	{ NULL, NULL },
};

enum role
severity_role(enum severity severity)
{
	static const enum role roles[] = { ROLE_NORMAL, ROLE_INFO, ROLE_WARN, ROLE_CRIT };
	return roles[severity];
}

static struct cell
number(double v)
{
	return isfinite(v) ? cell_float(v) : cell_null(WHY_NONE);
}

static struct cell
moment(struct wall t)
{
	return t.us ? cell_time(t.us) : cell_null(WHY_NONE);
}

const char *
finding_line(struct arena *arena, const struct finding *f, bool with_cause)
{
	const char *tie = with_cause && f->because != RULE_COUNT ?
	    arena_printf(arena, " (because of %s)", rules[f->because].id) :
	    "";
	const char *muted = f->muted_until.us ? " (muted)" : "";

	if (f->state == FINDING_NO_DATA || f->state == FINDING_UNUSED)
		return f->why;
	if (f->state == FINDING_OFF)
		return "switched off by the configuration";
	return arena_printf(
	    arena, "%s%s%s%s%s", f->what, tie, muted, *f->evidence ? "; " : "", f->evidence);
}

static void
add_finding(struct grid *g, const struct finding *f)
{
	const struct rule *rule = &rules[f->id];
	struct grid_row *row = grid_add(g);
	struct cell *c = row->cells;
	bool is_firing = f->state == FINDING_FIRING;

	c[C_ID] = cell_text(rule->id);
	c[C_SEVERITY] =
	    cell_text(is_firing ? severity_names[f->severity] : finding_state_names[f->state]);
	c[C_SINCE] = moment(f->since);
	c[C_SHOWN] = cell_text(finding_line(&g->arena, f, true));
	c[C_VALUE] = number(f->value);
	c[C_THRESHOLD] = number(f->threshold);
	c[C_WHAT] = cell_text(*f->what ? f->what : f->why);
	c[C_EVIDENCE] = cell_text(f->because == RULE_COUNT ?
	        f->evidence :
	        arena_printf(&g->arena, "because of %s%s%s", rules[f->because].id,
	            *f->evidence ? "; " : "", f->evidence));
	c[C_PANE] = cell_text(rule->pane);
	c[C_RUNBOOK] = cell_text(rule->runbook);
	c[C_MUTED_UNTIL] = moment(f->muted_until);
	row->depth = (uint8_t)f->depth;
	row->aux = (uint32_t)f->id;
	if (is_firing)
		c[C_ID].role = c[C_SEVERITY].role =
		    (uint8_t)(f->muted_until.us ? ROLE_DIM : severity_role(f->severity));
	else if (f->state != FINDING_PENDING)
		row->role = ROLE_DIM;
}

/* Names of the rules in a state, as a list. */
static struct cell
names_in_state(struct grid *g, enum finding_state state, const struct snapshot *s)
{
	struct strbuf out = STRBUF_INIT(4096);
	struct cell cell;

	strbuf_addc(&out, '[');
	for (int i = 0; i < s->nfindings; i++) {
		const char *id = rules[s->findings[i].id].id;
		if (s->findings[i].state != state)
			continue;
		if (out.len > 1)
			strbuf_addc(&out, ',');
		json_str(&out, id, strlen(id));
	}
	strbuf_addc(&out, ']');
	cell = cell_text(arena_strndup(&g->arena, out.buf, out.len));
	strbuf_release(&out);
	return cell;
}

static int
count_muted(const struct snapshot *s)
{
	int n = 0;

	for (int i = 0; i < s->nfindings; i++)
		n += s->findings[i].state == FINDING_FIRING && s->findings[i].muted_until.us;
	return n;
}

void
finding_facts(const struct snapshot *s, struct grid *g)
{
	grid_fact(g, "critical", COL_COUNT, cell_int(findings_count(s, SEVERITY_CRITICAL)));
	grid_fact(g, "warning", COL_COUNT, cell_int(findings_count(s, SEVERITY_WARNING)));
	grid_fact(g, "info", COL_COUNT, cell_int(findings_count(s, SEVERITY_INFO)));
	grid_fact(g, "muted", COL_COUNT, cell_int(count_muted(s)));
	grid_fact(g, "pending", COL_TEXTS, names_in_state(g, FINDING_PENDING, s));
	grid_fact(g, "no_data", COL_TEXTS, names_in_state(g, FINDING_NO_DATA, s));
}

const char *
finding_none(struct arena *arena, const struct snapshot *s)
{
	int blind = 0, pending = 0, judged = 0;

	for (int i = 0; i < s->nfindings; i++) {
		enum finding_state state = s->findings[i].state;
		blind += state == FINDING_NO_DATA;
		pending += state == FINDING_PENDING;
		judged += state == FINDING_OK || state == FINDING_PENDING;
	}
	return arena_printf(arena, "nothing found by %d rules%s; %d without data", judged,
	    pending ? arena_printf(arena, " (%d pending)", pending) : "", blind);
}

static void
add_notes(struct grid *g, const struct snapshot *s)
{
	for (int i = 0; i < s->nfindings; i++) {
		const struct finding *f = &s->findings[i];
		if (f->state == FINDING_NO_DATA)
			grid_notef(g, "no_data", "", "%s: %s", rules[f->id].id, f->why);
		if (f->muted_until.us && *f->mute_reason)
			grid_notef(
			    g, "muted", "", "%s is muted: %s", rules[f->id].id, f->mute_reason);
	}
}

static void
add_past(const struct pane_ctx *ctx, struct grid *g)
{
	const struct rowset *rs = snapshot_rows(ctx->snap, PROBE_ALERT_HISTORY);

	if (!rs)
		grid_note(g, "no_data", "the alerts of the past have not been read", "");
	for (int i = 0; rs && i < rs->nrows; i++) {
		const struct cell *cleared = rowset_get(rs, i, "cleared"),
		                  *what = rowset_get(rs, i, "what"),
		                  *severity = rowset_get(rs, i, "severity");
		struct grid_row *row = grid_add(g);
		struct cell *c = row->cells;
		char buf[40] = "still there";

		c[C_ID] = *rowset_get(rs, i, "rule");
		c[C_SEVERITY] = *severity;
		c[C_SINCE] = *rowset_get(rs, i, "raised");
		if (!cell_is_null(cleared))
			wall_rfc3339(
			    (struct wall){ cleared->i - cleared->i % 1000000 }, buf, sizeof(buf));
		c[C_WHAT] = *what;
		c[C_EVIDENCE] = *rowset_get(rs, i, "evidence");
		c[C_VALUE] = *rowset_get(rs, i, "value");
		c[C_SHOWN] = cell_text(
		    arena_printf(&g->arena, "%s%s: %.*s", cell_is_null(cleared) ? "" : "until ",
		        buf, what->type == CELL_TEXT ? (int)what->len : 0,
		        what->type == CELL_TEXT ? what->s : ""));
		row->aux = RULE_COUNT;
		if (cell_is_null(cleared))
			c[C_SEVERITY].role = cell_is(severity, "critical") ? ROLE_CRIT : ROLE_WARN;
		else
			row->role = ROLE_DIM;
	}
}

static void
alerts_fill(const struct pane_ctx *ctx, struct grid *g)
{
	const struct snapshot *s = ctx->snap;

	if (s->nfindings == 0) {
		grid_note(g, "no_data", "no rule has been judged yet", "");
		return;
	}
	finding_facts(s, g);
	if (ctx->opts->mode == MODE_HISTORY) {
		add_past(ctx, g);
		return;
	}
	g->is_tree = true;
	for (int i = 0; i < s->nfindings; i++)
		if (s->findings[i].state == FINDING_FIRING || ctx->opts->mode == MODE_ALL)
			add_finding(g, &s->findings[i]);
	if (g->nrows == 0)
		grid_note(g, "info", finding_none(&g->arena, s), "");
	add_notes(g, s);
}

/* ---- one alert in full */

static void
level_line(struct doc *doc, const struct finding *f, const char *label, double level)
{
	const struct rule *rule = &rules[f->id];
	struct strbuf at = STRBUF_INIT(64), clear = STRBUF_INIT(64);

	if (isnan(level))
		return;
	rule_value_text(&at, f->id, level);
	rule_value_text(
	    &clear, f->id, rule->flags & RULE_LOW ? level / rule->clear : level * rule->clear);
	doc_pair(doc, label, ROLE_NORMAL, "%s %s, clears %s %s",
	    rule->flags & RULE_LOW ? "below" : "from", at.buf,
	    rule->flags & RULE_LOW ? "from" : "below", clear.buf);
	strbuf_release(&at);
	strbuf_release(&clear);
}

static void
limits_lines(struct doc *doc, const struct finding *f)
{
	char buf[32];
	const struct rule *rule = &rules[f->id];

	level_line(doc, f, rule->flags & RULE_INFO ? "info" : "warning", f->limits.warning);
	level_line(doc, f, "critical", f->limits.critical);
	snprintf(buf, sizeof(buf), "%d s", f->limits.for_s);
	doc_pair(doc, rule->flags & RULE_EVENT ? "shown for" : "for", ROLE_NORMAL, "%s", buf);
	doc_pair(doc, "set it", ROLE_DIM, "alert.%s = WARNING[,CRITICAL[,FOR]] or off", rule->id);
}

static void
alerts_detail(const struct pane_ctx *ctx, const struct grid *grid, int row, struct doc *doc)
{
	enum rule_id id = (enum rule_id)grid->rows[row].aux;
	const struct finding *f = id < RULE_COUNT ? finding_of(ctx->snap, id) : NULL;
	struct strbuf value = STRBUF_INIT(64);
	char when[40];

	if (!f) {
		for (int i = 0; i < grid->ncols; i++) {
			const struct cell *c = &grid->rows[row].cells[i];
			strbuf_clear(&value);
			grid_cell_text(&value, grid->cols[i].kind, c);
			if (!cell_is_null(c) && !(grid->cols[i].flags & COL_NOJSON))
				doc_pair(doc, grid->cols[i].name, ROLE_NORMAL, "%s", value.buf);
		}
		strbuf_release(&value);
		return;
	}
	doc_add(doc, ROLE_STRONG, "%s: %s", rules[id].title, *f->what ? f->what : f->why);
	doc_text(doc, ROLE_NORMAL, f->evidence, strlen(f->evidence));
	doc_add(doc, ROLE_NORMAL, "%s", "");
	doc_pair(doc, "state", severity_role(f->state == FINDING_FIRING ? f->severity : 0),
	    "%s%s%s", finding_state_names[f->state], f->state == FINDING_FIRING ? ", " : "",
	    f->state == FINDING_FIRING ? severity_names[f->severity] : "");
	if (f->since.us)
		doc_pair(doc, "since", ROLE_NORMAL, "%s",
		    wall_rfc3339(
		        (struct wall){ f->since.us - f->since.us % 1000000 }, when, sizeof(when)));
	rule_value_text(&value, id, f->value);
	doc_pair(doc, "value", ROLE_NORMAL, "%s", value.buf);
	limits_lines(doc, f);
	if (f->because != RULE_COUNT)
		doc_pair(doc, "because of", ROLE_NORMAL, "%s: %s", rules[f->because].id,
		    finding_of(ctx->snap, f->because)->what);
	if (f->muted_until.us)
		doc_pair(doc, "muted until", ROLE_WARN, "%s, because %s",
		    wall_rfc3339(f->muted_until, when, sizeof(when)), f->mute_reason);
	doc_pair(doc, "what it reads", ROLE_NORMAL, "%s", rules[id].help);
	doc_pair(doc, "runbook", ROLE_NORMAL, "%s", rules[id].runbook);
	doc_pair(doc, "look closer", ROLE_NORMAL, "pane %s (key L)", rules[id].pane);
	strbuf_release(&value);
}

const struct pane pane_alerts = {
	.name = "alerts",
	.title = "Alerts",
	.help =
	    "What is wrong by the alert rules, ranked by harm, causes before symptoms; what could not be judged; "
	    "alerts of the past.",
	.columns = columns,
	.ncolumns = C_COUNT,
	.probes = probes,
	.nprobes = ARRAY_LEN(probes),
	.needs_pair = true,
	.modes = modes,
	.fill = alerts_fill,
	.detail = alerts_detail,
};
