/* Commands that change what the shown pane shows: filter, sort, columns, cursor row, tags. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/cmd_op.h"
#include "app/cmd_screen.h"
#include "app/console.h"
#include "base/strbuf.h"
#include "model/spans.h"

/* The rest of the line from word `from` on, as typed. */
static const char *
rest_of(const struct run_ctx *ctx, const struct words *words, int from)
{
	return words->n > from ? ctx->line + words->w[from].at : "";
}

static bool
wrong_word(struct error *err, const char *what, const char *word, const char *const *right)
{
	error_set(err, ERR_USAGE, "%s \"%s\" is not known", what, word);
	const char *near = nearest_name(word, right);
	return near ? error_hint(err, "The nearest is \"%s\".", near) : false;
}

/* ------------------------------------------------------------------------------------ panes */

static bool
pane_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	/* ":activity" reaches this command by the pane's own name. */
	const char *name = words->n > 1 ? words->w[1].text : words->w[0].text;
	return console_pane(ctx->console, name, err);
}

static bool
previous_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	(void)words;
	(void)err;
	console_previous(ctx->console);
	return true;
}

/* Names of a row's columns and where another pane has the same thing. */
static const struct {
	const char *from, *to;
} same_columns[] = {
	{ "name", "application" },
};

static const char *
column_of(const struct pane *pane, const char *name)
{
	if (pane_column(pane, name) >= 0)
		return name;
	for (size_t i = 0; i < ARRAY_LEN(same_columns); i++)
		if (strcmp(same_columns[i].from, name) == 0 &&
		    pane_column(pane, same_columns[i].to) >= 0)
			return same_columns[i].to;
	return NULL;
}

/* The filter of another pane that says what the row under the cursor is: its key columns, where
 * that pane has them. */
static void
row_filter(const struct view *v, const struct pane *to, struct strbuf *out)
{
	const struct grid_row *row = view_row(v);
	struct arena arena = { 0 };

	for (int i = 0; row && i < v->grid.ncols; i++) {
		const struct column *col = &v->grid.cols[i];
		const char *name = column_of(to, col->name);
		if (!(col->flags & COL_KEY) || !name || cell_is_null(&row->cells[i]) ||
		    col->kind == COL_TIME)
			continue;
		struct strbuf value = STRBUF_INIT(200);
		grid_cell_text(&value, col->kind, &row->cells[i]);
		const char *word = arena_printf(&arena, "%s=%s", name, value.buf);
		strbuf_addf(out, "%s%s", out->len ? " " : "", lex_quote(&arena, word));
		strbuf_release(&value);
	}
	arena_release(&arena);
}

static bool
drill_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	if (strcmp(words->w[1].text, "failover") == 0)
		return cmd_op_run(ctx, words, err);
	if (!ctx->console)
		return error_set(err, ERR_USAGE, "drill PANE needs the screen");
	const struct pane *to = pane_by_name(words->w[1].text);
	struct strbuf filter = STRBUF_INIT(2000);

	if (!to)
		return console_pane(ctx->console, words->w[1].text, err);
	const struct view *v = console_view(ctx->console);
	if (v->pane->sessions && view_row(v) && strcmp(to->name, "activity") == 0) {
		struct pane_ctx pane_ctx = view_ctx(v, console_snapshot(ctx->console), mono_now());
		v->pane->sessions(&pane_ctx, &v->grid, v->cursor, &filter);
	} else {
		row_filter(v, to, &filter);
	}
	bool is_ok = console_drill(ctx->console, to->name, filter.buf, err);
	strbuf_release(&filter);
	return is_ok;
}

static bool
goto_pid(struct view *v, int64_t pid)
{
	for (int i = 0; i < v->grid.nrows; i++)
		if (view_row_pid(v, &v->grid.rows[i]) == pid) {
			view_goto(v, i);
			return true;
		}
	return false;
}

static bool
follow_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	const struct view *from = console_view(ctx->console);
	int64_t pid = view_row_pid(from, view_row(from));

	if (!console_pane(ctx->console, words->w[1].text, err))
		return false;
	if (pid && !goto_pid(console_view(ctx->console), pid))
		console_message(
		    ctx->console, ROLE_INFO, "session %lld is not in this view", (long long)pid);
	return true;
}

static bool
goto_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	char *end;
	long long n = strtoll(words->w[1].text, &end, 10);

	if (*end)
		return error_set(err, ERR_USAGE, "\"%s\" is no number", words->w[1].text);
	struct view *v = console_view(ctx->console);
	if (goto_pid(v, n))
		return true;
	if (pane_column(v->pane, "pid") >= 0)
		return error_set(err, ERR_NOT_FOUND, "pid %lld is not in this view", n);
	view_goto(v, (int)(n > 0 && n < 1000000 ? n - 1 : 0));
	return true;
}

/* ------------------------------------------------------------------------------------ filter,
 * sort, columns */

static bool
filter_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	return view_filter(console_view(ctx->console), rest_of(ctx, words, 1), err);
}

static bool
sort_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	struct view *v = console_view(ctx->console);
	static const char *const directions[] = { "asc", "desc", NULL };

	if (words->n < 2) {
		console_message(ctx->console, ROLE_INFO, "sorted by %s%s",
		    v->sort_col >= 0 ? v->pane->columns[v->sort_col].name : "nothing",
		    v->sort_col >= 0 && v->is_descending ? ", descending" : "");
		return true;
	}
	const char *word = words->w[1].text;
	if (strcmp(word, "next") == 0 || strcmp(word, "previous") == 0) {
		view_sort_step(v, *word == 'n' ? 1 : -1);
		return true;
	}
	if (strcmp(word, "invert") == 0) {
		view_sort_invert(v);
		return true;
	}
	bool descending = *word == '-';
	if (*word == '-' || *word == '+')
		word++;
	if (words->n > 2) {
		if (strcmp(words->w[2].text, "asc") != 0 && strcmp(words->w[2].text, "desc") != 0)
			return wrong_word(err, "direction", words->w[2].text, directions);
		descending = strcmp(words->w[2].text, "desc") == 0;
	}
	return view_sort(v, word, descending, err);
}

static bool
columns_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	struct arena arena = { 0 };

	if (words->n < 2) {
		console_choose_columns(ctx->console);
		return true;
	}
	/* Commas and blanks both separate. */
	char *text = arena_strdup(&arena, rest_of(ctx, words, 1));
	const char *names[VIEW_MAX_COLS];
	int n = 0;
	for (char *p = text; *p && n < VIEW_MAX_COLS;) {
		p += strspn(p, ", \t\"'");
		size_t len = strcspn(p, ", \t\"'");
		if (len > 0)
			names[n++] = arena_strndup(&arena, p, len);
		p += len;
	}
	bool is_ok = view_columns(console_view(ctx->console), names, n, err);
	arena_release(&arena);
	if (is_ok)
		console_redraw(ctx->console);
	return is_ok;
}

/* ------------------------------------------------------------------------------------ options of a
 * pane */

static bool
mode_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	struct view *v = console_view(ctx->console);
	const struct pane_mode *modes = v->pane->modes;
	int n = 0;

	while (modes && modes[n].name)
		n++;
	if (n == 0)
		return error_set(err, ERR_STATE, "%s has one mode only", v->pane->name);
	if (words->n < 2 || strcmp(words->w[1].text, "next") == 0) {
		v->opts.mode = (v->opts.mode + 1) % n;
	} else {
		const char *names[32];
		int i = 0;
		for (; i < n && i < 31; i++)
			names[i] = modes[i].name;
		names[i] = NULL;
		for (i = 0; i < n && strcmp(modes[i].name, words->w[1].text) != 0; i++)
			;
		if (i == n)
			return wrong_word(err, "mode", words->w[1].text, names);
		v->opts.mode = i;
	}
	view_stale(v);
	console_message(
	    ctx->console, ROLE_INFO, "%s: %s", modes[v->opts.mode].name, modes[v->opts.mode].help);
	return true;
}

static const char *const toggles[] = { "idle", "totals", "wrap", "expanded", "tree", NULL };

static bool
toggle_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	struct view *v = console_view(ctx->console);
	const char *word = words->w[1].text;
	bool *option;

	if (strcmp(word, "idle") == 0)
		option = &v->opts.show_idle;
	else if (strcmp(word, "totals") == 0)
		option = &v->opts.totals;
	else if (strcmp(word, "wrap") == 0)
		option = &v->wrap;
	else if (strcmp(word, "expanded") == 0)
		option = &v->expanded;
	else if (strcmp(word, "tree") == 0 && v->pane->modes)
		return mode_run(ctx, &(struct words){ .w = words->w, .n = 1 }, err);
	else if (strcmp(word, "tree") == 0)
		option = &v->opts.totals;
	else
		return wrong_word(err, "option", word, toggles);
	*option = !*option;
	if (option == &v->wrap) {
		console_message(
		    ctx->console, ROLE_INFO, "statements %s", *option ? "in full" : "on one line");
		console_wrap(ctx->console);
	} else if (option != &v->expanded) {
		view_stale(v);
		console_message(ctx->console, ROLE_INFO, "%s %s",
		    option == &v->opts.totals ? "totals" : word, *option ? "on" : "off");
	}
	return true;
}

static bool
window_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	struct view *v = console_view(ctx->console);
	int ms;

	if (settings_parse_seconds(words->w[1].text, &ms))
		v->opts.window_s = ms / 1000;
	else if (!span_read(words->w[1].text, &v->opts.window_s))
		return error_set(err, ERR_USAGE, "\"%s\" is no span of time", words->w[1].text);
	view_stale(v);
	return true;
}

/* ------------------------------------------------------------------------------------ the row
 * under the cursor */

static bool
detail_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	(void)words;
	(void)err;
	console_open_detail(ctx->console);
	return true;
}

static bool
tag_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	struct view *v = console_view(ctx->console);

	if (words->n > 1) {
		struct grid_filter *filter = grid_filter_new(
		    v->pane->columns, v->pane->ncolumns, rest_of(ctx, words, 1), err);
		if (!filter)
			return false;
		int cursor = v->cursor;
		for (int i = 0; i < v->grid.nrows; i++)
			if (grid_filter_match(filter, &v->grid, &v->grid.rows[i]) &&
			    !view_is_tagged(v, v->grid.rows[i].key)) {
				view_goto(v, i);
				view_tag_toggle(v);
			}
		view_goto(v, cursor);
		grid_filter_free(filter);
		return true;
	}
	view_tag_toggle(v);
	console_move(ctx->console, MOVE_DOWN, 1);
	return true;
}

static bool
untag_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	(void)words;
	(void)err;
	view_untag_all(console_view(ctx->console));
	return true;
}

static bool
next_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	static const char *const directions[] = { "forwards", "backwards", NULL };
	bool backwards = words->n > 1 && strcmp(words->w[1].text, "backwards") == 0;

	if (words->n > 1 && !backwards && strcmp(words->w[1].text, "forwards") != 0)
		return wrong_word(err, "direction", words->w[1].text, directions);
	console_find(ctx->console, backwards);
	return true;
}

static void
copy_column(struct console *c, const struct view *v, const struct grid_row *row, int col)
{
	const struct cell *cell = &row->cells[col];

	if (cell->type == CELL_TEXT) {
		console_copy(c, cell->s, cell->len);
		return;
	}
	struct strbuf text = STRBUF_INIT(4096);
	grid_cell_text(&text, v->grid.cols[col].kind, cell);
	console_copy(c, text.buf, text.len);
	strbuf_release(&text);
}

static bool
yank_run(struct run_ctx *ctx, const struct words *words, struct error *err)
{
	const struct view *v = console_view(ctx->console);
	const struct grid_row *row = view_row(v);

	if (!row)
		return error_set(err, ERR_NOT_FOUND, "there is no row to copy");
	if (words->n > 1 && strcmp(words->w[1].text, "row") == 0) {
		struct strbuf text = STRBUF_INIT(1u << 20);
		for (int i = 0; i < v->ncols; i++) {
			if (i > 0)
				strbuf_addc(&text, '\t');
			grid_cell_text(
			    &text, v->grid.cols[v->cols[i]].kind, &row->cells[v->cols[i]]);
		}
		console_copy(ctx->console, text.buf, text.len);
		strbuf_release(&text);
		return true;
	}
	int col =
	    words->n > 1 ? view_column(v, words->w[1].text, err) : pane_column(v->pane, "query");
	/* Where there is no statement there may be the command of an advice. */
	if (words->n == 1 && col < 0)
		col = pane_column(v->pane, "ddl");
	if (col < 0 && words->n > 1)
		return false;
	copy_column(ctx->console, v, row, col >= 0 ? col : v->cols[0]);
	return true;
}

/* ------------------------------------------------------------------------------------ the table */

const struct command cmd_pane = {
	.name = "pane",
	.usage = "pane NAME | next | previous",
	.help = "show a pane; its name alone does the same",
	.args = { ARG_PANE },
	.min_args = 0,
	.max_args = 1,
	.needs_screen = true,
	.run = pane_run,
};
const struct command cmd_previous = {
	.name = "previous",
	.usage = "previous",
	.help = "back to the pane shown before this one",
	.needs_screen = true,
	.run = previous_run,
};
const struct command cmd_drill = {
	.name = "drill",
	.usage = "drill PANE | failover [--kind planned|crash]",
	.help =
	    "show a pane filtered to what the row under the cursor is about; or fail over on purpose",
	.risk = RISK_ACTS,
	.args = { ARG_PANE, ARG_WORD },
	.min_args = 1,
	.max_args = 3,
	.run = drill_run,
};
const struct command cmd_follow = {
	.name = "follow",
	.usage = "follow PANE",
	.help = "show a pane with the cursor on the same session",
	.args = { ARG_PANE },
	.min_args = 1,
	.max_args = 1,
	.needs_screen = true,
	.run = follow_run,
};
const struct command cmd_goto = {
	.name = "goto",
	.usage = "goto PID | ROW",
	.help = "move the cursor to a session, or to a row by its number",
	.args = { ARG_PID },
	.min_args = 1,
	.max_args = 1,
	.needs_screen = true,
	.run = goto_run,
};
const struct command cmd_filter = {
	.name = "filter",
	.usage = "filter [WORD ... | !WORD | COLUMN:WORD | COLUMN>NUMBER | /REGEX/]",
	.help = "show only rows in which all of it occurs; without words show all",
	.args = { ARG_TEXT },
	.min_args = 0,
	.max_args = -1,
	.needs_screen = true,
	.rest_is_text = true,
	.run = filter_run,
};
const struct command cmd_sort = {
	.name = "sort",
	.usage = "sort [COLUMN [asc|desc] | next | previous | invert | none]",
	.help = "sort by a column",
	.args = { ARG_COLUMN, ARG_OPTION },
	.min_args = 0,
	.max_args = 2,
	.needs_screen = true,
	.run = sort_run,
};
const struct command cmd_columns = {
	.name = "columns",
	.usage = "columns [NAME ... | +NAME | -NAME | all | default]",
	.help = "choose the columns shown; without names from a list",
	.args = { ARG_COLUMN },
	.min_args = 0,
	.max_args = -1,
	.needs_screen = true,
	.run = columns_run,
};
const struct command cmd_mode = {
	.name = "mode",
	.usage = "mode [NAME | next]",
	.help = "show the pane by another dimension",
	.args = { ARG_WORD },
	.min_args = 0,
	.max_args = 1,
	.needs_screen = true,
	.run = mode_run,
};
const struct command cmd_toggle = {
	.name = "toggle",
	.usage = "toggle idle|totals|wrap|expanded|tree",
	.help = "switch idle sessions, totals, full statements, or the expanded row on and off",
	.args = { ARG_OPTION },
	.min_args = 1,
	.max_args = 1,
	.needs_screen = true,
	.run = toggle_run,
};
const struct command cmd_window = {
	.name = "window",
	.usage = "window SPAN",
	.help = "how far the waits and history panes look back: 90s, 5m, 6h, 30d, 1y",
	.args = { ARG_SPAN },
	.min_args = 1,
	.max_args = 1,
	.needs_screen = true,
	.run = window_run,
};
const struct command cmd_detail = {
	.name = "detail",
	.usage = "detail",
	.help = "everything about the row under the cursor",
	.needs_screen = true,
	.run = detail_run,
};
const struct command cmd_tag = {
	.name = "tag",
	.usage = "tag [FILTER]",
	.help = "tag or untag the row under the cursor, or tag all rows that match",
	.args = { ARG_TEXT },
	.min_args = 0,
	.max_args = -1,
	.needs_screen = true,
	.rest_is_text = true,
	.run = tag_run,
};
const struct command cmd_untag = {
	.name = "untag",
	.usage = "untag",
	.help = "untag all rows",
	.needs_screen = true,
	.run = untag_run,
};
const struct command cmd_next = {
	.name = "next",
	.usage = "next [forwards|backwards]",
	.help = "the next place found, or the next row",
	.args = { ARG_OPTION },
	.min_args = 0,
	.max_args = 1,
	.needs_screen = true,
	.run = next_run,
};
const struct command cmd_yank = {
	.name = "yank",
	.usage = "yank [COLUMN | row]",
	.help = "copy the statement (or a column, or the row) to the terminal's clipboard",
	.args = { ARG_COLUMN },
	.min_args = 0,
	.max_args = 1,
	.needs_screen = true,
	.run = yank_run,
};
