/*
 * One frame: title line, tabs, the pane's head, its table (or a document over it), notes or a
 * message, hints or the prompt.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "app/console_priv.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "tui/prompt.h"

enum { LABEL_ROWS = 2 }; /* title and tabs */

/* ------------------------------------------------------------------------------------ below the
 * table */

static void
add_clean(struct strbuf *out, const char *text)
{
	utf8_clean(out, text, strlen(text), true);
}

static int
note_rows(struct console *c, int rows)
{
	const struct view *v = &console_pane_view(c)->view;
	int most = rows >= 40 ? 3 : 1;

	if (*c->message || (c->acting && acting_state(c->acting) != ACTING_NONE))
		return 1;
	return v->grid.nnotes < most ? v->grid.nnotes : most;
}

static enum role
note_role(const char *code)
{
	static const char *const warnings[] = { "denied", "stale", "reset", "restart", "failed",
		"timeout", "lost", "failover", "promoted", "stats_reset" };
	for (size_t i = 0; i < ARRAY_LEN(warnings); i++)
		if (strcmp(code, warnings[i]) == 0)
			return ROLE_WARN;
	return ROLE_HINT;
}

static void
draw_note(struct draw *d, int row, const struct grid_note *note, int more)
{
	struct strbuf text = STRBUF_INIT(4096);
	char count[40] = "";

	add_clean(&text, note->what);
	if (note->hint && *note->hint) {
		strbuf_adds(&text, "  ");
		add_clean(&text, note->hint);
	}
	if (more > 0)
		snprintf(count, sizeof(count), " (and %d more: ?)", more);
	struct draw line = { d->y + row, d->x, 1, d->cols - (int)strlen(count) };
	int used = draw_textn(&line, 0, 0, note_role(note->code), text.buf, text.len);
	line.cols = d->cols;
	draw_text(&line, 0, used, ROLE_DIM, count);
	strbuf_release(&text);
}

static void
draw_notes(struct console *c, struct draw *d)
{
	const struct grid *grid = &console_pane_view(c)->view.grid;

	if (*c->message) {
		draw_text(d, 0, 0, c->message_role, c->message);
		return;
	}
	if (c->confirm_is_open) {
		const struct docview *v = &c->confirm_view;
		bool has_more = v->top + v->page < v->total;
		draw_printf(d, 0, 0, ROLE_HINT, "%s%s", has_more ? "PgDn: more of the plan. " : "",
		    "Nothing is done without an answer within a minute.");
		return;
	}
	if (c->acting && acting_state(c->acting) != ACTING_NONE) {
		draw_printf(d, 0, 0, ROLE_INFO, "%s: %s", acting_title(c->acting),
		    acting_state(c->acting) == ACTING_LOOKING ? "looking (Esc gives it up)" :
		                                                "running (Ctrl-C stops it)");
		return;
	}
	for (int i = 0; i < d->rows && i < grid->nnotes; i++)
		draw_note(d, i, &grid->notes[i], i == d->rows - 1 ? grid->nnotes - d->rows : 0);
}

/* Commands worth a hint, in order; their keys come from the keymap. */
static const struct hint {
	const char *command, *label;
	bool on_page, on_table;
} hints[] = {
	{ "keys", "help", true, true },
	{ "prompt :", "command", true, true },
	{ "prompt /", "filter", false, true },
	{ "prompt /", "find", true, false },
	{ "detail", "detail", false, true },
	{ "tag", "tag", false, true },
	{ "pause", "pause", false, true },
	{ "cancel", "cancel", false, true },
	{ "terminate", "terminate", false, true },
	{ "columns", "columns", false, true },
	{ "leave", "quit", false, true },
	{ "leave", "back", true, false },
};

static const struct binding *
binding_of(struct console *c, const char *command)
{
	const char *context = console_context(c);
	for (int own = 1; own >= 0; own--)
		for (int i = 0; i < c->keymap.n; i++) {
			const struct binding *b = &c->keymap.bindings[i];
			bool is_mouse = b->keys[0] >= TK_WHEEL_UP && b->keys[0] <= TK_DOUBLE_CLICK;
			if (b->command && !is_mouse && strcmp(b->command, command) == 0 &&
			    (strcmp(b->pane, context) == 0) == (own == 1) &&
			    keymap_is_live(&c->keymap, b, context))
				return b;
		}
	return NULL;
}

/* "Enter" instead of "<Enter>": there is no mistaking it here. */
static void
hint_keys(const struct binding *b, char *buf, size_t size)
{
	binding_keys(b, buf, size);
	size_t len = strlen(buf);
	if (b->nkeys == 1 && len > 2 && buf[0] == '<' && buf[len - 1] == '>') {
		memmove(buf, buf + 1, len - 2);
		buf[len - 2] = '\0';
	}
}

static void
draw_hints(struct console *c, struct draw *line)
{
	bool on_page = console_page(c) != NULL;
	int x = 0;

	draw_clear(line, 0, 0, ROLE_STATUS);
	if (c->confirm_is_open) {
		draw_text(line, 0, 0, ROLE_STATUS,
		    "y yes  any other key no  Up Down PageUp PageDown read on");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(hints); i++) {
		const struct binding *b = (on_page ? hints[i].on_page : hints[i].on_table) ?
		    binding_of(c, hints[i].command) :
		    NULL;
		char keys[96];
		if (!b)
			continue;
		hint_keys(b, keys, sizeof(keys));
		if (x + (int)strlen(keys) + (int)strlen(hints[i].label) + 3 > line->cols)
			break;
		x += draw_text(line, 0, x, ROLE_KEY, keys);
		x += draw_printf(line, 0, x, ROLE_STATUS, " %s  ", hints[i].label);
	}
}

/* ------------------------------------------------------------------------------------ the middle
 */

/* Words of the filter that occur as they stand: those are highlighted. */
static void
gather_matches(struct pane_view *pv)
{
	struct words words;
	struct error err;
	int n = 0;

	memset(pv->match, 0, sizeof(pv->match));
	arena_reset(&pv->match_arena);
	if (!pv->view.filter_text ||
	    !lex_line(&pv->match_arena, pv->view.filter_text, false, &words, &err))
		return;
	for (int i = 0; i < words.n && n < TABLE_MAX_MATCH - 1; i++) {
		const char *word = words.w[i].text;
		if (!words.w[i].is_quoted && (*word == '!' || *word == '/' || strpbrk(word, "<>=")))
			continue;
		const char *colon = words.w[i].is_quoted ? NULL : strchr(word, ':');
		word = colon ? colon + 1 : word;
		if (*word)
			pv->match[n++] = word;
	}
}

static bool
is_tagged(const void *arg, uint64_t key)
{
	return view_is_tagged(arg, key);
}

static void
draw_table(struct console *c, struct draw *d)
{
	struct pane_view *pv = console_pane_view(c);
	struct view *v = &pv->view;
	struct table_spec spec = {
		.grid = &v->grid,
		.cols = v->cols,
		.ncols = v->ncols,
		.sort_col = v->sort_col,
		.is_descending = v->is_descending,
		.cursor = v->cursor,
		.wrap = v->wrap,
		.is_tagged = v->ntags > 0 ? is_tagged : NULL,
		.arg = v,
	};
	gather_matches(pv);
	memcpy(spec.match, pv->match, sizeof(spec.match));
	c->table_area = *d;
	table_draw(d, &pv->table, &spec);
}

/* What stands where rows would be: why there are none. */
static void
draw_nothing(struct console *c, struct draw *d)
{
	const struct snapshot *s = console_snapshot(c);
	const struct view *v = &console_pane_view(c)->view;
	int row = 2;

	if (v->grid.nrows > 0 || d->rows < 4)
		return;
	if (v->filter_text && v->nall > 0) {
		draw_printf(d, row, 2, ROLE_DIM, "none of %d rows matches the filter", v->nall);
	} else if (s->link == LINK_CONNECTING || s->link == LINK_DOWN) {
		char late[CONSOLE_MESSAGE];
		int next;
		console_late(c, mono_now(), late, sizeof(late), &next);
		draw_text(d, row++, 2, ROLE_WARN, late);
		if (*s->link_hint)
			draw_text(d, row++, 2, ROLE_HINT, s->link_hint);
		if (s->link == LINK_DOWN)
			draw_text(d, row, 2, ROLE_HINT,
			    "`:diagnose connect` walks the way to it, and says where it ends.");
	} else if (!s->taken_mono.us) {
		draw_text(d, row, 2, ROLE_DIM, "no data yet");
	} else {
		draw_text(d, row, 2, ROLE_DIM,
		    v->grid.nnotes > 0 ? "no rows: see the note below" : "no rows");
	}
}

static void
draw_expanded(struct console *c, struct draw *d)
{
	struct doc doc = { 0 };
	struct docview view = { 0 };
	const struct view *v = &console_pane_view(c)->view;

	draw_clear(d, 0, 0, ROLE_FRAME);
	struct draw below = { d->y + 1, d->x, d->rows - 1, d->cols };
	if (view_row(v))
		row_doc(v, v->cursor, &doc);
	docview_draw(&below, &view, &doc);
	doc_release(&doc);
}

static void
draw_pane(struct console *c, struct draw *d)
{
	struct view *v = console_view(c);
	struct pane_ctx ctx = view_ctx(v, console_snapshot(c), mono_now());
	struct draw area = *d;
	int head = v->pane->head_rows ? v->pane->head_rows(&ctx, d->cols, d->rows) : 0;

	if (head > d->rows - 3)
		head = d->rows - 3;
	if (head > 0 && v->pane->head) {
		struct draw top = { d->y, d->x, head, d->cols };
		v->pane->head(&ctx, &v->grid, &top);
		area.y += head;
		area.rows -= head;
	}
	int expanded = v->expanded && area.rows >= 8 ? area.rows / 2 : 0;
	area.rows -= expanded;
	draw_table(c, &area);
	draw_nothing(c, &area);
	if (expanded > 0) {
		struct draw below = { area.y + area.rows, d->x, expanded, d->cols };
		draw_expanded(c, &below);
	}
}

/* Which lines of a document are in sight, when not all are. */
static void
draw_extent(struct draw *title, int x, const struct docview *view)
{
	if (view->total > view->page)
		draw_printf(title, 0, x, ROLE_HEADER, "  %d-%d of %d", view->top + 1,
		    view->top + view->page, view->total);
}

static void
draw_page(struct page *page, struct draw *d)
{
	struct draw title = { d->y, d->x, 1, d->cols };
	struct draw body = { d->y + 1, d->x, d->rows - 1, d->cols };

	docview_draw(&body, &page->view, &page->doc);
	draw_clear(&title, 0, 0, ROLE_HEADER);
	int x = draw_printf(
	    &title, 0, 0, ROLE_HEADER, "%s%s", page->title, page->is_gone ? " (gone)" : "");
	draw_extent(&title, x, &page->view);
}

static void
draw_confirm(struct console *c, struct draw *d)
{
	const struct doc *doc = acting_doc(c->acting);
	struct draw title = { d->y, d->x, 1, d->cols };
	struct draw body = { d->y + 1, d->x, d->rows - 2, d->cols };
	struct draw last = { d->y + d->rows - 1, d->x, 1, d->cols };

	draw_clear(&title, 0, 0, ROLE_HEADER);
	if (doc)
		docview_draw(&body, &c->confirm_view, doc);
	draw_extent(&title, draw_text(&title, 0, 0, ROLE_HEADER, acting_title(c->acting)),
	    &c->confirm_view);
	draw_clear(&last, 0, 0, ROLE_CRIT);
	draw_text(&last, 0, 0, ROLE_CRIT, acting_question(c->acting));
}

static void
draw_middle(struct console *c, struct draw *d)
{
	struct page *page = console_page(c);

	if (d->rows < 2)
		return;
	if (c->confirm_is_open)
		draw_confirm(c, d);
	else if (c->chooser.is_open)
		chooser_draw(c, d);
	else if (page)
		draw_page(page, d);
	else
		draw_pane(c, d);
}

void
console_draw(struct console *c)
{
	struct draw screen = screen_area();
	int cursor_row = -1, cursor_col = 0;

	c->is_dirty = false;
	screen_begin();
	console_view(c);
	console_update_detail(c);
	console_draw_title(c, &screen, mono_now());
	if (screen.rows > LABEL_ROWS)
		console_draw_tabs(c, &screen);
	struct draw bottom = { screen.rows - 1, 0, 1, screen.cols };
	bool has_bottom = prompt_is_open() || !c->no_hints;
	struct draw middle = { LABEL_ROWS, 0, screen.rows - LABEL_ROWS - has_bottom, screen.cols };
	int extra = prompt_is_open() ? prompt_extra_rows(screen.cols, screen.rows / 2) : 0;
	int notes = middle.rows > 4 ? note_rows(c, screen.rows) : 0;
	middle.rows -= notes + extra;
	draw_middle(c, &middle);
	struct draw note_area = { middle.y + middle.rows, 0, notes, screen.cols };
	if (notes > 0)
		draw_notes(c, &note_area);
	if (screen.rows <= LABEL_ROWS) {
		screen_show(-1, 0);
		return;
	}
	if (prompt_is_open()) {
		bottom.y -= extra;
		bottom.rows += extra;
		prompt_draw(&bottom, &cursor_col);
		cursor_row = screen.rows - 1;
	} else if (has_bottom) {
		draw_hints(c, &bottom);
	}
	screen_show(cursor_row, cursor_col);
}
