/* The first line is a filter, the rest are the cells of rows: filtering, sorting and printing them
 * in all forms never fails, keeps a row exactly when it matches, and prints nothing unclean. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/compat.h"
#include "base/grid.h"
#include "base/json.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct column cols[] = {
	{ "pid", "PID", COL_INT, 0, COL_KEY, "" },
	{ "name", "NAME", COL_TEXT, 0, COL_FIXED, "" },
	{ "age", "AGE", COL_SECONDS, 0, 0, "" },
	{ "size", "SIZE", COL_BYTES, 0, 0, "" },
	{ "lsn", "LSN", COL_LSN, 0, 0, "" },
	{ "at", "AT", COL_TIME, 0, 0, "" },
	{ "query", "QUERY", COL_QUERY, 0, 0, "" },
};

enum { MAX_ROWS = 64, MAX_EXPRESSION = 40 };

static void
fill(struct grid *g, const char *s, size_t size)
{
	const char *end;
	int64_t i;
	double f;
	size_t n;

	grid_init(g, cols, ARRAY_LEN(cols));
	g->is_tree = size & 1;
	while (size && g->nrows < MAX_ROWS) {
		struct grid_row *row = grid_add(g);

		end = memchr(s, '\n', size);
		n = end ? (size_t)(end - s) : size;
		i = 0;
		f = 0;
		memcpy(&i, s, n < sizeof(i) ? n : sizeof(i));
		memcpy(&f, s, n < sizeof(f) ? n : sizeof(f));
		row->depth = n ? (uint8_t)(s[0] & 3) : 0;
		row->cells[0] = cell_int(g->nrows);
		row->cells[1] = n & 1 ? cell_textn(s, n) : cell_null(WHY_DENIED);
		row->cells[2] = cell_float(f);
		row->cells[3] = cell_int(i);
		row->cells[4] = cell_int(i);
		row->cells[5] = cell_time(i);
		row->cells[6] = cell_textn(s, n);
		n += end ? 1 : 0;
		s += n;
		size -= n;
	}
	grid_seal(g);
}

static void
print(const struct grid *g)
{
	struct strbuf out = STRBUF_INIT(1 << 24);
	struct error err;
	struct json *root;

	grid_json_rows(&out, g);
	root = json_parse(out.buf, out.len, &err);
	if (!root || json_len(root) != g->nrows || !utf8_is_clean(out.buf, out.len))
		abort();
	json_free(root);
	strbuf_clear(&out);
	grid_text(&out, g, 79);
	if (!utf8_is_clean(out.buf, out.len))
		abort();
	strbuf_clear(&out);
	grid_csv(&out, g);
	strbuf_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *s = (const char *)data, *end = size ? memchr(s, '\n', size) : NULL;
	size_t n = end ? (size_t)(end - s) : size;
	struct arena arena = { 0 };
	char *text = arena_strndup(&arena, s, n);
	struct grid_filter *f = NULL;
	int matches = 0, sum = 0;
	struct error err;
	struct grid g;

	fill(&g, s + n, size - n);
	/* The C library takes exponential memory for nested repetitions, which is not ours to mend.
	 */
	if (!strchr(text, '/') || (n < MAX_EXPRESSION && !strpbrk(text, "{*+")))
		f = grid_filter_new(cols, ARRAY_LEN(cols), text, &err);
	for (int i = 0; f && i < g.nrows; i++)
		matches += grid_filter_match(f, &g, &g.rows[i]);
	if (f) {
		grid_filter(&g, f);
		if (g.is_tree ? g.nrows < matches : g.nrows != matches)
			abort();
	}
	for (int col = 0; col < g.ncols; col++)
		grid_sort(&g, col, n & 1);
	for (int i = 1; i < g.nrows; i++)
		sum += !g.is_tree &&
		    cell_cmp(&g.rows[i - 1].cells[6], &g.rows[i].cells[6]) * (n & 1 ? -1 : 1) > 0;
	if (sum)
		abort();
	print(&g);
	grid_filter_free(f);
	grid_release(&g);
	arena_release(&arena);
	return 0;
}
