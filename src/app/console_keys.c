/*
 * From a key to a command line. An open question, the prompt and the column chooser see keys first;
 * then the keymap says which command a key means here.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/complete.h"
#include "app/console_priv.h"
#include "base/mem.h"
#include "tui/prompt.h"

/* ------------------------------------------------------------------------------------ prompt */

void
console_complete(void *ctx, const char *line, int point, int *start,
    void (*add)(void *arg, const char *text), void *arg)
{
	struct console *c = ctx;
	struct arena arena = { 0 };
	struct completion out = { 0 };
	struct complete_ctx complete = {
		.snap = console_snapshot(c),
		.pane = panes[console_state(c)->pane],
		.targets = c->conf->targets,
		.themes = console_theme_names(&arena),
		.keymaps = console_keymap_names(&arena),
	};

	complete_line(&arena, &complete, line, point, &out);
	*start = out.from;
	for (int i = 0; i < out.n; i++)
		add(arg, out.items[i]);
	arena_release(&arena);
}

void
console_prompt(struct console *c, char kind, const char *text)
{
	c->is_prompt_filter = c->is_prompt_find = false;
	if (kind != '/') {
		prompt_open(PROMPT_COMMAND, ":", text);
	} else if (console_page(c)) {
		c->is_prompt_find = true;
		prompt_open(PROMPT_FILTER, "find: ", text);
	} else {
		const struct view *v = &console_pane_view(c)->view;
		c->is_prompt_filter = true;
		free(c->filter_before);
		c->filter_before = xstrdup(v->filter_text ? v->filter_text : "");
		prompt_open(PROMPT_FILTER, "/", text && *text ? text : c->filter_before);
	}
	c->is_dirty = true;
}

/* The table follows each keystroke; half a filter that cannot be read yet changes nothing. */
static void
filter_as_typed(struct console *c, const char *text)
{
	struct error err = { 0 };
	struct view *v = &console_pane_view(c)->view;

	if (!view_filter(v, text, &err))
		console_message(c, ROLE_WARN, "%s", err.what);
	else
		c->message[0] = '\0';
}

static void
prompt_accepted(struct console *c, const char *line)
{
	struct error err = { 0 };

	if (prompt_kind() == PROMPT_ANSWER) {
		if (c->confirm_is_open && !acting_answer(c->acting, line, &err))
			console_error(c, &err);
		if (c->acting && acting_state(c->acting) == ACTING_ASKING)
			acting_abort(c->acting);
		return;
	}
	if (c->is_prompt_find) {
		snprintf(c->find, sizeof(c->find), "%s", line);
		if (console_page(c))
			snprintf(console_page(c)->view.search, sizeof(console_page(c)->view.search),
			    "%s", line);
		console_find(c, false);
	} else if (c->is_prompt_filter) {
		c->message[0] = '\0';
		if (!view_filter(&console_pane_view(c)->view, line, &err))
			console_error(c, &err);
	} else if (*line) {
		char *copy = xstrdup(line);
		c->message[0] = '\0';
		console_execute(c, copy);
		free(copy);
	}
	c->is_prompt_filter = c->is_prompt_find = false;
}

static void
prompt_cancelled(struct console *c)
{
	if (prompt_kind() == PROMPT_ANSWER && c->confirm_is_open)
		acting_abort(c->acting);
	if (c->is_prompt_filter) {
		struct error err = { 0 };
		c->message[0] = '\0';
		if (!view_filter(&console_pane_view(c)->view, "", &err))
			console_error(c, &err);
	}
	c->is_prompt_filter = c->is_prompt_find = false;
}

static void
prompt_typed(struct console *c, uint32_t key)
{
	const char *line;

	switch (prompt_key(key, &line)) {
	case PROMPT_ACCEPTED:
		prompt_accepted(c, line);
		break;
	case PROMPT_CANCELLED:
		prompt_cancelled(c);
		break;
	case PROMPT_EDITING:
		if (c->is_prompt_filter)
			filter_as_typed(c, prompt_text());
		break;
	}
	c->is_dirty = true;
}

void
console_paste(struct console *c, const char *text, size_t len)
{
	if (!prompt_is_open()) {
		console_message(
		    c, ROLE_INFO, "pasted text is taken at the prompt only: press : first");
		return;
	}
	prompt_paste(text, len);
	if (c->is_prompt_filter)
		filter_as_typed(c, prompt_text());
	c->is_dirty = true;
}

/* ------------------------------------------------------------------------------------ questions */

/* Scrolling the plan; everything else but the answer means no. */
static bool
scroll_plan(struct console *c, uint32_t key)
{
	int page = c->confirm_view.page > 1 ? c->confirm_view.page - 1 : 1;

	switch (key) {
	case TK_UP:
	case TK_WHEEL_UP:
		docview_scroll(&c->confirm_view, -1);
		return true;
	case TK_DOWN:
	case TK_WHEEL_DOWN:
		docview_scroll(&c->confirm_view, 1);
		return true;
	case TK_PAGE_UP:
		docview_scroll(&c->confirm_view, -page);
		return true;
	case TK_PAGE_DOWN:
		docview_scroll(&c->confirm_view, page);
		return true;
	case TK_CLICK:
	case TK_DOUBLE_CLICK:
		return true;
	}
	return false;
}

static void
confirm_key(struct console *c, uint32_t key)
{
	struct error err = { 0 };

	c->is_dirty = true;
	if (scroll_plan(c, key))
		return;
	if (prompt_is_open()) {
		prompt_typed(c, key);
	} else if (key == 'y') {
		if (!acting_answer(c->acting, "y", &err))
			console_error(c, &err);
	} else {
		acting_abort(c->acting);
	}
}

/* ------------------------------------------------------------------------------------ keys */

/* Ctrl-C: the current thing first, the program only when there is none. */
static void
interrupt(struct console *c)
{
	if (c->acting && acting_state(c->acting) != ACTING_NONE) {
		acting_abort(c->acting);
		console_message(c, ROLE_INFO, "stopped: %s", acting_title(c->acting));
	} else if (c->nkeys > 0) {
		c->nkeys = 0;
	} else if (!console_back(c)) {
		console_quit(c, EXIT_DONE);
	}
}

/* A plan is being made and nothing is before it: Esc gives it up, since nothing was done yet. */
static bool
only_looks(struct console *c)
{
	return c->acting && acting_state(c->acting) == ACTING_LOOKING && !console_page(c) &&
	    c->nkeys == 0;
}

static void
click_tab(struct console *c)
{
	struct error err = { 0 };

	for (int i = 0; i < (int)ARRAY_LEN(c->tab_from) && panes[i]; i++)
		if (c->mouse_col >= c->tab_from[i] && c->mouse_col < c->tab_to[i] &&
		    c->tab_from[i] >= 0 && !console_pane(c, panes[i]->name, &err))
			console_error(c, &err);
}

bool
console_click(struct console *c)
{
	struct pane_view *pv = console_pane_view(c);
	struct view *v = &pv->view;
	struct table_spec spec = { .grid = &v->grid, .cols = v->cols, .ncols = v->ncols };
	int row, col;

	c->is_dirty = true;
	if (c->mouse_row == 1) {
		click_tab(c);
		return false;
	}
	if (console_page(c))
		return false;
	table_hit(&pv->table, &spec, c->mouse_row - c->table_area.y, c->mouse_col - c->table_area.x,
	    &row, &col);
	if (row >= 0) {
		view_goto(v, row);
	} else if (col >= 0) {
		if (col == v->sort_col)
			view_sort_invert(v);
		else
			v->sort_col = col;
		v->is_arranged = false;
	}
	return row >= 0;
}

static void
table_key(struct console *c, uint32_t key)
{
	const struct binding *binding;
	const char *context = console_context(c);
	bool was_adjusting = c->is_adjusting;

	/* Only the key right after a change of the interval finds is_adjusting set. */
	c->keys[c->nkeys++] = key;
	enum keymap_hit hit = keymap_find(&c->keymap, context, true, c->keys, c->nkeys, &binding);
	if (hit == KEYMAP_PREFIX && c->nkeys < KEYMAP_SEQ)
		return;
	c->nkeys = 0;
	if (*c->message)
		c->is_dirty = true;
	c->message[0] = '\0';
	if (hit != KEYMAP_YES) {
		char name[32];
		if (TK_CODE(key) != TK_ESC)
			console_message(c, ROLE_DIM, "%s does nothing here; ? shows the keys",
			    key_text(key, name, sizeof(name)));
		return;
	}
	int before = console_refresh_ms(c);
	console_execute(c, binding->command);
	c->is_adjusting = c->is_adjusting && (!was_adjusting || console_refresh_ms(c) != before);
}

void
console_key(struct console *c, uint32_t key)
{
	if (key == TK_NONE)
		return;
	if (c->confirm_is_open) {
		confirm_key(c, key);
	} else if (prompt_is_open()) {
		if (key == TK_WHEEL_UP || key == TK_WHEEL_DOWN || key == TK_CLICK ||
		    key == TK_DOUBLE_CLICK)
			return;
		prompt_typed(c, key);
	} else if (c->chooser.is_open && chooser_key(c, key)) {
		c->is_dirty = true;
	} else if (key == ('c' | TK_CTRL) || (TK_CODE(key) == TK_ESC && only_looks(c))) {
		interrupt(c);
		c->is_dirty = true;
	} else {
		table_key(c, key);
	}
}
