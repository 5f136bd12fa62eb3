/* Shows a document: a window of its screen lines, where long lines are wrapped unless the user
 * scrolls them sideways. */
#include "config.h"

#include "tui/docview.h"

#include <string.h>
#include <strings.h>

#include "base/utf8.h"
#include "tui/wrap.h"

enum { MAX_WRAPPED = 10000 };

/* Continuation lines of a "label  value" line stand under the value. */
static int
indent_of(const struct doc_line *line, int cols)
{
	int indent = line->label_len > 0 ? utf8_width(line->text, (size_t)line->label_len) : 0;
	return indent < cols / 2 ? indent : 0;
}

static int
line_height(const struct docview *v, const struct doc_line *line, int cols)
{
	if (v->no_wrap)
		return 1;
	size_t len = strlen(line->text), skip;
	size_t first = wrap_line(line->text, len, cols, &skip);
	if (first + skip >= len)
		return 1;
	return 1 +
	    wrap_count(line->text + first + skip, len - first - skip, cols - indent_of(line, cols),
	        MAX_WRAPPED);
}

static void
draw_matches(struct draw *d, const struct docview *v, int row, int x, const char *s, size_t len)
{
	size_t n = strlen(v->search);
	for (size_t i = 0; n > 0 && i + n <= len; i++)
		if (strncasecmp(s + i, v->search, n) == 0) {
			draw_textn(d, row, x + utf8_width(s, i), ROLE_MATCH, s + i, n);
			i += n - 1;
		}
}

static void
draw_part(struct draw *d, const struct docview *v, const struct doc_line *line, int row, int x,
    size_t from, size_t len)
{
	size_t label = (size_t)line->label_len > from ? (size_t)line->label_len - from : 0;
	if (label > len)
		label = len;
	int used = draw_textn(d, row, x, ROLE_DIM, line->text + from, label);
	draw_textn(d, row, x + used, line->role, line->text + from + label, len - label);
	draw_matches(d, v, row, x, line->text + from, len);
}

/* Draws the screen lines of a line that are not above row 0. */
static void
draw_line(struct draw *d, const struct docview *v, const struct doc_line *line, int row)
{
	size_t len = strlen(line->text), from = 0;

	if (v->no_wrap) {
		size_t hidden = utf8_fit(line->text, len, v->left, NULL);
		draw_part(d, v, line, row, 0, hidden, len - hidden);
		return;
	}
	int indent = 0;
	do {
		size_t skip, n = wrap_line(line->text + from, len - from, d->cols - indent, &skip);
		if (row >= 0)
			draw_part(d, v, line, row, indent, from, n);
		from += n + skip;
		row++;
		indent = indent_of(line, d->cols);
	} while (from < len && row < d->rows);
}

void
docview_draw(struct draw *d, struct docview *v, const struct doc *doc)
{
	v->total = 0;
	for (int i = 0; i < doc->n; i++)
		v->total += line_height(v, &doc->lines[i], d->cols);
	v->page = d->rows;
	v->cols = d->cols;
	if (v->top > v->total - v->page)
		v->top = v->total - v->page;
	if (v->top < 0)
		v->top = 0;
	int row = -v->top;
	for (int i = 0; i < doc->n && row < d->rows; i++) {
		int height = line_height(v, &doc->lines[i], d->cols);
		if (row + height > 0)
			draw_line(d, v, &doc->lines[i], row);
		row += height;
	}
}

void
docview_scroll(struct docview *v, int lines)
{
	long top = (long)v->top + lines;
	v->top = top < 0 ? 0 : top > DOCVIEW_END ? DOCVIEW_END : (int)top;
}

static bool
has_text(const char *line, const char *word)
{
	return *word && strcasestr(line, word);
}

bool
docview_find(struct docview *v, const struct doc *doc, bool backwards)
{
	int row = 0, found = -1;

	for (int i = 0; i < doc->n; i++) {
		if (has_text(doc->lines[i].text, v->search)) {
			if (backwards && row < v->top)
				found = row;
			if (!backwards && row > v->top) {
				found = row;
				break;
			}
		}
		row += line_height(v, &doc->lines[i], v->cols > 0 ? v->cols : 80);
	}
	if (found >= 0)
		v->top = found;
	return found >= 0;
}
