/* The B-tree that a candidate becomes; those of partitions are taken as one. */
#include "config.h"

#include "advice/btree.h"

#include <math.h>

#include "advice/size.h"

void
btree_estimate(struct cand *cand)
{
	const struct cat_table *t = cand->table;
	struct size_key keys[CAND_MAX_KEYS] = { 0 };
	struct size_index ix = { .rows = t->rows, .keys = keys, .nkeys = cand->nkeys };
	struct size_estimate size;

	ix.ninclude = cand->nkeys - cand->ncore;
	for (int i = 0; i < cand->nkeys; i++) {
		const struct cat_column *col = cand->keys[i];

		keys[i] = (struct size_key){ .typlen = col->typlen,
			.align = col->align,
			.width = col->width,
			.ndistinct = col->ndistinct,
			.null_frac = col->null_frac,
			.correlation = col->correlation,
			.equal_image = col->equal_image,
			.freqs = col->freqs,
			.nfreqs = col->nmcv };
	}
	size = size_btree(&ix);
	cand->size_bytes = size.bytes;
	cand->height = size.height;
}
