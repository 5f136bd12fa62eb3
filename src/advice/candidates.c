/* Making candidates from needs, and sets of them. */
#include "config.h"

#include "advice/candidates.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "advice/btree.h"

enum { MAX_EQ = 6, MAX_LISTED = 8, CORE_KEYS = 4, MAX_INCLUDED = 2 };

/* ---- sets ---- */

struct cand_set
cand_and(struct cand_set a, struct cand_set b)
{
	for (size_t i = 0; i < ARRAY_LEN(a.bits); i++)
		a.bits[i] &= b.bits[i];
	return a;
}

struct cand_set
cand_or(struct cand_set a, struct cand_set b)
{
	for (size_t i = 0; i < ARRAY_LEN(a.bits); i++)
		a.bits[i] |= b.bits[i];
	return a;
}

bool
cand_same(const struct cand_set *a, const struct cand_set *b)
{
	return memcmp(a->bits, b->bits, sizeof(a->bits)) == 0;
}

int
cand_count(const struct cand_set *set)
{
	int n = 0;

	for (size_t i = 0; i < ARRAY_LEN(set->bits); i++)
		n += __builtin_popcountll(set->bits[i]);
	return n;
}

bool
cand_empty(const struct cand_set *set)
{
	return cand_count(set) == 0;
}

/* ---- one candidate ---- */

double
column_eq_share(const struct cat_column *col, double rows)
{
	if (!col->has_stats || col->ndistinct <= 0)
		return rows > 0 ? fmin(1, 200 / rows) : 1;
	return (1 - fmin(col->null_frac, 0.999)) / fmax(col->ndistinct, 1);
}

static bool
same_key(const struct cand *a, const struct cand *b, int i)
{
	return a->keys[i] == b->keys[i] && a->desc[i] == b->desc[i] &&
	    a->pattern[i] == b->pattern[i] && a->nulls_odd[i] == b->nulls_odd[i];
}

bool
cand_is_prefix(const struct cand *a, const struct cand *b)
{
	if (a->table != b->table || a->ncore > b->nkeys)
		return false;
	for (int i = 0; i < a->ncore; i++) {
		if (!same_key(a, b, i))
			return false;
	}
	return true;
}

static bool
same_cand(const struct cand *a, const struct cand *b)
{
	return a->nkeys == b->nkeys && a->ncore == b->ncore && cand_is_prefix(a, b) &&
	    cand_is_prefix(b, a);
}

static bool
is_same_but_core(const struct cand *a, const struct cand *b)
{
	if (a->table != b->table || a->nkeys != b->nkeys || a->ncore < b->ncore)
		return false;
	for (int i = 0; i < a->nkeys; i++) {
		if (!same_key(a, b, i))
			return false;
	}
	return true;
}

/* An index that exists and begins with the same keys does it already. */
static bool
is_covered(const struct cand *c)
{
	const struct cat_table *t = c->table;

	for (int i = 0; i < t->nindexes; i++) {
		const struct cat_index *ix = &t->indexes[i];
		bool flipped, same = true;

		if (!ix->is_valid || ix->predicate || ix->nkeys < c->ncore ||
		    ix->ncolumns < c->nkeys || strcmp(ix->method, "btree") != 0)
			continue;
		flipped = ix->desc[0] != c->desc[0];
		for (int k = 0; k < c->nkeys && same; k++) {
			bool pattern = c->pattern[k] && !c->keys[k]->c_collation;

			same = ix->keys[k] == c->keys[k]->attnum &&
			    (k >= ix->nkeys || (ix->desc[k] != c->desc[k]) == flipped) &&
			    pattern == (ix->opclasses && strstr(ix->opclasses, "pattern_ops"));
		}
		if (same)
			return true;
	}
	return false;
}

static bool
has_key(const struct cand *c, const struct cat_column *col)
{
	for (int i = 0; i < c->nkeys; i++) {
		if (c->keys[i] == col)
			return true;
	}
	return false;
}

static bool
push(struct cand *c, const struct cat_column *col)
{
	if (!col || c->nkeys >= CAND_MAX_KEYS || has_key(c, col) || !catalog_is_sortable(col))
		return false;
	c->keys[c->nkeys++] = col;
	c->ncore = c->nkeys;
	return true;
}

/* The number of the candidate, made when it is new; -1 when it is of no use or there is no room. */
static int
add(struct cands *cands, const struct cand *c)
{
	int of_table = 0;

	if (!c->nkeys || is_covered(c))
		return -1;
	for (int i = 0; i < cands->n; i++) {
		/* What searches by all of its columns covers as well as what only has them. */
		if (same_cand(&cands->items[i], c) || is_same_but_core(&cands->items[i], c))
			return i;
		of_table += cands->items[i].table == c->table;
	}
	if (cands->n == CAND_MAX || of_table >= CAND_MAX_PER_TABLE)
		return -1;
	cands->items[cands->n] = *c;
	btree_estimate(&cands->items[cands->n]);
	return cands->n++;
}

/* ---- one need ---- */

struct listed {
	const struct cat_column *cols[MAX_LISTED];
	double share[MAX_LISTED];
	bool is_in[MAX_LISTED]; /* = ANY: gives no order */
	int rels[MAX_LISTED];   /* of joins */
	int n;
};

struct maker {
	struct cands *cands;
	const struct need *need;
	struct cand_set *mine;
	struct listed eq, join, range, like, arms;
};

static void
list_column(struct listed *list, const struct cat_column *col, double share, bool is_in, int rel)
{
	int at;

	for (int i = 0; i < list->n; i++) {
		if (list->cols[i] == col)
			return;
	}
	if (!col || list->n == MAX_LISTED || !catalog_is_sortable(col))
		return;
	for (at = list->n; at > 0 && list->share[at - 1] > share; at--) {
		list->cols[at] = list->cols[at - 1];
		list->share[at] = list->share[at - 1];
		list->is_in[at] = list->is_in[at - 1];
		list->rels[at] = list->rels[at - 1];
	}
	list->cols[at] = col;
	list->share[at] = share;
	list->is_in[at] = is_in;
	list->rels[at] = rel;
	list->n++;
}

static void
sort_out(struct maker *m, const struct cond *c)
{
	const struct cat_column *col = c->column ? catalog_column(m->need->table, c->column) : NULL;
	double share;

	if (!col || c->op == COND_OTHER)
		return;
	share = column_eq_share(col, m->need->table->rows);
	if (c->or_group) {
		if (c->op <= COND_GT || c->op == COND_IS_NULL)
			list_column(&m->arms, col, share, false, -1);
		return;
	}
	switch (c->op) {
	case COND_EQ:
	case COND_IN:
		if (c->is_join)
			list_column(&m->join, col, share, c->op == COND_IN, c->other_rel);
		else
			list_column(&m->eq, col, share, c->op == COND_IN, -1);
		break;
	case COND_IS_NULL:
		list_column(&m->eq, col, col->null_frac, false, -1);
		break;
	case COND_LT:
	case COND_GT:
		list_column(&m->range, col, 0.1, false, -1);
		break;
	case COND_LIKE:
		list_column(&m->like, col, 0.1, false, -1);
		break;
	default:
		break;
	}
}

static struct cand
begin(const struct maker *m)
{
	return (struct cand){ .table = m->need->table };
}

/* The most selective equality columns; of a sort only those that leave the order. */
static struct cand
begin_eq(const struct maker *m, int max, bool for_sort)
{
	struct cand c = begin(m);

	for (int i = 0; i < m->eq.n && c.nkeys < max; i++) {
		if (!(for_sort && m->eq.is_in[i]))
			push(&c, m->eq.cols[i]);
	}
	c.neq = c.nkeys;
	return c;
}

static int
emit(struct maker *m, const struct cand *c)
{
	int i = add(m->cands, c);

	if (i >= 0)
		cand_put(m->mine, i);
	return i;
}

static void
emit_with(struct maker *m, struct cand c, const struct cat_column *col, bool is_eq)
{
	if (c.nkeys < CORE_KEYS && push(&c, col)) {
		if (is_eq && c.neq == c.nkeys - 1)
			c.neq++;
		emit(m, &c);
	}
}

static void
emit_like(struct maker *m, struct cand c, const struct cat_column *col)
{
	if (c.nkeys < CORE_KEYS && push(&c, col)) {
		c.pattern[c.nkeys - 1] = !col->c_collation;
		emit(m, &c);
	}
}

/* The keys of the sort behind c. Read backwards an index gives the opposite order: directions only
 * count when they are mixed. */
static bool
push_sort(const struct maker *m, struct cand *c)
{
	const struct need *need = m->need;
	bool mixed = false, any = false;

	for (int i = 0; i < need->nsort; i++) {
		const struct sort_key *k = &need->sort[i];

		mixed |= k->is_desc != need->sort[0].is_desc || k->nulls_first != k->is_desc;
	}
	for (int i = 0; i < need->nsort && c->nkeys < CORE_KEYS + 1; i++) {
		const struct sort_key *k = &need->sort[i];
		const struct cat_column *col = catalog_column(need->table, k->column);

		if (col && has_key(c, col))
			continue;
		if (!push(c, col))
			break;
		c->desc[c->nkeys - 1] = mixed && k->is_desc;
		c->nulls_odd[c->nkeys - 1] = mixed && k->nulls_first != k->is_desc;
		any = true;
	}
	return any;
}

static void
emit_sort(struct maker *m, struct cand c)
{
	if (m->need->nsort && push_sort(m, &c))
		emit(m, &c);
}

static void
make_equality(struct maker *m)
{
	for (int n = 1; n <= 3 && n <= m->eq.n; n++) {
		struct cand c = begin_eq(m, n, false);

		emit(m, &c);
	}
	for (int i = 1; i < m->eq.n && i < MAX_EQ; i++)
		emit_with(m, begin(m), m->eq.cols[i], true);
}

static void
make_ranges(struct maker *m)
{
	for (int i = 0; i < m->range.n; i++) {
		const struct cat_column *col = m->range.cols[i];

		emit_with(m, begin(m), col, false);
		for (int n = 1; n <= 3 && n <= m->eq.n; n++)
			emit_with(m, begin_eq(m, n, false), col, false);
		for (int e = 1; e < m->eq.n && e < 3; e++) {
			struct cand c = begin(m);

			push(&c, m->eq.cols[e]);
			c.neq = c.nkeys;
			emit_with(m, c, col, false);
		}
	}
	for (int i = 0; i < m->like.n; i++) {
		emit_like(m, begin(m), m->like.cols[i]);
		if (m->eq.n)
			emit_like(m, begin_eq(m, 2, false), m->like.cols[i]);
	}
	for (int i = 0; i < m->arms.n; i++) {
		emit_with(m, begin(m), m->arms.cols[i], true);
		if (m->eq.n)
			emit_with(m, begin_eq(m, 1, false), m->arms.cols[i], true);
	}
}

static void
make_sorts(struct maker *m)
{
	const struct need *need = m->need;

	for (int n = 0; n <= 3 && n <= m->eq.n; n++)
		emit_sort(m, begin_eq(m, n, true));
	for (int e = 1; e < m->eq.n && e < 3 && need->nsort; e++) {
		struct cand c = begin(m);

		push(&c, m->eq.cols[e]);
		c.neq = c.nkeys;
		emit_sort(m, c);
	}
	if (need->minmax) {
		const struct cat_column *col = catalog_column(need->table, need->minmax);

		emit_with(m, begin(m), col, false);
		if (m->eq.n)
			emit_with(m, begin_eq(m, 3, true), col, false);
	}
}

static void
make_joins(struct maker *m)
{
	for (int i = 0; i < m->join.n; i++) {
		struct cand c = begin(m);

		push(&c, m->join.cols[i]);
		c.neq = c.nkeys;
		emit(m, &c);
		for (int e = 0; e < m->eq.n && e < 2; e++)
			emit_with(m, c, m->eq.cols[e], true);
		if (m->eq.n) {
			emit_with(m, begin_eq(m, 1, false), m->join.cols[i], true);
			emit_with(m, begin_eq(m, 2, false), m->join.cols[i], true);
		}
		for (int r = 0; r < m->range.n && r < 2; r++)
			emit_with(m, c, m->range.cols[r], false);
		if (m->need->nsort)
			emit_sort(m, c);
		for (int k = i + 1; k < m->join.n; k++) {
			if (m->join.rels[k] == m->join.rels[i])
				emit_with(m, c, m->join.cols[k], true);
		}
	}
}

/* Behind the keys what else is read, so that the table need not be. */
static void
make_covering(struct maker *m, int from)
{
	const struct need *need = m->need;
	int until = m->cands->n;

	if (need->reads_all || !need->ncolumns || need->ncolumns > CAND_MAX_KEYS)
		return;
	for (int i = from; i < until; i++) {
		struct cand c = m->cands->items[i];
		bool fits = c.table == need->table && c.nkeys == c.ncore;
		int width = 0;

		for (int k = 0; k < need->ncolumns && fits; k++) {
			const struct cat_column *col =
			    catalog_column(need->table, need->columns[k]);

			if (!col || has_key(&c, col))
				continue;
			width += col->width;
			fits = c.nkeys < CAND_MAX_KEYS && catalog_is_sortable(col);
			if (fits)
				c.keys[c.nkeys++] = col;
		}
		if (fits && c.nkeys > c.ncore && c.nkeys <= c.ncore + MAX_INCLUDED && width <= 40)
			emit(m, &c);
	}
}

void
cands_add(struct cands *cands, const struct needs *needs, struct cand_set *mine)
{
	for (int r = 0; r < needs->n; r++) {
		const struct need *need = &needs->rels[r];
		struct maker m = { .cands = cands, .need = need, .mine = mine };
		int from = cands->n;

		for (int i = 0; i < need->nconds; i++)
			sort_out(&m, &need->conds[i]);
		make_equality(&m);
		make_sorts(&m);
		make_ranges(&m);
		make_joins(&m);
		make_covering(&m, from);
	}
}

static bool
is_subset(const struct cand *a, const struct cand *b)
{
	for (int i = 0; i < a->ncore; i++) {
		bool found = false;

		for (int k = 0; k < b->neq; k++)
			found |= b->keys[k] == a->keys[i];
		if (!found)
			return false;
	}
	return true;
}

void
cands_merge(struct cands *cands)
{
	int n = cands->n;

	for (int i = 0; i < n; i++) {
		for (int k = 0; k < n; k++) {
			const struct cand *a = &cands->items[i], *b = &cands->items[k];
			struct cand c = { .table = a->table, .neq = b->neq };

			if (a->table != b->table || a->nkeys != a->ncore || b->nkeys != b->ncore ||
			    a->neq != a->ncore || a->ncore >= b->neq || cand_is_prefix(a, b) ||
			    !is_subset(a, b))
				continue;
			for (int j = 0; j < a->ncore; j++)
				push(&c, a->keys[j]);
			for (int j = 0; j < b->ncore; j++) {
				if (!push(&c, b->keys[j]))
					continue;
				c.desc[c.nkeys - 1] = b->desc[j];
				c.pattern[c.nkeys - 1] = b->pattern[j];
				c.nulls_odd[c.nkeys - 1] = b->nulls_odd[j];
			}
			add(cands, &c);
		}
	}
}

bool
cand_serves(const struct cand *cand, const struct need *need)
{
	const char *first = cand->keys[0]->name;

	if (cand->table != need->table)
		return false;
	if (need->minmax && strcmp(need->minmax, first) == 0)
		return true;
	if (need->nsort && strcmp(need->sort[0].column, first) == 0)
		return true;
	for (int i = 0; i < need->nconds; i++) {
		const struct cond *c = &need->conds[i];

		if (c->column && c->op != COND_OTHER && c->op != COND_NOT_NULL &&
		    c->op != COND_CONTAINS && strcmp(c->column, first) == 0 &&
		    cand->pattern[0] == (c->op == COND_LIKE && !cand->keys[0]->c_collation))
			return true;
	}
	return false;
}
