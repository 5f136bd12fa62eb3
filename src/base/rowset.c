/* Decoded answers, shared by reference count. */
#include "config.h"

#include "base/rowset.h"

#include <stdlib.h>
#include <string.h>

struct rowset *
rowset_new(int ncols, const char *const *names, const uint8_t *types)
{
	struct rowset *rs = xcalloc(1, sizeof(*rs));
	size_t n = ncols > 0 ? (size_t)ncols : 0;

	atomic_init(&rs->refs, 1);
	rs->ncols = (int)n;
	rs->names = arena_zalloc(&rs->arena, n, sizeof(*rs->names));
	rs->types = arena_zalloc(&rs->arena, n, 1);
	for (size_t i = 0; i < n; i++) {
		rs->names[i] = arena_strdup(&rs->arena, names[i]);
		rs->types[i] = types[i];
	}
	return rs;
}

struct rowset *
rowset_ref(const struct rowset *rs)
{
	struct rowset *mine = (struct rowset *)rs;

	if (mine)
		atomic_fetch_add_explicit(&mine->refs, 1, memory_order_relaxed);
	return mine;
}

void
rowset_unref(const struct rowset *rs)
{
	struct rowset *mine = (struct rowset *)rs;

	if (!mine || atomic_fetch_sub_explicit(&mine->refs, 1, memory_order_acq_rel) != 1)
		return;
	free(mine->cells);
	arena_release(&mine->arena);
	free(mine);
}

struct cell *
rowset_add(struct rowset *rs)
{
	size_t width = (size_t)rs->ncols;
	struct cell *row;

	if (rs->nrows == rs->cap) {
		rs->cap = rs->cap ? rs->cap * 2 : 8;
		rs->cells = xrealloc(rs->cells, (size_t)rs->cap, width * sizeof(*rs->cells));
	}
	row = rs->cells + (size_t)rs->nrows++ * width;
	memset(row, 0, width * sizeof(*row));
	return row;
}

int
rowset_col(const struct rowset *rs, const char *name)
{
	for (int i = 0; i < rs->ncols; i++)
		if (strcmp(rs->names[i], name) == 0)
			return i;
	return -1;
}

void
rowset_cols(const struct rowset *rs, const char *const *names, int n, int *index)
{
	for (int i = 0; i < n; i++)
		index[i] = rowset_col(rs, names[i]);
}

const struct cell *
rowset_cell(const struct rowset *rs, int row, int col)
{
	static const struct cell absent = { .type = CELL_NULL, .why = WHY_UNSUPPORTED };

	if (row < 0 || row >= rs->nrows || col < 0 || col >= rs->ncols)
		return &absent;
	return rowset_row(rs, row) + col;
}

const struct cell *
rowset_get(const struct rowset *rs, int row, const char *name)
{
	return rowset_cell(rs, row, rowset_col(rs, name));
}
