/*
 * After costsize.c: an index scan costs its descent, the share of its pages that the keys select,
 * and the table's pages, interpolated between in order (correlation 1) and by chance (0) with its
 * square, or those of a bitmap when they are fewer. Deltas of scans, joins and sorts are taken off
 * the plan's total. Believed only when the part gets MARGIN times cheaper (research 1.9).
 */
#include "config.h"

#include "advice/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double SEQ_PAGE = 1, RANDOM_PAGE = 4, CPU_TUPLE = 0.01, CPU_INDEX = 0.005,
                    CPU_OP = 0.0025, MARGIN = 4;

/* ---- shares ---- */

static double
generic_share(const struct cat_column *col, const struct cond *c, double rows)
{
	switch (c->op) {
	case COND_EQ:
		return column_eq_share(col, rows);
	case COND_IN:
		return fmin(1, 5 * column_eq_share(col, rows));
	case COND_IS_NULL:
		return col->null_frac;
	case COND_LT:
	case COND_GT:
		return 1.0 / 3;
	case COND_LIKE:
		return 0.005;
	default:
		return 1;
	}
}

static double
equal_share(const struct cat_column *col, const char *value, double rows)
{
	double rest = 1 - col->null_frac;

	for (int i = 0; i < col->nmcv; i++) {
		if (strcmp(col->mcv[i], value) == 0)
			return col->freqs[i];
		rest -= col->freqs[i];
	}
	if (col->ndistinct > col->nmcv)
		return fmax(rest, 0) / (col->ndistinct - col->nmcv);
	return rows > 0 ? 1 / rows : 1;
}

/* Numbers as numbers; dates and texts as the server writes them sort as bytes. */
static bool
is_below(const char *a, const char *b)
{
	char *ea, *eb;
	double x = strtod(a, &ea), y = strtod(b, &eb);

	if (ea != a && eb != b && !*ea && !*eb)
		return x < y;
	return strcmp(a, b) < 0;
}

static double
share_below(const struct cat_column *col, const char *value)
{
	double sum = 0, hist = 1 - col->null_frac;
	int n = 0;

	for (int i = 0; i < col->nmcv; i++) {
		hist -= col->freqs[i];
		sum += is_below(col->mcv[i], value) ? col->freqs[i] : 0;
	}
	if (col->nhist < 2)
		return col->nmcv ? sum : 1.0 / 3;
	while (n < col->nhist && is_below(col->hist[n], value))
		n++;
	return sum + fmax(hist, 0) * fmin((double)n / (col->nhist - 1), 1);
}

double
model_share(const struct cat_table *t, const struct cond *c, const struct value_set *set)
{
	const struct cat_column *col = c->column ? catalog_column(t, c->column) : NULL;
	const char *value = c->constant;

	/* A function of a column tells rows apart about as well as the column. */
	if (!col && c->op == COND_EQ && c->inner && catalog_column(t, c->inner))
		return column_eq_share(catalog_column(t, c->inner), t->rows);
	if (!col)
		return 1;
	if (c->is_plain && c->param && set->values)
		value = set->values[c->param - 1];
	if (!value || !c->is_plain || c->op == COND_IN || c->op == COND_IS_NULL)
		return generic_share(col, c, t->rows);
	if (c->op == COND_EQ)
		return equal_share(col, value, t->rows);
	if (c->op == COND_LT)
		return fmax(share_below(col, value), 1 / fmax(t->rows, 1));
	if (c->op == COND_GT)
		return fmax(1 - col->null_frac - share_below(col, value), 1 / fmax(t->rows, 1));
	return generic_share(col, c, t->rows);
}

/* ---- one index scan ---- */

/* Pages of a table of T that n random rows are on (Mackert and Lohman, all cached once read). */
static double
pages_touched(double T, double n)
{
	T = fmax(T, 1);
	return fmin(T, ceil(2 * T * n / (2 * T + n)));
}

double
model_index_scan(const struct model_index *ix)
{
	double T = fmax(ix->table->pages, 1), rows = fmax(1, ix->share * ix->table->rows);
	double entries = fmax(1, ceil(ix->pages * ix->share));
	double c2 = ix->correlation * ix->correlation, worst, best, heap, bitmap, each;
	double cost = ix->height * 50 * CPU_OP + RANDOM_PAGE + (entries - 1) * RANDOM_PAGE +
	    rows * (CPU_INDEX + CPU_OP);

	worst = pages_touched(T, rows);
	best = fmax(1, ceil(ix->share * T));
	/* A bitmap reads the pages in order: cheaper apiece the denser they are. */
	each = RANDOM_PAGE - (RANDOM_PAGE - SEQ_PAGE) * sqrt(worst / T);
	bitmap = worst * each + rows * CPU_OP * 2;
	heap = worst * RANDOM_PAGE;
	heap += c2 * (RANDOM_PAGE + (best - 1) * SEQ_PAGE - heap);
	if (ix->is_only)
		heap = 0.05 * fmin(heap, bitmap);
	else if (ix->is_gin)
		heap = bitmap;
	else
		heap = fmin(heap, bitmap);
	return cost + heap + rows * (CPU_TUPLE + ix->quals * CPU_OP);
}

/* ---- a candidate for a need ---- */

struct match {
	double share;   /* of rows, by the keys that match */
	int nkeys;      /* leading keys that a condition fixes */
	int nconds;     /* conditions that these are */
	int at_sort;    /* key from which the sort order begins; -1: it does not */
	bool has_join;  /* one of them is a join's */
	bool has_plain; /* one of them is not */
};

static bool
is_usable(const struct cond *c, const struct cat_column *key, bool pattern)
{
	if (!c->column || strcmp(c->column, key->name) != 0 || c->or_group)
		return false;
	if (c->op == COND_LIKE)
		return pattern || key->c_collation;
	return !pattern && (c->op <= COND_GT || c->op == COND_IS_NULL);
}

static struct match
match_keys(
    const struct cand *cand, const struct need *need, const struct value_set *set, bool with_joins)
{
	struct match m = { .share = 1, .at_sort = -1 };
	int in_order = 0; /* keys before which the order holds: single values each */

	for (int k = 0; k < cand->ncore; k++) {
		bool found = false, is_eq = false, is_in = false;

		for (int i = 0; i < need->nconds; i++) {
			const struct cond *c = &need->conds[i];
			double share;

			if (!is_usable(c, cand->keys[k], cand->pattern[k]) ||
			    (c->is_join && !with_joins))
				continue;
			share = c->is_join ? column_eq_share(cand->keys[k], need->table->rows) :
			                     model_share(need->table, c, set);
			found = true;
			is_eq |= c->op == COND_EQ || c->op == COND_IN || c->op == COND_IS_NULL;
			is_in |= c->op == COND_IN;
			m.has_join |= c->is_join;
			m.has_plain |= !c->is_join;
			m.nconds++;
			/* both bounds of one column: what is left between them */
			m.share = c->op == COND_LT || c->op == COND_GT ?
			    (m.share < 1 && m.nconds > 1 && !is_eq && share + m.share > 1 ?
			            fmax(share + m.share - 1, 1 / fmax(need->table->rows, 1)) :
			            m.share * share) :
			    m.share * share;
		}
		if (in_order == k && is_eq && !is_in)
			in_order++;
		if (!found)
			break;
		m.nkeys++;
		if (!is_eq)
			break;
	}
	for (int k = 0; k <= in_order && k < cand->ncore && need->nsort; k++) {
		if (strcmp(cand->keys[k]->name, need->sort[0].column) == 0)
			m.at_sort = k;
	}
	return m;
}

static bool
covers(const struct cand *cand, const struct need *need)
{
	if (need->reads_all)
		return false;
	for (int i = 0; i < need->ncolumns; i++) {
		bool found = false;

		for (int k = 0; k < cand->nkeys; k++)
			found |= strcmp(cand->keys[k]->name, need->columns[i]) == 0;
		if (!found)
			return false;
	}
	return true;
}

static struct model_index
index_of(const struct cand *cand, const struct need *need, double share)
{
	return (struct model_index){ .table = need->table,
		.pages = cand->size_bytes / 8192,
		.height = cand->height,
		.share = share,
		.correlation = cand->keys[0]->correlation * (cand->nkeys > 1 ? 0.75 : 1),
		.is_only = covers(cand, need),
		.quals = need->nconds };
}

/* ---- parts of a plan ---- */

double
model_filter_share(const struct need *need, const struct cand *cand, const struct value_set *set)
{
	double share = 1;

	for (int i = 0; i < need->nconds; i++) {
		const struct cond *c = &need->conds[i];
		bool is_key = false;

		for (int k = 0; k < cand->ncore && c->column; k++)
			is_key |= strcmp(cand->keys[k]->name, c->column) == 0;
		if (!is_key && !c->is_join && !c->or_group)
			share *= model_share(need->table, c, set);
	}
	return fmax(share, 1 / fmax(need->table->rows, 1));
}

/* Keys from at_sort on give all of the sort. */
static bool
gives_sort(const struct cand *cand, const struct need *need, int at)
{
	bool flipped;

	if (at < 0 || at + need->nsort > cand->ncore)
		return false;
	flipped = cand->desc[at] != need->sort[0].is_desc;
	for (int i = 0; i < need->nsort; i++) {
		if (strcmp(cand->keys[at + i]->name, need->sort[i].column) != 0 ||
		    (cand->desc[at + i] != need->sort[i].is_desc) != flipped)
			return false;
	}
	return true;
}

/* The limit above a relation's sort, of this plan: that of another value set may have another. */
static const struct plan_node *
limit_of(const struct plan *plan)
{
	for (int i = 0; i < plan->nnodes; i++) {
		if (plan_is(plan->nodes[i], "Limit"))
			return plan->nodes[i];
	}
	return NULL;
}

/* Without the subplans in its output, which run once a row. */
static double
own_cost(const struct plan_node *scan, const struct cat_table *t)
{
	double cost = scan->total;

	for (int i = 0; i < scan->nkids; i++) {
		if (scan->kids[i]->subplan && strncmp(scan->kids[i]->subplan, "SubPlan", 7) == 0)
			cost -= scan->kids[i]->total * scan->rows;
	}
	if (cost < scan->total)
		cost = fmax(cost, fmin(scan->rows * CPU_TUPLE, t->pages * SEQ_PAGE));
	if (scan->nkids && plan_is(scan, "Seq Scan"))
		cost = fmin(scan->total, t->pages * SEQ_PAGE + t->rows * (CPU_TUPLE + 2 * CPU_OP));
	return cost;
}

const struct plan_node *
model_scan(const struct needs *needs, const struct plan *plan, int rel, double *cost, double *rows)
{
	const struct plan_node *best = NULL;

	*cost = *rows = 0;
	for (int i = 0; i < plan->nnodes; i++) {
		const struct plan_node *n = plan->nodes[i];

		if (!plan_is_scan(n) || needs_of_alias(needs, n->alias ? n->alias : "") != rel)
			continue;
		*cost += own_cost(n, needs->rels[rel].table);
		*rows += plan_all_rows(n);
		if (!best || n->total > best->total)
			best = n;
	}
	return best;
}

/* The join whose one side is nothing but this scan. */
static const struct plan_node *
join_above(const struct plan_node *scan, const struct plan_node **other)
{
	const struct plan_node *side = scan, *up = scan->parent;

	for (; up && up->nkids == 1 && !up->subplan; side = up, up = up->parent)
		;
	if (!up || up->nkids != 2 || !up->join_type || side->subplan)
		return NULL;
	*other = up->kids[0] == side ? up->kids[1] : up->kids[0];
	return up;
}

/* How often the scan runs: once, or for each row of what its subplan belongs to. */
static double
loops_of(const struct plan_node *scan)
{
	for (const struct plan_node *n = scan; n->parent; n = n->parent) {
		if (n->subplan && strncmp(n->subplan, "SubPlan", 7) == 0)
			return fmax(1, n->parent->rows);
	}
	return 1;
}

struct part {
	const struct need *need;
	const struct plan_node *scan;
	double cost, rows;
	const struct plan *plan;
	const struct value_set *set;
};

static int
plain_conds(const struct need *need)
{
	int n = 0;

	for (int i = 0; i < need->nconds; i++)
		n += !need->conds[i].is_join;
	return n;
}

static double
scan_saving(const struct part *p, const struct cand *cand, const struct match *m)
{
	double all = fmax(p->need->table->rows, 1), share = m->share, now;
	struct model_index ix;

	/* An index finds just these rows already. */
	if (!plan_is(p->scan, "Seq Scan") && !p->scan->clauses[PLAN_FILTER])
		return 0;
	/* The plan knows the share of all conditions together. */
	if (m->nconds >= plain_conds(p->need) && !p->scan->subplan && m->has_plain && !m->has_join)
		share = fmin(p->rows / all, 1);
	else
		share = fmax(share, m->has_join ? 0 : fmin(p->rows / all, 1));
	ix = index_of(cand, p->need, share);
	now = model_index_scan(&ix);
	return now * MARGIN <= p->cost ? p->cost - now : 0;
}

/* The first rows in order, instead of sorting all. */
static double
sort_saving(const struct part *p, const struct cand *cand, const struct match *m)
{
	const struct plan_node *limit = limit_of(p->plan);
	struct match plain = *m;
	double all = fmax(p->need->table->rows, 1), found, rest, now, before;
	struct model_index ix;

	if (!limit || !p->need->has_limit || !gives_sort(cand, p->need, m->at_sort))
		return 0;
	found = fmax(all * (plain.nkeys ? plain.share : 1), 1);
	rest = fmin(1, fmax(p->rows, 1) / found); /* of what the keys find, what the filter keeps */
	rest = fmin(rest, model_filter_share(p->need, cand, p->set));
	ix = index_of(cand, p->need, fmin(1, limit->rows / rest / all));
	ix.share = fmax(ix.share, 1 / all);
	now = model_index_scan(&ix);
	before = p->scan->nkids ? fmin(limit->total, 1.3 * p->cost) : limit->total;
	return now * MARGIN <= before ? before - now : 0;
}

/* The share of rows that one probe reads: where each wants only the first in an order that the
 * index gives (LATERAL … ORDER BY … LIMIT), no more than these. */
static double
probe_share(const struct part *p, const struct cand *cand, const struct match *m)
{
	const struct plan_node *limit = NULL;

	for (const struct plan_node *n = p->scan->parent; n && n->nkids == 1; n = n->parent) {
		if (plan_is(n, "Limit"))
			limit = n;
	}
	if (!limit || !p->need->has_limit || !gives_sort(cand, p->need, m->at_sort))
		return m->share;
	return fmin(m->share, fmax(limit->rows, 1) / fmax(p->need->table->rows, 1));
}

static double
join_saving(const struct part *p, const struct cand *cand, const struct match *m)
{
	const struct plan_node *other = NULL, *join = join_above(p->scan, &other);
	double loops, now;
	struct model_index ix;

	/* As the outer side of a loop it is read once: the other one depends on it. */
	if (!join || !m->has_join || (plan_is(join, "Nested Loop") && other == join->kids[1]))
		return 0;
	loops = fmax(1, plan_all_rows(other));
	ix = index_of(cand, p->need, probe_share(p, cand, m));
	/* Probes share the pages near the root and each other's. */
	now = other->total + loops * (model_index_scan(&ix) - RANDOM_PAGE * 0.5);
	return now * 1.5 <= join->total ? join->total - now : 0;
}

/* All arms of an OR. */
static double
or_saving(const struct part *p, const struct cands *cands, const struct cand_set *with,
    struct cand_set *used)
{
	double share = 0, pages = 0, now;
	struct model_index ix = { .table = p->need->table, .height = 3, .is_gin = true };
	int arms = 0, group = 0;

	for (int i = 0; i < p->need->nconds; i++) {
		const struct cond *c = &p->need->conds[i];
		bool found = false;

		if (!c->or_group || (group && c->or_group != group))
			continue;
		group = c->or_group;
		for (int k = 0; k < cands->n && !found; k++) {
			const struct cand *cand = &cands->items[k];

			found = cand_has(with, k) && cand->table == p->need->table && c->column &&
			    strcmp(cand->keys[0]->name, c->column) == 0;
			if (found) {
				cand_put(used, k);
				pages += cand->size_bytes / 8192;
			}
		}
		if (!found)
			return 0;
		share += model_share(p->need->table, c, p->set);
		arms++;
	}
	if (arms < 2)
		return 0;
	ix.share = fmin(share, 1);
	ix.pages = pages;
	now = model_index_scan(&ix);
	return now * MARGIN <= p->cost ? p->cost - now : 0;
}

static double
saving_of(const struct part *p, const struct cand *cand)
{
	struct match plain = match_keys(cand, p->need, p->set, false);
	struct match joins = match_keys(cand, p->need, p->set, true);
	double best = 0, loops = loops_of(p->scan);

	if (plain.nkeys > 0)
		best = scan_saving(p, cand, &plain);
	if (p->need->nsort)
		best = fmax(best, sort_saving(p, cand, &plain));
	if (joins.has_join)
		best = fmax(best,
		    loops > 1 ? loops * scan_saving(p, cand, &joins) :
		                join_saving(p, cand, &joins));
	/* The end of what the keys find, when no other filter is left. */
	if (p->need->minmax && plain.nconds >= plain_conds(p->need) &&
	    plain.nkeys + 1 <= cand->ncore &&
	    strcmp(cand->keys[plain.nkeys]->name, p->need->minmax) == 0)
		best = fmax(best, p->cost - 10);
	return best;
}

/* Rows a call that the only scan brings back, as counted; 0: not to be seen. */
static double
seen_rows(const struct statement *s)
{
	const struct plan_node *root = s->plans[0]->root;

	while (root->nkids == 1 &&
	    (plan_is(root, "Sort") || plan_is(root, "Gather") || plan_is(root, "Gather Merge")))
		root = root->kids[0];
	if (s->needs->n != 1 || !plan_is_scan(root) || s->calls <= 0)
		return 0;
	return fmax(s->rows / s->calls, 1);
}

struct oracle_answer
model_cost(
    const struct cands *cands, const struct statement *s, int set, const struct cand_set *with)
{
	struct oracle_answer out = { .cost = s->base[set] };
	const struct plan *plan = s->plans[set];
	double seen = plan ? seen_rows(s) : 0;

	for (int r = 0; r < s->needs->n && plan; r++) {
		struct part p = { .need = &s->needs->rels[r], .set = &s->sets[set], .plan = plan };
		struct cand_set arms = { 0 };
		double best = 0, saving;
		int best_at = -1;

		p.scan = model_scan(s->needs, plan, r, &p.cost, &p.rows);
		if (!p.scan)
			continue;
		if (seen > 0)
			p.rows = fmin(p.rows, 3 * seen);
		for (int i = 0; i < cands->n; i++) {
			if (!cand_has(with, i) || cands->items[i].table != p.need->table)
				continue;
			saving = saving_of(&p, &cands->items[i]);
			if (saving > best) {
				best = saving;
				best_at = i;
			}
		}
		saving = s->needs->or_groups ? or_saving(&p, cands, with, &arms) : 0;
		if (saving > best)
			out.used = cand_or(out.used, arms);
		else if (best_at >= 0)
			cand_put(&out.used, best_at);
		out.cost -= fmax(best, saving);
	}
	out.cost = fmax(out.cost, fmin(s->base[set], 8.5));
	return out;
}
