/*
 * One frame: title line, tabs, the pane's head, its table (or a document over it), notes or a message, hints or the prompt.
 * What changes at every refresh is kept to the table's cells: the figures of the title are held still (struct calm), and the
 * age of the data is shown only when it is late.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "app/console_priv.h"
#include "base/fmt.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "tui/prompt.h"

enum {
	CALM_MS = 5000,		/* a figure of the title changes no more often than this … */
	CALM_PCT = 30,		/* … and only when it moved by this much */
	GRACE_MS = 1000,	/* data is late when it is older than two refreshes and this */
	LABEL_ROWS = 2,		/* title and tabs */
};

/* ------------------------------------------------------------------------------------ lateness */

static void
age_text(char *buf, size_t size, int64_t ms)
{
	if (ms < 60 * 1000)
		snprintf(buf, size, "%d s", (int)(ms / 1000));
	else if (ms < 3600 * 1000)
		snprintf(buf, size, "%d min %02d s", (int)(ms / 60000), (int)(ms / 1000 % 60));
	else
		snprintf(buf, size, "%d h %02d min", (int)(ms / 3600000), (int)(ms / 60000 % 60));
}

static const char *
down_text(const struct snapshot *s, struct mono now, const char *age, char *buf, size_t size)
{
	int64_t retry = mono_since_ms(s->link_retry_at, now);
	char when[40] = "";

	if (s->link == LINK_DOWN && s->link_retry_at.us && retry > 0)
		snprintf(when, sizeof(when), ", next try in %d s", (int)(retry / 1000) + 1);
	snprintf(buf, size, "%s%s%s%s%s%s", s->link == LINK_DOWN ? "no connection" : "connecting",
	    *s->link_what ? ": " : "", s->link_what, when, *age ? ", data " : "", age);
	if (*age)
		snprintf(buf + strlen(buf), size - strlen(buf), " old");
	return buf;
}

const char *
console_late(struct console *c, struct mono now, char *buf, size_t size, int *next_ms)
{
	const struct snapshot *s = console_state(c)->snap;
	int64_t age = s->taken_mono.us ? mono_since_ms(now, s->taken_mono) : -1;
	int interval = s->cost.interval_ms > 0 ? s->cost.interval_ms : console_refresh_ms(c);
	int64_t limit = 2 * (int64_t)interval * (s->cost.backoff > 1 ? s->cost.backoff : 1) + GRACE_MS;
	char text[40] = "";

	*buf = '\0';
	*next_ms = -1;
	if (s->link == LINK_REPLAY)
		return buf;
	/* Whole seconds: wake when the shown number changes. */
	int to_next_second = age >= 0 ? 1000 - (int)(age % 1000) : 1000;
	if (age >= 0)
		age_text(text, sizeof(text), age);
	if (s->link == LINK_DOWN || s->link == LINK_CONNECTING) {
		*next_ms = to_next_second;
		return down_text(s, now, text, buf, size);
	}
	if (s->link == LINK_LATE || (age >= 0 && age > limit)) {
		*next_ms = to_next_second;
		if (age < 0)
			snprintf(buf, size, "no answer yet");
		else
			snprintf(buf, size, "%s %s old, no answer", panes[console_state(c)->pane]->name, text);
		return buf;
	}
	if (age >= 0)
		*next_ms = (int)(limit - age) + 1;
	if (s->cost.backoff > 1)
		snprintf(buf, size, "server slow: every %g s", interval * s->cost.backoff / 1000.0);
	return buf;
}

/* ------------------------------------------------------------------------------------ title and tabs */

static double
calm(struct calm *calm, double value, struct mono now)
{
	bool is_new = calm->at.us == 0;
	bool moved = fabs(value - calm->shown) * 100 > CALM_PCT * fabs(calm->shown);

	if (is_new || (moved && mono_since_ms(now, calm->at) >= CALM_MS)) {
		calm->shown = value;
		calm->at = now;
	}
	return calm->shown;
}

static enum role
color_role(const char *color)
{
	static const struct {
		const char *name;
		enum role role;
	} colors[] = {
		{ "red", ROLE_ENV_RED },
		{ "yellow", ROLE_ENV_YELLOW },
		{ "green", ROLE_ENV_GREEN },
		{ "blue", ROLE_ENV_BLUE },
		{ "magenta", ROLE_ENV_MAGENTA },
	};
	for (size_t i = 0; color && i < ARRAY_LEN(colors); i++)
		if (strcmp(color, colors[i].name) == 0)
			return colors[i].role;
	return ROLE_TITLE;
}

static void
add_clean(struct strbuf *out, const char *text)
{
	utf8_clean(out, text, strlen(text), true);
}

/* "primary 15.18 tl1 me@db1:5432/bench"; a target named after its address is not told twice. */
static void
server_text(struct strbuf *out, const struct snapshot *s, const char *target)
{
	const struct server_info *server = &s->server;
	char address[300];

	if (server->version_num) {
		strbuf_addf(out, " %s %.*s", server->is_standby ? "standby" : "primary", (int)strcspn(server->version, " "),
		    server->version);
		if (server->timeline > 0)
			strbuf_addf(out, " tl%d", server->timeline);
	}
	if (!*server->database)
		return;
	snprintf(address, sizeof(address), "%s:%s/%s", server->host, server->port, server->database);
	strbuf_addc(out, ' ');
	add_clean(out, server->user);
	if (strcmp(address, target) != 0) {
		strbuf_addc(out, '@');
		add_clean(out, address);
	}
}

static void
cost_text(struct console *c, struct strbuf *out, const struct snapshot *s, struct mono now)
{
	const char *label = c->conf->source.ops->label ? c->conf->source.ops->label(c->conf->source.self) : NULL;

	if (label && *label)
		strbuf_addf(out, " %s", label);
	if (s->link == LINK_REPLAY || !s->taken_mono.us)
		return;
	char ms[32];
	fmt_ms(ms, sizeof(ms), calm(&c->cost, round(s->cost.server_ms * 10) / 10, now));
	strbuf_addf(out, " %gs %sms %drt", console_refresh_ms(c) / 1000.0, ms, s->cost.round_trips);
	/* From the complete answer to the first frame that shows it; later frames say nothing about it. */
	double lag = c->lag.shown;
	if (s->seq != c->drawn_seq && !c->is_paused && !c->late_shown)
		lag = calm(&c->lag, ceil((double)mono_since_ms(now, s->taken_mono) / 5 + 0.01) * 5, now);
	c->drawn_seq = s->seq;
	if (lag > 0)
		strbuf_addf(out, " lag%s%.0fms", lag <= 5 ? "<" : " ", lag);
}

static const char *
read_only_why(const struct console *c)
{
	return c->conf->targets->items[c->target].read_only_why;
}

/* Marks that must be seen, from the right end leftwards; returns where they begin. */
static int
draw_banners(struct console *c, struct draw *line, struct mono now)
{
	char late[CONSOLE_MESSAGE], paused[64];
	int next, x = line->cols;

	console_late(c, now, late, sizeof(late), &next);
	c->late_shown = *late != '\0';
	struct {
		const char *text;
		enum role role;
	} marks[3] = { { "", ROLE_PAUSED }, { "", ROLE_READ_ONLY }, { late, ROLE_STALE } };
	if (c->is_paused) {
		char age[40];
		age_text(age, sizeof(age), mono_since_ms(now, c->paused_at));
		snprintf(paused, sizeof(paused), "PAUSED %s", age);
		marks[0].text = paused;
	}
	if (read_only_why(c) || c->conf->targets->items[c->target].is_read_only)
		marks[1].text = "READ-ONLY";
	for (int i = 0; i < 3; i++) {
		int width = utf8_width(marks[i].text, strlen(marks[i].text));
		if (width == 0)
			continue;
		if (width + 2 > x - 10)
			width = x - 12;
		if (width < 4)
			break;
		x -= width + 2;
		struct draw mark = { line->y, line->x + x, 1, width + 2 };
		draw_clear(&mark, 0, 0, marks[i].role);
		mark.cols--;
		draw_text(&mark, 0, 1, marks[i].role, marks[i].text);
	}
	return x;
}

static void
draw_title(struct console *c, struct draw *screen, struct mono now)
{
	const struct target *target = &c->conf->targets->items[c->target];
	const struct snapshot *s = console_snapshot(c);
	struct draw line = { screen->y, screen->x, 1, screen->cols };
	struct strbuf text = STRBUF_INIT(4096);

	draw_clear(&line, 0, 0, ROLE_TITLE);
	line.cols = draw_banners(c, &line, now);
	cost_text(c, &text, s, now);
	int cost = utf8_width(text.buf, text.len) + 1;
	if (cost + 20 <= line.cols) {
		line.cols -= cost;
		struct draw right = { line.y, line.x + line.cols, 1, cost };
		draw_textn(&right, 0, 0, ROLE_TITLE, text.buf, text.len);
	}
	strbuf_clear(&text);
	strbuf_addc(&text, ' ');
	add_clean(&text, target->name);
	strbuf_addc(&text, ' ');
	int x = draw_textn(&line, 0, 0, color_role(target->color), text.buf, text.len);
	strbuf_clear(&text);
	server_text(&text, s, target->name);
	draw_textn(&line, 0, x, ROLE_TITLE, text.buf, text.len);
	strbuf_release(&text);
}

/* "3 tagged  /filter  12 of 57" */
static void
state_text(struct console *c, struct strbuf *out)
{
	const struct view *v = &console_pane_view(c)->view;
	const struct page *page = console_page(c);

	if (c->ntargets > 1)
		strbuf_addf(out, "target %d/%d ", c->target + 1, c->ntargets);
	if (page) {
		if (*c->find)
			strbuf_addf(out, "/%s ", c->find);
		return;
	}
	if (v->ntags > 0)
		strbuf_addf(out, "%d tagged ", v->ntags);
	if (v->filter_text) {
		strbuf_addc(out, '/');
		add_clean(out, v->filter_text);
		strbuf_addf(out, " %d of %d ", v->grid.nrows, v->grid.total);
	} else if (v->grid.nrows > 0) {
		strbuf_addf(out, "%d ", v->grid.nrows);
	}
}

static int
tabs_width(int letters)
{
	int width = 0;
	for (int i = 0; panes[i]; i++) {
		int n = (int)strlen(panes[i]->name);
		width += (letters < n ? letters : n) + (i < 10 ? 2 : 1) + 1;
	}
	return width;
}

static void
draw_tabs(struct console *c, struct draw *screen)
{
	struct draw line = { screen->y + 1, screen->x, 1, screen->cols };
	struct strbuf state = STRBUF_INIT(512);
	int current = console_state(c)->pane, x = 0, letters = 12;

	draw_clear(&line, 0, 0, ROLE_STATUS);
	state_text(c, &state);
	int width = utf8_width(state.buf, state.len);
	if (width > line.cols / 2)
		width = line.cols / 2;
	struct draw right = { line.y, line.x + line.cols - width, 1, width };
	draw_textn(&right, 0, 0, console_pane_view(c)->view.filter_text ? ROLE_STRONG : ROLE_STATUS, state.buf, state.len);
	strbuf_release(&state);
	line.cols -= width;
	/* Shorten all names alike until they fit; the shown pane's name stays whole. */
	int full = (int)strlen(panes[current]->name);
	while (letters > 3 && tabs_width(letters) + (full > letters ? full - letters : 0) > line.cols)
		letters--;
	memset(c->tab_from, -1, sizeof(c->tab_from));
	for (int i = 0; panes[i] && i < (int)ARRAY_LEN(c->tab_from); i++) {
		const char *name = panes[i]->name;
		int n = i == current || (int)strlen(name) < letters ? (int)strlen(name) : letters;
		c->tab_from[i] = x;
		if (i < 10)
			x += draw_printf(&line, 0, x, i == current ? ROLE_STRONG : ROLE_DIM, "%d ", (i + 1) % 10);
		x += draw_textn(&line, 0, x, i == current ? ROLE_STRONG : ROLE_STATUS, name, (size_t)n);
		c->tab_to[i] = x;
		x += draw_text(&line, 0, x, ROLE_STATUS, " ");
	}
}

/* ------------------------------------------------------------------------------------ below the table */

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
	static const char *const warnings[] = { "denied", "stale", "reset", "restart", "failed", "timeout" };
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
	if (c->acting && acting_state(c->acting) != ACTING_NONE) {
		draw_printf(d, 0, 0, ROLE_INFO, "%s: %s (Ctrl-C stops it)", acting_title(c->acting),
		    acting_state(c->acting) == ACTING_LOOKING ? "looking" : "running");
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
			    (strcmp(b->pane, context) == 0) == (own == 1) && keymap_is_live(&c->keymap, b, context))
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
	for (size_t i = 0; i < ARRAY_LEN(hints); i++) {
		const struct binding *b = (on_page ? hints[i].on_page : hints[i].on_table) ?
		    binding_of(c, hints[i].command) : NULL;
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

/* ------------------------------------------------------------------------------------ the middle */

/* Words of the filter that occur as they stand: those are highlighted. */
static void
gather_matches(struct pane_view *pv)
{
	struct words words;
	struct error err;
	int n = 0;

	memset(pv->match, 0, sizeof(pv->match));
	arena_reset(&pv->match_arena);
	if (!pv->view.filter_text || !lex_line(&pv->match_arena, pv->view.filter_text, false, &words, &err))
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
		draw_text(d, row, 2, ROLE_HINT, s->link_hint);
	} else if (!s->taken_mono.us) {
		draw_text(d, row, 2, ROLE_DIM, "no data yet");
	} else {
		draw_text(d, row, 2, ROLE_DIM, v->grid.nnotes > 0 ? "no rows: see the note below" : "no rows");
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

static void
draw_page(struct page *page, struct draw *d)
{
	struct draw title = { d->y, d->x, 1, d->cols };
	struct draw body = { d->y + 1, d->x, d->rows - 1, d->cols };

	docview_draw(&body, &page->view, &page->doc);
	draw_clear(&title, 0, 0, ROLE_HEADER);
	int x = draw_printf(&title, 0, 0, ROLE_HEADER, "%s%s", page->title, page->is_gone ? " (gone)" : "");
	if (page->view.total > page->view.page && page->view.total > 0)
		draw_printf(&title, 0, x, ROLE_HEADER, "  %d-%d of %d", page->view.top + 1,
		    page->view.top + page->view.page, page->view.total);
}

static void
draw_confirm(struct console *c, struct draw *d)
{
	const struct doc *doc = acting_doc(c->acting);
	struct draw title = { d->y, d->x, 1, d->cols };
	struct draw body = { d->y + 1, d->x, d->rows - 2, d->cols };
	struct draw last = { d->y + d->rows - 1, d->x, 1, d->cols };

	draw_clear(&title, 0, 0, ROLE_HEADER);
	draw_text(&title, 0, 0, ROLE_HEADER, acting_title(c->acting));
	if (doc)
		docview_draw(&body, &c->confirm_view, doc);
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
	struct mono now = mono_now();
	int cursor_row = -1, cursor_col = 0;

	c->is_dirty = false;
	screen_begin();
	console_view(c);
	console_update_detail(c);
	draw_title(c, &screen, now);
	if (screen.rows > LABEL_ROWS)
		draw_tabs(c, &screen);
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
