/* A grid as aligned plain text, for `show` without a screen. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/grid.h"
#include "base/mem.h"
#include "base/utf8.h"

enum {
	MAX_TEXTS = 256 * 1024 * 1024,
	INDENT = 2,       /* columns per level of a tree */
	LEAST_QUERY = 10, /* a statement column narrower than this is not worth having */
};

struct piece {
	size_t at, len;
	int width;
};

/* Every shown cell formatted once, row by row, in one buffer. */
struct layout {
	const struct grid *g;
	int *cols; /* indices of the shown columns */
	int *widths;
	int n, tree; /* count; which of them shows the tree, or -1 */
	struct strbuf texts;
	struct piece *pieces;
};

static bool
is_left(const struct column *col)
{
	return (col->flags & COL_LEFT) || col->kind == COL_TEXT || col->kind == COL_QUERY ||
	    col->kind == COL_BOOL || col->kind == COL_INTS || col->kind == COL_LSN ||
	    col->kind == COL_TEXTS || col->kind == COL_JSON;
}

static void
choose_columns(struct layout *l)
{
	const struct column *cols = l->g->cols;

	l->tree = -1;
	for (int c = 0; c < l->g->ncols; c++) {
		if (cols[c].flags & COL_HIDDEN)
			continue;
		if (l->g->is_tree && l->tree < 0 &&
		    (cols[c].kind == COL_QUERY ||
		        (cols[c].kind == COL_TEXT && (cols[c].flags & COL_FIXED))))
			l->tree = l->n;
		l->cols[l->n] = c;
		l->widths[l->n++] = utf8_width(cols[c].title, strlen(cols[c].title));
	}
}

static void
format_cells(struct layout *l)
{
	const struct grid *g = l->g;
	struct piece *p = l->pieces;

	for (int r = 0; r < g->nrows; r++) {
		for (int i = 0; i < l->n; i++, p++) {
			p->at = l->texts.len;
			for (int d = 0; i == l->tree && d < g->rows[r].depth * INDENT; d++)
				strbuf_addc(&l->texts, ' ');
			grid_cell_text(
			    &l->texts, g->cols[l->cols[i]].kind, &g->rows[r].cells[l->cols[i]]);
			p->len = l->texts.len - p->at;
			p->width = utf8_width(l->texts.buf + p->at, p->len);
			if (p->width > l->widths[i])
				l->widths[i] = p->width;
		}
	}
}

/* When the line is too long, the statement column gives way. */
static void
fit_query(struct layout *l, int width)
{
	int sum = 0, query = -1, room;

	for (int i = 0; i < l->n; i++) {
		sum += l->widths[i] + (i > 0) * 2;
		if (l->g->cols[l->cols[i]].kind == COL_QUERY)
			query = i;
	}
	if (!width || sum <= width || query < 0)
		return;
	room = l->widths[query] - (sum - width);
	l->widths[query] = room < LEAST_QUERY ? LEAST_QUERY : room;
}

static void
pad(struct strbuf *out, int n)
{
	while (n-- > 0)
		strbuf_addc(out, ' ');
}

/* One field, cut to its column. */
static void
put_field(struct strbuf *out, const char *s, size_t len, int width, bool left)
{
	int used;

	len = utf8_fit(s, len, width, &used);
	if (!left)
		pad(out, width - used);
	strbuf_add(out, s, len);
	if (left)
		pad(out, width - used);
}

/* The line without blanks at its end, cut to the width. */
static void
put_line(struct strbuf *out, const struct strbuf *line, int width)
{
	size_t len = line->len;

	if (width)
		len = utf8_fit(line->buf, len, width, NULL);
	while (len && line->buf[len - 1] == ' ')
		len--;
	strbuf_add(out, line->buf, len);
	strbuf_addc(out, '\n');
}

static void
put_rows(struct strbuf *out, const struct layout *l, int width)
{
	const struct column *cols = l->g->cols;
	struct strbuf line = STRBUF_INIT(MAX_TEXTS);
	const struct piece *p = l->pieces;

	for (int r = -1; r < l->g->nrows; r++) {
		strbuf_clear(&line);
		for (int i = 0; i < l->n; i++) {
			const struct column *col = &cols[l->cols[i]];

			if (i)
				pad(&line, 2);
			if (r < 0) {
				put_field(&line, col->title, strlen(col->title), l->widths[i],
				    is_left(col));
				continue;
			}
			put_field(&line, l->texts.buf + p->at, p->len, l->widths[i], is_left(col));
			p++;
		}
		put_line(out, &line, width);
	}
	strbuf_release(&line);
}

static void
put_notes(struct strbuf *out, const struct grid *g)
{
	const struct grid_note *n;

	for (int i = 0; i < g->nnotes; i++) {
		n = &g->notes[i];
		strbuf_adds(out, i ? "" : "\n");
		strbuf_adds(out, "note: ");
		utf8_clean(out, n->what, strlen(n->what), true);
		if (n->hint[0]) {
			strbuf_adds(out, " | hint: ");
			utf8_clean(out, n->hint, strlen(n->hint), true);
		}
		strbuf_addc(out, '\n');
	}
}

void
grid_text(struct strbuf *out, const struct grid *g, int width)
{
	struct layout l = { .g = g, .texts = STRBUF_INIT(MAX_TEXTS) };
	size_t ncols = (size_t)g->ncols;

	l.cols = xcalloc(ncols, sizeof(*l.cols));
	l.widths = xcalloc(ncols, sizeof(*l.widths));
	choose_columns(&l);
	l.pieces = xcalloc((size_t)l.n * (size_t)g->nrows, sizeof(*l.pieces));
	format_cells(&l);
	fit_query(&l, width);
	put_rows(out, &l, width);
	put_notes(out, g);
	free(l.pieces);
	free(l.widths);
	free(l.cols);
	strbuf_release(&l.texts);
}
