/* What commands do to the console, and what they may know of it. */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/console_priv.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "tui/datafile.h"

/* ------------------------------------------------------------------------------------ messages */

void
console_message(struct console *c, enum role role, const char *fmt, ...)
{
	char raw[CONSOLE_MESSAGE];
	struct strbuf clean = STRBUF_INIT(CONSOLE_MESSAGE - 1);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	utf8_clean(&clean, raw, strlen(raw), true);
	snprintf(c->message, sizeof(c->message), "%s", clean.buf);
	strbuf_release(&clean);
	c->message_role = role;
	c->is_dirty = true;
}

void
console_error(struct console *c, const struct error *err)
{
	console_message(c, ROLE_CRIT, "%s%s%s", err->what, *err->hint ? ". " : "", err->hint);
}

void
console_copy(struct console *c, const char *text, size_t len)
{
	struct strbuf clean = STRBUF_INIT(74000);

	for (const char *p = text, *end = text + len; p < end;) {
		size_t n = strcspn(p, "\n");
		if (n > (size_t)(end - p))
			n = (size_t)(end - p);
		utf8_clean(&clean, p, n, false);
		p += n;
		if (p < end) {
			strbuf_addc(&clean, '\n');
			p++;
		}
	}
	if (screen_copy(clean.buf, clean.len))
		console_message(
		    c, ROLE_INFO, "%zu bytes sent to the terminal's clipboard", clean.len);
	else
		console_message(c, ROLE_WARN, "this terminal has no clipboard");
	strbuf_release(&clean);
}

/* ------------------------------------------------------------------------------------ panes and
 * targets */

static void
show_pane(struct console *c, int pane)
{
	struct target_state *t = console_state(c);

	while (c->npages > 0)
		console_close_page(c);
	c->chooser.is_open = false;
	if (pane != t->pane) {
		view_drop(&console_pane_view(c)->view);
		t->previous_pane = t->pane;
		t->pane = pane;
	}
	console_hurry(c);
	c->is_dirty = true;
}

bool
console_pane(struct console *c, const char *name, struct error *err)
{
	int npanes = 0, current = console_state(c)->pane;

	while (panes[npanes])
		npanes++;
	if (strcmp(name, "next") == 0 || strcmp(name, "previous") == 0) {
		show_pane(c, (current + (*name == 'n' ? 1 : npanes - 1)) % npanes);
		return true;
	}
	const struct pane *pane = pane_by_name(name);
	if (!pane) {
		error_set(err, ERR_NOT_FOUND, "there is no pane \"%s\"", name);
		const char *near = c->keymap.near_pane(name);
		if (near)
			error_hint(err, "The nearest is \"%s\".", near);
		return false;
	}
	show_pane(c, pane_index(pane));
	return true;
}

bool
console_drill(struct console *c, const char *name, const char *filter, struct error *err)
{
	if (!console_pane(c, name, err))
		return false;
	return view_filter(&console_pane_view(c)->view, filter, err);
}

void
console_previous(struct console *c)
{
	struct target_state *t = console_state(c);

	if (t->previous_pane >= 0)
		show_pane(c, t->previous_pane);
	else
		console_message(c, ROLE_INFO, "there was no other view yet");
}

bool
console_target(struct console *c, const char *name, struct error *err)
{
	int target = c->target;

	if (strcmp(name, "next") == 0) {
		target = (target + 1) % c->ntargets;
	} else if (strcmp(name, "previous") == 0) {
		target = (target + c->ntargets - 1) % c->ntargets;
	} else {
		target = targets_find(c->conf->targets, name);
		if (target < 0) {
			const char *names[128];
			int n = 0;
			for (; n < c->ntargets && n < 127; n++)
				names[n] = c->conf->targets->items[n].name;
			names[n] = NULL;
			error_set(err, ERR_NOT_FOUND, "there is no target \"%s\"", name);
			const char *near = nearest_name(name, names);
			return near ? error_hint(err, "The nearest is \"%s\".", near) : false;
		}
	}
	if (target == c->target && c->ntargets == 1)
		console_message(c, ROLE_INFO, "there is only this target");
	int pane = console_state(c)->pane;
	if (target != c->target)
		view_drop(&console_pane_view(c)->view);
	c->target = target;
	c->cost = c->lag = (struct calm){ 0 };
	c->drawn_seq = console_state(c)->snap->seq;
	c->was_away = true;
	show_pane(c, pane);
	return true;
}

bool
console_theme(struct console *c, const char *name, struct error *err)
{
	struct doc problems = { 0 };
	bool is_ok = theme_load(&c->theme, name, &problems, err);

	if (is_ok) {
		screen_theme(&c->theme);
		c->is_dirty = true;
	}
	if (problems.n > 0)
		console_message(c, ROLE_WARN, "%s%s", problems.lines[0].text,
		    problems.n > 1 ? " (and more)" : "");
	doc_release(&problems);
	return is_ok;
}

bool
console_keymap(struct console *c, const char *name, struct error *err)
{
	struct doc problems = { 0 };
	bool is_ok = keymap_load(&c->keymap, name, &problems, err);

	if (problems.n > 0)
		console_message(c, ROLE_WARN, "%s%s", problems.lines[0].text,
		    problems.n > 1 ? " (and more)" : "");
	else if (is_ok)
		console_message(c, ROLE_INFO, "keymap %s", name);
	doc_release(&problems);
	return is_ok;
}

bool
console_bind(struct console *c, const char *line, struct error *err)
{
	c->is_dirty = true;
	return keymap_line(&c->keymap, line, err);
}

const char *
console_theme_name(const struct console *c)
{
	return c->theme.name;
}

const char *
console_keymap_name(const struct console *c)
{
	return c->keymap.name;
}

void
console_settings(struct console *c)
{
	c->no_hints = !settings_bool(c->conf->settings, "hints");
	historian_set(c->conf->historian, c->conf->settings);
	c->is_dirty = true;
}

bool
console_is_adjusting(const struct console *c)
{
	return c->is_adjusting;
}

const char *
console_context(const struct console *c)
{
	return c->npages > 0 ? "view" : panes[c->targets[c->target].pane]->name;
}

const char *const *
console_theme_names(struct arena *arena)
{
	return datafile_names(arena, "themes", ".theme");
}

const char *const *
console_keymap_names(struct arena *arena)
{
	return datafile_names(arena, "keymaps", ".keys");
}

void
console_pause(struct console *c, bool paused)
{
	const struct source *source = &c->conf->source;

	if (paused == c->is_paused)
		return;
	c->is_paused = paused;
	c->paused_at = mono_now();
	/* A recording stands still itself, so that stepping through it is seen. */
	bool is_held = paused && !(source->ops->pause && source->ops->pause(source->self, paused));
	if (!paused && source->ops->pause)
		source->ops->pause(source->self, false);
	for (int i = 0; i < c->ntargets; i++) {
		snapshot_unref(c->targets[i].held);
		c->targets[i].held = is_held ? snapshot_ref(c->targets[i].snap) : NULL;
	}
	c->is_dirty = true;
}

/* ------------------------------------------------------------------------------------ moving */

bool
console_close(struct console *c)
{
	c->is_dirty = true;
	if (c->chooser.is_open) {
		c->chooser.is_open = false;
		return true;
	}
	if (c->npages == 0)
		return false;
	console_close_page(c);
	return true;
}

bool
console_back(struct console *c)
{
	struct view *v = &console_pane_view(c)->view;
	struct error err;

	if (console_close(c))
		return true;
	if (v->expanded) {
		v->expanded = false;
		return true;
	}
	if (*v->opts.drill || v->opts.drill_id) {
		v->opts.drill[0] = '\0';
		v->opts.drill_id = 0;
		view_stale(v);
		return true;
	}
	return v->filter_text && view_filter(v, "", &err);
}

bool
console_find(struct console *c, bool backwards)
{
	struct page *page = console_page(c);

	c->is_dirty = true;
	if (page) {
		snprintf(page->view.search, sizeof(page->view.search), "%s", c->find);
		if (!docview_find(&page->view, &page->doc, backwards))
			console_message(c, ROLE_INFO,
			    *c->find ? "no more \"%s\"" : "nothing to find yet: press /", c->find);
		return true;
	}
	struct view *v = console_view(c);
	int to = v->cursor + (backwards ? -1 : 1);
	if (v->grid.nrows == 0)
		return false;
	view_goto(v, to >= v->grid.nrows ? 0 : to < 0 ? v->grid.nrows - 1 : to);
	return true;
}

static void
move_page(struct page *page, enum console_motion motion, int n)
{
	struct docview *v = &page->view;
	int whole = v->page > 1 ? v->page - 1 : 1, half = v->page > 1 ? v->page / 2 : 1;

	switch (motion) {
	case MOVE_UP:
	case MOVE_DOWN:
		docview_scroll(v, motion == MOVE_UP ? -n : n);
		break;
	case MOVE_PAGE_UP:
	case MOVE_PAGE_DOWN:
		docview_scroll(v, motion == MOVE_PAGE_UP ? -n * whole : n * whole);
		break;
	case MOVE_HALF_UP:
	case MOVE_HALF_DOWN:
		docview_scroll(v, motion == MOVE_HALF_UP ? -n * half : n * half);
		break;
	case MOVE_TOP:
		docview_scroll(v, -DOCVIEW_END);
		break;
	case MOVE_BOTTOM:
		docview_scroll(v, DOCVIEW_END);
		break;
	case MOVE_LEFT:
	case MOVE_FIRST_COLUMN:
		v->left = motion == MOVE_LEFT && v->left > 8 * n ? v->left - 8 * n : 0;
		break;
	case MOVE_RIGHT:
	case MOVE_LAST_COLUMN:
		v->left += v->no_wrap ? 8 * n : 0;
		break;
	}
}

static void
move_table(struct console *c, enum console_motion motion, int n)
{
	struct pane_view *pv = console_pane_view(c);
	struct view *v = console_view(c);
	struct table_spec spec = { .grid = &v->grid, .cols = v->cols, .ncols = v->ncols };
	int page = table_page(&c->table_area) > 1 ? table_page(&c->table_area) - 1 : 1;
	int half = page > 1 ? page / 2 : 1;

	switch (motion) {
	case MOVE_UP:
	case MOVE_DOWN:
		view_goto(v, v->cursor + (motion == MOVE_UP ? -n : n));
		break;
	case MOVE_PAGE_UP:
	case MOVE_PAGE_DOWN:
		view_goto(v, v->cursor + (motion == MOVE_PAGE_UP ? -n * page : n * page));
		break;
	case MOVE_HALF_UP:
	case MOVE_HALF_DOWN:
		view_goto(v, v->cursor + (motion == MOVE_HALF_UP ? -n * half : n * half));
		break;
	case MOVE_TOP:
		view_goto(v, 0);
		break;
	case MOVE_BOTTOM:
		view_goto(v, v->grid.nrows - 1);
		break;
	case MOVE_LEFT:
	case MOVE_RIGHT:
		table_hscroll(&pv->table, &spec, motion == MOVE_LEFT ? -n : n);
		break;
	case MOVE_FIRST_COLUMN:
		pv->table.hscroll = 0;
		break;
	case MOVE_LAST_COLUMN:
		pv->table.hscroll = v->ncols;
		break;
	}
}

void
console_move(struct console *c, enum console_motion motion, int n)
{
	c->is_dirty = true;
	if (console_page(c))
		move_page(console_page(c), motion, n);
	else
		move_table(c, motion, n);
}

void
console_redraw(struct console *c)
{
	table_reset(&console_pane_view(c)->table);
	screen_repaint();
	c->is_dirty = true;
}

void
console_suspend(struct console *c)
{
	screen_suspend();
	c->was_away = c->is_dirty = true;
}

void
console_dump(struct console *c, struct strbuf *out)
{
	console_draw(c);
	screen_dump(out);
}

void
console_describe(struct console *c, struct strbuf *out)
{
	const struct view *v = &console_pane_view(c)->view;
	struct arena arena = { 0 };

	strbuf_addf(out, "target %s\n", lex_quote(&arena, c->conf->targets->items[c->target].name));
	strbuf_addf(out, "pane %s\n", v->pane->name);
	strbuf_addf(out, "refresh %g\n", console_refresh_ms(c) / 1000.0);
	strbuf_adds(out, "columns");
	for (int i = 0; i < v->ncols; i++)
		strbuf_addf(out, " %s", v->pane->columns[v->cols[i]].name);
	strbuf_addc(out, '\n');
	if (v->sort_col >= 0)
		strbuf_addf(out, "sort %s %s\n", v->pane->columns[v->sort_col].name,
		    v->is_descending ? "desc" : "asc");
	strbuf_addf(out, "filter %s\n", v->filter_text ? v->filter_text : "");
	if (v->pane->modes)
		strbuf_addf(out, "mode %s\n", v->pane->modes[v->opts.mode].name);
	arena_release(&arena);
}

/* ------------------------------------------------------------------------------------
 * run_ctx.screen */

static const struct pane *
shown_pane(struct console *c)
{
	return panes[console_state(c)->pane];
}

static void
fill_whole(struct console *c, struct grid *grid)
{
	struct view *v = console_view(c);
	struct pane_ctx ctx = view_ctx(v, console_snapshot(c), mono_now());

	v->pane->fill(&ctx, grid);
	grid_seal(grid);
	if (v->sort_col >= 0)
		grid_sort(grid, v->sort_col, v->is_descending);
}

static uint64_t
cursor_key(struct console *c, bool *any)
{
	const struct grid_row *row = view_row(console_view(c));
	*any = row != NULL;
	return row ? row->key : 0;
}

static bool
tagged(struct console *c, uint64_t key)
{
	return view_is_tagged(&console_pane_view(c)->view, key);
}

static int
tags(struct console *c)
{
	return console_pane_view(c)->view.ntags;
}

static const char *
filter_text(struct console *c)
{
	const struct view *v = &console_pane_view(c)->view;
	return v->filter_text ? v->filter_text : "";
}

static void
show_doc(struct console *c, const char *title, const struct doc *from)
{
	struct doc doc = { 0 };

	/* Lines of a doc are clean; doc_text keeps them so, and the labels are put back. */
	for (int i = 0; i < from->n; i++) {
		doc_text(
		    &doc, from->lines[i].role, from->lines[i].text, strlen(from->lines[i].text));
		if (doc.n == i + 1)
			doc.lines[i].label_len = from->lines[i].label_len;
	}
	console_doc(c, title, &doc);
}

static void
say(struct console *c, enum role role, const char *line)
{
	console_message(c, role, "%s", line);
}

static void
suspend_screen(struct console *c)
{
	(void)c;
	screen_leave();
}

static void
resume_screen(struct console *c)
{
	screen_enter();
	c->was_away = c->is_dirty = true;
}

static struct acting *
console_acting(struct console *c)
{
	const struct source *source = &c->conf->source;
	bool is_past = source->ops->is_past && source->ops->is_past(source->self);
	return is_past ? NULL : c->acting;
}

static struct advising *
console_advising(struct console *c)
{
	return console_acting(c) ? c->advising : NULL;
}

static int
shown_target(struct console *c)
{
	return c->target;
}

const struct run_screen console_screen = {
	.snapshot = console_snapshot,
	.pane = shown_pane,
	.fill = fill_whole,
	.cursor = cursor_key,
	.is_tagged = tagged,
	.tags = tags,
	.filter = filter_text,
	.show_doc = show_doc,
	.say = say,
	.suspend = suspend_screen,
	.resume = resume_screen,
	.acting = console_acting,
	.advising = console_advising,
	.target = shown_target,
};
