/*
 * Draws a grid. Each frame formats the cells of the visible rows once, column by column, widens
 * columns that need it, gives the statement column what is left, and draws. Widths only grow until
 * table_reset, so that a refresh changes few cells.
 */
#include "config.h"

#include "tui/table.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "tui/wrap.h"

enum {
	MAX_TEXT = 24,      /* widest text column that nobody asked for */
	MIN_TEXT = 8,       /* text columns that declare no width are not squeezed below */
	MIN_KEY = 20,       /* what names a row stays readable */
	MIN_QUERY = 20,     /* statement text that must stay visible */
	MAX_ROW_LINES = 10, /* of a wrapped statement */
};

struct text {
	size_t at;
	int len, width;
};

struct frame {
	struct draw *d;
	struct table *t;
	const struct table_spec *spec;
	int page;        /* lines below the header */
	int from, nrows; /* grid rows formatted */
	struct strbuf buf;
	struct text *texts; /* [pos * nrows + i] */
	int tree_pos, query_pos;
	short width[TABLE_MAX_COLS]; /* by position, as laid out now */
};

static const struct column *
column_at(const struct table_spec *spec, int pos)
{
	return &spec->grid->cols[spec->cols[pos]];
}

static bool
is_left(const struct column *col)
{
	return col->flags & COL_LEFT || col->kind == COL_TEXT || col->kind == COL_QUERY ||
	    col->kind == COL_INTS || col->kind == COL_BOOL || col->kind == COL_TEXTS ||
	    col->kind == COL_JSON;
}

/* Least width of a column kind, so that ordinary values do not make it jump. */
static int
kind_width(enum column_kind kind)
{
	switch (kind) {
	case COL_COUNT:
	case COL_RATE:
	case COL_PCT:
	case COL_MS:
		return 5;
	case COL_BYTES:
	case COL_SECONDS:
		return 6;
	case COL_INT:
	case COL_FLOAT:
	case COL_BOOL:
		return 3;
	case COL_TEXT:
	case COL_QUERY:
	case COL_TIME:
	case COL_INTS:
	case COL_LSN:
	case COL_TEXTS:
	case COL_JSON:
		break;
	}
	return 1;
}

/* The indentation of a row in a tree. */
static void
add_indent(struct strbuf *buf, int depth)
{
	for (int i = 1; i < depth && i < 32; i++)
		strbuf_adds(buf, "  ");
	if (depth > 0)
		strbuf_adds(buf, utf8_enabled ? "\u2514 " : "`-");
}

static void
format_cell(struct frame *f, int pos, int i)
{
	const struct grid_row *row = &f->spec->grid->rows[f->from + i];
	const struct column *col = column_at(f->spec, pos);
	struct cell cell = row->cells[f->spec->cols[pos]];
	struct text *text = &f->texts[pos * f->nrows + i];

	/* A statement may have a megabyte; no more than the screen can show is looked at. */
	uint32_t most = (uint32_t)f->d->cols * (f->spec->wrap ? 8 * MAX_ROW_LINES : 8) + 64;
	if (cell.type == CELL_TEXT && cell.len > most)
		cell.len = most;
	text->at = f->buf.len;
	if (pos == f->tree_pos)
		add_indent(&f->buf, row->depth);
	grid_cell_text(&f->buf, col->kind, &cell);
	text->len = (int)(f->buf.len - text->at);
	text->width = utf8_width(f->buf.buf + text->at, (size_t)text->len);
}

static int
title_width(const struct table_spec *spec, int pos)
{
	const struct column *col = column_at(spec, pos);
	return utf8_width(col->title, strlen(col->title)) + (spec->cols[pos] == spec->sort_col);
}

/* Formats a column and widens it as its content needs. */
static void
measure_column(struct frame *f, int pos)
{
	const struct column *col = column_at(f->spec, pos);
	short *kept = &f->t->widths[f->spec->cols[pos]];
	int need = title_width(f->spec, pos);
	int content = col->width > kind_width(col->kind) ? col->width : kind_width(col->kind);
	bool is_text = col->kind == COL_TEXT || col->kind == COL_INTS || col->kind == COL_TEXTS;
	int cap = is_text ? MAX_TEXT : 64;

	for (int i = 0; i < f->nrows; i++) {
		format_cell(f, pos, i);
		if (f->texts[pos * f->nrows + i].width > content)
			content = f->texts[pos * f->nrows + i].width;
	}
	if (cap < col->width)
		cap = col->width;
	if (content > cap)
		content = cap;
	if (content > need)
		need = content;
	if (need > *kept)
		*kept = (short)need;
	f->width[pos] = *kept;
}

static int
least_width(const struct frame *f, int pos)
{
	const struct column *col = column_at(f->spec, pos);
	int least = col->width > 0 ? col->width : MIN_TEXT;

	if ((pos == 0 || col->flags & COL_KEY) && least < MIN_KEY)
		least = MIN_KEY;
	if (least < title_width(f->spec, pos))
		least = title_width(f->spec, pos);
	return least;
}

/* Takes columns from the widest texts until the statement column has its least width. */
static void
squeeze(struct frame *f, int missing)
{
	while (missing > 0) {
		int widest = -1;
		for (int pos = 0; pos < f->spec->ncols; pos++)
			if (column_at(f->spec, pos)->kind == COL_TEXT &&
			    f->width[pos] > least_width(f, pos) &&
			    (widest < 0 || f->width[pos] > f->width[widest]))
				widest = pos;
		if (widest < 0)
			return;
		f->width[widest]--;
		missing--;
	}
}

static void
layout(struct frame *f)
{
	int fixed = 0, cols = f->d->cols;

	for (int pos = 0; pos < f->spec->ncols; pos++) {
		measure_column(f, pos);
		if (pos != f->query_pos)
			fixed += f->width[pos] + 1;
	}
	if (f->query_pos >= 0) {
		int least = f->width[f->query_pos] < MIN_QUERY ? MIN_QUERY : f->width[f->query_pos];
		if (least > MIN_QUERY)
			least = MIN_QUERY;
		if (fixed + least > cols)
			squeeze(f, fixed + least - cols);
		fixed = 0;
		for (int pos = 0; pos < f->spec->ncols; pos++)
			fixed += pos == f->query_pos ? 0 : f->width[pos] + 1;
		int rest = cols - fixed;
		f->width[f->query_pos] = (short)(rest > least ? rest : least);
	} else if (fixed - 1 > cols) {
		squeeze(f, fixed - 1 - cols);
	}
	if (f->width[0] > cols)
		f->width[0] = (short)cols;
}

/* Which positions are on the screen, and where. */
static void
place(struct frame *f)
{
	struct table *t = f->t;
	int x = f->width[0] + 1, ncols = f->spec->ncols;

	t->col_x[0] = 0;
	t->col_w[0] = f->width[0];
	if (t->hscroll > ncols - 2)
		t->hscroll = ncols > 1 ? ncols - 2 : 0;
	if (t->hscroll < 0)
		t->hscroll = 0;
	t->first_pos = 1 + t->hscroll;
	t->nvisible = 1;
	int pos = t->first_pos;
	for (; pos < ncols && x < f->d->cols; pos++) {
		int room = f->d->cols - x;
		int width = f->width[pos];
		if (pos == f->query_pos && pos == ncols - 1 && room > width)
			width = room;
		t->col_x[pos] = (short)x;
		t->col_w[pos] = (short)(width < room ? width : room);
		x += width + 1;
		t->nvisible++;
	}
	t->more_right = pos < ncols || (pos > 1 && x - 1 > f->d->cols);
}

static void
draw_header(struct frame *f)
{
	struct table *t = f->t;

	draw_clear(f->d, 0, 0, ROLE_HEADER);
	for (int i = 0; i < t->nvisible; i++) {
		int pos = i == 0 ? 0 : t->first_pos + i - 1;
		const struct column *col = column_at(f->spec, pos);
		bool is_sort = f->spec->cols[pos] == f->spec->sort_col;
		enum role role = is_sort ? ROLE_HEADER_SORT : ROLE_HEADER;
		int width = title_width(f->spec, pos), room = t->col_w[pos];
		struct draw cell = { f->d->y, f->d->x + t->col_x[pos], 1, room };
		int x = is_left(col) || width > room ? 0 : room - width;
		x += draw_text(&cell, 0, x, role, col->title);
		if (is_sort)
			draw_text(&cell, 0, x < room ? x : room - 1, role,
			    utf8_enabled ? (f->spec->is_descending ? "\u25bc" : "\u25b2") :
			        f->spec->is_descending ? "v" :
			                                 "^");
	}
	if (t->hscroll > 0)
		draw_text(f->d, 0, f->width[0] < f->d->cols ? f->width[0] : 0, ROLE_KEY, "<");
	if (t->more_right)
		draw_text(f->d, 0, f->d->cols - 1, ROLE_KEY, ">");
}

/* Overdraws what the filter matched. */
static void
draw_matches(
    struct draw *cell, int line, int x, const struct table_spec *spec, const char *s, size_t len)
{
	for (int m = 0; m < TABLE_MAX_MATCH && spec->match[m]; m++) {
		size_t n = strlen(spec->match[m]);
		for (size_t i = 0; n > 0 && i + n <= len; i++)
			if (strncasecmp(s + i, spec->match[m], n) == 0) {
				draw_textn(cell, line, x + utf8_width(s, i), ROLE_MATCH, s + i, n);
				i += n - 1;
			}
	}
}

static void
draw_cell_line(struct draw *cell, int line, enum role role, const struct table_spec *spec,
    const char *s, size_t len, int width, bool left)
{
	int x = left || width > cell->cols ? 0 : cell->cols - width;
	bool is_cut = width > cell->cols;
	size_t fit = len;

	if (is_cut)
		fit = utf8_fit(s, len, cell->cols - 1, &width);
	draw_textn(cell, line, x, role, s, fit);
	if (is_cut && cell->cols > 0)
		draw_text(cell, line, width, role, utf8_enabled ? "\u2026" : ">");
	if (spec->match[0])
		draw_matches(cell, line, x, spec, s, fit);
}

static enum role
row_role(const struct frame *f, int row)
{
	const struct grid_row *r = &f->spec->grid->rows[row];
	if (row == f->spec->cursor)
		return ROLE_CURSOR;
	if (f->spec->is_tagged && f->spec->is_tagged(f->spec->arg, r->key))
		return ROLE_TAGGED;
	return ROLE_NORMAL;
}

static void
draw_row(struct frame *f, int row, int line, int height)
{
	const struct grid_row *r = &f->spec->grid->rows[row];
	enum role base = row_role(f, row);
	struct draw cells = { f->d->y + 1 + line, f->d->x, height, f->d->cols };

	for (int i = 0; i < height && base != ROLE_NORMAL; i++)
		draw_clear(&cells, i, 0, base);
	for (int i = 0; i < f->t->nvisible; i++) {
		int pos = i == 0 ? 0 : f->t->first_pos + i - 1;
		const struct column *col = column_at(f->spec, pos);
		const struct text *text = &f->texts[pos * f->nrows + row - f->from];
		const char *s = f->buf.buf + text->at;
		enum role role = base;
		if (base == ROLE_NORMAL)
			role = r->cells[f->spec->cols[pos]].role ?
			    r->cells[f->spec->cols[pos]].role :
			    r->role    ? r->role :
			    r->is_head ? ROLE_STRONG :
			                 ROLE_NORMAL;
		struct draw cell = { cells.y, cells.x + f->t->col_x[pos], height,
			f->t->col_w[pos] };
		if (pos != f->query_pos || height == 1) {
			draw_cell_line(&cell, 0, role, f->spec, s, (size_t)text->len, text->width,
			    is_left(col));
			continue;
		}
		size_t len = (size_t)text->len;
		for (int l = 0; l < height; l++) {
			size_t skip,
			    n = l == height - 1 ? len : wrap_line(s, len, cell.cols, &skip);
			draw_cell_line(&cell, l, role, f->spec, s, n, utf8_width(s, n), true);
			if (n == len)
				break;
			s += n + skip;
			len -= n + skip;
		}
	}
}

static int
row_height(const struct frame *f, int row)
{
	if (!f->spec->wrap || f->query_pos < 0 || row < f->from || row >= f->from + f->nrows)
		return 1;
	int visible = f->query_pos - f->t->first_pos + 1;
	if (f->query_pos != 0 && (visible < 1 || visible >= f->t->nvisible))
		return 1;
	const struct text *text = &f->texts[f->query_pos * f->nrows + row - f->from];
	int most = f->page < MAX_ROW_LINES ? f->page : MAX_ROW_LINES;
	return wrap_count(f->buf.buf + text->at, (size_t)text->len, f->t->col_w[f->query_pos],
	    most > 0 ? most : 1);
}

/* Formats the rows that may be visible from t->top on and lays the columns out. */
static void
prepare(struct frame *f)
{
	int nrows = f->spec->grid->nrows - f->t->top;

	f->from = f->t->top;
	f->nrows = nrows < f->page ? nrows : f->page;
	if (f->nrows < 0)
		f->nrows = 0;
	free(f->texts);
	f->texts =
	    xcalloc((size_t)f->spec->ncols * (size_t)(f->nrows ? f->nrows : 1), sizeof(*f->texts));
	strbuf_clear(&f->buf);
	layout(f);
	place(f);
}

static void
clamp_top(struct table *t, const struct table_spec *spec, int page)
{
	int cursor = spec->cursor;

	if (cursor >= 0 && cursor >= t->top + page)
		t->top = cursor - page + 1;
	if (cursor >= 0 && cursor < t->top)
		t->top = cursor;
	if (t->top > spec->grid->nrows - page && !spec->wrap)
		t->top = spec->grid->nrows - page;
	if (t->top < 0)
		t->top = 0;
}

/* With rows of several lines the cursor may still be below the last line: scroll row by row. */
static void
scroll_to_cursor(struct frame *f)
{
	if (!f->spec->wrap || f->spec->cursor < 0)
		return;
	int lines = 0;
	for (int row = f->t->top; row <= f->spec->cursor; row++)
		lines += row_height(f, row);
	int top = f->t->top;
	while (lines > f->page && top < f->spec->cursor)
		lines -= row_height(f, top++);
	if (top != f->t->top) {
		f->t->top = top;
		prepare(f);
	}
}

static void
draw_rows(struct frame *f)
{
	struct table *t = f->t;
	int most = (int)(sizeof(t->row_of_line) / sizeof(t->row_of_line[0])), line = 0;

	t->nlines = f->page < most ? f->page : most;
	for (int row = f->from; row < f->from + f->nrows && line < f->page; row++) {
		int height = row_height(f, row);
		if (height > f->page - line)
			height = f->page - line;
		draw_row(f, row, line, height);
		for (int i = 0; i < height && line + i < t->nlines; i++)
			t->row_of_line[line + i] = row;
		line += height;
	}
	for (; line < t->nlines; line++)
		t->row_of_line[line] = -1;
}

void
table_draw(struct draw *d, struct table *t, const struct table_spec *spec)
{
	struct frame f = {
		.d = d, .t = t, .spec = spec, .page = table_page(d), .tree_pos = -1, .query_pos = -1
	};

	if (d->rows < 1 || d->cols < 1 || spec->ncols < 1 || spec->ncols > TABLE_MAX_COLS)
		return;
	strbuf_init(&f.buf, 64u << 20);
	if (t->laid_cols != d->cols)
		table_reset(t);
	t->laid_cols = d->cols;
	for (int pos = 0; pos < spec->ncols; pos++) {
		const struct column *col = column_at(spec, pos);
		bool is_text = col->kind == COL_TEXT || col->kind == COL_QUERY;
		if (f.tree_pos < 0 && is_text && (col->flags & COL_FIXED || col->kind == COL_QUERY))
			f.tree_pos = pos;
		if (f.query_pos < 0 && col->kind == COL_QUERY)
			f.query_pos = pos;
	}
	clamp_top(t, spec, f.page > 0 ? f.page : 1);
	prepare(&f);
	scroll_to_cursor(&f);
	draw_header(&f);
	draw_rows(&f);
	free(f.texts);
	strbuf_release(&f.buf);
}

void
table_reset(struct table *t)
{
	memset(t->widths, 0, sizeof(t->widths));
}

int
table_page(const struct draw *d)
{
	return d->rows > 1 ? d->rows - 1 : 0;
}

void
table_hscroll(struct table *t, const struct table_spec *spec, int n)
{
	if (n > 0 && !t->more_right)
		return;
	t->hscroll += n;
	if (t->hscroll > spec->ncols - 2)
		t->hscroll = spec->ncols - 2;
	if (t->hscroll < 0)
		t->hscroll = 0;
}

void
table_hit(const struct table *t, const struct table_spec *spec, int line, int x, int *row, int *col)
{
	*row = *col = -1;
	if (line > 0 && line <= t->nlines)
		*row = t->row_of_line[line - 1];
	if (line != 0)
		return;
	for (int i = 0; i < t->nvisible; i++) {
		int pos = i == 0 ? 0 : t->first_pos + i - 1;
		if (pos < spec->ncols && x >= t->col_x[pos] && x <= t->col_x[pos] + t->col_w[pos])
			*col = spec->cols[pos];
	}
}
