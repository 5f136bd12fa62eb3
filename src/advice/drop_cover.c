/*
 * Which index makes another one superfluous. A B-tree serves what a shorter one with the same first
 * columns serves, read forwards or backwards; other methods only what is the very same. Operator
 * class, collation, order, predicate and what INCLUDE carries must agree, and uniqueness is only
 * replaced by the same uniqueness.
 */
#include "config.h"

#include <string.h>

#include "advice/drop_priv.h"

static bool
same_text(const char *a, const char *b)
{
	return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

/* The same key at a place of both; expressions are compared by their definition. flip: read
 * backwards, descending for ascending and NULLs at the other end. */
static bool
same_key(const struct drop_index *a, const struct drop_index *b, int i, bool flip)
{
	if (a->keys[i] != b->keys[i] || a->opclass[i] != b->opclass[i] ||
	    a->collation[i] != b->collation[i])
		return false;
	if (a->keys[i] == 0 && strcmp(a->parts[i], b->parts[i]) != 0)
		return false;
	return a->options[i] == (flip ? b->options[i] ^ 3 : b->options[i]);
}

static bool
same_keys(const struct drop_index *a, const struct drop_index *b, int n)
{
	bool straight = true, flipped = strcmp(a->method, "btree") == 0;

	for (int i = 0; i < n; i++) {
		straight &= same_key(a, b, i, false);
		flipped &= same_key(a, b, i, true);
	}
	return straight || flipped;
}

/* What a carries beside its keys, b holds as well. */
static bool
carries_all(const struct drop_index *a, const struct drop_index *b)
{
	for (int i = a->nkeys; i < a->ncolumns; i++) {
		bool found = false;

		for (int k = 0; k < b->ncolumns; k++)
			found |= b->keys[k] == a->keys[i];
		if (!found)
			return false;
	}
	return true;
}

bool
drop_covers(const struct drop_index *a, const struct drop_index *b)
{
	bool is_btree = strcmp(a->method, "btree") == 0;

	if (a == b || a->table != b->table || a->kind != b->kind || !a->is_valid || !b->is_valid ||
	    a->building || b->building || strcmp(a->method, b->method) != 0 ||
	    !same_text(a->pred, b->pred))
		return false;
	/* an exclusion constraint's index may be of another kind of question */
	if (b->is_exclusion || a->nkeys > b->nkeys || (!is_btree && a->nkeys != b->nkeys))
		return false;
	if (!same_keys(a, b, a->nkeys) || !carries_all(a, b))
		return false;
	if (!a->is_unique)
		return true;
	return b->is_unique && a->nkeys == b->nkeys && (b->is_immediate || !a->is_immediate) &&
	    (b->is_primary || a->nulls_not_distinct == b->nulls_not_distinct);
}

bool
drop_is_bound(const struct drop_index *ix)
{
	return ix->is_primary || ix->is_exclusion || ix->is_replident || ix->is_clustered ||
	    ix->is_extension || ix->referenced > 0 || ix->is_deferrable || ix->parent != 0;
}

/* Of two that cover each other the one that is worth more stays; the order is total. */
static bool
is_worth_more(const struct drop_index *a, const struct drop_index *b)
{
	double va, vb;

	if (drop_is_bound(a) != drop_is_bound(b))
		return drop_is_bound(a);
	if ((a->constraint != NULL) != (b->constraint != NULL))
		return a->constraint != NULL;
	if (a->is_unique != b->is_unique)
		return a->is_unique;
	if (a->ncolumns != b->ncolumns)
		return a->ncolumns > b->ncolumns;
	/* ascending is what everybody expects */
	if (a->options[0] != b->options[0])
		return a->options[0] == 0;
	va = a->scans + a->standby_scans;
	vb = b->scans + b->standby_scans;
	return va != vb ? va > vb : a->oid < b->oid;
}

/* Is a superfluous beside b? */
static bool
is_beaten(const struct drop_index *a, const struct drop_index *b)
{
	return drop_covers(a, b) && !(drop_covers(b, a) && is_worth_more(a, b));
}

/* The best of those that stay and cover it. */
static const struct drop_index *
stays_beside(const struct drop *d, const struct drop_index *ix)
{
	const struct drop_index *best = NULL;

	for (int i = 0; i < ix->table->nindexes; i++) {
		const struct drop_index *b = &d->indexes[ix->table->first + i];

		if (!b->is_dropped && is_beaten(ix, b) && (!best || b->pages < best->pages))
			best = b;
	}
	return best;
}

static void
add_item(struct drop *d, struct drop_index *ix, const struct drop_index *by)
{
	bool is_same = ix->nkeys == by->nkeys && ix->ncolumns == by->ncolumns;
	struct advice_item *item = drop_item(d, ix, is_same ? ADVICE_DUPLICATE : ADVICE_REDUNDANT);
	const char *name = drop_name(d, by);

	if (is_same && ix->options[0] != by->options[0])
		item->reason = arena_printf(&d->list->arena,
		    "%s holds the same keys the other way round, and is read in both directions",
		    name);
	else if (is_same && by->is_primary)
		item->reason =
		    arena_printf(&d->list->arena, "the primary key %s holds the same keys", name);
	else if (is_same)
		item->reason = arena_printf(&d->list->arena, "%s holds the same keys%s", name,
		    by->is_unique && !ix->is_unique ? " and is unique" : "");
	else if (ix->nkeys == by->nkeys)
		item->reason = arena_printf(
		    &d->list->arena, "%s holds the same keys and carries more columns", name);
	else
		item->reason = arena_printf(&d->list->arena, "%s begins with the same %s", name,
		    ix->nkeys == 1 ? "column" : "columns");
	if (by->pages > 3 * ix->pages && ix->scans > 0)
		advice_item_caveat(d->list, item,
		    "%s is %.1f times as large: its scans read more pages", by->name,
		    by->pages / (ix->pages > 1 ? ix->pages : 1));
	if (ix->nkeys == 1 && ix->keys[0] == 0)
		advice_item_caveat(
		    d->list, item, "statistics of the expression stay with the other index");
}

void
drop_covered(struct drop *d)
{
	struct drop_index **beaten =
	    arena_zalloc(&d->list->arena, (size_t)d->nindexes + 1, sizeof(*beaten));
	int n = 0;

	for (int i = 0; i < d->nindexes; i++) {
		struct drop_index *ix = &d->indexes[i];

		if (ix->is_dropped || drop_is_bound(ix))
			continue;
		if (stays_beside(d, ix))
			beaten[n++] = ix;
	}
	/* covering is transitive and the order total: whatever beats these, one that stays does too
	 */
	for (int i = 0; i < n; i++)
		beaten[i]->is_dropped = true;
	for (int i = 0; i < n; i++) {
		const struct drop_index *by = stays_beside(d, beaten[i]);

		if (by)
			add_item(d, beaten[i], by);
		else
			beaten[i]->is_dropped = false;
	}
}
