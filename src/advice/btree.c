/*
 * The B-tree a candidate becomes. Where A.h's size model is asked for one key list, partitions are
 * summed and covering columns, which are never deduplicated, counted as they are.
 */
#include "config.h"

#include "advice/btree.h"

#include <math.h>
#include <string.h>

enum { PAGE = 8192, PAGE_ROOM = 8192 - 24 - 16 };

/* Types whose equal values may differ in their bytes: never deduplicated. */
static bool
is_deduplicated(const struct cat_column *col)
{
	static const char *const never[] = { "numeric", "real", "double precision", "jsonb",
		"interval", "character(" };

	for (size_t i = 0; i < ARRAY_LEN(never); i++) {
		if (strncmp(col->type, never[i], strlen(never[i])) == 0)
			return false;
	}
	return !strchr(col->type, '[');
}

void
btree_estimate(struct cand *cand)
{
	const struct cat_table *t = cand->table;
	double rows = fmax(t->rows, 1), width = 0, distinct = 1, posting = 1, entry, pages;
	bool dedup = cand->nkeys == cand->ncore;

	for (int i = 0; i < cand->nkeys; i++) {
		const struct cat_column *col = cand->keys[i];

		width += col->has_stats && col->width > 0 ? col->width : 8;
		distinct *= 1 / column_eq_share(col, rows);
		dedup &= is_deduplicated(col);
	}
	width = ceil(width / 8) * 8;
	distinct = fmax(1, fmin(distinct, rows));
	if (dedup)
		posting = fmax(1, fmin(rows / distinct, PAGE_ROOM / 3.0 / 6));
	/* line pointer and header once a tuple, a row's address of 6 bytes each */
	entry = posting > 1 ? 6 + (4 + 8 + width) / posting : 4 + 8 + width;
	pages = fmax(1, rows * entry / PAGE_ROOM / 0.9);
	cand->size_bytes = (pages + 1) * PAGE;
	cand->height = 1 + fmax(0, ceil(log(pages) / log(PAGE_ROOM / (width + 12))));
}
