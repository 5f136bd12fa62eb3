/* The grid: rows, facts and notes in one arena, row identity, and sorting. */
#include "config.h"

#include "base/grid.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/hmap.h"

void
grid_init(struct grid *g, const struct column *cols, int ncols)
{
	*g = (struct grid){ .cols = cols, .ncols = ncols };
}

void
grid_release(struct grid *g)
{
	free(g->rows);
	free(g->notes);
	free(g->facts);
	arena_release(&g->arena);
	grid_init(g, NULL, 0);
}

void
grid_reset(struct grid *g)
{
	arena_reset(&g->arena);
	g->nrows = g->nnotes = g->nfacts = g->total = 0;
	g->is_tree = false;
}

struct grid_row *
grid_add(struct grid *g)
{
	struct grid_row *row;

	GROW(g->rows, g->nrows, g->cap);
	row = &g->rows[g->nrows++];
	*row = (struct grid_row){
		.cells = arena_zalloc(&g->arena, (size_t)g->ncols, sizeof(struct cell)),
	};
	return row;
}

void
grid_note(struct grid *g, const char *code, const char *what, const char *hint)
{
	GROW(g->notes, g->nnotes, g->cap_notes);
	g->notes[g->nnotes++] = (struct grid_note){
		.code = arena_strdup(&g->arena, code),
		.what = arena_strdup(&g->arena, what ? what : ""),
		.hint = arena_strdup(&g->arena, hint ? hint : ""),
	};
}

void
grid_notef(struct grid *g, const char *code, const char *hint, const char *fmt, ...)
{
	struct strbuf what = STRBUF_INIT(4096);
	va_list ap;

	va_start(ap, fmt);
	strbuf_addv(&what, fmt, ap);
	va_end(ap);
	grid_note(g, code, what.buf, hint);
	strbuf_release(&what);
}

void
grid_fact(struct grid *g, const char *name, enum column_kind kind, struct cell value)
{
	int64_t *ints;

	if (value.type == CELL_TEXT) {
		value.s = arena_strndup(&g->arena, value.s, value.len);
	} else if (value.type == CELL_INTS) {
		ints = arena_alloc(&g->arena, value.len * sizeof(*ints));
		if (value.len)
			memcpy(ints, value.ints, value.len * sizeof(*ints));
		value.ints = ints;
	}
	GROW(g->facts, g->nfacts, g->cap_facts);
	g->facts[g->nfacts++] = (struct grid_fact){
		.name = arena_strdup(&g->arena, name),
		.kind = kind,
		.value = value,
	};
}

const struct grid_fact *
grid_fact_get(const struct grid *g, const char *name)
{
	for (int i = 0; i < g->nfacts; i++)
		if (strcmp(g->facts[i].name, name) == 0)
			return &g->facts[i];
	return NULL;
}

int
grid_col(const struct grid *g, const char *name)
{
	for (int i = 0; i < g->ncols; i++)
		if (strcmp(g->cols[i].name, name) == 0)
			return i;
	return -1;
}

static uint64_t
hash_cell(uint64_t seed, const struct cell *c)
{
	seed = hash_u64(seed, c->type);
	switch ((enum cell_type)c->type) {
	case CELL_NULL:
		break;
	case CELL_BOOL:
	case CELL_INT:
	case CELL_FLOAT:
	case CELL_TIME:
		seed = hash_u64(seed, (uint64_t)c->i);
		break;
	case CELL_TEXT:
		seed = hash_bytes(seed, c->s, c->len);
		break;
	case CELL_INTS:
		seed = hash_bytes(seed, c->ints, c->len * sizeof(*c->ints));
		break;
	}
	return seed;
}

void
grid_seal(struct grid *g)
{
	bool has_key = false;
	uint64_t key;

	for (int c = 0; c < g->ncols; c++)
		has_key = has_key || (g->cols[c].flags & COL_KEY);
	for (int r = 0; r < g->nrows; r++) {
		/* Without a key a row is its place. */
		key = has_key ? 1 : hash_u64(2, (uint64_t)r);
		for (int c = 0; c < g->ncols; c++)
			if (g->cols[c].flags & COL_KEY)
				key = hash_cell(key, &g->rows[r].cells[c]);
		g->rows[r].key = key;
	}
	g->total = g->nrows;
}

/* What is sorted: the cell's head beside its row, so that a comparison touches no row. In a tree
 * a row stands for itself and all rows below it, up to `end`. */
struct item {
	struct cell key;
	int row, end;
};

struct sorting {
	struct grid *g;
	int col;
	bool descending;
	struct item *items, *spare; /* nrows each */
	int *order;                 /* new place → old row */
	int n;
};

/* Only by the key: equal items stay as they are, since the merge is stable. */
static int
item_cmp(const struct sorting *s, const struct item *a, const struct item *b)
{
	bool x = cell_is_null(&a->key), y = cell_is_null(&b->key);
	int r;

	if (x || y)
		return x - y;
	r = cell_cmp(&a->key, &b->key);
	return s->descending ? -r : r;
}

/* Bottom-up merge sort; runs of 8 by insertion. */
static void
sort_items(const struct sorting *s, struct item *items, int n)
{
	struct item *from = items, *to = s->spare, *swap, moved;
	int i, j, k, mid, end;

	for (int lo = 0; lo < n; lo += 8) {
		end = lo + 8 < n ? lo + 8 : n;
		for (i = lo + 1; i < end; i++) {
			moved = items[i];
			for (j = i; j > lo && item_cmp(s, &moved, &items[j - 1]) < 0; j--)
				items[j] = items[j - 1];
			items[j] = moved;
		}
	}
	for (int width = 8; width < n; width *= 2) {
		for (int lo = 0; lo < n; lo += 2 * width) {
			mid = lo + width < n ? lo + width : n;
			end = mid + width < n ? mid + width : n;
			for (i = lo, j = mid, k = lo; k < end; k++)
				to[k] =
				    j >= end || (i < mid && item_cmp(s, &from[i], &from[j]) <= 0) ?
				    from[i++] :
				    from[j++];
		}
		swap = from;
		from = to;
		to = swap;
	}
	if (from != items)
		memcpy(items, from, (size_t)n * sizeof(*items));
}

/* Rows lo to hi are siblings with what is below each; items from `used` on are free. */
static void
sort_range(struct sorting *s, int lo, int hi, int used)
{
	const struct grid_row *rows = s->g->rows;
	struct item *items = s->items + used;
	int n = 0, end;

	for (int row = lo; row < hi; row = end) {
		for (end = row + 1; s->g->is_tree && end < hi && rows[end].depth > rows[row].depth;
		     end++)
			;
		items[n++] = (struct item){ rows[row].cells[s->col], row, end };
	}
	sort_items(s, items, n);
	for (int i = 0; i < n; i++) {
		s->order[s->n++] = items[i].row;
		if (items[i].end > items[i].row + 1)
			sort_range(s, items[i].row + 1, items[i].end, used + n);
	}
}

void
grid_sort(struct grid *g, int col, bool descending)
{
	struct sorting s = { .g = g, .col = col, .descending = descending };
	size_t n = (size_t)g->nrows;
	struct grid_row *rows;

	if (col < 0 || col >= g->ncols || g->nrows < 2)
		return;
	s.items = xcalloc(n, sizeof(*s.items));
	s.spare = xcalloc(n, sizeof(*s.spare));
	s.order = xcalloc(n, sizeof(*s.order));
	rows = xcalloc(n, sizeof(*rows));
	sort_range(&s, 0, g->nrows, 0);
	for (size_t i = 0; i < n; i++)
		rows[i] = g->rows[s.order[i]];
	memcpy(g->rows, rows, n * sizeof(*rows));
	free(rows);
	free(s.order);
	free(s.spare);
	free(s.items);
}
