/* Finding the rows of one sample in the sample before it. */
#include "config.h"

#include "model/join.h"

#include <assert.h>
#include <stdbool.h>

#include "base/hmap.h"

enum { MAX_KEYS = 8 };

struct side {
	const struct rowset *rs;
	int col[MAX_KEYS];
};

static inline int64_t
key_of(const struct side *s, int row, int k)
{
	const struct cell *c;

	if (s->col[k] < 0)
		return INT64_MIN;
	c = rowset_row(s->rs, row) + s->col[k];
	return c->type == CELL_NULL ? INT64_MIN : c->i;
}

static bool
is_same(const struct side *a, int row_a, const struct side *b, int row_b, int nkeys)
{
	for (int k = 0; k < nkeys; k++)
		if (key_of(a, row_a, k) != key_of(b, row_b, k))
			return false;
	return true;
}

static uint64_t
hash_of(const struct side *s, int row, int nkeys)
{
	uint64_t h = 0;

	for (int k = 0; k < nkeys; k++)
		h = hash_u64(h, (uint64_t)key_of(s, row, k));
	return h;
}

static void
build(struct hmap *map, const struct side *s, int nkeys)
{
	for (int i = 0; i < s->rs->nrows; i++)
		hmap_put(map, hash_of(s, i, nkeys), (uint64_t)i);
}

int *
join_rows(struct arena *arena, const struct rowset *cur, const struct rowset *prev,
    const char *const *keys, int nkeys)
{
	struct side a = { .rs = cur }, b = { .rs = prev };
	struct hmap map = { 0 };
	bool is_built = false;
	int *found, next = 0;

	assert(nkeys > 0 && nkeys <= MAX_KEYS);
	if (cur->nrows == 0)
		return NULL;
	found = arena_alloc(arena, (size_t)cur->nrows * sizeof(*found));
	rowset_cols(cur, keys, nkeys, a.col);
	if (prev)
		rowset_cols(prev, keys, nkeys, b.col);
	for (int i = 0; i < cur->nrows; i++) {
		uint64_t at;

		found[i] = -1;
		if (!prev || prev->nrows == 0 || cell_is_null(rowset_cell(cur, i, a.col[0])))
			continue;
		if (next < prev->nrows && is_same(&a, i, &b, next, nkeys)) {
			found[i] = next++;
			continue;
		}
		if (!is_built)
			build(&map, &b, nkeys);
		is_built = true;
		if (!hmap_get(&map, hash_of(&a, i, nkeys), &at) ||
		    !is_same(&a, i, &b, (int)at, nkeys))
			continue;
		found[i] = (int)at;
		next = (int)at + 1;
	}
	hmap_release(&map);
	return found;
}
