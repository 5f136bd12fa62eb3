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

#include "app/console_priv.h"
#include "base/log.h"
#include "base/mem.h"
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

static uint64_t
probe_bits(const enum probe_id *probes, int n)
{
	uint64_t bits = 0;

	for (int i = 0; i < n; i++)
		bits |= UINT64_C(1) << probes[i];
	return bits;
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
	c->asked = probe_bits(probes, n);
}

void
console_hurry_changed(struct console *c)
{
	enum probe_id probes[PROBE_COUNT];

	if (c->asked != probe_bits(probes, shown_probes(c, probes)))
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

static void
take_snapshots(struct console *c)
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
		for (int i = 0; from && i < from->n; i++)
			doc_text(&doc, from->lines[i].role, from->lines[i].text,
			    strlen(from->lines[i].text));
		console_doc(c, acting_title(c->acting), &doc);
		doc_release(&doc);
	}
	if (line && *line)
		console_message(c, role, "%s", line);
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
	struct pollfd fds[4] = {
		{ .fd = input_fd(), .events = POLLIN },
		{ .fd = c->conf->wake_fd, .events = POLLIN },
		{ .fd = console_signals_fd(), .events = POLLIN },
		{ .fd = c->acting ? acting_fd(c->acting) : -1, .events = POLLIN },
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
		take_snapshots(c);
		take_outcomes(c);
	}
	if (n == 0)
		c->is_dirty = true;
	follow_act(c);
}

/* ------------------------------------------------------------------------------------ start and
 * end */

static bool
is_pane_name(const char *name)
{
	for (int i = 0; panes[i]; i++)
		if (strcmp(panes[i]->name, name) == 0)
			return true;
	return false;
}

static const char *
near_pane_name(const char *name)
{
	const char *names[64];
	int n = 0;
	for (int i = 0; panes[i] && n < 63; i++)
		names[n++] = panes[i]->name;
	names[n] = NULL;
	return nearest_name(name, names);
}

static const char *
option_or_setting(struct console *c, const char *option, const char *name)
{
	return option ? option : settings_get(c->conf->settings, name);
}

/* Theme and keymap: what cannot be found is replaced by the default, and said. */
static void
load_looks(struct console *c, struct doc *problems)
{
	struct error err = { 0 };
	const char *theme = option_or_setting(c, c->conf->opt->theme, "theme");
	const char *keymap = option_or_setting(c, c->conf->opt->keymap, "keymap");

	if (!theme_load(&c->theme, *theme ? theme : "default", problems, &err)) {
		doc_add(problems, ROLE_WARN, "%s%s%s", err.what, *err.hint ? ": " : "", err.hint);
		if (!theme_load(&c->theme, "default", problems, &err))
			theme_parse(&c->theme, "", "", problems);
	}
	c->keymap.is_pane = is_pane_name;
	c->keymap.near_pane = near_pane_name;
	if (!keymap_load(&c->keymap, *keymap ? keymap : "default", problems, &err)) {
		doc_add(problems, ROLE_WARN, "%s%s%s", err.what, *err.hint ? ": " : "", err.hint);
		if (!keymap_load(&c->keymap, "default", problems, &err))
			keymap_parse(&c->keymap, "bind any q quit\n", "built in", problems);
	}
}

static int
first_pane(struct console *c, struct doc *problems)
{
	const char *name = option_or_setting(c, c->conf->opt->pane, "pane");
	const struct pane *pane = *name ? pane_by_name(name) : panes[0];

	if (!pane) {
		const char *near = near_pane_name(name);
		doc_add(problems, ROLE_WARN, "there is no pane \"%s\"%s%s%s", name,
		    near ? "; the nearest is \"" : "", near ? near : "", near ? "\"" : "");
		return 0;
	}
	return pane_index(pane);
}

static void
make_targets(struct console *c, int pane)
{
	int npanes = 0;

	while (panes[npanes])
		npanes++;
	c->ntargets = c->conf->targets->n;
	c->targets = xcalloc((size_t)c->ntargets, sizeof(*c->targets));
	for (int i = 0; i < c->ntargets; i++) {
		struct target_state *t = &c->targets[i];
		t->pane = pane;
		t->previous_pane = -1;
		t->views = xcalloc((size_t)npanes, sizeof(struct pane_view *));
		t->refresh_ms = c->conf->targets->items[i].refresh_ms;
	}
	c->target = c->conf->target;
	take_snapshots(c);
}

static void
show_problems(struct console *c, struct doc *problems)
{
	const struct settings *s = c->conf->settings;
	struct doc doc = { 0 };

	for (int i = 0; i < s->nproblems; i++)
		doc_add(&doc, ROLE_WARN, "%s", s->problems[i]);
	for (int i = 0; i < problems->n; i++)
		doc_add(&doc, ROLE_WARN, "%s", problems->lines[i].text);
	if (doc.n == 1) {
		console_message(c, ROLE_WARN, "%s", doc.lines[0].text);
	} else if (doc.n > 1) {
		doc_add(&doc, ROLE_NORMAL, "%s", "");
		doc_add(
		    &doc, ROLE_HINT, "The rest of these files is in force. q closes this page.");
		console_doc(c, "what could not be used", &doc);
	}
	doc_release(&doc);
	doc_release(problems);
}

static int
size_of(const char *name, int none)
{
	const char *text = getenv(name);
	long n = text ? strtol(text, NULL, 10) : 0;
	return n >= 2 && n <= 1000 ? (int)n : none;
}

static bool
open_screen(struct console *c, struct error *err)
{
	struct screen_options options = {
		.no_color = c->conf->opt->no_color,
		.ascii = c->conf->opt->ascii || settings_bool(c->conf->settings, "ascii"),
		.mouse = settings_bool(c->conf->settings, "mouse"),
		.headless = c->conf->script != NULL,
		.rows = size_of("LINES", 24),
		.cols = size_of("COLUMNS", 80),
		.colors = 256,
	};

	if (c->conf->script && !script_open(&c->script, c->conf->script, err))
		return false;
	return screen_open(&options, err);
}

static void
console_release(struct console *c)
{
	for (int i = 0; i < c->ntargets; i++) {
		struct target_state *t = &c->targets[i];
		for (int p = 0; t->views && panes[p]; p++) {
			if (!t->views[p])
				continue;
			view_release(&t->views[p]->view);
			arena_release(&t->views[p]->match_arena);
			free(t->views[p]);
		}
		free(t->views);
		snapshot_unref(t->snap);
		snapshot_unref(t->held);
	}
	free(c->targets);
	while (c->npages > 0)
		console_close_page(c);
	if (c->acting)
		acting_free(c->acting);
	keymap_release(&c->keymap);
	free(c->filter_before);
	script_release(&c->script);
}

int
console_main(const struct console_conf *conf, struct error *err)
{
	struct console c = { .conf = conf };
	struct doc problems = { 0 };
	int status = EXIT_FAILED;

	if (!console_signals_open(err))
		return status;
	if (!open_screen(&c, err))
		goto out;
	load_looks(&c, &problems);
	screen_theme(&c.theme);
	make_targets(&c, first_pane(&c, &problems));
	if (conf->collector)
		c.acting = acting_new(conf->collector);
	prompt_setup(conf->history_path, (struct prompt_completer){ console_complete, &c });
	console_settings(&c);
	show_problems(&c, &problems);
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
