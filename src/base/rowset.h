/*
 * A rowset is the decoded answer of one query: named, typed columns and rows of cells, in an arena
 * of its own, built by one thread, then sealed by handing it on; shared by reference count and
 * const from then on. Recordings store rowsets, replay makes the same ones.
 */
#ifndef PGMEDIC_BASE_ROWSET_H
#define PGMEDIC_BASE_ROWSET_H

#include <stdatomic.h>
#include <stddef.h>

#include "base/cell.h"
#include "base/mem.h"

struct rowset {
	atomic_int refs;
	struct arena arena; /* owns names, cells, texts */
	int ncols, nrows, cap;
	const char **names;
	uint8_t *types;     /* enum cell_type declared for each column */
	struct cell *cells; /* nrows * ncols, row by row */
};

/* A new set with one reference, for the given columns (names are copied). */
struct rowset *rowset_new(int ncols, const char *const *names, const uint8_t *types);
struct rowset *rowset_ref(const struct rowset *rs); /* any thread */
void rowset_unref(const struct rowset *rs);         /* any thread; NULL is fine */
/* Append a row of NULLs and return its cells (valid until the next add). Texts put into the cells
 * must live in rs->arena. */
struct cell *rowset_add(struct rowset *rs);
/* Index of a column, -1 when there is none (an older server or recording). */
int rowset_col(const struct rowset *rs, const char *name);
/* Indices of n names at once. */
void rowset_cols(const struct rowset *rs, const char *const *names, int n, int *index);
static inline const struct cell *
rowset_row(const struct rowset *rs, int row)
{
	return rs->cells + (size_t)row * (size_t)rs->ncols;
}
/* The cell, or a static NULL with WHY_UNSUPPORTED when col is -1. */
const struct cell *rowset_cell(const struct rowset *rs, int row, int col);
/* Cell of a row by column name: for single-row sets and details, not for hot loops. */
const struct cell *rowset_get(const struct rowset *rs, int row, const char *name);

#endif
