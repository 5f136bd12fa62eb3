/* Start and end of the console: looks, panes, targets, and what was wrong with their files. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/console_priv.h"
#include "base/mem.h"

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
void
console_load_looks(struct console *c, struct doc *problems)
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

int
console_first_pane(struct console *c, struct doc *problems)
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

void
console_make_targets(struct console *c, int pane)
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
	console_take_snapshots(c);
}

void
console_show_problems(struct console *c, struct doc *problems)
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

/* Jobs that earlier consoles have left of these targets. */
void
console_greet(struct console *c)
{
	const struct targets *t = c->conf->targets;

	c->target_names = xcalloc((size_t)t->n + 1, sizeof(*c->target_names));
	for (int i = 0; i < t->n; i++)
		c->target_names[i] = t->items[i].name;
	jobwatch_greet(c->jobs, c->target_names, t->n);
}

static int
size_of(const char *name, int none)
{
	const char *text = getenv(name);
	long n = text ? strtol(text, NULL, 10) : 0;
	return n >= 2 && n <= 1000 ? (int)n : none;
}

bool
console_open_screen(struct console *c, struct error *err)
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

void
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
	advising_free(c->advising);
	jobwatch_free(c->jobs);
	free(c->target_names);
	keymap_release(&c->keymap);
	free(c->filter_before);
	script_release(&c->script);
}
