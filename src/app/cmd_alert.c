/* Commands on alerts: mute, unmute, and going where one is to be looked at. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "app/alerting.h"
#include "app/commands.h"
#include "app/console.h"
#include "model/rules.h"
#include "store/alerts.h"

enum { DEFAULT_S = 3600, LONGEST_S = 90 * 86400 };

static bool
find_rule(const char *word, enum rule_id *id, struct error *err)
{
	const char *names[RULE_COUNT + 1];

	*id = rule_by_id(word);
	if (*id != RULE_COUNT)
		return true;
	for (int i = 0; i < RULE_COUNT; i++)
		names[i] = rules[i].id;
	names[RULE_COUNT] = NULL;
	error_set(err, ERR_USAGE, "there is no alert rule '%s'", word);
	if (nearest_name(word, names))
		return error_hint(err, "The nearest is %s.", nearest_name(word, names));
	return error_hint(err, "See pgmedic help rules.");
}

/* The rule under the cursor of the alerts pane. */
static bool
rule_under_cursor(struct run_ctx *ctx, enum rule_id *id, struct error *err)
{
	struct view *v = ctx->console ? console_view(ctx->console) : NULL;

	*id = v && strcmp(v->pane->name, "alerts") == 0 && view_row(v) ?
	    (enum rule_id)view_row(v)->aux :
	    RULE_COUNT;
	if (*id == RULE_COUNT) {
		error_set(err, ERR_USAGE, "which alert rule?");
		return error_hint(err, "Name it, or go to its row in the alerts pane.");
	}
	return true;
}

/* [RULE] [for SPAN] [because TEXT] */
struct mute {
	enum rule_id id;
	double seconds;
	const char *reason;
};

static bool
read_mute(struct run_ctx *ctx, struct arena *arena, const struct words *words, struct mute *m,
    struct error *err)
{
	const char *first = words->n > 1 ? words->w[1].text : "for";
	bool is_here = strcmp(first, "for") == 0 || strcmp(first, "because") == 0;
	int i = is_here ? 1 : 2;

	*m = (struct mute){ .seconds = DEFAULT_S, .reason = "no reason given" };
	if (is_here ? !rule_under_cursor(ctx, &m->id, err) : !find_rule(first, &m->id, err))
		return false;
	if (i < words->n && strcmp(words->w[i].text, "for") == 0) {
		const char *span = i + 1 < words->n ? words->w[i + 1].text : "";
		if (!rule_span_read(span, &m->seconds) || m->seconds < 1 || m->seconds > LONGEST_S)
			return error_set(
			    err, ERR_USAGE, "\"%s\" is no span such as 30m, 2h or 7d", span);
		i += 2;
	}
	if (i < words->n && strcmp(words->w[i].text, "because") == 0) {
		struct strbuf text = STRBUF_INIT(400);
		for (i++; i < words->n; i++)
			strbuf_addf(&text, "%s%s", text.len ? " " : "", words->w[i].text);
		if (text.len)
			m->reason = arena_strdup(arena, text.buf);
		strbuf_release(&text);
	}
	if (i < words->n)
		return error_set(err, ERR_USAGE,
		    "\"%s\" is out of place: write mute RULE [for 2h] [because TEXT]",
		    words->w[i].text);
	return true;
}

/* With a screen the alerts' thread writes it and the next snapshot shows it; else it is written
 * here. */
static bool
set_mute(
    struct run_ctx *ctx, enum rule_id id, struct wall until, const char *reason, struct error *err)
{
	struct alerts *store;
	bool ok;

	if (ctx->console) {
		struct alerting *a = console_alerting(ctx->console);
		if (!a)
			return error_set(err, ERR_STATE, "nothing can be muted in a recording");
		alerting_mute(a, ctx->screen->target(ctx->console), rules[id].id, until, reason);
		return true;
	}
	store = alerts_open(err);
	ok = store && alerts_mute(store, ctx->target->name, rules[id].id, until, reason, err);
	alerts_close(store);
	return ok;
}

static bool
mute_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	struct arena arena = { 0 };
	struct mute m;
	struct wall until = wall_now();
	char when[40];
	bool ok = read_mute(ctx, &arena, words, &m, err);

	until.us += (int64_t)(m.seconds * 1e6);
	until.us -= until.us % 1000000;
	ok = ok && set_mute(ctx, m.id, until, m.reason, err);
	if (ok)
		strbuf_addf(ctx->out, "%s of %s is muted until %s (%s)\n", rules[m.id].id,
		    ctx->target->name, wall_rfc3339(until, when, sizeof(when)), m.reason);
	arena_release(&arena);
	return ok;
}

static bool
unmute_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	enum rule_id id;

	if (words->n > 1 ? !find_rule(words->w[1].text, &id, err) :
	                   !rule_under_cursor(ctx, &id, err))
		return false;
	if (!set_mute(ctx, id, (struct wall){ 0 }, "", err))
		return false;
	strbuf_addf(ctx->out, "%s of %s is not muted\n", rules[id].id, ctx->target->name);
	return true;
}

/* The finding meant: named, under the cursor, else the first. */
static const struct finding *
finding_meant(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	const struct snapshot *s = console_snapshot(ctx->console);
	struct view *v = console_view(ctx->console);
	enum rule_id id = RULE_COUNT;

	if (words->n > 1) {
		if (!find_rule(words->w[1].text, &id, err))
			return NULL;
	} else if (strcmp(v->pane->name, "alerts") == 0 && view_row(v)) {
		id = (enum rule_id)view_row(v)->aux;
	}
	for (int i = 0; i < s->nfindings; i++)
		if (s->findings[i].id == id ||
		    (id == RULE_COUNT && s->findings[i].state == FINDING_FIRING))
			return &s->findings[i];
	error_set(err, ERR_STATE, "there is no alert to look at");
	return NULL;
}

/* Show a pane, and in it a session. pid 0 or less: none. */
static bool
go_to(struct run_ctx *ctx, const char *pane, int64_t pid, struct error *err)
{
	struct view *v;

	if (!console_pane(ctx->console, pane, err))
		return false;
	v = console_view(ctx->console);
	for (int i = 0; pid > 0 && i < v->grid.nrows; i++) {
		if (view_row_pid(v, &v->grid.rows[i]) != pid)
			continue;
		view_goto(v, i);
		return true;
	}
	if (pid > 0)
		console_message(
		    ctx->console, ROLE_INFO, "session %lld is not in this view", (long long)pid);
	return true;
}

/* The row of a session in the activity view that was there at a moment: pids are given out again.
 * -1: it has ended; *is_other: another one has its pid. */
static int
find_session(const struct view *v, int64_t pid, int64_t at_us, bool *is_other)
{
	int start = pane_column(v->pane, "backend_start");

	*is_other = false;
	for (int i = 0; i < v->grid.nrows; i++) {
		if (view_row_pid(v, &v->grid.rows[i]) != pid)
			continue;
		/* A log may have whole seconds only. */
		*is_other = at_us && cell_i64(&v->grid.rows[i].cells[start], 0) > at_us + 1000000;
		return *is_other ? -1 : i;
	}
	return -1;
}

/* From an entry of the log to the session that wrote it, and all about that. */
static bool
look_session(struct run_ctx *ctx, const struct view *from, struct error *err)
{
	const struct grid_row *row = view_row(from);
	int time = pane_column(from->pane, "time");
	int64_t pid = view_row_pid(from, row), at = pid ? cell_i64(&row->cells[time], 0) : 0;
	bool is_other;
	int found;

	if (!pid)
		return error_set(err, ERR_NOT_FOUND, "no session is named here");
	if (!console_pane(ctx->console, "activity", err))
		return false;
	struct view *v = console_view(ctx->console);
	found = find_session(v, pid, at, &is_other);
	if (found < 0 && !is_other && !v->opts.show_idle) {
		v->opts.show_idle = true;
		view_stale(v);
		v = console_view(ctx->console);
		found = find_session(v, pid, at, &is_other);
		v->opts.show_idle = found >= 0;
		if (found < 0)
			view_stale(v);
	}
	if (found < 0) {
		console_message(ctx->console, ROLE_INFO, "session %lld has ended%s", (long long)pid,
		    is_other ? "; another one has its pid now" : "");
		return true;
	}
	view_goto(v, found);
	console_open_detail(ctx->console);
	return true;
}

static bool
look_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	const struct view *from = console_view(ctx->console);
	bool is_activity = strcmp(from->pane->name, "activity") == 0;
	const struct finding *f;

	/* Of a session: where else it is shown. */
	if (words->n == 1 && (is_activity || strcmp(from->pane->name, "locks") == 0))
		return go_to(ctx, is_activity ? "locks" : "activity",
		    view_row(from) ? view_row_pid(from, view_row(from)) : 0, err);
	if (words->n == 1 && strcmp(from->pane->name, "logs") == 0)
		return look_session(ctx, from, err);
	f = finding_meant(ctx, words, err);
	return f && go_to(ctx, rules[f->id].pane, f->pid, err);
}

const struct command cmd_mute = {
	.name = "mute",
	.usage = "mute [RULE] [for SPAN] [because TEXT]",
	.help =
	    "no bell, no --exec and no exit status for an alert rule of this target, or the one under the cursor (1h unless told otherwise)",
	.risk = RISK_FILE,
	.args = { ARG_WORD, ARG_WORD, ARG_WORD, ARG_TEXT },
	.min_args = 0,
	.max_args = -1,
	.run = mute_run,
};

const struct command cmd_unmute = {
	.name = "unmute",
	.usage = "unmute [RULE]",
	.help = "the alert rule, or the one under the cursor, speaks again",
	.risk = RISK_FILE,
	.args = { ARG_WORD },
	.min_args = 0,
	.max_args = 1,
	.run = unmute_run,
};

const struct command cmd_look = {
	.name = "look",
	.usage = "look [RULE]",
	.help =
	    "the pane, and the session, of the alert under the cursor, of a session the other pane that has it, of a log entry its session; else of the worst alert",
	.risk = RISK_NONE,
	.args = { ARG_WORD },
	.min_args = 0,
	.max_args = 1,
	.needs_screen = true,
	.run = look_run,
};
