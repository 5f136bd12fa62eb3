/* What is posted of the history: the chart that is looked at, and sizes. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "app/historian.h"
#include "base/hmap.h"
#include "base/mem.h"
#include "model/spans.h"
#include "store/history.h"

struct rowset *
historian_chart(struct history *h, const char *target, const char *metric, int span_s,
    struct wall now, struct error *err)
{
	static const char *const names[] = { "metric", "span_s", "time", "min", "avg", "max", "n" };
	static const uint8_t types[] = { CELL_TEXT, CELL_INT, CELL_TIME, CELL_FLOAT, CELL_FLOAT,
		CELL_FLOAT, CELL_INT };
	int64_t span_us = span_s * INT64_C(1000000);
	struct wall from = { now.us - span_us }, to = { now.us + 60 * INT64_C(1000000) };
	/* so that the store's buckets are those of the chart */
	int buckets = (int)((span_s + 120) / span_bucket_s(span_s)) + 2;
	struct rowset *found = history_metric(h, target, metric, from, to, buckets, err), *rows;
	const char *name;

	if (!found)
		return NULL;
	rows = rowset_new((int)ARRAY_LEN(names), names, types);
	name = arena_strdup(&rows->arena, metric);
	for (int i = 0; i < found->nrows || i == 0; i++) {
		struct cell *c = rowset_add(rows);

		c[0] = cell_text(name);
		c[1] = cell_int(span_s);
		for (int k = 0; k < found->ncols && i < found->nrows; k++)
			c[k + 2] = *rowset_cell(found, i, k);
	}
	rowset_unref(found);
	return rows;
}

/* Objects by their last size; rows are by time. */
struct ranked {
	const char *name;
	size_t len;
	int64_t bytes;
};

static int
by_bytes(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return x->bytes > y->bytes ? -1 : x->bytes < y->bytes;
}

static bool
begins(const struct cell *c, const char *prefix)
{
	return c->type == CELL_TEXT && c->len >= strlen(prefix) &&
	    memcmp(c->s, prefix, strlen(prefix)) == 0;
}

/* Puts the names of the largest `most` objects that begin with prefix into the map. */
static void
rank(const struct rowset *rows, const char *prefix, int most, struct hmap *kept)
{
	struct ranked *items = xcalloc((size_t)rows->nrows + 1, sizeof(*items));
	struct hmap at = { 0 };
	int n = 0;

	for (int i = 0; i < rows->nrows; i++) {
		const struct cell *name = rowset_cell(rows, i, 1);
		uint64_t place, key;

		if (!begins(name, prefix))
			continue;
		key = hash_bytes(0, name->s, name->len);
		if (!hmap_get(&at, key, &place)) {
			place = (uint64_t)n++;
			hmap_put(&at, key, place);
		}
		items[place] = (struct ranked){ name->s, name->len, rowset_cell(rows, i, 2)->i };
	}
	qsort(items, (size_t)n, sizeof(*items), by_bytes);
	for (int i = 0; i < n && i < most; i++)
		hmap_put(kept, hash_bytes(0, items[i].name, items[i].len), 1);
	hmap_release(&at);
	free(items);
}

struct rowset *
historian_sizes(struct history *h, const char *target, int databases, int tables, struct error *err)
{
	struct rowset *all = history_sizes(h, target, NULL, (struct wall){ 0 }, err), *rows;
	int64_t latest = wall_now().us + 86400 * INT64_C(1000000);
	struct hmap kept = { 0 };

	if (!all)
		return NULL;
	rank(all, "database:", databases, &kept);
	rank(all, "table:", tables, &kept);
	rows = rowset_new(all->ncols, all->names, all->types);
	for (int i = 0; i < all->nrows; i++) {
		const struct cell *name = rowset_cell(all, i, 1);
		struct cell *c;

		/* Written while a clock was wrong: what is still to come is not the last size. */
		if (rowset_cell(all, i, 0)->i > latest)
			continue;
		if ((begins(name, "database:") || begins(name, "table:")) &&
		    !hmap_has(&kept, hash_bytes(0, name->s, name->len)))
			continue;
		c = rowset_add(rows);
		c[0] = *rowset_cell(all, i, 0);
		c[1] = cell_textn(arena_strndup(&rows->arena, name->s, name->len), name->len);
		c[2] = *rowset_cell(all, i, 2);
	}
	hmap_release(&kept);
	rowset_unref(all);
	return rows;
}
