/* The column chooser: a list to tick, over the table. */
#include "config.h"

#include <string.h>

#include "app/console_priv.h"
#include "base/utf8.h"

void
console_choose_columns(struct console *c)
{
	struct chooser *ch = &c->chooser;
	const struct view *v = &console_pane_view(c)->view;

	memset(ch, 0, sizeof(*ch));
	for (int i = 0; i < v->ncols; i++) {
		ch->shown[ch->n] = true;
		ch->order[ch->n++] = v->cols[i];
	}
	for (int col = 0; col < v->pane->ncolumns && ch->n < VIEW_MAX_COLS; col++) {
		bool has = false;
		for (int i = 0; i < v->ncols; i++)
			has |= v->cols[i] == col;
		if (!has)
			ch->order[ch->n++] = col;
	}
	ch->is_open = true;
	c->is_dirty = true;
}

static void
accept(struct console *c)
{
	struct chooser *ch = &c->chooser;
	struct pane_view *pv = console_pane_view(c);
	struct view *v = &pv->view;
	int n = 0;

	for (int i = 0; i < ch->n; i++)
		n += ch->shown[i];
	if (n == 0) {
		console_message(c, ROLE_WARN, "at least one column must be shown");
		return;
	}
	v->ncols = 0;
	for (int i = 0; i < ch->n; i++)
		if (ch->shown[i])
			v->cols[v->ncols++] = ch->order[i];
	v->has_own_cols = true;
	pv->table.hscroll = 0;
	table_reset(&pv->table);
	ch->is_open = false;
}

static void
move_item(struct chooser *ch, int step)
{
	int to = ch->cursor + step;

	if (to < 0 || to >= ch->n)
		return;
	int order = ch->order[to];
	bool shown = ch->shown[to];
	ch->order[to] = ch->order[ch->cursor];
	ch->shown[to] = ch->shown[ch->cursor];
	ch->order[ch->cursor] = order;
	ch->shown[ch->cursor] = shown;
	ch->cursor = to;
}

bool
chooser_key(struct console *c, uint32_t key)
{
	struct chooser *ch = &c->chooser;

	switch (key) {
	case TK_UP:
	case 'k':
	case TK_WHEEL_UP:
		ch->cursor -= ch->cursor > 0;
		return true;
	case TK_DOWN:
	case 'j':
	case TK_WHEEL_DOWN:
		ch->cursor += ch->cursor < ch->n - 1;
		return true;
	case TK_HOME:
	case 'g':
		ch->cursor = 0;
		return true;
	case TK_END:
	case 'G':
		ch->cursor = ch->n - 1;
		return true;
	case '<':
	case TK_LEFT:
		move_item(ch, -1);
		return true;
	case '>':
	case TK_RIGHT:
		move_item(ch, 1);
		return true;
	case ' ':
		ch->shown[ch->cursor] = !ch->shown[ch->cursor];
		ch->cursor += ch->cursor < ch->n - 1;
		return true;
	case TK_ENTER:
		accept(c);
		return true;
	case TK_ESC:
	case 'q':
	case 'c' | TK_CTRL:
		ch->is_open = false;
		return true;
	case 'z' | TK_CTRL:
	case 'l' | TK_CTRL:
		return false;
	}
	return true;
}

void
chooser_draw(struct console *c, struct draw *d)
{
	struct chooser *ch = &c->chooser;
	const struct pane *pane = panes[console_state(c)->pane];
	int page = d->rows - 1;

	draw_clear(d, 0, 0, ROLE_HEADER);
	draw_text(d, 0, 0, ROLE_HEADER,
	    "columns: Space shows or hides, < > move, Enter accepts, Esc gives up");
	if (ch->cursor < ch->top)
		ch->top = ch->cursor;
	if (ch->cursor >= ch->top + page)
		ch->top = ch->cursor - page + 1;
	for (int i = 0; i < page && ch->top + i < ch->n; i++) {
		int at = ch->top + i;
		const struct column *col = &pane->columns[ch->order[at]];
		enum role role = at == ch->cursor ? ROLE_CURSOR :
		    ch->shown[at]                 ? ROLE_NORMAL :
		                                    ROLE_DIM;
		if (at == ch->cursor)
			draw_clear(d, 1 + i, 0, role);
		draw_printf(d, 1 + i, 0, role, "[%c] %-22s %s", ch->shown[at] ? 'x' : ' ',
		    col->name, col->help ? col->help : "");
	}
}
