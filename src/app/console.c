/*
 * The event loop of the console. It waits for a key, the collector's byte, a signal, or a running
 * act, and for a clock only while something is late. It does no I/O but the terminal's, so a key is
 * answered whatever the servers do.
 */
#include "config.h"

#include "app/console.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/alerting.h"
#include "app/console_priv.h"
#include "base/log.h"
#include "base/mem.h"
#include "panes/history.h"
#include "tui/input.h"
#include "tui/prompt.h"

enum { CONFIRM_S = 60, MIN_REFRESH_MS = 250, MAX_REFRESH_MS = 3600 * 1000 };

/* ------------------------------------------------------------------------------------ state */

int
pane_index(const struct pane *pane)
{
	for (int i = 0; panes[i]; i++)
		if (panes[i] == pane)
			return i;
	return 0;
}

struct target_state *
console_state(struct console *c)
{
	return &c->targets[c->target];
}

const struct snapshot *
state_snapshot(const struct console *c, const struct target_state *t)
{
	return c->is_paused && t->held ? t->held : t->snap;
}

struct alerting *
console_alerting(struct console *c)
{
	return c->conf->alerting;
}

static void
apply_configured_columns(struct console *c, struct view *v)
{
	char key[64];
	struct arena arena = { 0 };
	struct words words;
	struct error err = { 0 };

	snprintf(key, sizeof(key), "columns.%s", v->pane->name);
	char *text = arena_strdup(&arena, settings_get(c->conf->settings, key));
	for (char *p = text; *p; p++)
		if (*p == ',')
			*p = ' ';
	if (lex_line(&arena, text, false, &words, &err) && words.n > 0) {
		const char **names = arena_zalloc(&arena, (size_t)words.n, sizeof(*names));
		for (int i = 0; i < words.n; i++)
			names[i] = words.w[i].text;
		if (!view_columns(v, names, words.n, &err))
			console_error(c, &err);
	}
	arena_release(&arena);
}

struct pane_view *
console_pane_view(struct console *c)
{
	struct target_state *t = console_state(c);
	struct pane_view *pv = t->views[t->pane];

	if (!pv) {
		pv = t->views[t->pane] = xcalloc(1, sizeof(*pv));
		view_init(&pv->view, panes[t->pane]);
		apply_configured_columns(c, &pv->view);
	}
	return pv;
}

struct view *
console_view(struct console *c)
{
	struct view *v = &console_pane_view(c)->view;
	view_update(v, console_snapshot(c), mono_now());
	return v;
}

/* A detail shows every column. */
static int
shown_probes(struct console *c, enum probe_id *probes)
{
	const struct view *v = &console_pane_view(c)->view;
	const struct page *page = console_page(c);
	bool is_all = page && page->is_detail;

	return pane_probes(v->pane, is_all ? NULL : v->cols, is_all ? 0 : v->ncols, probes);
}

static struct probe_set
probe_set(const enum probe_id *probes, int n)
{
	struct probe_set set = { { false } };

	for (int i = 0; i < n; i++)
		set.has[probes[i]] = true;
	return set;
}

void
console_hurry(struct console *c)
{
	const struct source *source = &c->conf->source;
	enum probe_id probes[PROBE_COUNT];
	int n = shown_probes(c, probes);

	for (int i = 0; i < c->ntargets; i++)
		if (i != c->target)
			source->ops->show(source->self, i, NULL, 0);
	if (!source->ops->show(source->self, c->target, probes, n))
		log_warn("console", "the collector's queue is full");
	c->asked = probe_set(probes, n);
}

void
console_hurry_changed(struct console *c)
{
	enum probe_id probes[PROBE_COUNT];
	struct probe_set set = probe_set(probes, shown_probes(c, probes));

	if (memcmp(&c->asked, &set, sizeof(set)) != 0)
		console_hurry(c);
}

/* ------------------------------------------------------------------------------------ commands */

bool
console_run_line(struct console *c, const char *line, struct error *err)
{
	const struct target *target = &c->conf->targets->items[c->target];
	struct run_ctx ctx = {
		.opt = c->conf->opt,
		.settings = c->conf->settings,
		.targets = c->conf->targets,
		.target = target,
		.console = c,
		.screen = &console_screen,
		.line = line,
	};

	c->is_dirty = true;
	return run_line(&ctx, line, err);
}

void
console_execute(struct console *c, const char *line)
{
	struct error err = { 0 };

	if (!console_run_line(c, line, &err))
		console_error(c, &err);
}

/* ------------------------------------------------------------------------------------ data */

void
console_take_snapshots(struct console *c)
{
	const struct source *source = &c->conf->source;

	for (int i = 0; i < c->ntargets; i++) {
		struct target_state *t = &c->targets[i];
		const struct snapshot *snap = source->ops->snapshot(source->self, i);
		if (snap == t->snap) {
			snapshot_unref(snap);
			continue;
		}
		snapshot_unref(t->snap);
		t->snap = snap;
		if (i == c->target)
			c->is_dirty = true;
	}
}

static void
take_outcomes(struct console *c)
{
	const struct source *source = &c->conf->source;
	struct run_outcome outcome;

	while (source->ops->outcome && source->ops->outcome(source->self, &outcome)) {
		if (c->acting && acting_outcome(c->acting, &outcome)) {
			c->is_dirty = true;
			continue;
		}
		if (console_page_outcome(c, &outcome))
			continue;
		rowset_unref(outcome.rows);
	}
}

static void
drain(int fd)
{
	char bytes[256];
	while (fd >= 0 && read(fd, bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes))
		;
}

static void
finish_act(struct console *c)
{
	enum role role = ROLE_INFO;
	const char *line = acting_line(c->acting, &role);

	if (acting_is_long(c->acting)) {
		struct doc doc = { 0 };
		const struct doc *from = acting_doc(c->acting);
		if (from)
			doc_append(&doc, from);
		console_doc(c, acting_title(c->acting), &doc);
		doc_release(&doc);
	}
	if (line && *line)
		console_message(c, role, "%s", line);
	if (acting_job(c->acting))
		jobwatch_add(c->jobs, acting_job(c->acting));
	acting_clear(c->acting);
	console_now(c);
}

/* Follows the act under way: opens its question, closes it after a minute, shows its result. */
static void
follow_act(struct console *c)
{
	if (!c->acting)
		return;
	acting_step(c->acting);
	enum acting_state state = acting_state(c->acting);
	bool asks = state == ACTING_ASKING;
	if (asks && !c->confirm_is_open) {
		c->confirm_view = (struct docview){ 0 };
		c->confirm_since = mono_now();
		if (strcmp(acting_expects(c->acting), "y") != 0)
			prompt_open(PROMPT_ANSWER, "> ", "");
	}
	if (!asks && c->confirm_is_open && prompt_is_open() && prompt_kind() == PROMPT_ANSWER)
		prompt_close();
	if (asks != c->confirm_is_open || state == ACTING_DONE)
		c->is_dirty = true;
	c->confirm_is_open = asks;
	if (asks && mono_since_ms(mono_now(), c->confirm_since) >= CONFIRM_S * 1000) {
		acting_abort(c->acting);
		console_message(
		    c, ROLE_WARN, "not confirmed within %d s: nothing was done", CONFIRM_S);
		follow_act(c);
		return;
	}
	if (state == ACTING_DONE)
		finish_act(c);
}

/* Jobs that were started here say how they ended. */
static void
follow_jobs(struct console *c)
{
	char line[CONSOLE_MESSAGE];
	enum role role;

	while (c->jobs && jobwatch_next(c->jobs, line, sizeof(line), &role)) {
		console_message(c, role, "%s", line);
		console_now(c);
	}
}

/* Advice is made once by itself, when its pane is opened; what it comes to is said. */
static void
follow_advice(struct console *c)
{
	const struct source *source = &c->conf->source;
	bool is_past = source->ops->is_past && source->ops->is_past(source->self);
	const struct snapshot *snap = console_snapshot(c);
	enum role role = ROLE_INFO;
	const char *line;

	if (!c->advising)
		return;
	line = advising_step(c->advising, &role);
	if (line)
		console_message(c, role, "%s", line);
	if (is_past || strcmp(panes[console_state(c)->pane]->name, "advice") != 0 ||
	    advising_target(c->advising) >= 0 || advising_was_begun(c->advising, c->target) ||
	    snap->link != LINK_UP || !snap->taken_at.us)
		return;
	console_execute(c, "advise");
}

/* The chart that is looked at is read from the history. */
static void
follow_history(struct console *c)
{
	const struct target_state *t = console_state(c);
	const struct view *v = &console_pane_view(c)->view;

	if (strcmp(panes[t->pane]->name, "history") == 0)
		historian_want(c->conf->historian, c->target, history_shown_metric(&v->opts),
		    history_shown_span(&v->opts));
}

/* ------------------------------------------------------------------------------------ the loop */

static void
least(int *timeout, int ms)
{
	if (ms >= 0 && (*timeout < 0 || ms < *timeout))
		*timeout = ms;
}

static int
loop_timeout(struct console *c)
{
	const struct source *source = &c->conf->source;
	struct mono now = mono_now();
	int timeout = -1, next;
	char text[CONSOLE_MESSAGE];

	console_late(c, now, text, sizeof(text), &next);
	least(&timeout, next);
	if (c->advising)
		least(&timeout, advising_timeout_ms(c->advising));
	if (c->acting) {
		least(&timeout, acting_timeout_ms(c->acting));
		if (c->confirm_is_open) {
			int64_t left = CONFIRM_S * 1000 - mono_since_ms(now, c->confirm_since);
			least(&timeout, left > 0 ? (int)left : 0);
		}
	}
	if (source->ops->due_ms)
		least(&timeout, source->ops->due_ms(source->self));
	return timeout;
}

static void
read_input(struct console *c)
{
	struct input in;

	for (input_next(&in); in.kind != INPUT_NONE && !c->is_quitting; input_next(&in)) {
		if (in.kind == INPUT_GONE) {
			console_quit(c, EXIT_FAILED);
			return;
		}
		if (in.kind == INPUT_PASTE) {
			console_paste(c, in.paste, in.paste_len);
			continue;
		}
		c->mouse_row = in.row;
		c->mouse_col = in.col;
		console_key(c, in.key);
	}
}

static void
turn(struct console *c)
{
	const struct source *source = &c->conf->source;
	struct pollfd fds[6] = {
		{ .fd = input_fd(), .events = POLLIN },
		{ .fd = c->conf->wake_fd, .events = POLLIN },
		{ .fd = console_signals_fd(), .events = POLLIN },
		{ .fd = c->acting ? acting_fd(c->acting) : -1, .events = POLLIN },
		{ .fd = c->advising ? advising_fd(c->advising) : -1, .events = POLLIN },
		{ .fd = c->jobs ? jobwatch_fd(c->jobs) : -1, .events = POLLIN },
	};
	int timeout = loop_timeout(c);

	if (c->script.next) {
		int ms = script_step(c);
		if (ms < 0)
			console_quit(c, c->script.failed ? EXIT_FAILED : EXIT_DONE);
		least(&timeout, ms);
	}
	if (c->is_dirty && !c->is_quitting) {
		console_hurry_changed(c);
		console_draw(c);
	}
	/* A question is answered by who has seen it, not by keys typed before. */
	if (c->confirm_is_open && !c->confirm_is_seen)
		input_forget();
	c->confirm_is_seen = c->confirm_is_open;
	if (c->is_quitting)
		return;
	int n = poll(fds, ARRAY_LEN(fds), timeout);
	if (n < 0 && errno != EINTR)
		fatal("cannot wait for events: %s", strerror(errno));
	if (fds[2].revents)
		console_signals(c);
	if (fds[0].revents)
		read_input(c);
	if (fds[1].revents)
		drain(c->conf->wake_fd);
	if (source->ops->tick)
		source->ops->tick(source->self);
	if (fds[1].revents || source->ops->tick) {
		console_take_snapshots(c);
		take_outcomes(c);
	}
	if (n == 0)
		c->is_dirty = true;
	if (alerting_look(c->conf->alerting) &&
	    (c->conf->opt->bell || settings_bool(c->conf->settings, "bell")))
		screen_beep();
	follow_act(c);
	follow_jobs(c);
	follow_advice(c);
	follow_history(c);
}

int
console_main(const struct console_conf *conf, struct error *err)
{
	struct console c = { .conf = conf };
	struct doc problems = { 0 };
	int status = EXIT_FAILED;

	if (!console_signals_open(err))
		return status;
	if (!console_open_screen(&c, err))
		goto out;
	console_load_looks(&c, &problems);
	screen_theme(&c.theme);
	console_make_targets(&c, console_first_pane(&c, &problems));
	if (conf->collector) {
		c.acting = acting_new(conf->collector);
		c.advising = advising_new(conf->collector);
		c.jobs = jobwatch_new();
		console_greet(&c);
	}
	prompt_setup(conf->history_path, (struct prompt_completer){ console_complete, &c });
	console_settings(&c);
	console_show_problems(&c, &problems);
	console_hurry(&c);
	c.is_dirty = true;
	while (!c.is_quitting)
		turn(&c);
	status = c.status;
	prompt_teardown();
out:
	screen_close();
	console_release(&c);
	doc_release(&problems);
	console_signals_close();
	return status;
}

/* ------------------------------------------------------------------------------------ small
 * answers */

const struct snapshot *
console_snapshot(struct console *c)
{
	return state_snapshot(c, console_state(c));
}

const struct source *
console_source(const struct console *c)
{
	return &c->conf->source;
}

bool
console_is_paused(const struct console *c)
{
	return c->is_paused;
}

int
console_refresh_ms(const struct console *c)
{
	return c->targets[c->target].refresh_ms;
}

void
console_refresh(struct console *c, int ms)
{
	const struct source *source = &c->conf->source;

	ms = ms < MIN_REFRESH_MS ? MIN_REFRESH_MS : ms > MAX_REFRESH_MS ? MAX_REFRESH_MS : ms;
	console_state(c)->refresh_ms = ms;
	source->ops->refresh_ms(source->self, c->target, ms);
	c->is_adjusting = true;
	console_message(c, ROLE_INFO, "refresh every %g s", ms / 1000.0);
}

void
console_now(struct console *c)
{
	const struct source *source = &c->conf->source;
	source->ops->now(source->self, c->target);
}

void
console_reconnect(struct console *c)
{
	const struct source *source = &c->conf->source;
	source->ops->reconnect(source->self, c->target, NULL);
}

void
console_quit(struct console *c, int status)
{
	c->is_quitting = true;
	c->status = status;
}
