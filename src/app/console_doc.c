/* Documents over the table: help, plans, and the detail of a row, which follows its row as long as
 * that exists. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "app/console_priv.h"
#include "base/strbuf.h"
#include "base/utf8.h"

enum { LOOK_EVERY_MS = 3000, LOOK_TIMEOUT_MS = 2000 };

struct page *
console_page(struct console *c)
{
	return c->npages > 0 ? &c->pages[c->npages - 1] : NULL;
}

static void
page_release(struct console *c, struct page *page)
{
	if (page->look_ticket)
		collector_cancel(c->conf->collector, page->look_ticket);
	rowset_unref(page->look);
	doc_release(&page->doc);
	memset(page, 0, sizeof(*page));
}

void
console_close_page(struct console *c)
{
	struct page *page = console_page(c);
	if (!page)
		return;
	page_release(c, page);
	c->npages--;
	c->is_dirty = true;
}

static struct page *
open_page(struct console *c, const char *title)
{
	struct strbuf clean = STRBUF_INIT(1024);

	if (c->npages == CONSOLE_PAGES) {
		page_release(c, &c->pages[0]);
		memmove(&c->pages[0], &c->pages[1], sizeof(c->pages[0]) * (CONSOLE_PAGES - 1));
		c->npages--;
	}
	struct page *page = &c->pages[c->npages++];
	memset(page, 0, sizeof(*page));
	utf8_clean(&clean, title, strlen(title), true);
	snprintf(page->title, sizeof(page->title), "%.*s",
	    (int)utf8_fit(clean.buf, clean.len, 120, NULL), clean.buf);
	strbuf_release(&clean);
	c->is_dirty = true;
	return page;
}

void
console_doc(struct console *c, const char *title, struct doc *doc)
{
	struct page *page = open_page(c, title);
	page->doc = *doc;
	memset(doc, 0, sizeof(*doc));
}

/* Every column in full, as psql's \x does. */
void
row_doc(const struct view *v, int row, struct doc *doc)
{
	const struct grid *grid = &v->grid;
	struct strbuf text = STRBUF_INIT(2u << 20);

	for (int i = 0; i < grid->ncols; i++) {
		const struct column *col = &grid->cols[i];
		const struct cell *cell = &grid->rows[row].cells[i];
		if (col->flags & COL_NOJSON)
			continue;
		if (col->kind == COL_QUERY && cell->type == CELL_TEXT) {
			doc_pair(doc, col->name, ROLE_NORMAL, "%s", "");
			doc_text(doc, (enum role)cell->role, cell->s, cell->len);
			continue;
		}
		strbuf_clear(&text);
		grid_cell_text(&text, col->kind, cell);
		doc_pair(doc, col->name, (enum role)cell->role, "%s", text.buf);
	}
	strbuf_release(&text);
}

/* While a detail is open its own query is asked every few seconds, and never twice at a time. */
static void
ask_look(
    struct console *c, struct page *page, const struct view *v, const struct pane_ctx *ctx, int row)
{
	const struct source *source = &c->conf->source;
	struct run_request req = {
		.kind = RUN_LOOK, .query = v->pane->look, .timeout_ms = LOOK_TIMEOUT_MS
	};
	struct mono now = mono_now();
	struct arena arena = { 0 };

	if (!req.query || !c->conf->collector || page->look_ticket ||
	    (page->looked_at.us && mono_since_ms(now, page->looked_at) < LOOK_EVERY_MS) ||
	    (source->ops->is_past && source->ops->is_past(source->self)))
		return;
	req.nparams = v->pane->look_params(ctx, &v->grid, row, &arena, req.params);
	if (req.nparams >= 0) {
		page->look_ticket = collector_run(c->conf->collector, c->target, &req);
		page->looked_at = now;
	}
	arena_release(&arena);
}

bool
console_page_outcome(struct console *c, struct run_outcome *outcome)
{
	for (int i = 0; i < c->npages; i++) {
		struct page *page = &c->pages[i];
		if (!page->look_ticket || page->look_ticket != outcome->ticket)
			continue;
		page->look_ticket = 0;
		rowset_unref(page->look);
		page->look = outcome->rows;
		outcome->rows = NULL;
		page->fills = 0; /* made anew with what came */
		c->is_dirty = true;
		return true;
	}
	return false;
}

static void
fill_detail(struct console *c, struct page *page, const struct view *v, int row)
{
	struct pane_ctx ctx = view_ctx(v, console_snapshot(c), mono_now());

	page->fills = v->fills;
	ctx.look = page->look;
	ask_look(c, page, v, &ctx, row);
	doc_reset(&page->doc);
	if (v->pane->detail)
		v->pane->detail(&ctx, &v->grid, row, &page->doc);
	else
		row_doc(v, row, &page->doc);
}

/* What a row is called by: the name that stays when columns scroll, else the number of its key. */
static int
naming_column(const struct view *v)
{
	int number = -1;

	for (int i = 0; i < v->grid.ncols; i++) {
		const struct column *col = &v->grid.cols[i];
		if ((col->flags & COL_KEY) && (col->flags & COL_FIXED))
			return i;
		if (number < 0 && (col->flags & COL_KEY) && col->kind == COL_INT)
			number = i;
	}
	return number >= 0 ? number : 0;
}

void
console_open_detail(struct console *c)
{
	struct view *v = console_view(c);
	const struct grid_row *row = view_row(v);
	char title[160];

	if (!row) {
		console_message(c, ROLE_INFO, "there is no row to look at");
		return;
	}
	struct strbuf first = STRBUF_INIT(200);
	int col = naming_column(v);
	grid_cell_text(&first, v->grid.cols[col].kind, &row->cells[col]);
	snprintf(title, sizeof(title), "%s: %s", v->pane->name, first.buf);
	strbuf_release(&first);
	struct page *page = open_page(c, title);
	page->is_detail = true;
	page->pane = console_state(c)->pane;
	page->key = row->key;
	fill_detail(c, page, v, v->cursor);
}

/* After a new snapshot: the same row, or a mark that it is gone. */
void
console_update_detail(struct console *c)
{
	struct page *page = console_page(c);

	if (!page || !page->is_detail || page->pane != console_state(c)->pane)
		return;
	struct view *v = console_view(c);
	if (page->fills == v->fills)
		return;
	for (int i = 0; i < v->nall; i++) {
		if (v->all[i].key != page->key)
			continue;
		/* The row may be filtered away, but detail functions want a row of the grid. */
		for (int row = 0; row < v->grid.nrows; row++)
			if (v->grid.rows[row].key == page->key)
				fill_detail(c, page, v, row);
		page->is_gone = false;
		return;
	}
	page->is_gone = true;
}

void
console_wrap(struct console *c)
{
	struct page *page = console_page(c);
	if (!page)
		return;
	page->view.no_wrap = !page->view.no_wrap;
	page->view.left = 0;
	c->is_dirty = true;
}

/* ------------------------------------------------------------------------------------ keys */

/* Bindings in force here, the pane's own before those for all. Those with the same command share a
 * line. */
static void
keys_of(struct console *c, const char *context, bool own, struct doc *doc)
{
	const struct keymap *map = &c->keymap;

	for (int i = 0; i < map->n; i++) {
		const struct binding *b = &map->bindings[i];
		if (!keymap_is_live(map, b, context) || (strcmp(b->pane, "any") != 0) != own)
			continue;
		bool is_first = true;
		struct strbuf keys = STRBUF_INIT(400);
		for (int k = 0; k < map->n; k++) {
			const struct binding *same = &map->bindings[k];
			char text[96];
			if (!keymap_is_live(map, same, context) ||
			    strcmp(same->command, b->command) != 0 ||
			    strcmp(same->pane, b->pane) != 0)
				continue;
			is_first = is_first && k >= i;
			strbuf_addf(&keys, "%s%s", keys.len ? " " : "",
			    binding_keys(same, text, sizeof(text)));
		}
		if (is_first)
			doc_pair(doc, keys.buf, ROLE_NORMAL, "%s", *b->help ? b->help : b->command);
		strbuf_release(&keys);
	}
}

static void
pane_doc(const struct view *v, struct doc *doc)
{
	doc_add(doc, ROLE_STRONG, "%s", v->pane->name);
	doc_add(doc, ROLE_NORMAL, "%s", v->pane->help);
	for (int i = 0; i < v->grid.nnotes; i++) {
		const struct grid_note *note = &v->grid.notes[i];
		doc_add(doc, ROLE_WARN, "%s%s%s", note->what, *note->hint ? ": " : "", note->hint);
	}
	doc_add(doc, ROLE_NORMAL, "%s", "");
}

static void
columns_doc(const struct view *v, struct doc *doc)
{
	doc_add(doc, ROLE_NORMAL, "%s", "");
	doc_add(doc, ROLE_STRONG, "columns (c chooses; hidden ones in parentheses)");
	for (int i = 0; i < v->pane->ncolumns; i++) {
		const struct column *col = &v->pane->columns[i];
		bool is_shown = false;
		for (int k = 0; k < v->ncols; k++)
			is_shown |= v->cols[k] == i;
		char label[80];
		snprintf(label, sizeof(label), is_shown ? "%s" : "(%s)", col->name);
		doc_pair(doc, label, ROLE_NORMAL, "%s", col->help ? col->help : "");
	}
}

void
console_keys_doc(struct console *c, struct doc *doc)
{
	const char *context = console_context(c);
	bool on_page = console_page(c) != NULL;

	if (!on_page)
		pane_doc(&console_pane_view(c)->view, doc);
	doc_add(doc, ROLE_STRONG, "keys here");
	keys_of(c, context, true, doc);
	doc_add(doc, ROLE_NORMAL, "%s", "");
	doc_add(doc, ROLE_STRONG, "keys everywhere");
	keys_of(c, context, false, doc);
	if (!on_page)
		columns_doc(&console_pane_view(c)->view, doc);
	doc_add(doc, ROLE_NORMAL, "%s", "");
	doc_add(doc, ROLE_HINT, "More: :help commands, :help filter, :help COMMAND");
}
